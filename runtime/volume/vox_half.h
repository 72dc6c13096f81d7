/* SPDX-License-Identifier: MIT-0 */
/* vox_half.h: float16 (IEEE 754 binary16) by integer arithmetic that compilers turn into vector code, the same on every
 * processor. */
#ifndef VOX_HALF_H
#define VOX_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t vox_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float vox_float(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* Ties to even; beyond 65504 + 16 infinity. Below the normal range the addition of 0.5 rounds: its unit in the last
 * place is float16's smallest number, 2^-24. */
static inline uint16_t vox_to_half(float x) {
    uint32_t bits = vox_bits(x), sign = bits & 0x80000000u, u = bits ^ sign;
    uint32_t normal = (u + ((uint32_t)(15 - 127) << 23) + 0xfffu + (u >> 13 & 1u)) >> 13;
    uint32_t small = vox_bits(vox_float(u) + 0.5f) - vox_bits(0.5f);
    uint32_t large = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    uint32_t h = u >= 0x47800000u ? large : u < 0x38800000u ? small : normal;
    return (uint16_t)(h | sign >> 16);
}

static inline float vox_from_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, u = (uint32_t)(h & 0x7fffu) << 13;
    float scaled = vox_float(u) * 0x1p112f; /* 2^(127 - 15): exact, numbers below the normal range too */
    uint32_t bits = u >= 0x0f800000u ? u | 0x7f800000u : vox_bits(scaled);
    return vox_float(bits | sign);
}

#endif
