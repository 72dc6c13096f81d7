/* init.h: seeded weights for a network that has none: He-normal convolutions, and norm layers near the
 * identity.
 *
 * The same seed and names give the same bits on every machine and with every compiler: the randomness is
 * integer arithmetic on a counter, and each element takes one correctly rounded multiplication or exact sum.
 * A tensor's values depend on the seed, its name, its shape and its use, so adding a layer leaves the others
 * as they were.
 */
#ifndef VOXC_INIT_H
#define VOXC_INIT_H

#include "ir.h"

/* Fills every f32 constant of g that has no data. */
void init_weights(ir_graph *g, uint64_t seed);

/* Element i of the stream `key`: close to normal, mean 0, deviation 1 (the sum of twelve uniforms), a
 * multiple of 2^-16 within [-6, 6]. */
double init_normal(uint64_t key, uint64_t i);

#endif
