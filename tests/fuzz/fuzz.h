/* fuzz.h: what the fuzz targets share. A target is one file, fuzz_NAME.c, with LLVMFuzzerTestOneInput; it is
 * linked with libFuzzer (`make fuzz`) or with replay.c, which only runs the files it is given (`make test`).
 *
 * Finds: a sanitizer's report, an abort (ir_die, FUZZ_CHECK), an exit (ir_no_memory), a leak, more than 10 s
 * or 1 GiB. Input that is refused is none. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ir.h"

#define FUZZ_UNUSED __attribute__((unused))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A target may define these two: they change data[0..size) in place, to at most max bytes, and return how
 * many. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed);
/* libFuzzer's own mutation, of bytes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

#define FUZZ_CHECK(condition, ...)                                                                           \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                                  \
            fprintf(stderr, __VA_ARGS__);                                                                    \
            fputc('\n', stderr);                                                                             \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* The path of a file that holds these bytes, until the next call; it lies in memory. */
static FUZZ_UNUSED const char *fuzz_file(const uint8_t *data, size_t size) {
    static int fd = -1;
    static char path[64];
    if (fd < 0) fd = memfd_create("fuzz", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size,
               "no memory file");
    return path;
}

/* What is refused is refused for what it is, in words. */
static FUZZ_UNUSED void fuzz_refused(const ir_diag *d) {
    FUZZ_CHECK(d->code == IR_EXIT_INPUT || d->code == IR_EXIT_UNSUPPORTED, "code %d: %s", d->code, d->text);
    FUZZ_CHECK(d->text[0], "refused without a word");
}

/* ---- random numbers of a mutator: *state from its seed ---------------------------------------- */

static FUZZ_UNUSED uint64_t fuzz_random(uint64_t *state) {
    return ir_mix(*state += 0x9e3779b97f4a7c15u);
}
static FUZZ_UNUSED uint64_t fuzz_below(uint64_t *state, uint64_t n) {
    return n ? fuzz_random(state) % n : 0;
}

/* A number that programs go wrong at. */
static FUZZ_UNUSED int64_t fuzz_number(uint64_t *state) {
    static const int64_t edges[] = {0,         1,          2,
                                    3,         4,          5,
                                    7,         8,          16,
                                    17,        64,         255,
                                    256,       1000,       32767,
                                    32768,     65535,      65536,
                                    INT32_MAX, INT32_MIN,  1LL << 32,
                                    1LL << 40, INT64_MAX,  INT64_MIN,
                                    1LL << 62, UINT32_MAX, (1LL << 53) + 1};
    const int64_t edge = edges[fuzz_below(state, sizeof edges / sizeof *edges)];
    switch (fuzz_below(state, 4)) {
    case 0:
        return (int64_t)fuzz_below(state, 10);
    case 1:
        return -(int64_t)fuzz_below(state, 10);
    case 2:
        return edge == INT64_MIN ? edge : -edge;
    default:
        return edge;
    }
}

static FUZZ_UNUSED double fuzz_real(uint64_t *state) {
    static const double edges[] = {0,    -0.0,  1,      -1,   0.5,  1.5,   2,
                                   1e-3, 1e-30, 1e-310, 1e10, 3e38, -3e38, 1e300};
    const uint64_t pick = fuzz_below(state, sizeof edges / sizeof *edges + 4);
    if (pick < sizeof edges / sizeof *edges) return edges[pick];
    const uint64_t bits = pick % 2 ? 0x7ff0000000000000u : 0x7ff8000000000000u; /* infinity, NaN */
    double special;
    memcpy(&special, &bits, sizeof special);
    return pick % 3 ? special : (double)fuzz_number(state);
}

#endif
