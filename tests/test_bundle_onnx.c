/* Generated C against values that nobody here made: every case of Debian's libonnx-testdata whose first input
 * has five axes and whose operators are supported. */
#include "bundle_lib.h"

#include "front_onnx.h"
#include "onnx_data.h"
#include "pipeline.h"
#include "verify_bundle.h"

#include <dirent.h>

static const char data_root[] = "/usr/share/libonnx-testdata/data";
enum { CASES = 20, MOST_PORTS = 16 };

static void read_values(const char *folder, const char *kind, int number, file_tensor *t) {
    char *path = test_format("%s/test_data_set_0/%s_%d.pb", folder, kind, number);
    ir_diag d = {0};
    must(onnx_data_read(path, t, &d), &d);
    free(path);
}

static void compare_output(const char *folder, int number, const vox_port *port, const float *got) {
    file_tensor want = {0};
    read_values(folder, "output", number, &want);
    assert_int_equal(want.dtype, IR_F32);
    const float *w = want.data;
    for (size_t i = 0; i < port_count(port); i++)
        if (!(fabsf(got[i] - w[i]) <= 1e-5f + 1e-5f * fabsf(w[i])) && !(isnan(got[i]) && isnan(w[i])))
            fail_msg("%s: output %d element %zu is %.9g, expected %.9g", folder, number, i, (double)got[i],
                     (double)w[i]);
    file_tensor_free(&want);
}

static void run_bundle(const char *folder, const loaded *l, const int *numbers) {
    buffers b = make_buffers(l->info);
    for (int i = 0; i < l->info->n_inputs; i++) {
        file_tensor t = {0};
        read_values(folder, "input", numbers[i], &t);
        memcpy(b.in[i], t.data, port_count(&l->info->inputs[i]) * sizeof(float));
        file_tensor_free(&t);
    }
    assert_int_equal(run_with(l, &b, NULL), VOX_OK);
    for (int i = 0; i < l->info->n_outputs; i++) compare_output(folder, i, &l->info->outputs[i], b.out[i]);
    free_buffers(&b);
}

static bool all_f32(const ir_graph *g) {
    bool ok = g->n_inputs > 0 && g->n_inputs <= MOST_PORTS && g->inputs[0]->rank == 5;
    for (int i = 0; i < g->n_inputs; i++) ok = ok && g->inputs[i]->dtype == IR_F32;
    for (int i = 0; i < g->n_outputs; i++) ok = ok && g->outputs[i]->dtype == IR_F32;
    return ok;
}

/* False: not a case for this test. */
static bool run_case(const char *folder) {
    char *model = test_format("%s/model.onnx", folder), *values = test_format("%s/test_data_set_0", folder);
    onnx_options opt = {.name = "peer", .oldest_opset = 1};
    ir_diag d = {0};
    ir_graph *g = onnx_load(model, &opt, &d);
    bool mine = g && all_f32(g);
    if (mine) {
        pipeline_options p = {0};
        pass_report reports[MAX_PASSES];
        int count, numbers[MOST_PORTS];
        must(verify_bind_constants(g, values, numbers, &d) && pipeline_run(g, &p, reports, &count, &d), &d);
        char *dir = test_tmpdir();
        write_bundle(g, dir);
        loaded l = load_bundle(dir, "peer", "gcc", "-Og");
        run_bundle(folder, &l, numbers);
        unload(&l);
        test_rmdir(dir);
        print_message("%s\n", folder + sizeof data_root);
    }
    if (g) ir_graph_free(g);
    free(model), free(values);
    return mine;
}

static int run_suite(const char *suite) {
    char *path = test_format("%s/%s", data_root, suite);
    struct dirent **entries;
    int cases = 0, n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char *folder = test_format("%s/%s", path, entries[i]->d_name);
        if (strncmp(entries[i]->d_name, "test_", 5) == 0) cases += run_case(folder);
        free(folder), free(entries[i]);
    }
    if (n >= 0) free(entries);
    free(path);
    return cases;
}

static void five_axes(void **state) {
    (void)state;
    TEST_NEEDS(data_root);
    int cases = run_suite("node") + run_suite("pytorch-converted") + run_suite("pytorch-operator");
    assert_int_equal(cases, CASES); /* one fewer: an operator was lost; one more: raise the number */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(five_axes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
