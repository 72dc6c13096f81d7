/* SPDX-License-Identifier: MIT-0 */
/* scores.c: see scores.h. */
#include "scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "resample.h"
#include "whole.h"

enum { LABEL_LIMIT = 65536 };

static size_t grid_voxels(const int dim[3]) {
    return (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
}

int vox_scores_new(vox_scores *s, int classes, const int dim[3], bool are_labels) {
    *s = (vox_scores){.classes = classes, .dim = {dim[0], dim[1], dim[2]}, .are_labels = are_labels};
    s->data = calloc(grid_voxels(dim), sizeof *s->data * (size_t)classes);
    return s->data != NULL
               ? 0
               : vox_fail_memory("the scores", grid_voxels(dim) * sizeof *s->data * (size_t)classes);
}

void vox_scores_free(vox_scores *s) {
    free(s->data);
    s->data = NULL;
}

/* The part of output tile i that lies in the volume. */
typedef struct tile_part {
    int begin[3], low[3], high[3];
} tile_part;

static tile_part part_inside(const vox_tiles *t, int i) {
    tile_part p;
    vox_tiles_begin(t, i, p.begin);
    for (int k = 0; k < 3; k++) {
        p.low[k] = p.begin[k] < 0 ? -p.begin[k] : 0;
        p.high[k] = p.begin[k] + t->out[k] > t->volume[k] ? t->volume[k] - p.begin[k] : t->out[k];
    }
    return p;
}

static size_t in_file(const tile_part *p, const int dim[3], const int axis[3], int d, int h, int w) {
    size_t stride[3] = {1, (size_t)dim[0], (size_t)dim[0] * (size_t)dim[1]};
    return (size_t)(p->begin[0] + d) * stride[axis[0]] + (size_t)(p->begin[1] + h) * stride[axis[1]] +
           (size_t)(p->begin[2] + w) * stride[axis[2]];
}

static size_t in_tile(const vox_tiles *t, int c, int d, int h, int w) {
    return (((size_t)c * (size_t)t->out[0] + (size_t)d) * (size_t)t->out[1] + (size_t)h) * (size_t)t->out[2] +
           (size_t)w;
}

static int not_numbers(size_t n) {
    if (n == 0) return 0;
    return vox_fail(VOX_EXIT_FAILURE, "the network gave %zu scores that are not numbers (NaN)", n);
}

int vox_scores_put(vox_scores *s, const vox_tiles *t, int i, const int axis[3], const float *tile) {
    tile_part p = part_inside(t, i);
    size_t bad = 0;
    for (int c = 0; c < s->classes; c++) {
        float *to = s->data + (size_t)c * grid_voxels(s->dim);
        for (int d = p.low[0]; d < p.high[0]; d++) {
            for (int h = p.low[1]; h < p.high[1]; h++) {
                for (int w = p.low[2]; w < p.high[2]; w++) {
                    float x = tile[in_tile(t, c, d, h, w)];
                    bad += isnan(x) != 0;
                    to[in_file(&p, s->dim, axis, d, h, w)] = x;
                }
            }
        }
    }
    return not_numbers(bad);
}

/* ---- labels ---------------------------------------------------------------------------------- */

static int bad_label(float x) {
    return vox_fail(VOX_EXIT_UNSUPPORTED, "the network gave the label %g; labels from 0 to %d can be written",
                    (double)x, LABEL_LIMIT - 1);
}

static bool is_label(float x) {
    return x >= 0 && x < LABEL_LIMIT;
}

int vox_tile_label(const vox_tiles *t, int i, const vox_labelling *l, const float *tile, uint16_t *labels) {
    tile_part p = part_inside(t, i);
    size_t bad = 0, plane = grid_voxels(t->out);
    for (int d = p.low[0]; d < p.high[0]; d++) {
        for (int h = p.low[1]; h < p.high[1]; h++) {
            for (int w = p.low[2]; w < p.high[2]; w++) {
                const float *x = tile + in_tile(t, 0, d, h, w);
                int best = 0;
                for (int c = 0; c < l->classes; c++) {
                    bad += isnan(x[(size_t)c * plane]) != 0;
                    if (x[(size_t)c * plane] > x[(size_t)best * plane]) best = c;
                }
                if (l->are_labels && !is_label(*x)) return bad_label(*x);
                if (l->rule.threshold) best = (double)*x > l->rule.level;
                labels[in_file(&p, l->dim, l->axis, d, h, w)] =
                    (uint16_t)(l->are_labels ? vox_whole((double)*x, 0, LABEL_LIMIT - 1) : best);
            }
        }
    }
    return not_numbers(bad);
}

/* ---- back to the file's grid ----------------------------------------------------------------- */

typedef struct sampler {
    vox_sampling grid;
    double *best; /* of a row: the largest score so far */
} sampler;

static void sampler_free(sampler *a) {
    vox_sampling_free(&a->grid);
    free(a->best);
}

static int sampler_new(sampler *a, const vox_scores *s, const vox_grid *grid, const int dim[3]) {
    size_t bytes = (size_t)dim[0] * sizeof *a->best;
    *a = (sampler){.best = malloc(bytes)};
    int code = a->best != NULL ? 0 : vox_fail_memory("interpolation", bytes);
    if (code == 0) code = vox_sampling_new(&a->grid, s->dim, dim, grid->scale, grid->shift);
    if (code != 0) sampler_free(a);
    return code;
}

static bool inside_row(const sampler *a, int y, int z) {
    return a->grid.taps[2][z].inside && a->grid.taps[1][y].inside;
}

static void sample(sampler *a, const vox_scores *s, int class, int y, int z) {
    vox_sample_row(&a->grid, s->data + (size_t) class * grid_voxels(s->dim), y, z);
}

static int nearest_tap(const vox_tap *t) {
    return t->weight < 0.5 ? t->first : t->second;
}

static int nearest_row(const vox_sampling *a, const vox_scores *s, int y, int z, uint16_t *label) {
    const float *row = s->data + ((size_t)nearest_tap(&a->taps[2][z]) * (size_t)s->dim[1] +
                                  (size_t)nearest_tap(&a->taps[1][y])) *
                                     (size_t)s->dim[0];
    for (int x = 0; x < a->to[0]; x++) {
        float v = row[nearest_tap(&a->taps[0][x])];
        if (!is_label(v)) return bad_label(v);
        label[x] = (uint16_t)vox_whole((double)v, 0, LABEL_LIMIT - 1);
    }
    return 0;
}

static void best_row(sampler *a, const vox_scores *s, const vox_label_rule *rule, int y, int z,
                     uint16_t *label) {
    const double *row = a->grid.row;
    for (int c = 0; c < s->classes; c++) {
        sample(a, s, c, y, z);
        for (int x = 0; x < a->grid.to[0]; x++) {
            if (rule->threshold) {
                label[x] = row[x] > rule->level;
            } else if (c == 0 || row[x] > a->best[x]) {
                a->best[x] = row[x];
                label[x] = (uint16_t)c;
            }
        }
    }
}

int vox_scores_label(const vox_scores *s, const vox_grid *grid, const int dim[3], const vox_label_rule *rule,
                     uint16_t *labels) {
    sampler a;
    int code = sampler_new(&a, s, grid, dim);
    if (code != 0) return code;
    for (int z = 0; z < dim[2] && code == 0; z++) {
        for (int y = 0; y < dim[1] && code == 0; y++, labels += dim[0]) {
            if (!inside_row(&a, y, z)) {
                memset(labels, 0, (size_t)dim[0] * sizeof *labels);
                continue;
            }
            if (s->are_labels) {
                code = nearest_row(&a.grid, s, y, z, labels);
            } else {
                best_row(&a, s, rule, y, z, labels);
            }
            for (int x = 0; x < dim[0]; x++) {
                if (!a.grid.taps[0][x].inside) labels[x] = 0;
            }
        }
    }
    sampler_free(&a);
    return code;
}

int vox_scores_rows(const vox_scores *s, int class, const vox_grid *grid, const int dim[3],
                    int (*row)(void *user, const float *values), void *user) {
    sampler a;
    int code = sampler_new(&a, s, grid, dim);
    if (code != 0) return code;
    float *values = calloc((size_t)dim[0], sizeof *values);
    if (values == NULL) code = vox_fail_memory("a row", (size_t)dim[0] * sizeof *values);
    for (int z = 0; z < dim[2] && code == 0; z++) {
        for (int y = 0; y < dim[1] && code == 0; y++) {
            bool inside = inside_row(&a, y, z);
            sample(&a, s, class, y, z);
            for (int x = 0; x < dim[0]; x++)
                values[x] = inside && a.grid.taps[0][x].inside ? (float)a.grid.row[x] : 0.0f;
            code = row(user, values);
        }
    }
    free(values);
    sampler_free(&a);
    return code;
}
