/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_check.h: one layer's result against the plain formula in double precision, from operands that were
 * copied to the host. Written without any of the kernels' code.
 */
#ifndef VOX_CUDA_CHECK_H
#define VOX_CUDA_CHECK_H

#include "vox_cuda_model.h"

/* A tensor as it lay on the GPU, in host memory. */
typedef struct vox_cuda_values {
    const vox_cuda_tensor *t;
    const void *data;
    int z0; /* the first plane of its window */
} vox_cuda_values;

typedef struct vox_cuda_sample {
    const vox_cuda_model *model;
    const vox_cuda_check *check;
    const unsigned char *weights; /* the GPU's copy of all weights, in host memory */
    vox_cuda_values y, x[VOX_CUDA_OPERANDS];
    int begin, end;  /* planes of y that the step made */
    uint64_t random; /* state of vox_random */
} vox_cuda_sample;

/* The largest error of `samples` elements of y, as a part of what rounding allows: wrong above 1. */
double vox_cuda_check_layer(vox_cuda_sample *s, int samples);

#endif
