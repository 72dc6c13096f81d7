/* SPDX-License-Identifier: MIT-0 */
/* unet3d_small.c: the tables that describe unet3d_small, and its public functions. See unet3d_small.h.
 *
 * Written by voxc 0.1.0 from unet3d_small.yaml (SHA-256 a8e7632f1525be22...) with --target c --init 1.
 */
#include "unet3d_small.h"

#include "runtime/vox_model.h"

enum { LAYERS = 22, WEIGHTS = 33, INPUTS = 1, OUTPUTS = 1, STEPS = 106 };

/* clang-format off */
/* vox_port of runtime/vox.h: name, dtype, rank, dim */
static const vox_port input_ports[INPUTS] = {
    {"image", VOX_F32, 5, {1, 1, 92, 92, 92}},
};
static const vox_port output_ports[OUTPUTS] = {
    {"logits", VOX_F32, 5, {1, 3, 4, 4, 4}},
};

/* vox_layer_info of runtime/vox.h: name, op, rank, dim, block, dtype, place, offset, within, macs, stream,
 * ring, scratch */
static const vox_layer_info layers[LAYERS] = {
    {"e0a", "conv 3x3x3 + relu, direct", 5, {1, 4, 90, 90, 90}, 0, VOX_F32, VOX_IN_ARENA, 3717120u, 0u, 78732000u, 1, 6, 0u},
    {"e0b", "conv 3x3x3 + relu, Winograd 4x4x1", 5, {1, 8, 88, 88, 88}, 0, VOX_F32, VOX_IN_ARENA, 2725888u, 0u, 588791808u, 1, 4, 552960u},
    {"e0b.crop", "slice", 5, {1, 8, 8, 8, 8}, 0, VOX_F32, VOX_IN_ARENA, 5760256u, 0u, 0u, 1, 0, 0u},
    {"p0", "max_pool 2x2x2 stride 2x2x2", 5, {1, 8, 44, 44, 44}, 0, VOX_F32, VOX_IN_ARENA, 0u, 0u, 0u, 1, 0, 0u},
    {"e1a", "conv 3x3x3 + relu, Winograd 4x4x1", 5, {1, 8, 42, 42, 42}, 0, VOX_F32, VOX_IN_ARENA, 2725888u, 0u, 128024064u, 0, 0, 663552u},
    {"e1a.blocked", "to_block", 5, {1, 8, 42, 42, 42}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 2045952u, 0u, 0u, 2, 6, 0u},
    {"e1b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 16, 40, 40, 40}, VOX_BLOCK, VOX_F32, VOX_NOWHERE, 0u, 0u, 221184000u, 2, 0, 2045952u},
    {"e2a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 16, 18, 18, 18}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 2045952u, 0u, 40310784u, 0, 0, 2045952u},
    {"e2b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 32, 16, 16, 16}, VOX_BLOCK, VOX_F32, VOX_NOWHERE, 0u, 0u, 56623104u, 0, 0, 2045952u},
    {"e3a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 32, 6, 6, 6}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 1824768u, 0u, 5971968u, 0, 0, 1824768u},
    {"e3b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 64, 4, 4, 4}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 69120u, 0u, 3538944u, 0, 0, 69120u},
    {"up2", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 64, 8, 8, 8}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 3594240u, 0u, 2097152u, 0, 0, 0u},
    {"d2a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 32, 6, 6, 6}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 3790848u, 0u, 17915904u, 0, 0, 3594240u},
    {"d2b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 32, 4, 4, 4}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 69120u, 0u, 1769472u, 0, 0, 69120u},
    {"up1", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 32, 8, 8, 8}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 5543168u, 0u, 524288u, 0, 0, 0u},
    {"d1a", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 16, 6, 6, 6}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 2267136u, 0u, 4478976u, 0, 0, 2267136u},
    {"d1b", "conv 3x3x3 + relu, Winograd 4x4x4", 5, {1, 16, 4, 4, 4}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 55296u, 0u, 442368u, 0, 0, 55296u},
    {"up0", "conv_transpose 2x2x2 stride 2x2x2", 5, {1, 16, 8, 8, 8}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 0u, 0u, 131072u, 0, 0, 0u},
    {"e0b.crop.blocked", "to_block", 5, {1, 8, 8, 8, 8}, VOX_BLOCK, VOX_F32, VOX_IN_ARENA, 32768u, 0u, 0u, 0, 0, 0u},
    {"d0a", "conv 3x3x3 + relu, direct", 5, {1, 8, 6, 6, 6}, 0, VOX_F32, VOX_IN_ARENA, 65536u, 0u, 1119744u, 0, 0, 0u},
    {"d0b", "conv 3x3x3 + relu, direct", 5, {1, 8, 4, 4, 4}, 0, VOX_F32, VOX_IN_ARENA, 0u, 0u, 110592u, 0, 0, 0u},
    {"logits", "conv 1x1x1, direct", 5, {1, 3, 4, 4, 4}, 0, VOX_F32, VOX_IN_OUTPUT, 0u, 0u, 1536u, 0, 0, 0u},
};

/* vox_step of runtime/vox.h: layer, begin, end, phase */
static const vox_step schedule[STEPS] = {
    {0, 0, 4, 0}, {0, 4, 6, 0}, {1, 0, 4, 0}, {3, 0, 2, 0},
    {0, 6, 10, 0}, {1, 4, 8, 0}, {3, 2, 4, 0},
    {0, 10, 14, 0}, {1, 8, 12, 0}, {3, 4, 6, 0},
    {0, 14, 18, 0}, {1, 12, 16, 0}, {3, 6, 8, 0},
    {0, 18, 22, 0}, {1, 16, 20, 0}, {3, 8, 10, 0},
    {0, 22, 26, 0}, {1, 20, 24, 0}, {3, 10, 12, 0},
    {0, 26, 30, 0}, {1, 24, 28, 0}, {3, 12, 14, 0},
    {0, 30, 34, 0}, {1, 28, 32, 0}, {3, 14, 16, 0},
    {0, 34, 38, 0}, {1, 32, 36, 0}, {3, 16, 18, 0},
    {0, 38, 42, 0}, {1, 36, 40, 0}, {3, 18, 20, 0},
    {0, 42, 46, 0}, {1, 40, 44, 0}, {2, 0, 4, 0}, {3, 20, 22, 0},
    {0, 46, 50, 0}, {1, 44, 48, 0}, {2, 4, 8, 0}, {3, 22, 24, 0},
    {0, 50, 54, 0}, {1, 48, 52, 0}, {3, 24, 26, 0},
    {0, 54, 58, 0}, {1, 52, 56, 0}, {3, 26, 28, 0},
    {0, 58, 62, 0}, {1, 56, 60, 0}, {3, 28, 30, 0},
    {0, 62, 66, 0}, {1, 60, 64, 0}, {3, 30, 32, 0},
    {0, 66, 70, 0}, {1, 64, 68, 0}, {3, 32, 34, 0},
    {0, 70, 74, 0}, {1, 68, 72, 0}, {3, 34, 36, 0},
    {0, 74, 78, 0}, {1, 72, 76, 0}, {3, 36, 38, 0},
    {0, 78, 82, 0}, {1, 76, 80, 0}, {3, 38, 40, 0},
    {0, 82, 86, 0}, {1, 80, 84, 0}, {3, 40, 42, 0},
    {0, 86, 90, 0}, {1, 84, 88, 0}, {3, 42, 44, 0},
    {4, 0, 42, 0}, {5, 0, 4, 0}, {5, 4, 6, 0}, {6, 0, 4, 0},
    {5, 6, 10, 0}, {6, 4, 8, 0},
    {5, 10, 14, 0}, {6, 8, 12, 0},
    {5, 14, 18, 0}, {6, 12, 16, 0},
    {5, 18, 22, 0}, {6, 16, 20, 0},
    {5, 22, 26, 0}, {6, 20, 24, 0},
    {5, 26, 30, 0}, {6, 24, 28, 0},
    {5, 30, 34, 0}, {6, 28, 32, 0},
    {5, 34, 38, 0}, {6, 32, 36, 0},
    {5, 38, 42, 0}, {6, 36, 40, 0},
    {7, 0, 18, 0}, {8, 0, 16, 0}, {9, 0, 6, 0}, {10, 0, 4, 0}, {11, 0, 8, 0}, {12, 0, 6, 0}, {13, 0, 4, 0},
    {14, 0, 8, 0}, {15, 0, 6, 0}, {16, 0, 4, 0}, {17, 0, 8, 0}, {18, 0, 8, 0}, {19, 0, 6, 0}, {20, 0, 4, 0},
    {21, 0, 4, 0},
};

/* vox_weight of runtime/vox_weights.h: name, pack, layer, dtype, count, file, prepared, packed, oc, ic,
 * kernel, group, eps, tile */
static const vox_weight packings[WEIGHTS] = {
    {"e0a.conv.weight", VOX_PACK_CONV, 0, VOX_F32, 108u, {1152u, 0u, 0u, 0u}, 640u, 1728u, 4, 1, 27, 1, 0.0, {0, 0, 0}},
    {"e0a.conv.bias", VOX_PACK_VECTOR, 0, VOX_F32, 4u, {1600u, 0u, 0u, 0u}, 2368u, 64u, 4, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e0b.conv.weight", VOX_PACK_WINOGRAD, 1, VOX_F32, 864u, {1664u, 0u, 0u, 0u}, 2432u, 28160u, 8, 4, 27, 1, 0.0, {4, 4, 1}},
    {"e0b.conv.bias", VOX_PACK_VECTOR, 1, VOX_F32, 8u, {5120u, 0u, 0u, 0u}, 30592u, 64u, 8, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e1a.conv.weight", VOX_PACK_WINOGRAD, 4, VOX_F32, 1728u, {5184u, 0u, 0u, 0u}, 30656u, 56320u, 8, 8, 27, 1, 0.0, {4, 4, 1}},
    {"e1a.conv.bias", VOX_PACK_VECTOR, 4, VOX_F32, 8u, {12096u, 0u, 0u, 0u}, 86976u, 64u, 8, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e1b.conv.weight", VOX_PACK_WINOGRAD, 6, VOX_F32, 3456u, {12160u, 0u, 0u, 0u}, 87040u, 111616u, 16, 8, 27, 1, 0.0, {4, 4, 4}},
    {"e1b.conv.bias", VOX_PACK_VECTOR, 6, VOX_F32, 16u, {25984u, 0u, 0u, 0u}, 198656u, 64u, 16, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e2a.conv.weight", VOX_PACK_WINOGRAD, 7, VOX_F32, 6912u, {26048u, 0u, 0u, 0u}, 198720u, 223232u, 16, 16, 27, 1, 0.0, {4, 4, 4}},
    {"e2a.conv.bias", VOX_PACK_VECTOR, 7, VOX_F32, 16u, {53696u, 0u, 0u, 0u}, 421952u, 64u, 16, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e2b.conv.weight", VOX_PACK_WINOGRAD, 8, VOX_F32, 13824u, {53760u, 0u, 0u, 0u}, 422016u, 446464u, 32, 16, 27, 1, 0.0, {4, 4, 4}},
    {"e2b.conv.bias", VOX_PACK_VECTOR, 8, VOX_F32, 32u, {109056u, 0u, 0u, 0u}, 868480u, 128u, 32, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e3a.conv.weight", VOX_PACK_WINOGRAD, 9, VOX_F32, 27648u, {109184u, 0u, 0u, 0u}, 868608u, 892928u, 32, 32, 27, 1, 0.0, {4, 4, 4}},
    {"e3a.conv.bias", VOX_PACK_VECTOR, 9, VOX_F32, 32u, {219776u, 0u, 0u, 0u}, 1761536u, 128u, 32, 0, 0, 1, 0.0, {0, 0, 0}},
    {"e3b.conv.weight", VOX_PACK_WINOGRAD, 10, VOX_F32, 55296u, {219904u, 0u, 0u, 0u}, 1761664u, 1785856u, 64, 32, 27, 1, 0.0, {4, 4, 4}},
    {"e3b.conv.bias", VOX_PACK_VECTOR, 10, VOX_F32, 64u, {441088u, 0u, 0u, 0u}, 3547520u, 256u, 64, 0, 0, 1, 0.0, {0, 0, 0}},
    {"up2.weight", VOX_PACK_CONV_TRANSPOSE, 11, VOX_F32, 32768u, {441344u, 0u, 0u, 0u}, 3547776u, 131072u, 64, 64, 8, 1, 0.0, {0, 0, 0}},
    {"d2a.conv.weight", VOX_PACK_WINOGRAD, 12, VOX_F32, 82944u, {572416u, 0u, 0u, 0u}, 3678848u, 2678784u, 32, 96, 27, 1, 0.0, {4, 4, 4}},
    {"d2a.conv.bias", VOX_PACK_VECTOR, 12, VOX_F32, 32u, {904192u, 0u, 0u, 0u}, 6357632u, 128u, 32, 0, 0, 1, 0.0, {0, 0, 0}},
    {"d2b.conv.weight", VOX_PACK_WINOGRAD, 13, VOX_F32, 27648u, {904320u, 0u, 0u, 0u}, 6357760u, 892928u, 32, 32, 27, 1, 0.0, {4, 4, 4}},
    {"d2b.conv.bias", VOX_PACK_VECTOR, 13, VOX_F32, 32u, {1014912u, 0u, 0u, 0u}, 7250688u, 128u, 32, 0, 0, 1, 0.0, {0, 0, 0}},
    {"up1.weight", VOX_PACK_CONV_TRANSPOSE, 14, VOX_F32, 8192u, {1015040u, 0u, 0u, 0u}, 7250816u, 32768u, 32, 32, 8, 1, 0.0, {0, 0, 0}},
    {"d1a.conv.weight", VOX_PACK_WINOGRAD, 15, VOX_F32, 20736u, {1047808u, 0u, 0u, 0u}, 7283584u, 669696u, 16, 48, 27, 1, 0.0, {4, 4, 4}},
    {"d1a.conv.bias", VOX_PACK_VECTOR, 15, VOX_F32, 16u, {1130752u, 0u, 0u, 0u}, 7953280u, 64u, 16, 0, 0, 1, 0.0, {0, 0, 0}},
    {"d1b.conv.weight", VOX_PACK_WINOGRAD, 16, VOX_F32, 6912u, {1130816u, 0u, 0u, 0u}, 7953344u, 223232u, 16, 16, 27, 1, 0.0, {4, 4, 4}},
    {"d1b.conv.bias", VOX_PACK_VECTOR, 16, VOX_F32, 16u, {1158464u, 0u, 0u, 0u}, 8176576u, 64u, 16, 0, 0, 1, 0.0, {0, 0, 0}},
    {"up0.weight", VOX_PACK_CONV_TRANSPOSE, 17, VOX_F32, 2048u, {1158528u, 0u, 0u, 0u}, 8176640u, 8192u, 16, 16, 8, 1, 0.0, {0, 0, 0}},
    {"d0a.conv.weight", VOX_PACK_CONV, 19, VOX_F32, 5184u, {1166720u, 0u, 0u, 0u}, 8184832u, 41472u, 8, 24, 27, 1, 0.0, {0, 0, 0}},
    {"d0a.conv.bias", VOX_PACK_VECTOR, 19, VOX_F32, 8u, {1187456u, 0u, 0u, 0u}, 8226304u, 64u, 8, 0, 0, 1, 0.0, {0, 0, 0}},
    {"d0b.conv.weight", VOX_PACK_CONV, 20, VOX_F32, 1728u, {1187520u, 0u, 0u, 0u}, 8226368u, 13824u, 8, 8, 27, 1, 0.0, {0, 0, 0}},
    {"d0b.conv.bias", VOX_PACK_VECTOR, 20, VOX_F32, 8u, {1194432u, 0u, 0u, 0u}, 8240192u, 64u, 8, 0, 0, 1, 0.0, {0, 0, 0}},
    {"logits.weight", VOX_PACK_CONV, 21, VOX_F32, 24u, {1194496u, 0u, 0u, 0u}, 8240256u, 512u, 3, 8, 1, 1, 0.0, {0, 0, 0}},
    {"logits.bias", VOX_PACK_VECTOR, 21, VOX_F32, 3u, {1194624u, 0u, 0u, 0u}, 8240768u, 64u, 3, 0, 0, 1, 0.0, {0, 0, 0}},
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

/* unet3d_small_kernels.c, compiled once for each instruction set, the best one last. */
#ifndef UNET3D_SMALL_ISAS /* the Makefile's ISAS */
#if defined(__x86_64__)
#define UNET3D_SMALL_ISAS(X) X(baseline) X(avx2) X(avx512)
#elif defined(__aarch64__)
#define UNET3D_SMALL_ISAS(X) X(neon)
#else
#define UNET3D_SMALL_ISAS(X) X(baseline)
#endif
#endif
#define DECLARE(isa) extern const vox_layer unet3d_small_layers_##isa[];
/* clang-format off */
#define BUILD(isa) {#isa, unet3d_small_layers_##isa},
/* clang-format on */
UNET3D_SMALL_ISAS(DECLARE)
static const vox_build builds[] = {UNET3D_SMALL_ISAS(BUILD)};
#undef DECLARE
#undef BUILD

static vox_status run_ports(const void *prepared, const void *const *inputs, void *const *outputs,
                            void *arena, size_t arena_bytes, const vox_executor *executor);
static const char *isa(void);

static const vox_model_info info = {
    .abi = UNET3D_SMALL_ABI_VERSION,
    .name = "unet3d_small",
    .voxc_version = "0.1.0",
    .graph_hash = "de112099fb923ac1",
    .options = "--target c --init 1",
    .arena_bytes = UNET3D_SMALL_ARENA_BYTES,
    .prepared_bytes = UNET3D_SMALL_PREPARED_BYTES,
    .weights_bytes = UNET3D_SMALL_WEIGHTS_BYTES,
    .align = UNET3D_SMALL_ALIGN,
    .selftest_bytes = UNET3D_SMALL_SELFTEST_BYTES,
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
    .prepare = unet3d_small_prepare,
    .run = run_ports,
    .selftest = unet3d_small_selftest,
    .isa = isa,
};

static const vox_model model = {
    .info = &info,
    .graph_hash = 0xde112099fb923ac1u,
    .weights = packings,
    .n_weights = WEIGHTS,
    .builds = builds,
    .n_builds = sizeof builds / sizeof *builds,
    .first_output = 105,
};

static const char *isa(void) {
    return vox_model_isa(&model);
}

static vox_status run_ports(const void *prepared, const void *const *inputs, void *const *outputs,
                            void *arena, size_t arena_bytes, const vox_executor *executor) {
    return vox_model_run(&model, prepared, inputs, outputs, arena, arena_bytes, executor);
}

unet3d_small_status unet3d_small_prepare(const void *weights, size_t weights_bytes, void *prepared,
                                         size_t prepared_bytes) {
    return vox_model_prepare(&model, weights, weights_bytes, prepared, prepared_bytes);
}

unet3d_small_status unet3d_small_run(const void *prepared, const float *image, float *logits, void *arena,
                                     size_t arena_bytes, const vox_executor *executor) {
    const void *const inputs[INPUTS] = {image};
    void *const outputs[OUTPUTS] = {logits};
    return vox_model_run(&model, prepared, inputs, outputs, arena, arena_bytes, executor);
}

unet3d_small_status unet3d_small_selftest(const void *prepared, void *arena, size_t arena_bytes,
                                          const vox_executor *executor, const char **first_bad_layer,
                                          double *worst_error) {
    return vox_model_selftest(&model, prepared, arena, arena_bytes, executor, first_bad_layer, worst_error);
}

const vox_model_info *unet3d_small_get_info(void) {
    return &info;
}

size_t unet3d_small_segment_bytes(const vox_volume *volume, const vox_segment_options *options) {
    return vox_segment_bytes(&info, volume, options);
}

unet3d_small_status unet3d_small_segment(const void *prepared, const vox_volume *volume,
                                         const vox_labels *labels, const vox_segment_options *options,
                                         const vox_executor *executor) {
    return vox_segment(&info, prepared, volume, labels, options, executor);
}
