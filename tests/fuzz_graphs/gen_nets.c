/* gen_nets.c: layers become networks of the kinds that people train, and of kinds that nobody would. */
#include "gen.h"

#include <string.h>

void gen_keep(gen_values *v, ir_tensor *x) {
    if (x && v->count < (int)(sizeof v->list / sizeof *v->list)) v->list[v->count++] = x;
}

static ir_tensor *last(const gen_values *v) {
    return v->list[v->count - 1];
}

static ir_tensor *one_of(gen *G, const gen_values *v) {
    return v->list[dice_below(&G->dice, v->count)];
}

/* ---- any layer ------------------------------------------------------------------------------- */

static const struct {
    gen_layer *make;
    int weight;
} layers[] = {{gen_conv_norm_act, 24},
              {gen_conv, 12},
              {gen_separable, 5},
              {gen_conv_transpose, 9},
              {gen_norm, 8},
              {gen_act, 8},
              {gen_map, 5},
              {gen_constant_arithmetic, 6},
              {gen_pool, 8},
              {gen_resize, 4},
              {gen_slice, 3},
              {gen_crop, 3},
              {gen_pad, 4},
              {gen_reshape, 4},
              {gen_transpose, 2},
              {gen_expand, 2},
              {gen_gather, 2},
              {gen_split_concat, 4},
              {gen_concat_twice, 4},
              {gen_softmax, 3},
              {gen_reduce, 3},
              {gen_squeeze_excite, 4},
              {gen_gate, 4},
              {gen_mask, 2},
              {gen_cast, 1},
              {gen_arg_max, 1},
              {gen_folded, 2}};
enum { LAYERS = sizeof layers / sizeof *layers };

ir_tensor *gen_any(gen *G, ir_tensor *x) {
    int sum = 0;
    if (x->rank == 0) return gen_act(G, x);
    for (int i = 0; i < LAYERS; i++) sum += layers[i].weight;
    int at = dice_below(&G->dice, sum), i = 0;
    while (at >= layers[i].weight) at -= layers[i++].weight;
    return layers[i].make(G, x);
}

/* A layer that keeps x's shape, or x. */
static ir_tensor *same_shape(gen *G, ir_tensor *x) {
    ir_tensor *t;
    switch (dice_below(&G->dice, 5)) {
    case 0:
        t = gen_act(G, x);
        break;
    case 1:
        t = gen_norm(G, x);
        break;
    case 2:
        t = gen_squeeze_excite(G, x);
        break;
    default:
        t = gen_conv_to(G, x, x->dim[1], dice_chance(&G->dice, 75) ? 3 : 1);
        break;
    }
    return t && ir_same_shape(t, x) ? t : x;
}

/* ---- networks -------------------------------------------------------------------------------- */

void gen_chain(gen *G, ir_tensor *x, gen_values *v) {
    gen_keep(v, x);
    for (int i = dice_range(&G->dice, 1, 9); i > 0; i--) gen_keep(v, gen_any(G, last(v)));
}

void gen_residual(gen *G, ir_tensor *x, gen_values *v) {
    ir_tensor *t = gen_conv_norm_act(G, x), *branch;
    gen_keep(v, t ? t : x);
    for (int i = dice_range(&G->dice, 1, 3); i > 0; i--) {
        t = branch = last(v);
        for (int k = dice_range(&G->dice, 1, 4); k > 0; k--) branch = same_shape(G, branch);
        if (dice_chance(&G->dice, 30)) t = same_shape(G, t); /* the shortcut has a layer, too */
        branch = dice_chance(&G->dice, 70) ? gen_binary(G, IR_OP_ADD, branch, t) : gen_join(G, t, branch);
        gen_keep(v, branch);
        if (dice_chance(&G->dice, 60)) gen_keep(v, gen_act(G, last(v)));
        if (dice_chance(&G->dice, 20)) gen_keep(v, gen_pool(G, last(v)));
    }
}

/* Each layer reads a concat of all before it. */
void gen_dense(gen *G, ir_tensor *x, gen_values *v) {
    ir_tensor *t = gen_conv_norm_act(G, x), *all = t ? t : x;
    gen_keep(v, all);
    for (int i = dice_range(&G->dice, 2, 4); i > 0; i--) {
        int64_t channels = dice_chance(&G->dice, 50) ? 16 : gen_channels(G);
        t = gen_conv_to(G, all, channels, 3);
        if (t && dice_chance(&G->dice, 60)) t = gen_act(G, t);
        ir_tensor *both = gen_concat(G, 1, 2, (ir_tensor *[]){all, t});
        gen_keep(v, t);
        if (both) all = both;
        gen_keep(v, all);
    }
    if (dice_chance(&G->dice, 50)) gen_keep(v, gen_any(G, last(v)));
}

/* Branches side by side, some of them concats themselves. */
void gen_inception(gen *G, ir_tensor *x, gen_values *v) {
    ir_tensor *branch[5];
    int count = dice_range(&G->dice, 2, 5), used = 0;
    for (int i = 0; i < count; i++) {
        ir_tensor *t = dice_chance(&G->dice, 70) ? gen_same_conv(G, x) : same_shape(G, x);
        if (t && dice_chance(&G->dice, 40)) t = same_shape(G, t);
        if (t && dice_chance(&G->dice, 20))
            t = gen_concat(G, 1, 2, (ir_tensor *[]){t, dice_chance(&G->dice, 50) ? x : t});
        if (t && dice_chance(&G->dice, 15)) gen_keep(v, t);
        if (t) branch[used++] = t;
    }
    gen_keep(v, x);
    if (used) gen_keep(v, gen_concat(G, 1, used, branch));
    gen_keep(v, gen_any(G, last(v)));
}

/* ---- U-Nets ---------------------------------------------------------------------------------- */

static ir_tensor *stage(gen *G, ir_tensor *x, int64_t channels, bool valid) {
    ir_tensor *t;
    for (int i = dice_range(&G->dice, 1, 2); i > 0; i--) {
        t = gen_conv_to(G, x, channels, 3);
        if (t && valid) {
            ir_tensor *c = gen_crop(G, t);
            t = c ? c : t;
        }
        if (t) x = t;
        if (dice_chance(&G->dice, 50) && (t = gen_norm(G, x)) && ir_same_shape(t, x)) x = t;
        if (dice_chance(&G->dice, 80) && (t = gen_act(G, x))) x = t;
    }
    return x;
}

/* Where the coarse and the fine meet. */
static ir_tensor *meet(gen *G, ir_tensor *up, ir_tensor *skip) {
    ir_tensor *t = gen_crop_to(G, skip, up);
    if (!t) {
        up = gen_resize_to(G, up, skip->dim + 2);
        t = skip;
    }
    if (up && dice_chance(&G->dice, 20) && (skip = gen_gate(G, t))) t = skip;
    if (dice_chance(&G->dice, 75))
        return dice_chance(&G->dice, 50) ? gen_concat(G, 1, 2, (ir_tensor *[]){t, up})
                                         : gen_concat(G, 1, 2, (ir_tensor *[]){up, t});
    return up && t->dim[1] == up->dim[1] ? gen_join(G, t, up) : gen_concat(G, 1, 2, (ir_tensor *[]){up, t});
}

void gen_unet(gen *G, ir_tensor *x, gen_values *v) {
    ir_tensor *skip[4], *t;
    int depth = dice_range(&G->dice, 1, 3), levels = 0;
    int64_t channels = gen_channels(G);
    bool valid = dice_chance(&G->dice, 35), grow = channels <= 24 && dice_chance(&G->dice, 70),
         deep = dice_chance(&G->dice, 30);
    for (; levels < depth; levels++) {
        skip[levels] = stage(G, x, channels, valid);
        t = dice_chance(&G->dice, 80) ? gen_half_pool(G, skip[levels]) : gen_conv(G, skip[levels]);
        if (!t) break;
        x = t;
        if (grow) channels *= 2;
    }
    x = stage(G, x, channels, false);
    for (int i = levels - 1; i >= 0; i--) {
        if (grow) channels /= 2;
        t = dice_chance(&G->dice, 60)
                ? gen_up_conv(G, x, dice_chance(&G->dice, 70) ? skip[i]->dim[1] : channels)
                : gen_resize(G, x);
        if (t) t = meet(G, t, skip[i]);
        if (!t) continue;
        x = stage(G, t, channels, false);
        if (deep) gen_keep(v, gen_conv_to(G, x, dice_range(&G->dice, 1, 4), 1));
        if (dice_chance(&G->dice, 10)) gen_keep(v, t);
    }
    t = gen_conv_to(G, x, dice_range(&G->dice, 1, 5), 1);
    gen_keep(v, t ? t : x);
    if (dice_chance(&G->dice, 40)) gen_keep(v, gen_softmax(G, last(v)));
    if (dice_chance(&G->dice, 15)) gen_keep(v, gen_arg_max(G, last(v)));
}

/* ---- anything -------------------------------------------------------------------------------- */

/* Joins two values of which there are many: the same one twice, or what broadcasts. */
static ir_tensor *join_any(gen *G, const gen_values *v) {
    ir_tensor *a = one_of(G, v), *b = one_of(G, v);
    if (dice_chance(&G->dice, 40) && a->rank == b->rank && a->rank > 0) {
        int axis = dice_chance(&G->dice, 80) && a->rank > 1 ? 1 : dice_below(&G->dice, a->rank);
        return dice_chance(&G->dice, 30) ? gen_concat(G, axis, 3, (ir_tensor *[]){a, b, one_of(G, v)})
                                         : gen_concat(G, axis, 2, (ir_tensor *[]){a, b});
    }
    return gen_join(G, a, b);
}

void gen_soup(gen *G, ir_tensor *x, gen_values *v) {
    gen_keep(v, x);
    for (int i = dice_range(&G->dice, 3, 14); i > 0; i--) {
        ir_tensor *from = dice_chance(&G->dice, 50) ? last(v) : one_of(G, v);
        gen_keep(v, dice_chance(&G->dice, 30) ? join_any(G, v) : gen_any(G, from));
    }
}

/* Blocked convs by Winograd's algorithm and what happens to their values in registers: pools, crops, norms in
 * front of them and behind them, skips. */
void gen_blocked(gen *G, ir_tensor *x, gen_values *v) {
    static const int64_t channels[] = {16, 16, 16, 13, 21, 24, 32};
    ir_tensor *t = gen_conv_to(G, x, DICE_PICK(&G->dice, channels), 3), *u;
    if (!t) t = x;
    for (int i = dice_range(&G->dice, 1, 3); i > 0; i--) {
        if (dice_chance(&G->dice, 50) && (u = gen_norm(G, t)) && ir_same_shape(u, t)) t = u;
        if (dice_chance(&G->dice, 50) && (u = gen_act(G, t))) t = u;
        x = t;
        u = gen_conv_to(G, t, dice_chance(&G->dice, 60) ? t->dim[1] : DICE_PICK(&G->dice, channels),
                        dice_chance(&G->dice, 85) ? 3 : 1);
        if (u) t = u;
        if (dice_chance(&G->dice, 25)) t = (u = gen_binary(G, IR_OP_ADD, t, x)) ? u : t;
        if (dice_chance(&G->dice, 50) && (u = gen_unary(G, IR_OP_RELU, t))) t = u;
        if (dice_chance(&G->dice, 45)) gen_keep(v, gen_crop(G, t));
        if (dice_chance(&G->dice, 20)) gen_keep(v, t);
        if (dice_chance(&G->dice, 60) && (u = gen_half_pool(G, t))) {
            if (dice_chance(&G->dice, 25)) gen_keep(v, gen_conv_to(G, t, 3, 1)); /* pooled and kept */
            t = u;
        }
    }
    u = gen_conv_to(G, t, dice_range(&G->dice, 1, 4), 1);
    gen_keep(v, u ? u : t);
}

/* What streams: large values of few channels that are made smaller in the end. */
void gen_volume(gen *G, ir_tensor *x, gen_values *v) {
    ir_tensor *t, *skip = NULL;
    for (int i = dice_range(&G->dice, 1, 4); i > 0; i--) {
        switch (dice_below(&G->dice, 6)) {
        case 0:
            t = gen_act(G, x);
            break;
        case 1:
            t = gen_norm(G, x);
            break;
        case 2:
            t = gen_constant_arithmetic(G, x);
            break;
        default:
            t = gen_conv_to(G, x, dice_range(&G->dice, 1, G->wide ? 16 : 6),
                            dice_chance(&G->dice, 70) ? 3 : 1);
            break;
        }
        if (t && dice_chance(&G->dice, 30) && (skip = gen_crop(G, t))) gen_keep(v, skip);
        if (t && ir_same_shape(t, x) && dice_chance(&G->dice, 20)) t = gen_join(G, t, x);
        if (t) x = t;
    }
    t = gen_half_pool(G, x);
    if (t) x = t;
    if (dice_chance(&G->dice, 60) && (t = gen_conv_norm_act(G, x))) x = t;
    if (dice_chance(&G->dice, 40) && (t = gen_half_pool(G, x))) x = t;
    gen_keep(v, x);
}
