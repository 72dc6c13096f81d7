/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_spoil.h: what infinite and NaN inputs make of a tile's outputs, and how a rare tile is put
 * (vox_winograd_rare.h).
 */
#ifndef VOX_WINOGRAD_SPOIL_H
#define VOX_WINOGRAD_SPOIL_H

#include "vox_winograd_look.h"
#include "vox_winograd_put.h"

/* ---- infinite inputs ------------------------------------------------------------------------- */

enum { VOX_PLUS, VOX_MINUS, VOX_SIGNS };

/* The taps of each output that meet infinities of each sign, for some channels of a block, and which channels
 * do. Signs are apart because often there is but one: that takes half as long. NaN is none of them: its
 * outputs are known. */
typedef struct vox_meeting {
    int32_t taps[VOX_SIGNS][VOX_TILE_MOST][VOX_VL];
    uint16_t hit[VOX_SIGNS][VOX_TILE_MOST];
} vox_meeting;

/* The taps of the outputs along W of each row, joined along H too, that meet `infinity` in some rows. */
VOX_INLINE void vox_rows_meet(const int n, int rows, const vox_row *in, float infinity,
                              vox_vi (*to)[VOX_WINOGRAD_POINTS - 2]) {
    vox_vi along[VOX_WINOGRAD_POINTS][VOX_WINOGRAD_POINTS - 2];
    for (int j = 0; j < rows; j++) {
        vox_vi met[VOX_WINOGRAD_POINTS];
        VOX_UNROLL
        for (int k = 0; k < n; k++) met[k] = (in[j].at[k] == vox_set(infinity)) & 1;
        VOX_UNROLL
        for (int k = 0; k < n - 2; k++) along[j][k] = vox_taps_join(met[k], met[k + 1], met[k + 2], 1);
    }
    for (int j = 0; j < rows - 2; j++) VOX_UNROLL
    for (int k = 0; k < n - 2; k++)
        to[j][k] = vox_taps_join(along[j][k], along[j + 1][k], along[j + 2][k], 3);
}
/* The planes' taps joined along D; hot: planes that have any, a bit each. Returns the outputs that do. */
VOX_INLINE uint64_t vox_planes_meet(const int n, const int *m, unsigned hot,
                                    vox_vi (*plane)[VOX_WINOGRAD_POINTS - 2][VOX_WINOGRAD_POINTS - 2],
                                    int32_t (*taps)[VOX_VL], uint16_t *hit) {
    uint64_t any = 0;
    memset(hit, 0, VOX_TILE_MOST * sizeof *hit);
    for (int i = 0; hot && i < m[0] + 2; i++)
        if (!(hot >> i & 1)) memset(plane[i], 0, sizeof plane[i]);
    for (int i = 0; i < m[0]; i++) {
        if (!(hot >> i & 7)) continue;
        for (int j = 0, o = i * m[1] * (n - 2); j < m[1]; j++)
            for (int k = 0; k < n - 2; k++, o++) {
                const vox_vi met = vox_taps_join(plane[i][j][k], plane[i + 1][j][k], plane[i + 2][j][k], 9);
                hit[o] = (uint16_t)vox_bits(met != 0);
                any |= (uint64_t)(hit[o] != 0) << o;
                vox_store_int(taps[o], met);
            }
    }
    return any;
}
/* Plane i of the inputs, [rows]; returns which infinities it has, bits by sign. The largest and the least in
 * CHAINS parts, which need not wait for each other; NaN changes neither. */
VOX_INLINE unsigned vox_plane_read(const int n, const vox_tile_block *b, int i, int lane, vox_row *in) {
    enum { CHAINS = 3 };
    vox_v most[CHAINS] = {vox_zero(), vox_zero(), vox_zero()}, least[CHAINS] = {most[0], most[0], most[0]};
    for (int j = 0; j < b->r->points[1]; j++) {
        in[j] = vox_row_read(n, b, i, j, lane);
        VOX_UNROLL
        for (int k = 0; k < n; k++) {
            most[k % CHAINS] = vox_max(in[j].at[k], most[k % CHAINS]);
            least[k % CHAINS] = vox_min(in[j].at[k], least[k % CHAINS]);
        }
    }
    most[0] = vox_max(vox_max(most[0], most[1]), most[2]);
    least[0] = vox_min(vox_min(least[0], least[1]), least[2]);
    return (unsigned)vox_any_int(most[0] == vox_set(INFINITY)) << VOX_PLUS |
           (unsigned)vox_any_int(least[0] == vox_set(-INFINITY)) << VOX_MINUS;
}
/* Returns the outputs that meet any. */
VOX_INLINE uint64_t vox_tile_meet(const int n, const vox_tile_block *b, int lane, vox_meeting *to) {
    enum { P = VOX_WINOGRAD_POINTS, OUT = P - 2 };
    static const float infinity[VOX_SIGNS] = {INFINITY, -INFINITY};
    vox_vi plane[VOX_SIGNS][P][OUT][OUT];
    const int *m = b->r->g->tile;
    unsigned hot[VOX_SIGNS] = {0}; /* planes */
    uint64_t any = 0;
    for (int i = 0; i < m[0] + 2; i++) {
        vox_row in[P];
        const unsigned found = vox_plane_read(n, b, i, lane, in);
        for (int s = 0; s < VOX_SIGNS; s++) {
            hot[s] |= (found >> s & 1) << i;
            if (found >> s & 1) vox_rows_meet(n, m[1] + 2, in, infinity[s], plane[s][i]);
        }
    }
    for (int s = 0; s < VOX_SIGNS; s++)
        any |= vox_planes_meet(n, m, hot[s], plane[s], to->taps[s], to->hit[s]);
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
            const vox_v w = vox_load(r->o.weights + ((block * 27 + tap) * ic + channel) * VOX_BLOCK + lane);
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

/* Signs of the weights from VOX_VL input channels to a block. */
typedef struct vox_weight_signs {
    const float *of[VOX_VL];
    unsigned channels[VOX_SIGNS]; /* that have weights >= 0, and <= 0: a bit each */
    unsigned lanes[VOX_SIGNS];    /* to which such weights are */
    float room[VOX_VL][2 * VOX_BLOCK];
} vox_weight_signs;
static inline void vox_weight_signs_of(const vox_winograd_run *r, int block, int from, vox_weight_signs *s) {
    memset(s->channels, 0, sizeof s->channels), memset(s->lanes, 0, sizeof s->lanes);
    for (int c = 0; c < vox_min_int(VOX_VL, r->g->x.c - from); c++) {
        s->of[c] = vox_tile_signs(r, block, from + c, s->room[c]);
        for (int i = 0; i < VOX_SIGNS; i++) {
            unsigned lanes = 0;
            VOX_UNROLL
            for (int l = 0; l < VOX_BLOCK; l += VOX_VL)
                lanes |= vox_bits(vox_load_int(s->of[c] + i * VOX_BLOCK + l) != 0) << l;
            s->channels[i] |= (unsigned)(lanes != 0) << c, s->lanes[i] |= lanes;
        }
    }
}

/* Which terms of an output are infinite, by sign: in each lane, any but 0 counts. */
typedef struct vox_output_ends {
    vox_vi of[VOX_SIGNS][VOX_NV];
} vox_output_ends;
VOX_INLINE unsigned vox_output_lanes(const vox_output_ends *e, const int sign) {
    unsigned lanes = 0;
    VOX_UNROLL
    for (int v = 0; v < VOX_NV; v++) lanes |= vox_bits(e->of[sign][v] != 0) << v * VOX_VL;
    return lanes;
}
/* Adds what the channels `hit` give that meet infinities of a sign: the same by weights >= 0, the other by
 * those <= 0. Where many taps are met, one or a few channels give all that is wanted: then the rest is left
 * out. */
VOX_INLINE void vox_output_add(unsigned hit, const int32_t *taps, const vox_weight_signs *signs,
                               const int sign, const unsigned want[VOX_SIGNS], vox_output_ends *e) {
    enum { LOOK = 4 }; /* channels between looks at what there is */
    const unsigned same = want[sign] & signs->lanes[VOX_PLUS], other = want[!sign] & signs->lanes[VOX_MINUS];
    for (int n = 1; hit; hit &= hit - 1, n++) {
        const int c = __builtin_ctz(hit);
        const vox_vi at = vox_set_int(taps[c]);
        VOX_UNROLL
        for (int v = 0; v < VOX_NV; v++) {
            e->of[sign][v] |= at & vox_load_int(signs->of[c] + v * VOX_VL);
            e->of[!sign][v] |= at & vox_load_int(signs->of[c] + VOX_BLOCK + v * VOX_VL);
        }
        if (n % LOOK == 1 && !(same & ~vox_output_lanes(e, sign)) && !(other & ~vox_output_lanes(e, !sign)))
            return;
    }
}
/* Adds what output o meets of some channels. What every lane has already that these weights can give it to is
 * not looked for: where a lane's weights are of one sign, and so are the infinities, it never is NaN. */
static inline void vox_output_meet(const vox_meeting *met, int o, const vox_weight_signs *signs,
                                   vox_spoils *to) {
    const unsigned hit[VOX_SIGNS] = {met->hit[VOX_PLUS][o], met->hit[VOX_MINUS][o]};
    const unsigned *lanes = signs->lanes, *channels = signs->channels;
    unsigned want[VOX_SIGNS];
    vox_output_ends e = {{{{0}}}};
    for (int s = 0; s < VOX_SIGNS; s++)
        want[s] = (hit[s] ? lanes[VOX_PLUS] : 0) | (hit[!s] ? lanes[VOX_MINUS] : 0);
    want[VOX_PLUS] &= ~(unsigned)to->plus[o], want[VOX_MINUS] &= ~(unsigned)to->minus[o];
    if (!(want[VOX_PLUS] | want[VOX_MINUS])) return;
    VOX_UNROLL
    for (int s = 0; s < VOX_SIGNS; s++) {
        const unsigned of_use = (want[s] ? channels[VOX_PLUS] : 0) | (want[!s] ? channels[VOX_MINUS] : 0);
        vox_output_add(hit[s] & of_use, met->taps[s][o], signs, s, want, &e);
    }
    to->plus[o] |= (uint16_t)vox_output_lanes(&e, VOX_PLUS);
    to->minus[o] |= (uint16_t)vox_output_lanes(&e, VOX_MINUS);
    if ((to->plus[o] & to->minus[o]) == 0xffff) to->left &= ~((uint64_t)1 << o);
}

/* What infinite inputs make of a tile's outputs in a pair of blocks. */
VOX_NOINLINE void vox_tile_spoil(const vox_winograd_run *r, const vox_tile *t, vox_pair out,
                                 const vox_rare *rare, vox_spoils *to) {
    vox_meeting met;
    vox_weight_signs signs;
    const uint64_t all = rare->infinite ? ~rare->nan : 0;
    memset(to, 0, (size_t)out.n * sizeof *to);
    for (int b = 0; b < out.n; b++) to[b].left = all;
    for (int from = 0; from < r->g->x.c && all; from += VOX_VL) {
        const vox_tile_block in = vox_tile_block_of(r, t, from / VOX_BLOCK);
        const uint64_t any =
            (r->points[2] == 4 ? vox_tile_meet_4 : vox_tile_meet_6)(&in, from % VOX_BLOCK, &met);
        uint64_t left = 0;
        for (int b = 0; b < out.n; b++) {
            if (any & to[b].left) vox_weight_signs_of(r, out.oc + b, from, &signs);
            for (uint64_t o = any & to[b].left; o; o &= o - 1)
                vox_output_meet(&met, __builtin_ctzll(o), &signs, &to[b]);
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
        vox_v add = r->o.bias ? vox_load(r->o.bias + block * VOX_BLOCK + i % VOX_BLOCK) : vox_zero();
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
    if (r->o.skip) vox_tile_skip_of(r, t, block, vox_tile_inside(g, t, &g->y, origin) == 1, copy, &o);
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
