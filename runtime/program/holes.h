/* SPDX-License-Identifier: MIT-0 */
/* holes.h: filling the holes of a mask. */
#ifndef VOX_HOLES_H
#define VOX_HOLES_H

/* Sets to 1 what the zeros at the border of mask ([z][y][x] of dim x y z, 0 or 1) cannot reach through
 * neighbours that share a face: scipy.ndimage.binary_fill_holes. Prints its error and returns the exit code.
 */
int vox_fill_holes(unsigned char *mask, const int dim[3]);

#endif
