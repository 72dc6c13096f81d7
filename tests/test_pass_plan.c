/* Layout, views and memory: text in, text out, and plans against the lower bound and the independent
 * verifier. */
#include "pass_lib.h"

#include "lifetime.h"
#include "passes.h"

#define CONV "kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"

static const char skip_connection[] = //
    "graph skip\n"
    "input %x f32[1,3,4,4,4]\n"
    "const %w1 f32[16,3,1,1,1] random(1)\n"
    "const %w2 f32[32,16,1,1,1] random(2)\n"
    "const %w3 f32[2,48,1,1,1] random(3)\n"
    "%a = conv(%x, %w1) " CONV "\n"
    "%b = conv(%a, %w2) " CONV "\n"
    "%c = concat(%b, %a) axis=1\n"
    "%y = conv(%c, %w3) " CONV "\n"
    "output %y\n";

static void test_convs_block_channels_but_not_outputs(void **state) {
    (void)state;
    ir_graph *g = parse(skip_connection);
    must(pass_layout, g);
    expect(g, "-> f32[1,16,4,4,4] block16\n");
    expect(g, "-> f32[1,48,4,4,4] block16\n");
    expect(g, "-> f32[1,2,4,4,4]\n");
    expect_not(g, "to_block");
    expect_not(g, "from_block");
    ir_graph_free(g);
}

static void test_concat_members_need_no_copy(void **state) {
    (void)state;
    ir_graph *g = parse(skip_connection);
    must(pass_layout, g);
    must(pass_views, g);
    expect(g, "-> f32[1,32,4,4,4] block16 in %c+0\n");
    expect(g, "-> f32[1,16,4,4,4] block16 in %c+8192\n");
    must(pass_memory, g);
    expect(g, "arena 12288\n");
    ir_graph_free(g);
}

static void test_output_of_a_following_op_is_converted(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,3,4,4,4]\nconst %w f32[16,3,1,1,1] random(1)\n"
                        "%a = conv(%x, %w) " CONV "\n%y = exp(%a)\noutput %y\n");
    must(pass_layout, g);
    expect(g, "%y.blocked = exp(%a)");
    expect(g, "%y = from_block(%y.blocked)");
    expect(g, "output %y\n");
    ir_graph_free(g);
}

static void test_plain_ops_read_converted_values_once(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,3,4,4,4]\nconst %w f32[16,3,1,1,1] random(1)\n"
                        "%a = conv(%x, %w) " CONV "\n%p = transpose(%a) perm=[0,1,4,3,2]\n"
                        "%q = transpose(%a) perm=[0,1,3,2,4]\n%y = add(%p, %q)\noutput %y\n");
    must(pass_layout, g);
    int conversions = 0;
    for (int i = 0; i < g->n_nodes; i++) conversions += g->nodes[i]->op == IR_OP_FROM_BLOCK;
    assert_int_equal(conversions, 1);
    ir_graph_free(g);
}

static void test_comparison_reads_plain_operands(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,3,4,4,4]\nconst %w f32[16,3,1,1,1] random(1)\n"
                        "const %z f32[1] {0}\n%a = conv(%x, %w) " CONV "\n%y = greater(%a, %z)\noutput %y\n");
    must(pass_layout, g);
    expect(g, "%y = greater(%a.plain, %z) -> bool[1,16,4,4,4]\n");
    ir_graph_free(g);
}

static void test_wide_plain_input_is_blocked_for_a_conv(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,32,4,4,4]\nconst %w f32[16,32,1,1,1] random(1)\n"
                        "%y = conv(%x, %w) " CONV "\noutput %y\n");
    must(pass_layout, g);
    expect(g, "= to_block(%x)");
    ir_graph_free(g);
}

static void test_ragged_concat_stays_plain(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,3,4,4,4]\nconst %w f32[20,3,1,1,1] random(1)\n"
                        "const %v f32[2,40,1,1,1] random(1)\n"
                        "%a = conv(%x, %w) " CONV "\n%b = conv(%x, %w) " CONV "\n%c = concat(%a, %b) axis=1\n"
                        "%y = conv(%c, %v) " CONV "\noutput %y\n");
    must(pass_layout, g);
    must(pass_views, g);
    must(pass_memory, g);
    expect(g, "%c = concat(%a.plain, %b.plain) axis=1 -> f32[1,40,4,4,4] arena");
    ir_graph_free(g);
}

static void test_batches_are_copied(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[2,3,4,4,4]\nconst %w f32[16,3,1,1,1] random(1)\n"
                        "const %v f32[2,32,1,1,1] random(1)\n"
                        "%a = conv(%x, %w) " CONV "\n%b = conv(%x, %w) " CONV "\n%c = concat(%a, %b) axis=1\n"
                        "%y = conv(%c, %v) " CONV "\noutput %y\n");
    must(pass_layout, g);
    must(pass_views, g);
    expect_not(g, " in %c");
    ir_graph_free(g);
}

static void test_reshape_is_a_view(void **state) {
    (void)state;
    ir_graph *g =
        parse("graph g\ninput %x f32[1,3,4]\n%a = exp(%x)\n%r = reshape(%a) shape=[3,4]\n%y = exp(%r)\n"
              "output %y\n");
    must(pass_layout, g);
    must(pass_views, g);
    must(pass_memory, g);
    expect(g, "-> f32[3,4] in %a+0\n");
    expect(g, "arena 64\n");
    ir_graph_free(g);
}

static void test_nested_concats(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,3,4,4,4]\nconst %w f32[16,3,1,1,1] random(1)\n"
                        "const %v f32[2,48,1,1,1] random(1)\n"
                        "%a = conv(%x, %w) " CONV "\n%b = conv(%x, %w) " CONV "\n%i = concat(%a, %b) axis=1\n"
                        "%d = conv(%x, %w) " CONV "\n%o = concat(%d, %i) axis=1\n%y = conv(%o, %v) " CONV
                        "\noutput %y\n");
    must(pass_layout, g);
    must(pass_views, g);
    must(pass_memory, g);
    expect(g, "in %o+4096\n"); /* %i in %o */
    expect(g, "in %i+4096\n"); /* %b in %i */
    expect(g, "arena 12288\n");
    ir_graph_free(g);
}

/* ---- pieces, scratch, fused values ------------------------------------------------------------ */

static void expect_plan(const char *text, const char *const *lines) {
    ir_graph *g = parse(text);
    must(pass_views, g);
    must(pass_memory, g);
    assert_int_equal(g->arena_bytes, ir_memory_bound(g));
    for (; *lines; lines++) expect(g, *lines);
    ir_graph_free(g);
}

static void test_room_beside_a_waiting_skip_is_free_until_it_is_written(void **state) {
    (void)state;
    expect_plan("graph g\ninput %x f32[1,16,4,4,4]\n%a = exp(%x)\n%t = log(%a)\n%u = exp(%t)\n%b = log(%u)\n"
                "%c = concat(%b, %a) axis=1\n%y = relu(%c)\noutput %y\n",
                (const char *[]){"arena 12288\n", "%t = log(%a) -> f32[1,16,4,4,4] arena+0\n",
                                 "%u = exp(%t) -> f32[1,16,4,4,4] arena+8192\n",
                                 "%c = concat(%b, %a) axis=1 -> f32[1,32,4,4,4] arena+0\n", NULL});
}

static void test_room_of_copied_members_is_free_until_the_concat(void **state) {
    (void)state;
    expect_plan("graph g\ninput %x f32[1,16,4,4,4]\n%t = exp(%x)\n%a = log(%t)\n"
                "%c = concat(%x, %a) axis=1\n%y = relu(%c)\noutput %y\n",
                (const char *[]){"arena 8192\n", "%t = exp(%x) -> f32[1,16,4,4,4] arena+0\n",
                                 "%a = log(%t) -> f32[1,16,4,4,4] in %c+4096\n",
                                 "%c = concat(%x, %a) axis=1 -> f32[1,32,4,4,4] arena+0\n", NULL});
}

static void test_members_of_nested_concats_have_lifetimes_of_their_own(void **state) {
    (void)state;
    expect_plan(
        "graph g\ninput %x f32[1,16,4,4,4]\n%a = exp(%x)\n%t = log(%a)\n%b = log(%t)\n"
        "%c = concat(%b, %a) axis=1\n%r = reshape(%c) shape=[1,32,64]\n%e = reduce_max(%r) axes=[1,2] "
        "keepdims=0\n%d = expand(%e) shape=[1,16,4,4,4]\n%o = concat(%d, %c) axis=1\n"
        "%y = relu(%o)\noutput %y\n",
        (const char *[]){"arena 12352\n", "%t = log(%a) -> f32[1,16,4,4,4] arena+0\n",
                         "%e = reduce_max(%r) axes=[1,2] keepdims=0 -> f32[1] arena+12288\n",
                         "%c = concat(%b, %a) axis=1 -> f32[1,32,4,4,4] in %o+4096\n", NULL});
}

static void test_scratch_is_planned_where_its_node_runs(void **state) {
    (void)state;
    expect_plan("graph g\ninput %x f32[1,16,4,4,4]\nconst %w f32[16,16,1,1,1] random(1)\n"
                "%a = conv(%x, %w) " CONV " scratch=5000\n%b = conv(%a, %w) " CONV " scratch=100\n"
                "%y = conv(%b, %w) " CONV " scratch=64\noutput %y\n",
                (const char *[]){"arena 9152\n", "scratch=5000 -> f32[1,16,4,4,4] arena+5056 scratch+0\n",
                                 "scratch=100 -> f32[1,16,4,4,4] arena+0 scratch+4096\n",
                                 "scratch=64 -> f32[1,16,4,4,4] scratch+4096\n", NULL});
}

static void test_fused_values_need_no_memory(void **state) {
    (void)state;
    expect_plan("graph g\ninput %x f32[1,16,4,4,4]\nconst %w f32[16,16,1,1,1] random(1)\n%a = exp(%x)\n"
                "%f = conv(%a, %w) " CONV " -> f32[1,16,4,4,4] fused\n"
                "%p = max_pool(%f) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
                "%q = exp(%p)\n%s = slice(%f) begin=[0,0,1,1,1] size=1x16x2x2x2 step=[1,1,1,1,1]\n"
                "%c = concat(%q, %s) axis=1\n%y = relu(%c)\noutput %y\n",
                (const char *[]){"arena 5120\n", "%a = exp(%x) -> f32[1,16,4,4,4] arena+0\n", " fused\n",
                                 "ceil=0 -> f32[1,16,2,2,2] arena+", " in %c+512\n", NULL});
}

/* A chain of maps over tensors of random sizes with random long-lived uses. */
static ir_graph *random_graph(uint64_t seed) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs("graph random\ninput %x f32[1,1]\n", f);
    enum { VALUES = 40 };
    int64_t length[VALUES];
    for (int i = 0; i < VALUES; i++) {
        length[i] = 1 + (int64_t)(test_random_bits(&seed) % 5000);
        fprintf(f, "%%v%d = expand(%%x) shape=[1,%lld]\n", i, (long long)length[i]);
        int from = (int)(test_random_bits(&seed) % (uint64_t)(i + 1));
        fprintf(f, "%%s%d = reduce_sum(%%v%d) axes=[1] keepdims=1\n", i, from);
    }
    fputs("%y = concat(", f);
    for (int i = 0; i < VALUES; i++) fprintf(f, "%s%%s%d", i ? ", " : "", i);
    fputs(") axis=1\noutput %y\n", f);
    fclose(f);
    ir_graph *g = parse(text);
    free(text);
    return g;
}

static void test_random_plans_verify_and_stay_near_the_bound(void **state) {
    (void)state;
    int met = 0;
    enum { GRAPHS = 60 };
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        ir_graph *g = random_graph(seed);
        ir_remove_dead(g);
        must(pass_layout, g);
        must(pass_views, g);
        must(pass_memory, g);
        int64_t bound = ir_memory_bound(g);
        assert_true(g->arena_bytes >= bound);
        if (g->arena_bytes > bound + bound / 10)
            fail_msg("seed %d: %lld bytes, bound %lld", (int)seed, (long long)g->arena_bytes,
                     (long long)bound);
        met += g->arena_bytes == bound;
        ir_graph_free(g);
    }
    assert_in_range(met, GRAPHS / 2, GRAPHS);
}

/* Concats of older values, some of them in more than one and nested, between values that come and go; a third
 * of the nodes has scratch memory. */
static ir_graph *random_concats(uint64_t seed) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs("graph random\ninput %x f32[1,1]\n", f);
    enum { VALUES = 40 };
    for (int i = 0; i < VALUES; i++) {
        uint64_t r = test_random_bits(&seed);
        int a = (int)(r >> 8 & 255) % (i + 1), b = (int)(r >> 16 & 255) % (i + 1);
        if (i < 3 || r % 3 == 0)
            fprintf(f, "%%v%d = expand(%%x) shape=[1,%d]", i, (1 + (int)(r >> 24 & 255)) * (r % 2 ? 16 : 7));
        else if (r % 3 == 1 && a != b && a < i && b < i)
            fprintf(f, "%%v%d = concat(%%v%d, %%v%d) axis=1", i, a, b);
        else
            fprintf(f, "%%v%d = exp(%%v%d)", i, i - 1);
        if (r >> 4 & 1) fprintf(f, " scratch=%d", 1 + (int)(r >> 32 & 8191));
        fputc('\n', f);
    }
    fputs("%y = concat(", f);
    for (int i = 0; i < VALUES; i += 3) fprintf(f, "%s%%v%d", i ? ", " : "", i);
    fputs(") axis=1\noutput %y\n", f);
    fclose(f);
    ir_graph *g = parse(text);
    free(text);
    return g;
}

static void test_random_plans_of_pieces_verify(void **state) {
    (void)state;
    int met = 0, views = 0;
    enum { GRAPHS = 200 };
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) {
        ir_graph *g = random_concats(seed);
        ir_remove_dead(g);
        must(pass_views, g);
        must(pass_memory, g);
        int64_t bound = ir_memory_bound(g);
        assert_true(g->arena_bytes >= bound);
        if (g->arena_bytes > bound + bound / 5)
            fail_msg("seed %d: %lld bytes, bound %lld", (int)seed, (long long)g->arena_bytes,
                     (long long)bound);
        met += g->arena_bytes == bound;
        for (int i = 0; i < g->n_tensors; i++) views += g->tensors[i]->memory.view_of != NULL;
        ir_graph_free(g);
    }
    assert_true(views > 3 * GRAPHS);
    assert_in_range(met, GRAPHS / 2, GRAPHS);
}

/* Of every kind: axes that lie apart are reduced one after the other. */
static void test_reductions_of_every_kind_take_neighbours(void **state) {
    (void)state;
    static const char *const kinds[] = {"sum", "mean", "max", "min", "prod"};
    for (int i = 0; i < 5; i++) {
        char *text = test_format("graph g\ninput %%x f32[2,3,4,5]\n%%y = reduce_%s(%%x) axes=[1,3] "
                                 "keepdims=0\noutput %%y\n",
                                 kinds[i]);
        char *part = test_format("%%y.part = reduce_%s(%%x) axes=[3] keepdims=1", kinds[i]);
        ir_graph *g = parse(text);
        must(pass_reduce, g);
        expect(g, part);
        ir_graph_free(g);
        free(text), free(part);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convs_block_channels_but_not_outputs),
        cmocka_unit_test(test_concat_members_need_no_copy),
        cmocka_unit_test(test_output_of_a_following_op_is_converted),
        cmocka_unit_test(test_plain_ops_read_converted_values_once),
        cmocka_unit_test(test_comparison_reads_plain_operands),
        cmocka_unit_test(test_wide_plain_input_is_blocked_for_a_conv),
        cmocka_unit_test(test_ragged_concat_stays_plain),
        cmocka_unit_test(test_batches_are_copied),
        cmocka_unit_test(test_reshape_is_a_view),
        cmocka_unit_test(test_nested_concats),
        cmocka_unit_test(test_room_beside_a_waiting_skip_is_free_until_it_is_written),
        cmocka_unit_test(test_room_of_copied_members_is_free_until_the_concat),
        cmocka_unit_test(test_members_of_nested_concats_have_lifetimes_of_their_own),
        cmocka_unit_test(test_scratch_is_planned_where_its_node_runs),
        cmocka_unit_test(test_fused_values_need_no_memory),
        cmocka_unit_test(test_reductions_of_every_kind_take_neighbours),
        cmocka_unit_test(test_random_plans_verify_and_stay_near_the_bound),
        cmocka_unit_test(test_random_plans_of_pieces_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
