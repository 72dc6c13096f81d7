/* slots_winograd.c: convolutions by Winograd's algorithm, with what their kernel does besides. */
#include "algorithm.h"
#include "slots.h"

#include <inttypes.h>

/* Transformed weights are `u`, others `w`. */
static const char *weights_name(const cg_packing *p) {
    return p->pack == CG_WINOGRAD ? "u" : "w";
}

static void weight_operands(cg_work *w, const cg_packing *packing) {
    const ir_node *n = w->n;
    const cg_weight want = cg_packed(n->in[1], packing);
    cg_weight_operand(w, weights_name(packing), &want);
    static const char *const names[] = {"b", "slope"};
    for (int i = 0; i < 2; i++) {
        const ir_tensor *t = i + 2 < n->n_in ? n->in[i + 2] : NULL;
        cg_weight vector = {.pack = CG_VECTOR, .source = {t}, .oc = packing->oc, .group = 1};
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

static const char *box_text(cg_work *w, const ir_tensor *t) {
    return ir_format(w->m->arena, "{N, OC, %" PRId64 ", %" PRId64 ", %" PRId64 ", VOX_BLOCK, %d}", t->dim[2],
                     t->dim[3], t->dim[4], t->ring);
}

static void set_results(cg_work *w, const char *weights) {
    const ir_node *crop = joined_reader(w, IR_OP_SLICE), *pool = joined_reader(w, IR_OP_MAX_POOL);
    bool store = !w->n->out[0]->fused;
    cg_set(&w->slots, "store", "%d", store);
    cg_set(&w->slots, "crop_dims", "%s", "");
    cg_set(&w->slots, "pool_dims", "%s", "");
    if (store) cg_result(w, "y", w->n->out[0]);
    if (crop) {
        cg_result(w, "crop", crop->out[0]);
        cg_set(&w->slots, "crop_dims", ".crop = %s,\n        .crop_begin = %s,", box_text(w, crop->out[0]),
               cg_list(w->m->arena, 3, ir_ints(crop, IR_BEGIN) + 2));
    }
    if (pool) {
        cg_result(w, "pool", pool->out[0]);
        cg_set(&w->slots, "pool_dims", ".pool = %s,", box_text(w, pool->out[0]));
    }
    bool bias = w->n->n_in > 2 && w->n->in[2], slope = w->n->n_in > 3 && w->n->in[3];
    const char *more = "";
    if (cg_way_of(w->n)->stores_more) more = ir_format(w->m->arena, ", %s, %s", crop ? "crop" : "NULL", pool ? "pool" : "NULL");
    cg_set(&w->slots, "arguments", "x, %s, %s, %s, %s, %s%s", weights, bias ? "b" : "NULL",
           slope ? "slope" : "NULL", ir_skip(w->n) ? "skip" : "NULL", store ? "y" : "NULL", more);
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
    cg_set_int(&w->slots, "lanes", cg_lanes(w->m->g, n));
    cg_set(&w->slots, "kernel", "%s", way->kernel);
    cg_set(&w->slots, "block", "%s", n->in[0]->block ? "VOX_BLOCK" : "0");
    cg_set(&w->slots, "phase", "%s", way->planes ? "m->phase, " : "");
    cg_set(&w->slots, "shared", "%s", way->shared ? "shared, " : "");
    cg_set(&w->slots, "why", "%s", cg_algorithm_reason(n, w->m->arena));
    cg_set(&w->slots, "split", "%" PRId64 " tiles, at most %" PRId64 " at a time for each of %d threads%s",
           way->tiles(n, c), c->batch, cg_lanes(w->m->g, n), phases);
    cg_scratch_operand(w, cg_shared_bytes(n), cg_lane_bytes(n));
}

bool slots_winograd(cg_work *w) {
    const ir_node *n = w->n;
    const cg_choice c = cg_choice_of(n);
    const cg_packing packing = c.way->packing(n, &c);
    int64_t x[5], y[5];
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y) || !cg_window_fits(w)) return false;
    cg_set_dims(w, (const char *const[]){"n", "ic", "id", "ih", "iw"}, x);
    cg_set_dims(w, (const char *const[]){"n", "oc", "od", "oh", "ow"}, y);
    cg_set3(w, (const char *const[]){"md", "mh", "mw"}, c.tile);
    cg_set3(w, (const char *const[]){"dd", "dh", "dw"}, ir_ints(n, IR_DILATION));
    cg_set3(w, (const char *const[]){"pd", "ph", "pw"}, ir_ints(n, IR_PAD));
    cg_set_int(&w->slots, "x_ring", n->in[0]->ring);
    cg_set_int(&w->slots, "y_ring", n->out[0]->ring);
    cg_set(&w->slots, "epilogue", "%s",
           cg_epilogue(w->m->arena, n, ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL));
    cg_conv_operand(w);
    weight_operands(w, &packing);
    cg_skip_operand(w);
    set_results(w, weights_name(&packing));
    set_work(w, &c);
    cg_set_around(w);
    return true;
}
