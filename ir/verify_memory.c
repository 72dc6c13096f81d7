/* verify_memory.c: checks the memory plan against lifetimes of its own making.
 *
 * Storage is what views share: it is in use from the first write to the last read of any tensor in it, both
 * nodes included, so that no node writes where it reads; the nodes of a stream count as one. Two storages in
 * use together may not overlap. Inside a storage, tensors that share bytes hold the same values (concat
 * member, reshape) or the older one is dead: at the latest with the node that overwrites it in place. */
#include "verify.h"

enum { ALIGN = 64 };

typedef struct place {
    int root;          /* position of the tensor whose storage this is */
    int content;       /* position of the tensor whose values these are a part of */
    int64_t at, bytes; /* inside the storage */
    int born, dies;    /* first write, last read: node positions; a graph output outlives all nodes */
    int first, last;   /* of the whole storage; valid for roots */
} place;

static void read_by(place *p, int node) {
    if (p->dies < node) p->dies = node;
}

static place *find_places(verifier *v) {
    const ir_graph *g = v->g;
    place *p = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *p);
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        p[i].bytes = ir_bytes(t);
        p[i].born = v->born[i] < 0 ? -1 : verify_group_first(v, v->born[i]);
        p[i].dies = v->born[i] < 0 ? -1 : verify_group_last(v, v->born[i]);
        bool same_values = true;
        p[i].content = i;
        for (; t->view_of; t = t->view_of) {
            p[i].at += t->view_offset;
            same_values = same_values && verify_view_kind(t) == VERIFY_PART;
            if (same_values) p[i].content = ir_index_find(&v->index, t->view_of);
        }
        p[i].root = ir_index_find(&v->index, t);
    }
    for (int n = 0; n < g->n_nodes; n++)
        for (int k = 0; k < g->nodes[n]->n_in; k++)
            if (g->nodes[n]->in[k])
                read_by(&p[ir_index_find(&v->index, g->nodes[n]->in[k])], verify_group_last(v, n));
    for (int i = 0; i < g->n_outputs; i++) read_by(&p[ir_index_find(&v->index, g->outputs[i])], g->n_nodes);
    for (int i = 0; i < g->n_tensors; i++) p[i].first = p[i].born, p[i].last = p[i].dies;
    for (int i = 0; i < g->n_tensors; i++) {
        place *root = &p[p[i].root];
        if (p[i].born < root->first) root->first = p[i].born;
        if (p[i].dies > root->last) root->last = p[i].dies;
    }
    return p;
}

static bool ranges_meet(int64_t a, int64_t a_bytes, int64_t b, int64_t b_bytes) {
    return a_bytes > 0 && b_bytes > 0 && a < b + b_bytes && b < a + a_bytes;
}

/* ---- inside a storage ------------------------------------------------------------------------ */

/* `newer` is computed in place from values that `older` is part of. */
static bool replaces(const verifier *v, const place *p, int newer, int older) {
    const ir_tensor *t = v->g->tensors[newer], *from = t->producer->in[0];
    int operand = from ? ir_index_find(&v->index, from) : -1;
    bool related = (t->view_of == from && verify_view_kind(t) == VERIFY_IN_PLACE) ||
                   (from && from->view_of == t && verify_view_kind(from) == VERIFY_IN_PLACE);
    return related && p[operand].content == p[older].content;
}

static bool check_shared(verifier *v, const place *p, int older, int newer) {
    if (p[newer].born < p[older].born) return check_shared(v, p, newer, older);
    int limit = p[newer].born - !replaces(v, p, newer, older);
    if (p[older].dies <= limit) return true;
    return verify_broken(v, "memory-in-place", "%%%s overwrites %%%s, which node '%s' still needs",
                         v->g->tensors[newer]->name, v->g->tensors[older]->name,
                         p[older].dies < v->g->n_nodes ? v->g->nodes[p[older].dies]->name : "(output)");
}

static bool check_storages(verifier *v, const place *p) {
    for (int i = 0; i < v->g->n_tensors; i++)
        for (int k = 0; k < i; k++)
            if (p[i].root == p[k].root && p[i].content != p[k].content &&
                ranges_meet(p[i].at, p[i].bytes, p[k].at, p[k].bytes) && !check_shared(v, p, k, i))
                return false;
    return true;
}

/* ---- the arena ------------------------------------------------------------------------------- */

static bool in_arena(const verifier *v, const place *p, int i) {
    const ir_tensor *root = v->g->tensors[p[i].root];
    return root->role == IR_ROLE_VALUE && !verify_is_output(v, root);
}

static bool check_offset(verifier *v, const place *p, int i) {
    const ir_tensor *t = v->g->tensors[i];
    const ir_tensor *root = v->g->tensors[p[i].root];
    if (!in_arena(v, p, i)) {
        if (t->arena_offset == -1) return true;
        return verify_broken(v, "memory-place", "%%%s lies in the caller's memory but has an arena offset",
                             t->name);
    }
    if (root->arena_offset < 0)
        return verify_broken(v, "memory-place", "%%%s has no arena offset", root->name);
    if (t != root) {
        if (t->arena_offset == -1 || t->arena_offset == root->arena_offset + p[i].at) return true;
        return verify_broken(v, "memory-place", "%%%s has an arena offset that its view contradicts",
                             t->name);
    }
    if (t->arena_offset % ALIGN)
        return verify_broken(v, "memory-align", "%%%s at arena+%lld is not aligned to %d", t->name,
                             (long long)t->arena_offset, ALIGN);
    if (t->arena_offset > v->g->arena_bytes - p[i].bytes)
        return verify_broken(v, "memory-bounds", "%%%s at arena+%lld of %lld bytes leaves the arena of %lld",
                             t->name, (long long)t->arena_offset, (long long)p[i].bytes,
                             (long long)v->g->arena_bytes);
    return true;
}

static bool check_apart(verifier *v, const place *p, int a, int b) {
    const ir_tensor *ta = v->g->tensors[a], *tb = v->g->tensors[b];
    bool together = p[a].first <= p[b].last && p[b].first <= p[a].last;
    if (!together || !ranges_meet(ta->arena_offset, p[a].bytes, tb->arena_offset, p[b].bytes)) return true;
    return verify_broken(
        v, "memory-overlap",
        "%%%s (arena+%lld, %lld bytes, nodes %d to %d) and %%%s (arena+%lld, %lld bytes, nodes %d to "
        "%d) share bytes while both are in use",
        ta->name, (long long)ta->arena_offset, (long long)p[a].bytes, p[a].first, p[a].last, tb->name,
        (long long)tb->arena_offset, (long long)p[b].bytes, p[b].first, p[b].last);
}

static bool check_arena(verifier *v, const place *p) {
    int n = v->g->n_tensors, count = 0;
    int *roots = ir_alloc(v->scratch, (size_t)n + 1, sizeof *roots);
    for (int i = 0; i < n; i++) {
        if (!check_offset(v, p, i)) return false;
        if (p[i].root == i && in_arena(v, p, i)) roots[count++] = i;
    }
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            if (!check_apart(v, p, roots[i], roots[k])) return false;
    return true;
}

bool verify_memory(verifier *v) {
    const place *p = find_places(v);
    if (!check_storages(v, p)) return false;
    if (v->g->arena_bytes >= 0) return check_arena(v, p);
    for (int i = 0; i < v->g->n_tensors; i++)
        if (v->g->tensors[i]->arena_offset != -1)
            return verify_broken(v, "memory-place", "%%%s has an arena offset but the arena has no size",
                                 v->g->tensors[i]->name);
    return true;
}
