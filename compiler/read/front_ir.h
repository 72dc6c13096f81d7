/* front_ir.h: reads a model in the text form of ir/IR.md. */
#ifndef VOXC_FRONT_IR_H
#define VOXC_FRONT_IR_H

#include "ir.h"

/* NULL with d filled, IR_EXIT_INPUT and the place: not text, no graph in text form, or one that breaks an
 * invariant, such as one without outputs. */
ir_graph *ir_load(const char *path, ir_diag *d);

#endif
