#include "fit.h"

#include "algorithm.h"
#include "codegen.h"
#include "pipeline.h"

const char *fit_name(ir_thrift thrift) {
    static const char *const names[IR_THRIFT_COUNT] = {
        [IR_FASTEST] = "fastest",
        [IR_WEIGHTS_ON_THE_WAY] = "weights transformed on the way",
        [IR_TWO_LANES] = "and scratch memory for 2 threads",
        [IR_ONE_LANE] = "and scratch memory for 1 thread",
        [IR_DIRECT] = "direct convolutions only",
    };
    return names[thrift];
}

static double conv_cycles(const ir_graph *g) {
    double sum = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_CONV) sum += cg_algorithm_of(g->nodes[i]).cycles;
    return sum;
}

fit_point fit_measure(const ir_graph *g, ir_thrift thrift) {
    ir_graph *copy = ir_copy(g);
    copy->goals.thrift = thrift;
    pass_report reports[MAX_PASSES];
    int passes;
    ir_diag d = {0};
    fit_point p = {0};
    if (pipeline_run(copy, &(pipeline_options){0}, reports, &passes, &d)) {
        p = (fit_point){true, copy->arena_bytes, cg_prepared_bytes(copy, &d), conv_cycles(copy)};
        p.ok = p.prepared >= 0;
    }
    ir_graph_free(copy);
    return p;
}

bool fit(ir_graph *g, ir_diag *d) {
    int64_t least = INT64_MAX;
    for (int thrift = 0; g->goals.max_memory && thrift < IR_THRIFT_COUNT; thrift++) {
        g->goals.thrift = (ir_thrift)thrift;
        fit_point p = fit_measure(g, g->goals.thrift);
        if (!p.ok || p.arena + p.prepared <= g->goals.max_memory)
            return true; /* emitting says what is wrong */
        if (p.arena + p.prepared < least) least = p.arena + p.prepared;
    }
    return !g->goals.max_memory ||
           ir_fail(
               d, IR_EXIT_INPUT,
               "--max-memory: %s needs %lld bytes of arena and prepared weights at least, the limit is %lld: "
               "raise it, or choose a smaller input",
               g->name, (long long)least, (long long)g->goals.max_memory);
}
