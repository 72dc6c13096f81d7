/* kernels.c: which template and which runtime header an operator becomes. */
#include "slots.h"
#include "way.h"

#include <string.h>

/* An operator of ops.def without a row here does not compile; maps and binaries share theirs. */
#define KERNEL(op, ...) static const cg_kernel kernel_##op = {__VA_ARGS__};
#define NO_KERNEL(op)   static const cg_kernel kernel_##op = {NULL, NULL, NULL};
/* clang-format off */
KERNEL(CONV_TRANSPOSE, "conv.c.in",       "vox_conv.h",   slots_conv)
KERNEL(BATCH_NORM,     "norm.c.in",       "vox_norm.h",   slots_batch_norm)
KERNEL(NORM_TERMS,     "norm_terms.c.in", "vox_norm.h",   slots_norm_terms)
KERNEL(NORMALISE,      "norm.c.in",       "vox_norm.h",   slots_normalise)
KERNEL(MAX_POOL,       "pool.c.in",       "vox_pool3d.h", slots_pool)
KERNEL(AVERAGE_POOL,   "pool.c.in",       "vox_pool3d.h", slots_pool)
KERNEL(RESIZE,         "resize.c.in",     "vox_resize.h", slots_resize)
KERNEL(CONCAT,         "concat.c.in",     "vox_gather.h", slots_concat)
KERNEL(SLICE,          "copy.c.in",       "vox_copy.h",   slots_slice)
KERNEL(PAD,            "pad.c.in",        "vox_copy.h",   slots_pad)
KERNEL(RESHAPE,        "copy.c.in",       "vox_copy.h",   slots_reshape)
KERNEL(TRANSPOSE,      "copy.c.in",       "vox_copy.h",   slots_transpose)
KERNEL(EXPAND,         "copy.c.in",       "vox_copy.h",   slots_expand)
KERNEL(GATHER,         "gather.c.in",     "vox_gather.h", slots_gather)
KERNEL(SOFTMAX,        "axis.c.in",       "vox_reduce.h", slots_softmax)
KERNEL(LOG_SOFTMAX,    "axis.c.in",       "vox_reduce.h", slots_softmax)
KERNEL(ARG_MAX,        "axis.c.in",       "vox_reduce.h", slots_arg_max)
KERNEL(REDUCE_SUM,     "reduce.c.in",     "vox_reduce.h", slots_reduce)
KERNEL(REDUCE_MEAN,    "reduce.c.in",     "vox_reduce.h", slots_reduce)
KERNEL(REDUCE_MAX,     "reduce.c.in",     "vox_reduce.h", slots_reduce)
KERNEL(REDUCE_MIN,     "reduce.c.in",     "vox_reduce.h", slots_reduce)
KERNEL(REDUCE_PROD,    "reduce.c.in",     "vox_reduce.h", slots_reduce)
KERNEL(CAST,           "cast.c.in",       "vox_map.h",    slots_cast)
KERNEL(TO_BLOCK,       "relayout.c.in",   "vox_copy.h",   slots_relayout)
KERNEL(FROM_BLOCK,     "relayout.c.in",   "vox_copy.h",   slots_relayout)
KERNEL(map,            "map.c.in",        "vox_map.h",    slots_map)
KERNEL(FLOATS,         "binary.c.in",     "vox_map.h",    slots_binary)
KERNEL(NUMBERS,        "binary.c.in",     "vox_map.h",    slots_binary)
KERNEL(ORDERS,         "binary.c.in",     "vox_map.h",    slots_compare)
KERNEL(EQUALS,         "binary.c.in",     "vox_map.h",    slots_compare)
NO_KERNEL(BOOLS)
/* as its way says */
NO_KERNEL(CONV)
/* computed by the compiler */
NO_KERNEL(WHERE)
NO_KERNEL(SHAPE_OF)
NO_KERNEL(RANGE)
/* norm_terms and normalise by then */
NO_KERNEL(INSTANCE_NORM)
/* of another target */
NO_KERNEL(TO_CHANNELS_LAST)
NO_KERNEL(FROM_CHANNELS_LAST)
/* clang-format on */

static const cg_kernel *const by_op[IR_OP_COUNT] = {
#define OP(sym, ...)                                    [IR_OP_##sym] = &kernel_##sym,
#define MAP_OP(sym, ...)                                [IR_OP_##sym] = &kernel_map,
#define BINARY_OP(sym, name, weights, flags, form, ...) [IR_OP_##sym] = &kernel_##form,
#include "ops.def"
};

/* By the template that a way to compute a convolution names. */
static cg_slots_fn *slots_of(const char *template_file) {
    static const struct {
        const char *template_file;
        cg_slots_fn *slots;
    } rows[] = {{"conv.c.in", slots_conv}, {"winograd.c.in", slots_winograd}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].template_file, template_file) == 0) return rows[i].slots;
    ir_die("no function fills the slots of %s", template_file);
}

cg_kernel cg_kernel_for(const ir_node *n) {
    bool folds = ir_op_get(n->op)->flags & IR_FLAG_SHAPE;
    if (n->op != IR_OP_CONV) return folds ? (cg_kernel){0} : *by_op[n->op];
    const cg_way *way = cg_way_of(n);
    return (cg_kernel){way->template_file, way->header, slots_of(way->template_file)};
}
