/* SPDX-License-Identifier: MIT-0 */
/* label_file.h: a file of labels. */
#ifndef VOX_LABEL_FILE_H
#define VOX_LABEL_FILE_H

#include "image.h"

typedef struct vox_label_file {
    int dim[3];        /* x y z */
    double spacing[3]; /* mm, 0: the file does not say */
    bool unit_unknown; /* of spacing, which is taken for mm */
    uint16_t *labels;  /* [z][y][x] */
    vox_image image;   /* its grid; the voxels are gone */
} vox_label_file;

/* binary: all that is above 0 is label 1. Prints its error and returns the exit code: a voxel that is not a
 * label (whole numbers from 0 to 65535) is one. Free what it read with vox_label_file_free. */
int vox_label_file_read(const char *path, bool binary, vox_label_file *f);
void vox_label_file_free(vox_label_file *f);

#endif
