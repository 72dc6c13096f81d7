/* onnx_data.c: see onnx_data.h. */
#include "onnx_data.h"
#include "files.h"
#include "onnx_tensor.h"

#include <stdlib.h>
#include <string.h>

static bool from_proto(const Onnx__TensorProto *pb, const char *path, file_tensor *t, ir_diag *d) {
    onnx_shape s;
    if (!onnx_tensor_shape(pb, path, &s, d)) return false;
    *t = (file_tensor){.dtype = s.dtype, .rank = s.rank};
    memcpy(t->dim, s.dim, sizeof t->dim);
    t->data = onnx_tensor_data(pb, &s, path, NULL, d);
    return t->data != NULL;
}

bool onnx_data_read(const char *path, file_tensor *t, ir_diag *d) {
    size_t n;
    *t = (file_tensor){0};
    char *file = file_read(path, (size_t)1 << 31, &n, d);
    if (!file) return false;
    bool ok = onnx_wire_check(file, n, &onnx__tensor_proto__descriptor, path, d);
    Onnx__TensorProto *pb = ok ? onnx__tensor_proto__unpack(NULL, n, (const uint8_t *)file) : NULL;
    free(file);
    if (ok && !pb) ir_fail(d, IR_EXIT_INPUT, "%s: not an ONNX TensorProto", path);
    ok = pb && from_proto(pb, path, t, d);
    if (pb) onnx__tensor_proto__free_unpacked(pb, NULL);
    if (!ok) file_tensor_free(t);
    return ok;
}
