/* pass_match.h: what the rewriting passes ask of a graph, and the one way they take a node out of it. */
#ifndef VOXC_PASS_MATCH_H
#define VOXC_PASS_MATCH_H

#include "ir.h"

/* The node that computes t, if it is an `op` and nothing else uses t; else NULL. Constants and inputs have
 * none. */
ir_node *pass_only_producer(const ir_graph *g, const ir_tensor *t, ir_op op);

/* A constant whose values are known. */
bool pass_is_const(const ir_tensor *t);
/* Is t such a constant with every element equal to v? (An empty one is not.) */
bool pass_is_all(const ir_tensor *t, double v);

/* Does constant t broadcast to x with one value per channel of x (axis 1) or one for all? */
bool pass_is_per_channel(const ir_tensor *t, const ir_tensor *x);
/* That value for channel c. */
double pass_channel(const ir_tensor *t, int64_t c);

/* n computes nothing: everybody who used its output uses operand k instead, and n is removed. A name that the
 * graph promises (an output's) survives: the operand's producer then computes the tensor of that name.
 * Returns false, with nothing changed, where that is not possible (a graph input or another output would lose
 * its own name). */
bool pass_bypass(ir_graph *g, ir_node *n, int k);

/* n is taken over by `by`, the only producer of its operand: `by` now computes n's output; n is removed. */
void pass_absorb(ir_graph *g, ir_node *by, ir_node *n);

/* n, a reshape, ends a group norm (pass_groups.c): that becomes one node, which computes n's output. False: n
 * is something else. */
bool pass_take_groups(ir_graph *g, ir_node *n);

/* Replaces the values of constant operand k of n by v, each rounded once to f32; a constant with other users
 * is left alone and n gets a new one. */
void pass_set_const(ir_graph *g, ir_node *n, int k, const double *v);
/* Operand k of n (which may not exist yet) becomes a new constant f32[count]. */
void pass_add_const(ir_graph *g, ir_node *n, int k, const char *suffix, int64_t count, const double *v);

#endif
