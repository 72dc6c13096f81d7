/* SPDX-License-Identifier: MIT-0 */
/* resample.h: trilinear interpolation on axis-aligned grids, in double precision. */
#ifndef VOX_RESAMPLE_H
#define VOX_RESAMPLE_H

#include <stdbool.h>

/* For each of n positions along an axis: between which source voxels it lies. */
typedef struct vox_tap {
    int first, second; /* source voxels, inside the source */
    double weight;     /* of the second */
    bool inside;       /* not more than half a voxel outside of the source */
} vox_tap;

/* Position i has the source coordinate i * scale + shift; beyond the source's ends its end voxel counts.
 * Returns NULL without memory, else n taps to free(). */
vox_tap *vox_taps_new(int n, int source, double scale, double shift);

/* The row of `n` values at taps `y` and `z`; source is [z][y][x] of dim (x y z); scratch holds dim[0]
 * doubles. */
void vox_sample_row(const float *source, const int dim[3], const vox_tap *x, int n, const vox_tap *y,
                    const vox_tap *z, double *scratch, double *row);

#endif
