/* A bundle with norms around convolutions of every kind: sums gathered and left to a pass, normalised on load
 * and by a pass; the same bits from any number of threads. */
#include "bundle_lib.h"

#include "pipeline.h"

#define CONV "kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\n"
#define BODY                                                                                                 \
    "graph net\ninput %x f32[1,1,12,21,30]\nconst %w0 f32[32,1,3,3,3] random(1, 0.2)\n"                      \
    "const %w f32[32,32,3,3,3] random(2, 0.1)\nconst %wd f32[48,32,3,3,3] random(3, 0.1)\n"                  \
    "const %ws f32[40,48,3,3,3] random(4, 0.1)\nconst %wp f32[20,40,1,1,1] random(5, 0.2)\n"                 \
    "const %s f32[32] random(6)\nconst %b f32[32] random(7)\nconst %sd f32[48] random(8)\n"                  \
    "const %bd f32[48] random(9)\nconst %ss f32[40] random(10)\nconst %sp f32[20] random(11)\n"              \
    "%a0 = conv(%x, %w0, %mean) " CONV "%a1 = instance_norm(%a0, %s, %b) eps=1e-5\n"                         \
    "%a = leaky_relu(%a1) alpha=0.01\n%c0 = conv(%a, %w, %mean) " CONV                                       \
    "%c1 = instance_norm(%c0, %s, %b) group=4 eps=1e-5\n%c = relu(%c1)\n%d0 = conv(%c, %wd) " CONV           \
    "%d1 = instance_norm(%d0, %sd, %bd) group=1 eps=1e-5\n%d = elu(%d1) alpha=1\n"                           \
    "%e0 = conv(%d, %ws) kernel=3x3x3 stride=2x2x2 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\n"               \
    "%e1 = instance_norm(%e0, %ss, %ss) eps=1e-5\n%e = prelu(%e1, %slopes)\n"                                \
    "%f = conv(%e, %wp) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1\n"                \
    "%y = instance_norm(%f, %sp, %sp) eps=1e-5\noutput %y\n"
#define GRAPH(mean) "const %mean f32[32] splat(" mean ")\nconst %slopes f32[40,1,1,1] random(12)\n"

/* BODY with the constants in front of its nodes. */
static char *network(const char *constants) {
    const char *at = strstr(BODY, "const %w0");
    return test_format("%.*s%s%s", (int)(at - BODY), BODY, constants, at);
}

static int layers_of(const vox_model_info *info, const char *op) {
    int count = 0;
    for (int i = 0; i < info->n_layers; i++) count += strncmp(info->layers[i].op, op, strlen(op)) == 0;
    return count;
}

static void make_bundle(const char *text, char *dir) {
    static const ir_tuned deep = {"d0", "deep", {4, 4, 4}};
    ir_graph *g = parse_or_fail(text);
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int count, loads = 0, gathered = 0;
    g->goals = (ir_goals){.lanes = 3, .n_tuned = 1, .tuned = &deep};
    must(pipeline_run(g, &(pipeline_options){0}, reports, &count, &d), &d);
    for (int i = 0; i < g->n_tensors; i++) loads += g->tensors[i]->cpu.on_load;
    for (int i = 0; i < g->n_nodes; i++) gathered += g->nodes[i]->cpu.gathered;
    assert_int_equal(loads, 3);    /* a, c and e; an elu is no factor, and y is the output */
    assert_int_equal(gathered, 5); /* all whose layout is blocked */
    write_bundle(g, dir);
    ir_graph_free(g);
}

static void check(const char *constants, double limit) {
    char *text = network(constants), *dir = test_tmpdir();
    make_bundle(text, dir);
    loaded l = load_bundle(dir, "net", "gcc", "-O1");
    buffers b = make_buffers(l.info);
    ir_graph *g = parse_or_fail(text);
    const size_t bytes = port_count(&l.info->outputs[0]) * sizeof(float);
    float *first = aligned_bytes(bytes);
    const char *bad = NULL;
    assert_int_equal(layers_of(l.info, "norm_terms"), 5);
    assert_int_equal(layers_of(l.info, "normalise"), 2);
    for (int threads = 0; threads <= 4; threads++) {
        vox_pool *pool = vox_pool_create(threads);
        vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool};
        memset(l.arena, 0xA5, l.arena_bytes);
        assert_int_equal(run_with(&l, &b, threads ? &e : NULL), VOX_OK);
        if (!threads) memcpy(first, b.out[0], bytes);
        assert_memory_equal(first, b.out[0], bytes);
        vox_pool_destroy(pool);
    }
    compare_with_interpreter(g, l.info, &b, limit);
    assert_int_equal(l.info->selftest(l.prepared, l.arena, l.arena_bytes, NULL, &bad, NULL), VOX_OK);
    ir_graph_free(g);
    free(first);
    free_buffers(&b);
    unload(&l);
    test_rmdir(dir);
    free(text);
}

static void norms_in_convolutions(void **state) {
    (void)state;
    check(GRAPH("0.25"), 5e-6);
}

/* Biases of 3000 in front of norms: f32 keeps 2e-4 of a deviation of 1. */
static void means_far_above_the_deviation(void **state) {
    (void)state;
    check(GRAPH("3000"), 5e-4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(norms_in_convolutions),
                                       cmocka_unit_test(means_far_above_the_deviation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
