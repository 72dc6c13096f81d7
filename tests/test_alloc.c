/* Every allocation fails in turn: voxc ends with one line and an error code, never a crash, and leaves
 * nothing. */
#include "test.h"

enum { MOST_RUNS = 150 }; /* per command: the first ones one by one, then evenly spread */

static char *shim;

static int build_shim(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    shim = test_format("%s/fail_alloc.so", dir);
    char *command = test_format("cc -shared -fPIC -O1 -o %s tests/fail_alloc.c", shim);
    int code = test_run(command, NULL);
    free(command), free(dir);
    return code;
}

static int remove_shim(void **state) {
    (void)state;
    *strrchr(shim, '/') = 0;
    test_rmdir(shim);
    return 0;
}

static long count_allocations(const char *arguments, const char *dir) {
    char *log = test_format("%s/count", dir), *out;
    char *command = test_format("FAIL_ALLOC_LOG=%s LD_PRELOAD=%s %s %s", log, shim, test_voxc(), arguments);
    int code = test_run(command, &out);
    if (code != 0) fail_msg("%s: %s", command, out);
    char *text = test_read(log, NULL);
    long count = atol(text);
    remove(log);
    free(text), free(out), free(command), free(log);
    return count;
}

static void fail_at(const char *arguments, long n) {
    char *command = test_format("FAIL_ALLOC=%ld LD_PRELOAD=%s %s %s", n, shim, test_voxc(), arguments), *out;
    int code = test_run(command, &out);
    if (code < 1 || code > 3 || strncmp(out, "voxc: ", 6) != 0)
        fail_msg("allocation %ld of voxc %s failed: exit code %d, printed: %s", n, arguments, code, out);
    free(out), free(command);
}

static void fail_each(const char *format) {
    char *dir = test_tmpdir();
    char *arguments = test_format(format, dir);
    char *clean = test_format("rm -rf %s/b", dir), *list = test_format("ls -A %s", dir), *out;
    long count = count_allocations(arguments, dir);
    assert_true(count > 10);
    long step = 1;
    int runs = 0;
    for (long n = 1; n <= count; n += step) {
        test_run(clean, NULL);
        fail_at(arguments, n);
        assert_int_equal(test_run(list, &out), 0);
        if (*out) fail_msg("allocation %ld of voxc %s failed and left %s", n, arguments, out);
        free(out);
        if (++runs == MOST_RUNS / 2) step = (count - n) / (MOST_RUNS / 2) + 1;
    }
    free(list), free(clean), free(arguments);
    test_rmdir(dir);
}

static void test_inspect(void **state) {
    (void)state;
    fail_each("inspect models/unet3d_small.yaml");
}

static void test_compile(void **state) {
    (void)state;
    fail_each("compile models/unet3d_small.yaml --init 1 -o %s/b");
}

static void test_export(void **state) {
    (void)state;
    fail_each("export models/unet3d_small.yaml --init 1 -o %s/b");
}

int main(void) {
    if (getenv("VOXC") && strstr(getenv("VOXC"), "asan")) {
        puts("skipped: the sanitizer has its own allocator");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inspect),
        cmocka_unit_test(test_compile),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests(tests, build_shim, remove_shim);
}
