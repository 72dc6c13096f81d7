/* json_node.h: a value of a JSON file that knows where it stands, for messages that name file and key:
 * "DIR/plans.json: configurations.3d_fullres.spacing: expected a list of 3 numbers, this is a text". */
#ifndef VOXC_JSON_NODE_H
#define VOXC_JSON_NODE_H

#include "json.h"

typedef struct json_file {
    const char *name;
    ir_arena *arena; /* owns all that is read */
    ir_diag *d;
} json_file;

typedef struct json_node {
    const json_file *file;
    const char *path;        /* "configurations.3d_fullres.spacing[0]"; "" at the top */
    const json_value *value; /* NULL: there is none at this path */
} json_node;

/* The file's value in *root; false after filling d. */
bool json_read_file(json_file *f, const char *path, ir_arena *a, ir_diag *d, json_node *root);

/* A member or an element; its value is NULL where there is none, or where n is of another kind. */
json_node json_member(json_node n, const char *key);
json_node json_element(json_node n, int i);
json_node json_member_at(json_node n, int i); /* member i of an object, in the file's order */
bool json_is(json_node n, json_kind kind);    /* false where there is none */
bool json_is_absent(json_node n);             /* there is none, or it is null */
bool json_is_text(json_node n, const char *text);
int json_count(json_node n); /* of a list or an object; 0 for others */

/* Records "file: path: message". Returns false. */
bool json_fail(json_node n, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "file: path: expected WHAT, this is ...". Returns false. */
bool json_expected(json_node n, const char *what);

/* The value in *to; false after filling d where it is missing or of another kind. */
bool json_text(json_node n, const char **to);
bool json_number(json_node n, double *to);
bool json_int(json_node n, int64_t low, int64_t high, int64_t *to);
bool json_bool(json_node n, bool *to);
bool json_numbers(json_node n, int count, double *to); /* a list of so many */
/* An object with no other keys than these; an absent one has none. ignored: a second list, NULL for none. */
bool json_only_keys(json_node n, const char *const *keys, int count, const char *const *ignored,
                    int n_ignored);

#endif
