/* SPDX-License-Identifier: MIT-0 */
/* vox_norm.h: the terms of an instance or group normalisation, what becomes of x by them, and the affine map
 * per channel; either layout, activation included.
 *
 * scale, bias and slope are packed per-channel vectors; slope is NULL but for prelu. Sums are in double
 * precision (vox_around.h), in an order that depends on the shape alone.
 */
#ifndef VOX_NORM_H
#define VOX_NORM_H

#include "vox_act.h"
#include "vox_around.h"

/* ---- x to y ---------------------------------------------------------------------------------- */

/* One task: one n and channel (plain) or block of channels, one plane. */
VOX_KERNEL int vox_norm_tasks(const vox_norm *g, vox_range range) {
    return g->x.n * (g->x.block ? vox_parts(g->x.c, VOX_BLOCK) : g->x.c) * (range.end - range.begin);
}

enum { VOX_NORM_LARGE = 16 * 1048576 /* bytes of y that no cache keeps for the next layer */ };

/* What becomes of 16 lanes: act((x - mean) * scale + bias). */
typedef struct vox_norm_values {
    vox_epilogue ep;
    int sloped; /* 1: slope is read */
    float mean[VOX_BLOCK], scale[VOX_BLOCK], bias[VOX_BLOCK], slope[VOX_BLOCK];
} vox_norm_values;

/* n blocks, lane by lane. past: y is stored past the caches. */
VOX_INLINE void vox_norm_blocks(const int past, const vox_norm_values *lane, const float *x, float *y,
                                ptrdiff_t n) {
    const vox_epilogue copy = lane->ep;
    for (ptrdiff_t i = 0; i < n; i++)
        for (int v = 0; v < VOX_BLOCK; v += VOX_VL) {
            const vox_v centred = vox_load(x + i * VOX_BLOCK + v) - vox_load(lane->mean + v);
            const vox_v sum = vox_fma(centred, vox_load(lane->scale + v), vox_load(lane->bias + v));
            const vox_v slope = lane->sloped ? vox_load(lane->slope + v) : vox_zero();
            const vox_v done = vox_activate(&copy, sum, slope);
            past ? vox_store_past(y + i * VOX_BLOCK + v, done) : vox_store(y + i * VOX_BLOCK + v, done);
        }
}
VOX_NOINLINE void vox_norm_near(const vox_norm_values *lane, const float *x, float *y, ptrdiff_t n) {
    vox_norm_blocks(0, lane, x, y, n);
}
VOX_NOINLINE void vox_norm_past(const vox_norm_values *lane, const float *x, float *y, ptrdiff_t n) {
    vox_norm_blocks(1, lane, x, y, n);
    vox_store_past_end();
}

/* The lanes' values (plain: all of one channel) are applied to `count` voxels. */
static inline void vox_norm_apply(const vox_norm *g, const vox_norm_values *lane, vox_xy o, ptrdiff_t count) {
    const ptrdiff_t floats = g->x.block ? count * VOX_BLOCK : count, whole = floats / VOX_BLOCK;
    const double all = (double)vox_planes(&g->x) * g->x.h * g->x.w * g->x.c * g->x.n * sizeof *o.y;
    const int past = all > VOX_NORM_LARGE && o.x != o.y && (uintptr_t)o.y % (VOX_BLOCK * sizeof *o.y) == 0;
    (past ? vox_norm_past : vox_norm_near)(lane, o.x, o.y, whole);
    if (whole * VOX_BLOCK == floats) return;
    const size_t bytes = (size_t)(floats - whole * VOX_BLOCK) * sizeof *o.x;
    float tail[VOX_BLOCK] = {0};
    memcpy(tail, o.x + whole * VOX_BLOCK, bytes);
    vox_norm_near(lane, tail, tail, 1);
    memcpy(o.y + whole * VOX_BLOCK, tail, bytes);
}

/* 16 lanes of a packed vector, from channel c on; plain: channel c sixteen times. */
static inline void vox_norm_lanes(const vox_norm *g, const float *vector, int c, float lane[VOX_BLOCK]) {
    for (int l = 0; l < VOX_BLOCK; l++) lane[l] = vector[g->x.block ? c + l : c];
}

/* What one task reads and writes. */
typedef struct vox_norm_plane {
    int n, c;       /* c: the first channel */
    ptrdiff_t x, y; /* floats */
    ptrdiff_t voxels;
} vox_norm_plane;
static inline vox_norm_plane vox_norm_plane_of(const vox_norm *g, vox_range range, int task) {
    const ptrdiff_t count = (ptrdiff_t)g->x.h * g->x.w, size = g->x.block ? count * VOX_BLOCK : count;
    const int per_n = g->x.block ? vox_parts(g->x.c, VOX_BLOCK) : g->x.c;
    const int planes = range.end - range.begin, at = task / planes, d = range.begin + task % planes;
    vox_dims to = g->x;
    to.ring = g->y_ring;
    return (vox_norm_plane){at / per_n, at % per_n * (g->x.block ? VOX_BLOCK : 1),
                            ((ptrdiff_t)at * vox_planes(&g->x) + vox_plane_of(&g->x, d)) * size,
                            ((ptrdiff_t)at * vox_planes(&to) + vox_plane_of(&to, d)) * size, count};
}

VOX_KERNEL void vox_f32_affine(const vox_norm *g, vox_affine_operands o, vox_range range, int task) {
    const vox_norm_plane p = vox_norm_plane_of(g, range, task);
    vox_norm_values lane = {.ep = g->ep, .sloped = o.slope != NULL};
    vox_norm_lanes(g, o.scale, p.c, lane.scale);
    vox_norm_lanes(g, o.bias, p.c, lane.bias);
    if (o.slope) vox_norm_lanes(g, o.slope, p.c, lane.slope);
    vox_norm_apply(g, &lane, (vox_xy){o.x + p.x, o.y + p.y}, p.voxels);
}

VOX_KERNEL void vox_f32_normalise(const vox_norm *g, vox_normalise_operands o, vox_range range, int task) {
    const vox_norm_plane p = vox_norm_plane_of(g, range, task);
    const float *mean = o.terms + (ptrdiff_t)p.n * 3 * g->x.c, *scale = mean + g->x.c, *bias = scale + g->x.c;
    vox_norm_values lane = {.ep = g->ep, .sloped = o.slope != NULL};
    for (int l = 0; l < VOX_BLOCK; l++) {
        const int c = g->x.block ? p.c + l : p.c;
        if (c < g->x.c) lane.mean[l] = mean[c], lane.scale[l] = scale[c], lane.bias[l] = bias[c];
    }
    if (o.slope) vox_norm_lanes(g, o.slope, p.c, lane.slope);
    vox_norm_apply(g, &lane, (vox_xy){o.x + p.x, o.y + p.y}, p.voxels);
}

/* ---- terms ----------------------------------------------------------------------------------- */

/* Groups per task: whole blocks of channels where they are in blocks. */
static inline int vox_norm_terms_run(const vox_norm_terms *g) {
    const int each = g->x.c / g->groups;
    if (!g->x.block || each % VOX_BLOCK == 0) return 1;
    return VOX_BLOCK % each == 0 ? VOX_BLOCK / each : g->groups;
}
VOX_KERNEL int vox_norm_terms_tasks(const vox_norm_terms *g, vox_range range) {
    (void)range;
    return g->x.n * vox_parts(g->groups, vox_norm_terms_run(g));
}

/* Sums of the 16 channels of block number `block` of image n, from slots or from x. */
static inline void vox_norm_block_sums(const vox_norm_terms *g, const float *x, const double *sums, int n,
                                       int block, double to[VOX_SUMS]) {
    const int blocks = vox_parts(g->x.c, VOX_BLOCK);
    const ptrdiff_t voxels = (ptrdiff_t)g->x.d * g->x.h * g->x.w;
    memset(to, 0, VOX_SUMS * sizeof *to);
    if (!g->slots) vox_sums_run(x + ((ptrdiff_t)n * blocks + block) * voxels * VOX_BLOCK, voxels, to);
    for (int s = 0; s < g->slots; s++)
        for (int i = 0; i < VOX_SUMS; i++) to[i] += sums[((ptrdiff_t)s * blocks + block) * VOX_SUMS + i];
}
/* Sums of one channel of plain x: 16 voxels after the other as lanes. */
static inline void vox_norm_channel_sums(const vox_norm_terms *g, const float *x, int n, int c,
                                         double to[2]) {
    const ptrdiff_t voxels = (ptrdiff_t)g->x.d * g->x.h * g->x.w, whole = voxels / VOX_BLOCK;
    double sums[VOX_SUMS] = {0};
    x += ((ptrdiff_t)n * g->x.c + c) * voxels;
    vox_sums_run(x, whole, sums);
    for (ptrdiff_t i = whole * VOX_BLOCK; i < voxels; i++) {
        sums[0] += (double)x[i];
        sums[VOX_BLOCK] += (double)x[i] * (double)x[i];
    }
    to[0] = to[1] = 0;
    for (int l = 0; l < VOX_BLOCK; l++) to[0] += sums[l], to[1] += sums[VOX_BLOCK + l];
}

/* The terms of the channels of group number `group` of an image, whose terms are y, from the sum and the sum
 * of squares of the group's values. What rounding the mean loses joins the bias. */
static inline void vox_norm_put_terms(const vox_norm_terms *g, const vox_norm_terms_operands *o, int group,
                                      const double sum[2], float *y) {
    const int each = g->x.c / g->groups, channels = g->x.c;
    const double count = (double)each * g->x.d * g->x.h * g->x.w;
    const double mean = sum[0] / count, rest = sum[1] / count - mean * mean;
    const double deviation = sqrt((rest < 0 ? 0 : rest) + g->eps);
    const float centre = (float)mean;
    for (int c = group * each; c < (group + 1) * each; c++) {
        const double factor = (double)o->scale[c] / deviation;
        y[c] = centre;
        y[channels + c] = (float)factor;
        y[2 * channels + c] = (float)((double)o->bias[c] + ((double)centre - mean) * factor);
    }
}

/* One task: some groups of one n. */
VOX_KERNEL void vox_f32_norm_terms(const vox_norm_terms *g, vox_norm_terms_operands o, vox_range range,
                                   int task) {
    (void)range;
    const int run = vox_norm_terms_run(g), per_n = vox_parts(g->groups, run), each = g->x.c / g->groups;
    const int n = task / per_n, first = task % per_n * run, last = vox_min_int(first + run, g->groups);
    double block[VOX_SUMS];
    for (int group = first, known = -1; group < last; group++) {
        double sum[2] = {0, 0}, one[2];
        for (int c = group * each; c < (group + 1) * each; c++) {
            if (g->x.block && known != c / VOX_BLOCK)
                vox_norm_block_sums(g, o.x, o.sums, n, known = c / VOX_BLOCK, block);
            if (!g->x.block) vox_norm_channel_sums(g, o.x, n, c, one);
            sum[0] += g->x.block ? block[c % VOX_BLOCK] : one[0];
            sum[1] += g->x.block ? block[VOX_BLOCK + c % VOX_BLOCK] : one[1];
        }
        vox_norm_put_terms(g, &o, group, sum, o.y + (ptrdiff_t)n * 3 * g->x.c);
    }
}

#endif
