/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_time.c: how long a run takes on the GPU, as a whole and layer by layer. */
#include "vox_cuda_handle.h"

#include <stdlib.h>
#include <string.h>

static vox_status read_times(vox_cuda *h, const cudaEvent_t *events, float *milliseconds) {
    const vox_cuda_model *m = h->model;
    vox_status status =
        vox_cuda_check_call(h, cudaEventSynchronize(events[m->n_steps]), "cudaEventSynchronize");
    for (int i = 0; i < m->n_steps && status == VOX_OK; i++) {
        float ms = 0;
        status = vox_cuda_check_call(h, cudaEventElapsedTime(&ms, events[i], events[i + 1]),
                                     "cudaEventElapsedTime");
        milliseconds[m->steps[i].layer] += ms;
    }
    return status;
}

static vox_status time_steps(vox_cuda *h, cudaEvent_t *events, float *milliseconds) {
    const vox_cuda_slot *slot = &h->pipe.slots[0];
    const vox_cuda_memory memory = vox_cuda_memory_of(h, 0, slot->inputs, slot->outputs);
    cudaStream_t stream = h->pipe.compute;
    vox_status status = vox_cuda_use_stream(h, stream);
    for (int i = 0; i <= h->model->n_steps && status == VOX_OK; i++)
        status = vox_cuda_check_call(h, cudaEventCreateWithFlags(&events[i], cudaEventDefault),
                                     "cudaEventCreateWithFlags");
    for (int i = 0; i <= h->model->n_steps && status == VOX_OK; i++) {
        status = vox_cuda_check_call(h, cudaEventRecord(events[i], stream), "cudaEventRecord");
        if (status == VOX_OK && i < h->model->n_steps) status = vox_cuda_run_step(h, 0, &memory, i, stream);
    }
    return status == VOX_OK ? read_times(h, events, milliseconds) : status;
}

vox_status vox_cuda_time_layers(vox_cuda *h, float *milliseconds) {
    vox_cuda_thread before;
    if (!h || !milliseconds || h->pipe.under_way) return VOX_E_ARGUMENT;
    const size_t events = (size_t)h->model->n_steps + 1;
    cudaEvent_t *list = calloc(events, sizeof *list);
    if (!list) return vox_cuda_no_memory(h, "events");
    memset(milliseconds, 0, (size_t)h->model->info->n_layers * sizeof *milliseconds);
    vox_status status = vox_cuda_enter(h, &before);
    if (status == VOX_OK) {
        status = vox_cuda_open_pipe(h);
        if (status == VOX_OK) status = time_steps(h, list, milliseconds);
        for (size_t i = 0; i < events; i++)
            if (list[i]) cudaEventDestroy(list[i]);
        status = vox_cuda_leave(h, before, status);
    }
    free(list);
    return status;
}

static vox_status time_run(vox_cuda *h, cudaEvent_t *events, float *milliseconds) {
    const vox_cuda_slot *slot = &h->pipe.slots[0];
    cudaStream_t stream = h->pipe.compute;
    vox_status status = vox_cuda_use_stream(h, stream);
    for (int i = 0; i < 2 && status == VOX_OK; i++)
        status = vox_cuda_check_call(h, cudaEventCreateWithFlags(&events[i], cudaEventDefault),
                                     "cudaEventCreateWithFlags");
    for (int i = 0; i < 2 && status == VOX_OK; i++) { /* the first captures */
        status = vox_cuda_check_call(h, cudaEventRecord(events[0], stream), "cudaEventRecord");
        if (status == VOX_OK) status = vox_cuda_run(h, stream, slot->inputs, slot->outputs);
    }
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaEventRecord(events[1], stream), "cudaEventRecord");
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaEventSynchronize(events[1]), "cudaEventSynchronize");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventElapsedTime(milliseconds, events[0], events[1]),
                               "cudaEventElapsedTime");
}

vox_status vox_cuda_time_run(vox_cuda *h, float *milliseconds) {
    vox_cuda_thread before;
    cudaEvent_t events[2] = {NULL, NULL};
    if (!h || !milliseconds || h->pipe.under_way) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = vox_cuda_open_pipe(h);
    if (status == VOX_OK) status = time_run(h, events, milliseconds);
    for (int i = 0; i < 2; i++)
        if (events[i]) cudaEventDestroy(events[i]);
    return vox_cuda_leave(h, before, status);
}
