/* embed.c: a host of the bundle `tiny`, written against its header alone. Each mode prints "ok", or the
 * status and the message of what failed, and exits 1. Run where a GPU is, or on the simulated one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime_api.h>

#include "runtime/cuda/vox_cuda_model.h"
#include "tiny_cuda.h"

enum { RUNS = 5 }; /* of mode many */
typedef struct host {
    char line[512]; /* the last message */
    void *weights;
    size_t weights_bytes;
    float image[TINY_INPUT_0_COUNT], first[TINY_OUTPUT_0_COUNT], scores[TINY_OUTPUT_0_COUNT];
    float each[RUNS][TINY_OUTPUT_0_COUNT];
} host;

static void message(void *user, const char *line) {
    snprintf(((host *)user)->line, sizeof((host *)user)->line, "%s", line);
}

static int say(const host *h, const char *what, int status) {
    printf("%s: %s: %s\n", what, vox_status_text((vox_status)status), h->line[0] ? h->line : "no message");
    return 1;
}

static int read_weights(host *h) {
    FILE *f = fopen("tiny.weights", "rb");
    h->weights = malloc(TINY_WEIGHTS_BYTES);
    if (!f || !h->weights) return 1;
    h->weights_bytes = fread(h->weights, 1, TINY_WEIGHTS_BYTES, f);
    fclose(f);
    for (size_t i = 0; i < TINY_INPUT_0_COUNT; i++) h->image[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    return 0;
}

static int same(const host *h) {
    return memcmp(h->first, h->scores, sizeof h->first) == 0;
}

/* From and to host memory, twice, so that a graph is captured and used again. */
static int run(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    vox_status status = tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle);
    if (status != VOX_OK)
        return handle ? puts("a handle in spite of a failure"), 2 : say(h, "create", status);
    status = tiny_cuda_run_host(handle, h->image, h->first);
    if (status == VOX_OK) status = tiny_cuda_run_host(handle, h->image, h->scores);
    tiny_cuda_destroy(handle);
    if (status != VOX_OK) return say(h, "run_host", status);
    return same(h) ? 0 : puts("two runs differ"), 0;
}

/* A GPU each, both under way at once. */
static int two(host *h, vox_cuda_options options) {
    tiny_cuda *handle[2] = {NULL, NULL};
    float *outputs[2] = {h->first, h->scores};
    vox_status status = VOX_OK;
    for (int i = 0; i < 2 && status == VOX_OK; i++) {
        options.device = i;
        status = tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle[i]);
    }
    for (int i = 0; i < 2 && status == VOX_OK; i++)
        status = tiny_cuda_run_host(handle[i], h->image, outputs[i]);
    for (int i = 0; i < 2; i++) tiny_cuda_destroy(handle[i]);
    if (status != VOX_OK) return say(h, "two", status);
    return same(h) ? 0 : (puts("two GPUs differ"), 1);
}

/* The caller's arena, stream and device memory; more outputs than graphs are kept. */
enum { OUTPUTS = 6 };
typedef struct device_memory {
    void *arena, *image, *scores[OUTPUTS];
    cudaStream_t stream;
} device_memory;

static int allocate(device_memory *d) {
    int bad = cudaMalloc(&d->arena, TINY_CUDA_ARENA_BYTES) || cudaMalloc(&d->image, TINY_INPUT_0_BYTES) ||
              cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking);
    for (int i = 0; i < OUTPUTS; i++) bad = bad || cudaMalloc(&d->scores[i], TINY_OUTPUT_0_BYTES);
    return bad;
}

static void release(device_memory *d) {
    cudaFree(d->arena);
    cudaFree(d->image);
    for (int i = 0; i < OUTPUTS; i++) cudaFree(d->scores[i]);
    if (d->stream) cudaStreamDestroy(d->stream);
}

static int run_on_stream(host *h, const device_memory *d, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    options.arena = d->arena;
    options.arena_bytes = TINY_CUDA_ARENA_BYTES;
    vox_status status = tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle);
    for (int i = 0; i < 2 * OUTPUTS && status == VOX_OK; i++)
        status = tiny_cuda_run(handle, d->stream, d->image, d->scores[i % OUTPUTS]);
    cudaStreamSynchronize(d->stream);
    if (status == VOX_OK && tiny_cuda_arena_bytes(handle) != TINY_CUDA_ARENA_BYTES)
        puts("the arena has grown");
    tiny_cuda_destroy(handle);
    return status == VOX_OK ? 0 : say(h, "run", status);
}

static int arena(host *h, vox_cuda_options options) {
    device_memory d = {0};
    int code = allocate(&d);
    if (code == 0) code = cudaMemcpy(d.image, h->image, TINY_INPUT_0_BYTES, cudaMemcpyHostToDevice);
    if (code == 0) code = run_on_stream(h, &d, options);
    for (int i = 0; i < OUTPUTS && code == 0; i++) {
        code = cudaMemcpy(i ? h->scores : h->first, d.scores[i], TINY_OUTPUT_0_BYTES, cudaMemcpyDeviceToHost);
        if (code == 0 && i && !same(h)) code = (puts("outputs differ"), 1);
    }
    release(&d);
    return code;
}

/* Five runs by launches of two, the last alone: as many ahead as the handle takes. */
static vox_status run_ahead(host *h, tiny_cuda *handle) {
    const void *const inputs[] = {h->image};
    void *const outputs[] = {h->scores};
    vox_status status = vox_cuda_at_once(handle) == 2 * VOX_CUDA_SLOTS ? VOX_OK : VOX_E_SELFTEST;
    for (int collected = 0, submitted = 0; collected < RUNS && status == VOX_OK; collected++) {
        for (; submitted < RUNS && submitted < collected + 4 && status == VOX_OK; submitted++) {
            h->image[0] = (float)submitted; /* a run of its own */
            status = vox_cuda_submit(handle, inputs);
        }
        if (status == VOX_OK && submitted == collected + 4 &&
            vox_cuda_submit(handle, inputs) != VOX_E_ARGUMENT)
            puts("a run too many");
        if (status == VOX_OK) status = vox_cuda_collect(handle, outputs);
        if (status == VOX_OK && memcmp(h->scores, h->each[collected], sizeof h->scores))
            puts("a run differs");
    }
    if (status == VOX_OK && vox_cuda_collect(handle, outputs) != VOX_E_ARGUMENT) puts("a run from nowhere");
    return status;
}

static int many(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    options.tiles = 2;
    vox_status status = tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle);
    if (status != VOX_OK) return say(h, "create", status);
    for (int i = 0; i < RUNS && status == VOX_OK; i++) {
        h->image[0] = (float)i;
        status = tiny_cuda_run_host(handle, h->image, h->each[i]);
    }
    if (status == VOX_OK) status = run_ahead(h, handle);
    tiny_cuda_destroy(handle);
    return status == VOX_OK ? 0 : say(h, "many", status);
}

/* As many tiles as memory holds, but one in memory of the caller's. */
static int tiles(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    options.tiles = -3;
    vox_status status = tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle);
    if (status != VOX_OK) return say(h, "create", status);
    int bad = vox_cuda_at_once(handle) != 3 * VOX_CUDA_SLOTS;
    bad |= tiny_cuda_arena_bytes(handle) < 3 * TINY_CUDA_ARENA_BYTES;
    tiny_cuda_destroy(handle);
    options.tiles = VOX_CUDA_TILES + 1;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARGUMENT;
    options.tiles = 2;
    options.arena = h; /* nor is it looked at */
    options.arena_bytes = TINY_CUDA_ARENA_BYTES;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARGUMENT;
    return bad || handle;
}

/* What the header says of wrong arguments. */
static int wrong(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    int bad = tiny_cuda_create(NULL, 0, &options, &handle) != VOX_E_ARGUMENT;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, NULL) != VOX_E_ARGUMENT;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes - 1, &options, &handle) != VOX_E_WEIGHTS_SIZE;
    options.arena = h; /* not device memory, but that is not looked at before its size */
    options.arena_bytes = 1;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARENA_SIZE;
    options.arena_bytes = TINY_CUDA_ARENA_BYTES;
    options.arena = (char *)((uintptr_t)h / 256 * 256) + 8;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARENA_ALIGN;
    options.arena = NULL;
    options.device = 99;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_NO_DEVICE;
    bad |= tiny_cuda_run(NULL, NULL, h->image, h->scores) != VOX_E_ARGUMENT;
    ((char *)h->weights)[h->weights_bytes - 1] ^= 1;
    options.device = 0;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_WEIGHTS_CHECKSUM;
    bad |= handle != NULL;
    return bad;
}

int main(int argc, char **argv) {
    static host h;
    const char *mode = argc > 1 ? argv[1] : "run";
    vox_cuda_options options = {.message = message, .user = &h};
    int code = read_weights(&h);
    if (code == 0 && strcmp(mode, "run") == 0) code = run(&h, options);
    if (code == 0 && strcmp(mode, "two") == 0) code = two(&h, options);
    if (code == 0 && strcmp(mode, "arena") == 0) code = arena(&h, options);
    if (code == 0 && strcmp(mode, "many") == 0) code = many(&h, options);
    if (code == 0 && strcmp(mode, "tiles") == 0) code = tiles(&h, options);
    if (code == 0 && strcmp(mode, "wrong") == 0) code = wrong(&h, options);
    if (code == 0 && strcmp(mode, "tune") == 0) {
        options.autotune = 1;
        options.plan_cache = "tiny.plans";
        code = run(&h, options);
    }
    if (code == 0 && strcmp(mode, "steps") == 0) {
        options.no_graph = 1;
        options.workspace_cap = -1;
        options.deterministic = 1;
        code = run(&h, options);
    }
    free(h.weights);
    if (code == 0) puts("ok");
    return code;
}
