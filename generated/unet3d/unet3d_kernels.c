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
#include "runtime/vox_copy.h"
#include "runtime/vox_pool3d.h"
#include "runtime/vox_check.h"

#ifndef UNET3D_LAYERS
#define UNET3D_LAYERS unet3d_layers_baseline
#endif
extern const vox_layer_fn UNET3D_LAYERS[];

/* e0a: conv 3x3x3 + relu, 4.99 GMAC, reads 24.26 MB, writes 246.60 MB; stream 1, 1 plane of p1 at a time
 *   x  image f32[1,3,132,132,116], inputs[0]
 *   w  e0a.conv.weight f32[32,3,3,3,3], prepared + 576
 *   b  e0a.conv.bias f32[32], prepared + 10944
 *   y  e0a f32[1,32,130,130,114], blocked, planes kept: 6 of 130, 11.4 MB instead of 246.6, arena + 107368448, layers 0 to 7
 *   650 tasks: channels 2 x 16, planes 2, rows 13; input channels 3 at a time;
 *   11 KiB of weights and 62 KiB of input rows are used again
 */
static int unet3d_e0a(const vox_memory *m, int task) {
    enum { N = 1, IC = 3, ID = 132, IH = 132, IW = 116 };
    enum { OC = 32, OD = 130, OH = 130, OW = 114, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 2, TASK_H = 13, CHUNK_IC = 3 };
    enum { W = 144, B = 2736, Y = 26842112 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, 0, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 6},
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
    };
    const float *x = m->inputs[0];
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* e0b: conv 3x3x3 + relu, 101.47 GMAC, reads 246.83 MB, writes 469.76 MB; stream 1, 1 plane of p1 at a time
 *   x  e0a f32[1,32,130,130,114], blocked, planes kept: 6 of 130, 11.4 MB instead of 246.6, arena + 107368448, layers 0 to 7
 *   w  e0b.conv.weight f32[64,32,3,3,3], prepared + 11072
 *   b  e0b.conv.bias f32[64], prepared + 232256
 *   y  e0b f32[1,64,128,128,112], blocked, planes kept: 4 of 128, 14.7 MB instead of 469.8, arena + 80707584, layers 0 to 7
 *   1920 tasks: channels 2 x 16, planes 2, rows 9; input channels 32 at a time;
 *   108 KiB of weights and 471 KiB of input rows are used again
 */
static int unet3d_e0b(const vox_memory *m, int task) {
    enum { N = 1, IC = 32, ID = 130, IH = 130, IW = 114 };
    enum { OC = 64, OD = 128, OH = 128, OW = 112, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 2, TASK_H = 9, CHUNK_IC = 32 };
    enum { X = 26842112, W = 2768, B = 58064, Y = 20176896 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 6},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 4},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* e0b.crop: slice, reads 469.76 MB, writes 18.87 MB; stream 1, 1 plane of p1 at a time
 *   x  e0b f32[1,64,128,128,112], blocked, planes kept: 4 of 128, 14.7 MB instead of 469.8, arena + 80707584, layers 0 to 7
 *   y  e0b.crop f32[1,64,48,48,32], blocked, in cat0, arena + 37748736, layers 0 to 21
 */
static int unet3d_e0b_crop(const vox_memory *m, int task) {
    enum { FROM = 72320 }; /* first element of x */
    enum { X = 20176896, Y = 9437184 };
    static const vox_copy layer = {
        .rank = 6,
        .element = 4,
        .dim = {1, 4, 48, 48, 32, 16},
        .x_stride = {3670016, 917504, 229376, 1792, 16, 1},
        .y_stride = {4718592, 1179648, 24576, 512, 16, 1},
        .planes = 2, .x_begin = 40, .x_ring = 4, .y_ring = 0,
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_copy_box(m->probe, &layer, x + FROM, y);
    if (task < 0) return vox_copy_tasks(&layer, m->begin, m->end);
    vox_copy_box(&layer, m->begin, m->end, x + FROM, y, task);
    return 0;
}

/* p0: max_pool 2x2x2 stride 2x2x2, reads 469.76 MB, writes 58.72 MB; stream 1, 1 plane of p1 at a time
 *   x  e0b f32[1,64,128,128,112], blocked, planes kept: 4 of 128, 14.7 MB instead of 469.8, arena + 80707584, layers 0 to 7
 *   y  p0 f32[1,64,64,64,56], blocked, planes kept: 4 of 64, 3.7 MB instead of 58.7, arena + 118750208, layers 0 to 7
 */
static int unet3d_p0(const vox_memory *m, int task) {
    enum { N = 1, C = 64, ID = 128, IH = 128, IW = 112, OD = 64, OH = 64, OW = 56 };
    enum { X = 20176896, Y = 29687552 };
    static const vox_pool3d layer = {
        .x = {N, C, ID, IH, IW, VOX_BLOCK, 4},
        .y = {N, C, OD, OH, OW, VOX_BLOCK, 4},
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

/* e1a: conv 3x3x3 + relu, 22.96 GMAC, reads 59.16 MB, writes 53.14 MB; stream 1, 1 plane of p1 at a time
 *   x  p0 f32[1,64,64,64,56], blocked, planes kept: 4 of 64, 3.7 MB instead of 58.7, arena + 118750208, layers 0 to 7
 *   w  e1a.conv.weight f32[64,64,3,3,3], prepared + 232512
 *   b  e1a.conv.bias f32[64], prepared + 674880
 *   y  e1a f32[1,64,62,62,54], blocked, planes kept: 4 of 62, 3.4 MB instead of 53.1, arena + 122420224, layers 0 to 7
 *   1364 tasks: channels 2 x 16, planes 1, rows 6; input channels 64 at a time;
 *   216 KiB of weights and 336 KiB of input rows are used again
 */
static int unet3d_e1a(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 64, IH = 64, IW = 56 };
    enum { OC = 64, OD = 62, OH = 62, OW = 54, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 1, TASK_H = 6, CHUNK_IC = 64 };
    enum { X = 29687552, W = 58128, B = 168720, Y = 30605056 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 4},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 4},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* e1b: conv 3x3x3 + relu, 41.41 GMAC, reads 54.02 MB, writes 95.85 MB; stream 1, 1 plane of p1 at a time
 *   x  e1a f32[1,64,62,62,54], blocked, planes kept: 4 of 62, 3.4 MB instead of 53.1, arena + 122420224, layers 0 to 7
 *   w  e1b.conv.weight f32[128,64,3,3,3], prepared + 675136
 *   b  e1b.conv.bias f32[128], prepared + 1559872
 *   y  e1b f32[1,128,60,60,52], blocked, planes kept: 2 of 60, 3.2 MB instead of 95.8, arena + 125848576, layers 0 to 7
 *   1440 tasks: channels 2 x 16, planes 1, rows 10; input channels 64 at a time;
 *   216 KiB of weights and 486 KiB of input rows are used again
 */
static int unet3d_e1b(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 62, IH = 62, IW = 54 };
    enum { OC = 128, OD = 60, OH = 60, OW = 52, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 1, TASK_H = 10, CHUNK_IC = 64 };
    enum { X = 30605056, W = 168784, B = 389968, Y = 31462144 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 4},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 2},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* e1b.crop: slice, reads 95.85 MB, writes 8.03 MB; stream 1, 1 plane of p1 at a time
 *   x  e1b f32[1,128,60,60,52], blocked, planes kept: 2 of 60, 3.2 MB instead of 95.8, arena + 125848576, layers 0 to 7
 *   y  e1b.crop f32[1,128,28,28,20], blocked, in cat1, arena + 72679424, layers 0 to 18
 */
static int unet3d_e1b_crop(const vox_memory *m, int task) {
    enum { FROM = 13568 }; /* first element of x */
    enum { X = 31462144, Y = 18169856 };
    static const vox_copy layer = {
        .rank = 6,
        .element = 4,
        .dim = {1, 8, 28, 28, 20, 16},
        .x_stride = {798720, 99840, 49920, 832, 16, 1},
        .y_stride = {2007040, 250880, 8960, 320, 16, 1},
        .planes = 2, .x_begin = 16, .x_ring = 2, .y_ring = 0,
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_copy_box(m->probe, &layer, x + FROM, y);
    if (task < 0) return vox_copy_tasks(&layer, m->begin, m->end);
    vox_copy_box(&layer, m->begin, m->end, x + FROM, y, task);
    return 0;
}

/* p1: max_pool 2x2x2 stride 2x2x2, reads 95.85 MB, writes 11.98 MB; stream 1, 1 plane of p1 at a time
 *   x  e1b f32[1,128,60,60,52], blocked, planes kept: 2 of 60, 3.2 MB instead of 95.8, arena + 125848576, layers 0 to 7
 *   y  p1 f32[1,128,30,30,26], blocked, arena + 95387648, layers 0 to 8
 */
static int unet3d_p1(const vox_memory *m, int task) {
    enum { N = 1, C = 128, ID = 60, IH = 60, IW = 52, OD = 30, OH = 30, OW = 26 };
    enum { X = 31462144, Y = 23846912 };
    static const vox_pool3d layer = {
        .x = {N, C, ID, IH, IW, VOX_BLOCK, 2},
        .y = {N, C, OD, OH, OW, VOX_BLOCK, 0},
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

/* e2a: conv 3x3x3 + relu, 8.32 GMAC, reads 13.75 MB, writes 9.63 MB
 *   x  p1 f32[1,128,30,30,26], blocked, arena + 95387648, layers 0 to 8
 *   w  e2a.conv.weight f32[128,128,3,3,3], prepared + 1560384
 *   b  e2a.conv.bias f32[128], prepared + 3329856
 *   y  e2a f32[1,128,28,28,24], blocked, arena + 107368448, layers 8 to 9
 *   48 tasks: channels 2 x 16, planes 7, rows 10; input channels 128 at a time;
 *   432 KiB of weights and 468 KiB of input rows are used again
 */
static int unet3d_e2a(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 30, IH = 30, IW = 26 };
    enum { OC = 128, OD = 28, OH = 28, OW = 24, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 7, TASK_H = 10, CHUNK_IC = 128 };
    enum { X = 23846912, W = 390096, B = 832464, Y = 26842112 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* e2b: conv 3x3x3 + relu, 13.16 GMAC, reads 13.17 MB, writes 15.23 MB
 *   x  e2a f32[1,128,28,28,24], blocked, arena + 107368448, layers 8 to 9
 *   w  e2b.conv.weight f32[256,128,3,3,3], prepared + 3330368
 *   b  e2b.conv.bias f32[256], prepared + 6869312
 *   y  e2b f32[1,256,26,26,22], blocked, arena + 80707584, layers 9 to 14
 *   48 tasks: channels 2 x 16, planes 13, rows 9; input channels 128 at a time;
 *   432 KiB of weights and 396 KiB of input rows are used again
 */
static int unet3d_e2b(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 28, IH = 28, IW = 24 };
    enum { OC = 256, OD = 26, OH = 26, OW = 22, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 13, TASK_H = 9, CHUNK_IC = 128 };
    enum { X = 26842112, W = 832592, B = 1717328, Y = 20176896 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* p2: max_pool 2x2x2 stride 2x2x2, reads 15.23 MB, writes 1.90 MB
 *   x  e2b f32[1,256,26,26,22], blocked, arena + 80707584, layers 9 to 14
 *   y  p2 f32[1,256,13,13,11], blocked, arena + 95936512, layers 10 to 11
 */
static int unet3d_p2(const vox_memory *m, int task) {
    enum { N = 1, C = 256, ID = 26, IH = 26, IW = 22, OD = 13, OH = 13, OW = 11 };
    enum { X = 20176896, Y = 23984128 };
    static const vox_pool3d layer = {
        .x = {N, C, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, C, OD, OH, OW, VOX_BLOCK, 0},
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

/* e3a: conv 3x3x3 + relu, 1.93 GMAC, reads 8.98 MB, writes 1.12 MB
 *   x  p2 f32[1,256,13,13,11], blocked, arena + 95936512, layers 10 to 11
 *   w  e3a.conv.weight f32[256,256,3,3,3], prepared + 6870336
 *   b  e3a.conv.bias f32[256], prepared + 13948224
 *   y  e3a f32[1,256,11,11,9], blocked, arena + 97840128, layers 11 to 12
 *   48 tasks: channels 2 x 16, planes 2, rows 11; input channels 128 at a time;
 *   432 KiB of weights and 215 KiB of input rows are used again
 */
static int unet3d_e3a(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 13, IH = 13, IW = 11 };
    enum { OC = 256, OD = 11, OH = 11, OW = 9, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 2, TASK_H = 11, CHUNK_IC = 128 };
    enum { X = 23984128, W = 1717584, B = 3487056, Y = 24460032 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* e3b: conv 3x3x3 + relu, 2.01 GMAC, reads 15.27 MB, writes 1.16 MB
 *   x  e3a f32[1,256,11,11,9], blocked, arena + 97840128, layers 11 to 12
 *   w  e3b.conv.weight f32[512,256,3,3,3], prepared + 13949248
 *   b  e3b.conv.bias f32[512], prepared + 28105024
 *   y  e3b f32[1,512,9,9,7], blocked, arena + 109871104, layers 12 to 13
 *   48 tasks: channels 2 x 16, planes 3, rows 9; input channels 128 at a time;
 *   432 KiB of weights and 149 KiB of input rows are used again
 */
static int unet3d_e3b(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 11, IH = 11, IW = 9 };
    enum { OC = 512, OD = 9, OH = 9, OW = 7, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 3, TASK_H = 9, CHUNK_IC = 128 };
    enum { X = 24460032, W = 3487312, B = 7026256, Y = 27467776 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* up2: conv_transpose 2x2x2 stride 2x2x2, 1.19 GMAC, reads 9.55 MB, writes 9.29 MB
 *   x  e3b f32[1,512,9,9,7], blocked, arena + 109871104, layers 12 to 13
 *   w  up2.weight f32[512,512,2,2,2], prepared + 28107072
 *   y  up2 f32[1,512,18,18,14], blocked, in cat2, arena + 95936512, layers 13 to 15
 *   48 tasks: channels 2 x 16, planes 6, rows 18; input channels 512 at a time;
 *   512 KiB of weights and 532 KiB of input rows are used again
 */
static int unet3d_up2(const vox_memory *m, int task) {
    enum { N = 1, IC = 512, ID = 9, IH = 9, IW = 7 };
    enum { OC = 512, OD = 18, OH = 18, OW = 14, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 6, TASK_H = 18, CHUNK_IC = 512 };
    enum { X = 27467776, W = 7026768, Y = 23984128 };
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv_transpose(m->probe, &layer, x, w, NULL, NULL, y);
    if (task < 0) return vox_conv_transpose_tasks(&layer, m->begin, m->end);
    vox_f32_conv_transpose(&layer, m->begin, m->end, x, w, NULL, NULL, y, task);
    return 0;
}

/* e2b.crop: slice, reads 15.23 MB, writes 4.64 MB
 *   x  e2b f32[1,256,26,26,22], blocked, arena + 80707584, layers 9 to 14
 *   y  e2b.crop f32[1,256,18,18,14], blocked, in cat2, arena + 105226240, layers 13 to 15
 */
static int unet3d_e2b_crop(const vox_memory *m, int task) {
    enum { FROM = 38080 }; /* first element of x */
    enum { X = 20176896, Y = 26306560 };
    static const vox_copy layer = {
        .rank = 6,
        .element = 4,
        .dim = {1, 16, 18, 18, 14, 16},
        .x_stride = {3807232, 237952, 9152, 352, 16, 1},
        .y_stride = {1161216, 72576, 4032, 224, 16, 1},
    };
    const float *x = m->arena + X;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_copy_box(m->probe, &layer, x + FROM, y);
    if (task < 0) return vox_copy_tasks(&layer, m->begin, m->end);
    vox_copy_box(&layer, m->begin, m->end, x + FROM, y, task);
    return 0;
}

/* d2a: conv 3x3x3 + relu, 16.31 GMAC, reads 35.17 MB, writes 3.15 MB
 *   x  cat2 f32[1,768,18,18,14], blocked, arena + 95936512, layers 13 to 15
 *   w  d2a.conv.weight f32[256,768,3,3,3], prepared + 36495680
 *   b  d2a.conv.bias f32[256], prepared + 57729344
 *   y  d2a f32[1,256,16,16,12], blocked, arena + 80707584, layers 15 to 16
 *   48 tasks: channels 2 x 16, planes 3, rows 16; input channels 128 at a time;
 *   432 KiB of weights and 378 KiB of input rows are used again
 */
static int unet3d_d2a(const vox_memory *m, int task) {
    enum { N = 1, IC = 768, ID = 18, IH = 18, IW = 14 };
    enum { OC = 256, OD = 16, OH = 16, OW = 12, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 3, TASK_H = 16, CHUNK_IC = 128 };
    enum { X = 23984128, W = 9123920, B = 14432336, Y = 20176896 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* d2b: conv 3x3x3 + relu, 3.47 GMAC, reads 10.22 MB, writes 2.01 MB
 *   x  d2a f32[1,256,16,16,12], blocked, arena + 80707584, layers 15 to 16
 *   w  d2b.conv.weight f32[256,256,3,3,3], prepared + 57730368
 *   b  d2b.conv.bias f32[256], prepared + 64808256
 *   y  d2b f32[1,256,14,14,10], blocked, arena + 83853312, layers 16 to 17
 *   40 tasks: channels 2 x 16, planes 3, rows 14; input channels 128 at a time;
 *   432 KiB of weights and 288 KiB of input rows are used again
 */
static int unet3d_d2b(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 16, IH = 16, IW = 12 };
    enum { OC = 256, OD = 14, OH = 14, OW = 10, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 3, TASK_H = 14, CHUNK_IC = 128 };
    enum { X = 20176896, W = 14432592, B = 16202064, Y = 20963328 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* up1: conv_transpose 2x2x2 stride 2x2x2, 1.03 GMAC, reads 4.10 MB, writes 16.06 MB
 *   x  d2b f32[1,256,14,14,10], blocked, arena + 83853312, layers 16 to 17
 *   w  up1.weight f32[256,256,2,2,2], prepared + 64809280
 *   y  up1 f32[1,256,28,28,20], blocked, in cat1, arena + 56623104, layers 0 to 18
 *   48 tasks: channels 2 x 16, planes 5, rows 28; input channels 256 at a time;
 *   256 KiB of weights and 580 KiB of input rows are used again
 */
static int unet3d_up1(const vox_memory *m, int task) {
    enum { N = 1, IC = 256, ID = 14, IH = 14, IW = 10 };
    enum { OC = 256, OD = 28, OH = 28, OW = 20, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 5, TASK_H = 28, CHUNK_IC = 256 };
    enum { X = 20963328, W = 16202320, Y = 14155776 };
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv_transpose(m->probe, &layer, x, w, NULL, NULL, y);
    if (task < 0) return vox_conv_transpose_tasks(&layer, m->begin, m->end);
    vox_f32_conv_transpose(&layer, m->begin, m->end, x, w, NULL, NULL, y, task);
    return 0;
}

/* d1a: conv 3x3x3 + relu, 16.15 GMAC, reads 29.39 MB, writes 6.23 MB
 *   x  cat1 f32[1,384,28,28,20], blocked, arena + 56623104, layers 0 to 18
 *   w  d1a.conv.weight f32[128,384,3,3,3], prepared + 66906432
 *   b  d1a.conv.bias f32[128], prepared + 72214848
 *   y  d1a f32[1,128,26,26,18], blocked, arena + 80707584, layers 18 to 19
 *   48 tasks: channels 2 x 16, planes 5, rows 13; input channels 128 at a time;
 *   432 KiB of weights and 450 KiB of input rows are used again
 */
static int unet3d_d1a(const vox_memory *m, int task) {
    enum { N = 1, IC = 384, ID = 28, IH = 28, IW = 20 };
    enum { OC = 128, OD = 26, OH = 26, OW = 18, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 5, TASK_H = 13, CHUNK_IC = 128 };
    enum { X = 14155776, W = 16726608, B = 18053712, Y = 20176896 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* d1b: conv 3x3x3 + relu, 4.08 GMAC, reads 8.00 MB, writes 4.72 MB
 *   x  d1a f32[1,128,26,26,18], blocked, arena + 80707584, layers 18 to 19
 *   w  d1b.conv.weight f32[128,128,3,3,3], prepared + 72215360
 *   b  d1b.conv.bias f32[128], prepared + 73984832
 *   y  d1b f32[1,128,24,24,16], blocked, arena + 56623104, layers 19 to 20
 *   48 tasks: channels 2 x 16, planes 4, rows 12; input channels 128 at a time;
 *   432 KiB of weights and 378 KiB of input rows are used again
 */
static int unet3d_d1b(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 26, IH = 26, IW = 18 };
    enum { OC = 128, OD = 24, OH = 24, OW = 16, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 4, TASK_H = 12, CHUNK_IC = 128 };
    enum { X = 20176896, W = 18053840, B = 18496208, Y = 14155776 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* up0: conv_transpose 2x2x2 stride 2x2x2, 1.21 GMAC, reads 5.24 MB, writes 37.75 MB
 *   x  d1b f32[1,128,24,24,16], blocked, arena + 56623104, layers 19 to 20
 *   w  up0.weight f32[128,128,2,2,2], prepared + 73985344
 *   y  up0 f32[1,128,48,48,32], blocked, in cat0, arena + 0, layers 0 to 21
 *   48 tasks: channels 2 x 16, planes 4, rows 48; input channels 128 at a time;
 *   128 KiB of weights and 784 KiB of input rows are used again
 */
static int unet3d_up0(const vox_memory *m, int task) {
    enum { N = 1, IC = 128, ID = 24, IH = 24, IW = 16 };
    enum { OC = 128, OD = 48, OH = 48, OW = 32, GROUP = 1 };
    enum { KD = 2, KH = 2, KW = 2, SD = 2, SH = 2, SW = 2 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 4, TASK_H = 48, CHUNK_IC = 128 };
    enum { X = 14155776, W = 18496336, Y = 0 };
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv_transpose(m->probe, &layer, x, w, NULL, NULL, y);
    if (task < 0) return vox_conv_transpose_tasks(&layer, m->begin, m->end);
    vox_f32_conv_transpose(&layer, m->begin, m->end, x, w, NULL, NULL, y, task);
    return 0;
}

/* d0a: conv 3x3x3 + relu, 21.06 GMAC, reads 57.95 MB, writes 16.25 MB
 *   x  cat0 f32[1,192,48,48,32], blocked, arena + 0, layers 0 to 21
 *   w  d0a.conv.weight f32[64,192,3,3,3], prepared + 74509632
 *   b  d0a.conv.bias f32[64], prepared + 75836736
 *   y  d0a f32[1,64,46,46,30], blocked, arena + 56623104, layers 21 to 22
 *   48 tasks: channels 2 x 16, planes 8, rows 12; input channels 96 at a time;
 *   324 KiB of weights and 504 KiB of input rows are used again
 */
static int unet3d_d0a(const vox_memory *m, int task) {
    enum { N = 1, IC = 192, ID = 48, IH = 48, IW = 32 };
    enum { OC = 64, OD = 46, OH = 46, OW = 30, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 8, TASK_H = 12, CHUNK_IC = 96 };
    enum { X = 0, W = 18627408, B = 18959184, Y = 14155776 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* d0b: conv 3x3x3 + relu, 5.99 GMAC, reads 16.69 MB, writes 13.88 MB
 *   x  d0a f32[1,64,46,46,30], blocked, arena + 56623104, layers 21 to 22
 *   w  d0b.conv.weight f32[64,64,3,3,3], prepared + 75836992
 *   b  d0b.conv.bias f32[64], prepared + 76279360
 *   y  d0b f32[1,64,44,44,28], blocked, arena + 0, layers 22 to 23
 *   48 tasks: channels 2 x 16, planes 6, rows 15; input channels 64 at a time;
 *   216 KiB of weights and 383 KiB of input rows are used again
 */
static int unet3d_d0b(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 46, IH = 46, IW = 30 };
    enum { OC = 64, OD = 44, OH = 44, OW = 28, GROUP = 1 };
    enum { KD = 3, KH = 3, KW = 3, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 2, TASK_D = 6, TASK_H = 15, CHUNK_IC = 64 };
    enum { X = 14155776, W = 18959248, B = 19069840, Y = 0 };
    static const vox_conv layer = {
        .x = {N, IC, ID, IH, IW, VOX_BLOCK, 0},
        .y = {N, OC, OD, OH, OW, VOX_BLOCK, 0},
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->arena + Y;
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* logits: conv 1x1x1, 0.01 GMAC, reads 13.88 MB, writes 0.65 MB
 *   x  d0b f32[1,64,44,44,28], blocked, arena + 0, layers 22 to 23
 *   w  logits.weight f32[3,64,1,1,1], prepared + 76279616
 *   b  logits.bias f32[3], prepared + 76283712
 *   y  logits f32[1,3,44,44,28], outputs[0]
 *   2 tasks: channels 1 x 16, planes 22, rows 44; input channels 64 at a time;
 *   4 KiB of weights and 308 KiB of input rows are used again
 */
static int unet3d_logits(const vox_memory *m, int task) {
    enum { N = 1, IC = 64, ID = 44, IH = 44, IW = 28 };
    enum { OC = 3, OD = 44, OH = 44, OW = 28, GROUP = 1 };
    enum { KD = 1, KH = 1, KW = 1, SD = 1, SH = 1, SW = 1 };
    enum { DD = 1, DH = 1, DW = 1, PD = 0, PH = 0, PW = 0 };
    enum { TASK_OC = 1, TASK_D = 22, TASK_H = 44, CHUNK_IC = 64 };
    enum { X = 0, W = 19069904, B = 19070928 };
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
    };
    const float *x = m->arena + X;
    const float *w = m->prepared + W;
    const float *b = m->prepared + B;
    float *y = m->outputs[0];
    if (m->probe) return vox_check_conv(m->probe, &layer, x, w, b, NULL, y);
    if (task < 0) return vox_conv_tasks(&layer, m->begin, m->end);
    vox_f32_conv(&layer, m->begin, m->end, x, w, b, NULL, y, task);
    return 0;
}

/* clang-format off */
const vox_layer_fn UNET3D_LAYERS[] = {
    unet3d_e0a,
    unet3d_e0b,
    unet3d_e0b_crop,
    unet3d_p0,
    unet3d_e1a,
    unet3d_e1b,
    unet3d_e1b_crop,
    unet3d_p1,
    unet3d_e2a,
    unet3d_e2b,
    unet3d_p2,
    unet3d_e3a,
    unet3d_e3b,
    unet3d_up2,
    unet3d_e2b_crop,
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
