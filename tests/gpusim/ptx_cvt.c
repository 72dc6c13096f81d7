/* ptx_cvt.c: conversions, comparisons, selections, and arithmetic that does not round to nearest. */
#include "ptx_lane.h"

#include <fenv.h>
#include <math.h>

static bool is_float(ptx_type t) {
    return t == PTX_F16 || t == PTX_BF16 || t == PTX_F32 || t == PTX_F64;
}

static void integers_of(const void *s, ptx_type t, int64_t v[PTX_LANES]) {
    switch (t) {
    case PTX_U8:
        PTX_EACH v[l] = (uint8_t)ptx_get_u32(s, l);
        break;
    case PTX_S8:
        PTX_EACH v[l] = (int8_t)ptx_get_u32(s, l);
        break;
    case PTX_U16:
        PTX_EACH v[l] = ptx_get_u16(s, l);
        break;
    case PTX_S16:
        PTX_EACH v[l] = ptx_get_s16(s, l);
        break;
    case PTX_U32:
        PTX_EACH v[l] = ptx_get_u32(s, l);
        break;
    case PTX_S32:
        PTX_EACH v[l] = ptx_get_s32(s, l);
        break;
    default:
        PTX_EACH v[l] = ptx_get_s64(s, l);
        break;
    }
}

static void doubles_of(const void *s, ptx_type t, double v[PTX_LANES]) {
    switch (t) {
    case PTX_F16:
        PTX_EACH v[l] = (double)ptx_get_f16(s, l);
        break;
    case PTX_BF16:
        PTX_EACH v[l] = (double)ptx_get_bf16(s, l);
        break;
    case PTX_F32:
        PTX_EACH v[l] = (double)ptx_get_f32(s, l);
        break;
    default:
        PTX_EACH v[l] = ptx_get_f64(s, l);
        break;
    }
}

/* A register's lanes are 64 bits wide or 32; a signed value narrower than its register is extended. */
static void put_integers(void *s, const ptx_insn *in, const int64_t v[PTX_LANES], const uint32_t *mask) {
    if (in->wide[0]) {
        PTX_EACH ptx_put_s64(s, l, mask[l] ? v[l] : ptx_get_s64(s, l));
    } else {
        const uint32_t keep = in->wide[1] ? 0xffffu : ~0u; /* a register of 16 bits */
        PTX_EACH ptx_put_u32(s, l, mask[l] ? (uint32_t)v[l] & keep : ptx_get_u32(s, l));
    }
}

static int64_t wrapped(int64_t v, ptx_type t) {
    switch (t) {
    case PTX_U8:
        return (uint8_t)v;
    case PTX_S8:
        return (int8_t)v;
    case PTX_U16:
        return (uint16_t)v;
    case PTX_S16:
        return (int16_t)v;
    case PTX_U32:
        return (uint32_t)v;
    case PTX_S32:
        return (int32_t)v;
    default:
        return v;
    }
}

/* What float to integer gives beyond the integer's range: its nearest end; NaN gives 0. */
static int64_t clamped(double v, ptx_type t) {
    const int bits = 8 * ptx_type_bytes(t);
    const bool is_signed = t == PTX_S8 || t == PTX_S16 || t == PTX_S32 || t == PTX_S64;
    const double limit = ldexp(1.0, is_signed ? bits - 1 : bits);
    if (v != v) return 0;
    if (v >= limit)
        return is_signed ? (int64_t)(limit / 2 - 1) + (int64_t)(limit / 2)
                         : (int64_t)ptx_low_bits((uint32_t)bits);
    if (v <= (is_signed ? -limit : 0)) return is_signed ? (int64_t)-limit : 0;
    return t == PTX_U64 ? (int64_t)(uint64_t)v : (int64_t)v;
}

static double rounded(double v, int mode) {
    switch (mode & PTX_ROUNDING) {
    case PTX_ZERO:
        return trunc(v);
    case PTX_DOWN:
        return floor(v);
    case PTX_UP:
        return ceil(v);
    default:
        return nearbyint(v);
    }
}

/* A double as the nearest float in the direction that the mode says. */
static float narrowed(double v, int mode) {
    const float f = (float)v;
    const bool up = (double)f > v, down = (double)f < v;
    switch (mode & PTX_ROUNDING) {
    case PTX_ZERO:
        return (v > 0 && up) || (v < 0 && down) ? nextafterf(f, 0) : f;
    case PTX_DOWN:
        return up ? nextafterf(f, -INFINITY) : f;
    case PTX_UP:
        return down ? nextafterf(f, INFINITY) : f;
    default:
        return f;
    }
}

static uint16_t brain(double v, int mode) {
    const float f = (float)v;
    uint32_t bits;
    memcpy(&bits, &f, 4);
    return (mode & PTX_ROUNDING) == PTX_ZERO ? (uint16_t)(bits >> 16) : ptx_to_brain(f);
}

static void put_doubles(void *s, const ptx_insn *in, const double v[PTX_LANES], const uint32_t *mask) {
    for (int l = 0; l < PTX_LANES; l++) {
        if (!mask[l]) continue;
        double x = in->mode & PTX_INTEGRAL ? rounded(v[l], in->mode) : v[l];
        if (in->mode & PTX_SATURATE) x = x > 0 ? (x < 1 ? x : 1) : 0;
        if (in->mode & PTX_RELU) x = x > 0 ? x : 0;
        const int mode = in->mode & PTX_INTEGRAL ? PTX_NEAREST : in->mode;
        switch ((ptx_type)in->type) {
        case PTX_F16:
            ptx_put_f16(s, l, narrowed(x, mode));
            break;
        case PTX_BF16:
            ptx_put_u32(s, l, brain(x, mode));
            break;
        case PTX_F32:
            ptx_put_f32(s, l, narrowed(x, mode));
            break;
        default:
            ptx_put_f64(s, l, x);
            break;
        }
    }
}

static void saturated(int64_t v[PTX_LANES], ptx_type t) {
    PTX_EACH v[l] = clamped((double)v[l], t);
}

void ptx_convert(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    void *const to = ptx_slot(w, in->d[0]);
    const ptx_type type = (ptx_type)in->type, from = (ptx_type)in->from;
    int64_t i[PTX_LANES];
    double f[PTX_LANES];
    if (is_float(from)) {
        doubles_of(ptx_slot(w, in->a), from, f);
        if (is_float(type)) {
            put_doubles(to, in, f, mask);
            return;
        }
        PTX_EACH i[l] = clamped(rounded(f[l], in->mode), type);
    } else {
        /* A 64-bit register may be read as a narrower type: cvt.s64.s32 of %rd. */
        integers_of(ptx_slot(w, in->a), in->wide[2] ? PTX_S64 : from, i);
        PTX_EACH i[l] = wrapped(i[l], from);
        if (is_float(type)) {
            PTX_EACH f[l] = from == PTX_U64 ? (double)(uint64_t)i[l] : (double)i[l];
            put_doubles(to, in, f, mask);
            return;
        }
        if (in->mode & PTX_SATURATE) saturated(i, type);
        PTX_EACH i[l] = wrapped(i[l], type);
    }
    put_integers(to, in, i, mask);
}

/* ---- comparisons --------------------------------------------------------------------------------- */

/* Which of PTX_LT, PTX_EQ, PTX_GT, PTX_UNORDERED holds in each lane. */
#define RELATION(T)                                                                                          \
    PTX_EACH {                                                                                               \
        const ptx_v_##T x = ptx_get_##T(a, l), y = ptx_get_##T(b, l);                                        \
        r[l] = x < y ? PTX_LT : x == y ? PTX_EQ : x > y ? PTX_GT : PTX_UNORDERED;                            \
    }                                                                                                        \
    break;

static void relate(ptx_type t, const void *a, const void *b, uint32_t r[PTX_LANES]) {
    switch (t) {
    case PTX_U16:
        RELATION(u16)
    case PTX_S16:
        RELATION(s16)
    case PTX_U32:
        RELATION(u32)
    case PTX_S32:
        RELATION(s32)
    case PTX_U64:
        RELATION(u64)
    case PTX_S64:
        RELATION(s64)
    case PTX_F16:
        RELATION(f16)
    case PTX_BF16:
        RELATION(bf16)
    case PTX_F32:
        RELATION(f32)
    default:
        RELATION(f64)
    }
}

static uint32_t combined(uint32_t p, uint32_t with, int mode) {
    if (mode & PTX_COMBINE_AND) return p & with;
    if (mode & PTX_COMBINE_OR) return p | with;
    return mode & PTX_COMBINE_XOR ? p ^ with : p;
}

/* d[0] = relation combined with c; d[1], if any (not -1), = the contrary of the relation combined with c. The
 * condition c is negated where wide[3] says so. */
void ptx_compare(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    uint32_t r[PTX_LANES];
    relate((ptx_type)in->type, ptx_slot(w, in->a), ptx_slot(w, in->b), r);
    uint32_t *const p = ptx_slot(w, in->d[0]), *const q = in->d[1] >= 0 ? ptx_slot(w, in->d[1]) : NULL;
    const uint32_t *const c = ptx_slot(w, in->c);
    const uint32_t wanted = in->mode & 15u, invert = in->wide[3] ? ~0u : 0;
    uint32_t with[PTX_LANES];
    PTX_EACH with[l] = c[l] ^ invert;
    PTX_EACH {
        const uint32_t hit = r[l] & wanted ? ~0u : 0;
        p[l] = mask[l] ? combined(hit, with[l], in->mode) : p[l];
    }
    if (!q) return;
    PTX_EACH {
        const uint32_t miss = r[l] & wanted ? 0 : ~0u;
        q[l] = mask[l] ? combined(miss, with[l], in->mode) : q[l];
    }
}

void ptx_select(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    const uint32_t *const p = ptx_slot(w, in->c);
    void *const to = ptx_slot(w, in->d[0]);
    const void *const a = ptx_slot(w, in->a), *const b = ptx_slot(w, in->b);
    if (in->wide[0]) {
        PTX_EACH {
            const uint64_t v = p[l] ? ptx_get_u64(a, l) : ptx_get_u64(b, l);
            ptx_put_u64(to, l, mask[l] ? v : ptx_get_u64(to, l));
        }
    } else {
        PTX_EACH {
            const uint32_t v = p[l] ? ptx_get_u32(a, l) : ptx_get_u32(b, l);
            ptx_put_u32(to, l, mask[l] ? v : ptx_get_u32(to, l));
        }
    }
}

/* ---- directed rounding --------------------------------------------------------------------------- */

static float directed(int operation, float a, float b, float c) {
    switch (operation) {
    case PTX_ADD:
        return a + b;
    case PTX_MIN:
        return a - b;
    case PTX_MAX:
        return a * b;
    default:
        return __builtin_fmaf(a, b, c);
    }
}

/* add, sub, mul or fma of f32 in the rounding that mode says; from: PTX_ADD, _MIN (sub), _MAX (mul), else
 * fma. */
void ptx_directed(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {
    static const int rounding[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    float *const to = ptx_slot(w, in->d[0]);
    const float *const a = ptx_slot(w, in->a), *const b = ptx_slot(w, in->b), *const c = ptx_slot(w, in->c);
    fesetround(rounding[in->mode & 3]);
    for (int l = 0; l < PTX_LANES; l++)
        if (mask[l]) to[l] = directed(in->from, a[l], b[l], c[l]);
    fesetround(FE_TONEAREST);
}
