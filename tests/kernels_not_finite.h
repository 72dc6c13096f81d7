/* What is not finite or very large in the input of a Winograd convolution: every output is what the
 * definition says, whoever computes it. */
#ifndef KERNELS_NOT_FINITE_H
#define KERNELS_NOT_FINITE_H

#include "kernels_winograd.h"

/* NaN, infinities, denormals, and at most one value so large that transformed inputs overflow. */
static void winograd_spoil(const vox_winograd *g, winograd_buffers *o) {
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e-40f, -1e-45f, 3e38f, -3e38f};
    for (int i = random_int(1, 4), last = 6; i > 0; i--) {
        const int kind = random_int(0, last);
        if (kind > 4) o->largest = 3e38, last = 4;
        o->x.at[vox_ref_at(&g->x, random_int(0, g->x.n - 1), random_int(0, g->x.c - 1),
                           random_int(0, g->x.d - 1), random_int(0, g->x.h - 1), random_int(0, g->x.w - 1))] =
            bad[kind];
    }
}
/* Outputs that no bad value belongs to are as they are without; also range by range. */
static void winograd_not_finite(void **state) {
    (void)state;
    for (int i = 0; i < CASES(120); i++) {
        vox_winograd g = winograd_random_case();
        g.x.c = RANDOM_OF(1, 3, 17), g.y.c = RANDOM_OF(1, 16, 21);
        if (g.crop.c) g.crop.c = g.y.c;
        if (g.pool.c) g.pool.c = g.y.c;
        winograd_buffers o = winograd_operands(&g, i % 2);
        winograd_spoil(&g, &o);
        winograd_result whole = winograd_result_new(&g);
        winograd_run(&g, &o, whole, 0, g.y.d);
        winograd_compare_some(&g, &o, whole, 3000);
        winograd_by_range(&g, &o, whole, g.tile[0] * g.dilation[0]);
        winograd_result_end(whole), winograd_operands_end(o);
    }
}

/* NaN, infinities or both in any share of the input; large values among them or not. The outputs are right,
 * and one lane's and several lanes' are the same bits. */
static void winograd_spoil_share(const vox_winograd *g, winograd_buffers *o) {
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e35f, -1e34f}; /* no sum is beyond a float */
    const int share = RANDOM_OF(1, 30, 300, 700, 1000), from = random_int(0, 2), to = random_int(from, 2);
    const int large = random_int(0, 3) == 0;
    if (large) o->largest = 1e35;
    FOR_TENSOR(&g->x, n, c, d, h, w) {
        if (random_int(1, 1000) <= share)
            o->x.at[vox_ref_at(&g->x, n, c, d, h, w)] = bad[random_int(from, to)];
        if (large && random_int(1, 100) == 1)
            o->x.at[vox_ref_at(&g->x, n, c, d, h, w)] = bad[random_int(3, 4)];
    }
}
static void winograd_rare_case(vox_winograd g, int deep) {
    winograd_buffers o = winograd_operands(&g, deep);
    winograd_spoil_share(&g, &o);
    g.workers = 1;
    winograd_result one = winograd_result_new(&g), many = winograd_result_new(&g);
    winograd_run(&g, &o, one, 0, g.y.d);
    winograd_compare_some(&g, &o, one, 2000);
    g.workers = random_int(2, 5);
    winograd_run(&g, &o, many, 0, g.y.d);
    if (g.store) winograd_same(one.y, many.y);
    winograd_result_end(one), winograd_result_end(many), winograd_operands_end(o);
}
static void winograd_many_not_finite(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(90); i++) {
        vox_winograd g = winograd_random_case();
        g.x.c = RANDOM_OF(1, 3, 17, 40), g.y.c = RANDOM_OF(1, 16, 21, 70);
        if (g.crop.c) g.crop.c = g.y.c;
        if (g.pool.c) g.pool.c = g.y.c;
        winograd_rare_case(g, i % 2);
    }
}

static void winograd_few_not_finite(void **state) {
    (void)state;
    for (int i = 0; i < CASES(5 * VOX_FEW_MOST); i++) {
        vox_winograd g = winograd_few_case(i % VOX_FEW_MOST + 1);
        winograd_buffers o = winograd_operands(&g, 0);
        winograd_spoil(&g, &o);
        winograd_result r = winograd_result_new(&g);
        winograd_run(&g, &o, r, 0, g.y.d);
        winograd_compare_some(&g, &o, r, 3000);
        winograd_result_end(r), winograd_operands_end(o);
    }
}

static void winograd_few_many_not_finite(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(5 * VOX_FEW_MOST); i++)
        winograd_rare_case(winograd_few_case(i % VOX_FEW_MOST + 1), 0);
}

#endif
