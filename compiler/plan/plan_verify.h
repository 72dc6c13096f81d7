/* plan_verify.h: whether a graph, planned as far as it is, is sound. */
#ifndef VOXC_PLAN_VERIFY_H
#define VOXC_PLAN_VERIFY_H

#include "ir.h"

/* ir_verify; then layouts, views, the ways convolutions are computed, streams, and once planned the memory
 * plan: no two tensors (or scratch) that are alive together overlap, all inside arena_bytes, aligned to 64,
 * and each node reads what was written for it. Fills d (code IR_EXIT_FAILURE) and returns false at the first
 * violation; shares no code with the passes. */
bool plan_verify(const ir_graph *g, ir_diag *d);

#endif
