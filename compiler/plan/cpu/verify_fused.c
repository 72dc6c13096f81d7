/* verify_fused.c: values that the kernel of a convolution hands on in registers, and who reads them. */
#include "verify_cpu.h"

#include "way.h"

/* A node whose work the kernel of a fused operand's producer does. */
static bool check_reader(verifier *v, const ir_node *n) {
    bool one = n->n_in == 1 && n->in[0]->cpu.fused;
    if (!one || (n->op != IR_OP_MAX_POOL && n->op != IR_OP_SLICE))
        return verify_broken(v, "fused", "'%s' reads a fused value but is no max_pool or slice of it",
                             n->name);
    if (n->memory.scratch)
        return verify_broken(v, "fused", "'%s' has scratch memory but its operand's producer does its work",
                             n->name);
    return true;
}

/* A max_pool that the kernel of a conv does, which stores its own result as well. */
static bool check_joined(verifier *v, const ir_node *n) {
    const ir_node *conv = n->n_in ? n->in[0]->producer : NULL;
    if (n->op != IR_OP_MAX_POOL || !conv || conv->op != IR_OP_CONV || !cg_way_of(conv)->stores_more)
        return verify_broken(v, "joined", "'%s' is no max_pool of what a Winograd conv makes", n->name);
    if (n->in[0]->cpu.fused || n->memory.scratch)
        return verify_broken(v, "joined", "'%s' has a fused operand or scratch memory", n->name);
    for (int i = 0; i < n->in[0]->n_users; i++) {
        const ir_node *other = n->in[0]->users[i];
        if (other != n && other->cpu.joined && other->in[0] == n->in[0])
            return verify_broken(v, "joined", "'%s' and '%s' want the same kernel", other->name, n->name);
    }
    return true;
}

static bool check_fused(verifier *v, const ir_tensor *t) {
    if (!t->producer || t->producer->op != IR_OP_CONV)
        return verify_broken(v, "fused", "%%%s is fused but no conv computes it", t->name);
    if (verify_is_output(v, t) || t->memory.view_of || t->memory.arena_offset != -1)
        return verify_broken(v, "fused", "%%%s is fused but has a place in memory", t->name);
    return t->n_users || verify_broken(v, "fused", "%%%s is fused but nothing reads it", t->name);
}

bool verify_fused(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++) {
        const ir_tensor *t = v->g->tensors[i];
        if (t->cpu.fused && !check_fused(v, t)) return false;
        if (t->memory.view_of && t->memory.view_of->cpu.fused)
            return verify_broken(v, "fused", "%%%s cannot lie in %%%s, which lies nowhere", t->name,
                                 t->memory.view_of->name);
    }
    for (int i = 0; i < v->g->n_nodes; i++) {
        const ir_node *n = v->g->nodes[i];
        if (n->cpu.joined && !check_joined(v, n)) return false;
        for (int k = 0; k < n->n_in; k++)
            if (n->in[k] && n->in[k]->cpu.fused && !check_reader(v, n)) return false;
    }
    return true;
}
