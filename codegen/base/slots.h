/* slots.h: from a node to the values of its layer template's slots. One function per kernel family. */
#ifndef VOXC_CG_SLOTS_H
#define VOXC_CG_SLOTS_H

#include "model.h"

/* One layer while it is written. */
typedef struct cg_work {
    cg_model *m;
    int layer;
    const ir_node *n;
    ir_diag *d;
    cg_slots slots;
    cg_text operands, offsets, pointers; /* become slots of these names */
} cg_work;

/* Fills w; false: this shape or type has no kernel (cg_unsupported). */
typedef bool cg_slots_fn(cg_work *w);

typedef struct cg_kernel {
    const char *template_file; /* "conv.c.in" */
    const char *header;        /* of the runtime: "vox_conv.h" */
    cg_slots_fn *slots;
} cg_kernel;
cg_kernel cg_kernel_for(const ir_node *n); /* without slots: no executable operator */

bool slots_conv(cg_work *w);
bool slots_winograd(cg_work *w);
bool slots_pool(cg_work *w);
bool slots_norm_terms(cg_work *w);
bool slots_normalise(cg_work *w);
bool slots_batch_norm(cg_work *w);
bool slots_resize(cg_work *w);
bool slots_map(cg_work *w);
bool slots_binary(cg_work *w);
bool slots_compare(cg_work *w);
bool slots_cast(cg_work *w);
bool slots_concat(cg_work *w);
bool slots_slice(cg_work *w);
bool slots_transpose(cg_work *w);
bool slots_expand(cg_work *w);
bool slots_reshape(cg_work *w);
bool slots_gather(cg_work *w);
bool slots_pad(cg_work *w);
bool slots_relayout(cg_work *w);
bool slots_softmax(cg_work *w);
bool slots_arg_max(cg_work *w);
bool slots_reduce(cg_work *w);

/* ---- shared by them (operands.c) ------------------------------------------------------------- */

/* Declares `var` as a pointer to t, and says in the layer's comment what t is and where it lives. A constant
 * is read from the prepared buffer, unpacked. */
void cg_operand(cg_work *w, const char *var, const ir_tensor *t);
/* The same for a packed constant; want->source[0] is the tensor that the comment names. */
void cg_weight_operand(cg_work *w, const char *var, const cg_weight *want);
void cg_result(cg_work *w, const char *var, const ir_tensor *t);
/* `skip`, if the conv adds something, and slot skip_ring. */
void cg_skip_operand(cg_work *w);
/* The node's scratch memory: `shared` bytes for all threads (declared if there are any), then `lane` bytes
 * for each: `scratch`, and LANE in floats. */
void cg_scratch_operand(cg_work *w, int64_t shared, int64_t lane);
/* The sums of norm_terms n, in n's scratch memory: `sums`. */
void cg_sums_operand(cg_work *w, const ir_node *n);
/* Of a conv: declares `x`, or what it is made of on load (slots_norm.c). */
void cg_conv_operand(cg_work *w);
/* Slots around, around_kind and around_argument of a conv, and the operands that they name. */
void cg_set_around(cg_work *w);
/* Records why this node can't be emitted, with op, name and shapes. Returns false. */
bool cg_unsupported(cg_work *w, const char *why);
bool cg_all_f32(cg_work *w); /* else cg_unsupported */

/* N C D H W of an activation of rank 3 to 5, absent axes 1; false otherwise. */
bool cg_dims(const ir_tensor *t, int64_t dims[5]);
void cg_set_dims(cg_work *w, const char *const names[5], const int64_t dims[5]);
/* Three values along D H W from an attribute over the node's spatial axes (`from`: first element). */
void cg_spatial(const ir_node *n, ir_key key, int from, int64_t absent, int64_t out[3]);
void cg_set3(cg_work *w, const char *const names[3], const int64_t values[3]);
/* Whether the kernels' `int` coordinates hold every position that a window reaches; else cg_unsupported. */
bool cg_window_fits(cg_work *w);
/* "{1, 64, 30, 30, 26, VOX_BLOCK, 0}": t as vox_dims */
const char *cg_dims_text(cg_work *w, const ir_tensor *t);
void cg_set_rings(cg_work *w); /* slots x_ring, y_ring */
/* "{1, 2, 3}" */
const char *cg_list(ir_arena *arena, int n, const int64_t *v);
const char *cg_float(ir_arena *arena, double v); /* a C constant of type float */
/* What pad n puts around its operand, a C constant of its type. */
const char *cg_pad_value(ir_arena *arena, const ir_node *n);
const char *cg_double(ir_arena *arena, double v); /* of type double */
/* "{VOX_ACT_RELU, 0, 0}" from an activation's name and the node's alpha, beta. */
const char *cg_epilogue(ir_arena *arena, const ir_node *n, const char *act);
/* Memory as a box: dimensions and row-major strides in elements; a blocked tensor has rank 6. Returns the
 * rank. */
int cg_box(const ir_tensor *t, int64_t *dim, int64_t *stride);

#endif
