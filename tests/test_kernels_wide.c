// flags: -O1 -fexpensive-optimizations -g0 -ffp-contract=fast -mavx2 -mfma -DVOX_WIDE=16 -w -Wno-psabi
/* The kernels with AVX-512's 16 lanes and register tiles, for processors without it: each vector operation is
 * two of AVX2. Little is optimised, or gcc would take a minute; but products and sums are fused.
 * Warnings (about options and 64-byte arguments) are off: the other sets' tests have them. */
#define KERNELS_ISA  "kernels, 16 lanes by avx2"
#define KERNELS_RUNS (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#include "kernels_cases.h"
