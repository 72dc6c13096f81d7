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

#include "nifti_geometry.h"
#include "output.h"
#include "volume.h"

/* Reads a volume: 3-D, or 4-D (or dim[5]) with channels, or RGB(A). Integers and floats of any size become
 * float after slope and intercept. What no finite float32 can hold becomes 0 and is counted in *not_finite
 * (and by kind in v). The file is read once, so pipes will do. pixdim gives the voxel size, the sform, or
 * else the qform, the directions; warns where these contradict each other or can't be used. Prints its error
 * and returns the exit code (2 bad file, 3 a type that cannot be read); on success v->data is the caller's to
 * free. */
int vox_nifti_read(const char *path, vox_volume *v, vox_geometry *g, size_t *not_finite);

/* Warns of what became 0 in reading. */
void vox_nifti_warn_lost(const char *path, const vox_volume *v);

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
