/* verify_layouts.c: which layouts of memory each operator reads and writes. */
#include "verify_parts.h"

/* ---- layouts --------------------------------------------------------------------------------- */

/* What an op asks of the layouts of the values that it reads and writes. */
typedef enum layout_rule {
    SAME,  /* operands of the result's rank (BINARY: shape) and the result alike */
    PLAIN, /* all row-major */
    FREE,  /* each as it likes */
    TO,    /* row-major to blocked */
    FROM,  /* blocked to row-major */
    LAST,  /* row-major to channels last */
    FIRST  /* channels last to row-major */
} layout_rule;

static const layout_rule rules[IR_OP_COUNT] = {
    [IR_OP_CONV] = FREE,        [IR_OP_CONV_TRANSPOSE] = FREE,   [IR_OP_ARG_MAX] = FREE,
    [IR_OP_NORM_TERMS] = FREE,  [IR_OP_TO_BLOCK] = TO,           [IR_OP_FROM_BLOCK] = FROM,
    [IR_OP_RESHAPE] = PLAIN,    [IR_OP_TRANSPOSE] = PLAIN,       [IR_OP_EXPAND] = PLAIN,
    [IR_OP_GATHER] = PLAIN,     [IR_OP_REDUCE_SUM] = PLAIN,      [IR_OP_REDUCE_MEAN] = PLAIN,
    [IR_OP_REDUCE_MAX] = PLAIN, [IR_OP_REDUCE_MIN] = PLAIN,      [IR_OP_REDUCE_PROD] = PLAIN,
    [IR_OP_WHERE] = PLAIN,      [IR_OP_TO_CHANNELS_LAST] = LAST, [IR_OP_FROM_CHANNELS_LAST] = FIRST,
    [IR_OP_CAST] = PLAIN,       [IR_OP_SHAPE_OF] = PLAIN,        [IR_OP_RANGE] = PLAIN,
};

static bool check_block(verifier *v, const ir_tensor *t) {
    if (!t->cpu.block) return true;
    if (t->cpu.block != IR_BLOCK)
        return verify_broken(v, "layout", "%%%s has blocks of %d", t->name, t->cpu.block);
    if (t->role != IR_ROLE_VALUE || t->rank != 5 || t->dtype != IR_F32)
        return verify_broken(v, "layout", "%%%s is blocked but no computed f32 tensor of 5 axes", t->name);
    if (verify_is_output(v, t))
        return verify_broken(v, "layout", "graph output %%%s is blocked: its reader wants it row-major",
                             t->name);
    return true;
}

static bool check_pitch(verifier *v, const ir_tensor *t) {
    if (!t->gpu.pitch && !t->gpu.storage) return true;
    if (t->gpu.pitch < 1 || t->cpu.block)
        return verify_broken(v, "layout", "%%%s is kept as %s but not channels last", t->name,
                             t->gpu.storage ? ir_storage_name(t->gpu.storage) : "f32");
    if (t->role != IR_ROLE_VALUE || t->rank < 3 || t->rank > 5 || t->dtype != IR_F32)
        return verify_broken(v, "layout", "%%%s is channels last but no computed f32 tensor of 3 to 5 axes",
                             t->name);
    if (verify_is_output(v, t))
        return verify_broken(v, "layout", "graph output %%%s is channels last: its reader wants it row-major",
                             t->name);
    if (t->gpu.pitch >= t->dim[1]) return true;
    return verify_broken(v, "layout", "%%%s has %lld channels in a pitch of %lld", t->name,
                         (long long)t->dim[1], (long long)t->gpu.pitch);
}

typedef enum layout { ROWS, BLOCKS, VOXELS } layout;

static layout layout_of(const ir_tensor *t) {
    return t->cpu.block ? BLOCKS : t->gpu.pitch ? VOXELS : ROWS;
}

/* Whether operand k takes part in the rule SAME. */
static bool alike(const ir_node *n, int k) {
    const ir_tensor *t = n->in[k];
    if (!t || t->role == IR_ROLE_CONST || t->rank != n->out[0]->rank) return false;
    return !(ir_op_get(n->op)->flags & IR_FLAG_BINARY) || ir_same_shape(t, n->out[0]);
}

static bool check_node_layout(verifier *v, const ir_node *n) {
    static const char *const names[] = {"row-major", "blocked", "channels-last"};
    layout_rule rule = rules[n->op];
    layout in = n->n_in && n->in[0] ? layout_of(n->in[0]) : ROWS, out = layout_of(n->out[0]);
    bool good = true;
    if (rule == TO) good = in == ROWS && out == BLOCKS;
    if (rule == FROM) good = in == BLOCKS && out == ROWS;
    if (rule == LAST) good = in == ROWS && out == VOXELS;
    if (rule == FIRST) good = in == VOXELS && out == ROWS;
    for (int k = 0; k < n->n_in; k++) {
        if (rule == SAME && alike(n, k)) good = good && layout_of(n->in[k]) == out;
        if (rule == PLAIN && n->in[k]) good = good && layout_of(n->in[k]) == ROWS;
    }
    if (ir_skip(n)) good = good && layout_of(ir_skip(n)) == out;
    if (rule == PLAIN) good = good && out == ROWS;
    return good || verify_broken(v, "layout", "%s '%s' cannot mix these layouts: reads %s, writes %s memory",
                                 ir_op_get(n->op)->name, n->name, names[in], names[out]);
}

bool verify_layouts(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++)
        if (!check_block(v, v->g->tensors[i]) || !check_pitch(v, v->g->tensors[i])) return false;
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_node_layout(v, v->g->nodes[i])) return false;
    return true;
}
