/* ops.c: the tables of ops.def and attrs.def as data. */
#include "ir.h"

#include <string.h>

/* One row's attribute column gives both masks: required keys in the low half, optional ones in the high half.
 */
typedef unsigned __int128 masks;
_Static_assert(IR_KEY_COUNT <= 64, "an attribute key no longer fits a 64-bit mask");
#define R(key)  ((masks)1 << IR_##key)
#define O(key)  ((masks)1 << (64 + IR_##key))
#define MAP     IR_FLAG_MAP
#define BINARY  IR_FLAG_BINARY
#define VIEW    IR_FLAG_VIEW
#define SHAPE   IR_FLAG_SHAPE
#define SPATIAL IR_FLAG_SPATIAL
static const ir_op_info ops[IR_OP_COUNT] = {
#define OP(sym, text, imin, imax, outs, params, bits, elements, shape, value, reads, memory, attrs, back,    \
           meaning)                                                                                          \
    [IR_OP_##sym] = {.name = #text,                                                                          \
                     .formula = (meaning),                                                                   \
                     .gradient = (back),                                                                     \
                     .min_in = (imin),                                                                       \
                     .max_in = (imax),                                                                       \
                     .n_out = (outs),                                                                        \
                     .weights = (params),                                                                    \
                     .required = (uint64_t)((masks)(attrs)),                                                 \
                     .optional = (uint64_t)((masks)(attrs) >> 64),                                           \
                     .flags = (bits),                                                                        \
                     .form = IR_FORM_##elements,                                                             \
                     .planes = IR_PLANES_##reads,                                                            \
                     .layout = IR_LAYOUT_##memory},
#include "ops.def"
};

typedef struct key_info {
    const char *name;
    ir_kind kind;
} key_info;
static const key_info keys[IR_KEY_COUNT] = {
#define ATTR(sym, text, value) [IR_##sym] = {(text), IR_KIND_##value},
#include "attrs.def"
#undef ATTR
};

const ir_op_info *ir_op_get(ir_op op) {
    if ((unsigned)op >= IR_OP_COUNT) ir_die("there is no operator %d", (int)op);
    return &ops[op];
}

bool ir_op_parse(const char *name, ir_op *out) {
    for (int i = 0; i < IR_OP_COUNT; i++)
        if (!strcmp(ops[i].name, name)) {
            *out = (ir_op)i;
            return true;
        }
    return false;
}

#define OP(sym, text, imin, imax, outs, params, bits, elements, shape, value, reads, memory, attrs, back,    \
           meaning)                                                                                          \
    _Static_assert(sizeof(back) > 1, "ops.def: " #sym " wants a gradient, or why there is none");
#include "ops.def"

bool ir_op_carries_act(ir_op op) {
    return ir_op_get(op)->optional >> IR_ACT & 1;
}

bool ir_op_fuses(ir_op op) {
    enum { FUSES = true, ALONE = false };
    static const bool fuses[IR_OP_COUNT] = {
#define ACT(sym, name, parameters, form, fuses, ...) [IR_OP_##sym] = fuses,
#include "vox_acts.def"
    };
    return fuses[op];
}

static const key_info *key_get(ir_key k) {
    if ((unsigned)k >= IR_KEY_COUNT) ir_die("there is no attribute %d", (int)k);
    return &keys[k];
}

const char *ir_key_name(ir_key k) {
    return key_get(k)->name;
}

ir_kind ir_key_kind(ir_key k) {
    return key_get(k)->kind;
}

const char *ir_gpu_name(ir_gpu gpu) {
    static const char *const names[IR_GPU_COUNT] = {
#define X(sym, name, meaning) [IR_GPU_##sym] = (name),
        IR_GPUS(X)
#undef X
    };
    return names[gpu];
}
