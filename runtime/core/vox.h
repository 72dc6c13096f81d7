/* SPDX-License-Identifier: MIT-0 */
/* vox.h: what a generated bundle and its host share. Needs libc and threads only.
 *
 * The caller owns all memory. Nothing here prints, exits, or allocates, except vox_pool_create. Functions
 * that can fail return a vox_status; on anything but VOX_OK outputs are untouched unless said otherwise.
 *
 * Concurrency. Nothing here has state of its own: functions may be called at the same time from any threads,
 * as long as no two of them write the same buffer (arena, outputs, prepared) and none writes what another
 * reads. Within a run, tasks of one step may be executed at the same time, on any threads and in any order;
 * they write disjoint memory and meet in one place: the counter by which workers of a step share out its
 * tiles, an int that is only ever incremented, atomically and with relaxed order, since no memory is
 * published through it. What one step wrote another reads: the return of the executor's parallel_for must
 * synchronise with all of its calls, as joining threads, or locks, do. The runtime's own pool uses C11
 * atomics, mutexes and conditions. run, selftest and isa read VOX_ISA from the environment, unless the
 * library is built with -DVOX_NO_ENVIRONMENT.
 */
#ifndef VOX_H
#define VOX_H

#include "vox_volume_info.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(symbol, text: what is wrong and what to do) */
#define VOX_STATUSES(X)                                                                                      \
    X(OK, "ok")                                                                                              \
    X(E_ARGUMENT, "a pointer is NULL: pass what the header names")                                           \
    X(E_ARENA_SIZE, "the arena is smaller than _ARENA_BYTES")                                                \
    X(E_ARENA_ALIGN, "the arena is not aligned to _ALIGN bytes")                                             \
    X(E_PREPARED_SIZE, "the prepared buffer is smaller than _PREPARED_BYTES")                                \
    X(E_PREPARED_ALIGN, "the prepared buffer is not aligned to _ALIGN bytes")                                \
    X(E_PREPARED, "the prepared buffer was not written by this model's prepare function")                    \
    X(E_WEIGHTS_MAGIC, "not a voxc weight file")                                                             \
    X(E_WEIGHTS_VERSION, "the weight file has another format version: compile the model again")              \
    X(E_WEIGHTS_MODEL,                                                                                       \
      "the weight file belongs to other code (graph hash): use the one written beside this code")            \
    X(E_WEIGHTS_SIZE, "the weight file is truncated or too long: copy it again")                             \
    X(E_WEIGHTS_CHECKSUM, "the weight file is corrupt (checksum): copy it again")                            \
    X(E_WEIGHTS_NOT_FINITE, "the weight file holds NaN or infinity")                                         \
    X(E_CANCELLED, "the host cancelled the run")                                                             \
    X(E_SELFTEST, "a layer computes wrong values: see first_bad_layer")                                      \
    X(E_ISA, "this processor or build lacks the requested instruction set")                                  \
    X(E_MEMORY, "not enough memory")                                                                         \
    X(E_NO_DEVICE, "no such GPU: none is there, or its driver is missing or too old")                        \
    X(E_DEVICE_MEMORY, "not enough memory on the GPU: give it a smaller workspace, or free some")            \
    X(E_CUDA, "CUDA failed: see the message")                                                                \
    X(E_CUDNN, "cuDNN failed: see the message")                                                              \
    X(E_EQUAL, "the values to be scaled are all the same, which leaves 0 to divide by: check the volume, "   \
               "or give the step a floor")                                                                   \
    X(E_MAXIMUM, "the largest value is not above 0, so nothing can be divided by it: check the volume, or "  \
                 "scale it with min_max")                                                                    \
    X(E_NETWORK, "the model cannot segment volumes: it needs a volume section, one float32 input and "       \
                 "scores or labels as its output")                                                           \
    X(E_CHANNELS, "the volume has not as many channels as the network takes")                                \
    X(E_ORIENTATION, "the description names an orientation, but the volume does not say where its axes run") \
    X(E_SPACING, "the description asks for a voxel size, but the volume does not say its own")               \
    X(E_TILE, "one tile must hold the volume, and does not: give the description a border")                  \
    X(E_SIZE, "the volume is too large, or is resampled to too many voxels: check its voxel size")           \
    X(E_VOXELS, "voxels are not finite, or beyond float32")                                                  \
    X(E_SCORES, "the network gave scores that are not finite")                                               \
    X(E_LABELS, "the network gave labels beyond the type of the labels")                                     \
    X(E_STREAM, "a step of the description needs the whole volume in memory, which cannot be read in slabs")
typedef enum vox_status {
#define X(symbol, text) VOX_##symbol,
    VOX_STATUSES(X)
#undef X
} vox_status;
const char *vox_status_text(vox_status status);

typedef enum vox_dtype { VOX_F32, VOX_I64, VOX_I32, VOX_U8 } vox_dtype;
size_t vox_dtype_bytes(vox_dtype type);

/* ---- execution ------------------------------------------------------------------------------- */

typedef void vox_task_fn(void *argument, int task);

/* How a run uses the host: every member may be 0 / NULL; a NULL executor runs on the calling thread alone.
 * parallel_for must call fn(argument, i) once for each 0 <= i < tasks, from any threads, and return when all
 * are done. Results are bit-identical for any number of threads and any order of tasks. */
typedef struct vox_executor {
    void (*parallel_for)(void *pool, int tasks, vox_task_fn *fn, void *argument);
    void *pool;
    /* Called on the run's thread after each step (vox_step); done counts steps. */
    void (*progress)(void *user, int done, int total);
    /* Asked before each step until the first one that writes an output; non-zero ends the run with
     * VOX_E_CANCELLED. */
    int (*cancelled)(void *user);
    /* Called after the last step of layer `index` with the address of what it wrote (valid until the next
     * step starts); not for layers of which only some planes are kept (ring of vox_layer_info). */
    void (*layer)(void *user, int index, const void *data);
    void *user;
} vox_executor;

/* The runtime's own pool: threads >= 1, the calling thread included.
 * NULL when threads or memory are refused. */
typedef struct vox_pool vox_pool;
vox_pool *vox_pool_create(int threads);
void vox_pool_destroy(vox_pool *pool);
void vox_pool_parallel_for(void *pool, int tasks, vox_task_fn *fn, void *argument);
int vox_cpu_count(void); /* processors that this process may use, >= 1 */

/* ---- description of a model ------------------------------------------------------------------ */

enum { VOX_MAX_RANK = 8, VOX_BLOCK = 16 };

typedef struct vox_port { /* a graph input or output */
    const char *name;
    vox_dtype dtype;
    int rank;
    int dim[VOX_MAX_RANK]; /* row-major, N C D H W */
} vox_port;

/* VOX_NOWHERE: the layer's kernel hands its values on in registers. */
typedef enum vox_place { VOX_IN_ARENA, VOX_IN_INPUT, VOX_IN_OUTPUT, VOX_NOWHERE } vox_place;

typedef struct vox_layer_info {
    const char *name; /* the model's own */
    const char *op;   /* "conv 3x3x3 + relu, Winograd 4x4x4", for people */
    int rank;
    int dim[VOX_MAX_RANK];
    int block; /* 0: row-major. VOX_BLOCK: N, ceil(C/16), D, H, W, 16 */
    vox_dtype dtype;
    vox_place place;
    size_t offset; /* bytes into the arena; number of the input or output otherwise */
    size_t within; /* bytes from the start of that output; 0 in the arena */
    uint64_t macs;
    int stream;     /* number of the stream it is part of, 0: none */
    int ring;       /* planes along D that are kept of what it writes, 0: all */
    size_t scratch; /* bytes of the arena that it uses besides, while a step of it runs */
} vox_layer_info;

/* Planes begin <= d < end along D. */
typedef struct vox_range {
    int begin, end;
} vox_range;

/* A run is a list of steps: layer `layer` computes the planes begin <= d < end (along D) of what it writes.
 * Most layers have one step; the layers of a stream take turns, so that what passes between them never exists
 * whole. */
typedef struct vox_step {
    int layer, begin, end;
    int phase; /* 0 for layers that compute a range of planes in one go */
} vox_step;

typedef vox_status vox_prepare_fn(const void *weights, size_t weights_bytes, void *prepared,
                                  size_t prepared_bytes);
typedef vox_status vox_run_fn(const void *prepared, const void *const *inputs, void *const *outputs,
                              void *arena, size_t arena_bytes, const vox_executor *executor);
/* Runs the model on a seeded input and, after each layer, recomputes sampled values of its output in double
 * precision by the plain formula from that layer's actual operands. The arena must hold selftest_bytes.
 * VOX_E_SELFTEST: the first wrong layer is named (both pointers may be NULL); worst_error: relative to what
 * rounding allows, 1 is bad. */
typedef vox_status vox_selftest_fn(const void *prepared, void *arena, size_t arena_bytes,
                                   const vox_executor *executor, const char **first_bad_layer,
                                   double *worst_error);

/* <model>_get_info() returns one of these: everything a dlopen user needs. */
typedef struct vox_model_info {
    unsigned abi;
    const char *name, *voxc_version, *graph_hash, *options; /* options: as given to voxc compile */
    size_t arena_bytes, prepared_bytes, weights_bytes, align;
    size_t selftest_bytes; /* arena that selftest needs: the run's, the inputs and the outputs */
    uint64_t parameters, macs;
    int n_inputs, n_outputs, n_layers, n_labels, n_steps;
    const vox_port *inputs, *outputs;
    const vox_layer_info *layers;
    const vox_step *steps;
    const char *const *labels;
    const vox_volume_info *volume; /* NULL: the model has no volume section */
    vox_prepare_fn *prepare;
    vox_run_fn *run;
    vox_selftest_fn *selftest;
    const char *(*isa)(void); /* the instruction set in use, of vox_isas.h */
} vox_model_info;

#ifdef __cplusplus
}
#endif
#endif
