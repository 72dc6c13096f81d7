/* verify_content.c: plays a graph's nodes on its memory and keeps books of whose bytes lie where: every byte
 * that a node or the caller reads has been written by whom the graph says, members of concats included,
 * wherever a value has several places or roles. Shares with the planner and the code generator only what a
 * concat copies (ir_is_in_place).
 *
 * A value's bytes are pieces of leaves: a concat is made of its members' pieces, a reshape of its operand's,
 * everything else is a leaf of its own. Offsets count bytes of the storage, of channels-last ones bytes of a
 * voxel. The nodes of a stream are played one after the other: verify_stream.c plays their turns. */
#include "verify.h"

#include <string.h>

enum {
    MOST_PIECES = 1 << 12, /* of one value; values of more are not looked at */
    BUCKETS = 256
};

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

/* Of a part of the arena: the storages with bytes there that hold something, and some that hold nothing any
 * more. */
typedef struct bucket {
    int count, room;
    int *list; /* positions of tensors */
} bucket;

typedef struct books {
    verifier *v;
    content *want;  /* per tensor, from byte 0: what it is */
    content *holds; /* per tensor that is a storage: what lies there */
    bucket *buckets;
    bool too_many;
} books;

static int index_of(const books *b, const ir_tensor *t) {
    return ir_index_find(&b->v->index, t);
}

static int64_t length_of(const ir_tensor *t) {
    return t->pitch ? t->dim[1] * ir_element_bytes(t) : ir_bytes(t);
}

static const ir_tensor *root_of(const ir_tensor *t, int64_t *at) {
    *at = 0;
    for (; t->view_of; t = t->view_of) *at += t->view_offset;
    return t;
}

static bool in_memory(const ir_tensor *t) {
    return t->role != IR_ROLE_CONST && !t->fused && !t->on_load;
}

static void append(content *c, piece p) {
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
    append(&c, (piece){0, length_of(b->v->g->tensors[t]), 0, t});
    return c;
}

/* Whether the members lie one after the other in the concat's bytes, or voxels. */
static bool is_joined_up(const ir_node *concat) {
    for (int k = 0; k < concat->n_in; k++) {
        const ir_tensor *t = concat->in[k], *whole = concat->out[0];
        if (whole->pitch && (!t->pitch || t->storage != whole->storage)) return false;
        if (verify_place_in(concat, k) < 0) return false;
    }
    return true;
}

static content concat_of(books *b, const ir_node *n) {
    size_t room = 0;
    for (int k = 0; k < n->n_in; k++) room += (size_t)b->want[index_of(b, n->in[k])].count;
    b->too_many |= room > MOST_PIECES;
    content c = {.list = ir_alloc(b->v->scratch, b->too_many ? 1 : room + 1, sizeof(piece))};
    for (int k = 0; k < n->n_in && !b->too_many; k++) {
        int64_t at = verify_place_in(n, k);
        const content *member = &b->want[index_of(b, n->in[k])];
        for (int i = 0; i < member->count; i++) {
            piece p = member->list[i];
            append(&c, (piece){p.begin + at, p.end + at, p.from, p.leaf});
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
        if (n->op == IR_OP_CONCAT && is_joined_up(n))
            b->want[y] = concat_of(b, n);
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
static void resize(const books *b, content *c, int from, int less, int more) {
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
        append(&left, c->list[from]);
        left.list[0].end = begin;
    }
    const int before = left.count, more = with ? with->count : 0;
    if (from < to && c->list[to - 1].end > end) {
        piece p = c->list[to - 1];
        left.list[left.count++] = (piece){end, p.end, p.from + (end - p.begin), p.leaf};
    }
    resize(b, c, from, to - from, left.count + more);
    if (before) c->list[from] = left.list[0];
    for (int i = 0; i < more; i++) {
        piece p = with->list[i];
        c->list[from + before + i] = (piece){p.begin + at, p.end + at, p.from, p.leaf};
    }
    if (left.count > before) c->list[from + before + more] = left.list[before];
}

static int bucket_of(const ir_graph *g, int64_t byte) {
    int64_t size = g->arena_bytes / BUCKETS + 1, at = byte / size;
    return at < 0 ? 0 : at < BUCKETS ? (int)at : BUCKETS - 1;
}

/* Storage i begins to hold something. */
static void enter(const books *b, int i) {
    const ir_tensor *t = b->v->g->tensors[i];
    if (b->v->g->arena_bytes < 0 || t->arena_offset < 0) return;
    int last = bucket_of(b->v->g, t->arena_offset + ir_bytes(t) - 1);
    for (int k = bucket_of(b->v->g, t->arena_offset); k <= last; k++) {
        bucket *into = &b->buckets[k];
        if (into->count == into->room) {
            int room = 2 * into->room + 16, *list = ir_alloc(b->v->scratch, (size_t)room, sizeof *list);
            if (into->count) memcpy(list, into->list, (size_t)into->count * sizeof *list);
            into->list = list;
            into->room = room;
        }
        into->list[into->count++] = i;
    }
}

/* Bytes from..to of the arena are written: whether storage i, not `by`, holds something afterwards. */
static bool survives(const books *b, int i, const ir_tensor *by, int64_t begin, int64_t end) {
    const ir_tensor *t = b->v->g->tensors[i];
    int64_t from = begin - t->arena_offset, to = end - t->arena_offset, size = ir_bytes(t);
    if (t != by && b->holds[i].count && from < size && to > 0)
        replace(b, &b->holds[i], t->pitch ? 0 : from, t->pitch ? size : to, NULL, 0);
    return b->holds[i].count > 0;
}

/* Bytes of the arena are written: what other storages held there is gone; of channels-last ones, all. */
static void clobber(const books *b, const ir_tensor *by, int64_t begin, int64_t end) {
    if (b->v->g->arena_bytes < 0) return;
    for (int k = bucket_of(b->v->g, begin), last = bucket_of(b->v->g, end - 1); k <= last; k++) {
        bucket *in = &b->buckets[k];
        int kept = 0;
        for (int i = 0; i < in->count; i++)
            if (survives(b, in->list[i], by, begin, end)) in->list[kept++] = in->list[i];
        in->count = kept;
    }
}

/* `what` is written to byte `at` of t. */
static void write_to(const books *b, const ir_tensor *t, int64_t at, int64_t bytes, const content *what) {
    int64_t place;
    const ir_tensor *root = root_of(t, &place);
    if (root->arena_offset >= 0 && root->pitch)
        clobber(b, root, root->arena_offset, root->arena_offset + ir_bytes(root));
    if (root->arena_offset >= 0 && !root->pitch)
        clobber(b, root, root->arena_offset + place + at, root->arena_offset + place + at + bytes);
    const int i = index_of(b, root);
    if (!b->holds[i].count) enter(b, i);
    replace(b, &b->holds[i], place + at, place + at + bytes, what, place + at);
}

static void write_all(const books *b, const ir_tensor *t) {
    if (in_memory(t)) write_to(b, t, 0, length_of(t), &b->want[index_of(b, t)]);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const piece *find(const content *c, int64_t at) {
    const int i = first_behind(c, at);
    return i < c->count && c->list[i].begin <= at ? &c->list[i] : NULL;
}

static bool wrong(const books *b, const char *reader, const ir_tensor *t, int64_t byte, const piece *there) {
    const char *whose = there ? b->v->g->tensors[there->leaf]->name : "nothing that was written";
    return verify_broken(b->v, "content", "'%s' reads %%%s, of which byte %lld holds %s%s", reader, t->name,
                         (long long)byte, there ? "that of %" : "", whose);
}

static bool check_read(const books *b, const char *reader, const ir_tensor *t) {
    for (int k = 0; t->on_load && k < t->producer->n_in; k++) /* computed again by its reader */
        if (t->producer->in[k] && !check_read(b, reader, t->producer->in[k])) return false;
    if (!in_memory(t)) return true;
    int64_t place;
    const content *want = &b->want[index_of(b, t)], *holds = &b->holds[index_of(b, root_of(t, &place))];
    for (int i = 0; i < want->count; i++)
        for (int64_t at = want->list[i].begin; at < want->list[i].end;) {
            const piece *p = find(holds, place + at);
            int64_t from = want->list[i].from + (at - want->list[i].begin);
            if (!p || p->leaf != want->list[i].leaf || p->from + (place + at - p->begin) != from)
                return wrong(b, reader, t, at, p);
            at = p->end - place;
        }
    return true;
}

/* ---- playing --------------------------------------------------------------------------------- */

/* Copies what does not lie at its place. */
static bool play_concat(const books *b, const ir_node *n) {
    const bool joined_up = is_joined_up(n);
    for (int k = 0; k < n->n_in; k++) {
        const ir_tensor *t = n->in[k];
        if (ir_is_in_place(n, k)) continue;
        if (!check_read(b, n->name, t)) return false;
        int64_t bytes = n->out[0]->pitch ? t->dim[1] * ir_element_bytes(n->out[0]) : length_of(t);
        if (joined_up) write_to(b, n->out[0], verify_place_in(n, k), bytes, &b->want[index_of(b, t)]);
    }
    if (!joined_up) write_all(b, n->out[0]);
    return true;
}

static bool play(const books *b, const ir_node *n) {
    if (ir_is_joined(n) || n->out[0]->on_load) return true; /* the kernel of another node does its work */
    if (n->op == IR_OP_CONCAT) return play_concat(b, n);
    if (n->op == IR_OP_RESHAPE && n->out[0]->view_of == n->in[0]) return true;
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && !check_read(b, n->name, n->in[k])) return false;
    if (n->scratch_offset >= 0) clobber(b, NULL, n->scratch_offset, n->scratch_offset + n->scratch);
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
    b.buckets = ir_alloc(v->scratch, BUCKETS, sizeof *b.buckets);
    find_wants(&b);
    if (b.too_many) return true;
    for (int i = 0; i < g->n_inputs; i++) write_all(&b, g->inputs[i]);
    for (int i = 0; i < g->n_nodes; i++)
        if (!play(&b, g->nodes[i])) return false;
    for (int i = 0; i < g->n_outputs; i++)
        if (!check_read(&b, "(the caller)", g->outputs[i])) return false;
    return true;
}
