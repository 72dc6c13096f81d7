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
    cg_text operands, places; /* become slots of these names */
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

/* Says in the layer's comment what its operand `var` is and where it lives, and there again as C. A constant
 * is read from the prepared buffer, unpacked. */
void cg_operand(cg_work *w, const char *var, const ir_tensor *t);
void cg_operand_from(cg_work *w, const char *var, const ir_tensor *t, int64_t element);
void cg_result(cg_work *w, const char *var, const ir_tensor *t);
/* The same for a packed constant; want->source[0] is the tensor that the comment names. */
void cg_weight_operand(cg_work *w, const char *var, const cg_weight *want);
/* The two halves: the comment alone, and where element number `element` of t is: "vox_in_arena(m, 640)". */
void cg_describe(cg_work *w, const char *var, const ir_tensor *t);
const char *cg_where(cg_work *w, const ir_tensor *t, int64_t element);
void cg_add_place(cg_work *w, const char *var, const char *where);
/* Comment, and where it is. */
const char *cg_weight_at(cg_work *w, const char *var, const cg_weight *want);
/* `skip`, if the conv adds something, and slot skip_ring. */
void cg_skip_operand(cg_work *w);
/* The node's scratch memory: `shared` bytes for all threads (if there are any), then `worker` bytes for each:
 * `scratch`, and slot worker_bytes. */
void cg_scratch_operand(cg_work *w, int64_t shared, int64_t worker);
/* Comment of `sums`, those of norm_terms n in n's scratch memory, and where they are. */
const char *cg_sums_at(cg_work *w, const ir_node *n);
/* Of a conv: operand `x`, or what it is made of on load (slots_norm.c). */
void cg_conv_operand(cg_work *w);
/* Of a conv: operand `around`, if there is one. */
void cg_set_around(cg_work *w);
/* Records why this node can't be emitted, with op, name and shapes. Returns false. */
bool cg_unsupported(cg_work *w, const char *why);
bool cg_all_f32(cg_work *w); /* else cg_unsupported */

/* N C D H W of an activation of rank 3 to 5, absent axes 1; false otherwise. */
bool cg_dims(const ir_tensor *t, int64_t dims[5]);
/* Three values along D H W from an attribute over the node's spatial axes (`from`: first element). */
void cg_spatial(const ir_node *n, ir_key key, int from, int64_t absent, int64_t out[3]);
/* Whether the kernels' `int` coordinates hold every position that a window reaches; else cg_unsupported. */
bool cg_window_fits(cg_work *w);
/* "{.n = 1, .c = 64, .d = 30, .h = 30, .w = 26, .block = VOX_BLOCK}": t as vox_dims */
const char *cg_dims_text(cg_work *w, const ir_tensor *t);
void cg_set_xy(cg_work *w); /* slots x_dims, y_dims */
/* "{1, 2, 3}" */
const char *cg_list(ir_arena *arena, int n, const int64_t *v);
const char *cg_float(ir_arena *arena, double v); /* a C constant of type float */
/* What pad n puts around its operand, a C constant of its type. */
const char *cg_pad_value(ir_arena *arena, const ir_node *n);
const char *cg_double(ir_arena *arena, double v); /* of type double */
/* "{.act = VOX_ACT_RELU}" from an activation's name and the node's alpha, beta. */
const char *cg_epilogue(ir_arena *arena, const ir_node *n, const char *act);
/* Memory as a box: dimensions and row-major strides in elements; a blocked tensor has rank 6. Returns the
 * rank. */
int cg_box(const ir_tensor *t, int64_t *dim, int64_t *stride);

#endif
