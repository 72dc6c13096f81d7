/* slots_winograd.c: convolutions by Winograd's algorithm, with what their kernel does besides. */
#include "algorithm.h"
#include "slots.h"

#include <inttypes.h>

static bool is_deep(const cg_work *w) {
    return w->n->winograd[3] == 0;
}

/* Plain tensors: see vox_winograd_few.h. */
static bool is_few(const cg_work *w) {
    return w->n->winograd[2] == 1;
}

static void weight_operands(cg_work *w) {
    const ir_node *n = w->n;
    int64_t oc = n->out[0]->dim[1], ic = n->in[0]->dim[1];
    cg_weight want = {.pack = CG_CONV, .source = {n->in[1]}, .oc = oc, .ic = ic, .kernel = 27, .group = 1};
    if (!is_deep(w)) want.pack = CG_WINOGRAD;
    for (int a = 0; a < 3 && !is_deep(w); a++) want.tile[a] = n->winograd[a];
    cg_weight_operand(w, is_deep(w) ? "weights" : "transformed", &want);
    static const char *const names[] = {"bias", "slope"};
    for (int i = 0; i < 2; i++) {
        const ir_tensor *t = i + 2 < n->n_in ? n->in[i + 2] : NULL;
        cg_weight vector = {.pack = CG_VECTOR, .source = {t}, .oc = oc, .group = 1};
        if (t) cg_weight_operand(w, names[i], &vector);
    }
}

/* The node of that kind that this conv's kernel does, NULL if there is none. */
static const ir_node *joined_reader(const cg_work *w, ir_op op) {
    const ir_tensor *y = w->n->out[0];
    for (int i = 0; i < w->m->g->n_nodes; i++) {
        const ir_node *n = w->m->g->nodes[i];
        if (n->op == op && n->in[0] == y && ir_is_joined(n)) return n;
    }
    return NULL;
}

static void set_results(cg_work *w) {
    const ir_node *crop = joined_reader(w, IR_OP_SLICE), *pool = joined_reader(w, IR_OP_MAX_POOL);
    bool store = !w->n->out[0]->cpu.fused;
    cg_set(&w->slots, "store", "%d", store);
    cg_set(&w->slots, "crop_dims", "%s", "");
    cg_set(&w->slots, "pool_dims", "%s", "");
    if (store) cg_result(w, "y", w->n->out[0]);
    if (crop) {
        cg_result(w, "crop", crop->out[0]);
        cg_set(&w->slots, "crop_dims", ".crop = %s,\n    .crop_begin = %s,", cg_dims_text(w, crop->out[0]),
               cg_list(w->m->arena, 3, ir_ints(crop, IR_BEGIN) + 2));
    }
    if (pool) {
        cg_result(w, "pool", pool->out[0]);
        cg_set(&w->slots, "pool_dims", ".pool = %s,", cg_dims_text(w, pool->out[0]));
    }
}

/* How the tiles are worked through: batch, and what a kernel that transforms weights takes besides. */
static void set_work(cg_work *w) {
    const ir_node *n = w->n;
    int64_t batch = is_deep(w) ? cg_deep_batch(n) : n->winograd[3], depth = n->out[0]->dim[2];
    const char *phases = "";
    if (is_deep(w))
        phases = ir_format(w->m->arena,
                           ";\n *   %" PRId64 " planes at a time: phase 0 transforms inputs, phase 1 weights "
                           "and multiplies",
                           cg_deep_planes(n, n->winograd));
    cg_set_int(&w->slots, "batch", batch);
    cg_set_int(&w->slots, "run", cg_run(w->m->g, n));
    cg_set_int(&w->slots, "workers", cg_lanes(w->m->g, n));
    cg_set(&w->slots, "kind", "%s", is_deep(w) ? "_deep" : is_few(w) ? "_few" : "");
    cg_set(&w->slots, "phase", "%s", is_deep(w) ? "m->phase, " : "");
    cg_set(&w->slots, "why", "%s", cg_algorithm_reason(n, w->m->arena));
    int64_t tiles = cg_winograd_tiles(n, n->winograd, 0, depth) / (is_few(w) ? n->out[0]->dim[4] : 1);
    cg_set(&w->slots, "split", "%" PRId64 " tiles, at most %" PRId64 " at a time for each of %d threads%s",
           tiles, batch, cg_lanes(w->m->g, n), phases);
    cg_scratch_operand(w, cg_winograd_shared(n), cg_winograd_lane(n));
}

bool slots_winograd(cg_work *w) {
    const ir_node *n = w->n;
    int64_t x[5], y[5];
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y) || !cg_window_fits(w)) return false;
    cg_set_xy(w);
    cg_set(&w->slots, "tile", "%s", cg_list(w->m->arena, 3, n->winograd));
    cg_set(&w->slots, "dilation", "%s", cg_list(w->m->arena, 3, ir_ints(n, IR_DILATION)));
    cg_set(&w->slots, "pad", "%s", cg_list(w->m->arena, 3, ir_ints(n, IR_PAD)));
    cg_set(&w->slots, "epilogue", "%s",
           cg_epilogue(w->m->arena, n, ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL));
    cg_conv_operand(w);
    weight_operands(w);
    cg_skip_operand(w);
    set_results(w);
    set_work(w);
    cg_set_around(w);
    return true;
}
