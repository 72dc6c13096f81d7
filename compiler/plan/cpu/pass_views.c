/* pass_views.c: values that need no memory of their own.
 *
 * A member of a channel concat is computed straight into the concat's buffer (that is what makes skip
 * connections free), and a reshape is another look at its operand.
 */
#include "cpu_passes.h"

enum { ALIGN = 64 };

/* In the arena, and not yet inside another buffer. */
static bool owns_storage(const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && !t->memory.view_of && !ir_is_output(t);
}

/* Members lie one after the other only when nothing but 1s stands in front of the axis. */
static bool contiguous_members(const ir_node *n) {
    int64_t axis = ir_int(n, IR_AXIS);
    for (int64_t a = 0; a < axis; a++)
        if (n->out[0]->dim[a] != 1) return false;
    return true;
}

static void place_members(const ir_node *n) {
    ir_tensor *whole = n->out[0];
    if (whole->role != IR_ROLE_VALUE || ir_is_output(whole) || !contiguous_members(n)) return;
    int64_t offset = 0;
    for (int i = 0; i < n->n_in; i++) {
        ir_tensor *t = n->in[i];
        if (owns_storage(t) && t->cpu.block == whole->cpu.block && offset % ALIGN == 0) {
            t->memory.view_of = whole;
            t->memory.view_offset = offset;
        }
        offset += ir_bytes(t);
    }
}

/* A constant or a graph input has no place in the arena that a view could name; those reshapes copy. */
static void place_reshape(const ir_node *n) {
    ir_tensor *x = n->in[0], *y = n->out[0];
    if (x->role != IR_ROLE_VALUE || ir_is_output(x) || x->cpu.block || !owns_storage(y)) return;
    y->memory.view_of = x;
    y->memory.view_offset = 0;
}

/* requires: layouts chosen. maintains: values. gives: view_of, view_offset. Runs last node to first, so that
 * an outer concat takes an inner one before that one's members look for their place in it. */
bool pass_views(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        if (g->nodes[i]->op == IR_OP_CONCAT) place_members(g->nodes[i]);
        if (g->nodes[i]->op == IR_OP_RESHAPE) place_reshape(g->nodes[i]);
    }
    return true;
}
