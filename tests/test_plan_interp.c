/* The interpreter of plans: sound plans of both targets pass it, and each field of a plan, once wrong, is
 * reported with the layer that meets the fault. */
#include "pass_lib.h"

#include "codegen.h"
#include "load.h"
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
    "const %w1 f32[20,16,3,3,3] random(1,0.1)\nconst %w2 f32[32,40,3,3,3] random(2,0.1)\n"
    "const %wt f32[20,20,2,2,2] random(3,0.2)\nconst %s f32[32] random(4)\n"
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
        f->views += g->tensors[i]->memory.view_of != NULL;
        f->rings += g->tensors[i]->memory.ring != 0;
        f->fused += g->tensors[i]->cpu.fused;
        f->loaded += g->tensors[i]->cpu.on_load;
        f->pitches += g->tensors[i]->gpu.pitch > g->tensors[i]->dim[1];
    }
    for (int i = 0; i < g->n_nodes; i++) {
        f->joined += g->nodes[i]->cpu.joined;
        f->gathered += g->nodes[i]->cpu.gathered;
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

static void check_model(const char *path, const char *const *dims, int goal) {
    options o = {.model = path, .init = "1"};
    ir_diag d = {0};
    for (; dims[o.n_input_dims]; o.n_input_dims++) o.input_dim[o.n_input_dims] = dims[o.n_input_dims];
    ir_graph *source = load_model(&o, LOAD_SHAPES, &d);
    if (!source) fail_msg("%s", d.text);
    ir_graph *g = ir_copy(source);
    g->goals = goals[goal].goals;
    pass_report reports[MAX_PASSES];
    int passes;
    if (!pipeline_run(g, &(pipeline_options){0}, reports, &passes, &d) || !plan_check(source, g, 1, &d))
        fail_msg("%s, %s: %s", path, goals[goal].name, d.text);
    ir_graph_free(g);
    ir_graph_free(source);
}

static void test_models_pass(void **state) {
    (void)state;
    static const char *const cube[] = {"D=16", "H=16", "W=16", NULL}, *const flat[] = {"D=24", "H=9", "W=9",
                                                                                       NULL};
    static const int some[] = {CPU, GPU, GPU + 1};
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        check_model("models/deepbrain_v1.yaml", cube, some[k]);
        check_model("models/nnunet_small.yaml", cube, some[k]);
        check_model("models/resunet_small.yaml", cube, some[k]);
        check_model("models/meshnet_few.yaml", flat, some[k]);
    }
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

/* ---- plans written by hand --------------------------------------------------------------------- */

#define PLAIN5 "f32[1,16,2,2,2]"
static const struct fault {
    const char *name;
    ir_target target;
    const char *text, *says; /* "": sound */
} faults[] = {
    {"a member that is copied to its other place", IR_TARGET_C,
     "arena 1088\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " in %c+0\n"
     "%c = concat(%r, %r) axis=1 -> f32[1,32,2,2,2] arena+64\n%y = exp(%c)\noutput %y\n",
     ""},
    {"a member that is copied and one that is not", IR_TARGET_C,
     "arena 1088\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " in %c+64\n"
     "%c = concat(%r, %x) axis=1 -> f32[1,32,2,2,2] arena+64\n%y = exp(%c)\noutput %y\n",
     "concat 'c' reads element [0,0,0,0,0] of %r at arena+128, which holds %c, which is being computed"},
    {"a member in one place and copied to the other", IR_TARGET_C,
     "arena 1536\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%s = exp(%r) -> " PLAIN5
     " in %c+0\n%c = concat(%s, %r) axis=1 -> f32[1,32,2,2,2] arena+512\n%y = exp(%c)\noutput %y\n",
     ""},
    {"two values in one place", IR_TARGET_C,
     "arena 512\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%s = exp(%x) -> " PLAIN5
     " arena+0\n%y = add(%r, %s)\noutput %y\n",
     "add 'y' reads element [0,0,0,0,0] of %r at arena+0, which holds element [0,0,0,0,0] of %s"},
    {"in place", IR_TARGET_C,
     "arena 512\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%s = exp(%r) -> " PLAIN5
     " in %r+0\n%y = log(%s)\noutput %y\n",
     ""},
    {"in place, but read again", IR_TARGET_C,
     "arena 512\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%s = exp(%r) -> " PLAIN5
     " in %r+0\n%y = add(%s, %r)\noutput %y\n",
     "add 'y' reads element [0,0,0,0,0] of %r at arena+0, which holds element [0,0,0,0,0] of %s"},
    {"where it reads", IR_TARGET_C,
     "arena 1024\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%s = exp(%r) -> " PLAIN5
     " arena+64\n%y = log(%s)\noutput %y\n",
     "exp 's' reads element [0,2,0,0,0] of %r at arena+64, which holds %s, which is being computed"},
    {"over a view", IR_TARGET_C,
     "arena 512\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%v = reshape(%r) shape=[16,8] -> "
     "f32[16,8] in %r+0\n%s = exp(%x) -> " PLAIN5 " arena+0\n%t = exp(%v)\n%y = neg(%s)\noutput %t\n"
     "output %y\n",
     "exp 't' reads element [0,0,0,0,0] of %r, in %v, at arena+0, which holds element [0,0,0,0,0] of %s"},
    {"outside the arena", IR_TARGET_C,
     "arena 448\ninput %x " PLAIN5 "\n%r = relu(%x) -> " PLAIN5 " arena+0\n%y = exp(%r)\noutput %y\n",
     "relu 'r' writes element [0,14,0,0,0] of %r at arena+448, outside the arena of 448 bytes"},
    {"a kernel that crops once", IR_TARGET_C,
     "arena 100000\ninput %x f32[1,16,4,4,4]\nconst %w f32[16,16,3,3,3] random(1)\n"
     "%b = to_block(%x) -> f32[1,16,4,4,4] block16 arena+0\n%f = conv(%b, %w) " CONV3
     " way=winograd tile=2x2x2 batch=1 scratch=50000 -> f32[1,16,4,4,4] block16 fused scratch+50048\n"
     "%p = slice(%f) begin=[0,0,0,0,0] size=[1,16,2,2,2] step=[1,1,1,1,1] -> " PLAIN5 " block16 arena+4096\n"
     "%q = slice(%f) begin=[0,0,2,2,2] size=[1,16,2,2,2] step=[1,1,1,1,1] -> " PLAIN5 " block16 arena+4608\n"
     "%a = add(%p, %q) -> " PLAIN5 " block16 arena+5120\n%y = from_block(%a)\noutput %y\n",
     "add 'a' reads element [0,0,0,0,0] of %q at arena+4608, which holds nothing"},
    {"windows of plain memory on a GPU", IR_TARGET_CUDA,
     "arena 512\nrecompute\ninput %x f32[1,1,4,4,4]\n%a = relu(%x) stream=1x2 gpu=kernel -> f32[1,1,4,4,4] "
     "ring2 arena+0\n%y = exp(%a) stream=1x2 gpu=kernel -> f32[1,1,4,4,4]\noutput %y\n",
     "%a is a window of 2 planes in plain memory"},
    {"a value in the channels to spare of another", IR_TARGET_CUDA,
     "arena 4096\ninput %x f32[1,3,2,2,2]\ninput %n f32[1,2]\nconst %w f32[8,6,1,1,1] random(1)\n"
     "%a = to_channels_last(%x) gpu=kernel -> f32[1,3,2,2,2] pitch8 in %c+0\n"
     "%b = sigmoid(%a) gpu=kernel -> f32[1,3,2,2,2] pitch8 in %c+12\n"
     "%c = concat(%a, %b) axis=1 -> f32[1,6,2,2,2] pitch8 arena+0\n"
     "%z = relu(%n) gpu=kernel -> f32[1,2] arena+56\n%d = conv(%c, %w) " CONV1
     " gpu=cudnn -> f32[1,8,2,2,2] pitch8 arena+512\n%y = from_channels_last(%d) gpu=kernel\n"
     "%q = exp(%z) gpu=kernel\noutput %y\noutput %q\n",
     "conv 'd' multiplies by 0 what lies behind C of %c at arena+56, which holds element [0,0] of %z"},
    {"cuDNN writes into the voxels of others", IR_TARGET_CUDA,
     "arena 4096\ninput %x f32[1,4,2,2,2]\nconst %w f32[4,4,1,1,1] random(1)\n"
     "%a = to_channels_last(%x) gpu=kernel -> f32[1,4,2,2,2] pitch8 in %c+16\n"
     "%t = to_channels_last(%x) gpu=kernel -> f32[1,4,2,2,2] pitch4 arena+512\n%b = conv(%t, %w) " CONV1
     " gpu=cudnn -> f32[1,4,2,2,2] pitch8 in %c+0\n%c = concat(%b, %a) axis=1 -> f32[1,8,2,2,2] pitch8 "
     "arena+0\n%d = exp(%c) gpu=kernel -> f32[1,8,2,2,2] pitch8 arena+1024\n"
     "%y = from_channels_last(%d) gpu=kernel\noutput %y\n",
     "which holds what lies behind C of %b"},
};

static void test_faults_written_by_hand_are_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *f = &faults[i];
        ir_graph *g = test_graph(f->text);
        g->goals.target = f->target;
        const char *says = verdict(f->text, g);
        if (*f->says ? !strstr(says, f->says) : *says)
            fail_msg("%s: expected '%s', got '%s'", f->name, f->says, says);
        ir_graph_free(g);
    }
}

/* ---- damage -------------------------------------------------------------------------------------- */

static ir_tensor *tensor(const ir_graph *g, const char *name) {
    ir_tensor *t = ir_find_tensor(g, name);
    if (!t) fail_msg("no tensor %s", name);
    return t;
}
static ir_node *node(const ir_graph *g, const char *name) {
    return tensor(g, name)->producer;
}

static void swap_first_nodes(ir_graph *g) {
    ir_node *first = g->nodes[0];
    g->nodes[0] = g->nodes[1];
    g->nodes[1] = first;
}
static void drop_member(ir_graph *g) {
    tensor(g, "u")->memory.view_of = NULL;
}
static void store_fused(ir_graph *g) {
    tensor(g, "b")->cpu.fused = false;
}
static void store_loaded(ir_graph *g) {
    tensor(g, "ra")->cpu.on_load = false;
}
static void join_pool_to_a_direct_conv(ir_graph *g) {
    node(g, "p")->cpu.joined = true;
}
static void scratch_on_operand(ir_graph *g) {
    tensor(g, "p")->memory.arena_offset = node(g, "c")->memory.scratch_offset;
}
static void sums_on_result(ir_graph *g) {
    node(g, "ra.terms")->memory.scratch_offset = tensor(g, "a")->memory.arena_offset;
}
static void shrink_arena(ir_graph *g) {
    g->arena_bytes -= 64;
}
static void larger_steps(ir_graph *g) {
    for (int i = 0; i < g->n_nodes; i++) g->nodes[i]->memory.slab += 3;
}
static void leave_the_group(ir_graph *g) {
    node(g, "n")->memory.stream = 0;
}
static void forget_recompute(ir_graph *g) {
    g->recompute = false;
}
static void narrow_member(ir_graph *g) {
    tensor(g, "r")->gpu.pitch = tensor(g, "r")->dim[1];
}
static void swap_members(ir_graph *g) {
    ir_node *n = node(g, "m");
    ir_tensor *first = n->in[0];
    n->in[0] = n->in[1];
    n->in[1] = first;
}
static void narrow_storage(ir_graph *g) {
    tensor(g, "o")->gpu.storage = IR_STORE_OWN;
}

enum { STREAM = -1 };
static const struct damage {
    const char *text;
    int goal; /* STREAM: one group of everything */
    void (*harm)(ir_graph *g);
    const char *says;
} damages[] = {
    {unet, CPU, swap_first_nodes, "conv 'b' reads element [0,0,0,0,0] of %a at arena+"},
    {unet, CPU, drop_member, "%u has no place in memory"},
    {unet, CPU, store_fused, "%b has no place in memory"},
    {unet, CPU, scratch_on_operand, "conv 'b' writes element [0,0,0,0,0] of %p"},
    {unet, CPU, swap_members, "concat 'm' reads element [0,0,0,0,0] of %k"},
    {unet, CPU, shrink_arena, ", outside the arena of "},
    {padded, 3, join_pool_to_a_direct_conv, "conv 'c' reads element [0,0,0,0,0] of %p"},
    {norms, CPU, store_loaded, "%ra has no place in memory"},
    {norms, CPU, sums_on_result, "conv 'a' writes element [0,0,0,0,0] of %a"},
    {chain, STREAM, larger_steps, "conv 'a', planes 0 to 3, writes element"},
    {chain, STREAM, leave_the_group, "reads element"},
    {unet, GPU, forget_recompute, "reads element"},
    {unet, GPU, drop_member, "%u has no place in memory"},
    {members, GPU, narrow_member, "of %r at arena+"},
    {members, GPU + 1, narrow_storage, "reads element [0,0,0,0,1] of %u"},
};

static void test_damaged_plans_are_reported(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const struct damage *d = &damages[i];
        ir_graph *g = d->goal == STREAM ? plan_stream(d->text, 1, false) : plan(d->text, d->goal);
        d->harm(g);
        const char *says = verdict(d->text, g);
        if (!strstr(says, d->says)) fail_msg("damage %d: expected '%s', got '%s'", (int)i, d->says, says);
        ir_graph_free(g);
    }
}

/* ---- every field in turn ---------------------------------------------------------------------- */

/* Whether the run of g is found wrong. */
static bool is_reported(const ir_graph *g) {
    ir_value *in = test_inputs(g), *out = calloc((size_t)g->n_outputs + 1, sizeof *out);
    ir_diag d = {0};
    bool sound = plan_interpret(g, in, out, &d);
    if (sound) ir_values_free(out, g->n_outputs);
    ir_values_free(in, g->n_inputs);
    free(in);
    free(out);
    return !sound;
}

static void must_report(const ir_graph *g, const char *what, const ir_tensor *t) {
    if (is_reported(g)) return;
    char *text = ir_print_string(g);
    fail_msg("%s of %%%s is not reported:\n%s", what, t->name, text);
    free(text);
}

/* The operand that t's node reads from the arena while it writes t, element by element or not. */
static const ir_tensor *neighbour(const ir_tensor *t) {
    const ir_node *n = t->producer;
    bool maps = !n || ir_op_get(n->op)->flags & IR_FLAG_MAP || n->op == IR_OP_BATCH_NORM ||
                n->op == IR_OP_NORMALISE || n->op == IR_OP_INSTANCE_NORM || n->op == IR_OP_CONCAT;
    for (int k = 0; !maps && k < n->n_in; k++)
        if (n->in[k] && n->in[k]->memory.arena_offset >= 0 && !n->cpu.gathered) return n->in[k];
    return NULL;
}

static void damage_tensor(ir_graph *g, ir_tensor *t) {
    const ir_tensor *beside = neighbour(t);
    int64_t offset = t->memory.arena_offset;
    if (t->memory.ring) {
        t->memory.ring--;
        must_report(g, "a ring without its last plane", t);
        t->memory.ring++;
    }
    if (t->memory.view_of) {
        t->memory.view_offset += t->gpu.pitch ? ir_element_bytes(t) : 64;
        must_report(g, "a view offset", t);
        t->memory.view_offset -= t->gpu.pitch ? ir_element_bytes(t) : 64;
    }
    if (offset < 0 || !beside) return;
    t->memory.arena_offset = beside->memory.arena_offset;
    must_report(g, "an arena offset", t);
    t->memory.arena_offset = offset;
}

static void test_each_field_of_each_tensor_counts(void **state) {
    (void)state;
    static const int some[] = {CPU, GPU, GPU + 1};
    for (int n = 0; n < NETWORKS; n++)
        for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
            ir_graph *g = plan(networks[n].text, some[k]);
            for (int i = 0; i < g->n_tensors; i++) damage_tensor(g, g->tensors[i]);
            assert_false(is_reported(g));
            ir_graph_free(g);
        }
}

static void test_each_ring_of_a_stream_counts(void **state) {
    (void)state;
    for (int slab = 1; slab <= 4; slab += 3) {
        ir_graph *g = plan_stream(chain, slab, slab > 1);
        for (int i = 0; i < g->n_tensors; i++)
            if (g->tensors[i]->memory.ring) damage_tensor(g, g->tensors[i]);
        ir_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_plans_of_the_pipeline_pass),
        cmocka_unit_test(test_models_pass),
        cmocka_unit_test(test_sound_streams_pass),
        cmocka_unit_test(test_faults_written_by_hand_are_named),
        cmocka_unit_test(test_damaged_plans_are_reported),
        cmocka_unit_test(test_each_field_of_each_tensor_counts),
        cmocka_unit_test(test_each_ring_of_a_stream_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
