/* SPDX-License-Identifier: MIT-0 */
/* vox_isa.c: see vox_isa.h. Asks the processor each time: no state, any thread. */
#include "vox_isa.h"

#include "vox_isas.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum {
    LEAF1_ECX_FMA = 1 << 12,
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF7_EBX_AVX2 = 1 << 5,
    XCR0_AVX = 0x06,    /* xmm and ymm state saved by the operating system */
    XCR0_AVX512 = 0xe6, /* and the mask and zmm state */
};
/* F, DQ, BW, VL */
#define LEAF7_EBX_AVX512 ((1u << 16) | (1u << 17) | (1u << 30) | (1u << 31))

static unsigned saved_state(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int has(unsigned set, unsigned bits) {
    return (set & bits) == bits;
}

/* With FMA. */
static int has_avx2(void) {
    unsigned a, b, c, d, features;
    return __get_cpuid(1, &a, &b, &c, &d) && has(c, LEAF1_ECX_OSXSAVE | LEAF1_ECX_FMA) &&
           __get_cpuid_count(7, 0, &a, &features, &c, &d) && has(features, LEAF7_EBX_AVX2) &&
           has(saved_state(), XCR0_AVX);
}
static int has_avx512(void) {
    unsigned a, features, c, d;
    return has_avx2() && __get_cpuid_count(7, 0, &a, &features, &c, &d) && has(features, LEAF7_EBX_AVX512) &&
           has(saved_state(), XCR0_AVX512);
}
#define OF_THIS_MACHINE(X) VOX_ISAS_ANY(X) VOX_ISAS_X86_64(X)
#elif defined(__aarch64__)
static int has_neon(void) {
    return 1; /* every AArch64 processor has it */
}
#define OF_THIS_MACHINE(X) VOX_ISAS_ANY(X) VOX_ISAS_AARCH64(X)
#else
#define OF_THIS_MACHINE(X) VOX_ISAS_ANY(X)
#endif
static int has_baseline(void) {
    return 1;
}

int vox_isa_available(const char *name) {
#define TRY(isa, flags)                                                                                      \
    if (strcmp(name, #isa) == 0) return has_##isa();
    OF_THIS_MACHINE(TRY)
#undef TRY
    return 0;
}
