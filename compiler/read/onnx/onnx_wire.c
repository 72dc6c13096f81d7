/* onnx_wire.c: walks a protobuf message before protobuf-c unpacks it.
 *
 * protobuf-c answers damage with a bare NULL and recurses without a bound; this walk says where the damage is
 * and limits the nesting. It allocates nothing and looks at each byte at most once per level. */
#include "onnx_tensor.h"

#include <string.h>

enum { WIRE_MAX_DEPTH = 100 }; /* protobuf's own limit in other languages */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct wire {
    const uint8_t *start;
    const char *path;
    ir_diag *d;
} wire;

static bool wire_bad(const wire *w, const uint8_t *at, const ProtobufCMessageDescriptor *type,
                     const char *what) {
    return ir_fail(w->d, IR_EXIT_INPUT,
                   "%s: not a valid ONNX file (truncated or corrupt?): byte %zu, in %s: %s", w->path,
                   (size_t)(at - w->start), type->short_name, what);
}

/* Reads a varint at *p; false at the end of the data or after ten bytes. */
static bool wire_varint(const uint8_t **p, const uint8_t *end, uint64_t *v) {
    *v = 0;
    for (int shift = 0; shift < 70 && *p < end; shift += 7) {
        uint8_t byte = *(*p)++;
        if (shift < 64) *v |= (uint64_t)(byte & 127u) << shift;
        if (!(byte & 128u)) return true;
    }
    return false;
}

static bool wire_message(const wire *w, const uint8_t *p, const uint8_t *end,
                         const ProtobufCMessageDescriptor *type, int depth);

/* What is used as C's strings, which a zero byte would cut. An attribute's text is of type bytes. */
static bool is_c_string(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *f) {
    return f->type == PROTOBUF_C_TYPE_STRING ||
           (type == &onnx__attribute_proto__descriptor && f->type == PROTOBUF_C_TYPE_BYTES);
}

static bool wire_bytes(const wire *w, const uint8_t **p, const uint8_t *end,
                       const ProtobufCMessageDescriptor *type, uint32_t field, int depth) {
    const uint8_t *at = *p;
    uint64_t n;
    if (!wire_varint(p, end, &n)) return wire_bad(w, at, type, "unreadable length");
    if (n > (uint64_t)(end - *p)) {
        char what[96];
        snprintf(what, sizeof what, "a length of %llu bytes where %zu are left", (unsigned long long)n,
                 (size_t)(end - *p));
        return wire_bad(w, at, type, what);
    }
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(type, field);
    if (f && is_c_string(type, f) && memchr(*p, 0, (size_t)n)) {
        char what[96];
        snprintf(what, sizeof what, "a zero byte in the text of %.60s", f->name);
        return wire_bad(w, at, type, what);
    }
    if (f && f->type == PROTOBUF_C_TYPE_MESSAGE && !wire_message(w, *p, *p + n, f->descriptor, depth + 1))
        return false;
    *p += n;
    return true;
}

static bool wire_message(const wire *w, const uint8_t *p, const uint8_t *end,
                         const ProtobufCMessageDescriptor *type, int depth) {
    if (depth > WIRE_MAX_DEPTH) return wire_bad(w, p, type, "messages nested more than 100 deep");
    while (p < end) {
        const uint8_t *at = p;
        uint64_t tag, skipped;
        if (!wire_varint(&p, end, &tag) || tag >> 3 == 0 || tag >> 32)
            return wire_bad(w, at, type, "no field starts here");
        int kind = (int)(tag & 7);
        if (kind == WIRE_BYTES) {
            if (!wire_bytes(w, &p, end, type, (uint32_t)(tag >> 3), depth)) return false;
        } else if (kind == WIRE_VARINT) {
            if (!wire_varint(&p, end, &skipped)) return wire_bad(w, at, type, "unreadable number");
        } else if (kind == WIRE_64 || kind == WIRE_32) {
            size_t n = kind == WIRE_64 ? 8 : 4;
            if ((size_t)(end - p) < n) return wire_bad(w, at, type, "the data ends inside a number");
            p += n;
        } else {
            return wire_bad(w, at, type, "no field starts here");
        }
    }
    return true;
}

bool onnx_wire_check(const void *data, size_t n, const ProtobufCMessageDescriptor *type, const char *path,
                     ir_diag *d) {
    wire w = {data, path, d};
    return wire_message(&w, w.start, w.start + n, type, 0);
}
