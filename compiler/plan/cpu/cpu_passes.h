/* cpu_passes.h: the passes of target c, but for those of single convolutions (conv/). */
#ifndef VOXC_CPU_PASSES_H
#define VOXC_CPU_PASSES_H

#include "ir.h"

bool pass_terms(ir_graph *g, ir_diag *d);
bool pass_reduce(ir_graph *g, ir_diag *d);
bool pass_layout(ir_graph *g, ir_diag *d);
bool pass_views(ir_graph *g, ir_diag *d);
bool pass_epilogue(ir_graph *g, ir_diag *d);
bool pass_load(ir_graph *g, ir_diag *d);
bool pass_gather(ir_graph *g, ir_diag *d);
bool pass_pack(ir_graph *g, ir_diag *d);

#endif
