/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_tile.h: which tiles a range of output planes has, and from their inputs to V. Shared by
 * vox_winograd.h and vox_winograd_deep.h, as are vox_winograd_put.h, vox_winograd_look.h and
 * vox_winograd_spoil.h.
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

/* What the calls for one range of planes share, and this worker's memory. */
typedef struct vox_winograd_run {
    const vox_winograd *g;
    int points[3], count; /* per axis; of a tile */
    int first, tiles[3];  /* number of the range's first tile along D; tiles of the range */
    int blocks_in, blocks_out;
    int batch, items, total; /* tiles per item at most; items; tiles, over all n */
    vox_column_fn *columns;
    vox_plane_fn *planes;
    vox_conv_operands o;
    vox_dims skip_dims;
    const float *signs; /* of the weights, from block signs_from on: [IC][2][16]; NULL: from w */
    int signs_from;
    float *v, *m;
    double *sums; /* slot of the item, if y's sums are gathered */
    int wary;     /* 1: the item before had spoilt tiles */
} vox_winograd_run;

/* Tiles [begin, begin + n). */
typedef struct vox_batch {
    int begin, n;
} vox_batch;

/* One or two blocks of output channels. */
typedef struct vox_pair {
    int oc, n; /* the first; how many */
} vox_pair;

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
    vox_tile_rows s = {.r = r, .x = r->o.x + vox_block_at(&g->x, t->n, block)};
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

/* Where points of tiles go: those of the first tile and block; floats from block to block, point to point. */
typedef struct vox_points {
    float *v;
    ptrdiff_t block, point;
} vox_points;
/* Where V is laid out for `tiles` tiles. */
static inline vox_points vox_points_of(const vox_winograd_run *r, float *v, int tiles) {
    return (vox_points){v, (ptrdiff_t)tiles * VOX_BLOCK, vox_point_floats(r->blocks_in, tiles)};
}

/* Some tiles of some input blocks. scale: not NULL, they are rare. */
static inline void vox_winograd_fill(const vox_winograd_run *r, vox_batch tiles, vox_range blocks,
                                     const vox_scale *scale, vox_points to) {
    for (int i = 0, run; i < tiles.n; i += run) {
        const int at = (tiles.begin + i) % r->tiles[2];
        const vox_tile t = vox_tile_of(r, tiles.begin + i);
        run = vox_min_int(tiles.n - i, r->tiles[2] - at);
        for (int b = blocks.begin; b < blocks.end; b++) {
            vox_tile_rows s = vox_tile_rows_of(r, &t, b);
            vox_terms terms;
            if (r->o.around.terms) {
                terms = vox_terms_of(&r->o.around, t.n, b * VOX_BLOCK, r->g->x.c);
                s.terms = &terms;
            }
            s.scale = scale;
            vox_tile_row(&s, at, run, to.v + (b - blocks.begin) * to.block + (ptrdiff_t)i * VOX_BLOCK,
                         to.point);
        }
    }
}

/* Equal batches, at least four per worker unless they would be narrower than the register tile, and a
 * multiple of VOX_EVEN: of 17, one of two threads would do nine, which takes 6 % longer; 20 narrower ones
 * cost no more than 17. */
static inline void vox_winograd_split(vox_winograd_run *r) {
    const int narrow = vox_max_int(vox_parts(r->total, VOX_TILE_W), 1),
              workers = vox_max_int(r->g->workers, 1);
    const int items = vox_max_int(vox_parts(r->total, vox_min_int(r->g->batch, VOX_BATCH_MOST)),
                                  vox_min_int(narrow, workers > 1 ? 4 * workers : 1));
    const int even = vox_parts(items, VOX_EVEN) * VOX_EVEN;
    r->items = workers > 1 && items > 1 && even <= r->total ? even : items;
    r->batch = vox_parts(r->total, r->items);
}

static inline vox_winograd_run vox_winograd_run_of(const vox_winograd *g, vox_range range) {
    vox_winograd_run r = {.g = g, .first = vox_tiles_below(g, 0, range.begin)};
    for (int a = 0; a < 3; a++) r.points[a] = g->tile[a] + 2;
    r.count = r.points[0] * r.points[1] * r.points[2];
    r.tiles[0] = vox_tiles_below(g, 0, range.end) - r.first;
    r.tiles[1] = vox_tiles_below(g, 1, g->y.h), r.tiles[2] = vox_tiles_below(g, 2, g->y.w);
    r.total = g->y.n * r.tiles[0] * r.tiles[1] * r.tiles[2];
    r.blocks_in = vox_parts(g->x.c, VOX_BLOCK), r.blocks_out = vox_parts(g->y.c, VOX_BLOCK);
    r.columns = vox_column_for(r.points[0], r.points[1]);
    r.planes = vox_plane_for(r.points[1], r.points[2]);
    r.skip_dims = vox_skip_dims(&g->y, g->skip_ring);
    vox_winograd_split(&r);
    return r;
}

#endif
