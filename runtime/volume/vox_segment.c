/* SPDX-License-Identifier: MIT-0 */
/* vox_segment.c: see vox_volume.h. A row of tiles is a plane of them: all that begin at the same voxel along D. Rows run
 * in the order of D, so that planes of scores are finished, brought back and labelled behind them. */
#include <math.h>
#include <string.h>

#include "vox_mean.h"
#include "vox_segment_plan.h"

/* ---- tiles in their order -------------------------------------------------------------------- */

/* Run number j: of tile j / runs, fold after fold, each turned around every way. */
typedef struct tile_run {
    int tile, fold, flips,
        within; /* within: which of the tile's, and of its fold's where those stand apart */
    int begin[3];
} tile_run;

static tile_run run_number(const segment *s, int j) {
    int runs = s->n_flips * folds_of(s), within = j % runs;
    tile_run t = {.tile = j / runs, .fold = within / s->n_flips, .flips = s->flips[within % s->n_flips]};
    t.within = within % runs_of_tile(s);
    int i = t.tile;
    for (int k = 2; k >= 0; k--) {
        int count = s->tiles.axis[k].count;
        t.begin[k] = vox_tile_begin(&s->tiles.axis[k], i % count);
        i /= count;
    }
    return t;
}

static const float *channel_at(const segment *s, int c) {
    size_t plane = (size_t)s->tiles.axis[1].volume * (size_t)s->tiles.axis[2].volume;
    if (streams(s)) return s->stream.planes + (size_t)c * (size_t)s->tiles.ring * plane;
    return (const float *)(const void *)s->arena + (size_t)c * product(s->preparation.prepared.dim);
}

static void strides(const segment *s, size_t stride[3]) {
    const int *dim = s->preparation.prepared.dim;
    const size_t along[3] = {1, (size_t)dim[0], (size_t)dim[0] * (size_t)dim[1]};
    for (int k = 0; k < 3; k++) stride[k] = along[s->axis[k]];
    if (!streams(s)) return;
    stride[2] = 1;
    stride[1] = (size_t)s->tiles.axis[2].volume;
    stride[0] = stride[1] * (size_t)s->tiles.axis[1].volume;
}

static float *input_of(const segment *s) {
    return s->o->runner != NULL ? s->o->runner->input : (float *)(void *)(s->arena + s->at.input);
}

static void fill(const segment *s, const tile_run *t) {
    size_t stride[3], tile = product(s->in);
    strides(s, stride);
    for (int c = 0; c < s->model->inputs->dim[1]; c++)
        vox_tile_fill(&s->tiles, t->begin, t->flips, channel_at(s, c), stride,
                      (int *)(void *)(s->arena + s->at.index), input_of(s) + (size_t)c * tile, s->executor);
}

static bool all_zero(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (x[i] != 0) return false;
    }
    return true;
}

/* Whether the run's tile is skipped: decided when its first run's input is there. */
static bool is_empty(const segment *s, const tile_run *t) {
    if (!s->info.skip_empty) return false;
    unsigned char *empty = (unsigned char *)s->arena + s->at.empty + t->tile;
    if (t->fold == 0 && t->flips == 0)
        *empty = all_zero(input_of(s), product(s->in) * (size_t)s->model->inputs->dim[1]);
    return *empty != 0;
}

/* Planes that a row of tiles takes. */
static vox_status read_row(segment *s, int row) {
    int low, high;
    vox_tiles_span(&s->tiles, row, &low, &high);
    return vox_stream_fill(&s->stream, low, high);
}

static vox_status submit(segment *s, int j) {
    tile_run t = run_number(s, j);
    int row = t.tile / (s->tiles.axis[1].count * s->tiles.axis[2].count);
    vox_status status = streams(s) ? read_row(s, row) : VOX_OK;
    if (status != VOX_OK) return status;
    fill(s, &t);
    if (is_empty(s, &t) || s->o->runner == NULL) return VOX_OK;
    return s->o->runner->submit(s->o->runner->user, t.fold);
}

/* The scores of run j, which the next run overwrites. */
static vox_status collect(const segment *s, const tile_run *t, float **scores) {
    const vox_runner *r = s->o->runner;
    vox_status status;
    void *output = s->arena + s->at.output;
    if (r != NULL) {
        status = r->collect(r->user);
        output = (void *)(uintptr_t)r->output;
    } else {
        const void *inputs[] = {input_of(s)};
        void *outputs[] = {output};
        const void *prepared = t->fold == 0 ? s->prepared : s->o->folds[t->fold - 1];
        status = s->model->run(prepared, inputs, outputs, s->arena + s->at.network, s->model->arena_bytes,
                               &s->of_network);
    }
    if (status == VOX_OK && s->are_labels) vox_labels_to_floats(output, product(s->out));
    *scores = output;
    return status;
}

/* The run's scores to the tile's mean, and this to the volume's sums once it is complete. */
static void add(segment *s, const tile_run *t, float *scores) {
    int runs = runs_of_tile(s);
    float *sum = runs > 1 ? (float *)(void *)(s->arena + s->at.sum) : NULL;
    bool last = t->within == runs - 1;
    vox_mean mean = {.classes = s->classes,
                     .size = {s->out[0], s->out[1], s->out[2]},
                     .flips = t->flips,
                     .first = t->within == 0,
                     .runs = last ? runs : 0};
    if (sum != NULL) vox_mean_add(&mean, scores, sum, s->executor);
    if (!last) return;
    bool apart = folds_apart(s) > 1;
    vox_blend_add(&s->blend, apart ? t->fold : 0, !apart || t->fold == 0, t->begin,
                  sum != NULL ? sum : scores, s->executor);
}

/* ---- planes of labels ------------------------------------------------------------------------ */

static void end_planes(const segment *s, int *begin, int *end) {
    *begin = 0;
    *end = target(s, 0);
    if ((s->o->set & VOX_SET_PLANES) == 0) return;
    *begin = s->o->planes[0];
    *end = s->o->planes[1];
}

/* Rows of tiles that planes of labels come from. */
static void choose_rows(segment *s, int begin, int end) {
    const vox_axis_tiles *a = &s->tiles.axis[0];
    int low = 0, high = 0; /* prepared planes that they need */
    for (int d = begin; d < end; d++) {
        int needs = vox_restore_needs(&s->restore, d);
        if (needs == 0) continue;
        if (high == 0) low = s->restore.tap[0][d].first;
        if (needs > high) high = needs;
    }
    s->first_row = 0;
    while (s->first_row < a->count && vox_tile_begin(a, s->first_row) + a->out <= low) s->first_row++;
    s->end_row = s->first_row;
    if (high == 0) return;
    while (s->end_row < a->count && vox_tile_begin(a, s->end_row) < high) s->end_row++;
    int first = s->first_row < a->count ? vox_tile_begin(a, s->first_row) : 0;
    s->blend.begun = s->blend.finished = first < 0 ? 0 : first;
}

static void give_scores(segment *s, int d) {
    const vox_preparation *p = &s->preparation;
    for (int c = 0; c < s->classes; c++) {
        for (int h = 0; h < target(s, 1); h++) {
            int along[3] = {d, h, 0}, at[3], step[3];
            for (int k = 0; k < 3; k++) {
                int source = p->axes.source[s->axis[k]];
                bool reversed = p->axes.reversed[s->axis[k]];
                at[source] = reversed ? p->volume->dim[source] - 1 - along[k] : along[k];
                step[source] = k < 2 ? 0 : reversed ? -1 : 1;
            }
            s->o->scores(s->o->user, c, at, step, vox_restore_scores(&s->restore, c, d, h), target(s, 2));
        }
    }
}

/* Labels of all planes that the finished scores suffice for. */
static vox_status give_labels(segment *s) {
    int begin, end;
    end_planes(s, &begin, &end);
    while (s->next_plane < end && vox_restore_needs(&s->restore, s->next_plane) <= s->blend.finished) {
        if (s->o->cancelled != NULL && s->o->cancelled(s->o->user)) return VOX_E_CANCELLED;
        vox_restore_plane(&s->restore, s->next_plane, s->executor);
        if (s->restore.not_finite) return VOX_E_SCORES;
        if (s->restore.too_large) return VOX_E_LABELS;
        if (s->o->scores != NULL) give_scores(s, s->next_plane);
        s->next_plane++;
        if (s->o->finished != NULL) s->o->finished(s->o->user, s->next_plane - 1, s->next_plane);
    }
    return VOX_OK;
}

/* ---- the call -------------------------------------------------------------------------------- */

static void on_step(void *user, int done, int total) {
    const segment *s = user;
    s->o->progress(s->o->user, s->done, s->total, done, total);
}

static int ask_cancelled(void *user) {
    const segment *s = user;
    return s->o->cancelled(s->o->user);
}

static void connect(segment *s, const vox_executor *e) {
    s->executor = e;
    if (e != NULL) s->of_network = (vox_executor){.parallel_for = e->parallel_for, .pool = e->pool};
    s->of_network.user = s;
    if (s->o->progress != NULL) s->of_network.progress = on_step;
    if (s->o->cancelled != NULL) s->of_network.cancelled = ask_cancelled;
}

/* Where the volume's voxels lie among the prepared ones, along D, H, W. */
static void fill_taps(segment *s) {
    const vox_grid *g = &s->preparation.prepared, *whole = &s->preparation.oriented;
    for (int k = 0; k < 3; k++) {
        int a = s->axis[k], n = target(s, k);
        vox_tap *tap = (vox_tap *)(void *)(s->arena + s->at.taps[k]);
        vox_interpolation order = vox_resample_order(&s->info.restore, g->spacing, whole->spacing, a);
        for (int i = 0; i < n; i++) tap[i] = (vox_tap){0};
        vox_taps_of(tap + g->origin[a], g->extent[a], s->are_labels ? VOX_NEAREST : order, g->dim[a],
                    g->scale[a], g->shift[a]);
        s->restore.tap[k] = tap;
    }
}

static void shape_restore(segment *s) {
    const vox_preparation *p = &s->preparation;
    s->restore = (vox_restore){.scores = &s->blend,
                               .info = &s->info,
                               .level = s->info.level,
                               .are_labels = s->are_labels,
                               .labels = s->labels->data,
                               .type = s->labels->type,
                               .scratch = (float *)(void *)(s->arena + s->at.lanes)};
    for (int k = 0; k < 3; k++) {
        int source = p->axes.source[s->axis[k]];
        ptrdiff_t stride = s->labels->stride[source];
        s->restore.dim[k] = target(s, k);
        s->restore.stride[k] = stride;
        if (!p->axes.reversed[s->axis[k]]) continue;
        s->restore.labels += stride * (target(s, k) - 1);
        s->restore.stride[k] = -stride;
    }
    fill_taps(s);
}

static void shape_sums(segment *s) {
    vox_plan_blend(s);
    s->blend.sum = s->arena + s->at.scores;
    s->blend.weights = s->arena + s->at.weights;
    if (asks_who_is_sure(s)) s->blend.sure = (uint16_t *)(void *)(s->arena + s->at.sure);
    s->blend.weight = (float *)(void *)(s->arena + s->at.window);
    if (s->tiles.adds)
        vox_window_fill(s->info.window, s->blend.half, s->out, (double *)(void *)(s->arena + s->at.along),
                        s->blend.weight);
}

/* A row of tiles begins and ends. */
static void before_row(segment *s, int row) {
    vox_blend_begin(&s->blend, vox_tile_begin(&s->tiles.axis[0], row) + s->out[0], s->executor);
}

static vox_status after_row(segment *s, int row) {
    const vox_axis_tiles *a = &s->tiles.axis[0];
    int end = row + 1 < a->count ? vox_tile_begin(a, row + 1) : a->volume;
    if (end > s->blend.begun) end = s->blend.begun;
    vox_blend_finish(&s->blend, end, s->executor);
    return give_labels(s);
}

static vox_status run_tiles(segment *s) {
    int runs = s->n_flips * folds_of(s), per_row = s->tiles.axis[1].count * s->tiles.axis[2].count * runs;
    int first = s->first_row * per_row, end = s->end_row * per_row, submitted = first;
    int at_once = s->o->runner != NULL && s->o->runner->at_once > 1 ? s->o->runner->at_once : 1;
    s->total = end - first;
    for (int j = first; j < end; j++) {
        if (s->o->cancelled != NULL && s->o->cancelled(s->o->user)) return VOX_E_CANCELLED;
        if (s->o->progress != NULL) s->o->progress(s->o->user, s->done, s->total, 0, 1);
        for (; submitted < end && submitted < j + at_once; submitted++) {
            vox_status status = submit(s, submitted);
            if (status != VOX_OK) return status;
        }
        if (j % per_row == 0) before_row(s, j / per_row);
        tile_run t = run_number(s, j);
        bool skipped = s->info.skip_empty && s->arena[s->at.empty + (size_t)t.tile] != 0;
        float *scores = NULL;
        vox_status status = skipped ? VOX_OK : collect(s, &t, &scores);
        if (status != VOX_OK) return status;
        if (skipped)
            s->result->skipped += t.fold == 0 && t.flips == 0;
        else
            add(s, &t, scores);
        s->result->runs += !skipped;
        s->done = j + 1 - first;
        status = (j + 1) % per_row == 0 ? after_row(s, j / per_row) : VOX_OK;
        if (status != VOX_OK) return status;
    }
    return give_labels(s);
}

static vox_status check(const segment *s, const void *prepared, const vox_volume *v,
                        const vox_labels *labels) {
    const vox_segment_options *o = s->o;
    const vox_runner *r = o->runner;
    if ((v->data == NULL && v->read == NULL) || labels == NULL || labels->data == NULL ||
        (prepared == NULL && r == NULL) || o->arena == NULL || v->type < 0 || v->type >= VOX_VOXEL_TYPES)
        return VOX_E_ARGUMENT;
    if (r != NULL && (r->input == NULL || r->submit == NULL || r->collect == NULL)) return VOX_E_ARGUMENT;
    for (int i = 0; i < o->n_folds && r == NULL; i++) {
        if (o->folds[i] == NULL) return VOX_E_ARGUMENT;
    }
    if (labels->type != VOX_VOXEL_U8 && labels->type != VOX_VOXEL_U16) return VOX_E_ARGUMENT;
    if ((o->set & VOX_SET_PLANES) != 0 &&
        (o->planes[0] < 0 || o->planes[0] > o->planes[1] || o->planes[1] > target(s, 0)))
        return VOX_E_ARGUMENT;
    if ((uintptr_t)o->arena % VOX_SEGMENT_ALIGN != 0) return VOX_E_ARENA_ALIGN;
    return o->arena_bytes < s->at.end ? VOX_E_ARENA_SIZE : VOX_OK;
}

static vox_status prepare(segment *s) {
    if (!streams(s)) {
        vox_status status = vox_preparation_run(&s->preparation, s->arena, s->result, s->executor);
        return status == VOX_OK ? vox_plan_tiles(s) : status;
    }
    s->stream.e = s->executor;
    s->stream.result = s->result;
    s->stream.cancelled = s->o->cancelled;
    s->stream.user = s->o->user;
    return vox_stream_begin(&s->stream, s->arena);
}

vox_status vox_segment(const vox_model_info *model, const void *prepared, const vox_volume *volume,
                       const vox_labels *labels, const vox_segment_options *options,
                       const vox_executor *executor) {
    segment s;
    vox_segment_result nobody = {0};
    if (options == NULL) return VOX_E_ARGUMENT;
    vox_status status = vox_plan_segment(&s, model, volume, options);
    if (status == VOX_OK) status = check(&s, prepared, volume, labels);
    if (status != VOX_OK) return status;
    s.result = options->result != NULL ? options->result : &nobody;
    *s.result = (vox_segment_result){.step = -1};
    s.prepared = prepared;
    s.labels = labels;
    s.arena = options->arena;
    connect(&s, executor);
    status = prepare(&s);
    if (status != VOX_OK) return status;
    int begin, end;
    end_planes(&s, &begin, &end);
    shape_sums(&s);
    shape_restore(&s);
    s.next_plane = begin;
    choose_rows(&s, begin, end);
    return run_tiles(&s);
}
