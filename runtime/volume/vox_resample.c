/* SPDX-License-Identifier: MIT-0 */
/* vox_resample.c: see vox_resample.h. Linear and nearest volumes go plane by plane here; the rest axis after axis, in
 * vox_resample_axes.c. */
#include "vox_resample.h"

#include "vox_parallel.h"
#include "vox_resample_axes.h"

enum { CHUNK = 16, CHUNKS = 16 }; /* new planes that one task computes, at least; tasks, at most */

/* ---- planes ---------------------------------------------------------------------------------- */

void vox_mix(float *out, const float *a, const float *b, double weight, size_t n) {
    const float w = (float)weight, v = 1 - w;
    for (size_t i = 0; i < n; i++) out[i] = v * a[i] + w * b[i];
}

static void along_x(const vox_plane_taps *p, const float *row, float *out) {
    for (int i = 0; i < p->n_x; i++) {
        const vox_tap *t = &p->x[i];
        const float w = (float)t->weight;
        out[i] = (1 - w) * row[t->first] + w * row[t->second];
    }
}

void vox_resample_plane(const vox_plane_taps *p, const float *in, float *out, float *rows) {
    float *row[2] = {rows, rows + p->n_x};
    int held[2] = {-1, -1};
    for (int y = 0; y < p->n_y; y++, out += p->n_x) {
        int wanted[2] = {p->y[y].first, p->y[y].second};
        for (int k = 0; k < 2; k++) {
            int at = wanted[k] & 1; /* neighbours differ in it */
            if (held[at] == wanted[k]) continue;
            along_x(p, in + (size_t)wanted[k] * (size_t)p->columns, row[at]);
            held[at] = wanted[k];
        }
        vox_mix(out, row[wanted[0] & 1], row[wanted[1] & 1], p->y[y].weight, (size_t)p->n_x);
    }
}

/* ---- volumes, linear and nearest ------------------------------------------------------------- */

typedef struct linear_job {
    const vox_resample *r;
    const float *in;
    float *out, *planes; /* of each task: two planes of the new grid, two rows */
    vox_plane_taps plane;
    const vox_tap *z;
    int tasks;
} linear_job;

static int linear_tasks(const vox_resample *r) {
    int n = (r->to[2] + CHUNK - 1) / CHUNK;
    return n < CHUNKS ? n : CHUNKS;
}

static size_t task_floats(const vox_resample *r) {
    return 2 * ((size_t)r->to[1] + 1) * (size_t)r->to[0];
}

static void linear_task(void *argument, int task) {
    const linear_job *j = argument;
    size_t plane = (size_t)j->r->to[0] * (size_t)j->r->to[1],
           old = (size_t)j->r->from[0] * (size_t)j->r->from[1];
    float *held[2] = {j->planes + (size_t)task * task_floats(j->r)}, *rows;
    int index[2] = {-1, -1};
    held[1] = held[0] + plane;
    rows = held[1] + plane;
    int end = (int)vox_part((size_t)j->r->to[2], j->tasks, task + 1);
    for (int z = (int)vox_part((size_t)j->r->to[2], j->tasks, task); z < end; z++) {
        int wanted[2] = {j->z[z].first, j->z[z].second};
        for (int k = 0; k < 2; k++) {
            int at = wanted[k] & 1;
            if (index[at] == wanted[k]) continue;
            vox_resample_plane(&j->plane, j->in + (size_t)wanted[k] * old, held[at], rows);
            index[at] = wanted[k];
        }
        vox_mix(j->out + (size_t)z * plane, held[wanted[0] & 1], held[wanted[1] & 1], j->z[z].weight, plane);
    }
}

size_t vox_resample_taps_floats(const vox_resample *r) {
    return (size_t)linear_tasks(r) * task_floats(r);
}

void vox_resample_taps(const vox_resample *r, const vox_tap *const taps[3], const float *in, float *out,
                       float *planes, const vox_executor *e) {
    linear_job j = {.r = r, .in = in, .out = out, .z = taps[2], .tasks = linear_tasks(r), .planes = planes};
    j.plane = (vox_plane_taps){r->from[0], r->to[0], r->to[1], taps[0], taps[1]};
    vox_parallel(e, j.tasks, linear_task, &j);
}

static void resample_linear(const vox_resample *r, const float *in, float *out, void *scratch,
                            const vox_executor *e) {
    vox_tap *taps[3] = {scratch};
    for (int k = 0; k < 3; k++) {
        if (k > 0) taps[k] = taps[k - 1] + r->to[k - 1];
        vox_taps_of(taps[k], r->to[k], r->order[k], r->from[k], r->scale[k], r->shift[k]);
    }
    const vox_tap *const all[3] = {taps[0], taps[1], taps[2]};
    vox_resample_taps(r, all, in, out, (float *)(taps[2] + r->to[2]), e);
}

/* ---- either ---------------------------------------------------------------------------------- */

int vox_resample_is_linear(const vox_resample *r) {
    for (int k = 0; k < 3; k++) {
        if (r->order[k] == VOX_CUBIC || r->sigma[k] > 0) return 0;
    }
    return 1;
}

size_t vox_resample_bytes(const vox_resample *r) {
    if (!vox_resample_is_linear(r)) return vox_resample_axes_bytes(r);
    size_t taps = (size_t)r->to[0] + (size_t)r->to[1] + (size_t)r->to[2];
    return taps * sizeof(vox_tap) + vox_resample_taps_floats(r) * sizeof(float);
}

void vox_resample_volume(const vox_resample *r, const float *in, float *out, void *scratch,
                         const vox_executor *e) {
    if (vox_resample_is_linear(r)) {
        resample_linear(r, in, out, scratch, e);
    } else {
        vox_resample_axes(r, in, out, scratch, e);
    }
}
