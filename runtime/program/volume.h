/* SPDX-License-Identifier: MIT-0 */
/* volume.h: a volume in memory. Axes x y z are the file's, x runs fastest. */
#ifndef VOX_VOLUME_H
#define VOX_VOLUME_H

#include <stdbool.h>
#include <stddef.h>

/* Voxels that float32 can't hold as they stand in the file; `first` of each kind, of the file's value. */
typedef struct vox_lost {
    size_t count, at; /* voxels; the first, counted over all channels */
    double value;
} vox_lost;

typedef struct vox_volume {
    int dim[3]; /* x y z */
    int channels;
    double spacing[3]; /* mm from voxel to voxel, 0: the file does not say */
    bool unit_unknown; /* the file names no unit of spacing: it is taken for mm */
    int growth;        /* how many times as large a resampling may make it; 0: any number */
    float *data;       /* [channels][z][y][x], malloc'd, owned by whoever made the volume */
    /* What became 0: NaN or infinite, beyond float32, too near to 0 for float32. */
    vox_lost not_finite, too_large, too_small;
} vox_volume;

static inline size_t vox_volume_voxels(const vox_volume *v) {
    return (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
}

#endif
