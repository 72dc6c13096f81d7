/* dtype.c: the types of elements, and elements in memory. */
#include "ir.h"

#include <string.h>

typedef struct dtype_info {
    const char *name, *c;
    size_t bytes;
    bool is_float;
    int64_t low, high;
} dtype_info;
static const dtype_info dtypes[IR_DTYPE_COUNT] = {
#define X(sym, text, type, isf, least, most)                                                                 \
    [IR_##sym] = {(text), #type, sizeof(type), (isf), (least), (most)},
    IR_DTYPES(X)
#undef X
};

static const dtype_info *dtype_get(ir_dtype t) {
    if ((unsigned)t >= IR_DTYPE_COUNT) ir_die("there is no dtype %d", (int)t);
    return &dtypes[t];
}

const char *ir_dtype_name(ir_dtype t) {
    return dtype_get(t)->name;
}

bool ir_dtype_parse(const char *name, ir_dtype *out) {
    for (int i = 0; i < IR_DTYPE_COUNT; i++)
        if (!strcmp(dtypes[i].name, name)) {
            *out = (ir_dtype)i;
            return true;
        }
    return false;
}

size_t ir_dtype_bytes(ir_dtype t) {
    return dtype_get(t)->bytes;
}

bool ir_dtype_is_float(ir_dtype t) {
    return dtype_get(t)->is_float;
}

const char *ir_dtype_c(ir_dtype t) {
    return dtype_get(t)->c;
}

int64_t ir_dtype_low(ir_dtype t) {
    return dtype_get(t)->low;
}

int64_t ir_dtype_high(ir_dtype t) {
    return dtype_get(t)->high;
}

/* ---- elements -------------------------------------------------------------------------------- */

_Noreturn static void no_dtype(ir_dtype t) {
    ir_die("there is no dtype %d", (int)t);
}

double ir_load_float(ir_dtype t, const void *data, int64_t i) {
    switch (t) {
#define X(sym, name, type, ...)                                                                              \
    case IR_##sym:                                                                                           \
        return (double)((const type *)data)[i];
        IR_DTYPES(X)
#undef X
    case IR_DTYPE_COUNT:
        break;
    }
    no_dtype(t);
}

int64_t ir_load_int(ir_dtype t, const void *data, int64_t i) {
    switch (t) {
#define X(sym, name, type, ...)                                                                              \
    case IR_##sym:                                                                                           \
        return (int64_t)((const type *)data)[i];
        IR_DTYPES(X)
#undef X
    case IR_DTYPE_COUNT:
        break;
    }
    no_dtype(t);
}

void ir_store_float(ir_dtype t, void *data, int64_t i, double v) {
    switch (t) {
#define X(sym, name, type, ...)                                                                              \
    case IR_##sym:                                                                                           \
        ((type *)data)[i] = (type)v;                                                                         \
        return;
        IR_DTYPES(X)
#undef X
    case IR_DTYPE_COUNT:
        break;
    }
    no_dtype(t);
}

void ir_store_int(ir_dtype t, void *data, int64_t i, int64_t v) {
    switch (t) {
#define X(sym, name, type, ...)                                                                              \
    case IR_##sym:                                                                                           \
        ((type *)data)[i] = (type)v;                                                                         \
        return;
        IR_DTYPES(X)
#undef X
    case IR_DTYPE_COUNT:
        break;
    }
    no_dtype(t);
}
