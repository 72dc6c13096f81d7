/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_selftest.c: a run step by step, each checked as soon as it is done.
 *
 * The host keeps a mirror of what each step was seen to have made. A layer whose operand is no longer that
 * reads what another step has destroyed, however rightly it computes.
 */
#include "vox_cuda_check.h"
#include "vox_cuda_handle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vox_model.h"

/* Samples of a step; of a normalisation, each of which looks at every voxel, and of a stream's many steps. */
enum { SAMPLES = 48, FEW_SAMPLES = 20 };

typedef struct selftest {
    vox_cuda *h;
    vox_cuda_memory memory;
    cudaStream_t stream;
    unsigned char *weights, *arena, *ports; /* host copies; the last two are the mirror */
    void *data[1 + VOX_CUDA_OPERANDS];      /* of the result and the operands */
} selftest;

/* ---- copies ---------------------------------------------------------------------------------- */

/* On the self-test's stream, and waits. */
static vox_status copy_bytes(const selftest *t, void *to, const void *from, size_t bytes,
                             enum cudaMemcpyKind kind, const char *what) {
    vox_status status = vox_cuda_check_call(t->h, cudaMemcpyAsync(to, from, bytes, kind, t->stream), what);
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(t->h, cudaStreamSynchronize(t->stream), what);
}

static vox_status download(selftest *t, int which, const vox_cuda_tensor *tensor) {
    t->data[which] = malloc(tensor->bytes);
    if (!t->data[which]) return vox_cuda_no_memory(t->h, "a copy of a layer");
    return copy_bytes(t, t->data[which], vox_cuda_address(&t->memory, tensor->place), tensor->bytes,
                      cudaMemcpyDeviceToHost, "copying a layer");
}

/* ---- the mirror ------------------------------------------------------------------------------ */

static unsigned char *mirror_of(const selftest *t, vox_cuda_place place) {
    const size_t *offset = t->h->pipe.offset;
    if (place.base == VOX_CUDA_ARENA) return t->arena + place.offset;
    if (place.base == VOX_CUDA_INPUT) return t->ports + offset[place.number] + place.offset;
    if (place.base == VOX_CUDA_OUTPUT)
        return t->ports + offset[t->h->model->info->n_inputs + place.number] + place.offset;
    return NULL;
}

/* A tensor's elements as stretches of memory: what lies between is others', or padding. */
typedef struct stretches {
    size_t count, bytes, step;
} stretches;

static stretches stretches_of(const vox_cuda_tensor *t) {
    const size_t size = vox_cuda_store_bytes(t->store);
    if (!t->pitch) return (stretches){1, t->bytes, t->bytes};
    size_t voxels = (size_t)t->dim[0];
    for (int i = 2; i < t->rank; i++)
        voxels *= (size_t)(i == t->rank - 3 && t->window ? t->window : t->dim[i]);
    return (stretches){voxels, (size_t)t->dim[1] * size, (size_t)t->pitch * size};
}

static void keep_tensor(const selftest *t, const vox_cuda_tensor *tensor, const void *data) {
    const stretches s = stretches_of(tensor);
    unsigned char *to = mirror_of(t, tensor->place);
    for (size_t i = 0; to && i < s.count; i++)
        memcpy(to + i * s.step, (const unsigned char *)data + i * s.step, s.bytes);
}

static int is_kept(const selftest *t, const vox_cuda_tensor *tensor, const void *data) {
    const stretches s = stretches_of(tensor);
    const unsigned char *kept = mirror_of(t, tensor->place);
    for (size_t i = 0; kept && i < s.count; i++)
        if (memcmp(kept + i * s.step, (const unsigned char *)data + i * s.step, s.bytes) != 0) return 0;
    return 1;
}

static vox_status refresh(const selftest *t) {
    const vox_cuda *h = t->h;
    vox_status status = copy_bytes(t, t->ports, h->pipe.slots[0].device, h->pipe.bytes,
                                   cudaMemcpyDeviceToHost, "copying inputs and outputs");
    if (status != VOX_OK || !h->model->info->arena_bytes) return status;
    return copy_bytes(t, t->arena, h->arena, h->model->info->arena_bytes, cudaMemcpyDeviceToHost,
                      "copying the arena");
}

static vox_status open_mirror(selftest *t) {
    t->arena = malloc(t->h->model->info->arena_bytes + 1);
    t->ports = malloc(t->h->pipe.bytes + 1);
    if (!t->arena || !t->ports) return vox_cuda_no_memory(t->h, "a copy of the arena");
    return refresh(t);
}

/* ---- operands and results -------------------------------------------------------------------- */

/* *intact: they are what their own steps made of them. */
static vox_status fetch_operands(selftest *t, const vox_cuda_step *step, vox_cuda_sample *s, int *intact) {
    const vox_cuda_check *c = s->check;
    vox_status status = VOX_OK;
    for (int k = 0; k < c->n_x && status == VOX_OK; k++) {
        const vox_cuda_tensor *x = &t->h->model->tensors[c->x[k]];
        status = download(t, 1 + k, x);
        s->x[k] = (vox_cuda_values){x, t->data[1 + k], step->z0[1 + k]};
        if (status == VOX_OK && !is_kept(t, x, t->data[1 + k])) *intact = 0;
    }
    return status;
}

static vox_status fetch_result(selftest *t, const vox_cuda_step *step, vox_cuda_sample *s) {
    const vox_cuda_tensor *y = &t->h->model->tensors[s->check->y];
    if (s->check->op == VOX_CUDA_OP_NONE) return refresh(t); /* nobody says where its result is */
    vox_status status = download(t, 0, y);
    if (status == VOX_OK) keep_tensor(t, y, t->data[0]);
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
    vox_status status = vox_cuda_run_step(t->h, 0, &t->memory, index, t->stream);
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(t->h, cudaStreamSynchronize(t->stream),
                               m->info->layers[m->steps[index].layer].name);
}

static double deviation_of(const vox_cuda_tensor *x, const void *data) {
    const stretches s = stretches_of(x);
    const size_t size = vox_cuda_store_bytes(x->store), each = s.bytes / size;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < s.count * each; i++) {
        const double v = vox_cuda_get(x->store, data, i / each * (s.step / size) + i % each);
        sum += v, squares += v * v;
    }
    const double n = (double)(s.count * each);
    return sqrt(fmax(squares / n - sum / n * (sum / n), 0));
}

/* A variance near eps, so that eps counts; no smaller than half precision can hold. */
static vox_status shrink(selftest *t, const vox_cuda_check *c) {
    const vox_cuda_tensor *x = &t->h->model->tensors[c->x[0]];
    const stretches s = stretches_of(x);
    const size_t size = vox_cuda_store_bytes(x->store), each = s.bytes / size;
    const double deviation = deviation_of(x, t->data[1]), want = fmax(sqrt(c->eps), 0x1p-10);
    if (x->window || x->store > VOX_STORE_BF16 || !(deviation > want)) return VOX_OK;
    for (size_t i = 0; i < s.count * each; i++) {
        const size_t at = i / each * (s.step / size) + i % each;
        vox_cuda_put(x->store, t->data[1], at, vox_cuda_get(x->store, t->data[1], at) * (want / deviation));
    }
    keep_tensor(t, x, t->data[1]);
    return copy_bytes(t, vox_cuda_address(&t->memory, x->place), t->data[1], x->bytes, cudaMemcpyHostToDevice,
                      "copying a layer");
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
    int intact = 1;
    *error = 0;
    vox_status status = fetch_operands(t, step, &s, &intact);
    if (status == VOX_OK && s.check->op == VOX_CUDA_OP_INSTANCE_NORM) status = shrink(t, s.check);
    if (status == VOX_OK) status = run_step(t, index);
    if (status == VOX_OK) status = fetch_result(t, step, &s);
    if (status == VOX_OK) *error = vox_cuda_check_layer(&s, few ? FEW_SAMPLES : SAMPLES);
    if (!intact) *error = (double)INFINITY;
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
static void fill_port(const vox_port *port, void *data) {
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

static vox_status copy_inputs(const selftest *t, const vox_cuda_slot *slot) {
    const vox_cuda *h = t->h;
    const vox_model_info *info = h->model->info;
    vox_status status = VOX_OK;
    for (int i = 0; i < info->n_inputs && status == VOX_OK; i++) {
        unsigned char *pinned = slot->pinned + h->pipe.offset[i];
        fill_port(&info->inputs[i], pinned);
        status =
            copy_bytes(t, slot->device + h->pipe.offset[i], pinned, vox_cuda_port_bytes(&info->inputs[i]),
                       cudaMemcpyHostToDevice, "copying an input");
    }
    return status;
}

static vox_status copy_weights(selftest *t) {
    const size_t bytes = t->h->model->weights_bytes;
    if (!bytes) return VOX_OK;
    t->weights = malloc(bytes);
    if (!t->weights) return vox_cuda_no_memory(t->h, "a copy of the weights");
    return copy_bytes(t, t->weights, t->h->weights, bytes, cudaMemcpyDeviceToHost, "copying the weights");
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

static vox_status test(vox_cuda *h, const char **bad, double *worst) {
    vox_status status = vox_cuda_open_pipe(h);
    if (status != VOX_OK) return status;
    const vox_cuda_slot *slot = &h->pipe.slots[0];
    selftest t = {.h = h, .stream = h->pipe.compute};
    t.memory = vox_cuda_memory_of(h, 0, slot->inputs, slot->outputs);
    status = vox_cuda_use_stream(h, t.stream);
    if (status == VOX_OK) status = clear(h, slot, t.stream);
    if (status == VOX_OK) status = copy_inputs(&t, slot);
    if (status == VOX_OK) status = copy_weights(&t);
    if (status == VOX_OK) status = open_mirror(&t);
    if (status == VOX_OK) status = test_steps(&t, bad, worst);
    free(t.weights);
    free(t.arena);
    free(t.ports);
    return status;
}

vox_status vox_cuda_selftest(vox_cuda *h, const char **first_bad_layer, double *worst_error) {
    vox_cuda_thread before;
    const char *bad = NULL;
    double worst = 0;
    if (!h || h->pipe.under_way) return VOX_E_ARGUMENT;
    vox_status status = vox_cuda_enter(h, &before);
    if (status != VOX_OK) return status;
    if (h->weight_error > 1)
        bad = h->bad_weight, worst = h->weight_error, status = VOX_E_SELFTEST;
    else
        status = test(h, &bad, &worst);
    if (first_bad_layer) *first_bad_layer = bad;
    if (worst_error) *worst_error = worst;
    return vox_cuda_leave(h, before, status);
}
