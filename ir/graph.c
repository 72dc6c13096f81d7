/* graph.c: building a graph: tensors, nodes, attributes. */
#include "grow.h"
#include "names.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

ir_graph *ir_graph_new(const char *name) {
    ir_arena *a = ir_arena_new();
    ir_graph *g = ir_alloc(a, 1, sizeof *g);
    g->arena = a;
    g->name = ir_strdup(a, name);
    g->arena_bytes = -1;
    g->goals.lanes = 1;
    return g;
}

void ir_graph_free(ir_graph *g) {
    if (g) ir_arena_free(g->arena);
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool name_char(char c) {
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static bool name_ok(const char *s) {
    if (!*s || isdigit((unsigned char)*s)) return false;
    while (*s)
        if (!name_char(*s++)) return false;
    return true;
}

const char *ir_unique_name(ir_graph *g, const char *base) {
    bool prefix = !*base || isdigit((unsigned char)*base);
    char *clean = ir_format(g->arena, "%s%s", prefix ? "_" : "", base);
    for (char *s = clean; *s; s++)
        if (!name_char(*s)) *s = '_';
    if (!ir_find_tensor(g, clean)) return clean;
    char *name = NULL;
    for (int *i = ir_names_next(g, clean); !name || ir_find_tensor(g, name); ++*i)
        name = ir_format(g->arena, "%s_%d", clean, *i);
    return name;
}

void ir_rename_tensor(ir_graph *g, ir_tensor *t, const char *name) {
    ir_names_drop(g, t);
    t->name = name;
    ir_names_add(g, t);
}

/* ---- tensors --------------------------------------------------------------------------------- */

void *ir_grow(ir_arena *a, void *list, int count, int *capacity) {
    if (count < *capacity) return list;
    if (*capacity > INT_MAX / 2) ir_die("a graph of more than %d objects", *capacity);
    *capacity = *capacity ? 2 * *capacity : 16;
    void *p = ir_alloc(a, (size_t)*capacity, sizeof(void *));
    if (count) memcpy(p, list, (size_t)count * sizeof(void *));
    return p;
}

static ir_tensor *add_tensor(ir_graph *g, const char *name, ir_role role, ir_dtype type, int rank,
                             const int64_t *dim) {
    int64_t bytes;
    if (!name_ok(name)) ir_die("'%s' cannot name a tensor", name);
    if (ir_find_tensor(g, name)) ir_die("there are two tensors %%%s", name);
    if (rank < 0 || rank > IR_MAX_RANK || !ir_shape_bytes(type, rank, dim, &bytes))
        ir_die("tensor %%%s has a shape that cannot be", name);
    ir_tensor *t = ir_alloc(g->arena, 1, sizeof *t);
    t->name = ir_strdup(g->arena, name);
    t->role = role;
    t->dtype = type;
    t->rank = rank;
    if (rank) memcpy(t->dim, dim, (size_t)rank * sizeof *dim);
    t->memory.arena_offset = -1;
    t->place = g->n_tensors;
    g->tensors = ir_grow(g->arena, g->tensors, g->n_tensors, &g->cap_tensors);
    g->tensors[g->n_tensors++] = t;
    ir_names_add(g, t);
    return t;
}

ir_tensor *ir_add_input(ir_graph *g, const char *name, ir_dtype t, int rank, const int64_t *dim) {
    ir_tensor *x = add_tensor(g, name, IR_ROLE_INPUT, t, rank, dim);
    g->inputs = ir_grow(g->arena, g->inputs, g->n_inputs, &g->cap_inputs);
    g->inputs[g->n_inputs++] = x;
    return x;
}

ir_tensor *ir_add_const(ir_graph *g, const char *name, ir_dtype t, int rank, const int64_t *dim,
                        const void *data, bool copy) {
    ir_tensor *x = add_tensor(g, name, IR_ROLE_CONST, t, rank, dim);
    if (!data) return x;
    size_t bytes = (size_t)ir_bytes(x);
    if (copy) {
        void *own = ir_alloc(g->arena, bytes ? bytes : 1, 1);
        if (bytes) memcpy(own, data, bytes);
        data = own;
    }
    x->data = data;
    x->hash = ir_hash(data, bytes);
    return x;
}

ir_tensor *ir_add_const_i64(ir_graph *g, const char *name, int count, const int64_t *v) {
    return ir_add_const(g, name, IR_I64, 1, (int64_t[]){count}, v, true);
}

ir_tensor *ir_add_const_f32(ir_graph *g, const char *name, int count, const float *v) {
    return ir_add_const(g, name, IR_F32, 1, (int64_t[]){count}, v, true);
}

void ir_add_output(ir_graph *g, ir_tensor *t) {
    g->outputs = ir_grow(g->arena, g->outputs, g->n_outputs, &g->cap_outputs);
    g->outputs[g->n_outputs++] = t;
    t->n_outputs++;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

ir_node *ir_add_node(ir_graph *g, ir_op op, const char *name, int n_in, ir_tensor *const *in,
                     const char *out_name) {
    ir_node *n = ir_alloc(g->arena, 1, sizeof *n);
    n->op = op;
    n->name = ir_strdup(g->arena, name);
    ir_set_operands(g, n, n_in, in);
    n->n_out = 1;
    n->out = ir_alloc(g->arena, 1, sizeof *n->out);
    n->out[0] = add_tensor(g, out_name, IR_ROLE_VALUE, IR_F32, 0, NULL);
    n->out[0]->producer = n;
    n->memory.scratch_offset = -1;
    n->place = g->n_nodes;
    g->nodes = ir_grow(g->arena, g->nodes, g->n_nodes, &g->cap_nodes);
    g->nodes[g->n_nodes++] = n;
    return n;
}

/* The attribute `key` of n, added in its place (or emptied) for `count` values. */
static ir_attr *put_attr(ir_graph *g, ir_node *n, ir_key key, ir_kind kind, int count) {
    if (ir_key_kind(key) != kind)
        ir_die("attribute %s of '%s' is set as the wrong kind", ir_key_name(key), n->name);
    if (count < 0) ir_die("attribute %s of '%s' has %d values", ir_key_name(key), n->name, count);
    int at = 0;
    while (at < n->n_attr && n->attr[at].key < key) at++;
    if (at == n->n_attr || n->attr[at].key != key) {
        ir_attr *more = ir_alloc(g->arena, (size_t)n->n_attr + 1, sizeof *more);
        for (int i = 0; i < n->n_attr; i++) more[i + (i >= at)] = n->attr[i];
        n->attr = more;
        n->n_attr++;
    }
    n->attr[at] = (ir_attr){.key = key, .count = count};
    return &n->attr[at];
}

void ir_set_ints(ir_graph *g, ir_node *n, ir_key key, int count, const int64_t *v) {
    int64_t *own = ir_alloc(g->arena, (size_t)(count > 0 ? count : 1), sizeof *own);
    if (count > 0) memcpy(own, v, (size_t)count * sizeof *own);
    put_attr(g, n, key, IR_KIND_INTS, count)->i = own;
}

void ir_set_int(ir_graph *g, ir_node *n, ir_key key, int64_t v) {
    int64_t *own = ir_alloc(g->arena, 1, sizeof *own);
    *own = v;
    put_attr(g, n, key, IR_KIND_INT, 1)->i = own;
}

void ir_set_floats(ir_graph *g, ir_node *n, ir_key key, int count, const double *v) {
    double *own = ir_alloc(g->arena, (size_t)(count > 0 ? count : 1), sizeof *own);
    if (count > 0) memcpy(own, v, (size_t)count * sizeof *own);
    put_attr(g, n, key, IR_KIND_FLOATS, count)->f = own;
}

void ir_set_float(ir_graph *g, ir_node *n, ir_key key, double v) {
    double *own = ir_alloc(g->arena, 1, sizeof *own);
    *own = v;
    put_attr(g, n, key, IR_KIND_FLOAT, 1)->f = own;
}

void ir_set_word(ir_graph *g, ir_node *n, ir_key key, const char *word) {
    put_attr(g, n, key, IR_KIND_WORD, 1)->word = ir_strdup(g->arena, word);
}

void ir_drop_attr(ir_node *n, ir_key key) {
    int kept = 0;
    for (int i = 0; i < n->n_attr; i++)
        if (n->attr[i].key != key) n->attr[kept++] = n->attr[i];
    n->n_attr = kept;
}

bool ir_finish_node(ir_graph *g, ir_node *n, ir_diag *d) {
    (void)g;
    return ir_infer(n, d);
}

/* ---- reading attributes ---------------------------------------------------------------------- */

const ir_attr *ir_get(const ir_node *n, ir_key key) {
    for (int i = 0; i < n->n_attr; i++)
        if (n->attr[i].key == key) return &n->attr[i];
    return NULL;
}

static const ir_attr *need(const ir_node *n, ir_key key) {
    const ir_attr *a = ir_get(n, key);
    if (!a) ir_die("%s '%s' has no attribute %s", ir_op_get(n->op)->name, n->name, ir_key_name(key));
    return a;
}

const int64_t *ir_ints(const ir_node *n, ir_key key) {
    return need(n, key)->i;
}

bool ir_has_int(const ir_node *n, ir_key key, int64_t v) {
    const ir_attr *a = need(n, key);
    for (int i = 0; i < a->count; i++)
        if (a->i[i] == v) return true;
    return false;
}

bool ir_all_ints(const ir_node *n, ir_key key, int64_t v) {
    const ir_attr *a = ir_get(n, key);
    for (int i = 0; a && i < a->count; i++)
        if (a->i[i] != v) return false;
    return true;
}

int64_t ir_int(const ir_node *n, ir_key key) {
    return need(n, key)->i[0];
}

double ir_float(const ir_node *n, ir_key key) {
    return need(n, key)->f[0];
}

const double *ir_floats(const ir_node *n, ir_key key) {
    return need(n, key)->f;
}

const char *ir_word(const ir_node *n, ir_key key) {
    const ir_attr *a = ir_get(n, key);
    return a ? a->word : NULL;
}
