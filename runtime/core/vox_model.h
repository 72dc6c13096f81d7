/* SPDX-License-Identifier: MIT-0 */
/* vox_model.h: what a bundle's generated tables give to the runtime's model functions (vox.c). Hosts include
 * vox.h and the bundle's own header only.
 */
#ifndef VOX_MODEL_H
#define VOX_MODEL_H

#include "vox.h"
#include "vox_weights.h"

enum { VOX_ALIGN = 64, VOX_PROBE_SAMPLES = 48 };

/* What a layer needs to check itself (vox_check.h). */
typedef struct vox_probe {
    uint64_t random; /* state of vox_random */
    double worst;    /* the largest error so far, as a part of what is allowed */
    int begin, end;  /* planes of the layer's output to look at: those of the step that was just run */
    int samples;     /* at most VOX_PROBE_SAMPLES */
} vox_probe;

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t vox_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Where a run's buffers are, and what its step is: see vox_step. */
typedef struct vox_memory {
    const unsigned char *prepared;
    unsigned char *arena;
    const void *const *inputs;
    void *const *outputs;
    vox_range range;
    int phase;
    int *next; /* a counter for the step's tasks to share; 0 before the first of them */
} vox_memory;

/* How generated layers say where an operand is; all offsets are bytes. */
static inline void *vox_in_arena(const vox_memory *m, size_t offset) {
    return m->arena + offset;
}
static inline const void *vox_in_prepared(const vox_memory *m, size_t offset) {
    return m->prepared + offset;
}
static inline const void *vox_in_input(const vox_memory *m, int number, size_t offset) {
    return (const unsigned char *)m->inputs[number] + offset;
}
static inline void *vox_in_output(const vox_memory *m, int number, size_t offset) {
    return (unsigned char *)m->outputs[number] + offset;
}

/* One layer: how many tasks its step is, task number `task` of them, and, when all are done, whether samples
 * of what they wrote are right: 1 if one is wrong, else 0. */
typedef struct vox_layer {
    int (*tasks)(const vox_memory *m);
    void (*run)(const vox_memory *m, int task);
    int (*check)(const vox_memory *m, vox_probe *probe);
} vox_layer;

/* The layers compiled for one instruction set. */
typedef struct vox_build {
    const char *isa;
    const vox_layer *layers;
} vox_build;

typedef struct vox_model {
    const vox_model_info *info;
    uint64_t graph_hash;
    const vox_weight *weights;
    int n_weights;
    const vox_build *builds; /* the preferred one last */
    int n_builds;
    int first_output; /* number of the first step that writes an output: no cancelling after it */
} vox_model;

vox_status vox_model_prepare(const vox_model *model, const void *weights, size_t weights_bytes,
                             void *prepared, size_t prepared_bytes);
vox_status vox_model_run(const vox_model *model, const void *prepared, const void *const *inputs,
                         void *const *outputs, void *arena, size_t arena_bytes, const vox_executor *executor);
vox_status vox_model_selftest(const vox_model *model, const void *prepared, void *arena, size_t arena_bytes,
                              const vox_executor *executor, const char **first_bad_layer,
                              double *worst_error);
const char *vox_model_isa(const vox_model *model); /* "none" where VOX_ISA names what is not there */

#endif
