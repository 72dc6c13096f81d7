/* file_tensor.c: see file_tensor.h. */
#include "file_tensor.h"

#include <stdlib.h>
#include <string.h>

bool file_tensor_init(file_tensor *t, ir_dtype dtype, int rank, const int64_t *dim, const char *where,
                      ir_diag *d) {
    int64_t bytes;
    *t = (file_tensor){.dtype = dtype, .rank = rank};
    if (rank > IR_MAX_RANK)
        return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: %d axes; at most %d are supported", where, rank,
                       IR_MAX_RANK);
    if (!ir_shape_bytes(dtype, rank, dim, &bytes))
        return ir_fail(d, IR_EXIT_INPUT, "%s: a dimension is negative or the size overflows", where);
    for (int i = 0; i < rank; i++) t->dim[i] = dim[i];
    t->data = calloc((size_t)bytes + 1, 1);
    if (!t->data)
        return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory for %lld bytes", where, (long long)bytes);
    return true;
}

void file_tensor_free(file_tensor *t) {
    free(t->data);
    t->data = NULL;
}

bool file_tensor_to_value(const file_tensor *t, ir_value *v, ir_diag *d) {
    int64_t n = 0;
    *v = (ir_value){0};
    if (!ir_shape_count(t->rank, t->dim, &n)) ir_die("file_tensor_to_value: shape overflows");
    void *p = malloc((size_t)n * 8 + 1);
    if (!p) return ir_fail(d, IR_EXIT_FAILURE, "out of memory for a tensor of %lld bytes", (long long)n * 8);
    if (ir_dtype_is_float(t->dtype)) {
        v->f = p;
        for (int64_t i = 0; i < n; i++) v->f[i] = ir_load_float(t->dtype, t->data, i);
    } else {
        v->i = p;
        for (int64_t i = 0; i < n; i++) v->i[i] = ir_load_int(t->dtype, t->data, i);
    }
    return true;
}

bool file_tensor_from_value(file_tensor *t, const ir_tensor *like, const ir_value *v, ir_diag *d) {
    if (!file_tensor_init(t, like->dtype, like->rank, like->dim, like->name, d)) return false;
    int64_t n = ir_count(like);
    for (int64_t i = 0; i < n; i++) {
        if (v->f)
            ir_store_float(t->dtype, t->data, i, v->f[i]);
        else
            ir_store_int(t->dtype, t->data, i, v->i[i]);
    }
    return true;
}
