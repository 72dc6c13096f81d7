/* verify_conv.c: that each convolution is computed in a way that can compute it. */
#include "verify_conv.h"

#include "way.h"

static bool check_way(verifier *v, const ir_node *n) {
    const cg_way *way = n->cpu.way ? cg_way_named(n->cpu.way) : NULL;
    if (!n->cpu.way) {
        const int64_t *t = n->cpu.tile;
        bool bare = !(t[0] | t[1] | t[2] | n->cpu.batch) && !n->cpu.whole;
        return bare || verify_broken(v, "way", "'%s' has a tile, a batch or whole but no way", n->name);
    }
    if (!way)
        return verify_broken(v, "way", "'%s': there is no way '%s', only %s", n->name, n->cpu.way,
                             cg_way_names(v->scratch));
    if (n->op != IR_OP_CONV)
        return verify_broken(v, "way", "'%s' has a way to compute a conv but is none", n->name);
    const cg_choice c = cg_choice_of(n);
    if (!way->admits(n, &c))
        return verify_broken(
            v, "way", "'%s' cannot be computed so: %s in tiles of %lldx%lldx%lld, %lld at a time", n->name,
            way->name, (long long)c.tile[0], (long long)c.tile[1], (long long)c.tile[2], (long long)c.batch);
    return n->cpu.whole == way->whole ||
           verify_broken(v, "way", "'%s' %s computed whole, unlike all that are %s", n->name,
                         n->cpu.whole ? "is" : "is not", way->name);
}

bool verify_convs(verifier *v) {
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_way(v, v->g->nodes[i])) return false;
    return true;
}
