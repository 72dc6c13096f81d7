/* shape_conv.c: convolutions, poolings and norms: x is N C and the spatial axes. */
#include "shape.h"

#include <math.h>
#include <string.h>

enum { N_AXIS = 0, C_AXIS = 1, SPACE = 2 };
static const int64_t large =
    INT32_MAX; /* of one kernel, stride, dilation or pad: keeps sums inside 64 bits */

static bool need_window(const ir_node *n, ir_diag *d) {
    if (!shape_need_rank(n, 3, 5, d)) return false;
    int space = n->in[0]->rank - SPACE;
    return shape_need_ints(n, IR_KERNEL, space, 1, large, d) &&
           shape_need_ints(n, IR_STRIDE, space, 1, large, d) &&
           shape_need_ints(n, IR_DILATION, space, 1, large, d) &&
           shape_need_ints(n, IR_PAD, 2 * space, 0, large, d);
}

/* Voxels that a window spans along spatial axis i. */
static int64_t window_extent(const ir_node *n, int i) {
    return (ir_ints(n, IR_KERNEL)[i] - 1) * ir_ints(n, IR_DILATION)[i] + 1;
}

/* How often the window fits along spatial axis i; fails when it never does. */
static bool windows(const ir_node *n, int i, bool ceil, int64_t *count, ir_diag *d) {
    const ir_tensor *x = n->in[0];
    const int64_t *pad = ir_ints(n, IR_PAD);
    int space = x->rank - SPACE;
    int64_t in = x->dim[SPACE + i], stride = ir_ints(n, IR_STRIDE)[i];
    int64_t free_places = in + pad[i] + pad[space + i] - window_extent(n, i);
    if (free_places < 0)
        return shape_fail(
            n, d,
            "the output would be empty along spatial axis %d: the window spans %lld voxels but %%%s has "
            "%lld with its padding",
            i, (long long)window_extent(n, i), x->name, (long long)(in + pad[i] + pad[space + i]));
    *count = (free_places + (ceil ? stride - 1 : 0)) / stride + 1;
    /* Rounding up must not add a window that begins in the padding behind x. */
    if (ceil && (*count - 1) * stride >= in + pad[i]) --*count;
    return true;
}

/* The weights' kernel axes and dtype, and the channels they want; w is O I/group k... or I O/group k... */
static bool need_weights(const ir_node *n, ir_diag *d) {
    const ir_tensor *x = n->in[0], *w = n->in[1];
    const int64_t *kernel = ir_ints(n, IR_KERNEL);
    char type[256];
    ir_type_text(w, type, sizeof type);
    if (w->rank != x->rank) return shape_fail(n, d, "weight %s wants %d axes", type, x->rank);
    for (int i = SPACE; i < w->rank; i++)
        if (w->dim[i] != kernel[i - SPACE])
            return shape_fail(n, d, "weight %s does not match the kernel attribute", type);
    if (w->dim[0] < 1 || w->dim[1] < 1) return shape_fail(n, d, "weight %s has no channels", type);
    int64_t group = ir_int(n, IR_GROUP), wants;
    if (w->dim[0] % group)
        return shape_fail(n, d, "weight %s does not split into group=%lld", type, (long long)group);
    if (n->op == IR_OP_CONV_TRANSPOSE)
        wants = w->dim[0];
    else if (__builtin_mul_overflow(w->dim[1], group, &wants))
        return shape_fail(n, d, "weight %s with group=%lld has too many channels", type, (long long)group);
    if (x->dim[C_AXIS] == wants) return true;
    char xtype[256];
    return shape_fail(n, d, "weight %s wants %lld input channels but x %%%s is %s", type, (long long)wants,
                      x->name, ir_type_text(x, xtype, sizeof xtype));
}

static bool need_channels(const ir_node *n, int k, int64_t channels, const char *what, ir_diag *d) {
    const ir_tensor *t = k < n->n_in ? n->in[k] : NULL;
    if (!t || (t->rank == 1 && t->dim[0] == channels)) return true;
    char type[256];
    return shape_fail(n, d, "%s %%%s is %s, wants [%lld]", what, t->name, ir_type_text(t, type, sizeof type),
                      (long long)channels);
}

static bool need_conv(const ir_node *n, ir_diag *d) {
    return shape_need_float(n, d) && shape_need_same_dtype(n, d) && need_window(n, d) &&
           shape_need_int(n, IR_GROUP, 1, large, d) && need_weights(n, d);
}

ir_tensor *ir_skip(const ir_node *n) {
    return n->op == IR_OP_CONV && n->n_in > IR_SKIP ? n->in[IR_SKIP] : NULL;
}

static bool need_skip(const ir_node *n, const ir_type *out, ir_diag *d) {
    const ir_tensor *t = ir_skip(n);
    bool good = !t || t->rank == out->rank;
    for (int i = 0; t && good && i < out->rank; i++) good = t->dim[i] == out->dim[i];
    if (good) return true;
    char type[256], want[256];
    ir_tensor result = {.dtype = out->dtype, .rank = out->rank};
    memcpy(result.dim, out->dim, sizeof result.dim);
    return shape_fail(n, d, "the value added, %%%s, is %s, wants %s", t->name,
                      ir_type_text(t, type, sizeof type), ir_type_text(&result, want, sizeof want));
}

bool shape_conv(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!need_conv(n, d)) return false;
    shape_copy(out, n->in[0]);
    out->dim[C_AXIS] = n->in[1]->dim[0];
    if (!need_channels(n, 2, out->dim[C_AXIS], "bias", d) || !shape_need_act(n, d)) return false;
    for (int i = 0; i < out->rank - SPACE; i++)
        if (!windows(n, i, false, &out->dim[SPACE + i], d)) return false;
    return need_skip(n, out, d);
}

/* (in - 1) * stride + extent + output_pad - pads along spatial axis i. */
static bool transposed_extent(const ir_node *n, int i, int64_t *size, ir_diag *d) {
    const int64_t *pad = ir_ints(n, IR_PAD), *more = ir_ints(n, IR_OUTPUT_PAD);
    int space = n->in[0]->rank - SPACE;
    int64_t stride = ir_ints(n, IR_STRIDE)[i], dilation = ir_ints(n, IR_DILATION)[i],
            in = n->in[0]->dim[SPACE + i];
    if (more[i] >= stride && more[i] >= dilation)
        return shape_fail(n, d,
                          "output_pad %lld wants to be smaller than the stride %lld or the dilation %lld",
                          (long long)more[i], (long long)stride, (long long)dilation);
    int64_t around = window_extent(n, i) + more[i] - pad[i] - pad[space + i], whole;
    if (__builtin_mul_overflow(in - 1, stride, &whole) || __builtin_add_overflow(whole, around, size))
        return shape_fail(n, d, "the output's spatial axis %d would exceed 2^62", i);
    if (*size < 1)
        return shape_fail(n, d, "the output would be empty along spatial axis %d: %lld voxels", i,
                          (long long)*size);
    return true;
}

bool shape_conv_transpose(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!need_conv(n, d)) return false;
    if (!shape_need_ints(n, IR_OUTPUT_PAD, n->in[0]->rank - SPACE, 0, large, d)) return false;
    shape_copy(out, n->in[0]);
    if (__builtin_mul_overflow(n->in[1]->dim[1], ir_int(n, IR_GROUP), &out->dim[C_AXIS]))
        return shape_fail(n, d, "too many output channels");
    if (!need_channels(n, 2, out->dim[C_AXIS], "bias", d) || !shape_need_act(n, d)) return false;
    for (int i = 0; i < out->rank - SPACE; i++)
        if (!transposed_extent(n, i, &out->dim[SPACE + i], d)) return false;
    return true;
}

bool shape_pool(const ir_node *n, ir_type *out, ir_diag *d) {
    bool average = n->op == IR_OP_AVERAGE_POOL;
    if (average ? !shape_need_float(n, d) : !shape_need_number(n, d)) return false;
    if (!need_window(n, d) || !shape_need_int(n, IR_CEIL, 0, 1, d) ||
        !shape_need_int(n, IR_INCLUDE_PAD, 0, 1, d))
        return false;
    shape_copy(out, n->in[0]);
    int space = out->rank - SPACE;
    for (int i = 0; i < space; i++) {
        const int64_t *pad = ir_ints(n, IR_PAD);
        if (pad[i] >= window_extent(n, i) || pad[space + i] >= window_extent(n, i))
            return shape_fail(n, d,
                              "pad along spatial axis %d wants to be smaller than the window of %lld voxels",
                              i, (long long)window_extent(n, i));
        /* Then some window of the begin could have taps on both sides of x and none inside. */
        if (pad[i] > 0 && ir_ints(n, IR_DILATION)[i] > out->dim[SPACE + i])
            return shape_unsupported(n, d,
                                     "dilation along spatial axis %d wants to be at most its %lld voxels", i,
                                     (long long)out->dim[SPACE + i]);
        if (!windows(n, i, ir_int(n, IR_CEIL), &out->dim[SPACE + i], d)) return false;
    }
    return true;
}

static bool need_eps(const ir_node *n, ir_diag *d) {
    double eps = ir_float(n, IR_EPS);
    return (isfinite(eps) && eps >= 0) || shape_fail(n, d, "eps is %g, wants 0 or more", eps);
}

static bool shape_norm(const ir_node *n, int vectors, ir_type *out, ir_diag *d) {
    static const char *const what[] = {"x", "scale", "bias", "mean", "variance"};
    if (!shape_need_float(n, d) || !shape_need_same_dtype(n, d) || !need_eps(n, d)) return false;
    for (int k = 1; k <= vectors; k++)
        if (!need_channels(n, k, n->in[0]->dim[C_AXIS], what[k], d)) return false;
    shape_copy(out, n->in[0]);
    return true;
}

bool shape_batch_norm(const ir_node *n, ir_type *out, ir_diag *d) {
    return shape_need_rank(n, 2, IR_MAX_RANK, d) && shape_norm(n, 4, out, d);
}

/* group: absent, or how many equal runs of channels share statistics. */
static bool need_groups(const ir_node *n, ir_diag *d) {
    int64_t channels = n->in[0]->dim[C_AXIS];
    if (!ir_get(n, IR_GROUP)) return true;
    if (!shape_need_int(n, IR_GROUP, 1, channels > 0 ? channels : 1, d)) return false;
    return channels % ir_int(n, IR_GROUP) == 0 ||
           shape_fail(n, d, "%lld channels cannot be split into %lld groups", (long long)channels,
                      (long long)ir_int(n, IR_GROUP));
}

bool shape_instance_norm(const ir_node *n, ir_type *out, ir_diag *d) {
    return shape_need_rank(n, 3, IR_MAX_RANK, d) && shape_norm(n, 2, out, d) && need_groups(n, d) &&
           shape_need_act(n, d);
}

enum { TERMS = 3 }; /* of a norm, per n and channel */

bool shape_norm_terms(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_rank(n, 3, IR_MAX_RANK, d) || !shape_norm(n, 2, out, d) || !need_groups(n, d))
        return false;
    out->rank = 3;
    out->dim[2] = out->dim[1];
    out->dim[1] = TERMS;
    return true;
}

bool shape_normalise(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_tensor *x = n->in[0], *t = n->in[1];
    if (!shape_need_rank(n, 3, IR_MAX_RANK, d) || !shape_need_float(n, d) || !shape_need_same_dtype(n, d))
        return false;
    if (t->rank != 3 || t->dim[0] != x->dim[0] || t->dim[1] != TERMS || t->dim[2] != x->dim[C_AXIS])
        return shape_fail(n, d, "wants 3 terms of each n and channel");
    if (n->n_in > 2 && n->in[2]) return shape_fail(n, d, "operand 2 must be absent");
    shape_copy(out, x);
    return shape_need_act(n, d);
}

bool ir_is_joined(const ir_node *n) {
    return n->cpu.joined || (n->n_in && n->in[0] && n->in[0]->cpu.fused);
}
