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

/* Where element (n, c, d, h, w) stands. */
static inline size_t vox_ref_at(const vox_dims *t, int n, int c, int d, int h, int w) {
    const size_t row = ((size_t)d * (size_t)t->h + (size_t)h) * (size_t)t->w + (size_t)w;
    const size_t plane = (size_t)t->d * (size_t)t->h * (size_t)t->w;
    if (t->block == 0) return ((size_t)n * (size_t)t->c + (size_t)c) * plane + row;
    const size_t block = (size_t)t->block, blocks = ((size_t)t->c + block - 1) / block;
    return (((size_t)n * blocks + (size_t)c / block) * plane + row) * block + (size_t)c % block;
}
static inline size_t vox_ref_floats(const vox_dims *t) {
    const size_t block = t->block ? (size_t)t->block : 1;
    return (size_t)t->n * (((size_t)t->c + block - 1) / block * block) * (size_t)t->d * (size_t)t->h *
           (size_t)t->w;
}

static inline double vox_ref_act(const vox_epilogue *ep, double slope, double x) {
    switch (ep->act) {
    case VOX_ACT_NONE:
        return x;
    case VOX_ACT_RELU:
        return x < 0 ? 0 : x;
    case VOX_ACT_LEAKY_RELU:
        return x < 0 ? (double)ep->alpha * x : x;
    case VOX_ACT_PRELU:
        return x < 0 ? slope * x : x;
    case VOX_ACT_ELU:
        return x < 0 ? (double)ep->alpha * expm1(x) : x;
    case VOX_ACT_SIGMOID:
        return 1 / (1 + exp(-x));
    case VOX_ACT_TANH:
        return tanh(x);
    case VOX_ACT_CLIP:
        return x < (double)ep->alpha ? (double)ep->alpha : x > (double)ep->beta ? (double)ep->beta : x;
    case VOX_ACT_EXP:
        return exp(x);
    case VOX_ACT_LOG:
        return log(x);
    case VOX_ACT_SQRT:
        return sqrt(x);
    case VOX_ACT_NEG:
        return -x;
    case VOX_ACT_ABS:
        return fabs(x);
    case VOX_ACT_FLOOR:
        return floor(x);
    case VOX_ACT_CEIL:
        return ceil(x);
    case VOX_ACT_ROUND:
        return rint(x);
    }
    return (double)NAN;
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

/* The value and, in *scale if not NULL, the sum of the absolute terms, by which a rounding error is judged.
 */
static inline double vox_ref_conv_any(const vox_conv *g, int transposed, const float *x, const float *w,
                                      const float *b, const float *slope, int n, int c, int d, int h, int ow,
                                      double *scale) {
    const int gic = g->x.c / g->group, first = c / (g->y.c / g->group) * gic;
    double sum = b ? (double)b[vox_ref_channel(g, c)] : 0, size = fabs(sum);
    for (int kd = 0, id, ih, iw; kd < g->kernel[0]; kd++) {
        if (!vox_ref_input(g, transposed, 0, d, kd, &id)) continue;
        for (int kh = 0; kh < g->kernel[1]; kh++) {
            if (!vox_ref_input(g, transposed, 1, h, kh, &ih)) continue;
            for (int kw = 0; kw < g->kernel[2]; kw++) {
                if (!vox_ref_input(g, transposed, 2, ow, kw, &iw)) continue;
                for (int i = 0; i < gic; i++) {
                    const double term = (double)x[vox_ref_at(&g->x, n, first + i, id, ih, iw)] *
                                        (double)w[vox_ref_weight(g, c, kd, kh, kw, i)];
                    sum += term, size += fabs(term);
                }
            }
        }
    }
    if (scale) *scale = size;
    return vox_ref_act(&g->ep, slope ? (double)slope[vox_ref_channel(g, c)] : 0, sum);
}
static inline double vox_ref_conv(const vox_conv *g, const float *x, const float *w, const float *b,
                                  const float *slope, int n, int c, int d, int h, int ow) {
    return vox_ref_conv_any(g, 0, x, w, b, slope, n, c, d, h, ow, NULL);
}
static inline double vox_ref_conv_transpose(const vox_conv *g, const float *x, const float *w, const float *b,
                                            const float *slope, int n, int c, int d, int h, int ow) {
    return vox_ref_conv_any(g, 1, x, w, b, slope, n, c, d, h, ow, NULL);
}

#endif
