/* cuda_kernels.c: which template and which runtime header an operator's own kernel becomes. */
#include "bundle_files.h"
#include "cuda.h"
#include "gpu_model.h"

#include <string.h>

/* An operator of ops.def without a row here does not compile; maps and binaries share theirs. Column 2: the
 * VOX_CUDA_OP by which the self-test recomputes it. */
#define KERNEL(op, check, ...) static const cu_kernel kernel_##op = {__VA_ARGS__, .check_op = #check};
#define NO_KERNEL(op, check)   static const cu_kernel kernel_##op = {.check_op = #check};
/* clang-format off */
KERNEL(TO_CHANNELS_LAST,   COPY,          "cuda_to_channels_last.cu.in",   "vox_relayout.cuh", cu_slots_relayout)
KERNEL(FROM_CHANNELS_LAST, COPY,          "cuda_from_channels_last.cu.in", "vox_relayout.cuh", cu_slots_relayout)
KERNEL(BATCH_NORM,         AFFINE,        "cuda_batch_norm.cu.in",         "vox_map.cuh",      cu_slots_batch_norm)
KERNEL(INSTANCE_NORM,      INSTANCE_NORM, "cuda_instance_norm.cu.in",      "vox_norm.cuh",     cu_slots_instance_norm)
KERNEL(MAX_POOL,           MAX_POOL,      "cuda_pool.cu.in",               "vox_pool.cuh",     cu_slots_pool)
KERNEL(AVERAGE_POOL,       AVERAGE_POOL,  "cuda_pool.cu.in",               "vox_pool.cuh",     cu_slots_pool)
KERNEL(RESIZE,             RESIZE,        "cuda_resize.cu.in",             "vox_resize.cuh",   cu_slots_resize)
KERNEL(CONCAT,             CONCAT,        "cuda_concat.cu.in",             "vox_copy.cuh",     cu_slots_concat)
KERNEL(SLICE,              SLICE,         "cuda_slice.cu.in",              "vox_copy.cuh",     cu_slots_slice)
KERNEL(PAD,                NONE,          "cuda_pad.cu.in",                "vox_copy.cuh",     cu_slots_pad)
KERNEL(RESHAPE,            NONE,          "cuda_box.cu.in",                "vox_copy.cuh",     cu_slots_box)
KERNEL(TRANSPOSE,          NONE,          "cuda_box.cu.in",                "vox_copy.cuh",     cu_slots_box)
KERNEL(EXPAND,             NONE,          "cuda_box.cu.in",                "vox_copy.cuh",     cu_slots_box)
KERNEL(GATHER,             NONE,          "cuda_gather.cu.in",             "vox_copy.cuh",     cu_slots_gather)
KERNEL(SOFTMAX,            SOFTMAX,       "cuda_softmax.cu.in",            "vox_reduce.cuh",   cu_slots_softmax)
KERNEL(LOG_SOFTMAX,        LOG_SOFTMAX,   "cuda_softmax.cu.in",            "vox_reduce.cuh",   cu_slots_softmax)
KERNEL(ARG_MAX,            ARG_MAX,       "cuda_arg_max.cu.in",            "vox_reduce.cuh",   cu_slots_arg_max)
KERNEL(REDUCE_SUM,         NONE,          "cuda_reduce.cu.in",             "vox_reduce.cuh",   cu_slots_reduce)
KERNEL(REDUCE_MEAN,        NONE,          "cuda_reduce.cu.in",             "vox_reduce.cuh",   cu_slots_reduce)
KERNEL(REDUCE_MAX,         NONE,          "cuda_reduce.cu.in",             "vox_reduce.cuh",   cu_slots_reduce)
KERNEL(REDUCE_MIN,         NONE,          "cuda_reduce.cu.in",             "vox_reduce.cuh",   cu_slots_reduce)
KERNEL(REDUCE_PROD,        NONE,          "cuda_reduce.cu.in",             "vox_reduce.cuh",   cu_slots_reduce)
KERNEL(CAST,               NONE,          "cuda_cast.cu.in",               "vox_map.cuh",      cu_slots_cast)
KERNEL(map,                MAP,           "cuda_map.cu.in",                "vox_map.cuh",      cu_slots_map)
KERNEL(FLOATS,             BINARY,        "cuda_binary.cu.in",             "vox_map.cuh",      cu_slots_binary)
KERNEL(NUMBERS,            BINARY,        "cuda_binary.cu.in",             "vox_map.cuh",      cu_slots_binary)
KERNEL(ORDERS,             BINARY,        "cuda_compare.cu.in",            "vox_map.cuh",      cu_slots_compare)
KERNEL(EQUALS,             BINARY,        "cuda_compare.cu.in",            "vox_map.cuh",      cu_slots_compare)
NO_KERNEL(BOOLS, NONE)
/* see of_conv */
NO_KERNEL(CONV, CONV)
NO_KERNEL(CONV_TRANSPOSE, CONV_TRANSPOSE)
/* computed by the compiler */
NO_KERNEL(WHERE, NONE)
NO_KERNEL(SHAPE_OF, NONE)
NO_KERNEL(RANGE, NONE)
/* of another target */
NO_KERNEL(NORM_TERMS, NONE)
NO_KERNEL(NORMALISE, NONE)
NO_KERNEL(TO_BLOCK, NONE)
NO_KERNEL(FROM_BLOCK, NONE)
/* clang-format on */

static const cu_kernel *const by_op[IR_OP_COUNT] = {
#define OP(sym, ...)                                    [IR_OP_##sym] = &kernel_##sym,
#define MAP_OP(sym, ...)                                [IR_OP_##sym] = &kernel_map,
#define BINARY_OP(sym, name, weights, flags, form, ...) [IR_OP_##sym] = &kernel_##form,
#include "ops.def"
};

static bool folds(const ir_node *n) {
    return ir_op_get(n->op)->flags & IR_FLAG_SHAPE;
}

const char *cu_check_op(const ir_node *n) {
    return folds(n) ? "NONE" : by_op[n->op]->check_op;
}

static const cu_kernel first_conv = {"cuda_first_conv.cu.in", "vox_first_conv.cuh", cu_slots_first_conv,
                                     NULL};
static const cu_kernel last_conv = {"cuda_last_conv.cu.in", "vox_last_conv.cuh", cu_slots_last_conv, NULL};
static const cu_kernel scatter = {"cuda_scatter.cu.in", "vox_scatter.cuh", cu_slots_scatter, NULL};
static const cu_kernel bias_act = {"cuda_bias_act.cu.in", "vox_scatter.cuh", cu_slots_bias_act, NULL};
static const cu_kernel pool_crop = {"cuda_pool_crop.cu.in", "vox_pool.cuh", cu_slots_pool_crop, NULL};
static const cu_kernel plain_box = {"cuda_box.cu.in", "vox_copy.cuh", cu_slots_box, NULL};
static const cu_kernel plain_pad = {"cuda_pad_plain.cu.in", "vox_pad.cuh", cu_slots_pad_plain, NULL};

static bool has_vector(const ir_node *n, int k) {
    return k < n->n_in && n->in[k];
}

bool cu_needs_kernel(const ir_graph *g, const ir_node *n) {
    if (n->gpu.runner == IR_GPU_CUDNN) return !cu_act_is_fused(n);
    if (n->gpu.runner == IR_GPU_DGRAD) return has_vector(n, 2) || ir_get(n, IR_ACT);
    return !cg_gpu_is_taken_along(g, n);
}

static const cu_kernel *of_conv(const ir_node *n) {
    if (n->gpu.runner == IR_GPU_GEMM_SCATTER) return &scatter;
    if (n->gpu.runner == IR_GPU_CUDNN || n->gpu.runner == IR_GPU_DGRAD) return &bias_act;
    return n->in[0]->gpu.pitch ? &last_conv : &first_conv;
}

const cu_kernel *cu_kernel_for(const ir_graph *g, const ir_node *n) {
    if (!cu_needs_kernel(g, n)) return NULL;
    if (cg_gpu_crop_of(g, n)) return &pool_crop;
    if (n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE) return of_conv(n);
    if (n->op == IR_OP_SLICE && cu_slice_is_box(n)) return &plain_box;
    if (n->op == IR_OP_PAD && !n->in[0]->gpu.pitch) return &plain_pad;
    return !folds(n) && by_op[n->op]->slots ? by_op[n->op] : NULL;
}

/* ---- a layer's function ---------------------------------------------------------------------- */

static double megabytes(int64_t bytes) {
    return (double)bytes / 1e6;
}

static const char *traffic(const cg_model *m, const ir_node *n) {
    int64_t read = 0;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->role != IR_ROLE_CONST) read += cg_whole_bytes(n->in[i]);
    return ir_format(m->arena, "reads %.2f MB, writes %.2f MB", megabytes(read),
                     megabytes(cg_whole_bytes(n->out[0])));
}

bool cu_add_layer(cu_model *u, int index, cg_text *out, ir_diag *d) {
    cg_model *m = u->m;
    const cg_layer *l = &m->layers[index];
    cu_work w = {.u = u, .layer = index, .n = l->node, .d = d, .slots = {.arena = m->arena}};
    w.operands.arena = w.offsets.arena = m->arena;
    if (!cg_vox_dtype(l->node->out[0]->dtype)) return cu_unsupported(&w, "f64 is not a type of the runtime");
    if (!cu_needs_kernel(m->g, l->node)) return true;
    const cu_kernel *k = cu_kernel_for(m->g, l->node);
    if (!k) return cu_unsupported(&w, "operators that compute shapes must fold to constants");
    if (!k->slots(&w) || d->code) return false;
    cg_slots *s = &w.slots;
    cg_set(s, "layer", "%s", cg_remark(m->arena, l->name));
    cg_set(s, "title", "%s", l->title);
    cg_set(s, "function", "%s", l->function);
    cg_set(s, "traffic", "%s", traffic(m, l->node));
    cg_set(s, "operands", "%s", cg_string(&w.operands));
    if (w.offsets.size) cg_add_string(&w.offsets, " };");
    cg_set(s, "offsets", "%s", w.offsets.size ? cg_string(&w.offsets) : "(void)m;");
    if (out->size) cg_add_string(out, "\n");
    cg_fill(out, k->template_file, cg_template(m->arena, k->template_file), s);
    return true;
}
