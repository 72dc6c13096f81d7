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

/* Plane by plane, an outer index is one n and plane. */
static inline int64_t vox_reduce_inner(const vox_reduce *g) {
    return g->plane ? g->plane : g->inner;
}
static inline int64_t vox_reduce_runs(const vox_reduce *g, vox_range range) {
    const int64_t outer = g->plane ? g->outer * (range.end - range.begin) : g->outer;
    return outer * ((vox_reduce_inner(g) + VOX_REDUCE_RUN - 1) / VOX_REDUCE_RUN);
}
static inline int64_t vox_reduce_runs_per_task(const vox_reduce *g) {
    const int64_t inner = vox_reduce_inner(g);
    const int64_t run = g->axis * (inner < VOX_REDUCE_RUN ? inner : VOX_REDUCE_RUN);
    return run < VOX_REDUCE_PART ? VOX_REDUCE_PART / (run > 0 ? run : 1) : 1;
}
VOX_KERNEL int vox_reduce_tasks(const vox_reduce *g, vox_range range) {
    const int64_t per = vox_reduce_runs_per_task(g);
    return (int)((vox_reduce_runs(g, range) + per - 1) / per);
}

/* A run: `n` neighbouring positions of outer index `outer`, the first of them at x_at in x and y_at in y,
 * which hold as many positions per outer index as the inner lengths of `x` and `y` say. */
typedef struct vox_reduce_run {
    vox_reduce x, y;
    int64_t outer, x_at, y_at;
    int n;
} vox_reduce_run;

/* The memory of a ring, of which plane z is wanted: as many positions as it has; *at: where the plane begins.
 */
static inline int64_t vox_reduce_ring(const vox_reduce *g, int ring, int64_t z, int64_t *at) {
    *at = (ring > 0 ? z % ring : z) * g->plane;
    return (ring > 0 ? ring : g->depth) * g->plane;
}
static inline vox_reduce_run vox_reduce_run_at(const vox_reduce *g, vox_range range, int64_t run) {
    const int64_t inner = vox_reduce_inner(g), per_outer = (inner + VOX_REDUCE_RUN - 1) / VOX_REDUCE_RUN;
    const int64_t from = run % per_outer * VOX_REDUCE_RUN;
    vox_reduce_run r = {.x = *g, .y = *g, .outer = run / per_outer};
    if (g->plane) {
        const int planes = range.end - range.begin;
        const int64_t z = range.begin + r.outer % planes;
        r.outer /= planes;
        r.x.inner = vox_reduce_ring(g, g->x_ring, z, &r.x_at);
        r.y.inner = vox_reduce_ring(g, g->y_ring, z, &r.y_at);
    }
    r.x_at += from, r.y_at += from;
    r.n = (int)(inner - from < VOX_REDUCE_RUN ? inner - from : VOX_REDUCE_RUN);
    return r;
}
/* The runs [begin, *last) of a task. */
static inline int64_t vox_reduce_task(const vox_reduce *g, vox_range range, int task, int64_t *last) {
    const int64_t per = vox_reduce_runs_per_task(g), runs = vox_reduce_runs(g, range);
    *last = (task + 1) * per < runs ? (task + 1) * per : runs;
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

static inline void vox_softmax_run(const vox_reduce_run *r, vox_xy o) {
    const vox_reduce *g = &r->x;
    const int step = g->block ? VOX_BLOCK : 1, n = r->n;
    float most[VOX_REDUCE_RUN] = {0}, sum[VOX_REDUCE_RUN] = {0}, v[VOX_REDUCE_RUN] = {0};
    for (int i = 0; i < n; i++) most[i] = -INFINITY;
    for (int64_t a = 0; a < g->axis; a++) {
        const float *p = o.x + vox_reduce_at(g, r->outer, a, r->x_at);
        for (int i = 0; i < n; i++) most[i] = p[i * step] > most[i] ? p[i * step] : most[i];
    }
    for (int64_t a = 0; a < g->axis; a++) {
        const float *from = o.x + vox_reduce_at(g, r->outer, a, r->x_at);
        float *to = o.y + vox_reduce_at(&r->y, r->outer, a, r->y_at);
        for (int i = 0; i < n; i++) v[i] = from[i * step];
        if (g->log)
            for (int i = 0; i < n; i++) to[i * step] = v[i] - most[i];
        vox_reduce_exp(v, most, n);
        for (int i = 0; i < n; i++) sum[i] += v[i];
        if (!g->log)
            for (int i = 0; i < n; i++) to[i * step] = v[i];
    }
    for (int i = 0; i < n; i++) sum[i] = g->log ? logf(sum[i]) : 1.0f / sum[i];
    for (int64_t a = 0; a < g->axis; a++) {
        float *p = o.y + vox_reduce_at(&r->y, r->outer, a, r->y_at);
        for (int i = 0; i < n; i++) p[i * step] = g->log ? p[i * step] - sum[i] : p[i * step] * sum[i];
    }
    if (!g->block || g->axis % VOX_BLOCK == 0) return;
    for (int64_t a = g->axis; a % VOX_BLOCK != 0; a++)
        for (int i = 0; i < n; i++) o.y[vox_reduce_at(&r->y, r->outer, a, r->y_at) + i * VOX_BLOCK] = 0.0f;
}

VOX_KERNEL void vox_f32_softmax(const vox_reduce *g, vox_xy o, vox_range range, int task) {
    int64_t last;
    for (int64_t run = vox_reduce_task(g, range, task, &last); run < last; run++) {
        const vox_reduce_run r = vox_reduce_run_at(g, range, run);
        vox_softmax_run(&r, o);
    }
}

VOX_KERNEL void vox_f32_arg_max(const vox_reduce *g, vox_arg_max_operands o, vox_range range, int task) {
    int64_t last;
    const int step = g->block ? VOX_BLOCK : 1;
    for (int64_t run = vox_reduce_task(g, range, task, &last); run < last; run++) {
        const vox_reduce_run r = vox_reduce_run_at(g, range, run);
        int64_t *best = o.y + r.outer * r.y.inner + r.y_at;
        float most[VOX_REDUCE_RUN];
        for (int64_t a = 0; a < g->axis; a++) {
            const float *p = o.x + vox_reduce_at(&r.x, r.outer, a, r.x_at);
            for (int i = 0; i < r.n; i++)
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
VOX_KERNEL void vox_f32_reduce(const vox_reduce *g, vox_xy o, vox_range range, int task) {
    const vox_reduction kind = g->kind;
    int64_t last;
    for (int64_t run = vox_reduce_task(g, range, task, &last); run < last; run++) {
        const vox_reduce_run r = vox_reduce_run_at(g, range, run);
        const int64_t outer = r.outer, inner = r.x_at;
        const int n = r.n;
        double value[VOX_REDUCE_RUN] = {0};
        for (int64_t a = 0; a < g->axis; a++) {
            const float *p = o.x + vox_reduce_at(g, outer, a, inner);
            for (int i = 0; i < n; i++)
                value[i] = a ? vox_reduce_join(kind, value[i], (double)p[i]) : (double)p[i];
        }
        for (int i = 0; i < n; i++)
            o.y[outer * g->inner + inner + i] =
                (float)(kind == VOX_REDUCE_MEAN ? value[i] / (double)g->axis : value[i]);
    }
}

#endif
