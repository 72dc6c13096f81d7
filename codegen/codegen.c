/* codegen.c: bundles and memory reports of both targets. */
#include "codegen.h"

#include "embed.h"
#include "gpu_model.h"
#include "layer_check.h"
#include "memory_table.h"
#include "target_c.h"
#include "target_cuda.h"

#include <string.h>

/* ---- memory reports -------------------------------------------------------------------------- */

typedef const char *report(const cg_model *m);
static const struct {
    const char *extension; /* the first that a path ends with */
    report *text;
} reports[] = {{".trace.json", cg_memory_trace}, {".json", cg_memory_json}, {".svg", cg_memory_svg}};

static report *find_report(const char *path, ir_diag *d) {
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        size_t n = strlen(path), end = strlen(reports[i].extension);
        if (n > end && strcmp(path + n - end, reports[i].extension) == 0) return reports[i].text;
    }
    ir_fail(d, IR_EXIT_INPUT,
            "--memory-report %s: the extension names the format: .json, .svg (a picture) or .trace.json (for "
            "Perfetto)",
            path);
    return NULL;
}

bool cg_check_report_path(const char *path, ir_diag *d) {
    return find_report(path, d) != NULL;
}

static bool use_weights(cg_model *m, ir_diag *d) {
    if (m->g->goals.target == IR_TARGET_C) return c_use_weights(m, d);
    m->prepared_bytes = cg_gpu_weight_bytes(m->g);
    return true;
}

int64_t cg_prepared_bytes(const ir_graph *g, ir_diag *d) {
    static const cg_options none = {.version = "", .options = "", .input = ""};
    cg_model *m = cg_model_new(g, &none, d);
    return m && use_weights(m, d) ? m->prepared_bytes : -1;
}

const char *cg_memory_report(const ir_graph *g, const cg_options *options, const char *path, ir_diag *d) {
    report *text = find_report(path, d);
    cg_model *m = text && c_check(g, d) ? cg_model_new(g, options, d) : NULL;
    return m && use_weights(m, d) ? text(m) : NULL;
}

/* ---- bundles --------------------------------------------------------------------------------- */

/* cuda: NULL, or the other target's model. */
static bool put_runtime(cg_bundle *b, const cg_model *cuda) {
    for (const embedded_file *f = embedded_files; f->path; f++)
        if ((c_uses_file(b->m, f->path) || (cuda && cu_uses_file(cuda, f->path))) &&
            !cg_put(b, f->path, f->text, f->size))
            return false;
    return true;
}

/* cuda: NULL, or the other target's model, whose files go into the same bundle. */
static bool put_bundle(cg_bundle *b, cg_model *cuda) {
    const cg_model *m = b->m;
    if (cuda) cg_share_weights(b->m, cuda);
    return c_put_code(b) && (cuda || c_put_build_files(b)) && c_put_readme(b) && cg_put_graph(b, m, ".ir") &&
           cg_put_text(b, "memory.json", cg_memory_json(m)) && (!cuda || cu_put_beside_c(b, cuda)) &&
           cg_put_text(b, "LICENSE", cg_licence(m->arena)) && put_runtime(b, cuda) && cg_put_weights(b) &&
           cg_put_manifest(b, cuda ? "c,cuda" : "c", c_add_layer_check);
}

static bool write_c(const ir_graph *g, const ir_graph *cuda, const cg_options *options, cg_emit *emit,
                    void *ctx, ir_diag *d) {
    if (!c_check(g, d)) return false;
    cg_model *m = cg_model_new(g, options, d), *other = m && cuda ? cg_model_new(cuda, options, d) : NULL;
    if (!m || !cg_has_data(m, d) || (cuda && (!other || !cg_has_data(other, d)))) return false;
    cg_bundle *b = ir_alloc(m->arena, 1, sizeof *b);
    *b = (cg_bundle){.m = m, .emit = emit, .ctx = ctx, .d = d};
    return put_bundle(b, other);
}

bool cg_write_bundle(const ir_graph *g, const cg_options *options, cg_emit *emit, void *ctx, ir_diag *d) {
    if (g->goals.target == IR_TARGET_CUDA) return cu_write_bundle(g, options, emit, ctx, d);
    return write_c(g, NULL, options, emit, ctx, d);
}

bool cg_write_both(const ir_graph *c, const ir_graph *cuda, const cg_options *options, cg_emit *emit,
                   void *ctx, ir_diag *d) {
    return write_c(c, cuda, options, emit, ctx, d);
}
