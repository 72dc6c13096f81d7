/* prototypes.h: the parts of <m>.h that depend on names and lengths,
 * laid out as clang-format lays them out. */
#ifndef VOXC_CG_PROTOTYPES_H
#define VOXC_CG_PROTOTYPES_H

#include "model.h"

/* `tail` follows the closing parenthesis: ";" or " {". */
const char *cg_prepare_prototype(const cg_model *m, const char *tail);
const char *cg_run_prototype(const cg_model *m, const char *tail);
const char *cg_selftest_prototype(const cg_model *m, const char *tail);
const char *cg_segment_prototype(const cg_model *m, const char *tail);
const char *cg_cuda_create_prototype(const cg_model *m, const char *tail);
/* Of _cuda_run, or of _cuda_run_host. */
const char *cg_cuda_run_prototype(const cg_model *m, bool host, const char *tail);
/* The block of #defines. */
const char *cg_macros(const cg_model *m);
const char *cg_cuda_macros(const cg_model *m, int64_t weights_bytes);
/* A sentence for a block comment: lines after the first begin with " * ". */
const char *cg_comment(ir_arena *arena, const char *text);

#endif
