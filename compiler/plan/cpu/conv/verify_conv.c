/* verify_conv.c: that each convolution is computed in a way that can compute it. */
#include "verify_conv.h"

#include "algorithm.h"

static bool check_winograd(verifier *v, const ir_node *n) {
    const int64_t *w = n->winograd;
    if (!(w[0] | w[1] | w[2] | w[3])) return true;
    bool blocked = n->in[0]->cpu.block && n->out[0]->cpu.block,
         plain = !n->in[0]->cpu.block && !n->out[0]->cpu.block;
    bool good = cg_admits_winograd(n) && blocked && w[3] >= 0;
    for (int a = 0; a < 3; a++) good = good && (w[a] == 2 || w[a] == 4);
    if (w[2] == 1) good = cg_admits_winograd(n) && plain && w[0] == 4 && w[1] == 4 && w[3] == 1;
    return good ||
           verify_broken(v, "winograd",
                         "'%s' is no 3x3x3 conv of stride 1 in tiles of 2 and 4, blocked, or of 4x4x1, plain",
                         n->name);
}

bool verify_convs(verifier *v) {
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_winograd(v, v->g->nodes[i])) return false;
    return true;
}
