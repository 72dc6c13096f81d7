/* A bundle's program with every call about files failing in turn, or killed there: fault_lib.h. */
#include "fault_lib.h"

#include <nifti1.h>
#include <zlib.h>

static char *dir;

static const char model[] = "name: tiny\n"
                            "inputs:\n"
                            "  x: {type: f32, shape: [1, 1, 8, 8, 8]}\n"
                            "layers:\n"
                            "  - y: {conv: {channels: 2, kernel: 1}}\n"
                            "  - z: {conv: {channels: 2, kernel: 1}}\n"
                            "outputs: [z]\n"
                            "volume:\n"
                            "  axes: xyz\n"
                            "  prepare:\n"
                            "    - min_max\n"
                            "  border: none\n"
                            "  output: argmax\n";

static void write_volume(const char *name, int dtype, int bytes, bool packed) {
    nifti_1_header h = {.sizeof_hdr = 348,
                        .dim = {3, 8, 8, 8, 1, 1, 1, 1},
                        .pixdim = {1, 1, 1, 1, 1, 1, 1, 1},
                        .datatype = (short)dtype,
                        .bitpix = (short)(8 * bytes),
                        .vox_offset = 352,
                        .sform_code = 1,
                        .srow_x = {1},
                        .srow_y = {0, 1},
                        .srow_z = {0, 0, 1},
                        .magic = "n+1"};
    unsigned char voxels[4 + 512 * 4] = {0};
    uint64_t state = 1;
    for (int i = 0; i < 512; i++) {
        float value = test_random(&state);
        if (dtype == DT_FLOAT32)
            memcpy(voxels + 4 + 4 * i, &value, 4);
        else
            voxels[4 + i] = value > 0;
    }
    char *path = test_format("%s/work/%s", dir, name);
    gzFile f = gzopen(path, packed ? "wb" : "wbT");
    assert_true(f && gzwrite(f, &h, sizeof h) == sizeof h &&
                gzwrite(f, voxels, (unsigned)(4 + 512 * bytes)) == 4 + 512 * bytes && gzclose(f) == Z_OK);
    free(path);
}

/* The program is built once, for one instruction set. */
static int begin(void **state) {
    (void)state;
    if (shim_build("fail_file") != 0) return 1;
    dir = shim_folder();
    char *path = test_format("%s/net.yaml", dir), *out;
    test_write(path, model, sizeof model - 1);
    char *command = test_format(
        "mkdir -p %s/work/layers && %s compile %s --init 1 --golden --no-stream -o %s/b && make -s "
        "-C %s/b ISAS=baseline CFLAGS=-O1 tiny",
        dir, test_voxc(), path, dir, dir);
    int code = test_run(command, &out);
    if (code != 0) print_message("%s", out);
    free(out), free(path), free(command);
    if (code != 0) return code;
    char *from = test_format("%s/b/golden/input_0.npy", dir), *to = test_format("%s/work/x.npy", dir);
    size_t n;
    char *data = test_read(from, &n);
    test_write(to, data, n);
    free(from), free(to), free(data);
    write_volume("v.nii", DT_FLOAT32, 4, false);
    write_volume("v.nii.gz", DT_FLOAT32, 4, true);
    write_volume("a.nii.gz", DT_UINT8, 1, true);
    return 0;
}

static int end(void **state) {
    (void)state;
    free(dir);
    return shim_remove(state);
}

static long calls(const char *name, const char *words, const char *outputs, bool timed,
                  long (*each)(const fault_command *, const char *)) {
    fault_command c = {.name = name, .only = "tiny", .argv = {"../b/tiny"}, .timed = timed};
    char *a = strdup(words), *b = strdup(outputs), *rest;
    int n = 1;
    for (char *w = strtok_r(a, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) c.argv[n++] = w;
    n = 0;
    for (char *w = strtok_r(b, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) c.outputs[n++] = w;
    long count = each(&c, dir);
    free(a), free(b);
    return count;
}

#define CASE(function, words, outputs, timed)                                                                \
    static void function(void **state) {                                                                     \
        (void)state;                                                                                         \
        assert_true(calls(#function, words, outputs, timed, fault_each) > 0);                                \
    }

CASE(run, "run -t 1 x.npy y.npy", "y.npy", false)
CASE(run_with_dump, "run -t 1 x.npy y.npy --dump layers", "y.npy layers/y.npy layers/z.npy", false)
CASE(segment_plain, "segment -t 1 -q v.nii -o o.nii", "o.nii", false)
CASE(segment_packed, "segment -t 1 -q v.nii.gz -o o.nii.gz", "o.nii.gz", false)
CASE(segment_with_all, "segment -t 1 -q v.nii.gz -o o.nii.gz --overlay o.png --scores s.nii",
     "o.nii.gz o.png s.nii", false)
CASE(score, "score -t 1 a.nii.gz a.nii.gz --json", "", false)
CASE(selftest, "selftest -t 1", "", true)
CASE(selftest_golden, "selftest -t 1 --golden ../b/golden", "", true)
CASE(bench_profile, "bench -t 1 -n 1 --profile p.json", "p.json", true)

/* It looks for dcm2niix, and may not find it. */
static void info(void **state) {
    (void)state;
    assert_true(calls("info", "info", "", true, fault_each) >= 0);
}

static void signals_while_it_reads(void **state) {
    (void)state;
    static const char *const rows[][2] = {{"run -t 1 x.npy y.npy", "y.npy"},
                                          {"segment -t 1 -q v.nii -o o.nii", "o.nii"},
                                          {"segment -t 1 -q v.nii.gz -o o.nii", "o.nii"},
                                          {"selftest -t 1 --golden ../b/golden", ""},
                                          {"score -t 1 a.nii.gz a.nii.gz", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(calls("a signal", rows[i][0], rows[i][1], true, fault_signals) > 1);
}

int main(void) {
    if (strstr(test_voxc(), "asan")) {
        puts("skipped: the sanitizer stands before the same calls");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run),
        cmocka_unit_test(run_with_dump),
        cmocka_unit_test(segment_plain),
        cmocka_unit_test(segment_packed),
        cmocka_unit_test(segment_with_all),
        cmocka_unit_test(score),
        cmocka_unit_test(info),
        cmocka_unit_test(selftest),
        cmocka_unit_test(selftest_golden),
        cmocka_unit_test(bench_profile),
        cmocka_unit_test(signals_while_it_reads),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
