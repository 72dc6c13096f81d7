/* need.h: the least memory that any plan needs (ir_memory_bound), kept up to date while a pass moves tensors
 * from one storage to another: what a storage needs is taken out before it changes and put back afterwards.
 */
#ifndef VOXC_NEED_H
#define VOXC_NEED_H

#include "ir.h"

typedef struct need {
    const ir_graph *g;
    ir_arena *arena;
    int64_t *begun, *ended; /* per node: bytes in use from it on; bytes in use no longer than it */
} need;

/* `more`: how many nodes may be inserted. Nothing streams yet. The lists live in `arena`. */
need need_of(const ir_graph *g, int more, ir_arena *arena);
int64_t need_most(const need *n);
/* Takes out, or puts back, what the storages need that these tensors lie in now. The list is sorted. */
void need_take(need *n, int count, const ir_tensor **list);
void need_put(need *n, int count, const ir_tensor **list);
/* A node has been inserted; what it reads and writes is taken out. */
void need_insert(need *n, const ir_node *inserted);

#endif
