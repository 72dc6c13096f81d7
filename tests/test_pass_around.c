/* test_pass_around.c: norms become terms and what is made of x by them;
 * which convs do the one or the other. */
#include "test_graph.h"

#include "codegen.h"
#include "passes.h"

#define C3     " kernel=3x3x3 stride=1x1x1 pad=[1,1,1,1,1,1] dilation=1x1x1 group=1"
#define C1     " kernel=1x1x1 stride=1x1x1 pad=[0,0,0,0,0,0] dilation=1x1x1 group=1"
#define S2     " kernel=1x1x1 stride=2x2x2 pad=[0,0,0,0,0,0] dilation=1x1x1 group=1"
#define WINO   " way=winograd tile=4x4x4 batch=12"
#define DEEP   " way=deep tile=4x4x4 batch=8 whole"
#define T      " -> f32[1,16,8,8,8] block16"
#define TWO    " -> f32[2,16,8,8,8] block16"
#define Y      "output %y\n"
#define VECTOR "const %s f32[16] random(1)\nconst %b f32[16] random(2)\n"
#define WEIGHT "const %w f32[16,16,3,3,3] random(3)\nconst %v f32[16,16,1,1,1] random(4)\n"
#define INPUT  "input %x f32[1,16,8,8,8]\n" VECTOR WEIGHT
#define HEAD   INPUT "%i = to_block(%x)" T "\n"
#define TERMS  "%t = norm_terms(%a, %s, %b) eps=0.1"
#define NORM   "%n = normalise(%a, %t) act=leaky_relu alpha=0.01" T

typedef struct rewrite {
    const char *name, *before, *after;
} rewrite;

static const rewrite terms[] = {
    {"alone", INPUT "%y = instance_norm(%x, %s, %b) eps=0.1\n" Y,
     INPUT "%y.terms = norm_terms(%x, %s, %b) eps=0.1\n%y = normalise(%x, %y.terms)\n" Y},
    {"groups and an activation", INPUT "%y = instance_norm(%x, %s, %b) group=4 act=elu alpha=0.5 eps=0.1\n" Y,
     INPUT "%y.terms = norm_terms(%x, %s, %b) group=4 eps=0.1\n"
           "%y = normalise(%x, %y.terms) act=elu alpha=0.5\n" Y},
    {"slopes", INPUT "%y = instance_norm(%x, %s, %b, %s) act=prelu eps=0.1\n" Y,
     INPUT "%y.terms = norm_terms(%x, %s, %b) eps=0.1\n%y = normalise(%x, %y.terms, _, %s) act=prelu\n" Y},
};

#define LOADED(conv, rest) HEAD "%a = relu(%i)" T "\n" TERMS "\n" NORM "%s\n" conv "\n" rest
static const struct {
    const char *name, *graph; /* %s: where on_load is to stand */
    bool loads;
} loads[] = {
    {"Winograd", LOADED("%c = conv(%n, %w)" C3 WINO T, "%y = from_block(%c)\n" Y), true},
    {"deep Winograd", LOADED("%c = conv(%n, %w)" C3 DEEP T, "%y = from_block(%c)\n" Y), true},
    {"pointwise", LOADED("%y = conv(%n, %v)" C1, Y), true},
    {"direct", LOADED("%c = conv(%n, %w)" C3 T, "%y = from_block(%c)\n" Y), false},
    {"strided", LOADED("%y = conv(%n, %v)" S2, Y), false},
    {"two readers", LOADED("%c = conv(%n, %w)" C3 WINO T, "%d = add(%n, %c)" T "\n%y = from_block(%d)\n" Y),
     false},
    {"an output", LOADED("%y = from_block(%n)", Y), false},
};

static const struct {
    const char *name, *graph; /* %s: where "gathered" and the scratch are to stand */
    long long bytes;          /* 0: not gathered */
} gathers[] = {
    {"Winograd, one slot", HEAD "%a = conv(%i, %w)" C3 WINO T "\n" TERMS "%s\n%y = cast(%t) to=f32\n" Y, 256},
    {"deep, 8 planes at a time", HEAD "%a = conv(%i, %w)" C3 DEEP T "\n" TERMS "%s\n%y = cast(%t) to=f32\n" Y,
     256},
    {"direct, planes by two, rows by four",
     HEAD "%a = conv(%i, %w)" C3 " blocking=1x2x4x16" T "\n" TERMS "%s\n%y = cast(%t) to=f32\n" Y, 8 * 256},
    {"not a conv", HEAD "%a = relu(%i)" T "\n" TERMS "%s\n%y = cast(%t) to=f32\n" Y, 0},
    {"a plain result", INPUT "%a = conv(%x, %w)" C3 "\n" TERMS "%s\n%y = cast(%t) to=f32\n" Y, 0},
    {"two images",
     "input %x f32[2,16,8,8,8]\n" VECTOR WEIGHT "%i = to_block(%x)" TWO "\n%a = conv(%i, %w)" C3 WINO TWO
     "\n" TERMS "%s\n%y = cast(%t) to=f32\n" Y,
     0},
    {"a conv in a stream",
     HEAD "%k = relu(%i) stream=1x4" T "\n%a = conv(%k, %w)" C3 WINO " stream=1x4" T "\n" TERMS
          "%s\n%y = cast(%t) to=f32\n" Y,
     0},
};

static void terms_stand_for_norms(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof terms / sizeof *terms; k++)
        test_check_pass(terms[k].name, pass_terms, terms[k].before, terms[k].after, 1e-12);
}

/* A format with one %s (every other % is a tensor's) filled in; malloc'd. */
static char *fill(const char *text, const char *with) {
    const char *at = strstr(text, "%s\n");
    if (!at) fail_msg("no place in %s", text);
    return test_format("%.*s%s%s", (int)(at - text), text, with, at + 2);
}

static void convs_normalise_on_load(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof loads / sizeof *loads; k++) {
        char *before = fill(loads[k].graph, ""),
             *after = fill(loads[k].graph, loads[k].loads ? " on_load" : "");
        test_check_pass(loads[k].name, pass_load, before, after, 1e-12);
        free(before), free(after);
    }
}

static void convs_gather_sums(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof gathers / sizeof *gathers; k++) {
        char *with = gathers[k].bytes ? test_format(" gathered scratch=%lld", gathers[k].bytes)
                                      : test_format("%s", "");
        char *before = fill(gathers[k].graph, ""), *after = fill(gathers[k].graph, with);
        test_check_pass(gathers[k].name, pass_gather, before, after, 1e-12);
        free(before), free(after), free(with);
    }
}

/* Who wants to look at every value finds it in memory. */
static void nothing_is_made_on_load_where_all_must_lie_in_memory(void **state) {
    (void)state;
    char *text = fill(loads[0].graph, "");
    ir_graph *g = test_graph(text);
    ir_diag d = {0};
    g->goals.whole = true;
    assert_true(pass_load(g, &d));
    for (int i = 0; i < g->n_tensors; i++) assert_false(g->tensors[i]->cpu.on_load);
    ir_graph_free(g);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_stand_for_norms), cmocka_unit_test(convs_normalise_on_load),
        cmocka_unit_test(convs_gather_sums),
        cmocka_unit_test(nothing_is_made_on_load_where_all_must_lie_in_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
