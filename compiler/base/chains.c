/* chains.c: see chains.h. */
#include "chains.h"

#include <string.h>

static void link_last(cg_chains *c, int number) {
    const int slot = (int)(c->links[number].hash & (uint64_t)c->mask);
    c->links[number].next = -1;
    if (c->last[slot] < 0)
        c->first[slot] = number;
    else
        c->links[c->last[slot]].next = number;
    c->last[slot] = number;
}

static void grow_slots(cg_chains *c) {
    const int room = c->room ? 2 * c->room : 64;
    cg_link *links = ir_alloc(c->arena, (size_t)room, sizeof *links);
    if (c->count) memcpy(links, c->links, (size_t)c->count * sizeof *links);
    c->links = links;
    c->first = ir_alloc(c->arena, (size_t)room, sizeof *c->first);
    c->last = ir_alloc(c->arena, (size_t)room, sizeof *c->last);
    for (int i = 0; i < room; i++) c->first[i] = c->last[i] = -1;
    c->room = room;
    c->mask = room - 1;
    for (int i = 0; i < c->count; i++) link_last(c, i);
}

void cg_chain(cg_chains *c, uint64_t hash) {
    if (c->count == c->room) grow_slots(c);
    c->links[c->count].hash = hash;
    link_last(c, c->count++);
}

static int of_hash(const cg_chains *c, int number, uint64_t hash) {
    while (number >= 0 && c->links[number].hash != hash) number = c->links[number].next;
    return number;
}

int cg_first(const cg_chains *c, uint64_t hash) {
    return c->room ? of_hash(c, c->first[hash & (uint64_t)c->mask], hash) : -1;
}

int cg_next(const cg_chains *c, int number) {
    return of_hash(c, c->links[number].next, c->links[number].hash);
}

uint64_t cg_hash_address(const void *p) {
    return ir_mix((uint64_t)(uintptr_t)p);
}

uint64_t cg_hash_text(const char *text) {
    return ir_mix(ir_hash(text, strlen(text)));
}
