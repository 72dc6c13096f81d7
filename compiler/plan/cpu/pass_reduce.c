/* pass_reduce.c: the kernels reduce over axes that lie side by side. A reduction over several runs of axes
 * becomes one for each run, the innermost first: what it leaves is smallest. */
#include "cpu_passes.h"

/* The innermost run of reduced axes, axes of size 1 aside: first to last. False if that is all of them. */
static bool find_innermost(const ir_node *n, int *first, int *last) {
    const ir_tensor *x = n->in[0];
    bool ended = false;
    *first = *last = -1;
    for (int i = x->rank - 1; i >= 0; i--) {
        if (x->dim[i] == 1) continue;
        if (!ir_has_int(n, IR_AXES, i)) {
            ended = *last >= 0;
            continue;
        }
        if (ended) return true;
        if (*last < 0) *last = i;
        *first = i;
    }
    return false;
}

/* n goes on with what a reduction of its own kind leaves of the axes first to last, each 1. */
static bool reduce_first(ir_graph *g, ir_node *n, int first, int last, ir_diag *d) {
    int64_t axes[IR_MAX_RANK];
    const char *name = ir_unique_name(g, ir_format(g->arena, "%s.part", n->out[0]->name));
    ir_node *part = ir_add_node(g, n->op, name, 1, n->in, name);
    for (int i = first; i <= last; i++) axes[i - first] = i;
    ir_set_ints(g, part, IR_AXES, last - first + 1, axes);
    ir_set_int(g, part, IR_KEEPDIMS, 1);
    part->source = n->source;
    if (!ir_finish_node(g, part, d)) return false;
    ir_insert_node(g, part, n);
    ir_set_operand(g, n, 0, part->out[0]);
    return true;
}

static bool is_reduction(const ir_node *n) {
    return n->op >= IR_OP_REDUCE_SUM && n->op <= IR_OP_REDUCE_PROD;
}

/* requires no layouts | maintains every output, and its name; a mean of means of equally many is the mean |
 * gives reductions whose axes lie side by side, axes of size 1 aside */
bool pass_reduce(ir_graph *g, ir_diag *d) {
    int first, last;
    for (int i = 0; i < g->n_nodes; i++)
        for (; is_reduction(g->nodes[i]) && find_innermost(g->nodes[i], &first, &last); i++)
            if (!reduce_first(g, g->nodes[i], first, last, d)) return false;
    return true;
}
