/* SPDX-License-Identifier: MIT-0 */
/* vox_preparation.c: see vox_preparation.h. */
#include "vox_preparation.h"

#include <stdint.h>
#include <string.h>

#include "vox_intensity.h"
#include "vox_load.h"
#include "vox_resample.h"
#include "vox_smooth.h"

/* ---- grids ----------------------------------------------------------------------------------- */

static vox_status orient(vox_preparation *p) {
    const vox_volume *v = p->volume;
    p->axes = (vox_axes){.source = {0, 1, 2}};
    if (p->info->orientation != NULL && !vox_axes_towards(v->direction, p->info->orientation, &p->axes))
        return VOX_E_ORIENTATION;
    for (int a = 0; a < 3; a++) {
        p->oriented.dim[a] = v->dim[p->axes.source[a]];
        p->oriented.spacing[a] = v->spacing[p->axes.source[a]];
        p->oriented.extent[a] = p->oriented.dim[a];
        p->oriented.origin[a] = 0;
        p->oriented.scale[a] = 1;
        p->oriented.shift[a] = 0;
    }
    return VOX_OK;
}

/* new = old * scale + shift after what led to old. */
static void follow(vox_grid *g, int a, double scale, double shift) {
    g->scale[a] *= scale;
    g->shift[a] = g->shift[a] * scale + shift;
}

static vox_status resampled(const vox_prepare_step *s, vox_grid *g) {
    bool of_size = s->kind == VOX_PREPARE_RESAMPLE_SPACING;
    for (int a = 0; a < 3; a++) {
        double scale, shift, spacing = g->spacing[a] * g->dim[a] / s->value[a], n = s->value[a];
        if ((of_size || s->sampling.align == VOX_SPACING || s->sampling.align == VOX_FIRST) &&
            !(g->spacing[a] > 0))
            return VOX_E_SPACING;
        if (of_size) {
            spacing = s->value[a];
            n = vox_grid_voxels(s->sampling.align, g->dim[a], g->spacing[a], spacing);
        }
        if (n > VOX_RESAMPLE_LARGEST || g->dim[a] > VOX_RESAMPLE_LARGEST) return VOX_E_SIZE;
        /* An alignment looks the same from both sides, so this is the way from the old grid to the new. */
        vox_grid_of(&s->sampling, (int)n, spacing, g->dim[a], g->spacing[a], &scale, &shift);
        if (s->sampling.align == VOX_CORNERS && n > 1 && g->dim[a] > 1)
            spacing = g->spacing[a] * (g->dim[a] - 1) / (n - 1);
        follow(g, a, scale, shift);
        g->dim[a] = (int)n;
        g->spacing[a] = spacing;
    }
    return VOX_OK;
}

/* Voxels `begin` to `begin + n` of an axis stay; begin may lie outside. */
static void keep(vox_grid *g, int a, int begin, int n) {
    bool untouched = g->scale[a] == 1 && g->shift[a] == 0 && g->extent[a] == g->dim[a]; /* nothing but cut */
    if (untouched && begin >= 0 && begin + n <= g->dim[a]) {
        g->origin[a] += begin;
        g->extent[a] = n;
    } else {
        follow(g, a, 1, -begin);
    }
    g->dim[a] = n;
}

static void cropped_or_padded(const vox_prepare_step *s, vox_grid *g) {
    for (int a = 0; a < 3; a++) {
        int n = (int)s->value[a];
        keep(g, a, -vox_crop_or_pad_shift(g->dim[a], n), n);
    }
}

/* Voxels begin <= i < end along x y z. */
typedef struct vox_box {
    int begin[3], end[3];
} vox_box;

static void cropped(const vox_box *box, vox_grid *g) {
    for (int a = 0; a < 3; a++) keep(g, a, box->begin[a], box->end[a] - box->begin[a]);
}

/* The grid behind a step. box: what crop_to_nonzero found; NULL: everything. */
static vox_status next_grid(const vox_prepare_step *s, const vox_box *box, vox_grid *g) {
    switch (s->kind) {
    case VOX_PREPARE_RESAMPLE_SHAPE:
    case VOX_PREPARE_RESAMPLE_SPACING:
        return resampled(s, g);
    case VOX_PREPARE_CROP_OR_PAD:
        cropped_or_padded(s, g);
        return VOX_OK;
    case VOX_PREPARE_CROP_NONZERO:
        if (box != NULL) cropped(box, g);
        return VOX_OK;
    default:
        return VOX_OK;
    }
}

static bool moves(vox_prepare_kind kind) {
    return kind == VOX_PREPARE_RESAMPLE_SHAPE || kind == VOX_PREPARE_RESAMPLE_SPACING ||
           kind == VOX_PREPARE_CROP_OR_PAD || kind == VOX_PREPARE_CROP_NONZERO;
}

/* What a first crop_to_nonzero drops is not loaded: this step does not go from buffer to buffer. */
static bool crops_while_loading(const vox_volume_info *info, int step) {
    return step == 0 && info->n_steps > 0 && info->steps[0].kind == VOX_PREPARE_CROP_NONZERO;
}

bool vox_preparation_resamples(vox_prepare_kind kind) {
    return kind == VOX_PREPARE_RESAMPLE_SHAPE || kind == VOX_PREPARE_RESAMPLE_SPACING;
}

static size_t voxels(const vox_grid *g) {
    return (size_t)g->dim[0] * (size_t)g->dim[1] * (size_t)g->dim[2];
}

static bool fits(const vox_grid *g, int channels) {
    const size_t most = SIZE_MAX / 64;
    size_t n = (size_t)channels;
    for (int a = 0; a < 3; a++) {
        if (g->dim[a] < 1 || n > most / (size_t)g->dim[a]) return false;
        n *= (size_t)g->dim[a];
    }
    return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t aligned(size_t bytes) {
    return (bytes + VOX_SEGMENT_ALIGN - 1) / VOX_SEGMENT_ALIGN * VOX_SEGMENT_ALIGN;
}

vox_resample vox_preparation_resampling(const vox_prepare_step *s, const vox_grid *from, const vox_grid *to) {
    vox_resample r;
    vox_resample_of(&r, &s->sampling, from->dim, from->spacing, to->dim, to->spacing);
    return r;
}

/* For the voxels that crop_to_nonzero may leave of `from`, too: axes of these may have to be interpolated where those of
 * all of them would be copied, or to be copied where those are smoothed before a reduction. */
static size_t resampling_bytes(const vox_prepare_step *s, const vox_grid *from, const vox_grid *to) {
    vox_resample r = vox_preparation_resampling(s, from, to);
    size_t bytes = vox_resample_bytes(&r);
    for (int a = 0; a < 3; a++) r.order[a] = vox_resample_order(&s->sampling, from->spacing, to->spacing, a);
    bytes = larger(bytes, vox_resample_bytes(&r));
    for (int a = 0; a < 3; a++) {
        r.order[a] = VOX_LINEAR;
        r.sigma[a] = 0;
    }
    return larger(bytes, vox_resample_bytes(&r));
}

/* Of a step between two grids. */
static size_t scratch_of(const vox_prepare_step *s, const vox_grid *from, const vox_grid *to) {
    switch (s->kind) {
    case VOX_PREPARE_RESAMPLE_SHAPE:
    case VOX_PREPARE_RESAMPLE_SPACING:
        return resampling_bytes(s, from, to);
    case VOX_PREPARE_SMOOTH:
        return vox_smooth_bytes(from->dim, s->value[0]);
    case VOX_PREPARE_CLIP_PERCENTILES:
        return VOX_PERCENTILES_BYTES;
    case VOX_PREPARE_CROP_NONZERO:
        return vox_mask_fill_bytes(from->dim);
    default:
        return 0;
    }
}

vox_status vox_preparation_plan(vox_preparation *p, const vox_volume_info *info, const vox_volume *volume) {
    *p = (vox_preparation){.info = info, .volume = volume};
    vox_status status = orient(p);
    if (status != VOX_OK) return status;
    vox_grid g = p->oriented;
    if (!fits(&g, volume->channels)) return VOX_E_SIZE;
    p->front = voxels(&g) * (size_t)volume->channels;
    bool at_back = false;
    for (int i = 0; i < info->n_steps; i++) {
        const vox_prepare_step *s = &info->steps[i];
        vox_grid from = g;
        status = next_grid(s, NULL, &g);
        if (status != VOX_OK) return status;
        if (!fits(&g, volume->channels)) return VOX_E_SIZE;
        p->scratch = larger(p->scratch, scratch_of(s, &from, &g));
        if (s->kind == VOX_PREPARE_CROP_NONZERO) p->mask = larger(p->mask, vox_mask_bytes(from.dim));
        if (!moves(s->kind) || crops_while_loading(info, i)) continue;
        at_back = !at_back;
        size_t floats = voxels(&g) * (size_t)volume->channels;
        if (at_back)
            p->back = larger(p->back, floats);
        else
            p->front = larger(p->front, floats);
    }
    p->front = larger(p->front, voxels(&g) * (size_t)volume->channels);
    p->prepared = g;
    return VOX_OK;
}

vox_status vox_preparation_grid(const vox_preparation *p, int steps, vox_grid *grid) {
    vox_status status = VOX_OK;
    *grid = p->oriented;
    for (int i = 0; i < steps && status == VOX_OK; i++) status = next_grid(&p->info->steps[i], NULL, grid);
    return status;
}

size_t vox_preparation_bytes(const vox_preparation *p) {
    return aligned(p->front * sizeof(float)) + aligned(p->back * sizeof(float)) + aligned(p->mask) +
           aligned(p->scratch);
}

/* ---- the steps ------------------------------------------------------------------------------- */

typedef struct run {
    vox_preparation *p;
    vox_segment_result *result;
    const vox_executor *e;
    float *now, *other; /* the volume, and where the next one goes */
    void *scratch, *mask_memory;
    vox_mask mask; /* of crop_to_nonzero, on the grid before it */
    int begin[3];  /* the mask's voxel that is the volume's first; crop_to_nonzero's begin */
    vox_grid grid;
    int channels;
} run;

static void swap(run *r) {
    float *now = r->now;
    r->now = r->other;
    r->other = now;
}

static float *channel_of(const run *r, float *x, int c) {
    return x + (size_t)c * voxels(&r->grid);
}

/* Where in the volume's own axes the first lost voxel lies. */
static size_t place_of(const vox_preparation *p, const int begin[3], const int dim[3], size_t at) {
    size_t ijk[3], n = 1, index = 0;
    for (int a = 0; a < 3; a++) {
        size_t along = at % (size_t)dim[a] + (size_t)begin[a];
        int source = p->axes.source[a];
        at /= (size_t)dim[a];
        ijk[source] = p->axes.reversed[a] ? (size_t)p->volume->dim[source] - 1 - along : along;
    }
    for (int i = 0; i < 3; i++) {
        index += n * ijk[i];
        n *= (size_t)p->volume->dim[i];
    }
    return index;
}

void vox_preparation_lost(const vox_preparation *p, const int begin[3], const int dim[3], const vox_losses *l,
                          int channel, vox_segment_result *to) {
    const size_t all = (size_t)p->volume->dim[0] * (size_t)p->volume->dim[1] * (size_t)p->volume->dim[2];
    const vox_lost *kinds[] = {&l->not_finite, &l->too_large, &l->too_small};
    const size_t before[] = {to->not_finite, to->too_large, to->too_small};
    for (int k = 0; k < 3 && before[k] == 0; k++) {
        if (kinds[k]->count == 0) continue;
        to->first_lost = place_of(p, begin, dim, kinds[k]->at) + all * (size_t)channel;
        break;
    }
    to->not_finite += l->not_finite.count;
    to->too_large += l->too_large.count;
    to->too_small += l->too_small.count;
}

static void find_box(run *r, const vox_volume *view, vox_box *box) {
    r->mask = vox_mask_in(r->mask_memory, r->grid.dim);
    vox_mask_nonzero(&r->mask, view, r->e);
    vox_mask_fill_holes(&r->mask, r->scratch);
    vox_mask_box(&r->mask, box->begin, box->end);
    memcpy(r->begin, box->begin, sizeof r->begin);
}

/* Into the front buffer. Returns the first step that is left. */
static int load(run *r) {
    const vox_preparation *p = r->p;
    int first = 0;
    vox_volume view = vox_view_axes(p->volume, p->axes.source, p->axes.reversed);
    r->grid = p->oriented;
    if (crops_while_loading(p->info, 0)) {
        vox_box box;
        find_box(r, &view, &box);
        view = vox_view_box(&view, box.begin, box.end);
        cropped(&box, &r->grid);
        first = 1;
    }
    for (int c = 0; c < r->channels; c++) {
        vox_losses lost;
        vox_volume_load(&view, c, channel_of(r, r->now, c), &lost, r->e);
        vox_preparation_lost(p, r->begin, r->grid.dim, &lost, c, r->result);
    }
    return first;
}

static void crop(run *r) {
    vox_volume view = vox_view_floats(r->now, r->grid.dim, r->channels);
    vox_box box;
    find_box(r, &view, &box);
    view = vox_view_box(&view, box.begin, box.end);
    cropped(&box, &r->grid);
    for (int c = 0; c < r->channels; c++) {
        vox_losses lost;
        vox_volume_load(&view, c, channel_of(r, r->other, c), &lost, r->e);
    }
    swap(r);
}

static vox_status move(run *r, const vox_prepare_step *s) {
    if (s->kind == VOX_PREPARE_CROP_NONZERO) {
        crop(r);
        return VOX_OK;
    }
    vox_grid to = r->grid;
    vox_status status = next_grid(s, NULL, &to);
    if (status != VOX_OK) return status;
    vox_resample resample = vox_preparation_resampling(s, &r->grid, &to);
    /* Where cropping changed a voxel's size by a second resampling, the plan did not foresee this one. */
    if (vox_preparation_resamples(s->kind) && vox_resample_bytes(&resample) > r->p->scratch)
        return VOX_E_SIZE;
    for (int c = 0; c < r->channels; c++) {
        const float *x = r->now + (size_t)c * voxels(&r->grid);
        float *y = r->other + (size_t)c * voxels(&to);
        if (vox_preparation_resamples(s->kind))
            vox_resample_volume(&resample, x, y, r->scratch, r->e);
        else
            vox_crop_or_pad(x, r->grid.dim, y, to.dim, r->e);
    }
    r->grid = to;
    swap(r);
    return VOX_OK;
}

static vox_status change(run *r, const vox_prepare_step *s, float *x) {
    size_t n = voxels(&r->grid);
    const double *v = s->value;
    switch (s->kind) {
    case VOX_PREPARE_SMOOTH:
        vox_smooth(x, r->grid.dim, v[0], r->scratch, r->e);
        return VOX_OK;
    case VOX_PREPARE_CLIP:
        vox_clip(x, n, v[0], v[1], r->e);
        return VOX_OK;
    case VOX_PREPARE_CLIP_PERCENTILES:
        vox_clip_percentiles(x, n, v, r->scratch, r->e);
        return VOX_OK;
    case VOX_PREPARE_DIVIDE_BY_MAXIMUM:
        return vox_divide_by_maximum(x, n, r->e);
    case VOX_PREPARE_MIN_MAX:
        return vox_min_max(x, n, s->floor, r->e);
    case VOX_PREPARE_Z_SCORE:
        return vox_z_score(x, n, s->floor, r->e);
    case VOX_PREPARE_Z_SCORE_ABOVE_MEAN:
        return vox_z_score_above_mean(x, n, s->floor, r->e);
    case VOX_PREPARE_Z_SCORE_NONZERO:
        return vox_z_score_nonzero(x, n, s->floor, VOX_REST_TOO, r->e);
    case VOX_PREPARE_Z_SCORE_INSIDE:
        return vox_z_score_inside(x, r->grid.dim, &r->mask, r->begin, s->floor, r->e);
    case VOX_PREPARE_CT:
        vox_ct(x, n, v, r->e);
        return VOX_OK;
    case VOX_PREPARE_SCALE:
        vox_scale(x, n, v[0], v[1], r->e);
        return VOX_OK;
    default:
        return VOX_E_ARGUMENT;
    }
}

static vox_status step(run *r, int i) {
    const vox_prepare_step *s = &r->p->info->steps[i];
    vox_status status = VOX_OK;
    if (moves(s->kind)) {
        status = move(r, s);
    } else {
        for (int c = 0; c < r->channels && status == VOX_OK; c++) {
            if (s->channel >= 0 && s->channel != c) continue;
            status = change(r, s, channel_of(r, r->now, c));
            if (status != VOX_OK) r->result->channel = c;
        }
    }
    if (status != VOX_OK) r->result->step = i;
    return status;
}

vox_status vox_preparation_run(vox_preparation *p, void *arena, vox_segment_result *result,
                               const vox_executor *e) {
    char *front = arena, *back = front + aligned(p->front * sizeof(float));
    char *mask = back + aligned(p->back * sizeof(float));
    run r = {.p = p,
             .result = result,
             .e = e,
             .now = (float *)(void *)front,
             .other = (float *)(void *)back,
             .mask_memory = mask,
             .scratch = mask + aligned(p->mask),
             .channels = p->volume->channels};
    result->step = -1;
    int i = load(&r);
    if (result->not_finite + result->too_large > 0) return VOX_E_VOXELS;
    for (; i < p->info->n_steps; i++) {
        vox_status status = step(&r, i);
        if (status != VOX_OK) return status;
    }
    if ((char *)r.now != front) memmove(front, r.now, voxels(&r.grid) * (size_t)r.channels * sizeof(float));
    p->prepared = r.grid;
    return VOX_OK;
}
