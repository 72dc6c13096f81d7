/* names.h: finds the tensors of a graph by name, in constant time. Internal to ir/. */
#ifndef VOXC_IR_NAMES_H
#define VOXC_IR_NAMES_H

#include "ir.h"

/* t is in the graph, under its name; again after each new name. */
void ir_names_add(ir_graph *g, ir_tensor *t);
/* t is not any more. */
void ir_names_drop(ir_graph *g, ir_tensor *t);
/* The first number such that BASE_<number> may be free, 2 or more; the caller counts it up to where it is. */
int *ir_names_next(ir_graph *g, const char *base);

#endif
