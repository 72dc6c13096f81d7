/* SPDX-License-Identifier: MIT-0 */
/* vox_check.h: the self-test of one layer: samples of what a kernel wrote against the plain formula
 * (vox_ref.h) in double precision, from the operands that the kernel read. Corners first, then seeded
 * positions, all in the planes of the step that was run last.
 *
 * Each vox_check_<kernel> takes the kernel's operands and returns 1 if a sample is wrong: not a number where
 * the formula gives one, or off by more than VOX_CHECK_TOLERANCE of what rounding is measured by: the sum of
 * the absolute terms (convolutions), the value itself, and the layer's RMS.
 */
#ifndef VOX_CHECK_H
#define VOX_CHECK_H

#include <float.h>
#include <math.h>
#include <string.h>

#include "vox_model.h"
#include "vox_ref.h"

/* What runs once, if at all: small rather than fast, and one of it for all layers. */
#define VOX_COLD static __attribute__((cold, noinline, unused))

enum { VOX_CHECK_SAMPLES = VOX_PROBE_SAMPLES, VOX_CHECK_CORNERS = 16 };

typedef struct vox_samples {
    int count;
    double got[VOX_CHECK_SAMPLES], want[VOX_CHECK_SAMPLES], size[VOX_CHECK_SAMPLES];
} vox_samples;

/* size: what a rounding error is relative to, besides the value and the layer's RMS. */
static inline void vox_sample(vox_samples *s, double got, double want, double size) {
    s->got[s->count] = got;
    s->want[s->count] = want;
    s->size[s->count++] = size;
}

/* Below its smallest normal number a float keeps few digits, and in the end none. */
static inline double vox_sample_error(double got, double want, double size) {
    if (got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= (double)FLT_MIN) return 0;
    const double error = fabs(got - want) / (VOX_CHECK_TOLERANCE * size);
    return isnan(error) ? (double)INFINITY : error;
}

static inline int vox_judge(vox_probe *p, const vox_samples *s) {
    double squares = 0, worst = 0;
    for (int i = 0; i < s->count; i++)
        if (isfinite(s->want[i])) squares += s->want[i] * s->want[i] / s->count;
    for (int i = 0; i < s->count; i++) {
        const double size = fmax(s->size[i] * fmax(1, fabs(s->want[i])), fabs(s->want[i])) + sqrt(squares);
        worst = fmax(worst, vox_sample_error(s->got[i], s->want[i], size));
    }
    p->worst = fmax(p->worst, worst);
    return worst > 1;
}

/* ---- where to look --------------------------------------------------------------------------- */

static inline int64_t vox_pick(vox_probe *p, int sample, int bit, int64_t extent) {
    if (sample < VOX_CHECK_CORNERS) return sample >> bit & 1 ? extent - 1 : 0;
    return (int64_t)(vox_random(&p->random) % (uint64_t)extent);
}

static inline vox_position vox_pick_voxel(vox_probe *p, int sample, const vox_dims *y) {
    vox_position at;
    at.n = (int)(vox_random(&p->random) % (uint64_t)y->n);
    at.c = (int)vox_pick(p, sample, 0, y->c);
    at.d = p->begin + (int)vox_pick(p, sample, 1, p->end - p->begin);
    at.h = (int)vox_pick(p, sample, 2, y->h);
    at.w = (int)vox_pick(p, sample, 3, y->w);
    return at;
}

static inline int64_t vox_box_count(int rank, const int *dim) {
    int64_t count = 1;
    for (int a = 0; a < rank; a++) count *= dim[a];
    return count;
}

/* ---- convolutions ---------------------------------------------------------------------------- */

VOX_COLD int vox_check_conv_any(vox_probe *p, const vox_conv *g, const vox_conv_operands *o, int transposed) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &g->y);
        double size;
        const double want = vox_ref_conv_any(g, o, transposed, at, &size);
        vox_sample(&s, vox_value_at(&g->y, o->y, at), want, size);
    }
    return vox_judge(p, &s);
}
VOX_COLD int vox_check_conv(vox_probe *p, const vox_conv *g, vox_conv_operands o) {
    return vox_check_conv_any(p, g, &o, 0);
}
VOX_COLD int vox_check_conv_transpose(vox_probe *p, const vox_conv *g, vox_conv_operands o) {
    return vox_check_conv_any(p, g, &o, 1);
}

/* One output of a Winograd kernel: step 1: the box of y that starts at `first`; 2: its maxima over 2x2x2. */
typedef struct vox_check_box {
    const vox_dims *dims;
    const int *first;
    int step;
    const float *data;
} vox_check_box;
/* The planes of it that the probe's range gives. */
VOX_COLD int vox_check_winograd_box(vox_probe *p, const vox_winograd *g, const vox_conv_operands *o,
                                    const vox_check_box *box) {
    const int *first = box->first, step = box->step, depth = box->dims->d;
    vox_samples s = {0};
    vox_probe part = *p;
    part.begin = p->begin > first[0] ? (p->begin - first[0]) / step : 0;
    part.end = (p->end - first[0]) / step < depth ? (p->end - first[0]) / step : depth;
    for (int i = 0; i < p->samples && part.begin < part.end; i++) {
        const vox_position at = vox_pick_voxel(&part, i, box->dims);
        double want = -(double)INFINITY, scale = 0, size;
        for (int q = 0; q < step * step * step; q++) {
            const vox_position of = {at.n, at.c, first[0] + at.d * step + (q >> 2),
                                     first[1] + at.h * step + (q >> 1 & 1), first[2] + at.w * step + (q & 1)};
            const double y = vox_ref_winograd(g, o, of, &size);
            want = isnan(y) || y > want ? y : want;
            scale = fmax(scale, size);
        }
        vox_sample(&s, vox_value_at(box->dims, box->data, at), want, scale);
    }
    p->random = part.random;
    return vox_judge(p, &s);
}
/* Of each Winograd kernel. After the range was computed, while its planes (of x and of the outputs) are in
 * memory. */
VOX_COLD int vox_check_winograd(vox_probe *p, const vox_winograd *g, vox_conv_operands o) {
    static const int origin[3] = {0, 0, 0};
    const vox_check_box y = {&g->y, origin, 1, o.y}, crop = {&g->crop, g->crop_begin, 1, o.crop},
                        pool = {&g->pool, origin, 2, o.pool};
    int bad = 0;
    if (g->store) bad |= vox_check_winograd_box(p, g, &o, &y);
    if (g->crop.c > 0) bad |= vox_check_winograd_box(p, g, &o, &crop);
    if (g->pool.c > 0) bad |= vox_check_winograd_box(p, g, &o, &pool);
    return bad;
}

/* ---- pooling, norms, resizing ---------------------------------------------------------------- */

static inline int vox_check_pool(vox_probe *p, const vox_pool3d *g, int average, vox_xy o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &g->y);
        vox_sample(&s, vox_value_at(&g->y, o.y, at), vox_ref_pool(g, average, o.x, at), 0);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_max_pool(vox_probe *p, const vox_pool3d *g, vox_xy o) {
    return vox_check_pool(p, g, 0, o);
}
static inline int vox_check_average_pool(vox_probe *p, const vox_pool3d *g, vox_xy o) {
    return vox_check_pool(p, g, 1, o);
}
/* Some channels, each from all of its voxels: their factor, and what mean and bias together make of 0. */
static inline int vox_check_norm_terms(vox_probe *p, const vox_norm_terms *g, vox_norm_terms_operands o) {
    vox_samples factors = {0}, summands = {0};
    for (int i = 0; i < p->samples && i < VOX_CHECK_CORNERS; i++) {
        const int n = (int)vox_pick(p, i, 1, g->x.n), c = (int)vox_pick(p, i, 0, g->x.c);
        const float *t = o.y + (ptrdiff_t)n * 3 * g->x.c + c;
        double mean, variance;
        vox_ref_statistics(g, o.x, n, c, &mean, &variance);
        const double factor = (double)o.scale[c] / sqrt(variance + g->eps), centre = mean * factor;
        vox_sample(&factors, (double)t[g->x.c], factor, 0);
        vox_sample(&summands, (double)t[2 * g->x.c] - (double)t[0] * (double)t[g->x.c],
                   (double)o.bias[c] - centre, fabs((double)o.bias[c]) + fabs(centre));
    }
    return vox_judge(p, &factors) | vox_judge(p, &summands);
}
static inline vox_dims vox_norm_result(const vox_norm *g) {
    vox_dims to = g->x;
    to.ring = g->y_ring;
    return to;
}
static inline int vox_check_normalise(vox_probe *p, const vox_norm *g, vox_normalise_operands o) {
    vox_samples s = {0};
    const vox_dims to = vox_norm_result(g);
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &to);
        const float *t = o.terms + (ptrdiff_t)at.n * 3 * g->x.c + at.c;
        vox_sample(&s, vox_value_at(&to, o.y, at), vox_ref_normalise(g, &o, at),
                   fabs((double)t[0] * (double)t[g->x.c]) + fabs((double)t[2 * g->x.c]));
    }
    return vox_judge(p, &s);
}
static inline int vox_check_affine(vox_probe *p, const vox_norm *g, vox_affine_operands o) {
    vox_samples s = {0};
    const vox_dims to = vox_norm_result(g);
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &to);
        vox_sample(&s, vox_value_at(&to, o.y, at), vox_ref_affine(g, &o, at), fabs((double)o.bias[at.c]));
    }
    return vox_judge(p, &s);
}
static inline int vox_check_resize(vox_probe *p, const vox_resize *g, vox_xy o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &g->y);
        vox_sample(&s, vox_value_at(&g->y, o.y, at), vox_ref_resize(g, o.x, at), 0);
    }
    return vox_judge(p, &s);
}

/* ---- element by element ---------------------------------------------------------------------- */

/* Where the voxel stands in a tensor of dims t, but with this ring. */
static inline int64_t vox_ring_at(const vox_dims *t, int ring, vox_position at) {
    vox_dims r = *t;
    r.ring = ring;
    return (int64_t)vox_ref_at(&r, at.n, at.c, at.d, at.h, at.w);
}
static inline int vox_check_map(vox_probe *p, const vox_map *g, vox_xy o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        int64_t to, from;
        if (g->y.n) {
            const vox_position at = vox_pick_voxel(p, i, &g->y);
            to = vox_ring_at(&g->y, g->y.ring, at), from = vox_ring_at(&g->y, g->x_ring, at);
        } else {
            to = from = vox_pick(p, i, 0, g->count);
        }
        vox_sample(&s, (double)o.y[to], vox_ref_map(g, o.x, from), 0);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_binary_planes(vox_probe *p, const vox_binary *g, vox_binary_operands o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &g->y);
        const float *a = g->a_stride[g->rank - 1] ? o.a + vox_ring_at(&g->y, g->a_ring, at) : o.a;
        const float *b = g->b_stride[g->rank - 1] ? o.b + vox_ring_at(&g->y, g->b_ring, at) : o.b;
        vox_sample(&s, vox_value_at(&g->y, o.y, at), vox_ref_binary(g, a, b, 0), 0);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_binary(vox_probe *p, const vox_binary *g, vox_binary_operands o) {
    vox_samples s = {0};
    if (g->y.n) return vox_check_binary_planes(p, g, o);
    for (int i = 0; i < p->samples; i++) {
        const int64_t at = vox_pick(p, i, 0, vox_box_count(g->rank, g->dim));
        vox_sample(&s, (double)o.y[at], vox_ref_binary(g, o.a, o.b, at), 0);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_compare(vox_probe *p, const vox_binary *g, vox_compare_operands o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const int64_t at = vox_pick(p, i, 0, vox_box_count(g->rank, g->dim));
        vox_sample(&s, (double)o.y[at], vox_ref_binary(g, o.a, o.b, at), 0);
    }
    return vox_judge(p, &s);
}
/* Element i as a double; whole numbers above 2^53 are compared rounded. */
static inline double vox_element(vox_dtype type, const void *data, int64_t i) {
    switch (type) {
    case VOX_F32:
        return (double)((const float *)data)[i];
    case VOX_I64:
        return (double)((const int64_t *)data)[i];
    case VOX_I32:
        return (double)((const int32_t *)data)[i];
    case VOX_U8:
        return (double)((const uint8_t *)data)[i];
    }
    return (double)NAN;
}
static inline int vox_check_cast(vox_probe *p, const vox_cast *g, vox_xy_any o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const int64_t at = vox_pick(p, i, 0, g->count);
        const double v = vox_element(g->from, o.x, at), whole = trunc(v), got = vox_element(g->to, o.y, at);
        const int fits = g->to == VOX_U8 ? whole >= 0 && whole <= 255 : fabs(whole) < 0x1p31;
        if (g->to == VOX_F32)
            vox_sample(&s, got, v, 0);
        else if (fits)
            vox_sample(&s, got, whole, 0);
    }
    return vox_judge(p, &s);
}

/* ---- moved elements: equal or not ------------------------------------------------------------ */

static inline void vox_sample_bytes(vox_samples *s, const void *got, const void *want, size_t size) {
    vox_sample(s, memcmp(got, want, size) == 0, 1, 0);
}
static inline void vox_sample_copy(vox_probe *p, vox_samples *s, int sample, const vox_copy *g,
                                   vox_xy_any o) {
    int dim[VOX_MAX_RANK];
    int64_t from = 0, to = 0;
    for (int i = 0; i < g->rank; i++) dim[i] = g->planes && i == g->planes ? 1 : g->dim[i];
    const int64_t at = vox_pick(p, sample, 0, vox_box_count(g->rank, dim));
    if (g->planes) {
        const int d = p->begin + (int)vox_pick(p, sample, 1, p->end - p->begin), z = g->x_begin + d;
        from = (g->x_ring ? z % g->x_ring : z) * g->x_stride[g->planes];
        to = (g->y_ring ? d % g->y_ring : d) * g->y_stride[g->planes];
    }
    from += vox_ref_offset(g->rank, dim, g->x_stride, at);
    to += vox_ref_offset(g->rank, dim, g->y_stride, at);
    vox_sample_bytes(s, (const char *)o.y + to * g->element, (const char *)o.x + from * g->element,
                     (size_t)g->element);
}
static inline int vox_check_copy(vox_probe *p, const vox_copy *g, vox_xy_any o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) vox_sample_copy(p, &s, i, g, o);
    return vox_judge(p, &s);
}
static inline int vox_check_pad(vox_probe *p, const vox_pad *g, vox_xy_any o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const int64_t at = vox_pick(p, i, 0, vox_box_count(g->rank, g->y_dim));
        vox_sample_bytes(&s, (const char *)o.y + at * g->element, vox_ref_pad(g, o.x, at),
                         (size_t)g->element);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_relayout(vox_probe *p, const vox_relayout *g, vox_xy o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const vox_position at = vox_pick_voxel(p, i, &g->y);
        vox_sample(&s, vox_value_at(&g->y, o.y, at), vox_value_at(&g->x, o.x, at), 0);
    }
    return vox_judge(p, &s);
}

/* ---- along an axis --------------------------------------------------------------------------- */

/* A position (outer, x_at) to look at, and where it stands in y; x and y: with their positions per outer
 * index. */
typedef struct vox_spot {
    vox_reduce x, y;
    int64_t outer, x_at, y_at;
} vox_spot;
static inline vox_spot vox_pick_spot(vox_probe *p, int sample, const vox_reduce *g) {
    vox_spot s = {.x = *g, .y = *g, .outer = vox_pick(p, sample, 0, g->outer)};
    if (!g->plane) {
        s.x_at = s.y_at = vox_pick(p, sample, 2, g->inner);
        return s;
    }
    const int64_t at = vox_pick(p, sample, 2, g->plane),
                  z = p->begin + vox_pick(p, sample, 3, p->end - p->begin);
    s.x.inner = (g->x_ring ? g->x_ring : g->depth) * g->plane;
    s.y.inner = (g->y_ring ? g->y_ring : g->depth) * g->plane;
    s.x_at = (g->x_ring ? z % g->x_ring : z) * g->plane + at;
    s.y_at = (g->y_ring ? z % g->y_ring : z) * g->plane + at;
    return s;
}
static inline int vox_check_softmax(vox_probe *p, const vox_reduce *g, vox_xy o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const int64_t a = vox_pick(p, i, 1, g->axis);
        const vox_spot at = vox_pick_spot(p, i, g);
        const double want = vox_ref_softmax(&at.x, o.x, at.outer, a, at.x_at);
        vox_sample(&s, vox_ref_axis_value(&at.y, o.y, at.outer, a, at.y_at), want, 0);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_arg_max(vox_probe *p, const vox_reduce *g, vox_arg_max_operands o) {
    vox_samples s = {0};
    for (int i = 0; i < p->samples; i++) {
        const vox_spot at = vox_pick_spot(p, i, g);
        const double want = (double)vox_ref_arg_max(&at.x, o.x, at.outer, at.x_at);
        vox_sample(&s, (double)o.y[at.outer * at.y.inner + at.y_at], want, 0);
    }
    return vox_judge(p, &s);
}
static inline int vox_check_reduce(vox_probe *p, const vox_reduce *g, vox_xy o) {
    vox_samples s = {0};
    const int sums = g->kind == VOX_REDUCE_SUM || g->kind == VOX_REDUCE_MEAN;
    for (int i = 0; i < p->samples; i++) {
        const int64_t outer = vox_pick(p, i, 0, g->outer), inner = vox_pick(p, i, 2, g->inner);
        double size = 0;
        for (int64_t a = 0; a < g->axis && sums; a++)
            size += fabs(vox_ref_axis_value(g, o.x, outer, a, inner));
        if (g->kind == VOX_REDUCE_MEAN) size /= (double)g->axis;
        vox_sample(&s, (double)o.y[outer * g->inner + inner], vox_ref_reduce(g, o.x, outer, inner), size);
    }
    return vox_judge(p, &s);
}

#endif
