#include "load.h"

#include "front_ir.h"
#include "front_onnx.h"
#include "front_yaml.h"
#include "init.h"
#include "monai.h"
#include "nnunet.h"
#include "plan_verify.h"
#include "safetensors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool has_extension(const char *path, const char *extension) {
    size_t n = strlen(path), m = strlen(extension);
    return n > m && strcmp(path + n - m, extension) == 0;
}

static bool is_yaml(const char *path) {
    return has_extension(path, ".yaml") || has_extension(path, ".yml");
}

static ir_graph *load_yaml(const options *o, ir_diag *d) {
    yaml_options y = {.n_dims = o->n_input_dims, .dims = o->input_dim, .statistics = o->statistics};
    return yaml_load(o->model, &y, d);
}

static ir_graph *load_onnx(const options *o, ir_diag *d) {
    if (o->weights || o->init || o->statistics) {
        ir_fail(d, IR_EXIT_INPUT,
                "%s: an .onnx file has its own weights and statistics: leave out --weights, --init "
                "and --statistics",
                o->model);
        return NULL;
    }
    onnx_options x = {.n_dims = o->n_input_dims, .dims = o->input_dim};
    return onnx_load(o->model, &x, d);
}

static bool has_opaque(const ir_graph *g) {
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->role == IR_ROLE_CONST && !g->tensors[i]->data) return true;
    return false;
}

static bool give_weights(ir_graph *g, const options *o, load_need need, ir_diag *d) {
    int64_t seed = 0;
    if (o->weights) return weights_read(g, o->weights, d);
    if (o->init && !options_int("--init", o->init, 0, INT64_MAX, &seed, d)) return false;
    if (!has_opaque(g)) return true;
    if (o->init || need == LOAD_SHAPES) {
        init_weights(g, (uint64_t)seed);
        return true;
    }
    return ir_fail(
        d, IR_EXIT_INPUT,
        "%s describes a network without weights: give them with --weights FILE.safetensors, or seeded ones "
        "with --init SEED",
        o->model);
}

static bool rename_graph(ir_graph *g, const char *name, ir_diag *d) {
    bool ok = isalpha((unsigned char)name[0]) || name[0] == '_';
    for (const char *c = name; *c; c++) ok = ok && (isalnum((unsigned char)*c) || *c == '_');
    if (!ok || strlen(name) > 64)
        return ir_fail(d, IR_EXIT_INPUT, "--model-name %s: expected a C identifier of at most 64 characters",
                       name);
    g->name = ir_strdup(g->arena, name);
    return true;
}

/* The hash of a model goes into its bundle's manifest, so the file is read twice; verify loads everything
 * twice. A pipe would hang there. */
static bool check_kinds(const options *o, load_need need, ir_diag *d) {
    const char *const files[] = {o->model, o->weights, o->volume};
    const int count = need == LOAD_SHAPES ? 0 : o->verb == VERB_VERIFY ? 3 : 1;
    for (int i = 0; i < count; i++) {
        struct stat s;
        if (!files[i] || stat(files[i], &s) != 0 || S_ISREG(s.st_mode) || S_ISDIR(s.st_mode)) continue;
        return ir_fail(d, IR_EXIT_INPUT,
                       "%s: not a regular file; this one is read more than once, which a pipe can't be: copy "
                       "it into a file",
                       files[i]);
    }
    return true;
}

/* A volume section from elsewhere. */
static bool give_volume(ir_graph *g, const options *o, ir_diag *d) {
    const nnunet_options n = {.configuration = o->configuration, .mirror_axes = o->mirror_axes};
    if (o->volume) return yaml_load_volume(g, o->volume, d);
    if (o->nnunet) return nnunet_load_volume(g, o->nnunet, &n, d);
    return !o->monai || monai_load_volume(g, o->monai, d);
}

ir_graph *load_model(const options *o, load_need need, ir_diag *d) {
    ir_graph *g = NULL;
    if (!check_kinds(o, need, d)) return NULL;
    if (is_yaml(o->model))
        g = load_yaml(o, d);
    else if (has_extension(o->model, ".onnx"))
        g = load_onnx(o, d);
    else if (has_extension(o->model, ".ir"))
        g = ir_load(o->model, plan_verify, d);
    else
        ir_fail(d, IR_EXIT_INPUT, "%s: unknown kind of model: expected a .yaml, .yml, .onnx or .ir file",
                o->model);
    if (!g) return NULL;
    if (give_weights(g, o, need, d) && (!o->model_name || rename_graph(g, o->model_name, d)) &&
        give_volume(g, o, d))
        return g;
    ir_graph_free(g);
    return NULL;
}
