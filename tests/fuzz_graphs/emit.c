/* emit.c: cases as emitted C: written, built together, run apart. */
#include "../emitted_lib.h"
#include "forked.h"
#include "fuzz_graphs.h"

#include <math.h>
#include <sys/wait.h>

enum { BATCH = 50, LOG = 8192 };

/* ---- one case: to C -------------------------------------------------------------------------- */

typedef struct job {
    const char *dir, *name;
} job;
static job now; /* of this process: what a fuzz_checker is not told */

static void fail(fuzz_result *r, const char *what, const ir_diag *d) {
    bool refused = d->code == IR_EXIT_UNSUPPORTED || d->code == IR_EXIT_INPUT;
    r->verdict = refused ? FUZZ_REFUSED : FUZZ_WRONG;
    snprintf(r->text, sizeof r->text, "%s: %.900s", what, d->text);
}

static void write_one(const char *text, const fuzz_options *o, fuzz_result *r) {
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int passes;
    char dir[4096];
    *r = (fuzz_result){.verdict = FUZZ_OK};
    ir_graph *g = ir_parse(text, "case", NULL, NULL, &d);
    snprintf(dir, sizeof dir, "%s", now.dir);
    if (g) g->name = ir_strdup(g->arena, now.name);
    if (!g || !fuzz_set_goals(g, o, &d) || !pipeline_run(g, &(pipeline_options){0}, reports, &passes, &d) ||
        !emitted_write(g, dir, &d))
        fail(r, "emit", &d);
    else
        r->features = fuzz_features_of(g);
    ir_graph_free(g);
}

/* ---- one case: the run ----------------------------------------------------------------------- */

static void fill_inputs(const ir_graph *g, emitted_run *run, ir_value *in, ir_diag *d) {
    if (!fuzz_inputs(g, in, d)) return;
    for (int k = 0; k < g->n_inputs; k++)
        for (int64_t i = 0; i < ir_count(g->inputs[k]); i++)
            emitted_store(run->in[k].data, run->info->inputs[k].dtype, (size_t)i, &in[k]);
}

static bool compare(const ir_graph *g, const emitted_run *run, const fuzz_bounds *b, ir_diag *d) {
    for (int k = 0; k < g->n_outputs; k++)
        for (int64_t i = 0, n = ir_count(g->outputs[k]); i < n; i++) {
            double got = emitted_load(run->out[k].data, run->info->outputs[k].dtype, (size_t)i);
            double want = b->want[k].f ? b->want[k].f[i] : (double)b->want[k].i[i], margin = b->margin[k][i];
            if (got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= margin ||
                margin == (double)INFINITY)
                continue;
            return ir_fail(d, IR_EXIT_FAILURE,
                           "output %%%s element %lld is %.9g instead of %.9g, by %.3g at most",
                           g->outputs[k]->name, (long long)i, got, want, margin);
        }
    return true;
}

static void run_one(const char *text, const fuzz_options *o, fuzz_result *r) {
    ir_diag d = {0};
    fuzz_bounds bounds;
    emitted_run run;
    (void)o;
    *r = (fuzz_result){.verdict = FUZZ_OK};
    ir_graph *g = ir_parse(text, "case", NULL, NULL, &d);
    ir_value *in = g ? calloc((size_t)g->n_inputs + 1, sizeof *in) : NULL;
    if (!g || !emitted_open(&run, now.dir, now.name, &d)) {
        fail(r, "open", &d);
        return;
    }
    fill_inputs(g, &run, in, &d);
    if (d.code || !emitted_compute(&run, &d))
        fail(r, "run", &d);
    else if (!fuzz_bounds_of(g, in, &bounds, &d) || !compare(g, &run, &bounds, &d))
        fail(r, "numbers", &d);
    else if (!emitted_selftest(&run, &d))
        fail(r, "selftest", &d);
    /* The process ends here. */
}

/* ---- batches --------------------------------------------------------------------------------- */

/* Builds each of them by itself: which one can't be built? */
static int build_apart(fuzz_emitted *cases, char **names, int count, const char *dir, const char *flags) {
    static char log[LOG];
    int left = 0;
    for (int i = 0; i < count; i++) {
        if (cases[i].r.verdict != FUZZ_OK || emitted_build(dir, &names[i], 1, flags, log, sizeof log))
            continue;
        const char *at = strstr(log, "error:");
        cases[i].r.verdict = FUZZ_WRONG;
        snprintf(cases[i].r.text, sizeof cases[i].r.text, "build: %.*s", (int)strcspn(at ? at : log, "\n"),
                 at ? at : log);
        left++;
    }
    return left;
}

static int collect(const fuzz_emitted *cases, int count, char **all, char **good) {
    int n = 0;
    for (int i = 0; i < count; i++)
        if (cases[i].r.verdict == FUZZ_OK) good[n++] = all[i];
    return n;
}

/* Every graph's layers must compile without what other graphs include. */
static void check_includes(fuzz_emitted *cases, char **names, int count, const char *dir) {
    static char log[LOG];
    for (int i = 0; i < count; i++) {
        if (cases[i].r.verdict != FUZZ_OK || emitted_alone(dir, names[i], log, sizeof log)) continue;
        const char *at = strstr(log, "error:");
        cases[i].r.verdict = FUZZ_WRONG;
        snprintf(cases[i].r.text, sizeof cases[i].r.text, "includes: %.*s", (int)strcspn(at ? at : log, "\n"),
                 at ? at : log);
    }
}

static void emit(fuzz_emitted *cases, char **names, int count, const char *dir, const char *flags) {
    static char log[LOG];
    char *good[BATCH];
    for (int i = 0; i < count; i++) {
        now = (job){dir, names[i]};
        fuzz_isolated(write_one, cases[i].text, &cases[i].o, &cases[i].r);
    }
    check_includes(cases, names, count, dir);
    int n = collect(cases, count, names, good);
    if (n && !emitted_build(dir, good, n, flags, log, sizeof log)) {
        if (!build_apart(cases, names, count, dir, flags))
            ir_die("%s: a build fails and none of its parts: %s", dir, log);
        n = collect(cases, count, names, good);
        if (n && !emitted_build(dir, good, n, flags, log, sizeof log)) ir_die("%s: %s", dir, log);
    }
    for (int i = 0; i < count; i++) {
        fuzz_features features = cases[i].r.features;
        now = (job){dir, names[i]};
        if (cases[i].r.verdict == FUZZ_OK) fuzz_isolated(run_one, cases[i].text, &cases[i].o, &cases[i].r);
        cases[i].r.features = features;
    }
}

void fuzz_emit(fuzz_emitted *cases, int count, const char *dir, const char *flags) {
    char name[BATCH][16], *names[BATCH];
    if (count > BATCH) ir_die("%d cases in one build", count);
    for (int i = 0; i < count; i++) {
        snprintf(name[i], sizeof name[i], "g%d", i);
        names[i] = name[i];
    }
    emit(cases, names, count, dir, flags);
}

/* A folder of this process's own. */
static void with_folder(fuzz_emitted *cases, int count, const char *flags) {
    char dir[] = "/tmp/fuzz-graphs-XXXXXX", command[64];
    if (!mkdtemp(dir)) ir_die("no temporary folder");
    fuzz_emit(cases, count, dir, flags);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command)) ir_die("%s: can't be removed", dir);
}

void fuzz_check_emitted(const char *text, const fuzz_options *o, fuzz_result *r) {
    fuzz_emitted one = {.o = *o};
    char *copy = strdup(text);
    one.text = copy;
    with_folder(&one, 1, "-O0"); /* sooner done */
    *r = one.r;
    free(copy);
}

/* ---- many batches ---------------------------------------------------------------------------- */

static void record(fuzz_tally *t, int64_t number, const fuzz_result *r) {
    for (int i = 0; i < FUZZ_FEATURE_COUNT; i++)
        if (r->features >> i & 1) __atomic_fetch_add(&t->features[i], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&t->done, 1, __ATOMIC_RELAXED);
    if (r->verdict == FUZZ_WRONG) fuzz_add_case(&t->failed, number, IR_TARGET_C, r->text);
}

static void run_batch(fuzz_tally *t, uint64_t seed, int64_t first, int count) {
    static fuzz_emitted cases[BATCH];
    bool avx2 = false;
#if defined(__x86_64__)
    avx2 = first / BATCH % 4 == 1 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    for (int i = 0; i < count; i++) {
        cases[i].text = fuzz_generate(seed, first + i);
        cases[i].o = fuzz_options_of(seed, first + i, IR_TARGET_C);
    }
    with_folder(cases, count, avx2 ? "-mavx2 -mfma" : "");
    for (int i = 0; i < count; i++) {
        record(t, first + i, &cases[i].r);
        free(cases[i].text);
    }
}

fuzz_tally *fuzz_run_emitted(uint64_t seed, int64_t count, int jobs) {
    fuzz_tally *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int running = 0, status = 0;
    if (t == MAP_FAILED) ir_die("no shared memory");
    for (int64_t first = 0; first < count || running; first += BATCH) {
        if (running == jobs || first >= count) {
            if (wait(&status) < 0 || status) ir_die("a batch of builds has failed");
            running--;
            if (isatty(STDERR_FILENO))
                fprintf(stderr, "\r%lld of %lld graphs as C, %d failures ", (long long)t->done,
                        (long long)count, t->failed.count);
        }
        if (first >= count) continue;
        fflush(NULL);
        pid_t pid = fork();
        if (pid < 0) ir_die("no more processes");
        if (pid == 0) {
            run_batch(t, seed, first, (int)(count - first < BATCH ? count - first : BATCH));
            _exit(0);
        }
        running++;
    }
    if (isatty(STDERR_FILENO)) fputc('\n', stderr);
    return t;
}
