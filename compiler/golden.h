/* golden.h: what a bundle should compute, from the interpreter.
 *
 *   golden/input_N.npy   seeded random inputs
 *   golden/output_N.npy  what the double-precision interpreter makes of them, rounded to the output's type
 *   golden/layers.txt    a line per value, "NAME COUNT MEAN RMS", for `N selftest --golden`
 */
#ifndef VOXC_GOLDEN_H
#define VOXC_GOLDEN_H

#include "codegen.h"

/* Interprets g, a planned graph, and hands the files to emit. */
bool golden_write(const ir_graph *g, int threads, cg_emit *emit, void *ctx, ir_diag *d);

#endif
