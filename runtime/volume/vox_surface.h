/* SPDX-License-Identifier: MIT-0 */
/* vox_surface.h: how far apart the surfaces of a label are in two volumes.
 *
 * The surface S(A) of a label's voxels A is those of them with a voxel outside A among the 6 that share a
 * face; beyond the volume's border all is outside. That is A without its erosion by the 6 neighbours, MONAI's
 * get_mask_edges. The distance from a voxel of one surface is the Euclidean distance in mm, between voxel
 * centres, to the nearest voxel of the other surface; exact, then rounded to float32 as MONAI does. With
 * D(A, B) the distances from all voxels of S(A) to S(B):
 *
 *     hausdorff    the larger one of max D(A, B) and max D(B, A)
 *     hausdorff95  the larger one of their 95th percentiles, interpolated linearly between two distances
 *     mean         the mean of D(A, B) and D(B, A) together (average symmetric surface distance)
 *     dice         the share of D(A, B) and D(B, A) together that is at most the tolerance, which is rounded
 *                  to float32 too (normalised surface Dice: Nikolov et al., J Med Internet Res 23(7), 2021)
 *
 * These are MONAI's compute_hausdorff_distance (percentile 95 for the second),
 * compute_average_surface_distance with symmetric=True and compute_surface_dice without subvoxels, each with
 * spacing; torch.quantile rounds the percentile's rank to float32, which moves it a little on large surfaces,
 * and NumPy's percentile does not. scikit-image's hausdorff_distance and SimpleITK's HausdorffDistance give
 * the first when they are given the surfaces; given the masks SimpleITK measures from all voxels of A to B,
 * inside it 0, which is another number. DeepMind's surface-distance weighs the surface's elements by their
 * area, which is another one too.
 *
 * Where A or B is empty and the other is not, distances are infinite and the surface Dice is 0 (so MONAI, but
 * that its percentile is NaN there); where both are, everything is NaN.
 */
#ifndef VOX_SURFACE_H
#define VOX_SURFACE_H

#include "vox_overlap.h"

typedef struct vox_surface {
    size_t voxels, reference;            /* of S(A) and S(B); 0 where A or B is empty */
    double hausdorff, hausdorff95, mean; /* mm */
    double dice;
} vox_surface;

/* Scratch memory of vox_surface_measure for the label that o counted. */
size_t vox_surface_bytes(const vox_overlap *o);

/* Measures the label that o counted in the same pair. scratch: aligned to 64 bytes. VOX_E_ARGUMENT: a pointer
 * is NULL, the tolerance is not a number from 0 on, or o is not of this pair; VOX_E_ARENA_SIZE and
 * VOX_E_ARENA_ALIGN: scratch is too small or not aligned. */
vox_status vox_surface_measure(const vox_label_pair *p, const vox_overlap *o, vox_surface *s, void *scratch,
                               size_t bytes, const vox_executor *e);

#endif
