/* pass_slabs.c: which neighbouring nodes of a graph for a GPU run slab after slab along D, so that the
 * largest values never exist whole.
 *
 * Slabs cost launches and planes on their seams that are computed twice (a GPU gains nothing from them: its
 * caches are small next to a slab), so they are used for memory alone, and within a budget: the whole graph
 * may have half as many launches again, and a sixteenth more multiply-adds. --max-memory raises the budget
 * (goals.thrift) until its limit is met. Within it, at a node where the most memory is in use, every run of
 * nodes around it and every number of slabs is tried. The group that leaves the least memory is kept, but one
 * of less than a twentieth more memory wins with fewer launches; and so on until no peak gives way.
 */
#include "gpu_model.h"
#include "pass_stream.h"
#include "gpu_passes.h"
#include "stream.h"

#include <string.h>

enum {
    REACH = 16,      /* nodes on either side of the peak */
    GAIN = 50,       /* a group must save one part of this many */
    GENEROUS = 20,   /* fewer launches may cost one part of this many */
    MOST_SLABS = 16, /* of a group, with the smallest budget; twice as many with each larger one */
    MAX_GROUPS = 16
};

typedef struct budget {
    int launches, slabs;
    int64_t macs; /* that may be done twice */
} budget;

static budget budget_of(const ir_graph *g) {
    static const struct {
        int halves;   /* as many launches again, in halves */
        int fraction; /* of the multiply-adds */
    } by_thrift[] = {{1, 16}, {2, 8}, {4, 4}, {8, 2}, {32, 1}};
    _Static_assert(sizeof by_thrift / sizeof *by_thrift == IR_THRIFT_COUNT, "a budget for every thrift");
    int64_t macs = 0;
    int launches = cg_gpu_launches(g), thrift = (int)g->goals.thrift;
    for (int i = 0; i < g->n_nodes; i++) macs += ir_macs(g->nodes[i]);
    return (budget){launches + launches * by_thrift[thrift].halves / 2, MOST_SLABS << thrift,
                    macs / by_thrift[thrift].fraction};
}

/* ---- one group ------------------------------------------------------------------------------- */

/* Backward data has no planes of its own: cuDNN makes what all of the operand gives. What reads and writes
 * plain memory makes all of its result at once. */
static bool can_run_in_slabs(const ir_node *n) {
    bool in_planes = n->gpu.runner != IR_GPU_DGRAD && (n->in[0]->gpu.pitch || n->out[0]->gpu.pitch);
    return ir_can_stream(n) && in_planes && n->out[0]->dim[0] == 1;
}

/* Whether something in the group reads node p's result: then it may be a window. */
static bool is_passed_on(const ir_graph *g, int p, int last) {
    for (int i = p + 1; i <= last; i++)
        if (stream_reads(g->nodes[i], g->nodes[p]->out[0])) return true;
    return false;
}

static int64_t largest_step(const ir_step *steps, int count, int node) {
    int64_t most = 1;
    for (int s = 0; s < count; s++)
        if (steps[s].node == node && steps[s].planes.end - steps[s].planes.begin > most)
            most = steps[s].planes.end - steps[s].planes.begin;
    return most;
}

/* Windows as long as the steps ask for. False: one of them would be as long as its tensor, so that it had
 * better be whole, which changes the steps. */
static bool fit_windows(ir_graph *g, int first, int last, const ir_step *steps, int count) {
    bool fit = true;
    for (int p = first; p <= last; p++) {
        ir_tensor *t = g->nodes[p]->out[0];
        if (!t->memory.ring) continue;
        int64_t planes = largest_step(steps, count, p);
        t->memory.ring = planes < t->dim[2] ? (int)planes : 0;
        fit &= t->memory.ring != 0;
    }
    return fit;
}

/* Every whole result is made completely; what windows have left is not there for a reader that lags behind.
 */
static bool makes_all(const ir_graph *g, int first, int last, const ir_step *steps, int count) {
    for (int p = first; p <= last; p++) {
        const ir_tensor *t = g->nodes[p]->out[0];
        int64_t done = 0;
        for (int s = 0; s < count; s++)
            if (steps[s].node == p) done = steps[s].planes.end;
        if (!t->memory.ring && done != t->dim[2]) return false;
    }
    return true;
}

/* Whether cuDNN can do each step of its nodes: planes need not begin where it can address them, and a step
 * may read nothing but padding. */
static bool takes_all(const ir_graph *g, int first, int last, const ir_step *steps, int count, ir_arena *a) {
    int64_t *begins = ir_alloc(a, (size_t)(last - first + 1), sizeof *begins); /* of each node's window */
    for (int s = 0; s < count; s++) {
        const ir_node *n = g->nodes[steps[s].node];
        const ir_tensor *x = n->in[0];
        begins[steps[s].node - first] = steps[s].planes.begin;
        int64_t x_first = x->memory.ring ? begins[ir_position(g, x->producer) - first] : 0;
        int64_t y_first = n->out[0]->memory.ring ? steps[s].planes.begin : 0;
        if (!cg_gpu_takes_slab(n, steps[s].planes, x_first, y_first)) return false;
    }
    return true;
}

/* What a node scatters is there for one step at a time. */
static void fit_scratch(ir_graph *g, int first, int last, const ir_step *steps, int count) {
    for (int i = first; i <= last; i++) {
        ir_node *n = g->nodes[i];
        int64_t most = 0;
        for (int s = 0; s < count; s++) {
            if (steps[s].node != i || n->gpu.runner != IR_GPU_GEMM_SCATTER) continue;
            ir_planes read = ir_planes_read(n, 0, steps[s].planes);
            if (read.end - read.begin > most) most = read.end - read.begin;
        }
        if (most) n->memory.scratch = cg_gpu_slab_scratch(n, g->goals.precision, most);
    }
}

static int64_t macs_again(const ir_graph *g, int first, int last, const ir_step *steps, int count) {
    int64_t macs = 0;
    for (int i = first; i <= last; i++) macs -= ir_macs(g->nodes[i]);
    for (int s = 0; s < count; s++) {
        const ir_node *n = g->nodes[steps[s].node];
        macs += ir_macs(n) / n->out[0]->dim[2] * (steps[s].planes.end - steps[s].planes.begin);
    }
    return macs;
}

/* Makes nodes first to last group number `group`, with windows between them. *again: multiply-adds done
 * twice. False: that cannot be. */
static bool make_group(ir_graph *g, int group, int first, int last, int slab, int64_t *again) {
    ir_arena *a = ir_arena_new();
    int count = 0;
    const ir_step *steps = NULL;
    last = stream_gather_crops(g, first, last, false);
    for (int i = first; i <= last; i++) {
        ir_tensor *t = g->nodes[i]->out[0];
        g->nodes[i]->memory.stream = group;
        g->nodes[i]->memory.slab = slab;
        t->memory.ring = t->gpu.pitch && is_passed_on(g, i, last) && stream_stays_inside(g, t, first, last);
    }
    for (bool fit = false; !fit;) {
        steps = ir_group_steps(g, first, last, slab, a, &count);
        fit = fit_windows(g, first, last, steps, count);
    }
    bool good = makes_all(g, first, last, steps, count) && takes_all(g, first, last, steps, count, a);
    fit_scratch(g, first, last, steps, count);
    *again = macs_again(g, first, last, steps, count);
    ir_arena_free(a);
    return good;
}

/* ---- trials ---------------------------------------------------------------------------------- */

typedef struct candidate {
    int first, last, slab, launches;
    int64_t again;
    stream_need need;
} candidate;

static int64_t less(int64_t bytes, int part) {
    return bytes - bytes / part;
}

/* While other peaks are as high, getting rid of one counts; then the height of the last. */
static bool better(const candidate *a, const candidate *b) {
    if (a->need.peaks != b->need.peaks) return a->need.peaks < b->need.peaks;
    if (a->need.bound < less(b->need.bound, GENEROUS)) return true;
    if (b->need.bound < less(a->need.bound, GENEROUS)) return false;
    if (a->launches != b->launches) return a->launches < b->launches;
    return a->need.bound < b->need.bound;
}

/* What the trials at one peak begin with. */
typedef struct trial {
    stream_snapshot before;
    stream_outlook around;
    const budget *limits;
    int64_t limit;
    int group, launches; /* a free number; for a whole run */
} trial;

enum { PAIR = 2 /* how far from a group nodes may pair otherwise: a pool and its crop are neighbours */ };

/* Launches for the nodes that a group from first to last may touch. */
static int launches_around(const ir_graph *g, int first, int last) {
    int from = first > PAIR ? first - PAIR : 0, to = last + PAIR < g->n_nodes ? last + PAIR : g->n_nodes - 1;
    while (from > 0 && g->nodes[from]->memory.stream &&
           g->nodes[from - 1]->memory.stream == g->nodes[from]->memory.stream)
        from--;
    return cg_gpu_launches_between(g, from, ir_group_end(g, to));
}

static void try_group(ir_graph *g, const trial *t, candidate c, candidate *best) {
    const int64_t made = stream_made(g, c.first, c.last);
    const int others = t->launches - launches_around(g, c.first, c.last);
    bool good = make_group(g, t->group, c.first, c.last, c.slab, &c.again);
    const bool gathered = ir_group_end(g, c.first) != c.last; /* crops */
    c.launches = gathered ? cg_gpu_launches(g) : others + launches_around(g, c.first, c.last);
    if (good && c.again <= t->limits->macs && c.launches <= t->limits->launches) {
        c.need = gathered ? stream_measure(g, t->limit)
                          : stream_need_of_group(g, &t->around, c.first, c.last, made, t->limit);
        if (better(&c, best)) *best = c;
    }
    if (gathered)
        stream_restore(g, &t->before);
    else
        stream_take_back(g, &t->before, c.first, c.last);
}

/* Planes that node n, a group's last, makes together: whole multiples of what it scatters at once, and of
 * what cuDNN can begin at. */
static int unit_of(const ir_node *n) {
    const bool scatters = n->gpu.runner == IR_GPU_GEMM_SCATTER;
    const ir_tensor *t = scatters ? n->in[0] : n->out[0]; /* what cuDNN has to address */
    int planes = 1;
    while ((scatters || n->gpu.runner == IR_GPU_CUDNN) && cg_gpu_plane_bytes(t) * planes % CG_GPU_PLAN_ALIGN)
        planes *= 2;
    return scatters ? planes * (int)ir_ints(n, IR_STRIDE)[0] : planes;
}

/* Every number of slabs that the group's last node can be made in. */
static void try_slabs(ir_graph *g, const trial *t, int first, int last, candidate *best) {
    const ir_node *n = g->nodes[last];
    int depth = (int)n->out[0]->dim[2], tried = depth;
    int unit = unit_of(n);
    for (int slabs = 2; slabs <= t->limits->slabs && slabs <= depth; slabs++) {
        int planes = ((depth + slabs - 1) / slabs + unit - 1) / unit * unit;
        if (planes >= tried) continue;
        tried = planes;
        try_group(g, t, (candidate){.first = first, .last = last, .slab = planes}, best);
    }
}

static candidate best_group(ir_graph *g, const budget *limits, int peak, int64_t limit) {
    ir_arena *a = ir_arena_new();
    const trial t = {
        stream_take_snapshot(g, a), stream_look_around(g, limit, a), limits, limit, stream_new_group(g),
        cg_gpu_launches(g)};
    candidate best = {.first = -1, .need = {.bound = INT64_MAX, .peaks = g->n_nodes + 1}};
    int left = peak, right = peak;
    while (left > 0 && peak - left < REACH && can_run_in_slabs(g->nodes[left - 1])) left--;
    while (right + 1 < g->n_nodes && right - peak < REACH && can_run_in_slabs(g->nodes[right + 1])) right++;
    for (int first = left; first <= peak; first++)
        for (int last = peak; last <= right; last++)
            if ((first < last || g->nodes[first]->memory.scratch) && !stream_cuts_a_group(g, first, last))
                try_slabs(g, &t, first, last, &best);
    ir_arena_free(a);
    return best;
}

/* One more group, at the highest peak; false: that would gain nothing. */
static bool add_group(ir_graph *g, budget *limits) {
    stream_need now = stream_measure(g, 0);
    int64_t limit = less(now.bound, GAIN);
    if (!now.bound || !can_run_in_slabs(g->nodes[now.peak])) return false;
    candidate c = best_group(g, limits, now.peak, limit);
    if (c.first < 0 || c.need.peaks >= stream_measure(g, limit).peaks) return false;
    make_group(g, stream_new_group(g), c.first, c.last, c.slab, &c.again);
    limits->macs -= c.again;
    return true;
}

/* requires: members placed. maintains: values. gives: groups that run in slabs, windows between their nodes;
 * may move crops forward. */
bool pass_slabs(ir_graph *g, ir_diag *d) {
    (void)d;
    if (g->goals.whole) return true;
    g->recompute = true;
    ir_arena *a = ir_arena_new();
    budget limits = budget_of(g);
    stream_snapshot kept = stream_take_snapshot(g, a);
    int64_t bound = stream_measure(g, 0).bound;
    for (int i = 0; i < MAX_GROUPS && add_group(g, &limits); i++) {
        int64_t now = stream_measure(g, 0).bound;
        if (now >= less(bound, GAIN)) continue; /* one of several peaks is gone */
        bound = now;
        kept = stream_take_snapshot(g, a);
    }
    stream_restore(g, &kept);
    stream_number_groups(g);
    g->recompute = stream_new_group(g) > 1;
    ir_arena_free(a);
    return true;
}
