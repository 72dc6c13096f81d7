/* tables.h: the tables of <m>.c, entry by entry, each value ready to stand in model.c.in. */
#ifndef VOXC_CG_TABLES_H
#define VOXC_CG_TABLES_H

#include "model.h"

const char *cg_port_table(const cg_model *m, bool output);
const char *cg_layer_table(const cg_model *m);
const char *cg_weight_table(const cg_model *m);
const char *cg_label_table(const cg_model *m);  /* "" without labels */
const char *cg_volume_table(const cg_model *m); /* "" without a volume section */
const char *cg_step_table(const cg_model *m);
/* A comment above rows of a struct: its members in order, from the header in runtime/ that defines it. */
const char *cg_legend(ir_arena *arena, const char *header, const char *type);
int cg_first_output_step(const cg_model *m);

#endif
