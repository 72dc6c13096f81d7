#include "json_node.h"

#include "files.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 64 << 20 };

bool json_read_file(json_file *f, const char *path, ir_arena *a, ir_diag *d, json_node *root) {
    size_t n;
    char *text = file_read(path, MAX_FILE, &n, d);
    if (!text) return false;
    *f = (json_file){.name = ir_strdup(a, path), .arena = a, .d = d};
    *root = (json_node){.file = f, .path = "", .value = json_parse(a, text, n, f->name, d)};
    free(text);
    return root->value != NULL;
}

/* ---- ways ------------------------------------------------------------------------------------ */

json_node json_member(json_node n, const char *key) {
    const char *path = ir_format(n.file->arena, "%s%s%s", n.path, *n.path ? "." : "", key);
    return (json_node){.file = n.file, .path = path, .value = n.value ? json_get(n.value, key) : NULL};
}

json_node json_element(json_node n, int i) {
    bool there = json_is(n, JSON_LIST) && i < n.value->count;
    return (json_node){.file = n.file,
                       .path = ir_format(n.file->arena, "%s[%d]", n.path, i),
                       .value = there ? &n.value->item[i] : NULL};
}

json_node json_member_at(json_node n, int i) {
    return json_member(n, n.value->key[i]);
}

bool json_is(json_node n, json_kind kind) {
    return n.value && n.value->kind == kind;
}

bool json_is_absent(json_node n) {
    return !n.value || n.value->kind == JSON_NULL;
}

bool json_is_text(json_node n, const char *text) {
    return json_is(n, JSON_STRING) && !strcmp(n.value->string, text);
}

int json_count(json_node n) {
    return json_is(n, JSON_LIST) || json_is(n, JSON_OBJECT) ? n.value->count : 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

bool json_fail(json_node n, int code, const char *fmt, ...) {
    char message[1200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return ir_fail(n.file->d, code, "%s: %.200s%s%s", n.file->name, n.path, *n.path ? ": " : "", message);
}

static const char *kind_text(json_node n) {
    if (!n.value) return "there is none";
    switch (n.value->kind) {
    case JSON_NULL:
        return "this is null";
    case JSON_BOOL:
        return n.value->boolean ? "this is true" : "this is false";
    case JSON_NUMBER:
        return ir_format(n.file->arena, "this is %.17g", n.value->number);
    case JSON_STRING:
        return ir_format(n.file->arena, "this is \"%.60s\"", n.value->string);
    case JSON_LIST:
        return ir_format(n.file->arena, "this is a list of %d", n.value->count);
    default:
        return "this is an object";
    }
}

bool json_expected(json_node n, const char *what) {
    return json_fail(n, IR_EXIT_INPUT, "expected %s, %s", what, kind_text(n));
}

/* ---- values ---------------------------------------------------------------------------------- */

bool json_text(json_node n, const char **to) {
    if (!json_is(n, JSON_STRING)) return json_expected(n, "a text");
    *to = n.value->string;
    return true;
}

bool json_number(json_node n, double *to) {
    if (!json_is(n, JSON_NUMBER)) return json_expected(n, "a number");
    *to = n.value->number;
    return true;
}

bool json_int(json_node n, int64_t low, int64_t high, int64_t *to) {
    bool whole = json_is(n, JSON_NUMBER) && n.value->is_integer;
    if (!whole || n.value->integer < low || n.value->integer > high)
        return json_expected(
            n, ir_format(n.file->arena, "a whole number from %lld to %lld", (long long)low, (long long)high));
    *to = n.value->integer;
    return true;
}

bool json_bool(json_node n, bool *to) {
    if (!json_is(n, JSON_BOOL)) return json_expected(n, "true or false");
    *to = n.value->boolean;
    return true;
}

bool json_numbers(json_node n, int count, double *to) {
    if (!json_is(n, JSON_LIST) || n.value->count != count)
        return json_expected(n, ir_format(n.file->arena, "a list of %d numbers", count));
    for (int i = 0; i < count; i++)
        if (!json_number(json_element(n, i), &to[i])) return false;
    return true;
}

static bool is_one_of(const char *key, const char *const *keys, int count) {
    for (int i = 0; i < count; i++)
        if (!strcmp(key, keys[i])) return true;
    return false;
}

bool json_only_keys(json_node n, const char *const *keys, int count, const char *const *ignored,
                    int n_ignored) {
    if (json_is_absent(n)) return true;
    if (!json_is(n, JSON_OBJECT)) return json_expected(n, "an object");
    for (int i = 0; i < n.value->count; i++) {
        const char *key = n.value->key[i];
        if (is_one_of(key, keys, count) || is_one_of(key, ignored, n_ignored)) continue;
        return json_fail(json_member_at(n, i), IR_EXIT_UNSUPPORTED,
                         "this key is not understood, so what it asks for would be left out");
    }
    return true;
}
