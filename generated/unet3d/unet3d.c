/* SPDX-License-Identifier: MIT-0 */
/* unet3d.c: the tables that describe unet3d, and its public functions. See unet3d.h.
 *
 * Written by voxc 0.1.0 from unet3d.yaml (SHA-256 8cee7e38b7575317...) with --target c --init 1.
 */
#include "unet3d.h"

#include "runtime/vox_model.h"

enum { LAYERS = 24, WEIGHTS = 33, INPUTS = 1, OUTPUTS = 1, STEPS = 230 };

/* clang-format off */
static const vox_port input_ports[INPUTS] = {
    {"image", VOX_F32, 5, {1, 3, 132, 132, 116}},
};
static const vox_port output_ports[OUTPUTS] = {
    {"logits", VOX_F32, 5, {1, 3, 44, 44, 28}},
};

/* name, operation, rank, dimensions, block, type, place, offset, offset within an output, multiply-adds,
 * stream, planes kept in memory (0: all) */
static const vox_layer_info layers[LAYERS] = {
    {"e0a", "conv 3x3x3 + relu", 5, {1, 32, 130, 130, 114}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 107368448u, 0u, 4993747200u, 1, 6},
    {"e0b", "conv 3x3x3 + relu", 5, {1, 64, 128, 128, 112}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 80707584u, 0u, 101468602368u, 1, 4},
    {"e0b.crop", "slice", 5, {1, 64, 48, 48, 32}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 37748736u, 0u, 0u, 1, 0},
    {"p0", "max_pool 2x2x2 stride 2x2x2", 5, {1, 64, 64, 64, 56}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 118750208u, 0u, 0u, 1, 4},
    {"e1a", "conv 3x3x3 + relu", 5, {1, 64, 62, 62, 54}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 122420224u, 0u, 22956244992u, 1, 4},
    {"e1b", "conv 3x3x3 + relu", 5, {1, 128, 60, 60, 52}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 125848576u, 0u, 41405644800u, 1, 2},
    {"e1b.crop", "slice", 5, {1, 128, 28, 28, 20}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 72679424u, 0u, 0u, 1, 0},
    {"p1", "max_pool 2x2x2 stride 2x2x2", 5, {1, 128, 30, 30, 26}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 95387648u, 0u, 0u, 1, 0},
    {"e2a", "conv 3x3x3 + relu", 5, {1, 128, 28, 28, 24}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 107368448u, 0u, 8323596288u, 0, 0},
    {"e2b", "conv 3x3x3 + relu", 5, {1, 256, 26, 26, 22}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 80707584u, 0u, 13157793792u, 0, 0},
    {"p2", "max_pool 2x2x2 stride 2x2x2", 5, {1, 256, 13, 13, 11}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 95936512u, 0u, 0u, 0, 0},
    {"e3a", "conv 3x3x3 + relu", 5, {1, 256, 11, 11, 9}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 97840128u, 0u, 1926955008u, 0, 0},
    {"e3b", "conv 3x3x3 + relu", 5, {1, 512, 9, 9, 7}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 109871104u, 0u, 2006581248u, 0, 0},
    {"up2", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 512, 18, 18, 14}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 95936512u, 0u, 1189085184u, 0, 0},
    {"e2b.crop", "slice", 5, {1, 256, 18, 18, 14}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 105226240u, 0u, 0u, 0, 0},
    {"d2a", "conv 3x3x3 + relu", 5, {1, 256, 16, 16, 12}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 80707584u, 0u, 16307453952u, 0, 0},
    {"d2b", "conv 3x3x3 + relu", 5, {1, 256, 14, 14, 10}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 83853312u, 0u, 3468165120u, 0, 0},
    {"up1", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 256, 28, 28, 20}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 56623104u, 0u, 1027604480u, 0, 0},
    {"d1a", "conv 3x3x3 + relu", 5, {1, 128, 26, 26, 18}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 80707584u, 0u, 16148201472u, 0, 0},
    {"d1b", "conv 3x3x3 + relu", 5, {1, 128, 24, 24, 16}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 56623104u, 0u, 4076863488u, 0, 0},
    {"up0", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 128, 48, 48, 32}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 0u, 0u, 1207959552u, 0, 0},
    {"d0a", "conv 3x3x3 + relu", 5, {1, 64, 46, 46, 30}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 56623104u, 0u, 21061140480u, 0, 0},
    {"d0b", "conv 3x3x3 + relu", 5, {1, 64, 44, 44, 28}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 0u, 0u, 5994971136u, 0, 0},
    {"logits", "conv 1x1x1", 5, {1, 3, 44, 44, 28}, 0, VOX_F32, VOX_IN_OUTPUT, 0u, 0u, 10407936u, 0, 0},
};

/* layer, begin, end, phase: the planes [begin, end) of what the layer writes, in the order of running */
static const vox_step schedule[STEPS] = {
    {0, 0, 4, 0}, {0, 4, 6, 0}, {1, 0, 4, 0}, {3, 0, 2, 0}, {0, 6, 10, 0}, {1, 4, 8, 0}, {3, 2, 4, 0},
    {4, 0, 2, 0}, {0, 10, 14, 0}, {1, 8, 12, 0}, {3, 4, 6, 0}, {4, 2, 4, 0}, {5, 0, 2, 0}, {7, 0, 1, 0},
    {0, 14, 18, 0}, {1, 12, 16, 0}, {3, 6, 8, 0}, {4, 4, 6, 0}, {5, 2, 4, 0}, {7, 1, 2, 0},
    {0, 18, 22, 0}, {1, 16, 20, 0}, {3, 8, 10, 0}, {4, 6, 8, 0}, {5, 4, 6, 0}, {7, 2, 3, 0},
    {0, 22, 26, 0}, {1, 20, 24, 0}, {3, 10, 12, 0}, {4, 8, 10, 0}, {5, 6, 8, 0}, {7, 3, 4, 0},
    {0, 26, 30, 0}, {1, 24, 28, 0}, {3, 12, 14, 0}, {4, 10, 12, 0}, {5, 8, 10, 0}, {7, 4, 5, 0},
    {0, 30, 34, 0}, {1, 28, 32, 0}, {3, 14, 16, 0}, {4, 12, 14, 0}, {5, 10, 12, 0}, {7, 5, 6, 0},
    {0, 34, 38, 0}, {1, 32, 36, 0}, {3, 16, 18, 0}, {4, 14, 16, 0}, {5, 12, 14, 0}, {7, 6, 7, 0},
    {0, 38, 42, 0}, {1, 36, 40, 0}, {3, 18, 20, 0}, {4, 16, 18, 0}, {5, 14, 16, 0}, {7, 7, 8, 0},
    {0, 42, 46, 0}, {1, 40, 44, 0}, {2, 0, 4, 0}, {3, 20, 22, 0}, {4, 18, 20, 0}, {5, 16, 18, 0}, {6, 0, 2, 0},
    {7, 8, 9, 0},
    {0, 46, 50, 0}, {1, 44, 48, 0}, {2, 4, 8, 0}, {3, 22, 24, 0}, {4, 20, 22, 0}, {5, 18, 20, 0}, {6, 2, 4, 0},
    {7, 9, 10, 0},
    {0, 50, 54, 0}, {1, 48, 52, 0}, {2, 8, 12, 0}, {3, 24, 26, 0}, {4, 22, 24, 0}, {5, 20, 22, 0}, {6, 4, 6, 0},
    {7, 10, 11, 0},
    {0, 54, 58, 0}, {1, 52, 56, 0}, {2, 12, 16, 0}, {3, 26, 28, 0}, {4, 24, 26, 0}, {5, 22, 24, 0}, {6, 6, 8, 0},
    {7, 11, 12, 0},
    {0, 58, 62, 0}, {1, 56, 60, 0}, {2, 16, 20, 0}, {3, 28, 30, 0}, {4, 26, 28, 0}, {5, 24, 26, 0}, {6, 8, 10, 0},
    {7, 12, 13, 0},
    {0, 62, 66, 0}, {1, 60, 64, 0}, {2, 20, 24, 0}, {3, 30, 32, 0}, {4, 28, 30, 0}, {5, 26, 28, 0}, {6, 10, 12, 0},
    {7, 13, 14, 0},
    {0, 66, 70, 0}, {1, 64, 68, 0}, {2, 24, 28, 0}, {3, 32, 34, 0}, {4, 30, 32, 0}, {5, 28, 30, 0}, {6, 12, 14, 0},
    {7, 14, 15, 0},
    {0, 70, 74, 0}, {1, 68, 72, 0}, {2, 28, 32, 0}, {3, 34, 36, 0}, {4, 32, 34, 0}, {5, 30, 32, 0}, {6, 14, 16, 0},
    {7, 15, 16, 0},
    {0, 74, 78, 0}, {1, 72, 76, 0}, {2, 32, 36, 0}, {3, 36, 38, 0}, {4, 34, 36, 0}, {5, 32, 34, 0}, {6, 16, 18, 0},
    {7, 16, 17, 0},
    {0, 78, 82, 0}, {1, 76, 80, 0}, {2, 36, 40, 0}, {3, 38, 40, 0}, {4, 36, 38, 0}, {5, 34, 36, 0}, {6, 18, 20, 0},
    {7, 17, 18, 0},
    {0, 82, 86, 0}, {1, 80, 84, 0}, {2, 40, 44, 0}, {3, 40, 42, 0}, {4, 38, 40, 0}, {5, 36, 38, 0}, {6, 20, 22, 0},
    {7, 18, 19, 0},
    {0, 86, 90, 0}, {1, 84, 88, 0}, {2, 44, 48, 0}, {3, 42, 44, 0}, {4, 40, 42, 0}, {5, 38, 40, 0}, {6, 22, 24, 0},
    {7, 19, 20, 0},
    {0, 90, 94, 0}, {1, 88, 92, 0}, {3, 44, 46, 0}, {4, 42, 44, 0}, {5, 40, 42, 0}, {6, 24, 26, 0}, {7, 20, 21, 0},
    {0, 94, 98, 0}, {1, 92, 96, 0}, {3, 46, 48, 0}, {4, 44, 46, 0}, {5, 42, 44, 0}, {6, 26, 28, 0}, {7, 21, 22, 0},
    {0, 98, 102, 0}, {1, 96, 100, 0}, {3, 48, 50, 0}, {4, 46, 48, 0}, {5, 44, 46, 0}, {7, 22, 23, 0},
    {0, 102, 106, 0}, {1, 100, 104, 0}, {3, 50, 52, 0}, {4, 48, 50, 0}, {5, 46, 48, 0}, {7, 23, 24, 0},
    {0, 106, 110, 0}, {1, 104, 108, 0}, {3, 52, 54, 0}, {4, 50, 52, 0}, {5, 48, 50, 0}, {7, 24, 25, 0},
    {0, 110, 114, 0}, {1, 108, 112, 0}, {3, 54, 56, 0}, {4, 52, 54, 0}, {5, 50, 52, 0}, {7, 25, 26, 0},
    {0, 114, 118, 0}, {1, 112, 116, 0}, {3, 56, 58, 0}, {4, 54, 56, 0}, {5, 52, 54, 0}, {7, 26, 27, 0},
    {0, 118, 122, 0}, {1, 116, 120, 0}, {3, 58, 60, 0}, {4, 56, 58, 0}, {5, 54, 56, 0}, {7, 27, 28, 0},
    {0, 122, 126, 0}, {1, 120, 124, 0}, {3, 60, 62, 0}, {4, 58, 60, 0}, {5, 56, 58, 0}, {7, 28, 29, 0},
    {0, 126, 130, 0}, {1, 124, 128, 0}, {3, 62, 64, 0}, {4, 60, 62, 0}, {5, 58, 60, 0}, {7, 29, 30, 0},
    {8, 0, 28, 0}, {9, 0, 26, 0}, {10, 0, 13, 0}, {11, 0, 11, 0}, {12, 0, 9, 0}, {13, 0, 18, 0}, {14, 0, 18, 0},
    {15, 0, 16, 0}, {16, 0, 14, 0}, {17, 0, 28, 0}, {18, 0, 26, 0}, {19, 0, 24, 0}, {20, 0, 48, 0}, {21, 0, 46, 0},
    {22, 0, 44, 0}, {23, 0, 44, 0},
};

/* name, packing, first layer, type, elements, bytes into the file (scale, variance, bias, mean of a batch norm),
 * bytes into the prepared buffer, packed bytes, oc, ic, kernel positions, groups, epsilon */
static const vox_weight packings[WEIGHTS] = {
    {"e0a.conv.weight", VOX_PACK_CONV, 0, VOX_F32, 2592u, {1152u, 0u, 0u, 0u}, 576u, 10368u, 32, 3, 27, 1, 0.0},
    {"e0a.conv.bias", VOX_PACK_VECTOR, 0, VOX_F32, 32u, {11520u, 0u, 0u, 0u}, 10944u, 128u, 32, 0, 0, 1, 0.0},
    {"e0b.conv.weight", VOX_PACK_CONV, 1, VOX_F32, 55296u, {11648u, 0u, 0u, 0u}, 11072u, 221184u, 64, 32, 27, 1, 0.0},
    {"e0b.conv.bias", VOX_PACK_VECTOR, 1, VOX_F32, 64u, {232832u, 0u, 0u, 0u}, 232256u, 256u, 64, 0, 0, 1, 0.0},
    {"e1a.conv.weight", VOX_PACK_CONV, 4, VOX_F32, 110592u, {233088u, 0u, 0u, 0u}, 232512u, 442368u, 64, 64, 27, 1, 0.0},
    {"e1a.conv.bias", VOX_PACK_VECTOR, 4, VOX_F32, 64u, {675456u, 0u, 0u, 0u}, 674880u, 256u, 64, 0, 0, 1, 0.0},
    {"e1b.conv.weight", VOX_PACK_CONV, 5, VOX_F32, 221184u, {675712u, 0u, 0u, 0u}, 675136u, 884736u, 128, 64, 27, 1, 0.0},
    {"e1b.conv.bias", VOX_PACK_VECTOR, 5, VOX_F32, 128u, {1560448u, 0u, 0u, 0u}, 1559872u, 512u, 128, 0, 0, 1, 0.0},
    {"e2a.conv.weight", VOX_PACK_CONV, 8, VOX_F32, 442368u, {1560960u, 0u, 0u, 0u}, 1560384u, 1769472u, 128, 128, 27, 1, 0.0},
    {"e2a.conv.bias", VOX_PACK_VECTOR, 8, VOX_F32, 128u, {3330432u, 0u, 0u, 0u}, 3329856u, 512u, 128, 0, 0, 1, 0.0},
    {"e2b.conv.weight", VOX_PACK_CONV, 9, VOX_F32, 884736u, {3330944u, 0u, 0u, 0u}, 3330368u, 3538944u, 256, 128, 27, 1, 0.0},
    {"e2b.conv.bias", VOX_PACK_VECTOR, 9, VOX_F32, 256u, {6869888u, 0u, 0u, 0u}, 6869312u, 1024u, 256, 0, 0, 1, 0.0},
    {"e3a.conv.weight", VOX_PACK_CONV, 11, VOX_F32, 1769472u, {6870912u, 0u, 0u, 0u}, 6870336u, 7077888u, 256, 256, 27, 1, 0.0},
    {"e3a.conv.bias", VOX_PACK_VECTOR, 11, VOX_F32, 256u, {13948800u, 0u, 0u, 0u}, 13948224u, 1024u, 256, 0, 0, 1, 0.0},
    {"e3b.conv.weight", VOX_PACK_CONV, 12, VOX_F32, 3538944u, {13949824u, 0u, 0u, 0u}, 13949248u, 14155776u, 512, 256, 27, 1, 0.0},
    {"e3b.conv.bias", VOX_PACK_VECTOR, 12, VOX_F32, 512u, {28105600u, 0u, 0u, 0u}, 28105024u, 2048u, 512, 0, 0, 1, 0.0},
    {"up2.weight", VOX_PACK_CONV_TRANSPOSE, 13, VOX_F32, 2097152u, {28107648u, 0u, 0u, 0u}, 28107072u, 8388608u, 512, 512, 8, 1, 0.0},
    {"d2a.conv.weight", VOX_PACK_CONV, 15, VOX_F32, 5308416u, {36496256u, 0u, 0u, 0u}, 36495680u, 21233664u, 256, 768, 27, 1, 0.0},
    {"d2a.conv.bias", VOX_PACK_VECTOR, 15, VOX_F32, 256u, {57729920u, 0u, 0u, 0u}, 57729344u, 1024u, 256, 0, 0, 1, 0.0},
    {"d2b.conv.weight", VOX_PACK_CONV, 16, VOX_F32, 1769472u, {57730944u, 0u, 0u, 0u}, 57730368u, 7077888u, 256, 256, 27, 1, 0.0},
    {"d2b.conv.bias", VOX_PACK_VECTOR, 16, VOX_F32, 256u, {64808832u, 0u, 0u, 0u}, 64808256u, 1024u, 256, 0, 0, 1, 0.0},
    {"up1.weight", VOX_PACK_CONV_TRANSPOSE, 17, VOX_F32, 524288u, {64809856u, 0u, 0u, 0u}, 64809280u, 2097152u, 256, 256, 8, 1, 0.0},
    {"d1a.conv.weight", VOX_PACK_CONV, 18, VOX_F32, 1327104u, {66907008u, 0u, 0u, 0u}, 66906432u, 5308416u, 128, 384, 27, 1, 0.0},
    {"d1a.conv.bias", VOX_PACK_VECTOR, 18, VOX_F32, 128u, {72215424u, 0u, 0u, 0u}, 72214848u, 512u, 128, 0, 0, 1, 0.0},
    {"d1b.conv.weight", VOX_PACK_CONV, 19, VOX_F32, 442368u, {72215936u, 0u, 0u, 0u}, 72215360u, 1769472u, 128, 128, 27, 1, 0.0},
    {"d1b.conv.bias", VOX_PACK_VECTOR, 19, VOX_F32, 128u, {73985408u, 0u, 0u, 0u}, 73984832u, 512u, 128, 0, 0, 1, 0.0},
    {"up0.weight", VOX_PACK_CONV_TRANSPOSE, 20, VOX_F32, 131072u, {73985920u, 0u, 0u, 0u}, 73985344u, 524288u, 128, 128, 8, 1, 0.0},
    {"d0a.conv.weight", VOX_PACK_CONV, 21, VOX_F32, 331776u, {74510208u, 0u, 0u, 0u}, 74509632u, 1327104u, 64, 192, 27, 1, 0.0},
    {"d0a.conv.bias", VOX_PACK_VECTOR, 21, VOX_F32, 64u, {75837312u, 0u, 0u, 0u}, 75836736u, 256u, 64, 0, 0, 1, 0.0},
    {"d0b.conv.weight", VOX_PACK_CONV, 22, VOX_F32, 110592u, {75837568u, 0u, 0u, 0u}, 75836992u, 442368u, 64, 64, 27, 1, 0.0},
    {"d0b.conv.bias", VOX_PACK_VECTOR, 22, VOX_F32, 64u, {76279936u, 0u, 0u, 0u}, 76279360u, 256u, 64, 0, 0, 1, 0.0},
    {"logits.weight", VOX_PACK_CONV, 23, VOX_F32, 192u, {76280192u, 0u, 0u, 0u}, 76279616u, 4096u, 3, 64, 1, 1, 0.0},
    {"logits.bias", VOX_PACK_VECTOR, 23, VOX_F32, 3u, {76280960u, 0u, 0u, 0u}, 76283712u, 64u, 3, 0, 0, 1, 0.0},
};
/* clang-format on */

static const char *const labels[] = {
    "outside",
    "inside",
    "tubule",
};

static const vox_prepare_step steps[] = {
    {VOX_PREPARE_Z_SCORE, {0.0, 0.0, 0.0}},
};
static const vox_volume_info volume = {
    .axes = "xyz",
    .n_steps = 1,
    .steps = steps,
    .mirror = 1,
    .threshold = 0,
    .level = 0.0,
};

/* unet3d_kernels.c, compiled once for each instruction set. */
#if defined(__x86_64__)
extern const vox_layer_fn unet3d_layers_baseline[];
extern const vox_layer_fn unet3d_layers_avx2[];
extern const vox_layer_fn unet3d_layers_avx512[];
static const vox_build builds[] = {
    {"baseline", unet3d_layers_baseline},
    {"avx2", unet3d_layers_avx2},
    {"avx512", unet3d_layers_avx512},
};
#elif defined(__aarch64__)
extern const vox_layer_fn unet3d_layers_neon[];
static const vox_build builds[] = {{"neon", unet3d_layers_neon}};
#else
extern const vox_layer_fn unet3d_layers_baseline[];
static const vox_build builds[] = {{"baseline", unet3d_layers_baseline}};
#endif

static vox_status run_ports(const void *prepared, const void *const *inputs, void *const *outputs,
                            void *arena, size_t arena_bytes, const vox_executor *executor);
static const char *isa(void);

static const vox_model_info info = {
    .abi = UNET3D_ABI_VERSION,
    .name = "unet3d",
    .voxc_version = "0.1.0",
    .graph_hash = "2408b70f077335eb",
    .options = "--target c --init 1",
    .arena_bytes = UNET3D_ARENA_BYTES,
    .prepared_bytes = UNET3D_PREPARED_BYTES,
    .weights_bytes = UNET3D_WEIGHTS_BYTES,
    .align = UNET3D_ALIGN,
    .selftest_bytes = UNET3D_SELFTEST_BYTES,
    .parameters = 19069955u,
    .macs = 266731018496u,
    .n_inputs = INPUTS,
    .n_outputs = OUTPUTS,
    .n_layers = LAYERS,
    .n_labels = 3,
    .n_steps = STEPS,
    .inputs = input_ports,
    .outputs = output_ports,
    .layers = layers,
    .steps = schedule,
    .labels = labels,
    .volume = &volume,
    .prepare = unet3d_prepare,
    .run = run_ports,
    .selftest = unet3d_selftest,
    .isa = isa,
};

static const vox_model model = {
    .info = &info,
    .graph_hash = 0x2408b70f077335ebu,
    .weights = packings,
    .n_weights = WEIGHTS,
    .builds = builds,
    .n_builds = sizeof builds / sizeof *builds,
    .first_output = 229,
};

static const char *isa(void) {
    return vox_model_isa(&model);
}

static vox_status run_ports(const void *prepared, const void *const *inputs, void *const *outputs,
                            void *arena, size_t arena_bytes, const vox_executor *executor) {
    return vox_model_run(&model, prepared, inputs, outputs, arena, arena_bytes, executor);
}

unet3d_status unet3d_prepare(const void *weights, size_t weights_bytes, void *prepared,
                             size_t prepared_bytes) {
    return vox_model_prepare(&model, weights, weights_bytes, prepared, prepared_bytes);
}

unet3d_status unet3d_run(const void *prepared, const float *image, float *logits, void *arena,
                         size_t arena_bytes, const vox_executor *executor) {
    const void *const inputs[INPUTS] = {image};
    void *const outputs[OUTPUTS] = {logits};
    return vox_model_run(&model, prepared, inputs, outputs, arena, arena_bytes, executor);
}

unet3d_status unet3d_selftest(const void *prepared, void *arena, size_t arena_bytes,
                              const vox_executor *executor, const char **first_bad_layer,
                              double *worst_error) {
    return vox_model_selftest(&model, prepared, arena, arena_bytes, executor, first_bad_layer, worst_error);
}

const vox_model_info *unet3d_get_info(void) {
    return &info;
}
