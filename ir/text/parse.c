/* parse.c: reads the text form (IR.md): statements, one a line. */
#include "parse.h"
#include "utf8.h"

#include <string.h>

const char *parse_new_name(parser *p) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *name = lex_tensor(&p->x);
    if (!name || !ir_find_tensor(p->g, name)) return name;
    p->x = place;
    lex_fail(&p->x, "there is a tensor %%%s already", name);
    return NULL;
}

bool parse_type(parser *p, ir_tensor *t) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *name = lex_word(&p->x, "a type such as f32[1,3,8,8,8]");
    if (!name) return false;
    if (!ir_dtype_parse(name, &t->dtype)) {
        p->x = place;
        return lex_fail(&p->x, "there is no dtype '%s'", name);
    }
    if (!lex_expect(&p->x, '[')) return false;
    t->rank = 0;
    while (!lex_is(&p->x, ']')) {
        if (t->rank == IR_MAX_RANK) return lex_fail(&p->x, "more than %d axes", IR_MAX_RANK);
        if (t->rank && !lex_expect(&p->x, ',')) return false;
        if (!lex_int(&p->x, &t->dim[t->rank])) return false;
        t->rank++;
    }
    p->x.at++;
    int64_t bytes;
    if (ir_shape_bytes(t->dtype, t->rank, t->dim, &bytes)) return true;
    p->x = place;
    return lex_fail(&p->x, "a dimension is negative or the tensor exceeds 2^62 bytes");
}

static bool parse_input(parser *p) {
    ir_tensor t;
    const char *name = parse_new_name(p);
    if (!name || !parse_type(p, &t)) return false;
    ir_add_input(p->g, name, t.dtype, t.rank, t.dim);
    return true;
}

static bool parse_output(parser *p) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *name = lex_tensor(&p->x);
    if (!name) return false;
    ir_tensor *t = ir_find_tensor(p->g, name);
    if (t) {
        ir_add_output(p->g, t);
        return true;
    }
    p->x = place;
    return lex_fail(&p->x, "there is no tensor %%%s above this line", name);
}

static bool parse_arena(parser *p) {
    int64_t bytes;
    if (!lex_int(&p->x, &bytes)) return false;
    if (bytes < 0) return lex_fail(&p->x, "the arena's size is negative");
    p->g->arena_bytes = bytes;
    return true;
}

static bool parse_recompute(parser *p) {
    return p->g->recompute = true;
}

static bool parse_label(parser *p) {
    const char *label = lex_string(&p->x);
    if (!label) return false;
    if (!*label || !vox_is_plain(label))
        return lex_fail(&p->x, "a label is one line of plain text: no control characters, none that turn the "
                               "direction of text, UTF-8");
    if (p->g->n_labels == IR_MAX_LABELS) return lex_fail(&p->x, "more than %d labels", IR_MAX_LABELS);
    if (!p->g->labels) p->g->labels = ir_alloc(p->g->arena, IR_MAX_LABELS, sizeof *p->g->labels);
    p->g->labels[p->g->n_labels++] = label;
    return true;
}

typedef struct statement {
    const char *word;
    bool (*parse)(parser *p);
} statement;
static const statement statements[] = {
    {"input", parse_input}, {"const", parse_const},   {"output", parse_output},       {"arena", parse_arena},
    {"label", parse_label}, {"volume", parse_volume}, {"recompute", parse_recompute},
};

static bool parse_statement(parser *p) {
    if (lex_is(&p->x, '%')) return parse_node(p);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (lex_accept_word(&p->x, statements[i].word)) return statements[i].parse(p);
    return lex_fail(
        &p->x, "expected input, const, output, arena, recompute, label, volume or a node: %%y = op(...)");
}

static bool resolve_views(parser *p) {
    for (parse_view *v = p->views; v; v = v->next) {
        v->member->memory.view_of = ir_find_tensor(p->g, v->parent);
        if (!v->member->memory.view_of) return lex_fail(&v->place, "there is no tensor %%%s", v->parent);
    }
    return true;
}

static bool parse_graph(parser *p) {
    if (!lex_end_of_line(&p->x)) return false;
    while (*p->x.at)
        if (!parse_statement(p) || !lex_end_of_line(&p->x)) return false;
    return resolve_views(p);
}

/* "graph name" before anything else; NULL after an error. The name lives in `names`. */
static const char *parse_head(lexer *x) {
    while (lex_is(x, '\n')) lex_end_of_line(x);
    if (lex_accept_word(x, "graph")) return lex_word(x, "the graph's name");
    lex_fail(x, "expected 'graph NAME' first");
    return NULL;
}

ir_graph *ir_parse(const char *text, const char *file, ir_blobs *blobs, void *ctx, ir_diag *d) {
    ir_arena *names = ir_arena_new();
    lexer x = {.file = file, .at = text, .line_start = text, .line = 1, .arena = names, .d = d};
    const char *name = parse_head(&x);
    ir_graph *g = name ? ir_graph_new(name) : NULL;
    ir_arena_free(names);
    if (!g) return NULL;
    parser p = {.x = x, .g = g, .blobs = blobs, .ctx = ctx};
    p.x.arena = g->arena;
    if (parse_graph(&p)) return g;
    ir_graph_free(g);
    return NULL;
}
