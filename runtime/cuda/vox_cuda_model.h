/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_model.h: what a CUDA bundle's generated tables give to the runtime's handle functions (vox_cuda.c
 * and its neighbours). Hosts include vox_cuda.h and the bundle's own header only.
 */
#ifndef VOX_CUDA_MODEL_H
#define VOX_CUDA_MODEL_H

#include <cuda_runtime_api.h>

#include "vox_cuda.h"
#include "vox_cudnn.h"
#include "vox_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- where things are ------------------------------------------------------------------------ */

typedef enum vox_cuda_base {
    VOX_CUDA_NOWHERE,
    VOX_CUDA_ARENA,
    VOX_CUDA_WEIGHTS,
    VOX_CUDA_INPUT,
    VOX_CUDA_OUTPUT
} vox_cuda_base;
typedef struct vox_cuda_place {
    vox_cuda_base base;
    int number;    /* of the input or output */
    size_t offset; /* bytes */
} vox_cuda_place;

/* The buffers of a run, in device memory. */
typedef struct vox_cuda_memory {
    unsigned char *arena;
    const unsigned char *weights;
    const void *const *inputs;
    void *const *outputs;
} vox_cuda_memory;

/* ---- what is done ---------------------------------------------------------------------------- */

enum { VOX_CUDA_OPERANDS = 4 };

/* Layer `layer` makes the planes begin <= d < end (along D) of its result: first by cuDNN (call >= 0), then
 * by an own kernel (if the layer has a function; without either, another layer's kernel made them). Where an
 * operand or the result is a window of planes, its memory begins with plane z0: of the result, then of the
 * operands. */
typedef struct vox_cuda_step {
    int layer, begin, end;
    int call;         /* number of the vox_cuda_call; -1: none */
    size_t free_from; /* the first byte of the arena above everything that is alive: workspace */
    int z0[1 + VOX_CUDA_OPERANDS];
} vox_cuda_step;

/* One execution of a convolution's plan. */
typedef struct vox_cuda_call {
    int conv; /* number of the vox_conv3d */
    vox_cuda_place x, w, bias, y;
} vox_cuda_call;

/* A layer's own kernel: launches it for one step, and returns what the launch said. */
typedef cudaError_t (*vox_cuda_layer_fn)(const vox_cuda_memory *m, const vox_cuda_step *step,
                                         cudaStream_t stream);

/* ---- weights --------------------------------------------------------------------------------- */

/* How values lie in device memory. */
typedef enum vox_cuda_store {
    VOX_STORE_F32,
    VOX_STORE_F16,
    VOX_STORE_BF16,
    VOX_STORE_I64,
    VOX_STORE_I32,
    VOX_STORE_U8
} vox_cuda_store;

/* What create makes of a tensor of the weight file. k: kernel positions; channels above C or K are zero. */
typedef enum vox_cuda_pack {
    VOX_CUDA_PACK_COPY,       /* the same values in the same order */
    VOX_CUDA_PACK_VECTOR,     /* [C] -> [pitch]; one number serves all */
    VOX_CUDA_PACK_FILTER,     /* [K][C][k] -> [rows][k][pitch] */
    VOX_CUDA_PACK_SCATTER,    /* transposed conv [C][K][k] -> [k][K][pitch]: rows of a 1x1x1 conv */
    VOX_CUDA_PACK_FIRST,      /* [K][C][kD][kH*kW] -> [kD][C][kH*kW][pitch] */
    VOX_CUDA_PACK_NORM_SCALE, /* batch norm: scale / sqrt(variance + eps); files: scale, variance */
    VOX_CUDA_PACK_NORM_BIAS   /* bias - mean * that; files: scale, variance, bias, mean */
} vox_cuda_pack;

typedef struct vox_cuda_weight {
    const char *name;
    vox_cuda_pack pack;
    vox_dtype dtype;            /* in the file */
    vox_cuda_store store;       /* in device memory */
    size_t count;               /* elements in the file */
    size_t file[4];             /* bytes into the weight file */
    size_t offset;              /* bytes into the handle's weights, a multiple of VOX_CUDA_ALIGN */
    size_t bytes;               /* there */
    int k, c, depth, positions; /* of a filter: depth of the kernel, positions in all; a vector: c */
    int rows, pitch;            /* in memory, padded */
    double eps;
} vox_cuda_weight;

/* ---- self-test ------------------------------------------------------------------------------- */

/* A value as it lies in memory. */
typedef struct vox_cuda_tensor {
    const char *name;
    vox_cuda_store store;
    int rank, dim[VOX_MAX_RANK]; /* the model's axes */
    int pitch;                   /* 0: row-major; else channels last, this many elements per voxel */
    int window;                  /* planes kept; 0: all */
    vox_cuda_place place;
    size_t bytes; /* in memory, from place on */
} vox_cuda_tensor;

/* What a layer computes: the operator's formula in the documentation of the graph's text form. */
typedef enum vox_cuda_op {
    VOX_CUDA_OP_NONE, /* not recomputed */
    VOX_CUDA_OP_COPY, /* the same elements: relayout, cast */
    VOX_CUDA_OP_CONV,
    VOX_CUDA_OP_CONV_TRANSPOSE,
    VOX_CUDA_OP_AFFINE, /* batch norm */
    VOX_CUDA_OP_INSTANCE_NORM,
    VOX_CUDA_OP_MAX_POOL,
    VOX_CUDA_OP_AVERAGE_POOL,
    VOX_CUDA_OP_SLICE,
    VOX_CUDA_OP_CONCAT,
    VOX_CUDA_OP_MAP,
    VOX_CUDA_OP_BINARY,
    VOX_CUDA_OP_SOFTMAX,
    VOX_CUDA_OP_LOG_SOFTMAX,
    VOX_CUDA_OP_ARG_MAX,
    VOX_CUDA_OP_RESIZE,
    VOX_CUDA_OPS
} vox_cuda_op;

/* What the self-test recomputes of a layer, and from what. */
typedef struct vox_cuda_check {
    vox_cuda_op op;
    int y, x[VOX_CUDA_OPERANDS]; /* tensors; -1: none */
    int n_x;
    int w[3]; /* weights: filter, bias, slope; scale, bias, slope; -1: none */
    int kernel[3], stride[3], pad[3], pad_end[3], dilation[3], group; /* axes D, H, W */
    int begin[VOX_MAX_RANK], step[VOX_MAX_RANK];                      /* of a slice */
    vox_cuda_act act;                                                 /* of the result, or the map itself */
    double alpha, beta, eps;
    double scale[3], shift[3]; /* resize: output o looks at o * scale + shift, per axis */
    int linear;
    int nearest; /* vox_nearest of vox_kernels.h */
    vox_binary_op binary;
    int axis; /* of concat, softmax, arg_max */
    int include_pad, select_last;
} vox_cuda_check;

/* ---- the model ------------------------------------------------------------------------------- */

typedef struct vox_cuda_model {
    const vox_model_info *info; /* arena_bytes: of the values, without workspaces; steps are not its own */
    uint64_t graph_hash;        /* that the weight file must have */
    size_t weights_bytes;       /* of its device copy */
    int64_t workspace_cap;      /* bytes that a convolution may use besides, where the options say 0 */
    vox_cuda_type type;         /* of the convolutions' arithmetic */
    int most_tiles;             /* runs of one launch, where memory chooses */
    int strict;                 /* no algorithm whose rounding is worse than a direct sum's */
    int n_weights, n_convs, n_calls, n_steps, n_tensors;
    const vox_cuda_weight *weights;
    const vox_conv3d *convs;
    const vox_cuda_call *calls;
    const vox_cuda_step *steps;
    const vox_cuda_tensor *tensors;
    const vox_cuda_check *checks;    /* per layer */
    const vox_cuda_layer_fn *layers; /* per layer; NULL: cuDNN does it all */
} vox_cuda_model;

/* ---- handle functions ------------------------------------------------------------------------ */

/* Checks the weight file and the options, builds the plans, copies the packed weights to the GPU. On anything
 * but VOX_OK *handle is NULL and nothing is kept. The file may be freed afterwards. */
vox_status vox_cuda_create(const vox_cuda_model *model, const void *weights, size_t weights_bytes,
                           const vox_cuda_options *options, vox_cuda **handle);
void vox_cuda_destroy(vox_cuda *handle); /* waits for its runs; NULL is allowed */

/* How many bytes of arena, workspaces included, a handle with these options would allocate: what it has to be
 * given as the caller's for the same plans. Chooses the plans for that (and looks into the plan cache), which
 * takes as long as in create, and allocates nothing on the GPU. Of the options, arena and tiles do not count.
 * On anything but VOX_OK *bytes is left alone: VOX_E_ARGUMENT, VOX_E_NO_DEVICE, VOX_E_MEMORY, VOX_E_CUDA,
 * VOX_E_CUDNN. */
vox_status vox_cuda_arena_wanted(const vox_cuda_model *model, const vox_cuda_options *options, size_t *bytes);

/* Enqueues a run on a stream of the handle's GPU and returns, or adds it to the graph that the host captures
 * there; inputs and outputs are device memory. */
vox_status vox_cuda_run(vox_cuda *handle, vox_cuda_stream stream, const void *const *inputs,
                        void *const *outputs);
/* Runs from and to host memory, and waits. The first call allocates pinned and device buffers for twice the
 * inputs and outputs of a launch, which destroy frees. */
vox_status vox_cuda_run_host(vox_cuda *handle, const void *const *inputs, void *const *outputs);

/* The two halves of run_host, so that copies and runs overlap: submit takes the inputs (they may be changed
 * at once) and returns; collect waits for the oldest submitted run. Runs are launched together, as many as
 * the options' tiles say, or as have been submitted when their first is collected; a launch that fails loses
 * them all. At most vox_cuda_at_once, VOX_CUDA_SLOTS launches of them, may be under way: VOX_E_ARGUMENT for
 * one more, and for collect without submit. */
enum { VOX_CUDA_SLOTS = 2 };
int vox_cuda_at_once(const vox_cuda *handle);
vox_status vox_cuda_submit(vox_cuda *handle, const void *const *inputs);
vox_status vox_cuda_collect(vox_cuda *handle, void *const *outputs);

/* Runs seeded numbers step by step and recomputes samples of each layer's result in double precision from the
 * operands that it read, which must still be what their own layers made; operands of a norm are made so small
 * that its eps counts. What create saw of the packed weights is judged first. VOX_E_SELFTEST:
 * *first_bad_layer is the layer, or the weight. worst_error: 1 is what rounding allows. Needs host memory as
 * large as the arena. */
vox_status vox_cuda_selftest(vox_cuda *handle, const char **first_bad_layer, double *worst_error);
/* Milliseconds of each layer in one run of the submitted inputs' slot, by events around every step. */
vox_status vox_cuda_time_layers(vox_cuda *handle, float *milliseconds);

/* Milliseconds of one run on the GPU alone, as run launches it, without copies. */
vox_status vox_cuda_time_run(vox_cuda *handle, float *milliseconds);

size_t vox_cuda_arena_size(const vox_cuda *handle); /* bytes, workspaces included, of all tiles */
/* Text on the plan of convolution number `conv`: engine, workspace; "" beyond the last. */
const char *vox_cuda_plan_text(vox_cuda *handle, int conv);

#ifdef __cplusplus
}
#endif
#endif
