#include "verify_bundle.h"

#include "npy_tensor.h"
#include "onnx_data.h"
#include "process.h"
#include "seeded.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A bundle's program knows bytes, not bools. */
static bool check_like(const ir_tensor *t, const file_tensor *f, const char *path, ir_diag *d) {
    const bool bytes = t->dtype == IR_BOOL && f->dtype == IR_U8;
    ir_tensor seen = {.dtype = bytes ? IR_BOOL : f->dtype, .rank = f->rank};
    memcpy(seen.dim, f->dim, sizeof seen.dim);
    char want[128], is[128];
    if (ir_same_shape(t, &seen) && t->dtype == seen.dtype) return true;
    return ir_fail(d, IR_EXIT_INPUT, "%s: holds %s, expected %s for %s", path,
                   ir_type_text(&seen, is, sizeof is), ir_type_text(t, want, sizeof want), t->name);
}

static bool take_value(const ir_tensor *t, file_tensor *f, const char *path, ir_value *v, ir_diag *d) {
    bool ok = check_like(t, f, path, d) && file_tensor_to_value(f, v, d);
    file_tensor_free(f);
    return ok;
}

static bool read_npy(const ir_tensor *t, const char *path, ir_value *v, ir_diag *d) {
    file_tensor f = {0};
    return npy_read(path, &f, d) && take_value(t, &f, path, v, d);
}

static bool read_test_data(const char *dir, const char *kind, int number, const ir_tensor *t, ir_value *v,
                           ir_diag *d) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s_%d.pb", dir, kind, number);
    file_tensor f = {0};
    return onnx_data_read(path, &f, d) && take_value(t, &f, path, v, d);
}

static bool must_be_constant(const ir_node *n, int operand) {
    switch (n->op) {
    case IR_OP_CONV:
        return operand > 0 && operand != IR_SKIP;
    case IR_OP_CONV_TRANSPOSE:
    case IR_OP_BATCH_NORM:
    case IR_OP_INSTANCE_NORM:
    case IR_OP_GATHER:
        return operand > 0;
    case IR_OP_PRELU:
        return operand == 1;
    default:
        return false;
    }
}

static bool read_as_parameter(const ir_graph *g, const ir_tensor *t) {
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k] == t && must_be_constant(g->nodes[i], k)) return true;
    return false;
}

static bool bind(ir_graph *g, ir_tensor *t, const char *dir, int number, ir_diag *d) {
    char path[4096];
    snprintf(path, sizeof path, "%s/input_%d.pb", dir, number);
    file_tensor f = {0};
    if (!onnx_data_read(path, &f, d)) return false;
    if (check_like(t, &f, path, d)) {
        size_t bytes = (size_t)ir_bytes(t);
        void *data = ir_alloc(g->arena, bytes, 1);
        memcpy(data, f.data, bytes);
        t->role = IR_ROLE_CONST;
        t->data = data;
        t->hash = ir_hash(data, bytes);
    }
    file_tensor_free(&f);
    return !d->code;
}

bool verify_bind_constants(ir_graph *g, const char *dir, int *numbers, ir_diag *d) {
    int kept = 0;
    for (int i = 0; i < g->n_inputs; i++) {
        ir_tensor *t = g->inputs[i];
        if (dir && read_as_parameter(g, t)) {
            if (!bind(g, t, dir, i, d)) return false;
            continue;
        }
        numbers[kept] = i;
        g->inputs[kept++] = t;
    }
    g->n_inputs = kept;
    return true;
}

bool verify_inputs(verify_run *r, const int *numbers, ir_diag *d) {
    const ir_graph *g = r->reference;
    const options *o = r->o;
    r->inputs = calloc((size_t)g->n_inputs + 1, sizeof *r->inputs);
    if (!r->inputs) return ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    if (o->n_inputs && o->n_inputs != g->n_inputs)
        return ir_fail(d, IR_EXIT_INPUT, "--input is given %d times, expected %d: once for each input of %s",
                       o->n_inputs, g->n_inputs, g->name);
    for (int i = 0; i < g->n_inputs; i++) {
        ir_value *v = &r->inputs[i];
        bool ok = o->n_inputs ? read_npy(g->inputs[i], o->input[i], v, d)
                  : o->test_data_dir
                      ? read_test_data(o->test_data_dir, "input", numbers[i], g->inputs[i], v, d)
                      : seeded_value(g->inputs[i], v, d);
        if (!ok) return false;
    }
    return true;
}

static bool write_input(const verify_run *r, int i, const char *path, ir_diag *d) {
    file_tensor f = {0};
    bool ok = file_tensor_from_value(&f, r->reference->inputs[i], &r->inputs[i], d) && npy_write(path, &f, d);
    file_tensor_free(&f);
    return ok;
}

bool verify_execute(verify_run *r, ir_diag *d) {
    const ir_graph *g = r->reference;
    ir_arena *a = ir_arena_new();
    const char **argv = ir_alloc(a, (size_t)(g->n_inputs + g->n_outputs) + 8, sizeof *argv);
    int n = 0;
    argv[n++] = ir_format(a, "%s/%s", r->bundle, r->planned->name);
    argv[n++] = "run";
    bool ok = true;
    for (int i = 0; i < g->n_inputs && ok; i++) {
        argv[n] = ir_format(a, "%s/in%d.npy", r->temp, i);
        ok = write_input(r, i, argv[n++], d);
    }
    int outputs = n;
    for (int i = 0; i < g->n_outputs; i++) argv[n++] = ir_format(a, "%s/out%d.npy", r->temp, i);
    argv[n++] = "--threads";
    argv[n++] = ir_format(a, "%d", r->threads);
    if (r->o->per_node) {
        argv[n++] = "--dump";
        argv[n++] = ir_format(a, "%s/layers", r->temp);
    }
    const char *log = ir_format(a, "%s/run.log", r->temp);
    int code = ok ? process_run(argv, log) : 0;
    if (code)
        ok = ir_fail(d, IR_EXIT_FAILURE, "%s run: exit code %d: %s", r->planned->name, code,
                     process_log_tail(log, a));
    r->got = calloc((size_t)g->n_outputs, sizeof *r->got);
    for (int i = 0; i < g->n_outputs && ok && r->got; i++)
        ok = read_npy(g->outputs[i], argv[outputs + i], &r->got[i], d);
    ir_arena_free(a);
    return ok && r->got;
}

bool verify_expect(verify_run *r, ir_diag *d) {
    const ir_graph *g = r->reference;
    const options *o = r->o;
    r->expected = calloc((size_t)g->n_outputs, sizeof *r->expected);
    if (!r->expected) return ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    if (o->n_expected && o->n_expected != g->n_outputs)
        return ir_fail(d, IR_EXIT_INPUT,
                       "--expected is given %d times, expected %d: once for each output of %s", o->n_expected,
                       g->n_outputs, g->name);
    if (!o->n_expected && !o->test_data_dir)
        return ir_interpret(g, r->inputs, r->expected, r->threads, NULL, NULL, d);
    for (int i = 0; i < g->n_outputs; i++) {
        bool ok = o->n_expected
                      ? read_npy(g->outputs[i], o->expected[i], &r->expected[i], d)
                      : read_test_data(o->test_data_dir, "output", i, g->outputs[i], &r->expected[i], d);
        if (!ok) return false;
    }
    return true;
}

typedef struct layer_watch {
    verify_run *r;
    int bad;
    ir_diag *d;
} layer_watch;

static void report_layer(layer_watch *w, const ir_node *n, const comparison *c, bool ok) {
    const char *name = n->out[0]->name, *op = ir_op_get(n->op)->name;
    const char *verdict = ok ? "ok" : w->bad == 0 ? "FIRST OUT OF TOLERANCE" : "out of tolerance";
    if (!w->r->o->json) {
        fprintf(w->r->report, "  %-28s %-16s max abs %9.3g  relative RMS %9.3g  %s\n", name, op, c->max_abs,
                c->rms, verdict);
        return;
    }
    vox_json *j = &w->r->json;
    vox_json_begin(j, NULL, "{");
    vox_json_members(j, "name=%s op=%s max_abs=%.9g relative_rms=%.9g", name, op, c->max_abs, c->rms);
    vox_json_bool(j, "ok", ok);
    vox_json_end(j);
}

static void watch_layer(void *ctx, const ir_node *n, const ir_value *value) {
    layer_watch *w = ctx;
    const ir_tensor *t = n->out[0];
    char path[4096];
    snprintf(path, sizeof path, "%s/layers/%s.npy", w->r->temp, t->name);
    FILE *f = fopen(path, "rb");
    if (!f) return; /* no code of its own: a view, or a concat whose members are in place */
    fclose(f);
    ir_value got;
    if (w->d->code || !read_npy(t, path, &got, w->d)) return;
    comparison c = compare(t, &got, value, 0.5, &w->r->limit);
    bool ok = compare_passes(&c, &w->r->limit);
    report_layer(w, n, &c, ok);
    w->bad += !ok;
    ir_values_free(&got, 1);
}

bool verify_layers(verify_run *r, int *bad, ir_diag *d) {
    layer_watch w = {.r = r, .d = d};
    ir_value *out = calloc((size_t)r->planned->n_outputs, sizeof *out);
    if (!out) return ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    if (r->o->json) vox_json_begin(&r->json, "layers", "[\n");
    bool ok = ir_interpret(r->planned, r->inputs, out, r->threads, watch_layer, &w, d);
    if (r->o->json) vox_json_end(&r->json);
    if (ok) ir_values_free(out, r->planned->n_outputs);
    free(out);
    *bad = w.bad;
    return ok && !d->code;
}

static void free_values(ir_value *v, int count) {
    if (v) ir_values_free(v, count);
    free(v);
}

void verify_free(verify_run *r) {
    if (!r->reference) return;
    free_values(r->inputs, r->reference->n_inputs);
    free_values(r->got, r->reference->n_outputs);
    free_values(r->expected, r->reference->n_outputs);
}
