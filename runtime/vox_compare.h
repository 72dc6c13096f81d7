/* SPDX-License-Identifier: MIT-0 */
/* vox_compare.h: comparisons of two f32 operands with broadcasting; they write bytes, 1 or 0. */
#ifndef VOX_COMPARE_H
#define VOX_COMPARE_H

#include "vox_ref.h"
#include "vox_simd.h"

enum { VOX_COMPARE_TASKS = 64, VOX_COMPARE_PART = 1 << 14 };

static inline int64_t vox_compare_count(const vox_binary *g) {
    int64_t count = 1;
    for (int a = 0; a < g->rank; a++) count *= g->dim[a];
    return count;
}
VOX_KERNEL int vox_compare_tasks(const vox_binary *g) {
    const int64_t tasks = (vox_compare_count(g) + VOX_COMPARE_PART - 1) / VOX_COMPARE_PART;
    return tasks < VOX_COMPARE_TASKS ? (int)tasks : VOX_COMPARE_TASKS;
}
VOX_KERNEL void vox_f32_compare(const vox_binary *g, const float *a, const float *b, uint8_t *y, int task) {
    const int64_t count = vox_compare_count(g), tasks = vox_compare_tasks(g);
    for (int64_t i = count * task / tasks; i < count * (task + 1) / tasks; i++) {
        const float p = a[vox_ref_offset(g->rank, g->dim, g->a_stride, i)];
        const float q = b[vox_ref_offset(g->rank, g->dim, g->b_stride, i)];
        y[i] = (uint8_t)(g->op == VOX_EQUAL           ? p == q
                         : g->op == VOX_GREATER       ? p > q
                         : g->op == VOX_GREATER_EQUAL ? p >= q
                         : g->op == VOX_LESS          ? p < q
                                                      : p <= q);
    }
}

#endif
