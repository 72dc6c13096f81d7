/* text.c: see cg_text.h. */
#include "cg_text.h"

#include <stdarg.h>
#include <string.h>

#include "embed.h"
#include "utf8.h"

static void reserve(cg_text *t, size_t more) {
    if (t->size + more + 1 <= t->capacity) return;
    size_t capacity = (t->size + more + 1) * 2;
    char *grown = ir_alloc(t->arena, capacity, 1);
    if (t->size) memcpy(grown, t->text, t->size);
    t->text = grown;
    t->capacity = capacity;
}

static void add_bytes(cg_text *t, const char *s, size_t n) {
    reserve(t, n);
    memcpy(t->text + t->size, s, n);
    t->size += n;
    t->text[t->size] = 0;
}

void cg_add_string(cg_text *t, const char *s) {
    add_bytes(t, s, strlen(s));
}

void cg_add(cg_text *t, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) ir_die("cg_add: bad format %s", fmt);
    reserve(t, (size_t)n);
    vsnprintf(t->text + t->size, (size_t)n + 1, fmt, again);
    va_end(again);
    t->size += (size_t)n;
}

/* JSON's escapes stand for characters, so what is no UTF-8 is lost. */
void cg_add_json(cg_text *t, const char *s) {
    uint32_t code;
    cg_add_string(t, "\"");
    for (size_t n; *s; s += n) {
        ir_char_kind kind = ir_char(s, &n, &code);
        if (kind == IR_CHAR_INVALID)
            cg_add_string(t, "?");
        else if (kind == IR_CHAR_PLAIN)
            cg_add(t, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", (int)n, s);
        else
            cg_add(t, "\\u%04x", (unsigned)code);
    }
    cg_add_string(t, "\"");
}

/* The same bytes at run time. C11 still has trigraphs: "??/" would be a backslash. Octal escapes end after
 * three digits, whatever follows. */
void cg_add_c_string(cg_text *t, const char *s) {
    const char *escaped = strstr(s, "??") ? "\"\\?" : "\"\\";
    uint32_t code;
    cg_add_string(t, "\"");
    for (size_t n; *s; s += n) {
        bool plain = ir_char(s, &n, &code) == IR_CHAR_PLAIN;
        if (plain) cg_add(t, "%s%.*s", strchr(escaped, *s) ? "\\" : "", (int)n, s);
        for (size_t i = 0; !plain && i < n; i++) cg_add(t, "\\%03o", (unsigned)(unsigned char)s[i]);
    }
    cg_add_string(t, "\"");
}

/* Whether the two characters at s mean something in a comment: its end or start, or the start of a trigraph.
 */
static bool is_mark(const char *s) {
    return (s[0] == '*' && s[1] == '/') || (s[0] == '/' && s[1] == '*') || (s[0] == '?' && s[1] == '?');
}

/* A backslash could be the last character of a line, which would go on then. */
void cg_add_remark(cg_text *t, const char *s) {
    uint32_t code;
    for (size_t n; *s; s += n) {
        ir_char_kind kind = ir_char(s, &n, &code);
        if (kind != IR_CHAR_PLAIN || *s == '\\')
            cg_add_string(t, kind == IR_CHAR_CONTROL ? " " : kind == IR_CHAR_PLAIN ? "|" : "?");
        else
            cg_add(t, "%.*s%s", (int)n, s, is_mark(s) ? " " : "");
    }
}

void cg_add_markdown(cg_text *t, const char *s) {
    uint32_t code;
    for (size_t n; *s; s += n) {
        ir_char_kind kind = ir_char(s, &n, &code);
        if (kind == IR_CHAR_PLAIN)
            cg_add(t, "%s%.*s", strchr("\\`*[]<>&|", *s) ? "\\" : "", (int)n, s);
        else
            cg_add_string(t, kind == IR_CHAR_CONTROL ? " " : "?");
    }
}

const char *cg_string(const cg_text *t) {
    return t->text ? t->text : "";
}

const char *cg_embedded(const char *path, size_t *size) {
    for (const embedded_file *f = embedded_files; f->path; f++) {
        if (strcmp(f->path, path) != 0) continue;
        if (size) *size = f->size;
        return f->text;
    }
    ir_die("no embedded file %s", path);
}
