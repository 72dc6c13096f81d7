/* front_onnx_ops.h: what a writer of ONNX asks the table of operators that are read. */
#ifndef VOXC_FRONT_ONNX_OPS_H
#define VOXC_FRONT_ONNX_OPS_H

#include "ir.h"

/* The operator that means the map `op` alone; NULL: there is none. */
const char *onnx_map_name(ir_op op);

#endif
