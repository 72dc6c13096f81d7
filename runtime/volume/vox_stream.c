/* SPDX-License-Identifier: MIT-0 */
/* vox_stream.c: see vox_stream.h. A box of the grid behind a step comes from the box before it that its voxels lie in, and
 * so on down to the volume's own voxels, which are read. */
#include "vox_stream.h"

#include <stdint.h>
#include <string.h>

#include "vox_parallel.h"

enum { SLAB = 8 };

/* Voxels begin <= i < end along x y z. */
typedef struct box {
    int begin[3], end[3];
} box;

static size_t voxels(const box *b) {
    size_t n = 1;
    for (int a = 0; a < 3; a++) n *= (size_t)(b->end[a] > b->begin[a] ? b->end[a] - b->begin[a] : 0);
    return n;
}

static void size_of(const box *b, int dim[3]) {
    for (int a = 0; a < 3; a++) dim[a] = b->end[a] - b->begin[a];
}

static size_t aligned(size_t bytes) {
    return (bytes + VOX_SEGMENT_ALIGN - 1) / VOX_SEGMENT_ALIGN * VOX_SEGMENT_ALIGN;
}

static void *take(char **at, size_t bytes) {
    void *p = *at;
    *at += aligned(bytes);
    return p;
}

/* ---- which steps ----------------------------------------------------------------------------- */

static bool measures(vox_prepare_kind kind) {
    return kind == VOX_PREPARE_DIVIDE_BY_MAXIMUM || kind == VOX_PREPARE_MIN_MAX ||
           kind == VOX_PREPARE_Z_SCORE || kind == VOX_PREPARE_Z_SCORE_ABOVE_MEAN ||
           kind == VOX_PREPARE_Z_SCORE_NONZERO;
}

static vox_status can_stream(const vox_preparation *p, int i) {
    const vox_prepare_step *s = &p->info->steps[i];
    vox_grid from, to;
    if (measures(s->kind) || s->kind == VOX_PREPARE_CLIP || s->kind == VOX_PREPARE_CT ||
        s->kind == VOX_PREPARE_SCALE || s->kind == VOX_PREPARE_CROP_OR_PAD)
        return VOX_OK;
    if (!vox_preparation_resamples(s->kind)) return VOX_E_STREAM;
    vox_status status = vox_preparation_grid(p, i, &from);
    if (status == VOX_OK) status = vox_preparation_grid(p, i + 1, &to);
    if (status != VOX_OK) return status;
    vox_resample r = vox_preparation_resampling(s, &from, &to);
    return vox_resample_is_linear(&r) ? VOX_OK : VOX_E_STREAM;
}

/* ---- boxes ----------------------------------------------------------------------------------- */

/* How step i gets its box `to`. */
typedef struct move {
    bool resamples, pads;
    vox_resample r;
    int shift[3]; /* crop_or_pad's */
    box from;
} move;

static move move_of(const vox_preparation *p, int i, const box *to) {
    const vox_prepare_step *s = &p->info->steps[i];
    move m = {.resamples = vox_preparation_resamples(s->kind),
              .pads = s->kind == VOX_PREPARE_CROP_OR_PAD,
              .from = *to};
    vox_grid before = {0}, behind = {0};
    if (!m.resamples && !m.pads) return m;
    vox_preparation_grid(p, i, &before);
    vox_preparation_grid(p, i + 1, &behind);
    if (m.resamples) m.r = vox_preparation_resampling(s, &before, &behind);
    for (int a = 0; a < 3; a++) {
        int *begin = &m.from.begin[a], *end = &m.from.end[a], old = before.dim[a];
        if (m.resamples) {
            double first = vox_grid_at(*begin, m.r.scale[a], m.r.shift[a]);
            double last = vox_grid_at(*end - 1, m.r.scale[a], m.r.shift[a]);
            *begin = vox_tap_of(first, m.r.order[a], old).first;
            *end = vox_tap_of(last, m.r.order[a], old).second + 1;
        } else {
            m.shift[a] = vox_crop_or_pad_shift(old, behind.dim[a]);
            *begin = *begin - m.shift[a] > 0 ? *begin - m.shift[a] : 0;
            *end = *end - m.shift[a] < old ? *end - m.shift[a] : old;
        }
    }
    return m;
}

/* The resampling between the two boxes alone. */
static vox_resample resample_of(const move *m, const box *to) {
    vox_resample r = m->r;
    size_of(&m->from, r.from);
    size_of(to, r.to);
    return r;
}

static size_t taps_bytes(const vox_resample *r) {
    return ((size_t)r->to[0] + (size_t)r->to[1] + (size_t)r->to[2]) * sizeof(vox_tap);
}

/* Bytes of scratch that the box behind `steps` takes. */
static size_t stack_of(const vox_preparation *p, int steps, const box *to) {
    size_t bytes = 0;
    box b = *to;
    for (int i = steps - 1; i >= 0; i--) {
        move m = move_of(p, i, &b);
        if (!m.resamples && !m.pads) continue;
        bytes += aligned(voxels(&m.from) * sizeof(float));
        if (m.resamples) {
            vox_resample r = resample_of(&m, &b);
            bytes += aligned(taps_bytes(&r)) + aligned(vox_resample_taps_floats(&r) * sizeof(float));
        }
        b = m.from;
        if (voxels(&b) == 0) return bytes;
    }
    return bytes + aligned(voxels(&b) * vox_voxel_bytes(p->volume->type));
}

/* Planes begin to end of an axis, of the grid behind `steps`. */
static box slab_of(const vox_grid *g, int axis, int begin, int end) {
    box b = {{0, 0, 0}, {g->dim[0], g->dim[1], g->dim[2]}};
    b.begin[axis] = begin;
    b.end[axis] = end < g->dim[axis] ? end : g->dim[axis];
    return b;
}

/* For all slabs along an axis; where slabs begin is not known: any place. */
static void plan_slabs(vox_stream *s, int steps, int axis) {
    vox_grid g;
    vox_preparation_grid(s->p, steps, &g);
    for (int i = 0; i < g.dim[axis]; i++) {
        box b = slab_of(&g, axis, i, i + s->slab);
        size_t stack = stack_of(s->p, steps, &b), floats = voxels(&b);
        if (stack > s->stack) s->stack = stack;
        if (floats > s->slab_floats) s->slab_floats = floats;
    }
}

/* Whether the volume's numbers may be none that float32 holds. */
static bool may_lose(const vox_volume *v) {
    return v->type == VOX_VOXEL_F32 || v->type == VOX_VOXEL_F64 || v->slope != 1 || v->intercept != 0;
}

static size_t plane_floats(const vox_stream *s) {
    const int *dim = s->p->prepared.dim;
    return (size_t)dim[s->axis[1]] * (size_t)dim[s->axis[2]];
}

vox_status vox_stream_plan(vox_stream *s, const vox_preparation *p, const int axis[3], int ring) {
    *s = (vox_stream){.p = p, .slab = SLAB, .ring = ring};
    memcpy(s->axis, axis, sizeof s->axis);
    if (ring < s->slab) s->slab = ring;
    for (int i = 0; i < p->info->n_steps; i++) {
        vox_status status = can_stream(p, i);
        if (status != VOX_OK) return status;
    }
    if (may_lose(p->volume)) plan_slabs(s, 0, 2);
    for (int i = 0; i < p->info->n_steps; i++) {
        if (measures(p->info->steps[i].kind)) plan_slabs(s, i, 2);
    }
    plan_slabs(s, p->info->n_steps, axis[0]);
    size_t channels = (size_t)p->volume->channels, plane = plane_floats(s) * (size_t)ring * sizeof(float);
    if (plane > SIZE_MAX / 4 / channels || s->slab_floats > SIZE_MAX / 64 || s->stack > SIZE_MAX / 4)
        return VOX_E_SIZE;
    s->bytes = aligned((size_t)p->info->n_steps * channels * sizeof *s->standard) +
               aligned(sizeof *s->measuring) + aligned(channels * plane) +
               aligned(s->slab_floats * sizeof(float)) + s->stack;
    return VOX_OK;
}

/* ---- a box is made --------------------------------------------------------------------------- */

static vox_status read_box(const vox_stream *s, int channel, const box *b, float *out, vox_losses *lost,
                           char *scratch) {
    const vox_volume *v = s->p->volume;
    const vox_axes *axes = &s->p->axes;
    int begin[3], end[3];
    vox_volume part = *v;
    for (int a = 0; a < 3; a++) {
        int source = axes->source[a], n = v->dim[source];
        begin[source] = axes->reversed[a] ? n - b->end[a] : b->begin[a];
        end[source] = axes->reversed[a] ? n - b->begin[a] : b->end[a];
    }
    vox_status status = v->read(v->user, channel, begin, end, scratch);
    if (status != VOX_OK) return status;
    part.data = scratch;
    part.channels = 1;
    ptrdiff_t stride = (ptrdiff_t)vox_voxel_bytes(v->type);
    for (int a = 0; a < 3; a++) {
        part.dim[a] = end[a] - begin[a];
        part.stride[a] = stride;
        stride *= part.dim[a];
    }
    part = vox_view_axes(&part, axes->source, axes->reversed);
    vox_volume_load(&part, 0, out, lost, s->e);
    return VOX_OK;
}

static void resample_box(const vox_stream *s, const move *m, const box *to, const float *in, float *out,
                         char *scratch) {
    vox_resample r = resample_of(m, to);
    vox_tap *tap = take(&scratch, taps_bytes(&r));
    const vox_tap *taps[3];
    for (int a = 0; a < 3; a++) {
        taps[a] = tap;
        for (int i = to->begin[a]; i < to->end[a]; i++, tap++) {
            *tap = vox_tap_of(vox_grid_at(i, r.scale[a], r.shift[a]), r.order[a], m->r.from[a]);
            tap->first -= m->from.begin[a];
            tap->second -= m->from.begin[a];
        }
    }
    vox_resample_taps(&r, taps, in, out, (float *)(void *)scratch, s->e);
}

/* `from` lies within `to`, moved by the shift; the rest is 0. */
static void pad_box(const move *m, const box *to, const float *in, float *out) {
    int dim[3], old[3];
    size_of(to, dim);
    size_of(&m->from, old);
    memset(out, 0, voxels(to) * sizeof *out);
    if (voxels(&m->from) == 0) return;
    for (int z = 0; z < old[2]; z++) {
        for (int y = 0; y < old[1]; y++, in += old[0]) {
            size_t at_z = (size_t)(m->from.begin[2] + m->shift[2] + z - to->begin[2]);
            size_t at_y = (size_t)(m->from.begin[1] + m->shift[1] + y - to->begin[1]);
            size_t at_x = (size_t)(m->from.begin[0] + m->shift[0] - to->begin[0]);
            memcpy(out + (at_z * (size_t)dim[1] + at_y) * (size_t)dim[0] + at_x, in,
                   (size_t)old[0] * sizeof *out);
        }
    }
}

static void change(const vox_stream *s, int i, int channel, float *x, size_t n) {
    const vox_prepare_step *step = &s->p->info->steps[i];
    if (step->channel >= 0 && step->channel != channel) return;
    switch (step->kind) {
    case VOX_PREPARE_CLIP:
        vox_clip(x, n, step->value[0], step->value[1], s->e);
        return;
    case VOX_PREPARE_CT:
        vox_ct(x, n, step->value, s->e);
        return;
    case VOX_PREPARE_SCALE:
        vox_scale(x, n, step->value[0], step->value[1], s->e);
        return;
    default:
        vox_standardise(&s->standard[i * s->p->volume->channels + channel], x, n, s->e);
    }
}

/* Where what the first `level` steps make of a box lies. */
typedef struct place {
    box box;
    float *data;
    char *scratch; /* what is free behind it */
} place;

/* From a step's result to what it is made of: elsewhere, where the step moves voxels. */
static move descend(const vox_stream *s, int step, place *at) {
    move m = move_of(s->p, step, &at->box);
    if (m.resamples || m.pads) {
        at->data = take(&at->scratch, voxels(&m.from) * sizeof(float));
        at->box = m.from;
    }
    return m;
}

static place place_of(const vox_stream *s, const place *top, int steps, int level) {
    place at = *top;
    while (steps > level) descend(s, --steps, &at);
    return at;
}

/* The channel's box behind the first `steps`: from the file, or from an empty box, which pads, upwards. */
static vox_status make(const vox_stream *s, int steps, int channel, const box *to, float *out,
                       char *scratch) {
    const place top = {.box = *to, .data = out, .scratch = scratch};
    int level = steps;
    place at = top;
    while (level > 0 && voxels(&at.box) > 0) descend(s, --level, &at);
    if (voxels(&at.box) > 0) {
        vox_losses lost;
        vox_status status = read_box(s, channel, &at.box, at.data, &lost, at.scratch);
        if (status != VOX_OK) return status;
    }
    for (; level < steps; level++) {
        at = place_of(s, &top, steps, level + 1);
        place from = at;
        move m = descend(s, level, &from);
        if (m.resamples)
            resample_box(s, &m, &at.box, from.data, at.data, from.scratch);
        else if (m.pads)
            pad_box(&m, &at.box, from.data, at.data);
        else
            change(s, level, channel, at.data, voxels(&at.box));
    }
    return VOX_OK;
}

/* ---- the first passes ------------------------------------------------------------------------ */

static bool is_cancelled(const vox_stream *s) {
    return s->cancelled != NULL && s->cancelled(s->user) != 0;
}

static void join(vox_lost *all, const vox_lost *part, size_t before) {
    if (part->count > 0 && all->count == 0) all->at = part->at + before;
    all->count += part->count;
}

/* Slabs come in the order of their voxels. */
static vox_status find_lost(vox_stream *s, int channel) {
    const vox_grid *g = &s->p->oriented;
    vox_losses all = {0};
    size_t before = 0;
    for (int z = 0; z < g->dim[2]; z += s->slab) {
        vox_losses part;
        box b = slab_of(g, 2, z, z + s->slab);
        if (is_cancelled(s)) return VOX_E_CANCELLED;
        vox_status status = read_box(s, channel, &b, s->made, &part, s->scratch);
        if (status != VOX_OK) return status;
        join(&all.not_finite, &part.not_finite, before);
        join(&all.too_large, &part.too_large, before);
        join(&all.too_small, &part.too_small, before);
        before += voxels(&b);
    }
    vox_preparation_lost(s->p, (int[3]){0, 0, 0}, g->dim, &all, channel, s->result);
    return VOX_OK;
}

static vox_status measure(vox_stream *s, int steps, int channel, const vox_selection *which,
                          vox_statistics *found) {
    vox_grid g;
    vox_preparation_grid(s->p, steps, &g);
    size_t n = (size_t)g.dim[0] * (size_t)g.dim[1] * (size_t)g.dim[2];
    vox_measure_begin(s->measuring, n, which);
    for (int z = 0; z < g.dim[2]; z += s->slab) {
        box b = slab_of(&g, 2, z, z + s->slab);
        if (is_cancelled(s)) return VOX_E_CANCELLED;
        vox_status status = make(s, steps, channel, &b, s->made, s->scratch);
        if (status != VOX_OK) return status;
        vox_measure_add(s->measuring, s->made, voxels(&b));
    }
    *found = vox_measure_end(s->measuring);
    return VOX_OK;
}

static vox_status find_standard(vox_stream *s, int i, int channel) {
    const vox_prepare_step *step = &s->p->info->steps[i];
    vox_standard *to = &s->standard[i * s->p->volume->channels + channel];
    vox_selection which = {.which =
                               step->kind == VOX_PREPARE_Z_SCORE_NONZERO ? VOX_COUNT_NONZERO : VOX_COUNT_ALL};
    vox_statistics found;
    vox_status status = measure(s, i, channel, &which, &found);
    if (status == VOX_OK && step->kind == VOX_PREPARE_Z_SCORE_ABOVE_MEAN) {
        double mean = found.mean;
        which = (vox_selection){.which = VOX_COUNT_ABOVE, .above = mean};
        status = measure(s, i, channel, &which, &found);
        if (found.count == 0) found.mean = mean;
    }
    if (status != VOX_OK) return status;
    if (step->kind == VOX_PREPARE_DIVIDE_BY_MAXIMUM) return vox_standard_of_maximum(&found, to);
    if (step->kind == VOX_PREPARE_MIN_MAX) return vox_standard_of_range(&found, step->floor, to);
    return vox_standard_of_deviation(&found, step->floor, to);
}

vox_status vox_stream_begin(vox_stream *s, void *memory) {
    const vox_volume_info *info = s->p->info;
    int channels = s->p->volume->channels;
    char *at = memory;
    vox_status status = VOX_OK;
    s->standard = take(&at, (size_t)info->n_steps * (size_t)channels * sizeof *s->standard);
    s->measuring = take(&at, sizeof *s->measuring);
    s->planes = take(&at, (size_t)channels * (size_t)s->ring * plane_floats(s) * sizeof(float));
    s->made = take(&at, s->slab_floats * sizeof(float));
    s->scratch = at;
    s->result->step = -1;
    for (int c = 0; c < channels && status == VOX_OK && may_lose(s->p->volume); c++) status = find_lost(s, c);
    if (status == VOX_OK && s->result->not_finite + s->result->too_large > 0) status = VOX_E_VOXELS;
    for (int i = 0; i < info->n_steps && status == VOX_OK; i++) {
        if (!measures(info->steps[i].kind)) continue;
        for (int c = 0; c < channels && status == VOX_OK; c++) {
            if (info->steps[i].channel >= 0 && info->steps[i].channel != c) continue;
            status = find_standard(s, i, c);
            if (status != VOX_OK) s->result->channel = c;
        }
        if (status == VOX_E_EQUAL || status == VOX_E_MAXIMUM) s->result->step = i;
    }
    return status;
}

/* ---- the ring -------------------------------------------------------------------------------- */

typedef struct putting {
    const vox_stream *s;
    int channel, begin;
    size_t stride[3]; /* of the slab that was made, along D H W */
} putting;

static void put_plane(void *argument, int i) {
    const putting *p = argument;
    const vox_stream *s = p->s;
    const int *dim = s->p->prepared.dim, rows = dim[s->axis[1]], row = dim[s->axis[2]];
    int d = (p->begin + i) % s->ring;
    float *to = s->planes + ((size_t)p->channel * (size_t)s->ring + (size_t)d) * plane_floats(s);
    for (int h = 0; h < rows; h++, to += row) {
        const float *from = s->made + (size_t)i * p->stride[0] + (size_t)h * p->stride[1];
        for (int w = 0; w < row; w++) to[w] = from[(size_t)w * p->stride[2]];
    }
}

static vox_status fill_slab(vox_stream *s, int begin, int end) {
    const vox_preparation *p = s->p;
    box b = slab_of(&p->prepared, s->axis[0], begin, end);
    int dim[3];
    size_of(&b, dim);
    const size_t along[3] = {1, (size_t)dim[0], (size_t)dim[0] * (size_t)dim[1]};
    for (int c = 0; c < p->volume->channels; c++) {
        vox_status status = make(s, p->info->n_steps, c, &b, s->made, s->scratch);
        if (status != VOX_OK) return status;
        putting put = {.s = s, .channel = c, .begin = begin};
        for (int k = 0; k < 3; k++) put.stride[k] = along[s->axis[k]];
        vox_parallel(s->e, end - begin, put_plane, &put);
    }
    return VOX_OK;
}

vox_status vox_stream_fill(vox_stream *s, int first, int end) {
    if (s->until < first) s->until = first;
    while (s->until < end) {
        int next = end - s->until < s->slab ? end : s->until + s->slab;
        if (is_cancelled(s)) return VOX_E_CANCELLED;
        vox_status status = fill_slab(s, s->until, next);
        if (status != VOX_OK) return status;
        s->until = next;
    }
    return VOX_OK;
}
