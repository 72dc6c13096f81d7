/* algorithm.h: what each way to compute a convolution costs; the choice stands in ir_node.winograd. */
#ifndef VOXC_CG_ALGORITHM_H
#define VOXC_CG_ALGORITHM_H

#include "ir.h"

typedef struct cg_algorithm {
    int64_t winograd[4]; /* as ir_node's; all 0: direct */
    double cycles;       /* of one core, in multiply-adds of 16 channels */
    int64_t prepared;    /* bytes of packed weights */
} cg_algorithm;

enum { CG_MAX_ALGORITHMS = 16 };
/* Every legal way to compute conv n, best first; returns how many. */
int cg_algorithms(const ir_graph *g, const ir_node *n, cg_algorithm list[CG_MAX_ALGORITHMS]);
/* What is expected of n as it stands. */
cg_algorithm cg_algorithm_of(const ir_node *n);
/* Whether two values of ir_node.winograd are the same way to compute a conv, whatever the batch. */
bool cg_same_algorithm(const int64_t a[4], const int64_t b[4]);
/* "winograd F(4x4x4)", "direct" */
const char *cg_algorithm_name(const int64_t winograd[4], ir_arena *arena);
/* One clause for the layer's comment: what the choice saves. */
const char *cg_algorithm_reason(const ir_node *n, ir_arena *arena);
/* --opt-report: a table of every conv's candidates. */
void cg_algorithm_report(const ir_graph *g, FILE *f);

/* Whether a node is a convolution that Winograd's F(m, 3) computes: f32, three axes, 3x3x3, stride 1, one
 * group, constant weights. */
bool cg_admits_winograd(const ir_node *n);
/* Products that a convolution sums in one go (run of vox_conv and vox_winograd). */
int cg_run(const ir_graph *g, const ir_node *n);
/* Tasks of a Winograd conv that may run at once, each with scratch of its own. */
int cg_lanes(const ir_graph *g, const ir_node *n);

/* ---- sizes that the runtime computes too (vox_winograd.h) ------------------------------------ */

int64_t cg_winograd_points(const int64_t tile[3]);
/* Tiles of the output planes [begin, end). */
int64_t cg_winograd_tiles(const ir_node *n, const int64_t tile[3], int64_t begin, int64_t end);

/* Of a conv that transforms its weights on the way: output planes that are computed at a time, tiles that a
 * lane multiplies at a time. */
int64_t cg_deep_planes(const ir_node *n, const int64_t winograd[4]);
int64_t cg_deep_batch(const ir_node *n);
/* Scratch memory in bytes: what all lanes share, and each lane's own. */
int64_t cg_winograd_shared(const ir_node *n);
int64_t cg_winograd_lane(const ir_node *n);

#endif
