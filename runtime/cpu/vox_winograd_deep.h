/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_deep.h: Winograd convolution of layers with few tiles and many channels
 * (vox_f32_winograd_deep): transformed weights would be up to 8 times as large as the weights and used only a
 * few times each, so the weights are read as they are and transformed where they are used.
 *
 * Phase 0 transforms the inputs of all tiles into V = [points][blocks of IC][tiles][16], which the workers
 * share. Phase 1 takes pairs of output blocks; point by point along D, and VOX_DEEP_CHANNELS input channels
 * at a time, it transforms the weights of the (H, W) points, multiplies, and adds up; then the (H, W) axes of
 * the products are transformed back. So weights and products of one point along D stay in the second-level
 * cache (0.6 and 0.2 MiB with tiles of 4 and 48 tiles); the weights are read once per point along D.
 *
 * batch, the most tiles per item, saves transforming weights again: all tiles up to about 128 (384 -> 128
 * channels, 128 tiles: 188 GMAC/s by 24, 211 by 48, 239 by 128). Measured on one core of a shared Zen 4 (FMA
 * peak 58.5 GMAC/s), in multiplications of the direct convolution, F(4^3), AVX-512 and AVX2: 768 -> 256
 * channels to 16x16x12 4.2 and 3.5 times the peak, 256 -> 256 to 14x14x10 2.6 to 3.2 and 2.1 to 2.3 (its
 * tiles reach 57 % past it), 256 -> 256 to 11x11x9 2.9 to 3.3 and 1.9 to 2.8, 256 -> 512 to 9x9x7 (18 tiles,
 * 103 % past) 2.4 to 2.6 and 1.5 to 2.4.
 */
#ifndef VOX_WINOGRAD_DEEP_H
#define VOX_WINOGRAD_DEEP_H

#include "vox_winograd.h"

/* ---- weights to points ----------------------------------------------------------------------- */

/* Three taps along an axis. */
typedef struct vox_taps {
    vox_v a, b, c;
} vox_taps;

/* Three of them along H, by W. */
typedef struct vox_tap_columns {
    vox_taps a, b, c;
} vox_tap_columns;

/* A pair of points (vox_point_of): 0 and infinity, 1 and 2, 3 and 4; the transposed of the rows in
 * vox_weights.c. */
VOX_INLINE vox_two vox_weights_pair(const int n, const int pair, vox_taps w) {
    if (pair == 0) return (vox_two){w.a, w.c};
    if (n == 4) {
        const vox_v even = vox_set(0.5f) * (w.a + w.c), odd = vox_set(0.5f) * w.b;
        return (vox_two){even + odd, even - odd};
    }
    if (pair == 1) {
        const vox_v even = vox_fma(vox_set((float)(-81.0 / 130)), w.a, vox_set((float)(-18.0 / 65)) * w.c);
        const vox_v odd = vox_set((float)(27.0 / 65)) * w.b;
        return (vox_two){even - odd, even + odd};
    }
    const vox_v even = vox_fma(vox_set((float)(8.0 / 65)), w.a, vox_set((float)(18.0 / 65)) * w.c);
    const vox_v odd = vox_set((float)(12.0 / 65)) * w.b;
    return (vox_two){even + odd, even - odd};
}

/* Channels whose weights are combined along D at a time, so that they wait in the first-level cache. Reading
 * w so, tap by tap, and fetching the next run: 256 -> 512 channels to 9x9x7 145 GMAC/s; all taps channel by
 * channel: 129. */
enum { VOX_WEIGHTS_RUN = 32 };

VOX_INLINE void vox_weights_fetch(const float *w) { /* of the next run */
    const uintptr_t bytes = VOX_WEIGHTS_RUN * VOX_BLOCK * sizeof *w;
    __builtin_prefetch((const void *)((uintptr_t)w + bytes), 0, 2);
}
/* `floats` sums of factor[k] * tap k along D; taps are `step` apart. The outer points are the outer taps. */
VOX_INLINE void vox_weights_depth(int floats, const float factor[3], const float *w, ptrdiff_t step,
                                  float *to) {
    const float *u = w + step, *v = w + 2 * step;
    const vox_v a = vox_set(factor[0]), b = vox_set(factor[1]), c = vox_set(factor[2]);
    if (factor[1] == 0) {
        const float *one = factor[0] != 0 ? w : v;
        for (ptrdiff_t i = 0; i < floats; i += VOX_VL) {
            vox_weights_fetch(one + i);
            vox_store(to + i, vox_load(one + i));
        }
        return;
    }
    for (ptrdiff_t i = 0; i < floats; i += VOX_VL) {
        vox_weights_fetch(w + i), vox_weights_fetch(u + i), vox_weights_fetch(v + i);
        vox_store(to + i, vox_fma(a, vox_load(w + i), vox_fma(b, vox_load(u + i), c * vox_load(v + i))));
    }
}

VOX_INLINE void vox_weights_row(const int n, vox_taps w, float *u, ptrdiff_t point) {
    const vox_two outer = vox_weights_pair(n, 0, w), near = vox_weights_pair(n, 1, w);
    vox_store(u, outer.a), vox_store(u + point, near.a), vox_store(u + 2 * point, near.b);
    vox_store(u + (n - 1) * point, outer.b);
    if (n == 4) return;
    const vox_two far = vox_weights_pair(n, 2, w);
    vox_store(u + 3 * point, far.a), vox_store(u + 4 * point, far.b);
}
VOX_INLINE void vox_weights_rows(const int nh, const int nw, const int pair, vox_tap_columns w, float *u,
                                 ptrdiff_t point) {
    const vox_two p = vox_weights_pair(nh, pair, w.a), q = vox_weights_pair(nh, pair, w.b),
                  r = vox_weights_pair(nh, pair, w.c);
    vox_weights_row(nw, (vox_taps){p.a, q.a, r.a}, u + vox_point_of(nh, pair, 0) * nw * point, point);
    vox_weights_row(nw, (vox_taps){p.b, q.b, r.b}, u + vox_point_of(nh, pair, 1) * nw * point, point);
}
/* Axes H and W of `floats` weights: w: [3][3][VOX_WEIGHTS_RUN][16]. */
VOX_INLINE void vox_weights_points(const int nh, const int nw, int floats, const float *w, float *u,
                                   ptrdiff_t point) {
    enum { TAP = VOX_WEIGHTS_RUN * VOX_BLOCK };
    for (ptrdiff_t i = 0; i < floats; i += VOX_VL, w += VOX_VL) {
        const vox_tap_columns taps = {
            {vox_load(w), vox_load(w + 3 * TAP), vox_load(w + 6 * TAP)},
            {vox_load(w + TAP), vox_load(w + 4 * TAP), vox_load(w + 7 * TAP)},
            {vox_load(w + 2 * TAP), vox_load(w + 5 * TAP), vox_load(w + 8 * TAP)},
        };
        vox_weights_rows(nh, nw, 0, taps, u + i, point);
        vox_weights_rows(nh, nw, 1, taps, u + i, point);
        if (nh == 6) vox_weights_rows(nh, nw, 2, taps, u + i, point);
    }
}
typedef void vox_weights_fn(int floats, const float *w, float *u, ptrdiff_t point);
VOX_NOINLINE void vox_weights_points_44(int floats, const float *w, float *u, ptrdiff_t point) {
    vox_weights_points(4, 4, floats, w, u, point);
}
VOX_NOINLINE void vox_weights_points_46(int floats, const float *w, float *u, ptrdiff_t point) {
    vox_weights_points(4, 6, floats, w, u, point);
}
VOX_NOINLINE void vox_weights_points_64(int floats, const float *w, float *u, ptrdiff_t point) {
    vox_weights_points(6, 4, floats, w, u, point);
}
VOX_NOINLINE void vox_weights_points_66(int floats, const float *w, float *u, ptrdiff_t point) {
    vox_weights_points(6, 6, floats, w, u, point);
}
static inline vox_weights_fn *vox_weights_for(int nh, int nw) {
    if (nh == 4) return nw == 4 ? vox_weights_points_44 : vox_weights_points_46;
    return nw == 4 ? vox_weights_points_64 : vox_weights_points_66;
}

/* The factors of the taps for point p of n. */
static inline void vox_weights_factors(int n, int p, float factor[3]) {
    static const float four[4][3] = {{1, 0, 0}, {0.5f, 0.5f, 0.5f}, {0.5f, -0.5f, 0.5f}, {0, 0, 1}};
    static const float six[6][3] = {{1, 0, 0},
                                    {(float)(-81.0 / 130), (float)(-27.0 / 65), (float)(-18.0 / 65)},
                                    {(float)(-81.0 / 130), (float)(27.0 / 65), (float)(-18.0 / 65)},
                                    {(float)(8.0 / 65), (float)(12.0 / 65), (float)(18.0 / 65)},
                                    {(float)(8.0 / 65), (float)(-12.0 / 65), (float)(18.0 / 65)},
                                    {0, 0, 1}};
    memcpy(factor, n == 4 ? four[p] : six[p], 3 * sizeof *factor);
}

/* ---- phase 1 --------------------------------------------------------------------------------- */

/* A worker's scratch: weights of VOX_DEEP_CHANNELS channels, products of one point along D, and those of all
 * after axes H and W.
 */
typedef struct vox_deep {
    vox_winograd_run r;
    int groups, blocks; /* of tiles; output blocks per item */
    int plane;          /* points (H, W) */
    ptrdiff_t u_point, u_block,
        half; /* floats: point to point, block to block, of one tile after axes H and W */
    float *u, *m, *z;
    vox_weights_fn *weights;
} vox_deep;

/* Weights of point pd along D, channels [ic, ic + n) of one output block, to u. */
static inline void vox_deep_weights(const vox_deep *p, int pd, int ic, int n, int oc, float *u) {
    float runs[9][VOX_WEIGHTS_RUN * VOX_BLOCK] __attribute__((aligned(64)));
    const ptrdiff_t tap = (ptrdiff_t)p->r.g->x.c * VOX_BLOCK;
    const float *w = p->r.o.weights + oc * 27 * tap + (ptrdiff_t)ic * VOX_BLOCK;
    float factor[3];
    vox_weights_factors(p->r.points[0], pd, factor);
    for (int i = 0; i < n;
         i += VOX_WEIGHTS_RUN, w += VOX_WEIGHTS_RUN * VOX_BLOCK, u += VOX_WEIGHTS_RUN * VOX_BLOCK) {
        const int floats = vox_min_int(VOX_WEIGHTS_RUN, n - i) * VOX_BLOCK;
        for (int k = 0; k < 9; k++) vox_weights_depth(floats, factor, w + k * tap, 9 * tap, runs[k]);
        p->weights(floats, runs[0], u, p->u_point);
    }
}

/* One point along D of some tiles. */
static inline void vox_deep_depth(const vox_deep *p, int pd, vox_batch tiles, vox_pair out) {
    const vox_winograd_run *r = &p->r;
    const ptrdiff_t v_point = vox_point_floats(r->blocks_in, r->total);
    vox_product t = {.tiles = tiles.n,
                     .blocks = out.n,
                     .run = r->g->run,
                     .v_block = (ptrdiff_t)r->total * VOX_BLOCK,
                     .u_block = p->u_block,
                     .m_block = (ptrdiff_t)tiles.n * p->plane * VOX_BLOCK,
                     .m_tile = (ptrdiff_t)p->plane * VOX_BLOCK,
                     .u_ahead = VOX_PRODUCT_NEAR * VOX_BLOCK};
    for (int c = 0; c < r->g->x.c; c += VOX_DEEP_CHANNELS) {
        const int channels = vox_min_int(VOX_DEEP_CHANNELS, r->g->x.c - c);
        for (int k = 0; k < out.n; k++)
            vox_deep_weights(p, pd, c, channels, out.oc + k, p->u + k * p->u_block);
        const float *v = r->v + (ptrdiff_t)pd * p->plane * v_point + c / VOX_BLOCK * t.v_block +
                         (ptrdiff_t)tiles.begin * VOX_BLOCK;
        t.onto = c > 0;
        for (ptrdiff_t i = 0; i < p->plane; i++)
            vox_product_runs(&t, channels, v + i * v_point, p->u + i * p->u_point, p->m + i * VOX_BLOCK);
    }
    for (ptrdiff_t i = 0; i < (ptrdiff_t)out.n * tiles.n; i++)
        r->planes(1, p->m + i * t.m_tile, p->z + i * p->half + pd * (p->half / r->points[0]));
}

/* Slots are by group; an item empties its blocks' part of one, the first group's also those that no group
 * has. */
static inline void vox_deep_take_slot(vox_deep *p, int begin, int item) {
    vox_winograd_run *r = &p->r;
    const int group = item % p->groups, oc = item / p->groups * p->blocks;
    const vox_around *around = &r->o.around;
    if (!around->sums) return;
    if (item == 0) vox_sums_clear(around, r->blocks_out, begin, (vox_range){p->groups, around->slots});
    r->sums = vox_sums_slot(around, r->blocks_out, begin, group);
    memset(r->sums + (ptrdiff_t)oc * VOX_SUMS, 0,
           (size_t)vox_min_int(p->blocks, r->blocks_out - oc) * VOX_SUMS * sizeof(double));
}

static inline size_t vox_winograd_deep_scratch(const vox_winograd *g) {
    const size_t plane = (size_t)(g->tile[1] + 2) * (size_t)(g->tile[2] + 2);
    const size_t half = (size_t)(g->tile[0] + 2) * (size_t)g->tile[1] * (size_t)g->tile[2];
    return 2 * VOX_BLOCK * (plane * (VOX_DEEP_CHANNELS + 1) + (size_t)g->batch * (plane + half));
}

/* Rare tiles of an item: their inputs and products, and weights, go where the item's products were. */
typedef struct vox_deep_few {
    const int *tiles; /* numbers in the item */
    int n;
    ptrdiff_t v_point, m_block;
    float *v, *m, *u; /* [points][n][16], [blocks][n][points][16], [points][17][16] */
} vox_deep_few;
/* How many there is room for. */
static inline int vox_deep_most_rare(const vox_deep *p, int blocks) {
    const ptrdiff_t floats = (ptrdiff_t)vox_winograd_deep_scratch(p->r.g), point = p->r.count * VOX_BLOCK;
    return (int)((floats - (VOX_BLOCK + 1) * point) / ((1 + blocks) * point)) - 1;
}
static inline vox_deep_few vox_deep_few_of(const vox_deep *p, const int *tiles, int n, int blocks) {
    vox_deep_few f = {.tiles = tiles, .n = n, .v_point = vox_point_floats(1, n)};
    f.m_block = (ptrdiff_t)p->r.count * n * VOX_BLOCK;
    f.v = p->u, f.m = f.v + p->r.count * f.v_point, f.u = f.m + blocks * f.m_block;
    return f;
}
/* Their products, all points of 16 input channels at a time. */
static inline void vox_deep_multiply_few(const vox_deep *p, const vox_deep_few *f, int begin, vox_pair out,
                                         const vox_rare *rare) {
    const vox_winograd_run *r = &p->r;
    vox_deep few = *p;
    few.u_point = (VOX_BLOCK + 1) * VOX_BLOCK;
    vox_product t = {.tiles = f->n,
                     .blocks = 1,
                     .m_tile = (ptrdiff_t)r->count * VOX_BLOCK,
                     .u_ahead = VOX_PRODUCT_NEAR * VOX_BLOCK};
    for (int c = 0; c < r->blocks_in; c++) {
        t.ic = vox_min_int(VOX_BLOCK, r->g->x.c - c * VOX_BLOCK), t.add = c > 0;
        for (int i = 0; i < f->n; i++) {
            const vox_scale scale = vox_scale_of(rare[f->tiles[i]].shift);
            vox_winograd_fill(r, (vox_batch){begin + f->tiles[i], 1}, (vox_range){c, c + 1}, &scale,
                              (vox_points){f->v + (ptrdiff_t)i * VOX_BLOCK, 0, f->v_point});
        }
        for (int b = 0; b < out.n; b++) {
            for (int pd = 0; pd < r->points[0]; pd++)
                vox_deep_weights(&few, pd, c * VOX_BLOCK, t.ic, out.oc + b,
                                 f->u + pd * p->plane * few.u_point);
            for (ptrdiff_t q = 0; q < r->count; q++)
                vox_product_point(&t, f->v + q * f->v_point, f->u + q * few.u_point,
                                  f->m + b * f->m_block + q * VOX_BLOCK);
        }
    }
}
/* The weights' signs, where there is room for them now that V and U are not needed any more. */
static inline void vox_deep_signs(vox_winograd_run *r, const vox_deep_few *f, vox_pair out) {
    const ptrdiff_t floats = (ptrdiff_t)r->g->x.c * 2 * VOX_BLOCK;
    float *to = floats * out.n <= (ptrdiff_t)r->count * (VOX_BLOCK + 1) * VOX_BLOCK ? f->u
                : floats * out.n <= r->count * f->v_point                           ? f->v
                                                                                    : NULL;
    for (int b = 0; to && b < out.n; b++)
        for (int c = 0; c < r->g->x.c; c++)
            (void)vox_tile_signs(r, out.oc + b, c, to + b * floats + (ptrdiff_t)c * 2 * VOX_BLOCK);
    r->signs = to, r->signs_from = out.oc;
}
VOX_NOINLINE void vox_deep_again(const vox_deep *p, int begin, vox_pair out, const int *tiles, int n,
                                 vox_rare *rare) {
    const vox_deep_few f = vox_deep_few_of(p, tiles, n, out.n);
    vox_winograd_run r = p->r;
    const ptrdiff_t m_tile = (ptrdiff_t)r.count * VOX_BLOCK;
    float half[VOX_WINOGRAD_POINTS * 4 * 4 * VOX_BLOCK] __attribute__((aligned(64)));
    int smaller[VOX_BATCH_MOST], shrunk = 0; /* those whose products overflow */
    vox_deep_multiply_few(p, &f, begin, out, rare);
    vox_deep_signs(&r, &f, out);
    for (int i = 0; i < n; i++) {
        const vox_tile at = vox_tile_of(&r, begin + tiles[i]);
        vox_rare *one = &rare[tiles[i]];
        vox_spoils spoils[2];
        int finite = 1;
        for (int b = 0; b < out.n; b++)
            finite &= vox_all_finite(f.m + b * f.m_block + i * m_tile, (int)m_tile / VOX_VL);
        if (!finite && vox_rare_shift(one)) {
            smaller[shrunk++] = tiles[i];
            continue;
        }
        if (one->kind == VOX_TILE_SPOILT) vox_tile_spoil(&r, &at, out, one, spoils);
        for (int b = 0; b < out.n; b++) {
            if (!(one->blocks >> b & 1)) continue;
            r.planes(r.points[0], f.m + b * f.m_block + i * m_tile, half);
            vox_tile_put_rare(&r, &at, out.oc + b, one, half, &spoils[b]);
        }
    }
    if (shrunk > 0) vox_deep_again(p, begin, out, smaller, shrunk, rare);
}

/* What kind tile number i is. */
static inline vox_rare vox_deep_look(const vox_deep *p, int i, int overflowed) {
    const vox_tile t = vox_tile_of(&p->r, i);
    return vox_tile_look(&p->r, &t, overflowed);
}

/* V is shared, so that rare tiles cannot be filled anew in it as vox_winograd.h does. */
VOX_NOINLINE void vox_deep_rare(const vox_deep *p, vox_batch batch, vox_pair out, vox_rare *rare) {
    const int begin = batch.begin;
    for (int i = 0; i < batch.n; i++) {
        const unsigned char wait = rare[i].blocks;
        if (!wait || rare[i].kind != VOX_TILE_ORDINARY) continue;
        rare[i] = vox_deep_look(p, begin + i, 1);
        rare[i].blocks = wait;
    }
    const int most = vox_deep_most_rare(p, out.n);
    int tiles[VOX_BATCH_MOST], count = 0;
    for (int i = 0; i < batch.n; i++) {
        if (rare[i].kind == VOX_TILE_ORDINARY) continue;
        const vox_tile t = vox_tile_of(&p->r, begin + i);
        for (int b = 0; rare[i].kind == VOX_TILE_NAN && b < out.n; b++)
            if (rare[i].blocks >> b & 1) vox_tile_put_rare(&p->r, &t, out.oc + b, &rare[i], NULL, NULL);
        if (rare[i].kind != VOX_TILE_NAN) tiles[count++] = i;
        if (count < most) continue;
        vox_deep_again(p, begin, out, tiles, count, rare);
        count = 0;
    }
    if (count > 0) vox_deep_again(p, begin, out, tiles, count, rare);
}

VOX_NOINLINE void vox_deep_item(vox_deep *p, int item) {
    const vox_winograd_run *r = &p->r;
    const int group = item % p->groups, oc = item / p->groups * p->blocks;
    const int begin = (int)((int64_t)r->total * group / p->groups);
    const int n = (int)((int64_t)r->total * (group + 1) / p->groups) - begin;
    const vox_batch batch = {begin, n};
    const vox_pair out = {oc, vox_min_int(p->blocks, r->blocks_out - oc)};
    vox_rare rare[VOX_BATCH_MOST];
    memset(rare, 0, (size_t)n * sizeof *rare);
    for (int i = 0; r->wary && i < n; i++) { /* as vox_winograd_foresee */
        const vox_rare found = vox_deep_look(p, begin + i, 0);
        if (found.kind != VOX_TILE_ORDINARY) rare[i] = found;
    }
    const int known = r->wary ? vox_tiles_count(rare, n, VOX_TILE_LARGE) : 0, nothing = known == n;
    int seen = known > 0;
    for (int pd = 0; !nothing && pd < r->points[0]; pd++) vox_deep_depth(p, pd, batch, out);
    for (int i = 0; !nothing && i < out.n * n; i++) {
        const vox_tile t = vox_tile_of(r, begin + i % n);
        if (rare[i % n].kind != VOX_TILE_ORDINARY) continue;
        if (!vox_tile_put(r, &t, oc + i / n, p->z + i * p->half))
            rare[i % n].blocks |= (unsigned char)(1 << i / n), seen = 1;
    }
    if (seen) vox_deep_rare(p, batch, out, rare);
    p->r.wary = seen && vox_tiles_count(rare, n, VOX_TILE_SPOILT) > 0;
}

/* ---- a range of planes ----------------------------------------------------------------------- */

static inline size_t vox_winograd_deep_shared(const vox_winograd *g, vox_range range) {
    const vox_winograd_run r = vox_winograd_run_of(g, range);
    return (size_t)r.count * (size_t)vox_point_floats(r.blocks_in, r.total);
}
static inline vox_deep vox_deep_of(const vox_winograd *g, vox_range range, float *scratch) {
    vox_deep p = {.r = vox_winograd_run_of(g, range)};
    p.plane = p.r.points[1] * p.r.points[2];
    p.half = (ptrdiff_t)p.r.points[0] * g->tile[1] * g->tile[2] * VOX_BLOCK;
    p.u_point = (VOX_DEEP_CHANNELS + 1) * VOX_BLOCK; /* an odd number of cache lines, as vox_point_floats */
    p.u_block = p.plane * p.u_point;
    p.groups = vox_parts(p.r.total, vox_min_int(g->batch, VOX_BATCH_MOST));
    p.blocks = vox_parts(p.r.blocks_out, 2) * p.groups < 2 * g->workers && g->workers > 1 ? 1 : 2;
    p.u = scratch, p.m = p.u + 2 * p.u_block;
    p.z = p.m + (ptrdiff_t)2 * g->batch * p.plane * VOX_BLOCK;
    p.weights = vox_weights_for(p.r.points[1], p.r.points[2]);
    return p;
}

/* Items of phase 0: input blocks. */
VOX_KERNEL void vox_f32_winograd_deep(const vox_winograd *g, vox_conv_operands o, vox_range range, int worker,
                                      int phase, int *next) {
    vox_deep p = vox_deep_of(g, range, vox_worker_scratch(g, &o, worker));
    const int items = phase == 0 ? p.r.blocks_in : p.groups * vox_parts(p.r.blocks_out, p.blocks);
    p.r.o = o, p.r.v = o.shared;
    for (int i; (i = vox_next(next)) < items;) {
        if (phase == 0) {
            vox_points to = vox_points_of(&p.r, o.shared, p.r.total);
            to.v += i * to.block;
            vox_winograd_fill(&p.r, (vox_batch){0, p.r.total}, (vox_range){i, i + 1}, NULL, to);
            continue;
        }
        vox_deep_take_slot(&p, range.begin, i);
        vox_deep_item(&p, i);
    }
}

#endif
