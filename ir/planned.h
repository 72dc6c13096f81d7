/* planned.h: the places in a graph for what passes decide about it. What the members mean is the business of the
 * rooms of compiler/plan, which print, parse, verify and count them (plan_text.h). Included by ir.h.
 */
#ifndef VOXC_IR_PLAN_H
#define VOXC_IR_PLAN_H

/* ---- any target: compiler/plan/memory -------------------------------------------------------- */

typedef struct ir_tensor_memory {
    /* 0: whole in memory. Else this many planes along D: plane z where z % ring stands; in a graph that
     * recomputes, the planes of the current step, the first in front. */
    int ring;
    ir_tensor *view_of;   /* lives inside that tensor (concat member, reshape) ... */
    int64_t view_offset;  /* ... at this many bytes */
    int64_t arena_offset; /* bytes; -1 while unplanned, and for graph inputs, outputs and constants */
} ir_tensor_memory;

typedef struct ir_node_memory {
    int64_t scratch;        /* bytes of the arena that only this node's execution needs */
    int64_t scratch_offset; /* where, in bytes; -1 while unplanned and without scratch */
    int stream;             /* number of the group that it is streamed with; 0: it runs whole */
    int slab;               /* planes that the group's last node makes at a time */
} ir_node_memory;

/* ---- target c: compiler/plan/cpu ------------------------------------------------------------- */

typedef struct ir_tensor_cpu {
    int block;    /* 0: plain, row-major. IR_BLOCK: N, ceil(C/16), D, H, W, 16 (5-D f32 values only) */
    bool on_load; /* never lies in memory: it is what a normalise computes, and the convs that read it do that
                     as they load the normalise's operand */
    bool fused; /* never lies in memory: the conv that computes it hands it on in registers, and the max_pools
                   and slices that read it are done by that conv's kernel */
} ir_tensor_cpu;

typedef struct ir_node_cpu {
    /* How a convolution is computed (compiler/plan/cpu/conv/way.h). */
    const char *way; /* a name of ways.def; NULL: none is chosen */
    int64_t
        tile[3];   /* outputs along D, H, W that are computed as one, so that planes are made in multiples of
                         tile[0] * dilation; all 0: no tiles */
    int64_t batch; /* tiles that are worked on together; 0 without tiles */
    bool whole;    /* all planes are made at once: no stream can hold the node */
    int64_t split[4]; /* work of one task, of convs and conv_transposes; all 0: none is set (blocking.h) */
    bool gathered;    /* norm_terms: the conv that computes x leaves its sums in this node's scratch memory,
                      which is in use from that conv on */
    bool joined;      /* a max_pool that the kernel of its operand's conv does, which stores both */
} ir_node_cpu;

/* ---- target cuda: compiler/plan/gpu ---------------------------------------------------------- */

/* What the floats of a value are kept as in memory; they are computed with as f32 everywhere.
 * X(symbol, text name, bytes); OWN is its dtype, and has no name. */
#define IR_STORAGES(X) X(F16, "f16", 2) X(BF16, "bf16", 2)
typedef enum ir_storage {
    IR_STORE_OWN,
#define X(sym, name, bytes) IR_STORE_##sym,
    IR_STORAGES(X)
#undef X
        IR_STORAGE_COUNT
} ir_storage;
const char *ir_storage_name(ir_storage s); /* NULL for IR_STORE_OWN */

/* What runs a node on a GPU. X(symbol, text name, meaning) */
#define IR_GPUS(X)                                                                                           \
    X(CUDNN, "cudnn", "one cuDNN plan, bias and activation in it")                                           \
    X(KERNEL, "kernel", "a kernel of our own")                                                               \
    X(GEMM_SCATTER, "gemm_scatter",                                                                          \
      "conv_transpose, stride = kernel: a 1x1x1 cuDNN conv into scratch memory, then a kernel that "         \
      "scatters")                                                                                            \
    X(DGRAD, "dgrad", "conv_transpose: cuDNN's backward data, then bias and activation by a kernel, in place")
typedef enum ir_gpu {
    IR_GPU_NONE, /* runs no code there, or is not for a GPU */
#define X(sym, name, meaning) IR_GPU_##sym,
    IR_GPUS(X)
#undef X
        IR_GPU_COUNT
} ir_gpu;
const char *ir_gpu_name(ir_gpu gpu); /* NULL for IR_GPU_NONE */

typedef struct ir_tensor_gpu {
    /* 0: not channels last. Else N, D, H, W, C (f32 values of 3 to 5 axes only), and this many elements from
     * one voxel to the next: C or more. What lies between belongs to neighbours in a concat, or is 0 (or what
     * an activation makes of 0): nobody uses it but to multiply it by 0. */
    int64_t pitch;
    ir_storage storage; /* of f32 values that are channels last; the rest is kept as its dtype */
} ir_tensor_gpu;

typedef struct ir_node_gpu {
    ir_gpu runner;
} ir_node_gpu;

#endif
