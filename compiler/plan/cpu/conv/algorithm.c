/* algorithm.c: the cost model of convolutions and the choice it makes.
 *
 * Winograd's F(m, 3) multiplies prod(m + 2) times per tile of prod(m) outputs instead of 27 prod(m) times;
 * for that, inputs and outputs are transformed and the weights grow. The constants are what the kernels of
 * runtime/cpu/vox_winograd.h and vox_conv.h need on a core that does one multiply-add of 16 channels per
 * cycle; only their proportions matter, and they are the same on every machine, so that a bundle's text does
 * not depend on where it was compiled.
 */
#include "algorithm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conv_passes.h"
#include "integers.h"
#include "vox_limits.h"

static const double TILE_RATE = 0.86; /* multiply-adds per cycle of the register tiles */
static const double INPUT_POINT = 7;  /* cycles per point and block of 16 channels */
static const double OUTPUT_POINT = 6;
static const double WEIGHT_POINT = 5; /* where weights are transformed on the way */
/* The same with positions as lanes, fitted to 1 -> 5, 5 -> 5 and 11 -> 11 channels at 256^3, where memory
 * takes its part: direct (0.57, 0.70; dilated 0.45), products, each point of a channel (16, 18, 21). */
static const double FEW_DIRECT_RATE = 0.6;
static const double FEW_RATE = 0.86;
static const double FEW_POINT = 18;
enum {
    LONG_RUN = 128,
    SHORT_RUN = 32,              /* products */
    DEEP_TILES = 80,             /* tiles that should share such a transform */
    DEEP_BATCH = VOX_BATCH_MOST, /* and be multiplied at a time */
    MOST_SHARED = 40 << 20,      /* bytes of transformed inputs that they may take */
    MOST_PREPARED = 24 << 20,    /* bytes of transformed weights that a layer may keep */
    FEW_PREPARED = 8 << 20,      /* the same where memory is wanted back */
};

static int64_t blocks(int64_t channels) {
    return ir_parts(channels, IR_BLOCK);
}

bool cg_admits_winograd(const ir_node *n) {
    if (n->op != IR_OP_CONV || n->in[0]->rank != 5 || n->in[0]->dtype != IR_F32) return false;
    if (n->in[1]->role != IR_ROLE_CONST || ir_int(n, IR_GROUP) != 1) return false;
    for (int a = 0; a < 3; a++)
        if (ir_ints(n, IR_KERNEL)[a] != 3 || ir_ints(n, IR_STRIDE)[a] != 1) return false;
    return true;
}

int64_t cg_winograd_points(const int64_t w[3]) {
    return (w[0] + 2) * (w[1] + 2) * (w[2] + 2);
}

/* Positions i of an axis that are congruent modulo the dilation form an axis of their own. */
static int64_t axis_tiles(int64_t extent, int64_t dilation, int64_t m) {
    int64_t sum = 0;
    for (int64_t phase = 0; phase < dilation && phase < extent; phase++)
        sum += ir_parts(ir_parts(extent - phase, dilation), m);
    return sum;
}

int64_t cg_winograd_tiles(const ir_node *n, const int64_t w[3], int64_t begin, int64_t end) {
    const int64_t *y = n->out[0]->dim, *dilation = ir_ints(n, IR_DILATION);
    return y[0] * axis_tiles(end - begin, dilation[0], w[0]) * axis_tiles(y[3], dilation[1], w[1]) *
           axis_tiles(y[4], dilation[2], w[2]);
}

/* Bytes of the transformed inputs of that many output planes. */
static int64_t shared_bytes(const ir_node *n, const int64_t w[4], int64_t planes) {
    int64_t registers = blocks(n->in[0]->dim[1]) * cg_winograd_tiles(n, w, 0, planes) | 1;
    return cg_winograd_points(w) * registers * IR_BLOCK * (int64_t)sizeof(float);
}

int64_t cg_deep_planes(const ir_node *n, const int64_t w[4]) {
    int64_t depth = n->out[0]->dim[2], step = w[0] * ir_ints(n, IR_DILATION)[0], planes = step;
    while (planes < depth && cg_winograd_tiles(n, w, 0, planes) < DEEP_TILES &&
           shared_bytes(n, w, planes + step) <= MOST_SHARED)
        planes += step;
    return planes < depth ? planes : depth;
}

int64_t cg_deep_batch(const ir_node *n) {
    int64_t tiles = cg_winograd_tiles(n, n->winograd, 0, cg_deep_planes(n, n->winograd));
    return tiles < DEEP_BATCH ? tiles : DEEP_BATCH;
}

/* Plain tensors of few channels: positions are vector lanes (runtime/cpu/vox_conv_few.h). */
static bool is_few(const ir_node *n) {
    return !n->in[0]->cpu.block && !n->out[0]->cpu.block && ir_int(n, IR_GROUP) == 1 &&
           n->out[0]->dim[1] <= VOX_FEW_MOST;
}

static double few_cycles(const ir_node *n, const int64_t w[4]) {
    const int64_t *y = n->out[0]->dim, *dilation = ir_ints(n, IR_DILATION);
    double tiles = (double)(y[0] * axis_tiles(y[2], dilation[0], w[0]) * axis_tiles(y[3], dilation[1], w[1]) *
                            ir_parts(y[4], IR_BLOCK));
    double ic = (double)n->in[0]->dim[1], oc = (double)y[1], points = (double)((w[0] + 2) * (w[1] + 2));
    return tiles * points * (3 * ic * oc / FEW_RATE + (ic + oc) * FEW_POINT);
}

static double winograd_cycles(const ir_node *n, const int64_t w[4]) {
    if (w[2] == 1) return few_cycles(n, w);
    double tiles = (double)cg_winograd_tiles(n, w, 0, n->out[0]->dim[2]);
    double points = (double)cg_winograd_points(w), ic = (double)n->in[0]->dim[1];
    double in = (double)blocks(n->in[0]->dim[1]), out = (double)blocks(n->out[0]->dim[1]);
    double cycles = tiles * points * (ic * out / TILE_RATE + in * INPUT_POINT + out * OUTPUT_POINT);
    if (w[3] == 0)
        cycles +=
            (double)ir_parts(n->out[0]->dim[2], cg_deep_planes(n, w)) * points * ic * out * WEIGHT_POINT;
    return cycles;
}

static double direct_cycles(const ir_node *n) {
    if (is_few(n)) return (double)ir_macs(n) / IR_BLOCK / FEW_DIRECT_RATE;
    double oc = (double)(n->out[0]->dim[1] / ir_int(n, IR_GROUP));
    double filled = oc / (double)(blocks((int64_t)oc) * IR_BLOCK);
    return (double)ir_macs(n) / filled / IR_BLOCK / TILE_RATE;
}

/* Tiles per batch: what runtime/cpu/vox_winograd.h found best, a multiple of its register tiles. */
static int64_t choose_batch(const ir_node *n, const int64_t tile[3]) {
    int64_t tiles = cg_winograd_tiles(n, tile, 0, n->out[0]->dim[2]);
    int64_t most = 3072 / cg_winograd_points(tile) / 12 * 12;
    return tiles < most ? tiles : most;
}

static cg_algorithm measure(const ir_node *n, const int64_t w[4]) {
    enum { SIGNS = 2 }; /* words beside the points */
    int64_t raw = blocks(n->out[0]->dim[1]) * IR_BLOCK * n->in[0]->dim[1] * (int64_t)sizeof(float);
    cg_algorithm a = {.cycles = w[0] ? winograd_cycles(n, w) : direct_cycles(n)};
    a.prepared = raw * (w[0] && w[3] ? cg_winograd_points(w) + SIGNS
                                     : ir_count(n->in[1]) / (n->in[1]->dim[0] * n->in[1]->dim[1]));
    memcpy(a.winograd, w, sizeof a.winograd);
    return a;
}

cg_algorithm cg_algorithm_of(const ir_node *n) {
    return measure(n, n->winograd);
}

static int cheaper_first(const void *a, const void *b) {
    double x = ((const cg_algorithm *)a)->cycles, y = ((const cg_algorithm *)b)->cycles;
    return (x > y) - (x < y);
}

int cg_algorithms(const ir_graph *g, const ir_node *n, cg_algorithm list[CG_MAX_ALGORITHMS]) {
    static const int64_t tiles[][3] = {{4, 4, 4}, {2, 4, 4}, {4, 4, 2}, {2, 2, 4}, {4, 2, 2}, {2, 2, 2}};
    int64_t most = g->goals.thrift >= IR_WEIGHTS_ON_THE_WAY ? FEW_PREPARED : MOST_PREPARED;
    int count = 0;
    list[count++] = measure(n, (const int64_t[4]){0});
    const int64_t few[4] = {4, 4, 1, 1};
    if (is_few(n) && cg_admits_winograd(n) && g->goals.thrift < IR_DIRECT && !g->goals.strict)
        list[count++] = measure(n, few);
    bool able =
        cg_admits_winograd(n) && n->in[0]->cpu.block && n->out[0]->cpu.block && g->goals.thrift < IR_DIRECT;
    for (size_t i = 0; able && i < sizeof tiles / sizeof *tiles; i++) {
        const int64_t *t = tiles[i];
        if (g->goals.strict && t[0] * t[1] * t[2] > 8) continue;
        const int64_t kept[4] = {t[0], t[1], t[2], choose_batch(n, t)}, deep[4] = {t[0], t[1], t[2], 0};
        cg_algorithm a = measure(n, kept);
        if (a.prepared <= most) list[count++] = a;
        list[count++] = measure(n, deep);
    }
    qsort(list, (size_t)count, sizeof *list, cheaper_first);
    return count;
}

/* Transforms multiply what rounding loses in the sums: short ones cost 2 % of the time for a third of the
 * error. */
int cg_run(const ir_graph *g, const ir_node *n) {
    return n->winograd[0] || g->goals.strict ? SHORT_RUN : LONG_RUN;
}

int cg_lanes(const ir_graph *g, const ir_node *n) {
    int64_t most = g->goals.thrift >= IR_ONE_LANE ? 1 : g->goals.thrift >= IR_TWO_LANES ? 2 : g->goals.lanes;
    int64_t items = cg_winograd_tiles(n, n->winograd, 0, n->out[0]->dim[2]);
    if (!n->winograd[3]) items = blocks(n->out[0]->dim[1]); /* each takes all tiles */
    if (items < most) most = items;
    return g->goals.lanes < most ? g->goals.lanes : (int)most;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static const ir_tuned *tuned(const ir_graph *g, const ir_node *n) {
    for (int i = 0; i < g->goals.n_tuned; i++)
        if (strcmp(g->goals.tuned[i].layer, n->out[0]->name) == 0) return &g->goals.tuned[i];
    return NULL;
}

bool cg_same_algorithm(const int64_t a[4], const int64_t b[4]) {
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && !a[3] == !b[3];
}

/* A measured choice counts where it is legal here. */
static cg_algorithm choose(const ir_graph *g, const ir_node *n) {
    cg_algorithm list[CG_MAX_ALGORITHMS];
    int count = cg_algorithms(g, n, list);
    const ir_tuned *t = tuned(g, n);
    for (int i = 0; t && i < count; i++)
        if (cg_same_algorithm(list[i].winograd, t->winograd)) return list[i];
    return list[0];
}

int64_t cg_winograd_shared(const ir_node *n) {
    return n->winograd[3] ? 0 : shared_bytes(n, n->winograd, cg_deep_planes(n, n->winograd));
}

/* As vox_winograd_few_scratch. */
static int64_t few_lane(const ir_node *n) {
    int64_t pad = ir_ints(n, IR_PAD)[2], left = blocks(pad) * IR_BLOCK,
            reach = 2 * ir_ints(n, IR_DILATION)[2];
    int64_t x = blocks(n->in[0]->dim[4]) * IR_BLOCK, y = blocks(n->out[0]->dim[4]) * IR_BLOCK + reach - pad;
    int64_t width = (blocks(left + (x > y ? x : y)) | 1) * IR_BLOCK;
    return 36 * (n->in[0]->dim[1] * width + n->out[0]->dim[1] * VOX_FEW_VECTORS * IR_BLOCK) *
           (int64_t)sizeof(float);
}

int64_t cg_winograd_lane(const ir_node *n) {
    if (n->winograd[2] == 1) return few_lane(n);
    const int64_t *m = n->winograd, batch = m[3];
    int64_t plane = (m[1] + 2) * (m[2] + 2);
    int64_t registers = cg_winograd_points(m) * (batch * (blocks(n->in[0]->dim[1]) + 2) + 1);
    if (!batch)
        registers =
            2 * ((VOX_DEEP_CHANNELS + 1) * plane + cg_deep_batch(n) * (plane + (m[0] + 2) * m[1] * m[2]));
    return registers * IR_BLOCK * (int64_t)sizeof(float);
}

/* requires: layouts. gives: winograd and scratch of convs. */
bool pass_algorithm(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (n->op != IR_OP_CONV) continue;
        cg_algorithm a = choose(g, n);
        memcpy(n->winograd, a.winograd, sizeof n->winograd);
        n->memory.scratch = n->winograd[0] ? cg_winograd_shared(n) + cg_lanes(g, n) * cg_winograd_lane(n) : 0;
    }
    return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

const char *cg_algorithm_name(const int64_t w[4], ir_arena *arena) {
    if (!w[0]) return "direct";
    return ir_format(arena, "Winograd F(%" PRId64 "x%" PRId64 "x%" PRId64 ")%s", w[0], w[1], w[2],
                     w[3] ? "" : ", weights transformed on the way");
}

const char *cg_algorithm_reason(const ir_node *n, ir_arena *arena) {
    return ir_format(arena, "%s: %.1f times cheaper than direct", cg_algorithm_name(n->winograd, arena),
                     direct_cycles(n) / cg_algorithm_of(n).cycles);
}

void cg_algorithm_report(const ir_graph *g, FILE *f) {
    fprintf(f, "%-24s %-18s %10s %10s %14s  %s\n", "convolution", "output", "Mcycles", "of direct", "weights",
            "algorithm");
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (n->op != IR_OP_CONV) continue;
        cg_algorithm list[CG_MAX_ALGORITHMS];
        int count = cg_algorithms(g, n, list);
        char type[128];
        for (int k = 0; k < count; k++) {
            bool chosen = memcmp(list[k].winograd, n->winograd, sizeof n->winograd) == 0;
            fprintf(f, "%-24s %-18s %10.1f %9.2fx %14" PRId64 "  %s%s\n", k ? "" : n->out[0]->name,
                    k ? "" : ir_type_text(n->out[0], type, sizeof type) + 3, list[k].cycles / 1e6,
                    direct_cycles(n) / list[k].cycles, list[k].prepared,
                    cg_algorithm_name(list[k].winograd, g->arena), chosen ? " <- chosen" : "");
        }
    }
}
