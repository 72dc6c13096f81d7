/* SPDX-License-Identifier: MIT-0 */
/* json_write.h: JSON texts, value by value. */
#ifndef VOX_JSON_WRITE_H
#define VOX_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { VOX_JSON_DEPTH = 8 };

typedef struct vox_json {
    void (*put)(void *to, const char *text, size_t n);
    void *to;
    int depth, indent;
    struct {
        bool lines; /* each item on a line of its own */
        bool some;  /* there is an item already */
        char end;
    } open[VOX_JSON_DEPTH];
} vox_json;

/* To a file, whose errors stay where they are: ferror. */
vox_json vox_json_file(FILE *f);

/* Every value has a key in an object, and NULL in a list or as the whole text.
 * form: "{" or "[" with all items on one line, "{\n" or "[\n" with a line for each. */
void vox_json_begin(vox_json *j, const char *key, const char *form);
void vox_json_end(vox_json *j); /* the innermost that is open */

/* Several members at once, "name=%s bytes=%zu share=%.3f": keys, each with how printf writes the value (d, u, s, f, g;
 * l and z). Texts are quoted, as below; what is not finite is null. In a list the keys are empty: "=%d =%d". */
void vox_json_members(vox_json *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An object of these on one line. */
void vox_json_object(vox_json *j, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Quoted; what is not plain (utf8.h) is escaped, and what is no UTF-8 becomes question marks.
 * NULL is null. */
void vox_json_text(vox_json *j, const char *key, const char *text);
void vox_json_int(vox_json *j, const char *key, int64_t v);
void vox_json_bool(vox_json *j, const char *key, bool v);
/* As %.<digits>g; null for NaN and infinities, which JSON lacks. */
void vox_json_number(vox_json *j, const char *key, int digits, double x);
/* What the format makes is the value: other numbers, text that needs no escapes with its quotes. */
void vox_json_format(vox_json *j, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
