/* lifetime.h: which bytes of the arena are in use when.
 *
 * A buffer is a computed tensor together with every tensor that lives in it (views), or the scratch memory of
 * one node. Its bytes need not all be in use at the same time: those of a concat's member are in use from the
 * first write of that member, those that no member lives in from the concat on. A buffer therefore consists
 * of pieces, side by side in memory, each with a time of its own. The verifier does not use this file: it
 * checks plans against lifetimes of its own making. */
#ifndef VOXC_IR_LIFETIME_H
#define VOXC_IR_LIFETIME_H

#include "ir.h"

enum { IR_ALIGN = 64 /* of every buffer and piece in the arena, bytes */ };

/* Time is counted in positions of nodes; both ends are included. */
typedef struct ir_span {
    int first, last;
} ir_span;

bool ir_spans_meet(ir_span a, ir_span b);
/* When node number `node` runs: what it touches is in use all that time. The nodes of a stream run in turns.
 */
ir_span ir_time_of(const ir_graph *g, int node);

/* false: n's result already is in place. It is a reshape that is a view, a concat all of whose members are views, what
 * the kernel of its operand does, or what is done on load. */
bool ir_runs_code(const ir_node *n);

typedef struct ir_piece {
    int64_t at, bytes;       /* inside the buffer, multiples of IR_ALIGN */
    ir_span alive;           /* first write to last read */
    const ir_tensor *tensor; /* the innermost that lives there; NULL for scratch memory */
} ir_piece;

typedef struct ir_buffer {
    ir_tensor *tensor; /* the one that lives in no other; NULL: the scratch memory of `node` */
    ir_node *node;     /* NULL for a tensor */
    int64_t bytes;     /* rounded up to IR_ALIGN; 0: no pieces */
    int n_pieces;
    ir_piece *pieces; /* ascending, without gaps */
} ir_buffer;

typedef struct ir_buffers {
    int count;
    ir_buffer *list; /* tensors in the graph's order, then scratch in the order of nodes */
} ir_buffers;

/* Every buffer that the arena must hold; the lists live in `arena`. Requires sound views (ir_verify). */
ir_buffers ir_find_buffers(const ir_graph *g, ir_arena *arena);
/* The buffer of one tensor that lies in no other; without pieces if that is not in the arena. */
ir_buffer ir_buffer_of(const ir_graph *g, const ir_tensor *root, ir_arena *arena);
/* Offset of a buffer in the planned arena; -1 while unplanned. */
int64_t ir_buffer_offset(const ir_buffer *b);
/* Bytes alive at each node (`alive` has room for g->n_nodes of them). Returns the most: no plan of this order
 * of nodes needs less. */
int64_t ir_live_bytes(const ir_graph *g, const ir_buffers *b, int64_t *alive);
int64_t ir_memory_bound(const ir_graph *g); /* that maximum alone */

#endif
