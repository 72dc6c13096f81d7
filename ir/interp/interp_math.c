/* interp_math.c: interpreter, element by element: maps, binaries, cast, and the activations that conv and
 * instance norm take over. Formulas: ops.def. */
#include "interp.h"

#include <math.h>
#include <string.h>

/* ---- maps ------------------------------------------------------------------------------------ */

int64_t interp_whole(ir_dtype t, double x) {
    int64_t low = ir_dtype_low(t), high = ir_dtype_high(t);
    if (isnan(x)) return 0;
    if (x >= (double)high) return high;
    return x < (double)low ? low : (int64_t)x;
}

/* Integers wrap around as in C's unsigned arithmetic, never overflow. */
static int64_t wrap_neg(int64_t x) {
    return (int64_t)(0 - (uint64_t)x);
}
#define UNUSED2 ((void)alpha, (void)beta)
static int64_t i_relu(int64_t x, double alpha, double beta) {
    return UNUSED2, x < 0 ? 0 : x;
}
static int64_t i_neg(int64_t x, double alpha, double beta) {
    return UNUSED2, wrap_neg(x);
}
static int64_t i_abs(int64_t x, double alpha, double beta) {
    return UNUSED2, x < 0 ? wrap_neg(x) : x;
}
static int64_t i_not(int64_t x, double alpha, double beta) {
    return UNUSED2, !x;
}
static int64_t i_clip(int64_t x, double alpha, double beta) {
    x = (double)x < alpha ? interp_whole(IR_I64, alpha) : x;
    return (double)x > beta ? interp_whole(IR_I64, beta) : x;
}

/* Forms of integers, per row of ops.def. */
#define INTEGER_FLOATS(name)  NULL
#define INTEGER_NUMBERS(name) i_##name
#define INTEGER_BOOLS(name)   i_##name

static const struct map {
    vox_act f;                                          /* VOX_ACT_NONE: the op has no form of floats */
    int64_t (*i)(int64_t x, double alpha, double beta); /* NULL: none of integers */
} maps[IR_OP_COUNT] = {
#define OP(...)
#define BINARY_OP(...)
#define MAP_OP(sym, name, flags, form, ...) [IR_OP_##sym] = {ACT_OF_##form(sym), INTEGER_##form(name)},
#define ACT_OF_FLOATS(sym)                  VOX_ACT_##sym
#define ACT_OF_NUMBERS(sym)                 VOX_ACT_##sym
#define ACT_OF_BOOLS(sym)                   VOX_ACT_NONE
#include "ops.def"
};

static int64_t wrap_to(ir_dtype t, int64_t x) {
    switch (t) {
    case IR_I32:
        return (int32_t)(uint32_t)(uint64_t)x;
    case IR_U8:
        return (uint8_t)x;
    case IR_BOOL:
        return x != 0;
    default:
        return x;
    }
}

static double attr_or(const ir_node *n, ir_key key, double otherwise) {
    const ir_attr *a = ir_get(n, key);
    return a ? a->f[0] : otherwise;
}

enum { CHUNK = 1 << 16 }; /* elements per task */

typedef struct map_job {
    interp_act act;
    const double *x;
    double *y;
    int64_t n;
} map_job;

static void map_chunk(void *ctx, int64_t task, int thread) {
    const map_job *j = ctx;
    int64_t at = task * CHUNK, n = j->n - at < CHUNK ? j->n - at : CHUNK;
    (void)thread;
    memcpy(j->y + at, j->x + at, (size_t)n * sizeof *j->y);
    interp_act_apply(&j->act, 0, j->y + at, n);
}

bool interp_map(const interp_call *c) {
    const ir_tensor *y = c->n->out[0];
    double alpha = attr_or(c->n, IR_ALPHA, 0), beta = attr_or(c->n, IR_BETA, 0);
    int64_t n = ir_count(y);
    if (c->out[0].f && c->in[0].f && maps[c->n->op].f) {
        map_job j = {{.act = maps[c->n->op].f, .alpha = alpha, .beta = beta}, c->in[0].f, c->out[0].f, n};
        interp_parallel(c->threads, (n + CHUNK - 1) / CHUNK, map_chunk, &j);
        return true;
    }
    if (!c->out[0].i || !c->in[0].i || !maps[c->n->op].i)
        return ir_fail(c->d, IR_EXIT_UNSUPPORTED, "%s: %s has no form for %s", c->n->name,
                       ir_op_get(c->n->op)->name, ir_dtype_name(c->n->in[0]->dtype));
    if (c->n->op == IR_OP_CLIP) {
        alpha = isnan(alpha) ? alpha : (double)interp_whole(y->dtype, alpha);
        beta = isnan(beta) ? beta : (double)interp_whole(y->dtype, beta);
    }
    for (int64_t i = 0; i < n; i++)
        c->out[0].i[i] = wrap_to(y->dtype, maps[c->n->op].i(c->in[0].i[i], alpha, beta));
    return true;
}

static vox_act act_named(const char *word) {
    static const struct {
        const char *name;
        vox_act act;
    } acts[] = {
#define ACT(sym, name, ...) {#name, VOX_ACT_##sym},
#include "vox_acts.def"
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (!strcmp(acts[i].name, word)) return acts[i].act;
    return VOX_ACT_NONE;
}

interp_act interp_act_of(const interp_call *c) {
    const char *word = ir_word(c->n, IR_ACT);
    interp_act a = {.alpha = attr_or(c->n, IR_ALPHA, 0), .beta = attr_or(c->n, IR_BETA, 0)};
    if (!word) return a;
    a.act = act_named(word);
    if (!a.act) ir_die("%s: no activation %s", c->n->name, word);
    if (a.act == VOX_ACT_PRELU) {
        if (c->n->n_in < 4 || !c->in[3].f) ir_die("%s: prelu without slopes", c->n->name);
        a.slope = c->in[3].f;
        a.slope_step = ir_count(c->n->in[3]) > 1;
    }
    return a;
}

void interp_act_apply(const interp_act *a, int64_t ch, double *y, int64_t n) {
    double alpha = a->slope ? a->slope[ch * a->slope_step] : a->alpha;
    if (a->act == VOX_ACT_RELU) { /* by far the commonest: without a switch per element */
        for (int64_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i];
    } else if (a->act) {
        for (int64_t i = 0; i < n; i++) y[i] = vox_act_value(a->act, y[i], alpha, a->beta);
    }
}

/* ---- binaries -------------------------------------------------------------------------------- */

static double f_add(double a, double b) {
    return a + b;
}
static double f_sub(double a, double b) {
    return a - b;
}
static double f_mul(double a, double b) {
    return a * b;
}
static double f_div(double a, double b) {
    return a / b;
}
static double f_min(double a, double b) {
    return a < b || isnan(a) ? a : b;
}
static double f_max(double a, double b) {
    return a > b || isnan(a) ? a : b;
}
static double f_pow(double a, double b) {
    return pow(a, b);
}
static double f_prelu(double a, double b) {
    return a < 0 ? b * a : a;
}
/* fmod takes the sign of a; ONNX's other mod that of b. */
static double f_mod(double a, double b) {
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static int64_t i_add(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t i_sub(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t i_mul(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a * (uint64_t)b);
}
static int64_t i_div(int64_t a, int64_t b) {
    return b == -1 ? wrap_neg(a) : a / b;
}
static int64_t i_min(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static int64_t i_max(int64_t a, int64_t b) {
    return a > b ? a : b;
}
static int64_t i_fmod(int64_t a, int64_t b) {
    return b == -1 ? 0 : a % b;
}
static int64_t i_mod(int64_t a, int64_t b) {
    int64_t r = i_fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static int64_t i_pow(int64_t a, int64_t b) {
    int64_t r = 1;
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    for (; b > 0; b >>= 1, a = i_mul(a, a))
        if (b & 1) r = i_mul(r, a);
    return r;
}

static int64_t i_equal(int64_t a, int64_t b) {
    return a == b;
}
static int64_t i_greater(int64_t a, int64_t b) {
    return a > b;
}
static int64_t i_greater_equal(int64_t a, int64_t b) {
    return a >= b;
}
static int64_t i_less(int64_t a, int64_t b) {
    return a < b;
}
static int64_t i_less_equal(int64_t a, int64_t b) {
    return a <= b;
}
static int64_t i_and(int64_t a, int64_t b) {
    return a && b;
}
static int64_t i_or(int64_t a, int64_t b) {
    return a || b;
}
static int64_t p_equal(double a, double b) {
    return a == b;
}
static int64_t p_greater(double a, double b) {
    return a > b;
}
static int64_t p_greater_equal(double a, double b) {
    return a >= b;
}
static int64_t p_less(double a, double b) {
    return a < b;
}
static int64_t p_less_equal(double a, double b) {
    return a <= b;
}

typedef struct binary {
    double (*f)(double, double);    /* floats to floats */
    int64_t (*i)(int64_t, int64_t); /* integers to integers, or to bool */
    int64_t (*p)(double, double);   /* floats to bool */
} binary;

static const binary binaries[IR_OP_COUNT] = {
#define OP(...)
#define MAP_OP(...)
#define BINARY_OP(sym, name, weights, flags, form, ...) [IR_OP_##sym] = FUNCTIONS_##form(name),
#define FUNCTIONS_FLOATS(name)                                                                               \
    { .f = f_##name }
#define FUNCTIONS_NUMBERS(name)                                                                              \
    { .f = f_##name, .i = i_##name }
#define FUNCTIONS_BOOLS(name)                                                                                \
    { .i = i_##name }
#define FUNCTIONS_ORDERS(name)                                                                               \
    { .i = i_##name, .p = p_##name }
#define FUNCTIONS_EQUALS(name) FUNCTIONS_ORDERS(name)
#include "ops.def"
};
static const binary fmod_binary = {.f = fmod, .i = i_fmod};

typedef struct binary_job {
    const binary *b;
    const interp_call *c;
    int64_t stride[2][IR_MAX_RANK];
} binary_job;

/* Pow may mix the dtypes of its operands; nothing else does. */
static double as_float(const ir_value *v, int64_t i) {
    return v->f ? v->f[i] : (double)v->i[i];
}

/* Elements [task * CHUNK, ...) of the output, operands followed through their broadcast strides. */
static void binary_chunk(void *ctx, int64_t task, int thread) {
    const binary_job *j = ctx;
    const ir_tensor *y = j->c->n->out[0];
    const ir_value *a = &j->c->in[0], *b = &j->c->in[1], *out = &j->c->out[0];
    int64_t begin = task * CHUNK, count = ir_count(y), end = begin + CHUNK < count ? begin + CHUNK : count;
    int64_t index[IR_MAX_RANK] = {0}, at[2] = {0}, rest = begin;
    (void)thread;
    for (int k = y->rank - 1; k >= 0; k--) {
        index[k] = rest % y->dim[k];
        rest /= y->dim[k];
        for (int o = 0; o < 2; o++) at[o] += index[k] * j->stride[o][k];
    }
    for (int64_t i = begin; i < end; i++) {
        if (out->f)
            out->f[i] = j->b->f(as_float(a, at[0]), as_float(b, at[1]));
        else if (a->i && b->i)
            out->i[i] = wrap_to(y->dtype, j->b->i(a->i[at[0]], b->i[at[1]]));
        else
            out->i[i] = wrap_to(
                y->dtype, j->b->p ? j->b->p(as_float(a, at[0]), as_float(b, at[1]))
                                  : interp_whole(y->dtype, j->b->f(as_float(a, at[0]), as_float(b, at[1]))));
        interp_step(y->rank, y->dim, index, 2, at, (const int64_t(*)[IR_MAX_RANK])j->stride);
    }
}

bool interp_binary(const interp_call *c) {
    const ir_tensor *y = c->n->out[0];
    bool is_fmod = c->n->op == IR_OP_MOD && ir_int(c->n, IR_FMOD);
    bool divides = c->n->op == IR_OP_DIV || c->n->op == IR_OP_MOD; /* an integer b must not be 0 */
    binary_job j = {.b = is_fmod ? &fmod_binary : &binaries[c->n->op], .c = c};
    bool floats = c->in[0].f || c->in[1].f;
    int64_t n = ir_count(y);
    if (c->out[0].f ? !j.b->f : floats ? !j.b->p && !j.b->f : !j.b->i)
        return ir_fail(c->d, IR_EXIT_UNSUPPORTED, "%s: %s has no form for %s", c->n->name,
                       ir_op_get(c->n->op)->name, ir_dtype_name(c->n->in[0]->dtype));
    if (divides && !floats && n > 0)
        for (int64_t i = 0; i < ir_count(c->n->in[1]); i++)
            if (c->in[1].i[i] == 0)
                return ir_fail(c->d, IR_EXIT_INPUT, "%s: %s: integer division by zero", c->n->name,
                               ir_op_get(c->n->op)->name);
    interp_broadcast(c->n->in[0], y, j.stride[0]);
    interp_broadcast(c->n->in[1], y, j.stride[1]);
    interp_parallel(c->threads, (n + CHUNK - 1) / CHUNK, binary_chunk, &j);
    return true;
}

/* ---- cast ------------------------------------------------------------------------------------ */

/* A cast between float dtypes changes nothing here: the interpreter never rounds. */
bool interp_cast(const interp_call *c) {
    const ir_tensor *y = c->n->out[0];
    int64_t n = ir_count(y);
    for (int64_t i = 0; i < n; i++) {
        if (c->out[0].f)
            c->out[0].f[i] = as_float(&c->in[0], i);
        else if (y->dtype == IR_BOOL)
            c->out[0].i[i] = c->in[0].f ? c->in[0].f[i] != 0 : c->in[0].i[i] != 0;
        else
            c->out[0].i[i] =
                c->in[0].f ? interp_whole(y->dtype, c->in[0].f[i]) : wrap_to(y->dtype, c->in[0].i[i]);
    }
    return true;
}
