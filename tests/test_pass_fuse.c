/* test_pass_fuse.c: activations and skip connections become epilogues. */
#include "test_graph.h"

#include "passes.h"

#define X     "input %x f32[1,2,4]\nconst %w f32[3,2,2] random(1)\n"
#define ARGS  " kernel=[2] stride=[1] pad=[0,0] dilation=[1] group=1"
#define CONV  X "%c = conv(%x, %w)" ARGS "\n"
#define FUSED X "%y = conv(%x, %w)" ARGS " name=\"c\" "
#define UP                                                                                                   \
    "input %x f32[1,3,4]\nconst %w f32[3,2,2] random(1)\nconst %b f32[2] random(2)\n"                        \
    "%c = conv_transpose(%x, %w, %b)" ARGS " output_pad=[0]\n"
#define NORM                                                                                                 \
    "input %x f32[1,2,4]\nconst %s f32[2] random(1)\nconst %b f32[2] random(2)\n"                            \
    "%c = instance_norm(%x, %s, %b) eps=0.1\n"
#define Y           "output %y\n"
#define SKIP        "input %s f32[1,3,3]\n"
#define ADDED(more) X SKIP "%y = conv(%x, %w, _, _, %s)" ARGS " name=\"c\"" more "\n" Y
#define BIASED                                                                                               \
    "input %x f32[1,2,4]\ninput %s f32[1,3,3]\nconst %w f32[3,2,2] random(1)\nconst %b f32[3] random(2)\n"

static const struct {
    const char *name, *before, *after;
} rewrites[] = {
    {"relu", CONV "%y = relu(%c)\n" Y, FUSED "act=relu\n" Y},
    {"leaky_relu", CONV "%y = leaky_relu(%c) alpha=0.25\n" Y, FUSED "act=leaky_relu alpha=0.25\n" Y},
    {"elu", CONV "%y = elu(%c) alpha=0.5\n" Y, FUSED "act=elu alpha=0.5\n" Y},
    {"sigmoid", CONV "%y = sigmoid(%c)\n" Y, FUSED "act=sigmoid\n" Y},
    {"tanh", CONV "%y = tanh(%c)\n" Y, FUSED "act=tanh\n" Y},
    {"clip", CONV "%y = clip(%c) alpha=-0.5 beta=0.5\n" Y, FUSED "act=clip alpha=-0.5 beta=0.5\n" Y},
    {"prelu, one slope per channel", CONV "const %p f32[3,1] {1,2,3}\n%y = prelu(%c, %p)\n" Y,
     X "const %c.slope f32[3] {1,2,3}\n%y = conv(%x, %w, _, %c.slope)" ARGS " name=\"c\" act=prelu\n" Y},
    {"prelu, one slope", CONV "const %p f32[] {0.5}\n%y = prelu(%c, %p)\n" Y,
     X "const %c.slope f32[3] {0.5,0.5,0.5}\n%y = conv(%x, %w, _, %c.slope)" ARGS
       " name=\"c\" act=prelu\n" Y},
    {"only the first of two", CONV "%a = relu(%c)\n%y = tanh(%a)\n" Y,
     X "%a = conv(%x, %w)" ARGS " name=\"c\" act=relu\n%y = tanh(%a)\n" Y},
    {"transposed", UP "%y = relu(%c)\n" Y,
     "input %x f32[1,3,4]\nconst %w f32[3,2,2] random(1)\nconst %b f32[2] random(2)\n"
     "%y = conv_transpose(%x, %w, %b)" ARGS " output_pad=[0] name=\"c\" act=relu\n" Y},
    {"instance norm", NORM "%y = relu(%c)\n" Y,
     "input %x f32[1,2,4]\nconst %s f32[2] random(1)\nconst %b f32[2] random(2)\n"
     "%y = instance_norm(%x, %s, %b) eps=0.1 name=\"c\" act=relu\n" Y},
    {"skip", CONV SKIP "%y = add(%c, %s)\n" Y, ADDED("")},
    {"skip first", CONV SKIP "%y = add(%s, %c)\n" Y, ADDED("")},
    {"skip, then an activation", CONV SKIP "%a = add(%c, %s)\n%y = relu(%a)\n" Y, ADDED(" act=relu")},
    {"skip and bias", BIASED "%c = conv(%x, %w, %b)" ARGS "\n%a = add(%c, %s)\n%y = elu(%a) alpha=0.5\n" Y,
     BIASED "%y = conv(%x, %w, %b, _, %s)" ARGS " name=\"c\" act=elu alpha=0.5\n" Y},
    {"skip and slopes", CONV SKIP "const %p f32[] {0.5}\n%a = add(%c, %s)\n%y = prelu(%a, %p)\n" Y,
     X SKIP "const %c.slope f32[3] {0.5,0.5,0.5}\n%y = conv(%x, %w, _, %c.slope, %s)" ARGS
            " name=\"c\" act=prelu\n" Y},
    {"of two convs the later one adds", CONV "%d = conv(%x, %w)" ARGS "\n%y = add(%c, %d)\n" Y,
     CONV "%y = conv(%x, %w, _, _, %c)" ARGS " name=\"d\"\n" Y},
    {"of two convs the one without activation adds",
     CONV "%d = conv(%x, %w)" ARGS "\n%r = relu(%d)\n%y = add(%c, %r)\n" Y,
     X "%r = conv(%x, %w)" ARGS " name=\"d\" act=relu\n%y = conv(%x, %w, _, _, %r)" ARGS " name=\"c\"\n" Y},
    {"the conv waits for its skip", CONV SKIP "%t = abs(%s)\n%u = neg(%t)\n%y = add(%c, %u)\n" Y,
     X SKIP "%t = abs(%s)\n%u = neg(%t)\n%y = conv(%x, %w, _, _, %u)" ARGS " name=\"c\"\n" Y},
    {"only the first of two skips", CONV SKIP "%a = add(%c, %s)\n%y = add(%a, %s)\n" Y,
     X SKIP "%a = conv(%x, %w, _, _, %s)" ARGS " name=\"c\"\n%y = add(%a, %s)\n" Y},
};

static const char *const kept[] = {
    /* the sum itself is wanted too */
    CONV "%y = relu(%c)\noutput %c\n" Y,
    CONV "%r = relu(%c)\n%y = add(%c, %r)\n" Y,
    /* it has one already */
    X "%c = conv(%x, %w)" ARGS " act=tanh\n%y = sigmoid(%c)\n" Y,
    /* slopes that differ within a channel, or are computed */
    CONV "const %p f32[1,3] {1,2,3}\n%y = prelu(%c, %p)\n" Y,
    CONV "input %p f32[3,1]\n%y = prelu(%c, %p)\n" Y,
    /* a sum that broadcasts, of what is used elsewhere, is activated before, or is a difference */
    CONV "input %s f32[1,3,1]\n%y = add(%c, %s)\n" Y,
    CONV "input %s f32[2,3,3]\n%y = add(%c, %s)\n" Y,
    CONV SKIP "%y = add(%c, %s)\noutput %c\n" Y,
    CONV "%y = add(%c, %c)\n" Y,
    X SKIP "%c = conv(%x, %w)" ARGS " act=relu\n%y = add(%c, %s)\n" Y,
    CONV SKIP "%y = sub(%c, %s)\n" Y,
    /* not an activation, and nothing in front */
    CONV "%y = floor(%c)\n" Y,
    ("input %x f32[1,2,4]\n%y = relu(%x)\n" Y),
};

static void fuses(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof rewrites / sizeof rewrites[0]; k++)
        test_check_pass(rewrites[k].name, pass_fuse, rewrites[k].before, rewrites[k].after, 0);
}

static void keeps_the_rest(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++)
        test_check_pass(kept[k], pass_fuse, kept[k], kept[k], 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(fuses), cmocka_unit_test(keeps_the_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
