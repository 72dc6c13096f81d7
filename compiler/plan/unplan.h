/* unplan.h: a dump of a later pass, so that it can go through all of them again. */
#ifndef VOXC_UNPLAN_H
#define VOXC_UNPLAN_H

#include "ir.h"

/* Takes out what the passes for a CPU decided about memory and turns, conversions between layouts included.
 * The outputs keep their values, and their names where a node computes them. */
void forget_plan(ir_graph *g);

#endif
