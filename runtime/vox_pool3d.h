/* SPDX-License-Identifier: MIT-0 */
/* vox_pool3d.h: max and average pooling, either layout. One task: one n, one channel (plain) or block of
 * channels, one output plane. Sums run in the order kd, kh, kw.
 */
#ifndef VOX_POOL3D_H
#define VOX_POOL3D_H

#include <math.h>
#include "vox_simd.h"

VOX_KERNEL int vox_pool3d_tasks(const vox_pool3d *g) {
    return g->y.n * (g->y.block ? vox_parts(g->y.c, VOX_BLOCK) : g->y.c) * g->y.d;
}

/* The taps lo <= k < hi of output o that read begin <= position < end. */
static inline void vox_pool3d_taps(const vox_pool3d *g, int axis, int o, int begin, int end, int *lo,
                                   int *hi) {
    const int at = o * g->stride[axis] - g->pad[axis];
    *lo = vox_max_int(vox_ceil_div(begin - at, g->dilation[axis]), 0);
    *hi = vox_min_int(vox_floor_div(end - 1 - at, g->dilation[axis]) + 1, g->kernel[axis]);
    if (*hi < *lo) *hi = *lo;
}
static inline int vox_pool3d_extent(const vox_dims *t, int axis) {
    return axis == 0 ? t->d : axis == 1 ? t->h : t->w;
}

/* What an average divides by along one axis. */
static inline int vox_pool3d_count(const vox_pool3d *g, int axis, int o) {
    const int extent = vox_pool3d_extent(&g->x, axis);
    int lo, hi;
    if (g->include_pad)
        vox_pool3d_taps(g, axis, o, -g->pad[axis], extent + g->pad_end[axis], &lo, &hi);
    else
        vox_pool3d_taps(g, axis, o, 0, extent, &lo, &hi);
    return hi - lo;
}

/* A window: valid taps per axis, the position of tap 0, and what an average divides by. */
typedef struct vox_pool3d_window {
    int lo[3], hi[3], at[3], count[3];
} vox_pool3d_window;

static inline void vox_pool3d_set(const vox_pool3d *g, vox_pool3d_window *p, int axis, int o) {
    vox_pool3d_taps(g, axis, o, 0, vox_pool3d_extent(&g->x, axis), &p->lo[axis], &p->hi[axis]);
    p->at[axis] = o * g->stride[axis] - g->pad[axis];
    p->count[axis] = vox_pool3d_count(g, axis, o);
}

/* One output: `lanes` floats (16, or 1 for plain) at y from the planes x. */
VOX_INLINE void vox_pool3d_point(const vox_pool3d *g, const vox_pool3d_window *p, int average,
                                 const int lanes, const float *x, float *y) {
    float value[VOX_BLOCK];
    for (int l = 0; l < lanes; l++) value[l] = average ? 0.0f : -INFINITY;
    for (int kd = p->lo[0]; kd < p->hi[0]; kd++)
        for (int kh = p->lo[1]; kh < p->hi[1]; kh++) {
            const ptrdiff_t d = p->at[0] + kd * g->dilation[0], h = p->at[1] + kh * g->dilation[1];
            const float *row = x + ((d * g->x.h + h) * g->x.w + p->at[2]) * lanes;
            for (int kw = p->lo[2]; kw < p->hi[2]; kw++) {
                const float *from = row + (ptrdiff_t)kw * g->dilation[2] * lanes;
                for (int l = 0; l < lanes; l++)
                    value[l] = average ? value[l] + from[l] : from[l] > value[l] ? from[l] : value[l];
            }
        }
    const int count = vox_max_int(p->count[0] * p->count[1] * p->count[2], 1);
    for (int l = 0; l < lanes; l++) y[l] = average ? value[l] / (float)count : value[l];
}

VOX_INLINE void vox_pool3d_plane(const vox_pool3d *g, int average, const int lanes, const float *x, float *y,
                                 int task) {
    vox_pool3d_window p;
    x += (ptrdiff_t)(task / g->y.d) * g->x.d * g->x.h * g->x.w * lanes;
    y += (ptrdiff_t)task * g->y.h * g->y.w * lanes;
    vox_pool3d_set(g, &p, 0, task % g->y.d);
    for (int h = 0; h < g->y.h; h++) {
        vox_pool3d_set(g, &p, 1, h);
        for (int w = 0; w < g->y.w; w++, y += lanes) {
            vox_pool3d_set(g, &p, 2, w);
            vox_pool3d_point(g, &p, average, lanes, x, y);
        }
    }
}

VOX_KERNEL void vox_f32_max_pool(const vox_pool3d *g, const float *x, float *y, int task) {
    if (g->x.block)
        vox_pool3d_plane(g, 0, VOX_BLOCK, x, y, task);
    else
        vox_pool3d_plane(g, 0, 1, x, y, task);
}
VOX_KERNEL void vox_f32_average_pool(const vox_pool3d *g, const float *x, float *y, int task) {
    if (g->x.block)
        vox_pool3d_plane(g, 1, VOX_BLOCK, x, y, task);
    else
        vox_pool3d_plane(g, 1, 1, x, y, task);
}

#endif
