/* slots_winograd.c: convolutions by Winograd's algorithm, with what their kernel does besides. */
#include "algorithm.h"
#include "slots.h"

#include <inttypes.h>

static void weight_operands(cg_work *w, const cg_choice *c) {
    const ir_node *n = w->n;
    const cg_packing packing = c->way->packing(n, c);
    const cg_weight want = cg_packed(n->in[1], &packing);
    cg_weight_operand(w, packing.pack == CG_WINOGRAD ? "transformed" : "weights", &want);
    static const char *const names[] = {"bias", "slope"};
    for (int i = 0; i < 2; i++) {
        const ir_tensor *t = i + 2 < n->n_in ? n->in[i + 2] : NULL;
        cg_weight vector = {.pack = CG_VECTOR, .source = {t}, .oc = packing.oc, .group = 1};
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

/* How the tiles are worked through, and what a kernel that does it in phases takes besides. */
static void set_work(cg_work *w, const cg_choice *c) {
    const ir_node *n = w->n;
    const cg_way *way = c->way;
    const char *phases = "";
    if (way->planes)
        phases = ir_format(w->m->arena,
                           ";\n *   %" PRId64 " planes at a time: phase 0 transforms inputs, phase 1 weights "
                           "and multiplies",
                           way->planes(n, c));
    cg_set_int(&w->slots, "batch", c->batch);
    cg_set_int(&w->slots, "run", cg_run(w->m->g, n));
    cg_set_int(&w->slots, "workers", cg_lanes(w->m->g, n));
    cg_set(&w->slots, "kernel", "%s", way->kernel);
    cg_set(&w->slots, "phase", "%s", way->planes ? "m->phase, " : "");
    cg_set(&w->slots, "why", "%s", cg_algorithm_reason(n, w->m->arena));
    cg_set(&w->slots, "split", "%" PRId64 " tiles, at most %" PRId64 " at a time for each of %d threads%s",
           way->tiles(n, c), c->batch, cg_lanes(w->m->g, n), phases);
    cg_scratch_operand(w, cg_shared_bytes(n), cg_lane_bytes(n));
}

bool slots_winograd(cg_work *w) {
    const ir_node *n = w->n;
    const cg_choice c = cg_choice_of(n);
    int64_t x[5], y[5];
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y) || !cg_window_fits(w)) return false;
    cg_set_xy(w);
    cg_set(&w->slots, "tile", "%s", cg_list(w->m->arena, 3, c.tile));
    cg_set(&w->slots, "dilation", "%s", cg_list(w->m->arena, 3, ir_ints(n, IR_DILATION)));
    cg_set(&w->slots, "pad", "%s", cg_list(w->m->arena, 3, ir_ints(n, IR_PAD)));
    cg_set(&w->slots, "epilogue", "%s",
           cg_epilogue(w->m->arena, n, ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL));
    cg_conv_operand(w);
    weight_operands(w, &c);
    cg_skip_operand(w);
    set_results(w);
    set_work(w, &c);
    cg_set_around(w);
    return true;
}
