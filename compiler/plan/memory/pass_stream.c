/* pass_stream.c: decides which neighbouring nodes stream, so that the largest values never exist whole.
 *
 * At a node where the most memory is in use, every run of nodes around it that can work plane by plane is
 * tried as a group, with several numbers of planes per step; the one that lowers that peak most is kept, and
 * so on until no peak gives way. Values that only the group touches become rings of planes, as long as its
 * steps ask for. Crops of such a value that are read much later (skip connections) move into the group: they
 * are small, and keeping them instead of the value is the point.
 */
#include "pass_stream.h"

#include "lifetime.h"
#include "memory_passes.h"
#include "stream.h"

#include <string.h>

enum {
    REACH = 16,    /* nodes on either side of the peak */
    GAIN = 50,     /* a group must save one part of this many */
    GENEROUS = 20, /* more planes per step may cost one part of this many: fewer, larger steps */
    VOXELS = 4096, /* of output per step of a convolution: all its weights are read for them */
    MAX_GROUPS = 100
};
static const int slabs[] = {1, 2, 4, 8, 16};
enum { SLABS = sizeof slabs / sizeof *slabs };

/* ---- what a trial changes -------------------------------------------------------------------- */

stream_snapshot stream_take_snapshot(const ir_graph *g, ir_arena *a) {
    stream_snapshot s = {.nodes = ir_alloc(a, (size_t)g->n_nodes, sizeof *s.nodes)};
    s.stream = ir_alloc(a, (size_t)g->n_nodes, sizeof *s.stream);
    s.slab = ir_alloc(a, (size_t)g->n_nodes, sizeof *s.slab);
    s.scratch = ir_alloc(a, (size_t)g->n_nodes, sizeof *s.scratch);
    s.ring = ir_alloc(a, (size_t)g->n_nodes, sizeof *s.ring);
    for (int i = 0; i < g->n_nodes; i++) {
        s.nodes[i] = g->nodes[i];
        s.stream[i] = g->nodes[i]->memory.stream;
        s.slab[i] = g->nodes[i]->memory.slab;
        s.scratch[i] = g->nodes[i]->memory.scratch;
        s.ring[i] = g->nodes[i]->out[0]->memory.ring;
    }
    return s;
}

void stream_take_back(ir_graph *g, const stream_snapshot *s, int first, int last) {
    for (int i = first; i <= last; i++) {
        g->nodes[i]->memory.stream = s->stream[i];
        g->nodes[i]->memory.slab = s->slab[i];
        g->nodes[i]->memory.scratch = s->scratch[i];
        g->nodes[i]->out[0]->memory.ring = s->ring[i];
    }
}

void stream_restore(ir_graph *g, const stream_snapshot *s) {
    for (int i = 0; i < g->n_nodes; i++) g->nodes[i] = s->nodes[i];
    stream_take_back(g, s, 0, g->n_nodes - 1);
}

/* ---- crops ----------------------------------------------------------------------------------- */

bool stream_reads(const ir_node *n, const ir_tensor *t) {
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] == t) return true;
    return false;
}

static bool is_crop_of(const ir_node *n, const ir_tensor *t) {
    return n->op == IR_OP_SLICE && n->in[0] == t && ir_can_stream(n) && ir_bytes(n->out[0]) < ir_bytes(t);
}

/* Whether some node of the group reads t, and behind the group nothing but crops. */
static bool only_crops_behind(const ir_graph *g, const ir_tensor *t, int last, bool tear) {
    bool inside = false;
    if (ir_is_output(t)) return false;
    for (int i = 0; i < t->n_users; i++) {
        const ir_node *n = t->users[i];
        if (ir_position(g, n) <= last)
            inside = true;
        else if (!is_crop_of(n, t) || (n->memory.stream && !tear))
            return false;
    }
    return inside;
}

static ir_node *first_crop_behind(const ir_graph *g, const ir_tensor *t, int last) {
    ir_node *first = NULL;
    for (int i = 0; i < t->n_users; i++) {
        ir_node *n = t->users[i];
        if (ir_position(g, n) <= last || !is_crop_of(n, t)) continue;
        if (!first || ir_position(g, n) < ir_position(g, first)) first = n;
    }
    return first;
}

int stream_gather_crops(ir_graph *g, int first, int last, bool tear) {
    for (int i = first; i <= last; i++) {
        const ir_tensor *t = g->nodes[i]->out[0];
        if (!only_crops_behind(g, t, last, tear)) continue;
        for (ir_node *crop; (crop = first_crop_behind(g, t, last)); last++)
            ir_insert_node(g, crop, g->nodes[i + 1]);
    }
    return last;
}

/* ---- rings ----------------------------------------------------------------------------------- */

/* Whether a kernel in front of node `first` writes t: that of a conv, which does the work of t's node, too.
 */
static bool written_before(const ir_graph *g, const ir_tensor *t, int first) {
    const ir_node *n = t->producer;
    return ir_is_joined(n) && ir_position(g, n->in[0]->producer) < first;
}

bool stream_stays_inside(const ir_graph *g, const ir_tensor *t, int first, int last) {
    if (ir_is_output(t) || written_before(g, t, first)) return false;
    for (int i = 0; i < t->n_users; i++) {
        int at = ir_position(g, t->users[i]);
        if (at < first || at > last) return false;
    }
    return !t->memory.view_of && !ir_has_views(t);
}

/* The first plane of t that node n, whose result has `done` planes, will read; `none` if it reads no more. */
static int64_t next_read(const ir_node *n, const ir_tensor *t, int64_t done, int64_t none) {
    int64_t depth = n->out[0]->dim[2], low = none;
    for (int k = 0; k < n->n_in && done < depth; k++) {
        if (n->in[k] != t) continue;
        int64_t begin = ir_planes_read(n, k, (ir_planes){done, depth}).begin;
        if (begin < low) low = begin;
    }
    return low;
}

/* How many planes of node p's result are in use at once, over all steps. */
static int64_t planes_needed(const ir_graph *g, int p, int first, int last, const ir_step *steps, int count,
                             int64_t *done) {
    const ir_tensor *t = g->nodes[p]->out[0];
    int64_t most = 1;
    memset(done, 0, (size_t)(last - first + 1) * sizeof *done);
    for (int s = 0; s < count; s++) {
        done[steps[s].node - first] = steps[s].planes.end;
        if (steps[s].node != p) continue;
        int64_t low = steps[s].planes.begin;
        for (int i = p + 1; i <= last; i++) low = next_read(g->nodes[i], t, done[i - first], low);
        if (steps[s].planes.end - low > most) most = steps[s].planes.end - low;
    }
    return most;
}

/* Whether each convolution has enough to do per step. */
static bool large_steps(const ir_graph *g, int first, int last, const ir_step *steps, int count) {
    for (int i = first; i <= last; i++) {
        const ir_tensor *y = g->nodes[i]->out[0];
        int64_t most = 0;
        if (!ir_macs(g->nodes[i])) continue;
        for (int s = 0; s < count; s++)
            if (steps[s].node == i && steps[s].planes.end - steps[s].planes.begin > most)
                most = steps[s].planes.end - steps[s].planes.begin;
        if (most < y->dim[2] && most * y->dim[3] * y->dim[4] < VOXELS) return false;
    }
    return true;
}

static bool set_rings(ir_graph *g, int first, int last, int slab, ir_arena *a) {
    int count;
    const ir_step *steps = ir_group_steps(g, first, last, slab, a, &count);
    int64_t *done = ir_alloc(a, (size_t)(last - first) + 1, sizeof *done);
    for (int p = first; p < last; p++) {
        ir_tensor *t = g->nodes[p]->out[0];
        if (t->cpu.on_load || !stream_stays_inside(g, t, first, last)) continue;
        int64_t planes = planes_needed(g, p, first, last, steps, count, done);
        if (planes < t->dim[2]) t->memory.ring = (int)planes;
    }
    return large_steps(g, first, last, steps, count);
}

/* ---- trials ---------------------------------------------------------------------------------- */

typedef struct candidate {
    int first, last, slab;
    int64_t bound; /* the least memory that any plan needs then */
    int peaks;     /* how many nodes or groups still need about as much as before */
} candidate;

static int64_t less(int64_t bytes, int part) {
    return bytes - bytes / part;
}

stream_need stream_measure(const ir_graph *g, int64_t limit) {
    ir_arena *a = ir_arena_new();
    int64_t *alive = ir_alloc(a, (size_t)g->n_nodes + 1, sizeof *alive);
    stream_need c = {0};
    ir_buffers buffers = ir_find_buffers(g, a);
    ir_live_bytes(g, &buffers, alive);
    for (int i = 0, last; i < g->n_nodes; i = last + 1) {
        last = ir_group_end(g, i);
        c.peaks += alive[i] > limit;
        if (alive[i] <= c.bound) continue;
        c.bound = alive[i];
        c.peak = i;
    }
    ir_arena_free(a);
    return c;
}

/* ---- what a group gains ---------------------------------------------------------------------- */

static void add_up_pieces(const ir_graph *g, const ir_buffers *buffers, stream_outlook *o) {
    for (int i = 0; i < buffers->count; i++)
        for (int k = 0; k < buffers->list[i].n_pieces; k++) {
            const ir_piece *p = &buffers->list[i].pieces[k];
            if (p->alive.first > p->alive.last) continue;
            o->begun[p->alive.first] += p->bytes;
            o->ended[p->alive.last + 1] += p->bytes;
        }
    for (int i = 1; i <= g->n_nodes; i++) {
        o->begun[i] += o->begun[i - 1];
        o->ended[i] += o->ended[i - 1];
    }
}

stream_outlook stream_look_around(const ir_graph *g, int64_t limit, ir_arena *a) {
    size_t n = (size_t)g->n_nodes + 2;
    stream_outlook o = {ir_alloc(a, n, sizeof(int64_t)), ir_alloc(a, n, sizeof(int64_t)),
                        ir_alloc(a, n, sizeof(int)),     ir_alloc(a, n, sizeof(int)),
                        ir_alloc(a, n, sizeof(int64_t)), ir_alloc(a, n, sizeof(int64_t))};
    int64_t *alive = ir_alloc(a, n, sizeof *alive);
    ir_buffers buffers = ir_find_buffers(g, a);
    ir_live_bytes(g, &buffers, alive);
    add_up_pieces(g, &buffers, &o);
    for (int i = 1; i <= g->n_nodes; i++) {
        bool goes_on = i > 1 && g->nodes[i - 1]->memory.stream &&
                       g->nodes[i - 1]->memory.stream == g->nodes[i - 2]->memory.stream;
        o.most_before[i] = alive[i - 1] > o.most_before[i - 1] ? alive[i - 1] : o.most_before[i - 1];
        o.peaks_before[i] = o.peaks_before[i - 1] + (!goes_on && alive[i - 1] > limit);
    }
    for (int i = g->n_nodes - 2; i >= 0; i--) {
        bool goes_on =
            g->nodes[i + 1]->memory.stream && g->nodes[i]->memory.stream == g->nodes[i + 1]->memory.stream;
        o.most_behind[i] = alive[i + 1] > o.most_behind[i + 1] ? alive[i + 1] : o.most_behind[i + 1];
        o.peaks_behind[i] = o.peaks_behind[i + 1] + (!goes_on && alive[i + 1] > limit);
    }
    return o;
}

/* What node n's result and scratch memory take of the arena. */
static int64_t bytes_made(const ir_node *n) {
    const ir_tensor *t = n->out[0];
    bool own = !t->memory.view_of && !t->cpu.fused && !t->cpu.on_load && !t->n_outputs;
    int64_t bytes = own ? (ir_bytes(t) + IR_ALIGN - 1) / IR_ALIGN * IR_ALIGN : 0;
    return bytes + (n->memory.scratch + IR_ALIGN - 1) / IR_ALIGN * IR_ALIGN;
}

int64_t stream_made(const ir_graph *g, int first, int last) {
    int64_t bytes = 0;
    for (int i = first; i <= last; i++) bytes += bytes_made(g->nodes[i]);
    return bytes;
}

stream_need stream_need_of_group(const ir_graph *g, const stream_outlook *o, int first, int last,
                                 int64_t made, int64_t limit) {
    int64_t alive = o->begun[last] - o->ended[first] + stream_made(g, first, last) - made;
    stream_need n = {.bound = alive, .peak = first};
    if (o->most_before[first] > n.bound) n.bound = o->most_before[first];
    if (o->most_behind[last] > n.bound) n.bound = o->most_behind[last];
    n.peaks = o->peaks_before[first] + o->peaks_behind[last] + (alive > limit);
    return n;
}

int stream_new_group(const ir_graph *g) {
    int most = 0;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->memory.stream > most) most = g->nodes[i]->memory.stream;
    return most + 1;
}

bool stream_cuts_a_group(const ir_graph *g, int first, int last) {
    int before = first > 0 ? g->nodes[first - 1]->memory.stream : 0;
    int behind = last + 1 < g->n_nodes ? g->nodes[last + 1]->memory.stream : 0;
    return (before && before == g->nodes[first]->memory.stream) ||
           (behind && behind == g->nodes[last]->memory.stream);
}

/* Whether a node of the group of node `at` has moved into the nodes first to last. */
static bool is_torn(const ir_graph *g, int at, int first, int last) {
    for (int i = first; i <= last; i++)
        if (g->nodes[at]->memory.stream && g->nodes[i]->memory.stream == g->nodes[at]->memory.stream)
            return true;
    return false;
}

/* What is left of a group takes other turns; a single node runs whole. */
static bool mend_group(ir_graph *g, int first, int last, ir_arena *a) {
    for (int i = first; i <= last; i++) g->nodes[i]->out[0]->memory.ring = 0;
    if (first < last) return set_rings(g, first, last, g->nodes[first]->memory.slab, a);
    g->nodes[first]->memory.stream = g->nodes[first]->memory.slab = 0;
    return true;
}

static bool make_group(ir_graph *g, int group, int first, int last, int slab) {
    ir_arena *a = ir_arena_new();
    bool *torn = NULL, large = true;
    for (int i = first; i <= last; i++) g->nodes[i]->out[0]->memory.ring = 0;
    last = stream_gather_crops(g, first, last, true);
    for (int i = first; i <= last && !torn; i++)
        if (g->nodes[i]->memory.stream) torn = ir_alloc(a, (size_t)g->n_nodes, sizeof *torn);
    for (int i = last + 1; torn && i < g->n_nodes; i++) torn[i] = is_torn(g, i, first, last);
    for (int i = first; i <= last; i++) {
        g->nodes[i]->memory.stream = group;
        g->nodes[i]->memory.slab = slab;
        g->nodes[i]->out[0]->memory.ring = 0;
    }
    for (int i = last + 1, end; torn && i < g->n_nodes; i = end + 1) {
        end = ir_group_end(g, i);
        if (torn[i]) large = mend_group(g, i, end, a) && large;
    }
    large = set_rings(g, first, last, slab, a) && large;
    ir_arena_free(a);
    return large;
}

bool pass_stream_group(ir_graph *g, int first, int last, int slab) {
    return make_group(g, stream_new_group(g), first, last, slab);
}

/* While other peaks are as high, getting rid of one counts; then the height of the last. */
static bool better(const candidate *a, const candidate *b) {
    if (a->peaks != b->peaks) return a->peaks < b->peaks;
    if (a->bound < less(b->bound, GENEROUS)) return true;
    if (b->bound < less(a->bound, GENEROUS)) return false;
    if (a->slab != b->slab) return a->slab > b->slab;
    if (a->bound != b->bound) return a->bound < b->bound;
    return a->last - a->first < b->last - b->first;
}

typedef struct trial {
    stream_snapshot before;
    stream_outlook around;
    int group; /* a free number */
    int64_t limit;
} trial;

static void try_group(ir_graph *g, const trial *t, candidate c, candidate *best) {
    int64_t made = stream_made(g, c.first, c.last);
    bool large = make_group(g, t->group, c.first, c.last, c.slab);
    bool gathered = ir_group_end(g, c.first) != c.last;
    if (large) {
        stream_need need = gathered ? stream_measure(g, t->limit)
                                    : stream_need_of_group(g, &t->around, c.first, c.last, made, t->limit);
        c.bound = need.bound, c.peaks = need.peaks;
        if (better(&c, best)) *best = c;
    }
    if (gathered)
        stream_restore(g, &t->before);
    else
        stream_take_back(g, &t->before, c.first, c.last);
}

static candidate best_group(ir_graph *g, int peak, int64_t limit) {
    ir_arena *outer = ir_arena_new();
    trial t = {stream_take_snapshot(g, outer), stream_look_around(g, limit, outer), stream_new_group(g),
               limit};
    candidate best = {.bound = INT64_MAX, .peaks = g->n_nodes + 1};
    int left = peak, right = peak;
    while (left > 0 && peak - left < REACH && ir_can_stream(g->nodes[left - 1])) left--;
    while (right + 1 < g->n_nodes && right - peak < REACH && ir_can_stream(g->nodes[right + 1])) right++;
    for (int first = left; first <= peak; first++)
        for (int last = peak; last <= right; last++)
            for (int k = 0; k < SLABS && first < last && !stream_cuts_a_group(g, first, last); k++)
                try_group(g, &t, (candidate){.first = first, .last = last, .slab = slabs[k]}, &best);
    ir_arena_free(outer);
    return best;
}

void stream_number_groups(ir_graph *g) {
    int number = 0;
    for (int i = 0, last; i < g->n_nodes; i = last + 1) {
        last = ir_group_end(g, i);
        if (g->nodes[i]->memory.stream) number++;
        for (int k = i; k <= last; k++) g->nodes[k]->memory.stream = g->nodes[k]->memory.stream ? number : 0;
    }
}

/* One more group, at the highest peak; false: that would gain nothing. */
static bool add_group(ir_graph *g) {
    stream_need now = stream_measure(g, 0);
    int64_t limit = less(now.bound, GAIN);
    if (!now.bound || !ir_can_stream(g->nodes[now.peak])) return false;
    candidate c = best_group(g, now.peak, limit);
    if (c.bound == INT64_MAX || c.peaks >= stream_measure(g, limit).peaks) return false;
    pass_stream_group(g, c.first, c.last, c.slab);
    return true;
}

/* More planes per step where another group's need allows that. */
static void enlarge_steps(ir_graph *g, ir_arena *a) {
    int64_t bound = ir_memory_bound(g);
    for (int first = 0, last; first < g->n_nodes; first = last + 1) {
        last = ir_group_end(g, first);
        for (int k = SLABS - 1; g->nodes[first]->memory.stream && slabs[k] > g->nodes[first]->memory.slab;
             k--) {
            stream_snapshot s = stream_take_snapshot(g, a);
            if (pass_stream_group(g, first, last, slabs[k]) && ir_memory_bound(g) <= bound) break;
            stream_restore(g, &s);
        }
    }
}

/* requires: views placed. maintains: values. gives: groups that stream, rings between their nodes; may move
 * crops forward. */
bool pass_stream(ir_graph *g, ir_diag *d) {
    (void)d;
    if (g->goals.whole) return true;
    ir_arena *a = ir_arena_new();
    stream_snapshot kept = stream_take_snapshot(g, a);
    int64_t bound = ir_memory_bound(g);
    for (int i = 0; i < MAX_GROUPS && add_group(g); i++) {
        int64_t now = ir_memory_bound(g);
        if (now >= less(bound, GAIN)) continue; /* one of several peaks is gone */
        bound = now;
        kept = stream_take_snapshot(g, a);
    }
    stream_restore(g, &kept);
    enlarge_steps(g, a);
    stream_number_groups(g);
    ir_arena_free(a);
    return true;
}
