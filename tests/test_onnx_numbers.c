/* Numbers of an ONNX model that no tensor could hold: constants of the wrong type; sizes beyond memory. */
#include "onnx_model.h"

/* Constants that a handler makes in its input's type: 0.2 as an integer would be 0. */
static void floats_for_integers(void **state) {
    (void)state;
    static const struct {
        const char *op;
        int type;
        const char *text;
    } rows[] = {{"HardSigmoid", INT64, "0.2 is no i64"},
                {"LayerNormalization", BOOL, "is bool, wants a number"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        model m = new_model();
        add_value(&m, &m.inputs, "x", rows[i].type, "2,3");
        add_value(&m, &m.inputs, "s", rows[i].type, "3");
        add_output(&m, "y");
        Onnx__NodeProto *n = add_node(&m, rows[i].op, rows[i].type == BOOL ? "x s" : "x", "y");
        if (rows[i].type == BOOL) onnx_put_float(&m.w, n, "epsilon", (double)INFINITY);
        refused(&m, IR_EXIT_INPUT, rows[i].text);
    }
}

/* Nothing is allocated for a number of channels that no machine could hold. */
static void channels_beyond_memory(void **state) {
    (void)state;
    model m = new_model();
    m.opset = 18;
    add_input(&m, "x", "1,1099511627776,1,1");
    add_weight(&m, "s", 1, (int64_t[]){2});
    add_output(&m, "y");
    onnx_put_int(&m.w, add_node(&m, "GroupNormalization", "x s s", "y"), "num_groups", 2);
    refused(&m, IR_EXIT_UNSUPPORTED, "1099511627776 channels; at most");
    m = new_model();
    add_input(&m, "x", "1,1099511627776,1");
    add_weight(&m, "s", 2, (int64_t[]){1, 1});
    add_output(&m, "y");
    onnx_put_int(&m.w, add_node(&m, "LayerNormalization", "x s", "y"), "axis", 1);
    refused(&m, IR_EXIT_UNSUPPORTED, "1099511627776 channels; at most");
}

/* The smallest number there is, from which nothing can be taken. */
static void output_shape_below_all(void **state) {
    (void)state;
    model m = one_node("ConvTranspose", "x w");
    add_weight(&m, "w", 5, (int64_t[]){2, 2, 2, 2, 2});
    onnx_put_ints(&m.w, node_of(&m, 0), "output_shape", 3, (int64_t[]){INT64_MIN, 4, 4});
    refused(&m, IR_EXIT_INPUT, "output_shape asks for -9223372036854775808 voxels");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_for_integers),
        cmocka_unit_test(channels_beyond_memory),
        cmocka_unit_test(output_shape_below_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
