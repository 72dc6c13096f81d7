// flags: -O3 -ffp-contract=fast
/* The kernels as the compiler builds them for any processor of the machine's kind. */
#define KERNELS_ISA  "kernels, baseline"
#define KERNELS_RUNS 1
#include "kernels_cases.h"
