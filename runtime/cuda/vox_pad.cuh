/* SPDX-License-Identifier: MIT-0 */
/* vox_pad.cuh: padding of plain tensors of any rank and element type; vox_copy.cuh pads channels last. x and
 * y must not overlap. Bytes moved: what is read of x once, y once. 40 registers or less, 6 blocks of 256
 * threads.
 */
#ifndef VOX_PAD_CUH
#define VOX_PAD_CUH

#include "vox_copy.cuh"

/* y[i] = x[i - begin] inside x, else as the mode has it. begin may be negative: crops. */
struct vox_gpu_pad_box {
    int rank;
    int x_dim[VOX_MAX_RANK], y_dim[VOX_MAX_RANK], begin[VOX_MAX_RANK];
    vox_pad_mode mode;
};
struct vox_pad_axis {
    vox_divisor y;
    int begin, extent; /* extent: of x */
    int64_t stride;    /* of x */
};
struct vox_pad_walk {
    vox_pad_axis axis[VOX_MAX_RANK]; /* innermost first */
    int rank;
    vox_pad_mode mode;
    uint32_t count;
};
template <typename T>
__global__ void __launch_bounds__(VOX_THREADS)
    vox_pad_each(const vox_pad_walk walk, const T value, const T *x, T *y) {
    const uint32_t to = blockIdx.x * VOX_THREADS + threadIdx.x;
    uint32_t at = to;
    int64_t from = 0;
    int outside = 0; /* negative: yes */
    if (to >= walk.count) return;
#pragma unroll
    for (int i = 0; i < VOX_MAX_RANK; i++) {
        if (i >= walk.rank) break;
        const vox_pad_axis &a = walk.axis[i];
        const int index = vox_padded_from(walk.mode, vox_split(a.y, at), a.begin, a.extent);
        outside |= index, from += index * a.stride;
    }
    y[to] = outside < 0 ? value : x[from];
}

/* Neighbouring axes that are not padded are walked as one. */
static inline vox_pad_walk vox_pad_walk_of(const vox_gpu_pad_box &g) {
    vox_pad_walk walk = {};
    int64_t stride = 1, count = 1;
    bool joins = false;
    walk.mode = g.mode;
    for (int i = g.rank - 1; i >= 0; i--) {
        const bool moves = g.begin[i] == 0 && g.x_dim[i] == g.y_dim[i];
        if (moves && joins) {
            vox_pad_axis &a = walk.axis[walk.rank - 1];
            a.extent *= g.x_dim[i], a.y = vox_divide_by(a.extent);
        } else {
            walk.axis[walk.rank++] = {vox_divide_by(g.y_dim[i]), g.begin[i], g.x_dim[i], stride};
        }
        joins = moves, stride *= g.x_dim[i], count *= g.y_dim[i];
    }
    walk.count = count <= INT32_MAX ? (uint32_t)count : 0;
    return walk;
}
/* T: float, int64_t, int32_t, uint8_t. value: of constant padding. */
template <typename T>
static inline cudaError_t vox_gpu_pad_plain(const vox_gpu_pad_box &g, T value, const T *x, T *y,
                                            cudaStream_t stream) {
    const vox_pad_walk walk = vox_pad_walk_of(g);
    if (walk.count == 0) return cudaErrorInvalidValue;
    vox_pad_each<T>
        <<<(walk.count + VOX_THREADS - 1) / VOX_THREADS, VOX_THREADS, 0, stream>>>(walk, value, x, y);
    return cudaGetLastError();
}

#endif
