/* SPDX-License-Identifier: MIT-0 */
/* vox_resize.cuh: ONNX Resize over D, H, W, nearest or trilinear, every coordinate mode (ops.def RESIZE).
 *
 * A block computes a run of voxels of one output row, all their channels. Coordinates are in double precision
 * (as in ../vox_resize.h), which most GPUs do at 1/64 of float's speed: so the block computes them once per
 * voxel of its run, and once for its plane and row, into shared memory, and its threads reuse them for every
 * chunk. Bytes moved: x about once (the corners of neighbours meet in L1 and L2), y once. 67 registers or
 * less, 3 blocks of 256 threads; 1 KiB shared.
 */
#ifndef VOX_RESIZE_CUH
#define VOX_RESIZE_CUH

#include "vox_act.cuh"

struct vox_gpu_resize_map {
    vox_coordinates coordinates;
    vox_nearest nearest;
    double scale[3], roi_begin[3], roi_end[3];
    float extrapolation;
};
/* Along one axis: the two neighbours and the second one's weight; outside:
 * the extrapolation value is taken. */
struct vox_resize_axis {
    int first, second, outside;
    float weight;
};

/* The input coordinate of output o (ONNX Resize, coordinate_transformation_mode). */
static __device__ inline double vox_resize_coordinate(const vox_gpu_resize_map &g, int axis, int o, int x_len,
                                                      int y_len) {
    const double scale = g.scale[axis], at = o;
    switch (g.coordinates) {
    case VOX_HALF_PIXEL:
        return (at + 0.5) / scale - 0.5;
    case VOX_HALF_PIXEL_SYMMETRIC:
        return x_len / 2.0 * (1 - y_len / (scale * x_len)) + (at + 0.5) / scale - 0.5;
    case VOX_PYTORCH_HALF_PIXEL:
        return y_len > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case VOX_ALIGN_CORNERS: /* by the output's length before rounding down */
        return y_len > 1 && x_len > 1 ? at * (x_len - 1) / (scale * x_len - 1) : 0;
    case VOX_ASYMMETRIC:
        return at / scale;
    case VOX_TF_HALF_PIXEL_FOR_NN:
        return (at + 0.5) / scale;
    case VOX_TF_CROP_AND_RESIZE:
        break;
    }
    const double begin = g.roi_begin[axis], end = g.roi_end[axis];
    if (y_len == 1) return 0.5 * (begin + end) * (x_len - 1);
    return begin * (x_len - 1) + at * (end - begin) * (x_len - 1) / (y_len - 1);
}
static __device__ inline double vox_resize_rounded(vox_nearest mode, double at) {
    switch (mode) {
    case VOX_ROUND_PREFER_FLOOR:
        return ceil(at - 0.5);
    case VOX_ROUND_PREFER_CEIL:
        return floor(at + 0.5);
    case VOX_FLOOR:
        return floor(at);
    case VOX_CEIL:
        break;
    }
    return ceil(at);
}
template <bool LINEAR>
static __device__ inline vox_resize_axis vox_resize_at(const vox_gpu_resize_map &g, int axis, int o,
                                                       int x_len, int y_len) {
    double at = vox_resize_coordinate(g, axis, o, x_len, y_len);
    vox_resize_axis r;
    r.outside = g.coordinates == VOX_TF_CROP_AND_RESIZE && (at < 0 || at > x_len - 1);
    if (!LINEAR) at = vox_resize_rounded(g.nearest, at);
    at = at < 0 ? 0 : at > x_len - 1 ? x_len - 1 : at;
    r.first = (int)at;
    r.second = r.first + 1 < x_len ? r.first + 1 : x_len - 1;
    r.weight = (float)(at - r.first);
    return r;
}

enum { VOX_RESIZE_RUN = 64 };
struct vox_resize_walk {
    vox_divisor runs, h, planes, chunks;
    int begin, run; /* run: voxels per block, VOX_RESIZE_RUN at most */
};

static __device__ __forceinline__ float vox_mix(float weight, float first, float second) {
    return first * (1.0f - weight) + second * weight;
}
/* v = the row's two neighbours mixed; one whose weight is 0 is not read: infinity times 0 is NaN. */
template <int L, typename T>
static __device__ __forceinline__ void vox_resize_row(const T *row, int64_t pitch, const vox_resize_axis &w,
                                                      float (&v)[L]) {
    float second[L] = {};
    vox_read<L>(row + w.first * pitch, v);
    if (w.weight != 0.0f) vox_read<L>(row + w.second * pitch, second);
#pragma unroll
    for (int l = 0; l < L; l++) v[l] = vox_mix(w.weight, v[l], second[l]);
}
template <int L, typename T>
static __device__ __forceinline__ void vox_resize_plane(const T *plane, const vox_view<T> &x,
                                                        const vox_resize_axis &h, const vox_resize_axis &w,
                                                        float (&v)[L]) {
    const int64_t row = (int64_t)x.w * x.pitch;
    float second[L] = {};
    vox_resize_row(plane + h.first * row, x.pitch, w, v);
    if (h.weight != 0.0f) vox_resize_row(plane + h.second * row, x.pitch, w, second);
#pragma unroll
    for (int l = 0; l < L; l++) v[l] = vox_mix(h.weight, v[l], second[l]);
}
/* Along D, H and W. */
struct vox_resize_axes {
    vox_resize_axis d, h, w;
};
template <bool LINEAR, int L, typename T>
static __device__ __forceinline__ void vox_resize_voxel(const vox_view<T> &x, int n, int ch,
                                                        const vox_resize_axes &at, float (&v)[L]) {
    const vox_resize_axis &d = at.d, &h = at.h, &w = at.w;
    if constexpr (!LINEAR) {
        vox_read<L>(x.p + vox_offset(x, n, d.first, h.first, w.first) + ch, v);
    } else {
        float second[L] = {};
        vox_resize_plane(x.p + vox_offset(x, n, d.first, 0, 0) + ch, x, h, w, v);
        if (d.weight != 0.0f) vox_resize_plane(x.p + vox_offset(x, n, d.second, 0, 0) + ch, x, h, w, second);
#pragma unroll
        for (int l = 0; l < L; l++) v[l] = vox_mix(d.weight, v[l], second[l]);
    }
}

template <typename T, bool LINEAR, int L>
__global__ void __launch_bounds__(VOX_THREADS)
    vox_resize_each(const vox_resize_walk walk, const vox_gpu_resize_map g, const vox_view<T> x,
                    const vox_view<T> y) {
    __shared__ vox_resize_axis axis[VOX_RESIZE_RUN + 2];
    uint32_t at = blockIdx.x;
    const int first = vox_split(walk.runs, at) * walk.run, o = vox_split(walk.h, at);
    const int z = walk.begin + vox_split(walk.planes, at), n = (int)at;
    const int run = y.w - first < walk.run ? y.w - first : walk.run;
    for (int i = (int)threadIdx.x; i < run + 2; i += VOX_THREADS)
        axis[i] = i < run    ? vox_resize_at<LINEAR>(g, 2, first + i, x.w, y.w)
                  : i == run ? vox_resize_at<LINEAR>(g, 1, o, x.h, y.h)
                             : vox_resize_at<LINEAR>(g, 0, z, x.d, y.d);
    __syncthreads();
    for (uint32_t i = threadIdx.x; i < (uint32_t)run * walk.chunks.by; i += VOX_THREADS) {
        uint32_t voxel = i;
        const int ch = vox_split(walk.chunks, voxel) * L;
        const vox_resize_axis w = axis[voxel], h = axis[run], d = axis[run + 1];
        float v[L] = {};
        if (w.outside || h.outside || d.outside) {
#pragma unroll
            for (int l = 0; l < L; l++) v[l] = g.extrapolation;
        } else if (ch < x.own) {
            vox_resize_voxel<LINEAR>(x, n, ch, {d, h, w}, v);
        }
        vox_write_channels(y.p + vox_offset(y, n, z, o, first + (int)voxel), ch, y.c, v);
    }
}

template <typename T, bool LINEAR, int L>
static inline cudaError_t vox_launch_resize(const vox_gpu_resize_map &g, const vox_view<T> &x,
                                            const vox_view<T> &y, int begin, int end, cudaStream_t stream) {
    const int run = y.w < VOX_RESIZE_RUN ? y.w : VOX_RESIZE_RUN, runs = (y.w + run - 1) / run;
    const int64_t blocks = (int64_t)y.n * (end - begin) * y.h * runs;
    if (blocks <= 0 || blocks > INT32_MAX) return blocks ? cudaErrorInvalidValue : cudaSuccess;
    const vox_resize_walk walk = {vox_divide_by(runs),
                                  vox_divide_by(y.h),
                                  vox_divide_by(end - begin),
                                  vox_divide_by(y.own / L),
                                  begin,
                                  run};
    vox_resize_each<T, LINEAR, L><<<(unsigned)blocks, VOX_THREADS, 0, stream>>>(walk, g, x, y);
    return cudaGetLastError();
}
/* x.c == y.c. What the planes of y read of x must be in x's window. */
template <typename T, bool LINEAR>
static inline cudaError_t vox_gpu_resize(const vox_gpu_resize_map &g, vox_view<T> x, vox_view<T> y, int begin,
                                         int end, cudaStream_t stream) {
    constexpr int lanes = vox_chunk<T>::V;
    x = vox_filled(x), y = vox_filled(y);
    if (vox_whole(y, y.own, lanes) && vox_whole(x, y.own, lanes))
        return vox_launch_resize<T, LINEAR, lanes>(g, x, y, begin, end, stream);
    return vox_launch_resize<T, LINEAR, 1>(g, x, y, begin, end, stream);
}

#endif
