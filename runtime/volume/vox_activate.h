/* SPDX-License-Identifier: MIT-0 */
/* vox_activate.h: what is done to the scores of one run of the network before they are added up. */
#ifndef VOX_ACTIVATE_H
#define VOX_ACTIVATE_H

#include <stdbool.h>

#include "vox.h"

/* A run's scores [class][D][H][W] of `size` voxels become probabilities, as `activation` says; flipped back, where the
 * run's input was turned around (`flips`: bits 1, 2, 4 along D, H, W), and added to `sum`, or put there with
 * `first`; with the last of `runs` the mean is taken. sum NULL: the scores stay where they are. */
typedef struct vox_activate {
    vox_activation activation;
    int classes, size[3];
    int flips, first, runs; /* runs: 0, but for the last run */
} vox_activate;
void vox_activate_add(const vox_activate *a, float *scores, float *sum, const vox_executor *e);

/* A network's own labels, int64, as floats in place: each is written at or before where it is read. */
void vox_labels_to_floats(void *data, size_t n);

#endif
