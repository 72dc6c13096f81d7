/* stream.h: what the files about streaming share. Internal to ir/. */
#ifndef VOXC_IR_STREAM_H
#define VOXC_IR_STREAM_H

#include "ir.h"

/* The node of the group `first` to `last` that makes operand k of n; -1: it is whole before the group begins.
 */
int stream_maker(const ir_graph *g, int first, int last, const ir_node *n, int k);
/* ir_group_steps of a graph that recomputes. */
ir_step *stream_steps_again(const ir_graph *g, int first, int last, int64_t slab, ir_arena *arena,
                            int *count);

#endif
