/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_put.h: a tile's products to what is stored, cropped and pooled.
 */
#ifndef VOX_WINOGRAD_PUT_H
#define VOX_WINOGRAD_PUT_H

#include "vox_winograd_tile.h"

/* ---- M to outputs ---------------------------------------------------------------------------- */

enum { VOX_TILE_MOST = (VOX_WINOGRAD_POINTS - 2) * (VOX_WINOGRAD_POINTS - 2) * (VOX_WINOGRAD_POINTS - 2) };

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
    float *out = r->o.pool + vox_block_at(to, t->n, block);
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

/* To `tile` ([d][h][w][16]), nothing pooled. */
static inline void vox_tile_out_to(const vox_winograd *g, float *tile, vox_tile_out *o) {
    o->row = (ptrdiff_t)g->tile[2] * VOX_BLOCK, o->col = VOX_BLOCK;
    for (int i = 0; i < g->tile[0]; i++) o->y[i] = tile + i * g->tile[1] * o->row;
}
/* Straight to y and pool: for tiles that lie inside both, as most do. */
static inline vox_tile_out vox_tile_out_of(const vox_winograd_run *r, const vox_tile *t, int block) {
    const vox_winograd *g = r->g;
    vox_tile_out o = {.row = (ptrdiff_t)g->dilation[1] * g->y.w * VOX_BLOCK,
                      .col = (ptrdiff_t)g->dilation[2] * VOX_BLOCK,
                      .pool_row = (ptrdiff_t)g->pool.w * VOX_BLOCK};
    float *y = g->store ? r->o.y + vox_block_at(&g->y, t->n, block) : NULL;
    float *pool = g->pool.c > 0 ? r->o.pool + vox_block_at(&g->pool, t->n, block) : NULL;
    for (int i = 0; y && i < g->tile[0]; i++)
        o.y[i] = y + vox_voxel_at(&g->y, t->at[0] + i * g->dilation[0], t->at[1], t->at[2]);
    for (int i = 0; pool && i < g->tile[0] / 2; i++)
        o.pool[i] = pool + vox_voxel_at(&g->pool, t->at[0] / 2 + i, t->at[1] / 2, t->at[2] / 2);
    return o;
}

/* What is added to a tile's outputs, [d][h][w][16]; zeros beside y. */
static inline void vox_tile_gather(const vox_winograd_run *r, const vox_tile *t, int block, float *to) {
    const vox_winograd *g = r->g;
    const float *from = r->o.skip + vox_block_at(&r->skip_dims, t->n, block);
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
    const float *skip = r->o.skip + vox_block_at(&r->skip_dims, t->n, block);
    const int direct = inside && r->o.skip != r->o.y;
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
    const vox_winograd_box y = {&g->y, origin, r->o.y}, crop = {&g->crop, g->crop_begin, r->o.crop};
    if (g->ep.act != VOX_ACT_NONE && g->ep.act != VOX_ACT_RELU)
        vox_activate_blocks(&g->ep, r->o.slope ? r->o.slope + (ptrdiff_t)block * VOX_BLOCK : NULL, tile, tile,
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
    vox_sums_box(r->o.y + vox_block_at(&g->y, t->n, block) +
                     vox_voxel_at(&g->y, t->at[0], t->at[1], t->at[2]),
                 extent, step, r->sums + (ptrdiff_t)block * VOX_SUMS);
}

/* One tile and block, after axes H and W: half: [points along D][outputs of H][outputs of W][16]. Returns 0
 * where a sum is not finite: then what is stored means nothing, and the tile is a rare one. */
static inline int vox_tile_put(const vox_winograd_run *r, const vox_tile *t, int block, const float *half) {
    static const float zeros[VOX_BLOCK] __attribute__((aligned(64)));
    static const int origin[3] = {0};
    float tile[VOX_TILE_MOST * VOX_BLOCK] __attribute__((aligned(64)));
    float copy[VOX_TILE_MOST * VOX_BLOCK] __attribute__((aligned(64)));
    const vox_winograd *g = r->g;
    const int h = g->tile[1], w = g->tile[2], simple = g->ep.act == VOX_ACT_NONE || g->ep.act == VOX_ACT_RELU;
    const int inside = vox_tile_inside(g, t, &g->y, origin) == 1;
    const int direct =
        simple && inside && (g->crop.c == 0 || vox_tile_inside(g, t, &g->crop, g->crop_begin) == 0);
    vox_tile_out o = {.row = 0};
    if (direct) o = vox_tile_out_of(r, t, block);
    if (direct && !o.y[0] && !o.pool[0]) return 1; /* nothing but a crop is written, and it is elsewhere */
    if (!direct) vox_tile_out_to(g, tile, &o);
    if (r->o.skip) vox_tile_skip_of(r, t, block, inside, copy, &o);
    const float *b = r->o.bias ? r->o.bias + (ptrdiff_t)block * VOX_BLOCK : zeros;
    const float low = g->ep.act == VOX_ACT_RELU ? 0.0f : -INFINITY;
    if (!vox_depth_for(g->tile[0], r->o.skip != NULL)(h, w, half, b, low, &o)) {
        const vox_winograd_box skip = {&r->skip_dims, origin, r->o.y};
        if (direct && r->o.skip && r->o.skip == r->o.y) vox_tile_copy(r, &skip, t, block, copy);
        return 0;
    }
    if (!direct) vox_tile_finish(r, t, block, tile);
    if (r->sums) vox_tile_sum(r, t, block);
    return 1;
}

#endif
