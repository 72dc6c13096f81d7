/* stream.c: which planes a node reads for the planes it makes, and in which order the nodes of a group take
 * turns. */
#include "stream.h"
#include "integers.h"

enum {
    PLANE_AXIS = 2,
    PLANE_RANK = 5,
    MOST_PLANES = 4096, /* turns are listed one by one: more planes than any tile has would take too long */
    MOST_OPERANDS = 256 /* and each turn looks at all operands */
};

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* ---- one node -------------------------------------------------------------------------------- */

static bool has_depth(const ir_tensor *t) {
    return t && t->rank == PLANE_RANK;
}

bool ir_has_planes(const ir_node *n, int k) {
    return has_depth(n->in[k]) && n->in[k]->role != IR_ROLE_CONST;
}

/* Operands are single numbers or have the result's shape. */
static bool pairs_elements(const ir_node *n) {
    for (int k = 0; k < n->n_in; k++) {
        const ir_tensor *t = n->in[k];
        bool number = t->role == IR_ROLE_CONST && ir_count(t) == 1;
        if (!number && (t->role == IR_ROLE_CONST || !ir_same_shape(t, n->out[0]))) return false;
    }
    return true;
}

static bool only_first_has_planes(const ir_node *n) {
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->role != IR_ROLE_CONST && n->in[k] != ir_skip(n)) return false;
    return true;
}

/* A concat of members that already lie in its result runs no code. */
static bool joins_in_place(const ir_node *n) {
    if (ir_int(n, IR_AXIS) == PLANE_AXIS) return false;
    for (int k = 0; k < n->n_in; k++)
        if (!ir_is_in_place(n, k)) return false;
    return true;
}

/* Along other axes than the channels, planes would depend on each other. */
static bool goes_along_channels(const ir_node *n) {
    return n->in[0]->dtype == IR_F32 && ir_int(n, IR_AXIS) == 1;
}

/* What an operator of the map must have besides: its kernel takes no other planes. */
static bool is_streamable(const ir_node *n) {
    const ir_op_info *info = ir_op_get(n->op);
    if (info->flags & IR_FLAG_SHAPE) return false;
    if (info->flags & IR_FLAG_BINARY) return n->out[0]->dtype == IR_F32 && pairs_elements(n);
    if (info->planes == IR_PLANES_SHIFTED) return ir_ints(n, IR_STEP)[PLANE_AXIS] == 1;
    if (n->op == IR_OP_CONCAT) return joins_in_place(n);
    if (info->required >> IR_AXIS & 1) return goes_along_channels(n);
    if (n->op == IR_OP_NORMALISE) return true; /* its terms have no planes */
    return only_first_has_planes(n);
}

bool ir_can_stream(const ir_node *n) {
    if (ir_op_get(n->op)->planes == IR_PLANES_NONE) return false;
    if (n->n_in < 1 || n->n_in > MOST_OPERANDS || !has_depth(n->in[0]) || !has_depth(n->out[0])) return false;
    if (n->in[0]->dim[PLANE_AXIS] > MOST_PLANES || n->out[0]->dim[PLANE_AXIS] > MOST_PLANES) return false;
    if (n->cpu.whole) return false;
    return is_streamable(n);
}

/* Windows: output o reads o*stride + k*dilation - pad for 0 <= k < kernel. */
static ir_planes window_planes(const ir_node *n, ir_planes made) {
    int64_t stride = ir_ints(n, IR_STRIDE)[0], pad = ir_ints(n, IR_PAD)[0];
    int64_t reach = (ir_ints(n, IR_KERNEL)[0] - 1) * ir_ints(n, IR_DILATION)[0];
    return (ir_planes){made.begin * stride - pad, (made.end - 1) * stride - pad + reach + 1};
}

/* Input i reaches the outputs i*stride + k*dilation - pad. */
static ir_planes transposed_window(const ir_node *n, ir_planes made) {
    int64_t stride = ir_ints(n, IR_STRIDE)[0], pad = ir_ints(n, IR_PAD)[0];
    int64_t reach = (ir_ints(n, IR_KERNEL)[0] - 1) * ir_ints(n, IR_DILATION)[0];
    return (ir_planes){-floor_div(-(made.begin + pad - reach), stride),
                       floor_div(made.end - 1 + pad, stride) + 1};
}

static bool is_skip(const ir_node *n, int k) {
    return n->op == IR_OP_CONV && k == IR_SKIP;
}

ir_planes ir_planes_read(const ir_node *n, int k, ir_planes made) {
    ir_planes p = made;
    if (made.begin >= made.end || is_skip(n, k)) return made;
    switch (ir_op_get(n->op)->planes) {
    case IR_PLANES_NONE:
    case IR_PLANES_SAME:
        break;
    case IR_PLANES_WINDOW:
        p = window_planes(n, made);
        break;
    case IR_PLANES_TRANSPOSED:
        p = transposed_window(n, made);
        break;
    case IR_PLANES_SHIFTED:
        p.begin += ir_ints(n, IR_BEGIN)[PLANE_AXIS];
        p.end += ir_ints(n, IR_BEGIN)[PLANE_AXIS];
        break;
    }
    int64_t depth = n->in[k]->dim[PLANE_AXIS];
    p.begin = ir_min(ir_max(p.begin, 0), depth);
    p.end = ir_max(ir_min(p.end, depth), p.begin);
    return p;
}

/* ---- a group --------------------------------------------------------------------------------- */

int ir_group_end(const ir_graph *g, int first) {
    int last = first;
    while (g->nodes[first]->memory.stream && last + 1 < g->n_nodes &&
           g->nodes[last + 1]->memory.stream == g->nodes[first]->memory.stream)
        last++;
    return last;
}

typedef struct turns {
    const ir_graph *g;
    int first, last;
    int64_t *done;  /* per node of the group: planes made */
    int64_t *pace;  /* per node that the last one depends on: planes per step */
    bool *demanded; /* the last node depends on it */
    ir_arena *arena;
    ir_step *steps;
    int count, capacity;
} turns;

static int64_t output_planes(const turns *t, int node) {
    return t->g->nodes[node]->out[0]->dim[PLANE_AXIS];
}

int stream_maker(const ir_graph *g, int first, int last, const ir_node *n, int k) {
    if (!ir_has_planes(n, k) || n->in[k]->role != IR_ROLE_VALUE) return -1;
    const int at = ir_position(g, n->in[k]->producer);
    return at >= first && at <= last ? at : -1;
}

static int maker(const turns *t, const ir_node *n, int k) {
    return stream_maker(t->g, t->first, t->last, n, k);
}

static void take_turn(turns *t, int node, int64_t begin, int64_t end) {
    if (t->count == t->capacity) {
        ir_step *more = ir_alloc(t->arena, (size_t)t->capacity * 2 + 64, sizeof *more);
        for (int i = 0; i < t->count; i++) more[i] = t->steps[i];
        t->steps = more;
        t->capacity = t->capacity * 2 + 64;
    }
    t->steps[t->count++] = (ir_step){node, {begin, end}};
}

/* A kernel makes planes in multiples of this many, the last ones excepted. */
static int64_t grain(const ir_node *n) {
    return n->cpu.tile[0] ? n->cpu.tile[0] * ir_ints(n, IR_DILATION)[0] : 1;
}

/* How many planes of the node's result can be made from what its makers have made. */
static int64_t possible(const turns *t, int node) {
    const ir_node *n = t->g->nodes[node];
    int64_t end = t->done[node - t->first];
    for (bool ready = true; end < output_planes(t, node); end++) {
        for (int k = 0; k < n->n_in && ready; k++) {
            int from = maker(t, n, k);
            if (from >= 0)
                ready = ir_planes_read(n, k, (ir_planes){end, end + 1}).end <= t->done[from - t->first];
        }
        if (!ready) break;
    }
    return end < output_planes(t, node) ? end / grain(n) * grain(n) : end;
}

/* Those of its readers whose work a kernel does, too, write what they can at once. */
static void make(turns *t, int node, int64_t end) {
    int64_t begin = t->done[node - t->first];
    if (end <= begin) return;
    take_turn(t, node, begin, end);
    t->done[node - t->first] = end;
    for (int i = node + 1; i <= t->last; i++) {
        const ir_node *n = t->g->nodes[i];
        bool reads = false;
        for (int k = 0; k < n->n_in; k++) reads |= maker(t, n, k) == node;
        if (reads && (!t->demanded[i - t->first] || ir_is_joined(n))) make(t, i, possible(t, i));
    }
}

/* Makes planes up to `end`, at most `pace` at a time, so that no maker runs far ahead. */
static void demand(turns *t, int node, int64_t end) {
    const ir_node *n = t->g->nodes[node];
    int64_t *done = &t->done[node - t->first], pace = ir_round_up(t->pace[node - t->first], grain(n));
    end = ir_min(ir_round_up(end, grain(n)), output_planes(t, node));
    while (*done < end) {
        ir_planes made = {*done, ir_min(*done + pace, end)};
        for (int k = 0; k < n->n_in; k++) {
            int from = maker(t, n, k);
            if (from >= 0) demand(t, from, ir_planes_read(n, k, made).end);
        }
        make(t, node, made.end);
    }
}

/* Planes of operand k that a node goes through while it makes `planes` of its result. */
static int64_t pace_of_operand(const ir_node *n, int k, int64_t planes) {
    if (is_skip(n, k)) return planes;
    const ir_plane_map map = ir_op_get(n->op)->planes;
    if (map == IR_PLANES_TRANSPOSED) return -floor_div(-planes, ir_ints(n, IR_STRIDE)[0]);
    return map == IR_PLANES_WINDOW ? planes * ir_ints(n, IR_STRIDE)[0] : planes;
}

/* From the last node back: who is asked for how much. */
static void set_paces(turns *t, int64_t slab) {
    t->demanded[t->last - t->first] = true;
    t->pace[t->last - t->first] = slab;
    for (int i = t->last; i >= t->first; i--) {
        const ir_node *n = t->g->nodes[i];
        int64_t pace = t->pace[i - t->first];
        if (!pace) t->pace[i - t->first] = pace = slab;
        pace = ir_round_up(pace, grain(n));
        for (int k = 0; k < n->n_in; k++) {
            int from = maker(t, n, k);
            if (from < 0 || !t->demanded[i - t->first]) continue;
            t->demanded[from - t->first] = true;
            t->pace[from - t->first] = ir_max(t->pace[from - t->first], pace_of_operand(n, k, pace));
        }
    }
}

ir_step *ir_group_steps(const ir_graph *g, int first, int last, int64_t slab, ir_arena *arena, int *count) {
    if (g->recompute) return stream_steps_again(g, first, last, slab, arena, count);
    size_t nodes = (size_t)(last - first) + 1;
    turns t = {.g = g, .first = first, .last = last, .arena = arena};
    t.done = ir_alloc(arena, nodes, sizeof *t.done);
    t.pace = ir_alloc(arena, nodes, sizeof *t.pace);
    t.demanded = ir_alloc(arena, nodes, sizeof *t.demanded);
    set_paces(&t, slab);
    /* The nodes in front of the last one only have left what nobody in the group asks for. */
    for (int i = last; i >= first; i--) demand(&t, i, output_planes(&t, i));
    *count = t.count;
    return t.steps;
}
