/* slots_axis.c: operators along one axis or over a run of axes. */
#include "slots.h"

#include <inttypes.h>
#include <stdlib.h>

/* x as [outer][dims first..last][inner]. */
static void set_split(cg_work *w, int first, int last) {
    const ir_tensor *x = w->n->in[0];
    int64_t outer = 1, axis = 1, inner = 1;
    for (int i = 0; i < x->rank; i++) {
        if (i < first)
            outer *= x->dim[i];
        else if (i <= last)
            axis *= x->dim[i];
        else
            inner *= x->dim[i];
    }
    cg_set_int(&w->slots, "outer", outer);
    cg_set_int(&w->slots, "axis", axis);
    cg_set_int(&w->slots, "inner", inner);
}

static bool set_axis(cg_work *w, const char *kernel, bool log, bool select_last) {
    const ir_node *n = w->n;
    int axis = (int)ir_int(n, IR_AXIS);
    if (n->in[0]->dtype != IR_F32) return cg_unsupported(w, "the operand must be f32");
    if (n->in[0]->cpu.block && axis != 1) ir_die("codegen: %s: blocked, but not along C", n->name);
    set_split(w, axis, axis);
    cg_set(&w->slots, "block", "%s", n->in[0]->cpu.block ? "VOX_BLOCK" : "0");
    cg_set_int(&w->slots, "log", log);
    cg_set_int(&w->slots, "select_last", select_last);
    cg_set(&w->slots, "kernel", "%s", kernel);
    cg_set(&w->slots, "operands_type", "%s", w->n->op == IR_OP_ARG_MAX ? "vox_arg_max_operands" : "vox_xy");
    const int64_t *dim = n->in[0]->dim;
    const char *planes =
        n->memory.stream ? ir_format(w->m->arena,
                                     ".plane = %" PRId64 ",\n    .depth = %" PRId64
                                     ",\n    .x_ring = %d,\n    .y_ring = %d,",
                                     dim[3] * dim[4], dim[2], n->in[0]->memory.ring, n->out[0]->memory.ring)
                         : "";
    cg_set(&w->slots, "planes", "%s", planes);
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}

bool slots_softmax(cg_work *w) {
    if (w->n->in[0]->cpu.block != w->n->out[0]->cpu.block)
        ir_die("codegen: %s: operand and result differ in layout", w->n->name);
    return set_axis(w, "softmax", w->n->op == IR_OP_LOG_SOFTMAX, false);
}

bool slots_arg_max(cg_work *w) {
    return set_axis(w, "arg_max", false, ir_int(w->n, IR_SELECT_LAST) != 0);
}

/* The run of axes that are reduced; axes of size 1 count as either. False: there are several. */
static bool find_run(const ir_node *n, int *first, int *last) {
    const ir_tensor *x = n->in[0];
    *first = -1;
    *last = -2;
    for (int i = 0; i < x->rank; i++) {
        if (x->dim[i] == 1 || !ir_has_int(n, IR_AXES, i)) continue;
        if (*first < 0) *first = i;
        *last = i;
    }
    if (*first < 0) *first = 0, *last = -1;
    for (int i = *first; i <= *last; i++)
        if (x->dim[i] != 1 && !ir_has_int(n, IR_AXES, i)) return false;
    return true;
}

bool slots_reduce(cg_work *w) {
    const ir_node *n = w->n;
    int first, last;
    if (!cg_all_f32(w)) return false;
    if (n->in[0]->cpu.block) ir_die("codegen: %s: reductions read plain tensors", n->name);
    if (!find_run(n, &first, &last)) ir_die("codegen: %s: its axes must lie side by side", n->name);
    set_split(w, first, last);
    cg_set(&w->slots, "kind", "VOX_%s", cg_upper(w->m->arena, ir_op_get(n->op)->name));
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}
