/* half.h: the numbers of weight files that C has no type for. */
#ifndef VOXC_HALF_H
#define VOXC_HALF_H

#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}
/* bfloat16: the upper half of a float. */
static inline float float_of_bfloat(uint16_t b) {
    return float_of_bits((uint32_t)b << 16);
}
/* IEEE 754 binary16; exact, infinity and NaN included. */
static inline float float_of_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float small = (float)fraction * 0x1p-24f; /* subnormal */
    return sign ? -small : small;
}

#endif
