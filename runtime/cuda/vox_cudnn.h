/* SPDX-License-Identifier: MIT-0 */
/* vox_cudnn.h: 3-D convolutions as cuDNN plans.
 *
 * A plan is one launchable piece of work, y = act(conv(x, w) + bias), made by cuDNN's graph (backend) API for
 * one convolution on one GPU. Plans are built on the machine that runs them: any other GPU, driver or cuDNN
 * refuses them. Sources: vox_cudnn.c, vox_cudnn_graph.c, vox_cudnn_cache.c; they need cuDNN >= 9.8 and the
 * CUDA runtime.
 *
 * Every function that can fail returns cuDNN's status, hands one line (what failed, on which convolution,
 * cuDNN's own reason) to the log, leaves its results untouched and keeps nothing. Nothing here is global:
 * any number of handles, streams and GPUs at once, one thread per handle and per plan at a time.
 */
#ifndef VOX_CUDNN_H
#define VOX_CUDNN_H

#include <stddef.h>
#include <stdint.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#if CUDNN_VERSION < 90800
#error "cuDNN 9.8 or newer is needed"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Of x, w, bias and y in memory; sums are fp32 always. F32: no tensor cores, no rounded factors. TF32: float
 * in memory, but tensor cores may round the factors to 10 bits of fraction. BF16: sm_80 and later. */
typedef enum vox_cuda_type { VOX_CUDA_F32, VOX_CUDA_TF32, VOX_CUDA_F16, VOX_CUDA_BF16 } vox_cuda_type;

/* vox_act under names of its own. */
typedef enum vox_cuda_act {
    VOX_CUDA_ACT_NONE,
#define ACT(sym, ...) VOX_CUDA_ACT_##sym,
#include "vox_acts.def"
} vox_cuda_act;

/* 1: a plan can apply it: NONE and RELU. 0: build the plan with VOX_CUDA_ACT_NONE and apply it in a kernel of
 * your own. (cuDNN 9.19 has no compiled engine that fuses a leaky ReLU, and for the rest one on the slowest
 * engine.) */
int vox_cudnn_fuses(vox_cuda_act act);

/* A convolution, or with backward_data a transposed convolution. Axes are D, H, W. Dense, channels last:
 *   x     [n][in][c_pitch]
 *   w     [k_pitch][kernel][c_pitch / groups]; backward_data: [c_pitch][kernel][k_pitch / groups]
 *   bias  [k_pitch]
 *   y     [n][out][k_pitch]
 * c_pitch >= c and k_pitch >= k: channels in memory. Those above c and k are computed like any other, so w
 * and bias hold zeros there, and x anything finite. With groups > 1 the pitches are c and k.
 *
 * out is what the rest gives: (in + pad_before + pad_after - dilation (kernel - 1) - 1) / stride + 1, rounded
 * down. With backward_data in and out change places in that: stride, pads and dilation are those of the
 * convolution that it transposes. An activation needs a bias, if only of zeros; backward_data plans have
 * neither. (cuDNN has no engine for ReLU alone or for a transposed convolution with anything after it.)
 *
 * What cuDNN 9.19 makes of it; tests/cuda/plans.txt has every convolution of the models on ten GPUs.
 * Workspaces are those of the paper's network under a cap of 256 MiB.
 *   - fp16, bf16: tensor cores from sm_75 on, most without workspace, deep layers with up to 16 MB.
 *   - A pitch that is no multiple of 8: x or y repacked in workspace, or no tensor cores.
 *   - bf16, up to 4 input channels: no tensor cores.
 *   - fp32: up to 43 MB, about the size of w; on sm_90 182 MB. Without workspace mostly the generic engine 0.
 *   - tf32: up to 16 MB on sm_90 and sm_100; elsewhere up to 182 MB.
 *   - Padding that differs before and after: accepted, but padding x in a kernel first may pay.
 *     fp32: engine 0; tf32 before sm_90: a padded copy of x in workspace, or engine 0 under the cap.
 *   - Groups, dilation: accepted. One channel per group: no tensor cores.
 *   - Transposed, stride unlike kernel: engine 0 in fp32.
 *   - A process whose first plan is for a GPU older than sm_75 gets no tf32 on any GPU. */
typedef struct vox_conv3d {
    int64_t n, c, k, in[3], out[3], kernel[3], stride[3], dilation[3], pad_before[3], pad_after[3], groups;
    int64_t c_pitch, k_pitch;
    vox_cuda_act act; /* one that vox_cudnn_fuses */
    vox_cuda_type type;
    int has_bias, backward_data;
} vox_conv3d;

/* Which plans will do. All 0: the least memory, any engine. */
typedef struct vox_plan_policy {
    int64_t workspace_cap; /* bytes; 0 always leaves a plan */
    int deterministic;     /* only engines that repeat bit for bit */
    int strict;            /* no Winograd, FFT or reduced-precision sums either, whatever the type */
    int precompiled;       /* no engine that cuDNN compiles when the plan is built (seconds each) */
    int candidates;        /* how many plans to keep for vox_plan_tune; 0 and 1: the first that fits */
} vox_plan_policy;

typedef struct vox_cudnn_log {
    void (*message)(void *user, const char *text); /* NULL: silence. One line without a newline */
    void *user;
} vox_cudnn_log;

/* What to build for: a handle, or (handle NULL) a device by description, where plans can be built and
 * described but not executed. Owned by the caller, who keeps it until the plans are destroyed. */
typedef struct vox_cudnn_target {
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t device;
    vox_cudnn_log log;
} vox_cudnn_target;

/* A device property descriptor from cuDNN's JSON text; no GPU or driver needed. The caller destroys it with
 * cudnnBackendDestroyDescriptor. */
cudnnStatus_t vox_cudnn_device(const char *json, const vox_cudnn_log *log, cudnnBackendDescriptor_t *device);

typedef struct vox_plan vox_plan;
typedef struct vox_plan_cache vox_plan_cache;

/* Builds the plan that the cache (NULL: none) remembers (where candidates are wanted: only if it remembers
 * that it was measured, and then no others), else the first that cuDNN's heuristics (mode A, then
 * FALLBACK) propose and that the policy allows. The plan keeps the target's log, not the target.
 * CUDNN_STATUS_BAD_PARAM: the numbers contradict each other; CUDNN_STATUS_NOT_SUPPORTED: no engine fits. */
cudnnStatus_t vox_plan_build(const vox_cudnn_target *target, const vox_conv3d *conv,
                             const vox_plan_policy *policy, const vox_plan_cache *cache, vox_plan **plan);
void vox_plan_destroy(vox_plan *plan); /* NULL: nothing */

/* Bytes of workspace that execute needs and, before vox_plan_tune, that tune needs: the largest of the
 * candidates'. At most the policy's cap. */
size_t vox_plan_workspace(const vox_plan *plan);

/* All in device memory, aligned to 16 bytes; bias NULL without has_bias; workspace any content, NULL when none
 * is needed. */
typedef struct vox_plan_operands {
    const void *x, *w, *bias;
    void *y, *workspace;
} vox_plan_operands;

/* On the handle's stream. Can be captured in a CUDA graph. */
cudnnStatus_t vox_plan_execute(cudnnHandle_t handle, const vox_plan *plan, const vox_plan_operands *o);

/* Times each candidate on `stream` (the handle's), the best of `repeats` after one to warm up, keeps the
 * fastest and drops the others. Waits for the stream; writes y and the workspace; not while capturing. A
 * candidate that fails to run is dropped; it is an error when none is left. */
cudnnStatus_t vox_plan_tune(cudnnHandle_t handle, vox_plan *plan, cudaStream_t stream, int repeats,
                            const vox_plan_operands *o);

/* "engine=34 notes=tensor_core workspace=0 knobs=2:10,13:32 from=heuristic": one line of at most bytes - 1
 * characters; from: heuristic, fallback, cache or tuned. Returns its full length, as snprintf. */
int vox_plan_describe(const vox_plan *plan, char *text, size_t bytes);

/* The cache: a text file that says which engine and knobs to use for a convolution under a policy, and
 * whether vox_plan_tune found them, bound by its first lines to GPU name, driver and cuDNN version. A missing
 * file is an empty cache; one of another machine or version, or a damaged one, is ignored with a message and
 * replaced when saved. A remembered plan that cuDNN refuses or that breaks the policy is ignored as well.
 * NULL: no memory. path is copied. */
vox_plan_cache *vox_plan_cache_open(const char *path, const char *gpu_name, int driver,
                                    const vox_cudnn_log *log);
/* Remembers the plan for its convolution and policy; in memory until saved. CUDNN_STATUS_ALLOC_FAILED. */
cudnnStatus_t vox_plan_cache_add(vox_plan_cache *cache, const vox_plan *plan);
/* Writes the file if something was added: under another name first, PATH.new, then renamed, so that readers
 * see the old or the new one. A killed process's PATH.new goes with the next open or save.
 * CUDNN_STATUS_INTERNAL_ERROR: it could not be written (the log says why). */
cudnnStatus_t vox_plan_cache_save(vox_plan_cache *cache);
void vox_plan_cache_close(vox_plan_cache *cache); /* does not save; NULL: nothing */

#ifdef __cplusplus
}
#endif
#endif
