/* SPDX-License-Identifier: MIT-0 */
/* vox_segment.c: see vox_volume.h. A row of tiles is a plane of them: all that begin at the same voxel along D. Rows run
 * in the order of D, so that planes of scores are finished, brought back and labelled behind them. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "vox_mean.h"
#include "vox_restore.h"
#include "vox_preparation.h"
#include "vox_stream.h"

/* Where things lie in the arena, in bytes. The prepared volume is its begin; what preparing needs besides, and what the
 * tiles need, follow at the same place. */
typedef struct layout {
    size_t input, output, sum, network, scores, weights, window, along, index, taps[3], lanes, empty, end;
} layout;

typedef struct segment {
    const vox_model_info *model;
    const vox_segment_options *o;
    vox_volume_info info; /* the description's, with the options' changes */
    int classes, are_labels, in[3], out[3];
    int axis[3]; /* the oriented axis along D, H, W */
    vox_preparation preparation;
    vox_stream stream; /* where the volume is read in slabs */
    vox_tiles tiles;
    int flips[8], n_flips;
    layout at;
    /* of a run */
    const void *prepared;
    const vox_executor *executor; /* the caller's */
    vox_executor of_network;      /* with our progress */
    char *arena;
    vox_blend blend;
    vox_restore restore;
    const vox_labels *labels;
    vox_segment_result *result;
    int first_row, end_row; /* rows of tiles that are run */
    int next_plane;         /* of labels */
    int done, total;        /* runs */
} segment;

/* ---- what kind of network -------------------------------------------------------------------- */

static int output_shape(const vox_port *p, segment *s) {
    s->are_labels = p->dtype == VOX_I64;
    s->classes = p->rank == 5 ? p->dim[1] : 1;
    if (p->rank != 5 && !(p->rank == 4 && s->are_labels)) return 1;
    if (p->dtype != VOX_F32 && p->dtype != VOX_I64) return 1;
    for (int k = 0; k < 3; k++) s->out[k] = p->dim[p->rank - 3 + k];
    return p->dim[0] != 1 || (s->are_labels && s->classes != 1);
}

static int axis_order(const char *axes, segment *s) {
    int seen = 0;
    for (int k = 0; k < 3; k++) {
        int a = axes[k] - 'x';
        if (a < 0 || a > 2) return 1;
        s->axis[k] = a;
        seen |= 1 << a;
    }
    return seen != 7;
}

static vox_status read_network(segment *s) {
    const vox_model_info *m = s->model;
    const vox_port *in = m->inputs;
    if (m->volume == NULL || m->n_inputs != 1 || m->n_outputs < 1 || in->rank != 5 || in->dim[0] != 1 ||
        in->dtype != VOX_F32 || output_shape(m->outputs, s) != 0 || axis_order(m->volume->axes, s) != 0)
        return VOX_E_NETWORK;
    if (m->volume->rule == VOX_THRESHOLD && (s->classes != 1 || s->are_labels)) return VOX_E_NETWORK;
    if (m->volume->rule == VOX_REGIONS && (s->classes != m->volume->n_regions || s->are_labels))
        return VOX_E_NETWORK;
    for (int k = 0; k < 3; k++) s->in[k] = in->dim[2 + k];
    return VOX_OK;
}

/* ---- options --------------------------------------------------------------------------------- */

static vox_status take_options(segment *s) {
    const vox_segment_options *o = s->o;
    s->info = *s->model->volume;
    if ((o->set & VOX_SET_LEVEL) != 0) s->info.level = o->level;
    if ((o->set & VOX_SET_OVERLAP) != 0) s->info.overlap = o->overlap;
    if ((o->set & VOX_SET_MIRROR_AXES) != 0) s->info.mirror_axes = o->mirror_axes;
    if (!(s->info.overlap >= 0 && s->info.overlap < 1) || (s->info.mirror_axes & ~7) != 0 ||
        isnan(s->info.level) || o->n_folds < 0 || o->n_folds == INT_MAX ||
        (o->n_folds > 0 && o->folds == NULL))
        return VOX_E_ARGUMENT;
    if (s->are_labels && (s->info.overlap > 0 || s->info.mirror_axes != 0 || o->n_folds > 0))
        return VOX_E_NETWORK;
    /* nnU-Net's order: no axis, one axis after the other, then pairs, then all. */
    static const int order[8] = {0, 1, 2, 4, 3, 5, 6, 7};
    for (int i = 0; i < 8; i++) {
        if ((order[i] & ~s->info.mirror_axes) == 0) s->flips[s->n_flips++] = order[i];
    }
    return VOX_OK;
}

static int folds_of(const segment *s) {
    return 1 + s->o->n_folds;
}

/* Folds have sums of their own where float16 rounds: nnU-Net averages what came out of each. */
static int folds_apart(const segment *s) {
    return s->tiles.adds && s->info.half ? folds_of(s) : 1;
}

/* Runs of the network whose mean is one tile's scores. */
static int runs_of_tile(const segment *s) {
    return s->n_flips * folds_of(s) / folds_apart(s);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* SIZE_MAX once it is more than there can be. */
static size_t take(size_t *at, size_t bytes) {
    size_t here = *at, most = SIZE_MAX / VOX_SEGMENT_ALIGN * VOX_SEGMENT_ALIGN;
    if (bytes > most || here > most - bytes) {
        *at = SIZE_MAX;
    } else {
        *at += (bytes + VOX_SEGMENT_ALIGN - 1) / VOX_SEGMENT_ALIGN * VOX_SEGMENT_ALIGN;
    }
    return here;
}

static size_t product(const int dim[3]) {
    return (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
}

static int target(const segment *s, int k) {
    return s->preparation.oriented.dim[s->axis[k]];
}

/* The scores, before activation, of voxels that no tile was run for: such that their label is 0. */
static void shape_background(segment *s) {
    float *of_first = &s->blend.background[0], *of_others = &s->blend.background[1];
    if (s->info.activation == VOX_SOFTMAX) {
        *of_others = -INFINITY;
    } else if (s->info.activation == VOX_SIGMOID) {
        *of_first = *of_others = -INFINITY;
    } else if (s->info.rule != VOX_ARGMAX && !s->are_labels && s->info.level < 0) {
        *of_first = *of_others = (float)s->info.level;
    }
}

static void shape_blend(segment *s) {
    s->blend = (vox_blend){.tiles = &s->tiles,
                           .classes = s->classes,
                           .folds = folds_apart(s),
                           .half = s->tiles.adds && s->info.half,
                           .activation = s->info.activation,
                           .ring = s->out[0] + 1};
    if (s->blend.ring > s->tiles.axis[0].volume) s->blend.ring = s->tiles.axis[0].volume;
    shape_background(s);
}

static bool streams(const segment *s) {
    return s->preparation.volume->data == NULL && s->preparation.volume->read != NULL;
}

static vox_status lay_out(segment *s) {
    size_t weights, sums, at = 0, channels = (size_t)s->model->inputs->dim[1];
    bool elsewhere = s->o->runner != NULL;
    shape_blend(s);
    sums = vox_blend_bytes(&s->blend, &weights);
    take(&at, streams(s) ? s->stream.bytes : product(s->preparation.prepared.dim) * channels * sizeof(float));
    s->at.input = take(&at, elsewhere ? 0 : product(s->in) * channels * sizeof(float));
    size_t output = product(s->out) * (size_t)s->classes;
    s->at.output = take(&at, elsewhere ? 0 : output * (s->are_labels ? sizeof(int64_t) : sizeof(float)));
    s->at.sum = take(&at, runs_of_tile(s) > 1 ? output * sizeof(float) : 0);
    s->at.network = take(&at, elsewhere ? 0 : s->model->arena_bytes);
    s->at.scores = take(&at, sums);
    s->at.weights = take(&at, weights);
    s->at.window = take(&at, s->tiles.adds ? product(s->out) * sizeof(float) : 0);
    s->at.along = take(&at, (size_t)(s->out[0] + s->out[1] + s->out[2]) * sizeof(double));
    s->at.index = take(&at, (size_t)(s->in[0] + s->in[1] + s->in[2]) * sizeof(int));
    for (int k = 0; k < 3; k++) s->at.taps[k] = take(&at, (size_t)target(s, k) * sizeof(vox_tap));
    s->at.lanes = take(&at, vox_restore_floats(s->tiles.axis[2].volume, target(s, 2)) * sizeof(float));
    s->at.empty = take(&at, s->info.skip_empty ? (size_t)s->tiles.total : 0);
    s->at.end = at;
    size_t preparing = streams(s) ? 0 : vox_preparation_bytes(&s->preparation);
    if (preparing > s->at.end) s->at.end = preparing;
    return at > SIZE_MAX / 2 ? VOX_E_SIZE : VOX_OK;
}

static vox_status plan_tiles(segment *s) {
    int volume[3];
    for (int k = 0; k < 3; k++) volume[k] = s->preparation.prepared.dim[s->axis[k]];
    vox_status status = vox_tiles_plan(&s->tiles, &s->info, volume, s->in, s->out);
    if (status != VOX_OK) return status;
    if ((long long)s->tiles.total * s->n_flips > INT_MAX / folds_of(s)) return VOX_E_ARGUMENT;
    if (streams(s)) {
        s->tiles.ring = vox_tiles_ring(&s->tiles);
        status = vox_stream_plan(&s->stream, &s->preparation, s->axis, s->tiles.ring);
    }
    return status == VOX_OK ? lay_out(s) : status;
}

/* ---- plan ------------------------------------------------------------------------------------ */

static vox_status plan(segment *s, const vox_model_info *model, const vox_volume *v,
                       const vox_segment_options *o) {
    static const vox_segment_options nothing = {0};
    *s = (segment){.model = model, .o = o != NULL ? o : &nothing};
    if (model == NULL || v == NULL) return VOX_E_ARGUMENT;
    vox_status status = read_network(s);
    if (status != VOX_OK) return status;
    if (v->channels != model->inputs->dim[1]) return VOX_E_CHANNELS;
    for (int a = 0; a < 3; a++) {
        if (v->dim[a] < 1) return VOX_E_ARGUMENT;
    }
    status = take_options(s);
    if (status == VOX_OK) status = vox_preparation_plan(&s->preparation, &s->info, v);
    return status == VOX_OK ? plan_tiles(s) : status;
}

vox_status vox_segment_plan(const vox_model_info *model, const vox_volume *volume,
                            const vox_segment_options *options, vox_segment_outline *outline) {
    segment s;
    if (outline == NULL) return VOX_E_ARGUMENT;
    vox_status status = plan(&s, model, volume, options);
    if (status != VOX_OK) return status;
    *outline = (vox_segment_outline){.classes = s.classes, .labels = s.are_labels, .bytes = s.at.end};
    const vox_preparation *p = &s.preparation;
    for (int k = 0; k < 3; k++) {
        outline->tile_in[k] = s.in[k];
        outline->tile_out[k] = s.out[k];
        outline->source[k] = p->axes.source[k];
        outline->reversed[k] = p->axes.reversed[k];
        outline->prepared[k] = p->prepared.dim[k];
        outline->spacing[k] = p->prepared.spacing[k];
        outline->tiles[k] = s.tiles.axis[k].count;
    }
    outline->runs = s.tiles.total * s.n_flips * folds_of(&s);
    return VOX_OK;
}

size_t vox_segment_bytes(const vox_model_info *model, const vox_volume *volume,
                         const vox_segment_options *options) {
    vox_segment_outline outline;
    return vox_segment_plan(model, volume, options, &outline) == VOX_OK ? outline.bytes : 0;
}

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
    shape_blend(s);
    s->blend.sum = s->arena + s->at.scores;
    s->blend.weights = s->arena + s->at.weights;
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
        return status == VOX_OK ? plan_tiles(s) : status;
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
    vox_status status = plan(&s, model, volume, options);
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
