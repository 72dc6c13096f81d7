/* conv_shape.c: see conv_shape.h. */
#include "conv_shape.h"

#include <string.h>

#include "vox_limits.h"

static const double INPUT_POINT = 7; /* cycles per point and block of 16 channels */
static const double OUTPUT_POINT = 6;

bool cg_admits_winograd(const ir_node *n) {
    if (n->op != IR_OP_CONV || n->in[0]->rank != 5 || n->in[0]->dtype != IR_F32) return false;
    if (n->in[1]->role != IR_ROLE_CONST || ir_int(n, IR_GROUP) != 1) return false;
    for (int a = 0; a < 3; a++)
        if (ir_ints(n, IR_KERNEL)[a] != 3 || ir_ints(n, IR_STRIDE)[a] != 1) return false;
    return true;
}

bool cg_admits_tiles(const ir_node *n, const cg_choice *c) {
    bool good = cg_admits_winograd(n) && n->in[0]->cpu.block && n->out[0]->cpu.block;
    for (int a = 0; a < 3; a++) good = good && (c->tile[a] == 2 || c->tile[a] == 4);
    return good && c->batch >= 1 && c->batch <= VOX_BATCH_MOST;
}

bool cg_is_few(const ir_node *n) {
    return !n->in[0]->cpu.block && !n->out[0]->cpu.block && ir_int(n, IR_GROUP) == 1 &&
           n->out[0]->dim[1] <= VOX_FEW_MOST;
}

bool cg_has_no_tiles(const cg_choice *c) {
    return !(c->tile[0] | c->tile[1] | c->tile[2] | c->batch);
}

int cg_offer_tiles(const ir_graph *g, const ir_node *n, const cg_way *way, cg_choice *list) {
    static const int64_t tiles[][3] = {{4, 4, 4}, {2, 4, 4}, {4, 4, 2}, {2, 2, 4}, {4, 2, 2}, {2, 2, 2}};
    enum { MOST_STRICT = 8 }; /* outputs of a tile whose error is no larger than a direct sum's */
    int count = 0;
    if (!cg_admits_winograd(n) || !n->in[0]->cpu.block || !n->out[0]->cpu.block) return 0;
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        const int64_t *t = tiles[i];
        if (g->goals.strict && t[0] * t[1] * t[2] > MOST_STRICT) continue;
        list[count++] = (cg_choice){.way = way, .tile = {t[0], t[1], t[2]}};
    }
    return count;
}

/* Positions i of an axis that are congruent modulo the dilation form an axis of their own. */
int64_t cg_axis_tiles(int64_t extent, int64_t dilation, int64_t m) {
    int64_t sum = 0;
    for (int64_t phase = 0; phase < dilation && phase < extent; phase++)
        sum += ir_parts(ir_parts(extent - phase, dilation), m);
    return sum;
}

int64_t cg_tiles(const ir_node *n, const int64_t tile[3], int64_t begin, int64_t end) {
    const int64_t *y = n->out[0]->dim, *dilation = ir_ints(n, IR_DILATION);
    return y[0] * cg_axis_tiles(end - begin, dilation[0], tile[0]) *
           cg_axis_tiles(y[3], dilation[1], tile[1]) * cg_axis_tiles(y[4], dilation[2], tile[2]);
}

int64_t cg_all_tiles(const ir_node *n, const cg_choice *c) {
    return cg_tiles(n, c->tile, 0, n->out[0]->dim[2]);
}

double cg_tile_rounding(const cg_choice *c) {
    double factor = 1;
    for (int a = 0; a < 3; a++) factor *= c->tile[a] == 4 ? VOX_ROUNDING_4 : 1;
    return factor;
}

double cg_tile_cycles(const ir_node *n, const cg_choice *c) {
    double tiles = (double)cg_all_tiles(n, c), points = (double)cg_tile_points(c->tile);
    double ic = (double)n->in[0]->dim[1];
    double in = (double)cg_blocks(n->in[0]->dim[1]), out = (double)cg_blocks(n->out[0]->dim[1]);
    return tiles * points * (ic * out / CG_TILE_RATE + in * INPUT_POINT + out * OUTPUT_POINT);
}

cg_packing cg_pack_plain(const ir_node *n, const cg_choice *c) {
    (void)c;
    const ir_tensor *w = n->in[1];
    return (cg_packing){.pack = CG_CONV,
                        .oc = n->out[0]->dim[1],
                        .ic = n->in[0]->dim[1],
                        .kernel = ir_count(w) / (w->dim[0] * w->dim[1]),
                        .group = ir_int(n, IR_GROUP)};
}

cg_packing cg_pack_transformed(const ir_node *n, const cg_choice *c) {
    cg_packing p = cg_pack_plain(n, c);
    p.pack = CG_WINOGRAD;
    memcpy(p.tile, c->tile, sizeof p.tile);
    return p;
}
