// flags: -rdynamic
/* test_onnx_testdata.c: ONNX's own conformance cases (Debian: libonnx-testdata), imported and interpreted,
 * against the outputs that come with them; then once more as emitted C, many cases in one build.
 *
 * tests/onnx_testdata.txt says for every case what is expected; a case that stops passing and a case that
 * passes unexpectedly both fail. UPDATE=1 writes the table anew. Three ways to pass, the first that loads
 * counts:
 *   pass          all inputs are network inputs
 *   pass-weights  the first input is one, the others are bound as constants
 *   pass-folded   all are constants: the operator only exists to be evaluated while importing
 */
#include "test.h"

#include "emitted_lib.h"
#include "front_onnx.h"
#include "onnx_data.h"
#include "onnx_write.h"

#include "pipeline.h"

#include <dirent.h>

#define DATA  "/usr/share/libonnx-testdata/data"
#define TABLE "tests/onnx_testdata.txt"
enum { MAX_CASES = 2000, MAX_INPUTS = 32 };

static const char *const suites[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};
static const char *const how[] = {"pass", "pass-weights", "pass-folded"};

/* ---- one case -------------------------------------------------------------------------------- */

typedef struct testcase {
    char folder[512];
    int n_names;
    char **names;
    file_tensor in[MAX_INPUTS];
} testcase;

static bool read_case(testcase *t, ir_diag *d) {
    char path[600];
    snprintf(path, sizeof path, "%s/model.onnx", t->folder);
    t->n_names = onnx_input_names(path, &t->names, d);
    if (t->n_names < 0 || t->n_names > MAX_INPUTS) return false;
    for (int k = 0; k < t->n_names; k++) {
        snprintf(path, sizeof path, "%s/test_data_set_0/input_%d.pb", t->folder, k);
        if (!onnx_data_read(path, &t->in[k], d)) return false;
    }
    return true;
}

static void free_case(testcase *t) {
    for (int k = 0; k < t->n_names; k++) {
        free(t->names[k]);
        file_tensor_free(&t->in[k]);
    }
    free(t->names);
}

/* The graph with the inputs from `first` on bound as constants. */
static ir_graph *load_case(const testcase *t, int first, ir_diag *d) {
    char path[600];
    onnx_constant constant[MAX_INPUTS];
    onnx_options opt = {.oldest_opset = 1, .constants = constant};
    for (int k = first; k < t->n_names; k++)
        constant[opt.n_constants++] = (onnx_constant){t->names[k], &t->in[k]};
    snprintf(path, sizeof path, "%s/model.onnx", t->folder);
    return onnx_load(path, &opt, d);
}

/* float16 and bfloat16 results are f32 here. */
static double rtol_of(const testcase *t) {
    return strstr(t->folder, "BFLOAT16") ? 4e-3 : strstr(t->folder, "FLOAT16") ? 5e-4 : 1e-5;
}

static bool near(double a, double b, double rtol) {
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-6 + rtol * fabs(b);
}

static bool compare_output(const testcase *t, int k, const ir_tensor *y, const ir_value *v, ir_diag *d) {
    char path[600], type[256];
    file_tensor want;
    ir_value w = {0};
    snprintf(path, sizeof path, "%s/test_data_set_0/output_%d.pb", t->folder, k);
    if (!onnx_data_read(path, &want, d)) return false;
    bool same = want.dtype == y->dtype && want.rank == y->rank;
    for (int a = 0; same && a < y->rank; a++) same = want.dim[a] == y->dim[a];
    if (!same)
        ir_fail(d, IR_EXIT_FAILURE, "output %d has type %s, another was expected", k,
                ir_type_text(y, type, sizeof type));
    if (same && file_tensor_to_value(&want, &w, d))
        for (int64_t i = 0, n = ir_count(y); i < n; i++)
            if (v->f ? !near(v->f[i], w.f[i], rtol_of(t)) : v->i[i] != w.i[i])
                ir_fail(d, IR_EXIT_FAILURE, "output %d at %lld: %.9g, expected %.9g", k, (long long)i,
                        v->f ? v->f[i] : (double)v->i[i], w.f ? w.f[i] : (double)w.i[i]);
    file_tensor_free(&want);
    ir_values_free(&w, 1);
    return d->code == IR_EXIT_OK;
}

static bool run_case(const testcase *t, const ir_graph *g, ir_diag *d) {
    ir_value in[MAX_INPUTS] = {{0}}, *out = calloc((size_t)g->n_outputs, sizeof *out);
    bool ok = true;
    for (int k = 0; k < g->n_inputs && ok; k++) ok = file_tensor_to_value(&t->in[k], &in[k], d);
    ok = ok && ir_verify(g, d) && ir_interpret(g, in, out, 1, NULL, NULL, d);
    for (int k = 0; k < g->n_outputs && ok; k++) ok = compare_output(t, k, g->outputs[k], &out[k], d);
    ir_values_free(in, g->n_inputs);
    ir_values_free(out, g->n_outputs);
    free(out);
    return ok;
}

/* What the exporter writes of g must compute the same. */
static bool run_exported(const testcase *t, const ir_graph *g, const char *path, ir_diag *d) {
    if (!onnx_export(g, path, d)) return false;
    ir_graph *back = onnx_load(path, NULL, d);
    bool ok = back && run_case(t, back, d);
    ir_graph_free(back);
    return ok;
}

/* The first way that loads; *mode: which. */
static ir_graph *load_any(const testcase *t, int *mode, ir_diag *d) {
    static const int first[] = {MAX_INPUTS, 1, 0};
    ir_graph *g = NULL;
    for (*mode = 0; *mode < 3 && !g; ++*mode) {
        d->code = IR_EXIT_OK;
        g = load_case(t, first[*mode], d);
    }
    return g;
}

/* "pass...", or "unsupported" / "fail" with the reason. */
static void result_of(const char *folder, const char *temp, char *text, size_t n) {
    testcase t = {0};
    ir_diag d = {0};
    snprintf(t.folder, sizeof t.folder, "%s", folder);
    ir_graph *g = NULL;
    int mode = 0;
    if (read_case(&t, &d)) {
        g = load_any(&t, &mode, &d);
    } else if (t.n_names >= 0 &&
               d.code != IR_EXIT_UNSUPPORTED) { /* inputs that are no tensors: let the importer say so */
        d.code = IR_EXIT_OK;
        g = load_case(&t, MAX_INPUTS, &d);
        ir_graph_free(g);
        g = NULL;
    }
    bool ok = g && run_case(&t, g, &d) && run_exported(&t, g, temp, &d);
    const char *reason = strstr(d.text, "): ");
    if (!reason) reason = strstr(d.text, "onnx: ");
    if (ok)
        snprintf(text, n, "%s", how[mode - 1]);
    else
        snprintf(text, n, "%s: %.300s", d.code == IR_EXIT_UNSUPPORTED ? "unsupported" : "FAIL",
                 reason ? strchr(reason, ' ') + 1 : d.text);
    ir_graph_free(g);
    free_case(&t);
}

/* ---- the table ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_cases(char **names) {
    int n = 0;
    for (size_t s = 0; s < sizeof suites / sizeof *suites; s++) {
        char *path = test_format("%s/%s", DATA, suites[s]);
        DIR *dir = opendir(path);
        free(path);
        for (struct dirent *e; dir && (e = readdir(dir));)
            if (strncmp(e->d_name, "test_", 5) == 0 && n < MAX_CASES)
                names[n++] = test_format("%s/%s", suites[s], e->d_name);
        if (dir) closedir(dir);
    }
    qsort(names, (size_t)n, sizeof *names, by_name);
    return n;
}

/* What the table says of `name`, into text; empty if nothing. */
static void expected_of(const char *table, const char *name, char *text, size_t n) {
    size_t len = strlen(name);
    *text = 0;
    for (const char *line = table; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, name, len) != 0 || line[len] != ' ') continue;
        snprintf(text, n, "%.*s", (int)strcspn(line + len + 1, "\n"), line + len + 1);
        return;
    }
}

static size_t verdict(const char *text) {
    return strcspn(text, ":");
}

static char *read_text(const char *path) {
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    if (f) {
        text[fread(text, 1, (1 << 20) - 1, f)] = 0;
        fclose(f);
    }
    return text;
}

static void every_case_does_what_the_table_says(void **state) {
    (void)state;
    TEST_NEEDS(DATA);
    char **names = calloc(MAX_CASES, sizeof *names), got[600], want[600], *table = read_text(TABLE);
    char *tmp = test_tmpdir(), *temp = test_format("%s/exported.onnx", tmp);
    int n = list_cases(names), passed = 0, wrong = 0;
    FILE *update = getenv("UPDATE") ? fopen(TABLE, "w") : NULL;
    for (int i = 0; i < n; i++) {
        char *folder = test_format("%s/%s", DATA, names[i]);
        result_of(folder, temp, got, sizeof got);
        expected_of(table, names[i], want, sizeof want);
        if (update) fprintf(update, "%s %s\n", names[i], got);
        passed += strncmp(got, "pass", 4) == 0;
        if (!update && (verdict(got) != verdict(want) || strncmp(got, want, verdict(got)) != 0)) {
            print_message("%s: %s; the table says %s\n", names[i], got, *want ? want : "nothing");
            wrong++;
        }
        free(folder);
        free(names[i]);
    }
    if (update) fclose(update);
    print_message("%d of %d cases pass, the others are not supported\n", passed, n);
    free(names);
    free(table);
    free(temp);
    test_rmdir(tmp);
    assert_int_equal(wrong, 0);
}

/* ---- emitted C ------------------------------------------------------------------------------- */

enum { BATCH = 400, LOG = 16384 };

/* Cases that are compiled: their folders, and what each is called in C. */
typedef struct batch {
    char *dir, *folder[BATCH], *name[BATCH];
    int count;
} batch;

/* Loads a case and plans it for target c. NULL with d: what an input of its kind cannot be, or what has no
 * kernel. */
static ir_graph *plan_case(testcase *t, ir_diag *d) {
    int mode;
    pass_report reports[MAX_PASSES];
    int passes;
    ir_graph *g = read_case(t, d) ? load_any(t, &mode, d) : NULL;
    if (!g) return NULL;
    g->goals.lanes = 2;
    if (pipeline_run(g, &(pipeline_options){0}, reports, &passes, d)) return g;
    ir_graph_free(g);
    return NULL;
}

/* Whether the case is in the batch now; cases that the target refuses are left out. */
static bool emit_case(batch *b, const char *folder, int *wrong) {
    testcase t = {0};
    ir_diag d = {0};
    snprintf(t.folder, sizeof t.folder, "%s", folder);
    ir_graph *g = plan_case(&t, &d);
    char *name = test_format("case%d", b->count);
    if (g) g->name = ir_strdup(g->arena, name);
    bool ok = g && emitted_write(g, b->dir, &d);
    if (ok) {
        b->folder[b->count] = test_format("%s", folder);
        b->name[b->count++] = name;
    } else {
        free(name);
        if (d.code != IR_EXIT_UNSUPPORTED && d.code != IR_EXIT_INPUT) {
            print_message("%s: %s\n", folder, d.text);
            ++*wrong;
        }
    }
    ir_graph_free(g);
    free_case(&t);
    return ok;
}

static bool run_emitted(const testcase *t, const ir_graph *g, emitted_run *r, ir_diag *d) {
    bool ok = true;
    for (int k = 0; ok && k < g->n_inputs; k++) {
        ir_value v = {0};
        ok = file_tensor_to_value(&t->in[k], &v, d);
        for (int64_t i = 0; ok && i < ir_count(g->inputs[k]); i++)
            emitted_store(r->in[k].data, r->info->inputs[k].dtype, (size_t)i, &v);
        ir_values_free(&v, 1);
    }
    ok = ok && emitted_compute(r, d);
    for (int k = 0; ok && k < g->n_outputs; k++) {
        ir_value v = {0};
        ok = ir_value_new(g->outputs[k], &v, d);
        for (int64_t i = 0; ok && i < ir_count(g->outputs[k]); i++) {
            double got = emitted_load(r->out[k].data, r->info->outputs[k].dtype, (size_t)i);
            if (v.f)
                v.f[i] = got;
            else
                v.i[i] = r->info->outputs[k].dtype == VOX_I64 ? ((const int64_t *)r->out[k].data)[i]
                                                              : (int64_t)got;
        }
        ok = ok && compare_output(t, k, g->outputs[k], &v, d);
        ir_values_free(&v, 1);
    }
    return ok;
}

static bool check_emitted(const batch *b, int i, ir_diag *d) {
    testcase t = {0};
    emitted_run r = {0};
    snprintf(t.folder, sizeof t.folder, "%s", b->folder[i]);
    ir_graph *g = plan_case(&t, d);
    bool ok = g && emitted_open(&r, b->dir, b->name[i], d) && run_emitted(&t, g, &r, d);
    emitted_close(&r);
    ir_graph_free(g);
    free_case(&t);
    return ok;
}

static int finish_batch(batch *b, const char *flags) {
    static char log[LOG];
    int wrong = 0;
    if (!emitted_build(b->dir, b->name, b->count, flags, log, sizeof log)) fail_msg("%s", log);
    for (int i = 0; i < b->count; i++) {
        ir_diag d = {0};
        if (!check_emitted(b, i, &d)) {
            print_message("%s as C: %s\n", b->folder[i], d.text);
            wrong++;
        }
        free(b->folder[i]);
        free(b->name[i]);
    }
    test_rmdir(b->dir);
    *b = (batch){.dir = test_tmpdir()};
    return wrong;
}

/* Cases whose network is folded away have no layers to emit but copies. */
static void every_case_that_passes_does_so_as_emitted_c(void **state) {
    (void)state;
    TEST_NEEDS(DATA);
    if (strstr(test_voxc(), "asan")) skip(); /* the C itself is not built with sanitizers */
    char **names = calloc(MAX_CASES, sizeof *names), want[600], *table = read_text(TABLE);
    int n = list_cases(names), wrong = 0, ran = 0, passing = 0;
    batch b = {.dir = test_tmpdir()};
    for (int i = 0; i < n; i++) {
        char *folder = test_format("%s/%s", DATA, names[i]);
        expected_of(table, names[i], want, sizeof want);
        bool passes = strncmp(want, "pass", 4) == 0 && strncmp(want, "pass-folded", 11) != 0;
        passing += passes;
        ran += passes && emit_case(&b, folder, &wrong);
        if (b.count == BATCH) wrong += finish_batch(&b, "");
        free(folder);
        free(names[i]);
    }
    wrong += finish_batch(&b, "");
    print_message("%d of %d cases ran as C, target c refuses the others\n", ran, passing);
    test_rmdir(b.dir);
    free(names);
    free(table);
    assert_int_equal(wrong, 0);
    assert_true(passing == 0 || ran > passing * 3 / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_does_what_the_table_says),
                                       cmocka_unit_test(every_case_that_passes_does_so_as_emitted_c)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
