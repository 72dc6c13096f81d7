// flags: -O1 -ffp-contract=fast
/* The kernels as the compiler builds them for any processor of the machine's kind. Those of the wider sets
 * are built as bundles build theirs, with -O3. */
#define KERNELS_ISA  "kernels, baseline"
#define KERNELS_RUNS 1
#include "kernels_cases.h"
