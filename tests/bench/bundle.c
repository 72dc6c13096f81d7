/* bundle.c: a bundle as a program of the benchmark: loads and prepares once, then runs as it is asked.
 * usage: PROGRAM WEIGHTS INPUT THREADS[,THREADS]; -DGET_INFO=<model>_get_info names the bundle. INPUT: raw
 * 32-bit floats. With two numbers of threads the runs use them in turn, the first one first. */
#include <stdlib.h>
#include <string.h>

#include "turns.h"
#include "vox.h"

const vox_model_info *GET_INFO(void);

typedef struct bundle {
    const vox_model_info *model;
    void *prepared, *arena, *input, *output;
    size_t output_bytes;
    vox_executor executor[2];
    int executors, runs;
} bundle;

static void fail(const char *what) {
    printf("{\"error\": \"%s\"}\n", what);
    exit(0);
}

static size_t port_bytes(const vox_port *p) {
    size_t bytes = vox_dtype_bytes(p->dtype);
    for (int i = 0; i < p->rank; i++) bytes *= (size_t)p->dim[i];
    return bytes;
}

static void *allocate(size_t bytes) {
    void *p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (p == NULL) fail("out of memory");
    return p;
}

static void *read_file(const char *path, size_t bytes) {
    void *data = allocate(bytes);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(data, 1, bytes, file) != bytes) fail("the weights or the input can't be read");
    fclose(file);
    return data;
}

static double work(void *user) {
    bundle *b = user;
    const void *inputs[] = {b->input};
    void *outputs[] = {b->output};
    vox_status status = b->model->run(b->prepared, inputs, outputs, b->arena, b->model->arena_bytes,
                                      &b->executor[b->runs++ % b->executors]);
    if (status != VOX_OK) fail(vox_status_text(status));
    return -1;
}

static int save(void *user, const char *path) {
    const bundle *b = user;
    FILE *file = fopen(path, "wb");
    if (file == NULL) return -1;
    size_t written = fwrite(b->output, 1, b->output_bytes, file);
    return fclose(file) == 0 && written == b->output_bytes ? 0 : -1;
}

static void add_threads(bundle *b, int threads) {
    vox_pool *pool = vox_pool_create(threads);
    if (pool == NULL) fail("no threads");
    b->executor[b->executors++] = (vox_executor){.parallel_for = vox_pool_parallel_for, .pool = pool};
}

int main(int argc, char **argv) {
    if (argc != 4) fail("usage: WEIGHTS INPUT THREADS");
    const vox_model_info *m = GET_INFO();
    if (m->n_inputs != 1 || m->n_outputs != 1) fail("the network has more than one input or output");
    bundle b = {.model = m, .output_bytes = port_bytes(&m->outputs[0])};
    void *weights = read_file(argv[1], m->weights_bytes);
    b.input = read_file(argv[2], port_bytes(&m->inputs[0]));
    b.output = allocate(b.output_bytes);
    b.arena = allocate(m->arena_bytes);
    b.prepared = allocate(m->prepared_bytes);
    add_threads(&b, atoi(argv[3]));
    const char *second = strchr(argv[3], ',');
    if (second != NULL) add_threads(&b, atoi(second + 1));
    vox_status status = m->prepare(weights, m->weights_bytes, b.prepared, m->prepared_bytes);
    if (status != VOX_OK) fail(vox_status_text(status));
    free(weights);
    printf("{\"version\": \"%s, %s\", \"macs\": %llu, \"arena\": %zu}\n", m->voxc_version, m->isa(),
           (unsigned long long)m->macs, m->arena_bytes);
    fflush(stdout);
    turns_answer(work, save, &b);
    return 0;
}
