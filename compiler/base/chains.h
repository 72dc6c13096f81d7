/* chains.h: finds numbered things by a hash, in the order of their numbers. Whoever looks compares the things
 * themselves: for (int i = cg_first(c, hash); i >= 0; i = cg_next(c, i)). Hashes may be made of addresses,
 * since only things that are equal meet. */
#ifndef VOXC_CHAINS_H
#define VOXC_CHAINS_H

#include "ir.h"

typedef struct cg_link {
    uint64_t hash;
    int next; /* of the same hash; -1: none */
} cg_link;

/* All zero but for the arena: empty. */
typedef struct cg_chains {
    ir_arena *arena;
    int count, room, mask;
    cg_link *links;
    int *first, *last; /* per hash & mask; -1: none */
} cg_chains;

/* The next thing in number (from 0 on) has this hash. */
void cg_chain(cg_chains *c, uint64_t hash);
int cg_first(const cg_chains *c, uint64_t hash);
int cg_next(const cg_chains *c, int number);
uint64_t cg_hash_address(const void *p);
uint64_t cg_hash_text(const char *text);

#endif
