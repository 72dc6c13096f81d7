/* SPDX-License-Identifier: MIT-0 */
/* vox_norm.cuh: instance and group normalisation: y = act((x - mean) * scale[ch] / sqrt(variance + eps) +
 * bias[ch]), mean and (biased) variance over the voxels of each n and channel, or group of channels.
 *
 * Three kernels. `partial`: a block of 256 threads takes one of `splits` runs of voxels and 32 chunks of
 * channels at most; each thread keeps the running mean and sum of squared deviations of its channels (Welford
 * 1962: two subtractions and two fused multiply-adds an element, the division once a voxel), then the block's
 * rows are joined pairwise (Chan, Golub and LeVeque 1979) in shared memory. `finish`: one warp per n and
 * group joins splits and channels the same way. `apply`. So nothing is ever subtracted that is not centred,
 * and float is enough: the relative error of the variance is about 1e-6 whatever the mean is, up to 1e3
 * deviations. The order of all sums depends on the shape alone. What is not finite makes its whole group NaN.
 * Bytes moved: x twice, y once; 8 bytes of scratch per n, split and channel.
 * Occupancy: a thread of `partial` loads its next chunk before it counts this one; at 64 registers 4 blocks
 * of 256 threads keep 32 KiB under way on a multiprocessor, and VOX_NORM_SPLITS blocks alone 16 KiB. 3 KiB
 * shared.
 */
#ifndef VOX_NORM_CUH
#define VOX_NORM_CUH

#include "vox_act.cuh"

enum { VOX_NORM_VOXELS = 1024, VOX_NORM_SPLITS = 256 };

/* Runs of voxels that are summed apart: as many as hold VOX_NORM_VOXELS each, VOX_NORM_SPLITS at most. */
static inline int vox_gpu_norm_splits(int64_t voxels) {
    const int64_t splits = (voxels + VOX_NORM_VOXELS - 1) / VOX_NORM_VOXELS;
    return splits < VOX_NORM_SPLITS ? (int)splits : (int)VOX_NORM_SPLITS;
}
/* Scratch bytes, 16-byte aligned, any content: for n, c (or own, if larger) and d*h*w voxels. */
static inline int64_t vox_gpu_norm_scratch(int64_t n, int64_t c, int64_t voxels) {
    return 8 * n * (vox_gpu_norm_splits(voxels) + 1) * ((c + 15) / 16 * 16);
}

/* Mean and sum of squared deviations of `count` numbers. */
struct vox_moments {
    float mean, squares;
};
static __device__ __forceinline__ vox_moments vox_join_moments(vox_moments a, float a_count, vox_moments b,
                                                               float b_count) {
    const float count = a_count + b_count;
    if (b_count == 0.0f) return a;
    if (a_count == 0.0f) return b;
    const float delta = b.mean - a.mean, part = b_count / count;
    return {fmaf(delta, part, a.mean), a.squares + b.squares + delta * delta * (a_count * part)};
}

struct vox_norm_walk {
    int64_t voxels;
    int splits, padded; /* padded: channels, rounded up to 16: scratch is [n][splits][padded] moments, then
                           [n][padded]: mean and factor */
    int columns;        /* threads side by side in C: a power of two, 32 at most */
    int c, per_group;   /* channels, and those of a group */
    float eps;
};
static __device__ __forceinline__ int64_t vox_split_begin(const vox_norm_walk &walk, int split) {
    return walk.voxels * split / walk.splits;
}

template <typename T, int L>
__global__ void __launch_bounds__(VOX_THREADS, 4)
    vox_norm_partial(const vox_norm_walk walk, const vox_view<T> x, vox_moments *partial) {
    __shared__ vox_moments moments[VOX_THREADS];
    __shared__ float counts[VOX_THREADS];
    const int column = (int)threadIdx.x % walk.columns, row = (int)threadIdx.x / walk.columns;
    const int rows = VOX_THREADS / walk.columns, split = (int)blockIdx.x, n = (int)blockIdx.z;
    const int ch = ((int)blockIdx.y * walk.columns + column) * L;
    const int64_t end = vox_split_begin(walk, split + 1);
    const T *p = x.p + (int64_t)n * walk.voxels * x.pitch + ch;
    vox_moments own[L] = {};
    float count = 0.0f, next[L] = {};
    int64_t i = vox_split_begin(walk, split) + row;
    if (ch >= x.own) i = end;
    if (i < end) vox_read<L>(p + i * x.pitch, next);
    for (; i < end; i += rows) {
        float v[L];
#pragma unroll
        for (int l = 0; l < L; l++) v[l] = next[l];
        if (i + rows < end) vox_read<L>(p + (i + rows) * x.pitch, next); /* under way meanwhile */
        count += 1.0f;
        const float part = 1.0f / count;
#pragma unroll
        for (int l = 0; l < L; l++) {
            const float delta = v[l] - own[l].mean;
            own[l].mean = fmaf(delta, part, own[l].mean);
            own[l].squares = fmaf(delta, v[l] - own[l].mean, own[l].squares);
        }
    }
#pragma unroll
    for (int l = 0; l < L; l++) {
        moments[threadIdx.x] = own[l], counts[threadIdx.x] = count;
        for (int half = rows / 2; half > 0; half /= 2) {
            __syncthreads();
            if (row < half) {
                const int other = (int)threadIdx.x + half * walk.columns;
                moments[threadIdx.x] = vox_join_moments(moments[threadIdx.x], counts[threadIdx.x],
                                                        moments[other], counts[other]);
                counts[threadIdx.x] += counts[other];
            }
        }
        if (row == 0 && ch < x.own)
            partial[((int64_t)n * walk.splits + split) * walk.padded + ch + l] = moments[threadIdx.x];
        __syncthreads();
    }
}

/* One warp per n and group: lanes join splits and channels one after the other, then each other. */
static __global__ void __launch_bounds__(32)
    vox_norm_finish(const vox_norm_walk walk, const float *scale, const vox_moments *partial,
                    vox_moments *result) {
    __shared__ vox_moments moments[32];
    __shared__ float counts[32];
    const int c = walk.c, per_group = walk.per_group;
    const int lane = (int)threadIdx.x, n = (int)blockIdx.y, first = (int)blockIdx.x * per_group;
    vox_moments own = {0.0f, 0.0f};
    float count = 0.0f;
    for (int i = lane; i < walk.splits * per_group; i += 32) {
        const int split = i / per_group, ch = first + i % per_group;
        const float more = (float)(vox_split_begin(walk, split + 1) - vox_split_begin(walk, split));
        own = vox_join_moments(own, count, partial[((int64_t)n * walk.splits + split) * walk.padded + ch],
                               more);
        count += more;
    }
    moments[lane] = own, counts[lane] = count;
    for (int half = 16; half > 0; half /= 2) {
        __syncwarp();
        if (lane < half) {
            moments[lane] =
                vox_join_moments(moments[lane], counts[lane], moments[lane + half], counts[lane + half]);
            counts[lane] += counts[lane + half];
        }
    }
    __syncwarp();
    const float factor = 1.0f / sqrtf(moments[0].squares / counts[0] + walk.eps);
    const int last = first + per_group < c ? first + per_group : walk.padded;
    for (int ch = first + lane; ch < last; ch += 32) {
        const vox_moments zero = {0.0f, 0.0f}, found = {moments[0].mean, scale ? scale[ch] * factor : factor};
        result[(int64_t)n * walk.padded + ch] = ch < c ? found : zero;
    }
}

/* L pairs of floats; 16-byte aligned where L > 1. */
template <int L> static __device__ __forceinline__ void vox_read_pairs(const float *p, float (&m)[2 * L]) {
    if constexpr (L == 1)
        m[0] = p[0], m[1] = p[1];
    else
        vox_read<2 * L>(p, m);
}
template <typename T, vox_act A> struct vox_gpu_norm_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y;
    const float *moments; /* [n][padded][2]: mean, factor */
    int padded;
    vox_gpu_epilogue ep;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        float v[L] = {}, b[L] = {}, m[2 * L] = {};
        if (s.ch < x.own) {
            vox_read<L>(x.p + vox_offset(x, s.n, s.z, s.y, s.x) + s.ch, v);
            vox_read_pairs<L>(moments + 2 * ((int64_t)s.n * padded + s.ch), m);
        }
        if (ep.bias) vox_read<L>(ep.bias + s.ch, b);
#pragma unroll
        for (int i = 0; i < L; i++) v[i] = fmaf(v[i] - m[2 * i], m[2 * i + 1], b[i]);
        vox_finish<A>(ep, s.ch, v, false);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};

struct vox_gpu_norm_groups {
    int groups; /* x.c for instance norm; divides x.c */
    float eps;
};
/* scale and ep.bias: per channel, NULL: 1 and 0. x holds all its planes. y may be x.
 * scratch: vox_gpu_norm_scratch(n, max(c, own) of x and y, d*h*w). */
template <typename T> struct vox_gpu_norm_operands {
    vox_view<T> x;
    const float *scale;
    vox_gpu_epilogue ep;
    vox_view<T> y;
    void *scratch;
};
/* Statistics first: */
template <typename T>
static inline cudaError_t vox_gpu_norm_statistics(const vox_gpu_norm_groups &g,
                                                  const vox_gpu_norm_operands<T> &o, cudaStream_t stream) {
    constexpr int lanes = vox_chunk<T>::V;
    const vox_view<T> x = vox_filled(o.x);
    const bool whole = vox_whole(x, x.own, lanes);
    const int chunks = whole ? x.own / lanes : x.c;
    vox_norm_walk walk = {(int64_t)x.d * x.h * x.w, 0, (x.own + 15) / 16 * 16, 1, x.c, 0, g.eps};
    walk.splits = vox_gpu_norm_splits(walk.voxels);
    if (g.groups <= 0 || x.c % g.groups || walk.voxels <= 0 || x.planes != x.d) return cudaErrorInvalidValue;
    walk.per_group = x.c / g.groups;
    while (walk.columns < 32 && walk.columns < chunks) walk.columns *= 2;
    const dim3 blocks((unsigned)walk.splits, (unsigned)((chunks + walk.columns - 1) / walk.columns),
                      (unsigned)x.n);
    vox_moments *partial = static_cast<vox_moments *>(o.scratch);
    vox_moments *result = partial + (int64_t)x.n * walk.splits * walk.padded;
    if (whole)
        vox_norm_partial<T, lanes><<<blocks, VOX_THREADS, 0, stream>>>(walk, x, partial);
    else
        vox_norm_partial<T, 1><<<blocks, VOX_THREADS, 0, stream>>>(walk, x, partial);
    vox_norm_finish<<<dim3((unsigned)g.groups, (unsigned)x.n), 32, 0, stream>>>(walk, o.scale, partial,
                                                                                result);
    return cudaGetLastError();
}
/* ... then the planes begin <= z < end of y; x as above. */
template <vox_act A, typename T>
static inline cudaError_t vox_gpu_norm_apply(const vox_gpu_norm_operands<T> &o, int begin, int end,
                                             cudaStream_t stream) {
    constexpr int lanes = vox_chunk<T>::V;
    const vox_view<T> x = vox_filled(o.x), y = vox_filled(o.y);
    const int padded = (x.own + 15) / 16 * 16;
    const int64_t partials = (int64_t)x.n * vox_gpu_norm_splits((int64_t)x.d * x.h * x.w) * padded;
    const float *moments = static_cast<const float *>(o.scratch) + 2 * partials;
    const bool whole = vox_whole(y, y.own, lanes) && vox_whole(x, y.own, lanes);
    return vox_launch(vox_gpu_norm_op<T, A>{x, y, moments, padded, o.ep}, y, whole, begin, end, stream);
}
/* Both. */
template <vox_act A, typename T>
static inline cudaError_t vox_gpu_norm(const vox_gpu_norm_groups &g, const vox_gpu_norm_operands<T> &o,
                                       cudaStream_t stream) {
    const cudaError_t status = vox_gpu_norm_statistics(g, o, stream);
    return status ? status : vox_gpu_norm_apply<A>(o, 0, o.y.d, stream);
}

#endif
