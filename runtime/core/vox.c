/* SPDX-License-Identifier: MIT-0 */
/* vox.c: what every model's functions do: check the caller's buffers, run the steps in order, test each
 * of them. See vox.h and vox_model.h for the contracts.
 */
#include "vox_isa.h"
#include "vox_model.h"

#include <stdlib.h>
#include <string.h>

const char *vox_status_text(vox_status status) {
    switch (status) {
#define X(symbol, text)                                                                                      \
    case VOX_##symbol:                                                                                       \
        return text;
        VOX_STATUSES(X)
#undef X
    }
    return "unknown status";
}

size_t vox_dtype_bytes(vox_dtype type) {
    static const size_t bytes[] = {[VOX_F32] = 4, [VOX_I64] = 8, [VOX_I32] = 4, [VOX_U8] = 1};
    return bytes[type];
}

static size_t port_bytes(const vox_port *port) {
    size_t bytes = vox_dtype_bytes(port->dtype);
    for (int i = 0; i < port->rank; i++) bytes *= (size_t)port->dim[i];
    return bytes;
}

static int is_aligned(const void *p) {
    return (uintptr_t)p % VOX_ALIGN == 0;
}

/* What VOX_ISA in the environment names; NULL: nothing, or the environment is not to be read. */
static const char *forced_isa(void) {
#ifdef VOX_NO_ENVIRONMENT
    return NULL;
#else
    return getenv("VOX_ISA");
#endif
}

/* The build that VOX_ISA names, else the best that this processor runs; NULL: there is none. */
static const vox_build *choose_build(const vox_model *model) {
    const char *forced = forced_isa();
    for (int i = model->n_builds - 1; i >= 0; i--) {
        const vox_build *build = &model->builds[i];
        if (forced && strcmp(forced, build->isa) != 0) continue;
        if (vox_isa_available(build->isa)) return build;
    }
    return NULL;
}

const char *vox_model_isa(const vox_model *model) {
    const vox_build *build = choose_build(model);
    return build ? build->isa : "none";
}

/* ---- prepare --------------------------------------------------------------------------------- */

vox_status vox_model_prepare(const vox_model *model, const void *weights, size_t weights_bytes,
                             void *prepared, size_t prepared_bytes) {
    const vox_model_info *info = model->info;
    if (!weights || !prepared) return VOX_E_ARGUMENT;
    if (prepared_bytes < info->prepared_bytes) return VOX_E_PREPARED_SIZE;
    if (!is_aligned(prepared)) return VOX_E_PREPARED_ALIGN;
    vox_status status = vox_weights_check(weights, weights_bytes, model->graph_hash, info->weights_bytes,
                                          model->weights, model->n_weights);
    if (status != VOX_OK) return status;
    vox_weights_pack(weights, model->graph_hash, model->weights, model->n_weights, prepared,
                     info->prepared_bytes);
    return VOX_OK;
}

/* ---- run ------------------------------------------------------------------------------------- */

typedef struct step_tasks {
    const vox_layer *layer;
    const vox_memory *memory;
} step_tasks;

static void run_task(void *argument, int task) {
    const step_tasks *t = argument;
    t->layer->run(t->memory, task);
}

static vox_memory step_memory(const vox_memory *run, const vox_step *step) {
    vox_memory own = *run;
    own.range = (vox_range){step->begin, step->end}, own.phase = step->phase;
    return own;
}

static void run_step(const vox_build *build, const vox_step *step, const vox_memory *memory,
                     const vox_executor *executor) {
    int next = 0;
    vox_memory own = step_memory(memory, step);
    own.next = &next;
    step_tasks t = {&build->layers[step->layer], &own};
    int tasks = t.layer->tasks(&own);
    if (executor && executor->parallel_for && tasks > 1) {
        executor->parallel_for(executor->pool, tasks, run_task, &t);
    } else {
        for (int i = 0; i < tasks; i++) run_task(&t, i);
    }
}

static const void *written_by(const vox_layer_info *layer, const vox_memory *memory) {
    if (layer->place == VOX_IN_OUTPUT) return (const char *)memory->outputs[layer->offset] + layer->within;
    return (const char *)memory->arena + layer->offset;
}

/* Whether no later step belongs to the layer of step i. */
static int ends_layer(const vox_model_info *info, int i) {
    for (int k = i + 1; k < info->n_steps; k++)
        if (info->steps[k].layer == info->steps[i].layer) return 0;
    return 1;
}

static void tell(const vox_model_info *info, int i, const vox_memory *memory, const vox_executor *executor) {
    const int index = info->steps[i].layer;
    const vox_layer_info *layer = &info->layers[index];
    if (executor->layer && !layer->ring && layer->place != VOX_NOWHERE && ends_layer(info, i))
        executor->layer(executor->user, index, written_by(layer, memory));
    if (executor->progress) executor->progress(executor->user, i + 1, info->n_steps);
}

static vox_status run_steps(const vox_model *model, const vox_build *build, const vox_memory *memory,
                            const vox_executor *executor) {
    const vox_model_info *info = model->info;
    for (int i = 0; i < info->n_steps; i++) {
        if (i <= model->first_output && executor && executor->cancelled &&
            executor->cancelled(executor->user))
            return VOX_E_CANCELLED;
        run_step(build, &info->steps[i], memory, executor);
        if (executor) tell(info, i, memory, executor);
    }
    return VOX_OK;
}

static vox_status check_buffers(const vox_model *model, const void *prepared, void *arena, size_t arena_bytes,
                                size_t needed_bytes) {
    if (!prepared || !arena) return VOX_E_ARGUMENT;
    if (arena_bytes < needed_bytes) return VOX_E_ARENA_SIZE;
    if (!is_aligned(arena)) return VOX_E_ARENA_ALIGN;
    if (!is_aligned(prepared)) return VOX_E_PREPARED_ALIGN;
    if (!vox_prepared_ok(prepared, model->graph_hash, model->n_weights, model->info->prepared_bytes))
        return VOX_E_PREPARED;
    return VOX_OK;
}

vox_status vox_model_run(const vox_model *model, const void *prepared, const void *const *inputs,
                         void *const *outputs, void *arena, size_t arena_bytes,
                         const vox_executor *executor) {
    const vox_model_info *info = model->info;
    if (!inputs || !outputs) return VOX_E_ARGUMENT;
    for (int i = 0; i < info->n_inputs; i++)
        if (!inputs[i]) return VOX_E_ARGUMENT;
    for (int i = 0; i < info->n_outputs; i++)
        if (!outputs[i]) return VOX_E_ARGUMENT;
    vox_status status = check_buffers(model, prepared, arena, arena_bytes, info->arena_bytes);
    if (status != VOX_OK) return status;
    const vox_build *build = choose_build(model);
    if (!build) return VOX_E_ISA;
    vox_memory memory = {.prepared = prepared, .arena = arena, .inputs = inputs, .outputs = outputs};
    return run_steps(model, build, &memory, executor);
}

/* ---- self-test ------------------------------------------------------------------------------- */

/* Uniform in [-1, 1), or small integers; the same on every machine. */
static void fill_input(const vox_port *port, void *data) {
    size_t count = port_bytes(port) / vox_dtype_bytes(port->dtype);
    uint64_t state = 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = vox_random(&state);
        if (port->dtype == VOX_F32) ((float *)data)[i] = (float)(bits >> 40) * 0x1p-23f - 1.0f;
        if (port->dtype == VOX_I64) ((int64_t *)data)[i] = (int64_t)(bits >> 62);
        if (port->dtype == VOX_I32) ((int32_t *)data)[i] = (int32_t)(bits >> 62);
        if (port->dtype == VOX_U8) ((uint8_t *)data)[i] = (uint8_t)(bits >> 63);
    }
}

static size_t rounded(size_t bytes) {
    return (bytes + VOX_ALIGN - 1) / VOX_ALIGN * VOX_ALIGN;
}

/* Takes the bytes of one port from the free part of the arena. */
static void *take_port(unsigned char **free_bytes, const vox_port *port) {
    void *taken = *free_bytes;
    *free_bytes += rounded(port_bytes(port));
    return taken;
}

/* Samples of what step i has just written, unless a further phase is to write it; 1: one is wrong. A stream's
 * many steps get fewer each. */
static int probe_step(const vox_model_info *info, const vox_build *build, int i, const vox_memory *memory,
                      double *worst) {
    enum { STREAM_SAMPLES = 20 };
    const vox_step *step = &info->steps[i];
    if (i + 1 < info->n_steps && step[1].phase > step->phase) return 0;
    vox_probe probe = {.random = (uint64_t)i + 1, .worst = *worst, .begin = step->begin, .end = step->end};
    probe.samples = info->layers[step->layer].stream ? STREAM_SAMPLES : VOX_PROBE_SAMPLES;
    const vox_memory own = step_memory(memory, step);
    int wrong = build->layers[step->layer].check(&own, &probe);
    *worst = probe.worst;
    return wrong;
}

static vox_status test_steps(const vox_model *model, const vox_build *build, const vox_memory *memory,
                             const vox_executor *executor, int *bad, double *worst) {
    const vox_model_info *info = model->info;
    int weight = 0;
    for (int i = 0; i < info->n_steps; i++) {
        *bad = info->steps[i].layer;
        for (; weight < model->n_weights && model->weights[weight].layer <= *bad; weight++)
            if (!vox_prepared_tensor_ok(memory->prepared, model->weights, weight)) return VOX_E_SELFTEST;
        if (executor && executor->cancelled && executor->cancelled(executor->user)) return VOX_E_CANCELLED;
        run_step(build, &info->steps[i], memory, executor);
        if (probe_step(info, build, i, memory, worst)) return VOX_E_SELFTEST;
        if (executor && executor->progress) executor->progress(executor->user, i + 1, info->n_steps);
    }
    return VOX_OK;
}

vox_status vox_model_selftest(const vox_model *model, const void *prepared, void *arena, size_t arena_bytes,
                              const vox_executor *executor, const char **first_bad_layer,
                              double *worst_error) {
    enum { MOST_PORTS = 64 };
    const vox_model_info *info = model->info;
    const void *inputs[MOST_PORTS];
    void *outputs[MOST_PORTS];
    vox_status status = check_buffers(model, prepared, arena, arena_bytes, info->selftest_bytes);
    if (status != VOX_OK) return status;
    if (info->n_inputs > MOST_PORTS || info->n_outputs > MOST_PORTS) return VOX_E_ARGUMENT;
    const vox_build *build = choose_build(model);
    if (!build) return VOX_E_ISA;

    unsigned char *free_bytes = (unsigned char *)arena + rounded(info->arena_bytes);
    for (int i = 0; i < info->n_inputs; i++) {
        void *input = take_port(&free_bytes, &info->inputs[i]);
        fill_input(&info->inputs[i], input);
        inputs[i] = input;
    }
    for (int i = 0; i < info->n_outputs; i++) outputs[i] = take_port(&free_bytes, &info->outputs[i]);

    vox_memory memory = {.prepared = prepared, .arena = arena, .inputs = inputs, .outputs = outputs};
    int bad = 0;
    double worst = 0;
    status = test_steps(model, build, &memory, executor, &bad, &worst);
    if (first_bad_layer) *first_bad_layer = status == VOX_E_SELFTEST ? info->layers[bad].name : NULL;
    if (worst_error) *worst_error = worst;
    return status;
}
