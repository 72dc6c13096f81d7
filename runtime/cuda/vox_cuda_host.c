/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_host.c: runs from and to host memory. Two slots of pinned and device buffers, copies on streams of
 * their own: while one slot computes, the other is filled or emptied.
 */
#include "vox_cuda_handle.h"

#include <stdlib.h>
#include <string.h>

/* ---- opening --------------------------------------------------------------------------------- */

size_t vox_cuda_port_bytes(const vox_port *port) {
    size_t bytes = vox_dtype_bytes(port->dtype);
    for (int i = 0; i < port->rank; i++) bytes *= (size_t)port->dim[i];
    return bytes;
}

static const vox_port *port_of(const vox_model_info *info, int i) {
    return i < info->n_inputs ? &info->inputs[i] : &info->outputs[i - info->n_inputs];
}

static vox_status place_ports(vox_cuda *h) {
    const vox_model_info *info = h->model->info;
    const int n = info->n_inputs + info->n_outputs;
    vox_cuda_pipe *p = &h->pipe;
    p->offset = malloc(((size_t)n + 1) * sizeof *p->offset);
    if (!p->offset) return vox_cuda_no_memory(h, "the ports");
    p->bytes = 0;
    for (int i = 0; i < n; i++) {
        p->offset[i] = p->bytes;
        p->bytes +=
            (vox_cuda_port_bytes(port_of(info, i)) + VOX_CUDA_ALIGN - 1) / VOX_CUDA_ALIGN * VOX_CUDA_ALIGN;
    }
    return VOX_OK;
}

static vox_status open_stream(const vox_cuda *h, cudaStream_t *stream) {
    return vox_cuda_check_call(h, cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking),
                               "cudaStreamCreateWithFlags");
}

static vox_status open_streams(vox_cuda *h) {
    vox_cuda_pipe *p = &h->pipe;
    vox_status status = open_stream(h, &p->in);
    if (status == VOX_OK) status = open_stream(h, &p->out);
    if (status != VOX_OK) return status;
    p->compute = h->options.stream;
    if (p->compute) return VOX_OK;
    status = open_stream(h, &p->compute);
    p->owns_compute = status == VOX_OK;
    return status;
}

static vox_status open_buffers(const vox_cuda *h, vox_cuda_slot *s) {
    void *pinned = NULL, *device = NULL;
    const size_t bytes = h->pipe.bytes;
    vox_status status = vox_cuda_check_call(h, cudaMallocHost(&pinned, bytes), "cudaMallocHost");
    s->pinned = pinned;
    if (status == VOX_E_DEVICE_MEMORY) status = VOX_E_MEMORY; /* pinned memory is the host's */
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaMalloc(&device, bytes), "cudaMalloc of the inputs and outputs");
    s->device = device;
    return status;
}

static vox_status open_events(const vox_cuda *h, vox_cuda_slot *s) {
    cudaEvent_t *events[] = {&s->copied_in, &s->computed, &s->copied_out};
    vox_status status = VOX_OK;
    for (int i = 0; i < 3 && status == VOX_OK; i++)
        status = vox_cuda_check_call(h, cudaEventCreateWithFlags(events[i], cudaEventDisableTiming),
                                     "cudaEventCreateWithFlags");
    return status;
}

static vox_status open_slot(vox_cuda *h, vox_cuda_slot *s) {
    const vox_model_info *info = h->model->info;
    s->inputs = calloc((size_t)info->n_inputs + 1, sizeof *s->inputs);
    s->outputs = calloc((size_t)info->n_outputs + 1, sizeof *s->outputs);
    if (!s->inputs || !s->outputs) return vox_cuda_no_memory(h, "the ports");
    vox_status status = open_buffers(h, s);
    if (status == VOX_OK) status = open_events(h, s);
    if (status != VOX_OK) return status;
    for (int i = 0; i < info->n_inputs; i++) s->inputs[i] = s->device + h->pipe.offset[i];
    for (int i = 0; i < info->n_outputs; i++) s->outputs[i] = s->device + h->pipe.offset[info->n_inputs + i];
    return VOX_OK;
}

vox_status vox_cuda_open_pipe(vox_cuda *h) {
    if (h->pipe.ready) return VOX_OK;
    vox_status status = place_ports(h);
    if (status == VOX_OK) status = open_streams(h);
    for (int i = 0; i < VOX_CUDA_SLOTS && status == VOX_OK; i++) status = open_slot(h, &h->pipe.slots[i]);
    if (status == VOX_OK)
        h->pipe.ready = 1;
    else
        vox_cuda_close_pipe(h);
    return status;
}

static void close_slot(vox_cuda_slot *s) {
    if (s->copied_in) cudaEventDestroy(s->copied_in);
    if (s->computed) cudaEventDestroy(s->computed);
    if (s->copied_out) cudaEventDestroy(s->copied_out);
    if (s->pinned) cudaFreeHost(s->pinned);
    if (s->device) cudaFree(s->device);
    free(s->inputs);
    free(s->outputs);
}

void vox_cuda_close_pipe(vox_cuda *h) {
    vox_cuda_pipe *p = &h->pipe;
    for (int i = 0; i < VOX_CUDA_SLOTS; i++) close_slot(&p->slots[i]);
    if (p->in) cudaStreamDestroy(p->in);
    if (p->out) cudaStreamDestroy(p->out);
    if (p->owns_compute) cudaStreamDestroy(p->compute);
    free(p->offset);
    *p = (vox_cuda_pipe){0};
}

/* ---- the three stages ------------------------------------------------------------------------ */

static vox_status copy_in(vox_cuda *h, vox_cuda_slot *s, const void *const *inputs) {
    const vox_model_info *info = h->model->info;
    vox_status status = VOX_OK;
    for (int i = 0; i < info->n_inputs && status == VOX_OK; i++) {
        const size_t bytes = vox_cuda_port_bytes(&info->inputs[i]), at = h->pipe.offset[i];
        memcpy(s->pinned + at, inputs[i], bytes);
        status = vox_cuda_check_call(
            h, cudaMemcpyAsync(s->device + at, s->pinned + at, bytes, cudaMemcpyHostToDevice, h->pipe.in),
            "cudaMemcpyAsync of an input");
    }
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(s->copied_in, h->pipe.in), "cudaEventRecord");
}

static vox_status compute(vox_cuda *h, vox_cuda_slot *s) {
    cudaStream_t stream = h->pipe.compute;
    vox_status status =
        vox_cuda_check_call(h, cudaStreamWaitEvent(stream, s->copied_in, 0), "cudaStreamWaitEvent");
    if (status == VOX_OK) status = vox_cuda_run(h, stream, s->inputs, s->outputs);
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(s->computed, stream), "cudaEventRecord");
}

static vox_status copy_out(vox_cuda *h, vox_cuda_slot *s) {
    const vox_model_info *info = h->model->info;
    vox_status status =
        vox_cuda_check_call(h, cudaStreamWaitEvent(h->pipe.out, s->computed, 0), "cudaStreamWaitEvent");
    for (int i = 0; i < info->n_outputs && status == VOX_OK; i++) {
        const size_t at = h->pipe.offset[info->n_inputs + i];
        status = vox_cuda_check_call(h,
                                     cudaMemcpyAsync(s->pinned + at, s->device + at,
                                                     vox_cuda_port_bytes(&info->outputs[i]),
                                                     cudaMemcpyDeviceToHost, h->pipe.out),
                                     "cudaMemcpyAsync of an output");
    }
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(s->copied_out, h->pipe.out), "cudaEventRecord");
}

/* ---- submit and collect ---------------------------------------------------------------------- */

static int any_null(int n, const void *const *pointers) {
    for (int i = 0; i < n; i++)
        if (!pointers[i]) return 1;
    return 0;
}

static vox_status submit(vox_cuda *h, const void *const *inputs) {
    vox_status status = vox_cuda_open_pipe(h);
    if (status != VOX_OK) return status;
    if (!h->pipe.under_way) h->pipe.first = 0; /* whose graph exists after the first run */
    vox_cuda_slot *s = &h->pipe.slots[(h->pipe.first + h->pipe.under_way) % VOX_CUDA_SLOTS];
    status = copy_in(h, s, inputs);
    if (status == VOX_OK) status = compute(h, s);
    if (status == VOX_OK) status = copy_out(h, s);
    if (status == VOX_OK)
        h->pipe.under_way++;
    else
        cudaDeviceSynchronize(); /* what was enqueued must not read a slot that is filled again */
    return status;
}

vox_status vox_cuda_submit(vox_cuda *h, const void *const *inputs) {
    int before = 0;
    if (!h || !inputs || any_null(h->model->info->n_inputs, inputs)) return VOX_E_ARGUMENT;
    if (h->pipe.under_way == VOX_CUDA_SLOTS) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = submit(h, inputs);
    return vox_cuda_leave(h, before, status);
}

static vox_status collect(vox_cuda *h, void *const *outputs) {
    const vox_model_info *info = h->model->info;
    vox_cuda_slot *s = &h->pipe.slots[h->pipe.first];
    vox_status status =
        vox_cuda_check_call(h, cudaEventSynchronize(s->copied_out), "waiting for the outputs");
    h->pipe.first = (h->pipe.first + 1) % VOX_CUDA_SLOTS;
    h->pipe.under_way--;
    for (int i = 0; i < info->n_outputs && status == VOX_OK; i++)
        memcpy(outputs[i], s->pinned + h->pipe.offset[info->n_inputs + i],
               vox_cuda_port_bytes(&info->outputs[i]));
    return status;
}

vox_status vox_cuda_collect(vox_cuda *h, void *const *outputs) {
    int before = 0;
    if (!h || !outputs || !h->pipe.under_way) return VOX_E_ARGUMENT;
    if (any_null(h->model->info->n_outputs, (const void *const *)outputs)) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = collect(h, outputs);
    return vox_cuda_leave(h, before, status);
}

vox_status vox_cuda_run_host(vox_cuda *h, const void *const *inputs, void *const *outputs) {
    if (!h || h->pipe.under_way || !outputs) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_submit(h, inputs);
    return status == VOX_OK ? vox_cuda_collect(h, outputs) : status;
}
