/* ranges.c: see ranges.h. */
#include "ranges.h"

#include <stdlib.h>

typedef struct entry {
    int64_t begin;
    int number;
} entry;

static int by_begin(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->number - y->number;
}

ir_ranges ir_ranges_new(int count, const ir_range *list, ir_arena *arena) {
    const size_t room = (size_t)count + 1;
    ir_ranges r = {.count = count, .leaves = 1};
    entry *sorted = ir_alloc(arena, room, sizeof *sorted);
    r.number = ir_alloc(arena, room, sizeof *r.number);
    r.place = ir_alloc(arena, room, sizeof *r.place);
    r.begin = ir_alloc(arena, room, sizeof *r.begin);
    r.end = ir_alloc(arena, room, sizeof *r.end);
    while (r.leaves < count) r.leaves *= 2;
    r.most = ir_alloc(arena, 2 * (size_t)r.leaves, sizeof *r.most);
    for (int i = 0; i < 2 * r.leaves; i++) r.most[i] = INT64_MIN;
    for (int i = 0; i < count; i++) sorted[i] = (entry){list[i].begin, i};
    qsort(sorted, (size_t)count, sizeof *sorted, by_begin);
    for (int i = 0; i < count; i++) {
        r.number[i] = sorted[i].number;
        r.place[r.number[i]] = i;
        r.begin[i] = sorted[i].begin;
        r.end[i] = list[i].begin < list[i].end ? list[i].end : INT64_MIN;
    }
    return r;
}

void ir_ranges_switch(ir_ranges *r, int number, bool on) {
    int node = r->leaves + r->place[number];
    r->most[node] = on ? r->end[number] : INT64_MIN;
    for (node /= 2; node; node /= 2) {
        const int64_t left = r->most[2 * node], right = r->most[2 * node + 1];
        r->most[node] = left > right ? left : right;
    }
}

/* The first place from `from` on whose range ends behind byte `at`; -1: none. */
static int ends_behind(const ir_ranges *r, int64_t at, int from) {
    int node = r->leaves + from;
    while (r->most[node] <= at) {
        while (node & 1) node /= 2; /* nothing is left of the right halves */
        if (!node) return -1;
        node++;
    }
    while (node < r->leaves) node = 2 * node + (r->most[2 * node] <= at);
    return node - r->leaves;
}

int ir_ranges_next(const ir_ranges *r, ir_range with, int *from) {
    if (with.begin >= with.end || *from >= r->count) return -1;
    const int place = ends_behind(r, with.begin, *from);
    if (place < 0 || r->begin[place] >= with.end) return -1;
    *from = place + 1;
    return r->number[place];
}
