/* SPDX-License-Identifier: MIT-0 */
/* vox_mean.h: the mean of several runs of the network over one tile: turned around, of several folds. */
#ifndef VOX_MEAN_H
#define VOX_MEAN_H

#include "vox.h"

/* Scores [class][D][H][W] of `size` voxels of one run, turned back where its input was turned around (`flips`: bits
 * 1, 2, 4 along D, H, W), are added to `sum`, or put there with `first`; with the last of `runs` (0 for the others) the
 * mean is taken. */
typedef struct vox_mean {
    int classes, size[3];
    int flips, first, runs;
} vox_mean;
void vox_mean_add(const vox_mean *m, const float *scores, float *sum, const vox_executor *e);

/* A network's own labels, int64, as floats in place: each is written at or before where it is read. */
void vox_labels_to_floats(void *data, size_t n);

#endif
