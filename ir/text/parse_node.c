/* parse_node.c: nodes of the text form: %y = op(%x, ...) key=value ... -> type place. */
#include "words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- growing lists in the graph's arena ------------------------------------------------------ */

typedef struct list {
    size_t size; /* of an item */
    int count, capacity;
    void *items;
} list;

static void *push(parser *p, list *l) {
    if (l->count == l->capacity) {
        if (l->capacity > INT_MAX / 2) ir_die("a list of more than %d items", l->capacity);
        l->capacity = l->capacity ? 2 * l->capacity : 8;
        void *more = ir_alloc(p->g->arena, (size_t)l->capacity, l->size);
        if (l->count) memcpy(more, l->items, (size_t)l->count * l->size);
        l->items = more;
    }
    return (char *)l->items + (size_t)l->count++ * l->size;
}

/* ---- operands -------------------------------------------------------------------------------- */

static bool parse_operand(parser *p, list *in) {
    ir_tensor **t = push(p, in);
    if (lex_accept_word(&p->x, "_")) return true;
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *name = lex_tensor(&p->x);
    if (!name) return false;
    *t = ir_find_tensor(p->g, name);
    if (*t) return true;
    p->x = place;
    return lex_fail(&p->x, "there is no tensor %%%s above this line", name);
}

static bool parse_operands(parser *p, list *in) {
    if (!lex_expect(&p->x, '(')) return false;
    while (!lex_accept(&p->x, ')')) {
        if (in->count && !lex_expect(&p->x, ',')) return false;
        if (!parse_operand(p, in)) return false;
    }
    return true;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static bool parse_ints(parser *p, list *values) {
    bool bracket = lex_accept(&p->x, '[');
    if (bracket && lex_accept(&p->x, ']')) return true;
    for (;;) {
        if (!lex_int(&p->x, (int64_t *)push(p, values))) return false;
        if (bracket ? lex_accept(&p->x, ',') : *p->x.at == 'x' && p->x.at++) continue;
        return !bracket || lex_expect(&p->x, ']');
    }
}

static bool parse_floats(parser *p, list *values) {
    if (!lex_expect(&p->x, '[')) return false;
    while (!lex_accept(&p->x, ']')) {
        if (values->count && !lex_expect(&p->x, ',')) return false;
        if (!lex_double(&p->x, (double *)push(p, values))) return false;
    }
    return true;
}

static bool parse_value(parser *p, ir_node *n, ir_key key) {
    list ints = {.size = sizeof(int64_t)}, floats = {.size = sizeof(double)};
    int64_t i;
    double f;
    const char *word;
    switch (ir_key_kind(key)) {
    case IR_KIND_INT:
        if (!lex_int(&p->x, &i)) return false;
        ir_set_int(p->g, n, key, i);
        return true;
    case IR_KIND_INTS:
        if (!parse_ints(p, &ints)) return false;
        ir_set_ints(p->g, n, key, ints.count, ints.items);
        return true;
    case IR_KIND_FLOAT:
        if (!lex_double(&p->x, &f)) return false;
        ir_set_float(p->g, n, key, f);
        return true;
    case IR_KIND_FLOATS:
        if (!parse_floats(p, &floats)) return false;
        ir_set_floats(p->g, n, key, floats.count, floats.items);
        return true;
    case IR_KIND_WORD:
        break;
    }
    if (!(word = lex_word(&p->x, "a word"))) return false;
    ir_set_word(p->g, n, key, word);
    return true;
}

bool parse_equals_ints(parser *p, const char *name, int count, int64_t *to) {
    list values = {.size = sizeof(int64_t)};
    if (!lex_expect(&p->x, '=') || !parse_ints(p, &values)) return false;
    if (values.count != count) return lex_fail(&p->x, "%s wants %d numbers", name, count);
    memcpy(to, values.items, (size_t)count * sizeof *to);
    return true;
}

/* `prefix` and a number from 1 to INT_MAX, as one word: the number; 0 for anything else. */
static int numbered(const char *word, const char *prefix) {
    size_t n = strlen(prefix);
    char *end;
    if (strncmp(word, prefix, n) != 0 || word[n] < '1' || word[n] > '9') return 0;
    long v = strtol(word + n, &end, 10);
    return !*end && v <= INT_MAX ? (int)v : 0;
}

static const ir_plan_word *find_word(const ir_plan_word *const *lists, const char *word, int *number) {
    for (; *lists; lists++)
        for (const ir_plan_word *w = *lists; w->name; w++) {
            *number = w->numbered ? numbered(word, w->name) : 0;
            if (*number || (!w->numbered && strcmp(word, w->name) == 0)) return w;
        }
    return NULL;
}

static bool parse_attribute(parser *p, ir_node *n) {
    lexer place = p->x;
    int number;
    const char *name = lex_word(&p->x, "an attribute or ->");
    if (!name) return false;
    if (!strcmp(name, "name")) {
        if (!lex_expect(&p->x, '=')) return false;
        return (n->name = lex_string(&p->x)) != NULL;
    }
    const ir_plan_word *planned = find_word(ir_attribute_words, name, &number);
    if (planned) return planned->take(p, n, name, number);
    for (int k = 0; k < IR_KEY_COUNT; k++) {
        if (strcmp(ir_key_name((ir_key)k), name)) continue;
        if (!ir_get(n, (ir_key)k)) return lex_expect(&p->x, '=') && parse_value(p, n, (ir_key)k);
        p->x = place;
        return lex_fail(&p->x, "attribute %s stands here twice", name);
    }
    p->x = place;
    return lex_fail(&p->x, "there is no attribute '%s'", name);
}

/* ---- the output ------------------------------------------------------------------------------ */

bool parse_offset(parser *p, int64_t *offset) {
    if (!lex_expect(&p->x, '+') || !lex_int(&p->x, offset)) return false;
    return *offset >= 0 || lex_fail(&p->x, "the offset is negative");
}

bool parse_view_in(parser *p, ir_tensor *t) {
    parse_view *v = ir_alloc(p->g->arena, 1, sizeof *v);
    lex_blanks(&p->x);
    *v = (parse_view){.next = p->views, .member = t, .place = p->x};
    p->views = v;
    v->parent = lex_tensor(&p->x);
    return v->parent && lex_expect(&p->x, '+') && lex_int(&p->x, &t->memory.view_offset);
}

/* Where and how the result lies. */
static bool parse_place(parser *p, ir_node *n) {
    lex_blanks(&p->x);
    lexer place = p->x;
    int number;
    const char *word = *p->x.at >= 'a' && *p->x.at <= 'z' ? lex_word(&p->x, "a place") : "";
    const ir_plan_word *planned = find_word(ir_place_words, word, &number);
    if (planned) return planned->take(p, n, word, number);
    p->x = place;
    return lex_fail(&p->x,
                    "expected block16, pitchELEMENTS, f16, bf16, fused, on_load, ringPLANES, arena+BYTES, "
                    "in %%tensor+BYTES, scratch+BYTES or the end of the line");
}

/* "-> type place" may be left out; a type that is there must be the inferred one. */
static bool parse_result(parser *p, ir_node *n) {
    const ir_tensor *t = n->out[0];
    if (!lex_accept(&p->x, '-')) return true;
    if (*p->x.at != '>') return lex_fail(&p->x, "expected ->");
    p->x.at++;
    lex_blanks(&p->x);
    lexer place = p->x;
    ir_tensor written = {.name = ""};
    if (!parse_type(p, &written)) return false;
    if (written.dtype != t->dtype || !ir_same_shape(&written, t)) {
        char text[256];
        p->x = place;
        return lex_fail(&p->x, "the inferred type is %s", ir_type_text(t, text, sizeof text));
    }
    while (!lex_is(&p->x, '\n') && *p->x.at)
        if (!parse_place(p, n)) return false;
    return true;
}

static bool at_result(parser *p) {
    return lex_is(&p->x, '-') || lex_is(&p->x, '\n') || !*p->x.at;
}

bool parse_node(parser *p) {
    lexer start = p->x;
    list in = {.size = sizeof(ir_tensor *)};
    ir_op op;
    const char *out = parse_new_name(p);
    if (!out || !lex_expect(&p->x, '=')) return false;
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *name = lex_word(&p->x, "an operator");
    if (!name) return false;
    if (!ir_op_parse(name, &op)) {
        p->x = place;
        return lex_fail(&p->x, "there is no operator '%s'", name);
    }
    if (!parse_operands(p, &in)) return false;
    ir_node *n = ir_add_node(p->g, op, out, in.count, in.items, out);
    n->source = ir_format(p->g->arena, "%s:%d:%d", p->x.file, start.line, lex_column(&start));
    while (!at_result(p))
        if (!parse_attribute(p, n)) return false;
    if (!ir_finish_node(p->g, n, p->x.d)) return ir_fail_in(p->x.d, "%s", n->source);
    return parse_result(p, n);
}
