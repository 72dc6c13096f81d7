/* monai_steps.c: preprocessing: transforms of the grid, and the list of all that is known. */
#include "monai_read.h"

#include <math.h>
#include <string.h>

static bool load(monai_object o) {
    static const char *const keys[] = {
        "reader",         "meta_keys",   "meta_key_postfix",     "overwriting",
        "image_only",     "simple_keys", "ensure_channel_first", "prune_meta_pattern",
        "prune_meta_sep", "expanduser"};
    return monai_only(o, keys, 10);
}

static bool orientation(monai_object o) {
    static const char *const keys[] = {"axcodes", "as_closest_canonical"};
    ir_volume *v = &o.r->g->volume;
    const char *codes = "RAS";
    bool canonical;
    json_node n;
    if (!monai_only(o, keys, 2) || !monai_flag(o, "as_closest_canonical", false, &canonical) ||
        !monai_argument(o, "axcodes", &n) || (!canonical && !json_text(n, &codes)))
        return false;
    if (!ir_is_orientation(codes)) return json_expected(n, "a code such as RAS");
    if (o.r->spatial || v->info.orientation)
        return json_fail(o.at, IR_EXIT_UNSUPPORTED, "this must be the first transform of the grid");
    memcpy(v->orientation, codes, 4);
    v->info.orientation = v->orientation;
    return true;
}

/* "bilinear", "nearest", or the order of a spline. */
static bool read_mode(monai_object o, vox_interpolation *to) {
    json_node n;
    if (!monai_argument(o, "mode", &n)) return false;
    if (json_is(n, JSON_LIST) && n.value->count == 1) n = json_element(n, 0);
    const bool order = json_is(n, JSON_NUMBER) && n.value->is_integer;
    if (!n.value || json_is_text(n, "bilinear") || json_is_text(n, "trilinear") ||
        (order && n.value->integer == 1))
        *to = VOX_LINEAR;
    else if (json_is_text(n, "nearest") || (order && n.value->integer == 0))
        *to = VOX_NEAREST;
    else if (order && n.value->integer == 3)
        *to = VOX_CUBIC;
    else
        return json_fail(n, IR_EXIT_UNSUPPORTED, "expected bilinear, nearest, or a spline's order 0, 1 or 3");
    return true;
}

static bool check_positive(monai_object o, const char *key, const double value[3]) {
    for (int k = 0; k < 3; k++)
        if (!(value[k] > 0)) return json_expected(json_member(o.at, key), "numbers above 0");
    return true;
}

/* The grid of Spacing begins at the first voxel, and its voxels are exactly as large as asked for. */
static bool spacing(monai_object o) {
    static const char *const keys[] = {
        "pixdim",           "mode",       "padding_mode", "align_corners",    "scale_extent", "diagonal",
        "recompute_affine", "min_pixdim", "max_pixdim",   "ensure_same_shape"};
    json_node padding;
    bool extent, diagonal;
    if (!monai_only(o, keys, 10) || !monai_flag(o, "scale_extent", false, &extent) ||
        !monai_flag(o, "diagonal", false, &diagonal) || !monai_lacks(o, "min_pixdim") ||
        !monai_lacks(o, "max_pixdim") || !monai_argument(o, "padding_mode", &padding))
        return false;
    if (extent || diagonal)
        return json_fail(o.at, IR_EXIT_UNSUPPORTED, "scale_extent and diagonal are not supported");
    if (padding.value && !json_is_text(padding, "border"))
        return json_fail(padding, IR_EXIT_UNSUPPORTED, "only border is supported");
    vox_prepare_step *s = monai_add_step(o, VOX_PREPARE_RESAMPLE_SPACING);
    o.r->spatial = true;
    if (!s) return false;
    s->sampling.align = VOX_FIRST;
    return read_mode(o, &s->sampling.order) && monai_axes(o, "pixdim", s->value) &&
           check_positive(o, "pixdim", s->value);
}

static bool resize(monai_object o) {
    static const char *const keys[] = {"spatial_size", "size_mode", "mode", "align_corners", "anti_aliasing"};
    json_node mode, size_mode;
    bool corners, antialias;
    if (!monai_only(o, keys, 5) || !monai_argument(o, "mode", &mode) ||
        !monai_argument(o, "size_mode", &size_mode) || !monai_flag(o, "align_corners", false, &corners) ||
        !monai_flag(o, "anti_aliasing", false, &antialias))
        return false;
    if (!mode.value || antialias)
        return json_fail(o.at, IR_EXIT_UNSUPPORTED,
                         "only the mode trilinear without anti_aliasing is supported (the default is area)");
    if (!json_is_text(mode, "trilinear"))
        return json_fail(mode, IR_EXIT_UNSUPPORTED, "only trilinear is supported");
    if (size_mode.value && !json_is_text(size_mode, "all"))
        return json_fail(size_mode, IR_EXIT_UNSUPPORTED, "only all is supported");
    vox_prepare_step *s = monai_add_step(o, VOX_PREPARE_RESAMPLE_SHAPE);
    o.r->spatial = true;
    if (!s) return false;
    s->sampling.align = corners ? VOX_CORNERS : VOX_EDGES;
    return monai_axes(o, "spatial_size", s->value) && check_positive(o, "spatial_size", s->value);
}

/* To the box of what is above 0, which is what is not 0 where nothing is below. */
static bool crop_foreground(monai_object o) {
    static const char *const keys[] = {"source_key",   "select_fn",     "channel_indices", "margin",
                                       "mode",         "allow_smaller", "k_divisible",     "start_coord_key",
                                       "end_coord_key"};
    const json_node select = json_member(o.at, "select_fn");
    double margin, divisible;
    if (!monai_only(o, keys, 9) || !monai_lacks(o, "channel_indices") ||
        !monai_number(o, "margin", 0, &margin) || !monai_number(o, "k_divisible", 1, &divisible))
        return false;
    if (!json_is_absent(select) && !json_is_text(select, "$lambda x: x > 0"))
        return json_fail(select, IR_EXIT_UNSUPPORTED, "only $lambda x: x > 0 is understood");
    if (fabs(margin) > 0 || divisible > 1)
        return json_fail(o.at, IR_EXIT_UNSUPPORTED, "margin and k_divisible are not supported");
    if (!o.r->not_negative)
        return json_fail(
            o.at, IR_EXIT_UNSUPPORTED,
            "voxels may be below 0 here, and only what is 0 can be cut away: scale them to 0 and "
            "more before");
    o.r->spatial = true;
    return monai_add_step(o, VOX_PREPARE_CROP_NONZERO) != NULL;
}

static bool check_zeros(monai_object o) {
    json_node mode, method;
    if (!monai_argument(o, "mode", &mode) || !monai_argument(o, "method", &method) ||
        !monai_lacks(o, "value") || !monai_lacks(o, "constant_values"))
        return false;
    if (mode.value && !json_is_text(mode, "constant"))
        return json_fail(mode, IR_EXIT_UNSUPPORTED, "only constant is supported");
    if (method.value && !json_is_text(method, "symmetric"))
        return json_fail(method, IR_EXIT_UNSUPPORTED, "only symmetric is supported");
    return true;
}

/* Up to the tile's size: the sliding window pads a smaller volume in the same way itself. */
static bool spatial_pad(monai_object o) {
    static const char *const keys[] = {"spatial_size", "mode", "method", "value", "constant_values"};
    const ir_tensor *in = o.r->g->inputs[0];
    double size[3];
    if (!monai_only(o, keys, 5) || !check_zeros(o) || !monai_axes(o, "spatial_size", size)) return false;
    for (int k = 0; k < 3; k++)
        if (size[k] > (double)in->dim[2 + k])
            return json_fail(json_member(o.at, "spatial_size"), IR_EXIT_UNSUPPORTED,
                             "a volume can't be padded to more than the tile of %lld here",
                             (long long)in->dim[2 + k]);
    o.r->padded = true;
    return true;
}

/* Where an even number stays of each axis, both cut it at the same place. */
static bool resize_with_pad_or_crop(monai_object o) {
    static const char *const keys[] = {"spatial_size", "mode", "method", "value", "constant_values"};
    if (!monai_only(o, keys, 5) || !check_zeros(o)) return false;
    vox_prepare_step *s = monai_add_step(o, VOX_PREPARE_CROP_OR_PAD);
    o.r->spatial = true;
    if (!s || !monai_axes(o, "spatial_size", s->value) || !check_positive(o, "spatial_size", s->value))
        return false;
    for (int k = 0; k < 3; k++)
        if (fmod(s->value[k], 2) > 0)
            return json_fail(json_member(o.at, "spatial_size"), IR_EXIT_UNSUPPORTED,
                             "only even sizes are supported");
    return true;
}

bool monai_read_preprocessing(monai_reader *r) {
    static const monai_kind kinds[] = {{"LoadImage", load},
                                       {"EnsureChannelFirst", NULL},
                                       {"EnsureType", NULL},
                                       {"ToTensor", NULL},
                                       {"CastToType", NULL},
                                       {"Identity", NULL},
                                       {"Orientation", orientation},
                                       {"Spacing", spacing},
                                       {"Resize", resize},
                                       {"CropForeground", crop_foreground},
                                       {"SpatialPad", spatial_pad},
                                       {"ResizeWithPadOrCrop", resize_with_pad_or_crop},
                                       {"ScaleIntensity", monai_scale},
                                       {"ScaleIntensityRange", monai_scale_range},
                                       {"ScaleIntensityRangePercentiles", monai_scale_percentiles},
                                       {"NormalizeIntensity", monai_normalize}};
    const json_node list = json_member(r->inference, "preprocessing");
    if (!monai_each(r, list, kinds, sizeof kinds / sizeof *kinds)) return false;
    r->padded = false;
    return true;
}
