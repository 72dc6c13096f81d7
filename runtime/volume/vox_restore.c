/* SPDX-License-Identifier: MIT-0 */
/* vox_restore.c: see vox_restore.h. */
#include "vox_restore.h"

#include "vox_half.h"
#include "vox_parallel.h"

/* What one chunk works with. */
typedef struct lane {
    float *row[4];  /* converted rows of the four source rows */
    float *mixed;   /* their mean at the voxels' d and h */
    uint16_t *sure; /* the class that they are sure of */
    float *score;   /* of one class along the row */
    float *best;    /* the largest score so far */
    float *label;   /* and whose it is: exact in a float up to 2^24 */
} lane;

enum { SOURCE_ROWS = 6, RESULT_ROWS = 3, FLAGS = 16 };

static size_t lane_floats(int row, int to) {
    size_t n = SOURCE_ROWS * (size_t)row + RESULT_ROWS * (size_t)to;
    return (n + FLAGS - 1) / FLAGS * FLAGS;
}

size_t vox_restore_floats(int row, int to) {
    return VOX_RESTORE_CHUNKS * lane_floats(row, to);
}

static lane lane_of(const vox_restore *r, int chunk) {
    int row = r->scores->tiles->axis[2].volume, to = r->dim[2];
    float *at = r->scratch + (size_t)chunk * lane_floats(row, to);
    lane l;
    for (int i = 0; i < 4; i++, at += row) l.row[i] = at;
    l.mixed = at;
    l.sure = (uint16_t *)(void *)(at + row);
    l.score = at + 2 * row;
    l.best = l.score + to;
    l.label = l.best + to;
    return l;
}

int vox_restore_needs(const vox_restore *r, int d) {
    const vox_tap *t = &r->tap[0][d];
    return t->inside ? t->second + 1 : 0;
}

/* ---- one class along a row ------------------------------------------------------------------- */

static void mix(float *to, const float *a, const float *b, float weight, const vox_range *part) {
    for (int i = part->begin; i < part->end; i++) to[i] = (1 - weight) * a[i] + weight * b[i];
}

/* A part of a row of voxels: of those at d and h, first <= w < end, and the prepared voxels that they lie between. */
typedef struct part {
    const vox_tap *d, *h;
    int first, end;
    vox_range source;
} part;

static part part_of(const vox_restore *r, const part *row, int first, int end) {
    const vox_tap *w = r->tap[2];
    return (part){row->d, row->h, first, end, {w[first].first, w[end - 1].second + 1}};
}

/* The class's scores at the d and h of the part, along the prepared grid's W. */
static const float *mixed_row(const vox_restore *r, const lane *l, int class, const part *p) {
    const vox_blend *s = r->scores;
    const vox_range *n = &p->source;
    const vox_tap *d = p->d, *h = p->h;
    const float *near = vox_blend_row(s, class, d->first, h->first, n, l->row[0]);
    float wd = (float)d->weight, wh = (float)h->weight;
    if (wh > 0) {
        mix(l->mixed, near, vox_blend_row(s, class, d->first, h->second, n, l->row[1]), wh, n);
        near = l->mixed;
    }
    if (!(wd > 0)) return near;
    const float *far = vox_blend_row(s, class, d->second, h->first, n, l->row[2]);
    if (wh > 0) {
        mix(l->row[2], far, vox_blend_row(s, class, d->second, h->second, n, l->row[3]), wh, n);
        far = l->row[2];
    }
    mix(l->mixed, near, far, wd, n);
    return l->mixed;
}

/* Voxels first <= w < end lie inside. With half they are rounded as nnU-Net's resampled logits are. */
static void scores_along(const vox_restore *r, const lane *l, const float *from, int first, int end) {
    const vox_tap *tap = r->tap[2];
    for (int w = first; w < end; w++) {
        float weight = (float)tap[w].weight;
        l->score[w] = (1 - weight) * from[tap[w].first] + weight * from[tap[w].second];
    }
    if (r->scores->half) {
        for (int w = first; w < end; w++) l->score[w] = vox_from_half(vox_to_half(l->score[w]));
    }
}

static void inside(const vox_restore *r, int *first, int *end) {
    *first = 0;
    *end = r->dim[2];
    while (*first < *end && !r->tap[2][*first].inside) ++*first;
    while (*end > *first && !r->tap[2][*end - 1].inside) --*end;
}

const float *vox_restore_scores(const vox_restore *r, int class, int d, int h) {
    lane l = lane_of(r, 0);
    int first = 0, end = 0;
    const vox_tap *td = &r->tap[0][d], *th = &r->tap[1][h];
    for (int w = 0; w < r->dim[2]; w++) l.score[w] = 0;
    if (!td->inside || !th->inside) return l.score;
    inside(r, &first, &end);
    if (first == end) return l.score;
    part p = part_of(r, &(part){.d = td, .h = th}, first, end);
    scores_along(r, &l, mixed_row(r, &l, class, &p), first, end);
    return l.score;
}

/* ---- labels ---------------------------------------------------------------------------------- */

static void take_largest(const lane *l, int class, int first, int end) {
    for (int w = first; w < end; w++) {
        bool more = class == 0 || l->score[w] > l->best[w];
        l->best[w] = more ? l->score[w] : l->best[w];
        l->label[w] = more ? (float)class : l->label[w];
    }
}

static void take_above(const lane *l, float level, float label, int first, int end) {
    for (int w = first; w < end; w++) l->label[w] = l->score[w] > level ? label : l->label[w];
}

/* Nonzero where one is NaN or infinite. */
static int any_not_finite(const float *x, int first, int end) {
    int bad = 0;
    for (int w = first; w < end; w++) bad |= !(x[w] - x[w] == 0);
    return bad;
}

static int label_part(const vox_restore *r, const lane *l, const part *p) {
    int bad = 0, first = p->first, end = p->end;
    for (int c = 0; c < r->scores->classes; c++) {
        scores_along(r, l, mixed_row(r, l, c, p), first, end);
        bad |= any_not_finite(l->score, first, end);
        if (r->are_labels) {
            for (int w = first; w < end; w++) l->label[w] = l->score[w];
        } else if (r->info->rule == VOX_ARGMAX) {
            take_largest(l, c, first, end);
        } else {
            take_above(l, (float)r->level, r->info->rule == VOX_REGIONS ? (float)r->info->region_label[c] : 1,
                       first, end);
        }
    }
    return bad;
}

/* What all four source rows are sure of. */
static void sure_row(const vox_restore *r, const part *p, uint16_t *sure) {
    const vox_blend *s = r->scores;
    const uint16_t *row[4] = {
        vox_blend_sure_row(s, p->d->first, p->h->first), vox_blend_sure_row(s, p->d->first, p->h->second),
        vox_blend_sure_row(s, p->d->second, p->h->first), vox_blend_sure_row(s, p->d->second, p->h->second)};
    for (int i = p->source.begin; i < p->source.end; i++) {
        uint16_t c = row[0][i];
        sure[i] = c == row[1][i] && c == row[2][i] && c == row[3][i] ? c : 0;
    }
}

/* Scores are interpolated only where the sources are not sure. */
static int label_row(const vox_restore *r, const lane *l, const part *row) {
    const vox_tap *tap = r->tap[2];
    const uint16_t *sure = l->sure;
    int bad = 0, begin = row->first;
    if (r->scores->sure == NULL) return label_part(r, l, row);
    sure_row(r, row, l->sure);
    for (int w = row->first; w <= row->end; w++) {
        uint16_t c = w < row->end ? sure[tap[w].first] : 1;
        if (w < row->end && (c == 0 || c != sure[tap[w].second])) continue;
        if (begin < w) {
            part p = part_of(r, row, begin, w);
            bad |= label_part(r, l, &p);
        }
        if (w < row->end) l->label[w] = (float)(c - 1);
        begin = w + 1;
    }
    return bad;
}

/* Nonzero where one does not fit. */
static int put_row(const vox_restore *r, const float *label, int d, int h) {
    char *to = r->labels + d * r->stride[0] + h * r->stride[1];
    float most = r->type == VOX_VOXEL_U8 ? 255 : 65535;
    int bad = 0;
    for (int w = 0; w < r->dim[2]; w++, to += r->stride[2]) {
        bool fits = label[w] >= 0 && label[w] <= most;
        bad |= !fits;
        unsigned value = fits ? (unsigned)label[w] : 0;
        if (r->type == VOX_VOXEL_U8)
            *(unsigned char *)to = (unsigned char)value;
        else
            *(uint16_t *)(void *)to = (uint16_t)value;
    }
    return bad;
}

typedef struct plane_task {
    const vox_restore *r;
    int d;
    unsigned char not_finite[VOX_RESTORE_CHUNKS], too_large[VOX_RESTORE_CHUNKS];
} plane_task;

static void label_chunk(void *argument, int chunk) {
    plane_task *t = argument;
    const vox_restore *r = t->r;
    lane l = lane_of(r, chunk);
    const vox_tap *d = &r->tap[0][t->d];
    int first, end, rows = r->dim[1];
    inside(r, &first, &end);
    bool some = d->inside && first < end;
    for (int h = (int)((long long)rows * chunk / VOX_RESTORE_CHUNKS);
         h < (int)((long long)rows * (chunk + 1) / VOX_RESTORE_CHUNKS); h++) {
        for (int w = 0; w < r->dim[2]; w++) l.label[w] = 0;
        if (some && r->tap[1][h].inside) {
            part row = part_of(r, &(part){.d = d, .h = &r->tap[1][h]}, first, end);
            if (label_row(r, &l, &row) != 0) t->not_finite[chunk] = 1;
        }
        if (put_row(r, l.label, t->d, h)) t->too_large[chunk] = 1;
    }
}

void vox_restore_plane(vox_restore *r, int d, const vox_executor *e) {
    plane_task t = {.r = r, .d = d};
    vox_parallel(e, VOX_RESTORE_CHUNKS, label_chunk, &t);
    for (int i = 0; i < VOX_RESTORE_CHUNKS; i++) {
        r->not_finite |= t.not_finite[i];
        r->too_large |= t.too_large[i];
    }
}
