/* need.c: see need.h. */
#include "need.h"

#include "lifetime.h"

#include <stdlib.h>
#include <string.h>

static void add_pieces(need *n, const ir_buffer *b, int64_t sign) {
    for (int k = 0; k < b->n_pieces; k++) {
        const ir_piece *p = &b->pieces[k];
        if (p->alive.first > p->alive.last) continue;
        n->begun[p->alive.first] += sign * p->bytes;
        n->ended[p->alive.last] += sign * p->bytes;
    }
}

need need_of(const ir_graph *g, int more, ir_arena *arena) {
    const size_t room = (size_t)g->n_nodes + (size_t)more + 1;
    need n = {g, arena, ir_alloc(arena, room, sizeof(int64_t)), ir_alloc(arena, room, sizeof(int64_t))};
    const ir_buffers buffers = ir_find_buffers(g, arena);
    for (int i = 0; i < buffers.count; i++) add_pieces(&n, &buffers.list[i], 1);
    return n;
}

int64_t need_most(const need *n) {
    int64_t most = 0, now = 0;
    for (int i = 0; i < n->g->n_nodes; i++) {
        now += n->begun[i];
        if (now > most) most = now;
        now -= n->ended[i];
    }
    return most;
}

static int by_address(const void *a, const void *b) {
    const uintptr_t x = (uintptr_t) * (const ir_tensor *const *)a,
                    y = (uintptr_t) * (const ir_tensor *const *)b;
    return (x > y) - (x < y);
}

/* Addresses decide in which order numbers are added up, and nothing else. */
static void add_storages(need *n, int count, const ir_tensor **list, int64_t sign) {
    ir_arena *scratch = ir_arena_new();
    for (int i = 0; i < count; i++)
        while (list[i]->memory.view_of) list[i] = list[i]->memory.view_of;
    if (count) qsort(list, (size_t)count, sizeof *list, by_address);
    for (int i = 0; i < count; i++) {
        if (i > 0 && list[i] == list[i - 1]) continue;
        const ir_buffer b = ir_buffer_of(n->g, list[i], scratch);
        add_pieces(n, &b, sign);
    }
    ir_arena_free(scratch);
}

void need_take(need *n, int count, const ir_tensor **list) {
    add_storages(n, count, list, -1);
}

void need_put(need *n, int count, const ir_tensor **list) {
    add_storages(n, count, list, 1);
}

void need_insert(need *n, const ir_node *inserted) {
    const int at = ir_position(n->g, inserted);
    const size_t behind = (size_t)(n->g->n_nodes - 1 - at) * sizeof *n->begun;
    memmove(&n->begun[at + 1], &n->begun[at], behind);
    memmove(&n->ended[at + 1], &n->ended[at], behind);
    n->begun[at] = n->ended[at] = 0;
}
