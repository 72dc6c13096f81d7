/* A bundle of Winograd convolutions, with what their kernels do besides: what a NaN in the input spoils is
 * what it spoils by the interpreter's plain formula. */
#include "bundle_lib.h"

#define CONV "kernel=3x3x3 stride=1x1x1 group=1 "
#define SAME "dilation=1x1x1 pad=[1,1,1,1,1,1] "
static const char *const network =
    "graph net\ninput %x f32[1,16,20,19,22]\n"
    "const %wa f32[32,16,3,3,3] random(1, 0.1)\nconst %wb f32[32,32,3,3,3] random(2, 0.1)\n"
    "const %wc f32[48,32,3,3,3] random(3, 0.1)\nconst %bias f32[32] random(4)\n"
    "%a = conv(%x, %wa, %bias) " CONV SAME "act=relu\n"
    "%p = max_pool(%a) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
    "%s = slice(%a) begin=[0,0,3,4,5] size=[1,32,10,9,11] step=[1,1,1,1,1]\n"
    "%b = conv(%p, %wb) " CONV SAME "act=elu alpha=1\n"
    "%c = conv(%s, %wc) " CONV "dilation=1x2x1 pad=[1,0,2,1,1,0]\n"
    "%q = max_pool(%b) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
    "%m = neg(%b)\n%n = neg(%c)\n%r = neg(%q)\noutput %m\noutput %n\noutput %r\n";

/* The pass would not: b is where most memory is needed. */
static void join_the_second_pool(ir_graph *g, const char *pass) {
    if (!strcmp(pass, "epilogue")) ir_find_tensor(g, "q")->producer->cpu.joined = true;
}

/* Every conv by Winograd's algorithm; the one that writes b transforms its weights on the way. */
static void make_bundle(char *dir) {
    static const ir_tuned tuned[] = {
        {"a", "winograd", {4, 4, 4}}, {"b", "deep", {2, 4, 4}}, {"c", "winograd", {4, 4, 4}}};
    ir_graph *g = parse_or_fail(network);
    g->goals.n_tuned = sizeof tuned / sizeof *tuned, g->goals.tuned = tuned;
    plan_with(g, join_the_second_pool);
    write_bundle(g, dir);
    ir_graph_free(g);
}

static size_t count_nan(const vox_port *p, const float *x) {
    size_t n = 0;
    for (size_t i = 0; i < port_count(p); i++) n += x[i] != x[i];
    return n;
}

static void a_nan_spoils_no_more_than_by_the_plain_formula(void **state) {
    (void)state;
    static const size_t places[] = {0, 3333, 16 * 20 * 19 * 22 - 1};
    char *dir = test_tmpdir();
    make_bundle(dir);
    loaded l = load_bundle(dir, "net", "gcc", "-O1");
    buffers b = make_buffers(l.info);
    ir_graph *g = parse_or_fail(network);
    float *x = b.in[0];
    for (int i = 0; i < l.info->n_layers; i++)
        if (!strncmp(l.info->layers[i].op, "conv", 4))
            assert_non_null(strstr(l.info->layers[i].op, "Winograd"));
        else
            assert_null(strstr(l.info->layers[i].op, "pool"));
    for (int i = -1; i < 3; i++) {
        const float kept = i < 0 ? 0 : x[places[i]];
        if (i >= 0) x[places[i]] = NAN;
        assert_int_equal(run_with(&l, &b, NULL), VOX_OK);
        compare_with_interpreter(g, l.info, &b, 1e-5);
        const size_t bad = count_nan(&l.info->outputs[0], b.out[0]);
        assert_true(i < 0 ? bad == 0 : bad > 0 && bad < port_count(&l.info->outputs[0]) / 4);
        if (i >= 0) x[places[i]] = kept;
    }
    ir_graph_free(g);
    free_buffers(&b);
    unload(&l);
    test_rmdir(dir);
}

/* 1.4 for each axis that takes 4 outputs at a time, which the kernels' tests measure (winograd_accuracy). */
static void the_manifest_says_how_sums_are_rounded(void **state) {
    (void)state;
    static const struct {
        const char *node;
        double factor;
    } convs[] = {{"\"node\": \"a\"", 2.744}, {"\"node\": \"b\"", 1.96}, {"\"node\": \"c\"", 2.744}};
    char *dir = test_tmpdir();
    make_bundle(dir);
    char *path = test_format("%s/manifest.json", dir);
    size_t bytes;
    char *manifest = test_read(path, &bytes);
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        const char *layer = strstr(manifest, convs[i].node);
        assert_non_null(layer);
        const char *said = strstr(layer, "\"rounding\": ");
        assert_non_null(said);
        assert_true(fabs(strtod(said + strlen("\"rounding\": "), NULL) - convs[i].factor) < 0.01);
    }
    free(manifest);
    free(path);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_nan_spoils_no_more_than_by_the_plain_formula),
                                       cmocka_unit_test(the_manifest_says_how_sums_are_rounded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
