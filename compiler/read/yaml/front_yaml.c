/* front_yaml.c: from a description to a graph: sections, inputs, layers, blocks, outputs. */
#include "front_yaml_build.h"
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 4 << 20, TRIES_WORTH = 400000 };

static const char *const sections[] = {"name",   "statistics", "inputs",  "labels",
                                       "blocks", "layers",     "outputs", "volume"};
enum { SECTIONS = sizeof sections / sizeof *sections };

/* ---- sections */

static const yaml_item *section(yaml_build *b, const char *name, yaml_kind kind, bool required) {
    static const char *const kinds[] = {"a name", "a list", "a mapping"};
    const yaml_item *i = yaml_find(b->src->root, name);
    if (i && i->kind == kind && (kind == YAML_TEXT || i->count)) return i;
    if (i)
        yaml_fail(b->src, i, IR_EXIT_INPUT, b->d, "%s must be %s%s, this is %.60s", name, kinds[kind],
                  kind == YAML_TEXT ? "" : " with something in it", yaml_kind_text(i));
    else if (required)
        yaml_fail(b->src, b->src->root, IR_EXIT_INPUT, b->d, "the description has no `%s:`", name);
    return NULL;
}

static bool read_head(yaml_build *b) {
    static const char *const names[] = {"running", "current"};
    const yaml_item *root = b->src->root;
    int choice = 0;
    if (root->kind != YAML_MAP)
        return yaml_fail(b->src, root, IR_EXIT_INPUT, b->d,
                         "a description is a mapping (name: ..., inputs: ...), this is %.60s",
                         yaml_kind_text(root));
    if (!yaml_only_keys(b->src, root, "a description", sections, SECTIONS, b->d)) return false;
    const yaml_item *name = section(b, "name", YAML_TEXT, true);
    if (!name || !yaml_check_name(b, name)) return false;
    b->g->name = ir_strdup(b->g->arena, name->text);
    const yaml_item *statistics = yaml_find(root, "statistics");
    if (statistics && !yaml_choice(b->src, statistics, "statistics", names, 2, &choice, b->d)) return false;
    b->has_statistics = statistics || b->opt->statistics;
    b->current = b->opt->statistics ? !strcmp(b->opt->statistics, "current") : choice == 1;
    return true;
}

/* ---- inputs */

static bool read_shape(yaml_build *b, const yaml_item *list, int64_t *dim) {
    if (list->kind != YAML_LIST || list->count < 3 || list->count > 2 + YAML_MAX_SPATIAL)
        return yaml_fail(b->src, list, IR_EXIT_INPUT, b->d,
                         "shape must be a list: batch, channels and 1 to %d spatial axes; this is %.60s",
                         YAML_MAX_SPATIAL, yaml_kind_text(list));
    for (int i = 0; i < list->count; i++)
        if (!yaml_int(b->src, list->item[i], "an axis of shape", 1, INT64_MAX, &dim[i], b->d)) return false;
    return true;
}

/* The axis that "D=64" or "image.D=64" or "image.2=64" names in this input, or -1; the size in *value. */
static int override_axis(const char *text, const char *input, bool only, int rank, const char **value) {
    static const char letters[] = "DHW";
    const char *equals = strchr(text, '='), *dot = strchr(text, '.');
    if (!equals) return -1;
    *value = equals + 1;
    if (dot && dot < equals) {
        if ((size_t)(dot - text) != strlen(input) || strncmp(text, input, (size_t)(dot - text))) return -1;
        text = dot + 1;
    } else if (!only) {
        return -1;
    }
    if (equals - text != 1) return -1;
    const char *l = strchr(letters, *text);
    int axis = *text == 'N'   ? 0
               : *text == 'C' ? 1
               : l            ? 2 + (int)(l - letters) - (YAML_MAX_SPATIAL + 2 - rank)
                              : *text - '0';
    bool spatial_lost = l && axis < 2;
    return axis >= 0 && axis < rank && !spatial_lost ? axis : -1;
}

static bool apply_overrides(yaml_build *b, const char *input, bool only, int rank, int64_t *dim, bool *used) {
    for (int i = 0; i < b->opt->n_dims; i++) {
        const char *value;
        char *end;
        int axis = override_axis(b->opt->dims[i], input, only, rank, &value);
        if (axis < 0) continue;
        errno = 0;
        long long v = strtoll(value, &end, 10);
        if (end == value || *end || errno || v < 1)
            return ir_fail(b->d, IR_EXIT_INPUT, "--input-dim %.80s: the size must be a whole number from 1",
                           b->opt->dims[i]);
        dim[axis] = v;
        used[i] = true;
    }
    return true;
}

static bool read_input(yaml_build *b, const yaml_item *name, const yaml_item *value, bool only, bool *used) {
    static const char *const keys[] = {"type", "shape"};
    static const char *const types[] = {"f32"};
    const yaml_item *type = yaml_find(value, "type"), *shape = yaml_find(value, "shape");
    int64_t dim[2 + YAML_MAX_SPATIAL], bytes;
    int choice;
    if (!yaml_check_name(b, name)) return false;
    if (value->kind != YAML_MAP || !type || !shape)
        return yaml_fail(b->src, value, IR_EXIT_INPUT, b->d,
                         "input %s needs type and shape: {type: f32, shape: [...]}", name->text);
    if (!yaml_only_keys(b->src, value, "an input", keys, 2, b->d) ||
        !yaml_choice(b->src, type, "type", types, 1, &choice, b->d) || !read_shape(b, shape, dim) ||
        !apply_overrides(b, name->text, only, shape->count, dim, used))
        return false;
    if (!ir_shape_bytes(IR_F32, shape->count, dim, &bytes))
        return yaml_fail(b->src, shape, IR_EXIT_INPUT, b->d,
                         "the shape has more elements than 64 bits can count");
    return yaml_add_name(b, name->text, name, ir_add_input(b->g, name->text, IR_F32, shape->count, dim));
}

static bool read_inputs(yaml_build *b) {
    const yaml_item *map = section(b, "inputs", YAML_MAP, true);
    if (!map) return false;
    bool *used = ir_alloc(b->g->arena, (size_t)b->opt->n_dims + 1, sizeof *used);
    for (int i = 0; i < map->count; i++)
        if (!read_input(b, map->key[i], map->item[i], map->count == 1, used)) return false;
    for (int i = 0; i < b->opt->n_dims; i++)
        if (!used[i])
            return ir_fail(b->d, IR_EXIT_INPUT,
                           "--input-dim %.80s: %s has no such axis; write AXIS=SIZE or INPUT.AXIS=SIZE with "
                           "AXIS one of N C "
                           "D H W (as input %s)",
                           b->opt->dims[i], b->src->name, map->key[0]->text);
    return true;
}

/* ---- layers */

static bool build_layers(yaml_build *b, const yaml_item *list, const yaml_scope *s, ir_tensor *previous,
                         const char *last_name, ir_tensor **out);

static bool unknown_kind(yaml_build *b, const yaml_item *at) {
    const char *names[64];
    char hint[100];
    int n = yaml_layer_kinds(names, 32);
    const yaml_item *blocks = yaml_find(b->src->root, "blocks");
    for (int i = 0; blocks && blocks->kind == YAML_MAP && i < blocks->count && n < 64; i++)
        names[n++] = blocks->key[i]->text;
    yaml_did_you_mean(at->text, names, n, hint, sizeof hint);
    return yaml_fail(b->src, at, IR_EXIT_UNSUPPORTED, b->d,
                     "no layer kind or block is named %.60s%s; models/README.md lists the kinds", at->text,
                     hint);
}

/* Splits `- name: kind` or `- name: {kind: {key: value}}`. */
static bool split_layer(yaml_build *b, const yaml_item *entry, const yaml_item **name, const yaml_item **kind,
                        const yaml_item **params) {
    if (entry->kind != YAML_MAP || entry->count != 1)
        return yaml_fail(b->src, entry, IR_EXIT_INPUT, b->d,
                         "a layer is `name: kind` or `name: {kind: {key: value}}`, this is %.60s",
                         yaml_kind_text(entry));
    const yaml_item *value = entry->item[0];
    *name = entry->key[0];
    *params = NULL;
    if (!yaml_check_name(b, *name)) return false;
    if (value->kind == YAML_TEXT && *value->text) {
        *kind = value;
        return true;
    }
    if (value->kind != YAML_MAP || value->count != 1)
        return yaml_fail(b->src, value, IR_EXIT_INPUT, b->d,
                         "expected the kind of layer %s, `kind` or `{kind: {key: value}}`, this is %.60s",
                         (*name)->text, yaml_kind_text(value));
    *kind = value->key[0];
    *params = value->item[0];
    if ((*params)->kind == YAML_TEXT && !*(*params)->text) *params = NULL; /* {relu: } */
    if (*params && (*params)->kind != YAML_MAP)
        return yaml_fail(b->src, *params, IR_EXIT_INPUT, b->d,
                         "the parameters of %s must be a mapping, this is %.60s", (*kind)->text,
                         yaml_kind_text(*params));
    return true;
}

/* `from:`, else the preceding layer. */
static bool read_from(yaml_layer *l, ir_tensor *previous, bool list) {
    yaml_value v;
    bool present;
    if (!yaml_param(l, "from", &v, &present)) return false;
    bool is_list = present && v.item->kind == YAML_LIST;
    if (list != is_list)
        return yaml_fail(l->b->src, present ? v.item : l->at, IR_EXIT_INPUT, l->b->d,
                         list ? "%s needs `from:` with a list of layers"
                              : "%s takes one layer in `from:`, not a list",
                         l->kind);
    l->n_in = list ? v.item->count : 1;
    if (l->n_in < 1)
        return yaml_fail(l->b->src, v.item, IR_EXIT_INPUT, l->b->d, "%s needs layers in `from:`", l->kind);
    l->in = ir_alloc(l->b->g->arena, (size_t)l->n_in, sizeof *l->in);
    for (int i = 0; i < l->n_in; i++) {
        yaml_value one = v;
        if (list && !yaml_list_item(l, v, i, &one)) return false;
        l->in[i] = present ? yaml_lookup(l->b, one) : previous;
        if (!l->in[i] && !present)
            return yaml_layer_fail(l, IR_EXIT_INPUT, "no layer precedes it: say with `from:` what it reads");
        if (!l->in[i]) return false;
        if (l->in[i]->dtype != IR_F32)
            return yaml_layer_fail(l, IR_EXIT_INPUT,
                                   "%s holds whole numbers, and no layer computes with them", l->in[i]->name);
    }
    l->spatial = l->in[0]->rank - 2;
    return true;
}

static bool check_block(yaml_build *b, const yaml_item *block, const char *name) {
    static const char *const keys[] = {"parameters", "layers"};
    const yaml_item *p = yaml_find(block, "parameters"), *layers = yaml_find(block, "layers");
    char what[90];
    if (block->kind != YAML_MAP || !layers || layers->kind != YAML_LIST || !layers->count)
        return yaml_fail(b->src, block, IR_EXIT_INPUT, b->d, "block %.60s needs `layers:`, a list", name);
    snprintf(what, sizeof what, "block %.60s", name);
    if (!yaml_only_keys(b->src, block, what, keys, 2, b->d)) return false;
    if (p && p->kind != YAML_MAP)
        return yaml_fail(b->src, p, IR_EXIT_INPUT, b->d,
                         "parameters must be a mapping `name: default` (or `name:`), this is %.60s",
                         yaml_kind_text(p));
    if (yaml_find(p, "from"))
        return yaml_fail(b->src, p, IR_EXIT_INPUT, b->d, "every block has from already: what its `input` is");
    return true;
}

/* The use of a block gives each parameter that has no default, and none that the block lacks. */
static bool check_arguments(yaml_layer *l, const yaml_item *block) {
    enum { MAX_PARAMETERS = 32 };
    const yaml_item *p = yaml_find(block, "parameters");
    const char *names[MAX_PARAMETERS + 1] = {"from"};
    char what[90];
    int n = 1;
    for (int i = 0; p && i < p->count && n <= MAX_PARAMETERS; i++) {
        names[n++] = p->key[i]->text;
        bool has_default = p->item[i]->kind != YAML_TEXT || *p->item[i]->text || p->item[i]->quoted;
        if (!has_default && !yaml_find(l->params, p->key[i]->text))
            return yaml_layer_fail(l, IR_EXIT_INPUT,
                                   "the block's parameter %.60s is missing, and it has no default",
                                   p->key[i]->text);
    }
    snprintf(what, sizeof what, "block %.60s", l->kind);
    return !l->params || yaml_only_keys(l->b->src, l->params, what, names, n, l->b->d);
}

static bool use_block(yaml_layer *l, const yaml_item *block, ir_tensor *previous) {
    ir_arena *a = l->b->g->arena;
    if (!check_block(l->b, block, l->kind) || !check_arguments(l, block)) return false;
    if (l->scope->depth == YAML_MAX_DEPTH)
        return yaml_layer_fail(l, IR_EXIT_INPUT,
                               "blocks use each other more than %d deep; does one use itself?",
                               YAML_MAX_DEPTH);
    if (!read_from(l, previous, false)) return false;
    const yaml_scope inner = {.caller = l->scope,
                              .block_name = l->kind,
                              .block = block,
                              .args = l->params,
                              .use = l->scope->use ? l->scope->use : l->at,
                              .prefix = ir_format(a, "%s.", l->path),
                              .depth = l->scope->depth + 1};
    /* Values of $parameters outlive this function only inside names and tensors,
     * so the scope may live here. */
    return yaml_add_name(l->b, ir_format(a, "%sinput", inner.prefix), l->at, l->in[0]) &&
           build_layers(l->b, yaml_find(block, "layers"), &inner, l->in[0], l->name, &l->out);
}

static bool build_entry(yaml_build *b, const yaml_item *entry, const yaml_scope *s, ir_tensor *previous,
                        const char *out_name, ir_tensor **out) {
    const yaml_item *name = NULL, *kind = NULL, *params = NULL;
    if (!split_layer(b, entry, &name, &kind, &params)) return false;
    if (++b->layers > YAML_MAX_LAYERS)
        return yaml_fail(b->src, name, IR_EXIT_INPUT, b->d, "the description has more than %d layers",
                         YAML_MAX_LAYERS);
    const char *path = ir_format(b->g->arena, "%s%s", s->prefix, name->text);
    if (!yaml_name_is_free(b, path, name)) return false;
    yaml_layer l = {.b = b,
                    .kind = kind->text,
                    .at = name,
                    .params = params,
                    .scope = s,
                    .path = path,
                    .name = out_name ? out_name : path};
    const yaml_item *block = yaml_find(yaml_find(b->src->root, "blocks"), kind->text);
    bool ok;
    if (block)
        ok = use_block(&l, block, previous);
    else if (yaml_is_layer_kind(kind->text))
        ok = read_from(&l, previous, yaml_takes_list(kind->text)) && yaml_build_layer(&l);
    else
        ok = unknown_kind(b, kind);
    if (!ok) return false;
    *out = l.out;
    return yaml_add_name(b, path, name, l.out);
}

/* The last layer's output is named last_name where that is not NULL: a block's result bears the name of its
 * use. */
static bool build_layers(yaml_build *b, const yaml_item *list, const yaml_scope *s, ir_tensor *previous,
                         const char *last_name, ir_tensor **out) {
    for (int i = 0; i < list->count; i++) {
        if (!build_entry(b, list->item[i], s, previous, i == list->count - 1 ? last_name : NULL, out))
            return false;
        previous = *out;
    }
    return true;
}

/* A block that bears a layer kind's name would shadow it. */
static bool check_blocks(yaml_build *b) {
    if (!yaml_find(b->src->root, "blocks")) return true;
    const yaml_item *map = section(b, "blocks", YAML_MAP, true);
    if (!map) return false;
    for (int i = 0; i < map->count; i++) {
        if (!yaml_check_name(b, map->key[i]) || !check_block(b, map->item[i], map->key[i]->text))
            return false;
        if (yaml_is_layer_kind(map->key[i]->text))
            return yaml_fail(b->src, map->key[i], IR_EXIT_INPUT, b->d,
                             "%s is a layer kind, a block needs another name", map->key[i]->text);
    }
    return true;
}

/* ---- outputs */

static bool add_output(yaml_build *b, const yaml_item *at, ir_tensor *t) {
    if (t->role != IR_ROLE_VALUE)
        return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "output %s is an input: no layer computes it",
                         t->name);
    for (int i = 0; i < b->g->n_outputs; i++)
        if (b->g->outputs[i] == t)
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "output %s stands here twice", t->name);
    ir_add_output(b->g, t);
    return true;
}

static bool read_outputs(yaml_build *b, const yaml_scope *top, ir_tensor *last) {
    const yaml_item *list = section(b, "outputs", YAML_LIST, false);
    if (b->d->code) return false;
    if (!list) return add_output(b, b->src->root, last);
    for (int i = 0; i < list->count; i++) {
        ir_tensor *t = yaml_lookup(b, (yaml_value){list->item[i], top});
        if (!t || !add_output(b, list->item[i], t)) return false;
    }
    return true;
}

/* What nobody reads is a slip of the author's, most likely a wrong `from:`. */
static bool check_unused(yaml_build *b) {
    for (int i = 0; i < b->n_names; i++) {
        const ir_tensor *t = b->names[i].tensor;
        if (ir_count_uses(b->g, t)) continue;
        return yaml_fail(
            b->src, b->names[i].at, IR_EXIT_INPUT, b->d,
            "%s is used by no layer and is no output; remove it or name it in a `from:` or under `outputs:`",
            b->names[i].full);
    }
    return true;
}

/* ---- the whole */

static bool build_graph(yaml_build *b) {
    static const yaml_scope top = {.prefix = ""};
    ir_tensor *last = NULL;
    if (!read_head(b) || !read_inputs(b) || !check_blocks(b)) return false;
    const yaml_item *layers = section(b, "layers", YAML_LIST, true);
    if (!layers) return false;
    ir_tensor *first = b->g->n_inputs == 1 ? b->g->inputs[0] : NULL;
    return build_layers(b, layers, &top, first, NULL, &last) && read_outputs(b, &top, last) &&
           check_unused(b) && yaml_build_labels(b) && yaml_build_volume(b);
}

static bool build_with(yaml_build *b, const yaml_source *src, const yaml_options *opt, ir_diag *d) {
    *b = (yaml_build){.src = src, .opt = opt, .d = d, .g = ir_graph_new("unnamed")};
    return build_graph(b);
}

typedef struct size_trial {
    const yaml_source *src;
    const yaml_options *opt;
    int spatial;
} size_trial;

/* Builds only to see whether the layers accept this size; the volume section may well not. */
static bool try_size(void *ctx, const int64_t *size) {
    const size_trial *t = ctx;
    char text[YAML_MAX_SPATIAL][40];
    const char *dims[YAML_MAX_SPATIAL];
    for (int i = 0; i < t->spatial; i++) {
        snprintf(text[i], sizeof text[i], "%s=%lld", yaml_axis_name(t->spatial, i), (long long)size[i]);
        dims[i] = text[i];
    }
    yaml_options opt = *t->opt;
    opt.n_dims = t->spatial;
    opt.dims = dims;
    ir_diag d = {0};
    yaml_build b;
    build_with(&b, t->src, &opt, &d);
    bool ok = !b.shape_at;
    ir_graph_free(b.g);
    return ok;
}

/* A shape failure's message, with the legal sizes where there is one input and trying is cheap. */
static void report_shape(const yaml_build *b) {
    char sizes[700] = "";
    if (b->g->n_inputs == 1 && (int64_t)b->layers * 1000 <= TRIES_WORTH) {
        const ir_tensor *in = b->g->inputs[0];
        size_trial t = {b->src, b->opt, in->rank - 2};
        yaml_legal_sizes(t.spatial, in->dim + 2, try_size, &t, sizes, sizeof sizes);
    }
    yaml_fail(b->src, b->shape_at, IR_EXIT_INPUT, b->d, "%s%s", b->shape_text, sizes);
}

ir_graph *yaml_parse(const char *text, size_t n, const char *name, const yaml_options *opt, ir_diag *d) {
    static const yaml_options defaults;
    yaml_source src = {.name = name, .text = text, .n = n, .arena = ir_arena_new()};
    yaml_build b;
    ir_graph *g = NULL;
    if (yaml_read_tree(&src, d)) {
        if (build_with(&b, &src, opt ? opt : &defaults, d))
            g = b.g;
        else if (b.shape_at)
            report_shape(&b);
        if (!g) ir_graph_free(b.g);
    }
    ir_arena_free(src.arena);
    return g;
}

ir_graph *yaml_load(const char *path, const yaml_options *opt, ir_diag *d) {
    size_t n;
    char *text = file_read(path, MAX_FILE, &n, d);
    if (!text) return NULL;
    ir_graph *g = yaml_parse(text, n, path, opt, d);
    free(text);
    return g;
}

static bool build_volume(yaml_build *b) {
    const yaml_item *root = b->src->root;
    if (root->kind != YAML_MAP || !yaml_find(root, "volume"))
        return yaml_fail(b->src, root, IR_EXIT_INPUT, b->d, "the description has no `volume:`");
    return yaml_only_keys(b->src, root, "a description", sections, SECTIONS, b->d) && yaml_build_labels(b) &&
           yaml_build_volume(b);
}

bool yaml_load_volume(ir_graph *g, const char *path, ir_diag *d) {
    static const yaml_options defaults;
    size_t n;
    char *text = file_read(path, MAX_FILE, &n, d);
    if (!text) return false;
    yaml_source src = {.name = path, .text = text, .n = n, .arena = ir_arena_new()};
    yaml_build b = {.src = &src, .opt = &defaults, .d = d, .g = g};
    bool ok = yaml_read_tree(&src, d) && build_volume(&b);
    ir_arena_free(src.arena);
    free(text);
    return ok;
}
