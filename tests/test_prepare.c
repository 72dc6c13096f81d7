/* test_prepare.c: the steps of a volume section, against numbers that scipy.ndimage 1.17 and numpy computed
 * from the volume v[x,y,z] = (7x + 13y + 29z) mod 31 - 5 of 5x4x6 voxels, and the way back to the file's
 * grid. */
#include "test.h"

#include "../runtime/program/holes.h"
#include "../runtime/program/prepare.h"
#include "../runtime/program/resample.h"
#include "../runtime/program/scores.h"

static vox_volume make(void) {
    vox_volume v = {.dim = {5, 4, 6}, .channels = 1, .spacing = {1, 2, 0.5}};
    v.data = malloc(vox_volume_voxels(&v) * sizeof *v.data);
    assert_non_null(v.data);
    float *p = v.data;
    for (int z = 0; z < 6; z++) {
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 5; x++) *p++ = (float)((7 * x + 13 * y + 29 * z) % 31 - 5);
        }
    }
    return v;
}

static double at(const vox_volume *v, int x, int y, int z) {
    return (double)v->data[((size_t)z * (size_t)v->dim[1] + (size_t)y) * (size_t)v->dim[0] + (size_t)x];
}

typedef struct expected {
    int x, y, z;
    double value;
} expected;

static void check(const char *what, const vox_volume *v, const expected *e, int n, double sum) {
    double total = 0;
    for (size_t i = 0; i < vox_volume_voxels(v); i++) total += (double)v->data[i];
    if (!(fabs(total - sum) <= 1e-4)) fail_msg("%s: sum %.9g, not %.9g", what, total, sum);
    for (int i = 0; i < n; i++) {
        double got = at(v, e[i].x, e[i].y, e[i].z);
        if (!(fabs(got - e[i].value) <= 2e-6 * (1 + fabs(e[i].value)))) {
            fail_msg("%s: voxel %d %d %d is %.9g, not %.9g", what, e[i].x, e[i].y, e[i].z, got, e[i].value);
        }
    }
}

static vox_volume prepared(vox_prepare_kind kind, double a, double b, double c, vox_grid *grid) {
    vox_volume v = make();
    vox_prepare_step step = {kind, -1, {a, b, c}, 0, {.order = VOX_LINEAR}};
    assert_int_equal(vox_prepare(&v, &step, 1, grid), 0);
    return v;
}

static void resample_to_shape_aligns_end_points(void **state) {
    (void)state;
    const expected e[] = {
        {0, 0, 0, -5}, {3, 1, 2, 6.33333333}, {5, 2, 1, 12.6666667}, {6, 2, 3, 21}, {1, 0, 3, 20.6666667}};
    vox_grid grid;
    vox_volume v = prepared(VOX_PREPARE_RESAMPLE_SHAPE, 7, 3, 4, &grid);
    assert_int_equal(v.dim[0] * 100 + v.dim[1] * 10 + v.dim[2], 734);
    check("resample_to_shape", &v, e, 5, 863.166667);
    assert_true(fabs(grid.scale[0] - 1.5) < 1e-12);
    assert_true(fabs(grid.scale[1] - 2.0 / 3) < 1e-12);
    assert_true(fabs(v.spacing[0] - 4.0 / 6) < 1e-12);
    free(v.data);
}

static void resample_to_spacing_rounds_the_shape(void **state) {
    (void)state;
    const expected e[] = {{0, 0, 0, -5}, {1, 5, 2, 22.4285714}, {2, 7, 1, 10.5}};
    vox_grid grid;
    vox_volume v = prepared(VOX_PREPARE_RESAMPLE_SPACING, 1.5, 1, 1, &grid);
    assert_int_equal(v.dim[0] * 100 + v.dim[1] * 10 + v.dim[2], 383);
    check("resample_to_spacing", &v, e, 3, 726.571429);
    free(v.data);
}

static void smooth_mirrors_edges(void **state) {
    (void)state;
    const expected wide[] = {{0, 0, 0, 8.54606054},
                             {2, 1, 3, 10.0660099},
                             {4, 3, 5, 12.0093287},
                             {1, 2, 0, 9.24692783},
                             {3, 0, 4, 9.90047111}};
    const expected narrow[] = {{0, 0, 0, 1.74324615}, {2, 1, 3, 11.7883943}, {4, 3, 5, 17.9066461}};
    vox_grid grid;
    vox_volume v = prepared(VOX_PREPARE_SMOOTH, 1.5, 0, 0, &grid);
    check("smooth 1.5", &v, wide, 5, 1208);
    free(v.data);
    v = prepared(VOX_PREPARE_SMOOTH, 0.6, 0, 0, &grid);
    check("smooth 0.6", &v, narrow, 3, 1208);
    free(v.data);
}

static void intensities(void **state) {
    (void)state;
    static const struct {
        vox_prepare_kind kind;
        double a, b, first, middle, sum; /* voxels 0 0 0 and 2 1 3 */
    } table[] = {
        {VOX_PREPARE_Z_SCORE, 0, 0, -1.66829426, 0.656983137, 0},
        {VOX_PREPARE_Z_SCORE_ABOVE_MEAN, 0, 0, -5.37738879, -0.482028973, -223.819486},
        {VOX_PREPARE_Z_SCORE_NONZERO, 0, 0, -1.7279306, 0.612480167, -5.8534497},
        {VOX_PREPARE_MIN_MAX, 0, 0, 0, 0.7, 60.2666667},
        {VOX_PREPARE_DIVIDE_BY_MAXIMUM, 0, 0, -0.2, 0.64, 48.32},
        {VOX_PREPARE_SCALE, 2, -3, -13, 29, 2056},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        vox_grid grid;
        vox_volume v = prepared(table[i].kind, table[i].a, table[i].b, 0, &grid);
        const expected e[] = {{0, 0, 0, table[i].first}, {2, 1, 3, table[i].middle}};
        check(vox_prepare_name(table[i].kind), &v, e, 2, table[i].sum);
        free(v.data);
    }
}

static void clip_limits_both_ends(void **state) {
    (void)state;
    vox_grid grid;
    vox_volume v = prepared(VOX_PREPARE_CLIP, -2, 10, 0, &grid);
    for (size_t i = 0; i < vox_volume_voxels(&v); i++) assert_true(v.data[i] >= -2 && v.data[i] <= 10);
    assert_true(at(&v, 0, 0, 0) == -2 && at(&v, 2, 1, 3) == 10);
    free(v.data);
}

static void crop_or_pad_is_centred(void **state) {
    (void)state;
    vox_grid grid;
    vox_volume v = prepared(VOX_PREPARE_CROP_OR_PAD, 8, 4, 3, &grid); /* pad 1 + 2, keep, crop 1 + 2 */
    assert_true(at(&v, 0, 1, 1) == 0 && at(&v, 6, 1, 1) == 0 && at(&v, 7, 3, 2) == 0);
    assert_true(at(&v, 1, 1, 1) == (13 + 58) % 31 - 5 && at(&v, 5, 3, 0) == (28 + 39 + 29) % 31 - 5);
    assert_true(grid.shift[0] == 1 && grid.shift[1] == 0 && grid.shift[2] == -1);
    free(v.data);
}

static void channels_are_prepared_alone(void **state) {
    (void)state;
    vox_volume v = {.dim = {2, 1, 1}, .channels = 2};
    const float values[] = {0, 2, 10, 30};
    vox_prepare_step step = {VOX_PREPARE_MIN_MAX, -1, {0}, 0, {.order = VOX_LINEAR}};
    vox_grid grid;
    v.data = malloc(sizeof values);
    memcpy(v.data, values, sizeof values);
    assert_int_equal(vox_prepare(&v, &step, 1, &grid), 0);
    assert_true(v.data[0] == 0 && v.data[1] == 1 && v.data[2] == 0 && v.data[3] == 1);
    free(v.data);
}

static void what_cannot_be_normalised_is_an_error(void **state) {
    (void)state;
    static const vox_prepare_kind kinds[] = {VOX_PREPARE_DIVIDE_BY_MAXIMUM, VOX_PREPARE_MIN_MAX,
                                             VOX_PREPARE_Z_SCORE, VOX_PREPARE_Z_SCORE_ABOVE_MEAN,
                                             VOX_PREPARE_Z_SCORE_NONZERO};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        vox_volume v = {.dim = {2, 2, 2}, .channels = 1};
        vox_prepare_step step = {kinds[i], -1, {0}, 0, {.order = VOX_LINEAR}};
        vox_grid grid;
        v.data = calloc(8, sizeof *v.data);
        assert_int_equal(vox_prepare(&v, &step, 1, &grid), 2);
        free(v.data);
    }
    vox_volume v = make(); /* the header gives no voxel size */
    vox_prepare_step step = {VOX_PREPARE_RESAMPLE_SPACING, -1, {1, 1, 1}, 0, {.order = VOX_LINEAR}};
    vox_grid grid;
    v.spacing[1] = 0;
    assert_int_equal(vox_prepare(&v, &step, 1, &grid), 2);
    free(v.data);
}

/* Scores that are a linear function of the prepared position come back as the same function of the file's. */
static void scores_return_to_the_files_grid(void **state) {
    (void)state;
    const vox_prepare_step steps[] = {{VOX_PREPARE_RESAMPLE_SHAPE, -1, {9, 7, 11}, 0, {.order = VOX_LINEAR}},
                                      {VOX_PREPARE_CROP_OR_PAD, -1, {12, 7, 7}, 0, {.order = VOX_LINEAR}}};
    vox_volume v = make();
    vox_grid grid;
    vox_scores s;
    uint16_t labels[5 * 4 * 6];
    const int dim[3] = {5, 4, 6};
    assert_int_equal(vox_prepare(&v, steps, 2, &grid), 0);
    assert_int_equal(vox_scores_new(&s, 3, v.dim, false), 0);
    /* Class 1 wins where file x > 1.7, class 2 nowhere. Prepared x = 2 * file x + 1. */
    for (size_t i = 0, n = vox_volume_voxels(&v); i < n; i++) {
        s.data[i] = (float)(2 * 1.7 + 1);
        s.data[n + i] = (float)(i % 12);
        s.data[2 * n + i] = -1;
    }
    vox_label_rule rule = {0};
    assert_int_equal(vox_scores_label(&s, &grid, dim, &rule, labels), 0);
    for (int z = 0, i = 0; z < 6; z++) {
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 5; x++, i++) {
                /* Of 11 planes the crop keeps 2..8: file z = 0 and 5 (planes 0 and 10) are outside. */
                int inside = z >= 1 && z <= 4;
                assert_int_equal(labels[i], inside && x >= 2);
            }
        }
    }
    vox_scores_free(&s);
    free(v.data);
}

static void holes_are_filled_through_faces_only(void **state) {
    (void)state;
    const int dim[3] = {7, 6, 5};
    unsigned char mask[7 * 6 * 5] = {0};
#define MASK(x, y, z) mask[((z)*6 + (y)) * 7 + (x)]
    for (int z = 1; z < 4; z++) {
        for (int y = 1; y < 5; y++) {
            for (int x = 1; x < 6; x++) MASK(x, y, z) = 1;
        }
    }
    MASK(3, 2, 2) = MASK(3, 3, 2) = 0;                 /* a hole ... */
    MASK(2, 2, 0) = MASK(2, 2, 1) = MASK(2, 2, 2) = 0; /* ... that a tunnel opens */
    assert_int_equal(vox_fill_holes(mask, dim), 0);
    assert_int_equal(MASK(3, 2, 2) + MASK(2, 2, 1) + MASK(3, 3, 2), 0);
    MASK(2, 2, 2) = 1; /* now only an edge touches the tunnel */
    assert_int_equal(vox_fill_holes(mask, dim), 0);
    assert_int_equal(MASK(3, 2, 2) + MASK(3, 3, 2), 2);
    assert_int_equal(MASK(2, 2, 1), 0);
    int sum = 0;
    for (size_t i = 0; i < sizeof mask; i++) sum += mask[i];
    assert_int_equal(sum, 59); /* scipy.ndimage.binary_fill_holes */
}

/* Half a voxel beyond the first and the last one's centre a volume ends. */
static void a_volume_ends_half_a_voxel_outside(void **state) {
    (void)state;
    vox_tap *taps = vox_taps_new(13, 3, 0.25, -0.75); /* -0.75, -0.5, ..., 2.25 */
    for (int i = 0; i < 13; i++) assert_int_equal(taps[i].inside, i >= 1);
    free(taps);
    taps = vox_taps_new(4, 3, 0.25, 2.0); /* 2, ..., 2.75 */
    for (int i = 0; i < 4; i++) assert_int_equal(taps[i].inside, i <= 2);
    free(taps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resample_to_shape_aligns_end_points),
        cmocka_unit_test(resample_to_spacing_rounds_the_shape),
        cmocka_unit_test(smooth_mirrors_edges),
        cmocka_unit_test(intensities),
        cmocka_unit_test(clip_limits_both_ends),
        cmocka_unit_test(crop_or_pad_is_centred),
        cmocka_unit_test(channels_are_prepared_alone),
        cmocka_unit_test(what_cannot_be_normalised_is_an_error),
        cmocka_unit_test(scores_return_to_the_files_grid),
        cmocka_unit_test(a_volume_ends_half_a_voxel_outside),
        cmocka_unit_test(holes_are_filled_through_faces_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
