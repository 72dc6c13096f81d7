/* pass_terms.c: an instance or group normalisation becomes the terms that its statistics give, and what is
 * made of x by them. The first part then can move into the convolution that computes x, the second into one
 * that reads the result (compiler/plan/cpu/around.c). */
#include "pass_match.h"
#include "cpu_passes.h"

static ir_tensor *terms_of(ir_graph *g, ir_node *n, ir_diag *d) {
    const char *name = ir_unique_name(g, ir_format(g->arena, "%s.terms", n->out[0]->name));
    ir_node *terms = ir_add_node(g, IR_OP_NORM_TERMS, name, 3, n->in, name);
    terms->source = n->source;
    ir_set_float(g, terms, IR_EPS, ir_float(n, IR_EPS));
    if (ir_get(n, IR_GROUP)) ir_set_int(g, terms, IR_GROUP, ir_int(n, IR_GROUP));
    if (!ir_finish_node(g, terms, d)) return NULL;
    ir_insert_node(g, terms, n);
    return terms->out[0];
}

/* requires: fused activations, no layouts. maintains: every output, and its name. gives: norm_terms and
 * normalise in the place of every instance_norm. */
bool pass_terms(ir_graph *g, ir_diag *d) {
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (n->op != IR_OP_INSTANCE_NORM) continue;
        ir_tensor *slope = n->n_in > 3 ? n->in[3] : NULL, *terms = terms_of(g, n, d);
        if (!terms) return false;
        n->op = IR_OP_NORMALISE;
        ir_set_operands(g, n, slope ? 4 : 2, (ir_tensor *[]){n->in[0], terms, NULL, slope});
        ir_drop_attr(n, IR_EPS);
        if (ir_get(n, IR_GROUP)) ir_drop_attr(n, IR_GROUP);
        i++; /* the terms now stand in front of n */
    }
    return true;
}
