/* cuda_checks.c: the table from which the self-test recomputes each layer. */
#include "cuda.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

static int tensor_number(cu_model *u, const ir_tensor *t) {
    const uint64_t hash = cg_hash_address(t);
    for (int i = cg_first(&u->tensors_by_address, hash); i >= 0; i = cg_next(&u->tensors_by_address, i))
        if (u->tensors[i] == t) return i;
    if (!u->tensors) u->tensors = ir_alloc(u->m->arena, (size_t)u->m->g->n_tensors + 1, sizeof *u->tensors);
    cg_chain(&u->tensors_by_address, hash);
    u->tensors[u->n_tensors] = t;
    return u->n_tensors++;
}

/* Where an own kernel of a convolution and a plan keep their weights, they keep them differently. */
static cu_conv_weights conv_weights(cu_model *u, const ir_node *n) {
    const ir_tensor *y = n->out[0];
    const int64_t own = cu_own(y) > y->dim[1] ? cu_own(y) : y->dim[1];
    cu_conv_weights w = {-1, -1, -1};
    if (n->gpu.runner == IR_GPU_KERNEL)
        w.filter = n->in[0]->gpu.pitch ? cu_last_filter(u, n) : cu_first_filter(u, n);
    else
        w = cu_weights_of(u, n);
    if (n->gpu.runner != IR_GPU_CUDNN && n->n_in > 2 && n->in[2])
        w.bias = cu_vector(u, n->in[2], y->dim[1], cu_vector_pitch(own), IR_STORE_OWN);
    if (n->n_in > 3 && n->in[3])
        w.slope = cu_vector(u, n->in[3], y->dim[1], cu_vector_pitch(own), IR_STORE_OWN);
    return w;
}

static cu_conv_weights norm_weights(cu_model *u, const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    const int64_t own = cu_own(x) > cu_own(y) ? cu_own(x) : cu_own(y);
    int w[3] = {-1, -1, -1};
    for (int k = 0; k < 3 && n->op == IR_OP_INSTANCE_NORM; k++)
        if (k + 1 < n->n_in && n->in[k + 1])
            w[k] = cu_vector(u, n->in[k + 1], y->dim[1], cu_vector_pitch(own), IR_STORE_OWN);
    if (n->op == IR_OP_BATCH_NORM) cu_batch_norm_weights(u, n, w);
    return (cu_conv_weights){w[0], w[1], w[2]};
}

static void add_window(cg_text *s, const ir_node *n) {
    static const struct {
        const char *name;
        ir_key key;
        int absent;
        bool end;
    } members[] = {{"kernel", IR_KERNEL, 1, false},
                   {"stride", IR_STRIDE, 1, false},
                   {"pad", IR_PAD, 0, false},
                   {"pad_end", IR_PAD, 0, true},
                   {"dilation", IR_DILATION, 1, false}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        int64_t v[3];
        cg_spatial(n, members[i].key, members[i].end ? n->in[0]->rank - 2 : 0, members[i].absent, v);
        cg_add(s, ", .%s = %s", members[i].name, cu_triple(s->arena, v));
    }
    if (ir_get(n, IR_INCLUDE_PAD)) cg_add(s, ", .include_pad = %" PRId64, ir_int(n, IR_INCLUDE_PAD));
}

static void add_act(cg_text *s, const ir_node *n, const char *act) {
    if (act) cg_add(s, ", .act = VOX_CUDA_ACT_%s", cg_upper(s->arena, act));
    if (ir_get(n, IR_ALPHA)) cg_add(s, ", .alpha = %s", cg_double(s->arena, ir_float(n, IR_ALPHA)));
    if (ir_get(n, IR_BETA)) cg_add(s, ", .beta = %s", cg_double(s->arena, ir_float(n, IR_BETA)));
}

/* Output o looks at o * scale + shift; false: a mode whose coordinates may lie outside, or depend on more. */
static bool coordinate(const ir_node *n, int axis, double *scale, double *shift) {
    const char *mode = ir_word(n, IR_COORDINATES);
    const double s = ir_floats(n, IR_SCALE)[axis];
    const double x = (double)n->in[0]->dim[axis], y = (double)n->out[0]->dim[axis];
    *scale = 1 / s;
    *shift = 0.5 / s - 0.5;
    if (strcmp(mode, "half_pixel") == 0) return true;
    if (strcmp(mode, "asymmetric") == 0) *shift = 0;
    if (strcmp(mode, "tf_half_pixel_for_nn") == 0) *shift = 0.5 / s;
    if (strcmp(mode, "half_pixel_symmetric") == 0) *shift += x / 2 * (1 - y / (s * x));
    if (strcmp(mode, "pytorch_half_pixel") == 0 && y <= 1) *scale = *shift = 0;
    if (strcmp(mode, "align_corners") == 0) {
        *scale = y > 1 && x > 1 ? (x - 1) / (s * x - 1) : 0;
        *shift = 0;
    }
    return strcmp(mode, "tf_crop_and_resize") != 0;
}

static void add_resize(cg_text *s, const ir_node *n) {
    double v[2][3] = {{1, 1, 1}, {0, 0, 0}};
    const int rank = n->in[0]->rank;
    for (int i = 0; i < 3; i++)
        if (rank - 3 + i >= 2) coordinate(n, rank - 3 + i, &v[0][i], &v[1][i]);
    for (int k = 0; k < 2; k++)
        cg_add(s, ", .%s = {%s, %s, %s}", k ? "shift" : "scale", cg_double(s->arena, v[k][0]),
               cg_double(s->arena, v[k][1]), cg_double(s->arena, v[k][2]));
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    for (int i = 0; i < 4; i++)
        if (strcmp(ir_word(n, IR_NEAREST), nearest[i]) == 0) cg_add(s, ", .nearest = %d", i);
    cg_add(s, ", .linear = %d", strcmp(ir_word(n, IR_MODE), "linear") == 0);
}

static void add_weights(cg_text *s, cu_conv_weights w) {
    cg_add(s, ", .w = {%d, %d, %d}", w.filter, w.bias, w.slope);
}

static void add_attributes(cg_text *s, cu_model *u, const ir_node *n) {
    const char *act = ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL;
    const unsigned flags = ir_op_get(n->op)->flags;
    if (n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE) add_weights(s, conv_weights(u, n));
    if (n->op == IR_OP_INSTANCE_NORM || n->op == IR_OP_BATCH_NORM) add_weights(s, norm_weights(u, n));
    if (ir_get(n, IR_KERNEL)) add_window(s, n);
    if (ir_get(n, IR_GROUP) || n->op == IR_OP_INSTANCE_NORM)
        cg_add(s, ", .group = %" PRId64, ir_get(n, IR_GROUP) ? ir_int(n, IR_GROUP) : n->out[0]->dim[1]);
    if (n->op == IR_OP_RESIZE) add_resize(s, n);
    if (flags & IR_FLAG_BINARY) cg_add(s, ", .binary = VOX_%s", cg_upper(s->arena, ir_op_get(n->op)->name));
    if (n->op == IR_OP_SLICE)
        cg_add(s, ", .begin = %s, .step = %s", cg_list(s->arena, n->in[0]->rank, ir_ints(n, IR_BEGIN)),
               cg_list(s->arena, n->in[0]->rank, ir_ints(n, IR_STEP)));
    if (ir_get(n, IR_AXIS)) cg_add(s, ", .axis = %" PRId64, ir_int(n, IR_AXIS));
    if (ir_get(n, IR_SELECT_LAST)) cg_add(s, ", .select_last = %" PRId64, ir_int(n, IR_SELECT_LAST));
    if (ir_get(n, IR_EPS)) cg_add(s, ", .eps = %s", cg_double(s->arena, ir_float(n, IR_EPS)));
    add_act(s, n, flags & IR_FLAG_MAP ? ir_op_get(n->op)->name : act);
}

static int operands_of(const ir_node *n) {
    if (n->op == IR_OP_CONCAT) return n->n_in;
    return ir_op_get(n->op)->flags & IR_FLAG_BINARY ? 2 : 1;
}

/* Not: more members than a step has windows for, coordinates that no line gives, f64. */
static bool can_check(const ir_node *n) {
    double scale, shift;
    if (strcmp(cu_check_op(n), "NONE") == 0 || operands_of(n) > CU_OPERANDS) return false;
    if (n->op == IR_OP_RESIZE && !coordinate(n, n->in[0]->rank - 1, &scale, &shift)) return false;
    return n->out[0]->rank > 0;
}

static void add_check(cg_text *s, cu_model *u, const ir_node *n) {
    cg_add(s, "%s", s->size ? "\n    " : "");
    if (!can_check(n)) {
        cg_add_string(s, "{.op = VOX_CUDA_OP_NONE},");
        return;
    }
    const int operands = operands_of(n);
    cg_add(s, "{.op = VOX_CUDA_OP_%s, .y = %d, .n_x = %d, .x = {", cu_check_op(n),
           tensor_number(u, n->out[0]), operands);
    for (int k = 0; k < operands; k++) cg_add(s, "%s%d", k ? ", " : "", tensor_number(u, n->in[k]));
    cg_add_string(s, "}");
    add_attributes(s, u, n);
    cg_add_string(s, "},");
}

const char *cu_check_table(cu_model *u) {
    cg_text s = {.arena = u->m->arena};
    for (int i = 0; i < u->m->n_layers; i++) add_check(&s, u, u->m->layers[i].node);
    return cg_string(&s);
}
