/* SPDX-License-Identifier: MIT-0 */
/* vox_limits.h: what the compiler must know about the kernels, once for both: how large a layer they take,
 * and how they share out its work. The sizes of their scratch memory are formulas on both sides, which
 * tests/test_numbers.c compares.
 */
#ifndef VOX_LIMITS_H
#define VOX_LIMITS_H

enum {
    /* Channels of a pointwise convolution that normalises what it loads: their terms, and a register tile of
     * normalised inputs, lie on the stack. */
    VOX_AROUND_MOST = 256,
    /* Output channels of plain convolutions whose vector lanes are positions: each has a register tile. */
    VOX_FEW_MOST = 12,
    VOX_FEW_VECTORS = 4, /* vectors of positions per such tile at most */
    /* Batches of Winograd tiles come in multiples of so many, where workers share them. */
    VOX_EVEN = 4,
    /* Winograd tiles that go through scratch memory at a time, at most. */
    VOX_BATCH_MOST = 128,
    /* Input channels whose weights vox_winograd_deep.h transforms at a time. */
    VOX_DEEP_CHANNELS = 128
};

/* What the self-test allows of what rounding is measured by (vox_check.h). */
#define VOX_CHECK_TOLERANCE 1e-5
/* How many times a direct sum's rounding errors are, in the root mean square, where Winograd's algorithm
 * takes 4 outputs at a time along one axis; 2 at a time round no worse than a direct sum. */
#define VOX_ROUNDING_4 1.4

#endif
