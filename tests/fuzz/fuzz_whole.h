/* fuzz_whole.h: the rest of `voxc compile` for a graph that a target has read: passes, then the bundle's text and
 * weights, into nothing. */
#ifndef FUZZ_WHOLE_H
#define FUZZ_WHOLE_H

#include "fuzz.h"

#include "codegen.h"
#include "fit.h"
#include "options.h"
#include "pipeline.h"

enum { MOST_CONSTANTS = 1 << 20 }; /* elements; more only take time */

/* Stands in for the compiler's, which takes half of a run for files of the runtime that
 * are always the same. */
void cg_sha256(const void *data, size_t size, char text[CG_SHA256_TEXT]) {
    (void)data;
    snprintf(text, CG_SHA256_TEXT, "%064zx", size);
}

/* Looks at each byte of what is generated. */
static bool fuzz_emit(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    (void)d;
    if (strncmp(path, "runtime/", 8) != 0) *(uint64_t *)ctx += ir_hash(data, size);
    return true;
}

/* Zeros for constants without data; false where there is too much of it. */
static bool fuzz_fill(ir_graph *g) {
    int64_t all = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->role == IR_ROLE_CONST && ir_count(g->tensors[i]) <= MOST_CONSTANTS)
            all += ir_count(g->tensors[i]);
        else if (g->tensors[i]->role == IR_ROLE_CONST)
            return false;
    for (int i = 0; i < g->n_tensors && all <= MOST_CONSTANTS; i++) {
        ir_tensor *t = g->tensors[i];
        if (t->role != IR_ROLE_CONST || t->data) continue;
        t->data = ir_alloc(g->arena, (size_t)ir_bytes(t) + 1, 1);
        t->hash = ir_hash(t->data, (size_t)ir_bytes(t));
    }
    return all <= MOST_CONSTANTS;
}

/* The options that bits of `choice` stand for. */
static void fuzz_goals(ir_graph *g, uint64_t choice) {
    static const char *const precision[] = {"fp32", "tf32", "fp16", "bf16"};
    options o = {.verb = VERB_COMPILE};
    ir_diag d = {0};
    const bool gpu = choice & 1;
    o.precision = gpu ? precision[choice >> 1 & 3] : NULL;
    o.math = choice >> 3 & 1 ? "strict" : NULL;
    o.threads = choice >> 4 & 1 ? "1" : NULL;
    o.no_stream = (choice >> 5 & 3) == 0;
    o.max_memory = (choice >> 7 & 7) == 0 ? "100K" : NULL;
    FUZZ_CHECK(options_goals(&o, gpu ? IR_TARGET_CUDA : IR_TARGET_C, &g->goals, &d), "%s", d.text);
}

/* g stays the caller's. */
static FUZZ_UNUSED void fuzz_whole(ir_graph *g, uint64_t choice) {
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int passes;
    uint64_t sum = 0;
    if (!fuzz_fill(g)) return;
    fuzz_goals(g, choice);
    const cg_options c = {.version = "0", .options = "", .input = "fuzz"};
    if (!fit(g, &d) || !pipeline_run(g, &(pipeline_options){0}, reports, &passes, &d) ||
        !cg_write_bundle(g, &c, fuzz_emit, &sum, &d))
        fuzz_refused(&d);
}

#endif
