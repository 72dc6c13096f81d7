/* way_few.c: Winograd's F(4x4, 3) along D and H for plain tensors of few output channels, with positions along
 * W as vector lanes (runtime/cpu/vox_winograd_few.h).
 */
#include "conv_shape.h"
#include "vox_limits.h"

/* Fitted to 1 -> 5, 5 -> 5 and 11 -> 11 channels at 256^3, where memory takes its part: multiply-adds per
 * cycle; cycles per point of a channel, 16, 18 and 21. */
static const double RATE = 0.86;
static const double POINT = 18;
enum { TILE = 4, POINTS = (TILE + 2) * (TILE + 2) };

static int offer(const ir_graph *g, const ir_node *n, cg_choice *list) {
    list[0] = (cg_choice){.way = &cg_way_few, .tile = {TILE, TILE, 1}, .batch = 1};
    return cg_is_few(n) && cg_admits_winograd(n) && !g->goals.strict;
}

static bool admits(const ir_node *n, const cg_choice *c) {
    bool good = c->tile[0] == TILE && c->tile[1] == TILE && c->tile[2] == 1 && c->batch == 1;
    return good && cg_admits_winograd(n) && cg_is_few(n);
}

static double cycles(const ir_node *n, const cg_choice *c) {
    const int64_t *y = n->out[0]->dim, *dilation = ir_ints(n, IR_DILATION);
    double tiles = (double)(y[0] * cg_axis_tiles(y[2], dilation[0], c->tile[0]) *
                            cg_axis_tiles(y[3], dilation[1], c->tile[1]) * ir_parts(y[4], IR_BLOCK));
    double ic = (double)n->in[0]->dim[1], oc = (double)y[1];
    return tiles * POINTS * (3 * ic * oc / RATE + (ic + oc) * POINT);
}

/* As vox_winograd_few_scratch. */
static int64_t lane(const ir_node *n, const cg_choice *c) {
    (void)c;
    int64_t pad = ir_ints(n, IR_PAD)[2], left = cg_blocks(pad) * IR_BLOCK,
            reach = 2 * ir_ints(n, IR_DILATION)[2];
    int64_t x = cg_blocks(n->in[0]->dim[4]) * IR_BLOCK,
            y = cg_blocks(n->out[0]->dim[4]) * IR_BLOCK + reach - pad;
    int64_t width = (cg_blocks(left + ir_max(x, y)) | 1) * IR_BLOCK;
    return POINTS * (n->in[0]->dim[1] * width + n->out[0]->dim[1] * VOX_FEW_VECTORS * IR_BLOCK) *
           (int64_t)sizeof(float);
}

/* Rows along W of tiles. */
static int64_t tiles(const ir_node *n, const cg_choice *c) {
    return cg_all_tiles(n, c) / n->out[0]->dim[4];
}

const cg_way cg_way_few = {
    .name = "few",
    .tuned = "few",
    .title = "Winograd",
    .method = "Winograd",
    .aside = "",
    .offer = offer,
    .admits = admits,
    .cycles = cycles,
    .tries = {{TILE, TILE, 1}},
    .n_tries = 1,
    .run = CG_SHORT_RUN,
    .rounding = cg_tile_rounding,
    .lane = lane,
    .items = cg_all_tiles,
    .packing = cg_pack_transformed,
    .template_file = "winograd.c.in",
    .header = "vox_winograd_few.h",
    .kernel = "winograd_few",
    .tiles = tiles,
};
