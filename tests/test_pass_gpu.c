/* The passes for a GPU: what runs a node, layouts, members of concats, slabs: text in, text out; and plans
 * that the verifier must refuse. */
#include "gpu_lib.h"

#include "gpu_model.h"
#include "lifetime.h"
#include "codegen.h"
#include "plan_verify.h"

/* ---- layouts --------------------------------------------------------------------------------- */

static const char chain[] = "graph g\ninput %x f32[1,3,20,20,20]\nconst %w f32[32,3,3,3,3] random(1)\n"
                            "const %v f32[3,32,1,1,1] random(1)\n%a = conv(%x, %w)" CONV3 "\n"
                            "%y = conv(%a, %v)" CONV1 "\noutput %y\n";

static void first_and_last_conv_meet_the_ports(void **state) {
    (void)state;
    for (int p = 0; p < IR_PRECISION_COUNT; p++) {
        ir_graph *g = laid_out(chain, (ir_precision)p);
        assert_int_equal(g->n_nodes, 2);
        for (int i = 0; i < 2; i++) assert_int_equal(g->nodes[i]->gpu.runner, IR_GPU_KERNEL);
        assert_int_equal(g->nodes[0]->out[0]->gpu.pitch, 32);
        assert_int_equal(g->nodes[0]->out[0]->gpu.storage, cg_gpu_storage((ir_precision)p));
        assert_int_equal(g->nodes[1]->out[0]->gpu.pitch, 0);
        assert_int_equal(cg_gpu_launches(g), 2);
        ir_graph_free(g);
    }
}

static const char wide[] = "graph g\ninput %x f32[1,6,12,12,12]\nconst %w f32[30,6,3,3,3] random(1)\n"
                           "const %v f32[12,30,3,3,3] random(1)\n%a = conv(%x, %w)" CONV3 "\n"
                           "%y = conv(%a, %v)" CONV3 "\noutput %y\n";

static void other_ports_are_converted_and_channels_padded(void **state) {
    (void)state;
    ir_graph *g = laid_out(wide, IR_FP16);
    expect(g, "%x.channels_last = to_channels_last(%x) gpu=kernel -> f32[1,6,12,12,12] pitch8 f16\n");
    expect(g, "gpu=cudnn -> f32[1,30,10,10,10] pitch32 f16\n");
    expect(g, "gpu=cudnn -> f32[1,12,8,8,8] pitch16 f16\n");
    expect(g, "%y = from_channels_last(%y.channels_last) gpu=kernel -> f32[1,12,8,8,8]\noutput %y\n");
    ir_graph_free(g);
}

static void no_tensor_cores_no_padding(void **state) {
    (void)state;
    ir_graph *g = laid_out(wide, IR_FP32);
    expect(g, "-> f32[1,6,12,12,12] pitch6\n");
    expect(g, "-> f32[1,30,10,10,10] pitch30\n");
    ir_graph_free(g);
    g = laid_out(wide, IR_TF32);
    expect(g, "-> f32[1,6,12,12,12] pitch8\n");
    expect(g, "-> f32[1,12,8,8,8] pitch12\n");
    ir_graph_free(g);
}

static void groups_are_not_padded(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,6,12,12,12]\nconst %w f32[12,3,3,3,3] random(1)\n"
                           "%y = conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 "
                           "pad=[0,0,0,0,0,0] group=2\noutput %y\n",
                           IR_FP16);
    expect(g, "-> f32[1,6,12,12,12] pitch6 f16\n");
    expect(g, "-> f32[1,12,10,10,10] pitch12 f16\n");
    ir_graph_free(g);
}

/* A 1x1x1 conv to few channels writes plain memory for whoever reads that as well. */
static void labels_are_taken_from_plain_memory(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,3,20,20,20]\nconst %w f32[32,3,3,3,3] random(1)\n"
                           "const %v f32[3,32,1,1,1] random(1)\n%a = conv(%x, %w)" CONV3 "\n"
                           "%b = conv(%a, %v)" CONV1 "\n%s = softmax(%b) axis=1\n"
                           "%y = arg_max(%s) axis=1 keepdims=1 select_last=0\noutput %y\n",
                           IR_BF16);
    assert_int_equal(g->n_nodes, 4);
    expect(g, "gpu=kernel -> f32[1,3,18,18,18]\n");
    expect(g, "arg_max(%s) axis=1 keepdims=1 select_last=0 gpu=kernel -> i64[1,1,18,18,18]\n");
    ir_graph_free(g);
}

static void pools_want_channels_last_and_transposes_plain(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,4,8,8,8]\n%p = max_pool(%x)" POOL "\n"
                           "%e = exp(%p)\n%y = transpose(%e) perm=[0,1,4,3,2]\noutput %y\n",
                           IR_FP16);
    expect(g, "%p = max_pool(%x.channels_last)");
    expect(g, "%e = exp(%p) gpu=kernel -> f32[1,4,4,4,4] pitch4 f16\n");
    expect(g, "%y = transpose(%e.plain)");
    ir_graph_free(g);
}

static void transposed_convs(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,16,4,4,4]\nconst %w f32[16,8,2,2,2] random(1)\n"
                           "const %v f32[8,8,3,3,3] random(1)\n%a = conv_transpose(%x, %w)" UP "\n"
                           "%y = conv_transpose(%a, %v) kernel=3x3x3 stride=2x2x2 dilation=1x1x1 "
                           "pad=[1,1,1,1,1,1] output_pad=[1,1,1] group=1\noutput %y\n",
                           IR_FP16);
    expect(g, "scratch=8192 gpu=gemm_scatter -> f32[1,8,8,8,8] pitch8 f16\n");
    expect(g, "gpu=dgrad -> f32[1,8,16,16,16] pitch8 f16\n");
    assert_int_equal(cg_gpu_launches(g), 6); /* and two conversions */
    ir_graph_free(g);
}

/* ---- members --------------------------------------------------------------------------------- */

static const char skip[] =
    "graph g\ninput %x f32[1,1,20,20,20]\nconst %w f32[16,1,3,3,3] random(1)\n"
    "const %v f32[16,16,3,3,3] random(2)\nconst %u f32[16,16,2,2,2] random(3)\n"
    "const %o f32[2,32,1,1,1] random(4)\n%a = conv(%x, %w)" CONV3 "\n%e = exp(%a)\n%p = max_pool(%e)" POOL
    "\n%b = conv(%p, %v)" CONV3 "\n%d = conv(%b, %v)" CONV3
    "\n%c = slice(%e) begin=[0,0,4,4,4] size=1x16x10x10x10 step=[1,1,1,1,1]\n"
    "%t = conv_transpose(%d, %u)" UP "\n%cat = concat(%t, %c) axis=1\n%y = conv(%cat, %o)" CONV1
    "\noutput %y\n";

static void members_interleave(void **state) {
    (void)state;
    ir_graph *g = laid_out(skip, IR_FP16);
    must(pass_members, g);
    expect(g, "-> f32[1,16,10,10,10] pitch32 f16 in %cat+0\n");
    expect(g, "-> f32[1,16,10,10,10] pitch32 f16 in %cat+32\n");
    expect(g, "%cat = concat(%t, %c) axis=1 -> f32[1,32,10,10,10] pitch32 f16\n");
    const ir_tensor *c = ir_find_tensor(g, "c"), *cat = ir_find_tensor(g, "cat");
    assert_true(ir_is_interleaved(c));
    assert_int_equal(ir_bytes(c), ir_bytes(cat) - 32);
    must(pass_memory, g);
    ir_graph_free(g);
}

/* The whole concat would be in use while the largest values are. */
static void early_members_are_copied_where_memory_is_short(void **state) {
    (void)state;
    ir_graph *g =
        laid_out("graph g\ninput %x f32[1,8,8,8,8]\n%a = average_pool(%x) kernel=1x1x1 stride=1x1x1 "
                 "dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0 include_pad=0\n"
                 "%u = resize(%a) size=1x8x16x16x16 mode=nearest coordinates=asymmetric "
                 "nearest=floor scale=[1,1,2,2,2]\n%v = exp(%u)\n%p = max_pool(%v)" POOL "\n"
                 "%cat = concat(%a, %p) axis=1\n%y = max_pool(%cat)" POOL "\noutput %y\n",
                 IR_FP16);
    must(pass_members, g);
    expect(g, "include_pad=0 gpu=kernel -> f32[1,8,8,8,8] pitch8 f16\n");
    expect(g, "%a.copy = slice(%a) begin=[0,0,0,0,0] size=1x8x8x8x8 step=[1,1,1,1,1] gpu=kernel -> "
              "f32[1,8,8,8,8] pitch16 f16 in %cat+0\n%p = max_pool(%v)");
    expect(g, "%cat = concat(%a.copy, %p) axis=1 -> f32[1,16,8,8,8] pitch16 f16\n");
    ir_graph_free(g);
}

static void a_member_that_stands_twice_is_copied_once(void **state) {
    (void)state;
    ir_graph *g = laid_out(
        "graph g\ninput %x f32[1,8,8,8,8]\n%f = average_pool(%x) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
        "pad=[0,0,0,0,0,0] ceil=0 include_pad=0\n%a = max_pool(%f)" POOL
        "\n%cat = concat(%a, %a) axis=1\n%y = max_pool(%cat)" POOL "\noutput %y\n",
        IR_FP16);
    must(pass_members, g);
    expect(g, "pitch16 f16 in %cat+0\n");
    expect(g, "%cat = concat(%a, %a.copy) axis=1 -> ");
    ir_graph_free(g);
}

static void constant_members_are_left_to_the_concat(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,8,8,8,8]\nconst %k f32[1,2,4,4,4] random(1)\n"
                           "%f = average_pool(%x) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
                           "pad=[0,0,0,0,0,0] ceil=0 include_pad=0\n%a = max_pool(%f)" POOL
                           "\n%cat = concat(%a, %k) axis=1\n%y = max_pool(%cat)" POOL "\noutput %y\n",
                           IR_FP16);
    must(pass_members, g);
    expect(g, "%cat = concat(%a, %k) axis=1 gpu=kernel -> f32[1,10,4,4,4] pitch10 f16\n");
    assert_int_equal(cg_gpu_launches_of(g, ir_find_tensor(g, "cat")->producer), 1);
    ir_graph_free(g);
}

/* cuDNN multiplies it by weights of 0, so it must be a number. */
static void what_lies_behind_a_concat_is_written_by_its_last_member(void **state) {
    (void)state;
    ir_graph *g =
        laid_out("graph g\ninput %x f32[1,1,4,4,4]\ninput %z f32[1,1,4,4,4]\n"
                 "const %w f32[1,4,3,3,3] random(1)\n%a = max_pool(%x)" POOL "\n%b = max_pool(%z)" POOL
                 "\n%c = concat(%b, %a) axis=1\n%cat = concat(%a, %c, %b) axis=1\n%y = conv(%cat, %w)" SAME3
                 "\noutput %y\n",
                 IR_FP16);
    must(pass_members, g);
    const ir_node *cat = ir_find_tensor(g, "cat")->producer;
    expect(g, "%c = concat(%b.copy, %a.copy) axis=1 -> f32[1,2,2,2,2] pitch8 f16 in %cat+2\n");
    assert_int_equal(cg_gpu_own_channels(cat->in[0]), 1);
    assert_int_equal(cg_gpu_own_channels(ir_find_tensor(g, "a")),
                     1); /* the last of %c, which others follow */
    assert_int_equal(cg_gpu_own_channels(cat->in[2]), 5);
    assert_int_equal(cg_gpu_own_channels(cat->out[0]), 8);
    ir_graph_free(g);
}

static void cudnn_results_are_copied(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,16,8,8,8]\nconst %w f32[16,16,3,3,3] random(1)\n"
                           "%a = conv(%x, %w)" SAME3 "\n%b = max_pool(%a) kernel=3x3x3 stride=1x1x1 "
                           "dilation=1x1x1 pad=[1,1,1,1,1,1] ceil=0\n%cat = concat(%a, %b) axis=1\n"
                           "%y = exp(%cat)\noutput %y\n",
                           IR_FP16);
    must(pass_members, g);
    expect(g, "gpu=cudnn -> f32[1,16,8,8,8] pitch16 f16\n");
    expect(g, "-> f32[1,16,8,8,8] pitch32 f16 in %cat+32\n");
    expect(g, "%a.copy = slice(%a) begin=[0,0,0,0,0] size=1x16x8x8x8 step=[1,1,1,1,1] gpu=kernel -> "
              "f32[1,16,8,8,8] pitch32 f16 in %cat+0\n%b = max_pool(%a)");
    expect(g, "%cat = concat(%a.copy, %b) axis=1 -> f32[1,32,8,8,8] pitch32 f16\n");
    ir_graph_free(g);
}

static void norms_work_in_place(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,16,8,8,8]\nconst %w f32[16,16,3,3,3] random(1)\n"
                           "const %s f32[16] random(2)\n%a = conv(%x, %w)" SAME3 "\n"
                           "%n = instance_norm(%a, %s, %s) eps=1e-5\n%y = conv(%n, %w)" SAME3 "\noutput %y\n",
                           IR_FP16);
    must(pass_members, g);
    expect(g, "gpu=kernel -> f32[1,16,8,8,8] pitch16 f16 in %a+0\n");
    assert_true(ir_find_tensor(g, "n")->producer->memory.scratch > 0);
    must(pass_memory, g);
    ir_graph_free(g);
}

/* ---- slabs ----------------------------------------------------------------------------------- */

static const char high[] =
    "graph g\ninput %x f32[1,1,68,36,36]\nconst %w f32[16,1,3,3,3] random(1)\n"
    "const %v f32[16,16,3,3,3] random(2)\nconst %o f32[2,16,1,1,1] random(4)\n%a = conv(%x, %w)" CONV3
    "\n%b = conv(%a, %v)" CONV3 "\n%p = max_pool(%b)" POOL "\n%q = conv(%p, %v)" CONV3
    "\n%c = slice(%b) begin=[0,0,4,4,4] size=1x16x24x16x16 step=[1,1,1,1,1]\n%y = conv(%q, %o)" CONV1
    "\n%z = conv(%c, %o)" CONV1 "\noutput %y\noutput %z\n";

static int64_t in_slabs(ir_graph *g) {
    must(pass_members, g);
    int64_t before = ir_memory_bound(g);
    must(pass_slabs, g);
    must(pass_memory, g);
    return before;
}

/* Kernels make all of a plain result at once. */
static void plain_values_have_no_windows(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,1,2,2,5]\nconst %k f32[] splat(2)\n%a = div(%x, %k)\n"
                           "%y = max_pool(%a) kernel=2x2x2 stride=1x1x1 dilation=1x1x1 "
                           "pad=[0,0,0,0,0,0] ceil=0\noutput %y\n",
                           IR_FP32);
    in_slabs(g);
    const ir_tensor *a = ir_find_tensor(g, "a");
    assert_int_equal(a->gpu.pitch, 0);
    assert_int_equal(a->memory.ring, 0);
    assert_int_equal(a->producer->memory.stream, 0);
    ir_graph_free(g);
}

static void slabs_save_memory_within_the_budget(void **state) {
    (void)state;
    ir_graph *g = laid_out(high, IR_FP16);
    int whole = cg_gpu_launches(g);
    int64_t before = in_slabs(g);
    assert_true(g->recompute);
    assert_true(g->arena_bytes < before * 2 / 3);
    assert_in_range(cg_gpu_launches(g), whole, whole + whole / 2);
    const ir_tensor *a = ir_find_tensor(g, "a"), *b = ir_find_tensor(g, "b"), *c = ir_find_tensor(g, "c");
    assert_int_equal(a->memory.ring, b->memory.ring + 2);
    assert_int_equal(a->producer->memory.stream,
                     c->producer->memory.stream); /* the crop moved into the group */
    assert_int_equal(c->memory.ring, 0);
    char *text = ir_print_string(g);
    ir_diag d = {0};
    ir_graph *again = ir_parse(text, "again", NULL, NULL, &d);
    assert_non_null(again);
    assert_true(plan_verify(again, &d));
    free(text);
    ir_graph_free(again);
    ir_graph_free(g);
}

static void thrift_buys_memory_with_launches(void **state) {
    (void)state;
    int64_t bytes = INT64_MAX;
    for (int thrift = 0; thrift < 3; thrift++) {
        ir_graph *g = laid_out(high, IR_FP16);
        g->goals.thrift = (ir_thrift)thrift;
        in_slabs(g);
        assert_true(g->arena_bytes <= bytes);
        bytes = g->arena_bytes;
        ir_graph_free(g);
    }
}

/* The product that is scattered need not exist whole, and seams lie between planes that go together. */
static void what_is_scattered_is_made_in_slabs(void **state) {
    (void)state;
    ir_graph *g = laid_out("graph g\ninput %x f32[1,16,14,16,16]\nconst %u f32[16,16,2,2,2] random(3)\n"
                           "%a = conv_transpose(%x, %u)" UP "\n%y = max_pool(%a)" POOL "\noutput %y\n",
                           IR_FP16);
    const ir_node *up = ir_find_tensor(g, "a")->producer;
    int64_t product = up->memory.scratch, before = in_slabs(g);
    assert_int_equal(up->memory.stream, 1);
    assert_int_equal(up->memory.slab % 2, 0);
    assert_true(up->memory.scratch < product);
    assert_true(g->arena_bytes < before);
    ir_graph_free(g);
}

static void whole_values_when_asked_for(void **state) {
    (void)state;
    ir_graph *g = laid_out(high, IR_FP16);
    g->goals.whole = true;
    in_slabs(g);
    expect_not(g, "stream=");
    expect_not(g, "recompute");
    ir_graph_free(g);
}

/* Steps of 2 planes of the last node: windows overlap, what is whole is made once, and crops keep up. */
static void steps_compute_seams_again(void **state) {
    (void)state;
    static const ir_step want[] = {{1, {0, 6}},  {2, {0, 4}},  {3, {0, 1}}, {4, {0, 2}},
                                   {1, {4, 10}}, {2, {4, 8}},  {3, {1, 4}}, {4, {2, 4}},
                                   {1, {8, 12}}, {2, {8, 10}}, {4, {4, 5}}};
    ir_graph *g =
        parse_for("graph g\nrecompute\ninput %x f32[1,8,14,6,6]\nconst %w f32[8,8,3,3,3] random(1)\n"
                  "%l = to_channels_last(%x) -> f32[1,8,14,6,6] pitch8\n%a = conv(%l, %w)" CONV3
                  " -> f32[1,8,12,4,4] pitch8 ring6\n%b = conv(%a, %w)" CONV3
                  " -> f32[1,8,10,2,2] pitch8 ring4\n%c = slice(%b) begin=[0,0,3,0,0] "
                  "size=1x8x4x2x2 step=[1,1,1,1,1] -> f32[1,8,4,2,2] pitch8\n%e = max_pool(%b)" POOL
                  " -> f32[1,8,5,1,1] pitch8\n%y = from_channels_last(%e)\noutput %y\n",
                  IR_FP32);
    ir_arena *arena = ir_arena_new();
    int count;
    const ir_step *steps = ir_group_steps(g, 1, 4, 2, arena, &count);
    assert_int_equal(count, sizeof want / sizeof *want);
    for (int i = 0; i < count; i++) {
        assert_int_equal(steps[i].node, want[i].node);
        assert_int_equal(steps[i].planes.begin, want[i].planes.begin);
        assert_int_equal(steps[i].planes.end, want[i].planes.end);
    }
    ir_arena_free(arena);
    ir_graph_free(g);
}

static bool all_passes(ir_graph *g, ir_diag *d) {
    g->goals.target = IR_TARGET_CUDA;
    g->goals.precision = IR_FP16;
    return pass_outputs(g, d) && pass_gpu(g, d) && pass_channels(g, d) && pass_members(g, d) &&
           pass_slabs(g, d) && pass_memory(g, d);
}

static void values_stay(void **state) {
    (void)state;
    const char *const graphs[] = {chain, wide, skip, high};
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++)
        test_check_pass("gpu", all_passes, strchr(graphs[i], '\n') + 1, NULL, 0);
}

/* ---- what there is no kernel for -------------------------------------------------------------- */

static void expect_refused(const char *text, const char *words) {
    ir_graph *g = parse_for(text, IR_FP16);
    ir_diag d = {0};
    assert_false(pass_gpu(g, &d));
    assert_int_equal(d.code, IR_EXIT_UNSUPPORTED);
    if (!strstr(d.text, words) || !strstr(d.text, "--target c") || strchr(d.text, '\n'))
        fail_msg("wanted '%s', got %s", words, d.text);
    ir_graph_free(g);
}

/* Channels reversed or skipped, members along other axes than C, N cut, softmax along an axis of space. */
static void what_moves_no_voxels_is_plain(void **state) {
    (void)state;
    ir_graph *g = laid_out(
        "graph g\ninput %x f32[2,8,8,8,8]\nconst %w f32[8,8,1,1,1] random(1)\n%a = conv(%x, %w)" CONV1
        "\n%b = slice(%a) begin=[0,7,0,0,0] size=[2,8,8,8,8] step=[1,-1,1,1,1]\n%c = concat(%a, %b) axis=2\n"
        "%d = concat(%a, %b) axis=0\n%e = slice(%a) begin=[1,0,0,0,0] size=[1,8,8,8,8] step=[1,1,1,1,1]\n"
        "%s = softmax(%a) axis=3\n%m = arg_max(%a) axis=4 keepdims=1 select_last=0\n"
        "%t = slice(%a) begin=[0,1,0,0,0] size=[2,3,8,8,8] step=[1,2,1,1,1]\noutput %b\noutput %c\noutput "
        "%d\n"
        "output %e\noutput %s\noutput %m\noutput %t\n",
        IR_FP16);
    for (int i = 0; i < g->n_outputs; i++) assert_int_equal(g->outputs[i]->producer->in[0]->gpu.pitch, 0);
    must(pass_members, g);
    must(pass_slabs, g);
    must(pass_memory, g);
    ir_graph_free(g);
}

static void what_has_no_kernel_is_refused_by_name(void **state) {
    (void)state;
    expect_refused("graph g\ninput %x f64[4]\n%y = exp(%x) name=\"double\"\noutput %y\n", "exp double");
    expect_refused("graph g\ninput %x f32[1,1,4,4,4]\ninput %w f32[1,1,1,1,1]\n%y = conv(%x, %w)" CONV1
                   "\noutput %y\n",
                   "weights must be constants");
    expect_refused("graph g\ninput %x f32[1,4,4,4,4]\n%y = resize(%x) size=1x8x8x8x8 mode=nearest "
                   "coordinates=asymmetric nearest=floor scale=[1,2,2,2,2]\noutput %y\n",
                   "N and C must keep their size");
    expect_refused("graph g\ninput %x f32[1,4,2048,2048,2048]\n%y = exp(%x)\noutput %y\n", "2^31 elements");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_and_last_conv_meet_the_ports),
        cmocka_unit_test(other_ports_are_converted_and_channels_padded),
        cmocka_unit_test(no_tensor_cores_no_padding),
        cmocka_unit_test(groups_are_not_padded),
        cmocka_unit_test(labels_are_taken_from_plain_memory),
        cmocka_unit_test(pools_want_channels_last_and_transposes_plain),
        cmocka_unit_test(transposed_convs),
        cmocka_unit_test(members_interleave),
        cmocka_unit_test(early_members_are_copied_where_memory_is_short),
        cmocka_unit_test(a_member_that_stands_twice_is_copied_once),
        cmocka_unit_test(constant_members_are_left_to_the_concat),
        cmocka_unit_test(what_lies_behind_a_concat_is_written_by_its_last_member),
        cmocka_unit_test(cudnn_results_are_copied),
        cmocka_unit_test(norms_work_in_place),
        cmocka_unit_test(plain_values_have_no_windows),
        cmocka_unit_test(slabs_save_memory_within_the_budget),
        cmocka_unit_test(thrift_buys_memory_with_launches),
        cmocka_unit_test(what_is_scattered_is_made_in_slabs),
        cmocka_unit_test(whole_values_when_asked_for),
        cmocka_unit_test(steps_compute_seams_again),
        cmocka_unit_test(values_stay),
        cmocka_unit_test(what_moves_no_voxels_is_plain),
        cmocka_unit_test(what_has_no_kernel_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
