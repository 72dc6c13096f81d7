/* test_onnx_networks.c: trained networks that this project did not make (../shared/data, where it is there):
 * all shape arithmetic folds away, sizes are as published, and deepbrain reproduces a recorded output. */
#include "test.h"

#include "front_onnx.h"

#include <zlib.h>

#define DATA "../shared/data"

static ir_graph *load(const char *name, const onnx_options *opt) {
    ir_diag d = {0};
    char *path = test_format("%s/%s", DATA, name);
    ir_graph *g = onnx_load(path, opt, &d);
    if (!g) fail_msg("%s", d.text);
    if (!ir_verify(g, &d)) fail_msg("%s: %s", path, d.text);
    free(path);
    return g;
}

static void networks_become_plain_graphs(void **state) {
    (void)state;
    TEST_NEEDS(DATA);
    static const struct {
        const char *name;
        int nodes;
        int64_t parameters;
    } rows[] = {
        {"models/deepbrain_v2.onnx", 29, 685073},
        {"models/torchio_unet3d_whole_images_epoch_5.onnx", 27, 245900},
        {"models/brainchop_model5_gw_ae.onnx", 19, 5598},
        {"models/brainchop_model11_gw_ae.onnx", 17, 23290},
        {"models/brainchop_model30chan18cls.onnx", 19, 196038},
        {"onnx/burn-onnx/conv3d.onnx", 1, 906},
        {"onnx/burn-onnx/conv_transpose3d.onnx", 1, 906},
        {"onnx/burn-onnx/instance_norm3d.onnx", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ir_graph *g = load(rows[i].name, NULL);
        for (int k = 0; k < g->n_nodes; k++)
            assert_int_equal(ir_op_get(g->nodes[k]->op)->flags & IR_FLAG_SHAPE, 0);
        if (g->n_nodes != rows[i].nodes || ir_parameters(g, false) != rows[i].parameters)
            fail_msg("%s: %d nodes, %lld parameters", rows[i].name, g->n_nodes,
                     (long long)ir_parameters(g, false));
        ir_graph_free(g);
    }
}

/* Member `name` of an .npz file as float: a zip archive of deflated .npy files. n values are expected. */
static float *npz_floats(const char *path, const char *name, size_t n) {
    size_t size, at = 0;
    char *zip = test_read(path, &size), *npy = NULL;
    const unsigned char *u = (const unsigned char *)zip;
    while (at + 30 < size && memcmp(zip + at, "PK\3\4", 4) == 0 && !npy) {
        size_t name_n = u[at + 26] | (size_t)u[at + 27] << 8, extra = u[at + 28] | (size_t)u[at + 29] << 8;
        size_t start = at + 30 + name_n + extra;
        z_stream z = {.next_in = (Bytef *)(uintptr_t)(u + start), .avail_in = (uInt)(size - start)};
        npy = malloc(128 + 4 * n);
        z.next_out = (Bytef *)npy;
        z.avail_out = (uInt)(128 + 4 * n);
        assert_int_equal(inflateInit2(&z, -15), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        bool found = name_n == strlen(name) && memcmp(zip + at + 30, name, name_n) == 0;
        at = start + z.total_in;
        assert_true(!found || z.total_out == 128 + 4 * n); /* NumPy's header here: 128 bytes */
        inflateEnd(&z);
        if (!found) {
            free(npy);
            npy = NULL;
        }
    }
    free(zip);
    assert_non_null(npy);
    memmove(npy, npy + 128, 4 * n);
    return (float *)npy;
}

static void deepbrain_reproduces_its_reference(void **state) {
    (void)state;
    TEST_NEEDS(DATA);
    enum { N = 32 * 32 * 32 };
    static const char file[] = DATA "/reference/deepbrain_v2_ch2_centre32.npz";
    static const char *const dims[] = {"img.2=32", "img.3=32", "img.4=32"};
    float *in = npz_floats(file, "input.npy", N), *want = npz_floats(file, "prob.npy", N);
    ir_graph *g = load("models/deepbrain_v2.onnx", &(onnx_options){.n_dims = 3, .dims = dims});
    double *x = malloc(N * sizeof *x), worst = 0;
    for (int i = 0; i < N; i++) x[i] = (double)in[i];
    ir_diag d = {0};
    ir_value out;
    assert_true(ir_interpret(g, &(ir_value){.f = x}, &out, 2, NULL, NULL, &d));
    for (int i = 0; i < N; i++) worst = fmax(worst, fabs(out.f[i] - (double)want[i]));
    print_message("deepbrain, centre 32^3: largest difference of a probability %.2g\n", worst);
    assert_true(worst <= 1e-4);
    ir_values_free(&out, 1);
    ir_graph_free(g);
    free(x);
    free(in);
    free(want);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks_become_plain_graphs),
                                       cmocka_unit_test(deepbrain_reproduces_its_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
