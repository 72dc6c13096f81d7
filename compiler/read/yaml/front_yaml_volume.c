/* front_yaml_volume.c: the sections that are not layers: labels and volume. */
#include "front_yaml_build.h"
#include "utf8.h"

#include <string.h>

/* ---- labels */

bool yaml_build_labels(yaml_build *b) {
    const yaml_item *list = yaml_find(b->src->root, "labels");
    if (!list) return true;
    if (list->kind != YAML_LIST || !list->count || list->count > IR_MAX_LABELS)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d, "labels must be a list of 1 to %d names",
                         IR_MAX_LABELS);
    b->g->labels = ir_alloc(b->g->arena, (size_t)list->count, sizeof *b->g->labels);
    for (int i = 0; i < list->count; i++) {
        const yaml_item *one = list->item[i];
        if (one->kind != YAML_TEXT || !*one->text)
            return yaml_fail(b->src, one, IR_EXIT_INPUT, b->d, "a label must be a name, this is %s",
                             yaml_kind_text(one));
        if (!vox_is_plain(one->text))
            return yaml_fail(b->src, one, IR_EXIT_INPUT, b->d,
                             "a label is one line of plain text, this has a control character or one that "
                             "turns the direction of text");
        for (int k = 0; k < i; k++)
            if (!strcmp(b->g->labels[k], one->text))
                return yaml_fail(b->src, one, IR_EXIT_INPUT, b->d, "label %.60s stands here twice",
                                 one->text);
        b->g->labels[i] = ir_strdup(b->g->arena, one->text);
    }
    b->g->n_labels = list->count;
    return true;
}

/* How many labels the section's rule gives: one per channel; with a threshold, what is below and what is above;
 * with regions, up to the largest. */
static int64_t expected_labels(const ir_volume *v, const ir_tensor *out) {
    int most = 0;
    if (!v->present || v->info.rule == VOX_ARGMAX) return out->dim[1];
    if (v->info.rule == VOX_THRESHOLD) return 2;
    for (int i = 0; i < v->info.n_regions; i++)
        if (v->region_label[i] > most) most = v->region_label[i];
    return most + 1;
}

static bool count_labels(yaml_build *b) {
    const yaml_item *list = yaml_find(b->src->root, "labels");
    const ir_tensor *out = b->g->outputs[0];
    if (!list) return true;
    int64_t expected = expected_labels(&b->g->volume, out);
    if (list->count == expected || out->dtype != IR_F32) return true;
    if (b->g->volume.present && b->g->volume.info.rule == VOX_REGIONS)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "%d labels, but the regions' largest label is %lld: expected %lld labels, from 0 on",
                         list->count, (long long)expected - 1, (long long)expected);
    return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                     "%d labels, but output %s has %lld channel%s: expected %lld labels", list->count,
                     out->name, (long long)out->dim[1], out->dim[1] == 1 ? "" : "s", (long long)expected);
}

/* ---- axes */

static bool read_axes(yaml_build *b, const yaml_item *item) {
    const char *p = item->text;
    bool ok = item->kind == YAML_TEXT && strlen(p) == 3 && strchr(p, 'x') && strchr(p, 'y') && strchr(p, 'z');
    if (!ok)
        return yaml_fail(
            b->src, item, IR_EXIT_INPUT, b->d,
            "axes must be x, y and z in the order that the network's D, H and W run along (xyz, zyx ...), "
            "this is %.60s",
            yaml_kind_text(item));
    memcpy(b->g->volume.axes, p, 4);
    return true;
}

/* Sets *to to `room`, which holds the code then; NULL where the key is not there. */
static bool read_orientation(yaml_build *b, const yaml_item *section, const char *key, char *room,
                             const char **to) {
    const yaml_item *item = yaml_find(section, key);
    if (!item) return true;
    if (item->kind != YAML_TEXT || !ir_is_orientation(item->text))
        return yaml_fail(
            b->src, item, IR_EXIT_INPUT, b->d,
            "%s must be a code such as RAS or LPI: R or L, A or P, and S or I in the order of the "
            "axes, this is %.60s",
            key, yaml_kind_text(item));
    memcpy(room, item->text, 4);
    *to = room;
    return true;
}

/* ---- tiles */

/* border: none means that one tile holds the volume, so the preparation must end at the tile's size. */
static bool check_tile(yaml_build *b, const yaml_item *prepare) {
    const vox_volume_info *v = &b->g->volume.info;
    const ir_tensor *in = b->g->inputs[0];
    if (v->border != VOX_BORDER_NONE) return true;
    for (int i = v->n_steps; i-- > 0;) {
        const vox_prepare_step *p = &v->steps[i];
        /* There, the volume decides. */
        if (p->kind == VOX_PREPARE_RESAMPLE_SPACING || p->kind == VOX_PREPARE_CROP_NONZERO) return true;
        if (p->kind != VOX_PREPARE_RESAMPLE_SHAPE && p->kind != VOX_PREPARE_CROP_OR_PAD) continue;
        for (int k = 0; k < 3; k++) {
            double size = p->value[v->axes[k] - 'x'];
            if (size != (double)in->dim[2 + k])
                return yaml_fail(
                    b->src, prepare->item[i], IR_EXIT_INPUT, b->d,
                    "%s makes %g voxels along %c, but the network's %s takes %lld there, and `border: none` "
                    "says that one tile holds the volume",
                    ir_prepare_name(p->kind), size, v->axes[k], in->name, (long long)in->dim[2 + k]);
        }
        return true;
    }
    return true;
}

static bool read_overlap(yaml_build *b, const yaml_item *overlap, const yaml_item *window) {
    vox_volume_info *v = &b->g->volume.info;
    ir_volume_tiles(b->g);
    if (overlap && !yaml_number(b->src, overlap, "overlap", &v->overlap, b->d)) return false;
    if (!(v->overlap >= 0 && v->overlap < 1))
        return yaml_fail(b->src, overlap, IR_EXIT_INPUT, b->d,
                         "overlap is the part of a tile that its neighbour covers too: 0 to below 1, this is "
                         "%g",
                         v->overlap);
    if (overlap && v->overlap > 0 && b->g->outputs[0]->dtype != IR_F32)
        return yaml_fail(b->src, overlap, IR_EXIT_INPUT, b->d,
                         "output %s holds labels, and only scores can be averaged where tiles overlap",
                         b->g->outputs[0]->name);
    int choice = v->overlap > 0 ? VOX_WINDOW_GAUSSIAN : VOX_WINDOW_CONSTANT;
    if (window && !yaml_choice(b->src, window, "window", ir_window_words, IR_WINDOWS, &choice, b->d))
        return false;
    v->window = (vox_window)choice;
    return true;
}

static bool read_mirror_axes(yaml_build *b, const yaml_item *list) {
    static const char *const axes[] = {"D", "H", "W"};
    vox_volume_info *v = &b->g->volume.info;
    int axis;
    if (!list) return true;
    if (list->kind != YAML_LIST)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "mirror_axes must be a list of D, H and W, [] for none, this is %.60s",
                         yaml_kind_text(list));
    for (int i = 0; i < list->count; i++) {
        if (!yaml_choice(b->src, list->item[i], "an axis of mirror_axes", axes, 3, &axis, b->d)) return false;
        if (v->mirror_axes & 1 << axis)
            return yaml_fail(b->src, list->item[i], IR_EXIT_INPUT, b->d, "axis %s stands here twice",
                             axes[axis]);
        v->mirror_axes |= 1 << axis;
    }
    return true;
}

/* The keys that only tiles have. */
static bool read_tiles(yaml_build *b, const yaml_item *section) {
    static const char *const of_tiles[] = {"overlap", "placement", "window", "accumulate", "skip_empty"};
    static const char *const widths[] = {"float", "half"}, *const answers[] = {"false", "true"};
    for (int i = 0; i < 5 && b->g->volume.info.border == VOX_BORDER_NONE; i++) {
        const yaml_item *item = yaml_find(section, of_tiles[i]);
        if (item)
            return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                             "%s is about several tiles, but `border: none` says that one holds the volume",
                             of_tiles[i]);
    }
    const yaml_item *width = yaml_find(section, "accumulate");
    if (width && !yaml_choice(b->src, width, "accumulate", widths, 2, &b->g->volume.info.half, b->d))
        return false;
    const yaml_item *skip = yaml_find(section, "skip_empty"), *placement = yaml_find(section, "placement");
    if (skip && !yaml_choice(b->src, skip, "skip_empty", answers, 2, &b->g->volume.info.skip_empty, b->d))
        return false;
    int place = VOX_EVENLY;
    if (placement &&
        !yaml_choice(b->src, placement, "placement", ir_placement_words, IR_PLACEMENTS, &place, b->d))
        return false;
    b->g->volume.info.placement = (vox_placement)place;
    return read_overlap(b, yaml_find(section, "overlap"), yaml_find(section, "window")) &&
           read_mirror_axes(b, yaml_find(section, "mirror_axes"));
}

/* ---- scores */

static bool read_regions(yaml_build *b, const yaml_item *item) {
    ir_volume *v = &b->g->volume;
    const yaml_item *list = yaml_find(item, "regions"), *above = yaml_find(item, "above");
    const ir_tensor *out = b->g->outputs[0];
    if (!above)
        return yaml_fail(
            b->src, item, IR_EXIT_INPUT, b->d,
            "regions need a level: {regions: [1, 2], above: 0.5}, or 0 for scores that are logits");
    if (list->kind != YAML_LIST || !list->count || list->count > IR_MAX_LABELS)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "regions must be a list of labels, one per channel, this is %.60s",
                         yaml_kind_text(list));
    if (list->count != out->dim[1])
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "%d regions, but output %s has %lld channels: expected a label for each",
                         list->count, out->name, (long long)out->dim[1]);
    for (int i = 0; i < list->count; i++) {
        int64_t label;
        if (!yaml_int(b->src, list->item[i], "a region's label", 0, IR_MAX_LABEL, &label, b->d)) return false;
        v->region_label[i] = (int)label;
    }
    v->info.n_regions = list->count;
    v->info.rule = VOX_REGIONS;
    return yaml_number(b->src, above, "above", &v->info.level, b->d);
}

static bool read_output(yaml_build *b, const yaml_item *item) {
    static const char *const keys[] = {"threshold", "regions", "above"};
    vox_volume_info *v = &b->g->volume.info;
    const ir_tensor *out = b->g->outputs[0];
    if (item->kind == YAML_TEXT && !strcmp(item->text, "argmax")) return true;
    if (item->kind == YAML_MAP && !yaml_only_keys(b->src, item, "output", keys, 3, b->d)) return false;
    if (item->kind == YAML_MAP && yaml_find(item, "regions") && !yaml_find(item, "threshold"))
        return read_regions(b, item);
    const yaml_item *level = item->kind == YAML_MAP && item->count == 1 ? yaml_find(item, "threshold") : NULL;
    if (!level)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                         "output must be argmax, {threshold: NUMBER} or {regions: [LABELS], above: NUMBER}, "
                         "this is %.60s",
                         yaml_kind_text(item));
    v->rule = VOX_THRESHOLD;
    if (out->dim[1] != 1)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                         "output: {threshold: ...} needs one output channel, %s has %lld", out->name,
                         (long long)out->dim[1]);
    return yaml_number(b->src, level, "threshold", &v->level, b->d);
}

static bool read_activation(yaml_build *b, const yaml_item *item) {
    const ir_tensor *out = b->g->outputs[0];
    int choice;
    if (!item) return true;
    if (!yaml_choice(b->src, item, "activation", ir_activation_words, IR_ACTIVATIONS, &choice, b->d))
        return false;
    if (choice != VOX_AS_THEY_ARE && out->dtype != IR_F32)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d, "output %s holds labels, not scores", out->name);
    if (choice == VOX_SOFTMAX && out->dim[1] == 1)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                         "the softmax of one channel is 1 everywhere: output %s needs sigmoid or none",
                         out->name);
    b->g->volume.info.activation = (vox_activation)choice;
    return true;
}

/* ---- the section */

/* The first four must be there. */
static const char *const keys[] = {"axes",       "prepare", "border",    "output",      "orientation",
                                   "stored",     "overlap", "window",    "mirror_axes", "accumulate",
                                   "activation", "restore", "placement", "skip_empty"};
enum { KEYS = sizeof keys / sizeof *keys, REQUIRED = 4 };

const char *yaml_volume_key(int i) {
    return i < KEYS ? keys[i] : NULL;
}

static bool read_volume(yaml_build *b, const yaml_item *section) {
    const yaml_item *value[REQUIRED];
    ir_volume *v = &b->g->volume;
    int border;
    if (section->kind != YAML_MAP)
        return yaml_fail(b->src, section, IR_EXIT_INPUT, b->d, "volume must be a mapping, this is %.60s",
                         yaml_kind_text(section));
    if (!yaml_only_keys(b->src, section, "volume", keys, KEYS, b->d)) return false;
    for (int i = 0; i < REQUIRED; i++)
        if (!(value[i] = yaml_find(section, keys[i])))
            return yaml_fail(b->src, section, IR_EXIT_INPUT, b->d,
                             "volume lacks the key %s, and it has no default", keys[i]);
    if (b->g->n_inputs != 1 || b->g->inputs[0]->rank != 5 || b->g->outputs[0]->rank != 5)
        return yaml_fail(b->src, section, IR_EXIT_INPUT, b->d,
                         "a volume section needs one input and an output with the axes N C D H W");
    ir_volume_new(v);
    if (!read_axes(b, value[0]) ||
        !read_orientation(b, section, "orientation", v->orientation, &v->info.orientation) ||
        !read_orientation(b, section, "stored", v->stored, &v->info.stored) ||
        !yaml_read_prepare(b, value[1]) ||
        !yaml_choice(b->src, value[2], "border", ir_border_words, IR_BORDERS, &border, b->d) ||
        !read_output(b, value[3]))
        return false;
    v->info.border = (vox_border)border;
    if (!check_tile(b, value[1]) || !read_tiles(b, section)) return false;
    if (v->info.border != VOX_BORDER_NONE && !(v->info.overlap > 0)) ir_volume_phase(b->g);
    return read_activation(b, yaml_find(section, "activation")) &&
           yaml_read_restore(b, yaml_find(section, "restore"));
}

bool yaml_build_volume(yaml_build *b) {
    const yaml_item *section = yaml_find(b->src->root, "volume");
    return (!section || read_volume(b, section)) && count_labels(b);
}
