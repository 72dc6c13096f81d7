/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_kernels.c: unet3d_small's layers, in order; compiled once for each instruction set.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target c --init 1.
 *
 * Each function does task number `task` of its layer, or says how many tasks there are (task < 0), or checks
 * samples of what it wrote (m->probe). Offsets in the enums count floats. "arena + n, layers a to b": bytes,
 * and the first and last layer that touch that buffer. "blocked": N, C/16, D, H, W, 16.
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
extern const vox_layer_fn UNET3D_SMALL_LAYERS[];

/* e0a: conv 3x3x3 + relu, direct, 0.08 GMAC, reads 3.12 MB, writes 11.66 MB; stream 1, 2 planes of p0 at a time
 *   x  image f32[1,1,92,92,92], inputs[0]
 *   w  e0a.conv.weight f32[4,1,3,3,3], prepared + 640
 *   b  e0a.conv.bias f32[4], prepared + 2368
 *   y  e0a f32[1,4,90,90,90], planes kept: 6 of 90, 0.8 MB instead of 11.7, arena + 3717120, layers 0 to 3
 *   315 tasks: channels 1 x 16, planes 2, rows 13; input channels 1 at a time;
 *   2 KiB of weights and 17 KiB of input rows are used again
 */
static int unet3d_small_e0a(const vox_memory *m, int task) {
    enum { N = 1, IC = 1, ID = 92, IH = 92, IW = 92 };
    enum { OC = 4, OD = 90, OH = 90, OW = 90, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 2, TASK_H = 13, CHUNK_IC = 1, RUN = 128 };
    enum { W = 160, B = 592, Y = 929280 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, 0, 0},
        .y = {N, OC, OD, OH, OW, 0, 6},
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

/* e0b: conv 3x3x3 + relu, Winograd 4x4x1, 0.59 GMAC, reads 11.67 MB, writes 21.81 MB; stream 1, 2 planes of p0 at a time
 *   x  e0a f32[1,4,90,90,90], planes kept: 6 of 90, 0.8 MB instead of 11.7, arena + 3717120, layers 0 to 3
 *   u  e0b.conv.weight f32[8,4,3,3,3], prepared + 2432
 *   b  e0b.conv.bias f32[8], prepared + 30592
 *   y  e0b f32[1,8,88,88,88], planes kept: 4 of 88, 1.0 MB instead of 21.8, arena + 2725888, layers 0 to 3
 *   scratch  138240 bytes for each thread, arena + 4494720
 *   Winograd F(4x4x1): 1.8 times cheaper than direct;
 *   484 tiles, at most 1 at a time for each of 4 threads
 */
static int unet3d_small_e0b(const vox_memory *m, int task) {
    enum { N = 1, IC = 4, ID = 90, IH = 90, IW = 90 };
    enum { OC = 8, OD = 88, OH = 88, OW = 88 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 1, BATCH = 1 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 929280, U = 608, B = 7648, Y = 681472, SCRATCH = 1123680, LANE = 34560 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, 0, 6},
        .y = {N, OC, OD, OH, OW, 0, 4},
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
    if (m->probe) return vox_check_winograd_few(m->probe, &layer, x, u, b, NULL, NULL, y);
    if (task < 0) return LANES;
    vox_f32_winograd_few(&layer, m->begin, m->end, x, u, b, NULL, NULL, y,
                     scratch + task * LANE, m->next);
    return 0;
}

/* e0b.crop: slice, reads 21.81 MB, writes 0.02 MB; stream 1, 2 planes of p0 at a time
 *   x  e0b f32[1,8,88,88,88], planes kept: 4 of 88, 1.0 MB instead of 21.8, arena + 2725888, layers 0 to 3
 *   y  e0b.crop f32[1,8,8,8,8], arena + 5760256, layers 0 to 18
 */
static int unet3d_small_e0b_crop(const vox_memory *m, int task) {
    enum { FROM = 3560 }; /* first element of x */
    enum { X = 681472, Y = 1440064 };
    static const vox_copy layer = {
        .rank = 5,
        .element = 4,
        .dim = {1, 8, 8, 8, 8},
        .x_stride = {247808, 30976, 7744, 88, 1},
        .y_stride = {4096, 512, 64, 8, 1},
        .planes = 2, .x_begin = 40, .x_ring = 4, .y_ring = 0,
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_copy_box(m->probe, &layer, x + FROM, y);
    if (task < 0) return vox_copy_tasks(&layer, m->begin, m->end);
    vox_copy_box(&layer, m->begin, m->end, x + FROM, y, task);
    return 0;
}

/* p0: max_pool 2x2x2 stride 2x2x2, reads 21.81 MB, writes 2.73 MB; stream 1, 2 planes of p0 at a time
 *   x  e0b f32[1,8,88,88,88], planes kept: 4 of 88, 1.0 MB instead of 21.8, arena + 2725888, layers 0 to 3
 *   y  p0 f32[1,8,44,44,44], arena + 0, layers 0 to 4
 */
static int unet3d_small_p0(const vox_memory *m, int task) {
    enum { N = 1, C = 8, ID = 88, IH = 88, IW = 88, OD = 44, OH = 44, OW = 44 };
    enum { X = 681472, Y = 0 };
    static const vox_pool3d layer = {
        .x = {N, C, ID, IH, IW, 0, 4},
        .y = {N, C, OD, OH, OW, 0, 0},
        .kernel = {2, 2, 2},
        .stride = {2, 2, 2},
        .dilation = {1, 1, 1},
        .pad = {0, 0, 0},
        .pad_end = {0, 0, 0},
        .include_pad = 0,
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_max_pool(m->probe, &layer, x, y);
    if (task < 0) return vox_pool3d_tasks(&layer, m->begin, m->end);
    vox_f32_max_pool(&layer, m->begin, m->end, x, y, task);
    return 0;
}

/* e1a: conv 3x3x3 + relu, Winograd 4x4x1, 0.13 GMAC, reads 2.73 MB, writes 2.37 MB
 *   x  p0 f32[1,8,44,44,44], arena + 0, layers 0 to 4
 *   u  e1a.conv.weight f32[8,8,3,3,3], prepared + 30656
 *   b  e1a.conv.bias f32[8], prepared + 86976
 *   y  e1a f32[1,8,42,42,42], arena + 2725888, layers 4 to 6
 *   scratch  165888 bytes for each thread, arena + 5096704
 *   Winograd F(4x4x1): 2.0 times cheaper than direct;
 *   121 tiles, at most 1 at a time for each of 4 threads
 */
static int unet3d_small_e1a(const vox_memory *m, int task) {
    enum { N = 1, IC = 8, ID = 44, IH = 44, IW = 44 };
    enum { OC = 8, OD = 42, OH = 42, OW = 42 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 1, BATCH = 1 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 0, U = 7664, B = 21744, Y = 681472, SCRATCH = 1274176, LANE = 41472 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, 0, 0},
        .y = {N, OC, OD, OH, OW, 0, 0},
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
    if (m->probe) return vox_check_winograd_few(m->probe, &layer, x, u, b, NULL, NULL, y);
    if (task < 0) return LANES;
    vox_f32_winograd_few(&layer, m->begin, m->end, x, u, b, NULL, NULL, y,
                     scratch + task * LANE, m->next);
    return 0;
}

/* e1a.blocked: to_block, reads 2.37 MB, writes 4.74 MB; stream 2, 4 planes of e1b at a time
 *   x  e1a f32[1,8,42,42,42], arena + 2725888, layers 4 to 6
 *   y  e1a.blocked f32[1,8,42,42,42], blocked, planes kept: 6 of 42, 0.7 MB instead of 4.7, arena + 2045952, layers 5 to 6
 */
static int unet3d_small_e1a_blocked(const vox_memory *m, int task) {
    enum { N = 1, C = 8, D = 42, H = 42, W = 42 };
    enum { X = 681472, Y = 511488 };
    static const vox_relayout layer = {
        .x = {N, C, D, H, W, 0, 0},
        .y = {N, C, D, H, W, VOX_BLOCK, 6},
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_relayout(m->probe, &layer, x, y);
    if (task < 0) return vox_relayout_tasks(&layer, m->begin, m->end);
    vox_f32_to_block(&layer, m->begin, m->end, x, y, task);
    return 0;
}

/* e1b: conv 3x3x3 + relu, Winograd 4x4x4, 0.22 GMAC, reads 4.76 MB, writes 4.10 MB; stream 2, 4 planes of e1b at a time
 *   x  e1a.blocked f32[1,8,42,42,42], blocked, planes kept: 6 of 42, 0.7 MB instead of 4.7, arena + 2045952, layers 5 to 6
 *   u  e1b.conv.weight f32[16,8,3,3,3], prepared + 87040
 *   b  e1b.conv.bias f32[16], prepared + 198656
 *   crop  e1b.crop f32[1,16,8,8,8], blocked, in cat1, arena + 5608704, layers 5 to 15
 *   pool  p1 f32[1,16,20,20,20], blocked, arena + 5096704, layers 5 to 7
 *   scratch  511488 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 3.3 times cheaper than direct;
 *   1000 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_small_e1b(const vox_memory *m, int task) {
    enum { N = 1, IC = 8, ID = 42, IH = 42, IW = 42 };
    enum { OC = 16, OD = 40, OH = 40, OW = 40 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 511488, U = 21760, B = 49664, CROP = 1402176, POOL = 1274176, SCRATCH = 0, LANE = 127872 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 6},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 0,
        .crop = {N, OC, 8, 8, 8, VOX_BLOCK, 0},
        .crop_begin = {16, 16, 16},
        .pool = {N, OC, 20, 20, 20, VOX_BLOCK, 0},
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

/* e2a: conv 3x3x3 + relu, Winograd 4x4x4, 0.04 GMAC, reads 0.54 MB, writes 0.37 MB
 *   x  p1 f32[1,16,20,20,20], blocked, arena + 5096704, layers 5 to 7
 *   u  e2a.conv.weight f32[16,16,3,3,3], prepared + 198720
 *   b  e2a.conv.bias f32[16], prepared + 421952
 *   y  e2a f32[1,16,18,18,18], blocked, arena + 2045952, layers 7 to 8
 *   scratch  511488 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 3.4 times cheaper than direct;
 *   125 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_small_e2a(const vox_memory *m, int task) {
    enum { N = 1, IC = 16, ID = 20, IH = 20, IW = 20 };
    enum { OC = 16, OD = 18, OH = 18, OW = 18 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 1274176, U = 49680, B = 105488, Y = 511488, SCRATCH = 0, LANE = 127872 };
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

/* e2b: conv 3x3x3 + relu, Winograd 4x4x4, 0.06 GMAC, reads 0.43 MB, writes 0.52 MB
 *   x  e2a f32[1,16,18,18,18], blocked, arena + 2045952, layers 7 to 8
 *   u  e2b.conv.weight f32[32,16,3,3,3], prepared + 422016
 *   b  e2b.conv.bias f32[32], prepared + 868480
 *   crop  e2b.crop f32[1,32,8,8,8], blocked, in cat2, arena + 3725312, layers 8 to 12
 *   pool  p2 f32[1,32,8,8,8], blocked, arena + 2419200, layers 8 to 9
 *   scratch  511488 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 5.3 times cheaper than direct;
 *   64 tiles, at most 12 at a time for each of 4 threads
 */
static int unet3d_small_e2b(const vox_memory *m, int task) {
    enum { N = 1, IC = 16, ID = 18, IH = 18, IW = 18 };
    enum { OC = 32, OD = 16, OH = 16, OW = 16 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 12 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 511488, U = 105504, B = 217120, CROP = 931328, POOL = 604800, SCRATCH = 0, LANE = 127872 };
    static const vox_winograd layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
        .tile = {TILE_D, TILE_H, TILE_W},
        .dilation = {DD, DH, DW},
        .pad = {PD, PH, PW},
        .ep = {VOX_ACT_RELU, 0, 0},
        .batch = BATCH,
        .store = 0,
        .crop = {N, OC, 8, 8, 8, VOX_BLOCK, 0},
        .crop_begin = {4, 4, 4},
        .pool = {N, OC, 8, 8, 8, VOX_BLOCK, 0},
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

/* e3a: conv 3x3x3 + relu, Winograd 4x4x4, 0.00597 GMAC, reads 0.18 MB, writes 0.03 MB
 *   x  p2 f32[1,32,8,8,8], blocked, arena + 2419200, layers 8 to 9
 *   u  e3a.conv.weight f32[32,32,3,3,3], prepared + 868608
 *   b  e3a.conv.bias f32[32], prepared + 1761536
 *   y  e3a f32[1,32,6,6,6], blocked, arena + 1824768, layers 9 to 10
 *   scratch  456192 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 2.5 times cheaper than direct;
 *   8 tiles, at most 8 at a time for each of 4 threads
 */
static int unet3d_small_e3a(const vox_memory *m, int task) {
    enum { N = 1, IC = 32, ID = 8, IH = 8, IW = 8 };
    enum { OC = 32, OD = 6, OH = 6, OW = 6 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 8 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 604800, U = 217152, B = 440384, Y = 456192, SCRATCH = 0, LANE = 114048 };
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

/* e3b: conv 3x3x3 + relu, Winograd 4x4x4, 0.00354 GMAC, reads 0.25 MB, writes 0.02 MB
 *   x  e3a f32[1,32,6,6,6], blocked, arena + 1824768, layers 9 to 10
 *   u  e3b.conv.weight f32[64,32,3,3,3], prepared + 1761664
 *   b  e3b.conv.bias f32[64], prepared + 3547520
 *   y  e3b f32[1,64,4,4,4], blocked, arena + 69120, layers 10 to 11
 *   scratch  69120 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 6.4 times cheaper than direct;
 *   1 tiles, at most 1 at a time for each of 1 threads
 */
static int unet3d_small_e3b(const vox_memory *m, int task) {
    enum { N = 1, IC = 32, ID = 6, IH = 6, IW = 6 };
    enum { OC = 64, OD = 4, OH = 4, OW = 4 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 1 };
    enum { LANES = 1, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 456192, U = 440416, B = 886880, Y = 17280, SCRATCH = 0, LANE = 17280 };
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

/* up2: conv_transpose 2x2x2 stride 2x2x2, 0.00210 GMAC, reads 0.15 MB, writes 0.13 MB
 *   x  e3b f32[1,64,4,4,4], blocked, arena + 69120, layers 10 to 11
 *   w  up2.weight f32[64,64,2,2,2], prepared + 3547776
 *   y  up2 f32[1,64,8,8,8], blocked, in cat2, arena + 3594240, layers 11 to 12
 *   4 tasks: channels 2 x 16, planes 4, rows 8; input channels 64 at a time;
 *   64 KiB of weights and 18 KiB of input rows are used again
 */
static int unet3d_small_up2(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 4, IH = 4, IW = 4 };
    enum { OC = 64, OD = 8, OH = 8, OW = 8, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 4, TASK_H = 8, CHUNK_IC = 64, RUN = 128 };
    enum { X = 17280, W = 886944, Y = 898560 };
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

/* d2a: conv 3x3x3 + relu, Winograd 4x4x4, 0.02 GMAC, reads 0.53 MB, writes 0.03 MB
 *   x  cat2 f32[1,96,8,8,8], blocked, arena + 3594240, layers 8 to 12
 *   u  d2a.conv.weight f32[32,96,3,3,3], prepared + 3678848
 *   b  d2a.conv.bias f32[32], prepared + 6357632
 *   y  d2a f32[1,32,6,6,6], blocked, arena + 3790848, layers 12 to 13
 *   scratch  898560 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 2.7 times cheaper than direct;
 *   8 tiles, at most 8 at a time for each of 4 threads
 */
static int unet3d_small_d2a(const vox_memory *m, int task) {
    enum { N = 1, IC = 96, ID = 8, IH = 8, IW = 8 };
    enum { OC = 32, OD = 6, OH = 6, OW = 6 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 8 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 898560, U = 919712, B = 1589408, Y = 947712, SCRATCH = 0, LANE = 224640 };
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

/* d2b: conv 3x3x3 + relu, Winograd 4x4x4, 0.00177 GMAC, reads 0.14 MB, writes 0.01 MB
 *   x  d2a f32[1,32,6,6,6], blocked, arena + 3790848, layers 12 to 13
 *   u  d2b.conv.weight f32[32,32,3,3,3], prepared + 6357760
 *   b  d2b.conv.bias f32[32], prepared + 7250688
 *   y  d2b f32[1,32,4,4,4], blocked, arena + 69120, layers 13 to 14
 *   scratch  69120 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 5.9 times cheaper than direct;
 *   1 tiles, at most 1 at a time for each of 1 threads
 */
static int unet3d_small_d2b(const vox_memory *m, int task) {
    enum { N = 1, IC = 32, ID = 6, IH = 6, IW = 6 };
    enum { OC = 32, OD = 4, OH = 4, OW = 4 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 1 };
    enum { LANES = 1, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 947712, U = 1589440, B = 1812672, Y = 17280, SCRATCH = 0, LANE = 17280 };
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

/* up1: conv_transpose 2x2x2 stride 2x2x2, 0.00052 GMAC, reads 0.04 MB, writes 0.07 MB
 *   x  d2b f32[1,32,4,4,4], blocked, arena + 69120, layers 13 to 14
 *   w  up1.weight f32[32,32,2,2,2], prepared + 7250816
 *   y  up1 f32[1,32,8,8,8], blocked, in cat1, arena + 5543168, layers 14 to 15
 *   1 tasks: channels 2 x 16, planes 8, rows 8; input channels 32 at a time;
 *   32 KiB of weights and 9 KiB of input rows are used again
 */
static int unet3d_small_up1(const vox_memory *m, int task) {
    enum { N = 1, IC = 32, ID = 4, IH = 4, IW = 4 };
    enum { OC = 32, OD = 8, OH = 8, OW = 8, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 8, TASK_H = 8, CHUNK_IC = 32, RUN = 128 };
    enum { X = 17280, W = 1812704, Y = 1385792 };
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

/* d1a: conv 3x3x3 + relu, Winograd 4x4x4, 0.00448 GMAC, reads 0.18 MB, writes 0.01 MB
 *   x  cat1 f32[1,48,8,8,8], blocked, arena + 5543168, layers 5 to 15
 *   u  d1a.conv.weight f32[16,48,3,3,3], prepared + 7283584
 *   b  d1a.conv.bias f32[16], prepared + 7953280
 *   y  d1a f32[1,16,6,6,6], blocked, arena + 2267136, layers 15 to 16
 *   scratch  566784 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 2.3 times cheaper than direct;
 *   8 tiles, at most 8 at a time for each of 4 threads
 */
static int unet3d_small_d1a(const vox_memory *m, int task) {
    enum { N = 1, IC = 48, ID = 8, IH = 8, IW = 8 };
    enum { OC = 16, OD = 6, OH = 6, OW = 6 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 8 };
    enum { LANES = 4, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 1385792, U = 1820896, B = 1988320, Y = 566784, SCRATCH = 0, LANE = 141696 };
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

/* d1b: conv 3x3x3 + relu, Winograd 4x4x4, 0.00044 GMAC, reads 0.04 MB, writes 0.00 MB
 *   x  d1a f32[1,16,6,6,6], blocked, arena + 2267136, layers 15 to 16
 *   u  d1b.conv.weight f32[16,16,3,3,3], prepared + 7953344
 *   b  d1b.conv.bias f32[16], prepared + 8176576
 *   y  d1b f32[1,16,4,4,4], blocked, arena + 55296, layers 16 to 17
 *   scratch  55296 bytes for each thread, arena + 0
 *   Winograd F(4x4x4): 4.7 times cheaper than direct;
 *   1 tiles, at most 1 at a time for each of 1 threads
 */
static int unet3d_small_d1b(const vox_memory *m, int task) {
    enum { N = 1, IC = 16, ID = 6, IH = 6, IW = 6 };
    enum { OC = 16, OD = 4, OH = 4, OW = 4 };
    enum { TILE_D = 4, TILE_H = 4, TILE_W = 4, BATCH = 1 };
    enum { LANES = 1, RUN = 32 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { X = 566784, U = 1988336, B = 2044144, Y = 13824, SCRATCH = 0, LANE = 13824 };
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

/* up0: conv_transpose 2x2x2 stride 2x2x2, 0.00013 GMAC, reads 0.01 MB, writes 0.03 MB
 *   x  d1b f32[1,16,4,4,4], blocked, arena + 55296, layers 16 to 17
 *   w  up0.weight f32[16,16,2,2,2], prepared + 8176640
 *   y  up0 f32[1,16,8,8,8], blocked, in cat0, arena + 0, layers 17 to 19
 *   1 tasks: channels 1 x 16, planes 8, rows 8; input channels 16 at a time;
 *   8 KiB of weights and 5 KiB of input rows are used again
 */
static int unet3d_small_up0(const vox_memory *m, int task) {
    enum { N = 1, IC = 16, ID = 4, IH = 4, IW = 4 };
    enum { OC = 16, OD = 8, OH = 8, OW = 8, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 8, TASK_H = 8, CHUNK_IC = 16, RUN = 128 };
    enum { X = 13824, W = 2044160, Y = 0 };
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

/* e0b.crop.blocked: to_block, reads 0.02 MB, writes 0.03 MB
 *   x  e0b.crop f32[1,8,8,8,8], arena + 5760256, layers 0 to 18
 *   y  e0b.crop.blocked f32[1,8,8,8,8], blocked, in cat0, arena + 32768, layers 18 to 19
 */
static int unet3d_small_e0b_crop_blocked(const vox_memory *m, int task) {
    enum { N = 1, C = 8, D = 8, H = 8, W = 8 };
    enum { X = 1440064, Y = 8192 };
    static const vox_relayout layer = {
        .x = {N, C, D, H, W, 0, 0},
        .y = {N, C, D, H, W, VOX_BLOCK, 0},
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_relayout(m->probe, &layer, x, y);
    if (task < 0) return vox_relayout_tasks(&layer, m->begin, m->end);
    vox_f32_to_block(&layer, m->begin, m->end, x, y, task);
    return 0;
}

/* d0a: conv 3x3x3 + relu, direct, 0.00112 GMAC, reads 0.09 MB, writes 0.01 MB
 *   x  cat0 f32[1,24,8,8,8], blocked, arena + 0, layers 17 to 19
 *   w  d0a.conv.weight f32[8,24,3,3,3], prepared + 8184832
 *   b  d0a.conv.bias f32[8], prepared + 8226304
 *   y  d0a f32[1,8,6,6,6], arena + 65536, layers 19 to 20
 *   3 tasks: channels 1 x 16, planes 2, rows 6; input channels 24 at a time;
 *   41 KiB of weights and 18 KiB of input rows are used again
 */
static int unet3d_small_d0a(const vox_memory *m, int task) {
    enum { N = 1, IC = 24, ID = 8, IH = 8, IW = 8 };
    enum { OC = 8, OD = 6, OH = 6, OW = 6, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 2, TASK_H = 6, CHUNK_IC = 24, RUN = 128 };
    enum { X = 0, W = 2046208, B = 2056576, Y = 16384 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, 0, 0},
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
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, NULL, y, task);
    return 0;
}

/* d0b: conv 3x3x3 + relu, direct, 0.00011 GMAC, reads 0.01 MB, writes 0.00 MB
 *   x  d0a f32[1,8,6,6,6], arena + 65536, layers 19 to 20
 *   w  d0b.conv.weight f32[8,8,3,3,3], prepared + 8226368
 *   b  d0b.conv.bias f32[8], prepared + 8240192
 *   y  d0b f32[1,8,4,4,4], arena + 0, layers 20 to 21
 *   1 tasks: channels 1 x 16, planes 4, rows 4; input channels 8 at a time;
 *   14 KiB of weights and 4 KiB of input rows are used again
 */
static int unet3d_small_d0b(const vox_memory *m, int task) {
    enum { N = 1, IC = 8, ID = 6, IH = 6, IW = 6 };
    enum { OC = 8, OD = 4, OH = 4, OW = 4, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 4, TASK_H = 4, CHUNK_IC = 8, RUN = 128 };
    enum { X = 16384, W = 2056592, B = 2060048, Y = 0 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, 0, 0},
        .y = {N, OC, OD, OH, OW, 0, 0},
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
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, NULL, y, task);
    return 0;
}

/* logits: conv 1x1x1, direct, 0.00000 GMAC, reads 0.00 MB, writes 0.00 MB
 *   x  d0b f32[1,8,4,4,4], arena + 0, layers 20 to 21
 *   w  logits.weight f32[3,8,1,1,1], prepared + 8240256
 *   b  logits.bias f32[3], prepared + 8240768
 *   y  logits f32[1,3,4,4,4], outputs[0]
 *   1 tasks: channels 1 x 16, planes 4, rows 4; input channels 8 at a time;
 *   1 KiB of weights and 1 KiB of input rows are used again
 */
static int unet3d_small_logits(const vox_memory *m, int task) {
    enum { N = 1, IC = 8, ID = 4, IH = 4, IW = 4 };
    enum { OC = 3, OD = 4, OH = 4, OW = 4, GROUP = 1 };
    enum { KD = 1, KH = 1, KW = 1, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 4, TASK_H = 4, CHUNK_IC = 8, RUN = 128 };
    enum { X = 0, W = 2060064, B = 2060192 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, 0, 0},
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
const vox_layer_fn UNET3D_SMALL_LAYERS[] = {
    unet3d_small_e0a,
    unet3d_small_e0b,
    unet3d_small_e0b_crop,
    unet3d_small_p0,
    unet3d_small_e1a,
    unet3d_small_e1a_blocked,
    unet3d_small_e1b,
    unet3d_small_e2a,
    unet3d_small_e2b,
    unet3d_small_e3a,
    unet3d_small_e3b,
    unet3d_small_up2,
    unet3d_small_d2a,
    unet3d_small_d2b,
    unet3d_small_up1,
    unet3d_small_d1a,
    unet3d_small_d1b,
    unet3d_small_up0,
    unet3d_small_e0b_crop_blocked,
    unet3d_small_d0a,
    unet3d_small_d0b,
    unet3d_small_logits,
};
/* clang-format on */
