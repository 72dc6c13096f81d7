/* static.cu: what bundles use of the kernels, to be compiled for every architecture (static.sh).
 * Never run. */
#include "cuda/vox_copy.cuh"
#include "cuda/vox_first_conv.cuh"
#include "cuda/vox_last_conv.cuh"
#include "cuda/vox_map.cuh"
#include "cuda/vox_norm.cuh"
#include "cuda/vox_pad.cuh"
#include "cuda/vox_pool.cuh"
#include "cuda/vox_reduce.cuh"
#include "cuda/vox_relayout.cuh"
#include "cuda/vox_resize.cuh"
#include "cuda/vox_scatter.cuh"

/* The paper's network and padded ones with instance norm: in every precision. */
template <typename T>
static cudaError_t segmentation_network(const vox_view<T> &t, float *port, cudaStream_t s) {
    static const int two[3] = {2, 2, 2}, zero[3] = {0, 0, 0};
    const vox_gpu_epilogue ep = {port, nullptr, 0.01f, 0};
    vox_gpu_first_conv<T, VOX_ACT_RELU, 3, 1>({}, port, port, ep, t, 0, 1, s);
    vox_gpu_max_pool<T>({}, t, t, 0, 1, s);
    vox_gpu_max_pool_crop<T>(zero, t, t, t, 0, 1, s);
    vox_gpu_scatter<T, VOX_ACT_NONE>(two, zero, ep, t, t, 0, 1, s);
    vox_gpu_norm<T, VOX_ACT_LEAKY_RELU>(1, 1e-5f, port, ep, t, t, port, s);
    vox_gpu_copy<T, T>({}, t, t, 0, 1, s);
    vox_gpu_last_conv<T, 3, VOX_ACT_NONE>(t, port, 8, ep, port, 0, 1, s);
    vox_gpu_to_channels_last<T>(port, t, 0, 1, s);
    return vox_gpu_from_channels_last<T>(t, port, 0, 1, s);
}
/* The rest, in half precision. */
template <typename T> static cudaError_t other_networks(const vox_view<T> &t, float *port, cudaStream_t s) {
    const vox_gpu_epilogue ep = {port, port, 0.01f, 0};
    vox_gpu_first_conv<T, VOX_ACT_NONE, 7, 2>({}, port, port, ep, t, 0, 1, s);
    vox_gpu_first_conv<T, VOX_ACT_ELU, 4, 4>({}, port, port, ep, t, 0, 1, s);
    vox_gpu_last_conv<T, 8, VOX_ACT_SIGMOID>(t, port, 8, ep, port, 0, 1, s);
    vox_gpu_average_pool<T>({}, t, t, 0, 1, s);
    vox_gpu_bias_act<T, VOX_ACT_PRELU>(ep, t, t, 0, 1, s);
    vox_gpu_affine<T, VOX_ACT_ELU>(port, ep, t, t, 0, 1, s);
    vox_gpu_map<T, VOX_ACT_SIGMOID>(0, 0, t, t, 0, 1, s), vox_gpu_map<T, VOX_ACT_TANH>(0, 0, t, t, 0, 1, s);
    vox_gpu_binary<T, T, T, VOX_ADD, VOX_ACT_RELU>(0, 0, vox_strided_of(t), vox_strided_of(t), t, 0, 1, s);
    vox_gpu_binary<T, T, T, VOX_POW, VOX_ACT_NONE>(0, 0, vox_strided_of(t), vox_strided_of(t), t, 0, 1, s);
    vox_gpu_pad<T>({}, t, t, 0, 1, s);
    vox_gpu_resize<T, true>({}, t, t, 0, 1, s), vox_gpu_resize<T, false>({}, t, t, 0, 1, s);
    vox_gpu_softmax<T, float, false>({}, vox_strided_of(t), vox_planar(port, 1, 1, 1, 1), 0, 1, s);
    vox_gpu_arg_max<T, uint8_t>({}, 0, vox_strided_of(t), vox_strided<uint8_t>{}, 0, 1, s);
    return vox_gpu_reduce<T, T, VOX_GPU_MEAN>({}, t.p, t.p, s);
}
cudaError_t every_kernel(float *p, cudaStream_t s);
cudaError_t every_kernel(float *p, cudaStream_t s) {
    segmentation_network<float>({}, p, s);
    segmentation_network<__half>({}, p, s);
    segmentation_network<__nv_bfloat16>({}, p, s);
    other_networks<__half>({}, p, s);
    vox_gpu_copy_box({}, p, p, s), vox_gpu_gather(4, 1, 1, 1, 1, p, nullptr, p, s);
    vox_gpu_pad_plain<float>({}, 0.0f, p, p, s);
    return vox_gpu_cast<float, int64_t>(1, p, nullptr, s);
}
