/* rewrite.c: what passes do to a graph: redirect uses, move, insert and remove nodes. Each tensor knows who
 * reads it, and nodes and tensors about where they stand, so that most of this takes no walk over the graph.
 */
#include "grow.h"
#include "index.h"
#include "names.h"

#include <string.h>

/* ---- uses ------------------------------------------------------------------------------------ */

static void add_user(ir_graph *g, ir_tensor *t, ir_node *n) {
    if (!t) return;
    t->users = ir_grow(g->arena, t->users, t->n_users, &t->cap_users);
    t->users[t->n_users++] = n;
}

static void drop_user(ir_tensor *t, const ir_node *n) {
    int at = 0;
    if (!t) return;
    while (at < t->n_users && t->users[at] != n) at++;
    if (at == t->n_users) ir_die("node '%s' is no user of %%%s", n->name, t->name);
    t->users[at] = t->users[--t->n_users];
}

void ir_set_operand(ir_graph *g, ir_node *n, int k, ir_tensor *t) {
    if (k < 0 || k >= n->n_in) ir_die("node '%s' has no operand %d", n->name, k);
    drop_user(n->in[k], n);
    add_user(g, t, n);
    n->in[k] = t;
}

void ir_set_operands(ir_graph *g, ir_node *n, int n_in, ir_tensor *const *in) {
    ir_tensor **list = ir_alloc(g->arena, (size_t)n_in + 1, sizeof *list);
    for (int k = 0; k < n->n_in; k++) drop_user(n->in[k], n);
    for (int k = 0; k < n_in; k++) add_user(g, list[k] = in[k], n);
    n->in = list;
    n->n_in = n_in;
}

void ir_set_output(ir_graph *g, int i, ir_tensor *t) {
    g->outputs[i]->n_outputs--;
    t->n_outputs++;
    g->outputs[i] = t;
}

void ir_replace_uses(ir_graph *g, ir_tensor *from, ir_tensor *to) {
    if (from == to) return;
    for (int u = 0; u < from->n_users; u++) {
        ir_node *n = from->users[u];
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] != from) continue;
            n->in[k] = to;
            add_user(g, to, n);
        }
    }
    from->n_users = 0;
    for (int i = 0; from->n_outputs && i < g->n_outputs; i++)
        if (g->outputs[i] == from) ir_set_output(g, i, to);
}

int ir_count_uses(const ir_graph *g, const ir_tensor *t) {
    (void)g;
    return t->n_users + t->n_outputs;
}

/* ---- places ---------------------------------------------------------------------------------- */

enum { NEAR = 64 /* how far from where something stood it is looked for before all are numbered anew */ };

static bool stands_at(const ir_graph *g, const ir_node *n, int at) {
    return at >= 0 && at < g->n_nodes && g->nodes[at] == n;
}

int ir_position(const ir_graph *g, const ir_node *n) {
    for (int far = 0; far < NEAR; far++) {
        if (stands_at(g, n, n->place - far)) return n->place - far;
        if (stands_at(g, n, n->place + far)) return n->place + far;
    }
    for (int i = 0; i < g->n_nodes; i++) g->nodes[i]->place = i;
    if (!stands_at(g, n, n->place)) ir_die("node '%s' is not in the graph", n->name);
    return n->place;
}

/* Tensors only move to the front, when others go. */
static int position_of(const ir_graph *g, const ir_tensor *t) {
    for (int far = 0; far < NEAR && far <= t->place; far++)
        if (t->place - far < g->n_tensors && g->tensors[t->place - far] == t) return t->place - far;
    for (int i = 0; i < g->n_tensors; i++) g->tensors[i]->place = i;
    if (t->place >= g->n_tensors || g->tensors[t->place] != t) ir_die("%%%s is not in the graph", t->name);
    return t->place;
}

/* ---- removal --------------------------------------------------------------------------------- */

static void remove_tensor(ir_graph *g, ir_tensor *t) {
    int at = position_of(g, t);
    ir_names_drop(g, t);
    g->n_tensors--;
    memmove(&g->tensors[at], &g->tensors[at + 1], (size_t)(g->n_tensors - at) * sizeof *g->tensors);
}

void ir_detach_node(ir_graph *g, ir_node *n) {
    int at = ir_position(g, n);
    for (int k = 0; k < n->n_in; k++) drop_user(n->in[k], n);
    g->n_nodes--;
    memmove(&g->nodes[at], &g->nodes[at + 1], (size_t)(g->n_nodes - at) * sizeof *g->nodes);
}

void ir_remove_node(ir_graph *g, ir_node *n) {
    for (int k = 0; k < n->n_out; k++)
        if (ir_count_uses(g, n->out[k]))
            ir_die("node '%s' is removed but %%%s is used", n->name, n->out[k]->name);
    ir_detach_node(g, n);
    for (int k = 0; k < n->n_out; k++) remove_tensor(g, n->out[k]);
}

/* ---- moves ----------------------------------------------------------------------------------- */

void ir_insert_node(ir_graph *g, ir_node *n, const ir_node *before) {
    int from = ir_position(g, n), to = ir_position(g, before);
    if (to > from) ir_die("node '%s' would move behind its place", n->name);
    memmove(&g->nodes[to + 1], &g->nodes[to], (size_t)(from - to) * sizeof *g->nodes);
    g->nodes[to] = n;
    n->place = to;
}

void ir_insert_behind(ir_graph *g, ir_node *n, const ir_node *after) {
    int behind = ir_position(g, after) + 1;
    if (g->nodes[behind] != n) ir_insert_node(g, n, g->nodes[behind]);
}

void ir_delay_node(ir_graph *g, ir_node *n, const ir_node *after) {
    int from = ir_position(g, n), to = ir_position(g, after);
    if (to <= from) return;
    memmove(&g->nodes[from], &g->nodes[from + 1], (size_t)(to - from) * sizeof *g->nodes);
    g->nodes[to] = n;
}

/* ---- dead code ------------------------------------------------------------------------------- */

/* Keeps the tensors whose flag is set. A tensor that lived inside a removed one gets memory of its own. */
static void keep_tensors(ir_graph *g, const ir_index *index, const bool *keep) {
    for (int i = 0; i < g->n_tensors; i++) {
        ir_tensor *t = g->tensors[i];
        int parent = t->memory.view_of ? ir_index_find(index, t->memory.view_of) : -1;
        if (parent < 0 || keep[parent]) continue;
        t->memory.view_of = NULL;
        t->memory.view_offset = 0;
    }
    int kept = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (keep[i])
            g->tensors[kept++] = g->tensors[i];
        else
            ir_names_drop(g, g->tensors[i]);
    g->n_tensors = kept;
}

static void mark(const ir_index *index, bool *needed, const ir_tensor *t) {
    int at = ir_index_find(index, t);
    if (at >= 0) needed[at] = true;
}

/* Keeps the nodes whose flag is set; only they use anything then. */
static void keep_nodes(ir_graph *g, const bool *keep) {
    int kept = 0;
    for (int i = 0; i < g->n_tensors; i++) g->tensors[i]->n_users = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (!keep[i]) continue;
        for (int k = 0; k < n->n_in; k++) add_user(g, n->in[k], n);
        g->nodes[kept++] = n;
    }
    g->n_nodes = kept;
}

void ir_remove_dead(ir_graph *g) {
    ir_arena *scratch = ir_arena_new();
    ir_index index = ir_index_tensors(g, scratch);
    bool *needed = ir_alloc(scratch, (size_t)g->n_tensors + 1, sizeof *needed);
    bool *runs = ir_alloc(scratch, (size_t)g->n_nodes + 1, sizeof *runs);
    for (int i = 0; i < g->n_inputs; i++) mark(&index, needed, g->inputs[i]);
    for (int i = 0; i < g->n_outputs; i++) mark(&index, needed, g->outputs[i]);
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        const ir_node *n = g->nodes[i];
        for (int k = 0; k < n->n_out; k++) {
            int t = ir_index_find(&index, n->out[k]);
            runs[i] |= t >= 0 && needed[t];
        }
        for (int k = 0; runs[i] && k < n->n_out; k++) mark(&index, needed, n->out[k]);
        for (int k = 0; runs[i] && k < n->n_in; k++) mark(&index, needed, n->in[k]);
    }
    keep_nodes(g, runs);
    keep_tensors(g, &index, needed);
    ir_arena_free(scratch);
}
