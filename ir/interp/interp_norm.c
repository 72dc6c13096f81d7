/* interp_norm.c: interpreter, normalisations over channels and along one axis: batch and instance norm,
 * softmax, arg max. */
#include "interp.h"

#include <math.h>

typedef struct norm_job {
    const interp_call *c;
    int64_t channels, groups, voxels;
    double eps;
    interp_act act;
} norm_job;

/* y = (x - mean) * scale / sqrt(variance + eps) + bias over one channel. */
static void normalise(const norm_job *j, int64_t task, double mean, double variance) {
    const ir_value *in = j->c->in;
    int64_t ch = task % j->channels;
    const double *x = in[0].f + task * j->voxels;
    double *y = j->c->out[0].f + task * j->voxels;
    double scale = in[1].f[ch] / sqrt(variance + j->eps), bias = in[2].f[ch];
    for (int64_t i = 0; i < j->voxels; i++) y[i] = (x[i] - mean) * scale + bias;
    interp_act_apply(&j->act, ch, y, j->voxels);
}

static void batch_channel(void *ctx, int64_t task, int thread) {
    const norm_job *j = ctx;
    int64_t ch = task % j->channels;
    (void)thread;
    normalise(j, task, j->c->in[3].f[ch], j->c->in[4].f[ch]);
}

/* Over the group of channels that (n, channel) number `task` belongs to. */
static void statistics(const norm_job *j, int64_t task, double *mean, double *variance) {
    int64_t each = j->channels / j->groups, count = each * j->voxels;
    const double *x = j->c->in[0].f + task / each * count;
    *mean = *variance = 0;
    for (int64_t i = 0; i < count; i++) *mean += x[i];
    *mean /= (double)count;
    for (int64_t i = 0; i < count; i++) *variance += (x[i] - *mean) * (x[i] - *mean);
    *variance /= (double)count;
}

static void instance_channel(void *ctx, int64_t task, int thread) {
    const norm_job *j = ctx;
    double mean, variance;
    (void)thread;
    statistics(j, task, &mean, &variance);
    normalise(j, task, mean, variance);
}

static void terms_channel(void *ctx, int64_t task, int thread) {
    const norm_job *j = ctx;
    int64_t ch = task % j->channels;
    double *y = j->c->out[0].f + task / j->channels * 3 * j->channels + ch, mean, variance;
    (void)thread;
    statistics(j, task, &mean, &variance);
    y[0] = mean;
    y[j->channels] = j->c->in[1].f[ch] / sqrt(variance + j->eps);
    y[2 * j->channels] = j->c->in[2].f[ch];
}

static void normalise_channel(void *ctx, int64_t task, int thread) {
    const norm_job *j = ctx;
    int64_t ch = task % j->channels;
    const double *x = j->c->in[0].f + task * j->voxels;
    const double *t = j->c->in[1].f + task / j->channels * 3 * j->channels + ch;
    double *y = j->c->out[0].f + task * j->voxels;
    (void)thread;
    for (int64_t i = 0; i < j->voxels; i++) y[i] = (x[i] - t[0]) * t[j->channels] + t[2 * j->channels];
    interp_act_apply(&j->act, ch, y, j->voxels);
}

static norm_job norm_of(const interp_call *c) {
    const ir_tensor *x = c->n->in[0];
    norm_job j = {.c = c, .channels = x->rank > 1 ? x->dim[1] : 1, .voxels = 1};
    j.groups = ir_get(c->n, IR_GROUP) ? ir_int(c->n, IR_GROUP) : j.channels;
    j.eps = ir_get(c->n, IR_EPS) ? ir_float(c->n, IR_EPS) : 0;
    for (int a = 2; a < x->rank; a++) j.voxels *= x->dim[a];
    return j;
}

bool interp_batch_norm(const interp_call *c) {
    norm_job j = norm_of(c);
    interp_parallel(c->threads, c->n->in[0]->dim[0] * j.channels, batch_channel, &j);
    return true;
}

bool interp_instance_norm(const interp_call *c) {
    norm_job j = norm_of(c);
    j.act = interp_act_of(c);
    interp_parallel(c->threads, c->n->in[0]->dim[0] * j.channels, instance_channel, &j);
    return true;
}

bool interp_norm_terms(const interp_call *c) {
    norm_job j = norm_of(c);
    interp_parallel(c->threads, c->n->in[0]->dim[0] * j.channels, terms_channel, &j);
    return true;
}

bool interp_normalise(const interp_call *c) {
    norm_job j = norm_of(c);
    j.act = interp_act_of(c);
    interp_parallel(c->threads, c->n->in[0]->dim[0] * j.channels, normalise_channel, &j);
    return true;
}

/* ---- along one axis -------------------------------------------------------------------------- */

typedef struct axis_job {
    interp_axis s;
    const double *x;
    double *y;
    bool log;
    int64_t chunks;
} axis_job;

enum { CHUNK = 4096 };

/* CHUNK positions beside the axis. */
static void softmax_chunk(void *ctx, int64_t task, int thread) {
    const axis_job *j = ctx;
    interp_axis s = j->s;
    int64_t outer = task / j->chunks, begin = task % j->chunks * CHUNK;
    int64_t end = begin + CHUNK < s.inner ? begin + CHUNK : s.inner;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const double *x = j->x + outer * s.axis * s.inner + i;
        double *y = j->y + outer * s.axis * s.inner + i, max = -INFINITY, sum = 0;
        for (int64_t a = 0; a < s.axis; a++) max = x[a * s.inner] > max ? x[a * s.inner] : max;
        for (int64_t a = 0; a < s.axis; a++) sum += exp(x[a * s.inner] - max);
        for (int64_t a = 0; a < s.axis; a++)
            y[a * s.inner] = j->log ? x[a * s.inner] - max - log(sum) : exp(x[a * s.inner] - max) / sum;
    }
}

bool interp_softmax(const interp_call *c) {
    axis_job j = {
        .s = interp_split(c->n->in[0], (int)ir_int(c->n, IR_AXIS)), .x = c->in[0].f, .y = c->out[0].f};
    j.log = c->n->op == IR_OP_LOG_SOFTMAX;
    j.chunks = (j.s.inner + CHUNK - 1) / CHUNK;
    interp_parallel(c->threads, j.s.outer * j.chunks, softmax_chunk, &j);
    return true;
}

/* Whether element a of x wins over element b, which comes before it. NaN neither wins nor loses. */
static bool wins(const ir_value *x, int64_t a, int64_t b, bool last) {
    if (x->f) return x->f[a] > x->f[b] || (last && x->f[a] == x->f[b]);
    return x->i[a] > x->i[b] || (last && x->i[a] == x->i[b]);
}

bool interp_arg_max(const interp_call *c) {
    interp_axis s = interp_split(c->n->in[0], (int)ir_int(c->n, IR_AXIS));
    bool last = ir_int(c->n, IR_SELECT_LAST) != 0;
    for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
            int64_t at = o * s.axis * s.inner + i, best = 0;
            for (int64_t a = 1; a < s.axis; a++)
                if (wins(&c->in[0], at + a * s.inner, at + best * s.inner, last)) best = a;
            c->out[0].i[o * s.inner + i] = best;
        }
    return true;
}
