/* front_onnx_node.c: what handlers are written with: a node's attributes and constants, and emitting IR. */
#include "fold_work.h"
#include "front_onnx_import.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* ---- failing --------------------------------------------------------------------------------- */

static bool fail_with(const onnx_call *c, int code, const char *fmt, va_list ap) {
    char text[1024];
    vsnprintf(text, sizeof text, fmt, ap);
    return ir_fail(c->im->d, code, "%s", text);
}

bool onnx_bad(const onnx_call *c, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail_with(c, IR_EXIT_INPUT, fmt, ap);
    va_end(ap);
    return false;
}

bool onnx_unsupported(const onnx_call *c, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail_with(c, IR_EXIT_UNSUPPORTED, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- attributes ------------------------------------------------------------------------------ */

const Onnx__AttributeProto *onnx_attr(const onnx_call *c, const char *name) {
    for (size_t i = 0; i < c->pb->n_attribute; i++)
        if (c->pb->attribute[i]->name && strcmp(c->pb->attribute[i]->name, name) == 0)
            return c->pb->attribute[i];
    return NULL;
}

bool onnx_has(const onnx_call *c, const char *name) {
    return onnx_attr(c, name) != NULL;
}

int64_t onnx_int(const onnx_call *c, const char *name, int64_t absent) {
    const Onnx__AttributeProto *a = onnx_attr(c, name);
    return a ? a->i : absent;
}

double onnx_float(const onnx_call *c, const char *name, double absent) {
    const Onnx__AttributeProto *a = onnx_attr(c, name);
    return a ? (double)a->f : absent;
}

const char *onnx_word(const onnx_call *c, const char *name, const char *absent) {
    const Onnx__AttributeProto *a = onnx_attr(c, name);
    if (!a) return absent;
    char *s = ir_alloc(c->im->scratch, a->s.len + 1, 1);
    if (a->s.len) memcpy(s, a->s.data, a->s.len);
    return s;
}

const int64_t *onnx_ints(const onnx_call *c, const char *name, int *count) {
    static const int64_t none = 0;
    const Onnx__AttributeProto *a = onnx_attr(c, name);
    *count = a ? (int)a->n_ints : 0;
    return !a ? NULL : a->n_ints ? a->ints : &none;
}

/* ---- constants ------------------------------------------------------------------------------- */

bool onnx_present(const onnx_call *c, int k) {
    return k < c->n_in && c->in[k];
}

const ir_tensor *onnx_const(const onnx_call *c, int k, const char *what) {
    if (!onnx_present(c, k)) {
        onnx_bad(c, "input %d (%s) is missing", k, what);
        return NULL;
    }
    if (c->in[k]->role != IR_ROLE_CONST || !c->in[k]->data) {
        onnx_unsupported(c, "input %d (%s) '%s' must be a constant, but it depends on the network's input", k,
                         what, c->pb->input[k]);
        return NULL;
    }
    return c->in[k];
}

bool onnx_const_ints(const onnx_call *c, int k, const char *what, int64_t *out, int max, int *count) {
    const ir_tensor *t = onnx_const(c, k, what);
    if (!t) return false;
    if (t->rank > 1 || ir_dtype_is_float(t->dtype))
        return onnx_bad(c, "input %d (%s) must be a list of integers", k, what);
    int64_t n = ir_count(t);
    if (n > max)
        return onnx_bad(c, "input %d (%s) holds %lld values; at most %d fit", k, what, (long long)n, max);
    *count = (int)n;
    for (int i = 0; i < *count; i++) out[i] = ir_const_int(t, i);
    return true;
}

bool onnx_list(const onnx_call *c, const char *name, int k, int64_t *out, int max, int *count) {
    int n;
    const int64_t *v = onnx_ints(c, name, &n);
    *count = -1;
    if (!v) return !onnx_present(c, k) || onnx_const_ints(c, k, name, out, max, count);
    if (n > max) return onnx_bad(c, "attribute %s holds %d values; at most %d fit", name, n, max);
    for (int i = 0; i < n; i++) out[i] = v[i];
    *count = n;
    return true;
}

bool onnx_axis(const onnx_call *c, int64_t *axis, int rank) {
    if (*axis < -rank || *axis >= rank)
        return onnx_bad(c, "axis %lld is outside the %d axes of its tensor", (long long)*axis, rank);
    if (*axis < 0) *axis += rank;
    return true;
}

bool onnx_axes(const onnx_call *c, int64_t *axis, int count, int rank) {
    for (int i = 0; i < count; i++) {
        if (!onnx_axis(c, &axis[i], rank)) return false;
        for (int k = 0; k < i; k++)
            if (axis[k] == axis[i]) return onnx_bad(c, "axis %lld is named twice", (long long)axis[i]);
    }
    return true;
}

/* ---- emitting -------------------------------------------------------------------------------- */

static const char *output_base(const onnx_call *c, const char *suffix) {
    const char *base = c->layer;
    for (size_t k = 0; k < c->pb->n_output && base == c->layer; k++)
        if (*c->pb->output[k]) base = c->pb->output[k];
    return suffix ? ir_format(c->im->scratch, "%s.%s", base, suffix) : base;
}

ir_node *onnx_begin(onnx_call *c, const char *suffix, ir_op op, int n_in, ir_tensor *const *in) {
    ir_node *n = ir_add_node(c->g, op, c->layer, n_in, in, onnx_name(c->im, output_base(c, suffix)));
    n->source = c->source;
    return n;
}

static bool all_constant(const ir_node *n) {
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && (n->in[i]->role != IR_ROLE_CONST || !n->in[i]->data)) return false;
    return true;
}

/* A small file can ask for any amount of memory and time. */
static bool may_fold(onnx_call *c, const ir_node *n) {
    onnx_import *im = c->im;
    const int64_t elements = ir_count(n->out[0]), work = fold_work(n);
    const int64_t room = ONNX_MAX_FOLDED + ONNX_FOLDED_PER_GIVEN * im->given;
    if (elements > room - im->folded)
        return onnx_unsupported(
            c,
            "this constant expression has %lld elements, those before it %lld; at most %lld are "
            "evaluated: simplify the model before (onnxsim), or store the values in it",
            (long long)elements, (long long)im->folded, (long long)room);
    if (work > FOLD_MOST_WORK - im->work)
        return onnx_unsupported(
            c,
            "this constant expression takes %lld operations, those before it %lld; at most %lld "
            "are done at compile time: store its value in the model",
            (long long)work, (long long)im->work, (long long)FOLD_MOST_WORK);
    im->folded += elements;
    im->work += work;
    return true;
}

static ir_tensor *fold(onnx_call *c, ir_node *n) {
    const char *name = n->out[0]->name;
    return may_fold(c, n) && ir_fold_node(c->g, n, c->im->d) ? ir_find_tensor(c->g, name) : NULL;
}

ir_tensor *onnx_end(onnx_call *c, ir_node *n) {
    if (!ir_finish_node(c->g, n, c->im->d)) return NULL;
    return all_constant(n) ? fold(c, n) : n->out[0];
}

ir_tensor *onnx_emit(onnx_call *c, const char *suffix, ir_op op, int n_in, ir_tensor *const *in) {
    for (int i = 0; i < n_in; i++)
        if (!in[i]) return NULL; /* an earlier step of this lowering failed, and said why */
    return onnx_end(c, onnx_begin(c, suffix, op, n_in, in));
}

ir_tensor *onnx_emit2(onnx_call *c, const char *suffix, ir_op op, ir_tensor *a, ir_tensor *b) {
    return onnx_emit(c, suffix, op, 2, (ir_tensor *[]){a, b});
}

ir_tensor *onnx_reshape(onnx_call *c, const char *suffix, ir_tensor *x, int rank, const int64_t *dim) {
    if (!x) return NULL;
    bool same = x->rank == rank;
    for (int i = 0; same && i < rank; i++) same = x->dim[i] == dim[i];
    if (same) return x;
    if (rank > IR_MAX_RANK) {
        onnx_unsupported(c, "a result of %d axes; at most %d are supported", rank, IR_MAX_RANK);
        return NULL;
    }
    ir_node *n = onnx_begin(c, suffix, IR_OP_RESHAPE, 1, &x);
    ir_set_ints(c->g, n, IR_SHAPE, rank, dim);
    return onnx_end(c, n);
}

ir_tensor *onnx_slice(onnx_call *c, const char *suffix, ir_tensor *x, const int64_t *begin,
                      const int64_t *size, const int64_t *step) {
    bool whole = true;
    for (int i = 0; i < x->rank; i++) whole = whole && begin[i] == 0 && size[i] == x->dim[i] && step[i] == 1;
    if (whole) return x;
    ir_node *n = onnx_begin(c, suffix, IR_OP_SLICE, 1, &x);
    ir_set_ints(c->g, n, IR_BEGIN, x->rank, begin);
    ir_set_ints(c->g, n, IR_SIZE, x->rank, size);
    ir_set_ints(c->g, n, IR_STEP, x->rank, step);
    return onnx_end(c, n);
}

ir_tensor *onnx_scalar(onnx_call *c, const char *suffix, ir_dtype t, double v) {
    double own; /* as many bytes as any type has */
    const double most = t == IR_BOOL ? 1 : UINT8_MAX;
    if (!ir_dtype_is_float(t) && !(v >= 0 && v <= most && v == floor(v))) {
        onnx_bad(c, "%g is no %s: it does not take inputs of that type", v, ir_dtype_name(t));
        return NULL;
    }
    if (ir_dtype_is_float(t))
        ir_store_float(t, &own, 0, v);
    else
        ir_store_int(t, &own, 0, (int64_t)v);
    return ir_add_const(c->g, onnx_name(c->im, output_base(c, suffix)), t, 0, NULL, &own, true);
}

static bool is_operand(const onnx_call *c, const ir_tensor *t) {
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] == t) return true;
    return false;
}

bool onnx_bind(onnx_call *c, int k, ir_tensor *t) {
    if (!t) return false;
    if (k >= (int)c->pb->n_output || !*c->pb->output[k]) return true;
    onnx_find(c->im, c->pb->output[k])->tensor = t;
    /* What the handler made was named after the first output. */
    if (k > 0 && !is_operand(c, t)) ir_rename_tensor(c->g, t, onnx_name(c->im, c->pb->output[k]));
    return true;
}
