/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_few.h: Winograd convolution of plain tensors with few channels (vox_f32_winograd_few).
 *
 * F(4,3) along D and H; along W the 3 taps stay taps and positions are vector lanes, so that no lane is empty
 * and no value needs a place in a block. For a tile of 4 planes x 4 rows x the whole width: 36 rows of points
 * of each input channel, then, some vectors of positions at a time, their products with the tiles of
 * vox_conv_few.h, then the outputs. A quarter of a direct convolution's products.
 */
#ifndef VOX_WINOGRAD_FEW_H
#define VOX_WINOGRAD_FEW_H

#include "vox_conv_few.h"
#include "vox_winograd_rare.h"
#include "vox_winograd_transform.h"

enum {
    VOX_FEW_TILE = 4,
    VOX_FEW_LINE = 6,
    VOX_FEW_POINTS = 36,
    VOX_FEW_GROUP = 8,           /* tiles along D */
    VOX_FEW_LARGE = 16 * 1048576 /* bytes of outputs that no cache keeps for the next layer */
};

typedef struct vox_few_run {
    const vox_winograd *g;
    vox_conv_operands o;
    vox_range range;
    vox_dims skip_dims;
    float *v; /* points: [36][IC][width], position 0 along W at `left`, zeros beside the positions */
    float *m; /* products: [36][OC][vectors * VOX_VL] */
    int width, left;
    int past; /* 1: y is stored past the caches */
} vox_few_run;

static inline int vox_few_left(const vox_winograd *g) {
    return vox_parts(g->pad[2], VOX_BLOCK) * VOX_BLOCK;
}
/* An odd number of blocks: rows do not fall on each other in the cache. */
static inline int vox_few_width(const vox_winograd *g) {
    const int x = vox_parts(g->x.w, VOX_BLOCK) * VOX_BLOCK, y = vox_parts(g->y.w, VOX_BLOCK) * VOX_BLOCK;
    const int floats = vox_few_left(g) + vox_max_int(x, y + 2 * g->dilation[2] - g->pad[2]);
    return (vox_parts(floats, VOX_BLOCK) | 1) * VOX_BLOCK;
}
VOX_KERNEL size_t vox_winograd_few_scratch(const vox_winograd *g) {
    const int row = g->x.c * vox_few_width(g) + g->y.c * VOX_FEW_VECTORS * VOX_BLOCK;
    return (size_t)VOX_FEW_POINTS * (size_t)row;
}

/* Tiles along an axis of n outputs: those congruent modulo the dilation form an axis of their own. */
static inline int vox_few_tiles(int n, int dilation) {
    int sum = 0;
    for (int phase = 0; phase < dilation && phase < n; phase++)
        sum += vox_parts(vox_parts(n - phase, dilation), VOX_FEW_TILE);
    return sum;
}
/* The first output of tile t. */
static inline int vox_few_first(int t, int n, int dilation) {
    int phase = 0;
    for (int tiles; t >= (tiles = vox_parts(vox_parts(n - phase, dilation), VOX_FEW_TILE)); phase++)
        t -= tiles;
    return phase + t * VOX_FEW_TILE * dilation;
}

/* What a tile reads and writes. */
typedef struct vox_few_rows {
    const vox_scale *scale; /* not NULL: a rare tile, whose inputs are tamed (vox_winograd_rare.h) */
    int n, d, h;            /* its first output */
    const float
        *row[VOX_FEW_POINTS]; /* inputs [6 planes][6 rows] of the first channel, NULL in the padding */
    int whole;                /* no row is in the padding */
} vox_few_rows;

/* Tile number `item` of the range, of nd * nh per n. Order: n, D in groups, H, D within the group; so that
 * most of the planes and rows that neighbours share are read from the cache. */
static inline vox_few_rows vox_few_rows_of(const vox_few_run *r, int item, int nd, int nh) {
    const vox_winograd *g = r->g;
    const int group = item / nh % nd / VOX_FEW_GROUP * VOX_FEW_GROUP, within = item % (nh * nd) - group * nh;
    const int deep = vox_min_int(nd - group, VOX_FEW_GROUP);
    vox_few_rows in = {.n = item / nh / nd, .whole = 1};
    in.d =
        r->range.begin + vox_few_first(group + within % deep, r->range.end - r->range.begin, g->dilation[0]);
    in.h = vox_few_first(within / deep, g->y.h, g->dilation[1]);
    for (int p = 0; p < VOX_FEW_POINTS; p++) {
        const int d = in.d + p / VOX_FEW_LINE * g->dilation[0] - g->pad[0];
        const int h = in.h + p % VOX_FEW_LINE * g->dilation[1] - g->pad[1];
        const int inside = d >= 0 && d < g->x.d && h >= 0 && h < g->x.h;
        if (!inside) in.whole = 0;
        const ptrdiff_t plane =
            (ptrdiff_t)in.n * g->x.c * vox_planes(&g->x) + (inside ? vox_plane_of(&g->x, d) : 0);
        in.row[p] = inside ? r->o.x + (plane * g->x.h + h) * g->x.w : NULL;
    }
    return in;
}

/* ---- inputs to points ------------------------------------------------------------------------ */

/* x[i] + j*row: inputs (i, j) along D and H; to: points, `step` floats apart. One pair of points along D. */
VOX_INLINE void vox_few_points_pair(const int pair, const float *const *x, ptrdiff_t row, float *to,
                                    ptrdiff_t step) {
    enum { N = VOX_FEW_LINE };
    const vox_two r0 = vox_points_read(N, pair, x, 0), r1 = vox_points_read(N, pair, x, row),
                  r2 = vox_points_read(N, pair, x, 2 * row), r3 = vox_points_read(N, pair, x, 3 * row),
                  r4 = vox_points_read(N, pair, x, 4 * row), r5 = vox_points_read(N, pair, x, 5 * row);
    const vox_line first = {r0.a, r1.a, r2.a, r3.a, r4.a, r5.a};
    const vox_line second = {r0.b, r1.b, r2.b, r3.b, r4.b, r5.b};
    vox_points_write(N, first, to + vox_point_of(N, pair, 0) * N * step, step);
    vox_points_write(N, second, to + vox_point_of(N, pair, 1) * N * step, step);
}
VOX_NOINLINE void vox_few_points_vector(const float *const *x, ptrdiff_t row, float *to, ptrdiff_t step) {
    vox_few_points_pair(0, x, row, to, step);
    vox_few_points_pair(1, x, row, to, step);
    vox_few_points_pair(2, x, row, to, step);
}

/* At the border, and of a rare tile: a copy of the inputs, with its padding. */
static inline void vox_few_stage(const vox_few_run *r, const vox_few_rows *in, ptrdiff_t at, int w,
                                 float *stage) {
    for (int p = 0; p < VOX_FEW_POINTS; p++) {
        const vox_v x = in->row[p] ? vox_load_within(in->row[p] + at, w, r->g->x.w) : vox_zero();
        vox_store(stage + p * VOX_VL, in->scale ? vox_tame(x, in->scale) : x);
    }
}

/* One channel, `at` floats behind the first; to: its points. Both ends are prefetched, a fifth faster where
 * they are in L2. */
static inline void vox_few_points_row(const vox_few_run *r, const vox_few_rows *in, ptrdiff_t at, float *to) {
    const vox_winograd *g = r->g;
    const ptrdiff_t step = (ptrdiff_t)g->x.c * r->width;
    float stage[VOX_FEW_POINTS * VOX_VL];
    for (int w = 0; w < g->x.w; w += VOX_VL) {
        const int inside = in->whole && !in->scale && w + VOX_VL <= g->x.w;
        const float *x[VOX_FEW_LINE];
        if (!inside) vox_few_stage(r, in, at, w, stage);
        for (int i = 0; i < VOX_FEW_LINE; i++)
            x[i] = inside ? in->row[i * VOX_FEW_LINE] + at + w : stage + i * VOX_FEW_LINE * VOX_VL;
        for (int p = 0; p < VOX_FEW_POINTS; p++) {
            vox_prefetch(to + w + p * step, VOX_BLOCK);
            if (inside) vox_prefetch(in->row[p] + at + w, VOX_BLOCK);
        }
        vox_few_points_vector(x, inside ? (ptrdiff_t)g->dilation[1] * g->x.w : VOX_VL, to + w, step);
    }
}

/* ---- products to outputs --------------------------------------------------------------------- */

/* m: 36 products, `step` floats apart, of one vector; to: [4 planes][4 rows][VOX_VL]. */
VOX_INLINE void vox_few_outputs_pair(const int pair, const float *m, ptrdiff_t step, float *to) {
    enum { N = VOX_FEW_LINE };
#define VOX_FEW_ROW(i) vox_outputs_pair(N, pair, vox_line_load(N, m + (i)*N * step, step))
    const vox_two r0 = VOX_FEW_ROW(0), r1 = VOX_FEW_ROW(1), r2 = VOX_FEW_ROW(2), r3 = VOX_FEW_ROW(3),
                  r4 = VOX_FEW_ROW(4), r5 = VOX_FEW_ROW(5);
#undef VOX_FEW_ROW
    const vox_line first = {r0.a, r1.a, r2.a, r3.a, r4.a, r5.a};
    const vox_line second = {r0.b, r1.b, r2.b, r3.b, r4.b, r5.b};
    vox_outputs_write(N, first, to + vox_output_of(N, pair, 0) * VOX_VL, VOX_FEW_TILE * VOX_VL);
    vox_outputs_write(N, second, to + vox_output_of(N, pair, 1) * VOX_VL, VOX_FEW_TILE * VOX_VL);
}
VOX_NOINLINE void vox_few_outputs_vector(const float *m, ptrdiff_t step, float *to) {
    vox_few_outputs_pair(0, m, step, to);
    vox_few_outputs_pair(1, m, step, to);
}

/* Positions w .. w + n - 1 of a row, at most a vector of them. */
typedef struct vox_few_span {
    int w, n;
} vox_few_span;

/* n positions of a finished row of sums; skip: what is added to them, or NULL. */
static inline void vox_few_store(const vox_few_run *r, int c, float *sums, const float *skip, float *y,
                                 int n) {
    const vox_epilogue *ep = &r->g->ep;
    vox_v add = vox_set(r->o.bias ? r->o.bias[c] : 0.0f);
    if (skip) add += vox_load_within(skip, 0, n);
    const vox_v sum = vox_load(sums) + add;
    const int simple = ep->act == VOX_ACT_NONE || ep->act == VOX_ACT_RELU;
    const vox_v least = vox_max(vox_set(ep->act == VOX_ACT_RELU ? 0.0f : -INFINITY), sum);
    if (simple && n == VOX_VL && r->past) {
        vox_store_past(y, least);
    } else if (simple && n == VOX_VL) {
        vox_store(y, least);
    } else {
        vox_store(sums, least);
        if (!simple) vox_activate_run(ep, r->o.slope ? r->o.slope[c] : 0.0f, sums, sums, VOX_VL);
        memcpy(y, sums, (size_t)n * sizeof *y);
    }
}

static inline int vox_few_finite(const float *sums) {
    vox_v zero = vox_zero();
    for (int i = 0; i < VOX_FEW_TILE * VOX_FEW_TILE; i++)
        zero = vox_fma(vox_load(sums + i * VOX_VL), vox_zero(), zero);
    return !vox_any_nan(zero);
}

/* Where row (d, h) of channel c begins. */
static inline ptrdiff_t vox_few_at(const vox_dims *t, int n, int c, int d, int h) {
    return (((ptrdiff_t)(n * t->c + c) * vox_planes(t) + vox_plane_of(t, d)) * t->h + h) * t->w;
}

/* Stores the sums of some outputs of one channel. */
static inline void vox_few_put(const vox_few_run *r, const vox_few_rows *in, int c, vox_few_span at,
                               float *sums) {
    const vox_dims *y = &r->g->y;
    for (int i = 0; i < VOX_FEW_TILE * VOX_FEW_TILE; i++) {
        const int d = in->d + i / VOX_FEW_TILE * r->g->dilation[0],
                  h = in->h + i % VOX_FEW_TILE * r->g->dilation[1];
        if (d >= r->range.end || h >= y->h) continue;
        float *to = r->o.y + vox_few_at(y, in->n, c, d, h) + at.w;
        const float *skip = r->o.skip ? r->o.skip + vox_few_at(&r->skip_dims, in->n, c, d, h) + at.w : NULL;
        vox_few_store(r, c, sums + i * VOX_VL, skip, to, at.n);
    }
}

/* The same from its products; returns 0, and stores nothing, where a sum is not finite. */
static inline int vox_few_outputs(const vox_few_run *r, const vox_few_rows *in, int c, const float *m,
                                  ptrdiff_t step, vox_few_span at) {
    float sums[VOX_FEW_TILE * VOX_FEW_TILE * VOX_VL];
    vox_few_outputs_vector(m, step, sums);
    if (!vox_few_finite(sums)) return 0;
    vox_few_put(r, in, c, at, sums);
    return 1;
}

/* Row p of all channels, positions from w on, on its way into L2. */
static inline void vox_few_fetch(const vox_few_run *r, const vox_few_rows *in, int p, int w, int vectors) {
    const ptrdiff_t channel = vox_plane_floats(&r->g->x);
    for (int c = 0; in->row[p] && c < r->g->x.c; c++)
        for (int v = 0; v < vectors; v++) vox_prefetch(in->row[p] + c * channel, (size_t)(w + v * VOX_VL));
}

/* The products of `vectors` vectors of positions from w on. Meanwhile memory has time for the next tile's
 * inputs. */
static inline void vox_few_products(const vox_few_run *r, const vox_few_rows *next, int w, int vectors) {
    static const float zeros[VOX_FEW_MOST];
    const vox_winograd *g = r->g;
    const vox_walk walk = {.taps = {1, 1, 3},
                           .ic = g->x.c,
                           .turn = 1,
                           .x_lane = r->width,
                           .w_tap = {0, 0, (ptrdiff_t)g->x.c * VOX_BLOCK},
                           .low = -INFINITY};
    const vox_axis axis = {.at = r->left - g->pad[2], .taps = 3, .step = g->dilation[2], .extent = r->width};
    vox_few f = {.walk = &walk, .axis = &axis, .x = r->v, .w = r->o.transformed, .b = zeros};
    float *m = r->m;
    const int wide = vectors * VOX_VL;
    for (int p = 0; p < VOX_FEW_POINTS; p++, m += g->y.c * wide) {
        vox_few_fetch(r, next, p, w, vectors);
        if (vectors > 1)
            vox_few_inside(&f, g->y.c, w, (vox_few_to){m, wide});
        else
            vox_few_rest(&f, g->y.c, w, (vox_few_to){m, wide});
        f.x += (ptrdiff_t)g->x.c * r->width;
        f.w += 3 * (ptrdiff_t)g->x.c * VOX_BLOCK;
    }
}

static inline void vox_few_points(const vox_few_run *r, const vox_few_rows *in) {
    for (int c = 0; c < r->g->x.c; c++)
        vox_few_points_row(r, in, c * vox_plane_floats(&r->g->x), r->v + (ptrdiff_t)c * r->width + r->left);
}

/* ---- rare tiles ------------------------------------------------------------------------------ */

enum { VOX_FEW_SUMS = VOX_FEW_TILE * VOX_FEW_TILE }; /* rows of outputs */

/* What a tile is like that has sums which are not finite. */
typedef struct vox_few_rare {
    vox_few_rows in;
    vox_scale scale;
    int spoilt, first; /* an input is not finite; the first column that has such */
    int dense;         /* columns from the first on, whole vectors, each of which has such */
    int shift;
} vox_few_rare;

/* Column w and those of its vector; returns which lanes hold what is not finite, a bit each. */
static inline unsigned vox_few_look_at(const vox_few_run *r, const vox_few_rows *in, int w, vox_v *most) {
    const vox_dims *x = &r->g->x;
    vox_v bad = vox_zero(), largest = *most;
    for (int p = 0; p < VOX_FEW_POINTS; p++)
        for (int c = 0; in->row[p] && c < x->c; c++) {
            const vox_v v = vox_load_within(in->row[p] + c * vox_plane_floats(x), w, x->w), size = vox_abs(v);
            largest = vox_max(vox_select(size < vox_set(INFINITY), size, vox_zero()), largest);
            bad = vox_fma(v, vox_zero(), bad);
        }
    *most = largest;
    return vox_bits(bad != bad);
}
VOX_NOINLINE vox_few_rare vox_few_look(const vox_few_run *r, const vox_few_rows *in) {
    vox_few_rare rare = {.in = *in};
    vox_v most = vox_zero();
    for (int w = 0; w < r->g->x.w; w += VOX_VL) {
        const unsigned bad = vox_few_look_at(r, in, w, &most);
        if (bad && !rare.spoilt) rare.spoilt = 1, rare.first = w + __builtin_ctz(bad);
        if (bad && rare.dense == w) rare.dense = w + VOX_VL;
    }
    float lanes[VOX_VL];
    vox_store(lanes, most);
    rare.shift = vox_shift_of(vox_largest(lanes, VOX_VL), !rare.spoilt);
    rare.scale = vox_scale_of(rare.shift);
    return rare;
}
/* Whether it is certain that one of the outputs [w, w + n) is not finite. If not, some may be. */
static inline int vox_few_is_spoilt(const vox_few_run *r, const vox_few_rare *rare, int w, int n) {
    const int first = rare->first + r->g->pad[2] - w, last = first - 2 * r->g->dilation[2]; /* by taps 0, 2 */
    return rare->spoilt && ((first >= 0 && first < n) || (last >= 0 && last < n));
}
/* Whether it is certain that in each of the first `vectors` vectors of outputs one is not finite: that of
 * the column with the same number. */
static inline int vox_few_all_spoilt(const vox_few_run *r, const vox_few_rare *rare, int vectors) {
    const int pad = r->g->pad[2], step = r->g->dilation[2], n = vectors * VOX_VL;
    const int has_tap = pad == 0 || pad == step || pad == 2 * step;
    return has_tap && n <= r->g->y.w && n <= rare->dense;
}

/* Which of the three taps at the outputs w .. meet infinities in row p of inputs. */
static inline vox_met vox_few_row_meet(const vox_few_run *r, const float *x, int at) {
    const int step = r->g->dilation[2], extent = r->g->x.w;
    vox_v v[3];
    if (!x) return (vox_met){{0}, {0}};
    for (int k = 0; k < 3; k++)
        v[k] = at >= 0 && at + 2 * step + VOX_VL <= extent ? vox_load(x + at + k * step)
                                                           : vox_load_within(x, at + k * step, extent);
    return vox_met_join(vox_met_by(v[0]), vox_met_by(v[1]), vox_met_by(v[2]), 1);
}
/* Which taps of the outputs w .. of each row meet infinities of one input channel; returns whether any does.
 * Without branches by rows: which of them are hit nobody can predict. */
static inline int vox_few_meet(const vox_few_run *r, const vox_few_rows *in, int channel, int w,
                               vox_met met[VOX_FEW_SUMS]) {
    enum { N = VOX_FEW_LINE, T = VOX_FEW_TILE };
    const ptrdiff_t from = channel * vox_plane_floats(&r->g->x);
    vox_met row[N], column[N][T];
    vox_vi any = {0};
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            const float *x = in->row[i * N + j];
            row[j] = vox_few_row_meet(r, x ? x + from : NULL, w - r->g->pad[2]);
            any |= row[j].plus | row[j].minus;
        }
        for (int j = 0; j < T; j++) column[i][j] = vox_met_join(row[j], row[j + 1], row[j + 2], 3);
    }
    if (!vox_any_int(any)) return 0;
    for (int i = 0; i < T; i++)
        for (int j = 0; j < T; j++)
            met[i * T + j] = vox_met_join(column[i][j], column[i + 1][j], column[i + 2][j], 9);
    return 1;
}

/* What infinite and NaN inputs make of the outputs w .. of every channel. */
VOX_NOINLINE void vox_few_spoil(const vox_few_run *r, const vox_few_rows *in, int w,
                                vox_ends (*ends)[VOX_FEW_SUMS]) {
    const vox_winograd *g = r->g;
    const float *signs = r->o.transformed + (ptrdiff_t)VOX_FEW_POINTS * 3 * g->x.c * VOX_BLOCK;
    const unsigned all = vox_bits(vox_set_int(-1));
    unsigned left = (1u << VOX_FEW_SUMS) - 1; /* rows in which not all is NaN yet */
    memset(ends, 0, (size_t)g->y.c * sizeof *ends);
    for (int i = 0; i < g->x.c && left; i++, signs += 2 * VOX_BLOCK) {
        vox_met met[VOX_FEW_SUMS];
        int32_t up[VOX_BLOCK], down[VOX_BLOCK];
        if (!vox_few_meet(r, in, i, w, met)) continue;
        memcpy(up, signs, sizeof up), memcpy(down, signs + VOX_BLOCK, sizeof down);
        for (unsigned rows = left; rows; rows &= rows - 1) {
            const int o = __builtin_ctz(rows);
            unsigned nan = all;
            for (int c = 0; c < g->y.c; c++) {
                ends[c][o] = vox_ends_add(ends[c][o], met[o], vox_set_int(up[c]), vox_set_int(down[c]));
                nan &= vox_bits(vox_ends_nan(ends[c][o]));
            }
            if (nan == all) left &= ~(1u << o);
        }
    }
}

/* Those of the outputs w .. of some vectors and all channels that are in `which`, a bit each. */
VOX_NOINLINE void vox_few_outputs_rare(const vox_few_run *r, const vox_few_rare *rare, int w, int vectors,
                                       uint64_t which) {
    const vox_winograd *g = r->g;
    const ptrdiff_t step = (ptrdiff_t)g->y.c * vectors * VOX_VL;
    for (int v = 0; v < vectors; v++) {
        const int from = w + v * VOX_VL, n = vox_min_int(g->y.w - from, VOX_VL);
        vox_ends ends[VOX_FEW_MOST][VOX_FEW_SUMS];
        if (rare->spoilt) vox_few_spoil(r, &rare->in, from, ends);
        for (int c = 0; c < g->y.c; c++) {
            const int i = c * vectors + v;
            float sums[VOX_FEW_SUMS * VOX_VL];
            if (!(which >> i & 1)) continue;
            vox_few_outputs_vector(r->m + i * VOX_VL, step, sums);
            for (int o = 0; o < VOX_FEW_SUMS; o++) {
                const vox_v y = vox_untame(vox_load(sums + o * VOX_VL), &rare->scale);
                vox_store(sums + o * VOX_VL, rare->spoilt ? vox_ends_apply(ends[c][o], y) : y);
            }
            vox_few_put(r, &rare->in, c, (vox_few_span){from, n}, sums);
        }
    }
}

/* ---- a tile ---------------------------------------------------------------------------------- */

/* Puts what is finite of the outputs of some vectors from w on; returns what is not: those of channel c,
 * vector v at bit c * vectors + v. */
static inline uint64_t vox_few_outputs_all(const vox_few_run *r, const vox_few_rows *in, int w, int vectors) {
    const ptrdiff_t step = (ptrdiff_t)r->g->y.c * vectors * VOX_VL;
    uint64_t bad = 0;
    for (int i = 0; i < r->g->y.c * vectors; i++) {
        const int from = w + i % vectors * VOX_VL;
        const vox_few_span at = {from, vox_min_int(r->g->y.w - from, VOX_VL)};
        if (!vox_few_outputs(r, in, i / vectors, r->m + i * VOX_VL, step, at)) bad |= (uint64_t)1 << i;
    }
    return bad;
}
static inline void vox_few_points_rare(const vox_few_run *r, vox_few_rare *rare) {
    rare->in.scale = &rare->scale;
    vox_few_points(r, &rare->in);
}

/* From the first vectors on that have sums which are not finite the tile is a rare one. Where the tile before
 * was spoilt, this one is looked at first, so that what is spoilt is not multiplied in vain. As in
 * vox_tile_look that changes no bit: outputs of those vectors that are put already are put again, or where y
 * overwrites the skip, so that they cannot be, what would be scaled is foreseen only if none of them is put.
 * Returns whether an input is not finite. */
static inline int vox_few_item(const vox_few_run *r, const vox_few_rows *in, const vox_few_rows *next,
                               int wary) {
    const vox_winograd *g = r->g;
    const int most = vox_few_vectors(g->y.c), first = g->y.w >= most * VOX_VL ? most : 1;
    const int again = r->o.skip != r->o.y;
    vox_few_rare rare = {.spoilt = 0};
    if (wary) rare = vox_few_look(r, in);
    const int foreseen =
        again ? vox_few_is_spoilt(r, &rare, 0, first * VOX_VL) : vox_few_all_spoilt(r, &rare, first);
    int is_rare = rare.spoilt && (!rare.shift || foreseen);
    is_rare ? vox_few_points_rare(r, &rare) : vox_few_points(r, in);
    for (int w = 0, vectors; w < g->y.w; w += vectors * VOX_VL) {
        vectors = g->y.w - w >= most * VOX_VL ? most : 1;
        if (!is_rare && again && vox_few_is_spoilt(r, &rare, w, vectors * VOX_VL))
            is_rare = 1, vox_few_points_rare(r, &rare);
        vox_few_products(r, next, w, vectors);
        uint64_t bad = is_rare ? ~(uint64_t)0 : vox_few_outputs_all(r, in, w, vectors);
        if (bad && !is_rare) {
            if (!wary) rare = vox_few_look(r, in);
            vox_few_points_rare(r, &rare);
            vox_few_products(r, next, w, vectors);
            is_rare = 1;
            if (rare.spoilt && again) bad = ~(uint64_t)0;
        }
        if (bad) vox_few_outputs_rare(r, &rare, w, vectors, bad);
    }
    return is_rare && rare.spoilt;
}

VOX_KERNEL void vox_f32_winograd_few(const vox_winograd *g, vox_conv_operands o, vox_range range, int worker,
                                     int *next) {
    vox_few_run r = {.g = g, .o = o, .range = range, .skip_dims = vox_skip_dims(&g->y, g->skip_ring)};
    r.width = vox_few_width(g), r.left = vox_few_left(g);
    const size_t points = (size_t)VOX_FEW_POINTS * (size_t)g->x.c * (size_t)r.width;
    r.v = vox_worker_scratch(g, &o, worker), r.m = r.v + points;
    const ptrdiff_t bytes = vox_plane_floats(&g->y) * g->y.n * g->y.c * (ptrdiff_t)sizeof *o.y;
    const int aligned = g->y.w % VOX_BLOCK == 0 && (uintptr_t)o.y % (VOX_BLOCK * sizeof *o.y) == 0;
    r.past = bytes > VOX_FEW_LARGE && aligned;
    memset(r.v, 0, points * sizeof *r.v);
    const int nd = vox_few_tiles(range.end - range.begin, g->dilation[0]),
              nh = vox_few_tiles(g->y.h, g->dilation[1]);
    const int items = g->x.n * nd * nh;
    for (int item, wary = 0; (item = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < items;) {
        const vox_few_rows in = vox_few_rows_of(&r, item, nd, nh);
        const vox_few_rows guess = vox_few_rows_of(&r, vox_min_int(item + g->workers, items - 1), nd, nh);
        wary = vox_few_item(&r, &in, &guess, wary);
    }
    vox_store_past_end();
}

#endif
