/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd.h: 3x3x3 convolution by Winograd's minimal filtering, fused (vox_f32_winograd).
 *
 * An item is a batch of tiles. Their inputs are transformed into V = [points][blocks of IC][batch][16]; then,
 * pair by pair of output blocks, each point is one matrix product M = V U, and M is transformed back, given
 * bias and activation, and stored, cropped and pooled from registers, while it is in the second-level cache.
 *
 * Choosing the numbers.
 * - tile: per axis 4 does 6 products per tile, 2 does 4: take what gives the fewer points * tiles along the
 * axis (9 outputs: 3 * 6 = 18 against 5 * 4 = 20).
 * - batch: U is read once per batch, from the third-level cache or from memory; V is written once and read
 * once per pair of output blocks, from the second-level cache as far as it reaches. A multiple of 12 fills
 * the register tiles of AVX-512 and AVX2. F(4^3), GMAC/s: 64 -> 64 channels 297 with 12 tiles, 299 with 24,
 * 301 with 42, 287 with 84; 128 -> 128 343, 349, 296, 274; 192 -> 64 313, 307, 274, 209; 256 -> 128 300, 301,
 * 269 (48), 262; 384 -> 128 286, 250, 235 (48). Fewer points, more tiles: 3072 / points, rounded down to a
 * multiple of 12 (12 for F(4^3), 48 for F(2^3)).
 * - vox_winograd_deep.h where U would be read only a few times: fewer than about a hundred tiles.
 * Measured on one core of a shared Zen 4 (FMA peak 58.5 GMAC/s), in multiplications of the direct
 * convolution, F(4^3), AVX-512: 32 -> 64 4.5 to 5.0 times the peak, 64 -> 64 4.8 to 5.7, 64 -> 128 5.6, 128
 * -> 128 5.2 to 6.3, 192 -> 64 5.0 to 5.4, 256 -> 128 4.7 to 5.1, 384 -> 128 4.9; AVX2: 4.1 to 4.4, 4.7
 * to 5.2, 4.9, 4.5 to 5.5, 4.5, 3.6, 2.7 to 3.5 (by 24); gcc 12 and clang 14 alike, and with both cores busy.
 * Of the time, 64 -> 64: 13 to 21 % input transform (two thirds of it waiting for x), 70 to 78 % products, at
 * 90 % of the peak, 10 % output transform.
 */
#ifndef VOX_WINOGRAD_H
#define VOX_WINOGRAD_H

#include "vox_conv_tile.h"
#include "vox_winograd_spoil.h"

/* ---- M = V U --------------------------------------------------------------------------------- */

/* One point's matrix product for some tiles and one or two blocks of output channels. */
typedef struct vox_product {
    int tiles, blocks, run;     /* all of them; channels to sum over at a time */
    int onto;                   /* 1: all is added to what m holds */
    int ic, add;                /* channels to sum over now; 1: to what m holds */
    ptrdiff_t v_block;          /* floats from block to block of input channels */
    ptrdiff_t u_block, m_block; /* to the second block of output channels */
    ptrdiff_t m_tile;
    size_t u_ahead; /* how far u is fetched */
} vox_product;

/* U is fetched into the first-level cache this many channels ahead. From the third-level one, where
 * transformed weights are, that takes longer than from the second; and a channel takes 28 cycles with pairs
 * of blocks, 6 without. 256 -> 128 channels, AVX-512: 82 % of the FMA peak 8 ahead, 88 % 16 ahead, 83 % 24
 * ahead. 128 -> 128 channels, AVX2: 59 to 69 % 16 ahead, 69 to 73 % 64 ahead, 75 to 80 % 128 ahead.
 * vox_winograd_deep.h, AVX2: 16 is 5 to 10 % faster than 128. */
enum { VOX_PRODUCT_NEAR = 16, VOX_PRODUCT_FAR = VOX_TILE_PAIRS ? 16 : 128 };

VOX_INLINE void vox_product_tile(const int n, const int blocks, const vox_product *t, const float *v,
                                 const float *u, float *m) {
    enum { VECTORS = VOX_TILE_V * VOX_NV };
    const int nv = blocks * VOX_NV;
    vox_v sum[VOX_TILE_W][VECTORS];
    VOX_UNROLL
    for (int r = 0; r < n; r++) {
        VOX_UNROLL
        for (int k = 0; k < nv; k++) sum[r][k] = vox_set(0.0f);
    }
    for (int left = t->ic; left > 0; left -= VOX_BLOCK, v += t->v_block) {
        const int lanes = vox_min_int(left, VOX_BLOCK);
        const float *at = v;
        for (int l = 0; l < lanes; l++, at++, u += VOX_BLOCK) {
            vox_v uv[VECTORS];
            VOX_UNROLL
            for (int k = 0; k < nv; k++) uv[k] = vox_load(u + k / VOX_NV * t->u_block + k % VOX_NV * VOX_VL);
            VOX_UNROLL
            for (int k = 0; k < blocks; k++) vox_prefetch(u + k * t->u_block, t->u_ahead);
            VOX_UNROLL
            for (int r = 0; r < n; r++) {
                const vox_v x = vox_set(at[r * VOX_BLOCK]);
                VOX_UNROLL
                for (int k = 0; k < nv; k++) sum[r][k] = vox_fma(x, uv[k], sum[r][k]);
            }
        }
    }
    VOX_UNROLL
    for (int r = 0; r < n; r++) {
        VOX_UNROLL
        for (int k = 0; k < nv; k++) {
            float *to = m + r * t->m_tile + k / VOX_NV * t->m_block + k % VOX_NV * VOX_VL;
            vox_store(to, t->add ? vox_load(to) + sum[r][k] : sum[r][k]);
        }
    }
}
typedef void vox_product_fn(const vox_product *t, int n, const float *v, const float *u, float *m);
#define VOX_PRODUCT_1(N)                                                                                     \
    case N:                                                                                                  \
        vox_product_tile(N, 1, t, v, u, m);                                                                  \
        break;
VOX_TILE void vox_product_1(const vox_product *t, int n, const float *v, const float *u, float *m) {
    switch (n) { VOX_TILES(VOX_PRODUCT_1) }
}
#if VOX_TILE_PAIRS
#define VOX_PRODUCT_2(N)                                                                                     \
    case N:                                                                                                  \
        vox_product_tile(N, 2, t, v, u, m);                                                                  \
        break;
VOX_TILE void vox_product_2(const vox_product *t, int n, const float *v, const float *u, float *m) {
    switch (n) { VOX_TILES(VOX_PRODUCT_2) }
}
#endif

/* One point of all tiles and blocks. */
static inline void vox_product_point(const vox_product *t, const float *v, const float *u, float *m) {
    const int parts = vox_parts(t->tiles, VOX_TILE_W);
#if VOX_TILE_PAIRS
    vox_product_fn *fn = t->blocks == 2 ? vox_product_2 : vox_product_1;
#else
    vox_product_fn *fn = vox_product_1;
#endif
    for (int b = 0; b < t->blocks; b += VOX_TILE_V)
        for (int i = 0, at = 0, width; i < parts; i++, at += width) {
            width = t->tiles / parts + (i < t->tiles % parts);
            fn(t, width, v + (ptrdiff_t)at * VOX_BLOCK, u + b * t->u_block,
               m + b * t->m_block + at * t->m_tile);
        }
}

/* The same for `channels` input channels, a run of them at a time. */
static inline void vox_product_runs(vox_product *t, int channels, const float *v, const float *u, float *m) {
    for (int c = 0; c < channels; c += t->run) {
        t->ic = vox_min_int(t->run, channels - c), t->add = t->onto || c > 0;
        vox_product_point(t, v + c / VOX_BLOCK * t->v_block, u + (ptrdiff_t)c * VOX_BLOCK, m);
    }
}

/* ---- the next batch's inputs ------------------------------------------------------------------ */

static inline vox_batch vox_batch_of(const vox_winograd_run *r, int item) {
    if (item >= r->items) return (vox_batch){r->total, 0};
    const int begin = (int)((int64_t)r->total * item / r->items);
    return (vox_batch){begin, (int)((int64_t)r->total * (item + 1) / r->items) - begin};
}

/* While a batch is multiplied, which needs little of the memory, the inputs of the worker's next batch are
 * fetched into the second-level cache, some lines per point: x is read in 36 rows at a time, too many for the
 * processor to see where they go. 64 -> 64 channels 5 %, 128 -> 128 8 % faster on Zen 4. */
typedef struct vox_ahead {
    vox_batch batch;
    int quota;       /* lines per call */
    int tile, tiles; /* the row of tiles (from, how many) being fetched */
    int row;         /* its next row of x: (block, point along D, point along H) */
    int lines;       /* still to be fetched of the row before */
    const float *at;
} vox_ahead;

static inline vox_ahead vox_ahead_of(const vox_winograd_run *r, vox_batch batch) {
    const int rows = r->blocks_in * r->points[0] * r->points[1];
    const int calls = r->count * vox_parts(r->blocks_out, 2);
    const int lines = batch.n * r->g->tile[2] + 4 * r->g->dilation[2]; /* of about two rows of tiles */
    return (vox_ahead){.batch = batch, .quota = (int)((int64_t)rows * lines / calls) + 1};
}

/* Goes to the next row of x, which may have no lines; 0: there is none. */
static inline int vox_ahead_row(const vox_winograd_run *r, vox_ahead *a) {
    const vox_winograd *g = r->g;
    const int per_block = r->points[0] * r->points[1];
    if (a->row == r->blocks_in * per_block) a->tile += a->tiles, a->row = 0;
    if (a->tile >= a->batch.n) return 0;
    const int first = (a->batch.begin + a->tile) % r->tiles[2];
    a->tiles = vox_min_int(a->batch.n - a->tile, r->tiles[2] - first);
    const vox_tile t = vox_tile_of(r, a->batch.begin + a->tile);
    const int d = t.at[0] - g->pad[0] + a->row % per_block / r->points[1] * g->dilation[0];
    const int h = t.at[1] - g->pad[1] + a->row % r->points[1] * g->dilation[1];
    const int w = vox_max_int(t.at[2] - g->pad[2], 0),
              last = vox_tile_begin(g, 2, first + a->tiles - 1) - g->pad[2];
    const int end = vox_min_int(last + (r->points[2] - 1) * g->dilation[2] + 1, g->x.w);
    const int inside = d >= 0 && d < g->x.d && h >= 0 && h < g->x.h && end > w;
    a->lines = inside ? end - w : 0;
    if (inside) a->at = r->o.x + vox_block_at(&g->x, t.n, a->row / per_block) + vox_voxel_at(&g->x, d, h, w);
    a->row++;
    return 1;
}

static inline void vox_ahead_fetch(const vox_winograd_run *r, vox_ahead *a) {
    for (int left = a->quota; left > 0;) {
        if (a->lines == 0 && !vox_ahead_row(r, a)) return;
        const int n = vox_min_int(left, a->lines);
        for (int i = 0; i < n; i++, a->at += VOX_BLOCK) __builtin_prefetch(a->at, 0, 2);
        a->lines -= n, left -= n;
    }
}

/* ---- batches --------------------------------------------------------------------------------- */

/* All points of some tiles, counted from the batch's first. */
static inline void vox_winograd_multiply(const vox_winograd_run *r, const vox_batch *batch, vox_batch tiles,
                                         vox_pair out, vox_ahead *ahead) {
    const ptrdiff_t ic = r->g->x.c, n = batch->n, v_point = vox_point_floats(r->blocks_in, batch->n);
    vox_product t = {.tiles = tiles.n,
                     .blocks = out.n,
                     .run = r->g->run,
                     .v_block = n * VOX_BLOCK,
                     .u_block = r->count * ic * VOX_BLOCK,
                     .m_block = n * r->count * VOX_BLOCK,
                     .m_tile = (ptrdiff_t)r->count * VOX_BLOCK,
                     .u_ahead = VOX_PRODUCT_FAR * VOX_BLOCK};
    const float *u = r->o.transformed + out.oc * t.u_block;
    for (int p = 0; p < r->count; p++) {
        vox_ahead_fetch(r, ahead);
        vox_product_runs(&t, r->g->x.c, r->v + p * v_point + (ptrdiff_t)tiles.begin * VOX_BLOCK,
                         u + p * ic * VOX_BLOCK, r->m + (ptrdiff_t)p * VOX_BLOCK + tiles.begin * t.m_tile);
    }
}

/* Puts the ordinary tiles of the batch; marks what has to be put as that of rare ones, and returns whether
 * there is any. */
static inline int vox_winograd_out(const vox_winograd_run *r, const vox_batch *batch, vox_pair out,
                                   vox_rare *rare) {
    float half[VOX_WINOGRAD_POINTS * 4 * 4 * VOX_BLOCK] __attribute__((aligned(64)));
    const float *m = r->m;
    int found = 0;
    for (int b = 0; b < out.n; b++)
        for (int i = 0; i < batch->n; i++, m += r->count * VOX_BLOCK) {
            if (rare[i].kind != VOX_TILE_ORDINARY) continue;
            const vox_tile t = vox_tile_of(r, batch->begin + i);
            r->planes(r->points[0], m, half);
            if (!vox_tile_put(r, &t, out.oc + b, half)) rare[i].blocks |= (unsigned char)(1 << b), found = 1;
        }
    return found;
}

/* What kind one of the batch's tiles is. */
static inline vox_rare vox_winograd_look(const vox_winograd_run *r, const vox_batch *batch, int i,
                                         int overflowed) {
    const vox_tile t = vox_tile_of(r, batch->begin + i);
    return vox_tile_look(r, &t, overflowed);
}
/* The inputs of the batch's tiles [begin, end), those of rare ones tamed. */
VOX_NOINLINE void vox_winograd_in_all(const vox_winograd_run *r, const vox_batch *batch, int begin, int end,
                                      const vox_rare *rare) {
    for (int i = begin, n; i < end; i += n) {
        const int is_rare = rare[i].kind != VOX_TILE_ORDINARY;
        const vox_scale scale = vox_scale_of(rare[i].shift);
        vox_points to = vox_points_of(r, r->v, batch->n);
        to.v += (ptrdiff_t)i * VOX_BLOCK;
        for (n = 1; i + n < end; n++) /* a run of the same kind: they share columns */
            if ((rare[i + n].kind != VOX_TILE_ORDINARY) != is_rare || rare[i + n].shift != rare[i].shift)
                break;
        vox_winograd_fill(r, (vox_batch){batch->begin + i, n}, (vox_range){0, r->blocks_in},
                          is_rare ? &scale : NULL, to);
    }
}

/* Tiles that were just found become rare ones: their inputs are transformed again. fresh: which those are. */
static inline void vox_winograd_tame(const vox_winograd_run *r, const vox_batch *batch, vox_rare *rare,
                                     unsigned char *fresh) {
    for (int i = 0; i < batch->n; i++) {
        const unsigned char wait = rare[i].blocks;
        fresh[i] = rare[i].kind == VOX_TILE_ORDINARY && wait;
        if (!fresh[i]) continue;
        rare[i] = vox_winograd_look(r, batch, i, 1);
        rare[i].blocks = wait;
    }
    for (int i = 0, end; i < batch->n; i = end) { /* neighbours share columns */
        for (end = i + 1; end < batch->n && fresh[end] == fresh[i]; end++) {
        }
        if (fresh[i]) vox_winograd_in_all(r, batch, i, end, rare);
    }
}
/* Their products are computed again, and those of others between them where that takes no longer than to
 * leave them out. */
VOX_NOINLINE void vox_winograd_again(const vox_winograd_run *r, const vox_batch *batch, vox_pair out,
                                     vox_rare *rare) {
    enum { GAP = 4 };
    vox_ahead none = {.quota = 0};
    unsigned char fresh[VOX_BATCH_MOST];
    vox_batch tiles = {0, 0}; /* to multiply */
    vox_winograd_tame(r, batch, rare, fresh);
    for (int i = 0; i < batch->n; i++) {
        if (!fresh[i]) continue;
        const int far = tiles.n > 0 && i - tiles.begin - tiles.n > GAP;
        if (far) vox_winograd_multiply(r, batch, tiles, out, &none);
        if (far || tiles.n == 0) tiles.begin = i;
        tiles.n = i + 1 - tiles.begin;
    }
    if (tiles.n > 0) vox_winograd_multiply(r, batch, tiles, out, &none);
}

/* Products of rare tiles that overflow are computed once more, of smaller inputs. */
VOX_NOINLINE void vox_winograd_shrink(const vox_winograd_run *r, const vox_batch *batch, vox_pair out,
                                      vox_rare *rare) {
    vox_ahead none = {.quota = 0};
    const int floats = r->count * VOX_BLOCK;
    for (int i = 0; i < batch->n; i++) {
        int finite = 1;
        if (rare[i].kind == VOX_TILE_ORDINARY || rare[i].kind == VOX_TILE_NAN) continue;
        for (int b = 0; b < out.n; b++)
            finite &= vox_all_finite(r->m + ((ptrdiff_t)b * batch->n + i) * floats, floats / VOX_VL);
        if (finite || !vox_rare_shift(&rare[i])) continue;
        vox_winograd_in_all(r, batch, i, i + 1, rare);
        vox_winograd_multiply(r, batch, (vox_batch){i, 1}, out, &none);
    }
}

/* Puts the rare tiles of a pair of blocks; all blocks of the next pair are to be put. */
VOX_NOINLINE void vox_winograd_out_rare(const vox_winograd_run *r, const vox_batch *batch, vox_pair out,
                                        vox_rare *rare) {
    float half[VOX_WINOGRAD_POINTS * 4 * 4 * VOX_BLOCK] __attribute__((aligned(64)));
    vox_spoils spoils[2];
    for (int i = 0; i < batch->n; i++) {
        const vox_tile t = vox_tile_of(r, batch->begin + i);
        if (rare[i].kind == VOX_TILE_ORDINARY) continue;
        const int finite = rare[i].kind != VOX_TILE_NAN;
        if (rare[i].kind == VOX_TILE_SPOILT) vox_tile_spoil(r, &t, out, &rare[i], spoils);
        for (int b = 0; b < out.n; b++) {
            if (!(rare[i].blocks >> b & 1)) continue;
            if (finite)
                r->planes(r->points[0], r->m + ((ptrdiff_t)b * batch->n + i) * r->count * VOX_BLOCK, half);
            vox_tile_put_rare(r, &t, out.oc + b, &rare[i], finite ? half : NULL, &spoils[b]);
        }
        rare[i].blocks = 3;
    }
}

static inline size_t vox_winograd_scratch(const vox_winograd *g) {
    const size_t points = (size_t)(g->tile[0] + 2) * (size_t)(g->tile[1] + 2) * (size_t)(g->tile[2] + 2);
    return ((size_t)g->batch * (size_t)(vox_parts(g->x.c, VOX_BLOCK) + 2) + 1) * points * VOX_BLOCK;
}

/* The batch's inputs. Where the item before had spoilt tiles, those of this one are looked for at once, so
 * that they are not multiplied in vain: others still become rare where a sum overflows. Returns how many
 * tiles are rare. */
static inline int vox_winograd_foresee(const vox_winograd_run *r, const vox_batch *batch, vox_rare *rare) {
    memset(rare, 0, (size_t)batch->n * sizeof *rare);
    if (!r->wary) {
        vox_winograd_fill(r, *batch, (vox_range){0, r->blocks_in}, NULL, vox_points_of(r, r->v, batch->n));
        return 0;
    }
    for (int i = 0; i < batch->n; i++) {
        const vox_rare seen = vox_winograd_look(r, batch, i, 0);
        if (seen.kind != VOX_TILE_ORDINARY) rare[i] = seen;
    }
    vox_winograd_in_all(r, batch, 0, batch->n, rare);
    return vox_tiles_count(rare, batch->n, VOX_TILE_LARGE);
}

/* In each pair of blocks rare tiles come after the ordinary ones, whenever it was that they were found: sums
 * for a norm must not depend on it. */
VOX_NOINLINE void vox_winograd_item(vox_winograd_run *r, int item, int following) {
    const vox_batch batch = vox_batch_of(r, item);
    vox_ahead ahead = vox_ahead_of(r, vox_batch_of(r, following));
    vox_rare rare[VOX_BATCH_MOST];
    int seen = vox_winograd_foresee(r, &batch, rare) > 0;
    const int nothing = seen && vox_tiles_count(rare, batch.n, VOX_TILE_NAN) == batch.n;
    for (int oc = 0; oc < r->blocks_out; oc += 2) {
        const vox_pair out = {oc, vox_min_int(2, r->blocks_out - oc)};
        if (!nothing) vox_winograd_multiply(r, &batch, (vox_batch){0, batch.n}, out, &ahead);
        if (vox_winograd_out(r, &batch, out, rare)) seen = 1, vox_winograd_again(r, &batch, out, rare);
        if (!seen) continue;
        vox_winograd_shrink(r, &batch, out, rare);
        vox_winograd_out_rare(r, &batch, out, rare);
    }
    r->wary = seen && vox_tiles_count(rare, batch.n, VOX_TILE_SPOILT) > 0;
}

/* The number of an item that nobody else takes. */
static inline int vox_next(int *next) {
    return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
}

/* The slot of item `item`, emptied; the first one empties those that no item has. */
static inline void vox_winograd_take_slot(vox_winograd_run *r, int begin, int item) {
    const vox_around *around = &r->o.around;
    if (!around->sums) return;
    if (item == 0) vox_sums_clear(around, r->blocks_out, begin, (vox_range){r->items, around->slots});
    vox_sums_clear(around, r->blocks_out, begin, (vox_range){item, item + 1});
    r->sums = vox_sums_slot(around, r->blocks_out, begin, item);
}

VOX_KERNEL void vox_f32_winograd(const vox_winograd *g, vox_conv_operands o, vox_range range, int worker,
                                 int *next) {
    vox_winograd_run r = vox_winograd_run_of(g, range);
    r.o = o;
    r.signs = o.transformed + (ptrdiff_t)r.blocks_out * r.count * g->x.c * VOX_BLOCK;
    r.v = vox_worker_scratch(g, &o, worker), r.m = r.v + r.count * vox_point_floats(r.blocks_in, r.batch);
    for (int item = vox_next(next), following; item < r.items; item = following) {
        /* taken early: its inputs are fetched meanwhile; the last ones go to whoever is free first */
        const int early = item + g->workers < r.items;
        following = early ? vox_next(next) : r.items;
        vox_winograd_take_slot(&r, range.begin, item);
        vox_winograd_item(&r, item, following);
        if (!early) following = vox_next(next);
    }
}

#endif
