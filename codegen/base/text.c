/* text.c: see cg_text.h. */
#include "cg_text.h"

#include <stdarg.h>
#include <string.h>

#include "embed.h"
#include "utf8.h"

enum { USUAL = 120 /* bytes that one call adds, most often not more */ };

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
    reserve(t, USUAL);
    const size_t room = t->capacity - t->size;
    int n = vsnprintf(t->text + t->size, room, fmt, args);
    va_end(args);
    if (n < 0) ir_die("cg_add: bad format %s", fmt);
    if ((size_t)n >= room) {
        reserve(t, (size_t)n);
        vsnprintf(t->text + t->size, (size_t)n + 1, fmt, again);
    }
    va_end(again);
    t->size += (size_t)n;
}

/* n bytes of s, behind a backslash where the first of them is in `special`. */
static void add_escaped(cg_text *t, const char *special, const char *s, size_t n) {
    if (strchr(special, *s)) add_bytes(t, "\\", 1);
    add_bytes(t, s, n);
}

static void put_json(void *to, const char *text, size_t n) {
    add_bytes(to, text, n);
}

vox_json cg_json(cg_text *t) {
    return (vox_json){.put = put_json, .to = t};
}

/* The same bytes at run time. C11 still has trigraphs: "??/" would be a backslash. Octal escapes end after
 * three digits, whatever follows. */
void cg_add_c_string(cg_text *t, const char *s) {
    const char *escaped = strstr(s, "??") ? "\"\\?" : "\"\\";
    uint32_t code;
    cg_add_string(t, "\"");
    for (size_t n; *s; s += n) {
        bool plain = vox_char(s, &n, &code) == VOX_CHAR_PLAIN;
        if (plain) add_escaped(t, escaped, s, n);
        for (size_t i = 0; !plain && i < n; i++) cg_add(t, "\\%03o", (unsigned)(unsigned char)s[i]);
    }
    cg_add_string(t, "\"");
}

/* Whether the two characters at s mean something in a comment:
 * its end or start, or the start of a trigraph. */
static bool is_mark(const char *s) {
    return (s[0] == '*' && s[1] == '/') || (s[0] == '/' && s[1] == '*') || (s[0] == '?' && s[1] == '?');
}

/* A backslash could be the last character of a line, which would go on then. */
void cg_add_remark(cg_text *t, const char *s) {
    uint32_t code;
    for (size_t n; *s; s += n) {
        vox_char_kind kind = vox_char(s, &n, &code);
        if (kind != VOX_CHAR_PLAIN || *s == '\\') {
            cg_add_string(t, kind == VOX_CHAR_CONTROL ? " " : kind == VOX_CHAR_PLAIN ? "|" : "?");
            continue;
        }
        add_bytes(t, s, n);
        if (is_mark(s)) add_bytes(t, " ", 1);
    }
}

void cg_add_markdown(cg_text *t, const char *s) {
    uint32_t code;
    for (size_t n; *s; s += n) {
        vox_char_kind kind = vox_char(s, &n, &code);
        if (kind == VOX_CHAR_PLAIN)
            add_escaped(t, "\\`*[]<>&|", s, n);
        else
            cg_add_string(t, kind == VOX_CHAR_CONTROL ? " " : "?");
    }
}

/* Where the line [s, s + n) breaks: behind the last ", " that fits and has an open parenthesis in front of
 * it; 0: nowhere. *indent: the column below the list's first element. */
static size_t break_of(const char *s, size_t n, size_t columns, size_t *indent) {
    enum { DEEPEST = 16 };
    size_t open[DEEPEST], depth = 0, found = 0;
    for (size_t i = 0; i < n && i < columns; i++) {
        if (s[i] == '(' && depth < DEEPEST) open[depth++] = i + 1;
        if (s[i] == ')' && depth) depth--;
        if (s[i] == ',' && s[i + 1] == ' ' && depth) found = i + 1, *indent = open[depth - 1];
    }
    return found;
}

static void add_line(cg_text *t, const char *s, size_t n, size_t columns) {
    size_t indent = 0, at = 0;
    const bool comment = strncmp(s, "/*", 2) == 0 || strncmp(s, " *", 2) == 0;
    if (n > columns && !comment) at = break_of(s, n, columns, &indent);
    if (!at) {
        add_bytes(t, s, n);
        return;
    }
    cg_add(t, "%.*s\n%*s", (int)at, s, (int)indent, "");
    add_bytes(t, s + at + 1, n - at - 1);
}

void cg_add_wrapped(cg_text *t, const char *text, size_t columns) {
    for (size_t n; *text; text += n) {
        n = strcspn(text, "\n");
        add_line(t, text, n, columns);
        if (text[n] == '\n') cg_add_string(t, "\n"), n++;
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
