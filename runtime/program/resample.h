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

/* From one grid to another: taps of to[k] positions along axis k. */
typedef struct vox_sampling {
    int from[3], to[3]; /* x y z */
    vox_tap *taps[3];
    double *scratch, *row; /* from[0] and to[0] of them */
} vox_sampling;

/* scale and shift: vox_taps_new's along each axis. Returns the exit code: without memory it is
 * not 0, and nothing is left to free. */
int vox_sampling_new(vox_sampling *s, const int from[3], const int to[3], const double scale[3],
                     const double shift[3]);
void vox_sampling_free(vox_sampling *s);

/* Row (y, z) of the other grid, to[0] values that lie in s->row; source is [z][y][x]. */
void vox_sample_row(const vox_sampling *s, const float *source, int y, int z);

#endif
