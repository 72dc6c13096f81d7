/* front_onnx_names.c: the value names of an ONNX graph, and the order of its nodes. */
#include "front_onnx_import.h"

#include <string.h>

static onnx_symbol *hash_slot(const onnx_names *t, const char *name) {
    size_t i = (size_t)ir_hash(name, strlen(name)) & t->mask;
    while (t->slot[i].name && strcmp(t->slot[i].name, name) != 0) i = (i + 1) & t->mask;
    return &t->slot[i];
}

onnx_symbol *onnx_find(const onnx_import *im, const char *name) {
    onnx_symbol *s = hash_slot(&im->names, name);
    return s->name ? s : NULL;
}

static bool make_table(onnx_import *im) {
    const Onnx__GraphProto *graph = im->graph;
    size_t n = graph->n_input + graph->n_initializer, cap = 16;
    for (size_t i = 0; i < graph->n_node; i++) n += graph->node[i]->n_output;
    if (n > ONNX_MAX_NAMES)
        return ir_fail(im->d, IR_EXIT_UNSUPPORTED, "%s: %zu values; at most %d are supported", im->path, n,
                       ONNX_MAX_NAMES);
    while (cap < 2 * n) cap *= 2;
    im->names.slot = ir_alloc(im->scratch, cap, sizeof *im->names.slot);
    im->names.mask = cap - 1;
    return true;
}

/* Enters a new name; NULL if it is taken. */
static onnx_symbol *enter_name(onnx_import *im, const char *name) {
    onnx_symbol *s = hash_slot(&im->names, name);
    if (s->name) return NULL;
    *s = (onnx_symbol){.name = name, .producer = -1};
    return s;
}

static bool enter_values(onnx_import *im) {
    const Onnx__GraphProto *graph = im->graph;
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const char *name = graph->initializer[i]->name;
        if (!name || !*name)
            return ir_fail(im->d, IR_EXIT_INPUT, "%s: initializer %zu has no name", im->path, i);
        onnx_symbol *s = enter_name(im, name);
        if (!s) return ir_fail(im->d, IR_EXIT_INPUT, "%s: two initializers are named '%s'", im->path, name);
        s->init = graph->initializer[i];
    }
    for (size_t i = 0; i < graph->n_input; i++) {
        const char *name = graph->input[i]->name;
        if (!name || !*name)
            return ir_fail(im->d, IR_EXIT_INPUT, "%s: graph input %zu has no name", im->path, i);
        onnx_symbol *s = onnx_find(im, name);
        if (!s) s = enter_name(im, name); /* else an input with a default: its initializer */
        if (s->is_input)
            return ir_fail(im->d, IR_EXIT_INPUT, "%s: two graph inputs are named '%s'", im->path, name);
        s->is_input = true;
    }
    return true;
}

static bool enter_outputs(onnx_import *im) {
    for (size_t i = 0; i < im->graph->n_node; i++) {
        const Onnx__NodeProto *n = im->graph->node[i];
        for (size_t k = 0; k < n->n_output; k++) {
            if (!*n->output[k]) continue; /* an optional output that nobody wants */
            onnx_symbol *s = enter_name(im, n->output[k]);
            if (!s)
                return ir_fail(
                    im->d, IR_EXIT_INPUT,
                    "%s: node %zu %s: its output '%s' already names an input, an initializer or another "
                    "node's output",
                    im->path, i, n->op_type ? n->op_type : "", n->output[k]);
            s->producer = (int)i;
        }
    }
    return true;
}

/* Whoever produces `name` is needed: to be looked at, once. */
static void need_name(onnx_import *im, const char *name, int *open, int *count) {
    const onnx_symbol *s = name ? onnx_find(im, name) : NULL;
    if (!s || s->producer < 0 || im->needed[s->producer]) return;
    im->needed[s->producer] = true;
    open[(*count)++] = s->producer;
}

/* Marks the nodes that the graph outputs depend on. */
static void find_needed(onnx_import *im) {
    const Onnx__GraphProto *graph = im->graph;
    int *open = ir_alloc(im->scratch, graph->n_node + 1, sizeof *open), count = 0;
    im->needed = ir_alloc(im->scratch, graph->n_node + 1, sizeof *im->needed);
    for (size_t i = 0; i < graph->n_output; i++) need_name(im, graph->output[i]->name, open, &count);
    while (count > 0) {
        const Onnx__NodeProto *n = graph->node[open[--count]];
        for (size_t k = 0; k < n->n_input; k++) need_name(im, n->input[k], open, &count);
    }
}

static bool count_readers(onnx_import *im) {
    for (size_t i = 0; i < im->graph->n_node; i++) {
        const Onnx__NodeProto *n = im->graph->node[i];
        for (size_t k = 0; k < n->n_input; k++) {
            if (!*n->input[k]) continue;
            onnx_symbol *s = onnx_find(im, n->input[k]);
            if (!s)
                return ir_fail(im->d, IR_EXIT_INPUT,
                               "%s: node %zu %s: no graph input, initializer or node produces its input '%s'",
                               im->path, i, n->op_type ? n->op_type : "", n->input[k]);
            s->uses += im->needed[i];
        }
    }
    for (size_t i = 0; i < im->graph->n_output; i++) {
        const char *name = im->graph->output[i]->name;
        onnx_symbol *s = name ? onnx_find(im, name) : NULL;
        if (!s)
            return ir_fail(im->d, IR_EXIT_INPUT, "%s: nothing produces the graph output '%s'", im->path,
                           name ? name : "");
        s->uses++;
    }
    return true;
}

bool onnx_names_build(onnx_import *im) {
    if (!make_table(im) || !enter_values(im) || !enter_outputs(im)) return false;
    find_needed(im);
    return count_readers(im);
}

/* ---- order ----------------------------------------------------------------------------------- */

typedef struct visit {
    int node;
    size_t next_input;
} visit;
enum { UNSEEN, OPEN, DONE };

/* Depth first with a stack of our own: a chain of a million nodes must not exhaust C's. */
static bool visit_from(onnx_import *im, int root, unsigned char *state, visit *stack, int *order,
                       int *count) {
    int depth = 0;
    stack[0] = (visit){root, 0};
    state[root] = OPEN;
    while (depth >= 0) {
        visit *v = &stack[depth];
        const Onnx__NodeProto *n = im->graph->node[v->node];
        if (v->next_input == n->n_input) {
            state[v->node] = DONE;
            order[(*count)++] = v->node;
            depth--;
            continue;
        }
        const char *name = n->input[v->next_input++];
        int producer = *name ? onnx_find(im, name)->producer : -1;
        if (producer < 0 || state[producer] == DONE) continue;
        if (state[producer] == OPEN)
            return ir_fail(im->d, IR_EXIT_INPUT,
                           "%s: node %d %s: its input '%s' depends on its own output (a cycle)", im->path,
                           v->node, n->op_type ? n->op_type : "", name);
        state[producer] = OPEN;
        stack[++depth] = (visit){producer, 0};
    }
    return true;
}

bool onnx_sort(onnx_import *im, int *order, int *count) {
    size_t n = im->graph->n_node;
    unsigned char *state = ir_alloc(im->scratch, n + 1, 1);
    visit *stack = ir_alloc(im->scratch, n + 1, sizeof *stack);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (im->needed[i] && state[i] == UNSEEN && !visit_from(im, (int)i, state, stack, order, count))
            return false;
    return true;
}
