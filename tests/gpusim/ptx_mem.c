/* ptx_mem.c: loads, stores and atomics: where an address lies, and whether it may be accessed so. */
#include "ptx_lane.h"

/* One access of a warp. Lanes outside the mask have the address of one inside, so that loops need no test. */
typedef struct span {
    uint64_t at[PTX_LANES];
    uint64_t low, high; /* the lowest and highest address */
    uint64_t bits;      /* or of all of them: alignment */
    int first;          /* a lane inside */
    size_t size;        /* bytes a lane */
} span;

static void addresses(const ptx_warp *w, const ptx_insn *in, int slot, const uint32_t *mask, span *s) {
    s->first = __builtin_ctz(ptx_bits(mask));
    s->size = in->bytes * in->vector;
    const void *const a = ptx_slot(w, slot);
    const bool narrow = in->space == PTX_SHARED && !in->wide[3];
    const uint64_t offset = (uint64_t)in->offset;
    if (narrow)
        PTX_EACH s->at[l] = (uint32_t)(ptx_get_u32(a, l) + (uint32_t)offset);
    else
        PTX_EACH s->at[l] = ptx_get_u64(a, l) + offset;
    const uint64_t stand_in = s->at[s->first];
    s->low = s->high = s->bits = stand_in;
    PTX_EACH {
        const uint64_t at = mask[l] ? s->at[l] : stand_in;
        s->at[l] = at;
        s->low = at < s->low ? at : s->low;
        s->high = at > s->high ? at : s->high;
        s->bits |= at;
    }
}

static const char *verb(const ptx_insn *in) {
    return in->run == ptx_load ? "read" : in->run == ptx_store ? "write" : "atomic";
}

_Noreturn static void misaligned(const ptx_warp *w, const ptx_insn *in, const span *s) {
    int l = s->first;
    for (int k = 0; k < PTX_LANES; k++)
        if (s->at[k] & (s->size - 1)) l = k;
    char text[200];
    ptx_fail(w, in, l, "misaligned %s of %zu bytes at %#llx: %s", verb(in), s->size,
             (unsigned long long)s->at[l],
             in->space == PTX_SHARED ? "shared memory" : sim_where(s->at[l], text, sizeof text));
}

/* ---- global memory ------------------------------------------------------------------------------- */

static bool inside(const sim_buffer *b, const span *s) {
    return b && s->low >= b->base && s->high - b->base <= b->size && s->size <= b->size - (s->high - b->base);
}

static void find_global(const ptx_warp *w, const ptx_insn *in, int l, const span *s) {
    char text[200];
    const uint64_t at = s->at[l];
    const sim_buffer *b = sim_find(at);
    if (b && b->device < 0)
        ptx_fail(w, in, l, "%s of host memory at %#llx: %s", verb(in), (unsigned long long)at,
                 sim_where(at, text, sizeof text));
    if (!b || s->size > b->size - (at - b->base))
        ptx_fail(w, in, l, "out-of-bounds %s of %zu bytes at %#llx: %s", verb(in), s->size,
                 (unsigned long long)at, sim_where(at, text, sizeof text));
    if (b->device != w->block->launch->device && b->device != SIM_ANY_DEVICE)
        ptx_fail(w, in, l, "%s on device %d of memory of device %d", verb(in), w->block->launch->device,
                 b->device);
    if (b->constant && in->run != ptx_load) ptx_fail(w, in, l, "%s of constant memory", verb(in));
}

static void check_global(ptx_warp *w, const ptx_insn *in, const span *s) {
    if (s->bits & (s->size - 1)) misaligned(w, in, s);
    const sim_buffer **cached = &w->cache[in->cache];
    if (inside(*cached, s)) return;
    PTX_EACH find_global(w, in, l, s);
    const sim_buffer *b = sim_find(s->at[s->first]);
    *cached = b->constant ? NULL : b;
}

/* Whether another block of this launch has written one of the bytes. Blocks 253 apart look alike. */
static bool is_foreign(const ptx_warp *w, uint64_t at, size_t n) {
    const uint8_t *const r = sim_written(at);
    const uint8_t tag = w->block->tag;
    uint8_t foreign = 0;
    for (size_t i = 0; i < n; i++) foreign |= (uint8_t)((r[i] > 1) & (r[i] != tag));
    return foreign;
}

_Noreturn static void block_race(const ptx_warp *w, const ptx_insn *in, int l, uint64_t at) {
    char text[200];
    ptx_fail(w, in, l, "data race on global memory: %s of what another block of the launch has written: %s",
             verb(in), sim_where(at, text, sizeof text));
}

/* Dense accesses are checked as one stretch; only when something is wrong with it, or it is wide, lane by
 * lane. */
static void check_written(const ptx_warp *w, const ptx_insn *in, const span *s) {
    const size_t stretch = (size_t)(s->high - s->low) + s->size;
    if (stretch <= 4 * PTX_LANES * s->size && !memchr(sim_written(s->low), 0, stretch) &&
        !is_foreign(w, s->low, stretch))
        return;
    for (int l = 0; l < PTX_LANES; l++) {
        const uint8_t *hole = memchr(sim_written(s->at[l]), 0, s->size);
        if (hole) {
            const uint64_t at = s->at[l] + (uint64_t)(hole - sim_written(s->at[l]));
            char text[200];
            ptx_fail(w, in, l, "read of memory that was never written: %s", sim_where(at, text, sizeof text));
        }
        if (is_foreign(w, s->at[l], s->size)) block_race(w, in, l, s->at[l]);
    }
}

/* Remembers where this launch writes, for ptx_run.c to forget the blocks' tags when it is over. */
static void note_range(ptx_block *b, const sim_buffer *buffer, uint64_t low, uint64_t high) {
    int i = 0;
    while (i < b->ranges && b->range[i].buffer != buffer) i++;
    if (i == b->ranges) {
        b->range = sim_grow(b->range, (size_t)++b->ranges, sizeof *b->range);
        b->range[i] = (ptx_range){buffer, low, high};
    }
    ptx_range *r = &b->range[i];
    if (low < r->low) r->low = low;
    if (high > r->high) r->high = high;
}

static void note_written(ptx_warp *w, const ptx_insn *in, const span *s) {
    const sim_buffer *b = w->cache[in->cache];
    if (inside(b, s)) {
        note_range(w->block, b, s->low, s->high + s->size);
        return;
    }
    PTX_EACH note_range(w->block, sim_find(s->at[l]), s->at[l], s->at[l] + s->size);
}

/* ---- values between memory and slots ------------------------------------------------------------- */

/* The k-th value of a vector at p, as its type says. */
static inline uint64_t value_at(const ptx_insn *in, const uint8_t *p, int k) {
    uint64_t v = 0;
    memcpy(&v, p + (size_t)k * in->bytes, in->bytes);
    if (in->type == PTX_S8) v = (uint64_t)(int64_t)(int8_t)v;
    if (in->type == PTX_S16) v = (uint64_t)(int64_t)(int16_t)v;
    if (in->type == PTX_S32) v = (uint64_t)(int64_t)(int32_t)v;
    return v;
}

static inline void put_value(const ptx_insn *in, const ptx_warp *w, int l, int k, uint64_t v) {
    if (in->d[k] < 0) return; /* _ */
    if (in->wide[0])
        ptx_put_u64(ptx_slot(w, in->d[k]), l, v);
    else
        ptx_put_u32(ptx_slot(w, in->d[k]), l, (uint32_t)v & (in->wide[1] ? 0xffffu : ~0u));
}

static inline void load_lane(const ptx_insn *in, const ptx_warp *w, int l, const uint8_t *p) {
    for (int k = 0; k < in->vector; k++) put_value(in, w, l, k, value_at(in, p, k));
}

static inline void store_lane(const ptx_insn *in, const ptx_warp *w, int l, uint8_t *p) {
    const size_t n = in->bytes;
    for (int k = 0; k < in->vector; k++, p += n) {
        const void *const s = ptx_slot(w, in->d[k]);
        const uint64_t v = n == 8 ? ptx_get_u64(s, l) : in->wide[0] ? ptx_get_u64(s, l) : ptx_get_u32(s, l);
        memcpy(p, &v, n);
    }
}

/* The common case by itself: words of 32 bits. Addresses count from base. */
static void load_words(const ptx_insn *in, const ptx_warp *w, uintptr_t base, const span *s,
                       const uint32_t *mask) {
    for (int k = 0; k < in->vector; k++) {
        if (in->d[k] < 0) continue;
        uint32_t *const to = ptx_slot(w, in->d[k]);
        PTX_EACH {
            uint32_t v;
            memcpy(&v, (const uint8_t *)(base + s->at[l]) + 4 * k, 4);
            to[l] = mask[l] ? v : to[l];
        }
    }
}

static bool is_words(const ptx_insn *in) {
    return in->bytes == 4 && !in->wide[0];
}

static void touch(const span *s, const uint32_t *mask, bool write) {
    for (int l = 0; sim_noting && l < PTX_LANES; l++)
        if (mask[l]) sim_touch_bytes(s->at[l], s->size, write);
}

static void load_global(ptx_warp *w, const ptx_insn *in, const span *s, const uint32_t *mask) {
    check_global(w, in, s);
    check_written(w, in, s);
    touch(s, mask, false);
    if (is_words(in)) {
        load_words(in, w, (uintptr_t)sim_bytes(s->low) - s->low, s, mask);
        return;
    }
    for (int l = 0; l < PTX_LANES; l++)
        if (mask[l]) load_lane(in, w, l, sim_bytes(s->at[l]));
}

static void store_global(ptx_warp *w, const ptx_insn *in, const span *s, const uint32_t *mask) {
    check_global(w, in, s);
    note_written(w, in, s);
    touch(s, mask, true);
    for (int l = 0; l < PTX_LANES; l++) {
        if (!mask[l]) continue;
        if (is_foreign(w, s->at[l], s->size)) block_race(w, in, l, s->at[l]);
        store_lane(in, w, l, sim_bytes(s->at[l]));
        memset(sim_written(s->at[l]), w->block->tag, s->size);
    }
}

/* ---- shared memory ------------------------------------------------------------------------------- */

static void check_shared(const ptx_warp *w, const ptx_insn *in, const span *s) {
    if (s->bits & (s->size - 1)) misaligned(w, in, s);
    ptx_block *b = w->block;
    if (s->high + s->size > b->touched) b->touched = s->high + s->size;
    if (s->high <= b->shared_bytes && s->size <= b->shared_bytes - s->high) return;
    for (int l = 0; l < PTX_LANES; l++)
        if (s->at[l] > b->shared_bytes || s->size > b->shared_bytes - s->at[l])
            ptx_fail(w, in, l, "out-of-bounds %s of %zu bytes at %llu of %zu bytes of shared memory",
                     verb(in), s->size, (unsigned long long)s->at[l], b->shared_bytes);
}

static void race(const ptx_warp *w, const ptx_insn *in, int l, uint64_t at, const char *other) {
    ptx_fail(w, in, l,
             "data race on shared memory: %s of byte %llu, which another warp %s since the last barrier",
             verb(in), (unsigned long long)at, other);
}

static void note_read(const ptx_warp *w, const ptx_insn *in, int l, uint64_t at, size_t n) {
    const ptx_block *b = w->block;
    for (uint64_t i = at; i < at + n; i++) {
        if (!b->shared_written[i])
            ptx_fail(w, in, l, "read of shared memory that was never written: byte %llu",
                     (unsigned long long)i);
        if (b->shared_writer[i] && b->shared_writer[i] != w->index + 1) race(w, in, l, i, "wrote");
        b->shared_readers[i] |= 1u << w->index;
    }
}

static void note_write(const ptx_warp *w, const ptx_insn *in, int l, uint64_t at, size_t n) {
    const ptx_block *b = w->block;
    for (uint64_t i = at; i < at + n; i++) {
        if (b->shared_writer[i] && b->shared_writer[i] != w->index + 1) race(w, in, l, i, "wrote");
        if (b->shared_readers[i] & ~(1u << w->index)) race(w, in, l, i, "read");
        b->shared_writer[i] = (uint8_t)(w->index + 1);
        b->shared_written[i] = 1;
    }
}

static void load_shared(ptx_warp *w, const ptx_insn *in, const span *s, const uint32_t *mask) {
    check_shared(w, in, s);
    uint64_t noted = UINT64_MAX; /* lanes often read one address together */
    for (int l = 0; l < PTX_LANES; l++) {
        if (!mask[l] || s->at[l] == noted) continue;
        noted = s->at[l];
        note_read(w, in, l, noted, s->size);
    }
    if (is_words(in)) {
        load_words(in, w, (uintptr_t)w->block->shared, s, mask);
        return;
    }
    for (int l = 0; l < PTX_LANES; l++)
        if (mask[l]) load_lane(in, w, l, w->block->shared + s->at[l]);
}

static void store_shared(ptx_warp *w, const ptx_insn *in, const span *s, const uint32_t *mask) {
    check_shared(w, in, s);
    for (int l = 0; l < PTX_LANES; l++) {
        if (!mask[l]) continue;
        note_write(w, in, l, s->at[l], s->size);
        store_lane(in, w, l, w->block->shared + s->at[l]);
    }
}

/* ---- local memory and parameters ----------------------------------------------------------------- */

static uint8_t *local_of(const ptx_warp *w, const ptx_insn *in, int l, uint64_t at, size_t n) {
    const size_t bytes = w->block->launch->kernel->local_bytes;
    if (at > bytes || n > bytes - at)
        ptx_fail(w, in, l, "out-of-bounds %s of %zu bytes at %llu of %zu bytes of local memory", verb(in), n,
                 (unsigned long long)at, bytes);
    return w->local + (size_t)l * bytes + at;
}

static const uint8_t *param_of(const ptx_warp *w, const ptx_insn *in, int l, uint64_t at, size_t n) {
    const ptx_kernel *k = w->block->launch->kernel;
    if (at > k->param_bytes || n > k->param_bytes - at)
        ptx_fail(w, in, l, "out-of-bounds read of %zu bytes at %llu of %zu bytes of parameters", n,
                 (unsigned long long)at, k->param_bytes);
    return w->block->launch->params + at;
}

/* ---- the instructions ---------------------------------------------------------------------------- */

/* Rebases a generic address into the space that it is of. All lanes must agree on it. */
static ptx_space settle(const ptx_warp *w, const ptx_insn *in, span *s) {
    static const struct {
        uint64_t window;
        ptx_space space;
    } windows[] = {
        {PTX_SHARED_WINDOW, PTX_SHARED}, {PTX_LOCAL_WINDOW, PTX_LOCAL}, {PTX_PARAM_WINDOW, PTX_PARAM}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        if (PTX_WINDOW_OF(s->low) != windows[i].window) continue;
        if (PTX_WINDOW_OF(s->high) != windows[i].window)
            ptx_fail(w, in, s->first, "%s through generic pointers into different spaces", verb(in));
        PTX_EACH s->at[l] -= windows[i].window;
        s->low -= windows[i].window;
        s->high -= windows[i].window;
        return windows[i].space;
    }
    return PTX_GLOBAL;
}

void ptx_load(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    span s;
    addresses(w, in, in->a, mask, &s);
    const ptx_space space = in->space == PTX_GENERIC ? settle(w, in, &s) : (ptx_space)in->space;
    switch (space) {
    case PTX_SHARED:
        load_shared(w, in, &s, mask);
        break;
    case PTX_LOCAL:
        for (int l = 0; l < PTX_LANES; l++)
            if (mask[l]) load_lane(in, w, l, local_of(w, in, l, s.at[l], s.size));
        break;
    case PTX_PARAM:
        for (int l = 0; l < PTX_LANES; l++)
            if (mask[l]) load_lane(in, w, l, param_of(w, in, l, s.at[l], s.size));
        break;
    default:
        load_global(w, in, &s, mask);
        break;
    }
}

void ptx_store(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    span s;
    addresses(w, in, in->a, mask, &s);
    const ptx_space space = in->space == PTX_GENERIC ? settle(w, in, &s) : (ptx_space)in->space;
    switch (space) {
    case PTX_SHARED:
        store_shared(w, in, &s, mask);
        break;
    case PTX_LOCAL:
        for (int l = 0; l < PTX_LANES; l++)
            if (mask[l]) store_lane(in, w, l, local_of(w, in, l, s.at[l], s.size));
        break;
    case PTX_PARAM:
        ptx_fail(w, in, s.first, "write of a parameter");
    default:
        store_global(w, in, &s, mask);
        break;
    }
}

/* A parameter at an address that the code states: the same for every lane. */
void ptx_load_param(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    const size_t n = in->bytes * in->vector;
    const uint8_t *p = param_of(w, in, 0, (uint64_t)in->offset, n);
    for (int k = 0; k < in->vector; k++) {
        const uint64_t v = value_at(in, p, k);
        for (int l = 0; l < PTX_LANES; l++)
            if (mask[l]) put_value(in, w, l, k, v);
    }
}

void ptx_to_window(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    uint64_t *const to = ptx_slot(w, in->d[0]);
    const uint64_t *const a = ptx_slot(w, in->a);
    PTX_EACH to[l] = mask[l] ? a[l] + (uint64_t)in->offset : to[l];
}

void ptx_from_window(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    uint64_t *const to = ptx_slot(w, in->d[0]);
    const uint64_t *const a = ptx_slot(w, in->a);
    PTX_EACH to[l] = mask[l] ? a[l] - (uint64_t)in->offset : to[l];
}

/* ---- atomics ------------------------------------------------------------------------------------- */

static uint64_t extended(uint64_t v, ptx_type t) {
    return t == PTX_S32 ? (uint64_t)(int64_t)(int32_t)v : t == PTX_U32 ? (uint32_t)v : v;
}

static uint64_t added_floats(uint64_t a, uint64_t b) {
    const uint32_t x = (uint32_t)a, y = (uint32_t)b;
    float f, g;
    memcpy(&f, &x, 4);
    memcpy(&g, &y, 4);
    f += g;
    uint32_t bits;
    memcpy(&bits, &f, 4);
    return bits;
}

static uint64_t updated(const ptx_insn *in, uint64_t old, uint64_t v, uint64_t other) {
    const ptx_type t = (ptx_type)in->type;
    const uint64_t a = extended(old, t), b = extended(v, t);
    const bool is_signed = t == PTX_S32 || t == PTX_S64;
    switch (in->mode) {
    case PTX_ADD:
        return t == PTX_F32 ? added_floats(a, b) : a + b;
    case PTX_MIN:
        return (is_signed ? (int64_t)a < (int64_t)b : a < b) ? a : b;
    case PTX_MAX:
        return (is_signed ? (int64_t)a > (int64_t)b : a > b) ? a : b;
    case PTX_AND:
        return a & b;
    case PTX_OR:
        return a | b;
    case PTX_XOR:
        return a ^ b;
    case PTX_INC:
        return a >= b ? 0 : a + 1;
    case PTX_DEC:
        return a == 0 || a > b ? b : a - 1;
    case PTX_CAS:
        return a == b ? other : a;
    default:
        return b;
    }
}

static uint64_t exchange32(const ptx_insn *in, void *p, uint64_t v, uint64_t other) {
    uint32_t old = __atomic_load_n((uint32_t *)p, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n((uint32_t *)p, &old, (uint32_t)updated(in, old, v, other), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return old;
}

static uint64_t exchange64(const ptx_insn *in, void *p, uint64_t v, uint64_t other) {
    uint64_t old = __atomic_load_n((uint64_t *)p, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n((uint64_t *)p, &old, updated(in, old, v, other), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return old;
}

static uint64_t value_of(const ptx_warp *w, int slot, bool wide, int l) {
    return wide ? ptx_get_u64(ptx_slot(w, slot), l) : ptx_get_u32(ptx_slot(w, slot), l);
}

/* d[0] (-1: none) = what was at [a]; b is the operand, c what compare-and-swap puts there. */
void ptx_atomic(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    span s;
    addresses(w, in, in->a, mask, &s);
    const bool wide = s.size == 8;
    const ptx_space space = in->space == PTX_GENERIC ? settle(w, in, &s) : (ptx_space)in->space;
    if (space == PTX_SHARED) {
        check_shared(w, in, &s);
    } else {
        check_global(w, in, &s);
        check_written(w, in, &s);
        touch(&s, mask, true);
    }
    for (int l = 0; l < PTX_LANES; l++) {
        if (!mask[l]) continue;
        void *const p = space == PTX_SHARED ? w->block->shared + s.at[l] : sim_bytes(s.at[l]);
        const uint64_t b = value_of(w, in->b, wide, l), c = value_of(w, in->c, wide, l);
        const uint64_t old = wide ? exchange64(in, p, b, c) : exchange32(in, p, b, c);
        if (in->d[0] < 0) continue;
        if (wide)
            ptx_put_u64(ptx_slot(w, in->d[0]), l, old);
        else
            ptx_put_u32(ptx_slot(w, in->d[0]), l, (uint32_t)old);
    }
}
