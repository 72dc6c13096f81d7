/* front_onnx_import.h: what the parts of the ONNX reader share. For front_onnx*.c only. */
#ifndef VOXC_FRONT_ONNX_IMPORT_H
#define VOXC_FRONT_ONNX_IMPORT_H

#include "front_onnx.h"
#include "onnx.pb-c.h"

enum { ONNX_OLDEST_OPSET = 9, ONNX_NEWEST_OPSET = 23 };
/* Names in a graph: real networks have thousands; lookups in the IR are linear, and a corrupt file must not
 * take hours. */
enum { ONNX_MAX_NAMES = 1 << 16 };
/* No evaluated constant may be larger: shape arithmetic is small, and a corrupt Expand must not eat the
 * machine. */
/* Elements that constant expressions may have, all together:
 * so many, and some for each that the file gives. */
#define ONNX_MAX_FOLDED       ((int64_t)1 << 25)
#define ONNX_FOLDED_PER_GIVEN 4

/* ---- names (front_onnx_names.c) -------------------------------------------------------------- */

/* What an ONNX value name stands for. tensor is NULL until it is needed (constants) or computed (node
 * outputs). */
typedef struct onnx_symbol {
    const char *name;
    ir_tensor *tensor;
    const Onnx__TensorProto *init; /* initializer */
    bool is_input;
    int producer; /* node, or -1 */
    int uses;     /* inputs of nodes that some output needs, and graph outputs, of this name */
} onnx_symbol;

typedef struct onnx_names {
    onnx_symbol *slot; /* open addressing, never grows */
    size_t mask;
} onnx_names;

typedef struct onnx_import {
    ir_graph *g;
    ir_arena *scratch; /* lives as long as the import */
    ir_diag *d;
    const Onnx__GraphProto *graph;
    const onnx_options *opt;
    const char *path, *folder;
    int opset;
    onnx_names names;
    bool *dim_used;        /* per opt->dims */
    bool *needed;          /* per node: some graph output depends on it; the others may be anything */
    int64_t given, folded; /* elements of constants that the file holds, that expressions have */
    int64_t work;          /* of those expressions (fold_work.h) */
} onnx_import;

onnx_symbol *onnx_find(const onnx_import *im, const char *name); /* NULL if there is none */
/* Enters every input, initializer and node output; fails on duplicates and on names that nothing produces. */
bool onnx_names_build(onnx_import *im);
/* The order of execution of the nodes that are needed (the file's own wherever that is one). Fails on a
 * cycle, naming a tensor of it. */
bool onnx_sort(onnx_import *im, int *order, int *count);

/* ---- one node (front_onnx_node.c) ------------------------------------------------------------ */

typedef struct onnx_op onnx_op;

typedef struct onnx_call {
    onnx_import *im;
    ir_graph *g;
    const Onnx__NodeProto *pb;
    const onnx_op *op;
    int opset;
    const char *source, *layer; /* "net.onnx: node 7 Conv"; the name of the layer */
    int n_in;
    ir_tensor **in; /* NULL where an optional input is left out */
} onnx_call;

typedef bool onnx_handler(onnx_call *c);

struct onnx_op {
    const char *name;
    int since, until;   /* opsets, inclusive */
    int min_in, max_in; /* max_in -1: any number */
    int outputs;        /* how many the handler binds; -1: any number. Others must be unused */
    onnx_handler *import;
    int ir; /* the ir_op that simple handlers emit */
    /* "name=T ..." with T one of i I f F s t: the attributes this operator may have. "~name=T": accepted, and
     * without meaning for inference. */
    const char *attributes;
};

/* The row for a node, NULL: unknown operator or no row for this opset. */
const onnx_op *onnx_op_find(const char *name, int opset);
/* Any row of that name. */
const onnx_op *onnx_op_any(const char *name);

/* Attributes, checked for their type before the handler runs. */
bool onnx_has(const onnx_call *c, const char *name);
int64_t onnx_int(const onnx_call *c, const char *name, int64_t absent);
double onnx_float(const onnx_call *c, const char *name, double absent);
const char *onnx_word(const onnx_call *c, const char *name, const char *absent);
const int64_t *onnx_ints(const onnx_call *c, const char *name, int *count); /* NULL, 0: absent */
const Onnx__AttributeProto *onnx_attr(const onnx_call *c, const char *name);

/* Failing. onnx_call's place is put in front by the importer. */
bool onnx_bad(const onnx_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* exit 2 */
bool onnx_unsupported(const onnx_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))); /* exit 3 */

/* Input k, which must be there and constant; NULL with d filled. `what` is its ONNX name. */
const ir_tensor *onnx_const(const onnx_call *c, int k, const char *what);
bool onnx_present(const onnx_call *c, int k);
/* The integers of constant input k: at most `max` into out. */
bool onnx_const_ints(const onnx_call *c, int k, const char *what, int64_t *out, int max, int *count);
/* Attribute `name` if it is there, else constant input k if that is; count -1: neither. */
bool onnx_list(const onnx_call *c, const char *name, int k, int64_t *out, int max, int *count);
/* Makes axis (may be negative) one of 0 .. rank-1. */
bool onnx_axis(const onnx_call *c, int64_t *axis, int rank);
/* All of them, and refuses duplicates. */
bool onnx_axes(const onnx_call *c, int64_t *axis, int count, int rank);

/* Begins an IR node. suffix NULL: its output is the call's first output;
 * else an intermediate named after it. */
ir_node *onnx_begin(onnx_call *c, const char *suffix, ir_op op, int n_in, ir_tensor *const *in);
/* Checks and infers; evaluates the node if its inputs are constants. The output, or NULL. */
ir_tensor *onnx_end(onnx_call *c, ir_node *n);
/* Both, for a node without attributes. */
ir_tensor *onnx_emit(onnx_call *c, const char *suffix, ir_op op, int n_in, ir_tensor *const *in);
ir_tensor *onnx_emit2(onnx_call *c, const char *suffix, ir_op op, ir_tensor *a, ir_tensor *b);
/* x with another shape; x itself where that is its shape. */
ir_tensor *onnx_reshape(onnx_call *c, const char *suffix, ir_tensor *x, int rank, const int64_t *dim);
ir_tensor *onnx_slice(onnx_call *c, const char *suffix, ir_tensor *x, const int64_t *begin,
                      const int64_t *size, const int64_t *step);
/* A constant of one number; NULL with d filled where an integer type does not hold it (0 to 255 do). */
ir_tensor *onnx_scalar(onnx_call *c, const char *suffix, ir_dtype t, double v);
/* Output k is t; false if t is NULL. */
bool onnx_bind(onnx_call *c, int k, ir_tensor *t);

/* ---- tensors (front_onnx.c) ------------------------------------------------------------------ */

/* A new constant holding t's data. `what` names it in messages. */
ir_tensor *onnx_add_tensor(onnx_import *im, const Onnx__TensorProto *t, const char *what, const char *name);
/* The IR's name for an ONNX name: unique, without leading slashes. */
const char *onnx_name(onnx_import *im, const char *name);

/* ---- handlers -------------------------------------------------------------------------------- */

/* front_onnx_conv.c */
onnx_handler onnx_conv, onnx_conv_transpose, onnx_pool, onnx_global_pool;
/* front_onnx_norm.c */
onnx_handler onnx_batch_norm, onnx_instance_norm, onnx_group_norm, onnx_layer_norm;
/* front_onnx_map.c */
onnx_handler onnx_map, onnx_map_alpha, onnx_binary, onnx_variadic, onnx_mean, onnx_nary, onnx_negated,
    onnx_clip, onnx_softmax, onnx_cast, onnx_mod, onnx_identity, onnx_dropout, onnx_arg_max, onnx_reduce,
    onnx_hard_sigmoid, onnx_reciprocal, onnx_old_prelu, onnx_pow;
/* front_onnx_shape.c */
onnx_handler onnx_constant_node, onnx_constant_of_shape, onnx_shape_of, onnx_size, onnx_reshape_node,
    onnx_transpose, onnx_squeeze, onnx_unsqueeze, onnx_flatten, onnx_expand, onnx_tile, onnx_range,
    onnx_gather;
/* front_onnx_slice.c */
onnx_handler onnx_concat, onnx_slice_node, onnx_split, onnx_pad;
/* front_onnx_resize.c */
onnx_handler onnx_resize, onnx_upsample;

#endif
