/* json.h: a strict reader of JSON texts (RFC 8259) from files that are not trusted. */
#ifndef VOXC_JSON_H
#define VOXC_JSON_H

#include "ir.h"

typedef enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_LIST, JSON_OBJECT } json_kind;

typedef struct json_value json_value;
struct json_value {
    json_kind kind;
    bool boolean;
    bool is_integer; /* JSON_NUMBER: written without fraction and exponent, and fits */
    int64_t integer;
    double number;
    const char *string; /* UTF-8, ends with a zero byte; \u0000 is refused */
    int count;          /* of a list or an object */
    const char **key;   /* of an object, in the file's order, no two alike */
    json_value *item;
};

/* NULL after filling d with "name: byte N: what is wrong". The values live in a. */
const json_value *json_parse(ir_arena *a, const char *text, size_t n, const char *name, ir_diag *d);
/* NULL where object is none, or has no such key. */
const json_value *json_get(const json_value *object, const char *key);

#endif
