/* SPDX-License-Identifier: MIT-0 */
/* vox_scatter.cuh: what follows a convolution that ran elsewhere: the pixel shuffle of a transposed
 * convolution whose stride is its kernel, and bias with activation in place. 40 registers or less: 6 blocks
 * of 256 threads.
 */
#ifndef VOX_SCATTER_CUH
#define VOX_SCATTER_CUH

#include "vox_act.cuh"

/* A transposed convolution with stride == kernel as a product: x[n, z, h, w, (kd, kh, kw, K)] holds for each
 * input voxel what it gives to its kernel[0]*kernel[1]*kernel[2] output voxels, which are nobody else's:
 * y[n, o, ch] = act(x[n, (o + pad) / kernel, tap = (o + pad) % kernel, ch] + bias[ch]).
 * Bytes moved: the product once, y once. Output neighbours along W read neighbouring taps, so reads are whole
 * lines too. */
template <typename T, vox_act A> struct vox_gpu_scatter_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y;
    vox_divisor kernel[3];
    int pad[3], tap; /* tap: channels from tap to tap */
    vox_gpu_epilogue ep;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        uint32_t z = (uint32_t)(s.z + pad[0]), h = (uint32_t)(s.y + pad[1]), w = (uint32_t)(s.x + pad[2]);
        const int kd = vox_split(kernel[0], z), kh = vox_split(kernel[1], h), kw = vox_split(kernel[2], w);
        const int at = ((kd * (int)kernel[1].by + kh) * (int)kernel[2].by + kw) * tap + s.ch;
        float v[L] = {};
        if (s.ch < y.c) vox_read<L>(x.p + vox_offset(x, s.n, (int)z, (int)h, (int)w) + at, v);
        vox_finish<A>(ep, s.ch, v);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};
struct vox_gpu_scatter_shape {
    int kernel[3], pad[3];
};
/* x.c: taps * channels per tap, the latter at least y.c (padded to y.own where chunks are to be whole). */
template <typename T> struct vox_gpu_scatter_operands {
    vox_view<T> x;
    vox_gpu_epilogue ep;
    vox_view<T> y;
};
template <vox_act A, typename T>
static inline cudaError_t vox_gpu_scatter(const vox_gpu_scatter_shape &g,
                                          const vox_gpu_scatter_operands<T> &o, int begin, int end,
                                          cudaStream_t stream) {
    const vox_view<T> x = vox_filled(o.x), y = vox_filled(o.y);
    const int *kernel = g.kernel, *pad = g.pad;
    const int taps = kernel[0] * kernel[1] * kernel[2], tap = x.c / taps, lanes = vox_chunk<T>::V;
    if (tap * taps != x.c || tap < y.c) return cudaErrorInvalidValue;
    const bool whole = vox_whole(y, y.own, lanes) && vox_whole(x, x.c, lanes) && tap % lanes == 0;
    const vox_gpu_scatter_op<T, A> op = {
        x,
        y,
        {vox_divide_by(kernel[0]), vox_divide_by(kernel[1]), vox_divide_by(kernel[2])},
        {pad[0], pad[1], pad[2]},
        tap,
        o.ep};
    return vox_launch(op, y, whole, begin, end, stream);
}

/* y = act(x + bias[ch]); y may be x. Bytes moved: x once, y once. */
template <typename T, vox_act A> struct vox_gpu_bias_act_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y;
    vox_gpu_epilogue ep;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        float v[L] = {};
        if (s.ch < x.own) vox_read<L>(x.p + vox_offset(x, s.n, s.z, s.y, s.x) + s.ch, v);
        vox_finish<A>(ep, s.ch, v);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};
template <typename T, vox_act A>
static inline cudaError_t vox_gpu_bias_act(const vox_gpu_epilogue &ep, vox_view<T> x, vox_view<T> y,
                                           int begin, int end, cudaStream_t stream) {
    x = vox_filled(x), y = vox_filled(y);
    const bool whole = vox_whole(y, y.own, vox_chunk<T>::V) && vox_whole(x, y.own, vox_chunk<T>::V);
    return vox_launch(vox_gpu_bias_act_op<T, A>{x, y, ep}, y, whole, begin, end, stream);
}

#endif
