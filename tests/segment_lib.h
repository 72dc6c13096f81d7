/* segment_lib.h: networks by hand, and runs of vox_segment over them, for the tests of runtime/volume.
 *
 * The fake model's prepared weights are a struct net, which says what the network computes; every voxel's scores are
 * the same sums in the same order wherever its tile lies. The arena is exactly what vox_segment_bytes says: what
 * follows it is watched, by AddressSanitizer or by a pattern.
 */
#ifndef VOXC_SEGMENT_LIB_H
#define VOXC_SEGMENT_LIB_H

#include "test.h"
#include "vox_half.h"
#include "vox_volume.h"

/* ---- networks -------------------------------------------------------------------------------- */

/* POINT: class c scores -(x - centre)^2 of its own voxel. PADDED: of a 3x3x3 sum, 0 outside of the tile, lopsided.
 * POOLED: of the largest of a block of `phase` voxels, counted from the tile's first, and a box around. LABELS: the
 * voxel's value itself as int64. */
typedef enum net_kind { NET_POINT, NET_PADDED, NET_POOLED, NET_LABELS } net_kind;

typedef struct net {
    net_kind kind;
    int channels, classes, in[3], out[3], phase;
    float bias; /* tells folds apart */
    vox_status status;
} net;

static TEST_UNUSED size_t count3(const int dim[3]) {
    return (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
}

static TEST_UNUSED float net_voxel(const net *n, const float *x, int d, int h, int w) {
    if (d < 0 || h < 0 || w < 0 || d >= n->in[0] || h >= n->in[1] || w >= n->in[2]) return 0;
    return x[((size_t)d * (size_t)n->in[1] + (size_t)h) * (size_t)n->in[2] + (size_t)w];
}

static TEST_UNUSED float net_around(const net *n, const float *x, int d, int h, int w) {
    float sum = 0;
    for (int a = -1; a <= 1; a++) {
        for (int b = -1; b <= 1; b++) {
            for (int c = -1; c <= 1; c++)
                sum += (float)(5 + a + 2 * b - c) * 0.01f * net_voxel(n, x, d + a, h + b, w + c);
        }
    }
    return sum;
}

static TEST_UNUSED float net_pooled(const net *n, const float *x, int d, int h, int w) {
    const int p = n->phase, at[3] = {d / p * p, h / p * p, w / p * p};
    float most = -INFINITY;
    for (int a = 0; a < p; a++) {
        for (int b = 0; b < p; b++) {
            for (int c = 0; c < p; c++) most = fmaxf(most, net_voxel(n, x, at[0] + a, at[1] + b, at[2] + c));
        }
    }
    return most + 0.25f * net_around(n, x, d, h, w);
}

static TEST_UNUSED float net_value(const net *n, const float *input, int d, int h, int w) {
    float sum = n->bias;
    for (int c = 0; c < n->channels; c++) {
        const float *x = input + (size_t)c * count3(n->in);
        float value = n->kind == NET_PADDED   ? net_around(n, x, d, h, w)
                      : n->kind == NET_POOLED ? net_pooled(n, x, d, h, w)
                                              : net_voxel(n, x, d, h, w);
        sum += c % 2 == 0 ? value : -value;
    }
    return sum;
}

/* One class: the value itself. */
static TEST_UNUSED float net_score(const net *n, int class, float value) {
    float off = value - (float)class;
    return n->classes == 1 ? value : -off * off;
}

static TEST_UNUSED void net_run(const net *n, const float *input, float *scores) {
    size_t i = 0, voxels = count3(n->out);
    for (int d = 0; d < n->out[0]; d++) {
        for (int h = 0; h < n->out[1]; h++) {
            for (int w = 0; w < n->out[2]; w++, i++) {
                float value = net_value(n, input, d + (n->in[0] - n->out[0]) / 2,
                                        h + (n->in[1] - n->out[1]) / 2, w + (n->in[2] - n->out[2]) / 2);
                for (int c = 0; c < n->classes; c++) scores[(size_t)c * voxels + i] = net_score(n, c, value);
            }
        }
    }
}

static TEST_UNUSED vox_status fake_run(const void *prepared, const void *const *inputs, void *const *outputs,
                                       void *arena, size_t arena_bytes, const vox_executor *e) {
    const net *n = prepared;
    memset(arena, 0x5a, arena_bytes);
    if (e->cancelled != NULL && e->cancelled(e->user) != 0) return VOX_E_CANCELLED;
    if (n->status != VOX_OK) return n->status;
    if (n->kind == NET_LABELS) {
        int64_t *y = outputs[0];
        for (size_t i = 0; i < count3(n->out); i++) y[i] = (int64_t)((const float *)inputs[0])[i];
    } else {
        net_run(n, inputs[0], outputs[0]);
    }
    if (e->progress != NULL) e->progress(e->user, 1, 1);
    return VOX_OK;
}

/* ---- a case ---------------------------------------------------------------------------------- */

/* What is run; a test fills it, and changes what it likes. */
typedef struct scene {
    net net;
    vox_port in, out;
    vox_volume_info info;
    vox_model_info model;
    vox_volume volume;
    vox_labels labels;
    vox_segment_options options;
    vox_segment_result result;
    bool without_section;
} scene;

/* A network of one channel, tiles of one size, an isotropic volume of floats that is stored i fastest, and u8 labels. */
static TEST_UNUSED void scene_of(scene *s, const net *n, const float *voxels, const int dim[3],
                                 unsigned char *labels) {
    *s = (scene){.net = *n};
    s->in = (vox_port){"image", VOX_F32, 5, {1, n->channels, n->in[0], n->in[1], n->in[2]}};
    s->out = (vox_port){"scores", VOX_F32, 5, {1, n->classes, n->out[0], n->out[1], n->out[2]}};
    if (n->kind == NET_LABELS)
        s->out = (vox_port){"labels", VOX_I64, 4, {1, n->out[0], n->out[1], n->out[2]}};
    s->info = (vox_volume_info){.axes = "zyx",
                                .border = VOX_BORDER_ZERO,
                                .restore = {.order = VOX_LINEAR, .across = VOX_LINEAR, .align = VOX_EDGES}};
    s->model = (vox_model_info){
        .abi = 1, .name = "fake", .arena_bytes = 192, .n_inputs = 1, .n_outputs = 1, .run = fake_run};
    const ptrdiff_t row = dim[0], plane = row * dim[1];
    s->volume = (vox_volume){.data = voxels,
                             .type = VOX_VOXEL_F32,
                             .channels = n->channels,
                             .dim = {dim[0], dim[1], dim[2]},
                             .stride = {4, 4 * row, 4 * plane},
                             .channel = 4 * plane * dim[2],
                             .slope = 1,
                             .spacing = {1, 1, 1},
                             .direction = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
    s->labels = (vox_labels){labels, VOX_VOXEL_U8, {1, row, plane}};
}

/* Pointers into the scene itself, which may have been copied. */
static TEST_UNUSED const vox_model_info *scene_model(scene *s) {
    s->model.inputs = &s->in;
    s->model.outputs = &s->out;
    s->model.volume = s->without_section ? NULL : &s->info;
    s->options.result = &s->result;
    return &s->model;
}

#if defined(__SANITIZE_ADDRESS__)
enum { WATCHED = 0 };
#else
enum { WATCHED = 256 };
#endif

static TEST_UNUSED vox_status scene_run(scene *s, const vox_executor *e) {
    const vox_model_info *m = scene_model(s);
    size_t bytes = vox_segment_bytes(m, &s->volume, &s->options);
    if (bytes == 0) return vox_segment_plan(m, &s->volume, &s->options, &(vox_segment_outline){0});
    unsigned char *arena = aligned_alloc(64, bytes + WATCHED);
    if (arena == NULL) abort();
    memset(arena, 0xc3, bytes + WATCHED); /* NaN, and labels of no class, where nothing was written */
    vox_segment_options o = s->options;
    o.arena = arena;
    o.arena_bytes = bytes;
    vox_status status = vox_segment(m, &s->net, &s->volume, &s->labels, &o, e);
    for (size_t i = bytes; i < bytes + WATCHED; i++) {
        if (arena[i] != 0xc3)
            fail_msg("the arena's %zu bytes were not enough: byte %zu was written", bytes, i);
    }
    free(arena);
    return status;
}

/* ---- executors and volumes ------------------------------------------------------------------- */

static TEST_UNUSED void run_backwards(void *pool, int tasks, vox_task_fn *fn, void *argument) {
    (void)pool;
    for (int i = tasks; i-- > 0;) fn(argument, i);
}

/* Something like a head: nested balls off the centre, about 0 to `most`, with some noise; 0 outside. x fastest. */
static TEST_UNUSED float head_at(const int dim[3], int x, int y, int z, float most) {
    const int at[3] = {x, y, z};
    double square = 0;
    for (int a = 0; a < 3; a++) {
        double off = (at[a] + 0.5) / dim[a] - 0.47 - 0.02 * a;
        square += off * off;
    }
    if (square > 0.19) return 0;
    uint64_t seed = (uint64_t)(x + 1000 * y + 1000000 * z);
    return most * (float)(1 - 2 * square) * (0.8f + 0.2f * (float)(test_random_bits(&seed) % 1000) / 1000);
}

static TEST_UNUSED float *head_of(const int dim[3], float most) {
    float *x = malloc(count3(dim) * sizeof *x);
    if (x == NULL) abort();
    for (int k = 0, i = 0; k < dim[2]; k++) {
        for (int j = 0; j < dim[1]; j++) {
            for (int l = 0; l < dim[0]; l++) x[i++] = head_at(dim, l, j, k, most);
        }
    }
    return x;
}

#endif
