/* cuda.h: a graph planned for a GPU, seen as the generated CUDA code will see it: packed weights, cuDNN's
 * convolutions, steps, and the slots of each own kernel's template. The twin of
 * runtime/cuda/vox_cuda_model.h.
 */
#ifndef VOXC_CG_CUDA_H
#define VOXC_CG_CUDA_H

#include "model.h"

enum { CU_ALIGN = 256 /* of each weight on the device, bytes */, CU_OPERANDS = 4 };

typedef enum cu_pack {
    CU_COPY,
    CU_VECTOR,
    CU_FILTER,
    CU_SCATTER,
    CU_FIRST,
    CU_NORM_SCALE,
    CU_NORM_BIAS
} cu_pack;

typedef struct cu_weight {
    cu_pack pack;
    const ir_tensor *source[4]; /* NULL behind the last; none: zeros */
    ir_storage store;
    int64_t k, c, depth, positions; /* of a filter; a vector: c */
    int64_t rows, pitch;            /* in memory */
    double eps;
    int64_t offset, bytes; /* on the device */
} cu_weight;

/* Texts, each once. */
typedef struct cu_list {
    int count, capacity;
    const char **text;
    cg_chains by_text;
} cu_list;

/* The numbers of a vox_conv3d; axes D, H, W. */
typedef struct cu_conv {
    int64_t n, c, k, in[3], out[3], kernel[3], stride[3], dilation[3], before[3], after[3], groups;
    int64_t c_pitch, k_pitch;
    int64_t relu, bias, backward; /* 0 or 1 */
    const ir_node *node;          /* the first that asks for it */
} cu_conv;

typedef struct cu_step {
    int layer, call;
    int64_t begin, end, free_from;
    int64_t z0[1 + CU_OPERANDS]; /* of the result, then of the operands */
} cu_step;

typedef struct cu_model {
    cg_model *m;
    cu_weight *weights;
    int n_weights, cap_weights;
    cg_chains weights_by_source;
    cu_conv *convs; /* each once */
    int n_convs, cap_convs;
    cu_list calls;
    cu_step *steps;
    int n_steps;
    const ir_tensor **tensors; /* that the self-test looks at */
    int n_tensors;
    cg_chains tensors_by_address;
} cu_model;

cu_model cu_model_of(cg_model *m); /* nothing registered yet */

/* ---- weights (cuda_weights.c) ---------------------------------------------------------------- */

/* Number of the weight; registered on first use. */
int cu_use_weight(cu_model *u, const cu_weight *want);
int cu_vector(cu_model *u, const ir_tensor *t, int64_t channels, int64_t pitch, ir_storage store);
int64_t cu_weights_bytes(const cu_model *u);
const char *cu_weight_table(const cu_model *u);

/* ---- steps (cuda_steps.c) -------------------------------------------------------------------- */

/* Fills steps, convs and calls. */
void cu_collect_steps(cu_model *u);
const char *cu_conv_rows(const cu_model *u);
const char *cu_step_rows(const cu_model *u);
const char *cu_vox_type(const cu_model *u); /* "VOX_CUDA_F16" */
const char *cu_place_text(const cu_model *u, const ir_tensor *t, int64_t offset);
/* Whether cuDNN's plan applies the node's activation itself. */
bool cu_act_is_fused(const ir_node *n);
/* Numbers of the weights of a convolution, as its own kernel or plan reads them; -1: none. */
typedef struct cu_conv_weights {
    int filter, bias, slope;
} cu_conv_weights;
cu_conv_weights cu_weights_of(cu_model *u, const ir_node *n);
int cu_first_filter(cu_model *u, const ir_node *n); /* of the own kernels */
int cu_last_filter(cu_model *u, const ir_node *n);
void cu_batch_norm_weights(cu_model *u, const ir_node *n, int w[2]); /* factor, summand */
/* Channels of a GEMM_SCATTER's product in memory. */
int64_t cu_product_pitch(const cu_model *u, const ir_node *n);

/* ---- own kernels (cuda_kernels.c, cuda_slots_*.c) -------------------------------------------- */

typedef struct cu_work {
    cu_model *u;
    int layer;
    const ir_node *n;
    ir_diag *d;
    cg_slots slots;
    cg_text operands; /* a comment line each */
    cg_text offsets;  /* the enum of offsets */
} cu_work;
typedef bool cu_slots_fn(cu_work *w);
typedef struct cu_kernel {
    const char *template_file; /* "cuda_pool.cu.in" */
    const char *header;        /* "vox_pool.cuh" */
    cu_slots_fn *slots;
    const char *check_op; /* "MAX_POOL" of VOX_CUDA_OP_MAX_POOL */
} cu_kernel;
/* NULL: cuDNN or the kernel of another node does all of it, or there is no kernel. */
const cu_kernel *cu_kernel_for(const ir_graph *g, const ir_node *n);
bool cu_needs_kernel(const ir_graph *g, const ir_node *n);
const char *cu_check_op(const ir_node *n); /* by which the self-test recomputes it: "MAX_POOL", or "NONE" */
/* Appends layer `layer`'s function; registers its weights. */
bool cu_add_layer(cu_model *u, int layer, cg_text *out, ir_diag *d);

bool cu_slots_relayout(cu_work *w);
bool cu_slots_pool(cu_work *w);
bool cu_slots_pool_crop(cu_work *w);
bool cu_slots_first_conv(cu_work *w);
bool cu_slots_last_conv(cu_work *w);
bool cu_slots_scatter(cu_work *w);
bool cu_slots_bias_act(cu_work *w);
bool cu_slots_instance_norm(cu_work *w);
bool cu_slots_batch_norm(cu_work *w);
bool cu_slots_resize(cu_work *w);
bool cu_slots_map(cu_work *w);
bool cu_slots_binary(cu_work *w);
bool cu_slots_compare(cu_work *w);
bool cu_slots_cast(cu_work *w);
bool cu_slots_concat(cu_work *w);
bool cu_slots_slice(cu_work *w);
bool cu_slots_box(cu_work *w);
bool cu_slots_gather(cu_work *w);
bool cu_slots_pad(cu_work *w);
bool cu_slots_pad_plain(cu_work *w);
bool cu_slots_softmax(cu_work *w);
bool cu_slots_arg_max(cu_work *w);
bool cu_slots_reduce(cu_work *w);

/* Shared by them (cuda_operands.c). `z`: which of the step's z0 the tensor's window has: 0 the result. */
bool cu_unsupported(cu_work *w, const char *why);
/* Slots `var` (a vox_view's initialiser) and var_type, and a line of the layer's comment. */
void cu_view(cu_work *w, const char *var, const ir_tensor *t, int z);
/* The same memory as vox_strided, which broadcasts to y's axes; false: it can't. */
bool cu_strided(cu_work *w, const char *var, const ir_tensor *t, const ir_tensor *y, int z);
/* Extents and strides of t's memory along N C D H W, or a plain tensor's last five axes. */
bool cu_own_strides(const ir_tensor *t, int64_t dim[5], int64_t stride[5]);
/* Whether a slice skips channels, or changes N, or is plain: then it is a strided box. */
bool cu_slice_is_box(const ir_node *n);
/* Slot `var`: the address of t's first element as a pointer to its type; slot var_type. */
void cu_pointer(cu_work *w, const char *var, const ir_tensor *t);
/* Slot `var`: the address of a weight, float. -1: nullptr. `what` for the comment. */
void cu_weight_pointer(cu_work *w, const char *var, int weight);
/* Slot `epilogue` and `act`. */
void cu_epilogue(cu_work *w, int bias, int slope, const char *act);
/* Slot `range`: the step's planes, or all of a plain tensor. */
void cu_range(cu_work *w, const ir_tensor *y);
/* "__half" */
const char *cu_type(const ir_tensor *t);
const char *cu_store_name(const ir_tensor *t); /* "VOX_STORE_F16" */
/* Axes of t's memory in the order n d h w c: channels last, or a plain tensor of rank 5 at most. */
bool cu_axes(const ir_tensor *t, int64_t dim[5]);
/* Channels that are t's own in memory. */
int64_t cu_own(const ir_tensor *t);
int64_t cu_vector_pitch(int64_t channels); /* of a per-channel vector that own kernels read */

/* ---- tables (cuda_tables.c, cuda_checks.c) --------------------------------------------------- */

const char *cu_texts(const cg_model *m, const cu_list *list);
const char *cu_check_table(cu_model *u);
const char *cu_tensor_table(const cu_model *u);
const char *cu_layer_functions(const cu_model *u);
const char *cu_triple(ir_arena *arena, const int64_t v[3]); /* "{1, 2, 3}" */

#endif
