/* blocking.h: how much of a convolution one task computes. The numbers are vox_conv's
 * (runtime/core/vox_kernels.h). */
#ifndef VOXC_CG_BLOCKING_H
#define VOXC_CG_BLOCKING_H

#include "ir.h"

typedef struct cg_blocking {
    int64_t task_oc; /* blocks of 16 output channels */
    int64_t task_d, task_h;
    int64_t chunk_ic; /* input channels */
    int64_t tasks;
} cg_blocking;

/* The numbers as ir_node.cpu.split has them, for a conv or conv_transpose whose steps make that many planes. */
void cg_split(const ir_node *n, int64_t planes, int64_t split[4]);
/* What the pass has set, else what it would choose. */
cg_blocking cg_blocking_of(const ir_node *n);
/* What stays in cache with these numbers: one clause for the layer's comment. */
const char *cg_blocking_reason(const ir_node *n, ir_arena *arena);

#endif
