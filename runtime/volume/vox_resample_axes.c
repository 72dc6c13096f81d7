/* SPDX-License-Identifier: MIT-0 */
/* vox_resample_axes.c: see vox_resample_axes.h.
 *
 * The axes of the old planes go first (without `last`, if that is one of them), plane by plane, into `mid`; then z,
 * in blocks of columns and in place; then `last`, if it is not z, plane by plane. Each pass rounds to float32 once.
 */
#include "vox_resample_axes.h"

#include <math.h>
#include <stdbool.h>

#include "vox_lines.h"
#include "vox_parallel.h"

enum { TASKS = 16, ALIGN = 64, LANES = 16 };

typedef struct axes_job {
    const vox_resample *r;
    const float *in;
    float *out, *mid;
    int row, rows; /* of a plane of mid */
    vox_axis axis[3];
    int n_bounds;
    float *low, *high; /* [n_bounds] of the input, of a task each until they are joined */
    char *task_memory; /* a block, and an old plane with new rows */
    size_t task_bytes, block_bytes;
} axes_job;

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t aligned(size_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static int bounds_of(const vox_resample *r) {
    return r->limit == VOX_LIMIT_SLICE ? r->from[r->last] : r->limit == VOX_LIMIT_VOLUME;
}

static size_t mid_bytes(const vox_resample *r) {
    int depth = r->from[2] > r->to[2] ? r->from[2] : r->to[2];
    if (r->last == 2 && r->to[2] >= r->from[2]) return 0; /* mid is out */
    size_t row = (size_t)(r->last == 0 ? r->from[0] : r->to[0]);
    size_t rows = (size_t)(r->last == 1 ? r->from[1] : r->to[1]);
    return aligned(row * rows * (size_t)depth * sizeof(float));
}

static size_t largest_block(const vox_resample *r) {
    size_t largest = 0;
    for (int k = 0; k < 3; k++) {
        size_t bytes = aligned(vox_block_bytes(r, k));
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

static size_t task_bytes(const vox_resample *r) {
    size_t plane = r->last == 2 ? (size_t)r->to[0] * (size_t)r->from[1] : 0;
    return largest_block(r) + aligned(plane * sizeof(float));
}

size_t vox_resample_axes_bytes(const vox_resample *r) {
    size_t bytes = TASKS * task_bytes(r) + mid_bytes(r);
    for (int k = 0; k < 3; k++) bytes += aligned(vox_axis_bytes(r, k));
    return bytes + 2 * aligned(TASKS * sizeof(float) * (size_t)bounds_of(r));
}

/* Where the part of n planes begins that a task has. */
static int part_of(int n, int task) {
    return (int)vox_part((size_t)n, TASKS, task);
}

static void *take(char **at, size_t bytes) {
    void *p = *at;
    *at += aligned(bytes);
    return p;
}

/* ---- the input's range ----------------------------------------------------------------------- */

static void widen(float *low, float *high, float by_low, float by_high) {
    *low = by_low < *low ? by_low : *low;
    *high = by_high > *high ? by_high : *high;
}

static void widen_each(float *restrict low, float *restrict high, const float *restrict x, int n) {
    for (int i = 0; i < n; i++) low[i] = x[i] < low[i] ? x[i] : low[i];
    for (int i = 0; i < n; i++) high[i] = x[i] > high[i] ? x[i] : high[i];
}

static void widen_by_row(float *low, float *high, const float *x, int n) {
    float l[LANES], h[LANES];
    int i = 0;
    for (int k = 0; k < LANES; k++) l[k] = h[k] = x[0];
    for (; i + LANES <= n; i += LANES) widen_each(l, h, x + i, LANES);
    for (int k = 0; k < LANES; k++) widen(low, high, l[k], h[k]);
    for (; i < n; i++) widen(low, high, x[i], x[i]);
}

static void bounds_task(void *argument, int task) {
    const axes_job *j = argument;
    const vox_resample *r = j->r;
    size_t n = (size_t)j->n_bounds;
    float *low = j->low + (size_t)task * n, *high = j->high + (size_t)task * n;
    for (size_t i = 0; i < n; i++) low[i] = INFINITY;
    for (size_t i = 0; i < n; i++) high[i] = -INFINITY;
    int end = part_of(r->from[2], task + 1);
    for (int z = part_of(r->from[2], task); z < end; z++) {
        for (int y = 0; y < r->from[1]; y++) {
            const float *row = j->in + ((size_t)z * (size_t)r->from[1] + (size_t)y) * (size_t)r->from[0];
            int at = r->limit == VOX_LIMIT_VOLUME ? 0 : r->last == 1 ? y : z;
            if (r->limit == VOX_LIMIT_SLICE && r->last == 0) {
                widen_each(low, high, row, r->from[0]);
            } else {
                widen_by_row(&low[at], &high[at], row, r->from[0]);
            }
        }
    }
}

static void find_bounds(axes_job *j, const vox_executor *e) {
    if (j->n_bounds == 0) return;
    vox_parallel(e, TASKS, bounds_task, j);
    for (int task = 1; task < TASKS; task++) {
        for (int i = 0; i < j->n_bounds; i++) {
            int other = task * j->n_bounds + i;
            widen(&j->low[i], &j->high[i], j->low[other], j->high[other]);
        }
    }
}

/* ---- passes ---------------------------------------------------------------------------------- */

typedef struct bounds {
    float low[VOX_LINES], high[VOX_LINES];
} bounds;

/* The same for all lines. */
static void set_bounds(const axes_job *j, int at, bounds *b) {
    for (int k = 0; k < VOX_LINES; k++) {
        b->low[k] = j->low[at];
        b->high[k] = j->high[at];
    }
}

/* Along x or y of a plane of `rows` rows of `row` numbers; b: what it is limited to, or NULL. */
typedef struct plane {
    const float *in;
    int row, rows;
    float *out;
    const bounds *b;
} plane;
static void plane_pass(const axes_job *j, int axis, const plane *p, double *block) {
    vox_lines l = {.low = p->b != NULL ? p->b->low : NULL, .high = p->b != NULL ? p->b->high : NULL};
    int lines = axis == 0 ? p->rows : p->row;
    if (axis == 0) {
        l.from = (vox_line_place){1, (size_t)p->row};
        l.to = (vox_line_place){1, (size_t)j->r->to[0]};
    } else {
        l.from = l.to = (vox_line_place){(size_t)p->row, 1};
    }
    for (int i = 0; i < lines; i += VOX_LINES) {
        l.n = lines - i < VOX_LINES ? lines - i : VOX_LINES;
        l.in = p->in + (size_t)i * l.from.line;
        l.out = p->out + (size_t)i * l.to.line;
        vox_lines_run(&j->axis[axis], &l, block);
    }
}

static void first_task(void *argument, int task) {
    const axes_job *j = argument;
    const vox_resample *r = j->r;
    double *block = (double *)(j->task_memory + (size_t)task * j->task_bytes);
    float *between = (float *)((char *)block + j->block_bytes);
    size_t old = (size_t)r->from[0] * (size_t)r->from[1], mid = (size_t)j->row * (size_t)j->rows;
    int end = part_of(r->from[2], task + 1);
    for (int z = part_of(r->from[2], task); z < end; z++) {
        bounds b;
        bool limited = r->limit == VOX_LIMIT_SLICE && r->last == 2;
        plane p = {j->in + (size_t)z * old, r->from[0], r->from[1], j->mid + (size_t)z * mid, NULL};
        if (limited) set_bounds(j, z, &b);
        if (r->last == 2) {
            plane_pass(j, 0, &(plane){p.in, p.row, p.rows, between, NULL}, block);
            plane_pass(j, 1, &(plane){between, r->to[0], p.rows, p.out, limited ? &b : NULL}, block);
        } else {
            plane_pass(j, 1 - r->last, &p, block);
        }
    }
}

/* Columns begin to begin + VOX_LINES - 1 of mid, before its slices along x or y are mixed, or at the end. */
static bool column_bounds(const axes_job *j, size_t begin, bounds *b) {
    const vox_resample *r = j->r;
    if (r->limit == VOX_LIMIT_VOLUME && r->last == 2) set_bounds(j, 0, b);
    if (r->limit != VOX_LIMIT_SLICE || r->last == 2) return r->limit == VOX_LIMIT_VOLUME && r->last == 2;
    for (size_t k = 0; k < VOX_LINES; k++) {
        size_t row = (size_t)j->row, at = r->last == 0 ? (begin + k) % row : (begin + k) / row;
        size_t slice = at < (size_t)j->n_bounds ? at : 0; /* columns behind the last one are of no account */
        b->low[k] = j->low[slice];
        b->high[k] = j->high[slice];
    }
    return true;
}

static void column_task(void *argument, int task) {
    const axes_job *j = argument;
    double *block = (double *)(j->task_memory + (size_t)task * j->task_bytes);
    size_t columns = (size_t)j->row * (size_t)j->rows, blocks = (columns + VOX_LINES - 1) / VOX_LINES;
    float *out = j->r->last == 2 ? j->out : j->mid;
    vox_line_place place = {columns, 1};
    for (size_t i = vox_part(blocks, TASKS, task); i < vox_part(blocks, TASKS, task + 1); i++) {
        size_t begin = i * VOX_LINES, left = columns - begin;
        bounds b;
        bool limited = column_bounds(j, begin, &b);
        vox_lines l = {.in = j->mid + begin,
                       .out = out + begin,
                       .from = place,
                       .to = place,
                       .low = limited ? b.low : NULL,
                       .high = limited ? b.high : NULL,
                       .n = left < VOX_LINES ? (int)left : VOX_LINES};
        vox_lines_run(&j->axis[2], &l, block);
    }
}

static void last_task(void *argument, int task) {
    const axes_job *j = argument;
    const vox_resample *r = j->r;
    double *block = (double *)(j->task_memory + (size_t)task * j->task_bytes);
    size_t new = (size_t)r->to[0] * (size_t)r->to[1], mid = (size_t)j->row *(size_t)j->rows;
    bounds b;
    bool limited = r->limit == VOX_LIMIT_VOLUME;
    if (limited) set_bounds(j, 0, &b);
    int end = part_of(r->to[2], task + 1);
    for (int z = part_of(r->to[2], task); z < end; z++) {
        plane p = {j->mid + (size_t)z * mid, j->row, j->rows, j->out + (size_t)z * new, limited ? &b : NULL};
        plane_pass(j, r->last, &p, block);
    }
}

void vox_resample_axes(const vox_resample *r, const float *in, float *out, void *scratch,
                       const vox_executor *e) {
    char *at = scratch;
    axes_job j = {.r = r, .in = in, .out = out, .mid = out, .n_bounds = bounds_of(r)};
    j.row = r->last == 0 ? r->from[0] : r->to[0];
    j.rows = r->last == 1 ? r->from[1] : r->to[1];
    j.block_bytes = largest_block(r);
    j.task_bytes = task_bytes(r);
    j.task_memory = take(&at, TASKS * j.task_bytes);
    for (int k = 0; k < 3; k++) j.axis[k] = vox_axis_of(r, k, take(&at, vox_axis_bytes(r, k)));
    j.low = take(&at, TASKS * sizeof(float) * (size_t)j.n_bounds);
    j.high = take(&at, TASKS * sizeof(float) * (size_t)j.n_bounds);
    if (mid_bytes(r) > 0) j.mid = take(&at, mid_bytes(r));
    find_bounds(&j, e);
    vox_parallel(e, TASKS, first_task, &j);
    vox_parallel(e, TASKS, column_task, &j);
    if (r->last != 2) vox_parallel(e, TASKS, last_task, &j);
}
