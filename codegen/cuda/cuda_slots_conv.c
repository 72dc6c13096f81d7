/* cuda_slots_conv.c: own kernels of convolutions: first, last, what follows a plan. */
#include "cuda.h"
#include "slots.h"
#include "stream.h"

#include <inttypes.h>
#include <string.h>

static const char *act_of(const ir_node *n) {
    return ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL;
}

static const ir_tensor *operand(const ir_node *n, int k) {
    return k < n->n_in ? n->in[k] : NULL;
}

/* A per-channel operand as own kernels read it; -1 where the node has none. */
static int vector_of(cu_work *w, int k, int64_t least) {
    const ir_tensor *t = operand(w->n, k);
    const int64_t channels = w->n->out[0]->dim[1];
    if (!t) return -1;
    return cu_vector(w->u, t, channels, cu_vector_pitch(least > channels ? least : channels), IR_STORE_OWN);
}

static void set_epilogue(cu_work *w, bool with_bias) {
    const int64_t own = cu_own(w->n->out[0]);
    cu_epilogue(w, with_bias ? vector_of(w, 2, own) : -1, vector_of(w, 3, own), act_of(w->n));
}

static void set_triple(cu_work *w, const char *slot, ir_key key, int from, int64_t absent) {
    int64_t v[3];
    cg_spatial(w->n, key, from, absent, v);
    cg_set(&w->slots, slot, "%s", cu_triple(w->u->m->arena, v));
}

static int64_t first_pitch(int64_t own) {
    return own <= 8 ? 8 : own <= 16 ? 16 : (own + 31) / 32 * 32;
}

int cu_first_filter(cu_model *u, const ir_node *n) {
    int64_t kernel[3];
    cg_spatial(n, IR_KERNEL, 0, 1, kernel);
    cu_weight filter = {.pack = CU_FIRST, .source = {n->in[1]}};
    filter.k = n->out[0]->dim[1];
    filter.c = n->in[0]->dim[1];
    filter.depth = kernel[0];
    filter.positions = kernel[0] * kernel[1] * kernel[2];
    filter.pitch = first_pitch(cu_own(n->out[0]));
    return cu_use_weight(u, &filter);
}

int cu_last_filter(cu_model *u, const ir_node *n) {
    cu_weight filter = {.pack = CU_FILTER, .source = {n->in[1]}, .positions = 1};
    filter.k = filter.rows = n->out[0]->dim[1];
    filter.c = n->in[0]->dim[1];
    filter.pitch = (cu_own(n->in[0]) + 7) / 8 * 8;
    return cu_use_weight(u, &filter);
}

bool cu_slots_first_conv(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *y = n->out[0];
    int64_t dim[5], kernel[3], stride[3], dilation[3];
    if (!cg_dims(x, dim)) return cu_unsupported(w, "more than 3 spatial axes");
    cg_spatial(n, IR_KERNEL, 0, 1, kernel);
    cg_spatial(n, IR_STRIDE, 0, 1, stride);
    cg_spatial(n, IR_DILATION, 0, 1, dilation);
    if (ir_int(n, IR_GROUP) != 1 || dilation[0] * dilation[1] * dilation[2] != 1)
        ir_die("codegen: %s: the first convolution's kernel has no groups and no dilation", n->name);
    cg_set_int(&w->slots, "c", dim[1]);
    cg_set(&w->slots, "in", "%s", cu_triple(w->u->m->arena, dim + 2));
    cg_set(&w->slots, "kernel", "%s", cu_triple(w->u->m->arena, kernel));
    cg_set(&w->slots, "stride", "%s", cu_triple(w->u->m->arena, stride));
    set_triple(w, "pad", IR_PAD, 0, 0);
    cg_set_int(&w->slots, "kw", kernel[2]);
    cg_set_int(&w->slots, "sw", stride[2]);
    cu_pointer(w, "x", x);
    cu_weight_pointer(w, "w", cu_first_filter(w->u, n));
    set_epilogue(w, true);
    cu_view(w, "y", y, 0);
    return true;
}

bool cu_slots_last_conv(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *y = n->out[0];
    cu_view(w, "x", x, 1);
    const int filter = cu_last_filter(w->u, n);
    cu_weight_pointer(w, "w", filter);
    cg_set_int(&w->slots, "w_pitch", w->u->weights[filter].pitch);
    cg_set_int(&w->slots, "k", y->dim[1]);
    set_epilogue(w, true);
    cu_pointer(w, "y", y);
    return true;
}

/* The product of the plan lies in the node's scratch memory. */
bool cu_slots_scatter(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *y = n->out[0];
    ir_arena *a = w->u->m->arena;
    int64_t dim[5], kernel[3], planes = 0;
    if (!cg_dims(x, dim)) return cu_unsupported(w, "more than 3 spatial axes");
    cg_spatial(n, IR_KERNEL, 0, 1, kernel);
    for (int i = 0; i < w->u->n_steps && n->memory.stream; i++) {
        const cu_step *s = &w->u->steps[i];
        if (s->layer != w->layer) continue;
        const ir_planes read = ir_planes_read(n, 0, (ir_planes){s->begin, s->end});
        if (read.end - read.begin > planes) planes = read.end - read.begin;
    }
    const int64_t offset = cg_scratch_offset(w->u->m, n);
    cg_add(&w->operands, " *   product  of %s, arena + %" PRId64, x->name, offset);
    cg_add(&w->offsets, "enum : size_t { PRODUCT = %" PRId64, offset);
    cg_set(&w->slots, "product_type", "%s", cu_type(x));
    cg_set(&w->slots, "product",
           "{(%s *)(m->arena + PRODUCT), %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
           ", %" PRId64 ", 0, %s}",
           cu_type(x), dim[0], y->dim[1] * kernel[0] * kernel[1] * kernel[2], dim[2], dim[3], dim[4],
           cu_product_pitch(w->u, n), planes ? ir_format(a, "s->z0[2], %" PRId64, planes) : "0, 0");
    cg_set(&w->slots, "kernel", "%s", cu_triple(a, kernel));
    set_triple(w, "pad", IR_PAD, 0, 0);
    cu_view(w, "y", y, 0);
    set_epilogue(w, true);
    return true;
}

/* In place, behind a plan: of a transposed convolution bias and activation, of a convolution what cuDNN does
 * not fuse. */
bool cu_slots_bias_act(cu_work *w) {
    cu_view(w, "y", w->n->out[0], 0);
    set_epilogue(w, w->n->gpu.runner == IR_GPU_DGRAD);
    return true;
}
