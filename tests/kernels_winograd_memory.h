/* How much memory the Winograd kernels touch, and how they share their batches out. */
#ifndef KERNELS_WINOGRAD_MEMORY_H
#define KERNELS_WINOGRAD_MEMORY_H

#include "kernels_winograd.h"

/* Where rounding up adds nothing, every float of scratch and shared memory has its use, but `spare` ones. */
static void winograd_needs(const vox_winograd *g, int deep, size_t spare) {
    const vox_range all = {0, g->y.d};
    winograd_buffers o = winograd_operands(g, deep);
    winograd_result r = winograd_result_new(g);
    vox_conv_operands named = winograd_named(g, &o, &r);
    named.skip = NULL;
    buffer shared = buffer_new(deep ? vox_winograd_deep_shared(g, all) : 0, 0);
    buffer scratch = buffer_new(winograd_scratch_floats(g, &named), 0);
    named.shared = shared.at, named.scratch = scratch.at;
    int next[2] = {0, 0};
    if (g->tile[2] == 1)
        vox_f32_winograd_few(g, named, all, 0, next);
    else if (!deep)
        vox_f32_winograd(g, named, all, 0, next);
    for (int phase = 0; deep && phase < 2; phase++)
        vox_f32_winograd_deep(g, named, all, 0, phase, &next[phase]);
    assert_int_equal(touched(shared), shared.count);
    assert_int_equal(touched(scratch) + spare, scratch.count);
    buffer_end(shared), buffer_end(scratch);
    winograd_result_end(r), winograd_operands_end(o);
}
static void winograd_memory_is_what_is_touched(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) { /* each mix of tiles; 3 x 3 x 3 of them */
        vox_winograd g = winograd_default(32, 32, 2, 0, 0, 0);
        for (int a = 0; a < 3; a++) g.tile[a] = i >> a & 1 ? 4 : 2;
        g.y.d = 3 * g.tile[0], g.y.h = 3 * g.tile[1], g.y.w = 3 * g.tile[2];
        g.x.d = g.y.d + 2, g.x.h = g.y.h + 2, g.x.w = g.y.w + 2, g.batch = 9;
        winograd_needs(&g, 0, 0);
        g.x.c = 48, g.batch = 27;
        winograd_needs(&g, 1, 0);
    }
    for (int oc = 1; oc <= VOX_FEW_MOST; oc++) { /* the compiler knows no registers: room for the widest */
        vox_winograd g = winograd_default(oc % 3 + 1, oc, 4, 4, 4, 64);
        g.tile[2] = 1, g.x.block = g.y.block = 0;
        winograd_needs(&g, 0, (size_t)(36 * oc * (64 - vox_few_vectors(oc) * VOX_VL)));
    }
}
/* 2 workers make 20 batches of 17, and 24 of 21. */
static void winograd_batches_are_shared_out_evenly(void **state) {
    (void)state;
    for (int batches = 17; batches <= 21; batches += 4) {
        vox_winograd g = winograd_default(16, 16, 4, 4, 4, 4 * 16 * batches);
        g.batch = 16;
        assert_int_equal(vox_winograd_run_of(&g, (vox_range){0, 4}).items, batches);
        g.workers = 2;
        assert_int_equal(vox_winograd_run_of(&g, (vox_range){0, 4}).items, batches + 3);
    }
}

#endif
