/* Every allocation fails in turn: voxc ends with one line and an error code, never a crash, and leaves
 * nothing. */
#include "shim_lib.h"

enum { MOST_RUNS = 150 }; /* per command: the first ones one by one, then evenly spread */

static const char *only = ""; /* of the shim's environment: which allocations count */

static int build_shim(void **state) {
    (void)state;
    return shim_build("fail_alloc");
}

static long count_allocations(const char *arguments, const char *dir) {
    char *log = test_format("%s/count", dir), *out;
    char *command =
        test_format("FAIL_ALLOC_LOG=%s %s LD_PRELOAD=%s %s %s", log, only, shim, test_voxc(), arguments);
    int code = test_run(command, &out);
    if (code != 0) fail_msg("%s: %s", command, out);
    char *text = test_read(log, NULL);
    long count = atol(text);
    remove(log);
    free(text), free(out), free(command), free(log);
    return count;
}

/* Removes dir/b, which must not be there unless the exit code was 0. */
static void fail_at(const char *arguments, const char *dir, long n) {
    char *command =
             test_format("FAIL_ALLOC=%ld %s LD_PRELOAD=%s %s %s", n, only, shim, test_voxc(), arguments),
         *out;
    char *check = test_format("cd %s && if [ -e b ]; then diff -r b whole && rm -r b; else true; fi && ls -A",
                              dir),
         *left;
    int code = test_run(command, &out);
    if (code > 3 || (code > 0 && strncmp(out, "voxc: ", 6) != 0))
        fail_msg("allocation %ld of voxc %s failed: exit code %d, printed: %s", n, arguments, code, out);
    int same = test_run(check, &left);
    if (same != 0 || (strcmp(left, "whole\n") != 0 && *left))
        fail_msg("allocation %ld of voxc %s failed: exit code %d, left %s", n, arguments, code, left);
    free(left), free(check), free(out), free(command);
}

static void fail_each(const char *format) {
    char *dir = test_tmpdir();
    char *arguments = test_format(format, dir);
    char *keep = test_format("cd %s && if [ -e b ]; then mv b whole; fi", dir);
    long count = count_allocations(arguments, dir);
    test_run(keep, NULL);
    assert_true(count > 10);
    long step = 1;
    int runs = 0;
    for (long n = 1; n <= count; n += step) {
        fail_at(arguments, dir, n);
        if (++runs == MOST_RUNS / 2) step = (count - n) / (MOST_RUNS / 2) + 1;
    }
    free(keep), free(arguments);
    test_rmdir(dir);
}

static void test_inspect(void **state) {
    (void)state;
    fail_each("inspect models/unet3d_small.yaml");
}

/* They are few among the allocations, and the C library's own do not tell when they fail. */
static void test_inspect_reallocations(void **state) {
    (void)state;
    only = "FAIL_ALLOC_ONLY=realloc";
    fail_each("inspect models/unet3d_small.yaml");
    only = "";
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
        cmocka_unit_test(test_inspect_reallocations),
        cmocka_unit_test(test_compile),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests(tests, build_shim, shim_remove);
}
