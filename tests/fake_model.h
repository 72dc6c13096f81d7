/* fake_model.h: small hand-made models for the tests of runtime/program/, described by vox_model_info as a
 * generated one is, so that no compiler is needed.
 *
 *   fake_box   1x1x9x10x11 -> 1x2x5x6x7: class 1 scores the mean of the 5x5x5 voxels around, class 0 scores 0.25
 *   fake_same  1x1x6x6x6 -> 1x1x6x6x6: the output is the input; threshold 0.5, one tile must hold the volume
 *   fake_rgb   1x3x4x4x4 -> 1x3x4x4x4: the output is the input, so the label is the brightest channel; mirror
 *   fake_mm    fake_rgb with one channel, label 1 where a voxel exceeds 0.5, on a grid of 1 mm
 *
 * The weight file is FAKE_WEIGHTS bytes of 'w'; anything else is refused as a generated prepare() would.
 */
#ifndef VOXC_FAKE_MODEL_H
#define VOXC_FAKE_MODEL_H

#include <stddef.h>
#include <string.h>

#include "vox.h"

enum { FAKE_WEIGHTS = 128, FAKE_BOX_MARGIN = 2 };

static vox_status fake_prepare(const void *weights, size_t n, void *prepared, size_t prepared_bytes) {
    const char *w = weights;
    if (n < 8 || memcmp(w, "wwwwwwww", 8) != 0) return VOX_E_WEIGHTS_MAGIC;
    if (n != FAKE_WEIGHTS) return VOX_E_WEIGHTS_SIZE;
    if (prepared_bytes < FAKE_WEIGHTS) return VOX_E_PREPARED_SIZE;
    memcpy(prepared, weights, n);
    return VOX_OK;
}

/* Tells the executor of a finished layer; true: the host cancelled. */
static int fake_layer(const vox_executor *e, int index, const void *data, int last) {
    if (e->layer != NULL) e->layer(e->user, index, data);
    if (e->progress != NULL) e->progress(e->user, index + 1, last + 1);
    return e->cancelled != NULL && e->cancelled(e->user) != 0;
}

static float fake_mean(const float *x, const int in[3], int d, int h, int w) {
    double sum = 0;
    int n = 2 * FAKE_BOX_MARGIN + 1;
    for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++) {
            for (int c = 0; c < n; c++) {
                sum += (double)
                    x[((size_t)(d + a) * (size_t)in[1] + (size_t)(h + b)) * (size_t)in[2] + (size_t)(w + c)];
            }
        }
    }
    return (float)(sum / (n * n * n));
}

/* Layer 0 leaves a blocked tensor of 3 channels (value 100 * channel + voxel) in the arena, layer 1 the
 * output. */
static vox_status fake_box_run(const void *prepared, const void *const *inputs, void *const *outputs,
                               void *arena, size_t arena_bytes, const vox_executor *e) {
    const int in[3] = {9, 10, 11}, out[3] = {5, 6, 7};
    float *blocked = arena, *y = outputs[0];
    if (*(const char *)prepared != 'w') return VOX_E_PREPARED;
    if (arena_bytes < 8 * VOX_BLOCK * sizeof(float)) return VOX_E_ARENA_SIZE;
    for (int v = 0; v < 8; v++) {
        for (int c = 0; c < VOX_BLOCK; c++) blocked[v * VOX_BLOCK + c] = (float)(100 * c + v);
    }
    if (fake_layer(e, 0, blocked, 1)) return VOX_E_CANCELLED;
    for (int i = 0; i < 5 * 6 * 7; i++) *y++ = 0.25f;
    for (int d = 0; d < out[0]; d++) {
        for (int h = 0; h < out[1]; h++) {
            for (int w = 0; w < out[2]; w++) *y++ = fake_mean(inputs[0], in, d, h, w);
        }
    }
    fake_layer(e, 1, outputs[0], 1);
    return VOX_OK;
}

static vox_status fake_copy(const void *const *inputs, void *const *outputs, size_t bytes,
                            const vox_executor *e) {
    memcpy(outputs[0], inputs[0], bytes);
    fake_layer(e, 0, outputs[0], 0);
    return VOX_OK;
}

static vox_status fake_same_run(const void *prepared, const void *const *inputs, void *const *outputs,
                                void *arena, size_t arena_bytes, const vox_executor *e) {
    (void)prepared, (void)arena, (void)arena_bytes;
    return fake_copy(inputs, outputs, 216 * sizeof(float), e);
}

static vox_status fake_rgb_run(const void *prepared, const void *const *inputs, void *const *outputs,
                               void *arena, size_t arena_bytes, const vox_executor *e) {
    (void)prepared, (void)arena, (void)arena_bytes;
    return fake_copy(inputs, outputs, 3 * 64 * sizeof(float), e);
}

static vox_status fake_mm_run(const void *prepared, const void *const *inputs, void *const *outputs,
                              void *arena, size_t arena_bytes, const vox_executor *e) {
    (void)prepared, (void)arena, (void)arena_bytes;
    return fake_copy(inputs, outputs, 64 * sizeof(float), e);
}

static vox_status fake_selftest_ok(const void *prepared, void *arena, size_t arena_bytes,
                                   const vox_executor *e, const char **layer, double *worst) {
    (void)prepared, (void)arena, (void)e, (void)layer;
    *worst = 0.125;
    return arena_bytes == 8192 ? VOX_OK : VOX_E_ARENA_SIZE;
}

static vox_status fake_selftest_bad(const void *prepared, void *arena, size_t arena_bytes,
                                    const vox_executor *e, const char **layer, double *worst) {
    (void)prepared, (void)arena, (void)arena_bytes, (void)e;
    *layer = "identity";
    *worst = 3e7;
    return VOX_E_SELFTEST;
}

static const char *fake_isa(void) {
    return "baseline";
}

static const vox_port fake_box_in = {"image", VOX_F32, 5, {1, 1, 9, 10, 11}};
static const vox_port fake_box_out = {"scores", VOX_F32, 5, {1, 2, 5, 6, 7}};
static const vox_port fake_same_port = {"image", VOX_F32, 5, {1, 1, 6, 6, 6}};
static const vox_port fake_rgb_port = {"image", VOX_F32, 5, {1, 3, 4, 4, 4}};
static const vox_port fake_mm_port = {"image", VOX_F32, 5, {1, 1, 4, 4, 4}};
static const char *const fake_labels[] = {"background", "bright \"spot\"", "third"};
static const vox_layer_info fake_box_layers[] = {
    {.name = "first", .op = "blocks", .rank = 5, .dim = {1, 3, 2, 2, 2}, .block = VOX_BLOCK, .macs = 1000},
    {.name = "box",
     .op = "mean 5x5x5",
     .rank = 5,
     .dim = {1, 2, 5, 6, 7},
     .place = VOX_IN_OUTPUT,
     .macs = 26250},
};
static const vox_layer_info fake_same_layers[] = {
    {.name = "identity", .op = "copy", .rank = 5, .dim = {1, 1, 6, 6, 6}, .place = VOX_IN_OUTPUT},
};
static const vox_layer_info fake_rgb_layers[] = {
    {.name = "identity", .op = "copy", .rank = 5, .dim = {1, 3, 4, 4, 4}, .place = VOX_IN_OUTPUT},
};
static const vox_layer_info fake_mm_layers[] = {
    {.name = "identity", .op = "copy", .rank = 5, .dim = {1, 1, 4, 4, 4}, .place = VOX_IN_OUTPUT},
};
/* No layer is streamed: a step each. */
static const vox_step fake_schedule[] = {{0, 0, 1, 0}, {1, 0, 1, 0}};
#define FAKE_LINEAR                                                                                          \
    { .order = VOX_LINEAR, .align = VOX_CORNERS }
static const vox_prepare_step fake_same_steps[] = {
    {.kind = VOX_PREPARE_RESAMPLE_SHAPE, .channel = -1, .value = {6, 6, 6}, .sampling = FAKE_LINEAR},
    {.kind = VOX_PREPARE_DIVIDE_BY_MAXIMUM, .channel = -1},
};
static const vox_prepare_step fake_mm_steps[] = {
    {.kind = VOX_PREPARE_RESAMPLE_SPACING, .channel = -1, .value = {1, 1, 1}, .sampling = FAKE_LINEAR}};
static const vox_volume_info fake_mm_volume = {.axes = "xyz",
                                               .border = VOX_BORDER_MIRROR,
                                               .n_steps = 1,
                                               .steps = fake_mm_steps,
                                               .rule = VOX_THRESHOLD,
                                               .restore = FAKE_LINEAR,
                                               .level = 0.5};
static const vox_volume_info fake_box_volume = {
    .axes = "zyx", .border = VOX_BORDER_MIRROR, .restore = FAKE_LINEAR};
static const vox_volume_info fake_same_volume = {.axes = "xyz",
                                                 .n_steps = 2,
                                                 .steps = fake_same_steps,
                                                 .rule = VOX_THRESHOLD,
                                                 .restore = FAKE_LINEAR,
                                                 .level = 0.5};
static const vox_volume_info fake_rgb_volume = {
    .axes = "zyx", .border = VOX_BORDER_MIRROR, .restore = FAKE_LINEAR};

#define FAKE_COMMON                                                                                          \
    .abi = 1, .voxc_version = "0.0", .graph_hash = "0123abcd", .options = "--model-name fake",               \
    .arena_bytes = 4096, .prepared_bytes = FAKE_WEIGHTS, .weights_bytes = FAKE_WEIGHTS, .align = 64,         \
    .selftest_bytes = 8192, .n_inputs = 1, .n_outputs = 1, .prepare = fake_prepare, .isa = fake_isa,         \
    .steps = fake_schedule

static const vox_model_info fake_models[] = {
    {FAKE_COMMON, .name = "fake_box", .parameters = 12, .macs = 27250, .inputs = &fake_box_in,
     .outputs = &fake_box_out, .n_layers = 2, .n_steps = 2, .layers = fake_box_layers, .n_labels = 2,
     .labels = fake_labels, .volume = &fake_box_volume, .run = fake_box_run, .selftest = fake_selftest_ok},
    {FAKE_COMMON, .name = "fake_same", .inputs = &fake_same_port, .outputs = &fake_same_port, .n_layers = 1,
     .n_steps = 1, .layers = fake_same_layers, .volume = &fake_same_volume, .run = fake_same_run,
     .selftest = fake_selftest_bad},
    {FAKE_COMMON, .name = "fake_rgb", .inputs = &fake_rgb_port, .outputs = &fake_rgb_port, .n_layers = 1,
     .n_steps = 1, .layers = fake_rgb_layers, .n_labels = 3, .labels = fake_labels,
     .volume = &fake_rgb_volume, .run = fake_rgb_run, .selftest = fake_selftest_ok},
    {FAKE_COMMON, .name = "fake_mm", .inputs = &fake_mm_port, .outputs = &fake_mm_port, .n_layers = 1,
     .n_steps = 1, .layers = fake_mm_layers, .volume = &fake_mm_volume, .run = fake_mm_run,
     .selftest = fake_selftest_ok},
};

static const vox_model_info *fake_model(const char *name) {
    for (size_t i = 0; i < sizeof fake_models / sizeof *fake_models; i++) {
        if (strcmp(fake_models[i].name, name) == 0) return &fake_models[i];
    }
    return NULL;
}

#endif
