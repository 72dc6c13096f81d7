/* test_vox_segment_wrong.c: what vox_segment refuses, and with which status. */
#include "segment_lib.h"

static const int all_of[3] = {6, 6, 6};
static const net same = {.kind = NET_POINT, .channels = 1, .classes = 4, .in = {6, 6, 6}, .out = {6, 6, 6}};
static float six[216];
static unsigned char six_labels[216];
static const int *six_region = (const int[]){1, 2, 3, 300};
static net broken = {
    .kind = NET_POINT, .channels = 1, .classes = 4, .in = {6, 6, 6}, .out = {6, 6, 6}, .status = VOX_E_CUDA};
static const vox_prepare_step
    spaced[] = {{VOX_PREPARE_RESAMPLE_SPACING, -1, {1, 1, 1}, 0, {0}}},
    tiny[] = {{VOX_PREPARE_RESAMPLE_SPACING, -1, {1e-9, 1, 1}, 0, {0}}},
    shaped[] = {{VOX_PREPARE_RESAMPLE_SHAPE, -1, {6, 6, 6}, 0, {.align = VOX_SPACING}}},
    scored[] = {{VOX_PREPARE_CLIP, -1, {0, 1}, 0, {0}}, {VOX_PREPARE_Z_SCORE, 0, {0}, 0, {0}}};

/* Each makes one thing wrong. */
static void no_section(scene *s) {
    s->without_section = true;
}
static void two_inputs(scene *s) {
    s->model.n_inputs = 2;
}
static void flat_output(scene *s) {
    s->out.rank = 3;
}
static void odd_output(scene *s) {
    s->out.dtype = VOX_U8;
}
static void axes_twice(scene *s) {
    s->info.axes = "xyx";
}
static void threshold_of_four(scene *s) {
    s->info.rule = VOX_THRESHOLD;
}
static void regions_of_three(scene *s) {
    s->info.rule = VOX_REGIONS;
    s->info.n_regions = 3;
    s->info.region_label = six_region;
}
static void two_channels(scene *s) {
    s->volume.channels = 2;
}
static void no_voxels(scene *s) {
    s->volume.dim[1] = 0;
}
static void no_data(scene *s) {
    s->volume.data = NULL;
}
static void no_type(scene *s) {
    s->volume.type = VOX_VOXEL_TYPES;
}
static void no_labels(scene *s) {
    s->labels.data = NULL;
}
static void float_labels(scene *s) {
    s->labels.type = VOX_VOXEL_F32;
}
static void overlap_of_one(scene *s) {
    s->options.set = VOX_SET_OVERLAP;
    s->options.overlap = 1;
}
static void overlap_near_one(scene *s) {
    s->volume.dim[0] = 4;
    s->in.dim[2] = s->out.dim[2] = 2;
    s->info.overlap = 1 - 1e-12;
    s->info.axes = "zyx";
}
static void no_level(scene *s) {
    s->options.set = VOX_SET_LEVEL;
    s->options.level = NAN;
}
static void fourth_axis(scene *s) {
    s->options.set = VOX_SET_MIRROR_AXES;
    s->options.mirror_axes = 8;
}
static void planes_behind(scene *s) {
    s->options.set = VOX_SET_PLANES;
    s->options.planes[1] = 7;
}
static void planes_turned(scene *s) {
    s->options.set = VOX_SET_PLANES;
    s->options.planes[0] = 3;
    s->options.planes[1] = 2;
}
static void folds_missing(scene *s) {
    s->options.n_folds = 1;
}
static void fold_missing(scene *s) {
    static const void *const none[1];
    s->options.n_folds = 1;
    s->options.folds = none;
}
static void too_many_folds(scene *s) {
    static const void *const none[1];
    s->options.n_folds = INT32_MAX - 1;
    s->options.folds = none;
    s->info.mirror_axes = 7;
}
static void not_a_code(scene *s) {
    s->info.orientation = "RAX";
}
static void no_direction(scene *s) {
    s->info.orientation = "RAS";
    memset(s->volume.direction, 0, sizeof s->volume.direction);
}
static void half_a_direction(scene *s) {
    s->info.orientation = "RAS";
    s->volume.direction[2][2] = 0;
}
static void no_spacing(scene *s) {
    s->info.steps = spaced;
    s->info.n_steps = 1;
    s->volume.spacing[2] = 0;
}
static void no_spacing_to_keep(scene *s) {
    s->info.steps = shaped;
    s->info.n_steps = 1;
    s->volume.spacing[2] = 0;
}
static void too_fine(scene *s) {
    s->info.steps = tiny;
    s->info.n_steps = 1;
}
static void too_long(scene *s) {
    for (int a = 0; a < 3; a++) s->volume.dim[a] = INT32_MAX;
}
static void too_many_scores(scene *s) {
    for (int a = 0; a < 3; a++) {
        s->volume.dim[a] = 1 << 18;
        s->in.dim[2 + a] = s->out.dim[2 + a] = 1 << 10;
    }
    s->out.dim[1] = 1 << 20;
}
static void one_tile(scene *s) {
    s->info.border = VOX_BORDER_NONE;
    s->in.dim[2] = s->out.dim[2] = 5;
}
static void larger_output(scene *s) {
    s->out.dim[3] = 8;
}
static void uneven_margin(scene *s) {
    s->out.dim[3] = 5;
}
static void not_finite(scene *s) {
    six[7] = NAN;
    (void)s;
}
static void too_large(scene *s) {
    s->volume.slope = 1e300;
    six[8] = 1;
}
static void equal(scene *s) {
    s->info.steps = scored;
    s->info.n_steps = 2;
}
static void scores_not_finite(scene *s) {
    six[9] = 3e38f;
    (void)s;
}
static void label_of_300(scene *s) {
    s->info.rule = VOX_REGIONS;
    s->info.n_regions = 4;
    s->info.region_label = six_region;
    s->info.level = -1e9;
}
static void run_fails(scene *s) {
    s->net = broken;
}
static void overlapping_labels(scene *s) {
    s->out = (vox_port){"labels", VOX_I64, 4, {1, 6, 6, 6}};
    s->info.overlap = 0.5;
}

static const struct {
    const char *name;
    void (*change)(scene *s);
    vox_status status;
} wrongs[] = {
#define W(f, status)                                                                                         \
    { #f, f, status }
    W(no_section, VOX_E_NETWORK),
    W(two_inputs, VOX_E_NETWORK),
    W(flat_output, VOX_E_NETWORK),
    W(odd_output, VOX_E_NETWORK),
    W(axes_twice, VOX_E_NETWORK),
    W(threshold_of_four, VOX_E_NETWORK),
    W(regions_of_three, VOX_E_NETWORK),
    W(overlapping_labels, VOX_E_NETWORK),
    W(two_channels, VOX_E_CHANNELS),
    W(no_voxels, VOX_E_ARGUMENT),
    W(no_data, VOX_E_ARGUMENT),
    W(no_type, VOX_E_ARGUMENT),
    W(no_labels, VOX_E_ARGUMENT),
    W(float_labels, VOX_E_ARGUMENT),
    W(overlap_of_one, VOX_E_ARGUMENT),
    W(overlap_near_one, VOX_E_SIZE),
    W(no_level, VOX_E_ARGUMENT),
    W(fourth_axis, VOX_E_ARGUMENT),
    W(planes_behind, VOX_E_ARGUMENT),
    W(planes_turned, VOX_E_ARGUMENT),
    W(folds_missing, VOX_E_ARGUMENT),
    W(fold_missing, VOX_E_ARGUMENT),
    W(too_many_folds, VOX_E_SIZE),
    W(not_a_code, VOX_E_ORIENTATION),
    W(no_direction, VOX_E_ORIENTATION),
    W(half_a_direction, VOX_E_ORIENTATION),
    W(no_spacing, VOX_E_SPACING),
    W(no_spacing_to_keep, VOX_E_SPACING),
    W(too_fine, VOX_E_SIZE),
    W(too_long, VOX_E_SIZE),
    W(too_many_scores, VOX_E_SIZE),
    W(one_tile, VOX_E_TILE),
    W(larger_output, VOX_E_TILE),
    W(uneven_margin, VOX_E_TILE),
    W(not_finite, VOX_E_VOXELS),
    W(too_large, VOX_E_VOXELS),
    W(equal, VOX_E_EQUAL),
    W(scores_not_finite, VOX_E_SCORES),
    W(label_of_300, VOX_E_LABELS),
    W(run_fails, VOX_E_CUDA),
#undef W
};

static void each_wrong_has_its_status(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        memset(six, 0, sizeof six);
        scene s;
        scene_of(&s, &same, six, all_of, six_labels);
        assert_int_equal(scene_run(&s, NULL), VOX_OK);
        wrongs[i].change(&s);
        vox_status status = scene_run(&s, NULL);
        if (status != wrongs[i].status) fail_msg("%s: %s", wrongs[i].name, vox_status_text(status));
        if (status == VOX_E_EQUAL) {
            assert_int_equal(s.result.step, 1);
            assert_int_equal(s.result.channel, 0);
        }
        if (wrongs[i].change == not_finite) {
            assert_int_equal(s.result.not_finite, 1);
            assert_int_equal(s.result.first_lost, 7);
        }
    }
}

static void arenas_that_do_not_do(void **state) {
    (void)state;
    memset(six, 0, sizeof six);
    scene s;
    scene_of(&s, &same, six, all_of, six_labels);
    const vox_model_info *m = scene_model(&s);
    size_t bytes = vox_segment_bytes(m, &s.volume, NULL);
    char *arena = aligned_alloc(64, bytes + 64);
    vox_segment_options o = {.arena = arena, .arena_bytes = bytes};
    assert_int_equal(vox_segment(m, &s.net, &s.volume, &s.labels, &o, NULL), VOX_OK);
    o.arena_bytes--;
    assert_int_equal(vox_segment(m, &s.net, &s.volume, &s.labels, &o, NULL), VOX_E_ARENA_SIZE);
    o.arena_bytes++;
    o.arena = arena + 32;
    assert_int_equal(vox_segment(m, &s.net, &s.volume, &s.labels, &o, NULL), VOX_E_ARENA_ALIGN);
    o.arena = NULL;
    assert_int_equal(vox_segment(m, &s.net, &s.volume, &s.labels, &o, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_segment(m, &s.net, &s.volume, &s.labels, NULL, NULL), VOX_E_ARGUMENT);
    o.arena = arena;
    assert_int_equal(vox_segment(NULL, &s.net, &s.volume, &s.labels, &o, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_segment(m, NULL, &s.volume, &s.labels, &o, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_segment(m, &s.net, NULL, &s.labels, &o, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_segment(m, &s.net, &s.volume, NULL, &o, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_segment_plan(m, &s.volume, NULL, NULL), VOX_E_ARGUMENT);
    free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wrong_has_its_status),
        cmocka_unit_test(arenas_that_do_not_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
