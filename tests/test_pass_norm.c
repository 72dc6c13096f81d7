/* test_pass_norm.c: batch norms and affine steps move into convolutions, zero pads too;
 * nothing else changes. */
#include "test_graph.h"

#include "passes.h"

#define X        "input %x f32[1,2,4,5]\n"
#define W        "const %w f32[4,2,2,2] random(1)\n"
#define B        "const %b f32[4] random(2)\n"
#define ARGS     " kernel=2x2 stride=1x1 pad=[0,0,0,0] dilation=1x1 group=1\n"
#define CONV     X W B "%c = conv(%x, %w, %b)" ARGS
#define UNBIASED X W "%c = conv(%x, %w)" ARGS
#define UP                                                                                                   \
    X "const %w f32[2,2,2,3] random(1)\n%c = conv_transpose(%x, %w) kernel=2x3 stride=2x1 pad=[0,0,0,0] "    \
      "dilation=1x1 output_pad=0x0 group=2\n"
#define STATISTICS                                                                                           \
    "const %s f32[4] {1,-2,0.5,3}\nconst %o f32[4] {1,2,3,4}\nconst %m f32[4] {0.5,-1,2,0}\n"                \
    "const %v f32[4] {1,0.25,4,0.01}\n"
#define BN       STATISTICS "%y = batch_norm(%c, %s, %o, %m, %v) eps=0.001\n"
#define Y        "output %y\n"
#define CHANNELS "const %k f32[1,4,1,1] {1,-2,0.5,3}\n"

/* How often an op stands in g. */
static int count_op(const ir_graph *g, ir_op op) {
    int n = 0;
    for (int k = 0; k < g->n_nodes; k++) n += g->nodes[k]->op == op;
    return n;
}

/* Graphs that become a single node whose output is %y. */
static const struct {
    const char *name, *text;
    ir_op op;
} folded[] = {
    {"batch norm", CONV BN Y, IR_OP_CONV},
    {"batch norm, no bias", UNBIASED BN Y, IR_OP_CONV},
    {"groups",
     "input %x f32[2,4,4,5]\n" W B
     "%c = conv(%x, %w, %b) kernel=2x2 stride=2x1 pad=[1,0,0,1] dilation=1x2 group=2\n" BN Y,
     IR_OP_CONV},
    {"transposed, groups, no bias",
     UP "const %s f32[4] {1,-2,0.5,3}\nconst %o f32[4] {1,2,3,4}\nconst %m f32[4] {0.5,-1,2,0}\n"
        "const %v f32[4] {1,0.25,4,0.01}\n%y = batch_norm(%c, %s, %o, %m, %v) eps=0.001\n" Y,
     IR_OP_CONV_TRANSPOSE},
    {"transposed, several inputs per group",
     "input %x f32[1,6,3]\nconst %w f32[6,2,2] random(1)\nconst %b f32[4] random(2)\n"
     "%c = conv_transpose(%x, %w, %b) kernel=[2] stride=[2] pad=[0,0] dilation=[1] output_pad=[0] "
     "group=2\n" BN Y,
     IR_OP_CONV_TRANSPOSE},
    {"mul", CONV CHANNELS "%y = mul(%c, %k)\n" Y, IR_OP_CONV},
    {"mul by one number", UNBIASED "const %k f32[] {3}\n%y = mul(%k, %c)\n" Y, IR_OP_CONV},
    {"add", UNBIASED CHANNELS "%y = add(%k, %c)\n" Y, IR_OP_CONV},
    {"sub", CONV CHANNELS "%y = sub(%c, %k)\n" Y, IR_OP_CONV},
    {"sub from", CONV CHANNELS "%y = sub(%k, %c)\n" Y, IR_OP_CONV},
    {"div", CONV CHANNELS "%y = div(%c, %k)\n" Y, IR_OP_CONV},
    {"a chain",
     CONV CHANNELS "%d = div(%c, %k)\n%e = add(%d, %k)\n" STATISTICS
                   "%y = batch_norm(%e, %s, %o, %m, %v) eps=0.001\n" Y,
     IR_OP_CONV},
    {"behind an instance norm",
     "input %c f32[1,4,3,3]\n" STATISTICS CHANNELS
     "%i = instance_norm(%c, %s, %o) eps=0.1\n%j = mul(%i, %k)\n%y = add(%j, %k)\n" Y,
     IR_OP_INSTANCE_NORM},
    {"a group norm between reshapes",
     "input %c f32[1,4,3,3]\n" CHANNELS "const %s f32[2] {1,-2}\nconst %o f32[2] {0.5,3}\n"
     "%r = reshape(%c) shape=[1,2,18]\n%i = instance_norm(%r, %s, %o) eps=0.1\n%b = reshape(%i) "
     "shape=[1,4,3,3]\n"
     "%j = mul(%b, %k)\n%y = add(%j, %k)\n" Y,
     IR_OP_INSTANCE_NORM},
    {"zero pad in front",
     X W "%p = pad(%x) pad=[0,0,1,2,0,0,3,4] mode=constant value=0\n"
         "%y = conv(%p, %w) kernel=2x2 stride=1x1 pad=[1,0,0,1] dilation=1x1 group=1\n" Y,
     IR_OP_CONV},
};

static void folds(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof folded / sizeof folded[0]; k++) {
        ir_graph *g = test_graph(folded[k].text);
        ir_diag d = {0};
        assert_true(pass_norm(g, &d));
        if (g->n_nodes != 1 || count_op(g, folded[k].op) != 1)
            fail_msg("%s: %d nodes remain", folded[k].name, g->n_nodes);
        assert_string_equal(g->nodes[0]->out[0]->name, "y");
        ir_graph_free(g);
        test_check_pass(folded[k].name, pass_norm, folded[k].text, NULL, 2e-6);
    }
}

/* In full: names, the new bias, dead constants gone, each weight rounded once. */
static void folds_to_this_text(void **state) {
    (void)state;
    test_check_pass(
        "batch norm", pass_norm,
        "input %x f32[1,1,3]\nconst %w f32[2,1,1] {3,5}\n%c = conv(%x, %w) kernel=[1] stride=[1] pad=[0,0] "
        "dilation=[1] group=1 name=\"up\"\nconst %s f32[2] {2,4}\nconst %o f32[2] {1,2}\nconst %m f32[2] "
        "{10,20}\nconst %v f32[2] {3,15}\n%y = batch_norm(%c, %s, %o, %m, %v) eps=1\noutput %y\n",
        "input %x f32[1,1,3]\nconst %w f32[2,1,1] {3,5}\nconst %up.bias f32[2] {-9,-18}\n"
        "%y = conv(%x, %w, %up.bias) kernel=[1] stride=[1] pad=[0,0] dilation=[1] group=1 "
        "name=\"up\"\noutput %y\n",
        1e-6);
}

static const char *const kept[] = {
    /* the convolution's output is wanted elsewhere */
    CONV BN Y "output %c\n",
    CONV BN "%z = add(%c, %y)\noutput %z\n",
    /* no convolution in front */
    "input %c f32[1,4,3,3]\n" BN Y,
    CONV STATISTICS "%r = relu(%c)\n%y = batch_norm(%r, %s, %o, %m, %v) eps=0.001\n" Y,
    /* an activation comes first */
    X W B "%c = conv(%x, %w, %b) kernel=2x2 stride=1x1 pad=[0,0,0,0] dilation=1x1 group=1 act=relu\n" BN Y,
    /* a norm between reshapes, but not of groups of channels */
    "input %c f32[1,4,3,3]\nconst %s f32[2] {1,-2}\n%r = reshape(%c) shape=[1,2,18]\n"
    "%i = instance_norm(%r, %s, %s) eps=0.1\n%y = reshape(%i) shape=[1,3,4,3]\n" Y,
    "input %c f32[1,3,4,3]\nconst %s f32[2] {1,-2}\n%r = reshape(%c) shape=[1,2,18]\n"
    "%i = instance_norm(%r, %s, %s) eps=0.1\n%y = reshape(%i) shape=[1,3,4,3]\n" Y,
    /* not one value per channel */
    CONV "const %k f32[4] {1,2,3,4}\n%y = mul(%c, %k)\n" Y,
    CONV "const %k f32[4,1,4] random(3)\n%y = add(%c, %k)\n" Y,
    CONV "input %k f32[1,4,1,1]\n%y = add(%c, %k)\n" Y,
    CONV "const %k f32[1,1,4,1,1] {1,2,3,4}\n%y = mul(%c, %k)\n" Y,
    CONV CHANNELS "%y = div(%k, %c)\n" Y,
    /* a factor that is not finite */
    CONV "const %k f32[] {0}\n%y = div(%c, %k)\n" Y,
    /* pads that are not zeros, not of space, or crop */
    X W "%p = pad(%x) pad=[0,0,1,1,0,0,1,1] mode=constant value=1\n%y = conv(%p, %w)" ARGS Y,
    X W "%p = pad(%x) pad=[0,0,1,1,0,0,1,1] mode=edge\n%y = conv(%p, %w)" ARGS Y,
    X W "%p = pad(%x) pad=[0,0,1,1,0,0,-1,1] mode=constant\n%y = conv(%p, %w)" ARGS Y,
    X "const %w f32[4,3,2,2] random(1)\n%p = pad(%x) pad=[0,0,1,1,0,1,1,1] mode=constant\n%y = conv(%p, "
      "%w)" ARGS Y,
};

static void keeps_the_rest(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++)
        test_check_pass(kept[k], pass_norm, kept[k], kept[k], 0);
}

/* Weights that two convolutions share must not be scaled for both. */
static void shared_weights_are_copied(void **state) {
    static const char text[] = CONV "%d = conv(%x, %w, %b)" ARGS BN "%z = sub(%y, %d)\noutput %z\n";
    ir_graph *g = test_graph(text);
    ir_diag d = {0};
    (void)state;
    assert_true(pass_norm(g, &d));
    assert_int_equal(count_op(g, IR_OP_BATCH_NORM), 0);
    assert_ptr_not_equal(g->nodes[0]->in[1], g->nodes[1]->in[1]);
    ir_graph_free(g);
    test_check_pass("shared", pass_norm, text, NULL, 2e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(folds_to_this_text),
        cmocka_unit_test(keeps_the_rest),
        cmocka_unit_test(shared_weights_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
