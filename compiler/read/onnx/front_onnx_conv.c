/* front_onnx_conv.c: ONNX convolutions and poolings. Padding is made explicit here. */
#include "front_onnx_import.h"

#include <string.h>

enum { SPACE = 2, MAX_SPACE = IR_MAX_RANK - SPACE };
static const int64_t LARGE = INT32_MAX; /* of one kernel, stride, dilation or pad */

typedef struct onnx_window {
    int n; /* spatial axes */
    int64_t kernel[MAX_SPACE], stride[MAX_SPACE], dilation[MAX_SPACE], out_pad[MAX_SPACE];
    int64_t pad[2 * MAX_SPACE];
} onnx_window;

/* Attribute `name` into out: count values from low, `absent` where it is not given. */
static bool window_list(const onnx_call *c, const char *name, int count, int64_t low, int64_t absent,
                        int64_t *out) {
    int n;
    const int64_t *v = onnx_ints(c, name, &n);
    if (v && n != count) return onnx_bad(c, "attribute %s holds %d values, expected %d", name, n, count);
    for (int i = 0; i < count; i++) {
        out[i] = v ? v[i] : absent;
        if (out[i] < low || out[i] > LARGE)
            return onnx_bad(c, "attribute %s holds %lld, expected %lld or more", name, (long long)out[i],
                            (long long)low);
    }
    return true;
}

/* All but the kernel, which convolutions take from their weights. */
static bool window_read(const onnx_call *c, int rank, onnx_window *w) {
    *w = (onnx_window){.n = rank - SPACE};
    if (rank <= SPACE || rank > IR_MAX_RANK)
        return onnx_bad(c, "its input has %d axes; batch, channels and 1 to %d spatial axes are expected",
                        rank, MAX_SPACE);
    return window_list(c, "strides", w->n, 1, 1, w->stride) &&
           window_list(c, "dilations", w->n, 1, 1, w->dilation) &&
           window_list(c, "pads", 2 * w->n, 0, 0, w->pad) &&
           window_list(c, "output_padding", w->n, 0, 0, w->out_pad);
}

static bool window_kernel_of(const onnx_call *c, const ir_tensor *weight, onnx_window *w) {
    int64_t given[MAX_SPACE];
    if (weight->rank != w->n + SPACE)
        return onnx_bad(c, "the weight has %d axes, the input %d", weight->rank, w->n + SPACE);
    for (int i = 0; i < w->n; i++) {
        w->kernel[i] = weight->dim[SPACE + i];
        if (w->kernel[i] < 1 || w->kernel[i] > LARGE)
            return onnx_bad(c, "the weight's kernel is empty or too large");
    }
    if (!onnx_has(c, "kernel_shape")) return true;
    if (!window_list(c, "kernel_shape", w->n, 1, 1, given)) return false;
    for (int i = 0; i < w->n; i++)
        if (given[i] != w->kernel[i])
            return onnx_bad(c, "kernel_shape says %lld along spatial axis %d, the weight %lld",
                            (long long)given[i], i, (long long)w->kernel[i]);
    return true;
}

typedef enum auto_pad { PAD_EXPLICIT, PAD_UPPER, PAD_LOWER, PAD_VALID } auto_pad;

static bool window_auto_pad(const onnx_call *c, const onnx_window *w, auto_pad *out) {
    static const char *const names[] = {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    const char *word = onnx_word(c, "auto_pad", "NOTSET");
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, names[i]) != 0) continue;
        *out = (auto_pad)i;
        for (int k = 0; i && k < 2 * w->n; k++)
            if (w->pad[k]) return onnx_bad(c, "auto_pad %s and explicit pads exclude each other", word);
        return true;
    }
    return onnx_bad(c, "auto_pad '%s' is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID", word);
}

static int64_t extent(const onnx_window *w, int i) {
    return (w->kernel[i] - 1) * w->dilation[i] + 1;
}

static void split_pad(onnx_window *w, int i, int64_t total, bool more_at_end) {
    w->pad[i] = more_at_end ? total / 2 : total - total / 2;
    w->pad[w->n + i] = total - w->pad[i];
}

/* SAME: as many outputs as strides begin inside the input. */
static bool window_resolve_same(const onnx_call *c, const ir_tensor *x, onnx_window *w) {
    auto_pad mode;
    if (!window_auto_pad(c, w, &mode)) return false;
    if (mode != PAD_UPPER && mode != PAD_LOWER) return true;
    for (int i = 0; i < w->n; i++) {
        int64_t in = x->dim[SPACE + i], out = (in - 1) / w->stride[i] + 1;
        int64_t total = (out - 1) * w->stride[i] + extent(w, i) - in;
        if (total > LARGE) return onnx_bad(c, "auto_pad needs %lld voxels of padding", (long long)total);
        split_pad(w, i, total > 0 ? total : 0, mode == PAD_UPPER);
    }
    return true;
}

static void window_set(onnx_call *c, ir_node *n, const onnx_window *w) {
    ir_set_ints(c->g, n, IR_KERNEL, w->n, w->kernel);
    ir_set_ints(c->g, n, IR_STRIDE, w->n, w->stride);
    ir_set_ints(c->g, n, IR_DILATION, w->n, w->dilation);
    ir_set_ints(c->g, n, IR_PAD, 2 * w->n, w->pad);
}

bool onnx_conv(onnx_call *c) {
    onnx_window w;
    if (!window_read(c, c->in[0]->rank, &w) || !window_kernel_of(c, c->in[1], &w) ||
        !window_resolve_same(c, c->in[0], &w))
        return false;
    ir_node *n = onnx_begin(c, NULL, IR_OP_CONV, onnx_present(c, 2) ? 3 : 2, c->in);
    window_set(c, n, &w);
    ir_set_int(c->g, n, IR_GROUP, onnx_int(c, "group", 1));
    return onnx_bind(c, 0, onnx_end(c, n));
}

/* What output_shape (attribute, or input * stride for SAME) makes of the pads. A total below 0 means voxels
 * behind the last window: output padding. */
static bool transpose_pads(const onnx_call *c, const ir_tensor *x, onnx_window *w) {
    int count;
    auto_pad mode;
    const int64_t *want = onnx_ints(c, "output_shape", &count);
    if (!window_auto_pad(c, w, &mode)) return false;
    bool same = mode == PAD_UPPER || mode == PAD_LOWER;
    if (!want && !same) return true;
    /* Some exporters write the whole shape, batch and channels included. */
    if (want && count == w->n + SPACE)
        want += SPACE;
    else if (want && count != w->n)
        return onnx_bad(c, "output_shape holds %d values, expected %d", count, w->n);
    for (int i = 0; i < w->n; i++) {
        int64_t in = x->dim[SPACE + i], whole, out;
        if (__builtin_mul_overflow(in, w->stride[i], &whole) || whole > IR_MAX_BYTES)
            return onnx_bad(c, "the output's size overflows");
        out = want ? want[i] : whole;
        int64_t total = out < 1 ? 0 : whole - w->stride[i] + w->out_pad[i] + extent(w, i) - out;
        if (out < 1 || total > LARGE || total < -LARGE)
            return onnx_bad(c, "output_shape asks for %lld voxels along spatial axis %d", (long long)out, i);
        if (total < 0) w->out_pad[i] -= total;
        split_pad(w, i, total > 0 ? total : 0, mode == PAD_UPPER);
    }
    return true;
}

bool onnx_conv_transpose(onnx_call *c) {
    onnx_window w;
    if (!window_read(c, c->in[0]->rank, &w) || !window_kernel_of(c, c->in[1], &w) ||
        !transpose_pads(c, c->in[0], &w))
        return false;
    ir_node *n = onnx_begin(c, NULL, IR_OP_CONV_TRANSPOSE, onnx_present(c, 2) ? 3 : 2, c->in);
    window_set(c, n, &w);
    ir_set_ints(c->g, n, IR_OUTPUT_PAD, w.n, w.out_pad);
    ir_set_int(c->g, n, IR_GROUP, onnx_int(c, "group", 1));
    return onnx_bind(c, 0, onnx_end(c, n));
}

bool onnx_pool(onnx_call *c) {
    onnx_window w;
    if (!onnx_has(c, "kernel_shape")) return onnx_bad(c, "attribute kernel_shape is missing");
    if (!window_read(c, c->in[0]->rank, &w) || !window_list(c, "kernel_shape", w.n, 1, 1, w.kernel) ||
        !window_resolve_same(c, c->in[0], &w))
        return false;
    ir_node *n = onnx_begin(c, NULL, (ir_op)c->op->ir, 1, c->in);
    window_set(c, n, &w);
    ir_set_int(c->g, n, IR_CEIL, onnx_int(c, "ceil_mode", 0));
    if (n->op == IR_OP_AVERAGE_POOL) ir_set_int(c->g, n, IR_INCLUDE_PAD, onnx_int(c, "count_include_pad", 0));
    return onnx_bind(c, 0, onnx_end(c, n));
}

bool onnx_global_pool(onnx_call *c) {
    int64_t axes[IR_MAX_RANK];
    int rank = c->in[0]->rank;
    if (rank <= SPACE) return onnx_bad(c, "its input has %d axes; there is nothing to pool", rank);
    for (int i = SPACE; i < rank; i++) axes[i - SPACE] = i;
    ir_node *n = onnx_begin(c, NULL, (ir_op)c->op->ir, 1, c->in);
    ir_set_ints(c->g, n, IR_AXES, rank - SPACE, axes);
    ir_set_int(c->g, n, IR_KEEPDIMS, 1);
    return onnx_bind(c, 0, onnx_end(c, n));
}
