/* identifiers.h: which names C, C++ and a bundle's own files leave free. */
#ifndef VOXC_CG_IDENTIFIERS_H
#define VOXC_CG_IDENTIFIERS_H

#include "ir.h"

/* Whether a bundle can have this name, which is a C identifier; else d says what it would collide with. */
bool cg_check_model_name(const char *name, ir_diag *d);

/* A tensor's name as the name of a parameter of <model>_run: readable, never empty, and nothing that a macro,
 * a type, a keyword or the functions around it use. Different texts may give the same name. */
const char *cg_parameter(ir_arena *arena, const char *model, const char *text);

#endif
