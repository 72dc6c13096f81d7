/* pass_members.c: values of a graph for a GPU that need no memory of their own.
 *
 * Members of a channel concat are written straight into its voxels where their kernels can do that; cuDNN
 * cannot, it would repack in a workspace of the tensor's size. From then on all of the concat is in use, so a
 * member that lies there long before the others may cost more than its copy: where it raises the most memory
 * in use, it gets memory of its own. Instance norms work in place.
 */
#include "gpu_model.h"
#include "need.h"
#include "gpu_passes.h"

/* In the arena, and not yet inside another buffer. */
static bool owns_storage(const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && !t->memory.view_of && !ir_is_output(t);
}

static bool by_cudnn(const ir_node *n) {
    return n->gpu.runner == IR_GPU_CUDNN || n->gpu.runner == IR_GPU_GEMM_SCATTER ||
           n->gpu.runner == IR_GPU_DGRAD;
}

/* Whether whoever writes and reads t bears neighbours in its voxels. */
static bool can_interleave(const ir_tensor *t) {
    ir_gpu writer = t->producer->gpu.runner;
    if (writer == IR_GPU_CUDNN || writer == IR_GPU_DGRAD) return false;
    for (int i = 0; i < t->n_users; i++)
        if (t->users[i]->in[0] == t && by_cudnn(t->users[i])) return false;
    return true;
}

enum {
    WORTH = 20, /* a copy must save one part of this many */
    MOST = 256  /* members of one concat of which that is asked */
};

/* Takes the view back where it raises the most memory in use. Returns the most memory in use. */
static int64_t try_without(need *needed, ir_tensor *t, int64_t pitch, int64_t bound) {
    ir_tensor with = *t;
    const ir_tensor *whole = t->memory.view_of, *both[] = {t, whole}, *again[] = {t, whole};
    need_take(needed, 1, (const ir_tensor *[]){t});
    t->memory.view_of = NULL;
    t->memory.view_offset = 0;
    t->gpu.pitch = pitch;
    need_put(needed, 2, both);
    int64_t without = need_most(needed);
    if (without <= bound - bound / WORTH) return without;
    need_take(needed, 2, again);
    *t = with;
    need_put(needed, 1, (const ir_tensor *[]){t});
    return bound;
}

/* A tensor can lie in one place only. */
static bool stands_before(const ir_node *n, int k) {
    for (int i = 0; i < k; i++)
        if (n->in[i] == n->in[k]) return true;
    return false;
}

static void place_in(ir_tensor *t, ir_tensor *whole, int64_t channel) {
    t->memory.view_of = whole;
    t->memory.view_offset = channel * ir_element_bytes(whole);
    t->gpu.pitch = whole->gpu.pitch;
}

/* The node that computes the last of the concat's members, if that is not member k; else the concat. */
static const ir_node *deadline(const ir_graph *g, const ir_node *n, int k) {
    const ir_node *last = NULL;
    for (int i = 0; i < n->n_in; i++) {
        const ir_node *by = n->in[i]->producer;
        if (by && (!last || ir_position(g, by) > ir_position(g, last))) last = by;
    }
    return last && last != n->in[k]->producer ? last : n;
}

/* Member k becomes a copy of what it was. */
static bool copy_member(ir_graph *g, need *needed, ir_node *n, int k, const ir_node *before, ir_diag *d) {
    static const int64_t zeros[IR_MAX_RANK] = {0}, ones[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    ir_tensor *t = n->in[k];
    const char *name = ir_unique_name(g, ir_format(g->arena, "%s.copy", t->name));
    ir_node *copy = ir_add_node(g, IR_OP_SLICE, name, 1, &t, name);
    ir_set_ints(g, copy, IR_BEGIN, t->rank, zeros);
    ir_set_ints(g, copy, IR_SIZE, t->rank, t->dim);
    ir_set_ints(g, copy, IR_STEP, t->rank, ones);
    copy->source = n->source;
    copy->gpu.runner = IR_GPU_KERNEL;
    if (!ir_finish_node(g, copy, d)) return false;
    ir_insert_node(g, copy, before);
    need_insert(needed, copy);
    copy->out[0]->gpu.storage = t->gpu.storage;
    ir_set_operand(g, n, k, copy->out[0]);
    return true;
}

/* Places the members that can be. */
static void place_members(ir_node *n, int64_t *pitch) {
    int64_t channels = 0;
    for (int k = 0; k < n->n_in; k++) {
        ir_tensor *t = n->in[k];
        if (owns_storage(t) && !stands_before(n, k) && !ir_has_views(t) && can_interleave(t)) {
            pitch[k] = t->gpu.pitch;
            place_in(t, n->out[0], channels);
        }
        channels += t->dim[1];
    }
}

/* Copies the others into their places; constants are left to the concat's own kernel. */
static bool copy_members(ir_graph *g, need *needed, ir_node *n, ir_diag *d) {
    int64_t channels = 0;
    bool constants = false;
    const ir_node **before = ir_alloc(g->arena, (size_t)n->n_in, sizeof *before);
    bool *placed = ir_alloc(g->arena, (size_t)n->n_in, sizeof *placed);
    for (int k = 0; k < n->n_in; k++) {
        placed[k] = ir_is_in_place(n, k);
        before[k] = deadline(g, n, k);
    }
    for (int k = 0; k < n->n_in; k++) {
        bool constant = n->in[k]->role == IR_ROLE_CONST;
        if (!placed[k] && !constant) {
            if (!copy_member(g, needed, n, k, before[k], d)) return false;
            place_in(n->in[k], n->out[0], channels);
        }
        constants |= constant;
        channels += n->in[k]->dim[1];
    }
    if (!constants) n->gpu.runner = IR_GPU_NONE;
    return true;
}

/* The concat's result and its operands. Room for n_in + 1. */
static const ir_tensor **touched(const ir_node *n, ir_tensor *const *operands, const ir_tensor **list) {
    for (int k = 0; k < n->n_in; k++) list[k] = operands[k];
    list[n->n_in] = n->out[0];
    return list;
}

static bool place_concat(ir_graph *g, need *needed, ir_node *n, ir_diag *d) {
    const int count = n->n_in + 1;
    int64_t *pitch = ir_alloc(g->arena, (size_t)count, sizeof *pitch); /* of placed members, as it was */
    const ir_tensor **list = ir_alloc(g->arena, (size_t)count, sizeof *list);
    ir_tensor **operands = ir_alloc(g->arena, (size_t)count, sizeof *operands); /* before any is copied */
    for (int k = 0; k < n->n_in; k++) operands[k] = n->in[k];
    need_take(needed, count, touched(n, operands, list));
    place_members(n, pitch);
    if (!copy_members(g, needed, n, d)) return false;
    need_put(needed, count, touched(n, operands, list));
    int64_t bound = need_most(needed);
    for (int k = 0; k < n->n_in && n->n_in <= MOST; k++)
        if (pitch[k]) bound = try_without(needed, n->in[k], pitch[k], bound);
    need_take(needed, count, touched(n, operands, list));
    if (!copy_members(g, needed, n, d)) return false;
    need_put(needed, count, touched(n, operands, list));
    return true;
}

static void place_reshape(need *needed, ir_node *n) {
    ir_tensor *x = n->in[0], *y = n->out[0];
    if (x->role != IR_ROLE_VALUE || ir_is_output(x) || !owns_storage(y)) return;
    need_take(needed, 2, (const ir_tensor *[]){x, y});
    y->memory.view_of = x;
    y->memory.view_offset = 0;
    need_put(needed, 1, (const ir_tensor *[]){x});
    n->gpu.runner = IR_GPU_NONE;
}

static void place_norm(const ir_graph *g, const ir_node *n) {
    ir_tensor *x = n->in[0], *y = n->out[0];
    if (!owns_storage(x) || !owns_storage(y) || x->gpu.pitch != y->gpu.pitch || ir_count_uses(g, x) != 1 ||
        ir_has_views(x)) /* members may have readers of their own */
        return;
    y->memory.view_of = x;
    y->memory.view_offset = 0;
}

/* How many copies there may be at most. */
static int operands_of_concats(const ir_graph *g) {
    int count = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_CONCAT) count += g->nodes[i]->n_in;
    return count;
}

/* requires: layouts chosen. maintains: values. gives: view_of, view_offset, the pitch of interleaved members
 * and the scratch memory that comes with it; copies of members; concats and reshapes that run no code. Runs
 * last node to first, so that an outer concat takes an inner one before that one's members look for their
 * place in it. */
bool pass_members(ir_graph *g, ir_diag *d) {
    ir_arena *a = ir_arena_new();
    need needed = need_of(g, operands_of_concats(g), a);
    bool good = true;
    for (int i = g->n_nodes - 1; i >= 0 && good; i--) {
        ir_node *n = g->nodes[i];
        if (n->op == IR_OP_RESHAPE) place_reshape(&needed, n);
        if (n->op != IR_OP_CONCAT || !n->out[0]->gpu.pitch || ir_int(n, IR_AXIS) != 1) continue;
        int before = g->n_nodes;
        good = place_concat(g, &needed, n, d);
        i += g->n_nodes - before; /* the copies now stand in front of n */
    }
    ir_arena_free(a);
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_INSTANCE_NORM) place_norm(g, g->nodes[i]);
    for (int i = 0; i < g->n_nodes; i++)
        g->nodes[i]->memory.scratch = cg_gpu_scratch(g->nodes[i], g->goals.precision);
    return good;
}
