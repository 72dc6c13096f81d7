/* SPDX-License-Identifier: MIT-0 */
/* vox_pool.cuh: max and average pooling, and max pooling that copies a crop of what it reads.
 *
 * y[n,c,p] = max or mean over k of x[n, c, p*stride + k*dilation - pad], taps outside x left out; a window
 * that holds NaN gives NaN; sums run in the order kd, kh, kw (as ../vox_pool3d.h). Bytes moved: x once
 * (overlapping windows meet in L1 and L2) and y once. A 2x2x2 pool of stride 2, by far the most frequent, has
 * its own instance: its 8 loads are under way together, 128 KiB on a multiprocessor at 4 blocks of 256
 * threads and 64 registers or less.
 */
#ifndef VOX_POOL_CUH
#define VOX_POOL_CUH

#include "vox_tensor.cuh"

/* Axes are D, H, W. */
struct vox_gpu_window {
    int kernel[3], stride[3], dilation[3], pad[3];
    int pad_end[3]; /* average with include_pad counts positions inside [-pad, extent + pad_end) */
    int include_pad;
};

static __device__ __forceinline__ float vox_larger(float value, float v) {
    return v > value || v != v ? v : value;
}
/* What an average divides by along one axis, whose first tap is at `at`. */
static __device__ __forceinline__ int vox_pool_count(const vox_gpu_window &g, int axis, int at, int extent) {
    const int low = g.include_pad ? -g.pad[axis] : 0,
              high = g.include_pad ? extent + g.pad_end[axis] : extent;
    int count = 0;
    for (int k = 0; k < g.kernel[axis]; k++, at += g.dilation[axis]) count += at >= low && at < high;
    return count;
}

/* K: 2 for the 2x2x2 pool of stride 2 without padding, 0 for any. */
template <typename T, bool AVERAGE, int K> struct vox_gpu_pool_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y;
    vox_gpu_window g;

    template <int L> static __device__ __forceinline__ void join(float (&value)[L], const T *p) {
        float v[L];
        vox_read<L>(p, v);
#pragma unroll
        for (int i = 0; i < L; i++) value[i] = AVERAGE ? value[i] + v[i] : vox_larger(value[i], v[i]);
    }
    template <int L> __device__ __forceinline__ void two(float (&value)[L], const vox_gpu_spot &s) const {
#pragma unroll
        for (int k = 0; k < 8; k++)
            join(value,
                 x.p + s.ch +
                     vox_offset(x, s.n, 2 * s.z + (k >> 2), 2 * s.y + (k >> 1 & 1), 2 * s.x + (k & 1)));
    }
    template <int L> __device__ __forceinline__ void any(float (&value)[L], const vox_gpu_spot &s) const {
        const int at[3] = {s.z * g.stride[0] - g.pad[0], s.y * g.stride[1] - g.pad[1],
                           s.x * g.stride[2] - g.pad[2]};
        for (int i = 0, z = at[0]; i < g.kernel[0]; i++, z += g.dilation[0])
            for (int j = 0, h = at[1]; j < g.kernel[1] && z >= 0 && z < x.d; j++, h += g.dilation[1])
                for (int k = 0, w = at[2]; k < g.kernel[2] && h >= 0 && h < x.h; k++, w += g.dilation[2])
                    if (w >= 0 && w < x.w) join(value, x.p + vox_offset(x, s.n, z, h, w) + s.ch);
        if constexpr (AVERAGE) {
            const int count = vox_pool_count(g, 0, at[0], x.d) * vox_pool_count(g, 1, at[1], x.h) *
                              vox_pool_count(g, 2, at[2], x.w);
            const float divisor = (float)(count > 1 ? count : 1);
#pragma unroll
            for (int i = 0; i < L; i++) value[i] /= divisor;
        }
    }
    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        float value[L];
#pragma unroll
        for (int i = 0; i < L; i++) value[i] = AVERAGE ? 0.0f : -INFINITY;
        if (s.ch >= y.c) { /* zeros above c */
#pragma unroll
            for (int i = 0; i < L; i++) value[i] = 0.0f;
        } else if constexpr (K == 2) {
            two(value, s);
#pragma unroll
            for (int i = 0; AVERAGE && i < L; i++) value[i] *= 0.125f;
        } else {
            any(value, s);
        }
        vox_write<L>(y.p + vox_offset(y, s.n, s.z, s.y, s.x) + s.ch, value);
    }
};

static inline bool vox_pool_is_two(const vox_gpu_window &g, const int x[3], const int y[3]) {
    for (int i = 0; i < 3; i++)
        if (g.kernel[i] != 2 || g.stride[i] != 2 || g.dilation[i] != 1 || g.pad[i] || 2 * y[i] > x[i])
            return false;
    return true;
}
template <typename T, bool AVERAGE>
static inline cudaError_t vox_gpu_pool(const vox_gpu_window &g, vox_view<T> x, vox_view<T> y, int begin,
                                       int end, cudaStream_t stream) {
    x = vox_filled(x), y = vox_filled(y);
    const int from[3] = {x.d, x.h, x.w}, to[3] = {y.d, y.h, y.w}, lanes = vox_chunk<T>::V;
    const bool whole = vox_whole(y, y.own, lanes) && vox_whole(x, y.own, lanes);
    if (vox_pool_is_two(g, from, to))
        return vox_launch(vox_gpu_pool_op<T, AVERAGE, 2>{x, y, g}, y, whole, begin, end, stream);
    return vox_launch(vox_gpu_pool_op<T, AVERAGE, 0>{x, y, g}, y, whole, begin, end, stream);
}
template <typename T>
static inline cudaError_t vox_gpu_max_pool(const vox_gpu_window &g, vox_view<T> x, vox_view<T> y, int begin,
                                           int end, cudaStream_t stream) {
    return vox_gpu_pool<T, false>(g, x, y, begin, end, stream);
}
template <typename T>
static inline cudaError_t vox_gpu_average_pool(const vox_gpu_window &g, vox_view<T> x, vox_view<T> y,
                                               int begin, int end, cudaStream_t stream) {
    return vox_gpu_pool<T, true>(g, x, y, begin, end, stream);
}

/* 2x2x2 max pooling of stride 2 that also writes crop[n,c,p] = x[n, c, p + at]. A thread reads one window,
 * also those that x's odd ends cut, and writes what of it lies in the crop: x is read once for both. */
template <typename T> struct vox_gpu_max_pool_crop_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y, crop;
    int at[3];

    __device__ __forceinline__ bool in_crop(int z, int h, int w) const {
        return z >= at[0] && z - at[0] < crop.d && h >= at[1] && h - at[1] < crop.h && w >= at[2] &&
               w - at[2] < crop.w;
    }
    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        using raw = typename vox_raw<T, L>::type;
        raw part[8]; /* all loads before any store, which they would wait for */
        float value[L];
        const int ends[3] = {x.d - 2 * s.z, x.h - 2 * s.y, x.w - 2 * s.x};
#pragma unroll
        for (int k = 0; k < 8; k++)
            if (k >> 2 < ends[0] && (k >> 1 & 1) < ends[1] && (k & 1) < ends[2])
                part[k] = *reinterpret_cast<const raw *>(
                    x.p + s.ch +
                    vox_offset(x, s.n, 2 * s.z + (k >> 2), 2 * s.y + (k >> 1 & 1), 2 * s.x + (k & 1)));
#pragma unroll
        for (int i = 0; i < L; i++) value[i] = -INFINITY;
#pragma unroll
        for (int k = 0; k < 8; k++) {
            const int z = 2 * s.z + (k >> 2), h = 2 * s.y + (k >> 1 & 1), w = 2 * s.x + (k & 1);
            float v[L];
            if (z >= x.d || h >= x.h || w >= x.w) continue;
            if (in_crop(z, h, w))
                *reinterpret_cast<raw *>(crop.p + vox_offset(crop, s.n, z - at[0], h - at[1], w - at[2]) +
                                         s.ch) = part[k];
            vox_read<L>(reinterpret_cast<const T *>(&part[k]), v);
#pragma unroll
            for (int i = 0; i < L; i++) value[i] = vox_larger(value[i], v[i]);
        }
        if (s.z < y.d && s.y < y.h && s.x < y.w)
            vox_write<L>(y.p + vox_offset(y, s.n, s.z, s.y, s.x) + s.ch, value);
    }
};

/* begin, end: planes of y; the crop's planes that lie in x's planes from 2*begin up to 2*end are written, and
 * with end == y.d all the rest of them. own == c of all three, or all padded alike (x's padding is zero, so
 * are its copies). */
template <typename T> struct vox_gpu_max_pool_crop_operands { vox_view<T> x, y, crop; };
template <typename T>
static inline cudaError_t vox_gpu_max_pool_crop(const int at[3], const vox_gpu_max_pool_crop_operands<T> &o,
                                                int begin, int end, cudaStream_t stream) {
    const vox_view<T> x = vox_filled(o.x), y = vox_filled(o.y), crop = vox_filled(o.crop);
    const int lanes = vox_chunk<T>::V;
    if (2 * y.d > x.d || 2 * y.h > x.h || 2 * y.w > x.w || y.own != crop.own) return cudaErrorInvalidValue;
    const bool whole =
        vox_whole(x, y.own, lanes) && vox_whole(y, y.own, lanes) && vox_whole(crop, y.own, lanes);
    vox_view<T> windows = y; /* with those that x's ends cut */
    windows.h = (x.h + 1) / 2, windows.w = (x.w + 1) / 2;
    if (end == y.d) end = (x.d + 1) / 2;
    const vox_gpu_max_pool_crop_op<T> op = {x, y, crop, {at[0], at[1], at[2]}};
    return vox_launch(op, windows, whole, begin, end, stream);
}

#endif
