/* verify_norm.c: what convolutions do for the normalisations around them: values that are normalised where
 * they are loaded, and sums that are gathered where they are stored. */
#include "verify_cpu.h"

/* ---- on_load --------------------------------------------------------------------------------- */

static bool check_value(verifier *v, const ir_tensor *t) {
    const ir_node *n = t->producer;
    if (!n || n->op != IR_OP_NORMALISE)
        return verify_broken(v, "on-load", "%%%s is made on load but no normalise computes it", t->name);
    if (verify_is_output(v, t) || t->memory.view_of || t->memory.arena_offset != -1 || t->memory.ring ||
        t->cpu.fused)
        return verify_broken(v, "on-load", "%%%s is made on load but has a place in memory", t->name);
    if (n->in[0]->role != IR_ROLE_VALUE || n->in[0]->cpu.fused || n->in[0]->cpu.on_load)
        return verify_broken(v, "on-load", "%%%s is made on load of %%%s, which does not lie in memory",
                             t->name, n->in[0]->name);
    return true;
}

static bool check_reader(verifier *v, const ir_node *n) {
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->cpu.on_load && (n->op != IR_OP_CONV || k > 0))
            return verify_broken(v, "on-load", "'%s' reads %%%s but is no conv, which would make it on load",
                                 n->name, n->in[k]->name);
    return true;
}

/* ---- gathered -------------------------------------------------------------------------------- */

static bool check_gathered(verifier *v, const ir_node *n) {
    const ir_node *conv = n->op == IR_OP_NORM_TERMS ? n->in[0]->producer : NULL;
    if (!conv || conv->op != IR_OP_CONV || !n->in[0]->cpu.block || n->in[0]->dim[0] != 1)
        return verify_broken(v, "gathered",
                             "'%s' has its sums gathered but is no norm_terms of a conv's blocks", n->name);
    if (n->in[0]->cpu.fused || conv->memory.stream)
        return verify_broken(v, "gathered", "'%s' has its sums gathered by '%s', which does not run whole",
                             n->name, conv->name);
    for (int i = 0; i < n->in[0]->n_users; i++) {
        const ir_node *other = n->in[0]->users[i];
        if (other != n && other->cpu.gathered && other->in[0] == n->in[0])
            return verify_broken(v, "gathered", "'%s' and '%s' have sums of %%%s gathered", n->name,
                                 other->name, n->in[0]->name);
    }
    return n->memory.scratch > 0 ||
           verify_broken(v, "gathered", "'%s' has no scratch memory for sums", n->name);
}

bool verify_norms(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++)
        if (v->g->tensors[i]->cpu.on_load && !check_value(v, v->g->tensors[i])) return false;
    for (int i = 0; i < v->g->n_nodes; i++) {
        const ir_node *n = v->g->nodes[i];
        if (!check_reader(v, n) || (n->cpu.gathered && !check_gathered(v, n))) return false;
    }
    return true;
}
