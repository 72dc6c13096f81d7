/* SPDX-License-Identifier: MIT-0 */
/* vox_first_conv.cuh: a convolution of at most 4 channels, from a port's plain floats straight to
 * channels-last: y[n,o,k] = act(b[k] + sum_{c,kd,kh,kw} w[kd,c,kh,kw,k] * x[n, c, o*stride + (kd,kh,kw) -
 * pad]).
 *
 * Arithmetic intensity: 2*C*taps*K flops for 4*C + K*sizeof(T) bytes a voxel: 1 -> 32 channels, 3x3x3, fp16:
 * 25 flops a byte; 3 -> 32: 68. An H100's floats and memory balance at 20: it is bound by arithmetic, and is
 * to spend its issue slots on multiply-adds. So a thread holds 8 voxels along W x 8 output channels in
 * registers: for each row of taps it reads 7*stride + kw inputs and 8*kw weights from shared memory, for
 * 64*kw multiply-adds: for kw 3, stride 1, 10 + 6 (as 16-byte loads) accesses for 192, when 4 a access would
 * do. Neighbouring lanes are the channel groups of one voxel, so a warp's stores are whole 32-byte sectors at
 * least, 64 bytes at K = 32, and weights are broadcast; the other lanes are rows, an odd number of words
 * apart, so inputs meet no bank twice. The block goes through (kd, c): one plane of its inputs and weights
 * stands in shared memory at a time, 48 KiB at most, 10 KiB at 3x3x3: two blocks of 256 threads hide each
 * other's loads. 128 registers or less: 2 blocks, 512 threads, on every GPU. Bytes moved: x once from
 * memory (kd times from L2, and halos), y once.
 */
#ifndef VOX_FIRST_CONV_CUH
#define VOX_FIRST_CONV_CUH

#include "vox_act.cuh"

/* Axes are D, H, W; zeros around x, as many at the end as y's extents ask. */
struct vox_gpu_first_conv_shape {
    int c, in[3]; /* x: [n][c][in...]; c is 4 or less */
    int kernel[3], stride[3], pad[3];
};

enum { VOX_FIRST_X = 8, VOX_FIRST_K = 8, VOX_FIRST_SHARED = 48 << 10 };

struct vox_first_conv_walk {
    vox_divisor columns, rows, planes, k_blocks; /* of tiles; k_blocks: blocks of groups of 8 channels */
    int begin;
    int groups, k;          /* channel groups side by side in a block: 1, 2 or 4; k: padded to 8 * groups */
    int tile_h, tile_w;     /* output voxels of a block; tile_w = 8 * strips */
    int in_h, in_w, in_row; /* inputs of a block, in_row odd */
    bool whole;             /* y is written in chunks of 16 bytes */
};
/* x: all planes. w: float [kernel D][c][kernel H][kernel W][vox_gpu_first_conv_pitch(own)], zeros above y.c.
 * y.d, h, w are the extents of the whole output. */
template <typename T> struct vox_gpu_first_conv_operands {
    const float *x, *w;
    vox_gpu_epilogue ep;
    vox_view<T> y;
};
/* A block's inputs, from row y0 and column x0 of a plane (kd, c) on, and weights; and where they go. */
struct vox_first_conv_block {
    const float *plane, *w;
    int y0, x0;
    float *inputs, *weights;
};

/* One plane (kd, c) of inputs and weights into shared memory. */
static __device__ __forceinline__ void vox_first_conv_load(const vox_first_conv_walk &walk,
                                                           const vox_gpu_first_conv_shape &g,
                                                           const vox_first_conv_block &b) {
    const int taps = g.kernel[1] * g.kernel[2], wide = walk.groups * VOX_FIRST_K;
    for (int i = (int)threadIdx.x; i < taps * wide; i += (int)blockDim.x)
        b.weights[i] = b.w[(int64_t)(i / wide) * walk.k + i % wide];
    for (int row = (int)threadIdx.x / 32; row < walk.in_h; row += (int)blockDim.x / 32)
        for (int i = (int)threadIdx.x % 32; i < walk.in_w; i += 32) {
            const int h = b.y0 + row, v = b.x0 + i;
            const bool inside = h >= 0 && h < g.in[1] && v >= 0 && v < g.in[2];
            b.inputs[row * walk.in_row + i] = inside ? b.plane[(int64_t)h * g.in[2] + v] : 0.0f;
        }
}
/* A thread's inputs of one row of taps: read once where the taps of neighbouring voxels overlap and the row
 * is short, else tap by tap, lest registers run out. */
template <int KW, int SW> struct vox_first_conv_row {
    static constexpr int SPAN = (VOX_FIRST_X - 1) * SW + KW;
    static constexpr bool ONCE = SW < KW && SPAN <= 22;
    static constexpr int UNROLL = ONCE ? KW : 1;
    float v[ONCE ? SPAN : VOX_FIRST_X];
    __device__ __forceinline__ void start(const float *in) {
        if constexpr (ONCE) {
#pragma unroll
            for (int i = 0; i < SPAN; i++) v[i] = in[i];
        }
    }
    __device__ __forceinline__ void tap(const float *in, int kw) {
        if constexpr (!ONCE) {
#pragma unroll
            for (int i = 0; i < VOX_FIRST_X; i++) v[i] = in[i * SW + kw];
        }
    }
    __device__ __forceinline__ float at(int voxel, int kw) const {
        return ONCE ? v[voxel * SW + kw] : v[voxel];
    }
};

/* The thread's 8 voxels x 8 channels, all taps of one plane. */
template <int KW, int SW>
static __device__ __forceinline__ void vox_first_conv_plane(const float *in, int in_row, const float *weights,
                                                            int wide, int kh_taps,
                                                            float (&acc)[VOX_FIRST_X][VOX_FIRST_K]) {
    for (int kh = 0; kh < kh_taps; kh++, in += in_row) {
        vox_first_conv_row<KW, SW> row;
        row.start(in);
#pragma unroll(vox_first_conv_row <KW, SW>::UNROLL)
        for (int kw = 0; kw < KW; kw++, weights += wide) {
            float k[VOX_FIRST_K];
            row.tap(in, kw);
            vox_read<VOX_FIRST_K>(weights, k);
#pragma unroll
            for (int i = 0; i < VOX_FIRST_X; i++)
#pragma unroll
                for (int j = 0; j < VOX_FIRST_K; j++) acc[i][j] = fmaf(row.at(i, kw), k[j], acc[i][j]);
        }
    }
}

/* `voxels` of them, 8 at most, from p on; whole: in chunks of 16 bytes. */
template <typename T, vox_act A, typename O>
static __device__ __forceinline__ void vox_first_conv_store(const O &o, T *p, int ch, bool whole, int voxels,
                                                            float (&acc)[VOX_FIRST_X][VOX_FIRST_K]) {
    const vox_view<T> &y = o.y;
#pragma unroll
    for (int i = 0; i < VOX_FIRST_X; i++) {
        if (i >= voxels) return;
        vox_finish<A>(o.ep, ch, acc[i]);
#pragma unroll
        for (int j = 0; j < VOX_FIRST_K; j++)
            if (ch + j >= y.c) acc[i][j] = 0.0f;
        T *to = p + (int64_t)i * y.pitch + ch;
        if (whole) {
            vox_write<VOX_FIRST_K>(to, acc[i]);
            continue;
        }
#pragma unroll
        for (int j = 0; j < VOX_FIRST_K; j++)
            if (ch + j < y.own) vox_set(to[j], acc[i][j]);
    }
}

/* KW, SW: kernel and stride along W. o.w: [kernel D][c][kernel H][KW][walk.k]. */
template <typename T, vox_act A, int KW, int SW>
__global__ void __launch_bounds__(VOX_THREADS, 2)
    vox_first_conv_each(const vox_first_conv_walk walk, const vox_gpu_first_conv_shape g,
                        const vox_gpu_first_conv_operands<T> o) {
    extern __shared__ float4 vox_first_conv_shared[]; /* weights, then inputs */
    float *weights = reinterpret_cast<float *>(vox_first_conv_shared);
    float *inputs = weights + g.kernel[1] * KW * walk.groups * VOX_FIRST_K;
    uint32_t at = blockIdx.x;
    const int k0 = vox_split(walk.k_blocks, at) * walk.groups * VOX_FIRST_K;
    const int x0 = vox_split(walk.columns, at) * walk.tile_w, y0 = vox_split(walk.rows, at) * walk.tile_h;
    const int z = walk.begin + vox_split(walk.planes, at), n = (int)at;
    const int group = (int)threadIdx.x % walk.groups, spot = (int)threadIdx.x / walk.groups;
    const int row = spot % walk.tile_h, column = spot / walk.tile_h * VOX_FIRST_X;
    const int64_t plane = (int64_t)g.in[1] * g.in[2];
    const vox_view<T> &y = o.y;
    float acc[VOX_FIRST_X][VOX_FIRST_K] = {};
    for (int kd = 0; kd < g.kernel[0]; kd++) {
        const int in_z = z * g.stride[0] - g.pad[0] + kd;
        if (in_z < 0 || in_z >= g.in[0]) continue; /* the whole block */
        for (int c = 0; c < g.c; c++) {
            const float *from = o.x + (((int64_t)n * g.c + c) * g.in[0] + in_z) * plane;
            const float *taps = o.w + (int64_t)(kd * g.c + c) * g.kernel[1] * KW * walk.k + k0;
            __syncthreads();
            vox_first_conv_load(
                walk, g, {from, taps, y0 * g.stride[1] - g.pad[1], x0 * SW - g.pad[2], inputs, weights});
            __syncthreads();
            vox_first_conv_plane<KW, SW>(inputs + row * g.stride[1] * walk.in_row + column * SW, walk.in_row,
                                         weights + group * VOX_FIRST_K, walk.groups * VOX_FIRST_K,
                                         g.kernel[1], acc);
        }
    }
    const int voxels = y.w - x0 - column, ch = k0 + group * VOX_FIRST_K;
    if (y0 + row >= y.h || ch >= y.own) return;
    vox_first_conv_store<T, A>(o, y.p + vox_offset(y, n, z, y0 + row, x0 + column), ch, walk.whole, voxels,
                               acc);
}

/* Floats per tap of the packed weights: y's own channels, rounded up to 8, 16 or a multiple of 32. */
static inline int vox_gpu_first_conv_pitch(int own) {
    return own <= 8 ? 8 : own <= 16 ? 16 : (own + 31) / 32 * 32;
}
/* A tile of 8 * strips columns for `threads` threads; its shared memory in bytes. */
static inline int vox_first_conv_tile(vox_first_conv_walk *walk, const vox_gpu_first_conv_shape &g,
                                      int threads, int strips) {
    walk->tile_w = strips * VOX_FIRST_X, walk->tile_h = threads / walk->groups / strips;
    walk->in_w = (walk->tile_w - 1) * g.stride[2] + g.kernel[2];
    walk->in_h = (walk->tile_h - 1) * g.stride[1] + g.kernel[1];
    walk->in_row = walk->in_w | 1;
    return 4 * (walk->in_h * walk->in_row + g.kernel[1] * g.kernel[2] * walk->groups * VOX_FIRST_K);
}
/* What a tile costs: the threads that its multiples over the plane take, and an eighth of the inputs. */
static inline int64_t vox_first_conv_cost(const vox_first_conv_walk &walk, int h, int w) {
    const int64_t rows = (h + walk.tile_h - 1) / walk.tile_h, columns = (w + walk.tile_w - 1) / walk.tile_w;
    return rows * columns * ((int64_t)walk.tile_h * walk.tile_w + walk.in_h * walk.in_w / 8);
}
/* The cheapest tile whose shared memory suffices, with as many threads as possible; its number of threads, 0:
 * none. */
static inline int vox_first_conv_plan(vox_first_conv_walk *walk, const vox_gpu_first_conv_shape &g, int h,
                                      int w, int *shared) {
    for (int threads = VOX_THREADS; threads >= 32; threads /= 2) {
        int best = 0;
        int64_t least = 0;
        for (int strips = 1; strips <= 8 && strips * walk->groups <= threads; strips *= 2) {
            if (vox_first_conv_tile(walk, g, threads, strips) > VOX_FIRST_SHARED) continue;
            const int64_t cost = vox_first_conv_cost(*walk, h, w);
            if (!best || cost < least) best = strips, least = cost;
        }
        if (!best) continue;
        *shared = vox_first_conv_tile(walk, g, threads, best);
        return threads;
    }
    return 0;
}

/* KW, SW: g.kernel[2], g.stride[2]. */
template <vox_act A, int KW, int SW, typename T>
static inline cudaError_t vox_gpu_first_conv(const vox_gpu_first_conv_shape &g,
                                             vox_gpu_first_conv_operands<T> o, int begin, int end,
                                             cudaStream_t stream) {
    vox_first_conv_walk walk = {};
    int shared = 0;
    o.y = vox_filled(o.y);
    const vox_view<T> &y = o.y;
    walk.k = vox_gpu_first_conv_pitch(y.own);
    walk.groups = walk.k < 32 ? walk.k / VOX_FIRST_K : 4;
    const int threads = vox_first_conv_plan(&walk, g, y.h, y.w, &shared);
    if (!threads || g.kernel[2] != KW || g.stride[2] != SW || g.c < 1 || g.c > 4)
        return cudaErrorInvalidValue;
    const int columns = (y.w + walk.tile_w - 1) / walk.tile_w, rows = (y.h + walk.tile_h - 1) / walk.tile_h;
    const int k_blocks = walk.k / (walk.groups * VOX_FIRST_K);
    const int64_t blocks = (int64_t)y.n * (end - begin) * columns * rows * k_blocks;
    if (blocks <= 0 || blocks > INT32_MAX) return blocks ? cudaErrorInvalidValue : cudaSuccess;
    walk.columns = vox_divide_by(columns), walk.rows = vox_divide_by(rows);
    walk.planes = vox_divide_by(end - begin), walk.k_blocks = vox_divide_by(k_blocks), walk.begin = begin;
    walk.whole = vox_whole(y, y.own, VOX_FIRST_K);
    vox_first_conv_each<T, A, KW, SW>
        <<<(unsigned)blocks, (unsigned)threads, (size_t)shared, stream>>>(walk, g, o);
    return cudaGetLastError();
}

#endif
