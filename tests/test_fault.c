/* Every call about files fails in turn, or the process is killed there: over an earlier bundle, from beside
 * it or from inside, compile leaves that one or the new one, whole, beside a file of the user's; the next run
 * leaves nothing else. With FAULT_ALL in the environment each call, else RUNS of them. */
#include "fault_lib.h"

enum { RUNS = 12 }; /* per kind of failure, evenly spread over the calls */

static int build_shim(void **state) {
    (void)state;
    return shim_build("fail_file");
}

/* Writes dir/b with weights of that seed, from beside it or from inside,
 * where the folder itself must stay. */
static bool inside;

static int compile(const char *dir, int seed, const char *environment, char **out) {
    char *command = inside ? test_format("cd %s/b && %s $VOXC compile ../net.yaml --init %d --golden -o .",
                                         dir, environment, seed)
                           : test_format("cd %s && %s $VOXC compile net.yaml --init %d --golden -o b", dir,
                                         environment, seed);
    int code = test_run(command, out);
    free(command);
    return code;
}

static int same_folders(const char *dir, const char *a, const char *b) {
    char *command = test_format("diff -r %s/%s %s/%s", dir, a, dir, b);
    int code = test_run(command, NULL);
    free(command);
    return code;
}

/* What a killed run left of an earlier bundle comes back before the next one begins to write. */
static void comes_back(const char *dir, long n) {
    char *command = test_format(
        "cd %s/b && $VOXC compile ../net.yaml --init 2 --memory-report /nowhere/x.json -o .", dir);
    assert_int_equal(test_run(command, NULL), 1);
    if (same_folders(dir, "b", "new") != 0 && same_folders(dir, "b", "old") != 0)
        fail_msg("killed at call %ld: the bundle is neither the old one nor the new one", n);
    free(command);
}

/* dir with net.yaml, the whole bundles old and new, each with a file of the user's, and b like old. */
static char *prepare(void) {
    char *dir = test_tmpdir(), *path = test_format("%s/net.yaml", dir);
    test_write(path, fault_model, sizeof fault_model - 1);
    char *folder = test_format("mkdir %s/b", dir);
    assert_int_equal(test_run(folder, NULL), 0);
    free(folder);
    for (int seed = 1; seed <= 2; seed++) {
        char *command =
            test_format("cd %s && echo mine >b/mine.txt && cp -r b %s", dir, seed == 1 ? "old" : "new");
        assert_int_equal(compile(dir, seed, "", NULL), 0);
        assert_int_equal(test_run(command, NULL), 0);
        free(command);
    }
    assert_int_equal(compile(dir, 1, "", NULL), 0);
    free(path);
    return dir;
}

static void fail_at(const char *dir, long n, int error, bool always) {
    char *out, *left, *list = test_format("ls -A %s", dir);
    char *environment =
        test_format("LD_PRELOAD=%s FAIL_FILE=%ld FAIL_ERRNO=%d FAIL_ALWAYS=%d", shim, n, error, always);
    int code = compile(dir, 2, environment, &out);
    bool is_new = same_folders(dir, "b", "new") == 0;
    bool ended = error ? code <= 3 : code == 128 + 9;
    if (inside && error == 0)
        comes_back(dir, n);
    else if (!ended || (!is_new && same_folders(dir, "b", "old") != 0) ||
             (code == 0) != (is_new && error != 0))
        if (!(error == 0 && is_new))
            fail_msg("call %ld, error %d: exit code %d, printed %s; b is %s", n, error, code, out,
                     is_new ? "new" : "old or neither");
    test_run(list, &left);
    if (error && strcmp(left, "b\nnet.yaml\nnew\nold\n") != 0) fail_msg("call %ld left %s", n, left);
    free(left), free(out), free(environment);
    if (compile(dir, 1, "", &out) != 0) fail_msg("after call %ld: %s", n, out);
    test_run(list, &left);
    if (strcmp(left, "b\nnet.yaml\nnew\nold\n") != 0 || same_folders(dir, "b", "old") != 0)
        fail_msg("after call %ld, error %d, the next run leaves %s", n, error, left);
    free(left), free(out), free(list);
}

static void fail_each(int error, bool always) {
    char *dir = prepare(), *log = test_format("%s/log", dir);
    char *environment = test_format("LD_PRELOAD=%s FAIL_LOG=%s", shim, log);
    assert_int_equal(compile(dir, 1, environment, NULL), 0);
    char *text = test_read(log, NULL);
    const long count = atol(text), step = getenv("FAULT_ALL") ? 1 : count / RUNS + 1;
    remove(log);
    assert_true(count > 100);
    for (long n = 1 + error % 7; n <= count; n += step) fail_at(dir, n, error, always);
    free(text), free(environment), free(log);
    test_rmdir(dir);
}

static void killed(void **state) {
    (void)state;
    fail_each(0, false);
}
static void an_error_of_the_disk(void **state) {
    (void)state;
    fail_each(EIO, false);
}
static void a_signal_in_between(void **state) {
    (void)state;
    fail_each(EINTR, false);
}
static void a_full_disk(void **state) {
    (void)state;
    fail_each(ENOSPC, true);
}

static void in_place(int error, bool always) {
    inside = true;
    fail_each(error, always);
    inside = false;
}

static void killed_in_place(void **state) {
    (void)state;
    in_place(0, false);
}
static void an_error_of_the_disk_in_place(void **state) {
    (void)state;
    in_place(EIO, false);
}
static void a_full_disk_in_place(void **state) {
    (void)state;
    in_place(ENOSPC, true);
}

int main(void) {
    if (strstr(test_voxc(), "asan")) {
        puts("skipped: the sanitizer stands before the same calls");
        return 0;
    }
    char *voxc = realpath(test_voxc(), NULL);
    if (!voxc || setenv("VOXC", voxc, 1) != 0) return 1;
    free(voxc);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed),
        cmocka_unit_test(an_error_of_the_disk),
        cmocka_unit_test(a_signal_in_between),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(killed_in_place),
        cmocka_unit_test(an_error_of_the_disk_in_place),
        cmocka_unit_test(a_full_disk_in_place),
    };
    return cmocka_run_group_tests(tests, build_shim, shim_remove);
}
