/* SPDX-License-Identifier: MIT-0 */
/* vox_tiles.h: where a network's tiles lie in a volume, and what they take from it. Axes are the network's, D H W.
 *
 * Tiles that touch are the overlap-tile scheme (Ronneberger, Fischer, Brox: U-Net, 2015, figure 2): output tiles stand
 * side by side and cover the volume; each takes its input with the margin that the network consumes. They begin at
 * multiples of the network's phase, so that a voxel has the same scores whatever the tile's shape; only where a tile
 * is smaller than the phase they lie side by side all the same.
 * Tiles that overlap lie inside the volume; where it is smaller than a tile, one is centred on it. */
#ifndef VOX_TILES_H
#define VOX_TILES_H

#include <stdbool.h>
#include <stddef.h>

#include "vox.h"

typedef struct vox_axis_tiles {
    int volume, in, out; /* voxels of the prepared volume, of a tile's input and output */
    int margin;          /* (in - out) / 2 */
    int count;
    int first;   /* begin of the only tile, where there is one */
    double pace; /* from tile to tile */
    int last;    /* no tile begins behind this */
    int owned;   /* voxels of a touching tile that count: up to the next one's begin */
} vox_axis_tiles;

typedef struct vox_tiles {
    vox_axis_tiles axis[3];
    int total;
    vox_border border;
    int ring; /* planes of the volume along D that are in memory, voxel d lying at d modulo it; 0: all */
    int adds; /* 1: where tiles overlap their scores are added up; 0: tiles own their voxels */
} vox_tiles;

/* VOX_E_TILE: the output is not as large as the input, or smaller by the same margin on both sides; or the border is
 * VOX_BORDER_NONE and the volume larger than a tile.
 * VOX_E_SIZE: more than 2^31 - 1 tiles, or an axis of more than 2^30 voxels. */
vox_status vox_tiles_plan(vox_tiles *t, const vox_volume_info *info, const int volume[3], const int in[3],
                          const int out[3]);

/* Where output tile i (0 <= i < count) begins: below 0 only where it is larger than the volume. */
int vox_tile_begin(const vox_axis_tiles *a, int i);

/* Planes low <= d < high of the volume hold all that the tiles of a row (those that begin at the same voxel along D) take
 * from it. */
void vox_tiles_span(const vox_tiles *t, int row, int *low, int *high);
/* Planes that must be in memory at a time, where rows come in their order and planes in theirs. */
int vox_tiles_ring(const vox_tiles *t);

/* Fills one channel of a tile's input, [in D][in H][in W], whose output begins at `begin`. volume: the channel's
 * voxels, `stride` elements apart along D, H, W. flips: bits 1, 2, 4 turn the tile around along D, H, W.
 * index: room for in[0] + in[1] + in[2] ints. */
void vox_tile_fill(const vox_tiles *t, const int begin[3], int flips, const float *volume,
                   const size_t stride[3], int *index, float *tile, const vox_executor *e);

/* The voxel that a mirrored coordinate shows: ... 2 1 0 1 2 ... n-2 n-1 n-2 ... */
int vox_mirror(int i, int n);

/* Weights of a tile's output voxels, [out D][out H][out W], as `window` says; with `half` they are numbers of
 * float16. along: room for out[0] + out[1] + out[2] numbers. */
void vox_window_fill(vox_window window, int half, const int out[3], double *along, float *weight);

#endif
