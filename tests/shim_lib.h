/* shim_lib.h: a library that stands before the C library's calls, built from a source in tests/. */
#ifndef SHIM_LIB_H
#define SHIM_LIB_H

#include "test.h"

static char *shim; /* its path; its folder is for the test's own files */

/* Builds tests/NAME.c. Returns the compiler's exit code. */
static TEST_UNUSED int shim_build(const char *name) {
    char *dir = test_tmpdir();
    shim = test_format("%s/%s.so", dir, name);
    char *command = test_format("cc -D_GNU_SOURCE -shared -fPIC -O1 -o %s tests/%s.c -ldl", shim, name);
    int code = test_run(command, NULL);
    free(command), free(dir);
    return code;
}

static TEST_UNUSED char *shim_folder(void) {
    return test_format("%.*s", (int)(strrchr(shim, '/') - shim), shim);
}

/* With its folder. */
static TEST_UNUSED int shim_remove(void **state) {
    (void)state;
    test_rmdir(shim_folder());
    free(shim);
    return 0;
}

#endif
