/* voxc export: a model as ONNX, as its author wrote it (no pass has run). */
#include "load.h"
#include "onnx_write.h"
#include "verbs.h"

int verb_export(const options *o, ir_diag *d) {
    ir_graph *g = load_model(o, LOAD_WEIGHTS, d);
    if (!g) return d->code;
    onnx_export(g, o->output, d);
    ir_graph_free(g);
    return d->code;
}
