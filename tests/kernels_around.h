/* Convolutions that normalise what they load and sum up what they store, against the kernels that do just
 * that. */
#ifndef KERNELS_AROUND_H
#define KERNELS_AROUND_H

#include "kernels_conv.h"
#include "kernels_winograd.h"

/* What a conv normalises on load, the same normalised beforehand, and room for the sums of y. */
typedef struct around_buffers {
    vox_around around;
    buffer terms, slope, normal, sums;
    vox_dims y;
    int total; /* slots */
} around_buffers;

static around_buffers around_new(const vox_dims *x, buffer data, const vox_dims *y, int slots, int ranges,
                                 vox_act act) {
    around_buffers b = {.terms = buffer_random((size_t)(3 * x->n * x->c), 1), .y = *y};
    b.slope = buffer_random((size_t)(x->c + 15) / 16 * 16, 0), b.normal = tensor_poisoned(x);
    b.total = slots * ranges;
    b.sums = buffer_new((size_t)(b.total * ((y->c + 15) / 16) * VOX_SUMS) * 2, 0);
    b.around = (vox_around){.terms = b.terms.at,
                            .slope = b.slope.at,
                            .sums = (double *)(void *)b.sums.at,
                            .planes = (y->d + ranges - 1) / ranges,
                            .slots = slots};
    b.around.ep = (vox_epilogue){act, 0.25f, 0};
    const vox_norm g = {.x = *x, .ep = b.around.ep};
    const vox_normalise_operands o = {data.at, b.terms.at, b.slope.at, b.normal.at};
    for (int t = vox_norm_tasks(&g, whole_of(x)) - 1; t >= 0; t--) vox_f32_normalise(&g, o, whole_of(x), t);
    return b;
}

static vox_act around_random_act(void) {
    return (vox_act)RANDOM_OF(VOX_ACT_NONE, VOX_ACT_RELU, VOX_ACT_LEAKY_RELU, VOX_ACT_PRELU);
}

/* The terms that the sums give are those of y. */
static void around_check_sums(const around_buffers *b, buffer y, const char *what) {
    vox_norm_terms g = {.x = b->y, .groups = b->y.c, .eps = 1e-5};
    const size_t lanes = (size_t)(b->y.c + 15) / 16 * 16;
    buffer ones = buffer_new(lanes, 0), zeros = buffer_new(lanes, 0);
    buffer want = buffer_new((size_t)(3 * b->y.c), 1), got = buffer_new(want.count, 1);
    for (size_t l = 0; l < lanes; l++) ones.at[l] = 1, zeros.at[l] = 0;
    vox_norm_terms_operands o = {.x = y.at, .scale = ones.at, .bias = zeros.at, .y = want.at};
    for (int t = 0; t < vox_norm_terms_tasks(&g, no_planes); t++) vox_f32_norm_terms(&g, o, no_planes, t);
    g.slots = b->total;
    o.x = NULL, o.sums = b->around.sums, o.y = got.at;
    for (int t = 0; t < vox_norm_terms_tasks(&g, no_planes); t++) vox_f32_norm_terms(&g, o, no_planes, t);
    /* Rounding errors of the sums of some dozens of floats that a slot joins at a time, several units each;
     * those of the squares count half in the factor, and more where the first few voxels, from which the
     * differences are taken, lie some deviations from the mean. */
    for (int c = 0; c < b->y.c; c++) {
        const double factor = (double)want.at[b->y.c + c];
        near((double)got.at[b->y.c + c], factor, 5e-6, factor, what);
        near((double)got.at[c] * factor, (double)want.at[c] * factor, 1e-6,
             1 + fabs((double)want.at[c]) * factor, what);
    }
    buffer_end(ones), buffer_end(zeros), buffer_end(want), buffer_end(got);
}

static void around_end(around_buffers b) {
    buffer_end(b.terms), buffer_end(b.slope), buffer_end(b.normal), buffer_end(b.sums);
}

/* Equal, but for the sign of zeros. */
static void around_same(buffer a, buffer b) {
    for (size_t i = 0; i < a.count; i++) assert_true(a.at[i] == b.at[i]);
}

/* ---- direct ---------------------------------------------------------------------------------- */

static void around_conv_run(const conv_case *c, const vox_around *around, const conv_buffers *o, buffer x,
                            buffer y) {
    const vox_range all = {0, c->g.y.d};
    vox_conv_operands named = conv_named(c, o, y);
    named.x = x.at, named.skip = NULL;
    if (around) named.around = *around;
    for (int i = vox_conv_tasks(&c->g, all) - 1; i >= 0; i--) vox_f32_conv(&c->g, named, all, i);
}

static void around_conv_check(conv_case *c, int load) {
    vox_conv *g = &c->g;
    const conv_buffers o = conv_operands(c);
    const int slots = vox_parts(g->y.d, g->task_d) * vox_parts(g->y.h, g->task_h);
    around_buffers b = around_new(&g->x, o.x, &g->y, slots, 1, around_random_act());
    buffer y = tensor_poisoned(&g->y), want = tensor_poisoned(&g->y);
    if (!g->y.block) b.around.sums = NULL;
    if (!load) b.around.terms = NULL;
    around_conv_run(c, &b.around, &o, o.x, y);
    around_conv_run(c, NULL, &o, load ? b.normal : o.x, want);
    around_same(y, want);
    if (g->y.block) around_check_sums(&b, y, conv_text(c));
    around_end(b), buffer_end(y), buffer_end(want);
    buffer_end(o.x), buffer_end(o.w), buffer_end(o.b), buffer_end(o.slope), buffer_end(o.skip);
}

/* Sums of any conv with blocked results; on load, pointwise ones with blocked operands. */
static void around_conv(void **state) {
    (void)state;
    for (int i = 0, done = 0; done < RANDOM_CASES(80); i++) {
        conv_case c = conv_default(0);
        const int load = done % 2;
        if (!load) conv_random_spatial(&c);
        conv_random_channels(&c);
        if (load)
            c.g.group = 1, c.g.x.block = 16, c.g.y.block = RANDOM_OF(0, 16),
            c.g.x.c = RANDOM_OF(3, 16, 40, 256);
        if (load) c.g.x.d = 2, c.g.x.h = random_int(1, 5), c.g.x.w = random_int(1, 2 * VOX_TILE_W + 2);
        c.g.x.n = 1;
        if ((!load && !c.g.y.block) || !conv_shape(&c) || c.g.y.w > 80) continue;
        c.g.task_oc = random_int(1, 3), c.g.task_d = random_int(1, 2), c.g.task_h = random_int(1, 3);
        around_conv_check(&c, load);
        done++;
    }
}

/* ---- Winograd -------------------------------------------------------------------------------- */

/* Some planes at a time. */
static void around_winograd_run(const vox_winograd *g, const vox_around *around, const winograd_buffers *o,
                                const float *x, winograd_result r, int together) {
    vox_conv_operands named = winograd_named(g, o, &r);
    const int planes = around ? around->planes : g->y.d;
    named.x = x, named.bias = o->b.at, named.skip = NULL;
    if (around) named.around = *around;
    for (int begin = 0; begin < g->y.d; begin += planes)
        winograd_workers(g, named, (vox_range){begin, vox_min_int(begin + planes, g->y.d)}, together);
}

static void around_winograd_case(int deep) {
    vox_winograd g = winograd_random_case();
    g.crop = g.pool = (vox_dims){0}, g.store = 1, g.x.n = g.y.n = 1, g.workers = random_int(1, 4);
    winograd_buffers o = winograd_operands(&g, deep);
    const int grain = g.tile[0] * g.dilation[0], planes = deep ? grain * random_int(1, 2) : g.y.d;
    const int ranges = (g.y.d + planes - 1) / planes;
    const vox_winograd_run r = vox_winograd_run_of(&g, (vox_range){0, vox_min_int(planes, g.y.d)});
    const int slots = deep ? vox_parts(r.total, g.batch) : r.items;
    around_buffers b = around_new(&g.x, o.x, &g.y, slots, ranges, around_random_act());
    buffer y = tensor_poisoned(&g.y), want = tensor_poisoned(&g.y);
    b.around.planes = planes;
    around_winograd_run(&g, &b.around, &o, o.x.at, (winograd_result){.y = y}, 0);
    around_winograd_run(&g, NULL, &o, b.normal.at, (winograd_result){.y = want}, 0);
    around_same(y, want);
    around_check_sums(&b, y, winograd_text(&g));
    buffer sums = buffer_new(b.sums.count, 0); /* the same bits from lanes at the same time */
    vox_around other = b.around;
    other.sums = (double *)(void *)sums.at;
    around_winograd_run(&g, &other, &o, o.x.at, (winograd_result){.y = want}, 1);
    for (int block = 0, blocks = (g.y.c + 15) / 16; block < blocks; block++)
        for (int s = 0; s < b.total * 2; s++)
            for (int c = 0; c < vox_min_int(16, g.y.c - 16 * block); c++) {
                const size_t at = (size_t)(((s / 2 * blocks + block) * 2 + s % 2) * 16 + c);
                assert_true(other.sums[at] == b.around.sums[at]);
            }
    buffer_end(sums), buffer_end(y), buffer_end(want), around_end(b), winograd_operands_end(o);
}
static void around_winograd(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(100); i++) around_winograd_case(i % 2);
}

/* What is not finite spoils what it spoils when normalised beforehand. (But relu makes NaN of -infinity,
 * which real terms do anyway.) */
static void around_not_finite(void **state) {
    (void)state;
    for (int deep = 0; deep < 2; deep++) {
        const vox_winograd g = winograd_default(20, 20, 4, 9, 7, 8);
        winograd_buffers o = winograd_operands(&g, deep);
        o.x.at[vox_ref_at(&g.x, 0, 17, 3, 4, 5)] = INFINITY;
        around_buffers b = around_new(&g.x, o.x, &g.y, 4, 1, VOX_ACT_LEAKY_RELU);
        buffer y = tensor_poisoned(&g.y), want = tensor_poisoned(&g.y);
        b.around.sums = NULL;
        around_winograd_run(&g, &b.around, &o, o.x.at, (winograd_result){.y = y}, 0);
        around_winograd_run(&g, NULL, &o, b.normal.at, (winograd_result){.y = want}, 0);
        for (size_t i = 0; i < y.count; i++) assert_true(isfinite(y.at[i]) == isfinite(want.at[i]));
        buffer_end(y), buffer_end(want), around_end(b), winograd_operands_end(o);
    }
}

#endif
