/* slots_move.c: operators that move elements and compute nothing. */
#include "bundle_text.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

enum { BOX = IR_MAX_RANK + 1, PLANES = 2 /* the axis D of a box */ };

static bool set_copy(cg_work *w, int rank, const int64_t *dim, const int64_t *x_stride,
                     const int64_t *y_stride, int64_t from, const char *planes) {
    const ir_node *n = w->n;
    if (rank > IR_MAX_RANK) return cg_unsupported(w, "too many axes");
    if (from > INT32_MAX) return cg_unsupported(w, "its operand is too large");
    cg_set_int(&w->slots, "rank", rank);
    cg_set_int(&w->slots, "element", (int64_t)ir_dtype_bytes(n->out[0]->dtype));
    cg_set(&w->slots, "dim", "%s", cg_list(w->m->arena, rank, dim));
    cg_set(&w->slots, "x_stride", "%s", cg_list(w->m->arena, rank, x_stride));
    cg_set(&w->slots, "y_stride", "%s", cg_list(w->m->arena, rank, y_stride));
    cg_set(&w->slots, "planes", "%s", planes ? planes : "");
    cg_operand_from(w, "x", n->in[0], from);
    cg_result(w, "y", n->out[0]);
    return true;
}

static void same_layout(const cg_work *w) {
    if (w->n->in[0]->cpu.block != w->n->out[0]->cpu.block)
        ir_die("codegen: %s: operand and result differ in layout", w->n->name);
}

static void check_plain(const cg_work *w) {
    same_layout(w);
    if (w->n->in[0]->cpu.block)
        ir_die("codegen: %s: %s can't be blocked", w->n->name, ir_op_get(w->n->op)->name);
}

bool slots_slice(cg_work *w) {
    const ir_node *n = w->n;
    const int64_t *begin = ir_ints(n, IR_BEGIN), *step = ir_ints(n, IR_STEP);
    int64_t x_dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX], from = 0;
    same_layout(w);
    int rank = cg_box(n->out[0], y_dim, y_stride);
    cg_box(n->in[0], x_dim, x_stride);
    if (n->in[0]->cpu.block && (begin[1] != 0 || step[1] != 1))
        return cg_unsupported(w, "channels of a blocked tensor must stay where they are");
    for (int i = 0; i < n->in[0]->rank; i++) {
        if (!n->memory.stream || i != PLANES) from += begin[i] * x_stride[i];
        x_stride[i] *= step[i];
    }
    const char *planes = ir_format(
        w->m->arena, ".planes = %d,\n    .x_begin = %" PRId64 ",\n    .x_ring = %d,\n    .y_ring = %d,",
        PLANES, begin[PLANES], n->in[0]->memory.ring, n->out[0]->memory.ring);
    return set_copy(w, rank, y_dim, x_stride, y_stride, from, n->memory.stream ? planes : NULL);
}

bool slots_transpose(cg_work *w) {
    const ir_node *n = w->n;
    const int64_t *perm = ir_ints(n, IR_PERM);
    int64_t x_dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX], permuted[BOX];
    check_plain(w);
    cg_box(n->in[0], x_dim, x_stride);
    int rank = cg_box(n->out[0], y_dim, y_stride);
    for (int i = 0; i < rank; i++) permuted[i] = x_stride[perm[i]];
    return set_copy(w, rank, y_dim, permuted, y_stride, 0, NULL);
}

bool slots_expand(cg_work *w) {
    const ir_node *n = w->n;
    int64_t x_dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX], spread[BOX];
    check_plain(w);
    int x_rank = cg_box(n->in[0], x_dim, x_stride), rank = cg_box(n->out[0], y_dim, y_stride);
    for (int i = 0; i < rank; i++) {
        int k = i - (rank - x_rank);
        spread[i] = k < 0 || x_dim[k] == 1 ? 0 : x_stride[k];
    }
    return set_copy(w, rank, y_dim, spread, y_stride, 0, NULL);
}

/* A reshape that could not become a view: a copy of the elements in order. */
bool slots_reshape(cg_work *w) {
    int64_t dim[BOX], stride[BOX];
    check_plain(w);
    int rank = cg_box(w->n->out[0], dim, stride);
    return set_copy(w, rank, dim, stride, stride, 0, NULL);
}

/* ---- concat ---------------------------------------------------------------------------------- */

static const char *copy_box(cg_work *w, int rank, const int64_t *dim, const int64_t *x_stride,
                            const int64_t *y_stride) {
    ir_arena *arena = w->m->arena;
    return ir_format(arena,
                     "{\n        .rank = %d,\n        .element = %d,\n        .dim = %s,\n"
                     "        .x_stride = %s,\n        .y_stride = %s,\n    },",
                     rank, (int)ir_dtype_bytes(w->n->out[0]->dtype), cg_list(arena, rank, dim),
                     cg_list(arena, rank, x_stride), cg_list(arena, rank, y_stride));
}

/* Copies the members that do not already live inside the result. */
bool slots_concat(cg_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *y = n->out[0];
    ir_arena *arena = w->m->arena;
    cg_text boxes = {.arena = arena};
    int64_t axis = ir_int(n, IR_AXIS), at = 0, members = 0, x_dim[BOX], x_stride[BOX], y_dim[BOX],
            y_stride[BOX];
    cg_box(y, y_dim, y_stride);
    for (int i = 0; i < n->n_in; i++) {
        const ir_tensor *x = n->in[i];
        if (x->cpu.block != y->cpu.block)
            ir_die("codegen: %s: member %s differs in layout", n->name, x->name);
        int rank = cg_box(x, x_dim, x_stride);
        if (rank > IR_MAX_RANK) return cg_unsupported(w, "too many axes");
        if (!ir_is_in_place(n, i)) {
            const char *var = ir_format(arena, "x%d", i);
            const char *from = cg_operand_at(w, var, x, 0);
            cg_add(&boxes, "%s%s", members ? "\n    " : "", copy_box(w, rank, x_dim, x_stride, y_stride));
            cg_add(&w->places, "%s{.x = %s, .y = %s},", members ? "\n        " : "", from,
                   cg_where(w, y, at * y_stride[axis]));
            members++;
        }
        at += x_dim[axis];
    }
    cg_set_int(&w->slots, "members", members);
    cg_set(&w->slots, "boxes", "%s", cg_string(&boxes));
    cg_describe(w, "y", y);
    return true;
}

/* ---- gather, pad, layouts -------------------------------------------------------------------- */

bool slots_gather(cg_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *index = n->in[1];
    int64_t axis = ir_int(n, IR_AXIS), outer = 1, inner = 1;
    check_plain(w);
    if (index->role != IR_ROLE_CONST || index->dtype != IR_I64)
        return cg_unsupported(w, "the index must be an i64 constant");
    for (int i = 0; i < x->rank; i++) {
        if (i < axis) outer *= x->dim[i];
        if (i > axis) inner *= x->dim[i];
    }
    cg_set_int(&w->slots, "outer", outer);
    cg_set_int(&w->slots, "axis", x->dim[axis]);
    cg_set_int(&w->slots, "inner", inner);
    cg_set_int(&w->slots, "indices", ir_count(index));
    cg_set_int(&w->slots, "element", (int64_t)ir_dtype_bytes(x->dtype));
    cg_operand(w, "x", x);
    cg_operand(w, "index", index);
    cg_result(w, "y", n->out[0]);
    return true;
}

bool slots_pad(cg_work *w) {
    const ir_node *n = w->n;
    const int64_t *pad = ir_ints(n, IR_PAD);
    int64_t x_dim[BOX], y_dim[BOX], stride[BOX], begin[BOX] = {0};
    same_layout(w);
    int rank = cg_box(n->in[0], x_dim, stride);
    cg_box(n->out[0], y_dim, stride);
    if (rank > IR_MAX_RANK) return cg_unsupported(w, "too many axes");
    memcpy(begin, pad, (size_t)n->in[0]->rank * sizeof *pad);
    if (n->in[0]->cpu.block && (pad[1] != 0 || pad[1 + n->in[0]->rank] != 0))
        return cg_unsupported(w, "channels of a blocked tensor must stay where they are");
    cg_set_int(&w->slots, "rank", rank);
    cg_set(&w->slots, "x_dim", "%s", cg_list(w->m->arena, rank, x_dim));
    cg_set(&w->slots, "y_dim", "%s", cg_list(w->m->arena, rank, y_dim));
    cg_set(&w->slots, "begin", "%s", cg_list(w->m->arena, rank, begin));
    cg_set(&w->slots, "mode", "%s", cg_upper(w->m->arena, ir_word(n, IR_MODE)));
    cg_set(&w->slots, "type", "%s", cg_c_dtype(n->out[0]->dtype));
    cg_set(&w->slots, "value", "%s", cg_pad_value(w->m->arena, n));
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}

bool slots_relayout(cg_work *w) {
    const ir_node *n = w->n;
    int64_t dims[5];
    if (!cg_all_f32(w)) return false;
    if (!cg_dims(n->in[0], dims)) return cg_unsupported(w, "only N C and 1 to 3 spatial axes");
    cg_set_xy(w);
    cg_set(&w->slots, "kernel", "%s", ir_op_get(n->op)->name);
    cg_operand(w, "x", n->in[0]);
    cg_result(w, "y", n->out[0]);
    return true;
}
