/* SPDX-License-Identifier: MIT-0 */
/* vox_tiles.c: see vox_tiles.h. */
#include "vox_tiles.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "vox_half.h"
#include "vox_parallel.h"

int vox_mirror(int i, int n) {
    if (n == 1) return 0;
    int period = 2 * (n - 1);
    i %= period;
    if (i < 0) i += period;
    return i < n ? i : period - i;
}

/* ---- places ---------------------------------------------------------------------------------- */

/* numpy.round, and C's rounding mode where nobody changed it: ties to even. */
static int rounded(double x) {
    return (int)nearbyint(x);
}

/* nnU-Net's compute_steps_for_sliding_window. */
static vox_status spread(vox_axis_tiles *a, double overlap) {
    double count = ceil((a->volume - a->out) / (a->out * (1 - overlap))) + 1;
    if (!(count <= INT_MAX)) return VOX_E_SIZE;
    a->count = (int)count;
    a->pace = (double)a->last / (a->count - 1);
    return VOX_OK;
}

/* MONAI's _get_scan_interval and dense_patch_slices. */
static vox_status march(vox_axis_tiles *a, double overlap) {
    int pace = (int)(a->out * (1 - overlap));
    if (pace < 1) pace = 1;
    a->count = (a->last + pace - 1) / pace + 1;
    a->pace = pace;
    return VOX_OK;
}

enum { LARGEST_AXIS = 1 << 30 }; /* coordinates of margins, and twice the axis, are ints */

static vox_status place(vox_axis_tiles *a, const vox_volume_info *info, int phase) {
    if (a->volume > LARGEST_AXIS) return VOX_E_SIZE;
    if (a->out < 1 || a->out > a->in || (a->in - a->out) % 2 != 0) return VOX_E_TILE;
    if (info->border == VOX_BORDER_NONE && a->volume > a->out) return VOX_E_TILE;
    a->margin = (a->in - a->out) / 2;
    a->owned = a->out;
    if (a->volume <= a->out) {
        bool centred = info->border == VOX_BORDER_NONE || info->overlap > 0;
        a->count = 1;
        a->first = centred ? -((a->out - a->volume) / 2) : 0;
        a->last = a->first;
    } else if (info->overlap > 0) {
        a->last = a->volume - a->out;
        return (info->placement == VOX_EVENLY ? spread : march)(a, info->overlap);
    } else {
        if (phase < 1) phase = 1;
        if (a->out >= phase) a->owned = a->out / phase * phase;
        a->pace = a->owned;
        a->count = (a->volume - a->out + a->owned - 1) / a->owned + 1;
        a->last = INT_MAX;
    }
    return VOX_OK;
}

vox_status vox_tiles_plan(vox_tiles *t, const vox_volume_info *info, const int volume[3], const int in[3],
                          const int out[3]) {
    long long total = 1;
    *t = (vox_tiles){.border = info->border, .adds = info->overlap > 0 && info->border != VOX_BORDER_NONE};
    for (int k = 0; k < 3; k++) {
        t->axis[k] = (vox_axis_tiles){.volume = volume[k], .in = in[k], .out = out[k]};
        vox_status status = place(&t->axis[k], info, info->phase[k]);
        if (status != VOX_OK) return status;
        total *= t->axis[k].count;
        if (total > INT_MAX) return VOX_E_SIZE;
    }
    t->total = (int)total;
    return VOX_OK;
}

int vox_tile_begin(const vox_axis_tiles *a, int i) {
    if (a->count == 1) return a->first;
    int begin = rounded(a->pace * i);
    return begin < a->last ? begin : a->last;
}

/* ---- input ----------------------------------------------------------------------------------- */

typedef struct filling {
    const vox_tiles *t;
    const float *volume;
    const size_t *stride;
    int *at[3]; /* for each voxel of the tile along an axis the volume's, -1: outside */
    float *tile;
} filling;

/* Neighbours in the volume are copied in one go, between `low` and `high`. */
static void fill_row(const filling *f, const float *row, float *to) {
    const int *at = f->at[2], n = f->t->axis[2].in;
    size_t step = f->stride[2];
    int w = 0;
    while (w < n) {
        int end = w + 1;
        while (step == 1 && end < n && at[w] >= 0 && at[end] == at[end - 1] + 1) end++;
        if (end - w > 1)
            memcpy(to + w, row + at[w], (size_t)(end - w) * sizeof *to);
        else
            to[w] = at[w] < 0 ? 0.0f : row[(size_t)at[w] * step];
        w = end;
    }
}

static void fill_plane(void *argument, int d) {
    const filling *f = argument;
    size_t rows = (size_t)f->t->axis[1].in, row = (size_t)f->t->axis[2].in;
    for (size_t h = 0; h < rows; h++) {
        float *to = f->tile + ((size_t)d * rows + h) * row;
        if (f->at[0][d] < 0 || f->at[1][h] < 0)
            memset(to, 0, row * sizeof *to);
        else
            fill_row(f, f->volume + (size_t)f->at[0][d] * f->stride[0] + (size_t)f->at[1][h] * f->stride[1],
                     to);
    }
}

void vox_tile_fill(const vox_tiles *t, const int begin[3], int flips, const float *volume,
                   const size_t stride[3], int *index, float *tile, const vox_executor *e) {
    filling f = {.t = t,
                 .volume = volume,
                 .stride = stride,
                 .at = {index, index + t->axis[0].in, index + t->axis[0].in + t->axis[1].in},
                 .tile = tile};
    for (int k = 0; k < 3; k++) {
        const vox_axis_tiles *a = &t->axis[k];
        for (int j = 0; j < a->in; j++) {
            int from = begin[k] - a->margin + j;
            bool inside = from >= 0 && from < a->volume, mirrors = t->border == VOX_BORDER_MIRROR;
            int to = (flips >> k & 1) != 0 ? a->in - 1 - j : j;
            f.at[k][to] = inside ? from : mirrors ? vox_mirror(from, a->volume) : -1;
            if (k == 0 && t->ring > 0 && f.at[k][to] >= 0) f.at[k][to] %= t->ring;
        }
    }
    vox_parallel(e, t->axis[0].in, fill_plane, &f);
}

void vox_tiles_span(const vox_tiles *t, int row, int *low, int *high) {
    const vox_axis_tiles *a = &t->axis[0];
    int begin = vox_tile_begin(a, row) - a->margin;
    *low = a->volume;
    *high = 0;
    for (int d = begin; d < begin + a->in; d++) {
        bool inside = d >= 0 && d < a->volume;
        if (!inside && t->border != VOX_BORDER_MIRROR) continue;
        int at = inside ? d : vox_mirror(d, a->volume);
        if (at < *low) *low = at;
        if (at >= *high) *high = at + 1;
    }
}

int vox_tiles_ring(const vox_tiles *t) {
    int most = 0, ring = 1;
    for (int row = 0; row < t->axis[0].count; row++) {
        int low, high;
        vox_tiles_span(t, row, &low, &high);
        if (high > most) most = high;
        if (most - low > ring) ring = most - low;
    }
    return ring;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* scipy.ndimage.gaussian_filter's kernel (truncate 4), centred on voxel n / 2: 0 beyond it. */
static void cut_gaussian(int n, double *weight) {
    double sigma = n / 8.0, sum = 0;
    int radius = (int)(4 * sigma + 0.5);
    for (int j = -radius; j <= radius; j++) sum += exp(-0.5 / (sigma * sigma) * j * j);
    for (int i = 0; i < n; i++) {
        int at = i - n / 2;
        weight[i] = at < -radius || at > radius ? 0 : exp(-0.5 / (sigma * sigma) * at * at) / sum;
    }
}

/* monai.data.utils.compute_importance_map. */
static void centred_gaussian(int n, double *weight) {
    double sigma = n / 8.0;
    for (int i = 0; i < n; i++) {
        double at = i - (n - 1) / 2.0;
        weight[i] = exp(at * at / (-2 * sigma * sigma));
    }
}

void vox_window_fill(vox_window window, int half, const int out[3], double *along, float *weight) {
    enum { LARGEST = 10 }; /* nnU-Net's value_scaling_factor, so that float16 holds the tails */
    size_t n = (size_t)out[0] * (size_t)out[1] * (size_t)out[2];
    if (window == VOX_WINDOW_CONSTANT) {
        for (size_t i = 0; i < n; i++) weight[i] = 1;
        return;
    }
    double *line[3] = {along, along + out[0], along + out[0] + out[1]}, scale = 1;
    for (int k = 0; k < 3; k++) {
        (window == VOX_WINDOW_GAUSSIAN ? cut_gaussian : centred_gaussian)(out[k], line[k]);
        if (window == VOX_WINDOW_GAUSSIAN) scale *= line[k][out[k] / 2];
    }
    if (window == VOX_WINDOW_GAUSSIAN) scale /= LARGEST; /* MONAI scales nothing */
    float least = INFINITY;
    float *to = weight;
    for (int d = 0; d < out[0]; d++) {
        for (int h = 0; h < out[1]; h++) {
            for (int w = 0; w < out[2]; w++, to++) {
                float x = (float)(line[0][d] * line[1][h] * line[2][w] / scale);
                *to = half ? vox_from_half(vox_to_half(x)) : x;
                if (*to > 0 && *to < least) least = *to;
            }
        }
    }
    if (window == VOX_WINDOW_CENTRED && least < 1e-3f)
        least = half ? vox_from_half(vox_to_half(1e-3f)) : 1e-3f;
    for (size_t i = 0; i < n; i++) {
        if (weight[i] < least) weight[i] = least;
    }
}
