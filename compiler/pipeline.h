/* pipeline.h: the passes in order, each followed by the verifier. */
#ifndef VOXC_PIPELINE_H
#define VOXC_PIPELINE_H

#include "ir.h"

enum { MAX_PASSES = 24 };

typedef struct pipeline_options {
    const char *dump_dir;   /* NULL: no dumps. Files NN-<pass>.ir are written into it (created when absent) */
    const char *dump_after; /* NULL: none. The graph after that pass is printed to stdout */
    bool verbose;           /* a line per pass with its time, to stderr */
} pipeline_options;

typedef struct pass_report {
    const char *name;
    bool changed;
    int nodes_before, nodes_after;
    char what[400]; /* "batch_norm 18 -> 0, conv 19"; empty when nothing changed */
} pass_report;

/* Turns an imported graph into a planned one for g->goals.target. reports: room for MAX_PASSES, *count of
 * them are filled. */
bool pipeline_run(ir_graph *g, const pipeline_options *o, pass_report *reports, int *count, ir_diag *d);

#endif
