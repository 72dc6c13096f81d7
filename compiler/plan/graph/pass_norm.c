/* pass_norm.c: batch normalisation and other per-channel arithmetic moves into the weights of the convolution
 * in front of it; zero padding moves into the convolution behind it. */
#include "pass_match.h"
#include "graph_passes.h"

#include <math.h>
#include <string.h>

/* y = x * scale[c] + shift[c] for every channel c of x. */
typedef struct affine {
    int64_t channels;
    double *scale, *shift;
} affine;

/* ---- recognising ----------------------------------------------------------------------------- */

static bool from_batch_norm(const ir_node *n, affine *a) {
    for (int k = 1; k < 5; k++)
        if (!pass_is_const(n->in[k])) return false;
    for (int64_t c = 0; c < a->channels; c++) {
        a->scale[c] = ir_const_float(n->in[1], c) / sqrt(ir_const_float(n->in[4], c) + ir_float(n, IR_EPS));
        a->shift[c] = ir_const_float(n->in[2], c) - ir_const_float(n->in[3], c) * a->scale[c];
    }
    return true;
}

/* x op v, v op x: what the op makes of x = 0 and of x's factor. */
static void arithmetic(ir_op op, bool x_first, double v, double *scale, double *shift) {
    *scale = op == IR_OP_MUL ? v : op == IR_OP_DIV ? 1 / v : op == IR_OP_SUB && !x_first ? -1 : 1;
    *shift = op == IR_OP_ADD ? v : op == IR_OP_SUB ? (x_first ? -v : v) : 0;
}

static bool from_arithmetic(const ir_node *n, const ir_tensor *x, affine *a) {
    bool x_first = n->in[0] == x;
    const ir_tensor *v = n->in[x_first];
    if (!pass_is_per_channel(v, x) || !ir_same_shape(n->out[0], x) || (n->op == IR_OP_DIV && !x_first))
        return false;
    for (int64_t c = 0; c < a->channels; c++)
        arithmetic(n->op, x_first, pass_channel(v, c), &a->scale[c], &a->shift[c]);
    return true;
}

/* Is n such arithmetic on x? A factor that is not finite is left where the author can see it. */
static bool find_affine(ir_graph *g, const ir_node *n, const ir_tensor *x, affine *a) {
    bool found = false;
    a->channels = x->dim[1];
    a->scale = ir_alloc(g->arena, (size_t)a->channels + 1, sizeof *a->scale);
    a->shift = ir_alloc(g->arena, (size_t)a->channels + 1, sizeof *a->shift);
    if (n->op == IR_OP_BATCH_NORM && n->in[0] == x)
        found = from_batch_norm(n, a);
    else if (n->op == IR_OP_ADD || n->op == IR_OP_SUB || n->op == IR_OP_MUL || n->op == IR_OP_DIV)
        found = from_arithmetic(n, x, a);
    for (int64_t c = 0; c < a->channels && found; c++) found = isfinite(a->scale[c]) && isfinite(a->shift[c]);
    return found;
}

/* ---- rewriting ------------------------------------------------------------------------------- */

/* How many elements of n's factor (conv weights OI/g k..., transposed IO/g k..., instance norm's scale C) in
 * a row belong to the same output channel. */
static int64_t run_length(const ir_node *n) {
    const ir_tensor *w = n->in[1];
    int64_t taps = 1;
    for (int a = 2; a < w->rank; a++) taps *= w->dim[a];
    if (n->op == IR_OP_INSTANCE_NORM) return 1;
    return n->op == IR_OP_CONV ? w->dim[1] * taps : taps;
}

/* The output channel that such a run belongs to. */
static int64_t channel_of(const ir_node *n, int64_t run) {
    const ir_tensor *w = n->in[1];
    if (n->op != IR_OP_CONV_TRANSPOSE) return run;
    int64_t ic = run / w->dim[1], oc = run % w->dim[1];
    return ic / (w->dim[0] / ir_int(n, IR_GROUP)) * w->dim[1] + oc;
}

/* Operand 1 is what n multiplies by, operand 2 what it adds: the same in all three ops. */
static void apply(ir_graph *g, ir_node *n, const affine *a) {
    const ir_tensor *w = n->in[1], *b = n->n_in > 2 ? n->in[2] : NULL;
    int64_t count = ir_count(w), length = run_length(n);
    double *factor = ir_alloc(g->arena, (size_t)count, sizeof *factor);
    const float *old = w->data;
    for (int64_t i = 0; i < count; i += length) {
        double scale = a->scale[channel_of(n, i / length)];
        for (int64_t k = i; k < i + length; k++) factor[k] = (double)old[k] * scale;
    }
    if (b)
        for (int64_t c = 0; c < a->channels; c++) a->shift[c] += ir_const_float(b, c) * a->scale[c];
    pass_set_const(g, n, 1, factor);
    if (b)
        pass_set_const(g, n, 2, a->shift);
    else
        pass_add_const(g, n, 2, "bias", a->channels, a->shift);
}

static bool is_known_f32(const ir_tensor *t) {
    return pass_is_const(t) && t->dtype == IR_F32;
}

/* The node behind operand k of n that could take n over. */
static ir_node *taker(const ir_graph *g, const ir_node *n, int k) {
    static const ir_op ops[] = {IR_OP_CONV, IR_OP_CONV_TRANSPOSE, IR_OP_INSTANCE_NORM};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        ir_node *p = pass_only_producer(g, n->in[k], ops[i]);
        if (!p || ir_get(p, IR_ACT) || !is_known_f32(p->in[1])) continue;
        if (p->n_in <= 2 || !p->in[2] || is_known_f32(p->in[2])) return p;
    }
    return NULL;
}

static bool fold_into_producer(ir_graph *g, ir_node *n) {
    for (int k = 0; k < n->n_in && k < 2; k++) {
        ir_node *p = taker(g, n, k);
        affine a;
        if (!p || !find_affine(g, n, p->out[0], &a)) continue;
        apply(g, p, &a);
        pass_absorb(g, p, n);
        return true;
    }
    return false;
}

/* conv(pad(x)) = conv(x) with a larger pad, if the pad is of zeros and of space only. */
static bool take_pad(ir_graph *g, ir_node *n) {
    const ir_node *p = n->op == IR_OP_CONV && n->in[0]->role == IR_ROLE_VALUE ? n->in[0]->producer : NULL;
    int rank = n->in[0]->rank, spatial = rank - 2;
    int64_t pad[2 * IR_MAX_RANK];
    if (!p || p->op != IR_OP_PAD || strcmp(ir_word(p, IR_MODE), "constant")) return false;
    if (ir_get(p, IR_VALUE) && ir_float(p, IR_VALUE) != 0) return false;
    for (int i = 0; i < 2 * rank; i++) {
        int64_t more = ir_ints(p, IR_PAD)[i];
        int axis = i % rank, end = i / rank;
        if (more < 0 || (axis < 2 && more != 0)) return false;
        if (axis >= 2) pad[end * spatial + axis - 2] = ir_ints(n, IR_PAD)[end * spatial + axis - 2] + more;
    }
    ir_set_ints(g, n, IR_PAD, 2 * spatial, pad);
    ir_set_operand(g, n, 0, p->in[0]);
    return true;
}

/* requires fold | maintains every output's values up to f32 rounding, and its name | gives: group norms as
 * one node, batch_norm and constant per-channel add, sub, mul, div only where the producer is no convolution
 * or is used elsewhere too
 */
bool pass_norm(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int k = 0; k < g->n_nodes;) {
        if (take_pad(g, g->nodes[k]) || pass_take_groups(g, g->nodes[k])) continue;
        if (!fold_into_producer(g, g->nodes[k])) k++;
    }
    ir_remove_dead(g);
    return true;
}
