/* SPDX-License-Identifier: MIT-0 */
/* vox_acts.h: the activations of vox_acts.def, and each one's value in double precision. */
#ifndef VOX_ACTS_H
#define VOX_ACTS_H

#include <math.h>

typedef enum vox_act {
    VOX_ACT_NONE,
#define ACT(sym, ...) VOX_ACT_##sym,
#include "vox_acts.def"
} vox_act;
#define ACT(...) +1
enum {
    VOX_ACTS = 1 /* how many there are, with NONE */
#include "vox_acts.def"
};

/* alpha: of prelu, the channel's slope. NaN for what is no activation. */
static inline double vox_act_value(vox_act act, double x, double alpha, double beta) {
    switch (act) {
    case VOX_ACT_NONE:
        return x;
#define ACT(sym, name, parameters, form, fuses, value, ...)                                                  \
    case VOX_ACT_##sym:                                                                                      \
        return value;
#include "vox_acts.def"
    }
    return (double)NAN;
}

#endif
