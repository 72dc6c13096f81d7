/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda.c: the life of a handle. See vox_cuda.h and vox_cuda_model.h for the contracts. */
#include "vox_cuda_handle.h"

#include <stdlib.h>

/* Waits for the handle's own work alone: others may be capturing, which no wait for the GPU survives. */
static void release(vox_cuda *h) {
    if (h->done) cudaEventSynchronize(h->done);
    vox_cuda_close_pipe(h);
    vox_cuda_free_graphs(h);
    vox_cuda_free_plans(h);
    if (h->weights) cudaFree(h->weights);
    if (h->done) cudaEventDestroy(h->done);
    if (h->own) cudaStreamDestroy(h->own);
    free(h);
}

/* From a thread whose GPU is another. */
static void release_on(vox_cuda *h) {
    vox_cuda_thread before;
    const int changed = vox_cuda_enter(h, &before) == VOX_OK;
    release(h);
    if (changed) {
        cudaThreadExchangeStreamCaptureMode(&before.mode);
        cudaSetDevice(before.device);
    }
    cudaGetLastError();
}

static vox_status check_options(const vox_cuda *h) {
    const vox_cuda_options *o = &h->options;
    if (o->tiles > VOX_CUDA_TILES || o->tiles < -VOX_CUDA_TILES) return VOX_E_ARGUMENT;
    if (!o->arena) return VOX_OK;
    if (o->tiles > 1) return VOX_E_ARGUMENT;
    if (o->arena_bytes < h->model->info->arena_bytes) return VOX_E_ARENA_SIZE;
    return (uintptr_t)o->arena % VOX_CUDA_ALIGN ? VOX_E_ARENA_ALIGN : VOX_OK;
}

static vox_status find_device(const vox_cuda *h) {
    int count = 0;
    vox_status status = vox_cuda_check_call(h, cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    if (status != VOX_OK) return status;
    if (h->options.device >= 0 && h->options.device < count) return VOX_OK;
    vox_cuda_say(h, "GPU %d is asked for, and there are %d", h->options.device, count);
    return VOX_E_NO_DEVICE;
}

static vox_status open_own(vox_cuda *h) {
    vox_status status = vox_cuda_check_call(h, cudaStreamCreateWithFlags(&h->own, cudaStreamNonBlocking),
                                            "cudaStreamCreateWithFlags");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventCreateWithFlags(&h->done, cudaEventDisableTiming),
                               "cudaEventCreateWithFlags");
}

/* Weights first: a wrong file is found before anything costs time. */
static vox_status fill_weights(vox_cuda *h, const void *weights, size_t weights_bytes) {
    vox_status status = open_own(h);
    if (status == VOX_OK) status = vox_cuda_load_weights(h, weights, weights_bytes);
    return status == VOX_OK ? vox_cuda_build_plans(h) : status;
}

/* A handle with nothing in it yet, whose GPU is the thread's; on anything but VOX_OK there is none. */
static vox_status open(const vox_cuda_model *model, const vox_cuda_options *options, vox_cuda **handle,
                       vox_cuda_thread *before) {
    vox_cuda *h = calloc(1, sizeof *h);
    if (!h) return VOX_E_MEMORY;
    h->model = model;
    if (options) h->options = *options;
    vox_status status = check_options(h);
    if (status == VOX_OK) status = find_device(h);
    if (status == VOX_OK) status = vox_cuda_enter(h, before);
    if (status == VOX_OK)
        *handle = h;
    else
        free(h);
    return status;
}

vox_status vox_cuda_create(const vox_cuda_model *model, const void *weights, size_t weights_bytes,
                           const vox_cuda_options *options, vox_cuda **handle) {
    vox_cuda_thread before;
    vox_cuda *h = NULL;
    if (!handle) return VOX_E_ARGUMENT;
    *handle = NULL;
    if (!weights) return VOX_E_ARGUMENT;
    vox_status status = open(model, options, &h, &before);
    if (status != VOX_OK) return status;
    status = fill_weights(h, weights, weights_bytes);
    status = vox_cuda_leave(h, before, status);
    if (status == VOX_OK)
        *handle = h;
    else
        release_on(h);
    return status;
}

vox_status vox_cuda_arena_wanted(const vox_cuda_model *model, const vox_cuda_options *options,
                                 size_t *bytes) {
    vox_cuda_thread before;
    vox_cuda *h = NULL;
    vox_cuda_options own = options ? *options : (vox_cuda_options){0};
    if (!bytes) return VOX_E_ARGUMENT;
    own.arena = NULL; /* which is what is asked for */
    own.tiles = 1;
    vox_status status = open(model, &own, &h, &before);
    if (status != VOX_OK) return status;
    status = vox_cuda_count_arena(h);
    const size_t wanted = h->arena_bytes;
    status = vox_cuda_leave(h, before, status);
    release_on(h);
    if (status == VOX_OK) *bytes = wanted;
    return status;
}

void vox_cuda_destroy(vox_cuda *h) {
    if (h) release_on(h);
}

size_t vox_cuda_arena_size(const vox_cuda *h) {
    return h->arena_bytes * (size_t)h->tiles;
}
