/* monai_post.c: postprocessing: from the scores on the prepared grid to labels on the volume's. */
#include "monai_read.h"

#include <math.h>

static bool is_resampled(const vox_volume_info *v) {
    for (int i = 0; i < v->n_steps; i++)
        if (ir_prepare_resamples(v->steps[i].kind)) return true;
    return false;
}

/* Whether scores are mixed with their neighbours' on the way back, so that the order of transforms counts. */
static bool is_mixed(const vox_volume_info *v) {
    return is_resampled(v) && v->restore.order != VOX_NEAREST;
}

static bool activations(monai_object o) {
    static const char *const keys[] = {"sigmoid", "softmax", "other"};
    vox_volume_info *v = &o.r->g->volume.info;
    bool sigmoid, softmax;
    if (!monai_only(o, keys, 3) || !monai_flag(o, "sigmoid", false, &sigmoid) ||
        !monai_flag(o, "softmax", false, &softmax) || !monai_lacks(o, "other"))
        return false;
    if (sigmoid == softmax)
        return json_fail(o.at, IR_EXIT_INPUT, "expected either sigmoid or softmax to be true");
    if (o.r->activated || o.r->discrete)
        return json_fail(o.at, IR_EXIT_UNSUPPORTED,
                         "only one activation, in front of AsDiscrete, is supported");
    if (softmax && o.r->g->outputs[0]->dim[1] == 1)
        return json_fail(o.at, IR_EXIT_INPUT, "the softmax of one channel is 1 everywhere");
    o.r->activated = true;
    v->activation = sigmoid ? VOX_SIGMOID : VOX_SOFTMAX;
    if (!o.r->inverted || !is_mixed(v)) return true;
    o.r->late = true;
    return true;
}

static bool as_discrete(monai_object o) {
    static const char *const keys[] = {"argmax", "to_onehot", "threshold", "rounding"};
    vox_volume_info *v = &o.r->g->volume.info;
    const int64_t channels = o.r->g->outputs[0]->dim[1];
    bool argmax;
    double level;
    if (!monai_only(o, keys, 4) || !monai_flag(o, "argmax", false, &argmax) || !monai_lacks(o, "to_onehot") ||
        !monai_number(o, "threshold", NAN, &level) || !monai_lacks(o, "rounding"))
        return false;
    if (o.r->discrete || argmax == !isnan(level))
        return json_fail(o.at, IR_EXIT_UNSUPPORTED,
                         "expected one AsDiscrete with either argmax or a threshold");
    if (!argmax && channels != 1)
        return json_fail(
            o.at, IR_EXIT_UNSUPPORTED,
            "the threshold of %lld channels gives %lld volumes, not one of labels: say with --volume "
            "FILE and `output: {regions: ...}` which label each channel is",
            (long long)channels, (long long)channels);
    o.r->discrete = true;
    v->rule = argmax ? VOX_ARGMAX : VOX_THRESHOLD;
    v->level = argmax ? 0 : level;
    return true;
}

/* Each transform of the grid is undone with its own interpolation, or with the nearest voxel. */
static bool invert(monai_object o) {
    static const char *const keys[] = {"transform", "orig_keys",        "meta_keys",      "orig_meta_keys",
                                       "to_tensor", "meta_key_postfix", "nearest_interp", "post_func"};
    vox_volume_info *v = &o.r->g->volume.info;
    bool nearest;
    if (o.r->inverted) return json_fail(o.at, IR_EXIT_UNSUPPORTED, "only one Invert is supported");
    if (!monai_only(o, keys, 8) || !monai_flag(o, "nearest_interp", true, &nearest) ||
        !monai_lacks(o, "post_func"))
        return false;
    for (int i = 0; i < v->n_steps; i++) {
        if (!ir_prepare_resamples(v->steps[i].kind)) continue;
        v->restore = v->steps[i].sampling;
    }
    if (nearest) v->restore.order = VOX_NEAREST;
    if (o.r->discrete && is_mixed(v))
        return json_fail(o.at, IR_EXIT_UNSUPPORTED,
                         "labels can't be interpolated: nearest_interp must be true behind AsDiscrete");
    o.r->inverted = true;
    return true;
}

/* An activation behind a way back that mixes scores is left to the rule: the largest score stays the largest,
 * and sigmoid(x) exceeds the level where x exceeds log(level / (1 - level)). */
static bool drop_activation(monai_reader *r) {
    vox_volume_info *v = &r->g->volume.info;
    if (v->rule == VOX_THRESHOLD) {
        if (!(v->level > 0 && v->level < 1))
            return json_fail(json_member(r->inference, "postprocessing"), IR_EXIT_UNSUPPORTED,
                             "a sigmoid's threshold must lie between 0 and 1");
        v->level = log(v->level / (1 - v->level));
    }
    v->activation = VOX_AS_THEY_ARE;
    return true;
}

bool monai_read_postprocessing(monai_reader *r) {
    static const monai_kind kinds[] = {
        {"Activations", activations}, {"AsDiscrete", as_discrete}, {"Invert", invert}, {"SaveImage", NULL},
        {"EnsureType", NULL},         {"ToTensor", NULL},          {"Identity", NULL}};
    const json_node list = json_member(r->inference, "postprocessing");
    if (!monai_each(r, list, kinds, sizeof kinds / sizeof *kinds)) return false;
    if (!r->discrete)
        return json_fail(list, IR_EXIT_UNSUPPORTED, "no AsDiscrete says how scores become labels");
    if (r->spatial && !r->inverted)
        return json_fail(list, IR_EXIT_UNSUPPORTED,
                         "no Invert brings labels back to the volume's grid, which preprocessing left");
    return !r->late || drop_activation(r);
}
