/* test_onnx_import.c: the ONNX reader on small models built here: what it lowers to. */
#include "onnx_model.h"

static void shape_arithmetic_vanishes(void **state) {
    (void)state;
    /* reshape(x, concat(shape(x)[0:2], [-1])), as exporters write it */
    model m = new_model();
    add_input(&m, "x", "1,2,4,4,4");
    add_output(&m, "y");
    add_node(&m, "Shape", "x", "s");
    add_ints(&m, "zero", INTS(0));
    add_ints(&m, "two", INTS(2));
    add_ints(&m, "minus", INTS(-1));
    add_node(&m, "Slice", "s zero two", "head");
    onnx_put_int(&m.w, add_node(&m, "Concat", "head minus", "shape"), "axis", 0);
    add_node(&m, "Reshape", "x shape", "y");
    char *text = accepted(&m, NULL);
    assert_non_null(strstr(text, "%y = reshape(%x) shape=[1,2,64]"));
    assert_null(strstr(text, "const"));
    free(text);
}

static void padding_becomes_explicit(void **state) {
    (void)state;
    model m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 2, 2, 3, 2});
    onnx_put_word(&m.w, node_of(&m, 0), "auto_pad", "SAME_LOWER");
    prints(&m, NULL, "kernel=2x3x2 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,0,1,0]");
    m = one_node("ConvTranspose", "x w");
    add_weight(&m, "w", 5, (int64_t[]){2, 3, 3, 3, 3});
    onnx_put_ints(&m.w, node_of(&m, 0), "strides", 3, (int64_t[]){2, 2, 2});
    onnx_put_ints(&m.w, node_of(&m, 0), "output_shape", 3, (int64_t[]){8, 9, 10});
    prints(&m, NULL, "pad=[1,0,0,0,0,0] output_pad=0x0x1 group=1 -> f32[1,3,8,9,10]");
}

static void old_softmax_flattens(void **state) {
    (void)state;
    model m = one_node("Softmax", "x");
    m.opset = 11;
    prints(&m, NULL, "softmax(%y.flatten) axis=1");
    m = one_node("Softmax", "x");
    m.opset = 13;
    prints(&m, NULL, "%y = softmax(%x) axis=4");
}

/* Opset 18 has a scale and a bias per group, 21 one per channel. */
static void group_norms_have_a_scale_per_channel(void **state) {
    (void)state;
    for (int opset = 18; opset <= 21; opset += 3) {
        model m = one_node("GroupNormalization", "x s b");
        int64_t values = opset == 18 ? 1 : 2;
        m.opset = opset;
        add_weight(&m, "s", 1, &values);
        add_weight(&m, "b", 1, &values);
        onnx_put_int(&m.w, node_of(&m, 0), "num_groups", 1);
        prints(&m, NULL,
               opset == 18 ? "%y = instance_norm(%x, %s.channels, %b.channels) group=1"
                           : "%y = instance_norm(%x, %s, %b) group=1");
    }
    model m = one_node("GroupNormalization", "x s b");
    m.opset = 21;
    add_weight(&m, "s", 1, (int64_t[]){2});
    add_weight(&m, "b", 1, (int64_t[]){2});
    onnx_put_int(&m.w, node_of(&m, 0), "num_groups", 3);
    refused(&m, IR_EXIT_INPUT, "cannot be split into num_groups=3");
}

/* LayerNormalization of x over channels and voxels: scale f32[rank dim], of ones but for one,
 * bias likewise. */
static model layer_norm(int rank, const int64_t *dim, bool steps) {
    model m = new_model();
    add_input(&m, "x", "2,2,3,4,5");
    add_output(&m, "y");
    Onnx__NodeProto *n = add_node(&m, "LayerNormalization", "x s b", "y");
    n->output = ir_alloc(m.w.arena, 2, sizeof *n->output);
    n->output[n->n_output - 1] = "y", n->output[1] = "mean";
    if (steps) n->n_output = 2, add_output(&m, "mean");
    onnx_put_int(&m.w, n, "axis", 1);
    onnx_put_float(&m.w, n, "epsilon", 0.25);
    add_weight(&m, "s", rank, dim)[1] = 3;
    add_weight(&m, "b", rank, dim)[0] = -2;
    return m;
}

/* The interpreter's first output; frees m. */
static ir_value computed(model *m) {
    ir_diag d = {0};
    save(m);
    ir_graph *g = onnx_load(m->path, NULL, &d);
    if (!g) fail_msg("refused: %s", d.text);
    ir_value in = {.f = calloc((size_t)ir_count(g->inputs[0]), sizeof *in.f)}, out[2] = {{0}};
    uint64_t seed = 1;
    for (int64_t i = 0; i < ir_count(g->inputs[0]); i++) in.f[i] = (double)test_random(&seed) + 4;
    if (!ir_interpret(g, &in, out, 1, NULL, NULL, &d)) fail_msg("%s", d.text);
    ir_values_free(&in, 1);
    ir_values_free(out + 1, 1);
    ir_graph_free(g);
    free_model(m);
    return out[0];
}

static void layer_norms_are_group_norms_or_steps(void **state) {
    (void)state;
    static const int64_t scales[][5] = {{2, 1, 1, 1}, {1, 2, 1, 1, 1}, {2, 3, 4, 5}, {5}, {2, 2, 1, 1, 1}};
    static const int rank[] = {4, 5, 4, 1, 5};
    for (int i = 0; i < 5; i++) {
        model m = layer_norm(rank[i], scales[i], false), steps = layer_norm(rank[i], scales[i], true);
        ir_value a = computed(&m), b = computed(&steps);
        for (int k = 0; k < 2 * 2 * 3 * 4 * 5; k++)
            if (fabs(a.f[k] - b.f[k]) > 1e-9) fail_msg("scale %d, at %d: %g, %g", i, k, a.f[k], b.f[k]);
        ir_values_free(&a, 1);
        ir_values_free(&b, 1);
        m = layer_norm(rank[i], scales[i], false);
        prints(&m, NULL,
               i < 2 ? "%y = instance_norm(%x, %y.scale, %y.bias) group=1 eps=0.25"
                     : "%y = add(%y.scaled, %b)");
    }
    model m = layer_norm(1, (int64_t[]){3}, false);
    refused(&m, IR_EXIT_INPUT, "input 1 does not broadcast to X");
}

static void dimensions_are_bound(void **state) {
    (void)state;
    const char *one[] = {"D=6"}, *both[] = {"D=6", "x.1=3"}, *letter[] = {"x.W=9"};
    for (int k = 0; k < 3; k++) {
        model m = new_model();
        add_input(&m, "x", k == 2 ? "1,2,4,4,4" : "1,2,D,D,4");
        add_output(&m, "y");
        add_node(&m, "Relu", "x", "y");
        const char *want[] = {"f32[1,2,6,6,4]", "f32[1,3,6,6,4]", "f32[1,2,4,4,9]"};
        prints(&m,
               &(onnx_options){.dims = k == 0   ? one
                                       : k == 1 ? both
                                                : letter,
                               .n_dims = k == 1 ? 2 : 1},
               want[k]);
    }
}

static void inputs_become_constants(void **state) {
    (void)state;
    ir_diag d = {0};
    file_tensor t;
    assert_true(file_tensor_init(&t, IR_F32, 5, (int64_t[]){3, 2, 1, 1, 1}, "w", &d));
    model m = one_node("Conv", "x w");
    add_input(&m, "w", "3,2,1,1,1");
    prints(&m, &(onnx_options){.n_constants = 1, .constants = &(onnx_constant){"w", &t}},
           "const %w f32[3,2,1,1,1]");
    file_tensor_free(&t);
}

static void nodes_are_sorted(void **state) {
    (void)state;
    model m = new_model();
    add_input(&m, "x", "1,2,4");
    add_output(&m, "y");
    add_node(&m, "Relu", "h", "y");
    add_node(&m, "Neg", "x", "h");
    prints(&m, NULL, "%h = neg(%x)");
}

/* Whatever no output depends on, and what is made of it. */
static void nodes_that_nobody_needs_may_be_anything(void **state) {
    (void)state;
    model m = one_node("Relu", "x");
    add_node(&m, "Foo", "x y", "a");
    add_node(&m, "Relu", "a", "b");
    add_node(&m, "Bar", "b", "c")->domain = "org.example";
    char *text = accepted(&m, NULL);
    assert_non_null(strstr(text, "%y = relu(%x)"));
    assert_null(strstr(text, "%b"));
    free(text);
}

static void exponents_become_the_type_of_their_base(void **state) {
    (void)state;
    model m = one_node("Pow", "x two");
    add_ints(&m, "two", INTS(2));
    prints(&m, NULL, "const %y.exponent f32[1] {2}");
    m = one_node("Pow", "x e");
    add_value(&m, &m.inputs, "e", INT64, "1");
    prints(&m, NULL, "%y.exponent = cast(%e) to=f32");
}

static void masks_may_hold_infinities(void **state) {
    (void)state;
    model m = one_node("Add", "x mask");
    float *v = add_weight(&m, "mask", 1, (int64_t[]){4});
    v[0] = -INFINITY, v[1] = INFINITY, v[2] = NAN;
    prints(&m, NULL, "%y = add(%x, %mask)");
}

static void narrow_and_wide_floats_become_f32(void **state) {
    (void)state;
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x3555};
    static const double wide[] = {1, -2, 0.1, 3};
    model m = one_node("Add", "x h");
    onnx_put_data(&m.w, "h", NULL, FLOAT16, 1, (int64_t[]){4}, half, sizeof half);
    prints(&m, NULL, "const %h f32[4] {1, -2, 5.9604645e-08, 0.33325195}");
    m = one_node("Add", "x h");
    onnx_put_data(&m.w, "h", NULL, DOUBLE, 1, (int64_t[]){4}, wide, sizeof wide);
    prints(&m, NULL, "const %h f32[4] {1, -2, 0.1, 3}");
}

static void names_are_kept(void **state) {
    (void)state;
    model m = new_model();
    add_input(&m, "x", "1,2,4");
    add_output(&m, "logits");
    add_node(&m, "Relu", "x", "/enc/act/Relu_output_0")->name = "/enc/act/Relu";
    add_node(&m, "Neg", "/enc/act/Relu_output_0", "logits");
    prints(&m, NULL, "%enc_act_Relu = relu(%x) name=\"/enc/act/Relu\"");
}

static void export_is_deterministic_and_stable(void **state) {
    (void)state;
    ir_diag d = {0};
    model m = small_network();
    save(&m);
    char *a = test_format("%s/a.onnx", m.dir), *b = test_format("%s/b.onnx", m.dir);
    ir_graph *g = onnx_load(m.path, NULL, &d), *back;
    assert_non_null(g);
    assert_true(onnx_export(g, a, &d));
    assert_non_null(back = onnx_load(a, &(onnx_options){.name = g->name}, &d));
    assert_true(onnx_export(back, b, &d));
    size_t na, nb;
    char *bytes_a = test_read(a, &na), *bytes_b = test_read(b, &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(bytes_a, bytes_b, na);
    assert_false(onnx_export(g, "/nonexistent/x.onnx", &d));
    d = (ir_diag){0};
    for (int i = 0; i < g->n_tensors; i++) g->tensors[i]->data = NULL;
    assert_false(onnx_export(g, a, &d));
    assert_non_null(strstr(d.text, "tensor 'w' has no values"));
    ir_graph_free(g);
    ir_graph_free(back);
    free(bytes_a);
    free(bytes_b);
    free(a);
    free(b);
    free_model(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_arithmetic_vanishes),
        cmocka_unit_test(padding_becomes_explicit),
        cmocka_unit_test(old_softmax_flattens),
        cmocka_unit_test(group_norms_have_a_scale_per_channel),
        cmocka_unit_test(layer_norms_are_group_norms_or_steps),
        cmocka_unit_test(dimensions_are_bound),
        cmocka_unit_test(inputs_become_constants),
        cmocka_unit_test(nodes_are_sorted),
        cmocka_unit_test(nodes_that_nobody_needs_may_be_anything),
        cmocka_unit_test(exponents_become_the_type_of_their_base),
        cmocka_unit_test(masks_may_hold_infinities),
        cmocka_unit_test(narrow_and_wide_floats_become_f32),
        cmocka_unit_test(names_are_kept),
        cmocka_unit_test(export_is_deterministic_and_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
