/* verify_stream.c: plays the steps of every group of nodes that stream, plane by plane, with windows of its
 * own making: what a step reads has been written and not yet been overwritten, and every plane of every
 * result is written exactly once. */
#include "verify_parts.h"
#include "stream.h"

enum { DEPTH = 2 };

int verify_group_first(const verifier *v, int at) {
    int group = v->g->nodes[at]->memory.stream;
    while (group && at > 0 && v->g->nodes[at - 1]->memory.stream == group) at--;
    return at;
}

int verify_group_last(const verifier *v, int at) {
    int group = v->g->nodes[at]->memory.stream;
    while (group && at + 1 < v->g->n_nodes && v->g->nodes[at + 1]->memory.stream == group) at++;
    return at;
}

/* ---- what may stand in a group --------------------------------------------------------------- */

static bool check_node(verifier *v, int at) {
    const ir_node *n = v->g->nodes[at];
    if (!n->memory.stream) return true;
    if (n->memory.stream < 0 || n->memory.slab < 1)
        return verify_broken(v, "stream", "'%s' has group %d and %d planes per step", n->name,
                             n->memory.stream, n->memory.slab);
    if (v->g->recompute && n->out[0]->rank > 0 && n->out[0]->dim[0] != 1)
        return verify_broken(v, "stream", "'%s' streams a batch of %lld", n->name,
                             (long long)n->out[0]->dim[0]);
    if (!ir_can_stream(n))
        return verify_broken(v, "stream", "%s '%s' cannot run plane by plane", ir_op_get(n->op)->name,
                             n->name);
    if (at == verify_group_first(v, at)) {
        for (int i = 0; i < at; i++)
            if (v->g->nodes[i]->memory.stream == n->memory.stream)
                return verify_broken(v, "stream", "other nodes stand between '%s' and '%s' of group %d",
                                     v->g->nodes[i]->name, n->name, n->memory.stream);
    } else if (v->g->nodes[at - 1]->memory.slab != n->memory.slab) {
        return verify_broken(v, "stream", "group %d has two numbers of planes per step", n->memory.stream);
    }
    return true;
}

static bool check_ring(verifier *v, const ir_tensor *t) {
    const ir_node *n = t->producer;
    if (!t->memory.ring) return true;
    if (t->rank != 5 || t->memory.ring < 0 || t->memory.ring >= t->dim[DEPTH])
        return verify_broken(v, "ring", "%%%s cannot have a ring of %d planes", t->name, t->memory.ring);
    if (!n || !n->memory.stream || verify_is_output(v, t))
        return verify_broken(v, "ring", "%%%s is a ring, but its planes are not passed on inside a group",
                             t->name);
    if (ir_is_joined(n) && n->in[0]->producer->memory.stream != n->memory.stream)
        return verify_broken(v, "ring",
                             "%%%s is a ring, but the kernel of '%s', outside its group, writes it", t->name,
                             n->in[0]->producer->name);
    for (int i = 0; i < t->n_users; i++)
        if (t->users[i]->memory.stream != n->memory.stream)
            return verify_broken(v, "ring", "'%s' reads %%%s, of which a ring of %d planes is left",
                                 t->users[i]->name, t->name, t->memory.ring);
    return (!t->memory.view_of && !ir_has_views(t)) ||
           verify_broken(v, "ring", "%%%s is a ring and shares its memory", t->name);
}

/* ---- playing the steps ----------------------------------------------------------------------- */

/* Whether plane `in` of operand k takes part in plane `out` of the result. */
static bool takes(const ir_node *n, int k, int64_t out, int64_t in) {
    bool transposed = n->op == IR_OP_CONV_TRANSPOSE;
    if (n->op == IR_OP_SLICE) return in == out + ir_ints(n, IR_BEGIN)[DEPTH];
    if (!ir_get(n, IR_KERNEL) || k > 0) return in == out;
    int64_t stride = ir_ints(n, IR_STRIDE)[0], pad = ir_ints(n, IR_PAD)[0];
    for (int64_t tap = 0; tap < ir_ints(n, IR_KERNEL)[0]; tap++) {
        int64_t far = tap * ir_ints(n, IR_DILATION)[0] - pad;
        if (transposed ? in * stride + far == out : out * stride + far == in) return true;
    }
    return false;
}

/* Of each tensor that the group writes: the plane that each place in memory holds, -1: none yet. */
typedef struct stage {
    int64_t **holds; /* by node of the group */
    int64_t *done;
    int64_t *window; /* first plane of a ring, in a graph that recomputes */
    int first, last;
} stage;

static int64_t places(const ir_tensor *t) {
    return t->memory.ring ? t->memory.ring : t->dim[DEPTH];
}

/* Whether plane z of node i's result is in memory. */
static bool is_there(const verifier *v, const stage *s, int i, int64_t z) {
    const ir_tensor *t = v->g->nodes[i]->out[0];
    int64_t at = t->memory.ring && v->g->recompute ? z - s->window[i - s->first] : z % places(t);
    return at >= 0 && at < places(t) && s->holds[i - s->first][at] == z;
}

static bool check_operand(verifier *v, const stage *s, const ir_node *n, int k, ir_planes made) {
    const ir_tensor *x = n->in[k];
    int from = -1;
    for (int i = s->first; i <= s->last; i++)
        if (v->g->nodes[i]->out[0] == x) from = i;
    if (from < 0) return true;
    for (int64_t out = made.begin; out < made.end; out++)
        for (int64_t in = 0; in < x->dim[DEPTH]; in++)
            if (takes(n, k, out, in) && !is_there(v, s, from, in))
                return verify_broken(v, "stream-order",
                                     "plane %lld of '%s' is made when plane %lld of %%%s is not there",
                                     (long long)out, n->name, (long long)in, x->name);
    return true;
}

/* A ring that is computed anew may begin anywhere; everything else goes on where it stopped. */
static bool check_begin(verifier *v, const stage *s, const ir_step *step) {
    const ir_node *n = v->g->nodes[step->node];
    const ir_tensor *y = n->out[0];
    int64_t done = s->done[step->node - s->first];
    bool anew = y->memory.ring && v->g->recompute && step->planes.begin >= 0;
    if ((!anew && step->planes.begin != done) || step->planes.end > y->dim[DEPTH])
        return verify_broken(v, "stream-order", "'%s' makes planes %lld to %lld after plane %lld", n->name,
                             (long long)step->planes.begin, (long long)step->planes.end, (long long)done);
    if (step->planes.end - step->planes.begin > places(y))
        return verify_broken(v, "stream-order", "'%s' makes %lld planes at once, %%%s holds %lld", n->name,
                             (long long)(step->planes.end - step->planes.begin), y->name,
                             (long long)places(y));
    return true;
}

static bool check_step(verifier *v, const stage *s, const ir_step *step) {
    const ir_node *n = v->g->nodes[step->node];
    int at = step->node - s->first;
    int64_t *holds = s->holds[at], size = places(n->out[0]), base = 0;
    if (!check_begin(v, s, step)) return false;
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] && !check_operand(v, s, n, k, step->planes)) return false;
    if (n->out[0]->memory.ring && v->g->recompute) {
        base = s->window[at] = step->planes.begin;
        for (int64_t z = 0; z < size; z++) holds[z] = -1;
    }
    for (int64_t z = step->planes.begin; z < step->planes.end; z++) holds[(z - base) % size] = z;
    s->done[at] = step->planes.end;
    return true;
}

static bool check_group(verifier *v, int first, int last) {
    stage s = {.first = first, .last = last};
    size_t nodes = (size_t)(last - first) + 1;
    int count;
    s.holds = ir_alloc(v->scratch, nodes, sizeof *s.holds);
    s.done = ir_alloc(v->scratch, nodes, sizeof *s.done);
    s.window = ir_alloc(v->scratch, nodes, sizeof *s.window);
    for (int i = first; i <= last; i++) {
        int64_t size = places(v->g->nodes[i]->out[0]);
        s.holds[i - first] = ir_alloc(v->scratch, (size_t)size + 1, sizeof **s.holds);
        for (int64_t z = 0; z < size; z++) s.holds[i - first][z] = -1;
    }
    const ir_step *steps =
        ir_group_steps(v->g, first, last, v->g->nodes[first]->memory.slab, v->scratch, &count);
    for (int i = 0; i < count; i++)
        if (!check_step(v, &s, &steps[i])) return false;
    for (int i = first; i <= last; i++) {
        bool window = v->g->recompute && v->g->nodes[i]->out[0]->memory.ring;
        if (!window && s.done[i - first] != v->g->nodes[i]->out[0]->dim[DEPTH])
            return verify_broken(v, "stream-order", "'%s' makes %lld planes only", v->g->nodes[i]->name,
                                 (long long)s.done[i - first]);
    }
    return true;
}

bool verify_streams(verifier *v) {
    for (int i = 0; i < v->g->n_tensors; i++)
        if (!check_ring(v, v->g->tensors[i])) return false;
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_node(v, i)) return false;
    for (int i = 0, last; i < v->g->n_nodes; i = last + 1) {
        last = verify_group_last(v, i);
        if (v->g->nodes[i]->memory.stream && !check_group(v, i, last)) return false;
    }
    return true;
}
