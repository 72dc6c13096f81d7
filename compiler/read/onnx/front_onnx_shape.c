/* front_onnx_shape.c: ONNX operators that make constants, ask for shapes, or give elements another shape. */
#include "front_onnx_import.h"
#include "integers.h"
#include "onnx_tensor.h"

#include <string.h>

static const char *output_name(const onnx_call *c) {
    return *c->pb->output[0] ? c->pb->output[0] : c->layer;
}

/* ---- constants ------------------------------------------------------------------------------- */

static ir_tensor *constant_floats(onnx_call *c, const Onnx__AttributeProto *a, bool list) {
    int64_t n = list ? (int64_t)a->n_floats : 1;
    static const float none = 0;
    const float *v = list ? a->floats : &a->f;
    return ir_add_const(c->g, onnx_name(c->im, output_name(c)), IR_F32, list, &n, v ? v : &none, true);
}

static ir_tensor *constant_ints(onnx_call *c, const Onnx__AttributeProto *a, bool list) {
    int64_t n = list ? (int64_t)a->n_ints : 1;
    static const int64_t none = 0;
    const int64_t *v = list ? a->ints : &a->i;
    return ir_add_const(c->g, onnx_name(c->im, output_name(c)), IR_I64, list, &n, v ? v : &none, true);
}

bool onnx_constant_node(onnx_call *c) {
    const Onnx__AttributeProto *a;
    ir_tensor *t = NULL;
    if (c->pb->n_attribute != 1) return onnx_bad(c, "expected one attribute that holds the value");
    if ((a = onnx_attr(c, "value"))) t = onnx_add_tensor(c->im, a->t, "attribute value", output_name(c));
    if ((a = onnx_attr(c, "value_float"))) t = constant_floats(c, a, false);
    if ((a = onnx_attr(c, "value_floats"))) t = constant_floats(c, a, true);
    if ((a = onnx_attr(c, "value_int"))) t = constant_ints(c, a, false);
    if ((a = onnx_attr(c, "value_ints"))) t = constant_ints(c, a, true);
    return onnx_bind(c, 0, t);
}

bool onnx_constant_of_shape(onnx_call *c) {
    int64_t dim[IR_MAX_RANK], bytes;
    int rank;
    ir_tensor *one;
    if (!onnx_const_ints(c, 0, "input", dim, IR_MAX_RANK, &rank)) return false;
    if (!ir_shape_bytes(IR_I64, rank, dim, &bytes)) return onnx_bad(c, "the shape is negative or overflows");
    const Onnx__AttributeProto *a = onnx_attr(c, "value");
    if (a) {
        one = onnx_add_tensor(c->im, a->t, "attribute value", "value");
        if (!one) return false;
        if (ir_count(one) != 1) return onnx_bad(c, "attribute value must hold one element");
        one = onnx_reshape(c, "value", one, 0, NULL);
    } else {
        one = onnx_scalar(c, "value", IR_F32, 0);
    }
    if (!one) return false;
    ir_node *n = onnx_begin(c, NULL, IR_OP_EXPAND, 1, &one);
    ir_set_ints(c->g, n, IR_SHAPE, rank, dim);
    return onnx_bind(c, 0, onnx_end(c, n));
}

bool onnx_shape_of(onnx_call *c) {
    const ir_tensor *x = c->in[0];
    int64_t rank = x->rank, start = onnx_int(c, "start", 0), end = onnx_int(c, "end", rank);
    start = ir_clamp(start < 0 ? start + rank : start, 0, rank);
    end = ir_clamp(end < 0 ? end + rank : end, 0, rank);
    int count = end > start ? (int)(end - start) : 0;
    return onnx_bind(
        c, 0, ir_add_const_i64(c->g, onnx_name(c->im, output_name(c)), count, x->dim + (count ? start : 0)));
}

bool onnx_size(onnx_call *c) {
    int64_t n = ir_count(c->in[0]);
    return onnx_bind(c, 0, ir_add_const(c->g, onnx_name(c->im, output_name(c)), IR_I64, 0, NULL, &n, true));
}

bool onnx_range(onnx_call *c) {
    static const char *const what[] = {"start", "limit", "delta"};
    for (int k = 0; k < 3; k++)
        if (!onnx_const(c, k, what[k])) return false;
    return onnx_bind(c, 0, onnx_emit(c, NULL, IR_OP_RANGE, 3, c->in));
}

/* ---- the same elements ----------------------------------------------------------------------- */

/* Fills in 0 (copy, unless allowzero) and -1 (what is left). */
static bool complete_shape(const onnx_call *c, int64_t *dim, int rank) {
    const ir_tensor *x = c->in[0];
    int64_t known = 1;
    int guess = -1;
    for (int i = 0; i < rank; i++) {
        if (dim[i] == 0 && !onnx_int(c, "allowzero", 0)) {
            if (i >= x->rank)
                return onnx_bad(c, "shape: axis %d is to be copied, but the input has %d axes", i, x->rank);
            dim[i] = x->dim[i];
        }
        if (dim[i] < -1) return onnx_bad(c, "shape holds %lld", (long long)dim[i]);
        if (dim[i] == -1 && guess >= 0) return onnx_bad(c, "shape holds -1 twice");
        if (dim[i] == -1)
            guess = i;
        else if (__builtin_mul_overflow(known, dim[i], &known))
            return onnx_bad(c, "the product of shape overflows");
    }
    int64_t count = ir_count(x);
    if (guess < 0) return true;
    if (known == 0 || count % known)
        return onnx_bad(c, "shape: %lld elements cannot be split by %lld", (long long)count,
                        (long long)known);
    dim[guess] = count / known;
    return true;
}

bool onnx_reshape_node(onnx_call *c) {
    int64_t dim[IR_MAX_RANK];
    int rank;
    return onnx_const_ints(c, 1, "shape", dim, IR_MAX_RANK, &rank) && complete_shape(c, dim, rank) &&
           onnx_bind(c, 0, onnx_reshape(c, NULL, c->in[0], rank, dim));
}

bool onnx_squeeze(onnx_call *c) {
    const ir_tensor *x = c->in[0];
    int64_t axes[IR_MAX_RANK], dim[IR_MAX_RANK];
    bool drop[IR_MAX_RANK] = {false};
    int count, rank = 0;
    if (!onnx_list(c, "axes", 1, axes, IR_MAX_RANK, &count)) return false;
    if (count > 0 && !onnx_axes(c, axes, count, x->rank)) return false;
    for (int i = 0; count < 0 && i < x->rank; i++) drop[i] = x->dim[i] == 1;
    for (int i = 0; i < count; i++) {
        if (x->dim[axes[i]] != 1)
            return onnx_bad(c, "axis %lld has %lld elements, only 1 can be squeezed", (long long)axes[i],
                            (long long)x->dim[axes[i]]);
        drop[axes[i]] = true;
    }
    for (int i = 0; i < x->rank; i++)
        if (!drop[i]) dim[rank++] = x->dim[i];
    return onnx_bind(c, 0, onnx_reshape(c, NULL, c->in[0], rank, dim));
}

bool onnx_unsqueeze(onnx_call *c) {
    const ir_tensor *x = c->in[0];
    int64_t axes[IR_MAX_RANK], dim[2 * IR_MAX_RANK];
    bool fresh[2 * IR_MAX_RANK] = {false};
    int count, from = 0;
    if (!onnx_list(c, "axes", 1, axes, IR_MAX_RANK, &count)) return false;
    if (count < 0) return onnx_bad(c, "axes are missing");
    if (!onnx_axes(c, axes, count, x->rank + count)) return false;
    for (int i = 0; i < count; i++) fresh[axes[i]] = true;
    for (int i = 0; i < x->rank + count; i++) dim[i] = fresh[i] ? 1 : x->dim[from++];
    return onnx_bind(c, 0, onnx_reshape(c, NULL, c->in[0], x->rank + count, dim));
}

bool onnx_flatten(onnx_call *c) {
    const ir_tensor *x = c->in[0];
    int64_t axis = onnx_int(c, "axis", 1), dim[2] = {1, 1};
    if (axis != x->rank && !onnx_axis(c, &axis, x->rank)) return false;
    for (int i = 0; i < x->rank; i++) dim[i >= axis] *= x->dim[i];
    return onnx_bind(c, 0, onnx_reshape(c, NULL, c->in[0], 2, dim));
}

bool onnx_transpose(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int64_t perm[IR_MAX_RANK];
    int count;
    bool identity = true;
    const int64_t *given = onnx_ints(c, "perm", &count);
    if (given && count != x->rank) return onnx_bad(c, "perm holds %d values, expected %d", count, x->rank);
    for (int i = 0; i < x->rank; i++) {
        perm[i] = given ? given[i] : x->rank - 1 - i;
        identity = identity && perm[i] == i;
    }
    if (identity) return onnx_identity(c);
    ir_node *n = onnx_begin(c, NULL, IR_OP_TRANSPOSE, 1, &x);
    ir_set_ints(c->g, n, IR_PERM, x->rank, perm);
    return onnx_bind(c, 0, onnx_end(c, n));
}

/* ---- repeated elements ----------------------------------------------------------------------- */

static ir_tensor *expand_to(onnx_call *c, const char *suffix, ir_tensor *x, int rank, const int64_t *dim) {
    if (!x) return NULL;
    bool same = rank == x->rank && memcmp(dim, x->dim, (size_t)rank * sizeof *dim) == 0;
    if (same) return x;
    ir_node *n = onnx_begin(c, suffix, IR_OP_EXPAND, 1, &x);
    ir_set_ints(c->g, n, IR_SHAPE, rank, dim);
    return onnx_end(c, n);
}

/* ONNX lets both sides broadcast: a 1 in `shape` keeps the input's dimension. */
bool onnx_expand(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int64_t want[IR_MAX_RANK], dim[IR_MAX_RANK];
    int count;
    if (!onnx_const_ints(c, 1, "shape", want, IR_MAX_RANK, &count)) return false;
    int rank = count > x->rank ? count : x->rank;
    for (int i = 0; i < rank; i++) {
        int64_t w = i < rank - count ? 1 : want[i - (rank - count)];
        int64_t have = i < rank - x->rank ? 1 : x->dim[i - (rank - x->rank)];
        if (w < 0) return onnx_bad(c, "shape holds %lld", (long long)w);
        dim[i] = w == 1 ? have : w;
    }
    return onnx_bind(c, 0, expand_to(c, NULL, x, rank, dim));
}

/* Axis by axis: [.., d, ..] as [.., 1, d, ..], the 1 expanded, and both joined again. */
static ir_tensor *tile_axis(onnx_call *c, const char *suffix, ir_tensor *x, int axis, int64_t times) {
    int64_t split[IR_MAX_RANK + 1], joined[IR_MAX_RANK];
    if (x->rank == IR_MAX_RANK) {
        onnx_unsupported(c, "tiling %d axes", x->rank);
        return NULL;
    }
    memcpy(joined, x->dim, sizeof joined);
    for (int i = 0; i < x->rank; i++) split[i + (i >= axis)] = x->dim[i];
    split[axis] = 1;
    if (__builtin_mul_overflow(joined[axis], times, &joined[axis])) {
        onnx_bad(c, "the tiled size overflows");
        return NULL;
    }
    int rank = x->rank;
    x = onnx_reshape(c, "split", x, rank + 1, split);
    split[axis] = times;
    return onnx_reshape(c, suffix, expand_to(c, "repeated", x, rank + 1, split), rank, joined);
}

bool onnx_tile(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int64_t repeats[IR_MAX_RANK];
    int count, last = -1;
    if (!onnx_const_ints(c, 1, "repeats", repeats, IR_MAX_RANK, &count)) return false;
    if (count != x->rank) return onnx_bad(c, "repeats holds %d values, expected %d", count, x->rank);
    for (int i = 0; i < count; i++) {
        if (repeats[i] < 0) return onnx_bad(c, "repeats holds %lld", (long long)repeats[i]);
        if (repeats[i] != 1) last = i;
    }
    for (int i = 0; i <= last && x; i++)
        if (repeats[i] != 1) x = tile_axis(c, i == last ? NULL : "part", x, i, repeats[i]);
    return onnx_bind(c, 0, x);
}

/* ---- looked-up elements ---------------------------------------------------------------------- */

bool onnx_gather(onnx_call *c) {
    const ir_tensor *x = c->in[0], *index = c->in[1];
    int64_t axis = onnx_int(c, "axis", 0);
    if (!onnx_axis(c, &axis, x->rank)) return false;
    for (int64_t i = 0; index->role == IR_ROLE_CONST && index->data && i < ir_count(index); i++) {
        int64_t at = ir_const_int(index, i);
        if (at < -x->dim[axis] || at >= x->dim[axis])
            return onnx_bad(c, "index %lld is outside axis %lld of %lld elements", (long long)at,
                            (long long)axis, (long long)x->dim[axis]);
    }
    ir_node *n = onnx_begin(c, NULL, IR_OP_GATHER, 2, c->in);
    ir_set_int(c->g, n, IR_AXIS, axis);
    return onnx_bind(c, 0, onnx_end(c, n));
}
