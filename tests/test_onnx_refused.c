/* test_onnx_refused.c: every way in which the ONNX reader refuses a file. */
#include "onnx_model.h"

#include <sys/mman.h>

/* ---- refused: the file ----------------------------------------------------------------------- */

static void load_bytes(const void *bytes, size_t n, const char *text) {
    model m = new_model();
    ir_diag d = {0};
    test_write(m.path, bytes, n);
    assert_null(onnx_load(m.path, NULL, &d));
    if (!strstr(d.text, text)) fail_msg("got: %s\nexpected: %s", d.text, text);
    assert_int_equal(d.code, IR_EXIT_INPUT);
    free_model(&m);
}

static void broken_files(void **state) {
    (void)state;
    ir_diag d = {0};
    load_bytes("", 0, "the file is empty");
    load_bytes("this is no protobuf", 19, "not a valid ONNX file");
    /* field 7 (graph), length 2^31 - 1 */
    load_bytes("\x3a\xff\xff\xff\xff\x07xxxx", 10, "a length of 2147483647 bytes where 4 are left");
    /* a length that does not fit 64 bits */
    load_bytes("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13, "unreadable length");
    load_bytes("\x08\x08", 2, "it holds no graph");
    assert_null(onnx_load("/nonexistent/net.onnx", NULL, &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    d = (ir_diag){0};
    assert_null(onnx_load("/", NULL, &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
}

/* graph.node.attribute.g.node.attribute.g ... deep enough to exhaust the stack of a recursive reader */
static void nesting_is_limited(void **state) {
    (void)state;
    enum { DEPTH = 20000, ROOM = 8 * DEPTH };
    unsigned char *file = malloc(ROOM);
    size_t at = ROOM;
    static const unsigned char fields[] = {0x3a, 0x0a, 0x2a, 0x32}; /* graph, node, attribute, g */
    for (int k = DEPTH; k >= 0; k--) {
        size_t n = ROOM - at;
        unsigned char head[8];
        int len = 0;
        head[len++] = k == 0 ? fields[0] : fields[(k - 1) % 3 + 1];
        for (; n >= 128; n >>= 7) head[len++] = (unsigned char)(n | 128);
        head[len++] = (unsigned char)n;
        at -= (size_t)len;
        memcpy(file + at, head, (size_t)len);
    }
    load_bytes(file + at, ROOM - at, "nested more than 100 deep");
    free(file);
}

/* Loads n bytes from a file in memory: thousands of files on a disk take their time. */
static ir_graph *load_memory(int fd, const void *bytes, size_t n, ir_diag *d) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, bytes, n, 0), n);
    return onnx_load(path, NULL, d);
}

/* Every truncation and every flipped bit of a small model: refused or accepted, never a crash. */
static void truncated_and_flipped(void **state) {
    (void)state;
    model m = small_network();
    save(&m);
    size_t n, accepted_count = 0;
    char *file = test_read(m.path, &n);
    int fd = memfd_create("model", 0);
    for (size_t cut = 0; cut < n; cut++) {
        ir_diag d = {0};
        ir_graph *g = load_memory(fd, file, cut, &d);
        if (!g) assert_int_not_equal(d.code, IR_EXIT_OK);
        assert_true(!g || cut > 0);
        ir_graph_free(g);
    }
    for (size_t bit = 0; bit < 8 * n; bit++) {
        ir_diag d = {0};
        file[bit / 8] ^= (char)(1 << bit % 8);
        ir_graph *g = load_memory(fd, file, n, &d);
        accepted_count += g != NULL;
        if (g && !ir_verify(g, &d)) fail_msg("bit %zu: %s", bit, d.text);
        if (!g) assert_true(d.code != IR_EXIT_OK && !strchr(d.text, '\n'));
        ir_graph_free(g);
        file[bit / 8] ^= (char)(1 << bit % 8);
    }
    print_message("%zu of %zu flips were accepted\n", accepted_count, 8 * n);
    close(fd);
    free(file);
    free_model(&m);
}

/* ---- refused: the graph ---------------------------------------------------------------------- */

static void opsets(void **state) {
    (void)state;
    for (int opset = 1; opset < 40; opset++) {
        model m = one_node("Relu", "x");
        m.opset = opset;
        if (opset >= 9 && opset <= 23) {
            prints(&m, NULL, "%y = relu(%x)");
        } else {
            char *text = test_format("opset %d; voxc reads opsets 9 to 23", opset);
            refused(&m, IR_EXIT_UNSUPPORTED, text);
            free(text);
        }
    }
    model m = one_node("Relu", "x");
    m.domain = NULL;
    refused(&m, IR_EXIT_INPUT, "does not say which opset");
    m = one_node("Relu", "x");
    m.domain = "com.microsoft";
    refused(&m, IR_EXIT_UNSUPPORTED, "only domain 'com.microsoft'");
}

static void unknown_operators_and_attributes(void **state) {
    (void)state;
    model m = one_node("Foo", "x");
    node_of(&m, 0)->name = "layer";
    refused(&m, IR_EXIT_UNSUPPORTED,
            "net.onnx: node 0 Foo 'layer' (opset 17): unsupported operator; inputs x f32[1,2,4,4,4]");
    m = one_node("Foo", "x");
    add_node(&m, "Bar", "y", "z");
    add_output(&m, "z");
    add_node(&m, "Foo", "y", "v");
    add_output(&m, "v");
    add_node(&m, "Foobar", "y", "w");
    add_output(&m, "w");
    refused(&m, IR_EXIT_UNSUPPORTED, "; also unsupported in this model: Bar, Foobar");
    m = one_node("Relu", "x");
    node_of(&m, 0)->domain = "com.microsoft";
    refused(&m, IR_EXIT_UNSUPPORTED, "operators of domain 'com.microsoft'");
    m = one_node("Upsample", "x x");
    refused(&m, IR_EXIT_UNSUPPORTED, "this operator is not supported in this opset");
    m = one_node("Relu", "x");
    onnx_put_int(&m.w, node_of(&m, 0), "slope", 1);
    refused(&m, IR_EXIT_UNSUPPORTED, "unknown attribute 'slope'");
    m = one_node("LeakyRelu", "x");
    onnx_put_int(&m.w, node_of(&m, 0), "alpha", 1);
    refused(&m, IR_EXIT_INPUT, "attribute 'alpha' has the wrong type");
    m = one_node("Relu", "x x");
    refused(&m, IR_EXIT_INPUT, "2 inputs");
    m = one_node("Sub", "x -");
    refused(&m, IR_EXIT_INPUT, "1 inputs");
    m = one_node("Foo\nbar", "x");
    refused(&m, IR_EXIT_UNSUPPORTED, "Foo?bar");
}

static void broken_graphs(void **state) {
    (void)state;
    model m = one_node("Relu", "nowhere");
    refused(&m, IR_EXIT_INPUT,
            "node 0 Relu: no graph input, initializer or node produces its input 'nowhere'");
    m = one_node("Relu", "x");
    add_output(&m, "z");
    refused(&m, IR_EXIT_INPUT, "nothing produces the graph output 'z'");
    m = one_node("Add", "x b");
    add_node(&m, "Relu", "y", "b");
    refused(&m, IR_EXIT_INPUT, "a cycle");
    m = one_node("Add", "x y");
    refused(&m, IR_EXIT_INPUT, "its input 'y' depends on its own output");
    m = one_node("Relu", "x");
    add_node(&m, "Neg", "x", "y");
    refused(&m, IR_EXIT_INPUT, "node 1 Neg: its output 'y' already names");
    m = one_node("Relu", "x");
    add_input(&m, "x", "1");
    refused(&m, IR_EXIT_INPUT, "two graph inputs are named 'x'");
    m = one_node("Relu", "x");
    add_weight(&m, "w", 1, (int64_t[]){2});
    add_weight(&m, "w", 1, (int64_t[]){2});
    refused(&m, IR_EXIT_INPUT, "two initializers are named 'w'");
    m = one_node("Relu", "x");
    m.no_graph = true;
    refused(&m, IR_EXIT_INPUT, "it holds no graph");
    m = one_node("Relu", "x");
    m.outputs.count = 0;
    refused(&m, IR_EXIT_INPUT, "the graph has no outputs");
}

/* A chain so long that a recursive sort would exhaust the stack. */
static void long_chains(void **state) {
    (void)state;
    enum { N = 3000 };
    model m = new_model();
    char from[16], to[16];
    add_input(&m, "n0", "1,2,4");
    for (int i = N; i > 0; i--) { /* last node first: all must be sorted */
        snprintf(from, sizeof from, "n%d", i - 1);
        snprintf(to, sizeof to, "n%d", i);
        add_node(&m, "Neg", from, to);
    }
    add_output(&m, "n3000");
    prints(&m, NULL, "%n3000 = neg(%n2999)");
}

/* Each result is twice as large as its operand: a kilobyte of file asks for gigabytes. */
static void constants_that_explode(void **state) {
    (void)state;
    model m = one_node("Neg", "x");
    add_weight(&m, "c0", 1, (int64_t[]){1});
    for (int i = 0; i < 40; i++) {
        char from[32], to[16];
        snprintf(from, sizeof from, "c%d c%d", i, i);
        snprintf(to, sizeof to, "c%d", i + 1);
        onnx_put_int(&m.w, add_node(&m, "Concat", from, ir_strdup(m.w.arena, to)), "axis", 0);
    }
    add_output(&m, "c40");
    refused(&m, IR_EXIT_UNSUPPORTED, "node 25 Concat");
}

static void constants_that_take_long(void **state) {
    (void)state;
    model m = one_node("ConstantOfShape", "s");
    add_ints(&m, "s", INTS(1, 32, 64, 64, 64));
    add_ints(&m, "t", INTS(64, 32, 3, 3, 3));
    add_node(&m, "ConstantOfShape", "t", "w");
    add_node(&m, "Conv", "y w", "z");
    add_output(&m, "z");
    refused(&m, IR_EXIT_UNSUPPORTED, "operations, those before it");
}

/* Half of them have the same name once what C does not allow is gone: their numbers are found at once. */
static void names_that_clash(void **state) {
    (void)state;
    model m = one_node("Relu", "x");
    for (int i = 0; i < 6000; i++) {
        char *name = ir_format(m.w.arena, "a%06d", i);
        for (int bit = 0; bit < 6; bit++) name[1 + bit] = "-/:+!?"[(i >> (2 * bit)) & 3];
        name = ir_format(m.w.arena, "%s%.*s", name, i / 4096, "?");
        onnx_put(&m.w, "Neg", 1, (const char *[]){"x"}, name);
        add_output(&m, name);
    }
    add_output(&m, "y");
    prints(&m, NULL, "%y = relu(%x)");
}

static void too_many_values(void **state) {
    (void)state;
    model m = one_node("Relu", "x");
    for (int i = 0; i < 70000; i++) {
        char name[16];
        snprintf(name, sizeof name, "z%d", i);
        onnx_put(&m.w, "Neg", 1, (const char *[]){"x"}, name);
    }
    refused(&m, IR_EXIT_UNSUPPORTED, "70002 values; at most 65536");
}

static void inputs(void **state) {
    (void)state;
    static const struct {
        int type, code;
        const char *shape, *dim, *text;
    } rows[] = {
        {FLOAT, 2, "1,2,D,4,4", NULL,
         "input 'x': dimension 2 is dynamic ('D'); voxc compiles for one shape: give --input-dim D=V"},
        {FLOAT, 2, "1,2,?,4,4", NULL, "give --input-dim x.2=V"},
        {FLOAT, 2, "1,2,0,4,4", NULL, "dimension 2 has no usable size"},
        {FLOAT, 2, "1,2,-5,4,4", NULL, "dimension 2 has no usable size"},
        {FLOAT, 2, "4611686018427387904,4611686018427387904", NULL,
         "the product of its dimensions overflows"},
        {FLOAT, 2, "1,2,4,4,4", "E=3", "no graph input has a dimension of that name"},
        {FLOAT, 2, "1,2,D,4,4", "D=0", "expected NAME=V"},
        {FLOAT, 2, "1,2,D,4,4", "D", "expected NAME=V"},
        {FLOAT, 2, "1,2,D,4,4", "D=4x", "expected NAME=V"},
        {INT8, 3, "1,2,4,4,4", NULL, "element type int8 is not supported"},
        {99, 3, "1,2,4,4,4", NULL, "unknown element type 99"},
        {FLOAT, 3, "1,1,1,1,1,1,1,1,1", NULL, "9 axes; at most 8"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        model m = new_model();
        add_value(&m, &m.inputs, "x", rows[i].type, rows[i].shape);
        add_output(&m, "y");
        add_node(&m, "Relu", "x", "y");
        onnx_options opt = {.n_dims = rows[i].dim != NULL, .dims = &rows[i].dim};
        refused_with(&m, &opt, rows[i].code, rows[i].text);
    }
}

/* ---- refused: tensors ------------------------------------------------------------------------ */

static void weights(void **state) {
    (void)state;
    int64_t dim[] = {3, 2, 1, 1, 1};
    for (int k = 0; k < 8; k++) {
        static const struct {
            int code;
            const char *text;
        } want[] = {
            {2, "weight 'w' is NaN at index 5 (of 6)"},
            {2, "weight 'w' is infinite at index 0 (of 6)"},
            {2, "initializer 'w': the shape needs 24 bytes, raw_data holds 23"},
            {2, "the shape needs 6 elements, the tensor holds 0"},
            {2, "dimension 1 is -2"},
            {2, "the product of the dimensions overflows"},
            {3, "element type int8 is not supported"},
            {2, "element type is missing"},
        };
        model m = one_node("Conv", "x w");
        float *v = add_weight(&m, "w", 5, dim);
        Onnx__TensorProto *t = last_tensor(&m);
        if (k == 0) v[5] = NAN;
        if (k == 1) v[0] = -INFINITY;
        if (k == 2) t->raw_data.len--;
        if (k == 3) t->has_raw_data = false;
        if (k == 4) t->dims[1] = -2;
        if (k == 5) t->dims[1] = t->dims[2] = INT64_C(1) << 40;
        if (k == 6) t->data_type = INT8;
        if (k == 7) t->has_data_type = false;
        refused(&m, want[k].code, want[k].text);
    }
}

static void shapes_do_not_match(void **state) {
    (void)state;
    model m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 5, 1, 1, 1});
    refused(&m, IR_EXIT_INPUT, "wants 5 input channels");
    m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 2, 9, 1, 1});
    refused(&m, IR_EXIT_INPUT, "the output would be empty");
    m = one_node("Conv", "x w");
    add_weight(&m, "w", 4, (int64_t[]){3, 2, 1, 1});
    refused(&m, IR_EXIT_INPUT, "the weight has 4 axes, the input 5");
    m = one_node("Reshape", "x s");
    add_ints(&m, "s", INTS(7, -1));
    refused(&m, IR_EXIT_INPUT, "128 elements cannot be split by 7");
    m = one_node("Reshape", "x x");
    refused(&m, IR_EXIT_UNSUPPORTED, "must be a constant, but it depends on the network's input");
    m = one_node("Expand", "one s");
    add_weight(&m, "one", 1, (int64_t[]){1});
    add_ints(&m, "s", INTS(1 << 20, 1 << 20));
    refused(&m, IR_EXIT_UNSUPPORTED, "are evaluated: simplify the model");
    m = one_node("Expand", "x s");
    add_ints(&m, "s", INTS(INT64_C(1) << 60, 1, 2, 4, 4, 4));
    refused(&m, IR_EXIT_INPUT, "2^62");
    m = one_node("Resize", "x - s");
    add_weight(&m, "s", 1, (int64_t[]){5});
    onnx_put_word(&m.w, node_of(&m, 0), "mode", "cubic");
    refused(&m, IR_EXIT_UNSUPPORTED, "mode 'cubic'");
    m = one_node("Gather", "x i");
    add_ints(&m, "i", INTS(1));
    refused(&m, IR_EXIT_INPUT, "index 1 is outside axis 0");
}

/* C's strings end there: the rest of a name would be lost, and two names could be one. */
static void a_zero_byte_in_a_text(void **state) {
    (void)state;
    static const struct {
        const char *text, *field;
    } rows[] = {{"Resize", "op_type"},
                {"mode", "name"},
                {"linear", "text of s"},
                {"scales", "input"},
                {"Width", "dim_param"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        model m = new_model();
        ir_diag d = {0};
        size_t n;
        add_value(&m, &m.inputs, "x", FLOAT, "1,2,Width");
        add_weight(&m, "scales", 1, (int64_t[]){3});
        add_node(&m, "Resize", "x - scales", "y");
        onnx_put_word(&m.w, node_of(&m, 0), "mode", "linear");
        add_value(&m, &m.outputs, "y", FLOAT, "?,?,?");
        save(&m);
        char *file = test_read(m.path, &n), *at = memmem(file, n, rows[i].text, strlen(rows[i].text));
        assert_non_null(at);
        at[1] = 0;
        test_write(m.path, file, n);
        assert_null(onnx_load(m.path, NULL, &d));
        if (d.code != IR_EXIT_INPUT || !strstr(d.text, "a zero byte in the text of") ||
            !strstr(d.text, rows[i].field))
            fail_msg("%s: %s", rows[i].text, d.text);
        free(file);
        free_model(&m);
    }
}

/* ---- external data --------------------------------------------------------------------------- */

static model with_external(const char *location, const char *offset, const char *length) {
    static const char *const keys[] = {"location", "offset", "length"};
    const char *values[] = {location, offset, length};
    model m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 2, 1, 1, 1});
    Onnx__TensorProto *t = last_tensor(&m);
    t->has_raw_data = false;
    t->has_data_location = true;
    t->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    t->external_data = ir_alloc(m.w.arena, 3, sizeof *t->external_data);
    for (int k = 0; k < 3; k++) {
        if (!values[k]) continue;
        Onnx__StringStringEntryProto *e = ir_alloc(m.w.arena, 1, sizeof *e);
        onnx__string_string_entry_proto__init(e);
        e->key = ir_strdup(m.w.arena, keys[k]);
        e->value = ir_strdup(m.w.arena, values[k]);
        t->external_data[t->n_external_data++] = e;
    }
    char *path = test_format("%s/w.bin", m.dir);
    static const float v[] = {9, 9, 1, 2, 3, 4, 5, 6};
    test_write(path, v, sizeof v);
    free(path);
    return m;
}

static void external_data(void **state) {
    (void)state;
    static const struct {
        const char *location, *offset, *length, *text;
    } rows[] = {
        {"w.bin", "12", NULL, "has 32 bytes; 24 at offset 12"},
        {"w.bin", "99999999999", NULL, "has 32 bytes"},
        {"w.bin", "8", "23", "the external data's length is 23"},
        {"w.bin", "-8", NULL, "offset '-8' is not a size"},
        {"w.bin", "99999999999999999999", NULL, "is not a size"},
        {"absent.bin", "0", NULL, "cannot open external data file 'absent.bin'"},
        {"../w.bin", "0", NULL, "may not leave the model's folder"},
        {"a/../../w.bin", "0", NULL, "may not leave the model's folder"},
        {"/etc/passwd", "0", NULL, "may not leave the model's folder"},
        {"", "0", NULL, "may not leave the model's folder"},
        {NULL, "0", NULL, "without a location"},
        {"link", "0", NULL, "leads out of the model's folder"},
        {"pipe", "0", NULL, "is not a regular file"},
        {"sub", "0", NULL, "is not a regular file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        model m = with_external(rows[i].location, rows[i].offset, rows[i].length);
        char *cmd = test_format("cd %s && ln -s /etc/passwd link && mkfifo pipe && mkdir sub", m.dir);
        assert_int_equal(test_run(cmd, NULL), 0);
        free(cmd);
        refused(&m, IR_EXIT_INPUT, rows[i].text);
    }
    model m = with_external("w.bin", "8", "24");
    prints(&m, NULL, "{1, 2, 3, 4, 5, 6}");
    m = with_external("./w.bin", "8", NULL);
    prints(&m, NULL, "{1, 2, 3, 4, 5, 6}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(truncated_and_flipped),
        cmocka_unit_test(opsets),
        cmocka_unit_test(unknown_operators_and_attributes),
        cmocka_unit_test(broken_graphs),
        cmocka_unit_test(long_chains),
        cmocka_unit_test(constants_that_explode),
        cmocka_unit_test(constants_that_take_long),
        cmocka_unit_test(names_that_clash),
        cmocka_unit_test(too_many_values),
        cmocka_unit_test(inputs),
        cmocka_unit_test(weights),
        cmocka_unit_test(shapes_do_not_match),
        cmocka_unit_test(a_zero_byte_in_a_text),
        cmocka_unit_test(external_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
