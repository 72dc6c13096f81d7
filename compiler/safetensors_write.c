/* safetensors_write.c: writes weight files. Contract: safetensors.h. */
#include "safetensors.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

static bool kept(const ir_tensor *t) {
    return t->role == IR_ROLE_CONST && t->dtype == IR_F32;
}

static bool write_header(const ir_graph *g, FILE *f) {
    long long at = 0;
    fputc('{', f);
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        if (!kept(t)) continue;
        long long bytes = (long long)ir_bytes(t);
        fprintf(f, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", at ? "," : "", t->name);
        for (int k = 0; k < t->rank; k++) fprintf(f, "%s%lld", k ? "," : "", (long long)t->dim[k]);
        fprintf(f, "],\"data_offsets\":[%lld,%lld]}", at, at + bytes);
        at += bytes;
    }
    fputc('}', f);
    return !ferror(f);
}

/* Elements in the format's byte order, whatever the host's is. */
static void put_floats(unsigned char *to, const ir_tensor *t) {
    const float *from = t->data;
    int64_t count = ir_count(t);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &from[i], sizeof bits);
        for (int k = 0; k < 4; k++) *to++ = (unsigned char)(bits >> (8 * k));
    }
}

static bool assemble(const ir_graph *g, const char *header, size_t length, const char *path, ir_diag *d) {
    size_t padded = (length + 7) / 8 * 8, n = 8 + padded; /* the data begins at a multiple of 8 */
    for (int i = 0; i < g->n_tensors; i++)
        if (kept(g->tensors[i])) n += (size_t)ir_bytes(g->tensors[i]);
    unsigned char *file = malloc(n);
    if (!file) return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory for %zu bytes", path, n);
    for (int i = 0; i < 8; i++) file[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    memset(file + 8, ' ', padded);
    memcpy(file + 8, header, length);
    unsigned char *to = file + 8 + padded;
    for (int i = 0; i < g->n_tensors; i++) {
        if (!kept(g->tensors[i])) continue;
        put_floats(to, g->tensors[i]);
        to += ir_bytes(g->tensors[i]);
    }
    bool ok = file_write_atomic(path, file, n, d);
    free(file);
    return ok;
}

bool weights_write(const ir_graph *g, const char *path, ir_diag *d) {
    char *header = NULL;
    size_t length = 0;
    for (int i = 0; i < g->n_tensors; i++)
        if (kept(g->tensors[i]) && !g->tensors[i]->data)
            return ir_fail(d, IR_EXIT_INPUT,
                           "%s: the network has no weights to write: pass --weights or --init", path);
    FILE *f = open_memstream(&header, &length);
    if (!f) return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory", path);
    bool ok = write_header(g, f);
    ok = fclose(f) == 0 && ok;
    if (!ok) ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory", path);
    ok = ok && assemble(g, header, length, path, d);
    free(header);
    return ok;
}
