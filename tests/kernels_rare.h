/* What is not finite or very large in the input must not slow a kernel down much, whatever its share. */
#ifndef KERNELS_RARE_H
#define KERNELS_RARE_H

#include <time.h>
#include "kernels_winograd.h"

static double rare_cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static double rare_seconds(const vox_winograd *g, const winograd_buffers *o, winograd_result r) {
    const double start = rare_cpu_seconds();
    winograd_run(g, o, r, 0, g->y.d);
    return rare_cpu_seconds() - start;
}

/* Half of the values scattered, the other half in one block of the first planes. */
static void rare_spoil(const vox_winograd *g, buffer x, const float kind[2], double share) {
    const int planes = (int)(share / 2 * g->x.d);
    FOR_TENSOR(&g->x, n, c, d, h, w) {
        const int is_bad = d < planes || random_bits() < share / 2 * 2147483648.0;
        if (is_bad) x.at[vox_ref_at(&g->x, n, c, d, h, w)] = kind[random_int(0, 1)];
    }
}

/* The processor's time against that of finite inputs, as soon as it is below `limit`, or else the least of
 * many trials: others use the machine as well. */
static double rare_ratio(const vox_winograd *g, const winograd_buffers *finite, const winograd_buffers *bad,
                         winograd_result r, double limit) {
    double usual = INFINITY, least = INFINITY;
    for (int i = 0; i < 15 && (i < 2 || least > limit * usual); i++) {
        usual = fmin(usual, rare_seconds(g, finite, r));
        least = fmin(least, rare_seconds(g, bad, r));
    }
    return least / usual;
}

/* positive: so are all weights, by which no sum of infinities of one sign becomes NaN. */
static void rare_check(vox_winograd g, int deep, int positive, const char *name) {
    static const float kinds[][2] = {
        {NAN, NAN}, {INFINITY, INFINITY}, {-INFINITY, INFINITY}, {3e38f, -3e38f}, {2e34f, INFINITY}};
    static const double shares[] = {1e-4, 1e-3, 1e-2, 0.1, 1};
    const double limit = positive ? 3.4 : 4; /* 1 to 2.4, else to 3.5, on a quiet machine */
    winograd_buffers finite = winograd_operands(&g, deep);
    if (positive) buffer_end(finite.w), buffer_end(finite.u), winograd_weights(&g, 1, &finite);
    winograd_buffers bad = finite;
    winograd_result r = winograd_result_new(&g);
    finite.add = bad.add = 0;
    bad.x = tensor_poisoned(&g.x);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
            memcpy(bad.x.at, finite.x.at, bad.x.count * sizeof(float));
            rare_spoil(&g, bad.x, kinds[k], shares[s]);
            const double ratio = rare_ratio(&g, &finite, &bad, r, limit);
            if (ratio <= limit) continue;
            print_error("%s: %.1f times as long with a share of %g of %g and %g\n", name, ratio, shares[s],
                        (double)kinds[k][0], (double)kinds[k][1]);
            fail();
        }
    buffer_end(bad.x), winograd_result_end(r), winograd_operands_end(finite);
}

static void winograd_not_finite_takes_no_longer(void **state) {
    (void)state;
    /* emulated: takes its time otherwise, as do builds that are not optimised as bundles' are, or emulate a width */
    if (KERNELS_SHARE > 1) return;
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&              \
    !defined(VOX_WIDE) && defined(__AVX2__)
    rare_check(winograd_default(64, 64, 4, 8, 12, 12), 0, 0, "F(4)");
    rare_check(winograd_default(64, 64, 4, 8, 12, 12), 0, 1, "F(4), positive weights");
    rare_check(winograd_default(16, 16, 4, 8, 16, 16), 0, 0, "F(4), few channels");
    rare_check(winograd_default(32, 32, 2, 8, 8, 12), 0, 0, "F(2)");
    rare_check(winograd_default(96, 64, 4, 8, 8, 12), 1, 0, "deep F(4)");
    rare_check(winograd_default(64, 64, 2, 4, 8, 8), 1, 0, "deep F(2)");
    vox_winograd few = winograd_default(16, 4, 4, 8, 16, 64);
    few.tile[2] = 1, few.x.block = few.y.block = 0;
    rare_check(few, 0, 0, "plain tensors");
#else
    (void)rare_check;
#endif
}

/* Softmax over 8 channels (act < 0), or an activation. */
static double rare_map_seconds(int act, const float *x, float *y, int n) {
    const vox_epilogue ep = {act < 0 ? VOX_ACT_NONE : (vox_act)act, -0.5f, 2};
    const vox_reduce g = {.outer = 1, .axis = 8, .inner = n / 8};
    const double start = rare_cpu_seconds();
    if (act >= 0) vox_activate_run(&ep, 0.3f, x, y, n);
    for (int t = act < 0 ? vox_reduce_tasks(&g, no_planes) : 0; t-- > 0;)
        vox_f32_softmax(&g, (vox_xy){x, y}, no_planes, t);
    return rare_cpu_seconds() - start;
}
static void rare_map_check(int act, const float kind[2]) {
    enum { N = 1 << 13, LIMIT = 4 }; /* 1 to 2.6 on a quiet machine */
    buffer x = buffer_random(N, 0), bad = buffer_new(N, 0), y = buffer_new(N, 0);
    double usual = INFINITY, least = INFINITY;
    for (int i = 0; i < N; i++) {
        if (act == VOX_ACT_LOG || act == VOX_ACT_SQRT) x.at[i] = fabsf(x.at[i]) + 0.01f;
        bad.at[i] = random_int(0, 1) ? kind[random_int(0, 1)] : x.at[i];
    }
    for (int i = 0; i < 50 && (i < 3 || least > LIMIT * usual); i++) {
        usual = fmin(usual, rare_map_seconds(act, x.at, y.at, N));
        least = fmin(least, rare_map_seconds(act, bad.at, y.at, N));
    }
    if (least > LIMIT * usual) {
        print_message("activation %d (-1: softmax): %.1f times as long with %g and %g\n", act, least / usual,
                      (double)kind[0], (double)kind[1]);
        fail();
    }
    buffer_end(x), buffer_end(bad), buffer_end(y);
}
static void maps_not_finite_take_no_longer(void **state) {
    (void)state;
    if (KERNELS_SHARE > 1) return;
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    static const float kinds[][2] = {{NAN, NAN}, {-INFINITY, INFINITY}, {3e38f, -3e38f}, {2e34f, INFINITY}};
    for (int act = -1; act <= VOX_ACT_ROUND; act++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) rare_map_check(act, kinds[k]);
#else
    (void)rare_map_check;
#endif
}

#endif
