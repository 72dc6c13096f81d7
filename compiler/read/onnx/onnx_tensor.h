/* onnx_tensor.h: TensorProto into our types, checked. */
#ifndef VOXC_ONNX_TENSOR_H
#define VOXC_ONNX_TENSOR_H

#include "ir.h"
#include "onnx.pb-c.h"

/* The IR type of an ONNX element type. False (IR_EXIT_UNSUPPORTED) where there is none; `where` begins the
 * message. */
bool onnx_dtype(int onnx_type, const char *where, ir_dtype *out, ir_diag *d);
int onnx_type_of(ir_dtype t); /* the opposite */

typedef struct onnx_shape {
    ir_dtype dtype;
    int rank;
    int64_t dim[IR_MAX_RANK];
    int64_t count, bytes; /* of the IR type */
} onnx_shape;

/* Type and shape, checked for overflow. */
bool onnx_tensor_shape(const Onnx__TensorProto *t, const char *where, onnx_shape *s, ir_diag *d);
/* The elements as s->dtype, s->bytes long, malloc'd; NULL with d filled. Nothing is allocated before the file
 * is known to hold that much. folder: where external data may lie, NULL: nowhere. */
void *onnx_tensor_data(const Onnx__TensorProto *t, const onnx_shape *s, const char *where, const char *folder,
                       ir_diag *d);

/* onnx_external.c: reads `bytes` of t's external data; malloc'd, NULL with d filled. */
void *onnx_external_read(const Onnx__TensorProto *t, const char *folder, size_t bytes, const char *where,
                         ir_diag *d);

/* onnx_wire.c: true if the bytes are well-formed protobuf for this message: every length inside its parent,
 * no nesting that could exhaust the stack of protobuf-c's recursive reader. The message says at which byte.
 */
bool onnx_wire_check(const void *data, size_t n, const ProtobufCMessageDescriptor *type, const char *path,
                     ir_diag *d);

#endif
