/* SPDX-License-Identifier: MIT-0 */
/* profile.c: see profile.h. Each thread notes when its first task of a step starts and its last one ends, in
 * a row of its own. A step of one task never gets to parallel_for: it lies between the ends of its
 * neighbours, on the run's own thread. */
#include "profile.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "json_write.h"
#include "report.h"

typedef struct slice {
    int64_t begin, end; /* ns since the run started; end 0: no task of the step ran here */
} slice;

typedef struct lane_owner { /* a thread, in the order in which they first took a task */
    pthread_t thread;
    atomic_int used;
} lane_owner;

struct vox_profile {
    vox_host *host;
    vox_executor before;
    double start;
    int64_t mark; /* when the last step ended */
    int threads, step;
    atomic_int taken;  /* lanes */
    lane_owner *lanes; /* [threads]; the first is the run's */
    slice *slices;     /* [steps][threads] */
};

static int64_t now(const vox_profile *p) {
    return (int64_t)((vox_seconds() - p->start) * 1e9);
}

/* -1: there are more threads than we were told of. */
static int lane_of_thread(vox_profile *p) {
    const pthread_t self = pthread_self();
    for (int i = 0; i < p->threads; i++)
        if (atomic_load(&p->lanes[i].used) && pthread_equal(p->lanes[i].thread, self)) return i;
    const int i = atomic_fetch_add(&p->taken, 1);
    if (i >= p->threads) return -1;
    p->lanes[i].thread = self;
    atomic_store(&p->lanes[i].used, 1);
    return i;
}

/* ---- recording ------------------------------------------------------------------------------- */

typedef struct timed_job {
    vox_profile *profile;
    vox_task_fn *fn;
    void *argument;
} timed_job;

static void timed_task(void *argument, int task) {
    const timed_job *j = argument;
    vox_profile *p = j->profile;
    const int lane = lane_of_thread(p);
    const int64_t begin = now(p);
    j->fn(j->argument, task);
    if (lane < 0) return;
    slice *s = &p->slices[(size_t)p->step * (size_t)p->threads + (size_t)lane];
    if (s->end == 0) s->begin = begin;
    s->end = now(p);
}

static void timed_parallel_for(void *pool, int tasks, vox_task_fn *fn, void *argument) {
    vox_profile *p = pool;
    timed_job j = {p, fn, argument};
    p->before.parallel_for(p->before.pool, tasks, timed_task, &j);
}

static void on_step(void *user, int done, int total) {
    vox_profile *p = user;
    slice *row = &p->slices[(size_t)(done - 1) * (size_t)p->threads];
    (void)total;
    int any = 0;
    for (int i = 0; i < p->threads; i++) any |= row[i].end != 0;
    const int64_t end = now(p);
    if (!any) row[0] = (slice){p->mark, end > p->mark ? end : p->mark + 1};
    p->mark = end;
    p->step = done;
}

vox_profile *vox_profile_start(vox_host *h, int threads) {
    const size_t rows = (size_t)h->model->n_steps + 1, columns = (size_t)threads;
    vox_profile *p = calloc(1, sizeof *p);
    if (p != NULL) p->lanes = calloc(columns, sizeof *p->lanes);
    if (p != NULL) p->slices = calloc(rows, columns * sizeof *p->slices);
    if (p == NULL || p->lanes == NULL || p->slices == NULL) {
        if (p != NULL) free(p->lanes), free(p->slices);
        free(p);
        vox_fail_memory("the profile", rows * columns * sizeof(slice));
        return NULL;
    }
    p->host = h, p->before = h->executor, p->threads = threads;
    h->executor.parallel_for = timed_parallel_for, h->executor.pool = p;
    h->executor.progress = on_step, h->executor.user = p;
    p->start = vox_seconds();
    lane_of_thread(p);
    return p;
}

void vox_profile_end(vox_profile *p) {
    if (p == NULL) return;
    p->host->executor = p->before;
    free(p->lanes), free(p->slices);
    free(p);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_meta(vox_json *j, const char *what, int thread, const char *key, const char *value) {
    vox_json_begin(j, NULL, "{");
    vox_json_members(j, "name=%s ph=%s pid=%d tid=%d", what, "M", 1, thread);
    vox_json_begin(j, "args", "{");
    vox_json_text(j, key, value);
    vox_json_end(j);
    vox_json_end(j);
}

static void write_names(const vox_profile *p, vox_json *j) {
    const vox_model_info *m = p->host->model;
    write_meta(j, "process_name", 0, "name", m->name);
    write_meta(j, "process_labels", 0, "labels", m->isa());
    for (int i = 0; i < p->threads && atomic_load(&p->lanes[i].used); i++) {
        char name[32];
        snprintf(name, sizeof name, "thread %d", i);
        write_meta(j, "thread_name", i, "name", name);
    }
}

/* From the first start to the last end. */
static double step_seconds(const vox_profile *p, const slice *row) {
    int64_t begin = INT64_MAX, end = 0;
    for (int i = 0; i < p->threads; i++) {
        if (row[i].end == 0) continue;
        if (row[i].begin < begin) begin = row[i].begin;
        if (row[i].end > end) end = row[i].end;
    }
    return end > begin ? (double)(end - begin) * 1e-9 : 1e-9;
}

/* What all threads did in the step: multiply-adds, or, of a layer without any, bytes written. */
static void write_work(const vox_profile *p, int step, vox_json *j) {
    const vox_model_info *m = p->host->model;
    const vox_step *s = &m->steps[step];
    const vox_layer_info *l = &m->layers[s->layer];
    const double seconds = step_seconds(p, &p->slices[(size_t)step * (size_t)p->threads]);
    const int depth = l->rank == 5 ? l->dim[2] : 1;
    const double part = depth > 0 ? (double)(s->end - s->begin) / depth : 1;
    const int goes_on = step + 1 < m->n_steps && s[1].layer == s->layer && s[1].phase > s->phase;
    if (goes_on) return; /* the work is counted in the last phase */
    if (l->macs > 0) {
        const double gmac = (double)l->macs * part * 1e-9;
        vox_json_members(j, "GMAC=%.6f GMAC/s=%.2f", gmac, gmac / seconds);
    } else if (l->place != VOX_NOWHERE) {
        const double bytes = (double)vox_dtype_bytes(l->dtype) * part;
        double values = 1;
        for (int i = 0; i < l->rank; i++) values *= l->dim[i];
        vox_json_format(j, "GB/s written", "%.2f", bytes * values * 1e-9 / seconds);
    }
}

static void write_event(const vox_profile *p, int step, int lane, vox_json *j) {
    const vox_model_info *m = p->host->model;
    const vox_step *s = &m->steps[step];
    const slice *at = &p->slices[(size_t)step * (size_t)p->threads + (size_t)lane];
    const int64_t ns = at->end - at->begin;
    vox_json_begin(j, NULL, "{");
    vox_json_members(j, "name=%s cat=%s ph=%s pid=%d tid=%d", m->layers[s->layer].name,
                     m->layers[s->layer].stream ? "stream" : "layer", "X", 1, lane);
    vox_json_format(j, "ts", "%" PRId64 ".%03d", at->begin / 1000, (int)(at->begin % 1000));
    vox_json_format(j, "dur", "%" PRId64 ".%03d", ns / 1000, (int)(ns % 1000));
    vox_json_begin(j, "args", "{");
    vox_json_members(j, "op=%s step=%d", m->layers[s->layer].op, step);
    vox_json_format(j, "planes", "\"%d to %d\"", s->begin, s->end - 1);
    vox_json_int(j, "phase", s->phase);
    write_work(p, step, j);
    vox_json_end(j);
    vox_json_end(j);
}

void vox_profile_write(const vox_profile *p, FILE *f) {
    vox_json json = vox_json_file(f), *j = &json;
    vox_json_begin(j, NULL, "{");
    vox_json_text(j, "displayTimeUnit", "ms");
    vox_json_begin(j, "traceEvents", "[\n");
    write_names(p, j);
    for (int i = 0; i < p->host->model->n_steps; i++)
        for (int k = 0; k < p->threads; k++)
            if (p->slices[(size_t)i * (size_t)p->threads + (size_t)k].end != 0) write_event(p, i, k, j);
    vox_json_end(j);
    vox_json_end(j);
}
