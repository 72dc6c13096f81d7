/* SPDX-License-Identifier: MIT-0 */
/* vox_activate.c: see vox_activate.h. */
#include "vox_activate.h"

#include <math.h>
#include <string.h>

#include "vox_parallel.h"

typedef struct job {
    const vox_activate *a;
    float *scores, *sum;
} job;

static size_t class_voxels(const vox_activate *a) {
    return (size_t)a->size[0] * (size_t)a->size[1] * (size_t)a->size[2];
}

static void sigmoid_row(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = 1 / (1 + expf(-x[i]));
}

/* Over classes, `step` floats apart, for n voxels side by side. */
static void softmax_row(float *x, int classes, size_t step, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float most = x[i], sum = 0;
        for (int c = 1; c < classes; c++) most = fmaxf(most, x[(size_t)c * step + i]);
        for (int c = 0; c < classes; c++) {
            float *y = &x[(size_t)c * step + i];
            *y = expf(*y - most);
            sum += *y;
        }
        for (int c = 0; c < classes; c++) x[(size_t)c * step + i] /= sum;
    }
}

static void add_row(const vox_activate *a, const float *from, float *to) {
    int n = a->size[2];
    bool back = (a->flips & 4) != 0;
    for (int w = 0; w < n; w++) {
        float x = from[back ? n - 1 - w : w];
        to[w] = a->first ? x : to[w] + x;
    }
    if (a->runs == 0) return;
    for (int w = 0; w < n; w++) to[w] /= (float)a->runs;
}

/* Plane d of the run, all classes. */
static void add_plane(void *argument, int d) {
    const job *j = argument;
    const vox_activate *a = j->a;
    size_t row = (size_t)a->size[2], plane = row * (size_t)a->size[1], all = class_voxels(a);
    float *first = j->scores + (size_t)d * plane;
    if (a->activation == VOX_SOFTMAX) softmax_row(first, a->classes, all, plane);
    for (int c = 0; c < a->classes; c++) {
        float *from = first + (size_t)c * all;
        if (a->activation == VOX_SIGMOID) sigmoid_row(from, plane);
        if (j->sum == NULL) continue;
        int to_d = (a->flips & 1) != 0 ? a->size[0] - 1 - d : d;
        for (int h = 0; h < a->size[1]; h++) {
            int to_h = (a->flips & 2) != 0 ? a->size[1] - 1 - h : h;
            add_row(a, from + (size_t)h * row,
                    j->sum + (size_t)c * all + (size_t)to_d * plane + (size_t)to_h * row);
        }
    }
}

void vox_activate_add(const vox_activate *a, float *scores, float *sum, const vox_executor *e) {
    job j = {.a = a, .scores = scores, .sum = sum};
    if (sum == NULL && a->activation == VOX_AS_THEY_ARE) return;
    vox_parallel(e, a->size[0], add_plane, &j);
}

void vox_labels_to_floats(void *data, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t x;
        memcpy(&x, (char *)data + i * sizeof x, sizeof x);
        float f = (float)x;
        memcpy((char *)data + i * sizeof f, &f, sizeof f);
    }
}
