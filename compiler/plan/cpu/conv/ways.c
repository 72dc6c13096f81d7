/* ways.c: see way.h. */
#include "way.h"

#include <inttypes.h>
#include <string.h>

const cg_way *const cg_ways[CG_WAYS] = {
#define WAY(name) &cg_way_##name,
#include "ways.def"
#undef WAY
};

const cg_way *cg_way_named(const char *name) {
    for (int i = 0; i < CG_WAYS; i++)
        if (strcmp(cg_ways[i]->name, name) == 0) return cg_ways[i];
    return NULL;
}

const char *cg_way_names(ir_arena *arena) {
    const char *list = cg_ways[0]->name;
    for (int i = 1; i < CG_WAYS; i++) list = ir_format(arena, "%s, %s", list, cg_ways[i]->name);
    return list;
}

cg_choice cg_choice_of(const ir_node *n) {
    cg_choice c = {.way = n->cpu.way ? cg_way_named(n->cpu.way) : &cg_way_direct, .batch = n->cpu.batch};
    if (!c.way) ir_die("'%s' is to be computed in a way that does not exist: %s", n->name, n->cpu.way);
    memcpy(c.tile, n->cpu.tile, sizeof c.tile);
    return c;
}

const cg_way *cg_way_of(const ir_node *n) {
    return cg_choice_of(n).way;
}

bool cg_same_choice(const cg_choice *a, const cg_choice *b) {
    return a->way == b->way && memcmp(a->tile, b->tile, sizeof a->tile) == 0;
}

const char *cg_choice_text(const cg_choice *c, ir_arena *arena) {
    const int64_t *t = c->tile;
    if (!t[0]) return ir_format(arena, "%s%s", c->way->method, c->way->aside);
    return ir_format(arena, "%s F(%" PRId64 "x%" PRId64 "x%" PRId64 ")%s", c->way->method, t[0], t[1], t[2],
                     c->way->aside);
}
