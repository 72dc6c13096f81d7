/* diag.c: the first error of a compilation, and the end of the program for a broken invariant. */
#include "ir.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool ir_fail(ir_diag *d, int code, const char *fmt, ...) {
    if (!d || d->code) return false;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->text, sizeof d->text, fmt, ap);
    va_end(ap);
    d->code = code;
    return false;
}

bool ir_fail_in(ir_diag *d, const char *fmt, ...) {
    if (!d || !d->code) return false;
    char text[2 * sizeof d->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof d->text - 2, fmt, ap);
    va_end(ap);
    size_t used = strlen(text);
    memcpy(text + used, ": ", 2);
    memcpy(text + used + 2, d->text, sizeof d->text);
    memcpy(d->text, text, sizeof d->text - 1);
    d->text[sizeof d->text - 1] = 0;
    return false;
}

_Noreturn void ir_die(const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "voxc: internal error: %s; please report it with the input that caused it\n", text);
    abort();
}
