/* plan_interp_planes.c: nodes that make some planes of their result from some planes of their operands, by
 * windows of this file's own.
 */
#include "plan_interp_machine.h"

#include <string.h>

enum { DEPTH = 2 };

static bool has_window(const ir_node *n, int k) {
    return k == 0 && ir_get(n, IR_KERNEL);
}

/* Planes of the operand that tap k joins to plane z of the result; -1: none. */
static int64_t joined_plane(const ir_node *n, int64_t z, int64_t tap) {
    int64_t stride = ir_ints(n, IR_STRIDE)[0], far = tap * ir_ints(n, IR_DILATION)[0] - ir_ints(n, IR_PAD)[0];
    if (n->op != IR_OP_CONV_TRANSPOSE) return z * stride + far;
    return z >= far && (z - far) % stride == 0 ? (z - far) / stride : -1;
}

static void need_plane(bool *needed, int64_t depth, int64_t z) {
    if (z >= 0 && z < depth) needed[z] = true;
}

int64_t plan_grain(const ir_node *n) {
    return n->cpu.tile[0] ? n->cpu.tile[0] * ir_ints(n, IR_DILATION)[0] : 1;
}

/* Tiles are whole, whatever becomes of their last planes. */
static int64_t end_of_tiles(const ir_node *n, ir_planes made) {
    int64_t grain = plan_grain(n);
    return made.begin + (made.end - made.begin + grain - 1) / grain * grain;
}

ir_planes plan_planes_needed(const ir_node *n, int k, ir_planes made, bool *needed) {
    int64_t depth = n->in[k]->dim[DEPTH], shift = n->op == IR_OP_SLICE ? ir_ints(n, IR_BEGIN)[DEPTH] : 0;
    ir_planes hull = {0, 0};
    memset(needed, 0, (size_t)depth * sizeof *needed);
    for (int64_t z = made.begin; z < (has_window(n, k) ? end_of_tiles(n, made) : made.end); z++) {
        if (!has_window(n, k)) need_plane(needed, depth, z + shift);
        for (int64_t tap = 0; has_window(n, k) && tap < ir_ints(n, IR_KERNEL)[0]; tap++)
            need_plane(needed, depth, joined_plane(n, z, tap));
    }
    for (int64_t z = 0; z < depth; z++) {
        if (!needed[z]) continue;
        if (hull.begin == hull.end) hull.begin = z;
        hull.end = z + 1;
    }
    return hull;
}

static ir_tensor *cut_tensor(ir_arena *a, const ir_tensor *t, ir_planes planes) {
    ir_tensor *cut = ir_alloc(a, 1, sizeof *cut);
    *cut = *t;
    cut->dim[DEPTH] = planes.end - planes.begin;
    return cut;
}

/* Element `at` of an attribute becomes v. */
static void change(ir_arena *a, ir_node *n, ir_key key, int at, int64_t v) {
    for (int i = 0; i < n->n_attr; i++) {
        if (n->attr[i].key != key) continue;
        int64_t *copy = ir_alloc(a, (size_t)n->attr[i].count, sizeof *copy);
        memcpy(copy, n->attr[i].i, (size_t)n->attr[i].count * sizeof *copy);
        copy[at] = v;
        n->attr[i].i = copy;
    }
}

/* So that plane 0 of the part's result meets the planes of its operand as plane made.begin does. */
static void move_window(ir_arena *a, ir_node *n, const ir_node *of, ir_planes made, ir_planes read) {
    int64_t stride = ir_ints(of, IR_STRIDE)[0], pad = ir_ints(of, IR_PAD)[0];
    int axes = of->in[0]->rank - 2;
    bool transposed = of->op == IR_OP_CONV_TRANSPOSE;
    change(a, n, IR_PAD, 0,
           transposed ? pad + made.begin - read.begin * stride : read.begin - (made.begin * stride - pad));
    /* The padded end stays where it was: means that count the padding end there. */
    change(a, n, IR_PAD, axes, of->in[0]->dim[DEPTH] + ir_ints(of, IR_PAD)[axes] - read.end);
}

const ir_node *plan_part(ir_arena *a, const ir_node *n, ir_planes made, const ir_planes *read) {
    ir_node *part = ir_alloc(a, 1, sizeof *part);
    *part = *n;
    part->attr = ir_alloc(a, (size_t)n->n_attr + 1, sizeof *part->attr);
    for (int i = 0; i < n->n_attr; i++) part->attr[i] = n->attr[i];
    part->in = ir_alloc(a, (size_t)n->n_in + 1, sizeof *part->in);
    part->out = ir_alloc(a, 1, sizeof *part->out);
    part->out[0] = cut_tensor(a, n->out[0], made);
    for (int k = 0; k < n->n_in; k++) {
        bool cut = n->in[k] && ir_has_planes(n, k);
        part->in[k] = cut ? cut_tensor(a, n->in[k], read[k]) : n->in[k];
    }
    if (ir_get(n, IR_KERNEL)) move_window(a, part, n, made, read[0]);
    if (n->op == IR_OP_SLICE)
        change(a, part, IR_BEGIN, DEPTH, made.begin + ir_ints(n, IR_BEGIN)[DEPTH] - read[0].begin);
    return part;
}
