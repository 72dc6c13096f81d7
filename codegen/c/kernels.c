/* kernels.c: which template and which runtime header an operator becomes. */
#include "slots.h"
#include "way.h"

#include <string.h>

static const cg_kernel by_op[IR_OP_COUNT] = {
    [IR_OP_CONV_TRANSPOSE] = {"conv.c.in", "vox_conv.h", slots_conv},
    [IR_OP_BATCH_NORM] = {"norm.c.in", "vox_norm.h", slots_batch_norm},
    [IR_OP_NORM_TERMS] = {"norm_terms.c.in", "vox_norm.h", slots_norm_terms},
    [IR_OP_NORMALISE] = {"norm.c.in", "vox_norm.h", slots_normalise},
    [IR_OP_MAX_POOL] = {"pool.c.in", "vox_pool3d.h", slots_pool},
    [IR_OP_AVERAGE_POOL] = {"pool.c.in", "vox_pool3d.h", slots_pool},
    [IR_OP_RESIZE] = {"resize.c.in", "vox_resize.h", slots_resize},
    [IR_OP_CONCAT] = {"concat.c.in", "vox_gather.h", slots_concat},
    [IR_OP_SLICE] = {"copy.c.in", "vox_copy.h", slots_slice},
    [IR_OP_PAD] = {"pad.c.in", "vox_copy.h", slots_pad},
    [IR_OP_RESHAPE] = {"copy.c.in", "vox_copy.h", slots_reshape},
    [IR_OP_TRANSPOSE] = {"copy.c.in", "vox_copy.h", slots_transpose},
    [IR_OP_EXPAND] = {"copy.c.in", "vox_copy.h", slots_expand},
    [IR_OP_GATHER] = {"gather.c.in", "vox_gather.h", slots_gather},
    [IR_OP_SOFTMAX] = {"axis.c.in", "vox_reduce.h", slots_softmax},
    [IR_OP_LOG_SOFTMAX] = {"axis.c.in", "vox_reduce.h", slots_softmax},
    [IR_OP_ARG_MAX] = {"axis.c.in", "vox_reduce.h", slots_arg_max},
    [IR_OP_REDUCE_SUM] = {"reduce.c.in", "vox_reduce.h", slots_reduce},
    [IR_OP_REDUCE_MEAN] = {"reduce.c.in", "vox_reduce.h", slots_reduce},
    [IR_OP_REDUCE_MAX] = {"reduce.c.in", "vox_reduce.h", slots_reduce},
    [IR_OP_REDUCE_MIN] = {"reduce.c.in", "vox_reduce.h", slots_reduce},
    [IR_OP_REDUCE_PROD] = {"reduce.c.in", "vox_reduce.h", slots_reduce},
    [IR_OP_EQUAL] = {"binary.c.in", "vox_map.h", slots_compare},
    [IR_OP_GREATER] = {"binary.c.in", "vox_map.h", slots_compare},
    [IR_OP_GREATER_EQUAL] = {"binary.c.in", "vox_map.h", slots_compare},
    [IR_OP_LESS] = {"binary.c.in", "vox_map.h", slots_compare},
    [IR_OP_LESS_EQUAL] = {"binary.c.in", "vox_map.h", slots_compare},
    [IR_OP_CAST] = {"cast.c.in", "vox_map.h", slots_cast},
    [IR_OP_TO_BLOCK] = {"relayout.c.in", "vox_copy.h", slots_relayout},
    [IR_OP_FROM_BLOCK] = {"relayout.c.in", "vox_copy.h", slots_relayout},
};
static const cg_kernel map = {"map.c.in", "vox_map.h", slots_map};
static const cg_kernel binary = {"binary.c.in", "vox_map.h", slots_binary};

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
    unsigned flags = ir_op_get(n->op)->flags;
    if (n->op == IR_OP_CONV) {
        const cg_way *way = cg_way_of(n);
        return (cg_kernel){way->template_file, way->header, slots_of(way->template_file)};
    }
    if (by_op[n->op].slots || flags & IR_FLAG_SHAPE) return by_op[n->op];
    if (flags & IR_FLAG_MAP) return map;
    return flags & IR_FLAG_BINARY ? binary : (cg_kernel){0};
}
