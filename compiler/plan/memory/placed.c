/* placed.c: see placed.h. */
#include "placed.h"

#include <string.h>

enum { CHUNK = 128 };

struct placed_chunk {
    int count;
    ir_span any;      /* when some piece is alive: around all their times */
    ir_span all;      /* who is alive at .first or before and at .last or behind is alive with every piece */
    int64_t most_end; /* where the last one ends */
    int64_t gap;      /* the largest between them, were all alive at once */
    placed list[CHUNK];
};

static void summarise_chunk(placed_chunk *c) {
    const placed *p = c->list;
    c->any = p->alive;
    c->all = (ir_span){p->alive.last, p->alive.first};
    c->most_end = p->end;
    c->gap = 0;
    for (p++; p < c->list + c->count; p++) {
        if (p->start - c->most_end > c->gap) c->gap = p->start - c->most_end;
        if (p->end > c->most_end) c->most_end = p->end;
        if (p->alive.first < c->any.first) c->any.first = p->alive.first;
        if (p->alive.last > c->any.last) c->any.last = p->alive.last;
        if (p->alive.last < c->all.first) c->all.first = p->alive.last;
        if (p->alive.first > c->all.last) c->all.last = p->alive.first;
    }
}

/* A chunk behind number `at`. */
static placed_chunk *add_chunk(placed_list *l, int at) {
    if (l->n_chunks == l->capacity) {
        l->capacity = 2 * l->capacity + 16;
        placed_chunk **more = ir_alloc(l->arena, (size_t)l->capacity, sizeof(placed_chunk *));
        if (l->n_made) memcpy(more, l->chunks, (size_t)l->n_made * sizeof(placed_chunk *));
        l->chunks = more;
    }
    if (l->n_chunks == l->n_made) l->chunks[l->n_made++] = ir_alloc(l->arena, 1, sizeof(placed_chunk));
    placed_chunk *c = l->chunks[l->n_chunks];
    memmove(&l->chunks[at + 2], &l->chunks[at + 1], (size_t)(l->n_chunks - at - 1) * sizeof(placed_chunk *));
    l->n_chunks++;
    c->count = 0;
    return l->chunks[at + 1] = c;
}

/* The last chunk that does not begin behind `start`; the first if all do. */
static int chunk_at(const placed_list *l, int64_t start) {
    int low = 0, high = l->n_chunks;
    while (low + 1 < high) {
        const int middle = low + (high - low) / 2;
        if (l->chunks[middle]->list[0].start > start)
            high = middle;
        else
            low = middle;
    }
    return low;
}

static void split(placed_list *l, int at) {
    placed_chunk *c = l->chunks[at], *behind = add_chunk(l, at);
    behind->count = CHUNK / 2;
    c->count = CHUNK - CHUNK / 2;
    memcpy(behind->list, &c->list[c->count], (size_t)behind->count * sizeof(placed));
    summarise_chunk(c);
    summarise_chunk(behind);
}

void placed_add(placed_list *l, placed new) {
    if (!l->n_chunks) add_chunk(l, -1);
    int at = chunk_at(l, new.start);
    if (l->chunks[at]->count == CHUNK) {
        split(l, at);
        at = chunk_at(l, new.start);
    }
    placed_chunk *c = l->chunks[at];
    int k = c->count++;
    for (; k > 0 && c->list[k - 1].start > new.start; k--) c->list[k] = c->list[k - 1];
    c->list[k] = new;
    l->count++;
    summarise_chunk(c);
}

void placed_clear(placed_list *l) {
    l->count = l->n_chunks = 0;
}

static bool meet(ir_span a, ir_span b) {
    return a.first <= b.last && b.first <= a.last;
}

int64_t placed_lowest(const placed_list *l, ir_span alive, int64_t bytes, int64_t start) {
    for (int i = 0; i < l->n_chunks; i++) {
        const placed_chunk *c = l->chunks[i];
        if (c->list[0].start - start >= bytes) break;
        if (!meet(c->any, alive)) continue;
        if (c->gap < bytes && alive.first <= c->all.first && c->all.last <= alive.last) {
            if (c->most_end > start) start = c->most_end;
            continue;
        }
        for (const placed *p = c->list; p < c->list + c->count; p++) {
            if (!meet(p->alive, alive)) continue;
            if (p->start - start >= bytes) return start;
            if (p->end > start) start = p->end;
        }
    }
    return start;
}
