/* Runs the network of tests/cuda/tiny.yaml in two threads at once: one prepared buffer, an arena each, with a
 * pool each and then with one pool for both. Built with the thread sanitizer by tests/tsan.sh. Exit status 1
 * when the threads' outputs differ. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiny.h"

enum { HOSTS = 2, RUNS = 4, THREADS = 3 };
#define INPUTS  (TINY_INPUT_0_BYTES / sizeof(float))
#define OUTPUTS (TINY_OUTPUT_0_BYTES / sizeof(float))

typedef struct host {
    const void *prepared;
    vox_pool *pool;
    float input[INPUTS], output[OUTPUTS];
    vox_status status;
} host;

static void *run(void *argument) {
    host *h = argument;
    void *arena = aligned_alloc(TINY_ALIGN, TINY_ARENA_BYTES);
    const vox_executor executor = {.parallel_for = vox_pool_parallel_for, .pool = h->pool};
    h->status = VOX_OK;
    for (int i = 0; i < RUNS && h->status == VOX_OK; i++)
        h->status = tiny_run(h->prepared, h->input, h->output, arena, TINY_ARENA_BYTES, &executor);
    free(arena);
    return NULL;
}

static int run_both(host h[HOSTS]) {
    pthread_t thread[HOSTS];
    for (int i = 0; i < HOSTS; i++)
        if (pthread_create(&thread[i], NULL, run, &h[i]) != 0) abort();
    for (int i = 0; i < HOSTS; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < HOSTS; i++)
        if (h[i].status != VOX_OK) return printf("host %d: %s\n", i, vox_status_text(h[i].status)), 1;
    if (memcmp(h[0].output, h[1].output, sizeof h->output) == 0) return 0;
    return printf("the two outputs differ\n"), 1;
}

static void *read_weights(void) {
    void *weights = malloc(TINY_WEIGHTS_BYTES);
    FILE *file = fopen("tiny.weights", "rb");
    if (!weights || !file || fread(weights, TINY_WEIGHTS_BYTES, 1, file) != 1) abort();
    fclose(file);
    return weights;
}

int main(void) {
    static host h[HOSTS];
    void *weights = read_weights(), *prepared = aligned_alloc(TINY_ALIGN, TINY_PREPARED_BYTES);
    if (tiny_prepare(weights, TINY_WEIGHTS_BYTES, prepared, TINY_PREPARED_BYTES) != VOX_OK) return 1;
    for (int i = 0; i < HOSTS; i++) {
        h[i].prepared = prepared;
        h[i].pool = vox_pool_create(THREADS);
        for (size_t k = 0; k < INPUTS; k++) h[i].input[k] = (float)(k % 17) - 8;
    }
    int bad = run_both(h);
    vox_pool_destroy(h[1].pool);
    h[1].pool = h[0].pool;
    bad |= run_both(h);
    vox_pool_destroy(h[0].pool);
    free(prepared);
    free(weights);
    return bad;
}
