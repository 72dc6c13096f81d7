/* SPDX-License-Identifier: MIT-0 */
/* overlay.h: a picture of three orthogonal slices with the labels over them.
 * Built only with VOX_WITH_NIFTI. */
#ifndef VOX_OVERLAY_H
#define VOX_OVERLAY_H

#include <stdint.h>

#include "colours.h"
#include "nifti.h"
#include "output.h"

/* Draws the slices through the centre of mass of the labels above 0 (the volume's centre if there are none):
 * sagittal, coronal, axial, from left to right, as an 8-bit RGB PNG. Superior (axial: anterior) is up; left
 * and right as radiologists see it, the patient's right on the picture's left, and letters say so; where g
 * does not know left from right (VOX_FORM_NONE), the axes are drawn as x to the left, y and z up, without
 * letters. Voxels keep their proportions (all are cubes where v->spacing is not known along every axis); the
 * scale is such that the shortest side has 256 pixels, unless the longest would pass 1024. Grey runs from
 * black at the volume's minimum to white at its 99.5th percentile. gray: channel 0 of v. labels: [z][y][x] on
 * v's grid. Writes to the open file, which stays open. Prints its error and returns the exit code. */
int vox_overlay_write(const vox_output *file, const vox_volume *v, const vox_geometry *g,
                      const uint16_t *labels);

#endif
