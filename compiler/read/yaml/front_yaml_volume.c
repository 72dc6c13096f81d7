/* front_yaml_volume.c: the sections that are not layers: labels and volume. */
#include "front_yaml_build.h"
#include "utf8.h"

#include <math.h>
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

/* One label per channel of the (first) output; with a threshold, what is below and what is above. */
static bool count_labels(yaml_build *b) {
    const yaml_item *list = yaml_find(b->src->root, "labels");
    const ir_tensor *out = b->g->outputs[0];
    bool threshold = b->g->volume.present && b->g->volume.info.rule == VOX_THRESHOLD;
    if (threshold && out->dim[1] != 1)
        return yaml_fail(b->src, yaml_find(b->src->root, "volume"), IR_EXIT_INPUT, b->d,
                         "output: {threshold: ...} needs one output channel, %s has %lld", out->name,
                         (long long)out->dim[1]);
    if (!list) return true;
    int64_t expected = threshold ? 2 : out->dim[1];
    if (list->count == expected || out->dtype != IR_F32) return true;
    return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                     "%d labels, but output %s has %lld channel%s: expected %lld labels", list->count,
                     out->name, (long long)out->dim[1], out->dim[1] == 1 ? "" : "s", (long long)expected);
}

/* ---- volume */

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

static bool check_prepare(yaml_build *b, const yaml_item *at, const vox_prepare_step *p) {
    bool shape = p->kind == VOX_PREPARE_RESAMPLE_SHAPE || p->kind == VOX_PREPARE_CROP_OR_PAD;
    bool positive = shape || p->kind == VOX_PREPARE_RESAMPLE_SPACING || p->kind == VOX_PREPARE_SMOOTH;
    for (int i = 0; i < ir_prepare_numbers(p->kind); i++) {
        double v = p->value[i];
        if (positive && v <= 0)
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "%s must be above 0, this is %g",
                             ir_prepare_name(p->kind), v);
        if (shape && (v != floor(v) || v > 65535))
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d,
                             "%s needs whole numbers of voxels up to 65535, this is %g",
                             ir_prepare_name(p->kind), v);
    }
    if (p->kind == VOX_PREPARE_SMOOTH && p->value[0] > 1000)
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d,
                         "smooth is a sigma of at most 1000 voxels, this is %g", p->value[0]);
    if ((p->kind == VOX_PREPARE_CLIP || p->kind == VOX_PREPARE_CT) && p->value[0] > p->value[1])
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "clip is [low, high], but %g lies above %g",
                         p->value[0], p->value[1]);
    return true;
}

/* `tile`: the voxels that the network's input has along x, y and z. */
static bool is_tile(const yaml_item *item, vox_prepare_kind kind) {
    bool shape = kind == VOX_PREPARE_RESAMPLE_SHAPE || kind == VOX_PREPARE_CROP_OR_PAD;
    return shape && item->kind == YAML_TEXT && !strcmp(item->text, "tile");
}

static bool read_values(yaml_build *b, const yaml_item *item, vox_prepare_step *p) {
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
    return check_prepare(b, item, p);
}

/* `- name` or `- name: values` */
static bool read_step(yaml_build *b, const yaml_item *item, vox_prepare_step *p) {
    const char *names[VOX_PREPARE_COUNT];
    int kind;
    for (int i = 0; i < VOX_PREPARE_COUNT; i++) names[i] = ir_prepare_name((vox_prepare_kind)i);
    const yaml_item *name = item->kind == YAML_MAP && item->count == 1 ? item->key[0] : item;
    if (!yaml_choice(b->src, name, "a step of prepare", names, VOX_PREPARE_COUNT, &kind, b->d)) return false;
    *p = ir_prepare_step((vox_prepare_kind)kind);
    bool given = name != item;
    if (given != (ir_prepare_numbers((vox_prepare_kind)kind) > 0))
        return yaml_fail(b->src, name, IR_EXIT_INPUT, b->d, "%s %s", ir_prepare_name((vox_prepare_kind)kind),
                         given ? "takes no numbers" : "needs its numbers: `- name: [...]`");
    return !given || read_values(b, item->item[0], p);
}

static bool read_prepare(yaml_build *b, const yaml_item *list) {
    ir_volume *v = &b->g->volume;
    if (list->kind != YAML_LIST || list->count > IR_MAX_PREPARE)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "prepare must be a list of at most %d steps ([] for none)", IR_MAX_PREPARE);
    for (int i = 0; i < list->count; i++)
        if (!read_step(b, list->item[i], &v->steps[i])) return false;
    v->info.n_steps = list->count;
    return true;
}

static bool read_output(yaml_build *b, const yaml_item *item) {
    ir_volume *v = &b->g->volume;
    if (item->kind == YAML_TEXT && !strcmp(item->text, "argmax")) return true;
    const yaml_item *level = item->kind == YAML_MAP && item->count == 1 ? yaml_find(item, "threshold") : NULL;
    if (!level)
        return yaml_fail(b->src, item, IR_EXIT_INPUT, b->d,
                         "output must be argmax or {threshold: NUMBER}, this is %.60s", yaml_kind_text(item));
    v->info.rule = VOX_THRESHOLD;
    return yaml_number(b->src, level, "threshold", &v->info.level, b->d);
}

/* border: none means that one tile holds the volume, so the preparation must end at the tile's size. */
static bool check_tile(yaml_build *b, const yaml_item *prepare) {
    const ir_volume *v = &b->g->volume;
    const ir_tensor *in = b->g->inputs[0];
    if (v->info.border != VOX_BORDER_NONE) return true;
    for (int i = v->info.n_steps; i-- > 0;) {
        const vox_prepare_step *p = &v->steps[i];
        if (p->kind == VOX_PREPARE_RESAMPLE_SPACING) return true; /* the volume decides */
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

static bool read_volume(yaml_build *b, const yaml_item *section) {
    static const char *const keys[] = {"axes", "prepare", "border", "output"};
    const yaml_item *value[4];
    int border;
    if (section->kind != YAML_MAP)
        return yaml_fail(b->src, section, IR_EXIT_INPUT, b->d, "volume must be a mapping, this is %.60s",
                         yaml_kind_text(section));
    if (!yaml_only_keys(b->src, section, "volume", keys, 4, b->d)) return false;
    for (int i = 0; i < 4; i++)
        if (!(value[i] = yaml_find(section, keys[i])))
            return yaml_fail(b->src, section, IR_EXIT_INPUT, b->d,
                             "volume lacks the key %s, and it has no default", keys[i]);
    if (b->g->n_inputs != 1 || b->g->inputs[0]->rank != 5 || b->g->outputs[0]->rank != 5)
        return yaml_fail(b->src, section, IR_EXIT_INPUT, b->d,
                         "a volume section needs one input and an output with the axes N C D H W");
    ir_volume_new(&b->g->volume);
    if (!read_axes(b, value[0]) || !read_prepare(b, value[1]) ||
        !yaml_choice(b->src, value[2], "border", ir_border_words, IR_BORDERS, &border, b->d) ||
        !read_output(b, value[3]))
        return false;
    b->g->volume.info.border = (vox_border)border;
    return check_tile(b, value[1]);
}

bool yaml_build_volume(yaml_build *b) {
    const yaml_item *section = yaml_find(b->src->root, "volume");
    return (!section || read_volume(b, section)) && count_labels(b);
}
