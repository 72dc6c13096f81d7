/* SPDX-License-Identifier: MIT-0 */
/* vox_map.h: element by element: activations (vox_f32_map), two operands with broadcasting (vox_f32_binary,
 * vox_f32_compare), casts. A task is VOX_MAP_PART elements in the order of y. In place (y = x, or y = an
 * operand of y's shape) is allowed, except that a cast must not be in place unless both types have one size.
 */
#ifndef VOX_MAP_H
#define VOX_MAP_H

#include "vox_act.h"
#include "vox_copy.h"

enum { VOX_MAP_PART = 1 << 15 };

static inline int64_t vox_map_part(int64_t count, int task, int64_t *begin) {
    const int64_t left = count - (*begin = (int64_t)task * VOX_MAP_PART);
    return left < VOX_MAP_PART ? left : VOX_MAP_PART;
}

/* Plane by plane: a task is one n, channel (or block of channels) and plane. */
static inline int vox_plane_tasks(const vox_dims *t, vox_range range) {
    return t->n * (t->block ? vox_parts(t->c, VOX_BLOCK) : t->c) * (range.end - range.begin);
}
static inline ptrdiff_t vox_plane_size(const vox_dims *t) {
    return (ptrdiff_t)t->h * t->w * (t->block ? VOX_BLOCK : 1);
}
/* Where the plane of a task begins in a tensor of these dims, but with this ring. */
static inline ptrdiff_t vox_plane_begin(const vox_dims *t, int ring, vox_range range, int task) {
    const int planes = range.end - range.begin, d = range.begin + task % planes;
    const ptrdiff_t channel = task / planes;
    vox_dims r = *t;
    r.ring = ring;
    return (channel * vox_planes(&r) + vox_plane_of(&r, d)) * vox_plane_size(t);
}

VOX_KERNEL int vox_map_tasks(const vox_map *g, vox_range range) {
    if (g->y.n) return vox_plane_tasks(&g->y, range);
    return (int)((g->count + VOX_MAP_PART - 1) / VOX_MAP_PART);
}
VOX_KERNEL void vox_f32_map(const vox_map *g, vox_xy o, vox_range range, int task) {
    int64_t from;
    if (g->y.n) {
        vox_activate_run(&g->ep, 0.0f, o.x + vox_plane_begin(&g->y, g->x_ring, range, task),
                         o.y + vox_plane_begin(&g->y, g->y.ring, range, task), vox_plane_size(&g->y));
        return;
    }
    const int64_t n = vox_map_part(g->count, task, &from);
    vox_activate_run(&g->ep, 0.0f, o.x + from, o.y + from, (ptrdiff_t)n);
}

static inline float vox_binary_value(vox_binary_op op, float a, float b) {
    switch (op) {
    case VOX_ADD:
        return a + b;
    case VOX_SUB:
        return a - b;
    case VOX_MUL:
        return a * b;
    case VOX_DIV:
        return a / b;
    case VOX_MIN:
        return a < b || isnan(a) ? a : b;
    case VOX_MAX:
        return a > b || isnan(a) ? a : b;
    case VOX_POW:
        return powf(a, b);
    case VOX_PRELU:
        return a < 0 ? b * a : a;
    case VOX_EQUAL:
        return a == b ? 1.0f : 0.0f;
    case VOX_GREATER:
        return a > b ? 1.0f : 0.0f;
    case VOX_GREATER_EQUAL:
        return a >= b ? 1.0f : 0.0f;
    case VOX_LESS:
        return a < b ? 1.0f : 0.0f;
    case VOX_LESS_EQUAL:
        return a <= b ? 1.0f : 0.0f;
    }
    return NAN;
}

/* Neighbouring elements: where they begin, and how far apart they are in a and b; y's follow each other. */
typedef struct vox_binary_row {
    const float *a, *b;
    float *y;
    int64_t a_step, b_step;
} vox_binary_row;

VOX_INLINE void vox_binary_loop(vox_binary_op op, const vox_binary_row *r, const int64_t a_step,
                                const int64_t b_step, int64_t n) {
    const float *a = r->a, *b = r->b;
    float *y = r->y;
    for (int64_t i = 0; i < n; i++) y[i] = vox_binary_value(op, a[i * a_step], b[i * b_step]);
}
/* The common strides and operators as constants, so that the compiler vectorises them. */
VOX_INLINE void vox_binary_strides(vox_binary_op op, const vox_binary_row *r, int64_t n) {
    if (r->a_step == 1 && r->b_step == 1)
        vox_binary_loop(op, r, 1, 1, n);
    else if (r->a_step == 1 && r->b_step == 0)
        vox_binary_loop(op, r, 1, 0, n);
    else
        vox_binary_loop(op, r, r->a_step, r->b_step, n);
}
VOX_NOINLINE void vox_binary_run(vox_binary_op op, const vox_binary_row *r, int64_t n) {
    switch (op) {
    case VOX_ADD:
        vox_binary_strides(VOX_ADD, r, n);
        break;
    case VOX_SUB:
        vox_binary_strides(VOX_SUB, r, n);
        break;
    case VOX_MUL:
        vox_binary_strides(VOX_MUL, r, n);
        break;
    case VOX_DIV:
        vox_binary_strides(VOX_DIV, r, n);
        break;
    case VOX_EQUAL: /* a branch for NaN otherwise */
        vox_binary_strides(VOX_EQUAL, r, n);
        break;
    default:
        vox_binary_loop(op, r, r->a_step, r->b_step, n);
    }
}

VOX_KERNEL int vox_binary_tasks(const vox_binary *g, vox_range range) {
    if (g->y.n) return vox_plane_tasks(&g->y, range);
    return (int)((vox_copy_count(g->rank, g->dim) + VOX_MAP_PART - 1) / VOX_MAP_PART);
}
/* One plane; a stride along the last axis is 1, or 0 for a single number. */
static inline void vox_binary_plane(const vox_binary *g, vox_binary_operands o, vox_range range, int task) {
    vox_binary_row r = {o.a, o.b, o.y, g->a_stride[g->rank - 1], g->b_stride[g->rank - 1]};
    if (r.a_step) r.a += vox_plane_begin(&g->y, g->a_ring, range, task);
    if (r.b_step) r.b += vox_plane_begin(&g->y, g->b_ring, range, task);
    r.y += vox_plane_begin(&g->y, g->y.ring, range, task);
    vox_binary_run(g->op, &r, vox_plane_size(&g->y));
}
VOX_KERNEL void vox_f32_binary(const vox_binary *g, vox_binary_operands o, vox_range range, int task) {
    int64_t from;
    if (g->y.n) {
        vox_binary_plane(g, o, range, task);
        return;
    }
    const int64_t n = vox_map_part(vox_copy_count(g->rank, g->dim), task, &from);
    vox_box box = vox_box_at(g->rank, g->dim, g->a_stride, g->b_stride, from);
    const int last = box.rank - 1;
    for (int64_t done = 0, run; done < n; done += run) {
        const vox_binary_row r = {o.a + box.x, o.b + box.y, o.y + from + done, box.x_stride[last],
                                  box.y_stride[last]};
        run = vox_box_run(&box, n - done);
        vox_binary_run(g->op, &r, run);
        vox_box_advance(&box, run);
    }
}

/* Comparisons write bytes, 1 or 0. */
VOX_KERNEL void vox_f32_compare(const vox_binary *g, vox_compare_operands o, vox_range range, int task) {
    (void)range;
    int64_t begin;
    const int64_t n = vox_map_part(vox_copy_count(g->rank, g->dim), task, &begin);
    vox_box box = vox_box_at(g->rank, g->dim, g->a_stride, g->b_stride, begin);
    const int64_t as = box.x_stride[box.rank - 1], bs = box.y_stride[box.rank - 1];
    for (int64_t done = 0, run; done < n; done += run) {
        run = vox_box_run(&box, n - done);
        for (int64_t i = 0; i < run; i++)
            o.y[begin + done + i] = vox_binary_value(g->op, o.a[box.x + i * as], o.b[box.y + i * bs]) != 0;
        vox_box_advance(&box, run);
    }
}

/* Floats are truncated towards zero and held inside the integer type; NaN becomes 0. Integers wrap. */
static inline int64_t vox_cast_integer(float x, vox_dtype to) {
    const float low = to == VOX_U8 ? 0.0f : to == VOX_I32 ? -2147483648.0f : -9223372036854775808.0f;
    const float high = to == VOX_U8 ? 256.0f : to == VOX_I32 ? 2147483648.0f : 9223372036854775808.0f;
    const int64_t most = to == VOX_U8 ? 255 : to == VOX_I32 ? INT32_MAX : INT64_MAX;
    const int above = x >= high, below = x < low, inside = x >= low && !above;
    uint32_t bits; /* without branches: which of the cases comes next nobody can predict */
    memcpy(&bits, &x, sizeof bits);
    bits &= -(uint32_t)inside;
    memcpy(&x, &bits, sizeof x);
    return (int64_t)x | (-(int64_t)above & most) | (-(int64_t)below & (int64_t)low);
}
static inline int64_t vox_cast_read(vox_dtype from, vox_dtype to, const void *x, int64_t i) {
    switch (from) {
    case VOX_F32:
        return vox_cast_integer(((const float *)x)[i], to);
    case VOX_I64:
        return ((const int64_t *)x)[i];
    case VOX_I32:
        return ((const int32_t *)x)[i];
    case VOX_U8:
        return ((const uint8_t *)x)[i];
    }
    return 0;
}
VOX_KERNEL int vox_cast_tasks(const vox_cast *g, vox_range range) {
    (void)range;
    return (int)((g->count + VOX_MAP_PART - 1) / VOX_MAP_PART);
}
VOX_KERNEL void vox_cast_elements(const vox_cast *g, vox_xy_any o, vox_range range, int task) {
    (void)range;
    int64_t begin;
    const int64_t end = vox_map_part(g->count, task, &begin) + begin;
    const vox_dtype from = g->from, to = g->to;
    const void *x = o.x;
    void *y = o.y;
    for (int64_t i = begin; i < end; i++) {
        if (to == VOX_F32 && from == VOX_F32) {
            ((float *)y)[i] = ((const float *)x)[i];
            continue;
        }
        const int64_t value = vox_cast_read(from, to, x, i);
        switch (to) {
        case VOX_F32:
            ((float *)y)[i] = (float)value;
            break;
        case VOX_I64:
            ((int64_t *)y)[i] = value;
            break;
        case VOX_I32:
            ((int32_t *)y)[i] = (int32_t)value;
            break;
        case VOX_U8:
            ((uint8_t *)y)[i] = (uint8_t)value;
            break;
        }
    }
}

#endif
