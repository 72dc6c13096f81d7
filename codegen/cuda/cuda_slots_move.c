/* cuda_slots_move.c: operators that move elements and compute nothing. */
#include "cuda.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

enum { BOX = IR_MAX_RANK + 1, BOX_RANK = 6 /* of the kernel */ };

/* Channels [from, from + c) of a channels-last tensor, as a tensor that lives in it. */
static ir_tensor channels_of(const ir_tensor *t, int64_t from, int64_t c) {
    ir_tensor part = *t;
    part.memory.view_of = (ir_tensor *)(uintptr_t)t;
    part.memory.view_offset = from * ir_element_bytes(t);
    part.dim[1] = c;
    return part;
}

/* ---- boxes of plain tensors ------------------------------------------------------------------ */

static bool set_box(cu_work *w, int rank, const int64_t *dim, const int64_t *x_stride,
                    const int64_t *y_stride, int64_t from) {
    const ir_node *n = w->n;
    ir_arena *a = w->u->m->arena;
    const int64_t element = ir_element_bytes(n->out[0]);
    if (rank > BOX_RANK) return cu_unsupported(w, "too many axes");
    cg_set(&w->slots, "box", "{%d, %d, %s, %s, %s}", rank, (int)element, cg_list(a, rank, dim),
           cg_list(a, rank, x_stride), cg_list(a, rank, y_stride));
    cu_pointer(w, "x", n->in[0]);
    cu_pointer(w, "y", n->out[0]);
    cg_set_int(&w->slots, "from", from);
    return true;
}

static bool plain_slice(cu_work *w) {
    const ir_node *n = w->n;
    const int64_t *begin = ir_ints(n, IR_BEGIN), *step = ir_ints(n, IR_STEP);
    int64_t x_dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX], from = 0;
    const int rank = cg_box(n->out[0], y_dim, y_stride);
    cg_box(n->in[0], x_dim, x_stride);
    for (int i = 0; i < rank; i++) {
        from += begin[i] * x_stride[i];
        x_stride[i] *= step[i];
    }
    return set_box(w, rank, y_dim, x_stride, y_stride, from);
}

bool cu_slice_is_box(const ir_node *n) {
    const int64_t *begin = ir_ints(n, IR_BEGIN), *step = ir_ints(n, IR_STEP);
    const ir_tensor *x = n->in[0], *y = n->out[0];
    if (!x->gpu.pitch && !y->gpu.pitch) return true;
    return step[1] != 1 || begin[0] != 0 || step[0] != 1 || x->dim[0] != y->dim[0];
}

static bool channels_last_slice(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *y = n->out[0];
    const int64_t *begin = ir_ints(n, IR_BEGIN), *step = ir_ints(n, IR_STEP);
    int64_t dim[5], x_stride[5], y_stride[5], from = 0;
    if (!x->gpu.pitch || !y->gpu.pitch) return cu_unsupported(w, "operand and result differ in layout");
    if (x->rank != 5 || x->memory.ring || y->memory.ring || cu_own(y) != y->dim[1])
        return cu_unsupported(w, "N must stay, and channels may not be skipped");
    if (!cu_own_strides(x, dim, x_stride) || !cu_own_strides(y, dim, y_stride))
        ir_die("codegen: %s: no box", n->name);
    for (int i = 0; i < 5; i++) {
        from += begin[i] * x_stride[i];
        x_stride[i] *= step[i];
    }
    return set_box(w, 5, dim, x_stride, y_stride, from);
}

static bool transpose(cu_work *w) {
    const ir_node *n = w->n;
    const int64_t *perm = ir_ints(n, IR_PERM);
    int64_t x_dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX], permuted[BOX];
    cg_box(n->in[0], x_dim, x_stride);
    const int rank = cg_box(n->out[0], y_dim, y_stride);
    for (int i = 0; i < rank; i++) permuted[i] = x_stride[perm[i]];
    return set_box(w, rank, y_dim, permuted, y_stride, 0);
}

static bool expand(cu_work *w) {
    const ir_node *n = w->n;
    int64_t x_dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX], spread[BOX];
    const int x_rank = cg_box(n->in[0], x_dim, x_stride), rank = cg_box(n->out[0], y_dim, y_stride);
    for (int i = 0; i < rank; i++) {
        const int k = i - (rank - x_rank);
        spread[i] = k < 0 || x_dim[k] == 1 ? 0 : x_stride[k];
    }
    return set_box(w, rank, y_dim, spread, y_stride, 0);
}

/* Slices, transpositions, expansions, and reshapes that could not become views. */
bool cu_slots_box(cu_work *w) {
    const ir_node *n = w->n;
    if (n->op == IR_OP_SLICE && (n->in[0]->gpu.pitch || n->out[0]->gpu.pitch)) return channels_last_slice(w);
    if (n->in[0]->gpu.pitch || n->out[0]->gpu.pitch) return cu_unsupported(w, "only plain tensors");
    if (n->op == IR_OP_SLICE) return plain_slice(w);
    if (n->op == IR_OP_TRANSPOSE) return transpose(w);
    if (n->op == IR_OP_EXPAND) return expand(w);
    const int64_t count = ir_count(n->out[0]), one = 1;
    return set_box(w, 1, &count, &one, &one, 0);
}

/* ---- channels last --------------------------------------------------------------------------- */

static int64_t spatial_ints(const ir_node *n, ir_key key, int axis, int64_t absent) {
    const int k = n->in[0]->rank - 3 + axis;
    return k < 2 ? absent : ir_ints(n, key)[k];
}

bool cu_slots_slice(cu_work *w) {
    const ir_node *n = w->n;
    const int64_t *begin = ir_ints(n, IR_BEGIN);
    if (!n->in[0]->gpu.pitch || !n->out[0]->gpu.pitch)
        return cu_unsupported(w, "operand and result differ in layout");
    int64_t from[3], by[3];
    for (int i = 0; i < 3; i++) {
        from[i] = spatial_ints(n, IR_BEGIN, i, 0);
        by[i] = spatial_ints(n, IR_STEP, i, 1);
    }
    const ir_tensor x = channels_of(n->in[0], begin[1], n->out[0]->dim[1]);
    cg_set(&w->slots, "slice", "{%s, %s}", cu_triple(w->u->m->arena, from), cu_triple(w->u->m->arena, by));
    const bool whole = n->in[0]->dim[1] == n->out[0]->dim[1];
    cu_view(w, "x", whole ? n->in[0] : &x, 1);
    cu_view(w, "y", n->out[0], 0);
    return true;
}

/* ---- padding --------------------------------------------------------------------------------- */

static void set_padding(cu_work *w, int rank, const int64_t *begin) {
    const ir_node *n = w->n;
    ir_arena *a = w->u->m->arena;
    cg_set(&w->slots, "begin", "%s", cg_list(a, rank, begin));
    cg_set(&w->slots, "mode", "VOX_PAD_%s", cg_upper(a, ir_word(n, IR_MODE)));
    cg_set(&w->slots, "value", "%s", cg_pad_value(a, n));
}

bool cu_slots_pad(cu_work *w) {
    const ir_node *n = w->n;
    const int64_t *pad = ir_ints(n, IR_PAD);
    if (!n->out[0]->gpu.pitch || pad[0] || pad[n->in[0]->rank])
        ir_die("codegen: %s: what pads N, or is plain, has a kernel of its own", n->name);
    int64_t begin[4] = {pad[1]};
    for (int i = 0; i < 3; i++) begin[1 + i] = spatial_ints(n, IR_PAD, i, 0);
    set_padding(w, 4, begin);
    cu_view(w, "x", n->in[0], 1);
    cu_view(w, "y", n->out[0], 0);
    return true;
}

bool cu_slots_pad_plain(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *y = n->out[0];
    ir_arena *a = w->u->m->arena;
    if (y->gpu.pitch) ir_die("codegen: %s: operand and result differ in layout", n->name);
    cg_set_int(&w->slots, "rank", x->rank);
    cg_set(&w->slots, "x_dim", "%s", cg_list(a, x->rank, x->dim));
    cg_set(&w->slots, "y_dim", "%s", cg_list(a, y->rank, y->dim));
    set_padding(w, x->rank, ir_ints(n, IR_PAD));
    cu_pointer(w, "x", x);
    cu_pointer(w, "y", y);
    return true;
}

/* ---- concat and gather ----------------------------------------------------------------------- */

static const char *slot_value(const cu_work *w, const char *name) {
    for (int i = 0; i < w->slots.count; i++)
        if (strcmp(w->slots.slot[i].name, name) == 0) return w->slots.slot[i].value;
    ir_die("codegen: no slot %s", name);
}

/* The last member also writes what lies behind the concat's channels. */
static void copy_channels(cu_work *w, cg_text *copies, int k, int64_t at) {
    const ir_node *n = w->n;
    const ir_tensor *y = n->out[0], *x = n->in[k];
    ir_arena *a = w->u->m->arena;
    ir_tensor part = channels_of(y, at, x->dim[1]);
    int64_t d[5];
    if (!cu_axes(&part, d)) ir_die("codegen: %s: no activation", y->name);
    const int64_t own = at + x->dim[1] == y->dim[1] ? y->gpu.pitch - at : x->dim[1];
    const char *var = ir_format(a, "x%d", k), *to = ir_format(a, "y%d", k);
    cu_work scratch = *w; /* for the initialisers alone */
    scratch.slots.count = 0;
    cu_view(&scratch, var, x, k + 1);
    cu_pointer(&scratch, to, &part);
    w->operands = scratch.operands;
    w->offsets = scratch.offsets;
    cg_add(copies, "%sconst vox_view<%s> %s = %s;", copies->size ? "\n    " : "", cu_type(x), var,
           slot_value(&scratch, var));
    cg_add(copies,
           "\n    const vox_view<%s> %s = {%s, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
           ", %" PRId64 ", %" PRId64 ", %s};",
           cu_type(y), to, slot_value(&scratch, to), d[0], d[4], d[1], d[2], d[3], y->gpu.pitch, own,
           y->memory.ring ? ir_format(a, "s->z0[0], %d", y->memory.ring) : "0, 0");
    cg_add(copies, "\n    if (e == cudaSuccess) e = vox_gpu_copy(all, %s, %s, s->begin, s->end, stream);",
           var, to);
}

static void copy_box(cu_work *w, cg_text *copies, int k, int64_t at) {
    const ir_node *n = w->n;
    ir_arena *a = w->u->m->arena;
    int64_t dim[BOX], x_stride[BOX], y_dim[BOX], y_stride[BOX];
    const int rank = cg_box(n->in[k], dim, x_stride);
    cg_box(n->out[0], y_dim, y_stride);
    if (rank > BOX_RANK) cu_unsupported(w, "too many axes");
    const char *var = ir_format(a, "x%d", k);
    cu_work scratch = *w;
    scratch.slots.count = 0;
    cu_pointer(&scratch, var, n->in[k]);
    if (!copies->size) cu_pointer(&scratch, "y", n->out[0]);
    w->operands = scratch.operands;
    w->offsets = scratch.offsets;
    if (!copies->size) cg_add(copies, "%s *y = %s;\n    ", cu_type(n->out[0]), slot_value(&scratch, "y"));
    cg_add(copies, "const vox_gpu_box b%d = {%d, %d, %s, %s, %s};", k, rank,
           (int)ir_dtype_bytes(n->out[0]->dtype), cg_list(a, rank, dim), cg_list(a, rank, x_stride),
           cg_list(a, rank, y_stride));
    cg_add(copies,
           "\n    if (e == cudaSuccess) e = vox_gpu_copy_box(b%d, %s, y + %" PRId64 ", stream);\n    ", k,
           slot_value(&scratch, var), at * y_stride[ir_int(n, IR_AXIS)]);
}

/* Copies the members that do not already live inside the result. */
bool cu_slots_concat(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *y = n->out[0];
    const int64_t axis = ir_int(n, IR_AXIS);
    cg_text copies = {.arena = w->u->m->arena};
    int64_t at = 0;
    if (y->gpu.pitch && axis != 1) return cu_unsupported(w, "channels last, but not along C");
    for (int k = 0; k < n->n_in; k++) {
        if ((n->in[k]->gpu.pitch != 0) != (y->gpu.pitch != 0))
            return cu_unsupported(w, "its operands differ in layout");
        if (!ir_is_in_place(n, k) && y->gpu.pitch) copy_channels(w, &copies, k, at);
        if (!ir_is_in_place(n, k) && !y->gpu.pitch) copy_box(w, &copies, k, at);
        at += n->in[k]->dim[axis];
    }
    cg_set(&w->slots, "all", y->gpu.pitch ? "const vox_gpu_slice all = {{0, 0, 0}, {1, 1, 1}};" : "(void)s;");
    cg_set(&w->slots, "copies", "%s", cg_string(&copies));
    return true;
}

bool cu_slots_gather(cu_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *index = n->in[1];
    const int axis = (int)ir_int(n, IR_AXIS);
    int64_t outer = 1, inner = 1;
    if (x->gpu.pitch || n->out[0]->gpu.pitch) return cu_unsupported(w, "only plain tensors");
    if (index->dtype != IR_I64) return cu_unsupported(w, "indices must be i64");
    for (int i = 0; i < axis; i++) outer *= x->dim[i];
    for (int i = axis + 1; i < x->rank; i++) inner *= x->dim[i];
    cg_set(&w->slots, "sizes", "%d, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64,
           (int)ir_dtype_bytes(x->dtype), outer, x->dim[axis], inner, ir_count(index));
    cu_pointer(w, "x", x);
    cu_pointer(w, "index", index);
    cu_pointer(w, "y", n->out[0]);
    return true;
}
