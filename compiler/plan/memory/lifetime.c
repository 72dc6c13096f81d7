/* lifetime.c: see lifetime.h. */
#include "lifetime.h"

#include "grow.h"
#include "index.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

bool ir_spans_meet(ir_span a, ir_span b) {
    return a.first <= b.last && b.first <= a.last;
}

ir_span ir_time_of(const ir_graph *g, int node) {
    int first = node, group = g->nodes[node]->memory.stream;
    while (group && first > 0 && g->nodes[first - 1]->memory.stream == group) first--;
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

static bool in_arena(const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && !t->cpu.fused && !t->cpu.on_load && !t->n_outputs;
}

/* *root: what t lies in; the part's own root is left to the caller. */
static part locate(const ir_tensor *t, const ir_tensor **root) {
    part p = {.root = -1, .end = ir_bytes(t), .alive = {0, -1}, .next = -1};
    int64_t before = 0; /* where t's first element lies in a voxel: it has bytes of every voxel */
    for (; t->memory.view_of; t = t->memory.view_of)
        *(t->gpu.pitch ? &before : &p.at) += t->memory.view_offset;
    p.end = round_up(p.at + before + p.end);
    *root = t;
    return p;
}

/* The node whose kernel writes the results of node i. */
static int writer_of(const ir_index *index, const int *writer, const ir_node *n, int i) {
    return ir_is_joined(n) ? writer[ir_index_find(index, n->in[0])] : i;
}

static void touch(const ir_graph *g, const ir_index *index, part *parts, const ir_tensor *t, int node) {
    if (!t) return;
    for (int k = 0; t->cpu.on_load && k < t->producer->n_in;
         k++) /* what it is computed from is read instead */
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
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *root;
        parts[i] = locate(g->tensors[i], &root);
        if (in_arena(root)) parts[i].root = ir_index_find(&index, root);
    }
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

/* For buffers of so many parts at most. */
static workspace make_workspace(int parts, ir_arena *arena) {
    const size_t room = 4 * (size_t)parts + 2;
    return (workspace){ir_alloc(arena, room, sizeof(int64_t)), ir_alloc(arena, room, sizeof(segment))};
}

/* tensors: what the parts are. */
static ir_buffer tensor_buffer(ir_tensor *const *tensors, const part *parts, int root, const workspace *w,
                               ir_arena *arena) {
    int n_cuts = 0;
    const int found = find_cuts(parts, root, w->cuts);
    for (int c = 0; c < found; c++)
        if (!n_cuts || w->cuts[n_cuts - 1] < w->cuts[c]) w->cuts[n_cuts++] = w->cuts[c];
    ir_buffer b = {.tensor = tensors[root], .bytes = parts[root].end, .n_pieces = n_cuts ? n_cuts - 1 : 0};
    b.pieces = ir_alloc(arena, (size_t)b.n_pieces + 1, sizeof *b.pieces);
    find_segments(parts, root, w->cuts, b.n_pieces, w->tree);
    for (int i = 0; i < b.n_pieces; i++) {
        const segment *s = &w->tree[b.n_pieces + i];
        b.pieces[i] = (ir_piece){w->cuts[i], w->cuts[i + 1] - w->cuts[i], s->alive, tensors[s->innermost]};
    }
    return b;
}

static ir_buffer scratch_buffer(const ir_graph *g, int node, ir_arena *arena) {
    ir_buffer b = {.node = g->nodes[node], .bytes = round_up(g->nodes[node]->memory.scratch)};
    b.pieces = ir_alloc(arena, 1, sizeof *b.pieces);
    ir_span alive = ir_time_of(g, node);
    if (g->nodes[node]->cpu.gathered)
        alive.first = ir_time_of(g, ir_position(g, g->nodes[node]->in[0]->producer)).first;
    b.pieces[b.n_pieces++] = (ir_piece){0, b.bytes, alive, NULL};
    return b;
}

ir_buffers ir_find_buffers(const ir_graph *g, ir_arena *arena) {
    const part *parts = find_parts(g, arena);
    const workspace w = make_workspace(g->n_tensors, arena);
    ir_buffers b = {.list = ir_alloc(arena, (size_t)g->n_tensors + (size_t)g->n_nodes + 1, sizeof *b.list)};
    for (int i = 0; i < g->n_tensors; i++)
        if (parts[i].root == i) b.list[b.count++] = tensor_buffer(g->tensors, parts, i, &w, arena);
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->memory.scratch) b.list[b.count++] = scratch_buffer(g, i, arena);
    return b;
}

/* ---- one buffer ------------------------------------------------------------------------------ */

/* From where its kernel runs to its last reader, those that compute it again among them. */
static ir_span life_of(const ir_graph *g, const ir_tensor *t) {
    const ir_node *by = t->producer;
    ir_span alive = {0, -1};
    while (by && ir_is_joined(by)) by = by->in[0]->producer;
    if (by) alive = ir_time_of(g, ir_position(g, by));
    for (int i = 0; i < t->n_users; i++) {
        const ir_node *n = t->users[i];
        alive = hull(alive, ir_time_of(g, ir_position(g, n)));
        if (n->out[0]->cpu.on_load) alive = hull(alive, life_of(g, n->out[0]));
    }
    return alive;
}

typedef struct tensor_list {
    int count, capacity;
    ir_tensor **list;
} tensor_list;

static void append_view(tensor_list *l, ir_tensor *t, const ir_tensor *of, ir_arena *arena) {
    if (!t || t->memory.view_of != of) return;
    l->list = ir_grow(arena, l->list, l->count, &l->capacity);
    l->list[l->count++] = t;
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(ir_tensor *const *)a)->name, (*(ir_tensor *const *)b)->name);
}

/* Appends the views of t, as ir_has_views finds them, each once. */
static void append_views(tensor_list *l, const ir_tensor *t, ir_arena *arena) {
    const ir_node *by = t->producer;
    const int from = l->count;
    for (int k = 0; by && k < by->n_in; k++) append_view(l, by->in[k], t, arena);
    for (int i = 0; i < t->n_users; i++) append_view(l, t->users[i]->out[0], t, arena);
    if (l->count - from < 2) return;
    qsort(&l->list[from], (size_t)(l->count - from), sizeof *l->list, by_name);
    int kept = from + 1;
    for (int i = kept; i < l->count; i++)
        if (l->list[i] != l->list[kept - 1]) l->list[kept++] = l->list[i];
    l->count = kept;
}

ir_buffer ir_buffer_of(const ir_graph *g, const ir_tensor *root, ir_arena *arena) {
    tensor_list l = {0};
    if (!in_arena(root)) return (ir_buffer){0};
    l.list = ir_grow(arena, NULL, 0, &l.capacity);
    l.list[l.count++] = root->producer->out[0];
    for (int i = 0; i < l.count; i++) append_views(&l, l.list[i], arena);
    part *parts = ir_alloc(arena, (size_t)l.count, sizeof *parts);
    for (int i = 0; i < l.count; i++) {
        parts[i] = locate(l.list[i], &root);
        parts[i].root = 0;
        parts[i].alive = life_of(g, l.list[i]);
        parts[i].next = i + 1 < l.count ? i + 1 : -1;
    }
    const workspace w = make_workspace(l.count, arena);
    return tensor_buffer(l.list, parts, 0, &w, arena);
}

int64_t ir_buffer_offset(const ir_buffer *b) {
    return b->tensor ? b->tensor->memory.arena_offset : b->node->memory.scratch_offset;
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
