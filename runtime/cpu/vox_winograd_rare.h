/* SPDX-License-Identifier: MIT-0 */
/* vox_winograd_rare.h: Winograd tiles with inputs that are not finite or very large.
 *
 * In a transformed tile one such value spoils all others. So it is transformed once more from inputs that are
 * harmless: what is not finite is 0, and all are multiplied by a power of two that keeps the largest from
 * overflowing; the products then are as fast as any. What the values left out do to the outputs is added
 * afterwards, as in a direct sum: a term of weight and infinity is an infinity by their signs, or NaN where
 * the weight is 0. No arithmetic is needed for that, but for each output and input channel which of the 27
 * taps meet plus and which meet minus infinity (NaN: both), as bits of a word, and which weights are >= 0 and
 * which <= 0. An output is NaN where infinities of both signs meet.
 */
#ifndef VOX_WINOGRAD_RARE_H
#define VOX_WINOGRAD_RARE_H

#include <math.h>
#include "vox_simd.h"

/* ---- powers of two --------------------------------------------------------------------------- */

/* Two factors, since 2^-n may be no float: what inputs, and afterwards outputs, are multiplied by. */
typedef struct vox_scale {
    float down[2], up[2];
} vox_scale;
static inline vox_scale vox_scale_of(int shift) {
    const int half = shift / 2;
    return (vox_scale){{ldexpf(1, -half), ldexpf(1, half - shift)},
                       {ldexpf(1, half), ldexpf(1, shift - half)}};
}
/* By what power of two a tile's inputs are divided. Large ones so that they are far from overflowing, yet
 * values of a usual size beside them, of which other outputs may be sums, are far from denormals: those lose
 * bits, and products with them take a hundred times as long. Otherwise not at all, unless sums overflowed:
 * then weights are large. */
enum { VOX_SHIFT_WEIGHTS = 60 };
static inline int vox_shift_of(float largest, int overflowed) {
    enum { LARGE = 64, TAMED = 32 };
    int exponent = 0;
    frexpf(largest, &exponent);
    return exponent > LARGE ? exponent - TAMED : overflowed ? exponent + VOX_SHIFT_WEIGHTS : 0;
}
/* Whether all of n vectors, a multiple of 4, are finite. */
static inline int vox_all_finite(const float *x, int n) {
    vox_v bad[4] = {vox_zero(), vox_zero(), vox_zero(), vox_zero()};
    for (int i = 0; i < n; i += 4)
        for (int k = 0; k < 4; k++, x += VOX_VL) bad[k] = vox_fma(vox_load(x), vox_zero(), bad[k]);
    return !vox_any_nan(bad[0] + bad[1] + bad[2] + bad[3]);
}
VOX_INLINE vox_v vox_tame(vox_v x, const vox_scale *s) {
    const vox_vi finite = vox_abs(x) < vox_set(INFINITY);
    return vox_select(finite, x * vox_set(s->down[0]) * vox_set(s->down[1]), vox_zero());
}
VOX_INLINE vox_v vox_untame(vox_v y, const vox_scale *s) {
    return y * vox_set(s->up[0]) * vox_set(s->up[1]);
}

static inline float vox_largest(const float *x, int n) {
    float most = 0;
    for (int i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
    return most;
}

/* ---- signs ----------------------------------------------------------------------------------- */

VOX_INLINE vox_vi vox_load_int(const void *p) {
    vox_vi v;
    memcpy(&v, p, sizeof v);
    return v;
}
VOX_INLINE void vox_store_int(void *p, vox_vi v) {
    memcpy(p, &v, sizeof v);
}
VOX_INLINE vox_vi vox_set_int(int32_t a) {
    return a - (vox_vi){0};
}
/* Lanes where the mask is all ones, 0 in others. */
VOX_INLINE vox_v vox_masked(vox_v x, const int32_t *mask) {
    return (vox_v)((vox_vi)x & vox_load_int(mask));
}
/* Whether any lane is not 0. */
VOX_INLINE int vox_any_int(vox_vi a) {
    return vox_bits(a != 0) != 0;
}

/* Taps at which an input is plus, and minus, infinity: bits. */
typedef struct vox_met {
    vox_vi plus, minus;
} vox_met;
VOX_INLINE vox_met vox_met_by(vox_v x) { /* a comparison that holds is -1 */
    return (vox_met){(x < vox_set(INFINITY)) + 1, (x > vox_set(-INFINITY)) + 1};
}
/* Three neighbours, whose taps lie `bits` apart. */
VOX_INLINE vox_vi vox_taps_join(vox_vi a, vox_vi b, vox_vi c, const int bits) {
    return a | b << bits | c << 2 * bits;
}
VOX_INLINE vox_met vox_met_join(vox_met a, vox_met b, vox_met c, const int bits) {
    return (vox_met){vox_taps_join(a.plus, b.plus, c.plus, bits),
                     vox_taps_join(a.minus, b.minus, c.minus, bits)};
}

/* Which terms of a sum are infinite: by bits, any but 0 counts. */
typedef struct vox_ends {
    vox_vi plus, minus;
} vox_ends;
/* What meets weights that are >= 0 at the taps `up` and <= 0 at `down`. */
VOX_INLINE vox_ends vox_ends_add(vox_ends e, vox_met m, vox_vi up, vox_vi down) {
    e.plus |= (m.plus & up) | (m.minus & down);
    e.minus |= (m.plus & down) | (m.minus & up);
    return e;
}
VOX_INLINE vox_vi vox_ends_nan(vox_ends e) {
    return (e.plus != 0) & (e.minus != 0);
}
/* The sum, of whose terms y holds the finite ones. */
VOX_INLINE vox_v vox_ends_apply(vox_ends e, vox_v y) {
    y = vox_select(e.plus != 0, vox_set(INFINITY), y);
    y = vox_select(e.minus != 0, vox_set(-INFINITY), y);
    return vox_select(vox_ends_nan(e), vox_set(NAN), y);
}

#endif
