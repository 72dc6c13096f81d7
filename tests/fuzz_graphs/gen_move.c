/* gen_move.c: layers that move elements: slices, pads, reshapes, transposes, concats, gathers. */
#include "gen.h"

#include <string.h>

typedef struct box {
    int64_t begin[IR_MAX_RANK], size[IR_MAX_RANK], step[IR_MAX_RANK];
} box;

static box whole(const ir_tensor *x) {
    box b = {.begin = {0}};
    for (int a = 0; a < x->rank; a++) b.size[a] = x->dim[a], b.step[a] = 1;
    return b;
}

static ir_tensor *slice(gen *G, ir_tensor *x, const box *b) {
    ir_node *n = gen_begin(G, IR_OP_SLICE, 1, &x);
    ir_set_ints(G->g, n, IR_BEGIN, x->rank, b->begin);
    ir_set_ints(G->g, n, IR_SIZE, x->rank, b->size);
    ir_set_ints(G->g, n, IR_STEP, x->rank, b->step);
    return gen_end(G, n);
}

/* A part of axis a, sometimes with steps, sometimes backwards. */
static void cut(gen *G, box *b, int a) {
    fuzz_dice *d = &G->dice;
    int64_t extent = b->size[a];
    int64_t begin = dice_below(d, (int)extent), size = dice_range(d, 1, (int)(extent - begin));
    b->begin[a] = begin, b->size[a] = size;
    if (dice_chance(d, 20)) {
        b->step[a] = dice_range(d, 1, 3);
        b->size[a] = (size - 1) / b->step[a] + 1;
    } else if (dice_chance(d, 15)) {
        b->begin[a] = begin + size - 1;
        b->step[a] = -1;
    }
}

ir_tensor *gen_slice(gen *G, ir_tensor *x) {
    box b = whole(x);
    for (int a = 0; a < x->rank; a++)
        if (dice_chance(&G->dice, a == 1 ? 40 : 30)) cut(G, &b, a);
    return slice(G, x, &b);
}

/* Along the spatial axes only, one or two voxels from either side. */
ir_tensor *gen_crop(gen *G, ir_tensor *x) {
    box b = whole(x);
    for (int a = 2; a < x->rank; a++) {
        b.begin[a] = dice_below(&G->dice, 3);
        b.size[a] -= b.begin[a] + dice_below(&G->dice, 3);
        if (b.size[a] < 1) return NULL;
    }
    return slice(G, x, &b);
}

ir_tensor *gen_crop_to(gen *G, ir_tensor *x, const ir_tensor *y) {
    box b = whole(x);
    bool smaller = false;
    for (int a = 2; a < x->rank; a++) {
        if (y->dim[a] > x->dim[a]) return NULL;
        smaller |= y->dim[a] < x->dim[a];
        b.begin[a] = (x->dim[a] - y->dim[a]) / 2;
        b.size[a] = y->dim[a];
    }
    return smaller ? slice(G, x, &b) : x;
}

ir_tensor *gen_pad(gen *G, ir_tensor *x) {
    static const char *const modes[] = {"constant", "constant", "reflect", "edge", "wrap"};
    fuzz_dice *d = &G->dice;
    const char *mode = DICE_PICK(d, modes);
    int64_t pad[2 * IR_MAX_RANK] = {0};
    bool channels = dice_chance(d, 20), crops = dice_chance(d, 15), batch = dice_chance(d, 5);
    for (int i = 0; i < 2 * x->rank; i++)
        if (i % x->rank >= 2 || (channels && i % x->rank == 1) || (batch && i % x->rank == 0))
            pad[i] = dice_below(d, 3) - (crops ? 1 : 0);
    ir_node *n = gen_begin(G, IR_OP_PAD, 1, &x);
    ir_set_ints(G->g, n, IR_PAD, 2 * x->rank, pad);
    ir_set_word(G->g, n, IR_MODE, mode);
    if (strcmp(mode, "constant") == 0 && dice_chance(d, 40))
        ir_set_float(G->g, n, IR_VALUE, dice_range(d, -2, 2));
    return gen_end(G, n);
}

/* ---- other shapes ---------------------------------------------------------------------------- */

ir_tensor *gen_reshape_to(gen *G, ir_tensor *x, int rank, const int64_t *dim) {
    ir_node *n = gen_begin(G, IR_OP_RESHAPE, 1, &x);
    ir_set_ints(G->g, n, IR_SHAPE, rank, dim);
    return gen_end(G, n);
}

static ir_tensor *transpose(gen *G, ir_tensor *x, const int64_t *perm) {
    ir_node *n = gen_begin(G, IR_OP_TRANSPOSE, 1, &x);
    ir_set_ints(G->g, n, IR_PERM, x->rank, perm);
    return gen_end(G, n);
}

/* Channels in groups change places, as in ShuffleNet. */
static ir_tensor *shuffle(gen *G, ir_tensor *x) {
    int64_t groups = x->dim[1] % 3 == 0 ? 3 : 2, each = x->dim[1] / groups,
            voxels = ir_count(x) / x->dim[0] / x->dim[1];
    if (x->dim[1] % groups) return NULL;
    ir_tensor *t = gen_reshape_to(G, x, 4, (int64_t[]){x->dim[0], groups, each, voxels});
    if (t) t = transpose(G, t, (int64_t[]){0, 2, 1, 3});
    return t ? gen_reshape_to(G, t, x->rank, x->dim) : NULL;
}

ir_tensor *gen_reshape(gen *G, ir_tensor *x) {
    if (x->rank < 3) return NULL;
    if (dice_chance(&G->dice, 40)) return shuffle(G, x);
    int64_t voxels = ir_count(x) / x->dim[0] / x->dim[1];
    ir_tensor *t = gen_reshape_to(G, x, 3, (int64_t[]){x->dim[0], x->dim[1], voxels}), *u;
    if (t && dice_chance(&G->dice, 40) && (u = gen_map(G, t)) && ir_same_shape(u, t)) t = u;
    if (!t || dice_chance(&G->dice, 20)) return t;
    int64_t dim[IR_MAX_RANK];
    memcpy(dim, x->dim, sizeof dim);
    if (dice_chance(&G->dice, 40)) { /* the spatial axes change their extents */
        dim[2] = x->dim[x->rank - 1];
        dim[x->rank - 1] = x->dim[2];
    }
    return gen_reshape_to(G, t, x->rank, dim);
}

ir_tensor *gen_transpose(gen *G, ir_tensor *x) {
    int64_t perm[IR_MAX_RANK];
    bool batch = dice_chance(&G->dice, 10);
    for (int a = 0; a < x->rank; a++) perm[a] = a;
    for (int a = x->rank - 1; a > (batch ? 0 : 1); a--) {
        int b = dice_range(&G->dice, batch ? 0 : 1, a);
        int64_t p = perm[a];
        perm[a] = perm[b], perm[b] = p;
    }
    return transpose(G, x, perm);
}

/* What has extent 1 becomes more; or one more axis of images in front. */
ir_tensor *gen_expand(gen *G, ir_tensor *x) {
    int64_t dim[IR_MAX_RANK];
    memcpy(dim, x->dim, sizeof dim);
    bool any = false;
    for (int a = 0; a < x->rank; a++)
        if (dim[a] == 1 && dice_chance(&G->dice, 60)) dim[a] = dice_range(&G->dice, 1, 4), any = true;
    if (!any) return NULL;
    ir_node *n = gen_begin(G, IR_OP_EXPAND, 1, &x);
    ir_set_ints(G->g, n, IR_SHAPE, x->rank, dim);
    return gen_end(G, n);
}

ir_tensor *gen_gather(gen *G, ir_tensor *x) {
    int64_t index[8];
    if (x->rank < 2) return NULL;
    int axis = dice_chance(&G->dice, 50) ? 1 : dice_below(&G->dice, x->rank),
        count = dice_range(&G->dice, 1, 8);
    bool backwards = dice_chance(&G->dice, 20);
    for (int i = 0; i < count; i++)
        index[i] = dice_below(&G->dice, (int)x->dim[axis]) - (backwards ? x->dim[axis] : 0);
    ir_node *n = gen_begin(G, IR_OP_GATHER, 2, (ir_tensor *[]){x, gen_indices(G, count, index)});
    ir_set_int(G->g, n, IR_AXIS, axis);
    return gen_end(G, n);
}

/* ---- concats --------------------------------------------------------------------------------- */

ir_tensor *gen_concat(gen *G, int axis, int count, ir_tensor *const *in) {
    for (int i = 0; i < count; i++)
        if (!in[i] || in[i]->dtype != in[0]->dtype) return NULL;
    ir_node *n = gen_begin(G, IR_OP_CONCAT, count, in);
    ir_set_int(G->g, n, IR_AXIS, axis);
    return gen_end(G, n);
}

/* Cut in two along an axis, something happens to the parts, and side by side again. */
ir_tensor *gen_split_concat(gen *G, ir_tensor *x) {
    int axis = dice_chance(&G->dice, 70) ? 1 : dice_below(&G->dice, x->rank);
    int64_t extent = x->dim[axis];
    if (extent < 2) return NULL;
    ir_tensor *part[3] = {0}, *u;
    int64_t middle = dice_range(&G->dice, 1, (int)extent - 1);
    for (int i = 0; i < 2; i++) {
        box b = whole(x);
        b.begin[axis] = i ? middle : 0;
        b.size[axis] = i ? extent - middle : middle;
        part[i] = slice(G, x, &b);
        if (part[i] && dice_chance(&G->dice, 60) && (u = gen_act(G, part[i])) && ir_same_shape(u, part[i]))
            part[i] = u;
    }
    part[2] = part[0]; /* the other way round, or with one of them twice */
    if (dice_chance(&G->dice, 30)) return gen_concat(G, axis, 2, part + 1);
    return gen_concat(G, axis, dice_chance(&G->dice, 20) ? 3 : 2, part);
}

/* A concat that holds a value twice. */
ir_tensor *gen_concat_twice(gen *G, ir_tensor *x) {
    ir_tensor *other = dice_chance(&G->dice, 50) ? gen_act(G, x) : NULL;
    int axis = dice_chance(&G->dice, 85) ? 1 : dice_below(&G->dice, x->rank);
    if (!other) return gen_concat(G, axis, 2, (ir_tensor *[]){x, x});
    return gen_concat(G, axis, 3, (ir_tensor *[]){x, other, x});
}
