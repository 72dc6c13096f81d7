/* SPDX-License-Identifier: MIT-0 */
/* vox_restore.h: from scores on the prepared grid to labels on the volume's own, plane by plane along D. Axes are the
 * network's, D H W. Scores are interpolated where the volume's voxels lie (linearly, or the nearest is taken), and the
 * rule decides there; voxels more than half a prepared voxel outside of the prepared grid get label 0. */
#ifndef VOX_RESTORE_H
#define VOX_RESTORE_H

#include "vox_blend.h"
#include "vox_resample.h"
#include "vox_volume.h"

enum { VOX_RESTORE_CHUNKS = 16 }; /* parts of a plane that run at once */

typedef struct vox_restore {
    const vox_blend *scores;
    const vox_volume_info *info;
    double level;
    int are_labels;        /* the network gives labels itself */
    int dim[3];            /* of the volume */
    const vox_tap *tap[3]; /* of the volume's voxels, dim[k] each */
    char *labels;          /* of voxel 0, 0, 0 */
    ptrdiff_t stride[3];   /* bytes, along D H W */
    vox_voxel_type type;
    float *scratch; /* vox_restore_floats */
    int not_finite; /* set where a score was not a number */
    int too_large;  /* set where a label did not fit into `type` */
} vox_restore;

/* Numbers of scratch. row: voxels of a prepared row; to: of the volume's. */
size_t vox_restore_floats(int row, int to);

/* Prepared planes below this one must be finished for plane d; 0: none, it lies outside. */
int vox_restore_needs(const vox_restore *r, int d);

/* Labels of plane d. */
void vox_restore_plane(vox_restore *r, int d, const vox_executor *e);

/* Scores of a class along row h of plane d, in r->scratch, dim[2] numbers: 0 outside. */
const float *vox_restore_scores(const vox_restore *r, int class, int d, int h);

#endif
