/* ptx_ops.c: the instructions of ptx_ops.def as functions over a warp, and the table that finds them. */
#include "ptx_lane.h"

#include <math.h>

/* Every lane is computed and those outside the mask keep what they had, which makes the loop vector code. */
#define OP(id, names, TD, TA, TB, TC, TE, value)                                                             \
    static void run_##id(ptx_warp *w, const ptx_insn *in, const uint32_t *mask) {                            \
        void *const to = ptx_slot(w, in->d[0]);                                                              \
        const void *const pa = ptx_slot(w, in->a), *const pb = ptx_slot(w, in->b);                           \
        const void *const pc = ptx_slot(w, in->c), *const pe = ptx_slot(w, in->e);                           \
        PTX_EACH {                                                                                           \
            const ptx_v_##TA a = ptx_get_##TA(pa, l);                                                        \
            const ptx_v_##TB b = ptx_get_##TB(pb, l);                                                        \
            const ptx_v_##TC c = ptx_get_##TC(pc, l);                                                        \
            const ptx_v_##TE e = ptx_get_##TE(pe, l);                                                        \
            (void)b, (void)c, (void)e;                                                                       \
            ptx_put_##TD(to, l, mask[l] ? (ptx_v_##TD)(value) : ptx_get_##TD(to, l));                        \
        }                                                                                                    \
    }
#include "ptx_ops.def"
#undef OP

enum {
    op_none = PTX_NONE,
    op_u16 = PTX_U16,
    op_s16 = PTX_S16,
    op_u32 = PTX_U32,
    op_s32 = PTX_S32,
    op_u64 = PTX_U64,
    op_s64 = PTX_S64,
    op_f16 = PTX_F16,
    op_bf16 = PTX_BF16,
    op_f32 = PTX_F32,
    op_f64 = PTX_F64
};

static const struct {
    const char *names;
    ptx_run *run;
    unsigned char types[5];
} table[] = {
#define OP(id, names, TD, TA, TB, TC, TE, value)                                                             \
    {names, run_##id, {op_##TD, op_##TA, op_##TB, op_##TC, op_##TE}},
#include "ptx_ops.def"
#undef OP
};

/* Whether name is one of the words of names. */
static bool among(const char *names, const char *name) {
    const size_t n = strlen(name);
    for (const char *p = names; (p = strstr(p, name)); p += n)
        if ((p == names || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0)) return true;
    return false;
}

ptx_run *ptx_simple_op(const char *name, ptx_type types[5]) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (!among(table[i].names, name)) continue;
        for (int k = 0; k < 5; k++) types[k] = (ptx_type)table[i].types[k];
        return table[i].run;
    }
    return NULL;
}
