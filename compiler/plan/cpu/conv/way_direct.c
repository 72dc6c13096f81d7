/* way_direct.c: sums of products as they are written down, in register tiles of channels and positions. */
#include "blocking.h"
#include "conv_shape.h"
#include "vox_limits.h"

static int offer(const ir_graph *g, const ir_node *n, cg_choice *list) {
    (void)g;
    list[0] = (cg_choice){.way = &cg_way_direct};
    return !cg_is_few(n);
}

static bool admits(const ir_node *n, const cg_choice *c) {
    return !cg_is_few(n) && cg_has_no_tiles(c);
}

static double cycles(const ir_node *n, const cg_choice *c) {
    (void)c;
    double oc = (double)(n->out[0]->dim[1] / ir_int(n, IR_GROUP));
    double filled = oc / (double)(cg_blocks((int64_t)oc) * IR_BLOCK);
    return (double)ir_macs(n) / filled / IR_BLOCK / CG_TILE_RATE;
}

/* Where each value is loaded once for all channels. */
static bool loads(const ir_node *n) {
    const ir_attr *kernel = ir_get(n, IR_KERNEL), *pad = ir_get(n, IR_PAD), *stride = ir_get(n, IR_STRIDE);
    for (int a = 0; a < kernel->count; a++)
        if (kernel->i[a] != 1 || stride->i[a] != 1 || pad->i[a] || pad->i[a + kernel->count]) return false;
    return ir_int(n, IR_GROUP) == 1 && n->in[0]->dim[1] <= VOX_AROUND_MOST;
}

static cg_sums sums(const ir_node *n, const cg_choice *c, int lanes) {
    (void)c, (void)lanes;
    const int64_t *y = n->out[0]->dim;
    cg_blocking b = cg_blocking_of(n);
    return (cg_sums){.planes = y[2], .slots = ir_parts(y[2], b.task_d) * ir_parts(y[3], b.task_h)};
}

const cg_way cg_way_direct = {
    .name = "direct",
    .tuned = "direct",
    .title = "direct",
    .method = "direct",
    .aside = "",
    .offer = offer,
    .admits = admits,
    .cycles = cycles,
    .tries = {{0, 0, 0}},
    .n_tries = 1,
    .run = CG_LONG_RUN,
    .split = cg_split,
    .loads = loads,
    .sums = sums,
    .packing = cg_pack_plain,
    .template_file = "conv.c.in",
    .header = "vox_conv.h",
    .kernel = "conv",
};
