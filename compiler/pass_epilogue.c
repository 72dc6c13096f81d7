/* pass_epilogue.c: max pools and crops that a Winograd conv does while its results are in registers. */
#include "passes.h"

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

/* Whether the kernel of t's producer can do everything that happens to t: at most one pool and one crop. */
static bool can_fuse(const ir_graph *g, const ir_tensor *t) {
    int pools = 0, crops = 0;
    const int64_t *dilation = ir_ints(t->producer, IR_DILATION);
    bool dense = dilation[0] == 1 && dilation[1] == 1 && dilation[2] == 1;
    if (t->view_of || pass_is_output(g, t)) return false;
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        for (int k = 0; k < n->n_in; k++) {
            if (n->in[k] != t) continue;
            if (pass_is_output(g, n->out[0])) return false;
            if (is_half_pool(n) && dense)
                pools++;
            else if (is_crop(n))
                crops++;
            else
                return false;
        }
    }
    return pools <= 1 && crops <= 1 && pools + crops > 0;
}

/* requires: algorithms, views. maintains: values. gives: fused values, which no memory is planned for. */
bool pass_epilogue(ir_graph *g, ir_diag *d) {
    (void)d;
    for (int i = 0; !g->goals.whole && i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        if (n->winograd[0] && n->out[0]->block && can_fuse(g, n->out[0])) n->out[0]->fused = true;
    }
    return true;
}
