/* slots_norm.c: normalisations, alone and in the convolutions around them. */
#include "around.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

static const char *epilogue_of(cg_work *w, const ir_node *n) {
    return cg_epilogue(w->m->arena, n, ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL);
}

/* Where the slopes are, which the comment then names; NULL: there are none. */
static const char *slope_at(cg_work *w, const ir_node *n, const char *var) {
    const ir_tensor *t = n->n_in > 3 ? n->in[3] : NULL;
    if (!t) return NULL;
    const cg_weight want = {.pack = CG_VECTOR, .source = {t}, .oc = n->in[0]->dim[1], .group = 1};
    return cg_weight_at(w, var, &want);
}

static bool constants_from(const ir_node *n, int first) {
    for (int k = first; k < n->n_in; k++)
        if (n->in[k] && n->in[k]->role != IR_ROLE_CONST) return false;
    return true;
}

/* x's dims, layout and what is equal for all norms. */
static bool set_norm(cg_work *w) {
    const ir_node *n = w->n;
    int64_t x[5];
    if (!cg_all_f32(w)) return false;
    if (!cg_dims(n->in[0], x)) return cg_unsupported(w, "only N C and 1 to 3 spatial axes");
    cg_set(&w->slots, "x_dims", "%s", cg_dims_text(w, n->in[0]));
    return true;
}

/* Of a norm that writes x's layout. */
static bool set_map(cg_work *w) {
    const ir_node *n = w->n;
    if (!set_norm(w)) return false;
    if (n->in[0]->cpu.block != n->out[0]->cpu.block)
        ir_die("codegen: %s: operand and result differ in layout", n->name);
    cg_set(&w->slots, "epilogue", "%s", epilogue_of(w, n));
    cg_set(&w->slots, "y_ring", "%s",
           n->out[0]->memory.ring ? ir_format(w->m->arena, ".y_ring = %d,", n->out[0]->memory.ring) : "");
    return true;
}

bool slots_normalise(cg_work *w) {
    const ir_node *n = w->n;
    if (!constants_from(n, 2)) return cg_unsupported(w, "slopes must be constants");
    if (!set_map(w)) return false;
    cg_operand(w, "x", n->in[0]);
    cg_operand(w, "terms", n->in[1]);
    const char *slope = slope_at(w, n, "slope");
    if (slope) cg_add_place(w, "slope", slope);
    cg_result(w, "y", n->out[0]);
    cg_set(&w->slots, "kernel", "normalise");
    return true;
}

/* prepare has made one factor and one summand per channel of the four vectors. */
bool slots_batch_norm(cg_work *w) {
    const ir_node *n = w->n;
    if (n->in[0]->rank == 2) return cg_unsupported(w, "only N C and 1 to 3 spatial axes");
    if (!constants_from(n, 1)) return cg_unsupported(w, "scale and bias must be constants");
    if (!set_map(w)) return false;
    cg_operand(w, "x", n->in[0]);
    cg_weight scale = {.pack = CG_NORM_SCALE, .source = {n->in[1], n->in[4]}, .eps = ir_float(n, IR_EPS)};
    scale.oc = n->in[0]->dim[1];
    scale.group = 1;
    cg_weight bias = scale;
    bias.pack = CG_NORM_BIAS;
    bias.source[2] = n->in[2];
    bias.source[3] = n->in[3];
    cg_weight_operand(w, "scale", &scale);
    cg_weight_operand(w, "bias", &bias);
    cg_result(w, "y", n->out[0]);
    cg_set(&w->slots, "kernel", "affine");
    return true;
}

bool slots_norm_terms(cg_work *w) {
    const ir_node *n = w->n;
    int64_t c = n->in[0]->rank > 1 ? n->in[0]->dim[1] : 0;
    if (!constants_from(n, 1)) return cg_unsupported(w, "scale and bias must be constants");
    if (!set_norm(w)) return false;
    cg_set_int(&w->slots, "groups", ir_get(n, IR_GROUP) ? ir_int(n, IR_GROUP) : c);
    cg_set(&w->slots, "eps", "%s", cg_double(w->m->arena, ir_float(n, IR_EPS)));
    cg_set_int(&w->slots, "sum_slots", n->cpu.gathered ? cg_sums_of(w->m->g, n->in[0]->producer).total : 0);
    cg_operand(w, "x", n->in[0]);
    if (n->cpu.gathered) cg_add_place(w, "sums", cg_sums_at(w, n));
    cg_weight_operand(w, "scale", &(cg_weight){.pack = CG_VECTOR, .source = {n->in[1]}, .oc = c, .group = 1});
    cg_weight_operand(w, "bias", &(cg_weight){.pack = CG_VECTOR, .source = {n->in[2]}, .oc = c, .group = 1});
    cg_result(w, "y", n->out[0]);
    return true;
}

/* ---- around convolutions --------------------------------------------------------------------- */

void cg_conv_operand(cg_work *w) {
    const ir_node *loads = cg_loads(w->n);
    cg_operand(w, "x", loads ? loads->in[0] : w->n->in[0]);
}

static void add_load(cg_work *w, const ir_node *loads, cg_text *around) {
    if (!loads) return;
    cg_describe(w, "terms", loads->in[1]);
    cg_add(around, "\n            .terms = %s,", cg_where(w, loads->in[1], 0));
    const char *slope = slope_at(w, loads, "around.slope");
    if (slope) cg_add(around, "\n            .slope = %s,", slope);
    cg_add(around, "\n            .ep = %s,", epilogue_of(w, loads));
}

static void add_gather(cg_work *w, const ir_node *gathers, cg_text *around) {
    if (!gathers) return;
    cg_sums s = cg_sums_of(w->m->g, w->n);
    cg_add(around,
           "\n            .sums = %s,\n            .planes = %" PRId64 ",\n            .slots = %" PRId64 ",",
           cg_sums_at(w, gathers), s.planes, s.slots);
}

void cg_set_around(cg_work *w) {
    const ir_node *loads = cg_loads(w->n), *gathers = cg_gathers(w->n);
    cg_text around = {.arena = w->m->arena};
    add_load(w, loads, &around);
    add_gather(w, gathers, &around);
    if (loads || gathers)
        cg_add_place(w, "around", ir_format(w->m->arena, "{%s\n        }", cg_string(&around)));
}
