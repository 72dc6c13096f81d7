/* SPDX-License-Identifier: MIT-0 */
/* vox_resize.h: ONNX Resize over D, H, W, nearest or trilinear, every coordinate mode, either layout.
 * Coordinates are computed in double precision, interpolation in float. One task: one n, channel or block,
 * and output plane.
 */
#ifndef VOX_RESIZE_H
#define VOX_RESIZE_H

#include <math.h>
#include "vox_simd.h"

enum { VOX_RESIZE_RUN = 64 };

/* Along one axis: the two neighbours and the second one's weight; outside: the extrapolation value is taken.
 */
typedef struct vox_resize_at {
    int first, second, outside;
    float weight;
} vox_resize_at;

/* A product that is rounded before it is added to something. Fused into the sum (which compilers do in
 * different places) it would decide differently at the edge of extrapolation, and halfway between voxels. */
static inline double vox_resize_product(double a, double b) {
    volatile double product = a * b;
    return product;
}

/* The input coordinate of output o (ONNX Resize, coordinate_transformation_mode). */
static inline double vox_resize_coordinate(const vox_resize *g, int axis, int o, int x_len, int y_len) {
    const double scale = g->scale[axis], at = o;
    switch (g->coordinates) {
    case VOX_HALF_PIXEL:
        return (at + 0.5) / scale - 0.5;
    case VOX_HALF_PIXEL_SYMMETRIC: {
        const double offset = vox_resize_product(x_len / 2.0, 1 - y_len / (scale * x_len));
        return offset + (at + 0.5) / scale - 0.5;
    }
    case VOX_PYTORCH_HALF_PIXEL:
        return y_len > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case VOX_ALIGN_CORNERS:
        /* By the output's length before rounding down, as ONNX's reference implementation has it. */
        return y_len > 1 && x_len > 1 ? at * (x_len - 1) / (vox_resize_product(scale, x_len) - 1) : 0;
    case VOX_ASYMMETRIC:
        return at / scale;
    case VOX_TF_HALF_PIXEL_FOR_NN:
        return (at + 0.5) / scale;
    case VOX_TF_CROP_AND_RESIZE: {
        const double begin = g->roi_begin[axis], end = g->roi_end[axis];
        if (y_len == 1) return vox_resize_product(0.5 * (begin + end), x_len - 1);
        return vox_resize_product(begin, x_len - 1) + at * (end - begin) * (x_len - 1) / (y_len - 1);
    }
    }
    return 0;
}
static inline double vox_resize_round(vox_nearest mode, double at) {
    switch (mode) {
    case VOX_ROUND_PREFER_FLOOR:
        return ceil(at - 0.5);
    case VOX_ROUND_PREFER_CEIL:
        return floor(at + 0.5);
    case VOX_FLOOR:
        return floor(at);
    case VOX_CEIL:
        return ceil(at);
    }
    return at;
}
static inline vox_resize_at vox_resize_axis(const vox_resize *g, int axis, int o) {
    const int x_len = axis == 0 ? g->x.d : axis == 1 ? g->x.h : g->x.w;
    const int y_len = axis == 0 ? g->y.d : axis == 1 ? g->y.h : g->y.w;
    double at = vox_resize_coordinate(g, axis, o, x_len, y_len);
    vox_resize_at r = {.outside = g->coordinates == VOX_TF_CROP_AND_RESIZE && (at < 0 || at > x_len - 1)};
    if (!g->linear) at = vox_resize_round(g->nearest, at);
    at = at < 0 ? 0 : at > x_len - 1 ? x_len - 1 : at;
    r.first = (int)at;
    r.second = vox_min_int(r.first + 1, x_len - 1);
    r.weight = (float)(at - r.first);
    return r;
}

/* Where the voxel (d, h, w) of a cell's corner stands; zeros where its weight is 0, because infinity and NaN
 * times 0 are NaN. */
VOX_INLINE const float *vox_resize_corner(const vox_resize *g, const int lanes,
                                          const vox_resize_at *const at[3], const int up[3], const float *x) {
    static const float zeros[VOX_BLOCK];
    ptrdiff_t voxel = 0;
    for (int a = 0; a < 3; a++) {
        if (up[a] && at[a]->weight == 0) return zeros;
        voxel = voxel * (a == 1 ? g->x.h : g->x.w) + (up[a] ? at[a]->second : at[a]->first);
    }
    return x + voxel * lanes;
}
VOX_INLINE float vox_resize_mix(float weight, float first, float second) {
    return first * (1 - weight) + second * weight;
}

/* The output at o.y from the image or channels at o.x; at: along D, H, W. */
VOX_INLINE void vox_resize_point(const vox_resize *g, const int lanes, const vox_resize_at *const at[3],
                                 vox_xy o) {
    const float *corner[8];
    float *y = o.y;
    if (at[0]->outside || at[1]->outside || at[2]->outside) {
        for (int l = 0; l < lanes; l++) y[l] = g->extrapolation;
        return;
    }
    for (int i = 0; i < (g->linear ? 8 : 1); i++)
        corner[i] = vox_resize_corner(g, lanes, at, (const int[3]){i >> 2, i >> 1 & 1, i & 1}, o.x);
    if (!g->linear) {
        for (int l = 0; l < lanes; l++) y[l] = corner[0][l];
        return;
    }
    const float d = at[0]->weight, h = at[1]->weight, w = at[2]->weight;
    for (int l = 0; l < lanes; l++) {
        const float a = vox_resize_mix(w, corner[0][l], corner[1][l]);
        const float b = vox_resize_mix(w, corner[2][l], corner[3][l]);
        const float c = vox_resize_mix(w, corner[4][l], corner[5][l]);
        const float e = vox_resize_mix(w, corner[6][l], corner[7][l]);
        y[l] = vox_resize_mix(d, vox_resize_mix(h, a, b), vox_resize_mix(h, c, e));
    }
}

VOX_INLINE void vox_resize_plane(const vox_resize *g, const int lanes, vox_xy o, int task) {
    const vox_resize_at d = vox_resize_axis(g, 0, task % g->y.d);
    vox_resize_at w[VOX_RESIZE_RUN];
    o.x += (ptrdiff_t)(task / g->y.d) * g->x.d * g->x.h * g->x.w * lanes;
    o.y += (ptrdiff_t)task * g->y.h * g->y.w * lanes;
    for (int begin = 0; begin < g->y.w; begin += VOX_RESIZE_RUN) {
        const int n = vox_min_int(g->y.w - begin, VOX_RESIZE_RUN);
        for (int i = 0; i < n; i++) w[i] = vox_resize_axis(g, 2, begin + i);
        for (int line = 0; line < g->y.h; line++) {
            const vox_resize_at h = vox_resize_axis(g, 1, line);
            float *row = o.y + ((ptrdiff_t)line * g->y.w + begin) * lanes;
            for (int i = 0; i < n; i++) {
                const vox_resize_at *const at[3] = {&d, &h, &w[i]};
                vox_resize_point(g, lanes, at, (vox_xy){o.x, row + i * lanes});
            }
        }
    }
}

VOX_KERNEL int vox_resize_tasks(const vox_resize *g, vox_range range) {
    (void)range;
    return g->y.n * (g->y.block ? vox_parts(g->y.c, VOX_BLOCK) : g->y.c) * g->y.d;
}
VOX_KERNEL void vox_f32_resize(const vox_resize *g, vox_xy o, vox_range range, int task) {
    (void)range;
    if (g->x.block)
        vox_resize_plane(g, VOX_BLOCK, o, task);
    else
        vox_resize_plane(g, 1, o, task);
}

#endif
