/* fma_peak.c: what the processor's multiply-adds reach, as a program of the benchmark; -march=native picks
 * the widest. usage: PROGRAM THREADS */
#include <pthread.h>
#include <stdlib.h>

#include "turns.h"

#ifdef __AVX512F__
enum { LANES = 16 };
#else
enum { LANES = 8 };
#endif
/* Twelve sums in flight cover four cycles of latency on two or three units, and fit 16 registers. */
enum { SUMS = 12, STEPS = 4000000, MAX_THREADS = 256 };
typedef float vec __attribute__((vector_size(4 * LANES)));

static void *multiply(void *result) {
    vec a = {0}, b = {0}, sum[SUMS];
    a += 0.999f, b += 0.001f;
    for (int i = 0; i < SUMS; i++) sum[i] = a + (float)i; /* equal sums would be computed once */
    for (int step = 0; step < STEPS; step++) {
#pragma GCC unroll 12
        for (int i = 0; i < SUMS; i++) sum[i] = sum[i] * a + b;
    }
    for (int i = 1; i < SUMS; i++) sum[0] += sum[i];
    *(float *)result = sum[0][0] + sum[0][LANES - 1];
    return NULL;
}

static double work(void *user) {
    int threads = *(int *)user;
    pthread_t thread[MAX_THREADS];
    float result[MAX_THREADS];
    for (int i = 1; i < threads; i++) {
        if (pthread_create(&thread[i], NULL, multiply, &result[i]) != 0) exit(1);
    }
    multiply(&result[0]);
    for (int i = 1; i < threads; i++) pthread_join(thread[i], NULL);
    return result[0] > 0 ? -1 : 0;
}

int main(int argc, char **argv) {
    int threads = argc == 2 ? atoi(argv[1]) : 0;
    if (threads < 1 || threads > MAX_THREADS) {
        printf("{\"error\": \"usage: THREADS\"}\n");
        return 0;
    }
    printf("{\"version\": \"%d bits\", \"macs\": %lld}\n", 32 * LANES,
           (long long)STEPS * SUMS * LANES * threads);
    fflush(stdout);
    turns_answer(work, NULL, &threads);
    return 0;
}
