/* target_c.c: writes the bundle of the C target. The network decides the text: which layers, which numbers.
 * What depends on the processor stands in runtime/ and is copied.
 */
#include "bundle_files.h"
#include "embed.h"
#include "isas.h"
#include "prototypes.h"
#include "slots.h"
#include "tables.h"
#include "target_c.h"
#include "way.h"

#include <inttypes.h>
#include <string.h>

/* ---- kernels --------------------------------------------------------------------------------- */

static int64_t bytes_read(const ir_node *n) {
    int64_t bytes = 0;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i]) bytes += cg_whole_bytes(n->in[i]);
    return bytes;
}

/* "; stream 1, 4 planes of p1 at a time": the group's last node sets the pace. */
static const char *stream_text(const cg_model *m, const ir_node *n) {
    const ir_graph *g = m->g;
    if (!n->memory.stream) return "";
    const ir_node *last = n;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->memory.stream == n->memory.stream) last = g->nodes[i];
    return ir_format(m->arena, "; stream %d, %d plane%s of %s at a time", n->memory.stream, n->memory.slab,
                     n->memory.slab == 1 ? "" : "s", cg_remark(m->arena, last->out[0]->name));
}

enum { COLUMNS = 110 };

static bool write_layer(cg_model *m, int index, cg_text *out, ir_diag *d) {
    const cg_layer *l = &m->layers[index];
    cg_work w = {.m = m, .layer = index, .n = l->node, .d = d, .slots = {.arena = m->arena}};
    w.operands.arena = w.places.arena = m->arena;
    const cg_kernel k = cg_kernel_for(l->node);
    if (!k.slots) return cg_unsupported(&w, "operators that compute shapes must fold to constants");
    if (!cg_vox_dtype(l->node->out[0]->dtype)) return cg_unsupported(&w, "f64 is not a type of the runtime");
    if (!k.slots(&w) || d->code) return false;
    cg_slots *s = &w.slots;
    cg_set(s, "layer", "%s", cg_remark(m->arena, l->name));
    cg_set(s, "title", "%s", l->title);
    cg_set(s, "function", "%s", l->function);
    cg_set(s, "traffic", "reads %.2f MB, writes %.2f MB%s", (double)bytes_read(l->node) / 1e6,
           (double)cg_whole_bytes(l->node->out[0]) / 1e6, stream_text(m, l->node));
    if (ir_macs(l->node)) cg_set(s, "gmac", "%s", cg_gmac(m->arena, ir_macs(l->node)));
    cg_set(s, "operands", "%s", cg_string(&w.operands));
    cg_set(s, "places", "%s", cg_string(&w.places));
    if (index) cg_add_string(out, "\n");
    cg_add_wrapped(out, cg_filled(k.template_file, s), COLUMNS);
    return true;
}

/* The runtime headers that some layer needs, in a fixed order: behind those of convolutions. */
static const char *const other_headers[] = {"vox_copy.h",   "vox_gather.h", "vox_map.h",   "vox_norm.h",
                                            "vox_pool3d.h", "vox_reduce.h", "vox_resize.h"};
enum { OTHER_HEADERS = sizeof other_headers / sizeof *other_headers };

static bool uses_header(const cg_model *m, const char *header) {
    for (int i = 0; i < m->n_layers; i++) {
        const cg_kernel k = cg_kernel_for(m->layers[i].node);
        if (k.slots && strcmp(k.header, header) == 0) return true;
    }
    return false;
}

static void add_include(const cg_model *m, cg_text *s, const char *header) {
    const char *line = ir_format(m->arena, "#include \"runtime/%s\"", header);
    if (uses_header(m, header) && !strstr(cg_string(s), line)) cg_add(s, "%s%s", s->size ? "\n" : "", line);
}

static const char *kernel_includes(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < CG_WAYS; i++) add_include(m, &s, cg_ways[i]->header);
    for (int i = 0; i < OTHER_HEADERS; i++) add_include(m, &s, other_headers[i]);
    return cg_string(&s);
}

static bool put_kernels(cg_bundle *b) {
    cg_model *m = b->m;
    cg_text functions = {.arena = m->arena}, table = {.arena = m->arena};
    for (int i = 0; i < m->n_layers; i++) {
        if (!write_layer(m, i, &functions, b->d)) return false;
        const char *f = m->layers[i].function;
        cg_add(&table, "%s{%s_tasks, %s_run, %s_check},", i ? "\n    " : "", f, f, f);
    }
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "M", "%s", m->upper);
    cg_set(&s, "provenance", "%s", cg_comment(m->arena, cg_provenance(m)));
    cg_set(&s, "includes", "%s", kernel_includes(m));
    cg_set(&s, "functions", "%s", cg_string(&functions));
    cg_set(&s, "table", "%s", cg_string(&table));
    return cg_put_filled(b, "_kernels.c", "kernels.c.in", &s);
}

/* ---- header and source ----------------------------------------------------------------------- */

static const char *port_comment(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    cg_add_string(&s, "/* Row-major, aligned to their element:\n");
    for (int output = 0; output < 2; output++)
        for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++) {
            const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
            char type[128];
            cg_add(&s, " *   %-8s%s  %s", output ? "output" : "input", cg_port_name(m, output, i),
                   ir_type_text(t, type, sizeof type));
            for (int k = 0; output && k < m->g->n_labels; k++) {
                cg_add(&s, "%s%d ", k ? ", " : "; classes: ", k);
                cg_add_remark(&s, m->g->labels[k]);
            }
            cg_add_string(&s, "\n");
        }
    cg_add(&s,
           " * executor: NULL for the calling thread alone. What the arena holds before and after means "
           "nothing.\n"
           " * VOX_E_ARGUMENT, VOX_E_ARENA_SIZE or _ALIGN, VOX_E_PREPARED (or _ALIGN); VOX_E_ISA: this "
           "processor\n"
           " * lacks what VOX_ISA names; VOX_E_CANCELLED: by the executor, before an output was written. */");
    return cg_string(&s);
}

static void set_prototypes(cg_slots *s, const cg_model *m, const char *tail) {
    cg_set(s, "prepare_prototype", "%s", cg_prepare_prototype(m, tail));
    cg_set(s, "run_prototype", "%s", cg_run_prototype(m, tail));
    cg_set(s, "selftest_prototype", "%s", cg_selftest_prototype(m, tail));
}

/* Text of a template for models with a volume section; "" for the others. */
static const char *of_volumes(const cg_model *m, const char *name, const char *tail) {
    if (!m->g->volume.present) return "";
    cg_slots s = cg_named_slots(m);
    if (tail) cg_set(&s, "segment_prototype", "%s", cg_segment_prototype(m, tail));
    return cg_filled(name, &s);
}

static bool put_header(cg_bundle *b) {
    const cg_model *m = b->m;
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "M", "%s", m->upper);
    cg_set(&s, "summary", "%s", cg_summary(m));
    cg_set(&s, "provenance", "%s", cg_comment(m->arena, cg_provenance(m)));
    cg_set(&s, "macros", "%s", cg_macros(m));
    cg_set(&s, "port_comment", "%s", port_comment(m));
    cg_set(&s, "header", "runtime/%s", m->g->volume.present ? "volume/vox_volume.h" : "vox.h");
    cg_set(&s, "segment", "%s", of_volumes(m, "segment.h.in", ";"));
    set_prototypes(&s, m, ";");
    return cg_put_filled(b, ".h", "model.h.in", &s);
}

static bool put_source(cg_bundle *b) {
    const cg_model *m = b->m;
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "M", "%s", m->upper);
    cg_set(&s, "provenance", "%s", cg_comment(m->arena, cg_provenance(m)));
    cg_set_isas_of_c(&s);
    cg_set(&s, "port_legend", "%s", cg_legend(m->arena, "vox.h", "vox_port"));
    cg_set(&s, "layer_legend", "%s", cg_legend(m->arena, "vox.h", "vox_layer_info"));
    cg_set(&s, "step_legend", "%s", cg_legend(m->arena, "vox.h", "vox_step"));
    cg_set(&s, "weight_legend", "%s", cg_legend(m->arena, "vox_weights.h", "vox_weight"));
    cg_set_int(&s, "n_layers", m->n_layers);
    cg_set_int(&s, "n_weights", m->n_weights);
    cg_set(&s, "weights_size", "%s", m->n_weights ? "WEIGHTS" : "1");
    cg_set_int(&s, "n_inputs", m->g->n_inputs);
    cg_set_int(&s, "n_outputs", m->g->n_outputs);
    cg_set_int(&s, "n_labels", m->g->n_labels);
    cg_set(&s, "input_ports", "%s", cg_port_table(m, false));
    cg_set(&s, "output_ports", "%s", cg_port_table(m, true));
    cg_set(&s, "layers", "%s", cg_layer_table(m));
    cg_set(&s, "weights", "%s", cg_weight_table(m));
    cg_set(&s, "labels", "%s", cg_label_table(m));
    cg_set(&s, "labels_name", "%s", m->g->n_labels ? "labels" : "NULL");
    cg_set(&s, "volume", "%s", cg_volume_table(m));
    cg_set(&s, "volume_name", "%s", m->g->volume.present ? "&volume" : "NULL");
    cg_set(&s, "version", "%s", cg_quoted(m->arena, m->options->version));
    cg_set(&s, "options", "%s", cg_quoted(m->arena, m->options->options));
    cg_set(&s, "graph_hash", "%016" PRIx64, m->graph_hash);
    cg_set_int(&s, "parameters", ir_parameters(m->g, false));
    cg_set_int(&s, "macs", cg_total_macs(m));
    cg_set_int(&s, "first_output", cg_first_output_step(m));
    cg_set_int(&s, "n_steps", m->n_steps);
    cg_set(&s, "steps", "%s", cg_step_table(m));
    cg_set(&s, "segment", "%s", of_volumes(m, "segment.c.in", " {"));
    set_prototypes(&s, m, " {");
    cg_set(&s, "input_names", "%s", cg_port_names(m, false));
    cg_set(&s, "output_names", "%s", cg_port_names(m, true));
    return cg_put_filled(b, ".c", "model.c.in", &s);
}

/* ---- build files and documents --------------------------------------------------------------- */

static const char *const runtime_sources =
    "runtime/vox.c runtime/vox_isa.c runtime/vox_pool.c runtime/vox_weights.c";

bool c_put_build_files(cg_bundle *b) {
    const cg_model *m = b->m;
    cg_slots main_slots = cg_named_slots(m), make = cg_named_slots(m), cmake = cg_named_slots(m),
             pc = cg_named_slots(m);
    cg_set(&make, "M", "%s", m->upper);
    cg_set(&make, "summary", "%s", cg_summary(m));
    cg_set(&make, "runtime_sources", "%s", runtime_sources);
    cg_set_isas_of_make(&make);
    cg_set_isas_of_cmake(&cmake);
    cg_set(&cmake, "M", "%s", m->upper);
    cg_set(&cmake, "summary", "%s", cg_summary(m));
    cg_set(&cmake, "runtime_sources", "%s", runtime_sources);
    cg_set(&cmake, "brace", "$");
    cg_set(&pc, "summary", "%s", cg_summary(m));
    cg_set(&pc, "version", "%s", m->options->version);
    cg_set(&pc, "brace", "$");
    return cg_put_filled(b, "_main.c", "main.c.in", &main_slots) &&
           cg_put_filled(b, "Makefile", "Makefile.in", &make) &&
           cg_put_filled(b, "CMakeLists.txt", "CMakeLists.txt.in", &cmake) &&
           cg_put_filled(b, ".pc.in", "pkgconfig.in", &pc);
}

bool c_put_readme(cg_bundle *b) {
    const cg_model *m = b->m;
    cg_slots s = cg_readme_slots(m, "example.c.in");
    cg_set_int(&s, "prepared_bytes", m->prepared_bytes);
    cg_set(&s, "graph_hash", "%016" PRIx64, m->graph_hash);
    cg_set(&s, "isa_example", "avx2");
    cg_set(&s, "segment", "%s", of_volumes(m, "segment.md.in", NULL));
    return cg_put_filled(b, "README.md", "README.md.in", &s);
}

/* ---- runtime --------------------------------------------------------------------------------- */

/* The headers that kernel headers, or the library's own sources, include. */
static bool always_needed(const char *name) {
    static const char *const names[] = {
        "vox.h",         "vox.c",      "vox_model.h", "vox_weights.h",     "vox_weights.c",
        "vox_isa.h",     "vox_isa.c",  "vox_pool.c",  "vox_check.h",       "vox_ref.h",
        "vox_kernels.h", "vox_simd.h", "vox_act.h",   "vox_volume_info.h", NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* What a layer needs, and what that includes, and so on; headers include no header in a circle. */
static bool needed(const cg_model *m, const char *name) {
    if (always_needed(name) || uses_header(m, name)) return true;
    const char *line = ir_format(m->arena, "#include \"%s\"", name);
    for (const embedded_file *f = embedded_files; f->path; f++)
        if (strncmp(f->path, "runtime/vox_", 12) == 0 && strstr(f->text, line) &&
            needed(m, cg_base_name(f->path)))
            return true;
    return false;
}

bool c_uses_file(const cg_model *m, const char *path) {
    if (strncmp(path, "runtime/program/", 16) == 0 || strncmp(path, "runtime/volume/", 15) == 0) return true;
    return strncmp(path, "runtime/", 8) == 0 && needed(m, cg_base_name(path));
}

/* The kernels number planes (N C D) and the positions of a plane (H W) with `int`. */
static bool countable(const ir_tensor *t) {
    int64_t dims[5];
    for (int k = 0; k < t->rank; k++)
        if (t->dim[k] > INT32_MAX) return false;
    if (!cg_dims(t, dims)) return true;
    double planes = (double)dims[0] * (double)(dims[1] + IR_BLOCK) * (double)dims[2];
    return planes <= INT32_MAX && (double)dims[3] * (double)dims[4] <= INT32_MAX;
}

static bool check_sizes(const ir_graph *g, ir_diag *d) {
    char type[128];
    for (int i = 0; i < g->n_tensors; i++)
        if (!countable(g->tensors[i]))
            return ir_fail(
                d, IR_EXIT_UNSUPPORTED,
                "%s: %s: target c counts axes, planes (N x C x D) and the voxels of a plane (H x W) "
                "up to 2^31; choose a smaller input",
                g->tensors[i]->name, ir_type_text(g->tensors[i], type, sizeof type));
    return true;
}

static bool check_ports(const ir_graph *g, ir_diag *d) {
    for (int i = 0; i < g->n_inputs + g->n_outputs; i++) {
        const ir_tensor *t = i < g->n_inputs ? g->inputs[i] : g->outputs[i - g->n_inputs];
        if (!cg_vox_dtype(t->dtype))
            return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: target c has no f64 inputs or outputs", t->name);
        if (i >= g->n_inputs && (t->role != IR_ROLE_VALUE || t->memory.view_of || t->cpu.block))
            ir_die("codegen: output %s is not a plain value of its own", t->name);
    }
    return true;
}

bool c_check(const ir_graph *g, ir_diag *d) {
    return check_sizes(g, d) && check_ports(g, d);
}

bool c_put_code(cg_bundle *b) {
    return put_kernels(b) && put_header(b) && put_source(b);
}

bool c_use_weights(cg_model *m, ir_diag *d) {
    cg_text unused = {.arena = m->arena};
    for (int i = 0; i < m->n_layers; i++)
        if (!write_layer(m, i, &unused, d)) return false;
    return true;
}
