/* SPDX-License-Identifier: MIT-0 */
/* vox_smooth.h: a Gaussian over a volume, as scipy.ndimage.gaussian_filter computes it for float32: cut at 4
 * deviations, edges mirrored with the edge voxel repeated, axis after axis (z, y, x), each in double and rounded
 * to float32. */
#ifndef VOX_SMOOTH_H
#define VOX_SMOOTH_H

#include "vox.h"

/* Bytes of scratch, for a standard deviation of sigma voxels, from 0 to 16384. */
size_t vox_smooth_bytes(const int dim[3], double sigma);
/* One channel, [z][y][x], in place. scratch is aligned to 64 bytes. */
void vox_smooth(float *x, const int dim[3], double sigma, void *scratch, const vox_executor *e);

#endif
