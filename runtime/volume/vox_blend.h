/* SPDX-License-Identifier: MIT-0 */
/* vox_blend.h: tiles' scores become the prepared volume's, plane by plane along D, so that classes x volume never
 * exists: what is kept are as many planes as a tile has, and one more.
 *
 * Where tiles overlap a voxel's score is the weighted mean of theirs, sum(w s) / sum(w), added up in the order of the
 * tiles: in float32, or, with `half`, rounded to float16 after every addition, as nnU-Net's predictor does. */
#ifndef VOX_BLEND_H
#define VOX_BLEND_H

#include "vox.h"
#include "vox_tiles.h"

typedef struct vox_blend {
    const vox_tiles *tiles;
    int classes, folds; /* folds > 1: each has sums of its own, averaged when planes are finished */
    int half;
    vox_activation activation; /* of finished scores */
    float background
        [2];  /* of class 0, and of the others: voxels that no tile touched have it, before activation */
    int ring; /* planes kept */
    int begun, finished; /* planes below are not touched any more: zeroed, divided */
    float *weight;       /* of a tile's voxels: vox_window_fill's */
    void *sum;           /* [fold][class][ring][H][W], float or float16 */
    void *weights;       /* [ring][H][W], the same; where tiles add up */
    uint16_t *
        sure; /* [ring][H][W]: 1 + the class whose score is the largest by far, 0: none's is; NULL: nobody asks */
} vox_blend;

/* Bytes of sum and of weights, SIZE_MAX: too many. ring: the tile's planes + 1, or all there are. */
size_t vox_blend_bytes(const vox_blend *b, size_t *weights);

/* Planes up to `end` are going to be added to. */
void vox_blend_begin(vox_blend *b, int end, const vox_executor *e);

/* Adds a tile's scores [class][out D][out H][out W], whose output begins at `begin`, to a fold's sums; with `weigh`
 * also its weights, which is for one of the folds. */
void vox_blend_add(vox_blend *b, int fold, int weigh, const int begin[3], const float *scores,
                   const vox_executor *e);

/* Planes below `end` get no more tiles: sums become scores. */
void vox_blend_finish(vox_blend *b, int end, const vox_executor *e);

/* Bytes of `sure`. */
size_t vox_blend_sure_bytes(const vox_blend *b);

/* Row h of a finished plane d, W scores of a class, as floats: `row` where they have to be converted, of which only
 * part->begin <= w < part->end are. */
const float *vox_blend_row(const vox_blend *b, int class, int d, int h, const vox_range *part, float *row);

/* Of row h of a finished plane d. */
const uint16_t *vox_blend_sure_row(const vox_blend *b, int d, int h);

#endif
