/* Graphs in text form as models: what such a file breaks is its author's error, with the place; nothing that
 * it can hold ends the compiler. */
#include "pass_lib.h"

#include <ctype.h>

#include "front_ir.h"
#include "pipeline.h"
#include "plan_verify.h"

static ir_graph *load(const char *dir, const char *text, size_t n, ir_diag *d) {
    char *path = test_format("%s/m.ir", dir);
    test_write(path, text, n);
    ir_graph *g = ir_load(path, plan_verify, d);
    free(path);
    return g;
}

#define X "graph g\ninput %x f32[1,4,6,6,6]\n"

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "m.ir:1:1: expected 'graph NAME' first"},
    {"graph n\n", "m.ir:1: this graph cannot be: invariant listed: the graph has no output"},
    {X "%y = relu(%x)\n", "m.ir:3: this graph cannot be: invariant listed: the graph has no output"},
    {X "%y = relu(%x)\noutput %y\noutput %y\n",
     "m.ir:3:1: this graph cannot be: invariant listed: graph output %y"},
    {X "output %x\noutput %x\n",
     "m.ir:2: this graph cannot be: invariant listed: graph output %x stands there twice"},
    {X "%y = relu(%x) -> f32[1,4,6,6,6] block16\noutput %y\n",
     "m.ir:3:1: this graph cannot be: invariant layout"},
    {X "%y = relu(%x) -> f32[1,4,6,6,6] ring2\n%z = relu(%y)\noutput %z\n",
     "m.ir:3:1: this graph cannot be: invariant"},
    {X "%y = relu(%x) stream=1x2\n%z = neg(%y)\n%v = relu(%z) stream=1x2\noutput %v\n",
     "m.ir:3:1: this graph cannot be: invariant stream"},
    {X "%y = relu(%x) -> f32[1,4,6,6,6] in %x+0\n%z = relu(%y)\noutput %z\n",
     "m.ir:3:1: this graph cannot be"},
    {X "%y = relu(%x) -> f32[1,4,6,6,6] arena+64\n%z = relu(%y)\noutput %z\n",
     "m.ir:3:1: this graph cannot be: invariant memory-place"},
    {X "%y = relu(%x) -> f32[1,4,6,6,6] fused\n%z = relu(%y)\noutput %z\n", "m.ir:3:1: this graph cannot be"},
    {X "%y = relu(%x) way=winograd tile=4x4x4 batch=1\noutput %y\n",
     "m.ir:3:1: this graph cannot be: invariant way"},
    {X "%y = relu(%x) tile=4x4x4\noutput %y\n", "invariant way: 'y' has a tile, a batch or whole but no way"},
    {X "%y = relu(%x) way=quick\noutput %y\n", "there is no way 'quick', only direct, direct_few, winograd"},
    {X "%y = max_pool(%x) kernel=2x2x2 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0 joined=1\noutput "
       "%y\n",
     "m.ir:3:1: this graph cannot be: invariant joined"},
    {X "%y = relu(%x) -> f32[1,4,6,6,nan]\noutput %y\n", "m.ir:3:"},
    {X "input %x f32[1]\noutput %x\n", "m.ir:3:"},
};

static void what_a_file_breaks_is_its_own_error(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ir_diag d = {0};
        ir_graph *g = load(dir, bad[i].text, strlen(bad[i].text), &d);
        if (g || d.code != IR_EXIT_INPUT || !strstr(d.text, bad[i].says))
            fail_msg("%s\ngave %d %s\nwanted %s", bad[i].text, d.code, d.text, bad[i].says);
    }
    static const char nul[] = "graph n\ninput %x f32[4]\n\0output %x\n";
    ir_diag d = {0};
    assert_null(load(dir, nul, sizeof nul - 1, &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    assert_non_null(strstr(d.text, "m.ir:3: a NUL byte"));
    test_rmdir(dir);
}

static void values_without_elements_are_refused(void **state) {
    (void)state;
    ir_graph *g =
        parse("graph g\ninput %x f32[1,4,0,8,8]\n%r = relu(%x)\n%y = concat(%r, %x) axis=1\noutput %y\n");
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int count;
    assert_false(pipeline_run(g, &(pipeline_options){0}, reports, &count, &d));
    assert_int_equal(d.code, IR_EXIT_UNSUPPORTED);
    assert_non_null(strstr(d.text, "%x f32[1,4,0,8,8] has no elements"));
    ir_graph_free(g);
}

/* ---- mutations ------------------------------------------------------------------------------- */

static const char *const network = X
    "const %w f32[16,4,3,3,3] random(1)\nconst %s f32[16] splat(1)\nconst %i i64[3] {0,2,1}\n"
    "%a = conv(%x, %w, %s) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1 act=relu\n"
    "%n = instance_norm(%a, %s, %s) eps=0.1\n"
    "%b = max_pool(%n) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
    "%c = resize(%b) size=[1,16,6,6,6] scale=[1,1,2,2,2] mode=linear coordinates=half_pixel nearest=floor\n"
    "%d = concat(%c, %n, %a) axis=1\n%e = slice(%d) begin=[0,0,1,1,1] size=[1,48,4,4,4] step=[1,1,1,1,1]\n"
    "%f = softmax(%e) axis=1\n%h = reduce_mean(%f) axes=[2,4] keepdims=0\n%j = transpose(%x) "
    "perm=[0,2,3,4,1]\n"
    "%k = reshape(%j) shape=[6,6,24]\n%l = gather(%k, %i) axis=1\n%m = pad(%l) pad=[1,1,0,0,0,2] mode=edge\n"
    "%o = add(%x, %x)\noutput %f\noutput %h\noutput %m\noutput %o\n";

typedef struct lines {
    char *at[64];
    int count;
} lines;

static lines split(char *text) {
    lines l = {.count = 0};
    for (char *p = strtok(text, "\n"); p && l.count < 64; p = strtok(NULL, "\n")) l.at[l.count++] = p;
    return l;
}

/* The line with one of its numbers, or names of one letter, replaced; malloc'd. */
static char *change(const char *line, uint64_t *seed) {
    static const char *const numbers[] = {"0", "1", "2", "3", "5", "16", "17", "-1", "2147483648", "inf"};
    size_t n = strlen(line), at = test_random_bits(seed) % (n + 1), end;
    while (at < n && !isdigit((unsigned char)line[at]) && line[at] != '%') at++;
    if (at == n) return strdup(line);
    if (line[at] == '%')
        return test_format("%.*s%%%c%s", (int)at, line, "xwsianbcdefhjklmo"[test_random_bits(seed) % 17],
                           line + at + (at + 1 < n ? 2 : 1));
    for (end = at; end < n && isdigit((unsigned char)line[end]);) end++;
    return test_format("%.*s%s%s", (int)at, line, numbers[test_random_bits(seed) % 10], line + end);
}

/* Lines deleted, doubled, moved and changed, types left to be inferred; malloc'd. */
static char *mutate(const char *text, uint64_t *seed) {
    char *copy = strdup(text), *out = test_format("%s", "");
    lines l = split(copy);
    int victim = (int)(test_random_bits(seed) % (uint64_t)l.count), kind = (int)(test_random_bits(seed) % 6);
    int other = (int)(test_random_bits(seed) % (uint64_t)l.count);
    bool typed = test_random_bits(seed) % 4 == 0;
    for (int i = 0; i < l.count; i++) {
        const char *from = kind == 1 && i == other ? l.at[victim] : l.at[i];
        char *line = kind > 1 && i == victim ? change(from, seed) : strdup(from),
             *type = strstr(line, " -> ");
        if (type && !typed) *type = 0;
        char *more = test_format("%s%s%s", out, kind == 0 && i == victim ? "" : line, "\n");
        free(line), free(out);
        out = more;
    }
    free(copy);
    return out;
}

/* Whatever becomes of it: an error with a place, a refusal, or a plan;
 * an invariant that breaks would abort. */
static void try_to_plan(const char *dir, const char *text, ir_target target, int *planned) {
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int count;
    ir_graph *g = load(dir, text, strlen(text), &d);
    if (!g && (d.code == IR_EXIT_FAILURE || !strstr(d.text, "m.ir:"))) fail_msg("%s\ngave %s", text, d.text);
    if (!g) return;
    g->goals.lanes = 1;
    g->goals.target = target;
    if (pipeline_run(g, &(pipeline_options){0}, reports, &count, &d))
        ++*planned;
    else if (d.code != IR_EXIT_INPUT && d.code != IR_EXIT_UNSUPPORTED)
        fail_msg("%s\ngave %s", text, d.text);
    ir_graph_free(g);
}

static void no_mutation_ends_the_compiler(void **state) {
    (void)state;
    char *dir = test_tmpdir();
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int count, planned = 0;
    uint64_t seed = 1;
    ir_graph *g = parse(network);
    g->goals.lanes = 1;
    assert_true(pipeline_run(g, &(pipeline_options){0}, reports, &count, &d));
    char *plan = ir_print_string(g);
    for (int i = 0; i < 900; i++) {
        char *once = mutate(i % 3 ? network : plan, &seed), *twice = mutate(once, &seed);
        try_to_plan(dir, i % 2 ? once : twice, i % 5 ? IR_TARGET_C : IR_TARGET_CUDA, &planned);
        free(once), free(twice);
    }
    assert_in_range(planned, 100, 800); /* neither all nor none */
    free(plan);
    ir_graph_free(g);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_file_breaks_is_its_own_error),
        cmocka_unit_test(values_without_elements_are_refused),
        cmocka_unit_test(no_mutation_ends_the_compiler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
