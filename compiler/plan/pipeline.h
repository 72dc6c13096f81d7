/* pipeline.h: the passes in order, each followed by the verifier. */
#ifndef VOXC_PIPELINE_H
#define VOXC_PIPELINE_H

#include "ir.h"

enum { MAX_PASSES = 24 };

typedef struct pipeline_options {
    const char *dump_dir;   /* NULL: no dumps. Files NN-<pass>.ir are written into it (created when absent) */
    const char *dump_after; /* NULL: none. The graph after that pass is printed to stdout */
    bool verbose;           /* a line per pass with its time, to stderr */
    /* NULL, or called after each pass and before its result is verified: for tests of what happens then. */
    void (*after_pass)(ir_graph *g, const char *pass);
} pipeline_options;

typedef struct pass_report {
    const char *name;
    bool changed;
    int nodes_before, nodes_after;
    char what[400]; /* "batch_norm 18 -> 0, conv 19"; empty when nothing changed */
} pass_report;

/* Turns an imported graph into a planned one for g->goals.target. reports: room for MAX_PASSES, *count of
 * them are filled. A pass that breaks an invariant ends the program (ir_die); the graph as it was before that
 * pass is left in voxc-before-PASS.ir, in TMPDIR or else in the current folder. */
bool pipeline_run(ir_graph *g, const pipeline_options *o, pass_report *reports, int *count, ir_diag *d);

/* For tests of the table of passes. Whether it has that row, and the row is a pass for target. */
bool pipeline_has(ir_target target, int row);
/* The first pass whose needs would not be met if rows a and b changed places (the same row twice: as it is); NULL: none. */
const char *pipeline_swapped(ir_target target, int a, int b);

#endif
