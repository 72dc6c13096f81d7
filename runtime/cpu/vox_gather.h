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

VOX_KERNEL int vox_gather_tasks(const vox_gather *g, vox_range range) {
    (void)range;
    return g->outer < VOX_GATHER_TASKS ? (int)g->outer : VOX_GATHER_TASKS;
}
typedef struct vox_gather_operands {
    const void *x;
    const int64_t *index;
    void *y;
} vox_gather_operands;
VOX_KERNEL void vox_gather_axis(const vox_gather *g, vox_gather_operands o, vox_range range, int task) {
    const size_t run = (size_t)g->inner * (size_t)g->element;
    const int tasks = vox_gather_tasks(g, range);
    for (int64_t n = g->outer * task / tasks; n < g->outer * (task + 1) / tasks; n++)
        for (int i = 0; i < g->indices; i++) {
            const int64_t from = n * g->axis + (o.index[i] < 0 ? o.index[i] + g->axis : o.index[i]);
            memcpy((char *)o.y + (size_t)(n * g->indices + i) * run, (const char *)o.x + (size_t)from * run,
                   run);
        }
}

static inline int vox_check_gather(vox_probe *p, const vox_gather *g, vox_gather_operands o) {
    vox_samples s = {0};
    const size_t run = (size_t)g->inner * (size_t)g->element;
    for (int i = 0; i < p->samples; i++) {
        const int64_t outer = vox_pick(p, i, 0, g->outer), k = vox_pick(p, i, 1, g->indices);
        const int64_t from = outer * g->axis + (o.index[k] < 0 ? o.index[k] + g->axis : o.index[k]);
        vox_sample_bytes(&s, (const char *)o.y + (size_t)(outer * g->indices + k) * run,
                         (const char *)o.x + (size_t)from * run, run);
    }
    return vox_judge(p, &s);
}

/* The members of a concat that are copied, each a box of its own. */
typedef struct vox_concat {
    int members;
    const vox_copy *member;
} vox_concat;

/* o: the operands of each member. */
VOX_KERNEL int vox_concat_tasks(const vox_concat *g, vox_range range) {
    int tasks = 0;
    for (int i = 0; i < g->members; i++) tasks += vox_copy_tasks(&g->member[i], range);
    return tasks;
}
VOX_KERNEL void vox_concat_members(const vox_concat *g, const vox_xy_any *o, vox_range range, int task) {
    for (int i = 0; i < g->members; i++) {
        const int tasks = vox_copy_tasks(&g->member[i], range);
        if (task < tasks) {
            vox_copy_box(&g->member[i], o[i], range, task);
            return;
        }
        task -= tasks;
    }
}
static inline int vox_check_concat(vox_probe *p, const vox_concat *g, const vox_xy_any *o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++)
        vox_sample_copy(p, &s, i, &g->member[i % g->members], o[i % g->members]);
    return vox_judge(p, &s);
}

#endif
