/* The YAML front end: what a volume section says, and the place and words of its errors. */
#include "yaml_text.h"

/* A padded network of two channels. */
#define NET "name: t\ninputs: {x: {type: f32, shape: [1, 2, 4, 5, 6]}}\nlayers: [y: relu]\n"
/* A valid one. */
#define VALID                                                                                                \
    "name: t\ninputs: {x: {type: f32, shape: [1, 1, 6, 6, 6]}}\n"                                            \
    "layers: [y: {conv: {channels: 1, kernel: 3, padding: valid}}]\n"

static ir_graph *built(const char *text) {
    ir_diag d = {0};
    ir_graph *g = parse(text, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    assert_true(g->volume.present);
    return g;
}

static void expect_sampling(const vox_resampling *r, vox_interpolation order, vox_alignment align,
                            double anisotropy) {
    assert_int_equal(r->order, order);
    assert_int_equal(r->align, align);
    assert_true(r->anisotropy == anisotropy);
}

static void a_section_without_options_has_the_defaults(void **state) {
    (void)state;
    ir_graph *g = built(NET "volume: {axes: zyx, prepare: [], border: mirror, output: argmax}\n");
    const vox_volume_info *v = &g->volume.info;
    assert_true(v->overlap == 0.5);
    assert_int_equal(v->window, VOX_WINDOW_GAUSSIAN);
    assert_null(v->orientation);
    assert_null(v->stored);
    assert_int_equal(v->mirror_axes | v->half | v->n_steps | v->n_regions, 0);
    assert_int_equal(v->activation, VOX_AS_THEY_ARE);
    assert_int_equal(v->rule, VOX_ARGMAX);
    expect_sampling(&v->restore, VOX_LINEAR, VOX_CORNERS, 0);
    ir_graph_free(g);
    g = built(VALID "volume: {axes: zyx, prepare: [], border: mirror, output: argmax}\n");
    assert_true(g->volume.info.overlap == 0);
    assert_int_equal(g->volume.info.window, VOX_WINDOW_CONSTANT);
    ir_graph_free(g);
    g = built(NET "volume: {axes: zyx, prepare: [], border: none, output: argmax}\n");
    assert_true(g->volume.info.overlap == 0);
    assert_int_equal(g->volume.info.window, VOX_WINDOW_CONSTANT);
    ir_graph_free(g);
    g = built(NET "volume: {axes: zyx, prepare: [], border: zero, output: argmax, overlap: 0}\n");
    assert_int_equal(g->volume.info.border, VOX_BORDER_ZERO);
    assert_true(g->volume.info.overlap == 0);
    assert_int_equal(g->volume.info.window, VOX_WINDOW_CONSTANT);
    ir_graph_free(g);
}

static void labels_do_not_overlap(void **state) {
    (void)state;
    ir_graph *g = built("name: t\ninputs: {x: {type: f32, shape: [1, 2, 4, 5, 6]}}\nlayers: [y: arg_max]\n"
                        "volume: {axes: zyx, prepare: [], border: mirror, output: argmax}\n");
    assert_true(g->volume.info.overlap == 0);
    ir_graph_free(g);
}

static void every_key_is_read(void **state) {
    (void)state;
    ir_graph *g = built(
        NET "labels: [none, edge, core]\n"
            "volume:\n"
            "  axes: yxz\n"
            "  orientation: RAS\n"
            "  stored: LIA\n"
            "  prepare: []\n"
            "  border: zero\n"
            "  overlap: 0.25\n"
            "  window: constant\n"
            "  mirror_axes: [W, D]\n"
            "  accumulate: half\n"
            "  activation: sigmoid\n"
            "  restore: {order: nearest, align: edges, across: linear, anisotropy: 3, antialias: true}\n"
            "  output: {regions: [1, 2], above: 0.25}\n");
    const vox_volume_info *v = &g->volume.info;
    assert_string_equal(v->axes, "yxz");
    assert_string_equal(v->orientation, "RAS");
    assert_string_equal(v->stored, "LIA");
    assert_int_equal(v->border, VOX_BORDER_ZERO);
    assert_true(v->overlap == 0.25);
    assert_int_equal(v->window, VOX_WINDOW_CONSTANT);
    assert_int_equal(v->mirror_axes, 1 | 4);
    assert_int_equal(v->half, 1);
    assert_int_equal(v->activation, VOX_SIGMOID);
    expect_sampling(&v->restore, VOX_NEAREST, VOX_EDGES, 3);
    assert_int_equal(v->restore.across, VOX_LINEAR);
    assert_int_equal(v->restore.antialias, 1);
    assert_int_equal(v->rule, VOX_REGIONS);
    assert_true(v->level == 0.25);
    assert_int_equal(v->n_regions, 2);
    assert_int_equal(v->region_label[0], 1);
    assert_int_equal(v->region_label[1], 2);
    ir_graph_free(g);
}

static void steps_have_options(void **state) {
    (void)state;
    ir_graph *g =
        built(NET "volume:\n  axes: xyz\n  border: mirror\n  output: argmax\n  prepare:\n"
                  "    - crop_to_nonzero\n"
                  "    - clip_percentiles: [0.5, 99.5]\n"
                  "    - ct: {values: [-57, 164, 40, 20.5], channel: 1}\n"
                  "    - z_score_inside: {channel: 0, floor: 1e-8}\n"
                  "    - clip: {values: [0, 1], channel: 1}\n"
                  "    - resample_to_spacing: {to: [1, 2, 3], order: cubic, align: edges, across: nearest, "
                  "anisotropy: 3, antialias: true}\n"
                  "    - resample_to_spacing: 1.5\n"
                  "    - resample_to_shape: [7, 8, 9]\n"
                  "    - resample_to_shape: {to: tile, align: edges, order: nearest}\n");
    const vox_prepare_step *s = g->volume.info.steps;
    assert_int_equal(g->volume.info.n_steps, 9);
    assert_int_equal(s[0].kind, VOX_PREPARE_CROP_NONZERO);
    assert_true(s[1].value[0] == 0.5 && s[1].value[1] == 99.5);
    assert_int_equal(s[1].channel, -1);
    assert_true(s[2].value[0] == -57 && s[2].value[3] == 20.5);
    assert_int_equal(s[2].channel, 1);
    assert_int_equal(s[3].channel, 0);
    assert_true(s[3].floor == 1e-8);
    assert_true(s[4].value[1] == 1);
    expect_sampling(&s[5].sampling, VOX_CUBIC, VOX_EDGES, 3);
    assert_int_equal(s[5].sampling.across, VOX_NEAREST);
    assert_int_equal(s[5].sampling.antialias, 1);
    assert_true(s[5].value[0] == 1 && s[5].value[2] == 3);
    expect_sampling(&s[6].sampling, VOX_LINEAR, VOX_SPACING, 0);
    assert_true(s[6].value[2] == 1.5);
    expect_sampling(&s[7].sampling, VOX_LINEAR, VOX_CORNERS, 0);
    expect_sampling(&s[8].sampling, VOX_NEAREST, VOX_EDGES, 0);
    assert_true(s[8].value[0] == 4 && s[8].value[2] == 6);
    expect_sampling(&g->volume.info.restore, VOX_LINEAR, VOX_EDGES, 0);
    ir_graph_free(g);
}

/* What is read is what the text form and the emitted tables carry. */
static void the_text_form_carries_all(void **state) {
    (void)state;
    ir_graph *g = built(NET "volume:\n  axes: zyx\n  orientation: LPS\n  border: zero\n  window: constant\n"
                            "  mirror_axes: [D, H, W]\n  accumulate: half\n  activation: softmax\n"
                            "  output: {regions: [3, 1], above: 0}\n  prepare:\n"
                            "    - z_score: {channel: 1, floor: 0.001}\n"
                            "    - resample_to_spacing: {to: 2, order: cubic, align: first}\n");
    static const char expected[] = "volume {\n"
                                   "  axes zyx\n"
                                   "  orientation LPS\n"
                                   "  z_score channel=1 floor=0.001\n"
                                   "  resample_to_spacing 2 2 2 order=cubic align=first\n"
                                   "  zero\n"
                                   "  overlap 0.5\n"
                                   "  mirror_axes DHW\n"
                                   "  half\n"
                                   "  activation softmax\n"
                                   "  restore align=first\n"
                                   "  regions 0 [3,1]\n"
                                   "}\n";
    ir_graph *copy = ir_copy(g);
    char *text = ir_print_string(copy);
    if (!strstr(text, expected)) fail_msg("%s", text);
    free(text);
    ir_graph_free(copy);
    ir_graph_free(g);
}

/* ---- errors */

typedef struct bad {
    const char *text;
    int line, col;
    const char *part;
} bad;

#define V(more, prepare, border, output)                                                                     \
    NET "volume:\n  axes: xyz\n  prepare: " prepare "\n  border: " border "\n  output: " output "\n" more "\n"
static const bad bads[] = {
    {V("  orientation: RAX", "[]", "none", "argmax"), 9, 16, "R or L, A or P, and S or I"},
    {V("  stored: RLS", "[]", "none", "argmax"), 9, 11, "stored must be a code"},
    {V("  overlap: 0.5", "[]", "none", "argmax"), 9, 12, "overlap is about several tiles"},
    {V("  window: gaussian", "[]", "none", "argmax"), 9, 11, "window is about several tiles"},
    {V("  accumulate: half", "[]", "none", "argmax"), 9, 15, "accumulate is about several tiles"},
    {V("  overlap: 1", "[]", "mirror", "argmax"), 9, 12, "0 to below 1, this is 1"},
    {V("  window: gauss", "[]", "mirror", "argmax"), 9, 11, "did you mean gaussian?"},
    {V("  mirror_axes: D", "[]", "mirror", "argmax"), 9, 16, "a list of D, H and W"},
    {V("  mirror_axes: [D, D]", "[]", "mirror", "argmax"), 9, 20, "axis D stands here twice"},
    {V("  accumulate: double", "[]", "mirror", "argmax"), 9, 15, "one of float, half"},
    {V("  activation: relu", "[]", "mirror", "argmax"), 9, 15, "one of none, softmax, sigmoid"},
    {V("  restore: linear", "[]", "mirror", "argmax"), 9, 12, "restore must be a mapping"},
    {V("  restore: {ordr: linear}", "[]", "mirror", "argmax"), 9, 13, "did you mean order?"},
    {V("  restore: {across: linear}", "[]", "mirror", "argmax"), 9, 21, "needs the key anisotropy"},
    {V("  restore: {anisotropy: 0.5}", "[]", "mirror", "argmax"), 9, 25, "1 or more"},
    {V("", "[ct: [1, 2, 3]]", "none", "argmax"), 6, 17, "a list of 4 numbers"},
    {V("", "[ct: [1, 2, 3, 0]]", "none", "argmax"), 6, 17, "deviation of ct must be above 0"},
    {V("", "[clip_percentiles: [1, 101]]", "none", "argmax"), 6, 31, "from 0 to 100"},
    {V("", "[z_score_inside]", "none", "argmax"), 6, 13, "needs the step crop_to_nonzero before it"},
    {V("", "[crop_to_nonzero, crop_to_nonzero]", "none", "argmax"), 6, 30, "twice"},
    {V("", "[z_score: {channel: 2}]", "none", "argmax"), 6, 32, "between 0 and 1"},
    {V("", "[z_score: {floor: 0}]", "none", "argmax"), 6, 30, "above 0"},
    {V("", "[clip: {channel: 0}]", "none", "argmax"), 6, 19, "needs its numbers: `values: [...]`"},
    {V("", "[clip: {values: [0, 1], floor: 1}]", "none", "argmax"), 6, 36, "clip has no key floor"},
    {V("", "[resample_to_spacing: {order: cubic}]", "none", "argmax"), 6, 34, "`to: [...]`"},
    {V("", "[resample_to_shape: {to: tile, align: spacing}]", "none", "argmax"), 6, 50, "corners or edges"},
    {V("", "[]", "mirror", "{regions: [1, 2]}"), 8, 11, "regions need a level"},
    {V("", "[]", "mirror", "{regions: [1], above: 0}"), 8, 21, "1 regions, but output y has 2 channels"},
    {V("", "[]", "mirror", "{regions: [1, -1], above: 0}"), 8, 25, "between 0 and 65535"},
    {V("labels: [a, b]", "[]", "mirror", "{regions: [1, 4], above: 0}"), 9, 9, "expected 5 labels"},
    {V("", "[]", "mirror", "{threshold: 1}"), 8, 11, "needs one output channel"},
    {VALID "volume: {axes: xyz, prepare: [], border: mirror, output: argmax, activation: softmax}\n", 4, 78,
     "the softmax of one channel"},
};

static void errors_say_where_and_what(void **state) {
    (void)state;
    int wrong = 0;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        ir_diag d = {0};
        char where[40];
        ir_graph *g = parse(bads[i].text, NULL, &d);
        if (g) fail_msg("accepted: %s", bads[i].text);
        snprintf(where, sizeof where, "net.yaml:%d:%d: ", bads[i].line, bads[i].col);
        if (!strncmp(d.text, where, strlen(where)) && strstr(d.text, bads[i].part) && d.code == 2) continue;
        print_message("%s\ngives %s\nnot   %s%s\n", bads[i].text, d.text, where, bads[i].part);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void every_key_is_documented(void **state) {
    (void)state;
    char *doc = test_read("models/README.md", NULL), *section = strstr(doc, "\n## Volumes\n");
    assert_non_null(section);
    for (int i = 0; yaml_volume_key(i); i++) {
        char *row = test_format("| `%s` |", yaml_volume_key(i));
        if (!strstr(section, row)) fail_msg("models/README.md lacks the key %s", yaml_volume_key(i));
        free(row);
    }
    free(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_without_options_has_the_defaults),
        cmocka_unit_test(labels_do_not_overlap),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(steps_have_options),
        cmocka_unit_test(the_text_form_carries_all),
        cmocka_unit_test(errors_say_where_and_what),
        cmocka_unit_test(every_key_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
