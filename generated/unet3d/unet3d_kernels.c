/* SPDX-License-Identifier: MIT-0 */
/* unet3d_kernels.c: unet3d's layers, in order; compiled once for each instruction set.
 *
 * Written by voxc 0.1.0 from unet3d.yaml (SHA-256 8cee7e38b7575317...) with --target c --init 1.
 *
 * Each function does task number `task` of its layer, or says how many tasks there are (task < 0), or checks
 * samples of what it wrote (m->probe). Offsets in the enums count floats. "arena + n, layers a to b": bytes,
 * and the first and last layer that touch that buffer. "blocked": N, C/16, D, H, W, 16.
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
extern const vox_layer_fn UNET3D_LAYERS[];

/* e0a: conv 3x3x3 + relu, direct, 4.99 GMAC, reads 24.26 MB, writes 246.60 MB; stream 1, 4 planes of e1b at a time
 *   x  image f32[1,3,132,132,116], inputs[0]
 *   w  e0a.conv.weight f32[32,3,3,3,3], prepared + 576
 *   b  e0a.conv.bias f32[32], prepared + 10944
 *   y  e0a f32[1,32,130,130,114], blocked, planes kept: 10 of 130, 19.0 MB instead of 246.6, arena + 0, layers 0 to 3
 *   780 tasks: channels 2 x 16, planes 1, rows 22; input channels 3 at a time;
 *   11 KiB of weights and 98 KiB of input rows are used again
 */
static int unet3d_e0a(const vox_memory *m, int task) {
    enum { N = 1, IC = 3, ID = 132, IH = 132, IW = 116 };
    enum { OC = 32, OD = 130, OH = 130, OW = 114, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 1, TASK_H = 22, CHUNK_IC = 3, RUN = 128 };
    enum { W = 144, B = 2736, Y = 0 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, 0, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 10},
        .kernel = {KD, KH, KW},
        .stride = {SD, SH, SW},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .group = GROUP,
        .ep = {VOX_ACT_RELU, 0, 0},
        .task_oc = TASK_OC,
        .task_d = TASK_D,
        .task_h = TASK_H,
        .chunk_ic = CHUNK_IC,
        .run = RUN,
    };
    const float *x = m->inputs[0];
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, NULL, y, task);
    return 0;
}

/* e0b: conv 3x3x3 + relu, Winograd 4x4x4, 101.47 GMAC, reads 246.83 MB, writes 469.76 MB; stream 1, 4 planes of e1b at a time
 *   x  e0a f32[1,32,130,130,114], blocked, planes kept: 10 of 130, 19.0 MB instead of 246.6, arena + 0, layers 0 to 3
 *   u  e0b.conv.weight f32[64,32,3,3,3], prepared + 11072
 *   b  e0b.conv.bias f32[64], prepared + 1796928
 *   crop  e0b.crop f32[1,64,48,48,32], blocked, in cat0, arena + 44324352, layers 0 to 15
 *   pool  p0 f32[1,64,64,64,56], blocked, planes kept: 6 of 64, 5.5 MB instead of 58.7, arena + 37807104, layers 0 to 3
 *   scratch  677376 bytes for each thread, arena + 71271936
 *   Winograd F(4x4x4): 6.4 times cheaper than direct;
 *   28672 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_e0b(const vox_memory *m, int task) {
    enum { N = 1, IC = 32, ID = 130, IH = 130, IW = 114 };
    enum { OC = 64, OD = 128, OH = 128, OW = 112 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 0, U = 2768, B = 449232, CROP = 11081088, POOL = 9451776, SCRATCH = 17817984, LANE = 169344 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 10},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 8},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 0,
        .crop = {N, OC, 48, 48, 32, VOX_BLOCK, 0},
        .crop_begin = {40, 40, 40},
        .pool = {N, OC, 64, 64, 56, VOX_BLOCK, 6},
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *crop = m->arena + CROP;
    float *pool = m->arena + POOL;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, NULL, crop, pool);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, NULL, crop, pool,
                     scratch + task * LANE, m->next);
    return 0;
}

/* e1a: conv 3x3x3 + relu, Winograd 4x4x4, 22.96 GMAC, reads 59.16 MB, writes 53.14 MB; stream 1, 4 planes of e1b at a time
 *   x  p0 f32[1,64,64,64,56], blocked, planes kept: 6 of 64, 5.5 MB instead of 58.7, arena + 37807104, layers 0 to 3
 *   u  e1a.conv.weight f32[64,64,3,3,3], prepared + 1797184
 *   b  e1a.conv.bias f32[64], prepared + 5368896
 *   y  e1a f32[1,64,62,62,54], blocked, planes kept: 8 of 62, 6.9 MB instead of 53.1, arena + 30950400, layers 0 to 3
 *   scratch  1009152 bytes for each thread, arena + 63198720
 *   Winograd F(4x4x4): 6.2 times cheaper than direct;
 *   3584 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_e1a(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 64, IH = 64, IW = 56 };
    enum { OC = 64, OD = 62, OH = 62, OW = 54 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 9451776, U = 449296, B = 1342224, Y = 7737600, SCRATCH = 15799680, LANE = 252288 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 6},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 8},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, y, NULL, NULL,
                     scratch + task * LANE, m->next);
    return 0;
}

/* e1b: conv 3x3x3 + relu, Winograd 4x4x4, 41.41 GMAC, reads 54.02 MB, writes 95.85 MB; stream 1, 4 planes of e1b at a time
 *   x  e1a f32[1,64,62,62,54], blocked, planes kept: 8 of 62, 6.9 MB instead of 53.1, arena + 30950400, layers 0 to 3
 *   u  e1b.conv.weight f32[128,64,3,3,3], prepared + 5369152
 *   b  e1b.conv.bias f32[128], prepared + 12512576
 *   crop  e1b.crop f32[1,128,28,28,20], blocked, in cat1, arena + 79255040, layers 0 to 12
 *   pool  p1 f32[1,128,30,30,26], blocked, arena + 18969600, layers 0 to 4
 *   scratch  1009152 bytes for each thread, arena + 67235328
 *   Winograd F(4x4x4): 7.1 times cheaper than direct;
 *   2925 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_e1b(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 62, IH = 62, IW = 54 };
    enum { OC = 128, OD = 60, OH = 60, OW = 52 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 7737600, U = 1342288, B = 3128144, CROP = 19813760, POOL = 4742400, SCRATCH = 16808832, LANE = 252288 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 8},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 0,
        .crop = {N, OC, 28, 28, 20, VOX_BLOCK, 0},
        .crop_begin = {16, 16, 16},
        .pool = {N, OC, 30, 30, 26, VOX_BLOCK, 0},
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *crop = m->arena + CROP;
    float *pool = m->arena + POOL;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, NULL, crop, pool);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, NULL, crop, pool,
                     scratch + task * LANE, m->next);
    return 0;
}

/* e2a: conv 3x3x3 + relu, Winograd 4x4x4, 8.32 GMAC, reads 13.75 MB, writes 9.63 MB
 *   x  p1 f32[1,128,30,30,26], blocked, arena + 18969600, layers 0 to 4
 *   u  e2a.conv.weight f32[128,128,3,3,3], prepared + 12513088
 *   b  e2a.conv.bias f32[128], prepared + 26799936
 *   y  e2a f32[1,128,28,28,24], blocked, arena + 30950400, layers 4 to 5
 *   scratch  1672704 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 7.4 times cheaper than direct;
 *   294 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_e2a(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 30, IH = 30, IW = 26 };
    enum { OC = 128, OD = 28, OH = 28, OW = 24 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 4742400, U = 3128272, B = 6699984, Y = 7737600, SCRATCH = 0, LANE = 418176 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, y, NULL, NULL,
                     scratch + task * LANE, m->next);
    return 0;
}

/* e2b: conv 3x3x3 + relu, deep Winograd 4x4x4, 13.16 GMAC, reads 13.17 MB, writes 15.23 MB
 *   x  e2a f32[1,128,28,28,24], blocked, arena + 30950400, layers 4 to 5
 *   w  e2b.conv.weight f32[256,128,3,3,3], prepared + 26800448
 *   b  e2b.conv.bias f32[256], prepared + 30339392
 *   crop  e2b.crop f32[1,256,18,18,14], blocked, in cat2, arena + 72488448, layers 5 to 9
 *   pool  p2 f32[1,256,13,13,11], blocked, arena + 17358336, layers 5 to 6
 *   shared  9303552 bytes for all threads, arena + 0
 *   scratch  2013696 bytes for each thread, arena + 9303552
 *   Winograd F(4x4x4), weights transformed on the way: 5.6 times cheaper than direct;
 *   294 tiles, at most 84 at a time for each of 4 threads;
 *   8 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static int unet3d_e2b(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 28, IH = 28, IW = 24 };
    enum { OC = 256, OD = 26, OH = 26, OW = 22 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 84 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 7737600, W = 6700112, B = 7584848, CROP = 18122112, POOL = 4339584, SHARED = 0, SCRATCH = 2325888, LANE = 503424 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 0,
        .crop = {N, OC, 18, 18, 14, VOX_BLOCK, 0},
        .crop_begin = {4, 4, 4},
        .pool = {N, OC, 13, 13, 11, VOX_BLOCK, 0},
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *crop = m->arena + CROP;
    float *pool = m->arena + POOL;
    float *shared = m->arena + SHARED;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd_deep(m->probe, &layer, x, w, b, NULL, NULL, NULL, crop, pool);
    if (task < 0) return LANES;
    vox_f32_winograd_deep(&layer, m->phase, m->begin, m->end, x, w, b, NULL, NULL, NULL, crop, pool,
                     shared, scratch + task * LANE, m->next);
    return 0;
}

/* e3a: conv 3x3x3 + relu, deep Winograd 4x4x4, 1.93 GMAC, reads 8.98 MB, writes 1.12 MB
 *   x  p2 f32[1,256,13,13,11], blocked, arena + 17358336, layers 5 to 6
 *   w  e3a.conv.weight f32[256,256,3,3,3], prepared + 30340416
 *   b  e3a.conv.bias f32[256], prepared + 37418304
 *   y  e3a f32[1,256,11,11,9], blocked, arena + 10188288, layers 6 to 7
 *   shared  5985792 bytes for all threads, arena + 0
 *   scratch  1050624 bytes for each thread, arena + 5985792
 *   Winograd F(4x4x4), weights transformed on the way: 4.2 times cheaper than direct;
 *   27 tiles, at most 27 at a time for each of 4 threads;
 *   11 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static int unet3d_e3a(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 13, IH = 13, IW = 11 };
    enum { OC = 256, OD = 11, OH = 11, OW = 9 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 27 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 4339584, W = 7585104, B = 9354576, Y = 2547072, SHARED = 0, SCRATCH = 1496448, LANE = 262656 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *shared = m->arena + SHARED;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd_deep(m->probe, &layer, x, w, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd_deep(&layer, m->phase, m->begin, m->end, x, w, b, NULL, NULL, y, NULL, NULL,
                     shared, scratch + task * LANE, m->next);
    return 0;
}

/* e3b: conv 3x3x3 + relu, deep Winograd 4x4x4, 2.01 GMAC, reads 15.27 MB, writes 1.16 MB
 *   x  e3a f32[1,256,11,11,9], blocked, arena + 10188288, layers 6 to 7
 *   w  e3b.conv.weight f32[512,256,3,3,3], prepared + 37419328
 *   b  e3b.conv.bias f32[512], prepared + 51575104
 *   y  e3b f32[1,512,9,9,7], blocked, arena + 7589376, layers 7 to 8
 *   shared  3995136 bytes for all threads, arena + 0
 *   scratch  898560 bytes for each thread, arena + 3995136
 *   Winograd F(4x4x4), weights transformed on the way: 3.1 times cheaper than direct;
 *   18 tiles, at most 18 at a time for each of 4 threads;
 *   9 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static int unet3d_e3b(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 11, IH = 11, IW = 9 };
    enum { OC = 512, OD = 9, OH = 9, OW = 7 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 18 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 2547072, W = 9354832, B = 12893776, Y = 1897344, SHARED = 0, SCRATCH = 998784, LANE = 224640 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *shared = m->arena + SHARED;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd_deep(m->probe, &layer, x, w, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd_deep(&layer, m->phase, m->begin, m->end, x, w, b, NULL, NULL, y, NULL, NULL,
                     shared, scratch + task * LANE, m->next);
    return 0;
}

/* up2: conv_transpose 2x2x2 stride 2x2x2, 1.19 GMAC, reads 9.55 MB, writes 9.29 MB
 *   x  e3b f32[1,512,9,9,7], blocked, arena + 7589376, layers 7 to 8
 *   w  up2.weight f32[512,512,2,2,2], prepared + 51577152
 *   y  up2 f32[1,512,18,18,14], blocked, in cat2, arena + 63198720, layers 8 to 9
 *   48 tasks: channels 2 x 16, planes 6, rows 18; input channels 512 at a time;
 *   512 KiB of weights and 532 KiB of input rows are used again
 */
static int unet3d_up2(const vox_memory *m, int task) {
    enum { N = 1, IC = 512, ID = 9, IH = 9, IW = 7 };
    enum { OC = 512, OD = 18, OH = 18, OW = 14, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 6, TASK_H = 18, CHUNK_IC = 512, RUN = 128 };
    enum { X = 1897344, W = 12894288, Y = 15799680 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .kernel = {KD, KH, KW},
        .stride = {SD, SH, SW},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .group = GROUP,
        .ep = {VOX_ACT_NONE, 0, 0},
        .task_oc = TASK_OC,
        .task_d = TASK_D,
        .task_h = TASK_H,
        .chunk_ic = CHUNK_IC,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv_transpose(m->probe, &layer, x, w, NULL, NULL, y);
    if (task < 0) return vox_conv_transpose_tasks(&layer, m->begin, m->end);
    vox_f32_conv_transpose(&layer, m->begin, m->end, x, w, NULL, NULL, y, task);
    return 0;
}

/* d2a: conv 3x3x3 + relu, deep Winograd 4x4x4, 16.31 GMAC, reads 35.17 MB, writes 3.15 MB
 *   x  cat2 f32[1,768,18,18,14], blocked, arena + 63198720, layers 5 to 9
 *   w  d2a.conv.weight f32[256,768,3,3,3], prepared + 59965760
 *   b  d2a.conv.bias f32[256], prepared + 81199424
 *   y  d2a f32[1,256,16,16,12], blocked, arena + 37486080, layers 9 to 10
 *   shared  31864320 bytes for all threads, arena + 0
 *   scratch  1405440 bytes for each thread, arena + 31864320
 *   Winograd F(4x4x4), weights transformed on the way: 7.1 times cheaper than direct;
 *   48 tiles, at most 48 at a time for each of 4 threads;
 *   16 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static int unet3d_d2a(const vox_memory *m, int task) {
    enum { N = 1, IC = 768, ID = 18, IH = 18, IW = 14 };
    enum { OC = 256, OD = 16, OH = 16, OW = 12 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 48 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 15799680, W = 14991440, B = 20299856, Y = 9371520, SHARED = 0, SCRATCH = 7966080, LANE = 351360 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *shared = m->arena + SHARED;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd_deep(m->probe, &layer, x, w, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd_deep(&layer, m->phase, m->begin, m->end, x, w, b, NULL, NULL, y, NULL, NULL,
                     shared, scratch + task * LANE, m->next);
    return 0;
}

/* d2b: conv 3x3x3 + relu, deep Winograd 4x4x4, 3.47 GMAC, reads 10.22 MB, writes 2.01 MB
 *   x  d2a f32[1,256,16,16,12], blocked, arena + 37486080, layers 9 to 10
 *   w  d2b.conv.weight f32[256,256,3,3,3], prepared + 81200448
 *   b  d2b.conv.bias f32[256], prepared + 88278336
 *   y  d2b f32[1,256,14,14,10], blocked, arena + 16252416, layers 10 to 11
 *   shared  10630656 bytes for all threads, arena + 0
 *   scratch  1405440 bytes for each thread, arena + 10630656
 *   Winograd F(4x4x4), weights transformed on the way: 4.5 times cheaper than direct;
 *   48 tiles, at most 48 at a time for each of 4 threads;
 *   14 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static int unet3d_d2b(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 16, IH = 16, IW = 12 };
    enum { OC = 256, OD = 14, OH = 14, OW = 10 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 48 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 9371520, W = 20300112, B = 22069584, Y = 4063104, SHARED = 0, SCRATCH = 2657664, LANE = 351360 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *shared = m->arena + SHARED;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd_deep(m->probe, &layer, x, w, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd_deep(&layer, m->phase, m->begin, m->end, x, w, b, NULL, NULL, y, NULL, NULL,
                     shared, scratch + task * LANE, m->next);
    return 0;
}

/* up1: conv_transpose 2x2x2 stride 2x2x2, 1.03 GMAC, reads 4.10 MB, writes 16.06 MB
 *   x  d2b f32[1,256,14,14,10], blocked, arena + 16252416, layers 10 to 11
 *   w  up1.weight f32[256,256,2,2,2], prepared + 88279360
 *   y  up1 f32[1,256,28,28,20], blocked, in cat1, arena + 63198720, layers 11 to 12
 *   48 tasks: channels 2 x 16, planes 5, rows 28; input channels 256 at a time;
 *   256 KiB of weights and 580 KiB of input rows are used again
 */
static int unet3d_up1(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 14, IH = 14, IW = 10 };
    enum { OC = 256, OD = 28, OH = 28, OW = 20, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 5, TASK_H = 28, CHUNK_IC = 256, RUN = 128 };
    enum { X = 4063104, W = 22069840, Y = 15799680 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .kernel = {KD, KH, KW},
        .stride = {SD, SH, SW},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .group = GROUP,
        .ep = {VOX_ACT_NONE, 0, 0},
        .task_oc = TASK_OC,
        .task_d = TASK_D,
        .task_h = TASK_H,
        .chunk_ic = CHUNK_IC,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv_transpose(m->probe, &layer, x, w, NULL, NULL, y);
    if (task < 0) return vox_conv_transpose_tasks(&layer, m->begin, m->end);
    vox_f32_conv_transpose(&layer, m->begin, m->end, x, w, NULL, NULL, y, task);
    return 0;
}

/* d1a: conv 3x3x3 + relu, deep Winograd 4x4x4, 16.15 GMAC, reads 29.39 MB, writes 6.23 MB
 *   x  cat1 f32[1,384,28,28,20], blocked, arena + 63198720, layers 0 to 12
 *   w  d1a.conv.weight f32[128,384,3,3,3], prepared + 90376512
 *   b  d1a.conv.bias f32[128], prepared + 95684928
 *   y  d1a f32[1,128,26,26,18], blocked, arena + 87283200, layers 12 to 13
 *   shared  34850304 bytes for all threads, arena + 0
 *   scratch  2368512 bytes for each thread, arena + 34850304
 *   Winograd F(4x4x4), weights transformed on the way: 5.6 times cheaper than direct;
 *   245 tiles, at most 105 at a time for each of 4 threads;
 *   12 planes at a time: phase 0 transforms inputs, phase 1 weights and multiplies
 */
static int unet3d_d1a(const vox_memory *m, int task) {
    enum { N = 1, IC = 384, ID = 28, IH = 28, IW = 20 };
    enum { OC = 128, OD = 26, OH = 26, OW = 18 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 105 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 15799680, W = 22594128, B = 23921232, Y = 21820800, SHARED = 0, SCRATCH = 8712576, LANE = 592128 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *shared = m->arena + SHARED;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd_deep(m->probe, &layer, x, w, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd_deep(&layer, m->phase, m->begin, m->end, x, w, b, NULL, NULL, y, NULL, NULL,
                     shared, scratch + task * LANE, m->next);
    return 0;
}

/* d1b: conv 3x3x3 + relu, Winograd 4x4x4, 4.08 GMAC, reads 8.00 MB, writes 4.72 MB
 *   x  d1a f32[1,128,26,26,18], blocked, arena + 87283200, layers 12 to 13
 *   u  d1b.conv.weight f32[128,128,3,3,3], prepared + 95685440
 *   b  d1b.conv.bias f32[128], prepared + 109972288
 *   y  d1b f32[1,128,24,24,16], blocked, arena + 63198720, layers 13 to 14
 *   scratch  1672704 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 7.4 times cheaper than direct;
 *   144 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_d1b(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 26, IH = 26, IW = 18 };
    enum { OC = 128, OD = 24, OH = 24, OW = 16 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 21820800, U = 23921360, B = 27493072, Y = 15799680, SCRATCH = 0, LANE = 418176 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, y, NULL, NULL,
                     scratch + task * LANE, m->next);
    return 0;
}

/* up0: conv_transpose 2x2x2 stride 2x2x2, 1.21 GMAC, reads 5.24 MB, writes 37.75 MB
 *   x  d1b f32[1,128,24,24,16], blocked, arena + 63198720, layers 13 to 14
 *   w  up0.weight f32[128,128,2,2,2], prepared + 109972800
 *   y  up0 f32[1,128,48,48,32], blocked, in cat0, arena + 6575616, layers 14 to 15
 *   48 tasks: channels 2 x 16, planes 4, rows 48; input channels 128 at a time;
 *   128 KiB of weights and 784 KiB of input rows are used again
 */
static int unet3d_up0(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 24, IH = 24, IW = 16 };
    enum { OC = 128, OD = 48, OH = 48, OW = 32, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 4, TASK_H = 48, CHUNK_IC = 128, RUN = 128 };
    enum { X = 15799680, W = 27493200, Y = 1643904 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .kernel = {KD, KH, KW},
        .stride = {SD, SH, SW},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .group = GROUP,
        .ep = {VOX_ACT_NONE, 0, 0},
        .task_oc = TASK_OC,
        .task_d = TASK_D,
        .task_h = TASK_H,
        .chunk_ic = CHUNK_IC,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv_transpose(m->probe, &layer, x, w, NULL, NULL, y);
    if (task < 0) return vox_conv_transpose_tasks(&layer, m->begin, m->end);
    vox_f32_conv_transpose(&layer, m->begin, m->end, x, w, NULL, NULL, y, task);
    return 0;
}

/* d0a: conv 3x3x3 + relu, Winograd 4x4x4, 21.06 GMAC, reads 57.95 MB, writes 16.25 MB
 *   x  cat0 f32[1,192,48,48,32], blocked, arena + 6575616, layers 0 to 15
 *   u  d0a.conv.weight f32[64,192,3,3,3], prepared + 110497088
 *   b  d0a.conv.bias f32[64], prepared + 121212224
 *   y  d0a f32[1,64,46,46,30], blocked, arena + 63198720, layers 15 to 16
 *   scratch  2336256 bytes for each thread, arena + 79449600
 *   Winograd F(4x4x4): 6.1 times cheaper than direct;
 *   1152 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_d0a(const vox_memory *m, int task) {
    enum { N = 1, IC = 192, ID = 48, IH = 48, IW = 32 };
    enum { OC = 64, OD = 46, OH = 46, OW = 30 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 1643904, U = 27624272, B = 30303056, Y = 15799680, SCRATCH = 19862400, LANE = 584064 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, y, NULL, NULL,
                     scratch + task * LANE, m->next);
    return 0;
}

/* d0b: conv 3x3x3 + relu, Winograd 4x4x4, 5.99 GMAC, reads 16.69 MB, writes 13.88 MB
 *   x  d0a f32[1,64,46,46,30], blocked, arena + 63198720, layers 15 to 16
 *   u  d0b.conv.weight f32[64,64,3,3,3], prepared + 121212480
 *   b  d0b.conv.bias f32[64], prepared + 124784192
 *   y  d0b f32[1,64,44,44,28], blocked, arena + 0, layers 16 to 17
 *   scratch  1009152 bytes for each thread, arena + 13877248
 *   Winograd F(4x4x4): 6.8 times cheaper than direct;
 *   847 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_d0b(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 46, IH = 46, IW = 30 };
    enum { OC = 64, OD = 44, OH = 44, OW = 28 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 15799680, U = 30303120, B = 31196048, Y = 0, SCRATCH = 3469312, LANE = 252288 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 1,
        .lanes = LANES,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *u = m->prepared + U;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    float *scratch = m->arena + SCRATCH;
    if (m->probe) return vox_check_winograd(m->probe, &layer, x, u, b, NULL, NULL, y, NULL, NULL);
    if (task < 0) return LANES;
    vox_f32_winograd(&layer, m->begin, m->end, x, u, b, NULL, NULL, y, NULL, NULL,
                     scratch + task * LANE, m->next);
    return 0;
}

/* logits: conv 1x1x1, direct, 0.01 GMAC, reads 13.88 MB, writes 0.65 MB
 *   x  d0b f32[1,64,44,44,28], blocked, arena + 0, layers 16 to 17
 *   w  logits.weight f32[3,64,1,1,1], prepared + 124784448
 *   b  logits.bias f32[3], prepared + 124788544
 *   y  logits f32[1,3,44,44,28], outputs[0]
 *   44 tasks: channels 1 x 16, planes 1, rows 44; input channels 64 at a time;
 *   4 KiB of weights and 308 KiB of input rows are used again
 */
static int unet3d_logits(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 44, IH = 44, IW = 28 };
    enum { OC = 3, OD = 44, OH = 44, OW = 28, GROUP = 1 };
    enum { KD = 1, KH = 1, KW = 1, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 1, TASK_H = 44, CHUNK_IC = 64, RUN = 128 };
    enum { X = 0, W = 31196112, B = 31197136 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, 0, 0},
        .kernel = {KD, KH, KW},
        .stride = {SD, SH, SW},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .group = GROUP,
        .ep = {VOX_ACT_NONE, 0, 0},
        .task_oc = TASK_OC,
        .task_d = TASK_D,
        .task_h = TASK_H,
        .chunk_ic = CHUNK_IC,
        .run = RUN,
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->outputs[0];
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, NULL, y, task);
    return 0;
}

/* clang-format off */
const vox_layer_fn UNET3D_LAYERS[] = {
    unet3d_e0a,
    unet3d_e0b,
    unet3d_e1a,
    unet3d_e1b,
    unet3d_e2a,
    unet3d_e2b,
    unet3d_e3a,
    unet3d_e3b,
    unet3d_up2,
    unet3d_d2a,
    unet3d_d2b,
    unet3d_up1,
    unet3d_d1a,
    unet3d_d1b,
    unet3d_up0,
    unet3d_d0a,
    unet3d_d0b,
    unet3d_logits,
};
/* clang-format on */
