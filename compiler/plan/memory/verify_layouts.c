/* verify_layouts.c: which layouts of memory each operator reads and writes. */
#include "verify_parts.h"

/* ---- layouts --------------------------------------------------------------------------------- */

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

typedef enum memory { ROWS, BLOCKS, VOXELS } memory;

static memory memory_of(const ir_tensor *t) {
    return t->cpu.block ? BLOCKS : t->gpu.pitch ? VOXELS : ROWS;
}

/* Whether operand k is one that lies in memory as the result does. */
static bool alike(const ir_node *n, int k) {
    const ir_tensor *t = n->in[k];
    if (!t || t->role == IR_ROLE_CONST || t->rank != n->out[0]->rank) return false;
    return !(ir_op_get(n->op)->flags & IR_FLAG_BINARY) || ir_same_shape(t, n->out[0]);
}

static bool operands_are_alike(const ir_node *n, memory out) {
    for (int k = 0; k < n->n_in; k++)
        if (alike(n, k) && memory_of(n->in[k]) != out) return false;
    return true;
}

static bool operands_are_plain(const ir_node *n) {
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && memory_of(n->in[k]) != ROWS) return false;
    return true;
}

static bool may_meet(const ir_node *n, memory in, memory out) {
    switch (ir_op_get(n->op)->layout) {
    case IR_LAYOUT_PLAIN:
        return out == ROWS && operands_are_plain(n);
    case IR_LAYOUT_FREE:
        return !ir_skip(n) || memory_of(ir_skip(n)) == out;
    case IR_LAYOUT_READS:
        return out == ROWS;
    case IR_LAYOUT_FOLLOWS:
    case IR_LAYOUT_VOXELS:
        return operands_are_alike(n, out);
    case IR_LAYOUT_TO_BLOCK:
        return in == ROWS && out == BLOCKS;
    case IR_LAYOUT_FROM_BLOCK:
        return in == BLOCKS && out == ROWS;
    case IR_LAYOUT_TO_CHANNELS_LAST:
        return in == ROWS && out == VOXELS;
    case IR_LAYOUT_FROM_CHANNELS_LAST:
        return in == VOXELS && out == ROWS;
    }
    return false;
}

static bool check_node_layout(verifier *v, const ir_node *n) {
    static const char *const names[] = {"row-major", "blocked", "channels-last"};
    memory in = n->n_in && n->in[0] ? memory_of(n->in[0]) : ROWS, out = memory_of(n->out[0]);
    return may_meet(n, in, out) ||
           verify_broken(v, "layout", "%s '%s' cannot mix these layouts: reads %s, writes %s memory",
                         ir_op_get(n->op)->name, n->name, names[in], names[out]);
}

bool verify_layouts(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++)
        if (!check_block(v, v->g->tensors[i]) || !check_pitch(v, v->g->tensors[i])) return false;
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_node_layout(v, v->g->nodes[i])) return false;
    return true;
}
