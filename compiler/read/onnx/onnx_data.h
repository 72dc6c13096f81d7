/* onnx_data.h: ONNX test data: files that hold one TensorProto (test_data_set_0/input_0.pb). */
#ifndef VOXC_ONNX_DATA_H
#define VOXC_ONNX_DATA_H

#include "file_tensor.h"

/* Reads one tensor; float16, bfloat16 and float64 become f32. Sequences, optionals and types that file_tensor
 * lacks are IR_EXIT_UNSUPPORTED. */
bool onnx_data_read(const char *path, file_tensor *t, ir_diag *d);

#endif
