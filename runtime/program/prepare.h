/* SPDX-License-Identifier: MIT-0 */
/* prepare.h: the steps of a model's volume section. */
#ifndef VOX_PREPARE_H
#define VOX_PREPARE_H

#include "vox.h"
#include "volume.h"

/* How the prepared grid lies over the file's: prepared coordinate = file coordinate * scale + shift, per axis
 * x y z, voxel centres at whole numbers. */
typedef struct vox_grid {
    double scale[3], shift[3];
} vox_grid;

const char *vox_prepare_name(vox_prepare_kind kind);
int vox_prepare_values(vox_prepare_kind kind); /* how many of value[] the step uses */

/* Does the steps in order, each channel by its own statistics; v->data is replaced when the grid changes. All
 * values must be finite. Prints its error and returns the exit code; v stays valid then (and must be freed),
 * half prepared. Where v->growth is set, a volume that resample_to_spacing would make more than so many times
 * as large is refused: the voxel size is wrong more often than that is meant.
 *
 *   resample_to_shape    trilinear, end points aligned: new voxel i lies at i*(old-1)/(new-1)
 *   resample_to_spacing  the same, to round(old*spacing/new spacing) voxels (ties to even)
 *   smooth               Gaussian cut at 4 deviations, edges mirrored with the edge voxel repeated
 *   crop_or_pad          floor(|old-new|/2) voxels are dropped or added at the begin of an axis; new ones are 0
 *   z_score*             population deviation; a constant volume is an error, as it is for min_max
 *   divide_by_maximum    a volume whose maximum is not above 0 is an error
 */
int vox_prepare(vox_volume *v, const vox_prepare_step *steps, int n, vox_grid *grid);

#endif
