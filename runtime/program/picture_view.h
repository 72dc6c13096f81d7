/* SPDX-License-Identifier: MIT-0 */
/* picture_view.h: a volume turned the way pictures show it (picture.h), and its slices. For picture*.c and page*.c.
 *
 * Axes of a view: x to the patient's left, y to posterior, z to inferior, so that columns and rows of every picture
 * ascend: sagittal ones have columns y, coronal and axial ones x; rows are z, of axial ones y. */
#ifndef VOX_PICTURE_VIEW_H
#define VOX_PICTURE_VIEW_H

#include <stdbool.h>

#include "picture.h"
#include "vox_orient.h"

typedef struct vox_view {
    const vox_picture *picture;
    vox_volume volume; /* with the view's axes */
    const uint16_t *labels;
    ptrdiff_t label_stride[3]; /* in labels; of labels[0], the view's first voxel */
    vox_axes axes;             /* the file's along x, y, z */
    double size[3];            /* of a voxel along x, y, z: mm, 1 where not known */
    bool sized, directed;
    double black, white; /* values; equal where the volume is of one value */
    int centre[3];       /* of the labels */
    int n_labels;        /* different ones above 0 that occur */
    size_t *count;       /* [VOX_VIEW_LABELS] voxels of each label */
} vox_view;
enum { VOX_VIEW_LABELS = 65536 };

/* Prints its error and returns the exit code; vox_view_free also then. */
int vox_view_open(vox_view *v, const vox_picture *p);
void vox_view_free(vox_view *v);

/* The name of a label, NULL: none. */
const char *vox_view_name(const vox_view *v, int label);
void vox_view_colour(const vox_view *v, int label, unsigned char rgb[3]);
/* The number of a slice along the file's own axis, from 0. */
int vox_view_file_index(const vox_view *v, int axis, int at);
/* 0..255 */
unsigned char vox_view_grey(const vox_view *v, double value);
/* mm^3 of a voxel, 0: not known */
double vox_view_voxel(const vox_view *v);

/* Voxels begin <= x, y, z < end as [z][y][x]; values or labels may be NULL. */
void vox_view_box_of(const vox_view *v, const int begin[3], const int end[3], float *values,
                     uint16_t *labels);

#endif
