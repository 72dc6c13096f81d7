/* SPDX-License-Identifier: MIT-0 */
/* vox_preparation.h: the steps of a description's `prepare`, from the volume as the caller has it to float32 on the
 * network's grid, [channel][z][y][x]. */
#ifndef VOX_PREPARATION_H
#define VOX_PREPARATION_H

#include "vox_load.h"
#include "vox_orient.h"
#include "vox_resample.h"
#include "vox_volume.h"

/* A grid along the oriented axes x y z, and how it lies over the oriented volume: voxel i, origin <= i < origin +
 * extent, has the coordinate (i - origin) * scale + shift, voxel centres at whole numbers; the others were cut off
 * before anything was resampled. */
typedef struct vox_grid {
    int dim[3];
    double spacing[3];
    int origin[3], extent[3];
    double scale[3], shift[3];
} vox_grid;

typedef struct vox_preparation {
    const vox_volume_info *info;
    const vox_volume *volume;
    vox_axes axes; /* oriented axes among the volume's */
    vox_grid oriented, prepared;
    size_t front, back; /* floats of the two buffers that steps go between; the result lies in the front */
    size_t scratch;     /* bytes besides */
    size_t mask;        /* bytes, 0: no step asks for a mask */
} vox_preparation;

/* Fills all but the scratch's address. crop_to_nonzero is taken to crop nothing. Statuses: vox_segment_plan's. */
vox_status vox_preparation_plan(vox_preparation *p, const vox_volume_info *info, const vox_volume *volume);

/* Bytes from the arena's begin that vox_preparation_run uses. */
size_t vox_preparation_bytes(const vox_preparation *p);

/* The grid behind the first `steps` of them. Statuses: vox_preparation_plan's. */
vox_status vox_preparation_grid(const vox_preparation *p, int steps, vox_grid *grid);
/* How step i resamples between the grids before and behind it. */
vox_resample vox_preparation_resampling(const vox_prepare_step *s, const vox_grid *from, const vox_grid *to);
bool vox_preparation_resamples(vox_prepare_kind kind);

/* Adds a channel's lost voxels to the result; `at` counts in the grid [z][y][x] of dim, whose first voxel is the
 * oriented volume's voxel begin. */
void vox_preparation_lost(const vox_preparation *p, const int begin[3], const int dim[3], const vox_losses *l,
                          int channel, vox_segment_result *result);

/* Does it. The arena's begin holds the prepared volume; p->prepared is the grid after cropping. result: see
 * vox_volume.h, its lost voxels, step and channel are set. */
vox_status vox_preparation_run(vox_preparation *p, void *arena, vox_segment_result *result,
                               const vox_executor *e);

#endif
