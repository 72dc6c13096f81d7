/* pass_channels.c: chooses plain or channels-last memory for every value of a graph for a GPU.
 *
 * Whatever walks voxels (convolutions, pools, norms, resizes) wants channels last, kept in the precision
 * asked for. Operators that do not care follow their operands. Everything else, and every graph input and
 * output, is plain f32; to_channels_last and from_channels_last nodes stand where the two meet, except where
 * a kernel that reads or writes plain memory beats a conversion and cuDNN with padded channels (gpu_model.h).
 */
#include "gpu_model.h"
#include "gpu_passes.h"

enum { FIRST_KERNEL = 7, FIRST_STRIDE = 2 }; /* of a convolution that reads plain memory, per axis */

typedef enum habit {
    HABIT_PLAIN,  /* reads and writes plain memory only */
    HABIT_VOXELS, /* reads and writes channels last only */
    HABIT_FOLLOW, /* writes what it reads */
    HABIT_READ,   /* reads either, writes plain */
} habit;

static bool can_be_last(const ir_tensor *t) {
    return t->role == IR_ROLE_VALUE && t->dtype == IR_F32 && t->rank >= 3 && t->rank <= 5;
}

/* Whether whole voxels move: N stays, channels stand side by side as before, concats join them. Pads may add
 * channels. */
static bool moves_voxels(const ir_node *n) {
    if (ir_get(n, IR_AXIS)) return ir_int(n, IR_AXIS) == 1;
    if (n->op == IR_OP_PAD) return ir_ints(n, IR_PAD)[0] == 0 && ir_ints(n, IR_PAD)[n->in[0]->rank] == 0;
    if (n->op != IR_OP_SLICE) return true;
    const int64_t *begin = ir_ints(n, IR_BEGIN), *step = ir_ints(n, IR_STEP);
    return begin[0] == 0 && step[0] == 1 && step[1] == 1 && n->out[0]->dim[0] == n->in[0]->dim[0];
}

static habit habit_of(const ir_node *n) {
    switch (ir_op_get(n->op)->layout) {
    case IR_LAYOUT_FREE:
    case IR_LAYOUT_VOXELS:
        return HABIT_VOXELS;
    case IR_LAYOUT_FOLLOWS:
        return can_be_last(n->out[0]) && moves_voxels(n) ? HABIT_FOLLOW : HABIT_PLAIN;
    case IR_LAYOUT_READS:
        return ir_int(n, IR_AXIS) == 1 ? HABIT_READ : HABIT_PLAIN;
    default:
        return HABIT_PLAIN;
    }
}

/* ---- conversions ----------------------------------------------------------------------------- */

static void make_last(const ir_graph *g, ir_tensor *t) {
    t->gpu.pitch = t->dim[1] > 0 ? t->dim[1] : 1;
    t->gpu.storage = cg_gpu_storage(g->goals.precision);
}

/* The converted twin of t, in front of `before`; made once, found again by the op that reads t. */
static ir_tensor *converted(ir_graph *g, ir_tensor *t, const ir_node *before, ir_diag *d) {
    ir_op op = t->gpu.pitch ? IR_OP_FROM_CHANNELS_LAST : IR_OP_TO_CHANNELS_LAST;
    for (int i = 0; i < t->n_users; i++)
        if (t->users[i]->op == op) return t->users[i]->out[0];
    const char *name =
        ir_unique_name(g, ir_format(g->arena, "%s.%s", t->name, t->gpu.pitch ? "plain" : "channels_last"));
    ir_node *n = ir_add_node(g, op, name, 1, &t, name);
    n->source = before->source;
    n->gpu.runner = IR_GPU_KERNEL;
    if (!ir_finish_node(g, n, d)) return NULL;
    if (!t->gpu.pitch) make_last(g, n->out[0]);
    ir_insert_node(g, n, before);
    return n->out[0];
}

/* A graph output is plain: a producer that can't write plain memory writes a twin first. */
static bool give_plain_output(ir_graph *g, ir_node *n, ir_diag *d) {
    ir_tensor *out = n->out[0];
    const char *name = out->name;
    ir_node *plain = ir_add_node(g, IR_OP_FROM_CHANNELS_LAST, name, 1, &out,
                                 ir_unique_name(g, ir_format(g->arena, "%s.plain", name)));
    plain->source = n->source;
    plain->gpu.runner = IR_GPU_KERNEL;
    if (!ir_finish_node(g, plain, d)) return false;
    ir_insert_behind(g, plain, n); /* where others that want it plain find it */
    for (int i = 0; i < g->n_outputs; i++)
        if (g->outputs[i] == out) ir_set_output(g, i, plain->out[0]);
    ir_rename_tensor(g, out, ir_unique_name(g, ir_format(g->arena, "%s.channels_last", name)));
    ir_rename_tensor(g, plain->out[0], name);
    return true;
}

/* ---- convolutions that read or write plain memory -------------------------------------------- */

static bool is_unit(const ir_node *n) {
    const ir_attr *kernel = ir_get(n, IR_KERNEL), *pad = ir_get(n, IR_PAD);
    for (int i = 0; i < kernel->count; i++)
        if (kernel->i[i] != 1 || ir_ints(n, IR_STRIDE)[i] != 1) return false;
    for (int i = 0; i < pad->count; i++)
        if (pad->i[i] != 0) return false;
    return true;
}

/* Whether everything that reads t, and the caller, take it plain. */
static bool is_read_plain(const ir_tensor *t) {
    for (int i = 0; i < t->n_users; i++) {
        const ir_node *n = t->users[i];
        habit h = habit_of(n);
        bool chain = h == HABIT_FOLLOW && n->n_in == 1 && is_read_plain(n->out[0]);
        if (h != HABIT_PLAIN && h != HABIT_READ && !chain) return false;
    }
    return true;
}

/* What the kernel for few channels is made for. */
static bool is_small_window(const ir_node *n) {
    const ir_attr *kernel = ir_get(n, IR_KERNEL);
    for (int i = 0; i < kernel->count; i++)
        if (kernel->i[i] > FIRST_KERNEL || ir_ints(n, IR_STRIDE)[i] > FIRST_STRIDE ||
            ir_ints(n, IR_DILATION)[i] != 1)
            return false;
    return ir_int(n, IR_GROUP) == 1;
}

static bool is_first_conv(const ir_graph *g, const ir_node *n) {
    ir_precision p = g->goals.precision;
    return n->op == IR_OP_CONV && !n->in[0]->gpu.pitch && n->in[0]->dim[1] <= CG_GPU_FIRST_CHANNELS &&
           is_small_window(n) && cg_gpu_first_conv_time(n, p) <= cg_gpu_converted_conv_time(n, p);
}

static bool is_last_conv(const ir_graph *g, const ir_node *n) {
    ir_precision p = g->goals.precision;
    return n->op == IR_OP_CONV && n->out[0]->dim[1] <= CG_GPU_LAST_CHANNELS && ir_int(n, IR_GROUP) == 1 &&
           is_unit(n) && is_read_plain(n->out[0]) &&
           cg_gpu_last_conv_time(n, p) <= cg_gpu_conv_converted_time(n, p);
}

/* ---- the walk -------------------------------------------------------------------------------- */

static bool reads_last(const ir_node *n) {
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->gpu.pitch) return true;
    return false;
}

/* Whether operand k of n must be channels last; constants keep their own order. */
static bool wants_last(const ir_node *n, int k, habit h, bool last) {
    const ir_tensor *t = n->in[k];
    if (h == HABIT_READ) return t->gpu.pitch;
    if (h != HABIT_FOLLOW && h != HABIT_VOXELS) return false;
    bool alike = h == HABIT_VOXELS || t->rank == n->out[0]->rank;
    return alike && last && t->dtype == IR_F32 && t->rank >= 3 && t->rank <= 5;
}

static bool fit_inputs(ir_graph *g, ir_node *n, habit h, bool last, ir_diag *d) {
    for (int k = 0; k < n->n_in; k++) {
        ir_tensor *t = n->in[k];
        if (!t || t->role == IR_ROLE_CONST || (t->gpu.pitch != 0) == wants_last(n, k, h, last)) continue;
        t = converted(g, t, n, d);
        if (!t) return false;
        ir_set_operand(g, n, k, t);
    }
    return true;
}

static bool lay_out(ir_graph *g, ir_node *n, ir_diag *d) {
    habit h = habit_of(n);
    bool first = is_first_conv(g, n), final = !first && is_last_conv(g, n);
    bool last = h == HABIT_VOXELS || (h == HABIT_FOLLOW && reads_last(n));
    if (first || final) n->gpu.runner = IR_GPU_KERNEL;
    if (!first && !fit_inputs(g, n, h, last, d)) return false;
    if (!last || final) return true;
    make_last(g, n->out[0]);
    return !ir_is_output(n->out[0]) || give_plain_output(g, n, d);
}

/* requires: gpu set, every value plain. maintains: values of every tensor. gives: pitch and storage of every
 * value, scratch of every node, conversions. */
bool pass_channels(ir_graph *g, ir_diag *d) {
    ir_precision p = g->goals.precision;
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (n->op == IR_OP_TO_CHANNELS_LAST || n->op == IR_OP_FROM_CHANNELS_LAST) continue;
        int before = g->n_nodes;
        bool output = ir_is_output(n->out[0]);
        if (!lay_out(g, n, d)) return false;
        /* conversions of operands now stand in front of n, that of an output behind it */
        i += g->n_nodes - before - (output && n->out[0]->gpu.pitch);
    }
    for (int i = 0; i < g->n_tensors; i++) {
        ir_tensor *t = g->tensors[i];
        if (t->gpu.pitch && cg_gpu_pays_to_pad(g, t)) t->gpu.pitch = cg_gpu_padded(t->gpu.pitch, p);
    }
    for (int i = 0; i < g->n_nodes; i++) g->nodes[i]->memory.scratch = cg_gpu_scratch(g->nodes[i], p);
    return true;
}
