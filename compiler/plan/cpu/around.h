/* around.h: what convolutions do for the normalisations in front of them and behind them (vox_around of
 * runtime/core/vox_kernels.h). */
#ifndef VOXC_CG_AROUND_H
#define VOXC_CG_AROUND_H

#include "way.h"

/* The norm_terms whose sums conv n gathers; NULL: none. */
const ir_node *cg_gathers(const ir_node *n);
/* The normalise that conv n does as it loads; NULL: none. */
const ir_node *cg_loads(const ir_node *n);

/* What conv's way leaves, for its lanes under g's goals. */
cg_sums cg_sums_of(const ir_graph *g, const ir_node *conv);

/* --opt-report: a table of every norm: where its sums come from, where it is done. */
void cg_norm_report(const ir_graph *g, FILE *f);

#endif
