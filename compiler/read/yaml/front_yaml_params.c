/* front_yaml_params.c: reads a layer's parameters. */
#include "front_yaml_build.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

const char *yaml_axis_name(int spatial, int axis) {
    static const char *const name[] = {"D", "H", "W"};
    return name[YAML_MAX_SPATIAL - spatial + axis];
}

bool yaml_layer_fail(yaml_layer *l, int code, const char *fmt, ...) {
    char text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return yaml_fail(l->b->src, l->at, code, l->b->d, "layer %s (%s): %s", l->path, l->kind, text);
}

bool yaml_shape_fail(yaml_layer *l, const char *fmt, ...) {
    char text[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->b->shape_at = l->at;
    l->b->shape_text = ir_format(l->b->src->arena, "layer %s (%s): %s", l->path, l->kind, text);
    return false;
}

bool yaml_param(yaml_layer *l, const char *key, yaml_value *v, bool *present) {
    const yaml_item *item = yaml_find(l->params, key);
    *present = item != NULL;
    *v = (yaml_value){item, l->scope};
    return !item || yaml_resolve(l->b, v);
}

static bool missing(yaml_layer *l, const char *key) {
    return yaml_layer_fail(l, IR_EXIT_INPUT, "the key %s is missing, and it has no default", key);
}

bool yaml_param_int(yaml_layer *l, const char *key, int64_t low, int64_t high, int64_t absent, int64_t *out) {
    yaml_value v;
    bool present;
    *out = absent;
    if (!yaml_param(l, key, &v, &present)) return false;
    if (!present) return absent != YAML_REQUIRED || missing(l, key);
    return yaml_int(l->b->src, v.item, key, low, high, out, l->b->d);
}

bool yaml_param_number(yaml_layer *l, const char *key, double absent, double *out) {
    yaml_value v;
    bool present;
    *out = absent;
    if (!yaml_param(l, key, &v, &present)) return false;
    if (!present) return !isnan(absent) || missing(l, key);
    return yaml_number(l->b->src, v.item, key, out, l->b->d);
}

bool yaml_param_choice(yaml_layer *l, const char *key, const char *const *names, int count, int absent,
                       int *out) {
    yaml_value v;
    bool present;
    *out = absent;
    if (!yaml_param(l, key, &v, &present)) return false;
    if (!present) return absent >= 0 || missing(l, key);
    return yaml_choice(l->b->src, v.item, key, names, count, out, l->b->d);
}

bool yaml_param_bool(yaml_layer *l, const char *key, bool absent, bool *out) {
    static const char *const names[] = {"false", "true"};
    int choice;
    if (!yaml_param_choice(l, key, names, 2, absent, &choice)) return false;
    *out = choice;
    return true;
}

bool yaml_list_item(yaml_layer *l, yaml_value list, int i, yaml_value *v) {
    *v = (yaml_value){list.item->item[i], list.scope};
    return yaml_resolve(l->b, v);
}

static bool read_ints(yaml_layer *l, const char *key, yaml_value list, int64_t low, int64_t high,
                      int64_t *out) {
    for (int i = 0; i < list.item->count; i++) {
        yaml_value v;
        if (!yaml_list_item(l, list, i, &v) || !yaml_int(l->b->src, v.item, key, low, high, &out[i], l->b->d))
            return false;
    }
    return true;
}

bool yaml_param_axes(yaml_layer *l, const char *key, int64_t low, int64_t high, int64_t absent,
                     int64_t *out) {
    yaml_value v;
    bool present;
    if (!yaml_param(l, key, &v, &present)) return false;
    if (!present && absent == YAML_REQUIRED) return missing(l, key);
    if (present && v.item->kind == YAML_LIST) {
        if (v.item->count == l->spatial) return read_ints(l, key, v, low, high, out);
        return yaml_fail(l->b->src, v.item, IR_EXIT_INPUT, l->b->d,
                         "%s must be one number or a list of %d, one for each spatial axis; this list has %d",
                         key, l->spatial, v.item->count);
    }
    int64_t one = absent;
    if (present && !yaml_int(l->b->src, v.item, key, low, high, &one, l->b->d)) return false;
    for (int i = 0; i < l->spatial; i++) out[i] = one;
    return true;
}

bool yaml_ends(yaml_layer *l, const char *key, yaml_value v, int64_t *out) {
    enum { HIGH = 1 << 20 };
    int n = l->spatial;
    if (v.item->kind == YAML_LIST) {
        if (v.item->count != n && v.item->count != 2 * n)
            return yaml_fail(
                l->b->src, v.item, IR_EXIT_INPUT, l->b->d,
                "%s must be one number, a list of %d (both ends of each spatial axis) or a list of %d (the "
                "begins, then the ends); this list has %d",
                key, n, 2 * n, v.item->count);
        if (!read_ints(l, key, v, 0, HIGH, out)) return false;
        if (v.item->count == n) memcpy(out + n, out, (size_t)n * sizeof *out);
        return true;
    }
    int64_t one;
    if (!yaml_int(l->b->src, v.item, key, 0, HIGH, &one, l->b->d)) return false;
    for (int i = 0; i < 2 * n; i++) out[i] = one;
    return true;
}
