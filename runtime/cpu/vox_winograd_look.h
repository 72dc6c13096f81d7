/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_look.h: what a tile's inputs say of it: whether they are finite, how large they are, and which
 * outputs are NaN.
 */
#ifndef VOX_WINOGRAD_LOOK_H
#define VOX_WINOGRAD_LOOK_H

#include "vox_winograd_tile.h"

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
    vox_tile_block b = {.r = r, .x = r->o.x + vox_block_at(&g->x, t->n, block)};
    for (int a = 0; a < 3; a++) b.from[a] = t->at[a] - g->pad[a];
    b.first = b.from[2] < 0 ? vox_parts(-b.from[2], g->dilation[2]) : 0;
    b.last = vox_min_int(r->points[2], vox_parts(vox_max_int(g->x.w - b.from[2], 0), g->dilation[2]));
    b.normal = r->o.around.terms != NULL;
    if (b.normal) b.terms = vox_terms_of(&r->o.around, t->n, block * VOX_BLOCK, g->x.c);
    for (int l = 0; l < VOX_BLOCK; l++) b.lanes[l] = block * VOX_BLOCK + l < g->x.c ? -1 : 0;
    return b;
}
/* Inputs along W, 4 or 6. */
typedef struct vox_row {
    vox_v at[VOX_WINOGRAD_POINTS];
} vox_row;
/* Row (i, j) of n voxels along W, channels from `lane` on: 0 in the padding and where there is no channel. */
VOX_INLINE vox_row vox_row_read(const int n, const vox_tile_block *b, int i, int j, int lane) {
    const vox_winograd *g = b->r->g;
    const int d = b->from[0] + i * g->dilation[0], h = b->from[1] + j * g->dilation[1];
    const int inside = d >= 0 && d < g->x.d && h >= 0 && h < g->x.h;
    const ptrdiff_t step = (ptrdiff_t)g->dilation[2] * VOX_BLOCK;
    const float *x =
        b->x + (inside ? vox_voxel_at(&g->x, d, h, 0) + (ptrdiff_t)b->from[2] * VOX_BLOCK : 0) + lane;
    const vox_vi mask = vox_load_int(b->lanes + lane);
    vox_row row = {{{0}}};
    const int first = inside ? b->first : n, whole = first == 0 && b->last == n;
    if (whole) { /* as most are, without a branch for each */
        VOX_UNROLL
        for (int k = 0; k < n; k++) row.at[k] = vox_load(x + k * step);
    } else {
        VOX_UNROLL
        for (int k = 0; k < n; k++)
            row.at[k] = k >= first && k < b->last ? vox_load(x + k * step) : vox_zero();
    }
    if (b->normal) {
        const vox_terms_v terms = vox_terms_load(&b->terms, lane);
        VOX_UNROLL
        for (int k = 0; k < n; k++)
            if (k >= first && k < b->last) row.at[k] = vox_terms_apply(terms, row.at[k]);
    }
    VOX_UNROLL
    for (int k = 0; k < n; k++) row.at[k] = (vox_v)((vox_vi)row.at[k] & mask);
    return row;
}

/* What is seen of a tile's inputs, lane by lane. */
typedef struct vox_look {
    vox_v most;                                           /* the largest of the finite ones */
    vox_vi infinite;                                      /* all ones where some are */
    vox_vi nan[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS]; /* rows of voxels: a bit for each column */
} vox_look;

/* Without branches by what the values are: nobody can predict them. The largest of a row pair by pair, so
 * that each does not wait for the one before. */
VOX_INLINE void vox_row_look(const int n, const vox_row *row, vox_look *look, vox_vi *nan) {
    vox_v most[VOX_WINOGRAD_POINTS];
    VOX_UNROLL
    for (int k = 0; k < n; k++) {
        const vox_v size = vox_abs(row->at[k]);
        const vox_vi is_nan = row->at[k] != row->at[k], is_finite = size < vox_set(INFINITY);
        most[k] = (vox_v)(is_finite & (vox_vi)size);
        look->infinite |= ~(is_finite | is_nan);
        *nan |= is_nan & vox_set_int(1 << k);
    }
    VOX_UNROLL
    for (int k = 0; k < n; k += 2) most[k] = vox_max(most[k], most[k + 1]);
    VOX_UNROLL
    for (int k = 2; k < n; k += 2) most[0] = vox_max(most[k], most[0]);
    look->most = vox_max(most[0], look->most);
}
VOX_INLINE void vox_tile_see(const int n, const vox_winograd_run *r, const vox_tile *t, vox_look *look) {
    for (int block = 0; block < r->blocks_in; block++) {
        const vox_tile_block b = vox_tile_block_of(r, t, block);
        const int channels = vox_min_int(r->g->x.c - block * VOX_BLOCK, VOX_BLOCK);
        for (int i = 0; i < r->points[0]; i++)
            for (int j = 0; j < r->points[1]; j++)
                for (int lane = 0; lane < channels; lane += VOX_VL) {
                    const vox_row row = vox_row_read(n, &b, i, j, lane);
                    vox_row_look(n, &row, look, &look->nan[i][j]);
                }
    }
}
VOX_NOINLINE void vox_tile_see_4(const vox_winograd_run *r, const vox_tile *t, vox_look *look) {
    vox_tile_see(4, r, t, look);
}
VOX_NOINLINE void vox_tile_see_6(const vox_winograd_run *r, const vox_tile *t, vox_look *look) {
    vox_tile_see(6, r, t, look);
}

/* Which voxels hold NaN: rows, a bit for each column; returns whether any does. */
static inline int vox_look_nan(const vox_winograd_run *r, const vox_look *look,
                               unsigned (*rows)[VOX_WINOGRAD_POINTS]) {
    unsigned any = 0;
    for (int i = 0; i < r->points[0]; i++)
        for (int j = 0; j < r->points[1]; j++) {
            int32_t lanes[VOX_VL];
            vox_store_int(lanes, look->nan[i][j]);
            rows[i][j] = 0;
            for (int l = 0; l < VOX_VL; l++) rows[i][j] |= (unsigned)lanes[l];
            any |= rows[i][j];
        }
    return any != 0;
}
/* The outputs that have a NaN in their window. */
static inline uint64_t vox_tile_nan(const vox_winograd_run *r, const unsigned (*rows)[VOX_WINOGRAD_POINTS]) {
    const int *m = r->g->tile;
    uint64_t nan = 0;
    for (int o = 0; o < m[0] * m[1]; o++) {
        unsigned row = 0;
        for (int k = 0; k < 9; k++) row |= rows[o / m[1] + k / 3][o % m[1] + k % 3];
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
    vox_look look;
    unsigned rows[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS];
    float most[VOX_VL];
    memset(&look, 0, sizeof look);
    (r->points[2] == 4 ? vox_tile_see_4 : vox_tile_see_6)(r, t, &look);
    vox_store(most, look.most);
    const int nan = vox_look_nan(r, &look, rows), infinite = vox_any_int(look.infinite),
              spoilt = nan || infinite;
    vox_rare rare = {.blocks = 3, .infinite = infinite != 0};
    if (!overflowed && !spoilt) return rare;
    rare.kind = spoilt ? VOX_TILE_SPOILT : VOX_TILE_LARGE;
    rare.shift = (short)vox_shift_of(vox_largest(most, VOX_VL), !spoilt);
    rare.nan = nan ? vox_tile_nan(r, (const unsigned(*)[VOX_WINOGRAD_POINTS])rows) : 0;
    if (nan && (vox_tile_in_y(r, t) & ~rare.nan) == 0) rare.kind = VOX_TILE_NAN;
    return rare;
}

/* Sums overflow even so, which takes large weights: returns whether the inputs can be divided by more. */
static inline int vox_rare_shift(vox_rare *rare) {
    if (rare->kind == VOX_TILE_NAN || rare->more) return 0;
    rare->shift = (short)(rare->shift + VOX_SHIFT_WEIGHTS), rare->more = 1;
    return 1;
}

#endif
