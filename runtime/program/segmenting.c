/* SPDX-License-Identifier: MIT-0 */
/* segmenting.c: see segmenting.h. */
#include "segmenting.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prepare_words.h"
#include "vox_hash.h"
#include "vox_resample.h"

/* ---- the network as vox_segment's runner ----------------------------------------------------- */

/* A network's run number `done` is in its step `step`. */
static void say_where(vox_segmenting *s, int step, int steps) {
    double now = vox_seconds();
    const vox_series *all = &s->series;
    char number[64] = "";
    double part = s->total > 0 ? (s->done + (steps > 0 ? (double)step / steps : 0)) / s->total : 0;
    double gone = now - s->started;
    if (all->count > 1) {
        snprintf(number, sizeof number, "volume %d of %d, ", all->number, all->count);
        part = (all->before + part * all->now) / (all->before + all->now + all->after);
        gone = now - all->started;
    }
    double left = part > 0 ? gone / part - gone : 0;
    int tile = s->done < s->total ? s->done + 1 : s->total;
    if (s->progress.on) {
        vox_progress_say(&s->progress, "%stile %d of %d, %.0f s left", number, tile, s->total, ceil(left));
    } else if (!s->quiet && now - s->told >= 60) {
        vox_note("%stile %d of %d, %.0f s left", number, tile, s->total, ceil(left));
        s->told = now;
    }
}

static void on_step(void *user, int done, int total) {
    say_where(user, done, total);
}

void vox_segmenting_at(vox_segmenting *s, int done, int total) {
    s->done = done;
    s->total = total;
    say_where(s, 0, 1);
}

static vox_status told(vox_segmenting *s, int code) {
    s->code = code;
    return code == 0 ? VOX_OK : VOX_E_CANCELLED;
}

static vox_status submit(void *user, int fold) {
    vox_segmenting *s = user;
    if (s->folds != NULL) s->host.prepared = s->folds[fold];
    if (s->prepare_seconds < 0) s->prepare_seconds = vox_seconds() - s->started;
    return told(s, vox_host_submit(&s->host));
}

static vox_status collect(void *user) {
    vox_segmenting *s = user;
    double start = vox_seconds();
    vox_status status = told(s, vox_host_collect(&s->host));
    s->network_seconds += vox_seconds() - start;
    return status;
}

/* ---- weights --------------------------------------------------------------------------------- */

static int prepare_fold(vox_segmenting *s, const char *file, void **prepared) {
    const vox_model_info *m = s->host.model;
    char path[VOX_PATH];
    vox_mapping mapping = {0};
    *prepared = aligned_alloc(m->align, (m->prepared_bytes + m->align - 1) / m->align * m->align);
    if (*prepared == NULL) return vox_fail_memory("a fold's prepared weights", m->prepared_bytes);
    int code = vox_map_weights(m, file, path, &mapping);
    if (code != 0) return code;
    vox_status status = m->prepare(mapping.data, mapping.bytes, *prepared, m->prepared_bytes);
    if (status != VOX_OK) code = vox_fail_weights(m, path, &mapping, status);
    vox_unmap_weights(&mapping);
    return code;
}

static int open_folds(vox_segmenting *s, const char *list) {
    if (list == NULL) return 0;
    if (s->host.backend != NULL && s->host.backend->submit != NULL)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "--folds: only the processor averages folds: use --device cpu");
    int n = 1, code = 0;
    for (const char *p = list; *p != '\0'; p++) n += *p == ',';
    char *names = strdup(list);
    s->folds = calloc((size_t)n + 1, sizeof *s->folds);
    if (names == NULL || s->folds == NULL) {
        free(names);
        return vox_fail_memory("the folds' names", strlen(list) + 1);
    }
    s->folds[0] = s->host.prepared;
    char *rest = names, *name;
    while (code == 0 && (name = strsep(&rest, ",")) != NULL)
        code = prepare_fold(s, name, &s->folds[++s->n_folds]);
    free(names);
    return code;
}

static int hash_weights(const vox_model_info *m, const char *file, uint64_t *hash) {
    char path[VOX_PATH];
    vox_mapping mapping = {0};
    int code = vox_map_weights(m, file, path, &mapping);
    if (code == 0) *hash = vox_hash(*hash, mapping.data, mapping.bytes);
    vox_unmap_weights(&mapping);
    return code;
}

int vox_segmenting_weights(vox_segmenting *s, uint64_t *hash) {
    const vox_model_info *m = s->host.model;
    int code = 0;
    if (s->weights_hash == 0) {
        s->weights_hash = 1;
        if (m->weights_bytes > 0) code = hash_weights(m, s->weights, &s->weights_hash);
        char *names = s->fold_names != NULL ? strdup(s->fold_names) : NULL, *rest = names, *name;
        if (s->fold_names != NULL && names == NULL) return vox_fail_memory("the folds' names", 0);
        while (code == 0 && (name = strsep(&rest, ",")) != NULL)
            code = hash_weights(m, name, &s->weights_hash);
        free(names);
    }
    *hash = s->weights_hash;
    return code;
}

/* ---- open and close -------------------------------------------------------------------------- */

int vox_segmenting_open(vox_segmenting *s, const vox_segmenting_request *r) {
    *s = (vox_segmenting){
        .quiet = r->quiet, .weights = r->weights, .fold_names = r->folds, .told = vox_seconds()};
    vox_request request = {.weights = r->weights, .threads = r->threads, .runs = r->runs};
    int code = vox_backend_open(&s->host, r->context, &request);
    if (code != 0) return code;
    s->host.executor.progress = on_step;
    s->host.executor.user = s;
    if (s->host.executor.pool == NULL) {
        s->pool = vox_pool_create(r->threads > 0 ? r->threads : vox_cpu_count());
        if (s->pool == NULL) return vox_fail(VOX_EXIT_FAILURE, "cannot start %d threads", r->threads);
    }
    s->runner = (vox_runner){.user = s,
                             .at_once = vox_host_at_once(&s->host),
                             .input = s->host.inputs[0],
                             .output = s->host.outputs[0],
                             .submit = submit,
                             .collect = collect};
    code = open_folds(s, r->folds);
    return code;
}

void vox_segmenting_close(vox_segmenting *s) {
    if (s->folds != NULL) s->host.prepared = s->folds[0];
    for (int i = 1; i <= s->n_folds; i++) free(s->folds[i]);
    free(s->folds);
    free(s->arena);
    if (s->pool != NULL) vox_pool_destroy(s->pool);
    if (s->host.model != NULL) vox_host_close(&s->host);
    *s = (vox_segmenting){0};
}

/* ---- what went wrong ------------------------------------------------------------------------- */

static int fail_voxels(const char *name, const vox_volume *v, const vox_segment_result *r) {
    size_t at = r->first_lost, ijk[3];
    for (int a = 0; a < 3; a++) {
        ijk[a] = at % (size_t)v->dim[a];
        at /= (size_t)v->dim[a];
    }
    return vox_fail(
        VOX_EXIT_INPUT,
        "%s: %zu voxels are not finite and %zu are beyond float32, the first at i j k %zu %zu %zu of "
        "channel %zu",
        name, r->not_finite, r->too_large, ijk[0], ijk[1], ijk[2], at);
}

int vox_segmenting_fail(const vox_model_info *m, const char *name, const vox_volume *v,
                        const vox_segment_result *r, vox_status status) {
    char axes[4] = "";
    switch (status) {
    case VOX_E_CHANNELS:
        return vox_fail(VOX_EXIT_INPUT, "%s holds %d channel%s, but %s takes %d (%s)", name, v->channels,
                        v->channels == 1 ? "" : "s", m->name, m->inputs->dim[1],
                        vox_shape(5, m->inputs->dim).text);
    case VOX_E_ORIENTATION:
        return vox_fail(VOX_EXIT_INPUT,
                        "%s does not say where left and right are, but %s wants it as %s: give the file a "
                        "direction (NIfTI: sform or qform)",
                        name, m->name, m->volume->orientation);
    case VOX_E_SPACING:
        return vox_fail(VOX_EXIT_INPUT,
                        "%s does not say how large its voxels are (%s), but %s is for voxels of a given size",
                        name, vox_size_mm(v->spacing).text, m->name);
    case VOX_E_TILE:
        memcpy(axes, m->volume->axes, 3);
        return vox_fail(
            VOX_EXIT_INPUT,
            "%s: one tile of %s must hold the prepared volume, and does not: compile the model with a "
            "larger input, resample or crop in its volume section, or give it a border",
            name, vox_shape(5, m->inputs->dim).text);
    case VOX_E_VOXELS:
        return fail_voxels(name, v, r);
    case VOX_E_EQUAL:
    case VOX_E_MAXIMUM:
        return vox_fail(VOX_EXIT_INPUT, "%s: %s: %s", name, vox_prepare_name(m->volume->steps[r->step].kind),
                        vox_status_text(status));
    case VOX_E_ARGUMENT: /* options are checked where they are read: what is left is too many tiles */
        return vox_fail(
            VOX_EXIT_INPUT,
            "%s: %s voxels of %s take more than %d runs of %s: check its voxel size and the overlap", name,
            vox_shape(3, v->dim).text, vox_size_mm(v->spacing).text, INT_MAX, m->name);
    case VOX_E_STREAM:
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: %s: leave out --stream", name, vox_status_text(status));
    case VOX_E_SIZE:
        return vox_fail(VOX_EXIT_INPUT,
                        "%s: %s voxels of %s: resampled, an axis would have more than %d voxels, or all more "
                        "bytes than a machine addresses: check its voxel size",
                        name, vox_shape(3, v->dim).text, vox_size_mm(v->spacing).text, VOX_RESAMPLE_LARGEST);
    case VOX_E_LABELS:
        return vox_fail(VOX_EXIT_INPUT, "%s: %s", name, vox_status_text(status));
    case VOX_E_NETWORK:
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: %s", m->name, vox_status_text(status));
    default:
        return vox_fail_status(m->name, status);
    }
}

/* ---- a volume -------------------------------------------------------------------------------- */

static int make_room(vox_segmenting *s, const char *name, vox_segment_options *o,
                     const vox_segment_outline *outline) {
    size_t bytes = outline->bytes;
    if (bytes > s->arena_bytes) {
        free(s->arena);
        s->arena = NULL;
        s->arena_bytes = (bytes + VOX_SEGMENT_ALIGN - 1) / VOX_SEGMENT_ALIGN * VOX_SEGMENT_ALIGN;
        s->arena = aligned_alloc(VOX_SEGMENT_ALIGN, s->arena_bytes);
        if (s->arena == NULL) {
            s->arena_bytes = 0;
            return vox_fail(VOX_EXIT_FAILURE, "not enough memory for %s, prepared as %s voxels (%zu bytes)",
                            name, vox_shape(3, outline->prepared).text, bytes);
        }
    }
    o->arena = s->arena;
    o->arena_bytes = s->arena_bytes;
    return 0;
}

int vox_segmenting_run(vox_segmenting *s, const char *name, const vox_volume *volume,
                       const vox_labels *labels, const vox_segment_options *wanted) {
    vox_segment_outline outline;
    vox_segment_options o = *wanted;
    const vox_model_info *m = s->host.model;
    o.runner = &s->runner;
    o.n_folds = s->n_folds;
    o.folds = s->folds != NULL ? (const void *const *)s->folds + 1 : NULL;
    o.result = &s->result;
    vox_status status = vox_segment_plan(m, volume, &o, &outline);
    if (status != VOX_OK) return vox_segmenting_fail(m, name, volume, &s->result, status);
    int code = make_room(s, name, &o, &outline);
    if (code != 0) return code;
    vox_executor executor = {.parallel_for = vox_pool_parallel_for,
                             .pool = s->pool != NULL ? (void *)s->pool : s->host.executor.pool};
    s->progress = vox_progress_start();
    if (s->quiet) s->progress.on = false;
    s->started = vox_seconds();
    s->done = 0;
    s->total = outline.runs;
    s->prepare_seconds = -1;
    s->network_seconds = 0;
    s->code = 0;
    status = vox_segment(m, s->host.prepared, volume, labels, &o, &executor);
    s->seconds = vox_seconds() - s->started;
    vox_progress_end(&s->progress);
    if (status == VOX_OK) return 0;
    return s->code != 0 ? s->code : vox_segmenting_fail(m, name, volume, &s->result, status);
}
