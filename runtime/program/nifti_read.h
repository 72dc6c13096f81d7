/* SPDX-License-Identifier: MIT-0 */
/* nifti_read.h: what the parts of reading a NIfTI file share. For nifti*.c only. */
#ifndef VOX_NIFTI_READ_H
#define VOX_NIFTI_READ_H

#include <limits.h>
#include <stdint.h>
#include <nifti2_io.h>
#include <zlib.h>

#include "nifti_geometry.h"

typedef struct vox_nifti_source {
    const char *path;     /* as the user named it */
    char image[PATH_MAX]; /* where the voxels stand */
    gzFile file;          /* of image, open; at byte `at` of what it holds unpacked */
    int64_t at;
    int64_t size;     /* bytes of image on disk; -1: a pipe or device, which has none to trust */
    nifti_2_header h; /* the fields of either version */
    bool swap;
    int element;   /* bytes of a voxel */
    size_t voxels; /* x y z t u */
    int per_voxel; /* channels within one: 3 for RGB */
} vox_nifti_source;

/* Opens the file or pair that s->path names, reads its header into g->raw and s, and leaves the file of the
 * voxels open, also on errors. All print their error and return the exit code. */
int vox_nifti_open(vox_nifti_source *s, vox_geometry *g);
/* gzread, again where a signal comes between. */
int vox_nifti_bytes(const vox_nifti_source *s, void *data, unsigned bytes);
/* The shape, type and size that the header gives; fills in the rest of s. */
int vox_nifti_check(vox_nifti_source *s);

/* Voxel size, affine and directions. Warns. */
void vox_nifti_geometry(const vox_nifti_source *s, double spacing[3], bool *unit_unknown, vox_geometry *g);

#endif
