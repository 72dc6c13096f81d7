/* cuda_slots_math.c: maps, operators of two operands, casts; softmax, arg max and reductions. */
#include "bundle_text.h"
#include "cuda.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

static bool same_layout(const cu_work *w) {
    return (w->n->in[0]->gpu.pitch != 0) == (w->n->out[0]->gpu.pitch != 0);
}

bool cu_slots_map(cu_work *w) {
    const ir_node *n = w->n;
    if (n->in[0]->dtype != IR_F32) return cu_unsupported(w, "the operand must be f32");
    if (!same_layout(w)) return cu_unsupported(w, "operand and result differ in layout");
    cu_view(w, "x", n->in[0], 1);
    cu_view(w, "y", n->out[0], 0);
    cu_epilogue(w, -1, -1, ir_op_get(n->op)->name);
    cu_range(w, n->out[0]);
    return true;
}

static bool set_binary(cu_work *w) {
    const ir_node *n = w->n;
    for (int i = 0; i < 2; i++)
        if (n->in[i]->dtype != IR_F32) return cu_unsupported(w, "operands must be f32");
    cg_set(&w->slots, "operator", "VOX_%s", cg_upper(w->u->m->arena, ir_op_get(n->op)->name));
    cu_view(w, "y", n->out[0], 0);
    cu_range(w, n->out[0]);
    return cu_strided(w, "a", n->in[0], n->out[0], 1) && cu_strided(w, "b", n->in[1], n->out[0], 2);
}

bool cu_slots_binary(cu_work *w) {
    return set_binary(w);
}

bool cu_slots_compare(cu_work *w) {
    return set_binary(w);
}

bool cu_slots_cast(cu_work *w) {
    const ir_node *n = w->n;
    if (n->in[0]->gpu.pitch || n->out[0]->gpu.pitch) return cu_unsupported(w, "only plain tensors");
    if (n->out[0]->dtype == IR_BOOL) return cu_unsupported(w, "bool results come from comparisons only");
    cu_pointer(w, "x", n->in[0]);
    cu_pointer(w, "y", n->out[0]);
    cg_set_int(&w->slots, "count", ir_count(n->out[0]));
    return true;
}

/* ---- along an axis --------------------------------------------------------------------------- */

/* A plain tensor as [outer][axis][inner], its line along `axis`: n outer, w inner. */
static void plain_lines(cu_work *w, int axis) {
    const ir_tensor *x = w->n->in[0];
    ir_arena *a = w->u->m->arena;
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < axis; i++) outer *= x->dim[i];
    for (int i = axis + 1; i < x->rank; i++) inner *= x->dim[i];
    cg_set(&w->slots, "lines", "{%" PRId64 ", %" PRId64 ", 1, 1, %" PRId64 ", 0, 0}", outer, x->dim[axis],
           inner);
    const int64_t long_stride[5] = {x->dim[axis] * inner, 0, 0, 1, inner},
                  short_stride[5] = {inner, 0, 0, 1, 0};
    const bool reduces = w->n->op == IR_OP_ARG_MAX;
    cu_pointer(w, "x", x);
    cu_pointer(w, "y", w->n->out[0]);
    cg_set(&w->slots, "x_strides", "%s, 0", cg_list(a, 5, long_stride));
    cg_set(&w->slots, "y_strides", "%s, 0", cg_list(a, 5, reduces ? short_stride : long_stride));
    cg_set(&w->slots, "range", "0, 1");
}

/* Strides of t along n d h w and, last, the line along C. */
static const char *voxel_strides(cu_work *w, const ir_tensor *t, const int64_t dim[5], int z) {
    ir_arena *a = w->u->m->arena;
    const int64_t planes = t->memory.ring ? t->memory.ring : dim[2], area = dim[3] * dim[4];
    const int64_t last[5] = {planes * area * t->gpu.pitch, area * t->gpu.pitch, dim[4] * t->gpu.pitch,
                             t->gpu.pitch, 1};
    const int64_t c = t->dtype == IR_F32 ? dim[1] : 1; /* an arg_max's y is plain and has one */
    const int64_t plain[5] = {c * dim[2] * area, area, dim[4], 1, dim[2] * area};
    const char *z0 = t->memory.ring ? ir_format(a, "s->z0[%d]", z) : "0";
    return ir_format(a, "%s, %s", cg_list(a, 5, t->gpu.pitch ? last : plain), z0);
}

static bool voxel_lines(cu_work *w) {
    const ir_tensor *x = w->n->in[0], *y = w->n->out[0];
    int64_t d[5];
    if (!cg_dims(x, d)) return cu_unsupported(w, "only N C and 1 to 3 spatial axes");
    cg_set(&w->slots, "lines", "{%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", 0, 0}",
           d[0], d[1], d[2], d[3], d[4]);
    cu_pointer(w, "x", x);
    cu_pointer(w, "y", y);
    cg_set(&w->slots, "x_strides", "%s", voxel_strides(w, x, d, 1));
    cg_set(&w->slots, "y_strides", "%s", voxel_strides(w, y, d, 0));
    cg_set(&w->slots, "range", "s->begin, s->end");
    return true;
}

static bool set_lines(cu_work *w) {
    const int axis = (int)ir_int(w->n, IR_AXIS);
    const ir_tensor *x = w->n->in[0];
    if (x->dtype != IR_F32) return cu_unsupported(w, "the operand must be f32");
    if (axis == 1 && x->rank >= 3 && x->rank <= 5) return voxel_lines(w);
    if (x->gpu.pitch || w->n->out[0]->gpu.pitch) return cu_unsupported(w, "channels last, but not along C");
    plain_lines(w, axis);
    return true;
}

bool cu_slots_softmax(cu_work *w) {
    cg_set(&w->slots, "log", w->n->op == IR_OP_LOG_SOFTMAX ? "true" : "false");
    return set_lines(w);
}

bool cu_slots_arg_max(cu_work *w) {
    cg_set_int(&w->slots, "last", ir_int(w->n, IR_SELECT_LAST));
    return set_lines(w);
}

/* ---- reductions ------------------------------------------------------------------------------ */

typedef struct reduction {
    int kept, reduced;
    int64_t kept_dim[IR_MAX_RANK], kept_x[IR_MAX_RANK], kept_y[IR_MAX_RANK];
    int64_t reduced_dim[IR_MAX_RANK], reduced_x[IR_MAX_RANK];
} reduction;

static reduction split_axes(const ir_node *n) {
    const ir_tensor *x = n->in[0];
    reduction r = {0};
    int64_t stride[IR_MAX_RANK], step = 1;
    for (int i = x->rank - 1; i >= 0; i--) stride[i] = step, step *= x->dim[i];
    for (int i = 0; i < x->rank; i++) {
        if (ir_has_int(n, IR_AXES, i)) {
            r.reduced_dim[r.reduced] = x->dim[i];
            r.reduced_x[r.reduced++] = stride[i];
        } else {
            r.kept_dim[r.kept] = x->dim[i];
            r.kept_x[r.kept++] = stride[i];
        }
    }
    step = 1;
    for (int i = r.kept - 1; i >= 0; i--) r.kept_y[i] = step, step *= r.kept_dim[i];
    return r;
}

bool cu_slots_reduce(cu_work *w) {
    static const char prefix[] = "reduce_"; /* of the op's name; the kind is the rest */
    const ir_node *n = w->n;
    ir_arena *a = w->u->m->arena;
    if (n->in[0]->dtype != IR_F32) return cu_unsupported(w, "the operand must be f32");
    if (n->in[0]->gpu.pitch || n->out[0]->gpu.pitch) return cu_unsupported(w, "only plain tensors");
    const reduction r = split_axes(n);
    if (r.kept > 6 || r.reduced > 6) return cu_unsupported(w, "too many axes");
    cg_set(&w->slots, "kind", "VOX_GPU_%s", cg_upper(a, ir_op_get(n->op)->name + sizeof prefix - 1));
    cg_set(&w->slots, "axes", "{%d, %s, %s, %s, %d, %s, %s}", r.kept, cg_list(a, r.kept, r.kept_dim),
           cg_list(a, r.kept, r.kept_x), cg_list(a, r.kept, r.kept_y), r.reduced,
           cg_list(a, r.reduced, r.reduced_dim), cg_list(a, r.reduced, r.reduced_x));
    cu_pointer(w, "x", n->in[0]);
    cu_pointer(w, "y", n->out[0]);
    return true;
}
