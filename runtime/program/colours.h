/* SPDX-License-Identifier: MIT-0 */
/* colours.h: the colours of labels, in pictures and in files that can hold them. */
#ifndef VOX_COLOURS_H
#define VOX_COLOURS_H

/* Label 1, 2, ... is drawn in this colour (label 0 is not drawn). The first seven are Okabe and Ito's, told apart by
 * people who see colours differently too; each that follows is the one furthest (CIELAB) from all before it among
 * those that stand out on grey; they repeat after 128. */
void vox_overlay_colour(int label, unsigned char rgb[3]);

#endif
