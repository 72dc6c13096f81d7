/* SPDX-License-Identifier: MIT-0 */
/* vox_resample_grid.c: where the voxels of two grids lie; see vox_resample.h. */
#include "vox_resample.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

double vox_grid_voxels(vox_alignment align, int n_old, double spacing_old, double spacing_new) {
    double n = align == VOX_FIRST ? rint(1 / spacing_new * spacing_old * (n_old - 1) + 1)
                                  : rint(n_old * (spacing_old / spacing_new));
    return n >= 1 ? n : 1;
}

static double shift_of_edges(double scale) {
    return 0.5 * scale - 0.5;
}

void vox_grid_of(const vox_resampling *r, int n_old, double spacing_old, int n_new, double spacing_new,
                 double *scale, double *shift) {
    *shift = 0;
    switch (r->align) {
    case VOX_CORNERS:
        *scale = n_new > 1 ? (n_old - 1) / (double)(n_new - 1) : 1;
        return;
    case VOX_EDGES:
        *scale = n_old / (double)n_new;
        *shift = shift_of_edges(*scale);
        return;
    case VOX_SPACING:
        *scale = spacing_new / spacing_old;
        *shift = ((n_old - 1) - (n_new - 1) * *scale) / 2;
        return;
    case VOX_FIRST:
        *scale = spacing_new / spacing_old;
        return;
    }
}

double vox_grid_at(int i, double scale, double shift) {
    double face = (i + 0.5) * scale,
           centre = i * scale; /* rounded here, where no compiler fuses them with the sums */
    return shift == shift_of_edges(scale) ? face - 0.5 : centre + shift;
}

vox_tap vox_tap_of(double at, vox_interpolation order, int source) {
    double last = source - 1, half = 0.5 + 1e-6; /* a voxel on the face is inside however its place rounds */
    vox_tap t = {.inside = at >= -half && at <= last + half};
    if (order == VOX_NEAREST) at = floor(at + 0.5);
    at = at > 0 ? at < last ? at : last : 0;
    t.first = (int)at;
    t.weight = at - t.first;
    t.second = t.first + (t.weight > 0);
    return t;
}

void vox_taps_of(vox_tap *taps, int n, vox_interpolation order, int source, double scale, double shift) {
    for (int i = 0; i < n; i++) taps[i] = vox_tap_of(vox_grid_at(i, scale, shift), order, source);
}

/* ---- nnU-Net's separate z -------------------------------------------------------------------- */

/* The only axis of the largest edge, where that is more than `limit` times the smallest; -1: none, -2: several. */
static int coarse_axis(const double spacing[3], double limit) {
    double low = fmin(fmin(spacing[0], spacing[1]), spacing[2]);
    double high = fmax(fmax(spacing[0], spacing[1]), spacing[2]);
    int axis = -1, n = 0;
    if (!(low > 0) || !(high / low > limit)) return -1;
    for (int k = 0; k < 3; k++) {
        if (high / spacing[k] != 1) continue;
        axis = k;
        n++;
    }
    return n == 1 ? axis : -2;
}

/* The axis that is resampled behind the others; negative: none. */
static int separate_axis(const vox_resampling *how, const double spacing_from[3],
                         const double spacing_to[3]) {
    if (!(how->anisotropy > 0)) return -1;
    int axis = coarse_axis(spacing_from, how->anisotropy);
    return axis == -1 ? coarse_axis(spacing_to, how->anisotropy) : axis;
}

vox_interpolation vox_resample_order(const vox_resampling *how, const double spacing_from[3],
                                     const double spacing_to[3], int axis) {
    return axis == separate_axis(how, spacing_from, spacing_to) ? how->across : how->order;
}

void vox_resample_of(vox_resample *r, const vox_resampling *how, const int from[3],
                     const double spacing_from[3], const int to[3], const double spacing_to[3]) {
    int coarse = separate_axis(how, spacing_from, spacing_to);
    *r = (vox_resample){.last = coarse >= 0 ? coarse : 2};
    memcpy(r->from, from, sizeof r->from);
    memcpy(r->to, to, sizeof r->to);
    if (how->align == VOX_EDGES) r->limit = coarse >= 0 ? VOX_LIMIT_SLICE : VOX_LIMIT_VOLUME;
    for (int k = 0; k < 3; k++) {
        vox_grid_of(how, from[k], spacing_from[k], to[k], spacing_to[k], &r->scale[k], &r->shift[k]);
        bool stays = from[k] == to[k] && r->scale[k] == 1 && r->shift[k] == 0;
        r->order[k] = stays ? VOX_NEAREST : k == coarse ? how->across : how->order;
        if (how->antialias && r->scale[k] > 1) r->sigma[k] = (r->scale[k] - 1) / 2;
    }
}
