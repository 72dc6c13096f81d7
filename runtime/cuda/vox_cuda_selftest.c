/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_selftest.c: a run step by step, each checked as soon as it is done; and one that is timed. */
#include "vox_cuda_check.h"
#include "vox_cuda_handle.h"

#include <stdlib.h>
#include <string.h>

#include "vox_model.h"

/* Samples of a step; of a normalisation, each of which looks at every voxel, and of a stream's many steps. */
enum { SAMPLES = 48, FEW_SAMPLES = 20 };

typedef struct selftest {
    vox_cuda *h;
    vox_cuda_memory memory;
    cudaStream_t stream;
    unsigned char *weights;
    void *data[1 + VOX_CUDA_OPERANDS]; /* of the result and the operands */
} selftest;

/* ---- copies ---------------------------------------------------------------------------------- */

static vox_status download(selftest *t, int which, const vox_cuda_tensor *tensor) {
    t->data[which] = malloc(tensor->bytes);
    if (!t->data[which]) return vox_cuda_no_memory(t->h, "a copy of a layer");
    return vox_cuda_check_call(t->h,
                               cudaMemcpy(t->data[which], vox_cuda_address(&t->memory, tensor->place),
                                          tensor->bytes, cudaMemcpyDeviceToHost),
                               "cudaMemcpy of a layer");
}

static vox_status fetch_operands(selftest *t, const vox_cuda_step *step, vox_cuda_sample *s) {
    const vox_cuda_check *c = s->check;
    vox_status status = VOX_OK;
    for (int k = 0; k < c->n_x && status == VOX_OK; k++) {
        const vox_cuda_tensor *x = &t->h->model->tensors[c->x[k]];
        status = download(t, 1 + k, x);
        s->x[k] = (vox_cuda_values){x, t->data[1 + k], step->z0[1 + k]};
    }
    return status;
}

static vox_status fetch_result(selftest *t, const vox_cuda_step *step, vox_cuda_sample *s) {
    const vox_cuda_tensor *y = &t->h->model->tensors[s->check->y];
    if (s->check->op == VOX_CUDA_OP_NONE) return VOX_OK;
    vox_status status = download(t, 0, y);
    s->y = (vox_cuda_values){y, t->data[0], step->z0[0]};
    return status;
}

static void forget(selftest *t) {
    for (int i = 0; i <= VOX_CUDA_OPERANDS; i++) {
        free(t->data[i]);
        t->data[i] = NULL;
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

static vox_status run_step(selftest *t, int index) {
    const vox_cuda_model *m = t->h->model;
    vox_status status = vox_cuda_run_step(t->h, &t->memory, index, t->stream);
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(t->h, cudaStreamSynchronize(t->stream),
                               m->info->layers[m->steps[index].layer].name);
}

/* Operands are copied before: a layer may write its result over them. */
static vox_status test_step(selftest *t, int index, double *error) {
    const vox_cuda_model *m = t->h->model;
    const vox_cuda_step *step = &m->steps[index];
    vox_cuda_sample s = {.model = m,
                         .check = &m->checks[step->layer],
                         .weights = t->weights,
                         .begin = step->begin,
                         .end = step->end,
                         .random = (uint64_t)index + 1};
    const int few = s.check->op == VOX_CUDA_OP_INSTANCE_NORM || m->info->layers[step->layer].stream;
    *error = 0;
    vox_status status = fetch_operands(t, step, &s);
    if (status == VOX_OK) status = run_step(t, index);
    if (status == VOX_OK) status = fetch_result(t, step, &s);
    if (status == VOX_OK) *error = vox_cuda_check_layer(&s, few ? FEW_SAMPLES : SAMPLES);
    forget(t);
    return status;
}

static vox_status test_steps(selftest *t, const char **bad, double *worst) {
    const vox_cuda_model *m = t->h->model;
    for (int i = 0; i < m->n_steps; i++) {
        double error = 0;
        vox_status status = test_step(t, i, &error);
        if (status != VOX_OK) return status;
        if (error > *worst) *worst = error;
        if (error <= 1) continue;
        *bad = m->info->layers[m->steps[i].layer].name;
        return VOX_E_SELFTEST;
    }
    return VOX_OK;
}

/* ---- inputs ---------------------------------------------------------------------------------- */

/* Uniform in [-1, 1), or small integers; the same as the CPU's self-test takes. */
static void fill(const vox_port *port, void *data) {
    const size_t count = vox_cuda_port_bytes(port) / vox_dtype_bytes(port->dtype);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        const uint64_t bits = vox_random(&state);
        if (port->dtype == VOX_F32) ((float *)data)[i] = (float)(bits >> 40) * 0x1p-23f - 1.0f;
        if (port->dtype == VOX_I64) ((int64_t *)data)[i] = (int64_t)(bits >> 62);
        if (port->dtype == VOX_I32) ((int32_t *)data)[i] = (int32_t)(bits >> 62);
        if (port->dtype == VOX_U8) ((uint8_t *)data)[i] = (uint8_t)(bits >> 63);
    }
}

static vox_status copy_inputs(vox_cuda *h, const vox_cuda_slot *slot) {
    const vox_model_info *info = h->model->info;
    vox_status status = VOX_OK;
    for (int i = 0; i < info->n_inputs && status == VOX_OK; i++) {
        unsigned char *pinned = slot->pinned + h->pipe.offset[i];
        fill(&info->inputs[i], pinned);
        status =
            vox_cuda_check_call(h,
                                cudaMemcpy(slot->device + h->pipe.offset[i], pinned,
                                           vox_cuda_port_bytes(&info->inputs[i]), cudaMemcpyHostToDevice),
                                "cudaMemcpy of an input");
    }
    return status;
}

static vox_status copy_weights(selftest *t) {
    const size_t bytes = t->h->model->weights_bytes;
    if (!bytes) return VOX_OK;
    t->weights = malloc(bytes);
    if (!t->weights) return vox_cuda_no_memory(t->h, "a copy of the weights");
    return vox_cuda_check_call(t->h, cudaMemcpy(t->weights, t->h->weights, bytes, cudaMemcpyDeviceToHost),
                               "cudaMemcpy of the weights");
}

/* Tensors are copied with what lies between their voxels and with planes that no step has made yet. */
static vox_status clear(vox_cuda *h, const vox_cuda_slot *slot, cudaStream_t stream) {
    vox_status status =
        vox_cuda_check_call(h, cudaMemsetAsync(h->arena, 0, h->arena_bytes, stream), "cudaMemsetAsync");
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaMemsetAsync(slot->device, 0, h->pipe.bytes, stream),
                                     "cudaMemsetAsync");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

static vox_status use_stream(const vox_cuda *h, cudaStream_t stream) {
    if (!h->cudnn) return VOX_OK;
    return vox_cudnn_check_call(h, cudnnSetStream(h->cudnn, stream), "cudnnSetStream");
}

static vox_status test(vox_cuda *h, const char **bad, double *worst) {
    vox_status status = vox_cuda_open_pipe(h);
    if (status != VOX_OK) return status;
    const vox_cuda_slot *slot = &h->pipe.slots[0];
    selftest t = {.h = h, .stream = h->pipe.compute};
    t.memory = vox_cuda_memory_of(h, 0, slot->inputs, slot->outputs);
    status = clear(h, slot, t.stream);
    if (status == VOX_OK) status = copy_inputs(h, slot);
    if (status == VOX_OK) status = copy_weights(&t);
    if (status == VOX_OK) status = use_stream(h, t.stream);
    if (status == VOX_OK) status = test_steps(&t, bad, worst);
    free(t.weights);
    return status;
}

vox_status vox_cuda_selftest(vox_cuda *h, const char **first_bad_layer, double *worst_error) {
    int before = 0;
    const char *bad = NULL;
    double worst = 0;
    if (!h || h->pipe.under_way) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    status = test(h, &bad, &worst);
    if (first_bad_layer) *first_bad_layer = bad;
    if (worst_error) *worst_error = worst;
    return vox_cuda_leave(h, before, status);
}

/* ---- times ----------------------------------------------------------------------------------- */

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
    vox_status status = use_stream(h, stream);
    for (int i = 0; i <= h->model->n_steps && status == VOX_OK; i++)
        status = vox_cuda_check_call(h, cudaEventCreateWithFlags(&events[i], cudaEventDefault),
                                     "cudaEventCreateWithFlags");
    for (int i = 0; i <= h->model->n_steps && status == VOX_OK; i++) {
        status = vox_cuda_check_call(h, cudaEventRecord(events[i], stream), "cudaEventRecord");
        if (status == VOX_OK && i < h->model->n_steps) status = vox_cuda_run_step(h, &memory, i, stream);
    }
    return status == VOX_OK ? read_times(h, events, milliseconds) : status;
}

vox_status vox_cuda_time_layers(vox_cuda *h, float *milliseconds) {
    int before = 0;
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
    vox_status status = VOX_OK;
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
    int before = 0;
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
