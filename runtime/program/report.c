/* SPDX-License-Identifier: MIT-0 */
/* report.c: see report.h. */
#include "report.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utf8.h"

static vox_warnings *collected; /* where warnings are kept besides; NULL: nowhere */

/* Names of files are anybody's: each message stays one line, and means nothing to a terminal. */
static void print_plain(FILE *to, const char *text) {
    size_t n;
    for (const char *s = text; *s != 0; s += n) {
        uint32_t code;
        if (vox_char(s, &n, &code) == VOX_CHAR_PLAIN)
            fwrite(s, 1, n, to);
        else
            for (size_t i = 0; i < n; i++) fprintf(to, "\\x%02x", (unsigned)(unsigned char)s[i]);
    }
}

static void line(const char *kind, const char *format, va_list arguments) {
    char text[2 * PATH_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    fflush(stdout);
    fprintf(stderr, "%s: ", kind);
    print_plain(stderr, text);
    fputc('\n', stderr);
}

static void collect(vox_warnings *w, const char *format, va_list arguments) {
    char text[2 * PATH_MAX], *copy = NULL;
    size_t n = 0;
    vsnprintf(text, sizeof text, format, arguments);
    FILE *to = w->n < VOX_WARNINGS ? open_memstream(&copy, &n) : NULL;
    if (to != NULL) {
        print_plain(to, text);
        if (fclose(to) == 0) {
            w->text[w->n++] = copy;
            return;
        }
        free(copy);
    }
    w->more++;
}

void vox_warnings_collect(vox_warnings *to) {
    collected = to;
}

void vox_warnings_free(vox_warnings *w) {
    if (collected == w) collected = NULL;
    for (int i = 0; i < w->n; i++) free(w->text[i]);
    *w = (vox_warnings){0};
}

int vox_fail(int code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    line("error", format, arguments);
    va_end(arguments);
    return code;
}

void vox_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    line("warning", format, arguments);
    va_end(arguments);
    if (collected == NULL) return;
    va_start(arguments, format);
    collect(collected, format, arguments);
    va_end(arguments);
}

void vox_note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    line("note", format, arguments);
    va_end(arguments);
}

int vox_fail_memory(const char *what, size_t bytes) {
    if (bytes == 0) return vox_fail(VOX_EXIT_FAILURE, "not enough memory for %s", what);
    if (bytes == SIZE_MAX)
        return vox_fail(VOX_EXIT_FAILURE, "not enough memory for %s (2^64 bytes or more)", what);
    return vox_fail(VOX_EXIT_FAILURE, "not enough memory for %s (%zu bytes)", what, bytes);
}

/* What the user can mend (files, VOX_ISA) is bad input, the rest a failure. */
int vox_fail_status(const char *where, vox_status status) {
    bool input = status >= VOX_E_WEIGHTS_MAGIC && status <= VOX_E_WEIGHTS_NOT_FINITE;
    if (status == VOX_E_ISA) {
#ifdef VOX_NO_ENVIRONMENT
        const char *forced = NULL;
#else
        const char *forced = getenv("VOX_ISA");
#endif
        return vox_fail(VOX_EXIT_INPUT, "%s: %s%s%s", where, vox_status_text(status),
                        forced ? ": the environment says VOX_ISA=" : "", forced ? forced : "");
    }
    return vox_fail(input ? VOX_EXIT_INPUT : VOX_EXIT_FAILURE, "%s: %s", where, vox_status_text(status));
}

vox_shape_text vox_shape(int rank, const int *dim) {
    vox_shape_text s = {"scalar"};
    size_t n = 0;
    for (int i = 0; i < rank && n < sizeof s.text; i++) {
        n += (size_t)snprintf(s.text + n, sizeof s.text - n, i == 0 ? "%d" : "x%d", dim[i]);
    }
    return s;
}

vox_size_text vox_size_mm(const double size[3]) {
    vox_size_text s = {""};
    size_t n = 0;
    for (int k = 0; k < 3 && n < sizeof s.text; k++) {
        const char *times = k == 0 ? "" : "x";
        n += size[k] > 0 ? (size_t)snprintf(s.text + n, sizeof s.text - n, "%s%.6g", times, size[k])
                         : (size_t)snprintf(s.text + n, sizeof s.text - n, "%s?", times);
    }
    if (n < sizeof s.text) snprintf(s.text + n, sizeof s.text - n, " mm");
    return s;
}

vox_number_text vox_number(double x) {
    vox_number_text s;
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(s.text, sizeof s.text, "%.*g", digits, x);
        double back = strtod(s.text, NULL);
        bool is_float = fabs(x) <= (double)FLT_MAX && x == (double)(float)x;
        if (back == x || (is_float && (float)back == (float)x)) break;
    }
    return s;
}

const char *vox_dtype_name(vox_dtype type) {
    static const char *const names[] = {
        [VOX_F32] = "float32", [VOX_I64] = "int64", [VOX_I32] = "int32", [VOX_U8] = "uint8"};
    return names[type];
}

vox_progress vox_progress_start(void) {
    return (vox_progress){.on = isatty(STDERR_FILENO) != 0};
}

void vox_progress_say(vox_progress *p, const char *format, ...) {
    if (!p->on) return;
    char text[120];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\r%-*s", p->width, text);
    p->width = (int)strlen(text);
    fflush(stderr);
}

void vox_progress_end(vox_progress *p) {
    if (p->on && p->width > 0) fprintf(stderr, "\r%*s\r", p->width, "");
    p->width = 0;
}
