/* pass_fold.c: computes at compile time what can be, and removes nodes that compute nothing. */
#include "fold_work.h"
#include "pass_match.h"
#include "graph_passes.h"

#include <math.h>
#include <string.h>

/* A constant may grow this large by folding; beyond it only shape arithmetic is worth the weight file's
 * bytes. */
enum { MAX_GROWTH = 1 << 24 };
/* All that is made may be so large, and so many times as large as what was there. */
static const int64_t MAX_MADE = (int64_t)1 << 27;
enum { MADE_PER_GIVEN = 4 };

/* ---- nodes of constants ---------------------------------------------------------------------- */

static bool is_foldable(const ir_node *n, int64_t work_left) {
    unsigned flags = ir_op_get(n->op)->flags;
    int64_t in = 0;
    if (n->op == IR_OP_SHAPE_OF) return true;
    for (int k = 0; k < n->n_in; k++) {
        if (!n->in[k]) continue;
        if (!pass_is_const(n->in[k])) return false;
        in += ir_bytes(n->in[k]);
    }
    if (fold_work(n) > work_left) return false;
    return (flags & IR_FLAG_SHAPE) || ir_bytes(n->out[0]) <= in + MAX_GROWTH;
}

static int64_t room_for_constants(const ir_graph *g) {
    int64_t room = MAX_MADE;
    for (int i = 0; i < g->n_tensors; i++)
        if (pass_is_const(g->tensors[i])) room += MADE_PER_GIVEN * ir_bytes(g->tensors[i]);
    return room;
}

/* ---- nodes that compute nothing -------------------------------------------------------------- */

static bool same_type(const ir_node *n, int k) {
    return n->in[k] && n->in[k]->dtype == n->out[0]->dtype && ir_same_shape(n->in[k], n->out[0]);
}

/* Each of these says which operand equals the output, -1 if none does. The output has that operand's type. */

static int first_operand(const ir_node *n) {
    (void)n;
    return 0;
}

static int identity_transpose(const ir_node *n) {
    for (int a = 0; a < n->in[0]->rank; a++)
        if (ir_ints(n, IR_PERM)[a] != a) return -1;
    return 0;
}

static int whole_slice(const ir_node *n) {
    return ir_all_ints(n, IR_BEGIN, 0) && ir_all_ints(n, IR_STEP, 1) ? 0 : -1;
}

static int no_pad(const ir_node *n) {
    return ir_all_ints(n, IR_PAD, 0) ? 0 : -1;
}

static int unit_pool(const ir_node *n) {
    bool unit = ir_all_ints(n, IR_KERNEL, 1) && ir_all_ints(n, IR_STRIDE, 1) && ir_all_ints(n, IR_PAD, 0);
    return unit ? 0 : -1;
}

static int unit_resize(const ir_node *n) {
    const char *how = ir_word(n, IR_COORDINATES);
    if (!strcmp(how, "tf_crop_and_resize") || !strcmp(how, "tf_half_pixel_for_nn")) return -1;
    for (int a = 0; a < n->in[0]->rank; a++)
        if (ir_floats(n, IR_SCALE)[a] != 1) return -1;
    return 0;
}

static int single_concat(const ir_node *n) {
    return n->n_in == 1 ? 0 : -1;
}

static int unbounded_clip(const ir_node *n) {
    return ir_float(n, IR_ALPHA) == -INFINITY && ir_float(n, IR_BETA) == INFINITY ? 0 : -1;
}

/* Which operand remains when the other is v everywhere; only the second may be v unless `commutes`. */
static int neutral(const ir_node *n, double v, bool commutes) {
    if (pass_is_all(n->in[1], v)) return 0;
    return commutes && pass_is_all(n->in[0], v) ? 1 : -1;
}
static int add_zero(const ir_node *n) {
    return neutral(n, 0, true);
}
static int sub_zero(const ir_node *n) {
    return neutral(n, 0, false);
}
static int mul_one(const ir_node *n) {
    return neutral(n, 1, true);
}
static int by_one(const ir_node *n) {
    return neutral(n, 1, false);
}

static int constant_where(const ir_node *n) {
    if (pass_is_all(n->in[0], 1)) return 1;
    return pass_is_all(n->in[0], 0) ? 2 : -1;
}

static int (*const remains[IR_OP_COUNT])(const ir_node *n) = {
    [IR_OP_RESHAPE] = first_operand,
    [IR_OP_EXPAND] = first_operand,
    [IR_OP_CAST] = first_operand,
    [IR_OP_TRANSPOSE] = identity_transpose,
    [IR_OP_SLICE] = whole_slice,
    [IR_OP_PAD] = no_pad,
    [IR_OP_MAX_POOL] = unit_pool,
    [IR_OP_AVERAGE_POOL] = unit_pool,
    [IR_OP_RESIZE] = unit_resize,
    [IR_OP_CONCAT] = single_concat,
    [IR_OP_CLIP] = unbounded_clip,
    [IR_OP_ADD] = add_zero,
    [IR_OP_SUB] = sub_zero,
    [IR_OP_MUL] = mul_one,
    [IR_OP_DIV] = by_one,
    [IR_OP_POW] = by_one,
    [IR_OP_WHERE] = constant_where,
};

/* A reshape of a reshape needs the first one's input only. */
static void skip_inner_reshape(ir_graph *g, ir_node *n) {
    while (n->op == IR_OP_RESHAPE && n->in[0]->role == IR_ROLE_VALUE &&
           n->in[0]->producer->op == IR_OP_RESHAPE)
        ir_set_operand(g, n, 0, n->in[0]->producer->in[0]);
}

/* requires shapes | maintains every output's values and name | gives: no node of constants only (but very
 * large ones), no shape arithmetic, no node that returns its operand unless graph inputs meet outputs there
 */
bool pass_fold(ir_graph *g, ir_diag *d) {
    int64_t work = FOLD_MOST_WORK, room = room_for_constants(g);
    for (int k = 0; k < g->n_nodes;) {
        ir_node *n = g->nodes[k];
        if (ir_bytes(n->out[0]) <= room && is_foldable(n, work)) {
            work -= fold_work(n);
            room -= ir_bytes(n->out[0]);
            if (!ir_fold_node(g, n, d)) return false;
            continue;
        }
        skip_inner_reshape(g, n);
        int operand = remains[n->op] ? remains[n->op](n) : -1;
        if (operand < 0 || !same_type(n, operand) || !pass_bypass(g, n, operand)) k++;
    }
    ir_remove_dead(g);
    return true;
}
