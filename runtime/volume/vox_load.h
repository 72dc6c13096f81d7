/* SPDX-License-Identifier: MIT-0 */
/* vox_load.h: a caller's volume, of any type, strides and direction of its axes, as contiguous float32
 * [z][y][x]; and copies of such volumes.
 *
 * Work is shared out through the executor; results do not depend on it. A task takes up to 56 KiB of stack. Nothing
 * can fail: a volume is taken to be valid (its dim at least 1, its data there).
 */
#ifndef VOX_LOAD_H
#define VOX_LOAD_H

#include <stdbool.h>
#include "vox_volume.h"

/* Views: the same voxels, none of which moves. */

/* Axis a runs along axis source[a] of v (each of 0, 1, 2 once), against it where reversed[a]. */
vox_volume vox_view_axes(const vox_volume *v, const int source[3], const bool reversed[3]);
/* The voxels begin <= i < end of each axis. */
vox_volume vox_view_box(const vox_volume *v, const int begin[3], const int end[3]);
/* Float32, contiguous [channels][z][y][x], with axes x, y, z for i, j, k; spacing and direction are unknown. */
vox_volume vox_view_floats(const float *x, const int dim[3], int channels);

/* Voxels that float32 cannot hold. The first is the one of the smallest index in [z][y][x]. */
typedef struct vox_lost {
    size_t count, at;
    double value;
} vox_lost;
typedef struct vox_losses {
    vox_lost not_finite; /* NaN or infinite */
    vox_lost too_large;  /* finite, beyond float32 */
    vox_lost too_small;  /* not 0, nearer to 0 than float32's smallest number */
} vox_losses;

/* out[z][y][x] = slope * stored + intercept, computed in double, then rounded; lost voxels become 0 and are
 * counted: what they mean is the caller's to decide. */
void vox_volume_load(const vox_volume *v, int channel, float *out, vox_losses *lost, const vox_executor *e);

/* Calls rows(argument, y, z, x, values, n) for all rows of a channel, in pieces: n values from x on, where x is
 * a multiple of 64, and n is as well unless the row ends there. Calls come from any thread; those of one row, from
 * one thread. Voxels that float32 cannot hold are 0. */
typedef void vox_rows_fn(void *argument, int y, int z, int x, const float *values, int n);
void vox_volume_rows(const vox_volume *v, int channel, vox_rows_fn *rows, void *argument,
                     const vox_executor *e);

/* What crop_or_pad does with an axis of `old` voxels: new coordinate = old coordinate + shift. floor(|old - new|
 * / 2) voxels are dropped or added at the begin. */
int vox_crop_or_pad_shift(int old, int new);
/* One channel; voxels that were not there are 0. The volumes do not overlap. */
void vox_crop_or_pad(const float *from, const int old[3], float *to, const int new[3], const vox_executor *e);

#endif
