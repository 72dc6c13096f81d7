/* monai_intensity.c: ScaleIntensity and its kin. MONAI takes statistics over all channels unless channel_wise
 * is true; steps of preparation take each channel's. */
#include "monai_read.h"

#include <math.h>

/* Volumes of a single value become 0, as MONAI's do. */
static const double least = 1e-8;

vox_prepare_step *monai_add_step(monai_object o, vox_prepare_kind kind) {
    ir_volume *v = &o.r->g->volume;
    if (v->info.n_steps == IR_MAX_PREPARE) {
        json_fail(o.at, IR_EXIT_UNSUPPORTED, "more than %d steps of preparation", IR_MAX_PREPARE);
        return NULL;
    }
    vox_prepare_step *s = &v->steps[v->info.n_steps++];
    *s = ir_prepare_step(kind);
    return s;
}

static bool add(monai_object o, vox_prepare_kind kind, double first, double second) {
    vox_prepare_step *s = monai_add_step(o, kind);
    if (!s) return false;
    s->value[0] = first;
    s->value[1] = second;
    if (ir_prepare_has_floor(kind)) s->floor = least;
    return true;
}

static bool check_channel_wise(monai_object o) {
    bool each;
    if (!monai_flag(o, "channel_wise", false, &each)) return false;
    return each || o.r->g->inputs[0]->dim[1] == 1 ||
           json_fail(o.at, IR_EXIT_UNSUPPORTED,
                     "statistics over several channels at once are not supported: channel_wise must be true");
}

/* [0, 1] to [low, high]; both absent: as it is. */
static bool stretch(monai_object o, const char *low_key, const char *high_key, double low, double high) {
    double from, to;
    if (!monai_number(o, low_key, low, &from) || !monai_number(o, high_key, high, &to)) return false;
    if (isnan(from) && isnan(to)) return true;
    if (isnan(from) || isnan(to))
        return json_fail(o.at, IR_EXIT_INPUT, "expected both %s and %s, or none", low_key, high_key);
    o.r->not_negative = from >= 0 && to >= 0;
    const bool unit = !(from < 0) && !(from > 0) && !(to < 1) && !(to > 1);
    return unit || add(o, VOX_PREPARE_SCALE, to - from, from);
}

bool monai_scale(monai_object o) {
    static const char *const keys[] = {"minv", "maxv", "factor", "channel_wise"};
    const json_node low = json_member(o.at, "minv"), high = json_member(o.at, "maxv");
    double factor;
    if (!monai_only(o, keys, 4) || !monai_number(o, "factor", NAN, &factor)) return false;
    if (json_is(low, JSON_NULL) && json_is(high, JSON_NULL)) {
        if (isnan(factor)) return json_expected(json_member(o.at, "factor"), "a number");
        return add(o, VOX_PREPARE_SCALE, 1 + factor, 0);
    }
    return check_channel_wise(o) && add(o, VOX_PREPARE_MIN_MAX, 0, 0) && stretch(o, "minv", "maxv", 0, 1);
}

/* (x - a_min) / (a_max - a_min), then to [b_min, b_max]; with clip, nothing leaves it. */
bool monai_scale_range(monai_object o) {
    static const char *const keys[] = {"a_min", "a_max", "b_min", "b_max", "clip"};
    double a_min, a_max, b_min, b_max;
    bool clip;
    if (!monai_only(o, keys, 5) || !monai_need_number(o, "a_min", &a_min) ||
        !monai_need_number(o, "a_max", &a_max) || !monai_number(o, "b_min", 0, &b_min) ||
        !monai_number(o, "b_max", 1, &b_max) || !monai_flag(o, "clip", false, &clip))
        return false;
    const bool no_min = json_is_absent(json_member(o.at, "b_min"));
    if (no_min != json_is_absent(json_member(o.at, "b_max")) || (no_min && clip))
        return json_fail(o.at, IR_EXIT_INPUT, "expected both b_min and b_max, or neither and no clip");
    if (!(a_max > a_min) || !(b_max >= b_min))
        return json_fail(o.at, IR_EXIT_INPUT, "expected a_min below a_max, and b_min below b_max");
    const double by = (b_max - b_min) / (a_max - a_min);
    if (clip && !add(o, VOX_PREPARE_CLIP, a_min, a_max)) return false;
    o.r->not_negative = clip ? b_min >= 0 : o.r->not_negative && b_min - a_min * by >= 0;
    return add(o, VOX_PREPARE_SCALE, by, b_min - a_min * by);
}

bool monai_scale_percentiles(monai_object o) {
    static const char *const keys[] = {"lower", "upper",    "b_min",       "b_max",
                                       "clip",  "relative", "channel_wise"};
    double lower, upper;
    bool clip, relative;
    if (!monai_only(o, keys, 7) || !monai_need_number(o, "lower", &lower) ||
        !monai_need_number(o, "upper", &upper) || !monai_flag(o, "clip", false, &clip) ||
        !monai_flag(o, "relative", false, &relative) || !check_channel_wise(o))
        return false;
    if (!clip || relative)
        return json_fail(o.at, IR_EXIT_UNSUPPORTED, "only clip: true and relative: false are supported");
    if (!(lower >= 0 && lower < upper && upper <= 100))
        return json_fail(o.at, IR_EXIT_INPUT, "expected percentiles: 0 <= lower < upper <= 100");
    return add(o, VOX_PREPARE_CLIP_PERCENTILES, lower, upper) && add(o, VOX_PREPARE_MIN_MAX, 0, 0) &&
           stretch(o, "b_min", "b_max", NAN, NAN);
}

/* With numbers of its own, (x - subtrahend) / divisor; else a z-score. */
bool monai_normalize(monai_object o) {
    static const char *const keys[] = {"subtrahend", "divisor", "nonzero", "channel_wise"};
    double subtrahend, divisor;
    bool nonzero;
    if (!monai_only(o, keys, 4) || !monai_number(o, "subtrahend", NAN, &subtrahend) ||
        !monai_number(o, "divisor", NAN, &divisor) || !monai_flag(o, "nonzero", false, &nonzero))
        return false;
    o.r->not_negative = false;
    if (nonzero)
        return json_fail(json_member(o.at, "nonzero"), IR_EXIT_UNSUPPORTED,
                         "that voxels of 0 stay 0 is not supported");
    if (isnan(subtrahend) != isnan(divisor))
        return json_fail(o.at, IR_EXIT_UNSUPPORTED, "expected both subtrahend and divisor, or none");
    if (isnan(divisor)) return check_channel_wise(o) && add(o, VOX_PREPARE_Z_SCORE, 0, 0);
    if (!(fabs(divisor) > 0)) divisor = 1; /* as MONAI does */
    return add(o, VOX_PREPARE_SCALE, 1 / divisor, -subtrahend / divisor);
}
