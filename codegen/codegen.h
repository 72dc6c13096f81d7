/* codegen.h: turns a planned graph into a bundle of standalone source text.
 *
 * Requires of the graph: verified, layouts chosen, views and arena offsets set, every constant with data,
 * outputs written by nodes (pass_outputs before the layout pass sees to that).
 */
#ifndef VOXC_CODEGEN_H
#define VOXC_CODEGEN_H

#include "bundle_options.h"

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

#endif
