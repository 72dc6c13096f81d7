/* test_onnx_import.c: the ONNX reader on small models built here: what it lowers to, and every way to be
 * refused. */
#include "test.h"

#include "front_onnx.h"
#include "onnx_write.h"
#include "onnx_write_graph.h"

#include <sys/mman.h>

enum { FLOAT = 1, INT8 = 3, INT64 = 7, FLOAT16 = 10, DOUBLE = 11 };

/* ---- models
 * ----------------------------------------------------------------------------------------------------------
 */

typedef struct model {
    onnx_writer w;
    onnx_list inputs, outputs;
    int64_t opset;
    const char *domain; /* of the opset, NULL: none is imported */
    bool no_graph;
    char *dir, *path;
} model;

static model new_model(void) {
    model m = {.w.arena = ir_arena_new(), .opset = 17, .domain = "", .dir = test_tmpdir()};
    m.path = test_format("%s/net.onnx", m.dir);
    return m;
}

static void free_model(model *m) {
    ir_arena_free(m->w.arena);
    free(m->path);
    test_rmdir(m->dir);
}

/* A value named `name`: dimensions from `shape`, "1,3,D,8": digits are sizes, else a dim_param; "?" is
 * neither. */
static void add_value(model *m, onnx_list *list, const char *name, int type, const char *shape) {
    ir_arena *a = m->w.arena;
    Onnx__ValueInfoProto *v = ir_alloc(a, 1, sizeof *v);
    Onnx__TypeProto *tp = ir_alloc(a, 1, sizeof *tp);
    Onnx__TypeProto__Tensor *t = ir_alloc(a, 1, sizeof *t);
    Onnx__TensorShapeProto *s = ir_alloc(a, 1, sizeof *s);
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(tp);
    onnx__type_proto__tensor__init(t);
    onnx__tensor_shape_proto__init(s);
    v->name = ir_strdup(a, name);
    v->type = tp;
    tp->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    tp->tensor_type = t;
    t->has_elem_type = true;
    t->elem_type = type;
    t->shape = s;
    s->dim = ir_alloc(a, 16, sizeof *s->dim);
    for (char *p = strtok(ir_strdup(a, shape), ","); p; p = strtok(NULL, ",")) {
        Onnx__TensorShapeProto__Dimension *d = ir_alloc(a, 1, sizeof *d);
        onnx__tensor_shape_proto__dimension__init(d);
        if ((*p >= '0' && *p <= '9') || *p == '-') {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
            d->dim_value = atoll(p);
        } else if (*p != '?') {
            d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
            d->dim_param = p;
        }
        s->dim[s->n_dim++] = d;
    }
    onnx_list_add(&m->w, list, v);
}

static void add_input(model *m, const char *name, const char *shape) {
    add_value(m, &m->inputs, name, FLOAT, shape);
}

static void add_output(model *m, const char *name) {
    add_value(m, &m->outputs, name, FLOAT, "1");
}

/* A node: inputs separated by spaces, "-" is left out. */
static Onnx__NodeProto *add_node(model *m, const char *op, const char *inputs, const char *output) {
    const char *in[16];
    int n = 0;
    for (char *p = strtok(ir_strdup(m->w.arena, inputs), " "); p; p = strtok(NULL, " "))
        in[n++] = strcmp(p, "-") == 0 ? NULL : p;
    return onnx_put(&m->w, op, n, in, output);
}

static Onnx__TensorProto *last_tensor(model *m) {
    return m->w.initializers.item[m->w.initializers.count - 1];
}

/* An f32 initializer of ones. */
static float *add_weight(model *m, const char *name, int rank, const int64_t *dim) {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dim[i];
    float *v = ir_alloc(m->w.arena, (size_t)n, sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i] = 1;
    onnx_put_data(&m->w, name, NULL, FLOAT, rank, dim, v, (size_t)n * sizeof *v);
    return v;
}

static void add_ints(model *m, const char *name, int n, const int64_t *v) {
    onnx_put_list(&m->w, name, NULL, n, v);
    last_tensor(m)->name = ir_strdup(m->w.arena, name);
}

#define INTS(...)                                                                                            \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[]) {                                               \
        __VA_ARGS__                                                                                          \
    }

static void save(model *m) {
    Onnx__ModelProto p = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto g = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    opset.domain = m->domain ? ir_strdup(m->w.arena, m->domain) : NULL;
    opset.has_version = true;
    opset.version = m->opset;
    p.n_opset_import = m->domain != NULL;
    p.opset_import = &opsets;
    p.graph = m->no_graph ? NULL : &g;
    g.n_node = m->w.nodes.count;
    g.node = (Onnx__NodeProto **)m->w.nodes.item;
    g.n_initializer = m->w.initializers.count;
    g.initializer = (Onnx__TensorProto **)m->w.initializers.item;
    g.n_input = m->inputs.count;
    g.input = (Onnx__ValueInfoProto **)m->inputs.item;
    g.n_output = m->outputs.count;
    g.output = (Onnx__ValueInfoProto **)m->outputs.item;
    size_t n = onnx__model_proto__get_packed_size(&p);
    uint8_t *bytes = malloc(n + 1);
    onnx__model_proto__pack(&p, bytes);
    test_write(m->path, bytes, n);
    free(bytes);
}

/* Loading m fails with this code and a one-line message that holds `text`; frees m. */
static void refused_with(model *m, const onnx_options *opt, int code, const char *text) {
    ir_diag d = {0};
    save(m);
    ir_graph *g = onnx_load(m->path, opt, &d);
    if (g) fail_msg("accepted; expected: %s", text);
    if (!strstr(d.text, text)) fail_msg("got: %s\nexpected: %s", d.text, text);
    if (strchr(d.text, '\n')) fail_msg("more than one line: %s", d.text);
    assert_int_equal(d.code, code);
    free_model(m);
}

static void refused(model *m, int code, const char *text) {
    refused_with(m, NULL, code, text);
}

/* The printed graph of m; frees m. */
static char *accepted(model *m, const onnx_options *opt) {
    ir_diag d = {0};
    save(m);
    ir_graph *g = onnx_load(m->path, opt, &d);
    if (!g) fail_msg("refused: %s", d.text);
    if (!ir_verify(g, &d)) fail_msg("not valid: %s", d.text);
    char *text = ir_print_string(g);
    ir_graph_free(g);
    free_model(m);
    return text;
}

static void prints(model *m, const onnx_options *opt, const char *line) {
    char *text = accepted(m, opt);
    if (!strstr(text, line)) fail_msg("expected %s in:\n%s", line, text);
    free(text);
}

/* x f32[1,2,4,4,4] -> op -> y */
static model one_node(const char *op, const char *inputs) {
    model m = new_model();
    add_input(&m, "x", "1,2,4,4,4");
    add_output(&m, "y");
    add_node(&m, op, inputs, "y");
    return m;
}

static Onnx__NodeProto *node_of(model *m, int k) {
    return m->w.nodes.item[k];
}

/* ---- what is lowered ------------------------------------------------------------------------- */

static void shape_arithmetic_vanishes(void **state) {
    (void)state;
    /* reshape(x, concat(shape(x)[0:2], [-1])), as exporters write it */
    model m = new_model();
    add_input(&m, "x", "1,2,4,4,4");
    add_output(&m, "y");
    add_node(&m, "Shape", "x", "s");
    add_ints(&m, "zero", INTS(0));
    add_ints(&m, "two", INTS(2));
    add_ints(&m, "minus", INTS(-1));
    add_node(&m, "Slice", "s zero two", "head");
    onnx_put_int(&m.w, add_node(&m, "Concat", "head minus", "shape"), "axis", 0);
    add_node(&m, "Reshape", "x shape", "y");
    char *text = accepted(&m, NULL);
    assert_non_null(strstr(text, "%y = reshape(%x) shape=[1,2,64]"));
    assert_null(strstr(text, "const"));
    free(text);
}

static void padding_becomes_explicit(void **state) {
    (void)state;
    model m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 2, 2, 3, 2});
    onnx_put_word(&m.w, node_of(&m, 0), "auto_pad", "SAME_LOWER");
    prints(&m, NULL, "kernel=2x3x2 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,0,1,0]");
    m = one_node("ConvTranspose", "x w");
    add_weight(&m, "w", 5, (int64_t[]){2, 3, 3, 3, 3});
    onnx_put_ints(&m.w, node_of(&m, 0), "strides", 3, (int64_t[]){2, 2, 2});
    onnx_put_ints(&m.w, node_of(&m, 0), "output_shape", 3, (int64_t[]){8, 9, 10});
    prints(&m, NULL, "pad=[1,0,0,0,0,0] output_pad=0x0x1 group=1 -> f32[1,3,8,9,10]");
}

static void old_softmax_flattens(void **state) {
    (void)state;
    model m = one_node("Softmax", "x");
    m.opset = 11;
    prints(&m, NULL, "softmax(%y.flatten) axis=1");
    m = one_node("Softmax", "x");
    m.opset = 13;
    prints(&m, NULL, "%y = softmax(%x) axis=4");
}

/* Opset 18 has a scale and a bias per group, 21 one per channel. */
static void group_norms_have_a_scale_per_channel(void **state) {
    (void)state;
    for (int opset = 18; opset <= 21; opset += 3) {
        model m = one_node("GroupNormalization", "x s b");
        int64_t values = opset == 18 ? 1 : 2;
        m.opset = opset;
        add_weight(&m, "s", 1, &values);
        add_weight(&m, "b", 1, &values);
        onnx_put_int(&m.w, node_of(&m, 0), "num_groups", 1);
        prints(&m, NULL,
               opset == 18 ? "%y = instance_norm(%x, %s.channels, %b.channels) group=1"
                           : "%y = instance_norm(%x, %s, %b) group=1");
    }
    model m = one_node("GroupNormalization", "x s b");
    m.opset = 21;
    add_weight(&m, "s", 1, (int64_t[]){2});
    add_weight(&m, "b", 1, (int64_t[]){2});
    onnx_put_int(&m.w, node_of(&m, 0), "num_groups", 3);
    refused(&m, IR_EXIT_INPUT, "cannot be split into num_groups=3");
}

/* LayerNormalization of x over channels and voxels: scale f32[rank dim], of ones but for one, bias likewise.
 */
static model layer_norm(int rank, const int64_t *dim, bool steps) {
    model m = new_model();
    add_input(&m, "x", "2,2,3,4,5");
    add_output(&m, "y");
    Onnx__NodeProto *n = add_node(&m, "LayerNormalization", "x s b", "y");
    n->output = ir_alloc(m.w.arena, 2, sizeof *n->output);
    n->output[n->n_output - 1] = "y", n->output[1] = "mean";
    if (steps) n->n_output = 2, add_output(&m, "mean");
    onnx_put_int(&m.w, n, "axis", 1);
    onnx_put_float(&m.w, n, "epsilon", 0.25);
    add_weight(&m, "s", rank, dim)[1] = 3;
    add_weight(&m, "b", rank, dim)[0] = -2;
    return m;
}

/* The interpreter's first output; frees m. */
static ir_value computed(model *m) {
    ir_diag d = {0};
    save(m);
    ir_graph *g = onnx_load(m->path, NULL, &d);
    if (!g) fail_msg("refused: %s", d.text);
    ir_value in = {.f = calloc((size_t)ir_count(g->inputs[0]), sizeof *in.f)}, out[2] = {{0}};
    uint64_t seed = 1;
    for (int64_t i = 0; i < ir_count(g->inputs[0]); i++) in.f[i] = (double)test_random(&seed) + 4;
    if (!ir_interpret(g, &in, out, 1, NULL, NULL, &d)) fail_msg("%s", d.text);
    ir_values_free(&in, 1);
    ir_values_free(out + 1, 1);
    ir_graph_free(g);
    free_model(m);
    return out[0];
}

static void layer_norms_are_group_norms_or_steps(void **state) {
    (void)state;
    static const int64_t scales[][5] = {{2, 1, 1, 1}, {1, 2, 1, 1, 1}, {2, 3, 4, 5}, {5}, {2, 2, 1, 1, 1}};
    static const int rank[] = {4, 5, 4, 1, 5};
    for (int i = 0; i < 5; i++) {
        model m = layer_norm(rank[i], scales[i], false), steps = layer_norm(rank[i], scales[i], true);
        ir_value a = computed(&m), b = computed(&steps);
        for (int k = 0; k < 2 * 2 * 3 * 4 * 5; k++)
            if (fabs(a.f[k] - b.f[k]) > 1e-9) fail_msg("scale %d, at %d: %g, %g", i, k, a.f[k], b.f[k]);
        ir_values_free(&a, 1);
        ir_values_free(&b, 1);
        m = layer_norm(rank[i], scales[i], false);
        prints(&m, NULL,
               i < 2 ? "%y = instance_norm(%x, %y.scale, %y.bias) group=1 eps=0.25"
                     : "%y = add(%y.scaled, %b)");
    }
    model m = layer_norm(1, (int64_t[]){3}, false);
    refused(&m, IR_EXIT_INPUT, "input 1 does not broadcast to X");
}

static void dimensions_are_bound(void **state) {
    (void)state;
    const char *one[] = {"D=6"}, *both[] = {"D=6", "x.1=3"}, *letter[] = {"x.W=9"};
    for (int k = 0; k < 3; k++) {
        model m = new_model();
        add_input(&m, "x", k == 2 ? "1,2,4,4,4" : "1,2,D,D,4");
        add_output(&m, "y");
        add_node(&m, "Relu", "x", "y");
        const char *want[] = {"f32[1,2,6,6,4]", "f32[1,3,6,6,4]", "f32[1,2,4,4,9]"};
        prints(&m,
               &(onnx_options){.dims = k == 0   ? one
                                       : k == 1 ? both
                                                : letter,
                               .n_dims = k == 1 ? 2 : 1},
               want[k]);
    }
}

static void inputs_become_constants(void **state) {
    (void)state;
    ir_diag d = {0};
    file_tensor t;
    assert_true(file_tensor_init(&t, IR_F32, 5, (int64_t[]){3, 2, 1, 1, 1}, "w", &d));
    model m = one_node("Conv", "x w");
    add_input(&m, "w", "3,2,1,1,1");
    prints(&m, &(onnx_options){.n_constants = 1, .constants = &(onnx_constant){"w", &t}},
           "const %w f32[3,2,1,1,1]");
    file_tensor_free(&t);
}

static void nodes_are_sorted(void **state) {
    (void)state;
    model m = new_model();
    add_input(&m, "x", "1,2,4");
    add_output(&m, "y");
    add_node(&m, "Relu", "h", "y");
    add_node(&m, "Neg", "x", "h");
    prints(&m, NULL, "%h = neg(%x)");
}

static void narrow_and_wide_floats_become_f32(void **state) {
    (void)state;
    static const uint16_t half[] = {0x3c00, 0xc000, 0x0001, 0x3555};
    static const double wide[] = {1, -2, 0.1, 3};
    model m = one_node("Add", "x h");
    onnx_put_data(&m.w, "h", NULL, FLOAT16, 1, (int64_t[]){4}, half, sizeof half);
    prints(&m, NULL, "const %h f32[4] {1, -2, 5.9604645e-08, 0.33325195}");
    m = one_node("Add", "x h");
    onnx_put_data(&m.w, "h", NULL, DOUBLE, 1, (int64_t[]){4}, wide, sizeof wide);
    prints(&m, NULL, "const %h f32[4] {1, -2, 0.1, 3}");
}

static void names_are_kept(void **state) {
    (void)state;
    model m = new_model();
    add_input(&m, "x", "1,2,4");
    add_output(&m, "logits");
    add_node(&m, "Relu", "x", "/enc/act/Relu_output_0")->name = "/enc/act/Relu";
    add_node(&m, "Neg", "/enc/act/Relu_output_0", "logits");
    prints(&m, NULL, "%enc_act_Relu = relu(%x) name=\"/enc/act/Relu\"");
}

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

static model small_network(void) {
    model m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 2, 3, 3, 3});
    onnx_put_ints(&m.w, node_of(&m, 0), "pads", 6, (int64_t[]){1, 1, 1, 1, 1, 1});
    node_of(&m, 0)->output[0] = "c";
    add_node(&m, "Relu", "c", "y");
    return m;
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
    add_node(&m, "Foo", "y", "v");
    add_node(&m, "Foobar", "y", "w");
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
    refused(&m, IR_EXIT_UNSUPPORTED, "at most 2 GiB are evaluated");
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

/* ---- export
 * ----------------------------------------------------------------------------------------------------------------
 */

static void export_is_deterministic_and_stable(void **state) {
    (void)state;
    ir_diag d = {0};
    model m = small_network();
    save(&m);
    char *a = test_format("%s/a.onnx", m.dir), *b = test_format("%s/b.onnx", m.dir);
    ir_graph *g = onnx_load(m.path, NULL, &d), *back;
    assert_non_null(g);
    assert_true(onnx_export(g, a, &d));
    assert_non_null(back = onnx_load(a, &(onnx_options){.name = g->name}, &d));
    assert_true(onnx_export(back, b, &d));
    size_t na, nb;
    char *bytes_a = test_read(a, &na), *bytes_b = test_read(b, &nb);
    assert_int_equal(na, nb);
    assert_memory_equal(bytes_a, bytes_b, na);
    assert_false(onnx_export(g, "/nonexistent/x.onnx", &d));
    d = (ir_diag){0};
    for (int i = 0; i < g->n_tensors; i++) g->tensors[i]->data = NULL;
    assert_false(onnx_export(g, a, &d));
    assert_non_null(strstr(d.text, "tensor 'w' has no values"));
    ir_graph_free(g);
    ir_graph_free(back);
    free(bytes_a);
    free(bytes_b);
    free(a);
    free(b);
    free_model(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_arithmetic_vanishes),
        cmocka_unit_test(padding_becomes_explicit),
        cmocka_unit_test(old_softmax_flattens),
        cmocka_unit_test(group_norms_have_a_scale_per_channel),
        cmocka_unit_test(layer_norms_are_group_norms_or_steps),
        cmocka_unit_test(dimensions_are_bound),
        cmocka_unit_test(inputs_become_constants),
        cmocka_unit_test(nodes_are_sorted),
        cmocka_unit_test(narrow_and_wide_floats_become_f32),
        cmocka_unit_test(names_are_kept),
        cmocka_unit_test(broken_files),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(truncated_and_flipped),
        cmocka_unit_test(opsets),
        cmocka_unit_test(unknown_operators_and_attributes),
        cmocka_unit_test(broken_graphs),
        cmocka_unit_test(long_chains),
        cmocka_unit_test(too_many_values),
        cmocka_unit_test(inputs),
        cmocka_unit_test(weights),
        cmocka_unit_test(shapes_do_not_match),
        cmocka_unit_test(external_data),
        cmocka_unit_test(export_is_deterministic_and_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
