/* Kernels that work plane by plane on rings: a few planes at a time give the bits of all at once. The
 * windowed ones are tested beside their plain formulas. */
#ifndef KERNELS_RING_H
#define KERNELS_RING_H

#include "kernels_common.h"

typedef void ring_kernel(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o);

/* All of y at once, then a few planes at a time from a ring into a ring; y's plane d is made of x's shift +
 * d. */
static void ring_check(const vox_dims *x, const vox_dims *y, int shift, ring_kernel *kernel) {
    buffer from = tensor_random(x), whole = tensor_poisoned(y);
    kernel(whole_of(y), x, y, (vox_xy){from.at, whole.at});
    for (int begin = 0, end; begin < y->d; begin = end) {
        end = vox_min_int(begin + random_int(1, 3), y->d);
        vox_dims x_ring, y_ring = *y;
        buffer in = ring_of(x, end - begin + random_int(0, 2), from.at, begin + shift, end + shift, &x_ring);
        y_ring.ring = end - begin + random_int(0, 2);
        buffer out = tensor_poisoned(&y_ring);
        kernel((vox_range){begin, end}, &x_ring, &y_ring, (vox_xy){in.at, out.at});
        same_planes(&y_ring, out, y, whole, begin, end);
        buffer_end(in), buffer_end(out);
    }
    buffer_end(from), buffer_end(whole);
}

static void ring_relayout(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o) {
    const vox_relayout g = {*x, *y};
    for (int t = vox_relayout_tasks(&g, range) - 1; t >= 0; t--)
        x->block ? vox_f32_from_block(&g, o, range, t) : vox_f32_to_block(&g, o, range, t);
}
static void ring_affine(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o) {
    static const float scale[32] = {1.5f, -2, 3}, bias[32] = {0.5f, 0.25f};
    const vox_norm g = {.x = *x, .y_ring = y->ring, .ep = {VOX_ACT_TANH, 0, 0}};
    for (int t = vox_norm_tasks(&g, range) - 1; t >= 0; t--)
        vox_f32_affine(&g, (vox_affine_operands){o.x, scale, bias, NULL, o.y}, range, t);
}
static void ring_map(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o) {
    const vox_map g = {.ep = {VOX_ACT_SIGMOID, 0, 0}, .y = *y, .x_ring = x->ring};
    for (int t = vox_map_tasks(&g, range) - 1; t >= 0; t--) vox_f32_map(&g, o, range, t);
}
/* x * 3, then x + x */
static void ring_binary(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o) {
    static const float three = 3;
    vox_binary g = {.op = VOX_MUL, .rank = 1, .a_stride = {1}, .y = *y, .a_ring = x->ring};
    for (int t = vox_binary_tasks(&g, range) - 1; t >= 0; t--)
        vox_f32_binary(&g, (vox_binary_operands){o.x, &three, o.y}, range, t);
    g.op = VOX_ADD, g.b_stride[0] = 1, g.a_ring = y->ring, g.b_ring = x->ring;
    for (int t = vox_binary_tasks(&g, range) - 1; t >= 0; t--)
        vox_f32_binary(&g, (vox_binary_operands){o.y, o.x, o.y}, range, t);
}
/* Cropped by 2, 1 and 3; the channels stay. */
static void ring_copy(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o) {
    const int lanes = x->block ? 16 : 1, channels = x->block ? vox_parts(x->c, 16) : x->c;
    const int64_t xw = lanes, xh = xw * x->w, xd = xh * x->h, yh = xw * y->w, yd = yh * y->h;
    const vox_copy g = {.rank = 6,
                        .element = 4,
                        .dim = {x->n, channels, y->d, y->h, y->w, lanes},
                        .x_stride = {xd * vox_planes(x) * channels, xd * vox_planes(x), xd, xh, xw, 1},
                        .y_stride = {yd * vox_planes(y) * channels, yd * vox_planes(y), yd, yh, xw, 1},
                        .planes = 2,
                        .x_begin = 2,
                        .x_ring = x->ring,
                        .y_ring = y->ring};
    for (int t = vox_copy_tasks(&g, range) - 1; t >= 0; t--)
        vox_copy_box(&g, (vox_xy_any){o.x + xh + 3 * xw, o.y}, range, t);
}

static void ring_softmax(vox_range range, const vox_dims *x, const vox_dims *y, vox_xy o) {
    const int plane = x->h * x->w;
    const vox_reduce g = {.outer = x->n,
                          .axis = x->c,
                          .inner = x->d * plane,
                          .block = x->block,
                          .plane = plane,
                          .depth = x->d,
                          .x_ring = x->ring,
                          .y_ring = y->ring};
    for (int t = vox_reduce_tasks(&g, range) - 1; t >= 0; t--) vox_f32_softmax(&g, o, range, t);
}

static void rings(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        const vox_dims x = {random_int(1, 2),
                            RANDOM_OF(1, 3, 16, 20),
                            random_int(3, 8),
                            random_int(2, 5),
                            random_int(4, 20),
                            i & 1 ? 16 : 0,
                            0};
        vox_dims other = x, cropped = x;
        other.block = 16 - x.block;
        cropped.d -= 2, cropped.h -= 1, cropped.w -= 3;
        ring_check(&x, &other, 0, ring_relayout);
        ring_check(&x, &x, 0, ring_affine);
        ring_check(&x, &x, 0, ring_map);
        ring_check(&x, &x, 0, ring_softmax);
        ring_check(&x, &x, 0, ring_binary);
        ring_check(&x, &cropped, 2, ring_copy);
    }
}

#endif
