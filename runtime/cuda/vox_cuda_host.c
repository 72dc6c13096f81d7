/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_host.c: runs from and to host memory. Two slots of pinned and device buffers for the runs of a
 * launch, copies on streams of their own: while one slot computes, the other is filled or emptied.
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

static const vox_port *nth_port(const vox_model_info *info, int i) {
    return i < info->n_inputs ? &info->inputs[i] : &info->outputs[i - info->n_inputs];
}

size_t vox_cuda_place_ports(const vox_model_info *info, size_t *offset) {
    size_t bytes = 0;
    for (int i = 0; i < info->n_inputs + info->n_outputs; i++) {
        if (offset) offset[i] = bytes;
        bytes +=
            (vox_cuda_port_bytes(nth_port(info, i)) + VOX_CUDA_ALIGN - 1) / VOX_CUDA_ALIGN * VOX_CUDA_ALIGN;
    }
    return bytes;
}

static vox_status place_ports(vox_cuda *h) {
    const vox_model_info *info = h->model->info;
    vox_cuda_pipe *p = &h->pipe;
    p->offset = malloc(((size_t)(info->n_inputs + info->n_outputs) + 1) * sizeof *p->offset);
    if (!p->offset) return vox_cuda_no_memory(h, "the ports");
    p->bytes = vox_cuda_place_ports(info, p->offset);
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
    const size_t bytes = h->pipe.bytes * (size_t)h->tiles;
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
    const int n_in = info->n_inputs, n_out = info->n_outputs;
    s->inputs = calloc((size_t)(h->tiles * n_in) + 1, sizeof *s->inputs);
    s->outputs = calloc((size_t)(h->tiles * n_out) + 1, sizeof *s->outputs);
    if (!s->inputs || !s->outputs) return vox_cuda_no_memory(h, "the ports");
    vox_status status = open_buffers(h, s);
    if (status == VOX_OK) status = open_events(h, s);
    if (status != VOX_OK) return status;
    for (int t = 0; t < h->tiles; t++) {
        unsigned char *device = s->device + (size_t)t * h->pipe.bytes;
        for (int i = 0; i < n_in; i++) s->inputs[t * n_in + i] = device + h->pipe.offset[i];
        for (int i = 0; i < n_out; i++) s->outputs[t * n_out + i] = device + h->pipe.offset[n_in + i];
    }
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

/* What was enqueued must not read a slot that is filled again, or freed. */
static void settle(const vox_cuda_pipe *p) {
    const cudaStream_t streams[] = {p->in, p->compute, p->out};
    for (int i = 0; i < 3; i++) {
        enum cudaStreamCaptureStatus state = cudaStreamCaptureStatusNone;
        if (!streams[i] || cudaStreamIsCapturing(streams[i], &state) != cudaSuccess) continue;
        if (state == cudaStreamCaptureStatusNone) cudaStreamSynchronize(streams[i]);
    }
    cudaGetLastError();
}

void vox_cuda_close_pipe(vox_cuda *h) {
    vox_cuda_pipe *p = &h->pipe;
    if (!p->owns_compute) p->compute = NULL; /* the host's, which may be gone */
    settle(p);
    for (int i = 0; i < VOX_CUDA_SLOTS; i++) close_slot(&p->slots[i]);
    if (p->in) cudaStreamDestroy(p->in);
    if (p->out) cudaStreamDestroy(p->out);
    if (p->owns_compute) cudaStreamDestroy(p->compute);
    free(p->offset);
    *p = (vox_cuda_pipe){0};
}

/* ---- the three stages ------------------------------------------------------------------------ */

static vox_status copy_in(vox_cuda *h, vox_cuda_slot *s, int tile, const void *const *inputs) {
    const vox_model_info *info = h->model->info;
    vox_status status = VOX_OK;
    for (int i = 0; i < info->n_inputs && status == VOX_OK; i++) {
        const size_t bytes = vox_cuda_port_bytes(&info->inputs[i]);
        const size_t at = (size_t)tile * h->pipe.bytes + h->pipe.offset[i];
        memcpy(s->pinned + at, inputs[i], bytes);
        status = vox_cuda_check_call(
            h, cudaMemcpyAsync(s->device + at, s->pinned + at, bytes, cudaMemcpyHostToDevice, h->pipe.in),
            "cudaMemcpyAsync of an input");
    }
    return status;
}

/* Runs number `first` and the next of a slot. */
static vox_status launch_runs(vox_cuda *h, vox_cuda_slot *s, int first, int runs) {
    const vox_model_info *info = h->model->info;
    cudaStream_t stream = h->pipe.compute;
    vox_status status = vox_cuda_refuse_capture(h, stream, "a run from host memory");
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaEventRecord(s->copied_in, h->pipe.in), "cudaEventRecord");
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaStreamWaitEvent(stream, s->copied_in, 0), "cudaStreamWaitEvent");
    if (status == VOX_OK)
        status = vox_cuda_launch(h, stream, runs, s->inputs + first * info->n_inputs,
                                 s->outputs + first * info->n_outputs);
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(s->computed, stream), "cudaEventRecord");
}

static vox_status copy_outputs(vox_cuda *h, vox_cuda_slot *s, int tile) {
    const vox_model_info *info = h->model->info;
    vox_status status = VOX_OK;
    for (int i = 0; i < info->n_outputs && status == VOX_OK; i++) {
        const size_t at = (size_t)tile * h->pipe.bytes + h->pipe.offset[info->n_inputs + i];
        status = vox_cuda_check_call(h,
                                     cudaMemcpyAsync(s->pinned + at, s->device + at,
                                                     vox_cuda_port_bytes(&info->outputs[i]),
                                                     cudaMemcpyDeviceToHost, h->pipe.out),
                                     "cudaMemcpyAsync of an output");
    }
    return status;
}

static vox_status copy_out(vox_cuda *h, vox_cuda_slot *s, int first, int runs) {
    vox_status status =
        vox_cuda_check_call(h, cudaStreamWaitEvent(h->pipe.out, s->computed, 0), "cudaStreamWaitEvent");
    for (int i = 0; i < runs && status == VOX_OK; i++) status = copy_outputs(h, s, first + i);
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(s->copied_out, h->pipe.out), "cudaEventRecord");
}

/* ---- submit and collect ---------------------------------------------------------------------- */

static int any_null(int n, const void *const *pointers) {
    for (int i = 0; i < n; i++)
        if (!pointers[i]) return 1;
    return 0;
}

int vox_cuda_at_once(const vox_cuda *h) {
    return VOX_CUDA_SLOTS * h->tiles;
}

/* Where run number `run` of those under way is. */
static vox_cuda_slot *slot_of_run(vox_cuda *h, int run, int *tile) {
    const int place = (h->pipe.first + run) % vox_cuda_at_once(h);
    *tile = place % h->tiles;
    return &h->pipe.slots[place / h->tiles];
}

/* All that wait. */
static vox_status launch(vox_cuda *h) {
    vox_cuda_pipe *p = &h->pipe;
    const int runs = p->waiting;
    int first;
    vox_cuda_slot *s = slot_of_run(h, p->under_way - runs, &first);
    vox_status status = launch_runs(h, s, first, runs);
    if (status == VOX_OK) status = copy_out(h, s, first, runs);
    p->waiting = 0;
    if (status != VOX_OK) p->under_way -= runs;
    if (status != VOX_OK) settle(p);
    return status;
}

static vox_status submit(vox_cuda *h, const void *const *inputs) {
    vox_cuda_pipe *p = &h->pipe;
    int tile;
    vox_status status = vox_cuda_open_pipe(h);
    if (status != VOX_OK) return status;
    if (!p->under_way) p->first = 0; /* whose graph exists after the first run */
    vox_cuda_slot *s = slot_of_run(h, p->under_way, &tile);
    status = copy_in(h, s, tile, inputs);
    if (status != VOX_OK) {
        settle(p);
        return status;
    }
    p->under_way++;
    p->waiting++;
    return tile == h->tiles - 1 ? launch(h) : VOX_OK;
}

vox_status vox_cuda_submit(vox_cuda *h, const void *const *inputs) {
    vox_cuda_thread before;
    if (!h || !inputs || any_null(h->model->info->n_inputs, inputs)) return VOX_E_ARGUMENT;
    if (h->pipe.under_way == vox_cuda_at_once(h)) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = submit(h, inputs);
    return vox_cuda_leave(h, before, status);
}

static vox_status collect(vox_cuda *h, void *const *outputs) {
    const vox_model_info *info = h->model->info;
    vox_cuda_pipe *p = &h->pipe;
    int tile;
    vox_status status = p->waiting == p->under_way ? launch(h) : VOX_OK;
    if (status != VOX_OK) return status;
    const vox_cuda_slot *s = slot_of_run(h, 0, &tile);
    status = vox_cuda_check_call(h, cudaEventSynchronize(s->copied_out), "waiting for the outputs");
    p->first = (p->first + 1) % vox_cuda_at_once(h);
    p->under_way--;
    const unsigned char *pinned = s->pinned + (size_t)tile * p->bytes;
    for (int i = 0; i < info->n_outputs && status == VOX_OK; i++)
        memcpy(outputs[i], pinned + p->offset[info->n_inputs + i], vox_cuda_port_bytes(&info->outputs[i]));
    return status;
}

vox_status vox_cuda_collect(vox_cuda *h, void *const *outputs) {
    vox_cuda_thread before;
    if (!h || !outputs || !h->pipe.under_way) return VOX_E_ARGUMENT;
    if (any_null(h->model->info->n_outputs, (const void *const *)outputs)) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = collect(h, outputs);
    return vox_cuda_leave(h, before, status);
}

/* Nothing stays under way, whatever happens: the next run finds the handle as this one did. */
vox_status vox_cuda_run_host(vox_cuda *h, const void *const *inputs, void *const *outputs) {
    if (!h || h->pipe.under_way || !outputs) return VOX_E_ARGUMENT;
    if (any_null(h->model->info->n_outputs, (const void *const *)outputs)) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_submit(h, inputs);
    if (status == VOX_OK) status = vox_cuda_collect(h, outputs);
    if (h->pipe.under_way) {
        settle(&h->pipe);
        h->pipe.under_way = h->pipe.waiting = 0;
    }
    return status;
}
