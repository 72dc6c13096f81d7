#include "folds.h"

#include "load.h"
#include "pipeline.h"
#include "verbs.h"

#include <string.h>

/* Where a weight file holds the hash of the code that it is for: vox_weights.h. */
enum { HASH_AT = 16, MOST_FILES = 256 };

/* What a bundle consists of. */
typedef struct contents {
    ir_arena *arena;
    int count;
    cg_file file[MOST_FILES];
    const unsigned char *weights;
    size_t weights_size;
} contents;

static bool ends_with(const char *path, const char *end) {
    const size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static bool collect(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    contents *all = ctx;
    if (all->count == MOST_FILES)
        return ir_fail(d, IR_EXIT_FAILURE, "a bundle of more than %d files", MOST_FILES);
    cg_file *f = &all->file[all->count++];
    *f = (cg_file){.path = ir_strdup(all->arena, path), .bytes = (int64_t)size};
    cg_sha256(data, size, f->sha256);
    if (!ends_with(path, ".weights")) return true;
    unsigned char *copy = ir_alloc(all->arena, size, 1);
    memcpy(copy, data, size);
    all->weights = copy;
    all->weights_size = size;
    return true;
}

/* Files that hold values of weights, or their hashes. */
static bool holds_values(const char *path) {
    return ends_with(path, ".ir") || ends_with(path, ".weights") || !strcmp(path, "manifest.json");
}

/* The first file of the code that is not the same; NULL: there is none. */
static const char *difference(const contents *a, const contents *b) {
    if (a->count != b->count) return "the list of files";
    for (int i = 0; i < a->count; i++) {
        const bool same =
            strcmp(a->file[i].path, b->file[i].path) == 0 &&
            (holds_values(a->file[i].path) || strcmp(a->file[i].sha256, b->file[i].sha256) == 0);
        if (!same) return a->file[i].path;
    }
    return NULL;
}

static uint64_t code_hash(const contents *all) {
    uint64_t hash = 0;
    for (int i = 8; i-- > 0;) hash = hash << 8 | all->weights[HASH_AT + i];
    return hash;
}

/* The model of a fold, not planned. */
static ir_graph *load_fold(const options *o, const char *path, const ir_graph *g, ir_diag *d) {
    options fold = *o;
    if (ends_with(o->model, ".onnx"))
        fold.model = path;
    else
        fold.weights = path, fold.init = NULL;
    ir_graph *f = load_model(&fold, LOAD_WEIGHTS, d);
    if (!f) return NULL;
    f->name = ir_strdup(f->arena, g->name);
    f->goals = g->goals;
    return f;
}

static bool plan(ir_graph *g, ir_diag *d) {
    pass_report reports[MAX_PASSES];
    int passes;
    return pipeline_run(g, &(pipeline_options){0}, reports, &passes, d);
}

/* Plans a fold and collects its bundle. */
static bool collect_fold(ir_graph *f, const ir_graph *gpu, const cg_options *c, contents *all, ir_diag *d) {
    ir_graph *copy = gpu ? ir_copy(f) : NULL;
    if (copy) copy->goals = gpu->goals;
    const bool ok = (!copy || plan(copy, d)) && plan(f, d) && emit_bundle(f, copy, c, collect, all, d);
    ir_graph_free(copy);
    return ok;
}

static bool check_fold(const options *o, const char *path, const contents *own, const contents *all,
                       ir_diag *d) {
    const char *other = difference(own, all);
    return !other || ir_fail(d, IR_EXIT_INPUT,
                             "--fold %s: this is another network than %s: its code would differ in %s; folds "
                             "differ in the values of their weights only",
                             path, o->model, other);
}

bool folds_write(const options *o, const ir_graph *g, const ir_graph *gpu, const cg_options *c, cg_emit *emit,
                 void *ctx, ir_diag *d) {
    if (!o->n_folds) return true;
    contents *own = ir_alloc(g->arena, 1, sizeof *own);
    own->arena = g->arena;
    if (!emit_bundle(g, gpu, c, collect, own, d)) return false;
    if (!own->weights) return ir_fail(d, IR_EXIT_INPUT, "--fold: %s has no weights", g->name);
    cg_options with = *c;
    with.code_hash = code_hash(own);
    for (int i = 0; i < o->n_folds; i++) {
        contents *all = ir_alloc(g->arena, 1, sizeof *all);
        const char *path = ir_format(g->arena, "%s.fold%d.weights", g->name, i + 1);
        ir_graph *f = load_fold(o, o->fold[i], g, d);
        all->arena = g->arena;
        const bool ok = f && collect_fold(f, gpu, &with, all, d) && check_fold(o, o->fold[i], own, all, d) &&
                        emit(ctx, path, all->weights, all->weights_size, d);
        ir_graph_free(f);
        if (!ok) return false;
    }
    return true;
}
