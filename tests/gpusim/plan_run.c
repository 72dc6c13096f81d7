/* plan_run.c: runs a plan's nodes on floats, with its tensors read and written as their types and strides
 * say. */
#include "plan.h"
#include "ptx_lane.h"

#include <math.h>
#include <stdlib.h>

static int64_t elements(const int64_t dim[5]) {
    return dim[0] * dim[1] * dim[2] * dim[3] * dim[4];
}
static int bytes_of(plan_type t) {
    return t == PLAN_F32 ? 4 : 2;
}

static float load(const uint8_t *p, plan_type t) {
    uint32_t bits = 0;
    memcpy(&bits, p, (size_t)bytes_of(t));
    if (t == PLAN_F32) return ptx_float_of(bits);
    return t == PLAN_F16 ? ptx_from_half((uint16_t)bits) : ptx_from_brain((uint16_t)bits);
}

static uint32_t encoded(float f, plan_type t) {
    if (t == PLAN_F32) return ptx_bits_of(f);
    return t == PLAN_F16 ? ptx_to_half(f) : ptx_to_brain(f);
}

static float rounded(float f, plan_type t) {
    if (t == PLAN_F32) return f;
    return t == PLAN_F16 ? ptx_from_half(ptx_to_half(f)) : ptx_from_brain(ptx_to_brain(f));
}

/* The nearest of 10 bits of mantissa, ties away from zero, as cvt.rna.tf32. */
static float rounded_operand(float f, plan_operands how) {
    if (how == PLAN_HALF) return ptx_from_half(ptx_to_half(f));
    return how == PLAN_TF32 && isfinite(f) ? ptx_float_of((ptx_bits_of(f) + 0x1000u) & ~0x1fffu) : f;
}

/* ---- tensors ------------------------------------------------------------------------------------- */

typedef struct transfer {
    const plan_tensor *t;
    uintptr_t memory;
    float *values;
    bool store;
} transfer;

static void check_element(const transfer *c, uintptr_t at, size_t n) {
    char text[200];
    if (memchr(sim_written(at), 0, n))
        sim_die("a cuDNN plan reads memory that was never written: tensor %lld, %s", (long long)c->t->id,
                sim_where(at, text, sizeof text));
}

/* One row along W. */
static void transfer_row(void *argument, int64_t row) {
    const transfer *c = argument;
    const plan_tensor *t = c->t;
    const size_t n = (size_t)bytes_of(t->type);
    const int64_t y = row % t->dim[3], z = row / t->dim[3] % t->dim[2], b = row / t->dim[3] / t->dim[2];
    float *v = c->values + row * t->dim[4] * t->dim[1];
    const int64_t start = b * t->stride[0] + z * t->stride[2] + y * t->stride[3];
    for (int64_t x = 0; x < t->dim[4]; x++) {
        for (int64_t ch = 0; ch < t->dim[1]; ch++, v++) {
            const uintptr_t at = c->memory + (size_t)(start + x * t->stride[4] + ch * t->stride[1]) * n;
            if (!t->by_value) sim_touch(at, n, c->store);
            if (c->store) {
                const uint32_t bits = encoded(*v, t->type);
                memcpy(sim_bytes(at), &bits, n);
                memset(sim_written(at), 1, n);
            } else {
                if (!t->by_value) check_element(c, at, n);
                *v = load(t->by_value ? (const uint8_t *)at : sim_bytes(at), t->type);
            }
        }
    }
}

static void move(const plan_tensor *t, void *memory, float *values, bool store) {
    transfer c = {t, (uintptr_t)memory, values, store};
    sim_parallel(t->dim[0] * t->dim[2] * t->dim[3], transfer_row, &c);
}

/* ---- pointwise ----------------------------------------------------------------------------------- */

typedef float unary(float x, const plan_node *n);
typedef float binary(float a, float b);

bool sim_relu_drops_nan;

static float relu(float x, const plan_node *n) {
    if (isnan(x)) return sim_relu_drops_nan ? n->lower : x;
    if (x > n->upper) return n->upper;
    return x < n->lower ? n->lower + n->slope * (x - n->lower) : x;
}
static float identity(float x, const plan_node *n) {
    return n ? x : 0;
}
static float elu(float x, const plan_node *n) {
    return x > 0 ? x : n->parameter * expm1f(x);
}
static float sigmoid(float x, const plan_node *n) {
    return n ? 1 / (1 + expf(-x)) : 0;
}
static float swish(float x, const plan_node *n) {
    return x / (1 + expf(-n->parameter * x));
}
static float softplus(float x, const plan_node *n) {
    return x > 0 ? x + log1pf(expf(-n->parameter * x)) / n->parameter
                 : log1pf(expf(n->parameter * x)) / n->parameter;
}
static float gelu(float x, const plan_node *n) {
    return n ? 0.5f * x * (1 + erff(x * 0.70710678f)) : 0;
}
static float hyperbolic(float x, const plan_node *n) {
    return n ? tanhf(x) : 0;
}
static float add(float a, float b) {
    return a + b;
}
static float sub(float a, float b) {
    return a - b;
}
static float mul(float a, float b) {
    return a * b;
}
static float quotient(float a, float b) {
    return a / b;
}

static const struct {
    const char *mode;
    unary *one;
    binary *two;
} modes[] = {
    {"RELU_FWD", relu, NULL},
    {"ELU_FWD", elu, NULL},
    {"SIGMOID_FWD", sigmoid, NULL},
    {"SWISH_FWD", swish, NULL},
    {"SOFTPLUS_FWD", softplus, NULL},
    {"GELU_FWD", gelu, NULL},
    {"TANH_FWD", hyperbolic, NULL},
    {"IDENTITY", identity, NULL},
    {"ADD", NULL, add},
    {"SUB", NULL, sub},
    {"MUL", NULL, mul},
    {"DIV", NULL, quotient},
    {"MIN", NULL, fminf},
    {"MAX", NULL, fmaxf},
};

/* Where an element of y lies in v, whose dimensions of 1 repeat. at: N C D H W. */
static int64_t place(const plan_values *v, const int64_t at[5]) {
    int64_t i[5];
    for (int k = 0; k < 5; k++) i[k] = v->dim[k] == 1 ? 0 : at[k];
    return (((i[0] * v->dim[2] + i[2]) * v->dim[3] + i[3]) * v->dim[4] + i[4]) * v->dim[1] + i[1];
}

typedef struct map {
    const plan_node *n;
    const plan_values *x, *b;
    plan_values *y;
    plan_type type;
    size_t mode;
} map;

static void map_row(void *argument, int64_t row) {
    const map *m = argument;
    const int64_t *d = m->y->dim;
    float *y = m->y->v + row * d[4] * d[1];
    int64_t at[5] = {row / d[3] / d[2], 0, row / d[3] % d[2], row % d[3], 0};
    for (at[4] = 0; at[4] < d[4]; at[4]++) {
        for (at[1] = 0; at[1] < d[1]; at[1]++) {
            const float x = m->n->alpha * m->x->v[place(m->x, at)];
            const float r = m->b ? modes[m->mode].two(x, m->n->alpha2 * m->b->v[place(m->b, at)])
                                 : modes[m->mode].one(x, m->n);
            *y++ = rounded(r, m->type);
        }
    }
}

static void run_pointwise(const plan_node *n, const plan_values *x, const plan_values *b, plan_values *y,
                          plan_type t) {
    map m = {n, x, b, y, t, 0};
    while (m.mode < sizeof modes / sizeof *modes && strcmp(modes[m.mode].mode, n->mode) != 0) m.mode++;
    if (m.mode == sizeof modes / sizeof *modes)
        sim_die("a cuDNN plan's pointwise mode %s is not supported", n->mode);
    if (!modes[m.mode].two != !b) sim_die("a cuDNN plan's %s has the wrong number of operands", n->mode);
    sim_parallel(y->dim[0] * y->dim[2] * y->dim[3], map_row, &m);
}

/* ---- the plan ------------------------------------------------------------------------------------ */

static bool overlap(const void *a, size_t n, const void *b, size_t m) {
    return (const uint8_t *)a < (const uint8_t *)b + m && (const uint8_t *)b < (const uint8_t *)a + n;
}

static bool is_written(const plan *p, int tensor) {
    for (int i = 0; i < p->nodes; i++)
        if (p->node[i].y == tensor) return true;
    return false;
}

static void check_pointer(const plan *p, int i, const plan_data *data, int device) {
    const plan_tensor *t = &p->tensor[i];
    const long long id = (long long)t->id;
    if (!data->tensor[i]) sim_die("a cuDNN plan is executed without tensor %lld", id);
    if ((uintptr_t)data->tensor[i] % (uintptr_t)t->alignment)
        sim_die("a cuDNN plan's tensor %lld at %p is not aligned to %lld bytes", id, data->tensor[i],
                (long long)t->alignment);
    sim_check_device("a cuDNN plan's tensor", data->tensor[i], t->extent, false);
    if (sim_find((uintptr_t)data->tensor[i])->device != device)
        sim_die("a cuDNN plan's tensor %lld is on another device than the handle", id);
    if (data->workspace && overlap(data->tensor[i], t->extent, data->workspace, p->workspace))
        sim_die("a cuDNN plan's tensor %lld overlaps its workspace", id);
}

static void check_data(const plan *p, const plan_data *data, int device) {
    if (p->workspace > 0) {
        if (!data->workspace)
            sim_die("a cuDNN plan needs %zu bytes of workspace and gets none", p->workspace);
        sim_check_device("a cuDNN plan's workspace", data->workspace, p->workspace, false);
    }
    for (int i = 0; i < p->tensors; i++) {
        if (p->tensor[i].is_virtual || p->tensor[i].by_value) continue;
        check_pointer(p, i, data, device);
        for (int k = 0; k < i; k++)
            if (data->tensor[k] && !p->tensor[k].is_virtual && !p->tensor[k].by_value &&
                (is_written(p, i) || is_written(p, k)) &&
                overlap(data->tensor[i], p->tensor[i].extent, data->tensor[k], p->tensor[k].extent))
                sim_die("a cuDNN plan's tensors %lld and %lld overlap", (long long)p->tensor[k].id,
                        (long long)p->tensor[i].id);
    }
}

static void round_operands(plan_values *v, plan_operands how) {
    const int64_t n = elements(v->dim);
    for (int64_t i = 0; i < n; i++) v->v[i] = rounded_operand(v->v[i], how);
}

static void run_node(const plan *p, const plan_node *n, plan_values *values) {
    const plan_tensor *y = &p->tensor[n->y];
    if (n->operation == PLAN_POINTWISE) {
        run_pointwise(n, &values[n->x], n->w < 0 ? NULL : &values[n->w], &values[n->y], y->type);
        return;
    }
    if (p->operands != PLAN_EXACT) {
        round_operands(&values[n->x], p->operands);
        round_operands(&values[n->w], p->operands);
    }
    sim_convolve(n, &values[n->x], &values[n->w], &values[n->y]);
    if (y->type == PLAN_F32) return;
    const int64_t count = elements(y->dim);
    for (int64_t i = 0; i < count; i++) values[n->y].v[i] = rounded(values[n->y].v[i], y->type);
}

/* A plan may leave anything in its workspace; what the program keeps there is lost, and counts as never
 * written. */
static void spoil(void *workspace, size_t n) {
    sim_touch((uintptr_t)workspace, n, true);
    memset(sim_bytes((uintptr_t)workspace), 0xff, n);
    memset(sim_written((uintptr_t)workspace), 0, n);
}

void sim_run_plan(const plan *p, const plan_data *data, int device) {
    plan_values values[PLAN_MOST] = {0};
    check_data(p, data, device);
    if (p->workspace > 0) spoil(data->workspace, p->workspace);
    for (int i = 0; i < p->tensors; i++) {
        const plan_tensor *t = &p->tensor[i];
        memcpy(values[i].dim, t->dim, sizeof t->dim);
        values[i].v = sim_new((size_t)elements(t->dim), sizeof(float));
        if (!t->is_virtual && !is_written(p, i)) move(t, data->tensor[i], values[i].v, false);
    }
    for (int i = 0; i < p->nodes; i++) run_node(p, &p->node[i], values);
    for (int i = 0; i < p->tensors; i++) {
        if (!p->tensor[i].is_virtual && is_written(p, i))
            move(&p->tensor[i], data->tensor[i], values[i].v, true);
        free(values[i].v);
    }
}
