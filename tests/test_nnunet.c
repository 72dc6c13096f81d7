/* --nnunet: what plans.json and dataset.json become, and what is refused. The files are made here, with the keys
 * that nnU-Net 2.8.1 writes. */
#include "json_folder.h"

#include "nnunet.h"

static const char plans[] =
    "{\"dataset_name\": \"Dataset001_Test\", \"plans_name\": \"nnUNetPlans\", \"image_reader_writer\": "
    "\"SimpleITKIO\",\n"
    " \"transpose_forward\": [0, 1, 2], \"transpose_backward\": [0, 1, 2], \"label_manager\": "
    "\"LabelManager\",\n"
    " \"foreground_intensity_properties_per_channel\": {\"0\": {\"max\": 3000.0, \"mean\": 100.5, "
    "\"median\": 99.0,\n"
    "   \"min\": -1000.0, \"percentile_00_5\": -957.0, \"percentile_99_5\": 1206.0, \"std\": 418.25},\n"
    "  \"1\": {\"mean\": 1.0, \"percentile_00_5\": 0.0, \"percentile_99_5\": 2.0, \"std\": 0.5}},\n"
    " \"configurations\": {\n"
    "  \"2d\": {\"patch_size\": [64, 64], \"spacing\": [1.0, 1.0]},\n"
    "  \"3d_fullres\": {\"data_identifier\": \"a\", \"preprocessor_name\": \"DefaultPreprocessor\", "
    "\"batch_size\": 2,\n"
    "   \"patch_size\": [4, 5, 6], \"median_image_size_in_voxels\": [90, 108, 90], \"spacing\": [3.0, 2.0, "
    "1.5],\n"
    "   \"normalization_schemes\": [\"ZScoreNormalization\", \"ZScoreNormalization\"],\n"
    "   \"use_mask_for_norm\": [false, false],\n"
    "   \"resampling_fn_data\": \"resample_data_or_seg_to_shape\",\n"
    "   \"resampling_fn_data_kwargs\": {\"is_seg\": false, \"order\": 3, \"order_z\": 0, "
    "\"force_separate_z\": null},\n"
    "   \"resampling_fn_seg\": \"resample_data_or_seg_to_shape\", \"resampling_fn_seg_kwargs\": {\"is_seg\": "
    "true},\n"
    "   \"resampling_fn_probabilities\": \"resample_data_or_seg_to_shape\",\n"
    "   \"resampling_fn_probabilities_kwargs\": {\"is_seg\": false, \"order\": 1, \"order_z\": 0, "
    "\"force_separate_z\": null},\n"
    "   \"architecture\": {\"network_class_name\": \"PlainConvUNet\"}, \"batch_dice\": true}}}\n";
static const char dataset[] =
    "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"},\n"
    " \"labels\": {\"background\": 0, \"edema\": 1, \"core\": 2}, \"numTraining\": 1, "
    "\"file_ending\": \".nii.gz\"}\n";

static const nnunet_options none = {.mirror_axes = "none"};

/* NULL after filling d. */
static ir_graph *read_folder(const char *plans_text, const char *dataset_text, const nnunet_options *o,
                             int out, ir_diag *d) {
    char *dir = test_tmpdir(), *p = test_format("%s/plans.json", dir),
         *s = test_format("%s/dataset.json", dir);
    ir_graph *g = json_network(2, out, 4, 5, 6);
    test_write(p, plans_text, strlen(plans_text));
    test_write(s, dataset_text, strlen(dataset_text));
    bool ok = nnunet_load_volume(g, dir, o, d);
    free(p);
    free(s);
    test_rmdir(dir);
    if (ok) return g;
    ir_graph_free(g);
    return NULL;
}

static ir_graph *read_good(const char *plans_text, const char *dataset_text, const nnunet_options *o,
                           int out) {
    ir_diag d = {0};
    ir_graph *g = read_folder(plans_text, dataset_text, o, out, &d);
    if (!g) fail_msg("%s", d.text);
    return g;
}

#define LABELS "label \"background\"\nlabel \"edema\"\nlabel \"core\"\n"
#define TILES  "  zero\n  overlap 0.5\n  window gaussian\n"

static void plans_become_a_section(void **state) {
    (void)state;
    const nnunet_options o = {.mirror_axes = "0,2"};
    ir_graph *g = read_good(plans, dataset, &o, 3);
    json_expect_volume(g, LABELS "volume {\n  axes zyx\n  crop_to_nonzero\n  z_score floor=1e-08\n"
                                 "  resample_to_spacing 1.5 2 3 order=cubic align=edges anisotropy=3\n" TILES
                                 "  mirror_axes DW\n  half\n  restore align=edges anisotropy=3\n}\n");
    ir_graph_free(g);
}

/* One replaced text of the plans, and what must come of it: a part of the section. */
static void each_key_is_followed(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *part;
    } rows[] = {
        {"\"ZScoreNormalization\", \"ZScoreNormalization\"", "\"CTNormalization\", \"CTNormalization\"",
         "  ct -957 1206 100.5 418.25 channel=0\n  ct 0 2 1 0.5 channel=1\n"},
        {"\"ZScoreNormalization\", \"ZScoreNormalization\"", "\"CTNormalization\", \"NoNormalization\"",
         "  ct -957 1206 100.5 418.25 channel=0\n  resample_to_spacing"},
        {"\"ZScoreNormalization\", \"ZScoreNormalization\"", "\"NoNormalization\", \"NoNormalization\"",
         "  crop_to_nonzero\n  resample_to_spacing"},
        {"\"ZScoreNormalization\", \"ZScoreNormalization\"",
         "\"RescaleTo01Normalization\", \"RGBTo01Normalization\"",
         "  min_max channel=0 floor=1e-08\n  scale 0.00392156862745098 0 channel=1\n"},
        {"[false, false]", "[true, false]",
         "  z_score_inside channel=0 floor=1e-08\n  z_score channel=1 floor=1e-08\n"},
        {"[false, false]", "[true, true]", "  z_score_inside floor=1e-08\n"},
        {"\"transpose_forward\": [0, 1, 2]", "\"transpose_forward\": [2, 0, 1]", "  axes xzy\n"},
        {"\"transpose_forward\": [0, 1, 2]", "\"transpose_forward\": [2, 0, 1]",
         "resample_to_spacing 3 1.5 2"},
        {"\"SimpleITKIO\"", "\"NibabelIO\"", "  axes zyx\n  crop"},
        {"\"SimpleITKIO\"", "\"NibabelIOWithReorient\"", "  axes zyx\n  orientation RAS\n"},
        {"\"SimpleITKIO\"", "\"SimpleITKIOWithReorient\"", "  axes zyx\n  orientation RAS\n"},
        {"\"order\": 3, \"order_z\": 0, \"force_separate_z\": null",
         "\"order\": 1, \"order_z\": 1, \"force_separate_z\": false",
         "resample_to_spacing 1.5 2 3 align=edges across=linear\n"},
        {"\"force_separate_z\": null}", "\"separate_z_anisotropy_threshold\": 5}",
         "order=cubic align=edges\n"},
        {"\"force_separate_z\": null}", "\"force_separate_z\": null, \"separate_z_anisotropy_threshold\": 5}",
         "align=edges anisotropy=5\n"},
        {"\"resampling_fn_data\": \"resample_data_or_seg_to_shape\",\n   \"resampling_fn_data_kwargs\": "
         "{\"is_seg\": "
         "false, \"order\": 3, \"order_z\": 0, \"force_separate_z\": null}",
         "\"resampling_fn_data\": \"resample_torch_fornnunet\", \"resampling_fn_data_kwargs\": {\"is_seg\": "
         "false, "
         "\"num_threads\": 4}",
         "resample_to_spacing 1.5 2 3 align=edges anisotropy=3\n"},
        {"\"label_manager\": \"LabelManager\",", "", "  half\n"},
        {"foreground_intensity_properties_per_channel", "foreground_intensity_properties_by_modality",
         "z_score"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *changed = json_replaced(plans, rows[i].from, rows[i].to);
        ir_graph *g = read_good(changed, dataset, &none, 3);
        char *text = ir_print_string(g);
        if (!strstr(text, rows[i].part)) fail_msg("%s\nlacks\n%s", text, rows[i].part);
        free(text);
        free(changed);
        ir_graph_free(g);
    }
}

/* A configuration that inherits is its parent's where it says nothing itself. */
static void configurations_inherit(void **state) {
    (void)state;
    ir_diag d = {0};
    char *changed =
        json_replaced(plans, "\"2d\": {\"patch_size\": [64, 64], \"spacing\": [1.0, 1.0]}",
                      "\"3d_fine\": {\"inherits_from\": \"3d_fullres\", \"spacing\": [1, 1, 0.5]}");
    const nnunet_options fine = {.mirror_axes = "none", .configuration = "3d_fine"};
    ir_graph *g = read_good(changed, dataset, &fine, 3);
    assert_true(g->volume.steps[2].value[0] == 0.5 && g->volume.steps[2].value[2] == 1);
    assert_int_equal(g->volume.steps[2].sampling.order, VOX_CUBIC);
    ir_graph_free(g);
    assert_null(read_folder(changed, dataset, &none, 3, &d));
    assert_non_null(strstr(d.text, "choose one of 3d_fine, 3d_fullres with --configuration"));
    free(changed);
    changed = json_replaced(plans, "\"2d\": {", "\"2d\": {\"inherits_from\": \"2d\", ");
    const nnunet_options circle = {.mirror_axes = "none", .configuration = "2d"};
    d = (ir_diag){0};
    assert_null(read_folder(changed, dataset, &circle, 3, &d));
    assert_non_null(strstr(d.text, "plans.json: configurations.2d: configurations inherit from each other"));
    free(changed);
}

static void regions_keep_their_order(void **state) {
    (void)state;
    char *changed = json_replaced(dataset, "{\"background\": 0, \"edema\": 1, \"core\": 2}",
                                  "{\"background\": 0, \"whole\": [1, 2, 3], \"core\": [2, 3], \"ring\": 3, "
                                  "\"ignore\": 4}, \"regions_class_order\": [2, 1, 3]");
    ir_graph *g = read_good(plans, changed, &none, 3);
    char *text = ir_print_string(g);
    assert_non_null(strstr(text, "  regions 0 [2,1,3]\n}\n"));
    assert_int_equal(g->n_labels, 4);
    assert_string_equal(g->labels[2], "whole");
    assert_string_equal(g->labels[1], "core");
    assert_string_equal(g->labels[3], "ring");
    free(text);
    ir_graph_free(g);
    free(changed);
}

static void labels_come_in_any_order(void **state) {
    (void)state;
    char *changed = json_replaced(dataset, "{\"background\": 0, \"edema\": 1, \"core\": 2}",
                                  "{\"core\": 2, \"ignore\": 3, \"background\": 0, \"edema\": [1]}");
    ir_graph *g = read_good(plans, changed, &none, 3);
    assert_int_equal(g->n_labels, 3);
    assert_string_equal(g->labels[0], "background");
    assert_string_equal(g->labels[1], "edema");
    assert_string_equal(g->labels[2], "core");
    ir_graph_free(g);
    free(changed);
}

/* One replaced text of the plans (or of the dataset, second table), and the message: file, key, what. */
static void what_is_not_understood_is_refused(void **state) {
    (void)state;
    static const struct {
        bool of_dataset;
        const char *from, *to;
        int code;
        const char *part;
    } rows[] = {
        {false, "[4, 5, 6]", "[4, 5, 7]", 2,
         "plans.json: configurations.3d_fullres.patch_size[2]: the patch has 7 voxels along W, but"},
        {false, "DefaultPreprocessor", "MyPreprocessor", 3,
         "plans.json: configurations.3d_fullres.preprocessor_name: only DefaultPreprocessor is known"},
        {false, "\"LabelManager\"", "\"MyLabels\"", 3,
         "plans.json: label_manager: only LabelManager is known"},
        {false, "\"batch_dice\": true", "\"batch_dice\": true, \"smoothing\": 2", 3,
         "plans.json: configurations.3d_fullres.smoothing: this key is not understood"},
        {false, "\"order\": 3,", "\"order\": 4,", 3,
         "plans.json: configurations.3d_fullres.resampling_fn_data_kwargs.order: splines of order 0, 1 and "
         "3"},
        {false, "\"order\": 3,", "\"order\": 3, \"clip\": true,", 3,
         "resampling_fn_data_kwargs.clip: this key is not understood"},
        {false, "\"order\": 3, \"order_z\": 0, \"force_separate_z\": null",
         "\"order\": 3, \"order_z\": 0, \"force_separate_z\": true", 3,
         "force_separate_z: that slices are always"},
        {false, "\"resampling_fn_data\": \"resample_data_or_seg_to_shape\"",
         "\"resampling_fn_data\": \"mine\"", 3, "resampling_fn_data: this function is not known here: mine"},
        {false, "\"resampling_fn_data\": \"resample_data_or_seg_to_shape\"",
         "\"resampling_fn_data\": \"no_resampling_hack\"", 3,
         "either both this and resampling_fn_probabilities"},
        {false, "\"ZScoreNormalization\", ", "\"MyNorm\", ", 3,
         "normalization_schemes[0]: this normalisation is not known here: MyNorm"},
        {false, "\"ZScoreNormalization\", ", "", 2, "normalization_schemes: expected a list of 2"},
        {false, "[false, false]", "[false]", 2,
         "use_mask_for_norm[1]: expected true or false, there is none"},
        {false, "\"SimpleITKIO\"", "\"Tiff3DIO\"", 3,
         "image_reader_writer: the reader Tiff3DIO is not known"},
        {false, "\"transpose_forward\": [0, 1, 2]", "\"transpose_forward\": [0, 1, 1]", 2,
         "transpose_forward: expected each of 0, 1 and 2 once"},
        {false, "\"spacing\": [3.0, 2.0, 1.5]", "\"spacing\": [3.0, 0, 1.5]", 2,
         "spacing[1]: expected a length above 0"},
        {false, "\"batch_dice\": true", "\"previous_stage\": \"3d_lowres\"", 3,
         "previous_stage: a cascade's second"},
        {false, "[4, 5, 6]", "[4, 5]", 3, "configurations: none of these is for volumes"},
        {true, "\"core\": 2", "\"core\": 3", 2,
         "dataset.json: labels.core: expected a whole number from 0 to 2"},
        {true, "\"core\": 2", "\"core\": 1", 2, "labels.core: label 1 stands here twice"},
        {true, "\"core\": 2", "\"core\": 2, \"more\": 3", 2,
         "dataset.json: labels: 4 labels, but the network's output y"},
        {true, "\"core\": 2", "\"core\": [1, 2]", 2,
         "regions_class_order: expected a label for each region, there is"},
        {true, "\"1\": \"T2\"", "\"1\": \"T2\", \"2\": \"PD\"", 2, "channel_names: 3 channels, but"},
        {true, "\"labels\"", "\"labls\"", 2, "labels: expected names of labels, there is none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ir_diag d = {0};
        char *changed = json_replaced(rows[i].of_dataset ? dataset : plans, rows[i].from, rows[i].to);
        ir_graph *g = read_folder(rows[i].of_dataset ? plans : changed,
                                  rows[i].of_dataset ? changed : dataset, &none, 3, &d);
        if (g) fail_msg("accepted: %s", rows[i].to);
        if (!strstr(d.text, rows[i].part)) fail_msg("%s\nnot %s", d.text, rows[i].part);
        assert_int_equal(d.code, rows[i].code);
        free(changed);
    }
}

static void mirror_axes_are_checked(void **state) {
    (void)state;
    static const char *const bad[] = {"", "3", "0,", "0,0", "0 1", "all", "0,1,2,0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const nnunet_options o = {.mirror_axes = bad[i]};
        ir_diag d = {0};
        if (read_folder(plans, dataset, &o, 3, &d)) fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(d.text, "expected axes of the patch"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_become_a_section),   cmocka_unit_test(each_key_is_followed),
        cmocka_unit_test(configurations_inherit),   cmocka_unit_test(regions_keep_their_order),
        cmocka_unit_test(labels_come_in_any_order), cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(mirror_axes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
