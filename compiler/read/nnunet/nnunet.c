/* nnunet.c: the folder's two files, the configuration, the axes. */
#include "nnunet_read.h"

#include <stdlib.h>
#include <string.h>

/* ---- the configuration ----------------------------------------------------------------------- */

json_node nnunet_setting(const nnunet_reader *r, const char *key) {
    for (int i = 0; i < r->n_chain; i++) {
        json_node n = json_member(r->chain[i], key);
        if (n.value) return n;
    }
    return json_member(r->chain[0], key);
}

/* Fills the chain from the configuration `name` on. */
static bool follow(nnunet_reader *r, const char *name) {
    const json_node all = json_member(r->plans, "configurations");
    r->n_chain = 0;
    while (name) {
        json_node one = json_member(all, name);
        if (!json_is(one, JSON_OBJECT)) return json_expected(one, "a configuration");
        if (r->n_chain == NNUNET_MAX_CHAIN)
            return json_fail(one, IR_EXIT_INPUT, "configurations inherit from each other in a circle");
        r->chain[r->n_chain++] = one;
        const json_node parent = json_member(one, "inherits_from");
        if (json_is_absent(parent)) return true;
        if (!json_text(parent, &name)) return false;
    }
    return true;
}

/* The plans' only configuration for volumes. */
static bool choose(nnunet_reader *r, const char **name) {
    const json_node all = json_member(r->plans, "configurations");
    char names[400] = "";
    int n = 0;
    if (!json_is(all, JSON_OBJECT)) return json_expected(all, "the configurations");
    for (int i = 0; i < all.value->count; i++) {
        if (!follow(r, all.value->key[i])) return false;
        if (json_count(nnunet_setting(r, "patch_size")) != 3) continue;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", n ? ", " : "", all.value->key[i]);
        *name = all.value->key[i];
        n++;
    }
    if (n == 1) return true;
    if (!n)
        return json_fail(all, IR_EXIT_UNSUPPORTED, "none of these is for volumes: no patch_size of 3 axes");
    return json_fail(all, IR_EXIT_INPUT,
                     "there are several for volumes: choose one of %s with --configuration", names);
}

/* A value that can only be this one, or absent. */
static bool only(json_node n, const char *text, bool required) {
    if ((!required && json_is_absent(n)) || json_is_text(n, text)) return true;
    if (!json_is(n, JSON_STRING)) return json_expected(n, ir_format(n.file->arena, "\"%s\"", text));
    return json_fail(n, IR_EXIT_UNSUPPORTED, "only %s is known here, this is %.100s", text, n.value->string);
}

static bool check_configuration(nnunet_reader *r) {
    static const char *const known[] = {"data_identifier",
                                        "preprocessor_name",
                                        "patch_size",
                                        "spacing",
                                        "normalization_schemes",
                                        "use_mask_for_norm",
                                        "resampling_fn_data",
                                        "resampling_fn_data_kwargs",
                                        "resampling_fn_probabilities",
                                        "resampling_fn_probabilities_kwargs",
                                        "inherits_from",
                                        "previous_stage"};
    /* What training and the ONNX file's maker needed. */
    static const char *const trained[] = {"batch_size",
                                          "median_image_size_in_voxels",
                                          "resampling_fn_seg",
                                          "resampling_fn_seg_kwargs",
                                          "architecture",
                                          "batch_dice",
                                          "next_stage",
                                          "UNet_class_name",
                                          "UNet_base_num_features",
                                          "n_conv_per_stage_encoder",
                                          "n_conv_per_stage_decoder",
                                          "num_pool_per_axis",
                                          "pool_op_kernel_sizes",
                                          "conv_kernel_sizes",
                                          "unet_max_num_features"};
    for (int i = 0; i < r->n_chain; i++)
        if (!json_only_keys(r->chain[i], known, sizeof known / sizeof *known, trained,
                            sizeof trained / sizeof *trained))
            return false;
    const json_node previous = nnunet_setting(r, "previous_stage");
    if (!json_is_absent(previous))
        return json_fail(previous, IR_EXIT_UNSUPPORTED,
                         "a cascade's second network takes the first one's labels: not supported");
    return only(nnunet_setting(r, "preprocessor_name"), "DefaultPreprocessor", true) &&
           only(json_member(r->plans, "label_manager"), "LabelManager", false);
}

/* ---- axes ------------------------------------------------------------------------------------ */

/* Readers that turn volumes to RAS, and those that take them as they are stored. All of them hand z y x on. */
static bool read_reader(nnunet_reader *r) {
    static const struct {
        const char *name;
        bool turns;
    } readers[] = {{"SimpleITKIO", false},
                   {"NibabelIO", false},
                   {"SimpleITKIOWithReorient", true},
                   {"NibabelIOWithReorient", true}};
    ir_volume *v = &r->g->volume;
    const json_node n = json_member(r->plans, "image_reader_writer");
    const char *name;
    if (!json_text(n, &name)) return false;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (strcmp(name, readers[i].name) != 0) continue;
        if (!readers[i].turns) return true;
        memcpy(v->orientation, "RAS", 4);
        v->info.orientation = v->orientation;
        return true;
    }
    return json_fail(
        n, IR_EXIT_UNSUPPORTED,
        "the reader %.60s is not known here: expected SimpleITKIO, NibabelIO or their WithReorient", name);
}

/* Axis k of the network is axis transpose_forward[k] of z y x. */
static bool read_transpose(nnunet_reader *r) {
    const json_node list = json_member(r->plans, "transpose_forward");
    int seen = 0;
    if (json_count(list) != 3) return json_expected(list, "a list of 3 axes");
    for (int k = 0; k < 3; k++) {
        int64_t axis;
        if (!json_int(json_element(list, k), 0, 2, &axis)) return false;
        r->g->volume.axes[k] = "zyx"[axis];
        seen |= 1 << axis;
    }
    return seen == 7 || json_fail(list, IR_EXIT_INPUT, "expected each of 0, 1 and 2 once");
}

static bool check_patch(nnunet_reader *r) {
    const ir_tensor *in = r->g->inputs[0];
    const json_node list = nnunet_setting(r, "patch_size");
    if (json_count(list) != 3)
        return json_fail(list, IR_EXIT_UNSUPPORTED,
                         "expected a patch of 3 axes: 2-D networks are not supported");
    for (int k = 0; k < 3; k++) {
        int64_t size;
        if (!json_int(json_element(list, k), 1, INT32_MAX, &size)) return false;
        if (size != in->dim[2 + k])
            return json_fail(
                json_element(list, k), IR_EXIT_INPUT,
                "the patch has %lld voxels along %c, but the network's input %s takes %lld: export "
                "it with this patch, or give --input-dim",
                (long long)size, "DHW"[k], in -> name, (long long)in -> dim[2 + k]);
    }
    return true;
}

/* "0,1,2" or "none" */
static bool read_mirror_axes(nnunet_reader *r) {
    const char *text = r->o->mirror_axes;
    vox_volume_info *v = &r->g->volume.info;
    if (!strcmp(text, "none")) return true;
    for (const char *p = text;; p += 2) {
        const int axis = *p - '0';
        const bool good = axis >= 0 && axis <= 2 && !(v->mirror_axes & 1 << axis) && (!p[1] || p[1] == ',');
        if (!good)
            return ir_fail(r->d, IR_EXIT_INPUT,
                           "--mirror-axes %s: expected axes of the patch, such as 0,1,2, or none", text);
        v->mirror_axes |= 1 << axis;
        if (!p[1]) return true;
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool read_files(nnunet_reader *r, const char *folder) {
    ir_arena *a = r->g->arena;
    return json_read_file(&r->plans_file, ir_format(a, "%s/plans.json", folder), a, r->d, &r->plans) &&
           json_read_file(&r->dataset_file, ir_format(a, "%s/dataset.json", folder), a, r->d, &r->dataset);
}

/* nnUNetPredictor's own way with tiles: padding with 0, steps of half a patch, sums in float16. */
static void set_tiles(ir_volume *v) {
    v->info.border = VOX_BORDER_ZERO;
    v->info.overlap = 0.5;
    v->info.window = VOX_WINDOW_GAUSSIAN;
    v->info.half = 1;
}

bool nnunet_load_volume(ir_graph *g, const char *folder, const nnunet_options *o, ir_diag *d) {
    nnunet_reader r = {.g = g, .o = o, .d = d};
    const char *name = o->configuration;
    if (g->n_inputs != 1 || g->inputs[0]->rank != 5 || g->outputs[0]->rank != 5)
        return ir_fail(d, IR_EXIT_INPUT,
                       "--nnunet needs a network with one input and an output of the axes N C D H W");
    if (!read_files(&r, folder)) return false;
    if (!name && !choose(&r, &name)) return false;
    if (!follow(&r, name)) return false;
    ir_volume_new(&g->volume);
    set_tiles(&g->volume);
    return check_configuration(&r) && check_patch(&r) && read_reader(&r) && read_transpose(&r) &&
           read_mirror_axes(&r) && nnunet_read_steps(&r) && nnunet_read_labels(&r);
}
