/* stream.h: neighbouring nodes with one `stream` number run in turns: each makes some planes (along D, axis 2
 * of 5) of its result, so that what passes between them need not exist whole. */
#ifndef VOXC_STREAM_H
#define VOXC_STREAM_H

#include "ir.h"

typedef struct ir_planes {
    int64_t begin, end;
} ir_planes;
typedef struct ir_step {
    int node; /* position in the graph */
    ir_planes planes;
} ir_step;

/* Whether n computes any range of its result's planes from ranges of its operands' planes. */
bool ir_can_stream(const ir_node *n);
/* Whether operand k of n, which can stream, has planes to wait for; constants have none. */
bool ir_has_planes(const ir_node *n, int k);
/* Which planes of operand k the planes `made` of n's result are computed from; may be empty. */
ir_planes ir_planes_read(const ir_node *n, int k, ir_planes made);
/* The steps of the nodes first to last as one group, in an arena. The last node asks for `slab` planes at a
 * time, each producer makes what is missing, and nodes that the last one does not depend on run as soon as
 * they can. Where the graph recomputes, a producer of a ring makes all that is asked for, each time. */
ir_step *ir_group_steps(const ir_graph *g, int first, int last, int64_t slab, ir_arena *arena, int *count);
/* The last node of the group that begins at node `first`; `first` if it is in none. */
int ir_group_end(const ir_graph *g, int first);

/* ---- shared by stream.c and stream_again.c --------------------------------------------------- */

/* The node of the group `first` to `last` that makes operand k of n; -1: it is whole before the group begins.
 */
int stream_maker(const ir_graph *g, int first, int last, const ir_node *n, int k);
/* ir_group_steps of a graph that recomputes. */
ir_step *stream_steps_again(const ir_graph *g, int first, int last, int64_t slab, ir_arena *arena,
                            int *count);

#endif
