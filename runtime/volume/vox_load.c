/* SPDX-License-Identifier: MIT-0 */
/* vox_load.c: see vox_load.h.
 *
 * A channel is read in tiles of x and one other axis: y, or z where the caller's voxels are nearest to each other
 * along z. Where they are nearest along x, a tile's rows are read as they are; otherwise columns are read, and
 * transposed in the first-level cache.
 */
#include "vox_load.h"

#include <math.h>
#include <string.h>
#include "vox_parallel.h"

enum {
    TASKS = 64,
    TILE = 4096,       /* voxels */
    LONG = 1024,       /* along x, where rows are read */
    SQUARE = 64,       /* along both axes, where columns are */
    LARGEST_VOXEL = 8, /* bytes */
    LINE = 64,         /* bytes of a cache line */
    AHEAD = 8,         /* columns */
};

size_t vox_voxel_bytes(vox_voxel_type type) {
    static const size_t bytes[VOX_VOXEL_TYPES] = {1, 1, 2, 2, 4, 4, 4, 8};
    return bytes[type];
}

/* ---- views ----------------------------------------------------------------------------------- */

static const char *moved(const void *data, ptrdiff_t bytes) {
    return data != NULL ? (const char *)data + bytes : NULL;
}

vox_volume vox_view_axes(const vox_volume *v, const int source[3], const bool reversed[3]) {
    vox_volume view = *v;
    for (int a = 0; a < 3; a++) {
        int s = source[a];
        view.dim[a] = v->dim[s];
        view.spacing[a] = v->spacing[s];
        view.stride[a] = reversed[a] ? -v->stride[s] : v->stride[s];
        for (int w = 0; w < 3; w++)
            view.direction[w][a] = reversed[a] ? -v->direction[w][s] : v->direction[w][s];
        if (reversed[a]) view.data = moved(view.data, (v->dim[s] - 1) * v->stride[s]);
    }
    return view;
}

vox_volume vox_view_box(const vox_volume *v, const int begin[3], const int end[3]) {
    vox_volume view = *v;
    for (int a = 0; a < 3; a++) {
        view.dim[a] = end[a] - begin[a];
        view.data = moved(view.data, begin[a] * v->stride[a]);
    }
    return view;
}

vox_volume vox_view_floats(const float *x, const int dim[3], int channels) {
    const ptrdiff_t row = dim[0] * (ptrdiff_t)sizeof *x, plane = row * dim[1];
    return (vox_volume){.data = x,
                        .type = VOX_VOXEL_F32,
                        .channels = channels,
                        .dim = {dim[0], dim[1], dim[2]},
                        .stride = {(ptrdiff_t)sizeof *x, row, plane},
                        .channel = plane * dim[2],
                        .slope = 1};
}

/* ---- a line of voxels ------------------------------------------------------------------------ */

static void note(vox_lost *lost, size_t at, double value) {
    if (lost->count++ > 0 && at > lost->at) return;
    lost->at = at;
    lost->value = value;
}

/* Voxel i of a line is number at + i * step in [z][y][x]. */
typedef struct line {
    const char *from;
    ptrdiff_t stride;
    int n; /* at most LONG */
    size_t at, step;
} line;

/* Where to[] is not value[], or not finite. */
static void drop_lost(const line *l, const double *value, float *to, vox_losses *lost) {
    for (int i = 0; i < l->n; i++) {
        const double v = value != NULL ? value[i] : (double)to[i];
        const size_t at = l->at + (size_t)i * l->step;
        if (isfinite(to[i]) && (to[i] != 0 || v == 0)) continue;
        if (!isfinite(v)) {
            note(&lost->not_finite, at, v);
        } else if (to[i] == 0) {
            note(&lost->too_small, at, v);
        } else {
            note(&lost->too_large, at, v);
        }
        to[i] = 0;
    }
}

/* What follows is one loop for each type, over voxels that lie side by side. memcpy: a line that was gathered
 * has no type of its own. */
#define VOXELS_AS(type, to, value)                                                                           \
    for (int i = 0; i < n; i++) {                                                                            \
        type stored;                                                                                         \
        memcpy(&stored, from + (size_t)i * sizeof stored, sizeof stored);                                    \
        (to)[i] = (value);                                                                                   \
    }                                                                                                        \
    break

static void as_float(vox_voxel_type type, const char *from, int n, float *to) {
    switch (type) {
    case VOX_VOXEL_U8:
        VOXELS_AS(uint8_t, to, (float)stored);
    case VOX_VOXEL_I8:
        VOXELS_AS(int8_t, to, (float)stored);
    case VOX_VOXEL_U16:
        VOXELS_AS(uint16_t, to, (float)stored);
    case VOX_VOXEL_I16:
        VOXELS_AS(int16_t, to, (float)stored);
    case VOX_VOXEL_U32:
        VOXELS_AS(uint32_t, to, (float)stored);
    case VOX_VOXEL_I32:
        VOXELS_AS(int32_t, to, (float)stored);
    default:
        memcpy(to, from, (size_t)n * sizeof *to);
    }
}

static void as_double(vox_voxel_type type, const char *from, int n, double *to) {
    switch (type) {
    case VOX_VOXEL_U8:
        VOXELS_AS(uint8_t, to, (double)stored);
    case VOX_VOXEL_I8:
        VOXELS_AS(int8_t, to, (double)stored);
    case VOX_VOXEL_U16:
        VOXELS_AS(uint16_t, to, (double)stored);
    case VOX_VOXEL_I16:
        VOXELS_AS(int16_t, to, (double)stored);
    case VOX_VOXEL_U32:
        VOXELS_AS(uint32_t, to, (double)stored);
    case VOX_VOXEL_I32:
        VOXELS_AS(int32_t, to, (double)stored);
    case VOX_VOXEL_F32:
        VOXELS_AS(float, to, (double)stored);
    default:
        memcpy(to, from, (size_t)n * sizeof *to);
    }
}

/* Of a constant size, so that no call is made. */
#define GATHERED(bytes)                                                                                      \
    for (int i = 0; i < l->n; i++) memcpy(to + (bytes) * (size_t)i, l->from + i * l->stride, bytes);         \
    break

static void gather(const line *l, size_t bytes, char *to) {
    switch (bytes) {
    case 1:
        GATHERED(1);
    case 2:
        GATHERED(2);
    case 4:
        GATHERED(4);
    default:
        GATHERED(8);
    }
}

/* The bits of a float32 that is NaN or infinite, without its sign, are above those of the others; compared as
 * whole numbers, since compilers keep comparisons of floats out of vectors. */
static bool any_not_finite(const float *x, int n) {
    int any = 0;
    for (int i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        any |= (bits & INT32_MAX) > 0x7f7fffff;
    }
    return any != 0;
}

static void load_line(const vox_volume *v, const line *l, float *to, vox_losses *lost) {
    const size_t bytes = vox_voxel_bytes(v->type);
    const char *from = l->from;
    char gathered[LONG * LARGEST_VOXEL];
    double value[LONG];
    const int n = l->n;
    if (l->stride != (ptrdiff_t)bytes) {
        gather(l, bytes, gathered);
        from = gathered;
    }
    if (v->slope == 1 && v->intercept == 0 && v->type != VOX_VOXEL_F64) {
        as_float(v->type, from, n, to);
        if (v->type != VOX_VOXEL_F32) return; /* every integer is within float32 */
        if (any_not_finite(to, n)) drop_lost(l, NULL, to, lost);
        return;
    }
    as_double(v->type, from, n, value);
    int vanished = 0;
    for (int i = 0; i < n; i++) {
        value[i] = v->slope * value[i] + v->intercept;
        to[i] = (float)value[i];
        vanished |= (to[i] == 0) & (value[i] != 0);
    }
    if (vanished || any_not_finite(to, n)) drop_lost(l, value, to, lost);
}

/* ---- tiles ----------------------------------------------------------------------------------- */

typedef struct job {
    const vox_volume *v;
    const char *data;   /* of the channel */
    int across, behind; /* axes y and z: the one that tiles have besides x, and the other */
    bool columns;
    int width, height; /* of a tile */
    float *out;        /* NULL: rows are handed on */
    vox_rows_fn *rows;
    void *argument;
    vox_losses *lost; /* [TASKS] */
} job;

typedef struct tile {
    int at[3], nx, n; /* its first voxel; voxels along x and across */
} tile;

static size_t magnitude(ptrdiff_t stride) {
    return stride < 0 ? 0 - (size_t)stride : (size_t)stride;
}

static job job_of(const vox_volume *v, int channel, vox_losses *lost) {
    int nearest = 0;
    for (int a = 1; a < 3; a++) {
        bool longer = v->dim[nearest] == 1 && v->dim[a] > 1;
        bool nearer = v->dim[a] > 1 && magnitude(v->stride[a]) < magnitude(v->stride[nearest]);
        if (longer || nearer) nearest = a;
    }
    job j = {.v = v,
             .data = (const char *)v->data + channel * v->channel,
             .columns = nearest != 0,
             .across = nearest == 2 ? 2 : 1,
             .lost = lost};
    j.behind = 3 - j.across;
    j.width = j.columns ? SQUARE : LONG;
    j.height = TILE / j.width;
    return j;
}

/* A column some columns behind l: too short to be foreseen by the processor. */
static void prefetch(const job *j, const line *l, ptrdiff_t behind) {
    const ptrdiff_t bytes = l->n * l->stride, step = bytes < 0 ? -LINE : LINE;
    if (magnitude(l->stride) > vox_voxel_bytes(j->v->type)) return;
    for (ptrdiff_t at = 0; step > 0 ? at < bytes : at > bytes; at += step)
        __builtin_prefetch((const void *)((uintptr_t)l->from + (uintptr_t)(at + behind)));
}

/* to[across][x], rows `pitch` apart. */
static void load_tile(const job *j, const tile *t, float *to, size_t pitch, vox_losses *lost) {
    const vox_volume *v = j->v;
    const size_t step[3] = {1, (size_t)v->dim[0], (size_t)v->dim[0] * (size_t)v->dim[1]};
    const size_t first = (size_t)t->at[0] + (size_t)t->at[1] * step[1] + (size_t)t->at[2] * step[2];
    const char *from = j->data;
    float column[SQUARE][SQUARE + 4]; /* rows that begin in different sets of the cache */
    for (int a = 0; a < 3; a++) from += t->at[a] * v->stride[a];
    for (int i = 0; i < (j->columns ? t->nx : t->n); i++) {
        const int along = j->columns ? j->across : 0, next = j->columns ? 0 : j->across;
        const line l = {.from = from + i * v->stride[next],
                        .stride = v->stride[along],
                        .n = j->columns ? t->n : t->nx,
                        .at = first + (size_t)i * step[next],
                        .step = step[along]};
        if (j->columns) prefetch(j, &l, i + AHEAD < t->nx ? AHEAD * v->stride[0] : 0);
        load_line(v, &l, j->columns ? column[i] : to + (size_t)i * pitch, lost);
    }
    if (!j->columns) return;
    for (int i = 0; i < t->n; i++) {
        for (int x = 0; x < t->nx; x++) to[(size_t)i * pitch + (size_t)x] = column[x][i];
    }
}

static void do_tile(const job *j, const tile *t, vox_losses *lost) {
    const vox_volume *v = j->v;
    if (j->out != NULL) {
        const size_t row = (size_t)v->dim[0], plane = row * (size_t)v->dim[1];
        float *to = j->out + (size_t)t->at[2] * plane + (size_t)t->at[1] * row + (size_t)t->at[0];
        load_tile(j, t, to, j->across == 1 ? row : plane, lost);
        return;
    }
    float values[TILE];
    load_tile(j, t, values, (size_t)j->width, lost);
    for (int i = 0; i < t->n; i++) {
        const int y = t->at[1] + (j->across == 1 ? i : 0), z = t->at[2] + (j->across == 2 ? i : 0);
        j->rows(j->argument, y, z, t->at[0], values + (size_t)i * (size_t)j->width, t->nx);
    }
}

/* A task takes its part of the bands: a band is `height` rows of a plane across which they lie. */
static void do_task(void *argument, int task) {
    const job *j = argument;
    const int *dim = j->v->dim;
    const size_t bands = (size_t)((dim[j->across] - 1) / j->height + 1), all = bands * (size_t)dim[j->behind];
    vox_losses lost = {0};
    for (size_t b = all * (size_t)task / TASKS; b < all * (size_t)(task + 1) / TASKS; b++) {
        tile t = {0};
        t.at[j->behind] = (int)(b / bands);
        t.at[j->across] = (int)(b % bands) * j->height;
        t.n = dim[j->across] - t.at[j->across];
        if (t.n > j->height) t.n = j->height;
        for (; t.at[0] < dim[0]; t.at[0] += j->width) {
            t.nx = dim[0] - t.at[0] < j->width ? dim[0] - t.at[0] : j->width;
            do_tile(j, &t, &lost);
        }
    }
    j->lost[task] = lost;
}

static void join(vox_lost *all, const vox_lost *part) {
    if (part->count == 0) return;
    if (all->count == 0 || part->at < all->at) {
        all->at = part->at;
        all->value = part->value;
    }
    all->count += part->count;
}

void vox_volume_load(const vox_volume *v, int channel, float *out, vox_losses *lost, const vox_executor *e) {
    vox_losses part[TASKS];
    job j = job_of(v, channel, part);
    j.out = out;
    vox_parallel(e, TASKS, do_task, &j);
    *lost = (vox_losses){0};
    for (int t = 0; t < TASKS; t++) {
        join(&lost->not_finite, &part[t].not_finite);
        join(&lost->too_large, &part[t].too_large);
        join(&lost->too_small, &part[t].too_small);
    }
}

void vox_volume_rows(const vox_volume *v, int channel, vox_rows_fn *rows, void *argument,
                     const vox_executor *e) {
    vox_losses part[TASKS];
    job j = job_of(v, channel, part);
    j.rows = rows;
    j.argument = argument;
    vox_parallel(e, TASKS, do_task, &j);
}

/* ---- crop or pad ----------------------------------------------------------------------------- */

typedef struct copy {
    const float *from;
    float *to;
    const int *old, *new;
} copy;

int vox_crop_or_pad_shift(int old, int new) {
    return new > old ? (new - old) / 2 : -((old - new) / 2);
}

static void copy_plane(void *argument, int z) {
    const copy *c = argument;
    const int *old = c->old, *new = c->new;
    const size_t row = (size_t) new[0];
    const int sx = vox_crop_or_pad_shift(old[0], new[0]), x = sx > 0 ? sx : 0;
    const int n = old[0] < new[0] ? old[0] : new[0];
    const int from_z = z - vox_crop_or_pad_shift(old[2], new[2]);
    for (int y = 0; y < new[1]; y++) {
        const int from_y = y - vox_crop_or_pad_shift(old[1], new[1]);
        float *to = c->to + ((size_t)z * (size_t) new[1] + (size_t)y) * row;
        if (from_z < 0 || from_z >= old[2] || from_y < 0 || from_y >= old[1]) {
            memset(to, 0, row * sizeof *to);
            continue;
        }
        const float *from = c->from + ((size_t)from_z * (size_t)old[1] + (size_t)from_y) * (size_t)old[0];
        memset(to, 0, (size_t)x * sizeof *to);
        memcpy(to + x, from + (x - sx), (size_t)n * sizeof *to);
        memset(to + x + n, 0, (row - (size_t)(x + n)) * sizeof *to);
    }
}

void vox_crop_or_pad(const float *from, const int old[3], float *to, const int new[3],
                     const vox_executor *e) {
    copy c = {from, to, old, new};
    vox_parallel(e, new[2], copy_plane, &c);
}
