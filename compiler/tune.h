/* tune.h: measured choices of algorithms. */
#ifndef VOXC_TUNE_H
#define VOXC_TUNE_H

#include "options.h"

/* Compiles g once for each way to compute a convolution, builds and runs the bundles in a temporary folder,
 * and sets g->goals.tuned to the fastest way of each layer. Takes minutes. */
bool tune(const options *o, ir_graph *g, ir_diag *d);
/* Sets g->goals.tuned from the manifest.json of a bundle that was compiled so. */
bool tune_read(const char *path, ir_graph *g, ir_diag *d);

#endif
