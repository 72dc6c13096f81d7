/* target_c.h: what target c puts into a bundle. */
#ifndef VOXC_CG_TARGET_C_H
#define VOXC_CG_TARGET_C_H

#include "bundle_files.h"

/* Whether the runtime can count g's elements and has its ports' types; else IR_EXIT_UNSUPPORTED. */
bool c_check(const ir_graph *g, ir_diag *d);
/* Registers the weights that the layers read. */
bool c_use_weights(cg_model *m, ir_diag *d);
bool c_put_code(cg_bundle *b); /* <m>_kernels.c, <m>.h, <m>.c */
/* Program, Makefile, CMakeLists.txt, pkg-config: of a bundle for this target alone. */
bool c_put_build_files(cg_bundle *b);
bool c_put_readme(cg_bundle *b);
/* Whether a file, by its path in a bundle, is part of this target's runtime. */
bool c_uses_file(const cg_model *m, const char *path);

#endif
