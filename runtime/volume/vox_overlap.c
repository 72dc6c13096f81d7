/* SPDX-License-Identifier: MIT-0 */
/* vox_overlap.c: see vox_overlap.h. Both volumes are read once, run by run: what a run of equal pairs of
 * labels adds is added at once. */
#include "vox_overlap.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "vox_parallel.h"

/* As many parts of the volume are counted by themselves, whatever the number of threads. */
enum { PARTS = 16, ALIGN = 64 };

typedef struct row {
    size_t voxels, reference, both;
    int low[3], high[3];
} row;

typedef struct counting {
    const vox_label_pair *p;
    const uint16_t *row_of; /* [VOX_LABELS]: a label's row; rows - 1: the label is not asked for */
    row *rows;              /* [PARTS][n_rows] */
    size_t n_rows;
} counting;

/* A row for each label and one for all others; with all of them there are no others. */
static size_t rows_of(int n) {
    return n < VOX_LABELS ? (size_t)n + 1 : (size_t)n;
}

size_t vox_overlap_bytes(int n) {
    if (n < 1 || n > VOX_LABELS) return 0;
    return VOX_LABELS * sizeof(uint16_t) + PARTS * rows_of(n) * sizeof(row);
}

static row empty_row(void) {
    return (row){.low = {INT_MAX, INT_MAX, INT_MAX}, .high = {-1, -1, -1}};
}

static void widen(row *r, const int low[3], const int high[3]) {
    for (int k = 0; k < 3; k++) {
        if (low[k] < r->low[k]) r->low[k] = low[k];
        if (high[k] > r->high[k]) r->high[k] = high[k];
    }
}

static void count_line(const counting *c, row *rows, int y, int z) {
    const int nx = c->p->dim[0];
    const size_t at = ((size_t)z * (size_t)c->p->dim[1] + (size_t)y) * (size_t)nx;
    const uint16_t *a = c->p->labels + at, *b = c->p->reference + at;
    for (int x = 0; x < nx;) {
        const int first = x;
        const uint16_t ours = a[x], theirs = b[x];
        do x++;
        while (x < nx && a[x] == ours && b[x] == theirs);
        const size_t n = (size_t)(x - first);
        const int low[3] = {first, y, z}, high[3] = {x - 1, y, z};
        row *r = &rows[c->row_of[ours]];
        r->voxels += n;
        widen(r, low, high);
        if (ours == theirs) r->both += n;
        r = &rows[c->row_of[theirs]];
        r->reference += n;
        widen(r, low, high);
    }
}

static void count_part(void *argument, int part) {
    const counting *c = argument;
    row *rows = c->rows + (size_t)part * c->n_rows;
    for (size_t i = 0; i < c->n_rows; i++) rows[i] = empty_row();
    const int nz = c->p->dim[2];
    const int z0 = (int)((int64_t)nz * part / PARTS), z1 = (int)((int64_t)nz * (part + 1) / PARTS);
    for (int z = z0; z < z1; z++)
        for (int y = 0; y < c->p->dim[1]; y++) count_line(c, rows, y, z);
}

static void score(const vox_label_pair *p, vox_overlap *o) {
    const double a = (double)o->voxels, b = (double)o->reference, both = (double)o->both;
    const double millilitres = p->spacing[0] * p->spacing[1] * p->spacing[2] / 1000;
    const int any = a + b > 0;
    o->dice = any ? 2 * both / (a + b) : NAN;
    o->iou = any ? both / (a + b - both) : NAN;
    o->volume = a * millilitres;
    o->reference_volume = b * millilitres;
    o->difference = (a - b) * millilitres;
    o->relative_difference = !any ? NAN : b > 0 ? (a - b) / b : INFINITY;
}

static int valid(const vox_label_pair *p, const vox_overlap *overlaps, int n) {
    if (p == NULL || overlaps == NULL || p->labels == NULL || p->reference == NULL) return 0;
    for (int k = 0; k < 3; k++)
        if (p->dim[k] < 1 || !(p->spacing[k] > 0 && p->spacing[k] < INFINITY)) return 0;
    for (int i = 0; i < n; i++) {
        const int label = overlaps[i].label;
        if (label < 0 || label >= VOX_LABELS || (i > 0 && label <= overlaps[i - 1].label)) return 0;
    }
    return n >= 1 && n <= VOX_LABELS;
}

vox_status vox_overlap_count(const vox_label_pair *p, vox_overlap *overlaps, int n, void *scratch,
                             size_t bytes, const vox_executor *e) {
    if (!valid(p, overlaps, n) || scratch == NULL) return VOX_E_ARGUMENT;
    if (bytes < vox_overlap_bytes(n)) return VOX_E_ARENA_SIZE;
    if ((uintptr_t)scratch % ALIGN != 0) return VOX_E_ARENA_ALIGN;
    uint16_t *row_of = scratch;
    counting c = {.p = p, .row_of = row_of, .rows = (row *)(row_of + VOX_LABELS), .n_rows = rows_of(n)};
    for (int label = 0; label < VOX_LABELS; label++) row_of[label] = (uint16_t)(c.n_rows - 1);
    for (int i = 0; i < n; i++) row_of[overlaps[i].label] = (uint16_t)i;
    vox_parallel(e, PARTS, count_part, &c);
    for (int i = 0; i < n; i++) {
        row sum = empty_row();
        for (size_t part = 0; part < PARTS; part++) {
            const row *r = &c.rows[part * c.n_rows + (size_t)i];
            sum.voxels += r->voxels;
            sum.reference += r->reference;
            sum.both += r->both;
            widen(&sum, r->low, r->high);
        }
        vox_overlap *o = &overlaps[i];
        o->voxels = sum.voxels, o->reference = sum.reference, o->both = sum.both;
        memcpy(o->low, sum.low, sizeof sum.low);
        memcpy(o->high, sum.high, sizeof sum.high);
        score(p, o);
    }
    return VOX_OK;
}
