/* --fold: more weight files for the same code. */
#include "test.h"

#include "vox_weights.h"

/* Runs voxc with arguments; %1$s is the folder. */
static int voxc(const char *dir, const char *arguments, char **out) {
    char *filled = test_format(arguments, dir), *command = test_format("%s %s", test_voxc(), filled);
    int code = test_run(command, out);
    free(filled);
    free(command);
    return code;
}

static void run(const char *dir, const char *arguments) {
    char *out;
    if (voxc(dir, arguments, &out)) fail_msg("voxc %s: %s", arguments, out);
    free(out);
}

static void *weights(const char *dir, const char *file, size_t *n) {
    char *path = test_format("%s/%s", dir, file);
    void *data = test_read(path, n);
    free(path);
    return data;
}

static void a_folds_weights_are_for_the_first_ones_code(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    for (int i = 0; i < 2; i++)
        run(dir, i ? "export tests/cuda/tiny.yaml --init 2 -o %1$s/b.onnx"
                   : "export tests/cuda/tiny.yaml --init 1 -o %1$s/a.onnx");
    run(dir, "compile %1$s/a.onnx --model-name t --fold %1$s/b.onnx --fold %1$s/a.onnx -o %1$s/folds");
    run(dir, "compile %1$s/a.onnx --model-name t -o %1$s/a");
    run(dir, "compile %1$s/b.onnx --model-name t -o %1$s/b");
    size_t n, m, k, l;
    unsigned char *own = weights(dir, "folds/t.weights", &n),
                  *fold = weights(dir, "folds/t.fold1.weights", &m);
    unsigned char *again = weights(dir, "folds/t.fold2.weights", &k), *b = weights(dir, "b/t.weights", &l);
    assert_true(n == m && n == k && n == l);
    assert_memory_equal(own, again, n);
    vox_weights_header ours, theirs;
    memcpy(&ours, own, sizeof ours);
    memcpy(&theirs, fold, sizeof theirs);
    assert_true(ours.graph_hash == theirs.graph_hash && ours.checksum != theirs.checksum);
    assert_memory_equal(fold + sizeof ours, b + sizeof ours, n - sizeof ours);
    assert_int_equal(vox_weights_check(fold, m, ours.graph_hash, n, NULL, 0), VOX_OK);
    free(own);
    free(fold);
    free(again);
    free(b);
    /* The code is the one that is written without folds; the manifest lists the files. */
    char *command = test_format("cd %s && diff -r -x '*.weights' -x manifest.json a folds && "
                                "grep -q t.fold2.weights folds/manifest.json",
                                dir);
    char *out;
    if (test_run(command, &out)) fail_msg("%s", out);
    free(out);
    free(command);
    test_rmdir(dir);
}

static void another_network_is_no_fold(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    run(dir, "export tests/cuda/tiny.yaml --init 1 -o %1$s/a.onnx");
    run(dir, "export models/unet3d_small.yaml --init 1 -o %1$s/b.onnx");
    assert_int_equal(voxc(dir, "compile %1$s/a.onnx --model-name t --fold %1$s/b.onnx -o %1$s/folds", &out),
                     2);
    if (!strstr(out, "this is another network")) fail_msg("%s", out);
    free(out);
    char *bundle = test_format("%s/folds", dir);
    assert_false(test_exists(bundle));
    free(bundle);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folds_weights_are_for_the_first_ones_code),
        cmocka_unit_test(another_network_is_no_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
