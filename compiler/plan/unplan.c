/* unplan.c: see unplan.h. */
#include "unplan.h"

/* A conversion between layouts becomes its operand; what it writes for the caller keeps its name. */
static void remove_conversion(ir_graph *g, ir_node *n) {
    ir_tensor *x = n->in[0], *y = n->out[0];
    bool renamed = ir_is_output(y) && x->role == IR_ROLE_VALUE && !ir_is_output(x);
    ir_replace_uses(g, y, x);
    ir_remove_node(g, n);
    if (renamed) x->name = y->name;
}

void forget_plan(ir_graph *g) {
    for (int i = 0; i < g->n_tensors; i++) {
        ir_tensor *t = g->tensors[i];
        t->cpu = (ir_tensor_cpu){0};
        t->memory = (ir_tensor_memory){.arena_offset = -1};
    }
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        n->cpu = (ir_node_cpu){0};
        n->memory = (ir_node_memory){.scratch_offset = -1};
    }
    for (int i = g->n_nodes - 1; i >= 0; i--)
        if (g->nodes[i]->op == IR_OP_TO_BLOCK || g->nodes[i]->op == IR_OP_FROM_BLOCK)
            remove_conversion(g, g->nodes[i]);
    g->arena_bytes = -1;
}
