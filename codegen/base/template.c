/* template.c: the template language. ${name} and nothing else; see cg_text.h. */
#include "cg_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

static const char *format_list(ir_arena *arena, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0) ir_die("cg_set: bad format %s", fmt);
    char *text = ir_alloc(arena, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

static int find_slot(const cg_slots *s, const char *name, size_t length) {
    for (int i = 0; i < s->count; i++)
        if (strlen(s->slot[i].name) == length && memcmp(s->slot[i].name, name, length) == 0) return i;
    return -1;
}

void cg_set(cg_slots *s, const char *name, const char *fmt, ...) {
    int i = find_slot(s, name, strlen(name));
    if (i < 0) {
        if (s->count == CG_MAX_SLOTS) ir_die("template slot %s: more than %d slots", name, CG_MAX_SLOTS);
        i = s->count++;
        s->slot[i].name = name;
    }
    va_list args;
    va_start(args, fmt);
    s->slot[i].value = format_list(s->arena, fmt, args);
    va_end(args);
}

void cg_set_int(cg_slots *s, const char *name, int64_t value) {
    cg_set(s, name, "%" PRId64, value);
}

static void add_slice(cg_text *out, const char *from, const char *to) {
    cg_add(out, "%.*s", (int)(to - from), from);
}

/* Whether the placeholder [from, to) stands alone on its line. */
static bool alone_on_line(const char *start, const char *from, const char *to) {
    if (*to != '\n') return false;
    while (from > start && from[-1] == ' ') from--;
    return from == start || from[-1] == '\n';
}

static void drop_indent(cg_text *out) {
    while (out->size > 0 && out->text[out->size - 1] == ' ') out->text[--out->size] = 0;
}

void cg_fill(cg_text *out, const char *template_name, const char *text, const cg_slots *s) {
    bool used[CG_MAX_SLOTS] = {false};
    const char *p = text;
    for (const char *open; (open = strstr(p, "${")) != NULL;) {
        const char *close = strchr(open, '}');
        if (!close) ir_die("template %s: ${ without }", template_name);
        int i = find_slot(s, open + 2, (size_t)(close - open - 2));
        if (i < 0)
            ir_die("template %s: unknown placeholder %.*s", template_name, (int)(close + 1 - open), open);
        used[i] = true;
        add_slice(out, p, open);
        p = close + 1;
        if (!*s->slot[i].value && alone_on_line(text, open, p)) {
            drop_indent(out);
            p++;
        } else {
            cg_add_string(out, s->slot[i].value);
        }
    }
    cg_add_string(out, p);
    for (int i = 0; i < s->count; i++)
        if (!used[i]) ir_die("template %s: slot %s is not used", template_name, s->slot[i].name);
}
