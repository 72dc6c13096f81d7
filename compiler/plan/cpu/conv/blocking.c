/* blocking.c: the split of a convolution, from its shape alone, so that the text and the results of a bundle
 * do not depend on the machine that compiled it.
 *
 * Per task the kernel walks: chunk of input channels, pair of output blocks, plane, row. So the weights of
 * one pair and one chunk are read again for each row and should stay in the second-level cache, and an input
 * row is read again for each of the kernel's planes and rows, from wherever the rows under one output plane
 * fit.
 */
#include "blocking.h"

#include <inttypes.h>

#include "conv_passes.h"
#include "integers.h"
#include "stream.h"
#include "way.h"

enum {
    WEIGHT_CACHE = 512 * 1024, /* bytes for the weights of a pair of blocks */
    ROW_CACHE = 512 * 1024,    /* bytes for input rows */
    PAIR = 2,                  /* output blocks per register tile on the widest machine */
    TASKS = 48,                /* keeps 7 threads busy to within a seventh */
    TASK_MACS = 500000,        /* 10 microseconds or so; handing one out costs a tenth of one */
};

/* The size of equal parts when n is cut into pieces of at most `size`. */
static int64_t even(int64_t n, int64_t size) {
    return ir_parts(n, ir_parts(n, size));
}

/* One spatial dimension counted from the end (0: W), 1 where there is none. */
static int64_t extent(const ir_tensor *t, int from_end) {
    return t->rank - 1 - from_end >= 2 ? t->dim[t->rank - 1 - from_end] : 1;
}

static int64_t taps(const ir_node *n, int from_end) {
    const ir_attr *k = ir_get(n, IR_KERNEL);
    return from_end < k->count ? k->i[k->count - 1 - from_end] : 1;
}

static int64_t choose_chunk(const ir_node *n) {
    int64_t ic = n->in[0]->dim[1] / ir_int(n, IR_GROUP);
    int64_t per_channel = PAIR * IR_BLOCK * (int64_t)sizeof(float) * taps(n, 0) * taps(n, 1) * taps(n, 2);
    int64_t fit = ir_max(WEIGHT_CACHE / per_channel / IR_BLOCK, 1) * IR_BLOCK;
    if (!n->out[0]->cpu.block || ic <= fit) return ic; /* a plain result has no room for partial sums */
    return ir_parts(even(ic, fit), IR_BLOCK) * IR_BLOCK;
}

static int64_t choose_rows(const ir_node *n, int64_t chunk) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    int64_t row = extent(x, 0) * chunk * (int64_t)sizeof(float) * taps(n, 2);
    int64_t fit = ir_max(ROW_CACHE / row - (taps(n, 1) - 1), PAIR);
    int64_t rows = ir_parts(extent(y, 1) * fit, ir_max(extent(x, 1), 1)); /* strides: in rows of y */
    return even(extent(y, 1), ir_min(ir_max(rows, 1), extent(y, 1)));
}

/* With the lanes of blocks that are not full: they take as long. */
static int64_t lane_macs(const ir_node *n, int64_t blocks) {
    return ir_macs(n) / n->out[0]->dim[1] * blocks * IR_BLOCK;
}

/* `planes` of the output are computed at a time: all of them, or a step's in a stream. */
static cg_blocking choose(const ir_node *n, int64_t planes) {
    const ir_tensor *y = n->out[0];
    int64_t blocks = ir_parts(y->dim[1] / ir_int(n, IR_GROUP), IR_BLOCK) * ir_int(n, IR_GROUP);
    int64_t tasks = ir_max(lane_macs(n, blocks) * planes / extent(y, 2) / TASK_MACS, 1);
    cg_blocking b = {.task_oc = ir_min(PAIR, blocks), .chunk_ic = choose_chunk(n)};
    int64_t pairs = y->dim[0] * ir_parts(blocks, b.task_oc);
    b.task_h = choose_rows(n, b.chunk_ic);
    if (planes < extent(y, 2)) { /* a step has few planes: its rows must do */
        int64_t rows = ir_parts(ir_min(TASKS, tasks), pairs * planes);
        b.task_h = ir_min(b.task_h, ir_parts(extent(y, 1), ir_min(rows, extent(y, 1))));
    }
    int64_t without_d = pairs * ir_parts(extent(y, 1), b.task_h);
    int64_t d_parts = ir_min(ir_min(ir_parts(TASKS, without_d), ir_max(tasks / without_d, 1)), planes);
    b.task_d = ir_parts(planes, d_parts);
    return b;
}

/* Planes per step, without the first one's. */
static int64_t usual_planes(const ir_graph *g, int first, int last, int at, ir_arena *scratch) {
    int count, steps = 0;
    const ir_step *step = ir_group_steps(g, first, last, g->nodes[first]->memory.slab, scratch, &count);
    for (int i = 0; i < count; i++) steps += step[i].node == at;
    return ir_parts(extent(g->nodes[at]->out[0], 2), steps);
}

void cg_split(const ir_node *n, int64_t planes, int64_t split[4]) {
    const cg_blocking b = choose(n, planes);
    split[0] = b.task_oc;
    split[1] = b.task_d;
    split[2] = b.task_h;
    split[3] = b.chunk_ic;
}

/* Whether the kernel wants the numbers. */
static bool is_split(const ir_node *n) {
    return n->op == IR_OP_CONV_TRANSPOSE || (n->op == IR_OP_CONV && cg_way_of(n)->split);
}

cg_blocking cg_blocking_of(const ir_node *n) {
    cg_blocking b = choose(n, extent(n->out[0], 2));
    const int64_t *set = n->cpu.split;
    if (set[0]) b = (cg_blocking){set[0], set[1], set[2], set[3], 0};
    const ir_tensor *y = n->out[0];
    int64_t blocks = ir_parts(y->dim[1] / ir_int(n, IR_GROUP), IR_BLOCK) * ir_int(n, IR_GROUP);
    b.tasks = y->dim[0] * ir_parts(blocks, b.task_oc) * ir_parts(extent(y, 2), b.task_d) *
              ir_parts(extent(y, 1), b.task_h);
    return b;
}

const char *cg_blocking_reason(const ir_node *n, ir_arena *arena) {
    cg_blocking b = cg_blocking_of(n);
    int64_t weights = ir_min(b.task_oc, PAIR) * IR_BLOCK * b.chunk_ic * taps(n, 0) * taps(n, 1) * taps(n, 2);
    int64_t rows = (b.task_h + taps(n, 1) - 1) * taps(n, 2) * extent(n->in[0], 0) * b.chunk_ic;
    return ir_format(arena, "%" PRId64 " KiB of weights and %" PRId64 " KiB of input rows are used again",
                     ir_parts(weights * (int64_t)sizeof(float), 1024),
                     ir_parts(rows * (int64_t)sizeof(float), 1024));
}

/* requires: algorithms, streams. gives: the work split of convs whose kernel wants one. */
bool pass_blocking(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0, first = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (i > ir_group_end(g, first)) first = i;
        if (!is_split(n)) continue;
        ir_arena *scratch = ir_arena_new();
        int64_t planes = extent(n->out[0], 2);
        if (n->memory.stream) planes = usual_planes(g, first, ir_group_end(g, first), i, scratch);
        if (n->op == IR_OP_CONV)
            cg_way_of(n)->split(n, planes, n->cpu.split);
        else
            cg_split(n, planes, n->cpu.split);
        ir_arena_free(scratch);
    }
    return true;
}
