/* test_nifti_refused.c: NIfTI files that lie: cut, flipped, with headers that make no sense. */
#include "nifti_lib.h"

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
    assert_int_equal(read_code(folder), 2);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_truncation_is_refused, mute, unmute),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test_setup_teardown(random_headers_never_crash, mute, unmute),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
