/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_tile.h: which tiles a range of output planes has, from their inputs to V, and from products to
 * what is stored, cropped and pooled; tiles that are not finite once more, by the plain formula. Shared by
 * vox_winograd.h and vox_winograd_deep.h.
 */
#ifndef VOX_WINOGRAD_TILE_H
#define VOX_WINOGRAD_TILE_H

#include "vox_around.h"
#include "vox_conv_tile.h"
#include "vox_winograd_transform.h"

/* ---- tiles ----------------------------------------------------------------------------------- */

/* Tiles along an axis that start below `end`. Tile i starts at output vox_tile_begin(i): the outputs o =
 * phase + dilation*t of a phase form a plain convolution, and tiles that are neighbours by number belong to
 * different phases. */
static inline int vox_tiles_below(const vox_winograd *g, int axis, int end) {
    const int dilation = g->dilation[axis], group = g->tile[axis] * dilation;
    return end / group * dilation + vox_min_int(end % group, dilation);
}
static inline int vox_tile_begin(const vox_winograd *g, int axis, int i) {
    return i / g->dilation[axis] * g->tile[axis] * g->dilation[axis] + i % g->dilation[axis];
}

/* What the calls for one range of planes share, and this lane's memory. */
typedef struct vox_winograd_run {
    const vox_winograd *g;
    int points[3], count; /* per axis; of a tile */
    int first, tiles[3];  /* number of the range's first tile along D; tiles of the range */
    int blocks_in, blocks_out;
    int batch, items, total; /* tiles per item at most; items; tiles, over all n */
    vox_column_fn *columns;
    vox_plane_fn *planes;
    const float *x, *b, *slope, *skip;
    vox_dims skip_dims;
    const float *u, *w; /* weights: transformed, or (deep) as they are; the other is NULL */
    float *y, *crop, *pool, *v, *m;
    const vox_around *around; /* NULL: nothing */
    double *sums;             /* slot of the item, if y's sums are gathered */
} vox_winograd_run;

/* Where a tile's outputs start. */
typedef struct vox_tile {
    int n, at[3];
} vox_tile;
static inline vox_tile vox_tile_of(const vox_winograd_run *r, int i) {
    const int w = i % r->tiles[2], h = i / r->tiles[2] % r->tiles[1];
    const int d = i / r->tiles[2] / r->tiles[1] % r->tiles[0];
    return (vox_tile){
        i / r->tiles[2] / r->tiles[1] / r->tiles[0],
        {vox_tile_begin(r->g, 0, r->first + d), vox_tile_begin(r->g, 1, h), vox_tile_begin(r->g, 2, w)}};
}

/* Floats from block to block of channels, and where the block of image n starts. */
static inline ptrdiff_t vox_block_floats(const vox_dims *t) {
    return (ptrdiff_t)vox_planes(t) * t->h * t->w * VOX_BLOCK;
}
static inline ptrdiff_t vox_block_at(const vox_dims *t, int n, int block) {
    return ((ptrdiff_t)n * vox_parts(t->c, VOX_BLOCK) + block) * vox_block_floats(t);
}
/* Floats from the start of a block to voxel (d, h, w). */
static inline ptrdiff_t vox_voxel_at(const vox_dims *t, int d, int h, int w) {
    return (((ptrdiff_t)vox_plane_of(t, d) * t->h + h) * t->w + w) * VOX_BLOCK;
}

/* ---- V: inputs to points --------------------------------------------------------------------- */

/* V of `tiles` tiles is [points][blocks of IC][tiles][16]; floats from point to point: an odd number of cache
 * lines, or the stores to consecutive points would compete for few sets of the first-level cache. */
static inline ptrdiff_t vox_point_floats(int blocks_in, int tiles) {
    return (((ptrdiff_t)blocks_in * tiles) | 1) * VOX_BLOCK;
}

/* The inputs of a row of tiles along W, one block: input (i, j) of a column is (d + i*dilation, h +
 * j*dilation).
 */
typedef struct vox_tile_rows {
    const vox_winograd_run *r;
    const float *x; /* at the block */
    int d, h, inside;
    const float *plane[VOX_WINOGRAD_POINTS]; /* if inside: rows of each plane, at column 0 */
    const vox_terms *terms;                  /* not NULL: x is normalised on load */
} vox_tile_rows;

static inline vox_tile_rows vox_tile_rows_of(const vox_winograd_run *r, const vox_tile *t, int block) {
    const vox_winograd *g = r->g;
    vox_tile_rows s = {.r = r, .x = r->x + vox_block_at(&g->x, t->n, block)};
    s.d = t->at[0] - g->pad[0], s.h = t->at[1] - g->pad[1];
    s.inside = s.d >= 0 && s.d + (r->points[0] - 1) * g->dilation[0] < g->x.d && s.h >= 0 &&
               s.h + (r->points[1] - 1) * g->dilation[1] < g->x.h;
    for (int i = 0; i < VOX_WINOGRAD_POINTS; i++) {
        const int d = i < r->points[0] ? s.d + i * g->dilation[0] : s.d;
        s.plane[i] = s.inside ? s.x + vox_voxel_at(&g->x, d, s.h, 0) : NULL;
    }
    return s;
}

/* A column that reaches out of x along D or H, with zeros there: to[i][j] as plane i, row j. */
static inline void vox_column_gather(const vox_tile_rows *s, int w,
                                     float (*to)[VOX_WINOGRAD_POINTS * VOX_BLOCK]) {
    const vox_winograd *g = s->r->g;
    for (int i = 0; i < s->r->points[0]; i++)
        for (int j = 0; j < s->r->points[1]; j++) {
            const int d = s->d + i * g->dilation[0], h = s->h + j * g->dilation[1];
            const int inside = d >= 0 && d < g->x.d && h >= 0 && h < g->x.h;
            const vox_b16 zero = {0};
            vox_store_b16(to[i] + j * VOX_BLOCK,
                          inside ? vox_load_b16(s->x + vox_voxel_at(&g->x, d, h, w)) : zero);
        }
}

/* The same, and the column of any tile, normalised. */
VOX_NOINLINE void vox_column_normalise(const vox_tile_rows *s, int w,
                                       float (*to)[VOX_WINOGRAD_POINTS * VOX_BLOCK]) {
    const vox_winograd *g = s->r->g;
    const int rows = s->r->points[1];
    for (int lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
        const vox_terms_v terms = vox_terms_load(s->terms, lane);
        for (int i = 0; i < s->r->points[0]; i++) {
            const int d = s->d + i * g->dilation[0], deep = d >= 0 && d < g->x.d;
            const float *x = s->x + lane + (deep ? vox_voxel_at(&g->x, d, 0, w) : 0);
            for (int j = 0; j < rows; j++) {
                const int h = s->h + j * g->dilation[1], inside = deep && h >= 0 && h < g->x.h;
                const float *at = x + (ptrdiff_t)(inside ? h : 0) * g->x.w * VOX_BLOCK;
                vox_prefetch(at, VOX_COLUMN_AHEAD * VOX_BLOCK);
                vox_store(to[i] + j * VOX_BLOCK + lane,
                          inside ? vox_terms_apply(terms, vox_load(at)) : vox_zero());
            }
        }
    }
}

/* Axes D and H of the column at w. */
static inline void vox_column_fill(const vox_tile_rows *s, int w, float *to) {
    const vox_winograd_run *r = s->r;
    const vox_dims *x = &r->g->x;
    const float *plane[VOX_WINOGRAD_POINTS];
    if (w < 0 || w >= x->w) {
        memset(to, 0, (size_t)(r->points[0] * r->points[1] * VOX_BLOCK) * sizeof *to);
    } else if (s->inside && !s->terms) {
        for (int i = 0; i < VOX_WINOGRAD_POINTS; i++) plane[i] = s->plane[i] + (ptrdiff_t)w * VOX_BLOCK;
        r->columns(plane, (ptrdiff_t)r->g->dilation[1] * x->w * VOX_BLOCK, to);
    } else {
        float edge[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS * VOX_BLOCK] __attribute__((aligned(64)));
        s->terms ? vox_column_normalise(s, w, edge) : vox_column_gather(s, w, edge);
        for (int i = 0; i < VOX_WINOGRAD_POINTS; i++) plane[i] = edge[i < r->points[0] ? i : 0];
        r->columns(plane, VOX_BLOCK, to);
    }
}

/* `n` tiles along W from tile number `at` on, one block, to v: points `step` floats apart, tiles 16. Columns
 * that two tiles share (dilation 1) are transformed once. */
static inline void vox_tile_row(const vox_tile_rows *s, int at, int n, float *v, ptrdiff_t step) {
    enum { COLUMN = VOX_WINOGRAD_POINTS * VOX_WINOGRAD_POINTS * VOX_BLOCK };
    float ring[VOX_WINOGRAD_POINTS][COLUMN] __attribute__((aligned(64)));
    const vox_winograd *g = s->r->g;
    const int points = s->r->points[2], count = s->r->points[0] * s->r->points[1];
    for (int i = 0, start = 0; i < n; i++, v += VOX_BLOCK) {
        const int w = vox_tile_begin(g, 2, at + i) - g->pad[2];
        const float *column[VOX_WINOGRAD_POINTS] = {0};
        for (int c = 0; c < points; c++) {
            float *to = ring[(start + c) % points];
            if (i == 0 || g->dilation[2] > 1 || c >= 2) vox_column_fill(s, w + c * g->dilation[2], to);
            column[c] = to;
        }
        (points == 4 ? vox_row_points_4 : vox_row_points_6)(count, column, v, step);
        start = (start + points - 2) % points;
    }
}

/* Tiles [begin, begin + n), input blocks [block, last) to v, which is laid out for `tiles` tiles. */
static inline void vox_winograd_in(const vox_winograd_run *r, int begin, int n, int block, int last, float *v,
                                   int tiles) {
    for (int i = 0, run; i < n; i += run) {
        const int at = (begin + i) % r->tiles[2];
        const vox_tile t = vox_tile_of(r, begin + i);
        run = vox_min_int(n - i, r->tiles[2] - at);
        for (int b = block; b < last; b++) {
            vox_tile_rows s = vox_tile_rows_of(r, &t, b);
            vox_terms terms;
            if (r->around && r->around->terms) {
                terms = vox_terms_of(r->around, t.n, b * VOX_BLOCK, r->g->x.c);
                s.terms = &terms;
            }
            vox_tile_row(&s, at, run, v + ((ptrdiff_t)b * tiles + i) * VOX_BLOCK,
                         vox_point_floats(r->blocks_in, tiles));
        }
    }
}

/* Equal batches, at least four per lane unless they would be narrower than the register tile, and a multiple
 * of VOX_EVEN: of 17, one of two threads would do nine, which takes 6 % longer; 20 narrower ones cost no more
 * than 17. */
static inline void vox_winograd_split(vox_winograd_run *r) {
    const int narrow = vox_max_int(vox_parts(r->total, VOX_TILE_W), 1), lanes = vox_max_int(r->g->lanes, 1);
    const int items =
        vox_max_int(vox_parts(r->total, r->g->batch), vox_min_int(narrow, lanes > 1 ? 4 * lanes : 1));
    const int even = vox_parts(items, VOX_EVEN) * VOX_EVEN;
    r->items = lanes > 1 && items > 1 && even <= r->total ? even : items;
    r->batch = vox_parts(r->total, r->items);
}

static inline vox_winograd_run vox_winograd_run_of(const vox_winograd *g, int begin, int end) {
    vox_winograd_run r = {.g = g, .first = vox_tiles_below(g, 0, begin)};
    for (int a = 0; a < 3; a++) r.points[a] = g->tile[a] + 2;
    r.count = r.points[0] * r.points[1] * r.points[2];
    r.tiles[0] = vox_tiles_below(g, 0, end) - r.first;
    r.tiles[1] = vox_tiles_below(g, 1, g->y.h), r.tiles[2] = vox_tiles_below(g, 2, g->y.w);
    r.total = g->y.n * r.tiles[0] * r.tiles[1] * r.tiles[2];
    r.blocks_in = vox_parts(g->x.c, VOX_BLOCK), r.blocks_out = vox_parts(g->y.c, VOX_BLOCK);
    r.columns = vox_column_for(r.points[0], r.points[1]);
    r.planes = vox_plane_for(r.points[1], r.points[2]);
    r.skip_dims = vox_skip_dims(&g->y, g->skip_ring);
    vox_winograd_split(&r);
    return r;
}

/* ---- M to outputs ---------------------------------------------------------------------------- */

/* A box of the output that is written somewhere: y itself, or crop. */
typedef struct vox_winograd_box {
    const vox_dims *dims;
    const int *begin; /* in y */
    float *to;
} vox_winograd_box;

/* The outputs of a tile that lie in the box, from `tile` ([d][h][w][16]). */
static inline void vox_tile_copy(const vox_winograd_run *r, const vox_winograd_box *box, const vox_tile *t,
                                 int block, const float *tile) {
    const vox_winograd *g = r->g;
    const vox_dims *to = box->dims;
    float *at = box->to + vox_block_at(to, t->n, block);
    for (int i = 0; i < g->tile[0]; i++)
        for (int j = 0; j < g->tile[1]; j++)
            for (int k = 0; k < g->tile[2]; k++, tile += VOX_BLOCK) {
                const int d = t->at[0] + i * g->dilation[0] - box->begin[0];
                const int h = t->at[1] + j * g->dilation[1] - box->begin[1];
                const int w = t->at[2] + k * g->dilation[2] - box->begin[2];
                if (d < 0 || d >= to->d || h < 0 || h >= to->h || w < 0 || w >= to->w) continue;
                vox_store_b16(at + vox_voxel_at(to, d, h, w), vox_load_b16(tile));
            }
}

/* The pooled outputs whose window lies in y, from `tile`. */
static inline void vox_tile_pool(const vox_winograd_run *r, const vox_tile *t, int block, const float *tile) {
    const vox_winograd *g = r->g;
    const vox_dims *to = &g->pool;
    const ptrdiff_t plane = (ptrdiff_t)g->tile[1] * g->tile[2] * VOX_BLOCK,
                    row = (ptrdiff_t)g->tile[2] * VOX_BLOCK;
    float *out = r->pool + vox_block_at(to, t->n, block);
    for (int i = 0; i < g->tile[0] && (t->at[0] + i) / 2 < to->d; i += 2)
        for (int j = 0; j < g->tile[1] && (t->at[1] + j) / 2 < to->h; j += 2)
            for (int k = 0; k < g->tile[2] && (t->at[2] + k) / 2 < to->w; k += 2) {
                const float *from = tile + i * plane + j * row + (ptrdiff_t)k * VOX_BLOCK;
                vox_b16 most = vox_load_b16(from);
                for (int q = 1; q < 8; q++) {
                    const vox_b16 a =
                        vox_load_b16(from + (q >> 2) * plane + (q >> 1 & 1) * row + (q & 1) * VOX_BLOCK);
                    for (int s = 0; s < VOX_NV; s++) most.v[s] = vox_max_or_nan(a.v[s], most.v[s]);
                }
                vox_store_b16(
                    out + vox_voxel_at(to, (t->at[0] + i) / 2, (t->at[1] + j) / 2, (t->at[2] + k) / 2), most);
            }
}

/* 1: the whole tile lies in the box that starts at begin; 0: no part of it; else -1. */
static inline int vox_tile_inside(const vox_winograd *g, const vox_tile *t, const vox_dims *box,
                                  const int *begin) {
    const int extent[3] = {box->d, box->h, box->w};
    int inside = 1;
    for (int a = 0; a < 3; a++) {
        const int first = t->at[a] - begin[a], last = first + (g->tile[a] - 1) * g->dilation[a];
        if (last < 0 || first >= extent[a]) return 0;
        if (first < 0 || last >= extent[a]) inside = -1;
    }
    return inside;
}

/* Straight to y and pool: for tiles that lie inside both, as most do. */
static inline vox_tile_out vox_tile_out_of(const vox_winograd_run *r, const vox_tile *t, int block) {
    const vox_winograd *g = r->g;
    vox_tile_out o = {.row = (ptrdiff_t)g->dilation[1] * g->y.w * VOX_BLOCK,
                      .col = (ptrdiff_t)g->dilation[2] * VOX_BLOCK,
                      .pool_row = (ptrdiff_t)g->pool.w * VOX_BLOCK};
    float *y = g->store ? r->y + vox_block_at(&g->y, t->n, block) : NULL;
    float *pool = g->pool.c > 0 ? r->pool + vox_block_at(&g->pool, t->n, block) : NULL;
    for (int i = 0; y && i < g->tile[0]; i++)
        o.y[i] = y + vox_voxel_at(&g->y, t->at[0] + i * g->dilation[0], t->at[1], t->at[2]);
    for (int i = 0; pool && i < g->tile[0] / 2; i++)
        o.pool[i] = pool + vox_voxel_at(&g->pool, t->at[0] / 2 + i, t->at[1] / 2, t->at[2] / 2);
    return o;
}

/* What is added to a tile's outputs, [d][h][w][16]; zeros beside y. */
static inline void vox_tile_gather(const vox_winograd_run *r, const vox_tile *t, int block, float *to) {
    const vox_winograd *g = r->g;
    const float *from = r->skip + vox_block_at(&r->skip_dims, t->n, block);
    for (int i = 0; i < g->tile[0]; i++)
        for (int j = 0; j < g->tile[1]; j++)
            for (int k = 0; k < g->tile[2]; k++, to += VOX_BLOCK) {
                const int d = t->at[0] + i * g->dilation[0], h = t->at[1] + j * g->dilation[1],
                          w = t->at[2] + k * g->dilation[2];
                const vox_b16 zero = {0};
                const int inside = d < g->y.d && h < g->y.h && w < g->y.w;
                vox_store_b16(to, inside ? vox_load_b16(from + vox_voxel_at(&r->skip_dims, d, h, w)) : zero);
            }
}
/* Straight from the skip where the whole tile lies inside; else, and where y overwrites the skip, which a
 * tile that is not finite needs again, from a copy. */
static inline void vox_tile_skip_of(const vox_winograd_run *r, const vox_tile *t, int block, int inside,
                                    float *copy, vox_tile_out *o) {
    const vox_winograd *g = r->g;
    const float *skip = r->skip + vox_block_at(&r->skip_dims, t->n, block);
    const int direct = inside && r->skip != r->y;
    o->skip_row = (direct ? (ptrdiff_t)g->dilation[1] * g->y.w : g->tile[2]) * VOX_BLOCK;
    o->skip_col = (direct ? g->dilation[2] : 1) * VOX_BLOCK;
    if (!direct) vox_tile_gather(r, t, block, copy);
    for (int i = 0; i < g->tile[0]; i++)
        o->skip[i] =
            direct ? skip + vox_voxel_at(&r->skip_dims, t->at[0] + i * g->dilation[0], t->at[1], t->at[2])
                   : copy + i * g->tile[1] * o->skip_row;
}

/* By way of `tile`: for activations that are no maximum, and for tiles at an edge of y or in crop. */
static inline void vox_tile_finish(const vox_winograd_run *r, const vox_tile *t, int block, float *tile) {
    static const int origin[3] = {0};
    const vox_winograd *g = r->g;
    const vox_winograd_box y = {&g->y, origin, r->y}, crop = {&g->crop, g->crop_begin, r->crop};
    if (g->ep.act != VOX_ACT_NONE && g->ep.act != VOX_ACT_RELU)
        vox_activate_blocks(&g->ep, r->slope ? r->slope + (ptrdiff_t)block * VOX_BLOCK : NULL, tile, tile,
                            g->tile[0] * g->tile[1] * g->tile[2]);
    if (g->store) vox_tile_copy(r, &y, t, block, tile);
    if (g->crop.c > 0) vox_tile_copy(r, &crop, t, block, tile);
    if (g->pool.c > 0) vox_tile_pool(r, t, block, tile);
}

/* ---- tiles that are not finite --------------------------------------------------------------- */

/* In a transformed tile one value that is not finite spoils all others. Where an output is not finite, the
 * tile is computed again, by the plain formula: then only those outputs are spoilt that a bad value belongs
 * to. */

/* Weights of one tap and input channel. From the transformed ones: along each axis the points 0 and infinity
 * are the outer taps, and points 1 and 2 differ by a multiple of the middle one (vox_weights.c). What is
 * no more than their rounding is 0, since 0 times infinity matters here. */
static inline vox_b16 vox_tap_weights(const vox_winograd_run *r, int block, int tap, int channel) {
    const ptrdiff_t ic = r->g->x.c;
    const int k[3] = {tap / 9, tap / 3 % 3, tap % 3};
    static const float NOISE = 4e-7f;
    vox_b16 sum = {0}, size = {0};
    float scale = 1;
    for (int a = 0; a < 3; a++)
        if (k[a] == 1 && r->points[a] == 6) scale *= (float)(-65.0 / 54);
    if (r->w) return vox_load_b16(r->w + (((ptrdiff_t)block * 27 + tap) * ic + channel) * VOX_BLOCK);
    for (int corner = 0; corner < 8; corner++) {
        ptrdiff_t point = block;
        float factor = 1;
        for (int a = 0; a < 3; a++) {
            const int second = corner >> a & 1, middle = k[a] == 1, points = r->points[a];
            point = point * points + (middle ? 1 + second : k[a] / 2 * (points - 1));
            if (second) factor *= middle ? -1.0f : 0.0f;
        }
        if (factor == 0) continue;
        const vox_b16 u = vox_load_b16(r->u + (point * ic + channel) * VOX_BLOCK);
        for (int s = 0; s < VOX_NV; s++) {
            sum.v[s] = vox_fma(vox_set(factor), u.v[s], sum.v[s]);
            size.v[s] += vox_abs(u.v[s]);
        }
    }
    for (int s = 0; s < VOX_NV; s++) {
        const vox_vi counts = vox_abs(sum.v[s]) > vox_set(NOISE) * size.v[s];
        sum.v[s] = vox_select(counts, vox_set(scale) * sum.v[s], vox_zero());
    }
    return sum;
}

/* Adds what n channels of x, from `x` (a block) on, give to a tile through one tap; terms: normalised on
 * load. */
static inline void vox_tile_add_tap(const vox_winograd_run *r, const vox_tile *t, int tap, int n,
                                    const float *x, const vox_terms *terms, const vox_b16 *w, float *tile) {
    const vox_winograd *g = r->g;
    for (int o = 0; o < g->tile[0] * g->tile[1] * g->tile[2]; o++, tile += VOX_BLOCK) {
        const int id = t->at[0] + (o / g->tile[2] / g->tile[1] + tap / 9) * g->dilation[0] - g->pad[0];
        const int ih = t->at[1] + (o / g->tile[2] % g->tile[1] + tap / 3 % 3) * g->dilation[1] - g->pad[1];
        const int iw = t->at[2] + (o % g->tile[2] + tap % 3) * g->dilation[2] - g->pad[2];
        if (id < 0 || id >= g->x.d || ih < 0 || ih >= g->x.h || iw < 0 || iw >= g->x.w) continue;
        const float *from = x + vox_voxel_at(&g->x, id, ih, iw);
        float normal[VOX_BLOCK];
        if (terms) vox_terms_run(terms, from, normal, 1), from = normal;
        vox_b16 sum = vox_load_b16(tile);
        for (int c = 0; c < n; c++)
            for (int s = 0; s < VOX_NV; s++) sum.v[s] = vox_fma(vox_set(from[c]), w[c].v[s], sum.v[s]);
        vox_store_b16(tile, sum);
    }
}

/* A tile by the plain formula, with bias, skip and relu as vox_depth_outputs: tile: [d][h][w][16]. */
VOX_NOINLINE void vox_tile_plain(const vox_winograd_run *r, const vox_tile *t, int block, const float *b,
                                 float low, const vox_tile_out *o, float *tile) {
    const vox_winograd *g = r->g;
    const int floats = g->tile[0] * g->tile[1] * g->tile[2] * VOX_BLOCK;
    memset(tile, 0, (size_t)floats * sizeof *tile);
    for (int i = 0; i < g->x.c; i += VOX_BLOCK) {
        const int n = vox_min_int(VOX_BLOCK, g->x.c - i), normal = r->around && r->around->terms;
        vox_terms terms;
        if (normal) terms = vox_terms_of(r->around, t->n, i, g->x.c);
        for (int tap = 0; tap < 27; tap++) {
            vox_b16 w[VOX_BLOCK];
            for (int c = 0; c < n; c++) w[c] = vox_tap_weights(r, block, tap, i + c);
            vox_tile_add_tap(r, t, tap, n, r->x + vox_block_at(&g->x, t->n, i / VOX_BLOCK),
                             normal ? &terms : NULL, w, tile);
        }
    }
    for (int i = 0; i < floats; i += VOX_VL) {
        const int k = i / VOX_BLOCK % g->tile[2], j = i / VOX_BLOCK / g->tile[2] % g->tile[1];
        const float *skip = o->skip[i / VOX_BLOCK / g->tile[2] / g->tile[1]];
        vox_v add = vox_load(b + i % VOX_BLOCK);
        if (skip) add += vox_load(skip + j * o->skip_row + k * o->skip_col + i % VOX_BLOCK);
        vox_store(tile + i, vox_max(vox_set(low), vox_load(tile + i) + add));
    }
}

/* ---- a tile is done -------------------------------------------------------------------------- */

/* Adds what the tile left in y to the item's sums. */
static inline void vox_tile_sum(const vox_winograd_run *r, const vox_tile *t, int block) {
    const vox_winograd *g = r->g;
    const int size[3] = {g->y.d, g->y.h, g->y.w};
    const ptrdiff_t row = (ptrdiff_t)g->y.w * VOX_BLOCK;
    const ptrdiff_t step[3] = {g->dilation[0] * g->y.h * row, g->dilation[1] * row,
                               (ptrdiff_t)g->dilation[2] * VOX_BLOCK};
    int extent[3];
    for (int a = 0; a < 3; a++)
        extent[a] = vox_min_int(g->tile[a], vox_parts(size[a] - t->at[a], g->dilation[a]));
    vox_sums_box(r->y + vox_block_at(&g->y, t->n, block) + vox_voxel_at(&g->y, t->at[0], t->at[1], t->at[2]),
                 extent, step, r->sums + (ptrdiff_t)block * VOX_SUMS);
}

/* One tile and block, after axes H and W: half: [points along D][outputs of H][outputs of W][16]. */
static inline void vox_tile_put(const vox_winograd_run *r, const vox_tile *t, int block, const float *half) {
    enum { OUT = VOX_WINOGRAD_POINTS - 2 };
    static const float zeros[VOX_BLOCK] __attribute__((aligned(64)));
    static const int origin[3] = {0};
    float tile[OUT * OUT * OUT * VOX_BLOCK] __attribute__((aligned(64)));
    float copy[OUT * OUT * OUT * VOX_BLOCK] __attribute__((aligned(64)));
    const vox_winograd *g = r->g;
    const int h = g->tile[1], w = g->tile[2], simple = g->ep.act == VOX_ACT_NONE || g->ep.act == VOX_ACT_RELU;
    const int inside = vox_tile_inside(g, t, &g->y, origin) == 1;
    const int direct =
        simple && inside && (g->crop.c == 0 || vox_tile_inside(g, t, &g->crop, g->crop_begin) == 0);
    vox_tile_out o = {.row = (ptrdiff_t)w * VOX_BLOCK, .col = VOX_BLOCK};
    if (direct) o = vox_tile_out_of(r, t, block);
    if (direct && !o.y[0] && !o.pool[0]) return; /* nothing but a crop is written, and it is elsewhere */
    for (int i = 0; !direct && i < g->tile[0]; i++) o.y[i] = tile + i * h * o.row;
    if (r->skip) vox_tile_skip_of(r, t, block, inside, copy, &o);
    const float *b = r->b ? r->b + (ptrdiff_t)block * VOX_BLOCK : zeros;
    const float low = g->ep.act == VOX_ACT_RELU ? 0.0f : -INFINITY;
    const int finite = vox_depth_for(g->tile[0], r->skip != NULL)(h, w, half, b, low, &o);
    if (!finite) vox_tile_plain(r, t, block, b, low, &o, tile);
    if (!direct || !finite) vox_tile_finish(r, t, block, tile);
    if (r->sums) vox_tile_sum(r, t, block);
}

#endif
