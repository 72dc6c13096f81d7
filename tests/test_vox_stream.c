/* test_vox_stream.c: a volume that is read in slabs against the same volume in memory: the same scores and labels, bit
 * for bit, and as much memory as the planes that are held at a time. */
#include "test.h"

#include "fake_model.h"
#include "vox_load.h"
#include "vox_volume.h"

enum { STEPS = 5, MOST = 24, CHANNELS = 3 };

static uint64_t state = 1;

static int below(int n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)((state >> 33) % (uint64_t)n);
}

/* A case: a network of three channels that gives its input, and a volume for it. */
typedef struct setting {
    vox_model_info model;
    vox_volume_info info;
    vox_prepare_step steps[STEPS];
    vox_volume volume, slabs;
    void *data;
    int reads, fail_at;
    size_t most_read; /* voxels at a time */
} setting;

static const char *const axes[] = {"xyz", "xzy", "yxz", "yzx", "zxy", "zyx"};

static void make_volume(setting *t) {
    static const vox_voxel_type types[] = {VOX_VOXEL_U8, VOX_VOXEL_I16, VOX_VOXEL_F32, VOX_VOXEL_F64,
                                           VOX_VOXEL_U16};
    static const int orders[3][3] = {{0, 1, 2}, {1, 2, 0}, {2, 1, 0}};
    vox_volume *v = &t->volume;
    *v = (vox_volume){.type = types[below(5)], .channels = CHANNELS, .slope = 1, .spacing = {1, 1.3, 2.1}};
    if (below(3) == 0) v->slope = 0.37, v->intercept = -3;
    for (int a = 0; a < 3; a++) v->dim[a] = 1 + below(MOST);
    const int *order = orders[below(3)];
    for (int a = 0; a < 3; a++) v->direction[order[a]][a] = below(2) ? 1 : -1;
    size_t each = vox_voxel_bytes(v->type), n = (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
    v->stride[0] = (ptrdiff_t)each;
    v->stride[1] = v->stride[0] * v->dim[0];
    v->stride[2] = v->stride[1] * v->dim[1];
    v->channel = v->stride[2] * v->dim[2];
    t->data = malloc(n * CHANNELS * each);
    assert_non_null(t->data);
    for (size_t i = 0; i < n * CHANNELS; i++) {
        int x = below(3) == 0 ? 0 : below(200);
        if (v->type == VOX_VOXEL_U8) ((uint8_t *)t->data)[i] = (uint8_t)x;
        if (v->type == VOX_VOXEL_I16) ((int16_t *)t->data)[i] = (int16_t)(x - 60);
        if (v->type == VOX_VOXEL_U16) ((uint16_t *)t->data)[i] = (uint16_t)(x * 300);
        if (v->type == VOX_VOXEL_F32) ((float *)t->data)[i] = (float)x / 7;
        if (v->type == VOX_VOXEL_F64) ((double *)t->data)[i] = x / 7.0 + 1e-9;
    }
    v->data = t->data;
}

static vox_prepare_step random_step(void) {
    static const vox_prepare_kind kinds[] = {VOX_PREPARE_RESAMPLE_SHAPE,
                                             VOX_PREPARE_RESAMPLE_SPACING,
                                             VOX_PREPARE_CROP_OR_PAD,
                                             VOX_PREPARE_CLIP,
                                             VOX_PREPARE_MIN_MAX,
                                             VOX_PREPARE_Z_SCORE,
                                             VOX_PREPARE_CT,
                                             VOX_PREPARE_SCALE,
                                             VOX_PREPARE_Z_SCORE,
                                             VOX_PREPARE_Z_SCORE_ABOVE_MEAN,
                                             VOX_PREPARE_Z_SCORE_NONZERO,
                                             VOX_PREPARE_DIVIDE_BY_MAXIMUM};
    static const vox_alignment aligns[] = {VOX_CORNERS, VOX_EDGES, VOX_SPACING, VOX_FIRST};
    vox_prepare_step s = {
        .kind = kinds[below(sizeof kinds / sizeof *kinds)], .channel = below(4) - 1, .floor = 1e-8};
    s.sampling = (vox_resampling){.order = below(3) ? VOX_LINEAR : VOX_NEAREST,
                                  .across = below(2) ? VOX_LINEAR : VOX_NEAREST,
                                  .align = aligns[below(4)],
                                  .anisotropy = below(2) ? 1.5 : 0};
    for (int a = 0; a < 3; a++) s.value[a] = 1 + below(MOST);
    if (s.kind == VOX_PREPARE_RESAMPLE_SPACING) {
        for (int a = 0; a < 3; a++) s.value[a] = 0.7 + 0.1 * below(20);
    }
    if (s.kind == VOX_PREPARE_CLIP) s.value[0] = 3, s.value[1] = 90;
    if (s.kind == VOX_PREPARE_CT) s.value[0] = -5, s.value[1] = 150, s.value[2] = 33.3, s.value[3] = 17;
    if (s.kind == VOX_PREPARE_SCALE) s.value[0] = 1.7, s.value[1] = -0.3;
    return s;
}

static vox_status read_slab(void *user, int channel, const int begin[3], const int end[3], void *to) {
    setting *t = user;
    const vox_volume *v = &t->volume;
    size_t each = vox_voxel_bytes(v->type), n = 0;
    char *at = to;
    if (++t->reads == t->fail_at) return VOX_E_CUDA;
    for (int a = 0; a < 3; a++) assert_true(begin[a] >= 0 && begin[a] < end[a] && end[a] <= v->dim[a]);
    for (int k = begin[2]; k < end[2]; k++) {
        for (int j = begin[1]; j < end[1]; j++) {
            size_t row = (size_t)(end[0] - begin[0]);
            memcpy(at,
                   (const char *)v->data + channel * v->channel + k * v->stride[2] + j * v->stride[1] +
                       begin[0] * v->stride[0],
                   row * each);
            at += row * each;
            n += row;
        }
    }
    t->most_read = n > t->most_read ? n : t->most_read;
    return VOX_OK;
}

static void make_setting(setting *t) {
    *t = (setting){.model = *fake_model("fake_rgb")};
    t->info = (vox_volume_info){.axes = axes[below(6)],
                                .orientation = below(2) ? "LPS" : NULL,
                                .n_steps = below(STEPS + 1),
                                .steps = t->steps,
                                .border = below(2) ? VOX_BORDER_MIRROR : VOX_BORDER_ZERO,
                                .overlap = below(2) ? 0.5 : 0,
                                .window = VOX_WINDOW_GAUSSIAN,
                                .mirror_axes = below(3) == 0 ? below(8) : 0,
                                .skip_empty = below(2),
                                .half = below(2),
                                .placement = below(2) ? VOX_EVENLY : VOX_LAST_INWARDS,
                                .restore = {.order = VOX_LINEAR, .align = VOX_EDGES}};
    for (int i = 0; i < t->info.n_steps; i++) t->steps[i] = random_step();
    t->model.volume = &t->info;
    make_volume(t);
    t->slabs = t->volume;
    t->slabs.data = NULL;
    t->slabs.read = read_slab;
    t->slabs.user = t;
}

/* ---- what comes out -------------------------------------------------------------------------- */

/* All scores and labels, in the volume's order. */
typedef struct outcome {
    const vox_volume *v;
    int axis, plane_bytes, planes;
    bool reversed;
    float *scores;
    unsigned char *labels, *plane;
    size_t n;
} outcome;

static size_t index_of(const vox_volume *v, const int at[3]) {
    return (size_t)at[0] + (size_t)v->dim[0] * ((size_t)at[1] + (size_t)v->dim[1] * (size_t)at[2]);
}

static void take_scores(void *user, int class, const int at[3], const int step[3], const float *values,
                        int n) {
    outcome *o = user;
    for (int i = 0; i < n; i++) {
        const int here[3] = {at[0] + i * step[0], at[1] + i * step[1], at[2] + i * step[2]};
        o->scores[(size_t) class * o->n + index_of(o->v, here)] = values[i];
    }
}

/* The plane of labels that stands where the one before stood. */
static void take_plane(void *user, int begin, int end) {
    outcome *o = user;
    const vox_volume *v = o->v;
    assert_int_equal(end, begin + 1);
    int at[3], d = o->reversed ? v->dim[o->axis] - end : begin;
    const unsigned char *from = o->plane;
    o->planes++;
    for (at[2] = 0; at[2] < v->dim[2]; at[2]++) {
        for (at[1] = 0; at[1] < v->dim[1]; at[1]++) {
            for (at[0] = 0; at[0] < v->dim[0]; at[0]++) {
                if (at[o->axis] == d) o->labels[index_of(v, at)] = *from++;
            }
        }
    }
}

static vox_status segment(setting *t, const vox_volume *v, outcome *o, vox_segment_result *result,
                          const int planes[2]) {
    vox_segment_options options = {.result = result, .scores = take_scores, .user = o};
    vox_segment_outline outline;
    if (planes != NULL) {
        options.set = VOX_SET_PLANES;
        memcpy(options.planes, planes, sizeof options.planes);
    }
    *o = (outcome){.v = v, .n = (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2]};
    vox_status status = vox_segment_plan(&t->model, v, &options, &outline);
    if (status != VOX_OK) return status;
    o->axis = outline.source[t->info.axes[0] - 'x'];
    o->reversed = outline.reversed[t->info.axes[0] - 'x'] != 0;
    o->scores = calloc(o->n * CHANNELS, sizeof *o->scores);
    o->labels = calloc(o->n, 1);
    o->plane = malloc(o->n);
    void *arena = aligned_alloc(64, (outline.bytes + 63) / 64 * 64);
    assert_true(o->scores != NULL && o->labels != NULL && o->plane != NULL && arena != NULL);
    memset(arena, 0xa5, outline.bytes);
    options.arena = arena;
    options.arena_bytes = outline.bytes;
    vox_labels to = {
        .data = o->labels, .type = VOX_VOXEL_U8, .stride = {1, v->dim[0], (ptrdiff_t)v->dim[0] * v->dim[1]}};
    if (v->data == NULL) {
        ptrdiff_t stride = 1;
        to.data = o->plane;
        for (int a = 0; a < 3; a++) {
            to.stride[a] = a == o->axis ? 0 : stride;
            if (a != o->axis) stride *= v->dim[a];
        }
        options.finished = take_plane;
    }
    char prepared[FAKE_WEIGHTS] = "w";
    status = vox_segment(&t->model, prepared, v, &to, &options, NULL);
    free(arena);
    return status;
}

static void drop(outcome *o) {
    free(o->scores);
    free(o->labels);
    free(o->plane);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void as_in_memory(void **unused) {
    (void)unused;
    int done = 0, failed = 0, parts = 0;
    for (int i = 0; i < 1500; i++) {
        setting t;
        outcome a, b;
        vox_segment_result of_a = {0}, of_b = {0};
        state = (uint64_t)i * 77 + 5;
        make_setting(&t);
        int n = t.volume.dim[0] * t.volume.dim[1] * t.volume.dim[2];
        vox_status in_memory = segment(&t, &t.volume, &a, &of_a, NULL);
        vox_status in_slabs = segment(&t, &t.slabs, &b, &of_b, NULL);
        if (in_memory != in_slabs) fail_msg("case %d: %d in memory, %d in slabs", i, in_memory, in_slabs);
        failed += in_memory != VOX_OK;
        if (in_memory == VOX_OK) {
            done++;
            assert_memory_equal(a.scores, b.scores, (size_t)n * CHANNELS * sizeof(float));
            assert_memory_equal(a.labels, b.labels, (size_t)n);
            assert_int_equal(of_a.runs, of_b.runs);
            assert_int_equal(b.planes, t.volume.dim[b.axis]);
        } else {
            assert_int_equal(of_a.step, of_b.step);
            assert_int_equal(of_a.channel, of_b.channel);
        }
        if (in_memory == VOX_OK && t.volume.dim[b.axis] > 2) {
            outcome c;
            int planes[2] = {1 + below(t.volume.dim[b.axis] - 1), t.volume.dim[b.axis]};
            assert_int_equal(segment(&t, &t.slabs, &c, &of_b, planes), VOX_OK);
            for (int v = 0; v < n; v++) {
                int stride = b.axis == 0   ? 1
                             : b.axis == 1 ? t.volume.dim[0]
                                           : t.volume.dim[0] * t.volume.dim[1];
                int at = v / stride % t.volume.dim[b.axis];
                if (b.reversed) at = t.volume.dim[b.axis] - 1 - at;
                if (at >= planes[0]) assert_int_equal(c.labels[v], a.labels[v]);
            }
            parts++;
            drop(&c);
        }
        drop(&a);
        drop(&b);
        free(t.data);
    }
    print_message("%d cases, %d of them in part; %d refused by both\n", done, parts, failed);
    assert_true(done > 1000);
}

static void steps_that_need_all_of_it(void **unused) {
    (void)unused;
    static const vox_prepare_step steps[] = {
        {.kind = VOX_PREPARE_SMOOTH, .channel = -1, .value = {1}},
        {.kind = VOX_PREPARE_CLIP_PERCENTILES, .channel = -1, .value = {1, 99}},
        {.kind = VOX_PREPARE_CROP_NONZERO, .channel = -1},
        {.kind = VOX_PREPARE_RESAMPLE_SHAPE, .value = {9, 9, 9}, .sampling = {.order = VOX_CUBIC}},
        {.kind = VOX_PREPARE_RESAMPLE_SHAPE,
         .value = {2, 2, 2},
         .sampling = {.order = VOX_LINEAR, .antialias = 1}},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        setting t;
        state = 3;
        make_setting(&t);
        t.steps[0] = steps[i];
        t.info.n_steps = 1;
        for (int a = 0; a < 3; a++) t.volume.dim[a] = t.slabs.dim[a] = 7;
        vox_segment_outline outline;
        assert_int_equal(vox_segment_plan(&t.model, &t.slabs, NULL, &outline), VOX_E_STREAM);
        assert_int_equal(vox_segment_bytes(&t.model, &t.slabs, NULL), 0);
        assert_int_equal(vox_segment_plan(&t.model, &t.volume, NULL, &outline), VOX_OK);
        free(t.data);
    }
}

/* Numbers that float32 has not: the same counts, the same first place. */
static void lost_voxels(void **unused) {
    (void)unused;
    for (int i = 0; i < 60; i++) {
        setting t;
        outcome a, b;
        vox_segment_result of_a = {0}, of_b = {0};
        state = (uint64_t)i * 991 + 7;
        do {
            make_setting(&t);
            if (t.volume.type != VOX_VOXEL_F64) free(t.data);
        } while (t.volume.type != VOX_VOXEL_F64);
        static const double lost[] = {NAN, 1e300, 1e-300, -INFINITY};
        int n = t.volume.dim[0] * t.volume.dim[1] * t.volume.dim[2] * CHANNELS;
        for (int k = 0; k < 5; k++) ((double *)t.data)[below(n)] = lost[below(4)];
        vox_status in_memory = segment(&t, &t.volume, &a, &of_a, NULL);
        assert_int_equal(segment(&t, &t.slabs, &b, &of_b, NULL), in_memory);
        assert_int_equal(of_a.not_finite, of_b.not_finite);
        assert_int_equal(of_a.too_large, of_b.too_large);
        assert_int_equal(of_a.too_small, of_b.too_small);
        assert_int_equal(of_a.first_lost, of_b.first_lost);
        drop(&a);
        drop(&b);
        free(t.data);
    }
}

static void reading_that_fails_ends_the_call(void **unused) {
    (void)unused;
    setting t;
    outcome o;
    vox_segment_result result;
    state = 12;
    make_setting(&t);
    assert_int_equal(segment(&t, &t.slabs, &o, &result, NULL), VOX_OK);
    drop(&o);
    for (int reads = t.reads, i = 1; i <= reads; i++) {
        t.reads = 0;
        t.fail_at = i;
        assert_int_equal(segment(&t, &t.slabs, &o, &result, NULL), VOX_E_CUDA);
        drop(&o);
    }
    free(t.data);
}

/* A volume that no memory holds: planned, not run. */
static void memory_goes_with_the_planes(void **unused) {
    (void)unused;
    setting t;
    static const vox_prepare_step step = {.kind = VOX_PREPARE_Z_SCORE, .channel = -1};
    state = 12;
    make_setting(&t);
    t.info = (vox_volume_info){
        .axes = "zyx", .n_steps = 1, .steps = &step, .border = VOX_BORDER_MIRROR, .overlap = 0.5};
    t.slabs.dim[0] = t.slabs.dim[1] = 2048;
    t.slabs.dim[2] = 4096;
    const size_t plane = (size_t)2048 * 2048, bytes = vox_segment_bytes(&t.model, &t.slabs, NULL);
    /* 4 planes of 3 channels, 5 of 3 classes and their weights, the slab of 4 planes, as floats and as read; and some
     * bytes a voxel of 5 planes for where classes are sure. */
    const size_t floats =
        plane * (4 * 3 + 5 * 4 + 4) * sizeof(float) + plane * 4 * vox_voxel_bytes(t.slabs.type);
    assert_true(bytes > floats && bytes < floats + 5 * 4 * plane + ((size_t)16 << 20));
    free(t.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_in_memory),
        cmocka_unit_test(steps_that_need_all_of_it),
        cmocka_unit_test(lost_voxels),
        cmocka_unit_test(reading_that_fails_ends_the_call),
        cmocka_unit_test(memory_goes_with_the_planes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
