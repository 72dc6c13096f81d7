/* folds.h: several weight files for the same code, such as the networks of a cross-validation. */
#ifndef VOXC_FOLDS_H
#define VOXC_FOLDS_H

#include "codegen.h"
#include "options.h"

/* Reads each --fold FILE in the place of the model (.onnx) or of its weights (.yaml), plans it as g (and gpu,
 * the same model for the other target, or NULL) is planned, and emits NAME.fold1.weights, NAME.fold2.weights ...
 * A fold whose code would differ from g's is another network: IR_EXIT_INPUT. c: what g's own bundle is written
 * with. */
bool folds_write(const options *o, const ir_graph *g, const ir_graph *gpu, const cg_options *c, cg_emit *emit,
                 void *ctx, ir_diag *d);

#endif
