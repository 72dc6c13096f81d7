/* cpu_words.c: see cpu_words.h. */
#include "cpu_words.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static void put_way(FILE *f, const ir_node *n) {
    if (n->cpu.way) fprintf(f, " way=%s", n->cpu.way);
}

static bool take_way(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return lex_expect(&p->x, '=') && (n->cpu.way = lex_word(&p->x, "a way to compute a convolution"));
}

static void put_tile(FILE *f, const ir_node *n) {
    const int64_t *t = n->cpu.tile;
    if (t[0] | t[1] | t[2])
        fprintf(f, " tile=%lldx%lldx%lld", (long long)t[0], (long long)t[1], (long long)t[2]);
}

static bool take_tile(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return parse_equals_ints(p, "tile", 3, n->cpu.tile);
}

static void put_batch(FILE *f, const ir_node *n) {
    if (n->cpu.batch) fprintf(f, " batch=%lld", (long long)n->cpu.batch);
}

static bool take_batch(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return parse_equals_ints(p, "batch", 1, &n->cpu.batch);
}

static void put_whole(FILE *f, const ir_node *n) {
    if (n->cpu.whole) fputs(" whole", f);
}

static bool take_whole(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word, (void)number;
    return n->cpu.whole = true;
}

static void put_split(FILE *f, const ir_node *n) {
    const int64_t *s = n->cpu.split;
    if (s[0] | s[1] | s[2] | s[3])
        fprintf(f, " blocking=%lldx%lldx%lldx%lld", (long long)s[0], (long long)s[1], (long long)s[2],
                (long long)s[3]);
}

static bool take_split(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    return parse_equals_ints(p, "blocking", 4, n->cpu.split);
}

static void put_joined(FILE *f, const ir_node *n) {
    if (n->cpu.joined) fputs(" joined=1", f);
}

static bool take_joined(parser *p, ir_node *n, const char *word, int number) {
    int64_t v;
    (void)word, (void)number;
    if (!lex_expect(&p->x, '=') || !lex_int(&p->x, &v)) return false;
    if (v != 0 && v != 1) return lex_fail(&p->x, "joined is 0 or 1");
    n->cpu.joined = v;
    return true;
}

static void put_gathered(FILE *f, const ir_node *n) {
    if (n->cpu.gathered) fputs(" gathered", f);
}

static bool take_gathered(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word, (void)number;
    return n->cpu.gathered = true;
}

const ir_plan_word cpu_attributes[] = {{"way", false, put_way, take_way},
                                       {"tile", false, put_tile, take_tile},
                                       {"batch", false, put_batch, take_batch},
                                       {"whole", false, put_whole, take_whole},
                                       {"blocking", false, put_split, take_split},
                                       {"joined", false, put_joined, take_joined},
                                       {"gathered", false, put_gathered, take_gathered},
                                       {0}};

/* ---- places ---------------------------------------------------------------------------------- */

static void put_block(FILE *f, const ir_node *n) {
    if (n->out[0]->cpu.block) fprintf(f, " block%d", n->out[0]->cpu.block);
}

static bool take_block(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word, (void)number;
    n->out[0]->cpu.block = IR_BLOCK;
    return true;
}

static void put_fused(FILE *f, const ir_node *n) {
    if (n->out[0]->cpu.fused) fputs(" fused", f);
}

static bool take_fused(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word, (void)number;
    return n->out[0]->cpu.fused = true;
}

static void put_on_load(FILE *f, const ir_node *n) {
    if (n->out[0]->cpu.on_load) fputs(" on_load", f);
}

static bool take_on_load(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word, (void)number;
    return n->out[0]->cpu.on_load = true;
}

const ir_plan_word cpu_places[] = {{"block16", false, put_block, take_block},
                                   {"fused", false, put_fused, take_fused},
                                   {"on_load", false, put_on_load, take_on_load},
                                   {0}};

/* ---- counts ---------------------------------------------------------------------------------- */

static bool is_blocked(const ir_tensor *t) {
    return t->cpu.block != 0;
}
static bool is_on_load(const ir_tensor *t) {
    return t->cpu.on_load;
}
static bool is_gathered(const ir_node *n) {
    return n->cpu.gathered;
}
static bool is_split(const ir_node *n) {
    return n->cpu.split[0] != 0;
}

const plan_count cpu_counts[] = {{"blocked values", NULL, is_blocked},
                                 {"values made on load", NULL, is_on_load},
                                 {"norms with gathered sums", is_gathered, NULL},
                                 {"convolutions split into tasks", is_split, NULL},
                                 {0}};
