/* lifetime.c: see lifetime.h. */
#include "lifetime.h"

#include "index.h"

#include <stdlib.h>

bool ir_spans_meet(ir_span a, ir_span b) {
    return a.first <= b.last && b.first <= a.last;
}

ir_span ir_time_of(const ir_graph *g, int node) {
    int first = node, group = g->nodes[node]->stream;
    while (group && first > 0 && g->nodes[first - 1]->stream == group) first--;
    return (ir_span){first, ir_group_end(g, first)};
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* One tensor inside its buffer. */
typedef struct part {
    int root;        /* position of the buffer's tensor; -1: not in the arena */
    int64_t at, end; /* inside the buffer, rounded to IR_ALIGN */
    ir_span alive;   /* first > last: no node touches it */
    int next;        /* position of the next tensor of the buffer; -1: none */
} part;

static int64_t round_up(int64_t bytes) {
    return (bytes + IR_ALIGN - 1) / IR_ALIGN * IR_ALIGN;
}

static ir_span hull(ir_span a, ir_span b) {
    if (a.first > a.last) return b;
    if (b.first > b.last) return a;
    return (ir_span){a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last};
}

static part locate(const ir_index *index, const ir_tensor *t) {
    part p = {.end = ir_bytes(t), .alive = {0, -1}};
    int64_t before = 0; /* where t's first element lies in a voxel: it has bytes of every voxel */
    for (; t->view_of; t = t->view_of) *(t->pitch ? &before : &p.at) += t->view_offset;
    p.end = round_up(p.at + before + p.end);
    p.root =
        t->role == IR_ROLE_VALUE && !t->fused && !t->on_load && !t->n_outputs ? ir_index_find(index, t) : -1;
    return p;
}

/* The node whose kernel writes the results of node i. */
static int writer_of(const ir_index *index, const int *writer, const ir_node *n, int i) {
    return ir_is_joined(n) ? writer[ir_index_find(index, n->in[0])] : i;
}

static void touch(const ir_graph *g, const ir_index *index, part *parts, const ir_tensor *t, int node) {
    if (!t) return;
    for (int k = 0; t->on_load && k < t->producer->n_in; k++) /* what it is computed from is read instead */
        touch(g, index, parts, t->producer->in[k], node);
    part *p = &parts[ir_index_find(index, t)];
    p->alive = hull(p->alive, ir_time_of(g, node));
}

/* The tensors of a buffer, its own first; the others in the order of the graph. last: room for n positions.
 */
static void link_buffers(part *parts, int n, int *last) {
    for (int i = 0; i < n; i++) {
        parts[i].next = -1;
        last[i] = i;
    }
    for (int i = 0; i < n; i++) {
        const int root = parts[i].root;
        if (root < 0 || root == i) continue;
        parts[last[root]].next = i;
        last[root] = i;
    }
}

static part *find_parts(const ir_graph *g, ir_arena *arena) {
    ir_index index = ir_index_tensors(g, arena);
    part *parts = ir_alloc(arena, (size_t)g->n_tensors + 1, sizeof *parts);
    int *writer = ir_alloc(arena, (size_t)g->n_tensors + 1, sizeof *writer); /* per tensor */
    for (int i = 0; i < g->n_tensors; i++) parts[i] = locate(&index, g->tensors[i]);
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        int by = writer_of(&index, writer, n, i);
        for (int k = 0; k < n->n_in; k++) touch(g, &index, parts, n->in[k], i);
        for (int k = 0; k < n->n_out; k++) {
            touch(g, &index, parts, n->out[k], by);
            writer[ir_index_find(&index, n->out[k])] = by;
        }
    }
    link_buffers(parts, g->n_tensors, ir_alloc(arena, (size_t)g->n_tensors + 1, sizeof(int)));
    return parts;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Where tensors in the buffer of tensor `root` begin and end; may name a place twice. */
static int find_cuts(const part *parts, int root, int64_t *cuts) {
    int count = 0;
    for (int i = root; i >= 0; i = parts[i].next) {
        if (parts[i].at == parts[i].end) continue;
        cuts[count++] = parts[i].at;
        cuts[count++] = parts[i].end;
    }
    qsort(cuts, (size_t)count, sizeof *cuts, ascending);
    return count;
}

/* The smaller of two tensors that share bytes lies in the other; of equals, what is written first came first.
 */
static bool inner(const part *a, const part *b) {
    int64_t x = a->end - a->at, y = b->end - b->at;
    return x < y || (x == y && a->alive.first < b->alive.first);
}

/* What lies between two cuts: when it is in use, and the innermost tensor there; -1: not known yet. */
typedef struct segment {
    ir_span alive;
    int innermost;
} segment;

/* Of tensors alike, the buffer's own comes first, then the graph's order counts. */
static bool inner_of(const part *parts, int a, int b) {
    if (inner(&parts[a], &parts[b]) || inner(&parts[b], &parts[a])) return inner(&parts[a], &parts[b]);
    return parts[b].root != b && (parts[a].root == a || a < b);
}

static void lay_over(segment *s, const part *parts, const segment *more) {
    if (more->innermost < 0) return;
    s->alive = hull(s->alive, more->alive);
    if (s->innermost < 0 || inner_of(parts, more->innermost, s->innermost)) s->innermost = more->innermost;
}

static int cut_at(const int64_t *cuts, int count, int64_t at) {
    int low = 0, high = count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (cuts[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The n segments between cuts, at the leaves n to 2n - 1 of a tree: a tensor is laid over the few nodes whose
 * leaves make up its bytes, and these hand it down. Room for 2n. */
static void find_segments(const part *parts, int root, const int64_t *cuts, int n, segment *tree) {
    for (int i = 0; i < 2 * n; i++) tree[i] = (segment){{0, -1}, -1};
    for (int i = root; i >= 0; i = parts[i].next) {
        if (parts[i].at == parts[i].end) continue;
        const segment all = {parts[i].alive, i};
        int low = n + cut_at(cuts, n + 1, parts[i].at), high = n + cut_at(cuts, n + 1, parts[i].end);
        for (; low < high; low /= 2, high /= 2) {
            if (low & 1) lay_over(&tree[low++], parts, &all);
            if (high & 1) lay_over(&tree[--high], parts, &all);
        }
    }
    for (int i = 2; i < 2 * n; i++) lay_over(&tree[i], parts, &tree[i / 2]);
}

/* Room for what the buffers of a graph are made of, one after the other. */
typedef struct workspace {
    int64_t *cuts;
    segment *tree;
} workspace;

static ir_buffer tensor_buffer(const ir_graph *g, const part *parts, int root, const workspace *w,
                               ir_arena *arena) {
    int n_cuts = 0;
    const int found = find_cuts(parts, root, w->cuts);
    for (int c = 0; c < found; c++)
        if (!n_cuts || w->cuts[n_cuts - 1] < w->cuts[c]) w->cuts[n_cuts++] = w->cuts[c];
    ir_buffer b = {.tensor = g->tensors[root], .bytes = parts[root].end, .n_pieces = n_cuts ? n_cuts - 1 : 0};
    b.pieces = ir_alloc(arena, (size_t)b.n_pieces + 1, sizeof *b.pieces);
    find_segments(parts, root, w->cuts, b.n_pieces, w->tree);
    for (int i = 0; i < b.n_pieces; i++) {
        const segment *s = &w->tree[b.n_pieces + i];
        b.pieces[i] = (ir_piece){w->cuts[i], w->cuts[i + 1] - w->cuts[i], s->alive, g->tensors[s->innermost]};
    }
    return b;
}

static ir_buffer scratch_buffer(const ir_graph *g, int node, ir_arena *arena) {
    ir_buffer b = {.node = g->nodes[node], .bytes = round_up(g->nodes[node]->scratch)};
    b.pieces = ir_alloc(arena, 1, sizeof *b.pieces);
    ir_span alive = ir_time_of(g, node);
    if (g->nodes[node]->gathered)
        alive.first = ir_time_of(g, ir_position(g, g->nodes[node]->in[0]->producer)).first;
    b.pieces[b.n_pieces++] = (ir_piece){0, b.bytes, alive, NULL};
    return b;
}

ir_buffers ir_find_buffers(const ir_graph *g, ir_arena *arena) {
    const part *parts = find_parts(g, arena);
    const size_t room = 4 * (size_t)g->n_tensors + 2;
    const workspace w = {ir_alloc(arena, room, sizeof *w.cuts), ir_alloc(arena, room, sizeof *w.tree)};
    ir_buffers b = {.list = ir_alloc(arena, (size_t)g->n_tensors + (size_t)g->n_nodes + 1, sizeof *b.list)};
    for (int i = 0; i < g->n_tensors; i++)
        if (parts[i].root == i) b.list[b.count++] = tensor_buffer(g, parts, i, &w, arena);
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->scratch) b.list[b.count++] = scratch_buffer(g, i, arena);
    return b;
}

int64_t ir_buffer_offset(const ir_buffer *b) {
    return b->tensor ? b->tensor->arena_offset : b->node->scratch_offset;
}

/* ---- the bound ------------------------------------------------------------------------------- */

int64_t ir_live_bytes(const ir_graph *g, const ir_buffers *b, int64_t *alive) {
    int64_t most = 0;
    for (int i = 0; i < g->n_nodes; i++) alive[i] = 0;
    for (int i = 0; i < b->count; i++)
        for (int k = 0; k < b->list[i].n_pieces; k++) {
            const ir_piece *p = &b->list[i].pieces[k];
            if (p->alive.first > p->alive.last) continue;
            alive[p->alive.first] += p->bytes; /* what begins and ends here, for now */
            if (p->alive.last + 1 < g->n_nodes) alive[p->alive.last + 1] -= p->bytes;
        }
    for (int i = 0; i < g->n_nodes; i++) {
        if (i > 0) alive[i] += alive[i - 1];
        if (alive[i] > most) most = alive[i];
    }
    return most;
}

int64_t ir_memory_bound(const ir_graph *g) {
    ir_arena *scratch = ir_arena_new();
    ir_buffers b = ir_find_buffers(g, scratch);
    int64_t bound = ir_live_bytes(g, &b, ir_alloc(scratch, (size_t)g->n_nodes + 1, sizeof(int64_t)));
    ir_arena_free(scratch);
    return bound;
}
