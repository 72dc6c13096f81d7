/* SPDX-License-Identifier: MIT-0 */
/* vox_around.h: what a convolution does for the normalisations around it (vox_around of vox_kernels.h): it
 * normalises what it loads, and sums up what it stores.
 *
 * Sums. A slot belongs to one task or batch of tiles and holds [ceil(C/16)][sum, sum of squares][16] doubles.
 * Some dozens of neighbouring voxels are summed in registers, as differences from the mean of a few: where
 * the mean is much larger than the deviation, the differences are not. Slots are added up in their order, so
 * that the result does not depend on who did what when.
 */
#ifndef VOX_AROUND_H
#define VOX_AROUND_H

#include <math.h>
#include "vox_simd.h"

enum { VOX_SUMS = 2 * VOX_BLOCK /* doubles per slot and block of channels */ };

/* ---- sums ------------------------------------------------------------------------------------ */

/* Sums of n voxels' differences from their pivot join the doubles. */
static inline void vox_sums_join(const float *pivot, const float *first, const float *second, int n,
                                 double *sums) {
    for (int l = 0; l < VOX_BLOCK; l++) {
        const double p = (double)pivot[l], a = (double)first[l], b = (double)second[l];
        sums[l] += n * p + a;
        sums[VOX_BLOCK + l] += p * (n * p + 2 * a) + b;
    }
}

/* What the differences are taken from: the mean of a few voxels. One voxel could lie far from all others,
 * whose differences would be nearly equal then. */
VOX_INLINE vox_v vox_sums_pivot(const float *y, int n, ptrdiff_t step) {
    vox_v sum = vox_load(y);
    const int some = n < 4 ? n : 4;
    for (int i = 1; i < some; i++) sum += vox_load(y + i * step);
    return sum * vox_set(1.0f / (float)some);
}

/* Adds a box of voxels of one block, some dozens: equal values would be rounded alike each time; step: floats
 * from voxel to voxel. */
VOX_NOINLINE void vox_sums_box(const float *y, const int extent[3], const ptrdiff_t step[3], double *sums) {
    enum { CHAINS = 4 };
    float first[VOX_BLOCK], second[VOX_BLOCK], pivots[VOX_BLOCK];
    for (int lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
        const vox_v pivot = vox_sums_pivot(y + lane, extent[2], step[2]), zero = vox_zero();
        vox_v a[CHAINS] = {zero, zero, zero, zero}, b[CHAINS] = {zero, zero, zero, zero};
        for (int row = 0; row < extent[0] * extent[1]; row++) {
            const float *at = y + row / extent[1] * step[0] + row % extent[1] * step[1] + lane;
            int w = 0;
            for (; w + CHAINS <= extent[2]; w += CHAINS, at += CHAINS * step[2]) {
                VOX_UNROLL
                for (int k = 0; k < CHAINS; k++) {
                    const vox_v v = vox_load(at + k * step[2]) - pivot;
                    a[k] += v, b[k] = vox_fma(v, v, b[k]);
                }
            }
            VOX_UNROLL
            for (int k = 0; k < CHAINS - 1; k++) {
                if (w + k >= extent[2]) continue;
                const vox_v v = vox_load(at + k * step[2]) - pivot;
                a[k] += v, b[k] = vox_fma(v, v, b[k]);
            }
        }
        vox_store(pivots + lane, pivot);
        vox_store(first + lane, (a[0] + a[1]) + (a[2] + a[3]));
        vox_store(second + lane, (b[0] + b[1]) + (b[2] + b[3]));
    }
    vox_sums_join(pivots, first, second, extent[0] * extent[1] * extent[2], sums);
}

/* Adds n voxels of one block that follow each other. */
static inline void vox_sums_run(const float *y, ptrdiff_t n, double *sums) {
    enum { MOST = 64 };
    static const ptrdiff_t step[3] = {0, 0, VOX_BLOCK};
    for (ptrdiff_t i = 0; i < n; i += MOST) {
        const int extent[3] = {1, 1, (int)(n - i < MOST ? n - i : MOST)};
        vox_sums_box(y + i * VOX_BLOCK, extent, step, sums);
    }
}

/* Where a step whose first output plane is `begin` has slot number `slot` for y's `blocks` blocks. */
static inline double *vox_sums_slot(const vox_around *a, int blocks, int begin, int slot) {
    return a->sums + ((ptrdiff_t)(begin / a->planes) * a->slots + slot) * blocks * VOX_SUMS;
}
/* Some slots are empty. */
static inline void vox_sums_clear(const vox_around *a, int blocks, int begin, vox_range slots) {
    if (slots.begin < slots.end)
        memset(vox_sums_slot(a, blocks, begin, slots.begin), 0,
               (size_t)(slots.end - slots.begin) * (size_t)blocks * VOX_SUMS * sizeof(double));
}

/* ---- on load --------------------------------------------------------------------------------- */

/* x - mean times factor plus bias, times slope where negative: 16 channels of one image. */
typedef struct vox_terms {
    float mean[VOX_BLOCK], factor[VOX_BLOCK], bias[VOX_BLOCK], slope[VOX_BLOCK];
} vox_terms;

/* Of the channels from c on, of `channels`; lanes above become 0. */
static inline vox_terms vox_terms_of(const vox_around *a, int n, int c, int channels) {
    vox_terms t;
    const float *from = a->terms + (ptrdiff_t)n * 3 * channels + c;
    for (int l = 0; l < VOX_BLOCK; l++) {
        const int inside = c + l < channels;
        t.mean[l] = inside ? from[l] : 0.0f;
        t.factor[l] = inside ? from[channels + l] : 0.0f;
        t.bias[l] = inside ? from[2 * channels + l] : 0.0f;
        t.slope[l] = a->ep.act == VOX_ACT_PRELU        ? a->slope[c + l]
                     : a->ep.act == VOX_ACT_LEAKY_RELU ? a->ep.alpha
                     : a->ep.act == VOX_ACT_RELU       ? 0.0f
                                                       : 1.0f;
    }
    return t;
}

/* The registers of some of those lanes. */
typedef struct vox_terms_v {
    vox_v mean, factor, bias, slope;
} vox_terms_v;
VOX_INLINE vox_terms_v vox_terms_load(const vox_terms *t, int lane) {
    return (vox_terms_v){vox_load(t->mean + lane), vox_load(t->factor + lane), vox_load(t->bias + lane),
                         vox_load(t->slope + lane)};
}
VOX_INLINE vox_v vox_terms_apply(vox_terms_v t, vox_v x) {
    const vox_v y = vox_fma(x - t.mean, t.factor, t.bias);
    return vox_select(y < vox_zero(), y * t.slope, y);
}

/* n voxels of a block that follow each other. */
static inline void vox_terms_run(const vox_terms *t, const float *x, float *y, int n) {
    for (int lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
        const vox_terms_v v = vox_terms_load(t, lane);
        for (ptrdiff_t i = lane; i < (ptrdiff_t)n * VOX_BLOCK; i += VOX_BLOCK)
            vox_store(y + i, vox_terms_apply(v, vox_load(x + i)));
    }
}

#endif
