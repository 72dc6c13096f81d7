/* slots_elementwise.c: maps, operators of two operands, casts. */
#include "bundle_text.h"
#include "slots.h"

#include <string.h>

static void set_epilogue_of_map(cg_work *w) {
    cg_set(&w->slots, "epilogue", "%s", cg_epilogue(w->m->arena, w->n, ir_op_get(w->n->op)->name));
}

/* Elements in memory, lanes above C included. */
static int64_t physical_count(const ir_tensor *t) {
    return cg_whole_bytes(t) / (int64_t)ir_dtype_bytes(t->dtype);
}

/* In a stream: y's dims and the operands' rings. */
static void set_planes(cg_work *w, const char *operands) {
    cg_set(&w->slots, "planes", "%s",
           w->n->memory.stream
               ? ir_format(w->m->arena, ".y = %s,\n    %s,", cg_dims_text(w, w->n->out[0]), operands)
               : "");
}

bool slots_map(cg_work *w) {
    const ir_node *n = w->n;
    if (!cg_all_f32(w)) return false;
    if (n->in[0]->cpu.block != n->out[0]->cpu.block)
        ir_die("codegen: %s: operand and result differ in layout", n->name);
    cg_set_int(&w->slots, "count", physical_count(n->out[0]));
    set_epilogue_of_map(w);
    set_planes(w, ir_format(w->m->arena, ".x_ring = %d", n->in[0]->memory.ring));
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}

/* Strides that walk t along y's axes (NumPy: aligned at the last axis, 0 where t has one element). */
static bool broadcast_strides(const ir_tensor *t, const ir_tensor *y, int64_t *out) {
    int64_t dim[IR_MAX_RANK + 1], stride[IR_MAX_RANK + 1], y_dim[IR_MAX_RANK + 1], y_stride[IR_MAX_RANK + 1];
    int rank = cg_box(t, dim, stride), y_rank = cg_box(y, y_dim, y_stride);
    if (ir_count(t) == 1) {
        for (int i = 0; i < y_rank; i++) out[i] = 0;
        return true;
    }
    if (t->cpu.block != y->cpu.block) return false;
    for (int i = 0; i < y_rank; i++) {
        int k = i - (y_rank - rank);
        out[i] = k < 0 || dim[k] == 1 ? 0 : stride[k];
    }
    return true;
}

static bool set_binary(cg_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *y = n->out[0];
    int64_t dim[IR_MAX_RANK + 1], stride[IR_MAX_RANK + 1], a[IR_MAX_RANK + 1], b[IR_MAX_RANK + 1];
    int rank = cg_box(y, dim, stride);
    if (rank > IR_MAX_RANK) return cg_unsupported(w, "too many axes");
    if (!broadcast_strides(n->in[0], y, a) || !broadcast_strides(n->in[1], y, b))
        return cg_unsupported(w, "its operands differ in layout");
    cg_set(&w->slots, "operator", "%s", cg_upper(w->m->arena, ir_op_get(n->op)->name));
    cg_set_int(&w->slots, "rank", rank);
    cg_set(&w->slots, "dim", "%s", cg_list(w->m->arena, rank, dim));
    cg_set(&w->slots, "a_stride", "%s", cg_list(w->m->arena, rank, a));
    cg_set(&w->slots, "b_stride", "%s", cg_list(w->m->arena, rank, b));
    set_planes(w, ir_format(w->m->arena, ".a_ring = %d,\n    .b_ring = %d", n->in[0]->memory.ring,
                            n->in[1]->memory.ring));
    cg_operand(w, "a", n->in[0]);
    cg_operand(w, "b", n->in[1]);
    cg_result(w, "y", y);
    return true;
}

bool slots_binary(cg_work *w) {
    cg_set(&w->slots, "kernel", "binary");
    cg_set(&w->slots, "operands_type", "vox_binary_operands");
    return cg_all_f32(w) && set_binary(w);
}

bool slots_compare(cg_work *w) {
    for (int i = 0; i < 2; i++)
        if (w->n->in[i]->dtype != IR_F32) return cg_unsupported(w, "operands must be f32");
    cg_set(&w->slots, "kernel", "compare");
    cg_set(&w->slots, "operands_type", "vox_compare_operands");
    return set_binary(w);
}

bool slots_cast(cg_work *w) {
    const ir_tensor *x = w->n->in[0], *y = w->n->out[0];
    const char *from = cg_vox_dtype(x->dtype), *to = cg_vox_dtype(y->dtype);
    if (!from || !to) return cg_unsupported(w, "f64 is not a type of the runtime");
    if (y->dtype == IR_BOOL) return cg_unsupported(w, "bool results come from comparisons only");
    if (ir_count(y) > INT32_MAX) return cg_unsupported(w, "too many elements");
    cg_set_int(&w->slots, "count", physical_count(y));
    cg_set(&w->slots, "from", "%s", from);
    cg_set(&w->slots, "to", "%s", to);
    cg_operand(w, "x", x);
    cg_result(w, "y", y);
    return true;
}
