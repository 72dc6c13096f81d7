/* SPDX-License-Identifier: MIT-0 */
/* image_tiff.h: what the parts of TIFF stacks share. For image_*tiff*.c only. */
#ifndef VOX_IMAGE_TIFF_H
#define VOX_IMAGE_TIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "image.h"

/* What a stack's description says of its pages: ImageJ's lines, OME's XML, or tifffile's shape of an array. */
typedef struct vox_tiff_text {
    bool ome, imagej;
    int shaped;              /* numbers of `shape`, 0: not given */
    int64_t z, c, t, images; /* 0: not given */
    char order[8];           /* OME's DimensionOrder, "XYZCT": what varies from page to page, fastest first */
    double shape[8];         /* of the array, the first numbers counting pages */
    double size[3];          /* of a voxel along x y z in mm; 0: not given */
    bool unit_unknown;       /* sizes of no known unit stand in size */
} vox_tiff_text;

/* per_unit: pixels per unit of the resolution tags, 0: not given. `text` NULL: there is none. */
void vox_tiff_describe(vox_tiff_text *d, const char *text, const double per_unit[2]);

/* The description that tells others what the pages are; malloc'd, NULL: no memory. */
char *vox_tiff_imagej(const vox_image *like);
char *vox_tiff_shape(const vox_image *like, int channels);
char *vox_tiff_ome(const vox_image *like, const vox_image_content *content, const char *type);

#ifdef VOX_WITH_TIFF
#include <tiffio.h>

/* A file as libtiff's handle, with its last message. */
typedef struct vox_tiff_file {
    FILE *file;
    int64_t size;      /* of the file, as far as it is written */
    char message[256]; /* "": none yet */
} vox_tiff_file;
/* The caller's file stays open; NULL: libtiff's message is in f. */
TIFF *vox_tiff_open(vox_tiff_file *f, const char *path, const char *mode);
#endif

#endif
