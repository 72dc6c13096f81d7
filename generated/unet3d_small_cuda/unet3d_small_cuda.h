/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_cuda.h: the network unet3d_small, 1x1x92x92x92 to 1x3x4x4x4, as C and CUDA.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target cuda --precision
 * fp16 --init 1.
 *
 * A handle belongs to one GPU; see runtime/cuda/vox_cuda.h for who owns what. Nothing here prints or exits.
 * On anything but VOX_OK the outputs mean nothing; vox_status_text says what to do, and the options' message
 * callback got a line that says which call of CUDA or cuDNN failed.
 */
#ifndef UNET3D_SMALL_CUDA_H
#define UNET3D_SMALL_CUDA_H

#include "runtime/cuda/vox_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UNET3D_SMALL_CUDA_ABI_VERSION   1u
#define UNET3D_SMALL_CUDA_ALIGN         256u /* of the arena */
#define UNET3D_SMALL_CUDA_ARENA_BYTES   6209792u /* the least: without workspaces */
#define UNET3D_SMALL_CUDA_WEIGHTS_BYTES 603136u /* on the GPU */
#define UNET3D_SMALL_WEIGHTS_BYTES      1194688u
#define UNET3D_SMALL_INPUT_0_BYTES      3114752u
#define UNET3D_SMALL_INPUT_0_COUNT      778688u /* elements: 1x1x92x92x92 */
#define UNET3D_SMALL_OUTPUT_0_BYTES     768u
#define UNET3D_SMALL_OUTPUT_0_COUNT     192u /* elements: 1x3x4x4x4 */

typedef vox_status unet3d_small_status;
typedef vox_cuda unet3d_small_cuda;

/* Checks the weight file's content, chooses a plan for each convolution and copies the packed weights to the
 * GPU; takes a second or so. The file may be freed afterwards. options: NULL for the defaults. On anything but
 * VOX_OK *handle is NULL and nothing is kept: VOX_E_ARGUMENT, VOX_E_WEIGHTS_..., VOX_E_ARENA_SIZE or _ALIGN,
 * VOX_E_NO_DEVICE, VOX_E_DEVICE_MEMORY, VOX_E_MEMORY, VOX_E_CUDA, VOX_E_CUDNN. */
unet3d_small_status unet3d_small_cuda_create(const void *weights_file, size_t weights_bytes,
                                             const vox_cuda_options *options, unet3d_small_cuda **handle);
/* Waits for what the handle has under way. NULL is allowed. */
void unet3d_small_cuda_destroy(unet3d_small_cuda *handle);

/* Enqueues a run and returns. Row-major, in device memory:
 *   input   image  f32[1,1,92,92,92]
 *   output  logits  f32[1,3,4,4,4]
 * The first run with these pointers captures a CUDA graph, which later ones launch. */
unet3d_small_status unet3d_small_cuda_run(unet3d_small_cuda *handle, vox_cuda_stream stream,
                                          const float *image, float *logits);
/* The same from and to host memory; waits for the outputs. Not while a run of this handle is under way. */
unet3d_small_status unet3d_small_cuda_run_host(unet3d_small_cuda *handle, const float *image, float *logits);

size_t unet3d_small_cuda_arena_bytes(const unet3d_small_cuda *handle); /* workspaces included */
/* What a caller's arena needs for the plans that a handle of its own memory would get: UNET3D_SMALL_CUDA_ARENA_BYTES is
 * the least that create takes, with the slower plans. Takes about as long as create; *bytes is left alone on
 * anything but VOX_OK. */
vox_status unet3d_small_cuda_arena_wanted(const vox_cuda_options *options, size_t *bytes);
/* Sizes, shapes and names; its functions are NULL. */
const vox_model_info *unet3d_small_cuda_get_info(void);
/* The tables, for runtime/cuda/vox_cuda_model.h's functions. */
const struct vox_cuda_model *unet3d_small_cuda_get_model(void);

#ifdef __cplusplus
}
#endif
#endif
