/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_transform.h: from 4 or 6 inputs per axis to as many points, and back to 2 or 4 outputs, for
 * one tile of one block of 16 channels.
 *
 * Four points: 0, +-1, infinity (F(2,3)). Six: 0, +-2/3, +-3/2, infinity (F(4,3)), which round 3.5 times
 * better than the usual 0, +-1, +-2. With d the inputs, m the products, y the outputs:
 *
 *   four  points  d0-d2, d1+d2, d2-d1, d3-d1            outputs  m0+m1+m2, m1-m2+m3
 *   six   points  d0+d4-97/36 d2,                        outputs  m0+(m1+m2)+(m3+m4),
 *                 (d4-9/4 d2) +- (2/3 d3-3/2 d1),                 2/3 (m1-m2)+3/2 (m3-m4),
 *                 (d4-4/9 d2) +- (3/2 d3-2/3 d1),                 4/9 (m1+m2)+9/4 (m3+m4),
 *                 d1+d5-97/36 d3                                  8/27 (m1-m2)+27/8 (m3-m4)+m5
 *
 * Two axes are transformed at once: the first one two points (outputs) at a time, which share their
 * subexpressions, so that 12 values wait in registers and not 36; then each of the two along the second axis.
 * The third axis follows from L1. That stores every value twice instead of three times (a store of 64 bytes
 * takes as long as two fused multiply-adds on Zen 4).
 */
#ifndef VOX_WINOGRAD_TRANSFORM_H
#define VOX_WINOGRAD_TRANSFORM_H

#include <math.h>
#include "vox_simd.h"

enum { VOX_WINOGRAD_POINTS = 6 }; /* the most per axis */

/* Columns are fetched into the first-level cache this many ahead: those of the next tile. */
enum { VOX_COLUMN_AHEAD = 4 };

/* Values along an axis, in named members: gcc 12 keeps them in registers, arrays not always. */
typedef struct vox_line {
    vox_v a, b, c, d, e, f;
} vox_line;
typedef struct vox_two {
    vox_v a, b;
} vox_two;

/* ---- inputs to points ------------------------------------------------------------------------ */

/* Pairs of points: 0 and the last, 1 and 2, 3 and 4. */
VOX_INLINE int vox_point_of(const int n, const int pair, const int which) {
    return pair == 0 ? which * (n - 1) : 2 * pair - 1 + which;
}

VOX_INLINE vox_two vox_points_outer(const int n, vox_line d) {
    if (n == 4) return (vox_two){d.a - d.c, d.d - d.b};
    const vox_v k = vox_set((float)(-97.0 / 36));
    return (vox_two){vox_fma(k, d.c, d.a + d.e), vox_fma(k, d.d, d.b + d.f)};
}
VOX_INLINE vox_two vox_points_near(const int n, vox_line d) {
    if (n == 4) return (vox_two){d.b + d.c, d.c - d.b};
    const vox_v even = vox_fma(vox_set(-2.25f), d.c, d.e);
    const vox_v odd = vox_fma(vox_set((float)(2.0 / 3)), d.d, vox_set(-1.5f) * d.b);
    return (vox_two){even + odd, even - odd};
}
VOX_INLINE vox_two vox_points_far(vox_line d) {
    const vox_v even = vox_fma(vox_set((float)(-4.0 / 9)), d.c, d.e);
    const vox_v odd = vox_fma(vox_set(1.5f), d.d, vox_set((float)(-2.0 / 3)) * d.b);
    return (vox_two){even + odd, even - odd};
}

VOX_INLINE vox_two vox_points_pair(const int n, const int pair, vox_line d) {
    if (pair == 0) return vox_points_outer(n, d);
    return pair == 1 ? vox_points_near(n, d) : vox_points_far(d);
}

/* One register of each of `n` inputs; those that the pair does not need are dropped by the compiler. */
VOX_INLINE vox_line vox_line_gather(const int n, const float *const *x, ptrdiff_t at) {
    vox_line l = {.a = vox_load(x[0] + at),
                  .b = vox_load(x[1] + at),
                  .c = vox_load(x[2] + at),
                  .d = vox_load(x[3] + at)};
    if (n == 6) l.e = vox_load(x[4] + at), l.f = vox_load(x[5] + at);
    return l;
}
VOX_INLINE vox_two vox_points_read(const int n, const int pair, const float *const *x, ptrdiff_t at) {
    return vox_points_pair(n, pair, vox_line_gather(n, x, at));
}

/* All points of a line, `step` floats apart. */
VOX_INLINE void vox_points_write(const int n, vox_line d, float *to, ptrdiff_t step) {
    const vox_two outer = vox_points_outer(n, d), near = vox_points_near(n, d);
    vox_store(to, outer.a);
    vox_store(to + step, near.a), vox_store(to + 2 * step, near.b);
    vox_store(to + (n - 1) * step, outer.b);
    if (n == 4) return;
    const vox_two far = vox_points_far(d);
    vox_store(to + 3 * step, far.a), vox_store(to + 4 * step, far.b);
}

/* Axes D and H of one column: x[i] + j*row is input (i, j); to: [nd][nh][16]. One pair of points along D. */
VOX_INLINE void vox_column_pair(const int nd, const int nh, const int pair, const float *const *x,
                                ptrdiff_t row, float *to) {
    const vox_two r0 = vox_points_read(nd, pair, x, 0), r1 = vox_points_read(nd, pair, x, row),
                  r2 = vox_points_read(nd, pair, x, 2 * row), r3 = vox_points_read(nd, pair, x, 3 * row);
    vox_line first = {.a = r0.a, .b = r1.a, .c = r2.a, .d = r3.a};
    vox_line second = {.a = r0.b, .b = r1.b, .c = r2.b, .d = r3.b};
    if (nh == 6) {
        const vox_two r4 = vox_points_read(nd, pair, x, 4 * row), r5 = vox_points_read(nd, pair, x, 5 * row);
        first.e = r4.a, first.f = r5.a, second.e = r4.b, second.f = r5.b;
    }
    vox_points_write(nh, first, to + vox_point_of(nd, pair, 0) * nh * VOX_BLOCK, VOX_BLOCK);
    vox_points_write(nh, second, to + vox_point_of(nd, pair, 1) * nh * VOX_BLOCK, VOX_BLOCK);
}
VOX_INLINE void vox_column_points(const int nd, const int nh, const float *const *x, ptrdiff_t row,
                                  float *to) {
    for (int i = 0; i < nd; i++) {
        VOX_UNROLL
        for (int j = 0; j < nh; j++) vox_prefetch(x[i] + j * row, VOX_COLUMN_AHEAD * VOX_BLOCK);
    }
    for (ptrdiff_t lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
        const float *const at[6] = {x[0] + lane, x[1] + lane, x[2] + lane,
                                    x[3] + lane, x[4] + lane, x[5] + lane};
        vox_column_pair(nd, nh, 0, at, row, to + lane);
        vox_column_pair(nd, nh, 1, at, row, to + lane);
        if (nd == 6) vox_column_pair(nd, nh, 2, at, row, to + lane);
    }
}
typedef void vox_column_fn(const float *const *x, ptrdiff_t row, float *to);
VOX_NOINLINE void vox_column_points_44(const float *const *x, ptrdiff_t row, float *to) {
    vox_column_points(4, 4, x, row, to);
}
VOX_NOINLINE void vox_column_points_46(const float *const *x, ptrdiff_t row, float *to) {
    vox_column_points(4, 6, x, row, to);
}
VOX_NOINLINE void vox_column_points_64(const float *const *x, ptrdiff_t row, float *to) {
    vox_column_points(6, 4, x, row, to);
}
VOX_NOINLINE void vox_column_points_66(const float *const *x, ptrdiff_t row, float *to) {
    vox_column_points(6, 6, x, row, to);
}
static inline vox_column_fn *vox_column_for(int nd, int nh) {
    if (nd == 4) return nh == 4 ? vox_column_points_44 : vox_column_points_46;
    return nh == 4 ? vox_column_points_64 : vox_column_points_66;
}

/* Axis W of a tile: column[i] holds the `count` values [nd][nh][16] of input column i; to: points `step`
 * floats apart. */
VOX_INLINE void vox_row_points(const int n, int count, const float *const *column, float *to,
                               ptrdiff_t step) {
    for (ptrdiff_t i = 0; i < count; i++, to += n * step)
        for (ptrdiff_t lane = 0; lane < VOX_BLOCK; lane += VOX_VL)
            vox_points_write(n, vox_line_gather(n, column, i * VOX_BLOCK + lane), to + lane, step);
}
VOX_NOINLINE void vox_row_points_4(int count, const float *const *column, float *to, ptrdiff_t step) {
    vox_row_points(4, count, column, to, step);
}
VOX_NOINLINE void vox_row_points_6(int count, const float *const *column, float *to, ptrdiff_t step) {
    vox_row_points(6, count, column, to, step);
}

/* ---- products to outputs --------------------------------------------------------------------- */

/* Outputs 0 and 2 (of four) or 0 and 1 (of two). */
VOX_INLINE vox_two vox_outputs_even(const int n, vox_line m) {
    if (n == 4) return (vox_two){m.a + (m.b + m.c), (m.b - m.c) + m.d};
    const vox_v near = m.b + m.c, far = m.d + m.e;
    return (vox_two){m.a + near + far, vox_fma(vox_set((float)(4.0 / 9)), near, vox_set(2.25f) * far)};
}
/* Outputs 1 and 3. */
VOX_INLINE vox_two vox_outputs_odd(vox_line m) {
    const vox_v near = m.b - m.c, far = m.d - m.e;
    return (vox_two){vox_fma(vox_set((float)(2.0 / 3)), near, vox_set(1.5f) * far),
                     vox_fma(vox_set(3.375f), far, vox_fma(vox_set((float)(8.0 / 27)), near, m.f))};
}
VOX_INLINE vox_two vox_outputs_pair(const int n, const int pair, vox_line m) {
    return pair == 0 ? vox_outputs_even(n, m) : vox_outputs_odd(m);
}
VOX_INLINE int vox_output_of(const int n, const int pair, const int which) {
    return n == 4 ? which : pair + 2 * which;
}

/* `n` values of a line, `step` floats apart. */
VOX_INLINE vox_line vox_line_load(const int n, const float *m, ptrdiff_t step) {
    vox_line l = {
        .a = vox_load(m), .b = vox_load(m + step), .c = vox_load(m + 2 * step), .d = vox_load(m + 3 * step)};
    if (n == 6) l.e = vox_load(m + 4 * step), l.f = vox_load(m + 5 * step);
    return l;
}
VOX_INLINE void vox_outputs_write(const int n, vox_line m, float *to, ptrdiff_t step) {
    const vox_two even = vox_outputs_even(n, m);
    vox_store(to, even.a), vox_store(to + vox_output_of(n, 0, 1) * step, even.b);
    if (n == 4) return;
    const vox_two odd = vox_outputs_odd(m);
    vox_store(to + step, odd.a), vox_store(to + 3 * step, odd.b);
}

/* Axes W and H of one plane of products: m: [nh][nw][16]; to: [outputs of H][outputs of W][16]. */
VOX_INLINE void vox_plane_pair(const int nh, const int nw, const int pair, const float *m, float *to) {
    const ptrdiff_t row = nw * VOX_BLOCK, to_row = (nw - 2) * VOX_BLOCK;
#define VOX_ROW(j) vox_outputs_pair(nw, pair, vox_line_load(nw, m + (j)*row, VOX_BLOCK))
    const vox_two r0 = VOX_ROW(0), r1 = VOX_ROW(1), r2 = VOX_ROW(2), r3 = VOX_ROW(3);
    vox_line first = {.a = r0.a, .b = r1.a, .c = r2.a, .d = r3.a};
    vox_line second = {.a = r0.b, .b = r1.b, .c = r2.b, .d = r3.b};
    if (nh == 6) {
        const vox_two r4 = VOX_ROW(4), r5 = VOX_ROW(5);
        first.e = r4.a, first.f = r5.a, second.e = r4.b, second.f = r5.b;
    }
#undef VOX_ROW
    vox_outputs_write(nh, first, to + vox_output_of(nw, pair, 0) * VOX_BLOCK, to_row);
    vox_outputs_write(nh, second, to + vox_output_of(nw, pair, 1) * VOX_BLOCK, to_row);
}
/* All planes of a tile: m: [nd][nh][nw][16], to: [nd][outputs of H][outputs of W][16]. */
VOX_INLINE void vox_plane_outputs(const int nh, const int nw, int nd, const float *m, float *to) {
    for (int i = 0; i < nd; i++, m += nh * nw * VOX_BLOCK, to += (nh - 2) * (nw - 2) * VOX_BLOCK)
        for (ptrdiff_t lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
            vox_plane_pair(nh, nw, 0, m + lane, to + lane);
            if (nw == 6) vox_plane_pair(nh, nw, 1, m + lane, to + lane);
        }
}
typedef void vox_plane_fn(int nd, const float *m, float *to);
VOX_NOINLINE void vox_plane_outputs_44(int nd, const float *m, float *to) {
    vox_plane_outputs(4, 4, nd, m, to);
}
VOX_NOINLINE void vox_plane_outputs_46(int nd, const float *m, float *to) {
    vox_plane_outputs(4, 6, nd, m, to);
}
VOX_NOINLINE void vox_plane_outputs_64(int nd, const float *m, float *to) {
    vox_plane_outputs(6, 4, nd, m, to);
}
VOX_NOINLINE void vox_plane_outputs_66(int nd, const float *m, float *to) {
    vox_plane_outputs(6, 6, nd, m, to);
}
static inline vox_plane_fn *vox_plane_for(int nh, int nw) {
    if (nh == 4) return nw == 4 ? vox_plane_outputs_44 : vox_plane_outputs_46;
    return nw == 4 ? vox_plane_outputs_64 : vox_plane_outputs_66;
}

/* Where a tile's outputs go, one block of channels. */
typedef struct vox_tile_out {
    float *y[4];        /* plane by plane; y[0] NULL: not stored */
    ptrdiff_t row, col; /* floats from row to row, column to column */
    float *pool[2];     /* planes of the maxima over 2x2x2; pool[0] NULL: none */
    ptrdiff_t pool_row;
    const float *skip[4]; /* planes of what is added; skip[0] NULL: nothing */
    ptrdiff_t skip_row, skip_col;
} vox_tile_out;

/* NaN stays in *seen once one of the values is not finite. */
VOX_INLINE void vox_see(vox_two values, vox_two *seen) {
    seen->a = vox_fma(values.a, vox_zero(), seen->a), seen->b = vox_fma(values.b, vox_zero(), seen->b);
}
/* Axis D of one column of a tile, then what is added to its outputs and relu (`least` 0; -infinity: none). */
VOX_INLINE vox_line vox_depth_line(const int n, vox_line m, vox_line add, vox_v least, vox_two *seen) {
    const vox_two even = vox_outputs_even(n, m);
    vox_see(even, seen);
    vox_line y = {.a = vox_max(least, even.a + add.a)};
    if (n == 4) {
        y.b = vox_max(least, even.b + add.b);
        return y;
    }
    const vox_two odd = vox_outputs_odd(m);
    vox_see(odd, seen);
    y.b = vox_max(least, odd.a + add.b), y.c = vox_max(least, even.b + add.c);
    y.d = vox_max(least, odd.b + add.d);
    return y;
}
/* bias + skip of one column. */
VOX_INLINE vox_line vox_depth_skip(const int n, vox_v bias, const float *const *skip, ptrdiff_t at) {
    vox_line add = {.a = bias + vox_load(skip[0] + at), .b = bias + vox_load(skip[1] + at)};
    if (n == 6) add.c = bias + vox_load(skip[2] + at), add.d = bias + vox_load(skip[3] + at);
    return add;
}
VOX_INLINE void vox_depth_store(const int n, vox_line y, float *const *to, ptrdiff_t at) {
    vox_store(to[0] + at, y.a), vox_store(to[1] + at, y.b);
    if (n == 6) vox_store(to[2] + at, y.c), vox_store(to[3] + at, y.d);
}

/* What is known when it is compiled: points along D; whether there is a pool, and a skip. */
typedef struct vox_depth_shape {
    int n, pool, skip;
} vox_depth_shape;
/* [points along D][h][w][16] */
typedef struct vox_depth_sums {
    const float *m;
    int h, w;
} vox_depth_sums;

/* Axis D of a tile. Two by two columns, whose maximum stays in registers. Returns whether
 * all sums were finite. */
VOX_INLINE int vox_depth_outputs(const vox_depth_shape shape, vox_depth_sums sums, const float *b, float low,
                                 const vox_tile_out *o) {
    const int n = shape.n, pool = shape.pool, skip = shape.skip, h = sums.h, w = sums.w;
    const float *m = sums.m;
    const ptrdiff_t plane = (ptrdiff_t)h * w * VOX_BLOCK;
    vox_two seen = {vox_zero(), vox_zero()};
    for (ptrdiff_t lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
        const vox_v bias = vox_load(b + lane), least = vox_set(low);
        for (int k = 0; k < h * w / 4; k++) {
            const ptrdiff_t j = k / (w / 2) * 2, i = k % (w / 2) * 2;
            vox_v most0 = vox_set(-INFINITY), most1 = most0;
            for (int q = 0; q < 4; q++) {
                const float *from = m + ((j + q / 2) * w + i + q % 2) * VOX_BLOCK + lane;
                const ptrdiff_t at = (j + q / 2) * o->skip_row + (i + q % 2) * o->skip_col + lane;
                const vox_line add =
                    skip ? vox_depth_skip(n, bias, o->skip, at) : (vox_line){.a = bias, bias, bias, bias};
                const vox_line y = vox_depth_line(n, vox_line_load(n, from, plane), add, least, &seen);
                if (!pool || o->y[0])
                    vox_depth_store(n, y, o->y, (j + q / 2) * o->row + (i + q % 2) * o->col + lane);
                if (pool) most0 = vox_max_or_nan(vox_max_or_nan(y.a, y.b), most0);
                if (pool && n == 6) most1 = vox_max_or_nan(vox_max_or_nan(y.c, y.d), most1);
            }
            if (pool) vox_store(o->pool[0] + j / 2 * o->pool_row + i / 2 * VOX_BLOCK + lane, most0);
            if (pool && n == 6) vox_store(o->pool[1] + j / 2 * o->pool_row + i / 2 * VOX_BLOCK + lane, most1);
        }
    }
    return !vox_any_nan(seen.a + seen.b);
}
VOX_NOINLINE int vox_depth_outputs_4(int h, int w, const float *m, const float *b, float low,
                                     const vox_tile_out *o) {
    return o->pool[0] ? vox_depth_outputs((vox_depth_shape){4, 1, 0}, (vox_depth_sums){m, h, w}, b, low, o)
                      : vox_depth_outputs((vox_depth_shape){4, 0, 0}, (vox_depth_sums){m, h, w}, b, low, o);
}
VOX_NOINLINE int vox_depth_outputs_6(int h, int w, const float *m, const float *b, float low,
                                     const vox_tile_out *o) {
    return o->pool[0] ? vox_depth_outputs((vox_depth_shape){6, 1, 0}, (vox_depth_sums){m, h, w}, b, low, o)
                      : vox_depth_outputs((vox_depth_shape){6, 0, 0}, (vox_depth_sums){m, h, w}, b, low, o);
}
VOX_NOINLINE int vox_depth_outputs_4_skip(int h, int w, const float *m, const float *b, float low,
                                          const vox_tile_out *o) {
    return o->pool[0] ? vox_depth_outputs((vox_depth_shape){4, 1, 1}, (vox_depth_sums){m, h, w}, b, low, o)
                      : vox_depth_outputs((vox_depth_shape){4, 0, 1}, (vox_depth_sums){m, h, w}, b, low, o);
}
VOX_NOINLINE int vox_depth_outputs_6_skip(int h, int w, const float *m, const float *b, float low,
                                          const vox_tile_out *o) {
    return o->pool[0] ? vox_depth_outputs((vox_depth_shape){6, 1, 1}, (vox_depth_sums){m, h, w}, b, low, o)
                      : vox_depth_outputs((vox_depth_shape){6, 0, 1}, (vox_depth_sums){m, h, w}, b, low, o);
}
typedef int vox_depth_fn(int h, int w, const float *m, const float *b, float low, const vox_tile_out *o);
static inline vox_depth_fn *vox_depth_for(int tile, int skip) {
    if (tile == 2) return skip ? vox_depth_outputs_4_skip : vox_depth_outputs_4;
    return skip ? vox_depth_outputs_6_skip : vox_depth_outputs_6;
}

#endif
