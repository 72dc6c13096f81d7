/* test_tiles.c: the overlap-tile scheme over volumes of odd sizes equals one pass over the whole, mirrored
 * volume. */
#include "test.h"

#include "../runtime/program/scores.h"
#include "../runtime/program/tiles.h"

/* A network that does the same everywhere and consumes `margin` voxels on each side: per class a sum over a
 * box with weights that differ in every direction. x: [in], y: [2][in - 2*margin]. */
static void network(const float *x, const int in[3], const int margin[3], float *y) {
    int out[3];
    for (int k = 0; k < 3; k++) out[k] = in[k] - 2 * margin[k];
    for (int c = 0; c < 2; c++) {
        for (int d = 0; d < out[0]; d++) {
            for (int h = 0; h < out[1]; h++) {
                for (int w = 0; w < out[2]; w++) {
                    double sum = 0;
                    for (int a = 0; a <= 2 * margin[0]; a++) {
                        for (int b = 0; b <= 2 * margin[1]; b++) {
                            for (int e = 0; e <= 2 * margin[2]; e++) {
                                double weight = 1 + a + 3 * b + 7 * e + 5 * c * ((a + b + e) % 2);
                                sum += weight * (double)x[((d + a) * in[1] + h + b) * in[2] + w + e];
                            }
                        }
                    }
                    *y++ = (float)sum;
                }
            }
        }
    }
}

static size_t product(const int dim[3]) {
    return (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
}

/* The whole of `volume` (D H W contiguous), mirrored by np.pad's rule 'reflect', in one pass. */
static float *one_pass(const float *volume, const int dim[3], const int margin[3]) {
    int in[3];
    for (int k = 0; k < 3; k++) in[k] = dim[k] + 2 * margin[k];
    float *x = malloc(product(in) * sizeof *x), *y = malloc(2 * product(dim) * sizeof *y);
    for (int d = 0, i = 0; d < in[0]; d++) {
        for (int h = 0; h < in[1]; h++) {
            for (int w = 0; w < in[2]; w++, i++) {
                int at[3] = {d - margin[0], h - margin[1], w - margin[2]};
                for (int k = 0; k < 3; k++) { /* bounce until inside */
                    while (dim[k] > 1 && (at[k] < 0 || at[k] >= dim[k])) {
                        at[k] = at[k] < 0 ? -at[k] : 2 * (dim[k] - 1) - at[k];
                    }
                    if (dim[k] == 1) at[k] = 0;
                }
                x[i] = volume[(at[0] * dim[1] + at[1]) * dim[2] + at[2]];
            }
        }
    }
    network(x, in, margin, y);
    free(x);
    return y;
}

static void tiles_equal_one_pass(const int dim[3], const int in[3], const int margin[3]) {
    int out[3], file[3] = {dim[2], dim[1], dim[0]};
    const int axis[3] = {2, 1, 0};
    const size_t stride[3] = {(size_t)dim[1] * (size_t)dim[2], (size_t)dim[2], 1};
    for (int k = 0; k < 3; k++) out[k] = in[k] - 2 * margin[k];
    vox_tiles t;
    vox_scores s;
    float *volume = malloc(product(dim) * sizeof *volume);
    float *x = malloc(product(in) * sizeof *x), *y = malloc(2 * product(out) * sizeof *y);
    int *index = malloc(sizeof(int) * (size_t)(in[0] + in[1] + in[2]));
    uint16_t *labels = malloc(product(dim) * sizeof *labels);
    const vox_labelling labelling = {.classes = 2, .axis = axis, .dim = file};
    test_fill(volume, product(dim), 7);
    assert_int_equal(vox_tiles_plan(&t, dim, in, out, true), 0);
    assert_int_equal(vox_scores_new(&s, 2, file, false), 0);
    for (int i = 0; i < t.total; i++) {
        vox_tiles_fill(&t, i, volume, stride, index, x);
        network(x, in, margin, y);
        assert_int_equal(vox_scores_put(&s, &t, i, axis, y), 0);
        assert_int_equal(vox_tile_label(&t, i, &labelling, y, labels), 0);
    }
    float *whole = one_pass(volume, dim, margin);
    assert_memory_equal(whole, s.data, 2 * product(dim) * sizeof *whole);
    for (size_t i = 0; i < product(dim); i++) assert_int_equal(labels[i], whole[product(dim) + i] > whole[i]);
    vox_scores_free(&s);
    free(whole);
    free(labels);
    free(index);
    free(y);
    free(x);
    free(volume);
}

static void odd_sizes(void **state) {
    (void)state;
    static const struct {
        int dim[3], in[3], margin[3];
    } cases[] = {
        {{13, 17, 11}, {9, 10, 11}, {2, 2, 2}}, /* last tiles reach over the border */
        {{10, 12, 14}, {9, 10, 11}, {2, 2, 2}}, /* they end at it */
        {{3, 4, 2}, {9, 10, 11}, {2, 2, 2}},    /* smaller than a tile */
        {{1, 9, 1}, {7, 8, 9}, {3, 1, 0}},      /* one voxel thick; margins larger than the volume */
        {{8, 5, 7}, {4, 4, 4}, {0, 0, 0}},      /* output as large as the input */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tiles_equal_one_pass(cases[i].dim, cases[i].in, cases[i].margin);
    }
}

static void mirror_is_numpys_reflect(void **state) {
    (void)state;
    static const int expected[] = {2, 1, 0, 1, 2, 3, 2, 1, 0, 1}; /* np.pad([0,1,2,3], (2, 4), 'reflect') */
    for (int i = 0; i < 10; i++) assert_int_equal(vox_mirror(i - 2, 4), expected[i]);
    assert_int_equal(vox_mirror(-5, 1), 0);
    assert_int_equal(vox_mirror(-1000001, 3), 1);
}

static void axes_permute_the_tile(void **state) {
    (void)state;
    const int dim[3] = {2, 3, 4}; /* the network's D H W are the file's x y z */
    const size_t stride[3] = {1, 2, 6};
    float volume[24], tile[24];
    int index[9];
    vox_tiles t;
    for (int i = 0; i < 24; i++) volume[i] = (float)i;
    assert_int_equal(vox_tiles_plan(&t, dim, dim, dim, false), 0);
    vox_tiles_fill(&t, 0, volume, stride, index, tile);
    assert_true(tile[0] == 0 && tile[1] == 6 && tile[4] == 2 && tile[12] == 1 && tile[23] == 23);
}

static void without_mirror_one_tile_is_centred_on_zeros(void **state) {
    (void)state;
    const int dim[3] = {2, 2, 2}, tile[3] = {5, 2, 4}, tile_small[3] = {5, 1, 4};
    const size_t stride[3] = {4, 2, 1};
    const float volume[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    float x[40];
    int index[11];
    vox_tiles t;
    assert_int_equal(vox_tiles_plan(&t, dim, tile, tile, false), 0);
    assert_int_equal(t.total, 1);
    vox_tiles_fill(&t, 0, volume, stride, index, x);
    double sum = 0;
    for (int i = 0; i < 40; i++) sum += (double)x[i];
    assert_true(sum == 36 && x[8 + 1] == 1 && x[8 + 2] == 2 && x[16 + 1] == 5 && x[0] == 0 && x[39] == 0);
    assert_int_equal(vox_tiles_plan(&t, dim, tile_small, tile_small, false), 2);
}

static void odd_margins_are_unsupported(void **state) {
    (void)state;
    const int dim[3] = {8, 8, 8}, in[3] = {8, 8, 8}, odd[3] = {8, 7, 8}, larger[3] = {8, 8, 10};
    vox_tiles t;
    assert_int_equal(vox_tiles_plan(&t, dim, in, odd, true), 3);
    assert_int_equal(vox_tiles_plan(&t, dim, in, larger, true), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_sizes),
        cmocka_unit_test(mirror_is_numpys_reflect),
        cmocka_unit_test(axes_permute_the_tile),
        cmocka_unit_test(without_mirror_one_tile_is_centred_on_zeros),
        cmocka_unit_test(odd_margins_are_unsupported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
