/* SPDX-License-Identifier: MIT-0 */
/* vox_relayout.cuh: between the ports' plain N C D H W floats and channels-last tensors of any element type.
 *
 * A block moves 1024 elements through shared memory: 32 voxels x 32 channels, or 128 x 8 where there are at
 * most 8 channels. On the plain side a warp's neighbours are voxels of one channel, on the other side
 * channels of few voxels, 16 bytes a thread: both are whole lines. A row of the tile is one float longer than
 * its voxels, so that neither direction meets a bank twice. Bytes moved: x once, y once. 4 KiB shared, 256
 * threads.
 */
#ifndef VOX_RELAYOUT_CUH
#define VOX_RELAYOUT_CUH

#include "vox_act.cuh"

enum { VOX_RELAYOUT_TILE = 1024 };

struct vox_relayout_walk {
    vox_divisor tiles;      /* per plane */
    vox_divisor groups;     /* of channels */
    vox_divisor plane_tile; /* planes of this call */
    int begin, plane;       /* first plane; voxels of one */
    int64_t channel;        /* plain elements from channel to channel: d * plane */
};
struct vox_relayout_tile {
    int64_t plain, voxel; /* first element of the plain tile (its channel ch), first voxel of the other */
    int ch, voxels;
};
/* VOXELS x CHANNELS; v: the channels-last side. */
template <int CHANNELS, typename T>
static __device__ __forceinline__ vox_relayout_tile vox_relayout_at(const vox_relayout_walk &walk,
                                                                    const vox_view<T> &v) {
    constexpr int VOXELS = VOX_RELAYOUT_TILE / CHANNELS;
    uint32_t at = blockIdx.x;
    vox_relayout_tile t;
    t.ch = vox_split(walk.groups, at) * CHANNELS;
    const int first = vox_split(walk.tiles, at) * VOXELS, z = walk.begin + vox_split(walk.plane_tile, at);
    const int n = (int)at, left = walk.plane - first;
    t.voxels = left < VOXELS ? left : VOXELS;
    t.plain = ((int64_t)n * v.c + t.ch) * walk.channel + (int64_t)z * walk.plane + first;
    t.voxel = (int64_t)(n * v.planes + z - v.z0) * walk.plane + first;
    return t;
}

/* L: elements per access of the channels-last side. */
template <typename T, int L, int CHANNELS>
__global__ void __launch_bounds__(VOX_THREADS)
    vox_to_channels_last(const vox_relayout_walk walk, const float *x, const vox_view<T> y) {
    constexpr int VOXELS = VOX_RELAYOUT_TILE / CHANNELS, CHUNKS = CHANNELS / L;
    __shared__ float tile[CHANNELS][VOXELS + 1];
    const vox_relayout_tile t = vox_relayout_at<CHANNELS>(walk, y);
    for (int i = threadIdx.x; i < VOX_RELAYOUT_TILE; i += VOX_THREADS) {
        const int voxel = i % VOXELS, ch = i / VOXELS;
        if (voxel < t.voxels)
            tile[ch][voxel] = t.ch + ch < y.c ? x[t.plain + ch * walk.channel + voxel] : 0.0f;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < VOX_RELAYOUT_TILE / L; i += VOX_THREADS) {
        const int ch = i % CHUNKS * L, voxel = i / CHUNKS;
        if (voxel >= t.voxels || t.ch + ch >= y.own) continue;
        float v[L];
#pragma unroll
        for (int l = 0; l < L; l++) v[l] = tile[ch + l][voxel];
        vox_write<L>(y.p + (t.voxel + voxel) * y.pitch + t.ch + ch, v);
    }
}
template <typename T, int L, int CHANNELS>
__global__ void __launch_bounds__(VOX_THREADS)
    vox_from_channels_last(const vox_relayout_walk walk, const vox_view<T> x, float *y) {
    constexpr int VOXELS = VOX_RELAYOUT_TILE / CHANNELS, CHUNKS = CHANNELS / L;
    __shared__ float tile[CHANNELS][VOXELS + 1];
    const vox_relayout_tile t = vox_relayout_at<CHANNELS>(walk, x);
    for (int i = threadIdx.x; i < VOX_RELAYOUT_TILE / L; i += VOX_THREADS) {
        const int ch = i % CHUNKS * L, voxel = i / CHUNKS;
        if (voxel >= t.voxels || t.ch + ch >= x.own) continue;
        float v[L];
        vox_read<L>(x.p + (t.voxel + voxel) * x.pitch + t.ch + ch, v);
#pragma unroll
        for (int l = 0; l < L; l++) tile[ch + l][voxel] = v[l];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < VOX_RELAYOUT_TILE; i += VOX_THREADS) {
        const int voxel = i % VOXELS, ch = i / VOXELS;
        if (voxel < t.voxels && t.ch + ch < x.c) y[t.plain + ch * walk.channel + voxel] = tile[ch][voxel];
    }
}

/* The walk of the planes begin <= z < end of v in tiles of `channels`, and its number of blocks. */
template <typename T>
static inline vox_relayout_walk vox_relayout_blocks(const vox_view<T> &v, int begin, int end, int channels,
                                                    int used, int64_t *blocks) {
    const int voxels = VOX_RELAYOUT_TILE / channels, plane = v.h * v.w;
    const int tiles = (plane + voxels - 1) / voxels, groups = (used + channels - 1) / channels;
    *blocks = (int64_t)v.n * (end - begin) * tiles * groups;
    return {vox_divide_by(tiles), vox_divide_by(groups), vox_divide_by(end - begin), begin, plane,
            (int64_t)v.d * plane};
}
template <typename T, int L, int CHANNELS>
static inline cudaError_t vox_launch_relayout(bool to, const vox_view<T> &v, float *plain, int begin, int end,
                                              cudaStream_t stream) {
    int64_t blocks;
    if (begin >= end) return cudaSuccess;
    const vox_relayout_walk walk = vox_relayout_blocks(v, begin, end, CHANNELS, to ? v.own : v.c, &blocks);
    if (blocks <= 0 || blocks > INT32_MAX) return blocks ? cudaErrorInvalidValue : cudaSuccess;
    if (to)
        vox_to_channels_last<T, L, CHANNELS><<<(unsigned)blocks, VOX_THREADS, 0, stream>>>(walk, plain, v);
    else
        vox_from_channels_last<T, L, CHANNELS><<<(unsigned)blocks, VOX_THREADS, 0, stream>>>(walk, v, plain);
    return cudaGetLastError();
}
template <typename T>
static inline cudaError_t vox_relayout_any(bool to, vox_view<T> v, float *plain, int begin, int end,
                                           cudaStream_t stream) {
    v = vox_filled(v);
    constexpr int lanes = vox_chunk<T>::V;
    const bool few = v.own <= 8;
    if (vox_whole(v, v.own, lanes))
        return few ? vox_launch_relayout<T, lanes, 8>(to, v, plain, begin, end, stream)
                   : vox_launch_relayout<T, lanes, 32>(to, v, plain, begin, end, stream);
    return few ? vox_launch_relayout<T, 1, 8>(to, v, plain, begin, end, stream)
               : vox_launch_relayout<T, 1, 32>(to, v, plain, begin, end, stream);
}

/* x: all of [n][y.c][y.d][h][w]; y's channels from c to own become zero. */
template <typename T>
static inline cudaError_t vox_gpu_to_channels_last(const float *x, vox_view<T> y, int begin, int end,
                                                   cudaStream_t stream) {
    return vox_relayout_any(true, y, const_cast<float *>(x), begin, end, stream);
}
/* y: all of [n][x.c][x.d][h][w]. */
template <typename T>
static inline cudaError_t vox_gpu_from_channels_last(vox_view<T> x, float *y, int begin, int end,
                                                     cudaStream_t stream) {
    return vox_relayout_any(false, x, y, begin, end, stream);
}

#endif
