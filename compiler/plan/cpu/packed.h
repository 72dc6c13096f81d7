/* packed.h: what target c makes of a network's constants when a bundle prepares: which, how, and where they lie in
 * the prepared buffer. Pass `pack` lists them; whoever emits a kernel asks with the same words.
 */
#ifndef VOXC_PACKED_H
#define VOXC_PACKED_H

#include "chains.h"
#include "ir.h"
#include "pack.h"

typedef struct cg_weight {
    const ir_tensor *source[4]; /* NULL behind the last */
    cg_packing packing;
    double eps;       /* of CG_NORM_SCALE and CG_NORM_BIAS; else 0 */
    int node;         /* the first that reads it: its position in the graph */
    int64_t prepared; /* bytes into the prepared buffer, a multiple of 64 */
    int64_t bytes;
} cg_weight;

/* Each once, in the order of the nodes and of their kernels' operands. */
struct ir_packed {
    int count, capacity;
    cg_weight *list;
    cg_chains by_source;
    int64_t bytes; /* of the prepared buffer */
};

/* Questions, and what the pass puts into the list: a constant as it is, per-channel numbers, the weights of a conv or
 * transposed conv, a batch norm's CG_NORM_SCALE or CG_NORM_BIAS. */
cg_weight cg_pack_copy(const ir_tensor *t);
cg_weight cg_pack_vector(const ir_tensor *t, int64_t channels, int64_t group);
cg_weight cg_pack_weights(const ir_node *n);
cg_weight cg_pack_norm(const ir_node *n, cg_pack pack);

/* Dies where the pass has not listed it. */
const cg_weight *cg_find_packed(const ir_graph *g, const cg_weight *want);

#endif
