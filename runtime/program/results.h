/* SPDX-License-Identifier: MIT-0 */
/* results.h: what a verb writes against what it reads. */
#ifndef VOX_RESULTS_H
#define VOX_RESULTS_H

#include "vox.h"

/* Fails (printed, exit code 2) where one of the results (NULL: none) would replace a file that is read: one
 * of the n inputs, the other file of a .hdr + .img pair among them, the weights (as for vox_map_weights); or
 * where two results share a file. */
int vox_results_check(const vox_model_info *m, const char *weights, const char *const *results, int n_results,
                      char **inputs, int n);

#endif
