/* target_cuda.h: what target cuda puts into a bundle. */
#ifndef VOXC_CG_TARGET_CUDA_H
#define VOXC_CG_TARGET_CUDA_H

#include "bundle_files.h"

/* The CUDA target's bundle of a graph planned for it. */
bool cu_write_bundle(const ir_graph *g, const cg_options *options, cg_emit *emit, void *ctx, ir_diag *d);
/* Its files in a bundle of the C target: code, build files and program of both, its own graph and memory
 * plan. m: of the CUDA graph; its weights must have their places in b's weight file. */
bool cu_put_beside_c(cg_bundle *b, cg_model *m);
/* Whether a file of runtime/ is part of the CUDA target's bundle. */
bool cu_uses_file(const cg_model *m, const char *path);

#endif
