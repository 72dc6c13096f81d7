/* SPDX-License-Identifier: MIT-0 */
/* vox_isa.c: see vox_isa.h. Asks the processor each time: no state, any thread. */
#include "vox_isa.h"

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

int vox_isa_available(const char *name) {
    if (strcmp(name, "baseline") == 0) return 1;
    unsigned a, b, c, d, features;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, LEAF1_ECX_OSXSAVE | LEAF1_ECX_FMA)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &features, &c, &d) || !has(features, LEAF7_EBX_AVX2)) return 0;
    if (strcmp(name, "avx2") == 0) return has(saved_state(), XCR0_AVX);
    return strcmp(name, "avx512") == 0 && has(features, LEAF7_EBX_AVX512) && has(saved_state(), XCR0_AVX512);
}
#else
int vox_isa_available(const char *name) {
#if defined(__aarch64__)
    if (strcmp(name, "neon") == 0) return 1; /* every AArch64 processor has it */
#endif
    return strcmp(name, "baseline") == 0;
}
#endif
