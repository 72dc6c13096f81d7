/* SPDX-License-Identifier: MIT-0 */
/* json_write.c: see json_write.h. */
#include "json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "utf8.h"

static void put(vox_json *j, const char *text) {
    j->put(j->to, text, strlen(text));
}

static void put_file(void *to, const char *text, size_t n) {
    fwrite(text, 1, n, to);
}

vox_json vox_json_file(FILE *f) {
    return (vox_json){.put = put_file, .to = f};
}

static void put_quoted(vox_json *j, const char *s) {
    put(j, "\"");
    for (size_t n; *s; s += n) {
        uint32_t code;
        char escaped[16];
        const vox_char_kind kind = vox_char(s, &n, &code);
        if (kind == VOX_CHAR_PLAIN) {
            if (*s == '"' || *s == '\\') put(j, "\\");
            j->put(j->to, s, n);
            continue;
        }
        snprintf(escaped, sizeof escaped, kind == VOX_CHAR_INVALID ? "?" : "\\u%04x", (unsigned)code);
        put(j, escaped);
    }
    put(j, "\"");
}

static void new_line(vox_json *j) {
    put(j, "\n");
    for (int i = 0; i < j->indent; i++) put(j, "  ");
}

/* What stands in front of a value. */
static void start_value(vox_json *j, const char *key) {
    if (j->depth > 0) {
        if (j->open[j->depth - 1].some) put(j, j->open[j->depth - 1].lines ? "," : ", ");
        if (j->open[j->depth - 1].lines) new_line(j);
        j->open[j->depth - 1].some = true;
    }
    if (key == NULL) return;
    put_quoted(j, key);
    put(j, ": ");
}

void vox_json_begin(vox_json *j, const char *key, const char *form) {
    start_value(j, key);
    j->put(j->to, form, 1);
    const bool lines = form[1] == '\n';
    j->indent += lines;
    j->open[j->depth].lines = lines;
    j->open[j->depth].some = false;
    j->open[j->depth++].end = *form == '{' ? '}' : ']';
}

void vox_json_end(vox_json *j) {
    const bool lines = j->open[--j->depth].lines;
    j->indent -= lines;
    if (lines) new_line(j);
    j->put(j->to, &j->open[j->depth].end, 1);
    if (j->depth == 0) put(j, "\n");
}

void vox_json_text(vox_json *j, const char *key, const char *text) {
    start_value(j, key);
    if (text != NULL)
        put_quoted(j, text);
    else
        put(j, "null");
}

/* The value of a member from the arguments, by its conversion ("%.3f"). */
static void put_number(vox_json *j, const char *spec, va_list *arguments) {
    char text[400];
    const char kind = spec[strlen(spec) - 1];
    if (kind == 'f' || kind == 'g') {
        const double x = va_arg(*arguments, double);
        snprintf(text, sizeof text, isfinite(x) ? spec : "null", x);
    } else if (strchr(spec, 'z') != NULL) {
        snprintf(text, sizeof text, spec, va_arg(*arguments, size_t));
    } else if (strstr(spec, "ll") != NULL) {
        snprintf(text, sizeof text, spec, va_arg(*arguments, long long));
    } else if (strchr(spec, 'l') != NULL) {
        snprintf(text, sizeof text, spec, va_arg(*arguments, long));
    } else {
        snprintf(text, sizeof text, spec, va_arg(*arguments, int));
    }
    put(j, text);
}

static void add_members(vox_json *j, const char *format, va_list *arguments) {
    while (*format != 0) {
        char key[48], spec[16];
        const int name = (int)strcspn(format, "=");
        const int length = (int)strcspn(format + name + 1, "dusfg") + 1;
        snprintf(key, sizeof key, "%.*s", name, format);
        snprintf(spec, sizeof spec, "%.*s", length, format + name + 1);
        format += name + 1 + length;
        format += *format == ' ';
        if (spec[length - 1] == 's') {
            vox_json_text(j, name > 0 ? key : NULL, va_arg(*arguments, const char *));
            continue;
        }
        start_value(j, name > 0 ? key : NULL);
        put_number(j, spec, arguments);
    }
}

void vox_json_members(vox_json *j, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_members(j, format, &arguments);
    va_end(arguments);
}

void vox_json_object(vox_json *j, const char *key, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vox_json_begin(j, key, "{");
    add_members(j, format, &arguments);
    vox_json_end(j);
    va_end(arguments);
}

void vox_json_int(vox_json *j, const char *key, int64_t v) {
    vox_json_format(j, key, "%" PRId64, v);
}

void vox_json_bool(vox_json *j, const char *key, bool v) {
    vox_json_format(j, key, v ? "true" : "false");
}

void vox_json_number(vox_json *j, const char *key, int digits, double x) {
    if (isfinite(x))
        vox_json_format(j, key, "%.*g", digits, x);
    else
        vox_json_text(j, key, NULL);
}

void vox_json_format(vox_json *j, const char *key, const char *format, ...) {
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    start_value(j, key);
    put(j, text);
}
