/* pass_fuse.c: an activation becomes the epilogue of the convolution or normalisation in front of it, and so
 * does the addition of a skip connection in front of that activation. */
#include "pass_match.h"
#include "graph_passes.h"

#include <string.h>

/* The node that may take activation n over: it has none yet, and a place for slopes if n brings some. */
static ir_node *taker(const ir_graph *g, const ir_node *n) {
    if (!n->in[0]->producer || !ir_op_carries_act(n->in[0]->producer->op)) return NULL;
    ir_node *p = pass_only_producer(g, n->in[0], n->in[0]->producer->op);
    if (!p || ir_get(p, IR_ACT)) return NULL;
    return n->op != IR_OP_PRELU || pass_is_per_channel(n->in[1], n->out[0]) ? p : NULL;
}

/* Slopes of whatever broadcast shape become f32[C]. */
static void add_slopes(ir_graph *g, ir_node *by, const ir_tensor *slope) {
    int64_t channels = by->out[0]->dim[1];
    double *v = ir_alloc(g->arena, (size_t)channels, sizeof *v);
    for (int64_t c = 0; c < channels; c++) v[c] = pass_channel(slope, c);
    pass_add_const(g, by, 3, "slope", channels, v);
}

/* ---- residual connections -------------------------------------------------------------------- */

/* The conv that may add what operand 1 - k of n brings to its own sums, operand k. */
static ir_node *adder(const ir_graph *g, const ir_node *n, int k) {
    const ir_tensor *skip = n->in[1 - k];
    ir_node *p = pass_only_producer(g, n->in[k], IR_OP_CONV);
    if (!p || ir_get(p, IR_ACT) || ir_skip(p) || p->out[0]->dtype != IR_F32) return NULL;
    bool alike = ir_same_shape(skip, n->out[0]) && ir_same_shape(p->out[0], n->out[0]);
    return alike && skip->role != IR_ROLE_CONST ? p : NULL;
}

/* add(conv(x), skip): of two convs, the later one adds. It runs when the skip is there. On a GPU a kernel of
 * its own adds. */
static bool fuse_add(ir_graph *g, ir_node *n) {
    if (n->op != IR_OP_ADD || g->goals.target != IR_TARGET_C) return false;
    ir_node *a = adder(g, n, 0), *b = adder(g, n, 1);
    int k = !a || (b && ir_position(g, b) > ir_position(g, a));
    ir_node *p = k ? b : a;
    if (!p) return false;
    ir_tensor *in[IR_SKIP + 1] = {0};
    memcpy(in, p->in, (size_t)p->n_in * sizeof(ir_tensor *));
    in[IR_SKIP] = n->in[1 - k];
    if (in[IR_SKIP]->producer) ir_delay_node(g, p, in[IR_SKIP]->producer);
    ir_set_operands(g, p, IR_SKIP + 1, in);
    pass_absorb(g, p, n);
    return true;
}

/* requires norm (else a batch_norm in between is in the way) | maintains every output, and its name | gives:
 * act, alpha, beta and slope operand 3 on convs, transposed convs and instance norms; operand IR_SKIP on
 * convs */
bool pass_fuse(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int k = 0; k < g->n_nodes;) {
        if (fuse_add(g, g->nodes[k])) continue;
        ir_node *n = g->nodes[k], *p = ir_op_fuses(n->op) ? taker(g, n) : NULL;
        if (!p) {
            k++;
            continue;
        }
        if (n->op == IR_OP_PRELU) add_slopes(g, p, n->in[1]);
        ir_set_word(g, p, IR_ACT, ir_op_get(n->op)->name);
        if (ir_get(n, IR_ALPHA)) ir_set_float(g, p, IR_ALPHA, ir_float(n, IR_ALPHA));
        if (ir_get(n, IR_BETA)) ir_set_float(g, p, IR_BETA, ir_float(n, IR_BETA));
        pass_absorb(g, p, n);
    }
    ir_remove_dead(g);
    return true;
}
