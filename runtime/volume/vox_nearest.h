/* SPDX-License-Identifier: MIT-0 */
/* vox_nearest.h: the nearest of a set of voxels, exactly, with anisotropic spacing.
 *
 * A tree of 4 x 4 x 4 bits a node: a leaf's bits are voxels, another node's say which of its 64 children hold
 * any. It takes a bit of memory for each voxel of the box, and for each question 0.4 microseconds where surfaces
 * are some voxels apart, 6 where they are two planes 236 voxels apart. A separable distance transform
 * (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012) gives the same for all voxels of the box at 4
 * bytes and tens of nanoseconds each; a surface asks for few of them.
 */
#ifndef VOX_NEAREST_H
#define VOX_NEAREST_H

#include <stddef.h>
#include <stdint.h>

enum { VOX_NEAREST_LEVELS = 16 }; /* 4^16 voxels along an axis */

typedef struct vox_nearest_level {
    uint64_t *node; /* [z][y][x] of n */
    size_t n[3];
} vox_nearest_level;

typedef struct vox_nearest_tree {
    double spacing[3];
    int levels;
    vox_nearest_level level[VOX_NEAREST_LEVELS]; /* leaves first; the last has one node */
} vox_nearest_tree;

/* Memory for a box of dim (x y z) voxels, a multiple of 64. */
size_t vox_nearest_bytes(const int dim[3]);
/* An empty set, whose leaves vox_nearest_add fills; memory: aligned to 8 bytes, and kept as long as the tree.
 * */
void vox_nearest_begin(vox_nearest_tree *t, const int dim[3], const double spacing[3], void *memory);
/* Several threads may add at once when their z differ in z / 4. */
void vox_nearest_add(vox_nearest_tree *t, int x, int y, int z);
/* Fills the levels above the leaves. */
void vox_nearest_end(vox_nearest_tree *t);

/* The square of the distance (in units of the spacing) from the voxel `at` to the nearest voxel of the set,
 * which must not be empty. near: at first any voxel of the set, best one nearby, or near[0] < 0; then the
 * nearest. Sums are of doubles in the order x y z: the same square whatever stood in near. */
double vox_nearest_find(const vox_nearest_tree *t, const int at[3], int near[3]);

#endif
