/* --monai: what a bundle's inference.json and metadata.json become, and what is refused. The files are made here,
 * with transforms and arguments of MONAI 1.6. */
#include "json_folder.h"

#include "monai.h"

static const char inference[] =
    "{\"imports\": [\"$import glob\"], \"image_key\": \"image\", \"device\": \"$torch.device('cpu')\",\n"
    " \"patch\": [4, 5, 6], \"pixdim\": [1.5, 2, 3],\n"
    " \"preprocessing\": {\"_target_\": \"Compose\", \"transforms\": [\n"
    "  {\"_target_\": \"LoadImaged\", \"keys\": \"@image_key\", \"image_only\": false},\n"
    "  {\"_target_\": \"EnsureChannelFirstd\", \"keys\": \"@image_key\"},\n"
    "  {\"_target_\": \"Orientationd\", \"keys\": \"@image_key\", \"axcodes\": \"RAS\"},\n"
    "  {\"_target_\": \"Spacingd\", \"keys\": \"@image_key\", \"pixdim\": \"@pixdim\", \"mode\": "
    "\"bilinear\"},\n"
    "  {\"_target_\": \"monai.transforms.ScaleIntensityRanged\", \"keys\": \"@image_key\", \"a_min\": -50, "
    "\"a_max\": 150,\n"
    "   \"b_min\": 0.0, \"b_max\": 1.0, \"clip\": true},\n"
    "  {\"_target_\": \"EnsureTyped\", \"keys\": \"@image_key\"}]},\n"
    " \"inferer\": {\"_target_\": \"SlidingWindowInferer\", \"roi_size\": \"@patch\", \"sw_batch_size\": 4, "
    "\"overlap\": 0.5},\n"
    " \"postprocessing\": {\"_target_\": \"Compose\", \"transforms\": [\n"
    "  {\"_target_\": \"Activationsd\", \"keys\": \"pred\", \"softmax\": true},\n"
    "  {\"_target_\": \"Invertd\", \"keys\": \"pred\", \"transform\": \"@preprocessing\", \"orig_keys\": "
    "\"@image_key\",\n"
    "   \"nearest_interp\": false, \"to_tensor\": true},\n"
    "  {\"_target_\": \"AsDiscreted\", \"keys\": \"pred\", \"argmax\": true},\n"
    "  {\"_target_\": \"SaveImaged\", \"keys\": \"pred\", \"output_dir\": \"$@bundle_root\"}]}}\n";
static const char metadata[] = "{\"version\": \"0.1.0\", \"network_data_format\": {\n"
                               " \"inputs\": {\"image\": {\"type\": \"image\", \"num_channels\": 1, "
                               "\"channel_def\": {\"0\": \"image\"}}},\n"
                               " \"outputs\": {\"pred\": {\"num_channels\": 2, \"channel_def\": {\"0\": "
                               "\"background\", \"1\": \"spleen\"}}}}}\n";

/* NULL after filling d. */
static ir_graph *read_bundle(const char *inference_text, const char *metadata_text, int in, int out,
                             ir_diag *d) {
    char *dir = test_tmpdir(), *make = test_format("mkdir %s/configs", dir);
    char *i = test_format("%s/configs/inference.json", dir),
         *m = test_format("%s/configs/metadata.json", dir);
    ir_graph *g = json_network(in, out, 4, 5, 6);
    assert_int_equal(test_run(make, NULL), 0);
    test_write(i, inference_text, strlen(inference_text));
    test_write(m, metadata_text, strlen(metadata_text));
    bool ok = monai_load_volume(g, dir, d);
    free(make);
    free(i);
    free(m);
    test_rmdir(dir);
    if (ok) return g;
    ir_graph_free(g);
    return NULL;
}

static ir_graph *read_good(const char *inference_text, const char *metadata_text, int out) {
    ir_diag d = {0};
    ir_graph *g = read_bundle(inference_text, metadata_text, 1, out, &d);
    if (!g) fail_msg("%s", d.text);
    return g;
}

static void a_bundle_becomes_a_section(void **state) {
    (void)state;
    ir_graph *g = read_good(inference, metadata, 2);
    json_expect_volume(
        g,
        "label \"background\"\nlabel \"spleen\"\nvolume {\n  axes xyz\n  orientation RAS\n"
        "  resample_to_spacing 1.5 2 3 align=first\n  clip -50 150\n  scale 0.005 0.25\n"
        "  zero\n  overlap 0.5\n  placement last_inwards\n  activation softmax\n  restore align=first\n}\n");
    ir_graph_free(g);
}

#define RANGE                                                                                                \
    "\"monai.transforms.ScaleIntensityRanged\", \"keys\": \"@image_key\", \"a_min\": -50, \"a_max\": 150,\n" \
    "   \"b_min\": 0.0, \"b_max\": 1.0, \"clip\": true"
#define ACTIVATE "{\"_target_\": \"Activationsd\", \"keys\": \"pred\", \"softmax\": true},\n"

/* One replaced text, and what must come of it. */
static void each_transform_is_followed(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *part;
    } rows[] = {
        {RANGE, "\"ScaleIntensityd\"", "  min_max floor=1e-08\n  zero"},
        {RANGE, "\"ScaleIntensity\", \"minv\": -1, \"maxv\": 1", "  min_max floor=1e-08\n  scale 2 -1\n"},
        {RANGE, "\"ScaleIntensityd\", \"minv\": null, \"maxv\": null, \"factor\": 0.5", "  scale 1.5 0\n"},
        {RANGE, "\"ScaleIntensityRanged\", \"a_min\": 10, \"a_max\": 20, \"b_min\": 1, \"b_max\": 3",
         "align=first\n  scale 0.2 -1\n"},
        {RANGE,
         "\"ScaleIntensityRangePercentilesd\", \"lower\": 1, \"upper\": 99, \"b_min\": 0, \"b_max\": 2, "
         "\"clip\": true",
         "  clip_percentiles 1 99\n  min_max floor=1e-08\n  scale 2 0\n"},
        {RANGE, "\"NormalizeIntensityd\"", "  z_score floor=1e-08\n"},
        {RANGE, "\"NormalizeIntensityd\", \"subtrahend\": 10, \"divisor\": 4", "  scale 0.25 -2.5\n"},
        {"{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"CropForegroundd\", \"source_key\": \"image\"}, {\"_target_\": \"EnsureTyped\"",
         "  scale 0.005 0.25\n  crop_to_nonzero\n"},
        {"{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"SpatialPadd\", \"spatial_size\": \"@patch\"}, {\"_target_\": \"EnsureTyped\"",
         "  scale 0.005 0.25\n  zero\n"},
        {"{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"ResizeWithPadOrCropd\", \"spatial_size\": [8, 6, 4]}, {\"_target_\": "
         "\"EnsureTyped\"",
         "  crop_or_pad 8 6 4\n"},
        {"{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"Resized\", \"spatial_size\": 8, \"mode\": \"trilinear\"}, {\"_target_\": "
         "\"EnsureTyped\"",
         "  resample_to_shape 8 8 8 align=edges\n"},
        {"{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"DivisiblePadd\", \"_disabled_\": true}, {\"_target_\": \"EnsureTyped\"",
         "  zero\n"},
        {"\"mode\": \"bilinear\"", "\"mode\": 3, \"padding_mode\": \"border\"",
         "1.5 2 3 order=cubic align=first\n"},
        {"\"mode\": \"bilinear\"", "\"mode\": 3", "  restore order=cubic align=first\n"},
        {"\"nearest_interp\": false", "\"nearest_interp\": true", "  restore order=nearest align=first\n"},
        {"\"axcodes\": \"RAS\"", "\"as_closest_canonical\": true", "  orientation RAS\n"},
        {"\"axcodes\": \"RAS\"", "\"axcodes\": \"LPI\"", "  orientation LPI\n"},
        {"\"overlap\": 0.5", "\"overlap\": 0.5, \"mode\": \"gaussian\"", "  window centred\n"},
        {"\"overlap\": 0.5", "\"overlap\": [0.625, 0.625, 0.625]", "  overlap 0.625\n"},
        {", \"overlap\": 0.5", "", "  overlap 0.25\n"},
        {"\"_target_\": \"SlidingWindowInferer\", \"roi_size\": \"@patch\", \"sw_batch_size\": 4, "
         "\"overlap\": 0.5",
         "\"_target_\": \"SimpleInferer\"", "  scale 0.005 0.25\n  activation softmax\n"},
        {ACTIVATE, "", "  zero\n  overlap 0.5\n  placement last_inwards\n  restore align=first\n"},
        {"\"@pixdim\"", "\"@preprocessing::transforms#4::a_max\"", "resample_to_spacing 150 150 150"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *changed = json_replaced(inference, rows[i].from, rows[i].to);
        ir_graph *g = read_good(changed, metadata, 2);
        char *text = ir_print_string(g);
        if (!strstr(text, rows[i].part)) fail_msg("%s\nlacks\n%s", text, rows[i].part);
        free(text);
        free(changed);
        ir_graph_free(g);
    }
}

/* A sigmoid's threshold: in front of the way back it is the activated score's, behind it the score's own. */
static void a_threshold_follows_its_sigmoid(void **state) {
    (void)state;
    char *one = json_replaced(
        metadata, "\"num_channels\": 2, \"channel_def\": {\"0\": \"background\", \"1\": \"spleen\"}",
        "\"num_channels\": 1, \"channel_def\": {\"0\": \"spleen\"}");
    char *sigmoid = json_replaced(inference, "\"softmax\": true", "\"sigmoid\": true");
    char *level = json_replaced(sigmoid, "\"argmax\": true", "\"threshold\": 0.75");
    ir_graph *g = read_good(level, one, 1);
    assert_int_equal(g->volume.info.activation, VOX_SIGMOID);
    assert_int_equal(g->volume.info.rule, VOX_THRESHOLD);
    assert_true(g->volume.info.level == 0.75);
    assert_int_equal(g->n_labels, 2);
    assert_string_equal(g->labels[0], "background");
    assert_string_equal(g->labels[1], "spleen");
    ir_graph_free(g);
    char *first = json_replaced(
        level, "{\"_target_\": \"Activationsd\", \"keys\": \"pred\", \"sigmoid\": true},\n", "");
    char *late = json_replaced(first, "  {\"_target_\": \"AsDiscreted\"",
                               "  {\"_target_\": \"Activationsd\", \"keys\": \"pred\", \"sigmoid\": true},\n"
                               "  {\"_target_\": \"AsDiscreted\"");
    g = read_good(late, one, 1);
    assert_int_equal(g->volume.info.activation, VOX_AS_THEY_ARE);
    assert_true(g->volume.info.level > 1.0986122 && g->volume.info.level < 1.0986123); /* log 3 */
    ir_graph_free(g);
    free(one);
    free(sigmoid);
    free(level);
    free(first);
    free(late);
}

static void what_is_not_understood_is_refused(void **state) {
    (void)state;
    static const struct {
        bool of_metadata;
        const char *from, *to;
        int code;
        const char *part;
    } rows[] = {
        {false, "\"EnsureTyped\"", "\"DivisiblePadd\"", 3,
         "inference.json: preprocessing.transforms[5]._target_: the transform DivisiblePadd is not known"},
        {false, "\"axcodes\": \"RAS\"", "\"axcodes\": \"RAX\"", 2,
         "transforms[2].axcodes: expected a code such as RAS"},
        {false, "\"axcodes\": \"RAS\"", "\"axcodes\": \"RAS\", \"labels\": [1]", 3,
         "transforms[2].labels: this key is not understood"},
        {false, "\"@pixdim\"", "\"$[1, 1, 1]\"", 3,
         "transforms[3].pixdim: expressions are not understood: $[1, 1, 1]"},
        {false, "\"@pixdim\"", "\"@pixdims\"", 2, "transforms[3].pixdim: @pixdims refers to nothing"},
        {false, "\"@pixdim\"", "[1, 0, 1]", 2, "transforms[3].pixdim: expected numbers above 0"},
        {false, "\"pixdim\": [1.5, 2, 3]", "\"pixdim\": \"@pixdim\"", 2,
         "transforms[3].pixdim: references in a circle"},
        {false, "\"mode\": \"bilinear\"", "\"mode\": \"bicubic\"", 3,
         "transforms[3].mode: expected bilinear, nearest"},
        {false, "\"mode\": \"bilinear\"", "\"scale_extent\": true", 3,
         "scale_extent and diagonal are not supported"},
        {false, "\"mode\": \"bilinear\"", "\"padding_mode\": \"zeros\"", 3, "padding_mode: only border"},
        {false, RANGE, "\"NormalizeIntensityd\", \"nonzero\": true", 3, "nonzero: that voxels of 0 stay 0"},
        {false, RANGE, "\"CropForegroundd\"", 3, "voxels may be below 0 here"},
        {false, "{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"CropForegroundd\", \"margin\": 4}, {\"_target_\": \"EnsureTyped\"", 3,
         "margin and k_divisible"},
        {false, "{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"SpatialPadd\", \"spatial_size\": 7}, {\"_target_\": \"EnsureTyped\"", 3,
         "padded to more than the tile of 4"},
        {false, RANGE, "\"SpatialPadd\", \"spatial_size\": 2}, {\"_target_\": \"ScaleIntensityd\"", 3,
         "transforms[5]._target_: no transform is supported behind SpatialPad"},
        {false, "{\"_target_\": \"EnsureTyped\"",
         "{\"_target_\": \"ResizeWithPadOrCropd\", \"spatial_size\": 7}, {\"_target_\": \"EnsureTyped\"", 3,
         "only even sizes"},
        {false, "\"roi_size\": \"@patch\"", "\"roi_size\": [4, 5, 5]", 2,
         "inferer.roi_size: 5 voxels along z, but"},
        {false, "\"roi_size\": \"@patch\"", "\"roi_size\": [4, 5]", 2,
         "inferer.roi_size: expected a list of 3 numbers"},
        {false, "\"overlap\": 0.5", "\"overlap\": [0.5, 0.5, 0.25]", 3,
         "inferer.overlap: all axes must overlap"},
        {false, "\"overlap\": 0.5", "\"mode\": \"gaussian\", \"sigma_scale\": 0.25", 3,
         "inferer.sigma_scale: only 0.125"},
        {false, "\"overlap\": 0.5", "\"padding_mode\": \"reflect\"", 3,
         "inferer.padding_mode: only constant"},
        {false, "SlidingWindowInferer", "SaliencyInferer", 3, "the inferer SaliencyInferer is not known"},
        {false, "\"softmax\": true", "\"softmax\": true, \"other\": \"$torch.tanh\"", 3,
         "transforms[0].other: this is not"},
        {false, "\"argmax\": true", "\"threshold\": 0.5", 3, "the threshold of 2 channels gives 2 volumes"},
        {false, "\"argmax\": true", "\"argmax\": true, \"to_onehot\": 2", 3,
         "to_onehot: this is not understood"},
        {false, "\"AsDiscreted\"", "\"KeepLargestConnectedComponentd\"", 3,
         "KeepLargestConnectedComponentd is not known"},
        {false, "{\"_target_\": \"AsDiscreted\", \"keys\": \"pred\", \"argmax\": true},\n", "", 3,
         "no AsDiscrete says"},
        {false,
         "\"Invertd\", \"keys\": \"pred\", \"transform\": \"@preprocessing\", \"orig_keys\": "
         "\"@image_key\",\n"
         "   \"nearest_interp\": false, \"to_tensor\": true",
         "\"Identityd\"", 3, "no Invert brings labels back"},
        {false, "\"preprocessing\":", "\"before\":", 2,
         "preprocessing: expected a list of transforms, there is none"},
        {true, "\"num_channels\": 1", "\"num_channels\": 4", 2,
         "metadata.json: network_data_format.inputs.image.num_channels: 4"},
        {true, "\"1\": \"spleen\"", "\"1\": \"spleen\", \"2\": \"x\"", 2,
         "channel_def: 3 channels, but the network gives 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ir_diag d = {0};
        char *changed = json_replaced(rows[i].of_metadata ? metadata : inference, rows[i].from, rows[i].to);
        ir_graph *g = read_bundle(rows[i].of_metadata ? inference : changed,
                                  rows[i].of_metadata ? changed : metadata, 1, 2, &d);
        if (g) fail_msg("accepted: %s", rows[i].to);
        if (!strstr(d.text, rows[i].part)) fail_msg("%s\nnot %s", d.text, rows[i].part);
        assert_int_equal(d.code, rows[i].code);
        free(changed);
    }
}

/* MONAI takes statistics over all channels at once unless it is told otherwise. */
static void statistics_over_channels_are_refused(void **state) {
    (void)state;
    ir_diag d = {0};
    char *text = json_replaced(inference, RANGE, "\"ScaleIntensityd\"");
    char *two = json_replaced(metadata, "\"num_channels\": 1", "\"num_channels\": 2");
    assert_null(read_bundle(text, two, 2, 2, &d));
    assert_non_null(strstr(d.text, "channel_wise must be true"));
    assert_int_equal(d.code, IR_EXIT_UNSUPPORTED);
    free(text);
    d = (ir_diag){0};
    text = json_replaced(inference, RANGE, "\"ScaleIntensityd\", \"channel_wise\": true");
    ir_graph *g = read_bundle(text, two, 2, 2, &d);
    if (!g) fail_msg("%s", d.text);
    ir_graph_free(g);
    free(text);
    free(two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bundle_becomes_a_section),
        cmocka_unit_test(each_transform_is_followed),
        cmocka_unit_test(a_threshold_follows_its_sigmoid),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(statistics_over_channels_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
