/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small_cuda.c: the tables that describe unet3d_small on a GPU, and its public functions. See unet3d_small_cuda.h.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target cuda --precision
 * fp16 --init 1.
 */
#include "unet3d_small_cuda.h"

#include "runtime/cuda/vox_cuda_model.h"

enum { LAYERS = 24, WEIGHTS = 33, CONVS = 17, CALLS = 17, STEPS = 36, TENSORS = 28 };
enum { INPUTS = 1, OUTPUTS = 1 };

/* clang-format off */
static const vox_port input_ports[INPUTS] = {
    {"image", VOX_F32, 5, {1, 1, 92, 92, 92}},
};
static const vox_port output_ports[OUTPUTS] = {
    {"logits", VOX_F32, 5, {1, 3, 4, 4, 4}},
};

/* name, operation, rank, dimensions, block, type, place, offset, offset within an output, multiply-adds,
 * stream, planes kept in memory (0: all), scratch */
static const vox_layer_info layers[LAYERS] = {
    {"e0a", "conv 3x3x3 + relu, own kernel", 5, {1, 4, 90, 90, 90}, 0, VOX_F32, VOX_IN_ARENA, 0u, 0u, 78732000u, 1, 20, 0u},
    {"e0b", "conv 3x3x3 + relu, cuDNN", 5, {1, 8, 88, 88, 88}, 0, VOX_F32, VOX_IN_ARENA, 2592000u, 0u, 588791808u, 1, 18, 0u},
    {"e0b.crop", "slice", 5, {1, 8, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 6185248u, 0u, 0u, 1, 0, 0u},
    {"p0", "max_pool 2x2x2 stride 2x2x2", 5, {1, 8, 44, 44, 44}, 0, VOX_F32, VOX_IN_ARENA, 4822272u, 0u, 0u, 1, 0, 0u},
    {"e1a", "conv 3x3x3 + relu, cuDNN", 5, {1, 8, 42, 42, 42}, 0, VOX_F32, VOX_IN_ARENA, 2048000u, 0u, 128024064u, 0, 0, 0u},
    {"e1b", "conv 3x3x3 + relu, cuDNN", 5, {1, 16, 40, 40, 40}, 0, VOX_F32, VOX_IN_ARENA, 0u, 0u, 221184000u, 0, 0, 0u},
    {"p1", "max_pool 2x2x2 stride 2x2x2", 5, {1, 16, 20, 20, 20}, 0, VOX_F32, VOX_IN_ARENA, 2048000u, 0u, 0u, 0, 0, 0u},
    {"e2a", "conv 3x3x3 + relu, cuDNN", 5, {1, 16, 18, 18, 18}, 0, VOX_F32, VOX_IN_ARENA, 2310144u, 0u, 40310784u, 0, 0, 0u},
    {"e2b", "conv 3x3x3 + relu, cuDNN", 5, {1, 32, 16, 16, 16}, 0, VOX_F32, VOX_IN_ARENA, 2048000u, 0u, 56623104u, 0, 0, 0u},
    {"p2", "max_pool 2x2x2 stride 2x2x2", 5, {1, 32, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 2310144u, 0u, 0u, 0, 0, 0u},
    {"e3a", "conv 3x3x3 + relu, cuDNN", 5, {1, 32, 6, 6, 6}, 0, VOX_F32, VOX_IN_ARENA, 2342912u, 0u, 5971968u, 0, 0, 0u},
    {"e3b", "conv 3x3x3 + relu, cuDNN", 5, {1, 64, 4, 4, 4}, 0, VOX_F32, VOX_IN_ARENA, 2473984u, 0u, 3538944u, 0, 0, 0u},
    {"up2", "conv_transpose 2x2x2 stride 2x2x2, cuDNN and a scatter", 5, {1, 64, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 2310144u, 0u, 2097152u, 0, 0, 65536u},
    {"e2b.crop", "slice", 5, {1, 32, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 2310272u, 0u, 0u, 0, 0, 0u},
    {"d2a", "conv 3x3x3 + relu, cuDNN", 5, {1, 32, 6, 6, 6}, 0, VOX_F32, VOX_IN_ARENA, 2048000u, 0u, 17915904u, 0, 0, 0u},
    {"d2b", "conv 3x3x3 + relu, cuDNN", 5, {1, 32, 4, 4, 4}, 0, VOX_F32, VOX_IN_ARENA, 2129920u, 0u, 1769472u, 0, 0, 0u},
    {"up1", "conv_transpose 2x2x2 stride 2x2x2, cuDNN and a scatter", 5, {1, 32, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 2048000u, 0u, 524288u, 0, 0, 32768u},
    {"e1b.crop", "slice", 5, {1, 16, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 2048064u, 0u, 0u, 0, 0, 0u},
    {"d1a", "conv 3x3x3 + relu, cuDNN", 5, {1, 16, 6, 6, 6}, 0, VOX_F32, VOX_IN_ARENA, 0u, 0u, 4478976u, 0, 0, 0u},
    {"d1b", "conv 3x3x3 + relu, cuDNN", 5, {1, 16, 4, 4, 4}, 0, VOX_F32, VOX_IN_ARENA, 16384u, 0u, 442368u, 0, 0, 0u},
    {"up0", "conv_transpose 2x2x2 stride 2x2x2, cuDNN and a scatter", 5, {1, 16, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 6185216u, 0u, 131072u, 0, 0, 16384u},
    {"d0a", "conv 3x3x3 + relu, cuDNN", 5, {1, 8, 6, 6, 6}, 0, VOX_F32, VOX_IN_ARENA, 0u, 0u, 1119744u, 0, 0, 0u},
    {"d0b", "conv 3x3x3 + relu, cuDNN", 5, {1, 8, 4, 4, 4}, 0, VOX_F32, VOX_IN_ARENA, 3456u, 0u, 110592u, 0, 0, 0u},
    {"logits", "conv 1x1x1, own kernel", 5, {1, 3, 4, 4, 4}, 0, VOX_F32, VOX_IN_OUTPUT, 0u, 0u, 1536u, 0, 0, 0u},
};

/* layer, begin, end, phase: the planes [begin, end) of what the layer writes, in the order of running */
static const vox_step schedule[STEPS] = {
    {0, 0, 20, 0}, {1, 0, 18, 0}, {3, 0, 9, 0},
    {0, 18, 38, 0}, {1, 18, 36, 0}, {3, 9, 18, 0},
    {0, 36, 56, 0}, {1, 36, 54, 0}, {2, 0, 8, 0}, {3, 18, 27, 0},
    {0, 54, 74, 0}, {1, 54, 72, 0}, {3, 27, 36, 0},
    {0, 72, 90, 0}, {1, 72, 88, 0}, {3, 36, 44, 0},
    {4, 0, 42, 0}, {5, 0, 40, 0}, {6, 0, 20, 0}, {7, 0, 18, 0}, {8, 0, 16, 0}, {9, 0, 8, 0}, {10, 0, 6, 0},
    {11, 0, 4, 0}, {12, 0, 8, 0}, {13, 0, 8, 0}, {14, 0, 6, 0}, {15, 0, 4, 0}, {16, 0, 8, 0}, {17, 0, 8, 0},
    {18, 0, 6, 0}, {19, 0, 4, 0}, {20, 0, 8, 0}, {21, 0, 6, 0}, {22, 0, 4, 0}, {23, 0, 4, 0},
};

/* name, packing, type in the file, type on the GPU, elements, bytes into the file (scale, variance, bias, mean of a
 * batch norm), bytes into the GPU's copy, bytes there, K, C, kernel depth, kernel positions, rows, pitch, epsilon */
static const vox_cuda_weight weights[WEIGHTS] = {
    {"e0b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 864u, {1664u, 0u, 0u, 0u}, 0u, 3456u, 8, 4, 0, 27, 8, 8, 0.0},
    {"e0b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 8u, {5120u, 0u, 0u, 0u}, 3584u, 16u, 0, 8, 0, 0, 0, 8, 0.0},
    {"e1a.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 1728u, {5184u, 0u, 0u, 0u}, 3840u, 3456u, 8, 8, 0, 27, 8, 8, 0.0},
    {"e1a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 8u, {12096u, 0u, 0u, 0u}, 7424u, 16u, 0, 8, 0, 0, 0, 8, 0.0},
    {"e1b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 3456u, {12160u, 0u, 0u, 0u}, 7680u, 6912u, 16, 8, 0, 27, 16, 8, 0.0},
    {"e1b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 16u, {25984u, 0u, 0u, 0u}, 14592u, 32u, 0, 16, 0, 0, 0, 16, 0.0},
    {"e2a.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 6912u, {26048u, 0u, 0u, 0u}, 14848u, 13824u, 16, 16, 0, 27, 16, 16, 0.0},
    {"e2a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 16u, {53696u, 0u, 0u, 0u}, 28672u, 32u, 0, 16, 0, 0, 0, 16, 0.0},
    {"e2b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 13824u, {53760u, 0u, 0u, 0u}, 28928u, 27648u, 32, 16, 0, 27, 32, 16, 0.0},
    {"e2b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 32u, {109056u, 0u, 0u, 0u}, 56576u, 64u, 0, 32, 0, 0, 0, 32, 0.0},
    {"e3a.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 27648u, {109184u, 0u, 0u, 0u}, 56832u, 55296u, 32, 32, 0, 27, 32, 32, 0.0},
    {"e3a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 32u, {219776u, 0u, 0u, 0u}, 112128u, 64u, 0, 32, 0, 0, 0, 32, 0.0},
    {"e3b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 55296u, {219904u, 0u, 0u, 0u}, 112384u, 110592u, 64, 32, 0, 27, 64, 32, 0.0},
    {"e3b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 64u, {441088u, 0u, 0u, 0u}, 222976u, 128u, 0, 64, 0, 0, 0, 64, 0.0},
    {"up2.weight", VOX_CUDA_PACK_SCATTER, VOX_F32, VOX_STORE_F16, 32768u, {441344u, 0u, 0u, 0u}, 223232u, 65536u, 64, 64, 0, 8, 512, 64, 0.0},
    {"d2a.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 82944u, {572416u, 0u, 0u, 0u}, 288768u, 165888u, 32, 96, 0, 27, 32, 96, 0.0},
    {"d2a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 32u, {904192u, 0u, 0u, 0u}, 454656u, 64u, 0, 32, 0, 0, 0, 32, 0.0},
    {"d2b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 27648u, {904320u, 0u, 0u, 0u}, 454912u, 55296u, 32, 32, 0, 27, 32, 32, 0.0},
    {"d2b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 32u, {1014912u, 0u, 0u, 0u}, 510208u, 64u, 0, 32, 0, 0, 0, 32, 0.0},
    {"up1.weight", VOX_CUDA_PACK_SCATTER, VOX_F32, VOX_STORE_F16, 8192u, {1015040u, 0u, 0u, 0u}, 510464u, 16384u, 32, 32, 0, 8, 256, 32, 0.0},
    {"d1a.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 20736u, {1047808u, 0u, 0u, 0u}, 526848u, 41472u, 16, 48, 0, 27, 16, 48, 0.0},
    {"d1a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 16u, {1130752u, 0u, 0u, 0u}, 568320u, 32u, 0, 16, 0, 0, 0, 16, 0.0},
    {"d1b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 6912u, {1130816u, 0u, 0u, 0u}, 568576u, 13824u, 16, 16, 0, 27, 16, 16, 0.0},
    {"d1b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 16u, {1158464u, 0u, 0u, 0u}, 582400u, 32u, 0, 16, 0, 0, 0, 16, 0.0},
    {"up0.weight", VOX_CUDA_PACK_SCATTER, VOX_F32, VOX_STORE_F16, 2048u, {1158528u, 0u, 0u, 0u}, 582656u, 4096u, 16, 16, 0, 8, 128, 16, 0.0},
    {"d0a.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 5184u, {1166720u, 0u, 0u, 0u}, 586752u, 10368u, 8, 24, 0, 27, 8, 24, 0.0},
    {"d0a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 8u, {1187456u, 0u, 0u, 0u}, 597248u, 16u, 0, 8, 0, 0, 0, 8, 0.0},
    {"d0b.conv.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F16, 1728u, {1187520u, 0u, 0u, 0u}, 597504u, 3456u, 8, 8, 0, 27, 8, 8, 0.0},
    {"d0b.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F16, 8u, {1194432u, 0u, 0u, 0u}, 601088u, 16u, 0, 8, 0, 0, 0, 8, 0.0},
    {"e0a.conv.weight", VOX_CUDA_PACK_FIRST, VOX_F32, VOX_STORE_F32, 108u, {1152u, 0u, 0u, 0u}, 601344u, 864u, 4, 1, 3, 27, 0, 8, 0.0},
    {"e0a.conv.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F32, 4u, {1600u, 0u, 0u, 0u}, 602368u, 64u, 0, 4, 0, 0, 0, 16, 0.0},
    {"logits.weight", VOX_CUDA_PACK_FILTER, VOX_F32, VOX_STORE_F32, 24u, {1194496u, 0u, 0u, 0u}, 602624u, 96u, 3, 8, 0, 1, 3, 8, 0.0},
    {"logits.bias", VOX_CUDA_PACK_VECTOR, VOX_F32, VOX_STORE_F32, 3u, {1194624u, 0u, 0u, 0u}, 602880u, 64u, 0, 3, 0, 0, 0, 16, 0.0},
};

/* every distinct convolution that cuDNN computes */
static const vox_conv3d convs[CONVS] = {
    {.n = 1, .c = 4, .k = 8, .c_pitch = 8, .k_pitch = 8, .groups = 1, .in = {20, 90, 90}, .out = {18, 88, 88}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 4, .k = 8, .c_pitch = 8, .k_pitch = 8, .groups = 1, .in = {18, 90, 90}, .out = {16, 88, 88}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 8, .k = 8, .c_pitch = 8, .k_pitch = 8, .groups = 1, .in = {44, 44, 44}, .out = {42, 42, 42}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 8, .k = 16, .c_pitch = 8, .k_pitch = 16, .groups = 1, .in = {42, 42, 42}, .out = {40, 40, 40}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 16, .k = 16, .c_pitch = 16, .k_pitch = 16, .groups = 1, .in = {20, 20, 20}, .out = {18, 18, 18}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 16, .k = 32, .c_pitch = 16, .k_pitch = 32, .groups = 1, .in = {18, 18, 18}, .out = {16, 16, 16}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 32, .k = 32, .c_pitch = 32, .k_pitch = 32, .groups = 1, .in = {8, 8, 8}, .out = {6, 6, 6}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 32, .k = 64, .c_pitch = 32, .k_pitch = 64, .groups = 1, .in = {6, 6, 6}, .out = {4, 4, 4}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 64, .k = 512, .c_pitch = 64, .k_pitch = 512, .groups = 1, .in = {4, 4, 4}, .out = {4, 4, 4}, .kernel = {1, 1, 1},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_NONE, .type = VOX_CUDA_F16, .has_bias = 0, .backward_data = 0},
    {.n = 1, .c = 96, .k = 32, .c_pitch = 96, .k_pitch = 32, .groups = 1, .in = {8, 8, 8}, .out = {6, 6, 6}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 32, .k = 32, .c_pitch = 32, .k_pitch = 32, .groups = 1, .in = {6, 6, 6}, .out = {4, 4, 4}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 32, .k = 256, .c_pitch = 32, .k_pitch = 256, .groups = 1, .in = {4, 4, 4}, .out = {4, 4, 4}, .kernel = {1, 1, 1},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_NONE, .type = VOX_CUDA_F16, .has_bias = 0, .backward_data = 0},
    {.n = 1, .c = 48, .k = 16, .c_pitch = 48, .k_pitch = 16, .groups = 1, .in = {8, 8, 8}, .out = {6, 6, 6}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 16, .k = 16, .c_pitch = 16, .k_pitch = 16, .groups = 1, .in = {6, 6, 6}, .out = {4, 4, 4}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 16, .k = 128, .c_pitch = 16, .k_pitch = 128, .groups = 1, .in = {4, 4, 4}, .out = {4, 4, 4}, .kernel = {1, 1, 1},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_NONE, .type = VOX_CUDA_F16, .has_bias = 0, .backward_data = 0},
    {.n = 1, .c = 24, .k = 8, .c_pitch = 24, .k_pitch = 8, .groups = 1, .in = {8, 8, 8}, .out = {6, 6, 6}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
    {.n = 1, .c = 8, .k = 8, .c_pitch = 8, .k_pitch = 8, .groups = 1, .in = {6, 6, 6}, .out = {4, 4, 4}, .kernel = {3, 3, 3},
     .stride = {1, 1, 1}, .dilation = {1, 1, 1}, .pad_before = {0, 0, 0}, .pad_after = {0, 0, 0}, .act = VOX_CUDA_ACT_RELU, .type = VOX_CUDA_F16, .has_bias = 1, .backward_data = 0},
};

/* convolution, then where x, weights, bias and y are: base, number of the port, bytes */
static const vox_cuda_call calls[CALLS] = {
    {0, {VOX_CUDA_ARENA, 0, 0u}, {VOX_CUDA_WEIGHTS, 0, 0u}, {VOX_CUDA_WEIGHTS, 0, 3584u}, {VOX_CUDA_ARENA, 0, 2592000u}},
    {1, {VOX_CUDA_ARENA, 0, 0u}, {VOX_CUDA_WEIGHTS, 0, 0u}, {VOX_CUDA_WEIGHTS, 0, 3584u}, {VOX_CUDA_ARENA, 0, 2592000u}},
    {2, {VOX_CUDA_ARENA, 0, 4822272u}, {VOX_CUDA_WEIGHTS, 0, 3840u}, {VOX_CUDA_WEIGHTS, 0, 7424u}, {VOX_CUDA_ARENA, 0, 2048000u}},
    {3, {VOX_CUDA_ARENA, 0, 2048000u}, {VOX_CUDA_WEIGHTS, 0, 7680u}, {VOX_CUDA_WEIGHTS, 0, 14592u}, {VOX_CUDA_ARENA, 0, 0u}},
    {4, {VOX_CUDA_ARENA, 0, 2048000u}, {VOX_CUDA_WEIGHTS, 0, 14848u}, {VOX_CUDA_WEIGHTS, 0, 28672u}, {VOX_CUDA_ARENA, 0, 2310144u}},
    {5, {VOX_CUDA_ARENA, 0, 2310144u}, {VOX_CUDA_WEIGHTS, 0, 28928u}, {VOX_CUDA_WEIGHTS, 0, 56576u}, {VOX_CUDA_ARENA, 0, 2048000u}},
    {6, {VOX_CUDA_ARENA, 0, 2310144u}, {VOX_CUDA_WEIGHTS, 0, 56832u}, {VOX_CUDA_WEIGHTS, 0, 112128u}, {VOX_CUDA_ARENA, 0, 2342912u}},
    {7, {VOX_CUDA_ARENA, 0, 2342912u}, {VOX_CUDA_WEIGHTS, 0, 112384u}, {VOX_CUDA_WEIGHTS, 0, 222976u}, {VOX_CUDA_ARENA, 0, 2473984u}},
    {8, {VOX_CUDA_ARENA, 0, 2473984u}, {VOX_CUDA_WEIGHTS, 0, 223232u}, {VOX_CUDA_NOWHERE, 0, 0u}, {VOX_CUDA_ARENA, 0, 2408448u}},
    {9, {VOX_CUDA_ARENA, 0, 2310144u}, {VOX_CUDA_WEIGHTS, 0, 288768u}, {VOX_CUDA_WEIGHTS, 0, 454656u}, {VOX_CUDA_ARENA, 0, 2048000u}},
    {10, {VOX_CUDA_ARENA, 0, 2048000u}, {VOX_CUDA_WEIGHTS, 0, 454912u}, {VOX_CUDA_WEIGHTS, 0, 510208u}, {VOX_CUDA_ARENA, 0, 2129920u}},
    {11, {VOX_CUDA_ARENA, 0, 2129920u}, {VOX_CUDA_WEIGHTS, 0, 510464u}, {VOX_CUDA_NOWHERE, 0, 0u}, {VOX_CUDA_ARENA, 0, 2097152u}},
    {12, {VOX_CUDA_ARENA, 0, 2048000u}, {VOX_CUDA_WEIGHTS, 0, 526848u}, {VOX_CUDA_WEIGHTS, 0, 568320u}, {VOX_CUDA_ARENA, 0, 0u}},
    {13, {VOX_CUDA_ARENA, 0, 0u}, {VOX_CUDA_WEIGHTS, 0, 568576u}, {VOX_CUDA_WEIGHTS, 0, 582400u}, {VOX_CUDA_ARENA, 0, 16384u}},
    {14, {VOX_CUDA_ARENA, 0, 16384u}, {VOX_CUDA_WEIGHTS, 0, 582656u}, {VOX_CUDA_NOWHERE, 0, 0u}, {VOX_CUDA_ARENA, 0, 0u}},
    {15, {VOX_CUDA_ARENA, 0, 6185216u}, {VOX_CUDA_WEIGHTS, 0, 586752u}, {VOX_CUDA_WEIGHTS, 0, 597248u}, {VOX_CUDA_ARENA, 0, 0u}},
    {16, {VOX_CUDA_ARENA, 0, 0u}, {VOX_CUDA_WEIGHTS, 0, 597504u}, {VOX_CUDA_WEIGHTS, 0, 601088u}, {VOX_CUDA_ARENA, 0, 3456u}},
};

/* layer, begin, end, call (-1: none), first free byte of the arena, first planes of windows: result, operands */
static const vox_cuda_step launches[STEPS] = {
    {0, 0, 20, -1, 6209792u, {0, 0, 0, 0, 0}},
    {1, 0, 18, 0, 6209792u, {0, 0, 0, 0, 0}},
    {3, 0, 9, -1, 6209792u, {0, 0, 0, 0, 0}},
    {0, 18, 38, -1, 6209792u, {18, 0, 0, 0, 0}},
    {1, 18, 36, 0, 6209792u, {18, 18, 0, 0, 0}},
    {3, 9, 18, -1, 6209792u, {0, 18, 0, 0, 0}},
    {0, 36, 56, -1, 6209792u, {36, 0, 0, 0, 0}},
    {1, 36, 54, 0, 6209792u, {36, 36, 0, 0, 0}},
    {3, 18, 27, -1, 6209792u, {0, 36, 0, 0, 0}},
    {2, 0, 8, -1, 6209792u, {0, 36, 0, 0, 0}},
    {0, 54, 74, -1, 6209792u, {54, 0, 0, 0, 0}},
    {1, 54, 72, 0, 6209792u, {54, 54, 0, 0, 0}},
    {3, 27, 36, -1, 6209792u, {0, 54, 0, 0, 0}},
    {0, 72, 90, -1, 6209792u, {72, 0, 0, 0, 0}},
    {1, 72, 88, 1, 6209792u, {72, 72, 0, 0, 0}},
    {3, 36, 44, -1, 6209792u, {0, 72, 0, 0, 0}},
    {4, 0, 42, 2, 6209792u, {0, 0, 0, 0, 0}},
    {5, 0, 40, 3, 6209792u, {0, 0, 0, 0, 0}},
    {6, 0, 20, -1, 6209792u, {0, 0, 0, 0, 0}},
    {7, 0, 18, 4, 6209792u, {0, 0, 0, 0, 0}},
    {8, 0, 16, 5, 6209792u, {0, 0, 0, 0, 0}},
    {9, 0, 8, -1, 6209792u, {0, 0, 0, 0, 0}},
    {10, 0, 6, 6, 6209792u, {0, 0, 0, 0, 0}},
    {11, 0, 4, 7, 6209792u, {0, 0, 0, 0, 0}},
    {12, 0, 8, 8, 6209792u, {0, 0, 0, 0, 0}},
    {13, 0, 8, -1, 6209792u, {0, 0, 0, 0, 0}},
    {14, 0, 6, 9, 6209792u, {0, 0, 0, 0, 0}},
    {15, 0, 4, 10, 6209792u, {0, 0, 0, 0, 0}},
    {16, 0, 8, 11, 6209792u, {0, 0, 0, 0, 0}},
    {17, 0, 8, -1, 6209792u, {0, 0, 0, 0, 0}},
    {18, 0, 6, 12, 6209792u, {0, 0, 0, 0, 0}},
    {19, 0, 4, 13, 6209792u, {0, 0, 0, 0, 0}},
    {20, 0, 8, 14, 6209792u, {0, 0, 0, 0, 0}},
    {21, 0, 6, 15, 6209792u, {0, 0, 0, 0, 0}},
    {22, 0, 4, 16, 4480u, {0, 0, 0, 0, 0}},
    {23, 0, 4, -1, 4480u, {0, 0, 0, 0, 0}},
};

/* name, element type, rank, dimensions, pitch, planes kept, place, bytes */
static const vox_cuda_tensor tensors[TENSORS] = {
    {"e0a", VOX_STORE_F16, 5, {1, 4, 90, 90, 90}, 8, 20, {VOX_CUDA_ARENA, 0, 0u}, 2592000u},
    {"image", VOX_STORE_F32, 5, {1, 1, 92, 92, 92}, 0, 0, {VOX_CUDA_INPUT, 0, 0u}, 3114752u},
    {"e0b", VOX_STORE_F16, 5, {1, 8, 88, 88, 88}, 8, 18, {VOX_CUDA_ARENA, 0, 2592000u}, 2230272u},
    {"e0b.crop", VOX_STORE_F16, 5, {1, 8, 8, 8, 8}, 24, 0, {VOX_CUDA_ARENA, 0, 6185248u}, 24544u},
    {"p0", VOX_STORE_F16, 5, {1, 8, 44, 44, 44}, 8, 0, {VOX_CUDA_ARENA, 0, 4822272u}, 1362944u},
    {"e1a", VOX_STORE_F16, 5, {1, 8, 42, 42, 42}, 8, 0, {VOX_CUDA_ARENA, 0, 2048000u}, 1185408u},
    {"e1b", VOX_STORE_F16, 5, {1, 16, 40, 40, 40}, 16, 0, {VOX_CUDA_ARENA, 0, 0u}, 2048000u},
    {"p1", VOX_STORE_F16, 5, {1, 16, 20, 20, 20}, 16, 0, {VOX_CUDA_ARENA, 0, 2048000u}, 256000u},
    {"e2a", VOX_STORE_F16, 5, {1, 16, 18, 18, 18}, 16, 0, {VOX_CUDA_ARENA, 0, 2310144u}, 186624u},
    {"e2b", VOX_STORE_F16, 5, {1, 32, 16, 16, 16}, 32, 0, {VOX_CUDA_ARENA, 0, 2048000u}, 262144u},
    {"p2", VOX_STORE_F16, 5, {1, 32, 8, 8, 8}, 32, 0, {VOX_CUDA_ARENA, 0, 2310144u}, 32768u},
    {"e3a", VOX_STORE_F16, 5, {1, 32, 6, 6, 6}, 32, 0, {VOX_CUDA_ARENA, 0, 2342912u}, 13824u},
    {"e3b", VOX_STORE_F16, 5, {1, 64, 4, 4, 4}, 64, 0, {VOX_CUDA_ARENA, 0, 2473984u}, 8192u},
    {"up2", VOX_STORE_F16, 5, {1, 64, 8, 8, 8}, 96, 0, {VOX_CUDA_ARENA, 0, 2310144u}, 98304u},
    {"e2b.crop", VOX_STORE_F16, 5, {1, 32, 8, 8, 8}, 96, 0, {VOX_CUDA_ARENA, 0, 2310272u}, 98176u},
    {"d2a", VOX_STORE_F16, 5, {1, 32, 6, 6, 6}, 32, 0, {VOX_CUDA_ARENA, 0, 2048000u}, 13824u},
    {"cat2", VOX_STORE_F16, 5, {1, 96, 8, 8, 8}, 96, 0, {VOX_CUDA_ARENA, 0, 2310144u}, 98304u},
    {"d2b", VOX_STORE_F16, 5, {1, 32, 4, 4, 4}, 32, 0, {VOX_CUDA_ARENA, 0, 2129920u}, 4096u},
    {"up1", VOX_STORE_F16, 5, {1, 32, 8, 8, 8}, 48, 0, {VOX_CUDA_ARENA, 0, 2048000u}, 49152u},
    {"e1b.crop", VOX_STORE_F16, 5, {1, 16, 8, 8, 8}, 48, 0, {VOX_CUDA_ARENA, 0, 2048064u}, 49088u},
    {"d1a", VOX_STORE_F16, 5, {1, 16, 6, 6, 6}, 16, 0, {VOX_CUDA_ARENA, 0, 0u}, 6912u},
    {"cat1", VOX_STORE_F16, 5, {1, 48, 8, 8, 8}, 48, 0, {VOX_CUDA_ARENA, 0, 2048000u}, 49152u},
    {"d1b", VOX_STORE_F16, 5, {1, 16, 4, 4, 4}, 16, 0, {VOX_CUDA_ARENA, 0, 16384u}, 2048u},
    {"up0", VOX_STORE_F16, 5, {1, 16, 8, 8, 8}, 24, 0, {VOX_CUDA_ARENA, 0, 6185216u}, 24576u},
    {"d0a", VOX_STORE_F16, 5, {1, 8, 6, 6, 6}, 8, 0, {VOX_CUDA_ARENA, 0, 0u}, 3456u},
    {"cat0", VOX_STORE_F16, 5, {1, 24, 8, 8, 8}, 24, 0, {VOX_CUDA_ARENA, 0, 6185216u}, 24576u},
    {"d0b", VOX_STORE_F16, 5, {1, 8, 4, 4, 4}, 8, 0, {VOX_CUDA_ARENA, 0, 3456u}, 1024u},
    {"logits", VOX_STORE_F32, 5, {1, 3, 4, 4, 4}, 0, 0, {VOX_CUDA_OUTPUT, 0, 0u}, 768u},
};

/* what the self-test recomputes of each layer */
static const vox_cuda_check checks[LAYERS] = {
    {.op = VOX_CUDA_OP_CONV, .y = 0, .n_x = 1, .x = {1}, .w = {29, 30, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 2, .n_x = 1, .x = {0}, .w = {0, 1, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_SLICE, .y = 3, .n_x = 1, .x = {2}, .begin = {0, 0, 40, 40, 40}, .step = {1, 1, 1, 1, 1}},
    {.op = VOX_CUDA_OP_MAX_POOL, .y = 4, .n_x = 1, .x = {2}, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}},
    {.op = VOX_CUDA_OP_CONV, .y = 5, .n_x = 1, .x = {4}, .w = {2, 3, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 6, .n_x = 1, .x = {5}, .w = {4, 5, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_MAX_POOL, .y = 7, .n_x = 1, .x = {6}, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}},
    {.op = VOX_CUDA_OP_CONV, .y = 8, .n_x = 1, .x = {7}, .w = {6, 7, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 9, .n_x = 1, .x = {8}, .w = {8, 9, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_MAX_POOL, .y = 10, .n_x = 1, .x = {9}, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}},
    {.op = VOX_CUDA_OP_CONV, .y = 11, .n_x = 1, .x = {10}, .w = {10, 11, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 12, .n_x = 1, .x = {11}, .w = {12, 13, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV_TRANSPOSE, .y = 13, .n_x = 1, .x = {12}, .w = {14, -1, -1}, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1},
    {.op = VOX_CUDA_OP_SLICE, .y = 14, .n_x = 1, .x = {9}, .begin = {0, 0, 4, 4, 4}, .step = {1, 1, 1, 1, 1}},
    {.op = VOX_CUDA_OP_CONV, .y = 15, .n_x = 1, .x = {16}, .w = {15, 16, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 17, .n_x = 1, .x = {15}, .w = {17, 18, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV_TRANSPOSE, .y = 18, .n_x = 1, .x = {17}, .w = {19, -1, -1}, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1},
    {.op = VOX_CUDA_OP_SLICE, .y = 19, .n_x = 1, .x = {6}, .begin = {0, 0, 16, 16, 16}, .step = {1, 1, 1, 1, 1}},
    {.op = VOX_CUDA_OP_CONV, .y = 20, .n_x = 1, .x = {21}, .w = {20, 21, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 22, .n_x = 1, .x = {20}, .w = {22, 23, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV_TRANSPOSE, .y = 23, .n_x = 1, .x = {22}, .w = {24, -1, -1}, .kernel = {2, 2, 2}, .stride = {2, 2, 2}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1},
    {.op = VOX_CUDA_OP_CONV, .y = 24, .n_x = 1, .x = {25}, .w = {25, 26, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 26, .n_x = 1, .x = {24}, .w = {27, 28, -1}, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1, .act = VOX_CUDA_ACT_RELU},
    {.op = VOX_CUDA_OP_CONV, .y = 27, .n_x = 1, .x = {26}, .w = {31, 32, -1}, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .pad = {0, 0, 0}, .pad_end = {0, 0, 0}, .dilation = {1, 1, 1}, .group = 1},
};
/* clang-format on */

static const char *const labels[] = {
    "outside",
    "inside",
    "border",
};

static const vox_prepare_step steps[] = {
    {.kind = VOX_PREPARE_Z_SCORE,
     .channel = -1,
     .value = {0.0, 0.0, 0.0, 0.0},
     .floor = 0.0,
     .sampling = {.order = VOX_LINEAR,
                  .across = VOX_NEAREST,
                  .align = VOX_CORNERS,
                  .anisotropy = 0.0,
                  .antialias = 0}},
};
static const vox_volume_info volume = {
    .axes = "xyz",
    .orientation = NULL,
    .stored = NULL,
    .n_steps = 1,
    .steps = steps,
    .border = VOX_BORDER_MIRROR,
    .overlap = 0.0,
    .phase = {8, 8, 8},
    .placement = VOX_EVENLY,
    .window = VOX_WINDOW_CONSTANT,
    .mirror_axes = 0,
    .skip_empty = 0,
    .half = 0,
    .activation = VOX_AS_THEY_ARE,
    .restore =
        {.order = VOX_LINEAR, .across = VOX_NEAREST, .align = VOX_CORNERS, .anisotropy = 0.0, .antialias = 0},
    .rule = VOX_ARGMAX,
    .level = 0.0,
    .n_regions = 0,
    .region_label = NULL,
};

/* unet3d_small_kernels.cu: a function per layer, NULL where cuDNN does all of it. */
extern const vox_cuda_layer_fn unet3d_small_cuda_layers[];

static const char *isa(void) {
    return "cuda fp16";
}

static const vox_model_info info = {
    .abi = UNET3D_SMALL_CUDA_ABI_VERSION,
    .name = "unet3d_small",
    .voxc_version = "0.1.0",
    .graph_hash = "88cecedb53652b0b",
    .options = "--target cuda --precision fp16 --init 1",
    .arena_bytes = UNET3D_SMALL_CUDA_ARENA_BYTES,
    .prepared_bytes = UNET3D_SMALL_CUDA_WEIGHTS_BYTES,
    .weights_bytes = UNET3D_SMALL_WEIGHTS_BYTES,
    .align = UNET3D_SMALL_CUDA_ALIGN,
    .selftest_bytes = UNET3D_SMALL_CUDA_ARENA_BYTES,
    .parameters = 298315u,
    .macs = 1151767776u,
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
    .isa = isa,
};

static const vox_cuda_model model = {
    .info = &info,
    .graph_hash = 0x88cecedb53652b0bu,
    .weights_bytes = UNET3D_SMALL_CUDA_WEIGHTS_BYTES,
    .workspace_cap = 268435456,
    .type = VOX_CUDA_F16,
    .most_tiles = VOX_CUDA_TILES,
    .strict = 0,
    .n_weights = WEIGHTS,
    .n_convs = CONVS,
    .n_calls = CALLS,
    .n_steps = STEPS,
    .n_tensors = TENSORS,
    .weights = weights,
    .convs = convs,
    .calls = calls,
    .steps = launches,
    .tensors = tensors,
    .checks = checks,
    .layers = unet3d_small_cuda_layers,
};

unet3d_small_status unet3d_small_cuda_create(const void *weights_file, size_t weights_bytes,
                                             const vox_cuda_options *options, unet3d_small_cuda **handle) {
    return vox_cuda_create(&model, weights_file, weights_bytes, options, handle);
}

void unet3d_small_cuda_destroy(unet3d_small_cuda *handle) {
    vox_cuda_destroy(handle);
}

unet3d_small_status unet3d_small_cuda_run(unet3d_small_cuda *handle, vox_cuda_stream stream,
                                          const float *image, float *logits) {
    const void *const inputs[INPUTS] = {image};
    void *const outputs[OUTPUTS] = {logits};
    return vox_cuda_run(handle, stream, inputs, outputs);
}

unet3d_small_status unet3d_small_cuda_run_host(unet3d_small_cuda *handle, const float *image, float *logits) {
    const void *const inputs[INPUTS] = {image};
    void *const outputs[OUTPUTS] = {logits};
    return vox_cuda_run_host(handle, inputs, outputs);
}

size_t unet3d_small_cuda_arena_bytes(const unet3d_small_cuda *handle) {
    return vox_cuda_arena_size(handle);
}

vox_status unet3d_small_cuda_arena_wanted(const vox_cuda_options *options, size_t *bytes) {
    return vox_cuda_arena_wanted(&model, options, bytes);
}

const vox_model_info *unet3d_small_cuda_get_info(void) {
    return &info;
}

const vox_cuda_model *unet3d_small_cuda_get_model(void) {
    return &model;
}
