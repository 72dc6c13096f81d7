/* SPDX-License-Identifier: MIT-0 */
/* picture.h: pictures of a volume with its labels over it.
 *
 * Pictures are as radiologists see them, whatever the order of the file: the patient's right on the left, anterior
 * (axial) or superior (coronal, sagittal) on top, anterior on the left of sagittal ones. Oblique volumes are shown
 * along their own axes, named after the nearest of the patient's. Where the image does not say where left and right
 * are there are no letters; NIfTI is then taken to run to the right, anterior and superior, any other format is
 * shown as it lies in the file: i to the right, j downwards, slices along k. Voxels keep their proportions; they
 * are cubes where the size is not known along every axis.
 * Built only with VOX_WITH_NIFTI, which stands for libpng and zlib too.
 */
#ifndef VOX_PICTURE_H
#define VOX_PICTURE_H

#include <stdint.h>

#include "image.h"
#include "output.h"

typedef struct vox_picture {
    const vox_image *image;   /* as read: channel 0 is shown, in grey */
    const uint16_t *labels;   /* [k][j][i] of the image's grid, contiguous, i fastest */
    const char *const *names; /* of labels 0, 1, ...; NULL where a label has none */
    int n_names;
    const unsigned char (
        *colours)[3]; /* n_names RGB; NULL: vox_overlay_colour, which colours labels beyond too */
    double window[2]; /* percentiles of the voxels that become black and white; both 0: 0.5 and 99.5 */
} vox_picture;

/* Three slices through the centre of mass of the labels above 0 (the volume's centre where there are none):
 * sagittal, coronal, axial, from left to right, with R L A P S I at their edges and a bar that says how long a piece
 * of it is; below them the labels that occur, their colours, names and, where known, volumes. An 8-bit RGB PNG; the
 * scale is such that the shortest side of the volume has 384 pixels, unless its longest would pass 1024.
 * Writes to the open file, which stays open. Prints its error and returns the exit code. */
int vox_overlay_write(const vox_output *file, const vox_picture *p);

/* Axial slices, superior first, row by row, each with its number along the file's axis, from 0: all of them, or,
 * where there are more than 64, so many spread evenly over those with labels and a tenth more on either side. */
int vox_montage_write(const vox_output *file, const vox_picture *p);

#endif
