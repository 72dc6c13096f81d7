/* fit.h: time against memory. */
#ifndef VOXC_FIT_H
#define VOXC_FIT_H

#include "ir.h"

typedef struct fit_point {
    bool ok; /* false: the target can't emit this graph */
    int64_t arena, prepared;
    double cycles;     /* of all convolutions, by the cost model; 0 for a GPU */
    double transposed; /* of all transposed ones */
    int launches;      /* for a GPU */
} fit_point;

/* What the imported graph g needs at that thrift. Works on a copy. */
fit_point fit_measure(const ir_graph *g, ir_thrift thrift);
/* "weights transformed on the way", ... */
const char *fit_name(ir_target target, ir_thrift thrift);
/* Sets g->goals.thrift to the least that g->goals.max_memory allows, and for a GPU the workspace's cap to
 * what that leaves, 256 MiB at most, unless it was asked for; IR_EXIT_INPUT with the smallest possible where
 * none does. */
bool fit(ir_graph *g, ir_diag *d);

#endif
