/* bundle.h: bundles that voxc compile wrote, seen from outside. */
#ifndef VOXC_BUNDLE_H
#define VOXC_BUNDLE_H

#include "ir.h"

/* True when path is a folder with a manifest.json. */
bool bundle_is(const char *path);
/* The planned graph of a bundle (<m>.ir) with the values of its weight file. */
ir_graph *bundle_load(const char *path, ir_diag *d);
/* `make -C path` with that compiler (NULL: the default); log: file for its output. */
bool bundle_build(const char *path, const char *cc, const char *log, ir_diag *d);

#endif
