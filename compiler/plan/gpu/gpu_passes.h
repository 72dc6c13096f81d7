/* gpu_passes.h: the passes of target cuda. */
#ifndef VOXC_GPU_PASSES_H
#define VOXC_GPU_PASSES_H

#include "ir.h"

bool pass_gpu(ir_graph *g, ir_diag *d);
bool pass_channels(ir_graph *g, ir_diag *d);
bool pass_members(ir_graph *g, ir_diag *d);
bool pass_slabs(ir_graph *g, ir_diag *d);

#endif
