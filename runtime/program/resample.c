/* SPDX-License-Identifier: MIT-0 */
/* resample.c: see resample.h. */
#include "resample.h"

#include <stddef.h>
#include <stdlib.h>

#include "report.h"
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

int vox_sampling_new(vox_sampling *s, const int from[3], const int to[3], const double scale[3],
                     const double shift[3]) {
    *s = (vox_sampling){.scratch = calloc((size_t)from[0], sizeof(double)),
                        .row = calloc((size_t)to[0], sizeof(double))};
    bool ok = s->scratch != NULL && s->row != NULL;
    for (int k = 0; k < 3; k++) {
        s->from[k] = from[k];
        s->to[k] = to[k];
        s->taps[k] = vox_taps_new(to[k], from[k], scale[k], shift[k]);
        ok = ok && s->taps[k] != NULL;
    }
    if (ok) return 0;
    vox_sampling_free(s);
    return vox_fail_memory("resampling", sizeof(vox_tap) * ((size_t)to[0] + (size_t)to[1] + (size_t)to[2]));
}

void vox_sampling_free(vox_sampling *s) {
    for (int k = 0; k < 3; k++) free(s->taps[k]);
    free(s->scratch);
    free(s->row);
    *s = (vox_sampling){0};
}

void vox_sample_row(const vox_sampling *s, const float *source, int y_at, int z_at) {
    const vox_tap *x = s->taps[0], *y = &s->taps[1][y_at], *z = &s->taps[2][z_at];
    size_t line = (size_t)s->from[0], plane = line * (size_t)s->from[1];
    const float *a = source + (size_t)z->first * plane + (size_t)y->first * line;
    const float *b = source + (size_t)z->first * plane + (size_t)y->second * line;
    const float *c = source + (size_t)z->second * plane + (size_t)y->first * line;
    const float *d = source + (size_t)z->second * plane + (size_t)y->second * line;
    double wy = y->weight, wz = z->weight;
    for (int i = 0; i < s->from[0]; i++) {
        double near = (1 - wy) * (double)a[i] + wy * (double)b[i];
        double far = (1 - wy) * (double)c[i] + wy * (double)d[i];
        s->scratch[i] = (1 - wz) * near + wz * far;
    }
    for (int i = 0; i < s->to[0]; i++) {
        s->row[i] = (1 - x[i].weight) * s->scratch[x[i].first] + x[i].weight * s->scratch[x[i].second];
    }
}
