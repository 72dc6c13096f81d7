/* test.h: what the test programs share. Header only, so that each test stays one file; includes cmocka.
 *
 * Paths are relative to the repository's root: `make test` and the programs run there.
 */
#ifndef VOXC_TEST_H
#define VOXC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_filter.h"

#define TEST_UNUSED __attribute__((unused))

/* ---- places and processes -------------------------------------------------------------------- */

/* The program under test: $VOXC, else build/voxc. */
static TEST_UNUSED const char *test_voxc(void) {
    const char *path = getenv("VOXC");
    return path ? path : "build/voxc";
}

static TEST_UNUSED bool test_exists(const char *path) {
    return access(path, F_OK) == 0;
}

/* Prints one visible line and skips the running test unless `path` exists. */
#define TEST_NEEDS(path)                                                                                     \
    do {                                                                                                     \
        if (!test_exists(path)) {                                                                            \
            print_message("skipped: %s is not there\n", path);                                               \
            skip();                                                                                          \
        }                                                                                                    \
    } while (0)

/* A malloc'd string. */
static TEST_UNUSED __attribute__((format(printf, 1, 2))) char *test_format(const char *fmt, ...) {
    va_list ap;
    char *text = NULL;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0) abort();
    va_end(ap);
    return text;
}

/* Runs `cmd` with sh, standard error joined to standard output, which *out receives (malloc'd,
 * NUL-terminated; out may be NULL). Returns the exit status, or 128 + N when signal N ended it. */
static TEST_UNUSED int test_run(const char *cmd, char **out) {
    char *joined = test_format("( %s ) 2>&1", cmd), *text = NULL;
    size_t used = 0, n;
    fflush(NULL);
    FILE *pipe = popen(joined, "r");
    free(joined);
    if (!pipe) abort();
    do {
        text = realloc(text, used + 4097);
        if (!text) abort();
        n = fread(text + used, 1, 4096, pipe);
        used += n;
    } while (n > 0);
    text[used] = 0;
    if (out)
        *out = text;
    else
        free(text);
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A new, empty directory under $TMPDIR or /tmp; malloc'd. Remove it with test_rmdir, which also frees. */
static TEST_UNUSED char *test_tmpdir(void) {
    const char *base = getenv("TMPDIR");
    char *dir = test_format("%s/voxc-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(dir)) abort();
    return dir;
}

static TEST_UNUSED void test_rmdir(char *dir) {
    char *cmd = test_format("rm -rf '%s'", dir);
    assert_int_equal(test_run(cmd, NULL), 0);
    free(cmd);
    free(dir);
}

/* The whole file, malloc'd, NUL-terminated, its length in *n (n may be NULL). Fails the test when it can't be
 * read. */
static TEST_UNUSED char *test_read(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0) fail_msg("cannot read %s", path);
    size_t size = (size_t)st.st_size;
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, f) != size) fail_msg("cannot read %s", path);
    text[size] = 0;
    fclose(f);
    if (n) *n = size;
    return text;
}

static TEST_UNUSED void test_write(const char *path, const void *data, size_t n) {
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0) fail_msg("cannot write %s", path);
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* splitmix64: the same numbers on every machine. Seed by setting *state. */
static TEST_UNUSED uint64_t test_random_bits(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Uniform in [-1, 1), a multiple of 2^-23. */
static TEST_UNUSED float test_random(uint64_t *state) {
    return (float)(test_random_bits(state) >> 40) * 0x1p-23f - 1.0f;
}

static TEST_UNUSED void test_fill(float *x, size_t n, uint64_t seed) {
    for (size_t i = 0; i < n; i++) x[i] = test_random(&seed);
}

/* sqrt(sum (a - b)^2 / sum b^2); b is the reference. NaN anywhere gives NaN, which fails every "<=". */
static TEST_UNUSED double test_relative_rms(const float *a, const double *b, size_t n) {
    double num = 0, den = 0;
    for (size_t i = 0; i < n; i++) {
        double e = (double)a[i] - b[i];
        num += e * e;
        den += b[i] * b[i];
    }
    if (den == 0) return num == 0 ? 0 : INFINITY;
    return sqrt(num / den);
}

static TEST_UNUSED double test_max_abs(const float *a, const double *b, size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double e = fabs((double)a[i] - b[i]);
        if (!(e <= worst)) worst = e;
    }
    return worst;
}

#endif
