/* npy.c: see npy.h. The format: "\x93NUMPY", major, minor, header length (2 or 4 bytes), a Python dict
 * literal with the keys descr, fortran_order and shape, data
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
#include "npy.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

/* X(descr without byte order, IR type) */
#define NPY_TYPES(X)                                                                                         \
    X("f4", IR_F32) X("f8", IR_F64) X("i8", IR_I64) X("i4", IR_I32) X("u1", IR_U8) X("b1", IR_BOOL)
static const struct {
    char descr[3];
    ir_dtype dtype;
} npy_type[] = {
#define X(descr, dtype) {descr, dtype},
    NPY_TYPES(X)
#undef X
};
enum { NPY_TYPE_COUNT = sizeof npy_type / sizeof *npy_type };
static const char npy_magic[] = "\x93NUMPY";

typedef struct npy_header {
    const char *p, *end; /* the dict literal */
    const char *path;
    ir_diag *d;
    ir_dtype dtype;
    int rank;
    int64_t dim[IR_MAX_RANK];
    bool fortran;
    unsigned seen; /* bit per key */
} npy_header;

static bool npy_bad(npy_header *h, const char *what) {
    return ir_fail(h->d, IR_EXIT_INPUT, "%s: not a .npy file that voxc reads: %s", h->path, what);
}

static void npy_space(npy_header *h) {
    while (h->p < h->end && *h->p == ' ') h->p++;
}

static bool npy_skip(npy_header *h, char c) {
    npy_space(h);
    if (h->p >= h->end || *h->p != c) return false;
    h->p++;
    return true;
}

static bool npy_string(npy_header *h, char *out, size_t n) {
    char quote = npy_skip(h, '\'') ? '\'' : npy_skip(h, '"') ? '"' : 0;
    size_t k = 0;
    if (!quote) return false;
    while (h->p < h->end && *h->p != quote && k + 1 < n) out[k++] = *h->p++;
    out[k] = 0;
    return npy_skip(h, quote);
}

static bool npy_word(npy_header *h, const char *word) {
    size_t n = strlen(word);
    npy_space(h);
    if ((size_t)(h->end - h->p) < n || memcmp(h->p, word, n) != 0) return false;
    h->p += n;
    return true;
}

static bool npy_descr(npy_header *h) {
    char s[16];
    if (!npy_string(h, s, sizeof s) || strlen(s) != 3) return npy_bad(h, "unreadable descr");
    for (int i = 0; i < NPY_TYPE_COUNT; i++) {
        bool byte = npy_type[i].descr[1] == '1';
        if (strcmp(s + 1, npy_type[i].descr) != 0 || (*s != '<' && !(byte && *s == '|'))) continue;
        h->dtype = npy_type[i].dtype;
        return true;
    }
    return ir_fail(h->d, IR_EXIT_UNSUPPORTED,
                   "%s: type %s; little-endian f4, f8, i8, i4, u1 and b1 are supported", h->path, s);
}

static bool npy_fortran(npy_header *h) {
    h->fortran = npy_word(h, "True");
    return h->fortran || npy_word(h, "False") || npy_bad(h, "fortran_order is neither True nor False");
}

static bool npy_shape(npy_header *h) {
    if (!npy_skip(h, '(')) return npy_bad(h, "shape is not a tuple");
    while (!npy_skip(h, ')')) {
        int64_t v = 0;
        const char *start = h->p;
        for (; h->p < h->end && *h->p >= '0' && *h->p <= '9' && v < ((int64_t)1 << 58); h->p++)
            v = v * 10 + (*h->p - '0');
        if (h->p == start) return npy_bad(h, "unreadable shape");
        if (h->rank == IR_MAX_RANK) return npy_bad(h, "more than 8 axes");
        h->dim[h->rank++] = v;
        if (!npy_skip(h, ',') && h->p < h->end && *h->p != ')') return npy_bad(h, "unreadable shape");
        npy_space(h);
    }
    return true;
}

static const struct {
    const char *name;
    bool (*read)(npy_header *h);
} npy_key[] = {{"descr", npy_descr}, {"fortran_order", npy_fortran}, {"shape", npy_shape}};
enum { NPY_KEY_COUNT = sizeof npy_key / sizeof *npy_key };

static bool npy_entry(npy_header *h) {
    char name[32];
    if (!npy_string(h, name, sizeof name) || !npy_skip(h, ':')) return npy_bad(h, "unreadable header");
    for (unsigned i = 0; i < NPY_KEY_COUNT; i++) {
        if (strcmp(name, npy_key[i].name) != 0) continue;
        if (h->seen & (1u << i)) return npy_bad(h, "a header key appears twice");
        h->seen |= 1u << i;
        return npy_key[i].read(h);
    }
    return npy_bad(h, "unknown header key");
}

static bool npy_dict(npy_header *h) {
    if (!npy_skip(h, '{')) return npy_bad(h, "the header is no dictionary");
    while (!npy_skip(h, '}')) {
        if (!npy_entry(h)) return false;
        npy_skip(h, ',');
    }
    return h->seen == (1u << NPY_KEY_COUNT) - 1 || npy_bad(h, "descr, fortran_order or shape is missing");
}

/* Finds the dict literal and the data behind it. */
static bool npy_split(npy_header *h, const char *file, size_t n, const char **data) {
    const unsigned char *u = (const unsigned char *)file;
    if (n < 10 || memcmp(file, npy_magic, 6) != 0) return npy_bad(h, "it does not begin with \\x93NUMPY");
    if (u[6] < 1 || u[6] > 3) return npy_bad(h, "the format's version is not 1, 2 or 3");
    size_t start = u[6] == 1 ? 10 : 12, len = (size_t)(u[8] | u[9] << 8);
    if (n < start) return npy_bad(h, "truncated in the header");
    if (u[6] > 1) len |= (size_t)u[10] << 16 | (size_t)u[11] << 24;
    if (len > n - start) return npy_bad(h, "truncated in the header");
    h->p = file + start;
    h->end = *data = h->p + len;
    return true;
}

static void npy_reorder(const npy_header *h, const char *from, char *to, int64_t count, size_t size) {
    int64_t at[IR_MAX_RANK] = {0};
    for (int64_t i = 0; i < count; i++) {
        int64_t k = 0;
        for (int a = h->rank - 1; a >= 0; a--) k = k * h->dim[a] + at[a];
        memcpy(to + (size_t)i * size, from + (size_t)k * size, size);
        for (int a = h->rank - 1; a >= 0 && ++at[a] == h->dim[a]; a--) at[a] = 0;
    }
}

static bool npy_parse(npy_header *h, const char *file, size_t n, file_tensor *t) {
    const char *data = NULL;
    int64_t bytes;
    if (!npy_split(h, file, n, &data) || !npy_dict(h)) return false;
    if (!ir_shape_bytes(h->dtype, h->rank, h->dim, &bytes)) return npy_bad(h, "the shape's size overflows");
    size_t have = n - (size_t)(data - file);
    if ((uint64_t)bytes != have)
        return ir_fail(h->d, IR_EXIT_INPUT, "%s: the header promises %lld bytes of data, the file holds %zu",
                       h->path, (long long)bytes, have);
    if (!file_tensor_init(t, h->dtype, h->rank, h->dim, h->path, h->d)) return false;
    if (h->fortran && h->rank > 1)
        npy_reorder(h, data, t->data, bytes / (int64_t)ir_dtype_bytes(h->dtype), ir_dtype_bytes(h->dtype));
    else
        memcpy(t->data, data, have);
    return true;
}

bool npy_read(const char *path, file_tensor *t, ir_diag *d) {
    npy_header h = {.path = path, .d = d};
    size_t n = 0;
    *t = (file_tensor){0};
    char *file = file_read(path, (size_t)1 << 40, &n, d);
    if (!file) return false;
    bool ok = npy_parse(&h, file, n, t);
    free(file);
    return ok;
}

static const char *npy_descr_of(ir_dtype t) {
    for (int i = 0; i < NPY_TYPE_COUNT; i++)
        if (npy_type[i].dtype == t) return npy_type[i].descr;
    ir_die("npy_write: type without a descr");
}

/* Writes the header, padded with spaces so that the data begins at a multiple of 64, into buf; returns its
 * length. */
static size_t npy_header_text(const file_tensor *t, char *buf, size_t size) {
    int n = snprintf(buf + 10, size - 10, "{'descr': '%s%s', 'fortran_order': False, 'shape': (",
                     ir_dtype_bytes(t->dtype) == 1 ? "|" : "<", npy_descr_of(t->dtype));
    for (int a = 0; a < t->rank; a++)
        n += snprintf(buf + 10 + n, size - 10 - (size_t)n, "%s%lld%s", a ? " " : "", (long long)t->dim[a],
                      a + 1 < t->rank || t->rank == 1 ? "," : "");
    n += snprintf(buf + 10 + n, size - 10 - (size_t)n, "), }");
    size_t total = ((size_t)n + 11 + 63) / 64 * 64;
    memset(buf + 10 + n, ' ', total - 11 - (size_t)n);
    buf[total - 1] = '\n';
    memcpy(buf, npy_magic, 6);
    buf[6] = 1;
    buf[7] = 0;
    buf[8] = (char)((total - 10) & 0xff);
    buf[9] = (char)((total - 10) >> 8);
    return total;
}

char *npy_format(const file_tensor *t, size_t *size, ir_diag *d) {
    char head[512];
    int64_t bytes;
    if (!ir_shape_bytes(t->dtype, t->rank, t->dim, &bytes)) ir_die("npy_format: shape overflows");
    size_t n = npy_header_text(t, head, sizeof head);
    *size = n + (size_t)bytes;
    char *all = malloc(*size);
    if (!all) {
        ir_fail(d, IR_EXIT_FAILURE, "out of memory for %zu bytes of .npy", *size);
        return NULL;
    }
    memcpy(all, head, n);
    memcpy(all + n, t->data, (size_t)bytes);
    return all;
}

bool npy_write(const char *path, const file_tensor *t, ir_diag *d) {
    size_t size;
    char *all = npy_format(t, &size, d);
    bool ok = all && file_write_atomic(path, all, size, d);
    free(all);
    return ok;
}
