/* SPDX-License-Identifier: MIT-0 */
/* vox_conv_walk.h: what the tiles of direct convolutions walk over: taps, channels, axes; and tasks. */
#ifndef VOX_CONV_WALK_H
#define VOX_CONV_WALK_H

#include "vox_act.h"

/* What a tile walks over, in floats. */
typedef struct vox_walk {
    int taps[3], ic;              /* taps per axis D H W; channels */
    ptrdiff_t x_tap[3], w_tap[3]; /* from tap to tap */
    int turn;                     /* D taps from this one on lie ... */
    ptrdiff_t x_turn;             /* ... this much further: a ring of planes ends between them */
    ptrdiff_t x_lane, x_block,
        x_pos;                      /* from channel to channel, block to block, output position to position */
    ptrdiff_t w_block;              /* from the first to the second block of output channels */
    ptrdiff_t from_pos, from_block; /* the start of the sums: bias (0, 16) or partial sums (as y) */
    ptrdiff_t y_pos, y_block;
    float low; /* 0: relu; -infinity: none */
    int run;   /* of vox_conv */
} vox_walk;

/* One axis of a class of outputs: output first + j*every (0 <= j < n) reads input at + j*move + t*step with
 * tap tap + t*tap_step, for those 0 <= t < taps where that is inside 0 .. extent-1. */
typedef struct vox_axis {
    int first, every, n;
    int tap, tap_step, taps;
    int at, move, step, extent;
} vox_axis;

/* The outputs begin <= o < end of residue `residue` (convolution: every output is residue 0 of 1). */
static inline vox_axis vox_conv_axis(const vox_conv *g, int transposed, int axis, int residue, int begin,
                                     int end) {
    const int k = g->kernel[axis], s = g->stride[axis], dilation = g->dilation[axis], pad = g->pad[axis];
    const int extent = axis == 0 ? g->x.d : axis == 1 ? g->x.h : g->x.w;
    if (!transposed) return (vox_axis){begin, 1, end - begin, 0, 1, k, begin * s - pad, s, dilation, extent};
    vox_axis a = {.every = s, .tap_step = 1, .move = 1, .step = -1, .extent = extent};
    a.first = begin + ((residue - begin) % s + s) % s;
    a.n = a.first < end ? vox_ceil_div(end - a.first, s) : 0;
    for (int t = k - 1; t >= 0; t--) {
        const int to = a.first + pad - t * dilation;
        if (to % s != 0) continue;
        if (a.taps > 0) a.tap_step = a.tap - t;
        a.taps++, a.tap = t, a.at = to / s;
    }
    if (a.taps > 1) a.step = -(a.tap_step * dilation) / s;
    return a;
}

/* The valid taps lo <= t < hi of output j; none: both 0. */
static inline void vox_axis_taps(const vox_axis *a, int j, int *lo, int *hi) {
    const int base = a->at + j * a->move;
    if (a->step > 0) {
        *lo = vox_ceil_div(-base, a->step);
        *hi = vox_floor_div(a->extent - 1 - base, a->step) + 1;
    } else {
        *lo = vox_ceil_div(base - a->extent + 1, -a->step);
        *hi = vox_floor_div(base, -a->step) + 1;
    }
    *lo = vox_max_int(*lo, 0);
    *hi = vox_min_int(*hi, a->taps);
    if (*hi <= *lo) *lo = *hi = 0;
}

/* The first output after j, at most n, whose valid taps are not those of j. */
static inline int vox_axis_next(const vox_axis *a, int j) {
    int next = a->n;
    for (int t = 0; t < a->taps; t++) {
        const int at = a->at + t * a->step;
        const int begin = vox_ceil_div(-at, a->move), end = vox_floor_div(a->extent - 1 - at, a->move) + 1;
        if (begin > j && begin < next) next = begin;
        if (end > j && end < next) next = end;
    }
    return next;
}

/* What a convolution adds lies as its result does, but in a ring of its own. */
static inline vox_dims vox_skip_dims(const vox_dims *y, int ring) {
    vox_dims skip = *y;
    skip.ring = ring;
    return skip;
}

/* From channel to channel, of plain memory. */
static inline ptrdiff_t vox_plane_floats(const vox_dims *t) {
    return (ptrdiff_t)vox_planes(t) * t->h * t->w;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

/* What one task computes: output channel blocks, planes, rows; ends exclusive. Planes are those of the range;
 * they and rows are counted in the order of vox_conv_turn. */
typedef struct vox_conv_box {
    int n, oc[2];
    vox_range range;
    int d[2], h[2];
} vox_conv_box;

/* The i-th of n outputs of a dilated axis to be computed: those that are congruent modulo the dilation follow
 * each other, since they share inputs. 5 channels at 256^3, dilation 8: 0.69 of the time that the order of
 * memory takes. */
static inline int vox_conv_turn(int i, int n, int dilation) {
    const int each = n / dilation, more = n % dilation; /* the first `more` classes have one output more */
    if (i < more * (each + 1)) return i / (each + 1) + i % (each + 1) * dilation;
    i -= more * (each + 1);
    return more + i / each + i % each * dilation;
}

/* Blocks of 16 output channels of one group. */
static inline int vox_conv_group_blocks(const vox_conv *g) {
    return vox_parts(g->y.c / g->group, VOX_BLOCK);
}

VOX_KERNEL int vox_conv_tasks(const vox_conv *g, vox_range range) {
    return g->y.n * vox_parts(vox_conv_group_blocks(g) * g->group, g->task_oc) *
           vox_parts(range.end - range.begin, g->task_d) * vox_parts(g->y.h, g->task_h);
}
VOX_KERNEL int vox_conv_transpose_tasks(const vox_conv *g, vox_range range) {
    return vox_conv_tasks(g, range);
}

/* Tasks are numbered n, oc, d, h, the last one fastest. */
static inline vox_conv_box vox_conv_box_of(const vox_conv *g, vox_range range, int task) {
    const int blocks = vox_conv_group_blocks(g) * g->group;
    const int planes = range.end - range.begin, nd = vox_parts(planes, g->task_d),
              nh = vox_parts(g->y.h, g->task_h), nc = vox_parts(blocks, g->task_oc);
    const int h = task % nh * g->task_h, d = task / nh % nd * g->task_d,
              oc = task / nh / nd % nc * g->task_oc;
    return (vox_conv_box){task / nh / nd / nc,
                          {oc, vox_min_int(oc + g->task_oc, blocks)},
                          range,
                          {d, vox_min_int(d + g->task_d, planes)},
                          {h, vox_min_int(h + g->task_h, g->y.h)}};
}

#endif
