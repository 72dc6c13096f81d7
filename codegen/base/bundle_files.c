/* bundle_files.c: see bundle_files.h. */
#include "bundle_files.h"

#include "bundle_text.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>

bool cg_put(cg_bundle *b, const char *path, const void *data, size_t size) {
    if (b->n_files == (int)(sizeof b->files / sizeof *b->files)) ir_die("codegen: too many files");
    cg_file *f = &b->files[b->n_files++];
    f->path = ir_strdup(b->m->arena, path);
    f->bytes = (int64_t)size;
    cg_sha256(data, size, f->sha256);
    return b->emit(b->ctx, path, data, size, b->d);
}

bool cg_put_text(cg_bundle *b, const char *path, const char *text) {
    return cg_put(b, path, text, strlen(text));
}

const char *cg_template(ir_arena *arena, const char *name) {
    return cg_embedded(ir_format(arena, "codegen/templates/%s", name), NULL);
}

const char *cg_filled(const char *name, const cg_slots *s) {
    cg_text text = {.arena = s->arena};
    cg_fill(&text, name, cg_template(s->arena, name), s);
    return cg_string(&text);
}

/* A file named after the model: "%s.h". */
bool cg_put_filled(cg_bundle *b, const char *path_format, const char *template_name, const cg_slots *s) {
    char path[512];
    int n = snprintf(path, sizeof path, "%s%s",
                     path_format[0] == '.' || path_format[0] == '_' ? b->m->name : "", path_format);
    if (n < 0 || (size_t)n >= sizeof path)
        return ir_fail(b->d, IR_EXIT_INPUT, "the model's name is too long");
    return cg_put_text(b, path, cg_filled(template_name, s));
}

/* ---- text ------------------------------------------------------------------------------------ */

const char *cg_remark(ir_arena *arena, const char *text) {
    cg_text s = {.arena = arena};
    cg_add_remark(&s, text);
    return cg_string(&s);
}

cg_slots cg_named_slots(const cg_model *m) {
    cg_slots s = {.arena = m->arena};
    cg_set(&s, "m", "%s", m->name);
    return s;
}

const char *cg_port_names(const cg_model *m, bool output) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++)
        cg_add(&s, "%s%s", i ? ", " : "", cg_port_name(m, output, i));
    return cg_string(&s);
}

int64_t cg_total_macs(const cg_model *m) {
    int64_t macs = 0;
    for (int i = 0; i < m->n_layers; i++) macs += ir_macs(m->layers[i].node);
    return macs;
}

const char *cg_quoted(ir_arena *arena, const char *text) {
    cg_text s = {.arena = arena};
    cg_add_c_string(&s, text);
    return cg_string(&s);
}

const char *cg_ports_text(const cg_model *m, bool output) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++) {
        const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
        char type[128];
        cg_add(&s, "%s`%s` %s", i ? ", " : "", t->name, ir_type_text(t, type, sizeof type));
    }
    return cg_string(&s);
}

/* ---- files that every target writes ---------------------------------------------------------- */

bool cg_put_graph(cg_bundle *b, const cg_model *m, const char *end) {
    char *text = ir_print_string(m->g);
    bool ok = cg_put_text(b, ir_format(b->m->arena, "%s%s", m->name, end), text);
    free(text);
    return ok;
}

bool cg_put_manifest(cg_bundle *b, const char *target, cg_layer_check *check) {
    const char *text = cg_manifest_json(b->m, target, check, b->files, b->n_files);
    return b->emit(b->ctx, "manifest.json", text, strlen(text), b->d);
}

const char *cg_licence(ir_arena *arena) {
    const char *text = strstr(cg_embedded("LICENSE", NULL), "MIT No Attribution");
    if (!text) ir_die("LICENSE lacks MIT No Attribution");
    return ir_strdup(arena, text);
}

const char *cg_base_name(const char *path) {
    return strrchr(path, '/') + 1;
}

bool cg_put_weights(cg_bundle *b) {
    const unsigned char *file = cg_weights_file(b->m, b->d);
    if (!file) return false;
    return cg_put(b, ir_format(b->m->arena, "%s.weights", b->m->name), file, (size_t)b->m->weights_bytes);
}

/* The lines of a program that runs the model once, from a template. */
static const char *example(const cg_model *m, const char *template_name) {
    cg_text declarations = {.arena = m->arena}, arguments = {.arena = m->arena};
    for (int output = 0; output < 2; output++)
        for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++) {
            const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
            const char *name = cg_port_name(m, output, i);
            cg_add(&declarations, "%s%s *%s = calloc(%s_%s_%d_COUNT, sizeof *%s); /* %s */",
                   declarations.size ? "\n    " : "", cg_c_dtype(t->dtype), name, m->upper,
                   output ? "OUTPUT" : "INPUT", i, name, cg_shape(m->arena, t));
            cg_add(&arguments, "%s%s", arguments.size ? ", " : "", name);
        }
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "M", "%s", m->upper);
    cg_set(&s, "declarations", "%s", cg_string(&declarations));
    cg_set(&s, "arguments", "%s", cg_string(&arguments));
    const char *text = cg_filled(template_name, &s);
    return ir_format(m->arena, "%.*s", (int)strlen(text) - 1, text);
}

cg_slots cg_readme_slots(const cg_model *m, const char *example_template) {
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "summary", "This folder is %s", cg_summary(m));
    cg_text provenance = {.arena = m->arena};
    cg_add_markdown(&provenance, cg_provenance(m));
    cg_set(&s, "provenance", "%s", cg_string(&provenance));
    cg_set(&s, "inputs_text", "%s", cg_ports_text(m, false));
    cg_set(&s, "outputs_text", "%s", cg_ports_text(m, true));
    cg_set_int(&s, "parameters", ir_parameters(m->g, false));
    cg_set(&s, "gmac", "%s", cg_gmac(m->arena, cg_total_macs(m)));
    cg_set_int(&s, "arena_bytes", m->arena_bytes);
    cg_set_int(&s, "weights_bytes", m->weights_bytes);
    cg_set(&s, "example", "%s", example(m, example_template));
    return s;
}
