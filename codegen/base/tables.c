/* tables.c: see tables.h. */
#include "tables.h"

#include "bundle_text.h"
#include "prototypes.h"
#include "slots.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* ---- legends --------------------------------------------------------------------------------- */

/* The text of a declaration's members, [p, end), without its comments. */
static const char *without_comments(ir_arena *arena, const char *p, const char *end) {
    cg_text s = {.arena = arena};
    while (p < end) {
        const char *open = strstr(p, "/*");
        if (!open || open > end) open = end;
        cg_add(&s, "%.*s", (int)(open - p), p);
        p = open < end ? strstr(open, "*/") + 2 : end;
    }
    return cg_string(&s);
}

/* Appends the name that ends in front of `end`, an array's dimensions left out. */
static void add_member(cg_text *s, const char *start, const char *end) {
    const char *bracket = memchr(start, '[', (size_t)(end - start));
    if (bracket) end = bracket;
    const char *name = end;
    while (name > start && (isalnum((unsigned char)name[-1]) || name[-1] == '_')) name--;
    cg_add(s, "%s%.*s", s->size ? ", " : "", (int)(end - name), name);
}

const char *cg_legend(ir_arena *arena, const char *header, const char *type) {
    const char *text = cg_embedded(ir_format(arena, "runtime/%s", header), NULL);
    const char *head = ir_format(arena, "typedef struct %s {", type), *open = strstr(text, head);
    const char *close = open ? strstr(open, ir_format(arena, "} %s;", type)) : NULL;
    if (!close) ir_die("codegen: %s defines no %s", header, type);
    cg_text members = {.arena = arena};
    const char *p = without_comments(arena, open + strlen(head), close);
    for (size_t n; n = strcspn(p, ",;"), p[n]; p += n + 1) add_member(&members, p, p + n);
    const char *all = ir_format(arena, "%s of runtime/%s: %s", type, header, cg_string(&members));
    return ir_format(arena, "/* %s */", cg_comment(arena, all));
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const char *row_break(const cg_text *s) {
    return s->size ? "\n    " : "";
}

const char *cg_port_table(const cg_model *m, bool output) {
    int n = output ? m->g->n_outputs : m->g->n_inputs;
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < n; i++) {
        const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
        cg_add(&s, "%s{", row_break(&s));
        cg_add_c_string(&s, t->name);
        cg_add(&s, ", %s, %d, %s},", cg_vox_dtype(t->dtype), t->rank,
               t->rank ? cg_list(m->arena, t->rank, t->dim) : "{0}");
    }
    return cg_string(&s);
}

static const char *place_name(cg_base base) {
    return base == CG_ARENA ? "VOX_IN_ARENA" : base == CG_NOWHERE ? "VOX_NOWHERE" : "VOX_IN_OUTPUT";
}

const char *cg_layer_table(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < m->n_layers; i++) {
        const ir_tensor *t = m->layers[i].node->out[0];
        cg_place p = cg_place_of(m, t);
        bool arena = p.base == CG_ARENA;
        cg_add(&s, "%s{", row_break(&s));
        cg_add_c_string(&s, t->name);
        cg_add_string(&s, ", ");
        cg_add_c_string(&s, m->layers[i].title);
        cg_add(&s, ", %d, %s, %s, %s, %s, %" PRId64 "u, %" PRId64 "u, %" PRId64 "u, %d, %d, %" PRId64 "u},",
               t->rank, t->rank ? cg_list(m->arena, t->rank, t->dim) : "{0}",
               t->cpu.block ? "VOX_BLOCK" : "0", cg_vox_dtype(t->dtype), place_name(p.base),
               arena ? p.offset : p.number, arena ? 0 : p.offset, ir_macs(m->layers[i].node),
               m->layers[i].node->memory.stream, t->memory.ring, m->layers[i].node->memory.scratch);
    }
    return cg_string(&s);
}

const char *cg_weight_table(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < m->n_weights; i++) {
        const cg_weight *w = &m->weights[i];
        cg_add(&s, "%s{", row_break(&s));
        cg_add_c_string(&s, w->source[0]->name);
        cg_add(&s, ", %s, %d, %s, %" PRId64 "u, {", cg_pack_names[w->packing.pack], cg_layer_of(m, w->node),
               cg_vox_dtype(w->source[0]->dtype), ir_count(w->source[0]));
        for (int k = 0; k < 4; k++)
            cg_add(&s, "%s%" PRId64 "u", k ? ", " : "", w->source[k] ? cg_blob_offset(m, w->source[k]) : 0);
        cg_add(&s,
               "}, %" PRId64 "u, %" PRId64 "u, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
               ", %s, {%" PRId64 ", %" PRId64 ", %" PRId64 "}},",
               w->prepared, w->bytes, w->packing.oc, w->packing.ic, w->packing.kernel, w->packing.group,
               cg_double(m->arena, w->eps), w->packing.tile[0], w->packing.tile[1], w->packing.tile[2]);
    }
    return m->n_weights ? cg_string(&s) : "{0}";
}

const char *cg_label_table(const cg_model *m) {
    if (!m->g->n_labels) return "";
    cg_text s = {.arena = m->arena};
    cg_add_string(&s, "\nstatic const char *const labels[] = {");
    for (int i = 0; i < m->g->n_labels; i++) {
        cg_add_string(&s, "\n    ");
        cg_add_c_string(&s, m->g->labels[i]);
        cg_add_string(&s, ",");
    }
    cg_add_string(&s, "\n};");
    return cg_string(&s);
}

/* ---- volume ---------------------------------------------------------------------------------- */

static const char *prepare_symbol(vox_prepare_kind kind) {
    static const char *const names[] = {
#define X(symbol, name, n, text) "VOX_PREPARE_" #symbol,
        VOX_PREPARES(X)
#undef X
    };
    return names[kind];
}

/* The enumerator PREFIX_WORD. */
static void add_symbol(cg_text *s, const char *prefix, const char *word) {
    cg_add_string(s, prefix);
    for (; *word; word++) cg_add(s, "%c", toupper((unsigned char)*word));
}

/* Fields `apart`: by a line and its indentation, or a blank. */
static void add_sampling(cg_text *s, const vox_resampling *r, const char *apart) {
    add_symbol(s, "{.order = VOX_", ir_interpolation_words[r->order]);
    cg_add(s, ",%s.across = VOX_", apart);
    add_symbol(s, "", ir_interpolation_words[r->across]);
    cg_add(s, ",%s.align = VOX_", apart);
    add_symbol(s, "", ir_alignment_words[r->align]);
    cg_add(s, ",%s.anisotropy = %s,%s.antialias = %d}", apart, cg_double(s->arena, r->anisotropy), apart,
           r->antialias);
}

static void add_step(cg_text *s, const vox_prepare_step *step) {
    cg_add(s, "\n    {.kind = %s,\n     .channel = %d,\n     .value = {", prepare_symbol(step->kind),
           step->channel);
    for (int k = 0; k < 4; k++) cg_add(s, "%s%s", k ? ", " : "", cg_double(s->arena, step->value[k]));
    cg_add(s, "},\n     .floor = %s,\n     .sampling = ", cg_double(s->arena, step->floor));
    add_sampling(s, &step->sampling, "\n                  ");
    cg_add_string(s, "},");
}

static void add_text_field(cg_text *s, const char *field, const char *text) {
    cg_add(s, text ? "    .%s = \"%s\",\n" : "    .%s = NULL,\n", field, text);
}

/* What the tiles' scores become. */
static void add_rule(cg_text *s, const vox_volume_info *v) {
    static const char *const rules[] = {
        [VOX_ARGMAX] = "VOX_ARGMAX", [VOX_THRESHOLD] = "VOX_THRESHOLD", [VOX_REGIONS] = "VOX_REGIONS"};
    static const char *const activations[] = {
        [VOX_AS_THEY_ARE] = "VOX_AS_THEY_ARE", [VOX_SOFTMAX] = "VOX_SOFTMAX", [VOX_SIGMOID] = "VOX_SIGMOID"};
    cg_add(s, "    .activation = %s,\n    .restore =\n        ", activations[v->activation]);
    add_sampling(s, &v->restore, " ");
    cg_add(s, ",\n    .rule = %s,\n    .level = %s,\n    .n_regions = %d,\n    .region_label = %s,\n};",
           rules[v->rule], cg_double(s->arena, v->level), v->n_regions,
           v->n_regions ? "region_label" : "NULL");
}

const char *cg_volume_table(const cg_model *m) {
    const vox_volume_info *v = &m->g->volume.info;
    if (!m->g->volume.present) return "";
    cg_text s = {.arena = m->arena};
    if (v->n_steps) cg_add_string(&s, "\nstatic const vox_prepare_step steps[] = {");
    for (int i = 0; i < v->n_steps; i++) add_step(&s, &v->steps[i]);
    if (v->n_steps) cg_add_string(&s, "\n};");
    for (int i = 0; i < v->n_regions; i++)
        cg_add(&s, "%s%d", i ? ", " : "\nstatic const int region_label[] = {", v->region_label[i]);
    if (v->n_regions) cg_add_string(&s, "};");
    cg_add_string(&s, "\nstatic const vox_volume_info volume = {\n");
    add_text_field(&s, "axes", v->axes);
    add_text_field(&s, "orientation", v->orientation);
    add_text_field(&s, "stored", v->stored);
    cg_add(&s, "    .n_steps = %d,\n    .steps = %s,\n", v->n_steps, v->n_steps ? "steps" : "NULL");
    add_symbol(&s, "    .border = VOX_BORDER_", ir_border_words[v->border]);
    cg_add(&s, ",\n    .overlap = %s,\n", cg_double(m->arena, v->overlap));
    cg_add(&s, "    .phase = {%d, %d, %d},\n", v->phase[0], v->phase[1], v->phase[2]);
    add_symbol(&s, "    .placement = VOX_", ir_placement_words[v->placement]);
    add_symbol(&s, ",\n    .window = VOX_WINDOW_", ir_window_words[v->window]);
    cg_add(&s, ",\n    .mirror_axes = %d,\n    .skip_empty = %d,\n    .half = %d,\n", v->mirror_axes,
           v->skip_empty, v->half);
    add_rule(&s, v);
    return cg_string(&s);
}

static bool ends_turn(const cg_model *m, int layer) {
    int stream = m->layers[layer].node->memory.stream;
    return stream && (layer + 1 == m->n_layers || m->layers[layer + 1].node->memory.stream != stream);
}

/* A row per turn of a stream: its last layer's step ends it. */
const char *cg_step_table(const cg_model *m) {
    enum { WIDTH = 100 };
    cg_text s = {.arena = m->arena};
    size_t line = 0;
    for (int i = 0; i < m->n_steps; i++) {
        const cg_step *t = &m->steps[i];
        const char *text =
            ir_format(m->arena, "{%d, %" PRId64 ", %" PRId64 ", %d},", t->layer, t->begin, t->end, t->phase);
        bool wrap = s.size - line + strlen(text) > WIDTH || (i && ends_turn(m, m->steps[i - 1].layer));
        cg_add(&s, "%s%s", !i ? "" : wrap ? "\n    " : " ", text);
        if (wrap) line = s.size;
    }
    return cg_string(&s);
}

int cg_first_output_step(const cg_model *m) {
    for (int i = 0; i < m->n_steps; i++)
        if (cg_place_of(m, m->layers[m->steps[i].layer].node->out[0]).base == CG_OUTPUT) return i;
    return m->n_steps;
}
