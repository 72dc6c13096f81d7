/* SPDX-License-Identifier: MIT-0 */
/* host.c: see host.h. */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "npy_port.h"
#include "owner.h"
#include "report.h"
#include "vox_model.h"
#include "vox_weights.h"

double vox_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void vox_fill_random(const vox_port *port, void *data, uint64_t seed) {
    size_t element = vox_dtype_bytes(port->dtype);
    size_t count = vox_array_bytes(port->dtype, port->rank, port->dim) / element;
    for (size_t i = 0; i < count; i++) {
        uint64_t z = vox_random(&seed);
        if (port->dtype == VOX_F32) ((float *)data)[i] = (float)((double)(z >> 40) / 8388608.0 - 1.0);
        if (port->dtype == VOX_I64) ((int64_t *)data)[i] = (int64_t)(z & 127);
        if (port->dtype == VOX_I32) ((int32_t *)data)[i] = (int32_t)(z & 127);
        if (port->dtype == VOX_U8) ((uint8_t *)data)[i] = (uint8_t)(z & 127);
    }
}

static int allocate(void **p, size_t bytes, size_t align, const char *what) {
    if (align < 64) align = 64;
    if (bytes > SIZE_MAX - align) return vox_fail_memory(what, bytes);
    size_t rounded = (bytes + align - 1) / align * align;
    *p = aligned_alloc(align, rounded > 0 ? rounded : align);
    return *p != NULL ? 0 : vox_fail_memory(what, bytes);
}

/* Where the executable lies, with the slash; "" if the system does not say. */
static void executable_folder(char folder[PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);
    folder[n > 0 ? n : 0] = 0;
    char *slash = strrchr(folder, '/');
    folder[slash != NULL ? slash + 1 - folder : 0] = 0;
}

/* A pipe is refused, and must not be waited for. */
static int open_file(const char *path) {
    int fd;
    VOX_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    return fd;
}

/* Beside the program, where `make install` puts it, or in the working directory. */
static int find_weights(const char *name, char path[VOX_PATH]) {
    char folder[PATH_MAX];
    executable_folder(folder);
    int fd = -1;
    for (int place = 0; place < 3 && fd < 0 && (place == 0 || errno == ENOENT); place++) {
        if (place == 0) snprintf(path, VOX_PATH, "%s%s.weights", folder, name);
        if (place == 1) snprintf(path, VOX_PATH, "%s../share/%s/%s.weights", folder, name, name);
        if (place == 2) snprintf(path, VOX_PATH, "%s.weights", name);
        fd = open_file(path);
    }
    if (fd < 0 && errno == ENOENT) snprintf(path, VOX_PATH, "%s%s.weights", folder, name);
    return fd;
}

static int open_weights(const char *name, const char *given, char path[VOX_PATH]) {
    if (given == NULL) return find_weights(name, path);
    snprintf(path, VOX_PATH, "%s", given);
    return open_file(path);
}

bool vox_find_weights(const vox_model_info *model, const char *given, char *path) {
    int fd = open_weights(model->name, given, path);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

int vox_map_weights(const vox_model_info *model, const char *given, char *path, vox_mapping *m) {
    const char *name = model->name;
    int fd = open_weights(name, given, path);
    if (fd < 0 && given == NULL && errno == ENOENT) {
        return vox_fail(
            VOX_EXIT_INPUT,
            "no weights: looked for %s, in ../share/%s from there and in the working directory; name the "
            "file with --weights FILE",
            path, name);
    }
    if (fd < 0) return vox_fail(VOX_EXIT_INPUT, "cannot read the weights %s: %s", path, strerror(errno));
    struct stat s;
    int code = 0;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        code = vox_fail(VOX_EXIT_INPUT, "cannot read the weights %s: not a regular file (they are mapped)",
                        path);
    } else if (s.st_size == 0) {
        code = vox_fail(VOX_EXIT_INPUT, "the weights %s are empty", path);
    } else {
        m->bytes = (size_t)s.st_size;
        m->data = mmap(NULL, m->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        if (m->data == MAP_FAILED) {
            m->data = NULL;
            code = vox_fail(VOX_EXIT_FAILURE, "cannot map the weights %s: %s", path, strerror(errno));
        }
    }
    close(fd);
    return code;
}

void vox_unmap_weights(vox_mapping *m) {
    if (m->data != NULL) munmap(m->data, m->bytes);
    *m = (vox_mapping){0};
}

int vox_fail_weights(const vox_model_info *m, const char *path, const vox_mapping *file, vox_status status) {
    vox_weights_header header;
    if (status != VOX_E_WEIGHTS_MODEL || file->bytes < sizeof header) return vox_fail_status(path, status);
    memcpy(&header, file->data, sizeof header);
    return vox_fail(VOX_EXIT_INPUT,
                    "%s: these weights belong to code with the hash %016" PRIx64
                    ", this program has %s: give it the file written beside its code, or compile "
                    "the model again with the weights you want",
                    path, header.graph_hash, m->graph_hash);
}

/* The weight file leaves memory before arena and inputs enter it. */
static int prepare(vox_host *h, const char *given) {
    const vox_model_info *m = h->model;
    char path[VOX_PATH];
    vox_mapping file = {0};
    int code = allocate(&h->prepared, m->prepared_bytes, m->align, "the prepared weights");
    if (code == 0 && m->weights_bytes > 0) code = vox_map_weights(m, given, path, &file);
    if (code != 0) return code;
    vox_status status = m->prepare(file.data, file.bytes, h->prepared, m->prepared_bytes);
    if (status != VOX_OK)
        code =
            file.data != NULL ? vox_fail_weights(m, path, &file, status) : vox_fail_status(m->name, status);
    vox_unmap_weights(&file);
    return code;
}

static int allocate_ports(void ***buffers, const vox_port *ports, int n) {
    *buffers = calloc((size_t)n + 1, sizeof **buffers);
    if (*buffers == NULL) return vox_fail_memory("buffers", sizeof **buffers);
    for (int i = 0; i < n; i++) {
        size_t bytes = vox_array_bytes(ports[i].dtype, ports[i].rank, ports[i].dim);
        int code = allocate(&(*buffers)[i], bytes, 64, ports[i].name);
        if (code != 0) return code;
    }
    return 0;
}

int vox_host_allocate_ports(vox_host *h) {
    int code = allocate_ports(&h->inputs, h->model->inputs, h->model->n_inputs);
    return code != 0 ? code : allocate_ports(&h->outputs, h->model->outputs, h->model->n_outputs);
}

int vox_host_open(vox_host *h, const vox_model_info *m, const char *weights, int threads,
                  size_t arena_bytes) {
    *h = (vox_host){.model = m, .backend = NULL, .arena_bytes = arena_bytes};
    int code = prepare(h, weights);
    if (code == 0) code = allocate(&h->arena, arena_bytes, m->align, "the arena");
    if (code == 0) code = vox_host_allocate_ports(h);
    if (code == 0) {
        h->pool = vox_pool_create(threads > 0 ? threads : vox_cpu_count());
        if (h->pool == NULL) code = vox_fail(VOX_EXIT_FAILURE, "cannot start %d threads", threads);
        h->executor = (vox_executor){.parallel_for = vox_pool_parallel_for, .pool = h->pool};
    }
    if (code != 0) vox_host_close(h);
    return code;
}

void vox_host_close(vox_host *h) {
    if (h->backend != NULL && h->backend->close != NULL) h->backend->close(h);
    if (h->pool != NULL) vox_pool_destroy(h->pool);
    for (int i = 0; h->inputs != NULL && i < h->model->n_inputs; i++) free(h->inputs[i]);
    for (int i = 0; h->outputs != NULL && i < h->model->n_outputs; i++) free(h->outputs[i]);
    free(h->inputs);
    free(h->outputs);
    free(h->arena);
    free(h->prepared);
    *h = (vox_host){0};
}

/* ---- running --------------------------------------------------------------------------------- */

static int elsewhere(const vox_host *h) {
    return h->backend != NULL && h->backend->submit != NULL;
}

static int run_here(vox_host *h) {
    vox_status status = h->model->run(h->prepared, (const void *const *)h->inputs, h->outputs, h->arena,
                                      h->arena_bytes, &h->executor);
    if (status == VOX_E_CANCELLED) return VOX_EXIT_FAILURE; /* whoever cancels says why */
    return status == VOX_OK ? 0 : vox_fail_status(h->model->name, status);
}

int vox_host_submit(vox_host *h) {
    return elsewhere(h) ? h->backend->submit(h) : 0;
}

int vox_host_collect(vox_host *h) {
    return elsewhere(h) ? h->backend->collect(h) : run_here(h);
}

int vox_host_run(vox_host *h) {
    int code = vox_host_submit(h);
    return code == 0 ? vox_host_collect(h) : code;
}

int vox_host_at_once(const vox_host *h) {
    return elsewhere(h) ? h->at_once : 1;
}

vox_status vox_host_selftest(vox_host *h, const char **first_bad_layer, double *worst_error) {
    if (elsewhere(h)) return h->backend->selftest(h, first_bad_layer, worst_error);
    return h->model->selftest(h->prepared, h->arena, h->arena_bytes, &h->executor, first_bad_layer,
                              worst_error);
}

const char *vox_host_where(const vox_host *h) {
    if (h->where[0]) return h->where;
    return h->model->isa != NULL ? h->model->isa() : "?";
}

const vox_backend *vox_backend_named(const vox_backend *backends, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (strcmp(backends[i].name, name) == 0) return &backends[i];
    return NULL;
}
