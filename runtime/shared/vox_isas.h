/* SPDX-License-Identifier: MIT-0 */
/* vox_isas.h: the instruction sets that a bundle's kernels are built for, once for compiler and runtime.
 * Another one is a row here and its vocabulary in vox_simd.h.
 */
#ifndef VOX_ISAS_H
#define VOX_ISAS_H

/* X(name, the compiler's flags for it, what an x86-64 processor must have: bits of CPUID leaf 1's ecx, of leaf 7's ebx,
 * and of XCR0, the registers that the operating system saves); of one machine the best is the last.
 *   leaf 1  12 FMA, 27 OSXSAVE      leaf 7  5 AVX2; AVX-512 16 F, 17 DQ, 30 BW, 31 VL
 *   XCR0    1 and 2 xmm and ymm, 5 to 7 masks and zmm */
#define VOX_ISAS_ANY(X)    X(baseline, "", 0, 0, 0)
#define VOX_ISAS_X86_64(X) /* besides the baseline */                                                        \
    X(avx2, "-mavx2 -mfma", 0x08001000, 0x00000020, 0x06)                                                    \
    X(avx512, "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma", 0x08001000, 0xc0030020, 0xe6)
#define VOX_ISAS_AARCH64(X) /* instead of it */ X(neon, "", 0, 0, 0)

/* "baseline | avx2 | ..." */
#define VOX_ISA_NAME(name, ...)    #name
#define VOX_ISA_OR_NAME(name, ...) " | " #name
#define VOX_ISA_NAMES                                                                                        \
    VOX_ISAS_ANY(VOX_ISA_NAME) VOX_ISAS_X86_64(VOX_ISA_OR_NAME) VOX_ISAS_AARCH64(VOX_ISA_OR_NAME)

#endif
