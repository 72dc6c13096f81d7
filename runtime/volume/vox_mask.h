/* SPDX-License-Identifier: MIT-0 */
/* vox_mask.h: one bit a voxel: where a volume is not 0, its holes, its box. */
#ifndef VOX_MASK_H
#define VOX_MASK_H

#include <stdbool.h>
#include "vox_volume.h"

/* Voxel x, y, z is bit x % 64 of bits[(z * dim[1] + y) * row + x / 64]. Bits behind the end of a row are 0. */
typedef struct vox_mask {
    int dim[3];
    size_t row; /* words */
    uint64_t *bits;
} vox_mask;

size_t vox_mask_bytes(const int dim[3]);
/* A mask in the caller's memory, vox_mask_bytes of it, aligned to 8; its bits are not set. */
vox_mask vox_mask_in(void *memory, const int dim[3]);

/* 1 where the volume is not 0 in any channel (nnU-Net's create_nonzero_mask before holes are filled), judged by the
 * float32 that vox_volume_load would give. The mask has the volume's dim; its x, y, z are the volume's i, j, k. */
void vox_mask_nonzero(const vox_mask *m, const vox_volume *v, const vox_executor *e);

/* Sets what no path from a face of the volume through neighbouring 0 voxels (faces touch) leads to: what
 * scipy.ndimage.binary_fill_holes does. scratch: vox_mask_fill_bytes, aligned to 8. */
size_t vox_mask_fill_bytes(const int dim[3]);
void vox_mask_fill_holes(const vox_mask *m, void *scratch);

/* The smallest box begin <= i < end (of x, y, z) that holds every 1. false: there is none, and the box is the
 * whole volume. */
bool vox_mask_box(const vox_mask *m, int begin[3], int end[3]);

static inline bool vox_mask_get(const vox_mask *m, int x, int y, int z) {
    size_t row = ((size_t)z * (size_t)m->dim[1] + (size_t)y) * m->row;
    return (m->bits[row + (size_t)x / 64] >> (x % 64) & 1) != 0;
}

#endif
