/* bundle_text.c: see bundle_text.h. */
#include "bundle_text.h"

#include "identifiers.h"

#include <inttypes.h>
#include <string.h>

const char *cg_shape(ir_arena *arena, const ir_tensor *t) {
    cg_text s = {.arena = arena};
    for (int i = 0; i < t->rank; i++) cg_add(&s, "%s%" PRId64, i ? "x" : "", t->dim[i]);
    return t->rank ? cg_string(&s) : "scalar";
}

static void add_shapes(cg_text *s, int n, ir_tensor *const *list) {
    for (int i = 0; i < n; i++) cg_add(s, "%s%s", i ? ", " : "", cg_shape(s->arena, list[i]));
}

const char *cg_summary(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    cg_add(&s, "the network %s, ", m->name);
    add_shapes(&s, m->g->n_inputs, m->g->inputs);
    cg_add_string(&s, " to ");
    add_shapes(&s, m->g->n_outputs, m->g->outputs);
    cg_add_string(&s, m->g->goals.target == IR_TARGET_CUDA ? ", as C and CUDA." : ", as C.");
    return cg_string(&s);
}

const char *cg_provenance(const cg_model *m) {
    const cg_options *o = m->options;
    cg_text s = {.arena = m->arena};
    cg_add(&s, "Written by voxc %s from %s (SHA-256 %.16s...)", o->version, o->input, o->input_sha256);
    if (o->options[0]) cg_add(&s, " with %s", o->options);
    cg_add_string(&s, ".");
    return cg_string(&s);
}

const char *cg_gmac(ir_arena *arena, int64_t macs) {
    double g = (double)macs / 1e9;
    return ir_format(arena, g < 0.01 ? "%.5f" : "%.2f", g);
}

const char *cg_unsigned(ir_arena *arena, int64_t v) {
    return ir_format(arena, "%" PRId64 "%s", v, v > UINT32_MAX ? "ull" : "u");
}

const char *cg_c_dtype(ir_dtype t) {
    return ir_dtype_c(t);
}

/* X(symbol, the runtime's); f64 is not among them. */
#define RUNTIME_TYPES(X) X(F32, F32) X(I64, I64) X(I32, I32) X(U8, U8) X(BOOL, U8)

const char *cg_vox_dtype(ir_dtype t) {
    static const char *const names[IR_DTYPE_COUNT] = {
#define X(sym, type) [IR_##sym] = "VOX_" #type,
        RUNTIME_TYPES(X)
#undef X
    };
    return names[t];
}

const char *cg_vox_store(ir_dtype t, ir_storage storage) {
    static const char *const narrow[IR_STORAGE_COUNT] = {
#define X(sym, name, bytes) [IR_STORE_##sym] = "VOX_STORE_" #sym,
        IR_STORAGES(X)
#undef X
    };
    static const char *const own[IR_DTYPE_COUNT] = {
#define X(sym, type) [IR_##sym] = "VOX_STORE_" #type,
        RUNTIME_TYPES(X)
#undef X
    };
    return narrow[storage] ? narrow[storage] : own[t];
}

/* ---- ports ----------------------------------------------------------------------------------- */

static const char *plain_port_name(const cg_model *m, bool output, int index) {
    return cg_parameter(m->arena, m->name, (output ? m->g->outputs : m->g->inputs)[index]->name);
}

const char *cg_port_name(const cg_model *m, bool output, int index) {
    const char *name = plain_port_name(m, output, index);
    int same = 0;
    for (int i = 0; i < m->g->n_inputs && (output || i < index); i++)
        same += strcmp(plain_port_name(m, false, i), name) == 0;
    for (int i = 0; output && i < index; i++) same += strcmp(plain_port_name(m, true, i), name) == 0;
    return same ? ir_format(m->arena, "%s_%s%d", name, output ? "out" : "in", index) : name;
}

int64_t cg_port_bytes(const ir_tensor *t) {
    return ir_count(t) * (int64_t)ir_dtype_bytes(t->dtype);
}

int64_t cg_selftest_bytes(const cg_model *m) {
    int64_t bytes = cg_round(m->arena_bytes);
    for (int i = 0; i < m->g->n_inputs; i++) bytes += cg_round(cg_port_bytes(m->g->inputs[i]));
    for (int i = 0; i < m->g->n_outputs; i++) bytes += cg_round(cg_port_bytes(m->g->outputs[i]));
    return bytes;
}

/* ---- manifest.json --------------------------------------------------------------------------- */

static void add_layer_sources(vox_json *j, const cg_model *m, cg_layer_check *check) {
    vox_json_begin(j, "layers", "[\n");
    for (int i = 0; i < m->n_layers; i++) {
        const cg_layer *l = &m->layers[i];
        vox_json_begin(j, NULL, "{");
        vox_json_members(j, "node=%s output=%s source=%s function=%s", l->node->name, l->node->out[0]->name,
                         l->node->source ? l->node->source : "", l->function);
        if (check) check(j, l->node);
        vox_json_end(j);
    }
    vox_json_end(j);
}

/* The measured choices that the model was compiled with: what --tuning reads. */
static void add_tuning(vox_json *j, const ir_goals *goals) {
    if (!goals->n_tuned) return;
    vox_json_begin(j, "tuning", "[\n");
    for (int i = 0; i < goals->n_tuned; i++) {
        vox_json_begin(j, NULL, "{");
        vox_json_text(j, "layer", goals->tuned[i].layer);
        vox_json_text(j, "way", goals->tuned[i].way);
        vox_json_begin(j, "tile", "[");
        for (int k = 0; k < 3; k++) vox_json_int(j, NULL, goals->tuned[i].tile[k]);
        vox_json_end(j);
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void add_files(vox_json *j, const cg_file *files, int n) {
    for (int i = 0; i < n; i++) {
        vox_json_object(j, NULL, "path=%s bytes=%" PRId64 " sha256=%s", files[i].path, files[i].bytes,
                        files[i].sha256);
    }
}

const char *cg_manifest_json(const cg_model *m, const char *target, cg_layer_check *check,
                             const cg_file *files, int n_files) {
    const cg_options *o = m->options;
    cg_text s = {.arena = m->arena};
    vox_json j = cg_json(&s);
    vox_json_begin(&j, NULL, "{\n");
    vox_json_members(&j, "model=%s voxc=%s target=%s options=%s input=%s input_sha256=%s", m->name,
                     o->version, target, o->options, o->input, o->input_sha256);
    if (o->opset) vox_json_int(&j, "opset", o->opset);
    vox_json_format(&j, "graph_hash", "\"%016" PRIx64 "\"", m->graph_hash);
    if (check) {
        vox_json_begin(&j, "stack", "{");
#define X(function, bytes) vox_json_int(&j, #function, bytes);
        CG_STACKS(X)
#undef X
        vox_json_bool(&j, "recursive", false);
        vox_json_end(&j);
    }
    add_layer_sources(&j, m, check);
    add_tuning(&j, &m->g->goals);
    vox_json_begin(&j, "files", "[\n");
    add_files(&j, files, n_files);
    add_files(&j, o->more, o->n_more);
    vox_json_end(&j);
    vox_json_end(&j);
    return cg_string(&s);
}
