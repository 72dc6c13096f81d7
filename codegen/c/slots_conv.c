/* slots_conv.c: convolution and transposed convolution. */
#include "algorithm.h"
#include "blocking.h"
#include "slots.h"
#include "way.h"

#include <inttypes.h>

static void weight_operands(cg_work *w) {
    const ir_node *n = w->n;
    const cg_weight weights = cg_pack_weights(n);
    cg_weight_operand(w, "weights", &weights);
    static const char *const names[] = {"bias", "slope"};
    for (int i = 0; i < 2; i++) {
        const ir_tensor *t = i + 2 < n->n_in ? n->in[i + 2] : NULL;
        if (!t) continue;
        const cg_weight vector = cg_pack_vector(t, n->out[0]->dim[1], ir_int(n, IR_GROUP));
        cg_weight_operand(w, names[i], &vector);
    }
}

static const char *split_text(cg_work *w, const cg_blocking *b) {
    return ir_format(w->m->arena,
                     "%" PRId64 " tasks: channels %" PRId64 " x 16, planes %" PRId64 ", rows %" PRId64
                     "; input channels %" PRId64 " at a time",
                     b->tasks, b->task_oc, b->task_d, b->task_h, b->chunk_ic);
}

static bool constant_weights(const ir_node *n) {
    for (int i = 1; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->role != IR_ROLE_CONST && n->in[i] != ir_skip(n)) return false;
    return true;
}

bool slots_conv(cg_work *w) {
    const ir_node *n = w->n;
    int64_t x[5], y[5], kernel[3], stride[3], dilation[3], pad[3];
    if (!cg_all_f32(w)) return false;
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y)) return cg_unsupported(w, "more than 3 spatial axes");
    if (!constant_weights(n)) return cg_unsupported(w, "weights must be constants");
    if (!cg_window_fits(w)) return false;
    cg_spatial(n, IR_KERNEL, 0, 1, kernel);
    cg_spatial(n, IR_STRIDE, 0, 1, stride);
    cg_spatial(n, IR_DILATION, 0, 1, dilation);
    cg_spatial(n, IR_PAD, 0, 0, pad);
    cg_blocking b = cg_blocking_of(n);
    if (b.tasks > INT32_MAX) return cg_unsupported(w, "its work splits into more than 2^31 tasks");

    cg_set_xy(w);
    cg_set(&w->slots, "taps", "%s", cg_list(w->m->arena, 3, kernel));
    cg_set(&w->slots, "stride", "%s", cg_list(w->m->arena, 3, stride));
    cg_set(&w->slots, "dilation", "%s", cg_list(w->m->arena, 3, dilation));
    cg_set(&w->slots, "pad", "%s", cg_list(w->m->arena, 3, pad));
    cg_set_int(&w->slots, "group", ir_int(n, IR_GROUP));
    cg_set(&w->slots, "epilogue", "%s",
           cg_epilogue(w->m->arena, n, ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL));
    cg_set_int(&w->slots, "run", cg_run(w->m->g, n));
    cg_set_int(&w->slots, "task_oc", b.task_oc);
    cg_set_int(&w->slots, "task_d", b.task_d);
    cg_set_int(&w->slots, "task_h", b.task_h);
    cg_set_int(&w->slots, "chunk_ic", b.chunk_ic);
    cg_set(&w->slots, "split", "%s", split_text(w, &b));
    cg_set(&w->slots, "why", "%s", cg_blocking_reason(n, w->m->arena));
    cg_set(&w->slots, "op", "%s", ir_op_get(n->op)->name);
    cg_set(&w->slots, "kernel", "%s", n->op == IR_OP_CONV ? cg_way_of(n)->kernel : ir_op_get(n->op)->name);

    cg_conv_operand(w);
    weight_operands(w);
    cg_skip_operand(w);
    cg_result(w, "y", n->out[0]);
    cg_set_around(w);
    return true;
}
