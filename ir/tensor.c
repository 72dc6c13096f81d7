/* tensor.c: sizes, types as text, constant elements, hashes. */
#include "ir.h"

#include <math.h>
#include <string.h>

#include "vox_hash.h"

static const int64_t max_size = IR_MAX_BYTES;

bool ir_shape_count(int rank, const int64_t *dim, int64_t *count) {
    int64_t n = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 0) return false;
        if (dim[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(n, dim[i], &n) || n > max_size)
            return false;
    }
    *count = empty ? 0 : n;
    return true;
}

bool ir_shape_bytes(ir_dtype t, int rank, const int64_t *dim, int64_t *bytes) {
    int64_t n;
    if (!ir_shape_count(rank, dim, &n)) return false;
    return !__builtin_mul_overflow(n, (int64_t)ir_dtype_bytes(t), bytes) && *bytes <= max_size;
}

int64_t ir_count(const ir_tensor *t) {
    int64_t n;
    if (!ir_shape_count(t->rank, t->dim, &n)) ir_die("tensor %%%s has a size that cannot be", t->name);
    return n;
}

const char *ir_storage_name(ir_storage s) {
    static const char *const names[IR_STORAGE_COUNT] = {
#define X(sym, name, bytes) [IR_STORE_##sym] = (name),
        IR_STORAGES(X)
#undef X
    };
    return names[s];
}

int64_t ir_element_bytes(const ir_tensor *t) {
    static const int64_t bytes[IR_STORAGE_COUNT] = {
#define X(sym, name, bytes) [IR_STORE_##sym] = (bytes),
        IR_STORAGES(X)
#undef X
    };
    return t->gpu.storage == IR_STORE_OWN ? (int64_t)ir_dtype_bytes(t->dtype) : bytes[t->gpu.storage];
}

bool ir_is_interleaved(const ir_tensor *t) {
    for (const ir_tensor *u = t->memory.view_of; u && t->gpu.pitch > 0; u = u->memory.view_of)
        if (u->rank != t->rank || u->dim[1] != t->dim[1]) return true;
    return false;
}

/* Where t begins in the outermost tensor that it lives in. */
static int64_t bytes_before(const ir_tensor *t) {
    int64_t bytes = 0;
    for (; t->memory.view_of; t = t->memory.view_of) bytes += t->memory.view_offset;
    return bytes;
}

static int64_t channels_last_bytes(const ir_tensor *t, int64_t *dim) {
    int64_t count, bytes;
    dim[1] = t->gpu.pitch;
    if (!ir_shape_count(t->rank, dim, &count) || __builtin_mul_overflow(count, ir_element_bytes(t), &bytes) ||
        bytes > max_size)
        ir_die("tensor %%%s has a size that cannot be", t->name);
    return bytes > 0 ? bytes - bytes_before(t) : 0;
}

int64_t ir_bytes(const ir_tensor *t) {
    int64_t dim[IR_MAX_RANK], bytes;
    memcpy(dim, t->dim, sizeof dim);
    if (t->cpu.block > 0 && t->rank > 1) dim[1] = (dim[1] + t->cpu.block - 1) / t->cpu.block * t->cpu.block;
    if (t->memory.ring > 0 && t->rank > 2) dim[2] = t->memory.ring;
    if (t->gpu.pitch > 0 && t->rank > 1) return channels_last_bytes(t, dim);
    if (!ir_shape_bytes(t->dtype, t->rank, dim, &bytes))
        ir_die("tensor %%%s has a size that cannot be", t->name);
    return bytes;
}

bool ir_is_in_place(const ir_node *concat, int k) {
    const ir_tensor *whole = concat->out[0], *t = concat->in[k];
    int axis = (int)ir_int(concat, IR_AXIS);
    int64_t at = ir_element_bytes(whole);
    if (t->memory.view_of != whole) return false;
    for (int i = axis + 1; i < whole->rank && !whole->gpu.pitch; i++)
        at *=
            i == 1 && whole->cpu.block ? (whole->dim[1] + IR_BLOCK - 1) / IR_BLOCK * IR_BLOCK : whole->dim[i];
    int64_t before = 0;
    for (int i = 0; i < k; i++) before += concat->in[i]->dim[axis];
    return t->memory.view_offset == before * at;
}

static bool lies_in(const ir_tensor *t, const ir_tensor *in) {
    return t && t->memory.view_of == in;
}

bool ir_has_views(const ir_tensor *t) {
    const ir_node *by = t->producer;
    for (int k = 0; by && k < by->n_in; k++)
        if (lies_in(by->in[k], t)) return true;
    for (int i = 0; i < t->n_users; i++)
        for (int k = 0; k < t->users[i]->n_out; k++)
            if (lies_in(t->users[i]->out[k], t)) return true;
    return false;
}

bool ir_same_shape(const ir_tensor *a, const ir_tensor *b) {
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}

char *ir_type_text(const ir_tensor *t, char *buf, size_t n) {
    if (!n) return buf;
    size_t at = 0;
    int w = snprintf(buf, n, "%s[", ir_dtype_name(t->dtype));
    for (int i = 0; w >= 0 && (at += (size_t)w) < n && i < t->rank; i++)
        w = snprintf(buf + at, n - at, "%s%lld", i ? "," : "", (long long)t->dim[i]);
    if (at < n) snprintf(buf + at, n - at, "]");
    return buf;
}

/* Element i of constant t; floats to *f, the rest to *v. Returns whether it is a float. */
static bool element(const ir_tensor *t, int64_t i, double *f, int64_t *v) {
    if (!t->data) ir_die("the data of constant %%%s is not here", t->name);
    if (i < 0 || i >= ir_count(t)) ir_die("element %lld of %%%s", (long long)i, t->name);
    const bool is_float = ir_dtype_is_float(t->dtype);
    if (is_float)
        *f = ir_load_float(t->dtype, t->data, i);
    else
        *v = ir_load_int(t->dtype, t->data, i);
    return is_float;
}

bool ir_is_weight(const ir_graph *g, const ir_tensor *t) {
    (void)g;
    for (int i = 0; i < t->n_users; i++) {
        const ir_node *n = t->users[i];
        for (int k = 1; k <= ir_op_get(n->op)->weights && k < n->n_in; k++)
            if (n->in[k] == t) return true;
    }
    return false;
}

double ir_const_float(const ir_tensor *t, int64_t i) {
    double f;
    int64_t v;
    return element(t, i, &f, &v) ? f : (double)v;
}

int64_t ir_const_int(const ir_tensor *t, int64_t i) {
    double f;
    int64_t v;
    if (!element(t, i, &f, &v)) return v;
    if (isnan(f)) return 0;
    if (f >= 0x1p63) return INT64_MAX;
    if (f < -0x1p63) return INT64_MIN;
    return (int64_t)f;
}

uint64_t ir_mix(uint64_t z) {
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t ir_random(uint64_t seed, uint64_t i) {
    return ir_mix(seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

uint64_t ir_hash(const void *data, size_t n) {
    return vox_hash(0, data, n);
}
