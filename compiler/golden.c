#include "golden.h"

#include "npy_tensor.h"
#include "seeded.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

typedef struct golden_sink {
    cg_emit *emit;
    void *ctx;
} golden_sink;

static bool write_tensor(const golden_sink *out, const char *kind, int number, const ir_tensor *t,
                         const ir_value *v, ir_diag *d) {
    char name[64];
    size_t size = 0;
    file_tensor f = {0};
    snprintf(name, sizeof name, "golden/%s_%d.npy", kind, number);
    char *bytes = file_tensor_from_value(&f, t, v, d) ? npy_format(&f, &size, d) : NULL;
    bool ok = bytes && out->emit(out->ctx, name, bytes, size, d);
    free(bytes);
    file_tensor_free(&f);
    return ok;
}

/* A value's count, mean and root mean square; 17 digits hold a double. */
static void describe_layer(void *ctx, const ir_node *n, const ir_value *value) {
    const ir_tensor *t = n->out[0];
    int64_t count = ir_count(t);
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) {
        double x = value->f ? value->f[i] : (double)value->i[i];
        sum += x;
        squares += x * x;
    }
    fprintf(ctx, "%s %" PRId64 " %.17g %.17g\n", t->name, count, sum / (double)count,
            sqrt(squares / (double)count));
}

static bool write_values(const ir_graph *g, const golden_sink *out, const ir_value *in,
                         const ir_value *result, ir_diag *d) {
    for (int i = 0; i < g->n_inputs; i++)
        if (!write_tensor(out, "input", i, g->inputs[i], &in[i], d)) return false;
    for (int i = 0; i < g->n_outputs; i++)
        if (!write_tensor(out, "output", i, g->outputs[i], &result[i], d)) return false;
    return true;
}

static bool interpret(const ir_graph *g, const golden_sink *out, const ir_value *in, int threads,
                      ir_diag *d) {
    char *text = NULL;
    size_t size = 0;
    ir_value *result = calloc((size_t)g->n_outputs, sizeof *result);
    FILE *layers = open_memstream(&text, &size);
    if (!layers || !result) ir_no_memory("golden values");
    bool ok = ir_interpret(g, in, result, threads, describe_layer, layers, d);
    if (fclose(layers) != 0 || !text) ir_no_memory("golden values");
    ok = ok && write_values(g, out, in, result, d) && out->emit(out->ctx, "golden/layers.txt", text, size, d);
    ir_values_free(result, g->n_outputs);
    free(result);
    free(text);
    return ok;
}

bool golden_write(const ir_graph *g, int threads, cg_emit *emit, void *ctx, ir_diag *d) {
    const golden_sink out = {emit, ctx};
    ir_value *in = calloc((size_t)g->n_inputs + 1, sizeof *in);
    if (!in) ir_no_memory("golden values");
    bool ok = true;
    for (int i = 0; i < g->n_inputs && ok; i++) ok = seeded_value(g->inputs[i], &in[i], d);
    ok = ok && interpret(g, &out, in, threads, d);
    ir_values_free(in, g->n_inputs);
    free(in);
    return ok;
}
