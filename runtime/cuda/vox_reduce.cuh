/* SPDX-License-Identifier: MIT-0 */
/* vox_reduce.cuh: softmax, log softmax and arg max along the last axis of strided tensors (any axis of a
 * plain one, by its strides), and reductions over any axes. 64 registers or less: 4 blocks of 256 threads.
 */
#ifndef VOX_REDUCE_CUH
#define VOX_REDUCE_CUH

#include "vox_act.cuh"

/* y = exp(x - max) / sum(exp(x - max)), or x - max - log(sum(exp(x - max))), over c elements `stride[4]`
 * apart. A thread does one position, neighbours along W side by side: coalesced where x's stride is 1
 * (plain), and through L1 where it is a pitch (channels last: a warp's 32 voxels are neighbours in memory).
 * Three passes over c, of which the first alone goes to memory. A maximum ignores NaN, the sum does not. y
 * may be x. Bytes moved: x once, y once. */
template <typename TX, typename TY, bool LOG> struct vox_gpu_softmax_op {
    static constexpr int V = 1;
    vox_strided<TX> x;
    vox_strided<TY> y;
    int c;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        const TX *from = x.p + vox_offset(x, s.n, s.z, s.y, s.x);
        TY *to = y.p + vox_offset(y, s.n, s.z, s.y, s.x);
        float most = -INFINITY, sum = 0.0f;
        for (int i = 0; i < c; i++) {
            const float v = vox_float(from[i * x.stride[4]]);
            most = v > most ? v : most;
        }
        for (int i = 0; i < c; i++) sum += expf(vox_float(from[i * x.stride[4]]) - most);
        const float last = LOG ? logf(sum) : 1.0f / sum;
        for (int i = 0; i < c; i++) {
            const float v = vox_float(from[i * x.stride[4]]) - most;
            vox_set(to[i * y.stride[4]], LOG ? v - last : expf(v) * last);
        }
    }
};
/* g: the axes; its c is the line's length, its p is not used. */
template <typename TX, typename TY, bool LOG>
static inline cudaError_t vox_gpu_softmax(const vox_dims &g, vox_strided<TX> x, vox_strided<TY> y, int begin,
                                          int end, cudaStream_t stream) {
    const vox_view<float> positions = {nullptr, g.n, 1, g.d, g.h, g.w, 1, 1, 0, g.d};
    return vox_launch(vox_gpu_softmax_op<TX, TY, LOG>{x, y, g.c}, positions, false, begin, end, stream);
}

/* y = the index of the largest of c elements, the first (last: the last) of equals; NaN is larger than
 * nothing, but stays if it comes first. y: int64_t or uint8_t, its stride[4] is not used. Bytes moved: x
 * once, y once. */
template <typename TX, typename TY> struct vox_gpu_arg_max_op {
    static constexpr int V = 1;
    vox_strided<TX> x;
    vox_strided<TY> y;
    int c, last;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        const TX *from = x.p + vox_offset(x, s.n, s.z, s.y, s.x);
        float most = vox_float(*from);
        int best = 0;
        for (int i = 1; i < c; i++) {
            const float v = vox_float(from[i * x.stride[4]]);
            if (v > most || (last && v == most)) most = v, best = i;
        }
        y.p[vox_offset(y, s.n, s.z, s.y, s.x)] = (TY)best;
    }
};
/* lines: the axes; its c is the line's length, its p is not used. */
struct vox_gpu_arg_max_lines {
    vox_dims lines;
    int last;
};
template <typename TX, typename TY>
static inline cudaError_t vox_gpu_arg_max(const vox_gpu_arg_max_lines &g, vox_strided<TX> x,
                                          vox_strided<TY> y, int begin, int end, cudaStream_t stream) {
    const vox_dims &d = g.lines;
    const vox_view<float> positions = {nullptr, d.n, 1, d.d, d.h, d.w, 1, 1, 0, d.d};
    return vox_launch(vox_gpu_arg_max_op<TX, TY>{x, y, d.c, g.last}, positions, false, begin, end, stream);
}

/* ---- reductions --------------------------------------------------------------------------------------- */

typedef enum vox_gpu_reduction {
    VOX_GPU_SUM,
    VOX_GPU_MEAN,
    VOX_GPU_MAX,
    VOX_GPU_MIN,
    VOX_GPU_PROD
} vox_gpu_reduction;

/* The axes that are kept (outermost first) with their strides in x and y, and those that are reduced. An axis
 * of extent 1 may stand on either side or be left out. */
struct vox_gpu_reduce_axes {
    int kept_rank, kept[6];
    int64_t kept_x[6], kept_y[6];
    int reduced_rank, reduced[6];
    int64_t reduced_x[6];
};
struct vox_reduce_axis {
    vox_divisor dim;
    int64_t x, y;
};
struct vox_reduce_walk {
    vox_reduce_axis kept[6], reduced[6]; /* innermost first */
    int kept_rank, reduced_rank, columns;
    uint32_t outputs, count;
};

/* A sum in two floats (Kahan 1965, Neumaier 1974): its error does not grow with the number of terms. */
struct vox_sum {
    float value, rest;
};
template <vox_gpu_reduction R> static __device__ __forceinline__ void vox_join(vox_sum &a, float b) {
    if constexpr (R == VOX_GPU_SUM || R == VOX_GPU_MEAN) {
        const float sum = a.value + b;
        const float lost = fabsf(a.value) >= fabsf(b) ? (a.value - sum) + b : (b - sum) + a.value;
        if (isfinite(sum)) a.rest += lost;
        a.value = sum;
    } else if constexpr (R == VOX_GPU_PROD) {
        a.value *= b;
    } else if constexpr (R == VOX_GPU_MAX) {
        a.value = b > a.value || b != b ? b : a.value;
    } else {
        a.value = b < a.value || b != b ? b : a.value;
    }
}
template <vox_gpu_reduction R> static __device__ __forceinline__ float vox_reduce_start() {
    return R == VOX_GPU_PROD ? 1.0f : R == VOX_GPU_MAX ? -INFINITY : R == VOX_GPU_MIN ? INFINITY : 0.0f;
}

/* A block does `columns` outputs, 256 / columns threads each, which take turns at its elements and are
 * joined pairwise in shared memory. columns is 32 where outputs are neighbours in x, else 1 (then neighbours
 * are elements): reads are coalesced either way. Bytes moved: x once; at memory's speed only where there are
 * outputs enough for some hundred blocks. */
template <typename TX, typename TY, vox_gpu_reduction R>
__global__ void __launch_bounds__(VOX_THREADS, 4)
    vox_reduce_each(const vox_reduce_walk walk, const TX *x, TY *y) {
    __shared__ vox_sum sums[VOX_THREADS];
    const int column = (int)threadIdx.x % walk.columns, row = (int)threadIdx.x / walk.columns;
    const int rows = VOX_THREADS / walk.columns;
    uint32_t output = blockIdx.x * (uint32_t)walk.columns + (uint32_t)column;
    const bool real = output < walk.outputs;
    int64_t to = 0;
    for (int i = 0; i < walk.kept_rank; i++) {
        const int index = vox_split(walk.kept[i].dim, output);
        x += index * walk.kept[i].x, to += index * walk.kept[i].y;
    }
    vox_sum sum = {vox_reduce_start<R>(), 0.0f};
    for (uint32_t k = (uint32_t)row; real && k < walk.count; k += (uint32_t)rows) {
        uint32_t at = k;
        int64_t from = 0;
        for (int i = 0; i < walk.reduced_rank; i++)
            from += vox_split(walk.reduced[i].dim, at) * walk.reduced[i].x;
        vox_join<R>(sum, vox_float(x[from]));
    }
    sums[threadIdx.x] = sum;
    for (int half = rows / 2; half > 0; half /= 2) {
        __syncthreads();
        if (row < half) {
            const vox_sum other = sums[threadIdx.x + half * walk.columns];
            vox_join<R>(sums[threadIdx.x], other.value);
            sums[threadIdx.x].rest += other.rest;
        }
    }
    if (row || !real) return;
    const float value = sums[threadIdx.x].value + sums[threadIdx.x].rest;
    vox_set(y[to], R == VOX_GPU_MEAN ? value / (float)walk.count : value);
}

/* Fills one side of the walk; false if it has too many elements. */
static inline bool vox_reduce_side(int rank, const int *dim, const int64_t *x, const int64_t *y,
                                   vox_reduce_axis *axis, uint32_t *count) {
    int64_t product = 1;
    for (int i = 0; i < rank; i++) {
        const int k = rank - 1 - i;
        product *= dim[k];
        if (dim[k] <= 0 || product > INT32_MAX) return false;
        axis[i] = {vox_divide_by(dim[k]), x[k], y ? y[k] : 0};
    }
    *count = (uint32_t)product;
    return true;
}
template <typename TX, typename TY, vox_gpu_reduction R>
static inline cudaError_t vox_gpu_reduce(const vox_gpu_reduce_axes &g, const TX *x, TY *y,
                                         cudaStream_t stream) {
    vox_reduce_walk walk = {};
    walk.kept_rank = g.kept_rank, walk.reduced_rank = g.reduced_rank, walk.columns = 1;
    if (!vox_reduce_side(g.kept_rank, g.kept, g.kept_x, g.kept_y, walk.kept, &walk.outputs) ||
        !vox_reduce_side(g.reduced_rank, g.reduced, g.reduced_x, nullptr, walk.reduced, &walk.count))
        return cudaErrorInvalidValue;
    if (g.kept_rank && walk.kept[0].x == 1)
        while (walk.columns < 32 && walk.columns < g.kept[g.kept_rank - 1]) walk.columns *= 2;
    const unsigned blocks = (walk.outputs + (uint32_t)walk.columns - 1) / (uint32_t)walk.columns;
    vox_reduce_each<TX, TY, R><<<blocks, VOX_THREADS, 0, stream>>>(walk, x, y);
    return cudaGetLastError();
}

#endif
