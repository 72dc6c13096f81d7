/* SPDX-License-Identifier: MIT-0 */
/* vox_reduce.h: softmax, arg max and reductions along one axis of a tensor seen as [outer][axis][inner], or
 * along the channels of a blocked one. The work is cut into runs of at most VOX_REDUCE_RUN neighbouring
 * positions of one outer index; a task does as many runs as hold about VOX_REDUCE_PART floats. Softmax may be
 * in place.
 */
#ifndef VOX_REDUCE_H
#define VOX_REDUCE_H

#include "vox_act.h"

enum { VOX_REDUCE_RUN = 64, VOX_REDUCE_PART = 1 << 15 };
typedef enum vox_reduction {
    VOX_REDUCE_SUM,
    VOX_REDUCE_MEAN,
    VOX_REDUCE_MAX,
    VOX_REDUCE_MIN,
    VOX_REDUCE_PROD
} vox_reduction;

static inline int64_t vox_reduce_runs(const vox_reduce *g) {
    return g->outer * ((g->inner + VOX_REDUCE_RUN - 1) / VOX_REDUCE_RUN);
}
static inline int64_t vox_reduce_runs_per_task(const vox_reduce *g) {
    const int64_t run = g->axis * (g->inner < VOX_REDUCE_RUN ? g->inner : VOX_REDUCE_RUN);
    return run < VOX_REDUCE_PART ? VOX_REDUCE_PART / (run > 0 ? run : 1) : 1;
}
VOX_KERNEL int vox_reduce_tasks(const vox_reduce *g) {
    const int64_t per = vox_reduce_runs_per_task(g);
    return (int)((vox_reduce_runs(g) + per - 1) / per);
}

/* Run number `run`: its outer index, first inner index and length. */
static inline int vox_reduce_run_at(const vox_reduce *g, int64_t run, int64_t *outer, int64_t *inner) {
    const int64_t per_outer = (g->inner + VOX_REDUCE_RUN - 1) / VOX_REDUCE_RUN;
    *outer = run / per_outer, *inner = run % per_outer * VOX_REDUCE_RUN;
    return (int)(g->inner - *inner < VOX_REDUCE_RUN ? g->inner - *inner : VOX_REDUCE_RUN);
}
/* The runs [begin, end) of a task. */
static inline int64_t vox_reduce_task(const vox_reduce *g, int task, int64_t *end) {
    const int64_t per = vox_reduce_runs_per_task(g), runs = vox_reduce_runs(g);
    *end = (task + 1) * per < runs ? (task + 1) * per : runs;
    return task * per;
}
/* Where element (outer, a, inner) stands. Positions of one run are `step` apart. */
static inline int64_t vox_reduce_at(const vox_reduce *g, int64_t outer, int64_t a, int64_t inner) {
    if (!g->block) return (outer * g->axis + a) * g->inner + inner;
    const int64_t blocks = (g->axis + VOX_BLOCK - 1) / VOX_BLOCK;
    return ((outer * blocks + a / VOX_BLOCK) * g->inner + inner) * VOX_BLOCK + a % VOX_BLOCK;
}

/* v[i] = exp(v[i] - m[i]) */
VOX_NOINLINE void vox_reduce_exp(float v[VOX_REDUCE_RUN], const float m[VOX_REDUCE_RUN], int n) {
    for (int i = 0; i < n; i += VOX_VL) vox_store(v + i, vox_exp(vox_load(v + i) - vox_load(m + i)));
}

static inline void vox_softmax_run(const vox_reduce *g, const float *x, float *y, int64_t outer,
                                   int64_t inner, int n) {
    const int step = g->block ? VOX_BLOCK : 1;
    float most[VOX_REDUCE_RUN] = {0}, sum[VOX_REDUCE_RUN] = {0}, v[VOX_REDUCE_RUN] = {0};
    for (int i = 0; i < n; i++) most[i] = -INFINITY;
    for (int64_t a = 0; a < g->axis; a++) {
        const float *p = x + vox_reduce_at(g, outer, a, inner);
        for (int i = 0; i < n; i++) most[i] = p[i * step] > most[i] ? p[i * step] : most[i];
    }
    for (int64_t a = 0; a < g->axis; a++) {
        const int64_t at = vox_reduce_at(g, outer, a, inner);
        for (int i = 0; i < n; i++) v[i] = x[at + i * step];
        if (g->log)
            for (int i = 0; i < n; i++) y[at + i * step] = v[i] - most[i];
        vox_reduce_exp(v, most, n);
        for (int i = 0; i < n; i++) sum[i] += v[i];
        if (!g->log)
            for (int i = 0; i < n; i++) y[at + i * step] = v[i];
    }
    for (int i = 0; i < n; i++) sum[i] = g->log ? logf(sum[i]) : 1.0f / sum[i];
    for (int64_t a = 0; a < g->axis; a++) {
        float *p = y + vox_reduce_at(g, outer, a, inner);
        for (int i = 0; i < n; i++) p[i * step] = g->log ? p[i * step] - sum[i] : p[i * step] * sum[i];
    }
    if (!g->block || g->axis % VOX_BLOCK == 0) return;
    for (int64_t a = g->axis; a % VOX_BLOCK != 0; a++)
        for (int i = 0; i < n; i++) y[vox_reduce_at(g, outer, a, inner) + i * VOX_BLOCK] = 0.0f;
}

VOX_KERNEL void vox_f32_softmax(const vox_reduce *g, const float *x, float *y, int task) {
    int64_t end, outer, inner;
    for (int64_t run = vox_reduce_task(g, task, &end); run < end; run++) {
        const int n = vox_reduce_run_at(g, run, &outer, &inner);
        vox_softmax_run(g, x, y, outer, inner, n);
    }
}

VOX_KERNEL void vox_f32_arg_max(const vox_reduce *g, const float *x, int64_t *y, int task) {
    int64_t end, outer, inner;
    const int step = g->block ? VOX_BLOCK : 1;
    for (int64_t run = vox_reduce_task(g, task, &end); run < end; run++) {
        const int n = vox_reduce_run_at(g, run, &outer, &inner);
        int64_t *best = y + outer * g->inner + inner;
        float most[VOX_REDUCE_RUN];
        for (int64_t a = 0; a < g->axis; a++) {
            const float *p = x + vox_reduce_at(g, outer, a, inner);
            for (int i = 0; i < n; i++)
                if (a == 0 || p[i * step] > most[i] || (g->select_last && p[i * step] == most[i]))
                    most[i] = p[i * step], best[i] = a;
        }
    }
}

static inline double vox_reduce_join(vox_reduction kind, double a, double b) {
    switch (kind) {
    case VOX_REDUCE_SUM:
    case VOX_REDUCE_MEAN:
        return a + b;
    case VOX_REDUCE_MAX:
        return b > a || isnan(b) ? b : a;
    case VOX_REDUCE_MIN:
        return b < a || isnan(b) ? b : a;
    case VOX_REDUCE_PROD:
        return a * b;
    }
    return a;
}
/* y: [outer][inner]; joined in double precision. x is plain. */
VOX_KERNEL void vox_f32_reduce(const vox_reduce *g, vox_reduction kind, const float *x, float *y, int task) {
    int64_t end, outer, inner;
    for (int64_t run = vox_reduce_task(g, task, &end); run < end; run++) {
        const int n = vox_reduce_run_at(g, run, &outer, &inner);
        double value[VOX_REDUCE_RUN] = {0};
        for (int64_t a = 0; a < g->axis; a++) {
            const float *p = x + vox_reduce_at(g, outer, a, inner);
            for (int i = 0; i < n; i++)
                value[i] = a ? vox_reduce_join(kind, value[i], (double)p[i]) : (double)p[i];
        }
        for (int i = 0; i < n; i++)
            y[outer * g->inner + inner + i] =
                (float)(kind == VOX_REDUCE_MEAN ? value[i] / (double)g->axis : value[i]);
    }
}

#endif
