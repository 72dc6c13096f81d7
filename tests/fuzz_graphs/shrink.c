/* shrink.c: a failing case becomes small: every change that leaves the same failure is kept,
 * until none is. */
#include "rebuild.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_EDITS = 4000 };

typedef struct edit_list {
    fuzz_edit list[MAX_EDITS];
    int count;
} edit_list;

static void add(edit_list *l, fuzz_edit_kind kind, int node, int operand, int64_t value) {
    if (l->count < MAX_EDITS) l->list[l->count++] = (fuzz_edit){kind, node, operand, value};
}

/* To 1, to half, to one less. */
static void add_smaller(edit_list *l, fuzz_edit_kind kind, int node, int operand, int64_t value) {
    if (value > 1) add(l, kind, node, operand, 1);
    if (value > 3) add(l, kind, node, operand, value / 2);
    if (value > 2) add(l, kind, node, operand, value - 1);
}

static bool is_conv(const ir_node *n) {
    return n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE;
}

static void add_attributes(edit_list *l, const ir_node *n, int node) {
    static const struct {
        ir_key key;
        int64_t value;
    } plain[] = {{IR_GROUP, 1},  {IR_STRIDE, 1}, {IR_DILATION, 1}, {IR_OUTPUT_PAD, 0},  {IR_PAD, 0},
                 {IR_KERNEL, 1}, {IR_CEIL, 0},   {IR_STEP, 1},     {IR_INCLUDE_PAD, 0}, {IR_SELECT_LAST, 0}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        const ir_attr *a = ir_get(n, plain[i].key);
        bool already = true;
        for (int k = 0; a && k < a->count; k++) already &= a->i[k] == plain[i].value;
        if (!already) add(l, EDIT_ATTR, node, (int)plain[i].key, plain[i].value);
    }
    if (ir_get(n, IR_ACT)) add(l, EDIT_NO_ACT, node, 0, 0);
}

static void add_node(edit_list *l, const ir_node *n, int node) {
    for (int k = 0; k < n->n_in; k++) {
        const ir_tensor *t = n->in[k];
        if (!t) continue;
        if (t->role != IR_ROLE_CONST && t->dtype == n->out[0]->dtype && ir_same_shape(t, n->out[0]))
            add(l, EDIT_BYPASS, node, k, 0);
        if ((n->op == IR_OP_CONCAT && n->n_in > 1) || (is_conv(n) && (k == 2 || k == IR_SKIP)))
            add(l, EDIT_OPERAND, node, k, 0);
    }
    add_attributes(l, n, node);
    if (is_conv(n)) add_smaller(l, EDIT_CHANNELS, node, 0, n->out[0]->dim[1]);
}

static void list_edits(const ir_graph *g, edit_list *l) {
    l->count = 0;
    for (int i = 0; i + 1 < g->n_nodes || (i < g->n_nodes && g->n_outputs > 1); i++)
        add(l, EDIT_ONLY, i, 0, 0);
    for (int i = 0; i < g->n_outputs && g->n_outputs > 1; i++) add(l, EDIT_OUTPUT, i, 0, 0);
    for (int i = g->n_nodes - 1; i >= 0; i--) add(l, EDIT_CUT, i, 0, 0);
    for (int i = 0; i < g->n_nodes; i++) add_node(l, g->nodes[i], i);
    for (int i = 0; i < g->n_inputs; i++) {
        const ir_tensor *x = g->inputs[i];
        for (int a = 0; a < x->rank; a++)
            if (a != 1) add_smaller(l, EDIT_EXTENT, (int)x->dim[a], a, x->dim[a]);
        if (x->rank > 1) add_smaller(l, EDIT_INPUT, i, 0, x->dim[1]);
    }
}

/* ---- options --------------------------------------------------------------------------------- */

/* Option number i as it is by default; false: there are no more. */
static bool plain_option(fuzz_options *o, int i) {
    switch (i) {
    case 0:
        o->tuned = 0;
        return true;
    case 1:
        o->memory = 0;
        return true;
    case 2:
        o->thrift = 0;
        return true;
    case 3:
        o->lanes = 4;
        return true;
    case 4:
        o->strict = false;
        return true;
    case 5:
        o->whole = false;
        return true;
    case 6:
        o->precision = IR_FP32;
        return true;
    default:
        return false;
    }
}

/* ---- the search ------------------------------------------------------------------------------ */

typedef struct search {
    fuzz_checker *check;
    char **text;
    fuzz_options *o;
    fuzz_result *r;
    char kind[1024];
    time_t end;
    edit_list edits;
} search;

/* Whether that is the same failure; then r is its result. */
static bool still_fails(search *s, const char *text, const fuzz_options *o) {
    fuzz_result r;
    char kind[1024];
    fuzz_isolated(s->check, text, o, &r);
    if (r.verdict != FUZZ_WRONG) return false;
    fuzz_signature(r.text, kind, sizeof kind);
    if (strcmp(kind, s->kind)) return false;
    *s->r = r;
    return true;
}

static bool shrink_options(search *s) {
    bool any = false;
    fuzz_options o = *s->o;
    for (int i = 0; plain_option(&o, i); i++) {
        if (memcmp(&o, s->o, sizeof o) != 0 && still_fails(s, *s->text, &o)) *s->o = o, any = true;
        o = *s->o;
    }
    return any;
}

/* The first change from number `at` on that leaves the failure; its number, -1: none. */
static int shrink_once(search *s, int at) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(*s->text, "case", NULL, NULL, &d);
    fuzz_specs specs = {.arena = g->arena};
    int found = -1;
    specs_read(&specs, *s->text);
    list_edits(g, &s->edits);
    for (; at < s->edits.count && found < 0 && time(NULL) < s->end; at++) {
        char *text = fuzz_rebuild(g, &specs, &s->edits.list[at]);
        if (text && strcmp(text, *s->text) != 0 && still_fails(s, text, s->o)) {
            free(*s->text);
            *s->text = text;
            found = at;
        } else {
            free(text);
        }
    }
    ir_graph_free(g);
    return found;
}

static bool shrink_graph(search *s) {
    bool any = false;
    for (int at = 0; (at = shrink_once(s, at)) >= 0;) any = true;
    return any;
}

void fuzz_shrink(fuzz_checker *check, char **text, fuzz_options *o, fuzz_result *r, int seconds) {
    search *s = calloc(1, sizeof *s);
    *s = (search){.check = check, .text = text, .o = o, .r = r, .end = time(NULL) + seconds};
    fuzz_signature(r->text, s->kind, sizeof s->kind);
    for (bool any = true; any && time(NULL) < s->end;) {
        any = shrink_options(s);
        any |= shrink_graph(s);
    }
    free(s);
}
