/* peer_onnx.c: the part of tests/peer_onnx.py that is voxc's: imports or describes a network, interprets it,
 * exports it.
 *
 *   peer_onnx run MODEL DIR              MODEL on DIR/in_0.npy ...; results go to DIR/out_0.npy ...
 *   peer_onnx export [--fuse] MODEL DIR  writes DIR/model.onnx, seeded inputs DIR/in_0.npy ... and results as above
 *
 * MODEL is .onnx or .yaml (with seeded weights). --fuse exports what the optimising passes made of it. */
#include "front_onnx.h"
#include "front_yaml.h"
#include "init.h"
#include "npy_tensor.h"
#include "onnx_write.h"
#include "pipeline.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PORTS = 16 };

static ir_graph *load(const char *path, ir_diag *d) {
    const char *dot = strrchr(path, '.');
    if (!dot || strcmp(dot, ".yaml") != 0) return onnx_load(path, NULL, d);
    ir_graph *g = yaml_load(path, NULL, d);
    if (g) init_weights(g, 1);
    return g;
}

static const char *file_in(const ir_graph *g, const char *dir, const char *kind, int k) {
    return ir_format(g->arena, "%s/%s_%d.npy", dir, kind, k);
}

static bool write_value(const ir_graph *g, const ir_tensor *t, const ir_value *v, const char *path,
                        ir_diag *d) {
    file_tensor f;
    (void)g;
    bool ok = file_tensor_from_value(&f, t, v, d) && npy_write(path, &f, d);
    file_tensor_free(&f);
    return ok;
}

static void seed_value(const ir_tensor *t, ir_value *v) {
    int64_t n = ir_count(t);
    v->f = calloc((size_t)n + 1, sizeof *v->f);
    for (int64_t i = 0; v->f && i < n; i++) v->f[i] = (double)(float)init_normal(7, (uint64_t)i);
}

static bool read_value(const ir_tensor *t, const char *path, ir_value *v, ir_diag *d) {
    file_tensor f;
    bool ok = npy_read(path, &f, d) && f.dtype == t->dtype && file_tensor_to_value(&f, v, d);
    file_tensor_free(&f);
    return ok || ir_fail(d, IR_EXIT_INPUT, "%s: wrong type for input %s", path, t->name);
}

static bool interpret(const ir_graph *g, const char *dir, bool seeded, ir_diag *d) {
    ir_value in[MAX_PORTS] = {{0}}, out[MAX_PORTS] = {{0}};
    bool ok = g->n_inputs <= MAX_PORTS && g->n_outputs <= MAX_PORTS;
    for (int k = 0; k < g->n_inputs && ok; k++) {
        const char *path = file_in(g, dir, "in", k);
        if (seeded) seed_value(g->inputs[k], &in[k]);
        ok = seeded ? write_value(g, g->inputs[k], &in[k], path, d)
                    : read_value(g->inputs[k], path, &in[k], d);
    }
    ok = ok && ir_interpret(g, in, out, 2, NULL, NULL, d);
    for (int k = 0; k < g->n_outputs && ok; k++)
        ok = write_value(g, g->outputs[k], &out[k], file_in(g, dir, "out", k), d);
    ir_values_free(in, g->n_inputs);
    ir_values_free(out, g->n_outputs);
    return ok;
}

/* The graph as the passes that any target wants have left it. */
static ir_graph *optimised;
static void keep(ir_graph *g, const char *pass) {
    if (strcmp(pass, "outputs") == 0) optimised = ir_copy(g);
}
static ir_graph *optimise(ir_graph *g, ir_diag *d) {
    pass_report reports[MAX_PASSES];
    int count;
    return pipeline_run(g, &(pipeline_options){.after_pass = keep}, reports, &count, d) ? optimised : NULL;
}

int main(int argc, char **argv) {
    ir_diag d = {0};
    bool fuse = argc == 5 && strcmp(argv[2], "--fuse") == 0,
         export_it = argc > 1 && strcmp(argv[1], "export") == 0;
    if (argc != 4 + fuse) {
        fprintf(stderr, "usage: peer_onnx run|export [--fuse] MODEL DIR\n");
        return 2;
    }
    const char *dir = argv[argc - 1];
    ir_graph *g = load(argv[argc - 2], &d);
    bool ok = g && interpret(g, dir, export_it, &d);
    ir_graph *fused = fuse && ok ? optimise(g, &d) : g; /* which reads the constants of g */
    ok = ok && fused;
    if (export_it) ok = ok && onnx_export(fused, ir_format(g->arena, "%s/model.onnx", dir), &d);
    if (!ok) fprintf(stderr, "%s\n", d.text);
    if (fused != g) ir_graph_free(fused);
    ir_graph_free(g);
    return ok ? 0 : d.code;
}
