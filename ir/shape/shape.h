/* shape.h: what the files of shape inference share. A shape function reads a node's operands and attributes,
 * checks both and fills `out`; operand counts and the presence of attributes are checked before it runs.
 * Internal to ir/. */
#ifndef VOXC_IR_SHAPE_H
#define VOXC_IR_SHAPE_H

#include "ir.h"

typedef struct ir_type {
    ir_dtype dtype;
    int rank;
    int64_t dim[IR_MAX_RANK];
} ir_type;

typedef bool shape_fn(const ir_node *n, ir_type *out, ir_diag *d);

/* The whole inference without writing to the node. */
bool shape_infer(const ir_node *n, ir_type *out, ir_diag *d);

/* Column `shape` of ops.def: shape_map.c, shape_conv.c, shape_data.c, shape_reduce.c. */
#define OP(sym, name, imin, imax, outs, weights, flags, form, shape, ...) shape_fn shape_##shape;
#include "ops.def"

/* "op 'name': <message>; operands %x f32[...], ..." with exit code 2 (3 for _unsupported). All return false.
 */
bool shape_fail(const ir_node *n, ir_diag *d, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool shape_unsupported(const ir_node *n, ir_diag *d, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Checks; each fails with a message of its own. */
bool shape_need_ints(const ir_node *n, ir_key key, int count, int64_t low, int64_t high, ir_diag *d);
bool shape_need_int(const ir_node *n, ir_key key, int64_t low, int64_t high, ir_diag *d);
bool shape_need_word(const ir_node *n, ir_key key, const char *const *words,
                     ir_diag *d); /* NULL-terminated */
bool shape_need_finite(const ir_node *n, ir_key key, ir_diag *d);
bool shape_need_rank(const ir_node *n, int low, int high, ir_diag *d); /* of operand 0 */
bool shape_need_float(const ir_node *n, ir_diag *d);                   /* operand 0 */
bool shape_need_number(const ir_node *n, ir_diag *d);                  /* operand 0: not bool */
bool shape_need_same_dtype(const ir_node *n, ir_diag *d);              /* all present operands */
bool shape_need_act(const ir_node *n, ir_diag *d); /* act, alpha, beta, slope (operand 3) */

void shape_copy(ir_type *out, const ir_tensor *t);

#endif
