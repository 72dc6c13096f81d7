/* conv_shape.h: what the ways ask about a convolution. */
#ifndef VOXC_CONV_SHAPE_H
#define VOXC_CONV_SHAPE_H

#include "counts.h"
#include "way.h"

/* Whether Winograd's F(m, 3) computes n: f32, three axes, 3x3x3, stride 1, one group, constant weights. */
bool cg_admits_winograd(const ir_node *n);
/* The same, of blocked tensors, with c's tiles of 2 and 4 and its batch. */
bool cg_admits_tiles(const ir_node *n, const cg_choice *c);
/* Plain tensors of few channels: positions are vector lanes (runtime/cpu/vox_conv_few.h). */
bool cg_is_few(const ir_node *n);
/* Whether c has neither tiles nor a batch. */
bool cg_has_no_tiles(const cg_choice *c);

/* Tiles of 2 and 4 that n may be computed in under g's goals; how many of CG_MOST_OFFERS, batches not set. */
int cg_offer_tiles(const ir_graph *g, const ir_node *n, const cg_way *way, cg_choice *list);

/* Tiles along an axis. */
int64_t cg_axis_tiles(int64_t extent, int64_t dilation, int64_t m);
/* Tiles of the output planes [begin, end). */
int64_t cg_tiles(const ir_node *n, const int64_t tile[3], int64_t begin, int64_t end);
int64_t cg_all_tiles(const ir_node *n, const cg_choice *c);

/* The product over the axes, by outputs per tile: tests/kernels_winograd.h. */
double cg_tile_rounding(const cg_choice *c);
/* What all ways by Winograd's algorithm spend on inputs, products and outputs. */
double cg_tile_cycles(const ir_node *n, const cg_choice *c);

/* Weights as they are, in blocks of output channels; and transformed. */
cg_packing cg_pack_plain(const ir_node *n, const cg_choice *c);
cg_packing cg_pack_transformed(const ir_node *n, const cg_choice *c);

/* Multiply-adds per cycle of the register tiles. */
#define CG_TILE_RATE 0.86
/* Products that are summed in one go. Transforms multiply what rounding loses in the sums: short ones cost
 * 2 % of the time for a third of the error. */
enum { CG_LONG_RUN = 128, CG_SHORT_RUN = 32 };

#endif
