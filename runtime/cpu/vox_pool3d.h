/* SPDX-License-Identifier: MIT-0 */
/* vox_pool3d.h: max and average pooling, either layout. One task: one n, one channel (plain) or block of
 * channels, one output plane. Sums run in the order kd, kh, kw. A window that holds NaN gives NaN.
 */
#ifndef VOX_POOL3D_H
#define VOX_POOL3D_H

#include <math.h>
#include "vox_simd.h"

VOX_KERNEL int vox_pool3d_tasks(const vox_pool3d *g, vox_range range) {
    return g->y.n * (g->y.block ? vox_parts(g->y.c, VOX_BLOCK) : g->y.c) * (range.end - range.begin);
}

/* The taps lo <= k < hi of an output. */
typedef struct vox_pool3d_taps {
    int lo, hi;
} vox_pool3d_taps;
/* Those of output o that read begin <= position < end. */
static inline vox_pool3d_taps vox_pool3d_taps_in(const vox_pool3d *g, int axis, int o, int begin, int end) {
    const int at = o * g->stride[axis] - g->pad[axis];
    const int lo = vox_max_int(vox_ceil_div(begin - at, g->dilation[axis]), 0);
    const int hi = vox_min_int(vox_floor_div(end - 1 - at, g->dilation[axis]) + 1, g->kernel[axis]);
    return (vox_pool3d_taps){lo, vox_max_int(hi, lo)};
}
static inline int vox_pool3d_extent(const vox_dims *t, int axis) {
    return axis == 0 ? t->d : axis == 1 ? t->h : t->w;
}

/* What an average divides by along one axis. */
static inline int vox_pool3d_count(const vox_pool3d *g, int axis, int o) {
    const int extent = vox_pool3d_extent(&g->x, axis);
    const vox_pool3d_taps t = g->include_pad
                                  ? vox_pool3d_taps_in(g, axis, o, -g->pad[axis], extent + g->pad_end[axis])
                                  : vox_pool3d_taps_in(g, axis, o, 0, extent);
    return t.hi - t.lo;
}

/* A window: valid taps per axis, the position of tap 0, and what an average divides by. */
typedef struct vox_pool3d_window {
    int lo[3], hi[3], at[3], count[3];
} vox_pool3d_window;

static inline void vox_pool3d_set(const vox_pool3d *g, vox_pool3d_window *p, int axis, int o) {
    const vox_pool3d_taps t = vox_pool3d_taps_in(g, axis, o, 0, vox_pool3d_extent(&g->x, axis));
    p->lo[axis] = t.lo, p->hi[axis] = t.hi;
    p->at[axis] = o * g->stride[axis] - g->pad[axis];
    p->count[axis] = vox_pool3d_count(g, axis, o);
}

static inline int vox_pool3d_divisor(const vox_pool3d_window *p) {
    return vox_max_int(p->count[0] * p->count[1] * p->count[2], 1);
}
/* The row of x that taps kd, kh read, at the first column of the window, in elements of `lanes` floats. */
static inline ptrdiff_t vox_pool3d_row(const vox_pool3d *g, const vox_pool3d_window *p, int kd, int kh) {
    const ptrdiff_t d = vox_plane_of(&g->x, p->at[0] + kd * g->dilation[0]),
                    h = p->at[1] + kh * g->dilation[1];
    return (d * g->x.h + h) * g->x.w + p->at[2];
}

/* One output of a plain tensor. */
VOX_INLINE float vox_pool3d_one(const vox_pool3d *g, const vox_pool3d_window *p, const int average,
                                const float *x) {
    float value = average ? 0.0f : -INFINITY;
    for (int kd = p->lo[0]; kd < p->hi[0]; kd++)
        for (int kh = p->lo[1]; kh < p->hi[1]; kh++) {
            const ptrdiff_t row = vox_pool3d_row(g, p, kd, kh);
            for (int kw = p->lo[2]; kw < p->hi[2]; kw++) {
                const float v = x[row + (ptrdiff_t)kw * g->dilation[2]];
                value = average ? value + v : v > value || isnan(v) ? v : value;
            }
        }
    return average ? value / (float)vox_pool3d_divisor(p) : value;
}

/* One output of 16 channels. */
VOX_INLINE vox_b16 vox_pool3d_block(const vox_pool3d *g, const vox_pool3d_window *p, const int average,
                                    const float *x) {
    vox_b16 value;
    for (int i = 0; i < VOX_NV; i++) value.v[i] = vox_set(average ? 0.0f : -INFINITY);
    for (int kd = p->lo[0]; kd < p->hi[0]; kd++)
        for (int kh = p->lo[1]; kh < p->hi[1]; kh++) {
            const float *row = x + vox_pool3d_row(g, p, kd, kh) * VOX_BLOCK;
            for (int kw = p->lo[2]; kw < p->hi[2]; kw++) {
                const vox_b16 v = vox_load_b16(row + (ptrdiff_t)kw * g->dilation[2] * VOX_BLOCK);
                for (int i = 0; i < VOX_NV; i++)
                    value.v[i] = average ? value.v[i] + v.v[i] : vox_max_or_nan(value.v[i], v.v[i]);
            }
        }
    for (int i = 0; average && i < VOX_NV; i++) value.v[i] /= vox_set((float)vox_pool3d_divisor(p));
    return value;
}

/* Columns of plain rows whose maxima over kd and kh are taken first, many at a time: then an output has kw
 * values to look at instead of kd kh kw. unet3d_small: 4 times as fast. */
enum { VOX_POOL3D_COLUMNS = 256 };
static inline int vox_pool3d_reach(const vox_pool3d *g) {
    return (g->kernel[2] - 1) * g->dilation[2] + 1;
}

/* The maxima over kd and kh of `n` columns of x from column `from` on; the window is at column 0. */
static inline void vox_pool3d_columns(const vox_pool3d *g, const vox_pool3d_window *p, int from, int n,
                                      const float *x, float *most) {
    for (int i = 0; i < n; i++) most[i] = -INFINITY;
    for (int kd = p->lo[0]; kd < p->hi[0]; kd++)
        for (int kh = p->lo[1]; kh < p->hi[1]; kh++) {
            const float *row = x + vox_pool3d_row(g, p, kd, kh) + from;
            for (int i = 0; i < n; i++) {
                const float v = row[i], old = most[i];
                most[i] = v > old || v != v ? v : old;
            }
        }
}

/* From output w of a plain row on, as far as the columns reach; returns where to go on. */
static inline int vox_pool3d_maxima(const vox_pool3d *g, const vox_pool3d_window *p, int w, const float *x,
                                    float *y) {
    float most[VOX_POOL3D_COLUMNS];
    const int step = g->stride[2], reach = vox_pool3d_reach(g), first = w * step - g->pad[2];
    const int from = vox_max_int(first, 0), last = (g->y.w - 1) * step - g->pad[2] + reach;
    const int to = vox_min_int(vox_min_int(first + VOX_POOL3D_COLUMNS, g->x.w), last);
    vox_pool3d_columns(g, p, from, to - from, x, most);
    do {
        float value = -INFINITY;
        for (int kw = 0; kw < g->kernel[2]; kw++) {
            const int at = w * step - g->pad[2] + kw * g->dilation[2];
            if (at < from || at >= to) continue;
            const float v = most[at - from];
            value = v > value || isnan(v) ? v : value;
        }
        y[w++] = value;
    } while (w < g->y.w && vox_min_int(w * step - g->pad[2] + reach, g->x.w) <= to);
    return w;
}

/* Output plane d of `channel`, which counts N and C, or blocks of C. */
VOX_INLINE void vox_pool3d_plane(const vox_pool3d *g, const int average, const int lanes, vox_xy o,
                                 ptrdiff_t channel, int d) {
    vox_pool3d_window p;
    const float *x = o.x + channel * vox_planes(&g->x) * g->x.h * g->x.w * lanes;
    float *y = o.y + (channel * vox_planes(&g->y) + vox_plane_of(&g->y, d)) * g->y.h * g->y.w * lanes;
    vox_pool3d_set(g, &p, 0, d);
    for (int h = 0; h < g->y.h; h++) {
        vox_pool3d_set(g, &p, 1, h);
        if (!average && lanes == 1 && vox_pool3d_reach(g) <= VOX_POOL3D_COLUMNS) {
            p.at[2] = 0;
            for (int w = 0; w < g->y.w;) w = vox_pool3d_maxima(g, &p, w, x, y);
            y += g->y.w;
            continue;
        }
        for (int w = 0; w < g->y.w; w++, y += lanes) {
            vox_pool3d_set(g, &p, 2, w);
            if (lanes == VOX_BLOCK)
                vox_store_b16(y, vox_pool3d_block(g, &p, average, x));
            else
                *y = vox_pool3d_one(g, &p, average, x);
        }
    }
}

VOX_INLINE void vox_pool3d_task(const vox_pool3d *g, const int average, vox_xy o, vox_range range, int task) {
    const int planes = range.end - range.begin, d = range.begin + task % planes;
    if (g->x.block)
        vox_pool3d_plane(g, average, VOX_BLOCK, o, task / planes, d);
    else
        vox_pool3d_plane(g, average, 1, o, task / planes, d);
}
VOX_KERNEL void vox_f32_max_pool(const vox_pool3d *g, vox_xy o, vox_range range, int task) {
    vox_pool3d_task(g, 0, o, range, task);
}
VOX_KERNEL void vox_f32_average_pool(const vox_pool3d *g, vox_xy o, vox_range range, int task) {
    vox_pool3d_task(g, 1, o, range, task);
}

#endif
