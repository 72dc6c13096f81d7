/* index.h: finds a tensor's position in a graph's list by its address; -1 for a tensor that is not in the
 * list. Valid until tensors are added or removed. */
#ifndef VOXC_IR_INDEX_H
#define VOXC_IR_INDEX_H

#include "ir.h"

typedef struct ir_index {
    size_t mask;
    const ir_tensor **key;
    int *value;
} ir_index;

ir_index ir_index_tensors(const ir_graph *g, ir_arena *arena);
int ir_index_find(const ir_index *x, const ir_tensor *t);

#endif
