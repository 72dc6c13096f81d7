/* pass_layout.c: chooses plain or channel-blocked memory for every value.
 *
 * A conv likes blocked channels (its tile loads 16 of them as one vector) and can read and write either form,
 * so convs are where layouts change for nothing. Operators that treat all channels alike follow their
 * operand. Everything else, and every graph input and output, is plain; to_block and from_block nodes stand
 * where the two meet.
 */
#include "cpu_passes.h"

enum {
    BLOCKED_FROM = 13,    /* output channels: fewer are faster with positions as vector lanes */
    BLOCK_INPUT_FROM = 8, /* input channels of a plain operand that are worth a conversion before a conv */
};

typedef enum habit {
    HABIT_PLAIN,  /* reads and writes plain memory only */
    HABIT_FREE,   /* reads and writes either, independently */
    HABIT_FOLLOW, /* writes what it reads */
    HABIT_READ,   /* reads either, writes plain */
} habit;

static bool can_block(const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && t->dtype == IR_F32 && t->rank == 5;
}

static bool keeps_batch_and_channels(const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    if (x->rank != 5 || x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1]) return false;
    if (n->op == IR_OP_SLICE) return ir_ints(n, IR_BEGIN)[1] == 0 && ir_ints(n, IR_STEP)[1] == 1;
    if (n->op != IR_OP_PAD) return true;
    const int64_t *pad = ir_ints(n, IR_PAD);
    return pad[0] == 0 && pad[1] == 0 && pad[x->rank] == 0 && pad[x->rank + 1] == 0;
}

static bool block_aligned_concat(const ir_node *n) {
    if (ir_int(n, IR_AXIS) != 1) return false;
    for (int i = 0; i < n->n_in; i++) {
        if (!can_block(n->in[i])) return false;
        if (i + 1 < n->n_in && n->in[i]->dim[1] % IR_BLOCK != 0) return false;
    }
    return true;
}

/* Blocked kernels broadcast only single numbers; other constants are plain in memory. */
static bool blockable_operands(const ir_node *n) {
    for (int i = 0; i < n->n_in; i++) {
        const ir_tensor *t = n->in[i];
        bool number = t->role == IR_ROLE_CONST && ir_count(t) == 1;
        if (!number && !(can_block(t) && ir_same_shape(t, n->out[0]))) return false;
    }
    return true;
}

static bool groups_fill_blocks(const ir_node *n) {
    int64_t group = ir_int(n, IR_GROUP);
    return group == 1 ||
           (n->in[0]->dim[1] / group % IR_BLOCK == 0 && n->out[0]->dim[1] / group % IR_BLOCK == 0);
}

/* Whether every channel of the result comes from the same channel of the operands, so that blocks of them can
 * stay. */
static bool keeps_blocks(const ir_node *n) {
    if (ir_op_get(n->op)->flags & IR_FLAG_BINARY) return blockable_operands(n);
    if (n->op == IR_OP_CONCAT) return block_aligned_concat(n);
    if (ir_get(n, IR_AXIS)) return ir_int(n, IR_AXIS) == 1;
    return keeps_batch_and_channels(n);
}

static habit habit_of(const ir_node *n) {
    switch (ir_op_get(n->op)->layout) {
    case IR_LAYOUT_FREE:
        return groups_fill_blocks(n) ? HABIT_FREE : HABIT_PLAIN;
    case IR_LAYOUT_FOLLOWS:
    case IR_LAYOUT_VOXELS:
        return keeps_blocks(n) ? HABIT_FOLLOW : HABIT_PLAIN;
    case IR_LAYOUT_READS:
        return !ir_get(n, IR_AXIS) || ir_int(n, IR_AXIS) == 1 ? HABIT_READ : HABIT_PLAIN;
    default:
        return HABIT_PLAIN;
    }
}

/* The converted twin of t, in front of `before`; made once, found again by the op that reads t. */
static ir_tensor *converted(ir_graph *g, ir_tensor *t, const ir_node *before, ir_diag *d) {
    ir_op op = t->cpu.block ? IR_OP_FROM_BLOCK : IR_OP_TO_BLOCK;
    for (int i = 0; i < t->n_users; i++)
        if (t->users[i]->op == op) return t->users[i]->out[0];
    const char *name =
        ir_unique_name(g, ir_format(g->arena, "%s.%s", t->name, t->cpu.block ? "plain" : "blocked"));
    ir_node *n = ir_add_node(g, op, name, 1, &t, name);
    n->source = before->source;
    if (!ir_finish_node(g, n, d)) return NULL;
    n->out[0]->cpu.block = t->cpu.block ? 0 : IR_BLOCK;
    ir_insert_node(g, n, before);
    return n->out[0];
}

static bool wants_blocked(const ir_node *n, habit h) {
    if (!can_block(n->out[0])) return false;
    if (h == HABIT_FREE) return n->out[0]->dim[1] >= BLOCKED_FROM;
    if (h != HABIT_FOLLOW) return false;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->cpu.block) return true;
    return false;
}

/* Plain to plain, by kernels that have positions as vector lanes. */
static bool stays_plain(const ir_node *n) {
    return n->op == IR_OP_CONV && !n->out[0]->cpu.block && n->out[0]->dim[1] < BLOCKED_FROM;
}

static bool fits(const ir_node *n, habit h, int i) {
    const ir_tensor *t = n->in[i];
    if (!t || t->role == IR_ROLE_CONST) return true;
    if (h == HABIT_PLAIN) return !t->cpu.block;
    if (n->op == IR_OP_NORMALISE && i > 0) return true; /* terms are plain */
    if (h == HABIT_FOLLOW || t == ir_skip(n)) return t->cpu.block == n->out[0]->cpu.block;
    if (h == HABIT_FREE && i == 0 && t->dtype == IR_F32 && t->rank == 5)
        return t->cpu.block || t->dim[1] < BLOCK_INPUT_FROM || stays_plain(n);
    return true;
}

static bool fit_inputs(ir_graph *g, ir_node *n, habit h, ir_diag *d) {
    for (int i = 0; i < n->n_in; i++) {
        if (fits(n, h, i)) continue;
        ir_tensor *t = converted(g, n->in[i], n, d);
        if (!t) return false;
        ir_set_operand(g, n, i, t);
    }
    return true;
}

/* A graph output is plain: a producer that can't write plain memory writes a blocked twin first. */
static bool give_plain_output(ir_graph *g, ir_node *n, ir_diag *d) {
    ir_tensor *out = n->out[0];
    const char *name = out->name;
    ir_node *plain = ir_add_node(g, IR_OP_FROM_BLOCK, name, 1, &out,
                                 ir_unique_name(g, ir_format(g->arena, "%s.plain", name)));
    plain->source = n->source;
    if (!ir_finish_node(g, plain, d)) return false;
    ir_insert_behind(g, plain, n); /* where others that want it plain find it */
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == out) ir_set_output(g, i, plain->out[0]);
    ir_rename_tensor(g, out, ir_unique_name(g, ir_format(g->arena, "%s.blocked", name)));
    ir_rename_tensor(g, plain->out[0], name);
    return true;
}

/* requires: fused graph, every block 0. maintains: values of every tensor. gives: block of every value;
 * conversions. */
bool pass_layout(ir_graph *g, ir_diag *d) {
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (n->op == IR_OP_TO_BLOCK || n->op == IR_OP_FROM_BLOCK) continue;
        habit h = habit_of(n);
        bool output = ir_is_output(n->out[0]);
        bool blocked = wants_blocked(n, h) && !(output && h == HABIT_FREE);
        n->out[0]->cpu.block = blocked ? IR_BLOCK : 0;
        int before = g->n_nodes;
        if (!fit_inputs(g, n, h, d)) return false;
        i += g->n_nodes - before; /* the conversions now stand in front of n */
        if (blocked && output && !give_plain_output(g, n, d)) return false;
    }
    return true;
}
