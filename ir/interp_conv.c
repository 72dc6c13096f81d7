/* interp_conv.c: interpreter, convolution and transposed convolution over 1 to 3 spatial axes.
 *
 * Both add weighted rows of the input to rows of the output. Rows run along the last axis (w); four output
 * channels share each row of x that is read. A task owns four channels of one output plane, so that results
 * do not depend on the number of threads.
 */
#include "interp.h"

#include <stdlib.h>
#include <string.h>

enum {
    AXES = 3,
    CHANNELS = 4
}; /* spatial axes, the missing ones in front have extent 1; channels of a task */

/* What tap k of the last axis adds where: rows[dst + i] += w * x[src + i * x_step], 0 <= i < n. */
typedef struct span {
    int64_t dst, src, n;
} span;

typedef struct conv_job {
    bool transposed;
    int64_t ic, oc, group; /* channels per group */
    int64_t in[AXES], out[AXES], kernel[AXES], stride[AXES], dilation[AXES], pad[AXES];
    int64_t taps;                 /* kernel elements */
    int64_t w_group, w_out, w_in; /* how far apart groups, output channels, input channels are in w */
    const double *x, *w, *b;      /* b may be NULL */
    double *y;
    interp_act act;

    /* A transposed convolution with stride s sums each of the s phases of a row (w % s) on its own, so that
     * its inner loop is dense too. A convolution has one phase. */
    int64_t phases, phase_len;
    int64_t x_step;
    span *spans; /* kernel[2] of them */
    double
        *scratch; /* for each thread: CHANNELS rows of phases * phase_len, then the task's packed weights */
    int64_t scratch_len;
} conv_job;

/* For every tap k of the last axis: rows[r][dst + i] += w[k][r] * x[src + i * step]. All the time is spent
 * here. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "arch=haswell", "default"), optimize("O3")))
#endif
static void
add_rows(double *restrict rows, int64_t pitch, const double *restrict x, int64_t step, const span *spans,
         int64_t taps, const double *restrict w) {
    for (int64_t k = 0; k < taps; k++, w += CHANNELS) {
        double *y0 = rows + spans[k].dst, *y1 = y0 + pitch, *y2 = y1 + pitch, *y3 = y2 + pitch;
        const double *from = x + spans[k].src;
        const double w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
        const int64_t n = spans[k].n, s = step;
        if (s == 1) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC ivdep
#endif
            for (int64_t i = 0; i < n; i++) {
                y0[i] += w0 * from[i];
                y1[i] += w1 * from[i];
                y2[i] += w2 * from[i];
                y3[i] += w3 * from[i];
            }
        } else {
            for (int64_t i = 0; i < n; i++) {
                y0[i] += w0 * from[i * s];
                y1[i] += w1 * from[i * s];
                y2[i] += w2 * from[i * s];
                y3[i] += w3 * from[i * s];
            }
        }
    }
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

/* Runs through the last axis once per tap, plainly, and notes where the run of joined positions begins and
 * ends. */
static void find_span(const conv_job *j, int64_t k, span *s) {
    *s = (span){0, 0, 0};
    for (int64_t o = 0; o < j->out[2]; o++) {
        int64_t from = source(j, 2, o, k);
        if (from < 0) continue;
        if (s->n == 0) *s = (span){o % j->phases * j->phase_len + o / j->phases, from, 0};
        s->n++;
    }
}

/* Weights of the task's channels as [ic][taps][CHANNELS]; zeros beyond the group's last channel. */
static void pack_weights(const conv_job *j, int64_t group, int64_t o, double *packed) {
    const double *from = j->w + group * j->w_group;
    for (int64_t i = 0; i < j->ic; i++)
        for (int64_t k = 0; k < j->taps; k++)
            for (int64_t r = 0; r < CHANNELS; r++)
                *packed++ = o + r < j->oc ? from[(o + r) * j->w_out + i * j->w_in + k] : 0;
}

/* The sums of output row (d, h) for the task's channels. x: first plane of the group's first input channel.
 */
static void sum_row(const conv_job *j, const double *x, const double *packed, int64_t d, int64_t h,
                    double *rows) {
    int64_t pitch = j->phases * j->phase_len, channel = j->in[0] * j->in[1] * j->in[2];
    for (int64_t kd = 0; kd < j->kernel[0]; kd++) {
        int64_t from_d = source(j, 0, d, kd);
        for (int64_t kh = 0; kh < j->kernel[1] && from_d >= 0; kh++) {
            int64_t from_h = source(j, 1, h, kh);
            if (from_h < 0) continue;
            const double *w = packed + (kd * j->kernel[1] + kh) * j->kernel[2] * CHANNELS;
            const double *row = x + (from_d * j->in[1] + from_h) * j->in[2];
            for (int64_t i = 0; i < j->ic; i++)
                add_rows(rows, pitch, row + i * channel, j->x_step, j->spans, j->kernel[2],
                         w + i * j->taps * CHANNELS);
        }
    }
}

/* Bias, phases put in order, activation. */
static void finish_row(const conv_job *j, const double *row, int64_t channel, double *y) {
    double bias = j->b ? j->b[channel] : 0;
    for (int64_t o = 0; o < j->out[2]; o++) y[o] = row[o % j->phases * j->phase_len + o / j->phases] + bias;
    interp_act_apply(&j->act, channel, y, j->out[2]);
}

static void conv_plane(void *ctx, int64_t task, int thread) {
    const conv_job *j = ctx;
    int64_t blocks = (j->oc + CHANNELS - 1) / CHANNELS, pitch = j->phases * j->phase_len;
    int64_t d = task % j->out[0], o = task / j->out[0] % blocks * CHANNELS;
    int64_t ng = task / j->out[0] / blocks; /* batch and group */
    const double *x = j->x + ng * j->ic * j->in[0] * j->in[1] * j->in[2];
    double *rows = j->scratch + thread * j->scratch_len, *packed = rows + CHANNELS * pitch;
    pack_weights(j, ng % j->group, o, packed);
    for (int64_t h = 0; h < j->out[1]; h++) {
        memset(rows, 0, (size_t)(CHANNELS * pitch) * sizeof *rows);
        sum_row(j, x, packed, d, h, rows);
        for (int64_t r = 0; r < CHANNELS && o + r < j->oc; r++) {
            int64_t plane = (ng * j->oc + o + r) * j->out[0] + d;
            finish_row(j, rows + r * pitch, ng % j->group * j->oc + o + r,
                       j->y + (plane * j->out[1] + h) * j->out[2]);
        }
    }
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
    j->y = c->out[0].f;
    j->act = interp_act_of(c);
}

static bool run_conv(const interp_call *c, bool transposed) {
    conv_job j = {.transposed = transposed};
    bool ok;
    set_axes(&j, c->n);
    set_channels(&j, c);
    j.phases = transposed ? j.stride[2] : 1;
    j.phase_len = (j.out[2] + j.phases - 1) / j.phases;
    j.x_step = transposed ? 1 : j.stride[2];
    j.scratch_len = CHANNELS * (j.phases * j.phase_len + j.ic * j.taps);
    j.spans = calloc((size_t)j.kernel[2], sizeof *j.spans);
    j.scratch = calloc((size_t)(c->threads * j.scratch_len), sizeof *j.scratch);
    ok = j.spans && j.scratch;
    if (ok) {
        for (int64_t k = 0; k < j.kernel[2]; k++) find_span(&j, k, &j.spans[k]);
        interp_parallel(c->threads,
                        c->n->out[0]->dim[0] * j.group * ((j.oc + CHANNELS - 1) / CHANNELS) * j.out[0],
                        conv_plane, &j);
    }
    free(j.spans);
    free(j.scratch);
    return ok || ir_fail(c->d, IR_EXIT_FAILURE, "%s: out of memory", c->n->name);
}

bool interp_conv(const interp_call *c) {
    return run_conv(c, false);
}
bool interp_conv_transpose(const interp_call *c) {
    return run_conv(c, true);
}
