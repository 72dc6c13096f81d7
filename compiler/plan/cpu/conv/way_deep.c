/* way_deep.c: Winograd's F(m, 3) for layers of many channels and few tiles. All inputs of a step are
 * transformed first; then each lane transforms the weights of some output channels and multiplies all tiles
 * with them, so that transformed weights are never kept (runtime/cpu/vox_winograd_deep.h).
 */
#include "conv_shape.h"
#include "vox_limits.h"

static const double WEIGHT_POINT = 5; /* cycles per point of a weight's transform, of 16 channels */
enum {
    TILES = 80,             /* that should share such a transform */
    MOST_SHARED = 40 << 20, /* bytes of transformed inputs that they may take */
};

/* Bytes of the transformed inputs of that many output planes. */
static int64_t shared_by(const ir_node *n, const cg_choice *c, int64_t planes) {
    int64_t registers = cg_blocks(n->in[0]->dim[1]) * cg_tiles(n, c->tile, 0, planes) | 1;
    return cg_tile_points(c->tile) * registers * IR_BLOCK * (int64_t)sizeof(float);
}

static int64_t planes_of(const ir_node *n, const cg_choice *c) {
    int64_t depth = n->out[0]->dim[2], step = c->tile[0] * ir_ints(n, IR_DILATION)[0], planes = step;
    while (planes < depth && cg_tiles(n, c->tile, 0, planes) < TILES &&
           shared_by(n, c, planes + step) <= MOST_SHARED)
        planes += step;
    return ir_min(planes, depth);
}

static int offer(const ir_graph *g, const ir_node *n, cg_choice *list) {
    int count = cg_offer_tiles(g, n, &cg_way_deep, list);
    for (int i = 0; i < count; i++) {
        int64_t tiles = cg_tiles(n, list[i].tile, 0, planes_of(n, &list[i]));
        list[i].batch = ir_min(tiles, VOX_BATCH_MOST);
    }
    return count;
}

static double cycles(const ir_node *n, const cg_choice *c) {
    double steps = (double)ir_parts(n->out[0]->dim[2], planes_of(n, c));
    double weights =
        (double)cg_tile_points(c->tile) * (double)n->in[0]->dim[1] * (double)cg_blocks(n->out[0]->dim[1]);
    return cg_tile_cycles(n, c) + steps * weights * WEIGHT_POINT;
}

static int64_t lane(const ir_node *n, const cg_choice *c) {
    const int64_t *m = c->tile, plane = (m[1] + 2) * (m[2] + 2);
    int64_t registers = 2 * ((VOX_DEEP_CHANNELS + 1) * plane + c->batch * (plane + (m[0] + 2) * m[1] * m[2]));
    (void)n;
    return registers * IR_BLOCK * (int64_t)sizeof(float);
}

static int64_t shared(const ir_node *n, const cg_choice *c) {
    return shared_by(n, c, planes_of(n, c));
}

/* Blocks of output channels, each of which takes all tiles. */
static int64_t items(const ir_node *n, const cg_choice *c) {
    (void)c;
    return cg_blocks(n->out[0]->dim[1]);
}

static bool loads(const ir_node *n) {
    (void)n;
    return true;
}

static cg_sums sums(const ir_node *n, const cg_choice *c, int lanes) {
    (void)lanes;
    int64_t planes = planes_of(n, c);
    return (cg_sums){.planes = planes, .slots = ir_parts(cg_tiles(n, c->tile, 0, planes), c->batch)};
}

const cg_way cg_way_deep = {
    .name = "deep",
    .tuned = "deep",
    .title = "deep Winograd",
    .method = "Winograd",
    .aside = ", weights transformed on the way",
    .offer = offer,
    .admits = cg_admits_tiles,
    .cycles = cycles,
    .tries = {{4, 4, 4}, {2, 2, 2}},
    .n_tries = 2,
    .run = CG_SHORT_RUN,
    .rounding = cg_tile_rounding,
    .lane = lane,
    .shared = shared,
    .items = items,
    .whole = true,
    .planes = planes_of,
    .phases = 2,
    .stores_more = true,
    .loads = loads,
    .sums = sums,
    .packing = cg_pack_plain,
    .template_file = "winograd.c.in",
    .header = "vox_winograd_deep.h",
    .kernel = "winograd_deep",
    .tiles = cg_all_tiles,
};
