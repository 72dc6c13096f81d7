#include "seeded.h"

#include <stdlib.h>

bool seeded_value(const ir_tensor *t, ir_value *v, ir_diag *d) {
    int64_t count = ir_count(t);
    *v = (ir_value){0};
    if (ir_dtype_is_float(t->dtype))
        v->f = malloc((size_t)(count + 1) * sizeof *v->f);
    else
        v->i = calloc((size_t)count + 1, sizeof *v->i);
    if (!v->f && !v->i) return ir_fail(d, IR_EXIT_FAILURE, "out of memory for input %s", t->name);
    for (int64_t i = 0; v->f && i < count; i++)
        v->f[i] = (double)(ir_random(0, (uint64_t)i) >> 40) * 0x1p-23 - 1;
    return true;
}
