/* shape_data.c: ops that move elements without computing: cut, join, pad, reorder, look up, convert. */
#include "shape.h"

#include <math.h>
#include <string.h>

bool shape_concat(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_rank(n, 1, IR_MAX_RANK, d) || !shape_need_same_dtype(n, d) ||
        !shape_need_int(n, IR_AXIS, 0, n->in[0]->rank - 1, d))
        return false;
    int axis = (int)ir_int(n, IR_AXIS);
    shape_copy(out, n->in[0]);
    for (int k = 1; k < n->n_in; k++) {
        const ir_tensor *t = n->in[k];
        bool same = t->rank == out->rank;
        for (int i = 0; same && i < out->rank; i++) same = i == axis || t->dim[i] == out->dim[i];
        if (!same) {
            char a[256], b[256];
            return shape_fail(n, d, "%%%s %s and %%%s %s may differ along axis %d only", n->in[0]->name,
                              ir_type_text(n->in[0], a, sizeof a), t->name, ir_type_text(t, b, sizeof b),
                              axis);
        }
        if (__builtin_add_overflow(out->dim[axis], t->dim[axis], &out->dim[axis]))
            return shape_fail(n, d, "axis %d of the output would exceed 2^62", axis);
    }
    return true;
}

bool shape_slice(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_tensor *x = n->in[0];
    if (!shape_need_ints(n, IR_BEGIN, x->rank, 0, INT64_MAX, d) ||
        !shape_need_ints(n, IR_SIZE, x->rank, 0, INT64_MAX, d) ||
        !shape_need_ints(n, IR_STEP, x->rank, -INT64_MAX, INT64_MAX, d))
        return false;
    shape_copy(out, x);
    for (int i = 0; i < x->rank; i++) {
        int64_t begin = ir_ints(n, IR_BEGIN)[i], size = ir_ints(n, IR_SIZE)[i], step = ir_ints(n, IR_STEP)[i],
                last;
        if (!step) return shape_fail(n, d, "step is 0 along axis %d", i);
        bool inside = begin <= x->dim[i];
        if (size > 0)
            inside = begin < x->dim[i] && !__builtin_mul_overflow(size - 1, step, &last) &&
                     !__builtin_add_overflow(last, begin, &last) && last >= 0 && last < x->dim[i];
        if (!inside)
            return shape_fail(n, d, "begin %lld size %lld step %lld leaves axis %d of %lld elements",
                              (long long)begin, (long long)size, (long long)step, i, (long long)x->dim[i]);
        out->dim[i] = size;
    }
    return true;
}

bool shape_pad(const ir_node *n, ir_type *out, ir_diag *d) {
    static const char *const modes[] = {"constant", "reflect", "edge", "wrap", NULL};
    const ir_tensor *x = n->in[0];
    const int64_t most = INT64_C(1) << 61;
    if (!shape_need_ints(n, IR_PAD, 2 * x->rank, -most, most, d) || !shape_need_word(n, IR_MODE, modes, d))
        return false;
    bool constant = !strcmp(ir_word(n, IR_MODE), "constant"),
         reflect = !strcmp(ir_word(n, IR_MODE), "reflect");
    if (!constant && ir_get(n, IR_VALUE)) return shape_fail(n, d, "value wants mode=constant");
    shape_copy(out, x);
    for (int i = 0; i < x->rank; i++) {
        int64_t begin = ir_ints(n, IR_PAD)[i], end = ir_ints(n, IR_PAD)[x->rank + i];
        int64_t larger = begin > end ? begin : end;
        if (reflect && larger > 0 && larger >= x->dim[i])
            return shape_fail(n, d, "reflect pads axis %d by %lld, wants less than its %lld elements", i,
                              (long long)larger, (long long)x->dim[i]);
        if (!constant && larger > 0 && !x->dim[i])
            return shape_fail(n, d, "axis %d is empty: nothing to repeat", i);
        if (__builtin_add_overflow(x->dim[i], begin + end, &out->dim[i]) || out->dim[i] < 0)
            return shape_fail(n, d, "pad %lld and %lld leaves nothing of axis %d of %lld elements",
                              (long long)begin, (long long)end, i, (long long)x->dim[i]);
    }
    return true;
}

/* The attribute `shape` as out's shape. */
static bool shape_attribute(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_attr *a = ir_get(n, IR_SHAPE);
    if (a->count > IR_MAX_RANK)
        return shape_unsupported(n, d, "shape has %d axes, at most %d", a->count, IR_MAX_RANK);
    if (!shape_need_ints(n, IR_SHAPE, a->count, 0, INT64_MAX, d)) return false;
    shape_copy(out, n->in[0]);
    out->rank = a->count;
    memset(out->dim, 0, sizeof out->dim);
    for (int i = 0; i < a->count; i++) out->dim[i] = a->i[i];
    return true;
}

bool shape_reshape(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_attribute(n, out, d)) return false;
    int64_t count, have = ir_count(n->in[0]);
    if (!ir_shape_count(out->rank, out->dim, &count)) return shape_fail(n, d, "shape exceeds 2^62 elements");
    if (count == have) return true;
    return shape_fail(n, d, "shape has %lld elements but %%%s has %lld", (long long)count, n->in[0]->name,
                      (long long)have);
}

bool shape_expand(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_tensor *x = n->in[0];
    if (!shape_attribute(n, out, d)) return false;
    int lead = out->rank - x->rank;
    bool fits = lead >= 0;
    for (int i = 0; fits && i < x->rank; i++) fits = x->dim[i] == 1 || x->dim[i] == out->dim[lead + i];
    return fits || shape_fail(n, d, "%%%s does not broadcast to shape", x->name);
}

bool shape_transpose(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_tensor *x = n->in[0];
    if (!shape_need_ints(n, IR_PERM, x->rank, 0, x->rank - 1, d)) return false;
    unsigned seen = 0;
    shape_copy(out, x);
    for (int i = 0; i < x->rank; i++) {
        int64_t from = ir_ints(n, IR_PERM)[i];
        if (seen >> from & 1) return shape_fail(n, d, "perm names axis %lld twice", (long long)from);
        seen |= 1u << from;
        out->dim[i] = x->dim[from];
    }
    return true;
}

bool shape_gather(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_tensor *x = n->in[0], *index = n->in[1];
    if (!shape_need_rank(n, 1, IR_MAX_RANK, d) || !shape_need_int(n, IR_AXIS, 0, x->rank - 1, d))
        return false;
    if (index->dtype != IR_I64 && index->dtype != IR_I32)
        return shape_fail(n, d, "index %%%s wants to be i64 or i32", index->name);
    int rank = x->rank - 1 + index->rank, axis = (int)ir_int(n, IR_AXIS), at = 0;
    if (rank > IR_MAX_RANK)
        return shape_unsupported(n, d, "the output has %d axes, at most %d", rank, IR_MAX_RANK);
    *out = (ir_type){.dtype = x->dtype, .rank = rank};
    for (int i = 0; i < axis; i++) out->dim[at++] = x->dim[i];
    for (int i = 0; i < index->rank; i++) out->dim[at++] = index->dim[i];
    for (int i = axis + 1; i < x->rank; i++) out->dim[at++] = x->dim[i];
    return true;
}

bool shape_shape(const ir_node *n, ir_type *out, ir_diag *d) {
    (void)d;
    *out = (ir_type){.dtype = IR_I64, .rank = 1, .dim = {n->in[0]->rank}};
    return true;
}

/* The elements of a range, -1 when there are more than 2^62. */
static int64_t range_count(const ir_node *n) {
    const ir_tensor *start = n->in[0], *limit = n->in[1], *delta = n->in[2];
    if (ir_dtype_is_float(start->dtype)) {
        double count = ceil((ir_const_float(limit, 0) - ir_const_float(start, 0)) / ir_const_float(delta, 0));
        return !(count > 0) ? 0 : count <= 0x1p62 ? (int64_t)count : -1;
    }
    __int128 span = (__int128)ir_const_int(limit, 0) - ir_const_int(start, 0), step = ir_const_int(delta, 0);
    if (step < 0) span = -span, step = -step;
    if (span <= 0) return 0;
    __int128 count = (span + step - 1) / step;
    return count <= (__int128)1 << 62 ? (int64_t)count : -1;
}

bool shape_range(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_same_dtype(n, d) || !shape_need_number(n, d)) return false;
    for (int k = 0; k < 3; k++) {
        const ir_tensor *t = n->in[k];
        if (ir_count(t) != 1) return shape_fail(n, d, "operand %%%s wants one element", t->name);
        if (t->role != IR_ROLE_CONST || !t->data)
            return shape_unsupported(n, d, "operand %%%s is not a constant: the size is not known", t->name);
    }
    if (ir_const_float(n->in[2], 0) == 0) return shape_fail(n, d, "delta %%%s is 0", n->in[2]->name);
    int64_t count = range_count(n);
    if (count < 0) return shape_fail(n, d, "more than 2^62 elements");
    *out = (ir_type){.dtype = n->in[0]->dtype, .rank = 1, .dim = {count}};
    return true;
}

bool shape_cast(const ir_node *n, ir_type *out, ir_diag *d) {
    shape_copy(out, n->in[0]);
    if (ir_dtype_parse(ir_word(n, IR_TO), &out->dtype)) return true;
    return shape_unsupported(n, d, "there is no dtype '%.100s'", ir_word(n, IR_TO));
}

bool shape_relayout(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_rank(n, 5, 5, d)) return false;
    shape_copy(out, n->in[0]);
    return n->in[0]->dtype == IR_F32 || shape_fail(n, d, "blocked layouts are for f32");
}

bool shape_channels_last(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_rank(n, 3, 5, d)) return false;
    shape_copy(out, n->in[0]);
    return n->in[0]->dtype == IR_F32 || shape_fail(n, d, "channels-last layouts are for f32");
}
