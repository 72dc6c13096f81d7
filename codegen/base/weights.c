/* weights.c: writes the weight file, and finds tensors in one. */
#include "weights.h"

#include <math.h>
#include <string.h>

#include "vox_hash.h"

enum { HEADER = 64, ENTRY = 32, VERSION = 2 };

static void put_little_endian(unsigned char *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) to[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *from, int bytes) {
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) value = value << 8 | from[i];
    return value;
}

static bool check_finite_weight(const ir_graph *g, const ir_tensor *t, ir_diag *d) {
    if (t->dtype != IR_F32) return true;
    const float *f = t->data;
    int64_t count = ir_count(t);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(f[i]) && ir_is_weight(g, t))
            return ir_fail(d, IR_EXIT_INPUT, "%s: element %lld is %s; weights must be finite", t->name,
                           (long long)i, isnan(f[i]) ? "NaN" : "infinite");
    return true;
}

const unsigned char *cg_weights_file(const cg_model *m, ir_diag *d) {
    unsigned char *file = ir_alloc(m->arena, (size_t)m->weights_bytes, 1);
    for (int i = 0; i < m->n_blobs; i++) {
        const ir_tensor *t = m->blobs[i].tensor;
        if (!check_finite_weight(m->g, t, d)) return NULL;
        size_t bytes = (size_t)ir_count(t) * ir_dtype_bytes(t->dtype);
        unsigned char *entry = file + HEADER + ENTRY * i;
        put_little_endian(entry, t->hash, 8);
        put_little_endian(entry + 8, (uint64_t)m->blobs[i].offset, 8);
        put_little_endian(entry + 16, bytes, 8);
        memcpy(file + m->blobs[i].offset, t->data, bytes);
    }
    memcpy(file, "VOXCWGT1", 8);
    put_little_endian(file + 8, VERSION, 4);
    put_little_endian(file + 12, (uint64_t)m->n_blobs, 4);
    put_little_endian(file + 16, m->graph_hash, 8);
    put_little_endian(file + 24, (uint64_t)m->weights_bytes, 8);
    uint64_t header = ir_hash(file, HEADER); /* the checksum's own place still holds 0 */
    put_little_endian(file + 32, vox_hash(header, file + HEADER, (size_t)m->weights_bytes - HEADER), 8);
    return file;
}

const void *cg_weights_find(const void *data, size_t size, uint64_t hash, size_t bytes) {
    const unsigned char *file = data;
    if (size < HEADER || memcmp(file, "VOXCWGT1", 8) != 0) return NULL;
    uint64_t count = get(file + 12, 4);
    if (count > (size - HEADER) / ENTRY) return NULL;
    for (uint64_t i = 0; i < count; i++) {
        const unsigned char *entry = file + HEADER + ENTRY * i;
        uint64_t offset = get(entry + 8, 8);
        if (get(entry, 8) != hash || get(entry + 16, 8) != bytes) continue;
        if (offset <= size && bytes <= size - offset) return file + offset;
    }
    return NULL;
}
