/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_tile.h: which tiles a range of output planes has, from their inputs to V, and from products to
 * what is stored, cropped and pooled. Shared by vox_winograd.h and vox_winograd_deep.h.
 */
#ifndef VOX_WINOGRAD_TILE_H
#define VOX_WINOGRAD_TILE_H

#include "vox_around.h"
#include "vox_conv_tile.h"
#include "vox_winograd_rare.h"
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
    const float *signs; /* of the weights, from block signs_from on: [IC][2][16]; NULL: from w */
    int signs_from;
    float *y, *crop, *pool, *v, *m;
    const vox_around *around; /* NULL: nothing */
    double *sums;             /* slot of the item, if y's sums are gathered */
    int wary;                 /* 1: the item before had tiles that are not finite */
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
    const vox_scale *scale;                  /* not NULL: rare tiles, whose inputs are tamed */
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

/* As vox_column_fill, of rare tiles. */
VOX_NOINLINE void vox_column_fill_rare(const vox_tile_rows *s, int w, float *to) {
    const vox_winograd_run *r = s->r;
    float tamed[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS * VOX_BLOCK] __attribute__((aligned(64)));
    const ptrdiff_t row = (ptrdiff_t)r->g->dilation[1] * r->g->x.w * VOX_BLOCK;
    const int direct = s->inside && !s->terms;
    const float *plane[VOX_WINOGRAD_POINTS];
    if (!direct) s->terms ? vox_column_normalise(s, w, tamed) : vox_column_gather(s, w, tamed);
    for (int i = 0; i < r->points[0]; i++)
        for (int j = 0; j < r->points[1]; j++)
            for (int l = 0; l < VOX_BLOCK; l += VOX_VL) {
                float *at = tamed[i] + j * VOX_BLOCK + l;
                const float *from = direct ? s->plane[i] + (ptrdiff_t)w * VOX_BLOCK + j * row + l : at;
                vox_store(at, vox_tame(vox_load(from), s->scale));
            }
    for (int i = 0; i < VOX_WINOGRAD_POINTS; i++) plane[i] = tamed[i < r->points[0] ? i : 0];
    r->columns(plane, VOX_BLOCK, to);
}

/* Axes D and H of the column at w. */
static inline void vox_column_fill(const vox_tile_rows *s, int w, float *to) {
    const vox_winograd_run *r = s->r;
    const vox_dims *x = &r->g->x;
    const float *plane[VOX_WINOGRAD_POINTS];
    if (w < 0 || w >= x->w) {
        memset(to, 0, (size_t)(r->points[0] * r->points[1] * VOX_BLOCK) * sizeof *to);
    } else if (s->scale) {
        vox_column_fill_rare(s, w, to);
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

/* Tiles [begin, begin + n), input blocks [block, last) to v: blocks are v_block floats apart, points v_point.
 * scale: not NULL, they are rare. */
static inline void vox_winograd_fill(const vox_winograd_run *r, int begin, int n, int block, int last,
                                     const vox_scale *scale, float *v, ptrdiff_t v_block, ptrdiff_t v_point) {
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
            s.scale = scale;
            vox_tile_row(&s, at, run, v + (b - block) * v_block + (ptrdiff_t)i * VOX_BLOCK, v_point);
        }
    }
}
/* The same, not rare, where v is laid out for `tiles` tiles. */
static inline void vox_winograd_in(const vox_winograd_run *r, int begin, int n, int block, int last, float *v,
                                   int tiles) {
    const ptrdiff_t v_block = (ptrdiff_t)tiles * VOX_BLOCK;
    vox_winograd_fill(r, begin, n, block, last, NULL, v + block * v_block, v_block,
                      vox_point_floats(r->blocks_in, tiles));
}

/* Equal batches, at least four per lane unless they would be narrower than the register tile, and a multiple
 * of VOX_EVEN: of 17, one of two threads would do nine, which takes 6 % longer; 20 narrower ones cost no more
 * than 17. */
static inline void vox_winograd_split(vox_winograd_run *r) {
    const int narrow = vox_max_int(vox_parts(r->total, VOX_TILE_W), 1), lanes = vox_max_int(r->g->lanes, 1);
    const int items = vox_max_int(vox_parts(r->total, vox_min_int(r->g->batch, VOX_BATCH_MOST)),
                                  vox_min_int(narrow, lanes > 1 ? 4 * lanes : 1));
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
 * rare tile needs again, from a copy. */
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

/* One tile and block, after axes H and W: half: [points along D][outputs of H][outputs of W][16]. Returns 0
 * where a sum is not finite: then what is stored means nothing, and the tile is a rare one. */
static inline int vox_tile_put(const vox_winograd_run *r, const vox_tile *t, int block, const float *half) {
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
    if (direct && !o.y[0] && !o.pool[0]) return 1; /* nothing but a crop is written, and it is elsewhere */
    for (int i = 0; !direct && i < g->tile[0]; i++) o.y[i] = tile + i * h * o.row;
    if (r->skip) vox_tile_skip_of(r, t, block, inside, copy, &o);
    const float *b = r->b ? r->b + (ptrdiff_t)block * VOX_BLOCK : zeros;
    const float low = g->ep.act == VOX_ACT_RELU ? 0.0f : -INFINITY;
    if (!vox_depth_for(g->tile[0], r->skip != NULL)(h, w, half, b, low, &o)) {
        const vox_winograd_box skip = {&r->skip_dims, origin, r->y};
        if (direct && r->skip && r->skip == r->y) vox_tile_copy(r, &skip, t, block, copy);
        return 0;
    }
    if (!direct) vox_tile_finish(r, t, block, tile);
    if (r->sums) vox_tile_sum(r, t, block);
    return 1;
}

/* ---- rare tiles ------------------------------------------------------------------------------ */

typedef enum vox_tile_kind {
    VOX_TILE_ORDINARY,
    VOX_TILE_LARGE,  /* inputs are finite, but sums overflow */
    VOX_TILE_SPOILT, /* an input is not finite */
    VOX_TILE_NAN     /* every output is NaN */
} vox_tile_kind;
/* What an item knows of one of its tiles. */
typedef struct vox_rare {
    uint64_t nan; /* outputs [d][h][w], a bit each, to which a NaN belongs */
    unsigned char kind;
    unsigned char blocks;   /* bits: those that are still to be put, of the item's pair */
    unsigned char infinite; /* 1: inputs are */
    unsigned char more;     /* 1: shift is the most */
    short shift;
} vox_rare;

/* One block of a tile's inputs. */
typedef struct vox_tile_block {
    const vox_winograd_run *r;
    const float *x;           /* at the block */
    int from[3], first, last; /* of input (0, 0, 0); inputs along W that lie in x */
    int normal;               /* 1: with these terms */
    vox_terms terms;
    int32_t lanes[VOX_BLOCK]; /* all ones where there is a channel */
} vox_tile_block;

static inline vox_tile_block vox_tile_block_of(const vox_winograd_run *r, const vox_tile *t, int block) {
    const vox_winograd *g = r->g;
    vox_tile_block b = {.r = r, .x = r->x + vox_block_at(&g->x, t->n, block)};
    for (int a = 0; a < 3; a++) b.from[a] = t->at[a] - g->pad[a];
    b.first = b.from[2] < 0 ? vox_parts(-b.from[2], g->dilation[2]) : 0;
    b.last = vox_min_int(r->points[2], vox_parts(vox_max_int(g->x.w - b.from[2], 0), g->dilation[2]));
    b.normal = r->around && r->around->terms;
    if (b.normal) b.terms = vox_terms_of(r->around, t->n, block * VOX_BLOCK, g->x.c);
    for (int l = 0; l < VOX_BLOCK; l++) b.lanes[l] = block * VOX_BLOCK + l < g->x.c ? -1 : 0;
    return b;
}
/* Row (i, j) of voxels along W, channels from `lane` on: 0 in the padding and where there is no channel.
 * Returns whether all are finite; most: the largest of the finite ones, if so. */
VOX_INLINE int vox_row_read(const vox_tile_block *b, int i, int j, int lane, vox_v *in, vox_v *most) {
    const vox_winograd *g = b->r->g;
    const int d = b->from[0] + i * g->dilation[0], h = b->from[1] + j * g->dilation[1];
    const int inside = d >= 0 && d < g->x.d && h >= 0 && h < g->x.h;
    const float *x =
        b->x + (inside ? vox_voxel_at(&g->x, d, h, 0) + (ptrdiff_t)b->from[2] * VOX_BLOCK : 0) + lane;
    const vox_vi mask = vox_load_int(b->lanes + lane);
    vox_v bad = vox_zero(), largest = *most;
    for (int k = 0; k < VOX_WINOGRAD_POINTS; k++) in[k] = vox_zero();
    for (int k = b->first; inside && k < b->last; k++) {
        vox_v v = vox_load(x + (ptrdiff_t)k * g->dilation[2] * VOX_BLOCK);
        if (b->normal) v = vox_terms_apply(vox_terms_load(&b->terms, lane), v);
        in[k] = v = (vox_v)((vox_vi)v & mask);
        largest = vox_max(vox_abs(v), largest);
        bad = vox_fma(v, vox_zero(), bad);
    }
    const int finite = !vox_any_nan(bad);
    if (finite) *most = largest;
    return finite;
}

/* What is seen of a tile's inputs. */
typedef struct vox_look {
    vox_v most;           /* the largest of the finite ones, lane by lane */
    int infinite, spoilt; /* some are; some are not finite */
    unsigned char nan[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS]; /* rows of voxels, a bit for each column */
} vox_look;

/* A row of voxels, of which some value is not finite. */
VOX_INLINE void vox_row_look(const vox_v *in, int i, int j, vox_look *look) {
    vox_vi nan = {0}, infinite = {0};
    VOX_UNROLL
    for (int k = 0; k < VOX_WINOGRAD_POINTS; k++) {
        const vox_v size = vox_abs(in[k]);
        const vox_vi is_infinite = size == vox_set(INFINITY);
        nan |= in[k] != in[k], infinite |= is_infinite;
        look->most = vox_max((vox_v)(~is_infinite & (vox_vi)size), look->most);
    }
    look->spoilt = 1, look->infinite |= vox_bits(infinite) != 0;
    for (int k = 0; vox_bits(nan) && k < VOX_WINOGRAD_POINTS; k++)
        if (vox_any_nan(in[k])) look->nan[i][j] |= (unsigned char)(1 << k);
}
VOX_NOINLINE vox_look vox_tile_see(const vox_winograd_run *r, const vox_tile *t) {
    vox_look look = {.spoilt = 0};
    for (int block = 0; block < r->blocks_in; block++) {
        const vox_tile_block b = vox_tile_block_of(r, t, block);
        for (int i = 0; i < r->points[0]; i++)
            for (int j = 0; j < r->points[1]; j++)
                for (int lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
                    vox_v in[VOX_WINOGRAD_POINTS];
                    if (!vox_row_read(&b, i, j, lane, in, &look.most)) vox_row_look(in, i, j, &look);
                }
    }
    return look;
}

/* The outputs that have a NaN in their window. */
static inline uint64_t vox_tile_nan(const vox_winograd_run *r, const vox_look *look) {
    const int *m = r->g->tile;
    uint64_t nan = 0;
    for (int o = 0; o < m[0] * m[1]; o++) {
        unsigned row = 0;
        for (int k = 0; k < 9; k++) row |= look->nan[o / m[1] + k / 3][o % m[1] + k % 3];
        nan |= (uint64_t)((row | row >> 1 | row >> 2) & ((1u << m[2]) - 1)) << o * m[2];
    }
    return nan;
}
/* The outputs that lie in y. */
static inline uint64_t vox_tile_in_y(const vox_winograd_run *r, const vox_tile *t) {
    const vox_winograd *g = r->g;
    uint64_t in = 0;
    for (int o = 0; o < g->tile[0] * g->tile[1] * g->tile[2]; o++) {
        const int d = t->at[0] + o / g->tile[2] / g->tile[1] * g->dilation[0],
                  h = t->at[1] + o / g->tile[2] % g->tile[1] * g->dilation[1],
                  w = t->at[2] + o % g->tile[2] * g->dilation[2];
        if (d < g->y.d && h < g->y.h && w < g->y.w) in |= (uint64_t)1 << o;
    }
    return in;
}

/* Says what kind of tile it is by its inputs. overflowed: some of its sums did. Before that is known, tiles
 * whose inputs are finite pass for ordinary ones: what is scaled may round otherwise, so it must not depend
 * on what was computed before. Where an input is not finite, some sum of every block is not. */
VOX_NOINLINE vox_rare vox_tile_look(const vox_winograd_run *r, const vox_tile *t, int overflowed) {
    const vox_look look = vox_tile_see(r, t);
    float most[VOX_VL];
    vox_store(most, look.most);
    const float largest = vox_largest(most, VOX_VL);
    vox_rare rare = {.blocks = 3, .infinite = look.infinite != 0};
    if (!overflowed && !look.spoilt) return rare;
    rare.kind = look.spoilt ? VOX_TILE_SPOILT : VOX_TILE_LARGE;
    rare.shift = (short)vox_shift_of(largest, !look.spoilt);
    rare.nan = look.spoilt ? vox_tile_nan(r, &look) : 0;
    if (rare.nan && (vox_tile_in_y(r, t) & ~rare.nan) == 0) rare.kind = VOX_TILE_NAN;
    return rare;
}

/* Sums overflow even so, which takes large weights: returns whether the inputs can be divided by more. */
static inline int vox_rare_shift(vox_rare *rare) {
    if (rare->kind == VOX_TILE_NAN || rare->more) return 0;
    rare->shift = (short)(rare->shift + VOX_SHIFT_WEIGHTS), rare->more = 1;
    return 1;
}

/* ---- infinite inputs ------------------------------------------------------------------------- */

enum { VOX_TILE_MOST = (VOX_WINOGRAD_POINTS - 2) * (VOX_WINOGRAD_POINTS - 2) * (VOX_WINOGRAD_POINTS - 2) };

/* The taps of each output that meet infinities, for some channels of a block, and which channels do. */
typedef struct vox_meeting {
    int32_t plus[VOX_TILE_MOST][VOX_VL], minus[VOX_TILE_MOST][VOX_VL];
    unsigned hit[VOX_TILE_MOST];
} vox_meeting;

/* Row (i, j) of voxels: what the taps of its outputs along W meet; returns 0, and nothing, where all is
 * finite. */
static inline int vox_row_meet(const vox_tile_block *b, int i, int j, int lane, vox_met *to) {
    vox_v in[VOX_WINOGRAD_POINTS], most = vox_zero();
    if (vox_row_read(b, i, j, lane, in, &most)) return 0;
    vox_met met[VOX_WINOGRAD_POINTS];
    for (int k = 0; k < VOX_WINOGRAD_POINTS; k++) met[k] = vox_met_by(in[k]);
    for (int k = 0; k < VOX_WINOGRAD_POINTS - 2; k++) to[k] = vox_met_join(met[k], met[k + 1], met[k + 2], 1);
    return 1;
}
/* Joins three rows of outputs along W, whose taps lie `bits` apart; those that are not `hot` meet nothing. */
VOX_INLINE void vox_rows_meet(const vox_met *a, const vox_met *b, const vox_met *c, const int hot,
                              const int bits, vox_met *to) {
    for (int k = 0; k < VOX_WINOGRAD_POINTS - 2; k++) {
        vox_met met = {{0}, {0}};
        if (hot & 1) met = a[k];
        if (hot & 2) met.plus |= b[k].plus << bits, met.minus |= b[k].minus << bits;
        if (hot & 4) met.plus |= c[k].plus << 2 * bits, met.minus |= c[k].minus << 2 * bits;
        to[k] = met;
    }
}
/* Returns the outputs that meet any. */
VOX_NOINLINE uint64_t vox_tile_meet(const vox_tile_block *b, int lane, vox_meeting *to) {
    enum { P = VOX_WINOGRAD_POINTS, OUT = P - 2 };
    vox_met rows[P][OUT], columns[OUT][P][OUT], met[OUT];
    const int *n = b->r->points, *m = b->r->g->tile;
    unsigned hot[OUT] = {0}; /* [j]: a bit for each i of columns */
    uint64_t any = 0;
    for (int i = 0; i < n[0]; i++) {
        int row = 0;
        for (int j = 0; j < n[1]; j++) row |= vox_row_meet(b, i, j, lane, rows[j]) << j;
        for (int j = 0; j < m[1]; j++) {
            if (!(row >> j & 7)) continue;
            hot[j] |= 1u << i;
            vox_rows_meet(rows[j], rows[j + 1], rows[j + 2], row >> j & 7, 3, columns[j][i]);
        }
    }
    for (int i = 0, o = 0; i < m[0]; i++)
        for (int j = 0; j < m[1]; j++) {
            const int window = (int)(hot[j] >> i & 7);
            if (window) vox_rows_meet(columns[j][i], columns[j][i + 1], columns[j][i + 2], window, 9, met);
            for (int k = 0; k < m[2]; k++, o++) {
                to->hit[o] = window ? vox_bits((met[k].plus | met[k].minus) != 0) : 0;
                if (!to->hit[o]) continue;
                any |= (uint64_t)1 << o;
                vox_store_int(to->plus[o], met[k].plus), vox_store_int(to->minus[o], met[k].minus);
            }
        }
    return any;
}

/* Signs of the weights from one input channel to a block, [2][16]: bits of taps whose weight is >= 0, and <=
 * 0; in `room` where there is no table of them. */
static inline const float *vox_tile_signs(const vox_winograd_run *r, int block, int channel, float *room) {
    const ptrdiff_t ic = r->g->x.c;
    if (r->signs) return r->signs + ((block - r->signs_from) * ic + channel) * 2 * VOX_BLOCK;
    for (int lane = 0; lane < VOX_BLOCK; lane += VOX_VL) {
        vox_vi above = {0}, below = {0};
        for (int tap = 0; tap < 27; tap++) {
            const vox_v w = vox_load(r->w + ((block * 27 + tap) * ic + channel) * VOX_BLOCK + lane);
            above |= (w >= vox_zero()) & vox_set_int(1 << tap);
            below |= (w <= vox_zero()) & vox_set_int(1 << tap);
        }
        vox_store_int(room + lane, above), vox_store_int(room + VOX_BLOCK + lane, below);
    }
    return room;
}

/* Of a tile's outputs in one block: lanes that get plus, and minus, infinity (a bit each). */
typedef struct vox_spoils {
    uint16_t plus[VOX_TILE_MOST], minus[VOX_TILE_MOST];
    uint64_t left; /* outputs that are not NaN in all lanes yet */
} vox_spoils;

/* Adds what output o meets of some channels. */
static inline void vox_output_meet(const vox_meeting *met, int o, const float *const *signs, vox_spoils *to) {
    vox_ends ends[VOX_NV] = {{{0}, {0}}};
    unsigned plus = 0, minus = 0;
    for (unsigned hit = met->hit[o]; hit; hit &= hit - 1) {
        const int c = __builtin_ctz(hit);
        const vox_met at = {vox_set_int(met->plus[o][c]), vox_set_int(met->minus[o][c])};
        VOX_UNROLL
        for (int v = 0; v < VOX_NV; v++)
            ends[v] = vox_ends_add(ends[v], at, vox_load_int(signs[c] + v * VOX_VL),
                                   vox_load_int(signs[c] + VOX_BLOCK + v * VOX_VL));
    }
    VOX_UNROLL
    for (int v = 0; v < VOX_NV; v++) {
        plus |= vox_bits(ends[v].plus != 0) << v * VOX_VL;
        minus |= vox_bits(ends[v].minus != 0) << v * VOX_VL;
    }
    to->plus[o] |= (uint16_t)plus, to->minus[o] |= (uint16_t)minus;
    if ((to->plus[o] & to->minus[o]) == 0xffff) to->left &= ~((uint64_t)1 << o);
}

/* What infinite inputs make of a tile's outputs in `blocks` blocks. */
VOX_NOINLINE void vox_tile_spoil(const vox_winograd_run *r, const vox_tile *t, int block, int blocks,
                                 const vox_rare *rare, vox_spoils *to) {
    vox_meeting met;
    float room[VOX_VL][2 * VOX_BLOCK];
    const uint64_t all = rare->infinite ? ~rare->nan : 0;
    memset(to, 0, (size_t)blocks * sizeof *to);
    for (int b = 0; b < blocks; b++) to[b].left = all;
    for (int from = 0; from < r->g->x.c && all; from += VOX_VL) {
        const vox_tile_block in = vox_tile_block_of(r, t, from / VOX_BLOCK);
        const uint64_t any = vox_tile_meet(&in, from % VOX_BLOCK, &met);
        uint64_t left = 0;
        for (int b = 0; b < blocks; b++) {
            const float *signs[VOX_VL];
            for (int c = 0; (any & to[b].left) && c < vox_min_int(VOX_VL, r->g->x.c - from); c++)
                signs[c] = vox_tile_signs(r, block + b, from + c, room[c]);
            for (uint64_t o = any & to[b].left; o; o &= o - 1)
                vox_output_meet(&met, __builtin_ctzll(o), signs, &to[b]);
            left |= to[b].left;
        }
        if (!left) break;
    }
}
/* The outputs with that, and NaN. tile: the sums of the finite terms, [d][h][w][16]. */
static inline void vox_tile_spoilt(const vox_winograd_run *r, const vox_rare *rare, const vox_spoils *spoils,
                                   float *tile) {
    const int *m = r->g->tile;
    int32_t bit[VOX_BLOCK];
    for (int l = 0; l < VOX_BLOCK; l++) bit[l] = 1 << l;
    for (int o = 0; o < m[0] * m[1] * m[2]; o++)
        for (int l = 0; l < VOX_BLOCK; l += VOX_VL, tile += VOX_VL) {
            const vox_vi lanes = vox_load_int(bit + l);
            const vox_ends e = {vox_set_int(spoils->plus[o]) & lanes, vox_set_int(spoils->minus[o]) & lanes};
            vox_store(tile, rare->nan >> o & 1 ? vox_set(NAN) : vox_ends_apply(e, vox_load(tile)));
        }
}

/* ---- a rare tile is done --------------------------------------------------------------------- */

/* Adds bias and skip to a tile's sums, and applies relu. */
static inline void vox_tile_add(const vox_winograd_run *r, int block, const vox_tile_out *o, float *tile) {
    const vox_winograd *g = r->g;
    const vox_v low = vox_set(g->ep.act == VOX_ACT_RELU ? 0.0f : -INFINITY);
    for (int i = 0; i < g->tile[0] * g->tile[1] * g->tile[2] * VOX_BLOCK; i += VOX_VL) {
        const int k = i / VOX_BLOCK % g->tile[2], j = i / VOX_BLOCK / g->tile[2] % g->tile[1];
        const float *skip = o->skip[i / VOX_BLOCK / g->tile[2] / g->tile[1]];
        vox_v add = r->b ? vox_load(r->b + block * VOX_BLOCK + i % VOX_BLOCK) : vox_zero();
        if (skip) add += vox_load(skip + j * o->skip_row + k * o->skip_col + i % VOX_BLOCK);
        vox_store(tile + i, vox_max(low, vox_load(tile + i) + add));
    }
}

/* As vox_tile_put, of a rare tile. half: from tamed inputs; NULL: every output is NaN. spoils: of the block,
 * if the tile is spoilt. */
VOX_NOINLINE void vox_tile_put_rare(const vox_winograd_run *r, const vox_tile *t, int block,
                                    const vox_rare *rare, const float *half, const vox_spoils *spoils) {
    enum { OUT = VOX_WINOGRAD_POINTS - 2 };
    static const float zeros[VOX_BLOCK] __attribute__((aligned(64)));
    static const int origin[3] = {0};
    float tile[OUT * OUT * OUT * VOX_BLOCK] __attribute__((aligned(64)));
    float copy[OUT * OUT * OUT * VOX_BLOCK] __attribute__((aligned(64)));
    const vox_winograd *g = r->g;
    const int floats = g->tile[0] * g->tile[1] * g->tile[2] * VOX_BLOCK;
    const vox_scale scale = vox_scale_of(rare->shift);
    vox_tile_out o = {.row = (ptrdiff_t)g->tile[2] * VOX_BLOCK, .col = VOX_BLOCK};
    for (int i = 0; i < g->tile[0]; i++) o.y[i] = tile + i * g->tile[1] * o.row;
    if (half) (void)vox_depth_for(g->tile[0], 0)(g->tile[1], g->tile[2], half, zeros, -INFINITY, &o);
    for (int i = 0; i < floats; i += VOX_VL)
        vox_store(tile + i, half ? vox_untame(vox_load(tile + i), &scale) : vox_set(NAN));
    if (half && rare->kind == VOX_TILE_SPOILT) vox_tile_spoilt(r, rare, spoils, tile);
    if (r->skip) vox_tile_skip_of(r, t, block, vox_tile_inside(g, t, &g->y, origin) == 1, copy, &o);
    vox_tile_add(r, block, &o, tile);
    vox_tile_finish(r, t, block, tile);
    if (r->sums) vox_tile_sum(r, t, block);
}

static inline int vox_tiles_count(const vox_rare *rare, int n, vox_tile_kind from) {
    int count = 0;
    for (int i = 0; i < n; i++) count += rare[i].kind >= (int)from;
    return count;
}

#endif
