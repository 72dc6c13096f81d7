/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_plans.c: a plan for every distinct convolution, each under the cap that the steps which use it
 * leave, and the arena that all of them need.
 */
#include "vox_cuda_handle.h"

#include <stdio.h>
#include <stdlib.h>

enum { CANDIDATES = 8, REPEATS = 3 };

static size_t rounded(size_t bytes) {
    return (bytes + VOX_CUDA_ALIGN - 1) / VOX_CUDA_ALIGN * VOX_CUDA_ALIGN;
}

/* The step that runs convolution `conv` with the most below its workspace; NULL: none does. */
static const vox_cuda_step *highest_step(const vox_cuda_model *m, int conv) {
    const vox_cuda_step *found = NULL;
    for (int i = 0; i < m->n_steps; i++) {
        const vox_cuda_step *s = &m->steps[i];
        if (s->call < 0 || m->calls[s->call].conv != conv) continue;
        if (!found || s->free_from > found->free_from) found = s;
    }
    return found;
}

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t cap_of(const vox_cuda *h, size_t free_from) {
    const vox_cuda_options *o = &h->options;
    const int64_t at = (int64_t)rounded(free_from);
    int64_t cap = o->workspace_cap ? o->workspace_cap : h->model->workspace_cap;
    if (o->arena) cap = smaller(cap, (int64_t)o->arena_bytes - at);
    return cap > 0 ? cap : 0;
}

static vox_plan_policy policy_for(const vox_cuda *h, size_t free_from) {
    return (vox_plan_policy){.workspace_cap = cap_of(h, free_from),
                             .deterministic = h->options.deterministic,
                             .strict = h->model->strict,
                             .candidates = h->options.autotune ? CANDIDATES : 0};
}

static vox_status build_plan(vox_cuda *h, const vox_cudnn_target *target, const vox_plan_cache *cache) {
    const vox_cuda_model *m = h->model;
    for (int i = 0; i < m->n_convs; i++) {
        const vox_cuda_step *step = highest_step(m, i);
        const size_t from = step ? step->free_from : 0;
        const vox_plan_policy policy = policy_for(h, from);
        vox_status status =
            vox_cudnn_check_call(h, vox_plan_build(target, &m->convs[i], &policy, cache, &h->plans[i]),
                                 "the plan of a convolution");
        if (status != VOX_OK) return status;
        const size_t end = rounded(from) + vox_plan_workspace(h->plans[i]);
        if (end > h->arena_bytes) h->arena_bytes = end;
    }
    return VOX_OK;
}

/* ---- the arena ------------------------------------------------------------------------------- */

enum { SPARED = 4 /* one part of this many of the free memory is left to others, if memory chooses */ };

/* As many as the free memory holds with what submit needs for each. */
static vox_status choose_tiles(vox_cuda *h, int most) {
    size_t free_bytes = 0, all = 0;
    const size_t each = h->arena_bytes + VOX_CUDA_SLOTS * vox_cuda_place_ports(h->model->info, NULL);
    vox_status status = vox_cuda_check_call(h, cudaMemGetInfo(&free_bytes, &all), "cudaMemGetInfo");
    if (status != VOX_OK) return status;
    free_bytes -= free_bytes / SPARED;
    while (h->tiles < most && (size_t)(h->tiles + 1) * each <= free_bytes) h->tiles++;
    return VOX_OK;
}

static vox_status allocate_arena(vox_cuda *h) {
    const int tiles = h->options.tiles, most = -tiles < h->model->most_tiles ? -tiles : h->model->most_tiles;
    vox_status status = VOX_OK;
    void *p = NULL;
    h->tiles = tiles > 1 ? tiles : 1;
    if (h->options.arena) {
        h->arena = h->options.arena;
        return VOX_OK;
    }
    h->arena_bytes = rounded(h->arena_bytes);
    if (most > 1) status = choose_tiles(h, most);
    if (status != VOX_OK) return status;
    status = vox_cuda_check_call(h, cudaMalloc(&p, vox_cuda_arena_size(h)), "cudaMalloc of the arena");
    h->arena = p;
    h->owns_arena = status == VOX_OK;
    return status;
}

/* ---- measuring ------------------------------------------------------------------------------- */

static int in_handle(vox_cuda_place p) {
    return p.base == VOX_CUDA_ARENA || p.base == VOX_CUDA_WEIGHTS || p.base == VOX_CUDA_NOWHERE;
}

/* A convolution that reads or writes the caller's memory keeps the heuristics' choice. */
static vox_status tune_conv(vox_cuda *h, int conv) {
    const vox_cuda_step *step = highest_step(h->model, conv);
    if (!step) return VOX_OK;
    const vox_cuda_call *call = &h->model->calls[step->call];
    if (!in_handle(call->x) || !in_handle(call->y)) return VOX_OK;
    const vox_cuda_memory m = vox_cuda_memory_of(h, 0, NULL, NULL);
    const vox_plan_operands o = vox_cuda_operands_of(&m, call, h->arena + rounded(step->free_from));
    return vox_cudnn_check_call(h, vox_plan_tune(h->cudnn[0], h->plans[conv], h->own, REPEATS, &o),
                                "measuring a convolution's plans");
}

/* Waits, whatever happened: a failure of what was measured is one of create's. */
static vox_status tune(vox_cuda *h) {
    vox_status status = vox_cudnn_check_call(h, cudnnSetStream(h->cudnn[0], h->own), "cudnnSetStream");
    if (status == VOX_OK)
        status =
            vox_cuda_check_call(h, cudaMemsetAsync(h->arena, 0, h->arena_bytes, h->own), "cudaMemsetAsync");
    for (int i = 0; i < h->model->n_convs && status == VOX_OK; i++) status = tune_conv(h, i);
    vox_status waited = vox_cuda_check_call(h, cudaStreamSynchronize(h->own), "measuring the plans");
    return status != VOX_OK ? status : waited;
}

/* ---- the cache ------------------------------------------------------------------------------- */

static vox_status open_cache(vox_cuda *h, const vox_cudnn_log *log, vox_plan_cache **cache) {
    struct cudaDeviceProp device;
    int driver = 0;
    if (!h->options.plan_cache) return VOX_OK;
    vox_status status = vox_cuda_check_call(h, cudaGetDeviceProperties(&device, h->options.device),
                                            "cudaGetDeviceProperties");
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    if (status != VOX_OK) return status;
    *cache = vox_plan_cache_open(h->options.plan_cache, device.name, driver, log);
    return *cache ? VOX_OK : vox_cuda_no_memory(h, "the plan cache");
}

/* A cache that can't be written costs time only: the log has said why. */
static vox_status remember(vox_cuda *h, vox_plan_cache *cache) {
    for (int i = 0; i < h->model->n_convs; i++) {
        vox_status status = vox_cudnn_check_call(h, vox_plan_cache_add(cache, h->plans[i]), "the plan cache");
        if (status != VOX_OK) return status;
    }
    vox_plan_cache_save(cache);
    return VOX_OK;
}

static vox_status build_with_cache(vox_cuda *h, int arena) {
    const vox_cudnn_log log = {h->options.message, h->options.user};
    const vox_cudnn_target target = {.handle = h->cudnn[0], .log = log};
    vox_plan_cache *cache = NULL;
    vox_status status = open_cache(h, &log, &cache);
    if (status == VOX_OK) status = build_plan(h, &target, cache);
    if (status == VOX_OK && arena) status = allocate_arena(h);
    if (status == VOX_OK && arena && h->options.autotune) status = tune(h);
    if (status == VOX_OK && arena && cache) status = remember(h, cache);
    vox_plan_cache_close(cache);
    return status;
}

static vox_status open_cudnn(vox_cuda *h, int tile) {
    return vox_cudnn_check_call(h, cudnnCreate(&h->cudnn[tile]), "cudnnCreate");
}

/* Plans, and with `arena` what they need to run. */
static vox_status build_plans(vox_cuda *h, int arena) {
    const vox_cuda_model *m = h->model;
    h->arena_bytes = m->info->arena_bytes;
    if (!m->n_convs) return arena ? allocate_arena(h) : VOX_OK;
    h->plans = calloc((size_t)m->n_convs, sizeof *h->plans);
    if (!h->plans) return vox_cuda_no_memory(h, "the plans");
    vox_status status = open_cudnn(h, 0);
    if (status == VOX_OK) status = build_with_cache(h, arena);
    for (int i = 1; i < h->tiles && status == VOX_OK; i++) status = open_cudnn(h, i);
    return status;
}

vox_status vox_cuda_build_plans(vox_cuda *h) {
    return build_plans(h, 1);
}

vox_status vox_cuda_count_arena(vox_cuda *h) {
    vox_status status = build_plans(h, 0);
    h->arena_bytes = rounded(h->arena_bytes);
    return status;
}

void vox_cuda_free_plans(vox_cuda *h) {
    for (int i = 0; h->plans && i < h->model->n_convs; i++) vox_plan_destroy(h->plans[i]);
    free(h->plans);
    for (int i = 0; i < VOX_CUDA_TILES; i++)
        if (h->cudnn[i]) cudnnDestroy(h->cudnn[i]);
    if (h->owns_arena) cudaFree(h->arena);
}

const char *vox_cuda_plan_text(vox_cuda *h, int conv) {
    h->text[0] = 0;
    if (conv >= 0 && conv < h->model->n_convs) vox_plan_describe(h->plans[conv], h->text, sizeof h->text);
    return h->text;
}
