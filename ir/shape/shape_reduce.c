/* shape_reduce.c: ops along axes: resize, softmax, arg_max, reductions. */
#include "shape.h"

#include <string.h>

bool shape_resize(const ir_node *n, ir_type *out, ir_diag *d) {
    static const char *const modes[] = {"nearest", "linear", NULL};
    static const char *const coordinates[] = {
        "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
        "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    const ir_tensor *x = n->in[0];
    if (!shape_need_number(n, d) || !shape_need_rank(n, 1, IR_MAX_RANK, d) ||
        !shape_need_word(n, IR_MODE, modes, d) || !shape_need_word(n, IR_COORDINATES, coordinates, d) ||
        !shape_need_word(n, IR_NEAREST, nearest, d) || !shape_need_int(n, IR_EXCLUDE_OUTSIDE, 0, 1, d) ||
        !shape_need_ints(n, IR_SIZE, x->rank, 1, INT64_MAX, d) || !shape_need_finite(n, IR_SCALE, d) ||
        !shape_need_finite(n, IR_ROI, d))
        return false;
    const ir_attr *scale = ir_get(n, IR_SCALE), *roi = ir_get(n, IR_ROI);
    if (scale->count != x->rank)
        return shape_fail(n, d, "scale has %d values, wants %d", scale->count, x->rank);
    bool crop = !strcmp(ir_word(n, IR_COORDINATES), "tf_crop_and_resize");
    if (crop && !roi) return shape_fail(n, d, "coordinates=tf_crop_and_resize wants roi");
    if (roi && roi->count != 2 * x->rank)
        return shape_fail(n, d, "roi has %d values, wants %d", roi->count, 2 * x->rank);
    shape_copy(out, x);
    for (int i = 0; i < x->rank; i++) {
        if (!(scale->f[i] > 0))
            return shape_fail(n, d, "scale is %g along axis %d, wants more than 0", scale->f[i], i);
        if (!x->dim[i]) return shape_fail(n, d, "axis %d is empty: nothing to resize", i);
        out->dim[i] = ir_ints(n, IR_SIZE)[i];
    }
    return true;
}

bool shape_softmax(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_float(n, d) || !shape_need_rank(n, 1, IR_MAX_RANK, d) ||
        !shape_need_int(n, IR_AXIS, 0, n->in[0]->rank - 1, d))
        return false;
    shape_copy(out, n->in[0]);
    return true;
}

/* out loses the axes of the mask, or keeps them as 1. */
static void drop_axes(ir_type *out, unsigned axes, bool keep) {
    ir_type full = *out;
    memset(out->dim, 0, sizeof out->dim);
    out->rank = 0;
    for (int i = 0; i < full.rank; i++) {
        bool dropped = axes >> i & 1;
        if (!dropped || keep) out->dim[out->rank++] = dropped ? 1 : full.dim[i];
    }
}

bool shape_arg_max(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!shape_need_number(n, d) || !shape_need_rank(n, 1, IR_MAX_RANK, d) ||
        !shape_need_int(n, IR_AXIS, 0, n->in[0]->rank - 1, d) || !shape_need_int(n, IR_KEEPDIMS, 0, 1, d) ||
        !shape_need_int(n, IR_SELECT_LAST, 0, 1, d))
        return false;
    int axis = (int)ir_int(n, IR_AXIS);
    if (!n->in[0]->dim[axis]) return shape_fail(n, d, "axis %d is empty: it has no largest element", axis);
    shape_copy(out, n->in[0]);
    drop_axes(out, 1u << axis, ir_int(n, IR_KEEPDIMS));
    out->dtype = IR_I64;
    return true;
}

bool shape_reduce(const ir_node *n, ir_type *out, ir_diag *d) {
    const ir_attr *axes = ir_get(n, IR_AXES);
    if (!shape_need_number(n, d) || !shape_need_int(n, IR_KEEPDIMS, 0, 1, d) ||
        !shape_need_ints(n, IR_AXES, axes->count, 0, n->in[0]->rank - 1, d))
        return false;
    bool of_nothing = n->op == IR_OP_REDUCE_SUM || n->op == IR_OP_REDUCE_PROD;
    unsigned mask = 0;
    for (int i = 0; i < axes->count; i++) {
        if (i && axes->i[i] <= axes->i[i - 1]) return shape_fail(n, d, "axes want to be in ascending order");
        if (!of_nothing && !n->in[0]->dim[axes->i[i]])
            return shape_fail(n, d, "axis %lld is empty: nothing to reduce", (long long)axes->i[i]);
        mask |= 1u << axes->i[i];
    }
    shape_copy(out, n->in[0]);
    drop_axes(out, mask, ir_int(n, IR_KEEPDIMS));
    return true;
}
