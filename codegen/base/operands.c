/* operands.c: what all slot functions share; see slots.h. */
#include "bundle_text.h"
#include "interp.h"
#include "packed.h"
#include "slots.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- operands -------------------------------------------------------------------------------- */

static const char *layout_text(const ir_tensor *t) {
    return t->cpu.block ? "blocked, " : "";
}

static const char *ring_text(cg_work *w, const ir_tensor *t) {
    if (!t->memory.ring) return "";
    return ir_format(w->m->arena, "planes kept: %d of %" PRId64 ", %.1f MB instead of %.1f, ", t->memory.ring,
                     t->dim[2], (double)ir_bytes(t) / 1e6, (double)cg_whole_bytes(t) / 1e6);
}

static void describe_operand(cg_work *w, const char *var, const ir_tensor *t, const char *where) {
    char type[128];
    cg_add(&w->operands, "%s *   %s  %s %s, %s%s%s", w->operands.size ? "\n" : "", var, t->name,
           ir_type_text(t, type, sizeof type), layout_text(t), ring_text(w, t), where);
}

void cg_add_place(cg_work *w, const char *var, const char *where) {
    cg_add(&w->places, "%s.%s = %s,", w->places.size ? "\n        " : "", var, where);
}

/* "vox_in_arena(m, 640)" */
static const char *memory_text(cg_work *w, const char *base, int64_t bytes) {
    if (bytes % 4 != 0) ir_die("codegen: %s: offset %" PRId64 " is not a multiple of 4", w->n->name, bytes);
    if (bytes / 4 > INT32_MAX) cg_unsupported(w, "its buffers lie beyond 8 GiB");
    return ir_format(w->m->arena, "vox_in_%s(m, %" PRId64, base, bytes);
}

static const char *plus_element(cg_work *w, const ir_tensor *t, int64_t element) {
    if (!element) return ")";
    return ir_format(w->m->arena, " + %d * %" PRId64 ")", (int)ir_dtype_bytes(t->dtype), element);
}

const char *cg_where(cg_work *w, const ir_tensor *t, int64_t element) {
    cg_place p = cg_place_of(w->m, t);
    const char *from = plus_element(w, t, element), *port = p.base == CG_INPUT ? "input" : "output";
    if (p.base == CG_ARENA) return ir_format(w->m->arena, "%s%s", memory_text(w, "arena", p.offset), from);
    return ir_format(w->m->arena, "vox_in_%s(m, %d, %" PRId64 "%s", port, p.number, p.offset, from);
}

static void describe_in_arena(cg_work *w, const char *var, const ir_tensor *t, int64_t offset) {
    int first, last;
    cg_lifetime(w->m, t, &first, &last);
    const ir_tensor *root = cg_root(t);
    const char *host = root == t ? "" : ir_format(w->m->arena, "in %s, ", root->name);
    describe_operand(
        w, var, t,
        ir_format(w->m->arena, "%sarena + %" PRId64 ", layers %d to %d", host, offset, first, last));
}

void cg_describe(cg_work *w, const char *var, const ir_tensor *t) {
    cg_place p = cg_place_of(w->m, t);
    if (p.base == CG_ARENA)
        describe_in_arena(w, var, t, p.offset);
    else
        describe_operand(
            w, var, t, ir_format(w->m->arena, "%s[%d]", p.base == CG_INPUT ? "inputs" : "outputs", p.number));
}

const char *cg_operand_at(cg_work *w, const char *var, const ir_tensor *t, int64_t element) {
    if (t->role != IR_ROLE_CONST) {
        cg_describe(w, var, t);
        return cg_where(w, t, element);
    }
    const cg_weight want = cg_pack_copy(t);
    const int64_t offset = cg_find_packed(w->m->g, &want)->prepared;
    describe_operand(w, var, t, ir_format(w->m->arena, "prepared + %" PRId64, offset));
    return ir_format(w->m->arena, "%s%s", memory_text(w, "prepared", offset), plus_element(w, t, element));
}

void cg_operand_from(cg_work *w, const char *var, const ir_tensor *t, int64_t element) {
    cg_add_place(w, var, cg_operand_at(w, var, t, element));
}

void cg_operand(cg_work *w, const char *var, const ir_tensor *t) {
    cg_operand_from(w, var, t, 0);
}

void cg_result(cg_work *w, const char *var, const ir_tensor *t) {
    cg_operand_from(w, var, t, 0);
}

void cg_skip_operand(cg_work *w) {
    const ir_tensor *t = ir_skip(w->n);
    cg_set(&w->slots, "skip_ring", "%s", "");
    if (!t) return;
    cg_operand(w, "skip", t);
    cg_set(&w->slots, "skip_ring", ".skip_ring = %d,", t->memory.ring);
}

const char *cg_weight_at(cg_work *w, const char *var, const cg_weight *want) {
    const int64_t offset = cg_find_packed(w->m->g, want)->prepared;
    describe_operand(w, var, want->source[0], ir_format(w->m->arena, "prepared + %" PRId64, offset));
    return ir_format(w->m->arena, "%s)", memory_text(w, "prepared", offset));
}

void cg_weight_operand(cg_work *w, const char *var, const cg_weight *want) {
    cg_add_place(w, var, cg_weight_at(w, var, want));
}

static void scratch_operand(cg_work *w, const char *var, int64_t offset, int64_t bytes, const char *whose) {
    cg_add(&w->operands, "\n *   %s  %" PRId64 " bytes %s, arena + %" PRId64, var, bytes, whose, offset);
    cg_add_place(w, var, ir_format(w->m->arena, "%s)", memory_text(w, "arena", offset)));
}

void cg_scratch_operand(cg_work *w, int64_t shared, int64_t worker) {
    int64_t offset = cg_scratch_offset(w->m, w->n);
    if (shared) scratch_operand(w, "shared", offset, shared, "for all threads");
    scratch_operand(w, "scratch", offset + shared, worker, "for each thread");
    cg_set_int(&w->slots, "worker_bytes", worker);
}

const char *cg_sums_at(cg_work *w, const ir_node *n) {
    int64_t offset = cg_scratch_offset(w->m, n);
    cg_add(&w->operands, "\n *   sums  %" PRId64 " bytes of sums for %s, arena + %" PRId64, n->memory.scratch,
           n->out[0]->name, offset);
    return ir_format(w->m->arena, "%s)", memory_text(w, "arena", offset));
}

bool cg_unsupported(cg_work *w, const char *why) {
    const ir_node *n = w->n;
    cg_text shapes = {.arena = w->m->arena};
    char type[128];
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i]) cg_add(&shapes, "%s%s", i ? ", " : "", ir_type_text(n->in[i], type, sizeof type));
    cg_add(&shapes, " -> %s", ir_type_text(n->out[0], type, sizeof type));
    return ir_fail(w->d, IR_EXIT_UNSUPPORTED, "%s: %s %s (%s): target c has no kernel for it: %s",
                   n->source ? n->source : w->m->name, ir_op_get(n->op)->name, n->name, cg_string(&shapes),
                   why);
}

bool cg_all_f32(cg_work *w) {
    for (int i = 0; i < w->n->n_in; i++)
        if (w->n->in[i] && w->n->in[i]->dtype != IR_F32) return cg_unsupported(w, "operands must be f32");
    return w->n->out[0]->dtype == IR_F32 || cg_unsupported(w, "the result must be f32");
}

/* ---- numbers --------------------------------------------------------------------------------- */

bool cg_dims(const ir_tensor *t, int64_t dims[5]) {
    if (t->rank < 3 || t->rank > 5) return false;
    for (int i = 0; i < 5; i++) dims[i] = 1;
    dims[0] = t->dim[0];
    dims[1] = t->dim[1];
    for (int i = 2; i < t->rank; i++) dims[5 - t->rank + i] = t->dim[i];
    return true;
}

void cg_spatial(const ir_node *n, ir_key key, int from, int64_t absent, int64_t out[3]) {
    int axes = n->in[0]->rank - 2;
    const int64_t *v = ir_ints(n, key);
    for (int i = 0; i < 3; i++) out[i] = i < 3 - axes ? absent : v[from + i - (3 - axes)];
}

bool cg_window_fits(cg_work *w) {
    const ir_node *n = w->n;
    const ir_tensor *x = n->in[0], *y = n->out[0];
    int axes = x->rank - 2;
    const int64_t *pad = ir_ints(n, IR_PAD);
    for (int i = 0; i < axes; i++) {
        double window = (double)ir_ints(n, IR_KERNEL)[i] * (double)ir_ints(n, IR_DILATION)[i];
        double walked =
            (double)ir_ints(n, IR_STRIDE)[i] * (double)(n->op == IR_OP_CONV_TRANSPOSE ? x : y)->dim[i + 2];
        double reach = window + walked + (double)x->dim[i + 2] + (double)y->dim[i + 2] + (double)pad[i] +
                       (double)pad[axes + i];
        if (reach > INT32_MAX) return cg_unsupported(w, "its window reaches further than 2^31");
    }
    return true;
}

const char *cg_dims_text(cg_work *w, const ir_tensor *t) {
    int64_t d[5];
    if (!cg_dims(t, d)) ir_die("codegen: %s: no activation", t->name);
    cg_text s = {.arena = w->m->arena};
    cg_add(&s, "{.n = %" PRId64 ", .c = %" PRId64 ", .d = %" PRId64 ", .h = %" PRId64 ", .w = %" PRId64, d[0],
           d[1], d[2], d[3], d[4]);
    cg_add(&s, "%s", t->cpu.block ? ", .block = VOX_BLOCK" : "");
    if (t->memory.ring) cg_add(&s, ", .ring = %d", t->memory.ring);
    cg_add_string(&s, "}");
    return cg_string(&s);
}

void cg_set_xy(cg_work *w) {
    cg_set(&w->slots, "x_dims", "%s", cg_dims_text(w, w->n->in[0]));
    cg_set(&w->slots, "y_dims", "%s", cg_dims_text(w, w->n->out[0]));
}

const char *cg_list(ir_arena *arena, int n, const int64_t *v) {
    cg_text t = {.arena = arena};
    cg_add_string(&t, "{");
    for (int i = 0; i < n; i++) cg_add(&t, "%s%" PRId64, i ? ", " : "", v[i]);
    cg_add_string(&t, "}");
    return cg_string(&t);
}

static const char *number_text(ir_arena *arena, double v, int digits, const char *suffix) {
    if (isnan(v)) return "NAN";
    if (isinf(v)) return v < 0 ? "-INFINITY" : "INFINITY";
    const char *s = ir_format(arena, "%.*g", digits, v);
    bool real = strpbrk(s, ".e") != NULL;
    return ir_format(arena, "%s%s%s", s, real ? "" : ".0", suffix);
}

const char *cg_float(ir_arena *arena, double v) {
    double narrow = (double)(float)v;
    for (int digits = 1; digits < 9; digits++) {
        const char *s = ir_format(arena, "%.*g", digits, narrow);
        if (strtof(s, NULL) == (float)narrow) return number_text(arena, narrow, digits, "f");
    }
    return number_text(arena, narrow, 9, "f");
}

const char *cg_pad_value(ir_arena *arena, const ir_node *n) {
    const double value = ir_get(n, IR_VALUE) ? ir_float(n, IR_VALUE) : 0;
    const ir_dtype type = n->out[0]->dtype;
    if (type == IR_F32) return cg_float(arena, value);
    if (type == IR_F64) return cg_double(arena, value);
    const int64_t whole = interp_whole(type, value);
    return whole == INT64_MIN ? "INT64_MIN"
                              : ir_format(arena, "%" PRId64, whole); /* no literal is that low */
}

const char *cg_double(ir_arena *arena, double v) {
    for (int digits = 1; digits < 17; digits++)
        if (strtod(ir_format(arena, "%.*g", digits, v), NULL) == v) return number_text(arena, v, digits, "");
    return number_text(arena, v, 17, "");
}

const char *cg_epilogue(ir_arena *arena, const ir_node *n, const char *act) {
    double alpha = ir_get(n, IR_ALPHA) ? ir_float(n, IR_ALPHA) : 0;
    double beta = ir_get(n, IR_BETA) ? ir_float(n, IR_BETA) : 0;
    if (!act) return "{.act = VOX_ACT_NONE}";
    cg_text s = {.arena = arena};
    cg_add(&s, "{.act = VOX_ACT_%s", cg_upper(arena, act));
    if (alpha != 0) cg_add(&s, ", .alpha = %s", cg_float(arena, alpha));
    if (beta != 0) cg_add(&s, ", .beta = %s", cg_float(arena, beta));
    cg_add_string(&s, "}");
    return cg_string(&s);
}

int cg_box(const ir_tensor *t, int64_t *dim, int64_t *stride) {
    int rank = t->rank;
    memcpy(dim, t->dim, (size_t)rank * sizeof *dim);
    if (t->cpu.block) {
        dim[1] = (dim[1] + IR_BLOCK - 1) / IR_BLOCK;
        dim[rank++] = IR_BLOCK;
    }
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= i == 2 && t->memory.ring ? t->memory.ring : dim[i];
    }
    return rank;
}
