/* slots_spatial.c: pooling, resizing. */
#include "slots.h"

#include <string.h>

/* The activation dims of x and y; both in the same layout. */
static bool get_dims(cg_work *w, int64_t x[5], int64_t y[5]) {
    const ir_node *n = w->n;
    if (!cg_all_f32(w)) return false;
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y))
        return cg_unsupported(w, "only N C and 1 to 3 spatial axes");
    if (n->in[0]->cpu.block != n->out[0]->cpu.block)
        ir_die("codegen: %s: operand and result differ in layout", n->name);
    return true;
}

static void set_triple(cg_work *w, const char *slot, ir_key key, int from, int64_t absent) {
    int64_t v[3];
    cg_spatial(w->n, key, from, absent, v);
    cg_set(&w->slots, slot, "%s", cg_list(w->m->arena, 3, v));
}

bool slots_pool(cg_work *w) {
    const ir_node *n = w->n;
    int64_t x[5], y[5];
    if (!get_dims(w, x, y) || !cg_window_fits(w)) return false;
    bool average = n->op == IR_OP_AVERAGE_POOL;
    cg_set_xy(w);
    set_triple(w, "kernel_size", IR_KERNEL, 0, 1);
    set_triple(w, "stride", IR_STRIDE, 0, 1);
    set_triple(w, "dilation", IR_DILATION, 0, 1);
    set_triple(w, "pad", IR_PAD, 0, 0);
    set_triple(w, "pad_end", IR_PAD, n->in[0]->rank - 2, 0);
    cg_set_int(&w->slots, "include_pad", average ? ir_int(n, IR_INCLUDE_PAD) : 0);
    cg_set(&w->slots, "kernel", "%s", ir_op_get(n->op)->name);
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}

/* Three values along D H W of an attribute over all axes, as text. */
static const char *spatial_floats(cg_work *w, ir_key key, int from, double absent) {
    const ir_attr *a = ir_get(w->n, key);
    int rank = w->n->in[0]->rank;
    cg_text t = {.arena = w->m->arena};
    cg_add_string(&t, "{");
    for (int i = 0; i < 3; i++) {
        int axis = rank - 3 + i;
        double v = a && axis >= 2 ? a->f[from + axis] : absent;
        cg_add(&t, "%s%s", i ? ", " : "", cg_double(w->m->arena, v));
    }
    cg_add_string(&t, "}");
    return cg_string(&t);
}

static bool same_channels(const int64_t x[5], const int64_t y[5]) {
    return x[0] == y[0] && x[1] == y[1];
}

bool slots_resize(cg_work *w) {
    const ir_node *n = w->n;
    int64_t x[5], y[5];
    if (!get_dims(w, x, y)) return false;
    const char *mode = ir_word(n, IR_MODE), *nearest = ir_word(n, IR_NEAREST);
    if (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0)
        return cg_unsupported(w, "mode must be nearest or linear");
    if (!same_channels(x, y)) return cg_unsupported(w, "N and C must keep their size");
    bool roi = ir_get(n, IR_ROI) != NULL;
    cg_set_xy(w);
    cg_set_int(&w->slots, "linear", strcmp(mode, "linear") == 0);
    cg_set(&w->slots, "coordinates", "%s", cg_upper(w->m->arena, ir_word(n, IR_COORDINATES)));
    cg_set(&w->slots, "nearest", "%s", cg_upper(w->m->arena, nearest));
    cg_set(&w->slots, "scale", "%s", spatial_floats(w, IR_SCALE, 0, 1));
    cg_set(&w->slots, "roi_begin", "%s", spatial_floats(w, IR_ROI, 0, 0));
    cg_set(&w->slots, "roi_end", "%s", spatial_floats(w, IR_ROI, roi ? n->in[0]->rank : 0, 1));
    cg_set(&w->slots, "extrapolation", "%s",
           cg_float(w->m->arena, ir_get(n, IR_EXTRAPOLATION) ? ir_float(n, IR_EXTRAPOLATION) : 0));
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}
