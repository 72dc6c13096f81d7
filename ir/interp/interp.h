/* interp.h: what the files of the interpreter share; private to ir/.
 *
 * Values hold logical tensors: row-major, one 8-byte cell per element (double for float dtypes, int64_t for
 * the rest), whatever layout or view the tensor has in the generated code.
 */
#ifndef VOXC_INTERP_H
#define VOXC_INTERP_H

#include "ir.h"
#include "vox_acts.h"

enum { INTERP_CELL = 8 }; /* bytes of an element in an ir_value */

/* One node to evaluate. in[k] are its operands' values (both pointers NULL for an absent one); out is
 * allocated, its contents undefined. Several threads may read it. */
typedef struct interp_call {
    const ir_node *n;
    const ir_value *in;
    ir_value *out;
    int threads;
    ir_diag *d;
} interp_call;

/* Computes c->out. Fails (after filling c->d) only on what shapes cannot tell: an index or divisor that is
 * out of range, an integer form of an op that has none. */
typedef bool interp_eval(const interp_call *c);

/* Column `value` of ops.def: interp_conv.c, interp_pool.c, interp_norm.c, interp_resize.c, interp_data.c,
 * interp_reduce.c and interp_math.c. */
#define OP(sym, name, imin, imax, outs, weights, flags, form, shape, value, ...) interp_eval interp_##value;
#include "ops.def"

/* ---- helpers --------------------------------------------------------------------------------- */

/* Cells of a value without their type, for ops that only move data. */
static inline const char *interp_cells(const ir_value *v) {
    return v->f ? (const char *)v->f : (const char *)v->i;
}
static inline char *interp_out_cells(const ir_value *v) {
    return v->f ? (char *)v->f : (char *)v->i;
}

/* Towards zero, held inside integer type t, where C leaves the result undefined; NaN becomes 0. As vox_cast.
 */
int64_t interp_whole(ir_dtype t, double x);
/* Row-major strides of t in elements. */
void interp_strides(const ir_tensor *t, int64_t *stride);
/* Strides with which x walks through the elements of y under NumPy broadcasting: 0 where x repeats. */
void interp_broadcast(const ir_tensor *x, const ir_tensor *y, int64_t *stride);
/* y[i . ys] = x[i . xs] for every index i below dim; x and y point at cells, strides are in elements. */
void interp_copy_box(int rank, const int64_t *dim, const char *x, const int64_t *xs, char *y,
                     const int64_t *ys);
/* Moves an index of `rank` axes to the next in row-major order and keeps n offsets in step with it. */
void interp_step(int rank, const int64_t *dim, int64_t *index, int n, int64_t *offset,
                 const int64_t (*stride)[IR_MAX_RANK]);

/* An axis in the middle: elements before it, along it, after it. */
typedef struct interp_axis {
    int64_t outer, axis, inner;
} interp_axis;
interp_axis interp_split(const ir_tensor *t, int axis);

/* A fused or free-standing activation. */
typedef struct interp_act {
    vox_act act;
    double alpha, beta;
    const double *slope; /* prelu: used as alpha; NULL: none */
    int64_t slope_step;  /* 1: one per channel, 0: one for all */
} interp_act;
/* From act, alpha, beta and the slope input of a conv, transposed conv or instance norm. */
interp_act interp_act_of(const interp_call *c);
/* y[0..n) = act(y) with channel ch's slope. */
void interp_act_apply(const interp_act *a, int64_t ch, double *y, int64_t n);

/* Calls fn(ctx, task, thread) for every task below n, on up to `threads` threads (0 <= thread < threads).
 * Tasks must write disjoint memory. */
void interp_parallel(int threads, int64_t n, void (*fn)(void *ctx, int64_t task, int thread), void *ctx);

#endif
