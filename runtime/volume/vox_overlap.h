/* SPDX-License-Identifier: MIT-0 */
/* vox_overlap.h: how much of each label two volumes share.
 *
 * For a label let A be its voxels in one volume and B those in the reference.
 *
 *     Dice                 2 |A and B| / (|A| + |B|)
 *     IoU (Jaccard)        |A and B| / |A or B|
 *     volume               |A| times the volume of a voxel
 *     difference           volume of A - volume of B
 *     relative difference  (|A| - |B|) / |B|
 *
 * Taha and Hanbury, Metrics for evaluating 3D medical image segmentation, BMC Medical Imaging 15:29, 2015.
 * SimpleITK's LabelOverlapMeasures gives the same Dice and Jaccard, and so do MONAI's compute_dice and
 * compute_iou. Where both are empty there is nothing to score: the ratios are NaN. Where one is, Dice and IoU
 * are 0 (so SimpleITK; MONAI calls it NaN where that is B); where B is, the relative difference is infinite.
 */
#ifndef VOX_OVERLAP_H
#define VOX_OVERLAP_H

#include <stdint.h>

#include "vox.h"

enum { VOX_LABELS = 65536 };

typedef struct vox_label_pair {
    const uint16_t *labels, *reference; /* [z][y][x] each, x fastest, without gaps */
    int dim[3];                         /* voxels along x y z, at least 1 */
    double spacing[3];                  /* mm from voxel to voxel along x y z, above 0 */
    double tolerance;                   /* mm, of vox_surface.h's surface Dice; 0 or more */
} vox_label_pair;

typedef struct vox_overlap {
    int label;                      /* set by the caller */
    size_t voxels, reference, both; /* |A|, |B|, |A and B| */
    int low[3], high[3];            /* the first and last x y z of A or B; low > high: there are none */
    double dice, iou;
    double volume, reference_volume, difference; /* millilitres */
    double relative_difference;
} vox_overlap;

/* Scratch memory of vox_overlap_count for n labels; 0: n is not within 1..VOX_LABELS. */
size_t vox_overlap_bytes(int n);

/* Fills the n overlaps, whose labels are ascending. scratch: aligned to 64 bytes, vox_overlap_bytes(n).
 * VOX_E_ARGUMENT: a pointer is NULL, or the pair or the labels are not as said above; VOX_E_ARENA_SIZE and
 * VOX_E_ARENA_ALIGN: scratch is too small or not aligned. */
vox_status vox_overlap_count(const vox_label_pair *p, vox_overlap *overlaps, int n, void *scratch,
                             size_t bytes, const vox_executor *e);

#endif
