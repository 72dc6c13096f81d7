/* front_onnx_map.c: ONNX operators that compute element by element, along an axis, or over axes. */
#include "front_onnx_import.h"
#include "onnx_tensor.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- element-wise ---------------------------------------------------------------------------- */

bool onnx_identity(onnx_call *c) {
    return onnx_bind(c, 0, c->in[0]);
}

/* Integers are their own floor, ceiling and rounding. */
bool onnx_map(onnx_call *c) {
    ir_op op = (ir_op)c->op->ir;
    bool rounds = op == IR_OP_FLOOR || op == IR_OP_CEIL || op == IR_OP_ROUND;
    if (rounds && !ir_dtype_is_float(c->in[0]->dtype)) return onnx_identity(c);
    return onnx_bind(c, 0, onnx_emit(c, NULL, op, 1, c->in));
}

bool onnx_map_alpha(onnx_call *c) {
    ir_op op = (ir_op)c->op->ir;
    ir_node *n = onnx_begin(c, NULL, op, 1, c->in);
    ir_set_float(c->g, n, IR_ALPHA, onnx_float(c, "alpha", op == IR_OP_ELU ? 1 : (double)0.01f));
    return onnx_bind(c, 0, onnx_end(c, n));
}

bool onnx_binary(onnx_call *c) {
    return onnx_bind(c, 0, onnx_emit(c, NULL, (ir_op)c->op->ir, c->n_in, c->in));
}

/* The exponent may be of another type than the base, which decides the result's. */
bool onnx_pow(onnx_call *c) {
    ir_tensor *base = c->in[0], *exponent = c->in[1];
    if (!ir_dtype_is_float(base->dtype) || exponent->dtype == base->dtype) return onnx_binary(c);
    ir_node *n = onnx_begin(c, "exponent", IR_OP_CAST, 1, &exponent);
    ir_set_word(c->g, n, IR_TO, ir_dtype_name(base->dtype));
    exponent = onnx_end(c, n);
    return exponent && onnx_bind(c, 0, onnx_emit2(c, NULL, IR_OP_POW, base, exponent));
}

bool onnx_nary(onnx_call *c) {
    return onnx_binary(c);
}

/* Before opset 7 a list of slopes belonged to the channels. */
bool onnx_old_prelu(onnx_call *c) {
    ir_tensor *x = c->in[0], *slope = c->in[1];
    int64_t dim[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    dim[0] = ir_count(slope);
    if (x->rank > 2 && dim[0] > 1) slope = onnx_reshape(c, "slope", slope, x->rank - 1, dim);
    return onnx_bind(c, 0, onnx_emit2(c, NULL, IR_OP_PRELU, x, slope));
}

/* ((a op b) op c) op ... */
static ir_tensor *chain(onnx_call *c, const char *last) {
    ir_tensor *t = c->in[0];
    for (int k = 1; k < c->n_in && t; k++) {
        if (!c->in[k]) {
            onnx_bad(c, "input %d is left out", k);
            return NULL;
        }
        t = onnx_emit2(c, k + 1 < c->n_in ? "part" : last, (ir_op)c->op->ir, t, c->in[k]);
    }
    return t;
}

bool onnx_variadic(onnx_call *c) {
    return onnx_bind(c, 0, chain(c, NULL));
}

bool onnx_mean(onnx_call *c) {
    ir_tensor *sum = chain(c, "sum");
    if (!sum || c->n_in == 1) return onnx_bind(c, 0, sum);
    return onnx_bind(c, 0, onnx_emit2(c, NULL, IR_OP_DIV, sum, onnx_scalar(c, "count", sum->dtype, c->n_in)));
}

/* Xor is "not equal" of two bools. */
bool onnx_negated(onnx_call *c) {
    ir_tensor *t = onnx_emit(c, "positive", (ir_op)c->op->ir, c->n_in, c->in);
    return onnx_bind(c, 0, onnx_emit(c, NULL, IR_OP_NOT, 1, &t));
}

bool onnx_reciprocal(onnx_call *c) {
    return onnx_bind(c, 0,
                     onnx_emit2(c, NULL, IR_OP_DIV, onnx_scalar(c, "one", c->in[0]->dtype, 1), c->in[0]));
}

bool onnx_mod(onnx_call *c) {
    ir_node *n = onnx_begin(c, NULL, IR_OP_MOD, 2, c->in);
    ir_set_int(c->g, n, IR_FMOD, onnx_int(c, "fmod", 0));
    return onnx_bind(c, 0, onnx_end(c, n));
}

static ir_tensor *clip_to(onnx_call *c, const char *suffix, ir_tensor *x, double low, double high) {
    ir_node *n = onnx_begin(c, suffix, IR_OP_CLIP, 1, &x);
    ir_set_float(c->g, n, IR_ALPHA, low);
    ir_set_float(c->g, n, IR_BETA, high);
    return onnx_end(c, n);
}

/* A bound of Clip 11: its value where it is constant. */
static double clip_bound(const onnx_call *c, int k, double absent) {
    return onnx_present(c, k) ? ir_const_float(c->in[k], 0) : absent;
}

static bool clip_is_constant(const onnx_call *c) {
    for (int k = 1; k < c->n_in; k++)
        if (c->in[k] && (c->in[k]->role != IR_ROLE_CONST || ir_count(c->in[k]) != 1)) return false;
    return true;
}

bool onnx_clip(onnx_call *c) {
    ir_tensor *x = c->in[0];
    bool is_float = ir_dtype_is_float(x->dtype);
    if (c->opset < 11)
        return onnx_bind(c, 0,
                         clip_to(c, NULL, x, onnx_float(c, "min", -(double)FLT_MAX),
                                 onnx_float(c, "max", (double)FLT_MAX)));
    if (is_float && clip_is_constant(c))
        return onnx_bind(
            c, 0, clip_to(c, NULL, x, clip_bound(c, 1, -(double)FLT_MAX), clip_bound(c, 2, (double)FLT_MAX)));
    /* Integers do not fit the attributes' doubles, and bounds may be computed. */
    if (onnx_present(c, 1)) x = onnx_emit2(c, onnx_present(c, 2) ? "low" : NULL, IR_OP_MAX, x, c->in[1]);
    if (onnx_present(c, 2)) x = onnx_emit2(c, NULL, IR_OP_MIN, x, c->in[2]);
    return onnx_bind(c, 0, x);
}

/* HardSigmoid: clip(alpha * x + beta, 0, 1). HardSwish: x * HardSigmoid(x) with alpha 1/6, beta 1/2. */
bool onnx_hard_sigmoid(onnx_call *c) {
    ir_tensor *x = c->in[0];
    bool swish = strcmp(c->op->name, "HardSwish") == 0;
    double alpha = swish ? 1.0 / 6 : onnx_float(c, "alpha", (double)0.2f), beta = onnx_float(c, "beta", 0.5);
    ir_tensor *t = onnx_emit2(c, "scaled", IR_OP_MUL, x, onnx_scalar(c, "alpha", x->dtype, alpha));
    t = onnx_emit2(c, "shifted", IR_OP_ADD, t, onnx_scalar(c, "beta", x->dtype, beta));
    t = t ? clip_to(c, swish ? "gate" : NULL, t, 0, 1) : NULL;
    return onnx_bind(c, 0, swish ? onnx_emit2(c, NULL, IR_OP_MUL, x, t) : t);
}

bool onnx_cast(onnx_call *c) {
    ir_dtype to;
    if (!onnx_has(c, "to")) return onnx_bad(c, "attribute to is missing");
    if (!onnx_dtype((int)onnx_int(c, "to", 0), "attribute to", &to, c->im->d)) return false;
    if (to == c->in[0]->dtype) return onnx_identity(c);
    ir_node *n = onnx_begin(c, NULL, IR_OP_CAST, 1, c->in);
    ir_set_word(c->g, n, IR_TO, ir_dtype_name(to));
    return onnx_bind(c, 0, onnx_end(c, n));
}

bool onnx_dropout(onnx_call *c) {
    if (onnx_present(c, 2)) {
        const ir_tensor *training = onnx_const(c, 2, "training_mode");
        if (!training) return false;
        if (ir_count(training) != 1 || ir_const_int(training, 0))
            return onnx_unsupported(c, "training_mode is not supported: export for inference");
    }
    return onnx_identity(c);
}

/* ---- along an axis --------------------------------------------------------------------------- */

static ir_tensor *softmax_node(onnx_call *c, const char *suffix, ir_tensor *x, int64_t axis) {
    if (!x) return NULL;
    ir_node *n = onnx_begin(c, suffix, (ir_op)c->op->ir, 1, &x);
    ir_set_int(c->g, n, IR_AXIS, axis);
    return onnx_end(c, n);
}

/* Before opset 13 the axes from `axis` on were one flattened axis (default 1); since then it is that axis
 * alone (default -1). */
bool onnx_softmax(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int64_t axis = onnx_int(c, "axis", c->opset < 13 ? 1 : -1), flat[IR_MAX_RANK + 1];
    int wide = 0, rank = x->rank;
    if (!onnx_axis(c, &axis, rank)) return false;
    for (int i = (int)axis + 1; i < rank; i++) wide += x->dim[i] != 1;
    if (c->opset >= 13 || !wide) return onnx_bind(c, 0, softmax_node(c, NULL, x, axis));
    for (int i = 0; i < axis; i++) flat[i] = x->dim[i];
    flat[axis] = 1;
    for (int i = (int)axis; i < rank; i++) flat[axis] *= x->dim[i];
    ir_tensor *t = softmax_node(c, "flat", onnx_reshape(c, "flatten", x, (int)axis + 1, flat), axis);
    return onnx_bind(c, 0, onnx_reshape(c, NULL, t, rank, x->dim));
}

bool onnx_arg_max(onnx_call *c) {
    ir_tensor *x = c->in[0];
    int64_t axis = onnx_int(c, "axis", 0);
    if (!onnx_axis(c, &axis, x->rank)) return false;
    if (strcmp(c->op->name, "ArgMin") == 0) x = onnx_emit(c, "negated", IR_OP_NEG, 1, &x);
    if (!x) return false;
    ir_node *n = onnx_begin(c, NULL, IR_OP_ARG_MAX, 1, &x);
    ir_set_int(c->g, n, IR_AXIS, axis);
    ir_set_int(c->g, n, IR_KEEPDIMS, onnx_int(c, "keepdims", 1));
    ir_set_int(c->g, n, IR_SELECT_LAST, onnx_int(c, "select_last_index", 0));
    return onnx_bind(c, 0, onnx_end(c, n));
}

/* ---- over axes ------------------------------------------------------------------------------- */

/* Reductions that are a reduction between two maps. MAP_SQUARE multiplies x with itself. */
enum { MAP_NONE = -1, MAP_SQUARE = -2 };
static const struct {
    const char *name;
    int before, after;
} reductions[] = {
    {"ReduceL1", IR_OP_ABS, MAP_NONE},
    {"ReduceL2", MAP_SQUARE, IR_OP_SQRT},
    {"ReduceSumSquare", MAP_SQUARE, MAP_NONE},
    {"ReduceLogSum", MAP_NONE, IR_OP_LOG},
};

static ir_tensor *reduce_before(onnx_call *c, int op) {
    if (op == MAP_NONE) return c->in[0];
    if (op == MAP_SQUARE) return onnx_emit2(c, "square", IR_OP_MUL, c->in[0], c->in[0]);
    return onnx_emit(c, "map", (ir_op)op, 1, c->in);
}

static void sort_axes(int64_t *axis, int count) {
    for (int i = 1; i < count; i++)
        for (int k = i; k > 0 && axis[k - 1] > axis[k]; k--) {
            int64_t t = axis[k];
            axis[k] = axis[k - 1];
            axis[k - 1] = t;
        }
}

bool onnx_reduce(onnx_call *c) {
    int64_t axes[IR_MAX_RANK];
    int count, before = MAP_NONE, after = MAP_NONE, rank = c->in[0]->rank;
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++)
        if (strcmp(c->op->name, reductions[i].name) == 0)
            before = reductions[i].before, after = reductions[i].after;
    if (!onnx_list(c, "axes", 1, axes, IR_MAX_RANK, &count)) return false;
    if (count <= 0 && onnx_int(c, "noop_with_empty_axes", 0)) {
        if (before != MAP_NONE || after != MAP_NONE)
            return onnx_unsupported(c, "noop_with_empty_axes without axes");
        return onnx_identity(c);
    }
    if (count <= 0)
        for (count = 0; count < rank; count++) axes[count] = count;
    if (!onnx_axes(c, axes, count, rank)) return false;
    sort_axes(axes, count);
    ir_tensor *x = reduce_before(c, before);
    if (!x) return false;
    ir_node *n = onnx_begin(c, after == MAP_NONE ? NULL : "sum", (ir_op)c->op->ir, 1, &x);
    ir_set_ints(c->g, n, IR_AXES, count, axes);
    ir_set_int(c->g, n, IR_KEEPDIMS, onnx_int(c, "keepdims", 1));
    ir_tensor *t = onnx_end(c, n);
    return onnx_bind(c, 0, after == MAP_NONE ? t : onnx_emit(c, NULL, (ir_op)after, 1, &t));
}
