/* pass_members.c: values of a graph for a GPU that need no memory of their own.
 *
 * Members of a channel concat are written straight into its voxels where their kernels can do that; cuDNN
 * cannot, it would repack in a workspace of the tensor's size. From then on all of the concat is in use, so a
 * member that lies there long before the others may cost more than its copy: where it raises the most memory
 * in use, it gets memory of its own. Instance norms work in place.
 */
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
static bool can_interleave(const ir_graph *g, const ir_tensor *t) {
    ir_gpu writer = t->producer->gpu;
    if (writer == IR_GPU_CUDNN || writer == IR_GPU_DGRAD) return false;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->n_in && g->nodes[i]->in[0] == t && by_cudnn(g->nodes[i])) return false;
    return true;
}

static bool has_views(const ir_graph *g, const ir_tensor *t) {
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->view_of == t) return true;
    return false;
}

/* Takes the view back where it raises the most memory in use. */
static void try_without(const ir_graph *g, ir_tensor *t, int64_t pitch) {
    ir_tensor with = *t;
    int64_t bound = ir_memory_bound(g);
    t->view_of = NULL;
    t->view_offset = 0;
    t->pitch = pitch;
    if (ir_memory_bound(g) >= bound) *t = with;
}

/* A tensor can lie in one place only. */
static bool all_differ(const ir_node *n) {
    for (int i = 0; i < n->n_in; i++)
        for (int k = 0; k < i; k++)
            if (n->in[i] == n->in[k]) return false;
    return true;
}

static void place_members(ir_graph *g, ir_node *n) {
    ir_tensor *whole = n->out[0];
    int64_t channels = 0;
    if (!whole->pitch || ir_int(n, IR_AXIS) != 1 || !all_differ(n)) return;
    int64_t *pitch =
        ir_alloc(g->arena, (size_t)n->n_in, sizeof *pitch); /* of members that were placed, before */
    for (int k = 0; k < n->n_in; k++) {
        ir_tensor *t = n->in[k];
        if (t->storage == whole->storage && owns_storage(g, t) && !has_views(g, t) && can_interleave(g, t)) {
            pitch[k] = t->pitch;
            t->view_of = whole;
            t->view_offset = channels * ir_element_bytes(whole);
            t->pitch = whole->pitch;
        }
        channels += t->dim[1];
    }
    bool copies = false;
    for (int k = 0; k < n->n_in; k++) {
        if (pitch[k]) try_without(g, n->in[k], pitch[k]);
        copies |= n->in[k]->view_of != whole;
    }
    if (!copies) n->gpu = IR_GPU_NONE;
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
    if (!owns_storage(g, x) || !owns_storage(g, y) || x->pitch != y->pitch || ir_count_uses(g, x) != 1)
        return;
    y->view_of = x;
    y->view_offset = 0;
}

/* requires: layouts chosen. maintains: values. gives: view_of, view_offset, the pitch of interleaved members;
 * concats and reshapes that run no code. Runs last node to first, so that an outer concat takes an inner one
 * before that one's members look for their place in it. */
bool pass_members(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        ir_node *n = g->nodes[i];
        if (n->op == IR_OP_CONCAT && n->n_in) place_members(g, n);
        if (n->op == IR_OP_RESHAPE) place_reshape(g, n);
    }
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_INSTANCE_NORM) place_norm(g, g->nodes[i]);
    return true;
}
