/* SPDX-License-Identifier: MIT-0 */
/* vox_isas.h: the instruction sets that a bundle's kernels are built for, once for compiler and runtime.
 * Another one is a row here, its vocabulary in vox_simd.h, and has_<name> in vox_isa.c.
 */
#ifndef VOX_ISAS_H
#define VOX_ISAS_H

/* X(name, the compiler's flags for it); of one machine the best is the last. */
#define VOX_ISAS_ANY(X)    X(baseline, "")
#define VOX_ISAS_X86_64(X) /* besides the baseline */                                                        \
    X(avx2, "-mavx2 -mfma")                                                                                  \
    X(avx512, "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma")
#define VOX_ISAS_AARCH64(X) /* instead of it */ X(neon, "")

/* "baseline | avx2 | ..." */
#define VOX_ISA_NAME(name, flags)    #name
#define VOX_ISA_OR_NAME(name, flags) " | " #name
#define VOX_ISA_NAMES                                                                                        \
    VOX_ISAS_ANY(VOX_ISA_NAME) VOX_ISAS_X86_64(VOX_ISA_OR_NAME) VOX_ISAS_AARCH64(VOX_ISA_OR_NAME)

#endif
