/* front_onnx.h: ONNX files into an ir_graph.
 *
 * Opsets 9 to 23 of the standard domain; the operators are the rows of front_onnx_ops.c. The graph that comes
 * out has static shapes and no shape arithmetic: every node whose inputs are constants is evaluated while
 * importing. All ONNX floating types become f32 (float16, bfloat16 and float64 weights are converted, inputs
 * of these types are f32 inputs): generated code computes in one type. int8, int16, uint16, uint32, uint64,
 * strings, sequences and sparse tensors are IR_EXIT_UNSUPPORTED.
 *
 * Messages begin with the path and, where there is one, "node 12 Conv 'name' (opset 17)"; nodes count from 0
 * in the file's order. ONNX names are kept as far as ir_unique_name allows. */
#ifndef VOXC_FRONT_ONNX_H
#define VOXC_FRONT_ONNX_H

#include "file_tensor.h"
#include "ir.h"

/* A graph input that is to be a constant (test data brings Conv's weights as inputs). */
typedef struct onnx_constant {
    const char *name; /* of the graph input, as ONNX spells it */
    const file_tensor *value;
} onnx_constant;

typedef struct onnx_options {
    const char *name; /* of the graph; NULL: the file's name */
    /* "NAME=V" each: NAME is a dim_param of an input, or INPUT.AXIS ("img.2=64", of 5 axes also "img.D=64"),
     * which also replaces a fixed dimension (the graph must then fit: its own shape constants stay as they
     * are). */
    int n_dims;
    const char *const *dims;
    int n_constants;
    const onnx_constant *constants;
    int oldest_opset; /* 0: 9. Conformance data older than that is read by tests */
} onnx_options;

/* NULL with d filled on failure; opt may be NULL. Free with ir_graph_free. */
ir_graph *onnx_load(const char *path, const onnx_options *opt, ir_diag *d);

/* The names of the graph inputs that need data (no initializer), in order: malloc'd array of malloc'd
 * strings, free all. Returns -1 with d filled on failure. */
int onnx_input_names(const char *path, char ***names, ir_diag *d);

#endif
