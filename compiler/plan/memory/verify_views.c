/* verify_views.c: tensors that live in others. */
#include "verify_parts.h"

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
    const ir_tensor *u = t->memory.view_of;
    if (!u) return VERIFY_NO_VIEW;
    if (member_of_concat(t, u) || reshaped(t, u) || reshaped(u, t)) return VERIFY_PART;
    return overwrites(t, u) || overwrites(u, t) ? VERIFY_IN_PLACE : VERIFY_NO_VIEW;
}

/* The place of operand k, behind `before` elements along the axis. */
static int64_t place_in(const ir_node *concat, int k, int64_t before) {
    const ir_tensor *whole = concat->out[0];
    int64_t axis = ir_int(concat, IR_AXIS), after = ir_element_bytes(whole);
    if (whole->gpu.pitch) return axis == 1 ? before * after : -1;
    for (int i = 0; i < axis; i++)
        if (whole->dim[i] != 1) return -1;
    for (int i = (int)axis + 1; i < whole->rank; i++)
        after *=
            i == 1 && whole->cpu.block ? (whole->dim[1] + IR_BLOCK - 1) / IR_BLOCK * IR_BLOCK : whole->dim[i];
    bool splits_block = whole->cpu.block && (axis > 1 || (axis == 1 && before % IR_BLOCK));
    return splits_block || concat->in[k]->cpu.block != whole->cpu.block ? -1 : before * after;
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
    return t->gpu.pitch != whole->gpu.pitch || t->gpu.storage != whole->gpu.storage ? -1 : places[k];
}

/* Notes in `placed`, per tensor, which members lie at one of their places in the concat. */
static void find_placed(verifier *v, const ir_node *concat, bool *placed) {
    const int64_t *places = verify_places_in(concat, v->scratch);
    for (int k = 0; k < concat->n_in; k++) {
        const ir_tensor *t = concat->in[k];
        if (t->memory.view_of == concat->out[0] && member_offset(concat, k, places) == t->memory.view_offset)
            placed[ir_index_find(&v->index, t)] = true;
    }
}

static bool misplaced(verifier *v, const ir_tensor *t) {
    const ir_node *concat = t->memory.view_of->producer;
    const int64_t *places = verify_places_in(concat, v->scratch);
    int64_t at = -1;
    for (int k = 0; k < concat->n_in; k++)
        if (concat->in[k] == t) at = member_offset(concat, k, places);
    if (at < 0)
        return verify_broken(v, "view", "%%%s is not one piece of %%%s", t->name, t->memory.view_of->name);
    return verify_broken(v, "view", "%%%s lies at byte %lld of %%%s, its place is %lld", t->name,
                         (long long)t->memory.view_offset, t->memory.view_of->name, (long long)at);
}

/* The outermost tensor that t lives in; NULL when the views run in a circle. */
static const ir_tensor *outermost(const verifier *v, const ir_tensor *t) {
    for (int steps = 0; steps <= v->g->n_tensors; steps++, t = t->memory.view_of)
        if (!t->memory.view_of) return t;
    return NULL;
}

static bool check_whole(verifier *v, const ir_tensor *t) {
    const ir_tensor *u = t->memory.view_of, *root = outermost(v, t);
    verify_view kind = verify_view_kind(t);
    if (kind == VERIFY_NO_VIEW)
        return verify_broken(v, "view", "%%%s has no reason to lie in %%%s", t->name, u->name);
    bool alike =
        t->cpu.block == u->cpu.block && t->gpu.pitch == u->gpu.pitch && t->gpu.storage == u->gpu.storage;
    if (t->memory.view_offset || !alike || ir_bytes(t) != ir_bytes(u))
        return verify_broken(v, "view", "%%%s and %%%s want the same bytes", t->name, u->name);
    if (kind == VERIFY_IN_PLACE && root->role != IR_ROLE_VALUE)
        return verify_broken(v, "view", "%%%s overwrites %%%s, which is not ours to write", t->name,
                             root->name);
    return true;
}

/* placed: t is a member of a concat and lies at its place there. */
static bool check_view(verifier *v, const ir_tensor *t, bool placed) {
    const ir_tensor *u = t->memory.view_of;
    if (ir_index_find(&v->index, u) < 0)
        return verify_broken(v, "view", "%%%s lies in a tensor that is not in the graph", t->name);
    if (t->role != IR_ROLE_VALUE || verify_is_output(v, t))
        return verify_broken(v, "view", "%%%s belongs to the caller: it cannot lie in %%%s", t->name,
                             u->name);
    const ir_tensor *root = outermost(v, t);
    if (!root) return verify_broken(v, "view", "%%%s lies in itself", t->name);
    if (t->memory.view_offset < 0 || t->memory.view_offset > ir_bytes(u) - ir_bytes(t))
        return verify_broken(v, "view", "%%%s at byte %lld leaves %%%s", t->name,
                             (long long)t->memory.view_offset, u->name);
    bool ours = root->role == IR_ROLE_VALUE && !verify_is_output(v, root);
    if (ours && !t->gpu.pitch && t->memory.view_offset % 64)
        return verify_broken(v, "view", "%%%s at byte %lld of %%%s is not aligned to 64", t->name,
                             (long long)t->memory.view_offset, u->name);
    return placed || (member_of_concat(t, u) ? misplaced(v, t) : check_whole(v, t));
}

bool verify_views(verifier *v) {
    bool *placed = ir_alloc(v->scratch, (size_t)v->g->n_tensors + 1, sizeof *placed);
    for (int i = 0; i < v->g->n_nodes; i++)
        if (v->g->nodes[i]->op == IR_OP_CONCAT) find_placed(v, v->g->nodes[i], placed);
    for (int i = 0; i < v->g->n_tensors; i++)
        if (v->g->tensors[i]->memory.view_of && !check_view(v, v->g->tensors[i], placed[i])) return false;
    return true;
}
