/* around.c: which normalisations move into the convolutions around them.
 *
 * A norm reads its operand for the statistics and once more to normalise it, and writes it. Sums are free
 * where a convolution has its results in the first-level cache, and so is normalising where one loads them;
 * what is left of the norm is the addition of some slots. nnU-Net's levels of 32 channels at 128^3 spend
 * 13 % of their time in norms that stand alone.
 */
#include "around.h"

#include "algorithm.h"
#include "cpu_passes.h"
#include "integers.h"

#include <inttypes.h>
#include <string.h>

enum {
    SUMS = 2 * IR_BLOCK * (int)sizeof(double), /* bytes per slot and block of channels: VOX_SUMS */
    SMALL = 4, /* sums take at most one part of this many of what they sum up */
};

const ir_node *cg_gathers(const ir_node *n) {
    const ir_tensor *y = n->out[0];
    for (int i = 0; i < y->n_users; i++)
        if (y->users[i]->cpu.gathered && y->users[i]->in[0] == y) return y->users[i];
    return NULL;
}

const ir_node *cg_loads(const ir_node *n) {
    return n->in[0]->cpu.on_load ? n->in[0]->producer : NULL;
}

/* ---- on load --------------------------------------------------------------------------------- */

/* Activations that are a factor for what is negative. */
static bool simple_activation(const ir_node *n) {
    static const char *const acts[] = {"relu", "leaky_relu", "prelu"};
    const char *act = ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL;
    for (size_t i = 0; act && i < sizeof acts / sizeof *acts; i++)
        if (strcmp(act, acts[i]) == 0) return true;
    return !act;
}

/* Whether conv n's kernel can make operand 0, which is t, of what t is made of. */
static bool can_load(const ir_node *n, const ir_tensor *t) {
    if (n->op != IR_OP_CONV || !t->cpu.block) return false;
    for (int k = 1; k < n->n_in; k++)
        if (n->in[k] == t || (n->in[k] && n->in[k]->role != IR_ROLE_CONST)) return false;
    const cg_way *way = cg_way_of(n);
    return way->loads && way->loads(n);
}

/* The only node that reads t; NULL: none, or several, which would normalise several times, or t's memory is
 * that of others. */
static const ir_node *only_reader(const ir_tensor *t) {
    bool alone = t->n_users == 1 && !t->n_outputs && !t->memory.view_of && !ir_has_views(t);
    return alone ? t->users[0] : NULL;
}

static bool slope_is_constant(const ir_node *n) {
    return n->n_in <= 3 || !n->in[3] || n->in[3]->role == IR_ROLE_CONST;
}

/* requires: algorithms, views. maintains: values. gives: on_load values, which no memory is planned for. */
bool pass_load(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0; !g->goals.whole && i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (n->op != IR_OP_NORMALISE || n->in[0]->role != IR_ROLE_VALUE || !simple_activation(n)) continue;
        const ir_node *reader = only_reader(n->out[0]);
        n->out[0]->cpu.on_load = reader && can_load(reader, n->out[0]) && slope_is_constant(n);
    }
    return true;
}

/* ---- gathered -------------------------------------------------------------------------------- */

cg_sums cg_sums_of(const ir_graph *g, const ir_node *conv) {
    const ir_tensor *y = conv->out[0];
    const cg_choice c = cg_choice_of(conv);
    cg_sums s = c.way->sums(conv, &c, c.way->lane ? cg_lanes(g, conv) : 1);
    s.total = s.slots * ir_parts(y->dim[2], s.planes);
    s.bytes = s.total * ir_parts(y->dim[1], IR_BLOCK) * SUMS;
    return s;
}

/* The conv that can gather the sums of norm_terms n. */
static const ir_node *gatherer(const ir_node *n) {
    const ir_tensor *x = n->in[0];
    const ir_node *conv = x->role == IR_ROLE_VALUE ? x->producer : NULL;
    if (!conv || conv->op != IR_OP_CONV || conv->memory.stream || !x->cpu.block || x->dim[0] != 1)
        return NULL;
    return cg_gathers(conv) || !cg_way_of(conv)->sums ? NULL : conv;
}

/* requires: algorithms, work splits, streams. maintains: values. gives: norm_terms whose sums the conv before
 * them gathers, with the memory for those. */
bool pass_gather(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0; i < g->n_nodes; i++) {
        ir_node *n = g->nodes[i];
        const ir_node *conv = n->op == IR_OP_NORM_TERMS ? gatherer(n) : NULL;
        int64_t bytes = conv ? cg_sums_of(g, conv).bytes : 0;
        if (!conv || bytes > ir_bytes(n->in[0]) / SMALL) continue;
        n->cpu.gathered = true;
        n->memory.scratch = bytes;
    }
    return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

void cg_norm_report(const ir_graph *g, FILE *f) {
    const char *title = "%-24s %-28s %14s  %s\n";
    bool any = false;
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i], *terms = n->op == IR_OP_NORMALISE ? n->in[1]->producer : NULL;
        if (!terms || terms->op != IR_OP_NORM_TERMS) continue;
        if (!any) fprintf(f, title, "norm", "sums", "bytes of them", "normalised");
        any = true;
        const char *from = terms->cpu.gathered ? terms->in[0]->producer->out[0]->name : NULL;
        char bytes[24];
        snprintf(bytes, sizeof bytes, "%" PRId64, terms->memory.scratch);
        fprintf(f, title, n->out[0]->name, from ? ir_format(g->arena, "by %s", from) : "by a pass over x",
                bytes, n->out[0]->cpu.on_load ? "by its reader, on load" : "by a pass over x");
    }
}
