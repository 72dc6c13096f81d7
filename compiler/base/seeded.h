/* seeded.h: the random tensors that verify and golden files run a network on; the same on every machine. */
#ifndef VOXC_SEEDED_H
#define VOXC_SEEDED_H

#include "ir.h"

/* Floats: uniform in [-1, 1), exact in f32. Integers: zeros. *v is malloc'd:
 * free with ir_values_free(v, 1). */
bool seeded_value(const ir_tensor *t, ir_value *v, ir_diag *d);

#endif
