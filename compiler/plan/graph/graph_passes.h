/* graph_passes.h: the passes that any target wants. */
#ifndef VOXC_GRAPH_PASSES_H
#define VOXC_GRAPH_PASSES_H

#include "ir.h"

bool pass_fold(ir_graph *g, ir_diag *d);
bool pass_norm(ir_graph *g, ir_diag *d);
bool pass_fuse(ir_graph *g, ir_diag *d);
bool pass_outputs(ir_graph *g, ir_diag *d);

#endif
