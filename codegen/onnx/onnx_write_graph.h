/* onnx_write_graph.h: assembling an ONNX graph. For onnx_write*.c only.
 *
 * Names: tensors keep the IR's; what the writer adds ("x:starts") holds a colon, which no IR name can. */
#ifndef VOXC_ONNX_WRITE_GRAPH_H
#define VOXC_ONNX_WRITE_GRAPH_H

#include "ir.h"
#include "onnx.pb-c.h"

typedef struct onnx_list { /* of pointers, as protobuf-c wants them */
    void **item;
    size_t count, capacity;
} onnx_list;

typedef struct onnx_writer {
    const ir_graph *g;
    ir_arena *arena; /* owns everything but weights */
    int opset;
    onnx_list nodes, initializers;
} onnx_writer;

void onnx_list_add(onnx_writer *w, onnx_list *list, void *item);

/* Appends a node. Strings are copied; an input of NULL is left out. */
Onnx__NodeProto *onnx_put(onnx_writer *w, const char *type, int n_in, const char *const *in, const char *out);
void onnx_put_int(onnx_writer *w, Onnx__NodeProto *n, const char *name, int64_t v);
void onnx_put_ints(onnx_writer *w, Onnx__NodeProto *n, const char *name, int count, const int64_t *v);
void onnx_put_float(onnx_writer *w, Onnx__NodeProto *n, const char *name, double v);
void onnx_put_word(onnx_writer *w, Onnx__NodeProto *n, const char *name, const char *v);

/* Adds an initializer called "base:suffix" and returns its name. raw is not copied. */
const char *onnx_put_data(onnx_writer *w, const char *base, const char *suffix, int onnx_type, int rank,
                          const int64_t *dim, const void *raw, size_t bytes);
const char *onnx_put_list(onnx_writer *w, const char *base, const char *suffix, int count, const int64_t *v);
const char *onnx_put_scalar(onnx_writer *w, const char *base, const char *suffix, ir_dtype t, double v);

/* The name of t in the file: layout changes stand for what they were given. */
const char *onnx_written_name(const ir_tensor *t);

/* onnx_write_ops.c: the node(s) for n. */
void onnx_write_node(onnx_writer *w, const ir_node *n);
/* False, with d filled, for the rare node that ONNX cannot express. */
bool onnx_can_write(const ir_node *n, ir_diag *d);
/* The opset that g needs. */
int onnx_needed_opset(const ir_graph *g);

#endif
