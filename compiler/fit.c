#include "fit.h"

#include "algorithm.h"
#include "codegen.h"
#include "conv_shape.h"
#include "gpu_model.h"
#include "pipeline.h"

static const int64_t DEFAULT_CAP = (int64_t)256 << 20;

const char *fit_name(ir_target target, ir_thrift thrift) {
    static const char *const names[][IR_THRIFT_COUNT] = {
        [IR_TARGET_C] =
            {
                [IR_FASTEST] = "fastest",
                [IR_WEIGHTS_ON_THE_WAY] = "weights transformed on the way",
                [IR_TWO_LANES] = "and scratch memory for 2 threads",
                [IR_ONE_LANE] = "and scratch memory for 1 thread",
                [IR_DIRECT] = "direct convolutions only",
            },
        [IR_TARGET_CUDA] = {"1.5 times the launches at most", "2 times", "3 times", "5 times", "17 times"},
    };
    return names[target][thrift];
}

static double conv_cycles(const ir_graph *g) {
    double sum = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_CONV) sum += cg_algorithm_of(g->nodes[i]).cycles;
    return sum;
}

/* Sums of products in the register tiles of direct convolutions. */
static double transposed_cycles(const ir_graph *g) {
    double sum = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == IR_OP_CONV_TRANSPOSE) sum += (double)ir_macs(g->nodes[i]);
    return sum / IR_BLOCK / CG_TILE_RATE;
}

fit_point fit_measure(const ir_graph *g, ir_thrift thrift) {
    ir_graph *copy = ir_copy(g);
    copy->goals.thrift = thrift;
    pass_report reports[MAX_PASSES];
    int passes;
    ir_diag d = {0};
    fit_point p = {0};
    if (pipeline_run(copy, &(pipeline_options){0}, reports, &passes, &d)) {
        bool gpu = copy->goals.target == IR_TARGET_CUDA;
        p = (fit_point){.arena = copy->arena_bytes};
        p.prepared = gpu ? cg_gpu_weight_bytes(copy) : cg_prepared_bytes(copy, &d);
        p.ok = p.prepared >= 0;
        if (gpu)
            p.launches = cg_gpu_launches(copy);
        else
            p.cycles = conv_cycles(copy), p.transposed = transposed_cycles(copy);
    }
    ir_graph_free(copy);
    return p;
}

/* What cuDNN's workspace must have at least, beside arena and weights. */
static int64_t least_workspace(const ir_goals *goals) {
    return goals->target == IR_TARGET_CUDA && goals->workspace_cap > 0 ? goals->workspace_cap : 0;
}

/* Gives the workspace what is left, unless its size was asked for. */
static void give_workspace(ir_goals *goals, int64_t left) {
    if (goals->workspace_cap < 0) goals->workspace_cap = left < DEFAULT_CAP ? left : DEFAULT_CAP;
}

static bool refuse(const ir_graph *g, int64_t least, ir_diag *d) {
    const char *workspace = least_workspace(&g->goals) ? " and --workspace-cap" : "";
    return ir_fail(d, IR_EXIT_INPUT,
                   "--max-memory: %s needs %lld bytes of arena and prepared weights%s at least, the limit is "
                   "%lld: raise it, or choose a smaller input",
                   g->name, (long long)least, workspace, (long long)g->goals.max_memory);
}

bool fit(ir_graph *g, ir_diag *d) {
    int64_t least = INT64_MAX, limit = g->goals.max_memory;
    for (int thrift = 0; limit && thrift < IR_THRIFT_COUNT; thrift++) {
        g->goals.thrift = (ir_thrift)thrift;
        fit_point p = fit_measure(g, g->goals.thrift);
        if (!p.ok) return true; /* emitting says what is wrong */
        int64_t needed = p.arena + p.prepared + least_workspace(&g->goals);
        if (needed <= limit) {
            give_workspace(&g->goals, limit - needed);
            return true;
        }
        if (needed < least) least = needed;
    }
    if (limit) return refuse(g, least, d);
    give_workspace(&g->goals, DEFAULT_CAP);
    return true;
}
