/* verify.c: the structure of a graph: names, roles, order, operands, attributes, inferred types. Every
 * invariant has a name, which the message begins with. */
#include "verify.h"
#include "shape.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool verify_broken(verifier *v, const char *name, const char *fmt, ...) {
    char text[1536];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return ir_fail(v->d, IR_EXIT_FAILURE, "invariant %s: %s", name, text);
}

bool verify_is_output(const verifier *v, const ir_tensor *t) {
    (void)v;
    return t->n_outputs > 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool legal_name(const char *s, bool dots) {
    if (!s || !*s || isdigit((unsigned char)*s)) return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_' && !(dots && *s == '.')) return false;
    return true;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_names(verifier *v) {
    const ir_graph *g = v->g;
    const char **names = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *names);
    if (!legal_name(g->name, false))
        return verify_broken(v, "graph-name", "'%s' is no C identifier", g->name);
    for (int i = 0; i < g->n_tensors; i++) {
        names[i] = g->tensors[i]->name;
        if (!legal_name(names[i], true))
            return verify_broken(v, "name-legal", "'%s' cannot name a tensor",
                                 names[i] ? names[i] : "(none)");
    }
    qsort(names, (size_t)g->n_tensors, sizeof *names, by_text);
    for (int i = 1; i < g->n_tensors; i++)
        if (!strcmp(names[i - 1], names[i]))
            return verify_broken(v, "name-unique", "there are two tensors %%%s", names[i]);
    return true;
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Marks the tensors of a list in `listed`, which has room for one flag per tensor of the graph. */
static bool check_list(verifier *v, const char *what, ir_tensor *const *list, int count, bool *listed) {
    for (int i = 0; i < count; i++) {
        int at = ir_index_find(&v->index, list[i]);
        if (at < 0) return verify_broken(v, "listed", "graph %s %d is no tensor of the graph", what, i);
        if (listed[at])
            return verify_broken(v, "listed", "graph %s %%%s stands there twice", what, list[i]->name);
        listed[at] = true;
    }
    return true;
}

static bool check_tensor(verifier *v, const ir_tensor *t, bool listed) {
    int64_t bytes;
    if ((unsigned)t->dtype >= IR_DTYPE_COUNT || t->rank < 0 || t->rank > IR_MAX_RANK ||
        !ir_shape_bytes(t->dtype, t->rank, t->dim, &bytes))
        return verify_broken(v, "tensor-type", "%%%s has a type that cannot be", t->name);
    if (listed != (t->role == IR_ROLE_INPUT))
        return verify_broken(v, "role", "%%%s is a graph input by %s only", t->name,
                             listed ? "list" : "role");
    if ((t->producer != NULL) != (t->role == IR_ROLE_VALUE))
        return verify_broken(v, "role", "%%%s %s", t->name,
                             t->producer ? "has a producer but is no value"
                                         : "is a value without a producer");
    if (t->role == IR_ROLE_VALUE && v->born[ir_index_find(&v->index, t)] < 0)
        return verify_broken(v, "producer", "no node of the graph writes %%%s", t->name);
    return true;
}

static bool check_tensors(verifier *v) {
    const ir_graph *g = v->g;
    bool *inputs = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *inputs);
    bool *outputs = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *outputs);
    if (!check_list(v, "input", g->inputs, g->n_inputs, inputs) ||
        !check_list(v, "output", g->outputs, g->n_outputs, outputs))
        return false;
    if (!g->n_outputs) return verify_broken(v, "listed", "the graph has no output");
    for (int i = 0; i < g->n_tensors; i++)
        if (!check_tensor(v, g->tensors[i], inputs[i])) return false;
    return true;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool check_attributes(verifier *v, const ir_node *n) {
    for (int i = 0; i < n->n_attr; i++) {
        const ir_attr *a = &n->attr[i];
        if ((unsigned)a->key >= IR_KEY_COUNT || (i && a->key <= n->attr[i - 1].key))
            return verify_broken(v, "attribute-order", "'%s' has its attributes out of order", n->name);
        ir_kind kind = ir_key_kind(a->key);
        bool floats = kind == IR_KIND_FLOAT || kind == IR_KIND_FLOATS,
             list = kind == IR_KIND_INTS || kind == IR_KIND_FLOATS;
        bool good = kind == IR_KIND_WORD ? a->word != NULL : floats ? a->f != NULL : a->i != NULL;
        if (!good || a->count < 0 || (!list && a->count != 1))
            return verify_broken(v, "attribute-kind", "'%s' has no proper value of %s", n->name,
                                 ir_key_name(a->key));
    }
    return true;
}

static bool check_operands(verifier *v, const ir_node *n, int at) {
    for (int k = 0; k < n->n_in; k++) {
        if (!n->in[k]) continue;
        int t = ir_index_find(&v->index, n->in[k]);
        if (t < 0)
            return verify_broken(v, "listed", "operand %d of '%s' is no tensor of the graph", k, n->name);
        if (n->in[k]->role == IR_ROLE_VALUE && (v->born[t] < 0 || v->born[t] >= at))
            return verify_broken(v, "order", "'%s' reads %%%s before it is written", n->name, n->in[k]->name);
    }
    return true;
}

static bool check_type(verifier *v, const ir_node *n) {
    ir_type type;
    ir_diag why = {0};
    if (!shape_infer(n, &type, &why)) return verify_broken(v, "types", "%s", why.text);
    ir_tensor want = {.name = "", .dtype = type.dtype, .rank = type.rank};
    memcpy(want.dim, type.dim, sizeof want.dim);
    if (want.dtype == n->out[0]->dtype && ir_same_shape(&want, n->out[0])) return true;
    char a[256], b[256];
    return verify_broken(v, "types", "%%%s is %s but %s '%s' gives %s", n->out[0]->name,
                         ir_type_text(n->out[0], a, sizeof a), ir_op_get(n->op)->name, n->name,
                         ir_type_text(&want, b, sizeof b));
}

/* Records which node writes what. */
static bool check_results(verifier *v, const ir_node *n, int at) {
    if ((unsigned)n->op >= IR_OP_COUNT) return verify_broken(v, "op", "'%s' has op %d", n->name, (int)n->op);
    if (n->n_out != ir_op_get(n->op)->n_out)
        return verify_broken(v, "results", "'%s' has %d results", n->name, n->n_out);
    for (int k = 0; k < n->n_out; k++) {
        int t = ir_index_find(&v->index, n->out[k]);
        if (t < 0)
            return verify_broken(v, "listed", "result %d of '%s' is no tensor of the graph", k, n->name);
        if (v->born[t] >= 0) return verify_broken(v, "producer", "two nodes write %%%s", n->out[k]->name);
        if (n->out[k]->producer != n)
            return verify_broken(v, "producer", "%%%s does not know that '%s' writes it", n->out[k]->name,
                                 n->name);
        v->born[t] = at;
    }
    return true;
}

static bool check_nodes(verifier *v) {
    const ir_graph *g = v->g;
    for (int i = 0; i < g->n_nodes; i++)
        if (!check_results(v, g->nodes[i], i)) return false;
    if (!check_tensors(v)) return false;
    for (int i = 0; i < g->n_nodes; i++)
        if (!check_operands(v, g->nodes[i], i) || !check_attributes(v, g->nodes[i]) ||
            !check_type(v, g->nodes[i]))
            return false;
    return verify_uses(v);
}

verifier verifier_of(const ir_graph *g, ir_diag *d) {
    verifier v = {.g = g, .scratch = ir_arena_new(), .d = d};
    v.index = ir_index_tensors(g, v.scratch);
    v.born = ir_alloc(v.scratch, (size_t)g->n_tensors + 1, sizeof *v.born);
    for (int i = 0; i < g->n_tensors; i++) v.born[i] = -1;
    return v;
}

bool verify_structure(verifier *v) {
    return check_names(v) && check_nodes(v);
}

bool ir_verify(const ir_graph *g, ir_diag *d) {
    verifier v = verifier_of(g, d);
    bool good = verify_structure(&v);
    ir_arena_free(v.scratch);
    return good;
}
