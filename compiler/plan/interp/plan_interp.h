/* plan_interp.h: runs a planned graph in real bytes, as the emitted code would, without a C compiler.
 *
 * The plan is believed to the letter: every element is read from and written to the byte that arena offset,
 * views, layout, pitch, ring and step make of it, by the kernel that does the node's work. For each byte the
 * interpreter keeps which element of which tensor was written there last. So a plan is found wrong where it
 * is wrong, whatever the numbers are: an element that is read must be the last that was written there. What
 * is computed from the elements is the interpreter's (ir.h), one node at a time, in double precision; results
 * are rounded to what is kept in memory. Nothing of the passes or of the verifier is shared.
 */
#ifndef VOXC_PLAN_INTERP_H
#define VOXC_PLAN_INTERP_H

#include "ir.h"

/* Runs `planned` (what pipeline_run leaves, for either target). in[k] are the values of planned->inputs,
 * owned by the caller; out[k] receives malloc'd values of planned->outputs (free with ir_values_free). False
 * with d filled (IR_EXIT_FAILURE) at the first access that the plan gets wrong: which layer, which element,
 * which byte, and who wrote that byte instead. Also fails on constants without data, and for more than 2^32
 * elements. Memory: five bytes for each byte of the arena. */
bool plan_interpret(const ir_graph *planned, const ir_value *in, ir_value *out, ir_diag *d);

/* Runs `source` (as imported) with ir_interpret and `planned`, which was made of it, with plan_interpret,
 * both on inputs that the seed decides, and compares the outputs, to what the precisions that values are kept
 * in allow; not at all where one of them was too large for that. False with d filled at the first difference.
 */
bool plan_check(const ir_graph *source, const ir_graph *planned, uint64_t seed, ir_diag *d);

#endif
