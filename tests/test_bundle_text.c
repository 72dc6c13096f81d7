/* A bundle's text: the same graph gives the same bytes, and what no bundle can hold is refused in words. */
#include "bundle_lib.h"

/* ---- determinism ----------------------------------------------------------------------------- */

static void write_net(char *dir) {
    ir_graph *g =
        parse_or_fail("graph net\ninput %x f32[1,3,9,8,7]\nconst %w f32[5,3,3,3,3] random(1)\n"
                      "%a = conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] "
                      "group=1 act=relu\n%y = softmax(%a) axis=1\noutput %y\n");
    plan(g);
    write_bundle(g, dir);
    ir_graph_free(g);
}

static void same_graph_same_bytes(void **state) {
    char *a = test_tmpdir(), *b = test_tmpdir();
    (void)state;
    write_net(a);
    write_net(b);
    char *cmd = test_format("diff -r '%s' '%s' && ! grep -rlIw -e '%s' -e \"$(hostname)\" '%s'", a, b, a, a);
    shell_ok(cmd);
    free(cmd);
    test_rmdir(a);
    test_rmdir(b);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static bool ignore_file(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    (void)ctx, (void)path, (void)data, (void)size, (void)d;
    return true;
}

static void refused(const char *text, int code, const char *const words[]) {
    ir_graph *g = parse_or_fail(text);
    ir_diag d = {0};
    g->goals.whole = true; /* or streams would do with little memory */
    plan(g);
    cg_options o = test_options();
    assert_false(cg_write_bundle(g, &o, ignore_file, NULL, &d));
    assert_int_equal(d.code, code);
    for (int i = 0; words[i]; i++)
        if (!strstr(d.text, words[i])) fail_msg("expected \"%s\" in: %s", words[i], d.text);
    ir_graph_free(g);
}

/* Sizes that 32-bit arithmetic in the kernels could not hold. */
static void refuses_what_it_cannot_count(void **state) {
    (void)state;
    const char *const count[] = {"2^31", NULL};
    refused("graph g\ninput %x f32[1,1,50000,50000]\n%y = relu(%x)\noutput %y\n", IR_EXIT_UNSUPPORTED, count);
    refused("graph g\ninput %x f32[1,3000000,1000,1,1]\n%y = relu(%x)\noutput %y\n", IR_EXIT_UNSUPPORTED,
            count);
    refused("graph g\ninput %x f32[3000000000]\n%y = relu(%x)\noutput %y\n", IR_EXIT_UNSUPPORTED, count);
    refused("graph g\ninput %x f32[1,1,9]\nconst %w f32[1,1,3] splat(1)\n%y = conv(%x, %w) kernel=[3] "
            "stride=[1] dilation=[1500000000] pad=[1500000000,1500000000] group=1\noutput %y\n",
            IR_EXIT_UNSUPPORTED, count);
    refused("graph g\ninput %x f32[1,1,1100,1100,1100]\n%y = relu(%x)\n%z = neg(%y)\n%a = add(%y, %z)\n"
            "%b = add(%y, %a)\n%c = add(%b, %a)\noutput %c\n",
            IR_EXIT_UNSUPPORTED, (const char *const[]){"beyond 8 GiB", NULL});
}

static void refuses_what_it_has_no_kernel_for(void **state) {
    (void)state;
    refused("graph g\ninput %c bool[4]\ninput %x f32[4]\n%pick = where(%c, %x, %x)\noutput %pick\n",
            IR_EXIT_UNSUPPORTED,
            (const char *const[]){"where pick", "bool[4], f32[4], f32[4] -> f32[4]", "test:4", NULL});
    refused("graph g\ninput %x i64[4]\n%less = neg(%x)\noutput %less\n", IR_EXIT_UNSUPPORTED,
            (const char *const[]){"neg less", "i64[4] -> i64[4]", "f32", NULL});
    refused("graph g\ninput %x f64[4]\n%less = neg(%x)\noutput %less\n", IR_EXIT_UNSUPPORTED,
            (const char *const[]){"f64", NULL});
    refused(
        "graph g\ninput %x f32[1,1,2]\nconst %n f32[1,1,2] {0, nan}\n%s = conv(%x, %n) kernel=[2] stride=[1] "
        "dilation=[1] pad=[0,0] group=1\noutput %s\n",
        IR_EXIT_INPUT, (const char *const[]){"n: element 1 is NaN", NULL});
    refused("graph g\ninput %x f32[2]\nconst %n f32[2] opaque\n%s = add(%x, %n)\noutput %s\n", IR_EXIT_INPUT,
            (const char *const[]){"n has no data", NULL});
}

static void refuses_names_that_a_bundle_needs_itself(void **state) {
    (void)state;
    static const char *const names[] = {"vox",   "vox_run", "double",   "namespace", "runtime",
                                        "build", "clean",   "Makefile", "LICENSE",   "test",
                                        "m",     "c",       "string"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = test_format("graph %s\ninput %%x f32[2]\n%%s = add(%%x, %%x)\noutput %%s\n", names[i]);
        refused(text, IR_EXIT_INPUT, (const char *const[]){names[i], "--model-name", NULL});
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_graph_same_bytes),
        cmocka_unit_test(refuses_what_it_has_no_kernel_for),
        cmocka_unit_test(refuses_names_that_a_bundle_needs_itself),
        cmocka_unit_test(refuses_what_it_cannot_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
