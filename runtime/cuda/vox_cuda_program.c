/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_program.c: see vox_cuda_program.h. */
#include "vox_cuda_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/report.h"
#include "vox_cuda_model.h"

/* What a vox_host keeps of the GPU; `line` is what CUDA or cuDNN said last. */
typedef struct gpu {
    vox_cuda *handle;
    char line[512];
    float *milliseconds; /* [n_layers] */
} gpu;

static void take_line(void *user, const char *line) {
    gpu *g = user;
    snprintf(g->line, sizeof g->line, "%s", line);
}

/* One line: what failed, and what the status says about it. */
static int report_failure(const vox_host *h, const char *where, vox_status status) {
    const gpu *g = h->device;
    if (g == NULL || g->line[0] == 0) return vox_fail_status(where, status);
    return vox_fail(VOX_EXIT_FAILURE, "%s: %s (%s)", where, g->line, vox_status_text(status));
}

/* For a call, whose failure must not be explained by what was said before it. */
static gpu *silent(const vox_host *h) {
    gpu *g = h->device;
    g->line[0] = 0;
    return g;
}

static int available(void) {
    return vox_cuda_device_count() > 0;
}

/* Runs of one launch: what --tiles says, else by memory; no more than there will be. */
static int tiles_of(const vox_request *r) {
    const int runs = r->runs < VOX_CUDA_TILES ? r->runs : VOX_CUDA_TILES;
    if (runs < 2) return 1;
    if (r->settings->tiles == 0) return -runs;
    return r->settings->tiles < runs ? r->settings->tiles : runs;
}

static vox_cuda_options options_of(const vox_request *r, gpu *g) {
    const vox_settings *s = r->settings;
    return (vox_cuda_options){.device = s->gpu,
                              .workspace_cap = s->workspace < 0    ? 0
                                               : s->workspace == 0 ? -1
                                                                   : (int64_t)s->workspace << 20,
                              .autotune = s->autotune,
                              .plan_cache = s->plans,
                              .deterministic = s->deterministic,
                              .no_graph = s->no_graph,
                              .tiles = tiles_of(r),
                              .message = take_line,
                              .user = g};
}

static int create(vox_host *h, const vox_request *r) {
    gpu *g = h->device;
    char path[VOX_PATH];
    vox_mapping file = {0};
    int code = vox_map_weights(h->model, r->weights, path, &file);
    if (code != 0) return code;
    const vox_cuda_options options = options_of(r, g);
    vox_status status = vox_cuda_create(h->backend->data, file.data, file.bytes, &options, &g->handle);
    const int is_file = status >= VOX_E_WEIGHTS_MAGIC && status <= VOX_E_WEIGHTS_NOT_FINITE;
    if (status == VOX_E_WEIGHTS_NOT_FINITE && g->line[0])
        code = vox_fail(VOX_EXIT_INPUT, "%s: %s", path, g->line);
    else if (status != VOX_OK && is_file)
        code = vox_fail_weights(h->model, path, &file, status);
    vox_unmap_weights(&file);
    if (code != 0) return code;
    return status == VOX_OK ? 0 : report_failure(h, h->model->name, status);
}

static void close_gpu(vox_host *h) {
    gpu *g = h->device;
    if (g == NULL) return;
    vox_cuda_destroy(g->handle);
    free(g->milliseconds);
    free(g);
    h->device = NULL;
}

static int open_gpu(vox_host *h, const vox_request *r) {
    if (!available())
        return vox_fail(VOX_EXIT_FAILURE, "%s: no GPU: this machine has none that CUDA can use, or no driver",
                        h->model->name);
    gpu *g = calloc(1, sizeof *g);
    h->device = g;
    if (g != NULL) g->milliseconds = calloc((size_t)h->model->n_layers + 1, sizeof *g->milliseconds);
    int code = g == NULL || g->milliseconds == NULL ? vox_fail_memory("the GPU's handle", sizeof *g) : 0;
    if (code == 0) code = create(h, r);
    if (code == 0) code = vox_host_allocate_ports(h);
    if (code == 0 && vox_cuda_device_name(r->settings->gpu, h->where, sizeof h->where) != VOX_OK)
        snprintf(h->where, sizeof h->where, "GPU %d", r->settings->gpu);
    if (code != 0)
        vox_host_close(h);
    else
        h->at_once = vox_cuda_at_once(g->handle);
    return code;
}

/* ---- running --------------------------------------------------------------------------------- */

static int submit(vox_host *h) {
    gpu *g = silent(h);
    vox_status status = vox_cuda_submit(g->handle, (const void *const *)h->inputs);
    return status == VOX_OK ? 0 : report_failure(h, h->model->name, status);
}

static int collect(vox_host *h) {
    gpu *g = silent(h);
    vox_status status = vox_cuda_collect(g->handle, h->outputs);
    return status == VOX_OK ? 0 : report_failure(h, h->model->name, status);
}

static vox_status selftest(vox_host *h, const char **first_bad_layer, double *worst_error) {
    gpu *g = silent(h);
    vox_status status = vox_cuda_selftest(g->handle, first_bad_layer, worst_error);
    if (status != VOX_OK && g->line[0]) vox_warn("%s", g->line);
    return status;
}

static int time_layers(vox_host *h, double *seconds) {
    gpu *g = silent(h);
    vox_status status = vox_cuda_time_layers(g->handle, g->milliseconds);
    if (status != VOX_OK) return report_failure(h, h->model->name, status);
    for (int i = 0; i < h->model->n_layers; i++) seconds[i] += (double)g->milliseconds[i] * 1e-3;
    return 0;
}

static int time_run(vox_host *h, double *seconds) {
    gpu *g = silent(h);
    float milliseconds = 0;
    vox_status status = vox_cuda_time_run(g->handle, &milliseconds);
    if (status != VOX_OK) return report_failure(h, h->model->name, status);
    *seconds = (double)milliseconds * 1e-3;
    return 0;
}

static int print_plans(vox_host *h) {
    const vox_cuda_model *m = h->backend->data;
    gpu *g = h->device;
    printf("\narena %.1f MiB with workspaces; plans of the convolutions:\n",
           (double)vox_cuda_arena_size(g->handle) / 1048576);
    for (int i = 0; i < m->n_calls; i++) {
        int layer = -1;
        for (int k = 0; k < m->n_steps && layer < 0; k++)
            if (m->steps[k].call == i) layer = m->steps[k].layer;
        if (layer >= 0)
            printf("  %-24s %s\n", m->info->layers[layer].name,
                   vox_cuda_plan_text(g->handle, m->calls[i].conv));
    }
    return 0;
}

vox_backend vox_cuda_backend(const vox_cuda_model *model) {
    int unchecked = 0;
    for (int i = 0; i < model->info->n_layers; i++) unchecked += model->checks[i].op == VOX_CUDA_OP_NONE;
    return (vox_backend){.name = "cuda",
                         .unchecked = unchecked,
                         .model = model->info,
                         .data = model,
                         .available = available,
                         .open = open_gpu,
                         .close = close_gpu,
                         .submit = submit,
                         .collect = collect,
                         .selftest = selftest,
                         .time_run = time_run,
                         .time_layers = time_layers,
                         .print_plans = print_plans};
}
