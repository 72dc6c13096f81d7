/* interp_reduce.c: interpreter, reductions over any set of axes. */
#include "interp.h"
#include "integers.h"

#include <math.h>

typedef struct reduction {
    double f_start;
    int64_t i_start;
    double (*f)(double a, double b);
    int64_t (*i)(int64_t a, int64_t b);
} reduction;

static double f_sum(double a, double b) {
    return a + b;
}
static double f_prod(double a, double b) {
    return a * b;
}
static double f_max(double a, double b) {
    return a > b || isnan(a) ? a : b;
}
static double f_min(double a, double b) {
    return a < b || isnan(a) ? a : b;
}
static int64_t i_sum(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t i_prod(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static const reduction reductions[IR_OP_COUNT] = {
    [IR_OP_REDUCE_SUM] = {0, 0, f_sum, i_sum},
    [IR_OP_REDUCE_MEAN] = {0, 0, f_sum, i_sum},
    [IR_OP_REDUCE_MAX] = {-INFINITY, INT64_MIN, f_max, ir_max},
    [IR_OP_REDUCE_MIN] = {INFINITY, INT64_MAX, f_min, ir_min},
    [IR_OP_REDUCE_PROD] = {1, 1, f_prod, i_prod},
};

/* Strides with which x's index walks through y: 0 along the axes that vanish. Returns their elements. */
static int64_t reduced_strides(const ir_node *n, int64_t *stride) {
    const ir_tensor *x = n->in[0];
    const ir_attr *axes = ir_get(n, IR_AXES);
    bool gone[IR_MAX_RANK] = {false};
    int64_t s = 1, many = 1;
    for (int k = 0; k < axes->count; k++) gone[axes->i[k]] = true;
    for (int a = x->rank - 1; a >= 0; a--) {
        stride[a] = gone[a] ? 0 : s;
        if (gone[a])
            many *= x->dim[a];
        else
            s *= x->dim[a];
    }
    return many;
}

bool interp_reduce(const interp_call *c) {
    const ir_tensor *x = c->n->in[0];
    const reduction *r = &reductions[c->n->op];
    int64_t stride[1][IR_MAX_RANK] = {{0}}, index[IR_MAX_RANK] = {0}, at[1] = {0};
    int64_t many = reduced_strides(c->n, stride[0]), n = ir_count(c->n->out[0]), count = ir_count(x);
    bool mean = c->n->op == IR_OP_REDUCE_MEAN;
    double *f = c->out[0].f;
    int64_t *v = c->out[0].i;
    if (mean && v && many == 0)
        return ir_fail(c->d, IR_EXIT_INPUT, "%s: reduce_mean of no integers", c->n->name);
    for (int64_t i = 0; i < n; i++) {
        if (f) f[i] = r->f_start;
        if (v) v[i] = r->i_start;
    }
    for (int64_t i = 0; i < count; i++) {
        if (f) f[at[0]] = r->f(f[at[0]], c->in[0].f[i]);
        if (v) v[at[0]] = r->i(v[at[0]], c->in[0].i[i]);
        interp_step(x->rank, x->dim, index, 1, at, (const int64_t(*)[IR_MAX_RANK])stride);
    }
    for (int64_t i = 0; i < n && mean; i++) {
        if (f) f[i] /= (double)many;
        if (v) v[i] /= many;
    }
    return true;
}
