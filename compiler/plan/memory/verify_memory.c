/* verify_memory.c: checks the memory plan against lifetimes of its own making.
 *
 * A tensor is in use from its first write to its last read, both nodes included, so that no node writes where
 * it reads. Storage is what views share. Two tensors of different storages that are in use together may not
 * overlap; before its first write a tensor's bytes may be anybody's. That covers a storage between the uses
 * of its tensors too, since each view's node reads one of the two where the other begins. Inside a storage,
 * tensors that share bytes hold the same values (concat member, reshape) or the older one is dead: at the
 * latest with the node that overwrites it in place. Scratch memory is in use while its node runs; of the
 * nodes of a stream, which otherwise count as one, one runs at a time. */
#include "ranges.h"
#include "verify_parts.h"

#include <stdlib.h>

enum { ALIGN = 64 };

/* In positions of nodes; both ends are included. */
typedef struct interval {
    int first, last;
} interval;

typedef struct place {
    int root;          /* position of the tensor whose storage this is */
    int content;       /* position of the tensor whose values these are a part of */
    int64_t at, bytes; /* inside the storage */
    interval time;     /* first write to last read; a graph output outlives all nodes */
} place;

/* When node number `node` runs; the nodes of a stream count as one. */
static interval time_of(const verifier *v, int node) {
    if (node < 0 || node >= v->g->n_nodes) return (interval){node, node}; /* never written; the caller */
    return (interval){verify_group_first(v, node), verify_group_last(v, node)};
}

static void read_by(const verifier *v, place *places, const ir_tensor *t, int node) {
    if (t->cpu.on_load) /* computed again by whoever reads it */
        for (int k = 0; k < t->producer->n_in; k++)
            if (t->producer->in[k]) read_by(v, places, t->producer->in[k], node);
    place *p = &places[ir_index_find(&v->index, t)];
    int last = time_of(v, node).last;
    if (p->time.last < last) p->time.last = last;
}

/* The node that writes t; t's own, or the one whose kernel does that one's work, too. */
static int born_at(const verifier *v, int t) {
    const ir_node *n = v->g->tensors[t]->producer;
    return n && ir_is_joined(n) ? v->born[ir_index_find(&v->index, n->in[0])] : v->born[t];
}

static place *find_places(verifier *v) {
    const ir_graph *g = v->g;
    place *p = ir_alloc(v->scratch, (size_t)g->n_tensors + 1, sizeof *p);
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        p[i].bytes = ir_bytes(t);
        p[i].time = time_of(v, born_at(v, i));
        bool same_values = true;
        p[i].content = i;
        for (; t->memory.view_of; t = t->memory.view_of) {
            p[i].at += t->memory.view_offset;
            same_values = same_values && verify_view_kind(t) == VERIFY_PART;
            if (same_values) p[i].content = ir_index_find(&v->index, t->memory.view_of);
        }
        p[i].root = ir_index_find(&v->index, t);
    }
    for (int n = 0; n < g->n_nodes; n++)
        for (int k = 0; k < g->nodes[n]->n_in; k++)
            if (g->nodes[n]->in[k]) read_by(v, p, g->nodes[n]->in[k], n);
    for (int i = 0; i < g->n_outputs; i++) read_by(v, p, g->outputs[i], g->n_nodes);
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
    bool related = (t->memory.view_of == from && verify_view_kind(t) == VERIFY_IN_PLACE) ||
                   (from && from->memory.view_of == t && verify_view_kind(from) == VERIFY_IN_PLACE);
    return related && p[operand].content == p[older].content;
}

static bool check_shared(verifier *v, const place *p, int older, int newer) {
    if (p[newer].time.first < p[older].time.first) return check_shared(v, p, newer, older);
    int limit = p[newer].time.first - !replaces(v, p, newer, older);
    if (p[older].time.last <= limit) return true;
    return verify_broken(v, "memory-in-place", "%%%s overwrites %%%s, which node '%s' still needs",
                         v->g->tensors[newer]->name, v->g->tensors[older]->name,
                         p[older].time.last < v->g->n_nodes ? v->g->nodes[p[older].time.last]->name
                                                            : "(output)");
}

/* The values of a storage that have begun and may reach further, by what they are a part of. */
typedef struct shared {
    const place *p;
    int *next;  /* per tensor: another of the same content; -1: none */
    int *first; /* per content; -1: none */
    int *live;  /* contents that have tensors here */
    int n_live;
} shared;

/* Compares tensor i with those of other contents and lets go of what ends in front of it. */
static bool check_with_others(verifier *v, shared *s, int i) {
    int kept = 0;
    for (int c = 0; c < s->n_live; c++) {
        const int content = s->live[c];
        for (int *at = &s->first[content], k; content != s->p[i].content && (k = *at) >= 0;) {
            const place *other = &s->p[k];
            if (ranges_meet(s->p[i].at, s->p[i].bytes, other->at, other->bytes) &&
                !check_shared(v, s->p, k < i ? k : i, k < i ? i : k))
                return false;
            if (other->at + other->bytes <= s->p[i].at)
                *at = s->next[k];
            else
                at = &s->next[k];
        }
        if (s->first[content] >= 0) s->live[kept++] = content;
    }
    s->n_live = kept;
    return true;
}

static void begin(shared *s, int i) {
    const int content = s->p[i].content;
    if (s->first[content] < 0) s->live[s->n_live++] = content;
    s->next[i] = s->first[content];
    s->first[content] = i;
}

typedef struct located {
    int root, tensor;
    int64_t at;
} located;

static int by_place(const void *a, const void *b) {
    const located *x = a, *y = b;
    if (x->root != y->root) return x->root - y->root;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->tensor - y->tensor;
}

/* Storage by storage, from its first byte on. */
static bool check_storages(verifier *v, const place *p) {
    const int n = v->g->n_tensors;
    const size_t room = (size_t)n + 1;
    located *sorted = ir_alloc(v->scratch, room, sizeof *sorted);
    shared s = {p, ir_alloc(v->scratch, room, sizeof(int)), ir_alloc(v->scratch, room, sizeof(int)),
                ir_alloc(v->scratch, room, sizeof(int)), 0};
    for (int i = 0; i < n; i++) {
        sorted[i] = (located){p[i].root < 0 ? i : p[i].root, i, p[i].at};
        s.first[i] = -1;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, by_place);
    for (int i = 0; i < n; i++) {
        if (i > 0 && sorted[i].root != sorted[i - 1].root)
            while (s.n_live) s.first[s.live[--s.n_live]] = -1;
        if (!check_with_others(v, &s, sorted[i].tensor)) return false;
        begin(&s, sorted[i].tensor);
    }
    return true;
}

/* ---- the arena ------------------------------------------------------------------------------- */

static bool in_arena(const verifier *v, const place *p, int i) {
    const ir_tensor *root = v->g->tensors[p[i].root];
    return root->role == IR_ROLE_VALUE && !root->cpu.fused && !root->cpu.on_load &&
           !verify_is_output(v, root);
}

static bool check_offset(verifier *v, const place *p, int i) {
    const ir_tensor *t = v->g->tensors[i];
    const ir_tensor *root = v->g->tensors[p[i].root];
    if (!in_arena(v, p, i)) {
        if (t->memory.arena_offset == -1) return true;
        return verify_broken(v, "memory-place",
                             "%%%s lies in the caller's memory or nowhere but has an arena offset", t->name);
    }
    if (root->memory.arena_offset < 0)
        return verify_broken(v, "memory-place", "%%%s has no arena offset", root->name);
    if (t != root) {
        if (t->memory.arena_offset == -1 || t->memory.arena_offset == root->memory.arena_offset + p[i].at)
            return true;
        return verify_broken(v, "memory-place", "%%%s has an arena offset that its view contradicts",
                             t->name);
    }
    if (t->memory.arena_offset % ALIGN)
        return verify_broken(v, "memory-align", "%%%s at arena+%lld is not aligned to %d", t->name,
                             (long long)t->memory.arena_offset, ALIGN);
    if (t->memory.arena_offset > v->g->arena_bytes - p[i].bytes)
        return verify_broken(v, "memory-bounds", "%%%s at arena+%lld of %lld bytes leaves the arena of %lld",
                             t->name, (long long)t->memory.arena_offset, (long long)p[i].bytes,
                             (long long)v->g->arena_bytes);
    return true;
}

/* ---- what may not meet ----------------------------------------------------------------------- */

/* Bytes of the arena in use for a time. */
typedef struct use {
    const char *name, *kind;
    int storage; /* uses of the same storage have been compared already; -1: of none */
    int64_t offset, bytes;
    interval time;
} use;

static use tensor_use(const verifier *v, const place *p, int i) {
    return (use){v->g->tensors[i]->name,
                 "",
                 p[i].root,
                 v->g->tensors[p[i].root]->memory.arena_offset + p[i].at,
                 p[i].bytes,
                 p[i].time};
}

static use scratch_use(const verifier *v, int node) {
    const ir_node *n = v->g->nodes[node];
    int first = n->cpu.gathered ? verify_group_first(v, v->born[ir_index_find(&v->index, n->in[0])]) : node;
    return (use){n->out[0]->name,          "scratch of ",     -1,
                 n->memory.scratch_offset, n->memory.scratch, {first, node}};
}

static bool check_apart(verifier *v, const use *a, const use *b) {
    bool together = a->time.first <= b->time.last && b->time.first <= a->time.last;
    bool related = a->storage == b->storage && a->storage >= 0;
    if (!together || related || !ranges_meet(a->offset, a->bytes, b->offset, b->bytes)) return true;
    return verify_broken(
        v, "memory-overlap",
        "%s%%%s (arena+%lld, %lld bytes, nodes %d to %d) and %s%%%s (arena+%lld, %lld bytes, nodes %d to "
        "%d) share bytes while both are in use",
        a->kind, a->name, (long long)a->offset, (long long)a->bytes, a->time.first, a->time.last, b->kind,
        b->name, (long long)b->offset, (long long)b->bytes, b->time.first, b->time.last);
}

static int by_start(const void *a, const void *b) {
    const use *x = *(const use *const *)a, *y = *(const use *const *)b;
    if (x->time.first != y->time.first) return x->time.first < y->time.first ? -1 : 1;
    return (x > y) - (x < y);
}

static bool same_bytes(const use *a, const use *b) {
    return a->storage == b->storage && a->storage >= 0 && a->offset == b->offset && a->bytes == b->bytes;
}

/* In the order in which they begin, each with those that have not ended. Of uses of the same bytes of a
 * storage one is enough: the one that ends last. */
static bool check_uses(verifier *v, const use *uses, int count) {
    const use **sorted = ir_alloc(v->scratch, (size_t)count + 1, sizeof *sorted);
    ir_range *list = ir_alloc(v->scratch, (size_t)count + 1, sizeof *list);
    for (int i = 0; i < count; i++) {
        sorted[i] = &uses[i];
        list[i] = (ir_range){uses[i].offset, uses[i].offset + uses[i].bytes};
    }
    if (count) qsort(sorted, (size_t)count, sizeof *sorted, by_start);
    ir_ranges open = ir_ranges_new(count, list, v->scratch);
    for (int i = 0; i < count; i++) {
        const use *now = sorted[i];
        const int mine = (int)(now - uses);
        bool outlasted = false;
        for (int from = 0, old; (old = ir_ranges_next(&open, list[mine], &from)) >= 0;) {
            const use *other = &uses[old];
            bool same = same_bytes(other, now);
            if (!check_apart(v, other > now ? other : now, other > now ? now : other)) return false;
            outlasted |= same && other->time.last >= now->time.last;
            if (other->time.last < now->time.first || (same && other->time.last <= now->time.last))
                ir_ranges_switch(&open, old, false);
        }
        if (!outlasted) ir_ranges_switch(&open, mine, true);
    }
    return true;
}

static bool check_scratch(verifier *v, const ir_node *n) {
    const char *name = n->out[0]->name;
    if (n->memory.scratch < 0 || n->memory.scratch > IR_MAX_BYTES ||
        (!n->memory.scratch && n->memory.scratch_offset != -1))
        return verify_broken(v, "scratch", "%%%s wants %lld bytes of scratch memory at %lld", name,
                             (long long)n->memory.scratch, (long long)n->memory.scratch_offset);
    if (!n->memory.scratch || v->g->arena_bytes < 0) {
        if (n->memory.scratch_offset == -1) return true;
        return verify_broken(v, "memory-place", "%%%s has scratch memory but the arena has no size", name);
    }
    if (n->memory.scratch_offset < 0)
        return verify_broken(v, "memory-place", "%%%s has no place for its scratch memory", name);
    if (n->memory.scratch_offset % ALIGN)
        return verify_broken(v, "memory-align", "%%%s: scratch+%lld is not aligned to %d", name,
                             (long long)n->memory.scratch_offset, ALIGN);
    if (n->memory.scratch_offset > v->g->arena_bytes - n->memory.scratch)
        return verify_broken(v, "memory-bounds", "%%%s: scratch+%lld of %lld bytes leaves the arena of %lld",
                             name, (long long)n->memory.scratch_offset, (long long)n->memory.scratch,
                             (long long)v->g->arena_bytes);
    return true;
}

static bool check_arena(verifier *v, const place *p) {
    int tensors = v->g->n_tensors, nodes = v->g->n_nodes, count = 0;
    use *uses = ir_alloc(v->scratch, (size_t)tensors + (size_t)nodes + 1, sizeof *uses);
    for (int i = 0; i < tensors; i++) {
        if (!check_offset(v, p, i)) return false;
        if (in_arena(v, p, i)) uses[count++] = tensor_use(v, p, i);
    }
    for (int i = 0; i < nodes; i++)
        if (v->g->nodes[i]->memory.scratch) uses[count++] = scratch_use(v, i);
    return check_uses(v, uses, count);
}

bool verify_memory(verifier *v) {
    const place *p = find_places(v);
    if (!check_storages(v, p)) return false;
    for (int i = 0; i < v->g->n_nodes; i++)
        if (!check_scratch(v, v->g->nodes[i])) return false;
    if (v->g->arena_bytes >= 0) return check_arena(v, p);
    for (int i = 0; i < v->g->n_tensors; i++)
        if (v->g->tensors[i]->memory.arena_offset != -1)
            return verify_broken(v, "memory-place", "%%%s has an arena offset but the arena has no size",
                                 v->g->tensors[i]->name);
    return true;
}
