/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_spoil.h: what infinite and NaN inputs make of a tile's outputs, and how a rare tile is put
 * (vox_winograd_rare.h).
 */
#ifndef VOX_WINOGRAD_SPOIL_H
#define VOX_WINOGRAD_SPOIL_H

#include "vox_winograd_look.h"
#include "vox_winograd_put.h"

/* ---- infinite inputs ------------------------------------------------------------------------- */

/* The taps of each output that meet infinities, for some channels of a block, and which channels do. */
typedef struct vox_meeting {
    int32_t plus[VOX_TILE_MOST][VOX_VL], minus[VOX_TILE_MOST][VOX_VL];
    unsigned hit[VOX_TILE_MOST];
} vox_meeting;

/* What the taps of the outputs along W of each row of plane i meet, joined along H too; returns 0, and
 * nothing, where all is finite. */
VOX_INLINE int vox_plane_meet(const int n, const vox_tile_block *b, int i, int lane,
                              vox_met (*to)[VOX_WINOGRAD_POINTS - 2]) {
    const int rows = b->r->points[1];
    vox_row in[VOX_WINOGRAD_POINTS];
    vox_met along[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS - 2];
    vox_v bad = vox_zero();
    for (int j = 0; j < rows; j++) {
        in[j] = vox_row_read(n, b, i, j, lane);
        VOX_UNROLL
        for (int k = 0; k < n; k++) bad = vox_fma(in[j].at[k], vox_zero(), bad);
    }
    if (!vox_any_nan(bad)) return 0;
    for (int j = 0; j < rows; j++) {
        vox_met met[VOX_WINOGRAD_POINTS];
        VOX_UNROLL
        for (int k = 0; k < n; k++) met[k] = vox_met_by(in[j].at[k]);
        VOX_UNROLL
        for (int k = 0; k < n - 2; k++) along[j][k] = vox_met_join(met[k], met[k + 1], met[k + 2], 1);
    }
    for (int j = 0; j < rows - 2; j++) VOX_UNROLL
    for (int k = 0; k < n - 2; k++) to[j][k] = vox_met_join(along[j][k], along[j + 1][k], along[j + 2][k], 3);
    return 1;
}
/* Returns the outputs that meet any. */
VOX_INLINE uint64_t vox_tile_meet(const int n, const vox_tile_block *b, int lane, vox_meeting *to) {
    enum { P = VOX_WINOGRAD_POINTS, OUT = P - 2 };
    vox_met plane[P][OUT][OUT];
    const int *m = b->r->g->tile;
    unsigned hot = 0; /* planes */
    uint64_t any = 0;
    for (int i = 0; i < m[0] + 2; i++) {
        const int meets = vox_plane_meet(n, b, i, lane, plane[i]);
        if (!meets) memset(plane[i], 0, sizeof plane[i]);
        hot |= (unsigned)meets << i;
    }
    for (int i = 0, o = 0; i < m[0]; i++)
        for (int j = 0; j < m[1]; j++)
            for (int k = 0; k < n - 2; k++, o++) {
                to->hit[o] = 0;
                if (!(hot >> i & 7)) continue;
                const vox_met met = vox_met_join(plane[i][j][k], plane[i + 1][j][k], plane[i + 2][j][k], 9);
                to->hit[o] = vox_bits((met.plus | met.minus) != 0);
                any |= (uint64_t)(to->hit[o] != 0) << o;
                vox_store_int(to->plus[o], met.plus), vox_store_int(to->minus[o], met.minus);
            }
    return any;
}
VOX_NOINLINE uint64_t vox_tile_meet_4(const vox_tile_block *b, int lane, vox_meeting *to) {
    return vox_tile_meet(4, b, lane, to);
}
VOX_NOINLINE uint64_t vox_tile_meet_6(const vox_tile_block *b, int lane, vox_meeting *to) {
    return vox_tile_meet(6, b, lane, to);
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
        const uint64_t any =
            (r->points[2] == 4 ? vox_tile_meet_4 : vox_tile_meet_6)(&in, from % VOX_BLOCK, &met);
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
    static const float zeros[VOX_BLOCK] __attribute__((aligned(64)));
    static const int origin[3] = {0};
    float tile[VOX_TILE_MOST * VOX_BLOCK] __attribute__((aligned(64)));
    float copy[VOX_TILE_MOST * VOX_BLOCK] __attribute__((aligned(64)));
    const vox_winograd *g = r->g;
    const int floats = g->tile[0] * g->tile[1] * g->tile[2] * VOX_BLOCK;
    const vox_scale scale = vox_scale_of(rare->shift);
    vox_tile_out o = {.row = 0};
    vox_tile_out_to(g, tile, &o);
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
