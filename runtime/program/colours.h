/* SPDX-License-Identifier: MIT-0 */
/* colours.h: the colours of labels, in pictures and in files that can hold them. */
#ifndef VOX_COLOURS_H
#define VOX_COLOURS_H

/* Label 1, 2, ... is drawn in this colour (label 0 is not drawn); they repeat. */
void vox_overlay_colour(int label, unsigned char rgb[3]);

#endif
