/* integers.h: the arithmetic of sizes. n and size, or to, are 0 or more and more than 0. */
#ifndef VOXC_IR_INTEGERS_H
#define VOXC_IR_INTEGERS_H

#include <stdint.h>

static inline int64_t ir_min(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static inline int64_t ir_max(int64_t a, int64_t b) {
    return a > b ? a : b;
}
static inline int64_t ir_clamp(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}
/* The product, INT64_MAX where that is too small. */
static inline int64_t ir_times(int64_t a, int64_t b) {
    return __builtin_mul_overflow(a, b, &a) ? INT64_MAX : a;
}
/* How many pieces of `size` n needs. */
static inline int64_t ir_parts(int64_t n, int64_t size) {
    return (n + size - 1) / size;
}
static inline int64_t ir_round_up(int64_t n, int64_t to) {
    return ir_parts(n, to) * to;
}

#endif
