/* shape_map.c: ops that work element by element. */
#include "shape.h"

#include <math.h>
#include <string.h>

static bool need_form(const ir_node *n, ir_diag *d) {
    switch (ir_op_get(n->op)->form) {
    case IR_FORM_FLOATS:
        return shape_need_float(n, d);
    case IR_FORM_NUMBERS:
    case IR_FORM_ORDERS:
        return shape_need_number(n, d);
    case IR_FORM_EQUALS:
    case IR_FORM_OTHER:
        return true;
    case IR_FORM_BOOLS:
        break;
    }
    if (n->in[0]->dtype == IR_BOOL) return true;
    return shape_fail(n, d, "operand %%%s is %s, wants bool", n->in[0]->name, ir_dtype_name(n->in[0]->dtype));
}

bool shape_map(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!need_form(n, d)) return false;
    for (int i = 0; i < n->n_attr; i++)
        if (ir_key_kind(n->attr[i].key) == IR_KIND_FLOAT && isnan(n->attr[i].f[0]))
            return shape_fail(n, d, "%s is not a number", ir_key_name(n->attr[i].key));
    shape_copy(out, n->in[0]);
    return true;
}

/* NumPy broadcasting of t into out; false when an axis is neither equal nor 1. */
static bool broadcast_with(ir_type *out, const ir_tensor *t) {
    int rank = out->rank > t->rank ? out->rank : t->rank;
    int64_t dim[IR_MAX_RANK] = {0};
    for (int i = 0; i < rank; i++) {
        int io = i - (rank - out->rank), it = i - (rank - t->rank);
        int64_t a = io < 0 ? 1 : out->dim[io], b = it < 0 ? 1 : t->dim[it];
        if (a != b && a != 1 && b != 1) return false;
        dim[i] = a == 1 ? b : a;
    }
    out->rank = rank;
    memcpy(out->dim, dim, sizeof dim);
    return true;
}

/* The base of a power decides its dtype: the exponent may be of any number type. */
static bool need_operand_dtypes(const ir_node *n, ir_diag *d) {
    if (n->op != IR_OP_POW) return shape_need_same_dtype(n, d);
    if (n->in[1]->dtype != IR_BOOL) return true;
    return shape_fail(n, d, "the exponent %%%s is bool, wants a number", n->in[1]->name);
}

bool shape_binary(const ir_node *n, ir_type *out, ir_diag *d) {
    if (!need_form(n, d) || !need_operand_dtypes(n, d)) return false;
    if (n->op == IR_OP_MOD) {
        if (!shape_need_int(n, IR_FMOD, 0, 1, d)) return false;
        if (ir_dtype_is_float(n->in[0]->dtype) && !ir_int(n, IR_FMOD))
            return shape_fail(n, d, "floats want fmod=1");
    }
    shape_copy(out, n->in[0]);
    if (!broadcast_with(out, n->in[1])) return shape_fail(n, d, "the operands do not broadcast to one shape");
    if (n->op == IR_OP_PRELU && (out->rank != n->in[0]->rank ||
                                 memcmp(out->dim, n->in[0]->dim, (size_t)out->rank * sizeof *out->dim)))
        return shape_fail(n, d, "the slope does not broadcast to the first operand's shape");
    ir_form form = ir_op_get(n->op)->form;
    if (form == IR_FORM_ORDERS || form == IR_FORM_EQUALS) out->dtype = IR_BOOL;
    return true;
}

bool shape_where(const ir_node *n, ir_type *out, ir_diag *d) {
    if (n->in[0]->dtype != IR_BOOL)
        return shape_fail(n, d, "the condition %%%s wants to be bool", n->in[0]->name);
    if (n->in[1]->dtype != n->in[2]->dtype)
        return shape_fail(n, d, "%%%s and %%%s want one dtype", n->in[1]->name, n->in[2]->name);
    shape_copy(out, n->in[0]);
    out->dtype = n->in[1]->dtype;
    if (!broadcast_with(out, n->in[1]) || !broadcast_with(out, n->in[2]))
        return shape_fail(n, d, "the operands do not broadcast to one shape");
    return true;
}
