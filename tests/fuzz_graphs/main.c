/* main.c: the program: random networks through the compiler.
 *
 *   fuzz_graphs [-n COUNT] [-c COUNT] [-s SEED] [-j JOBS] [-o DIR]
 *       -n: so many random graphs through the passes, for both targets, and the plan's interpreter
 *       -c: so many as compiled C, beside the interpreter
 *   fuzz_graphs [-c 1] FILE.ir ...      cases that it wrote; -c 1: as C, too
 *
 * Of each kind of failure one case is made small and written into DIR. Exit status 1: something failed.
 */
#include "files.h"
#include "fuzz_graphs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_KINDS = 12, SHRINK_SECONDS = 60, COMPILED_SECONDS = 300 };

typedef struct arguments {
    int64_t count, emitted;
    uint64_t seed;
    int jobs;
    const char *dir;
} arguments;

static void usage(void) {
    fputs("usage: fuzz_graphs [-n COUNT] [-c COUNT] [-s SEED] [-j JOBS] [-o DIR] [FILE.ir ...]\n", stderr);
    exit(2);
}

static int64_t number(const char *text, int64_t low, int64_t high) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < low || v > high) usage();
    return v;
}

static arguments read_arguments(int argc, char **argv) {
    arguments a = {.count = 1000, .seed = 1, .dir = "build/fuzz-graphs"};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    a.jobs = processors > 0 && processors < FUZZ_MAX_JOBS ? (int)processors : 1;
    for (int c; (c = getopt(argc, argv, "n:c:s:j:o:")) != -1;) {
        if (c == 'n')
            a.count = number(optarg, 0, INT32_MAX);
        else if (c == 'c')
            a.emitted = number(optarg, 0, INT32_MAX);
        else if (c == 's')
            a.seed = (uint64_t)number(optarg, 0, INT64_MAX);
        else if (c == 'j')
            a.jobs = (int)number(optarg, 1, FUZZ_MAX_JOBS);
        else if (c == 'o')
            a.dir = optarg;
        else
            usage();
    }
    return a;
}

/* ---- reports --------------------------------------------------------------------------------- */

static void print_coverage(const fuzz_tally *t, int64_t count, const char *how) {
    printf("%lld graphs %s; how many of them, in per cent, had\n", (long long)count, how);
    for (int i = 0; i < FUZZ_FEATURE_COUNT; i++)
        if (t->features[i])
            printf("  %-30s %6.1f\n", fuzz_feature_names[i], 100.0 * (double)t->features[i] / (double)count);
}

/* A kind of check: of what, and what its files are called. */
typedef struct check {
    fuzz_checker *check;
    const char *name;
} check;
static const check plan_check_of[] = {{fuzz_check, "c"}, {fuzz_check, "cuda"}};
static const check emitted_check = {fuzz_check_emitted, "compiled"};

static void write_case(const arguments *a, const check *c, int kind, const char *text, const fuzz_options *o,
                       const fuzz_result *r) {
    char path[4096], line[256];
    snprintf(path, sizeof path, "%s/%s-%02d.ir", a->dir, c->name, kind);
    FILE *f = fopen(path, "w");
    if (!f) ir_die("%s: %s", path, strerror(errno));
    fprintf(f, "# %s\n%s\n%s", r->text, fuzz_options_text(o, line, sizeof line), text);
    fclose(f);
    printf("    %s: %s\n", path, r->text);
}

static void shrink_one(const arguments *a, const check *c, int kind, const fuzz_case *failure) {
    char *text = fuzz_generate(a->seed, failure->number);
    fuzz_options o = fuzz_options_of(a->seed, failure->number, failure->target);
    fuzz_result r;
    fuzz_isolated(fuzz_check, text, &o, &r); /* much faster than compiling, where it sees the fault */
    bool planned = r.verdict == FUZZ_WRONG;
    if (!planned) fuzz_isolated(c->check, text, &o, &r);
    if (r.verdict == FUZZ_WRONG)
        fuzz_shrink(planned ? fuzz_check : c->check, &text, &o, &r,
                    planned ? SHRINK_SECONDS : COMPILED_SECONDS);
    else
        snprintf(r.text, sizeof r.text, "not again: %.900s", failure->text);
    write_case(a, c, kind, text, &o, &r);
    free(text);
}

static int kept_of(const fuzz_cases *c) {
    return c->count < FUZZ_MAX_KEPT ? c->count : FUZZ_MAX_KEPT;
}

/* Marks those of which the same was said as of case i; how many they are. */
static int mark_kind(const fuzz_cases *c, int i, bool *seen) {
    char kind[1024], other[1024];
    int same = 0;
    fuzz_signature(c->kept[i].text, kind, sizeof kind);
    for (int k = i; k < kept_of(c); k++) {
        fuzz_signature(c->kept[k].text, other, sizeof other);
        if (c->kept[k].target != c->kept[i].target || strcmp(kind, other)) continue;
        seen[k] = true;
        same++;
    }
    return same;
}

/* The first case of each kind into `first`, and how many are like it; how many kinds. */
static int list_kinds(const fuzz_cases *c, int first[FUZZ_MAX_KEPT], int same[FUZZ_MAX_KEPT]) {
    bool seen[FUZZ_MAX_KEPT] = {false};
    int kinds = 0;
    for (int i = 0; i < kept_of(c); i++) {
        if (seen[i]) continue;
        first[kinds] = i;
        same[kinds++] = mark_kind(c, i, seen);
    }
    return kinds;
}

static void print_refusals(const fuzz_cases *c) {
    int first[FUZZ_MAX_KEPT], same[FUZZ_MAX_KEPT], kinds = list_kinds(c, first, same);
    for (int k = 0; k < kinds; k++) {
        const fuzz_case *x = &c->kept[first[k]];
        printf("  refused %d times, %s, first graph %lld: %s\n", same[k], plan_check_of[x->target].name,
               (long long)x->number, x->text);
    }
}

static void print_failures(const arguments *a, const fuzz_cases *c, const check *emitted) {
    int first[FUZZ_MAX_KEPT], same[FUZZ_MAX_KEPT], kinds = list_kinds(c, first, same);
    if (kinds && mkdir(a->dir, 0777) && errno != EEXIST) ir_die("%s: %s", a->dir, strerror(errno));
    if (kinds) setenv("TMPDIR", a->dir, 1); /* where the compiler leaves what a broken pass was given */
    for (int k = 0; k < kinds; k++) {
        const fuzz_case *x = &c->kept[first[k]];
        const check *of = emitted ? emitted : &plan_check_of[x->target];
        printf("%d x %s, first in graph %lld: %s\n", same[k], of->name, (long long)x->number, x->text);
        fflush(stdout);
        if (k < MOST_KINDS) shrink_one(a, of, k + 1, x);
    }
}

/* ---- the two uses ---------------------------------------------------------------------------- */

static int check_file(const char *path, fuzz_checker *checker) {
    ir_diag d = {0};
    size_t n;
    char *text = file_read(path, (size_t)64 << 20, &n, &d);
    if (!text) {
        fprintf(stderr, "fuzz_graphs: %s\n", d.text);
        exit(2);
    }
    fuzz_options o = fuzz_options_read(text);
    fuzz_result r;
    fuzz_isolated(checker, text, &o, &r);
    printf("%s: %s%s\n", path, r.verdict == FUZZ_OK ? "ok" : "", r.text);
    free(text);
    return r.verdict == FUZZ_WRONG;
}

static int check_files(const arguments *a, int count, char **paths) {
    int failures = 0;
    for (int i = 0; i < count; i++) {
        failures += check_file(paths[i], fuzz_check);
        if (a->emitted) failures += check_file(paths[i], fuzz_check_emitted);
    }
    return failures > 0;
}

int main(int argc, char **argv) {
    arguments a = read_arguments(argc, argv);
    int failures = 0;
    if (optind < argc) return check_files(&a, argc - optind, argv + optind);
    if (a.count) {
        const fuzz_tally *t = fuzz_run(a.seed, a.count, a.jobs);
        print_coverage(t, a.count, "for two targets");
        print_refusals(&t->refused);
        print_failures(&a, &t->failed, NULL);
        failures += t->failed.count;
    }
    if (a.emitted) {
        const fuzz_tally *t = fuzz_run_emitted(a.seed, a.emitted, a.jobs);
        print_coverage(t, a.emitted, "as compiled C");
        print_failures(&a, &t->failed, &emitted_check);
        failures += t->failed.count;
    }
    printf("fuzz_graphs: %lld graphs and %lld as C of seed %llu, %d failures\n", (long long)a.count,
           (long long)a.emitted, (unsigned long long)a.seed, failures);
    return failures > 0;
}
