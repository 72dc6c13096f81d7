/* index.c: a hash table from tensor addresses to positions. Only looked up, never walked, so that addresses
 * cannot decide the order of anything. */
#include "index.h"

static size_t slot_of(const ir_index *x, const ir_tensor *t) {
    uint64_t h = (uint64_t)(uintptr_t)t * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = (size_t)(h >> 32) & x->mask;
    while (x->key[at] && x->key[at] != t) at = (at + 1) & x->mask;
    return at;
}

ir_index ir_index_tensors(const ir_graph *g, ir_arena *arena) {
    size_t size = 16;
    while (size < 2 * (size_t)g->n_tensors) size *= 2;
    ir_index x = {size - 1, ir_alloc(arena, size, sizeof *x.key), ir_alloc(arena, size, sizeof *x.value)};
    for (int i = 0; i < g->n_tensors; i++) {
        size_t at = slot_of(&x, g->tensors[i]);
        x.key[at] = g->tensors[i];
        x.value[at] = i;
    }
    return x;
}

int ir_index_find(const ir_index *x, const ir_tensor *t) {
    size_t at = slot_of(x, t);
    return t && x->key[at] ? x->value[at] : -1;
}
