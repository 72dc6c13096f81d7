/* check.c: what is checked of a case without compiling C. */
#include "codegen.h"
#include "fuzz_graphs.h"
#include "pipeline.h"
#include "plan_interp.h"
#include "plan_verify.h"

#include <stdlib.h>
#include <string.h>

static void wrong(fuzz_result *r, const char *what, const char *why) {
    r->verdict = FUZZ_WRONG;
    snprintf(r->text, sizeof r->text, "%s: %.900s", what, why);
}

/* Bad input and what a target has no kernel for are refused; all else is a defect. */
static void judge(fuzz_result *r, const char *what, const ir_diag *d) {
    r->verdict = d->code == IR_EXIT_UNSUPPORTED || d->code == IR_EXIT_INPUT ? FUZZ_REFUSED : FUZZ_WRONG;
    snprintf(r->text, sizeof r->text, "%s: %.900s", what, d->text);
}

static const void *data_of(void *ctx, const char *name, uint64_t hash, size_t bytes) {
    (void)hash, (void)bytes;
    const ir_tensor *t = ir_find_tensor(ctx, name);
    return t ? t->data : NULL;
}

/* print(parse(print(g))) is print(g). */
static bool check_text(ir_graph *g, const char *when, fuzz_result *r) {
    ir_diag d = {0};
    char *first = ir_print_string(g), *second = NULL;
    ir_graph *again = ir_parse(first, "printed", data_of, g, &d);
    if (again) second = ir_print_string(again);
    bool same = second && strcmp(first, second) == 0;
    if (!same) wrong(r, when, again ? "the printed text does not print itself" : d.text);
    ir_graph_free(again);
    free(first);
    free(second);
    return same;
}

static bool no_file(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    (void)ctx, (void)path, (void)data, (void)size, (void)d;
    return true;
}

/* Whether the target has a kernel for everything. */
static bool check_kernels(const ir_graph *g, ir_diag *d) {
    if (g->goals.target == IR_TARGET_C) return cg_prepared_bytes(g, d) >= 0;
    const cg_options o = {.version = "0", .options = "", .input = "case.ir"};
    return cg_write_bundle(g, &o, no_file, NULL, d);
}

/* Whether a small error can become a large one: then results in halves say nothing, but whose bytes are read
 * does. */
static bool jumps(const ir_graph *planned) {
    static const ir_op ops[] = {IR_OP_FLOOR,         IR_OP_CEIL,      IR_OP_ROUND, IR_OP_CAST,
                                IR_OP_ARG_MAX,       IR_OP_GREATER,   IR_OP_LESS,  IR_OP_EQUAL,
                                IR_OP_GREATER_EQUAL, IR_OP_LESS_EQUAL};
    bool halves = fuzz_features_of(planned) >> FUZZ_HALF & 1, jump = false;
    for (int i = 0; halves && i < planned->n_nodes; i++)
        for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) jump |= planned->nodes[i]->op == ops[k];
    return jump;
}

/* Whether a graph subtracts what is nearly the same: then any plan's result is as good as another. */
static bool cancels(const ir_graph *g, const ir_graph *planned) {
    const bool halves = fuzz_features_of(planned) >> FUZZ_HALF & 1;
    ir_diag d = {0};
    ir_value *in = calloc((size_t)g->n_inputs + 1, sizeof *in);
    bool ok = in && fuzz_inputs(g, in, &d) && fuzz_rounding_decides(g, in, halves ? 1.2e-4 : 1e-3);
    if (in) ir_values_free(in, g->n_inputs);
    free(in);
    return ok;
}

static void check_plan(const ir_graph *g, ir_graph *planned, const fuzz_options *o, fuzz_result *r) {
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int passes;
    if (!fuzz_set_goals(planned, o, &d)) {
        judge(r, "options", &d);
        return;
    }
    if (!pipeline_run(planned, &(pipeline_options){0}, reports, &passes, &d)) {
        judge(r, "passes", &d);
        return;
    }
    r->features |= fuzz_features_of(planned);
    for (int i = 0; o->target == IR_TARGET_C && i < passes; i++)
        r->features |= fuzz_features_of_report(&reports[i]);
    if (!check_text(planned, "text of the plan", r)) return;
    if (!check_kernels(planned, &d))
        judge(r, "kernels", &d);
    else if (!plan_check(g, planned, 1, &d) &&
             !(strstr(d.text, "plan: output") && (jumps(planned) || cancels(g, planned))))
        wrong(r, "plan", d.text);
}

void fuzz_check(const char *text, const fuzz_options *o, fuzz_result *r) {
    ir_diag d = {0};
    *r = (fuzz_result){.verdict = FUZZ_OK};
    ir_graph *g = ir_parse(text, "case", NULL, NULL, &d);
    if (!g) {
        wrong(r, "parse", d.text);
        return;
    }
    if (o->target == IR_TARGET_C) r->features = fuzz_features_of_source(g);
    if (!plan_verify(g, &d)) {
        wrong(r, "verify", d.text);
    } else if (check_text(g, "text", r)) {
        ir_graph *planned = ir_copy(g);
        check_plan(g, planned, o, r);
        ir_graph_free(planned);
    }
    bool c = o->target == IR_TARGET_C;
    if (r->verdict == FUZZ_OK) r->features |= UINT64_C(1) << (c ? FUZZ_PLANNED_C : FUZZ_PLANNED_CUDA);
    if (r->verdict == FUZZ_REFUSED) r->features |= UINT64_C(1) << (c ? FUZZ_REFUSED_C : FUZZ_REFUSED_CUDA);
    ir_graph_free(g);
}
