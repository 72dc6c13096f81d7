#include "seeded.h"

#include <stdlib.h>

/* Uniform in [-1, 1): splitmix64's finaliser over a counter. */
static double random_at(uint64_t counter) {
    uint64_t z = (counter + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (double)(float)((double)(z >> 40) / 8388608.0 - 1.0);
}

bool seeded_value(const ir_tensor *t, ir_value *v, ir_diag *d) {
    int64_t count = ir_count(t);
    *v = (ir_value){0};
    if (ir_dtype_is_float(t->dtype))
        v->f = malloc((size_t)(count + 1) * sizeof *v->f);
    else
        v->i = calloc((size_t)count + 1, sizeof *v->i);
    if (!v->f && !v->i) return ir_fail(d, IR_EXIT_FAILURE, "out of memory for input %s", t->name);
    for (int64_t i = 0; v->f && i < count; i++) v->f[i] = random_at((uint64_t)i);
    return true;
}
