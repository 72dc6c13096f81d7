/* SPDX-License-Identifier: MIT-0 */
/* vox_resample_axes.h: vox_resample_volume for any order and with a Gaussian: axis after axis, the last one last. */
#ifndef VOX_RESAMPLE_AXES_H
#define VOX_RESAMPLE_AXES_H

#include "vox_resample.h"

/* Where part `i` of `parts` of 0..n-1 begins. */
static inline size_t vox_part(size_t n, int parts, int i) {
    return n * (size_t)i / (size_t)parts;
}

size_t vox_resample_axes_bytes(const vox_resample *r);
void vox_resample_axes(const vox_resample *r, const float *in, float *out, void *scratch,
                       const vox_executor *e);

#endif
