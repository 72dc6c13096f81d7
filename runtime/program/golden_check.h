/* SPDX-License-Identifier: MIT-0 */
/* golden_check.h: a run compared with the files of a golden/ folder (voxc compile --golden): input_N.npy,
 * output_N.npy and layers.txt, "NAME COUNT MEAN RMS" a line.
 */
#ifndef VOX_GOLDEN_CHECK_H
#define VOX_GOLDEN_CHECK_H

#include "host.h"

/* Runs h on the folder's inputs. Prints the first layer whose statistics differ, or the worst output error,
 * and returns the exit code. */
int vox_golden_check(vox_host *h, const char *folder);

#endif
