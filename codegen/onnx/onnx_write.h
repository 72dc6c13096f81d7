/* onnx_write.h: an ir_graph as an ONNX file.
 *
 * Any graph of our IR, imported or optimised: fused activations become nodes again, layout changes vanish.
 * Opset 17, or 19 where an operator needs it. The bytes depend on the graph alone. Weights stand in the file,
 * so it is refused above protobuf's 2 GiB; a graph with opaque constants is refused. */
#ifndef VOXC_ONNX_WRITE_H
#define VOXC_ONNX_WRITE_H

#include "ir.h"

bool onnx_export(const ir_graph *g, const char *path, ir_diag *d);

#endif
