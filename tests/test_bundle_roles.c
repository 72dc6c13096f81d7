/* Values with several places or roles in a plan, as generated C against the interpreter: what a concat holds
 * several times, outputs that are read on, channels that a slice picks from blocks, constants of any value.
 */
#include "bundle_lib.h"

#include "pipeline.h"

/* All passes, then the bundle: its results, twice in an arena that holds rubbish, and its self-test. */
static void check_to(const char *name, const char *nodes, double limit) {
    char *text = test_format("graph %s\n%s", name, nodes), *dir = test_tmpdir();
    ir_graph *g = parse_or_fail(text), *reference = parse_or_fail(text);
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int count;
    g->goals.lanes = 1;
    must(pipeline_run(g, &(pipeline_options){0}, reports, &count, &d), &d);
    write_bundle(g, dir);
    loaded l = load_bundle(dir, name, "gcc", "-O0");
    buffers b = make_buffers(l.info);
    memset(l.arena, 0xFF, l.arena_bytes); /* NaN */
    assert_int_equal(run_with(&l, &b, NULL), VOX_OK);
    compare_with_interpreter(reference, l.info, &b, limit);
    const char *bad = NULL;
    if (l.info->selftest(l.prepared, l.arena, l.arena_bytes, NULL, &bad, NULL) != VOX_OK)
        fail_msg("self-test: layer %s", bad);
    free_buffers(&b);
    unload(&l);
    test_rmdir(dir);
    ir_graph_free(g);
    ir_graph_free(reference);
    free(text);
}

static void check(const char *name, const char *nodes) {
    check_to(name, nodes, 2e-6);
}

#define STEM                                                                                                 \
    "input %x f32[1,2,6,5,4]\ninput %z f32[1,3,6,5,4]\nconst %w f32[16,2,3,3,3] random(1)\n"                 \
    "const %v f32[20,2,1,1,1] random(2)\nconst %d f32[32,1,3,3,3] random(3)\nconst %one f32[16] splat(1)\n"  \
    "const %i i64[3] {15,0,3}\nconst %d5 f32[1,32,1,1,1] random(4)\nconst %two f32[] {2}\n"                  \
    "%a = conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\n"                 \
    "%t = conv(%x, %v) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1\n"
#define DEPTHWISE " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group="

static void what_a_concat_holds_several_times(void **state) {
    (void)state;
    check("twice", STEM
          /* plain members, at every place */
          "%r = relu(%x)\n%rr = concat(%r, %r) axis=1\n%y0 = neg(%rr)\noutput %y0\n"
          "%p = relu(%z)\n%q = exp(%z)\n%pqp = concat(%p, %q, %p) axis=1\n%y1 = neg(%pqp)\noutput %y1\n"
          "%n = neg(%z)\n%e = abs(%z)\n%enn = concat(%e, %n, %n) axis=1\n%y2 = neg(%enn)\noutput %y2\n"
          /* blocked; blocked and not a multiple of a block; the batch; an axis inside */
          "%aa = concat(%a, %a, %a) axis=1\n%y3 = neg(%aa)\noutput %y3\n"
          "%tt = concat(%t, %t) axis=1\n%y4 = neg(%tt)\noutput %y4\n"
          "%b = relu(%z)\n%bb = concat(%b, %b) axis=0\n%y5 = neg(%bb)\noutput %y5\n"
          "%f = relu(%z)\n%ff = concat(%f, %f) axis=3\n%y6 = neg(%ff)\noutput %y6\n"
          /* sixteen copies of the network's input; an output; a constant */
          "%sixteen = concat(%x,%x,%x,%x,%x,%x,%x,%x,%x,%x,%x,%x,%x,%x,%x,%x) axis=1\n%y7 = add(%sixteen, "
          "%d5)\n"
          "output %y7\n%o = exp(%x)\n%oo = concat(%o, %o) axis=1\n%y8 = neg(%oo)\noutput %o\noutput %y8\n"
          "%dd = concat(%d, %d) axis=1\n%y9 = mul(%dd, %two)\noutput %y9\n");
}

static void members_of_several_concats(void **state) {
    (void)state;
    check("several", STEM
          "%r = relu(%x)\n%s = abs(%x)\n%rs = concat(%r, %s) axis=1\n%srr = concat(%s, %r, %r) axis=1\n"
          "%y0 = neg(%rs)\n%y1 = neg(%srr)\noutput %y0\noutput %y1\n"
          /* concats in concats, the inner one twice, beside its own member */
          "%k = exp(%x)\n%kk = concat(%k, %k) axis=1\n%k5 = concat(%kk, %k, %kk) axis=1\n%y2 = "
          "neg(%k5)\noutput %y2\n"
          "%m = concat(%kk, %kk) axis=1\n%mm = concat(%m, %m) axis=1\n%y3 = neg(%mm)\noutput %y3\n"
          /* members that are reshapes, and are reshaped */
          "%u = neg(%z)\n%flat = reshape(%u) shape=[1,3,6,20,1]\n%uu = concat(%flat, %flat) axis=1\n"
          "%back = reshape(%uu) shape=[1,6,6,5,4]\n%y4 = relu(%back)\n%y5 = abs(%u)\noutput %y4\noutput %y5\n"
          "%c = concat(%flat, %flat, %flat) axis=1\n%c2 = reshape(%c) shape=[9,120]\n"
          "%c3 = concat(%c2, %c2) axis=0\n%y6 = exp(%c3)\noutput %y6\n"
          /* blocked members of two; and both operands of one node */
          "%g = relu(%a)\n%ag = concat(%a, %g) axis=1\n%gag = concat(%g, %a, %g) axis=1\n"
          "%y7 = neg(%ag)\n%y8 = neg(%gag)\noutput %y7\noutput %y8\n"
          "%h = mul(%g, %g)\n%hg = concat(%h, %g, %h) axis=1\n%y9 = add(%hg, %hg)\noutput %y9\n");
}

/* Outputs whose layout follows their operand's, blocked, and readers that want them plain. */
static void outputs_that_are_read_on(void **state) {
    (void)state;
    check("outputs", STEM
          "%o0 = instance_norm(%a, %one, %one) eps=0.1\n%w0 = slice(%d) begin=[0,0,0,0,0] size=[16,1,3,3,3] "
          "step=[1,1,1,1,1]\n"
          "%y0 = conv(%o0, %w0)" DEPTHWISE "16\noutput %o0\noutput %y0\n"
          "%o1 = max_pool(%a) kernel=2x2x2 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
          "%y1 = reduce_mean(%o1) axes=[2,3,4] keepdims=1\noutput %y1\noutput %o1\n"
          "%o2 = softmax(%a) axis=1\n%y2 = reduce_max(%o2) axes=[1] keepdims=1\noutput %o2\noutput %y2\n"
          "%o3 = resize(%a) size=[1,16,7,5,4] scale=[1,1,1.1666667,1,1] mode=linear coordinates=half_pixel "
          "nearest=floor\n%y3 = transpose(%o3) perm=[0,2,3,4,1]\noutput %o3\noutput %y3\n"
          "%o4 = slice(%a) begin=[0,0,1,1,1] size=[1,16,4,3,2] step=[1,1,1,1,1]\n"
          "%y4 = gather(%o4, %i) axis=1\noutput %o4\noutput %y4\n"
          "%o5 = add(%o4, %o4)\n%y5 = reduce_sum(%o5) axes=[1,4] keepdims=0\noutput %o5\noutput %y5\n"
          "%o6 = abs(%a)\n%y6 = reshape(%o6) shape=[1,16,120]\n%y7 = relu(%y6)\noutput %o6\noutput %y6\n"
          "output %y7\n"
          "%o8 = concat(%o6, %a) axis=1\n%y8 = conv(%o8, %d)" DEPTHWISE "32\noutput %o8\noutput %y8\n"
          "%o9 = pad(%a) pad=[0,0,1,0,0,0,0,0,0,1] mode=edge\n%z0 = expand(%o9) shape=[2,16,7,5,5]\n"
          "output %o9\noutput %z0\n");
}

static void channels_picked_from_blocks(void **state) {
    (void)state;
    check("picked",
          STEM "%g = relu(%t)\n"
               "%y0 = slice(%g) begin=[0,19,0,0,0] size=[1,20,6,5,4] step=[1,-1,1,1,1]\noutput %y0\n"
               "%y1 = slice(%g) begin=[0,16,0,0,0] size=[1,4,6,5,4] step=[1,1,1,1,1]\noutput %y1\n"
               "%y2 = slice(%g) begin=[0,3,2,0,0] size=[1,16,3,5,4] step=[1,1,1,1,1]\noutput %y2\n"
               "%y3 = slice(%g) begin=[0,1,0,4,0] size=[1,10,6,5,4] step=[1,2,1,-1,1]\noutput %y3\n"
               "%y4 = slice(%g) begin=[0,0,5,0,3] size=[1,20,6,5,4] step=[1,1,-1,1,-1]\noutput %y4\n"
               "%f = slice(%a) begin=[0,15,0,0,0] size=[1,16,6,5,4] step=[1,-1,1,1,1]\n%y5 = add(%f, "
               "%a)\noutput %y5\n"
               "%y6 = pad(%g) pad=[0,1,0,0,0,0,-1,0,0,0] mode=constant value=-inf\noutput %y6\n"
               "%y7 = gather(%g, %i) axis=1\noutput %y7\n");
}

static void reductions_over_axes_apart(void **state) {
    (void)state;
    check("apart", STEM
          "%y0 = reduce_mean(%a) axes=[1,4] keepdims=1\noutput %y0\n"
          "%y1 = reduce_sum(%a) axes=[1,3] keepdims=0\noutput %y1\n"
          "%y2 = reduce_max(%z) axes=[0,2,4] keepdims=0\noutput %y2\n"
          "%y3 = reduce_min(%z) axes=[1,3] keepdims=1\noutput %y3\n"
          "%p = slice(%z) begin=[0,0,0,0,0] size=[1,3,2,2,2] step=[1,1,1,1,1]\n"
          "%y4 = reduce_prod(%p) axes=[1,3] keepdims=0\noutput %y4\n"
          "%s = transpose(%z) perm=[1,2,0,3,4]\n%y5 = reduce_mean(%s) axes=[0,3] keepdims=0\noutput %y5\n"
          "%q = reshape(%z) shape=[2,3,2,3,2,5]\n%y6 = reduce_mean(%q) axes=[0,2,4] keepdims=0\n"
          "output %y6\n%y7 = reduce_sum(%q) axes=[1,3,5] keepdims=1\noutput %y7\n"
          "%y8 = reduce_max(%y0) axes=[2,3] keepdims=0\noutput %y8\n");
}

/* Products of five numbers near 1e-9 have two digits in single precision: no fault of the layer. */
static void products_below_the_smallest_normal_number(void **state) {
    (void)state;
    check_to("tiny",
             "input %x f32[1,2,6,5,4]\nconst %small f32[] {2e-9}\n%t = mul(%x, %small)\n"
             "%y = reduce_prod(%t) axes=[3] keepdims=1\noutput %y\n",
             0.5);
}

static void constants_of_any_value(void **state) {
    (void)state;
    check(
        "masks",
        "input %x f32[1,2,2,3,4]\nconst %mask f32[4] {0, -inf, 0, inf}\nconst %some f32[3,1] {1, nan, 2}\n"
        "const %low f32[] {-inf}\nconst %no f32[] {nan}\nconst %w f32[16,2,1,1,1] random(1)\n"
        "%m = add(%x, %mask)\n%y0 = softmax(%m) axis=4\noutput %m\noutput %y0\n"
        "%y1 = mul(%x, %some)\n%y2 = max(%x, %low)\n%y3 = add(%x, %no)\noutput %y1\noutput %y2\noutput %y3\n"
        "%f = concat(%mask, %mask) axis=0\n%y4 = neg(%f)\noutput %y4\noutput %mask\n"
        "%a = conv(%x, %w) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1\n"
        "%y5 = add(%a, %mask)\n%y6 = max(%a, %low)\noutput %y5\noutput %y6\n"
        "%y7 = pad(%a) pad=[0,0,1,0,0,0,0,0,0,1] mode=constant value=nan\noutput %y7\n"
        "%y8 = clip(%x) alpha=-inf beta=0.5\noutput %y8\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_concat_holds_several_times),
        cmocka_unit_test(members_of_several_concats),
        cmocka_unit_test(outputs_that_are_read_on),
        cmocka_unit_test(channels_picked_from_blocks),
        cmocka_unit_test(products_below_the_smallest_normal_number),
        cmocka_unit_test(reductions_over_axes_apart),
        cmocka_unit_test(constants_of_any_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
