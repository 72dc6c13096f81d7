/* pass_memory.c: offsets in the arena.
 *
 * A buffer is a value together with all its views; it lives from the first node that writes any part to the
 * last node that reads any part. At each node the buffers alive there must fit side by side, so the largest
 * such sum is a lower bound for every plan of this order of nodes. Largest-first placement (Pisarchyk and Lee
 * 2020, "greedy by size") meets that bound on nearly every network; where it does not, other orders are
 * tried.
 */
#include "passes.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, SHUFFLES = 2000 };

bool pass_is_output(const ir_graph *g, const ir_tensor *t) {
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == t) return true;
    return false;
}

typedef struct buffer {
    ir_tensor *tensor;
    int64_t bytes, offset;
    int first, last; /* node numbers, both inclusive */
} buffer;

typedef struct plan {
    buffer *buffers;
    int count;
    int64_t bytes;
} plan;

static ir_tensor *root_of(ir_tensor *t) {
    while (t->view_of) t = t->view_of;
    return t;
}

static bool in_arena(const ir_graph *g, const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && !pass_is_output(g, t);
}

static buffer *find(plan *p, const ir_tensor *root) {
    for (int i = 0; i < p->count; i++)
        if (p->buffers[i].tensor == root) return &p->buffers[i];
    return NULL;
}

/* Nodes first to last touch t; one node, or a group that streams. */
static void touch(const ir_graph *g, plan *p, ir_tensor *t, int first, int last) {
    if (!t || !in_arena(g, t)) return;
    ir_tensor *root = root_of(t);
    buffer *b = find(p, root);
    if (!b) {
        b = &p->buffers[p->count++];
        *b = (buffer){.tensor = root, .bytes = (ir_bytes(root) + ALIGN - 1) / ALIGN * ALIGN, .first = first};
    }
    b->last = last;
}

static void find_lifetimes(const ir_graph *g, plan *p) {
    for (int i = 0, first = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (i > 0 && !(n->stream && n->stream == g->nodes[i - 1]->stream)) first = i;
        int last = ir_group_end(g, first);
        for (int k = 0; k < n->n_in; k++) touch(g, p, n->in[k], first, last);
        for (int k = 0; k < n->n_out; k++) touch(g, p, n->out[k], first, last);
    }
}

/* Bytes in use at a node. */
static int64_t alive_at(const plan *p, int node) {
    int64_t alive = 0;
    for (int k = 0; k < p->count; k++)
        if (p->buffers[k].first <= node && node <= p->buffers[k].last) alive += p->buffers[k].bytes;
    return alive;
}

static int64_t lower_bound(const plan *p, int nodes) {
    int64_t most = 0;
    for (int i = 0; i < nodes; i++)
        if (alive_at(p, i) > most) most = alive_at(p, i);
    return most;
}

static bool alive_together(const buffer *a, const buffer *b) {
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest gap between the placed buffers alive with b; placed is sorted by offset. */
static int64_t lowest_gap(buffer *const *placed, int count, const buffer *b) {
    int64_t end = 0;
    for (int i = 0; i < count; i++) {
        if (!alive_together(placed[i], b)) continue;
        if (placed[i]->offset - end >= b->bytes) break;
        int64_t after = placed[i]->offset + placed[i]->bytes;
        if (after > end) end = after;
    }
    return end;
}

/* Places buffers in `order`, returns the bytes needed. placed: scratch for count pointers. */
static int64_t place(plan *p, const int *order, buffer **placed) {
    int64_t bytes = 0;
    for (int i = 0; i < p->count; i++) {
        buffer *b = &p->buffers[order[i]];
        b->offset = lowest_gap(placed, i, b);
        if (b->offset + b->bytes > bytes) bytes = b->offset + b->bytes;
        int k = i;
        for (; k > 0 && placed[k - 1]->offset > b->offset; k--) placed[k] = placed[k - 1];
        placed[k] = b;
    }
    return bytes;
}

static int larger_first(const void *a, const void *b) {
    const buffer *x = a, *y = b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->first != y->first ? x->first - y->first : x->last - y->last;
}

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Largest first, then seeded swaps in that order that never make it worse, until the bound is met. */
static void search(plan *p, int64_t bound, ir_arena *arena) {
    size_t count = (size_t)p->count;
    int *order = ir_alloc(arena, count, sizeof *order), *best = ir_alloc(arena, count, sizeof *best);
    buffer **placed = ir_alloc(arena, count, sizeof *placed);
    qsort(p->buffers, count, sizeof *p->buffers, larger_first);
    for (int i = 0; i < p->count; i++) best[i] = i;
    p->bytes = place(p, best, placed);
    uint64_t state = 1;
    for (int i = 0; i < SHUFFLES && p->bytes > bound; i++) {
        memcpy(order, best, count * sizeof *order);
        size_t a = next_random(&state) % count, b = next_random(&state) % count;
        int moved = order[a];
        order[a] = order[b];
        order[b] = moved;
        int64_t bytes = place(p, order, placed);
        if (bytes > p->bytes) continue;
        p->bytes = bytes;
        memcpy(best, order, count * sizeof *order);
    }
    p->bytes = place(p, best, placed);
}

static plan make_plan(const ir_graph *g, ir_arena *scratch) {
    plan p = {.buffers = ir_alloc(scratch, (size_t)g->n_tensors + 1, sizeof(buffer))};
    find_lifetimes(g, &p);
    return p;
}

int64_t pass_memory_bound(const ir_graph *g) {
    ir_arena *scratch = ir_arena_new();
    plan p = make_plan(g, scratch);
    int64_t bound = lower_bound(&p, g->n_nodes);
    ir_arena_free(scratch);
    return bound;
}

void pass_memory_alive(const ir_graph *g, int64_t *alive) {
    ir_arena *scratch = ir_arena_new();
    plan p = make_plan(g, scratch);
    for (int i = 0; i < g->n_nodes; i++) alive[i] = alive_at(&p, i);
    ir_arena_free(scratch);
}

/* requires: views placed; nothing adds, removes or moves a node afterwards. maintains: graph. gives:
 * arena_offset of every buffer (a view's place is its owner's), arena_bytes. */
bool pass_memory(ir_graph *g, ir_diag *d) {
    (void)d;
    ir_arena *scratch = ir_arena_new();
    plan p = make_plan(g, scratch);
    if (p.count) search(&p, lower_bound(&p, g->n_nodes), scratch);
    for (int i = 0; i < p.count; i++) p.buffers[i].tensor->arena_offset = p.buffers[i].offset;
    g->arena_bytes = p.bytes;
    ir_arena_free(scratch);
    return true;
}
