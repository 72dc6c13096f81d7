/* features.c: what the passes did to a graph, for the table of coverage. */
#include "fuzz_graphs.h"
#include "pipeline.h"
#include "way.h"

#include <string.h>

const char *const fuzz_feature_names[FUZZ_FEATURE_COUNT] = {
#define X(symbol, text) text,
    FUZZ_FEATURES(X)
#undef X
};
_Static_assert(FUZZ_FEATURE_COUNT <= 64, "a bit for every feature");

#define BIT(symbol) (UINT64_C(1) << FUZZ_##symbol)
static fuzz_features when(bool has, fuzz_features bit) {
    return has ? bit : 0;
}

fuzz_features fuzz_features_of_source(const ir_graph *g) {
    fuzz_features f = when(g->n_inputs > 1, BIT(INPUTS)) | when(g->n_outputs > 1, BIT(OUTPUTS));
    const ir_tensor *x = g->inputs[0];
    f |= when(x->dim[0] > 1, BIT(BATCH));
    return f | when(x->rank == 3, BIT(SPACE_1)) | when(x->rank == 4, BIT(SPACE_2)) |
           when(x->rank == 5, BIT(SPACE_3));
}

fuzz_features fuzz_features_of_report(const pass_report *r) {
    static const struct {
        const char *name;
        fuzz_features bit;
    } passes[] = {
        {"fold", BIT(FOLDED)}, {"norm", BIT(NORM_FOLDED)}, {"outputs", BIT(COPIED)}, {"terms", BIT(TERMS)}};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
        if (strcmp(r->name, passes[i].name) == 0) return when(r->changed, passes[i].bit);
    return 0;
}

static fuzz_features of_conv(const ir_graph *g, const ir_node *n) {
    fuzz_features f = when(ir_get(n, IR_ACT) != NULL, BIT(ACT)) | when(ir_skip(n) != NULL, BIT(SKIP));
    const cg_way *way = cg_way_of(n);
    f |= when(g->goals.target == IR_TARGET_C && !n->cpu.tile[0], BIT(DIRECT));
    f |= when(way == &cg_way_winograd, BIT(WINOGRAD)) | when(way == &cg_way_deep, BIT(DEEP));
    return f | when(way == &cg_way_few, BIT(FEW)) | when(g->goals.n_tuned > 0, BIT(TUNED));
}

static fuzz_features of_node(const ir_graph *g, const ir_node *n) {
    bool convs = n->op == IR_OP_CONV, fused = n->n_in && n->in[0] && n->in[0]->cpu.fused;
    fuzz_features f = convs ? of_conv(g, n) : 0;
    f |= when(n->op == IR_OP_TO_BLOCK || n->op == IR_OP_FROM_BLOCK, BIT(CONVERTED));
    f |= when(fused && n->op == IR_OP_MAX_POOL, BIT(FUSED_POOL));
    f |= when(fused && n->op == IR_OP_SLICE, BIT(FUSED_CROP)) | when(n->cpu.joined, BIT(JOINED));
    f |= when(n->cpu.gathered, BIT(GATHERED)) | when(n->gpu.runner == IR_GPU_CUDNN, BIT(CUDNN));
    f |= when(n->gpu.runner == IR_GPU_KERNEL, BIT(KERNELS)) |
         when(n->gpu.runner == IR_GPU_GEMM_SCATTER, BIT(SCATTER));
    f |= when(n->gpu.runner == IR_GPU_DGRAD, BIT(DGRAD));
    return f | when(n->memory.stream && g->goals.target == IR_TARGET_C, BIT(STREAMED)) |
           when(n->memory.stream && g->goals.target == IR_TARGET_CUDA, BIT(SLABS));
}

static fuzz_features of_tensor(const ir_graph *g, const ir_tensor *t) {
    fuzz_features f = when(t->cpu.block != 0, BIT(BLOCKED)) | when(t->gpu.pitch != 0, BIT(CHANNELS_LAST));
    bool reshape = t->memory.view_of && t->producer && t->producer->op == IR_OP_RESHAPE;
    f |= when(t->memory.view_of && !reshape, BIT(MEMBER)) | when(reshape, BIT(RESHAPED));
    f |= when(t->cpu.on_load, BIT(ON_LOAD)) | when(t->gpu.storage != IR_STORE_OWN, BIT(HALF));
    f |= when(t->memory.ring && g->goals.target == IR_TARGET_C, BIT(RINGS));
    f |= when(t->memory.ring && g->goals.target == IR_TARGET_CUDA, BIT(WINDOWS));
    return f | when(ir_is_interleaved(t), BIT(INTERLEAVED));
}

fuzz_features fuzz_features_of(const ir_graph *g) {
    fuzz_features f = 0;
    for (int i = 0; i < g->n_nodes; i++) f |= of_node(g, g->nodes[i]);
    for (int i = 0; i < g->n_tensors; i++) f |= of_tensor(g, g->tensors[i]);
    return f;
}
