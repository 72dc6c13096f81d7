/* voxc inspect: what a model is, what it costs, and what each pass made of it. */
#include "algorithm.h"
#include "around.h"
#include "choose.h"
#include "fit.h"
#include "gpu_model.h"
#include "json_write.h"
#include "lifetime.h"
#include "load.h"
#include "plan_interp.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Layers that need as much memory as any, the first ones by name. */
typedef struct peak {
    int count;
    const char *names[8];
} peak;

typedef struct totals {
    bool checked; /* the plan, by --check-plan */
    int64_t parameters, macs, weight_bytes, arena, bound;
    peak peak;
    fit_point frontier[IR_THRIFT_COUNT]; /* what each step of thrift would need */
} totals;

static int64_t total_macs(const ir_graph *g) {
    int64_t sum = 0;
    for (int i = 0; i < g->n_nodes; i++) sum += ir_macs(g->nodes[i]);
    return sum;
}

static int64_t constant_bytes(const ir_graph *g) {
    int64_t sum = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->role == IR_ROLE_CONST) sum += ir_bytes(g->tensors[i]);
    return sum;
}

static int64_t node_parameters(const ir_node *n) {
    int64_t sum = 0;
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->role == IR_ROLE_CONST) sum += ir_count(n->in[i]);
    return sum;
}

static bool for_gpu(const ir_graph *g) {
    return g->goals.target == IR_TARGET_CUDA;
}

/* "block16", "plain"; of a GPU's values "f16 x64": elements of a voxel, channels last */
static void storage_layout_text(const ir_tensor *t, char *text, size_t size) {
    if (t->gpu.pitch)
        snprintf(text, size, "%s x%" PRId64, t->gpu.storage ? ir_storage_name(t->gpu.storage) : "f32",
                 t->gpu.pitch);
    else
        snprintf(text, size, "%s", t->cpu.block ? "block16" : "plain");
}

static void place_text(const ir_tensor *t, char *text, size_t size) {
    if (t->memory.view_of)
        snprintf(text, size, "in %s+%" PRId64, t->memory.view_of->name, t->memory.view_offset);
    else if (t->memory.arena_offset >= 0)
        snprintf(text, size, "arena+%" PRId64, t->memory.arena_offset);
    else if (t->cpu.on_load)
        snprintf(text, size, "made on load");
    else if (t->cpu.fused)
        snprintf(text, size, "in registers");
    else
        snprintf(text, size, "output");
}

/* ", stream 1x4, planes kept: 6 of 130, 13.0 MB instead of 246.6" */
static void planes_kept_text(const ir_node *n, char *text, size_t size) {
    ir_tensor whole = *n->out[0];
    int kept = whole.memory.ring, used = 0;
    text[0] = 0;
    if (n->memory.stream) used = snprintf(text, size, ", stream %dx%d", n->memory.stream, n->memory.slab);
    if (!kept) return;
    whole.memory.ring = 0;
    snprintf(text + used, size - (size_t)used, ", planes kept: %d of %" PRId64 ", %.1f MB instead of %.1f",
             kept, whole.dim[2], (double)ir_bytes(n->out[0]) / 1e6, (double)ir_bytes(&whole) / 1e6);
}

static void print_layers(const ir_graph *g) {
    printf("\n%-28s %-16s %-30s %12s %10s %8s  %s%s\n", "layer", "op", "output", "parameters", "GMAC",
           "layout", for_gpu(g) ? "runs           " : "", "place");
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        char type[128], place[160], op[64], stream[160], layout[32], runs[32] = "";
        const char *act = ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL;
        snprintf(op, sizeof op, "%s%s%s%s", ir_op_get(n->op)->name, ir_skip(n) ? "+skip" : "", act ? "+" : "",
                 act ? act : "");
        place_text(n->out[0], place, sizeof place);
        planes_kept_text(n, stream, sizeof stream);
        storage_layout_text(n->out[0], layout, sizeof layout);
        if (for_gpu(g))
            snprintf(runs, sizeof runs, "%-12s x%d ", n->gpu.runner ? ir_gpu_name(n->gpu.runner) : "-",
                     cg_gpu_launches_of(g, n));
        printf("%-28s %-16s %-30s %12" PRId64 " %10.4f %8s  %s%s%s\n", n->out[0]->name, op,
               ir_type_text(n->out[0], type, sizeof type), node_parameters(n), (double)ir_macs(n) / 1e9,
               layout, runs, place, stream);
    }
}

static void inspect_ports(const char *what, ir_tensor *const *ports, int count) {
    char type[128];
    for (int i = 0; i < count; i++)
        printf("%-12s %s %s\n", what, ports[i]->name, ir_type_text(ports[i], type, sizeof type));
}

static peak find_peak(const ir_graph *g, int64_t *bound) {
    peak p = {0};
    ir_arena *scratch = ir_arena_new();
    ir_buffers b = ir_find_buffers(g, scratch);
    int64_t *alive = ir_alloc(scratch, (size_t)g->n_nodes + 1, sizeof *alive);
    *bound = ir_live_bytes(g, &b, alive);
    for (int i = 0; i < g->n_nodes; i++) {
        if (alive[i] != *bound) continue;
        if (p.count < (int)(sizeof p.names / sizeof *p.names)) p.names[p.count] = g->nodes[i]->out[0]->name;
        p.count++;
    }
    ir_arena_free(scratch);
    return p;
}

static int named(const peak *p) {
    int most = (int)(sizeof p->names / sizeof *p->names);
    return p->count < most ? p->count : most;
}

static void print_peak(const peak *p) {
    printf("peak        ");
    for (int i = 0; i < named(p); i++) printf("%s %s", i ? "," : "", p->names[i]);
    if (p->count > named(p)) printf(" and %d more layers", p->count - named(p));
    printf("\n");
}

static void print_frontier(const ir_graph *g, const fit_point frontier[IR_THRIFT_COUNT]) {
    printf("\n%-36s %14s %14s %14s %12s\n", "time against memory (--max-memory)", "arena", "prepared",
           "together", for_gpu(g) ? "launches" : "convolutions");
    for (int i = 0; i < IR_THRIFT_COUNT; i++) {
        const fit_point *p = &frontier[i];
        if (!p->ok) continue;
        printf("  %-34s %14" PRId64 " %14" PRId64 " %14" PRId64, fit_name(g->goals.target, (ir_thrift)i),
               p->arena, p->prepared, p->arena + p->prepared);
        if (for_gpu(g))
            printf(" %12d\n", p->launches);
        else
            printf(" %11.2fx\n", frontier[0].cycles > 0 ? p->cycles / frontier[0].cycles : 1);
    }
}

static void print_gpu(const ir_graph *g, const totals *t) {
    int64_t weights = cg_gpu_weight_bytes(g);
    printf("target       cuda, %s: %d launches per run\n", cg_gpu_precision_name(g->goals.precision),
           cg_gpu_launches(g));
    printf("device       %" PRId64 " bytes: arena, %" PRId64 " of weights and up to %" PRId64
           " of workspace for cuDNN\n",
           t->arena + weights + g->goals.workspace_cap, weights, g->goals.workspace_cap);
}

static void inspect_text(const ir_graph *g, const totals *t, const pass_report *reports, int passes) {
    printf("model        %s\n", g->name);
    inspect_ports("input", g->inputs, g->n_inputs);
    inspect_ports("output", g->outputs, g->n_outputs);
    if (g->n_labels) {
        printf("labels      ");
        for (int i = 0; i < g->n_labels; i++) printf(" %d=%s", i, g->labels[i]);
        printf("\n");
    }
    printf("parameters   %" PRId64 "\nGMAC         %.*f\n", t->parameters, t->macs < 100000000 ? 5 : 2,
           (double)t->macs / 1e9);
    printf("weights      %" PRId64 " bytes after folding\n", t->weight_bytes);
    printf("arena        %" PRId64 " bytes (%.1f MiB); no plan of this order needs less than %" PRId64 "\n",
           t->arena, (double)t->arena / 1048576.0, t->bound);
    if (t->checked)
        printf("plan         checked: in a run of the plan, each layer read what had been written for it\n");
    print_peak(&t->peak);
    if (for_gpu(g)) print_gpu(g, t);
    print_layers(g);
    printf("\npasses\n");
    for (int i = 0; i < passes; i++)
        printf("  %-9s %3d -> %3d nodes  %s\n", reports[i].name, reports[i].nodes_before,
               reports[i].nodes_after, reports[i].what[0] ? reports[i].what : "(unchanged)");
    print_frontier(g, t->frontier);
}

static void add_ints(vox_json *j, const char *key, int count, const int64_t *v) {
    vox_json_begin(j, key, "[");
    for (int i = 0; i < count; i++) vox_json_int(j, NULL, v[i]);
    vox_json_end(j);
}

static void add_graph_ports(vox_json *j, const char *key, ir_tensor *const *ports, int count) {
    vox_json_begin(j, key, "[");
    for (int i = 0; i < count; i++) {
        vox_json_begin(j, NULL, "{");
        vox_json_members(j, "name=%s dtype=%s", ports[i]->name, ir_dtype_name(ports[i]->dtype));
        add_ints(j, "shape", ports[i]->rank, ports[i]->dim);
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void add_layer(vox_json *j, const ir_node *n) {
    const ir_tensor *y = n->out[0];
    vox_json_begin(j, NULL, "{");
    vox_json_members(j, "name=%s op=%s", y->name, ir_op_get(n->op)->name);
    add_ints(j, "shape", y->rank, y->dim);
    vox_json_members(j,
                     "parameters=%" PRId64 " macs=%" PRId64 " bytes=%" PRId64 " arena_offset=%" PRId64
                     " pitch=%" PRId64 " storage=%s gpu=%s block=%d stream=%d slab=%d ring=%d view_of=%s",
                     node_parameters(n), ir_macs(n), ir_bytes(y), y->memory.arena_offset, y->gpu.pitch,
                     y->gpu.storage ? ir_storage_name(y->gpu.storage) : ir_dtype_name(y->dtype),
                     n->gpu.runner ? ir_gpu_name(n->gpu.runner) : "", y->cpu.block, n->memory.stream,
                     n->memory.slab, y->memory.ring, y->memory.view_of ? y->memory.view_of->name : NULL);
    vox_json_end(j);
}

static void add_pass(vox_json *j, const pass_report *p) {
    vox_json_object(j, NULL, "name=%s nodes_before=%d nodes_after=%d did=%s", p->name, p->nodes_before,
                    p->nodes_after, p->what);
}

static void add_frontier(vox_json *j, ir_target target, const fit_point frontier[IR_THRIFT_COUNT]) {
    vox_json_begin(j, "frontier", "[\n");
    for (int i = 0; i < IR_THRIFT_COUNT; i++) {
        const fit_point *p = &frontier[i];
        if (!p->ok) continue;
        vox_json_object(j, NULL,
                        "name=%s arena_bytes=%" PRId64 " prepared_bytes=%" PRId64
                        " convolution_cycles=%.0f launches=%d",
                        fit_name(target, (ir_thrift)i), p->arena, p->prepared, p->cycles, p->launches);
    }
    vox_json_end(j);
}

static void add_gpu(vox_json *j, const ir_graph *g) {
    vox_json_members(j, "precision=%s launches=%d device_weight_bytes=%" PRId64 " workspace_cap=%" PRId64,
                     cg_gpu_precision_name(g->goals.precision), cg_gpu_launches(g), cg_gpu_weight_bytes(g),
                     g->goals.workspace_cap);
}

static void inspect_json(FILE *f, const ir_graph *g, const totals *t, const tile_choice *tiles,
                         const pass_report *reports, int passes) {
    vox_json json = vox_json_file(f), *j = &json;
    vox_json_begin(j, NULL, "{\n");
    vox_json_text(j, "name", g->name);
    add_graph_ports(j, "inputs", g->inputs, g->n_inputs);
    add_graph_ports(j, "outputs", g->outputs, g->n_outputs);
    vox_json_members(j, "parameters=%" PRId64 " macs=%" PRId64 " weight_bytes=%" PRId64, t->parameters,
                     t->macs, t->weight_bytes);
    if (for_gpu(g)) add_gpu(j, g);
    vox_json_members(j, "arena_bytes=%" PRId64 " arena_lower_bound=%" PRId64, t->arena, t->bound);
    vox_json_begin(j, "peak_layers", "[");
    for (int i = 0; i < named(&t->peak); i++) vox_json_text(j, NULL, t->peak.names[i]);
    vox_json_end(j);
    vox_json_begin(j, "layers", "[\n");
    for (int i = 0; i < g->n_nodes; i++) add_layer(j, g->nodes[i]);
    vox_json_end(j);
    vox_json_begin(j, "passes", "[\n");
    for (int i = 0; i < passes; i++) add_pass(j, &reports[i]);
    vox_json_end(j);
    add_frontier(j, g->goals.target, t->frontier);
    if (tiles) choose_json(tiles, j);
    vox_json_end(j);
}

/* source: the model as imported, NULL unless its plan is to be checked. */
static bool plans(const options *o, ir_graph *g, const ir_graph *source, pass_report *reports, int *passes,
                  ir_diag *d) {
    pipeline_options p = {.dump_dir = o->dump_dir, .dump_after = o->dump_after, .verbose = o->verbose};
    return pipeline_run(g, &p, reports, passes, d) && (!source || plan_check(source, g, 1, d)) &&
           write_memory_report(o, g, d);
}

static int inspect_model(const options *o, const tile_choice *tiles, ir_diag *d) {
    ir_graph *g = load_model(o, LOAD_SHAPES, d);
    if (!g) return d->code;
    totals t = {.parameters = ir_parameters(g, false), .macs = total_macs(g)};
    ir_graph *source = o->check_plan ? ir_copy(g) : NULL;
    pass_report reports[MAX_PASSES];
    int passes = 0;
    ir_target target = options_targets(o) == 1u << IR_TARGET_CUDA ? IR_TARGET_CUDA : IR_TARGET_C;
    bool ok = set_goals(o, target, g, d) && fit(g, d);
    for (int i = 0; ok && i < IR_THRIFT_COUNT; i++) t.frontier[i] = fit_measure(g, (ir_thrift)i);
    if (ok && plans(o, g, source, reports, &passes, d) && !o->dump_after) {
        t.weight_bytes = constant_bytes(g);
        t.arena = g->arena_bytes;
        t.checked = source != NULL;
        t.peak = find_peak(g, &t.bound);
        if (o->json)
            inspect_json(stdout, g, &t, tiles, reports, passes);
        else
            inspect_text(g, &t, reports, passes);
        if (tiles && !o->json) choose_print(tiles, stdout);
        if (o->opt_report) cg_algorithm_report(g, stderr), cg_norm_report(g, stderr);
    }
    if (source) ir_graph_free(source);
    ir_graph_free(g);
    return d->code;
}

int verb_inspect(const options *o, ir_diag *d) {
    options chosen;
    tile_choice *found;
    ir_graph *written;
    if (!o->volume_size) return inspect_model(o, NULL, d);
    if (choose_tile(o, &chosen, &found, &written, d)) inspect_model(&chosen, found, d);
    free(found);
    if (written) ir_graph_free(written);
    return d->code;
}
