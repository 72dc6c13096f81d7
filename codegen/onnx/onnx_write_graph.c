/* onnx_write_graph.c: see onnx_write_graph.h. */
#include "onnx_write_graph.h"
#include "onnx_tensor.h"

#include <math.h>
#include <string.h>

void onnx_list_add(onnx_writer *w, onnx_list *list, void *item) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        void **larger = ir_alloc(w->arena, capacity, sizeof *larger);
        if (list->count) memcpy(larger, list->item, list->count * sizeof *larger);
        list->item = larger;
        list->capacity = capacity;
    }
    list->item[list->count++] = item;
}

Onnx__NodeProto *onnx_put(onnx_writer *w, const char *type, int n_in, const char *const *in,
                          const char *out) {
    Onnx__NodeProto *n = ir_alloc(w->arena, 1, sizeof *n);
    onnx__node_proto__init(n);
    n->op_type = ir_strdup(w->arena, type);
    n->name = ir_strdup(w->arena, out);
    while (n_in > 0 && !in[n_in - 1]) n_in--;
    n->n_input = (size_t)n_in;
    n->input = ir_alloc(w->arena, (size_t)n_in + 1, sizeof *n->input);
    for (int k = 0; k < n_in; k++) n->input[k] = ir_strdup(w->arena, in[k] ? in[k] : "");
    n->n_output = 1;
    n->output = ir_alloc(w->arena, 1, sizeof *n->output);
    n->output[0] = ir_strdup(w->arena, out);
    onnx_list_add(w, &w->nodes, n);
    return n;
}

static Onnx__AttributeProto *new_attribute(onnx_writer *w, Onnx__NodeProto *n, const char *name, int type) {
    Onnx__AttributeProto *a = ir_alloc(w->arena, 1, sizeof *a);
    Onnx__AttributeProto **list = ir_alloc(w->arena, n->n_attribute + 1, sizeof *list);
    onnx__attribute_proto__init(a);
    a->name = ir_strdup(w->arena, name);
    a->has_type = true;
    a->type = (Onnx__AttributeProto__AttributeType)type;
    if (n->n_attribute) memcpy(list, n->attribute, n->n_attribute * sizeof *list);
    list[n->n_attribute++] = a;
    n->attribute = list;
    return a;
}

void onnx_put_int(onnx_writer *w, Onnx__NodeProto *n, const char *name, int64_t v) {
    Onnx__AttributeProto *a = new_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = true;
    a->i = v;
}

void onnx_put_ints(onnx_writer *w, Onnx__NodeProto *n, const char *name, int count, const int64_t *v) {
    Onnx__AttributeProto *a = new_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)count;
    a->ints = ir_alloc(w->arena, (size_t)count + 1, sizeof *a->ints);
    if (count) memcpy(a->ints, v, (size_t)count * sizeof *v);
}

void onnx_put_float(onnx_writer *w, Onnx__NodeProto *n, const char *name, double v) {
    Onnx__AttributeProto *a = new_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = true;
    a->f = (float)v;
}

void onnx_put_word(onnx_writer *w, Onnx__NodeProto *n, const char *name, const char *v) {
    Onnx__AttributeProto *a = new_attribute(w, n, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    a->has_s = true;
    a->s.len = strlen(v);
    a->s.data = (uint8_t *)ir_strdup(w->arena, v);
}

const char *onnx_put_data(onnx_writer *w, const char *base, const char *suffix, int onnx_type, int rank,
                          const int64_t *dim, const void *raw, size_t bytes) {
    Onnx__TensorProto *t = ir_alloc(w->arena, 1, sizeof *t);
    onnx__tensor_proto__init(t);
    t->name = suffix ? ir_format(w->arena, "%s:%s", base, suffix) : ir_strdup(w->arena, base);
    t->has_data_type = true;
    t->data_type = onnx_type;
    t->n_dims = (size_t)rank;
    t->dims = ir_alloc(w->arena, (size_t)rank + 1, sizeof *t->dims);
    if (rank) memcpy(t->dims, dim, (size_t)rank * sizeof *dim);
    t->has_raw_data = true;
    t->raw_data.len = bytes;
    t->raw_data.data = (uint8_t *)(uintptr_t)raw; /* protobuf-c only reads it */
    onnx_list_add(w, &w->initializers, t);
    return t->name;
}

const char *onnx_put_list(onnx_writer *w, const char *base, const char *suffix, int count, const int64_t *v) {
    int64_t n = count, *own = ir_alloc(w->arena, (size_t)count + 1, sizeof *own);
    if (count) memcpy(own, v, (size_t)count * sizeof *v);
    return onnx_put_data(w, base, suffix, onnx_type_of(IR_I64), 1, &n, own, (size_t)count * sizeof *own);
}

/* Held inside the type, as a cast in the graph is (a bound of a clip may be infinite); NaN becomes 0. */
static int64_t held_inside(double v, int64_t low, int64_t high) {
    if (isnan(v)) return 0;
    if (v >= (double)high) return high;
    return v > (double)low ? (int64_t)v : low;
}

const char *onnx_put_scalar(onnx_writer *w, const char *base, const char *suffix, ir_dtype t, double v) {
    void *own = ir_alloc(w->arena, 1, 8);
    if (ir_dtype_is_float(t))
        ir_store_float(t, own, 0, v);
    else
        ir_store_int(t, own, 0, held_inside(v, ir_dtype_low(t), ir_dtype_high(t)));
    return onnx_put_data(w, base, suffix, onnx_type_of(t), 0, NULL, own, ir_dtype_bytes(t));
}

const char *onnx_written_name(const ir_tensor *t) {
    while (t->producer && (t->producer->op == IR_OP_TO_BLOCK || t->producer->op == IR_OP_FROM_BLOCK))
        t = t->producer->in[0];
    return t->name;
}
