/* SPDX-License-Identifier: MIT-0 */
/* host.h: a model made ready to run: weights prepared; arena, threads, inputs and outputs allocated. */
#ifndef VOX_HOST_H
#define VOX_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "vox.h"

typedef struct vox_backend vox_backend;
typedef struct vox_host {
    const vox_model_info *model;
    const vox_backend *backend; /* NULL: the processor */
    void *device;               /* the backend's own */
    char where[160];            /* where it runs, for people, if the backend says so */
    int at_once;                /* runs that it takes before the first is collected, if it has a submit */
    void *prepared, *arena;
    size_t arena_bytes;
    vox_pool *pool;
    vox_executor executor;
    void **inputs, **outputs; /* model->n_inputs, n_outputs buffers, 64-byte aligned */
} vox_host;

/* weights: a file, or NULL for <model>.weights beside the executable (then in the working directory).
 * threads: 0 for one per processor. arena_bytes: the model's arena_bytes or selftest_bytes. Prints its error
 * and returns the exit code; on success (0) close with vox_host_close. */
int vox_host_open(vox_host *h, const vox_model_info *model, const char *weights, int threads,
                  size_t arena_bytes);
void vox_host_close(vox_host *h);
int vox_host_run(vox_host *h); /* inputs -> outputs */
/* The same in two halves, which overlap with the next run's where the backend can (vox_host_at_once runs):
 * submit takes the inputs, collect waits and fills the outputs. The processor does all of it in collect. */
int vox_host_submit(vox_host *h);
int vox_host_collect(vox_host *h);
int vox_host_at_once(const vox_host *h);
vox_status vox_host_selftest(vox_host *h, const char **first_bad_layer, double *worst_error);
/* "avx2", "NVIDIA H100 80GB HBM3, compute capability 9.0". */
const char *vox_host_where(const vox_host *h);

/* ---- what may run a model besides the processor ---------------------------------------------- */

struct vox_request; /* backend.h */
/* Functions that can fail print their error and return the exit code. open leaves h as it was if it fails;
 * h->backend and h->model are set before it is called. The rest is NULL where the processor runs the model.
 */
struct vox_backend {
    const char *name; /* as --device takes it */
    const vox_model_info *model;
    const void *data;       /* the backend's own */
    int unchecked;          /* layers that its self-test does not recompute */
    int (*available)(void); /* whether this machine has it */
    int (*open)(vox_host *h, const struct vox_request *r);
    void (*close)(vox_host *h);
    int (*submit)(vox_host *h);  /* takes h->inputs, which may then be changed */
    int (*collect)(vox_host *h); /* waits for the oldest submitted run; fills h->outputs */
    vox_status (*selftest)(vox_host *h, const char **first_bad_layer, double *worst_error);
    int (*time_run)(vox_host *h, double *seconds);    /* of one run without copies */
    int (*time_layers)(vox_host *h, double *seconds); /* adds the time of each layer in one run */
    int (*print_plans)(vox_host *h);                  /* what bench says about the choices made */
};
/* Among `n` backends; NULL if there is none of that name. */
const vox_backend *vox_backend_named(const vox_backend *backends, int n, const char *name);

/* For backends. The weight file's bytes, mapped; given: see vox_host_open. path: room for VOX_PATH bytes,
 * which gets the file's name for messages. */
enum { VOX_PATH = 8192 };
typedef struct vox_mapping {
    void *data;
    size_t bytes;
} vox_mapping;
/* Where vox_map_weights would find them; false: nowhere. */
bool vox_find_weights(const vox_model_info *model, const char *given, char *path);
int vox_map_weights(const vox_model_info *model, const char *given, char *path, vox_mapping *m);
void vox_unmap_weights(vox_mapping *m);
/* One line for a weight file that prepare or create refused with that status, while it is mapped; which code
 * it belongs to, if that is what is wrong. Returns the exit code. */
int vox_fail_weights(const vox_model_info *m, const char *path, const vox_mapping *file, vox_status status);
int vox_host_allocate_ports(vox_host *h);

/* Seeded numbers: floats uniform in [-1, 1), integers in [0, 127]. */
void vox_fill_random(const vox_port *port, void *data, uint64_t seed);

double vox_seconds(void); /* of a clock that only goes forward */

#endif
