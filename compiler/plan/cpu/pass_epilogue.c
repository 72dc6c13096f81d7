/* pass_epilogue.c: max pools and crops that a Winograd conv does while its results are in registers. */
#include "cpu_passes.h"
#include "lifetime.h"
#include "way.h"

/* Along every axis as it comes out of the output transform: 2x2x2, stride 2, no padding. */
static bool is_half_pool(const ir_node *n) {
    if (n->op != IR_OP_MAX_POOL) return false;
    for (int a = 0; a < 3; a++)
        if (ir_ints(n, IR_KERNEL)[a] != 2 || ir_ints(n, IR_STRIDE)[a] != 2 ||
            ir_ints(n, IR_DILATION)[a] != 1 || ir_ints(n, IR_PAD)[a] != 0 || ir_ints(n, IR_PAD)[a + 3] != 0)
            return false;
    return n->out[0]->dim[2] == n->in[0]->dim[2] / 2 && n->out[0]->dim[3] == n->in[0]->dim[3] / 2 &&
           n->out[0]->dim[4] == n->in[0]->dim[4] / 2;
}

static bool is_crop(const ir_node *n) {
    if (n->op != IR_OP_SLICE || n->out[0]->dim[1] != n->in[0]->dim[1]) return false;
    for (int a = 0; a < 5; a++)
        if (ir_ints(n, IR_STEP)[a] != 1) return false;
    return true;
}

static bool is_dense(const ir_node *conv) {
    const int64_t *dilation = ir_ints(conv, IR_DILATION);
    return dilation[0] == 1 && dilation[1] == 1 && dilation[2] == 1;
}

/* Whether the kernel of t's producer can do everything that happens to t: at most one pool and one crop. */
static bool can_fuse(const ir_tensor *t) {
    int pools = 0, crops = 0;
    bool dense = is_dense(t->producer);
    if (t->memory.view_of || ir_is_output(t)) return false;
    for (int i = 0; i < t->n_users; i++) {
        const ir_node *n = t->users[i];
        if (ir_is_output(n->out[0])) return false;
        if (is_half_pool(n) && dense)
            pools++;
        else if (is_crop(n))
            crops++;
        else
            return false;
    }
    return pools <= 1 && crops <= 1 && pools + crops > 0;
}

/* A value that is pooled and kept: both are stored, unless that takes more memory at its peak. deepbrain,
 * whose pools take 9.2 ms of 576: 565 ms. */
static void join_pool(ir_graph *g, const ir_node *conv) {
    const ir_tensor *t = conv->out[0];
    ir_node *pool = NULL; /* the first */
    for (int i = 0; i < t->n_users && is_dense(conv); i++) {
        ir_node *n = t->users[i];
        if (n->in[0] != t || !is_half_pool(n) || ir_is_output(n->out[0])) continue;
        if (!pool || ir_position(g, n) < ir_position(g, pool)) pool = n;
    }
    if (!pool) return;
    int64_t bound = ir_memory_bound(g);
    pool->cpu.joined = true;
    pool->cpu.joined = ir_memory_bound(g) <= bound;
}

/* requires: algorithms, views. maintains: values. gives: fused values, which no memory is planned for; joined
 * pools. */
bool pass_epilogue(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0; !g->goals.whole && i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (n->op != IR_OP_CONV || !cg_way_of(n)->stores_more) continue;
        if (can_fuse(n->out[0]))
            n->out[0]->cpu.fused = true;
        else
            join_pool(g, n);
    }
    return true;
}
