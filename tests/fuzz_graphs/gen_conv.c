/* gen_conv.c: convolutions of every form and the norms behind them. */
#include "gen.h"

#include <math.h>

typedef struct window {
    int64_t kernel[3], stride[3], dilation[3], pad[6];
} window;

static window dense(int space, int64_t kernel) {
    window w = {.kernel = {0}};
    for (int a = 0; a < space; a++) {
        w.kernel[a] = kernel;
        w.stride[a] = w.dilation[a] = 1;
        w.pad[a] = w.pad[a + space] = kernel / 2;
    }
    return w;
}

/* Half of all convs are 3x3x3 that keep the extents; the others have anything. */
static window random_window(gen *G, int space) {
    static const int64_t kernels[] = {1, 1, 2, 3, 3, 3, 4, 5};
    fuzz_dice *d = &G->dice;
    window w = dense(space, 3);
    if (dice_chance(d, 45)) return w;
    bool same = dice_chance(d, 60), cubic = dice_chance(d, 60), strided = dice_chance(d, 30),
         dilated = dice_chance(d, 25);
    for (int a = 0; a < space; a++) {
        bool copy = a > 0 && cubic;
        w.kernel[a] = copy ? w.kernel[0] : DICE_PICK(d, kernels);
        w.dilation[a] = copy ? w.dilation[0] : dilated ? dice_range(d, 1, 3) : 1;
        w.stride[a] = copy ? w.stride[0] : strided ? dice_range(d, 1, 3) : 1;
        int64_t reach = (w.kernel[a] - 1) * w.dilation[a];
        w.pad[a] = same ? reach / 2 : dice_below(d, (int)(reach / 2) + 2);
        w.pad[a + space] = same ? reach - reach / 2 : dice_below(d, (int)(reach / 2) + 2);
    }
    return w;
}

static ir_tensor *finish(gen *G, ir_node *n, const window *w, int space, int64_t group) {
    ir_set_ints(G->g, n, IR_KERNEL, space, w->kernel);
    ir_set_ints(G->g, n, IR_STRIDE, space, w->stride);
    ir_set_ints(G->g, n, IR_DILATION, space, w->dilation);
    ir_set_ints(G->g, n, IR_PAD, 2 * space, w->pad);
    ir_set_int(G->g, n, IR_GROUP, group);
    return gen_end(G, n);
}

static bool fits(const gen *G, const ir_tensor *x) {
    return x && x->rank == G->space + 2 && x->dtype == IR_F32;
}

/* w's shape behind its first two axes is the kernel's. */
static ir_tensor *weights(gen *G, int64_t first, int64_t second, const window *w, double terms) {
    int64_t dim[5] = {first, second};
    for (int a = 0; a < G->space; a++) {
        dim[2 + a] = w->kernel[a];
        terms *= (double)w->kernel[a];
    }
    return gen_random(G, G->space + 2, dim, sqrt(3 / terms));
}

static ir_tensor *conv(gen *G, ir_tensor *x, int64_t channels, const window *w, int64_t group) {
    if (!fits(G, x) || x->dim[1] % group || channels % group) return NULL;
    ir_tensor *in[3] = {x, weights(G, channels, x->dim[1] / group, w, (double)(x->dim[1] / group))};
    bool bias = dice_chance(&G->dice, 70);
    if (bias) in[2] = gen_vector(G, channels, 0.5);
    return finish(G, gen_begin(G, IR_OP_CONV, bias ? 3 : 2, in), w, G->space, group);
}

ir_tensor *gen_conv_to(gen *G, ir_tensor *x, int64_t channels, int kernel) {
    window w = dense(G->space, kernel);
    return conv(G, x, channels, &w, 1);
}

ir_tensor *gen_same_conv(gen *G, ir_tensor *x) {
    return gen_conv_to(G, x, dice_chance(&G->dice, 40) ? x->dim[1] : gen_channels(G),
                       dice_chance(&G->dice, 75) ? 3 : 1);
}

/* The groups of a conv of x: one, as many as channels, or a divisor. */
static int64_t random_group(gen *G, const ir_tensor *x) {
    int64_t c = x->dim[1], wanted = dice_range(&G->dice, 2, 4);
    if (dice_chance(&G->dice, 75)) return 1;
    return dice_chance(&G->dice, 60) ? c : c % wanted == 0 ? wanted : 1;
}

ir_tensor *gen_conv(gen *G, ir_tensor *x) {
    if (!fits(G, x)) return NULL;
    window w = random_window(G, G->space);
    int64_t group = random_group(G, x), channels = gen_channels(G);
    if (group > 1) channels = group * dice_range(&G->dice, 1, x->dim[1] / group >= 16 ? 16 : 2);
    if (group > 1 && x->dim[1] / group % 16 == 0) channels = group * 16;
    return conv(G, x, channels, &w, group);
}

/* Depthwise, then pointwise. */
ir_tensor *gen_separable(gen *G, ir_tensor *x) {
    if (!fits(G, x)) return NULL;
    window w = random_window(G, G->space);
    ir_tensor *t = conv(G, x, x->dim[1], &w, x->dim[1]);
    return t ? gen_conv_to(G, t, gen_channels(G), 1) : NULL;
}

static ir_tensor *transposed(gen *G, ir_tensor *x, int64_t channels, const window *w, int64_t group,
                             const int64_t *more) {
    if (!fits(G, x) || x->dim[1] % group) return NULL;
    double terms = (double)(x->dim[1] / group);
    for (int a = 0; a < G->space; a++) terms /= (double)w->stride[a];
    ir_tensor *in[3] = {x, weights(G, x->dim[1], channels, w, terms)};
    bool bias = dice_chance(&G->dice, 60);
    if (bias) in[2] = gen_vector(G, channels * group, 0.5);
    ir_node *n = gen_begin(G, IR_OP_CONV_TRANSPOSE, bias ? 3 : 2, in);
    ir_set_ints(G->g, n, IR_OUTPUT_PAD, G->space, more);
    return finish(G, n, w, G->space, group);
}

ir_tensor *gen_up_conv(gen *G, ir_tensor *x, int64_t channels) {
    static const int64_t none[3] = {0};
    window w = {.kernel = {0}};
    for (int a = 0; a < G->space; a++) w.kernel[a] = w.stride[a] = 2, w.dilation[a] = 1;
    return transposed(G, x, channels, &w, 1, none);
}

ir_tensor *gen_conv_transpose(gen *G, ir_tensor *x) {
    fuzz_dice *d = &G->dice;
    if (!fits(G, x)) return NULL;
    if (dice_chance(d, 25)) return gen_up_conv(G, x, gen_channels(G));
    window w = random_window(G, G->space);
    int64_t more[3] = {0}, group = random_group(G, x);
    for (int a = 0; a < G->space; a++) {
        if (dice_chance(d, 50)) w.stride[a] = 2;
        if (dice_chance(d, 30) && w.stride[a] > 1) more[a] = 1;
    }
    return transposed(G, x, group > 1 ? dice_range(d, 1, 2) : gen_channels(G), &w, group, more);
}

/* ---- norms ----------------------------------------------------------------------------------- */

static ir_tensor *batch_norm(gen *G, ir_tensor *x) {
    int64_t c = x->dim[1];
    ir_tensor *in[5] = {x, gen_vector(G, c, 1.5), gen_vector(G, c, 0.5), gen_vector(G, c, 0.5),
                        gen_splat(G, 1, &c, 0.5 + 0.25 * dice_below(&G->dice, 5))};
    ir_node *n = gen_begin(G, IR_OP_BATCH_NORM, 5, in);
    ir_set_float(G->g, n, IR_EPS, 1e-3);
    return gen_end(G, n);
}

/* group 0: every channel by itself. */
static ir_tensor *instance_norm(gen *G, ir_tensor *x, int64_t group) {
    ir_tensor *in[3] = {x, gen_vector(G, x->dim[1], 1.5), gen_vector(G, x->dim[1], 0.5)};
    ir_node *n = gen_begin(G, IR_OP_INSTANCE_NORM, 3, in);
    ir_set_float(G->g, n, IR_EPS, 1e-2);
    if (group) ir_set_int(G->g, n, IR_GROUP, group);
    return gen_end(G, n);
}

static int64_t divisor(gen *G, int64_t n) {
    int64_t d = dice_range(&G->dice, 1, (int)(n < 8 ? n : 8));
    while (n % d) d--;
    return d;
}

/* As PyTorch exports a group norm: an instance norm between two reshapes, then scale and shift. */
static ir_tensor *reshaped_group_norm(gen *G, ir_tensor *x) {
    int64_t groups = divisor(G, x->dim[1]), each = ir_count(x) / x->dim[0] / groups;
    ir_tensor *t = gen_reshape_to(G, x, 3, (int64_t[]){x->dim[0], groups, each});
    if (t) t = instance_norm(G, t, 0);
    if (t) t = gen_reshape_to(G, t, x->rank, x->dim);
    int64_t dim[IR_MAX_RANK] = {x->dim[1], 1, 1, 1, 1, 1, 1, 1};
    if (t) t = gen_binary(G, IR_OP_MUL, t, gen_random(G, x->rank - 1, dim, 1.5));
    return t ? gen_binary(G, IR_OP_ADD, t, gen_random(G, x->rank - 1, dim, 0.5)) : NULL;
}

ir_tensor *gen_norm(gen *G, ir_tensor *x) {
    if (x->rank < 3 || x->rank > 5 || x->dtype != IR_F32) return NULL;
    switch (dice_below(&G->dice, 7)) {
    case 0:
    case 1:
        return batch_norm(G, x);
    case 2:
    case 3:
    case 4:
        return instance_norm(G, x, 0);
    case 5:
        return instance_norm(G, x, divisor(G, x->dim[1]));
    default:
        return dice_chance(&G->dice, 60) ? reshaped_group_norm(G, x) : gen_layer_norm(G, x);
    }
}

ir_tensor *gen_conv_norm_act(gen *G, ir_tensor *x) {
    ir_tensor *t = dice_chance(&G->dice, 70) ? gen_same_conv(G, x) : gen_conv(G, x), *u;
    if (t && dice_chance(&G->dice, 60) && (u = gen_norm(G, t))) t = u;
    if (t && dice_chance(&G->dice, 70) && (u = gen_act(G, t))) t = u;
    return t;
}
