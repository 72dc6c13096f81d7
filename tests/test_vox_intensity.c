/* Loading, masks and intensities of volumes. Figures are of NumPy 2.4.6, SciPy 1.17.1, nnU-Net 2.8.1 and MONAI 1.6.1, as
 * tests/volumes/intensity_peers.py compares with them on random volumes. */
#include "test.h"
#include "vox_intensity.h"
#include "vox_load.h"
#include "vox_smooth.h"

/* ---- volumes and executors ------------------------------------------------------------------- */

enum { NX = 7, NY = 6, NZ = 5, N = NX * NY * NZ };
static const int small[3] = {NX, NY, NZ};

/* What the figures are of: whole numbers from -20 to 80, a fifth of them 0. */
static float value_at(int i) {
    return i % 5 == 0 ? 0.0f : (float)(i * 37 % 101 - 20);
}
static float *values(void) {
    static float x[N];
    for (int i = 0; i < N; i++) x[i] = value_at(i);
    return x;
}

static void backwards(void *pool, int tasks, vox_task_fn *fn, void *argument) {
    (void)pool;
    for (int i = tasks; i-- > 0;) fn(argument, i);
}

static void *memory(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (p == NULL) abort();
    return p;
}

/* Values 1, 17, 101 and 209, within `ulps` of float32. */
static void are(const float *x, const float expected[4], int ulps) {
    static const int at[4] = {1, 17, 101, 209};
    for (int k = 0; k < 4; k++) {
        const float off = fabsf(x[at[k]] - expected[k]);
        if (!(off <= (float)ulps * 0x1p-23f * fabsf(expected[k])))
            fail_msg("value %d is %a, not %a", at[k], (double)x[at[k]], (double)expected[k]);
    }
}
#define ARE(x, ulps, ...) are(x, (const float[]){__VA_ARGS__}, ulps)

/* ---- statistics ------------------------------------------------------------------------------ */

static void statistics_are_numpys(void **state) {
    (void)state;
    const float *x = values();
    const vox_statistics all = vox_measure(x, N, &(vox_selection){.which = VOX_COUNT_ALL}, NULL);
    const vox_selection above = {.which = VOX_COUNT_ABOVE, .above = all.mean};
    const vox_statistics of[3] = {all, vox_measure(x, N, &above, NULL),
                                  vox_measure(x, N, &(vox_selection){.which = VOX_COUNT_NONZERO}, NULL)};
    static const vox_statistics figure[3] = {{210, -20, 80, 0x1.70af8af8af8bp+4, 0x1.c6a32b7289da4p+4},
                                             {91, 24, 80, 0x1.9f08708708708p+5, 0x1.f6b9be9efa9c5p+3},
                                             {165, -20, 80, 0x1.d53c8253c8254p+4, 0x1.d0a23e2be5d42p+4}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(of[i].count, figure[i].count);
        assert_true(of[i].minimum == figure[i].minimum && of[i].maximum == figure[i].maximum);
        assert_true(fabs(of[i].mean - figure[i].mean) <= 1e-14 * figure[i].mean);
        assert_true(fabs(of[i].deviation - figure[i].deviation) <= 1e-14 * figure[i].deviation);
    }
}

/* A large mean beside a small deviation: sums of squares in double would leave nothing of it. */
static void a_small_deviation_beside_a_large_mean_is_kept(void **state) {
    (void)state;
    enum { MANY = 300000 };
    float *x = memory(MANY * sizeof *x);
    for (int i = 0; i < MANY; i++) x[i] = 1e9f + (float)(64 * (i % 2));
    const vox_statistics s = vox_measure(x, MANY, &(vox_selection){.which = VOX_COUNT_ALL}, NULL);
    assert_true(s.mean == 1e9 + 32 && fabs(s.deviation - 32) < 1e-9);
    free(x);
}

static void deviations_between_blocks_count(void **state) {
    (void)state;
    enum { MANY = 300000 };
    float *x = memory(MANY * sizeof *x);
    for (int i = 0; i < MANY; i++) x[i] = i < MANY / 3 ? 0.0f : 10.0f;
    const vox_statistics s = vox_measure(x, MANY, &(vox_selection){.which = VOX_COUNT_ALL}, NULL);
    assert_true(fabs(s.mean - 20.0 / 3) < 1e-12 && fabs(s.deviation - 10 * sqrt(2) / 3) < 1e-12);
    free(x);
}

static void percentiles_are_numpys(void **state) {
    (void)state;
    static const double percent[4][2] = {{0.5, 99.5}, {2, 98}, {25, 75}, {0, 100}};
    static const double figure[4][2] = {{-0x1.3f47ae147ae14p+4, 0x1.3bd1eb851eb86p+6},
                                        {-0x1.2p+4, 0x1.2f47ae147ae14p+6},
                                        {0, 0x1.86p+5},
                                        {-20, 80}};
    void *scratch = memory(VOX_PERCENTILES_BYTES);
    double value[2];
    for (int i = 0; i < 4; i++) {
        vox_percentiles(values(), N, percent[i], value, scratch, NULL);
        assert_true(value[0] == figure[i][0] && value[1] == figure[i][1]);
    }
    const float one = -3.5f;
    vox_percentiles(&one, 1, percent[0], value, scratch, NULL);
    assert_true(value[0] == -3.5 && value[1] == -3.5);
    free(scratch);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static void z_scores_are_numpys(void **state) {
    (void)state;
    float *x = values();
    assert_int_equal(vox_z_score(x, N, 0, NULL), VOX_OK);
    ARE(x, 0, -0x1.b38ap-3f, -0x1.6925b8p-1f, -0x1.83ca14p+0f, 0x1.f6fb1p-2f);
    x = values();
    assert_int_equal(vox_z_score_above_mean(x, N, 0, NULL), VOX_OK);
    ARE(x, 0, -0x1.1c2e4p+1f, -0x1.8e3f32p+1f, -0x1.24d218p+2f, -0x1.e4ea6ap-1f);
    x = values();
    assert_int_equal(vox_z_score_nonzero(x, N, 0, VOX_REST_TOO, NULL), VOX_OK);
    ARE(x, 0, -0x1.b2afcp-2f, -0x1.d02db4p-1f, -0x1.b2d8c8p+0f, 0x1.0e8e9ep-2f);
    assert_true(x[5] < 0);
    x = values(); /* MONAI's NormalizeIntensity(nonzero=True), which sums in float32 */
    assert_int_equal(vox_z_score_nonzero(x, N, 0, VOX_REST_STAYS, NULL), VOX_OK);
    ARE(x, 4, -0x1.b2afcp-2f, -0x1.d02db4p-1f, -0x1.b2d8c8p+0f, 0x1.0e8eap-2f);
    assert_true(x[5] == 0);
}

static void ranges_are_nnunets_and_monais(void **state) {
    (void)state;
    double factor, summand;
    float *x = values(); /* RescaleTo01Normalization */
    assert_int_equal(vox_min_max(x, N, 1e-8, NULL), VOX_OK);
    ARE(x, 0, 0x1.7ae148p-2f, 0x1.d70a3ep-3f, 0, 0x1.23d70ap-1f);
    vox_scale(x, N, 3, -1, NULL); /* ScaleIntensity(-1, 2) */
    ARE(x, 4, 0x1.c28f6p-4f, -0x1.3d70a4p-2f, -1, 0x1.6b852p-1f);
    x = values();
    assert_int_equal(vox_divide_by_maximum(x, N, NULL), VOX_OK);
    ARE(x, 0, 0x1.b33334p-3f, 0x1.333334p-5f, -0.25f, 0x1.d9999ap-2f);
    x = values(); /* CTNormalization */
    vox_ct(x, N, (const double[]){-12.3, 61.9, 30.7, 19.13}, NULL);
    ARE(x, 0, -0x1.6eab92p-1f, -0x1.72af5p+0f, -0x1.1fb734p+1f, 0x1.513abep-2f);
    x = values();
    vox_scale(x, N, 0.37, -4, NULL);
    ARE(x, 0, 0x1.251eb8p+1f, -0x1.71eb86p+1f, -0x1.6cccccp+3f, 0x1.36147ap+3f);
    x = values(); /* ScaleIntensityRange(-10, 50, -1, 1) */
    vox_scale_range((const double[]){-10, 50}, (const double[]){-1, 1}, &factor, &summand);
    vox_scale(x, N, factor, summand, NULL);
    ARE(x, 8, -0x1.9999ap-4f, -0x1.222222p-1f, -0x1.555556p+0f, 0x1.222224p-1f);
    vox_clip(x, N, -1, 1, NULL);
    ARE(x, 8, -0x1.9999ap-4f, -0x1.222222p-1f, -1, 0x1.222224p-1f);
    x = values();
    void *scratch = memory(VOX_PERCENTILES_BYTES);
    vox_clip_percentiles(x, N, (const double[]){2, 98}, scratch, NULL);
    ARE(x, 0, 17, 3, -18, 37);
    free(scratch);
}

static void equal_values_are_an_error_without_a_floor(void **state) {
    (void)state;
    float x[5] = {7, 7, 7, 7, 7};
    assert_int_equal(vox_z_score(x, 5, 0, NULL), VOX_E_EQUAL);
    assert_int_equal(vox_z_score_above_mean(x, 5, 0, NULL), VOX_E_EQUAL);
    assert_int_equal(vox_z_score_nonzero(x, 5, 0, VOX_REST_TOO, NULL), VOX_E_EQUAL);
    assert_int_equal(vox_min_max(x, 5, 0, NULL), VOX_E_EQUAL);
    for (int i = 0; i < 5; i++) assert_true(x[i] == 7);
    assert_int_equal(vox_z_score_above_mean(x, 5, 1e-8, NULL), VOX_OK);
    for (int i = 0; i < 5; i++) assert_true(x[i] == 0);
    assert_int_equal(vox_z_score_nonzero(x, 5, 0, VOX_REST_TOO, NULL), VOX_E_EQUAL); /* none that count */
    assert_int_equal(vox_z_score_nonzero(x, 5, 1e-8, VOX_REST_TOO, NULL), VOX_OK);
    assert_int_equal(vox_divide_by_maximum(x, 5, NULL), VOX_E_MAXIMUM);
    x[0] = -1;
    assert_int_equal(vox_min_max(x, 5, 4, NULL), VOX_OK); /* the range is 1, the floor 4 */
    assert_true(x[0] == 0 && x[1] == 0.25f);
    float wide[2] = {-3e38f, 3e38f}; /* their difference is beyond float32 */
    assert_int_equal(vox_min_max(wide, 2, 0, NULL), VOX_OK);
    assert_true(wide[0] == 0 && wide[1] == 1);
}

static void smoothing_is_scipys(void **state) {
    (void)state;
    static const double sigma[2] = {0.6, 1.5};
    static const float figure[2][4] = {{0x1.bf5c92p+4f, 0x1.45204p+4f, 0x1.036fdp+3f, 0x1.53238ap+4f},
                                       {0x1.96693p+4f, 0x1.62e10cp+4f, 0x1.5cfd1cp+4f, 0x1.205dc4p+4f}};
    for (int i = 0; i < 2; i++) {
        float *x = values();
        void *scratch = memory(vox_smooth_bytes(small, sigma[i]));
        vox_smooth(x, small, sigma[i], scratch, NULL);
        are(x, figure[i], 1);
        free(scratch);
    }
}

static void crop_or_pad_rounds_towards_the_begin(void **state) {
    (void)state;
    static const int new[3] = {4, 9, 5};
    float to[4 * 9 * 5];
    assert_int_equal(vox_crop_or_pad_shift(7, 4), -1);
    assert_int_equal(vox_crop_or_pad_shift(6, 9), 1);
    vox_crop_or_pad(values(), small, to, new, NULL);
    for (int i = 0; i < 4 * 9 * 5; i++) {
        const int x = i % 4 + 1, y = i / 4 % 9 - 1, z = i / 36;
        const float expected = y < 0 || y >= NY ? 0.0f : value_at((z * NY + y) * NX + x);
        assert_true(to[i] == expected);
    }
}

/* ---- masks ----------------------------------------------------------------------------------- */

static void holes_are_scipys(void **state) {
    (void)state;
    static const int dim[3] = {9, 6, 5};
    static const uint64_t figure[30] = {253, 503, 349, 503, 502, 475, 367, 495, 510, 255,
                                        511, 245, 223, 511, 511, 510, 510, 507, 494, 255,
                                        511, 511, 511, 223, 479, 373, 479, 382, 491, 446};
    float x[9 * 6 * 5];
    for (int k = 0; k < 9 * 6 * 5; k++) x[k] = (k * k * 7 + k * 3) % 11 < 6 || k * 5 % 7 < 3 ? -2.0f : 0.0f;
    const vox_volume v = vox_view_floats(x, dim, 1);
    const vox_mask m = vox_mask_in(memory(vox_mask_bytes(dim)), dim);
    void *scratch = memory(vox_mask_fill_bytes(dim));
    vox_mask_nonzero(&m, &v, NULL);
    vox_mask_fill_holes(&m, scratch);
    assert_memory_equal(m.bits, figure, sizeof figure);
    free(scratch);
    free(m.bits);
}

/* A box of walls from begin to end, over several words, with an opening in one place or none. */
static size_t holes_in(const int opening[3], const int begin[3], const int end[3]) {
    static const int dim[3] = {200, 9, 8};
    static uint8_t x[8][9][200];
    for (int i = 0; i < 200 * 9 * 8; i++) {
        const int at[3] = {i % 200, i / 200 % 9, i / 1800};
        bool in = true, wall = false;
        for (int a = 0; a < 3; a++) {
            in = in && at[a] >= begin[a] && at[a] < end[a];
            wall = wall || at[a] == begin[a] || at[a] == end[a] - 1;
        }
        x[at[2]][at[1]][at[0]] = in && wall;
    }
    if (opening != NULL) x[opening[2]][opening[1]][opening[0]] = 0;
    const vox_volume v = {.data = x,
                          .type = VOX_VOXEL_U8,
                          .channels = 1,
                          .dim = {200, 9, 8},
                          .stride = {1, 200, 1800},
                          .slope = 1};
    const vox_mask m = vox_mask_in(memory(vox_mask_bytes(dim)), dim);
    void *scratch = memory(vox_mask_fill_bytes(dim));
    size_t before = 0, after = 0;
    vox_mask_nonzero(&m, &v, NULL);
    for (size_t i = 0; i < 8 * 9 * m.row; i++) before += (size_t)__builtin_popcountll(m.bits[i]);
    vox_mask_fill_holes(&m, scratch);
    for (size_t i = 0; i < 8 * 9 * m.row; i++) after += (size_t)__builtin_popcountll(m.bits[i]);
    free(scratch);
    free(m.bits);
    return after - before;
}

static void an_opening_through_a_face_lets_the_outside_in(void **state) {
    (void)state;
    static const int begin[3] = {3, 2, 1}, end[3] = {197, 8, 7}, inner = 192 * 4 * 4;
    assert_int_equal(holes_in(NULL, begin, end), inner);
    assert_int_equal(holes_in((const int[]){100, 4, 1}, begin, end), 0);
    assert_int_equal(holes_in((const int[]){3, 4, 3}, begin, end), 0);
    assert_int_equal(holes_in((const int[]){196, 4, 3}, begin, end), 0);
    assert_int_equal(holes_in((const int[]){100, 7, 3}, begin, end), 0);
    assert_int_equal(holes_in((const int[]){100, 2, 1}, begin, end), inner); /* an edge: faces do not touch */
    assert_int_equal(holes_in((const int[]){3, 2, 1}, begin, end), inner);   /* a corner */
    assert_int_equal(holes_in(NULL, (const int[]){0, 0, 0}, (const int[]){200, 9, 8}), 198 * 7 * 6);
}

/* Two channels whose blobs together have a hole; nnU-Net's crop_to_nonzero and ZScoreNormalization. */
static void inside_is_nnunets(void **state) {
    (void)state;
    static const int boxed[3] = {5, 4, 3}, none[3] = {0, 0, 0};
    float x[2][NZ][NY][NX] = {{{{0}}}}, crop[3][4][5], whole[N];
    for (int i = 0; i < N; i++) {
        const int a = i % NX, b = i / NX % NY, c = i / NX / NY;
        if (a >= 2 && a < 6 && b >= 1 && b < 5 && c >= 1 && c < 4) x[0][c][b][a] = value_at(i);
    }
    x[1][2][2][1] = 3;
    x[0][2][3][3] = x[0][2][2][3] = 0;
    const vox_volume v = vox_view_floats(&x[0][0][0][0], small, 2);
    const vox_mask m = vox_mask_in(memory(vox_mask_bytes(small)), small);
    void *scratch = memory(vox_mask_fill_bytes(small));
    int begin[3], end[3];
    vox_mask_nonzero(&m, &v, NULL);
    vox_mask_fill_holes(&m, scratch);
    assert_true(vox_mask_box(&m, begin, end));
    assert_true(begin[0] == 1 && end[0] == 6 && begin[1] == 1 && end[1] == 5 && begin[2] == 1 && end[2] == 4);
    const vox_volume box = vox_view_box(&v, begin, end);
    vox_losses lost;
    vox_volume_load(&box, 0, &crop[0][0][0], &lost, NULL);
    const vox_selection inside = {
        .which = VOX_COUNT_INSIDE, .mask = &m, .dim = {5, 4, 3}, .begin = {1, 1, 1}};
    assert_int_equal(vox_measure(&crop[0][0][0], 60, &inside, NULL).count, 36);
    assert_int_equal(vox_z_score_inside(&crop[0][0][0], boxed, &m, begin, 1e-8, NULL), VOX_OK);
    assert_true(crop[0][0][1] == 0x1.866fa8p-1f && crop[1][2][2] == 0 && crop[1][1][0] == -0x1.04e4e4p+0f);
    assert_true(fabsf(crop[2][3][4] + 0x1.acb44p-1f) < 0x1p-22f); /* nnU-Net sums in float32 */
    memcpy(whole, x, sizeof whole); /* the same in the volume that is not cropped */
    assert_int_equal(vox_z_score_inside(whole, small, &m, none, 1e-8, NULL), VOX_OK);
    for (int i = 0; i < 60; i++) {
        const int at = ((i / 20 + 1) * NY + i / 5 % 4 + 1) * NX + i % 5 + 1;
        assert_true(whole[at] == crop[i / 20][i / 5 % 4][i % 5]);
    }
    memset(m.bits, 0, vox_mask_bytes(small));
    assert_false(vox_mask_box(&m, begin, end));
    assert_true(begin[1] == 0 && end[0] == NX && end[2] == NZ);
    free(scratch);
    free(m.bits);
}

/* What lies beside the mask's grid is not inside: a volume that was padded after its crop. */
static void voxels_beside_the_masks_grid_are_not_inside(void **state) {
    (void)state;
    static const int dim[3] = {3, 1, 1}, wide[3] = {70, 3, 3};
    uint64_t bits = 7;
    const vox_mask m = vox_mask_in(&bits, dim);
    float x[70 * 3 * 3];
    for (int i = 0; i < 630; i++) x[i] = (float)(i * i % 31 + 1);
    const int at = (1 * 3 + 1) * 70 + 2;
    x[at] = 2, x[at + 1] = 4, x[at + 2] = 6;
    assert_int_equal(vox_z_score_inside(x, wide, &m, (const int[]){-2, -1, -1}, 0, NULL), VOX_OK);
    for (int i = 0; i < 630; i++) {
        const double expected = i < at || i > at + 2 ? 0 : (i - at - 1) * 2 / sqrt(8.0 / 3);
        assert_true(fabs((double)x[i] - expected) < 1e-7);
    }
}

/* ---- loading --------------------------------------------------------------------------------- */

/* Voxel i of a type, as stored. */
static void store(void *data, vox_voxel_type type, int i, int value) {
    switch (type) {
    case VOX_VOXEL_U8:
        ((uint8_t *)data)[i] = (uint8_t)value;
        break;
    case VOX_VOXEL_I8:
        ((int8_t *)data)[i] = (int8_t)value;
        break;
    case VOX_VOXEL_U16:
        ((uint16_t *)data)[i] = (uint16_t)value;
        break;
    case VOX_VOXEL_I16:
        ((int16_t *)data)[i] = (int16_t)value;
        break;
    case VOX_VOXEL_U32:
        ((uint32_t *)data)[i] = (uint32_t)value;
        break;
    case VOX_VOXEL_I32:
        ((int32_t *)data)[i] = (int32_t)value;
        break;
    case VOX_VOXEL_F32:
        ((float *)data)[i] = (float)value;
        break;
    default:
        ((double *)data)[i] = (double)value;
    }
}
static bool is_signed(vox_voxel_type type) {
    return type != VOX_VOXEL_U8 && type != VOX_VOXEL_U16 && type != VOX_VOXEL_U32;
}
static int stored_at(vox_voxel_type type, int i) {
    return (i * 53 + 7) % 120 - (is_signed(type) ? 60 : 0);
}

/* Each type, in each of the 48 ways that axes can run, in several channels that lie between each other. */
static void every_type_and_orientation_is_loaded(void **state) {
    (void)state;
    static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    double data[2 * 3 * 4 * 2];
    for (int c = 0; c < VOX_VOXEL_TYPES * 48 * 2; c++) {
        const vox_voxel_type type = (vox_voxel_type)(c / 96);
        const int *source = order[c / 8 % 6], channel = c / 48 % 2;
        const bool reversed[3] = {c & 1, c & 2, c & 4};
        const ptrdiff_t bytes = (ptrdiff_t)vox_voxel_bytes(type);
        for (int i = 0; i < 48; i++) store(data, type, i, stored_at(type, i));
        const vox_volume v = {.data = data,
                              .type = type,
                              .channels = 2,
                              .dim = {2, 3, 4},
                              .stride = {2 * bytes, 4 * bytes, 12 * bytes},
                              .channel = bytes,
                              .slope = c % 3 == 0 ? 1 : 0.5,
                              .intercept = c % 3 == 0 ? 0 : 3};
        const vox_volume view = vox_view_axes(&v, source, reversed);
        float out[24];
        vox_losses lost;
        vox_volume_load(&view, channel, out, &lost, NULL);
        assert_int_equal(lost.not_finite.count + lost.too_large.count + lost.too_small.count, 0);
        for (int i = 0; i < 24; i++) {
            const int at[3] = {i % view.dim[0], i / view.dim[0] % view.dim[1], i / view.dim[0] / view.dim[1]};
            int ijk[3];
            for (int a = 0; a < 3; a++) ijk[source[a]] = reversed[a] ? view.dim[a] - 1 - at[a] : at[a];
            const int stored = stored_at(type, 2 * (ijk[0] + 2 * ijk[1] + 6 * ijk[2]) + channel);
            assert_true((double)out[i] == v.slope * stored + v.intercept);
        }
    }
}

/* Rows and columns longer than a tile, along each axis, against their strides and with them. */
static void tiles_meet(void **state) {
    (void)state;
    static const int dims[3][3] = {{1100, 5, 3}, {70, 130, 3}, {67, 3, 129}};
    int16_t *data = memory(1100 * 130 * 3 * sizeof *data);
    float *out = memory(1100 * 130 * 3 * sizeof *out);
    for (int c = 0; c < 18; c++) {
        const int *dim = dims[c / 6], fast = c % 3, next = (fast + 1) % 3, last = (fast + 2) % 3;
        ptrdiff_t stride[3];
        stride[fast] = 2, stride[next] = 2 * dim[fast], stride[last] = stride[next] * dim[next];
        vox_volume v = {.data = data, .type = VOX_VOXEL_I16, .channels = 1, .slope = 1};
        memcpy(v.dim, dim, sizeof v.dim);
        memcpy(v.stride, stride, sizeof v.stride);
        const int n = dim[0] * dim[1] * dim[2];
        for (int i = 0; i < n; i++) data[i] = (int16_t)(i * 7 % 30011);
        const bool reversed[3] = {c % 6 > 2, c % 6 == 4, c % 6 == 5};
        const vox_volume view = vox_view_axes(&v, (const int[]){0, 1, 2}, reversed);
        vox_losses lost;
        vox_volume_load(&view, 0, out, &lost, NULL);
        for (int i = 0; i < n; i++) {
            const int at[3] = {i % dim[0], i / dim[0] % dim[1], i / dim[0] / dim[1]};
            ptrdiff_t from = 0;
            for (int a = 0; a < 3; a++) from += (reversed[a] ? dim[a] - 1 - at[a] : at[a]) * stride[a] / 2;
            assert_true(out[i] == (float)data[from]);
        }
    }
    free(data);
    free(out);
}

static void what_float32_cannot_hold_is_counted(void **state) {
    (void)state;
    double d[12] = {1, 1e39, NAN, 1e-50, -INFINITY, -1e39, 5, 1e-40, -1e-60, INFINITY, 3e38, 0};
    float out[12];
    vox_losses lost;
    vox_volume v = {
        .data = d, .type = VOX_VOXEL_F64, .channels = 1, .dim = {3, 2, 2}, .stride = {8, 24, 48}, .slope = 1};
    vox_volume_load(&v, 0, out, &lost, NULL);
    assert_true(lost.not_finite.count == 3 && lost.not_finite.at == 2 && isnan(lost.not_finite.value));
    assert_true(lost.too_large.count == 2 && lost.too_large.at == 1 && lost.too_large.value == 1e39);
    assert_true(lost.too_small.count == 2 && lost.too_small.at == 3 && lost.too_small.value == 1e-50);
    for (int i = 0; i < 12; i++) {
        const bool kept = i == 0 || i == 6 || i == 7 || i == 10;
        assert_true(out[i] == (kept ? (float)d[i] : 0.0f));
    }
    const vox_volume turned = vox_view_axes(&v, (const int[]){2, 1, 0}, (const bool[]){0, 0, 1});
    vox_volume_load(&turned, 0, out, &lost, NULL); /* in the order of the view */
    assert_true(lost.not_finite.count == 3 && lost.not_finite.at == 0 && isnan(lost.not_finite.value));
    assert_true(lost.too_large.count == 2 && lost.too_large.at == 2 && lost.too_large.value == -1e39);
    uint8_t byte = 200; /* a slope can take whole numbers out of float32 too */
    v = (vox_volume){.data = &byte, .type = VOX_VOXEL_U8, .channels = 1, .dim = {1, 1, 1}, .slope = 1e37};
    vox_volume_load(&v, 0, out, &lost, NULL);
    assert_true(lost.too_large.count == 1 && lost.too_large.value == 200 * 1e37 && out[0] == 0);
    float f[2] = {1, NAN};
    v = vox_view_floats(f, (const int[]){2, 1, 1}, 1);
    vox_volume_load(&v, 0, out, &lost, NULL);
    assert_true(lost.not_finite.count == 1 && lost.not_finite.at == 1 && out[1] == 0);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* All steps on a volume of several blocks for every task; `to` receives what they give. */
static void everything(float *x, const int dim[3], const vox_executor *e, float *to) {
    const size_t n = (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
    void *scratch = memory(vox_smooth_bytes(dim, 1.3) + VOX_PERCENTILES_BYTES);
    const vox_mask m = vox_mask_in(memory(vox_mask_bytes(dim)), dim);
    const vox_volume v = vox_view_floats(x, dim, 1),
                     turned = vox_view_axes(&v, (const int[]){2, 0, 1}, (const bool[]){1, 0, 0});
    vox_losses lost;
    vox_mask_nonzero(&m, &v, e);
    vox_volume_load(&turned, 0, to, &lost, e);
    memcpy(x, to, n * sizeof *x);
    assert_int_equal(vox_z_score_inside(x, dim, &m, (const int[]){1, -1, 0}, 0, e), VOX_OK);
    memcpy(to, x, n * sizeof *x);
    vox_clip_percentiles(x, n, (const double[]){0.1, 99.3}, scratch, e);
    vox_smooth(x, dim, 1.3, scratch, e);
    assert_int_equal(vox_z_score_above_mean(x, n, 0, e), VOX_OK);
    memcpy(to + n, x, n * sizeof *x);
    free(scratch);
    free(m.bits);
}

static void results_do_not_depend_on_threads(void **state) {
    (void)state;
    static const int dim[3] = {131, 67, 61};
    enum { MANY = 131 * 67 * 61 };
    float *x = memory(MANY * sizeof *x), *first = memory(2 * MANY * sizeof *x),
          *to = memory(2 * MANY * sizeof *x);
    for (int run = 0; run < 4; run++) {
        vox_pool *pool = vox_pool_create(run + 1);
        const vox_executor one = {.parallel_for = backwards},
                           many = {.parallel_for = vox_pool_parallel_for, .pool = pool};
        test_fill(x, MANY, 9);
        for (int i = 0; i < MANY; i += 3) x[i] = 0;
        everything(x, dim, run == 0 ? NULL : run == 1 ? &one : &many, run == 0 ? first : to);
        if (run > 0) assert_memory_equal(first, to, 2 * MANY * sizeof *x);
        vox_pool_destroy(pool);
    }
    free(x);
    free(first);
    free(to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_numpys),
        cmocka_unit_test(a_small_deviation_beside_a_large_mean_is_kept),
        cmocka_unit_test(deviations_between_blocks_count),
        cmocka_unit_test(percentiles_are_numpys),
        cmocka_unit_test(z_scores_are_numpys),
        cmocka_unit_test(ranges_are_nnunets_and_monais),
        cmocka_unit_test(equal_values_are_an_error_without_a_floor),
        cmocka_unit_test(smoothing_is_scipys),
        cmocka_unit_test(crop_or_pad_rounds_towards_the_begin),
        cmocka_unit_test(holes_are_scipys),
        cmocka_unit_test(an_opening_through_a_face_lets_the_outside_in),
        cmocka_unit_test(inside_is_nnunets),
        cmocka_unit_test(voxels_beside_the_masks_grid_are_not_inside),
        cmocka_unit_test(every_type_and_orientation_is_loaded),
        cmocka_unit_test(tiles_meet),
        cmocka_unit_test(what_float32_cannot_hold_is_counted),
        cmocka_unit_test(results_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
