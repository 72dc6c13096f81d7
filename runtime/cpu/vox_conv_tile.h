/* SPDX-License-Identifier: MIT-0 */
/* vox_conv_tile.h: the register tiles of direct convolutions, by width: output positions along W x one or two
 * blocks of 16 output channels, summed over all taps and the chunk's channels (vox_conv.h).
 */
#ifndef VOX_CONV_TILE_H
#define VOX_CONV_TILE_H

#include "vox_conv_walk.h"

/* The tile list: widths that exist for one and for two blocks. The widest uses all registers but three
 * (AVX-512: 14 positions x 2 blocks = 28 sums, 2 weights, 1 input; AVX2: 6 x 2 registers = 12, 2, 1; NEON:
 * 6 x 4 registers = 24, 4, 1). */
#if VOX_LANES == 16
#define VOX_TILE_PAIRS 1
enum { VOX_TILE_W = 14, VOX_TILE_V = 2 };
#define VOX_TILES(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif VOX_LANES == 8 || defined(__aarch64__)
#define VOX_TILE_PAIRS 0
enum { VOX_TILE_W = 6, VOX_TILE_V = 1 };
#define VOX_TILES(X)   X(1) X(2) X(3) X(4) X(5) X(6)
#else
#define VOX_TILE_PAIRS 0
enum { VOX_TILE_W = 2, VOX_TILE_V = 1 };
#define VOX_TILES(X)   X(1) X(2)
#endif

/* Weights are fetched into L1 this many channels ahead: 3 % (AVX-512) to 6 % (AVX2) faster where they come
 * from L2. */
enum { VOX_TILE_AHEAD = 8 };

/* Where sums start: bias, or sums so far; and how low they may end. */
typedef struct vox_tile_start {
    const float *from;
    ptrdiff_t pos, block; /* from position to position, block to block */
    float low;
} vox_tile_start;

/* y = max(low, start + sum); sum = 0 */
VOX_INLINE void vox_conv_flush(const int n, const int nv, const vox_walk *t, const vox_tile_start start,
                               vox_v (*sum)[VOX_TILE_V * VOX_NV], float *y) {
    VOX_UNROLL
    for (int r = 0; r < n; r++) {
        VOX_UNROLL
        for (int v = 0; v < nv; v++) {
            const ptrdiff_t lane = v % VOX_NV * VOX_VL, block = v / VOX_NV;
            const vox_v whole = vox_load(start.from + r * start.pos + block * start.block + lane) + sum[r][v];
            vox_store(y + r * t->y_pos + block * t->y_block + lane, vox_max(vox_set(start.low), whole));
            sum[r][v] = vox_set(0.0f);
        }
    }
}

/* What is known of a tile when it is compiled. */
typedef struct vox_tile_shape {
    int n, blocks, fetch;
    ptrdiff_t x_pos;
} vox_tile_shape;

/* Blocks of positions with others between them (a stride) are lines that the processor does not foresee:
 * those of the next block of channels, or of the next tap (from row on), are fetched. 3x3x3, stride 2, of the
 * FMA peak: 32 -> 64 channels 69 % without, 86 % with; 64 -> 128 67 % and 87 %. */
VOX_INLINE void vox_conv_fetch(const vox_tile_shape shape, const vox_walk *t, const float *row, int kw,
                               const float *x, int left) {
    ptrdiff_t ahead = t->x_block;
    if (left <= VOX_BLOCK) x = row, ahead = kw + 1 < t->taps[2] ? (kw + 1) * t->x_tap[2] : t->x_tap[1];
    VOX_UNROLL
    for (int r = 0; r < shape.n; r++) vox_prefetch(x, (size_t)(ahead + r * shape.x_pos));
}

VOX_INLINE void vox_conv_tile(const vox_tile_shape shape, const vox_walk *t, const float *x, const float *w,
                              const float *from, float *y) {
    enum { VECTORS = VOX_TILE_V * VOX_NV };
    const int n = shape.n, nv = shape.blocks * VOX_NV;
    const ptrdiff_t x_pos = shape.x_pos;
    vox_tile_start start = {from, t->from_pos, t->from_block, -INFINITY};
    int run = 0;
    vox_v sum[VOX_TILE_W][VECTORS];
    VOX_UNROLL
    for (int r = 0; r < n; r++) {
        VOX_UNROLL
        for (int v = 0; v < nv; v++) sum[r][v] = vox_set(0.0f);
    }
    for (int kd = 0; kd < t->taps[0]; kd++) {
        const float *xd = x + kd * t->x_tap[0] + (kd < t->turn ? 0 : t->x_turn);
        for (int kh = 0; kh < t->taps[1]; kh++) {
            for (int kw = 0; kw < t->taps[2]; kw++) {
                const float *xb = xd + kh * t->x_tap[1] + kw * t->x_tap[2];
                const float *wc = w + kd * t->w_tap[0] + kh * t->w_tap[1] + kw * t->w_tap[2];
                for (int left = t->ic; left > 0; left -= VOX_BLOCK, xb += t->x_block) {
                    const int lanes = vox_min_int(left, VOX_BLOCK);
                    const float *xc = xb;
                    if (shape.fetch) vox_conv_fetch(shape, t, xd + kh * t->x_tap[1], kw, xb, left);
                    for (int l = 0; l < lanes; l++, xc += t->x_lane, wc += VOX_BLOCK) {
                        vox_v wv[VECTORS];
                        VOX_UNROLL
                        for (int v = 0; v < nv; v++)
                            wv[v] = vox_load(wc + v / VOX_NV * t->w_block + v % VOX_NV * VOX_VL);
                        VOX_UNROLL
                        for (int v = 0; v < shape.blocks; v++)
                            vox_prefetch(wc + v * t->w_block, VOX_TILE_AHEAD * VOX_BLOCK);
                        const float *xp = xc;
                        VOX_UNROLL
                        for (int r = 0; r < n; r++, xp += x_pos) {
                            const vox_v xv = vox_set(*xp);
                            VOX_UNROLL
                            for (int v = 0; v < nv; v++) sum[r][v] = vox_fma(xv, wv[v], sum[r][v]);
                        }
                    }
                }
            }
            run += t->taps[2] * t->ic;
            if (run < t->run) continue;
            vox_conv_flush(n, nv, t, start, sum, y);
            start = (vox_tile_start){y, t->y_pos, t->y_block, -INFINITY};
            run = 0;
        }
    }
    start.low = t->low;
    vox_conv_flush(n, nv, t, start, sum, y);
}

/* The tiles by width. Positions 16 floats apart (blocked input, stride 1) have their own: the offsets become
 * part of the instructions. So have closer ones (plain input), of which nothing is fetched ahead: 3 -> 32
 * channels take 5 % longer by AVX2 where the tile decides that. */
typedef void vox_tile_fn(const vox_walk *t, int n, const float *x, const float *w, const float *from,
                         float *y);
#define VOX_TILE_1(N)                                                                                        \
    case N:                                                                                                  \
        vox_conv_tile((vox_tile_shape){N, 1, 0, VOX_BLOCK}, t, x, w, from, y);                               \
        break;
#define VOX_TILE_1_STRIDED(N)                                                                                \
    case N:                                                                                                  \
        vox_conv_tile((vox_tile_shape){N, 1, 1, t->x_pos}, t, x, w, from, y);                                \
        break;
#define VOX_TILE_1_PLAIN(N)                                                                                  \
    case N:                                                                                                  \
        vox_conv_tile((vox_tile_shape){N, 1, 0, t->x_pos}, t, x, w, from, y);                                \
        break;
VOX_TILE void vox_conv_tile_1(const vox_walk *t, int n, const float *x, const float *w, const float *from,
                              float *y) {
    switch (n) { VOX_TILES(VOX_TILE_1) }
}
VOX_TILE void vox_conv_tile_1_strided(const vox_walk *t, int n, const float *x, const float *w,
                                      const float *from, float *y) {
    switch (n) { VOX_TILES(VOX_TILE_1_STRIDED) }
}
VOX_TILE void vox_conv_tile_1_plain(const vox_walk *t, int n, const float *x, const float *w,
                                    const float *from, float *y) {
    switch (n) { VOX_TILES(VOX_TILE_1_PLAIN) }
}
#if VOX_TILE_PAIRS
#define VOX_TILE_2(N)                                                                                        \
    case N:                                                                                                  \
        vox_conv_tile((vox_tile_shape){N, 2, 0, VOX_BLOCK}, t, x, w, from, y);                               \
        break;
#define VOX_TILE_2_STRIDED(N)                                                                                \
    case N:                                                                                                  \
        vox_conv_tile((vox_tile_shape){N, 2, 1, t->x_pos}, t, x, w, from, y);                                \
        break;
#define VOX_TILE_2_PLAIN(N)                                                                                  \
    case N:                                                                                                  \
        vox_conv_tile((vox_tile_shape){N, 2, 0, t->x_pos}, t, x, w, from, y);                                \
        break;
VOX_TILE void vox_conv_tile_2(const vox_walk *t, int n, const float *x, const float *w, const float *from,
                              float *y) {
    switch (n) { VOX_TILES(VOX_TILE_2) }
}
VOX_TILE void vox_conv_tile_2_strided(const vox_walk *t, int n, const float *x, const float *w,
                                      const float *from, float *y) {
    switch (n) { VOX_TILES(VOX_TILE_2_STRIDED) }
}
VOX_TILE void vox_conv_tile_2_plain(const vox_walk *t, int n, const float *x, const float *w,
                                    const float *from, float *y) {
    switch (n) { VOX_TILES(VOX_TILE_2_PLAIN) }
}
static inline vox_tile_fn *vox_conv_tile_for(int blocks, ptrdiff_t x_pos) {
    if (blocks == 2)
        return x_pos == VOX_BLOCK  ? vox_conv_tile_2
               : x_pos > VOX_BLOCK ? vox_conv_tile_2_strided
                                   : vox_conv_tile_2_plain;
    return x_pos == VOX_BLOCK  ? vox_conv_tile_1
           : x_pos > VOX_BLOCK ? vox_conv_tile_1_strided
                               : vox_conv_tile_1_plain;
}
#else
static inline vox_tile_fn *vox_conv_tile_for(int blocks, ptrdiff_t x_pos) {
    (void)blocks;
    return x_pos == VOX_BLOCK  ? vox_conv_tile_1
           : x_pos > VOX_BLOCK ? vox_conv_tile_1_strided
                               : vox_conv_tile_1_plain;
}
#endif

#endif
