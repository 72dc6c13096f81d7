/* SPDX-License-Identifier: MIT-0 */
/* vox_norm.h: instance normalisation and the affine map per channel, either layout, activation included.
 *
 * scale, bias and slope are packed per-channel vectors; slope is NULL but for prelu. Mean and variance are
 * summed in double precision, twice over the data, in an order that depends on the shape alone.
 */
#ifndef VOX_NORM_H
#define VOX_NORM_H

#include "vox_act.h"

/* One task: one n and channel (plain) or block of channels. */
VOX_KERNEL int vox_norm_tasks(const vox_norm *g) {
    return g->x.n * (g->x.block ? vox_parts(g->x.c, VOX_BLOCK) : g->x.c);
}
/* One task: the same, one plane. */
VOX_KERNEL int vox_affine_tasks(const vox_norm *g, int begin, int end) {
    return vox_norm_tasks(g) * (end - begin);
}

/* n blocks: act((x - mean) * scale + bias), lane by lane. */
VOX_NOINLINE void vox_norm_blocks(const vox_epilogue *ep, const float *mean, const float *scale,
                                  const float *bias, const float *slope, const float *x, float *y,
                                  ptrdiff_t n) {
    const vox_epilogue copy = *ep;
    for (ptrdiff_t i = 0; i < n; i++)
        for (int v = 0; v < VOX_BLOCK; v += VOX_VL) {
            const vox_v centred = vox_load(x + i * VOX_BLOCK + v) - vox_load(mean + v);
            const vox_v sum = vox_fma(centred, vox_load(scale + v), vox_load(bias + v));
            vox_store(y + i * VOX_BLOCK + v,
                      vox_activate(&copy, sum, slope ? vox_load(slope + v) : vox_zero()));
        }
}

/* The lanes' values in `lane` (plain: all of one channel) are applied to `count` voxels. */
static inline void vox_norm_apply(const vox_norm *g, const float *mean, const float *scale, const float *bias,
                                  const float *slope, const float *x, float *y, ptrdiff_t count) {
    const ptrdiff_t floats = g->x.block ? count * VOX_BLOCK : count, whole = floats / VOX_BLOCK;
    vox_norm_blocks(&g->ep, mean, scale, bias, slope, x, y, whole);
    if (whole * VOX_BLOCK == floats) return;
    const size_t bytes = (size_t)(floats - whole * VOX_BLOCK) * sizeof *x;
    float tail[VOX_BLOCK] = {0};
    memcpy(tail, x + whole * VOX_BLOCK, bytes);
    vox_norm_blocks(&g->ep, mean, scale, bias, slope, tail, tail, 1);
    memcpy(y + whole * VOX_BLOCK, tail, bytes);
}

/* 16 lanes of a packed vector, from channel c on; plain: channel c sixteen times. */
static inline const float *vox_norm_lanes(const vox_norm *g, const float *vector, int c,
                                          float lane[VOX_BLOCK]) {
    if (!vector) return NULL;
    for (int l = 0; l < VOX_BLOCK; l++) lane[l] = vector[g->x.block ? c + l : c];
    return lane;
}

/* Per lane, over `count` voxels: mean and variance. Plain: lane l sums every 16th voxel, then all lanes are
 * one. */
VOX_NOINLINE void vox_norm_statistics(const vox_norm *g, const float *x, ptrdiff_t count,
                                      double mean[VOX_BLOCK], double variance[VOX_BLOCK]) {
    const ptrdiff_t floats = g->x.block ? count * VOX_BLOCK : count;
    for (int pass = 0; pass < 2; pass++) {
        double sum[VOX_BLOCK] = {0}, total = 0;
        ptrdiff_t i = 0;
        for (; i + VOX_BLOCK <= floats; i += VOX_BLOCK)
            for (int l = 0; l < VOX_BLOCK; l++) {
                const double v = (double)x[i + l] - (pass ? mean[l] : 0);
                sum[l] += pass ? v * v : v;
            }
        for (int l = 0; i + l < floats; l++) {
            const double v = (double)x[i + l] - (pass ? mean[l] : 0);
            sum[l] += pass ? v * v : v;
        }
        for (int l = 0; l < VOX_BLOCK; l++) total += sum[l];
        for (int l = 0; l < VOX_BLOCK; l++)
            (pass ? variance : mean)[l] = (g->x.block ? sum[l] : total) / (double)count;
    }
}

VOX_KERNEL void vox_f32_instance_norm(const vox_norm *g, const float *x, const float *scale,
                                      const float *bias, const float *slope, float *y, int task) {
    const ptrdiff_t count = (ptrdiff_t)g->x.d * g->x.h * g->x.w,
                    size = g->x.block ? count * VOX_BLOCK : count;
    const int per_n = vox_norm_tasks(g) / g->x.n, c = task % per_n * (g->x.block ? VOX_BLOCK : 1);
    double mean[VOX_BLOCK], variance[VOX_BLOCK];
    float mean_lane[VOX_BLOCK], scale_lane[VOX_BLOCK], bias_lane[VOX_BLOCK], slope_lane[VOX_BLOCK];
    vox_norm_statistics(g, x + task * size, count, mean, variance);
    vox_norm_lanes(g, scale, c, scale_lane);
    for (int l = 0; l < VOX_BLOCK; l++) {
        mean_lane[l] = (float)mean[l];
        scale_lane[l] = (float)((double)scale_lane[l] / sqrt(variance[l] + g->eps));
    }
    vox_norm_apply(g, mean_lane, scale_lane, vox_norm_lanes(g, bias, c, bias_lane),
                   vox_norm_lanes(g, slope, c, slope_lane), x + task * size, y + task * size, count);
}

VOX_KERNEL void vox_f32_affine(const vox_norm *g, int begin, int end, const float *x, const float *scale,
                               const float *bias, const float *slope, float *y, int task) {
    static const float zeros[VOX_BLOCK];
    const ptrdiff_t count = (ptrdiff_t)g->x.h * g->x.w, size = g->x.block ? count * VOX_BLOCK : count;
    const int per_n = vox_norm_tasks(g) / g->x.n, at = task / (end - begin), d = begin + task % (end - begin);
    const int c = at % per_n * (g->x.block ? VOX_BLOCK : 1);
    vox_dims to = g->x;
    to.ring = g->y_ring;
    x += ((ptrdiff_t)at * vox_planes(&g->x) + vox_plane_of(&g->x, d)) * size;
    y += ((ptrdiff_t)at * vox_planes(&to) + vox_plane_of(&to, d)) * size;
    float scale_lane[VOX_BLOCK], bias_lane[VOX_BLOCK], slope_lane[VOX_BLOCK];
    vox_norm_apply(g, zeros, vox_norm_lanes(g, scale, c, scale_lane), vox_norm_lanes(g, bias, c, bias_lane),
                   vox_norm_lanes(g, slope, c, slope_lane), x, y, count);
}

#endif
