/* pass_groups.c: PyTorch writes a group norm as an instance norm between two reshapes, which make each group
 * of channels one channel. It becomes an instance norm of groups. */
#include "pass_match.h"

/* f32[groups] to f32[channels]. */
static void spread_groups(ir_graph *g, ir_node *n, int k, const char *suffix, int64_t channels) {
    const ir_tensor *t = n->in[k];
    int64_t each = channels / ir_count(t);
    double *v = ir_alloc(g->arena, (size_t)channels, sizeof *v);
    for (int64_t c = 0; c < channels; c++) v[c] = ir_const_float(t, c / each);
    pass_add_const(g, n, k, suffix, channels, v);
}

static bool is_known_f32(const ir_tensor *t) {
    return pass_is_const(t) && t->dtype == IR_F32;
}

/* Whether norm n sees groups of x's channels as its channels. */
static bool sees_groups(const ir_node *n, const ir_tensor *x, const ir_tensor *result) {
    const ir_tensor *seen = n->in[0];
    if (x->rank < 3 || seen->rank < 3 || !ir_same_shape(x, result)) return false;
    if (seen->dim[0] != x->dim[0] || seen->dim[1] < 1 || x->dim[1] % seen->dim[1] != 0) return false;
    return !ir_get(n, IR_ACT) && !ir_get(n, IR_GROUP) && is_known_f32(n->in[1]) && is_known_f32(n->in[2]);
}

bool pass_take_groups(ir_graph *g, ir_node *n) {
    ir_node *norm = n->op == IR_OP_RESHAPE ? pass_only_producer(g, n->in[0], IR_OP_INSTANCE_NORM) : NULL;
    ir_node *first = norm && norm->in[0]->role == IR_ROLE_VALUE ? norm->in[0]->producer : NULL;
    if (!first || first->op != IR_OP_RESHAPE || !sees_groups(norm, first->in[0], n->out[0])) return false;
    int64_t channels = first->in[0]->dim[1];
    ir_set_int(g, norm, IR_GROUP, norm->in[0]->dim[1]);
    ir_set_operand(g, norm, 0, first->in[0]);
    spread_groups(g, norm, 1, "scale", channels);
    spread_groups(g, norm, 2, "bias", channels);
    pass_absorb(g, norm, n);
    return true;
}
