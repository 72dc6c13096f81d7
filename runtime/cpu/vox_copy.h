/* SPDX-License-Identifier: MIT-0 */
/* vox_copy.h: data movement: strided boxes (slice, concat, transpose, expand), padding, plain <-> blocked.
 * Nothing is in place: x and y must not overlap. A task of vox_copy_box and vox_pad_box is VOX_COPY_PART
 * elements of y.
 */
#ifndef VOX_COPY_H
#define VOX_COPY_H

#include "vox_simd.h"

enum { VOX_COPY_PART = 1 << 15 };

/* A walk over a row-major box with two strided operands; axes that are contiguous in both are joined. */
typedef struct vox_box {
    int rank;
    int64_t dim[VOX_MAX_RANK], x_stride[VOX_MAX_RANK], y_stride[VOX_MAX_RANK], index[VOX_MAX_RANK];
    int64_t x, y; /* offsets of the current element */
} vox_box;

/* At element `at` of the box. A box of rank 0 is one element. */
static inline vox_box vox_box_at(int rank, const int *dim, const int64_t *x_stride, const int64_t *y_stride,
                                 int64_t at) {
    vox_box b = {.rank = 1, .dim = {1}};
    for (int i = 0; i < rank; i++) {
        const int last = b.rank - 1;
        if (dim[i] == 1) continue;
        if (b.dim[last] == 1) {
            b.dim[last] = dim[i];
        } else if (b.x_stride[last] == x_stride[i] * dim[i] && b.y_stride[last] == y_stride[i] * dim[i]) {
            b.dim[last] *= dim[i];
        } else {
            b.dim[b.rank++] = dim[i];
        }
        b.x_stride[b.rank - 1] = x_stride[i], b.y_stride[b.rank - 1] = y_stride[i];
    }
    for (int i = b.rank - 1; i >= 0; i--) {
        b.index[i] = at % b.dim[i], at /= b.dim[i];
        b.x += b.index[i] * b.x_stride[i], b.y += b.index[i] * b.y_stride[i];
    }
    return b;
}
/* How many elements stand on the innermost axis from here, at most n. */
static inline int64_t vox_box_run(const vox_box *b, int64_t n) {
    const int64_t left = b->dim[b->rank - 1] - b->index[b->rank - 1];
    return left < n ? left : n;
}
/* n elements on, n at most what vox_box_run returned. */
static inline void vox_box_advance(vox_box *b, int64_t n) {
    int i = b->rank - 1;
    b->index[i] += n, b->x += n * b->x_stride[i], b->y += n * b->y_stride[i];
    for (; i > 0 && b->index[i] == b->dim[i]; i--) {
        b->x += b->x_stride[i - 1] - b->index[i] * b->x_stride[i];
        b->y += b->y_stride[i - 1] - b->index[i] * b->y_stride[i];
        b->index[i] = 0, b->index[i - 1]++;
    }
}

static inline int64_t vox_copy_count(int rank, const int *dim) {
    int64_t count = 1;
    for (int i = 0; i < rank; i++) count *= dim[i];
    return count;
}
static inline int64_t vox_copy_part(int64_t count, int task, int64_t *begin) {
    const int64_t left = count - (*begin = (int64_t)task * VOX_COPY_PART);
    return left < VOX_COPY_PART ? left : VOX_COPY_PART;
}

/* n elements of `size` bytes, strides in elements. */
static inline void vox_copy_run(vox_xy_any o, int64_t x_stride, int64_t y_stride, int size, int64_t n) {
    const char *x = o.x;
    char *y = o.y;
    if (x_stride == 1 && y_stride == 1) {
        memcpy(y, x, (size_t)(n * size));
    } else if (size == 4) {
        for (int64_t i = 0; i < n; i++) memcpy(y + i * y_stride * 4, x + i * x_stride * 4, 4);
    } else {
        for (int64_t i = 0; i < n; i++)
            memcpy(y + i * y_stride * size, x + i * x_stride * size, (size_t)size);
    }
}
static inline vox_xy_any vox_copy_from(vox_xy_any o, int64_t x, int64_t y, int size) {
    return (vox_xy_any){(const char *)o.x + x * size, (char *)o.y + y * size};
}

/* n elements of a box, from where it is on. */
static inline void vox_copy_elements(vox_box *box, int size, vox_xy_any o, int64_t n) {
    const int last = box->rank - 1;
    for (int64_t done = 0, run; done < n; done += run) {
        run = vox_box_run(box, n - done);
        vox_copy_run(vox_copy_from(o, box->x, box->y, size), box->x_stride[last], box->y_stride[last], size,
                     run);
        vox_box_advance(box, run);
    }
}

/* Tasks of one plane. */
static inline int vox_copy_plane_tasks(const vox_copy *g) {
    const int64_t plane = vox_copy_count(g->rank, g->dim) / g->dim[g->planes];
    return (int)((plane + VOX_COPY_PART - 1) / VOX_COPY_PART);
}
static inline int vox_ring_index(int ring, int z) {
    return ring > 0 ? z % ring : z;
}
/* Part `task` of plane d: the box with axis D cut to one. */
static inline void vox_copy_plane(const vox_copy *g, int d, vox_xy_any o, int task) {
    int dim[VOX_MAX_RANK];
    int64_t begin;
    for (int i = 0; i < g->rank; i++) dim[i] = i == g->planes ? 1 : g->dim[i];
    const int64_t n = vox_copy_part(vox_copy_count(g->rank, dim), task, &begin);
    o = vox_copy_from(o, vox_ring_index(g->x_ring, g->x_begin + d) * g->x_stride[g->planes],
                      vox_ring_index(g->y_ring, d) * g->y_stride[g->planes], g->element);
    vox_box box = vox_box_at(g->rank, dim, g->x_stride, g->y_stride, begin);
    vox_copy_elements(&box, g->element, o, n);
}

VOX_KERNEL int vox_copy_tasks(const vox_copy *g, vox_range range) {
    if (g->planes) return (range.end - range.begin) * vox_copy_plane_tasks(g);
    return (int)((vox_copy_count(g->rank, g->dim) + VOX_COPY_PART - 1) / VOX_COPY_PART);
}
VOX_KERNEL void vox_copy_box(const vox_copy *g, vox_xy_any o, vox_range range, int task) {
    int64_t from;
    if (g->planes) {
        const int tasks = vox_copy_plane_tasks(g);
        vox_copy_plane(g, range.begin + task / tasks, o, task % tasks);
        return;
    }
    const int64_t n = vox_copy_part(vox_copy_count(g->rank, g->dim), task, &from);
    vox_box box = vox_box_at(g->rank, g->dim, g->x_stride, g->y_stride, from);
    vox_copy_elements(&box, g->element, o, n);
}

/* The input index that output index i of an axis takes, or -1: the constant. */
static inline int vox_pad_source(vox_pad_mode mode, int i, int begin, int extent) {
    const int at = i - begin;
    if (at >= 0 && at < extent) return at;
    switch (mode) {
    case VOX_PAD_CONSTANT:
        return -1;
    case VOX_PAD_EDGE:
        return at < 0 ? 0 : extent - 1;
    case VOX_PAD_WRAP:
        return (at % extent + extent) % extent;
    case VOX_PAD_REFLECT:
        break;
    }
    if (extent == 1) return 0;
    const int period = 2 * (extent - 1), r = (at % period + period) % period;
    return r < extent ? r : period - r;
}

VOX_KERNEL int vox_pad_tasks(const vox_pad *g, vox_range range) {
    (void)range;
    return (int)((vox_copy_count(g->rank, g->y_dim) + VOX_COPY_PART - 1) / VOX_COPY_PART);
}

/* Trailing axes that are not padded move as one piece of this many elements. */
static inline int64_t vox_pad_piece(const vox_pad *g, int *rank) {
    int64_t piece = 1;
    for (*rank = g->rank; *rank > 0; --*rank) {
        const int i = *rank - 1;
        if (g->begin[i] != 0 || g->x_dim[i] != g->y_dim[i]) break;
        piece *= g->y_dim[i];
    }
    return piece;
}
VOX_KERNEL void vox_pad_box(const vox_pad *g, vox_xy_any o, vox_range range, int task) {
    (void)range;
    const int size = g->element;
    char value[8]; /* a copy: y may not change it */
    int rank;
    int64_t at;
    memcpy(value, g->value, (size_t)size);
    const int64_t piece = vox_pad_piece(g, &rank);
    const int64_t end = vox_copy_part(vox_copy_count(g->rank, g->y_dim), task, &at) + at;
    for (int64_t run; at < end; at += run) {
        int64_t left = at / piece, from = at % piece, stride = piece;
        int inside = 1;
        run = piece - from < end - at ? piece - from : end - at;
        for (int i = rank - 1; i >= 0; i--) {
            const int source = vox_pad_source(g->mode, (int)(left % g->y_dim[i]), g->begin[i], g->x_dim[i]);
            left /= g->y_dim[i];
            inside = inside && source >= 0;
            from += source * stride, stride *= g->x_dim[i];
        }
        char *to = (char *)o.y + at * size;
        if (inside)
            memcpy(to, (const char *)o.x + from * size, (size_t)(run * size));
        else
            vox_copy_run((vox_xy_any){value, to}, 0, 1, size, run);
    }
}

VOX_KERNEL int vox_relayout_tasks(const vox_relayout *g, vox_range range) {
    return g->x.n * vox_parts(g->x.c, VOX_BLOCK) * (range.end - range.begin);
}

/* The plane of one task: its lanes; *o becomes its first float in x and in y. */
static inline int vox_relayout_plane(const vox_relayout *g, vox_range range, int task, vox_xy *o) {
    const int blocks = vox_parts(g->x.c, VOX_BLOCK), planes = range.end - range.begin;
    const int d = range.begin + task % planes, at = task / planes, c = at % blocks * VOX_BLOCK;
    const ptrdiff_t plane = (ptrdiff_t)g->x.h * g->x.w, n = at / blocks;
    const vox_dims *t[2] = {&g->x, &g->y};
    ptrdiff_t first[2];
    for (int i = 0; i < 2; i++) {
        const ptrdiff_t channel = t[i]->block ? at * VOX_BLOCK : n * g->x.c + c;
        first[i] =
            (channel * vox_planes(t[i]) + vox_plane_of(t[i], d) * (t[i]->block ? VOX_BLOCK : 1)) * plane;
    }
    o->x += first[0], o->y += first[1];
    return vox_min_int(g->x.c - c, VOX_BLOCK);
}
VOX_KERNEL void vox_f32_to_block(const vox_relayout *g, vox_xy o, vox_range range, int task) {
    const ptrdiff_t plane = (ptrdiff_t)g->x.h * g->x.w, step = plane * vox_planes(&g->x);
    const int lanes = vox_relayout_plane(g, range, task, &o);
    for (ptrdiff_t i = 0; i < plane; i++, o.y += VOX_BLOCK) {
        for (int l = 0; l < lanes; l++) o.y[l] = o.x[l * step + i];
        for (int l = lanes; l < VOX_BLOCK; l++) o.y[l] = 0.0f;
    }
}
VOX_KERNEL void vox_f32_from_block(const vox_relayout *g, vox_xy o, vox_range range, int task) {
    const ptrdiff_t plane = (ptrdiff_t)g->x.h * g->x.w, step = plane * vox_planes(&g->y);
    const int lanes = vox_relayout_plane(g, range, task, &o);
    for (int l = 0; l < lanes; l++)
        for (ptrdiff_t i = 0; i < plane; i++) o.y[l * step + i] = o.x[i * VOX_BLOCK + l];
}

#endif
