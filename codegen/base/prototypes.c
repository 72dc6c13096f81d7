/* prototypes.c: see prototypes.h. */
#include "prototypes.h"

#include "bundle_text.h"

#include <string.h>

enum { COLUMNS = 110, MOST_PARAMETERS = CG_MOST_PORTS + 8 };

typedef struct parameters {
    int count;
    const char *list[MOST_PARAMETERS];
} parameters;

static void add_parameter(parameters *p, const char *text) {
    if (p->count == MOST_PARAMETERS) ir_die("codegen: more than %d parameters", MOST_PARAMETERS);
    p->list[p->count++] = text;
}

static void break_line(cg_text *s, size_t indent, size_t *column) {
    cg_add(s, "\n%*s", (int)indent, "");
    *column = indent;
}

/* "<m>_status <m>_<verb>(a, b" + ")" + tail; a line takes as many parameters as fit. */
static const char *prototype(const cg_model *m, const char *verb, const parameters *p, const char *tail) {
    cg_text s = {.arena = m->arena};
    cg_add(&s, "%s_status %s_%s(", m->name, m->name, verb);
    size_t indent = s.size, column = indent;
    for (int i = 0; i < p->count; i++) {
        bool last = i == p->count - 1;
        size_t width = strlen(p->list[i]) + (last ? 1 + strlen(tail) : 1);
        size_t gap = i ? 1 : 0;
        if (i && column + gap + width > COLUMNS)
            break_line(&s, indent, &column);
        else if (i)
            cg_add_string(&s, " "), column++;
        cg_add(&s, "%s%s", p->list[i], last ? ")" : ",");
        column += strlen(p->list[i]) + 1;
    }
    cg_add_string(&s, tail);
    return cg_string(&s);
}

const char *cg_prepare_prototype(const cg_model *m, const char *tail) {
    parameters p = {
        4, {"const void *weights", "size_t weights_bytes", "void *prepared", "size_t prepared_bytes"}};
    return prototype(m, "prepare", &p, tail);
}

const char *cg_cuda_create_prototype(const cg_model *m, const char *tail) {
    parameters p = {4,
                    {"const void *weights_file", "size_t weights_bytes", "const vox_cuda_options *options",
                     ir_format(m->arena, "%s_cuda **handle", m->name)}};
    return prototype(m, "cuda_create", &p, tail);
}

static void add_run_of_arena(parameters *p) {
    add_parameter(p, "void *arena");
    add_parameter(p, "size_t arena_bytes");
    add_parameter(p, "const vox_executor *executor");
}

static void add_port_parameters(parameters *p, const cg_model *m, bool output) {
    for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++) {
        const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
        add_parameter(p, ir_format(m->arena, "%s%s *%s", output ? "" : "const ", cg_c_dtype(t->dtype),
                                   cg_port_name(m, output, i)));
    }
}

const char *cg_run_prototype(const cg_model *m, const char *tail) {
    parameters p = {1, {"const void *prepared"}};
    add_port_parameters(&p, m, false);
    add_port_parameters(&p, m, true);
    add_run_of_arena(&p);
    return prototype(m, "run", &p, tail);
}

const char *cg_cuda_run_prototype(const cg_model *m, bool host, const char *tail) {
    parameters p = {1, {ir_format(m->arena, "%s_cuda *handle", m->name)}};
    if (!host) add_parameter(&p, "vox_cuda_stream stream");
    add_port_parameters(&p, m, false);
    add_port_parameters(&p, m, true);
    return prototype(m, host ? "cuda_run_host" : "cuda_run", &p, tail);
}

const char *cg_selftest_prototype(const cg_model *m, const char *tail) {
    parameters p = {1, {"const void *prepared"}};
    add_run_of_arena(&p);
    add_parameter(&p, "const char **first_bad_layer");
    add_parameter(&p, "double *worst_error");
    return prototype(m, "selftest", &p, tail);
}

const char *cg_segment_prototype(const cg_model *m, const char *tail) {
    parameters p = {5,
                    {"const void *prepared", "const vox_volume *volume", "const vox_labels *labels",
                     "const vox_segment_options *options", "const vox_executor *executor"}};
    return prototype(m, "segment", &p, tail);
}

/* ---- macros ---------------------------------------------------------------------------------- */

typedef struct macro {
    const char *name, *value, *comment;
} macro;

enum { MOST_MACROS = 9 + 2 * MOST_PARAMETERS };
typedef struct macros {
    int count;
    macro list[MOST_MACROS];
} macros;

static void add_macro(const cg_model *m, macros *all, const char *name, const char *value,
                      const char *comment) {
    if (all->count == MOST_MACROS) ir_die("codegen: more than %d macros", MOST_MACROS);
    all->list[all->count++] = (macro){ir_format(m->arena, "%s_%s", m->upper, name), value, comment};
}

static void add_port_macros(const cg_model *m, macros *all, bool output) {
    const char *kind = output ? "OUTPUT" : "INPUT";
    for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++) {
        const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
        add_macro(m, all, ir_format(m->arena, "%s_%d_BYTES", kind, i),
                  cg_unsigned(m->arena, cg_port_bytes(t)), "");
        add_macro(m, all, ir_format(m->arena, "%s_%d_COUNT", kind, i), cg_unsigned(m->arena, ir_count(t)),
                  ir_format(m->arena, " /* elements: %s */", cg_shape(m->arena, t)));
    }
}

static const char *macros_text(const cg_model *m, const macros *all) {
    size_t width = 0;
    for (int i = 0; i < all->count; i++)
        if (strlen(all->list[i].name) > width) width = strlen(all->list[i].name);
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < all->count; i++)
        cg_add(&s, "%s#define %-*s %s%s", i ? "\n" : "", (int)width, all->list[i].name, all->list[i].value,
               all->list[i].comment);
    return cg_string(&s);
}

const char *cg_macros(const cg_model *m) {
    macros *all = ir_alloc(m->arena, 1, sizeof *all);
    add_macro(m, all, "ABI_VERSION", "1u", "");
    add_macro(m, all, "ALIGN", cg_unsigned(m->arena, CG_ALIGN),
              " /* of the arena and of the prepared buffer */");
    add_macro(m, all, "ARENA_BYTES", cg_unsigned(m->arena, m->arena_bytes), "");
    add_macro(m, all, "PREPARED_BYTES", cg_unsigned(m->arena, m->prepared_bytes), "");
    add_macro(m, all, "WEIGHTS_BYTES", cg_unsigned(m->arena, m->weights_bytes), "");
    add_macro(m, all, "SELFTEST_BYTES", cg_unsigned(m->arena, cg_selftest_bytes(m)),
              " /* arena that the self-test needs */");
    add_port_macros(m, all, false);
    add_port_macros(m, all, true);
    return macros_text(m, all);
}

const char *cg_cuda_macros(const cg_model *m, int64_t weights_bytes) {
    macros *all = ir_alloc(m->arena, 1, sizeof *all);
    add_macro(m, all, "CUDA_ABI_VERSION", "1u", "");
    add_macro(m, all, "CUDA_ALIGN", "256u", " /* of the arena */");
    add_macro(m, all, "CUDA_ARENA_BYTES", cg_unsigned(m->arena, m->arena_bytes),
              " /* the least: without workspaces */");
    add_macro(m, all, "CUDA_WEIGHTS_BYTES", cg_unsigned(m->arena, weights_bytes), " /* on the GPU */");
    add_macro(m, all, "WEIGHTS_BYTES", cg_unsigned(m->arena, m->weights_bytes), "");
    add_port_macros(m, all, false);
    add_port_macros(m, all, true);
    return macros_text(m, all);
}

const char *cg_comment(ir_arena *arena, const char *text) {
    cg_text s = {.arena = arena};
    size_t column = strlen(" *");
    for (const char *word = text; *word;) {
        size_t length = strcspn(word, " ");
        if (s.size && column + 1 + length > COLUMNS) {
            cg_add_string(&s, "\n *");
            column = strlen(" *");
        }
        if (s.size) cg_add_string(&s, " ");
        cg_add_remark(&s, ir_format(arena, "%.*s", (int)length, word));
        column += 1 + length;
        word += length;
        while (*word == ' ') word++;
    }
    return cg_string(&s);
}
