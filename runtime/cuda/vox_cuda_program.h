/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_program.h: a bundle's GPU as a backend of its program. */
#ifndef VOX_CUDA_PROGRAM_H
#define VOX_CUDA_PROGRAM_H

#include "program/backend.h"

struct vox_cuda_model;
/* "cuda": on the GPU that --gpu names. */
vox_backend vox_cuda_backend(const struct vox_cuda_model *model);

#endif
