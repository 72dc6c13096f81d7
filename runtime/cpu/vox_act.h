/* SPDX-License-Identifier: MIT-0 */
/* vox_act.h: exponential and activations, one register at a time.
 *
 * vox_exp and vox_expm1_negative are within 2 units in the last place of the exact value
 * (tests/kernels_cases.h compares them with libm's double functions); NaN stays NaN, overflow gives infinity,
 * underflow denormals and zero.
 */
#ifndef VOX_ACT_H
#define VOX_ACT_H

#include <math.h>
#include "vox_simd.h"

/* x = n*ln2 + r with |r| <= ln2/2; returns expm1(r) and n as an integer. */
VOX_INLINE vox_v vox_exp_reduced(vox_v x, vox_vu *n) {
    const vox_v magic = vox_set(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
    const vox_v z = vox_fma(x, vox_set(1.44269504088896341f), magic);
    const vox_v whole = z - magic;
    vox_v r =
        vox_fma(whole, vox_set(-0.693145751953125f), x); /* ln2 in two parts, the first exact in 16 bits */
    r = vox_fma(whole, vox_set(-1.42860682030941723e-6f), r);
    *n = (vox_vu)z - (vox_vu)magic;
    vox_v p = vox_set(1.98412698412698413e-4f); /* Taylor to r^7/7!: the rest is below 2^-27 */
    p = vox_fma(p, r, vox_set(1.38888888888888889e-3f));
    p = vox_fma(p, r, vox_set(8.33333333333333333e-3f));
    p = vox_fma(p, r, vox_set(4.16666666666666667e-2f));
    p = vox_fma(p, r, vox_set(1.66666666666666667e-1f));
    p = vox_fma(p, r, vox_set(0.5f));
    return vox_fma(p * r, r, r);
}

/* 2^n for -126 <= n <= 127; 0 for -127. */
VOX_INLINE vox_v vox_power_of_two(vox_vu n) {
    return (vox_v)((n + (vox_vu)((vox_vi){0} + 127)) << 23);
}

VOX_INLINE vox_v vox_exp(vox_v x) {
    vox_vu n;
    /* NaN passes: it is the second operand. Below -104 the result is 0; at -176 both factors are, while
     * a product that is too small for a float would take the processor a hundred times as long. */
    x = vox_max(vox_set(-176.0f), vox_min(vox_set(89.0f), x));
    const vox_v e = vox_exp_reduced(x, &n);
    const vox_vu half = (vox_vu)((vox_vi)n >> 1); /* in two factors: 2^-150 and 2^128 are no normal floats */
    const vox_v a = vox_power_of_two(half), b = vox_power_of_two(n - half);
    return (e * a + a) * b;
}

/* exp(x) - 1 for x <= 0. */
VOX_INLINE vox_v vox_expm1_negative(vox_v x) {
    vox_vu n;
    x = vox_max(vox_set(-60.0f), x);
    const vox_v e = vox_exp_reduced(x, &n);
    const vox_v scale = vox_power_of_two(n);
    return vox_fma(e, scale, scale - vox_set(1.0f));
}

VOX_INLINE vox_v vox_sigmoid(vox_v x) {
    return vox_set(1.0f) / (vox_set(1.0f) + vox_exp(-x));
}

VOX_INLINE vox_v vox_tanh(vox_v x) {
    const vox_v e = vox_expm1_negative(vox_set(-2.0f) * vox_abs(x));
    const vox_v t = -e / (vox_set(2.0f) + e);
    return (vox_v)((vox_vu)t | ((vox_vu)x & (vox_vu)vox_set(-0.0f)));
}

/* The rare ones, one lane at a time. */
static inline float vox_act_scalar(vox_act act, float x) {
    switch (act) {
    case VOX_ACT_LOG:
        return logf(x);
    case VOX_ACT_SQRT:
        return sqrtf(x);
    case VOX_ACT_FLOOR:
        return floorf(x);
    case VOX_ACT_CEIL:
        return ceilf(x);
    default:
        return rintf(x); /* VOX_ACT_ROUND: ties to even */
    }
}
VOX_NOINLINE vox_v vox_act_lanes(vox_act act, vox_v x) {
    float lane[VOX_VL];
    vox_store(lane, x);
    for (int i = 0; i < VOX_VL; i++) lane[i] = vox_act_scalar(act, lane[i]);
    return vox_load(lane);
}

/* The library takes long over numbers below 0, for which this is NaN. */
VOX_INLINE vox_v vox_sqrt(vox_v x) {
    const vox_v root = vox_act_lanes(VOX_ACT_SQRT, vox_abs(x));
    return vox_select(x < vox_zero(), vox_set(NAN), vox_select(x == vox_zero(), x, root));
}

/* slope: the channels' factors, read for prelu only. */
VOX_INLINE vox_v vox_activate(const vox_epilogue *ep, vox_v x, vox_v slope) {
    const vox_vi negative = x < vox_zero();
    switch (ep->act) {
    case VOX_ACT_NONE:
        return x;
    case VOX_ACT_RELU:
        return vox_select(negative, vox_zero(), x);
    case VOX_ACT_LEAKY_RELU:
        return vox_select(negative, x * vox_set(ep->alpha), x);
    case VOX_ACT_PRELU:
        return vox_select(negative, x * slope, x);
    case VOX_ACT_ELU:
        return vox_select(negative, vox_set(ep->alpha) * vox_expm1_negative(x), x);
    case VOX_ACT_SIGMOID:
        return vox_sigmoid(x);
    case VOX_ACT_TANH:
        return vox_tanh(x);
    case VOX_ACT_CLIP:
        return vox_min(vox_set(ep->beta), vox_max(vox_set(ep->alpha), x));
    case VOX_ACT_EXP:
        return vox_exp(x);
    case VOX_ACT_SQRT:
        return vox_sqrt(x);
    case VOX_ACT_NEG:
        return -x;
    case VOX_ACT_ABS:
        return vox_abs(x);
    default:
        return vox_act_lanes(ep->act, x);
    }
}

/* `n` blocks of 16 floats from x to y (which may be x), each followed by the next; slope: 16 factors or NULL.
 */
VOX_NOINLINE void vox_activate_blocks(const vox_epilogue *ep, const float *slope, const float *x, float *y,
                                      int n) {
    const vox_epilogue copy = *ep;
    for (int i = 0; i < n * VOX_NV; i++) {
        const vox_v s = slope ? vox_load(slope + i % VOX_NV * VOX_VL) : vox_zero();
        vox_store(y + i * VOX_VL, vox_activate(&copy, vox_load(x + i * VOX_VL), s));
    }
}

/* Any number of contiguous floats that share one slope; the last ones go through a padded register, so that
 * an element's value does not depend on where it stands. */
VOX_NOINLINE void vox_activate_run(const vox_epilogue *ep, float slope, const float *x, float *y,
                                   ptrdiff_t n) {
    const vox_epilogue copy = *ep;
    ptrdiff_t i = 0;
    for (; i + VOX_VL <= n; i += VOX_VL)
        vox_store(y + i, vox_activate(&copy, vox_load(x + i), vox_set(slope)));
    if (i == n) return;
    float tail[VOX_VL] = {0};
    memcpy(tail, x + i, (size_t)(n - i) * sizeof *x);
    vox_store(tail, vox_activate(&copy, vox_load(tail), vox_set(slope)));
    memcpy(y + i, tail, (size_t)(n - i) * sizeof *y);
}

#endif
