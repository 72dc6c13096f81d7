/* SPDX-License-Identifier: MIT-0 */
/* npy_port.c: see npy_port.h. */
#include "npy_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "npy.h"
#include "output.h"
#include "report.h"

enum { MAX_HEADER = 1 << 16 };

size_t vox_array_bytes(vox_dtype type, int rank, const int *dim) {
    size_t n = vox_dtype_bytes(type);
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0 || __builtin_mul_overflow(n, (size_t)dim[i], &n)) return SIZE_MAX;
    }
    return n;
}

/* ---- reading --------------------------------------------------------------------------------- */

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

static int bad_header(const char *path, int code, const char *what) {
    return vox_fail(code, "%s: not a .npy file that this program reads: %s", path, what);
}

int vox_npy_read_header(const char *path, FILE *f, vox_npy *h) {
    unsigned char start[VOX_NPY_START];
    size_t got = read_up_to(f, start, 10), at = 0, n = 0;
    int version = 1;
    if (got == 10 && start[6] > 1) got += read_up_to(f, start + 10, sizeof start - 10);
    if (ferror(f)) return cannot_read(path);
    const char *wrong = vox_npy_find(start, got, &version, &at, &n);
    if (wrong != NULL) {
        bool later = version < 1 || version > 3;
        return bad_header(path, later ? VOX_EXIT_UNSUPPORTED : VOX_EXIT_INPUT, wrong);
    }
    if (n > MAX_HEADER) return bad_header(path, VOX_EXIT_INPUT, "its header has more than 64 KiB");
    char *text = malloc(n + 1);
    if (text == NULL) return vox_fail_memory("a .npy header", n);
    wrong = read_up_to(f, text, n) == n ? vox_npy_read(h, text, n) : "truncated in the header";
    free(text);
    if (ferror(f)) return cannot_read(path);
    return wrong == NULL ? 0 : bad_header(path, VOX_EXIT_INPUT, wrong);
}

static bool is_descr_of(const char *descr, vox_dtype type) {
    static const char *const codes[] = {
        [VOX_F32] = "f4", [VOX_I64] = "i8", [VOX_I32] = "i4", [VOX_U8] = "u1"};
    if (type == VOX_U8 && strcmp(descr, "|b1") == 0) return true;
    return strchr("<>=|", descr[0]) != NULL && strcmp(descr + 1, codes[type]) == 0;
}

static int mismatch(const char *path, const vox_npy *h, const vox_port *port) {
    char text[256] = "scalar";
    size_t n = 0;
    for (int i = 0; i < h->rank && n < sizeof text; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, i == 0 ? "%" PRId64 : "x%" PRId64, h->dim[i]);
    }
    const char *descr = h->descr[0] && strchr("<>=|", h->descr[0]) ? h->descr + 1 : h->descr;
    return vox_fail(VOX_EXIT_INPUT, "%s holds %s of type %s, but the network's '%s' is %s of type %s", path,
                    text, descr, port->name, vox_shape(port->rank, port->dim).text,
                    vox_dtype_name(port->dtype));
}

static bool matches(const vox_npy *h, const vox_port *port) {
    if (!is_descr_of(h->descr, port->dtype) || h->rank != port->rank) return false;
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

static int from_fortran(const vox_npy *h, unsigned char *data, size_t bytes, size_t element) {
    unsigned char *copy = malloc(bytes > 0 ? bytes : 1);
    if (copy == NULL) return vox_fail_memory("an array in Fortran order", bytes);
    memcpy(copy, data, bytes);
    vox_npy_reorder(h, copy, data, element);
    free(copy);
    return 0;
}

static int read_array(const char *path, FILE *f, const vox_port *port, unsigned char *data) {
    vox_npy h;
    int code = vox_npy_read_header(path, f, &h);
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
    const size_t element = vox_dtype_bytes(port->dtype);
    if (h.descr[0] == other) swap_bytes(data, bytes, element);
    return h.fortran ? from_fortran(&h, data, bytes, element) : 0;
}

int vox_npy_read_port(const char *path, const vox_port *port, void *data) {
    FILE *f;
    do f = fopen(path, "rb");
    while (f == NULL && errno == EINTR);
    if (f == NULL) return cannot_read(path);
    int code = read_array(path, f, port, data);
    fclose(f);
    return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

int vox_npy_write_array(const char *path, vox_dtype type, int rank, const int *dim, const void *data) {
    static const char *const codes[] = {
        [VOX_F32] = "<f4", [VOX_I64] = "<i8", [VOX_I32] = "<i4", [VOX_U8] = "|u1"};
    char text[VOX_NPY_TEXT];
    int64_t wide[VOX_MAX_RANK] = {0};
    for (int i = 0; i < rank; i++) wide[i] = dim[i];
    size_t n = vox_npy_write(text, codes[type], rank, wide);
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
