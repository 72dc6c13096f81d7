/* SPDX-License-Identifier: MIT-0 */
/* unet3d.h: the network unet3d, 1x3x132x132x116 to 1x3x44x44x28, as C.
 *
 * Written by voxc 0.1.0 from unet3d.yaml (SHA-256 8cee7e38b7575317...) with --target c --init 1.
 *
 * The caller owns all memory: weights, the prepared buffer, the arena, inputs and outputs; no buffer may
 * overlap another. Nothing here prints, exits or allocates. Two threads, each with its own arena and outputs,
 * may run the same prepared buffer at the same time. On anything but VOX_OK what a function was to write is
 * untouched, the arena excepted. VOX_ISA is read from the environment at each call: don't change the
 * environment meanwhile.
 */
#ifndef UNET3D_H
#define UNET3D_H

#include "runtime/volume/vox_volume.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UNET3D_ABI_VERSION    1u
#define UNET3D_ALIGN          64u /* of the arena and of the prepared buffer */
#define UNET3D_ARENA_BYTES    93513216u
#define UNET3D_PREPARED_BYTES 124788608u
#define UNET3D_WEIGHTS_BYTES  76281024u
#define UNET3D_SELFTEST_BYTES 118417920u /* arena that the self-test needs */
#define UNET3D_INPUT_0_BYTES  24254208u
#define UNET3D_INPUT_0_COUNT  6063552u /* elements: 1x3x132x132x116 */
#define UNET3D_OUTPUT_0_BYTES 650496u
#define UNET3D_OUTPUT_0_COUNT 162624u /* elements: 1x3x44x44x28 */

typedef vox_status unet3d_status; /* vox_status_text says what to do about each */

/* Checks the weight file's content (every field, checksum, finite values) and packs it; the weights may be
 * freed afterwards. VOX_E_ARGUMENT, VOX_E_PREPARED_SIZE or _ALIGN, VOX_E_WEIGHTS_...: as vox_status_text. */
unet3d_status unet3d_prepare(const void *weights, size_t weights_bytes, void *prepared,
                             size_t prepared_bytes);

/* Row-major, aligned to their element:
 *   input   image  f32[1,3,132,132,116]
 *   output  logits  f32[1,3,44,44,28]; classes: 0 outside, 1 inside, 2 tubule
 * executor: NULL for the calling thread alone. What the arena holds before and after means nothing.
 * VOX_E_ARGUMENT, VOX_E_ARENA_SIZE or _ALIGN, VOX_E_PREPARED (or _ALIGN); VOX_E_ISA: this processor
 * lacks what VOX_ISA names; VOX_E_CANCELLED: by the executor, before an output was written. */
unet3d_status unet3d_run(const void *prepared, const float *image, float *logits, void *arena,
                         size_t arena_bytes, const vox_executor *executor);

/* Runs seeded numbers and recomputes samples of each layer in double precision; VOX_E_SELFTEST: the first
 * wrong layer is named. Both results may be NULL.
 * The arena must hold UNET3D_SELFTEST_BYTES. Otherwise as run. */
unet3d_status unet3d_selftest(const void *prepared, void *arena, size_t arena_bytes,
                              const vox_executor *executor, const char **first_bad_layer,
                              double *worst_error);

/* From a volume to its labels, as the description's volume section says: see runtime/volume/vox_volume.h, for
 * the options and the statuses too. prepared: unet3d_prepare's. The arena lies in the options; it must hold
 * unet3d_segment_bytes of the same volume and options (0: they are refused, and unet3d_segment says why). */
size_t unet3d_segment_bytes(const vox_volume *volume, const vox_segment_options *options);
unet3d_status unet3d_segment(const void *prepared, const vox_volume *volume, const vox_labels *labels,
                             const vox_segment_options *options, const vox_executor *executor);

/* Sizes, shapes, names and functions, for hosts that load the model at run time. */
const vox_model_info *unet3d_get_info(void);

#ifdef __cplusplus
}
#endif
#endif
