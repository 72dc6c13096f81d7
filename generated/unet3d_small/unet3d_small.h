/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small.h: the network unet3d_small, 1x1x92x92x92 to 1x3x4x4x4, as C.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target c --init 1.
 *
 * The caller owns all memory: weights, the prepared buffer, the arena, inputs and outputs; no buffer may
 * overlap another. Nothing here prints, exits or allocates. Two threads, each with its own arena and outputs,
 * may run the same prepared buffer at the same time. On anything but VOX_OK what a function was to write is
 * untouched, the arena excepted. VOX_ISA is read from the environment at each call: don't change the
 * environment meanwhile.
 */
#ifndef UNET3D_SMALL_H
#define UNET3D_SMALL_H

#include "runtime/volume/vox_volume.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UNET3D_SMALL_ABI_VERSION    1u
#define UNET3D_SMALL_ALIGN          64u /* of the arena and of the prepared buffer */
#define UNET3D_SMALL_ARENA_BYTES    5776640u
#define UNET3D_SMALL_PREPARED_BYTES 8240832u
#define UNET3D_SMALL_WEIGHTS_BYTES  1194688u
#define UNET3D_SMALL_SELFTEST_BYTES 8892160u /* arena that the self-test needs */
#define UNET3D_SMALL_INPUT_0_BYTES  3114752u
#define UNET3D_SMALL_INPUT_0_COUNT  778688u /* elements: 1x1x92x92x92 */
#define UNET3D_SMALL_OUTPUT_0_BYTES 768u
#define UNET3D_SMALL_OUTPUT_0_COUNT 192u /* elements: 1x3x4x4x4 */

typedef vox_status unet3d_small_status; /* vox_status_text says what to do about each */

/* Checks the weight file's content (every field, checksum, finite values) and packs it; the weights may be
 * freed afterwards. VOX_E_ARGUMENT, VOX_E_PREPARED_SIZE or _ALIGN, VOX_E_WEIGHTS_...: as vox_status_text. */
unet3d_small_status unet3d_small_prepare(const void *weights, size_t weights_bytes, void *prepared,
                                         size_t prepared_bytes);

/* Row-major, aligned to their element:
 *   input   image  f32[1,1,92,92,92]
 *   output  logits  f32[1,3,4,4,4]; classes: 0 outside, 1 inside, 2 border
 * executor: NULL for the calling thread alone. What the arena holds before and after means nothing.
 * VOX_E_ARGUMENT, VOX_E_ARENA_SIZE or _ALIGN, VOX_E_PREPARED (or _ALIGN); VOX_E_ISA: this processor
 * lacks what VOX_ISA names; VOX_E_CANCELLED: by the executor, before an output was written. */
unet3d_small_status unet3d_small_run(const void *prepared, const float *image, float *logits, void *arena,
                                     size_t arena_bytes, const vox_executor *executor);

/* Runs seeded numbers and recomputes samples of each layer in double precision; VOX_E_SELFTEST: the first
 * wrong layer is named. Both results may be NULL.
 * The arena must hold UNET3D_SMALL_SELFTEST_BYTES. Otherwise as run. */
unet3d_small_status unet3d_small_selftest(const void *prepared, void *arena, size_t arena_bytes,
                                          const vox_executor *executor, const char **first_bad_layer,
                                          double *worst_error);

/* From a volume to its labels, as the description's volume section says: see runtime/volume/vox_volume.h, for
 * the options and the statuses too. prepared: unet3d_small_prepare's. The arena lies in the options; it must hold
 * unet3d_small_segment_bytes of the same volume and options (0: they are refused, and unet3d_small_segment says why). */
size_t unet3d_small_segment_bytes(const vox_volume *volume, const vox_segment_options *options);
unet3d_small_status unet3d_small_segment(const void *prepared, const vox_volume *volume,
                                         const vox_labels *labels, const vox_segment_options *options,
                                         const vox_executor *executor);

/* Sizes, shapes, names and functions, for hosts that load the model at run time. */
const vox_model_info *unet3d_small_get_info(void);

#ifdef __cplusplus
}
#endif
#endif
