// flags: -O3 -ffp-contract=fast -mavx2 -mfma
/* The kernels for AVX2 with FMA. */
#define KERNELS_ISA  "kernels, avx2"
#define KERNELS_RUNS (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#include "kernels_cases.h"
