/* placed.h: pieces of memory that have their place in the arena, and where there is room for another. */
#ifndef VOXC_PLACED_H
#define VOXC_PLACED_H

#include "lifetime.h"

typedef struct placed {
    int64_t start, end; /* in the arena */
    ir_span alive;
} placed;

typedef struct placed_chunk placed_chunk;

/* By ascending start, in chunks that are passed over as a whole where all or none of a chunk counts. */
typedef struct placed_list {
    ir_arena *arena;
    int count, n_chunks, n_made, capacity;
    placed_chunk **chunks; /* n_made of them, of which n_chunks are in use */
} placed_list;

/* All zero but for the arena: empty. */
void placed_add(placed_list *l, placed new);
void placed_clear(placed_list *l);
/* The lowest place from `start` on for so many bytes apart from all that is alive together with them. */
int64_t placed_lowest(const placed_list *l, ir_span alive, int64_t bytes, int64_t start);

#endif
