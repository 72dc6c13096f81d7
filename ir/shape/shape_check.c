/* shape_check.c: the checks and messages that shape functions share. */
#include "shape.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { TEXT = 1024, MAX_OPERANDS_SHOWN = 8 };

/* "; operands %x f32[...], _, ..." */
static void list_operands(const ir_node *n, char *buf, size_t size) {
    size_t at = 0;
    buf[0] = 0;
    for (int i = 0; i < n->n_in && at < size; i++) {
        char type[256];
        int w;
        if (i == MAX_OPERANDS_SHOWN)
            w = snprintf(buf + at, size - at, " and %d more", n->n_in - i);
        else if (!n->in[i])
            w = snprintf(buf + at, size - at, "%s _", i ? "," : "; operands");
        else
            w = snprintf(buf + at, size - at, "%s %%%s %s", i ? "," : "; operands", n->in[i]->name,
                         ir_type_text(n->in[i], type, sizeof type));
        at += w > 0 ? (size_t)w : 0;
        if (i == MAX_OPERANDS_SHOWN) return;
    }
}

static bool fail(const ir_node *n, ir_diag *d, int code, const char *fmt, va_list ap) {
    char message[TEXT], operands[TEXT];
    vsnprintf(message, sizeof message, fmt, ap);
    list_operands(n, operands, sizeof operands);
    return ir_fail(d, code, "%s '%.200s': %s%s", ir_op_get(n->op)->name, n->name, message, operands);
}

bool shape_fail(const ir_node *n, ir_diag *d, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail(n, d, IR_EXIT_INPUT, fmt, ap);
    va_end(ap);
    return false;
}

bool shape_unsupported(const ir_node *n, ir_diag *d, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fail(n, d, IR_EXIT_UNSUPPORTED, fmt, ap);
    va_end(ap);
    return false;
}

bool shape_need_ints(const ir_node *n, ir_key key, int count, int64_t low, int64_t high, ir_diag *d) {
    const ir_attr *a = ir_get(n, key);
    if (!a) return true;
    const char *name = ir_key_name(key);
    if (a->count != count) return shape_fail(n, d, "%s has %d values, wants %d", name, a->count, count);
    for (int i = 0; i < count; i++)
        if (a->i[i] < low || a->i[i] > high)
            return shape_fail(n, d, "%s is %lld, wants %lld to %lld", name, (long long)a->i[i],
                              (long long)low, (long long)high);
    return true;
}

bool shape_need_int(const ir_node *n, ir_key key, int64_t low, int64_t high, ir_diag *d) {
    return shape_need_ints(n, key, 1, low, high, d);
}

bool shape_need_word(const ir_node *n, ir_key key, const char *const *words, ir_diag *d) {
    const char *word = ir_word(n, key);
    if (!word) return true;
    char list[512];
    size_t at = 0;
    list[0] = 0;
    for (int i = 0; words[i]; i++) {
        if (!strcmp(words[i], word)) return true;
        int w =
            at < sizeof list ? snprintf(list + at, sizeof list - at, "%s%s", i ? " | " : "", words[i]) : 0;
        at += (size_t)w;
    }
    return shape_unsupported(n, d, "%s is '%.100s', wants %s", ir_key_name(key), word, list);
}

bool shape_need_finite(const ir_node *n, ir_key key, ir_diag *d) {
    const ir_attr *a = ir_get(n, key);
    for (int i = 0; a && i < a->count; i++)
        if (!isfinite(a->f[i]))
            return shape_fail(n, d, "%s is %g, wants a finite number", ir_key_name(key), a->f[i]);
    return true;
}

bool shape_need_rank(const ir_node *n, int low, int high, ir_diag *d) {
    int rank = n->in[0]->rank;
    if (rank >= low && rank <= high) return true;
    return shape_fail(n, d, "operand %%%s has %d axes, wants %d to %d", n->in[0]->name, rank, low, high);
}

bool shape_need_float(const ir_node *n, ir_diag *d) {
    if (ir_dtype_is_float(n->in[0]->dtype)) return true;
    return shape_fail(n, d, "operand %%%s is %s, wants f32 or f64", n->in[0]->name,
                      ir_dtype_name(n->in[0]->dtype));
}

bool shape_need_number(const ir_node *n, ir_diag *d) {
    if (n->in[0]->dtype != IR_BOOL) return true;
    return shape_fail(n, d, "operand %%%s is bool, wants a number", n->in[0]->name);
}

bool shape_need_same_dtype(const ir_node *n, ir_diag *d) {
    for (int i = 1; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->dtype != n->in[0]->dtype)
            return shape_fail(n, d, "operand %%%s is %s but %%%s is %s, wants one dtype", n->in[i]->name,
                              ir_dtype_name(n->in[i]->dtype), n->in[0]->name, ir_dtype_name(n->in[0]->dtype));
    return true;
}

/* alpha and beta stand beside a fused activation exactly when the activation has them. */
static bool need_parameter(const ir_node *n, ir_key key, uint64_t wanted, const char *act, ir_diag *d) {
    bool want = wanted >> key & 1, have = ir_get(n, key) != NULL;
    if (want == have) return true;
    return shape_fail(n, d, "act=%s %s %s", act, want ? "wants" : "takes no", ir_key_name(key));
}

bool shape_need_act(const ir_node *n, ir_diag *d) {
    const char *act = ir_word(n, IR_ACT);
    bool prelu = act && !strcmp(act, "prelu"), slope = n->n_in > 3 && n->in[3];
    if (prelu != slope)
        return shape_fail(n, d,
                          prelu ? "act=prelu wants the slope as operand 3" : "the slope wants act=prelu");
    uint64_t wanted = 0;
    ir_op op;
    if (act && !prelu) {
        if (!ir_op_parse(act, &op) || (ir_op_get(op)->flags & (IR_FLAG_MAP | IR_FLAG_SHAPE)) != IR_FLAG_MAP)
            return shape_unsupported(n, d, "act is '%.100s', wants a map op (relu, sigmoid, ...) or prelu",
                                     act);
        wanted = ir_op_get(op)->required;
    }
    if (slope) {
        int64_t count = ir_count(n->in[3]), channels = n->in[1]->dim[0];
        if (n->op == IR_OP_NORMALISE) channels = n->in[0]->dim[1];
        if (n->op == IR_OP_CONV_TRANSPOSE) channels = n->in[1]->dim[1] * ir_int(n, IR_GROUP);
        if (count != 1 && count != channels)
            return shape_fail(n, d, "slope %%%s has %lld values, wants 1 or %lld", n->in[3]->name,
                              (long long)count, (long long)channels);
    }
    return need_parameter(n, IR_ALPHA, wanted, act ? act : "none", d) &&
           need_parameter(n, IR_BETA, wanted, act ? act : "none", d);
}

void shape_copy(ir_type *out, const ir_tensor *t) {
    out->dtype = t->dtype;
    out->rank = t->rank;
    memcpy(out->dim, t->dim, sizeof out->dim);
}
