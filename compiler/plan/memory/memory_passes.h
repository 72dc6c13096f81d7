/* memory_passes.h: the passes that decide when nodes run and where values lie. */
#ifndef VOXC_MEMORY_PASSES_H
#define VOXC_MEMORY_PASSES_H

#include "ir.h"

bool pass_stream(ir_graph *g, ir_diag *d);
bool pass_memory(ir_graph *g, ir_diag *d);

/* Makes nodes first to last, all of which can stream, one group, and rings of what only they touch; crops of
 * such values move into the group. False: some convolution's steps would be too small to be worth while. */
bool pass_stream_group(ir_graph *g, int first, int last, int slab);

#endif
