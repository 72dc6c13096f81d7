/* rebuild.h: a graph again, with one change. */
#ifndef VOXC_FUZZ_REBUILD_H
#define VOXC_FUZZ_REBUILD_H

#include "fuzz_graphs.h"

/* X(symbol, meaning; node, operand and value are those of fuzz_edit) */
typedef enum fuzz_edit_kind {
    EDIT_ONLY,     /* the node's result is the only output */
    EDIT_OUTPUT,   /* without output number `node` */
    EDIT_CUT,      /* the node's result is a graph input */
    EDIT_BYPASS,   /* the node's operand stands for its result, which has the same shape */
    EDIT_OPERAND,  /* without the operand */
    EDIT_ATTR,     /* attribute `operand` (an ir_key) of the node is all `value` */
    EDIT_NO_ACT,   /* without the fused activation */
    EDIT_EXTENT,   /* axis `operand` of every graph input that has that extent, `node`, gets extent `value` */
    EDIT_CHANNELS, /* the conv makes `value` channels */
    EDIT_INPUT,    /* graph input `node` has `value` channels */
} fuzz_edit_kind;
typedef struct fuzz_edit {
    fuzz_edit_kind kind;
    int node, operand;
    int64_t value;
} fuzz_edit;

/* The text of g with that change, malloc'd; what depends on a changed shape (weights, crops, sizes) follows
 * it. NULL: the change makes no valid graph. Constants are as s has them. */
char *fuzz_rebuild(const ir_graph *g, const fuzz_specs *s, const fuzz_edit *e);

#endif
