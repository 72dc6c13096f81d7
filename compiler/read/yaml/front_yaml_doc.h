/* front_yaml_doc.h: a YAML document as a tree that remembers where each part stands. */
#ifndef VOXC_FRONT_YAML_DOC_H
#define VOXC_FRONT_YAML_DOC_H

#include "ir.h"

typedef enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP } yaml_kind;

typedef struct yaml_item yaml_item;
struct yaml_item {
    yaml_kind kind;
    int line, col;    /* from 1 */
    const char *text; /* YAML_TEXT */
    bool quoted;      /* YAML_TEXT: written in quotes, so never a number or a $parameter */
    int count;        /* YAML_LIST, YAML_MAP */
    yaml_item **key;  /* YAML_MAP: all YAML_TEXT, no two alike */
    yaml_item **item; /* values */
};

typedef struct yaml_source {
    const char *name; /* of the file, for messages */
    const char *text;
    size_t n;
    ir_arena *arena; /* owns the tree */
    const yaml_item *root;
} yaml_source;

/* Reads s->text (name, text, n and arena are set by the caller) into s->root: one document. */
bool yaml_read_tree(yaml_source *s, ir_diag *d);

const yaml_item *yaml_find(const yaml_item *map, const char *key); /* NULL if absent */
const char *yaml_kind_text(const yaml_item *i);                    /* "a list", "\"text\"" ... for messages */

/* Records "name:line:col: message", the source line and a caret. Returns false. */
bool yaml_fail(const yaml_source *s, const yaml_item *at, int code, ir_diag *d, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Fails unless every key of map is one of names; suggests the nearest. what:
 * "layer kind conv", "the file". */
bool yaml_only_keys(const yaml_source *s, const yaml_item *map, const char *what, const char *const *names,
                    int count, ir_diag *d);
/* " (did you mean x?)" or "", in a static-size buffer that the caller gives. */
const char *yaml_did_you_mean(const char *word, const char *const *names, int count, char *buf, size_t n);

/* Readers of scalars; what is the value's name in messages. */
bool yaml_int(const yaml_source *s, const yaml_item *i, const char *what, int64_t low, int64_t high,
              int64_t *out, ir_diag *d);
bool yaml_number(const yaml_source *s, const yaml_item *i, const char *what, double *out, ir_diag *d);
/* The index of the text among names. */
bool yaml_choice(const yaml_source *s, const yaml_item *i, const char *what, const char *const *names,
                 int count, int *out, ir_diag *d);

#endif
