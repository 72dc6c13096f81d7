/* weights.h: the weight file; its format stands in runtime/core/vox_weights.h. */
#ifndef VOXC_CG_WEIGHTS_H
#define VOXC_CG_WEIGHTS_H

#include "model.h"

/* The file, m->weights_bytes long, in m's arena. Refuses NaN and infinity. */
const unsigned char *cg_weights_file(const cg_model *m, ir_diag *d);

/* Finds a tensor by its hash in a bundle's weight file (for ir_parse's blobs);
 * NULL if absent or malformed. */
const void *cg_weights_find(const void *file, size_t size, uint64_t hash, size_t bytes);

#endif
