/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_check.c: see vox_cuda_check.h. Indices `at` run along a tensor's own axes: N C [D] [H] W. */
#include "vox_cuda_check.h"

#include <math.h>

#include "vox_cuda_handle.h"
#include "vox_kernels.h"
#include "vox_model.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* Extent along spatial axis 0 D, 1 H, 2 W; absent axes are 1. */
static int axis_extent(const vox_cuda_tensor *t, int axis) {
    const int k = t->rank - 3 + axis;
    return k < 2 ? 1 : t->dim[k];
}

static int spatial_index(const vox_cuda_tensor *t, const int *at, int axis) {
    const int k = t->rank - 3 + axis;
    return k < 2 ? 0 : at[k];
}

static size_t element_index(const vox_cuda_values *v, const int *at) {
    const vox_cuda_tensor *t = v->t;
    size_t index = 0;
    if (!t->pitch) {
        for (int i = 0; i < t->rank; i++) index = index * (size_t)t->dim[i] + (size_t)at[i];
        return index;
    }
    const size_t planes = (size_t)(t->window ? t->window : axis_extent(t, 0));
    index = (size_t)at[0] * planes + (size_t)(spatial_index(t, at, 0) - v->z0);
    index = index * (size_t)axis_extent(t, 1) + (size_t)spatial_index(t, at, 1);
    index = index * (size_t)axis_extent(t, 2) + (size_t)spatial_index(t, at, 2);
    return index * (size_t)t->pitch + (size_t)at[1];
}

static double read_at(const vox_cuda_values *v, const int *at) {
    return vox_cuda_get(v->t->store, v->data, element_index(v, at));
}

/* x[n, c, (d, h, w)] */
static double read_voxel(const vox_cuda_values *v, int n, int c, const int voxel[3]) {
    int at[VOX_MAX_RANK] = {n, c};
    for (int i = 2; i < v->t->rank; i++) at[i] = voxel[i - (v->t->rank - 3)];
    return read_at(v, at);
}

static double weight(const vox_cuda_sample *s, int which, size_t index, double absent) {
    const int number = s->check->w[which];
    if (number < 0) return absent;
    const vox_cuda_weight *w = &s->model->weights[number];
    return vox_cuda_get(w->store, s->weights + w->offset, index);
}

/* The filter's number for output channel o, input channel i (of the group) and position p. */
static double filter(const vox_cuda_sample *s, int o, int i, int p) {
    const vox_cuda_weight *w = &s->model->weights[s->check->w[0]];
    const size_t pitch = (size_t)w->pitch, positions = (size_t)w->positions;
    size_t row = (size_t)o * positions + (size_t)p, column = (size_t)i;
    if (w->pack == VOX_CUDA_PACK_SCATTER) row = (size_t)p * (size_t)w->k + (size_t)o;
    if (w->pack == VOX_CUDA_PACK_FIRST) {
        const size_t area = positions / (size_t)w->depth;
        row = ((size_t)p / area * (size_t)w->c + (size_t)i) * area + (size_t)p % area, column = (size_t)o;
    }
    return weight(s, 0, row * pitch + column, 0);
}

/* Of a transposed convolution that runs as another's gradient: rows are its input channels. */
static double filter_back(const vox_cuda_sample *s, int o, int i, int p) {
    const vox_cuda_weight *w = &s->model->weights[s->check->w[0]];
    if (w->pack == VOX_CUDA_PACK_SCATTER) return filter(s, o, i, p);
    return weight(s, 0, ((size_t)i * (size_t)w->positions + (size_t)p) * (size_t)w->pitch + (size_t)o, 0);
}

/* ---- formulas: the value of y at `at`, and in *size what its rounding error is relative to ------- */

typedef double formula(const vox_cuda_sample *s, const int *at, double *size);

static double activated(const vox_cuda_sample *s, int channel, double x) {
    const vox_cuda_check *c = s->check;
    const double alpha = c->act == VOX_CUDA_ACT_PRELU && x < 0 ? weight(s, 2, (size_t)channel, 0) : c->alpha;
    return vox_act_value((vox_act)c->act, x, alpha, c->beta);
}

static double copy_at(const vox_cuda_sample *s, const int *at, double *size) {
    (void)size;
    return read_at(&s->x[0], at);
}

static double map_at(const vox_cuda_sample *s, const int *at, double *size) {
    const double x = read_at(&s->x[0], at);
    *size = fabs(x);
    return activated(s, at[1], x);
}

/* Which input position output position o reads with tap k; 0: none. */
static int input_of(const vox_cuda_check *c, const vox_cuda_tensor *x, int axis, int o, int k, int *i) {
    if (c->op == VOX_CUDA_OP_CONV_TRANSPOSE) {
        *i = o + c->pad[axis] - k * c->dilation[axis];
        if (*i % c->stride[axis] != 0) return 0;
        *i /= c->stride[axis];
    } else {
        *i = o * c->stride[axis] + k * c->dilation[axis] - c->pad[axis];
    }
    return *i >= 0 && *i < axis_extent(x, axis);
}

/* Whether tap p of output voxel o lies inside x, and where. */
static int tap(const vox_cuda_sample *s, const int o[3], int p, int voxel[3]) {
    const vox_cuda_check *c = s->check;
    const int k[3] = {p / (c->kernel[1] * c->kernel[2]), p / c->kernel[2] % c->kernel[1], p % c->kernel[2]};
    int inside = 1;
    for (int i = 0; i < 3; i++) inside &= input_of(c, s->x[0].t, i, o[i], k[i], &voxel[i]);
    return inside;
}

static double conv_at(const vox_cuda_sample *s, const int *at, double *size) {
    const vox_cuda_check *c = s->check;
    const vox_cuda_tensor *y = s->y.t;
    const int o[3] = {spatial_index(y, at, 0), spatial_index(y, at, 1), spatial_index(y, at, 2)};
    const int positions = c->kernel[0] * c->kernel[1] * c->kernel[2];
    const int in_group = s->x[0].t->dim[1] / c->group, out_group = y->dim[1] / c->group;
    const int first = at[1] / out_group * in_group;
    double sum = weight(s, 1, (size_t)at[1], 0);
    *size = fabs(sum);
    for (int p = 0, voxel[3]; p < positions; p++) {
        if (!tap(s, o, p, voxel)) continue;
        for (int i = 0; i < in_group; i++) {
            const double w = c->op == VOX_CUDA_OP_CONV ? filter(s, at[1], i, p)
                                                       : filter_back(s, at[1] % out_group, first + i, p);
            const double term = read_voxel(&s->x[0], at[0], first + i, voxel) * w;
            sum += term, *size += fabs(term);
        }
    }
    return activated(s, at[1], sum);
}

static double affine_at(const vox_cuda_sample *s, const int *at, double *size) {
    const double x = read_at(&s->x[0], at) * weight(s, 0, (size_t)at[1], 1);
    const double bias = weight(s, 1, (size_t)at[1], 0);
    *size = fabs(x) + fabs(bias);
    return activated(s, at[1], x + bias);
}

/* Mean and variance over the voxels of image n's channels c to c + channels. */
static void channel_statistics(const vox_cuda_values *x, int n, int c, int channels, double *mean,
                               double *variance) {
    const int dim[3] = {axis_extent(x->t, 0), axis_extent(x->t, 1), axis_extent(x->t, 2)};
    const int voxels = dim[0] * dim[1] * dim[2];
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < voxels * channels; i++) {
            const int v = i % voxels;
            const int voxel[3] = {v / (dim[1] * dim[2]), v / dim[2] % dim[1], v % dim[2]};
            const double value = read_voxel(x, n, c + i / voxels, voxel);
            if (pass == 0) sum += value;
            if (pass == 1) squares += (value - *mean) * (value - *mean);
        }
        *mean = sum / voxels / channels;
    }
    *variance = squares / voxels / channels;
}

static double instance_norm_at(const vox_cuda_sample *s, const int *at, double *size) {
    double mean = 0, variance = 0;
    const int channels = s->x[0].t->dim[1] / s->check->group;
    channel_statistics(&s->x[0], at[0], at[1] / channels * channels, channels, &mean, &variance);
    const double factor = weight(s, 0, (size_t)at[1], 1) / sqrt(variance + s->check->eps);
    const double x = read_at(&s->x[0], at), bias = weight(s, 1, (size_t)at[1], 0);
    *size = (fabs(x) + fabs(mean)) * fabs(factor) + fabs(bias);
    return activated(s, at[1], (x - mean) * factor + bias);
}

static int counted(const vox_cuda_check *c, const vox_cuda_tensor *x, const int o[3], int p) {
    const int k[3] = {p / (c->kernel[1] * c->kernel[2]), p / c->kernel[2] % c->kernel[1], p % c->kernel[2]};
    for (int i = 0; i < 3; i++) {
        const int at = o[i] * c->stride[i] + k[i] * c->dilation[i] - c->pad[i];
        const int pad = c->include_pad ? c->pad[i] : 0, end = c->include_pad ? c->pad_end[i] : 0;
        if (at < -pad || at >= axis_extent(x, i) + end) return 0;
    }
    return 1;
}

static double pool_at(const vox_cuda_sample *s, const int *at, double *size) {
    const vox_cuda_check *c = s->check;
    const int o[3] = {spatial_index(s->y.t, at, 0), spatial_index(s->y.t, at, 1),
                      spatial_index(s->y.t, at, 2)};
    const int positions = c->kernel[0] * c->kernel[1] * c->kernel[2];
    double most = -(double)INFINITY, sum = 0;
    int count = 0;
    for (int p = 0, voxel[3]; p < positions; p++) {
        count += counted(c, s->x[0].t, o, p);
        if (!tap(s, o, p, voxel)) continue;
        const double x = read_voxel(&s->x[0], at[0], at[1], voxel);
        most = x > most ? x : most;
        sum += x, *size += fabs(x);
    }
    if (c->op == VOX_CUDA_OP_MAX_POOL) *size = 0;
    return c->op == VOX_CUDA_OP_MAX_POOL ? most : sum / (count > 0 ? count : 1);
}

static double slice_at(const vox_cuda_sample *s, const int *at, double *size) {
    int from[VOX_MAX_RANK] = {0};
    (void)size;
    for (int i = 0; i < s->y.t->rank; i++) from[i] = s->check->begin[i] + at[i] * s->check->step[i];
    return read_at(&s->x[0], from);
}

static double concat_at(const vox_cuda_sample *s, const int *at, double *size) {
    int from[VOX_MAX_RANK] = {0}, k = 0;
    const int axis = s->check->axis;
    (void)size;
    for (int i = 0; i < s->y.t->rank; i++) from[i] = at[i];
    for (; k + 1 < s->check->n_x && from[axis] >= s->x[k].t->dim[axis]; k++)
        from[axis] -= s->x[k].t->dim[axis];
    return read_at(&s->x[k], from);
}

/* NumPy's broadcasting: axes aligned at the last, an extent of 1 serves all. */
static double broadcast_value(const vox_cuda_values *v, const int *at, int rank) {
    int own[VOX_MAX_RANK] = {0};
    for (int i = 0; i < v->t->rank; i++) own[i] = v->t->dim[i] == 1 ? 0 : at[rank - v->t->rank + i];
    return read_at(v, own);
}

static double binary_at(const vox_cuda_sample *s, const int *at, double *size) {
    const double a = broadcast_value(&s->x[0], at, s->y.t->rank),
                 b = broadcast_value(&s->x[1], at, s->y.t->rank);
    *size = fabs(a) + fabs(b);
    switch (s->check->binary) {
    case VOX_ADD:
        return a + b;
    case VOX_SUB:
        return a - b;
    case VOX_MUL:
        return a * b;
    case VOX_DIV:
        return a / b;
    case VOX_MIN:
        return a < b ? a : b;
    case VOX_MAX:
        return a > b ? a : b;
    case VOX_POW:
        return pow(a, b);
    case VOX_PRELU:
        return a < 0 ? b * a : a;
    case VOX_EQUAL:
        return a == b;
    case VOX_GREATER:
        return a > b;
    case VOX_GREATER_EQUAL:
        return a >= b;
    case VOX_LESS:
        return a < b;
    case VOX_LESS_EQUAL:
        return a <= b;
    }
    return 0;
}

static double along(const vox_cuda_sample *s, const int *at, int i) {
    int from[VOX_MAX_RANK];
    for (int k = 0; k < VOX_MAX_RANK; k++) from[k] = at[k];
    from[s->check->axis] = i;
    return read_at(&s->x[0], from);
}

static double softmax_at(const vox_cuda_sample *s, const int *at, double *size) {
    const int n = s->x[0].t->dim[s->check->axis];
    double most = -(double)INFINITY, sum = 0;
    for (int i = 0; i < n; i++) most = fmax(most, along(s, at, i));
    for (int i = 0; i < n; i++) sum += exp(along(s, at, i) - most);
    const double x = along(s, at, at[s->check->axis]) - most;
    *size = 1 + fabs(x);
    return s->check->op == VOX_CUDA_OP_LOG_SOFTMAX ? x - log(sum) : exp(x) / sum;
}

/* y may lack the axis: then x has one axis more. */
static double arg_max_at(const vox_cuda_sample *s, const int *at, double *size) {
    const vox_cuda_tensor *x = s->x[0].t;
    int from[VOX_MAX_RANK] = {0}, best = 0;
    const int axis = s->check->axis, gone = x->rank != s->y.t->rank;
    (void)size;
    for (int i = 0; i < s->y.t->rank; i++) from[i + (gone && i >= axis)] = at[i];
    for (int i = 1; i < x->dim[axis]; i++) {
        const double v = along(s, from, i), most = along(s, from, best);
        if (v > most || (s->check->select_last && v == most)) best = i;
    }
    return best;
}

static int nearest_of(int mode, double at) {
    switch ((vox_nearest)mode) {
    case VOX_ROUND_PREFER_FLOOR:
        return (int)ceil(at - 0.5);
    case VOX_ROUND_PREFER_CEIL:
        return (int)floor(at + 0.5);
    case VOX_FLOOR:
        return (int)floor(at);
    case VOX_CEIL:
        return (int)ceil(at);
    }
    return 0;
}

static int within(int i, int n) {
    return i < 0 ? 0 : i >= n ? n - 1 : i;
}

static double resize_at(const vox_cuda_sample *s, const int *at, double *size) {
    const vox_cuda_check *c = s->check;
    const vox_cuda_tensor *x = s->x[0].t;
    double place[3], sum = 0;
    for (int i = 0; i < 3; i++) place[i] = spatial_index(s->y.t, at, i) * c->scale[i] + c->shift[i];
    for (int corner = 0; corner < 8; corner++) {
        int voxel[3];
        double share = 1;
        for (int i = 0; i < 3; i++) {
            const double low = floor(place[i]);
            const int upper = corner >> i & 1;
            voxel[i] = c->linear ? within((int)low + upper, axis_extent(x, i))
                                 : within(nearest_of(c->nearest, place[i]), axis_extent(x, i));
            if (c->linear) share *= upper ? place[i] - low : 1 - (place[i] - low);
        }
        const double value = read_voxel(&s->x[0], at[0], at[1], voxel);
        if (!c->linear) return value;
        sum += share * value, *size += fabs(share * value);
    }
    return sum;
}

static formula *const formulas[VOX_CUDA_OPS] = {
    [VOX_CUDA_OP_COPY] = copy_at,
    [VOX_CUDA_OP_CONV] = conv_at,
    [VOX_CUDA_OP_CONV_TRANSPOSE] = conv_at,
    [VOX_CUDA_OP_AFFINE] = affine_at,
    [VOX_CUDA_OP_INSTANCE_NORM] = instance_norm_at,
    [VOX_CUDA_OP_MAX_POOL] = pool_at,
    [VOX_CUDA_OP_AVERAGE_POOL] = pool_at,
    [VOX_CUDA_OP_SLICE] = slice_at,
    [VOX_CUDA_OP_CONCAT] = concat_at,
    [VOX_CUDA_OP_MAP] = map_at,
    [VOX_CUDA_OP_BINARY] = binary_at,
    [VOX_CUDA_OP_SOFTMAX] = softmax_at,
    [VOX_CUDA_OP_LOG_SOFTMAX] = softmax_at,
    [VOX_CUDA_OP_ARG_MAX] = arg_max_at,
    [VOX_CUDA_OP_RESIZE] = resize_at,
};

/* ---- judging --------------------------------------------------------------------------------- */

/* What rounding allows: in the sum, by the factors' type, and in the value that is kept. */
static double allowed(const vox_cuda_sample *s, double want, double size) {
    static const double kept[] = {
        [VOX_STORE_F32] = 1e-6, [VOX_STORE_F16] = 0x1p-10, [VOX_STORE_BF16] = 0x1p-7,
        [VOX_STORE_I64] = 0,    [VOX_STORE_I32] = 0,       [VOX_STORE_U8] = 0};
    const int is_conv = s->check->op == VOX_CUDA_OP_CONV || s->check->op == VOX_CUDA_OP_CONV_TRANSPOSE;
    const double sum = is_conv && s->model->type == VOX_CUDA_TF32 ? 0x1p-9 : 1e-5;
    const double denormal = s->y.t->store == VOX_STORE_F16 ? 0x1p-24 : 1e-30;
    return sum * size * fmax(1, fabs(want)) + kept[s->y.t->store] * fabs(want) + denormal;
}

/* fp16 ends at 65504: beyond, infinity is what the formula rounds to. */
static double error_of(const vox_cuda_sample *s, double got, double want, double size) {
    if (got == want || (isnan(got) && isnan(want))) return 0;
    if (s->y.t->store == VOX_STORE_F16 && isinf(got) && fabs(want) > 65000 && got * want > 0) return 0;
    const double error = fabs(got - want) / allowed(s, want, size);
    return isnan(error) ? (double)INFINITY : error;
}

/* Corners first, then anywhere; in the step's planes. */
static int pick(vox_cuda_sample *s, int sample, int bit, int from, int to) {
    if (sample < 16) return sample >> bit & 1 ? to - 1 : from;
    return from + (int)(vox_random(&s->random) % (uint64_t)(to - from));
}

double vox_cuda_check_layer(vox_cuda_sample *s, int samples) {
    const vox_cuda_tensor *y = s->y.t;
    formula *value = formulas[s->check->op];
    double worst = 0;
    for (int i = 0; i < samples && value; i++) {
        int at[VOX_MAX_RANK] = {0};
        for (int k = 0; k < y->rank; k++) {
            const int depth = k == 2 && y->rank == 5;
            at[k] = pick(s, i, k % 4, depth ? s->begin : 0, depth ? s->end : y->dim[k]);
        }
        double size = 0;
        const double want = value(s, at, &size), got = read_at(&s->y, at);
        worst = fmax(worst, error_of(s, got, want, size));
    }
    return worst;
}
