/* init.c: seeded weights. Contract: init.h. */
#include "init.h"

#include <math.h>

double init_normal(uint64_t key, uint64_t i) {
    int64_t sum = 0;
    for (uint64_t k = 0; k < 3; k++) {
        uint64_t w = ir_random(key, 3 * i + k);
        sum += (int64_t)((w & 0xFFFF) + (w >> 16 & 0xFFFF) + (w >> 32 & 0xFFFF) + (w >> 48));
    }
    /* Twelve uniforms on 0..65535 have mean 6 * 65535 and variance 65536^2 - 1. */
    return (double)(sum - 6 * 65535) * 0x1p-16;
}

static uint64_t stream_key(uint64_t seed, const char *name) {
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a */
    for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 0x100000001B3u;
    return ir_mix(ir_mix(seed) ^ h);
}

/* How an operand is drawn: centre + spread * normal. Spreads are powers of two, so the product is exact and a
 * fused multiply-add gives the same bits. spread 0: He's rule (He, Zhang, Ren, Sun 2015, eq. 10), which keeps
 * the power of the signal; its factor 2 belongs to convolutions that a rectifier follows. */
static const struct {
    ir_op op;
    int operand;
    double centre, spread;
} rules[] = {
    {IR_OP_CONV, 1, 0, 0},
    {IR_OP_CONV, 2, 0, 0x1p-4},
    {IR_OP_CONV_TRANSPOSE, 1, 0, 0},
    {IR_OP_CONV_TRANSPOSE, 2, 0, 0x1p-4},
    {IR_OP_BATCH_NORM, 1, 1, 0x1p-3},    /* scale */
    {IR_OP_BATCH_NORM, 2, 0, 0x1p-4},    /* bias */
    {IR_OP_BATCH_NORM, 3, 0, 0x1p-4},    /* mean */
    {IR_OP_BATCH_NORM, 4, 1, 0x1p-3},    /* variance: at least 1 - 6/8 */
    {IR_OP_INSTANCE_NORM, 1, 1, 0x1p-3}, /* scale */
    {IR_OP_INSTANCE_NORM, 2, 0, 0x1p-4}, /* bias */
    {IR_OP_PRELU, 1, 0.25, 0x1p-5},
};
enum { RULES = sizeof rules / sizeof *rules };

/* Whether t's values pass a rectifier, perhaps after a norm layer: it takes half of their power. */
static bool is_rectified(const ir_graph *g, const ir_tensor *t) {
    for (int k = 0; k < g->n_nodes; k++) {
        const ir_node *n = g->nodes[k];
        if (n->in[0] != t) continue;
        if (n->op == IR_OP_BATCH_NORM || n->op == IR_OP_INSTANCE_NORM) return is_rectified(g, n->out[0]);
        return n->op == IR_OP_RELU || n->op == IR_OP_LEAKY_RELU || n->op == IR_OP_PRELU || n->op == IR_OP_ELU;
    }
    return false;
}

/* The products that each output voxel sums. */
static double fan_in(const ir_node *n) {
    const ir_tensor *w = n->in[1];
    double fan = (double)w->dim[1];
    if (n->op == IR_OP_CONV_TRANSPOSE) {
        const int64_t *stride = ir_ints(n, IR_STRIDE);
        fan = (double)(w->dim[0] / ir_int(n, IR_GROUP));
        for (int i = 2; i < w->rank; i++) fan /= (double)stride[i - 2];
    }
    for (int i = 2; i < w->rank; i++) fan *= (double)w->dim[i];
    return fan;
}

static void draw(ir_graph *g, ir_tensor *t, uint64_t seed, double centre, double spread) {
    int64_t count = ir_count(t);
    float *data = ir_alloc(g->arena, (size_t)count, sizeof *data);
    uint64_t key = stream_key(seed, t->name);
    for (int64_t i = 0; i < count; i++) {
        double step = spread * init_normal(key, (uint64_t)i);
        data[i] = (float)(centre + step);
    }
    t->data = data;
    t->hash = ir_hash(data, (size_t)count * sizeof *data);
}

static bool wants_init(const ir_tensor *t) {
    return t && t->role == IR_ROLE_CONST && t->dtype == IR_F32 && !t->data;
}

void init_weights(ir_graph *g, uint64_t seed) {
    for (int k = 0; k < g->n_nodes; k++) {
        const ir_node *n = g->nodes[k];
        for (int r = 0; r < RULES; r++) {
            if (rules[r].op != n->op || rules[r].operand >= n->n_in || !wants_init(n->in[rules[r].operand]))
                continue;
            double spread = rules[r].spread > 0 ? rules[r].spread
                                                : sqrt((is_rectified(g, n->out[0]) ? 2 : 1) / fan_in(n));
            draw(g, n->in[rules[r].operand], seed, rules[r].centre, spread);
        }
    }
    for (int k = 0; k < g->n_tensors; k++)
        if (wants_init(g->tensors[k]))
            draw(g, g->tensors[k], seed, 0, 0x1p-4); /* an operand that no rule knows */
}
