/* onnx_mutator.h: libFuzzer's mutator for ONNX files. A file is decoded into a tree of protobuf fields, some
 * fields are changed, moved, copied or removed, and the tree is encoded again, so that what is tried is
 * nearly always a model. */
#ifndef ONNX_MUTATOR_H
#define ONNX_MUTATOR_H

#include "fuzz.h"

#include "onnx.pb-c.h"

enum { MOST_FIELDS = 1 << 14, DEEPEST = 60, LONGEST_NAME = 64 };
enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

typedef struct field field;
struct field {
    uint32_t number, wire;
    uint64_t value;                            /* of all but BYTES */
    const uint8_t *bytes;                      /* BYTES that are no message */
    size_t size;                               /* of them; of a message, set by measure() */
    const ProtobufCMessageDescriptor *message; /* not NULL: what `first` begins */
    field *parent, *first, *next;
};

typedef struct tree {
    ir_arena *arena;
    field root;
    field *all[MOST_FIELDS];
    size_t count;
    uint64_t random;
} tree;

/* ---- decoding -------------------------------------------------------------------------------- */

static bool take_varint(const uint8_t **p, const uint8_t *end, uint64_t *v) {
    *v = 0;
    for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
        const uint8_t byte = *(*p)++;
        *v |= (uint64_t)(byte & 127u) << shift;
        if (byte < 128) return true;
    }
    return false;
}

static bool take_fixed(const uint8_t **p, const uint8_t *end, size_t n, uint64_t *v) {
    if ((size_t)(end - *p) < n) return false;
    *v = 0;
    memcpy(v, *p, n);
    *p += n;
    return true;
}

static bool decode(tree *t, field *parent, const uint8_t *p, const uint8_t *end, int depth);

static bool decode_field(tree *t, field *f, const uint8_t **p, const uint8_t *end, int depth) {
    uint64_t n;
    if (f->wire == VARINT) return take_varint(p, end, &f->value);
    if (f->wire == FIXED64 || f->wire == FIXED32)
        return take_fixed(p, end, f->wire == FIXED64 ? 8 : 4, &f->value);
    if (f->wire != BYTES || !take_varint(p, end, &n) || n > (uint64_t)(end - *p)) return false;
    f->bytes = *p;
    f->size = n;
    *p += n;
    const ProtobufCFieldDescriptor *d =
        protobuf_c_message_descriptor_get_field(f->parent->message, f->number);
    if (!d || d->type != PROTOBUF_C_TYPE_MESSAGE) return true;
    f->message = d->descriptor;
    return decode(t, f, *p - n, *p, depth + 1);
}

static bool decode(tree *t, field *parent, const uint8_t *p, const uint8_t *end, int depth) {
    field **link = &parent->first;
    while (p < end) {
        uint64_t tag;
        if (depth > DEEPEST || t->count == MOST_FIELDS || !take_varint(&p, end, &tag)) return false;
        field *f = *link = ir_alloc(t->arena, 1, sizeof *f);
        *f = (field){.number = (uint32_t)(tag >> 3), .wire = tag & 7, .parent = parent};
        t->all[t->count++] = f;
        link = &f->next;
        if (!decode_field(t, f, &p, end, depth)) return false;
    }
    return true;
}

static bool tree_read(tree *t, const uint8_t *data, size_t size) {
    t->count = 0;
    t->root = (field){.message = &onnx__model_proto__descriptor};
    return decode(t, &t->root, data, data + size, 0) && t->count > 0;
}

/* ---- encoding -------------------------------------------------------------------------------- */

static size_t varint_size(uint64_t v) {
    size_t n = 1;
    while (v >>= 7) n++;
    return n;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v) {
    for (; v > 127; v >>= 7) *p++ = (uint8_t)(v | 128);
    *p++ = (uint8_t)v;
    return p;
}

static size_t measure(field *f) {
    size_t n = varint_size((uint64_t)f->number << 3);
    if (f->wire == VARINT) return n + varint_size(f->value);
    if (f->wire != BYTES) return n + (f->wire == FIXED64 ? 8 : 4);
    if (f->message) {
        f->size = 0;
        for (field *c = f->first; c; c = c->next) f->size += measure(c);
    }
    return n + varint_size(f->size) + f->size;
}

static uint8_t *encode(uint8_t *p, const field *f) {
    p = put_varint(p, (uint64_t)f->number << 3 | f->wire);
    if (f->wire == VARINT) return put_varint(p, f->value);
    const size_t n = f->wire == BYTES ? f->size : f->wire == FIXED64 ? 8 : 4;
    if (f->wire == BYTES) p = put_varint(p, f->size);
    if (f->message) {
        for (const field *c = f->first; c; c = c->next) p = encode(p, c);
        return p;
    }
    memcpy(p, f->wire == BYTES ? f->bytes : (const uint8_t *)&f->value, n);
    return p + n;
}

/* 0 where it would not fit. */
static size_t tree_write(tree *t, uint8_t *out, size_t max) {
    size_t n = 0;
    for (field *c = t->root.first; c; c = c->next) n += measure(c);
    if (n > max) return 0;
    for (field *c = t->root.first; c; c = c->next) out = encode(out, c);
    return n;
}

/* ---- changes --------------------------------------------------------------------------------- */

static field *any_field(tree *t) {
    return t->all[fuzz_below(&t->random, t->count)];
}

static field *copy_of(tree *t, const field *f, field *parent) {
    field *copy = ir_alloc(t->arena, 1, sizeof *copy), **link = &copy->first;
    *copy = *f;
    copy->parent = parent;
    copy->next = copy->first = NULL;
    for (const field *c = f->first; c; c = c->next, link = &(*link)->next) *link = copy_of(t, c, copy);
    return copy;
}

static void remove_field(tree *t, field *f) {
    (void)t;
    for (field **link = &f->parent->first; *link; link = &(*link)->next)
        if (*link == f) {
            *link = f->next;
            return;
        }
}

static void repeat_field(tree *t, field *f) {
    field *copy = copy_of(t, f, f->parent);
    copy->next = f->next;
    f->next = copy;
}

static void move_field(tree *t, field *f) {
    remove_field(t, f);
    field **link = &f->parent->first;
    for (uint64_t n = fuzz_below(&t->random, 8); *link && n > 0; n--) link = &(*link)->next;
    f->next = *link;
    *link = f;
}

/* Another message of that kind, from anywhere. */
static void replace_message(tree *t, field *f) {
    for (int tries = 0; tries < 20; tries++) {
        const field *other = any_field(t);
        if (other == f || other->message != f->message) continue;
        f->first = copy_of(t, other, f->parent)->first;
        for (field *c = f->first; c; c = c->next) c->parent = f;
        return;
    }
}

/* Strings connect a graph: mostly one takes the value of another. */
static void change_bytes(tree *t, field *f) {
    for (int tries = 0; tries < 20 && f->size <= LONGEST_NAME && fuzz_below(&t->random, 8); tries++) {
        const field *other = any_field(t);
        if (other == f || other->wire != BYTES || other->message || other->size > LONGEST_NAME) continue;
        f->bytes = other->bytes;
        f->size = other->size;
        return;
    }
    uint8_t *own = ir_alloc(t->arena, f->size + 64, 1);
    memcpy(own, f->bytes, f->size);
    if (f->size >= 8 && f->size % 8 == 0 && fuzz_below(&t->random, 2)) {
        const int64_t v = fuzz_number(&t->random); /* raw data of an integer tensor, perhaps */
        memcpy(own + 8 * fuzz_below(&t->random, f->size / 8), &v, sizeof v);
    } else {
        f->size = LLVMFuzzerMutate(own, f->size, f->size + 64);
    }
    f->bytes = own;
}

static void change_value(tree *t, field *f) {
    if (f->wire == VARINT) {
        const field *other = any_field(t);
        const bool borrow = other->wire == VARINT && fuzz_below(&t->random, 2);
        f->value = borrow ? other->value : (uint64_t)fuzz_number(&t->random);
    } else if (f->wire == FIXED64) {
        const double v = fuzz_real(&t->random);
        memcpy(&f->value, &v, sizeof v);
    } else if (f->wire == FIXED32) {
        const float v = (float)fuzz_real(&t->random);
        memcpy(&f->value, &v, sizeof v);
    } else if (f->message) {
        replace_message(t, f);
    } else {
        change_bytes(t, f);
    }
}

static void change(tree *t) {
    static void (*const kinds[])(tree *, field *) = {change_value, change_value, change_value, change_value,
                                                     remove_field, repeat_field, move_field};
    kinds[fuzz_below(&t->random, sizeof kinds / sizeof *kinds)](t, any_field(t));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    static tree t;
    t.random = seed;
    size_t n = 0;
    if (fuzz_below(&t.random, 20) == 0) return LLVMFuzzerMutate(data, size, max);
    t.arena = ir_arena_new();
    uint8_t *copy = ir_alloc(t.arena, size + 1, 1); /* the tree points into it */
    memcpy(copy, data, size);
    if (tree_read(&t, copy, size)) {
        for (uint64_t i = fuzz_below(&t.random, 4) + 1; i > 0; i--) change(&t);
        n = tree_write(&t, data, max);
    }
    ir_arena_free(t.arena);
    return n ? n : LLVMFuzzerMutate(data, size, max);
}

/* A message of b, say a node, joins its kind in a. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max, unsigned seed) {
    static tree t, from;
    size_t n = 0;
    t.random = from.random = seed;
    t.arena = from.arena = ir_arena_new();
    if (tree_read(&t, a, a_size) && tree_read(&from, b, b_size)) {
        for (int tries = 0; tries < 50 && n == 0; tries++) {
            field *to = any_field(&t);
            const field *f = any_field(&from);
            if (f->number != to->number || f->parent->message != to->parent->message || f->wire != to->wire)
                continue;
            field *copy = copy_of(&t, f, to->parent);
            copy->next = to->next;
            to->next = copy;
            if (fuzz_below(&t.random, 3) == 0) remove_field(&t, to);
            n = tree_write(&t, out, max);
        }
    }
    ir_arena_free(t.arena);
    return n;
}

#endif
