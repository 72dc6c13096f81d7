/* A bundle whose layers stream, every operator that can, beside the same bundle without streams: the same
 * bits for any number of threads and any arena, and hooks, self-test and cancelling in the middle of a
 * stream. */
#include "bundle_lib.h"

#include "../runtime/program/profile.h"
#include "passes.h"

#define SAME_H "pad=[0,1,1,0,1,1] group=1"
static const char *const network =
    "graph net\ninput %x f32[2,3,19,12,14]\n"
    "const %wa f32[20,3,3,3,3] random(1, 0.3)\nconst %wb f32[20,20,3,3,3] random(2, 0.1)\n"
    "const %wt f32[20,20,3,2,2] random(3, 0.2)\nconst %wq f32[3,20,2,1,1] random(4, 0.3)\n"
    "const %wg f32[3,1,3,3,3] random(5, 0.3)\nconst %s20 f32[20] random(6)\nconst %b20 f32[20] random(7)\n"
    "const %v20 f32[20] splat(1.5)\nconst %two f32[1] {2}\n"
    "%a = conv(%x, %wa, %b20) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 " SAME_H " act=relu\n"
    "%n = batch_norm(%a, %s20, %b20, %b20, %v20) eps=0.001\n"
    "%c = conv(%n, %wb, %b20) kernel=3x3x3 stride=1x1x1 dilation=2x1x1 pad=[2,1,1,2,1,1] group=1 act=elu "
    "alpha=1\n"
    "%t = tanh(%c)\n%d = add(%t, %n)\n%m = mul(%d, %two)\n"
    "%s = slice(%m) begin=[0,0,5,1,2] size=[2,20,7,9,10] step=[1,1,1,1,1]\n"
    "%p = max_pool(%m) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
    "%v = average_pool(%p) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] ceil=0 include_pad=0\n"
    "%u = conv_transpose(%v, %wt) kernel=3x2x2 stride=2x2x2 dilation=1x1x1 pad=[1,0,0,1,0,0] "
    "output_pad=[0,0,0] group=1\n"
    "%q = conv(%u, %wq) kernel=2x1x1 stride=1x1x1 dilation=1x1x1 pad=[1,0,0,0,0,0] group=1\n"
    "%r = sigmoid(%q)\n%g = conv(%r, %wg) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] "
    "group=3\n"
    "%o = sub(%r, %g)\n%e = slice(%o) begin=[0,1,2,0,0] size=[2,2,12,12,14] step=[1,1,1,1,1]\n"
    "%f = softmax(%u) axis=1\n%k = arg_max(%f) axis=1 keepdims=1 select_last=0\noutput %e\noutput %s\noutput "
    "%k\n";

/* Planes per step; 0: no streams. */
static int slab;

static void make_one_stream(ir_graph *g, const char *pass) {
    if (slab && !strcmp(pass, "stream")) pass_stream_group(g, 0, g->n_nodes - 1, slab);
}

static void make_bundle(const char *dir) {
    static const ir_tuned direct[] = {{"c", "direct", {0}}, {"q", "direct", {0}}, {"g", "direct", {0}}};
    ir_graph *g = parse_or_fail(network);
    g->goals.whole = true; /* all but the stream that is made */
    g->goals.n_tuned = sizeof direct / sizeof *direct, g->goals.tuned = direct;
    plan_with(g, make_one_stream);
    char *folder = test_format("%s", dir);
    write_bundle(g, folder);
    free(folder);
    ir_graph_free(g);
}

enum { STREAMS = 2, OUTPUTS = 3 };
static const int slabs[STREAMS] = {1, 4};

typedef struct fixture {
    char *dir[STREAMS + 1]; /* the last one without streams */
    loaded l[STREAMS + 1];
    buffers b;
    void *want[OUTPUTS];
} fixture;

static size_t output_bytes(const vox_model_info *info, int i) {
    return port_count(&info->outputs[i]) * vox_dtype_bytes(info->outputs[i].dtype);
}

static int build(void **state) {
    fixture *f = calloc(1, sizeof *f);
    for (int i = 0; i <= STREAMS; i++) {
        f->dir[i] = test_tmpdir();
        slab = i < STREAMS ? slabs[i] : 0;
        make_bundle(f->dir[i]);
        f->l[i] = load_bundle(f->dir[i], "net", "gcc", "-O1");
    }
    f->b = make_buffers(f->l[0].info);
    assert_int_equal(run_with(&f->l[STREAMS], &f->b, NULL), VOX_OK);
    for (int k = 0; k < OUTPUTS; k++) {
        f->want[k] = malloc(output_bytes(f->l[0].info, k));
        memcpy(f->want[k], f->b.out[k], output_bytes(f->l[0].info, k));
    }
    *state = f;
    return 0;
}

static int take_down(void **state) {
    fixture *f = *state;
    free_buffers(&f->b);
    for (int i = 0; i <= STREAMS; i++) {
        unload(&f->l[i]);
        test_rmdir(f->dir[i]);
    }
    for (int k = 0; k < OUTPUTS; k++) free(f->want[k]);
    free(f);
    return 0;
}

static void without_streams_it_computes_what_the_interpreter_computes(void **state) {
    fixture *f = *state;
    ir_graph *g = parse_or_fail(network);
    assert_int_equal(run_with(&f->l[STREAMS], &f->b, NULL), VOX_OK);
    compare_with_interpreter(g, f->l[STREAMS].info, &f->b, 2e-6);
    ir_graph_free(g);
}

static void streams_give_the_same_bits(void **state) {
    fixture *f = *state;
    static const int threads[] = {1, 2, 3, 7};
    for (int i = 0; i < STREAMS * 4; i++) {
        const loaded *l = &f->l[i % STREAMS];
        vox_pool *pool = vox_pool_create(threads[i / STREAMS]);
        vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool};
        memset(l->arena, i % 3 ? 0xFF : 0x7F, l->arena_bytes);
        for (int k = 0; k < OUTPUTS; k++) memset(f->b.out[k], 0xA5, output_bytes(l->info, k));
        assert_int_equal(run_with(l, &f->b, &e), VOX_OK);
        for (int k = 0; k < OUTPUTS; k++)
            assert_memory_equal(f->b.out[k], f->want[k], output_bytes(l->info, k));
        vox_pool_destroy(pool);
    }
}

static void every_layer_streams_and_memory_shrinks(void **state) {
    fixture *f = *state;
    const vox_model_info *info = f->l[0].info;
    assert_true(info->n_steps > 5 * info->n_layers);
    assert_true(info->arena_bytes < f->l[STREAMS].info->arena_bytes / 2);
    for (int i = 0; i < info->n_layers; i++) assert_int_equal(info->layers[i].stream, 1);
    assert_int_equal(f->l[STREAMS].info->n_steps, f->l[STREAMS].info->n_layers);
}

static void selftest_passes(void **state) {
    fixture *f = *state;
    for (int i = 0; i < STREAMS; i++) {
        const char *bad = NULL;
        double worst = 0;
        const loaded *l = &f->l[i];
        memset(l->arena, 0xFF, l->arena_bytes);
        vox_status s = l->info->selftest(l->prepared, l->arena, l->arena_bytes, NULL, &bad, &worst);
        if (s != VOX_OK) fail_msg("%s: %g", bad, worst);
        assert_true(worst > 0 && worst < 1);
    }
}

typedef struct hooks {
    const vox_model_info *info;
    int steps, layers, asked, cancel_at;
} hooks;

static void on_progress(void *user, int done, int total) {
    hooks *h = user;
    assert_int_equal(done, ++h->steps);
    assert_int_equal(total, h->info->n_steps);
}
static void on_layer(void *user, int index, const void *data) {
    hooks *h = user;
    h->layers++;
    assert_non_null(data);
    assert_int_equal(h->info->layers[index].ring, 0);
}
static int cancel_later(void *user) {
    hooks *h = user;
    return h->asked++ == h->cancel_at;
}

static void hooks_follow_steps_and_cancelling_leaves_outputs_alone(void **state) {
    fixture *f = *state;
    const vox_model_info *info = f->l[0].info;
    int whole = 0;
    for (int i = 0; i < info->n_layers; i++) whole += info->layers[i].ring == 0;
    hooks h = {.info = info, .cancel_at = -1};
    vox_executor e = {.progress = on_progress, .cancelled = cancel_later, .layer = on_layer, .user = &h};
    assert_int_equal(run_with(&f->l[0], &f->b, &e), VOX_OK);
    assert_int_equal(h.steps, info->n_steps);
    assert_int_equal(h.layers, whole);
    assert_in_range(h.asked, 10, info->n_steps - 1);
    for (int at = 0; at < h.asked; at++) {
        hooks again = {.info = info, .cancel_at = at};
        e.user = &again;
        for (int k = 0; k < OUTPUTS; k++) memset(f->b.out[k], 0x5A, output_bytes(info, k));
        assert_int_equal(run_with(&f->l[0], &f->b, &e), VOX_E_CANCELLED);
        for (int k = 0; k < OUTPUTS; k++)
            for (size_t i = 0; i < output_bytes(info, k); i++)
                assert_int_equal(((unsigned char *)f->b.out[k])[i], 0x5A);
    }
}

static void selftest_names_a_layer_that_is_wrong_late_in_the_stream(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    slab = 4;
    make_bundle(dir);
    /* One plane of 12 x 14 voxels in 16 channels, made by the last step. */
    char *cmd = test_format(
        "sed -i '/^static void net_c_run(/,/^}/s/    vox_f32_conv(.*/&\\n    for (int i = 0; i < 2688 \\&\\& "
        "m->range.end == 17; i++) "
        "net_c_at(m).y[m->range.begin %% net_c_layer.y.ring * 2688 + i] += 0.01f;/' %s/net_kernels.c && grep "
        "-q 0.01f "
        "%s/net_kernels.c",
        dir, dir);
    shell_ok(cmd);
    free(cmd);
    loaded l = load_bundle(dir, "net", "gcc", "-O1");
    const char *bad = NULL;
    assert_int_equal(l.info->selftest(l.prepared, l.arena, l.arena_bytes, NULL, &bad, NULL), VOX_E_SELFTEST);
    assert_string_equal(bad, "c");
    unload(&l);
    test_rmdir(dir);
}

/* Steps in all; slices of a thread one after the other. */
static const char *const trace_check = "import json, sys\n"
                                       "ends, steps = {}, set()\n"
                                       "for e in json.load(open('trace.json'))['traceEvents']:\n"
                                       "    if e['ph'] != 'X': continue\n"
                                       "    ns = round(e['ts'] * 1000)\n"
                                       "    assert ns >= ends.get(e['tid'], 0), e\n"
                                       "    ends[e['tid']] = ns + round(e['dur'] * 1000)\n"
                                       "    steps.add(e['args']['step'])\n"
                                       "assert steps == set(range(int(sys.argv[1]))), steps\n";

static void a_profile_has_every_step(void **state) {
    fixture *f = *state;
    const vox_model_info *info = f->l[1].info;
    TEST_NEEDS("/usr/bin/python3");
    char *weights = test_format("%s/net.weights", f->dir[1]), *path = test_format("%s/trace.json", f->dir[1]);
    vox_host h;
    assert_int_equal(vox_host_open(&h, info, weights, 3, info->arena_bytes), 0);
    for (int i = 0; i < info->n_inputs; i++) vox_fill_random(&info->inputs[i], h.inputs[i], 1);
    vox_profile *p = vox_profile_start(&h, 3);
    assert_int_equal(vox_host_run(&h), 0);
    FILE *file = fopen(path, "w");
    vox_profile_write(p, file);
    fclose(file);
    vox_profile_end(p);
    vox_host_close(&h);
    char *check = test_format("%s/check.py", f->dir[1]);
    test_write(check, trace_check, strlen(trace_check));
    char *cmd = test_format("cd '%s' && python3 check.py %d", f->dir[1], info->n_steps);
    shell_ok(cmd);
    free(cmd), free(check), free(path), free(weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_streams_it_computes_what_the_interpreter_computes),
        cmocka_unit_test(streams_give_the_same_bits),
        cmocka_unit_test(every_layer_streams_and_memory_shrinks),
        cmocka_unit_test(selftest_passes),
        cmocka_unit_test(a_profile_has_every_step),
        cmocka_unit_test(hooks_follow_steps_and_cancelling_leaves_outputs_alone),
        cmocka_unit_test(selftest_names_a_layer_that_is_wrong_late_in_the_stream),
    };
    return cmocka_run_group_tests(tests, build, take_down);
}
