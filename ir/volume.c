/* volume.c: the volume section: what it says where nothing is said, and its words. */
#include "index.h"
#include "ir.h"

#include <string.h>

const char *const ir_interpolation_words[IR_INTERPOLATIONS] = {
    [VOX_NEAREST] = "nearest", [VOX_LINEAR] = "linear", [VOX_CUBIC] = "cubic"};
const char *const ir_alignment_words[IR_ALIGNMENTS] = {
    [VOX_CORNERS] = "corners", [VOX_EDGES] = "edges", [VOX_SPACING] = "spacing", [VOX_FIRST] = "first"};
const char *const ir_border_words[IR_BORDERS] = {
    [VOX_BORDER_NONE] = "none", [VOX_BORDER_MIRROR] = "mirror", [VOX_BORDER_ZERO] = "zero"};
const char *const ir_placement_words[IR_PLACEMENTS] = {
    [VOX_EVENLY] = "evenly", [VOX_LAST_INWARDS] = "last_inwards"};
const char *const ir_window_words[IR_WINDOWS] = {
    [VOX_WINDOW_CONSTANT] = "constant", [VOX_WINDOW_GAUSSIAN] = "gaussian", [VOX_WINDOW_CENTRED] = "centred"};
const char *const ir_activation_words[IR_ACTIVATIONS] = {
    [VOX_AS_THEY_ARE] = "none", [VOX_SOFTMAX] = "softmax", [VOX_SIGMOID] = "sigmoid"};

static const struct {
    const char *name;
    int numbers;
} steps[VOX_PREPARE_COUNT] = {
#define X(symbol, name, n, text) [VOX_PREPARE_##symbol] = {(name), (n)},
    VOX_PREPARES(X)
#undef X
};

const char *ir_prepare_name(vox_prepare_kind kind) {
    return steps[kind].name;
}

int ir_prepare_numbers(vox_prepare_kind kind) {
    return steps[kind].numbers;
}

bool ir_prepare_resamples(vox_prepare_kind kind) {
    return kind == VOX_PREPARE_RESAMPLE_SHAPE || kind == VOX_PREPARE_RESAMPLE_SPACING;
}

bool ir_prepare_has_channel(vox_prepare_kind kind) {
    return !ir_prepare_resamples(kind) && kind != VOX_PREPARE_CROP_OR_PAD &&
           kind != VOX_PREPARE_CROP_NONZERO && kind != VOX_PREPARE_SMOOTH;
}

bool ir_prepare_has_floor(vox_prepare_kind kind) {
    return kind == VOX_PREPARE_MIN_MAX || kind == VOX_PREPARE_Z_SCORE ||
           kind == VOX_PREPARE_Z_SCORE_ABOVE_MEAN || kind == VOX_PREPARE_Z_SCORE_NONZERO ||
           kind == VOX_PREPARE_Z_SCORE_INSIDE;
}

const vox_resampling ir_linear = {.order = VOX_LINEAR, .across = VOX_NEAREST, .align = VOX_CORNERS};

void ir_volume_new(ir_volume *v) {
    *v = (ir_volume){.present = true};
    v->info = (vox_volume_info){
        .axes = v->axes, .steps = v->steps, .restore = ir_linear, .region_label = v->region_label};
}

bool ir_is_padded(const ir_graph *g) {
    const ir_tensor *in = g->inputs[0], *out = g->outputs[0];
    bool padded = g->n_inputs == 1 && in->rank == 5 && out->rank == 5;
    for (int k = 2; padded && k < 5; k++) padded = in->dim[k] == out->dim[k];
    return padded;
}

void ir_volume_tiles(ir_graph *g) {
    vox_volume_info *v = &g->volume.info;
    bool overlap = v->border != VOX_BORDER_NONE && ir_is_padded(g) && g->outputs[0]->dtype == IR_F32;
    v->overlap = overlap ? 0.5 : 0;
    v->window = overlap ? VOX_WINDOW_GAUSSIAN : VOX_WINDOW_CONSTANT;
}

vox_prepare_step ir_prepare_step(vox_prepare_kind kind) {
    return (vox_prepare_step){.kind = kind, .channel = -1, .sampling = ir_linear};
}

bool ir_is_orientation(const char *code) {
    static const char *const ends[3] = {"RL", "AP", "SI"};
    if (strlen(code) != 3) return false;
    for (int k = 0; k < 3; k++)
        if (!strpbrk(code, ends[k])) return false;
    return true;
}

/* How many input voxels lie between neighbours of a node's result along axis k, given those of its first operand. */
static int64_t step_of(const ir_node *n, int k, int64_t before) {
    const ir_op_info *op = ir_op_get(n->op);
    if (op->planes == IR_PLANES_WINDOW) return before * ir_ints(n, IR_STRIDE)[k];
    if (op->planes != IR_PLANES_TRANSPOSED) return before;
    int64_t stride = ir_ints(n, IR_STRIDE)[k];
    return before % stride == 0 ? before / stride : before;
}

/* A resize is a ratio of sizes. */
static int64_t resized(const ir_tensor *in, const ir_tensor *out, int k, int64_t before) {
    int64_t from = in->dim[2 + k], to = out->dim[2 + k];
    if (to > from && to % from == 0 && before % (to / from) == 0) return before / (to / from);
    return from > to && from % to == 0 ? before * (from / to) : before;
}

static int64_t common_multiple(int64_t a, int64_t b) {
    int64_t x = a, y = b;
    while (y != 0) {
        int64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

static int64_t phase_along(const ir_graph *g, const ir_index *index, int k, int64_t *step) {
    int64_t phase = 1;
    for (int i = 0; i < g->n_tensors; i++) step[i] = 1;
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        const ir_tensor *in = n->n_in > 0 ? n->in[0] : NULL, *out = n->out[0];
        if (!in || in->rank != 5 || out->rank != 5) continue;
        int64_t now = 1;
        for (int j = 0; j < n->n_in; j++)
            if (n->in[j] && step[ir_index_find(index, n->in[j])] > now)
                now = step[ir_index_find(index, n->in[j])];
        now = n->op == IR_OP_RESIZE ? resized(in, out, k, now) : step_of(n, k, now);
        for (int j = 0; j < n->n_out; j++) step[ir_index_find(index, n->out[j])] = now;
        if (now <= IR_MAX_PHASE && common_multiple(phase, now) <= IR_MAX_PHASE)
            phase = common_multiple(phase, now);
    }
    return phase;
}

void ir_volume_phase(ir_graph *g) {
    const ir_index index = ir_index_tensors(g, g->arena);
    int64_t *step = ir_alloc(g->arena, (size_t)g->n_tensors, sizeof *step);
    for (int k = 0; k < 3; k++) g->volume.info.phase[k] = (int)phase_along(g, &index, k, step);
}
