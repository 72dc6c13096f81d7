/* weights.h: the weight file; its format stands in runtime/core/vox_weights.h. */
#ifndef VOXC_CG_WEIGHTS_H
#define VOXC_CG_WEIGHTS_H

#include "model.h"

/* The file, m->weights_bytes long, in m's arena. Refuses NaN and infinity. */
const unsigned char *cg_weights_file(const cg_model *m, ir_diag *d);

#endif
