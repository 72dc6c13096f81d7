/* pass_memory.c: offsets in the arena.
 *
 * The pieces of a buffer (lifetime.h) keep their places side by side, but each collides only with what is in
 * use at the same time as itself. At each node the pieces alive there must fit, so the largest such sum is a
 * lower bound for every plan of this order of nodes. Largest-first placement (Pisarchyk and Lee 2020, "greedy
 * by size") meets that bound on nearly every network; where it does not, other orders are tried.
 */
#include "lifetime.h"
#include "memory_passes.h"
#include "placed.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORK = 20000000 /* pieces to look at while trying orders: about a twentieth of a second */ };

typedef struct plan {
    ir_buffers buffers;
    int64_t *offset; /* per buffer */
    placed_list placed;
    int64_t work; /* pieces looked at, or passed over */
} plan;

/* The lowest place of the buffer, from `offset` on, that this piece of it can bear. */
static int64_t lowest_for(plan *p, const ir_piece *piece, int64_t offset) {
    p->work += 1 + p->placed.count;
    return placed_lowest(&p->placed, piece->alive, piece->bytes, offset + piece->at) - piece->at;
}

/* Every piece pushes the buffer up to where it fits, until none does. */
static int64_t lowest_place(plan *p, const ir_buffer *b) {
    int64_t offset = 0;
    for (int k = 0, satisfied = 0; satisfied < b->n_pieces; k = (k + 1) % b->n_pieces) {
        int64_t higher = lowest_for(p, &b->pieces[k], offset);
        satisfied = higher == offset ? satisfied + 1 : 1;
        offset = higher;
    }
    return offset;
}

static void keep_offset(plan *p, const ir_buffer *b, int64_t offset) {
    for (int k = 0; k < b->n_pieces; k++) {
        const ir_piece *piece = &b->pieces[k];
        placed_add(&p->placed, (placed){offset + piece->at, offset + piece->at + piece->bytes, piece->alive});
    }
}

/* Places the buffers in `order`; returns the bytes needed, or more than `limit` as soon as it must exceed
 * that. */
static int64_t place_buffers(plan *p, const int *order, int64_t limit) {
    int64_t bytes = 0;
    placed_clear(&p->placed);
    for (int i = 0; i < p->buffers.count && bytes <= limit; i++) {
        const ir_buffer *b = &p->buffers.list[order[i]];
        int64_t offset = p->offset[order[i]] = lowest_place(p, b);
        if (offset + b->bytes > bytes) bytes = offset + b->bytes;
        keep_offset(p, b, offset);
    }
    return bytes;
}

typedef struct ranked {
    int64_t bytes;
    int buffer;
} ranked;

/* Of equals, the earlier in the graph comes first. */
static int larger_first(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->buffer - y->buffer;
}

static void sort_larger_first(const ir_buffers *b, int *order, ir_arena *arena) {
    ranked *list = ir_alloc(arena, (size_t)b->count + 1, sizeof *list);
    for (int i = 0; i < b->count; i++) list[i] = (ranked){b->list[i].bytes, i};
    qsort(list, (size_t)b->count, sizeof *list, larger_first);
    for (int i = 0; i < b->count; i++) order[i] = list[i].buffer;
}

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Largest first, then seeded swaps in that order that never make it worse, until the bound is met or a large
 * graph has had its share of work. Returns the bytes needed. */
static int64_t search(plan *p, int64_t bound, ir_arena *arena) {
    size_t count = (size_t)p->buffers.count;
    int *order = ir_alloc(arena, count, sizeof *order), *best = ir_alloc(arena, count, sizeof *best);
    sort_larger_first(&p->buffers, best, arena);
    int64_t least = place_buffers(p, best, INT64_MAX);
    uint64_t state = 1;
    bool tried = false;
    while (least > bound && p->work < MOST_WORK) {
        memcpy(order, best, count * sizeof *order);
        size_t a = next_random(&state) % count, b = next_random(&state) % count;
        int moved = order[a];
        order[a] = order[b];
        order[b] = moved;
        int64_t bytes = place_buffers(p, order, least);
        tried = true;
        if (bytes > least) continue;
        least = bytes;
        memcpy(best, order, count * sizeof *order);
    }
    return tried ? place_buffers(p, best, INT64_MAX) : least;
}

static plan make_plan(const ir_graph *g, ir_arena *scratch) {
    plan p = {.buffers = ir_find_buffers(g, scratch), .placed.arena = scratch};
    p.offset = ir_alloc(scratch, (size_t)p.buffers.count + 1, sizeof *p.offset);
    return p;
}

/* requires: views placed, fused values and scratch sizes decided; nothing adds, removes or moves a node
 * afterwards. maintains: graph. gives: arena_offset of every buffer (a view's place is its owner's),
 * scratch_offset, arena_bytes. */
bool pass_memory(ir_graph *g, ir_diag *d) {
    (void)d;
    ir_arena *scratch = ir_arena_new();
    plan p = make_plan(g, scratch);
    g->arena_bytes = p.buffers.count ? search(&p, ir_memory_bound(g), scratch) : 0;
    for (int i = 0; i < p.buffers.count; i++) {
        const ir_buffer *b = &p.buffers.list[i];
        *(b->tensor ? &b->tensor->memory.arena_offset : &b->node->memory.scratch_offset) = p.offset[i];
    }
    ir_arena_free(scratch);
    return true;
}
