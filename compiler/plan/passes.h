/* passes.h: every pass. Each rewrites g in place; false with d filled only where bad input can show that
 * late. The contract of a pass (requires / maintains / gives) stands above its definition; the order in
 * pipeline.c. */
#ifndef VOXC_PASSES_H
#define VOXC_PASSES_H

#include "ir.h"

bool pass_fold(ir_graph *g, ir_diag *d);
bool pass_norm(ir_graph *g, ir_diag *d);
bool pass_fuse(ir_graph *g, ir_diag *d);
bool pass_dead(ir_graph *g, ir_diag *d);
bool pass_terms(ir_graph *g, ir_diag *d);
bool pass_reduce(ir_graph *g, ir_diag *d);
bool pass_layout(ir_graph *g, ir_diag *d);
bool pass_views(ir_graph *g, ir_diag *d);
bool pass_stream(ir_graph *g, ir_diag *d);
bool pass_epilogue(ir_graph *g, ir_diag *d);
bool pass_memory(ir_graph *g, ir_diag *d);
bool pass_gpu(ir_graph *g, ir_diag *d);
bool pass_channels(ir_graph *g, ir_diag *d);
bool pass_members(ir_graph *g, ir_diag *d);
bool pass_slabs(ir_graph *g, ir_diag *d);

/* Makes nodes first to last, all of which can stream, one group, and rings of what only they touch; crops of
 * such values move into the group. False: some convolution's steps would be too small to be worth while. */
bool pass_stream_group(ir_graph *g, int first, int last, int slab);

bool pass_is_output(const ir_graph *g, const ir_tensor *t);

#endif
