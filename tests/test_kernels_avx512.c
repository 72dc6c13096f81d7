// flags: -O3 -ffp-contract=fast -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma
/* The kernels for AVX-512. */
#define KERNELS_ISA "kernels, avx512"
#define KERNELS_RUNS                                                                                         \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&                              \
     __builtin_cpu_supports("avx512vl"))
#include "kernels_cases.h"
