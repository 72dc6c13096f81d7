/* The verifier: every invariant of a graph's structure, broken on purpose, is reported by its name. */
#include "verify_lib.h"

static const char *const plain = "graph g\n"
                                 "input %x f32[1,4,4,4,4]\n"
                                 "input %z f32[1,4,4,4,4]\n"
                                 "const %k f32[4,1,1,1] opaque\n"
                                 "%a = leaky_relu(%x) alpha=0.1\n"
                                 "%b = add(%a, %z)\n"
                                 "%c = clip(%b) alpha=0 beta=1\n"
                                 "output %c\n";

static void clash(ir_graph *g) {
    g->nodes[1]->out[0]->name = "a";
}
static void bad_name(ir_graph *g) {
    g->nodes[1]->out[0]->name = "a b";
}
static void bad_graph_name(ir_graph *g) {
    g->name = "3d unet";
}
static void no_output(ir_graph *g) {
    g->n_outputs = 0;
}
static void same_output(ir_graph *g) {
    ir_add_output(g, g->outputs[0]);
}
static void false_input(ir_graph *g) {
    g->inputs[0]->role = IR_ROLE_CONST;
}
static void unlisted_input(ir_graph *g) {
    g->n_inputs = 1;
}
static void produced_const(ir_graph *g) {
    ir_find_tensor(g, "k")->producer = g->nodes[0];
}
static void orphan(ir_graph *g) {
    ir_find_tensor(g, "c")->producer = NULL;
}
static void swapped(ir_graph *g) {
    ir_node *n = g->nodes[0];
    g->nodes[0] = g->nodes[1];
    g->nodes[1] = n;
}
static void reads_itself(ir_graph *g) {
    g->nodes[0]->in[0] = g->nodes[0]->out[0];
}
static void lost_node(ir_graph *g) {
    g->n_nodes--;
}
static void twice(ir_graph *g) {
    g->nodes[1]->out[0] = g->nodes[0]->out[0];
    g->nodes[1]->in[0] = g->inputs[0];
}
static void wrong_producer(ir_graph *g) {
    g->nodes[1]->out[0]->producer = g->nodes[0];
}
static void foreign(ir_graph *g) {
    static ir_tensor stranger = {.name = "stranger", .dtype = IR_F32};
    g->nodes[1]->in[1] = &stranger;
}
static void in_a_foreign(ir_graph *g) {
    static ir_tensor stranger = {.name = "stranger", .dtype = IR_F32, .rank = 1, .dim = {4096}};
    g->nodes[1]->out[0]->memory.view_of = &stranger;
}
static void missing_operand(ir_graph *g) {
    g->nodes[1]->in[1] = NULL;
}
static void few_operands(ir_graph *g) {
    g->nodes[1]->n_in = 1;
}
static void wrong_shape(ir_graph *g) {
    g->nodes[1]->out[0]->dim[4] = 5;
}
static void wrong_dtype(ir_graph *g) {
    g->nodes[2]->out[0]->dtype = IR_F64;
}
static void silly_shape(ir_graph *g) {
    g->nodes[2]->out[0]->dim[0] = -1;
}
static void silly_rank(ir_graph *g) {
    g->nodes[2]->out[0]->rank = 9;
}
static void no_attribute(ir_graph *g) {
    ir_drop_attr(g->nodes[0], IR_ALPHA);
}
static void more_attributes(ir_graph *g) {
    ir_set_int(g, g->nodes[0], IR_AXIS, 1);
}
static void unsorted(ir_graph *g) {
    ir_attr a = g->nodes[2]->attr[0];
    g->nodes[2]->attr[0] = g->nodes[2]->attr[1];
    g->nodes[2]->attr[1] = a;
}
static void no_value(ir_graph *g) {
    g->nodes[0]->attr[0].f = NULL;
}
static void silly_op(ir_graph *g) {
    g->nodes[0]->op = IR_OP_COUNT;
}
static void no_result(ir_graph *g) {
    g->nodes[0]->n_out = 0;
}

/* Behind ir_set_operand's back. */
static void unknown_reader(ir_graph *g) {
    g->nodes[1]->in[1] = g->inputs[0];
}
static void reader_taken_for_another(ir_graph *g) {
    ir_find_tensor(g, "b")->users[0] = g->nodes[0];
}
static void unknown_output(ir_graph *g) {
    ir_find_tensor(g, "b")->n_outputs++;
}

static const struct {
    const char *name;
    void (*damage)(ir_graph *g);
} damages[] = {
    {"uses", unknown_reader},
    {"uses", reader_taken_for_another},
    {"uses", unknown_output},
    {"name-unique", clash},
    {"name-legal", bad_name},
    {"graph-name", bad_graph_name},
    {"listed", no_output},
    {"listed", same_output},
    {"role", false_input},
    {"role", unlisted_input},
    {"role", produced_const},
    {"producer", wrong_producer},
    {"order", swapped},
    {"order", reads_itself},
    {"producer", lost_node},
    {"producer", twice},
    {"listed", foreign},
    {"view", in_a_foreign},
    {"types", missing_operand},
    {"types", few_operands},
    {"types", wrong_shape},
    {"types", wrong_dtype},
    {"tensor-type", silly_shape},
    {"tensor-type", silly_rank},
    {"types", no_attribute},
    {"types", more_attributes},
    {"attribute-order", unsorted},
    {"attribute-kind", no_value},
    {"op", silly_op},
    {"results", no_result},
    {"producer", orphan},
};

static void damaged_structure_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        ir_graph *g = parse(plain);
        expect_sound(g);
        damages[i].damage(g);
        char *about = test_format("damage %zu", i);
        expect_broken(g, damages[i].name, about);
        free(about);
        ir_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_structure_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
