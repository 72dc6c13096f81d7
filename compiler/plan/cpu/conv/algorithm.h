/* algorithm.h: the choice between the ways to compute a convolution (way.h), and what it costs. */
#ifndef VOXC_CG_ALGORITHM_H
#define VOXC_CG_ALGORITHM_H

#include "way.h"

typedef struct cg_algorithm {
    cg_choice choice;
    double cycles;    /* of one core, in multiply-adds of 16 channels */
    int64_t prepared; /* bytes of packed weights */
} cg_algorithm;

enum { CG_MAX_ALGORITHMS = CG_WAYS * CG_MOST_OFFERS };
/* Every legal way to compute conv n, best first; returns how many. */
int cg_algorithms(const ir_graph *g, const ir_node *n, cg_algorithm list[CG_MAX_ALGORITHMS]);
/* What is expected of n as it stands. */
cg_algorithm cg_algorithm_of(const ir_node *n);
/* Has n computed so, with the scratch memory that this takes. */
void cg_set_choice(const ir_graph *g, ir_node *n, const cg_choice *c);
/* One clause for the layer's comment: what the choice saves. */
const char *cg_algorithm_reason(const ir_node *n, ir_arena *arena);
/* --opt-report: a table of every conv's candidates. */
void cg_algorithm_report(const ir_graph *g, FILE *f);

/* Products that a convolution sums in one go (run of vox_conv and vox_winograd). */
int cg_run(const ir_graph *g, const ir_node *n);
/* Tasks of a conv with scratch memory that may run at once, each with scratch of its own. */
int cg_lanes(const ir_graph *g, const ir_node *n);
/* Scratch memory of a conv in bytes: what all lanes share, each lane's own, and all of it. */
int64_t cg_shared_bytes(const ir_node *n);
int64_t cg_lane_bytes(const ir_node *n);
int64_t cg_scratch_bytes(const ir_graph *g, const ir_node *n);

#endif
