/* gen.h: what the files of the generator share: a graph under construction, and layers for it.
 *
 * Every function that makes a layer returns its value, or NULL where the layer does not fit its operand or
 * the graph's budget; then the graph is as it was, but for constants that nobody reads.
 */
#ifndef VOXC_FUZZ_GEN_H
#define VOXC_FUZZ_GEN_H

#include "fuzz_graphs.h"

typedef struct gen {
    ir_graph *g;
    fuzz_specs specs;
    fuzz_dice dice;
    int space;              /* spatial axes of what flows through convs */
    int64_t macs, elements; /* still to spend */
    int64_t largest;        /* elements of a value, at most */
    bool wide;              /* convs prefer channels that are blocked */
    int names;
} gen;

/* ---- core (gen.c) ---------------------------------------------------------------------------- */

ir_node *gen_begin(gen *G, ir_op op, int n_in, ir_tensor *const *in);
ir_tensor *gen_end(gen *G, ir_node *n);
ir_tensor *gen_simple(gen *G, ir_op op, int n_in, ir_tensor *const *in); /* an op without attributes */
static inline ir_tensor *gen_unary(gen *G, ir_op op, ir_tensor *x) {
    return gen_simple(G, op, 1, &x);
}
ir_tensor *gen_binary(gen *G, ir_op op, ir_tensor *a, ir_tensor *b);
ir_tensor *gen_input(gen *G, ir_dtype type, int rank, const int64_t *dim);

/* Constants: seeded numbers in [-scale, scale), or one number, of any shape; whole numbers. */
ir_tensor *gen_random(gen *G, int rank, const int64_t *dim, double scale);
ir_tensor *gen_splat(gen *G, int rank, const int64_t *dim, double value);
ir_tensor *gen_vector(gen *G, int64_t count, double scale); /* gen_random of one axis */
ir_tensor *gen_indices(gen *G, int count, const int64_t *v);

int64_t gen_channels(gen *G); /* a random number of channels for a conv */

/* ---- layers: a random one of its kind, of x -------------------------------------------------- */

typedef ir_tensor *gen_layer(gen *G, ir_tensor *x);

/* gen_conv.c */
gen_layer gen_conv, gen_same_conv, gen_separable, gen_conv_transpose, gen_norm, gen_conv_norm_act;
/* A conv to that many channels which keeps the extents; kernel 1, 3, ... along every axis. */
ir_tensor *gen_conv_to(gen *G, ir_tensor *x, int64_t channels, int kernel);
/* Twice the extents, by a transposed conv. */
ir_tensor *gen_up_conv(gen *G, ir_tensor *x, int64_t channels);

/* gen_space.c */
gen_layer gen_pool, gen_half_pool, gen_resize, gen_global_pool;
ir_tensor *gen_resize_to(gen *G, ir_tensor *x, const int64_t *space);

/* gen_move.c */
gen_layer gen_slice, gen_crop, gen_pad, gen_reshape, gen_transpose, gen_expand, gen_gather, gen_split_concat,
    gen_concat_twice;
/* The middle of x with the extents of y. */
ir_tensor *gen_crop_to(gen *G, ir_tensor *x, const ir_tensor *y);
ir_tensor *gen_concat(gen *G, int axis, int n, ir_tensor *const *in);
ir_tensor *gen_reshape_to(gen *G, ir_tensor *x, int rank, const int64_t *dim);

/* gen_math.c */
gen_layer gen_act, gen_map, gen_constant_arithmetic, gen_softmax, gen_reduce, gen_squeeze_excite, gen_gate,
    gen_mask, gen_cast, gen_arg_max, gen_layer_norm, gen_folded;
/* a op b, a and b of one shape or broadcasting. */
ir_tensor *gen_join(gen *G, ir_tensor *a, ir_tensor *b);

/* gen_nets.c: from x to the values that a network of that kind gives. */
typedef struct gen_values {
    ir_tensor *list[64];
    int count;
} gen_values;
void gen_keep(gen_values *v, ir_tensor *x); /* x may be NULL */
typedef void gen_net(gen *G, ir_tensor *x, gen_values *v);
gen_net gen_chain, gen_residual, gen_dense, gen_inception, gen_unet, gen_soup, gen_blocked, gen_volume;
/* Any layer. */
ir_tensor *gen_any(gen *G, ir_tensor *x);

#endif
