/* gen_space.c: pools and resizes. */
#include "gen.h"

#include <string.h>

static bool fits(const ir_tensor *x) {
    return x && x->rank >= 3 && x->rank <= 5 && x->dtype == IR_F32;
}

static void set_window(gen *G, ir_node *n, int space, const int64_t *kernel, const int64_t *stride,
                       const int64_t *dilation, const int64_t *pad, bool ceil) {
    ir_set_ints(G->g, n, IR_KERNEL, space, kernel);
    ir_set_ints(G->g, n, IR_STRIDE, space, stride);
    ir_set_ints(G->g, n, IR_DILATION, space, dilation);
    ir_set_ints(G->g, n, IR_PAD, 2 * space, pad);
    ir_set_int(G->g, n, IR_CEIL, ceil);
    if (n->op == IR_OP_AVERAGE_POOL) ir_set_int(G->g, n, IR_INCLUDE_PAD, dice_below(&G->dice, 2));
}

ir_tensor *gen_half_pool(gen *G, ir_tensor *x) {
    static const int64_t two[3] = {2, 2, 2}, one[3] = {1, 1, 1}, none[6] = {0};
    if (!fits(x)) return NULL;
    ir_op op = dice_chance(&G->dice, 85) ? IR_OP_MAX_POOL : IR_OP_AVERAGE_POOL;
    ir_node *n = gen_begin(G, op, 1, &x);
    set_window(G, n, x->rank - 2, two, two, one, none, dice_chance(&G->dice, 10));
    return gen_end(G, n);
}

ir_tensor *gen_pool(gen *G, ir_tensor *x) {
    fuzz_dice *d = &G->dice;
    if (!fits(x)) return NULL;
    if (dice_chance(d, 40)) return gen_half_pool(G, x);
    int64_t kernel[3], stride[3], dilation[3], pad[6];
    int space = x->rank - 2;
    bool dilated = dice_chance(d, 15);
    for (int a = 0; a < space; a++) {
        kernel[a] = dice_range(d, 1, 4);
        stride[a] = dice_range(d, 1, 3);
        dilation[a] = dilated ? dice_range(d, 1, 2) : 1;
        int reach = (int)((kernel[a] - 1) * dilation[a]);
        pad[a] = dice_below(d, reach / 2 + 1);
        pad[a + space] = dice_below(d, reach / 2 + 1);
    }
    ir_node *n = gen_begin(G, dice_chance(d, 50) ? IR_OP_MAX_POOL : IR_OP_AVERAGE_POOL, 1, &x);
    set_window(G, n, space, kernel, stride, dilation, pad, dice_chance(d, 30));
    return gen_end(G, n);
}

/* The mean of each channel, as a pool or as a reduction. */
ir_tensor *gen_global_pool(gen *G, ir_tensor *x) {
    static const int64_t one[3] = {1, 1, 1}, none[6] = {0}, axes[] = {2, 3, 4};
    if (!fits(x)) return NULL;
    int space = x->rank - 2;
    bool largest = dice_chance(&G->dice, 25), pool = dice_chance(&G->dice, 50);
    ir_node *n;
    if (pool) {
        n = gen_begin(G, largest ? IR_OP_MAX_POOL : IR_OP_AVERAGE_POOL, 1, &x);
        set_window(G, n, space, x->dim + 2, one, one, none, false);
        return gen_end(G, n);
    }
    n = gen_begin(G, largest ? IR_OP_REDUCE_MAX : IR_OP_REDUCE_MEAN, 1, &x);
    ir_set_ints(G->g, n, IR_AXES, space, axes);
    ir_set_int(G->g, n, IR_KEEPDIMS, 1);
    return gen_end(G, n);
}

static ir_tensor *resize(gen *G, ir_tensor *x, const int64_t *size) {
    static const char *const coordinates[] = {"half_pixel",    "pytorch_half_pixel", "half_pixel_symmetric",
                                              "align_corners", "asymmetric",         "tf_half_pixel_for_nn",
                                              "half_pixel",    "half_pixel"};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    double scale[IR_MAX_RANK];
    bool linear = dice_chance(&G->dice, 50);
    for (int a = 0; a < x->rank; a++) scale[a] = (double)size[a] / (double)x->dim[a];
    ir_node *n = gen_begin(G, IR_OP_RESIZE, 1, &x);
    const char *how = DICE_PICK(&G->dice, coordinates);
    ir_set_ints(G->g, n, IR_SIZE, x->rank, size);
    ir_set_floats(G->g, n, IR_SCALE, x->rank, scale);
    ir_set_word(G->g, n, IR_MODE, linear ? "linear" : "nearest");
    ir_set_word(G->g, n, IR_COORDINATES, how);
    ir_set_word(G->g, n, IR_NEAREST, DICE_PICK(&G->dice, nearest));
    return gen_end(G, n);
}

ir_tensor *gen_resize_to(gen *G, ir_tensor *x, const int64_t *space) {
    int64_t size[IR_MAX_RANK];
    if (!fits(x)) return NULL;
    for (int a = 0; a < x->rank; a++) size[a] = a < 2 ? x->dim[a] : space[a - 2];
    return resize(G, x, size);
}

ir_tensor *gen_resize(gen *G, ir_tensor *x) {
    int64_t space[3];
    if (!fits(x)) return NULL;
    bool twice = dice_chance(&G->dice, 60);
    for (int a = 2; a < x->rank; a++)
        space[a - 2] = twice ? 2 * x->dim[a] : dice_range(&G->dice, 1, (int)(2 * x->dim[a]));
    return gen_resize_to(G, x, space);
}
