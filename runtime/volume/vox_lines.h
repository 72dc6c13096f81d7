/* SPDX-License-Identifier: MIT-0 */
/* vox_lines.h: Gaussian, cubic B-spline and interpolation along one axis, on many lines side by side.
 *
 * A block holds the lines of one axis as [voxel][VOX_LINES] in float64, so that every loop runs across lines and
 * vectorises, the spline's recursion along the axis too.
 */
#ifndef VOX_LINES_H
#define VOX_LINES_H

#include "vox_resample.h"

enum { VOX_LINES = 32 }; /* of a block; with 64 resampling to 256^3 is no faster, with 16 a fifth slower */

/* Four neighbours of a position, rows of a block. */
typedef struct vox_spline_tap {
    int first;
    double weight[4];
} vox_spline_tap;

/* What is done along an axis: a Gaussian if radius > 0, then a cubic spline if spline is not NULL, else taps. */
typedef struct vox_axis {
    int from, to, radius;
    int before,
        after; /* rows of a block in front of and behind the voxels, for splines that reach beyond them */
    const double *gauss;          /* [radius + 1], from the centre outwards */
    const vox_spline_tap *spline; /* [to] */
    const vox_tap *taps;          /* [to] */
} vox_axis;

/* Memory of an axis of the resampling, and of a block for it, in bytes. */
size_t vox_axis_bytes(const vox_resample *r, int axis);
size_t vox_block_bytes(const vox_resample *r, int axis);

/* Writes its tables to memory (8-byte aligned). */
vox_axis vox_axis_of(const vox_resample *r, int axis, void *memory);

/* n <= VOX_LINES lines: voxel i of line l lies at i * step + l * line, one of the two 1. */
typedef struct vox_line_place {
    size_t step, line;
} vox_line_place;

/* Results of line l are limited to low[l]..high[l], VOX_LINES of them; NULL: they are not. in and out may be the
 * same lines. */
typedef struct vox_lines {
    const float *in, *low, *high;
    float *out;
    vox_line_place from, to;
    int n;
} vox_lines;
void vox_lines_run(const vox_axis *a, const vox_lines *l, double *block);

#endif
