/* SPDX-License-Identifier: MIT-0 */
/* vox_map.cuh: element by element: the affine map per channel, two operands with broadcasting,
 * casts. Bytes moved: each operand once (what broadcasts stays in L1), the result once. 40 registers or less,
 * powf included: 6 blocks of 256 threads.
 */
#ifndef VOX_MAP_CUH
#define VOX_MAP_CUH

#include "vox_scatter.cuh"

/* y = act(x * scale[ch] + bias[ch]), one rounding; y may be x.
 * scale and bias as vox_gpu_epilogue's vectors. */
template <typename T, vox_act A> struct vox_gpu_affine_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> x, y;
    const float *scale;
    vox_gpu_epilogue ep;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        float v[L] = {}, a[L], b[L];
        if (s.ch < x.own) vox_read<L>(x.p + vox_offset(x, s.n, s.z, s.y, s.x) + s.ch, v);
        vox_read<L>(scale + s.ch, a);
        vox_read<L>(ep.bias + s.ch, b);
#pragma unroll
        for (int i = 0; i < L; i++) v[i] = fmaf(v[i], a[i], b[i]);
        vox_finish<A>(ep, s.ch, v, false);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};
template <typename T> struct vox_gpu_affine_operands {
    vox_view<T> x;
    const float *scale;
    vox_gpu_epilogue ep;
    vox_view<T> y;
};
template <vox_act A, typename T>
static inline cudaError_t vox_gpu_affine(const vox_gpu_affine_operands<T> &o, int begin, int end,
                                         cudaStream_t stream) {
    const vox_view<T> x = vox_filled(o.x), y = vox_filled(o.y);
    const bool whole = vox_whole(y, y.own, vox_chunk<T>::V) && vox_whole(x, y.own, vox_chunk<T>::V);
    return vox_launch(vox_gpu_affine_op<T, A>{x, y, o.scale, o.ep}, y, whole, begin, end, stream);
}

/* L neighbours in ch: a pack if they are one, the same number L times if they broadcast. */
template <int L, typename T>
static __device__ __forceinline__ void vox_read_operand(const vox_strided<T> &o, const vox_gpu_spot &s,
                                                        float (&v)[L]) {
    const T *p = o.p + vox_offset(o, s.n, s.z, s.y, s.x);
    if (o.stride[4]) {
        vox_read<L>(p + s.ch * o.stride[4], v);
        return;
    }
    const float same = vox_float(*p);
#pragma unroll
    for (int i = 0; i < L; i++) v[i] = same;
}
template <typename T> static inline bool vox_whole_operand(const vox_strided<T> &o, int lanes) {
    const uintptr_t bytes = (uintptr_t)lanes * sizeof(T) < 16 ? (uintptr_t)lanes * sizeof(T) : 16;
    if (o.stride[4] == 0) return true;
    if (o.c % lanes) return false;
    for (int i = 0; i < 4; i++)
        if (o.stride[i] % lanes) return false;
    return o.stride[4] == 1 && (uintptr_t)o.p % bytes == 0;
}

template <vox_binary_op OP> static __device__ __forceinline__ float vox_binary_of(float a, float b) {
    if constexpr (OP == VOX_ADD)
        return a + b;
    else if constexpr (OP == VOX_SUB)
        return a - b;
    else if constexpr (OP == VOX_MUL)
        return a * b;
    else if constexpr (OP == VOX_DIV)
        return a / b;
    else if constexpr (OP == VOX_MIN)
        return a < b || a != a ? a : b;
    else if constexpr (OP == VOX_MAX)
        return a > b || a != a ? a : b;
    else if constexpr (OP == VOX_POW)
        return powf(a, b);
    else if constexpr (OP == VOX_PRELU)
        return a < 0.0f ? b * a : a;
    else if constexpr (OP == VOX_EQUAL)
        return a == b ? 1.0f : 0.0f;
    else if constexpr (OP == VOX_GREATER)
        return a > b ? 1.0f : 0.0f;
    else if constexpr (OP == VOX_GREATER_EQUAL)
        return a >= b ? 1.0f : 0.0f;
    else if constexpr (OP == VOX_LESS)
        return a < b ? 1.0f : 0.0f;
    else
        return a <= b ? 1.0f : 0.0f;
}

/* y = act(a OP b); operands have y's axes, stride 0 where they broadcast; y may be an operand of its shape.
 * TA and TB may be const. */
template <typename T, typename TA, typename TB, vox_binary_op OP, vox_act A> struct vox_gpu_binary_op {
    static constexpr int V = vox_chunk<T>::V;
    vox_view<T> y;
    vox_strided<TA> a;
    vox_strided<TB> b;
    float alpha, beta;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        float u[L] = {}, v[L] = {};
        if (s.ch < y.c) {
            vox_read_operand<L>(a, s, u);
            vox_read_operand<L>(b, s, v);
        }
#pragma unroll
        for (int i = 0; i < L; i++) v[i] = vox_activated<A>(vox_binary_of<OP>(u[i], v[i]), 0.0f, alpha, beta);
        vox_write_channels(y.p + vox_offset(y, s.n, s.z, s.y, s.x), s.ch, y.c, v);
    }
};
/* Where y.own > y.c, operands that don't broadcast along C are readable up to y.own
 * rounded to whole chunks. alpha, beta: the activation's. */
template <typename T, typename TA, typename TB> struct vox_gpu_binary_operands {
    vox_strided<TA> a;
    vox_strided<TB> b;
    vox_view<T> y;
    float alpha, beta;
};
template <vox_binary_op OP, vox_act A, typename T, typename TA, typename TB>
static inline cudaError_t vox_gpu_binary(const vox_gpu_binary_operands<T, TA, TB> &o, int begin, int end,
                                         cudaStream_t stream) {
    const int lanes = vox_chunk<T>::V;
    const vox_view<T> y = vox_filled(o.y);
    const bool whole =
        vox_whole(y, y.own, lanes) && vox_whole_operand(o.a, lanes) && vox_whole_operand(o.b, lanes);
    const vox_gpu_binary_op<T, TA, TB, OP, A> op = {y, o.a, o.b, o.alpha, o.beta};
    return vox_launch(op, y, whole, begin, end, stream);
}

/* Comparisons of the graph: y[i] = a OP b as 1 or 0, one byte each; y is plain. */
template <typename TA, typename TB, vox_binary_op OP> struct vox_gpu_compare_op {
    static constexpr int V = 1;
    vox_view<uint8_t> y;
    vox_strided<TA> a;
    vox_strided<TB> b;

    template <int L> __device__ __forceinline__ void run(const vox_gpu_spot &s) const {
        float u[L], v[L];
        vox_read_operand<L>(a, s, u);
        vox_read_operand<L>(b, s, v);
        y.p[vox_offset(y, s.n, s.z, s.y, s.x) + s.ch] = vox_binary_of<OP>(u[0], v[0]) != 0.0f;
    }
};
template <typename TA, typename TB, vox_binary_op OP>
static inline cudaError_t vox_gpu_compare(vox_strided<TA> a, vox_strided<TB> b, vox_view<uint8_t> y,
                                          int begin, int end, cudaStream_t stream) {
    y = vox_filled(y);
    return vox_launch(vox_gpu_compare_op<TA, TB, OP>{y, a, b}, y, false, begin, end, stream);
}

/* ---- casts ------------------------------------------------------------------------------------------ */

/* Floats are truncated towards zero and held inside the integer type; NaN becomes 0. Integers wrap. */
template <typename TY, typename TX> static __device__ __forceinline__ void vox_cast_one(TY &y, const TX &x) {
    if constexpr (sizeof(TY) == sizeof(float) && TY(0.5f) != TY(0))
        y = (float)x;
    else if constexpr (TX(0.5f) == TX(0))
        y = (TY)x;
    else if (x != x)
        y = 0;
    else {
        constexpr bool is_byte = sizeof(TY) == 1;
        constexpr float high = is_byte ? 256.0f : sizeof(TY) == 4 ? 2147483648.0f : 9223372036854775808.0f;
        constexpr long long most = is_byte ? 255 : sizeof(TY) == 4 ? INT32_MAX : INT64_MAX;
        constexpr float low = is_byte ? 0.0f : -high;
        y = x >= high ? (TY)most : x < low ? (TY)(long long)low : (TY)(long long)x;
    }
}
template <typename TX, typename TY>
__global__ void __launch_bounds__(VOX_THREADS) vox_cast_each(int64_t count, const TX *x, TY *y) {
    const int64_t step = (int64_t)gridDim.x * VOX_THREADS;
    for (int64_t i = (int64_t)blockIdx.x * VOX_THREADS + threadIdx.x; i < count; i += step)
        vox_cast_one(y[i], x[i]);
}
/* TX, TY: float, int64_t, int32_t, uint8_t. Plain tensors of `count` elements; y may be x if their sizes are
 * equal. */
template <typename TX, typename TY>
static inline cudaError_t vox_gpu_cast(int64_t count, const TX *x, TY *y, cudaStream_t stream) {
    const int64_t blocks = (count + VOX_THREADS - 1) / VOX_THREADS;
    if (count <= 0) return count ? cudaErrorInvalidValue : cudaSuccess;
    vox_cast_each<TX, TY>
        <<<(unsigned)(blocks < 65536 ? blocks : 65536), VOX_THREADS, 0, stream>>>(count, x, y);
    return cudaGetLastError();
}

#endif
