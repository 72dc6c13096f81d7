/* verify_gpu.c: what runs each node of a graph for a GPU: that it can, and that it finds its operands as it
 * wants them. */
#include "verify_gpu.h"

#include "verify_parts.h"
#include "stream.h"

static bool all_are(const ir_node *n, ir_key key, int64_t value) {
    const ir_attr *a = ir_get(n, key);
    for (int i = 0; i < a->count; i++)
        if (a->i[i] != value) return false;
    return true;
}

static bool strides_by_kernel(const ir_node *n) {
    for (int i = 0; i < ir_get(n, IR_KERNEL)->count; i++)
        if (ir_ints(n, IR_KERNEL)[i] != ir_ints(n, IR_STRIDE)[i]) return false;
    return all_are(n, IR_DILATION, 1) && all_are(n, IR_OUTPUT_PAD, 0) && ir_int(n, IR_GROUP) == 1;
}

static bool check_op(verifier *v, const ir_node *n) {
    bool transposed = n->op == IR_OP_CONV_TRANSPOSE, good = true;
    if ((unsigned)n->gpu.runner >= IR_GPU_COUNT)
        return verify_broken(v, "gpu", "'%s' has gpu %d", n->name, (int)n->gpu.runner);
    if (n->gpu.runner == IR_GPU_CUDNN) good = n->op == IR_OP_CONV;
    if (n->gpu.runner == IR_GPU_GEMM_SCATTER) good = transposed && strides_by_kernel(n);
    if (n->gpu.runner == IR_GPU_DGRAD) good = transposed;
    if (n->gpu.runner == IR_GPU_KERNEL) good = !transposed;
    return good || verify_broken(v, "gpu", "%s '%s' cannot run as %s", ir_op_get(n->op)->name, n->name,
                                 ir_gpu_name(n->gpu.runner));
}

static bool is_dense(const ir_tensor *t) {
    return t->gpu.pitch && !ir_is_interleaved(t);
}

/* The most planes of its operand that a node of a group reads in one step. */
static int64_t planes_at_once(verifier *v, int at) {
    const ir_node *n = v->g->nodes[at];
    int64_t most = 0;
    int count, first = verify_group_first(v, at), last = verify_group_last(v, at);
    const ir_step *steps = ir_group_steps(v->g, first, last, n->memory.slab, v->scratch, &count);
    for (int i = 0; i < count; i++) {
        ir_planes read = ir_planes_read(n, 0, steps[i].planes);
        if (steps[i].node == at && read.end - read.begin > most) most = read.end - read.begin;
    }
    return most;
}

/* A product of every channel and tap for each voxel that a step reads. */
static bool check_product(verifier *v, int at) {
    const ir_node *n = v->g->nodes[at];
    const ir_tensor *x = n->in[0];
    double bytes = (double)(n->out[0]->dim[1] * ir_element_bytes(x)); /* no product of sizes overflows it */
    for (int a = 0; a < x->rank; a++)
        if (a != 1) bytes *= (double)(a == 2 && n->memory.stream ? planes_at_once(v, at) : x->dim[a]);
    for (int i = 0; i < ir_get(n, IR_KERNEL)->count; i++) bytes *= (double)ir_ints(n, IR_KERNEL)[i];
    return (double)n->memory.scratch >= bytes ||
           verify_broken(v, "gpu", "'%s' has %lld bytes of scratch memory for a product of %.0f", n->name,
                         (long long)n->memory.scratch, bytes);
}

/* cuDNN reads and writes whole voxels; what scatters its product writes into any. */
static bool check_dense_operands(verifier *v, int at) {
    const ir_node *n = v->g->nodes[at];
    bool cudnn = n->gpu.runner == IR_GPU_CUDNN || n->gpu.runner == IR_GPU_GEMM_SCATTER ||
                 n->gpu.runner == IR_GPU_DGRAD;
    if (!cudnn) return true;
    if (!is_dense(n->in[0]))
        return verify_broken(v, "gpu", "cuDNN cannot read %%%s for '%s': it is plain or interleaved",
                             n->in[0]->name, n->name);
    bool scattered = n->gpu.runner == IR_GPU_GEMM_SCATTER && n->out[0]->gpu.pitch;
    if (!scattered && !is_dense(n->out[0]))
        return verify_broken(v, "gpu", "cuDNN cannot write %%%s: it is plain or interleaved",
                             n->out[0]->name);
    return n->gpu.runner != IR_GPU_GEMM_SCATTER || check_product(v, at);
}

/* Nobody has to run a node whose result is made of what lies there already. */
static bool needs_no_code(const verifier *v, const ir_node *n) {
    if (n->op != IR_OP_CONCAT) return n->op == IR_OP_RESHAPE && n->out[0]->memory.view_of == n->in[0];
    const int64_t *places = verify_places_in(n, v->scratch);
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k]->memory.view_of != n->out[0] || n->in[k]->memory.view_offset != places[k]) return false;
    return true;
}

/* Operands are as they should be once some value is channels last. */
static bool is_laid_out(const ir_graph *g) {
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->gpu.pitch) return true;
    return false;
}

bool verify_gpu(verifier *v) {
    bool for_gpu = false, laid_out = is_laid_out(v->g);
    for (int i = 0; i < v->g->n_nodes; i++) for_gpu |= v->g->nodes[i]->gpu.runner != IR_GPU_NONE;
    for (int i = 0; for_gpu && i < v->g->n_nodes; i++) {
        const ir_node *n = v->g->nodes[i];
        if (!n->gpu.runner && !needs_no_code(v, n))
            return verify_broken(v, "gpu", "nothing runs %s '%s'", ir_op_get(n->op)->name, n->name);
        if (n->cpu.way || n->out[0]->cpu.block || n->out[0]->cpu.fused)
            return verify_broken(v, "gpu", "'%s' is planned for a CPU", n->name);
        if (!check_op(v, n) || (laid_out && !check_dense_operands(v, i))) return false;
    }
    return true;
}
