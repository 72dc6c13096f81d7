/* SPDX-License-Identifier: MIT-0 */
/* vox_simd.h: the vector vocabulary that every kernel is written in.
 *
 * vox_v is one register of VOX_VL floats, chosen by the compiler's target flags: AVX-512 (16), AVX2 with FMA
 * (8), NEON, SSE2 or plain scalar code (4, the compiler lowers it). vox_b16 is one block of 16 channels:
 * VOX_NV registers. Loads and stores accept any address aligned to 4. vox_fma is fused where the target has
 * it; compile with -ffp-contract=fast so that scalar code is as well. With VOX_WIDE defined, a vox_v has so
 * many lanes on any target, lowered by the compiler: so the 16-lane code can be tested without AVX-512.
 */
#ifndef VOX_SIMD_H
#define VOX_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif
#include "vox_kernels.h"

#if defined(VOX_WIDE)
#define VOX_LANES VOX_WIDE
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define VOX_LANES  16
#define VOX_AVX512 1
#elif defined(__AVX2__) && defined(__FMA__)
#define VOX_LANES 8
#define VOX_AVX2  1
#else
#define VOX_LANES 4
#if defined(__SSE2__)
#define VOX_SSE2 1
#elif defined(__ARM_FEATURE_FMA) && defined(__ARM_NEON)
#define VOX_NEON 1
#endif
#endif
enum { VOX_VL = VOX_LANES };
enum { VOX_NV = VOX_BLOCK / VOX_VL }; /* registers per block of 16 channels */

typedef float vox_v __attribute__((vector_size(VOX_VL * 4)));
typedef int32_t vox_vi __attribute__((vector_size(VOX_VL * 4)));
typedef uint32_t vox_vu __attribute__((vector_size(VOX_VL * 4)));
typedef float vox_v_any __attribute__((vector_size(VOX_VL * 4), aligned(4), may_alias));
typedef struct vox_b16 {
    vox_v v[VOX_NV];
} vox_b16;

#define VOX_INLINE static inline __attribute__((always_inline, unused))
#define VOX_KERNEL static inline __attribute__((unused))
/* Before a loop of at most 16 turns, known at compile time, over arrays of vox_v: all of it, or the arrays
 * stay in memory. */
#if defined(__clang__)
#define VOX_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VOX_UNROLL _Pragma("GCC unroll 16")
#endif
#define VOX_NOINLINE static __attribute__((noinline, unused))
/* Register tiles. On AArch64 gcc's first scheduler loads every input of a turn ahead of its products, more
 * than there are registers, and keeps sums in memory for it. */
#if defined(__aarch64__) && !defined(__clang__)
#define VOX_TILE __attribute__((optimize("no-schedule-insns"))) VOX_NOINLINE
#else
#define VOX_TILE VOX_NOINLINE
#endif

VOX_INLINE vox_v vox_load(const float *p) {
    return *(const vox_v_any *)p;
}
VOX_INLINE void vox_store(float *p, vox_v a) {
    *(vox_v_any *)p = a;
}
/* Stores past the caches, where the target can: for whole tensors that are larger than a cache, which
 * otherwise would be read in order to be written. p is aligned to a vector; vox_store_past_end comes before
 * anyone reads. */
VOX_INLINE void vox_store_past(float *p, vox_v a) {
#if defined(VOX_AVX512)
    _mm512_stream_ps(p, (__m512)a);
#elif defined(VOX_AVX2)
    _mm256_stream_ps(p, (__m256)a);
#elif defined(VOX_SSE2)
    _mm_stream_ps(p, (__m128)a);
#else
    vox_store(p, a);
#endif
}
VOX_INLINE void vox_store_past_end(void) {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}
/* Lanes x[at + lane] where 0 <= at + lane < n, others 0. */
VOX_INLINE vox_v vox_load_within(const float *x, int at, int n) {
    const float *p = (const float *)((uintptr_t)x + (uintptr_t)at * sizeof *x);
#if defined(VOX_AVX512)
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i index = _mm512_add_epi32(lane, _mm512_set1_epi32(at));
    return (vox_v)_mm512_maskz_loadu_ps(_mm512_cmplt_epu32_mask(index, _mm512_set1_epi32(n)), p);
#elif defined(VOX_AVX2)
    const __m256i index = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(at));
    const __m256i low = _mm256_cmpgt_epi32(index, _mm256_set1_epi32(-1));
    const __m256i high = _mm256_cmpgt_epi32(_mm256_set1_epi32(n), index);
    return (vox_v)_mm256_maskload_ps(p, _mm256_and_si256(low, high));
#else
    vox_v v = {0};
    for (int i = 0; i < VOX_VL; i++)
        if (at + i >= 0 && at + i < n) v[i] = p[i];
    return v;
#endif
}
/* `ahead` floats behind p, which may be behind the array's end: no pointer is formed. */
VOX_INLINE void vox_prefetch(const float *p, size_t ahead) {
    __builtin_prefetch((const void *)((uintptr_t)p + ahead * sizeof *p));
}
VOX_INLINE vox_v vox_zero(void) {
    return (vox_v){0};
}

#if VOX_AVX512
VOX_INLINE vox_v vox_set(float a) {
    return (vox_v)_mm512_set1_ps(a);
}
VOX_INLINE vox_v vox_fma(vox_v a, vox_v b, vox_v c) {
    return (vox_v)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
/* The larger; b where either is NaN. */
VOX_INLINE vox_v vox_max(vox_v a, vox_v b) {
    return (vox_v)_mm512_max_ps((__m512)a, (__m512)b);
}
VOX_INLINE vox_v vox_min(vox_v a, vox_v b) {
    return (vox_v)_mm512_min_ps((__m512)a, (__m512)b);
}
#elif VOX_AVX2
VOX_INLINE vox_v vox_set(float a) {
    return (vox_v)_mm256_set1_ps(a);
}
VOX_INLINE vox_v vox_fma(vox_v a, vox_v b, vox_v c) {
    return (vox_v)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
VOX_INLINE vox_v vox_max(vox_v a, vox_v b) {
    return (vox_v)_mm256_max_ps((__m256)a, (__m256)b);
}
VOX_INLINE vox_v vox_min(vox_v a, vox_v b) {
    return (vox_v)_mm256_min_ps((__m256)a, (__m256)b);
}
#else
VOX_INLINE vox_v vox_set(float a) {
    return a - (vox_v){0}; /* -0 stays -0 */
}
#if VOX_NEON
VOX_INLINE vox_v vox_fma(vox_v a, vox_v b, vox_v c) {
    return (vox_v)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
#else
VOX_INLINE vox_v vox_fma(vox_v a, vox_v b, vox_v c) {
    return a * b + c;
}
#endif
#if VOX_SSE2
VOX_INLINE vox_v vox_max(vox_v a, vox_v b) {
    return (vox_v)_mm_max_ps((__m128)a, (__m128)b);
}
VOX_INLINE vox_v vox_min(vox_v a, vox_v b) {
    return (vox_v)_mm_min_ps((__m128)a, (__m128)b);
}
#else
VOX_INLINE vox_v vox_max(vox_v a, vox_v b) {
    vox_vi m = a > b; /* as x86: b where either is NaN */
    return (vox_v)((m & (vox_vi)a) | (~m & (vox_vi)b));
}
VOX_INLINE vox_v vox_min(vox_v a, vox_v b) {
    vox_vi m = a < b;
    return (vox_v)((m & (vox_vi)a) | (~m & (vox_vi)b));
}
#endif
#endif

/* m ? a : b per lane; m holds all ones or all zeros per lane, as comparisons of vox_v do. */
VOX_INLINE vox_v vox_select(vox_vi m, vox_v a, vox_v b) {
    return (vox_v)((m & (vox_vi)a) | (~m & (vox_vi)b));
}
/* The larger; NaN where either is. */
VOX_INLINE vox_v vox_max_or_nan(vox_v a, vox_v b) {
    return vox_select(a != a, a, vox_max(a, b));
}
/* Whether any lane is NaN. */
VOX_INLINE int vox_any_nan(vox_v a) {
#if VOX_AVX512
    return _mm512_cmp_ps_mask((__m512)a, (__m512)a, _CMP_UNORD_Q) != 0;
#elif VOX_AVX2
    return _mm256_movemask_ps(_mm256_cmp_ps((__m256)a, (__m256)a, _CMP_UNORD_Q)) != 0;
#elif VOX_NEON && defined(__aarch64__)
    return vmaxvq_u32((uint32x4_t)(a != a)) != 0;
#else
    const vox_vi m = a != a;
    int any = 0;
    VOX_UNROLL
    for (int i = 0; i < VOX_VL; i++) any |= m[i];
    return any != 0;
#endif
}
/* Bit i: lane i of a comparison of vox_v or vox_vi holds. */
VOX_INLINE unsigned vox_bits(vox_vi m) {
#if VOX_AVX512
    return _mm512_movepi32_mask((__m512i)m);
#elif VOX_AVX2
    return (unsigned)_mm256_movemask_ps((__m256)m);
#elif VOX_SSE2
    return (unsigned)_mm_movemask_ps((__m128)m);
#else
    unsigned bits = 0;
    VOX_UNROLL
    for (int i = 0; i < VOX_VL; i++) bits |= (unsigned)(m[i] & 1) << i;
    return bits;
#endif
}
VOX_INLINE vox_v vox_abs(vox_v a) {
    return (vox_v)((vox_vu)a & ~(vox_vu)vox_set(-0.0f));
}

VOX_INLINE vox_b16 vox_load_b16(const float *p) {
    vox_b16 r;
    for (int i = 0; i < VOX_NV; i++) r.v[i] = vox_load(p + i * VOX_VL);
    return r;
}
VOX_INLINE void vox_store_b16(float *p, vox_b16 a) {
    for (int i = 0; i < VOX_NV; i++) vox_store(p + i * VOX_VL, a.v[i]);
}

/* How many parts of `part` cover `whole`. */
VOX_INLINE int vox_parts(int whole, int part) {
    return (whole + part - 1) / part;
}
VOX_INLINE int vox_min_int(int a, int b) {
    return a < b ? a : b;
}
VOX_INLINE int vox_max_int(int a, int b) {
    return a > b ? a : b;
}
/* Quotients rounded towards minus and plus infinity; b > 0. */
VOX_INLINE int vox_floor_div(int a, int b) {
    return a / b - (a % b < 0);
}
VOX_INLINE int vox_ceil_div(int a, int b) {
    return a / b + (a % b > 0);
}

#endif
