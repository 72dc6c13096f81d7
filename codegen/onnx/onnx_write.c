/* onnx_write.c: see onnx_write.h. */
#include "onnx_write.h"
#include "files.h"
#include "onnx_tensor.h"
#include "onnx_write_graph.h"

#include <stdlib.h>

static Onnx__ValueInfoProto *value_info(onnx_writer *w, const ir_tensor *t, const char *name) {
    Onnx__ValueInfoProto *v = ir_alloc(w->arena, 1, sizeof *v);
    Onnx__TypeProto *type = ir_alloc(w->arena, 1, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = ir_alloc(w->arena, 1, sizeof *tensor);
    Onnx__TensorShapeProto *shape = ir_alloc(w->arena, 1, sizeof *shape);
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    v->name = ir_strdup(w->arena, name);
    v->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = true;
    tensor->elem_type = onnx_type_of(t->dtype);
    tensor->shape = shape;
    shape->n_dim = (size_t)t->rank;
    shape->dim = ir_alloc(w->arena, (size_t)t->rank + 1, sizeof *shape->dim);
    for (int i = 0; i < t->rank; i++) {
        shape->dim[i] = ir_alloc(w->arena, 1, sizeof **shape->dim);
        onnx__tensor_shape_proto__dimension__init(shape->dim[i]);
        shape->dim[i]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        shape->dim[i]->dim_value = t->dim[i];
    }
    return v;
}

static bool write_constants(onnx_writer *w, ir_diag *d) {
    for (int i = 0; i < w->g->n_tensors; i++) {
        const ir_tensor *t = w->g->tensors[i];
        if (t->role != IR_ROLE_CONST || !ir_count_uses(w->g, t)) continue;
        if (!t->data)
            return ir_fail(d, IR_EXIT_INPUT, "export: tensor '%s' has no values: give the network's weights",
                           t->name);
        onnx_put_data(w, t->name, NULL, onnx_type_of(t->dtype), t->rank, t->dim, t->data,
                      (size_t)ir_bytes(t));
    }
    return true;
}

/* A graph output must be the output of a node, and only once. */
static const char *write_output_name(onnx_writer *w, int index) {
    const ir_tensor *t = w->g->outputs[index];
    const char *name = onnx_written_name(t);
    bool again = false;
    for (int k = 0; k < index; k++) again = again || w->g->outputs[k] == t;
    if (t->role == IR_ROLE_VALUE && name == t->name && !again) return name;
    const char *own =
        t->role == IR_ROLE_VALUE && !again ? t->name : ir_format(w->arena, "%s:output%d", t->name, index);
    onnx_put(w, "Identity", 1, &name, own);
    return own;
}

static Onnx__GraphProto *make_graph(onnx_writer *w) {
    Onnx__GraphProto *p = ir_alloc(w->arena, 1, sizeof *p);
    onnx_list inputs = {0}, outputs = {0};
    onnx__graph_proto__init(p);
    for (int i = 0; i < w->g->n_inputs; i++)
        onnx_list_add(w, &inputs, value_info(w, w->g->inputs[i], w->g->inputs[i]->name));
    for (int i = 0; i < w->g->n_nodes; i++) onnx_write_node(w, w->g->nodes[i]);
    for (int i = 0; i < w->g->n_outputs; i++)
        onnx_list_add(w, &outputs, value_info(w, w->g->outputs[i], write_output_name(w, i)));
    p->name = ir_strdup(w->arena, w->g->name);
    p->n_input = inputs.count;
    p->input = (Onnx__ValueInfoProto **)inputs.item;
    p->n_output = outputs.count;
    p->output = (Onnx__ValueInfoProto **)outputs.item;
    p->n_node = w->nodes.count;
    p->node = (Onnx__NodeProto **)w->nodes.item;
    p->n_initializer = w->initializers.count;
    p->initializer = (Onnx__TensorProto **)w->initializers.item;
    return p;
}

static bool pack(const Onnx__ModelProto *m, const char *path, ir_diag *d) {
    size_t n = onnx__model_proto__get_packed_size(m);
    if (n >= (size_t)1 << 31)
        return ir_fail(d, IR_EXIT_UNSUPPORTED,
                       "%s: the model needs %zu bytes; an ONNX file holds at most 2 GiB", path, n);
    uint8_t *bytes = malloc(n + 1);
    if (!bytes) return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory for %zu bytes", path, n);
    onnx__model_proto__pack(m, bytes);
    bool ok = file_write_atomic(path, bytes, n, d);
    free(bytes);
    return ok;
}

static bool export_with(onnx_writer *w, const char *path, ir_diag *d) {
    Onnx__ModelProto m = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    for (int i = 0; i < w->g->n_nodes; i++)
        if (!onnx_can_write(w->g->nodes[i], d)) return false;
    if (!write_constants(w, d)) return false;
    opset.domain = ir_strdup(w->arena, "");
    opset.has_version = true;
    opset.version = w->opset;
    m.has_ir_version = true;
    m.ir_version = w->opset >= 19 ? 9 : 8; /* the oldest that may hold this opset */
    m.producer_name = ir_strdup(w->arena, "voxc");
    m.n_opset_import = 1;
    m.opset_import = &opsets;
    m.graph = make_graph(w);
    return pack(&m, path, d);
}

bool onnx_export(const ir_graph *g, const char *path, ir_diag *d) {
    onnx_writer w = {.g = g, .arena = ir_arena_new(), .opset = onnx_needed_opset(g)};
    bool ok = export_with(&w, path, d);
    ir_arena_free(w.arena);
    return ok;
}
