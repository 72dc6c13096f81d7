/* cuda_slots_spatial.c: relayout, pooling, normalisation, resizing. */
#include "cuda.h"
#include "gpu_model.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

static const char *act_of(const ir_node *n) {
    return ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL;
}

static void set_triple(cu_work *w, const char *slot, ir_key key, int from, int64_t absent) {
    int64_t v[3];
    cg_spatial(w->n, key, from, absent, v);
    cg_set(&w->slots, slot, "%s", cu_triple(w->u->m->arena, v));
}

static bool channels_last(const cu_work *w) {
    return w->n->in[0]->gpu.pitch && w->n->out[0]->gpu.pitch;
}

bool cu_slots_relayout(cu_work *w) {
    const ir_node *n = w->n;
    const bool to = n->op == IR_OP_TO_CHANNELS_LAST;
    if (to)
        cu_pointer(w, "x", n->in[0]), cu_view(w, "y", n->out[0], 0);
    else
        cu_view(w, "x", n->in[0], 1), cu_pointer(w, "y", n->out[0]);
    return true;
}

bool cu_slots_pool(cu_work *w) {
    const ir_node *n = w->n;
    const bool average = n->op == IR_OP_AVERAGE_POOL;
    if (!channels_last(w)) return cu_unsupported(w, "only channels-last tensors");
    set_triple(w, "kernel_size", IR_KERNEL, 0, 1);
    set_triple(w, "stride", IR_STRIDE, 0, 1);
    set_triple(w, "dilation", IR_DILATION, 0, 1);
    set_triple(w, "pad", IR_PAD, 0, 0);
    set_triple(w, "pad_end", IR_PAD, n->in[0]->rank - 2, 0);
    cg_set_int(&w->slots, "include_pad", average ? ir_int(n, IR_INCLUDE_PAD) : 0);
    cg_set(&w->slots, "kernel", "%s", ir_op_get(n->op)->name);
    cu_view(w, "x", n->in[0], 1);
    cu_view(w, "y", n->out[0], 0);
    return true;
}

bool cu_slots_pool_crop(cu_work *w) {
    const ir_node *n = w->n, *crop = cg_gpu_crop_of(w->u->m->g, n);
    cg_set(&w->slots, "at", "%s", cu_triple(w->u->m->arena, ir_ints(crop, IR_BEGIN) + 2));
    cu_view(w, "x", n->in[0], 1);
    cu_view(w, "y", n->out[0], 0);
    cu_view(w, "crop", crop->out[0], 0); /* whole: it has no window */
    return true;
}

static int vector_of(cu_work *w, int k) {
    const ir_node *n = w->n;
    const int64_t channels = n->out[0]->dim[1];
    if (k >= n->n_in || !n->in[k]) return -1;
    const int64_t own = cu_own(n->in[0]) > cu_own(n->out[0]) ? cu_own(n->in[0]) : cu_own(n->out[0]);
    return cu_vector(w->u, n->in[k], channels, cu_vector_pitch(own), IR_STORE_OWN);
}

bool cu_slots_instance_norm(cu_work *w) {
    const ir_node *n = w->n;
    if (!channels_last(w)) return cu_unsupported(w, "only channels-last tensors");
    cg_set_int(&w->slots, "groups", ir_get(n, IR_GROUP) ? ir_int(n, IR_GROUP) : n->in[0]->dim[1]);
    cg_set(&w->slots, "eps", "%s", cg_float(w->u->m->arena, ir_float(n, IR_EPS)));
    cu_view(w, "x", n->in[0], 1);
    cu_weight_pointer(w, "scale", vector_of(w, 1));
    cu_epilogue(w, vector_of(w, 2), vector_of(w, 3), act_of(n));
    cu_view(w, "y", n->out[0], 0);
    cg_add(&w->offsets, ", SCRATCH = %" PRId64, cg_scratch_offset(w->u->m, n));
    return true;
}

void cu_batch_norm_weights(cu_model *u, const ir_node *n, int w[2]) {
    cu_weight scale = {.pack = CU_NORM_SCALE, .source = {n->in[1], n->in[4]}, .eps = ir_float(n, IR_EPS)};
    scale.c = n->out[0]->dim[1];
    scale.pitch = cu_vector_pitch(cu_own(n->out[0]));
    cu_weight bias = scale;
    bias.pack = CU_NORM_BIAS;
    bias.source[2] = n->in[2];
    bias.source[3] = n->in[3];
    w[0] = cu_use_weight(u, &scale);
    w[1] = cu_use_weight(u, &bias);
}

bool cu_slots_batch_norm(cu_work *w) {
    const ir_node *n = w->n;
    int weights[2];
    if (!channels_last(w)) return cu_unsupported(w, "only channels-last tensors");
    cu_batch_norm_weights(w->u, n, weights);
    cu_view(w, "x", n->in[0], 1);
    cu_weight_pointer(w, "scale", weights[0]);
    cu_epilogue(w, weights[1], -1, NULL);
    cu_view(w, "y", n->out[0], 0);
    return true;
}

/* Three values along D H W of an attribute over all axes, as text. */
static const char *spatial_floats(cu_work *w, ir_key key, int from, double absent) {
    const ir_attr *a = ir_get(w->n, key);
    const int rank = w->n->in[0]->rank;
    cg_text t = {.arena = w->u->m->arena};
    cg_add_string(&t, "{");
    for (int i = 0; i < 3; i++) {
        const int axis = rank - 3 + i;
        const double v = a && axis >= 2 ? a->f[from + axis] : absent;
        cg_add(&t, "%s%s", i ? ", " : "", cg_double(w->u->m->arena, v));
    }
    cg_add_string(&t, "}");
    return cg_string(&t);
}

bool cu_slots_resize(cu_work *w) {
    const ir_node *n = w->n;
    ir_arena *a = w->u->m->arena;
    const char *mode = ir_word(n, IR_MODE);
    if (!channels_last(w)) return cu_unsupported(w, "only channels-last tensors");
    if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0)
        return cu_unsupported(w, "mode must be nearest or linear");
    if (n->in[0]->dim[0] != n->out[0]->dim[0] || n->in[0]->dim[1] != n->out[0]->dim[1])
        return cu_unsupported(w, "N and C must keep their size");
    const bool roi = ir_get(n, IR_ROI) != NULL;
    cg_set(&w->slots, "linear", strcmp(mode, "linear") == 0 ? "true" : "false");
    cg_set(&w->slots, "coordinates", "VOX_%s", cg_upper(a, ir_word(n, IR_COORDINATES)));
    cg_set(&w->slots, "nearest", "VOX_%s", cg_upper(a, ir_word(n, IR_NEAREST)));
    cg_set(&w->slots, "scale", "%s", spatial_floats(w, IR_SCALE, 0, 1));
    cg_set(&w->slots, "roi_begin", "%s", spatial_floats(w, IR_ROI, 0, 0));
    cg_set(&w->slots, "roi_end", "%s", spatial_floats(w, IR_ROI, roi ? n->in[0]->rank : 0, 1));
    cg_set(&w->slots, "extrapolation", "%s",
           cg_float(a, ir_get(n, IR_EXTRAPOLATION) ? ir_float(n, IR_EXTRAPOLATION) : 0));
    cu_view(w, "x", n->in[0], 1);
    cu_view(w, "y", n->out[0], 0);
    return true;
}
