/* json.c: a recursive-descent JSON reader with bounded depth. Contract: json.h. */
#include "json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

typedef struct reader {
    ir_arena *arena;
    const char *name, *start, *p, *end;
    ir_diag *d;
    int depth;
} reader;

static bool not_json(reader *r, const char *what) {
    return ir_fail(r->d, IR_EXIT_INPUT, "%s: byte %zu of the JSON text: %s", r->name,
                   (size_t)(r->p - r->start), what);
}

static void skip_space(reader *r) {
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')) r->p++;
}

static bool take_char(reader *r, char c) {
    skip_space(r);
    if (r->p == r->end || *r->p != c) return false;
    r->p++;
    return true;
}

/* ---- strings */

static bool hex4(reader *r, unsigned *out) {
    *out = 0;
    if (r->end - r->p < 4) return not_json(r, "a \\u escape needs four hexadecimal digits");
    for (int i = 0; i < 4; i++) {
        char c = r->p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16u;
        if (digit == 16) return not_json(r, "a \\u escape needs four hexadecimal digits");
        *out = *out * 16 + digit;
    }
    r->p += 4;
    return true;
}

static char *put_utf8(char *to, unsigned c) {
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(lead[more] | (c >> (6 * more)));
    while (more-- > 0) *to++ = (char)(0x80 | ((c >> (6 * more)) & 0x3F));
    return to;
}

static bool unicode_escape(reader *r, char **to) {
    unsigned c, low;
    if (!hex4(r, &c)) return false;
    if (c >= 0xD800 && c < 0xDC00) {
        if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != 'u')
            return not_json(r, "half of a surrogate pair");
        r->p += 2;
        if (!hex4(r, &low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return not_json(r, "half of a surrogate pair");
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    } else if (c == 0 || (c >= 0xDC00 && c <= 0xDFFF)) {
        return not_json(r, "a character that no name may hold");
    }
    *to = put_utf8(*to, c);
    return true;
}

static bool read_escape(reader *r, char **to) {
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (r->p == r->end) return not_json(r, "the text ends inside a string");
    char c = *r->p++;
    if (c == 'u') return unicode_escape(r, to);
    const char *k = memchr(from, c, sizeof from - 1);
    if (!k) return not_json(r, "an unknown escape in a string");
    *(*to)++ = into[k - from];
    return true;
}

/* After the opening quote. Escapes only shrink, so the rest of the text up to the closing quote bounds the
 * size. */
static bool read_string(reader *r, const char **out) {
    const char *close = r->p;
    while (close < r->end && *close != '"') close += *close == '\\' && close + 1 < r->end ? 2 : 1;
    if (close >= r->end) return not_json(r, "the text ends inside a string");
    char *buf = ir_alloc(r->arena, (size_t)(close - r->p) + 1, 1), *to = buf;
    *out = buf;
    while (*r->p != '"') {
        unsigned char c = (unsigned char)*r->p++;
        if (c < 0x20) return not_json(r, "a control character in a string");
        if (c != '\\')
            *to++ = (char)c;
        else if (!read_escape(r, &to))
            return false;
    }
    r->p++;
    return true;
}

/* ---- numbers */

static bool digits(reader *r) {
    const char *first = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') r->p++;
    return r->p > first || not_json(r, "expected a digit");
}

static bool read_number(reader *r, json_value *v) {
    char buf[64];
    const char *first = r->p;
    bool whole = true;
    if (*r->p == '-') r->p++;
    if (r->p < r->end && *r->p == '0')
        r->p++;
    else if (!digits(r))
        return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        whole = false;
        if (!digits(r)) return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        whole = false;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) r->p++;
        if (!digits(r)) return false;
    }
    size_t n = (size_t)(r->p - first);
    if (n >= sizeof buf) return not_json(r, "a number with too many digits");
    memcpy(buf, first, n);
    buf[n] = '\0';
    errno = 0;
    v->kind = JSON_NUMBER;
    v->number = strtod(buf, NULL);
    if (!isfinite(v->number)) return not_json(r, "a number that is too large");
    errno = 0;
    v->integer = whole ? strtoll(buf, NULL, 10) : 0;
    v->is_integer = whole && errno == 0;
    return true;
}

/* ---- lists and objects */

static bool read_value(reader *r, json_value *v);

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_unique(reader *r, const json_value *v) {
    const char **sorted = ir_alloc(r->arena, (size_t)v->count + 1, sizeof *sorted);
    if (v->count) memcpy(sorted, v->key, (size_t)v->count * sizeof *sorted);
    qsort(sorted, (size_t)v->count, sizeof *sorted, by_name);
    for (int i = 1; i < v->count; i++)
        if (!strcmp(sorted[i - 1], sorted[i]))
            return ir_fail(r->d, IR_EXIT_INPUT, "%s: the name %.200s stands twice in one JSON object",
                           r->name, sorted[i]);
    return true;
}

static void make_room(reader *r, json_value *v, int *cap) {
    if (v->count < *cap) return;
    int more = *cap ? 2 * *cap : 8;
    json_value *item = ir_alloc(r->arena, (size_t)more, sizeof *item);
    const char **key = ir_alloc(r->arena, (size_t)more, sizeof *key);
    if (v->count) {
        memcpy(item, v->item, (size_t)v->count * sizeof *item);
        memcpy(key, v->key, (size_t)v->count * sizeof *key);
    }
    v->item = item;
    v->key = key;
    *cap = more;
}

static bool read_key(reader *r, const char **key) {
    skip_space(r);
    if (!take_char(r, '"')) return not_json(r, "expected a name in quotes");
    if (!read_string(r, key)) return false;
    return take_char(r, ':') || not_json(r, "expected a colon after the name");
}

/* After the opening bracket. */
static bool read_members(reader *r, json_value *v, char close) {
    int cap = 0;
    if (++r->depth > MAX_DEPTH) return not_json(r, "nested too deep");
    if (take_char(r, close)) {
        r->depth--;
        return true;
    }
    for (;;) {
        make_room(r, v, &cap);
        if (v->kind == JSON_OBJECT && !read_key(r, &v->key[v->count])) return false;
        if (!read_value(r, &v->item[v->count])) return false;
        v->count++;
        if (take_char(r, close)) break;
        if (!take_char(r, ',')) return not_json(r, "expected a comma or the closing bracket");
    }
    r->depth--;
    return v->kind == JSON_LIST || check_unique(r, v);
}

static bool read_word(reader *r, json_value *v) {
    static const struct {
        const char *text;
        json_kind kind;
        bool value;
    } words[] = {{"null", JSON_NULL, false}, {"true", JSON_BOOL, true}, {"false", JSON_BOOL, false}};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i].text);
        if ((size_t)(r->end - r->p) < n || memcmp(r->p, words[i].text, n)) continue;
        v->kind = words[i].kind;
        v->boolean = words[i].value;
        r->p += n;
        return true;
    }
    return not_json(r, "expected a value");
}

static bool read_value(reader *r, json_value *v) {
    skip_space(r);
    *v = (json_value){.kind = JSON_NULL};
    if (r->p == r->end) return not_json(r, "the text ends where a value is expected");
    if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) return read_number(r, v);
    if (take_char(r, '"')) {
        v->kind = JSON_STRING;
        return read_string(r, &v->string);
    }
    if (take_char(r, '[')) {
        v->kind = JSON_LIST;
        return read_members(r, v, ']');
    }
    if (take_char(r, '{')) {
        v->kind = JSON_OBJECT;
        return read_members(r, v, '}');
    }
    return read_word(r, v);
}

const json_value *json_parse(ir_arena *a, const char *text, size_t n, const char *name, ir_diag *d) {
    reader r = {.arena = a, .name = name, .start = text, .p = text, .end = text + n, .d = d};
    json_value *v = ir_alloc(a, 1, sizeof *v);
    if (!read_value(&r, v)) return NULL;
    skip_space(&r);
    if (r.p == r.end) return v;
    not_json(&r, "something follows the end");
    return NULL;
}

const json_value *json_get(const json_value *object, const char *key) {
    for (int i = 0; object && object->kind == JSON_OBJECT && i < object->count; i++)
        if (!strcmp(object->key[i], key)) return &object->item[i];
    return NULL;
}
