/* ptx_lane.h: one lane's value of each PTX type, in and out of a slot,
 * and arithmetic that C has no word for. */
#ifndef PTX_LANE_H
#define PTX_LANE_H

#include "ptx.h"

#include <string.h>

__extension__ typedef __int128 ptx_i128;
__extension__ typedef unsigned __int128 ptx_u128;

/* The C types that hold PTX values; values narrower than 32 bits lie in lanes of 32. */
typedef uint16_t ptx_v_u16;
typedef int16_t ptx_v_s16;
typedef uint32_t ptx_v_u32;
typedef int32_t ptx_v_s32;
typedef uint64_t ptx_v_u64;
typedef int64_t ptx_v_s64;
typedef float ptx_v_f32;
typedef double ptx_v_f64;
typedef float ptx_v_f16;
typedef float ptx_v_bf16;
typedef int ptx_v_none;

static inline float ptx_from_brain(uint16_t u) {
    const uint32_t bits = (uint32_t)u << 16;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}
static inline uint16_t ptx_to_brain(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    if (f != f) return 0x7fff;
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}
static inline float ptx_float_of(uint32_t bits) {
    float f;
    memcpy(&f, &bits, 4);
    return f;
}
static inline uint32_t ptx_bits_of(float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    return bits;
}
/* Without branches, for the sake of loops over lanes; gcc's _Float16 would be calls or scalars. */
static inline float ptx_from_half(uint16_t u) {
    const uint32_t magnitude = (uint32_t)(u & 0x7fff) << 13;
    const float finite = ptx_float_of(magnitude) * 0x1p112f, other = ptx_float_of(magnitude | 0x7f800000u);
    return ptx_float_of(ptx_bits_of((u & 0x7c00) == 0x7c00 ? other : finite) | (uint32_t)(u & 0x8000) << 16);
}
/* Rounds to nearest even. */
static inline uint16_t ptx_to_half(float f) {
    const uint32_t bits = ptx_bits_of(f), magnitude = bits & 0x7fffffffu;
    const uint32_t normal = ((magnitude + 0xfff + (magnitude >> 13 & 1)) >> 13) - (112u << 10);
    const uint32_t tiny = ptx_bits_of(ptx_float_of(magnitude) + 0.5f) - 0x3f000000u;
    const uint32_t finite = magnitude < 0x38800000u ? tiny : normal;
    const uint32_t h = magnitude > 0x7f800000u ? 0x7fff : magnitude >= 0x477ff000u ? 0x7c00 : finite;
    return (uint16_t)(h | (bits >> 16 & 0x8000));
}

static inline uint16_t ptx_get_u16(const void *s, int l) {
    return (uint16_t)((const uint32_t *)s)[l];
}
static inline int16_t ptx_get_s16(const void *s, int l) {
    return (int16_t)((const uint32_t *)s)[l];
}
static inline uint32_t ptx_get_u32(const void *s, int l) {
    return ((const uint32_t *)s)[l];
}
static inline int32_t ptx_get_s32(const void *s, int l) {
    return ((const int32_t *)s)[l];
}
static inline uint64_t ptx_get_u64(const void *s, int l) {
    return ((const uint64_t *)s)[l];
}
static inline int64_t ptx_get_s64(const void *s, int l) {
    return ((const int64_t *)s)[l];
}
static inline float ptx_get_f32(const void *s, int l) {
    return ((const float *)s)[l];
}
static inline double ptx_get_f64(const void *s, int l) {
    return ((const double *)s)[l];
}
static inline float ptx_get_f16(const void *s, int l) {
    return ptx_from_half(ptx_get_u16(s, l));
}
static inline float ptx_get_bf16(const void *s, int l) {
    return ptx_from_brain(ptx_get_u16(s, l));
}
static inline int ptx_get_none(const void *s, int l) {
    (void)s;
    return l & 0;
}

static inline void ptx_put_u16(void *s, int l, uint16_t v) {
    ((uint32_t *)s)[l] = v;
}
static inline void ptx_put_s16(void *s, int l, int16_t v) {
    ((uint32_t *)s)[l] = (uint16_t)v;
}
static inline void ptx_put_u32(void *s, int l, uint32_t v) {
    ((uint32_t *)s)[l] = v;
}
static inline void ptx_put_s32(void *s, int l, int32_t v) {
    ((int32_t *)s)[l] = v;
}
static inline void ptx_put_u64(void *s, int l, uint64_t v) {
    ((uint64_t *)s)[l] = v;
}
static inline void ptx_put_s64(void *s, int l, int64_t v) {
    ((int64_t *)s)[l] = v;
}
static inline void ptx_put_f32(void *s, int l, float v) {
    ((float *)s)[l] = v;
}
static inline void ptx_put_f64(void *s, int l, double v) {
    ((double *)s)[l] = v;
}
static inline void ptx_put_f16(void *s, int l, float v) {
    ((uint32_t *)s)[l] = ptx_to_half(v);
}
static inline void ptx_put_bf16(void *s, int l, float v) {
    ((uint32_t *)s)[l] = ptx_to_brain(v);
}

static inline float ptx_saturate(float f) {
    return f > 0 ? (f < 1 ? f : 1) : 0;
}

static inline uint32_t ptx_find_high(uint32_t a) {
    return a ? 31u - (uint32_t)__builtin_clz(a) : UINT32_MAX;
}
static inline uint32_t ptx_reverse(uint32_t a) {
    a = (a >> 1 & 0x55555555u) | (a & 0x55555555u) << 1;
    a = (a >> 2 & 0x33333333u) | (a & 0x33333333u) << 2;
    a = (a >> 4 & 0x0f0f0f0fu) | (a & 0x0f0f0f0fu) << 4;
    return __builtin_bswap32(a);
}
static inline uint64_t ptx_low_bits(uint32_t n) {
    return n > 63 ? ~0ull : (1ull << n) - 1;
}
static inline uint64_t ptx_extract(uint64_t a, uint32_t at, uint32_t n) {
    return (at & 255) > 63 ? 0 : a >> (at & 255) & ptx_low_bits(n & 255);
}
/* Bits above a's own are copies of its sign. */
static inline int64_t ptx_extract_signed(int32_t a, uint32_t at, uint32_t n) {
    n &= 255;
    at = (at & 255) > 63 ? 63 : at & 255;
    if (n == 0) return 0;
    const int64_t v = (int64_t)a >> at;
    return n > 31 ? v : (int64_t)((uint64_t)v << (64 - n)) >> (64 - n);
}
static inline uint64_t ptx_insert(uint64_t bits, uint64_t into, uint32_t at, uint32_t n) {
    if ((at & 255) > 63) return into;
    const uint64_t m = ptx_low_bits(n & 255) << (at & 255);
    return (into & ~m) | (bits << (at & 255) & m);
}
static inline uint32_t ptx_permute(uint32_t a, uint32_t b, uint32_t selector) {
    const uint64_t bytes = (uint64_t)b << 32 | a;
    uint32_t d = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t s = selector >> 4 * i & 15;
        uint32_t byte = (uint32_t)(bytes >> 8 * (s & 7)) & 255;
        if (s & 8) byte = byte & 128 ? 255 : 0;
        d |= byte << 8 * i;
    }
    return d;
}
static inline uint32_t ptx_logic(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
    uint32_t d = 0;
    for (uint32_t i = 0; i < 8; i++)
        if (table >> i & 1) d |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    return d;
}

/* Halves and bfloat16s round twice, to float first, which differs from the device's one rounding in less than
 * one of a thousand results and then by one unit. */
typedef float ptx_float_op(float, float, float);
static inline float ptx_add_float(float a, float b, float c) {
    (void)c;
    return a + b;
}
static inline float ptx_sub_float(float a, float b, float c) {
    (void)c;
    return a - b;
}
static inline float ptx_mul_float(float a, float b, float c) {
    (void)c;
    return a * b;
}
static inline float ptx_fma_float(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
}
static inline float ptx_fma_relu_float(float a, float b, float c) {
    const float d = __builtin_fmaf(a, b, c);
    return d > 0 ? d : 0;
}
static inline float ptx_min_float(float a, float b, float c) {
    (void)c;
    return a < b || b != b ? a : b;
}
static inline float ptx_max_float(float a, float b, float c) {
    (void)c;
    return a > b || b != b ? a : b;
}
static inline uint32_t ptx_pair_half(float low, float high) {
    return (uint32_t)ptx_to_half(high) << 16 | ptx_to_half(low);
}
static inline uint32_t ptx_pair_brain(float low, float high) {
    return (uint32_t)ptx_to_brain(high) << 16 | ptx_to_brain(low);
}
static inline uint32_t ptx_halves(uint32_t a, uint32_t b, uint32_t c, ptx_float_op *op) {
    const uint16_t a0 = (uint16_t)a, b0 = (uint16_t)b, c0 = (uint16_t)c;
    const uint16_t a1 = (uint16_t)(a >> 16), b1 = (uint16_t)(b >> 16), c1 = (uint16_t)(c >> 16);
    return ptx_pair_half(op(ptx_from_half(a0), ptx_from_half(b0), ptx_from_half(c0)),
                         op(ptx_from_half(a1), ptx_from_half(b1), ptx_from_half(c1)));
}
static inline uint32_t ptx_brains(uint32_t a, uint32_t b, uint32_t c, ptx_float_op *op) {
    const uint16_t a0 = (uint16_t)a, b0 = (uint16_t)b, c0 = (uint16_t)c;
    const uint16_t a1 = (uint16_t)(a >> 16), b1 = (uint16_t)(b >> 16), c1 = (uint16_t)(c >> 16);
    return ptx_pair_brain(op(ptx_from_brain(a0), ptx_from_brain(b0), ptx_from_brain(c0)),
                          op(ptx_from_brain(a1), ptx_from_brain(b1), ptx_from_brain(c1)));
}

#endif
