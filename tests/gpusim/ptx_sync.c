/* ptx_sync.c: exchanges between the lanes of a warp, and packing of registers. */
#include "ptx_lane.h"

/* CUDA's shfl.sync: PTX ISA, "Data Movement and Conversion Instructions: shfl.sync". a: value, b: lane or
 * distance, c: clamp and segment mask; d[1] (-1: none) says whether the source was in range. */
static int source_lane(int mode, int lane, uint32_t b, uint32_t c, bool *valid) {
    const int clamp = (int)(c & 31), segment = (int)(c >> 8 & 31), distance = (int)(b & 31);
    const int highest = (lane & segment) | (clamp & ~segment), lowest = lane & segment;
    int from = lane;
    switch (mode) {
    case PTX_SHFL_UP:
        from = lane - distance;
        break;
    case PTX_SHFL_DOWN:
        from = lane + distance;
        break;
    case PTX_SHFL_BFLY:
        from = lane ^ distance;
        break;
    default:
        from = lowest | (distance & ~segment);
        break;
    }
    *valid = mode == PTX_SHFL_UP ? from >= highest : from <= highest;
    return *valid ? from : lane;
}

void ptx_shuffle(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    uint32_t *const d = ptx_slot(w, in->d[0]), *const p = in->d[1] >= 0 ? ptx_slot(w, in->d[1]) : NULL;
    const uint32_t *const a = ptx_slot(w, in->a), *const b = ptx_slot(w, in->b),
                          *const c = ptx_slot(w, in->c);
    uint32_t value[PTX_LANES], valid[PTX_LANES];
    for (int l = 0; l < PTX_LANES; l++) {
        bool ok = true;
        const int from = source_lane(in->mode, l, b[l], c[l], &ok);
        if (mask[l] && !mask[from]) ptx_fail(w, in, l, "shfl reads lane %d, which does not take part", from);
        value[l] = a[from];
        valid[l] = ok ? ~0u : 0;
    }
    PTX_EACH d[l] = mask[l] ? value[l] : d[l];
    if (p) PTX_EACH p[l] = mask[l] ? valid[l] : p[l];
}

/* a: the predicate, inverted where negated[3] says so. */
void ptx_vote(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    uint32_t *const d = ptx_slot(w, in->d[0]);
    const uint32_t active = ptx_bits(mask);
    uint32_t ayes = active;
    if (in->mode != PTX_VOTE_ACTIVE) {
        ayes = ptx_bits(ptx_slot(w, in->a));
        ayes = (in->wide[3] ? ~ayes : ayes) & active;
    }
    uint32_t result = ayes;
    switch (in->mode) {
    case PTX_VOTE_ANY:
        result = ayes ? ~0u : 0;
        break;
    case PTX_VOTE_ALL:
        result = ayes == active ? ~0u : 0;
        break;
    case PTX_VOTE_UNI:
        result = ayes == active || ayes == 0 ? ~0u : 0;
        break;
    default:
        break;
    }
    PTX_EACH d[l] = mask[l] ? result : d[l];
}

static uint32_t merged(int mode, ptx_type t, uint32_t a, uint32_t b) {
    const bool less = t == PTX_S32 ? (int32_t)a < (int32_t)b : a < b;
    switch (mode) {
    case PTX_ADD:
        return a + b;
    case PTX_MIN:
        return less ? a : b;
    case PTX_MAX:
        return less ? b : a;
    case PTX_AND:
        return a & b;
    case PTX_OR:
        return a | b;
    default:
        return a ^ b;
    }
}

/* redux.sync */
void ptx_reduce(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    uint32_t *const d = ptx_slot(w, in->d[0]);
    const uint32_t *const a = ptx_slot(w, in->a);
    const int first = __builtin_ctz(ptx_bits(mask));
    uint32_t v = a[first];
    for (int l = first + 1; l < PTX_LANES; l++)
        if (mask[l]) v = merged(in->mode, (ptx_type)in->type, v, a[l]);
    PTX_EACH d[l] = mask[l] ? v : d[l];
}

/* d = {a, b, c, e}: as many parts as vector says, each of the type's bytes. */
void ptx_pack(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    const int parts[4] = {in->a, in->b, in->c, in->e};
    const int bits = 8 * ptx_type_bytes((ptx_type)in->type) / in->vector;
    uint64_t v[PTX_LANES] = {0};
    for (int k = 0; k < in->vector; k++) {
        const uint32_t *const part = ptx_slot(w, parts[k]);
        const uint64_t keep = ptx_low_bits((uint32_t)bits);
        PTX_EACH v[l] |= (part[l] & keep) << k * bits;
    }
    void *const d = ptx_slot(w, in->d[0]);
    if (in->wide[0])
        PTX_EACH ptx_put_u64(d, l, mask[l] ? v[l] : ptx_get_u64(d, l));
    else
        PTX_EACH ptx_put_u32(d, l, mask[l] ? (uint32_t)v[l] : ptx_get_u32(d, l));
}

/* {d[0], ...} = a; a part that is not wanted is -1. */
void ptx_unpack(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    const bool wide = ptx_type_bytes((ptx_type)in->type) == 8;
    const int bits = 8 * ptx_type_bytes((ptx_type)in->type) / in->vector;
    const void *const a = ptx_slot(w, in->a);
    uint64_t v[PTX_LANES];
    PTX_EACH v[l] = wide ? ptx_get_u64(a, l) : ptx_get_u32(a, l);
    for (int k = 0; k < in->vector; k++) {
        if (in->d[k] < 0) continue;
        uint32_t *const d = ptx_slot(w, in->d[k]);
        const uint64_t keep = ptx_low_bits((uint32_t)bits);
        PTX_EACH d[l] = mask[l] ? (uint32_t)(v[l] >> k * bits & keep) : d[l];
    }
}

void ptx_nothing(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    (void)w;
    (void)in;
    (void)mask;
}
