/* verify_uses.c: whether each tensor knows who reads it. A stale list would be a wrong answer that nobody
 * sees: a value that another node still needs would be fused away. */
#include "verify.h"

/* What a tensor's readers add up to. Their addresses are mixed, so that no two lists have the same sum. */
typedef struct uses {
    int count, outputs;
    uint64_t sum;
} uses;

static uint64_t mark_of(const ir_node *n) {
    return ir_mix((uint64_t)(uintptr_t)n);
}

static uses claimed_by(const ir_tensor *t) {
    uses u = {.count = t->n_users, .outputs = t->n_outputs};
    for (int i = 0; i < t->n_users; i++) u.sum += mark_of(t->users[i]);
    return u;
}

/* Per tensor of the graph. */
static uses *count_uses(verifier *v) {
    const ir_graph *g = v->g;
    uses *found = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *found);
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            if (!g->nodes[i]->in[k]) continue;
            uses *u = &found[ir_index_find(&v->index, g->nodes[i]->in[k])];
            u->count++;
            u->sum += mark_of(g->nodes[i]);
        }
    for (int i = 0; i < g->n_outputs; i++) found[ir_index_find(&v->index, g->outputs[i])].outputs++;
    return found;
}

bool verify_uses(verifier *v) {
    const uses *found = count_uses(v);
    for (int i = 0; i < v->g->n_tensors; i++) {
        const ir_tensor *t = v->g->tensors[i];
        const uses claimed = claimed_by(t), real = found[i];
        if (claimed.count == real.count && claimed.sum == real.sum && claimed.outputs == real.outputs)
            continue;
        return verify_broken(v, "uses",
                             "%%%s has %d readers and is an output %d times, but knows of %d and %d", t->name,
                             real.count, real.outputs, claimed.count, claimed.outputs);
    }
    return true;
}
