/* front_onnx_norm.c: ONNX normalisations. */
#include "front_onnx_import.h"

static double epsilon_of(const onnx_call *c) {
    return onnx_float(c, "epsilon", (double)1e-5f);
}

bool onnx_batch_norm(onnx_call *c) {
    if (onnx_int(c, "training_mode", 0))
        return onnx_unsupported(c, "training_mode is not supported: export for inference");
    if (!onnx_int(c, "spatial", 1)) return onnx_unsupported(c, "spatial=0 is not supported");
    ir_node *n = onnx_begin(c, NULL, IR_OP_BATCH_NORM, 5, c->in);
    ir_set_float(c->g, n, IR_EPS, epsilon_of(c));
    return onnx_bind(c, 0, onnx_end(c, n));
}

bool onnx_instance_norm(onnx_call *c) {
    ir_node *n = onnx_begin(c, NULL, IR_OP_INSTANCE_NORM, 3, c->in);
    ir_set_float(c->g, n, IR_EPS, epsilon_of(c));
    return onnx_bind(c, 0, onnx_end(c, n));
}

/* What is made for each channel must fit in memory, whatever number of channels X claims. */
static bool can_fill_channels(const onnx_call *c) {
    enum { MOST = 1 << 24 };
    const int64_t channels = c->in[0]->dim[1];
    return channels <= MOST ||
           onnx_unsupported(c, "%lld channels; at most %d are supported", (long long)channels, MOST);
}

/* One value per group, as in opset 18, becomes one per channel. */
static ir_tensor *per_channel(onnx_call *c, int k, int64_t groups, int64_t channels) {
    ir_tensor *t = c->in[k];
    if (channels < 1 || t->rank != 1 || t->dim[0] != groups || t->dtype != IR_F32 || c->opset >= 21) return t;
    if (t->role != IR_ROLE_CONST) return NULL;
    float *v = t->data ? ir_alloc(c->g->arena, (size_t)channels, sizeof *v) : NULL;
    for (int64_t i = 0; v && i < channels; i++) v[i] = ((const float *)t->data)[i / (channels / groups)];
    const char *name = ir_unique_name(c->g, ir_format(c->g->arena, "%s.channels", t->name));
    return ir_add_const(c->g, name, IR_F32, 1, &channels, v, false);
}

bool onnx_group_norm(onnx_call *c) {
    int64_t groups = onnx_int(c, "num_groups", 0), channels = c->in[0]->rank > 1 ? c->in[0]->dim[1] : 0;
    if (groups < 1 || channels % groups != 0)
        return onnx_bad(c, "%lld channels cannot be split into num_groups=%lld", (long long)channels,
                        (long long)groups);
    if (channels > 0 && !can_fill_channels(c)) return false;
    ir_tensor *in[3] = {c->in[0], per_channel(c, 1, groups, channels), per_channel(c, 2, groups, channels)};
    if (!in[1] || !in[2]) return onnx_unsupported(c, "scale and bias must be constants");
    ir_node *n = onnx_begin(c, NULL, IR_OP_INSTANCE_NORM, 3, in);
    ir_set_int(c->g, n, IR_GROUP, groups);
    ir_set_float(c->g, n, IR_EPS, epsilon_of(c));
    return onnx_bind(c, 0, onnx_end(c, n));
}

/* ---- layer norm ------------------------------------------------------------------------------ */

/* Whether t's axes, aligned with x's last ones, are all 1 or x's. */
static bool broadcasts_to(const ir_tensor *t, const ir_tensor *x) {
    bool fits = t->rank <= x->rank;
    for (int a = 1; fits && a <= t->rank; a++)
        fits = t->dim[t->rank - a] == 1 || t->dim[t->rank - a] == x->dim[x->rank - a];
    return fits;
}

/* t, which broadcasts to x, as one value per channel of x, all of them `absent` where it is NULL. NULL: it
 * is no constant, or differs between voxels or images. */
static float *channel_values(onnx_call *c, const ir_tensor *t, float absent) {
    const ir_tensor *x = c->in[0];
    const float *from = t ? t->data : &absent;
    const int axis = t ? t->rank - (x->rank - 1) : -1; /* its channels; below 0: it has none */
    const int64_t count = t ? ir_count(t) : 1, channels = axis >= 0 ? t->dim[axis] : 1;
    const int64_t each = count / channels;
    if (!from || (t && (t->role != IR_ROLE_CONST || t->dtype != IR_F32)) || (axis > 0 && t->dim[0] != 1))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        if (from[i] != from[i / each * each]) return NULL;
    float *v = ir_alloc(c->g->arena, (size_t)x->dim[1], sizeof *v);
    for (int64_t i = 0; i < x->dim[1]; i++) v[i] = from[channels > 1 ? i * each : 0];
    return v;
}

static ir_tensor *channel_const(onnx_call *c, const char *suffix, const float *v) {
    const char *name = ir_unique_name(c->g, ir_format(c->g->arena, "%s.%s", c->layer, suffix));
    return ir_add_const(c->g, name, IR_F32, 1, &c->in[0]->dim[1], v, false);
}

/* y = t * scale + bias, of which bias may be absent. */
static bool scale_and_shift(onnx_call *c, ir_tensor *t) {
    bool shifts = onnx_present(c, 2);
    t = onnx_emit2(c, shifts ? "scaled" : NULL, IR_OP_MUL, t, c->in[1]);
    return onnx_bind(c, 0, shifts ? onnx_emit2(c, NULL, IR_OP_ADD, t, c->in[2]) : t);
}

/* Over all axes but the batch it is a group norm of one group: convolutions do it on the way. Its scale and
 * bias are those of the layer where these are one value per channel. */
static bool layer_as_group(onnx_call *c) {
    if (!can_fill_channels(c)) return false;
    const float *scale = channel_values(c, c->in[1], 1);
    const float *bias = channel_values(c, onnx_present(c, 2) ? c->in[2] : NULL, 0);
    const bool whole = scale && bias;
    if (!whole) scale = channel_values(c, NULL, 1), bias = channel_values(c, NULL, 0);
    ir_tensor *in[3] = {c->in[0], channel_const(c, "scale", scale), channel_const(c, "bias", bias)};
    ir_node *n = onnx_begin(c, whole ? NULL : "normal", IR_OP_INSTANCE_NORM, 3, in);
    ir_set_int(c->g, n, IR_GROUP, 1);
    ir_set_float(c->g, n, IR_EPS, epsilon_of(c));
    ir_tensor *t = onnx_end(c, n);
    return whole ? onnx_bind(c, 0, t) : scale_and_shift(c, t);
}

/* The mean over x's axes from `axis` on. */
static ir_tensor *mean_from(onnx_call *c, const char *suffix, ir_tensor *x, int64_t axis) {
    int64_t axes[IR_MAX_RANK];
    if (!x) return NULL;
    for (int64_t a = axis; a < x->rank; a++) axes[a - axis] = a;
    ir_node *n = onnx_begin(c, suffix, IR_OP_REDUCE_MEAN, 1, &x);
    ir_set_ints(c->g, n, IR_AXES, (int)(x->rank - axis), axes);
    ir_set_int(c->g, n, IR_KEEPDIMS, 1);
    return onnx_end(c, n);
}

static bool is_used(const onnx_call *c, size_t k) {
    return k < c->pb->n_output && *c->pb->output[k] && onnx_find(c->im, c->pb->output[k])->uses;
}

/* (x - mean) / sqrt(mean((x - mean)^2) + epsilon), step by step. */
static bool layer_in_steps(onnx_call *c, int64_t axis) {
    const ir_dtype type = c->in[0]->dtype;
    ir_tensor *mean = mean_from(c, "mean", c->in[0], axis);
    ir_tensor *centred = onnx_emit2(c, "centred", IR_OP_SUB, c->in[0], mean);
    ir_tensor *variance =
        mean_from(c, "variance", onnx_emit2(c, "square", IR_OP_MUL, centred, centred), axis);
    ir_tensor *sum =
        onnx_emit2(c, "sum", IR_OP_ADD, variance, onnx_scalar(c, "epsilon", type, epsilon_of(c)));
    ir_tensor *deviation = onnx_emit(c, "deviation", IR_OP_SQRT, 1, &sum);
    ir_tensor *one = is_used(c, 2) ? onnx_scalar(c, "one", type, 1) : NULL;
    if (is_used(c, 1) && !onnx_bind(c, 1, mean)) return false;
    if (one && !onnx_bind(c, 2, onnx_emit2(c, "inverse", IR_OP_DIV, one, deviation))) return false;
    return scale_and_shift(c, onnx_emit2(c, "normal", IR_OP_DIV, centred, deviation));
}

bool onnx_layer_norm(onnx_call *c) {
    const ir_tensor *x = c->in[0];
    int64_t axis = onnx_int(c, "axis", -1);
    if (!onnx_axis(c, &axis, x->rank)) return false;
    for (int k = 1; k < c->n_in; k++)
        if (c->in[k] && !broadcasts_to(c->in[k], x))
            return onnx_bad(c, "input %d does not broadcast to X", k);
    if (axis == 1 && x->rank >= 3 && x->dtype == IR_F32 && !is_used(c, 1) && !is_used(c, 2))
        return layer_as_group(c);
    return layer_in_steps(c, axis);
}
