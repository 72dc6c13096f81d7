/* interp_pool.c: interpreter, max and average pooling over 1 to 3 spatial axes. */
#include "interp.h"

#include <math.h>
#include <stdlib.h>

enum { AXES = 3 }; /* spatial axes; the missing ones in front have extent 1 */

typedef struct pool_job {
    bool average, include_pad;
    int64_t in[AXES], out[AXES], kernel[AXES], stride[AXES], dilation[AXES], pad[AXES], pad_end[AXES];
    const double *x;
    double *y;
} pool_job;

/* Taps k of one axis, for output position o: those from first to last (excluded) lie inside the input. */
typedef struct window {
    int64_t at, first, last; /* at: input position of tap 0 */
    int64_t padded;          /* taps inside the padded input */
} window;

static window find_window(const pool_job *j, int axis, int64_t o) {
    window w = {.at = o * j->stride[axis] - j->pad[axis], .first = j->kernel[axis]};
    for (int64_t k = 0; k < j->kernel[axis]; k++) {
        int64_t at = w.at + k * j->dilation[axis];
        if (at < j->in[axis] + j->pad_end[axis]) w.padded++;
        if (at < 0 || at >= j->in[axis]) continue;
        if (k < w.first) w.first = k;
        w.last = k + 1;
    }
    return w;
}

static double pool_one(const pool_job *j, const double *x, const window *w) {
    double best = -INFINITY, sum = 0;
    int64_t count = 0;
    for (int64_t kd = w[0].first; kd < w[0].last; kd++)
        for (int64_t kh = w[1].first; kh < w[1].last; kh++)
            for (int64_t kw = w[2].first; kw < w[2].last; kw++) {
                int64_t d = w[0].at + kd * j->dilation[0], h = w[1].at + kh * j->dilation[1];
                double v = x[(d * j->in[1] + h) * j->in[2] + w[2].at + kw * j->dilation[2]];
                best = v > best || isnan(v) ? v : best;
                sum += v;
                count++;
            }
    if (!j->average) return best;
    if (j->include_pad) count = w[0].padded * w[1].padded * w[2].padded;
    return count > 0 ? sum / (double)count : 0;
}

/* One channel of one batch. */
static void pool_channel(void *ctx, int64_t task, int thread) {
    const pool_job *j = ctx;
    const double *x = j->x + task * j->in[0] * j->in[1] * j->in[2];
    double *y = j->y + task * j->out[0] * j->out[1] * j->out[2];
    window w[AXES];
    (void)thread;
    for (int64_t d = 0; d < j->out[0]; d++) {
        w[0] = find_window(j, 0, d);
        for (int64_t h = 0; h < j->out[1]; h++) {
            w[1] = find_window(j, 1, h);
            for (int64_t i = 0; i < j->out[2]; i++) {
                w[2] = find_window(j, 2, i);
                *y++ = pool_one(j, x, w);
            }
        }
    }
}

static bool run_pool(const interp_call *c, bool average) {
    const ir_node *n = c->n;
    int spatial = n->in[0]->rank - 2, skip = AXES - spatial;
    pool_job j = {.average = average, .x = c->in[0].f, .y = c->out[0].f};
    j.include_pad = average && ir_int(n, IR_INCLUDE_PAD);
    for (int a = 0; a < AXES; a++) {
        int s = a - skip;
        j.in[a] = s < 0 ? 1 : n->in[0]->dim[s + 2];
        j.out[a] = s < 0 ? 1 : n->out[0]->dim[s + 2];
        j.kernel[a] = s < 0 ? 1 : ir_ints(n, IR_KERNEL)[s];
        j.stride[a] = s < 0 ? 1 : ir_ints(n, IR_STRIDE)[s];
        j.dilation[a] = s < 0 ? 1 : ir_ints(n, IR_DILATION)[s];
        j.pad[a] = s < 0 ? 0 : ir_ints(n, IR_PAD)[s];
        j.pad_end[a] = s < 0 ? 0 : ir_ints(n, IR_PAD)[spatial + s];
    }
    interp_parallel(c->threads, n->in[0]->dim[0] * n->in[0]->dim[1], pool_channel, &j);
    return true;
}

/* Integers pass through double, exactly but for the largest i64. */
static bool pool_integers(const interp_call *c) {
    int64_t n_in = ir_count(c->n->in[0]), n_out = ir_count(c->n->out[0]);
    double *x = malloc(((size_t)n_in + 1) * sizeof *x), *y = malloc(((size_t)n_out + 1) * sizeof *y);
    ir_value in = {x, NULL}, out = {y, NULL};
    interp_call floats = *c;
    bool ok = x && y;
    floats.in = &in;
    floats.out = &out;
    for (int64_t i = 0; i < n_in && ok; i++) x[i] = (double)c->in[0].i[i];
    ok = ok && run_pool(&floats, false);
    for (int64_t i = 0; i < n_out && ok; i++)
        c->out[0].i[i] = isinf(y[i]) ? 0 : interp_whole(c->n->out[0]->dtype, y[i]);
    free(x);
    free(y);
    return ok || ir_fail(c->d, IR_EXIT_FAILURE, "%s: out of memory", c->n->name);
}

bool interp_max_pool(const interp_call *c) {
    return c->in[0].f ? run_pool(c, false) : pool_integers(c);
}
bool interp_average_pool(const interp_call *c) {
    return run_pool(c, true);
}
