/* pass_pack.c: lists what a bundle packs when it prepares. */
#include "cpu_passes.h"

#include "around.h"
#include "integers.h"
#include "lifetime.h"
#include "packed.h"
#include "way.h"

#include <string.h>

enum { HEADER = 64, HASH = 8 /* of an operand: the prepared buffer begins with them */ };

/* ---- what of a node -------------------------------------------------------------------------- */

cg_weight cg_pack_copy(const ir_tensor *t) {
    return (cg_weight){.source = {t}, .packing.pack = CG_COPY};
}

cg_weight cg_pack_vector(const ir_tensor *t, int64_t channels, int64_t group) {
    return (cg_weight){.source = {t}, .packing = {.pack = CG_VECTOR, .oc = channels, .group = group}};
}

cg_weight cg_pack_weights(const ir_node *n) {
    cg_weight w = {.source = {n->in[1]}};
    if (n->op == IR_OP_CONV) {
        const cg_choice c = cg_choice_of(n);
        w.packing = c.way->packing(n, &c);
        return w;
    }
    int64_t taps = 1;
    for (int a = 0; a < ir_get(n, IR_KERNEL)->count; a++) taps *= ir_ints(n, IR_KERNEL)[a];
    w.packing = (cg_packing){.pack = CG_CONV_TRANSPOSE, .kernel = taps, .group = ir_int(n, IR_GROUP)};
    w.packing.ic = n->in[0]->dim[1];
    w.packing.oc = n->out[0]->dim[1];
    return w;
}

cg_weight cg_pack_norm(const ir_node *n, cg_pack pack) {
    cg_weight w = {.source = {n->in[1], n->in[4]}, .eps = ir_float(n, IR_EPS)};
    w.packing = (cg_packing){.pack = pack, .oc = n->in[0]->dim[1], .group = 1};
    if (pack == CG_NORM_BIAS) w.source[2] = n->in[2], w.source[3] = n->in[3];
    return w;
}

/* ---- the list -------------------------------------------------------------------------------- */

static bool same_packing(const cg_weight *a, const cg_weight *b) {
    const cg_packing *p = &a->packing, *q = &b->packing;
    return p->pack == q->pack && memcmp(a->source, b->source, sizeof a->source) == 0 && p->oc == q->oc &&
           p->ic == q->ic && p->kernel == q->kernel && p->group == q->group && a->eps == b->eps &&
           memcmp(p->tile, q->tile, sizeof p->tile) == 0;
}

static cg_weight *find_packed(const ir_packed *all, const cg_weight *want) {
    const uint64_t hash = cg_hash_address(want->source[0]);
    for (int i = cg_first(&all->by_source, hash); i >= 0; i = cg_next(&all->by_source, i))
        if (same_packing(&all->list[i], want)) return &all->list[i];
    return NULL;
}

const cg_weight *cg_find_packed(const ir_graph *g, const cg_weight *want) {
    const cg_weight *found = g->packed ? find_packed(g->packed, want) : NULL;
    if (!found) ir_die("pass pack has not listed constant %s as a kernel reads it", want->source[0]->name);
    return found;
}

static bool is_const(const ir_tensor *t) {
    return t && t->role == IR_ROLE_CONST;
}

static int64_t packed_bytes(const cg_weight *w) {
    if (w->packing.pack != CG_COPY) return cg_packed_bytes(&w->packing);
    return ir_count(w->source[0]) * (int64_t)ir_dtype_bytes(w->source[0]->dtype);
}

static void list_weight(ir_packed *all, int node, cg_weight w) {
    if (!is_const(w.source[0]) || find_packed(all, &w)) return;
    if (all->count == all->capacity) ir_die("pass pack: more weights than operands");
    w.node = node;
    w.bytes = packed_bytes(&w);
    w.prepared = all->bytes;
    all->bytes += ir_round_up(w.bytes, IR_ALIGN);
    all->list[all->count++] = w;
    cg_chain(&all->by_source, cg_hash_address(w.source[0]));
}

static void list_copy(ir_packed *all, int node, const ir_tensor *t) {
    if (is_const(t)) list_weight(all, node, cg_pack_copy(t));
}

/* Bias and slopes; what a conv adds; and what it makes of its operand as it loads it. */
static void list_conv(ir_packed *all, int at, const ir_node *n) {
    const ir_node *loads = n->op == IR_OP_CONV ? cg_loads(n) : NULL;
    list_copy(all, at, loads ? loads->in[0] : n->in[0]);
    list_weight(all, at, cg_pack_weights(n));
    for (int k = 2; k < 4 && k < n->n_in; k++)
        list_weight(all, at, cg_pack_vector(n->in[k], n->out[0]->dim[1], ir_int(n, IR_GROUP)));
    list_copy(all, at, ir_skip(n));
    if (!loads) return;
    list_copy(all, at, loads->in[1]);
    if (loads->n_in > 3) list_weight(all, at, cg_pack_vector(loads->in[3], loads->in[0]->dim[1], 1));
}

static void list_node(ir_packed *all, int at, const ir_node *n) {
    const int64_t channels = n->n_in && n->in[0]->rank > 1 ? n->in[0]->dim[1] : 0;
    switch (n->op) {
    case IR_OP_CONV:
    case IR_OP_CONV_TRANSPOSE:
        list_conv(all, at, n);
        return;
    case IR_OP_BATCH_NORM:
        list_copy(all, at, n->in[0]);
        list_weight(all, at, cg_pack_norm(n, CG_NORM_SCALE));
        list_weight(all, at, cg_pack_norm(n, CG_NORM_BIAS));
        return;
    case IR_OP_NORM_TERMS:
        list_copy(all, at, n->in[0]);
        list_weight(all, at, cg_pack_vector(n->in[1], channels, 1));
        list_weight(all, at, cg_pack_vector(n->in[2], channels, 1));
        return;
    case IR_OP_NORMALISE:
        list_copy(all, at, n->in[0]);
        list_copy(all, at, n->in[1]);
        if (n->n_in > 3) list_weight(all, at, cg_pack_vector(n->in[3], channels, 1));
        return;
    default:
        for (int k = 0; k < n->n_in; k++) list_copy(all, at, n->in[k]);
    }
}

/* requires: ways, norms on load. maintains: the graph. gives: packed. */
bool pass_pack(ir_graph *g, ir_diag *d) {
    (void)d;
    ir_packed *all = ir_alloc(g->arena, 1, sizeof *all);
    all->by_source.arena = g->arena;
    for (int i = 0; i < g->n_nodes; i++) all->capacity += g->nodes[i]->n_in;
    all->list = ir_alloc(g->arena, (size_t)all->capacity + 1, sizeof *all->list);
    all->bytes = ir_round_up(HEADER + HASH * (int64_t)all->capacity, IR_ALIGN);
    for (int i = 0; i < g->n_nodes; i++)
        if (ir_runs_code(g->nodes[i])) list_node(all, i, g->nodes[i]);
    g->packed = all;
    return true;
}
