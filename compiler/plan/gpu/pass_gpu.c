/* pass_gpu.c: which nodes a GPU can run, and with what: cuDNN for convolutions, kernels of our own for the
 * rest.
 */
#include "gpu_model.h"
#include "gpu_passes.h"

#include <limits.h>

static bool unsupported(const ir_graph *g, const ir_node *n, ir_diag *d, const char *why) {
    return ir_fail(d, IR_EXIT_UNSUPPORTED,
                   "%s: %s %s: target cuda has no kernel for it: %s; change the layer, or compile with "
                   "--target c",
                   n->source ? n->source : g->name, ir_op_get(n->op)->name, n->name, why);
}

static bool all_ones(const ir_node *n, ir_key key) {
    const ir_attr *a = ir_get(n, key);
    for (int i = 0; i < a->count; i++)
        if (a->i[i] != 1) return false;
    return true;
}

/* Each input voxel makes output voxels of its own. */
static bool is_pixel_shuffle(const ir_node *n) {
    const ir_attr *kernel = ir_get(n, IR_KERNEL), *more = ir_get(n, IR_OUTPUT_PAD);
    for (int a = 0; a < kernel->count; a++)
        if (kernel->i[a] != ir_ints(n, IR_STRIDE)[a] || more->i[a] != 0) return false;
    return all_ones(n, IR_DILATION) && ir_int(n, IR_GROUP) == 1;
}

/* ---- what there are kernels for -------------------------------------------------------------- */

static bool has_voxels(const ir_node *n) {
    return n->in[0]->rank >= 3 && n->in[0]->rank <= 5;
}

static const char *refuse_conv(const ir_node *n) {
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->role != IR_ROLE_CONST) return "weights must be constants";
    return NULL;
}

static const char *refuse_resize(const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    return x->dim[0] == y->dim[0] && x->dim[1] == y->dim[1] ? NULL : "N and C must keep their size";
}

static const char *refuse_norm(const ir_node *n) {
    return refuse_conv(n) ? "scale and bias must be constants" : NULL;
}

static const char *refuse_gather(const ir_node *n) {
    return n->in[1]->role == IR_ROLE_CONST && n->in[1]->dtype == IR_I64 ? NULL
                                                                        : "the index must be an i64 constant";
}

static const char *refuse_cast(const ir_node *n) {
    return n->out[0]->dtype == IR_BOOL ? "bool results come from comparisons only" : NULL;
}

/* Kernels that walk voxels, and what else they ask for; the rest takes tensors of any rank. */
typedef struct demand {
    bool voxels;
    const char *(*refuse)(const ir_node *n);
} demand;
static const demand demands[IR_OP_COUNT] = {
    [IR_OP_CONV] = {true, refuse_conv},       [IR_OP_CONV_TRANSPOSE] = {true, refuse_conv},
    [IR_OP_BATCH_NORM] = {true, refuse_norm}, [IR_OP_INSTANCE_NORM] = {true, refuse_norm},
    [IR_OP_MAX_POOL] = {true, NULL},          [IR_OP_AVERAGE_POOL] = {true, NULL},
    [IR_OP_RESIZE] = {true, refuse_resize},   [IR_OP_GATHER] = {false, refuse_gather},
    [IR_OP_CAST] = {false, refuse_cast},
};

static const char *refuse(const ir_node *n) {
    const demand *need = &demands[n->op];
    if (ir_op_get(n->op)->flags & IR_FLAG_SHAPE)
        return "it computes shapes, which must be known at compile time";
    for (int k = -1; k < n->n_in; k++) {
        const ir_tensor *t = k < 0 ? n->out[0] : n->in[k];
        if (t && t->dtype == IR_F64) return "there is no f64";
        if (t && ir_count(t) > INT_MAX) return "a tensor has more than 2^31 elements: choose a smaller input";
    }
    if (need->voxels && !has_voxels(n)) return "only N C and 1 to 3 spatial axes";
    return need->refuse ? need->refuse(n) : NULL;
}

/* requires: fused graph. maintains: values. gives: gpu of every node; IR_EXIT_UNSUPPORTED names the first
 * that has no kernel. */
bool pass_gpu(ir_graph *g, ir_diag *d) {
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        const char *why = refuse(n);
        if (why) return unsupported(g, n, d, why);
        n->gpu.runner = IR_GPU_KERNEL;
        if (n->op == IR_OP_CONV) n->gpu.runner = IR_GPU_CUDNN;
        if (n->op == IR_OP_CONV_TRANSPOSE)
            n->gpu.runner = is_pixel_shuffle(n) ? IR_GPU_GEMM_SCATTER : IR_GPU_DGRAD;
    }
    return true;
}
