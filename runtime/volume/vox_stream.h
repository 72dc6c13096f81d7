/* SPDX-License-Identifier: MIT-0 */
/* vox_stream.h: a volume that is read in slabs, prepared plane by plane along D: what vox_preparation.h gives for a volume
 * in memory, bit for bit, of which no more than a ring of planes exists at a time.
 *
 * Steps that change a voxel by itself, statistics (which take passes over the slabs before the first tile), nearest and
 * linear resampling, and crop_or_pad can be done so; smooth, clip_percentiles, crop_to_nonzero, z_score_inside, cubic
 * splines and anti-aliasing cannot. */
#ifndef VOX_STREAM_H
#define VOX_STREAM_H

#include "vox_intensity.h"
#include "vox_preparation.h"

typedef struct vox_stream {
    const vox_preparation *p;
    int axis[3]; /* oriented axes along D, H, W */
    int slab;    /* planes that are made at a time */
    int ring;    /* planes kept */
    size_t slab_floats, stack, bytes;
    /* of a run */
    vox_standard *standard; /* [step][channel], of steps with statistics */
    vox_measuring *measuring;
    float *planes; /* [channel][ring][H][W] */
    float *made;   /* a slab [z][y][x] */
    char *scratch; /* stack bytes */
    int until;     /* planes below this were made */
    const vox_executor *e;
    vox_segment_result *result;
    int (*cancelled)(void *user); /* NULL: nobody does */
    void *user;
} vox_stream;

/* ring: planes that tiles need at a time. VOX_E_STREAM: a step that cannot be done so. */
vox_status vox_stream_plan(vox_stream *s, const vox_preparation *p, const int axis[3], int ring);

/* The first passes; memory: s->bytes, aligned to 64. The statuses of vox_preparation_run, VOX_E_CANCELLED, and what
 * reading gives. */
vox_status vox_stream_begin(vox_stream *s, void *memory);

/* Makes planes below `end`; plane d then is at d modulo ring. `first`: those below are not needed any more. */
vox_status vox_stream_fill(vox_stream *s, int first, int end);

#endif
