/* The interpreter of plans: sound plans of both targets pass it, and each field of a plan, once wrong, is
 * reported with the layer that meets the fault. */
#include "pass_lib.h"

#include "codegen.h"
#include "passes.h"
#include "pipeline.h"
#include "plan_interp.h"

#define CONV1 "kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
#define CONV3 "kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1"
#define VALID "kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
#define HALF  "kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0]"

/* ---- networks -------------------------------------------------------------------------------- */

/* Unpadded: a pool and a crop in one epilogue, a concat of their branches. */
static const char unet[] = //
    "input %x f32[1,1,16,16,16]\n"
    "const %w1 f32[16,1,3,3,3] random(1)\nconst %w2 f32[16,16,3,3,3] random(2,0.1)\n"
    "const %w3 f32[32,16,3,3,3] random(3,0.1)\nconst %w4 f32[32,16,2,2,2] random(4,0.2)\n"
    "const %w5 f32[16,32,3,3,3] random(5,0.1)\nconst %w6 f32[2,16,1,1,1] random(6)\n"
    "%a = conv(%x, %w1) " VALID " act=relu\n%b = conv(%a, %w2) " VALID " act=relu\n"
    "%p = max_pool(%b) " HALF " ceil=0\n%c = conv(%p, %w3) " VALID " act=relu\n"
    "%u = conv_transpose(%c, %w4) " HALF " output_pad=0x0x0 group=1\n"
    "%k = slice(%b) begin=[0,0,2,2,2] size=1x16x8x8x8 step=[1,1,1,1,1]\n"
    "%m = concat(%u, %k) axis=1\n%d = conv(%m, %w5) " CONV3 " act=relu\n%y = conv(%d, %w6) " CONV1 "\n"
    "output %y\n";

/* The same with a skip that is kept whole: its pool is joined to the conv. */
static const char padded[] = //
    "input %x f32[1,1,12,12,12]\n"
    "const %w1 f32[16,1,3,3,3] random(1)\nconst %w2 f32[16,16,3,3,3] random(2,0.1)\n"
    "const %w3 f32[32,16,3,3,3] random(3,0.1)\nconst %w4 f32[32,16,2,2,2] random(4,0.2)\n"
    "const %w5 f32[16,32,3,3,3] random(5,0.1)\nconst %w6 f32[2,16,1,1,1] random(6)\n"
    "%a = conv(%x, %w1) " CONV3 " act=relu\n%b = conv(%a, %w2) " CONV3 " act=relu\n"
    "%p = max_pool(%b) " HALF " ceil=0\n%c = conv(%p, %w3) " CONV3 " act=relu\n"
    "%u = conv_transpose(%c, %w4) " HALF " output_pad=0x0x0 group=1\n%k = relu(%b)\n"
    "%m = concat(%u, %k) axis=1\n%d = conv(%m, %w5) " CONV3 " act=relu\n%y = conv(%d, %w6) " CONV1 "\n"
    "output %y\n";

/* Norms that the convs before them gather and those behind them do on load; channels that fill no block. */
static const char norms[] = //
    "input %x f32[1,4,8,6,6]\n"
    "const %w1 f32[16,4,3,3,3] random(1)\nconst %w2 f32[16,16,3,3,3] random(2,0.1)\n"
    "const %w3 f32[20,16,1,1,1] random(3,0.1)\nconst %s f32[16] random(5)\nconst %b f32[16] random(6)\n"
    "const %s2 f32[20] random(7)\nconst %b2 f32[20] random(8)\n"
    "%a = conv(%x, %w1) " CONV3 "\n%na = instance_norm(%a, %s, %b) eps=1e-5\n"
    "%ra = leaky_relu(%na) alpha=0.01\n%c = conv(%ra, %w2) " CONV3 "\n"
    "%nc = instance_norm(%c, %s, %b) eps=1e-5 group=4\n%rc = relu(%nc)\n%e = conv(%rc, %w3) " CONV1 "\n"
    "%ne = instance_norm(%e, %s2, %b2) eps=1e-5\n%y = softmax(%ne) axis=1\noutput %y\n";

/* Nested concats, members that are inputs, conversions, reshapes, two outputs, other ranks and types. */
static const char concats[] = //
    "input %x f32[1,16,6,6,6]\ninput %z f32[1,40,1,36]\n"
    "const %w1 f32[16,16,3,3,3] random(1,0.1)\nconst %w2 f32[20,64,1,1,1] random(2,0.1)\n"
    "const %w3 f32[5,40,1,1,1] random(3,0.1)\n"
    "%a = conv(%x, %w1) " CONV3 " act=relu\n%b = conv(%a, %w1) " CONV3 "\n%i = concat(%a, %b) axis=1\n"
    "%d = conv(%b, %w1) " CONV3 "\n%o = concat(%d, %i, %x) axis=1\n%e = conv(%o, %w2) " CONV1 "\n"
    "%f = relu(%e)\n%n = concat(%e, %f) axis=1\n%r = reshape(%n) shape=[1,40,6,36]\n"
    "%q = reduce_max(%r) axes=[2] keepdims=1\n%v = exp(%q)\n%g = greater(%v, %z)\n"
    "%h = cast(%g) to=u8\n%t = conv(%n, %w3) " CONV1 "\noutput %v\noutput %t\noutput %h\n";

/* Deep along D: everything that streams, with Winograd's tiles and without, and a skip. */
static const char chain[] = //
    "input %x f32[1,3,20,6,7]\n"
    "const %w1 f32[20,3,3,3,3] random(1,0.3)\nconst %w2 f32[20,20,3,3,3] random(2,0.1)\n"
    "const %wt f32[20,20,3,2,2] random(3,0.2)\nconst %wq f32[3,20,2,1,1] random(4,0.3)\n"
    "const %s f32[20] random(6)\nconst %v f32[20] splat(1.5)\nconst %two f32[1] {2}\n"
    "%a = conv(%x, %w1, %s) " CONV3 " act=relu\n%n = batch_norm(%a, %s, %s, %s, %v) eps=0.001\n"
    "%b = conv(%n, %w2, %s) " CONV3
    "\n%i = add(%b, %n)\n%c = elu(%i) alpha=1\n%t = tanh(%c)\n%j = add(%t, %n)\n"
    "%m = mul(%j, %two)\n%k = slice(%m) begin=[0,0,5,1,2] size=[1,20,7,4,5] step=[1,1,1,1,1]\n"
    "%p = max_pool(%m) " HALF " ceil=0\n"
    "%f = average_pool(%p) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] ceil=0 include_pad=1\n"
    "%u = conv_transpose(%f, %wt) kernel=3x2x2 stride=2x2x2 dilation=1x1x1 pad=[1,0,0,1,0,0] "
    "output_pad=[0,0,0] group=1\n"
    "%q = conv(%u, %wq) kernel=2x1x1 stride=1x1x1 dilation=1x1x1 pad=[1,0,0,0,0,0] group=1\n"
    "%h = softmax(%u) axis=1\n%l = arg_max(%h) axis=1 keepdims=1 select_last=0\n"
    "output %q\noutput %k\noutput %l\n";

/* Voxels with channels to spare, in a concat whose members a GPU's kernels write in place. */
static const char members[] = //
    "input %x f32[1,16,24,8,8]\n"
    "const %w1 f32[20,16,3,3,3] random(1,0.1)\nconst %w2 f32[32,44,3,3,3] random(2,0.1)\n"
    "const %wt f32[20,24,2,2,2] random(3,0.2)\nconst %s f32[32] random(4)\n"
    "%a = conv(%x, %w1) " CONV3 " act=relu\n%p = max_pool(%a) " HALF " ceil=0\n"
    "%u = conv_transpose(%p, %wt) " HALF " output_pad=0x0x0 group=1 act=relu\n%r = sigmoid(%a)\n"
    "%o = concat(%u, %r) axis=1\n%c = conv(%o, %w2) " VALID "\n%n = instance_norm(%c, %s, %s) eps=1e-5\n"
    "%y = max_pool(%n) " HALF " ceil=1\noutput %y\n";

static const struct network {
    const char *name, *text;
} networks[] = {{"unet", unet},       {"padded", padded}, {"norms", norms},
                {"concats", concats}, {"chain", chain},   {"members", members}};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* ---- plans ----------------------------------------------------------------------------------- */

static const struct goal {
    const char *name;
    ir_goals goals;
} goals[] = {
    {"c", {.target = IR_TARGET_C, .lanes = 2}},
    {"c, strict", {.target = IR_TARGET_C, .lanes = 2, .strict = true}},
    {"c, whole", {.target = IR_TARGET_C, .lanes = 1, .whole = true}},
    {"c, direct", {.target = IR_TARGET_C, .lanes = 1, .thrift = IR_DIRECT}},
    {"cuda, fp32", {.target = IR_TARGET_CUDA, .precision = IR_FP32}},
    {"cuda, fp16", {.target = IR_TARGET_CUDA, .precision = IR_FP16}},
    {"cuda, bf16", {.target = IR_TARGET_CUDA, .precision = IR_BF16}},
};
enum { GOALS = sizeof goals / sizeof *goals, CPU = 0, GPU = 4 };

static ir_graph *plan(const char *text, int goal) {
    ir_graph *g = test_graph(text);
    pass_report reports[MAX_PASSES];
    ir_diag d = {0};
    int count;
    g->goals = goals[goal].goals;
    if (!pipeline_run(g, &(pipeline_options){0}, reports, &count, &d)) fail_msg("%s", d.text);
    return g;
}

/* All nodes of a CPU's plan as one group. */
static ir_graph *plan_stream(const char *text, int slab, bool winograd) {
    ir_graph *g = test_graph(text);
    g->goals = goals[CPU].goals;
    must(pass_fuse, g);
    must(pass_outputs, g);
    must(pass_layout, g);
    must(pass_views, g);
    if (winograd) must(pass_algorithm, g);
    if (winograd) must(pass_epilogue, g);
    pass_stream_group(g, 0, g->n_nodes - 1, slab);
    must(pass_blocking, g);
    must(pass_memory, g);
    return g;
}

/* A message, or "" for a plan that computes what the text means. */
static const char *verdict(const char *text, const ir_graph *g) {
    static ir_diag d;
    ir_graph *source = test_graph(text);
    d = (ir_diag){0};
    if (plan_check(source, g, 1, &d)) d.text[0] = 0;
    ir_graph_free(source);
    return d.text;
}

typedef struct features {
    int views, rings, fused, loaded, joined, gathered, pitches;
} features;

static void count(features *f, const ir_graph *g) {
    for (int i = 0; i < g->n_tensors; i++) {
        f->views += g->tensors[i]->view_of != NULL;
        f->rings += g->tensors[i]->ring != 0;
        f->fused += g->tensors[i]->fused;
        f->loaded += g->tensors[i]->on_load;
        f->pitches += g->tensors[i]->pitch > g->tensors[i]->dim[1];
    }
    for (int i = 0; i < g->n_nodes; i++) {
        f->joined += g->nodes[i]->joined;
        f->gathered += g->nodes[i]->gathered;
    }
}

static void test_sound_plans_of_the_pipeline_pass(void **state) {
    (void)state;
    features f = {0};
    for (int n = 0; n < NETWORKS; n++)
        for (int k = 0; k < GOALS; k++) {
            ir_graph *g = plan(networks[n].text, k);
            const char *says = verdict(networks[n].text, g);
            if (*says) fail_msg("%s, %s: %s", networks[n].name, goals[k].name, says);
            count(&f, g);
            ir_graph_free(g);
        }
    /* else the networks have to be made anew */
    assert_true(f.views && f.rings && f.fused && f.loaded && f.joined && f.gathered && f.pitches);
}

static void test_sound_streams_pass(void **state) {
    (void)state;
    for (int slab = 1; slab <= 5; slab += 2)
        for (int winograd = 0; winograd < 2; winograd++) {
            ir_graph *g = plan_stream(chain, slab, winograd);
            const char *says = verdict(chain, g);
            if (*says) fail_msg("%d planes, winograd %d: %s", slab, winograd, says);
            ir_graph_free(g);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_plans_of_the_pipeline_pass),
        cmocka_unit_test(test_sound_streams_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
