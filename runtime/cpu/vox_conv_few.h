/* SPDX-License-Identifier: MIT-0 */
/* vox_conv_few.h: rows of a plain convolution with few output channels, positions along W as vector lanes.
 *
 * A block of 16 channels would leave lanes empty: 5 of 16 waste two thirds of the arithmetic. Here a tile is
 * all output channels x some vectors of positions; inputs are vector loads, shared by the channels, weights
 * are broadcast. Reads outside the row are masked. A sum's order is kd, kh, ic, kw, wherever the tile stands.
 */
#ifndef VOX_CONV_FEW_H
#define VOX_CONV_FEW_H

#include "vox_conv_walk.h"

/* X(channels, vectors): sums, inputs and a weight fit the registers; at least four sums hide the latency of a
 * multiply-add. */
#if VOX_LANES == 16
#define VOX_FEW_TILES(X)                                                                                     \
    X(1, 4) X(2, 4) X(3, 4) X(4, 4) X(5, 4) X(6, 4) X(7, 3) X(8, 3) X(9, 2) X(10, 2) X(11, 2) X(12, 2)
#else
#define VOX_FEW_TILES(X)                                                                                     \
    X(1, 4) X(2, 4) X(3, 3) X(4, 3) X(5, 2) X(6, 2) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1)
#endif
#define VOX_FEW_COUNT(OC, NV) +((OC) <= VOX_FEW_MOST && (NV) <= VOX_FEW_VECTORS ? 1 : 2 * VOX_FEW_MOST)
_Static_assert((VOX_FEW_TILES(VOX_FEW_COUNT)) == VOX_FEW_MOST, "each number of channels has its tile");
#undef VOX_FEW_COUNT

/* A row of outputs. Of the walk it reads taps, turn, ic and the strides of x and w. */
typedef struct vox_few {
    const vox_walk *walk;
    const vox_axis *axis; /* W; move and every are 1 */
    const float *x, *w;   /* at the row's first valid tap along D and H, position and tap 0 along W */
    const float *b;
    const float *skip; /* added; of the first channel; NULL: nothing */
    ptrdiff_t skip_channel;
} vox_few;

/* Where outputs go: of the first channel, and floats from channel to channel. */
typedef struct vox_few_to {
    float *y;
    ptrdiff_t channel;
} vox_few_to;

/* y = max(low, start + sum), where start is y itself or, at first, the bias; sum = 0. */
VOX_INLINE void vox_few_flush(const int oc, const int nv, float low, const float *b,
                              vox_v (*sum)[VOX_FEW_VECTORS], vox_few_to y) {
    VOX_UNROLL
    for (int c = 0; c < oc; c++) {
        VOX_UNROLL
        for (int v = 0; v < nv; v++) {
            float *to = y.y + c * y.channel + v * VOX_VL;
            const vox_v start = b ? vox_set(b[c]) : vox_load(to);
            vox_store(to, vox_max(vox_set(low), start + sum[c][v]));
            sum[c][v] = vox_zero();
        }
    }
}

/* `oc` channels of nv vectors of outputs from output j of the row on. inside: no tap reads beside the row. */
VOX_INLINE void vox_few_tile(const int oc, const int nv, const int inside, const vox_few *f, int j,
                             vox_few_to y) {
    const vox_walk *t = f->walk;
    const vox_axis *ax = f->axis;
    const float *b = f->skip ? NULL : f->b;
    vox_v sum[VOX_FEW_MOST][VOX_FEW_VECTORS];
    VOX_UNROLL
    for (int c = 0; c < oc; c++) {
        VOX_UNROLL
        for (int v = 0; v < nv; v++) sum[c][v] = vox_zero();
    }
    for (int row = 0, run = 0; row < t->taps[0] * t->taps[1]; row++) {
        const int kd = row / t->taps[1], kh = row % t->taps[1];
        const float *x = f->x + kd * t->x_tap[0] + (kd < t->turn ? 0 : t->x_turn) + kh * t->x_tap[1];
        const float *w = f->w + kd * t->w_tap[0] + kh * t->w_tap[1];
        for (int i = 0; i < t->ic; i++, x += t->x_lane, w += VOX_BLOCK) {
            const float *wk = w;
            int at = ax->at + j;
            for (int k = 0; k < ax->taps; k++, at += ax->step, wk += t->w_tap[2]) {
                vox_v xv[VOX_FEW_VECTORS];
                VOX_UNROLL
                for (int v = 0; v < nv; v++)
                    xv[v] = inside ? vox_load(x + at + v * VOX_VL)
                                   : vox_load_within(x, at + v * VOX_VL, ax->extent);
                VOX_UNROLL
                for (int c = 0; c < oc; c++) {
                    const vox_v wv = vox_set(wk[c]);
                    VOX_UNROLL
                    for (int v = 0; v < nv; v++) sum[c][v] = vox_fma(wv, xv[v], sum[c][v]);
                }
            }
        }
        run += ax->taps * t->ic;
        if (run < t->run || row + 1 == t->taps[0] * t->taps[1]) continue;
        vox_few_flush(oc, nv, -INFINITY, b, sum, y);
        b = NULL;
        run = 0;
    }
    vox_few_flush(oc, nv, t->low, b, sum, y);
}

/* The tiles: all vectors of them, or one. */
#define VOX_FEW_INSIDE(OC, NV)                                                                               \
    case OC:                                                                                                 \
        vox_few_tile(OC, NV, 1, f, j, y);                                                                    \
        break;
#define VOX_FEW_BORDER(OC, NV)                                                                               \
    case OC:                                                                                                 \
        vox_few_tile(OC, NV, 0, f, j, y);                                                                    \
        break;
#define VOX_FEW_REST(OC, NV)                                                                                 \
    case OC:                                                                                                 \
        vox_few_tile(OC, 1, 0, f, j, y);                                                                     \
        break;
#define VOX_FEW_WIDTH(OC, NV) NV,
VOX_NOINLINE void vox_few_inside(const vox_few *f, int oc, int j, vox_few_to y) {
    switch (oc) { VOX_FEW_TILES(VOX_FEW_INSIDE) }
}
VOX_NOINLINE void vox_few_border(const vox_few *f, int oc, int j, vox_few_to y) {
    switch (oc) { VOX_FEW_TILES(VOX_FEW_BORDER) }
}
VOX_NOINLINE void vox_few_rest(const vox_few *f, int oc, int j, vox_few_to y) {
    switch (oc) { VOX_FEW_TILES(VOX_FEW_REST) }
}

/* How many vectors a tile of so many channels has. */
static inline int vox_few_vectors(int oc) {
    static const int vectors[] = {VOX_FEW_TILES(VOX_FEW_WIDTH)};
    return vectors[oc - 1];
}

/* With something to add, the sums of n outputs start from y. */
static inline void vox_few_start(const vox_few *f, int oc, int j, int n, vox_few_to y) {
    for (int c = 0; c < oc; c++)
        for (int i = 0; i < n; i++) y.y[c * y.channel + i] = f->skip[c * f->skip_channel + j + i] + f->b[c];
}

/* All outputs of a row, `oc` channels; slope of the first channel, or NULL. */
static inline void vox_few_row(const vox_few *f, const vox_epilogue *ep, int oc, const float *slope,
                               vox_few_to y) {
    const vox_axis *ax = f->axis;
    const int reach = (ax->taps - 1) * ax->step, wide = vox_few_vectors(oc) * VOX_VL;
    const int low = ax->at + vox_min_int(reach, 0), high = ax->at + vox_max_int(reach, 0);
    const int activate = ep->act != VOX_ACT_NONE && ep->act != VOX_ACT_RELU;
    for (int j = 0, n; j < ax->n; j += n, y.y += n) {
        float rest[VOX_FEW_MOST * VOX_VL];
        n = vox_min_int(ax->n - j, ax->n - j >= wide ? wide : VOX_VL);
        if (f->skip && n >= VOX_VL) vox_few_start(f, oc, j, n, y);
        if (n < VOX_VL) {
            const vox_few_to padded = {rest, VOX_VL};
            if (f->skip) memset(rest, 0, sizeof rest), vox_few_start(f, oc, j, n, padded);
            vox_few_rest(f, oc, j, padded);
            for (int c = 0; c < oc; c++)
                memcpy(y.y + c * y.channel, rest + c * VOX_VL, (size_t)n * sizeof *y.y);
        } else if (n < wide) {
            vox_few_rest(f, oc, j, y);
        } else if (low + j >= 0 && high + j + n <= ax->extent) {
            vox_few_inside(f, oc, j, y);
        } else {
            vox_few_border(f, oc, j, y);
        }
        for (int c = 0; activate && c < oc; c++)
            vox_activate_run(ep, slope ? slope[c] : 0, y.y + c * y.channel, y.y + c * y.channel, n);
    }
}

/* Whether tiles of this kind fill more lanes than blocks of 16 channels, for rows of n outputs. */
static inline int vox_few_pays(int channels, int n) {
    return channels <= VOX_FEW_MOST && vox_parts(n, VOX_VL) * VOX_VL * channels <= n * VOX_BLOCK;
}

#endif
