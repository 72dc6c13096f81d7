/* rebuild.c: a graph again, with one change, node by node. */
#include "rebuild.h"

#include <stdlib.h>
#include <string.h>

typedef struct rebuild {
    const ir_graph *g;
    const fuzz_specs *from;
    const fuzz_edit *e;
    ir_graph *to;
    fuzz_specs specs;
    const ir_tensor **old; /* old[i] has become now[i] */
    ir_tensor **now;
    int count;
} rebuild;

static void pair(rebuild *b, const ir_tensor *old, ir_tensor *now) {
    b->old[b->count] = old;
    b->now[b->count++] = now;
}

static ir_tensor *now_of(const rebuild *b, const ir_tensor *old) {
    for (int i = 0; i < b->count; i++)
        if (b->old[i] == old) return b->now[i];
    return NULL;
}

static bool edits(const rebuild *b, fuzz_edit_kind kind, int node) {
    return b->e->kind == kind && b->e->node == node;
}

/* ---- constants ------------------------------------------------------------------------------- */

static bool same_dims(const ir_tensor *t, int rank, const int64_t *dim) {
    return t->rank == rank && memcmp(t->dim, dim, (size_t)rank * sizeof *dim) == 0;
}

/* Constant `old` with that shape: made once for every shape. */
static ir_tensor *constant(rebuild *b, const ir_tensor *old, const int64_t *dim, const char *data) {
    for (int i = 0; i < b->count; i++)
        if (b->old[i] == old && same_dims(b->now[i], old->rank, dim)) return b->now[i];
    const char *name = ir_unique_name(b->to, old->name), *spec = data ? data : specs_find(b->from, old->name);
    bool written_out = spec[0] == '{' && !same_dims(old, old->rank, dim);
    specs_add(&b->specs, name, written_out ? "splat(0)" : spec);
    /* Only shape arithmetic needs values here. */
    bool values = !written_out && same_dims(old, old->rank, dim);
    ir_tensor *t = ir_add_const(b->to, name, old->dtype, old->rank, dim, values ? old->data : NULL, false);
    pair(b, old, t);
    return t;
}

/* Where a broadcasting constant has the extent of the other operand, it follows it. */
static void follow(const ir_tensor *old, const ir_tensor *now, const ir_tensor *c, int64_t *dim) {
    for (int a = 0; a < c->rank; a++) {
        int at = old->rank - c->rank + a;
        if (at >= 0 && c->dim[a] != 1 && c->dim[a] == old->dim[at] && old->rank == now->rank)
            dim[a] = now->dim[at];
    }
}

static int64_t group_of(const ir_node *n, const ir_tensor *x) {
    int64_t group = ir_int(n, IR_GROUP);
    return group > 1 && group == n->in[0]->dim[1] ? x->dim[1] : group;
}

/* The channels that conv n makes: of its weights, output channels first (conv) or second. */
static int64_t made(const rebuild *b, int node, const ir_tensor *x) {
    const ir_node *n = b->g->nodes[node];
    int64_t group = group_of(n, x), old = ir_int(n, IR_GROUP), oc = n->out[0]->dim[1];
    if (edits(b, EDIT_CHANNELS, node)) return b->e->value;
    return group == old ? oc : oc / old * group;
}

static int64_t kernel_of(const rebuild *b, int node, int axis) {
    if (edits(b, EDIT_ATTR, node) && b->e->operand == IR_KERNEL) return b->e->value;
    return ir_ints(b->g->nodes[node], IR_KERNEL)[axis];
}

static void conv_dims(const rebuild *b, int node, int k, const ir_tensor *x, int64_t *dim) {
    const ir_node *n = b->g->nodes[node];
    int64_t group = group_of(n, x), channels = made(b, node, x);
    if (k > 1) {
        if (dim[0] != 1) dim[0] = channels;
        return;
    }
    bool transposed = n->op == IR_OP_CONV_TRANSPOSE;
    dim[0] = transposed ? x->dim[1] : channels;
    dim[1] = (transposed ? channels : x->dim[1]) / group;
    for (int a = 2; a < n->in[1]->rank; a++) dim[a] = kernel_of(b, node, a - 2);
}

/* The shape of constant operand k of a node whose operand `other` has become `now`. */
static void constant_dims(const rebuild *b, int node, int k, const ir_tensor *other, const ir_tensor *now,
                          int64_t *dim) {
    const ir_node *n = b->g->nodes[node];
    if (!now) return;
    if (n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE)
        conv_dims(b, node, k, now, dim);
    else if (n->op == IR_OP_BATCH_NORM || n->op == IR_OP_INSTANCE_NORM || n->op == IR_OP_NORM_TERMS)
        dim[0] = now->dim[1];
    else if (ir_op_get(n->op)->flags & IR_FLAG_BINARY)
        follow(other, now, n->in[k], dim);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static void put_ints(rebuild *b, ir_node *to, ir_key key, int count, const int64_t *v) {
    ir_set_ints(b->to, to, key, count, v);
}

static void fix_slice(rebuild *b, const ir_node *n, ir_node *to) {
    const ir_tensor *old = n->in[0], *x = to->in[0];
    int64_t begin[IR_MAX_RANK], size[IR_MAX_RANK];
    for (int a = 0; a < x->rank; a++) {
        int64_t step = ir_ints(n, IR_STEP)[a], extent = x->dim[a];
        begin[a] = ir_ints(n, IR_BEGIN)[a];
        size[a] = ir_ints(n, IR_SIZE)[a];
        if (size[a] == old->dim[a]) size[a] = extent;
        if (begin[a] >= extent) begin[a] = extent - 1;
        int64_t most = step > 0 ? (extent - 1 - begin[a]) / step + 1 : begin[a] / -step + 1;
        if (size[a] > most) size[a] = most;
    }
    put_ints(b, to, IR_BEGIN, x->rank, begin);
    put_ints(b, to, IR_SIZE, x->rank, size);
}

static void fix_resize(rebuild *b, const ir_node *n, ir_node *to) {
    const ir_tensor *x = to->in[0];
    int64_t size[IR_MAX_RANK];
    double scale[IR_MAX_RANK];
    for (int a = 0; a < x->rank; a++) {
        bool kept = n->in[0]->dim[a] == x->dim[a];
        double wanted = (double)x->dim[a] * ir_floats(n, IR_SCALE)[a] + 0.5;
        size[a] = kept ? ir_ints(n, IR_SIZE)[a] : wanted < 1 ? 1 : (int64_t)wanted;
        scale[a] = (double)size[a] / (double)x->dim[a];
    }
    put_ints(b, to, IR_SIZE, x->rank, size);
    ir_set_floats(b->to, to, IR_SCALE, x->rank, scale);
}

/* Axes that are the operand's follow it; the last one takes what is left. */
static void fix_shape(rebuild *b, const ir_node *n, ir_node *to) {
    const ir_tensor *old = n->in[0], *x = to->in[0];
    const ir_attr *shape = ir_get(n, IR_SHAPE);
    int64_t dim[IR_MAX_RANK], left = ir_count(x);
    for (int a = 0; a < shape->count; a++) {
        dim[a] = a < old->rank && a < x->rank && shape->i[a] == old->dim[a] ? x->dim[a] : shape->i[a];
        if (n->op == IR_OP_RESHAPE && a + 1 == shape->count && left) dim[a] = left;
        if (dim[a]) left /= dim[a];
    }
    put_ints(b, to, IR_SHAPE, shape->count, dim);
}

/* A window as large as its operand stays that. */
static void fix_window(rebuild *b, const ir_node *n, ir_node *to) {
    int64_t kernel[3];
    int space = n->in[0]->rank - 2;
    for (int a = 0; a < space; a++) {
        kernel[a] = ir_ints(to, IR_KERNEL)[a];
        if (kernel[a] == n->in[0]->dim[2 + a]) kernel[a] = to->in[0]->dim[2 + a];
    }
    put_ints(b, to, IR_KERNEL, space, kernel);
}

static void copy_attr(rebuild *b, int node, const ir_attr *a, ir_node *to) {
    int64_t v[2 * IR_MAX_RANK];
    bool edited = edits(b, EDIT_ATTR, node) && b->e->operand == (int)a->key;
    switch (ir_key_kind(a->key)) {
    case IR_KIND_INT:
        ir_set_int(b->to, to, a->key, edited ? b->e->value : a->i[0]);
        break;
    case IR_KIND_INTS:
        for (int i = 0; i < a->count; i++) v[i] = edited ? b->e->value : a->i[i];
        put_ints(b, to, a->key, a->count, v);
        break;
    case IR_KIND_FLOAT:
        ir_set_float(b->to, to, a->key, a->f[0]);
        break;
    case IR_KIND_FLOATS:
        ir_set_floats(b->to, to, a->key, a->count, a->f);
        break;
    case IR_KIND_WORD:
        ir_set_word(b->to, to, a->key, a->word);
        break;
    }
}

static void copy_attributes(rebuild *b, int node, ir_node *to) {
    const ir_node *n = b->g->nodes[node];
    for (int i = 0; i < n->n_attr; i++) {
        ir_key key = n->attr[i].key;
        bool act = (key == IR_ACT || key == IR_ALPHA || key == IR_BETA) && ir_get(n, IR_ACT);
        if (!(act && edits(b, EDIT_NO_ACT, node))) copy_attr(b, node, &n->attr[i], to);
    }
    if (n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE) {
        if (!(edits(b, EDIT_ATTR, node) && b->e->operand == IR_GROUP))
            ir_set_int(b->to, to, IR_GROUP, group_of(n, to->in[0]));
    } else if (n->op == IR_OP_SLICE) {
        fix_slice(b, n, to);
    } else if (n->op == IR_OP_RESIZE) {
        fix_resize(b, n, to);
    } else if (n->op == IR_OP_RESHAPE || n->op == IR_OP_EXPAND) {
        fix_shape(b, n, to);
    } else if (n->op == IR_OP_MAX_POOL || n->op == IR_OP_AVERAGE_POOL) {
        fix_window(b, n, to);
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

/* The first operand that is no constant. */
static const ir_tensor *leading(const ir_node *n) {
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->role != IR_ROLE_CONST) return n->in[k];
    return NULL;
}

static ir_tensor *operand(rebuild *b, int node, int k) {
    const ir_node *n = b->g->nodes[node];
    const ir_tensor *t = n->in[k], *other = leading(n);
    if (!t) return NULL;
    if (t->role != IR_ROLE_CONST) return now_of(b, t);
    int64_t dim[IR_MAX_RANK];
    memcpy(dim, t->dim, sizeof dim);
    constant_dims(b, node, k, other, other ? now_of(b, other) : NULL, dim);
    for (int a = 0; a < t->rank; a++)
        if (dim[a] < 1) return NULL;
    bool looked_up = n->op == IR_OP_GATHER && k == 1 && other && now_of(b, other) &&
                     !ir_same_shape(other, now_of(b, other));
    return constant(b, t, dim, looked_up ? "splat(0)" : NULL);
}

static bool drops(const rebuild *b, int node, int k) {
    const ir_node *n = b->g->nodes[node];
    const char *act = ir_word(n, IR_ACT);
    bool slope = k == 3 && act && !strcmp(act, "prelu") && edits(b, EDIT_NO_ACT, node);
    return slope || (edits(b, EDIT_OPERAND, node) && b->e->operand == k);
}

static bool copy_node(rebuild *b, int node) {
    const ir_node *n = b->g->nodes[node];
    ir_tensor **in = ir_alloc(b->to->arena, (size_t)n->n_in + 1, sizeof *in);
    int count = 0;
    for (int k = 0; k < n->n_in; k++) {
        if (drops(b, node, k)) {
            if (n->op != IR_OP_CONCAT) in[count++] = NULL;
            continue;
        }
        ir_tensor *t = operand(b, node, k);
        if (!t && n->in[k]) return false;
        in[count++] = t;
    }
    while (count > 1 && !in[count - 1]) count--;
    if (count < ir_op_get(n->op)->min_in || !in[0]) return false;
    ir_node *to = ir_add_node(b->to, n->op, n->name, count, in, n->out[0]->name);
    copy_attributes(b, node, to);
    ir_diag d = {0};
    int64_t elements = 0;
    if (!ir_finish_node(b->to, to, &d)) return false;
    pair(b, n->out[0], to->out[0]);
    return ir_shape_count(to->out[0]->rank, to->out[0]->dim, &elements) && elements > 0;
}

static void add_input(rebuild *b, const ir_tensor *t, int number) {
    int64_t dim[IR_MAX_RANK];
    memcpy(dim, t->dim, sizeof dim);
    const fuzz_edit *e = b->e;
    if (e->kind == EDIT_EXTENT && e->operand < t->rank && dim[e->operand] == e->node)
        dim[e->operand] = e->value;
    if (edits(b, EDIT_INPUT, number) && t->rank > 1) dim[1] = e->value;
    pair(b, t, ir_add_input(b->to, t->name, t->dtype, t->rank, dim));
}

static bool add_outputs(rebuild *b) {
    const ir_graph *g = b->g;
    if (b->e->kind == EDIT_ONLY) {
        ir_add_output(b->to, now_of(b, g->nodes[b->e->node]->out[0]));
        return true;
    }
    for (int i = 0; i < g->n_outputs; i++) {
        ir_tensor *t = now_of(b, g->outputs[i]);
        if (edits(b, EDIT_OUTPUT, i)) continue;
        for (int k = 0; k < b->to->n_outputs; k++)
            if (b->to->outputs[k] == t) return false;
        if (!t) return false;
        ir_add_output(b->to, t);
    }
    return b->to->n_outputs > 0;
}

static bool build(rebuild *b) {
    const ir_graph *g = b->g;
    for (int i = 0; i < g->n_inputs; i++)
        if (ir_count_uses(g, g->inputs[i])) add_input(b, g->inputs[i], i);
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (edits(b, EDIT_CUT, i))
            pair(b, n->out[0],
                 ir_add_input(b->to, n->out[0]->name, n->out[0]->dtype, n->out[0]->rank, n->out[0]->dim));
        else if (edits(b, EDIT_BYPASS, i))
            pair(b, n->out[0], now_of(b, n->in[b->e->operand]));
        else if (!copy_node(b, i))
            return false;
        if (b->count && !b->now[b->count - 1]) return false;
        if (edits(b, EDIT_ONLY, i)) break;
    }
    return add_outputs(b);
}

/* Without inputs that nobody reads: a graph keeps those. */
static char *print_used(const ir_graph *g, const fuzz_specs *s) {
    char *text = fuzz_print(g, s), *to = text;
    for (const char *line = text; *line;) {
        const char *end = line + strcspn(line, "\n") + 1;
        char name[64];
        bool unused =
            sscanf(line, "input %%%63[^ ]", name) == 1 && !ir_count_uses(g, ir_find_tensor(g, name));
        if (!unused) {
            memmove(to, line, (size_t)(end - line));
            to += end - line;
        }
        line = end;
    }
    *to = 0;
    return text;
}

char *fuzz_rebuild(const ir_graph *g, const fuzz_specs *s, const fuzz_edit *e) {
    rebuild b = {.g = g, .from = s, .e = e, .to = ir_graph_new(g->name)};
    size_t room = 8 * (size_t)(g->n_tensors + g->n_nodes) + 64;
    b.specs.arena = b.to->arena;
    b.old = ir_alloc(b.to->arena, room, sizeof *b.old);
    b.now = ir_alloc(b.to->arena, room, sizeof *b.now);
    char *text = NULL;
    if (build(&b)) {
        ir_remove_dead(b.to);
        text = print_used(b.to, &b.specs);
    }
    ir_graph_free(b.to);
    return text;
}
