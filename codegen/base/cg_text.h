/* cg_text.h: growing text and filled templates, all in an ir_arena. */
#ifndef VOXC_CG_TEXT_H
#define VOXC_CG_TEXT_H

#include "ir.h"
#include "json_write.h"

typedef struct cg_text {
    ir_arena *arena;
    char *text; /* NUL-terminated; NULL while empty */
    size_t size, capacity;
} cg_text;

void cg_add(cg_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cg_add_string(cg_text *t, const char *s);
/* C text line by line; a line of more than `columns` is broken once, in a list in parentheses, which goes on
 * below its first element. */
void cg_add_wrapped(cg_text *t, const char *text, size_t columns);
/* Writes JSON at the end of t. */
vox_json cg_json(cg_text *t);
/* The text as a C string literal, quotes included; what is not plain (utf8.h) is escaped. */
void cg_add_c_string(cg_text *t, const char *s);
/* The text as part of a C comment, which it can't end, or of a Markdown paragraph, of which it stays a part:
 * a model's names, labels and files are anybody's. */
void cg_add_remark(cg_text *t, const char *s);
void cg_add_markdown(cg_text *t, const char *s);
const char *cg_string(const cg_text *t); /* "" while empty */

/* A template language of one construct: ${name} is replaced by the slot's value. */
enum { CG_MAX_SLOTS = 64 };
typedef struct cg_slots {
    ir_arena *arena;
    int count;
    struct {
        const char *name, *value;
    } slot[CG_MAX_SLOTS];
} cg_slots;

/* Setting a name again replaces its value. */
void cg_set(cg_slots *s, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void cg_set_int(cg_slots *s, const char *name, int64_t value);
/* Appends the filled template. A placeholder without a slot and a slot without a placeholder are the
 * compiler's bugs: ir_die names them. A line that holds nothing but a placeholder with an empty value
 * vanishes. */
void cg_fill(cg_text *out, const char *template_name, const char *template_text, const cg_slots *s);

/* An embedded file; dies if there is none of that path. */
const char *cg_embedded(const char *path, size_t *size);

#endif
