/* verify_place.c: where passes put tensors: layouts, views, and values that lie nowhere. */
#include "verify.h"

/* ---- layouts --------------------------------------------------------------------------------- */

/* What an op asks of the layouts of the values that it reads and writes. */
typedef enum layout_rule {
    SAME,  /* operands of the result's rank (BINARY: shape) and the result alike */
    PLAIN, /* all row-major */
    FREE,  /* each as it likes */
    TO,    /* row-major to blocked */
    FROM,  /* blocked to row-major */
    LAST,  /* row-major to channels last */
    FIRST  /* channels last to row-major */
} layout_rule;

static const layout_rule rules[IR_OP_COUNT] = {
    [IR_OP_CONV] = FREE,        [IR_OP_CONV_TRANSPOSE] = FREE,   [IR_OP_ARG_MAX] = FREE,
    [IR_OP_NORM_TERMS] = FREE,  [IR_OP_TO_BLOCK] = TO,           [IR_OP_FROM_BLOCK] = FROM,
    [IR_OP_RESHAPE] = PLAIN,    [IR_OP_TRANSPOSE] = PLAIN,       [IR_OP_EXPAND] = PLAIN,
    [IR_OP_GATHER] = PLAIN,     [IR_OP_REDUCE_SUM] = PLAIN,      [IR_OP_REDUCE_MEAN] = PLAIN,
    [IR_OP_REDUCE_MAX] = PLAIN, [IR_OP_REDUCE_MIN] = PLAIN,      [IR_OP_REDUCE_PROD] = PLAIN,
    [IR_OP_WHERE] = PLAIN,      [IR_OP_TO_CHANNELS_LAST] = LAST, [IR_OP_FROM_CHANNELS_LAST] = FIRST,
    [IR_OP_CAST] = PLAIN,       [IR_OP_SHAPE_OF] = PLAIN,        [IR_OP_RANGE] = PLAIN,
};

static bool check_block(verifier *v, const ir_tensor *t) {
    if (!t->block) return true;
    if (t->block != IR_BLOCK) return verify_broken(v, "layout", "%%%s has blocks of %d", t->name, t->block);
    if (t->role != IR_ROLE_VALUE || t->rank != 5 || t->dtype != IR_F32)
        return verify_broken(v, "layout", "%%%s is blocked but no computed f32 tensor of 5 axes", t->name);
    if (verify_is_output(v, t))
        return verify_broken(v, "layout", "graph output %%%s is blocked: its reader wants it row-major",
                             t->name);
    return true;
}

static bool check_pitch(verifier *v, const ir_tensor *t) {
    if (!t->pitch && !t->storage) return true;
    if (t->pitch < 1 || t->block)
        return verify_broken(v, "layout", "%%%s is kept as %s but not channels last", t->name,
                             t->storage ? ir_storage_name(t->storage) : "f32");
    if (t->role != IR_ROLE_VALUE || t->rank < 3 || t->rank > 5 || t->dtype != IR_F32)
        return verify_broken(v, "layout", "%%%s is channels last but no computed f32 tensor of 3 to 5 axes",
                             t->name);
    if (verify_is_output(v, t))
        return verify_broken(v, "layout", "graph output %%%s is channels last: its reader wants it row-major",
                             t->name);
    if (t->pitch >= t->dim[1]) return true;
    return verify_broken(v, "layout", "%%%s has %lld channels in a pitch of %lld", t->name,
                         (long long)t->dim[1], (long long)t->pitch);
}

typedef enum layout { ROWS, BLOCKS, VOXELS } layout;

static layout layout_of(const ir_tensor *t) {
    return t->block ? BLOCKS : t->pitch ? VOXELS : ROWS;
}

/* Whether operand k takes part in the rule SAME. */
static bool alike(const ir_node *n, int k) {
    const ir_tensor *t = n->in[k];
    if (!t || t->role == IR_ROLE_CONST || t->rank != n->out[0]->rank) return false;
    return !(ir_op_get(n->op)->flags & IR_FLAG_BINARY) || ir_same_shape(t, n->out[0]);
}

static bool check_node_layout(verifier *v, const ir_node *n) {
    static const char *const names[] = {"row-major", "blocked", "channels-last"};
    layout_rule rule = rules[n->op];
    layout in = n->n_in && n->in[0] ? layout_of(n->in[0]) : ROWS, out = layout_of(n->out[0]);
    bool good = true;
    if (rule == TO) good = in == ROWS && out == BLOCKS;
    if (rule == FROM) good = in == BLOCKS && out == ROWS;
    if (rule == LAST) good = in == ROWS && out == VOXELS;
    if (rule == FIRST) good = in == VOXELS && out == ROWS;
    for (int k = 0; k < n->n_in; k++) {
        if (rule == SAME && alike(n, k)) good = good && layout_of(n->in[k]) == out;
        if (rule == PLAIN && n->in[k]) good = good && layout_of(n->in[k]) == ROWS;
    }
    if (ir_skip(n)) good = good && layout_of(ir_skip(n)) == out;
    if (rule == PLAIN) good = good && out == ROWS;
    return good || verify_broken(v, "layout", "%s '%s' cannot mix these layouts: reads %s, writes %s memory",
                                 ir_op_get(n->op)->name, n->name, names[in], names[out]);
}

static bool check_winograd(verifier *v, const ir_node *n) {
    const int64_t *w = n->winograd;
    if (!(w[0] | w[1] | w[2] | w[3])) return true;
    bool blocked = n->in[0]->block && n->out[0]->block, plain = !n->in[0]->block && !n->out[0]->block;
    bool good = ir_admits_winograd(n) && blocked && w[3] >= 0;
    for (int a = 0; a < 3; a++) good = good && (w[a] == 2 || w[a] == 4);
    if (w[2] == 1) good = ir_admits_winograd(n) && plain && w[0] == 4 && w[1] == 4 && w[3] == 1;
    return good ||
           verify_broken(v, "winograd",
                         "'%s' is no 3x3x3 conv of stride 1 in tiles of 2 and 4, blocked, or of 4x4x1, plain",
                         n->name);
}

bool verify_layouts(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++)
        if (!check_block(v, v->g->tensors[i]) || !check_pitch(v, v->g->tensors[i])) return false;
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_node_layout(v, v->g->nodes[i]) || !check_winograd(v, v->g->nodes[i])) return false;
    return true;
}

/* ---- views ----------------------------------------------------------------------------------- */

static bool member_of_concat(const ir_tensor *t, const ir_tensor *u) {
    if (!u->producer || u->producer->op != IR_OP_CONCAT) return false;
    for (int i = 0; i < t->n_users; i++)
        if (t->users[i] == u->producer) return true;
    return false;
}

static bool reshaped(const ir_tensor *result, const ir_tensor *of) {
    const ir_node *n = result->producer;
    return n && ir_op_get(n->op)->flags & IR_FLAG_VIEW && n->in[0] == of;
}

/* The node that writes `result` may do so where it reads `of`. */
static bool overwrites(const ir_tensor *result, const ir_tensor *of) {
    const ir_node *n = result->producer;
    if (!n || n->in[0] != of) return false;
    return ir_op_get(n->op)->flags & IR_FLAG_MAP || n->op == IR_OP_BATCH_NORM ||
           n->op == IR_OP_INSTANCE_NORM || n->op == IR_OP_NORMALISE;
}

verify_view verify_view_kind(const ir_tensor *t) {
    const ir_tensor *u = t->view_of;
    if (!u) return VERIFY_NO_VIEW;
    if (member_of_concat(t, u) || reshaped(t, u) || reshaped(u, t)) return VERIFY_PART;
    return overwrites(t, u) || overwrites(u, t) ? VERIFY_IN_PLACE : VERIFY_NO_VIEW;
}

/* The place of operand k, behind `before` elements along the axis. */
static int64_t place_in(const ir_node *concat, int k, int64_t before) {
    const ir_tensor *whole = concat->out[0];
    int64_t axis = ir_int(concat, IR_AXIS), after = ir_element_bytes(whole);
    if (whole->pitch) return axis == 1 ? before * after : -1;
    for (int i = 0; i < axis; i++)
        if (whole->dim[i] != 1) return -1;
    for (int i = (int)axis + 1; i < whole->rank; i++)
        after *=
            i == 1 && whole->block ? (whole->dim[1] + IR_BLOCK - 1) / IR_BLOCK * IR_BLOCK : whole->dim[i];
    bool splits_block = whole->block && (axis > 1 || (axis == 1 && before % IR_BLOCK));
    return splits_block || concat->in[k]->block != whole->block ? -1 : before * after;
}

int64_t *verify_places_in(const ir_node *concat, ir_arena *arena) {
    int64_t *places = ir_alloc(arena, (size_t)concat->n_in + 1, sizeof *places), before = 0;
    for (int k = 0; k < concat->n_in; k++) {
        places[k] = place_in(concat, k, before);
        before += concat->in[k]->dim[ir_int(concat, IR_AXIS)];
    }
    return places;
}

/* The same where operand k may lie there; -1 where it may not. */
static int64_t member_offset(const ir_node *concat, int k, const int64_t *places) {
    const ir_tensor *whole = concat->out[0], *t = concat->in[k];
    return t->pitch != whole->pitch || t->storage != whole->storage ? -1 : places[k];
}

/* Notes in `placed`, per tensor, which members lie at one of their places in the concat. */
static void find_placed(verifier *v, const ir_node *concat, bool *placed) {
    const int64_t *places = verify_places_in(concat, v->scratch);
    for (int k = 0; k < concat->n_in; k++) {
        const ir_tensor *t = concat->in[k];
        if (t->view_of == concat->out[0] && member_offset(concat, k, places) == t->view_offset)
            placed[ir_index_find(&v->index, t)] = true;
    }
}

static bool misplaced(verifier *v, const ir_tensor *t) {
    const ir_node *concat = t->view_of->producer;
    const int64_t *places = verify_places_in(concat, v->scratch);
    int64_t at = -1;
    for (int k = 0; k < concat->n_in; k++)
        if (concat->in[k] == t) at = member_offset(concat, k, places);
    if (at < 0) return verify_broken(v, "view", "%%%s is not one piece of %%%s", t->name, t->view_of->name);
    return verify_broken(v, "view", "%%%s lies at byte %lld of %%%s, its place is %lld", t->name,
                         (long long)t->view_offset, t->view_of->name, (long long)at);
}

/* The outermost tensor that t lives in; NULL when the views run in a circle. */
static const ir_tensor *outermost(const verifier *v, const ir_tensor *t) {
    for (int steps = 0; steps <= v->g->n_tensors; steps++, t = t->view_of)
        if (!t->view_of) return t;
    return NULL;
}

static bool check_whole(verifier *v, const ir_tensor *t) {
    const ir_tensor *u = t->view_of, *root = outermost(v, t);
    verify_view kind = verify_view_kind(t);
    if (kind == VERIFY_NO_VIEW)
        return verify_broken(v, "view", "%%%s has no reason to lie in %%%s", t->name, u->name);
    bool alike = t->block == u->block && t->pitch == u->pitch && t->storage == u->storage;
    if (t->view_offset || !alike || ir_bytes(t) != ir_bytes(u))
        return verify_broken(v, "view", "%%%s and %%%s want the same bytes", t->name, u->name);
    if (kind == VERIFY_IN_PLACE && root->role != IR_ROLE_VALUE)
        return verify_broken(v, "view", "%%%s overwrites %%%s, which is not ours to write", t->name,
                             root->name);
    return true;
}

/* placed: t is a member of a concat and lies at its place there. */
static bool check_view(verifier *v, const ir_tensor *t, bool placed) {
    const ir_tensor *u = t->view_of;
    if (ir_index_find(&v->index, u) < 0)
        return verify_broken(v, "view", "%%%s lies in a tensor that is not in the graph", t->name);
    if (t->role != IR_ROLE_VALUE || verify_is_output(v, t))
        return verify_broken(v, "view", "%%%s belongs to the caller: it cannot lie in %%%s", t->name,
                             u->name);
    const ir_tensor *root = outermost(v, t);
    if (!root) return verify_broken(v, "view", "%%%s lies in itself", t->name);
    if (t->view_offset < 0 || t->view_offset > ir_bytes(u) - ir_bytes(t))
        return verify_broken(v, "view", "%%%s at byte %lld leaves %%%s", t->name, (long long)t->view_offset,
                             u->name);
    bool ours = root->role == IR_ROLE_VALUE && !verify_is_output(v, root);
    if (ours && !t->pitch && t->view_offset % 64)
        return verify_broken(v, "view", "%%%s at byte %lld of %%%s is not aligned to 64", t->name,
                             (long long)t->view_offset, u->name);
    return placed || (member_of_concat(t, u) ? misplaced(v, t) : check_whole(v, t));
}

bool verify_views(verifier *v) {
    bool *placed = ir_alloc(v->scratch, (size_t)v->g->n_tensors + 1, sizeof *placed);
    for (int i = 0; i < v->g->n_nodes; i++)
        if (v->g->nodes[i]->op == IR_OP_CONCAT) find_placed(v, v->g->nodes[i], placed);
    for (int i = 0; i < v->g->n_tensors; i++)
        if (v->g->tensors[i]->view_of && !check_view(v, v->g->tensors[i], placed[i])) return false;
    return true;
}

/* ---- fused values ---------------------------------------------------------------------------- */

/* A node whose work the kernel of a fused operand's producer does. */
static bool check_reader(verifier *v, const ir_node *n) {
    bool one = n->n_in == 1 && n->in[0]->fused;
    if (!one || (n->op != IR_OP_MAX_POOL && n->op != IR_OP_SLICE))
        return verify_broken(v, "fused", "'%s' reads a fused value but is no max_pool or slice of it",
                             n->name);
    if (n->scratch)
        return verify_broken(v, "fused", "'%s' has scratch memory but its operand's producer does its work",
                             n->name);
    return true;
}

/* A max_pool that the kernel of a conv does, which stores its own result as well. */
static bool check_joined(verifier *v, const ir_node *n) {
    const ir_node *conv = n->n_in ? n->in[0]->producer : NULL;
    if (n->op != IR_OP_MAX_POOL || !conv || conv->op != IR_OP_CONV || !conv->winograd[0] || !n->in[0]->block)
        return verify_broken(v, "joined", "'%s' is no max_pool of what a Winograd conv makes", n->name);
    if (n->in[0]->fused || n->scratch)
        return verify_broken(v, "joined", "'%s' has a fused operand or scratch memory", n->name);
    for (int i = 0; i < n->in[0]->n_users; i++) {
        const ir_node *other = n->in[0]->users[i];
        if (other != n && other->joined && other->in[0] == n->in[0])
            return verify_broken(v, "joined", "'%s' and '%s' want the same kernel", other->name, n->name);
    }
    return true;
}

static bool check_fused(verifier *v, const ir_tensor *t) {
    if (!t->producer || t->producer->op != IR_OP_CONV)
        return verify_broken(v, "fused", "%%%s is fused but no conv computes it", t->name);
    if (verify_is_output(v, t) || t->view_of || t->arena_offset != -1)
        return verify_broken(v, "fused", "%%%s is fused but has a place in memory", t->name);
    return t->n_users || verify_broken(v, "fused", "%%%s is fused but nothing reads it", t->name);
}

bool verify_fused(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++) {
        const ir_tensor *t = v->g->tensors[i];
        if (t->fused && !check_fused(v, t)) return false;
        if (t->view_of && t->view_of->fused)
            return verify_broken(v, "fused", "%%%s cannot lie in %%%s, which lies nowhere", t->name,
                                 t->view_of->name);
    }
    for (int i = 0; i < v->g->n_nodes; i++) {
        const ir_node *n = v->g->nodes[i];
        if (n->joined && !check_joined(v, n)) return false;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] && n->in[k]->fused && !check_reader(v, n)) return false;
    }
    return true;
}
