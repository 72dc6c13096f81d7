/* SPDX-License-Identifier: MIT-0 */
/* unet3d.c: the tables that describe unet3d, and its public functions. See unet3d.h.
 *
 * Written by voxc 0.1.0 from unet3d.yaml (SHA-256 8cee7e38b7575317...) with --target c --init 1.
 */
#include "unet3d.h"

#include "runtime/vox_model.h"

enum { LAYERS = 18, WEIGHTS = 33, INPUTS = 1, OUTPUTS = 1, STEPS = 96 };

/* clang-format off */
/* vox_port of runtime/vox.h: name, dtype, rank, dim */
static const vox_port input_ports[INPUTS] = {
    {"image", VOX_F32, 5, {1, 3, 132, 132, 116}},
};
static const vox_port output_ports[OUTPUTS] = {
    {"logits", VOX_F32, 5, {1, 3, 44, 44, 28}},
};

/* vox_layer_info of runtime/vox.h: name, op, rank, dim, block, dtype, place, offset, within, macs, stream,
 * ring, scratch */
static const vox_layer_info layers[LAYERS] = {
    {"e0a", "conv 3x3x3 + relu, direct", 5, {1, 32, 130, 130, 114}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 0u, 0u, 4993747200u, 1, 10, 0u},
    {"e0b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 64, 128, 128, 112}, VOX_BLOCK, VOX_F32, VOX_NOWHERE, 0u, 0u, 101468602368u, 1, 8, 2709504u},
    {"e1a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 64, 62, 62, 54}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 30950400u, 0u, 22956244992u, 1, 8, 4036608u},
    {"e1b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 128, 60, 60, 52}, VOX_BLOCK, VOX_F32, VOX_NOWHERE, 0u, 0u, 41405644800u, 1, 0, 4036608u},
    {"e2a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 128, 28, 28, 24}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 30950400u, 0u, 8323596288u, 0, 0, 6690816u},
    {"e2b", "conv 3x3x3 + relu, deep Winograd 4x4x4", 5, {1, 256, 26, 26, 22}, VOX_BLOCK, VOX_F32, VOX_NOWHERE, 0u, 0u, 13157793792u, 0, 0, 17358336u},
    {"e3a", "conv 3x3x3 + relu, deep Winograd 4x4x4", 5, {1, 256, 11, 11, 9}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 10188288u, 0u, 1926955008u, 0, 0, 10188288u},
    {"e3b", "conv 3x3x3 + relu, deep Winograd 4x4x4", 5, {1, 512, 9, 9, 7}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 7589376u, 0u, 2006581248u, 0, 0, 7589376u},
    {"up2", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 512, 18, 18, 14}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 63198720u, 0u, 1189085184u, 0, 0, 0u},
    {"d2a", "conv 3x3x3 + relu, deep Winograd 4x4x4", 5, {1, 256, 16, 16, 12}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 37486080u, 0u, 16307453952u, 0, 0, 37486080u},
    {"d2b", "conv 3x3x3 + relu, deep Winograd 4x4x4", 5, {1, 256, 14, 14, 10}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 16252416u, 0u, 3468165120u, 0, 0, 16252416u},
    {"up1", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 256, 28, 28, 20}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 63198720u, 0u, 1027604480u, 0, 0, 0u},
    {"d1a", "conv 3x3x3 + relu, deep Winograd 4x4x4", 5, {1, 128, 26, 26, 18}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 87283200u, 0u, 16148201472u, 0, 0, 44324352u},
    {"d1b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 128, 24, 24, 16}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 63198720u, 0u, 4076863488u, 0, 0, 6690816u},
    {"up0", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 128, 48, 48, 32}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 6575616u, 0u, 1207959552u, 0, 0, 0u},
    {"d0a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 64, 46, 46, 30}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 63198720u, 0u, 21061140480u, 0, 0, 9345024u},
    {"d0b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 64, 44, 44, 28}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 0u, 0u, 5994971136u, 0, 0, 4036608u},
    {"logits", "conv 1x1x1, direct", 5, {1, 3, 44, 44, 28}, 0, VOX_F32, VOX_IN_OUTPUT, 0u, 0u, 10407936u, 0, 0, 0u},
};

/* vox_step of runtime/vox.h: layer, begin, end, phase */
static const vox_step schedule[STEPS] = {
    {0, 0, 8, 0}, {0, 8, 10, 0}, {1, 0, 8, 0}, {0, 10, 14, 0}, {1, 8, 12, 0}, {2, 0, 4, 0},
    {0, 14, 22, 0}, {1, 12, 20, 0}, {2, 4, 8, 0}, {3, 0, 4, 0},
    {0, 22, 30, 0}, {1, 20, 28, 0}, {2, 8, 12, 0}, {3, 4, 8, 0},
    {0, 30, 38, 0}, {1, 28, 36, 0}, {2, 12, 16, 0}, {3, 8, 12, 0},
    {0, 38, 46, 0}, {1, 36, 44, 0}, {2, 16, 20, 0}, {3, 12, 16, 0},
    {0, 46, 54, 0}, {1, 44, 52, 0}, {2, 20, 24, 0}, {3, 16, 20, 0},
    {0, 54, 62, 0}, {1, 52, 60, 0}, {2, 24, 28, 0}, {3, 20, 24, 0},
    {0, 62, 70, 0}, {1, 60, 68, 0}, {2, 28, 32, 0}, {3, 24, 28, 0},
    {0, 70, 78, 0}, {1, 68, 76, 0}, {2, 32, 36, 0}, {3, 28, 32, 0},
    {0, 78, 86, 0}, {1, 76, 84, 0}, {2, 36, 40, 0}, {3, 32, 36, 0},
    {0, 86, 94, 0}, {1, 84, 92, 0}, {2, 40, 44, 0}, {3, 36, 40, 0},
    {0, 94, 102, 0}, {1, 92, 100, 0}, {2, 44, 48, 0}, {3, 40, 44, 0},
    {0, 102, 110, 0}, {1, 100, 108, 0}, {2, 48, 52, 0}, {3, 44, 48, 0},
    {0, 110, 118, 0}, {1, 108, 116, 0}, {2, 52, 56, 0}, {3, 48, 52, 0},
    {0, 118, 126, 0}, {1, 116, 124, 0}, {2, 56, 60, 0}, {3, 52, 56, 0},
    {0, 126, 130, 0}, {1, 124, 128, 0}, {2, 60, 62, 0}, {3, 56, 60, 0},
    {4, 0, 28, 0}, {5, 0, 8, 0}, {5, 0, 8, 1}, {5, 8, 16, 0}, {5, 8, 16, 1}, {5, 16, 24, 0}, {5, 16, 24, 1},
    {5, 24, 26, 0}, {5, 24, 26, 1}, {6, 0, 11, 0}, {6, 0, 11, 1}, {7, 0, 9, 0}, {7, 0, 9, 1}, {8, 0, 18, 0},
    {9, 0, 16, 0}, {9, 0, 16, 1}, {10, 0, 14, 0}, {10, 0, 14, 1}, {11, 0, 28, 0}, {12, 0, 12, 0}, {12, 0, 12, 1},
    {12, 12, 24, 0}, {12, 12, 24, 1}, {12, 24, 26, 0}, {12, 24, 26, 1}, {13, 0, 24, 0}, {14, 0, 48, 0}, {15, 0, 46, 0},
    {16, 0, 44, 0}, {17, 0, 44, 0},
};

/* vox_weight of runtime/vox_weights.h: name, pack, layer, dtype, count, file, prepared, packed, oc, ic,
 * kernel, group, eps, tile */
static const vox_weight packings[WEIGHTS] = {
    {"e0a.conv.weight", VOX_PACK_CONV, 0, VOX_F32, 2592u, {1152u, 0u, 0u, 0u}, 576u, 10368u, 32, 3, 27, 1, 0.0, {0, 0, 0}},
    {"e0a.conv.bias", VOX_PACK_VECTOR, 0, VOX_F32, 32u, {11520u, 0u, 0u, 0u}, 10944u, 128u, 32, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e0b.conv.weight", VOX_PACK_WINOGRAD, 1, VOX_F32, 55296u, {11648u, 0u, 0u, 0u}, 11072u, 1785856u, 64, 32, 27, 1, 0.0, {4, 4, 4}},
    {"e0b.conv.bias", VOX_PACK_VECTOR, 1, VOX_F32, 64u, {232832u, 0u, 0u, 0u}, 1796928u, 256u, 64, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e1a.conv.weight", VOX_PACK_WINOGRAD, 2, VOX_F32, 110592u, {233088u, 0u, 0u, 0u}, 1797184u, 3571712u, 64, 64, 27, 1, 0.0, {4, 4, 4}},
    {"e1a.conv.bias", VOX_PACK_VECTOR, 2, VOX_F32, 64u, {675456u, 0u, 0u, 0u}, 5368896u, 256u, 64, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e1b.conv.weight", VOX_PACK_WINOGRAD, 3, VOX_F32, 221184u, {675712u, 0u, 0u, 0u}, 5369152u, 7143424u, 128, 64, 27, 1, 0.0, {4, 4, 4}},
    {"e1b.conv.bias", VOX_PACK_VECTOR, 3, VOX_F32, 128u, {1560448u, 0u, 0u, 0u}, 12512576u, 512u, 128, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e2a.conv.weight", VOX_PACK_WINOGRAD, 4, VOX_F32, 442368u, {1560960u, 0u, 0u, 0u}, 12513088u, 14286848u, 128, 128, 27, 1, 0.0, {4, 4, 4}},
    {"e2a.conv.bias", VOX_PACK_VECTOR, 4, VOX_F32, 128u, {3330432u, 0u, 0u, 0u}, 26799936u, 512u, 128, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e2b.conv.weight", VOX_PACK_CONV, 5, VOX_F32, 884736u, {3330944u, 0u, 0u, 0u}, 26800448u, 3538944u, 256, 128, 27, 1, 0.0, {0, 0, 0}},
    {"e2b.conv.bias", VOX_PACK_VECTOR, 5, VOX_F32, 256u, {6869888u, 0u, 0u, 0u}, 30339392u, 1024u, 256, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e3a.conv.weight", VOX_PACK_CONV, 6, VOX_F32, 1769472u, {6870912u, 0u, 0u, 0u}, 30340416u, 7077888u, 256, 256, 27, 1, 0.0, {0, 0, 0}},
    {"e3a.conv.bias", VOX_PACK_VECTOR, 6, VOX_F32, 256u, {13948800u, 0u, 0u, 0u}, 37418304u, 1024u, 256, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e3b.conv.weight", VOX_PACK_CONV, 7, VOX_F32, 3538944u, {13949824u, 0u, 0u, 0u}, 37419328u, 14155776u, 512, 256, 27, 1, 0.0, {0, 0, 0}},
    {"e3b.conv.bias", VOX_PACK_VECTOR, 7, VOX_F32, 512u, {28105600u, 0u, 0u, 0u}, 51575104u, 2048u, 512, 0, 0, 1, 0.0, {0, 0, 0}},
    {"up2.weight", VOX_PACK_CONV_TRANSPOSE, 8, VOX_F32, 2097152u, {28107648u, 0u, 0u, 0u}, 51577152u, 8388608u, 512, 512, 8, 1, 0.0, {0, 0, 0}},
    {"d2a.conv.weight", VOX_PACK_CONV, 9, VOX_F32, 5308416u, {36496256u, 0u, 0u, 0u}, 59965760u, 21233664u, 256, 768, 27, 1, 0.0, {0, 0, 0}},
    {"d2a.conv.bias", VOX_PACK_VECTOR, 9, VOX_F32, 256u, {57729920u, 0u, 0u, 0u}, 81199424u, 1024u, 256, 0, 0, 1, 0.0, {0, 0, 0}},
    {"d2b.conv.weight", VOX_PACK_CONV, 10, VOX_F32, 1769472u, {57730944u, 0u, 0u, 0u}, 81200448u, 7077888u, 256, 256, 27, 1, 0.0, {0, 0, 0}},
    {"d2b.conv.bias", VOX_PACK_VECTOR, 10, VOX_F32, 256u, {64808832u, 0u, 0u, 0u}, 88278336u, 1024u, 256, 0, 0, 1, 0.0, {0, 0, 0}},
    {"up1.weight", VOX_PACK_CONV_TRANSPOSE, 11, VOX_F32, 524288u, {64809856u, 0u, 0u, 0u}, 88279360u, 2097152u, 256, 256, 8, 1, 0.0, {0, 0, 0}},
    {"d1a.conv.weight", VOX_PACK_CONV, 12, VOX_F32, 1327104u, {66907008u, 0u, 0u, 0u}, 90376512u, 5308416u, 128, 384, 27, 1, 0.0, {0, 0, 0}},
    {"d1a.conv.bias", VOX_PACK_VECTOR, 12, VOX_F32, 128u, {72215424u, 0u, 0u, 0u}, 95684928u, 512u, 128, 0, 0, 1, 0.0, {0, 0, 0}},
    {"d1b.conv.weight", VOX_PACK_WINOGRAD, 13, VOX_F32, 442368u, {72215936u, 0u, 0u, 0u}, 95685440u, 14286848u, 128, 128, 27, 1, 0.0, {4, 4, 4}},
    {"d1b.conv.bias", VOX_PACK_VECTOR, 13, VOX_F32, 128u, {73985408u, 0u, 0u, 0u}, 109972288u, 512u, 128, 0, 0, 1, 0.0, {0, 0, 0}},
    {"up0.weight", VOX_PACK_CONV_TRANSPOSE, 14, VOX_F32, 131072u, {73985920u, 0u, 0u, 0u}, 109972800u, 524288u, 128, 128, 8, 1, 0.0, {0, 0, 0}},
    {"d0a.conv.weight", VOX_PACK_WINOGRAD, 15, VOX_F32, 331776u, {74510208u, 0u, 0u, 0u}, 110497088u, 10715136u, 64, 192, 27, 1, 0.0, {4, 4, 4}},
    {"d0a.conv.bias", VOX_PACK_VECTOR, 15, VOX_F32, 64u, {75837312u, 0u, 0u, 0u}, 121212224u, 256u, 64, 0, 0, 1, 0.0, {0, 0, 0}},
    {"d0b.conv.weight", VOX_PACK_WINOGRAD, 16, VOX_F32, 110592u, {75837568u, 0u, 0u, 0u}, 121212480u, 3571712u, 64, 64, 27, 1, 0.0, {4, 4, 4}},
    {"d0b.conv.bias", VOX_PACK_VECTOR, 16, VOX_F32, 64u, {76279936u, 0u, 0u, 0u}, 124784192u, 256u, 64, 0, 0, 1, 0.0, {0, 0, 0}},
    {"logits.weight", VOX_PACK_CONV, 17, VOX_F32, 192u, {76280192u, 0u, 0u, 0u}, 124784448u, 4096u, 3, 64, 1, 1, 0.0, {0, 0, 0}},
    {"logits.bias", VOX_PACK_VECTOR, 17, VOX_F32, 3u, {76280960u, 0u, 0u, 0u}, 124788544u, 64u, 3, 0, 0, 1, 0.0, {0, 0, 0}},
};
/* clang-format on */

static const char *const labels[] = {
    "outside",
    "inside",
    "tubule",
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

/* unet3d_kernels.c, compiled once for each instruction set, the best one last. */
#ifndef UNET3D_ISAS /* the Makefile's ISAS */
#if defined(__x86_64__)
#define UNET3D_ISAS(X) X(baseline) X(avx2) X(avx512)
#elif defined(__aarch64__)
#define UNET3D_ISAS(X) X(neon)
#else
#define UNET3D_ISAS(X) X(baseline)
#endif
#endif
#define DECLARE(isa) extern const vox_layer unet3d_layers_##isa[];
/* clang-format off */
#define BUILD(isa) {#isa, unet3d_layers_##isa},
/* clang-format on */
UNET3D_ISAS(DECLARE)
static const vox_build builds[] = {UNET3D_ISAS(BUILD)};
#undef DECLARE
#undef BUILD

static vox_status run_ports(const void *prepared, const void *const *inputs, void *const *outputs,
                            void *arena, size_t arena_bytes, const vox_executor *executor);
static const char *isa(void);

static const vox_model_info info = {
    .abi = UNET3D_ABI_VERSION,
    .name = "unet3d",
    .voxc_version = "0.1.0",
    .graph_hash = "5b92bc6064819d7a",
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
    .graph_hash = 0x5b92bc6064819d7au,
    .weights = packings,
    .n_weights = WEIGHTS,
    .builds = builds,
    .n_builds = sizeof builds / sizeof *builds,
    .first_output = 95,
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

size_t unet3d_segment_bytes(const vox_volume *volume, const vox_segment_options *options) {
    return vox_segment_bytes(&info, volume, options);
}

unet3d_status unet3d_segment(const void *prepared, const vox_volume *volume, const vox_labels *labels,
                             const vox_segment_options *options, const vox_executor *executor) {
    return vox_segment(&info, prepared, volume, labels, options, executor);
}
