/* SPDX-License-Identifier: MIT-0 */
/* tiles.c: see tiles.h. */
#include "tiles.h"

#include <limits.h>

#include "report.h"

int vox_mirror(int i, int n) {
    if (n == 1) return 0;
    int period = 2 * (n - 1);
    i %= period;
    if (i < 0) i += period;
    return i < n ? i : period - i;
}

int vox_tiles_plan(vox_tiles *t, const int volume[3], const int in[3], const int out[3], bool mirror) {
    long long total = 1;
    *t = (vox_tiles){.mirror = mirror};
    for (int k = 0; k < 3; k++) {
        if (out[k] > in[k] || out[k] < 1 || (in[k] - out[k]) % 2 != 0) {
            return vox_fail(
                VOX_EXIT_UNSUPPORTED,
                "segment needs an output as large as the input, or smaller by the same margin on both "
                "sides, not %s from %s",
                vox_shape(3, out).text, vox_shape(3, in).text);
        }
        if (!mirror && volume[k] > out[k]) {
            return vox_fail(
                VOX_EXIT_INPUT,
                "the prepared volume is %s voxels (D H W), but one tile holds %s: compile the model with a "
                "larger input, resample or crop in its volume section, or let it mirror (tiles)",
                vox_shape(3, volume).text, vox_shape(3, out).text);
        }
        t->volume[k] = volume[k];
        t->in[k] = in[k];
        t->out[k] = out[k];
        t->margin[k] = (in[k] - out[k]) / 2;
        t->count[k] = (volume[k] - 1) / out[k] + 1;
        t->first[k] = mirror ? 0 : -((out[k] - volume[k]) / 2);
        total *= t->count[k];
        if (total > INT_MAX) return vox_fail(VOX_EXIT_INPUT, "the volume needs more than %d tiles", INT_MAX);
    }
    t->total = (int)total;
    return 0;
}

void vox_tiles_begin(const vox_tiles *t, int i, int begin[3]) {
    for (int k = 2; k >= 0; k--) {
        begin[k] = t->first[k] + i % t->count[k] * t->out[k];
        i /= t->count[k];
    }
}

void vox_tiles_fill(const vox_tiles *t, int i, const float *volume, const size_t stride[3], int *index,
                    float *tile) {
    int begin[3];
    int *at[3] = {index, index + t->in[0], index + t->in[0] + t->in[1]};
    vox_tiles_begin(t, i, begin);
    for (int k = 0; k < 3; k++) {
        for (int j = 0; j < t->in[k]; j++) {
            int from = begin[k] - t->margin[k] + j;
            bool inside = from >= 0 && from < t->volume[k];
            at[k][j] = inside ? from : t->mirror ? vox_mirror(from, t->volume[k]) : -1;
        }
    }
    for (int d = 0; d < t->in[0]; d++) {
        for (int h = 0; h < t->in[1]; h++) {
            bool outside = at[0][d] < 0 || at[1][h] < 0;
            const float *row =
                outside ? volume : volume + (size_t)at[0][d] * stride[0] + (size_t)at[1][h] * stride[1];
            for (int w = 0; w < t->in[2]; w++) {
                *tile++ = outside || at[2][w] < 0 ? 0.0f : row[(size_t)at[2][w] * stride[2]];
            }
        }
    }
}
