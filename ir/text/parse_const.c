/* parse_const.c: constants of the text form and their data. */
#include "parse.h"
#include "text.h"

#include <string.h>

/* What the text form may ask to be filled: a small text must not claim the machine's memory. */
static const int64_t max_filled = INT64_C(1) << 30;

void text_random(ir_dtype t, void *data, int64_t count, uint64_t seed, double scale) {
    for (int64_t i = 0; i < count; i++) {
        double v = ((double)(ir_random(seed, (uint64_t)i) >> 40) * 0x1p-23 - 1) * scale;
        if (t == IR_F32)
            ((float *)data)[i] = (float)v;
        else
            ((double *)data)[i] = v;
    }
}

static bool whole(parser *p, int64_t low, int64_t high, int64_t *v) {
    if (!lex_int(&p->x, v)) return false;
    if (*v >= low && *v <= high) return true;
    return lex_fail(&p->x, "%lld does not fit the dtype", (long long)*v);
}

/* Reads one element to data[i]. */
static bool parse_element(parser *p, ir_dtype t, void *data, int64_t i) {
    int64_t v;
    if (t == IR_F32) return lex_float(&p->x, &((float *)data)[i]);
    if (t == IR_F64) return lex_double(&p->x, &((double *)data)[i]);
    if (!whole(p, ir_dtype_low(t), ir_dtype_high(t), &v)) return false;
    ir_store_int(t, data, i, v);
    return true;
}

/* Room for the elements of t; NULL after an error. */
static void *room(parser *p, const ir_tensor *t, int64_t *count) {
    int64_t bytes = 0;
    ir_shape_count(t->rank, t->dim, count);
    ir_shape_bytes(t->dtype, t->rank, t->dim, &bytes);
    if (bytes <= max_filled) return ir_alloc(p->g->arena, (size_t)bytes + 1, 1);
    lex_fail(&p->x, "a constant of %lld bytes, at most %lld in text", (long long)bytes,
             (long long)max_filled);
    return NULL;
}

static bool parse_list(parser *p, const ir_tensor *t, void *data, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (lex_is(&p->x, '}'))
            return lex_fail(&p->x, "%lld elements, expected %lld", (long long)i, (long long)count);
        if ((i && !lex_expect(&p->x, ',')) || !parse_element(p, t->dtype, data, i)) return false;
    }
    return lex_accept(&p->x, '}') || lex_fail(&p->x, "expected } behind %lld elements", (long long)count);
}

static bool parse_splat(parser *p, const ir_tensor *t, char *data, int64_t count) {
    union {
        double f;
        int64_t i;
    } one;
    size_t size = ir_dtype_bytes(t->dtype);
    if (!lex_expect(&p->x, '(') || !parse_element(p, t->dtype, &one, 0) || !lex_expect(&p->x, ')'))
        return false;
    for (int64_t i = 0; i < count; i++) memcpy(data + (size_t)i * size, &one, size);
    return true;
}

static bool parse_random(parser *p, const ir_tensor *t, void *data, int64_t count) {
    int64_t seed;
    double scale = 1;
    if (!ir_dtype_is_float(t->dtype)) return lex_fail(&p->x, "random wants f32 or f64");
    if (!lex_expect(&p->x, '(') || !lex_int(&p->x, &seed)) return false;
    if (lex_accept(&p->x, ',') && !lex_double(&p->x, &scale)) return false;
    text_random(t->dtype, data, count, (uint64_t)seed, scale);
    return lex_expect(&p->x, ')');
}

static bool parse_blob(parser *p, const char *name, const ir_tensor *t) {
    uint64_t hash;
    int64_t bytes = 0;
    if (!lex_expect(&p->x, '(') || !lex_hex(&p->x, &hash)) return false;
    ir_shape_bytes(t->dtype, t->rank, t->dim, &bytes);
    const void *data = p->blobs ? p->blobs(p->ctx, name, hash, (size_t)bytes) : NULL;
    ir_tensor *c = ir_add_const(p->g, name, t->dtype, t->rank, t->dim, data, false);
    if (data && c->hash != hash) return lex_fail(&p->x, "the data found for %%%s has another hash", name);
    c->hash = hash;
    return lex_expect(&p->x, ')');
}

static bool parse_filled(parser *p, const char *name, const ir_tensor *t) {
    int64_t count = 0;
    void *data = room(p, t, &count);
    if (!data) return false;
    if (lex_accept(&p->x, '{')) {
        if (!parse_list(p, t, data, count)) return false;
    } else if (lex_accept_word(&p->x, "splat")) {
        if (!parse_splat(p, t, data, count)) return false;
    } else if (lex_accept_word(&p->x, "random")) {
        if (!parse_random(p, t, data, count)) return false;
    } else {
        return lex_fail(&p->x, "expected {...}, splat(...), random(...), blob(0x...) or opaque");
    }
    ir_add_const(p->g, name, t->dtype, t->rank, t->dim, data, false);
    return true;
}

bool parse_const(parser *p) {
    ir_tensor t;
    const char *name = parse_new_name(p);
    if (!name || !parse_type(p, &t)) return false;
    if (lex_accept_word(&p->x, "blob")) return parse_blob(p, name, &t);
    if (!lex_accept_word(&p->x, "opaque")) return parse_filled(p, name, &t);
    ir_add_const(p->g, name, t.dtype, t.rank, t.dim, NULL, false);
    return true;
}
