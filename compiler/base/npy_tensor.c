/* npy_tensor.c: see npy_tensor.h. */
#include "npy_tensor.h"
#include "files.h"
#include "npy.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    char descr[3]; /* without byte order */
    ir_dtype dtype;
} npy_type[] = {{"f4", IR_F32}, {"f8", IR_F64}, {"i8", IR_I64},
                {"i4", IR_I32}, {"u1", IR_U8},  {"b1", IR_BOOL}};
enum { NPY_TYPE_COUNT = sizeof npy_type / sizeof *npy_type };

static bool npy_bad(const char *path, const char *what, ir_diag *d) {
    return ir_fail(d, IR_EXIT_INPUT, "%s: not a .npy file that voxc reads: %s", path, what);
}

static bool npy_dtype(const vox_npy *h, ir_dtype *dtype, const char *path, ir_diag *d) {
    for (int i = 0; i < NPY_TYPE_COUNT; i++) {
        bool byte = npy_type[i].descr[1] == '1';
        if (strcmp(h->descr + 1, npy_type[i].descr) != 0 || (*h->descr != '<' && !(byte && *h->descr == '|')))
            continue;
        *dtype = npy_type[i].dtype;
        return true;
    }
    return ir_fail(d, IR_EXIT_UNSUPPORTED,
                   "%s: type %s; little-endian f4, f8, i8, i4, u1 and b1 are supported", path, h->descr);
}

static bool npy_header(vox_npy *h, const char *file, size_t n, size_t *at, const char *path, ir_diag *d) {
    int version;
    size_t length = 0;
    const char *wrong = vox_npy_find(file, n < VOX_NPY_START ? n : VOX_NPY_START, &version, at, &length);
    if (!wrong && length > n - *at) wrong = "truncated in the header";
    if (!wrong) wrong = vox_npy_read(h, file + *at, length);
    if (!wrong && h->rank > IR_MAX_RANK) wrong = "more than 8 axes";
    *at += length;
    return !wrong || npy_bad(path, wrong, d);
}

static bool npy_parse(const char *path, const char *file, size_t n, file_tensor *t, ir_diag *d) {
    vox_npy h;
    ir_dtype dtype = IR_F32;
    int64_t bytes;
    size_t at = 0;
    if (!npy_header(&h, file, n, &at, path, d) || !npy_dtype(&h, &dtype, path, d)) return false;
    if (!ir_shape_bytes(dtype, h.rank, h.dim, &bytes)) return npy_bad(path, "the shape's size overflows", d);
    if ((uint64_t)bytes != n - at)
        return ir_fail(d, IR_EXIT_INPUT, "%s: the header promises %lld bytes of data, the file holds %zu",
                       path, (long long)bytes, n - at);
    if (!file_tensor_init(t, dtype, h.rank, h.dim, path, d)) return false;
    if (h.fortran && h.rank > 1)
        vox_npy_reorder(&h, file + at, t->data, ir_dtype_bytes(dtype));
    else
        memcpy(t->data, file + at, n - at);
    return true;
}

bool npy_read(const char *path, file_tensor *t, ir_diag *d) {
    size_t n = 0;
    *t = (file_tensor){0};
    char *file = file_read(path, (size_t)1 << 40, &n, d);
    if (!file) return false;
    bool ok = npy_parse(path, file, n, t, d);
    free(file);
    return ok;
}

static const char *npy_descr_of(ir_dtype t) {
    for (int i = 0; i < NPY_TYPE_COUNT; i++)
        if (npy_type[i].dtype == t) return npy_type[i].descr;
    ir_die("npy_write: type without a descr");
}

char *npy_format(const file_tensor *t, size_t *size, ir_diag *d) {
    char head[VOX_NPY_TEXT], descr[4];
    int64_t bytes;
    if (!ir_shape_bytes(t->dtype, t->rank, t->dim, &bytes)) ir_die("npy_format: shape overflows");
    snprintf(descr, sizeof descr, "%c%s", ir_dtype_bytes(t->dtype) == 1 ? '|' : '<', npy_descr_of(t->dtype));
    size_t n = vox_npy_write(head, descr, t->rank, t->dim);
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
