/* SPDX-License-Identifier: MIT-0 */
/* scores.h: what the network says of each voxel, and the labels that follow from it on
 * the file's own grid. */
#ifndef VOX_SCORES_H
#define VOX_SCORES_H

#include <stdbool.h>
#include <stdint.h>

#include "prepare.h"
#include "tiles.h"

typedef struct vox_scores {
    int classes;
    int dim[3];      /* x y z of the prepared grid */
    bool are_labels; /* the network gives labels itself; classes is 1 */
    float *data;     /* [classes][z][y][x] */
} vox_scores;

/* How scores become a label: threshold: 1 where the only class exceeds level; else the class with the largest
 * score, the first of equals. */
typedef struct vox_label_rule {
    bool threshold;
    double level;
} vox_label_rule;

int vox_scores_new(vox_scores *s, int classes, const int dim[3], bool are_labels); /* exit code; data is 0 */
void vox_scores_free(vox_scores *s);

/* Copies output tile i ([classes][D][H][W], what lies in the volume) to its place. axis[k]: the file axis
 * along the network's k-th. Returns the exit code: a score that is not a number is an error. */
int vox_scores_put(vox_scores *s, const vox_tiles *t, int i, const int axis[3], const float *tile);

/* Labels [z][y][x] of a grid of dim: the scores are interpolated linearly there (labels: the nearest is
 * taken), row by row, so that classes x volume never exists on the file's grid. Voxels outside the prepared
 * grid get 0. */
int vox_scores_label(const vox_scores *s, const vox_grid *grid, const int dim[3], const vox_label_rule *rule,
                     uint16_t *labels);

/* The same where the prepared grid is the file's, of `dim` (x y z): labels of what tile i says, straight to
 * their place. */
typedef struct vox_labelling {
    int classes;
    bool are_labels;
    const int *axis, *dim; /* [3] each */
    vox_label_rule rule;
} vox_labelling;
int vox_tile_label(const vox_tiles *t, int i, const vox_labelling *l, const float *tile, uint16_t *labels);

/* One class, interpolated as above: calls row(user, values) for every row of x; stops when that is not 0. */
int vox_scores_rows(const vox_scores *s, int class, const vox_grid *grid, const int dim[3],
                    int (*row)(void *user, const float *values), void *user);

#endif
