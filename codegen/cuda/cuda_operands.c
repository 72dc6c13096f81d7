/* cuda_operands.c: what all slot functions of the CUDA target share; see cuda.h. */
#include "bundle_text.h"
#include "cuda.h"
#include "gpu_model.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

/* ---- types and axes -------------------------------------------------------------------------- */

const char *cu_type(const ir_tensor *t) {
    if (t->gpu.storage == IR_STORE_F16) return "__half";
    return t->gpu.storage == IR_STORE_BF16 ? "__nv_bfloat16" : cg_c_dtype(t->dtype);
}

const char *cu_store_name(const ir_tensor *t) {
    return cg_vox_store(t->dtype, t->gpu.storage);
}

bool cu_axes(const ir_tensor *t, int64_t dim[5]) {
    int64_t own[5];
    if (t->gpu.pitch) {
        if (!cg_dims(t, own)) return false;
        const int64_t order[5] = {own[0], own[2], own[3], own[4], own[1]};
        memcpy(dim, order, sizeof order);
        return true;
    }
    if (t->rank > 5) return false;
    for (int i = 0; i < 5; i++) dim[i] = i < 5 - t->rank ? 1 : t->dim[i - (5 - t->rank)];
    return true;
}

int64_t cu_own(const ir_tensor *t) {
    if (!t->gpu.pitch) return t->rank ? t->dim[t->rank - 1] : 1;
    return cg_gpu_own_channels(t);
}

int64_t cu_vector_pitch(int64_t channels) {
    return (channels + 15) / 16 * 16;
}

/* ---- comments and addresses ------------------------------------------------------------------ */

static void describe_operand(cu_work *w, const char *var, const ir_tensor *t, const char *where) {
    char type[128];
    const char *layout =
        t->gpu.pitch ? ir_format(w->u->m->arena, ", channels last, pitch %" PRId64, t->gpu.pitch) : "";
    const char *kept = t->memory.ring ? ir_format(w->u->m->arena, ", %d planes kept", t->memory.ring) : "";
    cg_add(&w->operands, "%s *   %s  %s %s%s%s, %s", w->operands.size ? "\n" : "", var, t->name,
           ir_type_text(t, type, sizeof type), layout, kept, where);
}

static void add_offset(cu_work *w, const char *var, int64_t bytes) {
    cg_add(&w->offsets, "%s%s = %" PRId64, w->offsets.size ? ", " : "enum : size_t { ",
           cg_upper(w->u->m->arena, var), bytes);
}

static const char *weight_address(cu_work *w, const char *var, int weight, const char *type) {
    if (weight < 0) return "nullptr";
    add_offset(w, var, w->u->weights[weight].offset);
    return ir_format(w->u->m->arena, "(const %s *)(m->weights + %s)", type, cg_upper(w->u->m->arena, var));
}

static const char *arena_address(cu_work *w, const char *var, const ir_tensor *t, int64_t offset) {
    ir_arena *a = w->u->m->arena;
    int first, last;
    cg_lifetime(w->u->m, t, &first, &last);
    describe_operand(w, var, t, ir_format(a, "arena + %" PRId64 ", layers %d to %d", offset, first, last));
    add_offset(w, var, offset);
    return ir_format(a, "(%s *)(m->arena + %s)", cu_type(t), cg_upper(a, var));
}

/* Of t's first element, as a pointer to its type that is not const. */
static const char *typed_pointer(cu_work *w, const char *var, const ir_tensor *t) {
    ir_arena *a = w->u->m->arena;
    if (t->role == IR_ROLE_CONST) {
        int weight = cu_use_weight(w->u, &(cu_weight){.pack = CU_COPY, .source = {t}});
        describe_operand(w, var, t, ir_format(a, "weights + %" PRId64, w->u->weights[weight].offset));
        add_offset(w, var, w->u->weights[weight].offset);
        return ir_format(a, "(%s *)(m->weights + %s)", cu_type(t), cg_upper(a, var));
    }
    cg_place p = cg_place_of(w->u->m, t);
    if (p.base == CG_ARENA) return arena_address(w, var, t, p.offset);
    const char *port = ir_format(a, "m->%s[%d]", p.base == CG_INPUT ? "inputs" : "outputs", p.number);
    describe_operand(w, var, t, ir_format(a, "%s[%d]", p.base == CG_INPUT ? "inputs" : "outputs", p.number));
    if (!p.offset) return ir_format(a, "(%s *)%s", cu_type(t), port);
    return ir_format(a, "(%s *)((unsigned char *)%s + %" PRId64 ")", cu_type(t), port, p.offset);
}

void cu_pointer(cu_work *w, const char *var, const ir_tensor *t) {
    ir_arena *a = w->u->m->arena;
    cg_set(&w->slots, ir_format(a, "%s_type", var), "%s", cu_type(t));
    cg_set(&w->slots, ir_strdup(a, var), "%s", typed_pointer(w, var, t));
}

void cu_weight_pointer(cu_work *w, const char *var, int weight) {
    if (weight >= 0) {
        const cu_weight *c = &w->u->weights[weight];
        cg_add(&w->operands, "%s *   %s  %s, weights + %" PRId64, w->operands.size ? "\n" : "", var,
               c->source[0] ? c->source[0]->name : "zeros", c->offset);
    }
    cg_set(&w->slots, ir_strdup(w->u->m->arena, var), "%s", weight_address(w, var, weight, "float"));
}

static const char *window_text(cu_work *w, const ir_tensor *t, int z) {
    return t->memory.ring ? ir_format(w->u->m->arena, "s->z0[%d], %d", z, t->memory.ring) : "0, 0";
}

void cu_view(cu_work *w, const char *var, const ir_tensor *t, int z) {
    ir_arena *a = w->u->m->arena;
    int64_t d[5];
    if (!cu_axes(t, d)) {
        cu_unsupported(w, "more than 5 axes");
        d[0] = d[1] = d[2] = d[3] = d[4] = 1;
    }
    cg_set(&w->slots, ir_format(a, "%s_type", var), "%s", cu_type(t));
    cg_set(&w->slots, ir_strdup(a, var),
           "{%s, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
           ", %s}",
           typed_pointer(w, var, t), d[0], d[4], d[1], d[2], d[3], t->gpu.pitch ? t->gpu.pitch : d[4],
           cu_own(t), window_text(w, t, z));
}

/* Strides of t's memory along N C D H W (its own axes, the last ones of five). */
bool cu_own_strides(const ir_tensor *t, int64_t dim[5], int64_t stride[5]) {
    if (t->rank > 5) return false;
    int64_t step = 1;
    for (int i = 4; i >= 0; i--) {
        const int k = i - (5 - t->rank);
        dim[i] = k < 0 ? 1 : t->dim[k];
        stride[i] = step;
        step *= dim[i];
    }
    if (!t->gpu.pitch) return true;
    int64_t all[5];
    if (!cg_dims(t, all)) return false;
    memcpy(dim, all, sizeof all);
    const int64_t planes = t->memory.ring ? t->memory.ring : all[2], row = all[4] * t->gpu.pitch,
                  plane = all[3] * row;
    const int64_t last[5] = {planes * plane, 1, plane, row, t->gpu.pitch};
    memcpy(stride, last, sizeof last);
    return true;
}

/* From axes N C D H W to the order of y's memory. */
static void in_order_of(const ir_tensor *y, int64_t v[5]) {
    const int64_t last[5] = {v[0], v[2], v[3], v[4], v[1]};
    if (y->gpu.pitch) memcpy(v, last, sizeof last);
}

/* Where axis k of y stands among N C D H W: those that channels-last tensors of rank 3 and 4 lack are the
 * first of space, those that plain ones lack are the first of all. */
static int axis_slot(const ir_tensor *y, int k) {
    return y->gpu.pitch && k < 2 ? k : k + 5 - y->rank;
}

/* Strides that walk t along y's axes: NumPy aligns them at the last one. */
static bool aligned_strides(const ir_tensor *t, const ir_tensor *y, int64_t stride[5]) {
    int64_t dim[IR_MAX_RANK + 1], own[IR_MAX_RANK + 1];
    memset(stride, 0, 5 * sizeof *stride);
    if (ir_count(t) == 1) return true;
    if (y->rank > 5 || t->rank > y->rank) return false;
    if (t->gpu.pitch) {
        if (!y->gpu.pitch || t->rank != y->rank || !cu_own_strides(t, dim, stride)) return false;
        for (int i = 0; i < 5; i++)
            if (dim[i] == 1) stride[i] = 0;
    } else {
        cg_box(t, dim, own);
        for (int k = 0; k < t->rank; k++)
            if (dim[k] != 1) stride[axis_slot(y, k + y->rank - t->rank)] = own[k];
    }
    in_order_of(y, stride);
    return true;
}

bool cu_strided(cu_work *w, const char *var, const ir_tensor *t, const ir_tensor *y, int z) {
    ir_arena *a = w->u->m->arena;
    int64_t stride[5];
    if (!aligned_strides(t, y, stride)) return cu_unsupported(w, "its operands differ in layout");
    const char *z0 = t->memory.ring ? ir_format(a, "s->z0[%d]", z) : "0";
    cg_set(&w->slots, ir_format(a, "%s_type", var), "%s", cu_type(t));
    /* Weights have room behind them; an input is the caller's memory, to its last element. */
    const bool ends = y->gpu.pitch && !t->gpu.pitch && t->role != IR_ROLE_CONST && stride[4] == 1;
    const char *c = ends ? ir_format(a, ", %" PRId64, y->dim[1]) : "";
    cg_set(&w->slots, ir_strdup(a, var), "{%s, %s, %s%s}", typed_pointer(w, var, t), cg_list(a, 5, stride),
           z0, c);
    return true;
}

/* ---- numbers --------------------------------------------------------------------------------- */

void cu_epilogue(cu_work *w, int bias, int slope, const char *act) {
    ir_arena *a = w->u->m->arena;
    const ir_node *n = w->n;
    double alpha = ir_get(n, IR_ALPHA) ? ir_float(n, IR_ALPHA) : 0;
    double beta = ir_get(n, IR_BETA) ? ir_float(n, IR_BETA) : 0;
    cg_set(&w->slots, "act", "VOX_ACT_%s", act ? cg_upper(a, act) : "NONE");
    cg_set(&w->slots, "epilogue", "{%s, %s, %s, %s}", weight_address(w, "bias", bias, "float"),
           weight_address(w, "slope", slope, "float"), cg_float(a, alpha), cg_float(a, beta));
}

void cu_range(cu_work *w, const ir_tensor *y) {
    cg_set(&w->slots, "range", "%s", y->gpu.pitch ? "s->begin, s->end" : "0, y.d");
}

bool cu_unsupported(cu_work *w, const char *why) {
    const ir_node *n = w->n;
    cg_text shapes = {.arena = w->u->m->arena};
    char type[128];
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i]) cg_add(&shapes, "%s%s", i ? ", " : "", ir_type_text(n->in[i], type, sizeof type));
    cg_add(&shapes, " -> %s", ir_type_text(n->out[0], type, sizeof type));
    return ir_fail(w->d, IR_EXIT_UNSUPPORTED, "%s: %s %s (%s): target cuda has no kernel for it: %s",
                   n->source ? n->source : w->u->m->name, ir_op_get(n->op)->name, n->name, cg_string(&shapes),
                   why);
}
