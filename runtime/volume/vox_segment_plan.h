/* SPDX-License-Identifier: MIT-0 */
/* vox_segment_plan.h: what vox_segment knows before it runs: kind of network, options, tiles, where things lie in the arena. */
#ifndef VOX_SEGMENT_PLAN_H
#define VOX_SEGMENT_PLAN_H

#include "vox_preparation.h"
#include "vox_restore.h"
#include "vox_stream.h"

/* Where things lie in the arena, in bytes. The prepared volume is its begin; what preparing needs besides, and what the
 * tiles need, follow at the same place. */
typedef struct layout {
    size_t input, output, sum, network, scores, weights, sure, window, along, index, taps[3], lanes, empty,
        end;
} layout;

typedef struct segment {
    const vox_model_info *model;
    const vox_segment_options *o;
    vox_volume_info info; /* the description's, with the options' changes */
    int classes, are_labels, in[3], out[3];
    int axis[3]; /* the oriented axis along D, H, W */
    vox_preparation preparation;
    vox_stream stream; /* where the volume is read in slabs */
    vox_tiles tiles;
    int flips[8], n_flips;
    layout at;
    /* of a run */
    const void *prepared;
    const vox_executor *executor; /* the caller's */
    vox_executor of_network;      /* with our progress */
    char *arena;
    vox_blend blend;
    vox_restore restore;
    const vox_labels *labels;
    vox_segment_result *result;
    int first_row, end_row; /* rows of tiles that are run */
    int next_plane;         /* of labels */
    int done, total;        /* runs */
} segment;

/* Everything up to the tiles. Statuses: vox_segment_plan's. */
vox_status vox_plan_segment(segment *s, const vox_model_info *model, const vox_volume *v,
                            const vox_segment_options *o);
/* Tiles and the arena of the prepared grid as it is: again, once it is known what was cropped. */
vox_status vox_plan_tiles(segment *s);
/* s->blend but for its memory. */
void vox_plan_blend(segment *s);

static inline int folds_of(const segment *s) {
    return 1 + s->o->n_folds;
}

/* Folds have sums of their own where float16 rounds: nnU-Net averages what came out of each. */
static inline int folds_apart(const segment *s) {
    return s->tiles.adds && s->info.half ? folds_of(s) : 1;
}

/* Runs of the network whose mean is one tile's scores. */
static inline int runs_of_tile(const segment *s) {
    return s->n_flips * folds_of(s) / folds_apart(s);
}

static inline size_t product(const int dim[3]) {
    return (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
}

static inline int target(const segment *s, int k) {
    return s->preparation.oriented.dim[s->axis[k]];
}

/* The volume is read in slabs. */
static inline bool streams(const segment *s) {
    return s->preparation.volume->data == NULL && s->preparation.volume->read != NULL;
}

static inline int asks_who_is_sure(const segment *s) {
    return s->info.rule == VOX_ARGMAX && !s->are_labels && s->classes > 1 && s->classes < UINT16_MAX;
}

#endif
