/* bundle_options.h: what a bundle says about where it came from, and who receives its files. */
#ifndef VOXC_CG_BUNDLE_OPTIONS_H
#define VOXC_CG_BUNDLE_OPTIONS_H

#include "ir.h"

enum { CG_SHA256_TEXT = 65 };
/* Lower-case hexadecimal with a NUL. */
void cg_sha256(const void *data, size_t size, char text[CG_SHA256_TEXT]);

/* A file of the bundle as manifest.json lists it. */
typedef struct cg_file {
    const char *path;
    int64_t bytes;
    char sha256[CG_SHA256_TEXT];
} cg_file;

/* What the bundle says about where it came from. No member may depend on time, host or folder. */
typedef struct cg_options {
    const char *version; /* voxc's */
    const char *options; /* of `voxc compile`, those that change the bundle, as one line; "" if none */
    const char *input;   /* the model file's name without its folder */
    char input_sha256[CG_SHA256_TEXT];
    int opset;           /* ONNX opset the model was read with; 0: not ONNX */
    const cg_file *more; /* files of the bundle that the caller writes, for the manifest */
    int n_more;
    uint64_t code_hash; /* the weights are for code with this hash; 0: for the graph's own */
} cg_options;

/* Receives each file of the bundle, path relative to the bundle. The data is gone after the call. */
typedef bool cg_emit(void *ctx, const char *path, const void *data, size_t size, ir_diag *d);

#endif
