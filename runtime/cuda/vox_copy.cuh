/* SPDX-License-Identifier: MIT-0 */
/* vox_copy.cuh: data movement: crops and slices, padding, strided boxes (transpose, expand, concat), gather.
 * x and y must not overlap. Bytes moved: what is read of x once, y once. 26 registers or less, 8 blocks of
 * 256 threads.
 */
#ifndef VOX_COPY_CUH
#define VOX_COPY_CUH

#include "vox_act.cuh"

/* y[n, z, h, w, ch] = x[n, begin + (z, h, w)*step, ch], converted if the element types differ; along C a
 * slice is x's address. */
struct vox_gpu_slice {
    int begin[3], step[3]; /* D, H, W; a step may be negative */
};
template <typename TX, typename TY> struct vox_gpu_copy_op {
    static constexpr int V = vox_chunk<TX>::V < vox_chunk<TY>::V ? vox_chunk<TX>::V : vox_chunk<TY>::V;
    vox_view<TX> x;
    vox_view<TY> y;
    vox_gpu_slice g;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        const int z = g.begin[0] + s.z * g.step[0], h = g.begin[1] + s.y * g.step[1],
                  w = g.begin[2] + s.x * g.step[2];
        float v[L] = {};
        if (s.ch < y.c) vox_read<L>(x.p + vox_offset(x, s.n, z, h, w) + s.ch, v);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};
template <typename TX, typename TY>
static inline cudaError_t vox_gpu_copy(const vox_gpu_slice &g, vox_view<TX> x, vox_view<TY> y, int begin,
                                       int end, cudaStream_t stream) {
    constexpr int lanes = vox_gpu_copy_op<TX, TY>::V;
    x = vox_filled(x), y = vox_filled(y);
    const bool whole = vox_whole(y, y.own, lanes) && vox_whole(x, y.own, lanes);
    return vox_launch(vox_gpu_copy_op<TX, TY>{x, y, g}, y, whole, begin, end, stream);
}

/* ---- padding ------------------------------------------------------------------------------------------ */

/* y[i] = x[i - begin] inside x, else as the mode has it. begin may be negative: crops. */
struct vox_gpu_padding {
    int begin[4]; /* C, D, H, W */
    vox_pad_mode mode;
    float value;
};
/* The input index that output index i of an axis takes, or -1: the constant. */
static __device__ __forceinline__ int vox_padded_from(vox_pad_mode mode, int i, int begin, int extent) {
    const int at = i - begin;
    if (at >= 0 && at < extent) return at;
    if (mode == VOX_PAD_CONSTANT) return -1;
    if (mode == VOX_PAD_EDGE) return at < 0 ? 0 : extent - 1;
    if (mode == VOX_PAD_WRAP) return (at % extent + extent) % extent;
    if (extent == 1) return 0;
    const int period = 2 * (extent - 1), r = (at % period + period) % period;
    return r < extent ? r : period - r;
}
template <typename T> struct vox_gpu_pad_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y;
    vox_gpu_padding g;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        const int z = vox_padded_from(g.mode, s.z, g.begin[1], x.d),
                  h = vox_padded_from(g.mode, s.y, g.begin[2], x.h),
                  w = vox_padded_from(g.mode, s.x, g.begin[3], x.w),
                  ch = L > 1 ? s.ch : vox_padded_from(g.mode, s.ch, g.begin[0], x.c);
        float v[L];
#pragma unroll
        for (int i = 0; i < L; i++) v[i] = g.value;
        if (s.ch < y.c && (z | h | w | ch) >= 0) vox_read<L>(x.p + vox_offset(x, s.n, z, h, w) + ch, v);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};
/* Whole chunks are moved where C is not padded. */
template <typename T>
static inline cudaError_t vox_gpu_pad(const vox_gpu_padding &g, vox_view<T> x, vox_view<T> y, int begin,
                                      int end, cudaStream_t stream) {
    constexpr int lanes = vox_chunk<T>::V;
    x = vox_filled(x), y = vox_filled(y);
    const bool whole =
        g.begin[0] == 0 && x.c == y.c && vox_whole(y, y.own, lanes) && vox_whole(x, y.own, lanes);
    return vox_launch(vox_gpu_pad_op<T>{x, y, g}, y, whole, begin, end, stream);
}

/* ---- strided boxes ------------------------------------------------------------------------------------- */

/* y[i*y_stride] = x[i*x_stride] over a box of rank 6 or less: transpose, expand, slice, concat of plain
 * tensors. Strides in elements; x's may be 0 or negative; offsets are in the pointers. */
struct vox_gpu_box {
    int rank, element; /* element: bytes, 1 2 4 8 */
    int dim[6];
    int64_t x_stride[6], y_stride[6];
};
struct vox_box_walk {
    vox_divisor dim[6]; /* innermost first */
    int64_t x[6], y[6];
    int rank;
    uint32_t count;
};
template <typename E>
__global__ void __launch_bounds__(VOX_THREADS) vox_copy_each(const vox_box_walk walk, const E *x, E *y) {
    uint32_t at = blockIdx.x * VOX_THREADS + threadIdx.x;
    int64_t from = 0, to = 0;
    if (at >= walk.count) return;
#pragma unroll
    for (int i = 0; i < 6; i++) {
        if (i >= walk.rank) break;
        const int index = vox_split(walk.dim[i], at);
        from += index * walk.x[i], to += index * walk.y[i];
    }
    y[to] = x[from];
}

/* Drops axes of extent 1 and joins those that are contiguous in both. */
static inline vox_gpu_box vox_joined(const vox_gpu_box &g) {
    vox_gpu_box b = {0, g.element, {}, {}, {}};
    for (int i = 0; i < g.rank; i++) {
        const int last = b.rank - 1, dim = g.dim[i];
        if (dim == 1) continue;
        if (b.rank && b.x_stride[last] == g.x_stride[i] * dim && b.y_stride[last] == g.y_stride[i] * dim)
            b.dim[last] *= dim;
        else
            b.dim[b.rank++] = dim;
        b.x_stride[b.rank - 1] = g.x_stride[i], b.y_stride[b.rank - 1] = g.y_stride[i];
    }
    return b;
}
/* Twice the bytes per element, as often as innermost runs, strides and addresses allow, up to 16. */
static inline vox_gpu_box vox_widened(vox_gpu_box b, const void *x, const void *y) {
    const int last = b.rank - 1;
    while (b.rank && b.element < 16 && b.x_stride[last] == 1 && b.y_stride[last] == 1 &&
           b.dim[last] % 2 == 0 && ((uintptr_t)x | (uintptr_t)y) % (2 * (uintptr_t)b.element) == 0) {
        for (int i = 0; i < last; i++)
            if (b.x_stride[i] % 2 || b.y_stride[i] % 2) return b;
        for (int i = 0; i < last; i++) b.x_stride[i] /= 2, b.y_stride[i] /= 2;
        b.dim[last] /= 2, b.element *= 2;
    }
    return b;
}
template <typename E>
static inline cudaError_t vox_launch_box(const vox_box_walk &walk, const void *x, void *y,
                                         cudaStream_t stream) {
    vox_copy_each<E><<<(walk.count + VOX_THREADS - 1) / VOX_THREADS, VOX_THREADS, 0, stream>>>(
        walk, static_cast<const E *>(x), static_cast<E *>(y));
    return cudaGetLastError();
}
static inline cudaError_t vox_gpu_copy_box(const vox_gpu_box &g, const void *x, void *y,
                                           cudaStream_t stream) {
    const vox_gpu_box b = vox_widened(vox_joined(g), x, y);
    vox_box_walk walk = {};
    int64_t count = 1;
    walk.rank = b.rank;
    for (int i = 0; i < b.rank; i++) {
        const int k = b.rank - 1 - i;
        if (b.dim[k] <= 0) return cudaSuccess;
        walk.dim[i] = vox_divide_by(b.dim[k]), walk.x[i] = b.x_stride[k], walk.y[i] = b.y_stride[k];
        count *= b.dim[k];
        if (count > INT32_MAX) return cudaErrorInvalidValue;
    }
    walk.count = (uint32_t)count;
    switch (b.element) {
    case 1:
        return vox_launch_box<uint8_t>(walk, x, y, stream);
    case 2:
        return vox_launch_box<uint16_t>(walk, x, y, stream);
    case 4:
        return vox_launch_box<uint32_t>(walk, x, y, stream);
    case 8:
        return vox_launch_box<uint2>(walk, x, y, stream);
    case 16:
        return vox_launch_box<uint4>(walk, x, y, stream);
    }
    return cudaErrorInvalidValue;
}

/* y[o][i][...] = x[o][index[i]][...] over [outer][axis][inner] elements; a negative index counts from the
 * end. */
struct vox_gpu_gather_sizes {
    int element; /* bytes, 1 2 4 8 */
    int64_t outer;
    int axis, inner, indices;
};
struct vox_gpu_gather_operands {
    const void *x;
    const int64_t *index;
    void *y;
};
struct vox_gather_walk {
    vox_divisor inner, indices;
    int axis;
    uint32_t count;
};
template <typename E>
__global__ void __launch_bounds__(VOX_THREADS)
    vox_gather_each(const vox_gather_walk walk, const E *x, const int64_t *index, E *y) {
    uint32_t at = blockIdx.x * VOX_THREADS + threadIdx.x;
    if (at >= walk.count) return;
    E *to = y + at;
    const int rest = vox_split(walk.inner, at), i = vox_split(walk.indices, at);
    const int64_t k = index[i] < 0 ? index[i] + walk.axis : index[i];
    *to = x[((int64_t)at * walk.axis + k) * walk.inner.by + rest];
}
template <typename E>
static inline cudaError_t vox_launch_gather(const vox_gpu_gather_sizes &g, const vox_gpu_gather_operands &o,
                                            cudaStream_t stream) {
    const int64_t count = g.outer * g.inner * g.indices;
    if (count <= 0 || count > INT32_MAX) return count ? cudaErrorInvalidValue : cudaSuccess;
    const vox_gather_walk walk = {vox_divide_by(g.inner), vox_divide_by(g.indices), g.axis, (uint32_t)count};
    vox_gather_each<E><<<(unsigned)((count + VOX_THREADS - 1) / VOX_THREADS), VOX_THREADS, 0, stream>>>(
        walk, static_cast<const E *>(o.x), o.index, static_cast<E *>(o.y));
    return cudaGetLastError();
}
static inline cudaError_t vox_gpu_gather(vox_gpu_gather_sizes g, const vox_gpu_gather_operands &o,
                                         cudaStream_t stream) {
    const uintptr_t both = (uintptr_t)o.x | (uintptr_t)o.y;
    while (g.element < 16 && g.inner % 2 == 0 && both % (2 * (uintptr_t)g.element) == 0)
        g.element *= 2, g.inner /= 2;
    switch (g.element) {
    case 1:
        return vox_launch_gather<uint8_t>(g, o, stream);
    case 2:
        return vox_launch_gather<uint16_t>(g, o, stream);
    case 4:
        return vox_launch_gather<uint32_t>(g, o, stream);
    case 8:
        return vox_launch_gather<uint2>(g, o, stream);
    case 16:
        return vox_launch_gather<uint4>(g, o, stream);
    }
    return cudaErrorInvalidValue;
}

#endif
