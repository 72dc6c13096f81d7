/* SPDX-License-Identifier: MIT-0 */
/* vox_volume.h: from a volume to its labels in one call.
 *
 * The caller owns all memory: the volume, the labels, and one arena whose size vox_segment_plan tells.
 * Nothing here prints, allocates, or has state of its own; vox.h's words on concurrency hold.
 *
 *     vox_segment_plan(&p, model, &volume, &options)     how: grids, tiles, bytes
 *     vox_segment(&p, prepared, &volume, &labels, arena, bytes, executor)
 *
 * World axes are the scanner's, in NIfTI's order: x to the Right, y to the Anterior, z to the Superior.
 */
#ifndef VOX_VOLUME_H
#define VOX_VOLUME_H

#include "vox.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vox_voxel_type {
    VOX_VOXEL_U8,
    VOX_VOXEL_I8,
    VOX_VOXEL_U16,
    VOX_VOXEL_I16,
    VOX_VOXEL_U32,
    VOX_VOXEL_I32,
    VOX_VOXEL_F32,
    VOX_VOXEL_F64,
    VOX_VOXEL_TYPES
} vox_voxel_type;
size_t vox_voxel_bytes(vox_voxel_type type);

/* A volume as the caller has it, axes i, j, k of any order and direction. A value is slope * stored +
 * intercept; it must be finite and within float32. */
typedef struct vox_volume {
    const void
        *data; /* voxel 0, 0, 0 of channel 0, aligned to its type; NULL where only the grid is asked for */
    vox_voxel_type type;
    int channels;
    int dim[3];          /* voxels along i, j, k */
    ptrdiff_t stride[3]; /* bytes from voxel to voxel along i, j, k; may be negative */
    ptrdiff_t channel;   /* bytes from channel to channel */
    double slope, intercept;
    double spacing[3];      /* millimetres along i, j, k; 0: not known */
    double direction[3][3]; /* [world axis][i, j, k]: unit vectors; all 0: not known */
} vox_volume;

/* Where the labels of the volume's voxels go: u8 or u16. */
typedef struct vox_labels {
    void *data;
    vox_voxel_type type;
    ptrdiff_t stride[3]; /* bytes, as vox_volume's */
} vox_labels;

/* Zeroed: what the description says. */
typedef struct vox_segment_options {
    const void *const *folds; /* more prepared weights, whose scores are averaged with the first's */
    int n_folds;
    int set;         /* VOX_SET_* bits: which of these replace the description's */
    double level;    /* VOX_SET_LEVEL */
    double overlap;  /* VOX_SET_OVERLAP */
    int mirror_axes; /* VOX_SET_MIRROR_AXES */
    /* Called with each finished plane of scores on the volume's grid, NULL: nobody asks. Plane `index` (of
     * the oriented axis along D) of class `class`: values[h * columns + w] of rows x columns voxels. */
    void (*scores)(void *user, int class, int index, const float *values);
    void *user;
} vox_segment_options;
enum { VOX_SET_LEVEL = 1, VOX_SET_OVERLAP = 2, VOX_SET_MIRROR_AXES = 4 };

#ifdef __cplusplus
}
#endif
#endif
