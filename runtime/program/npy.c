/* SPDX-License-Identifier: MIT-0 */
/* npy.c: see npy.h. */
#include "npy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "report.h"

enum { MAX_HEADER = 1 << 16, MAX_RANK = 32 /* numpy's own limit */ };

typedef struct header {
    char descr[16]; /* "<f4" */
    bool fortran;
    int rank;
    long long dim[MAX_RANK];
} header;

size_t vox_array_bytes(vox_dtype type, int rank, const int *dim) {
    size_t n = vox_dtype_bytes(type);
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || __builtin_mul_overflow(n, (size_t)dim[i], &n)) return SIZE_MAX;
    }
    return n;
}

/* ---- header text: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), } ---------------- */

static const char *skip(const char *s) {
    while (*s == ' ' || *s == '\n') s++;
    return s;
}

/* The text after 'key': or NULL. */
static const char *value_of(const char *text, const char *key) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *s = strstr(text, quoted);
    if (s == NULL) return NULL;
    s = skip(s + strlen(quoted));
    return *s == ':' ? skip(s + 1) : NULL;
}

static bool parse_shape(const char *s, header *h) {
    if (*s != '(') return false;
    s = skip(s + 1);
    while (*s != ')') {
        char *end = NULL;
        if (h->rank == MAX_RANK || *s < '0' || *s > '9') return false;
        errno = 0;
        h->dim[h->rank++] = strtoll(s, &end, 10);
        if (errno != 0) return false;
        s = skip(end);
        if (*s == ',') {
            s = skip(s + 1);
        } else if (*s != ')') {
            return false;
        }
    }
    return true;
}

static bool parse_header(const char *text, header *h) {
    const char *descr = value_of(text, "descr"), *order = value_of(text, "fortran_order");
    const char *shape = value_of(text, "shape");
    if (descr == NULL || order == NULL || shape == NULL || *descr != '\'') return false;
    const char *end = strchr(descr + 1, '\'');
    if (end == NULL || end - descr - 1 >= (long)sizeof h->descr) return false;
    memcpy(h->descr, descr + 1, (size_t)(end - descr - 1));
    h->fortran = strncmp(order, "True", 4) == 0;
    if (!h->fortran && strncmp(order, "False", 5) != 0) return false;
    return parse_shape(shape, h);
}

/* Up to n bytes, fewer at the end or after an error; a signal in between is neither. */
static size_t read_up_to(FILE *f, void *data, size_t n) {
    size_t got = 0;
    while (got < n) {
        errno = 0;
        size_t more = fread((char *)data + got, 1, n - got, f);
        got += more;
        if (more > 0) continue;
        if (!ferror(f) || errno != EINTR) break;
        clearerr(f);
    }
    return got;
}

static int cannot_read(const char *path) {
    return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
}

static int read_header(const char *path, FILE *f, header *h) {
    unsigned char start[12] = {0};
    if (read_up_to(f, start, 10) != 10 || memcmp(start, "\x93NUMPY", 6) != 0) {
        if (ferror(f)) return cannot_read(path);
        return vox_fail(VOX_EXIT_INPUT, "%s: not a .npy file", path);
    }
    size_t n = (size_t)start[8] | (size_t)start[9] << 8;
    if (start[6] < 1 || start[6] > 3) {
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: .npy format version %d is unknown", path, start[6]);
    }
    if (start[6] > 1) {
        if (read_up_to(f, start + 10, 2) != 2)
            return ferror(f) ? cannot_read(path)
                             : vox_fail(VOX_EXIT_INPUT, "%s: truncated in the header", path);
        n |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (n > MAX_HEADER) return vox_fail(VOX_EXIT_INPUT, "%s: header of %zu bytes: corrupt", path, n);
    char *text = calloc(n + 1, 1);
    if (text == NULL) return vox_fail_memory("a .npy header", n);
    int code = 0;
    if (read_up_to(f, text, n) != n) {
        code = ferror(f) ? cannot_read(path) : vox_fail(VOX_EXIT_INPUT, "%s: truncated in the header", path);
    } else if (!parse_header(text, h)) {
        code = vox_fail(VOX_EXIT_INPUT, "%s: the .npy header is corrupt or not of plain numbers", path);
    }
    free(text);
    return code;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool same_type(const char *descr, vox_dtype type) {
    static const char *const codes[] = {
        [VOX_F32] = "f4", [VOX_I64] = "i8", [VOX_I32] = "i4", [VOX_U8] = "u1"};
    if (type == VOX_U8 && strcmp(descr, "|b1") == 0) return true;
    return strchr("<>=|", descr[0]) != NULL && strcmp(descr + 1, codes[type]) == 0;
}

static int mismatch(const char *path, const header *h, const vox_port *port) {
    char text[256] = "scalar";
    size_t n = 0;
    for (int i = 0; i < h->rank && n < sizeof text; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, i == 0 ? "%lld" : "x%lld", h->dim[i]);
    }
    const char *descr = h->descr[0] && strchr("<>=|", h->descr[0]) ? h->descr + 1 : h->descr;
    return vox_fail(VOX_EXIT_INPUT, "%s holds %s of type %s, but the network's '%s' is %s of type %s", path,
                    text, descr, port->name, vox_shape(port->rank, port->dim).text,
                    vox_dtype_name(port->dtype));
}

static bool matches(const header *h, const vox_port *port) {
    if (!same_type(h->descr, port->dtype) || h->rank != port->rank) return false;
    for (int i = 0; i < port->rank; i++) {
        if (h->dim[i] != port->dim[i]) return false;
    }
    return true;
}

static void swap_bytes(unsigned char *data, size_t bytes, size_t element) {
    for (size_t i = 0; i < bytes; i += element) {
        for (size_t a = 0, b = element - 1; a < b; a++, b--) {
            unsigned char t = data[i + a];
            data[i + a] = data[i + b];
            data[i + b] = t;
        }
    }
}

/* data holds the elements first index fastest; makes it last index fastest. */
static int from_fortran(const vox_port *port, unsigned char *data, size_t bytes) {
    size_t element = vox_dtype_bytes(port->dtype), stride[VOX_MAX_RANK], step = element;
    unsigned char *copy = malloc(bytes > 0 ? bytes : 1);
    if (copy == NULL) return vox_fail_memory("an array in Fortran order", bytes);
    memcpy(copy, data, bytes);
    for (int i = 0; i < port->rank; i++) {
        stride[i] = step;
        step *= (size_t)port->dim[i];
    }
    int index[VOX_MAX_RANK] = {0};
    for (size_t at = 0; at < bytes; at += element) {
        size_t from = 0;
        for (int i = 0; i < port->rank; i++) from += (size_t)index[i] * stride[i];
        memcpy(data + at, copy + from, element);
        for (int i = port->rank - 1; i >= 0 && ++index[i] == port->dim[i]; i--) index[i] = 0;
    }
    free(copy);
    return 0;
}

static int read_array(const char *path, FILE *f, const vox_port *port, unsigned char *data) {
    header h = {.rank = 0};
    int code = read_header(path, f, &h);
    if (code != 0) return code;
    if (!matches(&h, port)) return mismatch(path, &h, port);
    size_t bytes = vox_array_bytes(port->dtype, port->rank, port->dim);
    size_t got = read_up_to(f, data, bytes);
    if (got != bytes) {
        if (ferror(f)) return cannot_read(path);
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: %zu of %zu bytes of data", path, got, bytes);
    }
    if (fgetc(f) != EOF) return vox_fail(VOX_EXIT_INPUT, "%s: more data than its header says: corrupt", path);
    const unsigned probe = 1;
    char other = *(const unsigned char *)&probe == 1 ? '>' : '<';
    if (h.descr[0] == other) swap_bytes(data, bytes, vox_dtype_bytes(port->dtype));
    return h.fortran ? from_fortran(port, data, bytes) : 0;
}

int vox_npy_read(const char *path, const vox_port *port, void *data) {
    FILE *f;
    do f = fopen(path, "rb");
    while (f == NULL && errno == EINTR);
    if (f == NULL) return cannot_read(path);
    int code = read_array(path, f, port, data);
    fclose(f);
    return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

int vox_npy_write(const char *path, vox_dtype type, int rank, const int *dim, const void *data) {
    static const char *const codes[] = {
        [VOX_F32] = "<f4", [VOX_I64] = "<i8", [VOX_I32] = "<i4", [VOX_U8] = "|u1"};
    char text[512] = {0};
    size_t n = 10;
    memcpy(text, "\x93NUMPY\x01", 8);
    n += (size_t)snprintf(text + n, sizeof text - n, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                          codes[type]);
    for (int i = 0; i < rank; i++) n += (size_t)snprintf(text + n, sizeof text - n, "%d, ", dim[i]);
    n += (size_t)snprintf(text + n, sizeof text - n, "), }");
    while ((n + 1) % 64 != 0) text[n++] = ' ';
    text[n++] = '\n';
    text[8] = (char)((n - 10) & 255);
    text[9] = (char)((n - 10) >> 8);
    size_t bytes = vox_array_bytes(type, rank, dim);
    vox_output o;
    int code = vox_output_open(&o, path);
    if (code != 0) return code;
    if (fwrite(text, 1, n, o.file) != n || fwrite(data, 1, bytes, o.file) != bytes) {
        code = vox_output_error(&o);
        vox_output_abort(&o);
        return code;
    }
    return vox_output_commit(&o);
}
