/* The YAML front end: the place and words of each error. */
#include "yaml_text.h"

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
    {V("xyz", "[]", "none", "max"), 7, 11, 2, "argmax, {threshold"},
    {V("xyz", "[]", "none", "{threshold: 0.5}"), 7, 11, 2, "needs one output channel"},
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
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(legal_sizes_of_the_papers_network),
        cmocka_unit_test(truncated_text_never_crashes),
        cmocka_unit_test(hostile_text_is_refused),
    };
    return cmocka_run_group_tests_name("yaml errors", tests, NULL, NULL);
}
