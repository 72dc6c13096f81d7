/* SPDX-License-Identifier: MIT-0 */
/* vox_isa.c: see vox_isa.h. Asks the processor each time: no state, any thread. */
#include "vox_isa.h"

#include "vox_isas.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

static unsigned saved_state(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* xgetbv needs OSXSAVE, which is among the bits of leaf 1 of every set that asks for XCR0. */
static int has(unsigned leaf1_ecx, unsigned leaf7_ebx, unsigned xcr0) {
    unsigned a, b, c, d;
    if (leaf1_ecx == 0) return 1;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & leaf1_ecx) != leaf1_ecx) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & leaf7_ebx) != leaf7_ebx) return 0;
    return (saved_state() & xcr0) == xcr0;
}
#define OF_THIS_MACHINE(X) VOX_ISAS_ANY(X) VOX_ISAS_X86_64(X)
#else
static int has(unsigned leaf1_ecx, unsigned leaf7_ebx, unsigned xcr0) {
    return (leaf1_ecx | leaf7_ebx | xcr0) == 0; /* every AArch64 processor has NEON */
}
#if defined(__aarch64__)
#define OF_THIS_MACHINE(X) VOX_ISAS_ANY(X) VOX_ISAS_AARCH64(X)
#else
#define OF_THIS_MACHINE(X) VOX_ISAS_ANY(X)
#endif
#endif

int vox_isa_available(const char *name) {
#define TRY(isa, flags, leaf1_ecx, leaf7_ebx, xcr0)                                                          \
    if (strcmp(name, #isa) == 0) return has(leaf1_ecx, leaf7_ebx, xcr0);
    OF_THIS_MACHINE(TRY)
#undef TRY
    return 0;
}
