/* SPDX-License-Identifier: MIT-0 */
/* vox_ref.h: the plain formula of every kernel, one output element at a time, in double precision, from the
 * buffers that the kernel itself reads (either layout, packed weights). For tests and a bundle's selftest:
 * slow, and written without any of the kernels' code.
 */
#ifndef VOX_REF_H
#define VOX_REF_H

#include <math.h>
#include <stddef.h>
#include "vox_kernels.h"

/* An element of a tensor. */
typedef struct vox_position {
    int n, c, d, h, w;
} vox_position;

/* Where element (n, c, d, h, w) stands. */
static inline size_t vox_ref_at(const vox_dims *t, int n, int c, int d, int h, int w) {
    const size_t row = ((size_t)vox_plane_of(t, d) * (size_t)t->h + (size_t)h) * (size_t)t->w + (size_t)w;
    const size_t plane = (size_t)vox_planes(t) * (size_t)t->h * (size_t)t->w;
    if (t->block == 0) return ((size_t)n * (size_t)t->c + (size_t)c) * plane + row;
    const size_t block = (size_t)t->block, blocks = ((size_t)t->c + block - 1) / block;
    return (((size_t)n * blocks + (size_t)c / block) * plane + row) * block + (size_t)c % block;
}
static inline double vox_value_at(const vox_dims *t, const float *data, vox_position at) {
    return (double)data[vox_ref_at(t, at.n, at.c, at.d, at.h, at.w)];
}
static inline size_t vox_ref_floats(const vox_dims *t) {
    const size_t block = t->block ? (size_t)t->block : 1;
    return (size_t)t->n * (((size_t)t->c + block - 1) / block * block) * (size_t)vox_planes(t) *
           (size_t)t->h * (size_t)t->w;
}

static inline double vox_ref_act(const vox_epilogue *ep, double slope, double x) {
    return vox_act_value(ep->act, x, ep->act == VOX_ACT_PRELU ? slope : (double)ep->alpha, (double)ep->beta);
}

/* Index of weight (output channel c of all, tap, input channel i of the group). */
static inline size_t vox_ref_weight(const vox_conv *g, int c, int kd, int kh, int kw, int i) {
    const int per_group = g->y.c / g->group, blocks = (per_group + VOX_BLOCK - 1) / VOX_BLOCK;
    const int block = c / per_group * blocks + c % per_group / VOX_BLOCK, lane = c % per_group % VOX_BLOCK;
    size_t at = (size_t)block;
    at = at * (size_t)g->kernel[0] + (size_t)kd;
    at = at * (size_t)g->kernel[1] + (size_t)kh;
    at = at * (size_t)g->kernel[2] + (size_t)kw;
    return (at * (size_t)(g->x.c / g->group) + (size_t)i) * VOX_BLOCK + (size_t)lane;
}
/* Index of channel c in a packed per-channel vector. */
static inline size_t vox_ref_channel(const vox_conv *g, int c) {
    const int per_group = g->y.c / g->group, blocks = (per_group + VOX_BLOCK - 1) / VOX_BLOCK;
    return (size_t)(c / per_group * blocks * VOX_BLOCK + c % per_group);
}

/* The input position that output position o reads with tap k along an axis; 0 if there is none. */
static inline int vox_ref_input(const vox_conv *g, int transposed, int axis, int o, int k, int *i) {
    const int extent = axis == 0 ? g->x.d : axis == 1 ? g->x.h : g->x.w;
    if (!transposed) {
        *i = o * g->stride[axis] + k * g->dilation[axis] - g->pad[axis];
    } else {
        *i = o + g->pad[axis] - k * g->dilation[axis];
        if (*i % g->stride[axis] != 0) return 0;
        *i /= g->stride[axis];
    }
    return *i >= 0 && *i < extent;
}

/* What is added at an element of a convolution's result y; the skip is in a ring of its own. */
static inline double vox_ref_skip(vox_dims y, int ring, const float *skip, vox_position at) {
    y.ring = ring;
    return skip ? vox_value_at(&y, skip, at) : 0;
}

/* A value of x as a convolution sees it: normalised, if `around` says so. */
static inline double vox_ref_loaded(const vox_around *around, const vox_dims *x, const float *data,
                                    vox_position at) {
    const double v = vox_value_at(x, data, at);
    if (!around->terms) return v;
    const float *t = around->terms + (ptrdiff_t)at.n * 3 * x->c + at.c;
    return vox_ref_act(&around->ep, around->slope ? (double)around->slope[at.c] : 0,
                       (v - (double)t[0]) * (double)t[x->c] + (double)t[2 * (ptrdiff_t)x->c]);
}

/* The value and, in *scale if not NULL, the sum of the absolute terms, by which a rounding error is judged.
 */
static inline double vox_ref_conv_any(const vox_conv *g, const vox_conv_operands *o, int transposed,
                                      vox_position at, double *scale) {
    const int gic = g->x.c / g->group, first = at.c / (g->y.c / g->group) * gic;
    const double added = vox_ref_skip(g->y, g->skip_ring, o->skip, at);
    double sum = o->bias ? (double)o->bias[vox_ref_channel(g, at.c)] : 0, size = fabs(sum) + fabs(added);
    vox_position from = {.n = at.n};
    sum += added;
    for (int kd = 0; kd < g->kernel[0]; kd++) {
        if (!vox_ref_input(g, transposed, 0, at.d, kd, &from.d)) continue;
        for (int kh = 0; kh < g->kernel[1]; kh++) {
            if (!vox_ref_input(g, transposed, 1, at.h, kh, &from.h)) continue;
            for (int kw = 0; kw < g->kernel[2]; kw++) {
                if (!vox_ref_input(g, transposed, 2, at.w, kw, &from.w)) continue;
                for (int i = 0; i < gic; i++) {
                    from.c = first + i;
                    const double term = vox_ref_loaded(&o->around, &g->x, o->x, from) *
                                        (double)o->weights[vox_ref_weight(g, at.c, kd, kh, kw, i)];
                    sum += term, size += fabs(term);
                }
            }
        }
    }
    if (scale) *scale = size;
    return vox_ref_act(&g->ep, o->slope ? (double)o->slope[vox_ref_channel(g, at.c)] : 0, sum);
}
static inline double vox_ref_conv(const vox_conv *g, const vox_conv_operands *o, vox_position at,
                                  double *scale) {
    return vox_ref_conv_any(g, o, 0, at, scale);
}
static inline double vox_ref_conv_transpose(const vox_conv *g, const vox_conv_operands *o, vox_position at,
                                            double *scale) {
    return vox_ref_conv_any(g, o, 1, at, scale);
}

/* Tap (kd, kh, kw) of a 3x3x3 kernel from its Winograd transform, along each axis from the points 0, infinity
 * (the outer taps as they are) and a pair +-p (their difference is a multiple of the middle one). */
static inline double vox_ref_winograd_weight(const vox_winograd *g, const float *u, int c, int i,
                                             const int k[3]) {
    double sum = 0;
    const size_t ic = (size_t)g->x.c, block = (size_t)(c / VOX_BLOCK), lane = (size_t)(c % VOX_BLOCK);
    for (int corner = 0; corner < 8; corner++) {
        size_t point = block;
        double factor = 1;
        for (int a = 0; a < 3; a++) {
            const int last = g->tile[a] + 1, second = corner >> a & 1;
            point = point * (size_t)(last + 1) + (size_t)(k[a] == 1 ? 1 + second : k[a] == 0 ? 0 : last);
            if (k[a] != 1) factor *= second ? 0 : 1;
            if (k[a] == 1 && g->tile[a] == 1) factor *= second ? 0 : 1;
            if (k[a] == 1 && g->tile[a] > 1) factor *= (g->tile[a] == 2 ? 1 : -65.0 / 54) * (second ? -1 : 1);
        }
        if (factor != 0) sum += factor * (double)u[(point * ic + (size_t)i) * VOX_BLOCK + lane];
    }
    return sum;
}

/* Weight (output channel c, tap k, input channel i), from whichever form the kernel reads. */
static inline double vox_ref_winograd_any_weight(const vox_winograd *g, const vox_conv_operands *o, int c,
                                                 int i, const int k[3]) {
    if (!o->weights) return vox_ref_winograd_weight(g, o->transformed, c, i, k);
    const size_t tap = (size_t)(c / VOX_BLOCK) * 27 + (size_t)(k[0] * 9 + k[1] * 3 + k[2]);
    return (double)o->weights[(tap * (size_t)g->x.c + (size_t)i) * VOX_BLOCK + (size_t)(c % VOX_BLOCK)];
}
/* As vox_ref_conv_any. Outputs share the rounding errors of their tile, so *scale counts taps in the padding
 * as well: with the nearest input. */
static inline double vox_ref_winograd(const vox_winograd *g, const vox_conv_operands *o, vox_position at,
                                      double *scale) {
    const int extent[3] = {g->x.d, g->x.h, g->x.w}, to[3] = {at.d, at.h, at.w}, c = at.c;
    const double added = vox_ref_skip(g->y, g->skip_ring, o->skip, at);
    double sum = o->bias ? (double)o->bias[c] : 0, size = fabs(sum) + fabs(added);
    sum += added;
    for (int tap = 0; tap < 27; tap++) {
        const int k[3] = {tap / 9, tap / 3 % 3, tap % 3};
        int from[3], inside = 1;
        for (int a = 0; a < 3; a++) {
            from[a] = to[a] + k[a] * g->dilation[a] - g->pad[a];
            inside = inside && from[a] >= 0 && from[a] < extent[a];
            from[a] = from[a] < 0 ? 0 : from[a] < extent[a] ? from[a] : extent[a] - 1;
        }
        for (int i = 0; i < g->x.c; i++) {
            const vox_position x_at = {at.n, i, from[0], from[1], from[2]};
            const double term =
                vox_ref_winograd_any_weight(g, o, c, i, k) * vox_ref_loaded(&o->around, &g->x, o->x, x_at);
            sum += inside ? term : 0, size += fabs(term);
        }
    }
    *scale = size;
    return vox_ref_act(&g->ep, o->slope ? (double)o->slope[c] : 0, sum);
}

/* ---- pooling, norms -------------------------------------------------------------------------- */

static inline double vox_ref_pool(const vox_pool3d *g, int average, const float *x, vox_position at) {
    double sum = 0, most = -(double)INFINITY, count = 0;
    for (int kd = 0; kd < g->kernel[0]; kd++)
        for (int kh = 0; kh < g->kernel[1]; kh++)
            for (int kw = 0; kw < g->kernel[2]; kw++) {
                const int id = at.d * g->stride[0] - g->pad[0] + kd * g->dilation[0];
                const int ih = at.h * g->stride[1] - g->pad[1] + kh * g->dilation[1];
                const int iw = at.w * g->stride[2] - g->pad[2] + kw * g->dilation[2];
                const int inside = id >= 0 && id < g->x.d && ih >= 0 && ih < g->x.h && iw >= 0 && iw < g->x.w;
                if (inside || (g->include_pad && id < g->x.d + g->pad_end[0] && ih < g->x.h + g->pad_end[1] &&
                               iw < g->x.w + g->pad_end[2]))
                    count++;
                if (!inside) continue;
                const double v = (double)x[vox_ref_at(&g->x, at.n, at.c, id, ih, iw)];
                sum += v;
                if (v > most || isnan(v)) most = v;
            }
    return average ? sum / (count > 0 ? count : 1) : most;
}

static inline double vox_ref_norm_act(const vox_norm *g, const float *slope, int c, double sum) {
    return vox_ref_act(&g->ep, slope ? (double)slope[c] : 0, sum);
}
static inline double vox_ref_affine(const vox_norm *g, const vox_affine_operands *o, vox_position at) {
    const double v = (double)o->x[vox_ref_at(&g->x, at.n, at.c, at.d, at.h, at.w)];
    return vox_ref_norm_act(g, o->slope, at.c, v * (double)o->scale[at.c] + (double)o->bias[at.c]);
}
static inline double vox_ref_normalise(const vox_norm *g, const vox_normalise_operands *o, vox_position at) {
    const float *t = o->terms + (ptrdiff_t)at.n * 3 * g->x.c + at.c;
    const double v = (double)o->x[vox_ref_at(&g->x, at.n, at.c, at.d, at.h, at.w)];
    return vox_ref_norm_act(g, o->slope, at.c,
                            (v - (double)t[0]) * (double)t[g->x.c] + (double)t[2 * g->x.c]);
}
/* Mean and variance over all voxels of channel c's group. */
static inline void vox_ref_statistics(const vox_norm_terms *g, const float *x, int n, int c, double *mean,
                                      double *variance) {
    const int each = g->x.c / g->groups, first = c / each * each;
    const double count = (double)each * g->x.d * g->x.h * g->x.w;
    *mean = *variance = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < each * g->x.d; i++)
            for (int j = 0; j < g->x.h; j++)
                for (int k = 0; k < g->x.w; k++) {
                    const double v = (double)x[vox_ref_at(&g->x, n, first + i / g->x.d, i % g->x.d, j, k)];
                    if (pass == 0) *mean += v / count;
                    if (pass == 1) *variance += (v - *mean) * (v - *mean) / count;
                }
}

/* ---- element by element; i counts the elements of y in memory order -------------------------- */

static inline double vox_ref_map(const vox_map *g, const float *x, int64_t i) {
    return vox_ref_act(&g->ep, 0, (double)x[i]);
}

/* The offset of element i of a box in an operand with these strides. */
static inline int64_t vox_ref_offset(int rank, const int *dim, const int64_t *stride, int64_t i) {
    int64_t at = 0;
    for (int a = rank - 1; a >= 0; a--) at += i % dim[a] * stride[a], i /= dim[a];
    return at;
}
static inline double vox_ref_binary(const vox_binary *g, const float *a, const float *b, int64_t i) {
    const double p = (double)a[vox_ref_offset(g->rank, g->dim, g->a_stride, i)];
    const double q = (double)b[vox_ref_offset(g->rank, g->dim, g->b_stride, i)];
    switch (g->op) {
    case VOX_ADD:
        return p + q;
    case VOX_SUB:
        return p - q;
    case VOX_MUL:
        return p * q;
    case VOX_DIV:
        return p / q;
    case VOX_MIN:
        return isnan(p) || isnan(q) ? (double)NAN : p < q ? p : q;
    case VOX_MAX:
        return isnan(p) || isnan(q) ? (double)NAN : p > q ? p : q;
    case VOX_POW:
        return pow(p, q);
    case VOX_PRELU:
        return p < 0 ? p * q : p;
    case VOX_EQUAL:
        return p == q;
    case VOX_GREATER:
        return p > q;
    case VOX_GREATER_EQUAL:
        return p >= q;
    case VOX_LESS:
        return p < q;
    case VOX_LESS_EQUAL:
        return p <= q;
    }
    return (double)NAN;
}

/* The input element that element i of y is a copy of, or -1: the constant. */
static inline int64_t vox_ref_pad_source(const vox_pad *g, int64_t i) {
    int64_t at = 0, stride = 1;
    for (int a = g->rank - 1; a >= 0; a--) {
        int from = (int)(i % g->y_dim[a]) - g->begin[a];
        const int n = g->x_dim[a];
        if (g->mode == VOX_PAD_CONSTANT && (from < 0 || from >= n)) return -1;
        if (g->mode == VOX_PAD_EDGE) from = from < 0 ? 0 : from >= n ? n - 1 : from;
        while (g->mode == VOX_PAD_WRAP && (from < 0 || from >= n)) from += from < 0 ? n : -n;
        while (g->mode == VOX_PAD_REFLECT && (from < 0 || from >= n))
            from = n == 1 ? 0 : from < 0 ? -from : 2 * (n - 1) - from;
        at += from * stride, stride *= n, i /= g->y_dim[a];
    }
    return at;
}
/* Element i of y. */
static inline const void *vox_ref_pad(const vox_pad *g, const void *x, int64_t i) {
    const int64_t from = vox_ref_pad_source(g, i);
    return from < 0 ? g->value : (const char *)x + from * g->element;
}

/* ---- resize ---------------------------------------------------------------------------------- */

/* Rounded before it is added to something, as the kernel's. */
static inline double vox_ref_product(double a, double b) {
    volatile double product = a * b;
    return product;
}
static inline double vox_ref_resize_at(const vox_resize *g, int axis, int o, int xl, int yl) {
    const double s = g->scale[axis], b = g->roi_begin[axis], e = g->roi_end[axis];
    switch (g->coordinates) {
    case VOX_HALF_PIXEL:
        return (o + 0.5) / s - 0.5;
    case VOX_HALF_PIXEL_SYMMETRIC:
        return vox_ref_product(xl / 2.0, 1 - yl / (s * xl)) + (o + 0.5) / s - 0.5;
    case VOX_PYTORCH_HALF_PIXEL:
        return yl > 1 ? (o + 0.5) / s - 0.5 : 0;
    case VOX_ALIGN_CORNERS:
        return yl > 1 && xl > 1 ? (double)o * (xl - 1) / (vox_ref_product(s, xl) - 1) : 0;
    case VOX_ASYMMETRIC:
        return o / s;
    case VOX_TF_HALF_PIXEL_FOR_NN:
        return (o + 0.5) / s;
    case VOX_TF_CROP_AND_RESIZE:
        return yl > 1 ? vox_ref_product(b, xl - 1) + o * (e - b) * (xl - 1) / (yl - 1)
                      : vox_ref_product(0.5 * (b + e), xl - 1);
    }
    return 0;
}
static inline double vox_ref_resize(const vox_resize *g, const float *x, vox_position y) {
    const int o[3] = {y.d, y.h, y.w}, xl[3] = {g->x.d, g->x.h, g->x.w}, yl[3] = {g->y.d, g->y.h, g->y.w};
    int low[3];
    double part[3], sum = 0;
    for (int a = 0; a < 3; a++) {
        double at = vox_ref_resize_at(g, a, o[a], xl[a], yl[a]);
        if (g->coordinates == VOX_TF_CROP_AND_RESIZE && (at < 0 || at > xl[a] - 1))
            return (double)g->extrapolation;
        if (!g->linear && g->nearest == VOX_ROUND_PREFER_FLOOR) at = ceil(at - 0.5);
        if (!g->linear && g->nearest == VOX_ROUND_PREFER_CEIL) at = floor(at + 0.5);
        if (!g->linear && g->nearest == VOX_FLOOR) at = floor(at);
        if (!g->linear && g->nearest == VOX_CEIL) at = ceil(at);
        at = fmin(fmax(at, 0), xl[a] - 1);
        low[a] = (int)at, part[a] = at - low[a];
    }
    for (int corner = 0; corner < 8; corner++) {
        double weight = 1;
        int at[3];
        for (int a = 0; a < 3; a++) {
            const int up = corner >> a & 1;
            weight *= up ? part[a] : 1 - part[a];
            at[a] = low[a] + up < xl[a] ? low[a] + up : xl[a] - 1;
        }
        if (weight > 0) sum += weight * (double)x[vox_ref_at(&g->x, y.n, y.c, at[0], at[1], at[2])];
    }
    return sum;
}

/* ---- along an axis --------------------------------------------------------------------------- */

static inline double vox_ref_axis_value(const vox_reduce *g, const float *x, int64_t outer, int64_t a,
                                        int64_t inner) {
    const int64_t blocks = (g->axis + VOX_BLOCK - 1) / VOX_BLOCK;
    if (!g->block) return (double)x[(outer * g->axis + a) * g->inner + inner];
    return (double)x[((outer * blocks + a / VOX_BLOCK) * g->inner + inner) * VOX_BLOCK + a % VOX_BLOCK];
}
static inline double vox_ref_softmax(const vox_reduce *g, const float *x, int64_t outer, int64_t a,
                                     int64_t inner) {
    double most = vox_ref_axis_value(g, x, outer, 0, inner), sum = 0;
    for (int64_t i = 1; i < g->axis; i++) { /* gcc 12 for AArch64 crashes on fmax over the axis */
        const double v = vox_ref_axis_value(g, x, outer, i, inner);
        if (v > most) most = v;
    }
    for (int64_t i = 0; i < g->axis; i++) sum += exp(vox_ref_axis_value(g, x, outer, i, inner) - most);
    const double v = vox_ref_axis_value(g, x, outer, a, inner) - most;
    return g->log ? v - log(sum) : exp(v) / sum;
}
static inline int64_t vox_ref_arg_max(const vox_reduce *g, const float *x, int64_t outer, int64_t inner) {
    int64_t best = 0;
    for (int64_t a = 1; a < g->axis; a++) {
        const double v = vox_ref_axis_value(g, x, outer, a, inner),
                     most = vox_ref_axis_value(g, x, outer, best, inner);
        if (v > most || (g->select_last && v == most)) best = a;
    }
    return best;
}
static inline double vox_ref_reduce(const vox_reduce *g, const float *x, int64_t outer, int64_t inner) {
    double value = vox_ref_axis_value(g, x, outer, 0, inner);
    for (int64_t a = 1; a < g->axis; a++) {
        const double v = vox_ref_axis_value(g, x, outer, a, inner);
        switch (g->kind) {
        case VOX_REDUCE_SUM:
        case VOX_REDUCE_MEAN:
            value += v;
            break;
        case VOX_REDUCE_MAX:
            value = v > value || isnan(v) ? v : value;
            break;
        case VOX_REDUCE_MIN:
            value = v < value || isnan(v) ? v : value;
            break;
        case VOX_REDUCE_PROD:
            value *= v;
            break;
        }
    }
    return g->kind == VOX_REDUCE_MEAN ? value / (double)g->axis : value;
}

#endif
