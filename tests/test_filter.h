/* test_filter.h: TEST_FILTER in the environment names the tests of a program that run, with * and ?. */
#ifndef VOXC_TEST_FILTER_H
#define VOXC_TEST_FILTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

static void __attribute__((constructor)) test_filter(void) {
    const char *filter = getenv("TEST_FILTER");
    if (filter) cmocka_set_test_filter(filter);
}

#endif
