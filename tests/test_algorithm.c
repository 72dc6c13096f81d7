/* Algorithms of convolutions: what the cost model finds, what a conv's kernel takes over, what memory limits
 * and measured tables change. */
#include "test.h"
#include "test_graph.h"

#include "algorithm.h"
#include "codegen.h"
#include "fit.h"
#include "passes.h"
#include "pipeline.h"

#define CONV "kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\n"

static const char *const net =
    "input %x f32[1,1,24,24,24]\n"
    "const %w0 f32[32,1,3,3,3] random(1)\nconst %w1 f32[64,32,3,3,3] random(2)\n"
    "const %w2 f32[512,64,3,3,3] random(3)\nconst %w3 f32[16,512,1,1,1] random(4)\n"
    "%a = conv(%x, %w0) " CONV "%b = conv(%a, %w1) " CONV
    "%p = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
    "%c = conv(%p, %w2) " CONV
    "%d = conv(%c, %w3) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1\n"
    "output %d\n";

static void run(ir_graph *g) {
    pass_report reports[MAX_PASSES];
    int count;
    ir_diag d = {0};
    if (!pipeline_run(g, &(pipeline_options){0}, reports, &count, &d)) fail_msg("%s", d.text);
}

static const ir_node *node_of(const ir_graph *g, const char *name) {
    for (int i = 0; i < g->n_nodes; i++)
        if (strcmp(g->nodes[i]->name, name) == 0) return g->nodes[i];
    fail_msg("no node %s", name);
    return NULL;
}

static void test_large_convolutions_become_winograd(void **state) {
    (void)state;
    ir_graph *g = test_graph(net);
    g->goals.lanes = 3;
    run(g);
    assert_string_equal(node_of(g, "a")->cpu.way, "direct"); /* one channel in: plain memory */
    assert_string_equal(node_of(g, "d")->cpu.way, "direct"); /* 1x1x1 */
    const ir_node *b = node_of(g, "b"), *c = node_of(g, "c");
    for (int a = 0; a < 3; a++) assert_int_equal(b->cpu.tile[a], 4);
    assert_string_equal(b->cpu.way, "winograd");
    assert_true(b->cpu.batch > 0 && c->cpu.tile[0] == 4);
    assert_int_equal(b->memory.scratch, 3 * cg_lane_bytes(b));
    assert_true(b->out[0]->cpu.fused); /* the pool is b's kernel's work */
    ir_graph_free(g);
}

/* Of so many channels that positions are vector lanes. */
static const char *const few_net = "input %x f32[1,5,24,24,48]\nconst %w f32[5,5,3,3,3] random(1)\n"
                                   "%a = relu(%x)\n%b = conv(%a, %w) " CONV "output %b\n";

/* Along no axis does a tile have more than two outputs, neither of what is chosen nor of what could be. */
static void check_strict(const char *text) {
    ir_graph *g = test_graph(text);
    g->goals.strict = true;
    run(g);
    for (int i = 0; i < g->n_nodes; i++) {
        cg_algorithm list[CG_MAX_ALGORITHMS];
        const ir_node *n = g->nodes[i];
        int count = n->op == IR_OP_CONV ? cg_algorithms(g, n, list) : 0;
        for (int a = 0; a < 3; a++) {
            assert_true(n->cpu.tile[a] <= 2);
            for (int k = 0; k < count; k++) assert_true(list[k].choice.tile[a] <= 2);
        }
    }
    ir_graph_free(g);
}

static void test_strict_allows_small_tiles_only(void **state) {
    (void)state;
    check_strict(net);
    check_strict(few_net);
    ir_graph *g = test_graph(net);
    g->goals.strict = true;
    run(g);
    for (int a = 0; a < 3; a++) assert_int_equal(node_of(g, "b")->cpu.tile[a], 2);
    ir_graph_free(g);
    g = test_graph(few_net); /* which fast math computes by larger ones */
    run(g);
    assert_int_equal(node_of(g, "b")->cpu.tile[0], 4);
    ir_graph_free(g);
}

static void test_whole_values_are_not_fused(void **state) {
    (void)state;
    ir_graph *g = test_graph(net);
    g->goals.whole = true;
    run(g);
    for (int i = 0; i < g->n_tensors; i++)
        assert_true(!g->tensors[i]->cpu.fused && !g->tensors[i]->memory.ring);
    ir_graph_free(g);
}

/* A pool with a window of its own, a second reader, a graph output: b must exist then. */
static void test_only_what_the_kernel_can_do_is_fused(void **state) {
    (void)state;
    static const char *const head = "input %x f32[1,16,24,24,24]\nconst %w f32[16,16,3,3,3] random(1)\n"
                                    "%b.in = relu(%x)\n%b = conv(%b.in, %w) " CONV;
    static const char *const tails[] = {
        "%p = max_pool(%b) kernel=3x3x3 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%q = relu(%p)\noutput %q\n",
        "%p = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%q = relu(%p)\n%r = tanh(%b)\noutput %q\noutput %r\n",
        "%p = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%q = relu(%p)\n%s = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%r = tanh(%s)\noutput %q\noutput %r\n",
        "%p = slice(%b) begin=[0,0,1,1,1] size=1x16x8x8x8 step=[1,1,2,1,1]\n%q = relu(%p)\noutput %q\n",
        "%p = slice(%b) begin=[0,0,1,1,1] size=1x8x8x8x8 step=[1,1,1,1,1]\n%q = relu(%p)\noutput %q\n",
    };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char *text = test_format("%s%s", head, tails[i]);
        ir_graph *g = test_graph(text);
        run(g);
        for (int k = 0; k < g->n_tensors; k++) assert_false(g->tensors[k]->cpu.fused);
        ir_graph_free(g);
        free(text);
    }
}

/* One that leaves an odd plane, row or column out is the kernel's work; one that hangs over the edge is not.
 */
static void test_pools_of_odd_sizes_are_fused_if_they_round_down(void **state) {
    (void)state;
    for (int odd = 0; odd < 8; odd++)
        for (int ceil = 0; ceil < 2; ceil++) {
            char *text = test_format(
                "input %%x f32[1,16,%d,%d,%d]\nconst %%w f32[16,16,3,3,3] random(1)\n%%a = relu(%%x)\n"
                "%%b = conv(%%a, %%w) " CONV "%%p = max_pool(%%b) kernel=2x2x2 stride=2x2x2 "
                "dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=%d\n%%q = relu(%%p)\noutput %%q\n",
                24 + (odd & 1), 24 + (odd >> 1 & 1), 24 + (odd >> 2), ceil);
            ir_graph *g = test_graph(text);
            run(g);
            assert_true(node_of(g, "b")->cpu.tile[0]);
            if (node_of(g, "b")->out[0]->cpu.fused != !(odd && ceil)) fail_msg("%s", text);
            ir_graph_free(g);
            free(text);
        }
}

static bool keep_kernels(void *to, const char *path, const void *data, size_t size, ir_diag *d) {
    (void)d;
    if (strcmp(path, "t_kernels.c") == 0) *(char **)to = test_format("%.*s", (int)size, (const char *)data);
    return true;
}

/* Each axis has an offset of its own. */
static void test_fused_crops_begin_where_they_should(void **state) {
    (void)state;
    ir_graph *g = test_graph(
        "input %x f32[1,16,24,24,24]\nconst %w f32[16,16,3,3,3] random(1)\n%a = relu(%x)\n"
        "%b = conv(%a, %w) " CONV
        "%p = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%s = slice(%b) begin=[0,0,3,5,7] size=[1,16,12,12,12] step=[1,1,1,1,1]\n%q = add(%p, %s)\n"
        "%r = relu(%q)\noutput %r\n");
    char *kernels = NULL;
    cg_options o = {.version = "0", .options = "", .input = "t.ir"};
    ir_diag d = {0};
    g->goals.lanes = 1;
    run(g);
    assert_true(node_of(g, "b")->out[0]->cpu.fused);
    if (!cg_write_bundle(g, &o, keep_kernels, &kernels, &d)) fail_msg("%s", d.text);
    if (!strstr(kernels, "{3, 5, 7}")) fail_msg("no crop begins at {3, 5, 7}:\n%s", kernels);
    free(kernels);
    ir_graph_free(g);
}

/* A pool of a value that is kept is its conv's work, once, unless that takes more memory. */
static void test_what_is_pooled_and_kept_is_stored_twice(void **state) {
    (void)state;
    static const char *const text =
        "input %x f32[1,16,24,24,24]\nconst %w f32[16,16,3,3,3] random(1)\n"
        "const %t f32[16,64,2,2,2] random(2)\nconst %v f32[16,80,3,3,3] random(3)\n%b.in = relu(%x)\n"
        "%b = conv(%b.in, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\n"
        "%p = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%q = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
        "%s = add(%p, %q)\n%u = conv_transpose(%s, %t) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 "
        "pad=[0,0,0,0,0,0] output_pad=[0,0,0] group=1\n%c = concat(%b, %u) axis=1\n"
        "%d = conv(%c, %v) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\noutput %d\n";
    ir_graph *g = test_graph(text);
    run(g);
    assert_true(node_of(g, "b")->cpu.tile[0] && node_of(g, "p")->cpu.joined && !node_of(g, "q")->cpu.joined);
    ir_graph *copy = ir_copy(g);
    assert_true(node_of(copy, "p")->cpu.joined && !node_of(copy, "q")->cpu.joined);
    ir_graph_free(copy);
    ir_graph_free(g);
    g = test_graph("input %x f32[1,16,24,24,24]\nconst %w f32[16,16,3,3,3] random(1)\n%a = relu(%x)\n"
                   "%b = conv(%a, %w) " CONV
                   "%p = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
                   "%q = relu(%p)\n%r = tanh(%b)\noutput %q\noutput %r\n");
    run(g); /* most memory is needed at b */
    assert_false(node_of(g, "p")->cpu.joined);
    ir_graph_free(g);
}

/* ---- memory limits --------------------------------------------------------------------------- */

static int64_t together(fit_point p) {
    assert_true(p.ok);
    return p.arena + p.prepared;
}

static void test_limits_are_met_or_refused(void **state) {
    (void)state;
    ir_graph *g = test_graph(net);
    g->goals.lanes = 8;
    int64_t least = INT64_MAX, most = together(fit_measure(g, IR_FASTEST));
    for (int i = 0; i < IR_THRIFT_COUNT; i++) {
        int64_t bytes = together(fit_measure(g, (ir_thrift)i));
        if (bytes < least) least = bytes;
    }
    assert_true(least < most);
    ir_diag d = {0};
    g->goals.max_memory = most;
    assert_true(fit(g, &d));
    assert_int_equal(g->goals.thrift, IR_FASTEST);
    g->goals.max_memory = least;
    assert_true(fit(g, &d));
    run(g);
    assert_true(g->arena_bytes + cg_prepared_bytes(g, &d) <= least);
    ir_graph_free(g);

    g = test_graph(net);
    g->goals.lanes = 8;
    g->goals.max_memory = least - 1;
    assert_false(fit(g, &d));
    char *number = test_format("needs %lld bytes", (long long)least);
    assert_int_equal(d.code, IR_EXIT_INPUT);
    assert_non_null(strstr(d.text, number));
    free(number);
    ir_graph_free(g);
}

static void expect_refusal(const char *arguments, const char *words) {
    char *command =
        test_format("%s compile models/unet3d_small.yaml --init 1 -o /nowhere %s", test_voxc(), arguments);
    char *out;
    assert_int_equal(test_run(command, &out), 2);
    if (!strstr(out, words)) fail_msg("expected '%s' in: %s", words, out);
    free(out), free(command);
}

static void test_bad_options_are_refused(void **state) {
    (void)state;
    expect_refusal("--max-memory 1K", "--max-memory: unet3d_small needs");
    expect_refusal("--max-memory 12Q", "expected bytes, with K, M or G behind");
    expect_refusal("--max-memory -1", "expected bytes");
    expect_refusal("--max-memory 9223372036854775807G", "expected bytes");
    expect_refusal("--math sloppy", "expected fast or strict");
    expect_refusal("--threads 0", "expected a whole number from 1");
    expect_refusal("--tune --tuning x", "exclude each other");
    expect_refusal("--tuning /nowhere", "/nowhere");
    expect_refusal("--tuning models/unet3d.yaml", "models/unet3d.yaml");
}

/* ---- measured tables ------------------------------------------------------------------------- */

static void shell(const char *command) {
    char *out;
    if (test_run(command, &out) != 0) fail_msg("%s\n%s", command, out);
    free(out);
}

/* The table is in the manifest, and gives the same bytes without measuring. */
static void test_a_tuned_bundle_comes_again_from_its_table(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    setenv("CFLAGS", "-O0", 1); /* of the trials' builds: which way wins does not matter here */
    char *model = test_format("%s/t.ir", dir);
    static const char *const text = "graph t\ninput %x f32[1,16,8,8,8]\nconst %w f32[16,16,3,3,3] random(1)\n"
                                    "%r = relu(%x)\n%b = conv(%r, %w) " CONV "output %b\n";
    test_write(model, text, strlen(text));
    char *command = test_format("cd %s && V=$OLDPWD/%s && $V compile t.ir -o a --tune && "
                                "grep -q '\"tuning\"' a/manifest.json && "
                                "$V compile t.ir -o b --tuning a/manifest.json && diff -r a b && "
                                "$V inspect t.ir --tuning a/manifest.json --opt-report",
                                dir, test_voxc());
    shell(command);
    unsetenv("CFLAGS");
    free(command), free(model);
    test_rmdir(dir);
}

/* Of two convs, of 16 and of 4 channels: what their lines say behind the attributes. */
static void expect_ways(const char *dir, const char *table, const char *b, const char *f) {
    char *manifest = test_format("{\"tuning\": [%s]}", table), *path = test_format("%s/m.json", dir), *out;
    char *command =
        test_format("%s inspect %s/t.ir --tuning %s/m.json --dump-ir-after algorithm", test_voxc(), dir, dir);
    test_write(path, manifest, strlen(manifest));
    const int code = test_run(command, &out);
    if (!strstr(out, b) || !strstr(out, f) || code != (strstr(b, "way=") ? 0 : 2))
        fail_msg("%s: expected '%s' and '%s' in: %s", table, b, f, out);
    free(out), free(command), free(path), free(manifest);
}

/* Tables name ways; those written before ways had names are read as they were meant. */
static void test_tables_of_measured_choices_are_read_or_refused(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *model = test_format("%s/t.ir", dir);
    static const char *const text =
        "graph t\ninput %x f32[1,16,8,8,48]\ninput %z f32[1,4,8,8,48]\nconst %w f32[16,16,3,3,3] random(1)\n"
        "const %v f32[4,4,3,3,3] random(2)\n%r = relu(%x)\n%b = conv(%r, %w) " CONV
        "%c = neg(%b)\n%q = relu(%z)\n%f = conv(%q, %v) " CONV "%g = neg(%f)\noutput %c\noutput %g\n";
    static const char *const expected =
        "expected the manifest.json of a bundle that was compiled with --tune";
    test_write(model, text, strlen(text));
    expect_ways(dir,
                "{\"layer\": \"b\", \"way\": \"deep\", \"tile\": [2, 4, 4]}, "
                "{\"layer\": \"f\", \"way\": \"direct\", \"tile\": [0, 0, 0]}",
                " way=deep tile=2x4x4", " way=direct_few");
    expect_ways(
        dir, "{\"layer\": \"b\", \"winograd\": [2, 4, 4, 0]}, {\"layer\": \"f\", \"winograd\": [0, 0, 0, 0]}",
        " way=deep tile=2x4x4", " way=direct_few");
    expect_ways(
        dir, "{\"layer\": \"b\", \"winograd\": [2, 2, 2, 1]}, {\"layer\": \"f\", \"winograd\": [4, 4, 1, 1]}",
        " way=winograd tile=2x2x2 batch=48", " way=few tile=4x4x1");
    expect_ways(dir, "{\"layer\": \"b\", \"winograd\": [0, 0, 0, 0]}", " way=direct ", " way=few");
    expect_ways(dir, "{\"layer\": \"b\", \"way\": \"few\", \"tile\": [4, 4, 1]}", " way=winograd",
                " way=few");
    expect_ways(dir, "{\"layer\": \"b\", \"way\": \"quick\", \"tile\": [2, 4, 4]}",
                "m.json: layer b: there is no way 'quick'", "expected one of direct, winograd, deep, few");
    expect_ways(dir, "{\"layer\": \"b\", \"way\": \"deep\", \"tile\": [2, 4]}", expected, "");
    expect_ways(dir, "{\"layer\": \"b\", \"way\": \"deep\"}", expected, "");
    expect_ways(dir, "{\"layer\": \"b\", \"winograd\": [2, 4, 4]}", expected, "");
    free(model);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_convolutions_become_winograd),
        cmocka_unit_test(test_strict_allows_small_tiles_only),
        cmocka_unit_test(test_whole_values_are_not_fused),
        cmocka_unit_test(test_only_what_the_kernel_can_do_is_fused),
        cmocka_unit_test(test_pools_of_odd_sizes_are_fused_if_they_round_down),
        cmocka_unit_test(test_fused_crops_begin_where_they_should),
        cmocka_unit_test(test_what_is_pooled_and_kept_is_stored_twice),
        cmocka_unit_test(test_limits_are_met_or_refused),
        cmocka_unit_test(test_bad_options_are_refused),
        cmocka_unit_test(test_tables_of_measured_choices_are_read_or_refused),
        cmocka_unit_test(test_a_tuned_bundle_comes_again_from_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
