/* Building and rewriting graphs: names, attributes, uses, dead code; errors of the table and of memory. */
#include "test.h"

#include "ir.h"

#include <signal.h>

static const char *const text = "graph g\n"
                                "input %x f32[1,4,4,4,4]\n"
                                "input %unused f32[1]\n"
                                "const %dead f32[2] opaque\n"
                                "const %k f32[] {2}\n"
                                "%a = relu(%x)\n"
                                "%b = mul(%a, %k)\n"
                                "%c = add(%a, %b)\n"
                                "%d1 = exp(%c)\n"
                                "%d2 = log(%d1)\n"
                                "output %c\n"
                                "output %a\n";

static ir_graph *parse(const char *s) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(s, "t.ir", NULL, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    return g;
}

static void expect_sound(const ir_graph *g) {
    ir_diag d = {0};
    if (!ir_verify(g, &d)) fail_msg("%s", d.text);
}

static void expect_nodes(const ir_graph *g, const char *names) {
    char list[256] = "";
    for (int i = 0; i < g->n_nodes; i++) {
        strcat(list, i ? " " : "");
        strcat(list, g->nodes[i]->out[0]->name);
    }
    assert_string_equal(list, names);
}

static void names_are_made_unique(void **state) {
    (void)state;
    ir_graph *g = parse(text);
    assert_string_equal(ir_unique_name(g, "new"), "new");
    assert_string_equal(ir_unique_name(g, "a"), "a_2");
    ir_add_input(g, "a_2", IR_F32, 0, NULL);
    assert_string_equal(ir_unique_name(g, "a"), "a_3");
    assert_string_equal(ir_unique_name(g, "model/conv:0"), "model_conv_0");
    assert_string_equal(ir_unique_name(g, "3d"), "_3d");
    assert_string_equal(ir_unique_name(g, ""), "_");
    assert_string_equal(ir_unique_name(g, "e1b.conv"), "e1b.conv");
    assert_null(ir_find_tensor(g, "nothing"));
    ir_graph_free(g);
}

static void attributes_stay_sorted_and_replace(void **state) {
    (void)state;
    ir_graph *g = parse(text);
    ir_node *n = g->nodes[0];
    ir_set_word(g, n, IR_MODE, "edge");
    ir_set_float(g, n, IR_ALPHA, 1);
    ir_set_ints(g, n, IR_KERNEL, 2, (const int64_t[]){3, 4});
    ir_set_floats(g, n, IR_SCALE, 0, NULL);
    ir_set_float(g, n, IR_ALPHA, 2);
    ir_set_int(g, n, IR_AXIS, 5);
    assert_int_equal(n->n_attr, 5);
    for (int i = 1; i < n->n_attr; i++) assert_true(n->attr[i - 1].key < n->attr[i].key);
    assert_true(ir_float(n, IR_ALPHA) == 2);
    assert_int_equal(ir_int(n, IR_AXIS), 5);
    assert_int_equal(ir_ints(n, IR_KERNEL)[1], 4);
    assert_int_equal(ir_get(n, IR_SCALE)->count, 0);
    assert_string_equal(ir_word(n, IR_MODE), "edge");
    ir_drop_attr(n, IR_ALPHA);
    ir_drop_attr(n, IR_ALPHA);
    assert_null(ir_get(n, IR_ALPHA));
    assert_null(ir_word(n, IR_ACT));
    assert_int_equal(n->n_attr, 4);
    ir_graph_free(g);
}

static void constants_are_copied_or_borrowed(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("g");
    float data[3] = {1, 2, 3};
    ir_tensor *own = ir_add_const_f32(g, "own", 3, data);
    ir_tensor *borrowed = ir_add_const(g, "borrowed", IR_F32, 1, (const int64_t[]){3}, data, false);
    ir_tensor *opaque = ir_add_const(g, "opaque", IR_F32, 1, (const int64_t[]){3}, NULL, false);
    assert_true(own->data != data && borrowed->data == data && !opaque->data);
    assert_true(own->hash == borrowed->hash && own->hash == ir_hash(data, sizeof data) && !opaque->hash);
    data[0] = 9;
    assert_true(ir_const_float(own, 0) == 1);
    assert_int_equal(own->memory.arena_offset, -1);
    ir_graph_free(g);
}

static void uses_are_replaced_everywhere(void **state) {
    (void)state;
    ir_graph *g = parse(text);
    ir_tensor *a = ir_find_tensor(g, "a"), *x = ir_find_tensor(g, "x");
    assert_int_equal(ir_count_uses(g, a), 3);
    ir_replace_uses(g, a, x);
    assert_int_equal(ir_count_uses(g, a), 0);
    assert_int_equal(ir_count_uses(g, x), 4);
    assert_ptr_equal(g->outputs[1], x);
    ir_remove_node(g, a->producer);
    expect_nodes(g, "b c d1 d2");
    assert_null(ir_find_tensor(g, "a"));
    expect_sound(g);
    ir_graph_free(g);
}

static void dead_code_goes_and_inputs_stay(void **state) {
    (void)state;
    ir_graph *g = parse(text);
    ir_remove_dead(g);
    expect_nodes(g, "a b c");
    assert_null(ir_find_tensor(g, "dead"));
    assert_null(ir_find_tensor(g, "d1"));
    assert_non_null(ir_find_tensor(g, "k"));
    assert_non_null(ir_find_tensor(g, "unused"));
    expect_sound(g);
    char *once = ir_print_string(g);
    ir_remove_dead(g);
    char *again = ir_print_string(g);
    assert_string_equal(once, again);
    free(once);
    free(again);
    ir_graph_free(g);
}

static void nodes_move_in_front(void **state) {
    (void)state;
    ir_graph *g = parse(text);
    ir_diag d = {0};
    ir_tensor *x = ir_find_tensor(g, "x");
    ir_node *n = ir_add_node(g, IR_OP_NEG, "layer", 1, &x, "n");
    assert_true(ir_finish_node(g, n, &d));
    expect_nodes(g, "a b c d1 d2 n");
    ir_insert_node(g, n, g->nodes[1]);
    expect_nodes(g, "a n b c d1 d2");
    ir_set_operand(g, g->nodes[2], 0, n->out[0]);
    expect_sound(g);
    ir_insert_node(g, n, g->nodes[0]);
    expect_nodes(g, "n a b c d1 d2");
    ir_insert_node(g, n, n);
    expect_nodes(g, "n a b c d1 d2");
    ir_graph_free(g);
}

static void nodes_wait_for_a_later_one(void **state) {
    (void)state;
    ir_graph *g = parse(text);
    ir_node *a = g->nodes[0];
    ir_delay_node(g, a, g->nodes[2]);
    expect_nodes(g, "b c a d1 d2");
    assert_int_equal(ir_position(g, a), 2);
    ir_delay_node(g, a, g->nodes[0]); /* it is behind that one already */
    expect_nodes(g, "b c a d1 d2");
    ir_graph_free(g);
}

static void members_of_a_removed_concat_own_their_memory(void **state) {
    (void)state;
    ir_graph *g = parse("graph g\ninput %x f32[1,16,2,2,2]\n%a = relu(%x) -> f32[1,16,2,2,2] in %c+512\n"
                        "%c = concat(%x, %a) axis=1\noutput %a\n");
    ir_remove_dead(g);
    assert_null(ir_find_tensor(g, "a")->memory.view_of);
    assert_int_equal(ir_find_tensor(g, "a")->memory.view_offset, 0);
    expect_sound(g);
    ir_graph_free(g);
}

static void many_objects_fit(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("g");
    ir_diag d = {0};
    ir_tensor *t = ir_add_input(g, "x", IR_F32, 1, (const int64_t[]){3});
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        ir_node *n = ir_add_node(g, IR_OP_RELU, name, 1, &t, name);
        assert_true(ir_finish_node(g, n, &d));
        t = n->out[0];
    }
    ir_add_output(g, t);
    expect_sound(g);
    ir_remove_dead(g);
    assert_int_equal(g->n_nodes, 1000);
    ir_graph_free(g);
}

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    ir_arena *a = ir_arena_new();
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        unsigned char *p = ir_alloc(a, size, 1);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
        memset(p, 255, size);
    }
    assert_string_equal(ir_format(a, "%s-%d", "x", 7), "x-7");
    assert_string_equal(ir_strdup(a, ""), "");
    ir_arena_free(a);
    ir_arena_free(NULL);
    ir_graph_free(NULL);
}

static void first_error_stays_and_gains_places(void **state) {
    (void)state;
    ir_diag d = {0};
    assert_false(ir_fail_in(&d, "nothing yet"));
    assert_string_equal(d.text, "");
    assert_false(ir_fail(&d, IR_EXIT_UNSUPPORTED, "op %s", "lstm"));
    assert_false(ir_fail(&d, IR_EXIT_INPUT, "second"));
    ir_fail_in(&d, "node %d", 3);
    ir_fail_in(&d, "net.onnx");
    assert_string_equal(d.text, "net.onnx: node 3: op lstm");
    assert_int_equal(d.code, IR_EXIT_UNSUPPORTED);
    char *tall = test_format("%03000d", 7);
    ir_fail_in(&d, "%s", tall);
    assert_int_equal(strlen(d.text), sizeof d.text - 1);
    ir_diag e = {0};
    ir_fail(&e, 1, "%s", tall);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    free(tall);
    assert_false(ir_fail(NULL, 1, "nobody listens"));
}

static void tables_name_everything_once(void **state) {
    (void)state;
    ir_op op;
    ir_dtype t;
    for (int i = 0; i < IR_OP_COUNT; i++) {
        const ir_op_info *o = ir_op_get((ir_op)i);
        assert_true(ir_op_parse(o->name, &op) && (int)op == i);
        assert_true(o->n_out == 1 && o->min_in >= 1 && (o->max_in < 0 || o->max_in >= o->min_in));
        assert_int_equal(o->required & o->optional, 0);
        assert_true(o->formula[0]);
    }
    for (int i = 0; i < IR_DTYPE_COUNT; i++)
        assert_true(ir_dtype_parse(ir_dtype_name((ir_dtype)i), &t) && (int)t == i);
    for (int i = 0; i < IR_KEY_COUNT; i++)
        for (int k = 0; k < i; k++) assert_string_not_equal(ir_key_name((ir_key)i), ir_key_name((ir_key)k));
    assert_false(ir_op_parse("lstm", &op));
    assert_false(ir_dtype_parse("f16", &t));
    assert_true(ir_op_get(IR_OP_CONV)->required >> IR_KERNEL & 1);
    assert_true(ir_op_get(IR_OP_CONV)->optional >> IR_ACT & 1);
    assert_int_equal(ir_dtype_bytes(IR_BOOL), 1);
    assert_true(ir_dtype_is_float(IR_F64) && !ir_dtype_is_float(IR_I32));
}

/* Runs `body` in a child; its standard error goes to line. Returns the child's wait status. */
static int in_child(void (*body)(void), char *line, size_t size) {
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(fd[1], 2);
        body();
        _exit(0);
    }
    close(fd[1]);
    size_t used = 0;
    for (ssize_t n; (n = read(fd[0], line + used, size - 1 - used)) > 0;) used += (size_t)n;
    line[used] = 0;
    close(fd[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void add_a_name_twice(void) {
    ir_graph *g = ir_graph_new("g");
    ir_add_input(g, "x", IR_F32, 0, NULL);
    ir_add_input(g, "x", IR_F32, 0, NULL);
}

static void remove_a_used_node(void) {
    ir_graph *g = parse(text);
    ir_remove_node(g, g->nodes[0]);
}

static void read_an_absent_attribute(void) {
    ir_graph *g = parse(text);
    ir_int(g->nodes[0], IR_AXIS);
}

static void ask_for_too_much(void) {
    size_t volatile count = SIZE_MAX / 2;
    ir_alloc(ir_arena_new(), count, 4);
}

static void broken_invariants_abort(void **state) {
    (void)state;
    static const struct {
        void (*body)(void);
        const char *line;
    } cases[] = {
        {add_a_name_twice, "voxc: internal error: there are two tensors %x"},
        {remove_a_used_node, "voxc: internal error: node 'a' is removed but %a is used"},
        {read_an_absent_attribute, "voxc: internal error: relu 'a' has no attribute axis"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256];
        int status = in_child(cases[i].body, line, sizeof line);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        if (!strstr(line, cases[i].line)) fail_msg("%s, not %s", line, cases[i].line);
    }
}

static void no_memory_is_one_line_and_exit_1(void **state) {
    (void)state;
    char line[256];
    int status = in_child(ask_for_too_much, line, sizeof line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == IR_EXIT_FAILURE);
    assert_non_null(strstr(line, "voxc: out of memory"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made_unique),
        cmocka_unit_test(attributes_stay_sorted_and_replace),
        cmocka_unit_test(constants_are_copied_or_borrowed),
        cmocka_unit_test(uses_are_replaced_everywhere),
        cmocka_unit_test(dead_code_goes_and_inputs_stay),
        cmocka_unit_test(nodes_move_in_front),
        cmocka_unit_test(nodes_wait_for_a_later_one),
        cmocka_unit_test(members_of_a_removed_concat_own_their_memory),
        cmocka_unit_test(many_objects_fit),
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(first_error_stays_and_gains_places),
        cmocka_unit_test(tables_name_everything_once),
        cmocka_unit_test(broken_invariants_abort),
        cmocka_unit_test(no_memory_is_one_line_and_exit_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
