/* front_onnx_slice.c: ONNX operators that cut, join and pad. */
#include "front_onnx_import.h"
#include "integers.h"

#include <string.h>

/* ---- join ------------------------------------------------------------------------------------ */

/* Empty members say nothing. */
static int without_empty(const onnx_call *c, ir_tensor **kept) {
    int n = 0;
    for (int k = 0; k < c->n_in; k++)
        if (ir_count(c->in[k]) > 0) kept[n++] = c->in[k];
    if (!n) kept[n++] = c->in[0];
    return n;
}

bool onnx_concat(onnx_call *c) {
    if (!onnx_has(c, "axis")) return onnx_bad(c, "attribute axis is missing");
    int64_t axis = onnx_int(c, "axis", 0);
    for (int k = 0; k < c->n_in; k++)
        if (!c->in[k]) return onnx_bad(c, "input %d is left out", k);
    ir_tensor **kept = ir_alloc(c->im->scratch, (size_t)c->n_in, sizeof(ir_tensor *));
    int n_kept = without_empty(c, kept);
    if (!onnx_axis(c, &axis, c->in[0]->rank)) return false;
    if (n_kept == 1) return onnx_bind(c, 0, kept[0]);
    ir_node *n = onnx_begin(c, NULL, IR_OP_CONCAT, n_kept, kept);
    ir_set_int(c->g, n, IR_AXIS, axis);
    return onnx_bind(c, 0, onnx_end(c, n));
}

/* ---- cut ------------------------------------------------------------------------------------- */

/* Python's rules for x[start:end:step] along an axis of n elements. */
static void python_slice(int64_t n, int64_t start, int64_t end, int64_t step, int64_t *begin, int64_t *size) {
    bool forward = step > 0;
    int64_t low = forward ? 0 : -1, high = forward ? n : n - 1;
    start = ir_clamp(start < 0 ? start + n : start, low, high);
    end = ir_clamp(end < 0 ? end + n : end, low, high);
    int64_t span = forward ? end - start : start - end;
    uint64_t stride = forward ? (uint64_t)step : -(uint64_t)step;
    *size = span > 0 ? (int64_t)(((uint64_t)span - 1) / stride) + 1 : 0;
    *begin = *size ? start : 0;
}

typedef struct slice_lists {
    int64_t start[IR_MAX_RANK], end[IR_MAX_RANK], axis[IR_MAX_RANK], step[IR_MAX_RANK];
    int count;
} slice_lists;

/* Before opset 10 these were attributes, since then inputs. */
static bool read_slices(const onnx_call *c, slice_lists *s) {
    int n_end, n_axis, n_step;
    if (!onnx_list(c, "starts", 1, s->start, IR_MAX_RANK, &s->count) ||
        !onnx_list(c, "ends", 2, s->end, IR_MAX_RANK, &n_end) ||
        !onnx_list(c, "axes", 3, s->axis, IR_MAX_RANK, &n_axis) ||
        !onnx_list(c, "steps", 4, s->step, IR_MAX_RANK, &n_step))
        return false;
    if (s->count < 0 || n_end < 0) return onnx_bad(c, "starts or ends are missing");
    if (n_end != s->count || (n_axis >= 0 && n_axis != s->count) || (n_step >= 0 && n_step != s->count))
        return onnx_bad(c, "starts, ends, axes and steps differ in length");
    for (int i = 0; i < s->count; i++) {
        if (n_axis < 0) s->axis[i] = i;
        if (n_step < 0) s->step[i] = 1;
        if (s->step[i] == 0) return onnx_bad(c, "steps holds 0");
    }
    return onnx_axes(c, s->axis, s->count, c->in[0]->rank);
}

bool onnx_slice_node(onnx_call *c) {
    const ir_tensor *x = c->in[0];
    int64_t begin[IR_MAX_RANK] = {0}, size[IR_MAX_RANK], step[IR_MAX_RANK];
    slice_lists s;
    if (!read_slices(c, &s)) return false;
    for (int i = 0; i < x->rank; i++) size[i] = x->dim[i], step[i] = 1;
    for (int i = 0; i < s.count; i++) {
        int64_t a = s.axis[i];
        step[a] = s.step[i] == INT64_MIN ? -INT64_MAX : s.step[i];
        python_slice(x->dim[a], s.start[i], s.end[i], step[a], &begin[a], &size[a]);
    }
    return onnx_bind(c, 0, onnx_slice(c, NULL, c->in[0], begin, size, step));
}

/* The sizes of the parts: given, or equal parts of which the last may be smaller. */
static bool split_sizes(const onnx_call *c, int64_t whole, int64_t *size, int parts) {
    int count;
    if (!onnx_list(c, "split", 1, size, parts, &count)) return false;
    if (count < 0) {
        int64_t wanted = onnx_int(c, "num_outputs", parts), each = (whole + parts - 1) / parts;
        if (wanted != parts)
            return onnx_bad(c, "num_outputs is %lld, the outputs are %d", (long long)wanted, parts);
        for (int i = 0; i < parts; i++) size[i] = ir_clamp(whole - i * each, 0, each);
        return !(whole % parts && c->opset < 18) ||
               onnx_bad(c, "%lld elements do not split into %d equal parts", (long long)whole, parts);
    }
    if (count != parts) return onnx_bad(c, "split holds %d sizes for %d outputs", count, parts);
    int64_t left = whole;
    for (int i = 0; i < parts; i++) {
        if (size[i] < 0 || size[i] > left)
            return onnx_bad(c, "split does not add up to %lld", (long long)whole);
        left -= size[i];
    }
    return left == 0 || onnx_bad(c, "split does not add up to %lld", (long long)whole);
}

bool onnx_split(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int parts = (int)c->pb->n_output;
    int64_t axis = onnx_int(c, "axis", 0), begin[IR_MAX_RANK] = {0}, size[IR_MAX_RANK], step[IR_MAX_RANK];
    int64_t *part = ir_alloc(c->im->scratch, (size_t)parts, sizeof *part);
    if (!onnx_axis(c, &axis, x->rank) || !split_sizes(c, x->dim[axis], part, parts)) return false;
    for (int i = 0; i < x->rank; i++) size[i] = x->dim[i], step[i] = 1;
    for (int k = 0; k < parts; k++) {
        size[axis] = part[k];
        bool empty = part[k] == 0;
        const int64_t at = begin[axis];
        if (empty) begin[axis] = 0;
        if (*c->pb->output[k] &&
            !onnx_bind(
                c, k, onnx_slice(c, k ? ir_format(c->im->scratch, "part%d", k) : NULL, x, begin, size, step)))
            return false;
        begin[axis] = at + part[k];
    }
    return true;
}

/* ---- pad ------------------------------------------------------------------------------------- */

/* pads = begins then ends of `axes` (all axes when there is no such input) into 2 * rank full ones. */
static bool full_pads(const onnx_call *c, int64_t *pad) {
    int rank = c->in[0]->rank, n_pads, n_axes = -1;
    int64_t given[2 * IR_MAX_RANK], axes[IR_MAX_RANK];
    if (!onnx_list(c, "pads", 1, given, 2 * IR_MAX_RANK, &n_pads)) return false;
    if (n_pads < 0) return onnx_bad(c, "pads are missing");
    if (onnx_present(c, 3) && !onnx_const_ints(c, 3, "axes", axes, IR_MAX_RANK, &n_axes)) return false;
    if (n_axes < 0)
        for (n_axes = 0; n_axes < rank; n_axes++) axes[n_axes] = n_axes;
    if (!onnx_axes(c, axes, n_axes, rank)) return false;
    if (n_pads != 2 * n_axes) return onnx_bad(c, "pads holds %d values, expected %d", n_pads, 2 * n_axes);
    memset(pad, 0, (size_t)(2 * rank) * sizeof *pad);
    for (int i = 0; i < n_axes; i++) {
        pad[axes[i]] = given[i];
        pad[rank + axes[i]] = given[n_axes + i];
    }
    return true;
}

static bool pad_value(const onnx_call *c, double *value) {
    *value = onnx_float(c, "value", 0);
    if (!onnx_present(c, 2)) return true;
    const ir_tensor *t = onnx_const(c, 2, "constant_value");
    if (!t) return false;
    if (ir_count(t) > 1) return onnx_bad(c, "constant_value must hold one element");
    if (ir_count(t) == 1) *value = ir_const_float(t, 0);
    return true;
}

bool onnx_pad(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int64_t pad[2 * IR_MAX_RANK];
    double value;
    bool none = true;
    const char *mode = onnx_word(c, "mode", "constant");
    if (!full_pads(c, pad) || !pad_value(c, &value)) return false;
    for (int i = 0; i < 2 * x->rank; i++) none = none && pad[i] == 0;
    if (none) return onnx_identity(c);
    ir_node *n = onnx_begin(c, NULL, IR_OP_PAD, 1, &x);
    ir_set_ints(c->g, n, IR_PAD, 2 * x->rank, pad);
    ir_set_word(c->g, n, IR_MODE, mode);
    if (strcmp(mode, "constant") == 0) ir_set_float(c->g, n, IR_VALUE, value);
    return onnx_bind(c, 0, onnx_end(c, n));
}
