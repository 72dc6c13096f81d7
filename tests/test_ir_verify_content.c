/* The verifier's books of whose bytes lie where, alone: plans that other checks would refuse first, for other
 * reasons. */
#include "verify_parts.h"
#include "verify_lib.h"

static bool content_of(const ir_graph *g, ir_diag *d) {
    verifier v = {.g = g, .scratch = ir_arena_new(), .d = d};
    v.index = ir_index_tensors(g, v.scratch);
    bool good = verify_content(&v);
    ir_arena_free(v.scratch);
    return good;
}

#define X "graph g\ninput %x f32[1,4,4,4,4]\narena 4096\n" /* 1024 bytes */
#define T " -> f32[1,4,4,4,4] "

static const struct {
    const char *text, *says; /* NULL: sound */
} plans[] = {
    {X "%a = relu(%x)" T "arena+0\n%b = neg(%a)" T "arena+1024\n%y = add(%a, %b)\noutput %y\n", NULL},
    {X "%a = relu(%x)" T "arena+0\n%b = neg(%x)" T "arena+960\n%y = add(%a, %b)\noutput %y\n",
     "'y' reads %a, of which byte 960 holds nothing that was written"},
    /* a concat copies what does not lie at its place, and only that */
    {X "%r = relu(%x)" T
       "in %c+1024\n%c = concat(%r, %r) axis=1 -> f32[1,8,4,4,4] arena+0\n%y = neg(%c)\noutput %y\n",
     NULL},
    {X "%r = relu(%x)" T "in %c+1024\n%s = neg(%x)" T "in %c+0\n"
       "%c = concat(%s, %r, %s) axis=1 -> f32[1,12,4,4,4] arena+0\n%y = neg(%c)\noutput %y\n",
     NULL},
    /* a member overwritten before the concat is read */
    {X "%r = relu(%x)" T "in %c+0\n%s = neg(%r)" T
       "in %r+0\n%c = concat(%r, %x) axis=1 -> f32[1,8,4,4,4] arena+0\n"
       "%y = neg(%c)\noutput %y\n",
     "'y' reads %c, of which byte 0 holds that of %s"},
    /* the place of another member */
    {X "%r = relu(%x)" T "in %c+0\n%s = neg(%x)" T
       "in %c+0\n%c = concat(%r, %s) axis=1 -> f32[1,8,4,4,4] arena+0\n"
       "%y = neg(%c)\noutput %y\n",
     "'y' reads %c, of which byte 0 holds that of %s"},
    /* views of views, and a reshape of a member */
    {X "%r = relu(%x)" T "in %c+0\n%c = concat(%r, %r) axis=1 -> f32[1,8,4,4,4] in %d+2048\n"
       "%e = reshape(%c) shape=[8,64] -> f32[8,64] in %c+0\n%d = concat(%c, %c) axis=1 -> f32[1,16,4,4,4] "
       "arena+0\n"
       "%y = neg(%d)\n%z = neg(%e)\noutput %y\noutput %z\n",
     NULL},
    {X "%r = relu(%x)" T "arena+0\n%e = reshape(%r) shape=[4,64] -> f32[4,64] in %r+0\n%s = neg(%x)" T
       "arena+512\n%y = neg(%s)\n%z = neg(%e)\noutput %y\noutput %z\n",
     "'z' reads %e, of which byte 512 holds nothing"},
    /* scratch memory */
    {X "%r = relu(%x)" T "arena+0\n%s = neg(%x) scratch=64" T
       "arena+1024 scratch+128\n%y = add(%r, %s)\noutput %y\n",
     "'y' reads %r, of which byte 128 holds nothing"},
};

static void every_byte_is_by_whom_the_graph_says(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        const char *text = plans[i].text;
        ir_graph *g = parse(text);
        ir_diag d = {0};
        bool good = content_of(g, &d);
        if (good != !plans[i].says) fail_msg("%s\n%s", text, good ? "not noticed" : d.text);
        if (!good && !strstr(d.text, plans[i].says))
            fail_msg("%s\nwanted %s, got %s", text, plans[i].says, d.text);
        ir_graph_free(g);
    }
}

/* 2^40 pieces are not listed. */
static void doubled_values_take_no_time(void **state) {
    (void)state;
    char *text = test_format("graph g\ninput %%x f32[1,1]\n%%a0 = relu(%%x)\n");
    for (int i = 0; i < 40; i++) {
        char *more = test_format("%s%%a%d = concat(%%a%d, %%a%d) axis=1\n", text, i + 1, i, i);
        free(text);
        text = more;
    }
    char *all = test_format("%s%%y = neg(%%a40)\noutput %%y\n", text);
    ir_graph *g = parse(all);
    expect_sound(g);
    ir_graph_free(g);
    free(all), free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_by_whom_the_graph_says),
        cmocka_unit_test(doubled_values_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
