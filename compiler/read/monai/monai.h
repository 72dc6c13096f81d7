/* monai.h: the volume section of a network in a MONAI bundle, from configs/inference.json and
 * configs/metadata.json: its `preprocessing`, `inferer` and `postprocessing`.
 *
 * What is done is what MONAI's transforms of these names do; a transform, an argument or an expression that is
 * not one of those known here is an error. */
#ifndef VOXC_MONAI_H
#define VOXC_MONAI_H

#include "ir.h"

/* Gives g its volume section, and labels where metadata.json names the channels. False after filling d:
 * "file: key: what is wrong". */
bool monai_load_volume(ir_graph *g, const char *folder, ir_diag *d);

#endif
