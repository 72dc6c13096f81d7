/* way_direct_few.c: the same sums for plain tensors of few output channels, with positions as vector lanes.
 * vox_conv.h turns to vox_conv_few.h where it finds them. */
#include "blocking.h"
#include "conv_shape.h"

/* Multiply-adds per cycle, fitted to 1 -> 5, 5 -> 5 and 11 -> 11 channels at 256^3, where memory takes its
 * part: 0.57, 0.70; dilated 0.45. */
static const double RATE = 0.6;

static int offer(const ir_graph *g, const ir_node *n, cg_choice *list) {
    (void)g;
    list[0] = (cg_choice){.way = &cg_way_direct_few};
    return cg_is_few(n);
}

static bool admits(const ir_node *n, const cg_choice *c) {
    return cg_is_few(n) && cg_has_no_tiles(c);
}

static double cycles(const ir_node *n, const cg_choice *c) {
    (void)c;
    return (double)ir_macs(n) / IR_BLOCK / RATE;
}

const cg_way cg_way_direct_few = {
    .name = "direct_few",
    .tuned = "direct",
    .title = "direct",
    .method = "direct",
    .aside = "",
    .offer = offer,
    .admits = admits,
    .cycles = cycles,
    .run = CG_LONG_RUN,
    .split = cg_split,
    .packing = cg_pack_plain,
    .template_file = "conv.c.in",
    .header = "vox_conv.h",
    .kernel = "conv",
};
