/* nnunet_labels.c: dataset.json's labels and regions, as nnU-Net's LabelManager takes them. */
#include "nnunet_read.h"

#include "utf8.h"

#include <string.h>

static bool is_ignored(const char *name) {
    return !strcmp(name, "ignore");
}

/* Labels are regions where one of them is made of several values. */
static bool has_regions(json_node labels) {
    for (int i = 0; i < labels.value->count; i++) {
        const json_node one = json_member_at(labels, i);
        if (json_is(one, JSON_LIST) && one.value->count > 1) return true;
    }
    return false;
}

/* Room for n names, "background" and "label 1", ... until they get theirs. */
static void name_all(ir_graph *g, int n) {
    g->n_labels = n;
    g->labels = ir_alloc(g->arena, (size_t)n, sizeof *g->labels);
    for (int i = 0; i < n; i++) g->labels[i] = i ? ir_format(g->arena, "label %d", i) : "background";
}

static bool set_name(nnunet_reader *r, json_node at, int64_t label, const char *name) {
    if (!vox_is_plain(name) || !*name)
        return json_fail(at, IR_EXIT_INPUT, "a label's name must be plain text");
    r->g->labels[label] = ir_strdup(r->g->arena, name);
    return true;
}

/* One channel per label: 0, 1, 2, ... in any order. */
static bool read_classes(nnunet_reader *r, json_node labels) {
    const ir_tensor *out = r->g->outputs[0];
    bool seen[IR_MAX_LABELS] = {false};
    int n = labels.value->count;
    for (int i = 0; i < labels.value->count; i++) n -= is_ignored(labels.value->key[i]);
    if (n != out->dim[1] || n > IR_MAX_LABELS)
        return json_fail(labels, IR_EXIT_INPUT, "%d labels, but the network's output %s has %lld channels", n,
                         out->name, (long long)out->dim[1]);
    name_all(r->g, n);
    for (int i = 0; i < labels.value->count; i++) {
        json_node one = json_member_at(labels, i);
        int64_t label;
        if (is_ignored(labels.value->key[i])) continue;
        if (json_is(one, JSON_LIST)) one = json_element(one, 0);
        if (!json_int(one, 0, n - 1, &label)) return false;
        if (seen[label])
            return json_fail(one, IR_EXIT_INPUT, "label %lld stands here twice", (long long)label);
        seen[label] = true;
        if (!set_name(r, one, label, labels.value->key[i])) return false;
    }
    return true;
}

/* A region of nothing but 0. */
static bool is_background(json_node n) {
    bool zero = !json_is(n, JSON_LIST) || n.value->count > 0;
    for (int i = 0; json_is(n, JSON_LIST) && i < n.value->count; i++)
        zero = zero && n.value->item[i].is_integer && n.value->item[i].integer == 0;
    return zero && (json_is(n, JSON_LIST) || (n.value->is_integer && n.value->integer == 0));
}

static bool check_regions(const nnunet_reader *r, json_node order, int regions) {
    const ir_tensor *out = r->g->outputs[0];
    if (!json_is(order, JSON_LIST)) return json_expected(order, "a label for each region");
    if (order.value->count != regions)
        return json_fail(order, IR_EXIT_INPUT, "%d labels for %d regions", order.value->count, regions);
    if (regions == out->dim[1] && regions <= IR_MAX_LABELS) return true;
    return json_fail(order, IR_EXIT_INPUT, "%d regions, but the network's output %s has %lld channels",
                     regions, out->name, (long long)out->dim[1]);
}

/* A channel per region, whose label is its entry in regions_class_order where its sigmoid exceeds 1/2, that is
 * where the score exceeds 0: nnU-Net brings scores back to the volume's grid before the sigmoid. */
static bool read_regions(nnunet_reader *r, json_node labels) {
    const json_node order = json_member(r->dataset, "regions_class_order");
    ir_volume *v = &r->g->volume;
    int regions = 0, most = 0;
    for (int i = 0; i < labels.value->count; i++)
        regions += !is_ignored(labels.value->key[i]) && !is_background(json_member_at(labels, i));
    if (!check_regions(r, order, regions)) return false;
    for (int i = 0; i < regions; i++) {
        int64_t label;
        if (!json_int(json_element(order, i), 0, IR_MAX_LABELS - 1, &label)) return false;
        v->region_label[i] = (int)label;
        if (label > most) most = (int)label;
    }
    v->info.rule = VOX_REGIONS;
    v->info.n_regions = regions;
    name_all(r->g, most + 1);
    for (int i = 0, k = 0; i < labels.value->count; i++) {
        const json_node one = json_member_at(labels, i);
        if (is_ignored(labels.value->key[i]) || is_background(one)) continue;
        if (!set_name(r, one, v->region_label[k++], labels.value->key[i])) return false;
    }
    return true;
}

bool nnunet_read_labels(nnunet_reader *r) {
    const json_node labels = json_member(r->dataset, "labels");
    if (!json_is(labels, JSON_OBJECT) || !labels.value->count)
        return json_expected(labels, "names of labels");
    return has_regions(labels) ? read_regions(r, labels) : read_classes(r, labels);
}
