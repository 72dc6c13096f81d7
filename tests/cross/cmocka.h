/* cmocka.h: as much of cmocka as the kernel tests use, for processors whose cmocka is not installed. Each
 * test runs in the program itself; the first failed assertion ends it. The lines at the end are cmocka's.
 */
#ifndef CROSS_CMOCKA_H
#define CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};
static jmp_buf cmocka_failed;

#define print_error(...)   fprintf(stderr, __VA_ARGS__)
#define print_message(...) printf(__VA_ARGS__)

static inline _Noreturn void cmocka_fail(const char *what, const char *file, int line) {
    print_error("%s:%d: failed: %s\n", file, line, what);
    longjmp(cmocka_failed, 1);
}
#define fail()                           cmocka_fail("fail()", __FILE__, __LINE__)
#define cmocka_check(c)                  ((c) ? (void)0 : cmocka_fail(#c, __FILE__, __LINE__))
#define assert_true(c)                   cmocka_check(c)
#define assert_non_null(p)               cmocka_check((p) != NULL)
#define assert_int_equal(a, b)           cmocka_check((a) == (b))
#define assert_memory_equal(a, b, bytes) cmocka_check(memcmp(a, b, bytes) == 0)

/* All of them run. */
static inline void cmocka_set_test_filter(const char *pattern) {
    (void)pattern;
}

/* 1: it passed. */
static inline int cmocka_run_one(const struct CMUnitTest *test) {
    if (setjmp(cmocka_failed) != 0) return 0;
    test->run(NULL);
    return 1;
}

static inline int cmocka_run_all(const char *group, const struct CMUnitTest *tests, int n) {
    int failed = 0;
    for (int i = 0; i < n; i++) {
        printf("[ RUN      ] %s: %s\n", group, tests[i].name);
        fflush(stdout);
        failed += !cmocka_run_one(&tests[i]);
    }
    printf("[  PASSED  ] %d test(s).\n", n - failed);
    if (failed > 0) printf("[  FAILED  ] %d test(s).\n", failed);
    return failed;
}
#define cmocka_unit_test(f)                                                                                  \
    { #f, f }
#define cmocka_run_group_tests_name(group, tests, setup, teardown)                                           \
    cmocka_run_all(group, tests, (int)(sizeof tests / sizeof *tests))

#endif
