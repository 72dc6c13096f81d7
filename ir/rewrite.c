/* rewrite.c: what passes do to a graph: redirect uses, move, insert and remove nodes. */
#include "index.h"
#include "names.h"

#include <string.h>

void ir_replace_uses(ir_graph *g, ir_tensor *from, ir_tensor *to) {
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k] == from) g->nodes[i]->in[k] = to;
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == from) g->outputs[i] = to;
}

int ir_count_uses(const ir_graph *g, const ir_tensor *t) {
    int uses = 0;
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) uses += g->nodes[i]->in[k] == t;
    for (int i = 0; i < g->n_outputs; i++) uses += g->outputs[i] == t;
    return uses;
}

static int position(const ir_graph *g, const ir_node *n) {
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i] == n) return i;
    ir_die("node '%s' is not in the graph", n->name);
}

/* Keeps the tensors whose flag is set. A tensor that lived inside a removed one gets memory of its own. */
static void keep_tensors(ir_graph *g, const ir_index *index, const bool *keep) {
    for (int i = 0; i < g->n_tensors; i++) {
        ir_tensor *t = g->tensors[i];
        int parent = t->view_of ? ir_index_find(index, t->view_of) : -1;
        if (parent < 0 || keep[parent]) continue;
        t->view_of = NULL;
        t->view_offset = 0;
    }
    int kept = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (keep[i])
            g->tensors[kept++] = g->tensors[i];
        else
            ir_names_drop(g, g->tensors[i]);
    g->n_tensors = kept;
}

static bool is_output_of(const ir_node *n, const ir_tensor *t) {
    for (int k = 0; t && k < n->n_out; k++)
        if (n->out[k] == t) return true;
    return false;
}

void ir_remove_node(ir_graph *g, ir_node *n) {
    int at = position(g, n), kept = 0;
    for (int k = 0; k < n->n_out; k++)
        if (ir_count_uses(g, n->out[k]))
            ir_die("node '%s' is removed but %%%s is used", n->name, n->out[k]->name);
    memmove(&g->nodes[at], &g->nodes[at + 1], (size_t)(g->n_nodes - at - 1) * sizeof *g->nodes);
    g->n_nodes--;
    for (int i = 0; i < g->n_tensors; i++) {
        ir_tensor *t = g->tensors[i];
        if (is_output_of(n, t->view_of)) {
            t->view_of = NULL;
            t->view_offset = 0;
        }
        if (is_output_of(n, t))
            ir_names_drop(g, t);
        else
            g->tensors[kept++] = t;
    }
    g->n_tensors = kept;
}

void ir_insert_node(ir_graph *g, ir_node *n, const ir_node *before) {
    int from = position(g, n), to = position(g, before);
    if (to > from) ir_die("node '%s' would move behind its place", n->name);
    memmove(&g->nodes[to + 1], &g->nodes[to], (size_t)(from - to) * sizeof *g->nodes);
    g->nodes[to] = n;
}

void ir_insert_behind(ir_graph *g, ir_node *n, const ir_node *after) {
    int behind = position(g, after) + 1;
    if (g->nodes[behind] != n) ir_insert_node(g, n, g->nodes[behind]);
}

static void mark(const ir_index *index, bool *needed, const ir_tensor *t) {
    int at = ir_index_find(index, t);
    if (at >= 0) needed[at] = true;
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
    int kept = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (runs[i]) g->nodes[kept++] = g->nodes[i];
    g->n_nodes = kept;
    keep_tensors(g, &index, needed);
    ir_arena_free(scratch);
}
