/* way_winograd.c: Winograd's F(m, 3) along three axes with weights that are transformed when a bundle
 * prepares: prod(m + 2) products per tile of prod(m) outputs instead of 27 prod(m). A lane transforms a batch
 * of tiles, multiplies and transforms back, so that neither transform leaves the cache
 * (runtime/cpu/vox_winograd.h).
 */
#include "conv_shape.h"
#include "vox_limits.h"

enum {
    BATCH_POINTS = 3072,      /* what the kernel found best ... */
    BATCH_STEP = 12,          /* ... in multiples of its register tiles */
    MOST_PREPARED = 24 << 20, /* bytes of transformed weights that a layer may keep */
    FEW_PREPARED = 8 << 20,   /* the same where memory is wanted back */
};

static int64_t choose_batch(const ir_node *n, const cg_choice *c) {
    int64_t tiles = cg_all_tiles(n, c),
            most = BATCH_POINTS / cg_tile_points(c->tile) / BATCH_STEP * BATCH_STEP;
    return ir_min(tiles, most);
}

static int offer(const ir_graph *g, const ir_node *n, cg_choice *list) {
    const int64_t most = g->goals.thrift >= IR_WEIGHTS_ON_THE_WAY ? FEW_PREPARED : MOST_PREPARED;
    int count = 0, all = cg_offer_tiles(g, n, &cg_way_winograd, list);
    for (int i = 0; i < all; i++) {
        cg_choice c = list[i];
        const cg_packing p = cg_pack_transformed(n, &c);
        c.batch = choose_batch(n, &c);
        if (cg_packed_bytes(&p) <= most) list[count++] = c;
    }
    return count;
}

/* Of a tile each point of the inputs' blocks, of the products of two output blocks; one register between
 * tensors. */
static int64_t lane(const ir_node *n, const cg_choice *c) {
    int64_t registers = cg_tile_points(c->tile) * (c->batch * (cg_blocks(n->in[0]->dim[1]) + 2) + 1);
    return registers * IR_BLOCK * (int64_t)sizeof(float);
}

static bool loads(const ir_node *n) {
    (void)n;
    return true;
}

/* As vox_winograd_split has it, at most. */
static cg_sums sums(const ir_node *n, const cg_choice *c, int lanes) {
    int64_t items = ir_parts(cg_all_tiles(n, c), c->batch), even = lanes > 1 ? VOX_EVEN : 1;
    items = ir_max(items, lanes > 1 ? 4 * lanes : 1);
    return (cg_sums){.planes = n->out[0]->dim[2], .slots = ir_round_up(items, even)};
}

const cg_way cg_way_winograd = {
    .name = "winograd",
    .tuned = "winograd",
    .title = "Winograd",
    .method = "Winograd",
    .aside = "",
    .offer = offer,
    .admits = cg_admits_tiles,
    .cycles = cg_tile_cycles,
    .tries = {{4, 4, 4}, {2, 4, 4}, {4, 4, 2}, {2, 2, 2}},
    .n_tries = 4,
    .run = CG_SHORT_RUN,
    .rounding = cg_tile_rounding,
    .lane = lane,
    .items = cg_all_tiles,
    .stores_more = true,
    .loads = loads,
    .sums = sums,
    .packing = cg_pack_transformed,
    .template_file = "winograd.c.in",
    .header = "vox_winograd.h",
    .kernel = "winograd",
    .tiles = cg_all_tiles,
};
