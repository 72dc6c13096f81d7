/* voxc compile: a model to a bundle. */
#include "algorithm.h"
#include "around.h"
#include "choose.h"
#include "codegen.h"
#include "files.h"
#include "fit.h"
#include "folds.h"
#include "golden.h"
#include "load.h"
#include "tune.h"
#include "verbs.h"
#include "version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool emit_file(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    return file_dir_write(ctx, path, data, size, d);
}

/* Files that are not the code generator's, for its manifest. */
typedef struct written {
    file_dir *out;
    ir_arena *arena;
    cg_file *file;
    int count, capacity;
} written;

static bool emit_listed(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    written *w = ctx;
    if (w->count == w->capacity) {
        w->capacity = 2 * w->capacity + 8;
        cg_file *more = ir_alloc(w->arena, (size_t)w->capacity, sizeof *more);
        if (w->count) memcpy(more, w->file, (size_t)w->count * sizeof *more);
        w->file = more;
    }
    cg_file *f = &w->file[w->count++];
    *f = (cg_file){.path = ir_strdup(w->arena, path), .bytes = (int64_t)size};
    cg_sha256(data, size, f->sha256);
    return file_dir_write(w->out, path, data, size, d);
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool hash_model(const char *path, char text[CG_SHA256_TEXT], ir_diag *d) {
    size_t n;
    char *data = file_read(path, SIZE_MAX, &n, d);
    if (!data) return false;
    cg_sha256(data, n, text);
    free(data);
    return true;
}

static int processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}

bool set_goals(const options *o, ir_target target, ir_graph *g, ir_diag *d) {
    return options_goals(o, target, &g->goals, d) && (!o->tuning || tune_read(o->tuning, g, d));
}

bool write_memory_report(const options *o, const ir_graph *g, ir_diag *d) {
    if (!o->memory_report) return true;
    cg_options c = {.version = VOXC_VERSION, .options = "", .input = file_name(o->model)};
    const char *text = cg_memory_report(g, &c, o->memory_report, d);
    return text && file_write_atomic(o->memory_report, text, strlen(text), d);
}

bool emit_bundle(const ir_graph *g, const ir_graph *gpu, const cg_options *c, cg_emit *emit, void *ctx,
                 ir_diag *d) {
    if (gpu) return cg_write_both(g, gpu, c, emit, ctx, d);
    return cg_write_bundle(g, c, emit, ctx, d);
}

/* gpu: NULL, or the same model for the other target, into the same bundle. */
static bool write_graphs(const options *o, ir_graph *g, ir_graph *gpu, const char *dir, ir_diag *d) {
    pipeline_options p = {.dump_dir = o->dump_dir, .dump_after = o->dump_after, .verbose = o->verbose};
    pass_report reports[MAX_PASSES];
    int passes;
    cg_options c = {
        .version = VOXC_VERSION, .options = options_text(o, g->arena), .input = file_name(o->model)};
    if (gpu && !pipeline_run(gpu, &(pipeline_options){0}, reports, &passes, d)) return false;
    if (!pipeline_run(g, &p, reports, &passes, d) || !hash_model(o->model, c.input_sha256, d)) return false;
    file_dir *out = file_dir_begin(dir, o->force, d);
    if (!out) return false;
    written more = {.out = out, .arena = g->arena};
    bool ok = (!o->golden || golden_write(g, processors(), emit_listed, &more, d)) &&
              folds_write(o, g, gpu, &c, emit_listed, &more, d);
    c.more = more.file;
    c.n_more = more.count;
    if (ok && emit_bundle(g, gpu, &c, emit_file, out, d) && write_memory_report(o, g, d))
        return file_dir_commit(out, d);
    file_dir_abort(out);
    return false;
}

bool write_graph(const options *o, ir_graph *g, const char *dir, ir_diag *d) {
    return write_graphs(o, g, NULL, dir, d);
}

static bool compile_graphs(const options *o, ir_graph *g, ir_graph *gpu, const char *dir, ir_diag *d) {
    if (!set_goals(o, IR_TARGET_C, g, d) || (o->tune && !tune(o, g, d)) || !fit(g, d) ||
        !write_graphs(o, g, gpu, dir, d))
        return false;
    if (o->opt_report) cg_algorithm_report(g, stderr), cg_norm_report(g, stderr);
    return true;
}

bool compile_graph(const options *o, ir_graph *g, const char *dir, ir_diag *d) {
    return compile_graphs(o, g, NULL, dir, d);
}

static bool plan_gpu(const options *o, ir_graph *g, ir_diag *d) {
    return set_goals(o, IR_TARGET_CUDA, g, d) && fit(g, d);
}

/* Both targets plan the model in their own way, so one of them takes a copy. */
static bool compile_both(const options *o, ir_graph *g, ir_diag *d) {
    ir_graph *gpu = ir_copy(g);
    bool ok = plan_gpu(o, gpu, d) && compile_graphs(o, g, gpu, o->output, d);
    ir_graph_free(gpu);
    return ok;
}

static bool compile(const options *o, ir_graph *g, ir_diag *d) {
    const unsigned targets = options_targets(o), c = 1u << IR_TARGET_C;
    if (targets == c) return compile_graph(o, g, o->output, d);
    if (targets & c) return compile_both(o, g, d);
    return plan_gpu(o, g, d) && write_graph(o, g, o->output, d);
}

/* At the edges of its tiles a padded network sees zeros in the place of the volume. */
static void warn_seams(const options *o, const ir_graph *g) {
    const vox_volume_info *v = &g->volume.info;
    if (!g->volume.present || v->border == VOX_BORDER_NONE || v->overlap > 0 || !ir_is_padded(g) ||
        g->outputs[0]->dtype != IR_F32)
        return;
    fprintf(
        stderr,
        "voxc: warning: %s: the volume section asks for `overlap: 0`, but this network pads its tiles: where "
        "they touch, labels are wrong in visible seams; `overlap: 0.5` is the default\n",
        o->model);
}

static int compile_model(const options *o, ir_diag *d) {
    ir_graph *g = load_model(o, LOAD_WEIGHTS, d);
    if (!g) return d->code;
    warn_seams(o, g);
    if (compile(o, g, d) && isatty(STDERR_FILENO))
        fprintf(stderr, "voxc: wrote %s (arena %.1f MiB); build it with: make -C %s\n", o->output,
                (double)g->arena_bytes / 1048576.0, o->output);
    ir_graph_free(g);
    return d->code;
}

/* Which tile it is, and why no other. */
static void say_chosen(const options *o, const tile_choice *c) {
    const tile_row *r = &c->row[c->chosen];
    const int *in = r->shape.in;
    if (c->bound_to)
        fprintf(stderr, "voxc: warning: %s: --volume-size leaves the tile at %dx%dx%d: %s\n", o->model, in[0],
                in[1], in[2], c->bound_to);
    else if (isatty(STDERR_FILENO))
        fprintf(stderr, "voxc: tile %dx%dx%d, %lld runs (voxc inspect shows the others)\n", in[0], in[1],
                in[2], (long long)r->need.runs);
}

int verb_compile(const options *o, ir_diag *d) {
    options chosen;
    tile_choice *found;
    ir_graph *as_written;
    if (!o->volume_size) return compile_model(o, d);
    if (choose_tile(o, &chosen, &found, &as_written, d)) {
        say_chosen(o, found);
        compile_model(&chosen, d);
    }
    free(found);
    if (as_written) ir_graph_free(as_written);
    return d->code;
}
