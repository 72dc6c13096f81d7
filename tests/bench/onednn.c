/* onednn.c: oneDNN's direct convolutions of a network's 3x3x3 layers, and nothing between them, as a program
 * of the benchmark. Layouts are oneDNN's own choice; the time of a turn is the sum over the layers. usage:
 * PROGRAM LAYERS; a line of LAYERS: ic oc d h w stride dilation pad_begin pad_end. OMP_NUM_THREADS counts. */
#include <oneapi/dnnl/dnnl.h>
#include <stdint.h>
#include <stdlib.h>

#include "turns.h"

enum { MAX_LAYERS = 256, SOURCE = 0, WEIGHTS, BIAS, RESULT, BUFFERS };

typedef struct layer {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t argument[BUFFERS];
    size_t bytes[BUFFERS];
    dnnl_memory_t memory[BUFFERS];
} layer;

typedef struct network {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    void *shared[BUFFERS]; /* one source and one result, as large as the largest layer's */
    layer layers[MAX_LAYERS];
    int n_layers;
} network;

static void check(dnnl_status_t status, const char *what) {
    if (status == dnnl_success) return;
    printf("{\"error\": \"oneDNN can't %s: status %d\"}\n", what, (int)status);
    exit(0);
}

/* shape: ic oc d h w stride dilation pad_begin pad_end */
static dnnl_primitive_desc_t describe(dnnl_engine_t engine, const int64_t shape[9]) {
    const int64_t *size = shape + 2;
    int64_t stride = shape[5], dilation = shape[6], begin = shape[7], end = shape[8];
    dnnl_dims_t x = {1, shape[0], size[0], size[1], size[2]}, w = {shape[1], shape[0], 3, 3, 3},
                b = {shape[1]};
    dnnl_dims_t y = {1, shape[1]}, strides, dilations, begins, ends;
    for (int i = 0; i < 3; i++) {
        y[2 + i] = (size[i] + begin + end - 2 * dilation - 1) / stride + 1;
        strides[i] = stride, dilations[i] = dilation - 1, begins[i] = begin, ends[i] = end;
    }
    dnnl_memory_desc_t source, weights, bias, result;
    check(dnnl_memory_desc_init_by_tag(&source, 5, x, dnnl_f32, dnnl_format_tag_any), "describe");
    check(dnnl_memory_desc_init_by_tag(&weights, 5, w, dnnl_f32, dnnl_format_tag_any), "describe");
    check(dnnl_memory_desc_init_by_tag(&bias, 1, b, dnnl_f32, dnnl_x), "describe");
    check(dnnl_memory_desc_init_by_tag(&result, 5, y, dnnl_f32, dnnl_format_tag_any), "describe");
    dnnl_convolution_desc_t convolution;
    check(dnnl_dilated_convolution_forward_desc_init(&convolution, dnnl_forward_inference,
                                                     dnnl_convolution_direct, &source, &weights, &bias,
                                                     &result, strides, dilations, begins, ends),
          "describe");
    dnnl_primitive_desc_t description;
    check(dnnl_primitive_desc_create(&description, &convolution, NULL, engine, NULL), "choose");
    return description;
}

static void add_layer(network *n, const int64_t shape[9]) {
    static const dnnl_query_t query[BUFFERS] = {dnnl_query_src_md, dnnl_query_weights_md,
                                                dnnl_query_weights_md, dnnl_query_dst_md};
    static const int name[BUFFERS] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST};
    layer *l = &n->layers[n->n_layers++];
    dnnl_primitive_desc_t description = describe(n->engine, shape);
    for (int i = 0; i < BUFFERS; i++) {
        const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(description, query[i], i == BIAS);
        l->bytes[i] = dnnl_memory_desc_get_size(md);
        check(dnnl_memory_create(&l->memory[i], md, n->engine, DNNL_MEMORY_NONE), "make memory");
        l->argument[i] = (dnnl_exec_arg_t){name[i], l->memory[i]};
    }
    check(dnnl_primitive_create(&l->primitive, description), "create");
    dnnl_primitive_desc_destroy(description);
}

/* Numbers in [-1, 1], never constants. */
static float *random_floats(size_t bytes) {
    float *data = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (data == NULL) check(dnnl_out_of_memory, "allocate");
    uint32_t seed = 1;
    for (size_t i = 0; i < bytes / sizeof *data; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (float)(seed >> 8) / 8388608.0f - 1;
    }
    return data;
}

static void allocate(network *n) {
    size_t most[BUFFERS] = {0};
    for (int k = 0; k < n->n_layers; k++) {
        for (int i = 0; i < BUFFERS; i++) {
            if (n->layers[k].bytes[i] > most[i]) most[i] = n->layers[k].bytes[i];
        }
    }
    n->shared[SOURCE] = random_floats(most[SOURCE]);
    n->shared[RESULT] = random_floats(most[RESULT]);
    for (int k = 0; k < n->n_layers; k++) {
        layer *l = &n->layers[k];
        for (int i = 0; i < BUFFERS; i++) {
            void *data = n->shared[i] != NULL ? n->shared[i] : random_floats(l->bytes[i]);
            check(dnnl_memory_set_data_handle(l->memory[i], data), "set memory");
        }
    }
}

static double work(void *user) {
    network *n = user;
    for (int k = 0; k < n->n_layers; k++) {
        layer *l = &n->layers[k];
        check(dnnl_primitive_execute(l->primitive, n->stream, BUFFERS, l->argument), "run");
        check(dnnl_stream_wait(n->stream), "run");
    }
    return -1;
}

int main(int argc, char **argv) {
    static network n;
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) check(dnnl_invalid_arguments, "read the layers");
    check(dnnl_engine_create(&n.engine, dnnl_cpu, 0), "start");
    check(dnnl_stream_create(&n.stream, n.engine, dnnl_stream_default_flags), "start");
    for (;;) {
        int64_t shape[9];
        int got = 0;
        while (got < 9 && fscanf(file, "%ld", &shape[got]) == 1) got++;
        if (got < 9 || n.n_layers == MAX_LAYERS) break;
        add_layer(&n, shape);
    }
    fclose(file);
    allocate(&n);
    const dnnl_version_t *v = dnnl_version();
    printf("{\"version\": \"%d.%d.%d, %d layers\"}\n", v->major, v->minor, v->patch, n.n_layers);
    fflush(stdout);
    turns_answer(work, NULL, &n);
    return 0;
}
