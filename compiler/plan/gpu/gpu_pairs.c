/* gpu_pairs.c: a max pool whose kernel also copies a crop of what it reads (vox_gpu_max_pool_crop): the
 * operand comes from memory once for both, and a launch is saved. Only neighbours pair: to copy a crop
 * earlier than its place would keep the concat that it goes to alive for longer.
 */
#include "gpu_model.h"

static bool all_are(const ir_node *n, ir_key key, int64_t value) {
    const ir_attr *a = ir_get(n, key);
    for (int i = 0; a && i < a->count; i++)
        if (a->i[i] != value) return false;
    return true;
}

/* Windows of 2x2x2 side by side, none of which x's end cuts. */
static bool halves(const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    if (n->op != IR_OP_MAX_POOL || x->rank != 5) return false;
    for (int i = 2; i < 5; i++)
        if (2 * y->dim[i] > x->dim[i]) return false;
    return all_are(n, IR_KERNEL, 2) && all_are(n, IR_STRIDE, 2) && all_are(n, IR_DILATION, 1) &&
           all_are(n, IR_PAD, 0);
}

/* A box of all channels. */
static bool is_crop(const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    return n->op == IR_OP_SLICE && x->rank == 5 && all_are(n, IR_STEP, 1) && x->dim[0] == y->dim[0] &&
           x->dim[1] == y->dim[1] && !y->memory.ring;
}

static bool alike(const ir_tensor *x, const ir_tensor *pooled, const ir_tensor *cropped) {
    return x->gpu.pitch && pooled->gpu.pitch && cropped->gpu.pitch &&
           cg_gpu_own_channels(x) == cg_gpu_own_channels(pooled) &&
           cg_gpu_own_channels(x) == cg_gpu_own_channels(cropped);
}

/* The step of node `node` next to steps[k], in the same slab. */
static const ir_step *beside(const ir_step *steps, int count, int k, int node) {
    if (k > 0 && steps[k - 1].node == node) return &steps[k - 1];
    return k + 1 < count && steps[k + 1].node == node ? &steps[k + 1] : NULL;
}

/* Whether each slab pools all planes that the crop takes from it. */
static bool share_slabs(const ir_graph *g, int pool, int crop) {
    const ir_tensor *x = g->nodes[pool]->in[0];
    const int64_t at = ir_ints(g->nodes[crop], IR_BEGIN)[2];
    int first = pool, count;
    bool share = x->dim[2] % 2 == 0; /* the plane behind the last pair need not be in memory */
    while (first > 0 && g->nodes[first - 1]->memory.stream == g->nodes[pool]->memory.stream) first--;
    ir_arena *a = ir_arena_new();
    const ir_step *steps =
        ir_group_steps(g, first, ir_group_end(g, first), g->nodes[pool]->memory.slab, a, &count);
    for (int k = 0; k < count && share; k++) {
        if (steps[k].node != crop) continue;
        const ir_step *s = beside(steps, count, k, pool);
        share = s && 2 * s->planes.begin <= steps[k].planes.begin + at &&
                steps[k].planes.end + at <= 2 * s->planes.end;
    }
    ir_arena_free(a);
    return share;
}

static bool can_pair(const ir_graph *g, int pool, int crop) {
    const ir_node *p = g->nodes[pool], *c = g->nodes[crop];
    if (!halves(p) || !is_crop(c) || p->in[0] != c->in[0] || p->memory.stream != c->memory.stream)
        return false;
    if (p->gpu.runner != IR_GPU_KERNEL || c->gpu.runner != IR_GPU_KERNEL) return false;
    return alike(p->in[0], p->out[0], c->out[0]) && (!p->memory.stream || share_slabs(g, pool, crop));
}

/* The crop that pool number i takes along: the one in front of it, else the one behind. */
static int crop_of(const ir_graph *g, int i) {
    if (i > 0 && can_pair(g, i, i - 1)) return i - 1;
    return i + 1 < g->n_nodes && can_pair(g, i, i + 1) ? i + 1 : -1;
}

const ir_node *cg_gpu_crop_of(const ir_graph *g, const ir_node *pool) {
    if (pool->op != IR_OP_MAX_POOL) return NULL;
    const int crop = crop_of(g, ir_position(g, pool));
    return crop < 0 ? NULL : g->nodes[crop];
}

bool cg_gpu_is_taken_along(const ir_graph *g, const ir_node *crop) {
    if (crop->op != IR_OP_SLICE) return false;
    const int i = ir_position(g, crop);
    return (i > 0 && crop_of(g, i - 1) == i) || (i + 1 < g->n_nodes && crop_of(g, i + 1) == i);
}
