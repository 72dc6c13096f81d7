/* interp.c: the double-precision interpreter, every other part's oracle. Walks the nodes in order, one
 * function per op (column `value` of ops.def; interp_*.c); a value is freed as soon as no later node and no
 * output needs it. */
#include "interp.h"

#include "index.h"

#include <stdlib.h>
#include <string.h>

static interp_eval *const evals[IR_OP_COUNT] = {
#define OP(sym, name, imin, imax, outs, weights, flags, form, shape, value, ...)                             \
    [IR_OP_##sym] = interp_##value,
#include "ops.def"
};

/* ---- values ---------------------------------------------------------------------------------- */

bool ir_value_new(const ir_tensor *t, ir_value *v, ir_diag *d) {
    size_t bytes = (size_t)ir_count(t) * INTERP_CELL;
    void *p = malloc(bytes ? bytes : INTERP_CELL);
    *v = (ir_value){NULL, NULL};
    if (!p)
        return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory: %zu bytes to interpret it", t->name, bytes);
    if (ir_dtype_is_float(t->dtype))
        v->f = p;
    else
        v->i = p;
    return true;
}

static void free_value(ir_value *v) {
    free(v->f);
    free(v->i);
    *v = (ir_value){NULL, NULL};
}

bool ir_value_of_const(const ir_tensor *t, ir_value *v, ir_diag *d) {
    int64_t n = ir_count(t);
    if (!t->data && n > 0)
        return ir_fail(d, IR_EXIT_FAILURE,
                       "%s: its values are unknown (the graph was read without its weights)", t->name);
    if (!ir_value_new(t, v, d)) return false;
    for (int64_t i = 0; i < n; i++) {
        if (v->f)
            v->f[i] = ir_const_float(t, i);
        else
            v->i[i] = ir_const_int(t, i);
    }
    return true;
}

static bool copy_value(const ir_tensor *t, const ir_value *from, ir_value *to, ir_diag *d) {
    if (!ir_value_new(t, to, d)) return false;
    memcpy(interp_out_cells(to), interp_cells(from), (size_t)ir_count(t) * INTERP_CELL);
    return true;
}

void ir_values_free(ir_value *v, int count) {
    for (int k = 0; k < count; k++) free_value(&v[k]);
}

/* ---- the table of tensors -------------------------------------------------------------------- */

typedef struct slot {
    ir_value v;
    int uses; /* node operands and graph outputs that still want it */
} slot;

typedef struct run {
    ir_arena *scratch;
    ir_index index;
    slot *slots; /* as g->tensors */
    int n;
} run;

static slot *slot_for(const run *r, const ir_tensor *t) {
    int at = ir_index_find(&r->index, t);
    if (at < 0) ir_die("interpreter: %s is not in its graph", t->name);
    return &r->slots[at];
}

static run start_run(const ir_graph *g) {
    run r = {.scratch = ir_arena_new(), .n = g->n_tensors};
    r.index = ir_index_tensors(g, r.scratch);
    r.slots = ir_alloc(r.scratch, (size_t)r.n + 1, sizeof *r.slots);
    for (int k = 0; k < g->n_nodes; k++)
        for (int o = 0; o < g->nodes[k]->n_in; o++)
            if (g->nodes[k]->in[o]) slot_for(&r, g->nodes[k]->in[o])->uses++;
    for (int k = 0; k < g->n_outputs; k++) slot_for(&r, g->outputs[k])->uses++;
    return r;
}

static void finish(run *r) {
    for (int k = 0; k < r->n; k++) free_value(&r->slots[k].v);
    ir_arena_free(r->scratch);
}

/* An operand's value; constants are converted when they are first wanted. */
static bool want(run *r, const ir_tensor *t, ir_value *v, ir_diag *d) {
    slot *s = slot_for(r, t);
    if (t->role == IR_ROLE_CONST && !s->v.f && !s->v.i && !ir_value_of_const(t, &s->v, d)) return false;
    *v = s->v;
    if (!v->f && !v->i) ir_die("interpreter: %s is used before it is computed", t->name);
    return true;
}

static void drop_use(run *r, const ir_tensor *t) {
    slot *s = slot_for(r, t);
    if (--s->uses == 0) free_value(&s->v);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

/* The other axes of a tensor without elements may be of any extent: nobody may go through them. */
static bool makes_nothing(const ir_node *n) {
    for (int k = 0; k < n->n_out; k++)
        if (ir_count(n->out[k]) > 0) return false;
    return true;
}

bool ir_interpret_node(const ir_node *n, const ir_value *in, ir_value *out, int threads, ir_diag *d) {
    interp_call c = {.n = n, .in = in, .out = out, .threads = threads, .d = d};
    int made = 0;
    bool ok = true;
    for (; made < n->n_out && ok; made++) ok = ir_value_new(n->out[made], &out[made], d);
    ok = ok && (makes_nothing(n) || evals[n->op](&c));
    if (!ok) ir_values_free(out, made);
    return ok;
}

static bool run_node(run *r, const ir_node *n, int threads, ir_diag *d) {
    ir_value *in = calloc((size_t)n->n_in + 1, sizeof *in), out[1] = {{NULL, NULL}};
    bool ok = in || ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    if (n->n_out != 1) ir_die("interpreter: %s has %d outputs", n->name, n->n_out);
    /* The shape of a tensor is known without its values. */
    bool needs_values = n->op != IR_OP_SHAPE_OF;
    for (int k = 0; k < n->n_in && ok && needs_values; k++) ok = !n->in[k] || want(r, n->in[k], &in[k], d);
    ok = ok && ir_interpret_node(n, in, out, threads, d);
    free(in);
    if (!ok) return false;
    slot_for(r, n->out[0])->v = out[0];
    return true;
}

/* Inputs are copied: their values belong to the caller. */
static bool set_inputs(run *r, const ir_graph *g, const ir_value *in, ir_diag *d) {
    for (int k = 0; k < g->n_inputs; k++) {
        slot *s = slot_for(r, g->inputs[k]);
        if (s->uses > 0 && !copy_value(g->inputs[k], &in[k], &s->v, d)) return false;
    }
    return true;
}

static bool get_outputs(run *r, const ir_graph *g, ir_value *out, ir_diag *d) {
    for (int k = 0; k < g->n_outputs; k++) {
        ir_value v;
        if (!want(r, g->outputs[k], &v, d) || !copy_value(g->outputs[k], &v, &out[k], d)) {
            ir_values_free(out, k);
            return false;
        }
        drop_use(r, g->outputs[k]);
    }
    return true;
}

bool ir_interpret(const ir_graph *g, const ir_value *in, ir_value *out, int threads, ir_watch *watch,
                  void *ctx, ir_diag *d) {
    run r = start_run(g);
    bool ok = set_inputs(&r, g, in, d);
    for (int k = 0; k < g->n_nodes && ok; k++) {
        const ir_node *n = g->nodes[k];
        ok = run_node(&r, n, threads, d);
        if (!ok) break;
        slot *s = slot_for(&r, n->out[0]);
        if (watch) watch(ctx, n, &s->v);
        for (int o = 0; o < n->n_in; o++)
            if (n->in[o]) drop_use(&r, n->in[o]);
        if (s->uses == 0) free_value(&s->v);
    }
    ok = ok && get_outputs(&r, g, out, d);
    finish(&r);
    return ok;
}

/* ---- folding --------------------------------------------------------------------------------- */

static void store(ir_dtype t, void *data, int64_t i, const ir_value *v) {
    if (ir_dtype_is_float(t))
        ir_store_float(t, data, i, v->f[i]);
    else
        ir_store_int(t, data, i, t == IR_BOOL ? v->i[i] != 0 : v->i[i]);
}

/* t, until now computed, becomes a constant with these elements, each rounded once to t's dtype. */
static void become_const(ir_graph *g, ir_tensor *t, const ir_value *v) {
    int64_t n = ir_count(t);
    size_t size = ir_dtype_bytes(t->dtype);
    void *data = ir_alloc(g->arena, n > 0 ? (size_t)n : 1, size);
    for (int64_t i = 0; i < n; i++) store(t->dtype, data, i, v);
    t->role = IR_ROLE_CONST;
    t->producer = NULL;
    t->data = data;
    t->hash = ir_hash(data, (size_t)n * size);
}

bool ir_fold_node(ir_graph *g, ir_node *n, ir_diag *d) {
    ir_value *in = calloc((size_t)n->n_in + 1, sizeof *in), out[1] = {{NULL, NULL}};
    bool ok = in || ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    for (int k = 0; k < n->n_in && ok && n->op != IR_OP_SHAPE_OF; k++) {
        if (!n->in[k]) continue;
        ok = n->in[k]->role == IR_ROLE_CONST
                 ? ir_value_of_const(n->in[k], &in[k], d)
                 : ir_fail(d, IR_EXIT_FAILURE, "%s: its input %s is not a constant", n->name, n->in[k]->name);
    }
    ok = ok && ir_interpret_node(n, in, out, 1, d);
    if (ok) {
        become_const(g, n->out[0], &out[0]);
        ir_detach_node(g, n);
    }
    if (in) ir_values_free(in, n->n_in);
    free(in);
    ir_values_free(out, 1);
    return ok;
}
