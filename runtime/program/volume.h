/* SPDX-License-Identifier: MIT-0 */
/* volume.h: a volume in memory. Axes x y z are the file's, x runs fastest. */
#ifndef VOX_VOLUME_H
#define VOX_VOLUME_H

#include <stddef.h>

typedef struct vox_volume {
    int dim[3]; /* x y z */
    int channels;
    double spacing[3]; /* mm from voxel to voxel, 0: the file does not say */
    float *data;       /* [channels][z][y][x], malloc'd, owned by whoever made the volume */
} vox_volume;

static inline size_t vox_volume_voxels(const vox_volume *v) {
    return (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
}

#endif
