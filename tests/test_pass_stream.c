/* Streaming: which groups the pass finds, and what the verifier says to groups and rings that cannot work. */
#include "pass_lib.h"

#include "codegen.h"
#include "lifetime.h"
#include "passes.h"
#include "pipeline.h"
#include "plan_verify.h"

#define CONV3(pad) " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[" pad "] group=1"
#define VALID      CONV3("0,0,0,0,0,0")
#define SAME       CONV3("1,1,1,1,1,1")
#define POOL       " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0"
#define UP         " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=[0,0,0] group=1"
#define CONSTS                                                                                               \
    "const %w1 f32[16,1,3,3,3] random(1)\nconst %w2 f32[16,16,3,3,3] random(2)\n"                            \
    "const %w3 f32[4,32,3,3,3] random(3)\nconst %w4 f32[4,16,3,3,3] random(4)\n"                             \
    "const %wt f32[16,16,2,2,2] random(5)\nconst %one f32[16] splat(1)\n"

/* ---- the pass -------------------------------------------------------------------------------- */

/* Text that is streamed; returns how much memory it needed before. */
static int64_t stream(ir_graph *g) {
    must(pass_outputs, g);
    must(pass_layout, g);
    must(pass_views, g);
    int64_t before = ir_memory_bound(g);
    must(pass_stream, g);
    must(pass_memory, g);
    return before;
}

static int group_of(const ir_graph *g, const char *name) {
    for (int i = 0; i < g->n_nodes; i++)
        if (strcmp(g->nodes[i]->name, name) == 0) return g->nodes[i]->memory.stream;
    fail_msg("no node %s", name);
    return 0;
}

/* One level down and up again; the crop of %b is read at the end. */
static void test_a_crop_streams_with_what_it_crops(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,1,36,70,70]\n" CONSTS "%a = conv(%x, %w1)" VALID
                        "\n%b = conv(%a, %w2)" VALID "\n%p = max_pool(%b)" POOL
                        "\n%n = instance_norm(%p, %one, %one) eps=0.1\n%u = conv_transpose(%n, %wt)" UP "\n"
                        "%s = slice(%b) begin=[0,0,8,12,12] size=[1,16,16,40,40] step=[1,1,1,1,1]\n"
                        "%v = slice(%u) begin=[0,0,8,12,12] size=[1,16,16,40,40] step=[1,1,1,1,1]\n"
                        "%j = concat(%v, %s) axis=1\n%y = conv(%j, %w3)" VALID "\noutput %y\n");
    int64_t before = stream(g);
    assert_true(g->arena_bytes < before / 2);
    assert_string_equal(g->nodes[2]->name, "s"); /* right behind %b, which is a ring now */
    assert_int_equal(group_of(g, "s"), group_of(g, "b"));
    assert_int_equal(group_of(g, "n"), 0);
    expect(g, "-> f32[1,16,34,68,68] block16 ring4 arena");
    expect(g, "-> f32[1,16,32,66,66] block16 ring2 arena");
    ir_graph_free(g);
}

/* A skip that is cropped and added, on odd sizes: a group takes the crop out of another one, whose rings were
 * as long as its turns asked for. */
static void test_a_crop_leaves_another_group(void **state) {
    (void)state;
    ir_graph *g = parse(
        "graph g\ninput %t1 f32[1,3,36,37,37]\nconst %w f32[6,3,3,3,3] random(1)\n"
        "const %u f32[6,3,2,2,2] random(2)\nconst %b f32[3] random(3)\n%t2 = elu(%t1) alpha=1\n"
        "%t4 = elu(%t2) alpha=1\n%t5 = max_pool(%t4)" POOL "\n%t6 = conv(%t5, %w)" SAME
        "\n%t10 = conv_transpose(%t6, %u, %b)" UP "\n%t11 = slice(%t4) begin=[0,0,0,0,1] size=[1,3,36,36,36] "
        "step=[1,1,1,1,1]\n%t12 = add(%t11, %t10)\noutput %t12\n");
    stream(g);
    assert_int_equal(group_of(g, "t11"), group_of(g, "t4"));
    assert_int_not_equal(group_of(g, "t12"), group_of(g, "t4"));
    ir_graph_free(g);
}

/* Neither peak alone lowers the need: both go, or none. */
static void test_equal_peaks_go_together(void **state) {
    (void)state;
    static const char *const text =
        "graph g\ninput %x f32[1,1,32,64,64]\n" CONSTS "%a = conv(%x, %w1)" SAME "\n%b = conv(%a, %w2)" SAME
        "\n%p = max_pool(%b)" POOL
        "\n%n = instance_norm(%p, %one, %one) eps=0.1\n%u = conv_transpose(%n, %wt)" UP
        "\n%d = conv(%u, %w2)" SAME "\n%y = conv(%d, %w4)" SAME "\noutput %y\n";
    ir_graph *g = parse(text);
    int64_t before = stream(g);
    assert_true(g->arena_bytes < before / 2);
    assert_int_equal(group_of(g, "b"), 1);
    assert_int_equal(group_of(g, "d"), 2);
    ir_graph_free(g);
    char *stuck = test_format("%.*s%s", (int)(strstr(text, "\noutput") - text), text,
                              "\n%q = instance_norm(%d, %one, %one) eps=0.1\noutput %y\noutput %q\n");
    g = parse(stuck); /* %d must be whole for %q, beside %u */
    stream(g);
    assert_int_equal(group_of(g, "q"), 0);
    free(stuck);
    ir_graph_free(g);
}

static void test_small_steps_are_not_worth_it(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,1,14,14,14]\n" CONSTS "%a = conv(%x, %w1)" VALID
                        "\n%b = conv(%a, %w2)" VALID "\n%p = max_pool(%b)" POOL "\noutput %p\n");
    stream(g);
    assert_int_equal(group_of(g, "a"), 0);
    ir_graph_free(g);
}

static void test_a_chain_of_dilated_convolutions_is_one_group(void **state) {
    (void)state;
    char *text =
        test_format("%s", "graph g\ninput %x f32[1,1,64,64,64]\n" CONSTS "%l0 = conv(%x, %w1)" SAME "\n");
    int dilation[] = {1, 2, 4, 8, 4, 2, 1};
    for (int i = 0; i < 7; i++) {
        int r = dilation[i];
        char *more = test_format("%s%%l%d = conv(%%l%d, %%w2) kernel=3x3x3 stride=1x1x1 dilation=%dx%dx%d "
                                 "pad=[%d,%d,%d,%d,%d,%d] group=1\n",
                                 text, i + 1, i, r, r, r, r, r, r, r, r, r);
        free(text);
        text = more;
    }
    char *whole = test_format("%s%s", text, "%y = conv(%l7, %w4)" SAME "\noutput %y\n");
    ir_graph *g = parse(whole);
    stream(g);
    for (int i = 0; i < g->n_nodes; i++) assert_int_equal(g->nodes[i]->memory.stream, 1);
    expect(g, "ring17"); /* what a dilation of 8 reaches */
    free(text);
    free(whole);
    ir_graph_free(g);
}

/* The product's plan of a network whose first layers stream: splitting the work of its steps again changes
 * nothing. */
static void test_a_steps_work_is_split_when_steps_are_known(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,1,48,96,96]\n" CONSTS "%a = conv(%x, %w1)" SAME
                        "\n%b = conv(%a, %w2)" SAME "\n%p = max_pool(%b)" POOL "\n%y = conv(%p, %w4)" SAME
                        "\noutput %y\n");
    pass_report reports[MAX_PASSES];
    ir_diag d = {0};
    int count, split = 0;
    g->goals.lanes = 4;
    if (!pipeline_run(g, &(pipeline_options){0}, reports, &count, &d)) fail_msg("%s", d.text);
    for (int i = 0; i < g->n_nodes; i++) split += g->nodes[i]->memory.stream && g->nodes[i]->cpu.split[0];
    assert_true(split > 0);
    char *once = ir_print_string(g);
    must(pass_blocking, g);
    char *twice = ir_print_string(g);
    assert_string_equal(once, twice);
    free(once), free(twice);
    ir_graph_free(g);
}

/* ---- the verifier ---------------------------------------------------------------------------- */

#define X "graph g\ninput %x f32[1,1,12,12,12]\n" CONSTS
static const struct {
    const char *broken, *text;
} groups[] = {
    {NULL,
     "%a = conv(%x, %w1)" VALID " stream=1x2 -> f32[1,16,10,10,10] block16 ring4\n%y = conv(%a, %w2)" VALID
     " stream=1x2\noutput %y\n"},
    {"stream-order",
     "%a = conv(%x, %w1)" VALID " stream=1x2 -> f32[1,16,10,10,10] block16 ring3\n%y = conv(%a, %w2)" VALID
     " stream=1x2\noutput %y\n"},
    {"stream-order",
     "%a = conv(%x, %w1)" VALID " stream=1x3 -> f32[1,16,10,10,10] block16 ring4\n%y = conv(%a, %w2)" VALID
     " stream=1x3\noutput %y\n"},
    {"stream-order",
     "%a = relu(%x) stream=1x4 -> f32[1,1,12,12,12] ring3\n%y = exp(%a) stream=1x4\noutput %y\n"},
    {NULL, "%a = relu(%x) stream=1x4 -> f32[1,1,12,12,12] ring4\n%y = exp(%a) stream=1x4\noutput %y\n"},
    /* planes of a skip wait for the conv that adds them */
    {NULL, "%a = conv(%x, %w1)" SAME " stream=1x2 -> f32[1,16,12,12,12] block16 ring4\n"
           "%b = conv(%a, %w2)" SAME " stream=1x2 -> f32[1,16,12,12,12] block16 ring4\n"
           "%c = conv(%b, %w2, _, _, %a)" SAME " stream=1x2 -> f32[1,16,12,12,12] block16 ring2\n"
           "%y = from_block(%c) stream=1x2\noutput %y\n"},
    {"stream-order", "%a = conv(%x, %w1)" SAME " stream=1x2 -> f32[1,16,12,12,12] block16 ring3\n"
                     "%b = conv(%a, %w2)" SAME " stream=1x2 -> f32[1,16,12,12,12] block16 ring4\n"
                     "%c = conv(%b, %w2, _, _, %a)" SAME " stream=1x2 -> f32[1,16,12,12,12] block16 ring2\n"
                     "%y = from_block(%c) stream=1x2\noutput %y\n"},
    /* a crop that lags behind would find its planes gone */
    {NULL, "%a = relu(%x) stream=1x2 -> f32[1,1,12,12,12] ring2\n"
           "%s = slice(%a) begin=[0,0,4,0,0] size=[1,1,4,12,12] step=[1,1,1,1,1] stream=1x2\n"
           "%y = exp(%a) stream=1x2\noutput %y\noutput %s\n"},
    {"ring", "%a = relu(%x) stream=1x2 -> f32[1,1,12,12,12] ring2\n%y = exp(%a) stream=1x2\n%z = log(%a)\n"
             "output %y\noutput %z\n"},
    {"ring",
     "%a = relu(%x) stream=1x2 -> f32[1,1,12,12,12] ring2\n%y = exp(%a) stream=1x2\noutput %y\noutput %a\n"},
    {"ring", "%a = relu(%x) -> f32[1,1,12,12,12] ring2\n%y = exp(%a)\noutput %y\n"},
    {"ring", "%a = relu(%x) stream=1x2 -> f32[1,1,12,12,12] ring12\n%y = exp(%a) stream=1x2\noutput %y\n"},
    {"ring", "%a = relu(%x) stream=1x2 -> f32[1,1,12,12,12] ring2\n%b = exp(%a) stream=1x2 -> "
             "f32[1,1,12,12,12] ring2 "
             "in %a+0\n%y = log(%b) stream=1x2\noutput %y\n"},
    {"stream", "%a = relu(%x) stream=1x2\n%y = exp(%a) stream=1x4\noutput %y\n"},
    {"stream", "%a = relu(%x) stream=1x2\n%b = log(%a)\n%y = exp(%b) stream=1x2\noutput %y\n"},
    {"stream", "%y = instance_norm(%x, %k, %k) eps=0.1 stream=1x2\noutput %y\n"},
    {"stream",
     "%y = slice(%x) begin=[0,0,0,0,0] size=[1,1,6,12,12] step=[1,1,2,1,1] stream=1x2\noutput %y\n"},
    {"stream", "%r = reshape(%x) shape=[12,144]\n%y = exp(%r) stream=1x2\noutput %y\n"},
    /* %c may lie where %a did, unless they stream together: 6912 bytes each */
    {NULL,
     "arena 13824\n%a = relu(%x) -> f32[1,1,12,12,12] arena+0\n%b = exp(%a) -> f32[1,1,12,12,12] arena+6912\n"
     "%c = log(%b) -> f32[1,1,12,12,12] arena+0\n%y = relu(%c)\noutput %y\n"},
    {"memory-overlap", "arena 13824\n%a = relu(%x) stream=1x2 -> f32[1,1,12,12,12] arena+0\n"
                       "%b = exp(%a) stream=1x2 -> f32[1,1,12,12,12] arena+6912\n"
                       "%c = log(%b) stream=1x2 -> f32[1,1,12,12,12] arena+0\n%y = relu(%c)\noutput %y\n"},
    {"memory-in-place", "%a = relu(%x) stream=1x2\n%b = exp(%a) stream=1x2 -> f32[1,1,12,12,12] in %a+0\n"
                        "%y = log(%b) stream=1x2\noutput %y\n"},
};

static void test_groups_that_cannot_work_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        char *text = test_format("%sconst %%k f32[1] splat(1)\n%s", X, groups[i].text);
        ir_graph *g = parse(text);
        ir_diag d = {0};
        bool good = plan_verify(g, &d);
        char *want = test_format("invariant %s: ", groups[i].broken ? groups[i].broken : "");
        if (good != !groups[i].broken || (!good && strncmp(d.text, want, strlen(want)) != 0))
            fail_msg("wanted %s, got %s for\n%s", groups[i].broken ? groups[i].broken : "(sound)", d.text,
                     groups[i].text);
        char *printed = ir_print_string(g);
        ir_graph *again = parse(printed);
        char *reprinted = ir_print_string(again);
        assert_string_equal(printed, reprinted);
        free(text), free(want), free(printed), free(reprinted);
        ir_graph_free(g);
        ir_graph_free(again);
    }
}

/* Whatever the group's size and pace: the rings are as small as they can be, and no smaller. */
static void test_a_plane_less_is_noticed(void **state) {
    (void)state;
    for (int slab = 1; slab <= 9; slab++) {
        ir_graph *g =
            parse("graph g\ninput %x f32[1,1,33,12,12]\n" CONSTS
                  "%a = conv(%x, %w1) kernel=3x3x3 stride=2x1x1 dilation=2x1x1 pad=[3,1,1,2,1,1] group=1\n"
                  "%b = conv_transpose(%a, %wt) kernel=2x2x2 stride=2x1x1 dilation=1x1x1 "
                  "pad=[1,0,0,0,0,0] output_pad=[0,0,0] group=1\n%c = tanh(%b)\n"
                  "%s = slice(%b) begin=[0,0,9,0,0] size=[1,16,14,13,13] step=[1,1,1,1,1]\n"
                  "%d = add(%b, %c)\n%e = average_pool(%d) kernel=3x1x1 stride=2x1x1 dilation=1x1x1 "
                  "pad=[1,0,0,1,0,0] ceil=0 include_pad=0\n%y = neg(%e)\noutput %y\noutput %s\n");
        pass_stream_group(g, 0, g->n_nodes - 1, slab);
        ir_diag d = {0};
        if (!plan_verify(g, &d)) fail_msg("%d planes: %s", slab, d.text);
        int rings = 0;
        for (int i = 0; i < g->n_nodes; i++) {
            ir_tensor *t = g->nodes[i]->out[0];
            if (t->memory.ring < 2) continue;
            rings++;
            t->memory.ring--;
            d = (ir_diag){0};
            if (plan_verify(g, &d))
                fail_msg("%d planes: %%%s needs no %d", slab, t->name, t->memory.ring + 1);
            t->memory.ring++;
        }
        assert_true(rings > 0);
        ir_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_crop_streams_with_what_it_crops),
        cmocka_unit_test(test_a_crop_leaves_another_group),
        cmocka_unit_test(test_equal_peaks_go_together),
        cmocka_unit_test(test_small_steps_are_not_worth_it),
        cmocka_unit_test(test_a_chain_of_dilated_convolutions_is_one_group),
        cmocka_unit_test(test_a_steps_work_is_split_when_steps_are_known),
        cmocka_unit_test(test_groups_that_cannot_work_are_named),
        cmocka_unit_test(test_a_plane_less_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
