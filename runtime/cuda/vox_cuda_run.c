/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_run.c: the steps of a run, enqueued on a stream. */
#include "vox_cuda_handle.h"

#include <stdio.h>

void *vox_cuda_address(const vox_cuda_memory *m, vox_cuda_place place) {
    const unsigned char *base = NULL;
    switch (place.base) {
    case VOX_CUDA_ARENA:
        base = m->arena;
        break;
    case VOX_CUDA_WEIGHTS:
        base = m->weights;
        break;
    case VOX_CUDA_INPUT:
        base = m->inputs[place.number];
        break;
    case VOX_CUDA_OUTPUT:
        base = m->outputs[place.number];
        break;
    case VOX_CUDA_NOWHERE:
        return NULL;
    }
    return (void *)(uintptr_t)(base + place.offset);
}

vox_cuda_memory vox_cuda_memory_of(const vox_cuda *h, int tile, const void *const *inputs,
                                   void *const *outputs) {
    const vox_model_info *info = h->model->info;
    return (vox_cuda_memory){.arena = h->arena + (size_t)tile * h->arena_bytes,
                             .weights = h->weights,
                             .inputs = inputs ? inputs + tile * info->n_inputs : NULL,
                             .outputs = outputs ? outputs + tile * info->n_outputs : NULL};
}

vox_plan_operands vox_cuda_operands_of(const vox_cuda_memory *m, const vox_cuda_call *call, void *workspace) {
    return (vox_plan_operands){.x = vox_cuda_address(m, call->x),
                               .w = vox_cuda_address(m, call->w),
                               .bias = vox_cuda_address(m, call->bias),
                               .y = vox_cuda_address(m, call->y),
                               .workspace = workspace};
}

static vox_status run_plan(vox_cuda *h, cudnnHandle_t cudnn, const vox_cuda_memory *m,
                           const vox_cuda_step *step) {
    const vox_cuda_call *call = &h->model->calls[step->call];
    const size_t at = (step->free_from + VOX_CUDA_ALIGN - 1) / VOX_CUDA_ALIGN * VOX_CUDA_ALIGN;
    const vox_plan *plan = h->plans[call->conv];
    void *workspace = vox_plan_workspace(plan) ? m->arena + at : NULL;
    const vox_plan_operands o = vox_cuda_operands_of(m, call, workspace);
    return vox_cudnn_check_call(h, vox_plan_execute(cudnn, plan, &o),
                                h->model->info->layers[step->layer].name);
}

vox_status vox_cuda_run_step(vox_cuda *h, int tile, const vox_cuda_memory *m, int index,
                             cudaStream_t stream) {
    const vox_cuda_step *step = &h->model->steps[index];
    if (step->call >= 0) {
        vox_status status = run_plan(h, h->cudnn[tile], m, step);
        if (status != VOX_OK) return status;
    }
    vox_cuda_layer_fn launch = h->model->layers[step->layer];
    if (!launch) return VOX_OK;
    return vox_cuda_check_call(h, launch(m, step, stream), h->model->info->layers[step->layer].name);
}

vox_status vox_cuda_use_stream(const vox_cuda *h, cudaStream_t stream) {
    vox_status status = vox_cuda_refuse_capture(h, stream, "a self-test, or a measurement,");
    if (status != VOX_OK || !h->cudnn[0]) return status;
    return vox_cudnn_check_call(h, cudnnSetStream(h->cudnn[0], stream), "cudnnSetStream");
}

vox_status vox_cuda_enqueue(vox_cuda *h, cudaStream_t stream, int tile, const void *const *inputs,
                            void *const *outputs) {
    const vox_cuda_memory m = vox_cuda_memory_of(h, tile, inputs, outputs);
    vox_status status = VOX_OK;
    if (h->cudnn[tile])
        status = vox_cudnn_check_call(h, cudnnSetStream(h->cudnn[tile], stream), "cudnnSetStream");
    for (int i = 0; i < h->model->n_steps && status == VOX_OK; i++)
        status = vox_cuda_run_step(h, tile, &m, i, stream);
    return status;
}

static vox_status launch_steps(vox_cuda *h, cudaStream_t stream, int runs, const void *const *inputs,
                               void *const *outputs) {
    vox_status status = VOX_OK;
    for (int i = 0; i < runs && status == VOX_OK; i++)
        status = vox_cuda_enqueue(h, stream, i, inputs, outputs);
    return status;
}

/* No graph of the handle's goes into a capture of the host's, nor an event, for which nobody could wait. */
vox_status vox_cuda_launch(vox_cuda *h, cudaStream_t stream, int runs, const void *const *inputs,
                           void *const *outputs) {
    int captured = 0;
    vox_status status = vox_cuda_is_captured(h, stream, &captured);
    if (status != VOX_OK) return status;
    if (captured || h->options.no_graph)
        status = launch_steps(h, stream, runs, inputs, outputs);
    else
        status = vox_cuda_launch_graph(h, stream, runs, inputs, outputs);
    if (status != VOX_OK || captured) return status;
    return vox_cuda_check_call(h, cudaEventRecord(h->done, stream), "cudaEventRecord");
}

static vox_status check_buffers(const vox_cuda *h, const void *const *inputs, void *const *outputs) {
    const vox_model_info *info = h->model->info;
    if (!inputs || !outputs) return VOX_E_ARGUMENT;
    for (int i = 0; i < info->n_inputs; i++)
        if (!inputs[i]) return VOX_E_ARGUMENT;
    for (int i = 0; i < info->n_outputs; i++)
        if (!outputs[i]) return VOX_E_ARGUMENT;
    return VOX_OK;
}

vox_status vox_cuda_run(vox_cuda *h, vox_cuda_stream stream, const void *const *inputs,
                        void *const *outputs) {
    vox_cuda_thread before;
    vox_status status = h ? check_buffers(h, inputs, outputs) : VOX_E_ARGUMENT;
    if (status == VOX_OK) status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = vox_cuda_launch(h, stream, 1, inputs, outputs);
    return vox_cuda_leave(h, before, status);
}
