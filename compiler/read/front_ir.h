/* front_ir.h: reads a model in the text form of ir/IR.md. */
#ifndef VOXC_FRONT_IR_H
#define VOXC_FRONT_IR_H

#include "ir.h"

/* Whether a graph is sound, d filled with the invariant that it breaks: ir_verify, or more than that. */
typedef bool ir_sound(const ir_graph *g, ir_diag *d);

/* NULL with d filled, IR_EXIT_INPUT and the place: not text, no graph in text form, or one that is not sound,
 * such as one without outputs. */
ir_graph *ir_load(const char *path, ir_sound *sound, ir_diag *d);

#endif
