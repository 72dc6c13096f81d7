/* What the kernel tests share: seeded numbers, guarded buffers, comparisons. Included once per instruction
 * set. */
#ifndef KERNELS_COMMON_H
#define KERNELS_COMMON_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "test_filter.h"
#include "vox_conv.h"
#include "vox_copy.h"
#include "vox_map.h"
#include "vox_norm.h"
#include "vox_pool3d.h"
#include "vox_reduce.h"
#include "vox_resize.h"
#include "vox_winograd_deep.h"
#include "vox_winograd_few.h"
#include "vox_ref.h"

/* Of `n` random cases, as many as there is time for: one in KERNELS_SHARE where the processor is emulated. */
#ifndef KERNELS_SHARE
#define KERNELS_SHARE 1
#endif
#define RANDOM_CASES(n) (((n) + KERNELS_SHARE - 1) / KERNELS_SHARE)
/* Of `n` cases of which every kind is to be seen, a quarter where the processor is emulated. */
#define CASES(n) (KERNELS_SHARE < 10 ? (n) : ((n) + 3) / 4)

static uint64_t seed = 1;
static uint32_t random_bits(void) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}
static int random_int(int low, int high) {
    return low + (int)(random_bits() % (uint32_t)(high - low + 1));
}
static int random_of(const int *list, int n) {
    return list[random_int(0, n - 1)];
}
#define RANDOM_OF(...)                                                                                       \
    random_of((const int[]){__VA_ARGS__}, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)))
static float random_float(void) {
    return (float)((double)random_bits() / 1073741824.0 - 1.0);
}

/* `count` floats between two walls of NaN; shift 1: aligned to 4 only. */
enum { WALL = 64 };
typedef struct buffer {
    float *memory, *at;
    size_t count;
} buffer;
static const uint32_t wall_bits = 0x7fc0dead;

static buffer buffer_new(size_t count, int shift) {
    buffer b = {.count = count};
    const size_t floats = (count + 2 * WALL + 16) / 16 * 16;
    b.memory = aligned_alloc(64, floats * sizeof(float));
    assert_non_null(b.memory);
    for (size_t i = 0; i < floats; i++) memcpy(&b.memory[i], &wall_bits, 4);
    b.at = b.memory + WALL + shift;
    return b;
}
static buffer buffer_random(size_t count, int shift) {
    buffer b = buffer_new(count, shift);
    for (size_t i = 0; i < count; i++) b.at[i] = random_float();
    return b;
}
/* Frees it; fails if a wall was written to. */
static void buffer_end(buffer b) {
    for (float *p = b.memory; p < b.memory + b.count + 2 * WALL; p++)
        if (p < b.at || p >= b.at + b.count) assert_memory_equal(p, &wall_bits, 4);
    free(b.memory);
}

/* A tensor of random values; lanes above C hold a large value that must not reach a result. */
static buffer tensor_random(const vox_dims *t) {
    buffer b = buffer_random(vox_ref_floats(t), t->block ? 0 : 1);
    if (t->block == 0) return b;
    for (size_t i = 0; i < b.count; i++) b.at[i] = 1e30f;
    for (int n = 0; n < t->n; n++)
        for (int c = 0; c < t->c; c++)
            for (int i = 0; i < t->d * t->h * t->w; i++) {
                const int w = i % t->w, h = i / t->w % t->h, d = i / t->w / t->h;
                b.at[vox_ref_at(t, n, c, d, h, w)] = random_float();
            }
    return b;
}
static buffer tensor_poisoned(const vox_dims *t) {
    return buffer_new(vox_ref_floats(t), t->block ? 0 : 1);
}

static void all_finite(buffer b) {
    for (size_t i = 0; i < b.count; i++) assert_true(isfinite(b.at[i]));
}

/* |got - want| <= tolerance * scale; a NaN in `got` fails. */
static void near(double got, double want, double tolerance, double scale, const char *what) {
    if (fabs(got - want) <= tolerance * scale || got == want || (isnan(got) && isnan(want))) return;
    print_error("%s: got %.9g, want %.9g, error %.3g of scale %.3g\n", what, got, want, fabs(got - want),
                scale);
    fail();
}

/* All planes of t. */
static vox_range whole_of(const vox_dims *t) {
    return (vox_range){0, t->d};
}
static const vox_range no_planes = {0, 0}; /* of kernels that see none */

/* ---- streaming ------------------------------------------------------------------------------- */

/* A ring of `planes` planes with NaN everywhere but in planes [begin, end) of x. */
static buffer ring_of(const vox_dims *t, int planes, const float *x, int begin, int end, vox_dims *ring) {
    *ring = *t;
    ring->ring = planes;
    buffer b = tensor_poisoned(ring);
    const size_t plane = (size_t)t->h * (size_t)t->w * (t->block ? 16 : 1);
    for (int n = 0; n < t->n; n++)
        for (int c = 0; c < t->c; c += t->block ? 16 : 1)
            for (int d = begin; d < end; d++)
                memcpy(b.at + vox_ref_at(ring, n, c, d, 0, 0), x + vox_ref_at(t, n, c, d, 0, 0),
                       plane * sizeof *x);
    return b;
}

/* Planes [begin, end) of a ring hold the bits of the whole tensor's. */
static void same_planes(const vox_dims *ring, buffer got, const vox_dims *t, buffer whole, int begin,
                        int end) {
    for (int n = 0; n < t->n; n++)
        for (int c = 0; c < t->c; c++)
            for (int d = begin; d < end; d++)
                for (int i = 0; i < t->h * t->w; i++)
                    assert_memory_equal(got.at + vox_ref_at(ring, n, c, d, i / t->w, i % t->w),
                                        whole.at + vox_ref_at(t, n, c, d, i / t->w, i % t->w), sizeof(float));
}

/* Element number i of a tensor, W fastest. */
static vox_position position_of(const vox_dims *t, int i) {
    return (vox_position){i / t->w / t->h / t->d / t->c, i / t->w / t->h / t->d % t->c,
                          i / t->w / t->h % t->d, i / t->w % t->h, i % t->w};
}

/* Loops over every element of a tensor. */
#define FOR_TENSOR(t, in, ic, id, ih, iw)                                                                    \
    for (int in = 0; in < (t)->n; in++)                                                                      \
        for (int ic = 0; ic < (t)->c; ic++)                                                                  \
            for (int id = 0; id < (t)->d; id++)                                                              \
                for (int ih = 0; ih < (t)->h; ih++)                                                          \
                    for (int iw = 0; iw < (t)->w; iw++)

#endif
