/* front_yaml_layers.c: the table of layer kinds, and the kinds that compute. The specification is
 * models/README.md; a test compares its keys with the table below. */
#include "front_yaml_build.h"

#include <math.h>
#include <string.h>

enum { MAX_KEYS = 12, MAX_CHANNELS = 1 << 20, MAX_WINDOW = 4096 };

/* ---- nodes and constants */

ir_node *yaml_node(yaml_layer *l, ir_op op, int n_in, ir_tensor *const *in, const char *out) {
    ir_node *n = ir_add_node(l->b->g, op, out, n_in, in, out);
    /* The file's name without its folder: emitted text must not depend on where the sources lie. */
    const char *slash = strrchr(l->b->src->name, '/'), *file = slash ? slash + 1 : l->b->src->name;
    const yaml_item *at = l->scope->use ? l->scope->use : l->at;
    n->source = ir_format(l->b->g->arena, "%s:%d:%d", file, at->line, at->col);
    return n;
}

bool yaml_finish(yaml_layer *l, ir_node *n) {
    ir_diag e = {0};
    if (!ir_finish_node(l->b->g, n, &e)) return yaml_shape_fail(l, "%s", e.text);
    l->out = n->out[0];
    return true;
}

/* A parameter tensor without data: <path>.<what>. NULL where its size overflows. */
static ir_tensor *weights(yaml_layer *l, const char *what, int rank, const int64_t *dim) {
    int64_t bytes;
    if (!ir_shape_bytes(IR_F32, rank, dim, &bytes)) {
        yaml_layer_fail(l, IR_EXIT_INPUT, "its %s would have more elements than 64 bits can count", what);
        return NULL;
    }
    const char *name = ir_unique_name(l->b->g, ir_format(l->b->g->arena, "%s.%s", l->path, what));
    return ir_add_const(l->b->g, name, IR_F32, rank, dim, NULL, false);
}

static ir_tensor *per_channel(yaml_layer *l, const char *what, int64_t channels) {
    return weights(l, what, 1, &channels);
}

/* ---- windows: what convolutions and pools share */

typedef struct layer_window {
    int64_t kernel[YAML_MAX_SPATIAL], stride[YAML_MAX_SPATIAL], dilation[YAML_MAX_SPATIAL];
    int64_t pad[2 * YAML_MAX_SPATIAL], output_pad[YAML_MAX_SPATIAL];
} layer_window;

/* Of one axis: the voxels that the kernel reaches over. */
static int64_t extent(const layer_window *w, int axis) {
    return (w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

/* What `same` adds in all along one axis, so that the output has ceil(size / stride) voxels; for a transposed
 * convolution size * stride. */
static int64_t same_padding(const yaml_layer *l, const layer_window *w, bool transposed, int axis) {
    int64_t size = l->in[0]->dim[2 + axis], stride = w->stride[axis];
    if (transposed) return extent(w, axis) + w->output_pad[axis] - stride;
    int64_t out = (size + stride - 1) / stride, need = (out - 1) * stride + extent(w, axis) - size;
    return need > 0 ? need : 0;
}

static bool set_same_padding(yaml_layer *l, layer_window *w, bool transposed) {
    for (int i = 0; i < l->spatial; i++) {
        int64_t all = same_padding(l, w, transposed, i);
        if (all < 0)
            return yaml_layer_fail(
                l, IR_EXIT_INPUT,
                "padding: same cannot be had with kernel %lld and stride %lld along %s: the output would "
                "have holes",
                (long long)w->kernel[i], (long long)w->stride[i], yaml_axis_name(l->spatial, i));
        w->pad[i] = all / 2;
        w->pad[l->spatial + i] = all - all / 2;
    }
    return true;
}

static bool padding(yaml_layer *l, layer_window *w, bool transposed) {
    yaml_value v;
    bool present;
    memset(w->pad, 0, sizeof w->pad);
    if (!yaml_param(l, "padding", &v, &present)) return false;
    if (!present || (v.item->kind == YAML_TEXT && !strcmp(v.item->text, "valid"))) return true;
    if (v.item->kind == YAML_TEXT && !strcmp(v.item->text, "same")) return set_same_padding(l, w, transposed);
    if (v.item->kind == YAML_TEXT && v.item->text[0] != '-' &&
        (v.item->text[0] < '0' || v.item->text[0] > '9'))
        return yaml_fail(l->b->src, v.item, IR_EXIT_INPUT, l->b->d,
                         "padding must be valid, same or numbers, this is %.60s", yaml_kind_text(v.item));
    return yaml_ends(l, "padding", v, w->pad);
}

static bool read_window(yaml_layer *l, layer_window *w, bool transposed, bool pool) {
    memset(w, 0, sizeof *w);
    if (!yaml_param_axes(l, "kernel", 1, MAX_WINDOW, YAML_REQUIRED, w->kernel)) return false;
    if (!yaml_param_axes(l, "stride", 1, MAX_WINDOW, 1, w->stride)) return false;
    if (pool && !yaml_find(l->params, "stride")) memcpy(w->stride, w->kernel, sizeof w->stride);
    if (!yaml_param_axes(l, "dilation", 1, MAX_WINDOW, 1, w->dilation)) return false;
    if (transposed && !yaml_param_axes(l, "output_padding", 0, MAX_WINDOW, 0, w->output_pad)) return false;
    return padding(l, w, transposed);
}

static void set_window(yaml_layer *l, ir_node *n, const layer_window *w) {
    ir_set_ints(l->b->g, n, IR_KERNEL, l->spatial, w->kernel);
    ir_set_ints(l->b->g, n, IR_STRIDE, l->spatial, w->stride);
    ir_set_ints(l->b->g, n, IR_DILATION, l->spatial, w->dilation);
    ir_set_ints(l->b->g, n, IR_PAD, 2 * l->spatial, w->pad);
}

/* ---- convolutions */

static bool read_groups(yaml_layer *l, int64_t channels, int64_t *groups) {
    if (!yaml_param_int(l, "groups", 1, MAX_CHANNELS, 1, groups)) return false;
    int64_t in = l->in[0]->dim[1];
    if (in % *groups == 0 && channels % *groups == 0) return true;
    return yaml_layer_fail(l, IR_EXIT_INPUT,
                           "%lld groups do not divide its %lld input and %lld output channels",
                           (long long)*groups, (long long)in, (long long)channels);
}

static bool build_convolution(yaml_layer *l, bool transposed) {
    layer_window w;
    int64_t channels, groups;
    bool bias;
    if (!yaml_param_int(l, "channels", 1, MAX_CHANNELS, YAML_REQUIRED, &channels) ||
        !read_groups(l, channels, &groups) || !yaml_param_bool(l, "bias", true, &bias) ||
        !read_window(l, &w, transposed, false))
        return false;
    int64_t in = l->in[0]->dim[1], dim[2 + YAML_MAX_SPATIAL];
    dim[0] = transposed ? in : channels;
    dim[1] = (transposed ? channels : in) / groups;
    memcpy(dim + 2, w.kernel, (size_t)l->spatial * sizeof *dim);
    ir_tensor *operand[3] = {l->in[0], weights(l, "weight", 2 + l->spatial, dim), NULL};
    if (bias) operand[2] = per_channel(l, "bias", channels);
    if (!operand[1] || (bias && !operand[2])) return false;
    ir_node *n = yaml_node(l, transposed ? IR_OP_CONV_TRANSPOSE : IR_OP_CONV, bias ? 3 : 2, operand, l->name);
    set_window(l, n, &w);
    ir_set_int(l->b->g, n, IR_GROUP, groups);
    if (transposed) ir_set_ints(l->b->g, n, IR_OUTPUT_PAD, l->spatial, w.output_pad);
    return yaml_finish(l, n);
}

static bool build_conv(yaml_layer *l) {
    return build_convolution(l, false);
}
static bool build_conv_transpose(yaml_layer *l) {
    return build_convolution(l, true);
}

/* ---- normalisation */

/* groups 0: each channel by itself. */
static bool finish_norm(yaml_layer *l, int64_t groups, bool affine, double eps) {
    int64_t channels = l->in[0]->dim[1];
    ir_tensor *operand[3] = {l->in[0], per_channel(l, "weight", channels), per_channel(l, "bias", channels)};
    if (!operand[1] || !operand[2]) return false;
    if (!affine) {
        for (int k = 1; k < 3; k++) {
            float *data = ir_alloc(l->b->g->arena, (size_t)channels, sizeof *data);
            for (int64_t i = 0; i < channels; i++) data[i] = k == 1 ? 1.0f : 0.0f;
            operand[k]->data = data;
            operand[k]->hash = ir_hash(data, (size_t)channels * sizeof *data);
        }
    }
    ir_node *n = yaml_node(l, IR_OP_INSTANCE_NORM, 3, operand, l->name);
    ir_set_float(l->b->g, n, IR_EPS, eps);
    if (groups) ir_set_int(l->b->g, n, IR_GROUP, groups);
    return yaml_finish(l, n);
}

static bool read_epsilon(yaml_layer *l, double *eps) {
    if (!yaml_param_number(l, "epsilon", 1e-5, eps)) return false;
    return *eps > 0 || yaml_layer_fail(l, IR_EXIT_INPUT, "epsilon must be above 0, it is %g", *eps);
}

static bool group_norm(yaml_layer *l, int64_t groups) {
    double eps;
    bool affine;
    return read_epsilon(l, &eps) && yaml_param_bool(l, "affine", true, &affine) &&
           finish_norm(l, groups, affine, eps);
}
static bool build_instance_norm(yaml_layer *l) {
    return group_norm(l, 0);
}
static bool build_layer_norm(yaml_layer *l) {
    return group_norm(l, 1);
}
static bool build_group_norm(yaml_layer *l) {
    int64_t groups;
    return yaml_param_int(l, "groups", 1, MAX_CHANNELS, YAML_REQUIRED, &groups) && group_norm(l, groups);
}

/* With the statistics of the current tile it is instance normalisation, as the batch is one. */
static bool build_batch_norm(yaml_layer *l) {
    static const char *const what[] = {"weight", "bias", "running_mean", "running_var"};
    double eps;
    if (!read_epsilon(l, &eps)) return false;
    if (!l->b->has_statistics)
        return yaml_layer_fail(l, IR_EXIT_INPUT,
                               "say with `statistics: running` or `statistics: current` in the "
                               "file which statistics it normalises with");
    if (l->b->current) {
        if (l->in[0]->dim[0] == 1) return finish_norm(l, 0, true, eps);
        return yaml_layer_fail(l, IR_EXIT_UNSUPPORTED,
                               "statistics: current needs a batch of 1, this one has %lld",
                               (long long)l->in[0]->dim[0]);
    }
    ir_tensor *operand[5] = {l->in[0]};
    for (int i = 0; i < 4; i++)
        if (!(operand[1 + i] = per_channel(l, what[i], l->in[0]->dim[1]))) return false;
    ir_node *n = yaml_node(l, IR_OP_BATCH_NORM, 5, operand, l->name);
    ir_set_float(l->b->g, n, IR_EPS, eps);
    return yaml_finish(l, n);
}

/* ---- activations */

static bool build_plain(yaml_layer *l, ir_op op) {
    return yaml_finish(l, yaml_node(l, op, 1, l->in, l->name));
}
static bool build_relu(yaml_layer *l) {
    return build_plain(l, IR_OP_RELU);
}
static bool build_sigmoid(yaml_layer *l) {
    return build_plain(l, IR_OP_SIGMOID);
}
static bool build_tanh(yaml_layer *l) {
    return build_plain(l, IR_OP_TANH);
}

static bool with_alpha(yaml_layer *l, ir_op op, const char *key, double absent) {
    double alpha;
    if (!yaml_param_number(l, key, absent, &alpha)) return false;
    ir_node *n = yaml_node(l, op, 1, l->in, l->name);
    ir_set_float(l->b->g, n, IR_ALPHA, alpha);
    return yaml_finish(l, n);
}
static bool build_leaky_relu(yaml_layer *l) {
    return with_alpha(l, IR_OP_LEAKY_RELU, "slope", 0.01);
}
static bool build_elu(yaml_layer *l) {
    return with_alpha(l, IR_OP_ELU, "alpha", 1.0);
}

static bool build_prelu(yaml_layer *l) {
    static const char *const names[] = {"shared", "per_channel"};
    int slopes;
    if (!yaml_param_choice(l, "slopes", names, 2, 0, &slopes)) return false;
    int64_t dim[1 + YAML_MAX_SPATIAL] = {slopes ? l->in[0]->dim[1] : 1, 1, 1, 1};
    ir_tensor *operand[2] = {l->in[0], weights(l, "slope", slopes ? 1 + l->spatial : 1, dim)};
    return operand[1] && yaml_finish(l, yaml_node(l, IR_OP_PRELU, 2, operand, l->name));
}

static bool build_clip(yaml_layer *l) {
    double low, high;
    if (!yaml_param_number(l, "low", NAN, &low) || !yaml_param_number(l, "high", NAN, &high)) return false;
    if (low > high) return yaml_layer_fail(l, IR_EXIT_INPUT, "low (%g) lies above high (%g)", low, high);
    ir_node *n = yaml_node(l, IR_OP_CLIP, 1, l->in, l->name);
    ir_set_float(l->b->g, n, IR_ALPHA, low);
    ir_set_float(l->b->g, n, IR_BETA, high);
    return yaml_finish(l, n);
}

static bool build_softmax(yaml_layer *l) {
    int64_t axis;
    if (!yaml_param_int(l, "axis", 0, l->in[0]->rank - 1, 1, &axis)) return false;
    ir_node *n = yaml_node(l, IR_OP_SOFTMAX, 1, l->in, l->name);
    ir_set_int(l->b->g, n, IR_AXIS, axis);
    return yaml_finish(l, n);
}

static bool build_arg_max(yaml_layer *l) {
    int64_t axis;
    if (!yaml_param_int(l, "axis", 0, l->in[0]->rank - 1, 1, &axis)) return false;
    ir_node *n = yaml_node(l, IR_OP_ARG_MAX, 1, l->in, l->name);
    ir_set_int(l->b->g, n, IR_AXIS, axis);
    ir_set_int(l->b->g, n, IR_KEEPDIMS, 1);
    ir_set_int(l->b->g, n, IR_SELECT_LAST, 0);
    return yaml_finish(l, n);
}

/* Nothing is dropped when a trained network runs: the layer is another name for its input. */
static bool build_dropout(yaml_layer *l) {
    double rate;
    if (!yaml_param_number(l, "rate", 0.5, &rate)) return false;
    if (rate < 0 || rate >= 1)
        return yaml_layer_fail(l, IR_EXIT_INPUT, "rate must lie in [0, 1), it is %g", rate);
    l->out = l->in[0];
    return true;
}

/* ---- pools */

/* rounding: exact. Voxels left over would make the result depend on where the tile begins. */
static bool fits(yaml_layer *l, const layer_window *w) {
    for (int i = 0; i < l->spatial; i++) {
        int64_t size = l->in[0]->dim[2 + i] + w->pad[i] + w->pad[l->spatial + i], rest = size - extent(w, i);
        if (rest >= 0 && rest % w->stride[i] == 0) continue;
        return yaml_shape_fail(l,
                               "%lld voxels along %s do not divide into windows of %lld at stride %lld, and "
                               "`rounding:` is exact",
                               (long long)size, yaml_axis_name(l->spatial, i), (long long)extent(w, i),
                               (long long)w->stride[i]);
    }
    return true;
}

static bool build_pool(yaml_layer *l, ir_op op) {
    static const char *const names[] = {"exact", "floor", "ceil"};
    layer_window w;
    int rounding;
    bool include = false;
    if (!read_window(l, &w, false, true) || !yaml_param_choice(l, "rounding", names, 3, 0, &rounding))
        return false;
    if (op == IR_OP_AVERAGE_POOL && !yaml_param_bool(l, "include_padding", false, &include)) return false;
    if (rounding == 0 && !fits(l, &w)) return false;
    ir_node *n = yaml_node(l, op, 1, l->in, l->name);
    set_window(l, n, &w);
    ir_set_int(l->b->g, n, IR_CEIL, rounding == 2);
    if (op == IR_OP_AVERAGE_POOL) ir_set_int(l->b->g, n, IR_INCLUDE_PAD, include);
    return yaml_finish(l, n);
}
static bool build_max_pool(yaml_layer *l) {
    return build_pool(l, IR_OP_MAX_POOL);
}
static bool build_average_pool(yaml_layer *l) {
    return build_pool(l, IR_OP_AVERAGE_POOL);
}

/* ---- the table */

#define WINDOW "kernel", "stride", "padding", "dilation"
/* clang-format off */
static const struct layer_kind {
    const char *name;
    bool list; /* `from:` is a list */
    bool (*build)(yaml_layer *l);
    const char *key[MAX_KEYS]; /* besides from */
} kinds[] = {
    {"conv",           false, build_conv,           {"channels", WINDOW, "groups", "bias"}},
    {"conv_transpose", false, build_conv_transpose, {"channels", WINDOW, "output_padding", "groups", "bias"}},
    {"batch_norm",     false, build_batch_norm,     {"epsilon"}},
    {"instance_norm",  false, build_instance_norm,  {"epsilon", "affine"}},
    {"group_norm",     false, build_group_norm,     {"groups", "epsilon", "affine"}},
    {"layer_norm",     false, build_layer_norm,     {"epsilon", "affine"}},
    {"relu",           false, build_relu,           {NULL}},
    {"leaky_relu",     false, build_leaky_relu,     {"slope"}},
    {"prelu",          false, build_prelu,          {"slopes"}},
    {"elu",            false, build_elu,            {"alpha"}},
    {"sigmoid",        false, build_sigmoid,        {NULL}},
    {"tanh",           false, build_tanh,           {NULL}},
    {"clip",           false, build_clip,           {"low", "high"}},
    {"softmax",        false, build_softmax,        {"axis"}},
    {"arg_max",        false, build_arg_max,        {"axis"}},
    {"dropout",        false, build_dropout,        {"rate"}},
    {"max_pool",       false, build_max_pool,       {WINDOW, "rounding"}},
    {"average_pool",   false, build_average_pool,   {WINDOW, "rounding", "include_padding"}},
    {"concat",         true,  yaml_build_concat,    {"crop"}},
    {"add",            true,  yaml_build_add,       {"crop"}},
    {"mul",            true,  yaml_build_mul,       {"crop"}},
    {"crop",           false, yaml_build_crop,      {"margin", "size", "like"}},
    {"pad",            false, yaml_build_pad,       {"margin", "mode", "value"}},
    {"resize",         false, yaml_build_resize,    {"scale", "size", "like", "mode", "coordinates", "nearest"}},
};
/* clang-format on */
enum { KINDS = sizeof kinds / sizeof *kinds };

static const struct layer_kind *find_kind(const char *name) {
    for (int i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].name, name)) return &kinds[i];
    return NULL;
}

const char *yaml_layer_kind(int i) {
    return i >= 0 && i < KINDS ? kinds[i].name : NULL;
}
const char *yaml_layer_key(int kind, int i) {
    return i >= 0 && i < MAX_KEYS ? kinds[kind].key[i] : NULL;
}
bool yaml_is_layer_kind(const char *kind) {
    return find_kind(kind) != NULL;
}
bool yaml_takes_list(const char *kind) {
    return find_kind(kind)->list;
}

int yaml_layer_kinds(const char **names, int cap) {
    int n = 0;
    while (n < KINDS && n < cap) {
        names[n] = kinds[n].name;
        n++;
    }
    return n;
}

bool yaml_build_layer(yaml_layer *l) {
    const struct layer_kind *k = find_kind(l->kind);
    const char *keys[MAX_KEYS + 1] = {"from"};
    int n = 1;
    while (n <= MAX_KEYS && k->key[n - 1]) {
        keys[n] = k->key[n - 1];
        n++;
    }
    char what[80];
    snprintf(what, sizeof what, "layer kind %s", k->name);
    if (l->params && !yaml_only_keys(l->b->src, l->params, what, keys, n, l->b->d)) return false;
    return k->build(l);
}
