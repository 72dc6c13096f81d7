/* SPDX-License-Identifier: MIT-0 */
/* vox_last_conv.cuh: a 1x1x1 convolution to K <= 8 channels, from channels-last straight to a port's plain
 * floats: y[n,k,p] = act(b[k] + sum_c w[k,c] * x[n,p,c]).
 *
 * Arithmetic intensity: 2*K*C flops for C*sizeof(T) + 4*K bytes, 2.7 flops a byte for 64 fp16 channels to 3:
 * it is bound by memory on every GPU, and x is to be read once, in whole lines, and nothing else. `lanes`
 * neighbouring lanes share a voxel, 16 bytes each at a time; each holds its K x 8 (fp16) or K x 4 weights in
 * registers for all the voxels that it sees. A warp does 32 voxels in `lanes` rounds of 32 / lanes, the
 * lanes' sums are joined by shuffles (order fixed by the shape), and lane l keeps round l's result: so each
 * of the K stores is one line of 32 neighbouring voxels. Each round's loads are issued before the round
 * before is computed: at K = 3 (fp16), 96 registers, 5 blocks of 128 threads keep 20 KiB under way on a
 * multiprocessor; at K = 8, about 200 registers and 8 KiB. No shared memory. Bytes moved: x once, y once.
 */
#ifndef VOX_LAST_CONV_CUH
#define VOX_LAST_CONV_CUH

#include "vox_act.cuh"

enum { VOX_LAST_THREADS = 128 };

struct vox_last_conv_walk {
    int lanes, chunks; /* lanes per voxel: a power of two, 32 at most; chunks: of C */
    vox_divisor plane_groups, planes;
    int begin, plane;
    uint32_t warps;
};

/* w: float [K][w_pitch], 16-byte aligned, w_pitch >= c a multiple of 8, zeros from c on. ep.bias: float[K] or
 * NULL. y: [n][K][x.d][h][w]. */
template <typename T> struct vox_gpu_last_conv_operands {
    vox_view<T> x;
    const float *w;
    int w_pitch;
    vox_gpu_epilogue ep;
    float *y;
};

/* acc[k] += sum over L channels of w[k][..] * v. */
template <int K, int L>
static __device__ __forceinline__ void vox_last_conv_add(const float (&w)[K][L], const float (&v)[L],
                                                         float (&acc)[K]) {
#pragma unroll
    for (int k = 0; k < K; k++)
#pragma unroll
        for (int i = 0; i < L; i++) acc[k] = fmaf(w[k][i], v[i], acc[k]);
}
/* The weights of one chunk; w: [K][pitch]. */
template <int K, int L>
static __device__ __forceinline__ void vox_last_conv_weights(const float *w, int pitch, float (&to)[K][L]) {
#pragma unroll
    for (int k = 0; k < K; k++) vox_read<L>(w + k * pitch, to[k]);
}

template <typename T, int K, vox_act A, int L>
__global__ void __launch_bounds__(VOX_LAST_THREADS, 2) /* without the 2 ptxas wants more blocks, and spills */
    vox_last_conv_each(const vox_last_conv_walk walk, const vox_view<T> x, const float *w, int w_pitch,
                       const vox_gpu_epilogue ep, float *y) {
    uint32_t at = blockIdx.x * (VOX_LAST_THREADS / 32) + threadIdx.x / 32;
    if (at >= walk.warps) return; /* a whole warp */
    const int first = vox_split(walk.plane_groups, at) * 32, z = walk.begin + vox_split(walk.planes, at);
    const int n = (int)at, lane = (int)threadIdx.x % walk.lanes, set = (int)threadIdx.x % 32 / walk.lanes;
    const int sets = 32 / walk.lanes;
    const T *from = x.p + ((int64_t)(n * x.planes + z - x.z0) * walk.plane + first) * x.pitch;
    const int left = lane < walk.chunks ? walk.plane - first : 0; /* voxels that there are for this lane */
    float weights[K][L] = {}, result[K] = {}, next[L] = {};
    if (lane < walk.chunks) vox_last_conv_weights(w + lane * L, w_pitch, weights);
    if (set < left) vox_read<L>(from + (int64_t)set * x.pitch + lane * L, next);
    for (int round = 0; round < walk.lanes; round++) {
        const int voxel = round * sets + set;
        float acc[K] = {}, v[L];
#pragma unroll
        for (int i = 0; i < L; i++) v[i] = next[i];
        if (round + 1 < walk.lanes && voxel + sets < left) /* under way while this round computes */
            vox_read<L>(from + (int64_t)(voxel + sets) * x.pitch + lane * L, next);
        if (voxel < left) {
            vox_last_conv_add(weights, v, acc);
#pragma unroll 1
            for (int chunk = lane + walk.lanes; chunk < walk.chunks; chunk += walk.lanes) {
                float more[K][L];
                vox_last_conv_weights(w + chunk * L, w_pitch, more);
                vox_read<L>(from + (int64_t)voxel * x.pitch + chunk * L, v);
                vox_last_conv_add(more, v, acc);
            }
        }
#pragma unroll 1
        for (int step = walk.lanes / 2; step > 0; step /= 2)
#pragma unroll
            for (int k = 0; k < K; k++) acc[k] += __shfl_xor_sync(0xffffffffu, acc[k], step);
#pragma unroll
        for (int k = 0; k < K; k++) result[k] = round == lane ? acc[k] : result[k];
    }
    const int voxel = lane * sets + set;
    if (first + voxel >= walk.plane) return;
    float *to = y + ((int64_t)n * K * x.d + z) * walk.plane + first + voxel;
#pragma unroll
    for (int k = 0; k < K; k++) {
        float v[1] = {result[k]};
        vox_finish<A>(ep, k, v);
        to[(int64_t)k * x.d * walk.plane] = v[0];
    }
}

template <typename T, int K, vox_act A, int L>
static inline cudaError_t vox_launch_last_conv(const vox_gpu_last_conv_operands<T> &o, int begin, int end,
                                               cudaStream_t stream) {
    const vox_view<T> &x = o.x;
    vox_last_conv_walk walk = {};
    const int64_t plane = (int64_t)x.h * x.w, groups = (plane + 31) / 32,
                  warps = x.n * (end - begin) * groups;
    if (warps <= 0 || warps > INT32_MAX || plane > INT32_MAX)
        return warps ? cudaErrorInvalidValue : cudaSuccess;
    walk.chunks = (x.c + L - 1) / L;
    for (walk.lanes = 1; walk.lanes < 32 && walk.lanes < walk.chunks;) walk.lanes *= 2;
    walk.plane_groups = vox_divide_by((int)groups), walk.planes = vox_divide_by(end - begin);
    walk.begin = begin, walk.plane = (int)plane, walk.warps = (uint32_t)warps;
    vox_last_conv_each<T, K, A, L>
        <<<(walk.warps + VOX_LAST_THREADS / 32 - 1) / (VOX_LAST_THREADS / 32), VOX_LAST_THREADS, 0, stream>>>(
            walk, x, o.w, o.w_pitch, o.ep, o.y);
    return cudaGetLastError();
}
/* The planes begin <= z < end of y are written. */
template <int K, vox_act A, typename T>
static inline cudaError_t vox_gpu_last_conv(vox_gpu_last_conv_operands<T> o, int begin, int end,
                                            cudaStream_t stream) {
    static_assert(K >= 1 && K <= 8, "the weights of one lane stand in registers");
    constexpr int lanes = vox_chunk<T>::V;
    o.x = vox_filled(o.x);
    const int chunk = (o.x.c + lanes - 1) / lanes * lanes; /* C as whole chunks, if x's padding allows */
    if (vox_whole(o.x, chunk, lanes)) return vox_launch_last_conv<T, K, A, lanes>(o, begin, end, stream);
    return vox_launch_last_conv<T, K, A, 1>(o, begin, end, stream);
}

#endif
