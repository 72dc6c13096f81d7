/* bundle_text.h: the parts of a bundle that are written without a template,
 * or that several templates need. */
#ifndef VOXC_CG_BUNDLE_TEXT_H
#define VOXC_CG_BUNDLE_TEXT_H

#include "model.h"

/* "the network unet3d, 1x1x132x132x116 to 1x3x44x44x28, as C." */
const char *cg_summary(const cg_model *m);
/* One or two sentences: compiler version, input file and its hash, options. */
const char *cg_provenance(const cg_model *m);
const char *cg_gmac(ir_arena *arena, int64_t macs);
const char *cg_shape(ir_arena *arena, const ir_tensor *t); /* "1x3x44x44x28" */

/* A number as a C constant that fits size_t or uint64_t. */
const char *cg_unsigned(ir_arena *arena, int64_t v);
const char *cg_port_name(const cg_model *m, bool output, int index); /* C parameter name, unique */
int64_t cg_port_bytes(const ir_tensor *t);
int64_t cg_selftest_bytes(const cg_model *m);
const char *cg_c_dtype(ir_dtype t);   /* "float" */
const char *cg_vox_dtype(ir_dtype t); /* "VOX_F32", NULL if the runtime has no such type */
const char *cg_vox_store(ir_dtype t, ir_storage storage); /* "VOX_STORE_F16", NULL likewise */

/* Adds "check": what the self-test allows node n. */
typedef void cg_layer_check(vox_json *j, const ir_node *n);
/* X(function, bytes): the deepest stack of each function of a bundle's API, for target c, without libc's and the host's
 * own; nothing in it is recursive. tests/stack.sh measures them. */
#define CG_STACKS(X)                                                                                         \
    X(prepare, 56 * 1024)                                                                                    \
    X(run, 96 * 1024)                                                                                        \
    X(selftest, 96 * 1024)                                                                                   \
    X(segment, 128 * 1024)
/* check: of the CPU's layers; NULL where the bundle has none. */
const char *cg_manifest_json(const cg_model *m, const char *target, cg_layer_check *check,
                             const cg_file *files, int n_files);

#endif
