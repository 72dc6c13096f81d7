/* npy_tensor.h: NumPy's .npy files (npy.h), versions 1 to 3, for the compiler's side.
 *
 * Types: f4 f8 i8 i4 u1 b1, little-endian. Fortran order is read (and reordered), C order is written. A file
 * with bytes after the data is refused. */
#ifndef VOXC_NPY_TENSOR_H
#define VOXC_NPY_TENSOR_H

#include "file_tensor.h"

bool npy_read(const char *path, file_tensor *t, ir_diag *d);
/* The file's bytes, malloc'd. */
char *npy_format(const file_tensor *t, size_t *size, ir_diag *d);
bool npy_write(const char *path, const file_tensor *t, ir_diag *d);

#endif
