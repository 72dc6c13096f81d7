/* turns.h: how a program of the benchmark answers the harness (tests/bench/peer.py), which lets one of them
 * compute at a time. The program prints one JSON object in a line when it is ready; then each line "run
 * SECONDS" on standard input asks for iterations, at least one and until SECONDS are over, and is answered
 * with their times in milliseconds. */
#ifndef BENCH_TURNS_H
#define BENCH_TURNS_H

#include <stdio.h>
#include <time.h>

static inline double turns_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

/* Calls work(user) as the harness asks, until the input ends. work returns the milliseconds that count, or a
 * negative number for "all of them". save(user, path) writes the last output; NULL: nothing to save. */
static inline void turns_answer(double (*work)(void *), int (*save)(void *, const char *), void *user) {
    char line[4096];
    double seconds = 0;
    while (fgets(line, sizeof line, stdin) != NULL) {
        char path[sizeof line];
        if (save != NULL && sscanf(line, "save %4095[^\n]", path) == 1) {
            printf("{\"saved\": %s}\n", save(user, path) == 0 ? "true" : "false");
        } else if (sscanf(line, "run %lf", &seconds) == 1) {
            double begun = turns_clock(CLOCK_MONOTONIC), now = begun;
            printf("{\"ms\": [");
            for (int i = 0; i == 0 || now - begun < 1e3 * seconds; i++) {
                double start = turns_clock(CLOCK_MONOTONIC), cpu = turns_clock(CLOCK_PROCESS_CPUTIME_ID);
                double counted = work(user);
                now = turns_clock(CLOCK_MONOTONIC);
                cpu = turns_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;
                printf("%s[%.6f, %.6f]", i == 0 ? "" : ", ", counted >= 0 ? counted : now - start, cpu);
            }
            printf("]}\n");
        }
        fflush(stdout);
    }
}

#endif
