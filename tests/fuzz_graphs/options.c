/* options.c: the options of `voxc compile` that planning depends on. */
#include "fit.h"
#include "fuzz_graphs.h"

#include <stdlib.h>
#include <string.h>

static const fuzz_options defaults = {.lanes = 4};

fuzz_options fuzz_random_options(fuzz_dice *d, ir_target target) {
    static const int lanes[] = {1, 2, 3, 4, 4, 4, 4, 8, 16};
    fuzz_options o = defaults;
    o.target = target;
    o.whole = dice_chance(d, 10);
    if (dice_chance(d, target == IR_TARGET_C ? 20 : 40)) o.thrift = dice_below(d, IR_THRIFT_COUNT);
    if (dice_chance(d, 6)) o.memory = dice_range(d, 40, 130);
    if (target == IR_TARGET_CUDA) {
        o.precision = (ir_precision)dice_below(d, IR_PRECISION_COUNT);
        return o;
    }
    o.lanes = DICE_PICK(d, lanes);
    o.strict = dice_chance(d, 20);
    if (dice_chance(d, 35)) o.tuned = 1 + dice_bits(d) % 1000;
    return o;
}

static const char *const precisions[] = {
#define X(symbol, name, storage, channels) name,
    IR_PRECISIONS(X)
#undef X
};

char *fuzz_options_text(const fuzz_options *o, char *buf, size_t n) {
    snprintf(buf, n, "# options: target=%s precision=%s threads=%d thrift=%d memory=%d tuned=%llu%s%s",
             o->target == IR_TARGET_C ? "c" : "cuda", precisions[o->precision], o->lanes, o->thrift,
             o->memory, (unsigned long long)o->tuned, o->strict ? " strict" : "",
             o->whole ? " no-stream" : "");
    return buf;
}

/* The number behind `key` in a line; `absent` where it has none. */
static int number_of(const char *line, const char *key, int absent) {
    const char *at = strstr(line, key);
    return at ? atoi(at + strlen(key)) : absent;
}

fuzz_options fuzz_options_read(const char *text) {
    fuzz_options o = defaults;
    const char *at = strstr(text, "# options:");
    if (!at) return o;
    char line[256];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    if (strstr(line, "target=cuda")) o.target = IR_TARGET_CUDA;
    for (int i = 0; i < IR_PRECISION_COUNT; i++) {
        char word[32];
        snprintf(word, sizeof word, "precision=%s ", precisions[i]);
        if (strstr(line, word)) o.precision = (ir_precision)i;
    }
    o.lanes = number_of(line, "threads=", o.lanes);
    o.thrift = number_of(line, "thrift=", 0);
    o.memory = number_of(line, "memory=", 0);
    o.tuned = (uint64_t)number_of(line, "tuned=", 0);
    o.strict = strstr(line, " strict") != NULL;
    o.whole = strstr(line, " no-stream") != NULL;
    return o;
}

/* A choice for every conv, as if it had been measured; those that are not legal are passed over. */
static void set_tuned(ir_graph *g, uint64_t seed) {
    static const ir_tuned ways[] = {{NULL, "direct", {0, 0, 0}},   {NULL, "winograd", {4, 4, 4}},
                                    {NULL, "winograd", {2, 4, 4}}, {NULL, "deep", {4, 4, 4}},
                                    {NULL, "winograd", {4, 4, 2}}, {NULL, "winograd", {2, 2, 2}},
                                    {NULL, "deep", {2, 2, 4}},     {NULL, "deep", {4, 2, 2}},
                                    {NULL, "deep", {2, 2, 2}},     {NULL, "few", {4, 4, 1}}};
    ir_tuned *all = ir_alloc(g->arena, (size_t)g->n_nodes + 1, sizeof *all);
    for (int i = 0; i < g->n_nodes; i++) {
        const char *name = g->nodes[i]->out[0]->name;
        if (g->nodes[i]->op != IR_OP_CONV) continue;
        uint64_t bits = ir_mix(ir_hash(name, strlen(name)) ^ seed * UINT64_C(0x9E3779B97F4A7C15));
        all[g->goals.n_tuned] = ways[bits % (sizeof ways / sizeof *ways)];
        all[g->goals.n_tuned++].layer = name;
    }
    g->goals.tuned = all;
}

bool fuzz_set_goals(ir_graph *g, const fuzz_options *o, ir_diag *d) {
    g->goals = (ir_goals){.target = o->target,
                          .precision = o->precision,
                          .strict = o->strict,
                          .whole = o->whole,
                          .lanes = o->lanes,
                          .thrift = (ir_thrift)o->thrift,
                          .workspace_cap = -1};
    if (o->tuned) set_tuned(g, o->tuned);
    if (o->memory) {
        fit_point p = fit_measure(g, IR_FASTEST);
        if (p.ok) g->goals.max_memory = 1 + (p.arena + p.prepared) * o->memory / 100;
    }
    return fit(g, d);
}
