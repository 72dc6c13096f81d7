/* stream_again.c: the turns of a group whose steps make all that they need anew: rings are plain windows, and
 * planes on the seam of two steps are computed in both. */
#include "stream.h"

typedef struct turns {
    const ir_graph *g;
    int first, last;
    int64_t *done;   /* per node: planes of a whole result made so far */
    ir_planes *made; /* per node: in the current step */
    bool *demanded;  /* per node: the last one depends on it */
    ir_arena *arena;
    ir_step *steps;
    int count;
} turns;

static int64_t output_planes(const turns *t, int node) {
    return t->g->nodes[node]->out[0]->dim[2];
}

static bool is_window(const turns *t, int node) {
    return t->g->nodes[node]->out[0]->memory.ring != 0;
}

static void find_demanded(turns *t) {
    t->demanded[t->last - t->first] = true;
    for (int i = t->last; i >= t->first; i--)
        for (int k = 0; t->demanded[i - t->first] && k < t->g->nodes[i]->n_in; k++) {
            int from = stream_maker(t->g, t->first, t->last, t->g->nodes[i], k);
            if (from >= 0) t->demanded[from - t->first] = true;
        }
}

static ir_planes hull(ir_planes a, ir_planes b) {
    if (a.begin >= a.end) return b;
    if (b.begin >= b.end) return a;
    return (ir_planes){a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

/* From the last node back: what this step asks of each node that it depends on. Whole results are completed
 * with the last step. */
static void ask(turns *t, ir_planes of_last) {
    for (int i = t->first; i <= t->last; i++) t->made[i - t->first] = (ir_planes){0, 0};
    t->made[t->last - t->first] = of_last;
    for (int i = t->last; i >= t->first; i--) {
        const ir_node *n = t->g->nodes[i];
        ir_planes *p = &t->made[i - t->first];
        if (!t->demanded[i - t->first]) continue;
        if (!is_window(t, i)) {
            p->begin = t->done[i - t->first];
            if (of_last.end == output_planes(t, t->last)) p->end = output_planes(t, i);
        }
        for (int k = 0; k < n->n_in; k++) {
            int from = stream_maker(t->g, t->first, t->last, n, k);
            if (from < 0 || p->begin >= p->end) continue;
            ir_planes *asked = &t->made[from - t->first];
            *asked = hull(*asked, ir_planes_read(n, k, *p));
        }
    }
}

/* Whether everything that plane z of the node's result is computed from is there. */
static bool can_make(const turns *t, int node, int64_t z) {
    const ir_node *n = t->g->nodes[node];
    for (int k = 0; k < n->n_in; k++) {
        int from = stream_maker(t->g, t->first, t->last, n, k);
        if (from < 0) continue;
        ir_planes read = ir_planes_read(n, k, (ir_planes){z, z + 1}), there = t->made[from - t->first];
        if (!is_window(t, from)) there = (ir_planes){0, t->done[from - t->first]};
        if (read.begin < read.end && (read.begin < there.begin || read.end > there.end)) return false;
    }
    return true;
}

static void make(turns *t, int node) {
    ir_planes *p = &t->made[node - t->first];
    int64_t *done = &t->done[node - t->first];
    if (!t->demanded[node - t->first]) {
        *p = (ir_planes){*done, *done};
        while (p->end < output_planes(t, node) && can_make(t, node, p->end)) p->end++;
    }
    if (p->begin >= p->end) return;
    t->steps[t->count++] = (ir_step){node, *p};
    *done = p->end;
}

ir_step *stream_steps_again(const ir_graph *g, int first, int last, int64_t slab, ir_arena *arena,
                            int *count) {
    size_t nodes = (size_t)(last - first) + 1;
    turns t = {.g = g, .first = first, .last = last, .arena = arena};
    int64_t depth = output_planes(&t, last);
    t.done = ir_alloc(arena, nodes, sizeof *t.done);
    t.made = ir_alloc(arena, nodes, sizeof *t.made);
    t.demanded = ir_alloc(arena, nodes, sizeof *t.demanded);
    t.steps = ir_alloc(arena, nodes * (size_t)((depth + slab - 1) / slab) + 1, sizeof *t.steps);
    find_demanded(&t);
    for (int64_t begin = 0; begin < depth; begin += slab) {
        ask(&t, (ir_planes){begin, begin + slab < depth ? begin + slab : depth});
        for (int i = first; i <= last; i++) make(&t, i);
    }
    *count = t.count;
    return t.steps;
}
