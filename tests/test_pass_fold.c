/* test_pass_fold.c: constants are computed, nodes that compute nothing vanish, names and values stay. */
#include "test_graph.h"

#include "passes.h"

typedef struct rewrite {
    const char *name, *before, *after;
} rewrite;

#define X       "input %x f32[1,2,3,4]\n"
#define Y       "output %y\n"
#define RELU    "%y = relu(%a)\n" Y
#define NOTHING X "%y = relu(%x)\n" Y

static const rewrite rewrites[] = {
    {"arithmetic of constants",
     "const %a i64[2] {1,2}\nconst %b i64[2] {3,4}\n%c = add(%a, %b)\n%y = mul(%c, %c)\n" Y,
     "const %y i64[2] {16,36}\n" Y},
    {"the shape of an input",
     X "%s = shape(%x)\nconst %i i64[1] {3}\n%y = gather(%s, %i) axis=0\n" Y "output %x\n",
     X "const %y i64[1] {4}\n" Y "output %x\n"},
    {"rounded once, to the output's dtype",
     "const %a f32[1] {1}\nconst %b f32[1] {3}\n%c = div(%a, %b)\n%y = mul(%c, %b)\n" Y,
     "const %y f32[1] {1}\n" Y},
    {"a constant operand only", X "const %c f32[1] {4}\n%r = sqrt(%c)\n%y = mul(%x, %r)\n" Y,
     X "const %r f32[1] {2}\n%y = mul(%x, %r)\n" Y},
    {"values that are not known stay", "const %a f32[2] opaque\n%y = neg(%a)\n" Y,
     "const %a f32[2] opaque\n%y = neg(%a)\n" Y},
    {"too large to be worth it", "const %a f32[1] {1}\n%y = expand(%a) shape=[64,1024,1024]\n" Y,
     "const %a f32[1] {1}\n%y = expand(%a) shape=[64,1024,1024]\n" Y},

    {"reshape to the same shape", X "%a = reshape(%x) shape=[1,2,3,4]\n" RELU, NOTHING},
    {"transpose in order", X "%a = transpose(%x) perm=[0,1,2,3]\n" RELU, NOTHING},
    {"slice of everything", X "%a = slice(%x) begin=[0,0,0,0] size=[1,2,3,4] step=[1,1,1,1]\n" RELU, NOTHING},
    {"pad by nothing", X "%a = pad(%x) pad=[0,0,0,0,0,0,0,0] mode=reflect\n" RELU, NOTHING},
    {"expand to the same shape", X "%a = expand(%x) shape=[1,2,3,4]\n" RELU, NOTHING},
    {"cast to the same dtype", X "%a = cast(%x) to=f32\n" RELU, NOTHING},
    {"pool of one element",
     X "%a = max_pool(%x) kernel=1x1 stride=1x1 pad=[0,0,0,0] dilation=1x1 ceil=0\n" RELU, NOTHING},
    {"resize by one",
     X
     "%a = resize(%x) size=[1,2,3,4] scale=[1,1,1,1] mode=linear coordinates=half_pixel nearest=floor\n" RELU,
     NOTHING},
    {"concat of one", X "%a = concat(%x) axis=1\n" RELU, NOTHING},
    {"clip without bounds", X "%a = clip(%x) alpha=-inf beta=inf\n" RELU, NOTHING},
    {"x + 0", X "const %z f32[2,1,1] splat(0)\n%a = add(%x, %z)\n" RELU, NOTHING},
    {"0 + x", X "const %z f32[] {0}\n%a = add(%z, %x)\n" RELU, NOTHING},
    {"x - 0", X "const %z f32[] {0}\n%a = sub(%x, %z)\n" RELU, NOTHING},
    {"1 * x", X "const %z f32[2,1,1] splat(1)\n%a = mul(%z, %x)\n" RELU, NOTHING},
    {"x / 1", X "const %z f32[] {1}\n%a = div(%x, %z)\n" RELU, NOTHING},
    {"x ** 1", X "const %z i64[] {1}\n%a = pow(%x, %z)\n" RELU, NOTHING},
    {"where true", X "const %c bool[] {1}\nconst %z f32[] {7}\n%a = where(%c, %x, %z)\n" RELU, NOTHING},
    {"where false", X "const %c bool[4] splat(0)\nconst %z f32[] {7}\n%a = where(%c, %z, %x)\n" RELU,
     NOTHING},
    {"reshape of a reshape", X "%a = reshape(%x) shape=[24]\n%y = reshape(%a) shape=[2,12]\n" Y,
     X "%y = reshape(%x) shape=[2,12]\n" Y},
    {"there and back", X "%a = reshape(%x) shape=[24]\n%b = reshape(%a) shape=[1,2,3,4]\n%y = relu(%b)\n" Y,
     NOTHING},
    {"an output keeps its name", X "%a = relu(%x)\n%b = neg(%a)\n%y = cast(%a) to=f32\n" Y "output %b\n",
     X "%y = relu(%x) name=\"a\"\n%b = neg(%y)\n" Y "output %b\n"},
    {"a chain of nothings before an output",
     X "%a = relu(%x)\n%b = cast(%a) to=f32\n%y = concat(%b) axis=0\n" Y, X "%y = relu(%x) name=\"a\"\n" Y},
};

/* What looks like nothing but is not: the text must stay as it is. */
static const char *const kept[] = {
    X "const %z f32[] {0}\n%y = sub(%z, %x)\n" Y,
    X "const %z f32[] {1}\n%y = div(%z, %x)\n" Y,
    X "const %z f32[] {1}\n%y = pow(%z, %x)\n" Y,
    X "const %z f32[2,1,1] {0,1}\n%y = add(%x, %z)\n" Y,
    X "const %z f32[5,1,1,1,1] splat(0)\n%y = add(%x, %z)\n" Y,
    X "%y = cast(%x) to=f64\n" Y,
    X "%y = slice(%x) begin=[0,0,2,0] size=[1,2,3,4] step=[1,1,-1,1]\n" Y,
    X "%y = pad(%x) pad=[0,0,-1,0,0,0,1,0] mode=constant\n" Y,
    X "%y = max_pool(%x) kernel=1x1 stride=2x1 pad=[0,0,0,0] dilation=1x1 ceil=0\n" Y,
    X
    "%y = resize(%x) size=[1,2,3,4] scale=[1,1,1,1] mode=linear coordinates=tf_crop_and_resize nearest=floor "
    "roi=[0,0,0,0,1,1,0.5,1]\n" Y,
    X "%y = resize(%x) size=[1,2,3,4] scale=[1,1,1,1.2] mode=linear coordinates=half_pixel nearest=floor\n" Y,
    X "%y = transpose(%x) perm=[1,0,2,3]\n" Y,
    X "%y = clip(%x) alpha=0 beta=inf\n" Y,
    /* An input or a second output would lose its name. */
    X "%y = cast(%x) to=f32\n" Y,
    X "%a = relu(%x)\n%y = cast(%a) to=f32\noutput %a\n" Y,
};

static void rewrites_as_written(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof rewrites / sizeof rewrites[0]; k++) {
        const rewrite *r = &rewrites[k];
        if (strstr(r->before, "opaque") || strstr(r->before, "1024")) {
            ir_graph *g = test_graph(r->before);
            ir_diag d = {0};
            assert_true(pass_fold(g, &d));
            test_check_text(r->name, g, r->after);
            ir_graph_free(g);
        } else {
            test_check_pass(r->name, pass_fold, r->before, r->after, 1e-7);
        }
    }
}

/* The same behind a node: an input that is the output, too, keeps its node in any case. Malloc'd. */
static char *behind_a_node(const char *text) {
    const char *at = strstr(text, "%y = ");
    char *whole = test_format("%.*s%%r = exp(%%x)\n%s", (int)(at - text), text, at);
    for (char *p = strstr(whole, "%y = "); (p = strstr(p, "%x"));) p[1] = 'r';
    return whole;
}

static void keeps_what_computes(void **state) {
    (void)state;
    enum { NAMES = 2 }; /* at the end: nothing computes */
    const size_t count = sizeof kept / sizeof kept[0];
    for (size_t k = 0; k < count; k++) {
        test_check_pass(kept[k], pass_fold, kept[k], kept[k], 0);
        if (k + NAMES >= count) continue;
        char *text = behind_a_node(kept[k]);
        test_check_pass(text, pass_fold, text, text, 0);
        free(text);
    }
}

static void reports_what_cannot_be_computed(void **state) {
    ir_graph *g = test_graph("const %a i64[1] {1}\nconst %b i64[1] {0}\n%y = div(%a, %b)\noutput %y\n");
    ir_diag d = {0};
    (void)state;
    assert_false(pass_fold(g, &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    ir_graph_free(g);
}

static void dead_nodes_go(void **state) {
    (void)state;
    test_check_pass("fold", pass_fold,
                    X "const %c f32[1] {2}\n%a = mul(%x, %c)\n%b = exp(%a)\n%y = relu(%x)\n" Y, NOTHING, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewrites_as_written),
        cmocka_unit_test(keeps_what_computes),
        cmocka_unit_test(reports_what_cannot_be_computed),
        cmocka_unit_test(dead_nodes_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
