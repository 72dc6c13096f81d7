/* Convolution and transposed convolution against the plain formula. */
#ifndef KERNELS_CONV_H
#define KERNELS_CONV_H

#include "kernels_common.h"

typedef struct conv_case {
    vox_conv g;
    int transposed, bias, skip; /* skip 2: y overwrites it */
    int pad_end[3], output_pad[3];
} conv_case;

static conv_case conv_default(int transposed) {
    return (conv_case){.transposed = transposed,
                       .bias = 1,
                       .g = {.x = {1, 1, 1, 1, 1, 0, 0},
                             .y = {.n = 1, .c = 1},
                             .kernel = {1, 1, 1},
                             .stride = {1, 1, 1},
                             .dilation = {1, 1, 1},
                             .group = 1,
                             .task_oc = 1,
                             .task_d = 1,
                             .task_h = 1}};
}

/* Sets the output's shape; 0 if there is none. */
static int conv_shape(conv_case *c) {
    vox_conv *g = &c->g;
    const int x[3] = {g->x.d, g->x.h, g->x.w};
    int y[3];
    for (int a = 0; a < 3; a++) {
        const int reach = (g->kernel[a] - 1) * g->dilation[a] + 1, pads = g->pad[a] + c->pad_end[a];
        y[a] = c->transposed ? (x[a] - 1) * g->stride[a] + reach - pads + c->output_pad[a]
                             : vox_floor_div(x[a] + pads - reach, g->stride[a]) + 1;
        if (y[a] < 1) return 0;
    }
    g->y.n = g->x.n, g->y.d = y[0], g->y.h = y[1], g->y.w = y[2];
    return 1;
}

static const char *conv_text(const conv_case *c) {
    static char text[300];
    const vox_conv *g = &c->g;
    snprintf(text, sizeof text,
             "conv%s x %d,%d,%d,%d,%d/%d y %d,%d,%d,%d/%d k %d,%d,%d s %d,%d,%d dil %d,%d,%d pad %d,%d,%d "
             "group %d "
             "act %d chunk %d",
             c->transposed ? "_transpose" : "", g->x.n, g->x.c, g->x.d, g->x.h, g->x.w, g->x.block, g->y.c,
             g->y.d, g->y.h, g->y.w, g->y.block, g->kernel[0], g->kernel[1], g->kernel[2], g->stride[0],
             g->stride[1], g->stride[2], g->dilation[0], g->dilation[1], g->dilation[2], g->pad[0], g->pad[1],
             g->pad[2], g->group, (int)g->ep.act, g->chunk_ic);
    return text;
}

typedef struct conv_buffers {
    buffer x, w, b, slope, skip; /* skip: as y */
} conv_buffers;

static conv_buffers conv_operands(const conv_case *c) {
    const vox_conv *g = &c->g;
    const int per_group = g->y.c / g->group, lanes = (per_group + 15) / 16 * 16;
    const int taps = g->kernel[0] * g->kernel[1] * g->kernel[2], ic = g->x.c / g->group;
    conv_buffers o = {.x = tensor_random(&g->x),
                      .w = buffer_random((size_t)(g->group * lanes * taps * ic), 0),
                      .b = buffer_random((size_t)(g->group * lanes), 0),
                      .slope = buffer_random((size_t)(g->group * lanes), 0),
                      .skip = tensor_random(&g->y)};
    for (size_t i = 0; i < o.w.count; i++) /* packed: lanes above OC are zero */
        if ((int)i / (16 * taps * ic) % (lanes / 16) * 16 + (int)i % 16 >= per_group) o.w.at[i] = 0;
    for (size_t i = 0; i < o.b.count; i++)
        if ((int)i % lanes >= per_group) o.b.at[i] = o.slope.at[i] = 0;
    return o;
}

static vox_conv_operands conv_named(const conv_case *c, const conv_buffers *o, buffer y) {
    return (vox_conv_operands){.x = o->x.at,
                               .weights = o->w.at,
                               .bias = c->bias ? o->b.at : NULL,
                               .slope = c->g.ep.act == VOX_ACT_PRELU ? o->slope.at : NULL,
                               .skip = c->skip ? o->skip.at : NULL,
                               .y = y.at};
}
static void conv_run(const conv_case *c, const vox_conv *g, const conv_buffers *o, buffer y,
                     vox_range range) {
    vox_conv_operands named = conv_named(c, o, y);
    const int overwrites = c->skip > 1 && g->y.ring == g->skip_ring;
    if (overwrites) memcpy(y.at, named.skip, y.count * sizeof *y.at), named.skip = y.at;
    const int tasks = c->transposed ? vox_conv_transpose_tasks(g, range) : vox_conv_tasks(g, range);
    for (int i = tasks - 1; i >= 0; i--) { /* any order will do */
        if (c->transposed)
            vox_f32_conv_transpose(g, named, range, i);
        else
            vox_f32_conv(g, named, range, i);
    }
}

/* Against the formula at up to about 300 elements. */
static void conv_compare(const conv_case *c, const conv_buffers *o, buffer y) {
    const vox_conv *g = &c->g;
    const vox_conv_operands named = conv_named(c, o, y);
    const int all = g->y.n * g->y.c * g->y.d * g->y.h * g->y.w, step = all > 300 ? all / 300 : 1;
    for (int i = random_int(0, step - 1); i < all; i += step) {
        const vox_position at = position_of(&g->y, i);
        double scale;
        const double want = vox_ref_conv_any(g, &named, c->transposed, at, &scale);
        near(vox_value_at(&g->y, y.at, at), want, 1e-6, scale + 0.1, conv_text(c));
    }
}

/* The planes of x that planes [begin, end) of y are made of. */
static void conv_planes(const conv_case *c, int begin, int end, int *low, int *high) {
    *low = c->g.x.d, *high = 0;
    for (int d = begin, i; d < end; d++)
        for (int k = 0; k < c->g.kernel[0]; k++) {
            if (!vox_ref_input(&c->g, c->transposed, 0, d, k, &i)) continue;
            if (i < *low) *low = i;
            if (i >= *high) *high = i + 1;
        }
    if (*low > *high) *low = *high = 0;
}

/* A few planes at a time, from a ring into a ring. */
static void conv_by_range(const conv_case *c, const conv_buffers *o, buffer whole) {
    for (int begin = 0, end, low, high; begin < c->g.y.d; begin = end) {
        end = vox_min_int(begin + random_int(1, 3), c->g.y.d);
        conv_planes(c, begin, end, &low, &high);
        vox_conv g = c->g;
        conv_buffers ringed = *o;
        ringed.x = ring_of(&c->g.x, high - low + random_int(low == high, 2), o->x.at, low, high, &g.x);
        g.y.ring = end - begin + random_int(0, 2);
        vox_dims skip;
        ringed.skip = ring_of(&c->g.y, end - begin + random_int(0, 1), o->skip.at, begin, end, &skip);
        g.skip_ring = skip.ring;
        buffer y = tensor_poisoned(&g.y);
        conv_run(c, &g, &ringed, y, (vox_range){begin, end});
        same_planes(&g.y, y, &c->g.y, whole, begin, end);
        buffer_end(y), buffer_end(ringed.x), buffer_end(ringed.skip);
    }
}

/* One split per task list: each must give the bits of the first. */
static void conv_check(conv_case c) {
    const conv_buffers o = conv_operands(&c);
    buffer first = tensor_poisoned(&c.g.y), again = tensor_poisoned(&c.g.y);
    const int blocks = c.g.group * ((c.g.y.c / c.g.group + 15) / 16);
    conv_run(&c, &c.g, &o, first, (vox_range){0, c.g.y.d});
    all_finite(first);
    conv_compare(&c, &o, first);
    c.g.task_oc = random_int(1, blocks), c.g.task_d = random_int(1, c.g.y.d),
    c.g.task_h = random_int(1, c.g.y.h);
    conv_run(&c, &c.g, &o, again, (vox_range){0, c.g.y.d});
    assert_memory_equal(first.at, again.at, first.count * sizeof(float));
    conv_by_range(&c, &o, first);
    buffer_end(first), buffer_end(again);
    buffer_end(o.x), buffer_end(o.w), buffer_end(o.b), buffer_end(o.slope), buffer_end(o.skip);
}

/* Rows below, equal to, a multiple of and above the tile's width, for one, two and three blocks of channels.
 */
static void conv_every_width(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++)
        for (int blocks = 1; blocks <= 3; blocks++)
            for (int w = 1; w <= 2 * VOX_TILE_W + 2; w++) {
                conv_case c = conv_default(0);
                c.g.x = (vox_dims){1, 3, 1, 2, w, i & 1 ? 16 : 0, 0};
                c.g.y.c = 16 * blocks - (i & 1), c.g.y.block = i & 2 ? 16 : 0;
                c.g.kernel[2] = 3, c.g.pad[2] = 1, c.pad_end[2] = 1;
                c.g.stride[2] = i & 4 ? 2 : 1;
                c.skip = w % 3;
                assert_true(conv_shape(&c));
                conv_check(c);
            }
}

static void conv_random_spatial(conv_case *c) {
    vox_conv *g = &c->g;
    for (int a = 0; a < 3; a++) {
        g->kernel[a] = RANDOM_OF(1, 2, 3, 3, 3, 4);
        g->stride[a] = RANDOM_OF(1, 1, 1, 2, 2, 3);
        g->dilation[a] = RANDOM_OF(1, 1, 1, 2, 3);
        const int reach = (g->kernel[a] - 1) * g->dilation[a] + 1;
        g->pad[a] = random_int(0, 1) ? random_int(0, reach) : 0,
        c->pad_end[a] = random_int(0, 1) ? random_int(0, reach) : 0;
        c->output_pad[a] = c->transposed ? random_int(0, g->stride[a] - 1) : 0;
    }
    g->x.n = RANDOM_OF(1, 1, 2), g->x.d = random_int(1, 4), g->x.h = random_int(1, 4),
    g->x.w = random_int(1, 24);
}
static void conv_random_channels(conv_case *c) {
    vox_conv *g = &c->g;
    g->group = RANDOM_OF(1, 1, 1, 1, 2, 3);
    if (g->group == 1) {
        g->x.c = RANDOM_OF(1, 3, 5, 16, 17, 21, 32, 33, 48),
        g->y.c = RANDOM_OF(1, 3, 5, 16, 17, 21, 32, 33, 48, 64);
        g->x.block = RANDOM_OF(0, 16, 16), g->y.block = RANDOM_OF(0, 16, 16);
    } else if (random_int(0, 1)) {
        g->x.c = g->group * RANDOM_OF(16, 32), g->y.c = g->group * RANDOM_OF(16, 32, 48);
        g->x.block = g->y.block = 16;
    } else {
        g->x.c = g->group * RANDOM_OF(1, 2, 5, 16), g->y.c = g->group * RANDOM_OF(1, 2, 4, 5, 17);
    }
    g->chunk_ic = RANDOM_OF(0, 16, 32, 1000);
    static const vox_act acts[] = {VOX_ACT_NONE, VOX_ACT_RELU,    VOX_ACT_LEAKY_RELU, VOX_ACT_PRELU,
                                   VOX_ACT_ELU,  VOX_ACT_SIGMOID, VOX_ACT_TANH,       VOX_ACT_CLIP};
    g->ep = (vox_epilogue){acts[random_int(0, 7)], 0.25f, 0.75f};
    c->bias = random_int(0, 3) > 0;
    c->skip = c->transposed ? 0 : random_int(0, 2);
}

static void conv_random_cases(int transposed) {
    for (int i = 0, done = 0; done < RANDOM_CASES(250); i++) {
        conv_case c = conv_default(transposed);
        conv_random_spatial(&c);
        conv_random_channels(&c);
        if (!conv_shape(&c) || c.g.y.w > 80) continue;
        c.g.task_oc = random_int(1, 3), c.g.task_d = random_int(1, 2), c.g.task_h = random_int(1, 3);
        conv_check(c);
        done++;
    }
}
static void conv_random(void **state) {
    (void)state;
    conv_random_cases(0);
}
static void conv_transpose_random(void **state) {
    (void)state;
    conv_random_cases(1);
}

/* MeshNet: taps far apart, most of them in the padding. */
static void conv_wide_dilation(void **state) {
    (void)state;
    for (int dilation = 1; dilation <= 16; dilation *= 2)
        for (int w = 1; w < 40; w += 6) {
            conv_case c = conv_default(0);
            c.g.x = (vox_dims){1, 5, 3, 9, w, 16, 0}, c.g.y.c = 5, c.g.y.block = 16;
            for (int a = 0; a < 3; a++)
                c.g.kernel[a] = 3, c.g.dilation[a] = c.g.pad[a] = c.pad_end[a] = dilation;
            assert_true(conv_shape(&c));
            conv_check(c);
        }
}

/* 1x1x1: the rows of a plane are one; whatever the rows of a task. */
static void conv_pointwise(void **state) {
    (void)state;
    for (int w = 1; w < 20; w += 3)
        for (int task_h = 1; task_h <= 5; task_h++)
            for (int plain = 0; plain < 2; plain++) {
                conv_case c = conv_default(task_h % 2);
                c.g.x = (vox_dims){2, 33, 2, 5, w, 16, 0}, c.g.y.c = plain ? 3 : 40,
                c.g.y.block = plain ? 0 : 16;
                c.skip = c.transposed ? 0 : w % 2 + plain;
                c.g.task_h = task_h, c.g.task_oc = 2, c.g.task_d = task_h % 2 + 1;
                assert_true(conv_shape(&c));
                conv_check(c);
            }
}

/* Kernel, stride, dilation, pad and output pad of one axis, used for all three: every residue class, with and
 * without taps. */
static void conv_transpose_residues(void **state) {
    (void)state;
    static const int list[][5] = {{2, 2, 1, 0, 0}, {3, 2, 1, 1, 1}, {4, 2, 1, 1, 0}, {2, 3, 1, 0, 2},
                                  {3, 2, 2, 2, 1}, {5, 3, 2, 4, 0}, {1, 4, 1, 0, 3}, {3, 4, 2, 1, 2},
                                  {3, 1, 1, 1, 0}, {4, 4, 1, 0, 0}};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        for (int block = 0; block <= 16; block += 16) {
            conv_case c = conv_default(1);
            c.g.x = (vox_dims){1, 17, 2, 3, 9, block, 0}, c.g.y.c = 18, c.g.y.block = block;
            for (int a = 0; a < 3; a++) {
                c.g.kernel[a] = list[i][0], c.g.stride[a] = list[i][1], c.g.dilation[a] = list[i][2];
                c.g.pad[a] = c.pad_end[a] = list[i][3], c.output_pad[a] = list[i][4];
            }
            assert_true(conv_shape(&c));
            conv_check(c);
        }
}

/* Sums in chunks differ in rounding only, and a chunk of everything is no chunk. */
static void conv_chunks(void **state) {
    (void)state;
    for (int chunk = 16; chunk <= 112; chunk += 16) {
        conv_case c = conv_default(0);
        c.g.x = (vox_dims){1, 100, 3, 3, 20, 16, 0}, c.g.y.c = 48, c.g.y.block = 16, c.g.chunk_ic = chunk;
        c.g.kernel[0] = c.g.kernel[1] = c.g.kernel[2] = 3,
        c.g.ep.act = chunk % 32 ? VOX_ACT_RELU : VOX_ACT_ELU;
        c.g.ep.alpha = 1, c.skip = chunk / 16 % 3;
        assert_true(conv_shape(&c));
        conv_check(c);
    }
}

#endif
