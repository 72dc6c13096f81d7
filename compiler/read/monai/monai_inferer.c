/* monai_inferer.c: how the volume goes through the network. */
#include "monai_read.h"

#include <math.h>
#include <string.h>

static bool check_roi(monai_object o) {
    const ir_tensor *in = o.r->g->inputs[0];
    double roi[3];
    if (!monai_axes(o, "roi_size", roi)) return false;
    for (int k = 0; k < 3; k++)
        if (fabs(roi[k] - (double)in->dim[2 + k]) > 0)
            return json_fail(
                json_member(o.at, "roi_size"), IR_EXIT_INPUT,
                "%g voxels along %c, but the network's input %s takes %lld: export it with this size, "
                "or give --input-dim",
                roi[k], "xyz"[k], in -> name, (long long)in -> dim[2 + k]);
    return true;
}

static bool read_overlap(monai_object o, double *overlap) {
    double axes[3];
    *overlap = 0.25; /* MONAI's default */
    if (json_is_absent(json_member(o.at, "overlap"))) return true;
    if (!monai_axes(o, "overlap", axes)) return false;
    *overlap = axes[0];
    if (!(axes[0] >= 0 && axes[0] < 1)) return json_expected(json_member(o.at, "overlap"), "0 to below 1");
    if (fabs(axes[1] - axes[0]) > 0 || fabs(axes[2] - axes[0]) > 0)
        return json_fail(json_member(o.at, "overlap"), IR_EXIT_UNSUPPORTED,
                         "all axes must overlap by the same part");
    return true;
}

static bool read_window(monai_object o, vox_window *window) {
    json_node mode;
    double sigma;
    if (!monai_argument(o, "mode", &mode) || !monai_number(o, "sigma_scale", 0.125, &sigma)) return false;
    if (mode.value && !json_is_text(mode, "constant") && !json_is_text(mode, "gaussian"))
        return json_expected(mode, "constant or gaussian");
    *window = json_is_text(mode, "gaussian") ? VOX_WINDOW_CENTRED : VOX_WINDOW_CONSTANT;
    if (*window == VOX_WINDOW_CENTRED && fabs(sigma - 0.125) > 0)
        return json_fail(json_member(o.at, "sigma_scale"), IR_EXIT_UNSUPPORTED, "only 0.125 is supported");
    return true;
}

/* What a smaller volume is padded with. */
static bool check_padding(monai_object o) {
    json_node mode;
    double value;
    if (!monai_argument(o, "padding_mode", &mode) || !monai_number(o, "cval", 0, &value)) return false;
    if (mode.value && !json_is_text(mode, "constant"))
        return json_fail(mode, IR_EXIT_UNSUPPORTED, "only constant is supported");
    return !(fabs(value) > 0) ||
           json_fail(json_member(o.at, "cval"), IR_EXIT_UNSUPPORTED, "only 0 is supported");
}

static bool read_sliding_window(monai_object o) {
    static const char *const keys[] = {"roi_size",      "overlap",   "mode",       "sigma_scale",
                                       "padding_mode",  "cval",      "with_coord", "sw_device",
                                       "sw_batch_size", "progress",  "cpu_thresh", "cache_roi_weight_map",
                                       "buffer_steps",  "buffer_dim"};
    vox_volume_info *v = &o.r->g->volume.info;
    bool coordinates;
    if (!monai_only(o, keys, 14) || !monai_flag(o, "with_coord", false, &coordinates)) return false;
    if (coordinates)
        return json_fail(json_member(o.at, "with_coord"), IR_EXIT_UNSUPPORTED, "this is not supported");
    v->border = VOX_BORDER_ZERO;
    v->placement = VOX_LAST_INWARDS;
    return check_roi(o) && read_overlap(o, &v->overlap) && read_window(o, &v->window) && check_padding(o);
}

bool monai_read_inferer(monai_reader *r) {
    monai_object o = {.r = r, .at = json_member(r->inference, "inferer")};
    const char *target;
    if (!monai_resolve(r, &o.at)) return false;
    if (!json_is(o.at, JSON_OBJECT)) return json_expected(o.at, "an inferer");
    if (!json_text(json_member(o.at, "_target_"), &target)) return false;
    const char *dot = strrchr(target, '.'), *name = dot ? dot + 1 : target;
    if (!strcmp(name, "SlidingWindowInferer") || !strcmp(name, "SlidingWindowInfererAdapt"))
        return read_sliding_window(o);
    if (!strcmp(name, "SimpleInferer")) return monai_only(o, NULL, 0); /* one tile holds the volume */
    return json_fail(json_member(o.at, "_target_"), IR_EXIT_UNSUPPORTED,
                     "the inferer %.60s is not known here: expected SlidingWindowInferer or SimpleInferer",
                     target);
}
