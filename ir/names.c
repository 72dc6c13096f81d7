/* names.c: see names.h. A hash table with open addressing; an entry belongs to a name, which its tensor may
 * have lost to another since. Only looked up, never walked but to grow. */
#include "names.h"

#include <string.h>

typedef struct entry {
    uint64_t hash;    /* of the name; 0: a free place */
    ir_tensor *t;     /* NULL: gone, or an entry of ir_names_next */
    const char *base; /* of ir_names_next, with what it found and when */
    int next;
    uint64_t drops;
} entry;

struct ir_names {
    size_t mask;
    size_t used;
    uint64_t drops; /* tensors that have gone: their names are free again */
    entry *list;
};

static uint64_t hash_of(const char *name) {
    uint64_t h = ir_hash(name, strlen(name));
    h = (h ^ h >> 32) * UINT64_C(0x9E3779B97F4A7C15); /* the low bits decide */
    h ^= h >> 29;
    return h ? h : 1;
}

/* The place of that tensor under that name, or the free place where it would be. t NULL: of any tensor that
 * has the name. */
static entry *find(const ir_names *n, uint64_t hash, const char *name, const ir_tensor *t) {
    for (size_t at = hash & n->mask;; at = (at + 1) & n->mask) {
        entry *e = &n->list[at];
        if (!e->hash) return e;
        if (e->hash != hash || !e->t) continue;
        if (t ? e->t == t : strcmp(e->t->name, name) == 0) return e;
    }
}

static entry *find_base(const ir_names *n, uint64_t hash, const char *base) {
    for (size_t at = hash & n->mask;; at = (at + 1) & n->mask) {
        entry *e = &n->list[at];
        if (!e->hash || (e->hash == hash && e->base && strcmp(e->base, base) == 0)) return e;
    }
}

static void grow(ir_graph *g) {
    ir_names old = g->names ? *g->names : (ir_names){0};
    if (g->names && 2 * (old.used + 1) <= old.mask) return;
    size_t size = g->names ? 4 * (old.mask + 1) : 64;
    if (!g->names) g->names = ir_alloc(g->arena, 1, sizeof *g->names);
    *g->names =
        (ir_names){.mask = size - 1, .drops = old.drops, .list = ir_alloc(g->arena, size, sizeof(entry))};
    for (size_t i = 0; old.list && i <= old.mask; i++) {
        const entry *e = &old.list[i];
        if (!e->t && !e->base) continue;
        size_t at = e->hash & g->names->mask;
        while (g->names->list[at].hash) at = (at + 1) & g->names->mask;
        g->names->list[at] = *e;
        g->names->used++;
    }
}

ir_tensor *ir_find_tensor(const ir_graph *g, const char *name) {
    return g->names ? find(g->names, hash_of(name), name, NULL)->t : NULL;
}

void ir_names_add(ir_graph *g, ir_tensor *t) {
    grow(g);
    uint64_t hash = hash_of(t->name);
    entry *e = find(g->names, hash, t->name, t);
    g->names->used += !e->hash;
    e->hash = hash;
    e->t = t;
}

void ir_names_drop(ir_graph *g, ir_tensor *t) {
    entry *e = find(g->names, hash_of(t->name), t->name, t);
    e->t = NULL;
    g->names->drops++;
}

int *ir_names_next(ir_graph *g, const char *base) {
    grow(g);
    uint64_t hash = hash_of(base);
    entry *e = find_base(g->names, hash, base);
    if (!e->hash) {
        g->names->used++;
        *e = (entry){.hash = hash, .base = ir_strdup(g->arena, base)};
    }
    if (e->next < 2 || e->drops != g->names->drops) e->next = 2;
    e->drops = g->names->drops;
    return &e->next;
}
