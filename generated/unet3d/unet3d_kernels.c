/* SPDX-License-Identifier: MIT-0 */
/* unet3d_kernels.c: unet3d's layers, in order; compiled once for each instruction set.
 *
 * Written by voxc 0.1.0 from unet3d.yaml (SHA-256 8cee7e38b7575317...) with --target c --init 1.
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
#include "runtime/vox_winograd_deep.h"
#include "runtime/vox_check.h"

#ifndef UNET3D_LAYERS
#define UNET3D_LAYERS unet3d_layers_baseline
#endif
extern const vox_layer UNET3D_LAYERS[];

/* e0a: conv 3x3x3 + relu, direct, 4.99 GMAC, reads 24.26 MB, writes 246.60 MB; stream 1, 4 planes of e1b at a time
 *   x  image f32[1,3,132,132,116], inputs[0]
 *   weights  e0a.conv.weight f32[32,3,3,3,3], prepared + 576
 *   bias  e0a.conv.bias f32[32], prepared + 10944
 *   y  e0a f32[1,32,130,130,114], blocked, planes kept: 10 of 130, 19.0 MB instead of 246.6, arena + 0, layers 0 to 3
 *   780 tasks: channels 2 x 16, planes 1, rows 22; input channels 3 at a time;
 *   11 KiB of weights and 98 KiB of input rows are used again
 */
static const vox_conv unet3d_e0a_layer = {
    .x = {.n = 1, .c = 3, .d = 132, .h = 132, .w = 116},
    .y = {.n = 1, .c = 32, .d = 130, .h = 130, .w = 114, .block = VOX_BLOCK, .ring = 10},
    .kernel = {3, 3, 3},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_RELU},
    .task_oc = 2,
    .task_d = 1,
    .task_h = 22,
    .chunk_ic = 3,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_e0a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_input(m, 0, 0),
        .weights = vox_in_prepared(m, 576),
        .bias = vox_in_prepared(m, 10944),
        .y = vox_in_arena(m, 0),
    };
}
static int unet3d_e0a_tasks(const vox_memory *m) {
    return vox_conv_tasks(&unet3d_e0a_layer, m->range);
}
static void unet3d_e0a_run(const vox_memory *m, int task) {
    vox_f32_conv(&unet3d_e0a_layer, unet3d_e0a_at(m), m->range, task);
}
static int unet3d_e0a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv(probe, &unet3d_e0a_layer, unet3d_e0a_at(m));
}

/* e0b: conv 3x3x3 + relu, Winograd 4x4x4, 101.47 GMAC, reads 246.83 MB, writes 469.76 MB; stream 1, 4 planes of e1b at a time
 *   x  e0a f32[1,32,130,130,114], blocked, planes kept: 10 of 130, 19.0 MB instead of 246.6, arena + 0, layers 0 to 3
 *   transformed  e0b.conv.weight f32[64,32,3,3,3], prepared + 11072
 *   bias  e0b.conv.bias f32[64], prepared + 1796928
 *   crop  e0b.crop f32[1,64,48,48,32], blocked, in cat0, arena + 44324352, layers 0 to 15
 *   pool  p0 f32[1,64,64,64,56], blocked, planes kept: 6 of 64, 5.5 MB instead of 58.7, arena + 37807104, layers 0 to 3
 *   scratch  677376 bytes for each thread, arena + 71271936
 *   Winograd F(4x4x4): 6.4 times cheaper than direct;
 *   28672 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_e0b_layer = {
    .x = {.n = 1, .c = 32, .d = 130, .h = 130, .w = 114, .block = VOX_BLOCK, .ring = 10},
    .y = {.n = 1, .c = 64, .d = 128, .h = 128, .w = 112, .block = VOX_BLOCK, .ring = 8},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 0,
    .crop = {.n = 1, .c = 64, .d = 48, .h = 48, .w = 32, .block = VOX_BLOCK},
    .crop_begin = {40, 40, 40},
    .pool = {.n = 1, .c = 64, .d = 64, .h = 64, .w = 56, .block = VOX_BLOCK, .ring = 6},
    .workers = 4,
    .worker_bytes = 677376,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e0b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 0),
        .transformed = vox_in_prepared(m, 11072),
        .bias = vox_in_prepared(m, 1796928),
        .crop = vox_in_arena(m, 44324352),
        .pool = vox_in_arena(m, 37807104),
        .scratch = vox_in_arena(m, 71271936),
    };
}
static int unet3d_e0b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e0b_layer, m->range);
}
static void unet3d_e0b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_e0b_layer, unet3d_e0b_at(m), m->range, task, m->next);
}
static int unet3d_e0b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e0b_layer, unet3d_e0b_at(m));
}

/* e1a: conv 3x3x3 + relu, Winograd 4x4x4, 22.96 GMAC, reads 59.16 MB, writes 53.14 MB; stream 1, 4 planes of e1b at a time
 *   x  p0 f32[1,64,64,64,56], blocked, planes kept: 6 of 64, 5.5 MB instead of 58.7, arena + 37807104, layers 0 to 3
 *   transformed  e1a.conv.weight f32[64,64,3,3,3], prepared + 1797184
 *   bias  e1a.conv.bias f32[64], prepared + 5368896
 *   y  e1a f32[1,64,62,62,54], blocked, planes kept: 8 of 62, 6.9 MB instead of 53.1, arena + 30950400, layers 0 to 3
 *   scratch  1009152 bytes for each thread, arena + 63198720
 *   Winograd F(4x4x4): 6.2 times cheaper than direct;
 *   3584 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_e1a_layer = {
    .x = {.n = 1, .c = 64, .d = 64, .h = 64, .w = 56, .block = VOX_BLOCK, .ring = 6},
    .y = {.n = 1, .c = 64, .d = 62, .h = 62, .w = 54, .block = VOX_BLOCK, .ring = 8},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1009152,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e1a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 37807104),
        .transformed = vox_in_prepared(m, 1797184),
        .bias = vox_in_prepared(m, 5368896),
        .y = vox_in_arena(m, 30950400),
        .scratch = vox_in_arena(m, 63198720),
    };
}
static int unet3d_e1a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e1a_layer, m->range);
}
static void unet3d_e1a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_e1a_layer, unet3d_e1a_at(m), m->range, task, m->next);
}
static int unet3d_e1a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e1a_layer, unet3d_e1a_at(m));
}

/* e1b: conv 3x3x3 + relu, Winograd 4x4x4, 41.41 GMAC, reads 54.02 MB, writes 95.85 MB; stream 1, 4 planes of e1b at a time
 *   x  e1a f32[1,64,62,62,54], blocked, planes kept: 8 of 62, 6.9 MB instead of 53.1, arena + 30950400, layers 0 to 3
 *   transformed  e1b.conv.weight f32[128,64,3,3,3], prepared + 5369152
 *   bias  e1b.conv.bias f32[128], prepared + 12512576
 *   crop  e1b.crop f32[1,128,28,28,20], blocked, in cat1, arena + 79255040, layers 0 to 12
 *   pool  p1 f32[1,128,30,30,26], blocked, arena + 18969600, layers 0 to 4
 *   scratch  1009152 bytes for each thread, arena + 67235328
 *   Winograd F(4x4x4): 7.1 times cheaper than direct;
 *   2925 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_e1b_layer = {
    .x = {.n = 1, .c = 64, .d = 62, .h = 62, .w = 54, .block = VOX_BLOCK, .ring = 8},
    .y = {.n = 1, .c = 128, .d = 60, .h = 60, .w = 52, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 0,
    .crop = {.n = 1, .c = 128, .d = 28, .h = 28, .w = 20, .block = VOX_BLOCK},
    .crop_begin = {16, 16, 16},
    .pool = {.n = 1, .c = 128, .d = 30, .h = 30, .w = 26, .block = VOX_BLOCK},
    .workers = 4,
    .worker_bytes = 1009152,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e1b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 30950400),
        .transformed = vox_in_prepared(m, 5369152),
        .bias = vox_in_prepared(m, 12512576),
        .crop = vox_in_arena(m, 79255040),
        .pool = vox_in_arena(m, 18969600),
        .scratch = vox_in_arena(m, 67235328),
    };
}
static int unet3d_e1b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e1b_layer, m->range);
}
static void unet3d_e1b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_e1b_layer, unet3d_e1b_at(m), m->range, task, m->next);
}
static int unet3d_e1b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e1b_layer, unet3d_e1b_at(m));
}

/* e2a: conv 3x3x3 + relu, Winograd 4x4x4, 8.32 GMAC, reads 13.75 MB, writes 9.63 MB
 *   x  p1 f32[1,128,30,30,26], blocked, arena + 18969600, layers 0 to 4
 *   transformed  e2a.conv.weight f32[128,128,3,3,3], prepared + 12513088
 *   bias  e2a.conv.bias f32[128], prepared + 26799936
 *   y  e2a f32[1,128,28,28,24], blocked, arena + 30950400, layers 4 to 5
 *   scratch  1672704 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 7.4 times cheaper than direct;
 *   294 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_e2a_layer = {
    .x = {.n = 1, .c = 128, .d = 30, .h = 30, .w = 26, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 128, .d = 28, .h = 28, .w = 24, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1672704,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e2a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 18969600),
        .transformed = vox_in_prepared(m, 12513088),
        .bias = vox_in_prepared(m, 26799936),
        .y = vox_in_arena(m, 30950400),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_e2a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e2a_layer, m->range);
}
static void unet3d_e2a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_e2a_layer, unet3d_e2a_at(m), m->range, task, m->next);
}
static int unet3d_e2a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e2a_layer, unet3d_e2a_at(m));
}

/* e2b: conv 3x3x3 + relu, deep Winograd 4x4x4, 13.16 GMAC, reads 13.17 MB, writes 15.23 MB
 *   x  e2a f32[1,128,28,28,24], blocked, arena + 30950400, layers 4 to 5
 *   weights  e2b.conv.weight f32[256,128,3,3,3], prepared + 26800448
 *   bias  e2b.conv.bias f32[256], prepared + 30339392
 *   crop  e2b.crop f32[1,256,18,18,14], blocked, in cat2, arena + 72488448, layers 5 to 9
 *   pool  p2 f32[1,256,13,13,11], blocked, arena + 17358336, layers 5 to 6
 *   shared  9303552 bytes for all threads, arena + 0
 *   scratch  2013696 bytes for each thread, arena + 9303552
 *   Winograd F(4x4x4), weights transformed on the way: 5.6 times cheaper than direct;
 *   294 tiles, at most 84 at a time for each of 4 threads;
 *   8 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static const vox_winograd unet3d_e2b_layer = {
    .x = {.n = 1, .c = 128, .d = 28, .h = 28, .w = 24, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 256, .d = 26, .h = 26, .w = 22, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 84,
    .store = 0,
    .crop = {.n = 1, .c = 256, .d = 18, .h = 18, .w = 14, .block = VOX_BLOCK},
    .crop_begin = {4, 4, 4},
    .pool = {.n = 1, .c = 256, .d = 13, .h = 13, .w = 11, .block = VOX_BLOCK},
    .workers = 4,
    .worker_bytes = 2013696,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e2b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 30950400),
        .weights = vox_in_prepared(m, 26800448),
        .bias = vox_in_prepared(m, 30339392),
        .crop = vox_in_arena(m, 72488448),
        .pool = vox_in_arena(m, 17358336),
        .shared = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 9303552),
    };
}
static int unet3d_e2b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e2b_layer, m->range);
}
static void unet3d_e2b_run(const vox_memory *m, int task) {
    vox_f32_winograd_deep(&unet3d_e2b_layer, unet3d_e2b_at(m), m->range, task, m->phase, m->next);
}
static int unet3d_e2b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e2b_layer, unet3d_e2b_at(m));
}

/* e3a: conv 3x3x3 + relu, deep Winograd 4x4x4, 1.93 GMAC, reads 8.98 MB, writes 1.12 MB
 *   x  p2 f32[1,256,13,13,11], blocked, arena + 17358336, layers 5 to 6
 *   weights  e3a.conv.weight f32[256,256,3,3,3], prepared + 30340416
 *   bias  e3a.conv.bias f32[256], prepared + 37418304
 *   y  e3a f32[1,256,11,11,9], blocked, arena + 10188288, layers 6 to 7
 *   shared  5985792 bytes for all threads, arena + 0
 *   scratch  1050624 bytes for each thread, arena + 5985792
 *   Winograd F(4x4x4), weights transformed on the way: 4.2 times cheaper than direct;
 *   27 tiles, at most 27 at a time for each of 4 threads;
 *   11 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static const vox_winograd unet3d_e3a_layer = {
    .x = {.n = 1, .c = 256, .d = 13, .h = 13, .w = 11, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 256, .d = 11, .h = 11, .w = 9, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 27,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1050624,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e3a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 17358336),
        .weights = vox_in_prepared(m, 30340416),
        .bias = vox_in_prepared(m, 37418304),
        .y = vox_in_arena(m, 10188288),
        .shared = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 5985792),
    };
}
static int unet3d_e3a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e3a_layer, m->range);
}
static void unet3d_e3a_run(const vox_memory *m, int task) {
    vox_f32_winograd_deep(&unet3d_e3a_layer, unet3d_e3a_at(m), m->range, task, m->phase, m->next);
}
static int unet3d_e3a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e3a_layer, unet3d_e3a_at(m));
}

/* e3b: conv 3x3x3 + relu, deep Winograd 4x4x4, 2.01 GMAC, reads 15.27 MB, writes 1.16 MB
 *   x  e3a f32[1,256,11,11,9], blocked, arena + 10188288, layers 6 to 7
 *   weights  e3b.conv.weight f32[512,256,3,3,3], prepared + 37419328
 *   bias  e3b.conv.bias f32[512], prepared + 51575104
 *   y  e3b f32[1,512,9,9,7], blocked, arena + 7589376, layers 7 to 8
 *   shared  3995136 bytes for all threads, arena + 0
 *   scratch  898560 bytes for each thread, arena + 3995136
 *   Winograd F(4x4x4), weights transformed on the way: 3.1 times cheaper than direct;
 *   18 tiles, at most 18 at a time for each of 4 threads;
 *   9 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static const vox_winograd unet3d_e3b_layer = {
    .x = {.n = 1, .c = 256, .d = 11, .h = 11, .w = 9, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 512, .d = 9, .h = 9, .w = 7, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 18,
    .store = 1,
    .workers = 4,
    .worker_bytes = 898560,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_e3b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 10188288),
        .weights = vox_in_prepared(m, 37419328),
        .bias = vox_in_prepared(m, 51575104),
        .y = vox_in_arena(m, 7589376),
        .shared = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 3995136),
    };
}
static int unet3d_e3b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_e3b_layer, m->range);
}
static void unet3d_e3b_run(const vox_memory *m, int task) {
    vox_f32_winograd_deep(&unet3d_e3b_layer, unet3d_e3b_at(m), m->range, task, m->phase, m->next);
}
static int unet3d_e3b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_e3b_layer, unet3d_e3b_at(m));
}

/* up2: conv_transpose 2x2x2 stride 2x2x2, 1.19 GMAC, reads 9.55 MB, writes 9.29 MB
 *   x  e3b f32[1,512,9,9,7], blocked, arena + 7589376, layers 7 to 8
 *   weights  up2.weight f32[512,512,2,2,2], prepared + 51577152
 *   y  up2 f32[1,512,18,18,14], blocked, in cat2, arena + 63198720, layers 8 to 9
 *   48 tasks: channels 2 x 16, planes 6, rows 18; input channels 512 at a time;
 *   512 KiB of weights and 532 KiB of input rows are used again
 */
static const vox_conv unet3d_up2_layer = {
    .x = {.n = 1, .c = 512, .d = 9, .h = 9, .w = 7, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 512, .d = 18, .h = 18, .w = 14, .block = VOX_BLOCK},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 2,
    .task_d = 6,
    .task_h = 18,
    .chunk_ic = 512,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_up2_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 7589376),
        .weights = vox_in_prepared(m, 51577152),
        .y = vox_in_arena(m, 63198720),
    };
}
static int unet3d_up2_tasks(const vox_memory *m) {
    return vox_conv_transpose_tasks(&unet3d_up2_layer, m->range);
}
static void unet3d_up2_run(const vox_memory *m, int task) {
    vox_f32_conv_transpose(&unet3d_up2_layer, unet3d_up2_at(m), m->range, task);
}
static int unet3d_up2_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv_transpose(probe, &unet3d_up2_layer, unet3d_up2_at(m));
}

/* d2a: conv 3x3x3 + relu, deep Winograd 4x4x4, 16.31 GMAC, reads 35.17 MB, writes 3.15 MB
 *   x  cat2 f32[1,768,18,18,14], blocked, arena + 63198720, layers 5 to 9
 *   weights  d2a.conv.weight f32[256,768,3,3,3], prepared + 59965760
 *   bias  d2a.conv.bias f32[256], prepared + 81199424
 *   y  d2a f32[1,256,16,16,12], blocked, arena + 37486080, layers 9 to 10
 *   shared  31864320 bytes for all threads, arena + 0
 *   scratch  1405440 bytes for each thread, arena + 31864320
 *   Winograd F(4x4x4), weights transformed on the way: 7.1 times cheaper than direct;
 *   48 tiles, at most 48 at a time for each of 4 threads;
 *   16 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static const vox_winograd unet3d_d2a_layer = {
    .x = {.n = 1, .c = 768, .d = 18, .h = 18, .w = 14, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 256, .d = 16, .h = 16, .w = 12, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 48,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1405440,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_d2a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 63198720),
        .weights = vox_in_prepared(m, 59965760),
        .bias = vox_in_prepared(m, 81199424),
        .y = vox_in_arena(m, 37486080),
        .shared = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 31864320),
    };
}
static int unet3d_d2a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_d2a_layer, m->range);
}
static void unet3d_d2a_run(const vox_memory *m, int task) {
    vox_f32_winograd_deep(&unet3d_d2a_layer, unet3d_d2a_at(m), m->range, task, m->phase, m->next);
}
static int unet3d_d2a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_d2a_layer, unet3d_d2a_at(m));
}

/* d2b: conv 3x3x3 + relu, deep Winograd 4x4x4, 3.47 GMAC, reads 10.22 MB, writes 2.01 MB
 *   x  d2a f32[1,256,16,16,12], blocked, arena + 37486080, layers 9 to 10
 *   weights  d2b.conv.weight f32[256,256,3,3,3], prepared + 81200448
 *   bias  d2b.conv.bias f32[256], prepared + 88278336
 *   y  d2b f32[1,256,14,14,10], blocked, arena + 16252416, layers 10 to 11
 *   shared  10630656 bytes for all threads, arena + 0
 *   scratch  1405440 bytes for each thread, arena + 10630656
 *   Winograd F(4x4x4), weights transformed on the way: 4.5 times cheaper than direct;
 *   48 tiles, at most 48 at a time for each of 4 threads;
 *   14 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static const vox_winograd unet3d_d2b_layer = {
    .x = {.n = 1, .c = 256, .d = 16, .h = 16, .w = 12, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 256, .d = 14, .h = 14, .w = 10, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 48,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1405440,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_d2b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 37486080),
        .weights = vox_in_prepared(m, 81200448),
        .bias = vox_in_prepared(m, 88278336),
        .y = vox_in_arena(m, 16252416),
        .shared = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 10630656),
    };
}
static int unet3d_d2b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_d2b_layer, m->range);
}
static void unet3d_d2b_run(const vox_memory *m, int task) {
    vox_f32_winograd_deep(&unet3d_d2b_layer, unet3d_d2b_at(m), m->range, task, m->phase, m->next);
}
static int unet3d_d2b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_d2b_layer, unet3d_d2b_at(m));
}

/* up1: conv_transpose 2x2x2 stride 2x2x2, 1.03 GMAC, reads 4.10 MB, writes 16.06 MB
 *   x  d2b f32[1,256,14,14,10], blocked, arena + 16252416, layers 10 to 11
 *   weights  up1.weight f32[256,256,2,2,2], prepared + 88279360
 *   y  up1 f32[1,256,28,28,20], blocked, in cat1, arena + 63198720, layers 11 to 12
 *   48 tasks: channels 2 x 16, planes 5, rows 28; input channels 256 at a time;
 *   256 KiB of weights and 580 KiB of input rows are used again
 */
static const vox_conv unet3d_up1_layer = {
    .x = {.n = 1, .c = 256, .d = 14, .h = 14, .w = 10, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 256, .d = 28, .h = 28, .w = 20, .block = VOX_BLOCK},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 2,
    .task_d = 5,
    .task_h = 28,
    .chunk_ic = 256,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_up1_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 16252416),
        .weights = vox_in_prepared(m, 88279360),
        .y = vox_in_arena(m, 63198720),
    };
}
static int unet3d_up1_tasks(const vox_memory *m) {
    return vox_conv_transpose_tasks(&unet3d_up1_layer, m->range);
}
static void unet3d_up1_run(const vox_memory *m, int task) {
    vox_f32_conv_transpose(&unet3d_up1_layer, unet3d_up1_at(m), m->range, task);
}
static int unet3d_up1_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv_transpose(probe, &unet3d_up1_layer, unet3d_up1_at(m));
}

/* d1a: conv 3x3x3 + relu, deep Winograd 4x4x4, 16.15 GMAC, reads 29.39 MB, writes 6.23 MB
 *   x  cat1 f32[1,384,28,28,20], blocked, arena + 63198720, layers 0 to 12
 *   weights  d1a.conv.weight f32[128,384,3,3,3], prepared + 90376512
 *   bias  d1a.conv.bias f32[128], prepared + 95684928
 *   y  d1a f32[1,128,26,26,18], blocked, arena + 87283200, layers 12 to 13
 *   shared  34850304 bytes for all threads, arena + 0
 *   scratch  2368512 bytes for each thread, arena + 34850304
 *   Winograd F(4x4x4), weights transformed on the way: 5.6 times cheaper than direct;
 *   245 tiles, at most 105 at a time for each of 4 threads;
 *   12 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static const vox_winograd unet3d_d1a_layer = {
    .x = {.n = 1, .c = 384, .d = 28, .h = 28, .w = 20, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 128, .d = 26, .h = 26, .w = 18, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 105,
    .store = 1,
    .workers = 4,
    .worker_bytes = 2368512,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_d1a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 63198720),
        .weights = vox_in_prepared(m, 90376512),
        .bias = vox_in_prepared(m, 95684928),
        .y = vox_in_arena(m, 87283200),
        .shared = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 34850304),
    };
}
static int unet3d_d1a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_d1a_layer, m->range);
}
static void unet3d_d1a_run(const vox_memory *m, int task) {
    vox_f32_winograd_deep(&unet3d_d1a_layer, unet3d_d1a_at(m), m->range, task, m->phase, m->next);
}
static int unet3d_d1a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_d1a_layer, unet3d_d1a_at(m));
}

/* d1b: conv 3x3x3 + relu, Winograd 4x4x4, 4.08 GMAC, reads 8.00 MB, writes 4.72 MB
 *   x  d1a f32[1,128,26,26,18], blocked, arena + 87283200, layers 12 to 13
 *   transformed  d1b.conv.weight f32[128,128,3,3,3], prepared + 95685440
 *   bias  d1b.conv.bias f32[128], prepared + 109972288
 *   y  d1b f32[1,128,24,24,16], blocked, arena + 63198720, layers 13 to 14
 *   scratch  1672704 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 7.4 times cheaper than direct;
 *   144 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_d1b_layer = {
    .x = {.n = 1, .c = 128, .d = 26, .h = 26, .w = 18, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 128, .d = 24, .h = 24, .w = 16, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1672704,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_d1b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 87283200),
        .transformed = vox_in_prepared(m, 95685440),
        .bias = vox_in_prepared(m, 109972288),
        .y = vox_in_arena(m, 63198720),
        .scratch = vox_in_arena(m, 0),
    };
}
static int unet3d_d1b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_d1b_layer, m->range);
}
static void unet3d_d1b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_d1b_layer, unet3d_d1b_at(m), m->range, task, m->next);
}
static int unet3d_d1b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_d1b_layer, unet3d_d1b_at(m));
}

/* up0: conv_transpose 2x2x2 stride 2x2x2, 1.21 GMAC, reads 5.24 MB, writes 37.75 MB
 *   x  d1b f32[1,128,24,24,16], blocked, arena + 63198720, layers 13 to 14
 *   weights  up0.weight f32[128,128,2,2,2], prepared + 109972800
 *   y  up0 f32[1,128,48,48,32], blocked, in cat0, arena + 6575616, layers 14 to 15
 *   48 tasks: channels 2 x 16, planes 4, rows 48; input channels 128 at a time;
 *   128 KiB of weights and 784 KiB of input rows are used again
 */
static const vox_conv unet3d_up0_layer = {
    .x = {.n = 1, .c = 128, .d = 24, .h = 24, .w = 16, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 128, .d = 48, .h = 48, .w = 32, .block = VOX_BLOCK},
    .kernel = {2, 2, 2},
    .stride = {2, 2, 2},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 2,
    .task_d = 4,
    .task_h = 48,
    .chunk_ic = 128,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_up0_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 63198720),
        .weights = vox_in_prepared(m, 109972800),
        .y = vox_in_arena(m, 6575616),
    };
}
static int unet3d_up0_tasks(const vox_memory *m) {
    return vox_conv_transpose_tasks(&unet3d_up0_layer, m->range);
}
static void unet3d_up0_run(const vox_memory *m, int task) {
    vox_f32_conv_transpose(&unet3d_up0_layer, unet3d_up0_at(m), m->range, task);
}
static int unet3d_up0_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv_transpose(probe, &unet3d_up0_layer, unet3d_up0_at(m));
}

/* d0a: conv 3x3x3 + relu, Winograd 4x4x4, 21.06 GMAC, reads 57.95 MB, writes 16.25 MB
 *   x  cat0 f32[1,192,48,48,32], blocked, arena + 6575616, layers 0 to 15
 *   transformed  d0a.conv.weight f32[64,192,3,3,3], prepared + 110497088
 *   bias  d0a.conv.bias f32[64], prepared + 121212224
 *   y  d0a f32[1,64,46,46,30], blocked, arena + 63198720, layers 15 to 16
 *   scratch  2336256 bytes for each thread, arena + 79449600
 *   Winograd F(4x4x4): 6.1 times cheaper than direct;
 *   1152 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_d0a_layer = {
    .x = {.n = 1, .c = 192, .d = 48, .h = 48, .w = 32, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 64, .d = 46, .h = 46, .w = 30, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 1,
    .workers = 4,
    .worker_bytes = 2336256,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_d0a_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 6575616),
        .transformed = vox_in_prepared(m, 110497088),
        .bias = vox_in_prepared(m, 121212224),
        .y = vox_in_arena(m, 63198720),
        .scratch = vox_in_arena(m, 79449600),
    };
}
static int unet3d_d0a_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_d0a_layer, m->range);
}
static void unet3d_d0a_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_d0a_layer, unet3d_d0a_at(m), m->range, task, m->next);
}
static int unet3d_d0a_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_d0a_layer, unet3d_d0a_at(m));
}

/* d0b: conv 3x3x3 + relu, Winograd 4x4x4, 5.99 GMAC, reads 16.69 MB, writes 13.88 MB
 *   x  d0a f32[1,64,46,46,30], blocked, arena + 63198720, layers 15 to 16
 *   transformed  d0b.conv.weight f32[64,64,3,3,3], prepared + 121212480
 *   bias  d0b.conv.bias f32[64], prepared + 124784192
 *   y  d0b f32[1,64,44,44,28], blocked, arena + 0, layers 16 to 17
 *   scratch  1009152 bytes for each thread, arena + 13877248
 *   Winograd F(4x4x4): 6.8 times cheaper than direct;
 *   847 tiles, at most 12 at a time for each of 4 threads
 */
static const vox_winograd unet3d_d0b_layer = {
    .x = {.n = 1, .c = 64, .d = 46, .h = 46, .w = 30, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 64, .d = 44, .h = 44, .w = 28, .block = VOX_BLOCK},
    .tile = {4, 4, 4},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .ep = {.act = VOX_ACT_RELU},
    .batch = 12,
    .store = 1,
    .workers = 4,
    .worker_bytes = 1009152,
    .run = 32,
};
VOX_INLINE vox_conv_operands unet3d_d0b_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 63198720),
        .transformed = vox_in_prepared(m, 121212480),
        .bias = vox_in_prepared(m, 124784192),
        .y = vox_in_arena(m, 0),
        .scratch = vox_in_arena(m, 13877248),
    };
}
static int unet3d_d0b_tasks(const vox_memory *m) {
    return vox_winograd_tasks(&unet3d_d0b_layer, m->range);
}
static void unet3d_d0b_run(const vox_memory *m, int task) {
    vox_f32_winograd(&unet3d_d0b_layer, unet3d_d0b_at(m), m->range, task, m->next);
}
static int unet3d_d0b_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_winograd(probe, &unet3d_d0b_layer, unet3d_d0b_at(m));
}

/* logits: conv 1x1x1, direct, 0.01 GMAC, reads 13.88 MB, writes 0.65 MB
 *   x  d0b f32[1,64,44,44,28], blocked, arena + 0, layers 16 to 17
 *   weights  logits.weight f32[3,64,1,1,1], prepared + 124784448
 *   bias  logits.bias f32[3], prepared + 124788544
 *   y  logits f32[1,3,44,44,28], outputs[0]
 *   44 tasks: channels 1 x 16, planes 1, rows 44; input channels 64 at a time;
 *   4 KiB of weights and 308 KiB of input rows are used again
 */
static const vox_conv unet3d_logits_layer = {
    .x = {.n = 1, .c = 64, .d = 44, .h = 44, .w = 28, .block = VOX_BLOCK},
    .y = {.n = 1, .c = 3, .d = 44, .h = 44, .w = 28},
    .kernel = {1, 1, 1},
    .stride = {1, 1, 1},
    .dilation = {1, 1, 1},
    .pad = {0, 0, 0},
    .group = 1,
    .ep = {.act = VOX_ACT_NONE},
    .task_oc = 1,
    .task_d = 1,
    .task_h = 44,
    .chunk_ic = 64,
    .run = 128,
};
VOX_INLINE vox_conv_operands unet3d_logits_at(const vox_memory *m) {
    return (vox_conv_operands){
        .x = vox_in_arena(m, 0),
        .weights = vox_in_prepared(m, 124784448),
        .bias = vox_in_prepared(m, 124788544),
        .y = vox_in_output(m, 0, 0),
    };
}
static int unet3d_logits_tasks(const vox_memory *m) {
    return vox_conv_tasks(&unet3d_logits_layer, m->range);
}
static void unet3d_logits_run(const vox_memory *m, int task) {
    vox_f32_conv(&unet3d_logits_layer, unet3d_logits_at(m), m->range, task);
}
static int unet3d_logits_check(const vox_memory *m, vox_probe *probe) {
    return vox_check_conv(probe, &unet3d_logits_layer, unet3d_logits_at(m));
}

/* clang-format off */
const vox_layer UNET3D_LAYERS[] = {
    {unet3d_e0a_tasks, unet3d_e0a_run, unet3d_e0a_check},
    {unet3d_e0b_tasks, unet3d_e0b_run, unet3d_e0b_check},
    {unet3d_e1a_tasks, unet3d_e1a_run, unet3d_e1a_check},
    {unet3d_e1b_tasks, unet3d_e1b_run, unet3d_e1b_check},
    {unet3d_e2a_tasks, unet3d_e2a_run, unet3d_e2a_check},
    {unet3d_e2b_tasks, unet3d_e2b_run, unet3d_e2b_check},
    {unet3d_e3a_tasks, unet3d_e3a_run, unet3d_e3a_check},
    {unet3d_e3b_tasks, unet3d_e3b_run, unet3d_e3b_check},
    {unet3d_up2_tasks, unet3d_up2_run, unet3d_up2_check},
    {unet3d_d2a_tasks, unet3d_d2a_run, unet3d_d2a_check},
    {unet3d_d2b_tasks, unet3d_d2b_run, unet3d_d2b_check},
    {unet3d_up1_tasks, unet3d_up1_run, unet3d_up1_check},
    {unet3d_d1a_tasks, unet3d_d1a_run, unet3d_d1a_check},
    {unet3d_d1b_tasks, unet3d_d1b_run, unet3d_d1b_check},
    {unet3d_up0_tasks, unet3d_up0_run, unet3d_up0_check},
    {unet3d_d0a_tasks, unet3d_d0a_run, unet3d_d0a_check},
    {unet3d_d0b_tasks, unet3d_d0b_run, unet3d_d0b_check},
    {unet3d_logits_tasks, unet3d_logits_run, unet3d_logits_check},
};
/* clang-format on */
