/* SPDX-License-Identifier: MIT-0 */
/* colours.c: see colours.h. */
#include "colours.h"

#include <stddef.h>
#include <string.h>

void vox_overlay_colour(int label, unsigned char rgb[3]) {
    /* Told apart by people who see colours differently too: Okabe and Ito's palette, without black. */
    static const unsigned char palette[][3] = {{230, 159, 0}, {86, 180, 233}, {0, 158, 115},  {240, 228, 66},
                                               {0, 114, 178}, {213, 94, 0},   {204, 121, 167}};
    memcpy(rgb, palette[(size_t)(label - 1) % (sizeof palette / sizeof *palette)], 3);
}
