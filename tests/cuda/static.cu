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
    static const int zero[3] = {0, 0, 0};
    const vox_gpu_epilogue ep = {port, nullptr, 0.01f, 0};
    vox_gpu_first_conv<VOX_ACT_RELU, 3, 1, T>({}, {port, port, ep, t}, 0, 1, s);
    vox_gpu_max_pool<T>({}, t, t, 0, 1, s);
    vox_gpu_max_pool_crop<T>(zero, {t, t, t}, 0, 1, s);
    vox_gpu_scatter<VOX_ACT_NONE, T>({{2, 2, 2}, {}}, {t, ep, t}, 0, 1, s);
    vox_gpu_norm<VOX_ACT_LEAKY_RELU, T>({1, 1e-5f}, {t, port, ep, t, port}, s);
    vox_gpu_copy<T, T>({}, t, t, 0, 1, s);
    vox_gpu_last_conv<3, VOX_ACT_NONE, T>({t, port, 8, ep, port}, 0, 1, s);
    vox_gpu_to_channels_last<T>(port, t, 0, 1, s);
    return vox_gpu_from_channels_last<T>(t, port, 0, 1, s);
}
/* The rest, in half precision. */
template <typename T> static cudaError_t other_networks(const vox_view<T> &t, float *port, cudaStream_t s) {
    const vox_gpu_epilogue ep = {port, port, 0.01f, 0};
    const vox_gpu_binary_operands<T, T, T> both = {vox_strided_of(t), vox_strided_of(t), t, 0, 0};
    vox_gpu_first_conv<VOX_ACT_NONE, 7, 2, T>({}, {port, port, ep, t}, 0, 1, s);
    vox_gpu_first_conv<VOX_ACT_ELU, 4, 4, T>({}, {port, port, ep, t}, 0, 1, s);
    vox_gpu_last_conv<8, VOX_ACT_SIGMOID, T>({t, port, 8, ep, port}, 0, 1, s);
    vox_gpu_average_pool<T>({}, t, t, 0, 1, s);
    vox_gpu_bias_act<T, VOX_ACT_PRELU>(ep, t, t, 0, 1, s);
    vox_gpu_affine<VOX_ACT_ELU, T>({t, port, ep, t}, 0, 1, s);
    vox_gpu_bias_act<T, VOX_ACT_SIGMOID>({}, t, t, 0, 1, s),
        vox_gpu_bias_act<T, VOX_ACT_TANH>({}, t, t, 0, 1, s);
    vox_gpu_binary<VOX_ADD, VOX_ACT_RELU>(both, 0, 1, s);
    vox_gpu_binary<VOX_POW, VOX_ACT_NONE>(both, 0, 1, s);
    vox_gpu_pad<T>({}, t, t, 0, 1, s);
    vox_gpu_resize<T, true>({}, t, t, 0, 1, s), vox_gpu_resize<T, false>({}, t, t, 0, 1, s);
    vox_gpu_softmax<T, float, false>({}, vox_strided_of(t), vox_planar(port, 1, 1, 1, 1), 0, 1, s);
    vox_gpu_arg_max<T, uint8_t>({}, vox_strided_of(t), vox_strided<uint8_t>{}, 0, 1, s);
    return vox_gpu_reduce<T, T, VOX_GPU_MEAN>({}, t.p, t.p, s);
}
cudaError_t every_kernel(float *p, cudaStream_t s);
cudaError_t every_kernel(float *p, cudaStream_t s) {
    segmentation_network<float>({}, p, s);
    segmentation_network<__half>({}, p, s);
    segmentation_network<__nv_bfloat16>({}, p, s);
    other_networks<__half>({}, p, s);
    vox_gpu_copy_box({}, p, p, s), vox_gpu_gather({4, 1, 1, 1, 1}, {p, nullptr, p}, s);
    vox_gpu_pad_plain<float>({}, 0.0f, p, p, s);
    return vox_gpu_cast<float, int64_t>(1, p, nullptr, s);
}
