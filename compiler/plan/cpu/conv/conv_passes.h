/* conv_passes.h: the passes of target c that choose how each convolution is computed. */
#ifndef VOXC_CONV_PASSES_H
#define VOXC_CONV_PASSES_H

#include "ir.h"

bool pass_algorithm(ir_graph *g, ir_diag *d);
bool pass_blocking(ir_graph *g, ir_diag *d);

#endif
