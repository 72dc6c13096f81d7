/* numbers.c: what rounding may do to the outputs of a graph.
 *
 * The interpreter runs several times with errors as large as single precision makes them, and larger, added
 * to what each node computes. Where outputs move, a result may be off by that much: behind a comparison or a
 * rounding to whole numbers an element may jump, and behind a difference of large numbers it may be anything.
 */
#include "fuzz_graphs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 4 };
static const double noise = 1e-6, factor = 16, relative = 2e-6;

/* Nodes that sum up: an error is relative to what all of their result is like. */
static bool sums(const ir_node *n) {
    switch (n->op) {
    case IR_OP_CONV:
    case IR_OP_CONV_TRANSPOSE:
    case IR_OP_BATCH_NORM:
    case IR_OP_INSTANCE_NORM:
    case IR_OP_NORM_TERMS:
    case IR_OP_NORMALISE:
    case IR_OP_AVERAGE_POOL:
    case IR_OP_RESIZE:
    case IR_OP_REDUCE_SUM:
    case IR_OP_REDUCE_MEAN:
    case IR_OP_SUB:
    case IR_OP_ADD:
        return true;
    default:
        return false;
    }
}

static bool moves(const ir_node *n) {
    switch (n->op) {
    case IR_OP_CONCAT:
    case IR_OP_SLICE:
    case IR_OP_PAD:
    case IR_OP_RESHAPE:
    case IR_OP_TRANSPOSE:
    case IR_OP_EXPAND:
    case IR_OP_GATHER:
    case IR_OP_MAX_POOL:
    case IR_OP_REDUCE_MAX:
    case IR_OP_REDUCE_MIN:
    case IR_OP_RELU:
    case IR_OP_MIN:
    case IR_OP_MAX:
    case IR_OP_FLOOR:
    case IR_OP_CEIL:
    case IR_OP_ROUND:
    case IR_OP_CAST:
    case IR_OP_NEG:
    case IR_OP_ABS:
    case IR_OP_CLIP:
        return true;
    default:
        return false;
    }
}

static double rms(const double *v, int64_t count) {
    double sum = 0;
    int64_t finite = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(v[i])) sum += v[i] * v[i], finite++;
    return finite ? sqrt(sum / (double)finite) : 0;
}

static void disturb(void *ctx, const ir_node *n, const ir_value *value) {
    fuzz_dice *d = ctx;
    int64_t count = ir_count(n->out[0]);
    if (!value->f || moves(n)) return;
    double size = sums(n) ? rms(value->f, count) : 0;
    for (int64_t i = 0; i < count; i++) {
        double part = (double)(dice_bits(d) >> 11) * 0x1p-52 - 1;
        value->f[i] += noise * part * (fabs(value->f[i]) + size);
    }
}

/* Margins grow by what this run says. */
static void widen(const ir_graph *g, const ir_value *run, fuzz_bounds *b) {
    for (int k = 0; k < g->n_outputs; k++)
        for (int64_t i = 0, n = ir_count(g->outputs[k]); i < n; i++) {
            const ir_value *want = &b->want[k];
            double off =
                want->f ? fabs(run[k].f[i] - want->f[i]) : fabs((double)run[k].i[i] - (double)want->i[i]);
            if (isnan(off)) off = want->f && isnan(want->f[i]) && isnan(run[k].f[i]) ? 0 : (double)INFINITY;
            if (want->f && run[k].f[i] == want->f[i]) off = 0; /* both infinite */
            if (factor * off > b->margin[k][i]) b->margin[k][i] = factor * off;
        }
}

static void begin_margins(const ir_graph *g, fuzz_bounds *b) {
    for (int k = 0; k < g->n_outputs; k++) {
        int64_t n = ir_count(g->outputs[k]);
        b->margin[k] = calloc((size_t)n + 1, sizeof **b->margin);
        double size = b->want[k].f ? rms(b->want[k].f, n) : 0;
        for (int64_t i = 0; i < n && b->want[k].f; i++)
            b->margin[k][i] = relative * (size + fabs(isfinite(b->want[k].f[i]) ? b->want[k].f[i] : 0));
    }
}

bool fuzz_inputs(const ir_graph *g, ir_value *in, ir_diag *d) {
    fuzz_dice dice = {.seed = 7};
    for (int k = 0; k < g->n_inputs; k++) {
        if (!ir_value_new(g->inputs[k], &in[k], d)) return false;
        for (int64_t i = 0; i < ir_count(g->inputs[k]); i++) {
            const uint64_t bits = dice_bits(&dice) >> 40;
            if (in[k].f)
                in[k].f[i] = (double)((float)bits * 0x1p-23f - 1.0f);
            else
                in[k].i[i] = (int64_t)(bits % 8);
        }
    }
    return true;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *v, int64_t count) {
    double *sorted = malloc(((size_t)count + 1) * sizeof *sorted);
    if (!sorted) ir_die("out of memory");
    memcpy(sorted, v, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_size);
    const double middle = count ? sorted[count / 2] : 0;
    free(sorted);
    return middle;
}

/* An element that the few runs happened to leave alone may be as far off as its neighbours. */
static void level_margins(const ir_graph *g, fuzz_bounds *b) {
    for (int k = 0; k < g->n_outputs; k++) {
        const int64_t n = ir_count(g->outputs[k]);
        const double usual = b->want[k].f ? median(b->margin[k], n) : 0;
        for (int64_t i = 0; i < n; i++) b->margin[k][i] = fmax(b->margin[k][i], usual);
    }
}

bool fuzz_bounds_of(const ir_graph *g, const ir_value *in, fuzz_bounds *b, ir_diag *d) {
    size_t outputs = (size_t)g->n_outputs + 1;
    *b = (fuzz_bounds){calloc(outputs, sizeof *b->want), calloc(outputs, sizeof *b->margin)};
    if (!ir_interpret(g, in, b->want, 1, NULL, NULL, d)) return false;
    begin_margins(g, b);
    for (int run = 0; run < RUNS; run++) {
        fuzz_dice dice = {.seed = (uint64_t)run + 1};
        ir_value *out = calloc(outputs, sizeof *out);
        bool ok = ir_interpret(g, in, out, 1, disturb, &dice, d);
        if (ok) widen(g, out, b);
        ir_values_free(out, ok ? g->n_outputs : 0);
        free(out);
        if (!ok) return false;
    }
    level_margins(g, b);
    return true;
}

bool fuzz_rounding_decides(const ir_graph *g, const ir_value *in, double part) {
    ir_diag d = {0};
    fuzz_bounds b;
    bool decides = false;
    if (fuzz_bounds_of(g, in, &b, &d))
        for (int k = 0; k < g->n_outputs; k++) {
            const int64_t n = ir_count(g->outputs[k]);
            decides |= b.want[k].f && median(b.margin[k], n) > part * rms(b.want[k].f, n);
        }
    fuzz_bounds_free(g, &b);
    return decides;
}

void fuzz_bounds_free(const ir_graph *g, fuzz_bounds *b) {
    ir_values_free(b->want, g->n_outputs);
    for (int k = 0; k < g->n_outputs; k++) free(b->margin[k]);
    free(b->want);
    free(b->margin);
}
