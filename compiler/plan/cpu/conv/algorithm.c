/* algorithm.c: the choice that the ways' cost models make. Their constants are what the kernels of
 * runtime/cpu need on a core that does one multiply-add of 16 channels per cycle; only their proportions
 * matter, and they are the same on every machine, so that a bundle's text does not depend on where it was
 * compiled.
 */
#include "algorithm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conv_passes.h"
#include "conv_shape.h"

static cg_algorithm measure(const ir_node *n, const cg_choice *c) {
    const cg_packing p = c->way->packing(n, c);
    return (cg_algorithm){.choice = *c, .cycles = c->way->cycles(n, c), .prepared = cg_packed_bytes(&p)};
}

cg_algorithm cg_algorithm_of(const ir_node *n) {
    const cg_choice c = cg_choice_of(n);
    return measure(n, &c);
}

/* Behind what costs as much: the order of ways.def stays. */
static void insert(cg_algorithm *list, int count, cg_algorithm a) {
    for (; count && list[count - 1].cycles > a.cycles; count--) list[count] = list[count - 1];
    list[count] = a;
}

int cg_algorithms(const ir_graph *g, const ir_node *n, cg_algorithm list[CG_MAX_ALGORITHMS]) {
    int count = 0;
    for (int i = 0; i < CG_WAYS; i++) {
        cg_choice offers[CG_MOST_OFFERS];
        bool able = g->goals.thrift < IR_DIRECT || !cg_ways[i]->lane;
        int n_offers = able ? cg_ways[i]->offer(g, n, offers) : 0;
        for (int k = 0; k < n_offers; k++) insert(list, count++, measure(n, &offers[k]));
    }
    if (!count) ir_die("no way computes conv '%s'", n->name);
    return count;
}

int cg_run(const ir_graph *g, const ir_node *n) {
    return g->goals.strict ? CG_SHORT_RUN : cg_way_of(n)->run;
}

int cg_lanes(const ir_graph *g, const ir_node *n) {
    const cg_choice c = cg_choice_of(n);
    int64_t most = g->goals.thrift >= IR_ONE_LANE ? 1 : g->goals.thrift >= IR_TWO_LANES ? 2 : g->goals.lanes;
    return (int)ir_min(g->goals.lanes, ir_min(c.way->items(n, &c), most));
}

int64_t cg_shared_bytes(const ir_node *n) {
    const cg_choice c = cg_choice_of(n);
    return c.way->shared ? c.way->shared(n, &c) : 0;
}

int64_t cg_lane_bytes(const ir_node *n) {
    const cg_choice c = cg_choice_of(n);
    return c.way->lane ? c.way->lane(n, &c) : 0;
}

int64_t cg_scratch_bytes(const ir_graph *g, const ir_node *n) {
    return cg_way_of(n)->lane ? cg_shared_bytes(n) + cg_lanes(g, n) * cg_lane_bytes(n) : 0;
}

/* ---- the choice ------------------------------------------------------------------------------ */

void cg_set_choice(const ir_graph *g, ir_node *n, const cg_choice *c) {
    n->cpu.way = c->way->name;
    memcpy(n->cpu.tile, c->tile, sizeof n->cpu.tile);
    n->cpu.batch = c->batch;
    n->cpu.whole = c->way->whole;
    n->memory.scratch = cg_scratch_bytes(g, n);
}

static const ir_tuned *tuned(const ir_graph *g, const ir_node *n) {
    for (int i = 0; i < g->goals.n_tuned; i++)
        if (strcmp(g->goals.tuned[i].layer, n->out[0]->name) == 0) return &g->goals.tuned[i];
    return NULL;
}

static bool is_tuned(const cg_choice *c, const ir_tuned *t) {
    return strcmp(c->way->tuned, t->way) == 0 && memcmp(c->tile, t->tile, sizeof c->tile) == 0;
}

/* A measured choice counts where it is legal here. */
static cg_choice choose(const ir_graph *g, const ir_node *n) {
    cg_algorithm list[CG_MAX_ALGORITHMS];
    int count = cg_algorithms(g, n, list);
    const ir_tuned *t = tuned(g, n);
    for (int i = 0; t && i < count; i++)
        if (is_tuned(&list[i].choice, t)) return list[i].choice;
    return list[0].choice;
}

/* requires: layouts. gives: way and scratch of convs. */
bool pass_algorithm(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        if (n->op != IR_OP_CONV) continue;
        const cg_choice c = choose(g, n);
        cg_set_choice(g, n, &c);
    }
    return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

static double direct_cycles(const ir_node *n) {
    const cg_choice direct = {.way = cg_is_few(n) ? &cg_way_direct_few : &cg_way_direct};
    return direct.way->cycles(n, &direct);
}

const char *cg_algorithm_reason(const ir_node *n, ir_arena *arena) {
    const cg_algorithm a = cg_algorithm_of(n);
    return ir_format(arena, "%s: %.1f times cheaper than direct", cg_choice_text(&a.choice, arena),
                     direct_cycles(n) / a.cycles);
}

static void report_row(const ir_graph *g, const ir_node *n, const cg_algorithm *a, bool first, FILE *f) {
    const cg_choice now = cg_choice_of(n);
    char type[128];
    fprintf(f, "%-24s %-18s %10.1f %9.2fx %14" PRId64 "  %s%s\n", first ? n->out[0]->name : "",
            first ? ir_type_text(n->out[0], type, sizeof type) + 3 : "", a->cycles / 1e6,
            direct_cycles(n) / a->cycles, a->prepared, cg_choice_text(&a->choice, g->arena),
            cg_same_choice(&a->choice, &now) ? " <- chosen" : "");
}

void cg_algorithm_report(const ir_graph *g, FILE *f) {
    fprintf(f, "%-24s %-18s %10s %10s %14s  %s\n", "convolution", "output", "Mcycles", "of direct", "weights",
            "algorithm");
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (n->op != IR_OP_CONV) continue;
        cg_algorithm list[CG_MAX_ALGORITHMS];
        int count = cg_algorithms(g, n, list);
        for (int k = 0; k < count; k++) report_row(g, n, &list[k], !k, f);
    }
}
