/* shape.c: shape inference: what holds for every operator; what differs is a function of ops.def. */
#include "shape.h"

#include "index.h"
#include "integers.h"

#include <string.h>

static shape_fn *const functions[IR_OP_COUNT] = {
#define OP(sym, name, imin, imax, outs, weights, flags, form, shape, ...) [IR_OP_##sym] = shape_##shape,
#include "ops.def"
};

static bool check_operand_count(const ir_node *n, ir_diag *d) {
    const ir_op_info *op = ir_op_get(n->op);
    if (n->n_in < op->min_in || (op->max_in >= 0 && n->n_in > op->max_in)) {
        char most[24] = "more";
        if (op->max_in >= 0) snprintf(most, sizeof most, "%d", op->max_in);
        return shape_fail(n, d, "has %d operands, wants %d to %s", n->n_in, op->min_in, most);
    }
    for (int i = 0; i < n->n_in; i++)
        if (!n->in[i] && (i < op->min_in || op->max_in < 0))
            return shape_fail(n, d, "operand %d is missing", i);
    return true;
}

static bool check_attributes(const ir_node *n, ir_diag *d) {
    const ir_op_info *op = ir_op_get(n->op);
    uint64_t present = 0;
    for (int i = 0; i < n->n_attr; i++) {
        uint64_t bit = UINT64_C(1) << n->attr[i].key;
        if (!((op->required | op->optional) & bit))
            return shape_fail(n, d, "has no attribute %s", ir_key_name(n->attr[i].key));
        present |= bit;
    }
    for (int k = 0; k < IR_KEY_COUNT; k++)
        if (op->required & ~present & UINT64_C(1) << k)
            return shape_fail(n, d, "attribute %s is missing", ir_key_name((ir_key)k));
    return true;
}

static bool check_output(const ir_node *n, const ir_type *out, ir_diag *d) {
    int64_t bytes;
    const char *wrong = NULL;
    if (!ir_shape_bytes(out->dtype, out->rank, out->dim, &bytes))
        wrong = "exceed 2^62 bytes";
    else if (bytes == 0 && ir_op_get(n->op)->flags & IR_FLAG_SPATIAL)
        wrong = "be empty";
    if (!wrong) return true;
    ir_tensor t = {.name = "", .dtype = out->dtype, .rank = out->rank};
    memcpy(t.dim, out->dim, sizeof t.dim);
    char text[256];
    return shape_fail(n, d, "the output %s would %s", ir_type_text(&t, text, sizeof text), wrong);
}

bool shape_infer(const ir_node *n, ir_type *out, ir_diag *d) {
    *out = (ir_type){.rank = 0};
    return check_operand_count(n, d) && check_attributes(n, d) && functions[n->op](n, out, d) &&
           check_output(n, out, d);
}

bool ir_infer(ir_node *n, ir_diag *d) {
    ir_type type;
    if (!shape_infer(n, &type, d)) return false;
    ir_tensor *t = n->out[0];
    t->dtype = type.dtype;
    t->rank = type.rank;
    memcpy(t->dim, type.dim, sizeof t->dim);
    return true;
}

/* ---- costs ----------------------------------------------------------------------------------- */

int64_t ir_macs(const ir_node *n) {
    if (n->op != IR_OP_CONV && n->op != IR_OP_CONV_TRANSPOSE) return 0;
    const ir_tensor *w = n->in[1], *each = n->op == IR_OP_CONV ? n->out[0] : n->in[0];
    int64_t macs = ir_count(each); /* every one of these meets a row of the weights */
    for (int i = 1; i < w->rank; i++) macs = ir_times(macs, w->dim[i]);
    return macs;
}

/* Whether operand k of n counts as a parameter. */
static bool is_parameter(const ir_node *n, int k, bool norms) {
    bool present = k < n->n_in && n->in[k] && n->in[k]->role == IR_ROLE_CONST;
    switch (n->op) {
    case IR_OP_CONV:
    case IR_OP_CONV_TRANSPOSE:
        return present && k >= 1;
    case IR_OP_BATCH_NORM:
        return present && norms && (k == 1 || k == 2);
    case IR_OP_NORMALISE:
        return present && k == 3;
    case IR_OP_NORM_TERMS:
        return present && norms && k >= 1;
    case IR_OP_INSTANCE_NORM:
        return present && (k == 3 || (norms && k >= 1));
    case IR_OP_PRELU:
        return present && k == 1;
    default:
        return false;
    }
}

int64_t ir_parameters(const ir_graph *g, bool norms) {
    int64_t sum = 0;
    ir_arena *scratch = ir_arena_new();
    ir_index index = ir_index_tensors(g, scratch);
    bool *counted = ir_alloc(scratch, (size_t)g->n_tensors + 1, sizeof *counted);
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            if (!is_parameter(g->nodes[i], k, norms)) continue;
            bool *before = &counted[ir_index_find(&index, g->nodes[i]->in[k])];
            if (!*before) sum += ir_count(g->nodes[i]->in[k]);
            *before = true;
        }
    ir_arena_free(scratch);
    return sum;
}
