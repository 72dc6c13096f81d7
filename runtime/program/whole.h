/* SPDX-License-Identifier: MIT-0 */
/* whole.h: from floating point to whole numbers, where C leaves what does not fit undefined. */
#ifndef VOX_WHOLE_H
#define VOX_WHOLE_H

#include <stdint.h>

/* Towards zero, held inside low..high (whole numbers below 2^53); NaN gives low. */
static inline int64_t vox_whole(double x, int64_t low, int64_t high) {
    if (!(x > (double)low)) return low;
    return x < (double)high ? (int64_t)x : high;
}

#endif
