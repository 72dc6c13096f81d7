/* SPDX-License-Identifier: MIT-0 */
/* tiles.h: where a network's tiles lie in a volume. Axes are the network's, D H W.
 *
 * The overlap-tile scheme (Ronneberger, Fischer, Brox: U-Net, 2015, figure 2): output tiles stand side by
 * side and cover the volume; each takes its input with the margin that the network consumes, mirrored at the
 * volume's border (the border voxel is not repeated). The last tiles may reach over the border; what they
 * compute there is dropped.
 */
#ifndef VOX_TILES_H
#define VOX_TILES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct vox_tiles {
    int volume[3];
    int in[3], out[3]; /* a tile's size */
    int margin[3];     /* (in - out) / 2 */
    int first[3]; /* where the first output tile begins: 0, or less if one tile is centred on the volume */
    int count[3]; /* tiles along each axis */
    int total;
    bool mirror; /* what lies beyond the volume: its mirror image, or 0 */
} vox_tiles;

/* mirror: any volume. Without, the volume must fit into one output tile, and is centred in it. Prints its
 * error and returns the exit code. */
int vox_tiles_plan(vox_tiles *t, const int volume[3], const int in[3], const int out[3], bool mirror);

/* Begin of output tile i (0 <= i < total) in the volume. */
void vox_tiles_begin(const vox_tiles *t, int i, int begin[3]);

/* Fills one channel of tile i's input, [in D][in H][in W]. `stride`: elements between neighbours of the
 * volume along D, H, W. index: room for in[0] + in[1] + in[2] ints. */
void vox_tiles_fill(const vox_tiles *t, int i, const float *volume, const size_t stride[3], int *index,
                    float *tile);

/* The voxel that a mirrored coordinate shows: ... 2 1 0 1 2 ... n-2 n-1 n-2 ... */
int vox_mirror(int i, int n);

#endif
