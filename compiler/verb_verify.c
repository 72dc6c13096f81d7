/* voxc verify: generated code against the double-precision interpreter, or against given tensors. */
#include "bundle.h"
#include "load.h"
#include "process.h"
#include "verbs.h"
#include "verify_bundle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double FAST_RMS = 5e-6, STRICT_RMS = 2e-6;

static bool read_limit(const char *option, const char *text, double *value, ir_diag *d) {
    *value = -1;
    return !text || options_number(option, text, value, d);
}

static bool read_tolerance(const options *o, tolerance *t, ir_diag *d) {
    if (!read_limit("--atol", o->atol, &t->atol, d) || !read_limit("--rtol", o->rtol, &t->rtol, d) ||
        !read_limit("--max-rms", o->max_rms, &t->max_rms, d) ||
        !read_limit("--max-ulp", o->max_ulp, &t->max_ulp, d) ||
        !read_limit("--min-dice", o->min_dice, &t->min_dice, d))
        return false;
    bool given = o->atol || o->rtol || o->max_rms || o->max_ulp || o->min_dice;
    bool strict = o->math && strcmp(o->math, "strict") == 0;
    if (!given) t->max_rms = strict ? STRICT_RMS : FAST_RMS;
    return true;
}

static void print_comparison(verify_run *r, const ir_tensor *t, const comparison *c, bool ok) {
    char type[128];
    ir_type_text(t, type, sizeof type);
    if (!r->o->json) {
        fprintf(
            r->report,
            "%s %s: max abs %.3g (got %.9g, expected %.9g), relative RMS %.3g, max ULP %.0f, Dice %.6f%s: "
            "%s\n",
            t->name, type, c->max_abs, c->worst_got, c->worst_expected, c->rms, c->max_ulp, c->min_dice,
            c->not_finite ? ", NaN or infinity on one side" : "", ok ? "ok" : "OUT OF TOLERANCE");
        return;
    }
    vox_json *j = &r->json;
    vox_json_begin(j, NULL, "{");
    vox_json_members(
        j, "name=%s type=%s max_abs=%.9g relative_rms=%.9g max_ulp=%.9g min_dice=%.9g not_finite=%" PRId64,
        t->name, type, c->max_abs, c->rms, c->max_ulp, c->min_dice, c->not_finite);
    vox_json_bool(j, "ok", ok);
    vox_json_end(j);
}

/* Returns the number of outputs out of tolerance. */
static int compare_outputs(verify_run *r) {
    const ir_graph *g = r->reference;
    const vox_volume_info *v = &g->volume.info;
    double level = g->volume.present && v->rule == VOX_THRESHOLD ? v->level : 0.5;
    int bad = 0;
    if (r->o->json) vox_json_begin(&r->json, "outputs", "[\n");
    for (int i = 0; i < g->n_outputs; i++) {
        comparison c = compare(g->outputs[i], &r->got[i], &r->expected[i], level, &r->limit);
        bool ok = compare_passes(&c, &r->limit);
        print_comparison(r, g->outputs[i], &c, ok);
        bad += !ok;
    }
    if (r->o->json) vox_json_end(&r->json);
    return bad;
}

static void say(const options *o, const char *text) {
    if (o->verbose || isatty(STDERR_FILENO)) fprintf(stderr, "voxc: %s\n", text);
}

/* The imported graph is the reference; a second copy becomes the bundle. */
static bool open_model(verify_run *r, int **numbers, ir_arena *a, ir_diag *d) {
    const options *o = r->o;
    r->reference = load_model(o, LOAD_WEIGHTS, d);
    r->planned = r->reference ? load_model(o, LOAD_WEIGHTS, d) : NULL;
    if (!r->planned) return false;
    *numbers = ir_alloc(a, (size_t)r->reference->n_inputs + 1, sizeof **numbers);
    r->bundle = ir_format(a, "%s/bundle", r->temp);
    return verify_bind_constants(r->reference, o->test_data_dir, *numbers, d) &&
           verify_bind_constants(r->planned, o->test_data_dir, *numbers, d);
}

static bool open_bundle(verify_run *r, int **numbers, ir_arena *a, ir_diag *d) {
    const options *o = r->o;
    if (o->weights || o->init || o->n_input_dims || o->model_name || o->volume || o->statistics)
        return ir_fail(
            d, IR_EXIT_INPUT,
            "%s is a bundle: --weights, --init, --input-dim, --model-name, --volume and --statistics were "
            "decided when it was compiled",
            o->model);
    r->planned = r->reference = bundle_load(o->model, d);
    if (!r->planned) return false;
    *numbers = ir_alloc(a, (size_t)r->reference->n_inputs + 1, sizeof **numbers);
    for (int i = 0; i < r->reference->n_inputs; i++) (*numbers)[i] = i;
    r->bundle = o->model;
    return true;
}

static bool build_bundle(verify_run *r, ir_arena *a, ir_diag *d) {
    say(r->o, "writing and building the bundle");
    if (r->planned != r->reference && !compile_graph(r->o, r->planned, r->bundle, d)) return false;
    return bundle_build(r->bundle, r->o->cc, ir_format(a, "%s/make.log", r->temp), d);
}

/* A stream's values never exist whole, so there is nothing to compare: a model is built without streams. */
static void say_streaming(verify_run *r) {
    int rings = 0;
    for (int i = 0; i < r->planned->n_tensors; i++) rings += r->planned->tensors[i]->memory.ring != 0;
    if (r->o->json)
        vox_json_bool(&r->json, "streaming", rings != 0);
    else if (rings)
        fprintf(r->report,
                "%d layers of this bundle are streamed and are not compared; the model is: voxc verify "
                "MODEL --per-node-accuracy\n",
                rings);
    else
        fprintf(r->report, "built without streaming, so that every layer's output exists whole\n");
}

/* JSON is held back until it is whole. */
static bool report_all(verify_run *r, int *bad, ir_diag *d) {
    char *text = NULL;
    size_t size;
    r->report = r->o->json ? open_memstream(&text, &size) : stdout;
    if (!r->report) return ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    int bad_layers = 0;
    if (r->o->json) {
        r->json = vox_json_file(r->report);
        vox_json_begin(&r->json, NULL, "{\n");
        vox_json_text(&r->json, "model", r->reference->name);
    }
    if (r->o->per_node) say_streaming(r);
    bool ok = !r->o->per_node || verify_layers(r, &bad_layers, d);
    if (ok) *bad = compare_outputs(r) + bad_layers;
    if (!r->o->json) return ok;
    vox_json_bool(&r->json, "ok", !*bad);
    vox_json_end(&r->json);
    if (fclose(r->report) != 0 || !text) ok = ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    if (ok) fputs(text, stdout);
    free(text);
    return ok;
}

/* Files are read first: a wrong one should not cost a build. */
static bool verify_all(verify_run *r, int *bad, ir_arena *a, ir_diag *d) {
    int *numbers = NULL;
    bool given = r->o->n_expected || r->o->test_data_dir;
    bool ok = bundle_is(r->o->model) ? open_bundle(r, &numbers, a, d) : open_model(r, &numbers, a, d);
    if (!ok || !verify_inputs(r, numbers, d) || (given && !verify_expect(r, d)) || !build_bundle(r, a, d))
        return false;
    say(r->o, "running it");
    if (!verify_execute(r, d)) return false;
    if (!given) say(r->o, "interpreting in double precision");
    if (!given && !verify_expect(r, d)) return false;
    return report_all(r, bad, d);
}

int verb_verify(const options *o, ir_diag *d) {
    int64_t threads = sysconf(_SC_NPROCESSORS_ONLN);
    verify_run r = {.o = o};
    if (o->threads && !options_int("--threads", o->threads, 1, 1024, &threads, d)) return d->code;
    if (!read_tolerance(o, &r.limit, d)) return d->code;
    r.threads = (int)(threads > 0 ? threads : 1);
    process_temp temp;
    if (!process_temp_begin(&temp, o->keep, d)) return d->code;
    r.temp = temp.path;
    ir_arena *a = ir_arena_new();
    int bad = 0;
    verify_all(&r, &bad, a, d);
    verify_free(&r);
    if (r.planned && r.planned != r.reference) ir_graph_free(r.planned);
    if (r.reference) ir_graph_free(r.reference);
    if (o->keep) fprintf(stderr, "voxc: kept %s\n", temp.path);
    process_temp_end(&temp);
    ir_arena_free(a);
    return d->code ? d->code : bad ? IR_EXIT_FAILURE : IR_EXIT_OK;
}
