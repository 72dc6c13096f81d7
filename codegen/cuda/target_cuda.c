/* target_cuda.c: writes the bundle of the CUDA target, alone or beside the C target's. What cuDNN computes
 * stands in tables, the rest in a function per layer that launches a kernel of runtime/cuda.
 */
#include "bundle_files.h"
#include "cuda.h"
#include "embed.h"
#include "gpu_model.h"
#include "isas.h"
#include "memory_table.h"
#include "prototypes.h"
#include "tables.h"
#include "target_cuda.h"

#include <inttypes.h>
#include <string.h>

/* ---- kernels --------------------------------------------------------------------------------- */

/* The runtime headers that some layer needs, in a fixed order. */
static const char *const kernel_headers[] = {"vox_first_conv.cuh", "vox_last_conv.cuh", "vox_scatter.cuh",
                                             "vox_relayout.cuh",   "vox_copy.cuh",      "vox_pad.cuh",
                                             "vox_map.cuh",        "vox_norm.cuh",      "vox_pool.cuh",
                                             "vox_reduce.cuh",     "vox_resize.cuh"};
enum { KERNEL_HEADERS = sizeof kernel_headers / sizeof *kernel_headers };

static bool uses_header(const cg_model *m, const char *header) {
    for (int i = 0; i < m->n_layers; i++) {
        const cu_kernel *k = cu_kernel_for(m->g, m->layers[i].node);
        if (k && strcmp(k->header, header) == 0) return true;
    }
    return false;
}

static const char *kernel_includes(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < KERNEL_HEADERS; i++)
        if (uses_header(m, kernel_headers[i]))
            cg_add(&s, "%s#include \"runtime/cuda/%s\"", s.size ? "\n" : "", kernel_headers[i]);
    return cg_string(&s);
}

static bool put_kernels(cg_bundle *b, cu_model *u) {
    const cg_model *m = u->m;
    cg_text functions = {.arena = m->arena};
    for (int i = 0; i < m->n_layers; i++)
        if (!cu_add_layer(u, i, &functions, b->d)) return false;
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "provenance", "%s", cg_comment(m->arena, cg_provenance(m)));
    cg_set(&s, "includes", "%s", kernel_includes(m));
    cg_set(&s, "functions", "%s", cg_string(&functions));
    cg_set(&s, "table", "%s", cu_layer_functions(u));
    return cg_put_filled(b, "_kernels.cu", "cuda_kernels.cu.in", &s);
}

/* ---- header and source ----------------------------------------------------------------------- */

static const char *port_comment(const cg_model *m) {
    cg_text s = {.arena = m->arena};
    cg_add_string(&s, "/* Enqueues a run and returns. Row-major, in device memory:\n");
    for (int output = 0; output < 2; output++)
        for (int i = 0; i < (output ? m->g->n_outputs : m->g->n_inputs); i++) {
            const ir_tensor *t = (output ? m->g->outputs : m->g->inputs)[i];
            char type[128];
            cg_add(&s, " *   %-8s%s  %s\n", output ? "output" : "input", cg_port_name(m, output, i),
                   ir_type_text(t, type, sizeof type));
        }
    cg_add_string(&s,
                  " * The first run with these pointers captures a CUDA graph, which later ones launch. */");
    return cg_string(&s);
}

static void set_prototypes(cg_slots *s, const cg_model *m, const char *tail) {
    cg_set(s, "create_prototype", "%s", cg_cuda_create_prototype(m, tail));
    cg_set(s, "run_prototype", "%s", cg_cuda_run_prototype(m, false, tail));
    cg_set(s, "run_host_prototype", "%s", cg_cuda_run_prototype(m, true, tail));
}

static bool put_header(cg_bundle *b, const cu_model *u) {
    const cg_model *m = u->m;
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "M", "%s", m->upper);
    cg_set(&s, "summary", "%s", cg_summary(m));
    cg_set(&s, "provenance", "%s", cg_comment(m->arena, cg_provenance(m)));
    cg_set(&s, "macros", "%s", cg_cuda_macros(m, cu_weights_bytes(u)));
    cg_set(&s, "port_comment", "%s", port_comment(m));
    set_prototypes(&s, m, ";");
    return cg_put_filled(b, "_cuda.h", "cuda_model.h.in", &s);
}

static void set_table(cg_slots *s, const char *name, const char *size_name, int count, const char *size,
                      const char *rows) {
    ir_arena *a = s->arena;
    cg_set_int(s, ir_format(a, "n_%s", name), count);
    cg_set(s, size_name, "%s", count ? size : "1");
    cg_set(s, ir_strdup(a, name), "%s", rows);
}

static void set_tables(cg_slots *s, cu_model *u) {
    const cg_model *m = u->m;
    const char *checks = cu_check_table(u); /* collects the tensors */
    set_table(s, "weights", "weights_size", u->n_weights, "WEIGHTS", cu_weight_table(u));
    set_table(s, "convs", "convs_size", u->n_convs, "CONVS", cu_conv_rows(u));
    set_table(s, "calls", "calls_size", u->calls.count, "CALLS", cu_texts(m, &u->calls));
    set_table(s, "tensors", "tensors_size", u->n_tensors, "TENSORS", cu_tensor_table(u));
    cg_set(s, "checks", "%s", checks);
    cg_set(s, "steps", "%s", cu_step_rows(u));
    cg_set(s, "schedule", "%s", cg_step_table(m));
    cg_set(s, "layers", "%s", cg_layer_table(m));
    cg_set(s, "input_ports", "%s", cg_port_table(m, false));
    cg_set(s, "output_ports", "%s", cg_port_table(m, true));
    cg_set(s, "labels", "%s", cg_label_table(m));
    cg_set(s, "labels_name", "%s", m->g->n_labels ? "labels" : "NULL");
    cg_set(s, "volume", "%s", cg_volume_table(m));
    cg_set(s, "volume_name", "%s", m->g->volume.present ? "&volume" : "NULL");
}

static bool put_source(cg_bundle *b, cu_model *u) {
    const cg_model *m = u->m;
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "M", "%s", m->upper);
    cg_set(&s, "provenance", "%s", cg_comment(m->arena, cg_provenance(m)));
    set_tables(&s, u);
    cg_set_int(&s, "n_layers", m->n_layers);
    cg_set_int(&s, "n_inputs", m->g->n_inputs);
    cg_set_int(&s, "n_outputs", m->g->n_outputs);
    cg_set_int(&s, "n_labels", m->g->n_labels);
    cg_set_int(&s, "n_steps", u->n_steps);
    cg_set(&s, "precision", "%s", cg_gpu_precision_name(m->g->goals.precision));
    cg_set(&s, "type", "%s", cu_vox_type(u));
    cg_set(&s, "most_tiles", "%s",
           m->g->goals.max_memory ? "1" : "VOX_CUDA_TILES"); /* the limit is a run's */
    cg_set_int(&s, "strict", m->g->goals.strict);
    cg_set_int(&s, "workspace_cap", m->g->goals.workspace_cap);
    cg_set(&s, "version", "%s", cg_quoted(m->arena, m->options->version));
    cg_set(&s, "options", "%s", cg_quoted(m->arena, m->options->options));
    cg_set(&s, "graph_hash", "%016" PRIx64, m->graph_hash);
    cg_set_int(&s, "parameters", ir_parameters(m->g, false));
    cg_set_int(&s, "macs", cg_total_macs(m));
    set_prototypes(&s, m, " {");
    cg_set(&s, "input_names", "%s", cg_port_names(m, false));
    cg_set(&s, "output_names", "%s", cg_port_names(m, true));
    return cg_put_filled(b, "_cuda.c", "cuda_model.c.in", &s);
}

/* ---- build files and documents --------------------------------------------------------------- */

static const char *const library_sources =
    "runtime/vox.c runtime/vox_isa.c runtime/vox_pool.c runtime/vox_weights.c";

/* Every .c of runtime/cuda but the program's. */
static const char *cuda_sources(ir_arena *arena) {
    cg_text s = {.arena = arena};
    for (const embedded_file *f = embedded_files; f->path; f++) {
        const size_t n = strlen(f->path);
        if (strncmp(f->path, "runtime/cuda/", 13) != 0 || strcmp(f->path + n - 2, ".c") != 0) continue;
        if (strcmp(f->path, "runtime/cuda/vox_cuda_program.c") == 0) continue;
        cg_add(&s, "%s%s", s.size ? " " : "", f->path);
    }
    return cg_string(&s);
}

static bool put_makefile(cg_bundle *b, const cg_model *m, bool with_c) {
    cg_slots s = cg_named_slots(m), rules = cg_named_slots(m), isas = cg_named_slots(m);
    cg_set(&rules, "M", "%s", m->upper);
    cg_set(&s, "summary", "%s", cg_summary(m));
    cg_set(&s, "runtime_sources", "%s", library_sources);
    cg_set(&s, "cuda_sources", "%s", cuda_sources(m->arena));
    cg_set_isas_of_make(&isas);
    cg_set(&s, "cpu_isas", "%s", with_c ? cg_filled("cuda_Makefile_isas.in", &isas) : "");
    cg_set(&s, "cpu_rules", "%s", with_c ? cg_filled("cuda_Makefile_rules.in", &rules) : "");
    cg_set(&s, "cpu_objects", "%s",
           with_c ? ir_format(m->arena, " \\\n          build/%s.o $(BUILDS:%%=build/%s_kernels_%%.o)",
                              m->name, m->name)
                  : "");
    return cg_put_filled(b, "Makefile", "cuda_Makefile.in", &s);
}

static bool put_cmake(cg_bundle *b, const cg_model *m, bool with_c) {
    cg_slots s = cg_named_slots(m), isas = cg_named_slots(m);
    cg_set(&isas, "M", "%s", m->upper);
    cg_set(&isas, "brace", "$");
    cg_set_isas_of_cmake(&isas);
    cg_set(&s, "cpu_isas", "%s", with_c ? cg_filled("cuda_CMake_isas.in", &isas) : "");
    cg_set(&s, "cpu_sources", "%s", with_c ? ir_format(m->arena, " %s.c ${kernels}", m->name) : "");
    cg_set(&s, "summary", "%s", cg_summary(m));
    cg_set(&s, "runtime_sources", "%s", library_sources);
    cg_set(&s, "cuda_sources", "%s", cuda_sources(m->arena));
    cg_set(&s, "brace", "$");
    return cg_put_filled(b, "CMakeLists.txt", "cuda_CMakeLists.txt.in", &s);
}

static bool put_main(cg_bundle *b, const cg_model *m, bool with_c) {
    cg_slots s = cg_named_slots(m);
    cg_set(&s, "include_cpu", "%s", with_c ? ir_format(m->arena, "#include \"%s.h\"", m->name) : "");
    cg_set(&s, "cpu_backend", "%s",
           with_c ? ir_format(m->arena, "vox_cpu_backend(%s_get_info()),", m->name) : "");
    return cg_put_filled(b, "_main.c", "cuda_main.c.in", &s);
}

static const char *by_company(const cg_model *m, bool with_c, const char *alone, const char *together) {
    return ir_format(m->arena, with_c ? together : alone, m->name);
}

static bool put_readme(cg_bundle *b, const cu_model *u, bool with_c) {
    const cg_model *m = u->m;
    cg_slots s = cg_readme_slots(m, "cuda_example.c.in");
    cg_set(&s, "precision", "%s", cg_gpu_precision_name(m->g->goals.precision));
    cg_set_int(&s, "device_bytes", cu_weights_bytes(u));
    cg_set_int(&s, "launches", cg_gpu_launches(m->g));
    cg_set(&s, "graph_hash", "%016" PRIx64, m->graph_hash);
    cg_set(&s, "cpu_note", "%s",
           with_c ? "; this one runs on the CPU there (`--device cpu` or `cuda` chooses)" : "");
    cg_set(&s, "ir_file", "%s", by_company(m, with_c, "%s.ir", "%s_cuda.ir"));
    cg_set(&s, "memory_file", "%s", with_c ? "memory_cuda.json" : "memory.json");
    return cg_put_filled(b, with_c ? "README_cuda.md" : "README.md", "cuda_README.md.in", &s);
}

static bool put_build_files(cg_bundle *b, const cu_model *u, bool with_c) {
    return put_makefile(b, u->m, with_c) && put_cmake(b, u->m, with_c) && put_main(b, u->m, with_c) &&
           put_readme(b, u, with_c);
}

/* ---- runtime --------------------------------------------------------------------------------- */

/* What the library and the program include besides runtime/cuda and runtime/program. */
static bool always_needed(const char *name) {
    static const char *const names[] = {"vox.h",         "vox.c",      "vox_model.h",  "vox_weights.h",
                                        "vox_weights.c", "vox_isa.h",  "vox_isa.c",    "vox_pool.c",
                                        "vox_kernels.h", "vox_hash.h", "vox_limits.h", "vox_acts.h",
                                        "vox_acts.def",  "vox_isas.h", "vox_volume.h", NULL};
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), e = strlen(end);
    return n > e && strcmp(text + n - e, end) == 0;
}

/* A kernel header that a layer needs, or that such a header includes. */
static bool kernel_needed(const cg_model *m, const char *name) {
    if (uses_header(m, name)) return true;
    const char *line = ir_format(m->arena, "#include \"%s\"", name);
    for (const embedded_file *f = embedded_files; f->path; f++)
        if (ends_with(f->path, ".cuh") && strstr(f->text, line) && kernel_needed(m, cg_base_name(f->path)))
            return true;
    return false;
}

bool cu_uses_file(const cg_model *m, const char *path) {
    if (strncmp(path, "runtime/program/", 16) == 0) return true;
    if (strncmp(path, "runtime/cuda/", 13) == 0)
        return !ends_with(path, ".cuh") || kernel_needed(m, cg_base_name(path));
    return strncmp(path, "runtime/", 8) == 0 && always_needed(cg_base_name(path));
}

/* ---- the bundle ------------------------------------------------------------------------------ */

static bool check_ports(const ir_graph *g, ir_diag *d) {
    for (int i = 0; i < g->n_inputs + g->n_outputs; i++) {
        const ir_tensor *t = i < g->n_inputs ? g->inputs[i] : g->outputs[i - g->n_inputs];
        if (!cg_vox_dtype(t->dtype))
            return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: target cuda has no f64 inputs or outputs", t->name);
        if (i >= g->n_inputs && (t->role != IR_ROLE_VALUE || t->memory.view_of || t->gpu.pitch))
            ir_die("codegen: output %s is not a plain value of its own", t->name);
    }
    return true;
}

static bool put_code(cg_bundle *b, cu_model *u) {
    cu_collect_steps(u);
    return put_kernels(b, u) && put_source(b, u) && put_header(b, u);
}

bool cu_put_beside_c(cg_bundle *b, cg_model *m) {
    cu_model u = cu_model_of(m);
    if (!check_ports(m->g, b->d) || !put_code(b, &u)) return false;
    m->prepared_bytes = cu_weights_bytes(&u);
    return put_build_files(b, &u, true) && cg_put_graph(b, m, "_cuda.ir") &&
           cg_put_text(b, "memory_cuda.json", cg_memory_json(m));
}

static bool put_runtime(cg_bundle *b) {
    for (const embedded_file *f = embedded_files; f->path; f++)
        if (cu_uses_file(b->m, f->path) && !cg_put(b, f->path, f->text, f->size)) return false;
    return true;
}

bool cu_write_bundle(const ir_graph *g, const cg_options *options, cg_emit *emit, void *ctx, ir_diag *d) {
    if (!check_ports(g, d)) return false;
    cg_model *m = cg_model_new(g, options, d);
    if (!m || !cg_has_data(m, d)) return false;
    cg_bundle *b = ir_alloc(m->arena, 1, sizeof *b);
    *b = (cg_bundle){.m = m, .emit = emit, .ctx = ctx, .d = d};
    cu_model u = cu_model_of(m);
    if (!put_code(b, &u)) return false;
    m->prepared_bytes = cu_weights_bytes(&u);
    return put_build_files(b, &u, false) && cg_put_graph(b, m, ".ir") &&
           cg_put_text(b, "memory.json", cg_memory_json(m)) &&
           cg_put_text(b, "LICENSE", cg_licence(m->arena)) && put_runtime(b) && cg_put_weights(b) &&
           cg_put_manifest(b, "cuda", NULL);
}
