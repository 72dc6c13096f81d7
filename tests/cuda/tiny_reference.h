/* tiny_reference.h: the network of tests/cuda/tiny.yaml by plain loops in double precision, from the weight
 * file; where its tensors lie there is all that it takes from the bundle. Tensors are [channels][8, 8, 8] or,
 * after the pool, [channels][4, 4, 4].
 */
#ifndef TINY_REFERENCE_H
#define TINY_REFERENCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cuda/vox_cuda_model.h"

enum { TINY_EDGE = 8, TINY_MOST = 8 * TINY_EDGE * TINY_EDGE * TINY_EDGE };

/* Where a tensor of the weight file begins. */
static size_t tiny_offset(const vox_cuda_model *model, const char *name) {
    for (int i = 0; i < model->n_weights; i++)
        if (strcmp(model->weights[i].name, name) == 0) return model->weights[i].file[0];
    abort();
}

typedef struct tiny_weights {
    const vox_cuda_model *model;
    const unsigned char *file;
} tiny_weights;

static double tiny_weight(const tiny_weights *w, const char *name, int index) {
    float value;
    memcpy(&value, w->file + tiny_offset(w->model, name) + (size_t)index * sizeof value, sizeof value);
    return (double)value;
}

/* Of a kernel of `taps` along each axis around (z, y, x), which is inside x where `edge` says. */
static double tiny_sum(const double *weight, const double *x, int channels, int edge, int taps,
                       const int at[3]) {
    double sum = 0;
    for (int c = 0; c < channels; c++)
        for (int k = 0; k < taps * taps * taps; k++) {
            const int z = at[0] + k / taps / taps - taps / 2, y = at[1] + k / taps % taps - taps / 2,
                      v = at[2] + k % taps - taps / 2;
            if (z < 0 || y < 0 || v < 0 || z >= edge || y >= edge || v >= edge) continue;
            sum += weight[c * taps * taps * taps + k] * x[((c * edge + z) * edge + y) * edge + v];
        }
    return sum;
}

typedef struct tiny_conv {
    const char *weight, *bias;
    int in, out, edge, taps, relu;
} tiny_conv;

static void tiny_convolve(const tiny_weights *w, const tiny_conv *c, const double *x, double *y) {
    const int voxels = c->edge * c->edge * c->edge, taps = c->taps * c->taps * c->taps;
    double *weight = malloc((size_t)(c->in * taps) * sizeof *weight);
    for (int o = 0; o < c->out; o++) {
        for (int i = 0; i < c->in * taps; i++) weight[i] = tiny_weight(w, c->weight, o * c->in * taps + i);
        for (int v = 0; v < voxels; v++) {
            const int at[3] = {v / c->edge / c->edge, v / c->edge % c->edge, v % c->edge};
            const double sum = tiny_weight(w, c->bias, o) + tiny_sum(weight, x, c->in, c->edge, c->taps, at);
            y[o * voxels + v] = c->relu && sum < 0 ? 0 : sum;
        }
    }
    free(weight);
}

static void tiny_pool(const double *x, double *y) {
    for (int i = 0; i < 4 * 64; i++) {
        const int c = i / 64, z = i / 16 % 4, h = i / 4 % 4, v = i % 4;
        y[i] = -(double)INFINITY;
        for (int k = 0; k < 8; k++) {
            const double value = x[((c * 8 + 2 * z + k / 4) * 8 + 2 * h + k / 2 % 2) * 8 + 2 * v + k % 2];
            if (value > y[i] || isnan(value)) y[i] = value;
        }
    }
}

static void tiny_norm(const tiny_weights *w, double *x) {
    for (int c = 0; c < 8; c++) {
        double mean = 0, squares = 0, *v = x + c * 64;
        for (int i = 0; i < 64; i++) mean += v[i] / 64;
        for (int i = 0; i < 64; i++) squares += (v[i] - mean) * (v[i] - mean) / 64;
        const double factor = tiny_weight(w, "n1.weight", c) / sqrt(squares + 1e-5);
        for (int i = 0; i < 64; i++) v[i] = (v[i] - mean) * factor + tiny_weight(w, "n1.bias", c);
    }
}

static void tiny_up(const tiny_weights *w, const double *x, double *y) {
    for (int i = 0; i < 4 * 512; i++) {
        const int o = i / 512, z = i / 64 % 8, h = i / 8 % 8, v = i % 8, k = z % 2 * 4 + h % 2 * 2 + v % 2;
        y[i] = tiny_weight(w, "up0.bias", o);
        for (int c = 0; c < 8; c++)
            y[i] += tiny_weight(w, "up0.weight", (c * 4 + o) * 8 + k) *
                    x[((c * 4 + z / 2) * 4 + h / 2) * 4 + v / 2];
    }
}

/* image [8, 8, 8] -> scores [2][8, 8, 8] */
static void tiny_reference(const vox_cuda_model *model, const void *file, const float *image,
                           double *scores) {
    static double x[512], joined[TINY_MOST], pooled[4 * 64], low[8 * 64], d0[4 * 512];
    const tiny_weights w = {model, file};
    for (int i = 0; i < 512; i++) x[i] = (double)image[i];
    tiny_convolve(&w, &(tiny_conv){"e0.weight", "e0.bias", 1, 4, 8, 3, 1}, x, joined + 4 * 512);
    tiny_pool(joined + 4 * 512, pooled);
    tiny_convolve(&w, &(tiny_conv){"e1.weight", "e1.bias", 4, 8, 4, 3, 0}, pooled, low);
    tiny_norm(&w, low);
    tiny_up(&w, low, joined);
    tiny_convolve(&w, &(tiny_conv){"d0.weight", "d0.bias", 8, 4, 8, 3, 1}, joined, d0);
    tiny_convolve(&w, &(tiny_conv){"scores.weight", "scores.bias", 4, 2, 8, 1, 0}, d0, scores);
}

#endif
