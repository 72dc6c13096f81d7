/* onnx_tensor.c: see onnx_tensor.h. Values lie in raw_data, in one of the typed fields, or in an external
 * file. */
#include "onnx_tensor.h"
#include "half.h"

#include <stdlib.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw_data is little-endian and is copied as it stands"
#endif

typedef enum onnx_field { FIELD_NONE, FIELD_FLOAT, FIELD_INT32, FIELD_INT64, FIELD_DOUBLE } onnx_field;

/* X(ONNX number, name, IR type or -1, bytes in raw_data, typed field) */
#define ONNX_TYPES(X)                                                                                        \
    X(1, "float32", IR_F32, 4, FIELD_FLOAT)                                                                  \
    X(2, "uint8", IR_U8, 1, FIELD_INT32)                                                                     \
    X(3, "int8", -1, 0, FIELD_NONE)                                                                          \
    X(4, "uint16", -1, 0, FIELD_NONE)                                                                        \
    X(5, "int16", -1, 0, FIELD_NONE)                                                                         \
    X(6, "int32", IR_I32, 4, FIELD_INT32)                                                                    \
    X(7, "int64", IR_I64, 8, FIELD_INT64)                                                                    \
    X(8, "string", -1, 0, FIELD_NONE)                                                                        \
    X(9, "bool", IR_BOOL, 1, FIELD_INT32)                                                                    \
    X(10, "float16", IR_F32, 2, FIELD_INT32)                                                                 \
    X(11, "float64", IR_F32, 8, FIELD_DOUBLE)                                                                \
    X(12, "uint32", -1, 0, FIELD_NONE)                                                                       \
    X(13, "uint64", -1, 0, FIELD_NONE)                                                                       \
    X(14, "complex64", -1, 0, FIELD_NONE)                                                                    \
    X(15, "complex128", -1, 0, FIELD_NONE)                                                                   \
    X(16, "bfloat16", IR_F32, 2, FIELD_INT32)                                                                \
    X(17, "float8e4m3fn", -1, 0, FIELD_NONE)                                                                 \
    X(18, "float8e4m3fnuz", -1, 0, FIELD_NONE)                                                               \
    X(19, "float8e5m2", -1, 0, FIELD_NONE)                                                                   \
    X(20, "float8e5m2fnuz", -1, 0, FIELD_NONE)                                                               \
    X(21, "uint4", -1, 0, FIELD_NONE)                                                                        \
    X(22, "int4", -1, 0, FIELD_NONE)                                                                         \
    X(23, "float4e2m1", -1, 0, FIELD_NONE)
enum { ONNX_FLOAT32 = 1, ONNX_FLOAT16 = 10, ONNX_FLOAT64 = 11, ONNX_BFLOAT16 = 16 };

typedef struct onnx_type {
    int number;
    const char *name;
    int dtype;
    size_t bytes;
    onnx_field field;
} onnx_type;
static const onnx_type onnx_types[] = {
#define X(number, name, dtype, bytes, field) {number, name, dtype, bytes, field},
    ONNX_TYPES(X)
#undef X
};
enum { ONNX_TYPE_COUNT = sizeof onnx_types / sizeof *onnx_types };

static const onnx_type *find_type(int number) {
    return number >= 1 && number <= ONNX_TYPE_COUNT ? &onnx_types[number - 1] : NULL;
}

bool onnx_dtype(int number, const char *where, ir_dtype *out, ir_diag *d) {
    const onnx_type *t = find_type(number);
    if (!t && number <= 0) return ir_fail(d, IR_EXIT_INPUT, "%s: element type is missing", where);
    if (!t) return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: unknown element type %d", where, number);
    if (t->dtype < 0)
        return ir_fail(
            d, IR_EXIT_UNSUPPORTED,
            "%s: element type %s is not supported (float32, float16, bfloat16, float64, int32, int64, uint8 "
            "and bool are)",
            where, t->name);
    *out = (ir_dtype)t->dtype;
    return true;
}

int onnx_type_of(ir_dtype dtype) {
    if (dtype == IR_F64) return ONNX_FLOAT64;
    for (int i = 0; i < ONNX_TYPE_COUNT; i++)
        if (onnx_types[i].dtype == (int)dtype) return onnx_types[i].number;
    ir_die("onnx_type_of: type %s has no ONNX type", ir_dtype_name(dtype));
}

bool onnx_tensor_shape(const Onnx__TensorProto *t, const char *where, onnx_shape *s, ir_diag *d) {
    *s = (onnx_shape){0};
    if (!onnx_dtype(t->data_type, where, &s->dtype, d)) return false;
    if (t->segment) return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: segmented tensors are not supported", where);
    if (t->n_dims > IR_MAX_RANK)
        return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: %zu axes; at most %d are supported", where, t->n_dims,
                       IR_MAX_RANK);
    s->rank = (int)t->n_dims;
    for (int i = 0; i < s->rank; i++) {
        s->dim[i] = t->dims[i];
        if (s->dim[i] < 0)
            return ir_fail(d, IR_EXIT_INPUT, "%s: dimension %d is %lld", where, i, (long long)s->dim[i]);
    }
    if (!ir_shape_count(s->rank, s->dim, &s->count) || !ir_shape_bytes(s->dtype, s->rank, s->dim, &s->bytes))
        return ir_fail(d, IR_EXIT_INPUT, "%s: the product of the dimensions overflows", where);
    return true;
}

/* ---- conversion ------------------------------------------------------------------------------ */

static float narrow_to_float(int number, uint16_t bits) {
    return number == ONNX_BFLOAT16 ? float_of_bfloat(bits) : float_of_half(bits);
}

static void convert_raw(const onnx_type *type, const unsigned char *raw, int64_t n, void *dst) {
    float *f = dst;
    if (type->number == ONNX_FLOAT64) {
        double v;
        for (int64_t i = 0; i < n; i++) {
            memcpy(&v, raw + 8 * i, 8);
            f[i] = (float)v;
        }
    } else if (type->number == ONNX_FLOAT16 || type->number == ONNX_BFLOAT16) {
        for (int64_t i = 0; i < n; i++)
            f[i] = narrow_to_float(type->number, (uint16_t)(raw[2 * i] | raw[2 * i + 1] << 8));
    } else if (type->dtype == IR_BOOL) {
        for (int64_t i = 0; i < n; i++) ((uint8_t *)dst)[i] = raw[i] != 0;
    } else {
        memcpy(dst, raw, (size_t)n * type->bytes);
    }
}

static void convert_int32(const onnx_type *type, const int32_t *v, int64_t n, void *dst) {
    for (int64_t i = 0; i < n; i++) {
        if (type->dtype == IR_F32)
            ((float *)dst)[i] = narrow_to_float(type->number, (uint16_t)v[i]);
        else if (type->dtype == IR_I32)
            ((int32_t *)dst)[i] = v[i];
        else if (type->dtype == IR_BOOL)
            ((uint8_t *)dst)[i] = v[i] != 0;
        else
            ((uint8_t *)dst)[i] = (uint8_t)v[i];
    }
}

static size_t typed_count(const Onnx__TensorProto *t, onnx_field field) {
    switch (field) {
    case FIELD_FLOAT:
        return t->n_float_data;
    case FIELD_INT32:
        return t->n_int32_data;
    case FIELD_INT64:
        return t->n_int64_data;
    case FIELD_DOUBLE:
        return t->n_double_data;
    default:
        return 0;
    }
}

static void convert_typed(const Onnx__TensorProto *t, const onnx_type *type, int64_t n, void *dst) {
    if (type->field == FIELD_INT32) convert_int32(type, t->int32_data, n, dst);
    if (type->field == FIELD_FLOAT) memcpy(dst, t->float_data, (size_t)n * 4);
    if (type->field == FIELD_INT64) memcpy(dst, t->int64_data, (size_t)n * 8);
    if (type->field == FIELD_DOUBLE)
        for (int64_t i = 0; i < n; i++) ((float *)dst)[i] = (float)t->double_data[i];
}

static void *allocate_elements(const onnx_shape *s, const char *where, ir_diag *d) {
    void *p = malloc((size_t)s->bytes + 1);
    if (!p) ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory for %lld bytes", where, (long long)s->bytes);
    return p;
}

static void *external_data(const Onnx__TensorProto *t, const onnx_type *type, const onnx_shape *s,
                           const char *where, const char *folder, ir_diag *d) {
    if (!folder) {
        ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: external data is not supported here", where);
        return NULL;
    }
    void *raw = onnx_external_read(t, folder, (size_t)s->count * type->bytes, where, d);
    if (!raw || type->number == ONNX_FLOAT32) return raw;
    void *dst = allocate_elements(s, where, d);
    if (dst) convert_raw(type, raw, s->count, dst);
    free(raw);
    return dst;
}

void *onnx_tensor_data(const Onnx__TensorProto *t, const onnx_shape *s, const char *where, const char *folder,
                       ir_diag *d) {
    const onnx_type *type = find_type(t->data_type);
    if (!type || type->dtype < 0) ir_die("onnx_tensor_data: type %d", (int)t->data_type);
    if (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return external_data(t, type, s, where, folder, d);
    /* An empty raw_data beside typed values is what some writers leave. */
    bool is_raw = t->has_raw_data && (t->raw_data.len > 0 || s->count == 0);
    size_t have = is_raw ? t->raw_data.len : typed_count(t, type->field);
    size_t want = (size_t)s->count * (is_raw ? type->bytes : 1);
    if (have != want) {
        ir_fail(d, IR_EXIT_INPUT, "%s: the shape needs %zu %s, %s holds %zu", where, want,
                is_raw ? "bytes" : "elements", is_raw ? "raw_data" : "the tensor", have);
        return NULL;
    }
    void *dst = allocate_elements(s, where, d);
    if (!dst || !want) return dst;
    if (is_raw)
        convert_raw(type, t->raw_data.data, s->count, dst);
    else
        convert_typed(t, type, s->count, dst);
    return dst;
}
