/* codegen.h: turns a planned graph into a bundle of standalone source text.
 *
 * Requires of the graph: verified, layouts chosen, views and arena offsets set, every constant with data,
 * outputs written by nodes (pass_outputs before the layout pass sees to that).
 */
#ifndef VOXC_CODEGEN_H
#define VOXC_CODEGEN_H

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
} cg_options;

/* Receives each file of the bundle, path relative to the bundle. The data is gone after the call. */
typedef bool cg_emit(void *ctx, const char *path, const void *data, size_t size, ir_diag *d);

/* For the target of the graph's goals. */
bool cg_write_bundle(const ir_graph *g, const cg_options *options, cg_emit *emit, void *ctx, ir_diag *d);
/* One bundle for both targets, from the same model planned twice. */
bool cg_write_both(const ir_graph *c, const ir_graph *cuda, const cg_options *options, cg_emit *emit,
                   void *ctx, ir_diag *d);

/* Bytes of the prepared buffer of g's bundle; -1 with d filled where a node can't be emitted. */
int64_t cg_prepared_bytes(const ir_graph *g, ir_diag *d);
/* The memory plan of a graph as cg_write_bundle wants it (constants need no data), in the format that the
 * extension of `path` names: .json (what a bundle's memory.json holds), .svg (a picture) or .trace.json (for
 * Perfetto). The text lives in g->arena; NULL with d filled for another extension and for a graph that the
 * target does not support. */
const char *cg_memory_report(const ir_graph *g, const cg_options *options, const char *path, ir_diag *d);
/* False with d filled for an extension that names no format. */
bool cg_check_report_path(const char *path, ir_diag *d);

/* Finds a tensor by its hash in a bundle's weight file (for ir_parse's blobs); NULL if absent or malformed.
 */
const void *cg_weights_find(const void *file, size_t size, uint64_t hash, size_t bytes);

/* ---- passes ---------------------------------------------------------------------------------- */

/* requires: any graph. gives: every output is a value of its own, written by a node (copies where an output
 * is an input, a constant, or named twice). */
bool pass_outputs(ir_graph *g, ir_diag *d);
/* requires: layouts. gives: node->winograd of every conv that it suits (algorithm.h). */
bool pass_algorithm(ir_graph *g, ir_diag *d);
/* requires: algorithms, views. gives: on_load values (around.h). */
bool pass_load(ir_graph *g, ir_diag *d);
/* requires: algorithms, streams, work splits. gives: norm_terms that are gathered (around.h). */
bool pass_gather(ir_graph *g, ir_diag *d);
/* requires: layouts. gives: node->block of every conv (blocking.h). */
bool pass_blocking(ir_graph *g, ir_diag *d);

#endif
