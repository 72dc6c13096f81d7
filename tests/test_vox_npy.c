/* test_vox_npy.c: the bundle program's .npy reader and writer. */
#include "test.h"

#include "npy_port.h"

static char *folder;

static int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

static const vox_port port = {"image", VOX_F32, 3, {2, 3, 2}};

/* A file as numpy writes it: version 1.0, the header text padded to 64. */
static char *make(const char *name, const char *text, const void *data, size_t n) {
    char buffer[512] = {0};
    size_t used = strlen(text);
    memcpy(buffer, "\x93NUMPY\x01", 7);
    memcpy(buffer + 10, text, used);
    used += 10;
    while ((used + 1) % 64 != 0) buffer[used++] = ' ';
    buffer[used++] = '\n';
    buffer[8] = (char)(used - 10);
    memcpy(buffer + used, data, n);
    char *path = test_format("%s/%s", folder, name);
    test_write(path, buffer, used + n);
    return path;
}

static int read_into(const char *path, float *x) {
    for (int i = 0; i < 12; i++) x[i] = -1;
    return vox_npy_read_port(path, &port, x);
}

static void round_trip_of_every_type(void **state) {
    (void)state;
    static const vox_dtype types[] = {VOX_F32, VOX_I64, VOX_I32, VOX_U8};
    for (size_t i = 0; i < 4; i++) {
        unsigned char out[24 * 8], in[24 * 8];
        vox_port p = {"x", types[i], 4, {1, 2, 3, 4}};
        for (size_t k = 0; k < sizeof out; k++) out[k] = (unsigned char)(37 * k);
        char *path = test_format("%s/type.npy", folder);
        assert_int_equal(vox_npy_write_array(path, p.dtype, p.rank, p.dim, out), 0);
        assert_int_equal(vox_npy_read_port(path, &p, in), 0);
        assert_memory_equal(in, out, 24 * vox_dtype_bytes(types[i]));
        free(path);
    }
}

static void header_is_numpys(void **state) {
    (void)state;
    const float x[2] = {1, 2};
    const int dim[1] = {2};
    size_t n;
    char *path = test_format("%s/h.npy", folder);
    assert_int_equal(vox_npy_write_array(path, VOX_F32, 1, dim, x), 0);
    char *text = test_read(path, &n);
    assert_non_null(strstr(text + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"));
    assert_int_equal((n - 8) % 64, 0);
    free(text);
    free(path);
}

static void fortran_order_and_big_endian_are_converted(void **state) {
    (void)state;
    float f[12], x[12];
    unsigned char big[48];
    for (int i = 0; i < 12; i++) f[i] = (float)i;
    char *path = make("f.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 2), }", f, sizeof f);
    assert_int_equal(read_into(path, x), 0);
    /* element (a, b, c) stands at a + 2b + 6c */
    assert_true(x[0] == 0 && x[1] == 6 && x[2] == 2 && x[6] == 1 && x[11] == 11 && x[5] == 10);
    free(path);
    for (size_t i = 0; i < 12; i++) {
        for (size_t b = 0; b < 4; b++) big[4 * i + b] = ((unsigned char *)&f[i])[3 - b];
    }
    path = make("b.npy", "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3, 2), }", big, sizeof big);
    assert_int_equal(read_into(path, x), 0);
    assert_memory_equal(x, f, sizeof f);
    free(path);
}

static void bad_files_are_refused(void **state) {
    (void)state;
    static const char *const headers[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 3), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (12,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 2",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3, 2), }",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2, 3, 2), }",
        "{'fortran_order': False, 'shape': (2, 3, 2), }",
        "",
    };
    float f[13] = {0}, x[12];
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char *path = make("bad.npy", headers[i], f, 48);
        assert_int_equal(read_into(path, x), 2);
        assert_true(x[0] == -1); /* untouched */
        free(path);
    }
    char *path = make("long.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 2), }", f, 52);
    assert_int_equal(read_into(path, x), 2);
    free(path);
    assert_int_equal(read_into("/nonexistent/x.npy", x), 2);
    assert_int_equal(read_into(folder, x), 2);
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    float f[12] = {0}, x[12];
    size_t n;
    char *path = make("t.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 2), }", f, sizeof f);
    char *whole = test_read(path, &n);
    assert_int_equal(read_into(path, x), 0);
    for (size_t cut = 0; cut < n; cut += cut < 16 ? 1 : 13) {
        test_write(path, whole, cut);
        assert_int_equal(read_into(path, x), 2);
    }
    whole[9] = 0x7f; /* a header of 32 KiB that is not there */
    test_write(path, whole, n);
    assert_int_equal(read_into(path, x), 2);
    whole[6] = 9; /* a later format */
    test_write(path, whole, n);
    assert_int_equal(read_into(path, x), 3);
    free(whole);
    free(path);
}

static void sizes_are_checked(void **state) {
    (void)state;
    const int huge[8] = {2147483647, 2147483647, 2147483647, 2, 2, 2, 2, 2}, negative[1] = {-1};
    assert_true(vox_array_bytes(VOX_F32, 3, huge) == SIZE_MAX);
    assert_true(vox_array_bytes(VOX_F32, 1, negative) == SIZE_MAX);
    assert_int_equal(vox_array_bytes(VOX_I64, 0, NULL), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_of_every_type),
        cmocka_unit_test(header_is_numpys),
        cmocka_unit_test(fortran_order_and_big_endian_are_converted),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
