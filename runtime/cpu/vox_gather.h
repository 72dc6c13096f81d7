/* SPDX-License-Identifier: MIT-0 */
/* vox_gather.h: indexing along an axis, and the members of a concat that have to be copied. */
#ifndef VOX_GATHER_H
#define VOX_GATHER_H

#include "vox_check.h"
#include "vox_copy.h"

enum { VOX_GATHER_TASKS = 64 };

/* y[o][i][...] = x[o][index[i]][...] over [outer][axis][inner] elements of `element` bytes; a negative index
 * counts from the end. */
typedef struct vox_gather {
    int64_t outer, axis, inner;
    int indices, element;
} vox_gather;

VOX_KERNEL int vox_gather_tasks(const vox_gather *g) {
    return g->outer < VOX_GATHER_TASKS ? (int)g->outer : VOX_GATHER_TASKS;
}
VOX_KERNEL void vox_gather_axis(const vox_gather *g, const void *x, const int64_t *index, void *y, int task) {
    const size_t run = (size_t)g->inner * (size_t)g->element;
    const int tasks = vox_gather_tasks(g);
    for (int64_t o = g->outer * task / tasks; o < g->outer * (task + 1) / tasks; o++)
        for (int i = 0; i < g->indices; i++) {
            const int64_t from = o * g->axis + (index[i] < 0 ? index[i] + g->axis : index[i]);
            memcpy((char *)y + (size_t)(o * g->indices + i) * run, (const char *)x + (size_t)from * run, run);
        }
}

static inline int vox_check_gather(vox_probe *p, const vox_gather *g, const void *x, const int64_t *index,
                                   const void *y) {
    vox_samples s = {0};
    const size_t run = (size_t)g->inner * (size_t)g->element;
    for (int i = 0; i < p->samples; i++) {
        const int64_t outer = vox_pick(p, i, 0, g->outer), k = vox_pick(p, i, 1, g->indices);
        const int64_t from = outer * g->axis + (index[k] < 0 ? index[k] + g->axis : index[k]);
        vox_sample_bytes(&s, (const char *)y + (size_t)(outer * g->indices + k) * run,
                         (const char *)x + (size_t)from * run, run);
    }
    return vox_judge(p, &s);
}

/* Copies n boxes, parts[i] from x[i] to y[i]. */
VOX_KERNEL int vox_concat_tasks(const vox_copy *parts, int n) {
    int tasks = 0;
    for (int i = 0; i < n; i++) tasks += vox_copy_tasks(&parts[i], 0, 0);
    return tasks;
}
VOX_KERNEL void vox_concat(const vox_copy *parts, int n, const void *const *x, void *const *y, int task) {
    for (int i = 0; i < n; i++) {
        const int tasks = vox_copy_tasks(&parts[i], 0, 0);
        if (task < tasks) {
            vox_copy_box(&parts[i], 0, 0, x[i], y[i], task);
            return;
        }
        task -= tasks;
    }
}
static inline int vox_check_concat(vox_probe *p, const vox_copy *parts, int n, const void *const *x,
                                   void *const *y) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) vox_sample_copy(p, &s, i, &parts[i % n], x[i % n], y[i % n]);
    return vox_judge(p, &s);
}

#endif
