/* Relations that must hold between what the interpreter makes of operators; its interface, and what it refuses. */
#include "test_graph.h"

#include "interp.h"

/* ---- relations ------------------------------------------------------------------------------- */

#define WINDOW "kernel=3x2x3 stride=2x1x3 pad=[1,0,2,0,1,1] dilation=1x2x1 group=2"

/* <conv(x, w), z> = <x, conv_transpose(z, w)>: strides, dilations, pads, groups, output_pad all agree. */
static void transposed_is_the_adjoint(void **state) {
    (void)state;
    ir_graph *g = test_graph("const %x f32[2,4,6,5,7] random(1)\nconst %z f32[2,6,3,4,3] random(2)\n"
                             "const %w f32[6,2,3,2,3] random(3)\n%c = conv(%x, %w) " WINDOW "\n"
                             "%t = conv_transpose(%z, %w) " WINDOW " output_pad=0x0x1\n"
                             "%cz = mul(%c, %z)\n%xt = mul(%x, %t)\n"
                             "%a = reduce_sum(%cz) axes=[0,1,2,3,4] keepdims=0\n"
                             "%b = reduce_sum(%xt) axes=[0,1,2,3,4] keepdims=0\noutput %a\noutput %b\n");
    ir_value *out = test_interpret(g, 1);
    assert_true(fabs(out[0].f[0]) > 0.1);
    assert_true(fabs(out[0].f[0] - out[1].f[0]) < 1e-10);
    ir_values_free(out, 2);
    free(out);
    ir_graph_free(g);
}

/* Straight from the formula in ops.def, several tiles wide, more channels than one register block. */
static void conv_is_its_formula(void **state) {
    enum { IC = 3, OC = 9, D = 3, H = 5, W = 19, K = 3 };
    (void)state;
    ir_graph *g = test_graph("const %x f32[1,3,3,5,19] random(1)\nconst %w f32[9,3,3,3,3] random(2)\n"
                             "const %b f32[9] random(3)\n%y = conv(%x, %w, %b) kernel=3x3x3 stride=1x1x1 "
                             "pad=[1,1,1,1,1,1] dilation=1x1x1 group=1\noutput %y\n");
    const ir_node *n = g->nodes[0];
    ir_value *out = test_interpret(g, 2);
    for (int64_t i = 0; i < OC * D * H * W; i++) {
        int64_t w = i % W, h = i / W % H, d = i / W / H % D, o = i / W / H / D;
        double sum = ir_const_float(n->in[2], o);
        for (int64_t k = 0; k < IC * K * K * K; k++) {
            int64_t x = w + k % K - 1, y = h + k / K % K - 1, z = d + k / K / K % K - 1, c = k / K / K / K;
            if (x < 0 || x >= W || y < 0 || y >= H || z < 0 || z >= D) continue;
            sum += ir_const_float(n->in[1], o * IC * K * K * K + k) *
                   ir_const_float(n->in[0], ((c * D + z) * H + y) * W + x);
        }
        assert_true(fabs(out[0].f[i] - sum) < 1e-12);
    }
    ir_values_free(out, 1);
    free(out);
    ir_graph_free(g);
}

static const char network[] =
    "input %x f32[2,3,6,10,11]\nconst %w f32[10,3,3,3,3] random(1)\nconst %b f32[10] random(2)\n"
    "const %u f32[10,5,2,2,2] random(3)\nconst %s f32[5] random(4)\nconst %t f32[5] random(5)\n"
    "%c = conv(%x, %w, %b) kernel=3x3x3 stride=1x1x1 pad=[1,1,1,1,1,1] dilation=1x1x1 group=1\n"
    "%r = relu(%c)\n%p = max_pool(%r) kernel=2x2x2 stride=2x2x2 pad=[0,0,0,0,0,0] dilation=1x1x1 ceil=0\n"
    "%q = conv_transpose(%p, %u) kernel=2x2x2 stride=2x2x2 pad=[0,0,0,0,0,0] dilation=1x1x1 output_pad=0x0x1 "
    "group=1\n"
    "%n = instance_norm(%q, %s, %t) eps=1e-5\n%e = elu(%n) alpha=0.5\n"
    "%z = resize(%e) size=[2,5,7,12,5] scale=[1,1,1.2,1.2,0.5] mode=linear coordinates=half_pixel "
    "nearest=floor\n%y = softmax(%z) axis=1\noutput %y\noutput %c\n";

/* The same bits, not nearly the same. */
static void threads_change_nothing(void **state) {
    (void)state;
    ir_graph *g = test_graph(network);
    ir_value *one = test_interpret(g, 1);
    for (int threads = 2; threads <= 7; threads++) {
        ir_value *many = test_interpret(g, threads);
        for (int k = 0; k < g->n_outputs; k++)
            assert_memory_equal(one[k].f, many[k].f, (size_t)ir_count(g->outputs[k]) * sizeof(double));
        ir_values_free(many, g->n_outputs);
        free(many);
    }
    ir_values_free(one, g->n_outputs);
    free(one);
    ir_graph_free(g);
}

/* A fused activation computes what a node behind it would. */
static void fused_is_unfused(void **state) {
    static const struct {
        const char *fused, *node;
    } acts[] = {{"act=relu", "relu(%c)"},
                {"act=leaky_relu alpha=0.25", "leaky_relu(%c) alpha=0.25"},
                {"act=elu alpha=0.5", "elu(%c) alpha=0.5"},
                {"act=sigmoid", "sigmoid(%c)"},
                {"act=tanh", "tanh(%c)"},
                {"act=clip alpha=-0.5 beta=0.5", "clip(%c) alpha=-0.5 beta=0.5"},
                {"act=prelu", "prelu(%c, %r)"}};
    static const char *const ops[] = {
        "conv(%%x, %%w, _%s) kernel=2x2 stride=1x1 pad=[0,0,0,0] dilation=1x1 group=1",
        "conv_transpose(%%x, %%w, _%s) kernel=2x2 stride=1x1 pad=[0,0,0,0] dilation=1x1 output_pad=0x0 "
        "group=1"};
    (void)state;
    for (size_t a = 0; a < sizeof acts / sizeof acts[0]; a++)
        for (size_t o = 0; o < 2; o++) {
            bool prelu = strstr(acts[a].fused, "prelu") != NULL;
            char *plain = test_format(ops[o], ""), *with = test_format(ops[o], prelu ? ", %s" : "");
            char *text = test_format("const %%x f32[1,3,4,5] random(1)\nconst %%w f32[3,3,2,2] random(2)\n"
                                     "const %%s f32[3] {0.5,-1,2}\nconst %%r f32[3,1,1] {0.5,-1,2}\n"
                                     "%%c = %s\n%%y = %s\n%%z = %s %s\noutput %%y\noutput %%z\n",
                                     plain, acts[a].node, with, acts[a].fused);
            ir_graph *g = test_graph(text);
            ir_value *out = test_interpret(g, 1);
            assert_memory_equal(out[0].f, out[1].f, (size_t)ir_count(g->outputs[0]) * sizeof(double));
            ir_values_free(out, 2);
            free(out);
            ir_graph_free(g);
            free(text);
            free(plain);
            free(with);
        }
}

/* ---- the interface --------------------------------------------------------------------------- */

static void count_nodes(void *ctx, const ir_node *n, const ir_value *value) {
    assert_non_null(ir_dtype_is_float(n->out[0]->dtype) ? (const void *)value->f : (const void *)value->i);
    ++*(int *)ctx;
}

static void watch_sees_every_node(void **state) {
    ir_graph *g = test_graph(network);
    ir_value *in = test_inputs(g), out[2];
    ir_diag d = {0};
    int seen = 0;
    (void)state;
    assert_true(ir_interpret(g, in, out, 1, count_nodes, &seen, &d));
    assert_int_equal(seen, g->n_nodes);
    ir_values_free(in, 1);
    free(in);
    ir_values_free(out, 2);
    ir_graph_free(g);
}

static void outputs_may_be_inputs_and_constants(void **state) {
    ir_graph *g =
        test_graph("input %x f32[2]\nconst %c i64[2] {3,4}\n%y = neg(%x)\noutput %x\noutput %c\noutput %x\n");
    ir_value *out = test_interpret(g, 1);
    (void)state;
    assert_int_equal(out[1].i[1], 4);
    assert_true(out[0].f[0] == out[2].f[0] && out[0].f != out[2].f);
    ir_values_free(out, 3);
    free(out);
    ir_graph_free(g);
}

static void refuses(const char *text, int code, const char *why) {
    ir_graph *g = test_graph(text);
    ir_value out[1];
    ir_diag d = {0}, folding = {0};
    assert_false(ir_interpret(g, NULL, out, 1, NULL, NULL, &d));
    assert_int_equal(d.code, code);
    assert_non_null(strstr(d.text, why));
    assert_false(ir_fold_node(g, g->nodes[0], &folding));
    assert_string_equal(folding.text, d.text);
    ir_graph_free(g);
}

static void refusals(void **state) {
    (void)state;
    refuses("const %x f32[2] opaque\n%y = neg(%x)\noutput %y\n", IR_EXIT_FAILURE,
            "x: its values are unknown");
    refuses("const %x i64[2] {1,2}\nconst %i i64[1] {2}\n%y = gather(%x, %i) axis=0\noutput %y\n",
            IR_EXIT_INPUT, "index 2 is outside an axis of 2");
    refuses("const %x i64[2] {1,2}\nconst %i i64[2] {1,0}\n%y = div(%x, %i)\noutput %y\n", IR_EXIT_INPUT,
            "division by zero");
}

static void folding_replaces_a_node(void **state) {
    ir_graph *g =
        test_graph("const %a f32[2] {1,2}\nconst %b f32[] {3}\n%c = div(%a, %b)\n%y = neg(%c)\noutput %y\n");
    ir_diag d = {0};
    const ir_tensor *y = g->outputs[0];
    (void)state;
    assert_true(ir_fold_node(g, g->nodes[0], &d));
    assert_true(ir_fold_node(g, g->nodes[0], &d));
    assert_int_equal(g->n_nodes, 0);
    assert_ptr_equal(g->outputs[0], y);
    assert_int_equal(y->role, IR_ROLE_CONST);
    assert_true(((const float *)y->data)[0] == -(1.0f / 3));
    assert_true(ir_verify(g, &d));
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposed_is_the_adjoint),
        cmocka_unit_test(conv_is_its_formula),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(fused_is_unfused),
        cmocka_unit_test(watch_sees_every_node),
        cmocka_unit_test(outputs_may_be_inputs_and_constants),
        cmocka_unit_test(refusals),
        cmocka_unit_test(folding_replaces_a_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
