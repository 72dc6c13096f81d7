/* SPDX-License-Identifier: MIT-0 */
/* channels.h: a network's input channels from one file or several. Built only with VOX_WITH_NIFTI. */
#ifndef VOX_CHANNELS_H
#define VOX_CHANNELS_H

#include "nifti.h"
#include "vox.h"

/* Reads n files, all on one grid, as the channels of v, in their order; there must be as many as the model's
 * first input (N C D H W) has, or one that `repeat` uses for all. g: the first file's. Warns of what became 0
 * in reading. Prints its error and returns the exit code; v->data is the caller's to free, also then. */
int vox_channels_read(const vox_model_info *m, bool repeat, char **files, int n, vox_volume *v,
                      vox_geometry *g);

#endif
