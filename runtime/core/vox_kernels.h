/* SPDX-License-Identifier: MIT-0 */
/* vox_kernels.h: the kernels' contracts. Every kernel is a `static inline` function in a header of this
 * folder, so that <model>_kernels.c, compiled once per instruction set, holds only what the model uses.
 *
 * Memory layouts of a 5-D f32 tensor: block 0 = N, C, D, H, W; block 16 = N, ceil(C/16), D, H, W, 16 (lanes
 * above C hold anything and are never read into a result). All buffers are 64-byte aligned except graph
 * inputs and outputs (always block 0, aligned to 4). A kernel does the work of one task; tasks write disjoint
 * memory, and what an element becomes never depends on the split. Naming: vox_<dtype>_<op>; naive references:
 * vox_ref_<op>.
 *
 * A kernel takes the layer (its numbers, `g`), the operands (where its tensors are, `o`), the range of
 * output planes (along D) to compute, and the number of its task; <op>_tasks says into how many a range is
 * cut. x and y may be rings, and what those planes read of x must be there. "Whole": it always computes all
 * planes, whatever the range.
 */
#ifndef VOX_KERNELS_H
#define VOX_KERNELS_H

#include "vox.h"
#include "vox_acts.h"
#include "vox_limits.h"

typedef struct vox_dims {
    int n, c, d, h, w, block; /* block: 0 or VOX_BLOCK */
    /* 0: all planes along D are in memory. Else a ring: only `ring` of them are, plane z at index z % ring,
     * so that channels (or blocks of them) are ring*h*w (*16) floats apart. */
    int ring;
} vox_dims;
/* How many planes along D are in memory, and which of them holds plane z. */
static inline int vox_planes(const vox_dims *t) {
    return t->ring > 0 ? t->ring : t->d;
}
static inline int vox_plane_of(const vox_dims *t, int z) {
    return t->ring > 0 ? z % t->ring : z;
}

/* The operands of kernels that read one tensor and write one. */
typedef struct vox_xy {
    const float *x;
    float *y;
} vox_xy;
typedef struct vox_xy_any { /* of any type */
    const void *x;
    void *y;
} vox_xy_any;

/* Applied to a finished sum; alpha and beta as in vox_acts.def. */
typedef struct vox_epilogue {
    vox_act act;
    float alpha, beta;
} vox_epilogue;

/* vox_conv.h: vox_conv_tasks(g, range), vox_f32_conv(g, o, range, task), vox_conv_transpose_tasks(g, range),
 * vox_f32_conv_transpose(g, o, range, task), o: vox_conv_operands. Both share this. Axes are D, H, W. x.block
 * and y.block may differ (the first layer reads a plain input, the last may write a plain output). group > 1
 * needs plain x and y, or channels per group that are multiples of 16 on both sides. */
typedef struct vox_conv {
    vox_dims x, y;
    int kernel[3], stride[3], dilation[3];
    int pad[3]; /* at the begin of each axis; the end follows from y */
    int group;
    vox_epilogue ep;
    int skip_ring; /* the skip's ring, as in vox_dims; its other dims are y's */
    /* Work split. A task computes `task_oc` blocks of 16 output channels x `task_d` output planes x `task_h`
     * output rows; within it input channels are summed `chunk_ic` at a time (partial sums wait in y). */
    int task_oc, task_d, task_h, chunk_ic;
    /* A sum of n products one after the other loses about 3e-8 * sqrt(n / 2) of its size to rounding. So it
     * starts again after about `run` products (at the next row of taps), and y collects the parts: that costs
     * a pass over y in L1, 1 to 2 % of the time for 128. 0: at each row of taps. */
    int run;
} vox_conv;

/* What a convolution does for the normalisations in front of it and behind it. */
typedef struct vox_around {
    /* Not NULL: x (block 16; of a direct convolution: pointwise, at most VOX_AROUND_MOST channels) is read as
     * vox_f32_normalise would write it with these terms, this activation (none, relu, leaky_relu, prelu) and
     * slope; padding stays 0. */
    const float *terms, *slope;
    vox_epilogue ep;
    /* Not NULL: sums for vox_f32_norm_terms of y (block 16, n 1), slots * ceil(D / planes) slots of
     * ceil(C/16) * 32 doubles, all of which are written by the time that all of y is. */
    double *sums;
    int planes; /* what every range of planes but the last has */
    int slots;  /* per range: direct, as many as it has tasks for one pair of blocks of channels; Winograd, at
                 * least max(tiles / batch, 4 * workers); deep: tiles / batch, rounded up */
} vox_around;

/* The operands of every kernel of the family; what is not named is NULL, and absent. y may be skip; else none
 * of them overlap. */
typedef struct vox_conv_operands {
    const float *x;
    /* [group][ceil(OC/group/16)][KD][KH][KW][IC/group][16], lanes above OC are 0 (VOX_PACK_CONV). */
    const float *weights;
    /* Instead of them, for vox_f32_winograd and _few: [ceil(OC/16)][points][IC][16], with p = tile + 2 point
     * = (pd*p[1] + ph)*p[2] + pw, then their signs (VOX_PACK_WINOGRAD). */
    const float *transformed;
    const float *bias;  /* [group][ceil(OC/group/16)*16], zeros above OC/group */
    const float *slope; /* of prelu; as bias */
    const float *skip;  /* added before ep (not by vox_f32_conv_transpose); laid out as y */
    float *y;           /* what is stored; Winograd kernels may do without it, and crop or pool its values */
    float *crop, *pool;
    float *shared;     /* by all workers (deep): vox_winograd_deep_shared(g, range) floats */
    float *scratch;    /* of the first worker, g->worker_bytes apart; these two may hold anything before the
                        * range's first call */
    vox_around around; /* vox_f32_conv, vox_f32_winograd and _deep only */
} vox_conv_operands;

/* 3x3x3 convolution of stride 1 and one group by Winograd's minimal filtering, m outputs per tile and axis
 * from m + 2 inputs (m 2 or 4). Axes are D, H, W. What is not finite in x spoils the outputs that it
 * spoils with vox_f32_conv, no others; rounding errors are relative to the largest finite input of a tile,
 * which costs neighbours of values near 3e38 their precision. */
typedef struct vox_winograd {
    vox_dims x, y;           /* both block 16 (few: plain); each may be a ring, as may crop and pool */
    int tile[3];             /* m: 2 or 4; 1: an axis that is not transformed (few) */
    int dilation[3], pad[3]; /* pad: zeros at the begin of each axis; those at the end follow from y */
    vox_epilogue ep;
    int skip_ring;        /* as vox_conv's */
    int batch;            /* at most so many tiles go through scratch at a time; <= VOX_BATCH_MOST */
    int store;            /* 1: y is written */
    vox_dims crop;        /* c > 0: the box of y that starts at crop_begin is written here (block 16) */
    int crop_begin[3];    /* D, H, W */
    vox_dims pool;        /* c > 0: max over 2x2x2, stride 2 (d h w of y / 2, block 16); dilation must be 1 */
    int workers;          /* how many calls share a range of planes: more workers, smaller batches */
    int64_t worker_bytes; /* of scratch for each */
    int run; /* sums over input channels start again after so many, a multiple of 16: as vox_conv's */
} vox_winograd;

/* vox_winograd.h: vox_f32_winograd(g, o, range, worker, next) computes the range's output planes, for all n.
 * begin and end are multiples of tile[0] * dilation[0] (with pool: and even), or y.d. g->workers calls do it
 * together, at the same time or one after the other: each takes tiles until none are left. *next is theirs to
 * count with, and 0 before the first. What a plane becomes depends on nothing but x. A worker's scratch holds
 * vox_winograd_scratch(g) floats.
 *
 * vox_winograd_deep.h: vox_f32_winograd_deep(g, o, range, worker, phase, next) computes the same from weights
 * that are not transformed, for few tiles and many channels. Phase 0 by all workers, then, when all have
 * returned and *next is 0 again, phase 1 by all workers. batch: all tiles, up to about 128. Scratch:
 * vox_winograd_deep_scratch(g) floats.
 *
 * vox_winograd_few.h: vox_f32_winograd_few(g, o, range, worker, next) computes the same for plain x and y of
 * at most VOX_FEW_MOST output channels, with tile {4, 4, 1} (W is not transformed), without crop, pool and
 * around; store is 1 and batch means nothing. Scratch: vox_winograd_few_scratch(g) floats. */

/* A task is a worker. */
static inline int vox_winograd_tasks(const vox_winograd *g, vox_range range) {
    (void)range;
    return g->workers;
}
static inline float *vox_worker_scratch(const vox_winograd *g, const vox_conv_operands *o, int worker) {
    return o->scratch + worker * g->worker_bytes / (int64_t)sizeof(float);
}

/* vox_pool3d.h: vox_pool3d_tasks(g, range), vox_f32_max_pool(g, o, range, task),
 * vox_f32_average_pool(g, o, range, task), o: vox_xy. One task: one n, channel or block of channels, output
 * plane. */
typedef struct vox_pool3d {
    vox_dims x, y; /* same block */
    int kernel[3], stride[3], dilation[3], pad[3];
    int pad_end[3];  /* average with include_pad counts positions inside [-pad, extent + pad_end) */
    int include_pad; /* average only */
} vox_pool3d;

/* vox_norm.h: vox_norm_tasks(g, range), vox_f32_affine(g, o, range, task):
 * y = act(x * scale[c] + bias[c]); vox_f32_normalise(g, o, range, task):
 * y = act((x - t[n][0][c]) * t[n][1][c] + t[n][2][c]) with terms t. slope: of prelu or NULL. */
typedef struct vox_norm {
    vox_dims x; /* y has the same dims; y may be x */
    int y_ring; /* y's ring, as in vox_dims */
    vox_epilogue ep;
} vox_norm;
typedef struct vox_affine_operands {
    const float *x, *scale, *bias, *slope;
    float *y;
} vox_affine_operands;
typedef struct vox_normalise_operands {
    const float *x, *terms, *slope;
    float *y;
} vox_normalise_operands;

/* vox_norm.h: vox_norm_terms_tasks(g, range), vox_f32_norm_terms(g, o, range, task), whole: the terms of an
 * instance or group normalisation of whole x, y = [N][mean, scale / sqrt(variance + eps), bias][C]: mean and
 * (biased) variance of each n and group. slots > 0: not from x, but from those sums (vox_around). */
typedef struct vox_norm_terms {
    vox_dims x;
    int groups; /* of as many channels each; C: each channel by itself */
    double eps;
    int slots;
} vox_norm_terms;
typedef struct vox_norm_terms_operands {
    const float *x;
    const double *sums; /* NULL without slots */
    const float *scale, *bias;
    float *y;
} vox_norm_terms_operands;

/* vox_map.h: vox_map_tasks(g, range), vox_f32_map(g, o, range, task), o: vox_xy; y may be x. */
typedef struct vox_map {
    int64_t count; /* physical elements, lanes included */
    vox_epilogue ep;
    vox_dims y; /* n > 0: plane by plane, from x with the same dims but its own ring; else all elements */
    int x_ring;
} vox_map;
/* vox_map.h: vox_cast_tasks(g, range), vox_cast_elements(g, o, range, task), whole, o: vox_xy_any. */
typedef struct vox_cast {
    int64_t count;
    vox_dtype from, to;
} vox_cast;

typedef enum vox_binary_op {
    VOX_ADD,
    VOX_SUB,
    VOX_MUL,
    VOX_DIV,
    VOX_MIN,
    VOX_MAX,
    VOX_POW,
    VOX_PRELU,
    VOX_EQUAL,
    VOX_GREATER,
    VOX_GREATER_EQUAL,
    VOX_LESS,
    VOX_LESS_EQUAL
} vox_binary_op;
/* vox_map.h: vox_binary_tasks(g, range), vox_f32_binary(g, o, range, task): comparisons give 1.0f or 0.0f;
 * vox_f32_compare(g, o, range, task), whole: comparisons only, 1 or 0. */
typedef struct vox_binary {
    vox_binary_op op;
    int rank;              /* of y; a blocked tensor is rank 6: N Cb D H W 16 */
    int dim[VOX_MAX_RANK]; /* of y */
    int64_t a_stride[VOX_MAX_RANK], b_stride[VOX_MAX_RANK]; /* elements; 0 where the operand broadcasts */
    vox_dims y; /* n > 0: plane by plane; operands have these dims but rings of their own, or one element */
    int a_ring, b_ring;
} vox_binary;
typedef struct vox_binary_operands {
    const float *a, *b;
    float *y;
} vox_binary_operands;
typedef struct vox_compare_operands {
    const float *a, *b;
    uint8_t *y;
} vox_compare_operands;

/* y[i*y_stride] = x[i*x_stride] over a box: slice, concat copy, transpose, expand; offsets are in the
 * pointers. vox_copy.h: vox_copy_tasks(g, range), vox_copy_box(g, o, range, task), o: vox_xy_any. */
typedef struct vox_copy {
    int rank, element; /* element: bytes, 1 4 8 */
    int dim[VOX_MAX_RANK];
    int64_t x_stride[VOX_MAX_RANK], y_stride[VOX_MAX_RANK]; /* elements, may be negative or 0 (x) */
    int planes;                  /* not 0: axis `planes` of the box is D, and it goes plane by plane: */
    int x_begin, x_ring, y_ring; /* y's plane d is x's plane x_begin + d; the pointers don't count x_begin */
} vox_copy;

typedef enum vox_pad_mode { VOX_PAD_CONSTANT, VOX_PAD_REFLECT, VOX_PAD_EDGE, VOX_PAD_WRAP } vox_pad_mode;
/* vox_copy.h: vox_pad_tasks(g, range), vox_pad_box(g, o, range, task), whole, o: vox_xy_any. A blocked tensor
 * padded in space is rank 6. */
typedef struct vox_pad {
    int rank, element;                                                 /* element: bytes, 1 4 8 */
    int x_dim[VOX_MAX_RANK], y_dim[VOX_MAX_RANK], begin[VOX_MAX_RANK]; /* begin may be negative: crops */
    vox_pad_mode mode;
    const void *value; /* an element: the constant */
} vox_pad;

/* Plain <-> blocked. Lanes above C become 0. One task: one n, block of channels, plane. vox_copy.h:
 * vox_relayout_tasks(g, range), vox_f32_to_block(g, o, range, task), vox_f32_from_block(g, o, range, task),
 * o: vox_xy. */
typedef struct vox_relayout {
    vox_dims x, y; /* one plain, one blocked */
} vox_relayout;

/* ONNX Resize, rank 3 to 5 activations, scale 1 along N and C. vox_resize.h: vox_resize_tasks(g, range),
 * vox_f32_resize(g, o, range, task), whole, o: vox_xy. */
typedef enum vox_coordinates {
    VOX_HALF_PIXEL,
    VOX_HALF_PIXEL_SYMMETRIC,
    VOX_PYTORCH_HALF_PIXEL,
    VOX_ALIGN_CORNERS,
    VOX_ASYMMETRIC,
    VOX_TF_HALF_PIXEL_FOR_NN,
    VOX_TF_CROP_AND_RESIZE
} vox_coordinates;
typedef enum vox_nearest { VOX_ROUND_PREFER_FLOOR, VOX_ROUND_PREFER_CEIL, VOX_FLOOR, VOX_CEIL } vox_nearest;
typedef struct vox_resize {
    vox_dims x, y; /* same block */
    int linear;    /* 1: trilinear, 0: nearest */
    vox_coordinates coordinates;
    vox_nearest nearest;
    double scale[3], roi_begin[3], roi_end[3];
    float extrapolation;
} vox_resize;

typedef enum vox_reduction {
    VOX_REDUCE_SUM,
    VOX_REDUCE_MEAN,
    VOX_REDUCE_MAX,
    VOX_REDUCE_MIN,
    VOX_REDUCE_PROD
} vox_reduction;
/* Along one axis of a plain tensor seen as [outer][axis][inner], or along C of a blocked one (block 16: outer
 * = n, axis = c, inner = d*h*w). vox_reduce.h: vox_reduce_tasks(g, range), vox_f32_softmax(g, o, range,
 * task), o: vox_xy: y laid out as x; vox_f32_arg_max(g, o, range, task) and vox_f32_reduce(g, o, range,
 * task), whole, o: vox_xy: y plain, [outer][inner]; reductions read plain x only. */
typedef struct vox_reduce {
    int64_t outer, axis, inner;
    int block;
    int log, select_last;
    vox_reduction kind;        /* of reductions */
    int64_t plane;             /* not 0: plane by plane, of `plane` positions each, depth of them in all; */
    int depth, x_ring, y_ring; /* softmax and arg max only */
} vox_reduce;
typedef struct vox_arg_max_operands {
    const float *x;
    int64_t *y;
} vox_arg_max_operands;

#endif
