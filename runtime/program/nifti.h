/* SPDX-License-Identifier: MIT-0 */
/* nifti.h: NIfTI-1 and NIfTI-2 files, .nii, .nii.gz and .hdr + .img, through Debian's libnifti2 and zlib.
 * Built only with VOX_WITH_NIFTI.
 *
 * libnifti2 gives the header structures, byte swapping, type sizes and orientation. The headers' sizes are
 * checked here before anything is allocated and the voxels are read here, because the library trusts the
 * former and silently replaces voxels that are not finite.
 */
#ifndef VOX_NIFTI_H
#define VOX_NIFTI_H

#include <stdint.h>

#include "output.h"
#include "volume.h"

enum { VOX_NIFTI_HEADER = 540 }; /* bytes of a NIfTI-2 header; NIfTI-1's 348 fit too */

/* What says where the voxels lie: nothing (both codes are 0, or neither form can be used), or which form. */
typedef enum vox_form { VOX_FORM_NONE, VOX_FORM_QFORM, VOX_FORM_SFORM } vox_form;

/* A file's header, kept whole so that a result can have the same geometry (qform, sform, pixdim, units). */
typedef struct vox_geometry {
    int version;                         /* 1 or 2 */
    unsigned char raw[VOX_NIFTI_HEADER]; /* in this machine's byte order */
    int volumes;                         /* 3-D ones: dim[4] * dim[5] */
    vox_form form;                       /* what the rest is from */
    double affine[3][4]; /* voxel x y z 1 to mm; VOX_FORM_NONE: the voxel size, 0 where unknown */
    int world[3];        /* per axis x y z: 0 runs left-right, 1 posterior-anterior, 2 inferior-superior */
    int flipped[3];      /* 1: towards left, posterior, inferior as the index grows */
} vox_geometry;

/* Reads a volume: 3-D, or 4-D (or dim[5]) with channels, or RGB(A). Integers and floats of any size become
 * float after slope and intercept. What no finite float32 can hold becomes 0 and is counted in *not_finite
 * (and by kind in v). The file is read once, so pipes will do. pixdim gives the voxel size, the sform, or
 * else the qform, the directions; warns where these contradict each other or can't be used. Prints its error
 * and returns the exit code (2 bad file, 3 a type that cannot be read); on success v->data is the caller's to
 * free. */
int vox_nifti_read(const char *path, vox_volume *v, vox_geometry *g, size_t *not_finite);

/* Warns of what became 0 in reading. */
void vox_nifti_warn_lost(const char *path, const vox_volume *v);

/* Finds the other file of a .hdr + .img pair that path belongs to; false: it belongs to none. `other` has
 * room for PATH_MAX bytes. */
bool vox_nifti_partner(const char *path, char *other);

/* Fails (exit code 2, both affines named) where two files of as many voxels do not lie on one grid, to within
 * a thousandth of a voxel per voxel and of a mm; warns where one of them says nothing about directions. */
int vox_nifti_same_grid(const char *path, const vox_geometry *g, const char *first_path,
                        const vox_geometry *first);

typedef enum vox_nifti_type { VOX_NIFTI_U8, VOX_NIFTI_U16, VOX_NIFTI_F32 } vox_nifti_type;

typedef struct vox_nifti_writer {
    vox_output output;
    void *gz; /* gzFile, or NULL: not compressed */
} vox_nifti_writer;

/* A path ending in .nii or .nii.gz (in capitals too), or a device. Opened before a long computation, so that
 * a wrong path is found early. Then the header (once), then the data in one or more parts, then commit. A
 * failing step prints, cleans up, and returns the exit code; after it abort may be called, and does nothing.
 */
int vox_nifti_create(vox_nifti_writer *w, const char *path);
int vox_nifti_header(vox_nifti_writer *w, const vox_geometry *g, vox_nifti_type type, int channels,
                     const char *description);
int vox_nifti_put(vox_nifti_writer *w, const void *data, size_t bytes);
int vox_nifti_commit(vox_nifti_writer *w);
void vox_nifti_abort(vox_nifti_writer *w);

#endif
