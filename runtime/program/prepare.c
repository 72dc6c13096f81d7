/* SPDX-License-Identifier: MIT-0 */
/* prepare.c: see prepare.h. */
#include "prepare.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "resample.h"
#include "whole.h"

enum { LARGEST_AXIS = 1 << 16 };

/* ---- steps that change the grid -------------------------------------------------------------- */

/* SIZE_MAX: more than can be counted. */
static size_t volume_bytes(const int dim[3], int channels) {
    size_t n = sizeof(float);
    bool overflow = __builtin_mul_overflow(n, (size_t)channels, &n);
    for (int k = 0; k < 3; k++)
        overflow = overflow || dim[k] < 1 || dim[k] > LARGEST_AXIS || __builtin_mul_overflow(n, dim[k], &n);
    return overflow ? SIZE_MAX : n;
}

/* "9x8x7 voxels of 1x1.25x1.5 mm" */
typedef struct grid_text {
    char text[320];
} grid_text;
static grid_text text_of(const vox_volume *v) {
    grid_text t;
    snprintf(t.text, sizeof t.text, "%s voxels of %s%s", vox_shape(3, v->dim).text,
             vox_size_mm(v->spacing).text,
             v->unit_unknown ? " (the header names no unit: taken for mm)" : "");
    return t;
}

static int allocate_volume(const vox_volume *v, const int dim[3], float **data) {
    size_t bytes = volume_bytes(dim, v->channels);
    *data = bytes < SIZE_MAX ? calloc(1, bytes) : NULL;
    if (*data != NULL) return 0;
    char what[512];
    snprintf(what, sizeof what, "the prepared volume, %s voxels made of %s", vox_shape(3, dim).text,
             text_of(v).text);
    return vox_fail_memory(what, bytes);
}

static void resample_channel(const vox_sampling *s, const float *from, float *to) {
    for (int z = 0; z < s->to[2]; z++) {
        for (int y = 0; y < s->to[1]; y++) {
            vox_sample_row(s, from, y, z);
            for (int x = 0; x < s->to[0]; x++) *to++ = (float)s->row[x];
        }
    }
}

static int resample(vox_volume *v, const int dim[3], vox_grid *grid) {
    static const double no_shift[3] = {0};
    vox_sampling s;
    float *data = NULL;
    double back[3];
    int code = allocate_volume(v, dim, &data);
    if (code != 0) return code;
    for (int k = 0; k < 3; k++) back[k] = dim[k] > 1 ? (v->dim[k] - 1) / (double)(dim[k] - 1) : 0;
    code = vox_sampling_new(&s, v->dim, dim, back, no_shift);
    if (code != 0) {
        free(data);
        return code;
    }
    size_t old = vox_volume_voxels(v), new = (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
    for (int c = 0; c < v->channels; c++) {
        resample_channel(&s, v->data + (size_t)c * old, data + (size_t)c * new);
    }
    vox_sampling_free(&s);
    for (int k = 0; k < 3; k++) {
        double forth = v->dim[k] > 1 ? (dim[k] - 1) / (double)(v->dim[k] - 1) : 0;
        grid->scale[k] *= forth;
        grid->shift[k] *= forth;
        v->spacing[k] *= back[k] > 0 ? back[k] : v->dim[k];
        v->dim[k] = dim[k];
    }
    free(v->data);
    v->data = data;
    return 0;
}

static int resample_shape(vox_volume *v, const vox_prepare_step *s, vox_grid *grid) {
    int dim[3];
    for (int k = 0; k < 3; k++) dim[k] = (int)vox_whole(s->value[k], 0, LARGEST_AXIS + 1);
    return resample(v, dim, grid);
}

/* A voxel size that is wrong, or in another unit, shows here. */
static int check_growth(const vox_volume *v, const int dim[3], const vox_prepare_step *s) {
    double times = 1;
    for (int k = 0; k < 3; k++) times *= dim[k] / (double)v->dim[k];
    if (v->growth == 0 || times <= v->growth) return 0;
    return vox_fail(VOX_EXIT_INPUT,
                    "resample_to_spacing: %s would become %s of %s, %.0f times as many, in %zu bytes: "
                    "--force does it all the same",
                    text_of(v).text, vox_shape(3, dim).text, vox_size_mm(s->value).text, times,
                    volume_bytes(dim, v->channels));
}

static int resample_spacing(vox_volume *v, const vox_prepare_step *s, vox_grid *grid) {
    int dim[3];
    for (int k = 0; k < 3; k++) {
        if (!(v->spacing[k] > 0)) {
            return vox_fail(VOX_EXIT_INPUT,
                            "the volume's header gives no voxel size along %c (pixdim, from 1e-6 to 1e6 mm), "
                            "which resample_to_spacing needs",
                            "xyz"[k]);
        }
        double n = rint(v->dim[k] * v->spacing[k] / s->value[k]);
        if (n > LARGEST_AXIS) {
            return vox_fail(VOX_EXIT_INPUT,
                            "resample_to_spacing: %s would become %.6g of %g mm along %c, and at most %d can "
                            "be made",
                            text_of(v).text, n, s->value[k], "xyz"[k], LARGEST_AXIS);
        }
        dim[k] = (int)vox_whole(n, 1, LARGEST_AXIS);
    }
    int code = check_growth(v, dim, s);
    return code == 0 ? resample(v, dim, grid) : code;
}

static int crop_or_pad(vox_volume *v, const vox_prepare_step *s, vox_grid *grid) {
    int dim[3], from[3], to[3], n[3]; /* the box that both grids share: its begin in each, its size */
    float *data = NULL;
    for (int k = 0; k < 3; k++) {
        dim[k] = (int)vox_whole(s->value[k], 0, LARGEST_AXIS + 1);
        from[k] = dim[k] < v->dim[k] ? (v->dim[k] - dim[k]) / 2 : 0;
        to[k] = dim[k] > v->dim[k] ? (dim[k] - v->dim[k]) / 2 : 0;
        n[k] = dim[k] < v->dim[k] ? dim[k] : v->dim[k];
    }
    int code = allocate_volume(v, dim, &data);
    if (code != 0) return code;
    for (int c = 0; c < v->channels; c++) {
        for (int z = 0; z < n[2]; z++) {
            for (int y = 0; y < n[1]; y++) {
                size_t a = (((size_t)c * (size_t)v->dim[2] + (size_t)(z + from[2])) * (size_t)v->dim[1] +
                            (size_t)(y + from[1])) *
                               (size_t)v->dim[0] +
                           (size_t)from[0];
                size_t b = (((size_t)c * (size_t)dim[2] + (size_t)(z + to[2])) * (size_t)dim[1] +
                            (size_t)(y + to[1])) *
                               (size_t)dim[0] +
                           (size_t)to[0];
                memcpy(data + b, v->data + a, (size_t)n[0] * sizeof *data);
            }
        }
    }
    for (int k = 0; k < 3; k++) {
        grid->shift[k] += to[k] - from[k];
        v->dim[k] = dim[k];
    }
    free(v->data);
    v->data = data;
    return 0;
}

/* ---- steps on the grid as it is -------------------------------------------------------------- */

static int mirror_repeating(int i, int n) {
    int period = 2 * n;
    i = ((i % period) + period) % period;
    return i < n ? i : period - 1 - i;
}

/* Along one axis: each line is gathered with its mirrored ends, then summed. */
static void smooth_axis(vox_volume *v, int axis, const double *weight, int radius, double *line) {
    size_t stride = 1, count = vox_volume_voxels(v) * (size_t)v->channels;
    int n = v->dim[axis];
    for (int k = 0; k < axis; k++) stride *= (size_t)v->dim[k];
    for (size_t at = 0; at < count; at++) {
        if (at / stride % (size_t)n != 0) {
            at += stride * (size_t)(n - 1) - 1; /* past the lines that are done */
            continue;
        }
        float *x = v->data + at;
        for (int i = -radius; i < n + radius; i++) {
            line[i + radius] = (double)x[(size_t)mirror_repeating(i, n) * stride];
        }
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int k = 0; k <= 2 * radius; k++) sum += weight[k] * line[i + k];
            x[(size_t)i * stride] = (float)sum;
        }
    }
}

static int smooth(vox_volume *v, const vox_prepare_step *s, vox_grid *grid) {
    (void)grid;
    double sigma = s->value[0], sum = 0;
    if (!(sigma > 0)) return 0;
    int radius = (int)vox_whole(4 * sigma + 0.5, 0, LARGEST_AXIS), longest = 0;
    for (int k = 0; k < 3; k++) longest = v->dim[k] > longest ? v->dim[k] : longest;
    size_t n = (size_t)radius * 4 + 1 + (size_t)longest;
    double *weight = calloc(n, sizeof *weight);
    if (weight == NULL) return vox_fail_memory("smoothing", n * sizeof *weight);
    for (int k = -radius; k <= radius; k++) sum += weight[k + radius] = exp(-0.5 * k * k / (sigma * sigma));
    for (int k = 0; k <= 2 * radius; k++) weight[k] /= sum;
    for (int axis = 0; axis < 3; axis++) smooth_axis(v, axis, weight, radius, weight + 2 * radius + 1);
    free(weight);
    return 0;
}

typedef struct statistics {
    double minimum, maximum, mean, deviation;
    size_t count;
} statistics;

/* Of the voxels that are above `above`, and not 0 if asked. */
static statistics measure_intensities(const float *x, size_t n, double above, bool nonzero) {
    statistics s = {.minimum = INFINITY, .maximum = -INFINITY};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double a = (double)x[i];
        if (!(a > above) || (nonzero && a == 0)) continue;
        s.count++;
        sum += a;
        if (a < s.minimum) s.minimum = a;
        if (a > s.maximum) s.maximum = a;
    }
    if (s.count == 0) return s;
    s.mean = sum / (double)s.count;
    for (size_t i = 0; i < n; i++) {
        double a = (double)x[i];
        if (a > above && !(nonzero && a == 0)) squares += (a - s.mean) * (a - s.mean);
    }
    s.deviation = sqrt(squares / (double)s.count);
    return s;
}

/* x -> (x - subtract) / divide */
static void shift_and_scale(float *x, size_t n, double subtract, double divide) {
    for (size_t i = 0; i < n; i++) x[i] = (float)(((double)x[i] - subtract) / divide);
}

static int fail_constant(const char *step) {
    return vox_fail(VOX_EXIT_INPUT, "%s: the volume has the same value in every voxel that counts", step);
}

static int intensity(vox_prepare_kind kind, const double *value, float *x, size_t n) {
    statistics s = measure_intensities(x, n, -INFINITY, kind == VOX_PREPARE_Z_SCORE_NONZERO);
    if (kind == VOX_PREPARE_Z_SCORE_ABOVE_MEAN) s = measure_intensities(x, n, s.mean, false);
    switch (kind) {
    case VOX_PREPARE_CLIP:
        for (size_t i = 0; i < n; i++) x[i] = (float)fmin(fmax((double)x[i], value[0]), value[1]);
        return 0;
    case VOX_PREPARE_SCALE:
        for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] * value[0] + value[1]);
        return 0;
    case VOX_PREPARE_DIVIDE_BY_MAXIMUM:
        if (!(s.maximum > 0)) {
            return vox_fail(VOX_EXIT_INPUT,
                            "divide_by_maximum: no voxel of the volume is above 0 (maximum %g)", s.maximum);
        }
        shift_and_scale(x, n, 0, s.maximum);
        return 0;
    case VOX_PREPARE_MIN_MAX:
        if (!(s.maximum > s.minimum)) return fail_constant("min_max");
        shift_and_scale(x, n, s.minimum, s.maximum - s.minimum);
        return 0;
    default: /* the z scores */
        if (s.count == 0 || !(s.deviation > 0)) return fail_constant(vox_prepare_name(kind));
        shift_and_scale(x, n, s.mean, s.deviation);
        return 0;
    }
}

/* ---- the list -------------------------------------------------------------------------------- */

typedef int grid_step(vox_volume *v, const vox_prepare_step *s, vox_grid *grid);
static grid_step *const grid_steps[VOX_PREPARE_COUNT] = {
    [VOX_PREPARE_RESAMPLE_SHAPE] = resample_shape,
    [VOX_PREPARE_RESAMPLE_SPACING] = resample_spacing,
    [VOX_PREPARE_SMOOTH] = smooth,
    [VOX_PREPARE_CROP_OR_PAD] = crop_or_pad,
};
static const struct {
    const char *name;
    int values;
} table[] = {
#define X(symbol, name, n, text) [VOX_PREPARE_##symbol] = {(name), (n)},
    VOX_PREPARES(X)
#undef X
};

static int refuse(const vox_prepare_step *s) {
    const vox_resampling *r = &s->sampling;
    bool resamples = s->kind == VOX_PREPARE_RESAMPLE_SHAPE || s->kind == VOX_PREPARE_RESAMPLE_SPACING;
    bool linear = r->order == VOX_LINEAR && r->align == VOX_CORNERS && !(r->anisotropy > 0) && !r->antialias;
    bool known = s->kind != VOX_PREPARE_CROP_NONZERO && s->kind != VOX_PREPARE_CLIP_PERCENTILES &&
                 s->kind != VOX_PREPARE_Z_SCORE_INSIDE && s->kind != VOX_PREPARE_CT;
    if (known && (linear || !resamples) && s->channel < 0 && !(s->floor > 0)) return 0;
    return vox_fail(VOX_EXIT_UNSUPPORTED, "segment cannot do the step %s, or not with its options",
                    table[s->kind].name);
}

const char *vox_prepare_name(vox_prepare_kind kind) {
    return table[kind].name;
}

int vox_prepare_values(vox_prepare_kind kind) {
    return table[kind].values;
}

int vox_prepare(vox_volume *v, const vox_prepare_step *steps, int n, vox_grid *grid) {
    *grid = (vox_grid){.scale = {1, 1, 1}};
    for (int i = 0; i < n; i++) {
        int code = refuse(&steps[i]);
        if (code != 0) return code;
        if (grid_steps[steps[i].kind] != NULL) {
            code = grid_steps[steps[i].kind](v, &steps[i], grid);
        } else {
            size_t voxels = vox_volume_voxels(v);
            for (int c = 0; c < v->channels && code == 0; c++) {
                code = intensity(steps[i].kind, steps[i].value, v->data + (size_t)c * voxels, voxels);
            }
        }
        if (code != 0) return code;
    }
    return 0;
}
