/* SPDX-License-Identifier: MIT-0 */
/* vox_lines.c: see vox_lines.h. */
#include "vox_lines.h"

#include <math.h>
#include <string.h>

/* The spline goes on beyond the ends of an axis; positions further outside count as these. scipy pads by as many
 * voxels, behind which the ends' values are all that is left. */
enum { BEYOND = 12, TILE = 16 };

/* ---- tables ---------------------------------------------------------------------------------- */

static int radius_of(double sigma) {
    double radius = 4 * sigma + 0.5; /* scipy's truncate=4 */
    return radius < VOX_RESAMPLE_LARGEST ? (int)radius : VOX_RESAMPLE_LARGEST;
}

size_t vox_axis_bytes(const vox_resample *r, int axis) {
    size_t tap = r->order[axis] == VOX_CUBIC ? sizeof(vox_spline_tap) : sizeof(vox_tap);
    return tap * (size_t)r->to[axis] + sizeof(double) * ((size_t)radius_of(r->sigma[axis]) + 1);
}

size_t vox_block_bytes(const vox_resample *r, int axis) {
    size_t rows = (size_t)r->from[axis] + 2 * (BEYOND + 3);
    if (radius_of(r->sigma[axis]) > 0) rows += (size_t)r->from[axis];
    return rows * VOX_LINES * sizeof(double);
}

static void fill_gauss(double *gauss, int radius, double sigma) {
    double sum = 0;
    for (int k = radius; k >= 0; k--) {
        gauss[k] = radius > 0 ? exp(-0.5 / (sigma * sigma) * k * k) : 1;
        sum += k > 0 ? 2 * gauss[k] : gauss[k];
    }
    for (int k = 0; k <= radius; k++) gauss[k] /= sum;
}

/* The cubic B-spline at t + 1, t, t - 1 and t - 2: Unser, "Splines: a perfect fit for signal and image
 * processing" (IEEE Signal Processing Magazine 16(6), 1999), equation 4. */
static void fill_spline(vox_axis *a, vox_spline_tap *taps, double scale, double shift) {
    int last = a->from - 1;
    for (int i = 0; i < a->to; i++) {
        double at = fmin(fmax(vox_grid_at(i, scale, shift), -BEYOND), last + BEYOND);
        double low = floor(at), t = at - low, u = 1 - t;
        taps[i].first = (int)low - 1;
        taps[i].weight[0] = u * u * u / 6;
        taps[i].weight[1] = 2. / 3 - t * t * (2 - t) / 2;
        taps[i].weight[2] = 2. / 3 - u * u * (2 - u) / 2;
        taps[i].weight[3] = t * t * t / 6;
        if (-taps[i].first > a->before) a->before = -taps[i].first;
        if (taps[i].first + 3 - last > a->after) a->after = taps[i].first + 3 - last;
    }
    for (int i = 0; i < a->to; i++) taps[i].first += a->before;
    a->spline = taps;
}

vox_axis vox_axis_of(const vox_resample *r, int axis, void *memory) {
    vox_axis a = {.from = r->from[axis], .to = r->to[axis], .radius = radius_of(r->sigma[axis])};
    double *gauss = memory;
    void *behind = gauss + a.radius + 1;
    fill_gauss(gauss, a.radius, r->sigma[axis]);
    a.gauss = gauss;
    if (r->order[axis] == VOX_CUBIC) {
        fill_spline(&a, behind, r->scale[axis], r->shift[axis]);
    } else {
        vox_taps_of(behind, a.to, r->order[axis], a.from, r->scale[axis], r->shift[axis]);
        a.taps = behind;
    }
    return a;
}

/* ---- into and out of a block ----------------------------------------------------------------- */

static void load(const vox_lines *l, int n, double *rows) {
    if (l->n < VOX_LINES) memset(rows, 0, (size_t)n * VOX_LINES * sizeof *rows);
    if (l->from.line == 1) {
        for (int i = 0; i < n; i++) {
            const float *in = l->in + (size_t)i * l->from.step;
            double *row = rows + (size_t)i * VOX_LINES;
            if (l->n == VOX_LINES) {
                for (int k = 0; k < VOX_LINES; k++) row[k] = (double)in[k];
            } else {
                for (int k = 0; k < l->n; k++) row[k] = (double)in[k];
            }
        }
        return;
    }
    for (int k = 0; k < l->n; k++) {
        const float *in = l->in + (size_t)k * l->from.line;
        for (int i = 0; i < n; i++)
            rows[(size_t)i * VOX_LINES + (size_t)k] = (double)in[(size_t)i * l->from.step];
    }
}

static void limit(const vox_lines *l, float *row) {
    for (int k = 0; k < VOX_LINES; k++) row[k] = row[k] < l->low[k] ? l->low[k] : row[k];
    for (int k = 0; k < VOX_LINES; k++) row[k] = row[k] > l->high[k] ? l->high[k] : row[k];
}

/* Voxels i to i + n - 1 of all lines, in n rows. */
static void store(const vox_lines *l, int i, int n, float rows[][VOX_LINES]) {
    float *out = l->out + (size_t)i * l->to.step;
    for (int j = 0; j < n && l->low != NULL; j++) limit(l, rows[j]);
    if (l->to.line == 1) {
        for (int j = 0; j < n; j++) memcpy(out + (size_t)j * l->to.step, rows[j], (size_t)l->n * sizeof *out);
        return;
    }
    for (int k = 0; k < l->n; k++) {
        for (int j = 0; j < n; j++) out[(size_t)k * l->to.line + (size_t)j * l->to.step] = rows[j][k];
    }
}

/* ---- along the lines ------------------------------------------------------------------------- */

static void add_times(double *restrict sum, const double *restrict a, const double *restrict b,
                      double times) {
    for (int k = 0; k < VOX_LINES; k++) sum[k] += times * (a[k] + b[k]);
}

/* The ends go on. */
static void blur(const vox_axis *a, const double *restrict from, double *restrict to) {
    for (int i = 0; i < a->from; i++) {
        double *sum = to + (size_t)i * VOX_LINES;
        const double *centre = from + (size_t)i * VOX_LINES;
        for (int k = 0; k < VOX_LINES; k++) sum[k] = a->gauss[0] * centre[k];
        for (int j = 1; j <= a->radius; j++) {
            int low = i - j > 0 ? i - j : 0, high = i + j < a->from ? i + j : a->from - 1;
            add_times(sum, from + (size_t)low * VOX_LINES, from + (size_t)high * VOX_LINES, a->gauss[j]);
        }
    }
}

/* From samples s to coefficients c with (c[i-1] + 4 c[i] + c[i+1]) / 6 = s[i], where the first and the last sample
 * go on for ever: c+[i] = 6 s[i] + z c+[i-1], c[i] = z (c[i+1] - c+[i]) with z = sqrt(3) - 2 (Unser, box 2). Before
 * the first voxel c+ is constant; behind the last, where c+ tends to `rest`, the sum over all that follows is
 * closed. There, c[-k] = s[0] + z^k (c[0] - s[0]), and the same behind the last. */
static void to_coefficients(const vox_axis *a, double *rows) {
    const double z = sqrt(3) - 2;
    double *c = rows + (size_t)a->before * VOX_LINES, *last = c + ((size_t)a->from - 1) * VOX_LINES;
    double s0[VOX_LINES], s1[VOX_LINES];
    memcpy(s0, c, sizeof s0);
    memcpy(s1, last, sizeof s1);
    for (int k = 0; k < VOX_LINES; k++) c[k] *= 6 / (1 - z);
    for (double *row = c; row < last; row += VOX_LINES) {
        for (int k = 0; k < VOX_LINES; k++) row[k + VOX_LINES] = 6 * row[k + VOX_LINES] + z * row[k];
    }
    for (int k = 0; k < VOX_LINES; k++) {
        double rest = s1[k] * (6 / (1 - z));
        last[k] = -z * (rest / (1 - z) + (last[k] - rest) / (1 - z * z));
    }
    for (double *row = last; row > c; row -= VOX_LINES) {
        for (int k = 0; k < VOX_LINES; k++) row[k - VOX_LINES] = z * (row[k] - row[k - VOX_LINES]);
    }
    double power = z;
    for (double *row = c; row > rows; row -= VOX_LINES, power *= z) {
        for (int k = 0; k < VOX_LINES; k++) row[k - VOX_LINES] = s0[k] + power * (c[k] - s0[k]);
    }
    power = z;
    for (double *row = last; row < last + (size_t)a->after * VOX_LINES; row += VOX_LINES, power *= z) {
        for (int k = 0; k < VOX_LINES; k++) row[k + VOX_LINES] = s1[k] + power * (last[k] - s1[k]);
    }
}

static void mix_four(float *restrict out, const double *restrict row, const double w[4]) {
    const double a = w[0], b = w[1], c = w[2], d = w[3];
    for (int k = 0; k < VOX_LINES; k++) {
        out[k] = (float)(a * row[k] + b * row[k + VOX_LINES] + c * row[k + 2 * VOX_LINES] +
                         d * row[k + 3 * VOX_LINES]);
    }
}

static void mix_two(float *restrict out, const double *restrict a, const double *restrict b, double weight) {
    for (int k = 0; k < VOX_LINES; k++) out[k] = (float)((1 - weight) * a[k] + weight * b[k]);
}

void vox_lines_run(const vox_axis *a, const vox_lines *l, double *block) {
    double *rows = block + (a->radius > 0 ? (size_t)a->from * VOX_LINES : 0);
    double *voxels = rows + (size_t)a->before * VOX_LINES;
    float result[TILE][VOX_LINES];
    load(l, a->from, a->radius > 0 ? block : voxels);
    if (a->radius > 0) blur(a, block, voxels);
    if (a->spline != NULL) to_coefficients(a, rows);
    for (int i = 0; i < a->to; i += TILE) {
        int n = a->to - i < TILE ? a->to - i : TILE;
        for (int j = 0; j < n; j++) {
            if (a->spline != NULL) {
                const vox_spline_tap *t = &a->spline[i + j];
                mix_four(result[j], rows + (size_t)t->first * VOX_LINES, t->weight);
            } else {
                const vox_tap *t = &a->taps[i + j];
                mix_two(result[j], rows + (size_t)t->first * VOX_LINES, rows + (size_t)t->second * VOX_LINES,
                        t->weight);
            }
        }
        store(l, i, n, result);
    }
}
