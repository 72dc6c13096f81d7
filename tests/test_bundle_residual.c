/* A bundle of convolutions that add a skip connection, by every kernel: for any number of threads the same
 * bits, those of the interpreter up to rounding, also plane by plane. */
#include "bundle_lib.h"

#include "passes.h"

#define WINDOW(stride) " kernel=3x3x3 stride=" stride " dilation=1x1x1 pad=[1,1,1,1,1,1] group="
#define POINT(stride)  " kernel=1x1x1 stride=" stride " dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
static const char *const network =
    "graph net\ninput %x f32[1,16,20,19,22]\ninput %z f32[1,5,20,19,22]\n"
    "const %wa f32[32,16,3,3,3] random(1, 0.1)\nconst %wb f32[32,32,3,3,3] random(2, 0.1)\n"
    "const %wc f32[40,32,3,3,3] random(3, 0.1)\nconst %wp f32[40,32,1,1,1] random(4, 0.2)\n"
    "const %wg f32[5,1,3,3,3] random(5, 0.3)\nconst %wf f32[5,5,3,3,3] random(6, 0.2)\n"
    "const %wq f32[5,32,1,1,1] random(7, 0.2)\nconst %b32 f32[32] random(8)\nconst %b5 f32[5] random(9)\n"
    "const %s40 f32[40] random(10)\n"
    "%a = conv(%x, %wa, %b32)" WINDOW(
        "1x1x1") "1 act=relu\n"
                 "%b = conv(%a, %wb)" WINDOW(
                     "1x1x1") "1 act=relu\n"
                              "%c = conv(%b, %wb, %b32, _, %a)" WINDOW(
                                  "1x1x1") "1 act=relu\n" /* Winograd */
                                           "%d = conv(%c, %wb, _, _, %c)" WINDOW(
                                               "1x1x1") "1 act=elu alpha=1\n" /* deep; adds what it reads */
                                                        "%e = conv(%d, %wb, %b32, _, %b)" WINDOW(
                                                            "1x1x1") "1\n" /* direct */
                                                                     "%f = conv(%e, %wp)" POINT(
                                                                         "2x2x2") "\n"
                                                                                  "%g = conv(%e, %wc, _, "
                                                                                  "%s40, %f)" WINDOW(
                                                                                      "2x2x2") "1 act=prelu\n"
                                                                                               "%h = "
                                                                                               "conv(%e, "
                                                                                               "%wp, _, _, "
                                                                                               "%g)" POINT(
                                                                                                   "2x2x2") " act=tanh\n"
                                                                                                            "%i = conv(%z, %wg, %b5, _, %z)" WINDOW(
                                                                                                                "1x1x1") "5 act=relu\n" /* a channel at a time */
                                                                                                                         "%j = conv(%i, %wf, %b5, _, %z)" WINDOW(
                                                                                                                             "1x1x1") "1 act=relu\n" /* few */
                                                                                                                                      "%k = conv(%j, %wf, %b5, _, %i)" WINDOW(
                                                                                                                                          "1x1x1") "1 act=leaky_relu alpha=0.1\n" /* few, Winograd */
                                                                                                                                                   "%l = conv(%e, %wq, %b5, _, %k)" POINT(
                                                                                                                                                       "1x1x1") "\n" /* from blocked to plain */
                                                                                                                                                                "%m = neg(%h)\noutput %m\noutput %l\n";

/* Planes per step; 0: no streams. */
static int slab;

static void make_one_stream(ir_graph *g, const char *pass) {
    if (slab && !strcmp(pass, "stream")) pass_stream_group(g, 0, g->n_nodes - 1, slab);
}

/* What transforms its weights on the way does not stream. */
static void make_bundle(const char *dir) {
    ir_tuned tuned[] = {{"c", "winograd", {4, 4, 4}}, {"k", "few", {4, 4, 1}}, {"d", "deep", {2, 4, 4}}};
    if (slab) tuned[2] = (ir_tuned){.layer = "d", .way = "direct"};
    ir_graph *g = parse_or_fail(network);
    g->goals = (ir_goals){.lanes = 4, .whole = true, .n_tuned = 3, .tuned = tuned};
    plan_with(g, make_one_stream);
    char *folder = test_format("%s", dir);
    write_bundle(g, folder);
    free(folder);
    ir_graph_free(g);
}

static void has_a_layer(const vox_model_info *info, const char *op) {
    for (int i = 0; i < info->n_layers; i++)
        if (!strcmp(info->layers[i].op, op)) return;
    fail_msg("no %s", op);
}

static void check_selftest(const loaded *l) {
    const char *bad = NULL;
    double worst = 0;
    vox_status s = l->info->selftest(l->prepared, l->arena, l->arena_bytes, NULL, &bad, &worst);
    if (s != VOX_OK) fail_msg("%s: %g", bad, worst);
}

static void check_threads(const loaded *l, const buffers *b) {
    size_t bytes[2];
    void *first[2];
    assert_int_equal(run_with(l, b, NULL), VOX_OK);
    for (int k = 0; k < 2; k++) {
        bytes[k] = port_count(&l->info->outputs[k]) * sizeof(float);
        first[k] = malloc(bytes[k]);
        memcpy(first[k], b->out[k], bytes[k]);
    }
    for (int threads = 1; threads <= 4; threads++) {
        vox_pool *pool = vox_pool_create(threads);
        vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool};
        memset(l->arena, 0xFF, l->arena_bytes);
        assert_int_equal(run_with(l, b, &e), VOX_OK);
        for (int k = 0; k < 2; k++) assert_memory_equal(b->out[k], first[k], bytes[k]);
        vox_pool_destroy(pool);
    }
    for (int k = 0; k < 2; k++) free(first[k]);
}

static void check_bundle(int planes) {
    char *dir = test_tmpdir();
    slab = planes;
    make_bundle(dir);
    loaded l = load_bundle(dir, "net", "gcc", "-O1");
    buffers b = make_buffers(l.info);
    ir_graph *g = parse_or_fail(network);
    has_a_layer(l.info, "conv 3x3x3 + skip + relu, Winograd 4x4x4");
    has_a_layer(l.info,
                slab ? "conv 3x3x3 + skip + elu, direct" : "conv 3x3x3 + skip + elu, deep Winograd 2x4x4");
    has_a_layer(l.info, "conv 3x3x3 + skip + leaky_relu, Winograd 4x4x1");
    has_a_layer(l.info, "conv 3x3x3 stride 2x2x2 + skip + prelu, direct");
    check_threads(&l, &b);
    compare_with_interpreter(g, l.info, &b, 3e-6);
    check_selftest(&l);
    ir_graph_free(g);
    free_buffers(&b);
    unload(&l);
    test_rmdir(dir);
}

static void residual_connections(void **state) {
    (void)state;
    check_bundle(0);
}
static void residual_connections_that_stream(void **state) {
    (void)state;
    check_bundle(4);
    check_bundle(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(residual_connections),
                                       cmocka_unit_test(residual_connections_that_stream)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
