/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_kernels.c: unet3d_small's layers, in order; compiled once for each instruction set.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target c --init 1.
 *
 * A layer is its numbers (_layer), where its operands are (_at), and three functions: into how many tasks a
 * step of it is cut, one of them, and the check of samples of what they wrote. The table at the end holds
 * these. All offsets count bytes. "arena + n, layers a to b": the first and last layer that touch that
 * buffer. "blocked": N, C/16, D, H, W, 16. What a struct does not name is 0.
 */
#include <math.h>

#include "runtime/vox_model.h"
#include "runtime/vox_conv.h"
#include "runtime/vox_winograd.h"
#include "runtime/vox_winograd_few.h"
#include "runtime/vox_copy.h"
#include "runtime/vox_pool3d.h"
#include "runtime/vox_check.h"

#ifndef UNET3D_SMALL_LAYERS
#define UNET3D_SMALL_LAYERS unet3d_small_layers_baseline
#endif
extern const vox_layer UNET3D_SMALL_LAYERS[];

/* e0a: conv 3x3x3 + relu, direct, 0.08 GMAC, reads 3.12 MB, writes 11.66 MB; stream 1, 2 planes of p0 at a time
 *   x  image f32[1,1,92,92,92], inputs[0]
 *   weights  e0a.conv.weight f32[4,1,3,3,3], prepared + 640
 *   bias  e0a.conv.bias f32[4], prepared + 2368
 *   y  e0a f32[1,4,90,90,90], planes kept: 6 of 90, 0.8 MB instead of 11.7, arena + 3717120, layers 0 to 3
 *   315 tasks: channels 1 x 16, planes 2, rows 13; input channels 1 at a time;
 *   2 KiB of weights and 17 KiB of input rows are used again
 */
static const vox_conv unet3d_small_e0a_layer = {
    .x = {.n = 1, .c = 1, .d = 92, .h = 92, .w = 92},
    .y = {.n = 1, .c = 4, .d = 90, .h = 90, .w = 90, .ring = 6},
    .kernel = {3, 3, 3},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_RELU},
    .task_oc = 1,
    .task_d = 2,
    .task_h = 13,
    .chunk_ic = 1,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_e0a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_input(m, 0, 0),
        .weights = vox_in_prepared(m, 640),
        .bias = vox_in_prepared(m, 2368),
        .y = vox_in_arena(m, 3717120),
    };
}
static int unet3d_small_e0a_tasks(const vox_memory *m) {
    return vox_conv_tasks(&unet3d_small_e0a_layer, m->range);
}
static void unet3d_small_e0a_run(const vox_memory *m, int task) {
    vox_f32_conv(&unet3d_small_e0a_layer, unet3d_small_e0a_at(m), m->range, task);
}
static int unet3d_small_e0a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv(probe, &unet3d_small_e0a_layer, unet3d_small_e0a_at(m));
}

/* e0b: conv 3x3x3 + relu, Winograd 4x4x1, 0.59 GMAC, reads 11.67 MB, writes 21.81 MB; stream 1, 2 planes of p0 at a time
 *   x  e0a f32[1,4,90,90,90], planes kept: 6 of 90, 0.8 MB instead of 11.7, arena + 3717120, layers 0 to 3
 *   transformed  e0b.conv.weight f32[8,4,3,3,3], prepared + 2432
 *   bias  e0b.conv.bias f32[8], prepared + 30592
 *   y  e0b f32[1,8,88,88,88], planes kept: 4 of 88, 1.0 MB instead of 21.8, arena + 2725888, layers 0 to 3
 *   scratch  138240 bytes for each thread, arena + 4494720
 *   Winograd F(4x4x1): 1.8 times cheaper than direct;
 *   484 tiles, at most 1 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_e0b_layer = {
    .x = {.n = 1, .c = 4, .d = 90, .h = 90, .w = 90, .ring = 6},
    .y = {.n = 1, .c = 8, .d = 88, .h = 88, .w = 88, .ring = 4},
    .tile = {4, 4, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 1,
    .store = 1,
    .workers = 4,
    .worker_bytes = 138240,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e0b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 3717120),
        .transformed = vox_in_prepared(m, 2432),
        .bias = vox_in_prepared(m, 30592),
        .y = vox_in_arena(m, 2725888),
        .scratch = vox_in_arena(m, 4494720),
    };
}
static int unet3d_small_e0b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e0b_layer, m->range);
}
static void unet3d_small_e0b_run(const vox_memory *m, int task) {
    vox_f32_winograd_few(&unet3d_small_e0b_layer, unet3d_small_e0b_at(m), m->range, task, m->next);
}
static int unet3d_small_e0b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e0b_layer, unet3d_small_e0b_at(m));
}

/* e0b.crop: slice, reads 21.81 MB, writes 0.02 MB; stream 1, 2 planes of p0 at a time
 *   x  e0b f32[1,8,88,88,88], planes kept: 4 of 88, 1.0 MB instead of 21.8, arena + 2725888, layers 0 to 3
 *   y  e0b.crop f32[1,8,8,8,8], arena + 5760256, layers 0 to 18
 */
static const vox_copy unet3d_small_e0b_crop_layer = {
    .rank = 5,
    .element = 4,
    .dim = {1, 8, 8, 8, 8},
    .x_stride = {247808, 30976, 7744, 88, 1},
    .y_stride = {4096, 512, 64, 8, 1},
    .planes = 2,
    .x_begin = 40,
    .x_ring = 4,
    .y_ring = 0,
};
static vox_xy_any unet3d_small_e0b_crop_at(const vox_memory *m) {
    return (vox_xy_any){
        .x = vox_in_arena(m, 2725888 + 4 * 3560),
        .y = vox_in_arena(m, 5760256),
    };
}
static int unet3d_small_e0b_crop_tasks(const vox_memory *m) {
    return vox_copy_tasks(&unet3d_small_e0b_crop_layer, m->range);
}
static void unet3d_small_e0b_crop_run(const vox_memory *m, int task) {
    vox_copy_box(&unet3d_small_e0b_crop_layer, unet3d_small_e0b_crop_at(m), m->range, task);
}
static int unet3d_small_e0b_crop_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_copy(probe, &unet3d_small_e0b_crop_layer, unet3d_small_e0b_crop_at(m));
}

/* p0: max_pool 2x2x2 stride 2x2x2, reads 21.81 MB, writes 2.73 MB; stream 1, 2 planes of p0 at a time
 *   x  e0b f32[1,8,88,88,88], planes kept: 4 of 88, 1.0 MB instead of 21.8, arena + 2725888, layers 0 to 3
 *   y  p0 f32[1,8,44,44,44], arena + 0, layers 0 to 4
 */
static const vox_pool3d unet3d_small_p0_layer = {
    .x = {.n = 1, .c = 8, .d = 88, .h = 88, .w = 88, .ring = 4},
    .y = {.n = 1, .c = 8, .d = 44, .h = 44, .w = 44},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .pad_end = {0, 0, 0},
    .include_pad = 0,
};
static vox_xy unet3d_small_p0_at(const vox_memory *m) {
    return (vox_xy){
        .x = vox_in_arena(m, 2725888),
        .y = vox_in_arena(m, 0),
    };
}
static int unet3d_small_p0_tasks(const vox_memory *m) {
    return vox_pool3d_tasks(&unet3d_small_p0_layer, m->range);
}
static void unet3d_small_p0_run(const vox_memory *m, int task) {
    vox_f32_max_pool(&unet3d_small_p0_layer, unet3d_small_p0_at(m), m->range, task);
}
static int unet3d_small_p0_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_max_pool(probe, &unet3d_small_p0_layer, unet3d_small_p0_at(m));
}

/* e1a: conv 3x3x3 + relu, Winograd 4x4x1, 0.13 GMAC, reads 2.73 MB, writes 2.37 MB
 *   x  p0 f32[1,8,44,44,44], arena + 0, layers 0 to 4
 *   transformed  e1a.conv.weight f32[8,8,3,3,3], prepared + 30656
 *   bias  e1a.conv.bias f32[8], prepared + 86976
 *   y  e1a f32[1,8,42,42,42], arena + 2725888, layers 4 to 6
 *   scratch  165888 bytes for each thread, arena + 5096704
 *   Winograd F(4x4x1): 2.0 times cheaper than direct;
 *   121 tiles, at most 1 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_e1a_layer = {
    .x = {.n = 1, .c = 8, .d = 44, .h = 44, .w = 44},
    .y = {.n = 1, .c = 8, .d = 42, .h = 42, .w = 42},
    .tile = {4, 4, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 1,
    .store = 1,
    .workers = 4,
    .worker_bytes = 165888,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e1a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 0),
        .transformed = vox_in_prepared(m, 30656),
        .bias = vox_in_prepared(m, 86976),
        .y = vox_in_arena(m, 2725888),
        .scratch = vox_in_arena(m, 5096704),
    };
}
static int unet3d_small_e1a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e1a_layer, m->range);
}
static void unet3d_small_e1a_run(const vox_memory *m, int task) {
    vox_f32_winograd_few(&unet3d_small_e1a_layer, unet3d_small_e1a_at(m), m->range, task, m->next);
}
static int unet3d_small_e1a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e1a_layer, unet3d_small_e1a_at(m));
}

/* e1a.blocked: to_block, reads 2.37 MB, writes 4.74 MB; stream 2, 4 planes of e1b at a time
 *   x  e1a f32[1,8,42,42,42], arena + 2725888, layers 4 to 6
 *   y  e1a.blocked f32[1,8,42,42,42], blocked, planes kept: 6 of 42, 0.7 MB instead of 4.7, arena + 2045952, layers 5 to 6
 */
static const vox_relayout unet3d_small_e1a_blocked_layer = {
    .x = {.n = 1, .c = 8, .d = 42, .h = 42, .w = 42},
    .y = {.n = 1, .c = 8, .d = 42, .h = 42, .w = 42, .block = VOX_BLOCK, .ring = 6},
};
static vox_xy unet3d_small_e1a_blocked_at(const vox_memory *m) {
    return (vox_xy){
        .x = vox_in_arena(m, 2725888),
        .y = vox_in_arena(m, 2045952),
    };
}
static int unet3d_small_e1a_blocked_tasks(const vox_memory *m) {
    return vox_relayout_tasks(&unet3d_small_e1a_blocked_layer, m->range);
}
static void unet3d_small_e1a_blocked_run(const vox_memory *m, int task) {
    vox_f32_to_block(&unet3d_small_e1a_blocked_layer, unet3d_small_e1a_blocked_at(m), m->range, task);
}
static int unet3d_small_e1a_blocked_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_relayout(probe, &unet3d_small_e1a_blocked_layer, unet3d_small_e1a_blocked_at(m));
}

/* e1b: conv 3x3x3 + relu, Winograd 4x4x4, 0.22 GMAC, reads 4.76 MB, writes 4.10 MB; stream 2, 4 planes of e1b at a time
 *   x  e1a.blocked f32[1,8,42,42,42], blocked, planes kept: 6 of 42, 0.7 MB instead of 4.7, arena + 2045952, layers 5 to 6
 *   transformed  e1b.conv.weight f32[16,8,3,3,3], prepared + 87040
 *   bias  e1b.conv.bias f32[16], prepared + 198656
 *   crop  e1b.crop f32[1,16,8,8,8], blocked, in cat1, arena + 5608704, layers 5 to 15
 *   pool  p1 f32[1,16,20,20,20], blocked, arena + 5096704, layers 5 to 7
 *   scratch  511488 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 3.3 times cheaper than direct;
 *   1000 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_e1b_layer = {
    .x = {.n = 1, .c = 8, .d = 42, .h = 42, .w = 42, .block = VOX_BLOCK, .ring = 6},
    .y = {.n = 1, .c = 16, .d = 40, .h = 40, .w = 40, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 0,
    .crop = {.n = 1, .c = 16, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .crop_begin = {16, 16, 16},
    .pool = {.n = 1, .c = 16, .d = 20, .h = 20, .w = 20, .block = VOX_BLOCK},
    .workers = 4,
    .worker_bytes = 511488,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e1b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 2045952),
        .transformed = vox_in_prepared(m, 87040),
        .bias = vox_in_prepared(m, 198656),
        .crop = vox_in_arena(m, 5608704),
        .pool = vox_in_arena(m, 5096704),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_e1b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e1b_layer, m->range);
}
static void unet3d_small_e1b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_e1b_layer, unet3d_small_e1b_at(m), m->range, task, m->next);
}
static int unet3d_small_e1b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e1b_layer, unet3d_small_e1b_at(m));
}

/* e2a: conv 3x3x3 + relu, Winograd 4x4x4, 0.04 GMAC, reads 0.54 MB, writes 0.37 MB
 *   x  p1 f32[1,16,20,20,20], blocked, arena + 5096704, layers 5 to 7
 *   transformed  e2a.conv.weight f32[16,16,3,3,3], prepared + 198720
 *   bias  e2a.conv.bias f32[16], prepared + 421952
 *   y  e2a f32[1,16,18,18,18], blocked, arena + 2045952, layers 7 to 8
 *   scratch  511488 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 3.4 times cheaper than direct;
 *   125 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_e2a_layer = {
    .x = {.n = 1, .c = 16, .d = 20, .h = 20, .w = 20, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 16, .d = 18, .h = 18, .w = 18, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 1,
    .workers = 4,
    .worker_bytes = 511488,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e2a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 5096704),
        .transformed = vox_in_prepared(m, 198720),
        .bias = vox_in_prepared(m, 421952),
        .y = vox_in_arena(m, 2045952),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_e2a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e2a_layer, m->range);
}
static void unet3d_small_e2a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_e2a_layer, unet3d_small_e2a_at(m), m->range, task, m->next);
}
static int unet3d_small_e2a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e2a_layer, unet3d_small_e2a_at(m));
}

/* e2b: conv 3x3x3 + relu, Winograd 4x4x4, 0.06 GMAC, reads 0.43 MB, writes 0.52 MB
 *   x  e2a f32[1,16,18,18,18], blocked, arena + 2045952, layers 7 to 8
 *   transformed  e2b.conv.weight f32[32,16,3,3,3], prepared + 422016
 *   bias  e2b.conv.bias f32[32], prepared + 868480
 *   crop  e2b.crop f32[1,32,8,8,8], blocked, in cat2, arena + 3725312, layers 8 to 12
 *   pool  p2 f32[1,32,8,8,8], blocked, arena + 2419200, layers 8 to 9
 *   scratch  511488 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 5.3 times cheaper than direct;
 *   64 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_e2b_layer = {
    .x = {.n = 1, .c = 16, .d = 18, .h = 18, .w = 18, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 32, .d = 16, .h = 16, .w = 16, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 0,
    .crop = {.n = 1, .c = 32, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .crop_begin = {4, 4, 4},
    .pool = {.n = 1, .c = 32, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .workers = 4,
    .worker_bytes = 511488,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e2b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 2045952),
        .transformed = vox_in_prepared(m, 422016),
        .bias = vox_in_prepared(m, 868480),
        .crop = vox_in_arena(m, 3725312),
        .pool = vox_in_arena(m, 2419200),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_e2b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e2b_layer, m->range);
}
static void unet3d_small_e2b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_e2b_layer, unet3d_small_e2b_at(m), m->range, task, m->next);
}
static int unet3d_small_e2b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e2b_layer, unet3d_small_e2b_at(m));
}

/* e3a: conv 3x3x3 + relu, Winograd 4x4x4, 0.00597 GMAC, reads 0.18 MB, writes 0.03 MB
 *   x  p2 f32[1,32,8,8,8], blocked, arena + 2419200, layers 8 to 9
 *   transformed  e3a.conv.weight f32[32,32,3,3,3], prepared + 868608
 *   bias  e3a.conv.bias f32[32], prepared + 1761536
 *   y  e3a f32[1,32,6,6,6], blocked, arena + 1824768, layers 9 to 10
 *   scratch  456192 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 2.5 times cheaper than direct;
 *   8 tiles, at most 8 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_e3a_layer = {
    .x = {.n = 1, .c = 32, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 32, .d = 6, .h = 6, .w = 6, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 8,
    .store = 1,
    .workers = 4,
    .worker_bytes = 456192,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e3a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 2419200),
        .transformed = vox_in_prepared(m, 868608),
        .bias = vox_in_prepared(m, 1761536),
        .y = vox_in_arena(m, 1824768),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_e3a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e3a_layer, m->range);
}
static void unet3d_small_e3a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_e3a_layer, unet3d_small_e3a_at(m), m->range, task, m->next);
}
static int unet3d_small_e3a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e3a_layer, unet3d_small_e3a_at(m));
}

/* e3b: conv 3x3x3 + relu, Winograd 4x4x4, 0.00354 GMAC, reads 0.25 MB, writes 0.02 MB
 *   x  e3a f32[1,32,6,6,6], blocked, arena + 1824768, layers 9 to 10
 *   transformed  e3b.conv.weight f32[64,32,3,3,3], prepared + 1761664
 *   bias  e3b.conv.bias f32[64], prepared + 3547520
 *   y  e3b f32[1,64,4,4,4], blocked, arena + 69120, layers 10 to 11
 *   scratch  69120 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 6.4 times cheaper than direct;
 *   1 tiles, at most 1 at a time for each of 1 threads
 */
static const vox_winograd unet3d_small_e3b_layer = {
    .x = {.n = 1, .c = 32, .d = 6, .h = 6, .w = 6, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 64, .d = 4, .h = 4, .w = 4, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 1,
    .store = 1,
    .workers = 1,
    .worker_bytes = 69120,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_e3b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 1824768),
        .transformed = vox_in_prepared(m, 1761664),
        .bias = vox_in_prepared(m, 3547520),
        .y = vox_in_arena(m, 69120),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_e3b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_e3b_layer, m->range);
}
static void unet3d_small_e3b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_e3b_layer, unet3d_small_e3b_at(m), m->range, task, m->next);
}
static int unet3d_small_e3b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_e3b_layer, unet3d_small_e3b_at(m));
}

/* up2: conv_transpose 2x2x2 stride 2x2x2, 0.00210 GMAC, reads 0.15 MB, writes 0.13 MB
 *   x  e3b f32[1,64,4,4,4], blocked, arena + 69120, layers 10 to 11
 *   weights  up2.weight f32[64,64,2,2,2], prepared + 3547776
 *   y  up2 f32[1,64,8,8,8], blocked, in cat2, arena + 3594240, layers 11 to 12
 *   4 tasks: channels 2 x 16, planes 4, rows 8; input channels 64 at a time;
 *   64 KiB of weights and 18 KiB of input rows are used again
 */
static const vox_conv unet3d_small_up2_layer = {
    .x = {.n = 1, .c = 64, .d = 4, .h = 4, .w = 4, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 64, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 2,
    .task_d = 4,
    .task_h = 8,
    .chunk_ic = 64,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_up2_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 69120),
        .weights = vox_in_prepared(m, 3547776),
        .y = vox_in_arena(m, 3594240),
    };
}
static int unet3d_small_up2_tasks(const vox_memory *m) {
    return vox_conv_transpose_tasks(&unet3d_small_up2_layer, m->range);
}
static void unet3d_small_up2_run(const vox_memory *m, int task) {
    vox_f32_conv_transpose(&unet3d_small_up2_layer, unet3d_small_up2_at(m), m->range, task);
}
static int unet3d_small_up2_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv_transpose(probe, &unet3d_small_up2_layer, unet3d_small_up2_at(m));
}

/* d2a: conv 3x3x3 + relu, Winograd 4x4x4, 0.02 GMAC, reads 0.53 MB, writes 0.03 MB
 *   x  cat2 f32[1,96,8,8,8], blocked, arena + 3594240, layers 8 to 12
 *   transformed  d2a.conv.weight f32[32,96,3,3,3], prepared + 3678848
 *   bias  d2a.conv.bias f32[32], prepared + 6357632
 *   y  d2a f32[1,32,6,6,6], blocked, arena + 3790848, layers 12 to 13
 *   scratch  898560 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 2.7 times cheaper than direct;
 *   8 tiles, at most 8 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_d2a_layer = {
    .x = {.n = 1, .c = 96, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 32, .d = 6, .h = 6, .w = 6, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 8,
    .store = 1,
    .workers = 4,
    .worker_bytes = 898560,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_d2a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 3594240),
        .transformed = vox_in_prepared(m, 3678848),
        .bias = vox_in_prepared(m, 6357632),
        .y = vox_in_arena(m, 3790848),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_d2a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_d2a_layer, m->range);
}
static void unet3d_small_d2a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_d2a_layer, unet3d_small_d2a_at(m), m->range, task, m->next);
}
static int unet3d_small_d2a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_d2a_layer, unet3d_small_d2a_at(m));
}

/* d2b: conv 3x3x3 + relu, Winograd 4x4x4, 0.00177 GMAC, reads 0.14 MB, writes 0.01 MB
 *   x  d2a f32[1,32,6,6,6], blocked, arena + 3790848, layers 12 to 13
 *   transformed  d2b.conv.weight f32[32,32,3,3,3], prepared + 6357760
 *   bias  d2b.conv.bias f32[32], prepared + 7250688
 *   y  d2b f32[1,32,4,4,4], blocked, arena + 69120, layers 13 to 14
 *   scratch  69120 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 5.9 times cheaper than direct;
 *   1 tiles, at most 1 at a time for each of 1 threads
 */
static const vox_winograd unet3d_small_d2b_layer = {
    .x = {.n = 1, .c = 32, .d = 6, .h = 6, .w = 6, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 32, .d = 4, .h = 4, .w = 4, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 1,
    .store = 1,
    .workers = 1,
    .worker_bytes = 69120,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_d2b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 3790848),
        .transformed = vox_in_prepared(m, 6357760),
        .bias = vox_in_prepared(m, 7250688),
        .y = vox_in_arena(m, 69120),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_d2b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_d2b_layer, m->range);
}
static void unet3d_small_d2b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_d2b_layer, unet3d_small_d2b_at(m), m->range, task, m->next);
}
static int unet3d_small_d2b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_d2b_layer, unet3d_small_d2b_at(m));
}

/* up1: conv_transpose 2x2x2 stride 2x2x2, 0.00052 GMAC, reads 0.04 MB, writes 0.07 MB
 *   x  d2b f32[1,32,4,4,4], blocked, arena + 69120, layers 13 to 14
 *   weights  up1.weight f32[32,32,2,2,2], prepared + 7250816
 *   y  up1 f32[1,32,8,8,8], blocked, in cat1, arena + 5543168, layers 14 to 15
 *   1 tasks: channels 2 x 16, planes 8, rows 8; input channels 32 at a time;
 *   32 KiB of weights and 9 KiB of input rows are used again
 */
static const vox_conv unet3d_small_up1_layer = {
    .x = {.n = 1, .c = 32, .d = 4, .h = 4, .w = 4, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 32, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 2,
    .task_d = 8,
    .task_h = 8,
    .chunk_ic = 32,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_up1_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 69120),
        .weights = vox_in_prepared(m, 7250816),
        .y = vox_in_arena(m, 5543168),
    };
}
static int unet3d_small_up1_tasks(const vox_memory *m) {
    return vox_conv_transpose_tasks(&unet3d_small_up1_layer, m->range);
}
static void unet3d_small_up1_run(const vox_memory *m, int task) {
    vox_f32_conv_transpose(&unet3d_small_up1_layer, unet3d_small_up1_at(m), m->range, task);
}
static int unet3d_small_up1_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv_transpose(probe, &unet3d_small_up1_layer, unet3d_small_up1_at(m));
}

/* d1a: conv 3x3x3 + relu, Winograd 4x4x4, 0.00448 GMAC, reads 0.18 MB, writes 0.01 MB
 *   x  cat1 f32[1,48,8,8,8], blocked, arena + 5543168, layers 5 to 15
 *   transformed  d1a.conv.weight f32[16,48,3,3,3], prepared + 7283584
 *   bias  d1a.conv.bias f32[16], prepared + 7953280
 *   y  d1a f32[1,16,6,6,6], blocked, arena + 2267136, layers 15 to 16
 *   scratch  566784 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 2.3 times cheaper than direct;
 *   8 tiles, at most 8 at a time for each of 4 threads
 */
static const vox_winograd unet3d_small_d1a_layer = {
    .x = {.n = 1, .c = 48, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 16, .d = 6, .h = 6, .w = 6, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 8,
    .store = 1,
    .workers = 4,
    .worker_bytes = 566784,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_d1a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 5543168),
        .transformed = vox_in_prepared(m, 7283584),
        .bias = vox_in_prepared(m, 7953280),
        .y = vox_in_arena(m, 2267136),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_d1a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_d1a_layer, m->range);
}
static void unet3d_small_d1a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_d1a_layer, unet3d_small_d1a_at(m), m->range, task, m->next);
}
static int unet3d_small_d1a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_d1a_layer, unet3d_small_d1a_at(m));
}

/* d1b: conv 3x3x3 + relu, Winograd 4x4x4, 0.00044 GMAC, reads 0.04 MB, writes 0.00 MB
 *   x  d1a f32[1,16,6,6,6], blocked, arena + 2267136, layers 15 to 16
 *   transformed  d1b.conv.weight f32[16,16,3,3,3], prepared + 7953344
 *   bias  d1b.conv.bias f32[16], prepared + 8176576
 *   y  d1b f32[1,16,4,4,4], blocked, arena + 55296, layers 16 to 17
 *   scratch  55296 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 4.7 times cheaper than direct;
 *   1 tiles, at most 1 at a time for each of 1 threads
 */
static const vox_winograd unet3d_small_d1b_layer = {
    .x = {.n = 1, .c = 16, .d = 6, .h = 6, .w = 6, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 16, .d = 4, .h = 4, .w = 4, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 1,
    .store = 1,
    .workers = 1,
    .worker_bytes = 55296,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_small_d1b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 2267136),
        .transformed = vox_in_prepared(m, 7953344),
        .bias = vox_in_prepared(m, 8176576),
        .y = vox_in_arena(m, 55296),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_small_d1b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_small_d1b_layer, m->range);
}
static void unet3d_small_d1b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_small_d1b_layer, unet3d_small_d1b_at(m), m->range, task, m->next);
}
static int unet3d_small_d1b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_small_d1b_layer, unet3d_small_d1b_at(m));
}

/* up0: conv_transpose 2x2x2 stride 2x2x2, 0.00013 GMAC, reads 0.01 MB, writes 0.03 MB
 *   x  d1b f32[1,16,4,4,4], blocked, arena + 55296, layers 16 to 17
 *   weights  up0.weight f32[16,16,2,2,2], prepared + 8176640
 *   y  up0 f32[1,16,8,8,8], blocked, in cat0, arena + 0, layers 17 to 19
 *   1 tasks: channels 1 x 16, planes 8, rows 8; input channels 16 at a time;
 *   8 KiB of weights and 5 KiB of input rows are used again
 */
static const vox_conv unet3d_small_up0_layer = {
    .x = {.n = 1, .c = 16, .d = 4, .h = 4, .w = 4, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 16, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 1,
    .task_d = 8,
    .task_h = 8,
    .chunk_ic = 16,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_up0_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 55296),
        .weights = vox_in_prepared(m, 8176640),
        .y = vox_in_arena(m, 0),
    };
}
static int unet3d_small_up0_tasks(const vox_memory *m) {
    return vox_conv_transpose_tasks(&unet3d_small_up0_layer, m->range);
}
static void unet3d_small_up0_run(const vox_memory *m, int task) {
    vox_f32_conv_transpose(&unet3d_small_up0_layer, unet3d_small_up0_at(m), m->range, task);
}
static int unet3d_small_up0_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv_transpose(probe, &unet3d_small_up0_layer, unet3d_small_up0_at(m));
}

/* e0b.crop.blocked: to_block, reads 0.02 MB, writes 0.03 MB
 *   x  e0b.crop f32[1,8,8,8,8], arena + 5760256, layers 0 to 18
 *   y  e0b.crop.blocked f32[1,8,8,8,8], blocked, in cat0, arena + 32768, layers 18 to 19
 */
static const vox_relayout unet3d_small_e0b_crop_blocked_layer = {
    .x = {.n = 1, .c = 8, .d = 8, .h = 8, .w = 8},
    .y = {.n = 1, .c = 8, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
};
static vox_xy unet3d_small_e0b_crop_blocked_at(const vox_memory *m) {
    return (vox_xy){
        .x = vox_in_arena(m, 5760256),
        .y = vox_in_arena(m, 32768),
    };
}
static int unet3d_small_e0b_crop_blocked_tasks(const vox_memory *m) {
    return vox_relayout_tasks(&unet3d_small_e0b_crop_blocked_layer, m->range);
}
static void unet3d_small_e0b_crop_blocked_run(const vox_memory *m, int task) {
    vox_f32_to_block(&unet3d_small_e0b_crop_blocked_layer, unet3d_small_e0b_crop_blocked_at(m), m->range,
                     task);
}
static int unet3d_small_e0b_crop_blocked_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_relayout(probe, &unet3d_small_e0b_crop_blocked_layer,
                              unet3d_small_e0b_crop_blocked_at(m));
}

/* d0a: conv 3x3x3 + relu, direct, 0.00112 GMAC, reads 0.09 MB, writes 0.01 MB
 *   x  cat0 f32[1,24,8,8,8], blocked, arena + 0, layers 17 to 19
 *   weights  d0a.conv.weight f32[8,24,3,3,3], prepared + 8184832
 *   bias  d0a.conv.bias f32[8], prepared + 8226304
 *   y  d0a f32[1,8,6,6,6], arena + 65536, layers 19 to 20
 *   3 tasks: channels 1 x 16, planes 2, rows 6; input channels 24 at a time;
 *   41 KiB of weights and 18 KiB of input rows are used again
 */
static const vox_conv unet3d_small_d0a_layer = {
    .x = {.n = 1, .c = 24, .d = 8, .h = 8, .w = 8, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 8, .d = 6, .h = 6, .w = 6},
    .kernel = {3, 3, 3},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_RELU},
    .task_oc = 1,
    .task_d = 2,
    .task_h = 6,
    .chunk_ic = 24,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_d0a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 0),
        .weights = vox_in_prepared(m, 8184832),
        .bias = vox_in_prepared(m, 8226304),
        .y = vox_in_arena(m, 65536),
    };
}
static int unet3d_small_d0a_tasks(const vox_memory *m) {
    return vox_conv_tasks(&unet3d_small_d0a_layer, m->range);
}
static void unet3d_small_d0a_run(const vox_memory *m, int task) {
    vox_f32_conv(&unet3d_small_d0a_layer, unet3d_small_d0a_at(m), m->range, task);
}
static int unet3d_small_d0a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv(probe, &unet3d_small_d0a_layer, unet3d_small_d0a_at(m));
}

/* d0b: conv 3x3x3 + relu, direct, 0.00011 GMAC, reads 0.01 MB, writes 0.00 MB
 *   x  d0a f32[1,8,6,6,6], arena + 65536, layers 19 to 20
 *   weights  d0b.conv.weight f32[8,8,3,3,3], prepared + 8226368
 *   bias  d0b.conv.bias f32[8], prepared + 8240192
 *   y  d0b f32[1,8,4,4,4], arena + 0, layers 20 to 21
 *   1 tasks: channels 1 x 16, planes 4, rows 4; input channels 8 at a time;
 *   14 KiB of weights and 4 KiB of input rows are used again
 */
static const vox_conv unet3d_small_d0b_layer = {
    .x = {.n = 1, .c = 8, .d = 6, .h = 6, .w = 6},
    .y = {.n = 1, .c = 8, .d = 4, .h = 4, .w = 4},
    .kernel = {3, 3, 3},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_RELU},
    .task_oc = 1,
    .task_d = 4,
    .task_h = 4,
    .chunk_ic = 8,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_d0b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 65536),
        .weights = vox_in_prepared(m, 8226368),
        .bias = vox_in_prepared(m, 8240192),
        .y = vox_in_arena(m, 0),
    };
}
static int unet3d_small_d0b_tasks(const vox_memory *m) {
    return vox_conv_tasks(&unet3d_small_d0b_layer, m->range);
}
static void unet3d_small_d0b_run(const vox_memory *m, int task) {
    vox_f32_conv(&unet3d_small_d0b_layer, unet3d_small_d0b_at(m), m->range, task);
}
static int unet3d_small_d0b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv(probe, &unet3d_small_d0b_layer, unet3d_small_d0b_at(m));
}

/* logits: conv 1x1x1, direct, 0.00000 GMAC, reads 0.00 MB, writes 0.00 MB
 *   x  d0b f32[1,8,4,4,4], arena + 0, layers 20 to 21
 *   weights  logits.weight f32[3,8,1,1,1], prepared + 8240256
 *   bias  logits.bias f32[3], prepared + 8240768
 *   y  logits f32[1,3,4,4,4], outputs[0]
 *   1 tasks: channels 1 x 16, planes 4, rows 4; input channels 8 at a time;
 *   1 KiB of weights and 1 KiB of input rows are used again
 */
static const vox_conv unet3d_small_logits_layer = {
    .x = {.n = 1, .c = 8, .d = 4, .h = 4, .w = 4},
    .y = {.n = 1, .c = 3, .d = 4, .h = 4, .w = 4},
    .kernel = {1, 1, 1},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 1,
    .task_d = 4,
    .task_h = 4,
    .chunk_ic = 8,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_small_logits_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 0),
        .weights = vox_in_prepared(m, 8240256),
        .bias = vox_in_prepared(m, 8240768),
        .y = vox_in_output(m, 0, 0),
    };
}
static int unet3d_small_logits_tasks(const vox_memory *m) {
    return vox_conv_tasks(&unet3d_small_logits_layer, m->range);
}
static void unet3d_small_logits_run(const vox_memory *m, int task) {
    vox_f32_conv(&unet3d_small_logits_layer, unet3d_small_logits_at(m), m->range, task);
}
static int unet3d_small_logits_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv(probe, &unet3d_small_logits_layer, unet3d_small_logits_at(m));
}

/* clang-format off */
const vox_layer UNET3D_SMALL_LAYERS[] = {
    {unet3d_small_e0a_tasks, unet3d_small_e0a_run, unet3d_small_e0a_check},
    {unet3d_small_e0b_tasks, unet3d_small_e0b_run, unet3d_small_e0b_check},
    {unet3d_small_e0b_crop_tasks, unet3d_small_e0b_crop_run, unet3d_small_e0b_crop_check},
    {unet3d_small_p0_tasks, unet3d_small_p0_run, unet3d_small_p0_check},
    {unet3d_small_e1a_tasks, unet3d_small_e1a_run, unet3d_small_e1a_check},
    {unet3d_small_e1a_blocked_tasks, unet3d_small_e1a_blocked_run, unet3d_small_e1a_blocked_check},
    {unet3d_small_e1b_tasks, unet3d_small_e1b_run, unet3d_small_e1b_check},
    {unet3d_small_e2a_tasks, unet3d_small_e2a_run, unet3d_small_e2a_check},
    {unet3d_small_e2b_tasks, unet3d_small_e2b_run, unet3d_small_e2b_check},
    {unet3d_small_e3a_tasks, unet3d_small_e3a_run, unet3d_small_e3a_check},
    {unet3d_small_e3b_tasks, unet3d_small_e3b_run, unet3d_small_e3b_check},
    {unet3d_small_up2_tasks, unet3d_small_up2_run, unet3d_small_up2_check},
    {unet3d_small_d2a_tasks, unet3d_small_d2a_run, unet3d_small_d2a_check},
    {unet3d_small_d2b_tasks, unet3d_small_d2b_run, unet3d_small_d2b_check},
    {unet3d_small_up1_tasks, unet3d_small_up1_run, unet3d_small_up1_check},
    {unet3d_small_d1a_tasks, unet3d_small_d1a_run, unet3d_small_d1a_check},
    {unet3d_small_d1b_tasks, unet3d_small_d1b_run, unet3d_small_d1b_check},
    {unet3d_small_up0_tasks, unet3d_small_up0_run, unet3d_small_up0_check},
    {unet3d_small_e0b_crop_blocked_tasks, unet3d_small_e0b_crop_blocked_run, unet3d_small_e0b_crop_blocked_check},
    {unet3d_small_d0a_tasks, unet3d_small_d0a_run, unet3d_small_d0a_check},
    {unet3d_small_d0b_tasks, unet3d_small_d0b_run, unet3d_small_d0b_check},
    {unet3d_small_logits_tasks, unet3d_small_logits_run, unet3d_small_logits_check},
};
/* clang-format on */
