/* verify_content.c: plays a graph's nodes on its memory and keeps books of whose bytes lie where: every byte
 * that a node or the caller reads has been written by whom the graph says, members of concats included,
 * wherever a value has several places or roles. Shares with the planner and the code generator only what a
 * concat copies (ir_is_in_place).
 *
 * A value's bytes are pieces of leaves: a concat is made of its members' pieces, a reshape of its operand's,
 * everything else is a leaf of its own. Offsets count bytes of the storage, of channels-last ones bytes of a
 * voxel. The nodes of a stream are played one after the other: verify_stream.c plays their turns. */
#include "ranges.h"
#include "verify_parts.h"

#include <string.h>

enum { MOST_PIECES = 1 << 12 /* of one value; values of more are not looked at */ };

/* Bytes begin to end are those of tensor `leaf` from byte `from` on. */
typedef struct piece {
    int64_t begin, end, from;
    int leaf;
} piece;

/* Ascending, apart; what lies between holds rubbish. */
typedef struct content {
    int count, room;
    piece *list;
} content;

typedef struct books {
    verifier *v;
    content *want;   /* per tensor, from byte 0: what it is */
    content *holds;  /* per tensor that is a storage: what lies there */
    ir_ranges arena; /* per tensor its place in the arena, if it is a storage; on: it may hold something */
    bool too_many;
} books;

static int index_of(const books *b, const ir_tensor *t) {
    return ir_index_find(&b->v->index, t);
}

static int64_t length_of(const ir_tensor *t) {
    return t->gpu.pitch ? t->dim[1] * ir_element_bytes(t) : ir_bytes(t);
}

static const ir_tensor *root_of(const ir_tensor *t, int64_t *at) {
    *at = 0;
    for (; t->memory.view_of; t = t->memory.view_of) *at += t->memory.view_offset;
    return t;
}

static bool in_memory(const ir_tensor *t) {
    return t->role != IR_ROLE_CONST && !t->cpu.fused && !t->cpu.on_load;
}

static void append_piece(content *c, piece p) {
    piece *last = c->count ? &c->list[c->count - 1] : NULL;
    if (p.begin >= p.end) return;
    if (last && last->end == p.begin && last->leaf == p.leaf &&
        last->from + (last->end - last->begin) == p.from)
        last->end = p.end;
    else
        c->list[c->count++] = p;
}

/* ---- what a value is made of ----------------------------------------------------------------- */

static content leaf(const books *b, int t) {
    content c = {.list = ir_alloc(b->v->scratch, 1, sizeof(piece))};
    append_piece(&c, (piece){0, length_of(b->v->g->tensors[t]), 0, t});
    return c;
}

/* Whether the members lie one after the other in the concat's bytes, or voxels. */
static bool is_joined_up(const ir_node *concat, const int64_t *places) {
    for (int k = 0; k < concat->n_in; k++) {
        const ir_tensor *t = concat->in[k], *whole = concat->out[0];
        if (whole->gpu.pitch && (!t->gpu.pitch || t->gpu.storage != whole->gpu.storage)) return false;
        if (places[k] < 0) return false;
    }
    return true;
}

static content concat_of(books *b, const ir_node *n, const int64_t *places) {
    size_t room = 0;
    for (int k = 0; k < n->n_in; k++) room += (size_t)b->want[index_of(b, n->in[k])].count;
    b->too_many |= room > MOST_PIECES;
    content c = {.list = ir_alloc(b->v->scratch, b->too_many ? 1 : room + 1, sizeof(piece))};
    for (int k = 0; k < n->n_in && !b->too_many; k++) {
        int64_t at = places[k];
        const content *member = &b->want[index_of(b, n->in[k])];
        for (int i = 0; i < member->count; i++) {
            piece p = member->list[i];
            append_piece(&c, (piece){p.begin + at, p.end + at, p.from, p.leaf});
        }
    }
    return c;
}

static void find_wants(books *b) {
    const ir_graph *g = b->v->g;
    for (int i = 0; i < g->n_tensors; i++)
        if (!g->tensors[i]->producer) b->want[i] = leaf(b, i);
    for (int i = 0; i < g->n_nodes && !b->too_many; i++) {
        const ir_node *n = g->nodes[i];
        int y = index_of(b, n->out[0]);
        const int64_t *places = n->op == IR_OP_CONCAT ? verify_places_in(n, b->v->scratch) : NULL;
        if (places && is_joined_up(n, places))
            b->want[y] = concat_of(b, n, places);
        else if (n->op == IR_OP_RESHAPE)
            b->want[y] = b->want[index_of(b, n->in[0])];
        else
            b->want[y] = leaf(b, y);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The first piece that ends behind byte `at`; c->count: none does. */
static int first_behind(const content *c, int64_t at) {
    int low = 0, high = c->count;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (c->list[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Makes `more` of c's pieces from number `from` on of what were `less`. */
static void resize_pieces(const books *b, content *c, int from, int less, int more) {
    int count = c->count - less + more, behind = c->count - from - less;
    if (count > c->room) {
        piece *list = ir_alloc(b->v->scratch, 2 * (size_t)count, sizeof *list);
        if (c->count) memcpy(list, c->list, (size_t)c->count * sizeof *list);
        c->list = list;
        c->room = 2 * count;
    }
    if (behind) memmove(&c->list[from + more], &c->list[from + less], (size_t)behind * sizeof *c->list);
    c->count = count;
}

/* Bytes begin to end become `with`, moved by `at`; NULL: rubbish. */
static void replace(const books *b, content *c, int64_t begin, int64_t end, const content *with, int64_t at) {
    int from = first_behind(c, begin), to = from;
    if (begin >= end) return;
    while (to < c->count && c->list[to].begin < end) to++;
    piece room[2];
    content left = {.list = room}; /* of the first and the last of these pieces */
    if (from < to && c->list[from].begin < begin) {
        append_piece(&left, c->list[from]);
        left.list[0].end = begin;
    }
    const int before = left.count, more = with ? with->count : 0;
    if (from < to && c->list[to - 1].end > end) {
        piece p = c->list[to - 1];
        left.list[left.count++] = (piece){end, p.end, p.from + (end - p.begin), p.leaf};
    }
    resize_pieces(b, c, from, to - from, left.count + more);
    if (before) c->list[from] = left.list[0];
    for (int i = 0; i < more; i++) {
        piece p = with->list[i];
        c->list[from + before + i] = (piece){p.begin + at, p.end + at, p.from, p.leaf};
    }
    if (left.count > before) c->list[from + before + more] = left.list[before];
}

/* Where storages lie in the arena; nowhere: views, and what belongs to the caller. */
static ir_ranges find_places(const books *b) {
    const ir_graph *g = b->v->g;
    ir_range *list = ir_alloc(b->v->scratch, (size_t)g->n_tensors + 1, sizeof *list);
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        if (g->arena_bytes < 0 || t->memory.arena_offset < 0 || t->memory.view_of) continue;
        list[i] = (ir_range){t->memory.arena_offset, t->memory.arena_offset + ir_bytes(t)};
    }
    return ir_ranges_new(g->n_tensors, list, b->v->scratch);
}

/* Bytes of the arena are written: what other storages held there is gone; of channels-last ones, all. */
static void clobber(books *b, const ir_tensor *by, int64_t begin, int64_t end) {
    for (int from = 0, i; (i = ir_ranges_next(&b->arena, (ir_range){begin, end}, &from)) >= 0;) {
        const ir_tensor *t = b->v->g->tensors[i];
        const int64_t at = t->memory.arena_offset, size = ir_bytes(t);
        if (t == by) continue;
        replace(b, &b->holds[i], t->gpu.pitch ? 0 : begin - at, t->gpu.pitch ? size : end - at, NULL, 0);
        if (!b->holds[i].count) ir_ranges_switch(&b->arena, i, false);
    }
}

/* `what` is written to byte `at` of t. */
static void write_to(books *b, const ir_tensor *t, int64_t at, int64_t bytes, const content *what) {
    int64_t place;
    const ir_tensor *root = root_of(t, &place);
    if (root->memory.arena_offset >= 0 && root->gpu.pitch)
        clobber(b, root, root->memory.arena_offset, root->memory.arena_offset + ir_bytes(root));
    if (root->memory.arena_offset >= 0 && !root->gpu.pitch)
        clobber(b, root, root->memory.arena_offset + place + at,
                root->memory.arena_offset + place + at + bytes);
    const int i = index_of(b, root);
    if (!b->holds[i].count) ir_ranges_switch(&b->arena, i, true);
    replace(b, &b->holds[i], place + at, place + at + bytes, what, place + at);
}

static void write_all(books *b, const ir_tensor *t) {
    if (in_memory(t)) write_to(b, t, 0, length_of(t), &b->want[index_of(b, t)]);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const piece *piece_at(const content *c, int64_t at) {
    const int i = first_behind(c, at);
    return i < c->count && c->list[i].begin <= at ? &c->list[i] : NULL;
}

static bool wrong(const books *b, const char *reader, const ir_tensor *t, int64_t byte, const piece *there) {
    const char *whose = there ? b->v->g->tensors[there->leaf]->name : "nothing that was written";
    return verify_broken(b->v, "content", "'%s' reads %%%s, of which byte %lld holds %s%s", reader, t->name,
                         (long long)byte, there ? "that of %" : "", whose);
}

static bool check_read(const books *b, const char *reader, const ir_tensor *t) {
    for (int k = 0; t->cpu.on_load && k < t->producer->n_in; k++) /* computed again by its reader */
        if (t->producer->in[k] && !check_read(b, reader, t->producer->in[k])) return false;
    if (!in_memory(t)) return true;
    int64_t place;
    const content *want = &b->want[index_of(b, t)], *holds = &b->holds[index_of(b, root_of(t, &place))];
    for (int i = 0; i < want->count; i++)
        for (int64_t at = want->list[i].begin; at < want->list[i].end;) {
            const piece *p = piece_at(holds, place + at);
            int64_t from = want->list[i].from + (at - want->list[i].begin);
            if (!p || p->leaf != want->list[i].leaf || p->from + (place + at - p->begin) != from)
                return wrong(b, reader, t, at, p);
            at = p->end - place;
        }
    return true;
}

/* ---- playing --------------------------------------------------------------------------------- */

/* Copies what does not lie at its place. */
static bool play_concat(books *b, const ir_node *n) {
    const int64_t *places = verify_places_in(n, b->v->scratch);
    const bool joined_up = is_joined_up(n, places);
    for (int k = 0; k < n->n_in; k++) {
        const ir_tensor *t = n->in[k];
        if (ir_is_in_place(n, k)) continue;
        if (!check_read(b, n->name, t)) return false;
        int64_t bytes = n->out[0]->gpu.pitch ? t->dim[1] * ir_element_bytes(n->out[0]) : length_of(t);
        if (joined_up) write_to(b, n->out[0], places[k], bytes, &b->want[index_of(b, t)]);
    }
    if (!joined_up) write_all(b, n->out[0]);
    return true;
}

static bool play(books *b, const ir_node *n) {
    if (ir_is_joined(n) || n->out[0]->cpu.on_load) return true; /* the kernel of another node does its work */
    if (n->op == IR_OP_CONCAT) return play_concat(b, n);
    if (n->op == IR_OP_RESHAPE && n->out[0]->memory.view_of == n->in[0]) return true;
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && !check_read(b, n->name, n->in[k])) return false;
    if (n->memory.scratch_offset >= 0)
        clobber(b, NULL, n->memory.scratch_offset, n->memory.scratch_offset + n->memory.scratch);
    write_all(b, n->out[0]);
    for (int i = 0; n->op == IR_OP_CONV && i < n->out[0]->n_users; i++) {
        const ir_node *other = n->out[0]->users[i];
        if (other->in[0] == n->out[0] && ir_is_joined(other)) write_all(b, other->out[0]);
    }
    return true;
}

bool verify_content(verifier *v) {
    const ir_graph *g = v->g;
    books b = {.v = v};
    b.want = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *b.want);
    b.holds = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *b.holds);
    b.arena = find_places(&b);
    find_wants(&b);
    if (b.too_many) return true;
    for (int i = 0; i < g->n_inputs; i++) write_all(&b, g->inputs[i]);
    for (int i = 0; i < g->n_nodes; i++)
        if (!play(&b, g->nodes[i])) return false;
    for (int i = 0; i < g->n_outputs; i++)
        if (!check_read(&b, "(the caller)", g->outputs[i])) return false;
    return true;
}
