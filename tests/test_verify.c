/* voxc verify: passes what is right, fails what is wrong, and names the first wrong layer. */
#include "test.h"

#include "compare.h"

static const char *const model = "models/unet3d_small.yaml --init 1";

static void expect_run(const char *arguments, int code, const char *says) {
    char *command = test_format("%s %s", test_voxc(), arguments), *out;
    int got = test_run(command, &out);
    if (got != code || !strstr(out, says))
        fail_msg("%s: exit code %d, printed %s (expected %d and \"%s\")", command, got, out, code, says);
    free(out), free(command);
}

static void test_right_code_passes_and_limits_bite(void **state) {
    (void)state;
    char *arguments = test_format("verify %s --json", model);
    expect_run(arguments, 0, "\"ok\": true");
    free(arguments);
    arguments = test_format("verify %s --max-rms 1e-12", model);
    expect_run(arguments, 1, "OUT OF TOLERANCE");
    free(arguments);
}

/* Takes the activation out of one layer of a bundle's source. */
static void test_first_wrong_layer_is_named(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    char *arguments = test_format("compile %s -o %s/b", model, dir);
    expect_run(arguments, 0, "");
    free(arguments);
    arguments = test_format("verify %s/b", dir);
    expect_run(arguments, 0, ": ok");
    free(arguments);
    char *edit =
        test_format("cd %s/b && awk '/unet3d_small_e2a_layer = /{inside=1} inside && /VOX_ACT_RELU/"
                    "{sub(/VOX_ACT_RELU/,\"VOX_ACT_NONE\"); inside=0} {print}' unet3d_small_kernels.c > k && "
                    "! cmp -s k unet3d_small_kernels.c && mv k unet3d_small_kernels.c",
                    dir);
    assert_int_equal(test_run(edit, NULL), 0);
    free(edit);
    arguments = test_format("verify %s/b --per-node-accuracy | grep -m1 FIRST; false", dir);
    char *command = test_format("%s %s", test_voxc(), arguments), *out;
    test_run(command, &out);
    assert_non_null(strstr(out, "  e2a "));
    free(out), free(command), free(arguments);
    test_rmdir(dir);
}

static void test_golden_values_come_with_the_bundle(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *arguments = test_format("compile %s --golden -o %s/b", model, dir);
    expect_run(arguments, 0, "");
    free(arguments);
    char *check = test_format("make -s -C %s/b check", dir);
    if (test_run(check, &out) != 0 || !strstr(out, "ok: golden run")) fail_msg("%s", out);
    free(out);
    char *damage = test_format("sed -i 's/^\\(d1a [0-9]* \\)0/\\19/' %s/b/golden/layers.txt", dir);
    assert_int_equal(test_run(damage, NULL), 0);
    assert_int_not_equal(test_run(check, &out), 0);
    if (!strstr(out, "first diverging layer is d1a")) fail_msg("%s", out);
    free(out), free(damage), free(check);
    test_rmdir(dir);
}

static void test_bundle_options_are_refused(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    char *arguments = test_format("compile %s -o %s/b", model, dir);
    expect_run(arguments, 0, "");
    free(arguments);
    arguments = test_format("verify %s/b --init 2", dir);
    expect_run(arguments, 2, "were decided when it was compiled");
    free(arguments);
    char *damage = test_format("rm %s/b/unet3d_small.weights", dir);
    test_run(damage, NULL);
    free(damage);
    arguments = test_format("verify %s/b", dir);
    expect_run(arguments, 2, "unet3d_small.weights");
    free(arguments);
    test_rmdir(dir);
}

/* Programs write them as bytes. */
static void test_outputs_may_be_bools(void **state) {
    (void)state;
    static const char text[] = "graph bools\ninput %x f32[1,2,4,4,4]\nconst %c f32[] splat(0.25)\n"
                               "%m = greater(%x, %c)\n%y = relu(%x)\noutput %m\noutput %y\n";
    char *dir = test_tmpdir(), *path = test_format("%s/bools.ir", dir);
    test_write(path, text, strlen(text));
    char *arguments = test_format("verify %s", path);
    expect_run(arguments, 0, "m bool[1,2,4,4,4]: max abs 0");
    free(arguments), free(path);
    test_rmdir(dir);
}

static void test_onnx_test_data(void **state) {
    (void)state;
    const char *data = "/usr/share/libonnx-testdata/data/node/test_maxpool_3d_default";
    TEST_NEEDS(data);
    char *arguments =
        test_format("verify %s/model.onnx --test-data-dir %s/test_data_set_0 --atol 1e-5", data, data);
    expect_run(arguments, 0, ": ok");
    free(arguments);
    const char *node = "/usr/share/libonnx-testdata/data/node/test_convtranspose_3d";
    arguments =
        test_format("verify %s/model.onnx --test-data-dir %s/test_data_set_0 --atol 1e-5", node, node);
    expect_run(arguments, 0, ": ok");
    free(arguments);
}

static void test_comparison_figures(void **state) {
    (void)state;
    ir_tensor t = {.dtype = IR_F32, .rank = 3, .dim = {1, 2, 2}};
    double expected[] = {1, 0, 0, 1}, got[] = {1, 0.5, 0, 1}, bad[] = {1, NAN, 0, 1};
    ir_value e = {.f = expected}, g = {.f = got}, n = {.f = bad};
    tolerance none = {-1, -1, -1, -1, -1}, loose = {0.5, -1, -1, -1, -1}, strict = {0.4, -1, -1, -1, -1};
    comparison c = compare(&t, &g, &e, 0.5, &none);
    assert_true(c.max_abs == 0.5 && c.worst == 1 && fabs(c.rms - sqrt(0.25 / 2)) < 1e-15);
    assert_true(c.min_dice == 1);
    c = compare(&t, &g, &e, 0.5, &loose);
    assert_true(compare_passes(&c, &loose));
    c = compare(&t, &g, &e, 0.5, &strict);
    assert_false(compare_passes(&c, &strict));
    c = compare(&t, &n, &e, 0.5, &none);
    assert_int_equal(c.not_finite, 1);
    assert_false(compare_passes(&c, &none));
    ir_node sigmoid = {.op = IR_OP_SIGMOID};
    double tiny[] = {1e-20, 1e-20, 1e-20, 1e-20}, other[] = {2e-20, 1e-20, 1e-20, 1e-20};
    ir_value a = {.f = other}, b = {.f = tiny};
    assert_true(compare(&t, &a, &b, 0.5, &none).rms > 0.1);
    t.producer = &sigmoid; /* probabilities are measured against 1 */
    assert_true(compare(&t, &a, &b, 0.5, &none).rms < 1e-19);
    t.producer = NULL;
    double flipped[] = {0, 0, 1, 1};
    g.f = flipped;
    c = compare(&t, &g, &e, 0.5, &none);
    assert_true(c.min_dice == 0); /* labels 0 1 became 1 1: label 0 is gone */
}

static const char *const small =
    "graph small\\ninput %%x f32[1,3,4]\\n%%y = relu(%%x)\\n%%z = tanh(%%y)\\noutput %%z\\n";

static void test_json_with_layers_is_json(void **state) {
    (void)state;
    TEST_NEEDS("/usr/bin/python3");
    char *dir = test_tmpdir(), *text = test_format("printf '%s' >%s/small.ir", small, dir);
    assert_int_equal(test_run(text, NULL), 0);
    char *command =
        test_format("%s verify %s/small.ir --json --per-node-accuracy | python3 -c 'import json, sys; "
                    "r = json.load(sys.stdin); assert r[\"ok\"] and len(r[\"outputs\"]) == 1; "
                    "assert [l[\"name\"] for l in r[\"layers\"]] == [\"y\", \"z\"]'",
                    test_voxc(), dir);
    char *out;
    if (test_run(command, &out) != 0) fail_msg("%s", out);
    free(out), free(command), free(text);
    test_rmdir(dir);
}

/* Whichever step it is in: writing, compiling or running the bundle. */
static void test_interrupt_takes_the_temporary_folder_and_the_compiler_along(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        char *dir = test_tmpdir(), *out;
        char *command = test_format("TMPDIR=%s timeout -s %s 0.%d %s verify %s >/dev/null; ls -A %s; n=50; "
                                    "while ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -q %s && [ $n -gt 0 ]; "
                                    "do sleep 0.1; n=$((n - 1)); "
                                    "done; [ $n -gt 0 ] || echo still running",
                                    dir, i % 2 ? "INT" : "TERM", 1 + 2 * i, test_voxc(), model, dir, dir);
        test_run(command, &out);
        if (*out) fail_msg("after 0.%d s: %s", 1 + 2 * i, out);
        free(out), free(command);
        test_rmdir(dir);
    }
}

int main(void) {
    setenv("CFLAGS", "-O1", 1); /* of the bundles: their speed does not matter here */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparison_figures),
        cmocka_unit_test(test_right_code_passes_and_limits_bite),
        cmocka_unit_test(test_first_wrong_layer_is_named),
        cmocka_unit_test(test_golden_values_come_with_the_bundle),
        cmocka_unit_test(test_bundle_options_are_refused),
        cmocka_unit_test(test_outputs_may_be_bools),
        cmocka_unit_test(test_onnx_test_data),
        cmocka_unit_test(test_json_with_layers_is_json),
        cmocka_unit_test(test_interrupt_takes_the_temporary_folder_and_the_compiler_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
