/* ranges.h: of many ranges of bytes, known beforehand, those that are switched on and meet a given one. */
#ifndef VOXC_IR_RANGES_H
#define VOXC_IR_RANGES_H

#include "ir.h"

typedef struct ir_range {
    int64_t begin, end; /* without `end` */
} ir_range;

/* A tree over the ranges by ascending begin; those that are off, and empty ones, meet nothing. */
typedef struct ir_ranges {
    int count, leaves;
    int *number;    /* of the range at each place of that order */
    int *place;     /* the other way round */
    int64_t *begin; /* per place */
    int64_t *end;   /* per range, as given */
    int64_t *most;  /* per node of the tree: the largest end below it of what is on; INT64_MIN: of nothing */
} ir_ranges;

/* All of them off. */
ir_ranges ir_ranges_new(int count, const ir_range *list, ir_arena *arena);
void ir_ranges_switch(ir_ranges *r, int number, bool on);
/* The next one that meets `with`; -1: there is none. *from: 0 at first, where to go on afterwards. What has
 * been found may be switched off meanwhile. Takes the logarithm of their count. */
int ir_ranges_next(const ir_ranges *r, ir_range with, int *from);

#endif
