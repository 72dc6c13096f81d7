/* front_yaml_move.c: the layer kinds that combine tensors or change their extent: concat, add, mul, crop,
 * pad, resize. */
#include "front_yaml_build.h"

#include <string.h>

/* ---- cropping */

/* Slices `margin` (begins, then ends) off t's spatial axes. NULL after a failure; t itself where nothing is
 * cut. */
static ir_tensor *cut(yaml_layer *l, ir_tensor *t, const int64_t *margin, const char *out) {
    int64_t begin[IR_MAX_RANK] = {0}, size[IR_MAX_RANK], step[IR_MAX_RANK];
    for (int i = 0; i < t->rank; i++) {
        int64_t b = i < 2 ? 0 : margin[i - 2], e = i < 2 ? 0 : margin[l->spatial + i - 2];
        begin[i] = b;
        size[i] = t->dim[i] - b - e;
        step[i] = 1;
        if (size[i] > 0) continue;
        yaml_shape_fail(l, "cutting %lld + %lld voxels off %lld along %s leaves none", (long long)b,
                        (long long)e, (long long)t->dim[i], yaml_axis_name(l->spatial, i - 2));
        return NULL;
    }
    ir_node *n = yaml_node(l, IR_OP_SLICE, 1, &t, out);
    ir_set_ints(l->b->g, n, IR_BEGIN, t->rank, begin);
    ir_set_ints(l->b->g, n, IR_SIZE, t->rank, size);
    ir_set_ints(l->b->g, n, IR_STEP, t->rank, step);
    return yaml_finish(l, n) ? n->out[0] : NULL;
}

/* The margins that leave size[] around the centre; false where there is none. */
static bool centre(yaml_layer *l, const ir_tensor *t, const int64_t *size, int64_t *margin, bool *any) {
    *any = false;
    for (int i = 0; i < l->spatial; i++) {
        int64_t rest = t->dim[2 + i] - size[i];
        if (rest < 0 || rest % 2)
            return yaml_shape_fail(
                l, "%s cannot be cropped from %lld to %lld voxels along %s around its centre: %s", t->name,
                (long long)t->dim[2 + i], (long long)size[i], yaml_axis_name(l->spatial, i),
                rest < 0 ? "it is smaller" : "an odd number would have to go");
        margin[i] = margin[l->spatial + i] = rest / 2;
        if (rest) *any = true;
    }
    return true;
}

/* crop: centre. Cuts every input down to the smallest along each axis. */
static bool crop_inputs(yaml_layer *l) {
    int64_t size[YAML_MAX_SPATIAL], margin[2 * YAML_MAX_SPATIAL];
    for (int i = 0; i < l->spatial; i++) {
        size[i] = l->in[0]->dim[2 + i];
        for (int k = 1; k < l->n_in; k++)
            if (l->in[k]->dim[2 + i] < size[i]) size[i] = l->in[k]->dim[2 + i];
    }
    for (int k = 0; k < l->n_in; k++) {
        bool any;
        if (!centre(l, l->in[k], size, margin, &any)) return false;
        if (!any) continue;
        ir_graph *g = l->b->g;
        l->in[k] =
            cut(l, l->in[k], margin, ir_unique_name(g, ir_format(g->arena, "%s.crop", l->in[k]->name)));
        if (!l->in[k]) return false;
    }
    return true;
}

static bool join(yaml_layer *l, ir_op op) {
    static const char *const names[] = {"none", "centre"};
    int crop;
    if (!yaml_param_choice(l, "crop", names, 2, 0, &crop)) return false;
    for (int k = 1; k < l->n_in; k++)
        if (l->in[k]->rank != l->in[0]->rank)
            return yaml_layer_fail(l, IR_EXIT_INPUT, "%s has %d axes and %s has %d", l->in[0]->name,
                                   l->in[0]->rank, l->in[k]->name, l->in[k]->rank);
    if (crop && !crop_inputs(l)) return false;
    ir_node *n = yaml_node(l, op, l->n_in, l->in, l->name);
    if (op == IR_OP_CONCAT) ir_set_int(l->b->g, n, IR_AXIS, 1);
    return yaml_finish(l, n);
}

static bool join_two(yaml_layer *l, ir_op op) {
    if (l->n_in != 2)
        return yaml_layer_fail(l, IR_EXIT_INPUT, "needs two layers in `from:`, there are %d", l->n_in);
    return join(l, op);
}

bool yaml_build_concat(yaml_layer *l) {
    return join(l, IR_OP_CONCAT);
}
bool yaml_build_add(yaml_layer *l) {
    return join_two(l, IR_OP_ADD);
}
bool yaml_build_mul(yaml_layer *l) {
    return join_two(l, IR_OP_MUL);
}

/* Which of the keys is given; exactly one must be. */
static bool one_of(yaml_layer *l, const char *const *keys, int count, int *which, yaml_value *v) {
    char all[80] = "";
    int given = 0;
    for (int i = 0; i < count; i++) {
        yaml_value here;
        bool present;
        if (!yaml_param(l, keys[i], &here, &present)) return false;
        size_t at = strlen(all);
        snprintf(all + at, sizeof all - at, "%s%s", i ? ", " : "", keys[i]);
        if (!present) continue;
        *which = i;
        *v = here;
        given++;
    }
    return given == 1 || yaml_layer_fail(l, IR_EXIT_INPUT, "needs exactly one of the keys %s", all);
}

/* The spatial size of the layer that `like:` names. */
static bool size_like(yaml_layer *l, yaml_value v, int64_t *size) {
    const ir_tensor *t = yaml_lookup(l->b, v);
    if (!t) return false;
    if (t->rank != 2 + l->spatial)
        return yaml_layer_fail(l, IR_EXIT_INPUT, "%s has %d axes, its own input has %d", t->name, t->rank,
                               2 + l->spatial);
    memcpy(size, t->dim + 2, (size_t)l->spatial * sizeof *size);
    return true;
}

bool yaml_build_crop(yaml_layer *l) {
    static const char *const keys[] = {"margin", "size", "like"};
    int64_t size[YAML_MAX_SPATIAL], margin[2 * YAML_MAX_SPATIAL];
    yaml_value v;
    int which;
    bool any;
    if (!one_of(l, keys, 3, &which, &v)) return false;
    if (which == 0 && !yaml_ends(l, "margin", v, margin)) return false;
    if (which == 1 && !yaml_param_axes(l, "size", 1, INT32_MAX, YAML_REQUIRED, size)) return false;
    if (which == 2 && !size_like(l, v, size)) return false;
    if (which != 0 && !centre(l, l->in[0], size, margin, &any)) return false;
    return cut(l, l->in[0], margin, l->name) != NULL;
}

bool yaml_build_pad(yaml_layer *l) {
    static const char *const modes[] = {"constant", "reflect", "edge"};
    int64_t margin[2 * YAML_MAX_SPATIAL], pad[2 * IR_MAX_RANK] = {0};
    yaml_value v;
    bool present;
    int mode, rank = l->in[0]->rank;
    double value;
    if (!yaml_param(l, "margin", &v, &present)) return false;
    if (!present)
        return yaml_layer_fail(l, IR_EXIT_INPUT, "the key margin is missing, and it has no default");
    if (!yaml_ends(l, "margin", v, margin) || !yaml_param_choice(l, "mode", modes, 3, 0, &mode) ||
        !yaml_param_number(l, "value", 0, &value))
        return false;
    if (mode != 0 && yaml_find(l->params, "value"))
        return yaml_layer_fail(l, IR_EXIT_INPUT, "value belongs to mode: constant only");
    for (int i = 0; i < l->spatial; i++) {
        pad[2 + i] = margin[i];
        pad[rank + 2 + i] = margin[l->spatial + i];
    }
    ir_node *n = yaml_node(l, IR_OP_PAD, 1, l->in, l->name);
    ir_set_ints(l->b->g, n, IR_PAD, 2 * rank, pad);
    ir_set_word(l->b->g, n, IR_MODE, modes[mode]);
    if (mode == 0) ir_set_float(l->b->g, n, IR_VALUE, value);
    return yaml_finish(l, n);
}

/* ---- resizing */

/* Reads scale: one number or one per axis. size = floor(size * scale), as ONNX defines it. */
static bool read_scale(yaml_layer *l, yaml_value v, double *scale, int64_t *size) {
    bool list = v.item->kind == YAML_LIST;
    if (list && v.item->count != l->spatial)
        return yaml_fail(l->b->src, v.item, IR_EXIT_INPUT, l->b->d,
                         "scale must be one number or a list of %d", l->spatial);
    for (int i = 0; i < l->spatial; i++) {
        yaml_value one = v;
        if (list && !yaml_list_item(l, v, i, &one)) return false;
        if (!yaml_number(l->b->src, one.item, "scale", &scale[i], l->b->d)) return false;
        double out = (double)l->in[0]->dim[2 + i] * scale[i];
        if (!(scale[i] > 0) || out >= INT32_MAX || out < 1)
            return yaml_fail(l->b->src, one.item, IR_EXIT_INPUT, l->b->d,
                             "scale %g makes %lld voxels along %s into %g; expected between 1 and %d",
                             scale[i], (long long)l->in[0]->dim[2 + i], yaml_axis_name(l->spatial, i), out,
                             INT32_MAX);
        size[i] = (int64_t)out;
    }
    return true;
}

static bool target_size(yaml_layer *l, double *scale, int64_t *size) {
    static const char *const keys[] = {"scale", "size", "like"};
    yaml_value v;
    int which;
    if (!one_of(l, keys, 3, &which, &v)) return false;
    if (which == 0) return read_scale(l, v, scale, size);
    if (which == 1 && !yaml_param_axes(l, "size", 1, INT32_MAX, YAML_REQUIRED, size)) return false;
    if (which == 2 && !size_like(l, v, size)) return false;
    for (int i = 0; i < l->spatial; i++) scale[i] = (double)size[i] / (double)l->in[0]->dim[2 + i];
    return true;
}

bool yaml_build_resize(yaml_layer *l) {
    static const char *const modes[] = {"linear", "nearest"};
    static const char *const coordinates[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                                              "align_corners", "asymmetric"};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    double scale[2 + YAML_MAX_SPATIAL] = {1, 1};
    int64_t size[2 + YAML_MAX_SPATIAL] = {l->in[0]->dim[0], l->in[0]->dim[1]};
    int mode, where, round;
    if (!target_size(l, scale + 2, size + 2) || !yaml_param_choice(l, "mode", modes, 2, -1, &mode) ||
        !yaml_param_choice(l, "coordinates", coordinates, 5, 0, &where) ||
        !yaml_param_choice(l, "nearest", nearest, 4, 0, &round))
        return false;
    if (mode != 1 && yaml_find(l->params, "nearest"))
        return yaml_layer_fail(l, IR_EXIT_INPUT, "nearest belongs to mode: nearest only");
    ir_node *n = yaml_node(l, IR_OP_RESIZE, 1, l->in, l->name);
    ir_set_ints(l->b->g, n, IR_SIZE, 2 + l->spatial, size);
    ir_set_floats(l->b->g, n, IR_SCALE, 2 + l->spatial, scale);
    ir_set_word(l->b->g, n, IR_MODE, modes[mode]);
    ir_set_word(l->b->g, n, IR_COORDINATES, coordinates[where]);
    ir_set_word(l->b->g, n, IR_NEAREST, nearest[round]);
    return yaml_finish(l, n);
}
