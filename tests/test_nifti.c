/* test_nifti.c: NIfTI-1 and NIfTI-2 in and out: geometry and every datatype. libnifti2's own reader is the
 * judge of what is written. */
#include "nifti_lib.h"

/* ---- datatypes ------------------------------------------------------------------------------- */

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
            vox_volume v;
            vox_geometry g;
            size_t bad;
            assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
            assert_int_equal(v.dim[0] * 100 + v.dim[1] * 10 + v.dim[2], 432);
            assert_int_equal(v.channels, 1);
            assert_int_equal(bad, 0);
            for (int i = 0; i < 24; i++) assert_true(v.data[i] == (float)(2 * sample(i) - 3));
            free(v.data);
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
        float first;
    } cases[] = {{DT_INT8, 8, i8, sizeof i8, -128},
                 {DT_UINT32, 32, u32, sizeof u32, 4294967296.0f},
                 {DT_UINT64, 64, u64, sizeof u64, 18446744073709551616.0f}};
    for (size_t i = 0; i < 3; i++) {
        nifti_1_header h = header_1(cases[i].type, cases[i].bits);
        char *path = put_file("e.nii", &h, sizeof h, cases[i].data, cases[i].bytes);
        vox_volume v;
        vox_geometry g;
        size_t bad;
        assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
        assert_true(v.data[0] == cases[i].first);
        free(v.data);
        free(path);
    }
}

static void rgb_and_4d_become_channels(void **state) {
    (void)state;
    unsigned char data[24 * 3];
    for (int i = 0; i < 72; i++) data[i] = (unsigned char)i;
    nifti_1_header h = header_1(DT_RGB24, 24);
    char *path = put_file("rgb.nii", &h, sizeof h, data, sizeof data);
    vox_volume v;
    vox_geometry g;
    size_t bad;
    assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
    assert_int_equal(v.channels, 3);
    assert_true(v.data[1] == 3 && v.data[24] == 1 && v.data[48 + 23] == 71);
    free(v.data);
    free(path);
    for (int axis = 4; axis <= 5; axis++) {
        h = header_1(DT_UINT8, 8);
        h.dim[0] = (short)axis;
        h.dim[axis] = 3;
        path = put_file("4d.nii", &h, sizeof h, data, sizeof data);
        assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
        assert_int_equal(v.channels, 3);
        assert_true(v.data[1] == 1 && v.data[24] == 24);
        free(v.data);
        free(path);
    }
}

static void what_is_not_finite_is_counted(void **state) {
    (void)state;
    float data[24] = {NAN, 1, INFINITY, 2, -INFINITY};
    nifti_1_header h = header_1(DT_FLOAT32, 32);
    h.scl_slope = NAN; /* nibabel's "no scaling" */
    char *path = put_file("nan.nii.gz", &h, sizeof h, data, sizeof data);
    vox_volume v;
    vox_geometry g;
    size_t bad;
    assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
    assert_int_equal(bad, 3);
    assert_true(v.data[0] == 0 && v.data[1] == 1 && v.data[2] == 0 && v.data[3] == 2 && v.data[4] == 0);
    free(v.data);
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
static void round_trip(const char *in, const char *name, vox_nifti_type type, int expected_type) {
    vox_volume v;
    vox_geometry g;
    vox_nifti_writer w;
    size_t bad;
    char *out = test_format("%s/%s", folder, name);
    assert_int_equal(vox_nifti_read(in, &v, &g, &bad), 0);
    uint16_t labels[24];
    for (int i = 0; i < 24; i++) labels[i] = (uint16_t)(type == VOX_NIFTI_U8 ? 0x0201 : 300 + i);
    assert_int_equal(vox_nifti_create(&w, out), 0);
    assert_int_equal(vox_nifti_header(&w, &g, type, 1, "test"), 0);
    assert_int_equal(vox_nifti_put(&w, labels, type == VOX_NIFTI_U8 ? 24 : 48), 0);
    assert_int_equal(vox_nifti_commit(&w), 0);
    vox_nifti_abort(&w); /* harmless */
    free(v.data);
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
    if (type == VOX_NIFTI_U16) assert_int_equal(((uint16_t *)b->data)[23], 323);
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
    round_trip(a, "out1.nii.gz", VOX_NIFTI_U8, DT_UINT8);
    round_trip(a, "out1.nii", VOX_NIFTI_U16, DT_UINT16);
    round_trip(b, "out2.nii.gz", VOX_NIFTI_U16, DT_UINT16);
    round_trip(b, "out2.nii", VOX_NIFTI_U8, DT_UINT8);
    swap_nifti_header(&h2, 2);
    free(b);
    b = put_file("g2s.nii", &h2, sizeof h2, data, sizeof data);
    round_trip(b, "out2s.nii", VOX_NIFTI_U8, DT_UINT8);
    free(a);
    free(b);
}

static void orientation_and_spacing(void **state) {
    (void)state;
    unsigned char data[48] = {0};
    nifti_1_header h1 = header_1(DT_INT16, 16);
    nifti_2_header h2 = header_2(DT_INT16, 16);
    vox_volume v;
    vox_geometry g;
    size_t bad;
    char *path = put_file("o1.nii", &h1, sizeof h1, data, sizeof data);
    assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
    assert_int_equal(g.world[0] * 100 + g.world[1] * 10 + g.world[2], 120);
    assert_int_equal(g.flipped[0] * 100 + g.flipped[1] * 10 + g.flipped[2], 11);
    assert_true(fabs(v.spacing[2] - 2.1) < 1e-6);
    free(v.data);
    free(path);
    path = put_file("o2.nii", &h2, sizeof h2, data, sizeof data); /* micrometres */
    assert_int_equal(vox_nifti_read(path, &v, &g, &bad), 0);
    assert_true(fabs(v.spacing[1] - 2.0 / 3 * 1e-3) < 1e-12);
    free(v.data);
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
        round_trip(header, "pair.nii", VOX_NIFTI_U8, DT_UINT8);
        free(image);
        free(header);
    }
}

static void names_of_outputs(void **state) {
    (void)state;
    vox_nifti_writer w;
    char *bad = test_format("%s/labels.png", folder), *none = test_format("%s/none/labels.nii", folder);
    assert_int_equal(vox_nifti_create(&w, bad), 2);
    assert_int_equal(vox_nifti_create(&w, none), 2);
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
        cmocka_unit_test(names_of_outputs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
