/* SPDX-License-Identifier: MIT-0 */
/* vox_conv.h: direct 3-D convolution and transposed convolution (vox_f32_conv, vox_f32_conv_transpose).
 *
 * One register tile does all the arithmetic: `n` output positions along W x one or two blocks of 16 output
 * channels; inputs are broadcast, weights are vector loads, sums stay in registers over all taps and the
 * chunk's channels. It walks by signed strides, so that stride, dilation and each residue class of a
 * transposed convolution (output o reads input (o + pad - k*dilation) / stride for every stride/gcd-th tap k,
 * backwards) are only other numbers. Padding is never copied: D and H taps are cut to the valid range per
 * row, and W is cut into segments in which the range of valid W taps is constant. A sum's order is kd, kh,
 * kw, ic within each chunk of channels: no split changes it.
 *
 * Choosing the numbers. A task walks: chunk of input channels, pair of output blocks, residue class, plane,
 * row.
 * - chunk_ic: the weights of one pair and chunk (taps of a residue class x chunk_ic x 32 floats; half of that
 * where the tile has one block) are read from L2 once per tile: keep them at or below 512 KiB, in equal
 * chunks. 768 -> 256 channels, 3x3x3, AVX-512: 117 GFLOP/s unsplit (2.6 MiB), 147 in chunks of 128 (442 KiB),
 * 142 of 32. Smaller chunks only add passes over the sums: 192 -> 64 runs at 159 unsplit, 154 by 64, 137
 * by 16. Plain results are never chunked, whatever chunk_ic says.
 * - task_oc: 2. x is read again per pair, which is cheap (each value serves 32 x taps products), and more
 * tasks spread better.
 * - task_h: rows share their inputs with the next ones: 8 or more. All of them where W is below a tile's
 * width.
 * - task_d: 1, unless a task would have less than some million products.
 * Measured on one busy core of a Sapphire Rapids Xeon: only proportions count. Of the FMA peak of the same
 * minute (AVX-512 243, AVX2 129 GFLOP/s), best of many: 3x3x3 32 -> 64 88 % and 85 %, 192 -> 64 86 % and 88
 * %, 128 -> 128 88 % and 90 %, 3 plain -> 32 65 % and 60 %, 2x2x2 transposed 512 -> 512 73 % and 69 %; gcc 12
 * and clang 14 alike.
 */
#ifndef VOX_CONV_H
#define VOX_CONV_H

#include "vox_around.h"
#include "vox_conv_few.h"
#include "vox_conv_tile.h"

/* One or two blocks of output channels of one task, one chunk of input channels, one residue class. */
typedef struct vox_conv_part {
    const vox_conv *g;
    vox_axis axis[3];
    vox_walk walk;
    ptrdiff_t x_step[3], w_step[3], y_step[3]; /* floats per unit of D, H, W (w: per tap) */
    const float *x, *w, *b, *slope;            /* at this n, channel, chunk; b never NULL */
    float *y;          /* blocked: at this n and block; plain: at this n and first channel */
    const float *skip; /* as y; NULL: nothing to add, or in the first chunk only */
    vox_dims skip_dims;
    int blocks, channels; /* of output */
    int first_chunk, last_chunk;
    int few, thin;          /* 1: row by row, without the tile */
    vox_tile_fn *tile;      /* NULL if few or thin */
    const vox_terms *terms; /* of x's blocks, if they are normalised on load */
    double *sums;           /* of y's blocks in the task's slot, if they are gathered */
} vox_conv_part;

/* The tile of `width` outputs whose inputs, of a pointwise convolution, are normalised first. */
VOX_NOINLINE void vox_conv_normal_tile(const vox_conv_part *p, int width, const float *x, const float *w,
                                       const float *from, float *y) {
    float stage[VOX_AROUND_MOST * VOX_TILE_W];
    vox_walk walk = p->walk;
    walk.x_block = VOX_TILE_W * VOX_BLOCK;
    for (int b = 0; b < vox_parts(walk.ic, VOX_BLOCK); b++)
        vox_terms_run(&p->terms[b], x + b * p->walk.x_block, stage + b * walk.x_block, width);
    p->tile(&walk, width, stage, w, from, y);
}

/* Plain output: finished sums of n positions, kept as blocks of 16 in `sums`, go to their channels. */
static inline void vox_conv_scatter(const vox_conv_part *p, const float *sums, float *y, int n) {
    const ptrdiff_t plane = vox_plane_floats(&p->g->y), step = p->axis[2].every;
    for (int c = 0; c < p->channels; c++)
        for (int r = 0; r < n; r++)
            y[c * plane + r * step] = sums[(c / VOX_BLOCK * VOX_TILE_W + r) * VOX_BLOCK + c % VOX_BLOCK];
}

static inline void vox_conv_finish(const vox_conv_part *p, float *y, int n) {
    const vox_epilogue *ep = &p->g->ep;
    for (int i = 0; i < p->blocks; i++)
        for (int r = 0; r < n; r++) {
            float *at = y + i * p->walk.y_block + r * p->walk.y_pos;
            vox_activate_blocks(ep, p->slope ? p->slope + i * VOX_BLOCK : NULL, at, at, 1);
        }
}

/* Few channels: by row, not by block, most of whose lanes are empty. deepbrain's last layer, 1 channel with a
 * sigmoid: 15.0 ms of CPU per pair of threads before, 8.3 after. */
static inline void vox_conv_finish_plain(const vox_conv_part *p, float *y, int n) {
    for (int c = 0; c < p->channels; c++, y += vox_plane_floats(&p->g->y))
        vox_activate_run(&p->g->ep, p->slope ? p->slope[c] : 0.0f, y, y, n);
}

/* Where the sums of n outputs start if there is something to add: bias + skip, blocks VOX_TILE_W positions
 * apart. */
static inline void vox_conv_start(const vox_conv_part *p, const float *skip, int n, float *start) {
    const ptrdiff_t step = p->axis[2].every, channel = vox_plane_floats(&p->skip_dims);
    for (int i = 0; p->g->y.block && i < p->blocks; i++)
        for (int r = 0; r < n; r++)
            for (int lane = 0; lane < VOX_BLOCK; lane += VOX_VL)
                vox_store(start + (i * VOX_TILE_W + r) * VOX_BLOCK + lane,
                          vox_load(skip + VOX_BLOCK * (i * channel + r * step) + lane) +
                              vox_load(p->b + i * VOX_BLOCK + lane));
    if (p->g->y.block) return;
    memset(start, 0, (size_t)(p->blocks * VOX_TILE_W * VOX_BLOCK) * sizeof *start);
    for (int c = 0; c < p->channels; c++)
        for (int r = 0; r < n; r++)
            start[(c / VOX_BLOCK * VOX_TILE_W + r) * VOX_BLOCK + c % VOX_BLOCK] =
                skip[c * channel + r * step] + p->b[c];
}

/* n outputs of a row with the same taps, from output j on; skip: what is added to them, or NULL. */
static inline void vox_conv_segment(const vox_conv_part *p, const float *x, const float *w, const float *skip,
                                    float *y, int n) {
    const int tiles = vox_parts(n, VOX_TILE_W), plain = p->g->y.block == 0;
    const int activate = p->last_chunk && p->g->ep.act != VOX_ACT_NONE && p->g->ep.act != VOX_ACT_RELU;
    const ptrdiff_t y_pos = p->y_step[2] * p->axis[2].every;
    const ptrdiff_t x_pos = p->walk.taps[2] > 0 ? p->walk.x_pos : 0; /* addresses stay inside x */
    float sums[VOX_TILE_V * VOX_TILE_W * VOX_BLOCK], start[VOX_TILE_V * VOX_TILE_W * VOX_BLOCK];
    for (int i = 0, r = 0; i < tiles; i++) {
        const int width = n / tiles + (i < n % tiles);
        float *to = plain ? sums : y + r * y_pos;
        const float *from = skip ? start : p->first_chunk ? p->b : to;
        if (skip) vox_conv_start(p, skip + r * y_pos, width, start);
        p->terms ? vox_conv_normal_tile(p, width, x + r * x_pos, w, from, to)
                 : p->tile(&p->walk, width, x + r * x_pos, w, from, to);
        const int later = plain && p->axis[2].every == 1 && p->channels < width;
        if (activate && !later) vox_conv_finish(p, to, width);
        if (plain) vox_conv_scatter(p, sums, y + r * y_pos, width);
        if (activate && later) vox_conv_finish_plain(p, y + r * y_pos, width);
        r += width;
    }
}

/* Few channels whose positions do not follow each other in x or y (strides): one channel's row, vectorised
 * along W. Sums in the tile's order. x, w, skip, y: at the row, its first valid tap, the channel. */
static inline void vox_conv_thin_row(const vox_conv_part *p, const float *x, const float *w,
                                     const float *skip, float *y, int lane) {
    enum { RUN = 64 };
    const vox_axis *ax = &p->axis[2];
    const vox_walk *t = &p->walk;
    for (int begin = 0; begin < ax->n; begin += RUN) {
        const int n = vox_min_int(ax->n - begin, RUN);
        float sum[RUN];
        for (int j = 0; j < n; j++)
            sum[j] = p->b[lane] + (skip ? skip[ax->first + (ptrdiff_t)(begin + j) * ax->every] : 0.0f);
        for (int k = 0; k < t->taps[0] * t->taps[1] * ax->taps; k++) {
            const int kw = k % ax->taps, kh = k / ax->taps % t->taps[1], kd = k / ax->taps / t->taps[1];
            const int at = ax->at + kw * ax->step;
            const int first = vox_max_int(begin, vox_ceil_div(-at, ax->move));
            const int last = vox_min_int(begin + n, vox_floor_div(ax->extent - 1 - at, ax->move) + 1);
            if (first >= last) continue;
            const float *xt = x + kd * t->x_tap[0] + (kd < t->turn ? 0 : t->x_turn) + kh * t->x_tap[1] + at +
                              (ptrdiff_t)first * ax->move;
            const float *wt = w + kd * t->w_tap[0] + kh * t->w_tap[1] +
                              (ax->tap + (ptrdiff_t)kw * ax->tap_step) * p->w_step[2];
            for (int i = 0; i < t->ic; i++, xt += t->x_lane)
                for (int j = 0; j < last - first; j++)
                    sum[first - begin + j] += wt[i * VOX_BLOCK] * xt[(ptrdiff_t)j * ax->move];
        }
        vox_activate_run(&p->g->ep, p->slope ? p->slope[lane] : 0.0f, sum, sum, n);
        for (int j = 0; j < n; j++) y[ax->first + (ptrdiff_t)(begin + j) * ax->every] = sum[j];
    }
}

/* The same from contiguous positions: all channels at once. */
static inline void vox_conv_few_row(const vox_conv_part *p, const float *x, const float *w, const float *skip,
                                    float *y) {
    const vox_axis *ax = &p->axis[2];
    const vox_few f = {.walk = &p->walk,
                       .axis = ax,
                       .x = x,
                       .w = w + ax->tap * p->w_step[2],
                       .b = p->b,
                       .skip = skip ? skip + ax->first : NULL,
                       .skip_channel = vox_plane_floats(&p->skip_dims)};
    vox_few_row(&f, &p->g->ep, p->channels, p->slope,
                (vox_few_to){y + ax->first, vox_plane_floats(&p->g->y)});
}

/* Where the valid D taps, from plane z on, come to the end of a ring. */
static inline void vox_conv_set_turn(vox_conv_part *p, int z) {
    const vox_dims *t = &p->g->x;
    const int step = p->axis[0].step, at = vox_plane_of(t, z);
    p->walk.turn = p->walk.taps[0];
    if (t->ring <= 0 || step == 0) return;
    const int left = step > 0 ? vox_ceil_div(t->ring - at, step) : vox_floor_div(at, -step) + 1;
    p->walk.turn = vox_min_int(left, p->walk.taps[0]);
    p->walk.x_turn = (step > 0 ? -t->ring : t->ring) * p->x_step[0];
}

/* What is added to output row (d, h), NULL if nothing. */
static inline const float *vox_conv_skip_row(const vox_conv_part *p, int jd, int jh) {
    const vox_axis *d = &p->axis[0], *h = &p->axis[1];
    if (!p->skip) return NULL;
    return p->skip + vox_plane_of(&p->skip_dims, d->first + jd * d->every) * p->y_step[0] +
           (h->first + jh * h->every) * p->y_step[1];
}

/* One row: D and H taps are cut to what is inside x, then W is walked segment by segment. */
static inline void vox_conv_row(vox_conv_part *p, int jd, int jh) {
    const int j[2] = {jd, jh};
    const float *x = p->x, *w = p->w, *skip = vox_conv_skip_row(p, jd, jh);
    float *y = p->y;
    for (int a = 0; a < 2; a++) {
        const vox_axis *ax = &p->axis[a];
        int lo, hi;
        vox_axis_taps(ax, j[a], &lo, &hi);
        const int from = ax->at + j[a] * ax->move + lo * ax->step, to = ax->first + j[a] * ax->every;
        p->walk.taps[a] = hi - lo;
        if (a == 0) vox_conv_set_turn(p, hi > lo ? from : 0);
        if (hi > lo) x += (a == 0 ? vox_plane_of(&p->g->x, from) : from) * p->x_step[a];
        if (hi > lo) w += (ax->tap + lo * ax->tap_step) * p->w_step[a];
        y += (a == 0 ? vox_plane_of(&p->g->y, to) : to) * p->y_step[a];
    }
    if (p->few) vox_conv_few_row(p, x, w, skip, y);
    for (int lane = 0; p->thin && lane < p->channels; lane++)
        vox_conv_thin_row(p, x, w + lane, skip ? skip + lane * vox_plane_floats(&p->skip_dims) : NULL,
                          y + lane * vox_plane_floats(&p->g->y), lane);
    const vox_axis *ax = &p->axis[2];
    for (int from = 0, to; p->tile && from < ax->n; from = to) {
        int lo, hi;
        to = vox_axis_next(ax, from);
        vox_axis_taps(ax, from, &lo, &hi);
        p->walk.taps[2] = hi - lo;
        const ptrdiff_t x_at = hi > lo ? (ax->at + from * ax->move + lo * ax->step) * p->x_step[2] : 0;
        const ptrdiff_t w_at = hi > lo ? (ax->tap + lo * ax->tap_step) * p->w_step[2] : 0;
        const ptrdiff_t y_at = (ax->first + from * ax->every) * p->y_step[2];
        vox_conv_segment(p, x + x_at, w + w_at, skip ? skip + y_at : NULL, y + y_at, to - from);
    }
    for (int i = 0; p->sums && p->last_chunk && i < p->blocks; i++)
        vox_sums_run(y + i * p->walk.y_block + ax->first * p->y_step[2], ax->n, p->sums + i * VOX_SUMS);
}

/* Output blocks [block, block + blocks), counted over all groups, and channels [ic, ic + n_ic) of their
 * group. */
typedef struct vox_conv_chunk {
    int block, blocks, ic, n_ic;
} vox_conv_chunk;

/* Their addresses. */
static inline vox_conv_part vox_conv_part_of(const vox_conv *g, const vox_conv_operands *o,
                                             const vox_conv_box *box, vox_conv_chunk c) {
    static const float zeros[2 * VOX_BLOCK] __attribute__((aligned(64)));
    const int gic = g->x.c / g->group, goc = g->y.c / g->group, per_group = vox_conv_group_blocks(g);
    const int group = c.block / per_group, oc = c.block % per_group * VOX_BLOCK;
    const ptrdiff_t xs = g->x.block ? VOX_BLOCK : 1, ys = g->y.block ? VOX_BLOCK : 1;
    const ptrdiff_t x_plane = vox_plane_floats(&g->x), y_plane = vox_plane_floats(&g->y);
    const ptrdiff_t x_channels = g->x.block ? vox_parts(g->x.c, VOX_BLOCK) * VOX_BLOCK : g->x.c;
    const ptrdiff_t y_channels = g->y.block ? vox_parts(g->y.c, VOX_BLOCK) * VOX_BLOCK : g->y.c;
    const ptrdiff_t tap = (ptrdiff_t)gic * VOX_BLOCK,
                    w_block = (ptrdiff_t)g->kernel[0] * g->kernel[1] * g->kernel[2] * tap;
    vox_conv_part p = {.g = g, .blocks = c.blocks};
    p.x_step[2] = xs, p.x_step[1] = g->x.w * xs, p.x_step[0] = g->x.h * p.x_step[1];
    p.y_step[2] = ys, p.y_step[1] = g->y.w * ys, p.y_step[0] = g->y.h * p.y_step[1];
    p.w_step[2] = tap, p.w_step[1] = g->kernel[2] * tap, p.w_step[0] = g->kernel[1] * p.w_step[1];
    p.x = o->x + (box->n * x_channels + group * gic + c.ic) * x_plane;
    p.y = o->y + (box->n * y_channels + group * goc + oc) * y_plane;
    p.skip_dims = vox_skip_dims(&g->y, g->skip_ring);
    if (o->skip && c.ic == 0)
        p.skip = o->skip + (box->n * y_channels + group * goc + oc) * vox_plane_floats(&p.skip_dims);
    p.w = o->weights + c.block * w_block + (ptrdiff_t)c.ic * VOX_BLOCK;
    p.b = o->bias ? o->bias + (ptrdiff_t)c.block * VOX_BLOCK : zeros;
    p.slope = o->slope ? o->slope + (ptrdiff_t)c.block * VOX_BLOCK : NULL;
    p.channels = vox_min_int(c.blocks * VOX_BLOCK, goc - oc);
    p.first_chunk = c.ic == 0, p.last_chunk = c.ic + c.n_ic == gic;
    p.walk = (vox_walk){.ic = c.n_ic,
                        .run = g->run,
                        .x_lane = g->x.block ? 1 : x_plane,
                        .x_block = VOX_BLOCK * x_plane,
                        .w_block = w_block,
                        .from_block = VOX_BLOCK,
                        .y_block = g->y.block ? VOX_BLOCK * y_plane : VOX_TILE_W * VOX_BLOCK,
                        .low = p.last_chunk && g->ep.act == VOX_ACT_RELU ? 0.0f : -INFINITY};
    return p;
}

static inline int vox_conv_pointwise(const vox_conv *g) {
    int yes = g->x.d == g->y.d && g->x.h == g->y.h && g->x.w == g->y.w;
    for (int a = 0; a < 3; a++) yes = yes && g->kernel[a] == 1 && g->stride[a] == 1 && g->pad[a] == 0;
    return yes;
}

/* Sets the axes to one residue class each, and the steps that depend on them. */
static inline void vox_conv_set_class(vox_conv_part *p, const vox_conv_box *box, int transposed,
                                      const int residue[3]) {
    int begin[3] = {box->range.begin, 0, 0}, end[3] = {box->range.end, p->g->y.h, p->g->y.w};
    if (transposed) {
        begin[0] += box->d[0], end[0] = box->range.begin + box->d[1];
        begin[1] = box->h[0], end[1] = box->h[1];
    }
    for (int a = 0; a < 3; a++) p->axis[a] = vox_conv_axis(p->g, transposed, a, residue[a], begin[a], end[a]);
    if (vox_conv_pointwise(p->g)) { /* the rows of a plane stand one after the other: one long row */
        const int w = p->g->y.w, rows = box->h[1] - box->h[0];
        p->axis[2].first = p->axis[2].at = box->h[0] * w, p->axis[2].n = rows * w;
        p->axis[2].extent = p->g->y.h * w;
        p->axis[1].first = p->axis[1].at = 0, p->axis[1].n = 1;
    }
    for (int a = 0; a < 3; a++) {
        p->walk.x_tap[a] = p->axis[a].step * p->x_step[a];
        p->walk.w_tap[a] = p->axis[a].tap_step * p->w_step[a];
    }
    p->walk.x_pos = p->axis[2].move * p->x_step[2];
    p->walk.y_pos = p->g->y.block ? p->axis[2].every * p->y_step[2] : VOX_BLOCK;
    p->walk.from_pos = p->skip ? VOX_BLOCK : p->first_chunk ? 0 : p->walk.y_pos;
    if (p->skip) p->walk.from_block = VOX_TILE_W * VOX_BLOCK;
    if (!p->first_chunk) p->walk.from_block = p->walk.y_block;
    const int plain = p->g->x.block == 0 && p->g->y.block == 0, channels = p->g->y.c / p->g->group;
    const int contiguous = p->axis[2].move == 1 && p->axis[2].every == 1;
    p->few = plain && contiguous &&
             vox_few_pays(channels, vox_conv_pointwise(p->g) ? p->g->y.h * p->g->y.w : p->g->y.w);
    p->thin = plain && !p->few && p->g->group > 1 && channels <= 4;
    p->tile = p->few || p->thin ? NULL : vox_conv_tile_for(p->blocks, p->walk.x_pos);
}

/* Every residue class in turn. */
static inline void vox_conv_transposed_rows(vox_conv_part *p, const vox_conv_box *box) {
    const int *s = p->g->stride;
    for (int class = 0; class < s[0] * s[1] * s[2]; class ++) {
        const int residue[3] = {class / s[2] / s[1], class / s[2] % s[1], class % s[2]};
        vox_conv_set_class(p, box, 1, residue);
        for (int jd = 0; jd < p->axis[0].n; jd++)
            for (int jh = 0; jh < p->axis[1].n; jh++) vox_conv_row(p, jd, jh);
    }
}

static inline void vox_conv_rows(vox_conv_part *p, const vox_conv_box *box) {
    vox_conv_set_class(p, box, 0, (const int[3]){0, 0, 0});
    const int one_row = vox_conv_pointwise(p->g), last = one_row ? box->h[0] + 1 : box->h[1];
    for (int d = box->d[0]; d < box->d[1]; d++)
        for (int h = box->h[0]; h < last; h++)
            vox_conv_row(p, vox_conv_turn(d, p->axis[0].n, p->g->dilation[0]),
                         one_row ? 0 : vox_conv_turn(h, p->axis[1].n, p->g->dilation[1]));
}

/* The task's slot (by planes and rows), its blocks emptied; NULL: nothing is gathered. */
static inline double *vox_conv_slot(const vox_conv *g, const vox_around *around, const vox_conv_box *box) {
    if (!around || !around->sums) return NULL;
    const int blocks = vox_conv_group_blocks(g) * g->group;
    const int slot = box->d[0] / g->task_d * vox_parts(g->y.h, g->task_h) + box->h[0] / g->task_h;
    double *sums = vox_sums_slot(around, blocks, box->range.begin, slot);
    memset(sums + (ptrdiff_t)box->oc[0] * VOX_SUMS, 0,
           (size_t)(box->oc[1] - box->oc[0]) * VOX_SUMS * sizeof *sums);
    return sums;
}

/* around: o's, apart, so that callers without one leave its code out. */
VOX_NOINLINE void vox_conv_task(const vox_conv *g, const vox_conv_operands *o, const vox_around *around,
                                int transposed, vox_conv_box box) {
    const int gic = g->x.c / g->group, per_group = vox_conv_group_blocks(g);
    double *sums = vox_conv_slot(g, around, &box);
    vox_terms terms[VOX_AROUND_MOST / VOX_BLOCK];
    const int normal = around && around->terms;
    for (int c = 0; normal && c < g->x.c; c += VOX_BLOCK)
        terms[c / VOX_BLOCK] = vox_terms_of(around, box.n, c, g->x.c);
    int chunk = g->y.block && g->chunk_ic > 0 ? vox_parts(g->chunk_ic, VOX_BLOCK) * VOX_BLOCK : gic;
    if (chunk > gic) chunk = gic;
    for (int ic = 0; ic < gic; ic += chunk) {
        for (int oc = box.oc[0], blocks; oc < box.oc[1]; oc += blocks) {
            const int left = vox_min_int(box.oc[1] - oc, per_group - oc % per_group);
            blocks = vox_min_int(left, VOX_TILE_V);
            const vox_conv_chunk part = {oc, blocks, ic, vox_min_int(chunk, gic - ic)};
            vox_conv_part p = vox_conv_part_of(g, o, &box, part);
            p.terms = normal ? terms + ic / VOX_BLOCK : NULL;
            p.sums = sums ? sums + (ptrdiff_t)oc * VOX_SUMS : NULL;
            if (transposed)
                vox_conv_transposed_rows(&p, &box);
            else
                vox_conv_rows(&p, &box);
        }
    }
}

VOX_INLINE void vox_f32_conv(const vox_conv *g, vox_conv_operands o, vox_range range, int task) {
    const vox_around *around = o.around.terms || o.around.sums ? &o.around : NULL;
    vox_conv_task(g, &o, around, 0, vox_conv_box_of(g, range, task));
}
VOX_INLINE void vox_f32_conv_transpose(const vox_conv *g, vox_conv_operands o, vox_range range, int task) {
    vox_conv_task(g, &o, NULL, 1, vox_conv_box_of(g, range, task));
}

#endif
