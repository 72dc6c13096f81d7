/* memory_words.c: see memory_words.h. */
#include "memory_words.h"

#include <limits.h>

/* ---- attributes ------------------------------------------------------------------------------ */

static void put_scratch(FILE *f, const ir_node *n) {
    if (n->memory.scratch) fprintf(f, " scratch=%lld", (long long)n->memory.scratch);
}

static bool take_scratch(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    if (!lex_expect(&p->x, '=') || !lex_int(&p->x, &n->memory.scratch)) return false;
    if (n->memory.scratch < 0 || n->memory.scratch > IR_MAX_BYTES)
        return lex_fail(&p->x, "scratch memory has 0 to 2^62 bytes");
    return true;
}

static void put_stream(FILE *f, const ir_node *n) {
    if (n->memory.stream) fprintf(f, " stream=%dx%d", n->memory.stream, n->memory.slab);
}

static bool take_stream(parser *p, ir_node *n, const char *word, int number) {
    int64_t v[2];
    (void)word, (void)number;
    lexer place = p->x;
    if (!parse_equals_ints(p, "stream", 2, v)) return false;
    if (v[0] > 0 && v[0] <= INT_MAX && v[1] > 0 && v[1] <= INT_MAX) {
        n->memory.stream = (int)v[0];
        n->memory.slab = (int)v[1];
        return true;
    }
    p->x = place;
    return lex_fail(&p->x, "stream wants a group and its planes per step, both 1 or more: 1x4");
}

const ir_plan_word memory_attributes[] = {
    {"scratch", false, put_scratch, take_scratch}, {"stream", false, put_stream, take_stream}, {0}};

/* ---- places ---------------------------------------------------------------------------------- */

static void put_ring(FILE *f, const ir_node *n) {
    if (n->out[0]->memory.ring) fprintf(f, " ring%d", n->out[0]->memory.ring);
}

static bool take_ring(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word;
    n->out[0]->memory.ring = number;
    return true;
}

static void put_arena(FILE *f, const ir_node *n) {
    const int64_t offset = n->out[0]->memory.arena_offset;
    if (offset >= 0) fprintf(f, " arena+%lld", (long long)offset);
}

static bool take_arena(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return parse_offset(p, &n->out[0]->memory.arena_offset);
}

static void put_view(FILE *f, const ir_node *n) {
    const ir_tensor_memory *m = &n->out[0]->memory;
    if (m->view_of) fprintf(f, " in %%%s+%lld", m->view_of->name, (long long)m->view_offset);
}

static bool take_view(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return parse_view_in(p, n->out[0]);
}

static void put_scratch_offset(FILE *f, const ir_node *n) {
    if (n->memory.scratch_offset >= 0) fprintf(f, " scratch+%lld", (long long)n->memory.scratch_offset);
}

static bool take_scratch_offset(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return parse_offset(p, &n->memory.scratch_offset);
}

const ir_plan_word memory_places[] = {{"ring", true, put_ring, take_ring},
                                      {"arena", false, put_arena, take_arena},
                                      {"in", false, put_view, take_view},
                                      {"scratch", false, put_scratch_offset, take_scratch_offset},
                                      {0}};

/* ---- counts ---------------------------------------------------------------------------------- */

static bool is_view(const ir_tensor *t) {
    return t->memory.view_of != NULL;
}
static bool is_ring(const ir_tensor *t) {
    return t->memory.ring != 0;
}
static bool streams(const ir_node *n) {
    return n->memory.stream != 0;
}

const plan_count memory_counts[] = {{"values without memory of their own", NULL, is_view},
                                    {"nodes that stream", streams, NULL},
                                    {"values kept as rings of planes", NULL, is_ring},
                                    {0}};
