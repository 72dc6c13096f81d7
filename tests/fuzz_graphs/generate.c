/* generate.c: one case: inputs, a network or two between them, outputs. */
#include "gen.h"

enum { STREAM_GRAPH = 1, STREAM_C, STREAM_CUDA }; /* of random numbers */

static uint64_t seed_of(uint64_t seed, int64_t number, uint64_t stream) {
    return ir_mix(ir_random(seed, (uint64_t)number) + stream);
}

fuzz_options fuzz_options_of(uint64_t seed, int64_t number, ir_target target) {
    fuzz_dice d = {.seed = seed_of(seed, number, target == IR_TARGET_C ? STREAM_C : STREAM_CUDA)};
    return fuzz_random_options(&d, target);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static ir_tensor *first_input(gen *G, bool volume) {
    fuzz_dice *d = &G->dice;
    int64_t dim[5] = {dice_chance(d, 85) ? 1 : dice_range(d, 2, 3), dice_range(d, 1, G->wide ? 20 : 6)};
    bool cube = dice_chance(d, 40), even = dice_chance(d, 50);
    int most = G->space < 3 ? 30 : G->wide ? 10 : 16;
    for (int a = 0; a < G->space; a++) {
        dim[2 + a] = cube && a ? dim[2] : dice_range(d, 4, most);
        if (even) dim[2 + a] = (dim[2 + a] + 3) / 4 * 4;
    }
    if (volume) {
        dim[0] = 1, dim[1] = dice_range(d, 1, 3);
        dim[2] = dice_range(d, 20, 40);
        for (int a = 1; a < G->space; a++) dim[2 + a] = dice_range(d, 14, 24);
    }
    return gen_input(G, IR_F32, G->space + 2, dim);
}

/* A second input: like the first, of other channels, or one value per channel; sometimes of whole numbers. */
static void more_inputs(gen *G, const ir_tensor *x, gen_values *v) {
    static const ir_dtype whole[] = {IR_U8, IR_I64, IR_I32};
    int64_t dim[IR_MAX_RANK];
    for (int a = 0; a < x->rank; a++) dim[a] = x->dim[a];
    switch (dice_below(&G->dice, 4)) {
    case 0:
        dim[1] = dice_range(&G->dice, 1, 8);
        break;
    case 1:
        for (int a = 2; a < x->rank; a++) dim[a] = 1;
        break;
    default:
        break;
    }
    if (dice_chance(&G->dice, 85)) {
        gen_keep(v, gen_input(G, IR_F32, x->rank, dim));
        return;
    }
    ir_tensor *t = gen_input(G, DICE_PICK(&G->dice, whole), x->rank, dim);
    ir_node *n = gen_begin(G, IR_OP_CAST, 1, &t);
    ir_set_word(G->g, n, IR_TO, "f32");
    gen_keep(v, gen_end(G, n));
}

/* ---- outputs --------------------------------------------------------------------------------- */

static bool is_output(const gen *G, const ir_tensor *t) {
    for (int i = 0; i < G->g->n_outputs; i++)
        if (G->g->outputs[i] == t) return true;
    return false;
}

/* The last value, and some of the others, read or not. An input is rare. */
static void choose_outputs(gen *G, const gen_values *v) {
    const ir_graph *g = G->g;
    bool many = dice_chance(&G->dice, 35), unread = dice_chance(&G->dice, 70);
    for (int i = 0; i < v->count && G->g->n_outputs < 6; i++) {
        ir_tensor *t = v->list[i];
        if (t->role == IR_ROLE_INPUT && !dice_chance(&G->dice, 3)) continue;
        bool chosen = (many && dice_chance(&G->dice, 30)) || (unread && !ir_count_uses(g, t));
        if (!is_output(G, t) && (i + 1 == v->count || chosen)) ir_add_output(G->g, t);
    }
    for (int i = 0; many && i < g->n_nodes && g->n_outputs < 6; i++) {
        ir_tensor *t = g->nodes[i]->out[0];
        if (dice_chance(&G->dice, ir_count_uses(g, t) ? 8 : 50) && !is_output(G, t)) ir_add_output(G->g, t);
    }
}

static void run_net(gen *G, gen_net *net, ir_tensor *x, gen_values *v) {
    gen_values inner = {.count = 0};
    net(G, x, &inner);
    for (int i = 0; i < inner.count; i++) gen_keep(v, inner.list[i]);
}

static gen_net *choose_net(gen *G, bool volume) {
    static gen_net *const nets[] = {gen_soup,     gen_soup,  gen_soup,      gen_unet,  gen_unet, gen_unet,
                                    gen_residual, gen_dense, gen_inception, gen_chain, gen_chain};
    if (volume) return gen_volume;
    return G->space == 3 && dice_chance(&G->dice, G->wide ? 45 : 5) ? gen_blocked : DICE_PICK(&G->dice, nets);
}

static void build(gen *G) {
    bool volume = dice_chance(&G->dice, 14);
    G->space = volume || dice_chance(&G->dice, 75) ? 3 : dice_chance(&G->dice, 85) ? 2 : 1;
    G->wide = dice_chance(&G->dice, volume ? 20 : 50);
    G->largest = volume ? 150000 : 40000;
    G->elements = 600000;
    G->macs = volume || G->wide ? 14000000 : 6000000;
    gen_values v = {.count = 0};
    ir_tensor *x = first_input(G, volume);
    run_net(G, choose_net(G, volume), x, &v);
    if (dice_chance(&G->dice, 25)) {
        more_inputs(G, x, &v);
        for (int i = 0; i < 2 && v.count > 1; i++)
            gen_keep(&v, gen_join(G, v.list[v.count - 1], v.list[dice_below(&G->dice, v.count)]));
    }
    if (dice_chance(&G->dice, 12)) run_net(G, choose_net(G, false), v.list[v.count - 1], &v);
    choose_outputs(G, &v);
    if (!G->g->n_outputs) ir_add_output(G->g, v.list[v.count - 1]);
}

char *fuzz_generate(uint64_t seed, int64_t number) {
    gen G = {.g = ir_graph_new("net"), .dice = {.seed = seed_of(seed, number, STREAM_GRAPH)}};
    G.specs.arena = G.g->arena;
    build(&G);
    char *text = fuzz_print(G.g, &G.specs);
    ir_graph_free(G.g);
    return text;
}
