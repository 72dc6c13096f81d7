/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_kernels.cu: what of unet3d_small cuDNN does not compute, layer by layer.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target cuda --precision
 * fp16 --init 1.
 *
 * Each function launches its layer's own kernel for one step: the planes s->begin to s->end of the result.
 * Offsets count bytes. "arena + n, layers a to b": the first and last layer that touch that buffer. A view is
 * {address, n, c, d, h, w, elements from voxel to voxel, channels of its own, first plane in memory, planes
 * in memory (0: all)}.
 */
#include "runtime/cuda/vox_cuda_model.h"
#include "runtime/cuda/vox_first_conv.cuh"
#include "runtime/cuda/vox_last_conv.cuh"
#include "runtime/cuda/vox_scatter.cuh"
#include "runtime/cuda/vox_copy.cuh"
#include "runtime/cuda/vox_pool.cuh"

/* e0a: conv 3x3x3 + relu, own kernel, reads 3.11 MB, writes 11.66 MB
 *   x  image f32[1,1,92,92,92], inputs[0]
 *   w  e0a.conv.weight, weights + 601344
 *   y  e0a f32[1,4,90,90,90], channels last, pitch 8, 20 planes kept, arena + 0, layers 0 to 3
 */
static cudaError_t unet3d_small_e0a(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { W = 601344, BIAS = 602368, Y = 0 };
    const vox_gpu_first_conv_shape shape = {1, {92, 92, 92}, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}};
    const float *x = (float *)m->inputs[0];
    const float *w = (const float *)(m->weights + W);
    const vox_gpu_epilogue ep = {(const float *)(m->weights + BIAS), nullptr, 0.0f, 0.0f};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 4, 90, 90, 90, 8, 8, s->z0[0], 20};
    const vox_gpu_first_conv_operands<__half> o = {x, w, ep, y};
    return vox_gpu_first_conv<VOX_ACT_RELU, 3, 1>(shape, o, s->begin, s->end, stream);
}

/* p0: max_pool 2x2x2 stride 2x2x2, reads 10.90 MB, writes 1.36 MB; and a crop of the same
 *   x  e0b f32[1,8,88,88,88], channels last, pitch 8, 18 planes kept, arena + 2592000, layers 0 to 3
 *   y  p0 f32[1,8,44,44,44], channels last, pitch 8, arena + 4822272, layers 0 to 4
 *   crop  e0b.crop f32[1,8,8,8,8], channels last, pitch 24, arena + 6185248, layers 0 to 21
 */
static cudaError_t unet3d_small_p0(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { X = 2592000, Y = 4822272, CROP = 6185248 };
    const int at[3] = {40, 40, 40};
    const vox_view<__half> x = {(__half *)(m->arena + X), 1, 8, 88, 88, 88, 8, 8, s->z0[1], 18};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 8, 44, 44, 44, 8, 8, 0, 0};
    const vox_view<__half> crop = {(__half *)(m->arena + CROP), 1, 8, 8, 8, 8, 24, 8, 0, 0};
    const vox_gpu_max_pool_crop_operands<__half> o = {x, y, crop};
    return vox_gpu_max_pool_crop(at, o, s->begin, s->end, stream);
}

/* p1: max_pool 2x2x2 stride 2x2x2, reads 2.05 MB, writes 0.26 MB
 *   x  e1b f32[1,16,40,40,40], channels last, pitch 16, arena + 0, layers 5 to 17
 *   y  p1 f32[1,16,20,20,20], channels last, pitch 16, arena + 2048000, layers 6 to 7
 */
static cudaError_t unet3d_small_p1(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { X = 0, Y = 2048000 };
    const vox_gpu_window window = {{2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0};
    const vox_view<__half> x = {(__half *)(m->arena + X), 1, 16, 40, 40, 40, 16, 16, 0, 0};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 16, 20, 20, 20, 16, 16, 0, 0};
    return vox_gpu_max_pool(window, x, y, s->begin, s->end, stream);
}

/* p2: max_pool 2x2x2 stride 2x2x2, reads 0.26 MB, writes 0.03 MB
 *   x  e2b f32[1,32,16,16,16], channels last, pitch 32, arena + 2048000, layers 8 to 13
 *   y  p2 f32[1,32,8,8,8], channels last, pitch 32, arena + 2310144, layers 9 to 10
 */
static cudaError_t unet3d_small_p2(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { X = 2048000, Y = 2310144 };
    const vox_gpu_window window = {{2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0};
    const vox_view<__half> x = {(__half *)(m->arena + X), 1, 32, 16, 16, 16, 32, 32, 0, 0};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 32, 8, 8, 8, 32, 32, 0, 0};
    return vox_gpu_max_pool(window, x, y, s->begin, s->end, stream);
}

/* up2: conv_transpose 2x2x2 stride 2x2x2, cuDNN and a scatter, reads 0.01 MB, writes 0.10 MB
 *   product  of e3b, arena + 2408448
 *   y  up2 f32[1,64,8,8,8], channels last, pitch 96, arena + 2310144, layers 12 to 14
 */
static cudaError_t unet3d_small_up2(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { PRODUCT = 2408448, Y = 2310144 };
    const vox_gpu_scatter_shape shape = {{2, 2, 2}, {0, 0, 0}};
    const vox_view<__half> product = {(__half *)(m->arena + PRODUCT), 1, 512, 4, 4, 4, 512, 0, 0, 0};
    const vox_gpu_epilogue ep = {nullptr, nullptr, 0.0f, 0.0f};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 64, 8, 8, 8, 96, 64, 0, 0};
    const vox_gpu_scatter_operands<__half> o = {product, ep, y};
    return vox_gpu_scatter<VOX_ACT_NONE>(shape, o, s->begin, s->end, stream);
}

/* e2b.crop: slice, reads 0.26 MB, writes 0.10 MB
 *   x  e2b f32[1,32,16,16,16], channels last, pitch 32, arena + 2048000, layers 8 to 13
 *   y  e2b.crop f32[1,32,8,8,8], channels last, pitch 96, arena + 2310272, layers 12 to 14
 */
static cudaError_t unet3d_small_e2b_crop(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { X = 2048000, Y = 2310272 };
    const vox_gpu_slice slice = {{4, 4, 4}, {1, 1, 1}};
    const vox_view<__half> x = {(__half *)(m->arena + X), 1, 32, 16, 16, 16, 32, 32, 0, 0};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 32, 8, 8, 8, 96, 32, 0, 0};
    return vox_gpu_copy(slice, x, y, s->begin, s->end, stream);
}

/* up1: conv_transpose 2x2x2 stride 2x2x2, cuDNN and a scatter, reads 0.00 MB, writes 0.05 MB
 *   product  of d2b, arena + 2097152
 *   y  up1 f32[1,32,8,8,8], channels last, pitch 48, arena + 2048000, layers 16 to 18
 */
static cudaError_t unet3d_small_up1(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { PRODUCT = 2097152, Y = 2048000 };
    const vox_gpu_scatter_shape shape = {{2, 2, 2}, {0, 0, 0}};
    const vox_view<__half> product = {(__half *)(m->arena + PRODUCT), 1, 256, 4, 4, 4, 256, 0, 0, 0};
    const vox_gpu_epilogue ep = {nullptr, nullptr, 0.0f, 0.0f};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 32, 8, 8, 8, 48, 32, 0, 0};
    const vox_gpu_scatter_operands<__half> o = {product, ep, y};
    return vox_gpu_scatter<VOX_ACT_NONE>(shape, o, s->begin, s->end, stream);
}

/* e1b.crop: slice, reads 2.05 MB, writes 0.05 MB
 *   x  e1b f32[1,16,40,40,40], channels last, pitch 16, arena + 0, layers 5 to 17
 *   y  e1b.crop f32[1,16,8,8,8], channels last, pitch 48, arena + 2048064, layers 16 to 18
 */
static cudaError_t unet3d_small_e1b_crop(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { X = 0, Y = 2048064 };
    const vox_gpu_slice slice = {{16, 16, 16}, {1, 1, 1}};
    const vox_view<__half> x = {(__half *)(m->arena + X), 1, 16, 40, 40, 40, 16, 16, 0, 0};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 16, 8, 8, 8, 48, 16, 0, 0};
    return vox_gpu_copy(slice, x, y, s->begin, s->end, stream);
}

/* up0: conv_transpose 2x2x2 stride 2x2x2, cuDNN and a scatter, reads 0.00 MB, writes 0.02 MB
 *   product  of d1b, arena + 0
 *   y  up0 f32[1,16,8,8,8], channels last, pitch 24, arena + 6185216, layers 0 to 21
 */
static cudaError_t unet3d_small_up0(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { PRODUCT = 0, Y = 6185216 };
    const vox_gpu_scatter_shape shape = {{2, 2, 2}, {0, 0, 0}};
    const vox_view<__half> product = {(__half *)(m->arena + PRODUCT), 1, 128, 4, 4, 4, 128, 0, 0, 0};
    const vox_gpu_epilogue ep = {nullptr, nullptr, 0.0f, 0.0f};
    const vox_view<__half> y = {(__half *)(m->arena + Y), 1, 16, 8, 8, 8, 24, 16, 0, 0};
    const vox_gpu_scatter_operands<__half> o = {product, ep, y};
    return vox_gpu_scatter<VOX_ACT_NONE>(shape, o, s->begin, s->end, stream);
}

/* logits: conv 1x1x1, own kernel, reads 0.00 MB, writes 0.00 MB
 *   x  d0b f32[1,8,4,4,4], channels last, pitch 8, arena + 3456, layers 22 to 23
 *   w  logits.weight, weights + 602624
 *   y  logits f32[1,3,4,4,4], outputs[0]
 */
static cudaError_t unet3d_small_logits(const vox_cuda_memory *m, const vox_cuda_step *s, cudaStream_t stream) {
    enum : size_t { X = 3456, W = 602624, BIAS = 602880 };
    const vox_view<__half> x = {(__half *)(m->arena + X), 1, 8, 4, 4, 4, 8, 8, 0, 0};
    const float *w = (const float *)(m->weights + W);
    const vox_gpu_epilogue ep = {(const float *)(m->weights + BIAS), nullptr, 0.0f, 0.0f};
    float *y = (float *)m->outputs[0];
    const vox_gpu_last_conv_operands<__half> o = {x, w, 8, ep, y};
    return vox_gpu_last_conv<3, VOX_ACT_NONE>(o, s->begin, s->end, stream);
}

/* clang-format off */
extern "C" const vox_cuda_layer_fn unet3d_small_cuda_layers[] = {
    unet3d_small_e0a,
    nullptr,
    nullptr,
    unet3d_small_p0,
    nullptr,
    nullptr,
    unet3d_small_p1,
    nullptr,
    nullptr,
    unet3d_small_p2,
    nullptr,
    nullptr,
    unet3d_small_up2,
    unet3d_small_e2b_crop,
    nullptr,
    nullptr,
    unet3d_small_up1,
    unet3d_small_e1b_crop,
    nullptr,
    nullptr,
    unet3d_small_up0,
    nullptr,
    nullptr,
    unet3d_small_logits,
};
/* clang-format on */
