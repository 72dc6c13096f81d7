/* SPDX-License-Identifier: MIT-0 */
/* resample.c: see resample.h. */
#include "resample.h"

#include <stddef.h>
#include <stdlib.h>

#include "whole.h"

vox_tap *vox_taps_new(int n, int source, double scale, double shift) {
    vox_tap *taps = calloc((size_t)n, sizeof *taps);
    if (taps == NULL) return NULL;
    double last = source - 1;
    for (int i = 0; i < n; i++) {
        double at = i * scale + shift;
        taps[i].inside = at >= -0.5 && at <= last + 0.5;
        at = at < 0 ? 0 : at > last ? last : at;
        taps[i].first = (int)vox_whole(at, 0, source - 1);
        taps[i].second = taps[i].first + (taps[i].first < source - 1);
        taps[i].weight = at - taps[i].first;
    }
    return taps;
}

void vox_sample_row(const float *source, const int dim[3], const vox_tap *x, int n, const vox_tap *y,
                    const vox_tap *z, double *scratch, double *row) {
    size_t line = (size_t)dim[0], plane = line * (size_t)dim[1];
    const float *a = source + (size_t)z->first * plane + (size_t)y->first * line;
    const float *b = source + (size_t)z->first * plane + (size_t)y->second * line;
    const float *c = source + (size_t)z->second * plane + (size_t)y->first * line;
    const float *d = source + (size_t)z->second * plane + (size_t)y->second * line;
    double wy = y->weight, wz = z->weight;
    for (int i = 0; i < dim[0]; i++) {
        double near = (1 - wy) * (double)a[i] + wy * (double)b[i];
        double far = (1 - wy) * (double)c[i] + wy * (double)d[i];
        scratch[i] = (1 - wz) * near + wz * far;
    }
    for (int i = 0; i < n; i++) {
        row[i] = (1 - x[i].weight) * scratch[x[i].first] + x[i].weight * scratch[x[i].second];
    }
}
