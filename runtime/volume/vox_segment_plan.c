/* SPDX-License-Identifier: MIT-0 */
/* vox_segment_plan.c: see vox_segment_plan.h and vox_volume.h. */
#include "vox_segment_plan.h"

#include <limits.h>
#include <math.h>

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

void vox_plan_blend(segment *s) {
    s->blend = (vox_blend){.tiles = &s->tiles,
                           .classes = s->classes,
                           .folds = folds_apart(s),
                           .half = s->tiles.adds && s->info.half,
                           .activation = s->info.activation,
                           .ring = s->out[0] + 1};
    if (s->blend.ring > s->tiles.axis[0].volume) s->blend.ring = s->tiles.axis[0].volume;
    shape_background(s);
}

static vox_status lay_out(segment *s) {
    size_t weights, sums, at = 0, channels = (size_t)s->model->inputs->dim[1];
    bool elsewhere = s->o->runner != NULL;
    vox_plan_blend(s);
    sums = vox_blend_bytes(&s->blend, &weights);
    take(&at, streams(s) ? s->stream.bytes : product(s->preparation.prepared.dim) * channels * sizeof(float));
    s->at.input = take(&at, elsewhere ? 0 : product(s->in) * channels * sizeof(float));
    size_t output = product(s->out) * (size_t)s->classes;
    s->at.output = take(&at, elsewhere ? 0 : output * (s->are_labels ? sizeof(int64_t) : sizeof(float)));
    s->at.sum = take(&at, runs_of_tile(s) > 1 ? output * sizeof(float) : 0);
    s->at.network = take(&at, elsewhere ? 0 : s->model->arena_bytes);
    s->at.scores = take(&at, sums);
    s->at.weights = take(&at, weights);
    s->at.sure = take(&at, asks_who_is_sure(s) ? vox_blend_sure_bytes(&s->blend) : 0);
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

vox_status vox_plan_tiles(segment *s) {
    int volume[3];
    for (int k = 0; k < 3; k++) volume[k] = s->preparation.prepared.dim[s->axis[k]];
    vox_status status = vox_tiles_plan(&s->tiles, &s->info, volume, s->in, s->out);
    if (status != VOX_OK) return status;
    if ((long long)s->tiles.total * s->n_flips > INT_MAX / folds_of(s)) return VOX_E_SIZE;
    if (streams(s)) {
        s->tiles.ring = vox_tiles_ring(&s->tiles);
        status = vox_stream_plan(&s->stream, &s->preparation, s->axis, s->tiles.ring);
    }
    return status == VOX_OK ? lay_out(s) : status;
}

/* ---- plan ------------------------------------------------------------------------------------ */

vox_status vox_plan_segment(segment *s, const vox_model_info *model, const vox_volume *v,
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
    return status == VOX_OK ? vox_plan_tiles(s) : status;
}

vox_status vox_segment_plan(const vox_model_info *model, const vox_volume *volume,
                            const vox_segment_options *options, vox_segment_outline *outline) {
    segment s;
    if (outline == NULL) return VOX_E_ARGUMENT;
    vox_status status = vox_plan_segment(&s, model, volume, options);
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
