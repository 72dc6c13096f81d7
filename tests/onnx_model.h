/* onnx_model.h: small ONNX models, built in a test, and what the reader makes of them. */
#ifndef ONNX_MODEL_H
#define ONNX_MODEL_H

#include "test.h"

#include "front_onnx.h"
#include "onnx_write.h"
#include "onnx_write_graph.h"

enum { FLOAT = 1, INT8 = 3, INT64 = 7, BOOL = 9, FLOAT16 = 10, DOUBLE = 11 };

/* ---- models ---------------------------------------------------------------------------------- */

typedef struct model {
    onnx_writer w;
    onnx_list inputs, outputs;
    int64_t opset;
    const char *domain; /* of the opset, NULL: none is imported */
    bool no_graph;
    char *dir, *path;
} model;

static TEST_UNUSED model new_model(void) {
    model m = {.w.arena = ir_arena_new(), .opset = 17, .domain = "", .dir = test_tmpdir()};
    m.path = test_format("%s/net.onnx", m.dir);
    return m;
}

static TEST_UNUSED void free_model(model *m) {
    ir_arena_free(m->w.arena);
    free(m->path);
    test_rmdir(m->dir);
}

/* A value named `name`: dimensions from `shape`, "1,3,D,8": digits are sizes, else a dim_param; "?" is
 * neither. */
static TEST_UNUSED void add_value(model *m, onnx_list *list, const char *name, int type, const char *shape) {
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

static TEST_UNUSED void add_input(model *m, const char *name, const char *shape) {
    add_value(m, &m->inputs, name, FLOAT, shape);
}

static TEST_UNUSED void add_output(model *m, const char *name) {
    add_value(m, &m->outputs, name, FLOAT, "1");
}

/* A node: inputs separated by spaces, "-" is left out. */
static TEST_UNUSED Onnx__NodeProto *add_node(model *m, const char *op, const char *inputs,
                                             const char *output) {
    const char *in[16];
    int n = 0;
    for (char *p = strtok(ir_strdup(m->w.arena, inputs), " "); p; p = strtok(NULL, " "))
        in[n++] = strcmp(p, "-") == 0 ? NULL : p;
    return onnx_put(&m->w, op, n, in, output);
}

static TEST_UNUSED Onnx__TensorProto *last_tensor(model *m) {
    return m->w.initializers.item[m->w.initializers.count - 1];
}

/* An f32 initializer of ones. */
static TEST_UNUSED float *add_weight(model *m, const char *name, int rank, const int64_t *dim) {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dim[i];
    float *v = ir_alloc(m->w.arena, (size_t)n, sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i] = 1;
    onnx_put_data(&m->w, name, NULL, FLOAT, rank, dim, v, (size_t)n * sizeof *v);
    return v;
}

static TEST_UNUSED void add_ints(model *m, const char *name, int n, const int64_t *v) {
    onnx_put_list(&m->w, name, NULL, n, v);
    last_tensor(m)->name = ir_strdup(m->w.arena, name);
}

#define INTS(...)                                                                                            \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[]) {                                               \
        __VA_ARGS__                                                                                          \
    }

/* Seeds for fuzzing: the models of a test program, in the folder $ONNX_SEEDS (tests/fuzz/seeds.py). */
static TEST_UNUSED void keep_seed(const uint8_t *bytes, size_t n) {
    static int number;
    const char *folder = getenv("ONNX_SEEDS");
    if (!folder) return;
    char *path = test_format("%s/%03d.onnx", folder, number++);
    test_write(path, bytes, n);
    free(path);
}

static TEST_UNUSED void save(model *m) {
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
    keep_seed(bytes, n);
    free(bytes);
}

/* Loading m fails with this code and a one-line message that holds `text`; frees m. */
static TEST_UNUSED void refused_with(model *m, const onnx_options *opt, int code, const char *text) {
    ir_diag d = {0};
    save(m);
    ir_graph *g = onnx_load(m->path, opt, &d);
    if (g) fail_msg("accepted; expected: %s", text);
    if (!strstr(d.text, text)) fail_msg("got: %s\nexpected: %s", d.text, text);
    if (strchr(d.text, '\n')) fail_msg("more than one line: %s", d.text);
    assert_int_equal(d.code, code);
    free_model(m);
}

static TEST_UNUSED void refused(model *m, int code, const char *text) {
    refused_with(m, NULL, code, text);
}

/* The printed graph of m; frees m. */
static TEST_UNUSED char *accepted(model *m, const onnx_options *opt) {
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

static TEST_UNUSED void prints(model *m, const onnx_options *opt, const char *line) {
    char *text = accepted(m, opt);
    if (!strstr(text, line)) fail_msg("expected %s in:\n%s", line, text);
    free(text);
}

/* x f32[1,2,4,4,4] -> op -> y */
static TEST_UNUSED model one_node(const char *op, const char *inputs) {
    model m = new_model();
    add_input(&m, "x", "1,2,4,4,4");
    add_output(&m, "y");
    add_node(&m, op, inputs, "y");
    return m;
}

static TEST_UNUSED Onnx__NodeProto *node_of(model *m, int k) {
    return m->w.nodes.item[k];
}

/* ---- what is lowered ------------------------------------------------------------------------- */

static TEST_UNUSED model small_network(void) {
    model m = one_node("Conv", "x w");
    add_weight(&m, "w", 5, (int64_t[]){3, 2, 3, 3, 3});
    onnx_put_ints(&m.w, node_of(&m, 0), "pads", 6, (int64_t[]){1, 1, 1, 1, 1, 1});
    node_of(&m, 0)->output[0] = "c";
    add_node(&m, "Relu", "c", "y");
    return m;
}

#endif
