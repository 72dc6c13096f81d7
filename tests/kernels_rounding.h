/* How far the sums of Winograd's algorithm are rounded, against direct sums and what the compiler says of them. */
#ifndef KERNELS_ROUNDING_H
#define KERNELS_ROUNDING_H

#include "kernels_winograd.h"

/* A direct sum, product after product. */
static float winograd_direct(const vox_winograd *g, const winograd_buffers *o, vox_position at) {
    const vox_conv plain = winograd_plain(g);
    float sum = o->bias ? o->b.at[at.c] : 0;
    for (int tap = 0; tap < 27; tap++) {
        const int kd = tap / 9, kh = tap / 3 % 3, kw = tap % 3;
        const vox_position of = {at.n, 0, at.d + kd, at.h + kh, at.w + kw}; /* nothing is padded */
        for (int c = 0; c < g->x.c; c++)
            sum += o->w.at[vox_ref_weight(&plain, at.c, kd, kh, kw, c)] *
                   o->x.at[vox_ref_at(&g->x, of.n, c, of.d, of.h, of.w)];
    }
    return sum;
}
/* Root mean square errors against the output's, 64 channels: of the algorithm, and *direct of direct sums. */
static double winograd_error(int tile, int deep, double *direct) {
    vox_winograd g = winograd_default(64, 32, tile, 4, 8, 8);
    winograd_buffers o = winograd_operands(&g, deep);
    winograd_result r = winograd_result_new(&g);
    double error = 0, usual = 0, all = 0;
    o.add = 0;
    winograd_run(&g, &o, r, 0, g.y.d);
    FOR_TENSOR(&g.y, n, c, d, h, w) {
        double scale;
        const vox_position at = {n, c, d, h, w};
        const double want = winograd_want(&g, &o, at, &scale);
        error += pow((double)r.y.at[vox_ref_at(&g.y, n, c, d, h, w)] - want, 2), all += want * want;
        usual += pow((double)winograd_direct(&g, &o, at) - want, 2);
    }
    winograd_result_end(r), winograd_operands_end(o);
    *direct = sqrt(usual / all);
    return sqrt(error / all);
}
/* Not above what manifest.json says that rounding is to a direct sum's, and not so far below that it would say
 * nothing. */
static void winograd_accuracy(void **state) {
    (void)state;
    const double most = VOX_ROUNDING_4 * VOX_ROUNDING_4 * VOX_ROUNDING_4;
    for (int deep = 0; deep < 2; deep++) {
        double direct;
        const double two = winograd_error(2, deep, &direct);
        assert_true(two < 1e-6 && two <= direct);
        const double four = winograd_error(4, deep, &direct);
        assert_true(four < 3e-6 && four <= most * direct && four > most / 1.5 * direct);
    }
}

#endif
