/* front_yaml_prepare.c: the steps of a volume section's `prepare`, and how a grid is resampled. */
#include "front_yaml_build.h"

#include <math.h>
#include <string.h>

static bool sets_shape(vox_prepare_kind kind) {
    return kind == VOX_PREPARE_RESAMPLE_SHAPE || kind == VOX_PREPARE_CROP_OR_PAD;
}

/* ---- numbers */

/* [low, high, ...] in this order. */
static bool check_range(yaml_build *b, const yaml_item *at, const vox_prepare_step *p) {
    const char *name = ir_prepare_name(p->kind);
    bool range =
        p->kind == VOX_PREPARE_CLIP || p->kind == VOX_PREPARE_CLIP_PERCENTILES || p->kind == VOX_PREPARE_CT;
    if (range && !(p->value[0] <= p->value[1]))
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "%s is [low, high%s], but %g lies above %g", name,
                         p->kind == VOX_PREPARE_CT ? ", mean, deviation" : "", p->value[0], p->value[1]);
    if (p->kind == VOX_PREPARE_CLIP_PERCENTILES && (p->value[0] < 0 || p->value[1] > 100))
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "%s are from 0 to 100, these are %g and %g", name,
                         p->value[0], p->value[1]);
    if (p->kind == VOX_PREPARE_CT && !(p->value[3] > 0))
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "the deviation of %s must be above 0, this is %g",
                         name, p->value[3]);
    return true;
}

static bool check_numbers(yaml_build *b, const yaml_item *at, const vox_prepare_step *p) {
    bool shape = sets_shape(p->kind);
    bool positive = shape || p->kind == VOX_PREPARE_RESAMPLE_SPACING || p->kind == VOX_PREPARE_SMOOTH;
    const char *name = ir_prepare_name(p->kind);
    for (int i = 0; i < ir_prepare_numbers(p->kind); i++) {
        double v = p->value[i];
        if (positive && v <= 0)
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "%s must be above 0, this is %g", name, v);
        if (shape && (v != floor(v) || v > 65535))
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d,
                             "%s needs whole numbers of voxels up to 65535, this is %g", name, v);
    }
    if (p->kind == VOX_PREPARE_SMOOTH && p->value[0] > 1000)
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d,
                         "smooth is a sigma of at most 1000 voxels, this is %g", p->value[0]);
    return check_range(b, at, p);
}

/* `tile`: the voxels that the network's input has along x, y and z. */
static bool is_tile(const yaml_item *item, vox_prepare_kind kind) {
    return sets_shape(kind) && item->kind == YAML_TEXT && !strcmp(item->text, "tile");
}

static bool read_numbers(yaml_build *b, const yaml_item *item, vox_prepare_step *p) {
    int n = ir_prepare_numbers(p->kind);
    const char *name = ir_prepare_name(p->kind);
    if (is_tile(item, p->kind)) {
        for (int k = 0; k < 3; k++)
            p->value[b->g->volume.axes[k] - 'x'] = (double)b->g->inputs[0]->dim[2 + k];
        return true;
    }
    if (item->kind == YAML_LIST ? item->count != n : item->kind != YAML_TEXT || n % 2 == 0)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d, "%s needs %s%d number%s, this is %.60s", name,
                         n == 1   ? ""
                         : n != 3 ? "a list of "
                                  : "one number or a list of ",
                         n, n == 1 ? "" : "s", yaml_kind_text(item));
    for (int i = 0; i < n; i++) {
        const yaml_item *one = item->kind == YAML_LIST ? item->item[i] : item;
        if (!yaml_number(b->src, one, name, &p->value[i], b->d)) return false;
    }
    return check_numbers(b, item, p);
}

/* ---- resampling */

static const char *const sampling_keys[] = {"order", "align", "across", "anisotropy", "antialias"};
enum { SAMPLING_KEYS = sizeof sampling_keys / sizeof *sampling_keys };

static bool read_order(yaml_build *b, const yaml_item *map, const char *key, vox_interpolation *to) {
    const yaml_item *item = yaml_find(map, key);
    int order = (int)*to;
    if (item && !yaml_choice(b->src, item, key, ir_interpolation_words, IR_INTERPOLATIONS, &order, b->d))
        return false;
    *to = (vox_interpolation)order;
    return true;
}

static bool read_anisotropy(yaml_build *b, const yaml_item *map, vox_resampling *r) {
    const yaml_item *item = yaml_find(map, "anisotropy"), *across = yaml_find(map, "across");
    if (item && !yaml_number(b->src, item, "anisotropy", &r->anisotropy, b->d)) return false;
    if (item && r->anisotropy < 1)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                         "anisotropy is how many times the smallest voxel edge goes into the largest: 1 or "
                         "more, this is %g",
                         r->anisotropy);
    if (across && !item)
        return yaml_fail(b->src, across, IR_EXIT_INPUT, b->d,
                         "across says how slices are resampled where voxels are anisotropic: it needs the "
                         "key anisotropy, such as `anisotropy: 3`");
    return read_order(b, map, "across", &r->across);
}

/* The keys of sampling_keys in map. */
static bool read_sampling(yaml_build *b, const yaml_item *map, vox_resampling *r) {
    static const char *const truth[] = {"false", "true"};
    const yaml_item *align = yaml_find(map, "align"), *antialias = yaml_find(map, "antialias");
    int choice = (int)r->align;
    if (align && !yaml_choice(b->src, align, "align", ir_alignment_words, IR_ALIGNMENTS, &choice, b->d))
        return false;
    r->align = (vox_alignment)choice;
    if (antialias && !yaml_choice(b->src, antialias, "antialias", truth, 2, &r->antialias, b->d))
        return false;
    return read_order(b, map, "order", &r->order) && read_anisotropy(b, map, r);
}

bool yaml_read_restore(yaml_build *b, const yaml_item *item) {
    vox_volume_info *v = &b->g->volume.info;
    for (int i = 0; i < v->n_steps; i++)
        if (ir_prepare_resamples(v->steps[i].kind)) v->restore.align = v->steps[i].sampling.align;
    if (!item) return true;
    if (item->kind != YAML_MAP)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                         "restore must be a mapping, such as {order: linear}, this is %.60s",
                         yaml_kind_text(item));
    return yaml_only_keys(b->src, item, "restore", sampling_keys, SAMPLING_KEYS, b->d) &&
           read_sampling(b, item, &v->restore);
}

/* ---- steps */

/* The key that holds a step's numbers where it has options too. */
static const char *numbers_key(vox_prepare_kind kind) {
    return ir_prepare_resamples(kind) ? "to" : "values";
}

static int option_keys(vox_prepare_kind kind, const char **keys) {
    int n = 0;
    if (ir_prepare_numbers(kind)) keys[n++] = numbers_key(kind);
    for (int i = 0; i < SAMPLING_KEYS && ir_prepare_resamples(kind); i++) keys[n++] = sampling_keys[i];
    if (ir_prepare_has_channel(kind)) keys[n++] = "channel";
    if (ir_prepare_has_floor(kind)) keys[n++] = "floor";
    return n;
}

static bool read_channel(yaml_build *b, const yaml_item *item, vox_prepare_step *p) {
    int64_t channel;
    if (!yaml_int(b->src, item, "channel", 0, b->g->inputs[0]->dim[1] - 1, &channel, b->d)) return false;
    p->channel = (int)channel;
    return true;
}

static bool read_floor(yaml_build *b, const yaml_item *item, vox_prepare_step *p) {
    if (!yaml_number(b->src, item, "floor", &p->floor, b->d)) return false;
    return p->floor > 0 || yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                                     "floor is what the divisor is at least: above 0, this is %g", p->floor);
}

/* {to: [1, 1, 1], order: cubic}, {channel: 0} */
static bool read_options(yaml_build *b, const yaml_item *map, vox_prepare_step *p) {
    const char *keys[SAMPLING_KEYS + 3], *name = ir_prepare_name(p->kind);
    if (!yaml_only_keys(b->src, map, name, keys, option_keys(p->kind, keys), b->d)) return false;
    const yaml_item *numbers = yaml_find(map, numbers_key(p->kind));
    const yaml_item *channel = yaml_find(map, "channel"), *least = yaml_find(map, "floor");
    if (ir_prepare_numbers(p->kind) && !numbers)
        return yaml_fail(b->src, map, IR_EXIT_INPUT, b->d, "%s needs its numbers: `%s: [...]`", name,
                         numbers_key(p->kind));
    if (numbers && !read_numbers(b, numbers, p)) return false;
    if (channel && !read_channel(b, channel, p)) return false;
    if (least && !read_floor(b, least, p)) return false;
    if (!read_sampling(b, map, &p->sampling)) return false;
    const yaml_item *align = yaml_find(map, "align");
    bool sized = p->sampling.align == VOX_SPACING || p->sampling.align == VOX_FIRST;
    if (p->kind != VOX_PREPARE_RESAMPLE_SHAPE || !sized) return true;
    return yaml_fail(
        b->src, align, IR_EXIT_INPUT, b->d,
        "resample_to_shape gives the number of voxels, so their size follows: align is corners or "
        "edges there");
}

/* `- name`, `- name: numbers` or `- name: {options}` */
static bool read_step(yaml_build *b, const yaml_item *item, vox_prepare_step *p) {
    const char *names[VOX_PREPARE_COUNT], *keys[SAMPLING_KEYS + 3];
    int kind;
    for (int i = 0; i < VOX_PREPARE_COUNT; i++) names[i] = ir_prepare_name((vox_prepare_kind)i);
    const yaml_item *name = item->kind == YAML_MAP && item->count == 1 ? item->key[0] : item;
    if (!yaml_choice(b->src, name, "a step of prepare", names, VOX_PREPARE_COUNT, &kind, b->d)) return false;
    *p = ir_prepare_step((vox_prepare_kind)kind);
    if (p->kind == VOX_PREPARE_RESAMPLE_SPACING) p->sampling.align = VOX_SPACING;
    const yaml_item *value = name != item ? item->item[0] : NULL;
    if (value && value->kind == YAML_MAP && option_keys(p->kind, keys)) return read_options(b, value, p);
    if (!value == !ir_prepare_numbers(p->kind)) return !value || read_numbers(b, value, p);
    return yaml_fail(b->src, name, IR_EXIT_INPUT, b->d, "%s %s", ir_prepare_name(p->kind),
                     value ? "takes no numbers" : "needs its numbers: `- name: [...]`");
}

/* z_score_inside rests on what a crop_to_nonzero before it found. */
static bool check_order(yaml_build *b, const yaml_item *list) {
    const vox_volume_info *v = &b->g->volume.info;
    int crops = 0;
    for (int i = 0; i < v->n_steps; i++) {
        if (v->steps[i].kind == VOX_PREPARE_Z_SCORE_INSIDE && !crops)
            return yaml_fail(b->src, list->item[i], IR_EXIT_INPUT, b->d,
                             "z_score_inside needs the step crop_to_nonzero before it");
        crops += v->steps[i].kind == VOX_PREPARE_CROP_NONZERO;
        if (crops > 1)
            return yaml_fail(b->src, list->item[i], IR_EXIT_INPUT, b->d, "crop_to_nonzero stands here twice");
    }
    return true;
}

bool yaml_read_prepare(yaml_build *b, const yaml_item *list) {
    ir_volume *v = &b->g->volume;
    if (list->kind != YAML_LIST || list->count > IR_MAX_PREPARE)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "prepare must be a list of at most %d steps ([] for none)", IR_MAX_PREPARE);
    for (int i = 0; i < list->count; i++)
        if (!read_step(b, list->item[i], &v->steps[i])) return false;
    v->info.n_steps = list->count;
    return check_order(b, list);
}
