/* SPDX-License-Identifier: MIT-0 */
/* vox_orient.h: which way a volume's axes run. A code names where each axis runs to: "RAS" is the axes i, j, k
 * to the Right, Anterior and Superior, "LPI" the opposite of it; 48 codes there are. */
#ifndef VOX_ORIENT_H
#define VOX_ORIENT_H

#include <stdbool.h>

/* For each of three axes: which source axis runs along it (0..2, each once), and whether against it. */
typedef struct vox_axes {
    int source[3];
    bool reversed[3];
} vox_axes;

/* What a code says: source is the world axis (0 left-right, 1 posterior-anterior, 2 inferior-superior) that the
 * code's axis runs along, reversed where it runs to L, P or I. false: not one of the 48 codes. */
bool vox_axes_of_code(const char *code, vox_axes *axes);

/* The code of axes whose direction in the world is direction[world axis][axis]; oblique axes get the nearest, such
 * that each world axis is taken once and the sum of |cosines| is largest. false: the direction is not known (all 0). */
bool vox_code_of_direction(const double direction[3][3], char code[4]);

/* Axes of a volume, of that direction, along those of a code. false: one of them is not known. */
bool vox_axes_towards(const double direction[3][3], const char *code, vox_axes *axes);

#endif
