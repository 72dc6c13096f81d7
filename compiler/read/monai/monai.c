/* monai.c: the bundle's files, references between their parts, labels. */
#include "monai_read.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

/* ---- references ------------------------------------------------------------------------------ */

/* "preprocessing#transforms#3" or "preprocessing::transforms::3", from the top. */
static json_node find(monai_reader *r, const char *id) {
    json_node n = r->inference;
    while (*id && n.value) {
        const char *hash = strchr(id, '#'), *colons = strstr(id, "::");
        const char *end = hash && (!colons || hash < colons) ? hash : colons;
        const size_t length = end ? (size_t)(end - id) : strlen(id);
        const char *key = ir_format(r->g->arena, "%.*s", (int)length, id);
        n = json_is(n, JSON_LIST) ? json_element(n, atoi(key)) : json_member(n, key);
        id += length;
        if (end) id += *end == '#' ? 1 : 2;
    }
    return n;
}

bool monai_resolve(monai_reader *r, json_node *n) {
    const json_node first = *n;
    for (int depth = 0; json_is(*n, JSON_STRING); depth++) {
        const char *text = n->value->string;
        if (*text == '$' || *text == '%')
            return json_fail(*n, IR_EXIT_UNSUPPORTED, "expressions are not understood: %.100s", text);
        if (*text != '@') return true;
        if (depth == MAX_DEPTH) return json_fail(first, IR_EXIT_INPUT, "references in a circle");
        const json_node to = find(r, text + 1);
        if (!to.value) return json_fail(*n, IR_EXIT_INPUT, "%.100s refers to nothing in this file", text);
        *n = to;
    }
    return true;
}

/* ---- arguments ------------------------------------------------------------------------------- */

bool monai_argument(monai_object o, const char *key, json_node *n) {
    *n = json_member(o.at, key);
    return monai_resolve(o.r, n);
}

bool monai_number(monai_object o, const char *key, double absent, double *to) {
    json_node n;
    *to = absent;
    return monai_argument(o, key, &n) && (json_is_absent(n) || json_number(n, to));
}

bool monai_need_number(monai_object o, const char *key, double *to) {
    json_node n;
    return monai_argument(o, key, &n) && json_number(n, to);
}

bool monai_flag(monai_object o, const char *key, bool absent, bool *to) {
    json_node n;
    *to = absent;
    if (!monai_argument(o, key, &n)) return false;
    if (json_is(n, JSON_LIST) && n.value->count == 1) n = json_element(n, 0);
    return json_is_absent(n) || json_bool(n, to);
}

bool monai_axes(monai_object o, const char *key, double to[3]) {
    json_node n;
    if (!monai_argument(o, key, &n)) return false;
    if (json_is(n, JSON_LIST)) return json_numbers(n, 3, to);
    if (!json_number(n, &to[0])) return false;
    to[1] = to[2] = to[0];
    return true;
}

bool monai_lacks(monai_object o, const char *key) {
    const json_node n = json_member(o.at, key);
    return json_is_absent(n) || json_fail(n, IR_EXIT_UNSUPPORTED, "this is not understood: leave it out");
}

bool monai_only(monai_object o, const char *const *keys, int count) {
    static const char *const always[] = {
        "_target_", "_disabled_", "_desc_", "_requires_",         "keys",
        "dtype",    "device",     "lazy",   "allow_missing_keys", "track_meta"};
    return json_only_keys(o.at, keys, count, always, sizeof always / sizeof *always);
}

/* ---- transforms ------------------------------------------------------------------------------ */

/* "monai.transforms.Spacingd" and "Spacingd" are Spacing. */
static bool is_kind(const char *target, const char *name) {
    const char *dot = strrchr(target, '.');
    const char *last = dot ? dot + 1 : target;
    const size_t n = strlen(name);
    if (strncmp(last, name, n) != 0) return false;
    return !last[n] || !strcmp(last + n, "d") || !strcmp(last + n, "D") || !strcmp(last + n, "Dict");
}

static bool apply(monai_object o, const monai_kind *kinds, int count) {
    bool disabled;
    const char *target;
    if (!monai_flag(o, "_disabled_", false, &disabled)) return false;
    if (disabled) return true;
    const json_node name = json_member(o.at, "_target_");
    if (!json_text(name, &target)) return false;
    for (int i = 0; i < count; i++) {
        if (!is_kind(target, kinds[i].name)) continue;
        if (!kinds[i].apply) return true;
        if (o.r->padded)
            return json_fail(name, IR_EXIT_UNSUPPORTED,
                             "no transform is supported behind SpatialPad: it would "
                             "see the zeros");
        return kinds[i].apply(o);
    }
    return json_fail(name, IR_EXIT_UNSUPPORTED, "the transform %.60s is not known here", target);
}

bool monai_each(monai_reader *r, json_node list, const monai_kind *kinds, int count) {
    if (!monai_resolve(r, &list)) return false;
    const json_node target = json_member(list, "_target_");
    if (json_is(target, JSON_STRING)) {
        if (!is_kind(target.value->string, "Compose"))
            return json_fail(target, IR_EXIT_UNSUPPORTED, "expected Compose, this is %.60s",
                             target.value->string);
        list = json_member(list, "transforms");
        if (!monai_resolve(r, &list)) return false;
    }
    if (!json_is(list, JSON_LIST)) return json_expected(list, "a list of transforms");
    for (int i = 0; i < list.value->count; i++) {
        json_node one = json_element(list, i);
        if (!monai_resolve(r, &one)) return false;
        if (!json_is(one, JSON_OBJECT)) return json_expected(one, "a transform");
        if (!apply((monai_object){.r = r, .at = one}, kinds, count)) return false;
    }
    return true;
}

/* ---- metadata.json --------------------------------------------------------------------------- */

/* The only member of an object, or the one of this name. */
static json_node sole(json_node n, const char *key) {
    const json_node named = json_member(n, key);
    return !named.value && json_is(n, JSON_OBJECT) && n.value->count == 1 ? json_member_at(n, 0) : named;
}

static bool check_channels(json_node port, const ir_tensor *t) {
    const json_node n = json_member(port, "num_channels");
    int64_t channels;
    if (json_is_absent(n)) return true;
    if (!json_int(n, 1, INT32_MAX, &channels)) return false;
    return channels == t->dim[1] ||
           json_fail(n, IR_EXIT_INPUT, "%lld channels, but the network's %s has %lld: another network?",
                     (long long)channels, t->name, (long long)t->dim[1]);
}

/* channel_def {"0": "background", "1": "spleen"}: labels. With a threshold, one channel is above background. */
static bool read_labels(monai_reader *r, json_node port) {
    const json_node names = json_member(port, "channel_def");
    ir_graph *g = r->g;
    const int64_t classes = g->volume.info.rule == VOX_THRESHOLD ? 2 : g->outputs[0]->dim[1];
    if (json_is_absent(names)) return true;
    if (!json_is(names, JSON_OBJECT)) return json_expected(names, "names of channels");
    const int first = names.value->count == 1 && classes == 2;
    if (names.value->count + first != classes || classes > IR_MAX_LABELS)
        return json_fail(names, IR_EXIT_INPUT, "%d channels, but the network gives %lld classes",
                         names.value->count, (long long)classes);
    g->labels = ir_alloc(g->arena, (size_t)classes, sizeof *g->labels);
    g->labels[0] = "background";
    for (int i = 0; i < names.value->count; i++) {
        const json_node one = json_member(names, ir_format(g->arena, "%d", i));
        const char *text;
        if (!json_text(one, &text)) return false;
        if (!*text || !vox_is_plain(text)) return json_expected(one, "a name of plain text");
        g->labels[i + first] = ir_strdup(g->arena, text);
    }
    g->n_labels = (int)classes;
    return true;
}

static bool read_metadata(monai_reader *r) {
    const json_node format = json_member(r->metadata, "network_data_format");
    const json_node out = sole(json_member(format, "outputs"), "pred");
    return check_channels(sole(json_member(format, "inputs"), "image"), r->g->inputs[0]) &&
           check_channels(out, r->g->outputs[0]) && read_labels(r, out);
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool monai_load_volume(ir_graph *g, const char *folder, ir_diag *d) {
    monai_reader r = {.g = g, .d = d};
    ir_arena *a = g->arena;
    if (g->n_inputs != 1 || g->inputs[0]->rank != 5 || g->outputs[0]->rank != 5)
        return ir_fail(d, IR_EXIT_INPUT,
                       "--monai needs a network with one input and an output of the axes N C D H W");
    if (!json_read_file(&r.inference_file, ir_format(a, "%s/configs/inference.json", folder), a, d,
                        &r.inference) ||
        !json_read_file(&r.metadata_file, ir_format(a, "%s/configs/metadata.json", folder), a, d,
                        &r.metadata))
        return false;
    ir_volume_new(&g->volume);
    memcpy(g->volume.axes, "xyz", 4);
    return monai_read_preprocessing(&r) && monai_read_inferer(&r) && monai_read_postprocessing(&r) &&
           read_metadata(&r);
}
