/* grow.h: lists of pointers that grow in an arena. */
#ifndef VOXC_IR_GROW_H
#define VOXC_IR_GROW_H

#include "ir.h"

/* The list with room for one more pointer behind `count` of them. */
void *ir_grow(ir_arena *a, void *list, int count, int *capacity);

#endif
