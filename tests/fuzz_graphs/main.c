/* main.c: the program: random networks through the compiler.
 *
 *   fuzz-graphs [-n COUNT] [-s SEED] [-j JOBS] [-o DIR]     COUNT random graphs, for both targets
 *   fuzz-graphs FILE.ir ...                                 cases that it wrote
 *
 * Of each kind of failure one case is made small and written into DIR. Exit status 1: something failed.
 */
#include "files.h"
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_KINDS = 20, SHRINK_SECONDS = 60 };

typedef struct arguments {
    int64_t count;
    uint64_t seed;
    int jobs;
    const char *dir;
} arguments;

static void usage(void) {
    fputs("usage: fuzz-graphs [-n COUNT] [-s SEED] [-j JOBS] [-o DIR] | FILE.ir ...\n", stderr);
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
    for (int c; (c = getopt(argc, argv, "n:s:j:o:")) != -1;) {
        if (c == 'n')
            a.count = number(optarg, 0, INT32_MAX);
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

static void print_coverage(const fuzz_tally *t, int64_t count) {
    printf("%lld graphs for two targets; how many of them, in per cent, had\n", (long long)count);
    for (int i = 0; i < FUZZ_FEATURE_COUNT; i++)
        printf("  %-32s %6.1f%s", fuzz_feature_names[i], 100.0 * (double)t->features[i] / (double)count,
               i % 2 ? "\n" : "");
    printf("\n");
}

static void write_case(const arguments *a, int kind, const char *text, const fuzz_options *o,
                       const fuzz_result *r) {
    char path[4096], line[256];
    snprintf(path, sizeof path, "%s/%02d-%s.ir", a->dir, kind, o->target == IR_TARGET_C ? "c" : "cuda");
    FILE *f = fopen(path, "w");
    if (!f) ir_die("%s: %s", path, strerror(errno));
    fprintf(f, "# %s\n%s\n%s", r->text, fuzz_options_text(o, line, sizeof line), text);
    fclose(f);
    printf("    %s: %s\n", path, r->text);
}

static void shrink_one(const arguments *a, int kind, const fuzz_failure *failure) {
    char *text = fuzz_generate(a->seed, failure->number);
    fuzz_options o = fuzz_options_of(a->seed, failure->number, failure->target);
    fuzz_result r;
    fuzz_isolated(fuzz_check, text, &o, &r);
    if (r.verdict == FUZZ_WRONG)
        fuzz_shrink(fuzz_check, &text, &o, &r, SHRINK_SECONDS);
    else
        snprintf(r.text, sizeof r.text, "not again: %.900s", failure->text);
    write_case(a, kind, text, &o, &r);
    free(text);
}

static void print_failures(const arguments *a, fuzz_tally *t) {
    int kept = t->failures < FUZZ_MAX_FAILURES ? t->failures : FUZZ_MAX_FAILURES, kinds = 0;
    if (mkdir(a->dir, 0777) && errno != EEXIST) ir_die("%s: %s", a->dir, strerror(errno));
    bool *seen = calloc((size_t)kept + 1, sizeof *seen);
    for (int i = 0; i < kept; i++) {
        char kind[1024], other[1024];
        int same = 1;
        if (seen[i]) continue;
        fuzz_signature(t->failure[i].text, kind, sizeof kind);
        for (int k = i + 1; k < kept; k++) {
            fuzz_signature(t->failure[k].text, other, sizeof other);
            if (t->failure[k].target != t->failure[i].target || strcmp(kind, other)) continue;
            seen[k] = true;
            same++;
        }
        printf("%d x %s: %s\n", same, t->failure[i].target == IR_TARGET_C ? "c" : "cuda", kind);
        fflush(stdout);
        if (kinds++ < MOST_KINDS) shrink_one(a, kinds, &t->failure[i]);
    }
    free(seen);
}

/* ---- the two uses ---------------------------------------------------------------------------- */

static int check_files(int count, char **paths) {
    int failures = 0;
    for (int i = 0; i < count; i++) {
        ir_diag d = {0};
        size_t n;
        char *text = file_read(paths[i], (size_t)64 << 20, &n, &d);
        if (!text) {
            fprintf(stderr, "fuzz-graphs: %s\n", d.text);
            return 2;
        }
        fuzz_options o = fuzz_options_read(text);
        fuzz_result r;
        fuzz_isolated(fuzz_check, text, &o, &r);
        printf("%s: %s%s\n", paths[i], r.verdict == FUZZ_OK ? "ok" : "", r.text);
        failures += r.verdict == FUZZ_WRONG;
        free(text);
    }
    return failures > 0;
}

int main(int argc, char **argv) {
    arguments a = read_arguments(argc, argv);
    if (optind < argc) return check_files(argc - optind, argv + optind);
    fuzz_tally *t = fuzz_run(a.seed, a.count, a.jobs);
    print_coverage(t, a.count);
    int failures = t->failures;
    if (failures) print_failures(&a, t);
    printf("fuzz-graphs: %lld graphs of seed %llu, %d failures\n", (long long)a.count,
           (unsigned long long)a.seed, failures);
    return failures > 0;
}
