/* SPDX-License-Identifier: MIT-0 */
/* npy.c: see npy.h. */
#include "npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";

const char *vox_npy_find(const void *start, size_t n, int *version, size_t *at, size_t *length) {
    const unsigned char *u = start;
    if (n < 10 || memcmp(u, magic, 6) != 0) return "it does not begin with \\x93NUMPY";
    *version = u[6];
    if (*version < 1 || *version > 3) return "the format's version is not 1, 2 or 3";
    *at = *version == 1 ? 10 : 12;
    if (n < *at) return "truncated in the header";
    *length = (size_t)u[8] | (size_t)u[9] << 8;
    if (*version > 1) *length |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
    return NULL;
}

typedef struct cursor {
    const char *p, *end;
    vox_npy *h;
    unsigned seen; /* bit per key */
} cursor;

static void space(cursor *c) {
    while (c->p < c->end && *c->p == ' ') c->p++;
}

static bool skip(cursor *c, char what) {
    space(c);
    if (c->p >= c->end || *c->p != what) return false;
    c->p++;
    return true;
}

static bool quoted(cursor *c, char *out, size_t n) {
    char quote = skip(c, '\'') ? '\'' : skip(c, '"') ? '"' : 0;
    size_t k = 0;
    if (!quote) return false;
    while (c->p < c->end && *c->p != quote && k + 1 < n) out[k++] = *c->p++;
    out[k] = 0;
    return skip(c, quote);
}

static bool word(cursor *c, const char *what) {
    size_t n = strlen(what);
    space(c);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, what, n) != 0) return false;
    c->p += n;
    return true;
}

static const char *read_descr(cursor *c) {
    return quoted(c, c->h->descr, sizeof c->h->descr) ? NULL : "unreadable descr";
}

static const char *read_order(cursor *c) {
    c->h->fortran = word(c, "True");
    return c->h->fortran || word(c, "False") ? NULL : "fortran_order is neither True nor False";
}

static const char *read_tuple(cursor *c) {
    vox_npy *h = c->h;
    if (!skip(c, '(')) return "shape is not a tuple";
    while (!skip(c, ')')) {
        int64_t v = 0;
        const char *start = c->p;
        for (; c->p < c->end && *c->p >= '0' && *c->p <= '9' && v < ((int64_t)1 << 58); c->p++)
            v = v * 10 + (*c->p - '0');
        if (c->p == start) return "unreadable shape";
        if (h->rank == VOX_NPY_MAX_RANK) return "more than 32 axes";
        h->dim[h->rank++] = v;
        if (!skip(c, ',') && c->p < c->end && *c->p != ')') return "unreadable shape";
        space(c);
    }
    return NULL;
}

static const struct {
    const char *name;
    const char *(*read)(cursor *c);
} keys[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_tuple}};
enum { KEYS = sizeof keys / sizeof *keys };

static const char *read_item(cursor *c) {
    char name[32];
    if (!quoted(c, name, sizeof name) || !skip(c, ':')) return "unreadable header";
    for (unsigned i = 0; i < KEYS; i++) {
        if (strcmp(name, keys[i].name) != 0) continue;
        if (c->seen & (1u << i)) return "a header key appears twice";
        c->seen |= 1u << i;
        return keys[i].read(c);
    }
    return "unknown header key";
}

const char *vox_npy_read(vox_npy *h, const char *text, size_t n) {
    cursor c = {.p = text, .end = text + n, .h = h};
    *h = (vox_npy){.rank = 0};
    if (!skip(&c, '{')) return "the header is no dictionary";
    while (!skip(&c, '}')) {
        const char *wrong = read_item(&c);
        if (wrong) return wrong;
        skip(&c, ',');
    }
    return c.seen == (1u << KEYS) - 1 ? NULL : "descr, fortran_order or shape is missing";
}

size_t vox_npy_write(char text[VOX_NPY_TEXT], const char *descr, int rank, const int64_t *dim) {
    size_t n = 10;
    n += (size_t)snprintf(text + n, VOX_NPY_TEXT - n, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                          descr);
    for (int a = 0; a < rank; a++)
        n += (size_t)snprintf(text + n, VOX_NPY_TEXT - n, "%s%" PRId64 "%s", a ? " " : "", dim[a],
                              a + 1 < rank || rank == 1 ? "," : "");
    n += (size_t)snprintf(text + n, VOX_NPY_TEXT - n, "), }");
    while ((n + 1) % 64 != 0) text[n++] = ' ';
    text[n++] = '\n';
    memcpy(text, magic, 6);
    text[6] = 1;
    text[7] = 0;
    text[8] = (char)((n - 10) & 0xff);
    text[9] = (char)((n - 10) >> 8);
    return n;
}

void vox_npy_reorder(const vox_npy *h, const void *from, void *to, size_t size) {
    int64_t at[VOX_NPY_MAX_RANK] = {0}, count = 1;
    for (int a = 0; a < h->rank; a++) count *= h->dim[a];
    for (int64_t i = 0; i < count; i++) {
        int64_t k = 0;
        for (int a = h->rank - 1; a >= 0; a--) k = k * h->dim[a] + at[a];
        memcpy((char *)to + (size_t)i * size, (const char *)from + (size_t)k * size, size);
        for (int a = h->rank - 1; a >= 0 && ++at[a] == h->dim[a]; a--) at[a] = 0;
    }
}
