/* interp_conv.c: interpreter, convolution and transposed convolution over 1 to 3 spatial axes.
 *
 * Both are sums over kernel taps and input channels of weight * x[some position]. They differ in which
 * position of the input a tap joins to a position of the output (source()) and in how the weights lie; the
 * rest is shared. A task computes all channels of a group at POSITIONS positions of one output plane: tap by
 * tap it gathers the joined inputs as x[ic][POSITIONS], zeros where there are none, and adds the matrix
 * product w[oc][ic] * x. Each element is summed in the same order whatever the number of threads.
 */
#include "interp.h"

#include <stdlib.h>
#include <string.h>

enum {
    AXES = 3,     /* spatial axes: missing ones in front have extent 1 */
    CHANNELS = 8, /* output channels and positions whose sums are in registers together */
    LANES = 8,
    TILE = 2 * LANES,
    MAX_RUNS = 8,  /* of neighbouring positions that are copied as one */
    POSITIONS = 64 /* a multiple of TILE; x, sums and weights of the widest layers stay in a 2 MiB cache */
};

typedef struct conv_job {
    bool transposed;
    int64_t ic, oc, group; /* channels per group */
    int64_t in[AXES], out[AXES], kernel[AXES], stride[AXES], dilation[AXES], pad[AXES];
    int64_t taps;                 /* kernel elements */
    int64_t w_group, w_out, w_in; /* how far apart groups, output channels, input channels are in w */
    const double *x, *w, *b;      /* b may be NULL */
    const double *skip;           /* added to the sums; NULL: nothing */
    double *y;
    interp_act act;

    int64_t blocks;  /* of CHANNELS output channels in a group */
    int64_t chunks;  /* of POSITIONS positions in a plane */
    double *packed;  /* the weights as [group][tap][block][ic][CHANNELS], zeros beyond the last channel */
    double *scratch; /* for each thread: x[ic][POSITIONS], then sums[blocks * CHANNELS][POSITIONS] */
    int64_t scratch_len;
} conv_job;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define FAST __attribute__((target_clones("avx512f", "arch=haswell", "default"), optimize("O3")))
#else
#define FAST
#endif

typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double))));

/* sums[r][p] += w[i][r] * x[i][p] over all i, for CHANNELS r and TILE p; rows of x and sums are POSITIONS
 * long. The interpreter spends its time here. Loops are unrolled so that the sums live in registers. */
FAST static void add_tile(double *sums, const double *x, const double *w, int64_t ic) {
    lanes acc[CHANNELS][2];
#pragma GCC unroll 8
    for (int r = 0; r < CHANNELS; r++) {
        acc[r][0] = *(const lanes *)(sums + r * POSITIONS);
        acc[r][1] = *(const lanes *)(sums + r * POSITIONS + LANES);
    }
    for (int64_t i = 0; i < ic; i++, x += POSITIONS, w += CHANNELS) {
        const lanes v0 = *(const lanes *)x, v1 = *(const lanes *)(x + LANES);
#pragma GCC unroll 8
        for (int r = 0; r < CHANNELS; r++) {
            acc[r][0] += w[r] * v0;
            acc[r][1] += w[r] * v1;
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < CHANNELS; r++) {
        *(lanes *)(sums + r * POSITIONS) = acc[r][0];
        *(lanes *)(sums + r * POSITIONS + LANES) = acc[r][1];
    }
}

/* Which positions of an input plane one tap joins to a task's positions: from[p], -1 for none. Neighbours are
 * copied in runs, which is what makes layers of few channels bearable; where there are many (strides), one by
 * one. */
typedef struct joined {
    int64_t from[POSITIONS];
    int runs; /* 0: none is joined; more than MAX_RUNS: not listed */
    struct {
        int64_t at, from, n;
    } run[MAX_RUNS];
} joined;

static void gather(double *restrict x, const double *restrict plane, const joined *j) {
    if (j->runs > MAX_RUNS) {
        for (int p = 0; p < POSITIONS; p++) x[p] = j->from[p] < 0 ? 0 : plane[j->from[p]];
        return;
    }
    if (j->runs != 1 || j->run[0].n != POSITIONS) memset(x, 0, POSITIONS * sizeof *x);
    for (int r = 0; r < j->runs; r++)
        memcpy(x + j->run[r].at, plane + j->run[r].from, (size_t)j->run[r].n * sizeof *x);
}

/* The input position that tap k joins to output position o along an axis, -1 if there is none. */
static int64_t source(const conv_job *j, int axis, int64_t o, int64_t k) {
    int64_t at = k * j->dilation[axis] - j->pad[axis];
    if (j->transposed) {
        at = o - at;
        if (at < 0 || at % j->stride[axis] != 0) return -1;
        at /= j->stride[axis];
    } else {
        at += o * j->stride[axis];
    }
    return at < j->in[axis] ? at : -1;
}

/* What tap (kh, kw) joins to the plane's positions from `first` on. */
static void find_joined(const conv_job *j, int64_t first, int64_t kh, int64_t kw, joined *to) {
    to->runs = 0;
    for (int64_t p = 0; p < POSITIONS; p++) {
        int64_t o = first + p, h = o < j->out[1] * j->out[2] ? source(j, 1, o / j->out[2], kh) : -1;
        int64_t w = h < 0 ? -1 : source(j, 2, o % j->out[2], kw);
        to->from[p] = w < 0 ? -1 : h * j->in[2] + w;
        if (w < 0) continue;
        bool extends = p > 0 && to->from[p - 1] >= 0 && to->from[p] == to->from[p - 1] + 1;
        if (!extends && ++to->runs <= MAX_RUNS) {
            to->run[to->runs - 1].at = p;
            to->run[to->runs - 1].from = to->from[p];
            to->run[to->runs - 1].n = 0;
        }
        if (to->runs <= MAX_RUNS) to->run[to->runs - 1].n++;
    }
}

/* sums += the products of one tap. x: the input plane that the tap joins, of the group's first channel. */
static void add_tap(const conv_job *j, const double *x, const joined *from, const double *w, double *gathered,
                    double *sums) {
    for (int64_t i = 0; i < j->ic; i++)
        gather(gathered + i * POSITIONS, x + i * j->in[0] * j->in[1] * j->in[2], from);
    for (int64_t b = 0; b < j->blocks; b++)
        for (int64_t p = 0; p < POSITIONS; p += TILE)
            add_tile(sums + b * CHANNELS * POSITIONS + p, gathered + p, w + b * j->ic * CHANNELS, j->ic);
}

/* Bias, skip, activation, and into y. ng: batch and group. */
static void store_sums(const conv_job *j, int64_t ng, int64_t d, int64_t first, double *sums) {
    int64_t plane = j->out[1] * j->out[2], n = plane - first < POSITIONS ? plane - first : POSITIONS;
    for (int64_t o = 0; o < j->oc; o++, sums += POSITIONS) {
        int64_t channel = ng % j->group * j->oc + o, at = ((ng * j->oc + o) * j->out[0] + d) * plane + first;
        for (int64_t p = 0; p < n && j->b; p++) sums[p] += j->b[channel];
        for (int64_t p = 0; p < n && j->skip; p++) sums[p] += j->skip[at + p];
        interp_act_apply(&j->act, channel, sums, n);
        memcpy(j->y + at, sums, (size_t)n * sizeof *sums);
    }
}

static void conv_task(void *ctx, int64_t task, int thread) {
    const conv_job *j = ctx;
    int64_t first = task % j->chunks * POSITIONS, d = task / j->chunks % j->out[0],
            ng = task / j->chunks / j->out[0];
    double *gathered = j->scratch + thread * j->scratch_len, *sums = gathered + j->ic * POSITIONS;
    const double *x = j->x + ng * j->ic * j->in[0] * j->in[1] * j->in[2];
    const double *w = j->packed + ng % j->group * j->taps * j->blocks * j->ic * CHANNELS;
    joined from;
    memset(sums, 0, (size_t)(j->blocks * CHANNELS * POSITIONS) * sizeof *sums);
    for (int64_t kh = 0; kh < j->kernel[1]; kh++)
        for (int64_t kw = 0; kw < j->kernel[2]; kw++) {
            find_joined(j, first, kh, kw, &from);
            for (int64_t kd = 0; kd < j->kernel[0] && from.runs > 0; kd++) {
                int64_t z = source(j, 0, d, kd), tap = (kd * j->kernel[1] + kh) * j->kernel[2] + kw;
                if (z < 0) continue;
                add_tap(j, x + z * j->in[1] * j->in[2], &from, w + tap * j->blocks * j->ic * CHANNELS,
                        gathered, sums);
            }
        }
    store_sums(j, ng, d, first, sums);
}

static void set_axes(conv_job *j, const ir_node *n) {
    int skip = AXES - (n->in[0]->rank - 2);
    j->taps = 1;
    for (int a = 0; a < AXES; a++) {
        int s = a - skip;
        j->in[a] = s < 0 ? 1 : n->in[0]->dim[s + 2];
        j->out[a] = s < 0 ? 1 : n->out[0]->dim[s + 2];
        j->kernel[a] = s < 0 ? 1 : ir_ints(n, IR_KERNEL)[s];
        j->stride[a] = s < 0 ? 1 : ir_ints(n, IR_STRIDE)[s];
        j->dilation[a] = s < 0 ? 1 : ir_ints(n, IR_DILATION)[s];
        j->pad[a] = s < 0 ? 0 : ir_ints(n, IR_PAD)[s];
        j->taps *= j->kernel[a];
    }
}

static void set_channels(conv_job *j, const interp_call *c) {
    const ir_tensor *x = c->n->in[0], *y = c->n->out[0];
    j->group = ir_int(c->n, IR_GROUP);
    j->ic = x->dim[1] / j->group;
    j->oc = y->dim[1] / j->group;
    j->w_group = j->ic * j->oc * j->taps;
    j->w_out = j->transposed ? j->taps : j->ic * j->taps;
    j->w_in = j->transposed ? j->oc * j->taps : j->taps;
    j->x = c->in[0].f;
    j->w = c->in[1].f;
    j->b = c->n->n_in > 2 ? c->in[2].f : NULL;
    j->skip = ir_skip(c->n) ? c->in[IR_SKIP].f : NULL;
    j->y = c->out[0].f;
    j->act = interp_act_of(c);
}

static void pack_weights(const conv_job *j) {
    double *to = j->packed;
    for (int64_t g = 0; g < j->group; g++)
        for (int64_t tap = 0; tap < j->taps; tap++)
            for (int64_t b = 0; b < j->blocks; b++)
                for (int64_t i = 0; i < j->ic; i++)
                    for (int64_t o = b * CHANNELS; o < (b + 1) * CHANNELS; o++)
                        *to++ = o < j->oc ? j->w[g * j->w_group + o * j->w_out + i * j->w_in + tap] : 0;
}

static bool run_conv(const interp_call *c, bool transposed) {
    conv_job j = {.transposed = transposed};
    bool ok;
    set_axes(&j, c->n);
    set_channels(&j, c);
    j.blocks = (j.oc + CHANNELS - 1) / CHANNELS;
    j.chunks = (j.out[1] * j.out[2] + POSITIONS - 1) / POSITIONS;
    j.scratch_len = (j.ic + j.blocks * CHANNELS) * POSITIONS;
    j.packed = calloc((size_t)(j.group * j.taps * j.blocks * j.ic * CHANNELS) + 1, sizeof *j.packed);
    j.scratch = calloc((size_t)(c->threads * j.scratch_len) + 1, sizeof *j.scratch);
    ok = j.packed && j.scratch;
    if (ok) {
        pack_weights(&j);
        interp_parallel(c->threads, c->n->out[0]->dim[0] * j.group * j.out[0] * j.chunks, conv_task, &j);
    }
    free(j.packed);
    free(j.scratch);
    return ok || ir_fail(c->d, IR_EXIT_FAILURE, "%s: out of memory", c->n->name);
}

bool interp_conv(const interp_call *c) {
    return run_conv(c, false);
}
bool interp_conv_transpose(const interp_call *c) {
    return run_conv(c, true);
}
