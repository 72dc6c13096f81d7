/* SPDX-License-Identifier: MIT-0 */
/* vox_smooth.c: see vox_smooth.h.
 *
 * What is filtered lies as doubles in a task's scratch, with its mirrored ends: a strip of STRIP columns along z
 * or y, or one row along x. Neighbours along the axis are `step` doubles apart, and one loop computes LANES
 * results that lie side by side. Sums are in scipy's order (centre, then from the outermost pair inwards).
 */
#include "vox_smooth.h"

#include <math.h>
#include <string.h>
#include "vox_parallel.h"

enum { TASKS = 64, STRIP = 64, LANES = 8 };

static int radius_of(double sigma) {
    return (int)(4 * sigma + 0.5);
}

/* Doubles, in whole cache lines: the weights', and one task's. */
static size_t weights_room(double sigma) {
    return ((size_t)radius_of(sigma) + 1 + LANES - 1) / LANES * LANES;
}
static size_t task_room(const int dim[3], double sigma) {
    const size_t r = (size_t)radius_of(sigma);
    size_t strip = (size_t)(dim[1] > dim[2] ? dim[1] : dim[2]) + 2 * r, row = (size_t)dim[0] + 2 * r + LANES;
    return strip * STRIP > row ? strip * STRIP : (row + LANES - 1) / LANES * LANES;
}

size_t vox_smooth_bytes(const int dim[3], double sigma) {
    return (weights_room(sigma) + TASKS * task_room(dim, sigma)) * sizeof(double);
}

/* weight[k] of the voxels k away */
static void set_weights(double *weight, int radius, double sigma) {
    double sum = 0;
    for (int k = radius; k >= 0; k--) {
        weight[k] = exp(-0.5 / (sigma * sigma) * ((double)k * k));
        sum += k > 0 ? 2 * weight[k] : weight[k];
    }
    for (int k = 0; k <= radius; k++) weight[k] /= sum;
}

/* Of a line that goes on as its mirror image, the edges repeated. */
static int mirrored(int i, int n) {
    const int period = 2 * n;
    i = ((i % period) + period) % period;
    return i < n ? i : period - 1 - i;
}

typedef struct job {
    float *x;
    const int *dim;
    const double *weight;
    int radius;
    double *scratch;
    size_t room; /* of a task */
} job;

/* One register of any x86-64 or AArch64 processor. */
typedef double pair __attribute__((vector_size(16)));
typedef double pair_any __attribute__((vector_size(16), aligned(8), may_alias));
typedef float pair_narrow __attribute__((vector_size(8)));
enum { PAIRS = LANES / 2 };

static pair pair_at(const double *p) {
    return *(const pair_any *)p;
}

/* to[l] = the filtered value at line + l, for l < LANES */
static void filter(const job *j, const double *line, size_t step, float *to) {
    const double centre = j->weight[0];
    pair sum[PAIRS];
    for (int l = 0; l < PAIRS; l++) sum[l] = pair_at(line + 2 * l) * centre;
    for (int k = j->radius; k > 0; k--) {
        const double w = j->weight[k], *a = line - (size_t)k * step, *b = line + (size_t)k * step;
        for (int l = 0; l < PAIRS; l++) sum[l] += (pair_at(a + 2 * l) + pair_at(b + 2 * l)) * w;
    }
    for (int l = 0; l < PAIRS; l++) {
        const pair_narrow narrow = __builtin_convertvector(sum[l], pair_narrow);
        memcpy(to + 2 * l, &narrow, sizeof narrow);
    }
}

/* For the last `n` < LANES of them. */
static void filter_some(const job *j, const double *line, size_t step, float *to, int n) {
    float value[LANES];
    filter(j, line, step, value);
    memcpy(to, value, (size_t)n * sizeof *to);
}

/* width columns of n voxels, which are `stride` floats apart; columns lie side by side. */
static void strip(const job *j, float *x, size_t stride, int n, int width, double *line) {
    const int r = j->radius;
    for (int i = 0; i < n; i++) {
        double *to = line + (size_t)(i + r) * STRIP;
        const float *from = x + (size_t)i * stride;
        for (int l = 0; l < width; l++) to[l] = (double)from[l];
        for (int l = width; l < STRIP; l++) to[l] = 0;
    }
    for (int i = 1; i <= r; i++) {
        memcpy(line + (size_t)(r - i) * STRIP, line + (size_t)(r + mirrored(-i, n)) * STRIP,
               STRIP * sizeof *line);
        memcpy(line + (size_t)(r + n - 1 + i) * STRIP, line + (size_t)(r + mirrored(n - 1 + i, n)) * STRIP,
               STRIP * sizeof *line);
    }
    for (int i = 0; i < n; i++) {
        float *to = x + (size_t)i * stride;
        const double *from = line + (size_t)(i + r) * STRIP;
        int l = 0;
        for (; l + LANES <= width; l += LANES) filter(j, from + l, STRIP, to + l);
        if (l < width) filter_some(j, from + l, STRIP, to + l, width - l);
    }
}

static void row(const job *j, float *x, int n, double *line) {
    const int r = j->radius;
    for (int i = 0; i < n; i++) line[r + i] = (double)x[i];
    for (int i = 1; i <= r; i++) {
        line[r - i] = line[r + mirrored(-i, n)];
        line[r + n - 1 + i] = line[r + mirrored(n - 1 + i, n)];
    }
    for (int l = 0; l < LANES; l++) line[n + 2 * r + l] = 0; /* read by lanes behind the last voxel */
    int i = 0;
    for (; i + LANES <= n; i += LANES) filter(j, line + r + i, 1, x + i);
    if (i < n) filter_some(j, line + r + i, 1, x + i, n - i);
}

static void along_z(void *argument, int task) {
    const job *j = argument;
    const size_t ny = (size_t)j->dim[1], nx = (size_t)j->dim[0], strips = (nx + STRIP - 1) / STRIP;
    double *line = j->scratch + (size_t)task * j->room;
    for (size_t i = ny * strips * (size_t)task / TASKS; i < ny * strips * (size_t)(task + 1) / TASKS; i++) {
        const size_t y = i / strips, x = i % strips * STRIP;
        strip(j, j->x + y * nx + x, nx * ny, j->dim[2], (int)(nx - x < STRIP ? nx - x : STRIP), line);
    }
}

static void along_y_and_x(void *argument, int task) {
    const job *j = argument;
    const size_t nz = (size_t)j->dim[2], ny = (size_t)j->dim[1], nx = (size_t)j->dim[0];
    double *line = j->scratch + (size_t)task * j->room;
    for (size_t z = nz * (size_t)task / TASKS; z < nz * (size_t)(task + 1) / TASKS; z++) {
        float *plane = j->x + z * ny * nx;
        for (size_t x = 0; x < nx; x += STRIP)
            strip(j, plane + x, nx, j->dim[1], (int)(nx - x < STRIP ? nx - x : STRIP), line);
        for (size_t y = 0; y < ny; y++) row(j, plane + y * nx, j->dim[0], line);
    }
}

void vox_smooth(float *x, const int dim[3], double sigma, void *scratch, const vox_executor *e) {
    if (!(sigma > 1e-15)) return; /* scipy's limit */
    double *weight = scratch;
    set_weights(weight, radius_of(sigma), sigma);
    job j = {.x = x,
             .dim = dim,
             .weight = weight,
             .radius = radius_of(sigma),
             .scratch = weight + weights_room(sigma),
             .room = task_room(dim, sigma)};
    vox_parallel(e, TASKS, along_z, &j);
    vox_parallel(e, TASKS, along_y_and_x, &j);
}
