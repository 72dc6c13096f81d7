/* SPDX-License-Identifier: MIT-0 */
/* nifti_geometry.h: where the voxels of a NIfTI file lie. Built only with VOX_WITH_NIFTI. */
#ifndef VOX_NIFTI_GEOMETRY_H
#define VOX_NIFTI_GEOMETRY_H

#include <stdbool.h>

enum { VOX_NIFTI_HEADER = 540 }; /* bytes of a NIfTI-2 header; NIfTI-1's 348 fit too */

/* What says where the voxels lie: nothing (both codes are 0, or neither form can be used), or which form. */
typedef enum vox_form { VOX_FORM_NONE, VOX_FORM_QFORM, VOX_FORM_SFORM } vox_form;

/* A file's header, kept whole so that a result can have the same geometry (qform, sform, pixdim, units). */
typedef struct vox_geometry {
    int version;                         /* 1 or 2 */
    unsigned char raw[VOX_NIFTI_HEADER]; /* in this machine's byte order */
    vox_form form;                       /* what the rest is from */
    double affine[3][4]; /* voxel x y z 1 to mm; VOX_FORM_NONE: the voxel size, 0 where unknown */
} vox_geometry;

/* What describes the voxels in a header of this machine's byte order that else stays as it is: one file, 3-D or
 * with channels along dim[4]. */
typedef struct vox_nifti_voxels {
    int type, bytes, intent, channels;
    double slope;
    const char *description;
} vox_nifti_voxels;
void vox_nifti_patch(unsigned char raw[VOX_NIFTI_HEADER], int version, const vox_nifti_voxels *v);

/* Finds the other file of a .hdr + .img pair that path belongs to; false: it belongs to none. `other` has
 * room for PATH_MAX bytes. */
bool vox_nifti_partner(const char *path, char *other);

#endif
