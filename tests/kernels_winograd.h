/* Winograd convolution against the plain formula, and against itself when the work is cut otherwise. */
#ifndef KERNELS_WINOGRAD_H
#define KERNELS_WINOGRAD_H

#include <pthread.h>
#include "kernels_common.h"
#include "vox_check.h"

typedef struct winograd_buffers {
    buffer skip;              /* as y */
    int add;                  /* 1: it is added, 2: and y overwrites it where all of y is computed */
    buffer x, w, u, b, slope; /* w: as vox_f32_conv reads them, u: transformed */
    int bias, deep;           /* deep: through vox_f32_winograd_deep */
    double largest;           /* of the finite values of x */
} winograd_buffers;
typedef struct winograd_result {
    buffer y, crop, pool;
} winograd_result;

static vox_winograd winograd_default(int ic, int oc, int tile, int d, int h, int w) {
    return (vox_winograd){.x = {1, ic, d + 2, h + 2, w + 2, 16, 0},
                          .y = {1, oc, d, h, w, 16, 0},
                          .tile = {tile, tile, tile},
                          .dilation = {1, 1, 1},
                          .batch = 14,
                          .store = 1,
                          .workers = 1,
                          .run = 128};
}
static vox_conv winograd_plain(const vox_winograd *g) {
    vox_conv c = {.x = g->x, .y = g->y, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .group = 1, .ep = g->ep};
    for (int a = 0; a < 3; a++) c.dilation[a] = g->dilation[a], c.pad[a] = g->pad[a];
    return c;
}

/* The weights as a file has them, all positive or not, packed for both kernels by the runtime's own code. */
static void winograd_weights(const vox_winograd *g, int positive, winograd_buffers *o) {
    const size_t lanes = (size_t)(g->y.c + 15) / 16 * 16, ic = (size_t)g->x.c;
    const size_t points = (size_t)(g->tile[0] + 2) * (size_t)(g->tile[1] + 2) * (size_t)(g->tile[2] + 2);
    buffer file = buffer_random((size_t)g->y.c * ic * 27, 1);
    for (size_t i = 0; i < file.count; i++)
        if (positive)
            file.at[i] = fabsf(file.at[i]) + 0.01f;
        else if (random_int(0, 7) == 0)
            file.at[i] = 0; /* which times infinity is NaN */
    vox_weight w[2] = {{.pack = VOX_PACK_CONV}, {.pack = VOX_PACK_WINOGRAD}};
    w[0].packed = lanes * ic * 27 * sizeof(float), w[1].packed = lanes * ic * (points + 2) * sizeof(float);
    for (int i = 0; i < 2; i++) {
        w[i].dtype = VOX_F32, w[i].count = file.count, w[i].group = 1, w[i].kernel = 27;
        w[i].oc = g->y.c, w[i].ic = g->x.c, w[i].prepared = i ? 128 + w[0].packed : 128;
        memcpy(w[i].tile, g->tile, sizeof g->tile);
    }
    buffer prepared = buffer_new(32 + (w[0].packed + w[1].packed) / sizeof(float), 0);
    vox_weights_pack(file.at, 1, w, 2, prepared.at, prepared.count * sizeof(float));
    o->w = buffer_new(w[0].packed / sizeof(float), 0), o->u = buffer_new(w[1].packed / sizeof(float), 0);
    memcpy(o->w.at, prepared.at + 32, w[0].packed);
    memcpy(o->u.at, prepared.at + 32 + o->w.count, w[1].packed);
    buffer_end(prepared), buffer_end(file);
}

/* Lanes of x above IC hold NaN. */
static winograd_buffers winograd_operands(const vox_winograd *g, int deep) {
    const size_t lanes = (size_t)(g->y.c + 15) / 16 * 16;
    winograd_buffers o = {
        .x = tensor_random(&g->x), .b = buffer_random(lanes, 0), .slope = buffer_random(lanes, 0)};
    for (size_t i = 0; i < o.x.count; i++)
        if (o.x.at[i] > 1e29f) o.x.at[i] = NAN;
    o.skip = tensor_random(&g->y), o.add = random_int(0, 2);
    for (size_t i = (size_t)g->y.c; i < lanes; i++) o.b.at[i] = o.slope.at[i] = 0;
    o.bias = random_int(0, 3) > 0, o.deep = deep, o.largest = 1;
    winograd_weights(g, 0, &o);
    return o;
}
static void winograd_operands_end(winograd_buffers o) {
    buffer_end(o.x), buffer_end(o.w), buffer_end(o.u), buffer_end(o.b), buffer_end(o.slope);
    buffer_end(o.skip);
}
static winograd_result winograd_result_new(const vox_winograd *g) {
    buffer y = g->y.block ? tensor_poisoned(&g->y) : buffer_new(vox_ref_floats(&g->y), random_int(0, 1));
    return (winograd_result){y, tensor_poisoned(&g->crop), tensor_poisoned(&g->pool)};
}
static void winograd_result_end(winograd_result r) {
    buffer_end(r.y), buffer_end(r.crop), buffer_end(r.pool);
}

static int overwrites_skip(const vox_winograd *g, const winograd_buffers *o) {
    return o->add == 2 && g->store && g->y.ring == 0;
}
/* What each of them reads and writes; scratch is a lane's own. */
static vox_conv_operands winograd_named(const vox_winograd *g, const winograd_buffers *o,
                                        const winograd_result *r) {
    vox_conv_operands named = {.x = o->x.at,
                               .bias = o->bias ? o->b.at : NULL,
                               .slope = g->ep.act == VOX_ACT_PRELU ? o->slope.at : NULL,
                               .y = g->store ? r->y.at : NULL,
                               .crop = g->crop.c ? r->crop.at : NULL,
                               .pool = g->pool.c ? r->pool.at : NULL};
    if (o->deep)
        named.weights = o->w.at;
    else
        named.transformed = o->u.at;
    if (o->add) named.skip = overwrites_skip(g, o) ? r->y.at : o->skip.at;
    return named;
}

typedef struct winograd_call {
    const vox_winograd *g;
    vox_conv_operands o;
    vox_range range;
    int worker, phase, *next;
} winograd_call;
static size_t winograd_scratch_floats(const vox_winograd *g, const vox_conv_operands *o) {
    return g->tile[2] == 1 ? vox_winograd_few_scratch(g)
           : o->weights    ? vox_winograd_deep_scratch(g)
                           : vox_winograd_scratch(g);
}
/* The scratch of each stands between walls of its own. */
static void *winograd_worker(void *argument) {
    winograd_call c = *(const winograd_call *)argument;
    buffer scratch = buffer_new(winograd_scratch_floats(c.g, &c.o), 0);
    c.o.scratch = scratch.at;
    if (c.g->tile[2] == 1)
        vox_f32_winograd_few(c.g, c.o, c.range, c.worker, c.next);
    else if (c.o.weights)
        vox_f32_winograd_deep(c.g, c.o, c.range, c.worker, c.phase, c.next);
    else
        vox_f32_winograd(c.g, c.o, c.range, c.worker, c.next);
    buffer_end(scratch);
    return NULL;
}
/* All workers of a range, at the same time or one after the other. */
static void winograd_workers(const vox_winograd *g, vox_conv_operands o, vox_range range, int together) {
    buffer shared = buffer_new(o.weights ? vox_winograd_deep_shared(g, range) : 1, 0);
    o.shared = shared.at;
    for (int phase = 0; phase <= (o.weights != NULL); phase++) {
        int next = 0;
        winograd_call call = {g, o, range, 0, phase, &next};
        pthread_t thread[8];
        for (int i = 1; i < g->workers && together; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, winograd_worker, &call), 0);
        for (int i = 0; i < (together ? 1 : g->workers); i++) winograd_worker(&call);
        for (int i = 1; i < g->workers && together; i++) pthread_join(thread[i], NULL);
    }
    buffer_end(shared);
}
static void winograd_run(const vox_winograd *g, const winograd_buffers *o, winograd_result r, int begin,
                         int end) {
    if (overwrites_skip(g, o)) memcpy(r.y.at, o->skip.at, r.y.count * sizeof(float));
    winograd_workers(g, winograd_named(g, o, &r), (vox_range){begin, end}, 1);
}

static const char *winograd_text(const vox_winograd *g) {
    static char text[300];
    snprintf(
        text, sizeof text,
        "winograd x %d,%d,%d,%d,%d y %d,%d,%d,%d tile %d,%d,%d dil %d,%d,%d pad %d,%d,%d act %d batch %d",
        g->x.n, g->x.c, g->x.d, g->x.h, g->x.w, g->y.c, g->y.d, g->y.h, g->y.w, g->tile[0], g->tile[1],
        g->tile[2], g->dilation[0], g->dilation[1], g->dilation[2], g->pad[0], g->pad[1], g->pad[2],
        (int)g->ep.act, g->batch);
    return text;
}

/* The plain formula's value at an element of y, and what rounding is measured by. */
static double winograd_want(const vox_winograd *g, const winograd_buffers *o, vox_position at,
                            double *scale) {
    const vox_conv plain = winograd_plain(g);
    const vox_conv_operands named = {.x = o->x.at,
                                     .weights = o->w.at,
                                     .bias = o->bias ? o->b.at : NULL,
                                     .slope = o->slope.at,
                                     .skip = o->add ? o->skip.at : NULL};
    return vox_ref_conv(&plain, &named, at, scale);
}
/* The larger; NaN where either is. */
static double more_or_nan(double a, double b) {
    return isnan(a) || a > b ? a : b;
}
/* Neither is finite, and they are the same; or both are finite. */
static void same_class(double got, double want, const char *what) {
    if (isnan(got) == isnan(want) && isinf(got) == isinf(want) && (!isinf(got) || got == want)) return;
    print_error("%s: got %.9g, want %.9g\n", what, got, want);
    fail();
}
/* About `samples` elements of a box of y that starts at `first`, or of its maxima over 2x2x2 (step 2). */
static void winograd_compare_box(const vox_winograd *g, const winograd_buffers *o, const vox_dims *box,
                                 const int *first, int step, buffer got, int samples) {
    const int all = box->n * box->c * box->d * box->h * box->w, every = all > samples ? all / samples : 1;
    for (int i = all > 0 ? random_int(0, every - 1) : 0; i < all; i += every) {
        const vox_position at = position_of(box, i);
        double most = -(double)INFINITY, scale = 0;
        for (int k = 0; k < step * step * step; k++) {
            const vox_position of = {at.n, at.c, first[0] + at.d * step + (k >> 2),
                                     first[1] + at.h * step + (k >> 1 & 1), first[2] + at.w * step + (k & 1)};
            double size;
            const double want = winograd_want(g, o, of, &size);
            most = more_or_nan(want, most), scale = fmax(scale, size);
        }
        /* a tile's neighbours share its rounding errors: never less than what is usual for 27 * IC terms */
        const double is = vox_value_at(box, got.at, at);
        same_class(is, most, winograd_text(g));
        near(is, most, 4e-6, scale + o->largest * sqrt(3.0 * g->x.c), winograd_text(g));
    }
}
static void winograd_compare_some(const vox_winograd *g, const winograd_buffers *o, winograd_result r,
                                  int samples) {
    static const int origin[3] = {0, 0, 0};
    if (g->store) winograd_compare_box(g, o, &g->y, origin, 1, r.y, samples);
    winograd_compare_box(g, o, &g->crop, g->crop_begin, 1, r.crop, samples);
    winograd_compare_box(g, o, &g->pool, origin, 2, r.pool, samples);
}
static void winograd_compare(const vox_winograd *g, const winograd_buffers *o, winograd_result r) {
    winograd_compare_some(g, o, r, 300);
    if (g->store) all_finite(r.y);
    all_finite(r.crop), all_finite(r.pool);
}

static void winograd_check(const vox_winograd *g, int deep) {
    winograd_buffers o = winograd_operands(g, deep);
    winograd_result r = winograd_result_new(g);
    winograd_run(g, &o, r, 0, g->y.d);
    winograd_compare(g, &o, r);
    winograd_result_end(r), winograd_operands_end(o);
}

/* Tiles below, equal to, a multiple of and above the register tile and the batch; one to three output blocks.
 */
static void winograd_batches(void **state) {
    (void)state;
    for (int tiles = 1; tiles <= 2 * VOX_TILE_W + 2; tiles++)
        for (int blocks = 1; blocks <= 3; blocks++) {
            vox_winograd g =
                winograd_default(RANDOM_OF(3, 16, 20), 16 * blocks - tiles % 2, 2, 2, 2, 2 * tiles);
            g.batch = RANDOM_OF(1, VOX_TILE_W, VOX_TILE_W + 1, 64);
            winograd_check(&g, tiles / 2 % 2);
        }
}

static void winograd_random_space(vox_winograd *g) {
    int *x[3] = {&g->x.d, &g->x.h, &g->x.w}, *y[3] = {&g->y.d, &g->y.h, &g->y.w};
    for (int a = 0; a < 3; a++) {
        g->tile[a] = RANDOM_OF(2, 4), g->dilation[a] = RANDOM_OF(1, 1, 1, 2, 3);
        do {
            g->pad[a] = random_int(0, 1) ? random_int(0, 2 * g->dilation[a] + 1) : 0;
            *y[a] = random_int(1, 11);
            *x[a] = *y[a] + 2 * g->dilation[a] - g->pad[a] -
                    random_int(0, 1) * random_int(0, 2 * g->dilation[a] + 1);
        } while (*x[a] < 1);
    }
    g->x.n = g->y.n = RANDOM_OF(1, 1, 2);
}
static void winograd_random_outputs(vox_winograd *g) {
    g->crop = g->pool = (vox_dims){0};
    if (random_int(0, 1)) {
        g->crop = g->y;
        g->crop.d = random_int(1, g->y.d), g->crop.h = random_int(1, g->y.h),
        g->crop.w = random_int(1, g->y.w);
        g->crop_begin[0] = random_int(0, g->y.d - g->crop.d),
        g->crop_begin[1] = random_int(0, g->y.h - g->crop.h);
        g->crop_begin[2] = random_int(0, g->y.w - g->crop.w);
    }
    const int even = g->y.d > 1 && g->y.h > 1 && g->y.w > 1;
    if (even && g->dilation[0] * g->dilation[1] * g->dilation[2] == 1 && random_int(0, 1)) {
        g->pool = g->y;
        g->pool.d /= 2, g->pool.h /= 2, g->pool.w /= 2;
    }
    g->store = (g->crop.c == 0 && g->pool.c == 0) || random_int(0, 1);
}
static vox_winograd winograd_random_case(void) {
    static const vox_act acts[] = {VOX_ACT_NONE, VOX_ACT_RELU, VOX_ACT_LEAKY_RELU, VOX_ACT_PRELU,
                                   VOX_ACT_ELU,  VOX_ACT_RELU, VOX_ACT_SIGMOID,    VOX_ACT_TANH,
                                   VOX_ACT_CLIP, VOX_ACT_ABS,  VOX_ACT_NEG};
    vox_winograd g = winograd_default(RANDOM_OF(1, 3, 16, 17, 32, 40, 150),
                                      RANDOM_OF(1, 16, 21, 32, 33, 48, 70), 2, 2, 2, 2);
    winograd_random_space(&g);
    winograd_random_outputs(&g);
    g.ep = (vox_epilogue){acts[random_int(0, 10)], 0.25f, 0.75f};
    g.batch = RANDOM_OF(1, 3, 6, 14, 20, 28, 100);
    return g;
}
static void winograd_random(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(150); i++) {
        const vox_winograd g = winograd_random_case();
        winograd_check(&g, i % 2);
    }
}

static void winograd_same(buffer a, buffer b) {
    assert_memory_equal(a.at, b.at, a.count * sizeof(float));
}
/* Bit for bit what one lane computes in one batch. */
static void winograd_lanes(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(40); i++) {
        vox_winograd g = winograd_random_case();
        g.batch = 1000;
        winograd_buffers o = winograd_operands(&g, i % 2);
        winograd_result one = winograd_result_new(&g), many = winograd_result_new(&g);
        winograd_run(&g, &o, one, 0, g.y.d);
        g.batch = random_int(1, 20), g.workers = random_int(2, 5);
        winograd_run(&g, &o, many, 0, g.y.d);
        winograd_same(one.y, many.y), winograd_same(one.crop, many.crop), winograd_same(one.pool, many.pool);
        winograd_result_end(one), winograd_result_end(many), winograd_operands_end(o);
    }
}

/* Plane z of all channels, from one tensor to another. */
static void copy_plane(const vox_dims *from, buffer x, const vox_dims *to, buffer y, int z) {
    const int block = from->block ? 16 : 1;
    const size_t floats = (size_t)(from->h * from->w * block);
    for (int n = 0; n < from->n; n++)
        for (int c = 0; c < from->c; c += block)
            memcpy(y.at + vox_ref_at(to, n, c, z, 0, 0), x.at + vox_ref_at(from, n, c, z, 0, 0),
                   floats * sizeof(float));
}
/* Output planes [begin, end) of a ring are those of the whole. */
static void same_results(const vox_dims *ring, buffer a, const vox_dims *whole, buffer b, int begin,
                         int end) {
    const int block = whole->block ? 16 : 1;
    const size_t floats = (size_t)(whole->h * whole->w * block);
    for (int z = vox_max_int(begin, 0); z < vox_min_int(end, whole->d); z++)
        for (int n = 0; n < whole->n; n++)
            for (int c = 0; c < whole->c; c += block)
                assert_memory_equal(a.at + vox_ref_at(ring, n, c, z, 0, 0),
                                    b.at + vox_ref_at(whole, n, c, z, 0, 0), floats * sizeof(float));
}
/* Range by range through rings that hold just what a range reads and writes. */
static void winograd_by_range(const vox_winograd *g, const winograd_buffers *o, winograd_result whole,
                              int planes) {
    vox_winograd part = *g;
    part.workers = random_int(1, 3);
    const int reach = planes + 2 * g->dilation[0];
    part.x.ring = reach + random_int(0, 2), part.y.ring = planes + random_int(0, 1);
    part.skip_ring = planes + random_int(0, 1);
    part.crop.ring = planes, part.pool.ring = planes / 2 + random_int(0, 1);
    winograd_buffers rings = *o;
    vox_dims skip = g->y;
    skip.ring = part.skip_ring;
    rings.x = tensor_poisoned(&part.x), rings.skip = tensor_poisoned(&skip);
    winograd_result r = winograd_result_new(&part);
    for (int begin = 0, end; begin < g->y.d; begin = end) {
        end = vox_min_int(begin + planes, g->y.d);
        for (int z = begin - g->pad[0]; z < end - g->pad[0] + 2 * g->dilation[0]; z++)
            if (z >= 0 && z < g->x.d) copy_plane(&g->x, o->x, &part.x, rings.x, z);
        for (int z = begin; z < end; z++) copy_plane(&g->y, o->skip, &skip, rings.skip, z);
        winograd_run(&part, &rings, r, begin, end);
        if (g->store) same_results(&part.y, r.y, &g->y, whole.y, begin, end);
        same_results(&part.crop, r.crop, &g->crop, whole.crop, begin - g->crop_begin[0],
                     end - g->crop_begin[0]);
        same_results(&part.pool, r.pool, &g->pool, whole.pool, begin / 2, end / 2);
    }
    buffer_end(rings.x), buffer_end(rings.skip), winograd_result_end(r);
}
static void winograd_ranges_and_rings(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        const vox_winograd g = winograd_random_case();
        winograd_buffers o = winograd_operands(&g, i % 2);
        winograd_result whole = winograd_result_new(&g);
        winograd_run(&g, &o, whole, 0, g.y.d);
        winograd_by_range(&g, &o, whole, g.tile[0] * g.dilation[0] * random_int(1, 2));
        winograd_result_end(whole), winograd_operands_end(o);
    }
}

/* ---- memory: neither more nor less than is needed ------------------------------------------- */

/* Up to where a buffer that held its walls' NaN was written to. */
static size_t touched(buffer b) {
    size_t n = b.count;
    while (n > 0 && memcmp(&b.at[n - 1], &wall_bits, sizeof wall_bits) == 0) n--;
    return n;
}

/* Plain tensors of few channels: every number of output channels, widths around a vector and a tile. */
static vox_winograd winograd_few_case(int oc) {
    vox_winograd g = winograd_random_case();
    g.crop = g.pool = (vox_dims){0};
    g.store = 1, g.batch = 1;
    g.tile[0] = g.tile[1] = 4, g.tile[2] = 1;
    g.x.block = g.y.block = 0;
    g.x.c = RANDOM_OF(1, 3, 5, 11, 17), g.y.c = oc;
    const int reach = g.x.w - g.y.w;
    g.y.w = RANDOM_OF(1, 7, 15, 16, 17, 32, 48, 64, 70);
    g.x.w = vox_max_int(g.y.w + reach, 1);
    return g;
}
static void winograd_few(void **state) {
    (void)state;
    for (int i = 0; i < 10 * VOX_FEW_MOST; i++) {
        vox_winograd g = winograd_few_case(i % VOX_FEW_MOST + 1);
        winograd_buffers o = winograd_operands(&g, 0);
        winograd_result one = winograd_result_new(&g), many = winograd_result_new(&g);
        winograd_run(&g, &o, one, 0, g.y.d);
        winograd_compare(&g, &o, one);
        winograd_by_range(&g, &o, one, 4 * g.dilation[0] * random_int(1, 2));
        g.workers = random_int(2, 5);
        winograd_run(&g, &o, many, 0, g.y.d);
        winograd_same(one.y, many.y);
        winograd_result_end(one), winograd_result_end(many), winograd_operands_end(o);
    }
}

/* Outputs that are stored past the caches. */
static void winograd_few_large(void **state) {
    (void)state;
    vox_winograd g = winograd_default(2, 12, 4, 40, 100, 96);
    g.tile[2] = 1, g.x.block = g.y.block = 0, g.ep.act = VOX_ACT_RELU;
    for (int i = 0; i < CASES(4); i++) winograd_check(&g, 0); /* aligned or not */
}

static int winograd_probe(vox_probe *p, const vox_winograd *g, const winograd_buffers *o, winograd_result r) {
    vox_conv_operands named = winograd_named(g, o, &r);
    if (o->add) named.skip = o->skip.at;
    return vox_check_winograd(p, g, named);
}
/* The self-test's samples accept every output that is right, and see a wrong one. */
static void winograd_self_check(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(40); i++) {
        vox_winograd g = winograd_random_case();
        g.x.n = g.y.n = 1, g.crop.n = vox_min_int(g.crop.n, 1), g.pool.n = vox_min_int(g.pool.n, 1);
        winograd_buffers o = winograd_operands(&g, i % 2);
        winograd_result r = winograd_result_new(&g);
        vox_probe p = {.random = (uint64_t)i, .end = g.y.d, .samples = VOX_PROBE_SAMPLES};
        winograd_run(&g, &o, r, 0, g.y.d);
        assert_int_equal(winograd_probe(&p, &g, &o, r), 0);
        buffer bad = g.store ? r.y : g.crop.c ? r.crop : r.pool;
        bad.at[0] += 100; /* corners are always sampled */
        assert_int_equal(winograd_probe(&p, &g, &o, r), 1);
        winograd_result_end(r), winograd_operands_end(o);
    }
}

/* Between rounding and faults: large tiles of many channels use less than half of what the self-test allows;
 * a corner, which is always sampled, that is off by 3e-3 of the RMS of sums of 1728 products is refused. */
static void selftest_tolerance(void **state) {
    (void)state;
    const vox_dims t = {1, 64, 8, 8, 8, VOX_BLOCK, 0};
    const vox_winograd g = {.x = t,
                            .y = t,
                            .tile = {4, 4, 4},
                            .dilation = {1, 1, 1},
                            .pad = {1, 1, 1},
                            .batch = 8,
                            .workers = 1,
                            .run = 32,
                            .store = 1};
    winograd_buffers o = winograd_operands(&g, 0);
    winograd_result r = winograd_result_new(&g);
    vox_probe p = {.random = 1, .end = g.y.d, .samples = VOX_PROBE_SAMPLES};
    winograd_run(&g, &o, r, 0, g.y.d);
    assert_int_equal(winograd_probe(&p, &g, &o, r), 0);
    assert_true(p.worst > 0 && p.worst < 0.5);
    double squares = 0;
    for (size_t i = 0; i < r.y.count; i++) squares += (double)r.y.at[i] * (double)r.y.at[i];
    r.y.at[0] += (float)(3e-3 * sqrt(squares / (double)r.y.count));
    assert_int_equal(winograd_probe(&p, &g, &o, r), 1);
    winograd_result_end(r), winograd_operands_end(o);
}

#endif
