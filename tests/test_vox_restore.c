/* test_vox_restore.c: volumes that are cropped, padded and resampled on their way to the network, and the way back: scores and
 * labels of a known shape come back on the volume's own grid. */
#include "segment_lib.h"

static int within(uint64_t *seed, int low, int high) {
    return low + (int)(test_random_bits(seed) % (unsigned)(high - low + 1));
}

static const net identity = {
    .kind = NET_POINT, .channels = 1, .classes = 1, .in = {7, 8, 9}, .out = {7, 8, 9}};

/* The one step, resampling alike on the way back. */
static vox_prepare_step resample_to(vox_prepare_kind kind, const double value[3], vox_resampling how) {
    vox_prepare_step s = {.kind = kind, .channel = -1, .sampling = how};
    memcpy(s.value, value, 3 * sizeof *value);
    return s;
}

/* ---- cropping -------------------------------------------------------------------------------- */

static vox_prepare_step random_resampling(uint64_t *seed, const int dim[3]) {
    vox_resampling how = {.order = (vox_interpolation)within(seed, 0, 2),
                          .across = (vox_interpolation)within(seed, 0, 1),
                          .align = (vox_alignment)within(seed, 0, 3),
                          .anisotropy = within(seed, 0, 1) * 3.0,
                          .antialias = within(seed, 0, 1)};
    double value[3];
    bool same = within(seed, 0, 2) == 0, of_size = within(seed, 0, 1);
    for (int a = 0; a < 3; a++)
        value[a] = of_size ? 0.4 + within(seed, 0, 20) * 0.1 : same ? dim[a] : within(seed, 1, 24);
    return resample_to(of_size ? VOX_PREPARE_RESAMPLE_SPACING : VOX_PREPARE_RESAMPLE_SHAPE, value, how);
}

/* A box of numbers in a volume of 0; the box's every face holds some. */
static float *boxed(const int dim[3], const int low[3], const int high[3], uint64_t seed) {
    float *x = calloc(count3(dim), sizeof *x);
    if (x == NULL) abort();
    for (int k = low[2]; k < high[2]; k++) {
        for (int j = low[1]; j < high[1]; j++) {
            for (int i = low[0]; i < high[0]; i++)
                x[((size_t)k * (size_t)dim[1] + (size_t)j) * (size_t)dim[0] + (size_t)i] =
                    3 + test_random(&seed);
        }
    }
    return x;
}

/* crop_to_nonzero, then anything, is the same as anything on a volume that was cropped by hand. */
static void cropping_is_what_cropping_by_hand_is(void **state) {
    (void)state;
    for (int i = 0; i < 1500; i++) {
        uint64_t seed = (uint64_t)i;
        int dim[3], low[3], high[3], box[3];
        for (int a = 0; a < 3; a++) {
            dim[a] = within(&seed, 1, 16);
            low[a] = within(&seed, 0, dim[a] - 1);
            high[a] = within(&seed, low[a] + 1, dim[a]);
            box[a] = high[a] - low[a];
        }
        float *voxels = boxed(dim, low, high, seed);
        unsigned char *cropped = malloc(count3(dim)), *by_hand = calloc(1, count3(dim));
        vox_prepare_step step[5] = {{.kind = VOX_PREPARE_CROP_NONZERO}};
        int n = 1;
        if (within(&seed, 0, 1))
            step[n++] = (vox_prepare_step){.kind = VOX_PREPARE_Z_SCORE, .channel = -1, .floor = 1};
        step[n++] = random_resampling(&seed, dim);
        if (within(&seed, 0, 2) == 0)
            step[n++] =
                (vox_prepare_step){.kind = VOX_PREPARE_CROP_OR_PAD, .channel = -1, .value = {9, 9, 9}};
        for (int hand = 0; hand < 2; hand++) {
            scene s;
            net five = {.kind = NET_PADDED, .channels = 1, .classes = 5, .in = {7, 8, 9}, .out = {7, 8, 9}};
            scene_of(&s, &five, voxels, dim, hand ? by_hand : cropped);
            s.info.steps = step + hand;
            s.info.n_steps = n - hand;
            s.info.restore = step[n - 1].sampling;
            if (s.info.restore.order == VOX_CUBIC) s.info.restore.order = VOX_LINEAR;
            s.volume.spacing[2] = 4;
            if (hand) {
                for (int a = 0; a < 3; a++) {
                    s.volume.dim[a] = box[a];
                    s.volume.data = (const char *)s.volume.data + low[a] * s.volume.stride[a];
                    s.labels.data = (char *)s.labels.data + low[a] * s.labels.stride[a];
                }
            }
            vox_status status = scene_run(&s, NULL);
            if (status != VOX_OK) fail_msg("case %d: %s", i, vox_status_text(status));
        }
        if (memcmp(cropped, by_hand, count3(dim)) != 0) fail_msg("case %d differs", i);
        free(voxels), free(cropped), free(by_hand);
    }
}

/* Without a voxel that is not 0, nothing is cropped. */
static void nothing_is_cropped_from_nothing(void **state) {
    (void)state;
    static const vox_prepare_step step = {.kind = VOX_PREPARE_CROP_NONZERO};
    const int dim[3] = {5, 6, 7};
    float voxels[210] = {0};
    unsigned char labels[210];
    net two = {.kind = NET_POINT, .channels = 1, .classes = 2, .in = {7, 8, 9}, .out = {7, 8, 9}, .bias = 1};
    scene s;
    scene_of(&s, &two, voxels, dim, labels);
    s.info.steps = &step;
    s.info.n_steps = 1;
    assert_int_equal(scene_run(&s, NULL), VOX_OK);
    for (int i = 0; i < 210; i++) assert_int_equal(labels[i], 1);
}

/* ---- the way back ---------------------------------------------------------------------------- */

typedef struct kept {
    const int *dim;
    float *score;
} kept;

static void keep_scores(void *user, int class, const int at[3], const int step[3], const float *values,
                        int n) {
    const kept *k = user;
    (void)class;
    for (int i = 0; i < n; i++) {
        const int *dim = k->dim;
        k->score[((at[2] + i * step[2]) * dim[1] + at[1] + i * step[1]) * dim[0] + at[0] + i * step[0]] =
            values[i];
    }
}

/* Scores on the volume's grid, which a network gives that returns what it gets; malloc'd. */
static float *scores_of(scene *s) {
    float *score = malloc(count3(s->volume.dim) * sizeof *score);
    kept k = {s->volume.dim, score};
    s->labels.data = malloc(count3(s->volume.dim));
    s->options.scores = keep_scores;
    s->options.user = &k;
    assert_int_equal(scene_run(s, NULL), VOX_OK);
    free(s->labels.data);
    return score;
}

/* Linear interpolation there and back keeps a ramp, wherever the grids lie: but for voxels near the faces, whose values
 * go on beyond them. */
static void a_ramp_comes_back_as_it_was(void **state) {
    (void)state;
    const int dim[3] = {24, 20, 22};
    float *ramp = malloc(count3(dim) * sizeof *ramp);
    for (int k = 0, i = 0; k < dim[2]; k++) {
        for (int j = 0; j < dim[1]; j++) {
            for (int l = 0; l < dim[0]; l++) ramp[i++] = (float)(100 + 3 * l - 2 * j + 5 * k);
        }
    }
    for (int i = 0; i < 200; i++) {
        uint64_t seed = (uint64_t)i;
        vox_resampling how = {.order = VOX_LINEAR, .across = VOX_LINEAR, .align = (vox_alignment)(i % 4)};
        double value[3], pad[4] = {0};
        bool of_size = i / 4 % 2 == 0;
        for (int a = 0; a < 3; a++) {
            value[a] = of_size ? 0.5 + within(&seed, 0, 15) * 0.1 : within(&seed, 12, 40);
            pad[a] = within(&seed, 16, 40);
        }
        vox_prepare_step resample = resample_to(
                             of_size ? VOX_PREPARE_RESAMPLE_SPACING : VOX_PREPARE_RESAMPLE_SHAPE, value, how),
                         crop = {.kind = VOX_PREPARE_CROP_OR_PAD, .channel = -1};
        memcpy(crop.value, pad, sizeof pad);
        vox_prepare_step step[2] = {resample, crop};
        if (i / 8 % 2 == 0) step[0] = crop, step[1] = resample;
        scene s;
        scene_of(&s, &identity, ramp, dim, NULL);
        s.info.steps = step;
        s.info.n_steps = i / 16 % 3 == 0 ? 1 : 2;
        s.info.restore = how;
        s.info.rule = VOX_THRESHOLD;
        s.info.orientation = i % 3 == 0 ? "LPS" : NULL;
        float *score = scores_of(&s);
        int held = 0;
        for (int v = 0; v < (int)count3(dim); v++) {
            const int at[3] = {v % dim[0], v / dim[0] % dim[1], v / (dim[0] * dim[1])};
            bool inner = true;
            for (int a = 0; a < 3; a++) {
                /* cropped voxels are gone; two voxels of the coarser grid at the faces of what is left */
                int margin = 5;
                if (s.info.n_steps == 2) margin = dim[a] > 16 ? 10 : 8;
                inner &= at[a] >= margin && at[a] < dim[a] - margin;
            }
            if (!inner) continue;
            held++;
            if (fabsf(score[v] - ramp[v]) > 1e-3f && !(s.info.n_steps == 2 && score[v] == 0))
                fail_msg("case %d: voxel %d is %g, not %g", i, v, (double)score[v], (double)ramp[v]);
        }
        if (s.info.n_steps == 1) assert_true(held > 500);
        free(score);
    }
    free(ramp);
}

/* Twice as many voxels and back with the nearest is nothing at all; a network's labels take that way whatever the
 * description says. */
static void the_nearest_there_and_back_is_nothing(void **state) {
    (void)state;
    const int dim[3] = {5, 7, 6};
    static const net labels_net = {
        .kind = NET_LABELS, .channels = 1, .classes = 1, .in = {7, 8, 9}, .out = {7, 8, 9}};
    float voxels[210];
    unsigned char labels[210];
    for (int i = 0; i < 210; i++) voxels[i] = (float)(i * 37 % 251);
    const double shape[3] = {10, 21, 6};
    vox_prepare_step step = resample_to(VOX_PREPARE_RESAMPLE_SHAPE, shape,
                                        (vox_resampling){.order = VOX_NEAREST, .align = VOX_EDGES});
    scene s;
    scene_of(&s, &labels_net, voxels, dim, labels);
    s.info.steps = &step;
    s.info.n_steps = 1;
    s.info.orientation = "LAI";
    assert_int_equal(scene_run(&s, NULL), VOX_OK);
    for (int i = 0; i < 210; i++) assert_int_equal(labels[i], (int)voxels[i]);
    scene_of(&s, &identity, voxels, dim, labels);
    s.info.steps = &step;
    s.info.n_steps = 1;
    s.info.restore.order = VOX_NEAREST;
    float *score = scores_of(&s);
    assert_memory_equal(score, voxels, sizeof voxels);
    free(score);
}

/* Thick slices: the nearest slice across, lines within. A grid that has as many voxels as the volume, but is not the
 * volume's, is interpolated as well. */
static void thick_slices_are_taken_as_they_are(void **state) {
    (void)state;
    const int dim[3] = {12, 12, 6};
    float voxels[864];
    for (int i = 0; i < 864; i++) voxels[i] = (float)(i / 144 * 100 + i % 12);
    const double size[3] = {0.75, 1.5, 2};
    vox_resampling how = {.order = VOX_LINEAR, .across = VOX_NEAREST, .align = VOX_EDGES, .anisotropy = 3};
    vox_prepare_step step = resample_to(VOX_PREPARE_RESAMPLE_SPACING, size, how);
    scene s;
    scene_of(&s, &identity, voxels, dim, NULL);
    s.volume.spacing[2] = 5;
    s.info.steps = &step;
    s.info.n_steps = 1;
    s.info.restore = how;
    float *score = scores_of(&s);
    for (int i = 0; i < 864; i++) {
        if (i % 12 < 2 || i % 12 > 9) continue;
        assert_true(fabsf(score[i] - voxels[i]) < 1e-3f);
    }
    free(score);
    step.sampling.across = s.info.restore.across = VOX_LINEAR;
    step.sampling.align = VOX_EDGES;
    score = scores_of(&s);
    assert_true(fabsf(score[144 * 5 + 5] - voxels[144 * 5 + 5]) >
                1); /* the last slice goes on beyond its centre */
    free(score);
}

static void as_many_voxels_elsewhere_are_interpolated(void **state) {
    (void)state;
    const int dim[3] = {20, 1, 1};
    float voxels[20] = {0};
    for (int i = 5; i < 15; i++) voxels[i] = (float)i;
    const double shape[3] = {20, 1, 1}; /* of the 10 that are left */
    vox_resampling how = {.order = VOX_LINEAR, .align = VOX_CORNERS};
    vox_prepare_step step[2] = {{.kind = VOX_PREPARE_CROP_NONZERO},
                                resample_to(VOX_PREPARE_RESAMPLE_SHAPE, shape, how)};
    scene s;
    scene_of(&s, &identity, voxels, dim, NULL);
    s.info.steps = step;
    s.info.n_steps = 2;
    s.info.restore = how;
    float *score = scores_of(&s);
    for (int i = 0; i < 20; i++) assert_true(fabsf(score[i] - voxels[i]) < 1e-5f);
    free(score);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cropping_is_what_cropping_by_hand_is),
        cmocka_unit_test(nothing_is_cropped_from_nothing),
        cmocka_unit_test(a_ramp_comes_back_as_it_was),
        cmocka_unit_test(the_nearest_there_and_back_is_nothing),
        cmocka_unit_test(thick_slices_are_taken_as_they_are),
        cmocka_unit_test(as_many_voxels_elsewhere_are_interpolated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
