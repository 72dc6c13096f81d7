/* nnunet_steps.c: crop, normalisation and resampling, in the order of nnU-Net's DefaultPreprocessor. */
#include "nnunet_read.h"

#include <string.h>

/* What nnU-Net divides by at least, as float32. */
static const double eps = 1e-8;
/* nnU-Net's ANISO_THRESHOLD. */
static const double aniso_threshold = 3;

static bool add_step(nnunet_reader *r, vox_prepare_step step, json_node at) {
    ir_volume *v = &r->g->volume;
    if (v->info.n_steps == IR_MAX_PREPARE)
        return json_fail(at, IR_EXIT_UNSUPPORTED, "more than %d steps of preparation", IR_MAX_PREPARE);
    v->steps[v->info.n_steps++] = step;
    return true;
}

/* ---- normalisation --------------------------------------------------------------------------- */

static bool read_ct(const nnunet_reader *r, int channel, vox_prepare_step *s) {
    static const char *const keys[] = {"percentile_00_5", "percentile_99_5", "mean", "std"};
    json_node all = json_member(r->plans, "foreground_intensity_properties_per_channel");
    if (!all.value) all = json_member(r->plans, "foreground_intensity_properties_by_modality");
    const json_node one = json_member(all, ir_format(r->g->arena, "%d", channel));
    for (int i = 0; i < 4; i++)
        if (!json_number(json_member(one, keys[i]), &s->value[i])) return false;
    if (s->value[0] > s->value[1])
        return json_fail(one, IR_EXIT_INPUT, "percentile_00_5 lies above percentile_99_5");
    if (s->value[3] < eps) s->value[3] = eps;
    return true;
}

/* One channel's step; *none: nothing is done to it. */
static bool read_scheme(const nnunet_reader *r, json_node scheme, int channel, vox_prepare_step *s,
                        bool *none) {
    const json_node mask = json_element(nnunet_setting(r, "use_mask_for_norm"), channel);
    const char *name;
    bool inside = false;
    *none = false;
    if (!json_text(scheme, &name)) return false;
    if (!strcmp(name, "ZScoreNormalization")) {
        if (!json_bool(mask, &inside)) return false;
        *s = ir_prepare_step(inside ? VOX_PREPARE_Z_SCORE_INSIDE : VOX_PREPARE_Z_SCORE);
        s->floor = eps;
    } else if (!strcmp(name, "CTNormalization")) {
        *s = ir_prepare_step(VOX_PREPARE_CT);
        if (!read_ct(r, channel, s)) return false;
    } else if (!strcmp(name, "RescaleTo01Normalization")) {
        *s = ir_prepare_step(VOX_PREPARE_MIN_MAX);
        s->floor = eps;
    } else if (!strcmp(name, "RGBTo01Normalization")) {
        *s = ir_prepare_step(VOX_PREPARE_SCALE);
        s->value[0] = 1.0 / 255;
    } else if (!strcmp(name, "NoNormalization")) {
        *none = true;
    } else {
        return json_fail(scheme, IR_EXIT_UNSUPPORTED, "this normalisation is not known here: %.100s", name);
    }
    s->channel = channel;
    return true;
}

static bool same_but_channel(const vox_prepare_step *a, const vox_prepare_step *b) {
    return a->kind == b->kind && memcmp(a->value, b->value, sizeof a->value) == 0 && !(a->floor < b->floor) &&
           !(a->floor > b->floor);
}

/* How many channels the images have. */
static bool check_channels(nnunet_reader *r, json_node schemes) {
    const ir_tensor *in = r->g->inputs[0];
    json_node names = json_member(r->dataset, "channel_names");
    if (!names.value) names = json_member(r->dataset, "modality");
    if (!json_is(names, JSON_OBJECT)) return json_expected(names, "the channels' names");
    if (names.value->count != in->dim[1])
        return json_fail(names, IR_EXIT_INPUT, "%d channels, but the network's input %s takes %lld",
                         names.value->count, in->name, (long long)in->dim[1]);
    if (json_count(schemes) != names.value->count || !json_is(schemes, JSON_LIST))
        return json_expected(schemes,
                             ir_format(r->g->arena, "a list of %d, one per channel", names.value->count));
    return true;
}

/* A step for all channels where they are treated alike. */
static bool read_normalisation(nnunet_reader *r) {
    const json_node schemes = nnunet_setting(r, "normalization_schemes");
    vox_prepare_step step, first;
    bool none, first_none = false, alike = true;
    memset(&first, 0, sizeof first);
    if (!check_channels(r, schemes)) return false;
    for (int pass = 0; pass < 2; pass++)
        for (int c = 0; c < schemes.value->count; c++) {
            memset(&step, 0, sizeof step);
            if (!read_scheme(r, json_element(schemes, c), c, &step, &none)) return false;
            if (pass == 0 && c == 0) first = step, first_none = none;
            if (pass == 0) alike = alike && none == first_none && (none || same_but_channel(&step, &first));
            if (pass == 0 || none || (alike && c)) continue;
            if (alike) step.channel = -1;
            if (!add_step(r, step, schemes)) return false;
        }
    return true;
}

/* ---- resampling ------------------------------------------------------------------------------ */

static bool read_order(json_node n, vox_interpolation *to) {
    int64_t order;
    if (!json_int(n, 0, 5, &order)) return false;
    if (order != 0 && order != 1 && order != 3)
        return json_fail(n, IR_EXIT_UNSUPPORTED, "splines of order 0, 1 and 3 are known here, not %lld",
                         (long long)order);
    *to = order == 0 ? VOX_NEAREST : order == 1 ? VOX_LINEAR : VOX_CUBIC;
    return true;
}

static bool read_mode(json_node n, vox_interpolation *to) {
    if (json_is_text(n, "linear")) return *to = VOX_LINEAR, true;
    if (json_is_text(n, "nearest-exact")) return *to = VOX_NEAREST, true;
    return json_fail(n, IR_EXIT_UNSUPPORTED, "expected linear or nearest-exact");
}

/* force_separate_z and separate_z_anisotropy_threshold; `absent`: what the function does without the first. */
static bool read_separate_z(json_node options, double absent, vox_resampling *to) {
    const json_node force = json_member(options, "force_separate_z");
    const json_node threshold = json_member(options, "separate_z_anisotropy_threshold");
    double most = aniso_threshold;
    if (json_is(force, JSON_BOOL) && force.value->boolean)
        return json_fail(force, IR_EXIT_UNSUPPORTED,
                         "that slices are always resampled apart is not supported: expected null or false");
    if (!json_is_absent(force) && !json_is(force, JSON_BOOL)) return json_expected(force, "null or false");
    if (threshold.value && !json_number(threshold, &most)) return false;
    if (most < 1) return json_expected(threshold, "a number of 1 or more");
    to->anisotropy = !force.value ? absent * most : json_is(force, JSON_BOOL) ? 0 : most;
    return true;
}

/* resample_data_or_seg_to_shape: splines on grids whose outer faces coincide; across slices order_z. */
static bool read_spline(json_node options, vox_resampling *to) {
    static const char *const keys[] = {"is_seg", "order", "order_z", "force_separate_z",
                                       "separate_z_anisotropy_threshold"};
    const json_node order = json_member(options, "order"), across = json_member(options, "order_z");
    *to = (vox_resampling){.order = VOX_CUBIC, .across = VOX_NEAREST, .align = VOX_EDGES};
    if (!json_only_keys(options, keys, 5, NULL, 0)) return false;
    if (order.value && !read_order(order, &to->order)) return false;
    if (across.value && !read_order(across, &to->across)) return false;
    return read_separate_z(options, 0, to);
}

/* resample_torch_fornnunet: linear, across slices aniso_axis_mode. */
static bool read_torch(json_node options, vox_resampling *to) {
    static const char *const keys[] = {"is_seg", "force_separate_z", "separate_z_anisotropy_threshold",
                                       "mode", "aniso_axis_mode"};
    static const char *const speed[] = {"num_threads", "device", "memefficient_seg_resampling"};
    const json_node mode = json_member(options, "mode"), across = json_member(options, "aniso_axis_mode");
    *to = (vox_resampling){.order = VOX_LINEAR, .across = VOX_NEAREST, .align = VOX_EDGES};
    if (!json_only_keys(options, keys, 5, speed, 3)) return false;
    if (mode.value && !json_is_text(mode, "linear"))
        return json_fail(mode, IR_EXIT_UNSUPPORTED, "only linear is known here");
    if (across.value && !read_mode(across, &to->across)) return false;
    return read_separate_z(options, 1, to);
}

/* The function `key` and its arguments; *none: it does nothing. */
static bool read_resampling(const nnunet_reader *r, const char *key, vox_resampling *to, bool *none) {
    const json_node function = nnunet_setting(r, key);
    const json_node options = nnunet_setting(r, ir_format(r->g->arena, "%s_kwargs", key));
    const json_node is_seg = json_member(options, "is_seg");
    const char *name;
    *none = false;
    if (!json_text(function, &name)) return false;
    if (json_is(is_seg, JSON_BOOL) && is_seg.value->boolean)
        return json_fail(is_seg, IR_EXIT_UNSUPPORTED, "images and scores are not resampled as labels here");
    if (!strcmp(name, "resample_data_or_seg_to_shape")) return read_spline(options, to);
    if (!strcmp(name, "resample_torch_fornnunet")) return read_torch(options, to);
    *none = !strcmp(name, "no_resampling_hack");
    return *none || json_fail(function, IR_EXIT_UNSUPPORTED, "this function is not known here: %.100s", name);
}

/* The configuration's spacing is the network's D H W. */
static bool read_spacing(nnunet_reader *r, vox_prepare_step *s) {
    const json_node n = nnunet_setting(r, "spacing");
    double spacing[3];
    if (!json_numbers(n, 3, spacing)) return false;
    for (int k = 0; k < 3; k++) {
        if (!(spacing[k] > 0)) return json_expected(json_element(n, k), "a length above 0");
        s->value[r->g->volume.axes[k] - 'x'] = spacing[k];
    }
    return true;
}

static bool read_resamplings(nnunet_reader *r) {
    vox_prepare_step s = ir_prepare_step(VOX_PREPARE_RESAMPLE_SPACING);
    vox_resampling back;
    bool none, none_back;
    if (!read_resampling(r, "resampling_fn_data", &s.sampling, &none) ||
        !read_resampling(r, "resampling_fn_probabilities", &back, &none_back))
        return false;
    if (none != none_back)
        return json_fail(
            nnunet_setting(r, "resampling_fn_data"), IR_EXIT_UNSUPPORTED,
            "either both this and resampling_fn_probabilities are no_resampling_hack, or neither");
    if (none) return true;
    r->g->volume.info.restore = back;
    return read_spacing(r, &s) && add_step(r, s, nnunet_setting(r, "spacing"));
}

bool nnunet_read_steps(nnunet_reader *r) {
    vox_prepare_step crop = ir_prepare_step(VOX_PREPARE_CROP_NONZERO);
    return add_step(r, crop, r->plans) && read_normalisation(r) && read_resamplings(r);
}
