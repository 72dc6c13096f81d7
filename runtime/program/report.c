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

/* Bytes of the character at s where it may go to a terminal; 0 for control characters, for what turns the
 * direction of text, and for what is no UTF-8. */
static size_t plain_bytes(const unsigned char *s) {
    size_t n = *s < 0x80 ? 1 : *s < 0xC2 ? 0 : *s < 0xE0 ? 2 : *s < 0xF0 ? 3 : *s < 0xF5 ? 4 : 0;
    unsigned long code = n < 2 ? *s : *s & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3F);
    }
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
    bool turns = code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                 (code >= 0x2066 && code <= 0x2069);
    return control || turns ? 0 : n;
}

/* Names of files are anybody's: each message stays one line, and means nothing to a terminal. */
static void line(const char *kind, const char *format, va_list arguments) {
    char text[2 * PATH_MAX];
    vsnprintf(text, sizeof text, format, arguments);
    fflush(stdout);
    fprintf(stderr, "%s: ", kind);
    for (const unsigned char *s = (const unsigned char *)text; *s != 0;) {
        size_t n = plain_bytes(s);
        if (n > 0)
            fwrite(s, 1, n, stderr);
        else
            fprintf(stderr, "\\x%02x", *s);
        s += n > 0 ? n : 1;
    }
    fputc('\n', stderr);
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

void vox_json_string(FILE *f, const char *text) {
    if (text == NULL) {
        fputs("null", f);
        return;
    }
    fputc('"', f);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\') {
            fprintf(f, "\\%c", *c);
        } else if (*c < 0x20) {
            fprintf(f, "\\u%04x", *c);
        } else {
            fputc(*c, f);
        }
    }
    fputc('"', f);
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
