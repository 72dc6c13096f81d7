/* The YAML front end: the paper's numbers, the language, and the place and words of each error. */
#include "test.h"

#include "front_yaml.h"

static ir_graph *parse(const char *text, const yaml_options *opt, ir_diag *d) {
    return yaml_parse(text, strlen(text), "net.yaml", opt, d);
}

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
    assert_int_equal(g->volume.n_prepare, 2);
    assert_int_equal(g->volume.prepare[0].kind, IR_PREPARE_RESAMPLE_SHAPE);
    assert_true(g->volume.prepare[0].value[2] == 128);
    assert_int_equal(g->volume.prepare[1].kind, IR_PREPARE_DIVIDE_BY_MAXIMUM);
    assert_true(g->volume.threshold && g->volume.level == 0.5 && !g->volume.mirror);
    assert_string_equal(g->labels[1], "brain");
    ir_graph_free(g);
    g = load("models/nnunet_small.yaml", NULL);
    assert_string_equal(g->volume.axes, "zyx");
    assert_true(g->volume.mirror && !g->volume.threshold);
    ir_graph_free(g);
}

static void tile_follows_the_axes(void **state) {
    (void)state;
    ir_diag d = {0};
    ir_graph *g = parse("name: t\ninputs: {x: {type: f32, shape: [1, 1, 4, 5, 6]}}\nlayers: [y: relu]\n"
                        "volume: {axes: zxy, prepare: [crop_or_pad: tile], border: none, output: argmax}\n",
                        NULL, &d);
    assert_non_null(g);
    const double *v = g->volume.prepare[0].value; /* x y z: H, W, D */
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
    assert_true(g->volume.present && g->volume.threshold && g->volume.level == 2);
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

#define HEAD "name: t\ninputs: {x: {type: f32, shape: [1, 4, 12, 12, 12]}}\n"

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
        IR_PREPARES(X)
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

/* ---- errors */

typedef struct bad {
    const char *text;
    int line, col, code;
    const char *part;
} bad;

#define L "layers:\n  - "
static const bad bads[] = {
    {"", 0, 0, 2, "empty"},
    {"a: [1", 2, 1, 2, "not YAML"},
    {"\tname: x", 1, 1, 2, "not YAML"},
    {"name: a\nname: b\n", 2, 1, 2, "twice, first in line 1"},
    {"- a\n", 1, 1, 2, "mapping"},
    {"name: a\n---\nname: b\n", 2, 1, 2, "a second document"},
    {"name: a\nlayer: []\n", 2, 1, 2, "no key layer (did you mean layers?)"},
    {"inputs: {}\n", 1, 1, 2, "no `name:`"},
    {"name: 3d\n", 1, 7, 2, "digit"},
    {"name: [a]\n", 1, 7, 2, "a list"},
    {"name: a\n", 1, 1, 2, "no `inputs:`"},
    {"name: a\ninputs: {}\n", 2, 9, 2, "something in it"},
    {"name: a\ninputs: {x: [1]}\n", 2, 13, 2, "needs type and shape"},
    {"name: a\ninputs: {x: {type: f16, shape: [1, 1, 1]}}\n", 2, 20, 2, "one of f32"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 1]}}\n", 2, 32, 2, "1 to 3 spatial axes"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 1, 0]}}\n", 2, 39, 2, "between 1"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 1, -4]}}\n", 2, 39, 2, "between 1"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 1, '4']}}\n", 2, 39, 2, "whole number"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 1, 4.5]}}\n", 2, 39, 2, "whole number"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 1, 99999999999999999999]}}\n", 2, 39, 2, "between 1"},
    {"name: a\ninputs: {x: {type: f32, shape: [1, 4294967296, 4294967296, 4294967296]}}\n", 2, 32, 2,
     "64 bits"},
    {HEAD, 1, 1, 2, "no `layers:`"},
    {HEAD "statistics: runing\n" L "y: relu\n", 3, 13, 2, "did you mean running?"},
    {HEAD L "y\n", 4, 5, 2, "a layer is"},
    {HEAD L "y: {relu: {}, tanh: {}}\n", 4, 8, 2, "expected the kind of layer y"},
    {HEAD L "y: rellu\n", 4, 8, 3, "did you mean relu?"},
    {HEAD L "y: {conv: 3}\n", 4, 15, 2, "must be a mapping"},
    {HEAD L "y: {relu: {slope: 1}}\n", 4, 16, 2, "layer kind relu has no key slope"},
    {HEAD L "y: {conv: {chanels: 3, kernel: 1}}\n", 4, 16, 2, "did you mean channels?"},
    {HEAD L "y: {conv: {kernel: 1}}\n", 4, 5, 2, "key channels is missing"},
    {HEAD L "y: {conv: {channels: 3}}\n", 4, 5, 2, "key kernel is missing"},
    {HEAD L "y: {conv: {channels: 3, kernel: [1, 2]}}\n", 4, 37, 2, "list of 3"},
    {HEAD L "y: {conv: {channels: 3, kernel: {}}}\n", 4, 37, 2, "a mapping"},
    {HEAD L "y: {conv: {channels: 3, kernel: 0}}\n", 4, 37, 2, "between 1"},
    {HEAD L "y: {conv: {channels: 3, kernel: 3, padding: full}}\n", 4, 49, 2, "valid, same or numbers"},
    {HEAD L "y: {conv: {channels: 3, kernel: 3, padding: -1}}\n", 4, 49, 2, "between 0"},
    {HEAD L "y: {conv: {channels: 3, kernel: 3, padding: [1, 2]}}\n", 4, 49, 2, "list of 6"},
    {HEAD L "y: {conv: {channels: 3, kernel: 3, bias: no}}\n", 4, 46, 2, "false, true"},
    {HEAD L "y: {conv: {channels: 6, kernel: 3, groups: 3}}\n", 4, 5, 2, "3 groups do not divide"},
    {HEAD L "y: {conv: {channels: $c, kernel: 3}}\n", 4, 26, 2, "only the layers of a block"},
    {HEAD L "y: {conv_transpose: {channels: 3, kernel: 1, stride: 2, padding: same}}\n", 4, 5, 2, "holes"},
    {HEAD L "y: batch_norm\n", 4, 5, 2, "statistics: running"},
    {HEAD L "y: {instance_norm: {epsilon: 0}}\n", 4, 5, 2, "above 0"},
    {HEAD L "y: {group_norm: {groups: 3}}\n", 4, 5, 2, "4 channels cannot be split into 3 groups"},
    {HEAD L "y: group_norm\n", 4, 5, 2, "key groups is missing"},
    {HEAD L "y: {leaky_relu: {slope: .nan}}\n", 4, 29, 2, "finite number"},
    {HEAD L "y: {clip: {low: 1}}\n", 4, 5, 2, "key high is missing"},
    {HEAD L "y: {clip: {low: 1, high: 0}}\n", 4, 5, 2, "lies above"},
    {HEAD L "y: {softmax: {axis: 5}}\n", 4, 25, 2, "between 0 and 4"},
    {HEAD L "y: {dropout: {rate: 1}}\n", 4, 5, 2, "[0, 1)"},
    {HEAD L "y: {relu: {from: z}}\n", 4, 22, 2, "no layer or input above is named z"},
    {HEAD L "y: {relu: {from: [x]}}\n", 4, 22, 2, "takes one layer"},
    {HEAD L "y: {relu: {from: {}}}\n", 4, 22, 2, "name of a layer"},
    {HEAD L "x: relu\n", 4, 5, 2, "name of another layer or input, in line 2"},
    {HEAD L "y: relu\n  - y: relu\n", 5, 5, 2, "in line 4"},
    {HEAD L "y: relu\n  - z: {relu: {from: x}}\n", 4, 5, 2, "y is used by no layer"},
    {HEAD L "y: concat\n", 4, 5, 2, "needs `from:`"},
    {HEAD L "y: {concat: {from: []}}\n", 4, 24, 2, "needs layers"},
    {HEAD L "y: {add: {from: [x]}}\n", 4, 5, 2, "two layers"},
    {HEAD L "y: {crop: {}}\n", 4, 5, 2, "exactly one of the keys margin, size, like"},
    {HEAD L "y: {crop: {margin: 1, size: 1}}\n", 4, 5, 2, "exactly one"},
    {HEAD L "y: {crop: {margin: 6}}\n", 4, 5, 2, "leaves none"},
    {HEAD L "y: {crop: {size: 9}}\n", 4, 5, 2, "odd number"},
    {HEAD L "y: {crop: {size: 14}}\n", 4, 5, 2, "it is smaller"},
    {HEAD L "y: {pad: {margin: 1, mode: mirror}}\n", 4, 32, 2, "one of constant"},
    {HEAD L "y: {pad: {margin: 1, mode: edge, value: 1}}\n", 4, 5, 2, "mode: constant only"},
    {HEAD L "y: {resize: {scale: 0, mode: linear}}\n", 4, 25, 2, "scale 0"},
    {HEAD L "y: {resize: {scale: 1e12, mode: linear}}\n", 4, 25, 2, "scale 1e+12"},
    {HEAD L "y: {resize: {scale: 2}}\n", 4, 5, 2, "key mode is missing"},
    {HEAD L "y: {resize: {scale: 2, mode: linear, nearest: floor}}\n", 4, 5, 2, "mode: nearest only"},
    {HEAD L "y: {max_pool: {kernel: 5}}\n", 4, 5, 2,
     "legal sizes along D, H, W are 0 mod 5 from 5: 5, 10, 15, 20, 25"},
    {HEAD L "y: {conv: {channels: 1, kernel: 13}}\n", 4, 5, 2,
     "legal sizes along D, H, W are any from 13: 13, 14, 15, ..."},
    {HEAD L "y: arg_max\n  - z: relu\n", 5, 5, 2, "whole numbers"},
    {HEAD "blocks: {b: {}}\n" L "y: relu\n", 3, 13, 2, "needs `layers:`"},
    {HEAD "blocks: {relu: {layers: [a: tanh]}}\n" L "y: relu\n", 3, 10, 2, "is a layer kind"},
    {HEAD "blocks: {b: {layers: [a: b]}}\n" L "y: b\n", 3, 23, 2, "more than 16 deep"},
    {HEAD "blocks: {b: {parameters: {c: }, layers: [a: relu]}}\n" L "y: b\n", 5, 5, 2,
     "parameter c is missing"},
    {HEAD "blocks: {b: {layers: [a: relu]}}\n" L "y: {b: {c: 1}}\n", 5, 13, 2, "block b has no key c"},
    {HEAD "blocks: {b: {parameters: {c: $c}, layers: [a: {elu: {alpha: $c}}]}}\n" L "y: b\n", 3, 30, 2,
     "refers to itself"},
    {HEAD "blocks: {b: {layers: [a: {elu: {alpha: $c}}]}}\n" L "y: b\n", 3, 40, 2,
     "block b has no parameter c"},
    {HEAD "outputs: [z]\n" L "y: relu\n", 3, 11, 2, "named z"},
    {HEAD "outputs: [x]\n" L "y: relu\n", 3, 11, 2, "is an input"},
    {HEAD "labels: [a, b]\n" L "y: relu\n", 3, 9, 2, "2 labels, but output y has 4 channels"},
    {HEAD "labels: [a, a, b, c]\n" L "y: relu\n", 3, 13, 2, "twice"},
    {HEAD "labels: [a, \"b\\n\", c, d]\n" L "y: relu\n", 3, 13, 2, "control character"},
    {HEAD "labels: [a, \"b\\x85\", c, d]\n" L "y: relu\n", 3, 13, 2, "control character"},
    {HEAD "labels: [a, \"b\\u202E\", c, d]\n" L "y: relu\n", 3, 13, 2, "turns the direction of text"},
    {HEAD "labels: [a, \"b\\0c\", c, d]\n" L "y: relu\n", 3, 13, 2, "a zero byte"},
    {HEAD L "\"y\\0z\": relu\n", 4, 5, 2, "a zero byte"},
    {HEAD "volume: {axes: xyz}\n" L "y: relu\n", 3, 9, 2, "lacks the key prepare"},
#define V(axes, prepare, border, output)                                                                     \
    HEAD "volume:\n  axes: " axes "\n  prepare: " prepare "\n  border: " border "\n  output: " output "\n" L \
         "y: relu\n"
    {V("xyy", "[]", "none", "argmax"), 4, 9, 2, "axes must be x, y and z"},
    {V("xyz", "[zscore]", "none", "argmax"), 5, 13, 2, "did you mean z_score?"},
    {V("xyz", "[clip]", "none", "argmax"), 5, 13, 2, "needs its numbers"},
    {V("xyz", "[min_max: 1]", "none", "argmax"), 5, 13, 2, "takes no numbers"},
    {V("xyz", "[clip: 3]", "none", "argmax"), 5, 19, 2, "a list of 2 numbers"},
    {V("xyz", "[clip: [3, 1]]", "none", "argmax"), 5, 19, 2, "3 lies above 1"},
    {V("xyz", "[smooth: -1]", "none", "argmax"), 5, 21, 2, "above 0"},
    {V("xyz", "[crop_or_pad: 1.5]", "mirror", "argmax"), 5, 26, 2, "whole numbers"},
    {V("xyz", "[crop_or_pad: [12, 12, 13]]", "none", "argmax"), 5, 13, 2, "13 voxels along z"},
    {V("xyz", "[]", "wrap", "argmax"), 6, 11, 2, "one of none, mirror"},
    {V("xyz", "[]", "none", "max"), 7, 11, 2, "argmax or {threshold"},
    {V("xyz", "[]", "none", "{threshold: 0.5}"), 4, 3, 2, "needs one output channel"},
};

/* True when the message begins with the place, holds the part and ends with a caret in the right column. */
static bool is_expected(const bad *b, const ir_diag *d) {
    char where[40];
    if (b->line)
        snprintf(where, sizeof where, "net.yaml:%d:%d: ", b->line, b->col);
    else
        snprintf(where, sizeof where, "net.yaml: ");
    if (strncmp(d->text, where, strlen(where)) || !strstr(d->text, b->part) || d->code != b->code)
        return false;
    const char *caret = strrchr(d->text, '\n');
    return !b->line || (caret && strlen(caret) == (size_t)b->col + 1 && caret[b->col] == '^');
}

static void errors_say_where_and_what(void **state) {
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        const bad *b = &bads[i];
        ir_diag d = {0};
        ir_graph *g = parse(b->text, NULL, &d);
        if (!g && is_expected(b, &d)) continue;
        ir_graph_free(g);
        print_error("expected %d:%d: ... %s... (code %d), got code %d:\n%s\n", b->line, b->col, b->part,
                    b->code, d.code, g ? b->text : d.text);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void legal_sizes_of_the_papers_network(void **state) {
    (void)state;
    const char *cube[] = {"D=134", "H=134", "W=134"}, *one[] = {"H=134"};
    yaml_options a = {.n_dims = 3, .dims = cube}, b = {.n_dims = 1, .dims = one};
    ir_diag d = {0}, e = {0};
    assert_null(yaml_load("models/unet3d.yaml", &a, &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    assert_non_null(strstr(d.text, "unet3d.yaml:26:5: layer p1 (max_pool): 61 voxels along D"));
    assert_non_null(strstr(
        d.text, "legal sizes along D, H, W are 4 mod 8 from 92: ..., 116, 124, 132, 140, 148, 156, ..."));
    assert_null(yaml_load("models/unet3d.yaml", &b, &e));
    assert_non_null(strstr(e.text, "; legal sizes along H are 4 mod 8 from 92"));
}

/* Every prefix of a description is a graph or one error;
 * under the sanitizers this finds reads past the end. */
static void truncated_text_never_crashes(void **state) {
    (void)state;
    size_t n;
    char *text = test_read("models/nnunet_small.yaml", &n);
    for (size_t k = 0; k < n; k += 1 + k / 200) {
        ir_diag d = {0};
        char *copy = malloc(k + 1);
        assert_non_null(copy);
        memcpy(copy, text, k);
        ir_graph *g = yaml_parse(copy, k, "cut.yaml", NULL, &d);
        assert_true(g || d.code == IR_EXIT_INPUT || d.code == IR_EXIT_UNSUPPORTED);
        ir_graph_free(g);
        free(copy);
    }
    free(text);
}

static void hostile_text_is_refused(void **state) {
    (void)state;
    ir_diag deep = {0}, bomb = {0}, binary = {0}, cycle = {0};
    char *text = malloc(200001);
    assert_non_null(text);
    memset(text, '[', 200000);
    text[200000] = 0;
    assert_null(parse(text, NULL, &deep));
    assert_non_null(strstr(deep.text, "nested too deep"));
    free(text);
    assert_null(
        parse(HEAD "blocks:\n  a: {layers: [x1: b, x2: b, x3: b, x4: b, x5: b, x6: b, x7: b, x8: b, x9: b]}\n"
                   "  b: {layers: [x1: c, x2: c, x3: c, x4: c, x5: c, x6: c, x7: c, x8: c, x9: c]}\n"
                   "  c: {layers: [x1: d, x2: d, x3: d, x4: d, x5: d, x6: d, x7: d, x8: d, x9: d]}\n"
                   "  d: {layers: [x1: relu, x2: relu, x3: relu, x4: relu, x5: relu, x6: relu, x7: relu]}\n"
                   "layers: [y: a]\n",
              NULL, &bomb));
    assert_non_null(strstr(bomb.text, "more than 2000 layers"));
    assert_null(parse("name: \xff\xfe\x01", NULL, &binary));
    assert_non_null(strstr(binary.text, "UTF-8"));
    assert_null(parse("&a {name: *a}", NULL, &cycle));
    assert_int_equal(cycle.code, IR_EXIT_INPUT);
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
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(legal_sizes_of_the_papers_network),
        cmocka_unit_test(truncated_text_never_crashes),
        cmocka_unit_test(hostile_text_is_refused),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
