/* parse_volume.c: the volume section of the text form. */
#include "parse.h"

#include <string.h>

typedef struct step {
    const char *name;
    int values;
} step;
static const step steps[IR_PREPARE_COUNT] = {
#define X(sym, text, n, meaning) [IR_PREPARE_##sym] = {(text), (n)},
    IR_PREPARES(X)
#undef X
};

static bool parse_axes(parser *p, ir_volume *v) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *axes = lex_word(&p->x, "the axes, such as zyx");
    if (!axes) return false;
    size_t n = strlen(axes);
    bool good = n <= 3 && strspn(axes, "xyz") == n;
    for (size_t i = 1; good && i < n; i++) good = !memchr(axes, axes[i], i);
    if (good) {
        memcpy(v->axes, axes, n + 1);
        return true;
    }
    p->x = place;
    return lex_fail(&p->x, "the axes are x, y and z in some order, each at most once");
}

static bool parse_step(parser *p, ir_volume *v) {
    for (int i = 0; i < IR_PREPARE_COUNT; i++) {
        if (!lex_peek_word(&p->x, steps[i].name)) continue;
        if (v->n_prepare == IR_MAX_PREPARE) return lex_fail(&p->x, "more than %d steps", IR_MAX_PREPARE);
        lex_accept_word(&p->x, steps[i].name);
        ir_prepare *s = &v->prepare[v->n_prepare++];
        s->kind = (ir_prepare_kind)i;
        for (int k = 0; k < steps[i].values; k++)
            if (!lex_double(&p->x, &s->value[k])) return false;
        return true;
    }
    return lex_fail(&p->x, "expected axes, mirror, threshold, a step of preparation or }");
}

static bool parse_entry(parser *p, ir_volume *v) {
    if (lex_accept_word(&p->x, "axes")) return parse_axes(p, v);
    if (lex_accept_word(&p->x, "mirror")) return v->mirror = true;
    if (lex_accept_word(&p->x, "threshold")) {
        v->threshold = true;
        return lex_double(&p->x, &v->level);
    }
    return parse_step(p, v);
}

bool parse_volume(parser *p) {
    ir_volume *v = &p->g->volume;
    if (v->present) return lex_fail(&p->x, "there are two volume sections");
    v->present = true;
    if (!lex_expect(&p->x, '{') || !lex_end_of_line(&p->x)) return false;
    while (!lex_accept(&p->x, '}')) {
        if (!*p->x.at) return lex_fail(&p->x, "the volume section does not end: expected }");
        if (!parse_entry(p, v) || !lex_end_of_line(&p->x)) return false;
    }
    return v->axes[0] || lex_fail(&p->x, "the volume section has no axes");
}
