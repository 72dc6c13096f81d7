/* The YAML front end: the paper's numbers and the language. */
#include "yaml_text.h"

static ir_graph *load(const char *path, const yaml_options *opt) {
    ir_diag d = {0};
    ir_graph *g = yaml_load(path, opt, &d);
    if (!g) fail_msg("%s", d.text);
    if (!ir_verify(g, &d)) fail_msg("%s", d.text);
    return g;
}

static int64_t macs(const ir_graph *g) {
    int64_t sum = 0;
    for (int i = 0; i < g->n_nodes; i++) sum += ir_macs(g->nodes[i]);
    return sum;
}

static void expect_type(const ir_tensor *t, const char *type) {
    char buf[200];
    assert_string_equal(ir_type_text(t, buf, sizeof buf), type);
}

/* ---- the models */

static void the_papers_network(void **state) {
    (void)state;
    ir_graph *g = load("models/unet3d.yaml", NULL);
    assert_int_equal(ir_parameters(g, false), 19069955);
    assert_int_equal((macs(g) + 5000000) / 10000000, 26673); /* 266.73 GMAC */
    expect_type(g->inputs[0], "f32[1,3,132,132,116]");
    expect_type(g->outputs[0], "f32[1,3,44,44,28]");
    assert_int_equal(g->n_outputs, 1);
    assert_int_equal(g->n_labels, 3);
    assert_string_equal(g->name, "unet3d");
    ir_graph_free(g);
}

/* The table of the paper's layers: output sizes of each. */
static void the_papers_layers(void **state) {
    (void)state;
    static const struct {
        const char *name, *type;
    } rows[] = {
        {"e0a", "f32[1,32,130,130,114]"}, {"e0b", "f32[1,64,128,128,112]"}, {"e1a", "f32[1,64,62,62,54]"},
        {"e1b", "f32[1,128,60,60,52]"},   {"e2a", "f32[1,128,28,28,24]"},   {"e2b", "f32[1,256,26,26,22]"},
        {"e3a", "f32[1,256,11,11,9]"},    {"e3b", "f32[1,512,9,9,7]"},      {"up2", "f32[1,512,18,18,14]"},
        {"cat2", "f32[1,768,18,18,14]"},  {"d2a", "f32[1,256,16,16,12]"},   {"d2b", "f32[1,256,14,14,10]"},
        {"up1", "f32[1,256,28,28,20]"},   {"cat1", "f32[1,384,28,28,20]"},  {"d1a", "f32[1,128,26,26,18]"},
        {"d1b", "f32[1,128,24,24,16]"},   {"up0", "f32[1,128,48,48,32]"},   {"cat0", "f32[1,192,48,48,32]"},
        {"d0a", "f32[1,64,46,46,30]"},    {"d0b", "f32[1,64,44,44,28]"},
    };
    ir_graph *g = load("models/unet3d.yaml", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const ir_tensor *t = ir_find_tensor(g, rows[i].name);
        assert_non_null(t);
        expect_type(t, rows[i].type);
    }
    ir_graph_free(g);
}

static void every_model_is_what_it_says(void **state) {
    (void)state;
    static const struct {
        const char *path, *output;
        int64_t parameters;
    } rows[] = {
        {"models/unet3d_small.yaml", "f32[1,3,4,4,4]", 298315},
        {"models/deepbrain.yaml", "f32[1,1,128,128,128]", 685073},
        {"models/deepbrain_v1.yaml", "f32[1,1,128,128,128]", 171465},
        {"models/torchio.yaml", "f32[1,2,48,60,48]", 245644},
        {"models/meshnet.yaml", "f32[1,3,256,256,256]", 23290},
        {"models/meshnet_few.yaml", "f32[1,3,256,256,256]", 5598},
        {"models/meshnet_wide.yaml", "f32[1,18,256,256,256]", 196038},
        {"models/nnunet_like.yaml", "f32[1,3,128,128,128]", 31186403},
        {"models/nnunet_small.yaml", "f32[1,3,16,64,64]", 278875},
        {"models/resunet_small.yaml", "f32[1,3,48,64,64]", 1935091},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ir_graph *g = load(rows[i].path, NULL);
        assert_int_equal(ir_parameters(g, false), rows[i].parameters);
        expect_type(g->outputs[0], rows[i].output);
        assert_true(g->volume.present);
        ir_graph_free(g);
    }
}

static void volume_sections_are_read(void **state) {
    (void)state;
    ir_graph *g = load("models/deepbrain.yaml", NULL);
    assert_string_equal(g->volume.axes, "xyz");
    assert_int_equal(g->volume.info.n_steps, 2);
    assert_int_equal(g->volume.steps[0].kind, VOX_PREPARE_RESAMPLE_SHAPE);
    assert_true(g->volume.steps[0].value[2] == 128);
    assert_int_equal(g->volume.steps[1].kind, VOX_PREPARE_DIVIDE_BY_MAXIMUM);
    assert_true(g->volume.info.rule == VOX_THRESHOLD && g->volume.info.level == 0.5 &&
                g->volume.info.border == VOX_BORDER_NONE);
    assert_string_equal(g->labels[1], "brain");
    ir_graph_free(g);
    g = load("models/nnunet_small.yaml", NULL);
    assert_string_equal(g->volume.axes, "zyx");
    assert_true(g->volume.info.border == VOX_BORDER_MIRROR && g->volume.info.rule == VOX_ARGMAX);
    ir_graph_free(g);
}

static void tile_follows_the_axes(void **state) {
    (void)state;
    ir_diag d = {0};
    ir_graph *g = parse("name: t\ninputs: {x: {type: f32, shape: [1, 1, 4, 5, 6]}}\nlayers: [y: relu]\n"
                        "volume: {axes: zxy, prepare: [crop_or_pad: tile], border: none, output: argmax}\n",
                        NULL, &d);
    assert_non_null(g);
    const double *v = g->volume.steps[0].value; /* x y z: H, W, D */
    assert_true(v[0] == 5 && v[1] == 6 && v[2] == 4);
    ir_graph_free(g);
}

/* The section can also come from a file of its own, for a network that was read from ONNX. */
static void a_volume_section_alone(void **state) {
    (void)state;
    static const char net[] =
        "name: t\ninputs: {x: {type: f32, shape: [1, 1, 4, 4, 4]}}\nlayers: [y: relu]\n";
    static const char text[] = "labels: [no, yes]\n"
                               "volume: {axes: xyz, prepare: [], border: mirror, output: {threshold: 2}}\n";
    char *dir = test_tmpdir(), *path = test_format("%s/volume.yaml", dir);
    ir_diag d = {0};
    ir_graph *g = parse(net, NULL, &d);
    assert_non_null(g);
    test_write(path, text, strlen(text));
    if (!yaml_load_volume(g, path, &d)) fail_msg("%s", d.text);
    assert_true(g->volume.present && g->volume.info.rule == VOX_THRESHOLD && g->volume.info.level == 2);
    assert_string_equal(g->labels[1], "yes");
    test_write(path, "labels: [no, yes]\n", 18);
    assert_false(yaml_load_volume(g, path, &d));
    assert_non_null(strstr(d.text, "no `volume:`"));
    ir_graph_free(g);
    free(path);
    test_rmdir(dir);
}

/* ---- options */

static void input_sizes_can_be_given(void **state) {
    (void)state;
    const char *by_letter[] = {"D=140", "image.W=92"}, *by_number[] = {"image.2=140", "W=92"};
    yaml_options a = {.n_dims = 2, .dims = by_letter}, b = {.n_dims = 2, .dims = by_number};
    ir_graph *g = load("models/unet3d.yaml", &a), *h = load("models/unet3d.yaml", &b);
    expect_type(g->outputs[0], "f32[1,3,52,44,4]");
    expect_type(h->outputs[0], "f32[1,3,52,44,4]");
    ir_graph_free(g);
    ir_graph_free(h);
}

static void current_statistics_are_instance_norm(void **state) {
    (void)state;
    yaml_options opt = {.statistics = "current"};
    ir_graph *g = load("models/unet3d.yaml", &opt);
    int instance = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        assert_int_not_equal(g->nodes[i]->op, IR_OP_BATCH_NORM);
        if (g->nodes[i]->op == IR_OP_INSTANCE_NORM) instance++;
    }
    assert_int_equal(instance, 14);
    assert_null(ir_find_tensor(g, "e0a.bn.running_mean"));
    assert_non_null(ir_find_tensor(g, "e0a.bn.weight"));
    assert_int_equal(ir_parameters(g, false), 19069955);
    ir_graph_free(g);
}

static void bad_overrides(void **state) {
    (void)state;
    static const char *const bad[] = {"Q=4",           "D=",        "D=0", "D=4x",
                                      "picture.D=132", "image.9=4", "132", "D=99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ir_diag d = {0};
        yaml_options opt = {.n_dims = 1, .dims = &bad[i]};
        assert_null(yaml_load("models/unet3d.yaml", &opt, &d));
        assert_int_equal(d.code, IR_EXIT_INPUT);
        if (!strstr(d.text, "--input-dim")) fail_msg("%s: %s", bad[i], d.text);
    }
}

/* ---- the language */

/* One layer's output type. */
static const struct {
    const char *layer, *type;
} one_layer[] = {
    {"conv: {channels: 8, kernel: 3}", "f32[1,8,10,10,10]"},
    {"conv: {channels: 8, kernel: 3, padding: same}", "f32[1,8,12,12,12]"},
    {"conv: {channels: 8, kernel: [1, 3, 5], padding: [0, 1, 2]}", "f32[1,8,12,12,12]"},
    {"conv: {channels: 8, kernel: 3, padding: [0, 0, 1, 1, 1, 1]}", "f32[1,8,11,11,12]"},
    {"conv: {channels: 8, kernel: 3, stride: 2, padding: same}", "f32[1,8,6,6,6]"},
    {"conv: {channels: 8, kernel: 3, dilation: 2, groups: 4, bias: false}", "f32[1,8,8,8,8]"},
    {"conv_transpose: {channels: 2, kernel: 2, stride: 2}", "f32[1,2,24,24,24]"},
    {"conv_transpose: {channels: 2, kernel: 3, stride: 2, padding: same}", "f32[1,2,24,24,24]"},
    {"conv_transpose: {channels: 2, kernel: 3, stride: 2, padding: 1, output_padding: 1}",
     "f32[1,2,24,24,24]"},
    {"instance_norm: {affine: false}", "f32[1,4,12,12,12]"},
    {"instance_norm: {epsilon: 1e-3}", "f32[1,4,12,12,12]"},
    {"group_norm: {groups: 2, epsilon: 1e-3}", "f32[1,4,12,12,12]"},
    {"layer_norm: {affine: false}", "f32[1,4,12,12,12]"},
    {"leaky_relu: {slope: 0.2}", "f32[1,4,12,12,12]"},
    {"prelu: {slopes: per_channel}", "f32[1,4,12,12,12]"},
    {"elu: {alpha: 0.5}", "f32[1,4,12,12,12]"},
    {"clip: {low: 0, high: 6}", "f32[1,4,12,12,12]"},
    {"softmax: {}", "f32[1,4,12,12,12]"},
    {"arg_max: {}", "i64[1,1,12,12,12]"},
    {"max_pool: {kernel: 2}", "f32[1,4,6,6,6]"},
    {"max_pool: {kernel: 5, rounding: floor}", "f32[1,4,2,2,2]"},
    {"max_pool: {kernel: 5, rounding: ceil}", "f32[1,4,3,3,3]"},
    {"max_pool: {kernel: 3, stride: 2, padding: [0, 0, 0, 1, 1, 1]}", "f32[1,4,6,6,6]"},
    {"average_pool: {kernel: [1, 2, 3], include_padding: true}", "f32[1,4,12,6,4]"},
    {"crop: {margin: 2}", "f32[1,4,8,8,8]"},
    {"crop: {margin: [0, 1, 2, 3, 4, 5]}", "f32[1,4,9,7,5]"},
    {"crop: {size: [12, 10, 2]}", "f32[1,4,12,10,2]"},
    {"pad: {margin: 1, mode: reflect}", "f32[1,4,14,14,14]"},
    {"pad: {margin: [0, 0, 3], value: -1}", "f32[1,4,12,12,18]"},
    {"resize: {scale: 2, mode: linear}", "f32[1,4,24,24,24]"},
    {"resize: {scale: [1, 0.5, 1.5], mode: nearest, coordinates: asymmetric, nearest: floor}",
     "f32[1,4,12,6,18]"},
    {"resize: {size: 7, mode: linear, coordinates: align_corners}", "f32[1,4,7,7,7]"},
    {"add: {from: [x, x]}", "f32[1,4,12,12,12]"},
    {"mul: {from: [x, x]}", "f32[1,4,12,12,12]"},
    {"concat: {from: [x, x, x]}", "f32[1,12,12,12,12]"},
};

static void every_layer_kind_builds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof one_layer / sizeof *one_layer; i++) {
        char *text = test_format(HEAD "layers:\n  - y: {%s}\n", one_layer[i].layer);
        ir_diag d = {0};
        ir_graph *g = parse(text, NULL, &d);
        if (!g) fail_msg("%s", d.text);
        if (!ir_verify(g, &d)) fail_msg("%s", d.text);
        expect_type(g->outputs[0], one_layer[i].type);
        ir_graph_free(g);
        free(text);
    }
}

static void every_layer_kind_is_documented(void **state) {
    (void)state;
    char *doc = test_read("models/README.md", NULL);
    for (int k = 0; yaml_layer_kind(k); k++) {
        char *heading = test_format("\n### %s\n", yaml_layer_kind(k));
        char *section = strstr(doc, heading);
        if (!section) fail_msg("models/README.md has no section %s", yaml_layer_kind(k));
        const char *end = strstr(section + 1, "\n##");
        for (int i = 0; yaml_layer_key(k, i); i++) {
            char *key = test_format("`%s`", yaml_layer_key(k, i));
            const char *at = strstr(section, key);
            if (!at || at > end) fail_msg("models/README.md: %s lacks the key %s", yaml_layer_kind(k), key);
            free(key);
        }
        free(heading);
    }
    static const char *const steps[] = {
#define X(sym, name, n, text) name,
        VOX_PREPARES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char *row = test_format("| `%s", steps[i]);
        if (!strstr(doc, row)) fail_msg("models/README.md lacks the step %s", steps[i]);
        free(row);
    }
    free(doc);
}

static void the_documentations_example_builds(void **state) {
    (void)state;
    char *doc = test_read("models/README.md", NULL);
    char *text = strstr(doc, "```yaml\n");
    assert_non_null(text);
    text += 8;
    char *end = strstr(text, "```");
    assert_non_null(end);
    *end = 0;
    ir_diag d = {0};
    ir_graph *g = parse(text, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    expect_type(g->outputs[0], "f32[1,2,16,16,16]");
    ir_graph_free(g);
    free(doc);
}

/* Blocks in blocks: names, parameters that carry a layer's name, `input`, and a view into an inner layer. */
static void blocks_nest(void **state) {
    (void)state;
    ir_diag d = {0};
    ir_graph *g = parse(
        HEAD
        "blocks:\n"
        "  twice: {parameters: {act: relu, c: 8}, layers: [a: {one: {c: $c}}, b: {one: {c: $c}}]}\n"
        "  one: {parameters: {c: }, layers: [conv: {conv: {channels: $c, kernel: 1}}, act: relu]}\n"
        "  join: {parameters: {skip: }, layers: [d: dropout, cat: {concat: {from: [d, input, $skip]}}]}\n"
        "layers:\n"
        "  - p: twice\n"
        "  - q: {twice: {c: 3}}\n"
        "  - r: {join: {skip: p.a.conv}}\n",
        NULL, &d);
    if (!g) fail_msg("%s", d.text);
    expect_type(g->outputs[0], "f32[1,14,12,12,12]");
    assert_string_equal(g->outputs[0]->name, "r");
    assert_non_null(ir_find_tensor(g, "p.a.conv.weight"));
    assert_non_null(ir_find_tensor(g, "p.a"));
    assert_non_null(ir_find_tensor(g, "p"));
    assert_null(ir_find_tensor(g, "p.b")); /* the last layer bears the name of the use */
    assert_non_null(ir_find_tensor(g, "q.b.conv.bias"));
    assert_string_equal(g->nodes[0]->source, "net.yaml:8:5");
    ir_graph_free(g);
}

static void crop_centre_crops_each_to_the_smallest(void **state) {
    (void)state;
    ir_diag d = {0};
    ir_graph *g = parse(
        HEAD "layers:\n  - a: {crop: {margin: [1, 0, 0]}}\n  - b: {crop: {from: x, margin: [0, 3, 0]}}\n"
             "  - c: {concat: {from: [a, b, x], crop: centre}}\n",
        NULL, &d);
    if (!g) fail_msg("%s", d.text);
    expect_type(g->outputs[0], "f32[1,12,10,6,12]");
    expect_type(ir_find_tensor(g, "x.crop"), "f32[1,4,10,6,12]");
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_papers_network),
        cmocka_unit_test(the_papers_layers),
        cmocka_unit_test(every_model_is_what_it_says),
        cmocka_unit_test(volume_sections_are_read),
        cmocka_unit_test(tile_follows_the_axes),
        cmocka_unit_test(a_volume_section_alone),
        cmocka_unit_test(input_sizes_can_be_given),
        cmocka_unit_test(current_statistics_are_instance_norm),
        cmocka_unit_test(bad_overrides),
        cmocka_unit_test(every_layer_kind_builds),
        cmocka_unit_test(every_layer_kind_is_documented),
        cmocka_unit_test(the_documentations_example_builds),
        cmocka_unit_test(blocks_nest),
        cmocka_unit_test(crop_centre_crops_each_to_the_smallest),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
