/* pass_members.c: values of a graph for a GPU that need no memory of their own.
 *
 * Members of a channel concat are written straight into its voxels where their kernels can do that; cuDNN
 * cannot, it would repack in a workspace of the tensor's size. From then on all of the concat is in use, so a
 * member that lies there long before the others may cost more than its copy: where it raises the most memory
 * in use, it gets memory of its own. Instance norms work in place.
 */
#include "gpu_model.h"
#include "lifetime.h"
#include "passes.h"

/* In the arena, and not yet inside another buffer. */
static bool owns_storage(const ir_graph *g, const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && !t->view_of && !pass_is_output(g, t);
}

static bool by_cudnn(const ir_node *n) {
    return n->gpu == IR_GPU_CUDNN || n->gpu == IR_GPU_GEMM_SCATTER || n->gpu == IR_GPU_DGRAD;
}

/* Whether whoever writes and reads t bears neighbours in its voxels. */
static bool can_interleave(const ir_tensor *t) {
    ir_gpu writer = t->producer->gpu;
    if (writer == IR_GPU_CUDNN || writer == IR_GPU_DGRAD) return false;
    for (int i = 0; i < t->n_users; i++)
        if (t->users[i]->in[0] == t && by_cudnn(t->users[i])) return false;
    return true;
}

enum { WORTH = 20 }; /* a copy must save one part of this many */

/* Takes the view back where it raises the most memory in use. */
static void try_without(const ir_graph *g, ir_tensor *t, int64_t pitch) {
    ir_tensor with = *t;
    int64_t bound = ir_memory_bound(g);
    t->view_of = NULL;
    t->view_offset = 0;
    t->pitch = pitch;
    if (ir_memory_bound(g) > bound - bound / WORTH) *t = with;
}

/* A tensor can lie in one place only. */
static bool stands_before(const ir_node *n, int k) {
    for (int i = 0; i < k; i++)
        if (n->in[i] == n->in[k]) return true;
    return false;
}

static void place_in(ir_tensor *t, ir_tensor *whole, int64_t channel) {
    t->view_of = whole;
    t->view_offset = channel * ir_element_bytes(whole);
    t->pitch = whole->pitch;
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
static bool copy_member(ir_graph *g, ir_node *n, int k, const ir_node *before, ir_diag *d) {
    static const int64_t zeros[IR_MAX_RANK] = {0}, ones[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    ir_tensor *t = n->in[k];
    const char *name = ir_unique_name(g, ir_format(g->arena, "%s.copy", t->name));
    ir_node *copy = ir_add_node(g, IR_OP_SLICE, name, 1, &t, name);
    ir_set_ints(g, copy, IR_BEGIN, t->rank, zeros);
    ir_set_ints(g, copy, IR_SIZE, t->rank, t->dim);
    ir_set_ints(g, copy, IR_STEP, t->rank, ones);
    copy->source = n->source;
    copy->gpu = IR_GPU_KERNEL;
    if (!ir_finish_node(g, copy, d)) return false;
    ir_insert_node(g, copy, before);
    copy->out[0]->storage = t->storage;
    ir_set_operand(g, n, k, copy->out[0]);
    return true;
}

/* Places the members that can be. */
static void place_members(const ir_graph *g, ir_node *n, int64_t *pitch) {
    int64_t channels = 0;
    for (int k = 0; k < n->n_in; k++) {
        ir_tensor *t = n->in[k];
        if (owns_storage(g, t) && !stands_before(n, k) && !ir_has_views(t) && can_interleave(t)) {
            pitch[k] = t->pitch;
            place_in(t, n->out[0], channels);
        }
        channels += t->dim[1];
    }
}

/* Copies the others into their places; constants are left to the concat's own kernel. */
static bool copy_members(ir_graph *g, ir_node *n, ir_diag *d) {
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
            if (!copy_member(g, n, k, before[k], d)) return false;
            place_in(n->in[k], n->out[0], channels);
        }
        constants |= constant;
        channels += n->in[k]->dim[1];
    }
    if (!constants) n->gpu = IR_GPU_NONE;
    return true;
}

static bool place_concat(ir_graph *g, ir_node *n, ir_diag *d) {
    int64_t *pitch = ir_alloc(g->arena, (size_t)n->n_in, sizeof *pitch); /* of placed members, as it was */
    place_members(g, n, pitch);
    if (!copy_members(g, n, d)) return false;
    for (int k = 0; k < n->n_in; k++)
        if (pitch[k]) try_without(g, n->in[k], pitch[k]);
    return copy_members(g, n, d);
}

static void place_reshape(const ir_graph *g, ir_node *n) {
    ir_tensor *x = n->in[0], *y = n->out[0];
    if (x->role != IR_ROLE_VALUE || pass_is_output(g, x) || !owns_storage(g, y)) return;
    y->view_of = x;
    y->view_offset = 0;
    n->gpu = IR_GPU_NONE;
}

static void place_norm(const ir_graph *g, const ir_node *n) {
    ir_tensor *x = n->in[0], *y = n->out[0];
    if (!owns_storage(g, x) || !owns_storage(g, y) || x->pitch != y->pitch || ir_count_uses(g, x) != 1 ||
        ir_has_views(x)) /* members may have readers of their own */
        return;
    y->view_of = x;
    y->view_offset = 0;
}

/* requires: layouts chosen. maintains: values. gives: view_of, view_offset, the pitch of interleaved members
 * and the scratch memory that comes with it; copies of members; concats and reshapes that run no code. Runs
 * last node to first, so that an outer concat takes an inner one before that one's members look for their
 * place in it. */
bool pass_members(ir_graph *g, ir_diag *d) {
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        ir_node *n = g->nodes[i];
        if (n->op == IR_OP_RESHAPE) place_reshape(g, n);
        if (n->op != IR_OP_CONCAT || !n->out[0]->pitch || ir_int(n, IR_AXIS) != 1) continue;
        int before = g->n_nodes;
        if (!place_concat(g, n, d)) return false;
        i += g->n_nodes - before; /* the copies now stand in front of n */
    }
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_INSTANCE_NORM) place_norm(g, g->nodes[i]);
    for (int i = 0; i < g->n_nodes; i++)
        g->nodes[i]->scratch = cg_gpu_scratch(g->nodes[i], g->goals.precision);
    return true;
}
