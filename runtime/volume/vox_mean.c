/* SPDX-License-Identifier: MIT-0 */
/* vox_mean.c: see vox_mean.h. */
#include "vox_mean.h"

#include <string.h>

#include "vox_parallel.h"

typedef struct job {
    const vox_mean *m;
    const float *scores;
    float *sum;
} job;

static void add_row(const vox_mean *m, const float *from, float *to) {
    int n = m->size[2];
    if ((m->flips & 4) != 0) {
        for (int w = 0; w < n; w++) to[w] = (m->first ? 0 : to[w]) + from[n - 1 - w];
    } else {
        for (int w = 0; w < n; w++) to[w] = (m->first ? 0 : to[w]) + from[w];
    }
    if (m->runs == 0) return;
    for (int w = 0; w < n; w++) to[w] /= (float)m->runs;
}

static void add_plane(void *argument, int i) {
    const job *j = argument;
    const vox_mean *m = j->m;
    int d = i % m->size[0], to_d = (m->flips & 1) != 0 ? m->size[0] - 1 - d : d;
    size_t row = (size_t)m->size[2], plane = row * (size_t)m->size[1];
    size_t of_class = (size_t)(i / m->size[0]) * plane * (size_t)m->size[0];
    for (int h = 0; h < m->size[1]; h++) {
        int to_h = (m->flips & 2) != 0 ? m->size[1] - 1 - h : h;
        add_row(m, j->scores + of_class + (size_t)d * plane + (size_t)h * row,
                j->sum + of_class + (size_t)to_d * plane + (size_t)to_h * row);
    }
}

void vox_mean_add(const vox_mean *m, const float *scores, float *sum, const vox_executor *e) {
    job j = {.m = m, .scores = scores, .sum = sum};
    vox_parallel(e, m->size[0] * m->classes, add_plane, &j);
}

void vox_labels_to_floats(void *data, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t x;
        memcpy(&x, (char *)data + i * sizeof x, sizeof x);
        float f = (float)x;
        memcpy((char *)data + i * sizeof f, &f, sizeof f);
    }
}
