/* outputs.c: pass_outputs. */
#include "graph_passes.h"

static bool is_written_by_node(const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && t->producer;
}

static bool named_before(const ir_graph *g, int index) {
    for (int i = 0; g->outputs[index]->n_outputs > 1 && i < index; i++)
        if (g->outputs[i] == g->outputs[index]) return true;
    return false;
}

/* A copy of t as the graph's last node. A whole slice, because no later pass turns that into a view. */
static ir_tensor *copy_of(ir_graph *g, ir_tensor *t, ir_diag *d) {
    const char *name = ir_unique_name(g, ir_format(g->arena, "%s.copy", t->name));
    int64_t begin[IR_MAX_RANK] = {0}, step[IR_MAX_RANK];
    for (int i = 0; i < IR_MAX_RANK; i++) step[i] = 1;
    ir_node *n = ir_add_node(g, IR_OP_SLICE, name, 1, &t, name);
    ir_set_ints(g, n, IR_BEGIN, t->rank, begin);
    ir_set_ints(g, n, IR_SIZE, t->rank, t->dim);
    ir_set_ints(g, n, IR_STEP, t->rank, step);
    return ir_finish_node(g, n, d) ? n->out[0] : NULL;
}

bool pass_outputs(ir_graph *g, ir_diag *d) {
    for (int i = 0; i < g->n_outputs; i++) {
        if (is_written_by_node(g->outputs[i]) && !named_before(g, i)) continue;
        ir_tensor *copy = copy_of(g, g->outputs[i], d);
        if (!copy) return false;
        ir_set_output(g, i, copy);
    }
    return true;
}
