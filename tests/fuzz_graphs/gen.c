/* gen.c: a graph under construction: names, constants, budget. */
#include "gen.h"

#include <math.h>

static const char *new_name(gen *G, char letter) {
    return ir_format(G->g->arena, "%c%d", letter, G->names++);
}

ir_tensor *gen_input(gen *G, ir_dtype type, int rank, const int64_t *dim) {
    return ir_add_input(G->g, new_name(G, 'x'), type, rank, dim);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

ir_node *gen_begin(gen *G, ir_op op, int n_in, ir_tensor *const *in) {
    const char *name = new_name(G, 't');
    /* Layers may share a name, as they do where a model is built from a module that is used twice. */
    return ir_add_node(G->g, op, dice_chance(&G->dice, 5) ? "layer" : name, n_in, in, name);
}

ir_tensor *gen_end(gen *G, ir_node *n) {
    ir_diag d = {0};
    int64_t count = 0;
    bool ok = ir_finish_node(G->g, n, &d);
    if (ok) {
        count = ir_count(n->out[0]);
        ok = count > 0 && count <= G->largest && count <= G->elements && ir_macs(n) <= G->macs;
    }
    if (!ok) {
        ir_remove_node(G->g, n);
        return NULL;
    }
    G->elements -= count;
    G->macs -= ir_macs(n);
    return n->out[0];
}

ir_tensor *gen_simple(gen *G, ir_op op, int n_in, ir_tensor *const *in) {
    for (int i = 0; i < n_in; i++)
        if (!in[i]) return NULL;
    return gen_end(G, gen_begin(G, op, n_in, in));
}

ir_tensor *gen_binary(gen *G, ir_op op, ir_tensor *a, ir_tensor *b) {
    return gen_simple(G, op, 2, (ir_tensor *[]){a, b});
}

/* ---- constants ------------------------------------------------------------------------------- */

ir_tensor *gen_random(gen *G, int rank, const int64_t *dim, double scale) {
    const char *name = new_name(G, 'w');
    specs_add(&G->specs, name,
              ir_format(G->g->arena, "random(%d, %.3g)", dice_range(&G->dice, 1, 999), scale));
    return ir_add_const(G->g, name, IR_F32, rank, dim, NULL, false);
}

ir_tensor *gen_splat(gen *G, int rank, const int64_t *dim, double value) {
    const char *name = new_name(G, 'k');
    specs_add(&G->specs, name, ir_format(G->g->arena, "splat(%.3g)", value));
    return ir_add_const(G->g, name, IR_F32, rank, dim, NULL, false);
}

ir_tensor *gen_vector(gen *G, int64_t count, double scale) {
    return gen_random(G, 1, &count, scale);
}

ir_tensor *gen_indices(gen *G, int count, const int64_t *v) {
    const char *name = new_name(G, 'i'), *text = "";
    for (int i = 0; i < count; i++)
        text = ir_format(G->g->arena, "%s%s%lld", text, i ? ", " : "", (long long)v[i]);
    specs_add(&G->specs, name, ir_format(G->g->arena, "{%s}", text));
    return ir_add_const(G->g, name, IR_I64, 1, (int64_t[]){count}, v, true);
}

int64_t gen_channels(gen *G) {
    static const int64_t blocked[] = {16, 16, 16, 32, 32, 48, 21, 24, 13, 17};
    if (G->wide ? dice_chance(&G->dice, 75) : dice_chance(&G->dice, 15)) return DICE_PICK(&G->dice, blocked);
    return dice_range(&G->dice, 1, 15);
}
