/* SPDX-License-Identifier: MIT-0 */
/* vox_tensor.cuh: what the CUDA kernels share: views of channels-last tensors, element types, packed loads
 * and stores, the walk over output chunks, and how a kernel is launched.
 *
 * Names: launchers are vox_gpu_<op>, what one thread of them does is vox_gpu_<op>_op. A launcher takes views
 * and constants by value, puts one kernel (rarely two or three, as its comment says) on a stream and returns
 * cudaSuccess, cudaErrorInvalidValue for shapes that it cannot compute, or the launch's own error. It neither
 * allocates nor waits. `begin, end` are the planes along D of the output that this call computes; begin ==
 * end launches nothing. Results are the same bits every time, and do not depend on how planes are split over
 * calls: no atomics, no order that depends on timing. Arithmetic is in float whatever the elements are.
 *
 * Cost of a kernel that walks (vox_each): a thread moves one chunk, 16 bytes where pitch, channels and
 * address allow and one element otherwise, neighbours in C first, so that a warp touches whole 128-byte
 * lines. At 1536 threads per multiprocessor 24 KiB are under way, more than latency times bandwidth asks of
 * any GPU from sm_75 to sm_121 (an H100: 3.35 TB/s * 0.6 us / 132 = 15 KiB). __launch_bounds__ holds a
 * walking kernel to 64 registers, which leaves 4 blocks of 256 threads: all the threads of an sm_75, two
 * thirds of an sm_86's or sm_120's, half of an sm_80's to sm_100's. At 40 or less, and most are, it is 6
 * blocks, or three quarters of the latter. tests/cuda/registers.txt lists them all.
 */
#ifndef VOX_TENSOR_CUH
#define VOX_TENSOR_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <stdint.h>
#include "../core/vox_kernels.h"

/* A channels-last tensor, or a plain one of rank 5 or less: then n d h w c are its axes in the order of
 * memory. Element (n, z, y, x, ch) stands at p[(((n*planes + z - z0)*h + y)*w + x)*pitch + ch]. */
template <typename T> struct vox_view {
    T *p;
    int n, c, d, h, w;
    int pitch;  /* elements from voxel to voxel, >= own */
    int own;    /* channels of a voxel that belong to this tensor, >= c; those above c are zero, and whoever
                   writes the view writes these zeros. 0: c of them, the rest of the pitch is a neighbour's */
    int z0;     /* a window: p is where plane z0 begins */
    int planes; /* planes in memory, 0: d of them */
};
/* The same with its defaults filled in, which is what kernels work on. */
template <typename T> static inline vox_view<T> vox_filled(vox_view<T> v) {
    if (v.own == 0) v.own = v.c;
    if (v.planes == 0) v.planes = v.d;
    return v;
}
template <typename T>
static __device__ __forceinline__ int64_t vox_offset(const vox_view<T> &v, int n, int z, int y, int x) {
    return ((int64_t)((n * v.planes + z - v.z0) * v.h + y) * v.w + x) * v.pitch;
}

/* Elements of another tensor's axes: (n, z, y, x, ch) at p[n*stride[0] + (z - z0)*stride[1] + y*stride[2] +
 * x*stride[3] + ch*stride[4]]; stride 0 where it broadcasts. c: the elements along ch where nothing behind
 * them may be read; 0: whole chunks may. T may be const where it is read. */
template <typename T> struct vox_strided {
    T *p;
    int64_t stride[5];
    int z0, c;
};
template <typename T>
static __device__ __forceinline__ int64_t vox_offset(const vox_strided<T> &v, int n, int z, int y, int x) {
    return n * v.stride[0] + (z - v.z0) * v.stride[1] + y * v.stride[2] + x * v.stride[3];
}
/* The elements of a view. */
template <typename T> static inline vox_strided<T> vox_strided_of(vox_view<T> v) {
    v = vox_filled(v);
    const int64_t x = v.pitch, y = x * v.w, z = y * v.h;
    return {v.p, {z * v.planes, z, y, x, 1}, v.z0};
}
/* A plain tensor [n][c][d][h][w], as ports are. */
template <typename T> static inline vox_strided<T> vox_planar(T *p, int c, int d, int h, int w) {
    const int64_t plane = (int64_t)h * w, channel = plane * d;
    return {p, {channel * c, plane, w, 1, channel}, 0};
}

/* ---- elements ----------------------------------------------------------------------------------- */

static __device__ __forceinline__ float vox_float(float x) {
    return x;
}
static __device__ __forceinline__ float vox_float(__half x) {
    return __half2float(x);
}
static __device__ __forceinline__ float vox_float(__nv_bfloat16 x) {
    return __bfloat162float(x);
}
static __device__ __forceinline__ void vox_set(float &y, float x) {
    y = x;
}
static __device__ __forceinline__ void vox_set(__half &y, float x) {
    y = __float2half_rn(x);
}
static __device__ __forceinline__ void vox_set(__nv_bfloat16 &y, float x) {
    y = __float2bfloat16_rn(x);
}

/* The elements of one 32-bit word. */
static __device__ __forceinline__ void vox_unpack(const float *, uint32_t word, float *y) {
    y[0] = __uint_as_float(word);
}
static __device__ __forceinline__ void vox_unpack(const __half *, uint32_t word, float *y) {
    y[0] = __half2float(__ushort_as_half((unsigned short)(word & 0xffffu)));
    y[1] = __half2float(__ushort_as_half((unsigned short)(word >> 16)));
}
static __device__ __forceinline__ void vox_unpack(const __nv_bfloat16 *, uint32_t word, float *y) {
    y[0] = __uint_as_float(word << 16);
    y[1] = __uint_as_float(word & 0xffff0000u);
}
static __device__ __forceinline__ uint32_t vox_packed(const float *, const float *x) {
    return __float_as_uint(x[0]);
}
static __device__ __forceinline__ uint32_t vox_packed(const __half *, const float *x) {
    return __half_as_ushort(__float2half_rn(x[0])) | (uint32_t)__half_as_ushort(__float2half_rn(x[1])) << 16;
}
static __device__ __forceinline__ uint32_t vox_packed(const __nv_bfloat16 *, const float *x) {
    return __bfloat16_as_ushort(__float2bfloat16_rn(x[0])) |
           (uint32_t)__bfloat16_as_ushort(__float2bfloat16_rn(x[1])) << 16;
}

/* V neighbouring elements as floats: V is 1, or makes 8, 16 or 32 bytes, to which p is then aligned (32: to
 * 16). */
template <int V, typename T> static __device__ __forceinline__ void vox_read(const T *p, float (&y)[V]) {
    constexpr int words = V * (int)sizeof(T) / 4, per = 4 / (int)sizeof(T);
    if constexpr (V == 1) {
        y[0] = vox_float(*p);
    } else if constexpr (words == 2) {
        const uint2 q = *reinterpret_cast<const uint2 *>(p);
        vox_unpack(p, q.x, y), vox_unpack(p, q.y, y + per);
    } else {
#pragma unroll
        for (int i = 0; i < words / 4; i++) {
            const uint4 q = reinterpret_cast<const uint4 *>(p)[i];
            float *to = y + i * 4 * per;
            vox_unpack(p, q.x, to), vox_unpack(p, q.y, to + per);
            vox_unpack(p, q.z, to + 2 * per), vox_unpack(p, q.w, to + 3 * per);
        }
    }
}
template <int V, typename T> static __device__ __forceinline__ void vox_write(T *p, const float (&x)[V]) {
    constexpr int words = V * (int)sizeof(T) / 4, per = 4 / (int)sizeof(T);
    if constexpr (V == 1) {
        vox_set(*p, x[0]);
    } else if constexpr (words == 2) {
        *reinterpret_cast<uint2 *>(p) = make_uint2(vox_packed(p, x), vox_packed(p, x + per));
    } else {
#pragma unroll
        for (int i = 0; i < words / 4; i++) {
            const float *from = x + i * 4 * per;
            reinterpret_cast<uint4 *>(p)[i] =
                make_uint4(vox_packed(p, from), vox_packed(p, from + per), vox_packed(p, from + 2 * per),
                           vox_packed(p, from + 3 * per));
        }
    }
}
/* How many elements 16 bytes hold. */
template <typename T> struct vox_chunk { static constexpr int V = 16 / (int)sizeof(T); };

/* What moves as it is: one element, or 16 bytes of them. */
template <typename T, int L> struct vox_raw { using type = uint4; };
template <typename T> struct vox_raw<T, 1> { using type = T; };

/* ---- the walk ------------------------------------------------------------------------------------ */

/* n / by for n < 2^31 by one multiplication (Granlund and Montgomery 1994, with a 64-bit product: magic =
 * ceil(2^(31+s) / by), s = ceil(log2 by)). */
struct vox_divisor {
    uint32_t by, magic;
    int shift;
};
static inline vox_divisor vox_divide_by(int by) {
    vox_divisor d = {(uint32_t)by, 0, 31};
    while ((1u << (d.shift - 31)) < d.by) d.shift++;
    d.magic = (uint32_t)(((1ull << d.shift) + d.by - 1) / d.by);
    return d;
}
/* Takes the remainder out of n and leaves the quotient there. */
static __device__ __forceinline__ int vox_split(const vox_divisor &d, uint32_t &n) {
    const uint32_t quotient = (uint32_t)((uint64_t)n * d.magic >> d.shift), rest = n - quotient * d.by;
    n = quotient;
    return (int)rest;
}

/* Where a thread works: V channels from ch of one voxel. */
struct vox_gpu_spot {
    int n, z, y, x, ch;
};
/* Chunks of a voxel first, then x, y, the planes begin <= z < begin + planes, and n. */
struct vox_gpu_walk {
    vox_divisor chunks, w, h, planes;
    int begin;
    uint32_t count;
};
static __device__ __forceinline__ vox_gpu_spot vox_spot_of(const vox_gpu_walk &walk, uint32_t at, int lanes) {
    vox_gpu_spot s;
    s.ch = vox_split(walk.chunks, at) * lanes;
    s.x = vox_split(walk.w, at);
    s.y = vox_split(walk.h, at);
    s.z = walk.begin + vox_split(walk.planes, at);
    s.n = (int)at;
    return s;
}

enum { VOX_THREADS = 256 };

template <int V, typename Op>
__global__ void __launch_bounds__(VOX_THREADS, 4) vox_each(const vox_gpu_walk walk, const Op op) {
    const uint32_t at = blockIdx.x * VOX_THREADS + threadIdx.x;
    if (at < walk.count) op.template run<V>(vox_spot_of(walk, at, V));
}
template <int V, typename Op, typename T>
static inline cudaError_t vox_launch_chunks(const Op &op, const vox_view<T> &y, int begin, int end,
                                            cudaStream_t stream) {
    const int chunks = y.own / V;
    const int64_t count = (int64_t)y.n * (end - begin) * y.h * y.w * chunks;
    if (count < 0 || count > INT32_MAX) return cudaErrorInvalidValue;
    if (count == 0) return cudaSuccess;
    const vox_gpu_walk walk = {
        vox_divide_by(chunks), vox_divide_by(y.w), vox_divide_by(y.h), vox_divide_by(end - begin), begin,
        (uint32_t)count};
    vox_each<V, Op>
        <<<(unsigned)((count + VOX_THREADS - 1) / VOX_THREADS), VOX_THREADS, 0, stream>>>(walk, op);
    return cudaGetLastError();
}
/* One thread for each chunk of the planes begin <= z < end of y (filled); whole chunks of Op::V elements if
 * `whole`, single elements otherwise. */
template <typename Op, typename T>
static inline cudaError_t vox_launch(const Op &op, const vox_view<T> &y, bool whole, int begin, int end,
                                     cudaStream_t stream) {
    return whole ? vox_launch_chunks<Op::V>(op, y, begin, end, stream)
                 : vox_launch_chunks<1>(op, y, begin, end, stream);
}
/* Whether chunks of `lanes` elements of the first `channels` can be read or written whole. */
template <typename T> static inline bool vox_whole(const vox_view<T> &v, int channels, int lanes) {
    const uintptr_t bytes = (uintptr_t)lanes * sizeof(T) < 16 ? (uintptr_t)lanes * sizeof(T) : 16;
    return channels % lanes == 0 && channels <= v.own && v.pitch % lanes == 0 && (uintptr_t)v.p % bytes == 0;
}

#endif
