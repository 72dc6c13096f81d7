/* tile_bound.c: whether a network's labels depend on the tile that a voxel lies in. They do not where each layer does the
 * same at every voxel, whatever lies around the tile. */
#include "tile_volume.h"

#include <string.h>

static const char *pads(const ir_node *n) {
    return ir_all_ints(n, IR_PAD, 0) ? NULL : "pads";
}

static const char *pool(const ir_node *n) {
    return ir_int(n, IR_CEIL) ? "has windows that reach over the end" : pads(n);
}

/* Voxels at the ends of a transposed convolution get fewer terms than the others, unless they are cut off. */
static const char *transposed(const ir_node *n) {
    const ir_attr *kernel = ir_get(n, IR_KERNEL);
    const int64_t *stride = ir_ints(n, IR_STRIDE), *dilation = ir_ints(n, IR_DILATION),
                  *pad = ir_ints(n, IR_PAD);
    for (int a = 0; a < kernel->count; a++) {
        int64_t over = (kernel->i[a] - 1) * dilation[a] + 1 - stride[a];
        int64_t end = pad[a + kernel->count] - ir_ints(n, IR_OUTPUT_PAD)[a];
        if (over > 0 ? pad[a] < over || end < over : over < 0) return "gives other sums at its ends";
    }
    return NULL;
}

/* Repeating voxels a whole number of times looks at no neighbour. */
static const char *resize(const ir_node *n) {
    const char *from = ir_word(n, IR_COORDINATES), *round = ir_word(n, IR_NEAREST);
    bool repeats = !strcmp(ir_word(n, IR_MODE), "nearest");
    repeats =
        repeats && (strcmp(from, "asymmetric") ? !strcmp(from, "half_pixel") && !strncmp(round, "round", 5)
                                               : !strcmp(round, "floor"));
    for (int i = 0; repeats && i < n->in[0]->rank; i++) repeats = n->out[0]->dim[i] % n->in[0]->dim[i] == 0;
    return repeats ? NULL : "resizes, which looks beyond its ends";
}

static const char *along_channels(const ir_node *n) {
    return ir_int(n, IR_AXIS) == 1 ? NULL : "works along an axis of the tile";
}

/* A constant that differs from voxel to voxel knows where in the tile it is. */
static const char *binary(const ir_node *n) {
    for (int k = 0; k < n->n_in; k++) {
        const ir_tensor *t = n->in[k];
        if (t->role != IR_ROLE_CONST) continue;
        for (int i = 1; i <= 3 && i <= t->rank; i++)
            if (t->dim[t->rank - i] != 1) return "has a constant for each voxel";
    }
    return NULL;
}

static const char *reason(const ir_node *n) {
    switch (n->op) {
    case IR_OP_CONV:
        return pads(n);
    case IR_OP_CONV_TRANSPOSE:
        return transposed(n);
    case IR_OP_MAX_POOL:
    case IR_OP_AVERAGE_POOL:
        return pool(n);
    case IR_OP_RESIZE:
        return resize(n);
    case IR_OP_CONCAT:
    case IR_OP_SOFTMAX:
    case IR_OP_LOG_SOFTMAX:
    case IR_OP_ARG_MAX:
        return along_channels(n);
    case IR_OP_INSTANCE_NORM:
        return "takes statistics of the tile";
    case IR_OP_PAD:
        return "pads";
    case IR_OP_BATCH_NORM:
    case IR_OP_SLICE:
        return NULL;
    default:
        break;
    }
    if (ir_op_get(n->op)->flags & IR_FLAG_BINARY) return binary(n);
    if (ir_op_get(n->op)->flags & IR_FLAG_MAP) return NULL;
    return "may look beyond its voxel";
}

const char *tile_bound_to(const ir_graph *g) {
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        const char *why = reason(n);
        if (why) return ir_format(g->arena, "layer %s (%s) %s", n->name, ir_op_get(n->op)->name, why);
    }
    if (g->volume.info.overlap > 0)
        return "tiles overlap, with weights that depend on where in a tile a voxel lies";
    return NULL;
}
