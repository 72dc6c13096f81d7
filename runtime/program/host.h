/* SPDX-License-Identifier: MIT-0 */
/* host.h: a model made ready to run: weights prepared; arena, threads, inputs and outputs allocated. */
#ifndef VOX_HOST_H
#define VOX_HOST_H

#include <stdint.h>

#include "vox.h"

typedef struct vox_host {
    const vox_model_info *model;
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

/* Seeded numbers: floats uniform in [-1, 1), integers in [0, 127]. */
void vox_fill_random(const vox_port *port, void *data, uint64_t seed);

double vox_seconds(void); /* of a clock that only goes forward */

#endif
