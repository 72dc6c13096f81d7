/* SPDX-License-Identifier: MIT-0 */
/* vox_parallel.h: an executor's loop, on the calling thread where there is no executor. */
#ifndef VOX_PARALLEL_H
#define VOX_PARALLEL_H

#include "vox.h"

static inline void vox_parallel(const vox_executor *e, int tasks, vox_task_fn *fn, void *argument) {
    if (e != NULL && e->parallel_for != NULL) {
        e->parallel_for(e->pool, tasks, fn, argument);
    } else {
        for (int i = 0; i < tasks; i++) fn(argument, i);
    }
}

#endif
