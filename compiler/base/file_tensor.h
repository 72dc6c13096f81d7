/* file_tensor.h: a tensor that was read from (or is about to become) a file: .npy, ONNX TensorProto.
 *
 * data is row-major, host byte order, malloc'd and owned by the struct; it is never NULL, also for 0
 * elements. A zero-initialised file_tensor may be freed. */
#ifndef VOXC_FILE_TENSOR_H
#define VOXC_FILE_TENSOR_H

#include "ir.h"

typedef struct file_tensor {
    ir_dtype dtype;
    int rank;
    int64_t dim[IR_MAX_RANK];
    void *data;
} file_tensor;

/* Sets t's type and shape and allocates zeroed data. Fails (IR_EXIT_INPUT) when the shape overflows,
 * IR_EXIT_FAILURE when memory runs out; `where` begins the message. */
bool file_tensor_init(file_tensor *t, ir_dtype dtype, int rank, const int64_t *dim, const char *where,
                      ir_diag *d);
void file_tensor_free(file_tensor *t);

/* The interpreter's form of t: floats as double, the rest as int64_t. Free with ir_values_free(v, 1). */
bool file_tensor_to_value(const file_tensor *t, ir_value *v, ir_diag *d);
/* The opposite, with the type and shape of `like`; floats are rounded to like's dtype. */
bool file_tensor_from_value(file_tensor *t, const ir_tensor *like, const ir_value *v, ir_diag *d);

#endif
