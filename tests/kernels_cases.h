/* Every kernel against its plain formula: the table that the tests of each instruction set are stamped from.
 * The including file names the set: KERNELS_ISA (text), KERNELS_RUNS (whether this processor has it). */
#ifndef KERNELS_CASES_H
#define KERNELS_CASES_H

#include "kernels_around.h"
#include "kernels_conv.h"
#include "kernels_not_finite.h"
#include "kernels_winograd_memory.h"
#include "kernels_other.h"
#include "kernels_ring.h"
#include "kernels_rounding.h"
#include "kernels_rare.h"

/* clang-format off */
#define KERNEL_TESTS(X) \
    X(conv_every_width) X(conv_random) X(conv_wide_dilation) X(conv_pointwise) X(conv_chunks) \
    X(conv_transpose_random) X(conv_transpose_residues) \
    X(winograd_batches) X(winograd_random) X(winograd_lanes) X(winograd_ranges_and_rings) X(winograd_memory_is_what_is_touched) X(winograd_batches_are_shared_out_evenly) X(winograd_accuracy) \
    X(winograd_self_check) X(selftest_tolerance) X(winograd_not_finite) X(winograd_few) X(winograd_few_large) X(winograd_few_not_finite) X(winograd_many_not_finite) X(winograd_few_many_not_finite) X(winograd_not_finite_takes_no_longer) X(maps_not_finite_take_no_longer) \
    X(exp_is_within_two_ulp) X(activations) X(max_pool) X(max_pool_nan) X(average_pool) X(norm_terms) X(normalise) X(affine) \
    X(around_conv) X(around_winograd) X(around_not_finite) \
    X(map) X(binary) X(binary_in_place) X(cast) X(copy) X(pad) X(relayout) X(rings) X(resize) X(softmax) X(arg_max) X(reduce)
/* clang-format on */

static __attribute__((noinline)) int run_kernel_tests(void) {
#define X(name) cmocka_unit_test(name),
    const struct CMUnitTest tests[] = {KERNEL_TESTS(X)};
#undef X
    return cmocka_run_group_tests_name(KERNELS_ISA, tests, NULL, NULL);
}

int main(void) {
    if (KERNELS_RUNS) return run_kernel_tests();
    printf("SKIPPED: this processor has no %s\n", KERNELS_ISA);
    return 0;
}

#endif
