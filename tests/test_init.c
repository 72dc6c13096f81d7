/* Seeded weights: the same bits everywhere, the deviations of He's rule,
 * and activations that stay in range. */
#include "test.h"

#include "front_yaml.h"
#include "init.h"

static ir_graph *load(const char *path, uint64_t seed) {
    ir_diag d = {0};
    ir_graph *g = yaml_load(path, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    init_weights(g, seed);
    return g;
}

static uint64_t hash_constants(const ir_graph *g) {
    uint64_t h = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->role == IR_ROLE_CONST) h = h * 31 + g->tensors[i]->hash;
    return h;
}

/* Whoever changes these numbers changes every network that was made with --init. */
static void golden_bits(void **state) {
    (void)state;
    assert_true(init_normal(0, 0) == 0x1.0eep-4);
    assert_true(init_normal(1, 2) == -0x1.c5b4p-2);
    ir_graph *g = load("models/unet3d_small.yaml", 1);
    const float *w = ir_find_tensor(g, "e0a.conv.weight")->data;
    static const float expected[4] = {0x1.5fc3f4p-3f, 0x1.1e971ep-8f, -0x1.e35dbp-4f, 0x1.58f502p-2f};
    assert_memory_equal(w, expected, sizeof expected);
    assert_int_equal(hash_constants(g), 0x4af7d7903a281785);
    ir_graph_free(g);
}

static void seeds_differ(void **state) {
    (void)state;
    ir_graph *a = load("models/unet3d_small.yaml", 1), *b = load("models/unet3d_small.yaml", 2);
    for (int i = 0; i < a->n_tensors; i++)
        if (a->tensors[i]->role == IR_ROLE_CONST)
            assert_int_not_equal(a->tensors[i]->hash, b->tensors[i]->hash);
    ir_graph_free(a);
    ir_graph_free(b);
}

static void moments(const ir_tensor *t, double *mean, double *deviation) {
    const float *x = t->data;
    int64_t n = ir_count(t);
    double sum = 0, square = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)x[i];
    *mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++) square += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *deviation = sqrt(square / (double)n);
}

static void deviations_follow_the_fan_in(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double variance;
    } rows[] = {
        {"e1b.conv.weight", 2.0 / (64 * 27)},
        {"e3b.conv.weight", 2.0 / (256 * 27)},
        {"d2a.conv.weight", 2.0 / (768 * 27)},
        {"up2.weight", 1.0 / 512}, /* 2x2x2, stride 2: one tap per voxel */
        {"logits.weight", 1.0 / 64},
    };
    ir_graph *g = load("models/unet3d.yaml", 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ir_tensor *t = ir_find_tensor(g, rows[i].name);
        double mean, deviation, expected = sqrt(rows[i].variance), noise = 5 / sqrt((double)ir_count(t));
        moments(t, &mean, &deviation);
        assert_true(fabs(mean) < noise * expected);
        assert_true(fabs(deviation / expected - 1) < noise);
    }
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->role == IR_ROLE_CONST) assert_non_null(g->tensors[i]->data);
    const ir_tensor *var = ir_find_tensor(g, "e3b.bn.running_var");
    for (int64_t i = 0; i < ir_count(var); i++) assert_true(ir_const_float(var, i) > 0.2);
    ir_graph_free(g);
}

static void looks_normal(void **state) {
    (void)state;
    enum { N = 200000 };
    int within1 = 0, within2 = 0;
    double sum = 0, square = 0;
    for (uint64_t i = 0; i < N; i++) {
        double z = init_normal(42, i);
        sum += z;
        square += z * z;
        within1 += fabs(z) < 1;
        within2 += fabs(z) < 2;
    }
    assert_true(fabs(sum / N) < 0.01);
    assert_true(fabs(square / N - 1) < 0.015);
    assert_true(fabs((double)within1 / N - 0.683) < 0.01);
    assert_true(fabs((double)within2 / N - 0.954) < 0.005);
}

static void check_range(void *ctx, const ir_node *n, const ir_value *v) {
    int64_t count = ir_count(n->out[0]);
    double square = 0;
    for (int64_t i = 0; i < count; i++) square += v->f[i] * v->f[i];
    double rms = sqrt(square / (double)count);
    if (!(rms > 0.1 && rms < 10)) fail_msg("%s: root mean square %g", n->name, rms);
    ++*(int *)ctx;
}

static void activations_stay_in_range(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        ir_graph *g = load("models/unet3d_small.yaml", seed);
        int64_t n = ir_count(g->inputs[0]);
        ir_value in = {.f = malloc((size_t)n * sizeof(double))}, out;
        ir_diag d = {0};
        int seen = 0;
        assert_non_null(in.f);
        for (int64_t i = 0; i < n; i++) in.f[i] = init_normal(seed, (uint64_t)i);
        if (!ir_interpret(g, &in, &out, 2, check_range, &seen, &d)) fail_msg("%s", d.text);
        assert_int_equal(seen, g->n_nodes);
        ir_values_free(&out, 1);
        free(in.f);
        ir_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bits),
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(deviations_follow_the_fan_in),
        cmocka_unit_test(looks_normal),
        cmocka_unit_test(activations_stay_in_range),
    };
    return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
