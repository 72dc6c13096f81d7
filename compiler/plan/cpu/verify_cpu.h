/* verify_cpu.h: what a sound plan says about work that convolutions do for other nodes. */
#ifndef VOXC_VERIFY_CPU_H
#define VOXC_VERIFY_CPU_H

#include "verify.h"

/* Values that lie nowhere, as convs hand them on in registers (verify_fused.c). */
bool verify_fused(verifier *v);
/* Values normalised on load, sums gathered (verify_norm.c). */
bool verify_norms(verifier *v);

#endif
