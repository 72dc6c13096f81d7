/* Volume files as people have them: pairs, pipes, links, odd headers. */
#include "volumes_lib.h"

/* ---- which files are read -------------------------------------------------------------------- */

static double voxel(const vox_volume *v, int i) {
    const int at[3] = {i % NX, i / NX % NY, i / NX / NY};
    const unsigned char *p = v->data;
    for (int k = 0; k < 3; k++) p += at[k] * v->stride[k];
    int64_t whole = 0;
    float f32;
    double f64;
    switch (v->type) {
    case VOX_VOXEL_F32:
        memcpy(&f32, p, sizeof f32);
        return (double)f32;
    case VOX_VOXEL_F64:
        memcpy(&f64, p, sizeof f64);
        return f64;
    default: /* small and not negative: the first bytes of any integer are its own */
        memcpy(&whole, p, vox_voxel_bytes(v->type));
        return (double)whole;
    }
}

static void reads(const char *name) {
    char *path = test_format("%s/%s", folder, name);
    vox_image image;
    int code = vox_image_read(&image, path);
    if (code != 0) fail_msg("%s: exit code %d", name, code);
    for (int i = 0; i < N; i++) {
        double got = voxel(&image.volume, i);
        if (got != value_at(i)) fail_msg("%s: voxel %d is %g", name, i, got);
    }
    assert_true(fabs(image.volume.spacing[1] - 1.25) < 1e-6 && image.directed);
    vox_image_free(&image);
    free(path);
}

static void every_kind_of_file_type_version_and_byte_order(void **state) {
    (void)state;
    static const int types[] = {DT_UINT8,  DT_INT8,  DT_INT16,  DT_UINT16,  DT_INT32,
                                DT_UINT32, DT_INT64, DT_UINT64, DT_FLOAT32, DT_FLOAT64};
    static const char *const files[][3] = {{"a.nii", NULL, "a.nii"},
                                           {"a.nii.gz", NULL, "a.nii.gz"},
                                           {"B.NII.GZ", NULL, "B.NII.GZ"},
                                           {"c.hdr", "c.img", "c.img"},
                                           {"d.hdr", "d.img.gz", "d.hdr"},
                                           {"e.hdr.gz", "e.img", "e.img"},
                                           {"f.hdr.gz", "f.img.gz", "f.img.gz"},
                                           {"G.HDR", "G.IMG", "G.HDR"},
                                           {"H.HDR", "H.IMG", "H.IMG"},
                                           {"I.HDR.GZ", "I.IMG.GZ", "I.HDR.GZ"},
                                           {"j.hdr", "j.IMG.gz", "j.IMG.gz"}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            for (int k = 0; k < 4; k++) {
                nifti_2_header h = header(types[t]);
                put(files[f][0], files[f][1], &h, 1 + k % 2, k / 2 != 0, values(), N);
                reads(files[f][2]);
            }
        }
    }
}

static void the_image_that_was_named_is_the_one_read(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    double zeros[N] = {0};
    put("k.hdr", "k.img", &h, 1, false, zeros, N);
    put("k.hdr", "k.img.gz", &h, 1, false, values(), N);
    reads("k.img.gz");
}

static void pipes_are_read_once(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    put("q.nii.gz", NULL, &h, 2, true, values(), N);
    h.vox_offset = 1000; /* what lies between can't be skipped by seeking */
    double shifted[N + 500] = {0};
    memcpy(shifted + 324, values(), N * sizeof(double)); /* 352 + 2 * 324 = 1000 */
    put("far.nii", NULL, &h, 1, false, shifted, N + 324);
    expect("$box $S p.nii -o p1.nii && $box $S q.nii.gz -o q1.nii -q", 0, "9x8x7 voxels", NULL);
    expect("cat p.nii | $box $S /dev/stdin -o p2.nii && cmp p1.nii p2.nii", 0, NULL, NULL);
    expect("cat far.nii | $box $S /dev/stdin -o p2.nii && cmp p1.nii p2.nii", 0, NULL, NULL);
    expect("$box $S /dev/stdin -o p2.nii <p.nii && cmp p1.nii p2.nii", 0, NULL, NULL);
    expect("cat q.nii.gz | $box $S /dev/stdin -o q2.nii && cmp q1.nii q2.nii", 0, NULL, NULL);
    expect("mkfifo fifo fifo.gz; cat p.nii >fifo & cat q.nii.gz >fifo.gz & timeout 20 $box score fifo "
           "fifo.gz --json",
           0, "\"dice\": 1.000000", NULL);
    expect("cat p.nii >fifo & timeout 20 $rgb $S fifo -o p2.nii --repeat-channel", 0, NULL, NULL);
    expect("head -c 700 p.nii | $box $S /dev/stdin -o p3.nii", 2, "truncated: 174 of 504 voxels", NULL);
    expect("head -c 300 p.nii | $box $S /dev/stdin -o p3.nii", 2, "truncated in the header", "300 bytes");
    expect("$box $S /dev/null -o p3.nii", 2, "truncated in the header", "0 bytes");
    expect("timeout 20 $box segment --weights fifo p.nii -o p3.nii", 2, "fifo: not a regular file", NULL);
    no_temporaries();
}

static void arrays_come_through_pipes_too(void **state) {
    (void)state;
    const int dim[5] = {1, 1, 9, 10, 11};
    float x[990];
    for (int i = 0; i < 990; i++) x[i] = (float)i;
    char *path = test_format("%s/in.npy", folder);
    assert_int_equal(vox_npy_write_array(path, VOX_F32, 5, dim, x), 0);
    free(path);
    expect("$box run $W in.npy 1.npy && cat in.npy | $box run $W /dev/stdin 2.npy && cmp 1.npy 2.npy", 0,
           NULL, NULL);
    expect("$box run $W in.npy /dev/stdout | cmp - 1.npy", 0, NULL, NULL);
    expect("$box run $W in.npy /dev/stdout >3.npy && cmp 3.npy 1.npy", 0, NULL, NULL);
    expect("mkfifo n.npy; cat in.npy >n.npy & timeout 20 $box run $W n.npy 2.npy && cmp 1.npy 2.npy", 0, NULL,
           NULL);
    expect("$box run $W in.npy ./good.weights", 2, "would overwrite", NULL);
    expect("cp in.npy box.npy; $box run $W box.npy 4.npy --dump .", 2, "box.npy would overwrite", NULL);
    no_temporaries();
}

static void wrong_files_are_named(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    put("alone.hdr", "gone.img", &h, 1, false, values(), N);
    expect("$box $S alone.hdr -o x.nii", 2, "alone.hdr", ".img file, which is not there");
    expect("cp gone.img lost.img; $box $S lost.img -o x.nii", 2, "no .hdr file beside it", NULL);
    bool dicom = shell("command -v dcm2niix >/dev/null", NULL) == 0; /* which reads folders */
    expect("mkdir -p dir.nii; $box $S dir.nii -o x.nii", dicom ? 2 : 3, "dir.nii", "dcm2niix");
    expect("$box $S p.nii -o dir.nii", 2, "cannot write", "Is a directory");
    expect("$box $S p.nii -o x.nii --overlay x.jpg", 2, "x.jpg", "must end in .png");
    expect("gzip -c p.nii | head -c -4 >crc.nii.gz; $box $S crc.nii.gz -o x.nii", 2, "checksum", "missing");
    expect("gzip -c p.nii | head -c -8 >crc.nii.gz; $box $S crc.nii.gz -o x.nii", 2, "checksum", "missing");
    expect("cat p.nii >loop.nii; ln -sf l1.nii l2.nii; ln -sf l2.nii l1.nii; $box $S loop.nii -o l1.nii", 2,
           "cannot write", "symbolic links");
    assert_false(shell("test -e x.nii", NULL) == 0);
    no_temporaries();
}

/* ---- headers --------------------------------------------------------------------------------- */

static void shapes_that_are_no_volume(void **state) {
    (void)state;
    static const struct {
        int64_t dim[8];
        int code;
        const char *word;
    } cases[] = {
        {{4, NX, NY, NZ, 2, 1, 1, 1}, 2, "holds 2 volumes (a series?); this network takes 1"},
        {{5, NX, NY, NZ, 1, 2, 1, 1}, 2, "holds 2 volumes (a series?); this network takes 1"},
        {{4, NX, NY, NZ, 1, 9, 9, 9}, 0, "9x8x7 voxels"},
        {{2, NX, NY, 0, 0, 0, 0, 0}, 2, "is a 2-D image (9x8x1 voxels)"},
        {{3, NX, NY, 1, 1, 1, 1, 1}, 2, "is a 2-D image (9x8x1 voxels)"},
        {{3, 1, NX, NY, 1, 1, 1, 1}, 2, "is a 2-D image (1x9x8 voxels)"},
        {{1, NX, 0, 0, 0, 0, 0, 0}, 2, "is a 2-D image"},
        {{0, NX, NY, NZ, 1, 1, 1, 1}, 2, "0 dimensions"},
        {{-3, NX, NY, NZ, 1, 1, 1, 1}, 2, "-3 dimensions"},
        {{3, NX, -NY, NZ, 1, 1, 1, 1}, 2, "dim[2] is -8"},
        {{3, 32767, 32767, 32767, 1, 1, 1, 1}, 2, "truncated: the header promises"},
    };
    double x[2 * N] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int version = 1; version <= 2; version++) {
            nifti_2_header h = header(DT_INT16);
            memcpy(h.dim, cases[i].dim, sizeof h.dim);
            put("shape.nii", NULL, &h, version, false, x, 2 * N);
            expect("$box $S shape.nii -o x.nii", cases[i].code, cases[i].word, NULL);
        }
    }
    nifti_2_header h = header(DT_RGB24);
    double colours[3 * N] = {0};
    h.datatype = DT_UINT8;
    h.dim[0] = 4, h.dim[4] = 3;
    put("rgb.nii", NULL, &h, 1, false, colours, 3 * N);
    expect("printf '\\200' | dd of=rgb.nii bs=1 seek=70 conv=notrunc 2>/dev/null; printf '\\3\\0' | dd "
           "of=rgb.nii "
           "bs=1 seek=40 conv=notrunc 2>/dev/null; $box $S rgb.nii -o x.nii",
           2, "holds 3 channels (colours); this network takes 1", NULL);
    h = header(DT_INT16);
    plain("one.nii", &h);
    expect("$rgb $S one.nii one.nii -o x.nii", 2, "2 files hold 2 channels in all", "takes 3");
    h.dim[0] = 4, h.dim[4] = 2;
    put("two.nii", NULL, &h, 1, false, x, 2 * N);
    expect("$box score two.nii one.nii", 2, "holds 2 volumes (a series?)", NULL);
}

static void offsets_and_scales(void **state) {
    (void)state;
    static const struct {
        double offset, slope, intercept;
        int code;
        const char *word;
    } cases[] = {
        {352, 0, NAN, 0, NULL},
        {352, NAN, NAN, 0, NULL},
        {352, 2, 1, 0, NULL},
        {353, 0, 0, 0, NULL},
        {348, 0, 0, 0, NULL},
        {352.5, 0, 0, 2, "begin at byte 352.5"},
        {347, 0, 0, 2, "347"},
        {-352, 0, 0, 2, "-352"},
        {NAN, 0, 0, 2, "corrupt header"},
        {1e30, 0, 0, 2, "1e+30"},
        {INFINITY, 0, 0, 2, "inf"},
        {1e6, 0, 0, 2, "truncated"},
        {352, INFINITY, 0, 2, "scl_slope is inf"},
        {352, 1, NAN, 2, "scl_inter is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nifti_2_header h = header(DT_INT16);
        h.scl_slope = cases[i].slope;
        h.scl_inter = cases[i].intercept;
        put("offset.nii", NULL, &h, 1, false, values(), N);
        char *path = test_format("%s/offset.nii", folder);
        size_t n;
        char *all = test_read(path, &n), longer[2000] = {0};
        float offset = (float)cases[i].offset;
        memcpy(longer, all, n);
        memcpy(longer + 108, &offset, 4);
        test_write(path, longer, n + 8);
        free(all);
        free(path);
        expect("$box $S offset.nii -o x.nii", cases[i].code, cases[i].word, NULL);
    }
}

static void voxels_that_float32_cannot_hold_are_named(void **state) {
    (void)state;
    double x[N];
    nifti_2_header h = header(DT_FLOAT64);
    for (int i = 0; i < N; i++) x[i] = i == 10 ? 1e300 : i == 11 ? -1e39 : 0;
    put("big.nii", NULL, &h, 1, false, x, N);
    expect("$box $S big.nii -o x.nii", 0, "warning: big.nii: 2 voxels are beyond float32 and count as 0",
           "1e+300 at x 1, y 1, z 0");
    expect("$box score big.nii big.nii", 2, "1e+300 is not a label (x 1, y 1, z 0)", NULL);
    expect("$box score big.nii big.nii --binary", 2, "1e+300 is not a label", NULL);
    for (int i = 0; i < N; i++) x[i] = i == 80 ? 1e-60 : 0;
    put("tiny.nii", NULL, &h, 1, false, x, N);
    expect("$box $S tiny.nii -o x.nii", 0, "1 voxel is not 0, but too small for float32",
           "1e-60 at x 8, y 0, z 1");
    expect("$box score tiny.nii tiny.nii", 2, "1e-60 is not a label", NULL);
    h.scl_slope = 1e-50; /* the scaled value counts */
    for (int i = 0; i < N; i++) x[i] = 3;
    put("tiny.nii", NULL, &h, 2, false, x, N);
    expect("$box $S tiny.nii -o x.nii", 0, "504 voxels are not 0, but too small", NULL);
    h = header(DT_FLOAT32);
    for (int i = 0; i < N; i++) x[i] = i == 3 ? 2.000001 : 2;
    put("eps.nii", NULL, &h, 1, false, x, N);
    expect("$box score eps.nii eps.nii", 2, "2.000001 is not a label (x 3, y 0, z 0)", NULL);
    for (int i = 0; i < N; i++) x[i] = i == 3 ? NAN : 2;
    put("nan.nii", NULL, &h, 1, false, x, N);
    expect("$box score nan.nii nan.nii", 2, "nan is not a label (x 3, y 0, z 0)", NULL);
    expect("$box $S nan.nii -o x.nii", 0, "1 voxel is not finite", "x 3, y 0, z 0");
    static const int refused[] = {DT_COMPLEX64, DT_COMPLEX128, DT_COMPLEX256, DT_BINARY};
    static const char *const names[] = {"COMPLEX64", "COMPLEX128", "COMPLEX256", "BINARY"};
    for (int i = 0; i < 4; i++) {
        h = header(DT_INT64);
        put("complex.nii", NULL, &h, 2, false, x, 0);
        char *line =
            test_format("printf '\\%o\\%o' | dd of=complex.nii bs=1 seek=12 conv=notrunc 2>/dev/null; "
                        "$box $S complex.nii -o x.nii",
                        refused[i] & 255, refused[i] >> 8);
        expect(line, 3, names[i], "cannot be read");
        free(line);
    }
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_file_type_version_and_byte_order),
        cmocka_unit_test(the_image_that_was_named_is_the_one_read),
        cmocka_unit_test(pipes_are_read_once),
        cmocka_unit_test(arrays_come_through_pipes_too),
        cmocka_unit_test(wrong_files_are_named),
        cmocka_unit_test(shapes_that_are_no_volume),
        cmocka_unit_test(offsets_and_scales),
        cmocka_unit_test(voxels_that_float32_cannot_hold_are_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(int argc, char **argv) {
    return volumes_main(argc, argv, run);
}
