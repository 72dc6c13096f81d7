/* test_image_nifti.c: NIfTI-1 and NIfTI-2 in and out: geometry, every datatype, and files that lie. libnifti2's own
 * reader is the judge of what is written. */
#include "image_lib.h"

#include <math.h>
#include <nifti2_io.h>
#include <zlib.h>

static int setup(void **state) {
    nifti_set_debug_level(0);
    return make_folder(state);
}

static nifti_1_header header_1(int type, int bits) {
    nifti_1_header h = {.sizeof_hdr = 348,
                        .dim = {3, 4, 3, 2, 1, 1, 1, 1},
                        .datatype = (short)type,
                        .bitpix = (short)bits,
                        .vox_offset = 352,
                        .magic = "n+1"};
    h.pixdim[0] = -1;
    h.pixdim[1] = 0.7f;
    h.pixdim[2] = 1.3f;
    h.pixdim[3] = 2.1f;
    h.qform_code = 1;
    h.sform_code = 4;
    h.quatern_b = 0.1f;
    h.quatern_c = -0.2f;
    h.quatern_d = 0.3f;
    h.qoffset_x = 11;
    h.qoffset_y = -12.5f;
    h.qoffset_z = 13.25f;
    h.srow_x[2] = -2.1f; /* z runs to the left, x forward, y down */
    h.srow_x[3] = 5.5f;
    h.srow_y[0] = 0.7f;
    h.srow_z[1] = -1.3f;
    h.xyzt_units = NIFTI_UNITS_MM;
    return h;
}

static nifti_2_header header_2(int type, int bits) {
    nifti_2_header h = {.sizeof_hdr = 540,
                        .dim = {3, 4, 3, 2, 1, 1, 1, 1},
                        .datatype = (int16_t)type,
                        .bitpix = (int16_t)bits,
                        .vox_offset = 544};
    memcpy(h.magic, "n+2\0\r\n\032\n", 8);
    for (int i = 1; i < 4; i++) h.pixdim[i] = 1.0 / 3 * i; /* needs more than float */
    h.pixdim[0] = 1;
    h.qform_code = 2;
    h.quatern_c = 1.0 / 7;
    h.qoffset_x = 1e9 + 0.125;
    h.xyzt_units = NIFTI_UNITS_MICRON;
    return h;
}

/* Header, 4 zero bytes, data; under a name in the folder. */
static char *put_file(const char *name, const void *header, size_t header_bytes, const void *data,
                      size_t bytes) {
    char *path = test_format("%s/%s", folder, name);
    unsigned char *all = calloc(header_bytes + 4 + bytes, 1);
    memcpy(all, header, header_bytes);
    memcpy(all + header_bytes + 4, data, bytes);
    if (strstr(name, ".gz") != NULL) {
        gzFile f = gzopen(path, "wb");
        assert_int_equal(gzwrite(f, all, (unsigned)(header_bytes + 4 + bytes)), header_bytes + 4 + bytes);
        assert_int_equal(gzclose(f), Z_OK);
    } else {
        test_write(path, all, header_bytes + 4 + bytes);
    }
    free(all);
    return path;
}

static int read_code(const char *path) {
    vox_image m;
    int code = vox_image_read(&m, path);
    vox_image_free(&m);
    return code;
}

/* ---- datatypes ------------------------------------------------------------------------------- */

/* Voxel i of each type holds this number, which all types can hold. */
static int sample(int i) {
    return (5 * i + 1) % 120;
}

static size_t encode(int type, unsigned char *data) {
    int size = 0, swap = 0;
    nifti_datatype_sizes(type, &size, &swap);
    for (int i = 0; i < 24; i++) {
        unsigned char *p = data + i * size;
        int n = sample(i);
        int16_t i16 = (int16_t)n;
        int32_t i32 = n;
        int64_t i64 = n;
        float f32 = (float)n;
        double f64 = n;
        long double f128 = n;
        memset(p, 0, (size_t)size);
        switch (type) {
        case DT_FLOAT32:
            memcpy(p, &f32, 4);
            break;
        case DT_FLOAT64:
            memcpy(p, &f64, 8);
            break;
        case DT_FLOAT128:
            memcpy(p, &f128, 16);
            break;
        default:
            if (size == 1) *p = (unsigned char)n;
            if (size == 2) memcpy(p, &i16, 2);
            if (size == 4) memcpy(p, &i32, 4);
            if (size == 8) memcpy(p, &i64, 8);
        }
    }
    return 24 * (size_t)size;
}

static void every_datatype_in_both_byte_orders(void **state) {
    (void)state;
    static const int types[] = {DT_UINT8, DT_INT8,   DT_INT16,   DT_UINT16,  DT_INT32,   DT_UINT32,
                                DT_INT64, DT_UINT64, DT_FLOAT32, DT_FLOAT64, DT_FLOAT128};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            unsigned char data[24 * 16];
            int size = 0, swap = 0;
            if (swapped && types[t] == DT_FLOAT128) continue;
            nifti_datatype_sizes(types[t], &size, &swap);
            nifti_1_header h = header_1(types[t], 8 * size);
            size_t bytes = encode(types[t], data);
            h.scl_slope = 2;
            h.scl_inter = -3;
            if (swapped) {
                swap_nifti_header(&h, 1);
                if (swap > 1) nifti_swap_Nbytes(24, swap, data);
            }
            char *path = put_file("type.nii", &h, sizeof h, data, bytes);
            vox_image m;
            assert_int_equal(vox_image_read(&m, path), 0);
            assert_int_equal(m.volume.dim[0] * 100 + m.volume.dim[1] * 10 + m.volume.dim[2], 432);
            assert_int_equal(m.volume.channels, 1);
            for (int i = 0; i < 24; i++) assert_true(value_of(&m, i) == 2 * sample(i) - 3);
            vox_image_free(&m);
            free(path);
        }
    }
}

static void extremes_and_signs(void **state) {
    (void)state;
    int8_t i8[24] = {-128};
    uint32_t u32[24] = {4294967295u};
    uint64_t u64[24] = {18446744073709551615u};
    const struct {
        int type, bits;
        const void *data;
        size_t bytes;
        double first;
    } cases[] = {{DT_INT8, 8, i8, sizeof i8, -128},
                 {DT_UINT32, 32, u32, sizeof u32, 4294967295.0},
                 {DT_UINT64, 64, u64, sizeof u64, 18446744073709551616.0}};
    for (size_t i = 0; i < 3; i++) {
        nifti_1_header h = header_1(cases[i].type, cases[i].bits);
        char *path = put_file("e.nii", &h, sizeof h, cases[i].data, cases[i].bytes);
        vox_image m;
        assert_int_equal(vox_image_read(&m, path), 0);
        assert_true(value_of(&m, 0) == cases[i].first);
        vox_image_free(&m);
        free(path);
    }
}

static void rgb_and_4d_become_channels(void **state) {
    (void)state;
    unsigned char data[24 * 3];
    for (int i = 0; i < 72; i++) data[i] = (unsigned char)i;
    nifti_1_header h = header_1(DT_RGB24, 24);
    char *path = put_file("rgb.nii", &h, sizeof h, data, sizeof data);
    vox_image m;
    assert_int_equal(vox_image_read(&m, path), 0);
    assert_int_equal(m.volume.channels, 3);
    assert_true(value_of(&m, 1) == 3 && value_of(&m, 24) == 1 && value_of(&m, 48 + 23) == 71);
    vox_image_free(&m);
    free(path);
    for (int axis = 4; axis <= 5; axis++) {
        h = header_1(DT_UINT8, 8);
        h.dim[0] = (short)axis;
        h.dim[axis] = 3;
        path = put_file("4d.nii", &h, sizeof h, data, sizeof data);
        assert_int_equal(vox_image_read(&m, path), 0);
        assert_int_equal(m.volume.channels, 3);
        assert_true(value_of(&m, 1) == 1 && value_of(&m, 24) == 24);
        vox_image_free(&m);
        free(path);
    }
}

static void what_is_not_finite_is_counted(void **state) {
    (void)state;
    float data[24] = {NAN, 1, INFINITY, 2, -INFINITY};
    nifti_1_header h = header_1(DT_FLOAT32, 32);
    h.scl_slope = NAN; /* nibabel's "no scaling" */
    char *path = put_file("nan.nii.gz", &h, sizeof h, data, sizeof data);
    vox_image m;
    char *said;
    assert_int_equal(read_said(&m, path, &said), 0);
    assert_non_null(strstr(said, "3 voxels are not finite (NaN or infinity) and count as 0; the first is "));
    assert_non_null(strstr(said, "nan at x 0, y 0, z 0\n"));
    free(said);
    assert_true(value_of(&m, 0) == 0 && value_of(&m, 1) == 1 && value_of(&m, 2) == 0 &&
                value_of(&m, 3) == 2 && value_of(&m, 4) == 0);
    vox_image_free(&m);
    free(path);
}

static void other_types_are_unsupported(void **state) {
    (void)state;
    static const int types[] = {DT_COMPLEX64, DT_COMPLEX128, DT_COMPLEX256, DT_BINARY, 0, 9999, -1};
    unsigned char data[24 * 32] = {0};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        nifti_1_header h = header_1(types[i], 64);
        char *path = put_file("c.nii", &h, sizeof h, data, sizeof data);
        assert_int_equal(read_code(path), 3);
        free(path);
    }
}

/* ---- geometry -------------------------------------------------------------------------------- */

static void same_matrix(const nifti_dmat44 *a, const nifti_dmat44 *b) {
    assert_memory_equal(a, b, sizeof *a);
}

/* Reads `in`, writes labels as `out`, and lets libnifti2 compare the two. */
static void round_trip(const char *in, const char *name, vox_image_type type, int expected_type) {
    vox_image m;
    vox_image_writer w;
    char *out = test_format("%s/%s", folder, name);
    assert_int_equal(vox_image_read(&m, in), 0);
    uint16_t labels[24];
    for (int i = 0; i < 24; i++) labels[i] = (uint16_t)(type == VOX_IMAGE_U8 ? 0x0201 : 300 + i);
    const vox_image_content content = {.type = type, .labels = true, .channels = 1, .description = "test"};
    assert_int_equal(vox_image_create(&w, out), 0);
    assert_int_equal(vox_image_begin(&w, &m, &content), 0);
    assert_int_equal(vox_image_put(&w, labels, type == VOX_IMAGE_U8 ? 24 : 48), 0);
    assert_int_equal(vox_image_commit(&w), 0);
    vox_image_abort(&w); /* harmless */
    vox_image_free(&m);
    nifti_image *a = nifti_image_read(in, 0), *b = nifti_image_read(out, 1);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(b->datatype, expected_type);
    assert_int_equal(b->nvox, 24);
    assert_int_equal(b->nifti_type, a->nifti_type >= 4 ? NIFTI_FTYPE_NIFTI2_1 : NIFTI_FTYPE_NIFTI1_1);
    same_matrix(&a->qto_xyz, &b->qto_xyz);
    same_matrix(&a->sto_xyz, &b->sto_xyz);
    assert_memory_equal(a->pixdim, b->pixdim, 4 * sizeof *a->pixdim);
    assert_int_equal(a->qform_code * 100 + a->sform_code, b->qform_code * 100 + b->sform_code);
    assert_int_equal(a->xyz_units, b->xyz_units);
    assert_true(b->scl_slope == 1 && b->scl_inter == 0);
    assert_int_equal(b->intent_code, NIFTI_INTENT_LABEL);
    if (type == VOX_IMAGE_U16) assert_int_equal(((uint16_t *)b->data)[23], 323);
    nifti_image_free(a);
    nifti_image_free(b);
    free(out);
}

static void geometry_is_kept(void **state) {
    (void)state;
    unsigned char data[48] = {0};
    nifti_1_header h1 = header_1(DT_INT16, 16);
    nifti_2_header h2 = header_2(DT_INT16, 16);
    h1.scl_slope = 5;
    h1.intent_code = 1001;
    char *a = put_file("g1.nii.gz", &h1, sizeof h1, data, sizeof data);
    char *b = put_file("g2.nii", &h2, sizeof h2, data, sizeof data);
    round_trip(a, "out1.nii.gz", VOX_IMAGE_U8, DT_UINT8);
    round_trip(a, "out1.nii", VOX_IMAGE_U16, DT_UINT16);
    round_trip(b, "out2.nii.gz", VOX_IMAGE_U16, DT_UINT16);
    round_trip(b, "out2.nii", VOX_IMAGE_U8, DT_UINT8);
    swap_nifti_header(&h2, 2);
    free(b);
    b = put_file("g2s.nii", &h2, sizeof h2, data, sizeof data);
    round_trip(b, "out2s.nii", VOX_IMAGE_U8, DT_UINT8);
    free(a);
    free(b);
}

static void orientation_and_spacing(void **state) {
    (void)state;
    unsigned char data[48] = {0};
    nifti_1_header h1 = header_1(DT_INT16, 16);
    nifti_2_header h2 = header_2(DT_INT16, 16);
    vox_image m;
    char *path = put_file("o1.nii", &h1, sizeof h1, data, sizeof data);
    assert_int_equal(vox_image_read(&m, path), 0);
    static const double direction[3][3] = {
        {0, 0, -1}, {1, 0, 0}, {0, -1, 0}}; /* x forward, y down, z to the left */
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 3; k++) assert_true(fabs(m.volume.direction[r][k] - direction[r][k]) < 1e-7);
    assert_true(fabs(m.volume.spacing[2] - 2.1) < 1e-6);
    vox_image_free(&m);
    free(path);
    path = put_file("o2.nii", &h2, sizeof h2, data, sizeof data); /* micrometres */
    assert_int_equal(vox_image_read(&m, path), 0);
    assert_true(fabs(m.volume.spacing[1] - 2.0 / 3 * 1e-3) < 1e-12);
    vox_image_free(&m);
    free(path);
}

static void pairs_are_found_by_either_name(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"p.hdr", "p.img"}, {"q.hdr.gz", "q.img.gz"}, {"r.hdr", "r.img.gz"}};
    unsigned char data[48];
    encode(DT_INT16, data);
    for (size_t i = 0; i < 3; i++) {
        nifti_1_header h = header_1(DT_INT16, 16);
        memcpy(h.magic, "ni1", 4);
        h.vox_offset = 0;
        char *header = put_file(names[i][0], &h, sizeof h, "", 0);
        assert_int_equal(read_code(header), 2); /* no image yet */
        char *image = test_format("%s/%s", folder, names[i][1]);
        gzFile f = gzopen(image, i == 0 ? "wbT" : "wb");
        assert_int_equal(gzwrite(f, data, sizeof data), sizeof data);
        gzclose(f);
        assert_int_equal(read_code(header), 0);
        assert_int_equal(read_code(image), 0);
        round_trip(header, "pair.nii", VOX_IMAGE_U8, DT_UINT8);
        free(image);
        free(header);
    }
}

/* ---- files that lie -------------------------------------------------------------------------- */

static bool unpacks_to(const char *path, const char *good, size_t n) {
    char buffer[1024];
    gzFile f = gzopen(path, "rb");
    int got = gzread(f, buffer, sizeof buffer);
    gzclose_r(f);
    return got == (int)n && memcmp(buffer, good, n) == 0;
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    unsigned char data[48];
    encode(DT_INT16, data);
    nifti_1_header h1 = header_1(DT_INT16, 16);
    nifti_2_header h2 = header_2(DT_INT16, 16);
    char *paths[4] = {put_file("t1.nii", &h1, sizeof h1, data, sizeof data),
                      put_file("t1.nii.gz", &h1, sizeof h1, data, sizeof data),
                      put_file("t2.nii", &h2, sizeof h2, data, sizeof data),
                      put_file("t2.nii.gz", &h2, sizeof h2, data, sizeof data)};
    for (int i = 0; i < 4; i++) {
        size_t n, n_good;
        char *whole = test_read(paths[i], &n), *good = test_read(paths[i & 2], &n_good);
        for (size_t cut = 0; cut < n; cut += 1 + cut % 7) {
            test_write(paths[i], whole, cut);
            int code = read_code(paths[i]);
            if (code != 2) fail_msg("%s cut at %zu of %zu: %d", paths[i], cut, n, code);
        }
        for (size_t at = 10; i % 2 == 1 && at < n;
             at++) { /* gz: any flipped byte is seen, at the latest by the CRC */
            whole[at] ^= 0x10;
            test_write(paths[i], whole, n);
            int code = read_code(paths[i]);
            /* Some flips change a copy of zeros into another copy of zeros. */
            if (code == 0 ? !unpacks_to(paths[i], good, n_good) : code != 2 && code != 3) {
                fail_msg("%s flipped at %zu of %zu: %d", paths[i], at, n, code);
            }
            whole[at] ^= 0x10;
        }
        test_write(paths[i], whole, n);
        free(whole);
        free(good);
    }
    for (int i = 0; i < 4; i++) free(paths[i]);
}

static void bad_headers_are_refused(void **state) {
    (void)state;
    unsigned char data[48] = {0};
    static const struct {
        int64_t dim[8];
        int code;
    } cases[] = {
        {{0, 4, 3, 2, 1, 1, 1, 1}, 2},
        {{8, 4, 3, 2, 1, 1, 1, 1}, 2},
        {{-1, 4, 3, 2, 1, 1, 1, 1}, 2},
        {{3, 0, 3, 2, 1, 1, 1, 1}, 2},
        {{3, -4, 3, 2, 1, 1, 1, 1}, 2},
        {{3, 4, 3, INT64_MIN, 1, 1, 1, 1}, 2},
        {{3, 4, 3, 3, 1, 1, 1, 1}, 2},
        {{3, 65536, 65536, 65536, 1, 1, 1, 1}, 2},
        {{5, 65536, 65536, 65536, 1, 65536, 1, 1}, 2},
        {{3, 1ll << 62, 4, 1, 1, 1, 1, 1}, 2},
        {{5, 2, 3, 1, 2, 2, 1, 1}, 3},
        {{6, 4, 3, 1, 1, 1, 2, 1}, 3},
        {{3, 4, 3, 2, 9, 9, 9, 9}, 0},
        {{2, 4, 6, 0, 0, 0, 0, 0}, 0},
        {{1, 24, 0, 0, 0, 0, 0, 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nifti_2_header h = header_2(DT_INT16, 16);
        memcpy(h.dim, cases[i].dim, sizeof h.dim);
        char *path = put_file("d.nii", &h, sizeof h, data, sizeof data);
        int code = read_code(path);
        if (code != cases[i].code) fail_msg("dims %zu: code %d, not %d", i, code, cases[i].code);
        free(path);
    }
    static const float offsets[] = {0, -352, 100, NAN, INFINITY, 1e30f, 400};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        nifti_1_header h = header_1(DT_INT16, 16);
        h.vox_offset = offsets[i];
        char *path = put_file("v.nii", &h, sizeof h, data, sizeof data);
        assert_int_equal(read_code(path), 2);
        free(path);
    }
    nifti_1_header h = header_1(DT_INT16, 16);
    memset(h.magic, 0, 4);
    char *path = put_file("analyze.nii", &h, sizeof h, data, sizeof data);
    assert_int_equal(read_code(path), 3);
    free(path);
    path = put_file("text.nii", "this is no volume, but a text that is longer than nothing", 50, data, 0);
    assert_int_equal(read_code(path), 2);
    free(path);
    assert_int_equal(read_code("/nonexistent.nii"), 2);
    int code = read_code(folder); /* a DICOM series that is none; 3 without dcm2niix */
    assert_true(code == 2 || code == 3);
}

static void random_headers_never_crash(void **state) {
    (void)state;
    unsigned char data[48] = {0};
    uint64_t seed = 3;
    for (int i = 0; i < 3000; i++) {
        nifti_1_header h = header_1(DT_INT16, 16);
        for (int k = 0; k < 3; k++) {
            size_t at = test_random_bits(&seed) % sizeof h;
            ((unsigned char *)&h)[at] = (unsigned char)test_random_bits(&seed);
        }
        char *path = put_file("r.nii", &h, sizeof h, data, sizeof data);
        int code = read_code(path);
        assert_true(code == 0 || code == 2 || code == 3);
        free(path);
    }
}

static void names_of_outputs(void **state) {
    (void)state;
    vox_image_writer w;
    char *bad = test_format("%s/labels.png", folder), *none = test_format("%s/none/labels.nii", folder);
    assert_int_equal(vox_image_create(&w, bad), 2);
    assert_int_equal(vox_image_create(&w, none), 2);
    free(bad);
    free(none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_datatype_in_both_byte_orders),
        cmocka_unit_test(extremes_and_signs),
        cmocka_unit_test(rgb_and_4d_become_channels),
        cmocka_unit_test(what_is_not_finite_is_counted),
        cmocka_unit_test(other_types_are_unsupported),
        cmocka_unit_test(geometry_is_kept),
        cmocka_unit_test(orientation_and_spacing),
        cmocka_unit_test(pairs_are_found_by_either_name),
        cmocka_unit_test_setup_teardown(every_truncation_is_refused, mute, unmute),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test_setup_teardown(random_headers_never_crash, mute, unmute),
        cmocka_unit_test(names_of_outputs),
    };
    return cmocka_run_group_tests(tests, setup, remove_folder);
}
