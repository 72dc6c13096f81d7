/* gen_math.c: element by element, over axes, and what attention is made of. Values stay of ordinary size, so
 * that a result can be compared: no logarithm of what is near 0, no quotient by it.
 */
#include "gen.h"

#include <string.h>

static ir_tensor *with_numbers(gen *G, ir_op op, ir_tensor *x, double alpha, double beta) {
    ir_node *n = gen_begin(G, op, 1, &x);
    if (ir_op_get(op)->required >> IR_ALPHA & 1) ir_set_float(G->g, n, IR_ALPHA, alpha);
    if (ir_op_get(op)->required >> IR_BETA & 1) ir_set_float(G->g, n, IR_BETA, beta);
    return gen_end(G, n);
}

static ir_tensor *prelu(gen *G, ir_tensor *x) {
    int64_t dim[IR_MAX_RANK] = {x->rank > 1 ? x->dim[1] : 1, 1, 1, 1, 1, 1, 1, 1};
    if (dice_chance(&G->dice, 30)) dim[0] = 1;
    return gen_binary(G, IR_OP_PRELU, x, gen_random(G, x->rank > 1 ? x->rank - 1 : 1, dim, 0.4));
}

ir_tensor *gen_act(gen *G, ir_tensor *x) {
    static const ir_op acts[] = {IR_OP_RELU,    IR_OP_RELU, IR_OP_RELU, IR_OP_LEAKY_RELU, IR_OP_LEAKY_RELU,
                                 IR_OP_SIGMOID, IR_OP_TANH, IR_OP_ELU,  IR_OP_CLIP,       IR_OP_PRELU};
    ir_op op = DICE_PICK(&G->dice, acts);
    if (x->dtype != IR_F32) return NULL;
    return op == IR_OP_PRELU ? prelu(G, x) : with_numbers(G, op, x, op == IR_OP_CLIP ? -0.5 : 0.1, 1.5);
}

/* |x| + 0.5 */
static ir_tensor *positive(gen *G, ir_tensor *x) {
    ir_tensor *t = gen_unary(G, IR_OP_ABS, x);
    return t ? gen_binary(G, IR_OP_ADD, t, gen_splat(G, 0, NULL, 0.5)) : NULL;
}

/* x * sigmoid(x) */
static ir_tensor *swish(gen *G, ir_tensor *x) {
    ir_tensor *t = gen_unary(G, IR_OP_SIGMOID, x);
    return t ? gen_binary(G, IR_OP_MUL, x, t) : NULL;
}

ir_tensor *gen_map(gen *G, ir_tensor *x) {
    static const ir_op plain[] = {IR_OP_NEG,   IR_OP_ABS,  IR_OP_NEG,   IR_OP_ABS,
                                  IR_OP_FLOOR, IR_OP_CEIL, IR_OP_ROUND, IR_OP_TANH};
    ir_tensor *t;
    if (x->dtype != IR_F32) return NULL;
    switch (dice_below(&G->dice, 8)) {
    case 0:
        t = gen_unary(G, IR_OP_ABS, x);
        return t ? gen_unary(G, IR_OP_SQRT, t) : NULL;
    case 1:
        t = positive(G, x);
        return t ? gen_unary(G, IR_OP_LOG, t) : NULL;
    case 2:
        t = with_numbers(G, IR_OP_CLIP, x, -3, 2);
        return t ? gen_unary(G, IR_OP_EXP, t) : NULL;
    case 3:
        return swish(G, x);
    case 4:
        return gen_unary(G, DICE_PICK(&G->dice, plain), x);
    default:
        return gen_act(G, x);
    }
}

/* ---- two operands ---------------------------------------------------------------------------- */

ir_tensor *gen_join(gen *G, ir_tensor *a, ir_tensor *b) {
    static const ir_op ops[] = {IR_OP_ADD, IR_OP_ADD, IR_OP_ADD, IR_OP_SUB, IR_OP_MUL, IR_OP_MIN, IR_OP_MAX};
    if (!a || !b || a->dtype != IR_F32 || b->dtype != IR_F32) return NULL;
    if (dice_chance(&G->dice, 5)) return (b = positive(G, b)) ? gen_binary(G, IR_OP_DIV, a, b) : NULL;
    return gen_binary(G, DICE_PICK(&G->dice, ops), a, b);
}

/* Numbers that broadcast to x along some axes. */
static ir_tensor *broadcasting(gen *G, const ir_tensor *x, double scale) {
    int64_t dim[IR_MAX_RANK];
    int kind = dice_below(&G->dice, 6), rank = x->rank;
    for (int a = 0; a < rank; a++)
        dim[a] = kind == 2 || (kind == 3 && dice_chance(&G->dice, 50)) ? x->dim[a] : 1;
    if (kind < 2) rank = kind;
    if (kind > 3 && rank > 1) dim[1] = x->dim[1]; /* per channel */
    if (kind == 5 && rank > 1) memmove(dim, dim + 1, (size_t)--rank * sizeof *dim);
    return gen_random(G, rank, dim, scale);
}

ir_tensor *gen_constant_arithmetic(gen *G, ir_tensor *x) {
    static const ir_op ops[] = {IR_OP_ADD, IR_OP_MUL, IR_OP_SUB, IR_OP_MUL, IR_OP_MIN, IR_OP_MAX};
    if (x->dtype != IR_F32) return NULL;
    if (dice_chance(&G->dice, 8)) {
        ir_tensor *t = positive(G, x);
        return t ? gen_binary(G, IR_OP_POW, t, gen_splat(G, 0, NULL, 0.5 * dice_range(&G->dice, -1, 4)))
                 : NULL;
    }
    if (dice_chance(&G->dice, 10))
        return gen_binary(G, IR_OP_DIV, x, gen_splat(G, 0, NULL, dice_range(&G->dice, 2, 5)));
    ir_tensor *c = broadcasting(G, x, 1.5);
    ir_op op = DICE_PICK(&G->dice, ops);
    return dice_chance(&G->dice, 25) ? gen_binary(G, op, c, x) : gen_binary(G, op, x, c);
}

/* What folds away: arithmetic on constants, shapes and ranges. */
ir_tensor *gen_folded(gen *G, ir_tensor *x) {
    if (x->dtype != IR_F32) return NULL;
    int64_t one = 1;
    ir_tensor *t = gen_unary(G, IR_OP_SHAPE_OF, x);
    if (dice_chance(&G->dice, 50) || !t) {
        t = gen_binary(G, IR_OP_MUL, gen_random(G, 1, &one, 1.5), gen_splat(G, 1, &one, 0.75));
        return t ? gen_binary(G, IR_OP_ADD, x, t) : NULL;
    }
    ir_node *n = gen_begin(G, IR_OP_CAST, 1, &t);
    ir_set_word(G->g, n, IR_TO, "f32");
    if (!(t = gen_end(G, n))) return NULL;
    n = gen_begin(G, IR_OP_REDUCE_MAX, 1, &t);
    ir_set_ints(G->g, n, IR_AXES, 1, (int64_t[]){0});
    ir_set_int(G->g, n, IR_KEEPDIMS, 1);
    t = gen_end(G, n);
    return t ? gen_binary(G, IR_OP_DIV, x, t) : NULL;
}

/* ---- over axes ------------------------------------------------------------------------------- */

ir_tensor *gen_softmax(gen *G, ir_tensor *x) {
    if (x->dtype != IR_F32) return NULL;
    ir_node *n = gen_begin(G, dice_chance(&G->dice, 75) ? IR_OP_SOFTMAX : IR_OP_LOG_SOFTMAX, 1, &x);
    bool channels = x->rank > 1 && dice_chance(&G->dice, 70);
    ir_set_int(G->g, n, IR_AXIS, channels ? 1 : dice_below(&G->dice, x->rank));
    return gen_end(G, n);
}

ir_tensor *gen_arg_max(gen *G, ir_tensor *x) {
    ir_node *n = gen_begin(G, IR_OP_ARG_MAX, 1, &x);
    ir_set_int(G->g, n, IR_AXIS,
               x->rank > 1 && dice_chance(&G->dice, 70) ? 1 : dice_below(&G->dice, x->rank));
    ir_set_int(G->g, n, IR_KEEPDIMS, dice_below(&G->dice, 2));
    ir_set_int(G->g, n, IR_SELECT_LAST, dice_below(&G->dice, 2));
    return gen_end(G, n);
}

static ir_tensor *reduce(gen *G, ir_tensor *x, ir_op op, unsigned mask, bool keep) {
    int64_t axes[IR_MAX_RANK];
    int count = 0;
    for (int a = 0; a < x->rank; a++)
        if (mask >> a & 1) axes[count++] = a;
    ir_node *n = gen_begin(G, op, 1, &x);
    ir_set_ints(G->g, n, IR_AXES, count, axes);
    ir_set_int(G->g, n, IR_KEEPDIMS, keep);
    return gen_end(G, n);
}

/* Over neighbouring axes mostly; the result sometimes meets x again. */
ir_tensor *gen_reduce(gen *G, ir_tensor *x) {
    static const ir_op ops[] = {IR_OP_REDUCE_MEAN, IR_OP_REDUCE_MEAN, IR_OP_REDUCE_MAX,
                                IR_OP_REDUCE_MIN,  IR_OP_REDUCE_SUM,  IR_OP_REDUCE_PROD};
    if (x->dtype != IR_F32) return NULL;
    ir_op op = DICE_PICK(&G->dice, ops);
    int first = dice_below(&G->dice, x->rank), last = dice_range(&G->dice, first, x->rank - 1);
    unsigned mask = (2u << last) - (1u << first);
    if (dice_chance(&G->dice, 10)) mask = (unsigned)dice_range(&G->dice, 0, (1 << x->rank) - 1);
    if (op == IR_OP_REDUCE_PROD) { /* of numbers near 1, few of them */
        mask = 1u << (x->rank > 1);
        x = gen_unary(G, IR_OP_TANH, x);
        if (!x) return NULL;
    }
    bool keep = dice_chance(&G->dice, 70);
    ir_tensor *t = reduce(G, x, op, mask, keep);
    if (!t || !keep || dice_chance(&G->dice, 40)) return t;
    if (op == IR_OP_REDUCE_SUM) t = gen_unary(G, IR_OP_TANH, t);
    return gen_join(G, x, t);
}

/* Over all but the images, step by step, with a scale of every element. */
ir_tensor *gen_layer_norm(gen *G, ir_tensor *x) {
    unsigned mask = (1u << x->rank) - 2;
    if (dice_chance(&G->dice, 50)) mask = 2; /* over channels, as ConvNeXt does */
    ir_tensor *mean = reduce(G, x, IR_OP_REDUCE_MEAN, mask, true), *t, *u;
    if (!mean || !(t = gen_binary(G, IR_OP_SUB, x, mean))) return NULL;
    if (!(u = gen_binary(G, IR_OP_MUL, t, t)) || !(u = reduce(G, u, IR_OP_REDUCE_MEAN, mask, true)))
        return NULL;
    if (!(u = gen_binary(G, IR_OP_ADD, u, gen_splat(G, 0, NULL, 0.1)))) return NULL;
    if (!(u = gen_unary(G, IR_OP_SQRT, u)) || !(t = gen_binary(G, IR_OP_DIV, t, u))) return NULL;
    return gen_binary(G, IR_OP_MUL, t, broadcasting(G, x, 1.5));
}

/* ---- attention ------------------------------------------------------------------------------- */

ir_tensor *gen_squeeze_excite(gen *G, ir_tensor *x) {
    if (x->rank != G->space + 2) return NULL;
    ir_tensor *t = gen_global_pool(G, x);
    int64_t few = (x->dim[1] + 3) / 4;
    if (t) t = gen_conv_to(G, t, few, 1);
    if (t) t = gen_unary(G, IR_OP_RELU, t);
    if (t) t = gen_conv_to(G, t, x->dim[1], 1);
    if (t) t = gen_unary(G, IR_OP_SIGMOID, t);
    return t ? gen_binary(G, IR_OP_MUL, x, t) : NULL;
}

/* x times a map of one channel. */
ir_tensor *gen_gate(gen *G, ir_tensor *x) {
    if (x->rank != G->space + 2) return NULL;
    ir_tensor *t;
    if (dice_chance(&G->dice, 40)) {
        ir_tensor *mean = reduce(G, x, IR_OP_REDUCE_MEAN, 2, true);
        ir_tensor *most = reduce(G, x, IR_OP_REDUCE_MAX, 2, true);
        t = gen_concat(G, 1, 2, (ir_tensor *[]){mean, most});
        if (t) t = gen_conv_to(G, t, 1, 3);
    } else {
        t = gen_conv_to(G, x, gen_channels(G), 1);
        if (t) t = gen_unary(G, IR_OP_RELU, t);
        if (t) t = gen_conv_to(G, t, 1, 1);
    }
    if (t) t = gen_unary(G, IR_OP_SIGMOID, t);
    return t ? gen_binary(G, IR_OP_MUL, x, t) : NULL;
}

static ir_tensor *cast(gen *G, ir_tensor *x, const char *to) {
    ir_node *n = gen_begin(G, IR_OP_CAST, 1, &x);
    ir_set_word(G->g, n, IR_TO, to);
    return gen_end(G, n);
}

/* x where it compares so with a number, else 0. */
ir_tensor *gen_mask(gen *G, ir_tensor *x) {
    static const ir_op ops[] = {IR_OP_GREATER, IR_OP_LESS, IR_OP_GREATER_EQUAL, IR_OP_LESS_EQUAL,
                                IR_OP_EQUAL};
    if (x->dtype != IR_F32) return NULL;
    ir_tensor *t = gen_binary(G, DICE_PICK(&G->dice, ops), x, gen_splat(G, 0, NULL, 0.3));
    if (t && dice_chance(&G->dice, 15)) return t;
    if (t) t = cast(G, t, "f32");
    return t ? gen_binary(G, IR_OP_MUL, x, t) : NULL;
}

ir_tensor *gen_cast(gen *G, ir_tensor *x) {
    static const char *const types[] = {"i64", "i32", "u8", "f32"};
    ir_tensor *t = cast(G, x, DICE_PICK(&G->dice, types));
    return t && dice_chance(&G->dice, 60) ? cast(G, t, "f32") : t;
}
