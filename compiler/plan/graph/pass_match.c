/* pass_match.c: see pass_match.h. */
#include "pass_match.h"

#include "graph_passes.h"

#include <string.h>

ir_node *pass_only_producer(const ir_graph *g, const ir_tensor *t, ir_op op) {
    if (!t || t->role != IR_ROLE_VALUE || t->producer->op != op) return NULL;
    return ir_count_uses(g, t) == 1 && t->producer->n_out == 1 ? t->producer : NULL;
}

bool pass_is_const(const ir_tensor *t) {
    return t && t->role == IR_ROLE_CONST && (t->data || ir_count(t) == 0);
}

bool pass_is_all(const ir_tensor *t, double v) {
    int64_t n;
    if (!pass_is_const(t)) return false;
    n = ir_count(t);
    for (int64_t i = 0; i < n; i++)
        if (ir_const_float(t, i) != v) return false;
    return n > 0;
}

bool pass_is_per_channel(const ir_tensor *t, const ir_tensor *x) {
    if (!pass_is_const(t) || t->rank > x->rank || x->rank < 2) return false;
    for (int a = 0; a < t->rank; a++) {
        int axis = x->rank - t->rank + a; /* of x: broadcasting aligns the last axes */
        if (t->dim[a] != 1 && !(axis == 1 && t->dim[a] == x->dim[1])) return false;
    }
    return true;
}

double pass_channel(const ir_tensor *t, int64_t c) {
    return ir_const_float(t, ir_count(t) == 1 ? 0 : c);
}

/* t's producer computes `instead` from now on; t and the node that computed `instead` before are gone. */
static void rename_value(ir_graph *g, ir_tensor *t, ir_tensor *instead) {
    ir_node *producer = t->producer, *gone = instead->producer;
    ir_replace_uses(g, t, instead);
    for (int k = 0; k < gone->n_out; k++)
        if (gone->out[k] == instead) gone->out[k] = t;
    for (int k = 0; k < producer->n_out; k++)
        if (producer->out[k] == t) producer->out[k] = instead;
    instead->producer = producer;
    t->producer = gone;
    /* gone now produces t, and reads `instead` where it read t */
    ir_remove_node(g, gone);
}

bool pass_bypass(ir_graph *g, ir_node *n, int k) {
    ir_tensor *x = n->in[k], *y = n->out[0];
    if (!ir_is_output(y)) {
        ir_replace_uses(g, y, x);
        ir_remove_node(g, n);
        return true;
    }
    if (x->role != IR_ROLE_VALUE || ir_is_output(x)) return false;
    rename_value(g, x, y);
    return true;
}

void pass_absorb(ir_graph *g, ir_node *by, ir_node *n) {
    rename_value(g, by->out[0], n->out[0]);
}

static const float *as_floats(ir_graph *g, const double *v, int64_t count) {
    float *f = ir_alloc(g->arena, (size_t)count, sizeof *f);
    for (int64_t i = 0; i < count; i++) f[i] = (float)v[i];
    return f;
}

void pass_set_const(ir_graph *g, ir_node *n, int k, const double *v) {
    ir_tensor *t = n->in[k];
    int64_t count = ir_count(t);
    const float *f = as_floats(g, v, count);
    if (ir_count_uses(g, t) > 1) {
        ir_set_operand(g, n, k,
                       ir_add_const(g, ir_unique_name(g, t->name), IR_F32, t->rank, t->dim, f, false));
        return;
    }
    t->data = f;
    t->hash = ir_hash(f, (size_t)count * sizeof *f);
}

void pass_add_const(ir_graph *g, ir_node *n, int k, const char *suffix, int64_t count, const double *v) {
    const char *name = ir_unique_name(g, ir_format(g->arena, "%s.%s", n->name, suffix));
    if (n->n_in <= k) {
        ir_tensor **in = ir_alloc(g->arena, (size_t)k + 1, sizeof(ir_tensor *));
        memcpy(in, n->in, (size_t)n->n_in * sizeof(ir_tensor *));
        ir_set_operands(g, n, k + 1, in);
    }
    ir_set_operand(g, n, k, ir_add_const(g, name, IR_F32, 1, &count, as_floats(g, v, count), false));
}
