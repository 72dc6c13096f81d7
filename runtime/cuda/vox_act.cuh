/* SPDX-License-Identifier: MIT-0 */
/* vox_act.cuh: activations, and what happens to a finished sum before it is written.
 *
 * The set, names and treatment of NaN and infinity of ../vox_act.h; the functions are CUDA's own in float,
 * within 2 units in the last place (powf 4). The activation is a template argument: a kernel holds one.
 */
#ifndef VOX_ACT_CUH
#define VOX_ACT_CUH

#include "vox_tensor.cuh"

/* Per-channel vectors are in float, 16-byte aligned, and zero from c up to a multiple of 16 that is at least
 * `own` of the view that they belong to. */
struct vox_gpu_epilogue {
    const float *bias;  /* NULL: none */
    const float *slope; /* prelu's, else NULL */
    float alpha, beta;  /* leaky_relu, elu: alpha; clip: [alpha, beta] */
};

template <vox_act A>
static __device__ __forceinline__ float vox_activated(float x, float slope, float alpha, float beta) {
    if constexpr (A == VOX_ACT_RELU)
        return x < 0.0f ? 0.0f : x;
    else if constexpr (A == VOX_ACT_LEAKY_RELU)
        return x < 0.0f ? x * alpha : x;
    else if constexpr (A == VOX_ACT_PRELU)
        return x < 0.0f ? x * slope : x;
    else if constexpr (A == VOX_ACT_ELU)
        return x < 0.0f ? alpha * expm1f(x) : x;
    else if constexpr (A == VOX_ACT_SIGMOID)
        return 1.0f / (1.0f + expf(-x));
    else if constexpr (A == VOX_ACT_TANH)
        return tanhf(x);
    else if constexpr (A == VOX_ACT_CLIP) {
        const float low = alpha > x ? alpha : x; /* NaN passes */
        return beta < low ? beta : low;
    } else if constexpr (A == VOX_ACT_EXP)
        return expf(x);
    else if constexpr (A == VOX_ACT_LOG)
        return logf(x);
    else if constexpr (A == VOX_ACT_SQRT)
        return sqrtf(x);
    else if constexpr (A == VOX_ACT_NEG)
        return -x;
    else if constexpr (A == VOX_ACT_ABS)
        return fabsf(x);
    else if constexpr (A == VOX_ACT_FLOOR)
        return floorf(x);
    else if constexpr (A == VOX_ACT_CEIL)
        return ceilf(x);
    else if constexpr (A == VOX_ACT_ROUND)
        return rintf(x);
    else {
        static_assert(A == VOX_ACT_NONE, "an activation of vox_acts.def without code here");
        return x;
    }
}

/* v[i] = act(v[i] + bias[ch + i]) for V channels from ch on; `bias` false leaves the bias alone. */
template <vox_act A, int V>
static __device__ __forceinline__ void vox_finish(const vox_gpu_epilogue &e, int ch, float (&v)[V],
                                                  bool bias = true) {
    float slope[V] = {};
    if (bias && e.bias) {
        float b[V];
        vox_read<V>(e.bias + ch, b);
#pragma unroll
        for (int i = 0; i < V; i++) v[i] += b[i];
    }
    if constexpr (A == VOX_ACT_PRELU) vox_read<V>(e.slope + ch, slope);
#pragma unroll
    for (int i = 0; i < V; i++) v[i] = vox_activated<A>(v[i], slope[i], e.alpha, e.beta);
}

/* Writes V channels of a voxel at p (its channel 0), zeros above c. */
template <int V, typename T>
static __device__ __forceinline__ void vox_write_channels(T *p, int ch, int c, float (&v)[V]) {
#pragma unroll
    for (int i = 0; i < V; i++)
        if (ch + i >= c) v[i] = 0.0f;
    vox_write<V>(p + ch, v);
}

#endif
