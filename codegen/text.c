/* text.c: see cg_text.h. */
#include "cg_text.h"

#include <stdarg.h>
#include <string.h>

#include "embed.h"

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

static bool is_control(char c) {
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static void add_literal(cg_text *t, const char *s, const char *escaped) {
    cg_add_string(t, "\"");
    for (; *s; s++) cg_add(t, "%s%c", strchr(escaped, *s) ? "\\" : "", is_control(*s) ? ' ' : *s);
    cg_add_string(t, "\"");
}

size_t cg_utf8_length(const char *s) {
    unsigned char c = (unsigned char)*s;
    size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)s[i] & 0xC0) != 0x80) return 0;
    return n;
}

void cg_add_json(cg_text *t, const char *s) {
    char *clean = ir_strdup(t->arena, s);
    for (char *p = clean; *p;) {
        size_t n = cg_utf8_length(p);
        if (!n) *p = '?';
        p += n ? n : 1;
    }
    add_literal(t, clean, "\"\\");
}

/* C11 still has trigraphs: "??/" would be a backslash. */
void cg_add_c_string(cg_text *t, const char *s) {
    add_literal(t, s, strstr(s, "??") ? "\"\\?" : "\"\\");
}

void cg_add_remark(cg_text *t, const char *s) {
    for (; *s; s++) {
        bool mark = (s[0] == '*' && s[1] == '/') || (s[0] == '/' && s[1] == '*');
        cg_add(t, "%c%s", is_control(*s) ? ' ' : *s, mark ? " " : "");
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
