/* test_score.c: the verb `score`: what it prints, what it refuses. tests/test_surface.c has the scores
 * themselves. */
#include "volumes_lib.h"

typedef int (*drawing)(int x, int y, int z);

/* Voxels of 1.5 mm. */
static void draw(const char *name, const int dim[3], double scale, drawing f) {
    nifti_2_header h = header(DT_FLOAT32);
    double x[512];
    size_t n = 0;
    for (int k = 0; k < 3; k++) h.dim[k + 1] = dim[k], h.pixdim[k + 1] = 1.5;
    h.srow_x[0] = h.srow_y[1] = 1.5;
    for (int k = 0; k < dim[2]; k++)
        for (int j = 0; j < dim[1]; j++)
            for (int i = 0; i < dim[0]; i++) x[n++] = scale * f(i, j, k);
    put(name, NULL, &h, 1, false, x, n);
}

static int two_boxes(int x, int y, int z) {
    (void)y, (void)z;
    return x < 2 ? 1 : x < 6 ? 2 : 0;
}

static int shifted(int x, int y, int z) {
    return two_boxes(x + 1, y, z);
}

static int nothing(int x, int y, int z) {
    (void)x, (void)y, (void)z;
    return 0;
}

static int solid(int x, int y, int z) {
    return x > 0 && x < 6 && y > 0 && y < 6 && z > 0 && z < 6;
}

static int hollow(int x, int y, int z) {
    return solid(x, y, z) && !(x == 3 && y == 3 && z == 3);
}

static const int flat[3] = {8, 4, 3}, cube[3] = {7, 7, 7};

static int files(void **state) {
    if (setup(state) != 0) return -1;
    const int other[3] = {8, 4, 4};
    draw("a.nii", flat, 1, two_boxes);
    draw("b.nii", flat, 1, shifted);
    draw("nothing.nii", flat, 1, nothing);
    draw("other.nii", other, 1, shifted);
    draw("solid.nii", cube, 1, solid);
    draw("shell.nii", cube, 42.5, hollow);
    return 0;
}

/* Label 1: 24 and 12 voxels, 12 in both; label 2: 48 and 48, 36 in both. Only the inner voxels of label 2 are
 * not surface. */
static void a_table(void **state) {
    (void)state;
    expect("$box score a.nii b.nii", 0,
           "volumes in ml, distances in mm, surface Dice at 1 mm\n"
           "label    Dice     IoU     volume  reference difference        %     HD95       HD     mean  "
           "surface  "
           "name\n"
           "    1  0.6667  0.5000      0.081     0.0405    +0.0405  +100.00    1.500    1.500    0.500   "
           "0.6667  "
           "bright \"spot\"\n"
           "    2  0.7500  0.6000      0.162      0.162         +0    +0.00    1.500    1.500    ",
           NULL);
    expect("$box score a.nii b.nii --labels 7", 0, "\n    7     nan     nan          0          0",
           "nan      nan\n");
    expect("$box score a.nii nothing.nii", 0,
           "\n    1  0.0000  0.0000      0.081          0     +0.081     +inf ",
           "     inf      inf      inf   0.0000");
    expect("$box score nothing.nii nothing.nii", 0, "both volumes are empty: no label above 0\n", NULL);
}

static void json(void **state) {
    (void)state;
    expect("$box score a.nii b.nii --json --tolerance 1.5 -t 2", 0,
           "{\n  \"tolerance_mm\": 1.5,\n  \"spacing_mm\": [1.5, 1.5, 1.5],\n  \"labels\": [\n    "
           "{\"label\": 1, ",
           "\"name\": \"bright \\\"spot\\\"\", \"dice\": 0.666667, \"iou\": 0.500000, \"voxels\": 24, "
           "\"reference_voxels\": 12, \"ml\": 0.081, \"reference_ml\": 0.0405, \"difference_ml\": 0.0405, "
           "\"relative_difference\": 1.000000, \"hd95_mm\": 1.5, \"hd_mm\": 1.5, \"mean_distance_mm\": 0.5, "
           "\"surface_dice\": 1.000000},\n");
    expect("$box score a.nii b.nii --labels 7,2 --json", 0, "[\n    {\"label\": 2, ",
           "{\"label\": 7, \"name\": \"\", \"dice\": null, \"iou\": null, \"voxels\": 0, "
           "\"reference_voxels\": 0, "
           "\"ml\": 0, \"reference_ml\": 0, \"difference_ml\": 0, \"relative_difference\": null, "
           "\"hd95_mm\": null, "
           "\"hd_mm\": null, \"mean_distance_mm\": null, \"surface_dice\": null}\n  ]\n}\n");
    expect("$box score a.nii b.nii --labels 0 --json", 0, "\"label\": 0", "\"name\": \"background\"");
    expect("$box score nothing.nii nothing.nii --json", 0, "\"labels\": [\n  ]\n}\n", NULL);
}

static void masks(void **state) {
    (void)state;
    expect("$box score a.nii b.nii --binary --json", 0, "\"label\": 1, \"name\": \"\", \"dice\": 0.909091",
           "\"reference_voxels\": 60");
    expect("$box score solid.nii shell.nii", 2, "42.5 is not a label", "--binary");
    expect("$box score solid.nii shell.nii --binary --json", 0, "\"voxels\": 125, \"reference_voxels\": 124",
           "\"hd_mm\": 1.5");
    expect("$box score solid.nii shell.nii --fill-holes --json", 0, "\"dice\": 1.000000",
           "\"voxels\": 125, \"reference_voxels\": 125");
}

static void what_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"1,,2", "1,2,1", "65536", "-1",
                                        "x",    "1,",    "1 2",   "99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *line = test_format("$box score none.nii none.nii '--labels=%s'", wrong[i]);
        expect(line, 2, "whole numbers from 0 to 65535 are expected, with commas between", wrong[i]);
        free(line);
    }
    expect("$box score a.nii b.nii --binary --labels 1", 2, "--labels goes with neither", NULL);
    expect("$box score a.nii b.nii --tolerance -1", 2, "--tolerance", NULL);
    expect("$box score a.nii", 2, "wants two files, not 1", NULL);
    expect("$box score a.nii other.nii", 2, "a.nii is 8x4x3 voxels, but other.nii is 8x4x4", NULL);
    expect("$box score a.nii none.nii", 2, "none.nii", NULL);
}

static void sizes_that_no_file_says(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    h.sform_code = 0;
    h.xyzt_units = 0;
    plain("plain.nii", &h);
    expect("$box score plain.nii plain.nii", 0,
           "warning: neither plain.nii nor plain.nii names a unit for its voxel size: taken for mm\n", NULL);
    h.pixdim[2] = 0;
    plain("sizeless.nii", &h);
    expect("$box score sizeless.nii sizeless.nii --json", 0, "says how large voxels are: 1 mm is taken",
           "\"spacing_mm\": [1, null, 1.5]");
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table),
        cmocka_unit_test(json),
        cmocka_unit_test(masks),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(sizes_that_no_file_says),
    };
    return cmocka_run_group_tests(tests, files, teardown);
}

int main(int argc, char **argv) {
    return volumes_main(argc, argv, run);
}
